"""Numbers of the workspace that a plain Number Card cannot count. Permissions and User Permissions apply."""

from typing import Any

import frappe
from frappe.desk.reportview import build_match_conditions
from frappe.utils import flt, fmt_money

from erp_forecast_addon.permissions import company_shown

_POLICY, _ORDER = "Safety Stock Policy", "Auto Purchase Order"


@frappe.whitelist()
def below_reorder_point(filters: dict[str, Any] | str | None = None) -> dict[str, Any]:
    """How many policies that the user may see have a net position below their reorder point.

    filters: {"company": …} or nothing.
    """
    frappe.has_permission(_POLICY, "read", throw=True)
    company = _company(filters)
    # A list compares a number with a number only, never with another column.
    conditions = ["position_qty < reorder_point_qty", "(%(company)s is null or `company` = %(company)s)"]
    match = build_match_conditions(_POLICY)
    where = " and ".join([*conditions, f"({match})"] if match else conditions)
    (below,) = frappe.db.sql(f"select count(*) from `tab{_POLICY}` where {where}", {"company": company})[0]
    route = ["query-report", "Stock Position against Policy"]
    return {
        "value": below,
        "fieldtype": "Int",
        "route": route,
        "route_options": {"company": company} if company else {},
    }


@frappe.whitelist()
def amount_waiting(filters: dict[str, Any] | str | None = None) -> str:
    """Sum of the proposals that wait for a decision and that the user may see, in the currency of one company.

    filters: {"company": …}; without a company permissions.company_shown says which.
    """
    frappe.has_permission(_ORDER, "read", throw=True)
    company = company_shown(filters, _ORDER)
    if company is None:
        return fmt_money(0, precision=0, currency=frappe.db.get_default("currency"))
    waiting = frappe.get_list(
        _ORDER,
        filters={"company": company, "status": "Proposed"},
        pluck="base_total_amount",
        order_by="name",
        limit=0,
    )
    currency = frappe.get_cached_value("Company", company, "default_currency")
    return fmt_money(sum(map(flt, waiting)), precision=0, currency=currency)


def _company(filters: dict[str, Any] | str | None) -> str | None:
    given = frappe.parse_json(filters) if isinstance(filters, str) else filters
    return (given.get("company") if isinstance(given, dict) else None) or None
