"""Why every line of a proposed transfer or manufacture is what it is, each computed again."""

from typing import Any

import frappe
from frappe import _

from erp_forecast_addon.erp_forecast_addon.report.columns import column
from erp_forecast_addon.erp_forecast_addon.report.evidence_lines import evidence_lines, wanted_rows
from erp_forecast_addon.services.order_evidence import REQUEST, Card, request_cards
from erp_forecast_addon.site.frappe_words import translate

# Of the record and of its lines, read for the report.
_SHOWN = ("name", "title", "request_type", "status", "company_currency")
_OF_LINE = (
    "parent", "idx", "item_code", "item_name", "from_warehouse", "warehouse", "schedule_date", "qty", "stock_uom",
    "on_hand_qty", "position_qty", "order_up_to_qty", "available_qty", "order_by", "days_late", "money_at_risk",
    "components", "reason", "evidence",
)  # fmt: skip
_OF_RECORD = ("request_type", "status", "name")


def execute(filters: dict[str, Any] | None = None) -> tuple[list[Any], list[Any], str | None]:
    given = filters or {}
    of_request, lines, cut = evidence_lines(REQUEST, _SHOWN, _OF_LINE, given, _OF_RECORD)
    made = zip(lines, request_cards(lines, translate), strict=True)
    rows = [_row(line, card, of_request[line.parent]) for line, card in made]
    return _columns(), wanted_rows(rows, given), cut


def _row(line: Any, card: Card, request: Any) -> dict[str, Any]:
    evidence = frappe.parse_json(line.evidence) or {}
    plain = {name: value for name, value in line.items() if name not in ("evidence", "parent", "idx")}
    return {
        **plain,
        # Only from a warehouse is something spared, and only moving is held against buying.
        "available_qty": line.available_qty if line.from_warehouse else None,
        "transfer_cost": evidence.get("transfer_cost") if evidence.get("buying_cost") else None,
        "buying_cost": evidence.get("buying_cost") or None,
        "request": request.name,
        "title": request.title,
        "request_type": _(request.request_type),
        "status": _(request.status),
        "company_currency": request.company_currency,
        "need_qty": evidence.get("need_qty"),
        "rule": card.rule or card.problem,
        "computed_qty": card.computed_qty,
        "equal": _("Yes") if card.equal else _("No"),
    }


def _columns() -> list[dict[str, Any]]:
    def qty(fieldname: str, label: str, width: int = 100) -> dict[str, Any]:
        return {**column(fieldname, label, "Float", width), "precision": 2}

    def money(fieldname: str, label: str) -> dict[str, Any]:
        return column(fieldname, label, "Currency", 110, "company_currency")

    return [
        column("request", _("Proposal"), "Link", 220, REQUEST),
        column("request_type", _("Type"), "Data", 110),
        column("item_code", _("Item"), "Link", 130, "Item"),
        column("from_warehouse", _("From Warehouse"), "Link", 130, "Warehouse"),
        column("warehouse", _("Warehouse"), "Link", 130, "Warehouse"),
        qty("qty", _("Quantity"), 90),
        column("stock_uom", _("UOM"), "Data", 60),
        column("equal", _("Computed Again: Equal"), "Data", 80),
        column("rule", _("The Rule That Set the Quantity"), "Small Text", 380),
        column("order_by", _("Start By"), "Date", 100),
        column("schedule_date", _("Required By"), "Date", 100),
        column("days_late", _("Days Late"), "Int", 80),
        qty("on_hand_qty", _("On Hand")),
        qty("position_qty", _("Net Position"), 110),
        qty("order_up_to_qty", _("Order-up-to Level"), 130),
        qty("need_qty", _("Missing")),
        qty("available_qty", _("Can Be Spared"), 110),
        qty("computed_qty", _("Computed Again"), 120),
        money("transfer_cost", _("Moving It Costs")),
        money("buying_cost", _("Buying It Costs")),
        money("money_at_risk", _("Money at Risk")),
        column("components", _("Components"), "Small Text", 200),
        column("status", _("Status"), "Data", 90),
    ]
