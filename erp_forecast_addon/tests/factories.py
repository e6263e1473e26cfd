"""Records for bench tests, made quickly: a company of its own with suppliers, items, prices, stock and sales.

Everything belongs to the company "Forecast Shop" and the item and supplier groups of that name, so that `clear()` can
take away exactly what tests made. Ledger entries are written in bulk, without vouchers; what people act on (Items,
Purchase Orders) goes through documents.

Tests commit, as runs do, and a run of the tests may be killed anywhere: whoever opens a `BenchShop` finds it as new
whatever was left.
"""

from collections.abc import Mapping
from typing import Any

import frappe
import pandas as pd
from frappe.tests.utils import FrappeTestCase

from erp_forecast_addon.setup.our_fields import LAYOUT
from erp_forecast_addon.site.frappe_site import FrappeSite
from erp_forecast_addon.tests.shop import Shop

GROUP = "Forecast Shop"
SHOPS = ("Forecast Shop", "Forecast Second Shop")
_OF_COMPANY = (
    "Auto Material Request", "Material Request", "Auto Purchase Order", "Purchase Order", "Planning Exception",
    "Demand Forecast", "Safety Stock Policy",
    "Stock Ledger Entry", "Forecast Run", "Forecast Snapshot", "Forecast Accuracy", "Forecast Accuracy Week",
    "Forecast State", "Driver Uplift", "Supplier Lead Time", "Order Approval Time", "Level Change", "Level Change Set",
    "Reorder Level Backup", "Order Edit", "Planning Snooze", "Approval Delegation", "Purchase Receipt", "Planning Rule",
    "BOM", "Pricing Rule",
)  # fmt: skip
_CHILDREN = {
    "Auto Material Request": ("Auto Material Request Item",), "Material Request": ("Material Request Item",),
    "Auto Purchase Order": ("Auto Purchase Order Item",), "Forecast Run": ("Forecast Run Step",),
    "Purchase Receipt": ("Purchase Receipt Item",), "BOM": ("BOM Item", "BOM Explosion Item"),
    "Pricing Rule": ("Pricing Rule Item Code",),
    "Purchase Order": ("Purchase Order Item", "Purchase Taxes and Charges", "Payment Schedule"),
}  # fmt: skip
_OF_ITEM = (
    ("Item Price", "item_code"), ("Item Default", "parent"), ("Item Reorder", "parent"), ("Item Supplier", "parent"),
)  # fmt: skip
# A warehouse that is planned and has no place in a network.
NETWORK = {"exclude_from_planning": 0, "supplying_warehouse": None, "planning_group": None, "transfer_days": 0}
# What tests change of the masters that they share.
_AT_FIRST: dict[str, dict[str, Any]] = {
    "Item": {
        "disabled": 0, "default_bom": None, "default_material_request_type": "Purchase", "lead_time_days": 0,
        "safety_stock": 0, "min_order_qty": 0, "shelf_life_in_days": 0, "purchase_uom": None, "replaced_by": None,
    },
    "Supplier": {
        "is_frozen": 0, "on_hold": 0, "hold_type": "", "min_order_amount": 0, "order_weekdays": "", "ship_to_rule": "",
        "supplier_holiday_list": None,
    },
    "Warehouse": {"disabled": 0, **NETWORK},
}  # fmt: skip
_OF_WAREHOUSE = ("Bin", "Demand Bucket", "Demand Pair", "Demand Mark")


def company(name: str = "Forecast Shop", abbr: str = "FSHOP", currency: str = "USD") -> str:
    """A company with ERPNext's own chart and warehouses; made once, as that takes seconds."""
    if not frappe.db.exists("Company", name):
        frappe.get_doc({
            "doctype": "Company", "company_name": name, "abbr": abbr, "default_currency": currency,
            "country": "United States",
        }).insert()  # fmt: skip
        frappe.db.commit()
    return name


def warehouse(company_name: str, name: str = "Stores", **values: Any) -> str:
    """A warehouse of the company; values: other fields (is_group, parent_warehouse, disabled)."""
    abbr = frappe.db.get_value("Company", company_name, "abbr")
    full = f"{name} - {abbr}"
    if not frappe.db.exists("Warehouse", full):
        frappe.get_doc({"doctype": "Warehouse", "warehouse_name": name, "company": company_name, **values}).insert()
    elif values:
        frappe.db.set_value("Warehouse", full, values)
    return full


def settings(company_name: str, approvers: Mapping[str, float] | None = None, **values: Any) -> None:
    """Set fields of the company's row of Forecast Settings; made, enabled and ordered by us, if missing.

    approvers: user -> limit; None leaves the company's as they are.
    """
    document = frappe.get_doc("Forecast Settings")
    document.enabled = 1
    if approvers is not None:
        others = [each for each in document.order_approvers if each.company != company_name]
        document.set("order_approvers", others)
        for user, limit in approvers.items():
            document.append("order_approvers", {"company": company_name, "user": user, "approval_limit": limit})
    row = next((each for each in document.companies if each.company == company_name), None)
    if row is None:
        row = document.append("companies", {"company": company_name, "who_orders": "Forecast Addon", "enabled": 1})
    row.update(values)
    document.flags.ignore_permissions = True
    document.save()


def _as_at_first() -> dict[str, Any]:
    """Every field of a company's row with its default, so that no test leaves the next one a setting."""
    fields = frappe.get_meta("Forecast Company Settings").fields
    return {
        field.fieldname: field.default
        for field in fields
        if field.fieldtype not in LAYOUT and not field.read_only and field.fieldname != "company"
    }


# Company -> Forecast Settings as they stood when a shop was opened with them; saving them anew takes a while.
_settled: dict[str, Any] = {}


def _settings_as_stored() -> tuple[Any, ...]:
    """Forecast Settings and their rows, with the time of their last change."""
    rows = [
        frappe.get_all(doctype, fields=["name", "modified"], order_by="name", as_list=True)
        for doctype in ("Forecast Company Settings", "Order Approver")
    ]
    return (frappe.db.get_singles_dict("Forecast Settings").get("modified"), *rows)


def supplier(name: str, **values: Any) -> str:
    group = _group("Supplier Group", "supplier_group_name", "All Supplier Groups")
    return _keep("Supplier", name, {"supplier_name": name, "supplier_group": group, **values})


def item(item_code: str, **values: Any) -> str:
    group = _group("Item Group", "item_group_name", "All Item Groups")
    return _keep("Item", item_code, {
        "item_code": item_code, "item_name": item_code, "item_group": group, "stock_uom": "Nos", "is_stock_item": 1,
        "is_purchase_item": 1, "disabled": 0, "min_order_qty": 0, **values,
    })  # fmt: skip


def price(item_code: str, supplier_name: str, rate: float, currency: str | None = None, uom: str | None = None) -> str:
    """A buying price of one supplier, in the price list of the currency (made if missing)."""
    wanted = currency or "USD"
    price_list = frappe.db.get_value("Price List", {"buying": 1, "enabled": 1, "currency": wanted})
    if not price_list:
        frappe.db.set_value("Currency", wanted, "enabled", 1)
        price_list = frappe.get_doc({
            "doctype": "Price List", "price_list_name": f"Buying {wanted}", "buying": 1, "enabled": 1,
            "currency": wanted,
        }).insert().name  # fmt: skip
    document = frappe.get_doc({
        "doctype": "Item Price", "item_code": item_code, "price_list": price_list, "buying": 1,
        "supplier": supplier_name, "price_list_rate": rate, "uom": uom or "Nos",
    })  # fmt: skip
    return str(document.insert().name)


def stock(item_code: str, warehouse_name: str, qty: float, rate: float = 5.0) -> None:
    """What stands on the shelf, in the Bin alone."""
    name = frappe.db.get_value("Bin", {"item_code": item_code, "warehouse": warehouse_name})
    values = {"actual_qty": qty, "projected_qty": qty, "valuation_rate": rate, "stock_value": qty * rate}
    if name:
        frappe.db.set_value("Bin", name, values)
    else:
        frappe.get_doc(
            {"doctype": "Bin", "item_code": item_code, "warehouse": warehouse_name, "stock_uom": "Nos", **values}
        ).db_insert()


def ledger(company_name: str, rows: pd.DataFrame) -> None:
    """Stock Ledger Entries in bulk; rows as in Shop.ledger. Each pair's Bin is set to where its last row leaves it."""
    noon = pd.to_timedelta(range(len(rows)), unit="s") + pd.Timedelta(hours=12)
    FrappeSite().insert_rows("Stock Ledger Entry", rows.assign(
        posting_datetime=rows["posting_date"] + noon, voucher_no="FORECAST-SHOP", company=company_name,
        is_cancelled=0, stock_uom="Nos", docstatus=1,
    ))  # fmt: skip
    last = rows.drop_duplicates(["item_code", "warehouse"], keep="last")
    for row in last.to_dict("records"):
        stock(row["item_code"], row["warehouse"], row["qty_after_transaction"])


def clear(company_name: str = "Forecast Shop") -> None:
    """Delete what tests made for the company; the company, its warehouses, items and suppliers stay, as at first."""
    houses = frappe.get_all("Warehouse", filters={"company": company_name}, pluck="name")
    for doctype in _OF_WAREHOUSE:
        frappe.db.delete(doctype, {"warehouse": ("in", houses)})
    for doctype in _OF_COMPANY:
        if children := _CHILDREN.get(doctype):
            names = frappe.get_all(doctype, filters={"company": company_name}, pluck="name")
            for child in children if names else ():
                frappe.db.delete(child, {"parent": ("in", names), "parenttype": doctype})
        frappe.db.delete(doctype, {"company": company_name})
    if items := frappe.get_all("Item", filters={"item_group": GROUP}, pluck="name"):
        for doctype, field in _OF_ITEM:
            frappe.db.delete(doctype, {field: ("in", items)})
    # Sets the fields and forgets every cached Item, Supplier and Warehouse.
    for doctype, ours in (("Item", {"item_group": GROUP}), ("Supplier", {"supplier_group": GROUP}),
                          ("Warehouse", {"company": company_name})):  # fmt: skip
        frappe.db.set_value(doctype, ours, _AT_FIRST[doctype])
    frappe.db.commit()


def take_away(doctype: str, name: str) -> None:
    """Delete a master that only cleared documents refer to, if it is there; looking for others takes a second."""
    for field in frappe.get_meta(doctype).get_table_fields():
        frappe.db.delete(field.options, {"parent": name, "parenttype": doctype})
    frappe.db.delete(doctype, {"name": name})
    frappe.clear_document_cache(doctype, name)


def _years_for_everybody() -> None:
    """Take back what is left of the test in which the fiscal years belong to one shop alone."""
    left = {"company": ("in", SHOPS)}
    if frappe.db.exists("Fiscal Year Company", left) or frappe.db.exists("Budget", left):
        for doctype in ("Fiscal Year Company", "Budget"):
            frappe.db.delete(doctype, left)
        frappe.db.commit()
        frappe.clear_cache()


def _group(doctype: str, field: str, root: str) -> str:
    if not frappe.db.exists(doctype, GROUP):
        frappe.get_doc({"doctype": doctype, field: GROUP, f"parent_{frappe.scrub(doctype)}": root}).insert()
    return GROUP


def _keep(doctype: str, name: str, values: dict[str, Any]) -> str:
    if frappe.db.exists(doctype, name):
        document = frappe.get_doc(doctype, name)
        if any(document.get(field) != value for field, value in values.items()):
            document.update(values)
            document.save()
    else:
        frappe.get_doc({"doctype": doctype, **values}).insert()
    return name


class BenchShop(Shop):
    """The shop of the scenarios on a live site, as new. It commits, as a run does; `clear()` takes away what it made.

    approvers: who may approve its orders up to which limit; none: whoever has the role, whatever the amount.
    """

    def __init__(
        self, name: str = "Forecast Shop", abbr: str = "FSHOP", approvers: Mapping[str, float] | None = None
    ) -> None:
        frappe.set_user("Administrator")
        _years_for_everybody()
        self.company = company(name, abbr)
        self.warehouse = warehouse(self.company)
        clear(self.company)
        self.site = FrappeSite()
        if approvers or _settled.get(self.company) != _settings_as_stored():
            settings(self.company, approvers or {}, **_as_at_first() | {
                "enabled": 1, "who_orders": "Forecast Addon", "draft_orders": 1, "policy_method": "Textbook",
                "level_band_pct": 0, "service_level_a_pct": 98, "rejected_for_days": 14,
            })  # fmt: skip
            frappe.db.commit()
            _settled[self.company] = None if approvers else _settings_as_stored()

    def settings(self, **values: Any) -> None:
        settings(self.company, **values)
        frappe.db.commit()

    def supplier(self, name: str, **values: Any) -> str:
        return supplier(name, **values)

    def item(self, item_code: str, **values: Any) -> str:
        return item(item_code, **values)

    def unit(self, name: str) -> str:
        if not frappe.db.exists("UOM", name):
            frappe.get_doc({"doctype": "UOM", "uom_name": name, "enabled": 1}).insert()
        return name

    def source(self, item_code: str, supplier: str, rate: float | None, lead_time_days: int | None = 5) -> None:
        document = frappe.get_doc("Item", item_code)
        document.lead_time_days = lead_time_days or 0
        document.set(
            "item_defaults",
            [
                {
                    "company": self.company,
                    "default_supplier": supplier,
                    "default_warehouse": self.warehouse,
                }
            ],
        )
        document.save()
        if rate is not None:
            self.price(item_code, supplier, rate)
        frappe.db.commit()

    def price(self, item_code: str, supplier: str, rate: float, currency: str | None = None) -> None:
        price(item_code, supplier, rate, currency)
        frappe.db.commit()

    def ledger(self, rows: pd.DataFrame) -> None:
        ledger(self.company, rows)
        frappe.db.commit()

    def edit_draft(self, purchase_order: str, item_code: str, qty: float) -> None:
        order = frappe.get_doc("Purchase Order", purchase_order)
        for row in [row for row in order.items if row.item_code == item_code]:
            if qty:
                row.qty = qty
            else:
                order.remove(row)
        order.save()
        frappe.db.commit()

    def delete_draft(self, purchase_order: str) -> None:
        frappe.delete_doc("Purchase Order", purchase_order)
        frappe.db.commit()

    def submit_draft(self, purchase_order: str) -> None:
        frappe.get_doc("Purchase Order", purchase_order).submit()
        frappe.db.commit()

    def submit_without_event(self, purchase_order: str) -> None:
        frappe.db.set_value("Purchase Order", purchase_order, {"docstatus": 1, "status": "To Receive and Bill"})
        frappe.db.set_value("Purchase Order Item", {"parent": purchase_order}, "docstatus", 1)
        frappe.db.commit()


class ShopTestCase(FrappeTestCase):
    """Each test finds the shop as new; what the last one made is taken away with the class."""

    def setUp(self) -> None:
        self.shop = BenchShop()

    def tearDown(self) -> None:
        frappe.set_user("Administrator")
        frappe.db.rollback()

    @classmethod
    def tearDownClass(cls) -> None:
        clear()
        super().tearDownClass()
