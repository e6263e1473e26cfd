"""Drafting purchase orders, side by side with what ERPNext itself takes to insert the same documents.

    python -m benchmarks.drafting --bench ~/frappe-bench --site SITE

In turn, so that a change of the machine's load meets both: ours, a run of twenty orders (looking for open drafts, Auto
Purchase Order, native draft, evidence, fingerprint), and a plain `frappe.get_doc(...).insert()` of the same lines. Both
commit after every five orders, as a run does, and are deleted again. Reported are the medians per
order and their ratio; at most 1.20 is promised.
"""

import statistics
import time
from datetime import date, timedelta
from typing import Any

import pandas as pd

from benchmarks.bench_site import arguments, connected, inside_bench
from benchmarks.publish import synthetic_plan
from erp_forecast_addon.planning.forecasting.mixtures import WEIGHTS
from erp_forecast_addon.planning.plan import Plan
from erp_forecast_addon.planning.purchasing.evidence import EVIDENCE_COLUMNS
from erp_forecast_addon.planning.settings import PlanSettings
from erp_forecast_addon.planning.tables import PROPOSALS
from erp_forecast_addon.services.drafting import COMMIT_EVERY
from erp_forecast_addon.site.settings import CompanySettings

LIMIT = 1.20
# What one of ours takes, roughly, on the machine of docs/benchmarks.md.
SECONDS_PER_ORDER = 0.35
BATCH = 20


def proposals(warehouse: str, suppliers: list[str], items: list[list[str]], as_of: date) -> pd.DataFrame:
    """Every supplier is proposed his items; evidence and reasons as long as real ones."""
    pairs = [(supplier, item) for supplier, his in zip(suppliers, items, strict=True) for item in his]
    rows = pd.DataFrame(pairs, columns=["supplier", "item_code"])
    need = pd.Timestamp(as_of + timedelta(days=6))
    evidence = dict.fromkeys(EVIDENCE_COLUMNS, 12.345) | {
        "stock_uom": "Nos", "uom": "Nos", "lead_time_source": "receipts", "as_of": as_of.isoformat(), "suppliers": [],
        "policy": dict.fromkeys(("lead_time_demand", "protection_demand"), _quantiles()),
    }  # fmt: skip
    reason = "Stock falls below the safety stock of {stock} Nos on {day}. {stock} Nos are on hand or on order; " * 3
    return PROPOSALS.check(rows.assign(
        warehouse=warehouse, currency="USD", qty=10.0, uom="Nos", conversion_factor=1.0, stock_qty=10.0, rate=5.0,
        amount=50.0, base_amount=50.0, need_on=need, schedule_date=need, order_by=need - pd.Timedelta(days=5),
        days_late=0.0, money_at_risk=75.0, reason_template=reason,
        reason_values=[{"stock": 12.5, "day": "2026-12-01"}] * len(rows), evidence=[evidence] * len(rows),
    ))  # fmt: skip


def _quantiles() -> list[float]:
    """As many digits as a distribution of demand has in the evidence of a line."""
    return [12.345678901234567 + 0.1 * rank for rank in range(len(WEIGHTS))]


def main() -> None:
    parser = arguments(__doc__.splitlines()[0])
    parser.add_argument("--orders", type=int, default=80)
    parser.add_argument("--lines", type=int, default=10)
    given = parser.parse_args()
    bench = inside_bench(given.bench, "benchmarks.drafting")
    with connected(bench, given.site) as frappe:
        ours, plain = measure(frappe, given.orders, given.lines)
    ratio = statistics.median(ours) / statistics.median(plain)
    print(f"{given.orders} orders of {given.lines} lines, medians: ours {statistics.median(ours) * 1000:.0f} ms, "
          f"ERPNext alone {statistics.median(plain) * 1000:.0f} ms, ratio {ratio:.2f} (limit {LIMIT:.2f}); "
          f"ratio of the sums {sum(ours) / sum(plain):.2f}")  # fmt: skip


def measure(frappe: Any, orders: int, lines: int) -> tuple[list[float], list[float]]:
    """Seconds per order: ours, ERPNext alone. The first of each warms the caches and is not counted."""
    from erp_forecast_addon.services.drafting import draft_orders
    from erp_forecast_addon.site.frappe_site import FrappeSite
    from erp_forecast_addon.tests import factories

    company = factories.company()
    factories.clear(company)
    plan, settings = plan_of(frappe, BATCH, lines)
    site = FrappeSite()
    ours: list[float] = []
    plain: list[float] = []
    both = [
        (ours, lambda: draft_orders(site, "", plan, settings)),
        (plain, lambda: _insert_plainly(frappe, company, plan)),
    ]
    for turn in range(orders // BATCH + 1):
        for seconds, work in both if turn % 2 else reversed(both):
            began = time.perf_counter()
            work()
            frappe.db.commit()
            seconds.append((time.perf_counter() - began) / BATCH)
            _check(frappe, company, lines)
            factories.clear(company)
    return ours[1:], plain[1:]


def plan_of(frappe: Any, orders: int, lines: int) -> tuple[Plan, CompanySettings]:
    """A plan that proposes so many orders; the items and suppliers it names are there."""
    from erp_forecast_addon.site.frappe_site import FrappeSite
    from erp_forecast_addon.tests import factories

    company = factories.company()
    warehouse = factories.warehouse(company)

    def made(doctype: str, name: str) -> str:
        return name if frappe.db.exists(doctype, name) else str(getattr(factories, doctype.lower())(name))

    items = [[made("Item", f"Benchmark Item {s}-{n:02d}") for n in range(lines)] for s in range(orders)]
    suppliers = [made("Supplier", f"Benchmark Supplier {n:02d}") for n in range(orders)]
    frappe.db.commit()
    empty = synthetic_plan(1)[0]
    wanted = proposals(warehouse, suppliers, items, FrappeSite().as_of())
    plan = Plan(empty.forecasts, empty.policies, wanted, [], empty.outlook)
    return plan, CompanySettings(company, PlanSettings(company, "USD"))


def _check(frappe: Any, company: str, lines: int) -> None:
    """Both made the same documents, or the comparison means nothing."""
    made = frappe.get_all("Purchase Order", filters={"company": company}, fields=["name", "total"])
    rows = frappe.db.count("Purchase Order Item", {"parent": ("in", [order.name for order in made])})
    if len(made) != BATCH or rows != BATCH * lines or {order.total for order in made} != {50.0 * lines}:
        raise AssertionError(f"{len(made)} orders with {rows} lines and totals {[order.total for order in made]}")


def _insert_plainly(frappe: Any, company: str, plan: Plan) -> None:
    for done, (_supplier, lines) in enumerate(plan.proposals.groupby("supplier", sort=False), 1):
        _insert_one(frappe, company, lines.to_dict("records"))
        if done % COMMIT_EVERY == 0:
            frappe.db.commit()


def _insert_one(frappe: Any, company: str, lines: list[dict[str, Any]]) -> None:
    order = frappe.get_doc({
        "doctype": "Purchase Order", "company": company, "supplier": lines[0]["supplier"], "currency": "USD",
        "transaction_date": frappe.utils.today(), "schedule_date": lines[0]["schedule_date"].date(),
        "items": [
            {
                "item_code": line["item_code"], "warehouse": line["warehouse"], "qty": line["qty"], "uom": line["uom"],
                "conversion_factor": 1, "rate": line["rate"], "schedule_date": line["schedule_date"].date(),
            }
            for line in lines
        ],
    })  # fmt: skip
    order.insert()


if __name__ == "__main__":
    main()
