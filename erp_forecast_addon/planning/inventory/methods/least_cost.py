"""Levels of least yearly cost: buying, ordering, holding, units short and units expired, all lots and prices tried.

For every order size worth a look (order_quantity.candidates) the cost is a function of the reorder point alone; it is
evaluated on a grid of quantiles, then on a finer one about the best. Nothing is assumed of its shape: with lost sales
it may have two valleys, one of them the empty shelf. Source of the cost: performance.py; of the joint search over
(s, Q): Zheng (1992); Federgruen & Zheng (1992), An efficient algorithm for computing an optimal (r, Q) policy.
"""

import numpy as np

from erp_forecast_addon.planning.inventory.methods.inputs import OrderLevels, PolicyInputs, stated
from erp_forecast_addon.planning.inventory.methods.order_quantity import OrderSizes, candidates, level_widths
from erp_forecast_addon.planning.inventory.methods.performance import losses, occasions_cost, yearly_cost
from erp_forecast_addon.planning.inventory.safety_stock import Floats

# Reorder points that are tried: 0 and quantiles of demand until the next order has arrived.
_TRIED_LEVELS = np.array(
    [0.05, 0.2, 0.35, 0.5, 0.6, 0.7, 0.78, 0.84, 0.89, 0.92, 0.945, 0.965, 0.98, 0.99, 0.996, 0.9995]
)
_REFINEMENTS, _FINER = 3, np.linspace(0.0, 1.0, 9)
_FLOAT_NOISE = 1e-6


def least_cost(inputs: PolicyInputs, target: Floats) -> OrderLevels:
    """Reorder point and order-up-to level of least yearly cost. target: (n,) least chance that a cycle is served, NaN
    for none: cost alone decides. Floor, cap and maximum stock narrow the search."""
    sizes = candidates(inputs)
    coarse = _coarse_points(inputs, target)
    cost, at = _best_points(inputs, sizes, coarse)
    best = np.argmin(cost, axis=1)[:, None]
    chosen = OrderSizes(
        *(np.take_along_axis(part, best, axis=1) for part in (sizes.qty, sizes.unit_cost, sizes.least_qty))
    )
    place = np.take_along_axis(at, best, axis=1)
    low = np.take_along_axis(coarse, np.maximum(place - 1, 0), axis=1)[:, 0]
    high = np.take_along_axis(coarse, np.minimum(place + 1, coarse.shape[1] - 1), axis=1)[:, 0]
    least = np.min(cost, axis=1)
    point = np.take_along_axis(coarse, place, axis=1)[:, 0]
    for _step in range(_REFINEMENTS):
        finer = _snapped(inputs, low[:, None] + (high - low)[:, None] * _FINER)
        found, at = _best_points(inputs, chosen, finer)
        better = found[:, 0] < least
        least, place = np.minimum(least, found[:, 0]), at
        point = np.where(better, np.take_along_axis(finer, place, axis=1)[:, 0], point)
        low = np.take_along_axis(finer, np.maximum(place - 1, 0), axis=1)[:, 0]
        high = np.take_along_axis(finer, np.minimum(place + 1, finer.shape[1] - 1), axis=1)[:, 0]
    up_to = point + level_widths(inputs, chosen.qty)[:, 0]
    levels = stated(
        inputs, "Least Cost", target, point, up_to,
        order_qty=chosen.qty[:, 0], least_order_qty=chosen.least_qty[:, 0],
    )  # fmt: skip
    return _or_nothing(inputs, levels, least, chosen.unit_cost[:, 0])


def _coarse_points(inputs: PolicyInputs, target: Floats) -> Floats:
    """(n, m) rising reorder points to try."""
    demand = inputs.protection_demand
    points = np.stack([demand.quantile(level) for level in _TRIED_LEVELS], axis=1)
    points = np.concatenate([np.zeros((inputs.n, 1)), points], axis=1)
    least = np.zeros(inputs.n)
    wanted = np.isfinite(target)
    if wanted.any():
        least[wanted] = demand.select(np.flatnonzero(wanted)).quantile(target[wanted])
    return _snapped(inputs, np.maximum(points, least[:, None]))


def _snapped(inputs: PolicyInputs, points: Floats) -> Floats:
    """Whole where demand is, and inside the planner's limits; the cap wins over the floor."""
    points = np.where(inputs.whole[:, None], np.round(points), points)
    most = np.minimum(inputs.cap_qty, inputs.max_stock_qty)[:, None]
    return np.minimum(np.maximum(points, np.asarray(inputs.floor_qty)[:, None]), np.maximum(most, 0.0))


def _best_points(inputs: PolicyInputs, sizes: OrderSizes, points: Floats) -> tuple[Floats, np.ndarray]:
    """Least cost of every size over `points` (n, p), and where it is. (n, m), (n, m)"""
    width = level_widths(inputs, sizes.qty)
    costs, at = np.empty(width.shape), np.empty(width.shape, dtype=np.int64)
    most = np.minimum(inputs.cap_qty, inputs.max_stock_qty)[:, None]
    at_points = losses(inputs, points)
    for j in range(width.shape[1]):  # over the few order sizes: bounds the memory
        up_to = points + width[:, j, None]
        qty = np.broadcast_to(sizes.qty[:, j, None], points.shape)
        known = np.where(np.isfinite(sizes.unit_cost[:, j]), sizes.unit_cost[:, j], 0.0)
        prices = np.broadcast_to(known[:, None], points.shape)
        cost = yearly_cost(inputs, at_points, losses(inputs, up_to), qty, prices)
        barred = (up_to > most + _FLOAT_NOISE) & (width[:, j, None] > 0.0) | ~np.isfinite(sizes.unit_cost[:, j, None])
        cost = np.where(barred, np.inf, cost)
        at[:, j] = np.argmin(cost, axis=1)
        costs[:, j] = np.take_along_axis(cost, at[:, j, None], axis=1)[:, 0]
    return costs, at


def _or_nothing(inputs: PolicyInputs, levels: OrderLevels, cost: Floats, unit_cost: Floats) -> OrderLevels:
    """Nothing kept at all where that costs less than the best levels: the margin of every sale is lost, the price of
    the goods is not paid. Only without floor and target, which say that something is wanted."""
    yearly = np.asarray(inputs.daily_mean) * 365.0
    without = yearly * inputs.shortage_cost + yearly * np.where(np.isfinite(unit_cost), unit_cost, 0.0)
    without = without + occasions_cost(inputs, yearly)
    nothing = (without < cost) & (np.asarray(inputs.floor_qty) <= 0.0) & np.isnan(levels.target)
    clamp = np.where(nothing & (yearly > 0.0), "not worth stocking", levels.clamp).astype(object)
    keep = lambda values: np.where(nothing, 0.0, values)  # noqa: E731
    return OrderLevels(
        method=levels.method,
        target=levels.target,
        reorder_point_qty=keep(levels.reorder_point_qty),
        order_up_to_qty=keep(levels.order_up_to_qty),
        safety_stock_qty=keep(levels.safety_stock_qty),
        order_qty=levels.order_qty,
        least_order_qty=levels.least_order_qty,
        clamp=clamp,
        red_qty=levels.red_qty,
        yellow_qty=levels.yellow_qty,
        green_qty=levels.green_qty,
    )
