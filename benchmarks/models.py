"""Speed and accuracy of the panel models on the M5 sales: all series, all models, choice, 28 days with quantiles.

    python -m benchmarks.models --data ../shared/data/m5 [--origin 1885]

Prints seconds, peak memory and, if the scoring script lies beside the data (../../eval/wrmsse.py), the WRMSSE over
twelve levels next to that of the seasonal window average. Nothing after the origin is seen by the forecast.
"""

import argparse
import importlib.util
import resource
import time
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd

from erp_forecast_addon.planning.forecasting.forecast import ForecastSet, forecast_panel
from erp_forecast_addon.planning.panel import Panel
from erp_forecast_addon.planning.settings import PlanSettings

HORIZON = 28
FIRST_DAY_OF_M5 = np.datetime64("2011-01-29")


def m5_panel(sales: pd.DataFrame, origin: int) -> Panel:
    """The item-store series as a panel whose last day is d_`origin`. A series begins with its first sale."""
    days = [int(column[2:]) for column in sales.columns if column.startswith("d_")]
    days = [day for day in days if day <= origin]
    demand = sales[[f"d_{day}" for day in days]].to_numpy(dtype=float)
    sold = demand > 0
    first = np.where(sold.any(axis=1), np.argmax(sold, axis=1), len(days) - 1)
    keys = pd.DataFrame({"item_code": sales["item_id"].astype(object), "warehouse": sales["store_id"].astype(object)})
    hierarchy = pd.DataFrame(
        {"item_group": sales["dept_id"].astype(object), "brand": "", "warehouse": keys["warehouse"], "company": ""}
    )
    starts = FIRST_DAY_OF_M5 + np.array(days) - 1
    return Panel(
        keys=keys,
        period="day",
        starts=starts.astype("datetime64[ns]"),
        demand=demand,
        in_stock=np.ones(demand.shape, dtype=bool),
        first=first,
        hierarchy=hierarchy,
    )


def scoring_script(data: Path) -> ModuleType | None:
    path = data.parent.parent / "eval" / "wrmsse.py"
    if not path.exists():
        return None
    spec = importlib.util.spec_from_file_location("wrmsse", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def print_score(scoring: ModuleType, forecast: ForecastSet, sales: pd.DataFrame, data: Path, origin: int) -> None:
    future = [f"d_{day}" for day in range(origin + 1, origin + HORIZON + 1)]
    if any(day not in sales for day in future):
        print(f"not scored: the data ends before d_{origin + HORIZON}")
        return
    weights = pd.read_parquet(data / "wrmsse_weights.parquet")
    actual = sales[future].to_numpy(dtype=float)
    window = sales[[f"d_{day}" for day in range(origin - 55, origin + 1)]].to_numpy(dtype=float).reshape(-1, 8, 7)
    average = np.tile(window.mean(axis=1), HORIZON // 7)
    mine, reference = (scoring.wrmsse(values, actual, sales, weights) for values in (forecast.mean, average))
    ratio = mine["mean"] / reference["mean"]
    print(f"WRMSSE {mine['mean']:.4f}, seasonal window average {reference['mean']:.4f}, ratio {ratio:.3f}")


def main() -> None:
    cli = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    cli.add_argument("--data", type=Path, default=Path("../shared/data/m5"))
    cli.add_argument("--origin", type=int, default=1885, help="last day that the forecast may see")
    args = cli.parse_args()
    if not (args.data / "sales_daily.parquet").exists():
        raise SystemExit(f"no sales_daily.parquet in {args.data}: give the M5 folder with --data")
    sales = pd.read_parquet(args.data / "sales_daily.parquet")
    panel = m5_panel(sales, args.origin)
    begin = time.perf_counter()
    forecast = forecast_panel(panel, HORIZON, PlanSettings("M5"))
    seconds = time.perf_counter() - begin
    peak_gb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(f"{panel.n} series x {panel.t} days: {seconds:.1f} s, peak memory {peak_gb:.2f} GB")
    counts = pd.Series(forecast.model).value_counts()
    print("models: " + ", ".join(f"{name} {count}" for name, count in counts.items()))
    scoring = scoring_script(args.data)
    if scoring is None:
        print("not scored: no eval/wrmsse.py beside the data")
    else:
        print_score(scoring, forecast, sales, args.data, args.origin)


if __name__ == "__main__":
    main()
