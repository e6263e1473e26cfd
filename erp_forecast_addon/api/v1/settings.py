"""A company's planning settings, for people who may not see the other companies'."""

from typing import Any

import frappe

from erp_forecast_addon.permissions import check_company
from erp_forecast_addon.setup.company_rows import ROW, SETTINGS

_HIDDEN = ("name", "owner", "creation", "modified", "modified_by", "docstatus", "idx", "doctype")


@frappe.whitelist(methods=["GET", "POST"])
def company_settings(company: str) -> dict[str, Any]:
    """The company's row of Forecast Settings, {} without one. Frappe itself shows the whole record or nothing."""
    check_company(company, SETTINGS)
    name = frappe.db.get_value(ROW, {"parent": SETTINGS, "company": company})
    row = frappe.get_doc(ROW, name).as_dict(no_default_fields=True) if name else {}
    return {field: value for field, value in row.items() if field not in _HIDDEN and not field.startswith("parent")}
