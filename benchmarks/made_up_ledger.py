"""A made-up stock ledger of any size, written straight into MariaDB: for measuring, never for a site in use.

Everything it writes has a name or an item code that begins with PREFIX, and `remove` takes it out again.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd

PREFIX = "BENCH-LEDGER-"
TABLES = {"Stock Ledger Entry": "item_code", "Bin": "item_code", "Delivery Note": "name", "Stock Entry": "name"}
OURS = ("Demand Bucket", "Demand Pair", "Demand Mark")
LINES_PER_VOUCHER = 10
RETURN_SHARE = 0.02
RECONCILED_SHARE = 0.005
ISSUED_SHARE = 0.10
_ROWS_PER_INSERT = 20_000


@dataclass(frozen=True)
class Ledger:
    """entries, notes (Delivery Notes), issues (Stock Entries), bins: frames with the columns of their tables."""

    entries: pd.DataFrame
    notes: pd.DataFrame
    issues: pd.DataFrame
    bins: pd.DataFrame


def make(
    rows: int, pairs: int, days: int, until: datetime, company: str, warehouses: Sequence[str], seed: int = 7
) -> Ledger:
    """`rows` ledger entries over `pairs` (item, warehouse) and `days` days before `until`.

    A tenth comes in (receipts), the rest goes out: Delivery Notes of ten lines, Material Issues, a few reconciliations
    and 2% customer returns. Popularity of the pairs is skewed (Zipf-like), as it is in life.
    """
    rng = np.random.default_rng(seed)
    pair = _popular(rng, rows, pairs)
    second = np.sort(rng.integers(0, days * 86_400, rows))
    posted = np.datetime64(until, "s") - np.timedelta64(days * 86_400, "s") + second.astype("timedelta64[s]")
    kind = rng.choice(5, rows, p=[0.10, 1 - 0.10 - RETURN_SHARE - RECONCILED_SHARE - ISSUED_SHARE,
                                  RETURN_SHARE, RECONCILED_SHARE, ISSUED_SHARE])  # fmt: skip
    return lay_out(rng, pair, posted, kind, company, warehouses, stock=None, serial=0)


def lay_out(
    rng: np.random.Generator, pair: np.ndarray, posted: np.ndarray, kind: np.ndarray, company: str,
    warehouses: Sequence[str], stock: np.ndarray | None, serial: int, modified: np.ndarray | None = None,
) -> Ledger:  # fmt: skip
    """kind: 0 receipt, 1 sale, 2 return, 3 reconciliation, 4 issue. stock: of each pair before, by number."""
    rows = len(pair)
    qty = np.select(
        [kind == 0, kind == 1, kind == 2, kind == 3],
        [rng.integers(20, 60, rows), -rng.integers(1, 9, rows), rng.integers(1, 3, rows), 0],
        default=-rng.integers(1, 5, rows),
    ).astype(float)
    after = _running(pair, qty) + (0.0 if stock is None else stock[pair])
    voucher = serial + np.arange(rows) // LINES_PER_VOUCHER
    prefix = np.array([f"{PREFIX}PR-", f"{PREFIX}DN-", f"{PREFIX}RET-", f"{PREFIX}REC-", f"{PREFIX}STE-"])[kind]
    doctype = np.array(
        ["Purchase Receipt", "Delivery Note", "Delivery Note", "Stock Reconciliation", "Stock Entry"], dtype=object
    )[kind]
    voucher_no = pd.Series(prefix).str.cat(pd.Series(voucher).astype(str)).to_numpy(dtype=object)
    moment = pd.Series(posted).dt.strftime("%Y-%m-%d %H:%M:%S")
    written = moment if modified is None else pd.Series(modified).dt.strftime("%Y-%m-%d %H:%M:%S")
    entries = pd.DataFrame({
        "name": _names(rng, rows), "creation": written, "modified": written, "owner": "Administrator",
        "modified_by": "Administrator", "docstatus": 1,
        "item_code": _items(pair, len(warehouses)),
        "warehouse": np.array(warehouses, dtype=object)[pair % len(warehouses)],
        "posting_date": moment.str[:10], "posting_time": moment.str[11:], "posting_datetime": moment,
        "voucher_type": doctype, "voucher_no": voucher_no, "voucher_detail_no": _names(rng, rows),
        "actual_qty": qty, "qty_after_transaction": after, "valuation_rate": 10.0, "stock_value": after * 10.0,
        "stock_queue": "[[10.0, 10.0], [5.0, 11.0]]", "company": company, "stock_uom": "Nos", "fiscal_year": "2026",
    })  # fmt: skip
    vouchers = pd.DataFrame({"name": voucher_no, "posting_date": entries["posting_date"], "kind": kind})
    vouchers = vouchers.drop_duplicates("name")
    last = entries.assign(pair=pair).drop_duplicates("pair", keep="last")
    bins = last[["item_code", "warehouse", "creation", "modified", "owner"]].assign(
        name=_names(rng, len(last)), actual_qty=last["qty_after_transaction"], stock_uom="Nos"
    )
    return Ledger(entries, _notes(vouchers, company), _issues(vouchers, company), bins)


def _notes(vouchers: pd.DataFrame, company: str) -> pd.DataFrame:
    """Delivery Notes; each return is against a note of up to thirty days before."""
    sold = vouchers[vouchers["kind"] == 1]
    returned = vouchers[vouchers["kind"] == 2]
    notes = pd.concat([sold.assign(is_return=0), returned.assign(is_return=1)])
    notes = notes.sort_values(["posting_date", "is_return"], kind="stable")
    against = notes["name"].where(notes["is_return"] == 0).shift(200).ffill()
    notes["return_against"] = against.where(notes["is_return"] == 1)
    return notes.drop(columns="kind").assign(company=company, docstatus=1, status="To Bill")


def _issues(vouchers: pd.DataFrame, company: str) -> pd.DataFrame:
    return (
        vouchers[vouchers["kind"] == 4]
        .drop(columns="kind")
        .assign(company=company, docstatus=1, purpose="Material Issue")
    )


def write(frappe: Any, ledger: Ledger) -> None:
    insert(frappe, "Delivery Note", ledger.notes)
    insert(frappe, "Stock Entry", ledger.issues)
    insert(frappe, "Stock Ledger Entry", ledger.entries)
    insert(frappe, "Bin", ledger.bins)
    frappe.db.commit()


def insert(frappe: Any, doctype: str, rows: pd.DataFrame) -> None:
    columns = ", ".join(f"`{name}`" for name in rows)
    for values in _literals(rows):
        frappe.db.sql(f"insert into `tab{doctype}` ({columns}) values {values}")
        frappe.db.commit()


def age(frappe: Any) -> None:
    """Let what an earlier call wrote today be written yesterday: its day is over and out of the overlap."""
    for doctype in ("Stock Ledger Entry", "Bin"):
        frappe.db.sql(
            f"update `tab{doctype}` set modified = modified - interval 1 day "
            f"where item_code like '{PREFIX}%%' and modified > now() - interval 1 day"
        )
    frappe.db.commit()


def remove(frappe: Any) -> None:
    for doctype, column in {**TABLES, **dict.fromkeys(OURS, "item_code")}.items():
        while True:
            frappe.db.sql(f"delete from `tab{doctype}` where `{column}` like '{PREFIX}%%' limit 100000")
            done = frappe.db.sql("select row_count()")[0][0]
            frappe.db.commit()
            if done < 100_000:
                break


def _literals(rows: pd.DataFrame) -> Iterator[str]:
    """VALUES lists: the text of a whole column at once, which no driver does."""
    for begin in range(0, len(rows), _ROWS_PER_INSERT):
        part = rows.iloc[begin : begin + _ROWS_PER_INSERT]
        columns = [_literal(part[name]) for name in part]
        yield ",".join(f"({','.join(row)})" for row in zip(*columns, strict=True))


def _literal(values: pd.Series) -> list[str]:
    if pd.api.types.is_numeric_dtype(values):
        return [str(value) for value in values.tolist()]
    return [f"'{value}'" if isinstance(value, str) else "null" for value in values.tolist()]


def _popular(rng: np.random.Generator, rows: int, pairs: int) -> np.ndarray:
    weight = 1.0 / (np.arange(pairs) + 50.0) ** 0.6
    pair = rng.choice(pairs, rows, p=weight / weight.sum())
    pair[: min(rows, pairs)] = np.arange(min(rows, pairs))  # each stands there at least once
    return np.asarray(pair)


def _running(pair: np.ndarray, qty: np.ndarray) -> np.ndarray:
    return pd.Series(qty).groupby(pair).cumsum().to_numpy()


def _items(pair: np.ndarray, n_warehouses: int) -> np.ndarray:
    numbers = pair // n_warehouses
    names = np.array([f"{PREFIX}{number:06d}" for number in range(int(numbers.max()) + 1)], dtype=object)
    return np.asarray(names[numbers])


def _names(rng: np.random.Generator, rows: int) -> np.ndarray:
    """Ten random characters, as Frappe gives them: neighbours in time lie far apart in the table."""
    letters = rng.integers(0, 36, (rows, 10), dtype=np.uint8)
    text = np.frombuffer(b"0123456789abcdefghijklmnopqrstuvwxyz", dtype="S1")[letters]
    return np.asarray(text.view("S10").ravel().astype(str).astype(object))
