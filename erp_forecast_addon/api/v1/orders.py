"""Decisions on Auto Purchase Orders."""

from datetime import date
from typing import Any

import frappe
from frappe.model.document import Document

from erp_forecast_addon.api import decisions
from erp_forecast_addon.approval import check_ours_to_approve, check_transition, decides_as, state_of
from erp_forecast_addon.permissions import check_record
from erp_forecast_addon.refusals import refusals_shown
from erp_forecast_addon.setup.names import AUTO_PURCHASE_ORDER


@frappe.whitelist(methods=["POST"])
def approve(name: str) -> dict[str, str | None]:
    """Approve a proposed order; its Purchase Order is submitted, or released, as the company's settings say. Where two
    approvers are needed the first leaves it Proposed."""
    doc = decisions.decidable(AUTO_PURCHASE_ORDER, name)
    if decides_as(doc) == frappe.session.user:
        return _state(decisions.approve(AUTO_PURCHASE_ORDER, name))
    return _state(_approve_for_another(doc))


@frappe.whitelist(methods=["POST"])
def reject(name: str, reason: str, until: str | None = None, reason_class: str | None = None) -> dict[str, str | None]:
    """Reject a proposed order with a reason; its draft is deleted. until: the need is not proposed again before, or not
    the same way, as reason_class says."""
    doc = decisions.decidable(AUTO_PURCHASE_ORDER, name)
    if decides_as(doc) == frappe.session.user:
        return _state(decisions.reject(AUTO_PURCHASE_ORDER, name, reason, until, rejection_class=reason_class))
    return _state(_reject_for_another(doc, reason, frappe.utils.getdate(until) if until else None, reason_class))


@frappe.whitelist()
def decision_state(name: str) -> dict[str, Any]:
    """Whether the user may decide on the order, for whom, and who is asked; see approval.state_of."""
    return state_of(check_record(AUTO_PURCHASE_ORDER, name))


def _approve_for_another(doc: Document) -> Document:
    """A deputy may have no right of his own to write the record or to take the workflow's action."""
    from erp_forecast_addon.services.decisions import approve as approve_order
    from erp_forecast_addon.site.frappe_site import FrappeSite

    check_ours_to_approve(doc)
    check_transition(doc, "Approved")
    with refusals_shown():
        approve_order(FrappeSite(), doc.name)
    return doc.reload()


def _reject_for_another(doc: Document, reason: str, until: date | None, reason_class: str | None) -> Document:
    from erp_forecast_addon.services.decisions import reject as reject_order
    from erp_forecast_addon.site.frappe_site import FrappeSite

    check_transition(doc, "Rejected")
    with refusals_shown():
        reject_order(FrappeSite(), doc.name, reason, until, reason_class)
    return doc.reload()


def _state(doc: Document) -> dict[str, str | None]:
    return decisions.state(doc, "purchase_order")
