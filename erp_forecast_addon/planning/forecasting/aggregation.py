"""Temporal aggregation: forecasts made on sums over several periods, where rare demand looks regular."""

import numpy as np

from erp_forecast_addon.planning.forecasting import seasonality
from erp_forecast_addon.planning.forecasting.smoothing import smoothed_level

# Longest bucket, in periods.
MAX_BUCKET = 104


class Adida:
    """ADIDA (Nikolopoulos, Syntetos, Boylan, Petropoulos & Assimakopoulos 2011, JORS 62, 544-554).

    Demand is summed over buckets as long as the mean interval between demands, the sums are smoothed (a mean
    over a grid of α by their one-step errors) and the level is shared out over the periods; times the seasonal profile.
    """

    name = "ADIDA"
    constant_bias = 0.0
    _all_levels = False

    def __init__(self, alphas: tuple[float, ...] = (0.05, 0.1, 0.2, 0.4)) -> None:
        self.alphas = alphas

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
        alphas = np.asarray(self.alphas, dtype=demand.dtype)
        rate = aggregated_rate(demand, mask, exposure, alphas, all_levels=self._all_levels)
        return np.maximum(rate[:, None] * seasonality.ahead(index, horizon), 0)


class Imapa(Adida):
    """IMAPA (Petropoulos & Kourentzes 2015, JORS 66, 914-924): the mean of the forecasts made on buckets of 1, 2, … up
    to the mean interval between demands.
    """

    name = "IMAPA"
    _all_levels = True


def aggregated_rate(
    demand: np.ndarray, mask: np.ndarray, exposure: np.ndarray, alphas: np.ndarray, *, all_levels: bool
) -> np.ndarray:
    """Demand per period after the last one. (n,)

    The level of a bucket length k is smoothed_level of the buckets' sums with the buckets' summed exposure, so a bucket
    that was observed in part counts as far as it was. all_levels: the mean over k = 1 … K, else k = K alone.
    """
    longest = bucket_length(demand, mask)
    sold, seen = np.where(mask, demand, 0), np.where(mask, exposure, 0).astype(demand.dtype)
    total = np.zeros(len(demand), dtype=demand.dtype)
    for length in range(1, int(longest.max(initial=0)) + 1):  # over bucket lengths, at most MAX_BUCKET
        rows = np.flatnonzero(longest >= length if all_levels else longest == length)
        if len(rows):
            sums = seasonality.by_cycle(sold[rows], length).sum(axis=2)
            weight = seasonality.by_cycle(seen[rows], length).sum(axis=2)
            there = np.asarray(seasonality.by_cycle(mask[rows], length).any(axis=2))
            total[rows] += smoothed_level(sums, there, weight, alphas)
    return total / longest.astype(demand.dtype) if all_levels else total


def bucket_length(demand: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """The mean interval between demands in whole periods, 1 to MAX_BUCKET and at most the history. (n,)

    Taken up to the last demand: the silence since then may be the end and is no interval between two.
    """
    sold, seen = mask & (demand > 0), mask.cumsum(axis=1)
    count, observed = sold.sum(axis=1), mask.sum(axis=1)
    last = demand.shape[1] - 1 - np.argmax(sold[:, ::-1], axis=1)
    span = np.take_along_axis(seen, last[:, None], axis=1)[:, 0]
    interval = np.rint(span / np.maximum(count, 1)).astype(int)
    return np.asarray(np.clip(interval, 1, np.clip(observed, 1, MAX_BUCKET)))
