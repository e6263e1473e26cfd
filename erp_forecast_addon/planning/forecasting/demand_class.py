"""Demand classes by how often and how evenly a series is asked for."""

import numpy as np

from erp_forecast_addon.planning.panel import Panel
from erp_forecast_addon.planning.settings import Period

CLASSES = ("Smooth", "Erratic", "Intermittent", "Lumpy", "New", "No Demand")
# Syntetos, Boylan & Croston (2005), J. Operational Research Society 56, 495-503.
ADI_CUT = 1.32
CV2_CUT = 0.49
# A series that has existed for fewer periods is New, whatever its few values look like.
NEW_BELOW: dict[Period, int] = {"day": 28, "week": 8, "month": 4}


def demand_class(panel: Panel) -> np.ndarray:
    """One of CLASSES per series. (n,) object

    ADI = observed periods / observed periods with demand; CV² = (standard deviation / mean)² of the demand in them.
    ADI < 1.32: Smooth (CV² < 0.49) or Erratic; else Intermittent (CV² < 0.49) or Lumpy.
    """
    return named(*interval_and_variation(panel.demand, panel.observed), panel.t - panel.first, panel.period)


def named(adi: np.ndarray, cv2: np.ndarray, age: np.ndarray, period: Period) -> np.ndarray:
    """One of CLASSES per series. adi, cv2: as `interval_and_variation`; age: periods since the first. (n,) object"""
    frequent, even = adi < ADI_CUT, cv2 < CV2_CUT
    code = np.where(frequent, np.where(even, 0, 1), np.where(even, 2, 3))
    code = np.where(age < NEW_BELOW[period], 4, code)
    code = np.where(np.isinf(adi), 5, code)
    return np.asarray(CLASSES, dtype=object)[code]


def interval_and_variation(demand: np.ndarray, mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Average demand interval in periods (inf without demand) and CV² of the sizes (0 for a single one). (n,), (n,)"""
    there = mask & (demand > 0)
    count = there.sum(axis=1)
    some = np.maximum(count, 1)
    size = np.where(there, demand, 0.0)
    mean = size.sum(axis=1) / some
    deviation = np.where(there, demand - mean[:, None], 0.0)
    variance = (deviation**2).sum(axis=1) / some
    adi = np.where(count > 0, mask.sum(axis=1) / some, np.inf)
    return adi, np.where(count > 0, variance / np.where(count > 0, mean, 1.0) ** 2, 0.0)
