"""Quantiles of demand from what the backtest missed, scaled per series and pooled over comparable ones."""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

# The own residuals weigh as much as the pooled dispersion once there are so many.
_OWN_HALF_WEIGHT = 20.0
# A group's residual quantiles weigh as much as those of the level above once it holds so many residuals.
_POOL_HALF_WEIGHT = 200.0
# With fewer residuals of its own a series' deviation is never below that of Poisson demand.
_FEW_RESIDUALS = 8
# How far the deviation of a step may differ from the series' usual one because of the season.
_SEASON_RANGE = (0.2, 5.0)


@dataclass(frozen=True)
class Spread:
    """What the residuals of the chosen models say.

    std: (n,) deviation of a period's error at an average step, of an average period. growth: (a, b), variance at step
    h (from 1) relative to the average = a + b(h − 1). group: (n,) into shape; shape: (groups, points) standardised
    residual at each of `points` probabilities.
    """

    std: np.ndarray
    growth: tuple[float, float]
    group: np.ndarray
    probabilities: np.ndarray
    shape: np.ndarray

    def variance_growth(self, horizon: int) -> np.ndarray:
        """Variance at each step relative to the average judged step. (horizon,)"""
        constant, slope = self.growth
        return np.asarray(constant + slope * np.arange(horizon))

    def one_step_std(self) -> np.ndarray:
        """Standard deviation of the error one period ahead, units per period. (n,)"""
        return np.asarray(self.std * np.sqrt(self.growth[0]))


def learn(
    actual: np.ndarray,
    forecast: np.ndarray,
    scored: np.ndarray,
    level: np.ndarray,
    demand_class: np.ndarray,
    model: np.ndarray,
) -> Spread:
    """actual, forecast, scored: (k, n, s), of the model chosen per series; level: (n,) mean of the new forecast.

    Variance of series i: (Σe² + κ·φ·level_i) / (count_i + κ): its own residuals pulled towards the dispersion φ
    (variance per unit of mean, 1 for Poisson) of its group. Standardised residuals of a group (demand class, model
    and size of demand in powers of 2) share one shape; thin groups are pulled to their class, that to all, that to
    the normal.
    """
    residual = np.where(scored, actual - forecast, 0).astype(np.float32)
    relative = _relative(forecast)
    squares = (residual**2 / relative).sum(axis=2, dtype=float)
    count = scored.sum(axis=2)
    fine, coarse = _groups(level, demand_class, model)
    dispersion = _dispersion(squares.sum(axis=0), count.sum(axis=0) * level, fine)
    std = _deviation(squares.sum(axis=0), count.sum(axis=0), level, dispersion)
    growth = _growth(residual, relative, scored, std)
    probabilities = np.concatenate([[0.001, 0.0025, 0.005], np.arange(0.01, 0.995, 0.01), [0.995, 0.9975, 0.999]])
    # Each origin's residuals are measured by what the other origins say: by their own they could never be surprising.
    unit = _deviation(squares.sum(axis=0) - squares, count.sum(axis=0) - count, level, dispersion)
    by_step = np.sqrt(relative * _variance_growth(growth, actual.shape[2])).astype(np.float32)
    standard = residual / (np.where(unit > 0, unit, 1.0).astype(np.float32)[:, :, None] * by_step)
    used = scored & (unit > 0)[:, :, None]
    rows = np.broadcast_to(np.arange(len(std))[None, :, None], scored.shape)[used]
    shape = _shapes(standard[used], rows, fine, coarse, probabilities)
    return Spread(std, growth, fine, probabilities, shape)


def of(spread: Spread, mean: np.ndarray, levels: np.ndarray, rows: slice, whole: np.ndarray) -> np.ndarray:
    """Quantiles of demand per period, ≥ 0, rising with the level. (rows, h, levels) float32

    mean: (rows, h); whole: (rows,) bool, series of whole numbers, whose quantiles are rounded to whole numbers:
    pooling over series of different means has blurred them.
    """
    horizon = mean.shape[1]
    deviation = spread.std[rows, None] * np.sqrt(_relative(mean) * spread.variance_growth(horizon))
    shape = at_levels(spread, levels)[spread.group[rows]]
    quantiles = (deviation.astype(np.float32)[:, :, None] * shape.astype(np.float32)[:, None, :]) + mean.astype(
        np.float32
    )[:, :, None]
    np.rint(quantiles, out=quantiles, where=whole[:, None, None])
    return np.maximum(quantiles, 0)


def at_levels(spread: Spread, levels: np.ndarray) -> np.ndarray:
    """Standardised residual of each group at any levels in (0, 1). (groups, levels), rising with the level.

    Between the stored probabilities linear on the normal scale; beyond them it goes on with the normal's steps.
    """
    known, wanted = ndtri(spread.probabilities), ndtri(np.asarray(levels, dtype=float))
    right = np.clip(np.searchsorted(known, wanted), 1, len(known) - 1)
    share = np.clip((wanted - known[right - 1]) / (known[right] - known[right - 1]), 0, 1)
    inside = spread.shape[:, right - 1] * (1 - share) + spread.shape[:, right] * share
    beyond = wanted - np.clip(wanted, known[0], known[-1])
    return np.asarray(inside + beyond)


def _relative(forecast: np.ndarray) -> np.ndarray:
    """Variance of each step relative to the series' mean one: it goes with the forecast, as for counts."""
    mean = forecast.mean(axis=-1, keepdims=True)
    return np.clip(np.where(mean > 0, forecast / np.where(mean > 0, mean, 1), 1), *_SEASON_RANGE)


def _variance_growth(growth: tuple[float, float], steps: int) -> np.ndarray:
    return np.asarray(growth[0] + growth[1] * np.arange(steps))


def _groups(level: np.ndarray, demand_class: np.ndarray, model: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Group numbers of the series: (class, model, size of demand) and the class of each of those groups."""
    size = np.clip(np.floor(np.log2(np.maximum(level, 1e-9))), -8, 16).astype(int) + 8
    _classes, class_code = np.unique(demand_class.astype(str), return_inverse=True)
    models, model_code = np.unique(model, return_inverse=True)
    joint, fine = np.unique((class_code * len(models) + model_code) * 32 + size, return_inverse=True)
    return fine, joint // 32 // len(models)


def _deviation(squares: np.ndarray, count: np.ndarray, level: np.ndarray, dispersion: np.ndarray) -> np.ndarray:
    pulled = (squares + _OWN_HALF_WEIGHT * dispersion * level) / (count + _OWN_HALF_WEIGHT)
    return np.asarray(np.sqrt(np.where(count < _FEW_RESIDUALS, np.maximum(pulled, level), pulled)))


def _dispersion(squares: np.ndarray, expected: np.ndarray, group: np.ndarray) -> np.ndarray:
    """Variance per unit of mean of each series' group; the groups' own pulled towards all, that towards 1. (n,)"""
    top, base = np.bincount(group, weights=squares), np.bincount(group, weights=expected)
    everyone = (squares.sum() + 1.0) / (expected.sum() + 1.0)
    pull = base.mean() * 0.1 + 1.0 if len(base) else 1.0
    return np.asarray(((top + pull * everyone) / (base + pull))[group])


def _growth(residual: np.ndarray, relative: np.ndarray, scored: np.ndarray, std: np.ndarray) -> tuple[float, float]:
    """(a, b) of variance at step h = a + b(h − 1), relative to the mean over the steps, never falling: b ≥ 0.

    The slope is pulled to 0 by its own uncertainty (positive-part James-Stein; every series at every origin is one
    observation of it): on a small panel a single late surprise must not widen all intervals without end.
    """
    variance = np.where(std > 0, std, 1.0)[None, :, None] ** 2
    used = scored & (std > 0)[None, :, None]
    ratio = np.where(used, residual**2 / (relative * variance), 0)
    count = used.sum(axis=(0, 1)).astype(float)
    steps = np.arange(len(count))
    if len(count) < 2 or (count == 0).any():
        return 1.0, 0.0
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


def _shapes(
    standard: np.ndarray, rows: np.ndarray, fine: np.ndarray, coarse: np.ndarray, probabilities: np.ndarray
) -> np.ndarray:
    """Quantiles of the standardised residuals per fine group, pulled to class, all and normal. (groups, points)"""
    normal = ndtri(probabilities)[None, :]
    everyone = _pulled(standard, np.zeros(len(standard), dtype=int), 1, normal, probabilities)
    classes = _pulled(standard, coarse[fine[rows]], int(coarse.max(initial=0)) + 1, everyone, probabilities)
    return _pulled(standard, fine[rows], len(coarse), classes[coarse], probabilities)


def _pulled(
    standard: np.ndarray, group: np.ndarray, n_groups: int, above: np.ndarray, probabilities: np.ndarray
) -> np.ndarray:
    count = np.bincount(group, minlength=n_groups)
    ordered = standard[np.lexsort((standard, group))].astype(float)
    begin = np.concatenate([[0], np.cumsum(count)[:-1]])
    place = begin[:, None] + probabilities[None, :] * np.maximum(count - 1, 0)[:, None]
    low = np.minimum(place.astype(int), max(len(ordered) - 1, 0))
    high = np.minimum(low + 1, np.maximum(begin + count - 1, 0)[:, None])
    share = place - low
    values = ordered if len(ordered) else np.zeros(1)
    own = values[low] * (1 - share) + values[high] * share
    weight = (count / (count + _POOL_HALF_WEIGHT))[:, None]
    return np.asarray(weight * own + (1 - weight) * above)
