"""The levels of every pair: demand over lead time and protection interval, safety stock, reorder point, order-up-to."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from erp_forecast_addon.planning.errors import BadInput
from erp_forecast_addon.planning.inventory.lead_time_demand import demand_through
from erp_forecast_addon.planning.inventory.safety_stock import (
    order_up_to,
    protection_std,
    reorder_point,
    safety_factor,
    safety_stock,
)
from erp_forecast_addon.planning.messages import _

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Levels:
    """All (n,); quantities in stock units. lead_time_std_qty, protection_std_qty: deviation of demand over either."""

    service_level: Floats
    safety_factor: Floats
    daily_mean: Floats
    daily_std: Floats
    lead_time_demand_qty: Floats
    lead_time_std_qty: Floats
    protection_days: Floats
    protection_demand_qty: Floats
    protection_std_qty: Floats
    safety_stock_qty: Floats
    reorder_point_qty: Floats
    order_up_to_qty: Floats


def set_levels(
    daily_mean: Floats,
    daily_std: Floats,
    lead_time_days: Floats,
    lead_time_std_days: Floats,
    review_period_days: float,
    service_level: Floats,
) -> Levels:
    """daily_mean: (n, t) forecast path from the day after as_of, t >= protection days; the rest (n,).

    Stock is looked at every day and ordered when the position falls to the reorder point, so safety stock covers the
    deviation over the lead time (at least one day). What is ordered is meant to last a review period longer: the
    protection interval, lead time + review period; d̄ is the mean of the path over it.
    Sources: inventory/safety_stock.py, one function per formula.
    """
    protection_days = np.maximum(lead_time_days + review_period_days, 1.0)
    protection_demand = demand_through(daily_mean, protection_days)
    lead_time_demand = demand_through(daily_mean, lead_time_days)
    flat_mean = protection_demand / protection_days
    factor = safety_factor(service_level)
    lead_time_std = protection_std(covered_days(lead_time_days), flat_mean, daily_std, lead_time_std_days)
    stock = safety_stock(factor, lead_time_std)
    return Levels(
        service_level=service_level,
        safety_factor=factor,
        daily_mean=flat_mean,
        daily_std=daily_std,
        lead_time_demand_qty=lead_time_demand,
        lead_time_std_qty=lead_time_std,
        protection_days=protection_days,
        protection_demand_qty=protection_demand,
        protection_std_qty=protection_std(protection_days, flat_mean, daily_std, lead_time_std_days),
        safety_stock_qty=stock,
        reorder_point_qty=reorder_point(lead_time_demand, stock),
        order_up_to_qty=order_up_to(protection_demand, stock),
    )


def covered_days(lead_time_days: ArrayLike) -> Floats:
    """The days that safety stock covers: the lead time, and at least the day until the next look at the stock."""
    return np.maximum(np.asarray(lead_time_days, dtype=float), 1.0)


def service_levels(abc_class: NDArray[np.object_], level_by_class: Mapping[str, float], company: str) -> Floats:
    """(n,) service level of each row's class. Raises BadInput for a class that the settings do not name."""
    levels = np.full(len(abc_class), np.nan)
    for name in sorted(set(abc_class.tolist())):  # three classes, not rows
        if name not in level_by_class:
            raise BadInput(
                _("{company}: no service level is set for class {abc_class}."), company=company, abc_class=name
            )
        levels[abc_class == name] = level_by_class[name]
    return levels
