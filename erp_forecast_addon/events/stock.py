"""Stock Ledger Entry: remember which pairs a transaction touched, and mark them once it is committed.

Nothing here may fail, lock or slow a user's document. While the document is being saved a dict is filled; after its
commit one INSERT is written and committed by itself. An error is logged, and the pair is found by the refresh anyway
(docs/demand-buckets.md). Nothing heavy is imported: pandas would cost a web worker its first document.
"""

from datetime import date
from typing import Any

import frappe
from frappe.utils import getdate, now_datetime

# As in services.changes and site.demand_queries, which import pandas and PyPika.
BEGINNING = date(1900, 1, 1)
SALE_VOUCHERS = ("Delivery Note", "Sales Invoice", "POS Invoice")
_FIELDS = (
    "name", "creation", "modified", "owner", "modified_by", "docstatus", "idx",
    "item_code", "warehouse", "changed_from", "marked_at",
)  # fmt: skip


def mark_ledger_entry(doc: Any, method: str | None = None) -> None:
    """on_submit and on_trash of Stock Ledger Entry."""
    try:
        _remember(doc.item_code, doc.warehouse, _changed_from(doc))
    except Exception:
        _log()


def mark_repost(doc: Any, method: str | None = None) -> None:
    """on_change of Repost Item Valuation: a finished one has written the ledger of its pair again."""
    try:
        if doc.status == "Completed" and doc.item_code and doc.warehouse:
            _remember(doc.item_code, doc.warehouse, getdate(doc.posting_date) if doc.posting_date else BEGINNING)
    except Exception:
        _log()


def compare_nightly() -> None:
    """Daily, on the long queue: hold the buckets against the ledger and make again what differs."""
    if not frappe.db.get_single_value("Forecast Settings", "enabled"):
        return
    from erp_forecast_addon.services.refresh import check_pairs
    from erp_forecast_addon.site.frappe_site import FrappeSite

    check_pairs(FrappeSite())


def _changed_from(entry: Any) -> date:
    """The posting date; for goods that come back the day of their sale, which their return is netted against."""
    posted_on = getdate(entry.posting_date)
    if entry.voucher_type not in SALE_VOUCHERS or not entry.actual_qty or entry.actual_qty < 0:
        return posted_on
    return min(posted_on, _sale_day(entry.voucher_type, entry.voucher_no) or posted_on)


def _sale_day(voucher_type: str, voucher_no: str) -> date | None:
    """The day of the sale that the voucher returns; None: it is a cancelled sale. Two reads by name per voucher."""
    known: dict[tuple[str, str], date | None] | None = getattr(frappe.local, "forecast_sale_days", None)
    if known is None:
        known = frappe.local.forecast_sale_days = {}
    if (voucher_type, voucher_no) not in known:
        against = frappe.db.get_value(voucher_type, voucher_no, ["name", "return_against"])
        if against is None:
            known[voucher_type, voucher_no] = BEGINNING  # the voucher is gone, and with it the day
        else:
            sold_on = against[1] and frappe.db.get_value(voucher_type, against[1], "posting_date")
            known[voucher_type, voucher_no] = getdate(sold_on) if sold_on else None
    return known[voucher_type, voucher_no]


def _remember(item_code: str, warehouse: str, changed_from: date) -> None:
    touched: dict[tuple[str, str], date] | None = getattr(frappe.local, "forecast_touched_pairs", None)
    if not touched:
        # An empty dict was written, or its transaction was rolled back together with the callback.
        touched = frappe.local.forecast_touched_pairs = {}
        frappe.db.after_commit.add(_write_marks)
        frappe.db.after_rollback.add(_forget)
    known = touched.get((item_code, warehouse))
    touched[item_code, warehouse] = changed_from if known is None else min(known, changed_from)


def _forget() -> None:
    frappe.local.forecast_touched_pairs = {}


def _write_marks() -> None:
    touched = getattr(frappe.local, "forecast_touched_pairs", None)
    frappe.local.forecast_touched_pairs = {}
    if not touched:
        return
    try:
        if not frappe.db.get_single_value("Forecast Settings", "enabled"):
            return  # the refresh after switching on finds the rows by their `modified`
        _insert(touched)
        frappe.db.commit()  # after the user's own commit nobody else would
    except Exception:
        frappe.db.rollback()
        _log()


def _insert(touched: dict[tuple[str, str], date]) -> None:
    now, user = now_datetime(), frappe.session.user
    rows = [
        (frappe.generate_hash(length=10), now, now, user, user, 0, 0, item_code, warehouse, changed_from, now)
        for (item_code, warehouse), changed_from in touched.items()
    ]
    columns = ", ".join(f"`{field}`" for field in _FIELDS)
    row = f"({', '.join(['%s'] * len(_FIELDS))})"
    # Plain SQL: building the same by the query builder costs more than running it.
    frappe.db.sql(
        f"insert into `tabDemand Mark` ({columns}) values {', '.join([row] * len(rows))}",
        [value for values in rows for value in values],
    )


def _log() -> None:
    # By way of Redis: an insert would stand in the user's transaction.
    frappe.log_error("Demand Mark was not written", defer_insert=True)
