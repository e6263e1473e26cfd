"""Jobs that a queue holds once at a time."""

from typing import Any

import frappe
from frappe.utils.background_jobs import is_job_enqueued


def enqueue_once(
    method: str, job_id: str, *, queue: str, timeout_seconds: int, after_commit: bool = True, **arguments: Any
) -> bool:
    """Queue a call of the dotted method; False if a job of this id waits or runs in the queue already.

    after_commit: only once the transaction stands. The id saves queue space; it is no lock.
    """
    if is_job_enqueued(job_id):
        return False
    frappe.enqueue(
        method,
        queue=queue,
        timeout=timeout_seconds,
        job_id=job_id,
        deduplicate=True,
        enqueue_after_commit=after_commit,
        **arguments,
    )
    return True
