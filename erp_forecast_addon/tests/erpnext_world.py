"""The contract's world on a live site: real documents, submitted, in the site's first company."""

from datetime import date
from typing import Any

import frappe

from erp_forecast_addon.tests.site_contract import SUPPLIER, World

CUSTOMER = "FC Customer"


class ERPNextWorld(World):
    """Takes a set-up site with at least one company; makes masters of its own and rolls nothing back itself."""

    def __init__(self) -> None:
        self.company = frappe.get_all("Company", order_by="creation asc", pluck="name")[0]
        self.currency = frappe.db.get_value("Company", self.company, "default_currency")
        leaves = {"company": self.company, "is_group": 0, "disabled": 0, "warehouse_type": ["is", "not set"]}
        self.shop, self.store = frappe.get_all("Warehouse", filters=leaves, order_by="name asc", pluck="name")[:2]
        self.lists = {
            side: frappe.db.get_single_value(f"{side.title()} Settings", f"{side}_price_list")
            or frappe.get_all("Price List", filters={side: 1}, order_by="creation asc", pluck="name")[0]
            for side in ("buying", "selling")
        }
        for side, listed in self.lists.items():
            frappe.db.set_single_value(f"{side.title()} Settings", f"{side}_price_list", listed)
        _insert(
            "Customer", customer_name=CUSTOMER, customer_group=_leaf("Customer Group"), territory=_leaf("Territory")
        )

    def supplier(self, name: str, **fields: Any) -> None:
        _insert("Supplier", supplier_name=name, supplier_group=_leaf("Supplier Group"), **fields)

    def item(self, item_code: str, **fields: Any) -> None:
        _insert("Item", item_code=item_code, item_group=_leaf("Item Group"), stock_uom="Nos", is_stock_item=1, **fields)

    def price(self, item_code: str, side: str, rate: float, uom: str, **fields: Any) -> None:
        _insert("Item Price", item_code=item_code, price_list=self.lists[side], price_list_rate=rate, uom=uom, **fields)

    def receive_stock(self, item_code: str, warehouse: str, qty: float, rate: float, day: date) -> None:
        self._stock_entry("Material Receipt", day, item_code, qty, t_warehouse=warehouse, basic_rate=rate)

    def sell(self, item_code: str, warehouse: str, qty: float, day: date) -> str:
        return self._deliver(day, item_code, warehouse, qty)

    def take_back(self, sale: str, item_code: str, warehouse: str, qty: float, day: date) -> None:
        self._deliver(day, item_code, warehouse, -qty, is_return=1, return_against=sale)

    def issue(self, item_code: str, warehouse: str, qty: float, day: date) -> None:
        self._stock_entry("Material Issue", day, item_code, qty, s_warehouse=warehouse)

    def transfer(self, item_code: str, source: str, target: str, qty: float, day: date) -> None:
        self._stock_entry("Material Transfer", day, item_code, qty, s_warehouse=source, t_warehouse=target)

    def promise(self, item_code: str, warehouse: str, qty: float, delivery_day: date) -> str:
        line = {"item_code": item_code, "warehouse": warehouse, "qty": qty, "rate": 9, "delivery_date": delivery_day}
        return _submit("Sales Order", company=self.company, customer=CUSTOMER, delivery_date=delivery_day, items=[line])

    def order(self, item_code: str, warehouse: str, boxes: float, ordered_on: date, due_on: date) -> str:
        line = {"item_code": item_code, "warehouse": warehouse, "qty": boxes, "uom": "Box", "conversion_factor": 12,
                "rate": 60, "schedule_date": due_on}  # fmt: skip
        header = {"company": self.company, "supplier": SUPPLIER, "currency": self.currency}
        return _submit("Purchase Order", **header, transaction_date=ordered_on, schedule_date=due_on, items=[line])

    def receive_order(self, order: str, boxes: float, day: date) -> None:
        from erpnext.buying.doctype.purchase_order.purchase_order import make_purchase_receipt

        receipt = make_purchase_receipt(order)
        receipt.update({"set_posting_time": 1, "posting_date": day, "posting_time": "10:00:00"})
        receipt.items[0].qty = receipt.items[0].received_qty = boxes
        receipt.insert(ignore_permissions=True)
        receipt.submit()

    def request(self, kind: str, item_code: str, warehouse: str, qty: float, day: date, source: str = "") -> str:
        line = {"item_code": item_code, "warehouse": warehouse, "from_warehouse": source or None, "qty": qty,
                "uom": "Nos", "conversion_factor": 1, "schedule_date": day}  # fmt: skip
        return _submit(
            "Material Request", company=self.company, material_request_type=kind, schedule_date=day, items=[line]
        )

    def _deliver(self, day: date, item_code: str, warehouse: str, qty: float, **fields: Any) -> str:
        line = {"item_code": item_code, "warehouse": warehouse, "qty": qty, "rate": 9}
        when = {"set_posting_time": 1, "posting_date": day, "posting_time": "10:00:00"}
        return _submit("Delivery Note", company=self.company, customer=CUSTOMER, **when, **fields, items=[line])

    def _stock_entry(self, purpose: str, day: date, item_code: str, qty: float, **line: Any) -> None:
        when = {"set_posting_time": 1, "posting_date": day, "posting_time": "10:00:00"}
        rows = [{"item_code": item_code, "qty": qty, **line}]
        _submit("Stock Entry", company=self.company, stock_entry_type=purpose, purpose=purpose, **when, items=rows)


def _insert(doctype: str, **values: Any) -> Any:
    return frappe.get_doc({"doctype": doctype, **values}).insert(ignore_permissions=True)


def _submit(doctype: str, **values: Any) -> str:
    document = _insert(doctype, **values)
    document.submit()
    return str(document.name)


def _leaf(doctype: str) -> str:
    return str(frappe.get_all(doctype, filters={"is_group": 0}, order_by="lft asc", pluck="name")[0])
