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
    short = contents.short_soon()
    return f"{short:,} would run out before a later order could arrive" if short else ""


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
    by = wording.day(line["schedule_date"])
    head = f"    {line['item_code']}  {line['quantity']}  {wording.money(line['amount'])}  by {by}"
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


# ---- status, one item, waiting orders -------------------------------------------------------------------------------
def status_lines(states: Sequence[Any]) -> list[str]:
    """states: services.report.CompanyState."""
    if not states:
        return ["The site has no company."]
    out: list[str] = []
    for state in states:
        out += [f"{state.company}{'' if state.enabled else '  (not planned)'}", *_last_run(state.last_run)]
        if state.running is not None:
            since = wording.moment(state.running.started_at)
            out.append(f"  running now: {state.running.run}, started by {state.running.run_by} at {since}")
        if state.undecided_orders:
            out.append(f"  {wording.count(state.undecided_orders, 'order waits', 'orders wait')} for a decision")
    return out


def _last_run(run: dict[str, Any] | None) -> list[str]:
    if run is None:
        return ["  never planned"]
    head = (
        f"  last run {run['name']}: {run['status']}, started {wording.moment(run['started_at'])} by {run['run_by']}, "
        f"as of {wording.day(run['as_of'])}"
    )
    if run["status"] == "Running":
        return [head, f"  {wording.percent(run['progress_pct'])}: {run['current_step']}"]
    if run["status"] != "Completed":
        return [head, *wrapped(str(run["error"] or "").strip().split("\n")[-1], 4)]
    counts = (
        f"  {run['forecasts']:,} forecasts, {run['policies']:,} policies, {run['orders_created']:,} orders drafted, "
        f"{run['orders_updated']:,} changed, {run['orders_withdrawn']:,} withdrawn, {run['exceptions']:,} exceptions, "
        f"{wording.seconds(run['duration_seconds'])}"
    )
    return [head, counts]


def item_lines(view: dict[str, Any]) -> list[str]:
    """view: services.item_view.item_view."""
    named = "" if view["item_name"] == view["item_code"] else f"  {view['item_name']}"
    out = [f"{view['item_code']}{named}"]
    if not view["pairs"]:
        out.append("  Nothing is known about it yet: no demand, no forecast, no policy.")
    for pair in view["pairs"]:
        head = f"  {pair['warehouse']} ({pair['company']}), as of {wording.day(pair['as_of'])}"
        out += ["", head, *_pair_lines(pair)]
    out += _proposal_lines(view["proposals"]) + _case_lines(view["exceptions"])
    return out


def _pair_lines(pair: dict[str, Any]) -> list[str]:
    uom, rows = pair["stock_uom"] or "", []
    if pair["history"]:
        sold = pair["history"]["demand"]
        rows += [(f"went out in the last {days} days", wording.quantity(sum(sold[-days:])), uom) for days in (30, 90)]
    forecast, policy = pair["forecast"], pair["policy"]
    if forecast:
        rows += [(f"forecast for the next {days} days", wording.quantity(forecast[f"next_{days}_days_qty"]), uom)
                 for days in (7, 30, 90)]  # fmt: skip
    if policy:
        fields = (("on hand", "on_hand_qty"), ("net position", "position_qty"), ("safety stock", "safety_stock_qty"),
                  ("reorder point", "reorder_point_qty"), ("order up to", "order_up_to_qty"))  # fmt: skip
        rows += [(label, wording.quantity(policy[name]), uom) for label, name in fields]
    out = [f"    {line}" for line in aligned(rows, right=(1,))]
    if forecast:
        out += wrapped(f"{forecast['demand_class']}. {forecast['reason'] or ''}", 4)
    return out + (wrapped(str(policy["explanation"] or ""), 4) if policy else [])


def _proposal_lines(proposals: Sequence[dict[str, Any]]) -> list[str]:
    out = ["", "  Open orders of ours"] if proposals else []
    for line in proposals:
        amount = wording.money(line["amount"], line["currency"] or "")
        out.append(
            f"    {line['status']}: {wording.quantity(line['qty'])} {line['uom']} from {line['supplier']} for {amount} "
            f"by {wording.day(line['schedule_date'])}  [{line['name']}]"
        )
        out += wrapped(str(line["reason"] or ""), 6)
    return out


def _case_lines(cases: Sequence[dict[str, Any]]) -> list[str]:
    out = ["", "  Exceptions"] if cases else []
    for case in cases:
        out += wrapped(f"{case['exception_type']}: {case['message']}", 4)
    return out


def order_lines(orders: pd.DataFrame) -> list[str]:
    """orders: services.report.undecided_orders."""
    if orders.empty:
        return ["No order waits for a decision."]
    rows = [
        (
            str(order["name"]), str(order["supplier_name"] or order["supplier"]),
            wording.money(order["total_amount"], order["currency"] or ""), f"order by {wording.day(order['order_by'])}",
            f"{wording.money(order['money_at_risk'])} at risk", str(order["purchase_order"] or ""),
        )
        for order in orders.to_dict("records")
    ]  # fmt: skip
    return aligned(rows, right=(2, 4))


def replay_lines(replay: dict[str, Any]) -> list[str]:
    """A Policy Replay by policy and class. replay: the document with its results."""
    if not replay.get("results"):
        return ["Nothing has been replayed yet."]
    currency = str(replay.get("currency") or "")
    head = ("", "class", "stock-out days", "fill rate", "lost sales", "average stock", "orders", "total cost")
    rows = [(*wording.replay_figures(row), wording.money(row["total_cost"])) for row in replay["results"]]
    span = f"{replay['company']}, {wording.day(replay['from_date'])} to {wording.day(replay['to_date'])}"
    notes = wrapped(
        "Lost sales are estimated for days with an empty shelf, at the cost of the goods. Orders that really came in "
        "are counted by the days on which stock arrived. All start from the same stock.",
        0,
    )
    return [f"{span}, amounts in {currency}".rstrip(" in"), "", *aligned([head, *rows], range(2, 8)), "", *notes]
