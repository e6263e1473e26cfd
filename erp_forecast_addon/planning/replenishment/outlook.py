"""The demand that a plan expects, asked for its pairs: means, deviations, quantiles and courses."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from erp_forecast_addon.planning.inventory.classes import abc_classes
from erp_forecast_addon.planning.inventory.demand_distribution import Totals, gamma_totals
from erp_forecast_addon.planning.inventory.level_courses import Paths
from erp_forecast_addon.planning.inventory.occasional import Asked, Prior
from erp_forecast_addon.planning.settings import PlanSettings

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
_MONTH_DAYS = 28


@dataclass(frozen=True)
class DemandOutlook:
    """Expected demand of (n,) pairs. keys: item_code, warehouse, unique; demand_class: (n,) text;
    daily_mean(as_of, days) -> (n, days), stock units a day from as_of + 1; daily_std() -> (n,);
    last_year_qty: (n,) demand of the last 365 days, stock units.
    totals(as_of, rows (m,), days (m,), levels (q,)) -> (m, q): quantiles of what some rows ask for in the days after
    as_of; None: gamma distributions of the mean and deviation. variation: (n,) coefficient of variation of a month's
    demand, None: not known. abc_class: (n,) where it is known already, "" for the others; None: for all by money.
    paths(rows (m,), periods, p=200, with_past=False) -> (m, p, periods): equally likely courses of demand in periods of
    period_days days, None: not known; with_past: see ForecastSet.paths. long_run_daily(as_of) -> (n,): a day's mean by
    which orders are sized; None: that of the days ahead. asked: what each was asked for one by one, None: not known;
    prior: what a whole company told of such items, None: these rows tell it.
    """

    keys: pd.DataFrame
    demand_class: np.ndarray
    daily_mean: Callable[[date, int], np.ndarray]
    daily_std: Callable[[], np.ndarray]
    last_year_qty: np.ndarray
    totals: Callable[[date, np.ndarray, np.ndarray, np.ndarray], np.ndarray] | None = None
    variation: np.ndarray | None = None
    abc_class: np.ndarray | None = None
    paths: Callable[..., np.ndarray] | None = None
    period_days: float = 1.0
    long_run_daily: Callable[[date], np.ndarray] | None = None
    asked: Asked | None = None
    prior: Prior | None = None


def expected_demand(
    outlook: DemandOutlook, pairs: pd.DataFrame, as_of: date, days: int
) -> tuple[Floats, Floats, Flags]:
    """Daily mean (n, days) and deviation (n,) of the pairs, and which forecasts are not finite (taken as none)."""
    row = pairs["forecast_row"].to_numpy()
    mean, std = np.zeros((len(pairs), days)), np.zeros(len(pairs))
    known = row >= 0
    if known.any():
        mean[known] = outlook.daily_mean(as_of, days)[row[known]]
        std[known] = outlook.daily_std()[row[known]]
    unusable = ~np.isfinite(mean).all(axis=1) | ~np.isfinite(std)
    mean[unusable], std[unusable] = 0.0, 0.0
    return np.maximum(mean, 0.0), np.maximum(std, 0.0), unusable


def long_run_daily(outlook: DemandOutlook, pairs: pd.DataFrame, unusable: Flags, as_of: date) -> Floats | None:
    """(n,) mean of a day by which the pairs' orders are sized; None where the outlook does not tell it."""
    if outlook.long_run_daily is None:
        return None
    told = np.append(outlook.long_run_daily(as_of), 0.0)[pairs["forecast_row"].to_numpy()]
    return np.where(unusable, 0.0, told)


def abc_of(outlook: DemandOutlook, pairs: pd.DataFrame, settings: PlanSettings) -> NDArray[np.object_]:
    by_money = abc_classes(_annual_money(pairs), settings.abc_thresholds)
    if outlook.abc_class is None:
        return by_money
    known = np.append(np.asarray(outlook.abc_class, dtype=object), [""])[pairs["forecast_row"]]
    return np.where(known == "", by_money, known).astype(object)


def variation_of(outlook: DemandOutlook, pairs: pd.DataFrame, daily_mean: Floats, daily_std: Floats) -> Floats:
    """Coefficient of variation of a month's demand: what the history says, else what the forecast does. (n,)"""
    month = daily_mean[:, :_MONTH_DAYS].mean(axis=1) * _MONTH_DAYS
    expected = np.full(len(pairs), np.nan)
    np.divide(daily_std * np.sqrt(_MONTH_DAYS), month, out=expected, where=month > 0.0)
    if outlook.variation is None:
        return expected
    seen = np.append(np.asarray(outlook.variation, dtype=float), [np.nan])[pairs["forecast_row"]]
    return np.where(np.isnan(seen), expected, seen)


def pair_totals(
    outlook: DemandOutlook, pairs: pd.DataFrame, daily_mean: Floats, daily_std: Floats, unusable: Flags, as_of: date
) -> Totals:
    """Quantiles of the demand of some days, by rows of `pairs`; nothing where there is no usable forecast."""
    if outlook.totals is None:
        return gamma_totals(daily_mean, daily_std)
    ask, forecast_row = outlook.totals, np.where(unusable, -1, pairs["forecast_row"].to_numpy())

    def totals(rows: NDArray[np.int64], days: Floats, levels: Floats) -> Floats:
        found = np.zeros((len(rows), len(levels)))
        known = forecast_row[rows] >= 0
        if known.any():
            found[known] = ask(as_of, forecast_row[rows[known]], days[known], levels)
        return found

    return totals


def pair_paths(outlook: DemandOutlook, pairs: pd.DataFrame) -> Paths | None:
    """Courses of demand by rows of `pairs`, only asked of those that have a forecast."""
    if outlook.paths is None:
        return None
    known, forecast_row = outlook.paths, pairs["forecast_row"].to_numpy()
    return lambda rows, periods, count: known(forecast_row[rows], periods, count, True)


def _annual_money(pairs: pd.DataFrame) -> Floats:
    """Last year's demand at cost: valuation, else the supplier's price, else the selling rate. Company currency."""
    cost = pairs["valuation_rate"].where(pairs["valuation_rate"] > 0.0)
    cost = cost.fillna(pairs["base_rate"]).fillna(pairs["selling_rate"]).fillna(0.0)
    return np.asarray(pairs["last_year_qty"] * cost, dtype=float)
