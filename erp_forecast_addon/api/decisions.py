"""What approving and rejecting over the API are, whatever record is decided on."""

from typing import Any

import frappe
from frappe import _
from frappe.model.document import Document
from frappe.model.workflow import apply_workflow, get_workflow_name

from erp_forecast_addon.approval import check_may_decide
from erp_forecast_addon.permissions import check_record


def approve(doctype: str, name: str) -> Document:
    """Approve a proposed record; the record as it is then."""
    return _apply(_decidable(doctype, name), "Approve", "Approved")


def reject(doctype: str, name: str, reason: str, until: str | None) -> Document:
    """Reject a proposed record with a reason; until: the last day on which it is not proposed again."""
    doc = _decidable(doctype, name)
    doc.rejection_reason = reason
    doc.rejected_until = frappe.utils.getdate(until) if until else None
    return _apply(doc, "Reject", "Rejected")


def state(doc: Document, *more: str) -> dict[str, Any]:
    return {field: doc.get(field) for field in ("name", "status", *more)}


def _decidable(doctype: str, name: str) -> Document:
    doc = check_record(doctype, name)
    check_may_decide(doc)
    if doc.status != "Proposed":
        frappe.throw(_("{0} is {1} already.").format(doc.name, _(doc.status)))
    return doc


def _apply(doc: Document, action: str, status: str) -> Document:
    """By the workflow where it is active, so that its conditions hold; else by the same save without it."""
    if get_workflow_name(doc.doctype):
        doc.save()
        return apply_workflow(doc, action)
    doc.status = status
    doc.save()
    return doc
