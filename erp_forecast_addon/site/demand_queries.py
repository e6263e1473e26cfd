"""What the demand refresh asks: what changed, the ledger and the buckets of the pairs that did, and what to compare.

Changed pairs stand in Demand Mark, so every query about them joins the marks and none lists thousands of names. Marks
are taken item by item in the database's own order: `items` is (first, last) item_code, both included.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final

from pypika import Order
from pypika.functions import Coalesce, Count, Min, Sum

# Vouchers whose outgoing rows may be demand and whose incoming rows are a customer's return or a cancellation.
_ALL: Final = 1_000_000_000
SALE_VOUCHERS: Final = ("Delivery Note", "Sales Invoice", "POS Invoice")


def _moment(at: datetime) -> str:
    # SQLite compares moments as text; isoformat's T would sort after every hour of the day.
    return at.strftime("%Y-%m-%d %H:%M:%S.%f")


# ---- what changed ---------------------------------------------------------------------------------------------------
def changed_pairs(qb: Any, since: datetime) -> Any:
    """item_code, warehouse, changed_from of every pair with a ledger row written since then, cancelled rows too."""
    sle = qb.DocType("Stock Ledger Entry")
    # Not the bare columns: SQLite would walk the whole ledger along their index rather than read what was modified.
    item_code, warehouse = Coalesce(sle.item_code, ""), Coalesce(sle.warehouse, "")
    return (
        qb.from_(sle)
        .select(item_code.as_("item_code"), warehouse.as_("warehouse"), Min(sle.posting_date).as_("changed_from"))
        .where(sle.modified >= _moment(since))
        .groupby(item_code, warehouse)
    )


def goods_back(qb: Any, since: datetime) -> Any:
    """item_code, warehouse, voucher_type, voucher_no of goods that came back since then: by a return, or by cancelling
    a sale. A return changes the day of its sale, a cancelled one did.
    """
    sle = qb.DocType("Stock Ledger Entry")
    changed = (sle.modified >= _moment(since)) & (sle.actual_qty > 0) & sle.voucher_type.isin(SALE_VOUCHERS)
    return qb.from_(sle).select(sle.item_code, sle.warehouse, sle.voucher_type, sle.voucher_no).where(changed)


def sale_days(qb: Any, doctype: str, names: Sequence[str]) -> Any:
    """voucher_no and sale_day: the day of the sale that it returns (none: it is no return, or of no known sale)."""
    sale, against = qb.DocType(doctype), qb.DocType(doctype).as_("against")
    return (
        qb.from_(sale)
        .left_join(against)
        .on(sale.return_against == against.name)
        .select(sale.name.as_("voucher_no"), against.posting_date.as_("sale_day"))
        .where(sale.name.isin(list(names)))
    )


def bins_and_shelves(qb: Any, since: datetime) -> Any:
    """item_code, warehouse, actual_qty of every Bin written since then, and closing_qty of the pair's last bucket."""
    bin_, bucket = qb.DocType("Bin"), qb.DocType("Demand Bucket")
    shelf = _last_closing(qb, (bucket.item_code == bin_.item_code) & (bucket.warehouse == bin_.warehouse))
    return (
        qb.from_(bin_)
        .select(bin_.item_code, bin_.warehouse, bin_.actual_qty, shelf.as_("closing_qty"))
        .where(bin_.modified >= _moment(since))
    )


def _last_closing(qb: Any, which: Any) -> Any:
    """A subquery: the stock of the newest bucket. One step back from the end of our index, where Max(day) reads all."""
    bucket = qb.DocType("Demand Bucket")
    return qb.from_(bucket).select(bucket.closing_qty).where(which).orderby(bucket.day, order=Order.desc).limit(1)


def ledger_pairs(
    qb: Any, company: str | None = None, item_code: str | None = None, warehouse: str | None = None
) -> Any:
    """item_code, warehouse of every pair in the ledger: of a company, an item, a warehouse."""
    return _pairs(qb, "Stock Ledger Entry", company, item_code, warehouse)


def bucket_pairs(
    qb: Any, company: str | None = None, item_code: str | None = None, warehouse: str | None = None
) -> Any:
    """item_code, warehouse of every pair that has buckets: of a company, an item, a warehouse."""
    return _pairs(qb, "Demand Bucket", company, item_code, warehouse)


def _pairs(qb: Any, doctype: str, company: str | None, item_code: str | None, warehouse: str | None) -> Any:
    row = qb.DocType(doctype)
    query = qb.from_(row).select(row.item_code, row.warehouse).groupby(row.item_code, row.warehouse)
    if company is not None:
        house = qb.DocType("Warehouse")
        query = query.join(house).on(house.name == row.warehouse).where(house.company == company)
    if item_code is not None:
        query = query.where(row.item_code == item_code)
    return query if warehouse is None else query.where(row.warehouse == warehouse)


# ---- marks ----------------------------------------------------------------------------------------------------------
def marked_days(qb: Any) -> Any:
    """item_code, warehouse, marked_from of every marked pair."""
    mark = qb.DocType("Demand Mark")
    return (
        qb.from_(mark)
        .select(mark.item_code, mark.warehouse, Min(mark.changed_from).as_("marked_from"))
        .groupby(mark.item_code, mark.warehouse)
    )


def marked_items(qb: Any) -> Any:
    """item_code and the number of its marked pairs, in the database's order."""
    mark = qb.DocType("Demand Mark")
    return (
        qb.from_(mark).select(mark.item_code, Count("*").as_("marks")).groupby(mark.item_code).orderby(mark.item_code)
    )


def marked_ledger_rows(qb: Any, items: tuple[str, str], changed_before: date) -> Any:
    """item_code, ledger_rows: how many rows of the ledger the marks from before that day ask for, of each item.

    Cancelled rows count too; the index alone answers.
    """
    marked, sle = _marked(qb, items, changed_before), qb.DocType("Stock Ledger Entry")
    return (
        qb.from_(marked)
        .join(sle)
        .on(_from_mark(marked, sle, sle.posting_datetime))
        .select(marked.item_code, Count("*").as_("ledger_rows"))
        .groupby(marked.item_code)
        .orderby(marked.item_code)
    )


def marks(qb: Any, items: tuple[str, str]) -> Any:
    """name, item_code, warehouse, changed_from, and the company of the warehouse (None: there is no such warehouse)."""
    mark, house = qb.DocType("Demand Mark"), qb.DocType("Warehouse")
    return (
        qb.from_(mark)
        .left_join(house)
        .on(house.name == mark.warehouse)
        .select(mark.name, mark.item_code, mark.warehouse, mark.changed_from, house.company)
        .where((mark.item_code >= items[0]) & (mark.item_code <= items[1]))
    )


def _marked(qb: Any, items: tuple[str, str], before: date | None = None, since: date | None = None) -> Any:
    """A derived table: each marked pair once, with the earliest day from which it changed, before or since a day.

    The LIMIT keeps MariaDB from making it again for every row that it is joined with (split_materialized), which it
    takes for cheap as long as its statistics say that there are few such rows.
    """
    mark = qb.DocType("Demand Mark")
    query = (
        qb.from_(mark)
        .select(mark.item_code, mark.warehouse, Min(mark.changed_from).as_("since"))
        .where((mark.item_code >= items[0]) & (mark.item_code <= items[1]))
        .groupby(mark.item_code, mark.warehouse)
        .limit(_ALL)
    )
    if before is not None:
        query = query.having(Min(mark.changed_from) < before)
    if since is not None:
        query = query.having(Min(mark.changed_from) >= since)
    return query.as_("marked")


def _from_mark(marked: Any, row: Any, day: Any) -> Any:
    return (row.item_code == marked.item_code) & (row.warehouse == marked.warehouse) & (day >= marked.since)


# ---- the marked pairs -----------------------------------------------------------------------------------------------
def marked_ledger(qb: Any, items: tuple[str, str], before: date) -> Any:
    """The ledger of the marked pairs that changed before that day, each from its own day on; not cancelled.

    The pair is spelled as it was marked. posting_datetime rather than posting_date bounds it: ERPNext's own index of
    pairs reaches that far.
    """
    marked, sle = _marked(qb, items, before=before), qb.DocType("Stock Ledger Entry")
    return _ledger_of(qb, marked, sle)


def recent_marked_ledger(qb: Any, items: tuple[str, str], since: date) -> Any:
    """The same of the pairs that changed since that day: the index of posting_datetime finds the few rows of all."""
    marked, sle = _marked(qb, items, since=since), qb.DocType("Stock Ledger Entry")
    return _ledger_of(qb, marked, sle).where(sle.posting_datetime >= since)


def _ledger_of(qb: Any, marked: Any, sle: Any) -> Any:
    return (
        qb.from_(marked)
        .join(sle)
        .on(_from_mark(marked, sle, sle.posting_datetime))
        .select(
            marked.item_code, marked.warehouse, sle.name, sle.posting_date.as_("posting_day"),
            sle.posting_datetime.as_("posted_at"), sle.creation, sle.actual_qty, sle.qty_after_transaction,
            sle.voucher_type, sle.voucher_no,
        )
        .where(sle.is_cancelled == 0)
    )  # fmt: skip


def marked_buckets(qb: Any, items: tuple[str, str]) -> Any:
    """The buckets of each marked pair from the day it changed."""
    marked, bucket = _marked(qb, items), qb.DocType("Demand Bucket")
    return (
        qb.from_(marked)
        .join(bucket)
        .on(_from_mark(marked, bucket, bucket.day))
        .select(
            bucket.name, marked.item_code, marked.warehouse, bucket.day, bucket.demand_qty, bucket.opening_qty,
            bucket.closing_qty, bucket.ledger_rows, bucket.ledger_qty, bucket.ledger_stock_qty,
        )
        .where((bucket.item_code >= items[0]) & (bucket.item_code <= items[1]))
    )  # fmt: skip


def carried_stock(qb: Any, items: tuple[str, str]) -> Any:
    """item_code, warehouse, closing_qty of each marked pair's last bucket before the day it changed (or none)."""
    marked, bucket = _marked(qb, items), qb.DocType("Demand Bucket")
    before = (
        (bucket.item_code == marked.item_code) & (bucket.warehouse == marked.warehouse) & (bucket.day < marked.since)
    )  # fmt: skip
    return qb.from_(marked).select(marked.item_code, marked.warehouse, _last_closing(qb, before).as_("closing_qty"))


def marked_pairs(qb: Any, items: tuple[str, str]) -> Any:
    """name, item_code, warehouse of the Demand Pairs that are marked."""
    marked, pair = _marked(qb, items), qb.DocType("Demand Pair")
    return (
        qb.from_(marked)
        .join(pair)
        .on((pair.item_code == marked.item_code) & (pair.warehouse == marked.warehouse))
        .select(pair.name, marked.item_code, marked.warehouse)
    )


# ---- the nightly comparison -----------------------------------------------------------------------------------------
def ledger_totals(qb: Any, company: str) -> Any:
    """item_code, warehouse, ledger_rows, ledger_qty, ledger_stock_qty of each pair as the ledger has them."""
    sle, house = qb.DocType("Stock Ledger Entry"), qb.DocType("Warehouse")
    return (
        qb.from_(sle)
        .join(house)
        .on(house.name == sle.warehouse)
        .select(
            sle.item_code, sle.warehouse, Count("*").as_("ledger_rows"), Sum(sle.actual_qty).as_("ledger_qty"),
            Sum(sle.qty_after_transaction).as_("ledger_stock_qty"),
        )
        .where((sle.is_cancelled == 0) & (house.company == company))
        .groupby(sle.item_code, sle.warehouse)
    )  # fmt: skip


def bucket_totals(qb: Any, company: str) -> Any:
    """The same of the ledger rows that the buckets were made from."""
    bucket, house = qb.DocType("Demand Bucket"), qb.DocType("Warehouse")
    return (
        qb.from_(bucket)
        .join(house)
        .on(house.name == bucket.warehouse)
        .select(
            bucket.item_code, bucket.warehouse, Sum(bucket.ledger_rows).as_("ledger_rows"),
            Sum(bucket.ledger_qty).as_("ledger_qty"), Sum(bucket.ledger_stock_qty).as_("ledger_stock_qty"),
        )
        .where(house.company == company)
        .groupby(bucket.item_code, bucket.warehouse)
    )  # fmt: skip


# ---- the watermark --------------------------------------------------------------------------------------------------
def forget_single_values(qb: Any, doctype: str, fields: Sequence[str]) -> Any:
    held = qb.DocType("Singles")
    return qb.from_(held).delete().where((held.doctype == doctype) & held["field"].isin(list(fields)))


def store_single_values(qb: Any, doctype: str, values: Mapping[str, str]) -> Any:
    held = qb.DocType("Singles")
    rows = [(doctype, name, value) for name, value in values.items()]
    return qb.into(held).columns("doctype", "field", "value").insert(*rows)


# ---- removal --------------------------------------------------------------------------------------------------------
def delete_rows_of(qb: Any, doctype: str, item_code: str | None = None, warehouse: str | None = None) -> Any:
    """Delete the rows of an item, of a warehouse, or of a pair."""
    if item_code is None and warehouse is None:
        raise ValueError("Which rows? Give an item, a warehouse or both.")
    row = qb.DocType(doctype)
    query = qb.from_(row).delete()
    if item_code is not None:
        query = query.where(row.item_code == item_code)
    return query if warehouse is None else query.where(row.warehouse == warehouse)


def bin_count(qb: Any, company: str) -> Any:
    """bins: how many items in warehouses the company keeps stock of."""
    held, house = qb.DocType("Bin"), qb.DocType("Warehouse")
    query = qb.from_(held).join(house).on(house.name == held.warehouse)
    return query.select(Count("*").as_("bins")).where(house.company == company)
