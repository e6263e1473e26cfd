"""A site that reads of some items only: the same reads, for one item in milliseconds instead of for a whole company."""

from collections.abc import Iterable
from typing import Any, Final, cast

import pandas as pd

from erp_forecast_addon.site.port import Site

# The column that names the item, in tables that a query reads from. Not here, as what is learned from all items would
# come out differently: receipts (a supplier's lead time), defaults of groups and brands, drafts (edited or not).
_ITEM_COLUMN: Final = {
    "BOM": "item",
    "Bin": "item_code",
    "Demand Bucket": "item_code",
    "Item": "name",
    "Item Price": "item_code",
    "Item Reorder": "parent",
    "Item Supplier": "parent",
    "Material Request Item": "item_code",
    "POS Invoice Item": "item_code",
    "Packed Item": "item_code",
    "Purchase Order Item": "item_code",
    "Safety Stock Policy": "item_code",
    "Sales Order Item": "item_code",
    "Stock Reservation Entry": "item_code",
    "Subcontracting Order Item": "item_code",
    "Supplier Quotation Item": "item_code",
    "UOM Conversion Detail": "parent",
    "Work Order": "production_item",
    "Work Order Item": "item_code",
}
# Documents, which nobody asks for twice: finding out costs as much as a fifth of reading them.
_READ_ONCE: Final = {
    "Material Request Item", "POS Invoice Item", "Packed Item", "Purchase Order Item", "Sales Order Item",
    "Subcontracting Order Item", "Work Order", "Work Order Item",
}  # fmt: skip


def _table_of(query: Any) -> str:
    return str(getattr(query._from[0], "_table_name", "")).removeprefix("tab")


def of_items(site: Site, item_codes: Iterable[str]) -> Site:
    """The site with what it reads narrowed to these items; for reading alone, and in one go: it remembers answers.

    Name the templates of variants too, whose prices and reorder rows are theirs.
    """
    return cast(Site, _OfItems(site, sorted(set(item_codes))))


class _OfItems:
    def __init__(self, site: Site, item_codes: list[str]) -> None:
        self._site, self._item_codes = site, item_codes
        self._answers: dict[str, pd.DataFrame] = {}

    def fetch(self, query: Any) -> pd.DataFrame:
        """What is behind one item's prices, units and tree is asked for several times, and read once."""
        narrowed = self._narrowed(query)
        if _table_of(query) in _READ_ONCE:
            return self._site.fetch(narrowed)
        asked = str(narrowed)
        if asked not in self._answers:
            self._answers[asked] = self._site.fetch(narrowed)
        answer = self._answers[asked]
        return answer.copy(deep=not answer.empty)

    def _narrowed(self, query: Any) -> Any:
        """A condition on the table that the query reads from; queries over other tables stay as they are."""
        column = _ITEM_COLUMN.get(_table_of(query))
        return query if column is None else query.where(query._from[0][column].isin(self._item_codes))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._site, name)
