"""A what-if of a planner. It is checked when it is saved; working it out is left to services/scenarios.py."""

import frappe
from frappe import _
from frappe.model.document import Document

from erp_forecast_addon.refusals import refusals_shown


class PlanningScenario(Document):
    def validate(self) -> None:
        from erp_forecast_addon.services.scenarios import ASKED, MOVING, scenario_of

        with refusals_shown():
            scenario_of(self.as_dict())
        before = self.get_doc_before_save()
        if self.is_new():
            self._forget_results()
        elif before and any((before.get(field) or None) != (self.get(field) or None) for field in ASKED):
            if before.status in MOVING:
                frappe.throw(_("This scenario is being worked out. Wait until it ends, then change it."))
            self._forget_results()

    def _forget_results(self) -> None:
        """Results of another question are none."""
        from erp_forecast_addon.services.scenarios import RESULTS

        self.status = "Draft"
        for field in RESULTS:
            self.set(field, None)
