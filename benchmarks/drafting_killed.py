"""One run's drafts, its worker killed at random moments: the end is complete, and nothing is there twice.

    python -m benchmarks.drafting_killed --bench ~/frappe-bench --site SITE [--orders 200] [--kills 3] [--seed 5]

Each attempt is a process of its own that drafts all orders of the same plan, as a run does. The moments to kill are
drawn evenly over the time that the whole takes, and each attempt but the last is killed (SIGKILL) as long after its
beginning as its moment lies after the one before. At the end every supplier must have one proposed Auto Purchase Order,
linked to and fro with one native draft of the same lines, and nobody a second one. An attempt that is done before it is
killed proves nothing: it ends the program with an error, as a duplicate does.
"""

import itertools
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.bench_site import REPOSITORY, arguments, connected, inside_bench
from benchmarks.drafting import SECONDS_PER_ORDER, plan_of

_DRAFT = "--draft"
LAST_MOMENT = 0.9  # share of the expected time: a machine that is faster than expected still has work left to be killed


def main() -> None:
    parser = arguments(__doc__.splitlines()[0])
    parser.add_argument("--orders", type=int, default=200)
    parser.add_argument("--lines", type=int, default=10)
    parser.add_argument("--kills", type=int, default=3)
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument(_DRAFT, action="store_true", help="one attempt; what this program starts and kills")
    given = parser.parse_args()
    bench = inside_bench(given.bench, "benchmarks.drafting_killed")
    if given.draft:
        with connected(bench, given.site) as frappe:
            _draft(frappe, given.orders, given.lines)
        return
    _attempts(bench, given)


def _attempts(bench: Path, given: Any) -> None:
    with connected(bench, given.site) as frappe:
        from erp_forecast_addon.tests import factories

        factories.clear(factories.company())
        plan_of(frappe, given.orders, given.lines)  # makes the items and suppliers
    draw = random.Random(given.seed)
    expected = given.orders * SECONDS_PER_ORDER
    moments = sorted(draw.uniform(0.0, LAST_MOMENT * expected) for _kill in range(given.kills))
    killed = 0
    for attempt, after in enumerate(b - a for a, b in itertools.pairwise([0.0, *moments])):
        process = _start(given, stdout=subprocess.PIPE)
        assert process.stdout is not None
        process.stdout.readline()  # it is about to draft
        time.sleep(after)
        finished = process.poll() is not None
        if not finished:
            os.kill(process.pid, signal.SIGKILL)
        process.wait()
        killed += not finished
        told = "was done before it could be killed" if finished else "was killed"
        print(f"attempt {attempt + 1} {told} after {after:.1f} s: {_standing(bench, given)} orders stand", flush=True)
    began = time.perf_counter()
    if _start(given, stdout=subprocess.DEVNULL).wait():
        sys.exit("The last attempt failed.")
    seconds = time.perf_counter() - began
    print(f"last attempt, left alone: {seconds:.1f} s, {_standing(bench, given)} orders stand")
    with connected(bench, given.site) as frappe:
        _check(frappe, given.orders, given.lines)
        factories.clear(factories.company())
        frappe.db.commit()
    print(f"complete: {given.orders} orders of {given.lines} lines, none twice")
    if killed < given.kills:
        sys.exit(f"Only {killed} of {given.kills} attempts were killed: another seed, or more orders.")


def _start(given: Any, stdout: int | None = None) -> subprocess.Popen[bytes]:
    command = [
        sys.executable, "-m", "benchmarks.drafting_killed", _DRAFT, "--bench", str(given.bench.expanduser().resolve()),
        "--site", given.site, "--orders", str(given.orders), "--lines", str(given.lines),
    ]  # fmt: skip
    return subprocess.Popen(command, cwd=REPOSITORY, stdout=stdout)


def _draft(frappe: Any, orders: int, lines: int) -> None:
    from erp_forecast_addon.services.drafting import draft_orders
    from erp_forecast_addon.site.frappe_site import FrappeSite

    plan, settings = plan_of(frappe, orders, lines)
    print("drafting", flush=True)
    result = draft_orders(FrappeSite(), "", plan, settings)
    if result.faults:
        sys.exit(f"{len(result.faults)} orders failed, the first: {result.faults[0]}")


def _standing(bench: Path, given: Any) -> int:
    with connected(bench, given.site) as frappe:
        from erp_forecast_addon.tests import factories

        return int(frappe.db.count("Auto Purchase Order", {"company": factories.company(), "status": "Proposed"}))


def _check(frappe: Any, orders: int, lines: int) -> None:
    from erp_forecast_addon.tests import factories

    of_company = {"company": factories.company()}
    fields = ["name", "supplier", "purchase_order"]
    records = frappe.get_all("Auto Purchase Order", filters={**of_company, "status": "Proposed"}, fields=fields)
    natives = frappe.get_all(
        "Purchase Order", filters={**of_company, "docstatus": 0}, fields=["name", "supplier", "auto_purchase_order"]
    )
    both_ways = {(record.name, record.purchase_order) for record in records}
    if both_ways != {(native.auto_purchase_order, native.name) for native in natives}:
        sys.exit("Records and native drafts do not belong to each other.")
    if not len(records) == len(natives) == len({record.supplier for record in records}) == orders:
        sys.exit(f"{len(records)} records and {len(natives)} native drafts of {orders} orders.")
    for doctype, parents in (("Auto Purchase Order Item", records), ("Purchase Order Item", natives)):
        names = [parent.name for parent in parents]
        rows = frappe.get_all(doctype, filters={"parent": ("in", names)}, fields=["parent", "item_code"])
        if len(rows) != orders * lines or len({(row.parent, row.item_code) for row in rows}) != len(rows):
            sys.exit(f"{len(rows)} rows of {doctype}, of them {orders * lines} expected.")


if __name__ == "__main__":
    main()
