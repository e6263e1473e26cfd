"""Which (series, origin, period) rows a model learns from."""

from dataclasses import dataclass

import numpy as np

from erp_forecast_addon.planning.forecasting.boosting.features import Rows
from erp_forecast_addon.planning.forecasting.boosting.rhythm import RHYTHM
from erp_forecast_addon.planning.panel import Panel

# The variance of counts is a few times their mean, whatever is counted. A series whose ratio is so many times that of
# the typical one is measured in another unit.
_OTHER_UNIT = 10.0
# Periods that a series must have existed for before it is learned from.
MIN_AGE = 4


@dataclass(frozen=True)
class Sample:
    """rows, sorted by series; weight: (rows,) how many rows of the panel each stands for, up to a factor; mean 1."""

    rows: Rows
    weight: np.ndarray


def draw(panel: Panel, steps: tuple[int, int], count: int, half_life: float, generator: np.random.Generator) -> Sample:
    """About `count` rows with known demand and an origin before them.

    steps: first and last step from origin to period; half_life: periods after which a period is drawn half as often.
    A series is drawn in proportion to the root of its mean demand, and weighs the inverse: all units sold count alike
    once a row is weighed with its demand, but the noise of the sample is spent where little is sold. Units of another
    order of magnitude, grams among pieces, are brought to that of the others.
    """
    rhythm = RHYTHM[panel.period]
    span = panel.t - rhythm.min_past
    seen = panel.observed
    mean, unit = _mean_and_unit(panel, seen)
    importance = np.sqrt(mean / unit)
    if span < 1 or not importance.any():
        none = np.zeros(0, dtype=np.int64)
        return Sample(Rows(none, none, none), np.zeros(0))
    importance += 0.05 * importance.mean()  # a series that never sold is learned from too, rarely
    share = importance / importance.sum()
    series = np.sort(generator.choice(panel.n, count, p=share))
    fading = 0.5 ** (np.arange(span) / half_life)
    target = panel.t - 1 - generator.choice(span, count, p=fading / fading.sum())
    end = target + 1 - generator.integers(steps[0], steps[1] + 1, count)
    good = (end >= np.maximum(rhythm.min_past, panel.first[series] + MIN_AGE)) & seen[series, target]
    good &= end > _first_sale(panel, seen)[series]  # before it there is no level that a factor could be of
    series, target, end = series[good], target[good], end[good]
    weight = 1.0 / (share * unit)[series]
    return Sample(Rows(series, end, target), weight / weight.mean() if len(weight) else weight)


def _first_sale(panel: Panel, seen: np.ndarray) -> np.ndarray:
    """The period of the first known sale, t without one. (n,)"""
    sold = seen & (panel.demand > 0)
    return np.asarray(np.where(sold.any(axis=1), sold.argmax(axis=1), panel.t))


def _mean_and_unit(panel: Panel, seen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean known demand, and what to divide it by so that it counts in the unit of most series. (n,), (n,)

    1 for most. The unit is told by the dispersion, variance over mean: it grows with the unit as the mean itself does.
    """
    count = np.maximum(seen.sum(axis=1), 1)
    sold = np.where(seen, np.maximum(panel.demand, 0), 0)
    mean = sold.sum(axis=1) / count
    variance = np.maximum((sold**2).sum(axis=1) / count - mean**2, 0) + 0.01 * mean**2
    dispersion = variance / np.where(mean > 0, mean, 1)
    typical = np.median(dispersion[mean > 0]) if (mean > 0).any() else 1.0
    usual = np.clip(dispersion, typical / _OTHER_UNIT, typical * _OTHER_UNIT)
    return mean, np.where(mean > 0, dispersion / np.where(mean > 0, usual, 1), 1.0)
