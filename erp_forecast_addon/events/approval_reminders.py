"""The hourly look at orders whose approval is about to cost a sale: whom to remind, and when to ask the next one.

By ERPNext's own means: an assignment (a ToDo and what it sends) for everybody who is asked, a notification every hour
after that; each user's Notification Settings say whether an email follows.
"""

from datetime import datetime
from typing import Any

import frappe
from frappe import _
from frappe.desk.doctype.notification_log.notification_log import enqueue_create_notification
from frappe.desk.form import assign_to
from frappe.model.document import Document
from frappe.utils import fmt_money, format_datetime, get_link_to_form, now_datetime

from erp_forecast_addon.approval import approvers_of
from erp_forecast_addon.setup.names import AUTO_PURCHASE_ORDER

ASKED_BY = "Administrator"


def remind() -> list[str]:
    """Remind of every order that is due for it; -> those orders. Each in its own transaction, so one cannot stop the
    others, and a job that is killed and comes again reminds nobody twice."""
    if not frappe.db.get_single_value("Forecast Settings", "enabled"):
        return []
    return [name for name in _waiting() if _reminded(name)]


def _reminded(name: str) -> bool:
    try:
        done = remind_of(name)
    except Exception:  # whatever a site's own rules raise must not silence the other orders
        frappe.db.rollback()
        frappe.log_error(title=f"No reminder of {name}", message=frappe.get_traceback())
        done = False
    frappe.db.commit()
    return done


def _waiting() -> list[str]:
    companies = frappe.get_all(
        "Forecast Company Settings",
        filters={"parent": "Forecast Settings", "enabled": 1, "remind_approvers": 1},
        pluck="company",
    )
    undecided = {"status": "Proposed", "company": ("in", companies or [""]), "waiting_costs": ("is", "set")}
    return frappe.get_all(AUTO_PURCHASE_ORDER, filters=undecided, pluck="name", order_by="approve_by asc")


def remind_of(name: str, now: datetime | None = None) -> bool:
    """Remind of one order, if it is due; the row is held, so that two jobs at once remind once. The caller commits."""
    from erp_forecast_addon.planning.purchasing.reminders import next_reminder
    from erp_forecast_addon.services.approval_levels import deadline
    from erp_forecast_addon.site import reads
    from erp_forecast_addon.site.frappe_site import FrappeSite

    doc = frappe.get_doc(AUTO_PURCHASE_ORDER, name, for_update=True)
    if doc.status != "Proposed":
        return False
    moment = now or now_datetime()
    settings = reads.company_settings(FrappeSite(), doc.company).approval
    until = deadline(doc.waiting_costs, doc.base_total_amount, settings.tolerated_loss_share, moment)
    fields = {"approve_by": until.moment, "waiting_cost": until.cost}
    steps = approvers_of(doc)
    due = next_reminder(
        moment, until.moment, len(steps), settings.reminders, doc.asked_since, doc.reminded_at, doc.asked_step
    )
    if due is not None:
        fields |= {"reminded_at": moment, "asked_since": due.since, "asked_step": due.step,
                   "asked_user": steps[due.step][0]}  # fmt: skip
    if any(doc.get(field) != value for field, value in fields.items()):
        # Not `modified`: who has the form open must still be able to decide on it.
        frappe.db.set_value(doc.doctype, name, fields, update_modified=False)
    if due is None:
        return False
    doc.update(fields)
    _send(doc, steps, due.step)
    return True


def _send(doc: Document, steps: list[list[str]], step: int) -> None:
    asked = list(dict.fromkeys(user for each in steps[: step + 1] for user in each))
    about = _about(doc)
    text = sentence(doc)
    open_todos = {"reference_type": about[0], "reference_name": about[1], "status": "Open"}
    has_todo = set(frappe.get_all("ToDo", filters=open_todos, pluck="allocated_to"))
    new = [user for user in asked if user not in has_todo]
    if new:
        task = {"assign_to": new, "doctype": about[0], "name": about[1], "description": text, "priority": "High"}
        task |= {"date": doc.approve_by.date(), "assigned_by": ASKED_BY}
        assign_to.add(task, ignore_permissions=True)
    again = [user for user in asked if user in has_todo]
    if again:
        log = {"type": "Assignment", "document_type": about[0], "document_name": about[1], "subject": text,
               "from_user": ASKED_BY}  # fmt: skip
        enqueue_create_notification(again, log)


def close_reminders(doc: Document) -> None:
    """The order is decided: the tasks that asked for it are done, on our record or on the native order."""
    named = [(doc.doctype, doc.name), ("Purchase Order", doc.purchase_order or "")]
    for doctype, name in named:
        ours = {"reference_type": doctype, "reference_name": name, "status": "Open", "assigned_by": ASKED_BY}
        for task in frappe.get_all("ToDo", filters=ours, pluck="name", order_by="creation asc"):
            todo = frappe.get_doc("ToDo", task)
            todo.status = "Closed"
            todo.save(ignore_permissions=True)


def _about(doc: Document) -> tuple[str, str]:
    """Where it is decided: on our record, or on the native order where the site's own workflow decides."""
    from erp_forecast_addon.approval import native_workflow

    return ("Purchase Order", doc.purchase_order) if native_workflow() else (doc.doctype, doc.name)


def sentence(doc: Any) -> str:
    """Until when, and what it costs: for a notification."""
    link = get_link_to_form(*_about(doc), doc.title or doc.name)
    return _("Approve {0} by {1} or lose {2} expected.").format(
        link,
        format_datetime(doc.approve_by, "EEEE d MMM HH:mm"),
        fmt_money(doc.waiting_cost, precision=0, currency=doc.company_currency),
    )
