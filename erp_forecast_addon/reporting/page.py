"""The page: every text that comes from a site is escaped, nothing is loaded from anywhere."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import pandas as pd

from erp_forecast_addon.reporting import charts, wording
from erp_forecast_addon.reporting.contents import ItemPicture, ReportContents
from erp_forecast_addon.reporting.replay_section import replay_body
from erp_forecast_addon.reporting.style import CSS

MOST_ROWS = 200
_URGENT = ("Unavoidable Shortage", "No Supplier", "Supplier Blocked", "Order Failed")


@dataclass(frozen=True)
class Col:
    """A column of a table: its heading, its fieldname, how a value becomes text, its CSS class (n: a number)."""

    heading: str
    name: str
    show: Callable[[Any], str] = wording.text
    css: str = ""


def render_page(contents: ReportContents) -> str:
    """The whole document."""
    sections = (
        _header(contents), _tiles(contents), _orders(contents), _requests(contents), _exceptions(contents),
        _items(contents),
        _policies(contents), _replay(contents), _accuracy(contents), _run(contents), _footer(contents),
    )  # fmt: skip
    heading = f"Forecast and orders – {contents.company}"
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(heading)}</title><style>{CSS}</style></head><body><main>\n"
        + "\n".join(sections)
        + "\n</main></body></html>\n"
    )


def table(frame: pd.DataFrame, columns: Sequence[Col], most: int = MOST_ROWS) -> str:
    """A table of the first `most` rows, and a line that says how many there are where some are left out."""
    head = "".join(f'<th class="{c.css}">{escape(c.heading)}</th>' for c in columns)
    shown = frame.head(most)
    rows = "".join(
        "<tr>" + "".join(_cell(value, c) for value, c in zip(row, columns, strict=True)) + "</tr>"
        for row in shown[[c.name for c in columns]].itertuples(index=False, name=None)
    )
    left = f'<p class="muted small">The first {most:,} of {len(frame):,} are shown.</p>' if len(frame) > most else ""
    return f"{_bare_table(head, rows)}{left}"


def _bare_table(head: str, rows: str) -> str:
    """head: cells; rows: whole rows; both are markup."""
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'


def _cell(value: Any, column: Col) -> str:
    return f'<td class="{column.css}">{escape(column.show(value))}</td>'


def _header(contents: ReportContents) -> str:
    links = (
        ("orders", "Drafted orders"), ("requests", "Requests"), ("exceptions", "Exceptions"), ("items", "Items"),
        ("policies", "Policies"), ("replay", "Replay"), ("accuracy", "Accuracy"), ("run", "The run"),
    )  # fmt: skip
    menu = "".join(f'<a href="#{anchor}">{label}</a>' for anchor, label in links)
    return (
        f"<header><h1>{escape(contents.company)}</h1>"
        f'<p class="muted">Forecasts, stock levels and drafted purchase orders as of '
        f"{escape(wording.day(contents.run.get('as_of')))}, "
        f"planned {escape(wording.moment(contents.run.get('started_at')))}"
        f"{_state(contents)}.</p><nav>{menu}</nav></header>"
    )


def _state(contents: ReportContents) -> str:
    status = str(contents.run.get("status", ""))
    return "" if status in ("Completed", "") else f" <b>(the run is {escape(status.lower())})</b>"


def _tiles(contents: ReportContents) -> str:
    currency = contents.currency
    drafted = contents.orders["base_total_amount"].sum() if len(contents.orders) else 0.0
    risk = contents.orders["money_at_risk"].sum() if len(contents.orders) else 0.0
    orders = wording.count(len(contents.orders), "drafted order", "drafted orders")
    tiles = (
        (f"{len(contents.forecasts):,}", "forecasts"),
        (f"{len(contents.policies):,}", "stock policies"),
        (wording.money(drafted, currency), f"in {orders}, {wording.count(len(contents.lines), 'line', 'lines')}"),
        (wording.money(risk, currency), "of sales at risk if nothing is ordered"),
        (f"{contents.short_soon():,}", "run out before a later order could arrive"),
        (f"{len(contents.exceptions):,}", "cases for a person"),
    )  # fmt: skip
    return '<section class="tiles">' + "".join(
        f'<div class="tile"><b>{escape(value)}</b><span>{escape(label)}</span></div>' for value, label in tiles
    ) + "</section>"  # fmt: skip


def _section(anchor: str, heading: str, intro: str, body: str) -> str:
    heads = f'<h2>{escape(heading)}</h2><p class="muted small">{escape(intro)}</p>'
    return f'<section id="{anchor}">{heads}{body}</section>'


def _nothing(sentence: str) -> str:
    return f'<div class="card empty">{escape(sentence)}</div>'


def _orders(contents: ReportContents) -> str:
    cards = "".join(
        _order(order, contents.lines[contents.lines["parent"] == order["name"]], contents.currency)
        for order in contents.orders.head(MOST_ROWS).to_dict("records")
    )
    more = len(contents.orders) - MOST_ROWS
    rest = f'<p class="muted">{more:,} more orders are not shown.</p>' if more > 0 else ""
    return _section(
        "orders", "Drafted orders", "Most money at risk first. Nothing is ordered until a person approves it.",
        cards + rest or _nothing("Nothing needs to be ordered now."),
    )  # fmt: skip


def _order(order: dict[str, Any], lines: pd.DataFrame, company_currency: str) -> str:
    facts = (
        f"{wording.count(len(lines), 'line', 'lines')} · order by {wording.day(order['order_by'])} · "
        f"required by {wording.day(order['required_by'])} · {order['status']}"
    )
    risk = f"{wording.money(order['money_at_risk'], company_currency)} of sales at risk"
    own = wording.money(order["total_amount"], order["currency"] or "")
    columns = (
        Col("Item", "item", css="item"), Col("Warehouse", "warehouse"), Col("Quantity", "quantity", css="n"),
        Col("Amount", "amount", wording.money, "n"), Col("Required by", "schedule_date", wording.day, "d"),
        Col("Late", "days_late", _late, "n"), Col("Why", "reason", css="why"),
    )  # fmt: skip
    return (
        f'<div class="card"><div class="head"><h3>{escape(str(order["supplier_name"] or order["supplier"]))}</h3>'
        f'<span class="amount">{escape(own)}</span></div>'
        f'<div class="head muted small"><span>{escape(facts)}</span><span>{escape(risk)}</span></div>'
        f"{table(lines, columns)}</div>"
    )


def _requests(contents: ReportContents) -> str:
    columns = (
        Col("Item", "item", css="item"), Col("What", "request_type"), Col("From", "from_warehouse"),
        Col("For", "warehouse"), Col("Quantity", "quantity", css="n"),
        Col("Required by", "schedule_date", wording.day, "d"), Col("Late", "days_late", _late, "n"),
        Col("Why", "reason", css="why"),
    )  # fmt: skip
    lines = contents.requests
    more = len(lines) - MOST_ROWS
    rest = f'<p class="muted">{more:,} more lines are not shown.</p>' if more > 0 else ""
    return _section(
        "requests", "Requests within the company", "What another warehouse or production covers instead of a supplier.",
        f'<div class="card">{table(lines.head(MOST_ROWS), columns)}</div>{rest}'
        if len(lines)
        else _nothing("Nothing is asked of other warehouses or of production."),
    )  # fmt: skip


def _late(days: Any) -> str:
    return "" if wording.is_missing(days) or float(days) <= 0 else wording.count(int(days), "day", "days")


def _exceptions(contents: ReportContents) -> str:
    columns = (
        ("Type", ""), ("Item", ""), ("Warehouse", ""), ("Supplier", ""), ("What is wrong", "why"),
        ("Act by", "d"), (f"At risk ({contents.currency})" if contents.currency else "At risk", "n"),
    )  # fmt: skip
    if not len(contents.exceptions):
        return _section("exceptions", "Exceptions", "What needs a person.", _nothing("Nothing needs a person now."))
    head = "".join(f'<th class="{css}">{escape(name)}</th>' for name, css in columns)
    body = "".join(_exception(row) for row in contents.exceptions.head(MOST_ROWS).to_dict("records"))
    left = len(contents.exceptions) - MOST_ROWS
    more = f'<p class="muted small">{left:,} more are not shown.</p>' if left > 0 else ""
    return _section(
        "exceptions", "Exceptions", "What needs a person, most money first.",
        f'<div class="card">{_bare_table(head, body)}{more}</div>',
    )  # fmt: skip


def _exception(row: dict[str, Any]) -> str:
    colour = "red" if row["exception_type"] in _URGENT else "amber"
    risk = wording.money(row["money_at_risk"]) if row["money_at_risk"] else wording.NOTHING
    cells = (
        f'<td><span class="pill {colour}">{escape(str(row["exception_type"]))}</span></td>',
        *(f"<td>{escape(wording.text(row[name] or None))}</td>" for name in ("item_code", "warehouse", "supplier")),
        f'<td class="why">{escape(str(row["message"]))}</td>',
        f'<td class="d">{escape(wording.day(row["due_on"]))}</td>',
        f'<td class="n">{escape(risk)}</td>',
    )
    return f"<tr>{''.join(cells)}</tr>"


def _items(contents: ReportContents) -> str:
    cards = "".join(_item(picture) for picture in contents.pictures)
    total = len(contents.policies)
    intro = (
        "Every item."
        if len(contents.pictures) >= total
        else f"The {len(contents.pictures)} of {total:,} with the most money at risk, then the most value."
    )
    keys = (
        '<p class="small muted">'
        '<span class="key"><i class="block" style="background:var(--bar)"></i>went out</span>'
        '<span class="key"><i style="color:var(--blue)"></i>forecast</span>'
        '<span class="key"><i class="block" style="background:var(--blue-soft)"></i>interval</span>'
        '<span class="key"><i class="block" style="background:var(--out)"></i>out of stock</span>'
        '<span class="key"><i style="color:var(--blue)"></i>stock with drafted orders</span>'
        '<span class="key"><i style="color:var(--muted);border-top-style:dashed"></i>without them</span>'
        '<span class="key"><i style="color:var(--red)"></i>safety stock</span>'
        '<span class="key"><i style="color:var(--amber);border-top-style:dashed"></i>reorder point</span></p>'
    )
    body = f'{keys}<div class="items">{cards}</div>' if cards else _nothing("No item has been planned yet.")
    return _section("items", "Items", intro, body)


def _item(picture: ItemPicture) -> str:
    pill = f'<span class="pill">{escape(picture.abc_class)} · {escape(picture.demand_class)}</span>'
    facts = (
        f"On hand {wording.quantity(picture.on_hand_qty)} · "
        f"safety stock {wording.quantity(picture.safety_stock_qty)} · "
        f"reorder point {wording.quantity(picture.reorder_point_qty)} {picture.stock_uom} · "
        f"lead time {wording.quantity(picture.lead_time_days)} days"
    )
    parts = [
        f'<div class="head"><h3>{escape(picture.item_name or picture.item_code)}</h3>{pill}</div>',
        f'<p class="muted small">{escape(picture.item_code)} · {escape(picture.warehouse)}</p>',
        f'<p class="small">{escape(facts)}</p>',
    ]
    if picture.demand is not None:
        shown = f"Demand per {picture.demand.period}, {picture.stock_uom}"
        caption = f"{shown}; forecast with its {picture.demand.interval}."
        parts.append(_figure(charts.demand_chart(picture.demand, picture.stock_uom), f"{caption} {picture.model}"))
    if picture.stock is not None:
        caption = "Expected stock until an order of the next review could arrive."
        parts.append(_figure(charts.stock_chart(picture.stock, picture.stock_uom), caption))
    return f'<article class="card">{"".join(parts)}</article>'


def _figure(drawing: str, caption: str) -> str:
    return f"<figure>{drawing}<figcaption>{escape(caption.strip())}</figcaption></figure>"


def _policies(contents: ReportContents) -> str:
    columns = (
        Col("Item", "item", css="item"), Col("Warehouse", "warehouse"), Col("Class", "abc_class"),
        Col("Demand", "demand_class"),
        Col("Service", "service_level_pct", wording.percent, "n"),
        Col("Lead days", "lead_time_days", css="n"), Col("From", "lead_time_source"),
        Col("Safety stock", "safety_stock_qty", css="n"), Col("Reorder point", "reorder_point_qty", css="n"),
        Col("Order up to", "order_up_to_qty", css="n"), Col("Net position", "position_qty", css="n"),
        Col("Days of cover", "days_of_cover", css="n"), Col("Short on", "shortage_on", wording.day, "d"),
    )  # fmt: skip
    body = (
        f'<div class="card">{table(contents.policies, columns)}</div>'
        if len(contents.policies)
        else _nothing("No stock policy has been made yet.")
    )
    return _section("policies", "Stock policies", "Quantities in the item's stock unit.", body)


def _replay(contents: ReportContents) -> str:
    return _section(
        "replay", "Replay of the past", "What our policy and ERPNext's own levels would have done.",
        replay_body(contents.replay) if contents.replay else _nothing("The past has not been replayed yet."),
    )  # fmt: skip


def _accuracy(contents: ReportContents) -> str:
    columns = (
        Col("Demand class", "demand_class"), Col("Forecasts", "forecasts", css="n"),
        Col("WAPE (median)", "wape_pct", wording.percent, "n"), Col("Bias (mean)", "bias_pct", wording.percent, "n"),
        Col("MASE (median)", "mase", css="n"), Col("Methods chosen", "models", css="why"),
    )  # fmt: skip
    body = (
        f'<div class="card">{table(contents.accuracy, columns)}</div>'
        if len(contents.accuracy)
        else _nothing("Nothing has been forecast yet.")
    )
    intro = (
        "From the backtest: forecasts made from earlier days against what then happened. WAPE: error in % of demand. "
        "MASE: error in terms of a naive forecast's; below 1 is better than naive."
    )
    return _section("accuracy", "Accuracy by demand class", intro, body)


def _run(contents: ReportContents) -> str:
    steps = contents.steps
    if not len(steps):
        return _section("run", "The run", "", _nothing("The run has recorded no steps."))
    longest = max(float(steps["seconds"].max()), 1e-9)
    rows = "".join(
        f"<tr><td>{escape(wording.text(row['step']))}</td><td>{escape(wording.text(row['status']))}</td>"
        f'<td class="n">{escape(wording.quantity(row["rows"]))}</td>'
        f'<td class="n">{escape(wording.seconds(row["seconds"]))}</td>'
        f"<td>{charts.share_bar(float(row['seconds']) / longest)}</td>"
        f'<td class="why">{escape(str(row["detail"] or ""))}</td></tr>'
        for row in steps.to_dict("records")
    )
    took = wording.seconds(contents.run.get("duration_seconds"))
    intro = f"Run {contents.run.get('name')} by {contents.run.get('run_by')}, {took} in all."
    head = "".join(
        f'<th class="{css}">{name}</th>'
        for name, css in (("Step", ""), ("State", ""), ("Rows", "n"), ("Time", "n"), ("", ""), ("", "why"))
    )
    return _section(
        "run", "The run", intro,
        f'<div class="card">{_bare_table(head, rows)}</div>',
    )  # fmt: skip


def _footer(contents: ReportContents) -> str:
    return f"<footer>ERP Forecast Addon · written {escape(wording.moment(contents.written_at))}</footer>"
