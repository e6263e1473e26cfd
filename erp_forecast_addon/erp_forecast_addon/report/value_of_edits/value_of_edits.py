"""What buyers' changes of proposed orders saved or cost, and what they gave as their reason.

Rows are those that the user may see; amounts are of one company, in its currency.
"""

from typing import Any

import frappe
from frappe import _
from frappe.utils import flt, get_fullname

from erp_forecast_addon.erp_forecast_addon.report.columns import column
from erp_forecast_addon.permissions import check_company

FIELDS = (
    "changed_at", "item_code", "item_name", "warehouse", "supplier", "kind", "from_text", "to_text", "changed_by",
    "reason", "status", "value", "sales_value", "holding_value", "price_value", "lost_qty_proposed",
    "lost_qty_changed", "judged_until", "auto_purchase_order", "purchase_order", "currency", "name",
)  # fmt: skip
_FIGURES = ("value", "sales_value", "holding_value", "price_value", "lost_qty_proposed", "lost_qty_changed")
_SAVED, _COST = "#28a745", "#d9534f"
_MOST_BARS = 12


def execute(filters: dict[str, Any] | None = None) -> tuple[list[Any], ...]:
    """-> columns, rows, message, chart, summary, as Frappe reads them."""
    given = filters or {}
    if not given.get("company"):
        return _columns(), [], _("Choose a company: amounts of several cannot be added up."), None, []
    check_company(given["company"], "Order Edit")
    rows = frappe.get_list(
        "Order Edit", filters=_wanted(given), fields=list(FIELDS), order_by="changed_at desc", limit=0
    )
    priced = [row for row in rows if row.status == "Priced"]
    for row in rows:  # a change that is not priced has no value, and not the value 0
        if row.status != "Priced":
            row.update(dict.fromkeys(_FIGURES))
    return _columns(), rows, _message(rows, priced), _chart(priced, given.get("chart")), _summary(priced)


def _wanted(given: dict[str, Any]) -> list[list[Any]]:
    wanted = [["company", "=", given["company"]]]
    wanted += [[name, "=", given[name]] for name in ("changed_by", "kind") if given.get(name)]
    if given.get("from_date"):
        wanted.append(["changed_at", ">=", given["from_date"]])
    if given.get("to_date"):
        wanted.append(["changed_at", "<", frappe.utils.add_days(given["to_date"], 1)])
    if not given.get("all"):
        wanted.append(["status", "=", "Priced"])
    return wanted


def _message(rows: list[Any], priced: list[Any]) -> str | None:
    if priced:
        return None
    if rows:
        return _("None of these changes is priced yet: their goods have to come, and be sold or not, first.")
    return _(
        "No change is priced yet. A change is priced once the stock that it was about is used up or its time is over."
    )


def _summary(priced: list[Any]) -> list[dict[str, Any]]:
    if not priced:
        return []
    currency = priced[0].currency
    saved = sum(flt(row.value) for row in priced if row.value > 0)
    cost = -sum(flt(row.value) for row in priced if row.value < 0)
    reasons = sum(1 for row in priced if row.reason)

    def money(label: str, amount: float, colour: str) -> dict[str, Any]:
        return {"label": label, "value": amount, "datatype": "Currency", "currency": currency, "indicator": colour}

    return [
        {"label": _("Changes Priced"), "value": len(priced), "datatype": "Int"},
        money(_("Saved"), saved, "Green"),
        money(_("Cost"), cost, "Red"),
        money(_("Together"), saved - cost, "Green" if saved >= cost else "Red"),
        {"label": _("With a Reason (%)"), "value": 100.0 * reasons / len(priced), "datatype": "Percent"},
    ]


def _chart(priced: list[Any], by: str | None) -> dict[str, Any] | None:
    if not priced:
        return None
    saved: dict[str, float] = {}
    cost: dict[str, float] = {}
    for row in priced:  # changes of a year: hundreds
        side = saved if row.value > 0 else cost
        side[_group(row, by)] = side.get(_group(row, by), 0.0) + flt(row.value)
    names = sorted({*saved, *cost}, key=lambda name: -abs(saved.get(name, 0.0)) - abs(cost.get(name, 0.0)))
    shown = sorted(names[:_MOST_BARS]) if by == "Month" else names[:_MOST_BARS]
    return {
        "type": "bar",
        "colors": [_SAVED, _COST],
        "data": {
            "labels": shown,
            "datasets": [
                {"name": _("Saved"), "values": [round(saved.get(name, 0.0), 2) for name in shown]},
                {"name": _("Cost"), "values": [round(cost.get(name, 0.0), 2) for name in shown]},
            ],
        },
        "barOptions": {"stacked": 1},
        "axisOptions": {"shortenYAxisNumbers": 1},
        "title": _("Value in {0}").format(priced[0].currency),
    }


def _group(row: Any, by: str | None) -> str:
    if by == "What":
        return _(row.kind)
    if by == "Month":
        return str(row.changed_at)[:7]
    return get_fullname(row.changed_by) if row.changed_by else _("Nobody")


def _columns() -> list[dict[str, Any]]:
    money = "currency"
    return [
        column("changed_at", _("Changed At"), "Datetime", 150),
        column("item_code", _("Item"), "Link", 120, "Item"),
        column("item_name", _("Item Name"), "Data", 140),
        column("warehouse", _("Warehouse"), "Link", 120, "Warehouse"),
        column("kind", _("What"), "Data", 90),
        column("from_text", _("Before"), "Data", 90),
        column("to_text", _("After"), "Data", 90),
        column("reason", _("Reason"), "Data", 200),
        column("value", _("Value"), "Currency", 110, money),
        column("sales_value", _("Sales"), "Currency", 100, money),
        column("holding_value", _("Holding"), "Currency", 100, money),
        column("price_value", _("Price"), "Currency", 100, money),
        column("lost_qty_proposed", _("Lost Units as Proposed"), "Float", 110),
        column("lost_qty_changed", _("Lost Units as Ordered"), "Float", 110),
        column("judged_until", _("Judged Until"), "Date", 110),
        column("changed_by", _("Changed By"), "Data", 150),
        column("status", _("Status"), "Data", 110),
        column("supplier", _("Supplier"), "Link", 130, "Supplier"),
        column("purchase_order", _("Purchase Order"), "Link", 150, "Purchase Order"),
        column("auto_purchase_order", _("Auto Purchase Order"), "Link", 120, "Auto Purchase Order"),
        column("name", _("Order Edit"), "Link", 100, "Order Edit"),
    ]
