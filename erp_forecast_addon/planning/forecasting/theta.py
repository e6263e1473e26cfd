"""The Theta method, with the trend estimated anew in every period (dynamic) and θ chosen from a grid."""

import numpy as np

from erp_forecast_addon.planning.forecasting import seasonality
from erp_forecast_addon.planning.forecasting.smoothing import Fading, averaged, by_time, grid_shares

# Two points make a line through noise; the slope counts from so many observations on.
_LEAST_POINTS = 5


class Theta:
    """ŷ(T+h) = (ℓ_T + (1 − 1/θ)·B·(h + a_T))·s, ℓ simple smoothing, B the slope of the series' straight line.

    Assimakopoulos & Nikolopoulos (2000): the mean of the line and of the smoothed θ-line; with θ = 2 smoothing with
    half the slope as drift (Hyndman & Billah 2003, eq. 8). θ from a grid and B re-estimated in each period: Fiorucci,
    Pellegrini, Louzada, Petropoulos & Koehler (2016), Int. J. Forecasting 32, 1151-1161 (the dynamic optimised theta
    model). Over the (α, θ) of a grid the mean by their one-step errors is taken (grid_shares).
    """

    name = "Theta"
    constant_bias = 0.0

    def __init__(
        self,
        alphas: tuple[float, ...] = (0.05, 0.1, 0.2, 0.4, 0.7),
        thetas: tuple[float, ...] = (1.0, 1.5, 2.0, 4.0),
    ) -> None:
        self.alphas = alphas
        self.thetas = thetas

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
        level, drift = theta_states(demand, mask, exposure, alphas, np.asarray(self.thetas))
        line = level[:, None] + drift[:, None] * np.arange(1, horizon + 1, dtype=demand.dtype)
        return np.maximum(line, 0) * seasonality.ahead(index, horizon)


def theta_states(
    demand: np.ndarray, mask: np.ndarray, exposure: np.ndarray, alphas: np.ndarray, thetas: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Level ℓ + (1 − 1/θ)·B·a after the last period and drift (1 − 1/θ)·B per period. (n,), (n,)

    ℓ_t = Σ w_k y_{t−k} / Σ w_k s_{t−k}, w_k = (1−α)^k over observed periods; a = Σ w_k s k / Σ w_k s, (1−α)/α in the
    limit: a line smoothed so lags a periods behind itself. B: least squares of y/s on time over the observed periods so
    far, weighted with s. One-step error: y − (ℓ + (1 − 1/θ)·B·(1 + a))·s.
    """
    sold = by_time(np.where(mask, demand, 0))
    exposed = by_time(np.where(mask, exposure, 0).astype(demand.dtype))
    fading = Fading(mask, 1 - alphas)
    shape, dtype = (len(alphas), len(demand)), demand.dtype
    total, weight, aged, level, age = (np.zeros(shape, dtype=dtype) for _ in range(5))
    squares, crossed, slopes = (np.zeros(shape, dtype=dtype) for _ in range(3))
    line = _RunningLine(len(demand))
    slope = np.zeros(len(demand), dtype=dtype)
    for now in range(len(sold)):  # over periods: the recursion needs the period before
        # Before the first observation every α and θ has level and slope 0 and so the same error.
        miss = sold[now] - level * exposed[now]
        reach = (1 + age) * (slope * exposed[now])
        squares += miss * miss
        crossed += miss * reach
        slopes += reach * reach
        fade = fading.at(now)
        aged += weight
        aged *= fade
        total *= fade
        total += sold[now]
        weight *= fade
        weight += exposed[now]
        np.divide(total, weight, out=level, where=weight > 0)
        np.divide(aged, weight, out=age, where=weight > 0)
        slope = line.add(now, sold[now], exposed[now]).astype(dtype)
    pulls = (1 - 1 / thetas).astype(dtype)
    errors = squares[:, None] - 2 * pulls[:, None] * crossed[:, None] + pulls[:, None] ** 2 * slopes[:, None]
    shares = grid_shares(errors.reshape(len(alphas) * len(pulls), -1), mask).reshape(errors.shape)
    pull = (shares * pulls[:, None]).sum(axis=1)  # Σ over θ of share·(1 − 1/θ), by α
    return averaged(level, shares.sum(axis=1)) + slope * (pull * age).sum(axis=0), slope * pull.sum(axis=0)


class _RunningLine:
    """The slope of y/s on time, weighted with s, as observations come in. Double precision: sums of squares of time."""

    def __init__(self, n: int) -> None:
        self.count = np.zeros(n, dtype=np.int64)
        self.weight, self.mean_time, self.mean_rate, self.spread, self.joint = (np.zeros(n) for _ in range(5))

    def add(self, now: int, sold: np.ndarray, exposed: np.ndarray) -> np.ndarray:
        """Slope per period with the value of period `now` taken in; 0 below _LEAST_POINTS observations. (n,)

        Welford's update of weighted covariance (West 1979), which needs no large differences.
        """
        self.count += exposed > 0
        self.weight += exposed
        share = exposed / np.where(self.weight > 0, self.weight, 1)
        time_gap = now - self.mean_time
        rate = sold / np.where(exposed > 0, exposed, 1)
        self.mean_time += share * time_gap
        rate_gap = rate - self.mean_rate
        self.mean_rate += np.where(exposed > 0, share * rate_gap, 0)
        self.spread += exposed * time_gap * (now - self.mean_time)
        self.joint += np.where(exposed > 0, exposed * rate_gap * (now - self.mean_time), 0)
        known = (self.count >= _LEAST_POINTS) & (self.spread > 0)
        return np.asarray(np.where(known, self.joint / np.where(known, self.spread, 1), 0))
