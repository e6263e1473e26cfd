"""The forecast of one item, or of a few, between two runs.

What a run learns from all series together (effects of events, seasonal profiles, weights of the models, how widely
they miss) is kept, so the item is forecast alone, from its own buckets, and comes out as it did in the run. Where
nothing fitting was kept, or the item is so new that it is forecast from like items, others of the company are read
beside it and it is learned again: all of them, or of a large company a sample.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
import pandas as pd

from erp_forecast_addon.planning.cleaning import clean
from erp_forecast_addon.planning.errors import Fault
from erp_forecast_addon.planning.forecasting import launch
from erp_forecast_addon.planning.forecasting.forecast import ForecastSet, forecast_panel
from erp_forecast_addon.planning.inventory.occasional import Asked, Prior
from erp_forecast_addon.planning.panel import Panel, build_panel
from erp_forecast_addon.planning.plan import last_year_demand, panel_variation
from erp_forecast_addon.planning.replenishment.occasions import panel_asked
from erp_forecast_addon.planning.signals import Future, prepare
from erp_forecast_addon.planning.tables import BUCKETS
from erp_forecast_addon.services import learning
from erp_forecast_addon.services.learning import Learning
from erp_forecast_addon.services.signals import read_signals
from erp_forecast_addon.site import item_queries, queries, reads, signal_reads
from erp_forecast_addon.site.narrowed import of_items
from erp_forecast_addon.site.port import Site
from erp_forecast_addon.site.settings import CompanySettings

# Series that are forecast beside the item's own where nothing was learned before: a few seconds' work.
MOST_PAIRS = 2000
_PAIR = ["item_code", "warehouse"]
_ITEMS_PER_QUERY = 500
_PER_SERIES = (
    "mean", "quantiles", "model", "reason_template", "reason_values", "demand_class", "error_std", "whole",
)  # fmt: skip


@dataclass(frozen=True)
class ItemForecast:
    """forecasts, last_year_qty, variation and asked (n,) of the items' own pairs, see plan.DemandOutlook; prior: what
    the items of the last run that are asked for now and then told of each other; faults: of every series that was read;
    site: narrowed to what the items need; items: table ITEMS, the items' own rows among them; alone: nothing had to be
    learned again.
    """

    forecasts: ForecastSet
    last_year_qty: np.ndarray
    variation: np.ndarray
    asked: Asked
    prior: Prior | None
    faults: list[Fault]
    site: Site
    items: pd.DataFrame
    alone: bool


def item_forecast(
    site: Site, settings: CompanySettings, item_code: str, warehouses: set[str], as_of: date | None = None
) -> ItemForecast:
    """Forecast the item's pairs in these warehouses; nothing is written. as_of: default the last complete day.

    Raises BadInput when what was learned cannot be read.
    """
    day = as_of or site.as_of()
    known = learning.last(site, settings)
    found = None if known is None else forecast_alone(site, settings, [item_code], warehouses, day, known)
    return found if found is not None else _among_others(site, settings, item_code, warehouses, day)


def rows_of(forecasts: ForecastSet, chosen: np.ndarray) -> ForecastSet:
    """The forecasts of some series. chosen: (n,) bool"""
    return replace(
        forecasts,
        keys=forecasts.keys[chosen].reset_index(drop=True),
        accuracy=forecasts.accuracy[chosen].reset_index(drop=True),
        stages={name: stage[chosen] for name, stage in forecasts.stages.items()},
        factors={part: factor[chosen] for part, factor in forecasts.factors.items()},
        finished=None if forecasts.finished is None else forecasts.finished.select(chosen),
        spread=forecasts.spread.select(chosen),
        own_past=None if forecasts.own_past is None else forecasts.own_past.select(chosen),
        **{name: getattr(forecasts, name)[chosen] for name in _PER_SERIES},
    )


def forecast_alone(
    site: Site, settings: CompanySettings, item_codes: Sequence[str], warehouses: set[str], day: date, known: Learning
) -> ItemForecast | None:
    """Forecast the items' pairs in these warehouses with what was learned of all; nothing is written.

    None where one of them is so new that it is forecast from like items, or none of them was ever asked for.
    """
    family = [*item_codes, *_replaced(signal_reads.replacements(site), item_codes)]
    templates = of_items(site, family).fetch(queries.variants(site.qb))["variant_of"].dropna().tolist()
    few = of_items(site, [*family, *templates])
    items = reads.items(few, settings.company)
    buckets = _buckets_of_items(site, family, day - timedelta(days=settings.plan.history_days))
    buckets = buckets[buckets["warehouse"].isin(warehouses)]
    width = known.width_on(day, settings)
    panel, future, faults = _prepared(few, settings, items, buckets, item_codes, day, width)
    own = _own(panel, item_codes, warehouses)
    age = panel.t - panel.first[own]
    if not own.any() or (age < launch.YOUNG_BELOW[panel.period]).any():
        return None
    return _forecast(few, settings, items, panel, future, faults, own, known)


def _among_others(
    site: Site, settings: CompanySettings, item_code: str, warehouses: set[str], day: date
) -> ItemForecast:
    """The item's pairs, the pairs of items that it replaces, and others of the company beside them."""
    items = reads.items(site, settings.company)
    everything = site.fetch(item_queries.pairs_of_company(site.qb, settings.company))
    family = [item_code, *_replaced(signal_reads.replacements(site), [item_code])]
    own = everything["item_code"].isin(family) & everything["warehouse"].isin(warehouses)
    step = max(1, -(-len(everything) // MOST_PAIRS))
    sampled = pd.Series(np.arange(len(everything)) % step == 0, index=everything.index)
    pairs = pd.MultiIndex.from_frame(everything.loc[own | sampled, _PAIR])
    buckets = _buckets_of(site, pairs, day - timedelta(days=settings.plan.history_days))
    panel, future, faults = _prepared(site, settings, items, buckets, [item_code], day)
    return _forecast(
        site, settings, items, panel, future, faults, _own(panel, [item_code], warehouses), None
    )  # fmt: skip


def _buckets_of(site: Site, pairs: pd.MultiIndex, since: date) -> pd.DataFrame:
    buckets = _buckets_of_items(site, pairs.get_level_values("item_code").unique().tolist(), since)
    return buckets[pd.MultiIndex.from_frame(buckets[_PAIR]).isin(pairs)]


def _buckets_of_items(site: Site, item_codes: Sequence[str], since: date) -> pd.DataFrame:
    pieces = [
        site.fetch(item_queries.buckets_of_items(site.qb, list(item_codes[at : at + _ITEMS_PER_QUERY]), since))
        for at in range(0, len(item_codes), _ITEMS_PER_QUERY)
    ]
    filled = [piece for piece in pieces if len(piece)]
    return BUCKETS.check(pd.concat(filled, ignore_index=True)) if filled else BUCKETS.empty()


def _prepared(
    site: Site, settings: CompanySettings, items: pd.DataFrame, buckets: pd.DataFrame, item_codes: Sequence[str],
    day: date, width: int = 1,
) -> tuple[Panel, Future, list[Fault]]:  # fmt: skip
    """The panel as it is to be forecast. width: how many periods it has at least."""
    ahead, faults = read_signals(site, settings, items, day)
    mine = ahead.overrides[ahead.overrides["item_code"].isin(list(item_codes))].reset_index(drop=True)
    panel, history_faults = build_panel(
        buckets, settings.plan.period, day, items=items, company=settings.company,
        history_days=settings.plan.history_days,
    )  # fmt: skip
    wide = panel.reaching_back(width)
    ready, future, signal_faults = prepare(wide, replace(ahead, overrides=mine), settings.plan.horizon_days, day)
    return ready, future, [*faults, *history_faults, *signal_faults]


def _replaced(replacements: pd.DataFrame, item_codes: Sequence[str]) -> list[str]:
    """Items that these may have taken the place of, directly or in a chain."""
    given = set(item_codes)
    found, level = set[str](), given
    while level:
        level = set(replacements.loc[replacements["successor"].isin(level), "item_code"]) - found - given
        found |= level
    return sorted(found)


def _own(panel: Panel, item_codes: Sequence[str], warehouses: set[str]) -> np.ndarray:
    mine = panel.keys["item_code"].isin(list(item_codes)) & panel.keys["warehouse"].isin(warehouses)
    return mine.to_numpy(dtype=bool)


def _forecast(
    site: Site, settings: CompanySettings, items: pd.DataFrame, panel: Panel, future: Future, faults: list[Fault],
    own: np.ndarray, known: Learning | None,
) -> ItemForecast:  # fmt: skip
    cleaned, cleaning_faults = clean(panel, settings.plan.outlier_limit)
    horizon = panel.horizon_periods(settings.plan.horizon_days)
    learned = None if known is None else known.learned
    made = forecast_panel(cleaned, horizon, settings.plan, future=future, learned=learned)
    finishing = made.finished.faults if made.finished else []
    last_year = last_year_demand(panel, made.as_of)[own]
    everything = [*faults, *cleaning_faults, *finishing]
    alone = learned is not None
    asked = panel_asked(cleaned, made.demand_class, future, made.finished).select(np.flatnonzero(own))
    prior = None if known is None else known.occasions
    return ItemForecast(
        rows_of(made, own), last_year, panel_variation(cleaned)[own], asked, prior, everything, site, items, alone
    )  # fmt: skip
