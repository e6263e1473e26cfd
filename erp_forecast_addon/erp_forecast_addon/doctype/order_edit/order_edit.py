"""One change that a buyer made in a proposed order. Only its reason is a person's to write."""

from typing import Any

import frappe
from frappe import _
from frappe.model.document import Document


class OrderEdit(Document):
    def validate(self) -> None:
        before = self.get_doc_before_save()
        if before is None:
            frappe.throw(_("An Order Edit is kept when a draft is changed; it is not made by hand."))
        changed = [
            field.label
            for field in self.meta.fields
            if field.fieldname != "reason" and field.read_only and self.has_value_changed(field.fieldname)
        ]
        if changed:
            frappe.throw(_("{0} tells what was done and cannot be changed.").format(", ".join(_(c) for c in changed)))

    @staticmethod
    def clear_old_logs(days: int = 1095) -> None:
        """Log Settings: what was priced so long ago says nothing of today's buyers."""
        cutoff = frappe.utils.add_days(frappe.utils.nowdate(), -days)
        filters: dict[str, Any] = {"changed_at": ("<", cutoff), "status": ("!=", "Standing")}
        frappe.db.delete("Order Edit", filters)
