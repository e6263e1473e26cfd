"""A proposed purchase. Its state changes by our service or by a person's decision, and by nothing else."""

from datetime import date
from typing import Any

import frappe
from frappe import _
from frappe.model.document import Document
from frappe.utils import cstr, flt, get_datetime, getdate

from erp_forecast_addon.approval import check_ours_to_approve
from erp_forecast_addon.erp_forecast_addon import retention
from erp_forecast_addon.erp_forecast_addon.decided_document import EDITABLE, DecidedDocument
from erp_forecast_addon.refusals import refusals_shown
from erp_forecast_addon.setup.names import AUTO_PURCHASE_ORDER

# A dispatch in one of these states is settled: nothing is to be sent any more.
_SETTLED = ("Sent", "Cancelled")


class AutoPurchaseOrder(DecidedDocument):
    def save(self, *args: Any, **kwargs: Any) -> Document:
        """A decision and what it does to the Purchase Order stand or fall together, whoever catches the error."""
        with _site().savepoint():
            if self.purchase_order and not self.flags.by_forecast_addon:
                # The order before its record, as who saves the order does: otherwise the two wait for each other.
                _site().hold("Purchase Order", self.purchase_order)
            return super().save(*args, **kwargs)

    def on_update(self) -> None:
        """Submit or delete the native draft in the transaction that saves the decision."""
        from erp_forecast_addon.events.approval_reminders import close_reminders

        action = self.flags.pop("decided", None)
        if action:
            with refusals_shown():
                self._carry_out(action)

        if self.asked_user and self.status != "Proposed" and self.has_value_changed("status"):
            close_reminders(self)

    def add_comment(self, comment_type: str = "Comment", text: str | None = None, *args: Any, **kwargs: Any) -> Any:
        """The workflow tells the state that an action leads to; a first approval does not lead there."""
        if comment_type == "Workflow" and self.flags.first_of_two:
            text = _("first of two approvals")
        return super().add_comment(comment_type, text, *args, **kwargs)

    def _take(self, values: dict[str, Any], before: Document) -> None:
        """Of the first of two approvals the state stays; the workflow's conditions hold for it too."""
        if "status" not in values:
            self.validate_workflow()
            self.status = before.status
            self.flags.first_of_two = True
            frappe.msgprint(_("Your approval is kept. {0} needs a second one.").format(self.name), alert=True)
        super()._take(values, before)

    def _decide(self) -> str:
        action = super()._decide()
        self.flags.decided = action
        self.flags.decided_order = self.get_doc_before_save().purchase_order
        return action

    def _approval_values(self, record: dict[str, Any]) -> dict[str, Any]:
        from erp_forecast_addon.services import decisions

        check_ours_to_approve(self)
        return decisions.decision_values(_site(), record, "approve")

    def _rejection_values(self, record: dict[str, Any], until: date | None) -> dict[str, Any]:
        from erp_forecast_addon.services import decisions

        return decisions.rejection_values(_site(), record, self.rejection_reason, until, self.rejection_class or None)

    def _carry_out(self, action: str) -> None:
        from erp_forecast_addon.services import decisions

        if action == "approve":
            decisions.submit_if_asked(_site(), self.as_dict())
        elif self.flags.decided_order and frappe.db.exists("Purchase Order", self.flags.decided_order):
            _site().delete_order(self.flags.decided_order)

    @staticmethod
    def clear_old_logs(days: int = 730) -> None:
        """Log Settings: decided orders that nothing asks for any more; their Purchase Orders stay.

        One that a buyer changed stays as long as its Order Edits, one whose order waits to be sent until it is.
        """
        old = retention.decided_before(AUTO_PURCHASE_ORDER, "Purchase Order", days)
        edited = retention.named_by("Order Edit", "auto_purchase_order", old)
        waiting = retention.named_by("Order Dispatch", "auto_purchase_order", old, status=("not in", _SETTLED))
        gone = [name for name in old if name not in edited | waiting]
        naming = ("Purchase Order", "Order Dispatch", "Planning Exception")
        retention.delete_records(AUTO_PURCHASE_ORDER, gone, [(each, "auto_purchase_order") for each in naming])

    def _refuse_made_by_hand(self) -> None:
        frappe.throw(_("An Auto Purchase Order is made by a planning run, not by hand. Make a Purchase Order."))

    def _refuse_changed(self) -> None:
        before = self.get_doc_before_save()
        ours, theirs = _evidence(self), _evidence(before)
        changed = [
            field.label for field in self.meta.fields if ours.get(field.fieldname) != theirs.get(field.fieldname)
        ]
        if changed or _lines(self) != _lines(before):
            frappe.throw(
                _(
                    "{0} is the planner's evidence and cannot be changed: {1}. Change the Purchase Order instead."
                ).format(self.name, ", ".join(_(label) for label in changed) or _("Lines"))
            )


def _evidence(doc: Document) -> dict[str, Any]:
    """What a person may not change, by fieldname."""
    columns = [
        f for f in doc.meta.fields if f.fieldname not in EDITABLE and f.fieldname in doc.meta.get_valid_columns()
    ]
    return {field.fieldname: _comparable(field.fieldtype, doc.get(field.fieldname)) for field in columns}


def _lines(doc: Document) -> list[dict[str, Any]]:
    return [_evidence(row) for row in doc.items]


def _comparable(fieldtype: str, value: Any) -> Any:
    """The value as the database would give it back: a form sends texts and half of the types."""
    if fieldtype in ("Float", "Currency", "Percent", "Int", "Check"):
        return flt(value, 6)
    if not value:
        return None
    if fieldtype == "Date":
        return getdate(value)
    if fieldtype == "Datetime":
        return get_datetime(value).replace(microsecond=0)
    return frappe.parse_json(value) if fieldtype == "JSON" else cstr(value)


def _site() -> Any:
    from erp_forecast_addon.site.frappe_site import FrappeSite

    return FrappeSite()
