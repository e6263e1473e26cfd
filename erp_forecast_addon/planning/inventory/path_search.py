"""Levels searched on whole paths of demand, for what no formula covers: sales that are lost, orders that overtake each
other, bursts of demand, maximum stock with lots.

Every candidate is simulated day by day on the same paths and lead times (common random numbers: differences between
candidates are then far surer than their costs), all pairs and paths at once. From a start such as the levels of
methods.levels_for each pair walks to its cheapest neighbour and halves its steps where there is none: pattern search,
Hooke & Jeeves (1961), Direct search solution of numerical and statistical problems; with simulation, Fu (2002),
Optimization for simulation. `evolved_levels` does the same for a few pairs by scipy's differential evolution (Storn &
Price 1997), which needs no start and does not stay in a valley.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import differential_evolution

from erp_forecast_addon.planning.inventory.safety_stock import Floats
from erp_forecast_addon.planning.simulation import DAYS_PER_YEAR, Costs, Limits, Rule, Start, simulate

# Either level alone, and the reorder point against the distance: the valley of the cost lies aslant.
_MOVES = np.array([(1.0, 0.0), (-1.0, 0.0), (0.0, 1.0), (0.0, -1.0), (1.0, -1.0), (-1.0, 1.0)])
_WALKS = (1.0, 1.7, 0.6)
_GENERATIONS = 25


@dataclass(frozen=True)
class Courses:
    """What may happen to n pairs: demand_qty (n, p, t), equally likely paths by day, long against the lead time and the
    order cycle; lead_time_days (n, p, t) of an order of that day. on_hand_qty (n,): stock on the first morning."""

    demand_qty: NDArray[np.floating]
    lead_time_days: NDArray[np.integer]
    on_hand_qty: Floats

    def of(self, row: int) -> "Courses":
        one = slice(row, row + 1)
        return Courses(self.demand_qty[one], self.lead_time_days[one], self.on_hand_qty[one])


@dataclass(frozen=True)
class Terms:
    """costs: as for the simulation, numbers or (n,); limits: (n,) lots and maximum stock; review_days; backorders:
    what is short waits, else it is lost; whole: (n,) pairs with whole pieces only."""

    costs: Costs
    limits: Limits | None
    review_days: int
    backorders: bool
    whole: NDArray[np.bool_]

    def of(self, row: int) -> "Terms":
        one = np.array([row])
        limits = self.limits
        parts = (
            self.costs.unit_cost,
            self.costs.holding_rate_per_year,
            self.costs.order_cost,
            self.costs.shortage_cost,
        )
        own = None
        if limits is not None:
            own = Limits(limits.multiple_qty[one], limits.min_order_qty[one], limits.maximum_stock_qty[one])
        costs = Costs(*(np.broadcast_to(part, (len(self.whole),))[one] for part in parts))
        return Terms(costs, own, self.review_days, self.backorders, self.whole[one])


@dataclass(frozen=True)
class SearchedLevels:
    """(n,) each: the cheapest levels found, their mean cost a year (holding, ordering, shortage) and the start's."""

    reorder_point_qty: Floats
    order_up_to_qty: Floats
    yearly_cost: Floats
    start_cost: Floats


def yearly_costs(courses: Courses, point: Floats, up_to: Floats, terms: Terms) -> Floats:
    """(n,) holding, ordering and shortage a year, the mean over the paths. An order is due below the reorder point."""
    n, p, t = courses.demand_qty.shape
    # The simulation orders at or below its level.
    strictly_below = np.nextafter(point, -np.inf) - 1e-9
    rule = Rule(*(np.repeat(part, p) for part in (strictly_below, up_to, np.zeros(n))))
    limits = terms.limits
    if limits is not None:
        parts = (limits.multiple_qty, limits.min_order_qty, limits.maximum_stock_qty)
        limits = Limits(*(np.repeat(part, p) for part in parts))
    seen = simulate(
        courses.demand_qty.reshape(n * p, t), courses.lead_time_days.reshape(n * p, t), rule,
        Start.with_stock(np.repeat(courses.on_hand_qty, p)), review_days=terms.review_days, limits=limits,
        backorders=terms.backorders, keep_daily=False,
    )  # fmt: skip
    given = terms.costs
    money = (given.unit_cost, given.holding_rate_per_year, given.order_cost, given.shortage_cost)
    costs = Costs(*(np.repeat(np.broadcast_to(np.asarray(part, dtype=float), (n,)), p) for part in money))
    total = seen.cost_table(costs)["total_cost"].to_numpy().reshape(n, p)
    return np.asarray(total.mean(axis=1) * DAYS_PER_YEAR / t)


def search_levels(
    courses: Courses, point: Floats, up_to: Floats, terms: Terms, *, first_step_qty: Floats, rounds: int = 12
) -> SearchedLevels:
    """Levels about (point, up_to) that cost least on these courses, never more than the start. All (n,).

    first_step_qty: how far the first moves go, such as the deviation of demand over the lead time; a pair whose steps
    have become small is done. rounds: of each walk at most, six simulations of everything each.
    """
    at = np.stack([point, np.maximum(up_to - point, 0.0)])
    least = yearly_costs(courses, at[0], at.sum(axis=0), terms)
    start_cost = least.copy()
    smallest = np.where(terms.whole, 1.0, first_step_qty / 64.0)
    # A landscape made by simulation has small dents: after one walk has ended others start from there, wider again.
    for share in _WALKS:
        step = np.where(terms.whole, np.maximum(np.ceil(first_step_qty * share), 1.0), first_step_qty * share)
        for _round in range(rounds):
            active = step >= smallest
            if not active.any():
                break
            tried = np.maximum(at[None] + _MOVES[:, :, None] * step, 0.0)
            found = np.stack([yearly_costs(courses, move[0], move.sum(axis=0), terms) for move in tried])
            best = found.argmin(axis=0)
            cost = np.take_along_axis(found, best[None], axis=0)[0]
            better = active & (cost < least - 1e-9)
            moved = np.take_along_axis(tried, best[None, None], axis=0)[0]
            at, least = np.where(better, moved, at), np.where(better, cost, least)
            halved = np.where(terms.whole, np.floor(step / 2.0), step / 2.0)
            step = np.where(better, step, halved)
    return SearchedLevels(at[0], at.sum(axis=0), least, start_cost)


def evolved_levels(courses: Courses, most_qty: Floats, terms: Terms, *, seed: int = 0) -> SearchedLevels:
    """The same without a start, by differential evolution: for a few pairs, or to check the search.

    most_qty: (n,) the largest reorder point, and the largest distance to the order-up-to level, that are looked at.
    """
    n = len(most_qty)
    point, up_to, cost = np.zeros(n), np.zeros(n), np.zeros(n)
    for row in range(n):  # each pair evolves on its own; a generation of it is simulated at once
        one, own = courses.of(row), terms.of(row)

        def score(candidates: Floats, one: Courses = one, own: Terms = own) -> Floats:
            levels = np.round(candidates) if own.whole[0] else candidates
            times = levels.shape[1]
            many = Courses(
                np.repeat(one.demand_qty, times, axis=0),
                np.repeat(one.lead_time_days, times, axis=0),
                np.repeat(one.on_hand_qty, times),
            )
            return yearly_costs(many, levels[0], levels.sum(axis=0), _repeated(own, times))

        found = differential_evolution(
            score, [(0.0, most_qty[row])] * 2, seed=seed, maxiter=_GENERATIONS, popsize=10, polish=False,
            vectorized=True, updating="deferred",
        )  # fmt: skip
        best = np.round(found.x) if own.whole[0] else found.x
        point[row], up_to[row], cost[row] = best[0], best.sum(), found.fun
    return SearchedLevels(point, up_to, cost, cost)


def _repeated(own: Terms, times: int) -> Terms:
    """The terms of one pair for so many candidates."""
    limits = own.limits
    if limits is not None:
        parts = (limits.multiple_qty, limits.min_order_qty, limits.maximum_stock_qty)
        limits = Limits(*(np.repeat(part, times) for part in parts))
    given = own.costs
    costs = (given.unit_cost, given.holding_rate_per_year, given.order_cost, given.shortage_cost)
    repeated = Costs(*(np.repeat(np.atleast_1d(part), times) for part in costs))
    return Terms(repeated, limits, own.review_days, own.backorders, np.repeat(own.whole, times))
