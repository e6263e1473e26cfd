"""A replay of the past by class: our policy, ERPNext's own levels, and what was really ordered; week by week drawn."""

from typing import Any

import frappe
from frappe import _

from erp_forecast_addon.permissions import check_record

_REPLAY, _RESULT = "Policy Replay", "Policy Replay Result"
_COLOURS = {"Our Policy": "#0289f7", "ERPNext's Levels": "#e86c13", "As Really Ordered": "#7c8793"}
_CHARTS = {"Stock Value": "stock_value", "Lost Sales": "lost_value", "Orders": "order_lines"}
_SHOWN = (
    "policy", "abc_class", "pairs", "stock_out_days", "stock_out_pct", "fill_rate_pct", "fill_rate_value_pct",
    "lost_qty", "lost_value", "average_stock_value", "order_lines", "holding_cost", "order_cost", "shortage_cost",
    "total_cost",
)  # fmt: skip


def execute(filters: dict[str, Any] | None = None) -> tuple[list[Any], list[Any], str | None, dict[str, Any] | None]:
    given = filters or {}
    name = given.get("replay") or _latest(given.get("company"))
    if not name:
        sentence = _("Nothing has been replayed yet. Start a replay from the list of Policy Replays.")
        return _columns(), [], sentence, None
    doc = check_record(_REPLAY, name)
    wanted = given.get("abc_class")
    rows = [
        {**{field: row.get(field) for field in _SHOWN}, "currency": doc.currency}
        for row in doc.results
        if not wanted or row.abc_class == wanted
    ]
    told = _("{0}, {1} to {2}. Lost sales are estimated on days with an empty shelf.").format(
        doc.company, frappe.format(doc.from_date, "Date"), frappe.format(doc.to_date, "Date")
    )
    return _columns(), rows, told, _chart(doc, given.get("chart") or "Stock Value")


def _latest(company: str | None) -> str | None:
    """The latest completed replay that the user may see; get_list applies his permissions."""
    where = {"status": "Completed", **({"company": company} if company else {})}
    found = frappe.get_list(_REPLAY, filters=where, pluck="name", order_by="ended_at desc", limit=1)
    return found[0] if found else None


def _columns() -> list[dict[str, Any]]:
    meta = frappe.get_meta(_RESULT)
    widths = {"policy": 170, "abc_class": 70, "average_stock_value": 150}
    return [
        {
            "fieldname": field,
            "label": _(meta.get_label(field)),
            "fieldtype": meta.get_field(field).fieldtype.replace("Select", "Data"),
            "options": "currency" if meta.get_field(field).fieldtype == "Currency" else None,
            "width": widths.get(field, 120),
        }
        for field in _SHOWN
    ]


def _chart(doc: Any, wanted: str) -> dict[str, Any] | None:
    course = frappe.parse_json(doc.weeks_json) if doc.weeks_json else []
    field = _CHARTS.get(wanted)
    if not course or field is None:
        return None
    weeks = sorted({row["week"] for row in course})
    return {
        "type": "line",
        "colors": list(_COLOURS.values()),
        "data": {
            "labels": [frappe.format(week, "Date") for week in weeks],
            "datasets": [
                {"name": _(policy), "values": [row[field] for row in course if row["policy"] == policy]}
                for policy in _COLOURS
            ],
        },
        "lineOptions": {"hideDots": 1},
        "axisOptions": {"shortenYAxisNumbers": 1, "xIsSeries": 1},
    }
