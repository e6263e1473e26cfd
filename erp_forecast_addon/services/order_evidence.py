"""The evidence of an order's lines, computed again: what the form, the print, the report and the command show."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from erp_forecast_addon.planning.errors import Refused
from erp_forecast_addon.planning.messages import _
from erp_forecast_addon.planning.purchasing.evidence import recompute
from erp_forecast_addon.planning.purchasing.evidence_steps import Step, quantity_rule, steps
from erp_forecast_addon.planning.purchasing.lots import SMALLEST_QTY
from erp_forecast_addon.site import order_reads
from erp_forecast_addon.site.port import Site

DOCTYPE = "Auto Purchase Order"

NO_ORDER = _("There is no proposal {name}, and no Purchase Order {name} that was made of one.")
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


def order_cards(site: Site, name: str, item_code: str | None = None) -> tuple[dict[str, Any], list[Card]]:
    """The proposal's record and a card per line. name: of the proposal, or of the Purchase Order that it drafted.

    Raises Refused where there is no such order, or no line for the item.
    """
    record = site.get_document(DOCTYPE, name) or _record_of(site, name)
    if record is None:
        raise Refused(site.translate(NO_ORDER).format(name=name))
    lines = [line for line in record["items"] if item_code in (None, line["item_code"])]
    if item_code is not None and not lines:
        raise Refused(site.translate(NO_LINE).format(name=name, item_code=item_code))
    return record, cards(lines, site.translate)


def _record_of(site: Site, purchase_order: str) -> dict[str, Any] | None:
    found = site.fetch(order_reads.record_of_order(site.qb, purchase_order))["name"].tolist()
    if not found:
        linked = site.fetch(order_reads.link_of_order(site.qb, purchase_order))["auto_purchase_order"].dropna()
        found = [name for name in linked.tolist() if name]
    return site.get_document(DOCTYPE, found[0]) if found else None


def cards(lines: Iterable[Mapping[str, Any]], translate: Callable[[str], str]) -> list[Card]:
    """A card per line of an Auto Purchase Order; lines: its child rows."""
    return [_card(line, translate) for line in lines]


def _card(line: Mapping[str, Any], translate: Callable[[str], str]) -> Card:
    told, problem = _evidence(line, translate)
    computed: float | None = None
    shown: tuple[Shown, ...] = ()
    rule = ""
    if told:
        try:
            computed = recompute(told)
            shown = tuple(_shown(step, translate) for step in steps(told))
            rule = " ".join(translate(each.template).format(**each.values) for each in quantity_rule(told))
        except KeyError as missing:
            problem = translate(NOT_READABLE).format(reason=missing)
    same = computed is not None and abs(computed - float(line["stock_qty"])) < SMALLEST_QTY / 2
    return Card(
        line["item_code"], line["warehouse"], float(line["qty"]), line["uom"] or "", float(line["stock_qty"]),
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
