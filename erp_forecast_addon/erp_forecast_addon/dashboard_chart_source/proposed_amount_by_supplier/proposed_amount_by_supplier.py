"""What waits for approval, by supplier.

Not cached: Frappe's cache of chart sources is shared by all users, and these numbers depend on who looks.
"""

from collections import defaultdict
from typing import Any

import frappe
from frappe import _

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
    """Amount in the company's currency of undecided proposals that the user may see, the largest suppliers first.

    [] where nothing waits: Frappe then says so in the chart.
    """
    given = frappe.parse_json(filters) if isinstance(filters, str) else (filters or {})
    wanted = {"status": "Proposed"}
    if isinstance(given, dict) and given.get("company"):
        wanted["company"] = given["company"]
    rows = frappe.get_list(
        "Auto Purchase Order",
        filters=wanted,
        fields=["supplier", "supplier_name", "base_total_amount"],
        order_by="name",
        limit=0,
    )
    if not rows:
        return []
    totals: dict[str, float] = defaultdict(float)
    for row in rows:  # open proposals: one a supplier, as a rule
        totals[row.supplier_name or row.supplier] += row.base_total_amount or 0.0
    largest = sorted(totals.items(), key=lambda pair: -pair[1])[:MOST_SUPPLIERS]
    return {
        "labels": [name for name, _amount in largest],
        "datasets": [{"name": _("Proposed Amount"), "values": [amount for _name, amount in largest]}],
        "type": "bar",
    }
