"""Possible courses of demand: whole paths over the next periods that agree with a forecast's quantiles.

What a shelf goes through between two deliveries depends on the order in which demand comes, which no quantile of a
period or of a sum tells. A path is one way it may come; a policy is judged, or searched, on some hundred of them.
"""

import numpy as np
from scipy.special import ndtri

from erp_forecast_addon.planning.forecasting import quantiles
from erp_forecast_addon.planning.forecasting.own_past import OwnPast

# Correlations are rounded to these steps, so that series share a few sets of ranks.
_STEP = 0.05
_LARGEST = 0.9
_MIX_SEED = 19


def demand_paths(
    spread: quantiles.Spread,
    mean: np.ndarray,
    whole: np.ndarray,
    *,
    paths: int = 200,
    seed: int = 0,
    own_past: OwnPast | None = None,
    workers: int = 1,
) -> np.ndarray:
    """Equally likely paths of demand, ≥ 0, whole for counts. mean: (n, h); returns (n, paths, h) float32

    own_past: of the same rows, its lift (n, h). As large a share of the paths as it has in a sum over half their length
    (what a path is asked about ends before it does) is drawn from it, the others from the forecast. Of those the paths
    of a series take, in each period, every quantile (k + ½) / paths once: Latin hypercube sampling, whose means over
    paths vary far less than those of free draws (McKay, Beckman & Conover, Technometrics 21, 1979). Which
    path has a high quantile where is drawn from normal scores (Iman & Conover, Communications in Statistics B 11,
    1982) that share a part ρ over the periods; ρ is such that the variance of the sum grows as it did in the
    backtest: Var Σ / Σ Var = 1 + (h - 1)·ρ. The same seed gives the same ranks for any series, so one series alone
    has the paths it has among all.
    """
    n, h = mean.shape
    levels = (np.arange(paths) + 0.5) / paths
    cells = quantiles.per_period(spread, mean, levels, whole, workers=workers)
    growth = quantiles.sum_growth(spread, np.full(n, float(h))) if h > 1 else np.ones(n)
    step = np.rint(np.clip((growth - 1.0) / max(h - 1, 1), 0.0, _LARGEST) / _STEP).astype(int)
    result = np.empty((n, paths, h), dtype=np.float32)
    for number in np.unique(step):  # over a few correlations
        rows = step == number
        rank = path_ranks(paths, h, number * _STEP, seed)
        result[rows] = np.take_along_axis(cells[rows].transpose(0, 2, 1), rank[None], axis=1)
    if own_past is not None:
        _mix(result, own_past, whole)
    return result


def _mix(paths: np.ndarray, own_past: OwnPast, whole: np.ndarray) -> None:
    """Put courses of the own past in the place of some paths (n, p, h), the same ones for every series."""
    n, count, h = paths.shape
    taken = np.rint(own_past.share_of(np.full(n, (1.0 + h) / 2.0)) * count).astype(int)
    order = np.random.default_rng(_MIX_SEED).permutation(count)
    for number in np.unique(taken[taken > 0]):  # over the few shares there are
        rows = np.flatnonzero(taken == number)
        past = own_past.select(rows)
        paths[rows[:, None], order[:number][None, :]] = past.courses(int(number), past.lift, whole[rows])


def path_ranks(paths: int, h: int, correlation: float, seed: int) -> np.ndarray:
    """Of each path in each period, from scores that share `correlation`. (paths, h) int, columns are permutations"""
    random = np.random.default_rng(seed)
    scores = ndtri((np.arange(paths) + 0.5) / paths)
    common = random.permuted(scores)
    own = random.permuted(np.broadcast_to(scores, (h, paths)), axis=1)
    mixed = np.sqrt(correlation) * common + np.sqrt(1.0 - correlation) * own
    return np.asarray(np.argsort(np.argsort(mixed, axis=1, kind="stable"), axis=1, kind="stable").T)
