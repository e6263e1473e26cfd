"""Seasonal naive: the last known value of the same phase."""

import numpy as np

from erp_forecast_addon.planning.forecasting import seasonality


class SeasonalNaive:
    """ŷ(T+h) = the latest observed value of the same phase (Hyndman & Athanasopoulos, FPP3, 5.2).

    A phase that was never observed takes the mean of what was; a series younger than two cycles its last value.
    """

    name = "Seasonal Naive"
    constant_bias = 0.0

    def forecast(
        self,
        demand: np.ndarray,
        mask: np.ndarray,
        horizon: int,
        season_length: int,
        prior: np.ndarray | None = None,
    ) -> np.ndarray:
        last = np.repeat(_latest(demand, mask, 1), season_length, axis=1)
        seasonal = seasonality.has_season(mask, season_length)
        if seasonal.any():
            last[seasonal] = _latest(demand[seasonal], mask[seasonal], season_length)
        return np.maximum(seasonality.ahead(last, horizon), 0)


def _latest(demand: np.ndarray, mask: np.ndarray, season_length: int) -> np.ndarray:
    """The latest observed value of each phase, else the mean of the observed ones, else 0. (n, season_length)"""
    values = seasonality.by_cycle(demand, season_length)
    seen = seasonality.by_cycle(mask, season_length)
    cycles = seen.shape[1]
    back = np.argmax(seen[:, ::-1], axis=1)
    found = np.take_along_axis(values, (cycles - 1 - back)[:, None], axis=1)[:, 0]
    count = np.maximum(mask.sum(axis=1, keepdims=True, dtype=demand.dtype), 1)
    mean = np.where(mask, demand, 0).sum(axis=1, keepdims=True) / count
    return np.where(seen.any(axis=1), found, mean)
