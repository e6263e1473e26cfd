"""Numbers of the workspace that a plain Number Card cannot count. Permissions and User Permissions apply."""

from typing import Any

import frappe
from frappe.utils import fmt_money


@frappe.whitelist()
def below_reorder_point(filters: dict[str, Any] | str | None = None) -> dict[str, Any]:
    """How many policies that the user may see have a net position below their reorder point.

    filters: {"company": …} or nothing.
    """
    # Frappe v15 compares a number with a number only, never with another column.
    levels = frappe.get_list(
        "Safety Stock Policy",
        filters=_company(filters),
        fields=["position_qty", "reorder_point_qty"],
        order_by="name",
        limit=0,
        as_list=True,
    )
    below = sum(position < reorder_point for position, reorder_point in levels)
    route = ["query-report", "Stock Position against Policy"]
    return {"value": below, "fieldtype": "Int", "route": route, "route_options": _company(filters)}


@frappe.whitelist()
def amount_waiting(filters: dict[str, Any] | str | None = None) -> str:
    """Sum of the proposals that wait for a decision and that the user may see, in the company's currency.

    filters: {"company": …}; without a company the currency differs from row to row, so the first one's is used alone.
    """
    waiting = frappe.get_list(
        "Auto Purchase Order",
        filters={**_company(filters), "status": "Proposed"},
        fields=["base_total_amount", "company_currency"],
        order_by="name",
        limit=0,
    )
    currency = waiting[0].company_currency if waiting else _default_currency(_company(filters).get("company"))
    amount = sum(row.base_total_amount for row in waiting if row.company_currency == currency)
    return fmt_money(amount, precision=0, currency=currency)


def _company(filters: dict[str, Any] | str | None) -> dict[str, str]:
    given = frappe.parse_json(filters) if isinstance(filters, str) else filters
    company = (given or {}).get("company") if isinstance(given, dict) else None
    return {"company": company} if company else {}


def _default_currency(company: str | None) -> str | None:
    found = frappe.get_cached_value("Company", company, "default_currency") if company else None
    return found or frappe.db.get_default("currency")
