"""Open order lines held against the need as it is projected now: expedite, defer, cancel.

The rule is that of the rescheduling messages of material requirements planning: an open order is wanted on the first
day on which stock, with what comes before that order, falls below the stock that is to be kept; where that day is not
the order's own, a message says which way to move it (Orlicky, Material Requirements Planning, 3rd ed., chapter on using
the MRP system; Vollmann, Berry, Whybark & Jacobs, Manufacturing Planning and Control, 5th ed., on exception codes).

Messages that come with every small change are not read any more, so they are damped (Blackburn, Kropp & Millen 1986, A
Comparison of Strategies to Dampen Nervousness in MRP Systems, Management Science 32): a day that moves by a few days
says nothing, and two levels are held apart. An order is pulled in only when stock would fall well into the safety
stock, and put off only when it would not even touch it, so that what moves stock between the two levels raises nothing.
"""

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from erp_forecast_addon.planning.errors import Fault
from erp_forecast_addon.planning.inventory.safety_stock import expected_units_short
from erp_forecast_addon.planning.messages import _
from erp_forecast_addon.planning.tables import OPEN_ORDERS
from erp_forecast_addon.planning.wording import iso_days, pieces

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

EXPEDITE, DEFER, CANCEL, NONE = "Expedite Order", "Defer Order", "Cancel Order", ""
_BLOCK_LINES = 4096
_NEVER = -1
_YEAR_DAYS = 365.0

EXPEDITE_SENTENCE = _(
    "{purchase_order}: {qty} {stock_uom} of {item_code} for {warehouse} are agreed for {due_on}, but wanted by "
    "{needed_on}, {days} days sooner; {short} {stock_uom} may be missing till then. Ask {supplier} to deliver "
    "sooner."
)
DEFER_SENTENCE = _(
    "{purchase_order}: {qty} {stock_uom} of {item_code} for {warehouse} are agreed for {due_on}, but not wanted before "
    "{needed_on}, {days} days later. Ask {supplier} to deliver later."
)
CANCEL_SENTENCE = _(
    "{purchase_order}: {qty} {stock_uom} of {item_code} for {warehouse}, agreed for {due_on}, are not wanted within "
    "the next {days} days. Ask {supplier} to take the line back, or put it off."
)


@dataclass(frozen=True)
class Damping:
    """early_days, late_days: a line that is wanted no more than so many days sooner or later is left where it is;
    kept_share: an order is pulled in only when less than this share of the safety stock would be left."""

    early_days: int = 3
    late_days: int = 14
    kept_share: float = 0.5


@dataclass(frozen=True)
class Course:
    """Of n pairs: stock (n, days) at the end of each day, as_of + 1 first, with everything but the lines that are
    judged; safety_stock, daily_std: (n,). Stock units."""

    stock: Floats
    safety_stock: Floats
    daily_std: Floats


def reschedule(
    lines: pd.DataFrame, row: Ints, course: Course, as_of: date, damping: Damping | None = None
) -> pd.DataFrame:
    """OPEN_ORDERS with what to do about each line, same order of rows. row: (m,) each line's pair in `course`.

    action: EXPEDITE, DEFER, CANCEL or NONE; needed_day: index of the day on which it is wanted (day 0 is as_of + 1),
    -1 for not within the days of `course`; due_day: index of the agreed day, 0 where that is over; short_qty: units
    missing in expectation if it comes as agreed and not as wanted, no more than the line brings. Lines of a pair serve
    the need in the order of their agreed days.
    """
    damping = damping or Damping()
    lines = OPEN_ORDERS.check(lines)
    due_day = np.maximum((lines["due_on"] - pd.Timestamp(as_of)).dt.days.to_numpy(dtype=np.int64) - 1, 0)
    before = brought_before(lines, row)
    wanted, spared, short = np.zeros(len(lines), np.int64), np.zeros(len(lines), np.int64), np.zeros(len(lines))
    for start in range(0, len(lines), _BLOCK_LINES):  # over blocks of lines: bounds the memory
        block = slice(start, start + _BLOCK_LINES)
        wanted[block], spared[block], short[block] = _judge(course, row[block], before[block], due_day[block], damping)
    sooner = (wanted != _NEVER) & (wanted < due_day - damping.early_days)
    later = (spared != _NEVER) & (spared > due_day + damping.late_days)
    never = (spared == _NEVER) & (due_day + damping.late_days < course.stock.shape[1])
    action = np.select([sooner, never, later], [EXPEDITE, CANCEL, DEFER], NONE).astype(object)
    return lines.assign(
        action=action,
        needed_day=np.where(action == EXPEDITE, wanted, spared),
        due_day=due_day,
        short_qty=np.where(action == EXPEDITE, np.minimum(short, lines["open_qty"]), 0.0),
    )


def brought_before(lines: pd.DataFrame, row: Ints) -> Floats:
    """(m,) what the pair's lines of earlier agreed days bring, those of the same day by name."""
    order = np.lexsort((lines["order_line"].astype(str), lines["due_on"].to_numpy(), row))
    qty = pd.Series(lines["open_qty"].to_numpy()[order])
    before = np.empty(len(lines))
    before[order] = (qty.groupby(row[order]).cumsum() - qty).to_numpy()
    return before


def _judge(course: Course, row: Ints, before: Floats, due_day: Ints, damping: Damping) -> tuple[Ints, Ints, Floats]:
    """(m,) the first day below the level that is worth a call, that below the safety stock, and units short."""
    stock = course.stock[row] + before[:, None]
    kept = np.maximum(course.safety_stock[row], 0.0)
    waiting = np.arange(stock.shape[1]) < due_day[:, None]
    lowest_day = np.where(waiting, stock, np.inf).argmin(axis=1)
    lowest = stock[np.arange(len(row)), lowest_day]
    deviation = course.daily_std[row] * np.sqrt(lowest_day + 1.0)
    short = np.where(due_day > 0, expected_units_short(lowest, deviation), 0.0)
    return (
        _first_day(stock < kept[:, None] * damping.kept_share - 1e-9),
        _first_day(stock < kept[:, None] - 1e-9),
        short,
    )


def _first_day(happens: NDArray[np.bool_]) -> Ints:
    return np.where(happens.any(axis=1), happens.argmax(axis=1), _NEVER).astype(np.int64)


def reschedule_faults(
    judged: pd.DataFrame, as_of: date, days: int, selling_rate: Floats, holding_rate_per_year: float
) -> list[Fault]:
    """One fault per line with an action. judged: from `reschedule`, with stock_uom and stock_uom_whole; days: how far
    was looked; selling_rate: (m,) company currency per stock unit.

    Money: expedite, what the missing units would have sold for; defer, what keeping the goods costs until they are
    wanted; cancel, what the line costs. To be done by the day on which the line is wanted, or is agreed for.
    """
    if judged.empty:
        return []
    rows = judged.assign(
        needed_on=pd.Timestamp(as_of) + pd.to_timedelta(np.maximum(judged["needed_day"], 0) + 1, unit="D"),
        days=np.where(judged["needed_day"] == _NEVER, days, (judged["needed_day"] - judged["due_day"]).abs()),
        money=_money(judged, selling_rate, holding_rate_per_year),
    )
    sentences = {EXPEDITE: EXPEDITE_SENTENCE, DEFER: DEFER_SENTENCE, CANCEL: CANCEL_SENTENCE}
    rows = rows[rows["action"] != NONE]
    whole = rows["stock_uom_whole"].to_numpy(dtype=bool)
    rows = rows.assign(
        qty=pieces(rows["open_qty"].to_numpy(), whole),
        short=pieces(rows["short_qty"].to_numpy(), whole),
        due_text=iso_days(rows["due_on"].to_numpy()),
        needed_text=iso_days(rows["needed_on"].to_numpy()),
    )
    return [  # a sentence per line with an action
        Fault(
            line["action"],
            sentences[line["action"]],
            {
                "purchase_order": line["purchase_order"], "qty": line["qty"], "stock_uom": line["stock_uom"],
                "item_code": line["item_code"], "warehouse": line["warehouse"], "due_on": line["due_text"],
                "needed_on": line["needed_text"], "days": int(line["days"]), "short": line["short"],
                "supplier": line["supplier"],
            },
            item_code=line["item_code"],
            warehouse=line["warehouse"],
            supplier=line["supplier"] or None,
            money_at_risk=float(line["money"]),
            due_on=(line["needed_on"] if line["action"] == EXPEDITE else line["due_on"]).date(),
            purchase_order=line["purchase_order"],
            order_line=line["order_line"],
        )
        for line in rows.to_dict("records")
    ]  # fmt: skip


def _money(judged: pd.DataFrame, selling_rate: Floats, holding_rate_per_year: float) -> Floats:
    value = (judged["open_qty"] * judged["unit_cost"]).to_numpy(dtype=float)
    put_off = (judged["needed_day"] - judged["due_day"]).to_numpy(dtype=float)
    lost = judged["short_qty"].to_numpy(dtype=float) * selling_rate
    actions = [judged["action"] == EXPEDITE, judged["action"] == DEFER, judged["action"] == CANCEL]
    return np.select(actions, [lost, value * holding_rate_per_year * put_off / _YEAR_DAYS, value], 0.0)
