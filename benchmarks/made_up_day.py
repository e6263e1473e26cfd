"""One more day on a made-up ledger, written as ERPNext writes it: most of it today, some back-dated, some returned.

A back-dated row moves the stock of every later row of its pair without touching their `modified`; every posting writes
its Bin, and leaves the mark that our hook leaves after the commit.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.made_up_ledger import PREFIX, insert, lay_out

BACK_DATED_SHARE = 0.05
RETURN_SHARE = 0.02
_BACK_DATED_DAYS = 30


def write_day(
    frappe: Any, changes: int, pairs: int, company: str, warehouses: Sequence[str], seed: int | None = None
) -> dict[str, int]:
    """Post `changes` entries over random pairs. Returns how many pairs they touch, and how many are back-dated."""
    from frappe.utils import now_datetime

    now = now_datetime()
    rng = np.random.default_rng(seed)
    pair = rng.integers(0, pairs, changes)
    back = rng.random(changes) < BACK_DATED_SHARE
    ago = np.where(back, rng.integers(86_400, _BACK_DATED_DAYS * 86_400, changes), rng.integers(0, 3600, changes))
    posted = np.datetime64(now, "s") - ago.astype("timedelta64[s]")
    kind = np.where(rng.random(changes) < RETURN_SHARE, 2, np.where(rng.random(changes) < 0.1, 0, 1))
    order = np.argsort(posted, kind="stable")
    pair, posted, kind, back = pair[order], posted[order], kind[order], back[order]
    serial = int(now.timestamp()) * 1000
    stock = _stock(frappe, pairs, warehouses)
    day = lay_out(rng, pair, posted, kind, company, warehouses, stock, serial, np.full(changes, now, "datetime64[s]"))
    notes, sale_day = _returns_of_last_month(frappe, rng, day.notes, now)
    _move_later_rows(frappe, day.entries[back])
    insert(frappe, "Delivery Note", notes)
    insert(frappe, "Stock Entry", day.issues)
    insert(frappe, "Stock Ledger Entry", day.entries)
    _follow_bins(frappe, day.entries, now)
    _mark(frappe, day.entries, sale_day, now)
    frappe.db.commit()
    return {"entries": changes, "pairs touched": len(np.unique(pair)), "back-dated": int(back.sum())}


def _stock(frappe: Any, pairs: int, warehouses: Sequence[str]) -> np.ndarray:
    rows = frappe.db.sql(f"select item_code, warehouse, actual_qty from tabBin where item_code like '{PREFIX}%%'")
    held = pd.DataFrame(rows, columns=["item_code", "warehouse", "qty"])
    number = held["item_code"].str[len(PREFIX) :].astype(int) * len(warehouses)
    number += held["warehouse"].map({house: at for at, house in enumerate(warehouses)})
    stock = np.zeros(max(pairs, int(number.max()) + 1))
    stock[number] = held["qty"].astype(float)
    return stock


def _move_later_rows(frappe: Any, back_dated: pd.DataFrame) -> None:
    for row in back_dated.itertuples():  # ERPNext's own UPDATE, one per back-dated row
        frappe.db.sql(
            "update `tabStock Ledger Entry` set qty_after_transaction = qty_after_transaction + %s "
            "where item_code = %s and warehouse = %s and posting_datetime > %s and is_cancelled = 0",
            (row.actual_qty, row.item_code, row.warehouse, row.posting_datetime),
        )


def _follow_bins(frappe: Any, entries: pd.DataFrame, now: datetime) -> None:
    """actual_qty is the stock after the pair's last row, as in ERPNext."""
    frappe.db.sql("create temporary table bench_touched (item_code varchar(140), warehouse varchar(140))")
    touched = entries[["item_code", "warehouse"]].drop_duplicates()
    marks = ", ".join(["(%s, %s)"] * len(touched))
    frappe.db.sql(f"insert into bench_touched values {marks}", touched.to_numpy().ravel().tolist())
    frappe.db.sql(
        "update tabBin bin join bench_touched t using (item_code, warehouse) set bin.modified = %s, bin.actual_qty = "
        "(select sle.qty_after_transaction from `tabStock Ledger Entry` sle where sle.item_code = t.item_code and "
        "sle.warehouse = t.warehouse and sle.is_cancelled = 0 order by sle.posting_datetime desc, sle.creation desc, "
        "sle.name desc limit 1)",
        (now,),
    )
    frappe.db.commit()
    frappe.db.sql("drop temporary table bench_touched")


def _returns_of_last_month(
    frappe: Any, rng: np.random.Generator, notes: pd.DataFrame, now: datetime
) -> tuple[pd.DataFrame, pd.Series]:
    """The notes with each return against a note of the last thirty days; the day of that sale by return."""
    sales = frappe.db.sql(
        f"select name, posting_date from `tabDelivery Note` where name like '{PREFIX}%%' and is_return = 0 "
        "and posting_date >= %s",
        (now.date() - timedelta(days=_BACK_DATED_DAYS),),
    )
    chosen = pd.DataFrame(sales, columns=["name", "day"]).iloc[rng.integers(0, len(sales), len(notes))]
    is_return = (notes["is_return"] == 1).to_numpy()
    against = pd.Series(chosen["name"].to_numpy(), index=notes.index).where(is_return)
    days = pd.Series(chosen["day"].astype(str).to_numpy(), index=notes["name"].to_numpy())
    return notes.assign(return_against=against), days[is_return]


def _mark(frappe: Any, entries: pd.DataFrame, sale_day: pd.Series, now: datetime) -> None:
    """From the posting date, or the day of the sale where that is earlier, as the handler does."""
    sold_on = entries["voucher_no"].map(sale_day)
    changed_from = entries["posting_date"].mask(sold_on < entries["posting_date"], sold_on)
    moment = now.strftime("%Y-%m-%d %H:%M:%S")
    marks = pd.DataFrame(
        {
            "name": entries["name"],
            "creation": moment,
            "modified": moment,
            "item_code": entries["item_code"],
            "warehouse": entries["warehouse"],
            "changed_from": changed_from,
            "marked_at": moment,
        }
    )
    insert(frappe, "Demand Mark", marks)
