"""The policy methods by name, and the one function that everybody asks for levels."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from erp_forecast_addon.planning.errors import BadInput
from erp_forecast_addon.planning.forecasting.rows import in_blocks
from erp_forecast_addon.planning.inventory.methods.buffers import buffers
from erp_forecast_addon.planning.inventory.methods.fixed import fixed
from erp_forecast_addon.planning.inventory.methods.inputs import OrderLevels, PolicyInputs, Rows, joined
from erp_forecast_addon.planning.inventory.methods.least_cost import least_cost
from erp_forecast_addon.planning.inventory.methods.limits import limited
from erp_forecast_addon.planning.inventory.methods.service import cycle_service_level, fill_rate
from erp_forecast_addon.planning.inventory.methods.textbook import textbook
from erp_forecast_addon.planning.inventory.safety_stock import Floats
from erp_forecast_addon.planning.messages import _

Method = Callable[[PolicyInputs, Floats], OrderLevels]

METHODS: dict[str, Method] = {
    "Textbook": textbook,
    "Cycle Service Level": cycle_service_level,
    "Fill Rate": fill_rate,
    "Least Cost": least_cost,
    "Buffers": buffers,
    "Fixed": fixed,
}
# Methods that cannot do without a service target; Least Cost takes one as the least it may promise.
TARGETED = ("Textbook", "Cycle Service Level", "Fill Rate")
# Methods whose levels and order sizes are read from the distribution of demand.
DISTRIBUTED = ("Cycle Service Level", "Fill Rate", "Least Cost")
# What is promised where least cost is asked for and prices are not known.
USUAL_TARGET = 0.95
_ROWS = 2048
# Levels are told to a thousandth of what a document can hold: rounding of sums must not decide anything.
_DECIMALS = 6


def levels_for(
    inputs: PolicyInputs,
    method: str | np.ndarray,
    target: ArrayLike = np.nan,
    *,
    fallback_target: ArrayLike = USUAL_TARGET,
    workers: int = 1,
) -> OrderLevels:
    """Reorder point, order-up-to level and safety stock of every pair, inside the planner's limits.

    method: one name or (n,) names out of METHODS; target: one share or (n,), see TARGETED, NaN for none;
    fallback_target: of rows that ask for least cost and have no price or no shortage cost (clamp "no price").
    Each row's levels depend on that row alone. Raises BadInput for a method that does not exist and a target outside
    (0, 1) where one is needed.
    """
    n = inputs.n
    names = np.broadcast_to(np.asarray(method, dtype=object), (n,))
    wanted = np.broadcast_to(np.asarray(target, dtype=float), (n,)).copy()
    free = (inputs.shortage_cost <= 0.0) & (inputs.occasion_cost <= 0.0)
    unpriced = (names == "Least Cost") & ((inputs.unit_cost <= 0.0) | free)
    names = np.where(unpriced, "Cycle Service Level", names)
    wanted = np.where(unpriced & np.isnan(wanted), fallback_target, wanted)
    _check(names, wanted)
    parts: list[tuple[Rows, OrderLevels]] = []
    for name in sorted(set(names.tolist())):  # over methods
        of_method = np.flatnonzero(names == name)
        blocks: dict[int, tuple[Rows, OrderLevels]] = {}

        def fill(block: slice, name: str = name, of_method: Rows = of_method, into: dict = blocks) -> None:
            rows = of_method[block]
            some = inputs.select(rows)
            into[block.start] = rows, limited(some, METHODS[name](some, wanted[rows]))

        in_blocks(fill, len(of_method), workers, _ROWS)
        parts += blocks.values()
    return _rounded(_told(joined(parts, n), unpriced))


def _check(names: np.ndarray, target: Floats) -> None:
    unknown = sorted(set(names.tolist()) - set(METHODS))
    if unknown:
        raise BadInput(
            _("There is no policy method {method}; there are {methods}."),
            method=unknown[0],
            methods=", ".join(METHODS),
        )
    bad = np.isin(names, TARGETED) & ~((target > 0.0) & (target < 1.0))
    bad |= (target <= 0.0) | (target >= 1.0)
    if bad.any():
        raise BadInput(
            _("A service target of {percent}% cannot be planned: it must lie above 0% and below 100%."),
            percent=float(np.round(target[bad][0] * 100.0, 4)),
        )


def _told(levels: OrderLevels, unpriced: np.ndarray) -> OrderLevels:
    silent = unpriced & (levels.clamp == "")
    return replace(levels, clamp=np.where(silent, "no price", levels.clamp).astype(object))


def _rounded(levels: OrderLevels) -> OrderLevels:
    names = ("reorder_point_qty", "order_up_to_qty", "safety_stock_qty", "order_qty", "least_order_qty")
    return replace(levels, **{name: np.round(getattr(levels, name), _DECIMALS) for name in names})
