"""Levels searched by simulation: what the methods of formulas say is the start, courses of demand are the judge.

The formulas take what is short to wait and the position to lie evenly between the levels. Where sales are lost, orders
overtake each other, lots are coarse or goods expire, neither holds. Here every candidate is played day by day on the
same courses (level_courses.py, level_play.py), blocks of pairs and all candidates at once:

- least cost: the reorder point and the distance to the order-up-to level, a pattern about the best so far whose steps
  are halved (Hooke & Jeeves 1961, Direct search; with simulation, Fu 2002, Optimization for simulation);
- a service target: the distance is the formula's, and the least reorder point that reaches the target is bracketed.

Lots, planner's limits, maximum stock and shelf life hold for every candidate. Of two alike the one with less stock is
taken. Each row depends on that row alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from erp_forecast_addon.planning.forecasting.rows import in_blocks
from erp_forecast_addon.planning.inventory.demand_distribution import LeadTimeNodes
from erp_forecast_addon.planning.inventory.level_courses import LevelCourses, Paths, courses_of, segment_days
from erp_forecast_addon.planning.inventory.level_play import Lots, Played, play
from erp_forecast_addon.planning.inventory.methods.inputs import DAYS_PER_YEAR, OrderLevels, PolicyInputs
from erp_forecast_addon.planning.inventory.methods.limits import limited
from erp_forecast_addon.planning.inventory.safety_stock import Floats
from erp_forecast_addon.planning.progress import Done, between, unseen

Rows = NDArray[np.int64]
Flags = NDArray[np.bool_]

# The method whose levels are the start, by the name that asks for simulation.
SIMULATED = {
    "Simulated Cycle Service Level": "Cycle Service Level",
    "Simulated Fill Rate": "Fill Rate",
    "Simulated Least Cost": "Least Cost",
}
_NAMES = {formula: name for name, formula in SIMULATED.items()}

# Moves of the reorder point, in deviations of the demand that it covers, and of the distance above it, as a factor.
_WIDE_MOVES, _WIDE_FACTORS = np.array([-2.0, -1.1, -0.5, -0.2, 0.0, 0.4]), np.array([0.6, 1.0, 1.7])
_NEAR_MOVES, _NEAR_FACTORS = np.array([-1.0, 0.0, 1.0]), np.array([1.0 / 1.25, 1.0, 1.25])
_FIRST_STEP, _NEAR_ROUNDS = 0.2, 2
_TARGET_MOVES = np.array([-2.5, -1.7, -1.1, -0.7, -0.35, -0.1, 0.2, 0.6])
_BRACKET, _BRACKET_ROUNDS = np.arange(1, 7) / 7.0, 2
_BEYOND = 3.0
_ROWS = 256
_COST_DECIMALS, _SHARE_TOLERANCE, _LEVEL_DECIMALS = 6, 1e-9, 6
_LIMITS = ("floor", "cap", "floor above cap", "maximum stock", "shelf life")


@dataclass(frozen=True)
class Ask:
    """What the search is told beside the inputs of the formulas. nodes: of each row; paths: see level_courses.Paths;
    period_days: of a period of the paths; shelf_life_days: (n,) NaN for none; lost: unmet demand is lost."""

    nodes: LeadTimeNodes
    paths: Paths
    period_days: float
    shelf_life_days: Floats
    lost: bool


@dataclass(frozen=True)
class Tried:
    """The last candidates of m rows, of which the levels were chosen. point, up_to, served, cycles, cost: (m, c): the
    share of demand served from the shelf, of cycles without a shortage, and holding, ordering, shortages and spoilt
    goods a year (NaN-free; mean stock where there is no price). on_hand_qty: (m, c). chosen: (m,) the column.
    """

    point: Floats
    up_to: Floats
    served: Floats
    cycles: Floats
    on_hand_qty: Floats
    cost: Floats

    @classmethod
    def none(cls, n: int) -> "Tried":
        return cls(*(np.full((n, 1), np.nan) for _part in fields(cls)))

    def column(self, name: str, at: Rows) -> Floats:
        return np.asarray(np.take_along_axis(getattr(self, name), at[:, None], axis=1)[:, 0])


@dataclass(frozen=True)
class Simulated:
    """levels: (n,), those of the start where nothing was searched; searched: (n,); served_share, cycle_share,
    on_hand_qty, running_cost: (n,) of the chosen levels by simulation, NaN where nothing was searched; told: by row of
    `searched` rows, what `chosen_again` chooses from."""

    levels: OrderLevels
    searched: Flags
    served_share: Floats
    cycle_share: Floats
    on_hand_qty: Floats
    running_cost: Floats
    start_up_to_qty: Floats
    told: dict[int, dict[str, Any]]

    def take(self, name: str, otherwise: Floats) -> Floats:
        """A figure of the simulation, `otherwise` where nothing was searched."""
        found = getattr(self, name)
        return np.where(np.isnan(found), otherwise, found)


def search(
    inputs: PolicyInputs, start: OrderLevels, asked: Flags, ask: Ask, *, workers: int = 1, done: Done = unseen
) -> Simulated:
    """Levels of the rows `asked` (n,) by simulation from `start`, made by the formulas of SIMULATED for these inputs.

    Rows without demand, and those that are not worth stocking, keep the start. Method names become those of SIMULATED.
    done: told the share that is done.
    """
    n = inputs.n
    possible = asked & (inputs.daily_mean > 0.0) & (inputs.protection_demand.mean > 0.0)
    possible &= np.isin(start.method, list(_NAMES)) & (start.clamp != "not worth stocking")
    days = segment_days(ask.nodes.days, float(np.max(np.asarray(inputs.review_days)[possible], initial=0.0)))
    life = np.where(ask.shelf_life_days > 0.0, np.round(ask.shelf_life_days), 0.0).astype(np.int64)
    parts: list[tuple[Rows, _Found]] = []
    kinds = np.stack([days, life], axis=1)
    for kind in np.unique(kinds[possible], axis=0):  # over a few lengths of paths and shelf lives
        for method in sorted(set(start.method[possible])):
            alike = np.flatnonzero(possible & (kinds == kind).all(axis=1) & (start.method == method))
            found: dict[int, tuple[Rows, _Found]] = {}

            def work(
                block: slice, alike: Rows = alike, kind: Rows = kind, into: dict[int, tuple[Rows, _Found]] = found
            ) -> None:
                rows = alike[block]
                into[block.start] = rows, _searched(inputs.select(rows), start, rows, ask, int(kind[0]), int(kind[1]))

            before = sum(len(rows) for rows, _found in parts)
            own = between(done, *((before + more) / max(1, possible.sum()) for more in (0, len(alike))))
            in_blocks(work, len(alike), workers, _ROWS, own)
            parts += found.values()
    return _put_together(start, asked, parts, n)


@dataclass(frozen=True)
class _Found:
    levels: OrderLevels
    tried: Tried
    at: Rows


def _searched(inputs: PolicyInputs, all_starts: OrderLevels, rows: Rows, ask: Ask, days: int, life: int) -> _Found:
    start = _of_rows(all_starts, rows)
    look = float(np.max(inputs.review_days, initial=0.0))
    courses = courses_of(ask.paths, rows, ask.period_days, inputs.whole, ask.nodes.days[rows], days, look)
    method = str(start.method[0])
    step = courses.step_days
    judge = _Judge(
        inputs,
        start,
        courses,
        ask.lost,
        max(1, round(life / step)) if life else None,
        method,
        max(1, round(look / step)),
    )
    levels, tried = judge.least_cost() if method == "Least Cost" else judge.target()
    return _Found(levels, tried, chosen_column(tried, method, start.target))


@dataclass
class _Judge:
    """Plays candidates of one block and keeps the best."""

    inputs: PolicyInputs
    start: OrderLevels
    courses: LevelCourses
    lost: bool
    life: int | None
    method: str
    review_steps: int

    def __post_init__(self) -> None:
        inputs = self.inputs
        self.scale = np.maximum(inputs.protection_demand.std, np.where(inputs.whole, 1.0, 1e-9))
        self.width = self.start.order_up_to_qty - self.start.reorder_point_qty
        self.least_point = np.maximum(inputs.floor_qty, 0.0)
        promised = (self.method == "Least Cost") & np.isfinite(self.start.target)
        if promised.any():
            own = np.where(promised, self.start.target, 0.5)
            self.least_point = np.maximum(
                self.least_point, np.where(promised, inputs.protection_demand.quantile(own), 0.0)
            )
        self.lots = Lots(
            np.asarray(inputs.order_multiple_qty, dtype=float), np.asarray(self.start.least_order_qty, dtype=float)
        )

    def least_cost(self) -> tuple[OrderLevels, Tried]:
        point, width = self.start.reorder_point_qty, self.width
        moves, factors = np.meshgrid(_WIDE_MOVES, _WIDE_FACTORS, indexing="ij")
        tried = self._play(*self._about(point, width, moves.ravel(), factors.ravel(), 1.0))
        moves, factors = np.meshgrid(_NEAR_MOVES, _NEAR_FACTORS, indexing="ij")
        step = _FIRST_STEP
        for round_number in range(_NEAR_ROUNDS):
            at = chosen_column(tried, self.method, self.start.target)
            point = tried.column("point", at)
            width = tried.column("up_to", at) - point
            factor = factors.ravel() ** (0.5**round_number)
            tried = self._play(*self._about(point, width, moves.ravel(), factor, step))
            step /= 2.0
        return self._levels(tried)

    def target(self) -> tuple[OrderLevels, Tried]:
        point, width = self.start.reorder_point_qty, self.width
        tried = self._play(*self._about(point, width, _TARGET_MOVES, np.ones(len(_TARGET_MOVES)), 1.0))
        for _round in range(_BRACKET_ROUNDS):
            low, high = self._bracket(tried)
            between = low[:, None] + (high - low)[:, None] * np.append(_BRACKET, 1.0)
            tried = self._play(between, between + width[:, None])
        return self._levels(tried)

    def _bracket(self, tried: Tried) -> tuple[Floats, Floats]:
        """The largest reorder point that fails below the least that reaches the target, and that one."""
        enough = reaches(tried, self.method, self.start.target)
        first = np.where(enough.any(axis=1), np.argmax(enough, axis=1), enough.shape[1] - 1)
        high = tried.column("point", first)
        high = np.where(enough.any(axis=1), high, high + _BEYOND * self.scale)
        low = np.where(first > 0, tried.column("point", np.maximum(first - 1, 0)), self.least_point)
        low = np.where(enough.any(axis=1), low, tried.point[:, -1])
        return np.minimum(low, high), high

    def _about(
        self, point: Floats, width: Floats, moves: Floats, factors: Floats, step: float
    ) -> tuple[Floats, Floats]:
        """(m, c) candidates about a best: of least points moved by steps of the scale, at least one whole piece."""
        scale = self.scale * step
        away = moves * scale[:, None]
        whole = self.inputs.whole[:, None]
        away = np.where(whole, np.sign(away) * np.ceil(np.abs(away) - 1e-9), away)
        points = point[:, None] + away
        # A distance of nothing has no factor: one look's demand is its scale.
        least = np.maximum(self.inputs.daily_mean * self.inputs.review_days, np.where(self.inputs.whole, 1.0, 0.0))
        widths = np.where(factors == 1.0, width[:, None], np.maximum(width, least)[:, None] * factors)
        widths = np.where(whole, np.rint(widths), widths)
        return points, points + widths

    def _play(self, point: Floats, up_to: Floats) -> Tried:
        point = np.maximum(
            np.where(self.inputs.whole[:, None], np.ceil(point - 1e-6), point), self.least_point[:, None]
        )
        up_to = np.maximum(np.where(self.inputs.whole[:, None], np.ceil(up_to - 1e-6), up_to), point)
        order = np.lexsort((up_to, point), axis=1)
        point, up_to = (np.take_along_axis(part, order, axis=1) for part in (point, up_to))
        kept = [limited(self.inputs, self._candidate(point[:, j], up_to[:, j])) for j in range(point.shape[1])]
        point = np.asarray(np.round(np.stack([levels.reorder_point_qty for levels in kept], axis=1), _LEVEL_DECIMALS))
        up_to = np.asarray(np.round(np.stack([levels.order_up_to_qty for levels in kept], axis=1), _LEVEL_DECIMALS))
        seen = play(
            self.courses, point, up_to, self.lots, review_steps=self.review_steps, lost=self.lost,
            shelf_life_steps=self.life, count_cycles=self.method == "Cycle Service Level",
        )  # fmt: skip
        return self._judged(point, up_to, seen)

    def _judged(self, point: Floats, up_to: Floats, seen: Played) -> Tried:
        inputs, asked = self.inputs, self.courses.daily_demand_qty[:, None]
        price, short = (np.asarray(part)[:, None] for part in (inputs.unit_cost, inputs.shortage_cost))
        cost = price * np.asarray(inputs.holding_rate_per_year)[:, None] * seen.on_hand_qty
        a_day = np.asarray(inputs.order_cost)[:, None] * seen.lines + short * seen.short_qty + price * seen.expired_qty
        served = 1.0 - np.divide(seen.short_qty, asked, out=np.zeros(point.shape), where=asked > 0.0)
        cost = np.round(cost + DAYS_PER_YEAR * a_day, _COST_DECIMALS)
        on_hand = np.round(seen.on_hand_qty, _COST_DECIMALS)
        return Tried(point, up_to, np.round(served, 9), np.round(seen.cycle_share, 9), on_hand, cost)

    def _candidate(self, point: Floats, up_to: Floats) -> OrderLevels:
        """Levels like the start's with these instead."""
        stock = np.maximum(point - self.inputs.protection_mean_qty, 0.0)
        clamp = np.where(np.isin(self.start.clamp, _LIMITS), "", self.start.clamp).astype(object)
        return replace(self.start, reorder_point_qty=point, order_up_to_qty=up_to, safety_stock_qty=stock, clamp=clamp)

    def _levels(self, tried: Tried) -> tuple[OrderLevels, Tried]:
        at = chosen_column(tried, self.method, self.start.target)
        point, up_to = tried.column("point", at), tried.column("up_to", at)
        levels = limited(self.inputs, self._candidate(point, up_to))
        # Candidates stay inside the limits, so a limit that still binds shows where the start was stopped by it.
        stopped = np.isin(self.start.clamp, _LIMITS) & (up_to >= self.start.order_up_to_qty - 1e-6)
        stopped |= (self.start.clamp == "floor") & (point <= self.least_point + 1e-6)
        order = np.maximum(up_to - point, np.maximum(self.inputs.daily_mean * self.inputs.review_days, 0.0))
        return replace(
            levels,
            order_qty=np.asarray(np.round(np.maximum(order, self.lots.least_qty), _LEVEL_DECIMALS)),
            safety_stock_qty=np.round(levels.safety_stock_qty, _LEVEL_DECIMALS),
            clamp=np.where((levels.clamp == "") & stopped, self.start.clamp, levels.clamp).astype(object),
        ), tried


def reaches(tried: Tried, method: str, target: Floats) -> Flags:
    """(m, c) candidates that reach the target of the method."""
    share = tried.cycles if method == "Cycle Service Level" else tried.served
    return np.asarray(share >= target[:, None] - _SHARE_TOLERANCE)


def chosen_column(tried: Tried, method: str, target: Floats) -> Rows:
    """(m,) the cheapest, or the first that reaches the target; where none does, the one that comes nearest."""
    if method == "Least Cost":
        # Of equal costs the smaller levels, which come first.
        return np.asarray(np.argmin(tried.cost, axis=1))
    enough = reaches(tried, method, target)
    share = tried.cycles if method == "Cycle Service Level" else tried.served
    return np.asarray(np.where(enough.any(axis=1), np.argmax(enough, axis=1), np.argmax(share, axis=1)))


def order_up_to_of(told: Mapping[str, Any]) -> float:
    """The order-up-to level again from what `Simulated.told` told, by the same choice."""
    columns = [np.array([told[name]], dtype=float) for name in _TOLD]
    target = np.array([np.nan if told["target"] is None else told["target"]], dtype=float)
    tried = Tried(*columns)
    return float(tried.column("up_to", chosen_column(tried, str(told["by"]), target))[0])


_TOLD = tuple(part.name for part in fields(Tried))


def _put_together(start: OrderLevels, asked: Flags, parts: list[tuple[Rows, _Found]], n: int) -> Simulated:
    columns = {part.name: np.array(getattr(start, part.name)) for part in fields(OrderLevels)}
    figures = {name: np.full(n, np.nan) for name in ("served", "cycles", "on_hand_qty", "cost")}
    searched = np.zeros(n, dtype=bool)
    told: dict[int, dict[str, Any]] = {}
    for rows, found in parts:
        searched[rows] = True
        for name, column in columns.items():
            column[rows] = getattr(found.levels, name)
        for name, column in figures.items():
            column[rows] = found.tried.column(name, found.at)
        told |= dict(zip(rows.tolist(), _lines(found), strict=True))
    names = np.array([_NAMES.get(name, name) for name in columns["method"]], dtype=object)
    columns["method"] = np.where(asked, names, columns["method"]).astype(object)
    return Simulated(
        OrderLevels(**columns), searched, figures["served"], figures["cycles"], figures["on_hand_qty"],
        figures["cost"], np.array(start.order_up_to_qty), told,
    )  # fmt: skip


def _lines(found: _Found) -> list[dict[str, Any]]:
    """What each row's choice was made of; NaN, which JSON does not know, becomes 0 (it decides nothing)."""
    parts = [np.nan_to_num(getattr(found.tried, name)).tolist() for name in _TOLD]
    by = [SIMULATED.get(name, name) for name in found.levels.method]
    target = [None if np.isnan(share) else share for share in found.levels.target.tolist()]
    # A loop over rows, by columns: each may have to carry its own evidence.
    return [dict(zip((*_TOLD, "by", "target"), line, strict=True)) for line in zip(*parts, by, target, strict=True)]


def _of_rows(levels: OrderLevels, rows: Rows) -> OrderLevels:
    return OrderLevels(**{part.name: getattr(levels, part.name)[rows] for part in fields(OrderLevels)})
