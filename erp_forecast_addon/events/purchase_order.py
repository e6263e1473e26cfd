"""What people do to a native Purchase Order of ours by hand: checked before it counts, followed after it happened.

Orders that are not ours cost one indexed lookup. What our own service does carries `flags.by_forecast_addon`.
"""

import frappe
from frappe import _
from frappe.model.document import Document
from frappe.model.workflow import get_workflow_state_field

from erp_forecast_addon.approval import check_ours_to_approve, may_decide, native_workflow
from erp_forecast_addon.planning.errors import PlanningError
from erp_forecast_addon.refusals import refusals_shown
from erp_forecast_addon.setup.names import APPROVER, AUTO_PURCHASE_ORDER
from erp_forecast_addon.site.frappe_workflow import leads_to_submission


def before_insert(doc: Document, method: str | None = None) -> None:
    """Only our service and an amendment carry the link: a copy of an order is an order of its own."""
    if not doc.flags.by_forecast_addon:
        doc.auto_purchase_order = _record_of(doc.amended_from).get("name") if doc.get("amended_from") else None


def after_insert(doc: Document, method: str | None = None) -> None:
    if doc.get("auto_purchase_order") and doc.get("amended_from"):
        _follow(doc, "amend")


def on_update(doc: Document, method: str | None = None) -> None:
    """The site's own workflow turned our draft down: it reached a state from which nothing leads to a submission."""
    before = doc.get_doc_before_save()
    workflow = None if doc.flags.by_forecast_addon or doc.docstatus != 0 or before is None else native_workflow()
    if not workflow:
        return
    field = get_workflow_state_field(workflow)
    state = doc.get(field)
    if not state or before.get(field) == state or leads_to_submission(doc.doctype, state):
        return
    record = _record_of(doc.name)
    if record.status == "Proposed":
        _give_up(
            doc, record.name, _("{0} in the workflow {1}, by {2}.").format(_(state), workflow, frappe.session.user)
        )


def before_submit(doc: Document, method: str | None = None) -> None:
    """No back door: while ours is undecided, only who may decide on it may submit its draft by hand.

    Nor do we have one: where the site's own workflow decides, our service submits nothing either.
    """
    record = _record_of(doc.name)
    if not record:
        return
    if doc.flags.by_forecast_addon:
        return check_ours_to_approve(frappe.get_doc(AUTO_PURCHASE_ORDER, record.name))
    if record.status != "Proposed" or native_workflow():
        return
    if not may_decide(frappe.get_doc(AUTO_PURCHASE_ORDER, record.name)):
        frappe.throw(
            _("{0} is the draft of {1}, which is not decided yet. It is submitted when a {2} approves {1}.").format(
                doc.name, record.name, _(APPROVER)
            ),
            frappe.PermissionError,
        )


def on_submit(doc: Document, method: str | None = None) -> None:
    """The limits are held against what was submitted, which may be other than the draft that stood."""
    record = _record_of(doc.name)
    if doc.flags.by_forecast_addon or not record:
        return
    with refusals_shown():
        if record.status == "Proposed" and not native_workflow():
            _check_limits(doc, record.name)
        _follow_strictly(doc, "submit")


def on_cancel(doc: Document, method: str | None = None) -> None:
    if not doc.flags.by_forecast_addon and _record_of(doc.name):
        _follow(doc, "cancel")


def on_change(doc: Document, method: str | None = None) -> None:
    """Closing and re-opening write the status past every other event."""
    if doc.docstatus != 1 or doc.flags.by_forecast_addon:
        return
    before = _record_of(doc.name).get("status")
    if doc.status == "Closed" and before == "Approved":
        _follow(doc, "close")
    elif doc.status != "Closed" and before == "Closed":
        _follow(doc, "reopen")


def on_trash(doc: Document, method: str | None = None) -> None:
    if not doc.flags.by_forecast_addon and _record_of(doc.name):
        _follow(doc, "delete")


def on_discard(doc: Document, method: str | None = None) -> None:
    """From v16 on a draft may be discarded, which cancels it past on_cancel and on_trash: for ours it is deleted."""
    on_trash(doc, method)


def _record_of(purchase_order: str) -> frappe._dict:
    """Name and status of our record; by its link, because the order's own link can be emptied over the API."""
    found = frappe.db.get_value(
        AUTO_PURCHASE_ORDER, {"purchase_order": purchase_order}, ["name", "status"], as_dict=True
    )
    return found or frappe._dict()


def _check_limits(doc: Document, name: str) -> None:
    from erp_forecast_addon.services.approvals import check_submission
    from erp_forecast_addon.site.frappe_site import FrappeSite

    site = FrappeSite()
    order = site.get_order(doc.name)
    if order is not None:
        check_submission(site, frappe.get_doc(AUTO_PURCHASE_ORDER, name).as_dict(), order)


def _give_up(doc: Document, name: str, reason: str) -> None:
    """The order itself is the site's from then on: what its workflow does with it concerns us no more."""
    from erp_forecast_addon.services.decisions import reject_native
    from erp_forecast_addon.site.frappe_site import FrappeSite

    reject_native(FrappeSite(), name, reason)
    doc.db_set("auto_purchase_order", None, update_modified=False)


def _follow(doc: Document, event: str) -> None:
    """Follow without standing in the way: a record out of step is said and logged, the person's own act goes on."""
    try:
        _follow_strictly(doc, event)
    except PlanningError as error:
        frappe.log_error(title=f"Auto Purchase Order did not follow {doc.name}", message=frappe.get_traceback())
        frappe.msgprint(str(error), indicator="orange", alert=True)


def _follow_strictly(doc: Document, event: str) -> None:
    # Imported here: every save of a Purchase Order loads this module, few are ours.
    from erp_forecast_addon.services.decisions import follow_order
    from erp_forecast_addon.site.frappe_site import FrappeSite

    follow_order(FrappeSite(), doc.name, event)
