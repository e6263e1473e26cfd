"""Inventory simulated day by day: what a rule orders, what arrives, what is sold and what is missing.

One day of every row at once; rows are pairs, or pairs times demand paths (`paths_as_rows`). What stands on the shelf
tomorrow depends on what was ordered today, so the loop over days is the one loop that no vectorisation removes.

The morning of a day: (1) what is due arrives; (2) where it is a review day the rule may be decided anew and then
orders, seeing everything up to the evening before; (3) the day's demand comes; (4) the evening's stock is what holding
costs are paid for. An order of today with a lead time of 0 days serves today's demand.
Source of the sequence and of the position (on hand + in transit - backorders): Silver, Pyke & Thomas (2017), section
6.1 and 6.9 (periodic review, order-up-to-level systems); lost sales: section 6.2.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from erp_forecast_addon.planning.errors import BadInput
from erp_forecast_addon.planning.messages import _

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]
Ints = NDArray[np.int64]
Numbers = float | Floats  # one for all rows, or one each

DAYS_PER_YEAR = 365.0
_DAILY = ("on_hand", "demand", "short", "ordered", "received")
# Quantities below this are rounding of floats, not goods.
_SMALLEST_QTY = 1e-9


@dataclass(frozen=True)
class Rule:
    """When and how much is ordered, (n,) each, stock units. A row orders on a review day once its position is at or
    below reorder_point_qty, and then max(least_order_qty, order_up_to_qty - position), fitted to its `Limits`.

    (s, S): least_order_qty 0. ERPNext's Item Reorder: order_up_to_qty is the level itself, least_order_qty its
    reorder quantity. A fixed quantity Q: order_up_to_qty -inf, least_order_qty Q. NaN as reorder point: never orders.
    """

    reorder_point_qty: Floats
    order_up_to_qty: Floats
    least_order_qty: Floats


@dataclass(frozen=True)
class Limits:
    """What a supplier and a shelf allow, (n,) each, stock units: 0 is no multiple, no minimum; inf no maximum.

    An order is the need rounded up to the multiple, then at least the minimum (itself rounded up to the multiple).
    Where it would lift the position above the maximum it is cut to the largest multiple that does not; if that is less
    than the minimum nothing is ordered until the position has fallen far enough.
    """

    multiple_qty: Floats
    min_order_qty: Floats
    maximum_stock_qty: Floats

    @classmethod
    def none(cls, n: int) -> "Limits":
        return cls(np.zeros(n), np.zeros(n), np.full(n, np.inf))


@dataclass(frozen=True)
class Start:
    """The first morning: on_hand_qty (n,); in_transit_qty (n, k), what arrives on the mornings of days 0 to k-1."""

    on_hand_qty: Floats
    in_transit_qty: Floats

    @classmethod
    def with_stock(cls, on_hand_qty: Floats | list[float]) -> "Start":
        stock = np.asarray(on_hand_qty, dtype=float)
        return cls(stock, np.zeros((len(stock), 0)))


@dataclass(frozen=True)
class Costs:
    """Money of the company: unit_cost, shortage_cost per unit short (lost or late), order_cost per order line,
    holding_rate_per_year (share of unit_cost): numbers or (n,)."""

    unit_cost: Numbers
    holding_rate_per_year: Numbers
    order_cost: Numbers
    shortage_cost: Numbers


@dataclass(frozen=True)
class Known:
    """What may be known on the morning of `day`, for a rule decided anew. Nothing of `day` itself or later is in it.

    sales_qty, opening_qty, closing_qty: (n, day), what was sold (where unmet demand waits: asked for), and the shelf
    on each past morning (after receipts) and evening: demand that was lost stands in none of them.
    on_hand_qty, in_transit_qty: (n,), now.
    """

    day: int
    sales_qty: Singles
    opening_qty: Singles
    closing_qty: Singles
    on_hand_qty: Floats
    in_transit_qty: Floats
    _ordered: Singles
    _lead_time_days: Ints

    def select(self, rows: Ints) -> "Known":
        """The same morning of some rows."""
        return Known(
            self.day,
            self.sales_qty[rows],
            self.opening_qty[rows],
            self.closing_qty[rows],
            self.on_hand_qty[rows],
            self.in_transit_qty[rows],
            self._ordered[:, rows],
            self._lead_time_days[:, rows],
        )

    def receipts(self) -> pd.DataFrame:
        """Deliveries that have arrived: row, ordered_day, received_day, qty; days counted from 0."""
        days, rows = np.nonzero(self._ordered[: self.day])
        arrived = days + self._lead_time_days[days, rows]
        come = arrived <= self.day
        qty = self._ordered[days, rows].astype(float)
        table = pd.DataFrame({"row": rows, "ordered_day": days, "received_day": arrived, "qty": qty})
        return table[come].reset_index(drop=True)


Decide = Callable[[Known], Rule]


@dataclass(frozen=True)
class Outcome:
    """Of n rows over t days, stock units. Daily, (n, t) float32 or None where they were not kept: on_hand_qty
    (evening, 0 when backordered), demand_qty, short_qty (not served from the shelf that day), ordered_qty,
    received_qty. Sums, (n,): the same names with total_; order_lines; stock_out_days: days that ended with an empty
    shelf; mean_on_hand_qty. end_net_qty: last evening's stock less backorders; end_in_transit_qty.
    Lost sales: what is short is lost. Backorders: it is served late.
    """

    days: int
    total_demand_qty: Floats
    total_short_qty: Floats
    total_ordered_qty: Floats
    total_received_qty: Floats
    order_lines: Ints
    stock_out_days: Ints
    mean_on_hand_qty: Floats
    start_qty: Floats
    end_net_qty: Floats
    end_in_transit_qty: Floats
    backorders: bool = False
    on_hand_qty: Singles | None = None
    demand_qty: Singles | None = None
    short_qty: Singles | None = None
    ordered_qty: Singles | None = None
    received_qty: Singles | None = None

    def select(self, rows: Ints) -> "Outcome":
        """The outcome of some rows."""
        parts: dict[str, Any] = {
            name: value[rows] for name, value in vars(self).items() if isinstance(value, np.ndarray)
        }
        return replace(self, **parts)

    def between(self, first: int, stop: int) -> "Outcome":
        """The outcome of the days first … stop - 1 alone, such as those after a warm-up. Needs the daily arrays.

        start_qty is what was on hand and in transit the evening before `first`, end_… the last evening of the part.
        """
        if self.on_hand_qty is None or self.demand_qty is None or self.short_qty is None:
            raise BadInput(_("Only an outcome with its daily quantities can be cut into parts."))
        assert self.ordered_qty is not None
        assert self.received_qty is not None
        days = slice(first, stop)
        before = self._net_after(first)
        after = self._net_after(stop)
        sums = {
            f"total_{name}_qty": getattr(self, f"{name}_qty")[:, days].sum(axis=1, dtype=float)
            for name in ("demand", "short", "ordered", "received")
        }
        cut: dict[str, Any] = {f"{name}_qty": getattr(self, f"{name}_qty")[:, days] for name in _DAILY}
        on_hand = self.on_hand_qty[:, days]
        return Outcome(
            days=stop - first,
            **sums,
            order_lines=(self.ordered_qty[:, days] > _SMALLEST_QTY).sum(axis=1),
            stock_out_days=(on_hand <= _SMALLEST_QTY).sum(axis=1),
            mean_on_hand_qty=on_hand.mean(axis=1, dtype=float),
            start_qty=before[0] + before[1],
            end_net_qty=after[0],
            end_in_transit_qty=after[1],
            backorders=self.backorders,
            **cut,
        )

    def _net_after(self, days: int) -> tuple[Floats, Floats]:
        """Stock less backorders, and what is in transit, after so many days: reckoned back from the end. (n,) both."""
        assert self.received_qty is not None
        assert self.ordered_qty is not None
        assert self.demand_qty is not None
        assert self.short_qty is not None
        later = slice(days, None)
        received = self.received_qty[:, later].sum(axis=1, dtype=float)
        ordered = self.ordered_qty[:, later].sum(axis=1, dtype=float)
        left = self.demand_qty[:, later].sum(axis=1, dtype=float)
        if not self.backorders:
            left -= self.short_qty[:, later].sum(axis=1, dtype=float)
        return self.end_net_qty - received + left, self.end_in_transit_qty - ordered + received

    @property
    def total_served_qty(self) -> Floats:
        """(n,) what was handed over on the day it was asked for."""
        return self.total_demand_qty - self.total_short_qty

    def fill_rate(self, weight: Numbers = 1.0) -> float:
        """Share of demand served from the shelf, over all rows: Σ w·served / Σ w·demand; weight: number or (n,), the
        price for a fill rate by value. NaN without demand. Source: Silver, Pyke & Thomas (2017), section 6.3, P2."""
        asked = float(np.sum(weight * self.total_demand_qty))
        return float(np.sum(weight * self.total_served_qty)) / asked if asked > 0.0 else float("nan")

    def fill_rates(self) -> Floats:
        """(n,) share of each row's demand served from the shelf, NaN without demand."""
        asked = self.total_demand_qty
        return np.divide(self.total_served_qty, asked, out=np.full(len(asked), np.nan), where=asked > 0.0)

    def mean_stock_value(self, unit_cost: Numbers) -> Floats:
        """(n,) mean evening stock times unit_cost."""
        return np.asarray(self.mean_on_hand_qty * unit_cost, dtype=float)

    def cost_table(self, costs: Costs) -> pd.DataFrame:
        """Money of the simulated days by row: holding_cost, order_cost, shortage_cost, total_cost."""
        years = self.days / DAYS_PER_YEAR
        holding = self.mean_stock_value(costs.unit_cost) * np.asarray(costs.holding_rate_per_year) * years
        table = pd.DataFrame(
            {
                "holding_cost": holding,
                "order_cost": self.order_lines * np.asarray(costs.order_cost, dtype=float),
                "shortage_cost": self.total_short_qty * np.asarray(costs.shortage_cost, dtype=float),
            }
        )
        return table.assign(total_cost=table.sum(axis=1))


def simulate(
    demand_qty: NDArray[np.floating],
    lead_time_days: NDArray[np.integer],
    rule: Rule | Decide,
    start: Start,
    *,
    decide_on: Collection[int] = (0,),
    review_days: int = 1,
    review_phase: int | NDArray[np.integer] = 0,
    limits: Limits | None = None,
    backorders: bool = False,
    keep_daily: bool = True,
) -> Outcome:
    """What happens to n rows over t days.

    demand_qty: (n, t), ≥ 0; lead_time_days: (n, t), of an order placed on that day, ≥ 0 (orders may overtake each
    other). rule: fixed, or a callable that is asked on the mornings of `decide_on`, the first of which is day 0.
    review_days: a row is reviewed on days d with (d - review_phase) % review_days == 0; 1 is continuous review, day by
    day. review_phase: number or (n,). backorders: unmet demand waits; otherwise it is lost. keep_daily: daily arrays
    in the outcome; a callable rule needs them too.
    Raises BadInput for shapes that do not fit, negative demand or lead times, or a callable not asked on day 0.
    """
    _check(demand_qty, lead_time_days, rule, start, decide_on, review_days)
    shelf = _Shelf(demand_qty, lead_time_days, start, limits, keep_daily or callable(rule), backorders)
    asked = frozenset(decide_on) if callable(rule) else frozenset()
    phase = np.asarray(review_phase)
    in_force = rule if isinstance(rule, Rule) else None
    for day in range(shelf.t):  # each day stands on the evening before: the one loop that cannot go
        shelf.receive(day)
        if day in asked and callable(rule):
            in_force = rule(shelf.known(day))
        due = (day - phase) % review_days == 0
        if in_force is not None and np.any(due):
            shelf.order(day, in_force, due)
        shelf.sell(day)
    return shelf.outcome(keep_daily)


def paths_as_rows(paths_qty: NDArray[np.floating], rule: Rule) -> tuple[NDArray[np.floating], Rule]:
    """Several demand paths of each row as rows of their own. paths_qty: (n, p, t) -> (n·p, t) and the rule of each.

    Row i, path j becomes row i·p + j; an array (n·p,) of the outcome is `reshape(n, p)` again.
    """
    n, p, t = paths_qty.shape
    parts = (rule.reorder_point_qty, rule.order_up_to_qty, rule.least_order_qty)
    return paths_qty.reshape(n * p, t), Rule(*(np.repeat(part, p) for part in parts))


def order_quantities(rule: Rule, position_qty: Floats, limits: Limits | None) -> Floats:
    """What each row orders at this position, (n,), 0 for none: the rule's need fitted to the limits."""
    fires = position_qty <= rule.reorder_point_qty
    need = np.maximum(np.maximum(rule.least_order_qty, rule.order_up_to_qty - position_qty), 0.0)
    need = np.where(fires, need, 0.0)
    if limits is None:
        return need
    least = _rounded(limits.min_order_qty, limits.multiple_qty, np.ceil)
    qty = np.where(need > _SMALLEST_QTY, np.maximum(_rounded(need, limits.multiple_qty, np.ceil), least), 0.0)
    room = np.maximum(limits.maximum_stock_qty - position_qty, 0.0)
    cut = np.where(qty > room, _rounded(room, limits.multiple_qty, np.floor), qty)
    return np.where(cut >= least, cut, 0.0)


def _rounded(qty: Floats, multiple_qty: Floats, towards: Callable[[Floats], Floats]) -> Floats:
    """qty as a whole number of multiples; a multiple of 0 leaves it. Float dust does not make another multiple."""
    known = (multiple_qty > 0.0) & np.isfinite(qty)
    times = np.divide(qty, multiple_qty, out=np.zeros(len(qty)), where=known)
    near = np.rint(times)
    whole = np.where(np.abs(times - near) < 1e-6, near, towards(times))
    return np.where(known, whole * multiple_qty, qty)


class _Shelf:
    """The state between two days. Days lie along the first axis here: a day of all rows is contiguous."""

    def __init__(
        self,
        demand_qty: NDArray[np.floating],
        lead_time_days: NDArray[np.integer],
        start: Start,
        limits: Limits | None,
        daily: bool,
        backorders: bool,
    ) -> None:
        self.n, self.t = demand_qty.shape
        self.demand = np.ascontiguousarray(demand_qty.T, dtype=float)
        self.lead = np.ascontiguousarray(lead_time_days.T, dtype=np.int64)
        self.limits, self.backorders, self.daily = limits, backorders, daily
        self.net = start.on_hand_qty.astype(float).copy()
        self.start_qty = self.net.copy()
        # The last row of `due` gathers what arrives after the end.
        self.due = np.zeros((self.t + 1, self.n))
        in_transit = start.in_transit_qty.T
        self.due[: self.t][: len(in_transit)] = in_transit[: self.t]
        self.due[self.t] = in_transit[self.t :].sum(axis=0)
        self.in_transit = in_transit.sum(axis=0).astype(float)
        self.start_qty += self.in_transit
        self.rows = np.arange(self.n)
        self.short_sum, self.ordered_sum, self.received_sum, self.on_hand_sum = (np.zeros(self.n) for _part in range(4))
        self.lines, self.empty_days = np.zeros(self.n, dtype=np.int64), np.zeros(self.n, dtype=np.int64)
        kept = (self.t if daily else 0, self.n)
        self.opening, self.closing, self.short, self.ordered, self.received = (
            np.zeros(kept, dtype=np.float32) for _part in range(5)
        )

    def receive(self, day: int) -> None:
        arrived = self.due[day]
        self.net += arrived
        self.in_transit -= arrived
        self.received_sum += arrived
        if self.daily:
            self.received[day], self.opening[day] = arrived, np.maximum(self.net, 0.0)

    def known(self, day: int) -> Known:
        """Views, not copies; written to later, but only from `day` on."""
        # What waits is known as well as what was handed over; only what is lost is not.
        asked = self.demand[:day] if self.backorders else self.demand[:day] - self.short[:day]
        parts = (asked, self.opening[:day], self.closing[:day])
        sales, opening, closing = (np.asarray(part, dtype=np.float32).T for part in parts)
        for part in (opening, closing):
            part.flags.writeable = False
        on_hand = np.maximum(self.net, 0.0)
        return Known(day, sales, opening, closing, on_hand, self.in_transit.copy(), self.ordered, self.lead)

    def order(self, day: int, rule: Rule, due: NDArray[np.bool_] | np.bool_) -> None:
        qty = np.where(due, order_quantities(rule, self.net + self.in_transit, self.limits), 0.0)
        self.lines += qty > _SMALLEST_QTY
        self.ordered_sum += qty
        arrival = np.minimum(day + self.lead[day], self.t)
        at_once = np.where(arrival == day, qty, 0.0)
        # One entry per row, so the plain += with two index arrays adds each of them.
        self.due[arrival, self.rows] += qty
        self.net += at_once
        self.received_sum += at_once
        self.in_transit += qty - at_once
        if self.daily:
            self.ordered[day] = qty
            self.received[day] += at_once.astype(np.float32)
            self.opening[day] = np.maximum(self.net, 0.0)

    def sell(self, day: int) -> None:
        demand = self.demand[day]
        short = np.maximum(demand - np.maximum(self.net, 0.0), 0.0)
        self.net -= demand if self.backorders else demand - short
        on_hand = np.maximum(self.net, 0.0)
        self.short_sum += short
        self.on_hand_sum += on_hand
        self.empty_days += on_hand <= _SMALLEST_QTY
        if self.daily:
            self.short[day], self.closing[day] = short, on_hand

    def outcome(self, daily: bool) -> Outcome:
        kept = (self.closing, self.demand.astype(np.float32), self.short, self.ordered, self.received)
        on_hand, demand, short, ordered, received = (part.T if daily else None for part in kept)
        return Outcome(
            days=self.t,
            total_demand_qty=self.demand.sum(axis=0),
            total_short_qty=self.short_sum,
            total_ordered_qty=self.ordered_sum,
            total_received_qty=self.received_sum,
            order_lines=self.lines,
            stock_out_days=self.empty_days,
            mean_on_hand_qty=self.on_hand_sum / max(self.t, 1),
            start_qty=self.start_qty,
            end_net_qty=self.net,
            end_in_transit_qty=self.in_transit,
            backorders=self.backorders,
            on_hand_qty=on_hand,
            demand_qty=demand,
            short_qty=short,
            ordered_qty=ordered,
            received_qty=received,
        )


def _check(
    demand_qty: NDArray[np.floating],
    lead_time_days: NDArray[np.integer],
    rule: Rule | Decide,
    start: Start,
    decide_on: Collection[int],
    review_days: int,
) -> None:
    if (
        demand_qty.ndim != 2
        or lead_time_days.shape != demand_qty.shape
        or start.on_hand_qty.shape != (len(demand_qty),)
    ):
        raise BadInput(
            _("A simulation needs demand and lead times of one shape and a stock per row, not {shapes}."),
            shapes=[demand_qty.shape, lead_time_days.shape, start.on_hand_qty.shape],
        )
    if not (np.isfinite(demand_qty).all() and (demand_qty >= 0).all() and (lead_time_days >= 0).all()):
        raise BadInput(_("A simulation needs finite demand and lead times, 0 or more."))
    if review_days < 1:
        raise BadInput(_("Stock is reviewed every {days} days; it must be at least 1."), days=review_days)
    if callable(rule) and 0 not in decide_on:
        raise BadInput(_("A rule that is decided anew must be decided on the first day too."))
