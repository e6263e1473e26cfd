"""Exponential smoothing: simple and with a damped trend, with a seasonal profile."""

from typing import Literal

import numpy as np

from erp_forecast_addon.planning.forecasting import seasonality

Season = Literal["multiplicative", "additive"]


class SimpleSmoothing:
    """Simple exponential smoothing of the deseasonalised level (Brown 1959; FPP3, 8.1), times or plus the season.

    Each α of the grid runs over the whole panel; each series takes the one with the least one-step squared error.
    """

    constant_bias = 0.0

    def __init__(
        self, season: Season = "multiplicative", alphas: tuple[float, ...] = (0.02, 0.05, 0.1, 0.2, 0.4)
    ) -> None:
        self.name = "Exponential Smoothing" if season == "multiplicative" else "Exponential Smoothing (Additive)"
        self.season = season
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
        alphas = np.asarray(self.alphas, dtype=demand.dtype)
        if self.season == "multiplicative":
            exposure = index[:, seasonality.phases(demand.shape[1], season_length)]
            level = smoothed_level(demand, mask, exposure, alphas)
            return np.maximum(level[:, None] * seasonality.ahead(index, horizon), 0)
        count = np.maximum(mask.sum(axis=1, keepdims=True, dtype=demand.dtype), 1)
        offset = (index - 1) * (np.where(mask, demand, 0).sum(axis=1, keepdims=True) / count)
        lifted = demand - offset[:, seasonality.phases(demand.shape[1], season_length)]
        level = smoothed_level(lifted, mask, np.ones_like(demand), alphas)
        return np.maximum(level[:, None] + seasonality.ahead(offset, horizon), 0)


class DampedTrend:
    """Exponential smoothing with a damped trend (Gardner & McKenzie 1985; FPP3, 8.2), times the seasonal profile."""

    name = "Damped Trend"
    constant_bias = 0.0

    def __init__(
        self,
        alphas: tuple[float, ...] = (0.05, 0.1, 0.3),
        betas: tuple[float, ...] = (0.05, 0.2),
        damping: float = 0.9,
    ) -> None:
        grid = [(alpha, beta) for alpha in alphas for beta in betas]
        self.alphas = tuple(alpha for alpha, _ in grid)
        self.betas = tuple(beta for _, beta in grid)
        self.damping = damping

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
        alphas, betas = (np.asarray(values, dtype=demand.dtype) for values in (self.alphas, self.betas))
        level, trend = damped_states(demand, mask, exposure, alphas, betas, self.damping)
        steps = np.cumsum(self.damping ** np.arange(1, horizon + 1)).astype(demand.dtype)
        line = level[:, None] + trend[:, None] * steps
        return np.maximum(line, 0) * seasonality.ahead(index, horizon)


def smoothed_level(
    demand: np.ndarray,
    mask: np.ndarray,
    exposure: np.ndarray,
    alphas: np.ndarray,
    initial: float | None = None,
) -> np.ndarray:
    """The level after the last period, with the α of least one-step squared error per series. (n,)

    With a season of 1, ℓ_t = Σ (1−α)^k y_{t−k} / Σ (1−α)^k: simple exponential smoothing whose start-up weighs the
    first values equally instead of trusting the first one (normalised weights). With exposure s, the seasonal index
    of the period, ℓ_t = Σ (1−α)^k y_{t−k} / Σ (1−α)^k s_{t−k}, so that a period in which little is sold anyway says
    little. Unobserved periods change nothing. initial: ℓ_0 of the textbook recursion ℓ_t = α·y_t + (1−α)·ℓ_{t−1},
    which it then equals exactly.
    """
    sold, seen, exposed = _by_time(demand, mask, exposure)
    fade = np.where(seen[:, :, None], 1 - alphas, 1).astype(demand.dtype)
    shape = (len(demand), len(alphas))
    start = 0 if initial is None else 1 / alphas
    total = np.broadcast_to(np.asarray(start * (initial or 0), dtype=demand.dtype), shape).copy()
    weight = np.broadcast_to(np.asarray(start, dtype=demand.dtype), shape).copy()
    errors = np.zeros(shape, dtype=demand.dtype)
    level = total / np.where(weight > 0, weight, 1)
    known = np.broadcast_to(weight > 0, shape)
    for now in range(len(sold)):  # over periods: the recursion needs the period before; series and α are vectorised
        miss = np.where(seen[now, :, None] & known, sold[now, :, None] - level * exposed[now, :, None], 0)
        errors += miss * miss
        total = total * fade[now] + sold[now, :, None]
        weight = weight * fade[now] + exposed[now, :, None]
        known = weight > 0
        level = np.where(known, total / np.where(known, weight, 1), 0)
    return np.take_along_axis(level, np.argmin(errors, axis=1)[:, None], axis=1)[:, 0]


def damped_states(
    demand: np.ndarray,
    mask: np.ndarray,
    exposure: np.ndarray,
    alphas: np.ndarray,
    betas: np.ndarray,
    damping: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Level and trend after the last period, with the (α, β) of least one-step squared error per series. (n,), (n,)

    Error-correction form: e = y − (ℓ + φb)·s; ℓ ← ℓ + φb + α·e/max(s, 1); b ← φb + α·β·e/max(s, 1). Dividing by
    max(s, 1) instead of s keeps a slow day's error from being blown up. The k-th observation moves the level by
    1/k at least, and the trend starts at 0.
    """
    sold, seen, exposed = _by_time(demand, mask, exposure)
    shape = (len(demand), len(alphas))
    level, trend, errors = (np.zeros(shape, dtype=demand.dtype) for _ in range(3))
    count = np.zeros((len(demand), 1), dtype=demand.dtype)
    for now in range(len(sold)):  # over periods: the recursion needs the period before
        there = seen[now, :, None]
        season = exposed[now, :, None]
        ahead = level + damping * trend
        miss = np.where(there, sold[now, :, None] - ahead * season, 0)
        errors += np.where(count > 0, miss * miss, 0)
        count += there
        step = miss / np.maximum(season, 1)
        level = np.where(there, ahead + np.maximum(alphas, 1 / np.maximum(count, 1)) * step, level)
        trend = np.where(there & (count > 1), damping * trend + alphas * betas * step, trend)
    best = np.argmin(errors, axis=1)[:, None]
    return np.take_along_axis(level, best, axis=1)[:, 0], np.take_along_axis(trend, best, axis=1)[:, 0]


def _by_time(demand: np.ndarray, mask: np.ndarray, exposure: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Time first, so that each step of a recursion reads one row of memory; 0 where nothing was observed."""
    return (
        np.ascontiguousarray(np.where(mask, demand, 0).T),
        np.ascontiguousarray(mask.T),
        np.ascontiguousarray(np.where(mask, exposure, 0).T),
    )
