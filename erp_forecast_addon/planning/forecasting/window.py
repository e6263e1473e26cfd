"""Window averages: the mean of the last few periods, or of the last few equal phases."""

import numpy as np

from erp_forecast_addon.planning.forecasting import seasonality

# How many cycles the window reaches back: eight weeks of days, three years of weeks and months.
WINDOW_CYCLES = {7: 8, 52: 3, 12: 3}
DEFAULT_WINDOW = 8
# Lengths in periods that a moving average may have: weeks and months of days; quarters and years of weeks and months.
WINDOW_LENGTHS = {7: (28, 56, 112), 52: (8, 26, 52), 12: (3, 6, 12)}
DEFAULT_LENGTHS = (4, 8, 16)
# Differences of running sums leave traces of rounding: less exposure than this is none.
_LEAST_EXPOSURE = 1e-6


class SeasonalWindowAverage:
    """ŷ(T+h) = mean of the observed values of the same phase in the last k cycles (k = WINDOW_CYCLES).

    The moving average of Hyndman & Athanasopoulos (FPP3, 5.2, average method) taken per phase. A phase without an
    observed value in the window takes the mean of the window, an unobserved window the mean of the whole history; a
    series younger than two cycles is forecast with the mean of its last DEFAULT_WINDOW periods.
    """

    name = "Seasonal Window Average"
    constant_bias = 0.0

    def forecast(
        self,
        demand: np.ndarray,
        mask: np.ndarray,
        horizon: int,
        season_length: int,
        prior: np.ndarray | None = None,
    ) -> np.ndarray:
        mean = np.repeat(_window_mean(demand, mask, 1, DEFAULT_WINDOW), season_length, axis=1)
        seasonal = seasonality.has_season(mask, season_length)
        if seasonal.any():
            window = WINDOW_CYCLES.get(season_length, DEFAULT_WINDOW)
            mean[seasonal] = _window_mean(demand[seasonal], mask[seasonal], season_length, window)
        return np.maximum(seasonality.ahead(mean, horizon), 0)


def _window_mean(demand: np.ndarray, mask: np.ndarray, season_length: int, window: int) -> np.ndarray:
    seen = seasonality.by_cycle(mask, season_length, window)
    sold = np.where(seen, seasonality.by_cycle(demand, season_length, window), 0)
    per_phase, count = sold.sum(axis=1), seen.sum(axis=1, dtype=demand.dtype)
    whole = np.where(mask, demand, 0).sum(axis=1, keepdims=True)
    whole = whole / np.maximum(mask.sum(axis=1, keepdims=True, dtype=demand.dtype), 1)
    inside = count.sum(axis=1, keepdims=True)
    level = np.where(inside > 0, per_phase.sum(axis=1, keepdims=True) / np.maximum(inside, 1), whole)
    return np.asarray(np.where(count > 0, per_phase / np.maximum(count, 1), level))


class WindowAverage:
    """ŷ = Σ y / Σ s over the last k periods, times the seasonal profile s: the moving average (FPP3, 5.2).

    Each length k of the grid is tried over the whole panel; each series takes the one with the least one-step squared
    error. Where the whole window is unobserved, the mean of the last longest window that is not, else of the history.
    """

    name = "Window Average"
    constant_bias = 0.0

    def __init__(self, lengths: dict[int, tuple[int, ...]] | None = None) -> None:
        self.lengths = WINDOW_LENGTHS if lengths is None else lengths

    def forecast(
        self,
        demand: np.ndarray,
        mask: np.ndarray,
        horizon: int,
        season_length: int,
        prior: np.ndarray | None = None,
    ) -> np.ndarray:
        index = seasonality.profile(demand, mask, season_length, prior)
        exposure = index[:, seasonality.phases(demand.shape[1], season_length)]
        level = window_level(demand, mask, exposure, self.lengths.get(season_length, DEFAULT_LENGTHS))
        return np.maximum(level[:, None] * seasonality.ahead(index, horizon), 0)


def window_level(demand: np.ndarray, mask: np.ndarray, exposure: np.ndarray, lengths: tuple[int, ...]) -> np.ndarray:
    """Σ y / Σ s over the last k periods, k of `lengths` with the least one-step squared error. (n,)"""
    sold, exposed = (np.where(mask, values, 0).astype(float) for values in (demand, exposure))
    summed, weight = (np.pad(np.cumsum(values, axis=1), ((0, 0), (1, 0))) for values in (sold, exposed))
    t = demand.shape[1]
    whole = summed[:, 1:] / np.where(weight[:, 1:] > 0, weight[:, 1:], 1)
    best, least = np.zeros(len(demand)), np.full(len(demand), np.inf)
    for length in sorted(lengths):  # over window lengths: levels[t] is the mean of the window that ends with period t
        before = np.maximum(np.arange(1, t + 1) - length, 0)
        base = weight[:, 1:] - weight[:, before]
        seen = base > _LEAST_EXPOSURE
        level = np.where(seen, (summed[:, 1:] - summed[:, before]) / np.where(seen, base, 1), whole)
        scored = mask[:, 1:] & (weight[:, 1:-1] > 0)
        miss = np.where(scored, demand[:, 1:] - level[:, :-1] * exposed[:, 1:], 0)
        error = (miss**2).sum(axis=1)
        better = error < least
        best, least = np.where(better, level[:, -1], best), np.where(better, error, least)
    return np.maximum(best, 0).astype(demand.dtype)
