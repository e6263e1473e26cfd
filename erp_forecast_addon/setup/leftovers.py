"""Records that speak of our DocTypes and would point nowhere after an uninstallation.

What carries our module (Workspace, Report, Number Card, …) is removed by Frappe itself.
"""

import frappe

from erp_forecast_addon.setup.names import APP, MODULE

# DocType, the field that names one of our DocTypes. Users make most of these; without our DocTypes they only fail.
_ABOUT_OUR_DOCTYPES = (
    ("Custom DocPerm", "parent"),
    ("Notification", "document_type"),
    ("Assignment Rule", "document_type"),
    ("Number Card", "document_type"),
    ("Dashboard Chart", "document_type"),
    ("Report", "ref_doctype"),
    ("Print Format", "doc_type"),
    ("Client Script", "dt"),
    ("Server Script", "reference_doctype"),
    ("Property Setter", "doc_type"),
    ("Custom Field", "dt"),
    ("List Filter", "reference_doctype"),
    ("Milestone Tracker", "document_type"),
    ("Energy Point Rule", "reference_doctype"),
    ("Webhook", "webhook_doctype"),
    ("DocShare", "share_doctype"),
    ("User Permission", "applicable_for"),
    ("Notification Log", "document_type"),
)
# Rows that Frappe itself writes beside a document, and leaves when its DocType goes: by the thousand, and without a
# reader from then on. ToDos among them: reminders and assignments, done ones too, as nobody can open what they name.
_BESIDE_OUR_RECORDS = (
    ("ToDo", "reference_type"),
    ("Comment", "reference_doctype"),
    ("Version", "ref_doctype"),
    ("Tag Link", "document_type"),
    ("View Log", "reference_doctype"),
    ("Document Follow", "ref_doctype"),
)


def remove_leftovers() -> None:
    """Delete them without their own checks: nothing of ours is left that they could check."""
    ours = our_doctypes()
    for doctype, field in _ABOUT_OUR_DOCTYPES:
        if _has(doctype, field):
            _delete(doctype, {field: ("in", ours)})
    frappe.db.delete("__Auth", {"doctype": ("in", ours)})
    frappe.db.delete("Logs To Clear", {"ref_doctype": ("in", ours)})
    _forget_singles()
    _delete("Scheduled Job Type", {"method": ("like", f"{APP}.%")})
    for doctype, field in _BESIDE_OUR_RECORDS:
        if _has(doctype, field):
            frappe.db.delete(doctype, {field: ("in", ours)})
    frappe.db.delete("List View Settings", {"name": ("in", ours)})


def our_doctypes() -> list[str]:
    return frappe.get_all("DocType", filters={"module": MODULE}, pluck="name")


def _forget_singles() -> None:
    """A watermark that outlived its buckets would tell the next installation that everything is taken in."""
    for doctype in frappe.get_all("DocType", filters={"module": MODULE, "issingle": 1}, pluck="name"):
        frappe.db.delete("Singles", {"doctype": doctype})
        frappe.clear_document_cache(doctype, doctype)


def _has(doctype: str, field: str) -> bool:
    """The list spans two major versions of Frappe; not each has every DocType."""
    return bool(frappe.db.exists("DocType", doctype)) and field in frappe.get_meta(doctype).get_valid_columns()


def _delete(doctype: str, filters: dict[str, object]) -> None:
    for name in frappe.get_all(doctype, filters=filters, pluck="name"):
        frappe.delete_doc(doctype, name, ignore_permissions=True, force=True, ignore_on_trash=True)
