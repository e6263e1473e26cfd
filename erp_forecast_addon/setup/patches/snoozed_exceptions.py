"""What was ignored until a day is now snoozed."""

import frappe


def execute() -> None:
    case = frappe.qb.DocType("Planning Exception")
    snoozed = (case.status == "Ignored") & case.snoozed_until.isnotnull()
    frappe.qb.update(case).set(case.status, "Snoozed").where(snoozed).run()
    opened = frappe.qb.update(case).set(case.opened_at, case.creation)
    opened.where(case.opened_at.isnull()).run()
