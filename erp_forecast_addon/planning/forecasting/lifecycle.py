"""New, dying, ended and replaced items: what the models cannot know from the series itself."""

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from erp_forecast_addon.planning import periods
from erp_forecast_addon.planning.forecasting import launch
from erp_forecast_addon.planning.forecasting.demand_class import interval_and_variation
from erp_forecast_addon.planning.forecasting.rows import in_blocks
from erp_forecast_addon.planning.messages import _
from erp_forecast_addon.planning.panel import Panel
from erp_forecast_addon.planning.settings import Period
from erp_forecast_addon.planning.tables import ITEMS
from erp_forecast_addon.planning.wording import dict_column, iso_days

# How often an item dies, per day, before anything is known about it: once in five years.
_DEATHS_PER_DAY = 1 / (5 * 365)
# A silence is unusual once it is so many times as long as any that the item came back from.
_UNUSUAL_SILENCE = 1.5
# Below so many sales nobody knows how long an item's silences are.
_LEAST_SALES = 4
_SURE_ALIVE = 0.95


@dataclass(frozen=True)
class Lifecycle:
    """What the item list says about the life of n series.

    ends_on: (n,) datetime64[D], the first day without demand, NaT: none; disabled: (n,) bool; successor: (n,) object,
    the item that takes over, "" none; predecessors: (n,) object, those that it takes over from, "" none; variant_of,
    brand, item_group: (n,) object; price: (n,) per stock unit, NaN unknown.
    """

    ends_on: np.ndarray
    disabled: np.ndarray
    successor: np.ndarray
    predecessors: np.ndarray
    variant_of: np.ndarray
    brand: np.ndarray
    item_group: np.ndarray
    price: np.ndarray

    def select(self, at: np.ndarray) -> "Lifecycle":
        """The lifecycle of some series: positions or a boolean mask."""
        return Lifecycle(*(getattr(self, name)[at] for name in self.__dataclass_fields__))


@dataclass(frozen=True)
class Stage:
    """A forecast after a stage: mean (n, h); template, values: (n,) object, the sentence to add, "" where nothing
    changed; changed: (n,) bool."""

    mean: np.ndarray
    template: np.ndarray
    values: np.ndarray

    @property
    def changed(self) -> np.ndarray:
        return np.asarray(self.template != "")


def lifecycle_of(keys: pd.DataFrame, items: pd.DataFrame, successors: pd.Series, as_of: date) -> Lifecycle:
    """keys: (n,) item_code, warehouse; items: table ITEMS; successors: by item code (succession.successors)."""
    about = ITEMS.check(items).set_index("item_code").reindex(keys["item_code"])
    codes = keys["item_code"].reset_index(drop=True)
    disabled = about["disabled"].fillna(False).to_numpy(dtype=bool)
    after = np.datetime64(as_of, "D") + 1
    end = about["end_of_life"].to_numpy().astype("datetime64[D]")
    former = successors.reset_index().set_axis(["item", "taker"], axis=1) if len(successors) else None
    named = {} if former is None else former.sort_values("item").groupby("taker")["item"].agg(", ".join).to_dict()
    return Lifecycle(
        ends_on=np.where(disabled, after, end),
        disabled=disabled,
        successor=codes.map(successors).astype(object).fillna("").to_numpy(dtype=object),
        predecessors=codes.map(named).astype(object).fillna("").to_numpy(dtype=object),
        **{name: about[name].fillna("").to_numpy(dtype=object) for name in ("variant_of", "brand", "item_group")},
        price=about["selling_rate"].to_numpy(dtype=float),
    )


def after_models(mean: np.ndarray, panel: Panel, lifecycle: Lifecycle) -> Stage:
    """Launch, silence and end of life applied to the models' forecasts; pure, (n, h) in and out.

    panel: the history that was forecast, replaced items handed over (succession.hand_over), cleaned.
    """
    changed = mean.astype(float, copy=True)
    template = np.full(panel.n, "", dtype=object)
    values: np.ndarray = dict_column([{} for _row in range(panel.n)])
    _say_succession(template, values, lifecycle)
    _launch(changed, template, values, panel, lifecycle)
    _silence(changed, template, values, panel)
    _phase_out(changed, template, values, panel, lifecycle)
    return Stage(changed, template, values)


def phase_out_share(ends_on: np.ndarray, starts: np.ndarray, period: Period) -> np.ndarray:
    """Share of each period's days before the end. ends_on: (n,) datetime64[D], starts: (h,) -> (n, h)"""
    number = periods.index_of(starts, period)
    begin, stop = (periods.start_of(each, period).astype(np.int64) for each in (number, number + 1))
    end = ends_on.astype("datetime64[D]").astype(np.int64)[:, None]
    share = np.clip((end - begin) / (stop - begin), 0.0, 1.0)
    return np.where(np.isnat(ends_on)[:, None], 1.0, share)


def probability_alive(demand: np.ndarray, observed: np.ndarray, deaths_per_period: float) -> np.ndarray:
    """The probability that a series is still asked for, given how long it has been silent. (n,)

    With a mean interval a between sales and a silence of g observed periods: P = e^(−g/a) / (e^(−g/a) + δ·a·
    (1 − e^(−g/a))), the posterior for a death rate δ and sales at random (Schmittlein, Morrison & Colombo 1987, with
    one rate instead of a distribution). 1 while the silence is no longer than _UNUSUAL_SILENCE times the longest that
    it came back from: seasonal items are silent for long and live.
    """
    alive = np.ones(len(demand))

    def fill(block: slice) -> None:
        alive[block] = _alive(demand[block], observed[block], deaths_per_period)

    in_blocks(fill, len(demand), workers=1)
    return alive


def _alive(demand: np.ndarray, observed: np.ndarray, deaths_per_period: float) -> np.ndarray:
    n, t = demand.shape
    sold = observed & (demand > 0)
    ticks = np.cumsum(observed, axis=1, dtype=np.int32)
    last = t - 1 - np.argmax(sold[:, ::-1], axis=1)
    silence = (ticks[:, -1] - ticks[np.arange(n), last]).astype(float)
    former = np.maximum.accumulate(np.where(sold, ticks, 0), axis=1)
    gaps = np.where(sold[:, 1:] & (former[:, :-1] > 0), ticks[:, 1:] - former[:, :-1], 0)
    longest = gaps.max(axis=1, initial=0)
    judged = (sold.sum(axis=1) >= _LEAST_SALES) & (silence > _UNUSUAL_SILENCE * longest)
    interval = np.maximum(interval_and_variation(demand, observed)[0], longest / 3)
    a = np.where(judged, interval, 1.0)
    quiet = np.exp(-np.minimum(silence / a, 500.0))
    return np.where(judged, quiet / (quiet + deaths_per_period * a * (1 - quiet)), 1.0)


# ---- the stages, each in place ------------------------------------
def _say_succession(template: np.ndarray, values: np.ndarray, lifecycle: Lifecycle) -> None:
    sentence = _("It takes the place of {predecessors}: their demand counts as its history.")
    for row in np.flatnonzero((lifecycle.predecessors != "") & (lifecycle.successor == "")):  # a sentence per series
        template[row], values[row] = sentence, {"predecessors": lifecycle.predecessors[row]}


def _launch(mean: np.ndarray, template: np.ndarray, values: np.ndarray, panel: Panel, lifecycle: Lifecycle) -> None:
    ended = lifecycle.disabled | (lifecycle.successor != "")
    found = launch.launches(mean, panel, lifecycle.variant_of, lifecycle.brand, lifecycle.item_group, lifecycle.price,
                            out=ended)  # fmt: skip
    mean[found.rows] = found.mean
    sentence = _(
        "New: forecast from {count} like items ({likeness}), which count {like_pct}%, and its own first {age} "
        "{period}s, which count {own_pct}%."
    )
    for at, row in enumerate(found.rows.tolist()):  # a sentence per new series
        own = round(100 * float(found.own_weight[at]))
        template[row], values[row] = sentence, {
            "count": int(found.count[at]), "likeness": found.likeness[at], "own_pct": own, "like_pct": 100 - own,
            "age": int(found.age[at]), "period": panel.period,
        }  # fmt: skip


def _silence(mean: np.ndarray, template: np.ndarray, values: np.ndarray, panel: Panel) -> None:
    alive = probability_alive(panel.demand, panel.observed, _DEATHS_PER_DAY * periods.MEAN_DAYS[panel.period])
    dying = np.flatnonzero((alive < _SURE_ALIVE) & (mean > 0).any(axis=1))
    mean[dying] *= alive[dying, None]
    silent = panel.select(dying)
    sold = silent.observed & (silent.demand > 0)
    last = panel.starts[panel.t - 1 - np.argmax(sold[:, ::-1], axis=1)]
    sentence = _(
        "Nothing was sold since {last}, far longer than ever between two sales: it is forecast with {alive_pct}% of "
        "its level."
    )
    for row, day in zip(dying.tolist(), iso_days(last), strict=True):  # a sentence per dying series
        template[row], values[row] = sentence, {"last": day, "alive_pct": round(100 * float(alive[row]))}


def _phase_out(mean: np.ndarray, template: np.ndarray, values: np.ndarray, panel: Panel, lifecycle: Lifecycle) -> None:
    starts = panel.future_starts(mean.shape[1])
    share = phase_out_share(lifecycle.ends_on, starts, panel.period)
    replaced = lifecycle.successor != ""
    share[replaced] = 0.0
    mean *= share
    by_day = _("The item's life ends on {day}: nothing is forecast from then on.")
    disabled = _("The item is disabled: nothing is forecast.")
    taken = _("The item is replaced by {successor}, which has taken over its history: nothing is forecast.")
    for row in np.flatnonzero((share < 1).any(axis=1)):  # a sentence per ended series
        said: tuple[str, dict[str, Any]] = (by_day, {"day": str(lifecycle.ends_on[row])})
        if replaced[row]:
            said = taken, {"successor": lifecycle.successor[row]}
        elif lifecycle.disabled[row]:
            said = disabled, {}
        template[row], values[row] = said
