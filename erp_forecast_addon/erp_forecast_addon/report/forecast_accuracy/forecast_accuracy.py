"""How well each pair is forecast, as its backtest measured it. Rows are those that the user may see."""

from collections import defaultdict
from typing import Any

import frappe
from frappe import _

FIELDS = (
    "item_code", "item_name", "warehouse", "demand_class", "model", "daily_mean_qty", "stock_uom", "wape_pct",
    "bias_pct", "mase", "rmsse", "as_of", "company", "name",
)  # fmt: skip
FILTERS = ("company", "warehouse", "item_code", "item_group", "demand_class", "model")


def execute(filters: dict[str, Any] | None = None) -> tuple[list[Any], list[Any], None, dict[str, Any] | None]:
    given = filters or {}
    wanted = {name: given[name] for name in FILTERS if given.get(name)}
    rows = frappe.get_list(
        "Demand Forecast", filters=wanted, fields=list(FIELDS), order_by="wape_pct desc, item_code asc", limit=0
    )
    return _columns(), rows, None, _chart(rows)


def wape_by_class(rows: list[dict[str, Any]]) -> dict[str, float]:
    """WAPE of each demand class, percent: each pair weighs as much as its demand, as in WAPE = Σ|error| / Σ demand.

    Pairs without a measured WAPE or without demand are left out.
    """
    errors: dict[str, float] = defaultdict(float)
    demand: dict[str, float] = defaultdict(float)
    for row in rows:
        if row["wape_pct"] is not None and row["daily_mean_qty"]:
            errors[row["demand_class"]] += row["wape_pct"] * row["daily_mean_qty"]
            demand[row["demand_class"]] += row["daily_mean_qty"]
    return {name: errors[name] / demand[name] for name in sorted(demand)}


def _chart(rows: list[dict[str, Any]]) -> dict[str, Any] | None:
    measured = wape_by_class(rows)
    if not measured:
        return None
    return {
        "data": {
            "labels": [_(name) for name in measured],
            "datasets": [{"name": _("WAPE (%)"), "values": [round(value, 1) for value in measured.values()]}],
        },
        "type": "bar",
        "colors": ["#0289f7"],
        "height": 240,
    }


def _columns() -> list[dict[str, Any]]:
    def column(fieldname: str, label: str, fieldtype: str, width: int, options: str | None = None) -> dict[str, Any]:
        # Frappe refuses the whole report over a link that the user may not follow; without the link it is a text.
        if fieldtype == "Link" and not frappe.has_permission(options, "read"):
            fieldtype, options = "Data", None
        return {"fieldname": fieldname, "label": label, "fieldtype": fieldtype, "width": width, "options": options}

    return [
        column("item_code", _("Item"), "Link", 140, "Item"),
        column("item_name", _("Item Name"), "Data", 160),
        column("warehouse", _("Warehouse"), "Link", 150, "Warehouse"),
        column("demand_class", _("Demand Class"), "Data", 120),
        column("model", _("Model"), "Data", 200),
        column("daily_mean_qty", _("Mean per Day"), "Float", 115),
        column("stock_uom", _("Stock UOM"), "Link", 90, "UOM"),
        column("wape_pct", _("WAPE (%)"), "Percent", 100),
        column("bias_pct", _("Bias (%)"), "Percent", 100),
        column("mase", _("MASE"), "Float", 90),
        column("rmsse", _("RMSSE"), "Float", 90),
        column("as_of", _("As Of"), "Date", 105),
        column("company", _("Company"), "Link", 140, "Company"),
    ]
