"""When the open lines of Purchase Orders arrive, as far as their suppliers have shown. Orders that the user may see."""

from typing import Any

import frappe
import pandas as pd
from frappe import _

from erp_forecast_addon.erp_forecast_addon.report.columns import column
from erp_forecast_addon.permissions import check_company
from erp_forecast_addon.services.arrivals import expected_arrivals
from erp_forecast_addon.site.frappe_site import FrappeSite

# Of the suppliers' rows, which lead here.
FIELDS = ("supplier", "item_code")
_LATE_PCT = 50.0


def execute(filters: dict[str, Any] | None = None) -> tuple[list[Any], list[Any]]:
    given = filters or {}
    company = given.get("company")
    if not company:
        frappe.throw(_("Choose a company."))
    check_company(company, "Supplier Lead Time")
    seen = frappe.get_list(
        "Purchase Order", filters={"company": company, "docstatus": 1}, pluck="name", limit=0, order_by="name asc"
    )
    lines = expected_arrivals(FrappeSite(), company)
    lines = lines[lines["purchase_order"].isin(seen)]
    for name in FIELDS:
        if given.get(name):
            lines = lines[lines[name] == given[name]]
    if given.get("late"):
        lines = lines[lines["late_pct"] >= _LATE_PCT]
    return _columns(), _rows(lines.sort_values(["expected_on", "purchase_order", "item_code"]))


def _rows(lines: pd.DataFrame) -> list[dict[str, Any]]:
    days = ("ordered_on", "agreed_on", "expected_on", "latest_on")
    plain = lines.assign(
        **{name: lines[name].dt.date.astype(object).where(lines[name].notna(), None) for name in days},
        late_pct=lines["late_pct"].round(1).astype(object).where(lines["late_pct"].notna(), None),
    )
    return plain[[each["fieldname"] for each in _columns()]].to_dict("records")


def _columns() -> list[dict[str, Any]]:
    return [
        column("purchase_order", _("Purchase Order"), "Link", 170, "Purchase Order"),
        column("supplier", _("Supplier"), "Link", 170, "Supplier"),
        column("item_code", _("Item"), "Link", 140, "Item"),
        column("open_qty", _("Open Quantity (Stock UOM)"), "Float", 130),
        column("ordered_on", _("Ordered On"), "Date", 110),
        column("agreed_on", _("Agreed Date"), "Date", 110),
        column("expected_on", _("Expected On"), "Date", 110),
        column("latest_on", _("Nine Tenths Are Here By"), "Date", 140),
        column("late_pct", _("Chance to Be Late (%)"), "Percent", 130),
    ]
