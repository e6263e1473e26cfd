"""Why every proposed line is what it is: position, demand, levels, supplier, rule; each computed again."""

from typing import Any

import frappe
from frappe import _

from erp_forecast_addon.erp_forecast_addon.report.columns import column
from erp_forecast_addon.erp_forecast_addon.report.evidence_lines import evidence_lines, wanted_rows
from erp_forecast_addon.services.order_evidence import Card, cards
from erp_forecast_addon.setup.names import AUTO_PURCHASE_ORDER
from erp_forecast_addon.site.frappe_words import translate

# Of the record and of its lines, read for the report.
_SHOWN = ("name", "title", "supplier", "status", "currency", "company_currency")
_OF_LINE = (
    "parent", "idx", "item_code", "warehouse", "qty", "uom", "stock_qty", "stock_uom", "rate", "on_hand_qty",
    "position_qty", "protection_demand_qty", "safety_stock_qty", "reorder_point_qty", "order_up_to_qty",
    "lead_time_days", "money_at_risk", "reason", "evidence",
)  # fmt: skip


def execute(filters: dict[str, Any] | None = None) -> tuple[list[Any], list[Any], str | None]:
    given = filters or {}
    of_order, lines, cut = evidence_lines(AUTO_PURCHASE_ORDER, _SHOWN, _OF_LINE, given, ("supplier", "status", "name"))
    rows = [_row(line, card, of_order[line.parent]) for line, card in zip(lines, cards(lines, translate), strict=True)]
    return _columns(), wanted_rows(rows, given), cut


def _row(line: Any, card: Card, order: Any) -> dict[str, Any]:
    evidence = frappe.parse_json(line.evidence) or {}
    others = [each for each in evidence.get("suppliers") or [] if each["supplier"] != order.supplier]
    priced = [each for each in others if each.get("base_rate") is not None and not each.get("blocked_reason")]
    cheapest = min(priced, key=lambda each: each["base_rate"], default={})
    base_rate = (line.rate or 0) * (evidence.get("exchange_rate") or 0) / (evidence.get("conversion_factor") or 1)
    plain = {name: value for name, value in line.items() if name not in ("evidence", "parent", "idx")}
    return {
        **plain,
        "order": order.name,
        "title": order.title,
        "supplier": order.supplier,
        "status": _(order.status),
        "currency": order.currency,
        "company_currency": order.company_currency,
        "base_rate": base_rate,
        "need_qty": evidence.get("need_qty"),
        "other_supplier": cheapest.get("supplier"),
        "other_rate": cheapest.get("base_rate"),
        "suppliers": len(others) + 1,
        "rule": card.rule or card.problem,
        "computed_qty": card.computed_qty,
        "equal": _("Yes") if card.equal else _("No"),
    }


def _columns() -> list[dict[str, Any]]:
    def qty(fieldname: str, label: str, width: int = 100) -> dict[str, Any]:
        return {**column(fieldname, label, "Float", width), "precision": 2}

    return [
        column("order", _("Proposal"), "Link", 200, AUTO_PURCHASE_ORDER),
        column("supplier", _("Supplier"), "Link", 140, "Supplier"),
        column("item_code", _("Item"), "Link", 130, "Item"),
        column("warehouse", _("Warehouse"), "Link", 120, "Warehouse"),
        qty("qty", _("Quantity"), 90),
        column("uom", _("UOM"), "Data", 60),
        column("equal", _("Computed Again: Equal"), "Data", 80),
        column("rule", _("The Rule That Set the Quantity"), "Small Text", 380),
        qty("on_hand_qty", _("On Hand")),
        qty("position_qty", _("Net Position"), 110),
        qty("protection_demand_qty", _("Demand Over the Protection Interval"), 130),
        qty("safety_stock_qty", _("Safety Stock"), 110),
        qty("reorder_point_qty", _("Reorder Point"), 110),
        qty("order_up_to_qty", _("Order-up-to Level"), 130),
        qty("need_qty", _("Missing")),
        qty("stock_qty", _("Ordered (Stock UOM)"), 120),
        qty("computed_qty", _("Computed Again (Stock UOM)"), 120),
        column("base_rate", _("Price per Stock Unit"), "Currency", 120, "company_currency"),
        column("suppliers", _("Suppliers Considered"), "Int", 90),
        column("other_supplier", _("Cheapest Other"), "Link", 130, "Supplier"),
        column("other_rate", _("Its Price"), "Currency", 100, "company_currency"),
        column("money_at_risk", _("Money at Risk"), "Currency", 110, "company_currency"),
        column("status", _("Status"), "Data", 90),
    ]
