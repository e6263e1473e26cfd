"""The section of the page that shows a replay of the past: a table by class, and two charts by week."""

from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np
import pandas as pd

from erp_forecast_addon.reporting import svg, wording
from erp_forecast_addon.reporting.svg import Scale

WIDTH, HEIGHT = 560.0, 200.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 56.0, 8.0, 10.0, 22.0
_COLOURS = {"Our Policy": "var(--blue)", "ERPNext's Levels": "var(--amber)", "As Really Ordered": "var(--muted)"}
_WEEKS_NAMED = 6
_HEADS = (
    "", "Class", "Stock-out days", "Fill rate", "Lost sales", "Average stock", "Orders", "Holding", "Ordering",
    "Lost margin", "Total cost",
)  # fmt: skip


def replay_body(replay: dict[str, Any]) -> str:
    """Markup. replay: a Policy Replay with its results and its course (rows of week, policy and amounts)."""
    currency = str(replay.get("currency") or "")
    span = (
        f"{wording.day(replay['from_date'])} to {wording.day(replay['to_date'])}, {int(replay['weeks'])} weeks; "
        f"amounts in {currency}. All three meet the same demand from the same stock; what could not be sold from an "
        "empty shelf is estimated. Orders that really came in are counted by the days on which stock arrived."
    )
    figures = "".join(
        f"<figure>{line_chart(replay['course'], field, label)}<figcaption>{escape(label)}</figcaption></figure>"
        for field, label in (("stock_value", "Stock value by week"), ("lost_value", "Lost sales by week, at cost"))
        if replay["course"]
    )
    return (
        f'<p class="small muted">{escape(span)}</p>{_keys()}<div class="card">{_table(replay["results"])}</div>'
        f'<div class="items">{figures}</div>'
    )


def line_chart(course: Sequence[dict[str, Any]], field: str, label: str) -> str:
    """One line per policy over the weeks of the course."""
    rows = pd.DataFrame(list(course)).pivot(index="week", columns="policy", values=field).sort_index()
    ticks = svg.nice_ticks(0.0, max(float(np.nanmax(rows.to_numpy(dtype=float))), 1e-9))
    x = Scale(0, max(len(rows) - 1, 1), _LEFT, WIDTH - _RIGHT)
    y = Scale(0.0, ticks[-1], HEIGHT - _BOTTOM, _TOP)
    parts = [
        svg.element("line", x1=_LEFT, x2=WIDTH - _RIGHT, y1=y(tick), y2=y(tick), class_="grid")
        + svg.text(_LEFT - 6, y(tick) + 3.5, f"{tick:,.4g}", class_="tick", text_anchor="end")
        for tick in ticks
    ]
    every = max(1, -(-len(rows) // _WEEKS_NAMED))
    parts += [
        svg.text(x(at), HEIGHT - 6, f"{pd.Timestamp(rows.index[at]):%d %b}".lstrip("0"), class_="tick")
        for at in range(0, len(rows), every)
        if x(at) < WIDTH - 40
    ]
    parts += [
        svg.polyline(((x(at), y(value)) for at, value in enumerate(rows[policy])), stroke=colour, stroke_width=2)
        for policy, colour in _COLOURS.items()
        if policy in rows
    ]
    return svg.document(WIDTH, HEIGHT, "".join(parts), f"{label}, by policy")


def _keys() -> str:
    keys = "".join(
        f'<span class="key"><i style="color:{colour}"></i>{escape(policy)}</span>'
        for policy, colour in _COLOURS.items()
    )
    return f'<p class="small muted">{keys}</p>'


def _table(results: Sequence[dict[str, Any]]) -> str:
    numbers = range(2, len(_HEADS))
    head = "".join(f'<th class="{"n" if at in numbers else ""}">{escape(h)}</th>' for at, h in enumerate(_HEADS))
    body = "".join(f"<tr>{_row(row)}</tr>" for row in results)
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _row(row: dict[str, Any]) -> str:
    cells = (
        *wording.replay_figures(row),
        *(wording.money(row[name]) for name in ("holding_cost", "order_cost", "shortage_cost", "total_cost")),
    )
    strong = "b" if row["abc_class"] == "All" else "span"
    return "".join(
        f'<td class="{"n" if at > 1 else ""}"><{strong}>{escape(cell)}</{strong}></td>' for at, cell in enumerate(cells)
    )
