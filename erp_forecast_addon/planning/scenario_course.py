"""What a plan's levels would do over the horizon, on many possible courses of demand and of deliveries.

Both sides of a comparison meet the same draws (common random numbers: Law, Simulation Modeling and Analysis, 5th ed.,
section 11.2), so a difference between them comes from what was changed and not from chance.
"""

from dataclasses import dataclass, fields
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import gammaincinv

from erp_forecast_addon.planning.inventory.lead_time_distribution import drawn, from_moments
from erp_forecast_addon.planning.purchasing.position import BUCKET_DAYS, DatedFlows
from erp_forecast_addon.planning.simulation import Decide, Limits, Rule, Start, simulate

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Ints = NDArray[np.int64]
Rows = slice | Ints

PATHS = 24
_ROWS_PER_BLOCK = 400
_SMALLEST_QTY = 1e-9
# Simulated quantities are single floats: an order of exactly a break's quantity reaches it.
_FLOAT_DUST = 1e-6


@dataclass(frozen=True)
class Trade:
    """How n pairs are replenished, (n,) each, stock units: levels, lead time in days with its deviation, what a unit
    costs in company currency. approval_days: whole days that a draft waits beyond what its level allows for; orderable:
    somebody may be asked for it. maximum_qty: the position is not filled beyond it, inf for none; break_qty, break_cost
    (n, b): from that quantity of an order on a unit costs so much, rising, inf for no further break; supplier: number
    of who is asked, -1 for nobody: what several pairs order from one on one day is one order.
    """

    reorder_point_qty: Floats
    order_up_to_qty: Floats
    least_order_qty: Floats
    multiple_qty: Floats
    lead_time_days: Floats
    lead_time_std_days: Floats
    approval_days: Floats
    unit_cost: Floats
    orderable: Flags
    maximum_qty: Floats
    break_qty: Floats
    break_cost: Floats
    supplier: Ints

    def select(self, rows: Rows) -> "Trade":
        return Trade(**{name: value[rows] for name, value in vars(self).items()})


@dataclass(frozen=True)
class Outage:
    """A supplier that cannot deliver for `days`. After it `settled` holds. affected: (n,) pairs that it supplies;
    waits: (n,) those for which nobody else can be asked, so that an order waits until it is over."""

    days: int
    affected: Flags
    waits: Flags
    settled: Trade

    def select(self, rows: Rows) -> "Outage":
        return Outage(self.days, self.affected[rows], self.waits[rows], self.settled.select(rows))


@dataclass(frozen=True)
class Demand:
    """What n pairs are asked for. daily_mean: (n, t); daily_std: (n,); total_std: (n,) deviation of the sum of all t
    days; flows: what is open, by day."""

    daily_mean: Floats
    daily_std: Floats
    total_std: Floats
    flows: DatedFlows

    def select(self, rows: Ints) -> "Demand":
        flows = DatedFlows(*(getattr(self.flows, part.name)[rows] for part in fields(DatedFlows)))
        return Demand(self.daily_mean[rows], self.daily_std[rows], self.total_std[rows], flows)


@dataclass(frozen=True)
class Course:
    """(n,) means over the paths unless said otherwise, stock units. demand_qty, short_qty: in the horizon; on_hand_qty:
    on an average evening; order_lines; ordered_qty; ordered_value: (n, months), company currency, by the day of the
    order, each at the price of its quantity; short_day: first day on which more paths are short than not, -1 for none.
    orders: one number, orders of the whole company in the horizon, a supplier's lines of a day being one.
    """

    demand_qty: Floats
    short_qty: Floats
    on_hand_qty: Floats
    order_lines: Floats
    ordered_qty: Floats
    ordered_value: Floats
    short_day: Ints
    orders: float = 0.0


def course(
    demand: Demand, on_hand_qty: Floats, trade: Trade, as_of: date, *, review_days: int = 1,
    outage: Outage | None = None, paths: int = PATHS, seed: int = 0,
) -> Course:  # fmt: skip
    """Simulate every pair on `paths` courses; unmet demand is lost. Deterministic for a seed.

    A pair's draws depend on its row, so two sides of a comparison have to name the same pairs in the same order.
    """
    n, t = demand.daily_mean.shape
    month = _month_of(as_of, t)
    blocks = [slice(at, min(at + _ROWS_PER_BLOCK, n)) for at in range(0, n, _ROWS_PER_BLOCK)]
    joint = _JointOrders(trade, outage, paths, t)
    parts = [
        _course_of_block(
            Demand(demand.daily_mean[b], demand.daily_std[b], demand.total_std[b], demand.flows.rows(b)),
            on_hand_qty[b], trade.select(b), month, review_days,
            None if outage is None else outage.select(b), paths, np.random.default_rng([seed, number]), joint,
        )
        for number, b in enumerate(blocks)  # over blocks of pairs: bounds the memory
    ]  # fmt: skip
    if not parts:
        nothing = np.zeros(0)
        by_month = np.zeros((0, int(month.max()) + 1))
        return Course(nothing, nothing, nothing, nothing, nothing, by_month, np.zeros(0, np.int64))
    columns = {
        part.name: np.concatenate([getattr(each, part.name) for each in parts])
        for part in fields(Course)
        if part.name != "orders"
    }
    return Course(**columns, orders=joint.mean_count())


def months(as_of: date, days: int) -> list[str]:
    """The months that the days after as_of fall into, as YYYY-MM."""
    stamps = _days(as_of, days).to_period("M")
    return [str(month) for month in stamps.unique()]


def _days(as_of: date, days: int) -> pd.DatetimeIndex:
    return pd.date_range(pd.Timestamp(as_of) + pd.Timedelta(days=1), periods=days, freq="D")


def _month_of(as_of: date, days: int) -> Ints:
    return np.asarray(pd.factorize(_days(as_of, days).to_period("M"))[0], dtype=np.int64)


def _course_of_block(
    demand: Demand, on_hand_qty: Floats, trade: Trade, month: Ints, review_days: int,
    outage: Outage | None, paths: int, random: np.random.Generator, joint: "_JointOrders",
) -> Course:  # fmt: skip
    n, t = demand.daily_mean.shape
    asked = _paths(demand, paths, random)
    lead = _lead_times(trade, outage, paths, t, random)
    flows = demand.flows
    arriving = np.repeat(flows.supply, paths, axis=0)
    limits = Limits(
        *(np.repeat(part, paths) for part in (trade.multiple_qty, trade.least_order_qty, trade.maximum_qty))
    )
    outcome = simulate(
        asked.reshape(n * paths, t), lead, _rule(trade, outage, paths),
        Start(np.repeat(np.maximum(on_hand_qty, 0.0), paths), arriving),
        decide_on=range(t) if outage is not None else (0,), review_days=review_days, limits=limits,
    )  # fmt: skip
    assert outcome.ordered_qty is not None
    assert outcome.short_qty is not None
    ordered = outcome.ordered_qty.reshape(n, paths, t)
    joint.add(ordered > _SMALLEST_QTY, trade, outage)
    value = (ordered * _price_paid(ordered, trade, outage)).mean(axis=1, dtype=float)
    by_month = np.zeros((n, int(month.max()) + 1))
    for number in range(by_month.shape[1]):  # the few months of a horizon
        by_month[:, number] = value[:, month == number].sum(axis=1)
    often = (outcome.short_qty.reshape(n, paths, t) > _SMALLEST_QTY).mean(axis=1) > 0.5

    def mean(values: NDArray[np.generic]) -> Floats:
        return np.asarray(values.reshape(n, paths).mean(axis=1, dtype=float))

    return Course(
        demand_qty=mean(outcome.total_demand_qty),
        short_qty=mean(outcome.total_short_qty),
        on_hand_qty=mean(outcome.mean_on_hand_qty),
        order_lines=mean(outcome.order_lines),
        ordered_qty=mean(outcome.total_ordered_qty),
        ordered_value=by_month,
        short_day=np.where(often.any(axis=1), often.argmax(axis=1), -1).astype(np.int64),
    )


def _paths(demand: Demand, paths: int, random: np.random.Generator) -> Floats:
    """(n, paths, t): the mean times a factor of the path (what the forecast as a whole may miss) times one of the day.

    Both are gamma distributed with mean 1 and take each quantile (k + ½) / paths once (Latin hypercube sampling: McKay,
    Beckman & Conover, 1979), so that the mean over the paths is the forecast's. The path's part is such that the sum
    over all days varies as the forecast says it does. On top comes what customers have ordered beyond the forecast.
    """
    mean = demand.daily_mean
    n, t = mean.shape
    total = mean.sum(axis=1)
    of_day = np.divide(demand.daily_std * t, total, out=np.zeros(n), where=total > 0.0)
    excess = np.maximum(np.square(demand.total_std) - t * np.square(demand.daily_std), 0.0)
    of_path = np.divide(np.sqrt(excess), total, out=np.zeros(n), where=total > 0.0)
    rank = random.permuted(np.tile(np.arange(paths), (t, 1)), axis=1)
    common = random.permutation(paths)
    factor = _unit_gamma(of_day, paths)[:, rank.T] * _unit_gamma(of_path, paths)[:, common][:, :, None]
    return np.asarray(factor * mean[:, None, :] + _beyond_forecast(mean, demand.flows)[:, None, :])


def _unit_gamma(variation: Floats, count: int) -> Floats:
    """(n, count) equally likely values of gamma distributions with mean 1 and this coefficient of variation."""
    levels = (np.arange(count) + 0.5) / count
    moves = variation > 1e-6
    # Where nearly every day is empty the shape tends to 0 and its quantiles below what floats hold.
    shape = 1.0 / np.square(np.clip(variation, 1e-3, 10.0))
    values = np.where(moves[:, None], gammaincinv(shape[:, None], levels[None, :]), 1.0)
    return np.asarray(values / values.mean(axis=1, keepdims=True))


def _beyond_forecast(mean: Floats, flows: DatedFlows) -> Floats:
    """(n, t) firm demand above the forecast of its week, on the days of the orders, and what no forecast contains."""
    n, t = mean.shape
    weeks = -(-t // BUCKET_DAYS)
    padding = ((0, 0), (0, weeks * BUCKET_DAYS - t))
    shape = (n, weeks, BUCKET_DAYS)
    firm = np.pad(flows.firm[:, :t], padding).reshape(shape)
    expected = np.pad(mean, padding).reshape(shape).sum(axis=2)
    ordered = firm.sum(axis=2)
    share = np.divide(np.maximum(ordered - expected, 0.0), ordered, out=np.zeros_like(ordered), where=ordered > 0.0)
    return np.asarray((firm * share[:, :, None]).reshape(n, -1)[:, :t] + flows.on_top[:, :t])


def _lead_times(trade: Trade, outage: Outage | None, paths: int, t: int, random: np.random.Generator) -> Ints:
    """(n·paths, t) days until an order of each day arrives."""
    n = len(trade.lead_time_days)
    uniform = random.random((n * paths, t))
    days = _drawn(trade, paths, uniform)
    if outage is None:
        return days
    left = np.maximum(outage.days - np.arange(t), 0)
    settled = _drawn(outage.settled, paths, uniform)
    out = np.repeat(outage.affected, paths)[:, None]
    waits = np.repeat(outage.waits, paths)[:, None]
    during = np.where(waits, settled + left, days)
    return np.where(out, np.where(left > 0, during, settled), days)


def _drawn(trade: Trade, paths: int, uniform: Floats) -> Ints:
    probability = from_moments(trade.lead_time_days, trade.lead_time_std_days)
    days = drawn(probability, np.repeat(np.arange(len(probability)), paths), uniform)
    return np.asarray(days + np.repeat(trade.approval_days, paths)[:, None].astype(np.int64), dtype=np.int64)


def _weight(outage: Outage, day: int) -> Floats:
    """(n,) how much of the levels of the outage still holds on a day: who waits needs less the nearer the end is."""
    left = max(outage.days - day, 0)
    during = np.where(outage.waits, left / max(outage.days, 1), float(left > 0))
    return np.where(outage.affected, during, 1.0)


def _rule(trade: Trade, outage: Outage | None, paths: int) -> Rule | Decide:
    """Of every path. With an outage a rule that changes from day to day."""

    def of(levels: Trade, weight: Floats, rest: Trade) -> Rule:
        point = weight * levels.reorder_point_qty + (1.0 - weight) * rest.reorder_point_qty
        up_to = weight * levels.order_up_to_qty + (1.0 - weight) * rest.order_up_to_qty
        point = np.where(np.where(weight > 0.0, levels.orderable, rest.orderable), point, np.nan)
        return Rule(*(np.repeat(part, paths) for part in (point, up_to, np.zeros(len(point)))))

    if outage is None:
        return of(trade, np.ones(len(trade.unit_cost)), trade)
    return lambda known: of(trade, _weight(outage, known.day), outage.settled)


def _price_paid(ordered: NDArray[np.floating], trade: Trade, outage: Outage | None) -> Floats:
    """(n, paths, t) what a unit costs that is ordered on that day in that quantity. ordered: (n, paths, t)"""
    cost = _price_of(ordered, trade)
    if outage is None:
        return cost
    over = outage.affected[:, None, None] & (np.arange(ordered.shape[2]) >= outage.days)
    return np.where(over, _price_of(ordered, outage.settled), cost)


def _price_of(ordered: NDArray[np.floating], trade: Trade) -> Floats:
    """All units of an order cost what the largest break says that it reaches."""
    cost = np.broadcast_to(trade.unit_cost[:, None, None], ordered.shape)
    for least, price in zip(trade.break_qty.T, trade.break_cost.T, strict=True):  # over the few breaks
        reached = ordered >= (least * (1.0 - _FLOAT_DUST))[:, None, None]
        cost = np.where(reached, np.minimum(cost, price[:, None, None]), cost)
    return np.asarray(cost)


class _JointOrders:
    """Counts orders: the lines of all pairs for one supplier on one day of one path are one, as drafts are grouped."""

    def __init__(self, trade: Trade, outage: Outage | None, paths: int, t: int) -> None:
        suppliers = trade.supplier if outage is None else np.concatenate([trade.supplier, outage.settled.supplier])
        self._placed = np.zeros((int(suppliers.max(initial=-1)) + 1, paths, t), dtype=bool)

    def add(self, lines: Flags, trade: Trade, outage: Outage | None) -> None:
        """lines: (n, paths, t) of a block of pairs."""
        if outage is None:
            self._add(lines, trade.supplier)
            return
        over = outage.affected[:, None, None] & (np.arange(lines.shape[2]) >= outage.days)
        self._add(lines & ~over, trade.supplier)
        self._add(lines & over, outage.settled.supplier)

    def _add(self, lines: Flags, supplier: Ints) -> None:
        asked = np.flatnonzero(supplier >= 0)
        order = asked[np.argsort(supplier[asked], kind="stable")]
        if not len(order):
            return
        number, start = np.unique(supplier[order], return_index=True)
        self._placed[number] |= np.logical_or.reduceat(lines[order], start, axis=0)

    def mean_count(self) -> float:
        paths = self._placed.shape[1]
        return float(self._placed.sum() / paths)
