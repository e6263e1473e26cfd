"""Regular periods: days, ISO weeks (from Monday) and calendar months."""

from datetime import date

import numpy as np

from erp_forecast_addon.planning.settings import Period

# The seasonal cycle that each period is forecast with: the week in days, the year in weeks and in months.
SEASON_LENGTH: dict[Period, int] = {"day": 7, "week": 52, "month": 12}
MEAN_DAYS: dict[Period, float] = {"day": 1.0, "week": 7.0, "month": 365.25 / 12}
_MONDAY = np.datetime64("1970-01-05", "D")


def to_days(moments: np.ndarray) -> np.ndarray:
    """datetime64 of any unit to datetime64[D]."""
    return np.asarray(moments).astype("datetime64[D]")


def index_of(days: np.ndarray, period: Period) -> np.ndarray:
    """The number of the period that holds each day, counted from 1970. int64, any shape."""
    days = to_days(days)
    if period == "day":
        return days.astype(np.int64)
    if period == "week":
        return np.floor_divide((days - _MONDAY).astype(np.int64), 7)
    return days.astype("datetime64[M]").astype(np.int64)


def start_of(index: np.ndarray, period: Period) -> np.ndarray:
    """First day of each numbered period. datetime64[D]"""
    index = np.asarray(index, dtype=np.int64)
    if period == "day":
        return index.astype("datetime64[D]")
    if period == "week":
        return np.asarray(_MONDAY + 7 * index)
    return index.astype("datetime64[M]").astype("datetime64[D]")


def last_complete(as_of: date, period: Period) -> int:
    """The number of the last period that ends on or before `as_of`."""
    return int(index_of(np.asarray(np.datetime64(as_of, "D") + 1), period)) - 1


def count_in(days: int, period: Period) -> int:
    """How many periods cover a history of so many days; at least 1."""
    return max(1, round(days / MEAN_DAYS[period]))
