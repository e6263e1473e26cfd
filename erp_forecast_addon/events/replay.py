"""The job that replays a company's past."""

import frappe

from erp_forecast_addon.events.jobs import enqueue_once

QUEUE = "long"
TIMEOUT_SECONDS = 2 * 60 * 60
_METHOD = "erp_forecast_addon.events.replay.replay_job"


def enqueue_replay(replay: str, company: str, weeks: int) -> bool:
    """Queue the replay once the transaction stands; False if one of the company waits in the queue already."""
    return enqueue_once(
        _METHOD, job_id_of(company), queue=QUEUE, timeout_seconds=TIMEOUT_SECONDS,
        replay=replay, company=company, weeks=weeks, user=frappe.session.user,
    )  # fmt: skip


def job_id_of(company: str) -> str:
    return f"policy_replay::{company}"


def replay_job(replay: str, company: str, weeks: int, user: str) -> str:
    """Replay the company's past into the record; its name."""
    from erp_forecast_addon.services.replay import replay_company
    from erp_forecast_addon.site.frappe_site import FrappeSite

    frappe.set_user(user)
    return replay_company(FrappeSite(), company, weeks=weeks, replay=replay)
