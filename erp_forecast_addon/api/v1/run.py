"""Starting a planning run and watching it."""

from typing import Any

import frappe
from frappe import _
from frappe.utils.background_jobs import is_job_enqueued

from erp_forecast_addon.events.schedule import enqueue_run, job_id_of
from erp_forecast_addon.permissions import check_company, check_record
from erp_forecast_addon.services.run import lock_name
from erp_forecast_addon.setup.names import PLANNER
from erp_forecast_addon.site.frappe_site import FrappeSite

_RUN = "Forecast Run"
_MAY_START = (PLANNER, "System Manager")
_SHOWN = (
    "name", "company", "status", "triggered_by", "run_by", "as_of", "started_at", "ended_at", "duration_seconds",
    "progress_pct", "current_step", "forecasts", "policies", "orders_created", "orders_updated", "orders_withdrawn",
    "exceptions", "error",
)  # fmt: skip


@frappe.whitelist(methods=["POST"])
def start_run(company: str) -> str:
    """Queue a run of the company; the name of its Forecast Run. Refused while one runs or waits: who, since when."""
    frappe.only_for(_MAY_START)
    check_company(company, _RUN)
    _refuse_second(company)
    run = frappe.get_doc(
        {
            "doctype": _RUN,
            "company": company,
            "status": "Queued",
            "triggered_by": "Button",
            "run_by": frappe.session.user,
        }
    ).insert(ignore_permissions=True)
    if not enqueue_run(company, "Button", frappe.session.user, run.name):
        frappe.throw(_("A run of {0} has just been queued. Wait until it ends.").format(company))
    return run.name


@frappe.whitelist(methods=["GET", "POST"])
def status(run: str) -> dict[str, Any]:
    """State, progress and counts of a run."""
    doc = check_record(_RUN, run)
    return {field: doc.get(field) for field in _SHOWN}


def _refuse_second(company: str) -> None:
    """A job of ours may wait or run in the queue, and the command line runs without one: it holds the lock only."""
    if not is_job_enqueued(job_id_of(company)) and _lock_is_free(company):
        return
    active = frappe.get_all(
        _RUN,
        filters={"company": company, "status": ("in", ("Running", "Queued"))},
        fields=["name", "status", "run_by", "started_at", "creation"],
        order_by="creation desc",
        limit=1,
    )
    if not active:
        frappe.throw(_("A run of {0} is starting or waiting in the queue already. Wait until it ends.").format(company))
    since = frappe.utils.format_datetime(active[0].started_at or active[0].creation)
    frappe.throw(
        _("{0} is being planned already: {1} is {2}, started by {3} at {4}. Wait until it ends.").format(
            company, active[0].name, _(active[0].status), active[0].run_by, since
        )
    )


def _lock_is_free(company: str) -> bool:
    with FrappeSite().lock(lock_name(company)) as free:
        return free
