"""Planning Exceptions from a list: what a person decides on many at once."""

import frappe
from frappe import _
from frappe.utils import getdate

STATES = ("Open", "In Progress", "Resolved", "Ignored")
MOST_AT_ONCE = 500


@frappe.whitelist(methods=["POST"])
def update(names: list[str] | str, status: str, snoozed_until: str | None = None) -> int:
    """Set the status, and the end of a snooze, of exceptions; returns how many. Write permission on each is needed.

    Either all are changed or none. An end of a snooze belongs to the status Ignored and lies in the future.
    """
    wanted = frappe.parse_json(names) if isinstance(names, str) else names
    if status not in STATES:
        frappe.throw(_("{0} is not a status of a Planning Exception.").format(frappe.bold(status)))
    if not wanted or len(wanted) > MOST_AT_ONCE:
        frappe.throw(_("Choose between 1 and {0} exceptions.").format(MOST_AT_ONCE))
    until = getdate(snoozed_until) if snoozed_until else None
    if until and (status != "Ignored" or until <= getdate()):
        frappe.throw(_("An exception is snoozed with the status Ignored, until a day in the future."))
    for name in wanted:  # documents, so that notifications and versions follow
        case = frappe.get_doc("Planning Exception", name)
        case.check_permission("write")
        case.status = status
        case.snoozed_until = until
        case.save()
    return len(wanted)
