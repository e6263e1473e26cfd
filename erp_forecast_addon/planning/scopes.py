"""Which series an event speaks of: item or template, item group, brand, warehouse; trees with all that lies below."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from erp_forecast_addon.planning.tables import ITEMS, TREE


@dataclass(frozen=True)
class Scopes:
    """What names in a scope can mean. items: table ITEMS; item_groups, warehouses: table TREE, the company's own."""

    company: str = ""
    items: pd.DataFrame = field(default_factory=ITEMS.empty)
    item_groups: pd.DataFrame = field(default_factory=TREE.empty)
    warehouses: pd.DataFrame = field(default_factory=TREE.empty)

    def knows_item(self, name: str) -> bool:
        return bool(((self.items["item_code"] == name) | (self.items["variant_of"] == name)).any())

    def knows_item_group(self, name: str) -> bool:
        return bool((self.item_groups["name"] == name).any())

    def knows_brand(self, name: str) -> bool:
        return bool((self.items["brand"] == name).any())

    def knows_warehouse(self, name: str) -> bool:
        return bool((self.warehouses["name"] == name).any())


def below(tree: pd.DataFrame, top: str) -> set[str]:
    """The names under `top` and itself; one pass per level of the tree."""
    found, level = {top}, {top}
    while level:
        children = set(tree.loc[tree["parent"].isin(level), "name"])
        level = children - found
        found |= level
    return found


def parents(tree: pd.DataFrame, names: pd.Series) -> np.ndarray:
    """The parent of each name, "" where there is none. (n,) object"""
    parent = tree.drop_duplicates("name").set_index("name")["parent"]
    return names.map(parent).astype(object).fillna("").to_numpy(dtype=object)


@dataclass(frozen=True)
class SeriesScopes:
    """The scope columns of n series."""

    item_code: pd.Series
    variant_of: pd.Series
    item_group: pd.Series
    brand: pd.Series
    warehouse: pd.Series
    scopes: Scopes

    @classmethod
    def of(cls, keys: pd.DataFrame, scopes: Scopes) -> "SeriesScopes":
        """keys: (n,) item_code, warehouse."""
        about = scopes.items.set_index("item_code")[["variant_of", "item_group", "brand"]].reindex(keys["item_code"])
        about = about.fillna("").set_axis(keys.index)
        return cls(
            keys["item_code"], about["variant_of"], about["item_group"], about["brand"], keys["warehouse"], scopes
        )

    def within(self, item_code: str, item_group: str, brand: str, warehouse: str) -> np.ndarray:
        """Which series lie in the scope; "" restricts nothing. (n,) bool"""
        inside = np.ones(len(self.item_code), dtype=bool)
        if item_code:
            inside &= ((self.item_code == item_code) | (self.variant_of == item_code)).to_numpy()
        if item_group:
            inside &= self.item_group.isin(below(self.scopes.item_groups, item_group)).to_numpy()
        if brand:
            inside &= (self.brand == brand).to_numpy()
        if warehouse:
            inside &= self.warehouse.isin(below(self.scopes.warehouses, warehouse)).to_numpy()
        return inside
