"""Intermittent demand: Croston, the Syntetos-Boylan approximation, Teunter-Syntetos-Babai."""

import numpy as np

from erp_forecast_addon.planning.forecasting import seasonality
from erp_forecast_addon.planning.forecasting.smoothing import averaged, by_time, grid_shares


class Croston:
    """Croston (1972): demand size and interval are smoothed apart, ŷ = z/p, both only when demand occurs.

    The mean over the α of a small grid by their one-step errors (grid_shares); times the seasonal profile.
    """

    name = "Croston"
    constant_bias = 0.0
    deflated = False

    def __init__(self, alphas: tuple[float, ...] = (0.05, 0.1, 0.2)) -> None:
        self.alphas = alphas
        if self.deflated:
            self.constant_bias = max(alphas) / 2

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
        rate = croston_rate(demand, mask, exposure, alphas, deflated=self.deflated)
        return np.asarray(rate[:, None] * seasonality.ahead(index, horizon))


class SyntetosBoylan(Croston):
    """Croston times 1 − α/2, which takes out its bias (Syntetos & Boylan 2005, Int. J. Forecasting 21, 303-314)."""

    name = "Syntetos-Boylan"
    deflated = True


class TeunterSyntetosBabai:
    """TSB (Teunter, Syntetos & Babai 2011, EJOR 214, 606-615): ŷ = p·z; the probability p of demand is updated every
    period, the size z when demand occurs, so that the forecast of an item that dies out falls.
    """

    name = "Teunter-Syntetos-Babai"
    constant_bias = 0.0

    def __init__(self, alphas: tuple[float, ...] = (0.05, 0.2), betas: tuple[float, ...] = (0.02, 0.05, 0.1)) -> None:
        grid = [(alpha, beta) for alpha in alphas for beta in betas]
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
        rate = tsb_rate(demand, mask, exposure, alphas, betas)
        return np.asarray(rate[:, None] * seasonality.ahead(index, horizon))


def croston_rate(
    demand: np.ndarray,
    mask: np.ndarray,
    exposure: np.ndarray,
    alphas: np.ndarray,
    *,
    deflated: bool,
    warm_up: bool = True,
) -> np.ndarray:
    """Demand per period after the last one, the mean over the α by their one-step errors (grid_shares). (n,)

    When demand occurs: z ← z + α(y − z), p ← p + α(q − p), q observed periods since the last demand (the first: since
    the start); ŷ = z/p, deflated: (1 − α/2)·z/p. z and p start as the first size and interval. warm_up: the k-th
    demand moves them by 1/k at least, so that the first few weigh equally; False: the textbook recursion.
    """
    sold, seen = by_time(np.maximum(np.where(mask, demand, 0), 0)), by_time(mask)
    exposed = by_time(np.where(mask, exposure, 0).astype(demand.dtype))
    shape, dtype = (len(alphas), len(demand)), demand.dtype
    size, errors, rate, miss = (np.zeros(shape, dtype=dtype) for _ in range(4))
    interval = np.ones(shape, dtype=dtype)
    since, count = np.zeros(len(demand), dtype=dtype), np.zeros(len(demand), dtype=dtype)
    factor = ((1 - alphas / 2) if deflated else np.ones_like(alphas))[:, None]
    for now in range(len(sold)):  # over periods: the recursion needs the period before
        value = sold[now]
        # Before the first demand every α has rate 0 and so the same error, which decides nothing.
        np.multiply(rate, exposed[now], out=miss)
        np.subtract(value, miss, out=miss)
        np.multiply(miss, miss, out=miss)
        errors += miss
        since += seen[now]
        hit = value > 0
        some = np.flatnonzero(hit)
        if not len(some):
            continue
        count[some] += 1
        gain = _gain(alphas, count[some], warm_up)
        size[:, some] += gain * (value[some] - size[:, some])
        interval[:, some] += gain * (since[some] - interval[:, some])
        rate[:, some] = factor * size[:, some] / interval[:, some]
        since[some] = 0
    return averaged(rate, grid_shares(errors, mask))


def tsb_rate(
    demand: np.ndarray,
    mask: np.ndarray,
    exposure: np.ndarray,
    alphas: np.ndarray,
    betas: np.ndarray,
    *,
    initial_probability: float | None = None,
) -> np.ndarray:
    """Demand per period after the last one, the mean over the (α, β) by their one-step errors. (n,)

    Every observed period: p ← p + β(o − p), o = 1 if demand occurred; when it did: z ← z + α(y − z); ŷ = p·z. The
    k-th period (k-th demand) moves p (z) by 1/k at least, unless initial_probability gives p_0: the textbook form,
    in which z starts as the first demand.
    """
    sold, seen = by_time(np.maximum(np.where(mask, demand, 0), 0)), by_time(mask.astype(demand.dtype))
    exposed = by_time(np.where(mask, exposure, 0).astype(demand.dtype))
    shape, dtype, warm_up = (len(alphas), len(demand)), demand.dtype, initial_probability is None
    size, errors, miss = (np.zeros(shape, dtype=dtype) for _ in range(3))
    chance = np.full(shape, initial_probability or 0.0, dtype=dtype)
    steps = 1 / np.maximum(np.cumsum(seen, axis=0, dtype=dtype), 1)
    count = np.zeros(len(demand), dtype=dtype)
    for now in range(len(sold)):  # over periods: the recursion needs the period before
        value = sold[now]
        np.multiply(chance, size, out=miss)
        miss *= exposed[now]
        np.subtract(value, miss, out=miss)
        np.multiply(miss, miss, out=miss)
        errors += miss
        hit = value > 0
        step = np.maximum(betas[:, None], steps[now]) if warm_up else betas[:, None]
        np.subtract(hit, chance, out=miss)
        miss *= step
        miss *= seen[now]
        chance += miss
        some = np.flatnonzero(hit)
        count[some] += 1
        size[:, some] += _gain(alphas, count[some], warm_up) * (value[some] - size[:, some])
    return averaged(chance * size, grid_shares(errors, mask))


def _gain(alphas: np.ndarray, count: np.ndarray, warm_up: bool) -> np.ndarray:
    """How far the count-th demand moves a state: all the way the first time. (g, len(count))"""
    alpha = alphas[:, None]
    return np.asarray(np.maximum(alpha, 1 / count) if warm_up else np.where(count <= 1, 1, alpha))
