"""Clearing of old records for Log Settings: what is decided or over, and what nothing asks for any more."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any, Final

import frappe
from frappe.utils import add_days, now_datetime, nowdate

_ROWS_AT_ONCE: Final = 1000
# What Frappe keeps beside a document: where from, and its fields that name doctype and document.
_BESIDE: Final = (
    ("Version", "ref_doctype", "docname"),
    ("Comment", "reference_doctype", "reference_name"),
    ("ToDo", "reference_type", "reference_name"),
    ("Workflow Action", "reference_doctype", "reference_name"),
    ("DocShare", "share_doctype", "share_name"),
)
# A native document in one of these states waits for nothing more.
_DONE: Final = {
    "Purchase Order": ("Completed", "Closed", "Delivered", "To Bill", "Cancelled"),
    "Material Request": ("Ordered", "Issued", "Transferred", "Received", "Manufactured", "Stopped", "Cancelled"),
}


def decided_before(doctype: str, native: str, days: int) -> list[str]:
    """Records that were decided, and not touched since, more than `days` ago: no run respects their refusal any more,
    and their native document, a field named like it, is done or gone."""
    link = frappe.scrub(native)
    rows = frappe.get_all(
        doctype,
        filters={
            "status": ("!=", "Proposed"), "modified": ("<", now_datetime() - timedelta(days=days)),
            "creation": ("<", now_datetime() - timedelta(days=days)),
        },
        fields=["name", "rejected_until", f"{link} as native"],
        order_by="creation asc",
    )  # fmt: skip
    today = frappe.utils.getdate()
    rows = [row for row in rows if not row.rejected_until or row.rejected_until < today]
    open_ones = _open(native, {row.native for row in rows if row.native})
    return [row.name for row in rows if row.native not in open_ones]


def _open(native: str, names: set[str]) -> set[str]:
    found: set[str] = set()
    for piece in _pieces(sorted(names)):
        filters: dict[str, Any] = {"name": ("in", piece), "docstatus": ("<", 2), "status": ("not in", _DONE[native])}
        found |= set(frappe.get_all(native, filters=filters, pluck="name"))
    return found


def ended_before(doctype: str, last_day: str, days: int) -> list[str]:
    """Records whose last day, a field, lies more than `days` back."""
    return frappe.get_all(doctype, filters={last_day: ("<", add_days(nowdate(), -days))}, pluck="name")


def named_by(doctype: str, link: str, names: Iterable[str], **filters: Any) -> set[str]:
    """Which of the records are named in the field `link` of a row of `doctype`."""
    found: set[str] = set()
    for piece in _pieces(list(names)):
        rows = frappe.get_all(doctype, filters={link: ("in", piece), **filters}, pluck=link, distinct=True)
        found |= set(rows)
    return found


def delete_records(doctype: str, names: list[str], links: Iterable[tuple[str, str]] = ()) -> None:
    """Delete the records with their lines and what Frappe keeps beside them; links: (doctype, field) that name them and
    would keep their own record from being saved. A bulk delete: years of records go in one night."""
    lines = [field.options for field in frappe.get_meta(doctype).get_table_fields()]
    for piece in _pieces(names):
        for line in lines:
            frappe.db.delete(line, {"parenttype": doctype, "parent": ("in", piece)})
        for beside, of, name in _BESIDE:
            frappe.db.delete(beside, {of: doctype, name: ("in", piece)})
        for naming, field in links:
            frappe.db.set_value(naming, {field: ("in", piece)}, field, None, update_modified=False)
        frappe.db.delete(doctype, {"name": ("in", piece)})


def _pieces(names: list[str]) -> Iterable[list[str]]:
    return (names[start : start + _ROWS_AT_ONCE] for start in range(0, len(names), _ROWS_AT_ONCE))
