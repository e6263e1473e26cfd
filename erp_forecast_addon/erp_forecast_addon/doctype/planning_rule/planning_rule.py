"""What a planner says about policies. It is checked when it is saved; the next plan follows it."""

import frappe
from frappe import _
from frappe.model.document import Document
from frappe.utils import flt

_SAYS = ("method", "service_target_pct", "min_qty", "max_qty", "set_min_qty", "set_max_qty", "holding_cost_pct",
         "order_cost", "shortage_cost", "occasion_cost")  # fmt: skip
_SCOPE = ("company", "item_code", "item_group", "abc_class", "xyz_class", "warehouse")


class PlanningRule(Document):
    def validate(self) -> None:
        if self.item_code:
            self.item_group = self.abc_class = self.xyz_class = None
        self._check_says()
        self._check_levels()
        self._check_place()
        self._refuse_a_second_one()

    def _check_says(self) -> None:
        if not any(self.get(field) for field in _SAYS):
            frappe.throw(_("The rule says nothing: choose a method, a target, a minimum, a maximum or a cost."))
        if flt(self.service_target_pct) < 0 or flt(self.service_target_pct) >= 100:
            frappe.throw(
                _("A service target of {0}% cannot be planned: it must lie above 0% and below 100%.").format(
                    self.service_target_pct
                )
            )

    def _check_levels(self) -> None:
        least, most = flt(self.min_qty), flt(self.max_qty)
        if (most or self.set_max_qty) and least > most:
            frappe.throw(
                _("The minimum of {0} is above the maximum of {1}; one of them must give way.").format(least, most)
            )
        if self.method == "Fixed" and not (least or self.set_min_qty):
            frappe.throw(_("Fixed levels need the reorder point; if 0 is meant, say so."))
        if self.method == "Fixed" and not self.item_code:
            frappe.throw(_("Fixed levels belong to an item: name it."))

    def _check_place(self) -> None:
        if self.item_code and not frappe.get_cached_value("Item", self.item_code, "is_stock_item"):
            frappe.throw(_("{0} is no stock item and is not planned.").format(self.item_code))
        if self.warehouse:
            home = frappe.get_cached_value("Warehouse", self.warehouse, "company")
            if home != self.company:
                frappe.throw(_("{0} is a warehouse of {1}, not of {2}.").format(self.warehouse, home, self.company))

    def _refuse_a_second_one(self) -> None:
        """Two rules of one scope would leave it to chance which one counts."""
        if not self.enabled:
            return
        same = {field: self.get(field) or ("is", "not set") for field in _SCOPE}
        other = frappe.db.get_value("Planning Rule", {**same, "enabled": 1, "name": ("!=", self.name or "")})
        if other:
            frappe.throw(_("{0} says something for exactly the same items already; change that rule.").format(other))
