"""How far demand strays from its forecast: variance per unit of mean of every series, growth over steps and windows.

All of it is learned from what a rolling backtest missed; see docs/uncertainty.md.
"""

from dataclasses import dataclass

import numpy as np

from erp_forecast_addon.planning.forecasting.demand_class import named
from erp_forecast_addon.planning.forecasting.rows import ROWS_PER_BLOCK
from erp_forecast_addon.planning.panel import Panel
from erp_forecast_addon.planning.settings import Period

# Demand that is not counted is measured in such a share of a usual sale: fine enough to be continuous.
_UNITS_PER_SALE = 16.0
# What counts as recent demand: eight weeks, half a year, a year.
_RECENT: dict[Period, int] = {"day": 56, "week": 26, "month": 12}
# The variance at a mean that differs from the usual one: δ(m) − 1 = (δ − 1)·(m / level)^power. 0: the variance goes
# with the mean (orders come more often), 1: its excess with the mean's square (orders get larger).
MEAN_POWER = 0.5
# Bounds of the observations after which a series' own dispersion weighs as much as its group's.
_HALF_WEIGHT_RANGE = (8.0, 2000.0)
# A group's figures weigh as much as those of the level above once it holds so many windows.
GROUP_HALF_WEIGHT = 40.0
# Seasons after which the variance of demand is taken within their phases.
MIN_CYCLES = 4
_SMALLEST_DISPERSION, _LARGEST_DISPERSION, _TINY_DISPERSION = 0.01, 1e4, 1e-4
# What the regression of dispersions holds before it has seen anything: a series will stray as it did.
_PRIOR_COEFFICIENTS = np.array([0.0, 0.0, 0.9, 0.3])
_PRIOR_WINDOWS = 10.0
_ROUNDS = 25
# With fewer residuals of its own a series' variance is never below that of Poisson demand.
_FEW_RESIDUALS = 8
# A single window may count so many times the usual square error when the share of noise is measured.
_LARGEST_RATIO = 25.0
_LARGEST_OWN_RATIO = 5.0


@dataclass(frozen=True)
class History:
    """What the demand itself says, beside what forecasts missed. Each series' values depend on its own row alone.

    unit: (n,) the quantum of demand in stock units: 1 for whole numbers, a share of a usual sale otherwise, so that the
    same family serves both. before: (k + 1, n, 2), `demand_dispersion` before each origin and, last, at the end.
    classes: (k, n) demand class at each origin. By what it became later a series would be chosen for what it did in
    the backtest, and groups would seem to sell more than their like will.
    """

    unit: np.ndarray
    before: np.ndarray
    classes: np.ndarray


def history(panel: Panel, whole: np.ndarray, origins: tuple[int, ...]) -> History:
    """whole: (n,) bool, series of whole numbers; origins: of the backtest."""
    unit, before = np.ones(panel.n), np.zeros((len(origins) + 1, panel.n, 2))
    classes = np.full((len(origins), panel.n), "", dtype=object)
    for at in range(0, panel.n, ROWS_PER_BLOCK):
        block = slice(at, at + ROWS_PER_BLOCK)
        demand, observed = np.maximum(panel.demand[block], 0.0), panel.observed[block]
        sold = observed & (demand > 0)
        usual = np.where(sold, demand, 0.0).sum(axis=1) / np.maximum(sold.sum(axis=1), 1)
        unit[block] = np.where(whole[block] | (usual <= 0), 1.0, usual / _UNITS_PER_SALE)
        before[:, block] = demand_dispersion(
            demand / unit[block, None], observed, (*origins, panel.t), panel.season_length, _RECENT[panel.period]
        )
        if origins:
            classes[:, block] = classes_then(demand, observed, panel.first[block], origins, panel.period)
    return History(unit, before, classes)


@dataclass(frozen=True)
class Residuals:
    """Sums over the steps of each origin: squares Σe², means Σm, counts of scored steps. (k, n), or (n,) in total"""

    squares: np.ndarray
    means: np.ndarray
    counts: np.ndarray

    def total(self) -> "Residuals":
        """Of all origins together. (n,)"""
        return Residuals(*(part.sum(axis=0) for part in (self.squares, self.means, self.counts)))

    def without_each(self) -> "Residuals":
        """Of all origins but each: what a dispersion is measured by that is to be judged there. (k, n)"""
        everything = self.total()
        return Residuals(
            everything.squares - self.squares, everything.means - self.means, everything.counts - self.counts
        )


def residuals(actual: np.ndarray, forecast: np.ndarray, scored: np.ndarray) -> Residuals:
    """actual, forecast, scored: (k, n, s)."""
    error = np.where(scored, actual - forecast, 0).astype(np.float32)
    means = np.where(scored, forecast, 0).sum(axis=2, dtype=float)
    # A mean of 0 promises 0: its surprises belong to the mean, not to the spread.
    usable = means > 0
    squares = np.where(usable, np.square(error, dtype=float).sum(axis=2), 0.0)
    return Residuals(squares, means, np.where(usable, scored.sum(axis=2), 0))


def demand_dispersion(
    demand: np.ndarray, observed: np.ndarray, ends: tuple[int, ...], season_length: int, recent_periods: int
) -> np.ndarray:
    """Variance per unit of mean of the demand before each end, of all of it and of the recent periods. (ends, n, 2)

    demand, observed: (n, t). With MIN_CYCLES cycles or more the variance is that within the phases of the season. 0
    where nothing was sold. A series that is known of one period out of many has its demand there, as one demand among
    any number of periods has.
    """
    spans = [(begin, end) for end in ends for begin in (0, max(0, end - recent_periods))]
    indicators = [_phases(begin, end, demand.shape[1], season_length) for begin, end in spans]
    columns = np.concatenate(indicators, axis=1)
    known = observed.astype(np.float32)
    values = np.where(observed, demand, 0).astype(np.float32)
    # All sums of all spans as products with the same few columns.
    counts, totals, squares = known @ columns, values @ columns, values**2 @ columns
    result, at = np.zeros((len(spans), len(demand))), 0
    for number, indicator in enumerate(indicators):  # over spans
        part = slice(at, at := at + indicator.shape[1])
        count, total = counts[:, part].astype(float), totals[:, part].astype(float)
        within = (squares[:, part] - total**2 / np.maximum(count, 1)).sum(axis=1)
        free, sold = np.maximum(count - 1, 0).sum(axis=1), total.sum(axis=1)
        mean = sold / np.maximum(count.sum(axis=1), 1)
        usable = (sold > 0) & (free > 0)
        over_mean = np.maximum(within, 0) / np.maximum(free, 1) / np.where(usable, mean, 1.0)
        single = mean if spans[number][1] - spans[number][0] > 1 else 0.0
        result[number] = np.where(usable, over_mean, np.where(sold > 0, single, 0.0))
    return result.reshape(len(ends), 2, len(demand)).transpose(0, 2, 1)


def _phases(begin: int, end: int, t: int, season_length: int) -> np.ndarray:
    """Which of t periods lie in the span, by phase of the season if that has cycles enough. (t, phases) float32"""
    phases = season_length if end - begin >= MIN_CYCLES * season_length else 1
    column = np.arange(t)
    inside = (column >= begin) & (column < end)
    return np.asarray((column[:, None] % phases == np.arange(phases)) & inside[:, None], dtype=np.float32)


def classes_then(
    demand: np.ndarray, observed: np.ndarray, first: np.ndarray, origins: tuple[int, ...], period: Period
) -> np.ndarray:
    """Demand class at each origin, as `demand_class` of the panel before it. demand, observed: (n, t). (k, n) object"""
    t = demand.shape[1]
    before = np.stack([np.arange(t) < origin for origin in origins], axis=1).astype(np.float32)
    there = observed & (demand > 0)
    sold = np.where(there, demand, 0.0).astype(np.float32)
    seen, count, total, squares = observed.astype(np.float32) @ before, there @ before, sold @ before, sold**2 @ before
    some = np.maximum(count, 1).astype(float)
    mean = total / some
    adi = np.where(count > 0, seen / some, np.inf)
    cv2 = np.where(count > 0, np.maximum(squares / some - mean**2, 0) / np.where(count > 0, mean, 1.0) ** 2, 0.0)
    return np.stack([
        named(adi[:, at], cv2[:, at], origin - np.minimum(first, origin - 1), period)
        for at, origin in enumerate(origins)
    ])  # fmt: skip


def _features(before: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """1, log mean, log of the long dispersion, log of the recent one over the long one. (…, 4); before: (…, 2)"""
    long, recent = before[..., 0], before[..., 1]
    base = np.log(np.maximum(long, _SMALLEST_DISPERSION))
    turn = np.where((long > 0) & (recent > 0), np.log(np.maximum(recent, _SMALLEST_DISPERSION)) - base, 0.0)
    size = np.log(np.clip(mean, 1e-2, 1e4))
    # Without any demand before there is nothing to go by but the usual.
    return np.stack([np.ones_like(size), size, np.where(long > 0, base, 0.0), np.clip(turn, -2.0, 2.0)], axis=-1)


def fit_dispersion(of: Residuals, before: np.ndarray) -> np.ndarray:
    """Coefficients of the features for log Σe²/Σm: a gamma regression with log link (McCullagh & Nelder 1989, ch. 8).

    before: (k, n, 2). By iterated least squares, pulled to the prior as by _PRIOR_WINDOWS windows. (4,)
    """
    used = of.means > 0.5
    x = _features(before, of.means / np.maximum(of.counts, 1))[used]
    ratio = of.squares[used] / of.means[used]
    weight = of.means[used] / (of.means[used] + 1.0)
    left = (x * weight[:, None]).T @ x + _PRIOR_WINDOWS * np.eye(4)
    found = _PRIOR_COEFFICIENTS.copy()
    for _round in range(_ROUNDS):
        # Half a step at a time, so that a single huge surprise throws nothing over.
        pull = np.clip(ratio * np.exp(-np.clip(x @ found, -5.0, 9.0)) - 1.0, -1.0, 12.0)
        step = np.linalg.solve(left, x.T @ (weight * pull) - _PRIOR_WINDOWS * (found - _PRIOR_COEFFICIENTS))
        found = found + 0.5 * step
    return np.asarray(found)


def expected_dispersion(coefficients: np.ndarray, before: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """Variance per unit of mean that the demand before suggests. before: (…, 2), mean: (…) of a period. (…)"""
    # Not as a matrix product: of a row alone it is rounded otherwise than of that row among others.
    logarithm = (_features(before, mean) * coefficients).sum(axis=-1)
    return np.asarray(np.exp(np.clip(logarithm, -5.0, 9.0)))


def group_dispersion(
    of: Residuals, expected: np.ndarray, chain: list[np.ndarray], sizes: list[int]
) -> list[np.ndarray]:
    """Σe² / Σ expected of the groups of each level of a hierarchy, each pulled to the one above, all to 1.

    expected: (k, n) dispersion that is to be corrected by it.

    chain: per level (k, n) group numbers, coarse first; sizes: groups per level.
    """
    above, found = np.ones(1), []
    parents: np.ndarray = np.zeros(of.squares.shape, dtype=int)
    for group, size in zip(chain, sizes, strict=True):  # over levels
        ratio, windows = _ratio_per_group(of, expected, group, size)
        parent = np.zeros(size, dtype=int)
        parent[group] = parents
        above = (windows * ratio + GROUP_HALF_WEIGHT / 10 * above[parent]) / (windows + GROUP_HALF_WEIGHT / 10)
        found.append(above)
        parents = group
    return found


def _ratio_per_group(
    of: Residuals, expected: np.ndarray, group: np.ndarray, size: int
) -> tuple[np.ndarray, np.ndarray]:
    used = of.means > 0
    base = np.bincount(group[used], (of.means * expected)[used], size)
    top = np.bincount(group[used], np.minimum(of.squares, _LARGEST_RATIO * of.means * expected)[used], size)
    return top / np.where(base > 0, base, 1.0), np.bincount(group[used], minlength=size).astype(float)


def half_weights(of: Residuals, expected: np.ndarray, group: np.ndarray, size: int) -> np.ndarray:
    """After how many residuals a series' own dispersion weighs as much as its group's. (groups,)

    Empirical Bayes (Efron & Morris 1973): the products of a series' ratios Σe² / (φΣm) at two origins tell the variance
    τ² of the series' true ratios, their spread about each other the noise; half weight = count · noise / τ².
    """
    k = of.squares.shape[0]
    used = of.means > 0
    ratio = np.where(used, of.squares / np.where(used, of.means * expected, 1.0), 1.0)
    gap = np.where(used, np.minimum(ratio, _LARGEST_RATIO) - 1.0, 0.0)
    both = gap.sum(axis=0) ** 2 - (gap**2).sum(axis=0)
    pairs = max(k * (k - 1), 1)
    own = group[-1] if k else np.zeros(of.squares.shape[1], dtype=int)
    members = np.maximum(np.bincount(own, minlength=size), 1)
    between = np.bincount(own, both / pairs, size) / members
    alone = np.bincount(own, (gap**2).mean(axis=0) if k else np.zeros(len(own)), size) / members
    count = np.bincount(own, of.counts.mean(axis=0) if k else np.zeros(len(own)), size) / members
    noise = np.maximum(alone - between, 0.0)
    return np.clip(count * noise / np.maximum(between, 1e-3), *_HALF_WEIGHT_RANGE)


def own_dispersion(of: Residuals, expected: np.ndarray, half_weight: np.ndarray) -> np.ndarray:
    """Variance per unit of mean of each series: its own residuals and its group's ratio. Shape of the sums.

    (Σe² + κ·φ·m̄) / (Σm + κ·m̄), m̄ the mean of a judged period, κ the half weight, φ the group's ratio. Where next to
    nothing was forecast and something came, Σe² / Σm tells of the mean, not of the spread: it counts up to a bound.
    """
    squares = np.minimum(of.squares, _LARGEST_OWN_RATIO * expected * of.means)
    usual = np.where(of.counts > 0, of.means / np.maximum(of.counts, 1), 1.0)
    pulled = (squares + half_weight * expected * usual) / np.maximum(of.means + half_weight * usual, 1e-12)
    pulled = np.where(of.counts < _FEW_RESIDUALS, np.maximum(pulled, 1.0), pulled)
    return np.clip(pulled, _TINY_DISPERSION, _LARGEST_DISPERSION)


def variance(dispersion: np.ndarray, level: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """Variance of a period of that mean. mean: (…, h); dispersion, level: (…), the level of which dispersion holds."""
    relative = mean / np.where(level > 0, level, 1.0)[..., None]
    excess = np.maximum(dispersion - 1.0, 0.0)[..., None] * np.clip(relative, 1e-3, 1e3) ** MEAN_POWER
    return np.asarray(mean * (np.minimum(dispersion, 1.0)[..., None] + excess))


def step_growth(ratio: np.ndarray, used: np.ndarray) -> tuple[float, float]:
    """(a, b) of variance at step h = a + b(h − 1), relative to the mean over the steps, never falling: b ≥ 0.

    ratio: (k, n, s), e² over what was expected. The slope is pulled to 0 by its own uncertainty (positive-part
    James-Stein; every series at every origin is one observation of it): on a small panel a single late surprise must
    not widen all intervals without end.
    """
    count = used.sum(axis=(0, 1)).astype(float)
    steps = np.arange(len(count))
    if len(count) < 2 or (count == 0).any():
        return 1.0, 0.0
    ratio = np.where(used, ratio, 0)
    overall = ratio.sum(dtype=float) / count.sum()
    centre = np.average(steps, weights=count)
    pulls = (np.where(used, ratio - overall, 0) * (steps - centre)).sum(axis=2, dtype=float).ravel()
    pulls = pulls[used.any(axis=2).ravel()]
    slope = pulls.sum() / (count * (steps - centre) ** 2).sum()
    if overall <= 0 or slope <= 0 or len(pulls) < 2:
        return 1.0, 0.0
    noise = len(pulls) * pulls.var(ddof=1) / pulls.sum() ** 2
    # The line may not start at or below 0 where the last steps dominate.
    slope = min(max(0.0, 1.0 - noise) * slope / overall, 0.8 / max(centre, 1e-9))
    return float(1.0 - slope * centre), float(slope)
