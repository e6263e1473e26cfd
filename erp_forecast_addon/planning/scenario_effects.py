"""What each way out of a shortage costs and saves: the pair's course again with the goods arriving as it says.

With and without it a pair meets the same draws (see scenario_course.py). The goods arrive on the day named, on every
path; what they spare of later orders, and what a warehouse that gives something away lacks then, is in the figures.
"""

from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from erp_forecast_addon.planning.scenario_course import Course, Demand, Outage, Trade, course

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_PAIR = ["item_code", "warehouse"]
_NOWHERE = -1


@dataclass(frozen=True)
class Stage:
    """Pairs as the scenario leaves them, (n,) each: keys (item_code, warehouse), what they are asked for, have and how
    they are replenished; sells_at: company currency per unit."""

    keys: pd.MultiIndex
    demand: Demand
    on_hand_qty: Floats
    trade: Trade
    sells_at: Floats
    outage: Outage | None = None

    def select(self, rows: Ints) -> "Stage":
        return Stage(
            self.keys[rows], self.demand.select(rows), self.on_hand_qty[rows], self.trade.select(rows),
            self.sells_at[rows], None if self.outage is None else self.outage.select(rows),
        )  # fmt: skip

    def with_more(self, qty: Floats, day: Ints) -> "Stage":
        """The same with qty arriving on that day; what comes after the last day is on its way all the same."""
        flows = self.demand.flows
        supply = np.pad(flows.supply, ((0, 0), (0, 1)))
        supply[np.arange(len(supply)), np.clip(day, 0, supply.shape[1] - 1)] += qty
        return replace(self, demand=replace(self.demand, flows=replace(flows, supply=supply)))

    def with_less(self, qty: Floats) -> "Stage":
        return replace(self, on_hand_qty=self.on_hand_qty - qty)


def with_effects(
    table: pd.DataFrame, here: Stage, elsewhere: Stage | None, as_of: date, review_days: int, seed: int
) -> pd.DataFrame:
    """The alternatives with what they do over the horizon.

    table: rows of scenario_alternatives.alternatives; here: the chosen pairs, elsewhere: pairs of the same items that
    were not chosen. Adds, company currency: order_value, what the goods themselves cost (0 for a transfer, NaN: no
    price known); cash_value, how much more is ordered in the horizon in all, the goods among it; saved_value, lost
    sales that are avoided; fill_rate_gain_pct, points of the pair's own fill rate. A transfer's include the warehouse
    that gives.
    """
    if table.empty:
        return table.assign(order_value=0.0, cash_value=0.0, saved_value=0.0, fill_rate_gain_pct=0.0)
    row = here.keys.get_indexer(pd.MultiIndex.from_frame(table[_PAIR]))
    at, qty = here.select(row), table["qty"].to_numpy(dtype=float)
    day = (table["effective_on"] - pd.Timestamp(as_of)).dt.days.to_numpy(dtype=np.int64) - 1

    def run(stage: Stage) -> Course:
        return course(
            stage.demand, stage.on_hand_qty, stage.trade, as_of, outage=stage.outage, review_days=review_days, seed=seed
        )

    without, with_it = run(at), run(at.with_more(qty, day))
    price = table["base_rate"].to_numpy(dtype=float)
    price = np.where(table["kind"].eq("Transfer"), 0.0, np.where(table["own_supplier"], at.trade.unit_cost, price))
    goods = qty * price
    cash, saved = _ordered(with_it) - _ordered(without) + goods, (without.short_qty - with_it.short_qty) * at.sells_at
    for stage in (here, elsewhere):  # the giving warehouse may be among the chosen or not
        if stage is None:
            continue
        giver = stage.keys.get_indexer(pd.MultiIndex.from_arrays([table["item_code"], table["from_warehouse"]]))
        gives = np.flatnonzero((giver != _NOWHERE) & table["kind"].eq("Transfer").to_numpy())
        if not len(gives):
            continue
        source = stage.select(giver[gives])
        before, after = run(source), run(source.with_less(qty[gives]))
        cash[gives] += _ordered(after) - _ordered(before)
        saved[gives] += (before.short_qty - after.short_qty) * source.sells_at
    gained = np.divide(
        without.short_qty - with_it.short_qty, without.demand_qty, out=np.zeros(len(table)),
        where=without.demand_qty > 0.0,
    )  # fmt: skip
    return table.assign(order_value=goods, cash_value=cash, saved_value=saved, fill_rate_gain_pct=100.0 * gained)


def _ordered(run: Course) -> Floats:
    return np.asarray(run.ordered_value.sum(axis=1))
