"""An item, or its line of one warehouse, that is put to rest until a day. The next run proposes nothing for it."""

import frappe
from frappe import _
from frappe.model.document import Document
from frappe.utils import getdate

from erp_forecast_addon.erp_forecast_addon import retention


class PlanningSnooze(Document):
    def before_insert(self) -> None:
        self.snoozed_by = frappe.session.user

    def validate(self) -> None:
        if self.has_value_changed("until") and getdate(self.until) < getdate():
            until = frappe.format(self.until, "Date")
            frappe.throw(_("{0} cannot be put to rest until {1}: that day is over.").format(self.item_code, until))
        if not frappe.get_cached_value("Item", self.item_code, "is_stock_item"):
            frappe.throw(_("{0} is no stock item and is not planned.").format(self.item_code))
        if self.warehouse:
            home = frappe.get_cached_value("Warehouse", self.warehouse, "company")
            if home != self.company:
                frappe.throw(_("{0} is a warehouse of {1}, not of {2}.").format(self.warehouse, home, self.company))

    def after_insert(self) -> None:
        """What is proposed already leaves its drafts at once, so that nobody approves it by mistake."""
        if not self.flags.by_forecast_addon:
            from erp_forecast_addon.services.snooze import take_out
            from erp_forecast_addon.site.frappe_site import FrappeSite

            take_out(FrappeSite(), self.company, self.item_code, self.warehouse or None)

    @staticmethod
    def clear_old_logs(days: int = 730) -> None:
        """Log Settings: no run asks for a rest that has ended."""
        retention.delete_records("Planning Snooze", retention.ended_before("Planning Snooze", "until", days))
