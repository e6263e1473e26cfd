"""Decisions on Auto Purchase Orders."""

from typing import Any

import frappe
from frappe import _
from frappe.model.document import Document
from frappe.model.workflow import apply_workflow, get_workflow_name

from erp_forecast_addon.approval import check_may_decide, check_ours_to_approve, check_transition, decides_as, state_of
from erp_forecast_addon.permissions import check_record
from erp_forecast_addon.refusals import refusals_shown
from erp_forecast_addon.setup.names import AUTO_PURCHASE_ORDER


@frappe.whitelist(methods=["POST"])
def approve(name: str) -> dict[str, str | None]:
    """Approve a proposed order; its Purchase Order is submitted, or released, as the company's settings say. Where two
    approvers are needed the first leaves it Proposed."""
    doc = _decidable(name)
    if decides_as(doc) == frappe.session.user:
        return _state(_apply(doc, "Approve", "Approved"))
    check_ours_to_approve(doc)
    check_transition(doc, "Approved")
    from erp_forecast_addon.services import decisions
    from erp_forecast_addon.site.frappe_site import FrappeSite

    with refusals_shown():
        decisions.approve(FrappeSite(), name)
    return _state(doc.reload())


@frappe.whitelist(methods=["POST"])
def reject(name: str, reason: str, until: str | None = None, reason_class: str | None = None) -> dict[str, str | None]:
    """Reject a proposed order with a reason; its draft is deleted. until: the need is not proposed again before, or not
    the same way, as reason_class says."""
    doc = _decidable(name)
    day = frappe.utils.getdate(until) if until else None
    if decides_as(doc) == frappe.session.user:
        doc.rejection_reason, doc.rejected_until, doc.rejection_class = reason, day, reason_class
        return _state(_apply(doc, "Reject", "Rejected"))
    check_transition(doc, "Rejected")
    from erp_forecast_addon.services import decisions
    from erp_forecast_addon.site.frappe_site import FrappeSite

    with refusals_shown():
        decisions.reject(FrappeSite(), name, reason, day, reason_class)
    return _state(doc.reload())


@frappe.whitelist()
def decision_state(name: str) -> dict[str, Any]:
    """Whether the user may decide on the order, for whom, and who is asked; see approval.state_of."""
    return state_of(check_record(AUTO_PURCHASE_ORDER, name))


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
