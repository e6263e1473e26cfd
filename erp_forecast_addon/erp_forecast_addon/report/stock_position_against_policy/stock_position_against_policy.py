"""Where every planned pair stands against its levels. Rows are those that the user may see."""

from typing import Any

import frappe
from frappe import _

from erp_forecast_addon.erp_forecast_addon.report.columns import column

FIELDS = (
    "item_code", "item_name", "warehouse", "abc_class", "on_hand_qty", "position_qty", "safety_stock_qty",
    "reorder_point_qty", "order_up_to_qty", "days_of_cover", "shortage_on", "lead_time_days", "safety_stock_value",
    "stock_uom", "currency", "company", "name",
)  # fmt: skip
FILTERS = ("company", "warehouse", "item_code", "item_group", "abc_class")

# From worst to best: below zero, the safety stock, the reorder point; above it; above the order-up-to level.
SHORT, LOW, DUE, ENOUGH, EXCESS = "Short", "Low", "Due", "Enough", "Excess"
STATES = (SHORT, LOW, DUE, ENOUGH, EXCESS)


def execute(filters: dict[str, Any] | None = None) -> tuple[list[Any], list[Any], None, dict[str, Any] | None]:
    given = filters or {}
    wanted = {name: given[name] for name in FILTERS if given.get(name)}
    rows = frappe.get_list(
        "Safety Stock Policy", filters=wanted, fields=list(FIELDS), order_by="item_code asc, warehouse asc", limit=0
    )
    for row in rows:
        row["state"] = state(row)
    if given.get("state"):
        rows = [row for row in rows if row["state"] == given["state"]]
    chart = _chart(rows)
    for row in rows:
        row["state"] = _(row["state"])
    return _columns(), rows, None, chart


def state(policy: dict[str, Any]) -> str:
    """Where the net position stands; the first level that it is below."""
    position = policy["position_qty"]
    if position < 0:
        return SHORT
    if position < policy["safety_stock_qty"]:
        return LOW
    if position < policy["reorder_point_qty"]:
        return DUE
    return EXCESS if position > policy["order_up_to_qty"] else ENOUGH


def _chart(rows: list[dict[str, Any]]) -> dict[str, Any] | None:
    if not rows:
        return None
    found = [row["state"] for row in rows]
    return {
        "data": {
            "labels": [_(each) for each in STATES],
            "datasets": [{"name": _("Items in Warehouses"), "values": [found.count(each) for each in STATES]}],
        },
        "type": "bar",
        "colors": ["#0289f7"],
        "height": 240,
    }


def _columns() -> list[dict[str, Any]]:
    return [
        column("item_code", _("Item"), "Link", 140, "Item"),
        column("item_name", _("Item Name"), "Data", 160),
        column("warehouse", _("Warehouse"), "Link", 150, "Warehouse"),
        column("state", _("State"), "Data", 90),
        column("abc_class", _("Class"), "Data", 60),
        column("on_hand_qty", _("On Hand"), "Float", 90),
        column("position_qty", _("Net Position"), "Float", 110),
        column("safety_stock_qty", _("Safety Stock"), "Float", 110),
        column("reorder_point_qty", _("Reorder Point"), "Float", 115),
        column("order_up_to_qty", _("Order-up-to Level"), "Float", 135),
        column("stock_uom", _("Stock UOM"), "Link", 90, "UOM"),
        column("days_of_cover", _("Days of Cover"), "Float", 115),
        column("shortage_on", _("First Day of Shortage"), "Date", 145),
        column("lead_time_days", _("Lead Time (Days)"), "Float", 125),
        column("safety_stock_value", _("Safety Stock Value"), "Currency", 140, "currency"),
        column("currency", _("Currency"), "Link", 80, "Currency"),
        column("company", _("Company"), "Link", 140, "Company"),
    ]
