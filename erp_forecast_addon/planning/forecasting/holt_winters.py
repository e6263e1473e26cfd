"""Exponential smoothing with a trend and a season that both change: Holt and Holt-Winters."""

from dataclasses import dataclass
from itertools import product

import numpy as np

from erp_forecast_addon.planning.forecasting import seasonality
from erp_forecast_addon.planning.forecasting.smoothing import Season, averaged, by_time, damped_states, grid_shares

# A period in which less than this share of the level is usual says little about the level, and a level below this
# share of the series' mean little about the season: errors are not blown up by what they are divided by.
_LEAST_INDEX = 0.2


class HoltTrend:
    """Holt's linear trend (Holt 1957; FPP3, 8.2), times the seasonal profile: Damped Trend with φ = 1.

    The states are the mean over a grid of (α, β) by their one-step errors (grid_shares).
    """

    name = "Holt Trend"
    constant_bias = 0.0

    def __init__(
        self, alphas: tuple[float, ...] = (0.05, 0.1, 0.3, 0.6), betas: tuple[float, ...] = (0.02, 0.1, 0.3)
    ) -> None:
        grid = list(product(alphas, betas))
        self.alphas = tuple(alpha for alpha, _ in grid)
        self.betas = tuple(beta for _, beta in grid)

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
        level, trend = damped_states(demand, mask, exposure, alphas, betas, 1.0)
        line = level[:, None] + trend[:, None] * np.arange(1, horizon + 1, dtype=demand.dtype)
        return np.maximum(line, 0) * seasonality.ahead(index, horizon)


class HoltWinters:
    """Holt-Winters with a damped trend, the season times or plus the level (Winters 1960; FPP3, 8.3).

    The season starts as the profile (shrunk to the group's) and is then updated with γ, so that it may change; each
    (α, β, γ) of a grid runs over the whole panel; the states are their mean by one-step errors (grid_shares).
    A series without a season has Gardner's damped trend.
    """

    constant_bias = 0.0

    def __init__(
        self,
        season: Season = "multiplicative",
        alphas: tuple[float, ...] = (0.05, 0.15, 0.4),
        betas: tuple[float, ...] = (0.0, 0.1),
        gammas: tuple[float, ...] = (0.02, 0.1),
        damping: float = 0.95,
    ) -> None:
        self.name = "Holt-Winters" if season == "multiplicative" else "Holt-Winters (Additive)"
        self.season = season
        self.damping = damping
        self.grid = tuple(product(alphas, betas, gammas))

    def forecast(
        self,
        demand: np.ndarray,
        mask: np.ndarray,
        horizon: int,
        season_length: int,
        prior: np.ndarray | None = None,
    ) -> np.ndarray:
        index = seasonality.profile(demand, mask, season_length, prior)
        if self.season == "additive":
            count = np.maximum(mask.sum(axis=1, keepdims=True, dtype=demand.dtype), 1)
            index = (index - 1) * (np.where(mask, demand, 0).sum(axis=1, keepdims=True) / count)
        updated = seasonality.has_season(mask, season_length)
        grid = np.asarray(self.grid, dtype=demand.dtype).T
        states = seasonal_states(demand, mask, index, grid, self.damping, self.season, updated=updated)
        steps = np.cumsum(self.damping ** np.arange(1, horizon + 1)).astype(demand.dtype)
        line = states.level[:, None] + states.trend[:, None] * steps
        seasons = seasonality.ahead(states.season, horizon)
        return np.maximum(np.maximum(line, 0) * seasons if self.season == "multiplicative" else line + seasons, 0)


@dataclass(frozen=True)
class SeasonalStates:
    """After the last period: level (n,), trend (n,) per period, season (n, season_length) by phase."""

    level: np.ndarray
    trend: np.ndarray
    season: np.ndarray


def seasonal_states(
    demand: np.ndarray,
    mask: np.ndarray,
    initial_season: np.ndarray,
    grid: np.ndarray,
    damping: float,
    kind: Season,
    *,
    updated: np.ndarray | None = None,
    initial: tuple[float, float] | None = None,
) -> SeasonalStates:
    """The states, means over the (α, β, γ) by their one-step errors (grid_shares).

    grid: (3, g), rows α, β, γ; initial_season: (n, season_length) by phase; updated: (n,) bool, False: the season stays
    as it is. With m = ℓ + φb: multiplicative e = y − m·s, ℓ ← m + α·e/s, b ← φb + α·β·e/s, s ← s + γ·e/m; additive
    e = y − m − s, ℓ ← m + α·e, b ← φb + α·β·e, s ← s + γ·e (FPP3, 8.3, in error-correction form). A multiplicative e is
    divided by max(s, _LEAST_INDEX) and max(m, _LEAST_INDEX · mean of the series), and s never falls below 0. The k-th
    observation moves the level by 1/k at least and the trend starts at 0, unless initial gives (ℓ_0, b_0): the
    textbook form.
    """
    alphas, betas, gammas = grid[:, :, None]
    times, n, dtype = kind == "multiplicative", len(demand), demand.dtype
    sold, seen = by_time(np.where(mask, demand, 0)), by_time(mask)
    shape = (grid.shape[1], n)
    start = (0.0, 0.0) if initial is None else initial
    level, trend = (np.full(shape, value, dtype=dtype) for value in start)
    errors = np.zeros(shape, dtype=dtype)
    season = np.repeat(initial_season.T[:, None].astype(dtype), grid.shape[1], axis=1)  # (phase, g, n)
    turning = np.ones(n, dtype=bool) if updated is None else updated
    gains = 1 / np.maximum(np.cumsum(seen, axis=0, dtype=dtype), 1)
    began = np.full(n, initial is not None)
    least = (_LEAST_INDEX * sold.sum(axis=0) / np.maximum(seen.sum(axis=0), 1)).astype(dtype)
    for now, phase in enumerate(seasonality.phases(len(sold), len(season))):  # the recursion needs the period before
        there, index = seen[now], season[phase]
        ahead = level + damping * trend
        miss = sold[now] - (ahead * index if times else ahead + index)
        known = there & began
        np.add(errors, miss * miss, out=errors, where=known)
        step = miss / np.maximum(index, _LEAST_INDEX) if times else miss
        if times:
            base = np.maximum(ahead, least)
            moved = index + np.divide(gammas * miss, base, out=np.zeros_like(base), where=base > 0)
            np.copyto(index, np.maximum(moved, 0), where=known & turning)
        else:
            np.copyto(index, index + gammas * miss, where=known & turning)
        gain = alphas if initial is not None else np.maximum(alphas, gains[now])
        np.copyto(level, ahead + gain * step, where=there)
        np.copyto(trend, damping * trend + alphas * betas * step, where=known)
        began |= there
    shares = grid_shares(errors, mask)
    seasons = np.stack([averaged(states, shares) for states in season], axis=1)  # over phases
    return SeasonalStates(averaged(level, shares), averaged(trend, shares), seasons)
