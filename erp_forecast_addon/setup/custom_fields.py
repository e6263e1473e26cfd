"""The fields that this app adds to ERPNext's forms, made and removed."""

from typing import Any

import frappe
from frappe.custom.doctype.custom_field.custom_field import create_custom_fields

from erp_forecast_addon.setup.names import MODULE
from erp_forecast_addon.setup.our_fields import AT_THE_END, FIELDS, LAYOUT


def ensure_custom_fields() -> None:
    """Create our fields, or bring them to this version's definition; what a site moved stays where it put it.

    A site's own field of the same name stays its own: we neither change nor remove it.
    """
    for doctype, fields in FIELDS:
        theirs = _of_the_site(doctype)
        placed = [field for field in _placed(doctype, fields) if field["fieldname"] not in theirs]
        create_custom_fields({doctype: [{**field, "module": MODULE} for field in placed]})


def remove_custom_fields() -> None:
    """Delete our fields and their columns."""
    for doctype, fields in FIELDS:
        theirs = _of_the_site(doctype)
        ours = [field for field in fields if field["fieldname"] not in theirs]
        for field in ours:
            frappe.delete_doc(
                "Custom Field",
                f"{doctype}-{field['fieldname']}",
                ignore_permissions=True,
                ignore_missing=True,
                force=True,
            )
        frappe.clear_cache(doctype=doctype)
        _drop_columns(doctype, [field["fieldname"] for field in ours if field["fieldtype"] not in LAYOUT])


def _drop_columns(doctype: str, columns: list[str]) -> None:
    """Drop the columns (and with them their indexes) that Frappe leaves behind; not those of a form's own field."""
    meta = frappe.get_meta(doctype)
    for column in columns:
        if frappe.db.has_column(doctype, column) and not meta.has_field(column):
            frappe.db.sql_ddl(f"ALTER TABLE `tab{doctype}` DROP COLUMN `{column}`")
            frappe.cache.hdel("table_columns", f"tab{doctype}")


def _of_the_site(doctype: str) -> set[str]:
    """Custom Fields that the site made itself."""
    return set(frappe.get_all("Custom Field", filters={"dt": doctype, "module": ("!=", MODULE)}, pluck="fieldname"))


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
