"""What waits for approval, by supplier.

Not cached: Frappe's cache of chart sources is shared by all users, and these numbers depend on who looks.
"""

from collections import defaultdict
from typing import Any

import frappe
from frappe import _

from erp_forecast_addon.permissions import company_shown

MOST_SUPPLIERS = 10


@frappe.whitelist()
def get(
    chart_name: str | None = None,
    chart: Any = None,
    no_cache: Any = None,
    filters: dict[str, Any] | str | None = None,
    from_date: Any = None,
    to_date: Any = None,
    timespan: Any = None,
    time_interval: Any = None,
    heatmap_year: Any = None,
) -> dict[str, Any] | list[Any]:
    """Amount of undecided proposals that the user may see, in the currency of one company; largest suppliers first.

    filters: {"company": …}; without a company permissions.company_shown says which. [] where nothing waits: Frappe then
    says so in the chart.
    """
    company = company_shown(filters, "Auto Purchase Order")
    if company is None:
        return []
    rows = frappe.get_list(
        "Auto Purchase Order",
        filters={"company": company, "status": "Proposed"},
        fields=["supplier", "supplier_name", "base_total_amount"],
        order_by="name",
        limit=0,
    )
    if not rows:
        return []
    totals: dict[str, float] = defaultdict(float)
    for row in rows:  # open proposals: one a supplier, as a rule
        totals[row.supplier_name or row.supplier] += row.base_total_amount or 0.0
    currency = frappe.get_cached_value("Company", company, "default_currency")
    largest = sorted(totals.items(), key=lambda pair: -pair[1])[:MOST_SUPPLIERS]
    return {
        "labels": [name for name, _amount in largest],
        "datasets": [{"name": _("Proposed Amount ({0})").format(currency), "values": [a for _name, a in largest]}],
        "type": "bar",
    }
