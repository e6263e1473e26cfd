"""The planner's floor and cap, the most that may be stocked and what sells before it expires, over any method's levels.

The reorder point is raised to the floor; then the order-up-to level is cut to what is allowed, and the reorder point
with it, so far below that the least order still fits. Where floor and cap contradict each other the cap counts: money
spent is harder to undo than an order placed later. What was hit is told.
"""

from dataclasses import replace

import numpy as np

from erp_forecast_addon.planning.inventory.methods.inputs import OrderLevels, PolicyInputs
from erp_forecast_addon.planning.inventory.safety_stock import Floats

_FLOAT_NOISE = 1e-9


def limited(inputs: PolicyInputs, levels: OrderLevels) -> OrderLevels:
    """`levels` inside floor, cap, maximum stock and shelf life."""
    floor = np.maximum(inputs.floor_qty, 0.0)
    width = levels.order_up_to_qty - levels.reorder_point_qty
    raised = levels.reorder_point_qty < floor - _FLOAT_NOISE
    point = np.where(raised, floor, levels.reorder_point_qty)
    up_to = point + width
    clamp = np.where(raised, "floor", levels.clamp).astype(object)
    room = np.maximum(np.asarray(inputs.order_multiple_qty) - inputs.whole, 0.0)
    for name, most, rest in _ceilings(inputs, levels.method):
        over = up_to > most + _FLOAT_NOISE
        top = np.maximum(most - np.where(rest, room, 0.0), 0.0)
        below = np.where(rest, np.maximum(most - levels.least_order_qty, 0.0), most)
        point = np.where(over, np.minimum(point, np.minimum(below, top)), point)
        up_to = np.where(over, np.maximum(np.minimum(up_to, top), point), up_to)
        clamp = np.where(over, name, clamp).astype(object)
    contradiction = floor > np.asarray(inputs.cap_qty) + _FLOAT_NOISE
    clamp = np.where(contradiction, "floor above cap", clamp).astype(object)
    lower = np.minimum(levels.safety_stock_qty, np.maximum(point - inputs.protection_mean_qty, 0.0))
    higher = np.maximum(levels.safety_stock_qty, point - inputs.protection_mean_qty)
    moved = point - levels.reorder_point_qty
    stock = np.where(moved < -_FLOAT_NOISE, lower, np.where(moved > _FLOAT_NOISE, higher, levels.safety_stock_qty))
    return replace(levels, reorder_point_qty=point, order_up_to_qty=up_to, safety_stock_qty=stock, clamp=clamp)


def _ceilings(inputs: PolicyInputs, method: np.ndarray) -> list[tuple[str, Floats, np.ndarray]]:
    """Name, quantity and whether lots have to fit below it; the last one that is hit is the one told."""
    everywhere, nowhere = np.ones(inputs.n, dtype=bool), np.zeros(inputs.n, dtype=bool)
    found = [("maximum stock", np.asarray(inputs.max_stock_qty), everywhere)]
    if inputs.sellable is not None:
        # At least cost spoiled units are in the bill already; a person's fixed levels are his.
        priced = np.isin(method, ("Least Cost", "Fixed"))
        sells = np.where(np.asarray(inputs.expires) & ~priced, inputs.sellable.mean, np.inf)
        found.insert(0, ("shelf life", np.where(inputs.whole, np.floor(sells), sells), nowhere))
    return [*found, ("cap", np.asarray(inputs.cap_qty), everywhere)]
