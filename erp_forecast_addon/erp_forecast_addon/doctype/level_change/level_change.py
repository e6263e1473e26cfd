"""One new level. Reviewed by api/v1/change_sets.py, written by the planner; no form saves it."""

import frappe
from frappe import _
from frappe.model.document import Document


class LevelChange(Document):
    def validate(self) -> None:
        if not self.flags.by_forecast_addon:
            frappe.throw(_("A Level Change is the planner's record. Exclude it or change its values by its buttons."))

    def on_trash(self) -> None:
        frappe.throw(_("A Level Change goes with its Level Change Set."))
