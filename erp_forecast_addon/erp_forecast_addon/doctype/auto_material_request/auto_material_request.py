"""A proposed transfer or manufacture. It follows its native Material Request, and nobody writes it by hand."""

import frappe
from frappe import _
from frappe.model.document import Document


class AutoMaterialRequest(Document):
    def validate(self) -> None:
        if self.flags.by_forecast_addon:
            return
        frappe.throw(
            _("{0} is the planner's evidence. Edit, submit or delete its Material Request instead.").format(
                self.name or _(self.doctype)
            )
        )
