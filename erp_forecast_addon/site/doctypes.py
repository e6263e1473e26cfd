"""Every table that a site has, with its columns: ours read from the DocType JSONs, ERPNext's from schema.py.

The embedded site makes its tables from here; both sites type the results of their queries by it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Final

from erp_forecast_addon.site import schema

# The unique indexes of ours, besides the primary key. Bulk writes update the row with the same key.
UNIQUE_KEYS: Final[dict[str, tuple[str, ...]]] = {
    "Demand Bucket": ("item_code", "warehouse", "day"),
    "Demand Pair": ("item_code", "warehouse"),
    "Demand Forecast": ("item_code", "warehouse"),
    "Safety Stock Policy": ("item_code", "warehouse"),
    "Forecast Snapshot": ("item_code", "warehouse", "week_start"),
    "Forecast Accuracy": ("item_code", "warehouse"),
    "Forecast Accuracy Week": ("warehouse", "demand_class", "lag_weeks", "week_start"),
    "Forecast State": ("company", "kind", "part"),
    "Supplier Lead Time": ("company", "supplier", "item_code"),
    "Driver Uplift": ("company", "driver", "group_name"),
    "Order Approval Time": ("purchase_order",),
    "Order Dispatch": ("purchase_order", "version", "channel"),
}
# Plain indexes of ours. v16 sites have none on modified of ERPNext's tables; the demand refresh reads by it.
INDEXES: Final[dict[str, tuple[tuple[str, ...], ...]]] = {
    "Forecast Snapshot": (("company", "week_start"),),
    "Stock Ledger Entry": (("modified",),),
    "Bin": (("modified",),),
}
# What the embedded site needs besides, to read as fast as MariaDB does with ERPNext's own indexes.
EMBEDDED_INDEXES: Final[dict[str, tuple[tuple[str, ...], ...]]] = {
    "Stock Ledger Entry": (("item_code", "warehouse"),),
    "Bin": (("item_code", "warehouse"),),
    "Item Price": (("item_code",),),
    "Purchase Order": (("auto_purchase_order",),),
    "Material Request": (("auto_material_request",),),
}

_LAYOUT: Final = frozenset({"Section Break", "Column Break", "Tab Break", "HTML", "Button", "Heading", "Fold", "Image"})
_TABLES: Final = frozenset({"Table", "Table MultiSelect"})
_KINDS: Final = {
    "Float": "number", "Currency": "number", "Percent": "number", "Duration": "number", "Rating": "number",
    "Int": "integer", "Check": "integer", "Long Int": "integer",
    "Date": "day", "Datetime": "moment",
}  # fmt: skip
_STANDARD: Final = {
    "name": "text", "creation": "moment", "modified": "moment", "modified_by": "text", "owner": "text",
    "docstatus": "integer", "idx": "integer",
}  # fmt: skip
_CHILD: Final = {"parent": "text", "parentfield": "text", "parenttype": "text"}
SINGLES_TABLE: Final = "Singles"


@dataclass(frozen=True)
class DocType:
    """columns: fieldname -> number | integer | day | moment | text, standard columns included; links: fieldname ->
    linked DocType; children: table field -> child DocType; defaults: fieldname -> what a new document starts with;
    counted: names are integers in sequence; labels: fieldname -> label, of our DocTypes.
    """

    name: str
    columns: Mapping[str, str]
    links: Mapping[str, str] = field(default_factory=dict)
    children: Mapping[str, str] = field(default_factory=dict)
    defaults: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    is_child: bool = False
    is_single: bool = False
    counted: bool = False
    ours: bool = False


def doctype(name: str) -> DocType:
    """Raises KeyError with a sentence when neither we nor schema.py know the DocType."""
    known = all_doctypes()
    if name not in known:
        raise KeyError(f"The DocType {name} stands neither in site/schema.py nor among our own DocTypes.")
    return known[name]


def kind_of_fieldtype(fieldtype: str) -> str:
    return _KINDS.get(fieldtype, "text")


@cache
def all_doctypes() -> Mapping[str, DocType]:
    return {**_of_erpnext(), **our_doctypes()}


@cache
def our_doctypes() -> Mapping[str, DocType]:
    """Our DocTypes, from the JSONs inside the package."""
    folder = resources.files("erp_forecast_addon").joinpath("erp_forecast_addon").joinpath("doctype")
    found = {}
    for entry in sorted(folder.iterdir(), key=lambda each: each.name):
        source = entry.joinpath(f"{entry.name}.json")
        if source.is_file():
            made = _from_json(json.loads(source.read_text(encoding="utf-8")))
            found[made.name] = made
    return found


def _from_json(source: Mapping[str, object]) -> DocType:
    fields: list[dict[str, str]] = source["fields"]  # type: ignore[assignment]
    stored = [each for each in fields if each["fieldtype"] not in _LAYOUT | _TABLES]
    is_child, counted = bool(source.get("istable")), source.get("autoname") == "autoincrement"
    columns = _columns({each["fieldname"]: each["fieldtype"] for each in stored}, is_child)
    if counted:
        columns["name"] = "integer"
    return DocType(
        name=str(source["name"]),
        columns=columns,
        links={each["fieldname"]: each["options"] for each in stored if each["fieldtype"] == "Link"},
        children={each["fieldname"]: each["options"] for each in fields if each["fieldtype"] in _TABLES},
        defaults={each["fieldname"]: str(each["default"]) for each in stored if each.get("default") is not None},
        labels={each["fieldname"]: each.get("label", "") for each in stored},
        is_child=is_child,
        is_single=bool(source.get("issingle")),
        counted=counted,
        ours=True,
    )


def _of_erpnext() -> dict[str, DocType]:
    found = {}
    for name, read in {**schema.READ, **schema.READ_ON_SITE, **schema.READ_V16}.items():
        fields = {**read, **schema.CUSTOM_FIELDS.get(name, {})}
        is_child = name in schema.CHILDREN
        found[name] = DocType(
            name=name,
            columns=_columns({fieldname: typed.partition("/")[0] for fieldname, typed in fields.items()}, is_child),
            links={f: typed.partition("/")[2] for f, typed in fields.items() if typed.startswith("Link/")},
            children=schema.CHILD_TABLES.get(name, {}),
            defaults=schema.DEFAULTS.get(name, {}),
            is_child=is_child,
            is_single=name in schema.SINGLES,
        )
    return found


def _columns(fieldtypes: Mapping[str, str], is_child: bool) -> dict[str, str]:
    own = {fieldname: kind_of_fieldtype(fieldtype) for fieldname, fieldtype in fieldtypes.items()}
    return {**_STANDARD, **(_CHILD if is_child else {}), **own}


# ---- SQLite ------------------------------------
_SQLITE_TYPES: Final = {"number": "REAL", "integer": "INTEGER", "day": "TEXT", "moment": "TEXT", "text": "TEXT"}


def sqlite_ddl() -> list[str]:
    """The statements that make every table and index of an embedded site."""
    statements = ['CREATE TABLE "tabSingles" (doctype TEXT, field TEXT, value TEXT, PRIMARY KEY (doctype, field))']
    for each in all_doctypes().values():
        if not each.is_single:
            statements.append(_create_table(each))
            statements.extend(_create_indexes(each))
    return statements


def _create_table(made: DocType) -> str:
    columns = ", ".join(_column_ddl(made, column, kind) for column, kind in made.columns.items())
    return f'CREATE TABLE "tab{made.name}" ({columns})'


def _column_ddl(made: DocType, column: str, kind: str) -> str:
    if column == "name":
        return f'"name" {_SQLITE_TYPES[kind]} PRIMARY KEY NOT NULL'
    ddl = f'"{column}" {_SQLITE_TYPES[kind]}'
    default = made.defaults.get(column)
    if kind in ("number", "integer"):  # Frappe has no missing numbers either
        return f"{ddl} NOT NULL DEFAULT {default or 0}"
    quoted = (default or "").replace("'", "''")
    return f"{ddl} DEFAULT '{quoted}'" if default else ddl


def _create_indexes(made: DocType) -> list[str]:
    plain = [*INDEXES.get(made.name, ()), *EMBEDDED_INDEXES.get(made.name, ())]
    if made.is_child:
        plain.append(("parent",))
    statements = [_create_index("INDEX", made.name, columns) for columns in plain]
    if made.name in UNIQUE_KEYS:
        statements.append(_create_index("UNIQUE INDEX", made.name, UNIQUE_KEYS[made.name]))
    return statements


def _create_index(what: str, doctype_name: str, columns: tuple[str, ...]) -> str:
    named, listed = f"{doctype_name} {' '.join(columns)}", ", ".join(f'"{column}"' for column in columns)
    return f'CREATE {what} "{named}" ON "tab{doctype_name}" ({listed})'
