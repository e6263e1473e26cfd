"""The contract's world on an embedded site: rows, with ledger, Bin and orders kept as ERPNext keeps them."""

from datetime import date, datetime, time
from typing import Any

from erp_forecast_addon.site.embedded import EmbeddedSite
from erp_forecast_addon.tests.site_contract import SUPPLIER, World

_DOCUMENT_OF_PRICE = {"buying": "Standard Buying", "selling": "Standard Selling"}


class EmbeddedWorld(World):
    company, currency, shop, store = "Contract Company", "EUR", "Shop - CC", "Store - CC"

    def __init__(self, site: EmbeddedSite) -> None:
        self.site = site
        self._vouchers = 0
        insert = site.insert_document
        insert("Company", {"company_name": self.company, "abbr": "CC", "default_currency": self.currency})
        insert("Warehouse", {"name": "All - CC", "company": self.company, "is_group": 1})
        for name in (self.shop, self.store):
            insert("Warehouse", {"name": name, "company": self.company, "parent_warehouse": "All - CC"})
        for uom in ("Nos", "Box"):
            insert("UOM", {"uom_name": uom})
        for side, name in _DOCUMENT_OF_PRICE.items():
            insert("Price List", {"price_list_name": name, side: 1, "currency": self.currency})
            settings = f"{side.title()} Settings"
            site.update_document(settings, settings, {f"{side}_price_list": name})

    def supplier(self, name: str, **fields: Any) -> None:
        self.site.insert_document("Supplier", {"supplier_name": name, **fields})

    def item(self, item_code: str, **fields: Any) -> None:
        self.site.insert_document("Item", {"item_code": item_code, "stock_uom": "Nos", **fields})

    def price(self, item_code: str, side: str, rate: float, uom: str, **fields: Any) -> None:
        listed = {"item_code": item_code, "price_list": _DOCUMENT_OF_PRICE[side], side: 1, "currency": self.currency}
        self.site.insert_document("Item Price", {**listed, "price_list_rate": rate, "uom": uom, **fields})

    def receive_stock(self, item_code: str, warehouse: str, qty: float, rate: float, day: date) -> None:
        entry = self._voucher("Stock Entry", day, purpose="Material Receipt")
        self._move("Stock Entry", entry, item_code, warehouse, qty, day)

    def sell(self, item_code: str, warehouse: str, qty: float, day: date) -> str:
        note = self._voucher("Delivery Note", day)
        self._move("Delivery Note", note, item_code, warehouse, -qty, day)
        return note

    def take_back(self, sale: str, item_code: str, warehouse: str, qty: float, day: date) -> None:
        note = self._voucher("Delivery Note", day, is_return=1, return_against=sale)
        self._move("Delivery Note", note, item_code, warehouse, qty, day)

    def issue(self, item_code: str, warehouse: str, qty: float, day: date) -> None:
        entry = self._voucher("Stock Entry", day, purpose="Material Issue")
        self._move("Stock Entry", entry, item_code, warehouse, -qty, day)

    def transfer(self, item_code: str, source: str, target: str, qty: float, day: date) -> None:
        entry = self._voucher("Stock Entry", day, purpose="Material Transfer")
        self._move("Stock Entry", entry, item_code, source, -qty, day)
        self._move("Stock Entry", entry, item_code, target, qty, day)

    def promise(self, item_code: str, warehouse: str, qty: float, delivery_day: date) -> str:
        line = {"item_code": item_code, "warehouse": warehouse, "qty": qty, "delivery_date": delivery_day}
        values = {"company": self.company, "docstatus": 1, "status": "To Deliver and Bill", "items": [line]}
        return self.site.insert_document("Sales Order", values)

    def order(self, item_code: str, warehouse: str, boxes: float, ordered_on: date, due_on: date) -> str:
        line = {"item_code": item_code, "warehouse": warehouse, "qty": boxes, "uom": "Box", "conversion_factor": 12,
                "schedule_date": due_on}  # fmt: skip
        header = {"company": self.company, "supplier": SUPPLIER, "transaction_date": ordered_on, "docstatus": 1}
        return self.site.insert_document("Purchase Order", {**header, "status": "To Receive", "items": [line]})

    def receive_order(self, order: str, boxes: float, day: date) -> None:
        ordered = self.site.get_document("Purchase Order", order)
        assert ordered is not None
        line = ordered["items"][0]
        row = {
            "item_code": line["item_code"],
            "qty": boxes,
            "stock_qty": boxes * 12,
            "purchase_order_item": line["name"],
        }
        header = {"company": self.company, "supplier": SUPPLIER, "posting_date": day, "docstatus": 1}
        receipt = self.site.insert_document("Purchase Receipt", {**header, "items": [row]})
        self.site.update_document("Purchase Order", order, {"items": [{**line, "received_qty": boxes}]})
        self._move("Purchase Receipt", receipt, line["item_code"], line["warehouse"], boxes * 12, day)

    def request(self, kind: str, item_code: str, warehouse: str, qty: float, day: date, source: str = "") -> str:
        line = {"item_code": item_code, "warehouse": warehouse, "stock_qty": qty, "schedule_date": day}
        values = {"company": self.company, "material_request_type": kind, "docstatus": 1, "status": "Pending"}
        return self.site.insert_document(
            "Material Request", {**values, "items": [{**line, "from_warehouse": source or None}]}
        )

    def _voucher(self, doctype: str, day: date, **fields: Any) -> str:
        values = {"company": self.company, "posting_date": day, "docstatus": 1, **fields}
        return self.site.insert_document(doctype, values)

    def _move(self, doctype: str, voucher: str, item_code: str, warehouse: str, qty: float, day: date) -> None:
        pair = {"item_code": item_code, "warehouse": warehouse}
        held = self.site.read('SELECT name, actual_qty FROM "tabBin" WHERE item_code = ? AND warehouse = ?',
                              tuple(pair.values()))  # fmt: skip
        name, before = held[0] if held else (self.site.insert_document("Bin", pair), 0.0)
        self.site.update_document("Bin", name, {"actual_qty": before + qty})
        entry = {"voucher_type": doctype, "voucher_no": voucher, "company": self.company, "posting_date": day}
        moment = datetime.combine(day, time(10))
        moved = {"actual_qty": qty, "qty_after_transaction": before + qty, "posting_datetime": moment}
        self.site.insert_document("Stock Ledger Entry", {**pair, **entry, **moved})
