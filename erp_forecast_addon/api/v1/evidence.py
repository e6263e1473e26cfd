"""The evidence of proposals, computed again: what the cards on their form show beside the line's own fields."""

from dataclasses import asdict
from typing import Any

import frappe

from erp_forecast_addon.permissions import check_record
from erp_forecast_addon.services.order_evidence import cards, request_cards
from erp_forecast_addon.setup.names import AUTO_MATERIAL_REQUEST, AUTO_PURCHASE_ORDER
from erp_forecast_addon.site.frappe_words import translate


@frappe.whitelist()
def lines(name: str) -> list[dict[str, Any]]:
    """A card per line of the proposal, in its order: steps, the rule that set the quantity, whether it is equal."""
    doc = check_record(AUTO_PURCHASE_ORDER, name)
    return [asdict(card) for card in cards((line.as_dict() for line in doc.items), translate)]


@frappe.whitelist()
def request_lines(name: str) -> list[dict[str, Any]]:
    """The same of a proposed request for transfer or manufacture."""
    doc = check_record(AUTO_MATERIAL_REQUEST, name)
    return [asdict(card) for card in request_cards((line.as_dict() for line in doc.items), translate)]
