"""Decisions on Auto Purchase Orders."""

import frappe

from erp_forecast_addon.api import decisions
from erp_forecast_addon.setup.names import AUTO_PURCHASE_ORDER


@frappe.whitelist(methods=["POST"])
def approve(name: str) -> dict[str, str | None]:
    """Approve a proposed order; its Purchase Order is submitted, or released, as the company's settings say."""
    return decisions.state(decisions.approve(AUTO_PURCHASE_ORDER, name), "purchase_order")


@frappe.whitelist(methods=["POST"])
def reject(name: str, reason: str, until: str | None = None) -> dict[str, str | None]:
    """Reject a proposed order with a reason; its draft is deleted. until: the need is not proposed again before."""
    return decisions.state(decisions.reject(AUTO_PURCHASE_ORDER, name, reason, until), "purchase_order")
