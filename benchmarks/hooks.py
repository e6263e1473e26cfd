"""What our document events add to a Delivery Note of fifty lines: submitted with and without them, in turn.

    python -m benchmarks.hooks --bench ~/frappe-bench --site SITE --pairs 10

Two figures: the median over the pairs of (with ÷ without), which the noise of a shared machine moves by a few percent,
and the time spent inside our handlers as a share of the submit, which it does not. The site keeps the notes: use one
that is there for trying things out. Needs a company with a fiscal year for today.
"""

import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

from benchmarks.bench_site import arguments, connected, inside_bench

LIMIT_PCT = 2.0
LINES = 50
PREFIX = "BENCH-HOOK-"
HANDLED = "Stock Ledger Entry"
OURS = "erp_forecast_addon."


def main() -> int:
    parser = arguments(__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=10, help="how often it is submitted with and without")
    options = parser.parse_args()
    bench = inside_bench(options.bench, "benchmarks.hooks")
    with connected(bench, options.site) as frappe:
        _stock_items(frappe, options.pairs)
        return _report(*_measure(frappe, options.pairs))


def _measure(frappe: Any, pairs: int) -> tuple[list[float], list[float], list[float]]:
    """Seconds with, seconds without and seconds inside our handlers, per pair; the order changes from pair to pair."""
    with_hooks, without_hooks, inside = [], [], []
    clock = _Clock()
    _watch(clock)
    for switched_on in (True, False):  # imports and caches are no part of it
        _submit(frappe, switched_on, clock)
    for pair in range(pairs):
        for switched_on in (True, False) if pair % 2 else (False, True):
            seconds, handlers = _submit(frappe, switched_on, clock)
            (with_hooks if switched_on else without_hooks).append(seconds)
            if switched_on:
                inside.append(handlers)
    return with_hooks, without_hooks, inside


def _report(with_hooks: list[float], without_hooks: list[float], inside: list[float]) -> int:
    ratios = [a / b for a, b in zip(with_hooks, without_hooks, strict=True)]
    share_pct = 100 * statistics.median(part / whole for part, whole in zip(inside, with_hooks, strict=True))
    print(
        f"submit of {LINES} lines: with {statistics.median(with_hooks):.3f} s, without "
        f"{statistics.median(without_hooks):.3f} s, median ratio {statistics.median(ratios):.4f} over {len(ratios)} "
        f"pairs ({min(ratios):.3f} to {max(ratios):.3f})"
    )
    milliseconds = 1000 * statistics.median(inside)
    print(f"inside our handlers: {milliseconds:.1f} ms, {share_pct:.2f}% of the submit (limit {LIMIT_PCT:g}%)")
    return int(share_pct > LIMIT_PCT)


class _Clock:
    """Adds up the seconds spent in the functions that it wraps."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def around(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*args: Any, **kwargs: Any) -> Any:
            began = time.perf_counter()
            try:
                return function(*args, **kwargs)
            finally:
                self.seconds += time.perf_counter() - began

        return timed


def _watch(clock: _Clock) -> None:
    from erp_forecast_addon.events import stock

    stock.mark_ledger_entry = clock.around(stock.mark_ledger_entry)
    stock._write_marks = clock.around(stock._write_marks)


def _submit(frappe: Any, switched_on: bool, clock: _Clock) -> tuple[float, float]:
    note = _note(frappe)
    frappe.db.commit()
    _switch(frappe, switched_on)
    clock.seconds = 0.0
    began = time.perf_counter()
    note.submit()
    frappe.db.commit()
    seconds = time.perf_counter() - began
    return seconds, clock.seconds


def _switch(frappe: Any, on: bool) -> None:
    """Our handlers of the ledger in or out of Frappe's table of document events, of this process alone."""
    frappe.local.doc_events_hooks = None
    events = frappe.get_doc_hooks()
    if not on:
        kept = {
            event: [handler for handler in handlers if not handler.startswith(OURS)]
            for event, handlers in events.get(HANDLED, {}).items()
        }
        frappe.local.doc_events_hooks = {**events, HANDLED: kept}


def _note(frappe: Any) -> Any:
    company = _company(frappe)
    return frappe.get_doc(
        {
            "doctype": "Delivery Note",
            "company": company,
            "customer": _customer(frappe),
            "currency": frappe.db.get_value("Company", company, "default_currency"),
            "items": [
                {"item_code": f"{PREFIX}{line:02d}", "qty": 1, "rate": 10, "warehouse": _warehouse(frappe)}
                for line in range(LINES)
            ],
        }
    ).insert()


def _stock_items(frappe: Any, pairs: int) -> None:
    """The items, with enough stock for every note of this call."""
    for line in range(LINES):
        item_code = f"{PREFIX}{line:02d}"
        if not frappe.db.exists("Item", item_code):
            frappe.get_doc(
                {
                    "doctype": "Item",
                    "item_code": item_code,
                    "item_group": _leaf(frappe, "Item Group"),
                    "stock_uom": "Nos",
                }
            ).insert()
    receipt = frappe.get_doc(
        {
            "doctype": "Stock Entry",
            "company": _company(frappe),
            "stock_entry_type": "Material Receipt",
            "items": [
                {
                    "item_code": f"{PREFIX}{line:02d}",
                    "qty": 2 * pairs + 10,
                    "basic_rate": 5,
                    "t_warehouse": _warehouse(frappe),
                }
                for line in range(LINES)
            ],
        }
    )
    receipt.insert().submit()
    frappe.db.commit()


def _company(frappe: Any) -> str:
    return str(frappe.get_all("Company", order_by="creation", limit=1, pluck="name")[0])


def _warehouse(frappe: Any) -> str:
    filters = {"company": _company(frappe), "is_group": 0, "warehouse_type": ("is", "not set")}
    return str(frappe.get_all("Warehouse", filters=filters, order_by="name", limit=1, pluck="name")[0])


def _customer(frappe: Any) -> str:
    name = f"{PREFIX}Customer"
    if not frappe.db.exists("Customer", name):
        groups = {"customer_group": _leaf(frappe, "Customer Group"), "territory": _leaf(frappe, "Territory")}
        frappe.get_doc({"doctype": "Customer", "customer_name": name, **groups}).insert()
    return name


def _leaf(frappe: Any, doctype: str) -> str:
    return str(frappe.get_all(doctype, filters={"is_group": 0}, order_by="name", limit=1, pluck="name")[0])


if __name__ == "__main__":
    sys.exit(main())
