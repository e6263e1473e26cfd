"""Levels that stay where they are until a move is worth it.

Every change of a level is work: somebody looks at it, orders change their size, suppliers see noise. Former levels stay
while they were made by the same method for the same target and either differ from the new ones by no more than the band
of the settings, or, at least cost, cost no more than that share above the best. The band is measured on what stands, so
small differences add up until they matter. Source of the idea: a fixed cost of changing a parameter, as in (s, S)
control of the parameter itself (Silver, Pyke & Thomas, 2017, section 6.11, on how often to update).
"""

from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from erp_forecast_addon.planning.inventory.methods.inputs import OrderLevels, PolicyInputs
from erp_forecast_addon.planning.inventory.methods.performance import losses, yearly_cost
from erp_forecast_addon.planning.inventory.safety_stock import Floats

Flags = NDArray[np.bool_]

_SMALLEST_MOVE = 1e-6


def kept(
    inputs: PolicyInputs, levels: OrderLevels, rule: NDArray[np.object_], former: pd.DataFrame, band: float
) -> tuple[OrderLevels, Flags]:
    """`levels`, with the former ones where they may stay, and which those are (n,). former: columns of FORMER_LEVELS,
    one row per pair in the pairs' order, NaN where there is none; rule: (n,) the planning rule in force; band: a share.
    """
    same = _same_terms(levels, rule, former)
    if band <= 0.0 or not same.any():
        return levels, np.zeros(inputs.n, dtype=bool)
    point, up_to = (former[name].to_numpy(dtype=float) for name in ("reorder_point_qty", "order_up_to_qty"))
    near = _within(point, levels.reorder_point_qty, band) & _within(up_to, levels.order_up_to_qty, band)
    near |= (levels.method == "Least Cost") & _cheap_enough(inputs, levels, point, up_to, same, band)
    stays = same & near & _allowed(inputs, point, up_to)
    stock = former["safety_stock_qty"].to_numpy(dtype=float)
    moved = replace(
        levels,
        reorder_point_qty=np.where(stays, point, levels.reorder_point_qty),
        order_up_to_qty=np.where(stays, up_to, levels.order_up_to_qty),
        safety_stock_qty=np.where(stays, stock, levels.safety_stock_qty),
    )
    differs = (np.abs(point - levels.reorder_point_qty) > _SMALLEST_MOVE) | (
        np.abs(up_to - levels.order_up_to_qty) > _SMALLEST_MOVE
    )
    return moved, stays & differs


def _same_terms(levels: OrderLevels, rule: NDArray[np.object_], former: pd.DataFrame) -> Flags:
    target = former["service_level_pct"].to_numpy(dtype=float) / 100.0
    same = former["method"].to_numpy(dtype=object) == levels.method
    same &= (np.abs(target - levels.target) < 1e-6) | np.isnan(levels.target)
    same &= former["clamp"].fillna("").to_numpy(dtype=object) == levels.clamp
    same &= former["planning_rule"].fillna("").to_numpy(dtype=object) == rule
    known = former[["reorder_point_qty", "order_up_to_qty", "safety_stock_qty"]].notna().all(axis=1).to_numpy()
    return np.asarray(same & known & (levels.method != "Fixed"), dtype=bool)


def _within(former: Floats, new: Floats, band: float) -> Flags:
    """A level of 0 stays only where the new one is 0 as well: between nothing and something lies no share."""
    return np.asarray(np.abs(new - former) <= band * np.abs(former) + _SMALLEST_MOVE, dtype=bool)


def _cheap_enough(
    inputs: PolicyInputs, levels: OrderLevels, point: Floats, up_to: Floats, same: Flags, band: float
) -> Flags:
    """Whether the former levels cost no more than the share `band` above the new ones, what is bought left out."""
    rows = np.flatnonzero(same & (levels.method == "Least Cost"))
    enough = np.zeros(inputs.n, dtype=bool)
    if len(rows):
        some = inputs.select(rows)
        # Only what the levels decide: the goods themselves are bought either way.
        running = [
            _running_cost(some, at[rows], top[rows], levels.order_qty[rows])
            for at, top in ((point, up_to), (levels.reorder_point_qty, levels.order_up_to_qty))
        ]
        enough[rows] = running[0] <= running[1] * (1.0 + band) + _SMALLEST_MOVE
    return enough


def _running_cost(inputs: PolicyInputs, point: Floats, up_to: Floats, order_qty: Floats) -> Floats:
    price = np.asarray(inputs.unit_cost, dtype=float)
    total = yearly_cost(inputs, losses(inputs, point), losses(inputs, np.maximum(up_to, point)), order_qty, price)
    return np.asarray(total - np.asarray(inputs.daily_mean) * 365.0 * price)


def _allowed(inputs: PolicyInputs, point: Floats, up_to: Floats) -> Flags:
    """A floor or cap that came since is kept at once."""
    most = np.minimum(inputs.cap_qty, inputs.max_stock_qty)
    return np.asarray((point >= np.minimum(inputs.floor_qty, most) - _SMALLEST_MOVE) & (up_to <= most + _SMALLEST_MOVE))
