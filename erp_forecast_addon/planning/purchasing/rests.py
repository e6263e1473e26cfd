"""Needs that a person has rejected or put to rest: what a later proposal must not say again.

A rejection says why, and the reason says what may still be proposed until its day:

- Not Needed, Other: nothing for the item in the warehouse;
- Wrong Quantity: no quantity near the rejected one;
- Wrong Supplier: nothing from that supplier, somebody else may be asked;
- Too Expensive: nothing that is not cheaper per unit than what was rejected.
"""

from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from erp_forecast_addon.planning.tables import Column, Table

NOT_NEEDED, WRONG_QTY, WRONG_SUPPLIER, TOO_DEAR, OTHER = (
    "Not Needed", "Wrong Quantity", "Wrong Supplier", "Too Expensive", "Other",
)  # fmt: skip
REASON_CLASSES: Final = (NOT_NEEDED, WRONG_QTY, WRONG_SUPPLIER, TOO_DEAR, OTHER)
# Reasons that leave the need itself alone; all others, and rejections of earlier versions, put it to rest.
PROPOSED_OTHERWISE: Final = (WRONG_QTY, WRONG_SUPPLIER, TOO_DEAR)
# A quantity within this share of the rejected one is the same; a price has to fall by the other share to be another.
SAME_QTY_SHARE: Final = 0.2
CHEAPER_BY_SHARE: Final = 0.005

# What was rejected and is still at rest, one row per line.
RESTS = Table(
    "Rejected lines at rest",
    {
        "item_code": Column("text"),
        "warehouse": Column("text"),
        "supplier": Column("text", default=""),
        "reason_class": Column("text", default=""),
        "stock_qty": Column("number", default=0.0),
        "base_rate": Column("number", nullable=True),  # company currency per stock unit
    },
)


def at_rest(proposals: pd.DataFrame, rests: pd.DataFrame) -> NDArray[np.bool_]:
    """(n,) which proposals say again what was rejected. proposals: item_code, warehouse, supplier, stock_qty,
    base_amount; rests: table RESTS. A need that is at rest as such is not planned at all and does not come here."""
    said = RESTS.check(rests)
    said = said[said["reason_class"].isin(PROPOSED_OTHERWISE)]
    if said.empty or proposals.empty:
        return np.zeros(len(proposals), dtype=bool)
    rows = proposals.reset_index(drop=True)
    rows = rows.assign(row=np.arange(len(rows)), now_rate=_base_rate(rows))
    both = rows[["row", "item_code", "warehouse", "supplier", "stock_qty", "now_rate"]].merge(
        said, on=["item_code", "warehouse"], suffixes=("", "_rejected")
    )
    far = (both["stock_qty"] - both["stock_qty_rejected"]).abs() > both["stock_qty_rejected"] * SAME_QTY_SHARE
    cheaper = both["now_rate"] < both["base_rate"] * (1.0 - CHEAPER_BY_SHARE)
    again = np.select(
        [both["reason_class"] == WRONG_QTY, both["reason_class"] == WRONG_SUPPLIER],
        [~far, both["supplier"] == both["supplier_rejected"]],
        ~cheaper,
    ).astype(bool)
    found = np.zeros(len(proposals), dtype=bool)
    found[both.loc[again, "row"].to_numpy(dtype=int)] = True
    return found


def _base_rate(rows: pd.DataFrame) -> pd.Series:
    """Company currency per stock unit; NaN without a price."""
    rate = rows["base_amount"] / rows["stock_qty"].where(rows["stock_qty"] > 0.0)
    return rate.where(rate > 0.0)
