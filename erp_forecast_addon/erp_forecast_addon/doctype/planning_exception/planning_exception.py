from datetime import timedelta

import frappe
from frappe import _
from frappe.model.document import Document

_CLOSED = ("Resolved", "Ignored")


class PlanningException(Document):
    def validate(self) -> None:
        if self.has_value_changed("snoozed_until") and self.snoozed_until:
            self._refuse_snooze_in_the_past()

    def _refuse_snooze_in_the_past(self) -> None:
        if frappe.utils.getdate(self.snoozed_until) < frappe.utils.getdate():
            frappe.throw(_("An exception cannot be snoozed until {0}: that day is over.").format(self.snoozed_until))

    @staticmethod
    def clear_old_logs(days: int = 180) -> None:
        """Delete closed exceptions that no run has seen for `days`; an ignored one that is still seen stays."""
        before = (frappe.utils.now_datetime() - timedelta(days=days)).date()
        closed = frappe.get_all(
            "Planning Exception", filters={"status": ("in", _CLOSED), "last_seen_on": ("<", before)}, pluck="name"
        )
        for start in range(0, len(closed), 1000):
            frappe.db.delete("Planning Exception", {"name": ("in", closed[start : start + 1000])})
