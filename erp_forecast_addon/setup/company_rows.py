"""A company's row of Forecast Settings: planned from the start, but nothing of ERPNext's is written."""

from typing import Any

import frappe

SETTINGS = "Forecast Settings"
ROW = "Forecast Company Settings"
APPROVERS = "Order Approver"

# What a person switches on himself; everything else starts with the DocType's defaults.
_AT_FIRST: dict[str, Any] = {
    "who_orders": "ERPNext",
    "draft_orders": 0,
    "auto_approve_limit": 0,
    "write_back_levels": 0,
    "write_back_safety_stock": 0,
}


def ensure_company_rows() -> None:
    """A row for every company that has none."""
    for company in frappe.get_all("Company", pluck="name", order_by="creation asc"):
        ensure_company_row(company)


def ensure_company_row(company: str) -> None:
    """Add the row directly: saving the whole record would let another company's bad row stop this one."""
    present = frappe.get_all(ROW, filters={"parent": SETTINGS}, pluck="company")
    if company in present:
        return
    row = frappe.new_doc(ROW)
    row.update({"company": company, "currency": _currency(company), **_times_of_day(), **_AT_FIRST})
    row.update({"parent": SETTINGS, "parenttype": SETTINGS, "parentfield": "companies", "idx": len(present) + 1})
    row.db_insert()
    touch_settings()


def _times_of_day() -> dict[str, str]:
    """frappe.new_doc fills every Time field with the time of now, whatever its default says."""
    return {field.fieldname: field.default for field in frappe.get_meta(ROW).get("fields", {"fieldtype": "Time"})}


def remove_company_row(company: str) -> None:
    for rows in (ROW, APPROVERS):
        frappe.db.delete(rows, {"parent": SETTINGS, "company": company})
    touch_settings()


def touch_settings() -> None:
    """Rows changed beside the form: whoever has it open is asked to reload it, and caches forget it."""
    frappe.db.set_single_value(SETTINGS, "modified", frappe.utils.now(), update_modified=False)
    frappe.clear_document_cache(SETTINGS, SETTINGS)


def _currency(company: str) -> str | None:
    return frappe.db.get_value("Company", company, "default_currency")
