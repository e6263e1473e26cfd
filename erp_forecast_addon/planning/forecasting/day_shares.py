"""How the periods of a forecast fall on calendar days: a period's total evenly over its days."""

from datetime import date

import numpy as np

from erp_forecast_addon.planning import periods
from erp_forecast_addon.planning.settings import Period


def steps_and_lengths(starts: np.ndarray, period: Period, as_of: date, days: int) -> tuple[np.ndarray, np.ndarray]:
    """The forecast period of each of the `days` days after as_of, (days,) int, and the days in it, (days,) float.

    starts: (h,) first days of the forecast periods. Days before the first of them belong to it, days after the last
    one to the last season's cycle again (or to all forecast periods, if fewer).
    """
    index = periods.index_of(starts, period)
    wanted = np.datetime64(as_of, "D") + np.arange(1, days + 1)
    step = np.maximum(periods.index_of(wanted, period) - index[0], 0)
    cycle = min(periods.SEASON_LENGTH[period], len(index))
    step = np.where(step >= len(index), len(index) - cycle + (step - len(index)) % cycle, step)
    length = (periods.start_of(index + 1, period) - periods.start_of(index, period)).astype(float)
    return step, length[step]


def day_shares(starts: np.ndarray, period: Period, as_of: date, days: int) -> np.ndarray:
    """(h, days): the share of each forecast period that falls on each of the `days` days after as_of.

    Values per period (n, h) times the sum of some columns are the totals over those days.
    """
    step, length = steps_and_lengths(starts, period, as_of, days)
    shares = np.zeros((len(starts), days))
    shares[step, np.arange(days)] = 1.0 / length
    return shares
