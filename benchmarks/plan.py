"""Import and plan the whole Online Retail data set on an embedded site.

    python -m benchmarks.plan --data ../shared/data/online_retail

Prints one JSON object: seconds of the import, of each step of the run and in all, items planned and drafted, peak
memory of this process. Target (two cores): import and run under 60 s and 2 GB, with drafted orders for at least 1,000
items. Exits with 1 where the target is missed. Without the data it says so and exits with 0.
"""

import argparse
import json
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from erp_forecast_addon.services.run import run_company
from erp_forecast_addon.site.embedded import EmbeddedSite
from erp_forecast_addon.site.importers.online_retail import import_online_retail

MOST_SECONDS, MOST_GB, LEAST_ITEMS = 60.0, 2.0, 1000
FILE = "online_retail.parquet"


def measure(source: Path, database: Path) -> dict[str, Any]:
    """Import `source` into a new site at `database` and plan its company once."""
    began = time.perf_counter()
    with EmbeddedSite.create(database) as site:
        company = import_online_retail(site, source).company
        imported = time.perf_counter()
        run = run_company(site, company, triggered_by="Command")
        ended = time.perf_counter()
        return {
            "import_seconds": round(imported - began, 1),
            "run_seconds": round(ended - imported, 1),
            "seconds": round(ended - began, 1),
            "step_seconds": _steps(site, run),
            **_counts(site),
            "peak_gb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, 2),
            "file_mb": round(database.stat().st_size / 2**20),
        }


def _steps(site: EmbeddedSite, run: str) -> dict[str, float]:
    rows = site.read('SELECT step, seconds FROM "tabForecast Run Step" WHERE parent = ? ORDER BY idx', (run,))
    return {str(step): round(seconds, 1) for step, seconds in rows}


def _counts(site: EmbeddedSite) -> dict[str, int]:
    counted = {
        "ledger_rows": 'SELECT count(*) FROM "tabStock Ledger Entry"',
        "items": 'SELECT count(*) FROM "tabItem"',
        "forecasts": 'SELECT count(*) FROM "tabDemand Forecast"',
        "orders": 'SELECT count(*) FROM "tabAuto Purchase Order"',
        "order_lines": 'SELECT count(*) FROM "tabAuto Purchase Order Item"',
        "items_drafted": 'SELECT count(DISTINCT item_code) FROM "tabAuto Purchase Order Item"',
        "exceptions": 'SELECT count(*) FROM "tabPlanning Exception"',
    }
    return {name: int(site.read(sql)[0][0]) for name, sql in counted.items()}


def met(result: dict[str, Any]) -> bool:
    return result["seconds"] <= MOST_SECONDS and result["peak_gb"] <= MOST_GB and result["items_drafted"] >= LEAST_ITEMS


def main() -> int:
    parser = argparse.ArgumentParser(description="Import and plan Online Retail on an embedded site.")
    parser.add_argument("--data", type=Path, required=True, help=f"the folder that holds {FILE}")
    parser.add_argument("--keep", type=Path, help="keep the site here instead of in a temporary folder")
    given = parser.parse_args()
    source = given.data / FILE
    if not source.is_file():
        print(f"skipped: {source} is not there")
        return 0
    with tempfile.TemporaryDirectory() as folder:
        result = measure(source, given.keep or Path(folder) / "site.sqlite")
    print(json.dumps({**result, "met": met(result)}, indent=1))
    return 0 if met(result) else 1


if __name__ == "__main__":
    sys.exit(main())
