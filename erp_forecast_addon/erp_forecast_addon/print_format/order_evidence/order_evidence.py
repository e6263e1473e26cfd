"""What the print format Order Evidence shows."""

from typing import Any

from frappe.model.document import Document

from erp_forecast_addon.services.order_evidence import Card, cards
from erp_forecast_addon.site.frappe_words import translate


def order_evidence_cards(doc: Document) -> list[Card]:
    """A card per line of an Auto Purchase Order; doc: the document that is printed."""
    return cards((line.as_dict() for line in doc.get("items") or []), translate)


def order_evidence_sections(card: Card) -> list[tuple[str, list[Any]]]:
    """The steps of a card by section, in their order."""
    names = dict.fromkeys(step.section for step in card.steps)
    return [(name, [step for step in card.steps if step.section == name]) for name in names]
