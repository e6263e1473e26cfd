"""Small companies in tables: everything a test does not say has a plain value."""

from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from erp_forecast_addon.planning.replenishment import DemandOutlook, Replenishment, Supply, replenish
from erp_forecast_addon.planning.settings import PlanSettings
from erp_forecast_addon.planning.tables import DATED, SOURCING

AS_OF = date(2026, 3, 1)
WAREHOUSE = "Stores - T"


def day(offset: int) -> pd.Timestamp:
    """AS_OF + offset days."""
    return pd.Timestamp(AS_OF) + pd.Timedelta(days=offset)


def item(code: str = "A", **values: Any) -> dict[str, Any]:
    return {"item_code": code, "stock_uom": "Nos", "stock_uom_whole": True, "selling_rate": 15.0} | values


def source(code: str = "A", **values: Any) -> dict[str, Any]:
    return {
        "item_code": code,
        "supplier": "Best",
        "is_default": True,
        "rate": 10.0,
        "currency": "EUR",
        "uom": "Nos",
        "lead_time_days": 7.0,
        "lead_time_std_days": 1.0,
        "lead_time_source": "receipts",
    } | values


def stock(code: str = "A", on_hand_qty: float = 0.0, **values: Any) -> dict[str, Any]:
    return {"item_code": code, "warehouse": WAREHOUSE, "on_hand_qty": on_hand_qty, "valuation_rate": 10.0} | values


def dated(code: str, days_ahead: int, qty: float, kind: str) -> dict[str, Any]:
    return {"item_code": code, "warehouse": WAREHOUSE, "day": day(days_ahead), "qty": qty, "kind": kind}


@dataclass
class Case:
    """daily: item_code -> mean a day (flat) or a path; std: item_code -> deviation a day, 1.0 unless said."""

    daily: dict[str, Any] = field(default_factory=lambda: {"A": 10.0})
    std: dict[str, float] = field(default_factory=dict)
    positions: list[dict[str, Any]] = field(default_factory=lambda: [stock()])
    items: list[dict[str, Any]] = field(default_factory=lambda: [item()])
    sourcing: list[dict[str, Any]] = field(default_factory=lambda: [source()])
    dated: list[dict[str, Any]] = field(default_factory=list)
    settings: PlanSettings = field(
        default_factory=lambda: PlanSettings(company="T", currency="EUR", policy_method="Textbook")
    )

    def outlook(self) -> DemandOutlook:
        codes = sorted(self.daily)
        keys = pd.DataFrame({"item_code": pd.Series(codes, dtype=object), "warehouse": WAREHOUSE})
        flat = np.array([float(np.mean(self.daily[c])) for c in codes])

        def daily_mean(as_of: date, days: int) -> np.ndarray:
            return np.array([np.resize(np.asarray(self.daily[c], dtype=float), days) for c in codes]).reshape(-1, days)

        return DemandOutlook(
            keys,
            np.full(len(codes), "Smooth", dtype=object),
            daily_mean,
            lambda: np.array([self.std.get(c, 1.0) for c in codes]),
            flat * 365.0,
        )

    def supply(self) -> Supply:
        dated_frame = pd.DataFrame(self.dated) if self.dated else DATED.empty()
        sourcing = pd.DataFrame(self.sourcing) if self.sourcing else SOURCING.empty()
        return Supply(dated_frame, pd.DataFrame(self.items), sourcing)

    def run(self) -> Replenishment:
        return replenish(self.outlook(), pd.DataFrame(self.positions), self.supply(), self.settings, AS_OF)


def sentences(result: Replenishment, kind: str) -> list[str]:
    return [fault.sentence() for fault in result.faults if fault.kind == kind]
