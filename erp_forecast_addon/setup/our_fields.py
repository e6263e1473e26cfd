"""The definitions of the fields that this app adds to ERPNext's forms; custom_fields makes and removes them."""

from typing import Any

from erp_forecast_addon.setup.names import AUTO_MATERIAL_REQUEST, AUTO_PURCHASE_ORDER

# A field is put below this one, whatever the form's last is.
AT_THE_END = "at the end"
LAYOUT = ("Section Break", "Column Break", "Tab Break", "HTML")

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
    }
]

# Whose stock counts, and who supplies whom. Below the last field of its section, so that all of it keeps its heading.
_WAREHOUSE_FIELDS: list[dict[str, Any]] = [
    {
        "fieldname": "planning_section",
        "label": "Planning",
        "fieldtype": "Section Break",
        "insert_after": "company",
    },
    {
        "fieldname": "exclude_from_planning",
        "label": "Leave Out of Planning",
        "fieldtype": "Check",
        "insert_after": "planning_section",
        "description": "Its stock counts nowhere and nothing is ordered for it, such as quarantine. A group leaves out "
        "every warehouse below it.",
    },
    {
        "fieldname": "planning_group",
        "label": "Planning Group",
        "fieldtype": "Data",
        "insert_after": "exclude_from_planning",
        "description": "Warehouses with the same word here help each other out with what they have too much of.",
    },
    {
        "fieldname": "column_break_planning",
        "fieldtype": "Column Break",
        "insert_after": "planning_group",
    },
    {
        "fieldname": "supplying_warehouse",
        "label": "Supplying Warehouse",
        "fieldtype": "Link",
        "options": "Warehouse",
        "insert_after": "column_break_planning",
        "ignore_user_permissions": 1,
        "description": "What this warehouse needs is asked of that one instead of being bought.",
    },
    {
        "fieldname": "transfer_days",
        "label": "Transfer Takes (Days)",
        "fieldtype": "Float",
        "insert_after": "supplying_warehouse",
        "description": "From the supplying warehouse. 0: as Forecast Settings say for the company.",
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
    }
]

_ITEM_FIELDS: list[dict[str, Any]] = [
    {
        "fieldname": "forecast_tab",
        "label": "Forecast",
        "fieldtype": "Tab Break",
        "insert_after": AT_THE_END,
        "depends_on": 'eval:!doc.__islocal && frappe.model.can_read("Demand Forecast")',
    },
    {
        "fieldname": "forecast_html",
        "label": "Forecast",
        "fieldtype": "HTML",
        "insert_after": "forecast_tab",
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


def _after(fieldname: str, fields: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One below the other, the first after `fieldname`."""
    above = [fieldname, *(field["fieldname"] for field in fields)]
    return [{**field, "insert_after": place} for field, place in zip(fields, above, strict=False)]


# In this order: a field may stand below one of ours.
FIELDS: tuple[tuple[str, list[dict[str, Any]]], ...] = (
    ("Purchase Order", _PURCHASE_ORDER_FIELDS),
    ("Item", _SUCCESSION_FIELDS),
    *_OWNER_FIELDS.items(),
    ("Item", _VOLUME_FIELDS),
    ("Item", _ITEM_FIELDS),
    ("Supplier", _after("language", _SUPPLIER_FIELDS)),
    ("Material Request", _MATERIAL_REQUEST_FIELDS),
    ("Warehouse", _WAREHOUSE_FIELDS),
)
