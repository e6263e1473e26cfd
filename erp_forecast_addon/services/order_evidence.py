"""The evidence of an order's or request's lines, computed again: for the form, the print, the report, the command."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from erp_forecast_addon.planning.errors import Refused
from erp_forecast_addon.planning.messages import _
from erp_forecast_addon.planning.purchasing.evidence import recompute
from erp_forecast_addon.planning.purchasing.evidence_steps import Sentence, Step, quantity_rule, steps
from erp_forecast_addon.planning.purchasing.lots import SMALLEST_QTY
from erp_forecast_addon.planning.purchasing.request_steps import request_rule, request_steps
from erp_forecast_addon.planning.purchasing.requests import recompute_request
from erp_forecast_addon.site import order_reads, request_reads
from erp_forecast_addon.site.port import Site

DOCTYPE = "Auto Purchase Order"
REQUEST = "Auto Material Request"

NO_ORDER = _("There is no proposal {name}, and no Purchase Order or Material Request {name} that was made of one.")
NO_LINE = _("{name} has no line for {item_code}.")
NOT_RECORDED = _("The line holds no evidence.")
NOT_READABLE = _("The evidence cannot be computed with: {reason} is missing.")


@dataclass(frozen=True)
class Shown:
    """A step in the user's language. value: a number, or text."""

    section: str
    label: str
    value: float | str
    unit: str
    frozen: float | None
    differs: bool
    total: bool


@dataclass(frozen=True)
class Card:
    """One line: what it orders (stock_qty, frozen), what its evidence gives again (computed_qty, None where it holds
    none), whether they are equal, the rule that set the quantity, and every step. problem: why there are no steps."""

    item_code: str
    warehouse: str
    qty: float
    uom: str
    stock_qty: float
    stock_uom: str
    reason: str
    computed_qty: float | None
    equal: bool
    rule: str
    steps: tuple[Shown, ...]
    problem: str = ""

    @property
    def differences(self) -> list[Shown]:
        return [step for step in self.steps if step.differs]


@dataclass(frozen=True)
class _Reading:
    """How the evidence of a kind of lines is computed again and read: from the evidence and the frozen quantity."""

    qty_field: str
    again: Callable[[Mapping[str, Any]], float]
    steps: Callable[[Mapping[str, Any], float], list[Step]]
    rule: Callable[[Mapping[str, Any]], list[Sentence]]


_ORDERED = _Reading("stock_qty", recompute, lambda told, _qty: steps(told), quantity_rule)
_ASKED_FOR = _Reading("qty", recompute_request, request_steps, request_rule)


def order_cards(site: Site, name: str, item_code: str | None = None) -> tuple[dict[str, Any], list[Card]]:
    """The proposal's record and a card per line. name: of a proposed order or request, or of its native draft.

    Raises Refused where there is none, or no line for the item.
    """
    record = site.get_document(DOCTYPE, name) or _record_of(site, name)
    reading = _ORDERED
    if record is None:
        record, reading = site.get_document(REQUEST, name) or _request_of(site, name), _ASKED_FOR
    if record is None:
        raise Refused(site.translate(NO_ORDER).format(name=name))
    lines = [line for line in record["items"] if item_code in (None, line["item_code"])]
    if item_code is not None and not lines:
        raise Refused(site.translate(NO_LINE).format(name=name, item_code=item_code))
    return record, [_card(line, reading, site.translate) for line in lines]


def _record_of(site: Site, purchase_order: str) -> dict[str, Any] | None:
    found = site.fetch(order_reads.record_of_order(site.qb, purchase_order))["name"].tolist()
    if not found:
        linked = site.fetch(order_reads.link_of_order(site.qb, purchase_order))["auto_purchase_order"].dropna()
        found = [name for name in linked.tolist() if name]
    return site.get_document(DOCTYPE, found[0]) if found else None


def _request_of(site: Site, material_request: str) -> dict[str, Any] | None:
    found = site.fetch(request_reads.record_of_request(site.qb, material_request))["name"].tolist()
    return site.get_document(REQUEST, found[0]) if found else None


def cards(lines: Iterable[Mapping[str, Any]], translate: Callable[[str], str]) -> list[Card]:
    """A card per line of an Auto Purchase Order; lines: its child rows."""
    return [_card(line, _ORDERED, translate) for line in lines]


def request_cards(lines: Iterable[Mapping[str, Any]], translate: Callable[[str], str]) -> list[Card]:
    """A card per line of an Auto Material Request; lines: its child rows."""
    return [_card(line, _ASKED_FOR, translate) for line in lines]


def _card(line: Mapping[str, Any], reading: _Reading, translate: Callable[[str], str]) -> Card:
    told, problem = _evidence(line, translate)
    stock_qty = float(line[reading.qty_field])
    computed: float | None = None
    shown: tuple[Shown, ...] = ()
    rule = ""
    if told:
        try:
            computed = reading.again(told)
            shown = tuple(_shown(step, translate) for step in reading.steps(told, stock_qty))
            rule = " ".join(translate(each.template).format(**each.values) for each in reading.rule(told))
        except KeyError as missing:
            problem = translate(NOT_READABLE).format(reason=missing)
    same = computed is not None and abs(computed - stock_qty) < SMALLEST_QTY / 2
    return Card(
        line["item_code"], line["warehouse"], float(line["qty"]), line.get("uom") or line["stock_uom"] or "", stock_qty,
        line["stock_uom"] or "", line["reason"] or "", computed, same and not any(step.differs for step in shown), rule,
        shown, problem,
    )  # fmt: skip


def _evidence(line: Mapping[str, Any], translate: Callable[[str], str]) -> tuple[dict[str, Any], str]:
    held = line.get("evidence")
    told = json.loads(held) if isinstance(held, str) and held else (held or {})
    return told, "" if told else translate(NOT_RECORDED)


def _shown(step: Step, translate: Callable[[str], str]) -> Shown:
    value = translate(step.value) if isinstance(step.value, str) else float(step.value)
    return Shown(
        translate(step.section), translate(step.label).format(**step.values).rstrip(), value, step.unit, step.frozen,
        step.differs, step.total,
    )  # fmt: skip
