"""What a supplier was told about one version of an order. Written by the service alone."""

import frappe
from frappe import _
from frappe.model.document import Document


class OrderDispatch(Document):
    def validate(self) -> None:
        if not self.flags.by_forecast_addon:
            frappe.throw(_("An Order Dispatch is a record of what was sent; it cannot be written by hand."))

    def on_trash(self) -> None:
        """Its key must not be given out again, and no version twice."""
        if not self.flags.by_forecast_addon:
            frappe.throw(_("An Order Dispatch is kept: its key stands for this version of the order for ever."))
