"""What is missing: the order rule, as two formulas that proposals and their evidence share."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from erp_forecast_addon.planning.purchasing.lots import SMALLEST_QTY

Floats = NDArray[np.float64]


def net_position(on_hand: ArrayLike, supply: ArrayLike, drafts: ArrayLike, above_forecast: ArrayLike) -> Floats:
    """on hand + supply due by the end of the protection interval + our drafts - firm demand beyond the forecast.

    Stock units. Forecast demand is not in it: it is in the order-up-to level that the position is held against.
    Source: inventory position, Silver, Pyke & Thomas (2017), section 6.2, cut to what arrives in time.
    """
    position = np.asarray(on_hand, dtype=float) + np.asarray(supply, dtype=float)
    return np.asarray(position + np.asarray(drafts, dtype=float) - np.asarray(above_forecast, dtype=float))


def order_need(order_up_to_qty: ArrayLike, position_qty: ArrayLike) -> Floats:
    """max(0, order-up-to level - position), stock units; less than a document can hold (a thousandth) is nothing.

    Source: the order-up-to level of an (s, S) or (R, s, S) system, Silver, Pyke & Thomas (2017), section 6.5; Chopra &
    Meindl, "Periodic review policies".
    """
    missing = np.asarray(order_up_to_qty, dtype=float) - np.asarray(position_qty, dtype=float)
    return np.where(missing > SMALLEST_QTY, missing, 0.0)


def due_now(below_safety_day: ArrayLike, arrival_day: ArrayLike, approval_days: ArrayLike) -> NDArray[np.bool_]:
    """Whether an order has to be drafted now: stock falls below its safety stock before an order could arrive that
    leaves when a draft of tomorrow has had its `approval_days`.

    below_safety_day: index of the first day below the safety stock, negative for none; arrival_day: index of the day
    on which an order of day 0 arrives. With approval_days 0 it is the reorder point, laid out in time (time-phased
    order point: Orlicky, Material Requirements Planning, 3rd ed.); drafts stand so many days before.
    """
    below = np.asarray(below_safety_day)
    return np.asarray((below >= 0) & (below <= np.asarray(arrival_day) + np.asarray(approval_days)))
