"""Until when an order has to be approved, and what a later approval costs in sales.

A *chance* is the moment of a working day until which an approved order still leaves on that day, or on the next day on
which its supplier takes orders. Letting one pass moves the arrival to that of the next: what the shelf will miss on
average until then, at its selling price, is what passing it costs; nothing where the supplier takes no order before the
next one anyway. Approve by the last chance before a cost that somebody would notice.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from erp_forecast_addon.planning.inventory.safety_stock import expected_units_short
from erp_forecast_addon.planning.tables import Column, Table

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Moments = NDArray[np.datetime64]

# How many chances ahead an order is looked at: three working weeks.
CHANCES_AHEAD: Final = 15
# A year of holidays in a row is no calendar.
_LONGEST_PAUSE_DAYS: Final = 366

# One row per line that waits. Quantities in stock UOM, days after as_of (day 0: as_of + 1).
WAITING_NEEDS = Table(
    "Needs of orders to approve",
    {
        "name": Column("text"),  # of the order
        "need_day": Column("number"),  # first day below the safety stock
        "safety_stock_qty": Column("number"),
        "on_hand_qty": Column("number"),
        "position_qty": Column("number"),
        "daily_demand_mean": Column("number"),
        "daily_demand_std": Column("number"),
        "lead_time_days": Column("number"),
        "lead_time_std_days": Column("number"),
        "selling_rate": Column("number"),  # company currency per stock unit
    },
)


@dataclass(frozen=True)
class WaitingCosts:
    """moments: (k,) chances; costs: order -> (k,) sales lost in expectation, company currency, by approving after a
    chance instead of by it."""

    moments: Moments
    costs: dict[str, Floats]


def chances(first_day: date, cut_off: time, holidays: Collection[date], count: int = CHANCES_AHEAD) -> list[datetime]:
    """The next moments by which an order has to be approved to leave on that day, from `first_day` on."""
    found: list[datetime] = []
    for ahead in range(_LONGEST_PAUSE_DAYS):  # days of a calendar, at most a year of them
        day = first_day + timedelta(days=ahead)
        if day not in holidays:
            found.append(datetime.combine(day, cut_off))
        if len(found) == count:
            break
    return found


def lost_sales(needs: pd.DataFrame, order_days: Floats) -> Floats:
    """(n, k) sales lost in expectation until an order placed on day k arrives; company currency.

    needs: table WAITING_NEEDS; order_days: (n, k) or (k,) days after as_of + 1. The stock left at the arrival, on
    average, is the less of two straight lines: from the net position, and from the day on which the projection falls
    below the safety stock; around it demand deviates by sqrt(a·σ² + μ²·σ_L²), a days after now. What is missing is
    σ·G(k) (safety_stock.expected_units_short).
    """
    column = {name: needs[name].to_numpy(dtype=float)[:, None] for name in WAITING_NEEDS.columns if name != "name"}
    mean, arrival = column["daily_demand_mean"], np.atleast_2d(order_days) + column["lead_time_days"]
    at_need = np.where(
        column["need_day"] > 0.0, column["safety_stock_qty"],
        np.minimum(column["safety_stock_qty"], column["on_hand_qty"]),
    )  # fmt: skip
    by_projection = at_need + mean * (column["need_day"] - arrival)
    left = np.minimum(column["position_qty"] - mean * arrival, by_projection)
    spread = np.sqrt(arrival * column["daily_demand_std"] ** 2 + (mean * column["lead_time_std_days"]) ** 2)
    return np.asarray(expected_units_short(left, spread) * column["selling_rate"], dtype=float)


def chance_days(moments: list[datetime], as_of: date) -> Ints:
    """(k,) the days of chances; day 0: as_of + 1."""
    return np.array([(moment.date() - as_of).days - 1 for moment in moments], dtype=np.int64)


def waiting_costs(
    needs: pd.DataFrame, as_of: date, moments: list[datetime], leaves: Ints | None = None
) -> WaitingCosts:
    """What letting each chance pass costs every order. moments: from `chances`, one more than is answered; leaves:
    (n, k) the day on which a line's order leaves if it is approved at each of them, where its supplier does not take
    orders on every day."""
    rows = WAITING_NEEDS.check(needs)
    days = (chance_days(moments, as_of) if leaves is None else leaves).astype(float)
    lost = np.diff(lost_sales(rows, days), axis=1) if len(moments) > 1 else np.zeros((len(rows), 0))
    summed = pd.DataFrame(np.maximum(lost, 0.0)).groupby(rows["name"].to_numpy()).sum()
    costs = dict(zip(summed.index.astype(str), summed.to_numpy(dtype=float), strict=True))
    return WaitingCosts(np.array(moments[: lost.shape[1]], dtype="datetime64[s]"), costs)


def approve_by(moments: Moments, costs: Floats, tolerated: float, now: datetime) -> int:
    """The place of the chance to approve by: the first one still to come whose passing costs more than is tolerated; -1
    where waiting costs no more than that as far as one looks."""
    too_dear = (costs > max(tolerated, 0.0)) & (moments > np.datetime64(now, "s"))
    return int(np.argmax(too_dear)) if too_dear.any() else -1
