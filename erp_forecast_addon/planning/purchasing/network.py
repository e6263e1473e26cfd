"""Who supplies whom within a company: warehouses that a warehouse asks, and components that a made item needs.

Every pair (item, warehouse) that is supplied or made asks other pairs for goods. Those asks are the edges of one graph,
and a pair is planned after everybody who asks it: its low-level code (Orlicky, Material Requirements Planning, 3rd ed.,
ch. 4; the same over warehouses is distribution requirements planning: Martin, DRP, 1995).
"""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from erp_forecast_addon.planning.errors import Fault
from erp_forecast_addon.planning.messages import _
from erp_forecast_addon.planning.purchasing.explosion import through_phantoms
from erp_forecast_addon.planning.tables import BOMS, NETWORK, REFUSED_REQUESTS

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

_PAIR = ["item_code", "warehouse"]

UNKNOWN_SUPPLYING = _(
    "{warehouse} names {supplied_by} as the warehouse that supplies it, but {supplied_by} is not planned in this "
    "company. What {warehouse} needs is bought until that is put right."
)
SUPPLY_CIRCLE = _(
    "{warehouse} is supplied by {supplied_by}, and in the end by itself. What it needs is bought until that is put "
    "right."
)
BOM_CIRCLE = _(
    "The bill of materials of {item_code} leads back to {item_code} by {component}. {component} is not planned from it."
)


@dataclass(frozen=True)
class Network:
    """warehouses: table NETWORK; boms: table BOMS; refused: table REFUSED_REQUESTS. Empty tables: nobody supplies
    anybody and everything is bought.
    """

    warehouses: pd.DataFrame = field(default_factory=NETWORK.empty)
    boms: pd.DataFrame = field(default_factory=BOMS.empty)
    refused: pd.DataFrame = field(default_factory=REFUSED_REQUESTS.empty)


@dataclass(frozen=True)
class Edges:
    """(e,) each. asking, asked: rows of the pairs; qty_per: units of the asked per unit of the asking pair; is_bom:
    the asked pair holds a component, else it is the same item in the supplying warehouse.
    """

    asking: Ints
    asked: Ints
    qty_per: Floats
    is_bom: Flags

    def select(self, chosen: Flags) -> "Edges":
        return Edges(self.asking[chosen], self.asked[chosen], self.qty_per[chosen], self.is_bom[chosen])


@dataclass(frozen=True)
class Sources:
    """Where pairs get their goods, by warehouse and item, checked: circles and unknown warehouses are taken out.

    supplied_by: warehouse -> supplying warehouse; group, transfer_days likewise; boms: table BOMS without phantoms,
    one row per item, component and warehouse.
    """

    supplied_by: pd.Series
    group: pd.Series
    transfer_days: pd.Series
    boms: pd.DataFrame
    faults: list[Fault]

    @property
    def nothing(self) -> bool:
        return self.supplied_by.empty and self.group.empty and self.boms.empty


def sources_of(network: Network) -> Sources:
    """Raises BadInput where a table as a whole is unusable."""
    houses = NETWORK.check(network.warehouses).set_index("warehouse")
    supplied = houses["supplied_by"][houses["supplied_by"] != ""]
    unknown = supplied[~supplied.isin(houses.index)]
    supplied = supplied[supplied.isin(houses.index)]
    circle = supplied[supplied.index.isin(_in_circles(supplied.index, pd.Index(supplied)))]
    supplied = supplied[~supplied.index.isin(circle.index)]
    boms = through_phantoms(BOMS.check(network.boms))
    round_about = _bom_circles(boms)
    faults = [
        *_house_faults(UNKNOWN_SUPPLYING, unknown),
        *_house_faults(SUPPLY_CIRCLE, circle),
        *_bom_faults(boms[round_about]),
    ]
    group = houses["planning_group"][houses["planning_group"] != ""]
    return Sources(supplied, group, houses["transfer_days"].dropna(), boms[~round_about], faults)


def _bom_circles(boms: pd.DataFrame) -> Flags:
    if boms.empty:
        return np.zeros(0, dtype=bool)
    circle = _in_circles(pd.Index(boms["item_code"]), pd.Index(boms["component"]))
    return np.asarray(boms["item_code"].isin(circle) & boms["component"].isin(circle))


def _in_circles(asking: pd.Index, asked: pd.Index) -> pd.Index:
    """The names on a circle, or on a path between two."""
    if not len(asking):
        return asking
    codes, names = pd.factorize(np.concatenate([asking.to_numpy(dtype=object), asked.to_numpy(dtype=object)]))
    _depth, circular = depths(codes[: len(asking)], codes[len(asking) :], len(names))
    return pd.Index(names[circular])


def depths(asking: Ints, asked: Ints, n: int) -> tuple[Ints, Flags]:
    """(n,) low-level codes: 0 for who is asked by nobody, else one more than the deepest who asks; and who stands on a
    circle (or between two), whose code means nothing. A loop over levels, each over all edges at once (Kahn, 1962).
    """
    depth, done = _peeled(asking, asked, n)
    _height, done_backwards = _peeled(asked, asking, n)
    return depth, ~done & ~done_backwards


def _peeled(first: Ints, then: Ints, n: int) -> tuple[Ints, Flags]:
    """Longest path to each node from where nothing comes in, and which nodes can be reached without a circle."""
    waiting = np.bincount(then, minlength=n)
    level, done = np.zeros(n, dtype=np.int64), np.zeros(n, dtype=bool)
    current, at = waiting == 0, 0
    while current.any():
        level[current], done = at, done | current
        waiting = waiting - np.bincount(then[current[first]], minlength=n)
        current, at = (waiting == 0) & ~done, at + 1
    return level, done


def with_asked_pairs(pairs: pd.MultiIndex, sources: Sources, made_items: pd.Index) -> pd.MultiIndex:
    """The pairs and all that they may ask, sorted and unique. A loop over levels of the network, not over pairs."""
    if sources.supplied_by.empty and sources.boms.empty:
        return pairs
    every, new = pairs, pairs
    while len(new):
        asked = _asked(new.to_frame(index=False, name=_PAIR), sources, made_items)
        found = pd.MultiIndex.from_frame(asked[["asked_item", "asked_warehouse"]], names=_PAIR).unique()
        new = found.difference(every)
        every = every.union(new)
    return every


def edges_of(pairs: pd.DataFrame, sources: Sources, made_items: pd.Index) -> Edges:
    """The edges among `pairs`, each once. pairs: item_code, warehouse, and we_order: who of them asks at all."""
    asked = _asked(pairs[pairs["we_order"]], sources, made_items)
    row_of = pd.MultiIndex.from_frame(pairs[_PAIR])
    asking_row = row_of.get_indexer(pd.MultiIndex.from_frame(asked[_PAIR]))
    asked_row = row_of.get_indexer(pd.MultiIndex.from_frame(asked[["asked_item", "asked_warehouse"]]))
    known = asked_row >= 0
    return Edges(
        asking_row[known].astype(np.int64),
        asked_row[known].astype(np.int64),
        asked["qty_per"].to_numpy(dtype=float)[known],
        asked["is_bom"].to_numpy(dtype=bool)[known],
    )


def _asked(pairs: pd.DataFrame, sources: Sources, made_items: pd.Index) -> pd.DataFrame:
    """item_code, warehouse, asked_item, asked_warehouse, qty_per, is_bom. A supplied warehouse asks for the item
    itself, one that makes it for its components.
    """
    own = pairs[_PAIR].copy()
    supplier = own["warehouse"].map(sources.supplied_by)
    supplied = own[supplier.notna()].assign(asked_warehouse=supplier.dropna())
    supplied = supplied.assign(asked_item=supplied["item_code"], qty_per=1.0, is_bom=False)
    making = own[supplier.isna() & own["item_code"].isin(made_items)]
    parts = making.merge(sources.boms.rename(columns={"warehouse": "taken_from"}), on="item_code")
    taken_from = parts["taken_from"].where(parts["taken_from"] != "", parts["warehouse"])
    parts = parts.assign(asked_item=parts["component"], asked_warehouse=taken_from, is_bom=True)
    columns = [*_PAIR, "asked_item", "asked_warehouse", "qty_per", "is_bom"]
    found = pd.concat([supplied[columns], parts[columns]], ignore_index=True)
    same = [*_PAIR, "asked_item", "asked_warehouse", "is_bom"]
    found["qty_per"] = found["qty_per"].astype(float)
    found["is_bom"] = found["is_bom"].astype(bool)
    return found.groupby(same, sort=False, as_index=False)["qty_per"].sum() if len(found) else found


def _house_faults(template: str, cases: pd.Series) -> list[Fault]:
    """One fault per warehouse: there are few."""
    return [
        Fault("Bad Data", template, {"warehouse": house, "supplied_by": by}, warehouse=str(house))
        for house, by in cases.items()
    ]


def _bom_faults(rows: pd.DataFrame) -> list[Fault]:
    return [
        Fault("Bad Data", BOM_CIRCLE, {"item_code": item, "component": component}, item_code=item)
        for item, component in rows[["item_code", "component"]].drop_duplicates().itertuples(index=False, name=None)
    ]
