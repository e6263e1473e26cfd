"""New levels of a run. The state changes by our service or by a manager's decision, and by nothing else."""

from datetime import timedelta
from typing import Any

import frappe
from frappe import _
from frappe.model.document import Document
from frappe.utils import getdate

from erp_forecast_addon.approval import check_may_decide
from erp_forecast_addon.refusals import refusals_shown

_EDITABLE = ("status", "rejection_reason", "rejected_until")
_BY_PERSON = {("Proposed", "Approved"): "approve", ("Proposed", "Rejected"): "reject"}
_AT_WORK = ("Proposed", "Approved", "Applying", "Rolling Back")
_ROWS_AT_ONCE = 1000


class LevelChangeSet(Document):
    def validate(self) -> None:
        if self.flags.by_forecast_addon:
            return
        if self.is_new():
            frappe.throw(_("A Level Change Set is made by a planning run, not by hand."))
        self._refuse_changed_figures()
        if self.has_value_changed("status"):
            self._decide()

    def validate_workflow(self) -> None:
        """Our service moves records to states that no person's transition leads to."""
        if not self.flags.by_forecast_addon:
            super().validate_workflow()

    def on_update(self) -> None:
        """An approved set is applied by a job, once this transaction stands."""
        if self.has_value_changed("status") and self.status in ("Approved", "Rolling Back"):
            from erp_forecast_addon.events.change_sets import enqueue_work

            enqueue_work(self.name, self.company)

    def on_trash(self) -> None:
        if self.status in ("Approved", "Applying", "Rolling Back"):
            frappe.throw(_("{0} is {1}; it cannot be deleted now.").format(self.name, _(self.status)))
        frappe.db.delete("Level Change", {"change_set": self.name})

    def _decide(self) -> None:
        before = self.get_doc_before_save()
        action = _BY_PERSON.get((before.status, self.status))
        if action is None:
            frappe.throw(
                _("{0} is {1}; a person cannot make it {2}.").format(self.name, _(before.status), _(self.status))
            )
        check_may_decide(self)
        with refusals_shown():
            self.update(self._values_of(action, before.as_dict()))

    def _values_of(self, action: str, record: dict[str, Any]) -> dict[str, Any]:
        from erp_forecast_addon.services import change_sets
        from erp_forecast_addon.site.frappe_site import FrappeSite

        if action == "approve":
            return change_sets.approval_values(FrappeSite(), record)
        until = getdate(self.rejected_until) if self.rejected_until else None
        return change_sets.rejection_values(FrappeSite(), record, self.rejection_reason, until)

    def _refuse_changed_figures(self) -> None:
        changed = [
            field.label
            for field in self.meta.fields
            if field.fieldname not in _EDITABLE
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
