"""What a buyer's edit saved or cost, from what then happened.

The days from the edit to the end of the stock that it was about are played twice with the demand that came: once with
what was ordered, once with what was proposed, everything else as it was. Day by day

    stock = max(stock before + goods in - demand, 0),  lost = max(demand - stock before - goods in, 0)

and the edit is worth, in company currency,

    (lost with the proposal - lost with the edit) · margin per unit                 sales saved (or lost)
    + (average stock with the proposal - with the edit) · days · cost · rate / 365   holding saved (or paid)
    + ordered quantity · (proposed price - paid price)                               price saved (or paid)

The proposal's goods come as late or early, against their date, as the real ones did. Demand on days with an empty shelf
is what was expected for the day, where less was sold. What is left on the shelf at the end is no loss: it is paid for
by its holding until then.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from erp_forecast_addon.planning.tables import Column, Table

Floats = NDArray[np.float64]
Days = NDArray[np.int64]
_DAYS_PER_YEAR: Final = 365.0

# One row per edit. Days are whole days after the first day of `History`; quantities in stock UOM, amounts in company
# currency, rates per stock unit.
EDIT_CASES = Table(
    "Edits to be priced",
    {
        "name": Column("text"),
        "proposed_qty": Column("number"),
        "changed_qty": Column("number"),
        "proposed_day": Column("number"),  # arrival that was proposed
        "changed_day": Column("number"),  # arrival that was asked for after the edit
        "arrived_day": Column("number", nullable=True),  # as it came, weighted by quantity; NaN: as asked for
        "proposed_rate": Column("number", nullable=True),
        "changed_rate": Column("number", nullable=True),
        "margin": Column("number"),  # per unit sold
        "unit_cost": Column("number"),
        "holding_rate_per_year": Column("number"),
        "daily_demand_mean": Column("number", default=0.0),  # what was expected
    },
    key=("name",),
)

# name, and the parts of its value; saved is above 0.
EDIT_VALUES = Table(
    "Values of edits",
    {
        "name": Column("text"),
        "lost_qty_proposed": Column("number"),
        "lost_qty_changed": Column("number"),
        "sales_value": Column("number"),
        "holding_value": Column("number"),
        "price_value": Column("number"),
        "value": Column("number"),
    },
    key=("name",),
)


@dataclass(frozen=True)
class History:
    """What happened around n edits, a row each, T days from the day on which each was ordered.

    opening: (n,) stock on the evening before; sold, net_in: (n, T) demand served, and everything else that moved the
    stock; ours: (n, T) of it the goods of the edited line; empty: (n, T) the shelf was empty in the evening; days: (n,)
    how many of the T days count.
    """

    opening: Floats
    sold: Floats
    net_in: Floats
    ours: Floats
    empty: NDArray[np.bool_]
    days: Days


def edit_values(cases: pd.DataFrame, history: History) -> pd.DataFrame:
    """Table EDIT_VALUES, a row per case. cases: table EDIT_CASES, in the order of `history`."""
    rows = EDIT_CASES.check(cases)
    if rows.empty:
        return EDIT_VALUES.empty()
    column = {name: rows[name].to_numpy(dtype=float) for name in EDIT_CASES.columns if name != "name"}
    counted = np.arange(history.sold.shape[1])[None, :] < history.days[:, None]
    expected = np.broadcast_to(column["daily_demand_mean"][:, None], history.sold.shape)
    demand = np.where(history.empty, np.maximum(history.sold, expected), history.sold)
    arrived = np.where(np.isnan(column["arrived_day"]), column["changed_day"], column["arrived_day"])
    late = np.where(column["changed_qty"] > 0.0, arrived - column["changed_day"], 0.0)
    theirs = _arrivals(column["proposed_qty"], column["proposed_day"] + late, history.sold.shape)
    changed = _play(history.opening, history.net_in, demand, counted)
    proposed = _play(history.opening, history.net_in - history.ours + theirs, demand, counted)
    return _priced(rows["name"], column, proposed, changed)


def _arrivals(qty: Floats, day: Floats, shape: tuple[int, ...]) -> Floats:
    """(n, T): the quantity on its day; nothing for what comes after the end."""
    flows = np.zeros(shape)
    at = np.maximum(np.round(day), 0.0).astype(np.int64)
    inside = np.flatnonzero(at < shape[1])
    flows[inside, at[inside]] = qty[inside]
    return flows


def _play(opening: Floats, net_in: Floats, demand: Floats, counted: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """(n,) units lost and the sum of the evenings' stock."""
    stock, lost, held = np.maximum(opening, 0.0), np.zeros(len(opening)), np.zeros(len(opening))
    for day in range(net_in.shape[1]):  # each day begins with the evening before: no form without a loop over days
        # Goods that were taken out of a shelf that never had them, as the other order left less, are not there.
        available = np.maximum(stock + net_in[:, day], 0.0)
        short = np.maximum(demand[:, day] - available, 0.0)
        stock = np.where(counted[:, day], np.maximum(available - demand[:, day], 0.0), stock)
        lost += np.where(counted[:, day], short, 0.0)
        held += np.where(counted[:, day], stock, 0.0)
    return lost, held


def _priced(
    names: pd.Series, column: dict[str, Floats], proposed: tuple[Floats, Floats], changed: tuple[Floats, Floats]
) -> pd.DataFrame:
    sales = (proposed[0] - changed[0]) * column["margin"]
    holding = (proposed[1] - changed[1]) * column["unit_cost"] * column["holding_rate_per_year"] / _DAYS_PER_YEAR
    both_known = ~np.isnan(column["proposed_rate"]) & ~np.isnan(column["changed_rate"])
    both_ordered = (column["proposed_qty"] > 0.0) & (column["changed_qty"] > 0.0)
    price = np.where(
        both_known & both_ordered,
        column["changed_qty"] * (np.nan_to_num(column["proposed_rate"]) - np.nan_to_num(column["changed_rate"])), 0.0,
    )  # fmt: skip
    return EDIT_VALUES.check(
        pd.DataFrame(
            {
                "name": names,
                "lost_qty_proposed": proposed[0],
                "lost_qty_changed": changed[0],
                "sales_value": sales,
                "holding_value": holding,
                "price_value": price,
                "value": sales + holding + price,
            }
        )
    )
