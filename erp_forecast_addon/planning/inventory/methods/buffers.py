"""Demand-driven buffers: red, yellow and green zones.

Source: Ptak & Smith, Demand Driven Material Requirements Planning, 3rd ed. (2019), chapters 7 and 8 (buffer profiles,
zones, the net flow equation). The factors are the middles of the ranges they give.
"""

import numpy as np

from erp_forecast_addon.planning.inventory.methods.inputs import OrderLevels, PolicyInputs, stated
from erp_forecast_addon.planning.inventory.safety_stock import Floats

# Lead time factor: long lead times get a small one, so that they are ordered often. Ranges 61-100, 41-60, 20-40%.
SHORT_LEAD_TIME_DAYS, LONG_LEAD_TIME_DAYS = 10.0, 45.0
_SHORT, _MEDIUM, _LONG = 0.8, 0.5, 0.3
# Variability factor by the coefficient of variation of a day's demand over the lead time: 0-40, 41-60, 61-100%.
_LOW, _SOME, _HIGH = 0.2, 0.5, 0.8
_LITTLE_VARIATION, _MUCH_VARIATION = 0.5, 1.0


def buffers(inputs: PolicyInputs, target: Floats) -> OrderLevels:
    """Yellow = ADU·DLT; red = yellow·lead time factor·(1 + variability factor); green = the largest of the minimum
    order, an order cycle's demand and yellow·lead time factor. Order when the net flow position is at or below the top
    of yellow, up to the top of green. ADU: average daily usage, here of the forecast; DLT: decoupled lead time.
    """
    yellow = np.asarray(inputs.daily_mean * inputs.lead_time_days)
    by_lead_time = yellow * lead_time_factor(inputs)
    red = by_lead_time * (1.0 + variability_factor(inputs))
    green = np.maximum.reduce([np.asarray(inputs.min_order_qty), np.asarray(inputs.cover_qty), by_lead_time])
    point = red + yellow
    return stated(
        inputs, "Buffers", np.full(inputs.n, np.nan), point, point + green,
        safety_stock_qty=red, order_qty=green, red_qty=red, yellow_qty=yellow, green_qty=green,
    )  # fmt: skip


def lead_time_factor(inputs: PolicyInputs) -> Floats:
    days = np.asarray(inputs.lead_time_days)
    usual = np.select([days <= SHORT_LEAD_TIME_DAYS, days <= LONG_LEAD_TIME_DAYS], [_SHORT, _MEDIUM], _LONG)
    return np.where(np.isnan(inputs.lead_time_factor), usual, inputs.lead_time_factor)


def variability_factor(inputs: PolicyInputs) -> Floats:
    """By the coefficient of variation of demand over the protection interval."""
    demand = inputs.protection_demand
    variation = np.divide(demand.std, demand.mean, out=np.full(inputs.n, np.inf), where=demand.mean > 0.0)
    usual = np.select([variation <= _LITTLE_VARIATION, variation <= _MUCH_VARIATION], [_LOW, _SOME], _HIGH)
    return np.where(np.isnan(inputs.variability_factor), usual, inputs.variability_factor)
