"""What may happen to a stock over many order cycles: demand by day and lead times, from a forecast's paths.

A level protects the next lead time and look, so that is what the courses are made of: paths of demand over just that
long are laid end to end, each path once, in a fixed order. Their demand over a lead time is the forecast's own, and a
season further on does not move the level of today. The same draws serve every pair and every candidate (common random
numbers). A step is a day; where the forecast is by week and stock is looked at once a week it is a week.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from erp_forecast_addon.planning.forecasting.paths import path_ranks
from erp_forecast_addon.planning.inventory.demand_distribution import LEAD_TIME_SHARES, Totals
from erp_forecast_addon.planning.inventory.safety_stock import Floats

Rows = NDArray[np.int64]
Singles = NDArray[np.float32]
# (rows (m,), periods, p) -> (m, p, periods): equally likely courses of demand.
Paths = Callable[[Rows, int, int], NDArray[np.floating]]

# Courses side by side; each is a chain of paths.
COURSES = 10
# Each path lasts at least so long, and as long as the first of these that covers the lead time and the next look.
_SEGMENT_DAYS = np.array([28, 42, 63, 91, 126, 182, 252, 364])
# So many of them that together they have this many steps; a fifth as many of the longest as of the shortest.
_STEPS, _FEWEST_PATHS, _MOST_PATHS = 6000, 40, 200
# Lead times of equal chance that stand for a pair's: each of the six parts of LEAD_TIME_SHARES is a multiple of 2%.
LEAD_TIME_DRAWS = 50
_PER_PART = np.rint(LEAD_TIME_SHARES * LEAD_TIME_DRAWS).astype(np.int64)
_LARGEST_CORRELATION = 0.9
_WEEK = 7
_CORRELATION_STEP = 0.05
_DAY_SEED, _ORDER_SEED, _LEAD_SEED, _TOTALS_SEED = 11, 12, 13, 14


@dataclass(frozen=True)
class LevelCourses:
    """m pairs, P = COURSES courses of t steps each.

    demand_qty: (t, m·P) float32, a step of all is contiguous; course k of row i is column i·P + k. lead_steps: (m,
    LEAD_TIME_DRAWS), equally likely; draw: (t, P), which of them an order of that step and course takes. warm_steps:
    the first ones, on which nothing is counted yet. step_days: of a step.
    """

    demand_qty: Singles
    lead_steps: NDArray[np.int64]
    draw: NDArray[np.int64]
    warm_steps: int
    step_days: int = 1

    @property
    def m(self) -> int:
        return len(self.lead_steps)

    @property
    def counted_steps(self) -> int:
        return len(self.demand_qty) - self.warm_steps

    @property
    def daily_demand_qty(self) -> Floats:
        """(m,) mean of what counts."""
        counted = self.demand_qty[self.warm_steps :].sum(axis=0, dtype=float)
        return np.asarray(counted.reshape(self.m, COURSES).mean(axis=1) / (self.counted_steps * self.step_days))


def segment_days(node_days: Floats, look_days: float) -> NDArray[np.int64]:
    """(n,) how long the paths of each pair are, out of a few lengths. node_days: (n, j) of LeadTimeNodes."""
    needed = np.ceil(node_days[:, -1] + look_days)
    at = np.minimum(np.searchsorted(_SEGMENT_DAYS, needed), len(_SEGMENT_DAYS) - 1)
    return np.asarray(_SEGMENT_DAYS[at])


def steps_of(period_days: float, look_days: float) -> int:
    """Days of a step: a week where the forecast is by week and stock is looked at in whole weeks, else one."""
    days = round(period_days)
    return days if days == _WEEK and look_days > 0.0 and look_days % days == 0.0 else 1


def courses_of(
    paths: Paths,
    rows: Rows,
    period_days: float,
    whole: NDArray[np.bool_],
    node_days: Floats,
    days: int,
    look_days: float,
) -> LevelCourses:
    """Courses of `rows` (m,), whose paths last `days`. paths: in periods of period_days days; whole, node_days: of the
    rows, (m,) and (m, 6) days of LeadTimeNodes."""
    step = steps_of(period_days, look_days)
    length = max(1, round(period_days))
    periods = max(1, round(days / length))
    count = int(np.clip(_STEPS * step // (days * COURSES), _FEWEST_PATHS // COURSES, _MOST_PATHS // COURSES)) * COURSES
    laid = np.asarray(paths(rows, periods, count), dtype=np.float32)
    by_step = laid if step == length else _by_day(laid, length, whole)
    m, count, length = by_step.shape
    chained = count // COURSES
    order = np.random.default_rng(_ORDER_SEED).permutation(count)[: chained * COURSES].reshape(chained, COURSES)
    # (m, chained, COURSES, length) -> steps first, then rows, then courses.
    chain = by_step[:, order, :].transpose(1, 3, 0, 2).reshape(chained * length, m * COURSES)
    lead = _lead_steps(node_days / step)
    warm = int(np.ceil((lead.max(initial=0) + look_days / step) / length))
    warm = min(max(warm, 1), chained - 1) * length
    return LevelCourses(np.ascontiguousarray(chain), lead, _draws(chained * length), warm, step)


def paths_from_totals(totals: Totals) -> Paths:
    """Paths by day of a demand that is only known by the quantiles of its sums.

    Each day takes every quantile of a day's demand once (as in forecasting/paths.py); days share as much as makes the
    variance of their sum what the sum's own quantiles say.
    """

    def paths(rows: Rows, days: int, count: int) -> Singles:
        levels = (np.arange(count) + 0.5) / count
        one_day = totals(rows, np.ones(len(rows)), levels)
        together = totals(rows, np.full(len(rows), float(days)), levels)
        variance = one_day.var(axis=1)
        growth = np.divide(together.var(axis=1), days * variance, out=np.ones(len(rows)), where=variance > 0.0)
        shared = np.clip((growth - 1.0) / max(days - 1, 1), 0.0, _LARGEST_CORRELATION)
        mean = one_day.mean(axis=1)
        scale = np.divide(together.mean(axis=1) / days, mean, out=np.ones(len(rows)), where=mean > 0.0)
        # The mean is that of the whole time, the shape stays that of a day.
        whole = (one_day == np.floor(one_day)).all(axis=1)
        cells = np.where(whole[:, None], one_day, one_day * scale[:, None]).astype(np.float32)
        result = np.empty((len(rows), count, days), dtype=np.float32)
        step = np.rint(shared / _CORRELATION_STEP).astype(int)
        for number in np.unique(step):  # over a few correlations
            alike = step == number
            result[alike] = cells[alike][:, path_ranks(count, days, number * _CORRELATION_STEP, _TOTALS_SEED)]
        return result

    return paths


def _by_day(periods: Singles, step: int, whole: NDArray[np.bool_]) -> Singles:
    """(m, p, h) -> (m, p, h·step). What is asked for in few periods comes on one day of them, the rest is spread."""
    if step == 1:
        return periods
    m, p, h = periods.shape
    result = np.zeros((m, p, h, step), dtype=np.float32)
    random = np.random.default_rng(_DAY_SEED)
    day = random.integers(0, step, (p, h))
    rare = (periods > 0).mean(axis=(1, 2)) < 0.5
    at = np.arange(p)[:, None], np.arange(h)[None, :], day
    lone = result[rare]
    lone[:, at[0], at[1], at[2]] = periods[rare]
    result[rare] = lone
    often = ~rare
    if often.any():
        some = periods[often][..., None]
        parts = np.arange(step + 1, dtype=np.float32) / step
        pieces = np.diff(np.floor(some * parts + random.random((p, h, 1), dtype=np.float32)), axis=-1)
        result[often] = np.where(whole[often][:, None, None, None], pieces, some / step)
    return result.reshape(m, p, h * step)


def _lead_steps(node_steps: Floats) -> NDArray[np.int64]:
    """(m, LEAD_TIME_DRAWS) whole steps; parts of a step become a chance of the next one, so the mean is kept."""
    place = np.concatenate([(np.arange(k) + 0.5) / k for k in _PER_PART])
    return np.asarray(np.floor(np.repeat(node_steps, _PER_PART, axis=1) + place + 1e-9), dtype=np.int64)


def _draws(steps: int) -> NDArray[np.int64]:
    """(steps, COURSES): each course takes every lead time once in LEAD_TIME_DRAWS steps."""
    random = np.random.default_rng(_LEAD_SEED)
    turns = -(-steps // LEAD_TIME_DRAWS)
    every = np.broadcast_to(np.arange(LEAD_TIME_DRAWS), (COURSES, turns, LEAD_TIME_DRAWS))
    return random.permuted(every, axis=2).reshape(COURSES, -1)[:, :steps].T
