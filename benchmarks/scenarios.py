"""A Planning Scenario of some items of a large company on the embedded site, and one of all its items.

    python -m benchmarks.scenarios                      a new embedded site, removed afterwards
    python -m benchmarks.scenarios --file site.sqlite   made there if it is missing, and kept for the next call

A made-up ledger is loaded and the company planned once, as a nightly run does; a quarter of the items has a second
supplier. What is timed is `run_scenario`, from the refresh of the demand to the results in the record.
"""

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks import made_up_ledger, one_item
from erp_forecast_addon.services.run import run_company
from erp_forecast_addon.services.scenarios import create, run_scenario
from erp_forecast_addon.site.embedded import EmbeddedSite

COMPANY = one_item.EMBEDDED_COMPANY
SUPPLIERS = 50


def main() -> int:
    options = _options()
    with tempfile.TemporaryDirectory() as folder:
        where = options.file or Path(folder) / "site.sqlite"
        if not where.exists():
            print(_load(where, options), flush=True)
        with EmbeddedSite(where) as site:
            codes = _chosen(options)
            few = _timed(site, options.chosen, title="Some items", item_codes="\n".join(codes))
            print(few, flush=True)
            if not options.some_only:
                print(_timed(site, options.items, title="All items"))
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--items", type=int, default=5_000, help="items, each in two warehouses")
    parser.add_argument("--chosen", type=int, default=20, help="items that the filter names")
    parser.add_argument("--rows", type=int, default=600_000, help="Stock Ledger Entries")
    parser.add_argument("--days", type=int, default=500, help="days that the ledger reaches back")
    parser.add_argument("--file", type=Path, help="where the site is, or is to be, kept")
    parser.add_argument("--some-only", action="store_true", help="leave the scenario of all items out")
    return parser.parse_args()


def _chosen(options: argparse.Namespace) -> list[str]:
    numbers = np.linspace(0, options.items - 1, options.chosen).astype(int)
    return [f"{made_up_ledger.PREFIX}{number:06d}" for number in numbers]


def _load(where: Path, options: argparse.Namespace) -> str:
    """The company of benchmarks.one_item with suppliers, planned once."""
    with EmbeddedSite.create(where) as site:
        given = argparse.Namespace(embedded=True, pairs=2 * options.items, rows=options.rows, days=options.days)
        one_item.STAGES["load"](site, given)
        _source(site)
        began = time.perf_counter()
        run_company(site, COMPANY, triggered_by="Command")
        return f"{options.items:,} items, {options.rows:,} ledger rows, a run {time.perf_counter() - began:.1f} s"


def _source(site: EmbeddedSite) -> None:
    """A supplier and a price for every item, and a dearer one for every fourth."""
    codes = site.fetch(_item_codes(site))["name"]
    names = [f"Supplier {number:02d}" for number in range(SUPPLIERS)]
    site.insert_rows("Supplier", pd.DataFrame({"name": names, "supplier_name": names}))
    first = np.arange(len(codes)) % SUPPLIERS
    listed = pd.DataFrame({"item_code": codes, "supplier": np.take(names, first), "rate": 5.0 + first})
    defaults = listed.rename(columns={"item_code": "parent", "supplier": "default_supplier"})
    site.insert_rows("Item Default", defaults[["parent", "default_supplier"]].assign(
        parenttype="Item", parentfield="item_defaults", idx=1, company=COMPANY))  # fmt: skip
    other = listed.iloc[::4].assign(supplier=lambda rows: np.roll(rows["supplier"], 1), rate=lambda rows: rows.rate + 2)
    site.insert_rows("Item Supplier", other.rename(columns={"item_code": "parent"})[["parent", "supplier"]].assign(
        parenttype="Item", parentfield="supplier_items", idx=1))  # fmt: skip
    prices = pd.concat([listed, other], ignore_index=True).drop_duplicates(["item_code", "supplier"])
    site.insert_rows("Item Price", prices.rename(columns={"rate": "price_list_rate"}).assign(
        price_list="Standard Buying", buying=1, currency="EUR", uom="Nos"))  # fmt: skip
    site.insert_document(
        "Price List", {"price_list_name": "Standard Buying", "enabled": 1, "buying": 1, "currency": "EUR"}
    )
    site.update_document("Buying Settings", "Buying Settings", {"buying_price_list": "Standard Buying"})
    site.commit()


def _item_codes(site: EmbeddedSite) -> Any:
    item = site.qb.DocType("Item")
    return site.qb.from_(item).select(item.name).orderby(item.name)


def _timed(site: EmbeddedSite, items: int, **asked: Any) -> str:
    name = create(site, {"company": COMPANY, "use_other_suppliers": 1, "lead_time_days": 14, **asked})
    began, busy = time.perf_counter(), time.process_time()
    run_scenario(site, name)
    took, busy = time.perf_counter() - began, time.process_time() - busy
    record = site.get_document("Planning Scenario", name) or {}
    told = json.loads(record["results_json"])
    site.delete_document("Planning Scenario", name)
    site.commit()
    lost = told["totals"]["shortage_value"]
    return (
        f"scenario of {items:,} items: {took:.2f} s ({busy:.2f} s of CPU), {record['pairs']:,} pairs, "
        f"{record['forecast_pairs']:,} forecast, lost sales {lost[0]:.0f} -> {lost[1]:.0f}, "
        f"{len(told['alternatives'])} alternatives"
    )


if __name__ == "__main__":
    sys.exit(main())
