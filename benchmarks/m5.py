"""Forecast the M5 sales: 28 days after an origin for all 30,490 item-store series.

    python -m benchmarks.m5 --data ../shared/data/m5 --origin 1885 --out FORECASTS.parquet [--quantiles Q.parquet]
        [--tier fast|full]

Reads sales_daily, calendar and sell_prices only, and of the sales nothing after the origin. FORECASTS: one row per
series, a column `id` and 28 columns. Q: one row per series and level, columns `id`, `level` and 28 more. Prints
seconds, peak memory and, if the scoring script and the actual sales are there (../../eval/wrmsse.py), the WRMSSE and
its ratio to the seasonal window average.
"""

import argparse
import resource
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.m5_data import m5_panel, read_sales
from benchmarks.scripts import load_script
from erp_forecast_addon.planning.forecasting.forecast import ForecastSet, forecast_panel
from erp_forecast_addon.planning.settings import DEFAULT_QUANTILES, PlanSettings

HORIZON = 28
M5_LEVELS = (0.005, 0.025, 0.165, 0.25, 0.5, 0.75, 0.835, 0.975, 0.995)
ALL_LEVELS = tuple(sorted({*M5_LEVELS, *(round(percent / 100, 2) for percent in range(1, 100))}))
COLUMNS = [f"F{step}" for step in range(1, HORIZON + 1)]


def print_score(mean: np.ndarray, sales: pd.DataFrame, data: Path, origin: int) -> None:
    """Reads what came only after the forecast is made."""
    scoring = load_script(data.resolve().parent.parent / "eval" / "wrmsse.py")
    future = [f"d_{day}" for day in range(origin + 1, origin + HORIZON + 1)]
    if scoring is None or any(day not in sales for day in future):
        print(f"not scored: no eval/wrmsse.py beside the data, or the data ends before d_{origin + HORIZON}")
        return
    weights = pd.read_parquet(data / "wrmsse_weights.parquet")
    actual = sales[future].to_numpy(dtype=float)
    window = sales[[f"d_{day}" for day in range(origin - 55, origin + 1)]].to_numpy(dtype=float).reshape(-1, 8, 7)
    average = np.tile(window.mean(axis=1), HORIZON // 7)
    mine, reference = (scoring.wrmsse(values, actual, sales, weights) for values in (mean, average))
    for level in mine:
        ratio = mine[level] / reference[level]
        print(f"{level:9s} {mine[level]:.4f}   window average {reference[level]:.4f} ratio {ratio:.3f}")


def write_quantiles(forecast: ForecastSet, ids: np.ndarray, out: Path) -> None:
    n, _h, q = forecast.quantiles.shape
    values = forecast.quantiles.transpose(0, 2, 1).reshape(n * q, HORIZON)
    table = pd.DataFrame(values, columns=COLUMNS)
    table.insert(0, "level", np.tile(forecast.quantile_levels, n))
    table.insert(0, "id", np.repeat(ids, q))
    table.to_parquet(out)


def main() -> None:
    cli = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    cli.add_argument("--data", type=Path, default=Path("../shared/data/m5"))
    cli.add_argument("--origin", type=int, default=1885, help="last day that the forecast may see")
    cli.add_argument("--out", type=Path, help="where the means go")
    cli.add_argument(
        "--quantiles", type=Path, help="where 105 quantiles a day go (the nine of the M5 and all percents)"
    )
    cli.add_argument("--tier", choices=("fast", "full"), default="fast")
    args = cli.parse_args()
    sales = read_sales(args.data)
    panel = m5_panel(args.data, sales, args.origin, HORIZON)
    levels = ALL_LEVELS if args.quantiles else DEFAULT_QUANTILES
    settings = replace(PlanSettings("M5"), tier=args.tier, horizon_days=HORIZON, quantile_levels=levels)
    begin = time.perf_counter()
    forecast = forecast_panel(panel, HORIZON, settings)
    seconds = time.perf_counter() - begin
    peak_gb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(f"{args.tier} tier, {panel.n} series x {panel.t} days: {seconds:.1f} s, peak memory {peak_gb:.2f} GB")
    if args.out:
        means = pd.DataFrame(forecast.mean, columns=COLUMNS)
        means.insert(0, "id", sales["id"].to_numpy())
        means.to_parquet(args.out)
    if args.quantiles:
        write_quantiles(forecast, sales["id"].to_numpy(), args.quantiles)
    print_score(forecast.mean, sales, args.data, args.origin)


if __name__ == "__main__":
    main()
