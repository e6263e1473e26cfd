"""The fields that this app adds to ERPNext's forms."""

from typing import Any

import frappe
from frappe.custom.doctype.custom_field.custom_field import create_custom_fields

from erp_forecast_addon.setup.names import AUTO_MATERIAL_REQUEST, AUTO_PURCHASE_ORDER, MODULE

FORECAST_TAB = "forecast_tab"

# no_copy: a duplicate of an order is not our proposal any more; an amendment is, and Frappe keeps no_copy fields there.
_PURCHASE_ORDER_FIELDS: list[dict[str, Any]] = [
    {
        "fieldname": "auto_purchase_order",
        "label": "Auto Purchase Order",
        "fieldtype": "Link",
        "options": AUTO_PURCHASE_ORDER,
        "insert_after": "order_confirmation_date",
        "read_only": 1,
        "no_copy": 1,
        "print_hide": 1,
        "search_index": 1,
        "ignore_user_permissions": 1,
        "module": MODULE,
    }
]

_MATERIAL_REQUEST_FIELDS: list[dict[str, Any]] = [
    {
        "fieldname": "auto_material_request",
        "label": "Auto Material Request",
        "fieldtype": "Link",
        "options": AUTO_MATERIAL_REQUEST,
        "insert_after": "schedule_date",
        "read_only": 1,
        "no_copy": 1,
        "print_hide": 1,
        "search_index": 1,
        "ignore_user_permissions": 1,
        "module": MODULE,
    }
]

# Whose stock counts, and who supplies whom.
_WAREHOUSE_FIELDS: list[dict[str, Any]] = [
    {
        "fieldname": "planning_section",
        "label": "Planning",
        "fieldtype": "Section Break",
        "insert_after": "is_rejected_warehouse",
        "module": MODULE,
    },
    {
        "fieldname": "exclude_from_planning",
        "label": "Leave Out of Planning",
        "fieldtype": "Check",
        "insert_after": "planning_section",
        "description": "Its stock counts nowhere and nothing is ordered for it, such as quarantine. A group leaves out "
        "every warehouse below it.",
        "module": MODULE,
    },
    {
        "fieldname": "planning_group",
        "label": "Planning Group",
        "fieldtype": "Data",
        "insert_after": "exclude_from_planning",
        "description": "Warehouses with the same word here help each other out with what they have too much of.",
        "module": MODULE,
    },
    {
        "fieldname": "column_break_planning",
        "fieldtype": "Column Break",
        "insert_after": "planning_group",
        "module": MODULE,
    },
    {
        "fieldname": "supplying_warehouse",
        "label": "Supplying Warehouse",
        "fieldtype": "Link",
        "options": "Warehouse",
        "insert_after": "column_break_planning",
        "ignore_user_permissions": 1,
        "description": "What this warehouse needs is asked of that one instead of being bought.",
        "module": MODULE,
    },
    {
        "fieldname": "transfer_days",
        "label": "Transfer Takes (Days)",
        "fieldtype": "Float",
        "insert_after": "supplying_warehouse",
        "description": "From the supplying warehouse. 0: as Forecast Settings say for the company.",
        "module": MODULE,
    },
]

# Beside the day on which an item ends: who takes over then.
_SUCCESSION_FIELDS: list[dict[str, Any]] = [
    {
        "fieldname": "replaced_by",
        "label": "Replaced By",
        "fieldtype": "Link",
        "options": "Item",
        "insert_after": "end_of_life",
        "no_copy": 1,
        "print_hide": 1,
        "ignore_user_permissions": 1,
        "description": "The item that takes its place: it is forecast with this item's demand as its own history.",
        "module": MODULE,
    }
]

_ITEM_FIELDS: list[dict[str, Any]] = [
    {
        "fieldname": FORECAST_TAB,
        "label": "Forecast",
        "fieldtype": "Tab Break",
        "depends_on": 'eval:!doc.__islocal && frappe.model.can_read("Demand Forecast")',
        "module": MODULE,
    },
    {
        "fieldname": "forecast_html",
        "label": "Forecast",
        "fieldtype": "HTML",
        "insert_after": FORECAST_TAB,
        "module": MODULE,
    },
]

# Whose the Planning Exceptions of an item, an item group or a supplier are.
_OWNER_FIELDS: dict[str, list[dict[str, Any]]] = {
    doctype: [
        {
            "fieldname": fieldname,
            "label": label,
            "fieldtype": "Link",
            "options": "User",
            "insert_after": after,
            "print_hide": 1,
            "ignore_user_permissions": 1,
            "description": description,
            "module": MODULE,
        }
    ]
    for doctype, fieldname, label, after, description in (
        ("Item", "forecast_planner", "Planner", "lead_time_days", "Gets the Planning Exceptions of the item."),
        (
            "Item Group",
            "forecast_planner",
            "Planner",
            "is_group",
            "Gets the Planning Exceptions of items in this group and below it that name no planner.",
        ),
        ("Supplier", "forecast_buyer", "Buyer", "supplier_group", "Gets the Planning Exceptions of the supplier."),
    )
}
# Weights ERPNext has; how much room a unit takes it does not.
_VOLUME_FIELDS: list[dict[str, Any]] = [
    {
        "fieldname": "volume_per_unit",
        "label": "Volume Per Unit",
        "fieldtype": "Float",
        "insert_after": "weight_uom",
        "non_negative": 1,
        "description": "Of a stock unit, in the unit that Volume of a Truck is given in at the supplier.",
        "module": MODULE,
    }
]

_SUPPLIER_FIELDS: list[dict[str, Any]] = [
    {"fieldname": "order_terms_section", "label": "Order Terms", "fieldtype": "Section Break", "collapsible": 1},
    {
        "fieldname": "min_order_amount",
        "label": "Minimum Order Amount",
        "fieldtype": "Currency",
        "options": "min_order_currency",
        "non_negative": 1,
        "description": "Of one order, before taxes. 0: none.",
    },
    {
        "fieldname": "min_order_currency",
        "label": "Currency of the Minimum",
        "fieldtype": "Link",
        "options": "Currency",
        "description": "Empty: the supplier's billing currency, else the company's.",
    },
    {
        "fieldname": "ship_to_rule",
        "label": "Orders Ship To",
        "fieldtype": "Select",
        "options": "\nJoined\nPer Warehouse",
        "description": "Joined: one order for all warehouses. Per Warehouse: one each. Empty: see Forecast Settings.",
    },
    {
        "fieldname": "payment_days",
        "label": "Paid After Delivery (Days)",
        "fieldtype": "Int",
        "non_negative": 1,
        "description": "For the limit of payments per week in Forecast Settings.",
    },
    {"fieldname": "order_days_column", "fieldtype": "Column Break"},
    {
        "fieldname": "order_weekdays",
        "label": "Takes Orders On",
        "fieldtype": "Data",
        "description": "Weekdays in English, such as Monday, Thursday. Empty: any day.",
    },
    {
        "fieldname": "supplier_holiday_list",
        "label": "Holiday List",
        "fieldtype": "Link",
        "options": "Holiday List",
        "description": "On these days he neither takes orders nor delivers.",
    },
    {"fieldname": "truck_column", "fieldtype": "Column Break"},
    {
        "fieldname": "truck_weight",
        "label": "Weight of a Full Truck or Container",
        "fieldtype": "Float",
        "non_negative": 1,
        "description": "0: weight does not count. Items tell theirs as Weight Per Unit.",
    },
    {"fieldname": "truck_weight_uom", "label": "Unit of That Weight", "fieldtype": "Link", "options": "UOM"},
    {
        "fieldname": "truck_volume",
        "label": "Volume of a Full Truck or Container",
        "fieldtype": "Float",
        "non_negative": 1,
        "description": "0: volume does not count. Items tell theirs as Volume Per Unit.",
    },
    {
        "fieldname": "truck_qty",
        "label": "Stock Units of a Full Truck or Container",
        "fieldtype": "Float",
        "non_negative": 1,
    },
    {
        "fieldname": "truck_fill_pct",
        "label": "The Last Truck Is Filled to at Least (%)",
        "fieldtype": "Percent",
        "non_negative": 1,
        "description": "0: trucks may leave with any load.",
    },
]
_SUPPLIER_FIELDS = [{**field, "module": MODULE} for field in _SUPPLIER_FIELDS]
_LAYOUT = ("Section Break", "Column Break", "Tab Break", "HTML")

COLUMNS = (
    ("Purchase Order", "auto_purchase_order"),
    ("Item", "replaced_by"),
    ("Item", "forecast_planner"),
    ("Item Group", "forecast_planner"),
    ("Supplier", "forecast_buyer"),
    ("Item", "volume_per_unit"),
    *(("Supplier", field["fieldname"]) for field in _SUPPLIER_FIELDS if field["fieldtype"] not in _LAYOUT),
    ("Material Request", "auto_material_request"),
    ("Warehouse", "exclude_from_planning"),
    ("Warehouse", "planning_group"),
    ("Warehouse", "supplying_warehouse"),
    ("Warehouse", "transfer_days"),
)
_ALL = (
    ("Purchase Order", _PURCHASE_ORDER_FIELDS),
    ("Item", _SUCCESSION_FIELDS),
    *_OWNER_FIELDS.items(),
    ("Item", _VOLUME_FIELDS),
    ("Item", _ITEM_FIELDS),
    ("Supplier", _SUPPLIER_FIELDS),
    ("Material Request", _MATERIAL_REQUEST_FIELDS),
    ("Warehouse", _WAREHOUSE_FIELDS),
)


def ensure_custom_fields() -> None:
    """Create our fields, or bring them to this version's definition; what a site moved stays where it put it."""
    create_custom_fields({"Purchase Order": _kept_in_place("Purchase Order", _PURCHASE_ORDER_FIELDS)})
    create_custom_fields({"Item": _kept_in_place("Item", _SUCCESSION_FIELDS)})
    create_custom_fields({doctype: _kept_in_place(doctype, fields) for doctype, fields in _OWNER_FIELDS.items()})
    create_custom_fields({"Item": _kept_in_place("Item", _VOLUME_FIELDS)})
    create_custom_fields({"Item": _kept_in_place("Item", _at_the_end("Item", _ITEM_FIELDS))})
    create_custom_fields({"Supplier": _kept_in_place("Supplier", _after("language", _SUPPLIER_FIELDS))})
    create_custom_fields({"Material Request": _kept_in_place("Material Request", _MATERIAL_REQUEST_FIELDS)})
    create_custom_fields({"Warehouse": _kept_in_place("Warehouse", _WAREHOUSE_FIELDS)})


def remove_custom_fields() -> None:
    """Delete our fields and their columns."""
    for doctype, fields in _ALL:
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
    for doctype, column in COLUMNS:
        if frappe.db.has_column(doctype, column):
            frappe.db.sql_ddl(f"ALTER TABLE `tab{doctype}` DROP COLUMN `{column}`")
            frappe.cache.hdel("table_columns", f"tab{doctype}")


def _at_the_end(doctype: str, fields: list[dict[str, Any]]) -> list[dict[str, Any]]:
    ours = {field["fieldname"] for field in fields}
    last = [field.fieldname for field in frappe.get_meta(doctype).fields if field.fieldname not in ours][-1]
    return [{**fields[0], "insert_after": last}, *fields[1:]]


def _after(fieldname: str, fields: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One below the other, the first after `fieldname`."""
    above = [fieldname, *(field["fieldname"] for field in fields)]
    return [{**field, "insert_after": place} for field, place in zip(fields, above, strict=False)]


def _kept_in_place(doctype: str, fields: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Without insert_after for fields that stand already, so that a migrate moves nothing."""
    standing = set(frappe.get_all("Custom Field", filters={"dt": doctype}, pluck="fieldname"))
    return [
        {key: value for key, value in field.items() if key != "insert_after" or field["fieldname"] not in standing}
        for field in fields
    ]
