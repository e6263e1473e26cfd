"""Companies that were planned before there was a choice keep the textbook's formula until somebody chooses."""

import frappe


def execute() -> None:
    row = frappe.qb.DocType("Forecast Company Settings")
    frappe.qb.update(row).set(row.policy_method, "Textbook").set(row.level_band_pct, 0).run()
