"""A person's change of the forecast. What it says is checked when it is saved; it counts once it is approved."""

import frappe
from frappe import _
from frappe.model.document import Document
from frappe.utils import cstr, flt, getdate, now_datetime

from erp_forecast_addon.approval import check_may_approve_override, may_approve_override

# What is approved: changed by someone who may not approve, the override is a draft again.
_SUBSTANCE = ("company", "item_code", "warehouse", "from_date", "to_date", "kind", "value")
_BY_RUN = ("forecast_before", "forecast_after", "applied_on", "wape_without", "wape_with", "value_added")


class ForecastOverride(Document):
    def validate(self) -> None:
        if self.flags.by_forecast_addon:
            return
        self._check_dates()
        self._check_value()
        self._check_place()
        if not cstr(self.reason).strip():
            frappe.throw(_("Say why: whoever looks at the forecast later wants to know."))
        self._keep_what_runs_wrote()
        self._decide_status()

    def _check_dates(self) -> None:
        if getdate(self.to_date) < getdate(self.from_date):
            frappe.throw(_("The override ends before it begins."))
        moved = self.is_new() or self.has_value_changed("to_date")
        if moved and getdate(self.to_date) < getdate():
            frappe.throw(_("The override ends in the past; a forecast that is over cannot be changed."))

    def _check_value(self) -> None:
        value = flt(self.value)
        if self.kind == "Percent" and value < -100:
            frappe.throw(_("A forecast cannot be lowered by more than 100%."))
        if self.kind == "Percent" and not value:
            frappe.throw(_("0% changes nothing."))
        if self.kind != "Percent" and value < 0:
            frappe.throw(_("Demand cannot be below 0."))

    def _check_place(self) -> None:
        if not frappe.get_cached_value("Item", self.item_code, "is_stock_item"):
            frappe.throw(_("{0} is no stock item and is not forecast.").format(self.item_code))
        if self.warehouse:
            home = frappe.get_cached_value("Warehouse", self.warehouse, "company")
            if home != self.company:
                frappe.throw(_("{0} is a warehouse of {1}, not of {2}.").format(self.warehouse, home, self.company))

    def _keep_what_runs_wrote(self) -> None:
        """Measured by runs, not typed; a form that was open meanwhile does not take it back."""
        before = self.get_doc_before_save()
        for field in _BY_RUN:
            self.set(field, before.get(field) if before else None)

    def _decide_status(self) -> None:
        before = self.get_doc_before_save()
        was = before.status if before else "Draft"
        if self.status == "Approved" and was != "Approved":
            check_may_approve_override(self)
            self._approve()
        elif self.status == "Approved" and any(self.has_value_changed(field) for field in _SUBSTANCE):
            if may_approve_override(self):
                self._approve()
            else:
                self.status = "Draft"
                frappe.msgprint(_("The override was changed and waits for approval again."), alert=True)
        elif self.status == "Expired" and was != "Expired":
            frappe.throw(_("An override expires by its date. Bring its end forward, or make it a draft again."))
        if self.status != "Approved":
            self.approved_by = self.approved_at = None
        if self.status == "Expired" and getdate(self.to_date) >= getdate():
            self.status = "Draft"

    def _approve(self) -> None:
        self.approved_by, self.approved_at = frappe.session.user, now_datetime()
