"""The shop of the scenarios on an embedded site."""

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd

from erp_forecast_addon.site.embedded import EmbeddedSite
from erp_forecast_addon.tests.shop import Shop

NOW = datetime(2026, 11, 21, 8, 0)


class EmbeddedShop(Shop):
    company = "Shop Ltd"
    warehouse = "Stores - S"

    def __init__(self, path: Path, now: datetime = NOW) -> None:
        self.path = path
        self.site: EmbeddedSite = EmbeddedSite.create(path, now=now)
        self.add_company(self.company, self.warehouse)
        for uom, whole in (("Nos", 1), ("Box", 1), ("Kg", 0)):
            self.site.insert_document("UOM", {"uom_name": uom, "enabled": 1, "must_be_whole_number": whole})
        self.site.insert_document("Price List", {
            "price_list_name": "Standard Buying", "enabled": 1, "buying": 1, "currency": "EUR",
        })  # fmt: skip
        self.site.update_document("Buying Settings", "Buying Settings", {"buying_price_list": "Standard Buying"})
        self.site.commit()

    def add_company(self, company: str, warehouse: str) -> None:
        self.site.insert_document("Company", {"company_name": company, "default_currency": "EUR"})
        self.site.insert_document("Warehouse", {"name": warehouse, "warehouse_name": warehouse, "company": company})
        # The scenarios reckon with the textbook's numbers, which can be done by hand.
        self.settings(
            company=company, enabled=1, currency="EUR", who_orders="Forecast Addon", policy_method="Textbook",
            level_band_pct=0,
        )  # fmt: skip

    def settings(self, company: str | None = None, **values: Any) -> None:
        wanted = company or self.company
        held = (self.site.get_document("Forecast Settings", "Forecast Settings") or {}).get("companies", [])
        rows = [row for row in held if row["company"] != wanted]
        mine = next((row for row in held if row["company"] == wanted), {"company": wanted})
        self.site.update_document(
            "Forecast Settings", "Forecast Settings", {"enabled": 1, "companies": [*rows, {**mine, **values}]}
        )
        self.site.commit()

    def supplier(self, name: str, **values: Any) -> str:
        return self._keep("Supplier", name, {"supplier_name": name, **values})

    def item(self, item_code: str, **values: Any) -> str:
        given = {
            "item_code": item_code, "item_name": item_code, "item_group": "Goods", "stock_uom": "Nos",
            "is_stock_item": 1, "is_purchase_item": 1, **values,
        }  # fmt: skip
        return self._keep("Item", item_code, given)

    def unit(self, name: str) -> str:
        return self._keep("UOM", name, {"uom_name": name})

    def _keep(self, doctype: str, name: str, values: dict[str, Any]) -> str:
        if self.site.get_document(doctype, name) is None:
            self.site.insert_document(doctype, values)
        elif len(values) > 1:
            self.site.update_document(doctype, name, values)
        self.site.commit()
        return name

    def source(self, item_code: str, supplier: str, rate: float | None, lead_time_days: int | None = 5) -> None:
        self.site.update_document("Item", item_code, {
            "lead_time_days": lead_time_days or 0,
            "item_defaults": [{"company": self.company, "default_supplier": supplier}],
        })  # fmt: skip
        self.site.commit()
        if rate is not None:
            self.price(item_code, supplier, rate)

    def price(self, item_code: str, supplier: str, rate: float, currency: str | None = None) -> None:
        self.site.insert_document("Item Price", {
            "item_code": item_code, "price_list": "Standard Buying", "buying": 1, "supplier": supplier,
            "currency": currency or "EUR", "price_list_rate": rate, "uom": "Nos",
        })  # fmt: skip
        self.site.commit()

    def ledger(self, rows: pd.DataFrame) -> None:
        hour = pd.to_timedelta(range(len(rows)), unit="s") + pd.Timedelta(hours=12)
        self.site.insert_rows("Stock Ledger Entry", rows.assign(
            posting_datetime=rows["posting_date"] + hour, voucher_no="V", company=self.company, is_cancelled=0,
            stock_uom="Nos",
        ))  # fmt: skip
        last = rows.drop_duplicates(["item_code", "warehouse"], keep="last")
        for row in last.to_dict("records"):
            self._set_bin(row["item_code"], row["warehouse"], row["qty_after_transaction"])
        self.site.commit()

    def _set_bin(self, item_code: str, warehouse: str, qty: float) -> None:
        values = {"item_code": item_code, "warehouse": warehouse, "actual_qty": qty, "valuation_rate": 5.0}
        found = self.rows("Bin", item_code=item_code, warehouse=warehouse)
        if found:
            self.site.update_document("Bin", found[0]["name"], values)
        else:
            self.site.insert_document("Bin", values)

    def edit_draft(self, purchase_order: str, item_code: str, qty: float) -> None:
        order = self.site.get_order(purchase_order)
        assert order is not None
        changed = [replace(line, qty=qty) if line.item_code == item_code else line for line in order.lines]
        day = (self.site.get_document("Purchase Order", purchase_order) or {})["transaction_date"]
        self.site.replace_order_lines(purchase_order, day, [line for line in changed if line.qty])
        self.site.commit()

    def delete_draft(self, purchase_order: str) -> None:
        self.site.delete_order(purchase_order)
        self.site.commit()

    def run(self, **given: Any) -> dict[str, Any]:
        """A minute later than what happened before, so that a row that is written again shows it."""
        self.site.set_now(self.site.now() + timedelta(minutes=1))
        return super().run(**given)

    def submit_draft(self, purchase_order: str) -> None:
        self.site.submit_order(purchase_order)
        self.site.commit()

    def submit_without_event(self, purchase_order: str) -> None:
        self.submit_draft(purchase_order)  # this site has no document events
