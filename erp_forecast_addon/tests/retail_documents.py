"""The wholesaler of retail_data.py as real documents: items, opening stock, orders, receipts, a Delivery Note a day.

Loading takes a minute or two and is done once a site; loading again makes what is missing.
"""

from collections.abc import Iterable
from datetime import date
from typing import Any

import frappe
import pandas as pd
from erpnext.buying.doctype.purchase_order.purchase_order import make_purchase_receipt
from frappe.utils import add_days, getdate

from erp_forecast_addon.tests.retail_data import SUPPLIERS, RetailData, retail_data

CUSTOMER = "Online Retail Customers"
ITEM_GROUP = "Online Retail"
PACK_UOM = "Box"
STOCK_UOM = "Nos"


def load_retail(company: str, warehouse: str, as_of: date | None = None) -> RetailData:
    """Make the documents unless they stand already. Commits day by day.

    as_of: the last day with sales; None: the day up to which they were loaded before, else yesterday in site time.
    """
    loaded = frappe.get_all(
        "Delivery Note", filters={"customer": CUSTOMER, "docstatus": 1}, pluck="posting_date", order_by="posting_date"
    )
    data = retail_data(as_of or getdate(loaded[-1] if loaded else add_days(getdate(), -1)))
    _masters(company, warehouse, data)
    if not loaded:
        _opening_stock(company, warehouse, data)
        _documents(company, warehouse, data)
    elif len(loaded) < data.sales["day"].nunique():
        raise RuntimeError(
            f"{CUSTOMER}: an earlier load was cut short, or FORECAST_DATA named another folder then; use a fresh site."
        )
    return data


def _documents(company: str, warehouse: str, data: RetailData) -> None:
    """Day by day, orders and receipts before deliveries, so that ERPNext reposts nothing."""
    ordered = _by_day(data.purchases, "ordered_on")
    received = _by_day(data.purchases, "received_on")
    sold = _by_day(data.sales, "day")
    orders: dict[tuple[str, date], str] = {}
    for day in sorted({*ordered, *received, *sold}):
        for supplier, lines in _by_supplier(ordered.get(day)):
            orders[supplier, day] = _order(company, warehouse, supplier, day, lines, data.items)
        for supplier, lines in _by_supplier(received.get(day)):
            for ordered_on, part in _by_day(lines, "ordered_on").items():
                _receive(orders[supplier, ordered_on], day, set(part["item_code"]))
        if day in sold:
            _deliver(company, warehouse, day, sold[day], data.items)
        frappe.db.commit()


def _by_day(lines: pd.DataFrame, column: str) -> dict[date, pd.DataFrame]:
    return {getdate(day): part for day, part in lines.groupby(column)}


def _by_supplier(lines: pd.DataFrame | None) -> Iterable[tuple[str, pd.DataFrame]]:
    return [] if lines is None else [(str(name), part) for name, part in lines.groupby("supplier")]


# ---- masters --------------------------------------------------------------------------------------------------------
def _masters(company: str, warehouse: str, data: RetailData) -> None:
    _ensure("UOM", PACK_UOM, {"uom_name": PACK_UOM})
    _ensure("Item Group", ITEM_GROUP, {"item_group_name": ITEM_GROUP, "parent_item_group": "All Item Groups"})
    _ensure("Customer", CUSTOMER, {
        "customer_name": CUSTOMER, "customer_type": "Company",
        "customer_group": _leaf("Customer Group"), "territory": _leaf("Territory"),
    })  # fmt: skip
    for supplier in SUPPLIERS:
        group = _leaf("Supplier Group")
        _ensure("Supplier", supplier.name, {"supplier_name": supplier.name, "supplier_group": group})
    for row in data.items.itertuples(index=False):
        _ensure("Item", row.item_code, _item(row, company, warehouse))
        for price_list, rate in (("Standard Buying", row.cost * row.pack_qty), ("Standard Selling", row.price)):
            _ensure_price(row, price_list, rate)
    frappe.db.commit()


def _item(row: Any, company: str, warehouse: str) -> dict[str, Any]:
    packed = row.pack_qty > 1
    return {
        "item_code": row.item_code, "item_name": row.item_name, "item_group": ITEM_GROUP, "stock_uom": STOCK_UOM,
        "is_stock_item": 1, "min_order_qty": row.min_order_qty, "purchase_uom": PACK_UOM if packed else STOCK_UOM,
        "uoms": [{"uom": PACK_UOM, "conversion_factor": row.pack_qty}] if packed else [],
        "item_defaults": [{"company": company, "default_warehouse": warehouse, "default_supplier": row.supplier}],
        "supplier_items": [{"supplier": row.supplier}],
    }  # fmt: skip


def _ensure_price(row: Any, price_list: str, rate: float) -> None:
    if frappe.db.exists("Item Price", {"item_code": row.item_code, "price_list": price_list}):
        return
    packed = price_list == "Standard Buying" and row.pack_qty > 1
    price = {"price_list": price_list, "uom": PACK_UOM if packed else STOCK_UOM, "price_list_rate": round(rate, 2)}
    frappe.get_doc({"doctype": "Item Price", "item_code": row.item_code, **price}).insert(ignore_permissions=True)


def _ensure(doctype: str, name: str, values: dict[str, Any]) -> None:
    if not frappe.db.exists(doctype, name):
        frappe.get_doc({"doctype": doctype, **values}).insert(ignore_permissions=True)


def _leaf(doctype: str) -> str:
    """Any value that documents may use: the tree's first leaf."""
    return frappe.get_all(doctype, filters={"is_group": 0}, pluck="name", order_by="lft asc", limit=1)[0]


# ---- documents ------------------------------------------------------------------------------------------------------
def _submit(document: Any) -> str:
    document.flags.ignore_permissions = True
    document.insert()
    document.submit()
    return document.name


def _opening_stock(company: str, warehouse: str, data: RetailData) -> None:
    lines = [
        {"item_code": row.item_code, "qty": row.opening_qty, "basic_rate": row.cost, "t_warehouse": warehouse}
        for row in data.items.itertuples(index=False)
    ]
    entry = {"stock_entry_type": "Material Receipt", "company": company, "set_posting_time": 1}
    _submit(frappe.get_doc({"doctype": "Stock Entry", "posting_date": data.first_day, "items": lines, **entry}))


def _deliver(company: str, warehouse: str, day: date, sold: pd.DataFrame, items: pd.DataFrame) -> None:
    price = items.set_index("item_code")["price"]
    lines = [
        {"item_code": row.item_code, "qty": row.qty, "rate": float(price[row.item_code]), "warehouse": warehouse}
        for row in sold.itertuples(index=False)
    ]
    header = {"customer": CUSTOMER, "company": company, "set_posting_time": 1, "posting_date": day}
    _submit(frappe.get_doc({"doctype": "Delivery Note", "posting_time": "18:00:00", "items": lines, **header}))


def _order(company: str, warehouse: str, supplier: str, day: date, lines: pd.DataFrame, items: pd.DataFrame) -> str:
    """A Purchase Order for the lines, in purchase UOM."""
    known = items.set_index("item_code")
    wanted = next(each for each in SUPPLIERS if each.name == supplier).lead_time_days
    rows = []
    for line in lines.itertuples(index=False):
        pack = float(known.loc[line.item_code, "pack_qty"])
        rows.append({
            "item_code": line.item_code, "qty": line.qty / pack, "uom": PACK_UOM if pack > 1 else STOCK_UOM,
            "conversion_factor": pack, "rate": round(float(known.loc[line.item_code, "cost"]) * pack, 2),
            "warehouse": warehouse, "schedule_date": add_days(day, wanted),
        })  # fmt: skip
    header = {"supplier": supplier, "company": company, "transaction_date": day, "schedule_date": add_days(day, wanted)}
    return _submit(frappe.get_doc({"doctype": "Purchase Order", "items": rows, **header}))


def _receive(order: str, day: date, item_codes: set[str]) -> None:
    receipt = make_purchase_receipt(order)
    receipt.items = [line for line in receipt.items if line.item_code in item_codes]
    receipt.update({"set_posting_time": 1, "posting_date": day, "posting_time": "08:00:00"})
    _submit(receipt)
