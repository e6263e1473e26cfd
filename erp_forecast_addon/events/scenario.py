"""The job that works a Planning Scenario out."""

import frappe

from erp_forecast_addon.events.jobs import enqueue_once

QUEUE = "long"
TIMEOUT_SECONDS = 60 * 60
_METHOD = "erp_forecast_addon.events.scenario.scenario_job"


def enqueue_scenario(scenario: str) -> bool:
    """Queue it once the transaction stands; False if it waits in the queue or is worked out already."""
    return enqueue_once(
        _METHOD, job_id_of(scenario), queue=QUEUE, timeout_seconds=TIMEOUT_SECONDS,
        scenario=scenario, user=frappe.session.user,
    )  # fmt: skip


def job_id_of(scenario: str) -> str:
    return f"planning_scenario::{scenario}"


def scenario_job(scenario: str, user: str) -> str:
    """Work it out as the user who asked, from the warehouses that he may see; its name."""
    from erp_forecast_addon.permissions import allowed
    from erp_forecast_addon.services.scenarios import DOCTYPE, run_scenario
    from erp_forecast_addon.site.frappe_site import FrappeSite

    frappe.set_user(user)
    return run_scenario(FrappeSite(), scenario, allowed(user, "Warehouse", DOCTYPE))
