"""Companies of several warehouses in tables, for what is asked for within the company."""

from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from replenishment_case import AS_OF, day, item, source

from erp_forecast_addon.planning.purchasing.network import Network
from erp_forecast_addon.planning.replenishment import DemandOutlook, Replenishment, Supply, replenish
from erp_forecast_addon.planning.settings import PlanSettings
from erp_forecast_addon.planning.tables import BOMS, DATED, NETWORK, REFUSED_REQUESTS

Pair = tuple[str, str]


def settings(**values: Any) -> PlanSettings:
    given = {"policy_method": "Textbook", "approval_days": 0, "order_cost": 20.0, "transfer_cost": 5.0} | values
    return PlanSettings(company="T", currency="EUR", **given)


@dataclass
class Chain:
    """daily, on_hand: (item, warehouse) -> quantity; houses: warehouse -> supplied_by, planning_group;
    boms: (item, component, qty_per[, warehouse]); dated: (item, warehouse, days ahead, qty, kind)."""

    daily: dict[Pair, float]
    on_hand: dict[Pair, float]
    houses: dict[str, tuple[str, str]]
    boms: list[tuple[Any, ...]] = field(default_factory=list)
    made: tuple[str, ...] = ()
    dated: list[tuple[Any, ...]] = field(default_factory=list)
    refused: list[tuple[str, str, str]] = field(default_factory=list)
    std: float = 0.0
    positions: dict[Pair, dict[str, Any]] = field(default_factory=dict)
    items: list[dict[str, Any]] = field(default_factory=list)
    lead_time_days: float = 7.0
    settings: PlanSettings = field(default_factory=settings)

    def codes(self) -> list[str]:
        pairs = [*self.daily, *self.on_hand]
        return sorted({code for code, _house in pairs} | {row[1] for row in self.boms} | {row[0] for row in self.boms})

    def outlook(self) -> DemandOutlook:
        pairs = sorted(self.daily)
        keys = pd.DataFrame(pairs, columns=["item_code", "warehouse"], dtype=object)
        mean = np.array([self.daily[pair] for pair in pairs])

        def daily_mean(as_of: date, days: int) -> np.ndarray:
            return np.repeat(mean[:, None], days, axis=1).reshape(-1, days)

        smooth = np.full(len(pairs), "Smooth", dtype=object)
        return DemandOutlook(keys, smooth, daily_mean, lambda: np.full(len(pairs), self.std), mean * 365.0)

    def network(self) -> Network:
        houses = [
            {"warehouse": house, "supplied_by": by, "planning_group": group}
            for house, (by, group) in self.houses.items()
        ]
        parts = [dict(zip(("item_code", "component", "qty_per", "warehouse"), row, strict=False)) for row in self.boms]
        refused = [dict(zip(("item_code", "warehouse", "request_type"), row, strict=True)) for row in self.refused]
        return Network(
            pd.DataFrame(houses) if houses else NETWORK.empty(),
            pd.DataFrame(parts) if parts else BOMS.empty(),
            pd.DataFrame(refused) if refused else REFUSED_REQUESTS.empty(),
        )

    def run(self) -> Replenishment:
        pairs = sorted({*self.daily, *self.on_hand})
        positions = [
            {"item_code": code, "warehouse": house, "on_hand_qty": self.on_hand.get((code, house), 0.0),
             "valuation_rate": 10.0, **self.positions.get((code, house), {})}
            for code, house in pairs
        ]  # fmt: skip
        dated = [
            {"item_code": code, "warehouse": house, "day": day(ahead), "qty": qty, "kind": kind}
            for code, house, ahead, qty, kind in self.dated
        ]
        items = self.items or [
            item(code, is_made_here=code in self.made, lead_time_days=3.0 if code in self.made else np.nan)
            for code in self.codes()
        ]
        sources = [source(code, lead_time_days=self.lead_time_days, lead_time_std_days=0.0) for code in self.codes()]
        supply = Supply(
            pd.DataFrame(dated) if dated else DATED.empty(), pd.DataFrame(items), pd.DataFrame(sources),
            network=self.network(),
        )  # fmt: skip
        return replenish(self.outlook(), pd.DataFrame(positions), supply, self.settings, AS_OF)


def requests(result: Replenishment) -> dict[tuple[str, str, str], float]:
    """(item, warehouse, from warehouse or "made") -> quantity."""
    table = result.requests
    whence = table["from_warehouse"].where(table["from_warehouse"] != "", "made")
    return dict(zip(zip(table["item_code"], table["warehouse"], whence, strict=True), table["qty"], strict=True))


def bought(result: Replenishment) -> dict[Pair, float]:
    table = result.proposals
    return dict(zip(zip(table["item_code"], table["warehouse"], strict=True), table["stock_qty"], strict=True))
