"""The rule table of exceptions: a row for every type that has none, as our defaults say."""

import frappe

from erp_forecast_addon.services.exception_rules import DEFAULT_RULES
from erp_forecast_addon.setup.company_rows import SETTINGS, touch_settings

ROW = "Planning Exception Rule"
TABLE = "exception_rules"


def ensure_exception_rules() -> None:
    """Added directly, as companies' rows are; a row that stands, for all companies, is never changed."""
    rows = frappe.get_all(ROW, filters={"parent": SETTINGS, "parentfield": TABLE}, fields=["exception_type", "company"])
    present = {row.exception_type for row in rows if not row.company}
    missing = [kind for kind in DEFAULT_RULES if kind not in present]
    for at, kind in enumerate(missing, len(rows) + 1):
        rule = DEFAULT_RULES[kind]
        row = frappe.new_doc(ROW)
        row.update({
            "exception_type": kind, "raised": 1, "severity": rule.severity, "owner_by": rule.owner_by, "make_todo": 1,
            "company": None,  # a new document would take the user's own
            "parent": SETTINGS, "parenttype": SETTINGS, "parentfield": TABLE, "idx": at,
        })  # fmt: skip
        row.db_insert()
    if missing:
        touch_settings()
