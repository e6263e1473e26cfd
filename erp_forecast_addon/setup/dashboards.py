"""Links to our records on the forms of Item, Supplier and Purchase Order."""

from typing import Any

from frappe import _


def item(data: dict[str, Any]) -> dict[str, Any]:
    ours = [
        "Demand Forecast",
        "Safety Stock Policy",
        "Level Change",
        "Planning Exception",
        "Planning Snooze",
        "Order Edit",
    ]
    return _with_links(data, ours, "item_code")


def supplier(data: dict[str, Any]) -> dict[str, Any]:
    ours = ["Supplier Lead Time", "Auto Purchase Order", "Planning Exception", "Supplier Channel", "Order Dispatch"]
    return _with_links(data, ours, "supplier")


def purchase_order(data: dict[str, Any]) -> dict[str, Any]:
    return _with_links(data, ["Auto Purchase Order", "Order Edit", "Order Dispatch"], "purchase_order")


def _with_links(data: dict[str, Any], doctypes: list[str], fieldname: str) -> dict[str, Any]:
    data["non_standard_fieldnames"] = {
        **data.get("non_standard_fieldnames", {}),
        **dict.fromkeys(doctypes, fieldname),
    }
    data["transactions"] = [*data.get("transactions", []), {"label": _("Forecast"), "items": doctypes}]
    return data
