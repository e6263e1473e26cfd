"""Exponential smoothing: simple and with a damped trend, with a seasonal profile."""

from typing import Literal

import numpy as np

from erp_forecast_addon.planning.forecasting import seasonality

Season = Literal["multiplicative", "additive"]


class SimpleSmoothing:
    """Simple exponential smoothing of the deseasonalised level (Brown 1959; FPP3, 8.1), times or plus the season.

    Each α of the grid runs over the whole panel; a series' level is their mean by one-step error (grid_shares).
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
    """The level after the last period, the mean over the α by their one-step errors (grid_shares). (n,)

    With a season of 1, ℓ_t = Σ (1−α)^k y_{t−k} / Σ (1−α)^k: simple exponential smoothing whose start-up weighs the
    first values equally instead of trusting the first one (normalised weights). With exposure s, the seasonal index
    of the period, ℓ_t = Σ (1−α)^k y_{t−k} / Σ (1−α)^k s_{t−k}, so that a period in which little is sold anyway says
    little. Unobserved periods change nothing. initial: ℓ_0 of the textbook recursion ℓ_t = α·y_t + (1−α)·ℓ_{t−1},
    which it then equals exactly.
    """
    sold = by_time(np.where(mask, demand, 0))
    exposed = by_time(np.where(mask, exposure, 0).astype(demand.dtype))
    fading = Fading(mask, 1 - alphas)
    shape = (len(alphas), len(demand))  # series last: long rows are what numpy is fast at
    start = np.zeros_like(alphas) if initial is None else 1 / alphas
    total = np.repeat((start * (initial or 0)).astype(demand.dtype)[:, None], len(demand), axis=1)
    weight = np.repeat(start.astype(demand.dtype)[:, None], len(demand), axis=1)
    errors, level = np.zeros(shape, dtype=demand.dtype), np.zeros(shape, dtype=demand.dtype)
    np.divide(total, weight, out=level, where=weight > 0)
    miss = np.empty(shape, dtype=demand.dtype)
    for now in range(len(sold)):  # over periods: the recursion needs the period before; series and α are vectorised
        # Before the first observation every α has level 0 and so the same error, which decides nothing.
        np.multiply(level, exposed[now], out=miss)
        np.subtract(sold[now], miss, out=miss)
        np.multiply(miss, miss, out=miss)
        errors += miss
        fade = fading.at(now)
        total *= fade
        total += sold[now]
        weight *= fade
        weight += exposed[now]
        np.divide(total, weight, out=level, where=weight > 0)
    return averaged(level, grid_shares(errors, mask))


def damped_states(
    demand: np.ndarray,
    mask: np.ndarray,
    exposure: np.ndarray,
    alphas: np.ndarray,
    betas: np.ndarray,
    damping: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Level and trend after the last period, means over the (α, β) by their one-step errors (grid_shares). (n,), (n,)

    Error-correction form: e = y − (ℓ + φb)·s; ℓ ← ℓ + φb + α·e/max(s, 1); b ← φb + α·β·e/max(s, 1). Dividing by
    max(s, 1) instead of s keeps a slow day's error from being blown up. The k-th observation moves the level by
    1/k at least, and the trend starts at 0.
    """
    sold, seen = by_time(np.where(mask, demand, 0)), by_time(mask.astype(demand.dtype))
    exposed = by_time(np.where(mask, exposure, 0).astype(demand.dtype))
    inverse = 1 / np.maximum(exposed, 1)
    gains = np.cumsum(seen, axis=0, dtype=demand.dtype)
    np.divide(1, gains, out=gains, where=gains > 0)
    shape = (len(alphas), len(demand))
    level, trend, errors = (np.zeros(shape, dtype=demand.dtype) for _ in range(3))
    alpha, beta = alphas[:, None], betas[:, None]
    began = np.zeros(len(demand), dtype=bool)
    for now in range(len(sold)):  # over periods: the recursion needs the period before
        ahead = level + damping * trend
        # What is not observed has sold = exposed = 0, so its error is 0.
        miss = sold[now] - ahead * exposed[now]
        errors += miss * miss
        miss *= inverse[now]
        there, earlier = seen[now], began.astype(demand.dtype)
        began |= there > 0
        np.copyto(level, ahead + np.maximum(alpha, gains[now]) * miss, where=there > 0)
        np.copyto(trend, damping * trend + alpha * beta * miss, where=(there * earlier) > 0)
    shares = grid_shares(errors, mask)
    return averaged(level, shares), averaged(trend, shares)


class Fading:
    """What a recursion's states are multiplied with in each period: `keep` where it was observed, else 1."""

    def __init__(self, mask: np.ndarray, keep: np.ndarray) -> None:
        self.keep = keep[:, None]
        self.seen = by_time(mask)
        self.everywhere = np.asarray(self.seen.all(axis=1))

    def at(self, now: int) -> np.ndarray:
        """(g, n), or (g, 1) for a period that was observed in all series."""
        return self.keep if self.everywhere[now] else np.where(self.seen[now], self.keep, np.ones_like(self.keep))


def grid_shares(errors: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """How much each grid point counts per series, from its sums of one-step squared errors (g, n). (g, n), sums 1

    Akaike weights (Burnham & Anderson 2002, ch. 2.9) of models with as many parameters: w_g ∝ (E_min / E_g)^(k/2), k
    the observed periods. A short or noisy history does not tell its grid points apart and gets their mean; a long clear
    one gets the best alone.
    """
    ratio = np.divide(errors.min(axis=0), errors, out=np.ones_like(errors), where=errors > 0)
    share = ratio ** (mask.sum(axis=1) / 2).astype(errors.dtype)
    return np.asarray(share / over_grid(share))


def averaged(states: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """Σ_g share·state, exact where all states agree; both (g, n). (n,)"""
    return np.asarray(states[0] + over_grid((states - states[0]) * shares))


def over_grid(values: np.ndarray) -> np.ndarray:
    """Sum over the first axis, one point after the other: numpy's own sum adds a lone column in another order, and a
    series alone would be rounded otherwise than among others."""
    return np.asarray(np.add.accumulate(values, axis=0)[-1])


def by_time(values: np.ndarray) -> np.ndarray:
    """(n, t) to (t, n), so that each step of a recursion reads one row of memory."""
    return np.ascontiguousarray(values.T)
