"""The hourly check that starts each company's nightly run, and the job that runs it."""

from datetime import datetime, timedelta
from typing import Any

import frappe
from frappe import _
from frappe.utils.background_jobs import is_job_enqueued

from erp_forecast_addon.events.jobs import enqueue_once

QUEUE = "long"
TIMEOUT_SECONDS = 4 * 60 * 60
_RUN = "Forecast Run"
LOOK_TIMEOUT_SECONDS = 30 * 60
_METHOD = "erp_forecast_addon.events.schedule.run_company_job"
_LOOK = "erp_forecast_addon.events.schedule.run_if_due_job"
_SETTLED = ("Queued", "Running", "Completed", "Failed")


def hourly() -> None:
    """Enqueue the run of each company whose hour has come and that was not run since; late is better than never. Then
    a look at the stock of those that want one."""
    if not frappe.db.get_single_value("Forecast Settings", "enabled"):
        return
    close_lost_runs()
    now = frappe.utils.now_datetime()
    for company in companies_due(now):
        enqueue_run(company, "Scheduler", frappe.session.user)
    for company in _companies_that_watch():
        enqueue_once(
            _LOOK, look_id_of(company), queue=QUEUE, timeout_seconds=LOOK_TIMEOUT_SECONDS,
            company=company, user=frappe.session.user,
        )  # fmt: skip


def run_if_due_job(company: str, user: str) -> bool:
    """Queue the company's run if something has to be ordered that no draft covers and whose stock has moved since the
    last run began; whether it did."""
    from erp_forecast_addon.services.between_runs import due_of_company
    from erp_forecast_addon.site.frappe_site import FrappeSite

    frappe.set_user(user)
    last = frappe.get_all(
        _RUN,
        filters={"company": company, "status": "Completed"},
        pluck="started_at",
        order_by="started_at desc",
        limit=1,
    )
    if not last or not due_of_company(FrappeSite(), company, changed_since=last[0]):
        return False
    return enqueue_run(company, "Stock Change", user)


def _companies_that_watch() -> list[str]:
    filters = {"parent": "Forecast Settings", "enabled": 1, "draft_orders": 1, "run_when_due": 1}
    return frappe.get_all("Forecast Company Settings", filters=filters, pluck="company", order_by="idx asc")


def close_lost_runs(site: Any = None) -> None:
    """Mark runs whose process or place in the queue is gone, so that the company is due again."""
    from erp_forecast_addon.services.run import interrupted_runs
    from erp_forecast_addon.site.frappe_site import FrappeSite

    interrupted_runs(site or FrappeSite())
    queued = {"status": "Queued", "creation": ("<", frappe.utils.now_datetime() - timedelta(hours=1))}
    for run in frappe.get_all(_RUN, filters=queued, fields=["name", "company"]):
        if not is_job_enqueued(job_id_of(run.company)):
            lost = _("The queue lost this run before it started. The next run does its work.")
            frappe.db.set_value(_RUN, run.name, {"status": "Interrupted", "error": lost})


def companies_due(now: datetime) -> list[str]:
    """Enabled companies without a settled scheduled run since they were last due, in site time; longest due first.

    A row that was added since then waits for its hour: a company made in the morning is not planned for last night.
    """
    rows = frappe.get_all(
        "Forecast Company Settings",
        filters={"parent": "Forecast Settings", "enabled": 1},
        fields=["company", "run_hour", "creation"],
        order_by="idx asc",
    )
    last_run = _last_settled(now - timedelta(days=1))
    due_at = {row.company: due(now, row.run_hour or 0) for row in rows}
    companies = [
        row.company
        for row in rows
        if (row.creation or datetime.min) <= due_at[row.company]
        and last_run.get(row.company, datetime.min) < due_at[row.company]
    ]
    return sorted(companies, key=lambda company: due_at[company])


def due(now: datetime, run_hour: int) -> datetime:
    """The latest moment, at or before `now`, at which it was this hour of the day; perhaps yesterday's."""
    today = now.replace(hour=run_hour, minute=0, second=0, microsecond=0)
    return today if today <= now else today - timedelta(days=1)


def enqueue_run(company: str, triggered_by: str, user: str, run: str | None = None) -> bool:
    """Queue a run once the transaction stands; False if one of this company waits or runs in the queue already.

    The job id saves queue space only; that two runs never overlap is the lock's affair.
    """
    return enqueue_once(
        _METHOD, job_id_of(company), queue=QUEUE, timeout_seconds=TIMEOUT_SECONDS,
        company=company, triggered_by=triggered_by, user=user, run=run,
    )  # fmt: skip


def job_id_of(company: str) -> str:
    return f"forecast_run::{company}"


def look_id_of(company: str) -> str:
    return f"forecast_look::{company}"


def run_company_job(company: str, triggered_by: str, user: str, run: str | None = None) -> str:
    """Plan one company; the name of its Forecast Run.

    A scheduled run that another job kept from its work is tried again by the next hourly check. Held up before it
    began it has no record; held up later its record says Interrupted, as one that Failed would settle the day.
    """
    from erp_forecast_addon.planning.errors import Busy
    from erp_forecast_addon.services.run import run_company
    from erp_forecast_addon.site.frappe_site import FrappeSite

    frappe.set_user(user)
    try:
        return run_company(FrappeSite(), company, triggered_by=triggered_by, run=run)
    except Busy as error:
        if triggered_by == "Scheduler":
            leave_to_next_check(company, str(error))
            frappe.db.commit()
        raise


def leave_to_next_check(company: str, why: str) -> None:
    """The company's last scheduled run, if that is how it ended, does not settle the day."""
    last = frappe.get_all(
        _RUN,
        filters={"company": company, "triggered_by": "Scheduler"},
        fields=["name", "status", "error"],
        order_by="creation desc",
        limit=1,
    )
    if last and (last[0].status, last[0].error) == ("Failed", why):
        frappe.db.set_value(_RUN, last[0].name, "status", "Interrupted")


def _last_settled(since: datetime) -> dict[str, datetime]:
    """Company -> when its last scheduled run since then was made; one that was interrupted is to be started again."""
    runs = frappe.get_all(
        _RUN,
        filters={"triggered_by": "Scheduler", "status": ("in", _SETTLED), "creation": (">=", since)},
        fields=["company", "creation"],
        order_by="creation asc",
    )
    return {run.company: run.creation for run in runs}
