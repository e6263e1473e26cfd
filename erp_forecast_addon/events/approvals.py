"""How long the draft of a Purchase Order waited, kept when it is submitted: whoever made it, whoever submits it."""

import frappe
from frappe.model.document import Document
from frappe.utils import get_datetime, now_datetime

DOCTYPE = "Order Approval Time"
_SECONDS_PER_DAY = 86400.0


def order_submitted(doc: Document, method: str | None = None) -> None:
    """One row per order. No service is called: every submission of the site comes here, and needs no planner loaded."""
    drafted_at, approved_at = get_datetime(doc.creation), now_datetime()
    values = {
        "company": doc.company, "drafted_at": drafted_at, "approved_at": approved_at, "origin": "Event",
        "days": round((approved_at - drafted_at).total_seconds() / _SECONDS_PER_DAY, 4),
    }  # fmt: skip
    known = frappe.db.get_value(DOCTYPE, {"purchase_order": doc.name})
    if known:
        frappe.db.set_value(DOCTYPE, known, values)
        return
    kept = frappe.get_doc({"doctype": DOCTYPE, "purchase_order": doc.name, **values})
    kept.flags.ignore_permissions = kept.flags.ignore_links = True
    kept.insert()
