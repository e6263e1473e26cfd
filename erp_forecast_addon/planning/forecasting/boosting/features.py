"""The feature matrix: one row per (series, origin, period to forecast), nothing of the demand after the origin.

Demand is told as ratios to an expected value, the series' level times its group's seasonal index, which is also what
the trees' answer is multiplied with; so a series of thousands and one of units are learned together.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from erp_forecast_addon.planning import periods
from erp_forecast_addon.planning.forecasting.boosting import context as groups
from erp_forecast_addon.planning.forecasting.boosting import driver_features
from erp_forecast_addon.planning.forecasting.boosting.context import Context
from erp_forecast_addon.planning.forecasting.boosting.past import Fading, Past, since_last
from erp_forecast_addon.planning.forecasting.boosting.rhythm import RHYTHM
from erp_forecast_addon.planning.panel import Panel

# The trees can hold so many values of an attribute; the rarest beyond it count as unknown.
MAX_CATEGORIES = 200
# Weight of the whole history in the level, in known periods: a sleeping series may wake up.
_LEVEL_PULL = 2.0
_LEAST_LEVEL = 1e-6
_FASTER_FADE = 0.6


@dataclass(frozen=True)
class FeaturePlan:
    """What a model's features are; fixed when it is trained.

    drivers: see DriverPlan; categories: attribute -> its values, a number each; yearly: the history holds a year before
    its last origins, so the same weeks of the year before can be told, and the calendar's weeks and months.
    """

    drivers: driver_features.DriverPlan
    categories: dict[str, tuple[str, ...]]
    yearly: bool

    def is_categorical(self, name: str) -> bool:
        return name in self.categories or name == "event name"


@dataclass(frozen=True)
class Rows:
    """Rows of a feature matrix: series (position in a panel), known periods before the origin, period to forecast."""

    series: np.ndarray
    end: np.ndarray
    target: np.ndarray


def plan_features(panel: Panel) -> FeaturePlan:
    """What can be told of a panel. Deterministic."""
    table = groups.attributes(panel)
    categories = {}
    for column in groups.ATTRIBUTES:
        counts = table[column].value_counts()
        counts = counts[counts.index != ""].sort_index().sort_values(ascending=False, kind="stable")
        if len(counts) > 1:
            categories[column] = tuple(sorted(counts.index[:MAX_CATEGORIES]))
    rhythm = RHYTHM[panel.period]
    return FeaturePlan(driver_features.plan_drivers(panel), categories, panel.t >= 2 * rhythm.year)


def feature_matrix(plan: FeaturePlan, panel: Panel, context: Context, rows: Rows) -> tuple[pd.DataFrame, np.ndarray]:
    """The features (a float32 column each) and the expected demand that answers are multiplied with. (rows, f), (rows,)

    Features that the panel cannot tell (a driver that it lacks) are missing from the frame.
    """
    index = context.seasonal_index(rows.series, rows.end, rows.target)
    sold, seen = groups.known_demand(panel)
    past = Past(sold, seen, context.rhythm.cycle)
    own, level = _own_features(panel, context, past, rows, index)
    found = own | _group_features(context, rows) | _calendar_features(plan, panel, rows)
    if plan.yearly:
        found |= _year_features(context, past, rows)
    found |= driver_features.event_features(plan.drivers, panel, context, rows.series, rows.end, rows.target)
    found |= driver_features.price_features(plan.drivers, panel, context, rows.series, rows.end, rows.target)
    table = groups.attributes(panel)
    for column, values in plan.categories.items():
        number = pd.Index(values).get_indexer(pd.Index(table[column])).astype(float)
        found[column] = np.where(number < 0, np.nan, number)[rows.series]
    matrix = pd.DataFrame({name: np.asarray(values, dtype=np.float32) for name, values in found.items()})
    return matrix, level * index


def _own_features(
    panel: Panel, context: Context, past: Past, rows: Rows, index: np.ndarray
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """What the series itself did before the origin, as ratios to its level; and the level. (rows,) each"""
    rhythm, row, end = context.rhythm, rows.series, rows.end
    sold, seen = groups.known_demand(panel)
    selling, squares = Past(sold > 0, seen, 1), Past(sold.astype(np.float64) ** 2, seen, 1)
    level = np.maximum(_level(past, Fading(sold, seen, rhythm.cycle, rhythm.fade), row, end), _LEAST_LEVEL)
    faster = _level(past, Fading(sold, seen, rhythm.cycle, _FASTER_FADE), row, end)
    found = {"step": rows.target - end + 1, "level": np.log(level), "recent level": faster / level}
    for window in rhythm.windows:
        found[f"mean {window}"] = past.mean(row, end, window) / level
    if rhythm.cycle > 1:
        for cycles in (1, 4, rhythm.phase_cycles, 4 * rhythm.phase_cycles):
            found[f"phase mean {cycles}"] = past.phase_mean(row, end, rows.target, cycles) / (level * index)
    half, mean = rhythm.base // 2, past.mean(row, end, rhythm.base)
    found |= {
        "median": _median(sold, seen, row, end, half) / level,
        "variation": np.sqrt(np.maximum(squares.mean(row, end, rhythm.base) - mean**2, 0)) / level,
        "selling share": selling.mean(row, end, half),
        "long selling share": selling.mean(row, end, 2 * rhythm.base),
        "since last sale": np.minimum(since_last(sold > 0)[row, end], 4 * rhythm.base),
        "in stock share": past.sum_count(row, end, half)[1] / half,
        "age": np.minimum(end - panel.first[row], rhythm.age_limit),
        "index": index,
    }
    return found, level


def _level(past: Past, fading: Fading, row: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Exponentially weighted mean, pulled a little to the mean of the whole history; 0 without a known period."""
    whole = np.nan_to_num(past.mean(row, end, end))
    total, count = fading.sum_count(row, end)
    return np.asarray((total + _LEVEL_PULL * whole) / (count + _LEVEL_PULL))


def _median(sold: np.ndarray, seen: np.ndarray, row: np.ndarray, end: np.ndarray, window: int) -> np.ndarray:
    """Median of the known values of the window; NaN without one. A series' origins share their windows' work."""
    unknown = np.where(seen > 0, sold, np.nan)
    padded = np.concatenate([np.full((len(sold), window), np.nan, dtype=np.float32), unknown], axis=1)
    found, back = np.unique(row.astype(np.int64) * padded.shape[1] + end, return_inverse=True)
    start = (found // padded.shape[1])[:, None], (found % padded.shape[1])[:, None] + np.arange(window)
    values = np.sort(padded[start], axis=1)  # NaN last
    count = np.isfinite(values).sum(axis=1)
    at = np.arange(len(values))
    middle = (values[at, np.maximum((count - 1) // 2, 0)] + values[at, np.minimum(count // 2, window - 1)]) / 2
    return np.asarray(np.where(count > 0, middle, np.nan)[back])


def _group_features(context: Context, rows: Rows) -> dict[str, np.ndarray]:
    """How the groups' demand moved of late, against their own longer past, and how their cycle looks."""
    rhythm, end = context.rhythm, rows.end
    windows = {"short": max(1, rhythm.base // 8), "middle": rhythm.base // 2, "long": 2 * rhythm.base}
    found = {}
    for name in ("department", "item"):
        if name not in context.pasts:
            continue
        past, code = context.pasts[name], context.codes[name][rows.series]
        base = past.mean(code, end, rhythm.base)
        base = np.where((code >= 0) & (base > 0), base, np.nan)
        for label, window in windows.items():
            found[f"{name} {label}"] = past.mean(code, end, window) / base
        if rhythm.cycle > 1:
            found[f"{name} phase"] = past.phase_mean(code, end, rows.target, rhythm.phase_cycles) / base
    return found


def _year_features(context: Context, past: Past, rows: Rows) -> dict[str, np.ndarray]:
    """The target's weeks a year ago against the weeks before the origin a year ago: of the series and of its groups."""
    rhythm = context.rhythm
    half = rhythm.cycle if rhythm.cycle > 1 else rhythm.year // 26
    back = rhythm.year * -(-(rows.target + half + 1 - rows.end) // rhythm.year)
    then, before = rows.target + half + 1 - back, rows.end - back
    pasts = {"own": (past, rows.series)}
    pasts |= {name: (found, context.codes[name][rows.series]) for name, found in context.pasts.items()}
    found = {}
    for name, (past_of, row) in pasts.items():
        reference = past_of.mean(row, before, rhythm.base)
        enough = (before >= rhythm.base // 2) & (reference > 0) & (row >= 0)
        ratio = past_of.mean(row, then, 2 * half + 1) / np.where(enough, reference, 1.0)
        found[f"{name} year ago"] = np.where(enough, ratio, np.nan)
    return found


def _calendar_features(plan: FeaturePlan, panel: Panel, rows: Rows) -> dict[str, np.ndarray]:
    """Weekday, day of the month, and with two years of history month and week of the year.

    A history of one year holds each week once: told its number, the trees would learn that week's accidents by heart.
    """
    rhythm = RHYTHM[panel.period]
    first = periods.index_of(panel.starts[:1], panel.period)[0]
    widest = int(rows.target.max(initial=0)) + 1
    day = periods.start_of(first + np.arange(widest + 1), panel.period)
    month = day.astype("datetime64[M]")
    in_month = (day - month.astype("datetime64[D]")).astype(int) + 1
    table: dict[str, np.ndarray] = {}
    if rhythm.cycle > 1:
        table["weekday"] = (day.astype(int) + 3) % 7
    if panel.period != "month":
        table["day of month"] = in_month
        left = ((month + 1).astype("datetime64[D]") - day).astype(int)
        table["days left in month"] = left
    else:
        table["days in month"] = ((month + 1).astype("datetime64[D]") - day).astype(int)
    if plan.yearly:
        table["month"] = month.astype(int) % 12
        table["week of year"] = (day - day.astype("datetime64[Y]").astype("datetime64[D]")).astype(int) // 7
    return {name: values[rows.target] for name, values in table.items()}
