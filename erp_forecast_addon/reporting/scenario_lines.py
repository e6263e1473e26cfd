"""A Planning Scenario for a terminal."""

from collections.abc import Mapping
from typing import Any

from erp_forecast_addon.reporting import wording
from erp_forecast_addon.reporting.terminal import aligned, wrapped

_MOST_ITEMS = 15
_MOST_ALTERNATIVES = 15
_FIGURES = (
    ("ordered", "ordered_value"), ("average stock", "stock_value"), ("lost sales", "shortage_value"),
    ("sales", "sales_value"), ("margin", "margin_value"), ("ordered now", "proposed_value"),
)  # fmt: skip


def scenario_lines(record: Mapping[str, Any], results: Mapping[str, Any]) -> list[str]:
    """Both plans side by side, by month and for the items most affected, and what could be done. record: the document;
    results: its results_json, parsed."""
    totals, currency = results["totals"], str(record["currency"] or "")
    head = ("", "base plan", "scenario", "difference")
    rows = [(label, *_both(totals[name], wording.money)) for label, name in _FIGURES]
    rows.insert(2, ("fill rate", *_both(totals["fill_rate_pct"], wording.percent)))
    months = [
        (row["month"], *_both([row["base_ordered_value"], row["scenario_ordered_value"]], wording.money))
        for row in results["months"]
    ]
    title = f"{record['title']}: {record['pairs']:,} items in warehouses, {record['horizon_days']} days, {currency}"
    out = [title.rstrip(", "), "", *aligned([head, *rows], (1, 2, 3)), "", "Ordered by month"]
    out += [f"  {line}" for line in aligned(months, (1, 2, 3))]
    if results["assumptions"]:
        out += ["", "What is assumed"]
        for sentence in results["assumptions"]:
            out += wrapped(sentence, 2)
    if results["pairs"]:
        out += ["", "Most affected", *(f"  {line}" for line in _items(results["pairs"][:_MOST_ITEMS]))]
    if results["alternatives"]:
        out += ["", "What could be done"]
        for row in results["alternatives"][:_MOST_ALTERNATIVES]:
            out += wrapped(f"{row['item_code']}, {row['warehouse']}: {row['sentence']} {_effect(row)}", 2)
        left = len(results["alternatives"]) - _MOST_ALTERNATIVES
        out += [f"  and {left:,} more in the record"] if left > 0 else []
    return out


def _effect(row: Mapping[str, Any]) -> str:
    """What the way out costs and brings over the horizon."""
    cash = "cash not known" if row["cash_value"] is None else f"cash {_signed(row['cash_value'])}"
    saved = f"lost sales {_signed(-row['saved_value'])}, fill rate {row['fill_rate_gain_pct']:+.1f} points"
    return f"({cash}, {saved})"


def _signed(value: float) -> str:
    return f"{'+' if value > 0.0 else ''}{wording.money(value)}"


def _both(values: list[float | None], as_text: Any) -> tuple[str, str, str]:
    base, scenario = values
    if base is None or scenario is None:
        return ("–" if base is None else as_text(base), "–" if scenario is None else as_text(scenario), "")
    return as_text(base), as_text(scenario), as_text(scenario - base)


def _items(pairs: list[dict[str, Any]]) -> list[str]:
    head = ("item", "warehouse", "lost sales", "scenario", "runs out", "scenario", "ordered", "scenario")
    rows = [
        (
            row["item_code"], row["warehouse"], wording.money(row["base_shortage_value"]),
            wording.money(row["scenario_shortage_value"]), row["base_shortage_on"] or "–",
            row["scenario_shortage_on"] or "–", wording.money(row["base_ordered_value"]),
            wording.money(row["scenario_ordered_value"]),
        )
        for row in pairs
    ]  # fmt: skip
    return aligned([head, *rows], (2, 3, 6, 7))
