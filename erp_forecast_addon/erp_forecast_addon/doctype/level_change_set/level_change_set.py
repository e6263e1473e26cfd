"""New levels of a run. The state changes by our service or by a manager's decision, and by nothing else."""

from datetime import date, timedelta
from typing import Any

import frappe
from frappe import _

from erp_forecast_addon.erp_forecast_addon.decided_document import EDITABLE, DecidedDocument

_AT_WORK = ("Proposed", "Approved", "Applying", "Rolling Back")
_ROWS_AT_ONCE = 1000


class LevelChangeSet(DecidedDocument):
    def on_update(self) -> None:
        """An approved set is applied by a job, once this transaction stands."""
        if self.has_value_changed("status") and self.status in ("Approved", "Rolling Back"):
            from erp_forecast_addon.events.change_sets import enqueue_work

            enqueue_work(self.name, self.company)

    def on_trash(self) -> None:
        if self.status in ("Approved", "Applying", "Rolling Back"):
            frappe.throw(_("{0} is {1}; it cannot be deleted now.").format(self.name, _(self.status)))
        frappe.db.delete("Level Change", {"change_set": self.name})

    def _approval_values(self, record: dict[str, Any]) -> dict[str, Any]:
        from erp_forecast_addon.services import change_sets

        return change_sets.approval_values(_site(), record)

    def _rejection_values(self, record: dict[str, Any], until: date | None) -> dict[str, Any]:
        from erp_forecast_addon.services import change_sets

        return change_sets.rejection_values(_site(), record, self.rejection_reason, until)

    def _refuse_made_by_hand(self) -> None:
        frappe.throw(_("A Level Change Set is made by a planning run, not by hand."))

    def _refuse_changed(self) -> None:
        changed = [
            field.label
            for field in self.meta.fields
            if field.fieldname not in EDITABLE
            and field.fieldname in self.meta.get_valid_columns()
            and self.has_value_changed(field.fieldname)
        ]
        if changed:
            frappe.throw(
                _("{0} is the planner's record and cannot be changed: {1}. Review its changes instead.").format(
                    self.name, ", ".join(_(label) for label in changed)
                )
            )

    @staticmethod
    def clear_old_logs(days: int = 365) -> None:
        """Delete decided sets that are older than `days`, with their lines. What was applied long ago cannot be rolled
        back any more; what ERPNext held before stays in Reorder Level Backup."""
        before = frappe.utils.now_datetime() - timedelta(days=days)
        old = frappe.get_all(
            "Level Change Set", filters={"creation": ("<", before), "status": ("not in", _AT_WORK)}, pluck="name"
        )
        for start in range(0, len(old), _ROWS_AT_ONCE):
            piece = old[start : start + _ROWS_AT_ONCE]
            frappe.db.delete("Level Change", {"change_set": ("in", piece)})
            frappe.db.delete("Level Change Set", {"name": ("in", piece)})


def _site() -> Any:
    from erp_forecast_addon.site.frappe_site import FrappeSite

    return FrappeSite()
