"""Keeping 30,000 forecasts by the week and judging them, on a live site or an embedded one.

    python -m benchmarks.accuracy --bench ~/frappe-bench --site SITE
    python -m benchmarks.accuracy --embedded

Fourteen weeks of forecasts are kept first; then a night that keeps again what stands there, the night that judges a
week for the first time (four lags of 30,000 rows), and the week after, whose rows exist already. The rows belong to a
company that does not exist and are deleted at the end.
"""

import argparse
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.bench_site import connected, inside_bench
from benchmarks.publish import COMPANY, synthetic_plan
from erp_forecast_addon.planning.accuracy import first_whole_week
from erp_forecast_addon.planning.forecasting.forecast import ForecastSet
from erp_forecast_addon.services import accuracy
from erp_forecast_addon.site.port import Site

WEEKS = 14
LIMIT_SECONDS = 5.0


@contextmanager
def embedded_site() -> Iterator[Site]:
    from erp_forecast_addon.site.embedded import EmbeddedSite

    with tempfile.TemporaryDirectory() as folder, EmbeddedSite.create(Path(folder) / "site.sqlite") as site:
        yield site


@contextmanager
def live_site(bench: Path, name: str) -> Iterator[Site]:
    with connected(bench, name) as frappe:
        from erp_forecast_addon.site.frappe_site import FrappeSite

        try:
            yield FrappeSite()
        finally:
            frappe.db.rollback()
            for doctype in (accuracy.SNAPSHOT, accuracy.ACCURACY, accuracy.WEEK):
                frappe.db.delete(doctype, {"company": COMPANY})
            frappe.db.commit()


def as_of(forecasts: ForecastSet, day: date) -> ForecastSet:
    starts = np.datetime64(day, "ns") + np.arange(1, forecasts.mean.shape[1] + 1) * np.timedelta64(1, "D")
    return replace(forecasts, as_of=day, starts=starts)


def sales(keys: pd.DataFrame, last: date, seed: int = 1) -> pd.DataFrame:
    """Demand on a tenth of the days of the year up to `last`."""
    rng = np.random.default_rng(seed)
    days = pd.date_range(end=last, periods=365)
    pair = np.repeat(np.arange(len(keys)), 36)
    day = rng.integers(0, 365, len(pair))
    cell = np.unique(pair * 365 + day)
    return pd.DataFrame({
        "item_code": keys["item_code"].to_numpy()[cell // 365], "warehouse": keys["warehouse"].to_numpy()[cell // 365],
        "day": days[cell % 365], "demand_qty": rng.poisson(4, len(cell)).astype(float), "opening_qty": 100.0,
        "closing_qty": 90.0,
    })  # fmt: skip


def timed(what: str, rows: Any) -> float:
    began, busy = time.perf_counter(), time.process_time()
    done = rows()
    seconds = time.perf_counter() - began
    print(f"{what}: {done} in {seconds:.1f} s (own CPU {time.process_time() - busy:.1f} s)", flush=True)
    return seconds


def measure_all(site: Site, pairs: int) -> None:
    forecasts = synthetic_plan(pairs)[0].forecasts
    naive = forecasts.mean.astype(np.float32)

    last = first_whole_week(site.as_of()) - timedelta(days=8)  # a Sunday; snapshots of weeks that began are settled

    def keep(day: date) -> int:
        return accuracy.record_forecasts(site, COMPANY, as_of(forecasts, day), naive)

    for week in range(WEEKS):
        timed(f"first keeping, week {week + 1}", lambda week=week: keep(last - timedelta(days=7 * (WEEKS - week))))
    buckets = sales(forecasts.keys, last + timedelta(days=9))
    timed("judging all weeks so far", lambda: accuracy.measure(site, COMPANY, last + timedelta(days=2), buckets))
    nightly = [
        timed("a night that only looks", lambda: accuracy.measure(site, COMPANY, last + timedelta(days=3), buckets)),
        timed("keeping the next week", lambda: keep(last + timedelta(days=1))),
        timed("keeping it again the night after", lambda: keep(last + timedelta(days=2))),
    ]
    weekly = timed("judging one week", lambda: accuracy.measure(site, COMPANY, last + timedelta(days=9), buckets))
    print(
        f"nights of a week: {nightly[0] + nightly[2]:.1f} s, once a week {weekly:.1f} s more (limit {LIMIT_SECONDS} s)"
    )
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--bench", type=Path, default=Path("~/frappe-bench"), help="folder of the bench")
    parser.add_argument("--site", help="a site of it that may be written to: no customer's")
    parser.add_argument("--embedded", action="store_true", help="on a new embedded site instead")
    parser.add_argument("--pairs", type=int, default=30_000)
    given = parser.parse_args()
    if given.embedded:
        with embedded_site() as site:
            measure_all(site, given.pairs)
    elif given.site:
        with live_site(inside_bench(given.bench, "benchmarks.accuracy"), given.site) as site:
            measure_all(site, given.pairs)
    else:
        sys.exit("Give --site or --embedded.")


if __name__ == "__main__":
    main()
