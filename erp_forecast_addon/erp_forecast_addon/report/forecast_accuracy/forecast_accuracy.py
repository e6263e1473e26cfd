"""How well is forecast: item by item, or summed by demand class, warehouse or week. Rows are those a user may see.

Beside what the backtest promised stands what came of it: the demand of whole weeks against what was forecast one, four,
eight or thirteen weeks ahead, and against repeating the last season.
"""

from collections import defaultdict
from typing import Any

import frappe
import numpy as np
import pandas as pd
from frappe import _
from frappe.utils import add_days, cint, today

from erp_forecast_addon.erp_forecast_addon.report.columns import column
from erp_forecast_addon.planning import accuracy
from erp_forecast_addon.services.accuracy import sums_at

FIELDS = (
    "item_code", "item_name", "warehouse", "demand_class", "model", "daily_mean_qty", "stock_uom", "wape_pct",
    "as_of", "company", "name",
)  # fmt: skip
FILTERS = ("company", "warehouse", "item_code", "item_group", "demand_class", "model")
JUDGED = (
    "weeks", "wape_pct", "bias_pct", "mase", "rmsse", "pinball", "coverage_80_pct", "coverage_95_pct",
    "naive_wape_pct", "value_added_pct",
)  # fmt: skip
BY_ITEM, BY_CLASS, BY_WAREHOUSE, BY_WEEK = "Item", "Demand Class", "Warehouse", "Week"
GROUPS = {BY_CLASS: "demand_class", BY_WAREHOUSE: "warehouse", BY_WEEK: "week_start"}
SUMS = (
    "pairs", "pairs_unknown", "scaled_pairs", "demand_qty", "forecast_qty", "abs_error_qty", "naive_abs_error_qty",
    "scaled_abs_error", "scaled_squared_error", "scaled_pinball", "inside_80", "inside_95",
)  # fmt: skip
WEEKS = 26
OURS, NAIVE = "#0289f7", "#a6b1b9"


def execute(filters: dict[str, Any] | None = None) -> tuple[list[Any], list[Any], None, dict[str, Any] | None]:
    given = filters or {}
    lag = cint(given.get("lag_weeks")) or accuracy.LAGS[0]
    if lag not in accuracy.LAGS:
        frappe.throw(_("Forecasts are kept {0} weeks ahead, not {1}.").format(", ".join(map(str, accuracy.LAGS)), lag))
    group = given.get("group_by") or BY_ITEM
    if group == BY_ITEM:
        rows = _by_item(given, lag)
        return _item_columns(), rows, None, _item_chart(rows)
    if group not in GROUPS:
        frappe.throw(_("The report can be grouped by {0}, not by {1}.").format(", ".join([BY_ITEM, *GROUPS]), group))
    summed = _summed(given, lag, GROUPS[group])
    return _group_columns(group), summed, None, _group_chart(summed, group)


# ---- item by item ----------------------------------------------------------------------------------------------------
def _by_item(given: dict[str, Any], lag: int) -> list[dict[str, Any]]:
    """Every forecast pair with what its backtest promised; the judged figures where weeks have been judged."""
    wanted = {name: given[name] for name in FILTERS if given.get(name)}
    rows = frappe.get_list("Demand Forecast", filters=wanted, fields=list(FIELDS), order_by="item_code asc", limit=0)
    judged = _judged(wanted, lag)
    for row in rows:
        row["backtest_wape_pct"] = row.pop("wape_pct")
        row.update(judged.get((row["item_code"], row["warehouse"]), {}))
    return sorted(rows, key=lambda row: (-(row.get("wape_pct") or -1), -(row["backtest_wape_pct"] or -1)))


def _judged(wanted: dict[str, Any], lag: int) -> dict[tuple[str, str], dict[str, Any]]:
    """(item, warehouse) -> the figures of JUDGED; what could not be measured is None."""
    conditions = {name: value for name, value in wanted.items() if name != "model"}
    fields = ["item_code", "warehouse", "state"]
    held = frappe.get_list("Forecast Accuracy", filters=conditions, fields=fields, order_by="name", limit=0)
    if not held:
        return {}
    figures = accuracy.figures(sums_at(pd.Series([row["state"] for row in held]), lag))[list(JUDGED)].round(2)
    plain = figures.astype(object).where(figures.notna(), None).to_dict("records")
    return {(row["item_code"], row["warehouse"]): told for row, told in zip(held, plain, strict=True) if told["weeks"]}


def wape_by_class(rows: list[dict[str, Any]], field: str = "wape_pct") -> dict[str, float]:
    """WAPE of each demand class, percent: each pair weighs as much as its demand, as in WAPE = Σ|error| / Σ demand.

    Pairs without a measured WAPE or without demand are left out.
    """
    errors: dict[str, float] = defaultdict(float)
    demand: dict[str, float] = defaultdict(float)
    for row in rows:
        if row.get(field) is not None and row["daily_mean_qty"]:
            errors[row["demand_class"]] += row[field] * row["daily_mean_qty"]
            demand[row["demand_class"]] += row["daily_mean_qty"]
    return {name: errors[name] / demand[name] for name in sorted(demand)}


def _item_chart(rows: list[dict[str, Any]]) -> dict[str, Any] | None:
    promised, came = wape_by_class(rows, "backtest_wape_pct"), wape_by_class(rows)
    if not promised:
        return None
    datasets = [{"name": _("Backtest, per Period"), "values": [round(value, 1) for value in promised.values()]}]
    if came:
        datasets.append({"name": _("Whole Weeks"), "values": [round(came.get(name, 0.0), 1) for name in promised]})
    return _chart([_(name) for name in promised], datasets, "bar", [NAIVE, OURS] if came else [OURS])


# ---- summed ----------------------------------------------------------------------------------------------------------
def _summed(given: dict[str, Any], lag: int, by: str) -> list[dict[str, Any]]:
    """Errors of the last weeks by class, warehouse or week, from the weekly sums that the user may see."""
    conditions = [
        ["lag_weeks", "=", lag],
        ["week_start", ">=", add_days(today(), -7 * (cint(given.get("last_weeks")) or WEEKS) - 7)],
        *[[name, "=", given[name]] for name in ("company", "warehouse", "demand_class") if given.get(name)],
    ]
    fields = [by, *SUMS]
    held = frappe.get_list("Forecast Accuracy Week", filters=conditions, fields=fields, order_by="name", limit=0)
    if not held:
        return []
    sums = pd.DataFrame([dict(row) for row in held]).groupby(by, sort=True)[list(SUMS)].sum()
    figures = pd.DataFrame({
        "pairs": sums["pairs"].astype(int),
        "pairs_unknown": sums["pairs_unknown"].astype(int),
        "wape_pct": 100 * _ratio(sums["abs_error_qty"], sums["demand_qty"]),
        "bias_pct": 100 * _ratio(sums["forecast_qty"] - sums["demand_qty"], sums["demand_qty"]),
        "mase": _ratio(sums["scaled_abs_error"], sums["scaled_pairs"]),
        "rmsse": np.sqrt(_ratio(sums["scaled_squared_error"], sums["scaled_pairs"])),
        "pinball": _ratio(sums["scaled_pinball"], sums["scaled_pairs"]),
        "coverage_80_pct": 100 * _ratio(sums["inside_80"], sums["pairs"]),
        "coverage_95_pct": 100 * _ratio(sums["inside_95"], sums["pairs"]),
        "naive_wape_pct": 100 * _ratio(sums["naive_abs_error_qty"], sums["demand_qty"]),
        "value_added_pct": accuracy.value_added_pct(sums["abs_error_qty"], sums["naive_abs_error_qty"]),
    }).round(2).reset_index()  # fmt: skip
    return figures.astype(object).where(figures.notna(), None).to_dict("records")


def _ratio(upper: pd.Series, lower: pd.Series) -> pd.Series:
    return upper / lower.where(lower > 0)


def _group_chart(rows: list[dict[str, Any]], group: str) -> dict[str, Any] | None:
    if not rows:
        return None
    names = [frappe.format(row["week_start"], "Date") if group == BY_WEEK else _(row[GROUPS[group]]) for row in rows]
    datasets = [
        {"name": label, "values": [row[field] or 0.0 for row in rows]}
        for label, field in ((_("Seasonal Naive"), "naive_wape_pct"), (_("Forecast"), "wape_pct"))
    ]
    return _chart(names, datasets, "line" if group == BY_WEEK else "bar", [NAIVE, OURS])


def _chart(labels: list[str], datasets: list[dict[str, Any]], kind: str, colors: list[str]) -> dict[str, Any]:
    return {"data": {"labels": labels, "datasets": datasets}, "type": kind, "colors": colors, "height": 240}


# ---- columns ---------------------------------------------------------------------------------------------------------
def _item_columns() -> list[dict[str, Any]]:
    return [
        column("item_code", _("Item"), "Link", 140, "Item"),
        column("item_name", _("Item Name"), "Data", 160),
        column("warehouse", _("Warehouse"), "Link", 150, "Warehouse"),
        column("demand_class", _("Demand Class"), "Data", 120),
        column("weeks", _("Weeks Judged"), "Int", 110),
        *_figures(),
        column("backtest_wape_pct", _("Backtest WAPE per Period (%)"), "Percent", 205),
        column("model", _("Model"), "Data", 200),
        column("daily_mean_qty", _("Mean per Day"), "Float", 115),
        column("stock_uom", _("Stock UOM"), "Link", 90, "UOM"),
        column("as_of", _("As Of"), "Date", 105),
        column("company", _("Company"), "Link", 140, "Company"),
    ]


def _group_columns(group: str) -> list[dict[str, Any]]:
    first = {
        BY_CLASS: column("demand_class", _("Demand Class"), "Data", 140),
        BY_WAREHOUSE: column("warehouse", _("Warehouse"), "Link", 180, "Warehouse"),
        BY_WEEK: column("week_start", _("Week"), "Date", 120),
    }[group]
    return [
        first,
        column("pairs", _("Items x Weeks Judged"), "Int", 150),
        *_figures(),
        column("pairs_unknown", _("Out of Stock, Not Judged"), "Int", 170),
    ]


def _figures() -> list[dict[str, Any]]:
    return [
        column("wape_pct", _("WAPE (%)"), "Percent", 95),
        column("naive_wape_pct", _("Seasonal Naive, WAPE (%)"), "Percent", 175),
        column("value_added_pct", _("Value Added (%)"), "Percent", 125),
        column("bias_pct", _("Bias (%)"), "Percent", 90),
        column("mase", _("MASE"), "Float", 80),
        column("rmsse", _("RMSSE"), "Float", 80),
        column("pinball", _("Pinball Loss"), "Float", 105),
        column("coverage_80_pct", _("Inside 80% Interval"), "Percent", 145),
        column("coverage_95_pct", _("Inside 95% Interval"), "Percent", 145),
    ]
