"""Policy Replays: starting one, and the pictures of one."""

from typing import Any

import frappe
from frappe import _
from frappe.utils.background_jobs import is_job_enqueued

from erp_forecast_addon.events.replay import enqueue_replay, job_id_of
from erp_forecast_addon.permissions import check_company, check_record
from erp_forecast_addon.refusals import refusals_shown
from erp_forecast_addon.setup.names import PLANNER

_REPLAY = "Policy Replay"
_MAY_START = (PLANNER, "System Manager")


@frappe.whitelist(methods=["POST"])
def start_replay(company: str, weeks: int = 26) -> str:
    """Queue a replay of the company's last weeks; the name of its Policy Replay. Refused while one waits or runs."""
    from erp_forecast_addon.services import replay
    from erp_forecast_addon.site.frappe_site import FrappeSite

    frappe.only_for(_MAY_START)
    check_company(company, _REPLAY)
    if is_job_enqueued(job_id_of(company)):
        frappe.throw(_("The past of {0} is being replayed already. Wait until it ends.").format(company))
    with refusals_shown():
        name = replay.queue(FrappeSite(), company, frappe.utils.cint(weeks))
    if not enqueue_replay(name, company, frappe.utils.cint(weeks)):
        frappe.throw(_("The past of {0} is being replayed already. Wait until it ends.").format(company))
    return name


@frappe.whitelist(methods=["GET", "POST"])
def course(name: str) -> list[dict[str, Any]]:
    """Week by week and policy: stock_value, lost_value, order_lines of a replay; empty until it has ended."""
    doc = check_record(_REPLAY, name)
    return frappe.parse_json(doc.weeks_json) if doc.weeks_json else []
