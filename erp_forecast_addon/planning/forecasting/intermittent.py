"""Intermittent demand: Croston, the Syntetos-Boylan approximation, Teunter-Syntetos-Babai."""

import numpy as np

from erp_forecast_addon.planning.forecasting import seasonality


class Croston:
    """Croston (1972): demand size and interval are smoothed apart, ŷ = z/p, both only when demand occurs.

    The α of a small grid with the least one-step squared error per series; times the seasonal profile.
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
    """Demand per period after the last one, with the α of least one-step squared error per series. (n,)

    When demand occurs: z ← z + α(y − z), p ← p + α(q − p), q observed periods since the last demand (the first: since
    the start); ŷ = z/p, deflated: (1 − α/2)·z/p. z and p start as the first size and interval. warm_up: the k-th
    demand moves them by 1/k at least, so that the first few weigh equally; False: the textbook recursion.
    """
    sold, seen = _by_time(demand, mask)
    exposed = np.ascontiguousarray(exposure.T)
    n, dtype = len(demand), demand.dtype
    size, errors, rate = (np.zeros((n, len(alphas)), dtype=dtype) for _ in range(3))
    interval = np.ones((n, len(alphas)), dtype=dtype)
    since, count = np.zeros((n, 1), dtype=dtype), np.zeros((n, 1), dtype=dtype)
    factor = (1 - alphas / 2) if deflated else np.ones_like(alphas)
    for now in range(len(sold)):  # over periods: the recursion needs the period before
        there, value = seen[now, :, None], sold[now, :, None]
        miss = np.where(there & (count > 0), value - rate * exposed[now, :, None], 0)
        errors += miss * miss
        since += there
        hit = value > 0
        count += hit
        gain = np.where(hit, _gain(alphas, count, warm_up), 0)
        size += gain * (value - size)
        interval += gain * (since - interval)
        since = np.where(hit, 0, since)
        rate = factor * size / interval
    return np.take_along_axis(rate, np.argmin(errors, axis=1)[:, None], axis=1)[:, 0]


def tsb_rate(
    demand: np.ndarray,
    mask: np.ndarray,
    exposure: np.ndarray,
    alphas: np.ndarray,
    betas: np.ndarray,
    *,
    initial_probability: float | None = None,
) -> np.ndarray:
    """Demand per period after the last one, with the (α, β) of least one-step squared error per series. (n,)

    Every observed period: p ← p + β(o − p), o = 1 if demand occurred; when it did: z ← z + α(y − z); ŷ = p·z. The
    k-th period (k-th demand) moves p (z) by 1/k at least, unless initial_probability gives p_0: the textbook form,
    in which z starts as the first demand.
    """
    sold, seen = _by_time(demand, mask)
    exposed = np.ascontiguousarray(exposure.T)
    n, dtype, warm_up = len(demand), demand.dtype, initial_probability is None
    size, errors = (np.zeros((n, len(alphas)), dtype=dtype) for _ in range(2))
    chance = np.full((n, len(alphas)), initial_probability or 0.0, dtype=dtype)
    periods, count = np.zeros((n, 1), dtype=dtype), np.zeros((n, 1), dtype=dtype)
    for now in range(len(sold)):  # over periods: the recursion needs the period before
        there, value = seen[now, :, None], sold[now, :, None]
        miss = np.where(there & (count > 0), value - chance * size * exposed[now, :, None], 0)
        errors += miss * miss
        hit = value > 0
        periods += there
        count += hit
        step = np.maximum(betas, 1 / np.maximum(periods, 1)) if warm_up else betas
        chance += np.where(there, step * (hit - chance), 0)
        size += np.where(hit, _gain(alphas, count, warm_up) * (value - size), 0)
    rate = chance * size
    return np.take_along_axis(rate, np.argmin(errors, axis=1)[:, None], axis=1)[:, 0]


def _gain(alphas: np.ndarray, count: np.ndarray, warm_up: bool) -> np.ndarray:
    """How far the count-th demand moves a state: all the way the first time."""
    start = 1 / np.maximum(count, 1)
    return np.asarray(np.maximum(alphas, start) if warm_up else np.where(count <= 1, 1, alphas))


def _by_time(demand: np.ndarray, mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    sold = np.maximum(np.where(mask, demand, 0), 0)
    return np.ascontiguousarray(sold.T), np.ascontiguousarray(mask.T)
