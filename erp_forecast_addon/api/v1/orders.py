"""Decisions on Auto Purchase Orders."""

import frappe
from frappe import _
from frappe.model.document import Document
from frappe.model.workflow import apply_workflow, get_workflow_name

from erp_forecast_addon.approval import check_may_decide
from erp_forecast_addon.permissions import check_record
from erp_forecast_addon.setup.names import AUTO_PURCHASE_ORDER


@frappe.whitelist(methods=["POST"])
def approve(name: str) -> dict[str, str | None]:
    """Approve a proposed order; its Purchase Order is submitted, or released, as the company's settings say."""
    doc = _decidable(name)
    return _state(_apply(doc, "Approve", "Approved"))


@frappe.whitelist(methods=["POST"])
def reject(name: str, reason: str, until: str | None = None) -> dict[str, str | None]:
    """Reject a proposed order with a reason; its draft is deleted. until: the need is not proposed again before."""
    doc = _decidable(name)
    doc.rejection_reason = reason
    doc.rejected_until = frappe.utils.getdate(until) if until else None
    return _state(_apply(doc, "Reject", "Rejected"))


def _decidable(name: str) -> Document:
    doc = check_record(AUTO_PURCHASE_ORDER, name)
    check_may_decide(doc)
    if doc.status != "Proposed":
        frappe.throw(_("{0} is {1} already.").format(doc.name, _(doc.status)))
    return doc


def _apply(doc: Document, action: str, status: str) -> Document:
    """By the workflow where it is active, so that its conditions hold; else by the same save without it."""
    if get_workflow_name(AUTO_PURCHASE_ORDER):
        doc.save()
        return apply_workflow(doc, action)
    doc.status = status
    doc.save()
    return doc


def _state(doc: Document) -> dict[str, str | None]:
    return {"name": doc.name, "status": doc.status, "purchase_order": doc.purchase_order}
