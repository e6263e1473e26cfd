"""What a buyer changed in a draft, line by line, against what was proposed: quantity, date, supplier, price."""

from typing import Final

import numpy as np
import pandas as pd

from erp_forecast_addon.planning.tables import Column, Table

QUANTITY, DATE, SUPPLIER, PRICE, REMOVED, ADDED = "Quantity", "Date", "Supplier", "Price", "Removed", "Added"
EDIT_KINDS: Final = (QUANTITY, DATE, SUPPLIER, PRICE, REMOVED, ADDED)
_QTY_TOLERANCE: Final = 1e-6
_PAIR = ["item_code", "warehouse"]

# One row per item and warehouse of an order; quantities in stock UOM, rate per stock unit in the order's currency.
DRAFT_LINES = Table(
    "Draft lines",
    {
        "item_code": Column("text"),
        "warehouse": Column("text"),
        "stock_qty": Column("number"),
        "schedule_date": Column("day", nullable=True),
        "rate": Column("number", nullable=True),
    },
)
# One row per change. *_text is what a person reads.
EDITS = Table(
    "Edits",
    {
        "item_code": Column("text"),
        "warehouse": Column("text"),
        "kind": Column("text"),
        "from_text": Column("text", default=""),
        "to_text": Column("text", default=""),
        "from_qty": Column("number"),
        "to_qty": Column("number"),
        "from_on": Column("day", nullable=True),
        "to_on": Column("day", nullable=True),
        "from_rate": Column("number", nullable=True),
        "to_rate": Column("number", nullable=True),
    },
)


def draft_edits(
    before: pd.DataFrame, after: pd.DataFrame, supplier_before: str = "", supplier_after: str = ""
) -> pd.DataFrame:
    """Table EDITS: what `after` says otherwise than `before`, both DRAFT_LINES of one order.

    Lines of one item and warehouse are one; a change of supplier is a row for every line that stays. A line that is
    gone is Removed whatever else changed with it, a new one Added.
    """
    both = (
        _per_pair(before)
        .merge(_per_pair(after), how="outer", left_index=True, right_index=True, suffixes=("_from", "_to"))
        .reset_index()
    )
    if both.empty:
        return EDITS.empty()
    was, stands = both["stock_qty_from"].notna(), both["stock_qty_to"].notna()
    kept = was & stands
    moved_qty = (both["stock_qty_to"] - both["stock_qty_from"]).abs() > _QTY_TOLERANCE
    moved_day = both["schedule_date_to"].ne(both["schedule_date_from"]) & both["schedule_date_to"].notna()
    repriced = ~np.isclose(
        both["rate_from"].fillna(0.0), both["rate_to"].fillna(0.0), rtol=1e-6, atol=1e-6
    )  # fmt: skip
    resupplied = supplier_before != supplier_after
    masks = {
        REMOVED: was & ~stands,
        ADDED: ~was & stands,
        QUANTITY: kept & moved_qty,
        DATE: kept & moved_day,
        SUPPLIER: kept & resupplied,
        PRICE: kept & repriced & (not resupplied),
    }
    rows = [_rows(both[mask], kind, supplier_before, supplier_after) for kind, mask in masks.items() if mask.any()]
    if not rows:
        return EDITS.empty()
    found = pd.concat(rows, ignore_index=True).sort_values([*_PAIR, "kind"], kind="stable", ignore_index=True)
    return EDITS.check(found)


def _per_pair(lines: pd.DataFrame) -> pd.DataFrame:
    rows = DRAFT_LINES.check(lines)
    rows = rows.assign(money=rows["rate"] * rows["stock_qty"])
    grouped = rows.groupby(_PAIR).agg(
        stock_qty=("stock_qty", "sum"), schedule_date=("schedule_date", "min"), money=("money", "sum"),
        rate=("rate", "mean"),
    )  # fmt: skip
    grouped["rate"] = (grouped["money"] / grouped["stock_qty"]).where(grouped["stock_qty"] > 0.0, grouped["rate"])
    return grouped.drop(columns="money")


def _rows(both: pd.DataFrame, kind: str, supplier_before: str, supplier_after: str) -> pd.DataFrame:
    rows = pd.DataFrame(
        {
            "item_code": both["item_code"],
            "warehouse": both["warehouse"],
            "kind": kind,
            "from_qty": both["stock_qty_from"].fillna(0.0),
            "to_qty": both["stock_qty_to"].fillna(0.0),
            "from_on": both["schedule_date_from"],
            "to_on": both["schedule_date_to"],
            "from_rate": both["rate_from"],
            "to_rate": both["rate_to"],
        }
    )
    if kind == DATE:
        return rows.assign(from_text=_days(rows["from_on"]), to_text=_days(rows["to_on"]))
    if kind == SUPPLIER:
        return rows.assign(from_text=supplier_before, to_text=supplier_after)
    source = ("from_rate", "to_rate") if kind == PRICE else ("from_qty", "to_qty")
    return rows.assign(from_text=_numbers(rows[source[0]]), to_text=_numbers(rows[source[1]]))


def _days(days: pd.Series) -> list[str]:
    return days.dt.strftime("%Y-%m-%d").fillna("").tolist()


def _numbers(values: pd.Series) -> list[str]:
    """The lines of one order: few."""
    return ["" if value != value else f"{value:.6f}".rstrip("0").rstrip(".") for value in values.tolist()]
