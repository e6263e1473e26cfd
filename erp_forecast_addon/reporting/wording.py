"""Numbers and days as people read them."""

import math
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import pandas as pd

NOTHING = "–"


def is_missing(value: Any) -> bool:
    return value is None or value is pd.NaT or (isinstance(value, float) and math.isnan(value))


def quantity(value: Any) -> str:
    """Whole numbers whole, small ones with up to two decimals, thousands grouped."""
    if is_missing(value):
        return NOTHING
    number = round(float(value), 2)
    if number == int(number) or abs(number) >= 100:
        return f"{number:,.0f}"
    return f"{number:,.2f}".rstrip("0").rstrip(".")


def money(value: Any, currency: str = "") -> str:
    if is_missing(value):
        return NOTHING
    amount = f"{float(value):,.0f}" if abs(float(value)) >= 1000 else f"{float(value):,.2f}"
    return f"{amount} {currency}".strip()


def percent(value: Any) -> str:
    return NOTHING if is_missing(value) else f"{float(value):,.1f}%"


def day(value: Any) -> str:
    """20 Nov 2026"""
    if is_missing(value):
        return NOTHING
    moment = pd.Timestamp(value)
    return f"{moment.day} {moment:%b %Y}"


def moment(value: Any) -> str:
    """20 Nov 2026 02:00"""
    if is_missing(value):
        return NOTHING
    return f"{day(value)} {pd.Timestamp(value):%H:%M}"


def seconds(value: Any) -> str:
    """0.4 s, 12 s, 3 min 5 s"""
    if is_missing(value):
        return NOTHING
    total = float(value)
    if total < 10:
        return f"{total:.1f} s"
    return f"{total:.0f} s" if total < 60 else f"{int(total // 60)} min {int(total % 60)} s"


def count(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"


def replay_figures(row: Mapping[str, Any]) -> tuple[str, ...]:
    """Policy, class, stock-out days, fill rate, lost sales, average stock and orders of a Policy Replay Result."""
    return (
        str(row["policy"]),
        str(row["abc_class"]),
        f"{quantity(row['stock_out_days'])} ({percent(row['stock_out_pct'])})",
        percent(row["fill_rate_pct"]),
        money(row["lost_value"]),
        money(row["average_stock_value"]),
        quantity(row["order_lines"]),
    )


def text(value: Any) -> str:
    """Any value of a table as text."""
    if is_missing(value):
        return NOTHING
    if isinstance(value, (date, datetime, pd.Timestamp)):
        return day(value)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return quantity(value)
    return str(value)
