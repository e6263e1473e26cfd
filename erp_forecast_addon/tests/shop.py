"""A small company that the scenarios trade with: the same calls on the embedded site and on a bench.

A shop makes masters and history and plays the person who edits, deletes or submits a draft. It knows nothing of the
planner. EmbeddedShop (tests/embedded) and BenchShop (factories.py) fill it in.
"""

from abc import ABC, abstractmethod
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd

from erp_forecast_addon.services.run import run_company
from erp_forecast_addon.site.port import Site

PERSON = "buyer@example.com"
HISTORY_DAYS = 120


class Shop(ABC):
    """One company with one warehouse; every item sells the same quantity every day unless told otherwise."""

    site: Site
    company: str
    warehouse: str

    # ---- masters and history --------------------------------------------------------------------------------------
    @abstractmethod
    def settings(self, **values: Any) -> None:
        """Set fields of the company's row of Forecast Settings; the row is made enabled at first."""

    @abstractmethod
    def supplier(self, name: str, **values: Any) -> str: ...

    @abstractmethod
    def item(self, item_code: str, **values: Any) -> str: ...

    @abstractmethod
    def unit(self, name: str) -> str:
        """A unit of measure for which no factor is known."""

    @abstractmethod
    def source(self, item_code: str, supplier: str, rate: float | None, lead_time_days: int | None = 5) -> None:
        """The item's default supplier, his price and the item's lead time."""

    @abstractmethod
    def price(self, item_code: str, supplier: str, rate: float, currency: str | None = None) -> None:
        """A buying price; currency: default the company's."""

    @abstractmethod
    def ledger(self, rows: pd.DataFrame) -> None:
        """Add Stock Ledger Entries (item_code, warehouse, posting_date, actual_qty, qty_after_transaction,
        voucher_type) as if posted, and set each pair's Bin to where the last one leaves it."""

    @abstractmethod
    def edit_draft(self, purchase_order: str, item_code: str, qty: float) -> None:
        """A person changes a quantity in the native draft and saves."""

    @abstractmethod
    def delete_draft(self, purchase_order: str) -> None:
        """A person deletes the native draft."""

    @abstractmethod
    def submit_draft(self, purchase_order: str) -> None:
        """A person submits the native draft by hand."""

    @abstractmethod
    def submit_without_event(self, purchase_order: str) -> None:
        """The native draft is submitted past every document event (an import, a script)."""

    # ---- what both do alike -----------------------------------------------------------------------------------------
    @property
    def today(self) -> date:
        return self.site.now().date()

    def stocked_item(
        self, item_code: str, supplier: str = "Fast Supplies", *, daily: float = 10.0, on_hand: float = 20.0,
        rate: float | None = 5.0, lead_time_days: int | None = 5, days: int = HISTORY_DAYS, **values: Any,
    ) -> str:  # fmt: skip
        """An item with a supplier, a price and a history, ready to be planned."""
        self.supplier(supplier)
        self.item(item_code, **values)
        self.source(item_code, supplier, rate, lead_time_days)
        self.history(item_code, daily=daily, on_hand=on_hand, days=days)
        return item_code

    def history(
        self, item_code: str, *, daily: float = 10.0, on_hand: float = 20.0, days: int = HISTORY_DAYS,
        until: date | None = None, warehouse: str | None = None,
    ) -> None:  # fmt: skip
        """A receipt, then a sale every day up to yesterday; `on_hand` is left."""
        last = until or self.today - timedelta(days=1)
        quantities = np.concatenate([[on_hand + daily * days], np.full(days, -daily)])
        posted = [last - timedelta(days=days), *(last - timedelta(days=back) for back in range(days - 1, -1, -1))]
        self.ledger(pd.DataFrame({
            "item_code": item_code, "warehouse": warehouse or self.warehouse, "posting_date": pd.to_datetime(posted),
            "actual_qty": quantities, "qty_after_transaction": quantities.cumsum(),
            "voucher_type": ["Purchase Receipt"] + ["Delivery Note"] * days,
        }))  # fmt: skip

    def move(self, item_code: str, qty: float, on_hand: float, day: date | None = None) -> None:
        """One sale (qty < 0) or receipt that leaves `on_hand`."""
        self.ledger(pd.DataFrame({
            "item_code": [item_code], "warehouse": [self.warehouse],
            "posting_date": pd.to_datetime([day or self.today - timedelta(days=1)]),
            "actual_qty": [qty], "qty_after_transaction": [on_hand],
            "voucher_type": ["Delivery Note" if qty < 0 else "Purchase Receipt"],
        }))  # fmt: skip

    def run(self, **given: Any) -> dict[str, Any]:
        """Plan the company; the Forecast Run."""
        name = run_company(self.site, self.company, triggered_by="Command", **given)
        return self.site.get_document("Forecast Run", name) or {}

    def rows(self, doctype: str, **equal: Any) -> list[dict[str, Any]]:
        """Whole rows of a DocType, by name; equal: fieldname -> value."""
        table = self.site.qb.DocType(doctype)
        query = self.site.qb.from_(table).select(table.name)
        for field, value in equal.items():
            query = query.where(table[field] == value)
        names = sorted(self.site.fetch(query)["name"])
        return [self.site.get_document(doctype, name) or {} for name in names]

    def orders(self, **equal: Any) -> list[dict[str, Any]]:
        """Our records of the company."""
        return self.rows("Auto Purchase Order", company=self.company, **equal)

    def drafts(self) -> list[dict[str, Any]]:
        """Native drafts of the company."""
        return self.rows("Purchase Order", company=self.company, docstatus=0)

    def cases(self, **equal: Any) -> list[dict[str, Any]]:
        """Planning Exceptions of the company."""
        return self.rows("Planning Exception", company=self.company, **equal)
