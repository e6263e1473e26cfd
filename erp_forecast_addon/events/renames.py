"""Renaming, merging and deleting an Item, Warehouse, Supplier or Company: our records follow and are in nobody's way.

Frappe rewrites links in our records by itself. Left to us: rows that would meet another of the same key in a merge,
names inside texts (identities, parked reorder rows, marks), and what a deleted record leaves behind.
"""

import json

import frappe
from frappe.model.document import Document

from erp_forecast_addon.setup.company_rows import remove_company_row
from erp_forecast_addon.setup.names import ORDER_DISPATCH, SUPPLIER_CHANNEL

_FIELD = {"Item": "item_code", "Warehouse": "warehouse", "Supplier": "supplier", "Company": "company"}
# Keyed by item and warehouse; the next runs make them again.
_PER_PAIR = ("Demand Forecast", "Safety Stock Policy", "Forecast Snapshot", "Forecast Accuracy")
_PER_WAREHOUSE = "Forecast Accuracy Week"
_OF_A_COMPANY = (
    *_PER_PAIR, _PER_WAREHOUSE, "Planning Exception", "Demand Pair", "Reorder Level Backup", "Forecast State",
    ORDER_DISPATCH, "Auto Material Request",
    "Level Change", "Level Change Set", "Supplier Lead Time", "Order Approval Time", "Planning Scenario", "Order Edit",
    "Driver Uplift",
    "Planning Snooze", "Approval Delegation",
)  # fmt: skip
# Named in our drafts, and so in what tells whether a person edited one.
_IN_DRAFTS = ("Item", "Warehouse", "Supplier")
# Keyed by company, supplier and item; the next runs make them again.
_LEAD_TIME, _NAMED_IN_LEAD_TIMES = "Supplier Lead Time", ("Item", "Supplier", "Company")
_CASE = "Planning Exception"
# Which of two cases stays when a merge makes them one.
_RANK = {"Open": 0, "In Progress": 0, "Snoozed": 0, "Ignored": 1, "Resolved": 2}
_OVERRIDE = "Forecast Override"
_SNOOZE = "Planning Snooze"
_EVENT, _EVENT_ROWS = "Demand Event", ("Demand Event Value", "Demand Event Uplift")
_BACKUP = "Reorder Level Backup"
_CHANGE = "Level Change"
_HAVE_CHANNELS = ("Supplier", "Company")
_UNTOUCHED = "forecast_drafts_untouched_before_rename"


def before_rename(doc: Document, method: str | None, old: str, new: str, merge: bool = False) -> None:
    """Before a merge the rows of the old name go: those of the new one stand, and the next run looks at both again.

    Its cases stay, as people have worked on them: two that have become one are joined afterwards.
    """
    if doc.doctype in _IN_DRAFTS:
        _note_untouched_drafts(doc.doctype, old)
    if not merge or old == new:
        return
    if doc.doctype in ("Item", "Warehouse"):
        _forget(doc.doctype, old)
    if doc.doctype == "Company":
        remove_company_row(old)
        _delete("Driver Uplift", {"company": old})
    if doc.doctype in _NAMED_IN_LEAD_TIMES:
        _delete(_LEAD_TIME, {_FIELD[doc.doctype]: old})
    if doc.doctype in _HAVE_CHANNELS:
        _forget_channels({_FIELD[doc.doctype]: old})


def after_rename(doc: Document, method: str | None, old: str, new: str, merge: bool = False) -> None:
    if doc.doctype == "Warehouse":
        _rename_in_parked_rows(old, new)
    if doc.doctype in ("Item", "Warehouse"):
        _mark(doc.doctype, old, new)
    if doc.doctype in _IN_DRAFTS:
        _renew_fingerprints(doc.doctype, old)
    _renew_identities(doc.doctype, old, new)
    if merge:
        _join_cases(doc.doctype, new)


def after_delete(doc: Document, method: str | None = None) -> None:
    """What was planned for it is gone with it; decided orders stay as history."""
    if doc.doctype in ("Item", "Warehouse"):
        _forget(doc.doctype, doc.name)
        _delete(_OVERRIDE, {_FIELD[doc.doctype]: doc.name})
        _delete(_SNOOZE, {_FIELD[doc.doctype]: doc.name})
    if doc.doctype in _HAVE_CHANNELS:
        _forget_channels({_FIELD[doc.doctype]: doc.name})
    if doc.doctype in _NAMED_IN_LEAD_TIMES:
        _delete(_LEAD_TIME, {_FIELD[doc.doctype]: doc.name})
    if doc.doctype == "Company":
        _forget_company(doc.name)
    _delete(_CASE, {_FIELD[doc.doctype]: doc.name})


def _forget(doctype: str, name: str) -> None:
    """Forecasts, policies, buckets and kept reorder rows of an item or a warehouse."""
    from erp_forecast_addon.services.refresh import forget_pairs
    from erp_forecast_addon.site.frappe_site import FrappeSite

    field = _FIELD[doctype]
    for each in (*_PER_PAIR, _BACKUP, _CHANGE):
        _delete(each, {field: name})
    if doctype == "Warehouse":
        _delete(_PER_WAREHOUSE, {field: name})
    forget_pairs(FrappeSite(), **{field: name})


def _forget_company(company: str) -> None:
    remove_company_row(company)
    for event in frappe.get_all(_EVENT, filters={"company": company}, pluck="name"):
        for rows in _EVENT_ROWS:
            _delete(rows, {"parent": event})
    for each in (*_OF_A_COMPANY, _OVERRIDE, _EVENT):
        _delete(each, {"company": company})


def _forget_channels(filters: dict[str, str]) -> None:
    """With their secrets, which stand in a table of their own. In a merge those of the new name stay."""
    for name in frappe.get_all(SUPPLIER_CHANNEL, filters=filters, pluck="name"):
        frappe.delete_doc(SUPPLIER_CHANNEL, name, ignore_permissions=True, force=True)


def _mark(doctype: str, old: str, new: str) -> None:
    """The ledger was rewritten by SQL without a trace: every pair of the new name is made again."""
    from erp_forecast_addon.services.refresh import mark_pairs
    from erp_forecast_addon.site.frappe_site import FrappeSite

    field = _FIELD[doctype]
    frappe.db.delete("Demand Mark", {field: old})
    mark_pairs(FrappeSite(), **{field: new})


def _note_untouched_drafts(doctype: str, old: str) -> None:
    """Which drafts no person has edited, for _renew_fingerprints: once the names have changed nobody can tell.

    Both hooks run in one process, one after the other, but on different documents.
    """
    from erp_forecast_addon.services.open_drafts import untouched_names
    from erp_forecast_addon.services.open_requests import untouched_request_names
    from erp_forecast_addon.site.frappe_site import FrappeSite

    noted, site = frappe.flags.setdefault(_UNTOUCHED, {}), FrappeSite()
    noted[doctype, old] = (untouched_names(site), untouched_request_names(site))


def _renew_fingerprints(doctype: str, old: str) -> None:
    from erp_forecast_addon.services.open_drafts import renew_fingerprints
    from erp_forecast_addon.services.open_requests import renew_request_fingerprints
    from erp_forecast_addon.site.frappe_site import FrappeSite

    orders, requests = frappe.flags.get(_UNTOUCHED, {}).pop((doctype, old), ([], []))
    renew_fingerprints(FrappeSite(), orders)
    renew_request_fingerprints(FrappeSite(), requests)


def _rename_in_parked_rows(old: str, new: str) -> None:
    """A parked row names its warehouse group inside its text; the rows are as few as what is parked."""
    parked = {"restored": 0, "kind": "Parked Row"}
    for backup in frappe.get_all(_BACKUP, filters=parked, fields=["name", "former"]):
        former = json.loads(backup.former)
        if former.get("warehouse_group") == old:
            former["warehouse_group"] = new
            frappe.db.set_value(_BACKUP, backup.name, "former", json.dumps(former))


def _renew_identities(doctype: str, old: str, new: str) -> None:
    """A case is told by a hash over its names; without a new one the next run would open it a second time."""
    from erp_forecast_addon.services.exceptions import GROUP_MARK, identity

    fields = ["name", "exception_type", "company", "item_code", "warehouse", "supplier", "order_line", "identity"]
    for case in frappe.get_all(_CASE, filters={_FIELD[doctype]: new}, fields=fields):
        before = old if doctype == "Company" else case.company
        grouped = case.identity == identity(case.exception_type, before, GROUP_MARK)
        of_line = (case.order_line,) if case.order_line else ()
        parts = (GROUP_MARK,) if grouped else (case.item_code, case.warehouse, case.supplier, *of_line)
        renewed = identity(case.exception_type, case.company, *parts)
        if renewed != case.identity:
            frappe.db.set_value(_CASE, case.name, "identity", renewed, update_modified=False)


def _join_cases(doctype: str, new: str) -> None:
    """Two cases that have become one: what waits stays before what a person ignores, that before what is over, and of
    two alike the older one."""
    fields = ["name", "identity", "status", "responsible", "opened_at", "creation"]
    cases = frappe.get_all(_CASE, filters={_FIELD[doctype]: new}, fields=fields)
    cases.sort(key=lambda case: (_RANK[case.status], case.opened_at or case.creation))
    kept: dict[str, Document] = {}
    for case in cases:  # an item's or a supplier's: few
        if case.identity in kept:
            _join(kept[case.identity], case)
        elif case.identity:
            kept[case.identity] = case


def _join(kept: Document, other: Document) -> None:
    """What people wrote on the other goes on to the one that stays, and its owner, where that one has none."""
    about = {"reference_doctype": _CASE, "reference_name": other.name}
    frappe.db.set_value("Comment", about, "reference_name", kept.name, update_modified=False)
    frappe.delete_doc(_CASE, other.name, ignore_permissions=True, force=True)
    if other.responsible and not kept.responsible:
        case = frappe.get_doc(_CASE, kept.name)
        case.responsible = kept.responsible = other.responsible
        case.save(ignore_permissions=True)


def _delete(doctype: str, filters: dict[str, str]) -> None:
    frappe.db.delete(doctype, filters)
