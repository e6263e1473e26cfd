"""Seasonal profiles: how much of the level falls on each period of the cycle.

The *phase* of a period counts from the forecast origin: the first period after the history has phase 0, and a period
k before it the phase (−k) mod season_length. So no model needs to know the calendar.
"""

import numpy as np

# Cycles of the history that a profile may rest on: a year of days (a week changes slowly, holidays bend few weeks), all
# years there are of weeks and months.
CYCLES = {7: 52, 52: 4, 12: 6}
DEFAULT_CYCLES = 8
# How much a series' own indices differ from those of its group, as a variance.
OWN_SEASON_VARIANCE = 0.05
# Weight of the prior, in cycles, for a series without any noise.
MIN_PRIOR_CYCLES = 0.25


def by_cycle(values: np.ndarray, season_length: int, cycles: int | None = None) -> np.ndarray:
    """(n, t) to (n, cycles, season_length), the last `cycles` (None: all); missing periods in front are 0 or False."""
    n, t = values.shape
    wanted = -(-t // season_length) if cycles is None else min(cycles, -(-t // season_length))
    length = wanted * season_length
    if length <= t:
        return values[:, t - length :].reshape(n, wanted, season_length)
    padded = np.zeros((n, length), dtype=values.dtype)
    padded[:, length - t :] = values
    return padded.reshape(n, wanted, season_length)


def has_season(mask: np.ndarray, season_length: int) -> np.ndarray:
    """Series whose history reaches over two whole cycles; the others are forecast without a season. (n,) bool"""
    t = mask.shape[1]
    if season_length < 2 or t < 2 * season_length:
        return np.zeros(len(mask), dtype=bool)
    return np.asarray(mask[:, : t - 2 * season_length + 1].any(axis=1))


def profile(demand: np.ndarray, mask: np.ndarray, season_length: int, prior: np.ndarray | None = None) -> np.ndarray:
    """Multiplicative seasonal indices by phase, ≥ 0 and with mean 1. (n, season_length)

    Ratio to the mean of each cycle (classical decomposition, Hyndman & Athanasopoulos, Forecasting: Principles and
    Practice, 3.4, with the cycle's mean as trend), summed over cycles before dividing so that cycles with more demand
    weigh more, and shrunk to `prior` (flat: 1): s_p = (Σ_c y_cp + κ·m·prior_p) / (Σ_c m_c + κ·m), m_c the cycle's mean,
    m the mean of all. κ = (variance within phases / m²) / OWN_SEASON_VARIANCE, the weight that is best when indices
    differ from the prior by that variance (empirical Bayes, Efron & Morris 1973): a sparse or noisy series takes over
    the prior, a regular one keeps its own. Series without a season get 1 everywhere.
    """
    index = np.ones((len(demand), season_length), dtype=demand.dtype)
    seasonal = has_season(mask, season_length)
    if not seasonal.any():
        return index
    sums, exposure, pull = phase_sums(demand[seasonal], mask[seasonal], season_length)
    towards = np.ones_like(sums) if prior is None else prior[seasonal]
    total = exposure + pull
    known = total > 0
    shrunk = np.where(known, (sums + pull * towards) / np.where(known, total, 1.0), towards)
    mean = shrunk.mean(axis=1, keepdims=True)
    index[seasonal] = np.where(mean > 0, shrunk / np.where(mean > 0, mean, 1.0), 1.0)
    return index


def phase_sums(demand: np.ndarray, mask: np.ndarray, season_length: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Per phase, demand and what it would be without a season (the cycles' means); and the pull κ·m of the prior.

    (n, season_length), (n, season_length), (n, 1)
    """
    sold, exposure = cycle_sums(demand, mask, season_length)
    seen = by_cycle(mask, season_length, sold.shape[1])
    sums, count = sold.sum(axis=1), seen.sum(axis=1, dtype=demand.dtype)
    within = (sold**2).sum(axis=(1, 2)) - (sums**2 / np.maximum(count, 1)).sum(axis=1)
    freedom = np.maximum(count.sum(axis=1) - (count > 0).sum(axis=1), 1)
    mean = sums.sum(axis=1) / np.maximum(count.sum(axis=1), 1)
    noise = np.maximum(within, 0) / freedom / np.where(mean > 0, mean, 1)
    pull = noise / OWN_SEASON_VARIANCE + MIN_PRIOR_CYCLES * mean
    return sums, exposure.sum(axis=1), pull[:, None]


def cycle_sums(demand: np.ndarray, mask: np.ndarray, season_length: int) -> tuple[np.ndarray, np.ndarray]:
    """Demand by cycle and phase, and what it would be without a season: the cycle's mean where it was observed.

    (n, cycles, season_length) each, the last CYCLES of the history.
    """
    cycles = CYCLES.get(season_length, DEFAULT_CYCLES)
    seen = by_cycle(mask, season_length, cycles)
    sold = np.where(seen, np.maximum(by_cycle(demand, season_length, cycles), 0), 0)
    level = sold.sum(axis=2, keepdims=True) / np.maximum(seen.sum(axis=2, keepdims=True, dtype=demand.dtype), 1)
    return sold, np.where(seen, level, 0)


def steady_share(sold: np.ndarray, exposure: np.ndarray) -> float:
    """Which share of the differences between a group's seasonal indices comes back every cycle, 0 to 1.

    sold, exposure: (cycles, season_length), sums of cycle_sums over the group's series. The noise of an index is how it
    differs between cycles; what the indices differ more than that is season (positive-part James-Stein, Efron & Morris
    1973). Two cycles of rare demand make any profile look seasonal.
    """
    there = exposure > 0
    count = there.sum(axis=0)
    ratio = np.divide(sold, exposure, out=np.zeros(sold.shape), where=there)
    phases_known = count >= 2
    if phases_known.sum() < 2:
        return 0.0
    many, known = count[phases_known], there[:, phases_known]
    index = np.where(known, ratio[:, phases_known], 0).sum(axis=0) / many
    between = np.where(known, (ratio[:, phases_known] - index) ** 2, 0).sum(axis=0) / (many - 1)
    differences = float(index.var(ddof=1))
    return max(0.0, 1 - float((between / many).mean()) / differences) if differences > 0 else 0.0


def phases(t: int, season_length: int) -> np.ndarray:
    """The phase of each period of a history of t periods. (t,)"""
    return np.arange(-t, 0) % season_length


def ahead(indices: np.ndarray, horizon: int) -> np.ndarray:
    """Seasonal indices of the next `horizon` periods. (n, horizon)"""
    return indices[:, np.arange(horizon) % indices.shape[1]]
