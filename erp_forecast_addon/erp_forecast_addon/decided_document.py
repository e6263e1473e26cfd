"""A proposed record. Its state changes by our service or by a person's decision, and by nothing else."""

from datetime import date
from typing import Any

import frappe
from frappe import _
from frappe.model.document import Document
from frappe.utils import getdate

from erp_forecast_addon.approval import check_may_decide
from erp_forecast_addon.refusals import refusals_shown

# What a person may write; everything else is the planner's.
EDITABLE = ("status", "rejection_reason", "rejected_until")
_BY_PERSON = {("Proposed", "Approved"): "approve", ("Proposed", "Rejected"): "reject"}


class DecidedDocument(Document):
    """Base of the records that a person approves or rejects. A subclass says what is refused, and what a decision
    writes."""

    def validate(self) -> None:
        if self.flags.by_forecast_addon:
            return
        if self.is_new():
            self._refuse_made_by_hand()
        self._refuse_changed()
        if self.has_value_changed("status"):
            self._decide()

    def validate_workflow(self) -> None:
        """Our service moves records to states that no person's transition leads to."""
        if not self.flags.by_forecast_addon:
            super().validate_workflow()

    def _decide(self) -> str:
        """Write what the decision means; approve or reject."""
        before = self.get_doc_before_save()
        action = _BY_PERSON.get((before.status, self.status))
        if action is None:
            frappe.throw(
                _("{0} is {1}; a person cannot make it {2}.").format(self.name, _(before.status), _(self.status))
            )
        check_may_decide(self)
        with refusals_shown():
            self.update(self._values_of(action, before.as_dict()))
        return action

    def _values_of(self, action: str, record: dict[str, Any]) -> dict[str, Any]:
        if action == "approve":
            return self._approval_values(record)
        return self._rejection_values(record, getdate(self.rejected_until) if self.rejected_until else None)

    def _refuse_made_by_hand(self) -> None:
        raise NotImplementedError

    def _refuse_changed(self) -> None:
        """Refuse a record of which a person changed more than EDITABLE."""
        raise NotImplementedError

    def _approval_values(self, record: dict[str, Any]) -> dict[str, Any]:
        """What approving writes; record: the document as it was."""
        raise NotImplementedError

    def _rejection_values(self, record: dict[str, Any], until: date | None) -> dict[str, Any]:
        raise NotImplementedError
