"""Seasonal window average: the mean of the last few equal phases."""

import numpy as np

from erp_forecast_addon.planning.forecasting import seasonality

# How many cycles the window reaches back: eight weeks of days, three years of weeks and months.
WINDOW_CYCLES = {7: 8, 52: 3, 12: 3}
DEFAULT_WINDOW = 8


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
