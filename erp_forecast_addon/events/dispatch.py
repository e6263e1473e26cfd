"""From a Purchase Order's events to rows of Order Dispatch, and the jobs that send them."""

from typing import Any

import frappe
from frappe import _
from frappe.model.document import Document

from erp_forecast_addon.events.jobs import enqueue_once
from erp_forecast_addon.planning.errors import Refused
from erp_forecast_addon.refusals import refusals_shown
from erp_forecast_addon.setup.names import ORDER_DISPATCH

QUEUE = "default"
# More than an attempt is given; a job that is stopped by it is picked up again like one that was killed.
TIMEOUT_SECONDS = 150
_METHOD = "erp_forecast_addon.events.dispatch.send_job"
_KINDS = ("Webhook", "Email")


# ---- Purchase Order ------------------------------------
def order_submitted(doc: Document, method: str | None = None) -> None:
    """In the transaction that submits it: an approved order and the row that sends it stand or fall together."""
    channel = _channel(doc)
    if channel is None or channel.kind not in _KINDS or not channel.sending:
        return
    ours = doc.get("auto_purchase_order")
    if ours or channel.every_order:
        _note(doc, channel, ours)


def order_changed(doc: Document, method: str | None = None) -> None:
    """By “Update Items”, or whatever else is saved on a submitted order: a new version, if the supplier knows of it."""
    from erp_forecast_addon.services import dispatch

    if doc.docstatus != 1 or not dispatch.is_known(_site(), doc.name):
        return
    channel = _channel(doc)
    if channel is not None and channel.kind in _KINDS:
        # Its lines were written past this document.
        _note(frappe.get_doc(doc.doctype, doc.name), channel, doc.get("auto_purchase_order"))


def order_cancelled(doc: Document, method: str | None = None) -> None:
    from erp_forecast_addon.services import dispatch

    if dispatch.is_known(_site(), doc.name):
        with refusals_shown():
            _soon(dispatch.note_cancellation(_site(), _order(doc), _channel(doc)))


def _note(doc: Document, channel: Any, ours: str | None) -> None:
    from erp_forecast_addon.services import dispatch

    with refusals_shown():
        _soon(dispatch.note_order(_site(), _order(doc), channel, ours))


def _order(doc: Document) -> dict[str, Any]:
    return {**doc.as_dict(), "company_tax_id": frappe.get_cached_value("Company", doc.company, "tax_id")}


def _channel(doc: Document) -> Any:
    from erp_forecast_addon.site.dispatch_reads import read_channel

    return read_channel(_site(), doc.supplier, doc.company)


# ---- sending ------------------------------------
def _soon(name: str | None) -> None:
    """Send it once the transaction stands. The row is the promise, the job only saves waiting for the next check: a
    queue that is down must not undo an approval."""
    if name:
        frappe.db.after_commit.add(lambda: enqueue_send(name))


def enqueue_send(name: str) -> bool:
    """Queue an attempt; False if one waits or runs in the queue, or the queue cannot be reached."""
    try:
        return enqueue_once(
            _METHOD, f"order_dispatch::{name}", queue=QUEUE, timeout_seconds=TIMEOUT_SECONDS, after_commit=False,
            name=name,
        )  # fmt: skip
    except Exception:
        frappe.logger("erp_forecast_addon").exception("an Order Dispatch was not queued; the next check does it")
        return False


def send_due() -> int:
    """Every few minutes: a job for each row whose time has come; how many."""
    from erp_forecast_addon.services import dispatch

    return sum(enqueue_send(name) for name in dispatch.due(_site()))


def send_job(name: str) -> str | None:
    """One attempt. Runs as Administrator: whoever approved need not have a right on what is read to send it."""
    from erp_forecast_addon.services import dispatch

    if frappe.conf.get("mute_emails"):  # a copy of a site, made to try things: it tells no supplier
        return None
    frappe.set_user("Administrator")
    try:
        before = frappe.db.get_value(ORDER_DISPATCH, name, "status")
        after = dispatch.send(_site(), name, mail())
    except Refused:  # deleted since it was queued
        frappe.clear_messages()
        return None
    if after is not None and after != before:
        frappe.get_doc(ORDER_DISPATCH, name).notify_update()  # whoever has the form or the list open sees it
        if after in dispatch.DEAD:
            _tell(name)
        frappe.db.commit()
    return after


def mail() -> Any:
    from erp_forecast_addon.services.webhook import Answer
    from erp_forecast_addon.site.frappe_mail import FrappeMail

    return FrappeMail(Answer)


def _tell(name: str) -> None:
    """Whoever owns the company's exceptions, decided on the order or made it learns that it did not get through."""
    row = frappe.get_doc(ORDER_DISPATCH, name)
    owner = frappe.db.get_value(
        "Forecast Company Settings", {"parent": "Forecast Settings", "company": row.company}, "exception_owner"
    )
    ours = row.auto_purchase_order
    decided = frappe.db.get_value("Auto Purchase Order", ours, "decided_by") if ours else None
    made_by = frappe.db.get_value("Purchase Order", row.purchase_order, "owner")
    user = next((each for each in (owner, decided, made_by) if each and each != "Administrator"), "Administrator")
    subject = _("{0} did not get through to {1}: {2}").format(row.purchase_order, row.supplier, row.last_answer)
    frappe.get_doc({
        "doctype": "Notification Log", "type": "Alert", "for_user": user, "from_user": "Administrator",
        "document_type": ORDER_DISPATCH, "document_name": name, "subject": subject,
    }).insert(ignore_permissions=True)  # fmt: skip


def _site() -> Any:
    from erp_forecast_addon.site.frappe_site import FrappeSite

    return FrappeSite()
