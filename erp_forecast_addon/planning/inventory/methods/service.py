"""Levels that reach a service target, read from the distribution of demand itself."""

import numpy as np

from erp_forecast_addon.planning.inventory.methods.inputs import OrderLevels, PolicyInputs, stated
from erp_forecast_addon.planning.inventory.methods.order_quantity import cheapest, level_widths
from erp_forecast_addon.planning.inventory.methods.performance import unserved_share
from erp_forecast_addon.planning.inventory.safety_stock import Floats

# Halvings of the range in which the reorder point lies: to a billionth of the largest demand.
_HALVINGS = 36
_FLOAT_NOISE = 1e-6
# Of what is not counted in pieces, as good as nothing.
_LEAST_QTY = 1e-3


def cycle_service_level(inputs: PolicyInputs, target: Floats) -> OrderLevels:
    """Reorder point: the least stock that is enough with the chance `target` (n,) until the next order has arrived.

    Source: Silver, Pyke & Thomas (2017), section 6.7 (P1); Axsäter (2015), section 5.3 (S1).
    """
    return _with_orders(inputs, "Cycle Service Level", target, inputs.protection_demand.quantile(target))


def fill_rate(inputs: PolicyInputs, target: Floats) -> OrderLevels:
    """Reorder point: the least stock from which the share `target` (n,) of demand is served from the shelf, given what
    an order brings: large orders need less safety stock.

    Source: Silver, Pyke & Thomas (2017), section 6.7 (P2); Axsäter (2015), section 5.3 (S2).
    """
    width = order_width(inputs)
    low = np.zeros(inputs.n)
    high = np.maximum(inputs.protection_demand.points[:, -1], 0.0)
    allowed = 1.0 - target
    for _step in range(_HALVINGS):
        middle = (low + high) / 2.0
        enough = unserved_share(inputs, middle, middle + width) <= allowed + 1e-12
        low, high = np.where(enough, low, middle), np.where(enough, middle, high)
    # Half the range is never nothing: where an empty shelf is enough, it is 0.
    none = unserved_share(inputs, np.zeros(inputs.n), width) <= allowed + 1e-12
    point = np.where(none, 0.0, high)
    point = np.where(inputs.whole, np.ceil(point - _FLOAT_NOISE), point)
    # An order is due below the reorder point. Where nobody notes down what is asked for in vain no position falls below
    # an empty shelf, so whatever large orders promise, one is due on it.
    asked_for = np.asarray(inputs.daily_mean) > 0.0
    point = np.where(asked_for, np.maximum(point, np.where(inputs.whole, 1.0, _LEAST_QTY)), point)
    return _with_orders(inputs, "Fill Rate", target, point)


def order_width(inputs: PolicyInputs) -> Floats:
    """(n,) order-up-to level over reorder point, so that an order brings what is cheapest: an order cycle's demand at
    least, on lots, less what the position is below the reorder point by then."""
    width = np.maximum(level_widths(inputs, cheapest(inputs).qty[:, 0]), inputs.cover_qty)
    return np.where(inputs.whole, np.ceil(width - _FLOAT_NOISE), width)


def _with_orders(inputs: PolicyInputs, method: str, target: Floats, point: Floats) -> OrderLevels:
    best = cheapest(inputs)
    return stated(
        inputs, method, target, point, point + order_width(inputs),
        order_qty=best.qty[:, 0], least_order_qty=best.least_qty[:, 0],
    )  # fmt: skip
