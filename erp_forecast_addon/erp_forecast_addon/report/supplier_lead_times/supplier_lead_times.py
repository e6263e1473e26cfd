"""Learned lead times and punctuality of suppliers. Rows are those that the user may see.

The chart compares the suppliers shown; of a single row it is the distribution of its deliveries.
"""

import json
from typing import Any

import frappe
from frappe import _

from erp_forecast_addon.erp_forecast_addon.report.columns import column

FIELDS = (
    "supplier", "supplier_name", "item_code", "item_name", "lead_time_days", "lead_time_std_days", "median_days",
    "p90_days", "on_time_pct", "mean_delay_days", "due_orders", "trend_days_per_year", "trend_orders", "observations",
    "open_lines", "open_overdue_lines", "last_receipt_on", "source", "explanation", "company", "name", "distribution",
)  # fmt: skip
_SHOWN_IN_CHART = 15
_MOST_BARS = 60
_WHOLE = 1000.0  # shares are stored in hundred-thousandths; a chart shows percent


def execute(filters: dict[str, Any] | None = None) -> tuple[list[Any], list[Any], None, dict[str, Any] | None]:
    given = filters or {}
    rows = frappe.get_list(
        "Supplier Lead Time",
        filters=_wanted(given),
        fields=list(FIELDS),
        order_by="supplier asc, item_code asc",
        limit=0,
    )
    chart = _chart(rows)
    for row in rows:
        row.pop("distribution")
        _blank_what_is_unknown(row)
        row["source"] = _(row["source"])
    return _columns(), rows, None, chart


def _wanted(given: dict[str, Any]) -> dict[str, Any]:
    """Without an item or By Item: each supplier as a whole."""
    wanted: dict[str, Any] = {name: given[name] for name in ("company", "supplier", "item_code") if given.get(name)}
    if not given.get("item_code"):
        wanted["item_code"] = ("is", "set" if given.get("by_item") else "not set")
    if given.get("overdue"):
        wanted["open_overdue_lines"] = (">", 0)
    return wanted


def _blank_what_is_unknown(row: dict[str, Any]) -> None:
    """Frappe's numbers are never missing: nought of nothing is shown as nothing."""
    if not row["due_orders"]:
        row["on_time_pct"] = row["mean_delay_days"] = None
    if not row["trend_orders"]:
        row["trend_days_per_year"] = None


def _chart(rows: list[dict[str, Any]]) -> dict[str, Any] | None:
    learned = [row for row in rows if row["distribution"]]
    if len(rows) == 1 and learned:
        return _histogram(json.loads(learned[0]["distribution"]))
    if not rows:
        return None
    busiest = sorted(rows, key=lambda row: (-row["observations"], row["supplier"]))[:_SHOWN_IN_CHART]
    return {
        "data": {
            "labels": [_label(row) for row in busiest],
            "datasets": [
                {"name": _("Half Is Here Within (Days)"), "values": [row["median_days"] for row in busiest]},
                {"name": _("Nine Tenths Are Here Within (Days)"), "values": [row["p90_days"] for row in busiest]},
            ],
        },
        "type": "bar",
        "colors": ["#0289f7", "#f7a102"],
        "height": 260,
    }


def _label(row: dict[str, Any]) -> str:
    supplier = row["supplier_name"] or row["supplier"]
    return f"{supplier}: {row['item_code']}" if row["item_code"] else supplier


def _histogram(stored: dict[str, Any]) -> dict[str, Any]:
    """Share of deliveries by day, in percent; several days a bar where there are many, few of the longest left out."""
    shares = [share / _WHOLE for share in stored["shares"]]
    kept, total = 0, 0.0
    for share in shares:  # a chart's few hundred days
        kept, total = kept + 1, total + share
        if total >= 99.5:
            break
    width = -(-kept // _MOST_BARS)
    first = stored["from"]
    labels = [first + at for at in range(0, kept, width)]
    return {
        "data": {
            "labels": [str(day) if width == 1 else f"{day}-{day + width - 1}" for day in labels],
            "datasets": [{
                "name": _("Deliveries (%)"),
                "values": [round(sum(shares[at : at + width]), 2) for at in range(0, kept, width)],
            }],
        },
        "type": "bar",
        "colors": ["#0289f7"],
        "height": 260,
        "title": _("Share of deliveries by days after the order"),
    }  # fmt: skip


def _columns() -> list[dict[str, Any]]:
    return [
        column("supplier", _("Supplier"), "Link", 170, "Supplier"),
        column("item_code", _("Item"), "Link", 130, "Item"),
        column("item_name", _("Item Name"), "Data", 150),
        column("lead_time_days", _("Mean (Days)"), "Float", 100),
        column("lead_time_std_days", _("Standard Deviation (Days)"), "Float", 120),
        column("median_days", _("Half Is Here Within (Days)"), "Float", 120),
        column("p90_days", _("Nine Tenths Are Here Within (Days)"), "Float", 140),
        column("on_time_pct", _("On Time (%)"), "Percent", 95),
        column("mean_delay_days", _("Mean Delay (Days)"), "Float", 120),
        column("trend_days_per_year", _("Trend (Days a Year)"), "Float", 120),
        column("observations", _("Orders Received"), "Float", 110),
        column("open_lines", _("Open Lines"), "Int", 90),
        column("open_overdue_lines", _("Open Lines Overdue"), "Int", 110),
        column("last_receipt_on", _("Last Receipt"), "Date", 110),
        column("source", _("Lead Time From"), "Data", 120),
        column("explanation", _("Explanation"), "Data", 320),
        column("company", _("Company"), "Link", 130, "Company"),
    ]
