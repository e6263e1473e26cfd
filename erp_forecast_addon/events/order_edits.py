"""A person saves the draft of one of our orders: what he changed is kept with his reason."""

from typing import Any

import frappe
from frappe.model.document import Document
from frappe.utils import flt, getdate

from erp_forecast_addon.refusals import refusals_shown
from erp_forecast_addon.setup.names import AUTO_PURCHASE_ORDER

# The form, or whoever saves over the API, sends the reason along with the document; it is no field of it.
REASON = "forecast_edit_reason"


def draft_saved(doc: Document, method: str | None = None) -> None:
    """Orders that are not ours cost one indexed lookup."""
    before = doc.get_doc_before_save()
    if doc.flags.by_forecast_addon or before is None or before.docstatus != 0:
        return
    record = frappe.db.get_value(
        AUTO_PURCHASE_ORDER, {"purchase_order": doc.name, "status": ("in", ("Proposed", "Approved"))}
    )
    if record:
        with refusals_shown():
            _keep(record, before, doc)


def _keep(record: str, before: Document, doc: Document) -> None:
    # Imported here: every save of a Purchase Order loads this module, few are ours.
    from erp_forecast_addon.services.order_edits import Saved, keep
    from erp_forecast_addon.site import reads
    from erp_forecast_addon.site.frappe_site import FrappeSite

    site = FrappeSite()
    saved = Saved(frappe.session.user, site.now(), str(doc.get(REASON) or ""))
    settings = reads.company_settings(site, doc.company)
    keep(site, settings, frappe.get_doc(AUTO_PURCHASE_ORDER, record).as_dict(), _draft(before), _draft(doc), saved)


def _draft(doc: Document) -> Any:
    import pandas as pd

    from erp_forecast_addon.planning.purchasing.edits import DRAFT_LINES
    from erp_forecast_addon.services.order_edits import Draft

    rows = [
        {
            "item_code": row.item_code,
            "warehouse": row.warehouse,
            "stock_qty": flt(row.qty) * (flt(row.conversion_factor) or 1.0),
            "schedule_date": pd.Timestamp(getdate(row.schedule_date)) if row.schedule_date else pd.NaT,
            "rate": flt(row.rate) / (flt(row.conversion_factor) or 1.0),
        }
        for row in doc.items
        if row.item_code and row.warehouse
    ]
    lines = DRAFT_LINES.check(pd.DataFrame(rows)) if rows else DRAFT_LINES.empty()
    return Draft(str(doc.supplier), flt(doc.conversion_rate) or 1.0, lines)
