"""A proposed transfer or manufacture. It follows its native Material Request, and nobody writes it by hand."""

import frappe
from frappe import _
from frappe.model.document import Document

from erp_forecast_addon.erp_forecast_addon import retention

REQUEST = "Auto Material Request"


class AutoMaterialRequest(Document):
    def validate(self) -> None:
        if self.flags.by_forecast_addon:
            return
        frappe.throw(
            _("{0} is the planner's evidence. Edit, submit or delete its Material Request instead.").format(
                self.name or _(self.doctype)
            )
        )

    @staticmethod
    def clear_old_logs(days: int = 730) -> None:
        """Log Settings: decided requests that nothing asks for any more; their Material Requests stay."""
        gone = retention.decided_before(REQUEST, "Material Request", days)
        retention.delete_records(REQUEST, gone, links=[("Material Request", "auto_material_request")])
