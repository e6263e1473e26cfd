"""Every kind of open document counts once, on its day, in the warehouse that it touches."""

from datetime import date, timedelta
from typing import Any

import pandas as pd
import pytest
from embedded_shop import EmbeddedShop

from erp_forecast_addon.site import reads

ITEM = "Bolt"


@pytest.fixture
def open_shop(shop: EmbeddedShop) -> EmbeddedShop:
    shop.item(ITEM)
    shop.site.insert_document("Warehouse", {"name": "Other - S", "warehouse_name": "Other", "company": shop.company})
    return shop


def insert(shop: EmbeddedShop, doctype: str, **values: Any) -> str:
    name = shop.site.insert_document(doctype, {"company": shop.company, "docstatus": 1, **values})
    shop.site.commit()
    return name


def ahead(shop: EmbeddedShop, days: int) -> date:
    return shop.today + timedelta(days=days)


def found(shop: EmbeddedShop) -> list[tuple[str, str, int, float]]:
    """(kind, warehouse, days ahead, quantity), sorted."""
    rows = reads.dated(shop.site, shop.company)
    days = (rows["day"] - pd.Timestamp(shop.today)).dt.days
    return sorted(zip(rows["kind"], rows["warehouse"], days.tolist(), rows["qty"].tolist(), strict=True))


def bin_holds(shop: EmbeddedShop, warehouse: str, **values: float) -> None:
    shop.site.insert_document("Bin", {"item_code": ITEM, "warehouse": warehouse, **values})
    shop.site.commit()


def work_order(shop: EmbeddedShop, **values: Any) -> None:
    begins = pd.Timestamp(ahead(shop, 4)) + pd.Timedelta(hours=9)
    line = {"item_code": ITEM, "source_warehouse": shop.warehouse, "required_qty": 10.0, **values.pop("line", {})}
    insert(shop, "Work Order", production_item="Bike", fg_warehouse="Other - S", qty=0, status="Not Started",
           planned_start_date=begins, required_items=[line], **values)  # fmt: skip


def test_a_work_order_asks_for_its_components_on_the_day_it_begins(open_shop: EmbeddedShop) -> None:
    work_order(open_shop, line={"transferred_qty": 3.0})
    bin_holds(open_shop, open_shop.warehouse, reserved_qty_for_production=7.0)
    assert found(open_shop) == [("production", open_shop.warehouse, 4, -7.0)], "Bin's figure is the same demand"


def test_without_a_transfer_to_work_in_progress_consumption_counts(open_shop: EmbeddedShop) -> None:
    work_order(open_shop, skip_transfer=1, line={"transferred_qty": 9.0, "consumed_qty": 2.0})
    assert found(open_shop) == [("production", open_shop.warehouse, 4, -8.0)]


def test_what_bin_holds_beyond_its_documents_counts_today(open_shop: EmbeddedShop) -> None:
    work_order(open_shop)
    bin_holds(open_shop, open_shop.warehouse, reserved_qty_for_production=12.0, reserved_qty_for_sub_contract=5.0)
    assert found(open_shop) == [
        ("production", open_shop.warehouse, 0, -2.0),
        ("production", open_shop.warehouse, 4, -10.0),
        ("subcontract", open_shop.warehouse, 0, -5.0),
    ]


def test_subcontractors_are_supplied_when_the_order_is_due(open_shop: EmbeddedShop) -> None:
    part = {"rm_item_code": ITEM, "reserve_warehouse": open_shop.warehouse, "required_qty": 20.0, "supplied_qty": 5.0}
    insert(open_shop, "Subcontracting Order", status="Open", schedule_date=ahead(open_shop, 6), supplied_items=[part])
    bin_holds(open_shop, open_shop.warehouse, reserved_qty_for_sub_contract=15.0)
    assert found(open_shop) == [("subcontract", open_shop.warehouse, 6, -15.0)]


def test_a_production_plan_counts_by_date_and_no_more_than_bin_says(open_shop: EmbeddedShop) -> None:
    part = {"item_code": ITEM, "warehouse": open_shop.warehouse, "quantity": 30.0, "conversion_factor": 1.0,
            "schedule_date": ahead(open_shop, 8)}  # fmt: skip
    insert(open_shop, "Production Plan", status="Submitted", mr_items=[part])
    assert found(open_shop) == [], "work orders have taken it over"
    bin_holds(open_shop, open_shop.warehouse, reserved_qty_for_production_plan=12.0)
    assert found(open_shop) == [("production_plan", open_shop.warehouse, 8, -12.0)]


def request(shop: EmbeddedShop, kind: str, qty: float, **line: Any) -> str:
    given = {"item_code": ITEM, "warehouse": shop.warehouse, "qty": qty, "stock_qty": qty,
             "schedule_date": ahead(shop, 5), **line}  # fmt: skip
    return insert(shop, "Material Request", material_request_type=kind, status="Pending", items=[given])


def test_a_request_to_manufacture_is_kept_apart_until_a_production_plan_takes_it_up(open_shop: EmbeddedShop) -> None:
    name = request(open_shop, "Manufacture", 10.0, ordered_qty=2.0)
    assert found(open_shop) == [("manufacture_request", open_shop.warehouse, 5, 8.0)]
    line = (open_shop.site.get_document("Material Request", name) or {})["items"][0]["name"]
    taken = {"material_request_item": line, "planned_qty": 7.0, "ordered_qty": 2.0}
    insert(open_shop, "Production Plan", status="Submitted", po_items=[taken])
    assert found(open_shop) == [
        ("manufacture_request", open_shop.warehouse, 5, 3.0),
        ("material_request", open_shop.warehouse, 5, 5.0),
    ], "the plan asks for the components of five itself"


def test_a_requested_transfer_is_taken_off_its_source(open_shop: EmbeddedShop) -> None:
    request(open_shop, "Material Transfer", 6.0, from_warehouse="Other - S", ordered_qty=1.0)
    assert found(open_shop) == [
        ("material_request", open_shop.warehouse, 5, 5.0), ("transfer_out", "Other - S", 5, -5.0),
    ]  # fmt: skip


def sales_order(shop: EmbeddedShop, **values: Any) -> str:
    line = {"item_code": ITEM, "warehouse": shop.warehouse, "qty": 10.0, "delivered_qty": 4.0,
            "delivery_date": ahead(shop, 3)}  # fmt: skip
    name = insert(shop, "Sales Order", status="To Deliver", items=[line], **values)
    return str((shop.site.get_document("Sales Order", name) or {})["items"][0]["name"])


def test_what_is_sold_to_a_company_of_the_group_is_a_transfer(open_shop: EmbeddedShop) -> None:
    sales_order(open_shop)
    assert found(open_shop) == [("sales_order", open_shop.warehouse, 3, -6.0)]
    sales_order(open_shop, is_internal_customer=1)
    assert found(open_shop)[1] == ("transfer_out", open_shop.warehouse, 3, -6.0), "no forecast contains it"


def test_reserved_stock_is_the_same_demand_as_its_sales_order(open_shop: EmbeddedShop) -> None:
    line = sales_order(open_shop)
    held = {"voucher_type": "Sales Order", "voucher_detail_no": line, "item_code": ITEM, "status": "Reserved"}
    insert(open_shop, "Stock Reservation Entry", warehouse=open_shop.warehouse, reserved_qty=5.0, **held)
    bin_holds(open_shop, open_shop.warehouse, reserved_stock=5.0)
    assert found(open_shop) == [("sales_order", open_shop.warehouse, 3, -6.0)]
    positions = reads.positions(open_shop.site, open_shop.company)
    assert positions["reserved_stock_qty"].tolist() == [5.0]


def test_what_is_reserved_elsewhere_is_asked_of_that_warehouse(open_shop: EmbeddedShop) -> None:
    line = sales_order(open_shop)
    held = {"voucher_type": "Sales Order", "voucher_detail_no": line, "item_code": ITEM, "status": "Reserved"}
    insert(open_shop, "Stock Reservation Entry", warehouse="Other - S", reserved_qty=4.0, **held)
    assert found(open_shop) == [
        ("sales_order", "Other - S", 3, -4.0), ("sales_order", open_shop.warehouse, 3, -2.0),
    ]  # fmt: skip
    insert(open_shop, "Stock Reservation Entry", warehouse="Other - S", reserved_qty=90.0, **held)
    assert sum(row[3] for row in found(open_shop)) == -6.0, "never more than is sold"


def test_the_till_counts_until_it_is_consolidated(open_shop: EmbeddedShop) -> None:
    line = {"item_code": ITEM, "warehouse": open_shop.warehouse, "qty": 2.0, "stock_qty": 2.0}
    name = insert(open_shop, "POS Invoice", items=[line])
    assert found(open_shop) == [("pos_invoice", open_shop.warehouse, 0, -2.0)]
    open_shop.site.update_document("POS Invoice", name, {"consolidated_invoice": "SINV-1"})
    assert found(open_shop) == []


# ---- warehouses that are left out ----
def planned(shop: EmbeddedShop) -> list[str]:
    bins = set(reads.positions(shop.site, shop.company)["warehouse"])
    assert bins == set(reads.warehouses(shop.site, shop.company))
    return sorted(bins)


def test_warehouses_are_left_out_by_themselves_by_their_group_by_rejection_and_by_type(
    open_shop: EmbeddedShop,
) -> None:
    site = open_shop.site
    site.insert_document("Warehouse", {"name": "Hold - S", "company": open_shop.company, "is_group": 1})
    for name, values in (
        ("Cage - S", {"parent_warehouse": "Hold - S"}), ("Rejects - S", {"is_rejected_warehouse": 1}),
        ("Transit - S", {"warehouse_type": "Transit"}),
    ):  # fmt: skip
        site.insert_document("Warehouse", {"name": name, "company": open_shop.company, **values})
    for name in ("Cage - S", "Rejects - S", "Transit - S", "Other - S", open_shop.warehouse):
        bin_holds(open_shop, name, actual_qty=1.0)
    assert planned(open_shop) == ["Cage - S", "Other - S", open_shop.warehouse, "Transit - S"]
    site.update_document("Warehouse", "Other - S", {"exclude_from_planning": 1})
    site.update_document("Warehouse", "Hold - S", {"exclude_from_planning": 1})
    assert planned(open_shop) == [open_shop.warehouse, "Transit - S"]
    open_shop.settings(excluded_warehouse_type="Transit", leave_out_rejected=0)
    assert planned(open_shop) == ["Rejects - S", open_shop.warehouse]


def test_open_documents_of_a_warehouse_left_out_count_no_more(open_shop: EmbeddedShop) -> None:
    request(open_shop, "Material Transfer", 6.0, from_warehouse="Other - S")
    open_shop.site.update_document("Warehouse", "Other - S", {"exclude_from_planning": 1})
    assert found(open_shop) == [("material_request", open_shop.warehouse, 5, 6.0)]


def test_the_network_is_read_of_planned_warehouses_and_default_bills(open_shop: EmbeddedShop) -> None:
    site = open_shop.site
    for code in ("Bike", "Red Bike", "Frame"):
        open_shop.item(code, variant_of="Bike" if code == "Red Bike" else None)
    site.update_document("Warehouse", "Other - S", {
        "supplying_warehouse": open_shop.warehouse, "planning_group": " North ", "transfer_days": 2,
    })  # fmt: skip
    parts = [{"item_code": "Frame", "stock_qty": 6.0, "source_warehouse": "Other - S"},
             {"item_code": "Labour", "stock_qty": 1.0}]  # fmt: skip
    insert(open_shop, "BOM", item="Bike", quantity=3.0, is_active=1, is_default=1, items=parts)
    insert(open_shop, "BOM", item="Frame", quantity=1.0, is_active=1, is_default=0, items=parts)
    network = reads.network(site, open_shop.company)
    other = network.warehouses.set_index("warehouse").loc["Other - S"]
    assert (other["supplied_by"], other["planning_group"], other["transfer_days"]) == (
        open_shop.warehouse,
        "North",
        2.0,
    )
    rows = {(r.item_code, r.component): (r.qty_per, r.warehouse, r.is_stocked) for r in network.boms.itertuples()}
    assert rows == {
        (bike, part): given
        for bike in ("Bike", "Red Bike")
        for part, given in (("Frame", (2.0, "Other - S", True)), ("Labour", (pytest.approx(1 / 3), "", False)))
    }


def test_settings_say_which_firm_demand_the_forecast_contains(open_shop: EmbeddedShop) -> None:
    open_shop.settings(demand_material_issue=0)
    assert reads.company_settings(open_shop.site, open_shop.company).plan.forecast_kinds == ("sales_order",)
    open_shop.settings(demand_manufacture=1, demand_subcontract=1, demand_material_issue=1, consume_back_days=3,
                       consume_forward_days=4, demand_fence_days=5, production_horizon_days=6, transfer_days=2,
                       transfer_cost=7)  # fmt: skip
    plan = reads.company_settings(open_shop.site, open_shop.company).plan
    assert plan.forecast_kinds == ("sales_order", "production", "production_plan", "subcontract", "material_issue")
    assert (plan.consume_back_days, plan.consume_forward_days, plan.demand_fence_days) == (3, 4, 5)
    assert (plan.production_horizon_days, plan.transfer_days, plan.transfer_cost) == (6, 2.0, 7.0)
