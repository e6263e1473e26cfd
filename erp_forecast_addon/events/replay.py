"""The job that replays a company's past."""

import frappe
from frappe.utils.background_jobs import is_job_enqueued

QUEUE = "long"
TIMEOUT_SECONDS = 2 * 60 * 60
_METHOD = "erp_forecast_addon.events.replay.replay_job"


def enqueue_replay(replay: str, company: str, weeks: int) -> bool:
    """Queue the replay once the transaction stands; False if one of the company waits in the queue already."""
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
        replay=replay,
        company=company,
        weeks=weeks,
        user=frappe.session.user,
    )
    return True


def job_id_of(company: str) -> str:
    return f"policy_replay::{company}"


def replay_job(replay: str, company: str, weeks: int, user: str) -> str:
    """Replay the company's past into the record; its name."""
    from erp_forecast_addon.services.replay import replay_company
    from erp_forecast_addon.site.frappe_site import FrappeSite

    frappe.set_user(user)
    return replay_company(FrappeSite(), company, weeks=weeks, replay=replay)
