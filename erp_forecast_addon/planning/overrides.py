"""What a planner says about the future instead of the models: a total, a percentage or a quantity a day."""

from collections.abc import Hashable
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from erp_forecast_addon.planning import periods
from erp_forecast_addon.planning.errors import Fault
from erp_forecast_addon.planning.messages import _
from erp_forecast_addon.planning.settings import Period
from erp_forecast_addon.planning.tables import OVERRIDES

_DAY = np.timedelta64(1, "D")
_NOISE = 1e-9


@dataclass(frozen=True)
class _Spread:
    """Overrides laid over the days to be forecast.

    days: (D,) days after as_of; index: (D,) the period each lies in; touched: (m,) rows of `mean`; override, row, day:
    (cells,) numbers into the overrides, `touched` and `days`, later approvals last; base: (m, D) the forecast by day.
    """

    rows: pd.DataFrame
    days: np.ndarray
    index: np.ndarray
    touched: np.ndarray
    override: np.ndarray
    row: np.ndarray
    day: np.ndarray
    base: np.ndarray

    def by_override(self, values: np.ndarray) -> np.ndarray:
        """Sum of (m, D) values over the cells of each override."""
        return np.bincount(self.override, weights=values[self.row, self.day], minlength=len(self.rows))


def apply(
    mean: np.ndarray, keys: pd.DataFrame, starts: np.ndarray, period: Period, as_of: date, overrides: pd.DataFrame
) -> tuple[np.ndarray, list[Fault]]:
    """The forecast with the overrides in it: a new (n, h) array; periods that no override touches stay bit by bit.

    mean: (n, h) per period; starts: (h,) first days; overrides: table OVERRIDES, approved ones.
    A period's forecast is spread evenly over its days after as_of, changed day by day and summed again.
    Quantity: the total over the whole span, of which the days after as_of get their share, spread like the forecast
    (evenly where that is 0) over the days and, without a warehouse, over the item's warehouses. Percent: times
    1 + value / 100. Replace per Day: value a day; without a warehouse shared among the item's warehouses likewise.
    Where overrides meet, the one approved last counts alone.
    Faults Forecast Override: unusable values, an item or warehouse that is not forecast, two overrides that meet and
    change the forecast in opposite directions (the one approved last still counts).
    """
    if overrides.empty:
        return mean.copy(), []
    rows, faults = _usable(OVERRIDES.check(overrides))
    spread = _spread(mean, keys, starts, period, as_of, rows)
    faults += _without_series(spread, keys)
    if not len(spread.override):
        return mean.copy(), faults
    wanted = _wanted(spread)
    faults += _contradictions(spread, wanted)
    changed = _changed(spread, wanted)
    edges = np.flatnonzero(np.diff(spread.index, prepend=-1))
    difference = np.add.reduceat(changed - spread.base, edges, axis=1)
    result = mean.copy()
    result[np.ix_(spread.touched, spread.index[edges])] += difference.astype(mean.dtype)
    return np.maximum(result, 0), faults


def effects(
    mean: np.ndarray, keys: pd.DataFrame, starts: np.ndarray, period: Period, as_of: date, overrides: pd.DataFrame
) -> pd.DataFrame:
    """What `apply` does, override by override: name, forecast_before, forecast_after over its days after as_of.

    mean: the forecast without overrides. An override that changes nothing is in no row; days that a later approval
    took over are in both numbers as they are in the end.
    """
    if overrides.empty:
        return pd.DataFrame({"name": pd.Series(dtype=object), "forecast_before": 0.0, "forecast_after": 0.0})
    rows, _faults = _usable(OVERRIDES.check(overrides))
    spread = _spread(mean, keys, starts, period, as_of, rows)
    changed = _changed(spread, _wanted(spread)) if len(spread.override) else spread.base
    there = np.unique(spread.override)
    return pd.DataFrame({
        "name": spread.rows["name"].to_numpy(dtype=object)[there],
        "forecast_before": spread.by_override(spread.base)[there],
        "forecast_after": spread.by_override(changed)[there],
    })  # fmt: skip


# ---- laying out ------------------------------------
def _spread(
    mean: np.ndarray, keys: pd.DataFrame, starts: np.ndarray, period: Period, as_of: date, rows: pd.DataFrame
) -> _Spread:
    rows = rows.sort_values(["approved_at", "name"], kind="stable", na_position="first").reset_index(drop=True)
    numbers = periods.index_of(starts, period)
    after = np.datetime64(as_of, "D") + _DAY
    first = max(periods.start_of(numbers[:1], period)[0], after)
    days = np.arange(first, periods.start_of(numbers[-1:] + 1, period)[0])
    index = periods.index_of(days, period) - numbers[0]
    pairs = _pairs(rows, keys)
    touched, row = np.unique(pairs["at"].to_numpy(dtype=np.int64), return_inverse=True)
    number = pairs["override"].to_numpy(dtype=np.int64)
    start = np.maximum(_offsets(rows["from_day"], first)[number], 0)
    stop = np.minimum(_offsets(rows["to_day"], first)[number] + 1, len(days))
    length = np.maximum(stop - start, 0)
    day = np.arange(length.sum()) - np.repeat(np.cumsum(length) - length, length) + np.repeat(start, length)
    length_of_period = (periods.start_of(numbers + 1, period) - periods.start_of(numbers, period)).astype(float)
    base = (mean[touched] / length_of_period)[:, index]
    return _Spread(rows, days, index, touched, np.repeat(number, length), np.repeat(row, length), day, base)


def _pairs(rows: pd.DataFrame, keys: pd.DataFrame) -> pd.DataFrame:
    """override, at: which override changes which series, by the override's number."""
    series = keys[["item_code", "warehouse"]].assign(at=np.arange(len(keys)))
    named = rows[["item_code", "warehouse"]].rename(columns={"warehouse": "only"}).assign(override=np.arange(len(rows)))
    found = named.merge(series, on="item_code")
    found = found[(found["only"] == "") | (found["only"] == found["warehouse"])]
    return found.sort_values(["override", "at"])[["override", "at"]]


def _offsets(days: pd.Series, first: np.datetime64) -> np.ndarray:
    return np.asarray((days.to_numpy().astype("datetime64[D]") - first).astype(np.int64))


# ---- what each override asks for ------------------------------------
def _wanted(spread: _Spread) -> np.ndarray:
    """The forecast of each cell as its own override wants it, whatever others say. (cells,)"""
    rows, k = spread.rows, spread.override
    base = spread.base[spread.row, spread.day]
    kind, value = rows["kind"].to_numpy(dtype=object), rows["value"].to_numpy()
    percent = base * (1 + value[k] / 100)
    quantity = _shares(k, base, len(rows)) * (value * _remaining(rows, spread.days[0]))[k]
    of_day = k * len(spread.days) + spread.day
    per_day = _shares(of_day, base, len(rows) * len(spread.days)) * value[k]
    return np.select([kind[k] == "Percent", kind[k] == "Quantity"], [percent, quantity], per_day)


def _changed(spread: _Spread, wanted: np.ndarray) -> np.ndarray:
    """The forecast by day with every cell as its last override wants it. (m, D)"""
    changed = spread.base.copy()
    changed[spread.row, spread.day] = wanted  # later approvals lie later, and the last assignment to a cell stays
    return changed


def _shares(group: np.ndarray, base: np.ndarray, groups: int) -> np.ndarray:
    """Each cell's share of its group: like the forecast, evenly where the group's is 0. (cells,)"""
    total = np.bincount(group, weights=base, minlength=groups)[group]
    count = np.bincount(group, minlength=groups)[group]
    return np.where(total > _NOISE, base / np.where(total > _NOISE, total, 1.0), 1.0 / count)


def _remaining(rows: pd.DataFrame, first: np.datetime64) -> np.ndarray:
    """Share of each span's days that are not over. (k,)"""
    length = (rows["to_day"] - rows["from_day"]).dt.days.to_numpy() + 1
    over = np.clip(-_offsets(rows["from_day"], first), 0, length)
    return np.asarray(1 - over / length)


# ---- what is wrong ------------------------------------
def _usable(rows: pd.DataFrame) -> tuple[pd.DataFrame, list[Fault]]:
    reasons = (
        (
            rows["to_day"] < rows["from_day"],
            _("The Forecast Override {name} ends on {to_day}, before it begins on {from_day}; it is left out."),
        ),
        (
            (rows["kind"] == "Percent") & (rows["value"] < -100),
            _("The Forecast Override {name} lowers the forecast by more than 100 percent; it is left out."),
        ),
        (
            (rows["kind"] != "Percent") & (rows["value"] < 0),
            _("The Forecast Override {name} asks for {value}, and nobody can ask for less than 0; it is left out."),
        ),
    )
    faults: list[Fault] = []
    bad = np.zeros(len(rows), dtype=bool)
    for wrong, template in reasons:
        for row in rows[wrong.to_numpy() & ~bad].to_dict("records"):  # a sentence per unusable override
            days = {name: row[name].date() for name in ("from_day", "to_day")}
            faults.append(_fault(row, template, {**days, "value": row["value"]}))
        bad |= wrong.to_numpy()
    return rows[~bad].reset_index(drop=True), faults


def _without_series(spread: _Spread, keys: pd.DataFrame) -> list[Fault]:
    """Overrides that are not over and change nothing, as their item is not forecast there."""
    found = np.zeros(len(spread.rows), dtype=bool)
    found[_pairs(spread.rows, keys)["override"].to_numpy(dtype=np.int64)] = True
    ahead = _offsets(spread.rows["to_day"], spread.days[0]) >= 0
    nowhere = _("The Forecast Override {name} is for {item_code}, which has no demand yet and is not forecast.")
    not_there = _(
        "The Forecast Override {name} is for {item_code} in {warehouse}, where it has no demand yet and is not "
        "forecast."
    )
    return [
        _fault(row, not_there if row["warehouse"] else nowhere, {k: row[k] for k in ("item_code", "warehouse")})
        for row in spread.rows[~found & ahead].to_dict("records")  # a sentence per override without effect
    ]


def _contradictions(spread: _Spread, wanted: np.ndarray) -> list[Fault]:
    """Overrides that meet on a day of one series and change its forecast in opposite directions."""
    base = spread.base[spread.row, spread.day]
    effect = np.bincount(spread.override, weights=wanted - base, minlength=len(spread.rows))
    cell = spread.row * len(spread.days) + spread.day
    order = np.lexsort((spread.override, cell))
    meet = cell[order][1:] == cell[order][:-1]
    pairs = np.unique(np.stack([spread.override[order][:-1][meet], spread.override[order][1:][meet]], axis=1), axis=0)
    template = _(
        "The Forecast Overrides {name} and {later} meet and contradict each other: one raises the forecast, the other "
        "lowers it. {later}, approved last, counts where they meet."
    )
    records = spread.rows.to_dict("records")
    return [
        _fault(records[former], template, {"later": records[later]["name"]})
        for former, later in pairs[effect[pairs[:, 0]] * effect[pairs[:, 1]] < 0].tolist()  # a sentence per pair
    ]


def _fault(row: dict[Hashable, Any], template: str, values: dict[str, Any]) -> Fault:
    return Fault(
        "Forecast Override", template, {"name": row["name"], **values},
        item_code=row["item_code"], warehouse=row["warehouse"] or None,
    )  # fmt: skip
