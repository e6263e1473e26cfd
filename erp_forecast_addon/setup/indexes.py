"""Indexes of ours: the unique keys of our tables, and what the demand refresh needs on ERPNext's.

Written as DDL: `frappe.db.add_unique` asks information_schema without naming the schema, so a second site of the same
server would be taken for this one, and `frappe.db.add_index` leaves a Property Setter behind.
"""

from collections.abc import Iterator, Sequence

import frappe

from erp_forecast_addon.site.doctypes import INDEXES, UNIQUE_KEYS

_PREFIX = "forecast_addon_"


def ensure_indexes() -> None:
    """Create what is missing. Creating an index commits, as every DDL of MariaDB does."""
    for doctype, columns in UNIQUE_KEYS.items():
        _create(doctype, columns, unique=True)
    for doctype, columns in _on_erpnext_tables():
        if not _served(doctype, columns):
            _create(doctype, columns, unique=False)


def drop_indexes() -> None:
    """Drop our indexes on ERPNext's tables; those of our own tables go with the tables."""
    for doctype, columns in _on_erpnext_tables():
        if frappe.db.has_index(f"tab{doctype}", _name(columns)):
            frappe.db.sql_ddl(f"ALTER TABLE `tab{doctype}` DROP INDEX `{_name(columns)}`")


def _create(doctype: str, columns: Sequence[str], *, unique: bool) -> None:
    if frappe.db.has_index(f"tab{doctype}", _name(columns)):
        return
    listed = ", ".join(f"`{column}`" for column in columns)
    kind = "UNIQUE INDEX" if unique else "INDEX"
    frappe.db.sql_ddl(f"ALTER TABLE `tab{doctype}` ADD {kind} `{_name(columns)}` ({listed})")


def _served(doctype: str, columns: Sequence[str]) -> bool:
    """Whether an index of the site starts with these columns already."""
    found: dict[str, dict[int, str]] = {}
    for row in frappe.db.sql(f"SHOW INDEX FROM `tab{doctype}`", as_dict=True):
        found.setdefault(row.Key_name, {})[row.Seq_in_index] = row.Column_name
    leading = [tuple(by_place[place] for place in sorted(by_place))[: len(columns)] for by_place in found.values()]
    return tuple(columns) in leading


def _on_erpnext_tables() -> Iterator[tuple[str, tuple[str, ...]]]:
    for doctype, indexes in INDEXES.items():
        for columns in indexes:
            yield doctype, columns


def _name(columns: Sequence[str]) -> str:
    return _PREFIX + "_".join(columns)
