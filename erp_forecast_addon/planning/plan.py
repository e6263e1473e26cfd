"""The pipeline: panel in, plan out."""

from dataclasses import dataclass, field, replace
from datetime import date

import numpy as np
import pandas as pd

from erp_forecast_addon.planning import work
from erp_forecast_addon.planning.cleaning import clean
from erp_forecast_addon.planning.errors import Fault
from erp_forecast_addon.planning.forecasting.boosted import Boosted
from erp_forecast_addon.planning.forecasting.forecast import ForecastSet, forecast_panel, stages_ahead
from erp_forecast_addon.planning.inventory.classes import demand_variation
from erp_forecast_addon.planning.panel import Panel
from erp_forecast_addon.planning.periods import MEAN_DAYS
from erp_forecast_addon.planning.progress import Progress, Stages, silent
from erp_forecast_addon.planning.replenishment import (
    DemandOutlook,
    LevelsOf,
    ReadyPairs,
    Supply,
    replenish,
    standing,
)
from erp_forecast_addon.planning.replenishment.occasions import panel_asked, priced
from erp_forecast_addon.planning.settings import PlanSettings
from erp_forecast_addon.planning.signals import Future
from erp_forecast_addon.planning.tables import REQUESTS

__all__ = ["Plan", "Supply", "plan", "policies_with"]

_YEAR_DAYS = 365


@dataclass(frozen=True)
class Plan:
    """forecasts: ForecastSet; policies: POLICIES; proposals: PROPOSALS; faults: what is wrong, item by item;
    requests: REQUESTS, what is asked for within the company;
    outlook: the demand that levels and proposals were made of; levels: what `policies_with` takes over;
    ready: pairs that can be looked at again between two plans.
    """

    forecasts: ForecastSet
    policies: pd.DataFrame
    proposals: pd.DataFrame
    faults: list[Fault]
    outlook: DemandOutlook
    levels: LevelsOf | None = None
    requests: pd.DataFrame = field(default_factory=REQUESTS.empty)
    ready: ReadyPairs | None = None


def plan(
    panel: Panel,
    positions: pd.DataFrame,
    supply: Supply,
    settings: PlanSettings,
    as_of: date,
    future: Future | None = None,
    trained: Boosted | None = None,
    progress: Progress = silent,
) -> Plan:
    """Forecast, set levels and propose orders for every row of `panel` and `positions`; deterministic.

    future: what is applied after the models (signals.prepare); trained: see forecast_panel. positions: table
    POSITIONS; as_of: the last complete day; orders are placed on the day after it. progress: told the share of the time
    that is over, 1 at the end, and what is being done; without influence on the result.
    Pairs of the panel without a position have nothing on hand. Pairs with a position and no history get a policy if
    they hold stock or have open documents. What is wrong with a single row, item or pair is in `faults`, and the rest
    is planned. Raises BadInput where a table as a whole is unusable (a column missing, a key twice).
    """
    horizon = panel.horizon_periods(settings.horizon_days)
    ahead = stages_ahead(panel, horizon, settings, valued=True, trained=trained)
    told = Stages(progress, work.of_plan(panel.n, panel.t, settings, ahead))
    told.say(work.CLEANING)
    cleaned, cleaning_faults = clean(panel, settings.outlier_limit)
    forecasts = forecast_panel(
        cleaned, horizon, settings, future=future, unit_value=_unit_value(cleaned, positions, supply), trained=trained,
        progress=told.within(work.FORECAST),
    )  # fmt: skip
    faults = [*cleaning_faults, *(forecasts.finished.faults if forecasts.finished else [])]
    asks = priced(supply.rules.rules, settings)
    outlook = DemandOutlook(
        keys=forecasts.keys,
        demand_class=forecasts.demand_class,
        daily_mean=forecasts.daily_mean,
        daily_std=forecasts.daily_std,
        last_year_qty=last_year_demand(panel, as_of),
        totals=forecasts.totals,
        variation=panel_variation(cleaned),
        paths=forecasts.paths,
        long_run_daily=forecasts.long_run_daily,
        period_days=MEAN_DAYS[forecasts.period],
        asked=panel_asked(cleaned, forecasts.demand_class, future, forecasts.finished) if asks else None,
    )
    levels = replenish(outlook, positions, supply, settings, as_of, progress=told.within(work.LEVELS))
    made = levels.levels
    # Some of the rows, asked for again, are told by what all of them have taught.
    outlook = replace(outlook, prior=made.prior)
    return Plan(
        forecasts, levels.policies, levels.proposals, [*faults, *levels.faults], outlook, made, levels.requests,
        levels.ready,
    )  # fmt: skip


def policies_with(made: Plan, positions: pd.DataFrame, supply: Supply, settings: PlanSettings) -> pd.DataFrame:
    """The plan's POLICIES with another supply, such as the drafts that were made of its proposals.

    The levels stay; what lies on open supply (position_qty, days_of_cover, shortage_on) is reckoned again.
    """
    return standing(made.outlook, positions, supply, settings, made.forecasts.as_of, made.levels)


def _unit_value(panel: Panel, positions: pd.DataFrame, supply: Supply) -> np.ndarray:
    """Money per unit of each series: valuation, else the selling rate, else 0. (n,)"""
    pair = ["item_code", "warehouse"]
    valued = (
        positions.drop_duplicates(pair).set_index(pair)["valuation_rate"] if "valuation_rate" in positions else None
    )
    rate = np.zeros(panel.n)
    if valued is not None and len(valued):
        found = valued.reindex(pd.MultiIndex.from_frame(panel.keys[pair]))
        rate = np.nan_to_num(pd.to_numeric(found, errors="coerce").to_numpy(dtype=float))
    if "selling_rate" in supply.items:
        sold = supply.items.drop_duplicates("item_code").set_index("item_code")["selling_rate"]
        sold = pd.to_numeric(sold.reindex(panel.keys["item_code"]), errors="coerce").to_numpy(dtype=float)
        rate = np.where(rate > 0, rate, np.nan_to_num(sold))
    return np.maximum(np.where(np.isfinite(rate), rate, 0), 0)


def panel_variation(panel: Panel) -> np.ndarray:
    """(n,) coefficient of variation of a month's demand, see inventory.classes.demand_variation."""
    per_month, months = {"day": (28, 13), "week": (4, 13), "month": (1, 12)}[panel.period]
    return demand_variation(panel.demand, panel.observed, per_month, months)


def last_year_demand(panel: Panel, as_of: date) -> np.ndarray:
    """(n,) demand of the periods that began in the 365 days up to as_of, stock units."""
    recent = panel.starts > np.datetime64(as_of, "ns") - np.timedelta64(_YEAR_DAYS, "D")
    return np.maximum(panel.demand[:, recent].sum(axis=1), 0.0)
