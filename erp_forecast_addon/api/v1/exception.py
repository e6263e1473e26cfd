"""Planning Exceptions from a list: what a person decides on many at once, and what waits for him."""

from typing import Any

import frappe
from frappe import _
from frappe.utils import get_datetime, getdate, now_datetime

from erp_forecast_addon.api.chosen import chosen_names
from erp_forecast_addon.permissions import check_record

_CASE = "Planning Exception"
STATES = ("Open", "In Progress", "Snoozed", "Resolved", "Ignored")
AT_WORK = ("Open", "In Progress")
MOST_AT_ONCE = 500


@frappe.whitelist(methods=["POST"])
def update(names: list[str] | str, status: str, snoozed_until: str | None = None, note: str | None = None) -> int:
    """Set the status of exceptions, with the end of a snooze and a note; returns how many. Write permission on each.

    Either all are changed or none. Snoozed needs a day in the future; no other status has one. Who resolves or ignores
    a case says why, if he likes; an empty note leaves the one that stands.
    """
    cases = _cases(names)
    if status not in STATES:
        frappe.throw(_("{0} is not a status of a Planning Exception.").format(frappe.bold(status)))
    until = getdate(snoozed_until) if snoozed_until else None
    if (status == "Snoozed") != bool(until) or (until and until <= getdate()):
        frappe.throw(_("An exception is snoozed with the status Snoozed, until a day in the future."))
    for case in cases:  # documents, so that notifications and versions follow
        case.status, case.snoozed_until = status, until
        case.note = note or case.note
        case.save()
    return len(cases)


@frappe.whitelist(methods=["POST"])
def assign(names: list[str] | str, user: str) -> int:
    """Make a user the owner of exceptions, with a ToDo for each; returns how many. Write permission on each.

    Either all are given or none: refused where the user is disabled or may not see one of them.
    """
    cases = _cases(names)
    if not frappe.db.get_value("User", user, "enabled"):
        frappe.throw(_("{0} is not an enabled user.").format(frappe.bold(user)))
    for case in cases:
        if not frappe.has_permission(_CASE, "read", doc=case, user=user):
            frappe.throw(_("{0} may not see the exceptions of {1}.").format(frappe.bold(user), case.company))
        case.responsible, case.make_todo = user, 1
        case.save()
    return len(cases)


@frappe.whitelist()
def waiting(filters: dict[str, Any] | str | None = None) -> dict[str, Any]:
    """What the list's head shows: counts of the cases that the user may see and that somebody has to work on.

    filters: {"company": …} or nothing. overdue, due_today, mine, nobodys, snoozed; by_severity: status at work only;
    by_type: type, cases and money, most money first; currency: None where several companies are added up.
    """
    frappe.has_permission(_CASE, "read", throw=True)
    given = frappe.parse_json(filters) if isinstance(filters, str) else filters
    company = given.get("company") if isinstance(given, dict) else None
    rows = frappe.get_list(
        _CASE,
        filters={"status": ("in", (*AT_WORK, "Snoozed")), **({"company": company} if company else {})},
        fields=["status", "severity", "exception_type", "responsible", "due_at", "money_at_risk", "currency"],
        order_by="name asc",
        limit=0,
    )
    at_work = [row for row in rows if row.status in AT_WORK]
    now, me = now_datetime(), frappe.session.user
    late = [row for row in at_work if row.due_at and get_datetime(row.due_at) < now]
    today = [row for row in at_work if row.due_at and row not in late and getdate(row.due_at) == getdate()]
    currencies = {row.currency for row in at_work if row.currency}
    return {
        "open": len(at_work),
        "overdue": len(late),
        "due_today": len(today),
        "mine": sum(row.responsible == me for row in at_work),
        "nobodys": sum(not row.responsible for row in at_work),
        "snoozed": len(rows) - len(at_work),
        "by_severity": {name: sum(row.severity == name for row in at_work) for name in _severities()},
        "by_type": _by_type(at_work),
        "now": str(now),
        "currency": currencies.pop() if len(currencies) == 1 else None,
    }


@frappe.whitelist()
def overdue_card(filters: dict[str, Any] | str | None = None) -> dict[str, Any]:
    """The workspace's number card: cases past their due time that the user may see."""
    found = waiting(filters)
    return {
        "value": found["overdue"],
        "fieldtype": "Int",
        "route": ["List", _CASE],
        "route_options": {"status": ["in", list(AT_WORK)], "due_at": ["<", found["now"]]},
    }


def _by_type(rows: list[frappe._dict]) -> list[dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for row in rows:
        kind = found.setdefault(row.exception_type, {"type": row.exception_type, "cases": 0, "money": 0.0})
        kind["cases"] += 1
        kind["money"] += row.money_at_risk or 0.0
    return sorted(found.values(), key=lambda kind: (-kind["money"], kind["type"]))


def _severities() -> list[str]:
    return str(frappe.get_meta(_CASE).get_field("severity").options).split("\n")


def _cases(given: list[str] | str) -> list[Any]:
    """The named exceptions, each once and with the right to write it."""
    frappe.has_permission(_CASE, "write", throw=True)
    names = chosen_names(given, _("exceptions"), MOST_AT_ONCE)
    return [check_record(_CASE, name, "write") for name in names]
