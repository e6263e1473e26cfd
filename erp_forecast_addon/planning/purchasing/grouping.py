"""Proposed lines joined into orders, the most money at risk first."""

import pandas as pd

from erp_forecast_addon.planning.purchasing.joint_orders import ORDER_KEY
from erp_forecast_addon.planning.tables import ORDERS, PROPOSALS

_URGENT_FIRST = {"ascending": [False, True, *[True] * len(ORDER_KEY)], "kind": "stable"}


def group_orders(proposals: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """One order per supplier, currency and ship-to warehouse ("": joined).

    -> (ORDERS by rank, PROPOSALS + order_rank and line_rank, by both).

    Orders rank by the money at risk of all their lines, lines by their own; ties by the earliest day to order, then by
    name. Every line stands in exactly one order, so quantities, amounts and money at risk add up to the proposals'.
    """
    lines = PROPOSALS.check(proposals)
    if lines.empty:
        return ORDERS.empty(), lines.assign(order_rank=pd.Series(dtype=float), line_rank=pd.Series(dtype=float))
    orders = (
        lines.groupby(ORDER_KEY, sort=True)
        .agg(
            lines=("item_code", "size"),
            amount=("amount", "sum"),
            base_amount=("base_amount", "sum"),
            money_at_risk=("money_at_risk", "sum"),
            schedule_date=("schedule_date", "min"),
            order_by=("order_by", "min"),
            ordered_on=("ordered_on", "min"),
        )
        .reset_index()
    )
    orders = orders.sort_values(["money_at_risk", "order_by", *ORDER_KEY], **_URGENT_FIRST)
    orders["order_rank"] = range(1, len(orders) + 1)
    ranked = lines.merge(orders[[*ORDER_KEY, "order_rank"]], on=ORDER_KEY, how="left")
    ranked = ranked.sort_values(
        ["order_rank", "money_at_risk", "order_by", "item_code", "warehouse"],
        ascending=[True, False, True, True, True],
        kind="stable",
    ).reset_index(drop=True)
    ranked["line_rank"] = ranked.groupby("order_rank").cumcount() + 1
    return ORDERS.check(orders), ranked
