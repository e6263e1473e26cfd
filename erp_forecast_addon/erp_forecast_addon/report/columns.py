"""Columns as Frappe's script reports want them."""

from typing import Any

import frappe


def column(fieldname: str, label: str, fieldtype: str, width: int, options: str | None = None) -> dict[str, Any]:
    """width: pixels. options: of a Link its DocType, of a Currency the field that names it."""
    # Frappe refuses the whole report over a link that the user may not follow; without the link it is a text.
    if fieldtype == "Link" and not frappe.has_permission(options, "read"):
        fieldtype, options = "Data", None
    return {"fieldname": fieldname, "label": label, "fieldtype": fieldtype, "width": width, "options": options}
