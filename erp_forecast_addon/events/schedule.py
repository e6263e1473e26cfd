"""The hourly check that starts each company's nightly run, and the job that runs it."""

from datetime import datetime, timedelta
from typing import Any

import frappe
from frappe import _
from frappe.utils.background_jobs import is_job_enqueued

QUEUE = "long"
TIMEOUT_SECONDS = 4 * 60 * 60
_RUN = "Forecast Run"
_METHOD = "erp_forecast_addon.events.schedule.run_company_job"
_SETTLED = ("Queued", "Running", "Completed", "Failed")


def hourly() -> None:
    """Enqueue the run of each company whose hour has come and that was not run today; late is better than never."""
    if not frappe.db.get_single_value("Forecast Settings", "enabled"):
        return
    close_lost_runs()
    now = frappe.utils.now_datetime()
    for company in companies_due(now):
        enqueue_run(company, "Scheduler", frappe.session.user)


def close_lost_runs(site: Any = None) -> None:
    """Mark runs whose process or place in the queue is gone, so that the company is due again today."""
    from erp_forecast_addon.services.run import interrupted_runs
    from erp_forecast_addon.site.frappe_site import FrappeSite

    interrupted_runs(site or FrappeSite())
    queued = {"status": "Queued", "creation": ("<", frappe.utils.now_datetime() - timedelta(hours=1))}
    for run in frappe.get_all(_RUN, filters=queued, fields=["name", "company"]):
        if not is_job_enqueued(job_id_of(run.company)):
            lost = _("The queue lost this run before it started. The next run does its work.")
            frappe.db.set_value(_RUN, run.name, {"status": "Interrupted", "error": lost})


def companies_due(now: datetime) -> list[str]:
    """Enabled companies whose run hour of today (site time) has passed without a scheduled run since midnight."""
    rows = frappe.get_all(
        "Forecast Company Settings",
        filters={"parent": "Forecast Settings", "enabled": 1, "run_hour": ("<=", now.hour)},
        pluck="company",
        order_by="run_hour asc, idx asc",
    )
    done = _run_today(now)
    return [company for company in rows if company not in done]


def enqueue_run(company: str, triggered_by: str, user: str, run: str | None = None) -> bool:
    """Queue a run once the transaction stands; False if one of this company waits or runs in the queue already.

    The job id saves queue space only; that two runs never overlap is the lock's affair.
    """
    job_id = job_id_of(company)
    if is_job_enqueued(job_id):
        return False
    frappe.enqueue(
        _METHOD,
        queue=QUEUE,
        timeout=TIMEOUT_SECONDS,
        job_id=job_id,
        deduplicate=True,
        enqueue_after_commit=True,
        company=company,
        triggered_by=triggered_by,
        user=user,
        run=run,
    )
    return True


def job_id_of(company: str) -> str:
    return f"forecast_run::{company}"


def run_company_job(company: str, triggered_by: str, user: str, run: str | None = None) -> str:
    """Plan one company; the name of its Forecast Run."""
    from erp_forecast_addon.services.run import run_company
    from erp_forecast_addon.site.frappe_site import FrappeSite

    frappe.set_user(user)
    return run_company(FrappeSite(), company, triggered_by=triggered_by, run=run)


def _run_today(now: datetime) -> set[str]:
    """Companies with a scheduled run since midnight; one that was interrupted is to be started again."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    return set(
        frappe.get_all(
            _RUN,
            filters={
                "triggered_by": "Scheduler",
                "status": ("in", _SETTLED),
                "creation": ("between", (midnight, midnight + timedelta(days=1))),
            },
            pluck="company",
        )
    )
