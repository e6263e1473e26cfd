"""The job that applies or rolls back a Level Change Set, and the hourly look for sets whose job was lost."""

import frappe
from frappe.utils.background_jobs import is_job_enqueued

from erp_forecast_addon.events.jobs import enqueue_once

QUEUE = "long"
TIMEOUT_SECONDS = 2 * 60 * 60
_SET = "Level Change Set"
_METHOD = "erp_forecast_addon.events.change_sets.work_job"
_AT_WORK = ("Approved", "Applying", "Rolling Back")


def enqueue_work(change_set: str, company: str) -> bool:
    """Queue the work once the transaction stands; False if the company's levels wait in the queue already."""
    return enqueue_once(
        _METHOD, job_id_of(company), queue=QUEUE, timeout_seconds=TIMEOUT_SECONDS,
        change_set=change_set, user=frappe.session.user,
    )  # fmt: skip


def job_id_of(company: str) -> str:
    return f"level_changes::{company}"


def work_job(change_set: str, user: str) -> str:
    """Apply the set or roll it back, as its state says; its state afterwards.

    A job that comes twice, or after the command line or another worker has done its work, finds nothing to do.
    """
    from erp_forecast_addon.planning.errors import Busy
    from erp_forecast_addon.services.change_set_work import work
    from erp_forecast_addon.site.frappe_site import FrappeSite

    frappe.set_user(user)
    status = frappe.db.get_value(_SET, change_set, "status")
    if status not in _AT_WORK:
        return status or ""
    try:
        return work(FrappeSite(), change_set).status
    except Busy:
        return status


def resume_lost() -> None:
    """Hourly: a set that is to be worked on, that no job waits for and nobody holds, has lost its worker. One that
    stopped with an error waits for a person."""
    for found in lost_sets():
        enqueue_work(found.name, found.company)


def lost_sets() -> list[frappe._dict]:
    waiting = frappe.get_all(
        _SET, filters={"status": ("in", _AT_WORK)}, fields=["name", "company", "error"], order_by="creation asc"
    )
    return [each for each in waiting if not each.error and not is_job_enqueued(job_id_of(each.company)) and _free(each)]


def _free(change_set: frappe._dict) -> bool:
    from erp_forecast_addon.services.change_set_work import lock_name
    from erp_forecast_addon.site.frappe_site import FrappeSite

    with FrappeSite().lock(lock_name(change_set.company)) as free:
        return free
