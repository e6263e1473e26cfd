"""The evidence of an order on a terminal: every step, and whether it gives the same number again."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from erp_forecast_addon.reporting import wording

_LABEL_WIDTH = 62


def evidence_lines(record: Mapping[str, Any], cards: Sequence[Any]) -> list[str]:
    """cards: services.order_evidence.Card, of the proposed order or request `record`."""
    whom = record.get("supplier_name") or record.get("supplier") or record.get("title") or record.get("warehouse")
    out = [f"{record['name']}  {whom}  {record['status']}"]
    for card in cards:
        out += ["", *_card(card)]
    equal = sum(card.equal for card in cards)
    return [*out, "", f"{equal} of {wording.count(len(cards), 'line', 'lines')} computed again to the same number."]


def _card(card: Any) -> list[str]:
    out = [f"{card.item_code} in {card.warehouse}: {_number(card.qty)} {card.uom}"]
    for section, steps in groupby(card.steps, key=lambda step: step.section):
        out.append(f"  {section}")
        out += [_step(step) for step in steps]
    if card.rule:
        out.append(f"  Rule: {card.rule}")
    return [*out, f"  {_verdict(card)}"]


def _step(step: Any) -> str:
    value = step.value if isinstance(step.value, str) else _number(step.value)
    differs = f"   DIFFERS: the plan had {_number(step.frozen)}" if step.differs else ""
    return f"    {step.label:<{_LABEL_WIDTH}} {value:>14} {step.unit}".rstrip() + differs


def _verdict(card: Any) -> str:
    if card.problem:
        return f"NOT COMPUTED: {card.problem}"
    again, ordered = _number(card.computed_qty), _number(card.stock_qty)
    if card.equal:
        return f"EQUAL: computed again {again} {card.stock_uom}, ordered {ordered}."
    steps = ", ".join(step.label for step in card.differences) or "the order"
    return f"DIFFERS: computed again {again} {card.stock_uom}, ordered {ordered}; what differs: {steps}."


def _number(value: float | None) -> str:
    """To the thousandth, which a document holds: rounding must not hide a difference."""
    return wording.NOTHING if value is None else f"{value:,.3f}".rstrip("0").rstrip(".")
