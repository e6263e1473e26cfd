"""What a supplier costs in all: price, cycle stock, safety stock, stock on its way, and sales lost by being late.

Symbols: D yearly demand; c unit cost; Q what an order brings; h holding rate a year; L, σ_L lead time and deviation in
days; d̄, σ_d mean and deviation of a day's demand; z safety factor. Quantities in stock units, money in the
company's currency.

Source: Chopra & Meindl, *Supply Chain Management*, 6th ed. (2016), "Scoring and assessing suppliers": total cost of two
suppliers of different price, lot and lead time. The stock on its way is the chapter on transportation's ("in-transit
inventory"): goods that are ordered bind money or credit until they are sold.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from erp_forecast_addon.planning.inventory.safety_stock import protection_std, safety_stock

Floats = NDArray[np.float64]
DAYS_PER_YEAR = 365.0


@dataclass(frozen=True)
class SupplyCost:
    """Money a year, (n,) each."""

    material: Floats
    cycle_stock: Floats
    safety_stock: Floats
    on_its_way: Floats

    @property
    def total(self) -> Floats:
        return self.material + self.cycle_stock + self.safety_stock + self.on_its_way


def yearly_supply_cost(
    daily_mean: ArrayLike,
    daily_std: ArrayLike,
    unit_cost: ArrayLike,
    order_qty: ArrayLike,
    lead_time_days: ArrayLike,
    lead_time_std_days: ArrayLike,
    factor: ArrayLike,
    holding_rate_per_year: ArrayLike,
    own_on_its_way: bool = True,
) -> SupplyCost:
    """D·c, h·c·Q/2, h·c·z·sqrt(L·σ_d² + d̄²·σ_L²) and h·c·d̄·L, each broadcast against the others.

    own_on_its_way: False leaves out the last, where goods cost nothing before they arrive.
    """
    mean, cost = np.asarray(daily_mean, dtype=float), np.asarray(unit_cost, dtype=float)
    days, holding = np.asarray(lead_time_days, dtype=float), np.asarray(holding_rate_per_year, dtype=float) * cost
    buffer = safety_stock(factor, protection_std(days, mean, daily_std, lead_time_std_days))
    material = mean * DAYS_PER_YEAR * cost
    return SupplyCost(
        material=material,
        cycle_stock=holding * np.asarray(order_qty, dtype=float) / 2.0,
        safety_stock=holding * buffer,
        on_its_way=holding * mean * days if own_on_its_way else np.zeros_like(holding * mean),
    )


def cost_per_unit(
    cost: SupplyCost, daily_mean: Floats, unit_cost: Floats, holding: Floats, lead_days: Floats
) -> Floats:
    """Total cost per stock unit bought. Without demand that could share the stock's cost: price and the way, c·(1 +
    h·L/365)."""
    yearly = np.asarray(daily_mean, dtype=float) * DAYS_PER_YEAR
    alone = unit_cost * (1.0 + holding * lead_days / DAYS_PER_YEAR)
    return np.divide(cost.total, yearly, out=np.asarray(alone, dtype=float).copy(), where=yearly > 1e-9)


def lost_by_waiting(
    daily_mean: Floats,
    arrival_day: NDArray[np.int64],
    shortage_day: NDArray[np.int64],
    margin: Floats,
    most_qty: Floats,
) -> Floats:
    """Margin of the sales lost from the first day of shortage until goods arrive: d̄·days·margin, of at most `most_qty`
    units. shortage_day: -1 for none."""
    days = np.where(shortage_day >= 0, np.maximum(arrival_day - shortage_day, 0), 0)
    return np.minimum(days * daily_mean, most_qty) * np.maximum(margin, 0.0)
