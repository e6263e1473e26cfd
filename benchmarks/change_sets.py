"""A Level Change Set of 5,000 items on a live site: proposed, applied and rolled back, in seconds per 1,000 items.

    python -m benchmarks.change_sets --bench ~/frappe-bench --site SITE --items 5000

Half of the items have a reorder row that changes in two warehouses, a quarter in one, a quarter get a new row; every
item's safety stock changes too. One row in a hundred is changed by a person between proposal and approval. All but
the company is deleted at the end. Exits 1 if a value did not end where it began.
"""

import sys
import time
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.bench_site import arguments, connected, inside_bench

COMPANY, PREFIX = "Forecast Shop", "BENCH-LEVEL-"
_BY_ITEM = ("Item Reorder", "Bin", "Safety Stock Policy", "Reorder Level Backup", "Level Change")
CHANGED_BY_PERSON = 0.01


def main() -> int:
    parser = arguments(__doc__.splitlines()[0])
    parser.add_argument("--items", type=int, default=5000)
    options = parser.parse_args()
    bench = inside_bench(options.bench, "benchmarks.change_sets")
    with connected(bench, options.site) as frappe:
        run = _make(frappe, options.items)
        before = _values(frappe)
        print(f"{options.items:,} items, {len(before):,} values that stand")
        name = _propose(run)
        touched = _person_changes(frappe)
        _work(name, "applied")
        _work(name, "rolled back")
        after = _values(frappe)
        wrong = int((after.drop(touched) != before.drop(touched)).any(axis=1).sum()) + abs(len(after) - len(before))
        print(f"values that are not as before: {wrong}; changed by a person and left: {len(touched)}")
        _clear(frappe)
        return int(wrong > 0)


def _propose(run: str) -> str:
    from erp_forecast_addon.services import change_sets
    from erp_forecast_addon.site import reads
    from erp_forecast_addon.site.frappe_site import FrappeSite

    site = FrappeSite()
    began = time.perf_counter()
    proposal = change_sets.propose(site, run, reads.company_settings(site, COMPANY), site.as_of())
    print(f"proposed: {time.perf_counter() - began:.2f} s for {proposal.lines:,} changes {proposal.detail}")
    assert proposal.name is not None
    return proposal.name


def _work(name: str, what: str) -> None:
    from erp_forecast_addon.services import change_set_work, change_sets
    from erp_forecast_addon.site.frappe_site import FrappeSite

    site = FrappeSite()
    (change_sets.approve if what == "applied" else change_sets.start_roll_back)(site, name)
    outcome = change_set_work.work(site, name)
    print(
        f"{what}: {outcome.done:,} values of {outcome.items:,} items in {outcome.seconds:.2f} s, "
        f"{1000 * outcome.seconds / outcome.items:.2f} s per 1,000 items; left {outcome.left:,}"
    )


# ---- what there is to change ---------------------------------------------------------------------------------------
def _make(frappe: Any, count: int) -> str:
    """Items with rows, levels that differ from them, a run that published them; the run's name."""
    from erp_forecast_addon.site.frappe_site import FrappeSite
    from erp_forecast_addon.tests import factories

    factories.company()
    houses = [factories.warehouse(COMPANY), factories.warehouse(COMPANY, "Second")]
    factories.clear(COMPANY)
    _clear(frappe)
    factories.settings(
        COMPANY, who_orders="ERPNext", draft_orders=0, write_back_levels=1, write_back_safety_stock=1,
        write_back_by="Change Set", change_tolerance_pct=5,
    )  # fmt: skip
    site, random = FrappeSite(), np.random.default_rng(7)
    codes = _items(frappe, site, count)
    pairs = pd.DataFrame({"item_code": np.repeat(codes, 2), "warehouse": np.tile(houses, len(codes))})
    kind = np.arange(len(codes)) % 4  # 0, 1: two rows; 2: one row; 3: none
    planned = pairs[np.repeat(kind, 2) <= 1]
    planned = pd.concat([planned, pairs[(np.repeat(kind, 2) >= 2) & (pairs["warehouse"] == houses[0])]])
    standing = planned[planned["item_code"].isin(np.array(codes)[kind <= 2])]
    site.insert_rows("Item Reorder", standing.rename(columns={"item_code": "parent"}).assign(
        parenttype="Item", parentfield="reorder_levels", idx=standing.groupby("item_code").cumcount() + 1,
        warehouse_group=standing["warehouse"], material_request_type="Purchase",
        warehouse_reorder_level=random.integers(1, 100, len(standing)),
        warehouse_reorder_qty=random.integers(1, 100, len(standing)),
    ))  # fmt: skip
    site.insert_rows("Bin", planned.assign(valuation_rate=random.uniform(1, 50, len(planned)), stock_uom="Nos"))
    run = site.insert_document("Forecast Run", {"company": COMPANY, "status": "Running", "triggered_by": "Command"})
    point = random.integers(101, 300, len(planned))
    site.insert_rows("Safety Stock Policy", planned.assign(
        company=COMPANY, forecast_run=run, abc_class=random.choice(list("ABC"), len(planned), p=[0.2, 0.3, 0.5]),
        reorder_point_qty=point, order_up_to_qty=point + random.integers(101, 200, len(planned)),
        safety_stock_qty=random.integers(5, 50, len(planned)), lead_time_demand_qty=point / 2,
        explanation="Demand over the lead time and a safety stock for the service target.",
    ))  # fmt: skip
    frappe.db.commit()
    return run


def _items(frappe: Any, site: Any, count: int) -> list[str]:
    group = frappe.db.get_value("Item Group", {"is_group": 0})
    codes = [f"{PREFIX}{number:06d}" for number in range(count)]
    site.insert_rows("Item", pd.DataFrame({
        "name": codes, "item_code": codes, "item_name": codes, "item_group": group, "stock_uom": "Nos",
        "is_stock_item": 1, "is_purchase_item": 1, "safety_stock": 1,
    }))  # fmt: skip
    return codes


def _clear(frappe: Any) -> None:
    for doctype in _BY_ITEM:
        frappe.db.delete(doctype, {"parent" if doctype == "Item Reorder" else "item_code": ("like", f"{PREFIX}%")})
    frappe.db.delete("Item", {"name": ("like", f"{PREFIX}%")})
    for doctype in ("Level Change Set", "Forecast Run"):
        frappe.db.delete(doctype, {"company": COMPANY})
    frappe.db.commit()


def _person_changes(frappe: Any) -> list[Any]:
    """A person types other levels into some rows: their names."""
    rows = frappe.get_all("Item Reorder", filters={"parent": ("like", f"{PREFIX}%")}, pluck="name", order_by="name")
    chosen = rows[:: int(1 / CHANGED_BY_PERSON)]
    for name in chosen:
        frappe.db.set_value("Item Reorder", name, "warehouse_reorder_level", 777)
    frappe.db.commit()
    return chosen


def _values(frappe: Any) -> pd.DataFrame:
    rows = frappe.db.sql(
        "select name, warehouse_reorder_level, warehouse_reorder_qty from `tabItem Reorder` where parent like %s "
        "union all select name, safety_stock, 0 from `tabItem` where name like %s",
        (f"{PREFIX}%", f"{PREFIX}%"),
    )
    return pd.DataFrame(rows, columns=["name", "level", "qty"]).set_index("name").sort_index().astype(float)


if __name__ == "__main__":
    sys.exit(main())
