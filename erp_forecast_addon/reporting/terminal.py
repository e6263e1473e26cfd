"""The summary of a run for a terminal: plain text, no colour, readable at 80 columns and wider."""

import textwrap
from collections.abc import Sequence
from typing import Any

import pandas as pd

from erp_forecast_addon.reporting import wording
from erp_forecast_addon.reporting.contents import ReportContents

WIDTH = 100
MOST_LINES_OF_ORDER = 4
MOST_EXCEPTIONS = 8


def summary(contents: ReportContents) -> str:
    """Forecasts, policies, drafted orders by supplier with amount and reason, exceptions."""
    run = contents.run
    parts = [
        f"{contents.company}, as of {wording.day(run.get('as_of'))}",
        "",
        _row("Forecasts", f"{len(contents.forecasts):,}", _classes(contents)),
        _row("Stock policies", f"{len(contents.policies):,}", _shortages(contents)),
        _row("Drafted orders", f"{len(contents.orders):,}", _drafted(contents)),
        _row("Exceptions", f"{len(contents.exceptions):,}", _kinds(contents)),
    ]
    parts += _orders(contents) + _exceptions(contents)
    return "\n".join(parts)


def aligned(rows: Sequence[Sequence[str]], right: Sequence[int] = ()) -> list[str]:
    """Columns padded to the widest cell; the columns named in `right` are aligned to the right."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))] if rows else []
    return [
        "  ".join(
            cell.rjust(width) if i in right else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def wrapped(text: str, indent: int) -> list[str]:
    space = " " * indent
    return textwrap.wrap(text, WIDTH, initial_indent=space, subsequent_indent=space)


def _row(label: str, value: str, note: str) -> str:
    return f"  {label:<15}{value:>7}   {note}".rstrip()


def _classes(contents: ReportContents) -> str:
    if not len(contents.forecasts):
        return ""
    counts = contents.forecasts["demand_class"].value_counts()
    return ", ".join(f"{number:,} {str(name).lower()}" for name, number in counts.items())


def _shortages(contents: ReportContents) -> str:
    short = int(contents.policies["shortage_on"].notna().sum()) if len(contents.policies) else 0
    return f"{short:,} would run short without new orders" if short else ""


def _drafted(contents: ReportContents) -> str:
    if not len(contents.orders):
        return "nothing needs to be ordered now"
    amount = wording.money(contents.orders["base_total_amount"].sum(), contents.currency)
    risk = wording.money(contents.orders["money_at_risk"].sum(), contents.currency)
    return f"{wording.count(len(contents.lines), 'line', 'lines')}, {amount}; {risk} of sales at risk without them"


def _kinds(contents: ReportContents) -> str:
    if not len(contents.exceptions):
        return "nothing needs a person now"
    counts = contents.exceptions["exception_type"].value_counts()
    return ", ".join(f"{number:,} {name}" for name, number in counts.items())


def _orders(contents: ReportContents) -> list[str]:
    if not len(contents.orders):
        return []
    out = ["", "Drafted orders, most money at risk first"]
    for order in contents.orders.to_dict("records"):
        lines = contents.lines[contents.lines["parent"] == order["name"]]
        out += ["", *_order_head(order, lines)]
        for line in lines.head(MOST_LINES_OF_ORDER).to_dict("records"):
            out += _order_line(line)
        if len(lines) > MOST_LINES_OF_ORDER:
            out.append(f"      and {wording.count(len(lines) - MOST_LINES_OF_ORDER, 'more line', 'more lines')}")
    return out


def _order_head(order: dict[str, Any], lines: pd.DataFrame) -> list[str]:
    amount = wording.money(order["total_amount"], order["currency"] or "")
    supplier = str(order["supplier_name"] or order["supplier"])
    return [
        f"  {supplier}: {amount}, {wording.count(len(lines), 'line', 'lines')}, "
        f"order by {wording.day(order['order_by'])}  [{order['name']}]"
    ]


def _order_line(line: dict[str, Any]) -> list[str]:
    head = f"    {line['item_code']}  {line['quantity']}  {wording.money(line['amount'])}  by {wording.day(line['schedule_date'])}"
    return [head, *wrapped(str(line["reason"] or ""), 6)]


def _exceptions(contents: ReportContents) -> list[str]:
    if not len(contents.exceptions):
        return []
    out = ["", "Exceptions, most money first", ""]
    for case in contents.exceptions.head(MOST_EXCEPTIONS).to_dict("records"):
        about = ", ".join(str(case[name]) for name in ("item_code", "warehouse", "supplier") if case[name])
        risk = f" ({wording.money(case['money_at_risk'], contents.currency)})" if case["money_at_risk"] else ""
        out += [f"  {case['exception_type']}{': ' + about if about else ''}{risk}", *wrapped(str(case["message"]), 6)]
    left = len(contents.exceptions) - MOST_EXCEPTIONS
    return [*out, f"  and {left:,} more"] if left > 0 else out
