"""What people do to a native Material Request of ours by hand: followed after it happened.

Who may submit one decides on it. Requests that are not ours cost one indexed lookup; what our own service does carries
`flags.by_forecast_addon`.
"""

import frappe
from frappe.model.document import Document

from erp_forecast_addon.planning.errors import PlanningError
from erp_forecast_addon.setup.names import AUTO_MATERIAL_REQUEST


def before_insert(doc: Document, method: str | None = None) -> None:
    """Only our service and an amendment carry the link: a copy of a request is a request of its own."""
    if not doc.flags.by_forecast_addon:
        doc.auto_material_request = _record_of(doc.amended_from) if doc.get("amended_from") else None


def after_insert(doc: Document, method: str | None = None) -> None:
    if doc.get("auto_material_request") and doc.get("amended_from"):
        _follow(doc, "amend")


def on_submit(doc: Document, method: str | None = None) -> None:
    _follow_ours(doc, "submit")


def on_cancel(doc: Document, method: str | None = None) -> None:
    _follow_ours(doc, "cancel")


def on_trash(doc: Document, method: str | None = None) -> None:
    _follow_ours(doc, "delete")


def on_discard(doc: Document, method: str | None = None) -> None:
    """From v16 on a draft may be discarded, which cancels it past on_cancel and on_trash: for ours it is deleted."""
    on_trash(doc, method)


def _record_of(material_request: str) -> str | None:
    return frappe.db.get_value(AUTO_MATERIAL_REQUEST, {"material_request": material_request}, "name")


def _follow_ours(doc: Document, event: str) -> None:
    if not doc.flags.by_forecast_addon and _record_of(doc.name):
        _follow(doc, event)


def _follow(doc: Document, event: str) -> None:
    """Follow without standing in the way: a record out of step is said and logged, the person's own act goes on."""
    # Imported here: every save of a Material Request loads this module, few are ours.
    from erp_forecast_addon.services.requests import follow_request
    from erp_forecast_addon.site.frappe_site import FrappeSite

    try:
        follow_request(FrappeSite(), doc.name, event)
    except PlanningError as error:
        frappe.log_error(title=f"Auto Material Request did not follow {doc.name}", message=frappe.get_traceback())
        frappe.msgprint(str(error), indicator="orange", alert=True)
