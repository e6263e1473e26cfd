"""How time and memory of a forecast grow with the number of series: fast tier, 730 days, by default 10,000 to 100,000.

    python -m benchmarks.scaling --sizes 10000 30000 100000

The panel is made up and seeded: item groups under parents, warehouses, a week, a yearly season, trends, a third of the
series intermittent, empty shelves, young series; events, a promotion by item group, weather and prices as drivers. Each
size is a process of its own, so that its peak memory is its own. Growth is that of CPU seconds (a shared machine
stretches the others) and of memory beyond what an empty process holds, per series, against the first size: at most 1
says no faster than the data.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from erp_forecast_addon.planning.drivers import Driver
from erp_forecast_addon.planning.forecasting.forecast import forecast_panel
from erp_forecast_addon.planning.panel import Panel
from erp_forecast_addon.planning.settings import PlanSettings

REPOSITORY = Path(__file__).resolve().parent.parent
HORIZON = 28
LAST_DAY = date(2026, 6, 30)
GROUPS, PARENTS, HOUSES = 40, 8, 10
# Seconds and memory of two runs of the same size differ by so much on a machine that does other things too.
_NOISE = 1.10
_ROWS_AT_ONCE = 4096


def main() -> int:
    options = _options()
    if options.one:
        print(json.dumps(_measure(options.one, options.days)))
        return 0
    small: dict[str, float] = {}
    worst = 0.0
    for size in options.sizes:
        told = _alone(size, options.days)
        small = small or told
        growth = {name: told[name] / size / (small[name] / small["series"]) for name in ("cpu_seconds", "grown_mb")}
        worst = max(worst, *growth.values())
        print(
            f"{size:>7,} series x {options.days} days: {told['seconds']:.1f} s, CPU {told['cpu_seconds']:.1f} s, "
            f"peak {told['peak_mb']:,.0f} MB (empty {told['empty_mb']:.0f}, panel {told['panel_mb']:,.0f}); "
            f"per series CPU {1e3 * told['cpu_seconds'] / size:.3f} ms, {1e3 * told['grown_mb'] / size:.1f} kB; "
            f"growth {growth['cpu_seconds']:.2f} and {growth['grown_mb']:.2f}",
            flush=True,
        )
    return int(worst > _NOISE)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 30_000, 100_000], help="series, rising")
    parser.add_argument("--days", type=int, default=730)
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    return parser.parse_args()


def _alone(size: int, days: int) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.scaling", "--one", str(size), "--days", str(days)]
    done = subprocess.run(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True, check=True)
    return dict(json.loads(done.stdout.strip().splitlines()[-1]))


def _measure(size: int, days: int) -> dict[str, float]:
    forecast_panel(made_up_panel(20, days), HORIZON, PlanSettings("Made Up"))  # imports and the first use of everything
    empty = _peak_mb()
    panel = made_up_panel(size, days)
    with_panel = _peak_mb()
    began, busy = time.perf_counter(), time.process_time()
    forecast = forecast_panel(panel, HORIZON, PlanSettings("Made Up", horizon_days=HORIZON))
    seconds, busy = time.perf_counter() - began, time.process_time() - busy
    if not np.isfinite(forecast.mean).all():
        raise RuntimeError("A forecast is not finite")
    peak = _peak_mb()
    return {
        "series": size, "seconds": seconds, "cpu_seconds": busy, "empty_mb": empty, "panel_mb": with_panel - empty,
        "peak_mb": peak, "grown_mb": peak - empty,
    }  # fmt: skip


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def made_up_panel(n: int, days: int, seed: int = 11) -> Panel:
    """n series of `days` days up to LAST_DAY, drivers that reach over HORIZON; the same for the same seed."""
    rng = np.random.default_rng(seed)
    group, house = np.arange(n) // HOUSES % GROUPS, np.arange(n) % HOUSES
    starts = pd.date_range(end=pd.Timestamp(LAST_DAY), periods=days, freq="D").to_numpy().astype("datetime64[ns]")
    ahead = np.arange(days + HORIZON)
    promotion = (rng.random((GROUPS, days + HORIZON)) < 0.02).astype(np.float32)
    feast = (ahead % 365 == 180).astype(np.float32)
    warmth = np.sin(2 * np.pi * ahead / 365).astype(np.float32)
    price = _prices(rng, -(-n // HOUSES), days + HORIZON)
    common = 1 + 0.8 * feast + 0.15 * warmth
    demand, in_stock = np.empty((n, days)), np.empty((n, days), dtype=bool)
    first = np.where(rng.random(n) < 0.15, rng.integers(0, max(1, days - 30), n), 0)
    for at in range(0, n, _ROWS_AT_ONCE):
        rows = slice(at, min(at + _ROWS_AT_ONCE, n))
        rate = _rate(rng, rows.stop - rows.start, days)
        rate *= common[:days] * (1 + 0.6 * promotion[group[rows], :days])
        rate *= price[np.arange(n)[rows] // HOUSES, :days] ** -1.5
        sold = rng.poisson(rate) * (np.arange(days) >= first[rows, None])
        in_stock[rows] = rng.random(rate.shape) >= 0.02
        demand[rows] = np.where(in_stock[rows], sold, 0)
    hierarchy = pd.DataFrame({
        "item_group": _names("Group", group), "item_group_parent": _names("Parent", group % PARENTS), "brand": "",
        "warehouse": _names("House", house), "warehouse_group": _names("Region", house % 2), "company": "Made Up",
    }).astype(object)  # fmt: skip
    panel = Panel(
        keys=pd.DataFrame({"item_code": _names("Item", np.arange(n) // HOUSES), "warehouse": _names("House", house)}),
        period="day", starts=starts, demand=demand, in_stock=in_stock, first=first.astype(np.int64),
        hierarchy=hierarchy, as_of=LAST_DAY,
    )  # fmt: skip
    return panel.with_drivers({
        "Feast": Driver("event", feast), "Promotion": Driver("event", promotion, rows=group),
        "Warmth": Driver("signal", warmth), "Price": Driver("price", price, rows=np.arange(n) // HOUSES),
    })  # fmt: skip


def _rate(rng: np.random.Generator, n: int, days: int) -> np.ndarray:
    """Expected demand without drivers: level, week and trend; a third sells on few days. (n, days)"""
    level = rng.gamma(0.7, 6.0, n)
    slow = rng.random(n) < 1 / 3
    level[slow] *= 0.05
    week = 1 + 0.4 * np.sin(2 * np.pi * (np.arange(7) + rng.uniform(0, 7, (n, 1))) / 7)
    trend = 1 + rng.normal(0, 0.2, (n, 1)) * np.linspace(-1, 0, days)
    return np.asarray(level[:, None] * week[:, np.arange(days) % 7] * np.maximum(trend, 0.1))


def _prices(rng: np.random.Generator, items: int, days: int) -> np.ndarray:
    """Around 1, a tenth off for a week now and then. (items, days) float32"""
    weeks = rng.random((items, -(-days // 7))) < 0.05
    return np.repeat(np.where(weeks, 0.9, 1.0).astype(np.float32), 7, axis=1)[:, :days]


def _names(what: str, numbers: np.ndarray) -> np.ndarray:
    used, at = np.unique(numbers, return_inverse=True)
    return np.array([f"{what} {number:06d}" for number in used.tolist()], dtype=object)[at]


if __name__ == "__main__":
    sys.exit(main())
