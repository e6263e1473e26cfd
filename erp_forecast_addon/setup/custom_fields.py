"""The fields that this app adds to ERPNext's forms, made and removed."""

from typing import Any

import frappe
from frappe.custom.doctype.custom_field.custom_field import create_custom_fields

from erp_forecast_addon.setup.names import MODULE
from erp_forecast_addon.setup.our_fields import AT_THE_END, FIELDS, LAYOUT


def ensure_custom_fields() -> None:
    """Create our fields, or bring them to this version's definition; what a site moved stays where it put it."""
    for doctype, fields in FIELDS:
        create_custom_fields({doctype: [{**field, "module": MODULE} for field in _placed(doctype, fields)]})


def remove_custom_fields() -> None:
    """Delete our fields and their columns."""
    for doctype, fields in FIELDS:
        for field in fields:
            frappe.delete_doc(
                "Custom Field",
                f"{doctype}-{field['fieldname']}",
                ignore_permissions=True,
                ignore_missing=True,
                force=True,
            )
        frappe.clear_cache(doctype=doctype)
    drop_columns()


def drop_columns() -> None:
    """Drop the columns (and with them their indexes) that Frappe leaves behind."""
    for doctype, fields in FIELDS:
        for column in (field["fieldname"] for field in fields if field["fieldtype"] not in LAYOUT):
            if frappe.db.has_column(doctype, column):
                frappe.db.sql_ddl(f"ALTER TABLE `tab{doctype}` DROP COLUMN `{column}`")
                frappe.cache.hdel("table_columns", f"tab{doctype}")


def _placed(doctype: str, fields: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Where they stand on the form; without a place for fields that stand already, so that a migrate moves nothing."""
    standing = set(frappe.get_all("Custom Field", filters={"dt": doctype}, pluck="fieldname"))
    ours = {field["fieldname"] for field in fields}
    last = [field.fieldname for field in frappe.get_meta(doctype).fields if field.fieldname not in ours][-1]
    return [
        {key: last if value == AT_THE_END else value for key, value in field.items()
         if key != "insert_after" or field["fieldname"] not in standing}
        for field in fields
    ]  # fmt: skip
