"""The Forecast tab of the Item form: what a user may see of one item, and forecasting it at once."""

from typing import Any

import frappe
from frappe import _

from erp_forecast_addon.permissions import check_record
from erp_forecast_addon.refusals import refusals_shown
from erp_forecast_addon.services import one_item
from erp_forecast_addon.services.between_runs import due_of_item_by_warehouse
from erp_forecast_addon.services.item_explanation import explain_item
from erp_forecast_addon.services.item_view import item_view, planned_warehouses
from erp_forecast_addon.site.frappe_site import FrappeSite

MAY_FORECAST = ("Forecast Planner", "System Manager")


@frappe.whitelist()
def view(item_code: str) -> dict[str, Any]:
    """services.item_view for the warehouses and companies that the user may see.

    Beside its keys: restricted (there are pairs that the user may not see), may_forecast, may_override,
    shows_proposals, shows_exceptions (whether the user may read those records at all).
    """
    _check_read(item_code)
    site = FrappeSite()
    pairs = planned_warehouses(site, item_code)
    allowed = [pair for pair in pairs if _may_read("Demand Forecast", item_code, *pair)]
    answer = item_view(site, item_code, [warehouse for _company, warehouse in allowed])
    for pair in answer["pairs"]:
        if not _may_read("Safety Stock Policy", item_code, pair["company"], pair["warehouse"]):
            pair["policy"] = None
    return {
        **answer,
        "proposals": _readable("Auto Purchase Order", answer["proposals"]),
        "exceptions": _readable("Planning Exception", answer["exceptions"]),
        "overrides": _readable("Forecast Override", answer["overrides"]),
        "restricted": len(allowed) < len(pairs),
        "may_forecast": _may_forecast(),
        "may_override": bool(frappe.has_permission("Forecast Override", "create")),
        "shows_proposals": bool(frappe.has_permission("Auto Purchase Order", "read")),
        "shows_exceptions": bool(frappe.has_permission("Planning Exception", "read")),
    }


@frappe.whitelist()
def due_now(item_code: str) -> list[dict[str, Any]]:
    """What has to be ordered by the stock as it is and no draft covers, in the warehouses that the user may see."""
    _check_read(item_code)
    if not frappe.has_permission("Auto Purchase Order", "read"):
        return []
    site = FrappeSite()
    allowed = [pair for pair in planned_warehouses(site, item_code) if _may_read("Demand Forecast", item_code, *pair)]
    with refusals_shown():
        return due_of_item_by_warehouse(site, item_code, allowed)


@frappe.whitelist()
def explain(item_code: str, warehouse: str) -> dict[str, Any]:
    """services.item_explanation for a warehouse that the user may see: the parts of the forecast, period by period."""
    _check_read(item_code)
    company = frappe.db.get_value("Warehouse", warehouse, "company")
    if not company or not _may_read("Demand Forecast", item_code, company, warehouse):
        sentence = _("You may not see the forecast of {0} in {1}.")
        frappe.throw(sentence.format(item_code, warehouse), frappe.PermissionError)
    with refusals_shown():
        return explain_item(FrappeSite(), item_code, company, warehouse)


@frappe.whitelist(methods=["POST"])
def forecast_now(item_code: str) -> dict[str, Any]:
    """Read the item's ledger again, forecast it and set its levels in the warehouses that the user may see.

    Orders are left to the next run. Returns what `view` returns and notes: sentences on what is wrong with the item.
    """
    _check_read(item_code)
    if not _may_forecast():
        frappe.throw(_("Forecasting an item needs the role Forecast Planner."), frappe.PermissionError)
    with refusals_shown():
        notes = one_item.forecast_item(
            FrappeSite(),
            item_code,
            lambda company, warehouse: _may_read("Demand Forecast", item_code, company, warehouse),
        )
    return {**view(item_code), "notes": notes}


def _check_read(item_code: str) -> None:
    frappe.has_permission("Demand Forecast", "read", throw=True)
    check_record("Item", item_code)


def _may_forecast() -> bool:
    return bool(set(MAY_FORECAST) & set(frappe.get_roles()))


def _may_read(doctype: str, item_code: str, company: str, warehouse: str) -> bool:
    """Whether the user's rights and User Permissions allow a record of this pair, be it written yet or not."""
    record = frappe.get_doc({"doctype": doctype, "item_code": item_code, "company": company, "warehouse": warehouse})
    return bool(frappe.has_permission(doctype, "read", doc=record))


def _readable(doctype: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows whose record the user may read."""
    if not rows or not frappe.has_permission(doctype, "read"):
        return []
    names = list({row["name"] for row in rows})
    allowed = set(frappe.get_list(doctype, filters={"name": ["in", names]}, pluck="name", order_by="name", limit=0))
    return [row for row in rows if row["name"] in allowed]
