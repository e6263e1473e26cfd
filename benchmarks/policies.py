"""Time of the stock levels of 30,490 item-store pairs from ready forecasts, method by method.

    python -m benchmarks.policies --data ../shared/data/m5

Forecasts every M5 series (not counted), spreads supplier lead times with their distributions, costs, lots and shelf
lives over the pairs, and sets the levels of every pair by each method: demand over the lead time and the protection
interval as mixtures, levels, limits, what they are expected to do. Prints one JSON object. Target (two cores): under 60
seconds for each distribution method, everything counted. Exits with 1 where it is missed.
"""

import argparse
import json
import resource
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.m5_data import m5_panel, read_sales
from erp_forecast_addon.planning.forecasting.forecast import ForecastSet, forecast_panel
from erp_forecast_addon.planning.inventory.lead_time_distribution import LeadTimeDistributions, from_moments
from erp_forecast_addon.planning.plan import last_year_demand, panel_variation
from erp_forecast_addon.planning.replenishment import DemandOutlook, Supply, replenish
from erp_forecast_addon.planning.settings import POLICY_METHODS, PlanSettings
from erp_forecast_addon.planning.tables import DATED

MOST_SECONDS = 60.0
DISTRIBUTION_METHODS = ("Cycle Service Level", "Fill Rate", "Least Cost")
ORIGIN, HORIZON, SUPPLIERS = 1885, 56, 200
SEED = 4


def supply_of(forecasts: ForecastSet, prices: np.ndarray) -> tuple[Supply, pd.DataFrame]:
    """Suppliers with learned lead times, lots and costs for every item; positions with a week's demand on hand."""
    random = np.random.default_rng(SEED)
    keys = forecasts.keys
    items = keys.drop_duplicates("item_code")["item_code"].to_numpy(dtype=object)
    supplier = np.array([f"S{k:03d}" for k in random.integers(0, SUPPLIERS, len(items))], dtype=object)
    names = np.array([f"S{k:03d}" for k in range(SUPPLIERS)], dtype=object)
    centre = random.uniform(2.0, 45.0, SUPPLIERS)
    learned = LeadTimeDistributions(
        supplier=names,
        item_code=np.full(SUPPLIERS, "", dtype=object),
        probability=from_moments(centre, centre * random.uniform(0.0, 0.5, SUPPLIERS)),
        observations=np.full(SUPPLIERS, 20.0),
        source=np.full(SUPPLIERS, "receipts", dtype=object),
    )
    of_item = pd.Series(prices, index=keys["item_code"]).groupby(level=0).mean().reindex(items).to_numpy()
    row = learned.rows_of(supplier, items)
    sourcing = pd.DataFrame({
        "item_code": items, "supplier": supplier, "is_default": True, "rate": of_item, "currency": "USD",
        "lead_time_days": (learned.probability @ np.arange(learned.probability.shape[1]))[row],
        "lead_time_std_days": 1.0, "lead_time_source": "receipts",
        "min_order_qty": random.choice([0.0, 6.0, 24.0], len(items)),
        "order_multiple_qty": random.choice([0.0, 0.0, 6.0], len(items)),
    })  # fmt: skip
    table = pd.DataFrame({
        "item_code": items, "stock_uom": "Nos", "stock_uom_whole": True, "selling_rate": of_item * 1.4,
        "shelf_life_days": np.where(random.random(len(items)) < 0.2, 60.0, np.nan),
    })  # fmt: skip
    on_hand = np.round(forecasts.horizon_total(7))
    positions = keys.assign(on_hand_qty=on_hand, valuation_rate=prices)
    return Supply(DATED.empty(), table, sourcing, learned), positions


def measure(data: Path, sample: int | None, methods: Sequence[str] = POLICY_METHODS) -> dict[str, Any]:
    sales = read_sales(data)
    sales = sales if sample is None else sales.iloc[:: max(1, len(sales) // sample)].reset_index(drop=True)
    panel = m5_panel(data, sales, ORIGIN, HORIZON)
    plan = PlanSettings("M5", "USD", horizon_days=HORIZON, order_cost=5.0)
    forecasts = forecast_panel(panel, HORIZON, plan)
    listed = pd.read_parquet(data / "sell_prices.parquet").groupby(["item_id", "store_id"])["sell_price"].last()
    prices = listed.reindex(pd.MultiIndex.from_frame(forecasts.keys)).fillna(1.0).to_numpy(dtype=float)
    outlook = DemandOutlook(
        forecasts.keys, forecasts.demand_class, forecasts.daily_mean, forecasts.daily_std,
        last_year_demand(panel, forecasts.as_of), forecasts.totals, panel_variation(panel),
        paths=forecasts.paths, long_run_daily=forecasts.long_run_daily,
    )  # fmt: skip
    supply, positions = supply_of(forecasts, prices)
    result: dict[str, Any] = {"pairs": forecasts.n, "seconds": {}, "levels": {}}
    for method in methods:
        began = time.perf_counter()
        own = replace(plan, policy_method=method, unmet_demand="Is Lost")
        made = replenish(outlook, positions, supply, own, forecasts.as_of)
        result["seconds"][method] = round(time.perf_counter() - began, 1)
        result["levels"][method] = _summary(made.policies)
    result["peak_gb"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, 2)
    return result


def _summary(policies: pd.DataFrame) -> dict[str, float]:
    """Weighed by demand: what the method expects to serve and to hold."""
    money = policies["daily_demand_mean"]
    return {
        "fill_rate_pct": round(float(np.average(policies["expected_fill_rate_pct"], weights=money)), 2),
        "stock_value": round(float(policies["expected_stock_value"].sum())),
        "yearly_cost": round(float(policies["yearly_cost"].sum())),
        "stopped": int((policies["clamp"] != "").sum()),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description="Time of the stock levels of all M5 series, method by method.")
    parser.add_argument("--data", type=Path, required=True, help="the folder of the M5 data")
    parser.add_argument("--sample", type=int, help="only about so many series")
    parser.add_argument("--methods", nargs="+", choices=POLICY_METHODS, default=POLICY_METHODS, metavar="METHOD")
    given = parser.parse_args()
    if not (given.data / "sales_daily.parquet").is_file():
        print(f"skipped: no sales_daily.parquet in {given.data}")
        return 0
    result = measure(given.data, given.sample, given.methods)
    met = all(result["seconds"].get(method, 0.0) <= MOST_SECONDS for method in DISTRIBUTION_METHODS)
    print(json.dumps({**result, "met": met}, indent=1))
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
