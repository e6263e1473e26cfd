"""Working through Planning Exceptions, many at once."""

import frappe
from frappe import _

_EXCEPTION = "Planning Exception"
_BY_PERSON = ("Open", "In Progress", "Resolved", "Ignored")


@frappe.whitelist(methods=["POST"])
def set_status(names: list[str] | str, status: str) -> int:
    """Set the status of these exceptions; the number changed. One that the user may not write refuses them all."""
    if status not in _BY_PERSON:
        frappe.throw(_("{0} is not a state of an exception: {1}.").format(status, ", ".join(_BY_PERSON)))
    return _save(names, {"status": status, "snoozed_until": None})


@frappe.whitelist(methods=["POST"])
def snooze(names: list[str] | str, until: str) -> int:
    """Ignore these exceptions until a day; the next run after it opens them again if they still hold."""
    return _save(names, {"status": "Ignored", "snoozed_until": frappe.utils.getdate(until)})


def _save(names: list[str] | str, values: dict[str, object]) -> int:
    chosen = frappe.parse_json(names) if isinstance(names, str) else names
    for name in chosen:
        doc = frappe.get_doc(_EXCEPTION, name)
        doc.check_permission("write")
        doc.update(values)
        doc.save()
    return len(chosen)
