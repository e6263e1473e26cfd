"""A planner's changes of the forecast, from the Item form and from their own form."""

from typing import Any

import frappe
from frappe import _

from erp_forecast_addon.approval import may_approve_override
from erp_forecast_addon.permissions import check_company, check_record

_OVERRIDE = "Forecast Override"


@frappe.whitelist(methods=["POST"])
def create(
    item_code: str,
    company: str,
    from_date: str,
    to_date: str,
    kind: str,
    value: float | str,
    reason: str,
    warehouse: str | None = None,
) -> dict[str, Any]:
    """A new Forecast Override; approved at once if the user may approve it, else a draft.

    warehouse: None: all of the company together. Returns its name and status. frappe.PermissionError without the right
    on the company, the warehouse, the item or such a record; frappe.ValidationError with what is wrong with it.
    """
    # "" for no warehouse: None would be filled in with the one that the user works in.
    check_company(company, _OVERRIDE, "create")
    frappe.has_permission("Item", "read", doc=item_code, throw=True)
    override = frappe.get_doc({
        "doctype": _OVERRIDE, "item_code": item_code, "company": company, "warehouse": warehouse or "",
        "from_date": from_date, "to_date": to_date, "kind": kind, "value": value, "reason": reason,
    }).insert()  # fmt: skip
    if may_approve_override(override):
        override.status = "Approved"
        override.save()
    return {"name": override.name, "status": override.status}


@frappe.whitelist(methods=["POST"])
def approve(name: str) -> str:
    """Let it count from the next forecast on; returns its status. frappe.PermissionError for who may not approve."""
    return _set_status(name, "Approved")


@frappe.whitelist(methods=["POST"])
def withdraw(name: str) -> str:
    """Make an approved override a draft again, so that it no longer counts; returns its status."""
    return _set_status(name, "Draft")


@frappe.whitelist()
def may_approve(name: str) -> bool:
    """Whether the user may approve this override."""
    return may_approve_override(check_record(_OVERRIDE, name))


def _set_status(name: str, status: str) -> str:
    override = check_record(_OVERRIDE, name, "write")
    if override.status == "Expired":
        frappe.throw(_("{0} is over; nothing of its span lies ahead.").format(override.name))
    override.status = status
    override.save()
    return str(override.status)
