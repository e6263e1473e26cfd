"""Proposals of orders from ready policies: position, suppliers, quantities, budget and grouping, phase by phase.

    python -m benchmarks.purchasing [--pairs 30000] [--suppliers 300]

A made-up company (`benchmarks/purchasing_company.py`): a central warehouse that supplies two others, two shops of a
planning group, a tenth of the items made of four others, one to three suppliers per item, some in dollars and in boxes
of twelve, price breaks, minimums, containers, weekdays and holidays, a weekly budget and a weekly cash limit that not
everything fits into, purchase orders, sales orders, transfers, our own drafts. Levels are made once and not counted
("ready policies"). Everything after that counts: from the tables to lines with their evidence and orders. Target: under
30 s. Prints one JSON object; exits with 1 where the target is missed.
"""

import argparse
import json
import resource
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from benchmarks.purchasing_company import AS_OF, Company, make
from erp_forecast_addon.planning.purchasing import order_lines
from erp_forecast_addon.planning.purchasing.grouping import group_orders
from erp_forecast_addon.planning.replenishment import LevelsOf, replenish

MOST_SECONDS = 30.0
# The package names a function like its module.
_REPLENISH = sys.modules[replenish.__module__]

# module, function, label; a phase within another stands indented under it and is part of its seconds.
PHASES = (
    (_REPLENISH, "at_the_door", "checked at the door"),
    (_REPLENISH, "rate_sourcing", "prices of all suppliers"),
    (_REPLENISH, "reckon", "position in time, network, what is due"),
    (_REPLENISH, "order_cases", "needs"),
    (_REPLENISH, "request_within", "transfers and production"),
    (_REPLENISH, "orderable_cases", "what may be bought"),
    (_REPLENISH, "due_soon", "due soon"),
    (_REPLENISH, "order_lines", "lines"),
    (order_lines, "_with_alternatives", "  other suppliers"),
    (order_lines, "_with_terms", "  order days"),
    (order_lines, "_with_breaks", "  price breaks"),
    (order_lines, "_cut", "  budget and cash"),
    (order_lines, "_filled", "  minimums and containers"),
    (order_lines, "propose", "  evidence"),
    (_REPLENISH, "_policies", "where every pair stands"),
)


@contextmanager
def timed_phases(seconds: dict[str, float]) -> Iterator[None]:
    """Adds up the seconds of the functions that make a phase; they are put back at the end."""
    originals = [(module, name, getattr(module, name)) for module, name, _label in PHASES]

    def timed(work: Callable[..., Any], label: str) -> Callable[..., Any]:
        def run(*args: Any, **given: Any) -> Any:
            began = time.perf_counter()
            try:
                return work(*args, **given)
            finally:
                seconds[label] = seconds.get(label, 0.0) + time.perf_counter() - began

        return run

    for (module, name, work), (_module, _name, label) in zip(originals, PHASES, strict=True):
        setattr(module, name, timed(work, label))
    try:
        yield
    finally:
        for module, name, work in originals:
            setattr(module, name, work)


def everything(company: Company, ready: LevelsOf) -> dict[str, Any]:
    phases: dict[str, float] = {}
    began, busy = time.perf_counter(), time.process_time()
    with timed_phases(phases):
        made = replenish(company.outlook(), company.positions, company.supply, company.settings, AS_OF, ready)
    planned = time.perf_counter()
    orders, lines = group_orders(made.proposals)
    ended = time.perf_counter()
    phases["rest"] = planned - began - sum(value for label, value in phases.items() if not label.startswith(" "))
    phases["grouped into orders"] = ended - planned
    if made.levels.levels is not ready.levels:
        raise RuntimeError("The levels were made again: they do not belong to these pairs.")
    kinds = made.requests["request_type"].value_counts()
    faults = [fault.kind for fault in made.faults]
    return {
        "seconds": round(ended - began, 2),
        "seconds_of_cpu": round(time.process_time() - busy, 2),
        "phases": {label: round(value, 2) for label, value in phases.items()},
        "lines": len(lines),
        "orders": len(orders),
        "requests": {str(kind): int(count) for kind, count in kinds.items()},
        "pulled_forward": int((lines["pulled_forward_days"] > 0).sum()),
        "with_an_alternative": int((lines["alternative_supplier"] != "").sum()),
        "faults": {kind: faults.count(kind) for kind in sorted(set(faults))},
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--pairs", type=int, default=30_000)
    parser.add_argument("--suppliers", type=int, default=300)
    given = parser.parse_args()
    company = make(given.pairs, given.suppliers)
    began = time.perf_counter()
    ready = replenish(company.outlook(), company.positions, company.supply, company.settings, AS_OF).levels
    result: dict[str, Any] = {
        "pairs": len(company.keys),
        "suppliers": given.suppliers,
        "levels_and_orders_once_s": round(time.perf_counter() - began, 1),
        "everything": everything(company, ready),
        "peak_gb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, 2),
    }
    met = result["everything"]["seconds"] <= MOST_SECONDS
    print(json.dumps({**result, "met": met}, indent=1))
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
