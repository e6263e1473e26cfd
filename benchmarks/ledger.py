"""How fast the demand buckets follow a stock ledger of two million rows.

    python -m benchmarks.ledger --bench ~/frappe-bench --site SITE --rows 2000000     load (once), measure, print
    python -m benchmarks.ledger --bench ~/frappe-bench --site SITE --clean            take it out again

The rows are made up and written straight into MariaDB, beside whatever the site holds; --clean removes them. Measured
are a full rebuild from empty tables, a day's change (posted the usual way: most of it today, some back-dated, some
returned), the same day again with nothing new, and the nightly comparison. At the end the buckets that grew by changes
are held against a rebuild from nothing. Each measurement is a process of its own, so its memory is its own.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from datetime import datetime
from typing import Any

from benchmarks.bench_site import REPOSITORY, arguments, connected, inside_bench

LIMITS = {"full rebuild": 120.0, "a day's change": 2.0}


def main() -> int:
    options = _options()
    bench = inside_bench(options.bench, "benchmarks.ledger")
    if options.stage:
        with connected(bench, options.site) as frappe:
            print(json.dumps(STAGES[options.stage](frappe, options), default=str))
        return 0
    if options.clean:
        return _report(_run(options, "clean"))
    failed = [_report(_run(options, stage)) for stage in ("load", "full", "change", "again", "check", "same")]
    return max(failed)


def _options() -> argparse.Namespace:
    parser = arguments(__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=2_000_000, help="Stock Ledger Entries")
    parser.add_argument("--pairs", type=int, default=20_000, help="item-warehouse pairs")
    parser.add_argument("--days", type=int, default=730, help="days that the ledger reaches back")
    parser.add_argument("--changes", type=int, default=5_000, help="entries of a day's change")
    parser.add_argument("--clean", action="store_true", help="remove what earlier calls wrote")
    parser.add_argument("--stage", help=argparse.SUPPRESS)
    return parser.parse_args()


def _run(options: argparse.Namespace, stage: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.ledger", *sys.argv[1:], "--stage", stage]
    done = subprocess.run(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True, check=True)
    return dict(json.loads(done.stdout.strip().splitlines()[-1]))


def _report(result: dict[str, Any]) -> int:
    """Print a line; 1 when the figure is over its limit or numbers differ."""
    limit = LIMITS.get(result["what"])
    text = ", ".join(f"{name} {value}" for name, value in result.items() if name not in ("what", "ok"))
    print(f"{result['what']}: {text}" + (f" (limit {limit:g} s)" if limit else ""), flush=True)
    return int(not result.get("ok", True) or (limit is not None and result["seconds"] > limit))


# ---- stages ---------------------------------------------------------------------------------------------------------
def _load(frappe: Any, options: argparse.Namespace) -> dict[str, Any]:
    from benchmarks import made_up_ledger

    there = _count(frappe, "Stock Ledger Entry")
    began = time.monotonic()
    _plan_company(frappe)
    if there < options.rows:
        made_up_ledger.remove(frappe)
        until = datetime.now().replace(hour=0, minute=0, second=0, microsecond=0)
        ledger = made_up_ledger.make(
            options.rows, options.pairs, options.days, until, _company(frappe), _warehouses(frappe)
        )
        made_up_ledger.write(frappe, ledger)
        frappe.db.sql("analyze table `tabStock Ledger Entry`, `tabBin`, `tabDelivery Note`, `tabStock Entry`")
    made_up_ledger.age(frappe)
    return {"what": "load", "rows": _count(frappe, "Stock Ledger Entry"), "seconds": _since(began)}


def _full(frappe: Any, options: argparse.Namespace) -> dict[str, Any]:
    _empty_buckets(frappe)
    return _measured(frappe, "full rebuild", full=True)


def _change(frappe: Any, options: argparse.Namespace) -> dict[str, Any]:
    from benchmarks.made_up_day import write_day

    written = write_day(frappe, options.changes, options.pairs, _company(frappe), _warehouses(frappe))
    return {**_measured(frappe, "a day's change"), **written}


def _again(frappe: Any, options: argparse.Namespace) -> dict[str, Any]:
    return _measured(frappe, "the same day, nothing new")


def _check(frappe: Any, options: argparse.Namespace) -> dict[str, Any]:
    from erp_forecast_addon.services.refresh import check_pairs
    from erp_forecast_addon.site.frappe_site import FrappeSite

    began = time.monotonic()
    result = check_pairs(FrappeSite())
    return {
        "what": "nightly comparison", "seconds": _since(began), "pairs": result.pairs,
        "differing": len(result.differing), "ok": result.differing.empty,
    }  # fmt: skip


def _same(frappe: Any, options: argparse.Namespace) -> dict[str, Any]:
    """The buckets that followed the changes against a rebuild from nothing."""
    grown = _checksums(frappe)
    _empty_buckets(frappe)
    _measured(frappe, "", full=True)
    rebuilt = _checksums(frappe)
    return {"what": "incremental and rebuilt buckets", "pairs": len(grown), "ok": grown == rebuilt,
            "same": grown == rebuilt}  # fmt: skip


def _clean(frappe: Any, options: argparse.Namespace) -> dict[str, Any]:
    from benchmarks import made_up_ledger

    began = time.monotonic()
    made_up_ledger.remove(frappe)
    return {"what": "clean", "rows left": _count(frappe, "Stock Ledger Entry"), "seconds": _since(began)}


STAGES = {"load": _load, "full": _full, "change": _change, "again": _again, "check": _check, "same": _same,
          "clean": _clean}  # fmt: skip


# ---- what the stages share ------------------------------------------------------------------------------------------
def _measured(frappe: Any, what: str, full: bool = False) -> dict[str, Any]:
    from erp_forecast_addon.services.refresh import refresh_demand
    from erp_forecast_addon.site.frappe_site import FrappeSite

    before_mb = _peak_mb()
    began = time.monotonic()
    result = refresh_demand(FrappeSite(), full=full)
    return {
        "what": what, "seconds": _since(began), "pairs": result.pairs, "ledger rows read": result.ledger_rows,
        "buckets written": result.buckets_written, "buckets removed": result.buckets_removed,
        "peak MB": _peak_mb(), "of it before": before_mb,
    }  # fmt: skip


def _checksums(frappe: Any) -> list[tuple[str, str, str]]:
    from benchmarks.made_up_ledger import PREFIX
    from erp_forecast_addon.planning.buckets import pair_checksums
    from erp_forecast_addon.site.frappe_site import FrappeSite

    site = FrappeSite()
    bucket = site.qb.DocType("Demand Bucket")
    rows = site.fetch(
        site.qb.from_(bucket)
        .select(
            bucket.item_code, bucket.warehouse, bucket.day, bucket.demand_qty, bucket.opening_qty, bucket.closing_qty
        )
        .where(bucket.item_code.like(f"{PREFIX}%"))
    )
    return list(pair_checksums(rows).itertuples(index=False, name=None))


def _empty_buckets(frappe: Any) -> None:
    for doctype in ("Demand Bucket", "Demand Pair", "Demand Mark"):
        frappe.db.sql_ddl(f"truncate table `tab{doctype}`")


def _plan_company(frappe: Any) -> None:
    settings = frappe.get_doc("Forecast Settings")
    if not any(row.company == _company(frappe) for row in settings.companies):
        settings.append("companies", {"company": _company(frappe)})
        settings.enabled = 1
        settings.save()
        frappe.db.commit()


def _company(frappe: Any) -> str:
    return str(frappe.get_all("Company", order_by="creation", limit=1, pluck="name")[0])


def _warehouses(frappe: Any) -> list[str]:
    filters = {"company": _company(frappe), "is_group": 0}
    return list(frappe.get_all("Warehouse", filters=filters, order_by="name", pluck="name"))[:2]


def _count(frappe: Any, doctype: str) -> int:
    from benchmarks.made_up_ledger import PREFIX

    return int(frappe.db.sql(f"select count(*) from `tab{doctype}` where item_code like '{PREFIX}%%'")[0][0])


def _peak_mb() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def _since(began: float) -> float:
    return round(time.monotonic() - began, 2)


if __name__ == "__main__":
    sys.exit(main())
