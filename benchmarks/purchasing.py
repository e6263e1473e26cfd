"""Proposals of orders from ready policies: position, suppliers, quantities, budget and grouping, phase by phase.

    python -m benchmarks.purchasing [--pairs 30000] [--suppliers 300]

A made-up company: three warehouses, two suppliers per item, price breaks, minimums, trucks, weekdays and holidays, a
weekly budget, open documents for a third of the pairs. Levels are made once and not counted ("ready policies"). Then:

- everything: positions in hand to proposals grouped into orders; seconds of each phase. Target: under 30 s.
- one item after an event: its rows alone, to its proposal, median and slowest of 60 items, without the insert of a
  document. Target: under 45 ms.

Prints one JSON object; exits with 1 where a target is missed.
"""

import argparse
import json
import resource
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from erp_forecast_addon.planning import replenishment
from erp_forecast_addon.planning.purchasing import order_lines as lines_module
from erp_forecast_addon.planning.purchasing.grouping import group_orders
from erp_forecast_addon.planning.purchasing.order_days import OrderTerms
from erp_forecast_addon.planning.replenishment import DemandOutlook, LevelsOf, Supply, replenish
from erp_forecast_addon.planning.settings import PlanSettings
from erp_forecast_addon.planning.tables import COMMITTED, DATED, DAYS_OFF, ORDER_TERMS, PRICE_BREAKS

MOST_SECONDS, MOST_MILLISECONDS = 30.0, 45.0
AS_OF = date(2026, 3, 1)
WAREHOUSES = ("Central - B", "North - B", "South - B")
ONE_ITEM_TRIES = 60
SEED = 11


@dataclass(frozen=True)
class Company:
    """A made-up company; mean, std: (n,) of a day's demand, in the order of `keys`."""

    keys: pd.DataFrame
    mean: np.ndarray
    std: np.ndarray
    positions: pd.DataFrame
    supply: Supply
    settings: PlanSettings

    def outlook(self) -> DemandOutlook:
        mean, std = self.mean, self.std
        return DemandOutlook(
            self.keys,
            np.full(len(self.keys), "Smooth", dtype=object),
            lambda as_of, days: np.repeat(mean[:, None], days, axis=1),
            lambda: std,
            mean * 365.0,
            abc_class=np.full(len(self.keys), "B", dtype=object),
        )


def make(pairs: int, suppliers: int) -> Company:
    random = np.random.default_rng(SEED)
    items = np.array([f"ITEM-{k:05d}" for k in range(pairs // len(WAREHOUSES))], dtype=object)
    keys = pd.DataFrame({"item_code": np.repeat(items, len(WAREHOUSES)), "warehouse": list(WAREHOUSES) * len(items)})
    mean = random.gamma(0.6, 8.0, len(keys))
    cost = random.uniform(2.0, 200.0, len(items))
    of_pair = np.repeat(cost, len(WAREHOUSES))
    positions = keys.assign(on_hand_qty=np.round(mean * random.uniform(0.0, 40.0, len(keys))), valuation_rate=of_pair)
    settings = PlanSettings(
        "B", "EUR", order_cost=5.0, weekly_budget=float(len(keys)) * 6000.0, alternative_suppliers="Take"
    )
    supply = Supply(
        _open_documents(random, keys, mean),
        pd.DataFrame({
            "item_code": items, "stock_uom": "Nos", "stock_uom_whole": True, "selling_rate": cost * 1.4,
            "weight_per_unit": random.uniform(0.1, 20.0, len(items)), "volume_per_unit": 0.01,
        }),
        _sourcing(random, items, cost, suppliers),
        price_breaks=_breaks(random, items),
        terms=_terms(random, suppliers),
        committed=COMMITTED.check(pd.DataFrame([{"kind": "ordered", "day": AS_OF, "amount": 1000.0}])),
    )  # fmt: skip
    return Company(keys, mean, mean * random.uniform(0.3, 1.5, len(keys)), positions, supply, settings)


def _names(numbers: np.ndarray) -> np.ndarray:
    return np.array([f"SUP-{k:03d}" for k in numbers], dtype=object)


def _sourcing(random: np.random.Generator, items: np.ndarray, cost: np.ndarray, suppliers: int) -> pd.DataFrame:
    usual = random.integers(0, suppliers, len(items))
    other = (usual + random.integers(1, suppliers, len(items))) % suppliers
    parts = [
        pd.DataFrame({
            "item_code": items, "supplier": _names(who), "is_default": default,
            "rate": cost * random.uniform(0.9, 1.1, len(items)), "currency": "EUR", "uom": "Nos",
            "lead_time_days": np.round(random.uniform(2.0, 40.0, len(items))), "lead_time_std_days": 2.0,
            "lead_time_source": "receipts", "min_order_qty": random.choice([0.0, 6.0, 24.0], len(items)),
            "order_multiple_qty": random.choice([0.0, 0.0, 6.0], len(items)),
            "on_time_pct": random.uniform(60.0, 100.0, len(items)),
        })
        for who, default in ((usual, True), (other, False))
    ]  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def _open_documents(random: np.random.Generator, keys: pd.DataFrame, mean: np.ndarray) -> pd.DataFrame:
    some = random.random(len(keys)) < 1 / 3
    flows = keys[some].assign(
        day=pd.Timestamp(AS_OF) + pd.to_timedelta(random.integers(1, 30, some.sum()), unit="D"),
        qty=np.round(mean[some] * 7.0) + 1.0, kind="purchase_order",
    )  # fmt: skip
    firm = flows.assign(qty=-flows["qty"], kind="sales_order", day=flows["day"] + pd.Timedelta(days=3))
    return DATED.check(pd.concat([flows, firm], ignore_index=True))


def _breaks(random: np.random.Generator, items: np.ndarray) -> pd.DataFrame:
    some = items[random.random(len(items)) < 0.3]
    parts = [
        pd.DataFrame({"item_code": some, "min_qty": float(qty), "discount_share": share})
        for qty, share in ((100, 0.03), (500, 0.06))
    ]
    return PRICE_BREAKS.check(pd.concat(parts, ignore_index=True))


def _terms(random: np.random.Generator, suppliers: int) -> OrderTerms:
    names = _names(np.arange(suppliers))
    lists = random.choice(["", "Holidays A", "Holidays B"], suppliers)
    off = pd.concat([
        pd.DataFrame({"holiday_list": name, "day": pd.date_range(AS_OF, periods=12, freq=f"{every}D")})
        for name, every in (("Holidays A", 9), ("Holidays B", 13))
    ])  # fmt: skip
    terms = pd.DataFrame({
        "supplier": names, "min_order_amount": random.choice([0.0, 2000.0, 50000.0], suppliers),
        "truck_weight": random.choice([0.0, 12000.0], suppliers), "truck_fill_share": 0.85,
        "weekdays": random.choice(["", "0", "03", "01234"], suppliers), "holiday_list": lists,
        "ship_to": random.choice(["", "Per Warehouse"], suppliers),
    })  # fmt: skip
    return OrderTerms(ORDER_TERMS.check(terms), DAYS_OFF.check(off.reset_index(drop=True)))


# ---- phases ------------------------------------
PHASES = (
    (replenishment, "_at_the_door", "checked at the door"),
    (replenishment, "_reckon", "position, lead times, what is due"),
    (replenishment, "_cases", "needs"),
    (lines_module, "_with_alternatives", "other suppliers"),
    (lines_module, "_with_terms", "order days"),
    (lines_module, "_with_breaks", "price breaks"),
    (lines_module, "_cut", "budget"),
    (lines_module, "_filled", "minimums and trucks"),
    (lines_module, "propose", "lines with evidence"),
    (replenishment, "_policies", "where every pair stands"),
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
    began = time.perf_counter()
    with timed_phases(phases):
        made = replenish(company.outlook(), company.positions, company.supply, company.settings, AS_OF, ready)
    planned = time.perf_counter()
    orders, lines = group_orders(made.proposals)
    ended = time.perf_counter()
    phases["rest of the plan"] = planned - began - sum(phases.values())
    phases["grouped into orders"] = ended - planned
    return {
        "seconds": round(ended - began, 2),
        "phases": {label: round(value, 2) for label, value in phases.items()},
        "lines": len(lines),
        "orders": len(orders),
        "pulled_forward": int((lines["pulled_forward_days"] > 0).sum()),
        "with_an_alternative": int((lines["alternative_supplier"] != "").sum()),
        "over_budget": sum(fault.kind == "Over Budget" for fault in made.faults),
    }


def of_item(company: Company, code: str) -> Company:
    """The item's rows alone, as they are read after an event."""
    mine = (company.keys["item_code"] == code).to_numpy()
    supply = company.supply

    def own(rows: pd.DataFrame) -> pd.DataFrame:
        return rows[rows["item_code"] == code].reset_index(drop=True)

    sourcing = own(supply.sourcing)
    terms = supply.terms.terms[supply.terms.terms["supplier"].isin(sourcing["supplier"])].reset_index(drop=True)
    return replace(
        company,
        keys=own(company.keys), mean=company.mean[mine], std=company.std[mine], positions=own(company.positions),
        supply=replace(
            supply, dated=own(supply.dated), items=own(supply.items), sourcing=sourcing,
            price_breaks=own(supply.price_breaks), terms=OrderTerms(terms, supply.terms.days_off),
        ),
    )  # fmt: skip


def one_by_one(company: Company) -> dict[str, Any]:
    """Items with something to order, each with levels that are ready."""
    codes = company.keys["item_code"].unique()[:: max(1, len(company.keys) // (3 * ONE_ITEM_TRIES * 3))]
    seconds, lines = [], 0
    for code in codes[: ONE_ITEM_TRIES + 3].tolist():
        one = of_item(company, code)
        ready = replenish(one.outlook(), one.positions, one.supply, one.settings, AS_OF).levels
        changed = replace(one, positions=one.positions.assign(on_hand_qty=0.0))
        began = time.perf_counter()
        made = replenish(changed.outlook(), changed.positions, changed.supply, changed.settings, AS_OF, ready)
        group_orders(made.proposals)
        seconds.append(time.perf_counter() - began)
        lines += len(made.proposals)
    timed = [1000.0 * value for value in seconds[3:]]  # the first warm the caches
    return {
        "items": len(timed), "lines": lines, "median_ms": round(statistics.median(timed), 1),
        "slowest_ms": round(max(timed), 1),
    }  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--pairs", type=int, default=30_000)
    parser.add_argument("--suppliers", type=int, default=300)
    given = parser.parse_args()
    company = make(given.pairs, given.suppliers)
    began = time.perf_counter()
    ready = replenish(company.outlook(), company.positions, company.supply, company.settings, AS_OF).levels
    result = {
        "pairs": len(company.keys), "suppliers": given.suppliers,
        "levels_and_orders_once_s": round(time.perf_counter() - began, 1),
        "everything": everything(company, ready), "one_item": one_by_one(company),
        "peak_gb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, 2),
    }  # fmt: skip
    met = result["everything"]["seconds"] <= MOST_SECONDS and result["one_item"]["median_ms"] <= MOST_MILLISECONDS
    print(json.dumps({**result, "met": met}, indent=1))
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
