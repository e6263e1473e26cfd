"""Something known ahead that moves demand. Checked when it is saved, so that a run can use it as it stands."""

import frappe
from frappe import _
from frappe.model.document import Document
from frappe.utils import cstr, flt, getdate

# Longer than any event that returns; a slip of the year.
_LONGEST_DAYS = 3660


class DemandEvent(Document):
    def validate(self) -> None:
        self.title = cstr(self.title).strip()
        if not self.title:
            frappe.throw(_("Give the event a title."))
        self._check_series()
        self._check_dates()
        self._check_warehouse()

    def _check_series(self) -> None:
        """Rows in the order of their days, each day once; the event's dates are theirs."""
        days = [getdate(row.date) for row in self.series]
        twice = sorted({day for day in days if days.count(day) > 1}) if len(set(days)) < len(days) else []
        if twice:
            first = frappe.format_value(twice[0], {"fieldtype": "Date"})
            frappe.throw(
                _("{0} stands in the values more than once ({1} days do); each day has one value.").format(
                    frappe.bold(first), len(twice)
                )
            )
        if days:
            self.series.sort(key=lambda row: getdate(row.date))
            for number, row in enumerate(self.series, 1):
                row.idx = number
            self.from_date, self.to_date = min(days), max(days)

    def _check_dates(self) -> None:
        if not self.from_date:
            frappe.throw(_("Say when the event is: a first day, or values by date."))
        self.to_date = self.to_date or self.from_date
        days = (getdate(self.to_date) - getdate(self.from_date)).days
        if days < 0:
            frappe.throw(_("The event ends before it begins."))
        if days > _LONGEST_DAYS:
            frappe.throw(_("The event lasts longer than {0} days; check its dates.").format(_LONGEST_DAYS))
        if not self.series and not flt(self.value):
            frappe.throw(_("An event of intensity 0 is none. 1 is usual; to keep the event unused, clear Enabled."))

    def _check_warehouse(self) -> None:
        if self.warehouse:
            home = frappe.get_cached_value("Warehouse", self.warehouse, "company")
            self.company = self.company or home
            if home != self.company:
                frappe.throw(_("{0} is a warehouse of {1}, not of {2}.").format(self.warehouse, home, self.company))
