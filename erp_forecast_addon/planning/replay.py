"""Replay of a policy over history: what is known each morning, and the levels that ERPNext would have had.

Nothing here sees a day before it has come: a rule is decided from the panel that `seen_by` lays out, which holds what
was sold up to the evening before, and which days had an empty shelf by the product's own rule; what could not be sold
is in no row of it.
"""

from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from erp_forecast_addon.planning import periods, shelf
from erp_forecast_addon.planning.cleaning import clean
from erp_forecast_addon.planning.errors import BadInput
from erp_forecast_addon.planning.forecasting.forecast import ForecastSet, Learned, forecast_panel
from erp_forecast_addon.planning.inventory import lead_time_distribution
from erp_forecast_addon.planning.inventory.demand_distribution import at_least, lead_time_nodes, over_lead_time
from erp_forecast_addon.planning.inventory.methods import OrderLevels, PolicyInputs, levels_for
from erp_forecast_addon.planning.inventory.simulated_levels import SIMULATED, Ask, search
from erp_forecast_addon.planning.messages import _
from erp_forecast_addon.planning.panel import Panel
from erp_forecast_addon.planning.periods import MEAN_DAYS
from erp_forecast_addon.planning.settings import Period, PlanSettings
from erp_forecast_addon.planning.simulation import Costs, Known, Limits, Rule

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]

# Sales outside these quantiles since the last plan are news enough to plan again.
_BAND = (0.1, 0.85)
_LONGEST_WAIT_DAYS = 28
_BELOW = 1e-6
_ONE_DAY = np.timedelta64(1, "D")


def seen_by(history: Panel, known: Known, *, lost: bool = True) -> Panel:
    """The daily panel on the morning of `known.day`: the history and what was sold since.

    history: a daily panel that ends on the eve of the simulation's day 0. Days on which the shelf was empty are masked
    by the rule of shelf.py, from sales, morning's and evening's stock, unless unmet demand waits (not `lost`): then
    it is known whatever the shelf. A series without demand before the simulation
    begins with its first sale in it. Drivers reach as far as they did.
    """
    if history.period != "day":
        raise BadInput(_("A replay needs a history by day, not by {period}."), period=history.period)
    if known.day == 0:
        return replace(history, as_of=None)
    sales = np.asarray(known.sales_qty, dtype=float)
    there = np.ones(sales.shape, dtype=bool)
    grid = shelf.DayGrid(sales, np.asarray(known.opening_qty), np.asarray(known.closing_qty), there)
    out = shelf.out_of_stock(grid) if lost else ~there
    demand = np.concatenate([history.demand, sales], axis=1)
    starts = periods.to_days(history.starts)
    return replace(
        history,
        starts=np.append(starts, starts[-1] + _ONE_DAY * np.arange(1, known.day + 1)).astype("datetime64[ns]"),
        demand=demand,
        in_stock=np.concatenate([history.in_stock, ~out], axis=1),
        first=_first(history, demand),
        as_of=None,
    )


def _first(history: Panel, demand: Floats) -> NDArray[np.int64]:
    """First period of each series; one that had sold nothing yet begins with its first sale."""
    sold_before = (history.demand > 0).any(axis=1)
    sold = demand > 0
    since = np.where(sold.any(axis=1), np.argmax(sold, axis=1), demand.shape[1] - 1)
    return np.asarray(np.where(sold_before, history.first, since), dtype=np.int64)


def in_periods(daily: Panel, period: Period) -> Panel:
    """A daily panel by week or month: complete periods only, masked as `build_panel` masks them.

    Drivers are left out: they are values of days. A series that began within a period exists in that period. Days
    before the first complete period are dropped; days after the last one too, though `as_of` stays the last day.
    """
    if period == "day":
        return daily
    days = periods.to_days(daily.starts)
    number = periods.index_of(days, period)
    last = periods.last_complete(days[-1].item(), period)
    begins = number[0] + int(periods.start_of(number[:1], period)[0] < days[0])
    if last < begins:
        raise BadInput(_("The history of {days} days holds no complete {period}."), days=daily.t, period=period)
    wanted = np.arange(begins, last + 1)
    used = slice(int(np.searchsorted(number, begins)), int(np.searchsorted(number, last, side="right")))
    columns = np.searchsorted(number[used], wanted)
    exists = np.arange(daily.t)[used] >= daily.first[:, None]
    out = ~daily.in_stock[:, used] & exists
    demand = np.add.reduceat(daily.demand[:, used], columns, axis=1)
    return replace(
        daily,
        period=period,
        starts=periods.start_of(wanted, period).astype("datetime64[ns]"),
        demand=demand,
        in_stock=~shelf.out_of_stock_periods(out, exists, columns, demand),
        first=np.clip(number[daily.first] - begins, 0, len(wanted) - 1),
        drivers={},
        as_of=days[-1].item(),
    )


@dataclass(frozen=True)
class ErpnextLevels:
    """ERPNext's own way, decided anew whenever it is called: its report "Itemwise Recommended Reorder Level".

    level = average daily outgoing so far · lead_time_days + safety stock, on which core's reordering orders
    max(reorder quantity, level - position); the safety stock is typed in as `safety_days` of demand, or as a quantity,
    and the reorder quantity as `review_days` of demand. The average is over the days since the first movement.
    lead_time_days: (n,) or one, as it stands in the Item.
    Source: erpnext/stock/report/itemwise_recommended_reorder_level and erpnext/stock/reorder_item.py, version 15.
    """

    history: Panel
    lead_time_days: Floats | float
    safety_days: float
    review_days: int
    safety_qty: Floats | float = 0.0

    def __call__(self, known: Known) -> Rule:
        daily = average_daily_outgoing(self.history, known)
        level = daily * (self.lead_time_days + self.safety_days) + self.safety_qty
        return Rule(np.where(level > 0.0, level, np.nan), level, daily * self.review_days)


def average_daily_outgoing(history: Panel, known: Known) -> Floats:
    """(n,) units a day since each series' first movement; days with an empty shelf count, as they do in the report."""
    outgoing = history.demand.sum(axis=1) + known.sales_qty.sum(axis=1, dtype=float)
    sold_before = (history.demand > 0).any(axis=1)
    began_later = np.argmax(known.sales_qty > 0, axis=1) if known.day else np.zeros(history.n, dtype=np.int64)
    days = np.where(sold_before, history.t + known.day - history.first, known.day - began_later)
    return np.asarray(outgoing / np.maximum(days, 1), dtype=float)


@dataclass(frozen=True)
class Outlook:
    """What some rows (m,) are planned with on one morning, and what they are expected to sell until planned again.

    inputs: of these rows, for `levels_for`. bands: (m, looks, 2), what their sales of the first 1, 2, … reviews should
    lie between. ask: what a method that simulates is told beside; unmet demand is lost.
    """

    rows: Rows
    inputs: PolicyInputs
    bands: Floats
    ask: Ask


@dataclass(frozen=True)
class Terms:
    """What levels need beside demand, of all n rows.

    lead_time_probability: (n, d + 1), learned, approval time included; review_days: 0 where stock is watched without a
    break. Unmet demand is lost.
    """

    lead_time_probability: Floats
    costs: Costs
    limits: Limits
    review_days: int

    def inputs(self, forecast: ForecastSet, rows: Rows, workers: int) -> PolicyInputs:
        """PolicyInputs of `rows`, in the order of the forecast's rows."""
        nodes = lead_time_nodes(self.lead_time_probability[rows])
        daily_mean = forecast.long_run_daily(forecast.as_of)

        def totals(at: Rows, days: Floats, levels: Floats) -> Floats:
            return forecast.totals(forecast.as_of, at, days, levels)

        lead = over_lead_time(totals, nodes, workers=workers)
        protection = at_least(over_lead_time(totals, nodes, float(self.review_days), workers=workers), lead)
        costs = self.costs
        return PolicyInputs(
            lead_time_demand=lead,
            protection_demand=protection,
            review_days=float(self.review_days),
            daily_mean=daily_mean,
            daily_std=forecast.daily_std(),
            lead_time_days=lead_time_distribution.mean(self.lead_time_probability[rows]),
            min_order_qty=self.limits.min_order_qty[rows],
            order_multiple_qty=self.limits.multiple_qty[rows],
            max_stock_qty=self.limits.maximum_stock_qty[rows],
            unit_cost=_of_rows(costs.unit_cost, rows),
            shortage_cost=_of_rows(costs.shortage_cost, rows),
            holding_rate_per_year=_of_rows(costs.holding_rate_per_year, rows),
            order_cost=_of_rows(costs.order_cost, rows),
        )


def _of_rows(value: float | Floats, rows: Rows) -> float | Floats:
    return value[rows] if isinstance(value, np.ndarray) else value


@dataclass
class Planner:
    """Forecasts and lead-time demand as the product makes them, each morning from what is known then.

    Every row is planned on the mornings `full_on`. On the others only rows whose sales have left the band that was
    forecast for them since they were last planned, by what that full forecast had learned: an item that wakes up is
    seen at the next look. look_days: between two such looks. A day is worked out once: rules of different targets that
    share a planner share what the first of them saw (docs/replay.md).
    """

    history: Panel
    settings: PlanSettings
    terms: Terms
    full_on: frozenset[int]
    horizon_periods: int = 8
    workers: int = 2
    look_days: int = 7
    _made: dict[int, Outlook] = field(default_factory=dict)
    _learned: Learned | None = None

    def __post_init__(self) -> None:
        self._planned_on = np.zeros(self.history.n, dtype=np.int64)
        self._looks = self._furthest() // self.look_days + 1
        self._bands = np.zeros((self.history.n, self._looks, 2))

    def outlook(self, known: Known) -> Outlook:
        """What is planned on this morning, and with what; the same for every rule that shares the planner."""
        if known.day not in self._made:
            self._made[known.day] = self._plan(known)
        return self._made[known.day]

    def _furthest(self) -> int:
        days = np.sort(np.array([*self.full_on, 0]))
        return int(np.diff(days).max(initial=_LONGEST_WAIT_DAYS))

    def _plan(self, known: Known) -> Outlook:
        everything = known.day in self.full_on or self._learned is None
        rows = np.arange(self.history.n) if everything else self._surprised(known)
        seen = (self.history, known) if everything else (self.history.select(rows), known.select(rows))
        cleaned, _faults = clean(in_periods(seen_by(*seen), self.settings.period), self.settings.outlier_limit)
        forecast = forecast_panel(
            cleaned, self.horizon_periods, self.settings,
            learned=None if everything else self._learned, workers=self.workers,
        )  # fmt: skip
        if everything:
            self._learned = forecast.learned
        bands = self._expected(forecast)
        self._bands[rows], self._planned_on[rows] = bands, known.day
        nodes = lead_time_nodes(self.terms.lead_time_probability[rows])
        paths = partial(forecast.paths, with_past=True)
        ask = Ask(nodes, paths, MEAN_DAYS[forecast.period], np.full(len(rows), np.nan), lost=True)
        return Outlook(rows, self.terms.inputs(forecast, rows, self.workers), bands, ask)

    def _expected(self, forecast: ForecastSet) -> Floats:
        """(m, looks, 2) what sales of the next 1, 2, … looks lie between."""
        days = self.look_days * np.arange(1, self._looks + 1)
        # Over the few looks until the next full plan.
        return np.stack([forecast.total_quantiles(float(span), _BAND) for span in days], axis=1)

    def _surprised(self, known: Known) -> Rows:
        """Rows that sold more than their band since they were planned, or less although the shelf was never empty."""
        since = np.cumsum(known.sales_qty[:, ::-1], axis=1, dtype=float)
        empty = np.cumsum(known.closing_qty[:, ::-1] <= 0, axis=1)
        waited = np.maximum(known.day - self._planned_on, 1)
        at = np.arange(self.history.n)
        sold, days_empty = since[at, waited - 1], empty[at, waited - 1]
        low, high = self._bands[at, np.minimum(waited // self.look_days, self._looks) - 1].T
        return np.flatnonzero((sold > high) | ((sold < low) & (days_empty == 0)))


@dataclass
class Planned:
    """A rule of ours: levels of one method and target from a planner's outlook, kept where nothing is planned anew.

    capital_factor: by how much money tied up in stock counts more than the holding rate says when order sizes are
    chosen; above 1 where stock is to be held down. shortage_factor: the same of a unit short, for Least Cost.
    """

    planner: Planner
    method: str
    target: float
    capital_factor: float = 1.0
    shortage_factor: float = 1.0
    workers: int = 1

    def __post_init__(self) -> None:
        nothing = np.full(self.planner.history.n, np.nan)
        self._parts = [nothing.copy() for _part in range(3)]

    def __call__(self, known: Known) -> Rule:
        outlook = self.planner.outlook(known)
        rate = np.asarray(outlook.inputs.holding_rate_per_year) * self.capital_factor
        short = np.asarray(outlook.inputs.shortage_cost) * self.shortage_factor
        return self.with_inputs(outlook, replace(outlook.inputs, holding_rate_per_year=rate, shortage_cost=short))

    def with_inputs(self, outlook: Outlook, inputs: PolicyInputs) -> Rule:
        """The rule with new levels of the outlook's rows, made of these inputs."""
        rows = outlook.rows
        levels = levels_for(inputs, SIMULATED.get(self.method, self.method), self.target, workers=self.workers)
        if self.method in SIMULATED:
            everything = np.ones(inputs.n, dtype=bool)
            levels = search(inputs, levels, everything, outlook.ask, workers=self.workers).levels
        made = rule_of(levels)
        for part, new in zip(self._parts, vars(made).values(), strict=True):
            part[rows] = new
        return Rule(*(part.copy() for part in self._parts))


def rule_of(levels: OrderLevels) -> Rule:
    """Levels order below their reorder point, a rule at it: for whole goods just under the next one."""
    return Rule(levels.reorder_point_qty - _BELOW, levels.order_up_to_qty, levels.least_order_qty)
