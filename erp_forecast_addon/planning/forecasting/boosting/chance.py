"""What single days did to all series together, by chance: taken out of what the trees learn from.

All series of a day share what happened on it, so a sample of hundreds of thousands of rows holds only as many
observations of that as there are days. Trees that know weekday, day of the month and groups find such days again and
take their accidents for a rule, which then moves all series alike and stays in every sum.
"""

import numpy as np

from erp_forecast_addon.planning.forecasting.boosting.driver_features import DriverPlan, distance_to_event
from erp_forecast_addon.planning.forecasting.boosting.features import Rows
from erp_forecast_addon.planning.forecasting.groups import groupings
from erp_forecast_addon.planning.panel import Panel

LEVELS = ((), ("warehouse",), ("item_group_parent", "warehouse_group"))
# So many days before and after an event may be its doing.
EVENT_REACH = 2
# How many rows of a group's day weigh as much as "nothing happened".
_PULL_ROWS = 100.0


def without_chance(
    plan: DriverPlan, panel: Panel, rows: Rows, expected: np.ndarray, actual: np.ndarray, weight: np.ndarray
) -> np.ndarray:
    """Demand of the rows, divided by what the rows of their group and day sold of what was expected. (rows,)

    panel: days without what drivers did to the groups; expected, actual, weight: (rows,). Level by level, each pulled
    to 1. Days near an event that is not frequent keep what they are: trees learn from it what comes before and after
    a holiday. Of a panel with signals all days do, for a signal may be why all series moved.
    """
    if panel.period != "day" or plan.signals or not len(expected):
        return actual
    calm = distance_to_event(plan, panel, rows.series, rows.target) > EVENT_REACH
    exposure = weight * expected
    pull = _PULL_ROWS * exposure.mean()
    ratio = np.maximum(actual, 0) / expected
    for level in groupings(panel, LEVELS):
        cell = level.code[rows.series] * panel.t + rows.target
        sold, due = (
            np.bincount(cell, weights=each, minlength=level.size * panel.t) for each in (exposure * ratio, exposure)
        )
        ratio = np.where(calm, ratio / ((sold + pull) / (due + pull))[cell], ratio)
    return np.asarray(ratio * expected)
