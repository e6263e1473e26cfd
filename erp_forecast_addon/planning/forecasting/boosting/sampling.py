"""Which (series, origin, period) rows a model learns from."""

from dataclasses import dataclass

import numpy as np

from erp_forecast_addon.planning.forecasting.boosting.features import Rows
from erp_forecast_addon.planning.forecasting.boosting.rhythm import RHYTHM
from erp_forecast_addon.planning.panel import Panel

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
    A series is drawn in proportion to the root of its mean demand, and weighs the inverse: all series count alike
    (before their demand is given its weight), but the noise of the sample is spent where little is sold.
    """
    rhythm = RHYTHM[panel.period]
    span = panel.t - rhythm.min_past
    seen = panel.observed
    mean = np.where(seen, np.maximum(panel.demand, 0), 0).sum(axis=1) / np.maximum(seen.sum(axis=1), 1)
    importance = np.sqrt(mean)
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
    series, target, end = series[good], target[good], end[good]
    weight = 1.0 / share[series]
    return Sample(Rows(series, end, target), weight / weight.mean() if len(weight) else weight)
