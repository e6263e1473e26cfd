"""What was forecast, kept by the week, and judged by the demand that came.

A snapshot holds, for every series, the totals of four whole weeks ahead; when such a week is over it is judged against
what was sold. Demand of a week in which the shelf was empty for most days is unknown and not judged.

Errors are running sums in which a week loses half its weight in HALF_LIFE_WEEKS, so that a row per series and lag holds
them, a week is added to it, and none has to be read again. The formulas are those of forecasting/metrics.py; see
docs/accuracy.md.
"""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd

from erp_forecast_addon.planning.drift import SCORES, advance
from erp_forecast_addon.planning.forecasting import metrics, quantiles
from erp_forecast_addon.planning.forecasting.day_shares import day_shares
from erp_forecast_addon.planning.forecasting.forecast import ForecastSet
from erp_forecast_addon.planning.forecasting.naive import SeasonalNaive
from erp_forecast_addon.planning.forecasting.rows import in_blocks
from erp_forecast_addon.planning.panel import Panel

# Weeks ahead: the first whole week after the forecast is week 1.
LAGS = (1, 4, 8, 13)
# A band of 80% and one of 95% around the median.
LEVELS = np.array([0.025, 0.1, 0.5, 0.9, 0.975])
_BANDS = {"80": (1, 3), "95": (0, 4)}
HALF_LIFE_WEEKS = 13
_DECAY = 0.5 ** (1.0 / HALF_LIFE_WEEKS)
# Drift is told by what is forecast one week ahead: the other lags tell the same weeks later.
DRIFT_LAG = 1
_MONDAY = 0

SUMS = (
    "weight", "demand", "forecast", "abs_error", "naive_abs_error", "inside_80", "inside_95",
    "scaled_weight", "scaled_abs", "scaled_squared", "scaled_pinball",
)  # fmt: skip
STATE = ("weeks", *SUMS, *SCORES)


@dataclass(frozen=True)
class Snapshot:
    """Weekly totals of n series at LAGS, units in stock UOM.

    keys: (n,) item_code, warehouse; week_start: first day of the first whole week (Monday to Sunday) after as_of;
    mean, naive, without_override: (n, lags), the last equal to mean where no override applies;
    quantiles: (n, lags, len(LEVELS)), rising.
    """

    keys: pd.DataFrame
    week_start: date
    as_of: date
    mean: np.ndarray
    naive: np.ndarray
    without_override: np.ndarray
    quantiles: np.ndarray


def first_whole_week(as_of: date) -> date:
    """The first Monday after as_of."""
    return as_of + timedelta(days=(_MONDAY - as_of.weekday() - 1) % 7 + 1)


def last_whole_week(day: date) -> date:
    """The Monday of the last week whose Sunday is `day` or lies before it."""
    return day - timedelta(days=(day.weekday() + 1) % 7 + 6)


def seasonal_naive(panel: Panel, horizon: int, workers: int = 2) -> np.ndarray:
    """What repeating the last season gives: the yardstick of value added. (n, horizon) float32"""
    model, observed = SeasonalNaive(), panel.observed
    ahead = np.zeros((panel.n, horizon), dtype=np.float32)

    def fill(rows: slice) -> None:
        past = panel.demand[rows].astype(np.float32)
        ahead[rows] = model.forecast(past, observed[rows], horizon, panel.season_length)

    in_blocks(fill, panel.n, workers)
    return ahead


def snapshot(forecasts: ForecastSet, naive: np.ndarray, without_override: np.ndarray | None = None) -> Snapshot:
    """Weekly totals of a forecast at LAGS. naive, without_override: (n, h) by its periods; None: no override.

    Periods are spread evenly over their days; a week beyond the horizon repeats the last season, as planning does.
    """
    start = first_whole_week(forecasts.as_of)
    ahead = (start - forecasts.as_of).days - 1
    days = ahead + 7 * max(LAGS)
    shares = day_shares(forecasts.starts, forecasts.period, forecasts.as_of, days)
    weeks = [ahead + 7 * (lag - 1) + np.arange(7) for lag in LAGS]
    in_week = np.stack([shares[:, days_of].sum(axis=1) for days_of in weeks], axis=1)
    mean = forecasts.mean @ in_week
    return Snapshot(
        keys=forecasts.keys,
        week_start=start,
        as_of=forecasts.as_of,
        mean=mean,
        naive=naive @ in_week,
        without_override=mean if without_override is None else without_override @ in_week,
        quantiles=_week_quantiles(forecasts, mean, in_week),
    )


def _week_quantiles(forecasts: ForecastSet, mean: np.ndarray, in_week: np.ndarray) -> np.ndarray:
    """Quantiles of each week's total at LEVELS. mean: (n, lags); in_week: (h, lags) shares. (n, lags, levels)"""
    variance = forecasts.spread.variance(forecasts.mean) @ in_week
    length = np.maximum(np.rint(in_week.sum(axis=0)), 1.0)
    weeks = [
        quantiles.of_totals(
            forecasts.spread, mean[:, at], variance[:, at], np.full(forecasts.n, length[at]), LEVELS, forecasts.whole
        )
        for at in range(len(LAGS))
    ]
    return np.stack(weeks, axis=1)


# ---- judging one week ------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class WeekOfDemand:
    """What came in one week: demand (n,), known (n,) bool, and the scales of the history before it, NaN: none."""

    keys: pd.DataFrame
    demand: np.ndarray
    known: np.ndarray
    abs_scale: np.ndarray
    squared_scale: np.ndarray


def week_of_demand(weekly: Panel, week_start: date) -> WeekOfDemand | None:
    """One week of a weekly panel; None when the panel does not hold it. The scales are of the year before the week."""
    at = np.flatnonzero(weekly.starts == np.datetime64(week_start, "ns"))
    if not len(at):
        return None
    week = int(at[0])
    past, seen = weekly.demand[:, max(0, week - 52) : week], weekly.observed[:, max(0, week - 52) : week]
    return WeekOfDemand(
        keys=weekly.keys,
        demand=weekly.demand[:, week],
        known=weekly.observed[:, week],
        abs_scale=metrics.naive_absolute_error(past, seen),
        squared_scale=metrics.naive_squared_error(past, seen),
    )


def judge(kept: Snapshot, lag: int, week: WeekOfDemand) -> pd.DataFrame:
    """The errors of one week's forecasts made at `lag`; a row per series of the snapshot, by its position.

    judged: the week's demand is known. Of the rest: demand, forecast, error (forecast − demand), abs_error,
    naive_abs_error, without_abs_error (as if no override had been made), pinball (mean over LEVELS), inside_80,
    inside_95, has_scale, scaled_abs, scaled_squared, scaled_pinball, score (see drift.py), outside (1.0 where the
    demand lies outside the 95% interval). Rows that were not judged hold 0. lag: one of LAGS.
    """
    at = LAGS.index(lag)
    where = pd.MultiIndex.from_frame(week.keys).get_indexer(pd.MultiIndex.from_frame(kept.keys))
    there = where >= 0
    demand, known = week.demand[where], week.known[where] & there
    # A snapshot without a row in the panel has had no movement for a year: nothing was asked for.
    demand, known = np.where(there, demand, 0.0), known | ~there
    mean, bands = kept.mean[:, at], kept.quantiles[:, at]
    gap = demand[:, None] - bands
    pinball = np.maximum(LEVELS * gap, (LEVELS - 1.0) * gap).mean(axis=1)
    abs_error = np.abs(mean - demand)
    scale, squares = (np.where(there, each[where], np.nan) for each in (week.abs_scale, week.squared_scale))
    has_scale = (scale > 0) & (squares > 0)
    scale, squares = np.where(has_scale, scale, 1.0), np.where(has_scale, squares, 1.0)
    inside = {name: (demand >= bands[:, low]) & (demand <= bands[:, high]) for name, (low, high) in _BANDS.items()}
    columns = {
        "demand": demand,
        "forecast": mean,
        "error": mean - demand,
        "abs_error": abs_error,
        "naive_abs_error": np.abs(kept.naive[:, at] - demand),
        "without_abs_error": np.abs(kept.without_override[:, at] - demand),
        "pinball": pinball,
        "inside_80": inside["80"],
        "inside_95": inside["95"],
        "has_scale": has_scale,
        "scaled_abs": np.where(has_scale, abs_error / scale, 0.0),
        "scaled_squared": np.where(has_scale, abs_error**2 / squares, 0.0),
        "scaled_pinball": np.where(has_scale, pinball / scale, 0.0),
        "score": place(demand, bands) * np.sqrt(12.0),
        "outside": ~inside["95"],
    }
    judged = {name: np.where(known, values, 0.0).astype(float) for name, values in columns.items()}
    return pd.DataFrame({"judged": known, **judged})


def place(demand: np.ndarray, bands: np.ndarray) -> np.ndarray:
    """Where demand lies in its forecast distribution: probability integral transform − ½, in (−½, ½). (n,)

    bands: (n, len(LEVELS)) rising quantiles. Whole numbers take the middle of their own probability (the mean of the
    randomised transform; Czado, Gneiting & Held 2009), so that the mean is 0 where the distribution is right.
    """
    whole = (demand == np.rint(demand)) & (bands == np.rint(bands)).all(axis=1)
    half = np.where(whole, 0.5, 0.0)
    low, high = _cdf(demand - half, bands), _cdf(demand + half, bands)
    return np.asarray(np.where(whole & (demand <= 0), high / 2, (low + high) / 2) - 0.5)


def _cdf(value: np.ndarray, bands: np.ndarray) -> np.ndarray:
    """Straight lines between the quantiles; half the tail's probability beyond them, the middle of equal ones."""
    rows = np.arange(len(value))
    result = np.zeros(len(value))
    for side in (bands < value[:, None], bands <= value[:, None]):
        count = side.sum(axis=1)
        right = np.clip(count, 1, len(LEVELS) - 1)
        low, high = bands[rows, right - 1], bands[rows, right]
        span = high - low
        share = np.clip(np.where(span > 0, (value - low) / np.where(span > 0, span, 1.0), 0.5), 0.0, 1.0)
        between = LEVELS[right - 1] + share * (LEVELS[right] - LEVELS[right - 1])
        tails = np.where(count == 0, LEVELS[0] / 2, np.where(count == len(LEVELS), (1 + LEVELS[-1]) / 2, between))
        result += tails / 2
    return result


# ---- running sums ----------------------------------------------------------------------------------------------------
def add_week(state: np.ndarray, judged: pd.DataFrame, lag: int) -> np.ndarray:
    """The running sums (n, len(STATE)) after one more week; rows that were not judged stay as they are.

    A new series' sums are zeros. judged: see `judge`, a row per row of `state`.
    """
    here = judged["judged"].to_numpy(dtype=bool)
    new = state.copy()
    one = here.astype(float)
    scaled = judged["has_scale"].to_numpy(dtype=float)
    added = {
        "weight": one, "demand": judged["demand"], "forecast": judged["forecast"], "abs_error": judged["abs_error"],
        "naive_abs_error": judged["naive_abs_error"], "inside_80": judged["inside_80"],
        "inside_95": judged["inside_95"], "scaled_weight": scaled, "scaled_abs": judged["scaled_abs"],
        "scaled_squared": judged["scaled_squared"], "scaled_pinball": judged["scaled_pinball"],
    }  # fmt: skip
    sums = slice(1, 1 + len(SUMS))
    step = np.stack([np.asarray(added[name], dtype=float) for name in SUMS], axis=1)
    new[here, sums] = state[here, sums] * _DECAY + step[here]
    new[:, 0] += one
    if lag == DRIFT_LAG:
        score, outside = judged["score"].to_numpy(), judged["outside"].to_numpy(dtype=bool)
        new[here, 1 + len(SUMS) :] = advance(state[here, 1 + len(SUMS) :], score[here], outside[here])
    return np.asarray(new)


def figures(state: np.ndarray) -> pd.DataFrame:
    """Running sums as the fields of Forecast Accuracy; NaN where there is nothing to divide by."""
    of = {name: state[:, at] for at, name in enumerate(STATE)}
    wape, naive = _ratio(of["abs_error"], of["demand"]), _ratio(of["naive_abs_error"], of["demand"])
    return pd.DataFrame({
        "weeks": of["weeks"].astype(int),
        "wape_pct": 100.0 * wape,
        "bias_pct": 100.0 * _ratio(of["forecast"] - of["demand"], of["demand"]),
        "mase": _ratio(of["scaled_abs"], of["scaled_weight"]),
        "rmsse": np.sqrt(_ratio(of["scaled_squared"], of["scaled_weight"])),
        "pinball": _ratio(of["scaled_pinball"], of["scaled_weight"]),
        "coverage_80_pct": 100.0 * _ratio(of["inside_80"], of["weight"]),
        "coverage_95_pct": 100.0 * _ratio(of["inside_95"], of["weight"]),
        "naive_wape_pct": 100.0 * naive,
        "value_added_pct": value_added_pct(of["abs_error"], of["naive_abs_error"]),
        "mean_demand_qty": _ratio(of["demand"], of["weight"]),
        "mean_forecast_qty": _ratio(of["forecast"], of["weight"]),
        "mae_qty": _ratio(of["abs_error"], of["weight"]),
    })  # fmt: skip


def value_added_pct(abs_error: np.ndarray, reference_abs_error: np.ndarray) -> np.ndarray:
    """Forecast value added: 100·(1 − Σ|error| / Σ|error of the reference|), above 0 where ours is smaller (Gilliland
    2010, The Business Forecasting Deal). NaN where the reference was without error.
    """
    return np.asarray(100.0 * (1.0 - _ratio(np.asarray(abs_error, float), np.asarray(reference_abs_error, float))))


def by_week(judged: pd.DataFrame, groups: pd.DataFrame) -> pd.DataFrame:
    """Sums over the series of each group (rows of `groups`: its key columns, aligned with `judged`)."""
    columns = {
        "demand_qty": "demand", "forecast_qty": "forecast", "abs_error_qty": "abs_error",
        "naive_abs_error_qty": "naive_abs_error", "pinball_qty": "pinball", "scaled_abs_error": "scaled_abs",
        "scaled_squared_error": "scaled_squared", "scaled_pinball": "scaled_pinball", "inside_80": "inside_80",
        "inside_95": "inside_95", "scaled_pairs": "has_scale",
    }  # fmt: skip
    told = judged["judged"].to_numpy(dtype=bool)
    frame = pd.concat([groups.reset_index(drop=True), judged.reset_index(drop=True)], axis=1)
    frame = frame.assign(pairs=told.astype(int), pairs_unknown=(~told).astype(int))
    wanted = ["pairs", "pairs_unknown", *columns.values()]
    summed: pd.DataFrame = frame.groupby(list(groups), sort=True)[wanted].sum()
    named: pd.DataFrame = summed.rename(columns={column: field for field, column in columns.items()}).reset_index()
    return named


def _ratio(upper: np.ndarray, lower: np.ndarray) -> np.ndarray:
    valid = lower > 0
    return np.where(valid, upper / np.where(valid, lower, 1.0), np.nan)
