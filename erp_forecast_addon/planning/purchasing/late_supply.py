"""Open order lines that are late already, or will be as their supplier delivers."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from erp_forecast_addon.planning.errors import Fault
from erp_forecast_addon.planning.inventory.safety_stock import expected_units_short
from erp_forecast_addon.planning.messages import _
from erp_forecast_addon.planning.purchasing.reschedule import CANCEL, DEFER, EXPEDITE, Course, brought_before
from erp_forecast_addon.planning.wording import iso_days, pieces

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LATE, EXPECTED_LATE = "late", "expected late"
_MISSING_PIECES = 0.5  # half a piece missing in expectation is no reason to call
_LIKELY_LATE_PCT = 50.0

LATE_SENTENCE = _(
    "{purchase_order}: {qty} {stock_uom} of {item_code} for {warehouse} were agreed for {due_on}, {days} days ago, and "
    "are not here. Half of such orders come by {expected_on}; {short} {stock_uom} may be missing till then. Ask "
    "{supplier} for a new date."
)
LATE_BUT_ENOUGH = _(
    "{purchase_order}: {qty} {stock_uom} of {item_code} for {warehouse} were agreed for {due_on}, {days} days ago, and "
    "are not here. Half of such orders come by {expected_on}; stock is expected to last till then. Ask "
    "{supplier} for a new date."
)
LATE_UNKNOWN = _(
    "{purchase_order}: {qty} {stock_uom} of {item_code} for {warehouse} were agreed for {due_on}, {days} days ago, and "
    "are not here. Ask {supplier} for a new date."
)
EXPECTED_LATE_SENTENCE = _(
    "{purchase_order}: {qty} {stock_uom} of {item_code} for {warehouse} are agreed for {due_on}. As {supplier} "
    "delivers, half of such orders come {days} days later, by {expected_on}; {short} {stock_uom} may be missing till "
    "then. Ask whether the date holds."
)


def late_lines(judged: pd.DataFrame, row: Ints, course: Course, as_of: date, grace_days: int = 3) -> pd.DataFrame:
    """The late ones of the lines of `reschedule`, with lateness, days (late) and short_qty: expected units missing
    until the day on which half of such orders come.

    judged: with expected_on (NaT: not known) and late_pct of inventory.arrivals; row: (m,) each line's pair. A line
    whose agreed day is over is late, unless the need says to put it off or to cancel it. One that is to come is told
    when it will more likely than not be late, by more than grace_days, when units would be missing for it, and when it
    is not to be pulled in anyway.
    """
    overdue = (judged["due_on"] <= pd.Timestamp(as_of)).to_numpy()
    expected = judged["expected_on"].where(judged["expected_on"] > pd.Timestamp(as_of))
    arrives = (expected - pd.Timestamp(as_of)).dt.days.fillna(0).to_numpy(dtype=np.int64) - 1
    short = _short(judged, row, course, arrives)
    later = (expected - judged["due_on"]).dt.days.fillna(0).to_numpy(dtype=float)
    likely = (judged["late_pct"].fillna(0.0) >= _LIKELY_LATE_PCT).to_numpy() & (later > grace_days)
    wanted = ~judged["action"].isin((DEFER, CANCEL)).to_numpy()
    missed = likely & (short > _MISSING_PIECES) & ~judged["action"].eq(EXPEDITE).to_numpy() & ~overdue
    lateness = np.select([overdue & wanted, missed & wanted], [LATE, EXPECTED_LATE], "").astype(object)
    so_far = (pd.Timestamp(as_of) - judged["due_on"]).dt.days.to_numpy(dtype=float) + 1.0
    told = judged.assign(
        lateness=lateness, expected_on=expected, short_qty=short, days=np.where(overdue, so_far, later)
    )
    return told[lateness != ""]


def _short(judged: pd.DataFrame, row: Ints, course: Course, arrives: Ints) -> Floats:
    """(m,) units missing in expectation before the line comes, no more than it brings. What is agreed for earlier is
    taken as here: where it is late too, that is a case of its own."""
    last = np.clip(arrives - 1, 0, course.stock.shape[1] - 1)
    lowest = np.minimum.accumulate(course.stock, axis=1)[row, last] + brought_before(judged, row)
    short = expected_units_short(lowest, course.daily_std[row] * np.sqrt(last + 1.0))
    return np.where(arrives > 0, np.minimum(short, judged["open_qty"].to_numpy(dtype=float)), 0.0)


def _sentence(line: Mapping[str, Any]) -> str:
    if line["lateness"] == EXPECTED_LATE:
        return EXPECTED_LATE_SENTENCE
    if not line["expected_text"]:
        return LATE_UNKNOWN
    return LATE_SENTENCE if line["short"] else LATE_BUT_ENOUGH


def late_faults(late: pd.DataFrame, selling_rate: pd.Series) -> list[Fault]:
    """One fault per line of `late_lines`, with stock_uom and stock_uom_whole; selling_rate: company currency per stock
    unit, by item. Money: what the missing units would have sold for. To be done at once, or by the agreed day."""
    if late.empty:
        return []
    whole = late["stock_uom_whole"].to_numpy(dtype=bool)
    rows = late.assign(
        money=late["short_qty"] * late["item_code"].map(selling_rate).astype(float).fillna(0.0),
        qty=pieces(late["open_qty"].to_numpy(), whole),
        short=pieces(late["short_qty"].to_numpy(), whole),
        due_text=iso_days(late["due_on"].to_numpy()),
        expected_text=iso_days(late["expected_on"].to_numpy()),
    )
    return [  # a sentence per late line
        Fault(
            "Late Supply",
            _sentence(line),
            {
                "purchase_order": line["purchase_order"], "qty": line["qty"], "stock_uom": line["stock_uom"],
                "item_code": line["item_code"], "warehouse": line["warehouse"], "due_on": line["due_text"],
                "expected_on": line["expected_text"], "days": int(line["days"]), "short": line["short"],
                "supplier": line["supplier"],
            },
            item_code=line["item_code"],
            warehouse=line["warehouse"],
            supplier=line["supplier"] or None,
            money_at_risk=float(line["money"]),
            due_on=line["due_on"].date(),
            purchase_order=line["purchase_order"],
            order_line=line["order_line"],
        )
        for line in rows.to_dict("records")
    ]  # fmt: skip
