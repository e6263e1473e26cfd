"""Planning Scenarios: working one out."""

import frappe
from frappe import _

from erp_forecast_addon.events.scenario import enqueue_scenario
from erp_forecast_addon.permissions import check_company, check_record
from erp_forecast_addon.refusals import refusals_shown

_SCENARIO = "Planning Scenario"


@frappe.whitelist(methods=["POST"])
def run_scenario(name: str) -> str:
    """Queue the scenario `name`; its name. Refused (ValidationError) while it waits or is worked out, and for changes
    that make no sense."""
    from erp_forecast_addon.services import scenarios
    from erp_forecast_addon.site.frappe_site import FrappeSite

    doc = check_record(_SCENARIO, name, "write")
    check_company(doc.company, _SCENARIO)
    with refusals_shown():
        scenarios.queue(FrappeSite(), name)
    if not enqueue_scenario(name):
        frappe.throw(_("This scenario is being worked out already. Wait until it ends."))
    return name
