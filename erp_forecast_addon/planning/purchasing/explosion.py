"""Planned orders of one level as demand of the next: what is made asks for components, what is supplied for goods.

The arithmetic of material requirements planning (Orlicky, Material Requirements Planning, 3rd ed., ch. 4: gross
requirements, netting, lead-time offsetting, explosion), whole levels at a time.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

_STEP_TOLERANCE = 1e-9


def through_phantoms(boms: pd.DataFrame) -> pd.DataFrame:
    """Table BOMS with the components of phantoms in their place and without components that are neither stocked nor
    made of anything (services); one row per item, component and warehouse. A loop over levels of phantoms.

    A phantom that contains itself is taken out where the circle closes.
    """
    if boms.empty:
        return boms
    stocked = [boms[boms["is_stocked"]]]
    open_rows = boms[~boms["is_stocked"]]
    phantoms = set(open_rows["component"])
    parts = boms[boms["item_code"].isin(phantoms)].rename(
        columns={"item_code": "component", "component": "part", "qty_per": "part_qty", "warehouse": "part_warehouse",
                 "is_stocked": "part_stocked"}
    )  # fmt: skip
    for _level in range(len(phantoms)):
        if open_rows.empty:
            break
        below = open_rows.merge(parts, on="component")
        below = below.assign(
            component=below["part"], qty_per=below["qty_per"] * below["part_qty"], is_stocked=below["part_stocked"],
            warehouse=below["part_warehouse"].where(below["part_warehouse"] != "", below["warehouse"]),
        )[list(boms.columns)]  # fmt: skip
        stocked.append(below[below["is_stocked"].astype(bool)])
        open_rows = below[~below["is_stocked"].astype(bool)]
    flat = pd.concat(stocked, ignore_index=True)
    flat["is_stocked"] = True
    return flat.groupby(["item_code", "component", "warehouse", "is_stocked"], as_index=False, sort=False)[
        "qty_per"
    ].sum()[list(boms.columns)]


def planned_receipts(stock: Floats, floor: Floats, first_day: Ints, first_qty: Floats, step: Floats) -> Floats:
    """(m, days) what has to come in each day so that the stock never falls below its floor.

    stock: (m, days) projected with nothing new; floor: (m,) the stock below which an order is due; first_day,
    first_qty: (m,) the order that is due now and the day on which it is needed (-1: none is due); step: (m,) orders
    come in multiples of it, 0: in any quantity. After the first order, which is what policy asks for now, just so much
    comes in as is missing (lot for lot). What has come in is never taken back, so it is the largest gap so far.
    """
    gap = np.maximum.accumulate(np.maximum(floor[:, None] - stock, 0.0), axis=1)
    day = np.arange(stock.shape[1])
    begun = (first_day[:, None] >= 0) & (day >= first_day[:, None])
    wanted = np.where(begun, np.maximum(gap, first_qty[:, None]), gap)
    size = np.where(step > 0.0, step, 1.0)[:, None]
    in_lots = np.ceil(wanted / size - _STEP_TOLERANCE) * size
    wanted = np.where(step[:, None] > 0.0, in_lots, wanted)
    return np.maximum(np.diff(wanted, axis=1, prepend=0.0), 0.0)


def released(receipts: Floats, lead_days: Ints) -> Floats:
    """(m, days) the same quantities on the day on which their making or sending begins; what would have had to begin
    already begins on day 0."""
    rows, days = receipts.shape
    column = np.maximum(np.arange(days)[None, :] - lead_days[:, None], 0)
    flat = (np.arange(rows)[:, None] * days + column).ravel()
    return np.bincount(flat, receipts.ravel(), minlength=rows * days).astype(float).reshape(rows, days)


def asked_of(released_qty: Floats, row_of: Ints, asked: Ints, qty_per: Floats, n: int) -> Floats:
    """(n, days) demand of the asked pairs. released_qty: (m, days); row_of: (e,) rows of it, asked: (e,) rows of the
    result; each edge asks for qty_per units per unit released."""
    out = np.zeros((n, released_qty.shape[1]))
    np.add.at(out, asked, released_qty[row_of] * qty_per[:, None])
    return out
