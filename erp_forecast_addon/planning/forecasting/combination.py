"""How the models' forecasts are combined: weights learned per demand class, tilted a little by the series' own results.

A single series has too few sales to fit weights on (Claeskens et al. 2016 on why estimated weights lose to equal ones);
a class of series has enough. Weights are those of least squared error of the *sum*, so models that err in opposite
directions help each other (Bates & Granger 1969), pulled towards equal weights.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from erp_forecast_addon.planning.forecasting.backtest import Backtest
from erp_forecast_addon.planning.forecasting.catalog import DEFAULT_MODEL
from erp_forecast_addon.planning.messages import _

# A series' own result counts as much as its class's once so many periods with demand have been judged.
_OWN_HALF_WEIGHT_PERIODS = 60.0
# How far the own result may tilt the class's weights: the exponent of the relative squared error.
_OWN_TILT = 1.0
# A class speaks for itself as much as all classes together once it holds so many well-judged series.
_CLASS_HALF_WEIGHT_SERIES = 10.0
# Ridge towards equal weights, as a share of the mean squared error.
_EQUAL_PULL = 0.05
# Models below this share of the weight are dropped: they cost time and explain nothing.
_SMALLEST_SHARE = 0.03
# From this share on a forecast carries the name of its main model.
MAIN_SHARE = 0.6
COMBINATION = _("Combination")
_TINY = 1e-9
# A series whose mean squared error is below this share of its mean squared change counts no more than one at it.
_LEAST_ERROR = 0.05


@dataclass(frozen=True)
class Weights:
    """models: m names; by_class: class name -> (m,) shares that sum to 1; everyone: (m,) for classes never judged."""

    models: tuple[str, ...]
    by_class: dict[str, np.ndarray]
    everyone: np.ndarray

    def of(self, tested: Backtest, demand_class: np.ndarray) -> np.ndarray:
        """Shares of the models for each series, the class's tilted by its own errors. (n, m), rows sum to 1"""
        shared = np.array([self.by_class.get(name, self.everyone) for name in demand_class.tolist()])
        if not len(shared) or not tested.origins:
            return shared.reshape(len(demand_class), len(self.models))
        squared = tested.squared_errors()
        judged = (tested.scored & (tested.actual > 0)).sum(axis=(0, 2))
        tilt = _OWN_TILT * judged / (judged + _OWN_HALF_WEIGHT_PERIODS)
        mean = squared.mean(axis=1, keepdims=True)
        relative = np.where(mean > 0, squared / np.where(mean > 0, mean, 1), 1)
        own = shared * np.maximum(relative, 1e-3) ** -tilt[:, None]
        own /= own.sum(axis=1, keepdims=True)
        own = np.where(own < _SMALLEST_SHARE, 0, own)
        return np.asarray(own / own.sum(axis=1, keepdims=True))


def learn_weights(tested: Backtest, demand_class: np.ndarray, scale: np.ndarray) -> Weights:
    """Per class the shares w ≥ 0, Σw = 1 with the least Σ_i v_i (Σ_k w_k e_ik)² / s_i, e_i the backtest errors;
    plus a ridge towards equal shares.

    scale: (n,) s_i, the mean squared change of each series before the first origin. v_i: the root of s_i over the mean
    squared error, so that a few wild series do not decide. Neither depends on whether demand occurred in the windows:
    judging only those in which something was sold would favour models that forecast too much.
    A class with few judged series is pulled towards all. Without a judged series it is DEFAULT_MODEL alone.
    """
    count = tested.counts() if tested.origins else np.zeros(len(demand_class))
    judged = (count > 0) & (scale > 0)
    if not judged.any():
        return Weights(tested.models, {}, _default(tested.models))
    gram = _error_products(tested) / (np.maximum(count, 1) * np.where(judged, scale, 1))[:, None, None]
    error = np.einsum("nmm->nm", gram).mean(axis=1)
    weight = np.where(judged, np.maximum(error, _LEAST_ERROR) ** -0.5, 0.0)
    relative = gram * weight[:, None, None]
    everyone = relative.sum(axis=0) / max(weight.sum(), _TINY)
    by_class = {}
    for name in sorted(set(demand_class.tolist())):  # over classes
        rows = demand_class == name
        total, count = relative[rows].sum(axis=0), weight[rows].sum()
        pulled = (total + _CLASS_HALF_WEIGHT_SERIES * everyone) / (count + _CLASS_HALF_WEIGHT_SERIES)
        by_class[name] = least_squares_shares(pulled)
    return Weights(tested.models, by_class, least_squares_shares(everyone))


def names(weights: np.ndarray, models: tuple[str, ...]) -> np.ndarray:
    """The main model where it dominates, else COMBINATION. (n,) object"""
    main = np.argmax(weights, axis=1)
    dominates = weights[np.arange(len(weights)), main] >= MAIN_SHARE
    return np.where(dominates, np.asarray(models, dtype=object)[main], COMBINATION)


def reasons(weights: np.ndarray, tested: Backtest, demand_class: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A sentence per series as template (n,) and values (n,) of dicts."""
    learned = _(
        "{mixture}: the shares that erred least together for {demand_class} items in {origins} backtests of {steps} "
        "periods, tilted by this item's own results; best by itself alone: {best_model} (RMSE {best_rmse})."
    )
    shared = _("{mixture}: what does best for comparable items ({demand_class}); this one has too few sales to judge.")
    alone = _("{mixture}: the history is too short to test models on it.")
    nothing = _("Nothing was sold or issued while stock was there; the forecast is 0.")
    n = len(demand_class)
    squared = tested.squared_errors() if tested.origins else np.zeros((n, len(tested.models)))
    judged = (tested.scored & (tested.actual > 0)).any(axis=(0, 2)) if tested.origins else np.zeros(n, dtype=bool)
    templates = np.where(judged, learned, shared if tested.origins else alone)
    templates = np.where(demand_class == "No Demand", nothing, templates).astype(object)
    best = np.argmin(squared, axis=1)
    rmse = np.sqrt(squared[np.arange(n), best] / np.maximum(tested.counts() if tested.origins else 1, 1))
    texts = _mixtures(weights, tested.models)
    values = np.empty(n, dtype=object)
    # A dict per series is what the records hold; it is built once per run and has no array form.
    values[:] = [
        _values(tested, *row)
        for row in zip(texts, best.tolist(), rmse.round(3).tolist(), demand_class.tolist(), strict=True)
    ]
    return templates, values


def _values(tested: Backtest, mixture: str, best: int, best_rmse: float, demand_class: str) -> dict[str, Any]:
    return {
        "mixture": mixture, "best_model": tested.models[best], "best_rmse": best_rmse,
        "origins": len(tested.origins), "steps": tested.steps, "demand_class": demand_class,
    }  # fmt: skip


def _mixtures(weights: np.ndarray, models: tuple[str, ...]) -> list[str]:
    """'Theta 45%, Croston 30%, …' of each row; rows with the same whole percents share one text."""
    percents = np.rint(weights * 100).astype(int)
    used, at = np.unique(percents, axis=0, return_inverse=True)
    texts = [", ".join(f"{models[k]} {row[k]}%" for k in np.argsort(-row, kind="stable") if row[k] > 0) for row in used]
    return [texts[k] for k in at.reshape(-1).tolist()]


def _error_products(tested: Backtest) -> np.ndarray:
    """Σ e_a e_b over the scored periods of each series. (n, m, m)"""
    m, k, n, _steps = tested.forecasts.shape
    products = np.zeros((n, m, m))
    for at in range(k):  # over origins: bounds the memory
        error = np.where(tested.scored[at], tested.actual[at] - tested.forecasts[:, at], 0)
        series_first = error.transpose(1, 0, 2)
        products += series_first @ series_first.transpose(0, 2, 1)
    return products


def _default(models: tuple[str, ...]) -> np.ndarray:
    share = np.zeros(len(models))
    share[models.index(DEFAULT_MODEL) if DEFAULT_MODEL in models else 0] = 1.0
    return share


def least_squares_shares(gram: np.ndarray) -> np.ndarray:
    """argmin w'Gw + ridge·|w − 1/m|², w ≥ 0, Σw = 1, as non-negative least squares with a heavy row for the sum."""
    from scipy.optimize import nnls  # slow to import, and a single item is forecast without it

    m = len(gram)
    level = np.trace(gram) / m
    if level <= 0:
        return np.full(m, 1 / m)
    values, vectors = np.linalg.eigh(gram / level)
    root = np.sqrt(np.maximum(values, 0))[:, None] * vectors.T
    ridge = np.sqrt(_EQUAL_PULL)
    heavy = 1e3
    rows = np.vstack([root, ridge * np.eye(m), np.full((1, m), heavy)])
    target = np.concatenate([np.zeros(m), np.full(m, ridge / m), [heavy]])
    share, _residual = nnls(rows, target)
    share = np.where(share / share.sum() < _SMALLEST_SHARE, 0, share)
    return np.asarray(share / share.sum())
