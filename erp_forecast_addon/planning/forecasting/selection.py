"""Which model forecasts a series: its own backtest, pulled towards what works for its demand class."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from erp_forecast_addon.planning.forecasting.backtest import Backtest
from erp_forecast_addon.planning.forecasting.catalog import DEFAULT_MODEL
from erp_forecast_addon.planning.messages import _

# A series' own result counts as much as its class's once so many periods with demand have been judged.
_OWN_HALF_WEIGHT_PERIODS = 60.0
_TINY = 1e-6


@dataclass(frozen=True)
class Choice:
    """number: (n,) index into Backtest.models; reason_template (n,) object, reason_values (n,) object of dicts."""

    number: np.ndarray
    reason_template: np.ndarray
    reason_values: np.ndarray


def choose(tested: Backtest, demand_class: np.ndarray) -> Choice:
    """The model of least shrunken error per series.

    Error of model k on series i: log(MSE_ik / mean_k MSE_ik), so that each series counts alike. The class's error is
    the mean over its series, weighted by w; the shrunken one w_i·own + (1 − w_i)·class, w = c / (c + 60) with c the
    judged periods with demand. Without a single judged series of the class all series together stand for it; without
    any it is DEFAULT_MODEL.
    """
    squared = tested.squared_errors()
    demands = (tested.scored & (tested.actual > 0)).sum(axis=(0, 2))
    mean = squared.mean(axis=1, keepdims=True)
    judged = (demands > 0) & (mean[:, 0] > 0)
    own = np.log(squared / np.where(mean > 0, mean, 1.0) + _TINY)
    weight = np.where(judged, demands / (demands + _OWN_HALF_WEIGHT_PERIODS), 0.0)
    pooled = _class_errors(own, weight, demand_class)
    mixed = weight[:, None] * own + (1 - weight[:, None]) * pooled
    number = np.argmin(mixed, axis=1) if judged.any() else np.full(len(own), _default(tested.models))
    return Choice(number, *_reasons(tested, number, squared, judged, demand_class))


def _default(models: tuple[str, ...]) -> int:
    return models.index(DEFAULT_MODEL) if DEFAULT_MODEL in models else 0


def _class_errors(own: np.ndarray, weight: np.ndarray, demand_class: np.ndarray) -> np.ndarray:
    """The weighted mean error of each series' class; of all series where the class has none. (n, m)"""
    names, code = np.unique(demand_class.astype(str), return_inverse=True)
    base = np.bincount(code, weights=weight, minlength=len(names))
    total = np.stack(
        [np.bincount(code, weights=weight * own[:, k], minlength=len(names)) for k in range(own.shape[1])], axis=1
    )
    everyone = total.sum(axis=0) / max(base.sum(), _TINY)
    known = base > 0
    by_class = np.where(known[:, None], total / np.where(known, base, 1.0)[:, None], everyone)
    return np.asarray(by_class[code])


def _reasons(
    tested: Backtest, number: np.ndarray, squared: np.ndarray, judged: np.ndarray, demand_class: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    own = _(
        "{model} was chosen: in {origins} backtests of {steps} periods its error (RMSE {rmse}) was weighed with that "
        "of other {demand_class} items; best by this item alone: {best_model} ({best_rmse})."
    )
    others = _(
        "{model} was chosen because it does best for comparable items; this one ({demand_class}) has too few sales to "
        "judge by itself."
    )
    nothing = _("Nothing was sold or issued while stock was there; the forecast is 0.")
    templates = np.where(judged, own, np.where(demand_class == "No Demand", nothing, others)).astype(object)
    rmse = np.sqrt(squared / np.maximum(tested.counts(), 1)[:, None])
    best = np.argmin(squared, axis=1)
    rows = np.arange(len(number))
    columns = zip(
        number.tolist(), rmse[rows, number].round(3).tolist(), best.tolist(), rmse[rows, best].round(3).tolist(),
        demand_class.tolist(), strict=True,
    )  # fmt: skip
    values = np.empty(len(number), dtype=object)
    # A dict per series is what the records hold; it is built once per run and has no array form.
    values[:] = [_values(tested, *row) for row in columns]
    return templates, values


def _values(
    tested: Backtest, model: int, rmse: float, best: int, best_rmse: float, demand_class: str
) -> dict[str, Any]:
    return {
        "model": tested.models[model], "rmse": rmse, "best_model": tested.models[best], "best_rmse": best_rmse,
        "origins": len(tested.origins), "steps": tested.steps, "demand_class": demand_class,
    }  # fmt: skip
