"""The evidence of proposals, computed again: what the cards on their form show beside the line's own fields."""

from dataclasses import asdict
from typing import Any

import frappe

from erp_forecast_addon.permissions import check_record
from erp_forecast_addon.services.order_evidence import cards
from erp_forecast_addon.setup.names import AUTO_PURCHASE_ORDER


@frappe.whitelist()
def lines(name: str) -> list[dict[str, Any]]:
    """A card per line of the proposal, in its order: steps, the rule that set the quantity, whether it is equal."""
    doc = check_record(AUTO_PURCHASE_ORDER, name)
    return [asdict(card) for card in cards((line.as_dict() for line in doc.items), frappe._)]
