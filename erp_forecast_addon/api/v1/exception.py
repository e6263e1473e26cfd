"""Planning Exceptions from a list: what a person decides on many at once."""

import frappe
from frappe import _
from frappe.utils import getdate

from erp_forecast_addon.api.chosen import chosen_names
from erp_forecast_addon.permissions import check_record

_CASE = "Planning Exception"
STATES = ("Open", "In Progress", "Resolved", "Ignored")
MOST_AT_ONCE = 500


@frappe.whitelist(methods=["POST"])
def update(names: list[str] | str, status: str, snoozed_until: str | None = None) -> int:
    """Set the status, and the end of a snooze, of exceptions; returns how many. Write permission on each is needed.

    Either all are changed or none. An end of a snooze belongs to the status Ignored and lies in the future.
    """
    frappe.has_permission(_CASE, "write", throw=True)
    wanted = chosen_names(names, _("exceptions"), MOST_AT_ONCE)
    if status not in STATES:
        frappe.throw(_("{0} is not a status of a Planning Exception.").format(frappe.bold(status)))
    until = getdate(snoozed_until) if snoozed_until else None
    if until and (status != "Ignored" or until <= getdate()):
        frappe.throw(_("An exception is snoozed with the status Ignored, until a day in the future."))
    for name in wanted:  # documents, so that notifications and versions follow
        case = check_record(_CASE, name, "write")
        case.status = status
        case.snoozed_until = until
        case.save()
    return len(wanted)
