"""Publishing 30,000 Demand Forecasts (90-day daily curves) and 30,000 Safety Stock Policies into MariaDB.

    python -m benchmarks.publish --bench ~/frappe-bench --site SITE

A second
publication follows, which updates every row, as every night does. The rows, which belong to a company of that name
that does not exist, are deleted at the end.
"""

import resource
import time
from datetime import date

import numpy as np
import pandas as pd

from benchmarks.bench_site import arguments, connected, inside_bench
from erp_forecast_addon.planning.forecasting import quantiles
from erp_forecast_addon.planning.forecasting.forecast import ForecastSet
from erp_forecast_addon.planning.forecasting.quantiles import Spread
from erp_forecast_addon.planning.plan import Plan
from erp_forecast_addon.planning.replenishment import DemandOutlook
from erp_forecast_addon.planning.settings import DEFAULT_QUANTILES, PlanSettings
from erp_forecast_addon.planning.tables import ITEMS, POLICIES, POSITIONS, PROPOSALS
from erp_forecast_addon.services.publish import FORECAST, POLICY, publish_forecasts, publish_policies
from erp_forecast_addon.site.settings import CompanySettings

COMPANY = "Benchmark of Publishing"
AS_OF = date(2026, 11, 20)
HORIZON = 90
LIMIT_SECONDS = 60


def synthetic_plan(pairs: int, seed: int = 0) -> tuple[Plan, pd.DataFrame, pd.DataFrame]:
    """A plan of `pairs` pairs with curves that do not repeat, the items and the positions."""
    rng = np.random.default_rng(seed)
    keys = pd.DataFrame({
        "item_code": [f"Benchmark Item {n:05d}" for n in range(pairs)], "warehouse": "Benchmark Warehouse",
    })  # fmt: skip
    mean = rng.gamma(1.0, 20.0, (pairs, 1)) * (1.0 + 0.4 * np.sin(np.arange(HORIZON) * 2 * np.pi / 7))
    mean = mean * rng.uniform(0.9, 1.1, mean.shape)
    spread = np.array(DEFAULT_QUANTILES) * 2.0
    forecasts = ForecastSet(
        keys=keys, period="day", starts=np.datetime64(AS_OF, "ns") + np.arange(1, HORIZON + 1) * np.timedelta64(1, "D"),
        mean=mean, quantile_levels=np.array(DEFAULT_QUANTILES),
        quantiles=(mean[:, :, None] * spread).astype(np.float32),
        model=np.full(pairs, "Seasonal Window Average", dtype=object),
        reason_template=np.full(pairs, "{model} had the smallest error: {mase} of the naive forecast's.", dtype=object),
        reason_values=np.array([{"model": "Seasonal Window Average", "mase": 0.71}] * pairs, dtype=object),
        demand_class=np.full(pairs, "Erratic", dtype=object),
        accuracy=pd.DataFrame({name: rng.random(pairs) for name in ("wape", "mase", "rmsse", "bias", "pinball")}),
        error_std=np.ones(pairs), as_of=AS_OF, stages={"model": mean.astype(np.float32)}, factors={}, finished=None,
        spread=_spread(mean, rng), whole=np.ones(pairs, dtype=bool),
        learned=None,  # type: ignore[arg-type]  # nothing here looks at it
    )  # fmt: skip
    numbers = {name: rng.random(pairs) for name, column in POLICIES.columns.items() if column.kind == "number"}
    texts = {name: "" for name, column in POLICIES.columns.items() if column.kind == "text"}
    policies = pd.DataFrame({**texts, **numbers, **keys.to_dict("list")}).assign(
        abc_class="B", demand_class="Erratic", method="Textbook", lead_time_source="receipts",
        shortage_on=pd.Timestamp(AS_OF), explanation_template="Safety stock {stock} = z {z} times the deviation.",
        explanation_values=[{"stock": 12.5, "z": 1.645}] * pairs,
    )  # fmt: skip
    items = ITEMS.check(pd.DataFrame({"item_code": keys["item_code"], "item_name": keys["item_code"],
                                      "stock_uom": "Nos", "item_group": "Goods"}))  # fmt: skip
    positions = POSITIONS.check(keys.assign(on_hand_qty=1.0))
    outlook = DemandOutlook(keys, forecasts.demand_class, forecasts.daily_mean, forecasts.daily_std, np.ones(pairs))
    return Plan(forecasts, POLICIES.check(policies), PROPOSALS.empty(), [], outlook), items, positions


def _spread(mean: np.ndarray, rng: np.random.Generator) -> Spread:
    """As if one backtest of four weeks had missed by chance alone."""
    past = mean[None, :, :28].astype(np.float32)
    came = rng.poisson(past).astype(np.float32)
    scored, classes = np.ones(past.shape, dtype=bool), np.full(len(mean), "Erratic", dtype=object)
    learned = quantiles.learn(came, past, scored, classes, season_length=7)
    return learned.spread(came, past, scored, mean.mean(axis=1), classes)


def main() -> None:
    parser = arguments(__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=30_000)
    given = parser.parse_args()
    bench = inside_bench(given.bench, "benchmarks.publish")
    plan, items, positions = synthetic_plan(given.pairs)
    settings = CompanySettings(COMPANY, PlanSettings(COMPANY, "USD"))
    with connected(bench, given.site) as frappe:
        from erp_forecast_addon.site.frappe_site import FrappeSite

        site = FrappeSite()
        try:
            for what in ("insert", "update"):
                began = time.perf_counter()
                publish_forecasts(site, f"run {what}", plan, settings, items)
                middle = time.perf_counter()
                publish_policies(site, f"run {what}", plan, settings, items, positions)
                ended = time.perf_counter()
                print(
                    f"{what}: {given.pairs:,} forecasts {middle - began:.1f} s, {given.pairs:,} policies "
                    f"{ended - middle:.1f} s, together {ended - began:.1f} s (limit {LIMIT_SECONDS} s)", flush=True,
                )  # fmt: skip
            print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")
        finally:
            frappe.db.rollback()
            for doctype in (FORECAST, POLICY):
                frappe.db.delete(doctype, {"company": COMPANY})
            frappe.db.commit()


if __name__ == "__main__":
    main()
