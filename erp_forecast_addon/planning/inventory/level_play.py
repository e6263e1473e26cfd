"""Candidate levels of many pairs played on the same courses: what is short, held, ordered and spoiled.

The same mornings and evenings as simulation.py, of which this is the part that a search needs, without daily arrays and
with all candidates at once; a test holds both to the same numbers. What expires is beyond it: of goods sold first in,
first out, whatever exceeds the receipts of the last shelf life is older than that.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from erp_forecast_addon.planning.inventory.level_courses import COURSES, LevelCourses
from erp_forecast_addon.planning.inventory.safety_stock import Floats

Singles = NDArray[np.float32]

# Float dust does not make another multiple.
_STEP_TOLERANCE = 1e-5


@dataclass(frozen=True)
class Lots:
    """multiple_qty, least_qty: (m,) stock units, 0 for none; an order is a whole number of multiples, at least the
    least quantity, itself rounded up to a multiple."""

    multiple_qty: Floats
    least_qty: Floats


@dataclass(frozen=True)
class Played:
    """(m, c) each, a day on average over the courses: short_qty (not served from the shelf), on_hand_qty (evenings),
    lines, expired_qty; cycle_share: share of order cycles in which nothing was short, NaN where not asked for."""

    short_qty: Floats
    on_hand_qty: Floats
    lines: Floats
    expired_qty: Floats
    cycle_share: Floats


def play(
    courses: LevelCourses,
    point: Floats,
    up_to: Floats,
    lots: Lots,
    *,
    review_steps: int = 1,
    lost: bool = True,
    shelf_life_steps: int | None = None,
    count_cycles: bool = False,
    start_qty: Singles | None = None,
) -> Played:
    """point, up_to: (m, c). At a review an order is due where the position is below `point`; it fills up to `up_to`.

    lost: unmet demand is lost, else it waits. shelf_life_steps: on how many steps goods can be sold, from arrival on.
    start_qty: (c, m·COURSES) on the first morning; None: the courses of a pair begin evenly spread over the range of
    its position, so that few days are needed until nothing tells of the beginning any more.
    """
    shelf = _Shelf(courses, point, up_to, lots, lost, shelf_life_steps, count_cycles, start_qty)
    for day in range(len(courses.demand_qty)):  # stock follows from stock: the one loop that cannot go
        shelf.day(day, review=day % review_steps == 0, counted=day >= courses.warm_steps)
    return shelf.played()


class _Shelf:
    """The state between two days: (c, m·COURSES) arrays, candidates first, so that a day's demand serves them all."""

    def __init__(
        self, courses: LevelCourses, point: Floats, up_to: Floats, lots: Lots, lost: bool, life: int | None,
        count_cycles: bool, start: Singles | None,
    ) -> None:  # fmt: skip
        self.courses, self.lost, self.life, self.count_cycles = courses, lost, life, count_cycles
        self.c, self.columns = point.shape[1], courses.demand_qty.shape[1]
        size = (self.c, self.columns)
        self.point, self.up_to = (
            np.ascontiguousarray(np.repeat(level.T, COURSES, axis=1), dtype=np.float32) for level in (point, up_to)
        )
        self.multiple = np.asarray(lots.multiple_qty, dtype=np.float32)
        packs = np.where(lots.multiple_qty > 0.0, lots.multiple_qty, 1.0)
        rounded = np.ceil(lots.least_qty / packs - _STEP_TOLERANCE) * packs
        self.least = np.where(lots.multiple_qty > 0.0, rounded, lots.least_qty).astype(np.float32)
        self.net = self._begin() if start is None else start.astype(np.float32)
        self.position = self.net.copy()
        self.ring = int(courses.lead_steps.max(initial=0)) + 1
        self.due = np.zeros((self.ring, *size), dtype=np.float32)
        self.row_of = np.repeat(np.arange(courses.m), COURSES)
        self.course_of = np.tile(np.arange(COURSES), courses.m)
        self.held, self.served, self.spoiled, self.lines = (np.zeros(size, dtype=np.float32) for _part in range(4))
        self.cycles, self.short_cycles = np.zeros(size, dtype=np.float32), np.zeros(size, dtype=np.float32)
        self.short_since = np.zeros(size, dtype=bool)
        self.room, self.mask = np.empty(size, dtype=np.float32), np.empty(size, dtype=bool)
        if life is not None:
            self.fresh, self.arrivals = self.net.copy(), np.zeros((life, *size), dtype=np.float32)
            self.arrivals[0] = self.net

    def _begin(self) -> Singles:
        """Evenly between the reorder point and what an order lifts the position to."""
        width = np.maximum(self.up_to - self.point, np.repeat(self.least, COURSES))
        share = np.tile((np.arange(COURSES, dtype=np.float32) + 0.5) / COURSES, self.columns // COURSES)
        return np.where(self.up_to > 0.0, np.maximum(self.point + np.floor(width * share), 0.0), 0.0).astype(np.float32)

    def day(self, day: int, *, review: bool, counted: bool) -> None:
        arrived = self.due[day % self.ring]
        np.add(self.net, arrived, out=self.net)
        if counted and self.count_cycles:
            self._close_cycles(arrived)
        if self.life is not None:
            self._spoil(day, arrived, counted)
        arrived[:] = 0.0
        if review:
            self._order(day, counted)
        demand = self.courses.demand_qty[day]
        there = self.net if self.lost else np.maximum(self.net, 0.0, out=self.room)
        if self.count_cycles:
            self.short_since |= np.less(there, demand, out=self.mask)
        if self.lost:
            sold = np.minimum(self.net, demand, out=self.room)
            np.subtract(self.net, sold, out=self.net)
            np.subtract(self.position, sold, out=self.position)
            if counted:
                self.served += sold
                self.held += self.net
        else:
            if counted:
                self.served += np.minimum(there, demand)
            np.subtract(self.net, demand, out=self.net)
            np.subtract(self.position, demand, out=self.position)
            if counted:
                self.held += np.maximum(self.net, 0.0, out=self.room)

    def _order(self, day: int, counted: bool) -> None:
        np.less(self.position, self.point, out=self.mask)
        at = np.flatnonzero(self.mask)
        if not len(at):
            return
        column = at % self.columns
        row = self.row_of[column]
        position = self.position.ravel()
        need, multiple = self.up_to.ravel()[at] - position[at], self.multiple[row]
        packs = np.where(multiple > 0.0, multiple, 1.0)
        need = np.where(multiple > 0.0, np.ceil(need / packs - _STEP_TOLERANCE) * packs, need)
        qty = np.maximum(need, self.least[row])
        position[at] += qty
        if counted:
            self.lines.ravel()[at] += 1.0
        lead = self.courses.lead_steps[row, self.courses.draw[day, self.course_of[column]]]
        at_once = lead == 0
        if at_once.any():
            now = at[at_once]
            self.net.ravel()[now] += qty[at_once]
            if self.life is not None:
                self.fresh.ravel()[now] += qty[at_once]
                self.arrivals[day % self.life].ravel()[now] += qty[at_once]
        later = ~at_once
        # One entry each, so the plain += adds every one of them.
        self.due.reshape(self.ring, -1)[(day + lead[later]) % self.ring, at[later]] += qty[later]

    def _close_cycles(self, arrived: Singles) -> None:
        came = np.greater(arrived, 0.0, out=self.mask)
        self.cycles += came
        self.short_cycles += came & self.short_since
        self.short_since &= ~came

    def _spoil(self, day: int, arrived: Singles, counted: bool) -> None:
        """What has lain for its whole life goes: stock beyond what came in the last `life` mornings."""
        assert self.life is not None
        slot = self.arrivals[day % self.life]
        if day:  # the opening stock lies in the slot of the first day
            self.fresh += arrived - slot
            slot[:] = arrived
        old = np.maximum(np.maximum(self.net, 0.0) - np.maximum(self.fresh, 0.0), 0.0)
        self.net -= old
        self.position -= old
        if counted:
            self.spoiled += old

    def played(self) -> Played:
        steps, m = self.courses.counted_steps, self.courses.m
        days = steps * self.courses.step_days

        def over(total: Singles, count: int) -> Floats:
            return np.asarray(total.reshape(self.c, m, COURSES).mean(axis=2, dtype=float).T / count)

        cycles, short = (part.reshape(self.c, m, COURSES).sum(axis=2).T for part in (self.cycles, self.short_cycles))
        asked = self.courses.daily_demand_qty[:, None]
        share = np.divide(short, cycles, out=np.zeros(cycles.shape, dtype=float), where=cycles > 0)
        return Played(
            short_qty=np.maximum(asked - over(self.served, days), 0.0),
            on_hand_qty=over(self.held, steps),
            lines=over(self.lines, days),
            expired_qty=over(self.spoiled, days),
            cycle_share=1.0 - share if self.count_cycles else np.full(share.shape, np.nan),
        )
