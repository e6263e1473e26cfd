"""Which due orders are judged on paths of demand, and with what: least cost under periodic review.

The levels of least cost say when an order is due and what stands in the records; how much leaves at a review is then
worked out along the paths (path_order.py), which know the order in which goods arrive and demand comes.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from erp_forecast_addon.planning.inventory.methods.inputs import DAYS_PER_YEAR
from erp_forecast_addon.planning.inventory.pair_levels import PairLevels
from erp_forecast_addon.planning.inventory.path_order import PathOrders, order_on_paths
from erp_forecast_addon.planning.inventory.safety_stock import Floats
from erp_forecast_addon.planning.settings import PlanSettings

Rows = NDArray[np.int64]

# How long after the interval a surplus is followed.
_FOLLOWED_DAYS = 28.0


@dataclass(frozen=True)
class JudgedOrders:
    """rows: (m,) pairs whose order was judged; orders: of these."""

    rows: Rows
    orders: PathOrders


def judged(levels: PairLevels, settings: PlanSettings) -> NDArray[np.bool_]:
    """(n,) pairs whose due orders are judged on paths where the outlook has any."""
    chosen = levels.chosen
    told = (chosen.method == "Least Cost") & (chosen.clamp == "") & (settings.review == "Periodic")
    # A path counts units; what is asked for now and then is judged by whole demands.
    return np.asarray(told & ~levels.on_occasions)


def judge_on_paths(
    paths: Callable[[np.ndarray, int], np.ndarray] | None,
    period_days: float,
    due: Rows,
    forecast_row: Rows,
    on_hand_qty: Floats,
    supply_qty: Floats,
    arrival_day: np.ndarray,
    levels: PairLevels,
    settings: PlanSettings,
) -> JudgedOrders:
    """paths(forecast rows, periods): see DemandOutlook; due: rows that need an order now; forecast_row, on_hand_qty,
    arrival_day: (n,); supply_qty: (n, days) by day of arrival.

    An order is no smaller than the levels' economic one where placing a line costs something.
    """
    inputs, chosen = levels.inputs, levels.chosen
    rows = due[judged(levels, settings)[due]] if paths is not None else due[:0]
    arrival = np.floor(arrival_day[rows] / period_days).astype(np.int64)
    review = max(1, round(settings.review_period_days / period_days))
    beyond = max(review, int(np.ceil(_FOLLOWED_DAYS / period_days)))
    least = np.where(np.asarray(inputs.order_cost) > 0, chosen.order_qty, chosen.least_order_qty)
    holding = np.asarray(inputs.unit_cost) * inputs.holding_rate_per_year / DAYS_PER_YEAR * period_days
    step = np.where(np.asarray(inputs.order_multiple_qty) > 0, inputs.order_multiple_qty, inputs.whole.astype(float))
    parts: list[tuple[Rows, PathOrders]] = []
    for first in np.unique(arrival).tolist():  # over a few lead times
        assert paths is not None
        some = rows[arrival == first]
        periods = first + review + beyond
        parts.append((some, order_on_paths(
            paths(forecast_row[some], periods),
            on_hand_qty[some],
            _by_period(supply_qty[some], period_days, periods),
            first,
            review,
            holding[some],
            np.asarray(inputs.shortage_cost)[some],
            least[some],
            step[some],
        )))  # fmt: skip
    return _joined(parts)


def _by_period(daily: Floats, period_days: float, periods: int) -> Floats:
    """Sums of the days of each period. (m, days) -> (m, periods)"""
    period = np.floor(np.arange(daily.shape[1]) / period_days).astype(np.int64)
    inside = period < periods
    return np.asarray(daily[:, inside] @ (period[inside, None] == np.arange(periods)).astype(float))


def _joined(parts: list[tuple[Rows, PathOrders]]) -> JudgedOrders:
    nothing = np.zeros(0)
    if not parts:
        table = np.zeros((0, 1))
        return JudgedOrders(np.zeros(0, dtype=np.int64), PathOrders(nothing, table, table, table, nothing, nothing))
    columns = [
        np.concatenate([getattr(orders, name) for _rows, orders in parts]) for name in PathOrders.__dataclass_fields__
    ]
    return JudgedOrders(np.concatenate([rows for rows, _orders in parts]), PathOrders(*columns))
