"""What a report shows: plain frames and records, read from a site by services/report.py."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd

from erp_forecast_addon.reporting.charts import DemandCurve, StockPath


@dataclass(frozen=True)
class ItemPicture:
    """One item in one warehouse. Quantities in stock UOM; demand, stock: None where nothing is known."""

    item_code: str
    item_name: str
    warehouse: str
    stock_uom: str
    abc_class: str
    demand_class: str
    model: str
    on_hand_qty: float
    safety_stock_qty: float
    reorder_point_qty: float
    lead_time_days: float
    demand: DemandCurve | None
    stock: StockPath | None


@dataclass(frozen=True)
class ReportContents:
    """run: fields of the last Forecast Run; steps, orders, lines, exceptions, policies, forecasts: columns are the
    fieldnames of our DocTypes, plus `item` (code and name) and in lines `quantity` (number and unit);
    accuracy: one row per demand class; pictures: the items that are charted; replay: the latest Policy Replay with its
    course by week, None where the past was never replayed; requests: lines of
    drafted transfers and of what production is asked for, with `item` and `quantity`. Amounts without a currency of
    their own are in `currency`, the company's.
    """

    company: str
    currency: str
    written_at: datetime
    run: dict[str, Any]
    steps: pd.DataFrame
    orders: pd.DataFrame
    lines: pd.DataFrame
    exceptions: pd.DataFrame
    policies: pd.DataFrame
    forecasts: pd.DataFrame
    accuracy: pd.DataFrame
    pictures: list[ItemPicture]
    replay: dict[str, Any] | None = None
    requests: pd.DataFrame = field(default_factory=pd.DataFrame)

    def short_soon(self) -> int:
        """Pairs whose stock is expected to run out within lead time and review period, if nothing is ordered."""
        if self.policies.empty:
            return 0
        until = pd.Timestamp(self.run["as_of"]) + pd.to_timedelta(np.ceil(self.policies["protection_days"]), unit="D")
        return int((pd.to_datetime(self.policies["shortage_on"]) <= until).sum())
