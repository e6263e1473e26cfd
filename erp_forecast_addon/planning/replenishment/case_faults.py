"""What a buyer has to know: needs that may not be ordered, doubtful lines, shortages no order can prevent."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from erp_forecast_addon.planning.errors import Fault
from erp_forecast_addon.planning.purchasing import faults as sentences
from erp_forecast_addon.planning.purchasing.faults import item_faults, pair_faults
from erp_forecast_addon.planning.purchasing.lots import SMALLEST_QTY
from erp_forecast_addon.planning.purchasing.suppliers import blocked_items

Flags = NDArray[np.bool_]
_PAIR = ["item_code", "warehouse"]
_VISIBLE_SHARE_OF_A_PIECE = 0.5


def orderable_cases(cases: pd.DataFrame, rated: pd.DataFrame, chosen: pd.DataFrame) -> tuple[pd.DataFrame, list[Fault]]:
    """The needs that may be ordered, and one fault per item for those that may not."""
    needed = cases[(cases["need_qty"] > 0.0) & cases["we_order"] & ~cases["suppressed"] & ~cases["held"]]
    missing = ~needed["exists"]
    retired = ~missing & needed["retired"]
    not_bought = ~missing & ~retired & ~needed["is_purchase_item"]
    wanted = needed[~(missing | retired | not_bought)]
    blocked = blocked_items(rated, chosen)
    barred = wanted[wanted["item_code"].isin(blocked.index)]
    barred = barred.assign(
        supplier=barred["item_code"].map(blocked["supplier"]), reason=barred["item_code"].map(blocked["blocked_reason"])
    )
    without = wanted[(wanted["supplier"] == "") & ~wanted["item_code"].isin(blocked.index)]
    supplied = wanted[wanted["supplier"] != ""]
    faults = [
        *item_faults("Bad Data", sentences.ITEM_MISSING, needed[missing]),
        *item_faults("Item Disabled", sentences.ITEM_DISABLED, needed[retired]),
        *item_faults("Not Planned", sentences.NOT_PURCHASED, needed[not_bought]),
        *item_faults("No Supplier", sentences.NO_SUPPLIER, without),
        *item_faults("Supplier Blocked", sentences.ALL_BLOCKED, barred, ("supplier", "reason")),
        *item_faults(
            "No UOM Conversion", sentences.NO_FACTOR, supplied[~supplied["factor_known"]], ("supplier", "uom")
        ),
    ]
    return supplied[supplied["factor_known"]], faults


def line_faults(lines: pd.DataFrame) -> list[Fault]:
    """What a buyer has to know about lines that are proposed all the same."""
    # Most methods have the minimum in their order-up-to level; what is missing without it lies below the reorder point.
    missing_qty = np.maximum(lines["reorder_point_qty"] - lines["position_qty"], 0.0)
    missing_qty = lines["need_qty"].where(lines["need_qty"] < lines["supplier_minimum_qty"], missing_qty)
    above_year = lines["supplier_minimum_qty"] > np.maximum(lines["annual_demand_qty"], missing_qty)
    return [
        *item_faults(
            "Supplier Blocked",
            sentences.REPLACED,
            lines[lines["replaces"] != ""],
            ("replaces", "replaces_reason", "supplier"),
        ),
        *item_faults("No Price", sentences.NO_PRICE, lines[~lines["price_known"]], ("supplier",)),
        *item_faults(
            "No Price",
            sentences.NO_EXCHANGE_RATE,
            lines[lines["price_known"] & ~lines["exchange_known"]],
            ("supplier", "currency"),
        ),
        *pair_faults(
            "MOQ Above Need",
            sentences.MOQ_ABOVE_NEED,
            lines.assign(min_order_qty=lines["supplier_minimum_qty"], need_qty=missing_qty)[above_year],
            ("min_order_qty", "annual_demand_qty", "need_qty", "stock_uom", "supplier"),
        ),
    ]


def no_lot_faults(no_lot: pd.DataFrame) -> list[Fault]:
    values = ("uom", "conversion_factor", "order_multiple_qty", "supplier")
    return item_faults("No UOM Conversion", sentences.NO_LOT, no_lot, values)


def standing_faults(cases: pd.DataFrame, unusable: Flags) -> list[Fault]:
    """What is wrong with a pair or item whether or not anything is ordered."""
    active = (cases["daily_demand_mean"] > 0.0) | (cases["need_qty"] > 0.0)
    active &= cases["exists"] & ~cases["retired"] & cases["is_purchase_item"]
    # What a document cannot hold is float noise of a ledger's sums.
    negative = cases["on_hand_qty"] < -0.5 * SMALLEST_QTY
    plain = cases.assign(money_at_risk=0.0, order_by=pd.Series(pd.NaT, index=cases.index, dtype="datetime64[ns]"))
    return [
        *pair_faults("Bad Data", sentences.BAD_FORECAST, plain[unusable], ()),
        *pair_faults("Negative Stock", sentences.NEGATIVE_STOCK, plain[negative], ("on_hand_qty",)),
        *item_faults(
            "No Lead Time",
            sentences.NO_LEAD_TIME,
            plain.assign(money_at_risk=_money_of_lead_time(cases))[active & (plain["lead_time_source"] == "settings")],
            ("lead_time_days",),
        ),
        *item_faults(
            "Bad Data", sentences.BAD_LEAD_TIME, plain[active & plain["lead_time_unbelievable"]], ("lead_time_days",)
        ),
    ]


def _money_of_lead_time(cases: pd.DataFrame) -> pd.Series:
    """Sales lost if the lead time is half as long again as taken: what a lead time that nobody knows may cost."""
    return 0.5 * cases["lead_time_days"] * cases["daily_demand_mean"] * cases["selling_rate"]


def shortage_faults(cases: pd.DataFrame, proposals: pd.DataFrame, requests: pd.DataFrame) -> list[Fault]:
    """Stock that really runs out before anything ordered now can arrive, or before open supply does."""
    lines = pd.concat([proposals[_PAIR], requests[_PAIR]])
    proposed = pd.MultiIndex.from_frame(cases[_PAIR]).isin(pd.MultiIndex.from_frame(lines))
    # Half a piece missing on average is no shortage that anybody could see.
    visible = np.where(cases["stock_uom_whole"], _VISIBLE_SHARE_OF_A_PIECE, SMALLEST_QTY)
    short = cases["short_before_qty"] > visible
    too_late = cases[proposed & short].assign(
        days_lost=lambda c: (c["arrival_day"] - c["short_first_day"]).astype(float),
        units_short=lambda c: c["short_before_qty"],
        money_at_risk=lambda c: c["short_before_qty"] * c["selling_rate"],
    )
    dips = short | (cases["short_later_qty"] > visible)
    # Without anything on its way, nobody wants more: what is not worth stocking runs out as it is meant to.
    coming = (cases["open_supply_qty"] > 0.0) | (cases["draft_qty"] > 0.0)
    covered = cases[~proposed & dips & coming & (cases["need_qty"] <= 0.0) & cases["we_order"] & ~cases["held"]]
    covered = covered.assign(
        short_on=covered["short_on"].fillna(covered["short_later_on"]),
        units_short=np.maximum(covered["short_before_qty"], covered["short_later_qty"]),
    )
    covered = covered.assign(
        money_at_risk=covered["units_short"] * covered["selling_rate"], order_by=covered["short_on"]
    )
    # Of supplied warehouses and made items, nobody outside the company can be asked to hurry.
    within = too_late["supplier"] == ""
    own, too_late = too_late[within], too_late[~within]
    by_a_day = too_late["days_lost"] == 1.0
    values = ("short_on", "days_lost", "arrival_on", "units_short", "stock_uom", "supplier")
    return [
        *pair_faults("Unavoidable Shortage", sentences.SHORTAGE, too_late[~by_a_day], values),
        *pair_faults("Unavoidable Shortage", sentences.SHORTAGE_OF_A_DAY, too_late[by_a_day], values),
        *pair_faults("Unavoidable Shortage", sentences.SHORTAGE_WITHIN, own, values[:-1]),
        *pair_faults(
            "Unavoidable Shortage", sentences.SUPPLY_TOO_LATE, covered, ("short_on", "units_short", "stock_uom")
        ),
    ]
