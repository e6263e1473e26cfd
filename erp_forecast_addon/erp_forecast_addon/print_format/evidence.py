"""What the print formats Order Evidence and Request Evidence show."""

from typing import Any

from frappe.model.document import Document

from erp_forecast_addon.services.order_evidence import REQUEST, Card, cards, request_cards
from erp_forecast_addon.site.frappe_words import translate


def evidence_cards(doc: Document) -> list[Card]:
    """A card per line of the proposed order or request that is printed."""
    made = request_cards if doc.doctype == REQUEST else cards
    return made((line.as_dict() for line in doc.get("items") or []), translate)


def evidence_sections(card: Card) -> list[tuple[str, list[Any]]]:
    """The steps of a card by section, in their order."""
    names = dict.fromkeys(step.section for step in card.steps)
    return [(name, [step for step in card.steps if step.section == name]) for name in names]
