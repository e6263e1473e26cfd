"""Lead times from the tables of a site to records, and from there to the levels."""

import json
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from embedded_shop import EmbeddedShop

from erp_forecast_addon.planning.inventory.lead_time_distribution import STEPS, in_steps
from erp_forecast_addon.planning.purchasing.evidence import recompute
from erp_forecast_addon.services import decisions
from erp_forecast_addon.services.approval_times import learned_approval_time
from erp_forecast_addon.services.arrivals import last
from erp_forecast_addon.services.lead_times import DOCTYPE
from erp_forecast_addon.services.one_item import forecast_item
from erp_forecast_addon.site import reads
from erp_forecast_addon.site.lead_times import as_text, from_text, known_lead_times


def order(
    shop: EmbeddedShop, item_code: str, supplier: str, ago: int, took: int | None, asked: int = 10, **header: Any
) -> str:
    """A submitted order of 100, placed `ago` days ago and received `took` days later; None: still open."""
    placed = shop.today - timedelta(days=ago)
    name = f"PO-{supplier}-{item_code}-{ago}"
    site = shop.site
    line = {
        "name": f"{name}-1", "item_code": item_code, "warehouse": shop.warehouse, "qty": 100, "stock_qty": 100,
        "uom": "Nos", "conversion_factor": 1, "received_qty": 0 if took is None else 100,
        "schedule_date": placed + timedelta(days=asked),
    }  # fmt: skip
    site.insert_document("Purchase Order", {
        "name": name, "supplier": supplier, "company": shop.company, "docstatus": 1, "status": "To Receive",
        "transaction_date": placed, "items": [line], **header,
    })  # fmt: skip
    if took is not None:
        site.insert_document("Purchase Receipt", {
            "name": f"PR-{name}", "supplier": supplier, "company": shop.company, "docstatus": 1,
            "posting_date": placed + timedelta(days=took),
            "items": [{"item_code": item_code, "warehouse": shop.warehouse, "qty": 100, "stock_qty": 100,
                       "purchase_order": name, "purchase_order_item": f"{name}-1"}],
        })  # fmt: skip
    site.commit()
    return name


def record(shop: EmbeddedShop, supplier: str, item_code: str = "") -> dict[str, Any]:
    (row,) = shop.rows(DOCTYPE, supplier=supplier, item_code=item_code)
    return row


@pytest.fixture
def traded(shop: EmbeddedShop) -> EmbeddedShop:
    shop.stocked_item("Bolt", "Acme")
    shop.stocked_item("Gear", "Slow Supplies", on_hand=900)
    for at in range(12):
        order(shop, "Bolt", "Acme", 40 + 10 * at, 10)
    return shop


def test_a_run_writes_a_row_per_supplier_and_item(traded: EmbeddedShop) -> None:
    run = traded.run()
    whole, of_item = record(traded, "Acme"), record(traded, "Acme", "Bolt")
    for row in (whole, of_item):
        assert (row["company"], row["forecast_run"], row["source"]) == (traded.company, run["name"], "receipts")
        assert row["observations"] == 12.0
        assert row["median_days"] == 10.0
        assert (row["on_time_pct"], row["open_lines"]) == (100.0, 0)
    assert of_item["item_name"] == "Bolt"
    assert json.loads(of_item["quantiles"])["0.5"] == 10
    assert of_item["explanation"].startswith("Learned from 12 orders: half of a delivery is here within 10 days")


def test_the_levels_use_what_was_learned_and_name_the_source(traded: EmbeddedShop) -> None:
    traded.run()
    (policy,) = traded.rows("Safety Stock Policy", item_code="Bolt")
    assert policy["lead_time_source"] == "receipts"
    assert policy["lead_time_days"] == pytest.approx(record(traded, "Acme", "Bolt")["lead_time_days"], abs=0.01)
    (other,) = traded.rows("Safety Stock Policy", item_code="Gear")
    assert other["lead_time_source"] == "item"


def test_a_supplier_who_never_delivered_has_a_row_that_says_so(traded: EmbeddedShop) -> None:
    traded.run()
    row = record(traded, "Slow Supplies")
    assert (row["source"], row["observations"], row["distribution"]) == ("item", 0.0, "")
    assert row["explanation"] == (
        "Nothing was ever received from Slow Supplies. The lead time of 5 days comes from the items that he supplies."
    )


def test_overdue_lines_move_the_lead_time_and_are_counted(traded: EmbeddedShop) -> None:
    traded.run()
    before = record(traded, "Acme", "Bolt")["lead_time_days"]
    for ago in (30, 32, 34):
        order(traded, "Bolt", "Acme", ago, None)
    traded.run()
    after = record(traded, "Acme", "Bolt")
    assert after["lead_time_days"] > before + 2.0
    assert (after["open_lines"], after["open_overdue_lines"]) == (3, 3)
    assert after["on_time_pct"] == pytest.approx(80.0)


def test_a_second_run_updates_rows_and_rows_of_suppliers_gone_are_deleted(traded: EmbeddedShop) -> None:
    traded.run()
    names = {row["name"] for row in traded.rows(DOCTYPE)}
    traded.run()
    assert {row["name"] for row in traded.rows(DOCTYPE)} == names
    table = traded.site.qb.DocType("Purchase Receipt")
    traded.site.execute(traded.site.qb.update(table).set(table.docstatus, 2))
    order_table = traded.site.qb.DocType("Purchase Order")
    traded.site.execute(traded.site.qb.update(order_table).set(order_table.docstatus, 2))
    traded.site.commit()
    traded.run()
    assert not traded.rows(DOCTYPE, supplier="Acme", item_code="Bolt")
    assert record(traded, "Acme")["source"] == "item"


def test_a_receipt_before_its_order_becomes_a_case(traded: EmbeddedShop) -> None:
    order(traded, "Bolt", "Acme", 35, -5)
    traded.run()
    (case,) = [case for case in traded.cases() if case["exception_type"] == "Bad Data"]
    assert (case["item_code"], case["supplier"]) == ("Bolt", "Acme")
    assert "lies before its order" in case["message"]
    assert record(traded, "Acme", "Bolt")["observations"] == 12.0


def test_closed_internal_and_dropped_shipped_orders_are_not_open(traded: EmbeddedShop) -> None:
    order(traded, "Bolt", "Acme", 30, None, status="Closed")
    order(traded, "Bolt", "Acme", 31, None, is_internal_supplier=1)
    assert reads.open_lines(traded.site, traded.company).empty
    order(traded, "Bolt", "Acme", 32, None)
    assert len(reads.open_lines(traded.site, traded.company)) == 1


# ---- the order of trust ------------------------------------
def quote(shop: EmbeddedShop, supplier: str, item_code: str, days: int, ago: int, **header: Any) -> None:
    shop.site.insert_document("Supplier Quotation", {
        "supplier": supplier, "company": shop.company, "docstatus": 1,
        "transaction_date": shop.today - timedelta(days=ago), "valid_till": None,
        "items": [{"item_code": item_code, "lead_time_days": days}], **header,
    })  # fmt: skip
    shop.site.commit()


def source_of(shop: EmbeddedShop, item_code: str) -> tuple[str, float]:
    (row,) = reads.sourcing(shop.site, shop.company, [item_code]).to_dict("records")
    return row["lead_time_source"], row["lead_time_days"]


def test_each_source_steps_in_where_the_better_one_is_silent(shop: EmbeddedShop) -> None:
    shop.stocked_item("Nut", "Acme")
    shop.source("Nut", "Acme", None, lead_time_days=None)
    assert source_of(shop, "Nut")[0] == ""
    shop.source("Nut", "Acme", None, lead_time_days=5)
    assert source_of(shop, "Nut") == ("item", 5.0)
    shop.site.insert_document("Item Lead Time", {"item_code": "Nut", "purchase_time": 6})
    assert source_of(shop, "Nut") == ("item lead time", 6.0)
    order(shop, "Other", "Acme", 40, 9)
    assert source_of(shop, "Nut")[0] == "receipts"
    quote(shop, "Acme", "Nut", 7, ago=20)
    assert source_of(shop, "Nut") == ("quotation", 7.0)
    price = shop.site.qb.DocType("Item Price")
    shop.site.execute(shop.site.qb.update(price).set(price.lead_time_days, 8).where(price.item_code == "Nut"))
    assert source_of(shop, "Nut") == ("item price", 8.0)
    order(shop, "Nut", "Acme", 40, 9)
    assert source_of(shop, "Nut")[0] == "receipts"


def test_the_latest_quotation_that_holds_is_taken(shop: EmbeddedShop) -> None:
    shop.stocked_item("Nut", "Acme")
    quote(shop, "Acme", "Nut", 20, ago=30)
    quote(shop, "Acme", "Nut", 12, ago=10)
    quote(shop, "Acme", "Nut", 3, ago=5, valid_till=shop.today - timedelta(days=1))
    quote(shop, "Acme", "Nut", 4, ago=900)
    quote(shop, "Acme", "Nut", 2, ago=1, docstatus=0)
    assert source_of(shop, "Nut") == ("quotation", 12.0)


# ---- one item at once ------------------------------------
def test_what_a_run_learned_is_read_back(traded: EmbeddedShop) -> None:
    learned = reads.learned_lead_times(traded.site, traded.company).lead_times
    traded.run()
    stored = known_lead_times(traded.site, traded.company, ["Acme"], ["Bolt"])
    names = np.array(["Acme", "Acme"], dtype=object), np.array(["Bolt", ""], dtype=object)
    for at, there in zip(stored.rows_of(*names), learned.rows_of(*names), strict=True):
        assert at >= 0
        width = stored.probability.shape[1]
        np.testing.assert_allclose(stored.probability[at], learned.probability[there, :width], atol=1e-12)


def test_before_the_first_run_lead_times_are_learned_on_the_spot(traded: EmbeddedShop) -> None:
    known = known_lead_times(traded.site, traded.company, ["Acme"], ["Bolt"])
    assert known.has(np.array(["Acme"], dtype=object), np.array(["Bolt"], dtype=object)).all()


def test_distributions_come_back_from_their_text() -> None:
    probability = np.array([[0.0, 0.25, 0.75, 0.0], [1.0, 0.0, 0.0, 0.0]])
    texts = as_text(probability, np.array([0, -1, 1]))
    assert texts[1] == ""
    assert from_text([texts[0], texts[2]]).tolist() == [[0.0, 0.25, 0.75], [1.0, 0.0, 0.0]]
    assert from_text([]).shape == (0, 1)


def test_shares_in_steps_sum_to_one_and_come_back_as_they_are() -> None:
    probability = np.random.default_rng(3).dirichlet(np.full(200, 0.05), size=50)
    stepped = in_steps(probability)
    assert (stepped.sum(axis=1) == STEPS).all()
    assert (stepped >= 0).all()
    assert (in_steps(stepped / STEPS) == stepped).all()


# ---- approval ------------------------------------
def test_approving_an_order_is_kept_and_learned_from(traded: EmbeddedShop) -> None:
    traded.settings(draft_orders=1, approval_days=9)
    settings = reads.company_settings(traded.site, traded.company)
    today = traded.site.now().date()
    assert learned_approval_time(traded.site, settings, today).source == "settings"
    traded.run()
    proposed = traded.orders()[0]
    decisions.approve(traded.site, proposed["name"])
    (kept,) = traded.rows("Order Approval Time")
    assert (kept["purchase_order"], kept["company"]) == (proposed["purchase_order"], traded.company)
    assert 0.0 <= kept["days"] < 1.0
    learned = learned_approval_time(traded.site, settings, today)
    assert (learned.source, learned.observations) == ("learned", 1)
    assert learned.probability[0] == pytest.approx(1 / 6)


def test_approvals_of_other_companies_and_of_years_ago_are_left_out(traded: EmbeddedShop) -> None:
    from erp_forecast_addon.services.approval_times import record_approvals

    now = pd.Timestamp(traded.site.now())
    rows = pd.DataFrame({
        "purchase_order": ["P1", "P2", "P3"], "company": [traded.company, "Other", traded.company],
        "drafted_at": [now - pd.Timedelta(days=3), now, now - pd.Timedelta(days=1000)],
        "approved_at": [now, now, now - pd.Timedelta(days=998)], "origin": "Version",
    })  # fmt: skip
    assert record_approvals(traded.site, rows) == 3
    settings = reads.company_settings(traded.site, traded.company)
    learned = learned_approval_time(traded.site, settings, date(2026, 11, 20))
    assert learned.observations == 1
    assert learned.probability[3] == pytest.approx(1 / 6)


# ---- open orders in the position ------------------------------------
def overdue_shop(shop: EmbeddedShop) -> EmbeddedShop:
    """Acme takes 10 days. Slow Supplies delivers after 60 what was asked for in 10; 5,000 are 15 days overdue."""
    shop.stocked_item("Gear", "Acme", on_hand=10)
    shop.stocked_item("Cog", "Slow Supplies", on_hand=9000)
    for at in range(20):
        order(shop, "Gear", "Acme", 20 + 10 * at, 10)
        order(shop, "Cog", "Slow Supplies", 70 + 10 * at, 60)
    name = order(shop, "Gear", "Slow Supplies", 25, None)
    shop.site.set_fields("Purchase Order Item", f"{name}-1", {"qty": 5000.0, "stock_qty": 5000.0})
    shop.site.commit()
    return shop


def gear_lines(shop: EmbeddedShop) -> list[dict[str, Any]]:
    return [line for order in shop.orders() for line in order["items"] if line["item_code"] == "Gear"]


def test_an_overdue_order_counts_from_the_day_on_which_it_is_expected(shop: EmbeddedShop) -> None:
    overdue_shop(shop).run()
    (line,) = gear_lines(shop)
    told = json.loads(line["evidence"])
    assert (told["open_supply_qty"], told["put_off_qty"]) == (0.0, 5000.0)
    assert recompute(told) == pytest.approx(told["stock_qty"])
    assert "On order but not counted: 5000 Nos" in line["reason"]
    (kept,) = (row for row in last(shop.site, shop.company).to_dict("records") if "Gear" in row["order_line"])
    assert 30 <= (kept["expected_on"].date() - shop.today).days <= 40


def test_a_planner_may_trust_the_agreed_dates(shop: EmbeddedShop) -> None:
    overdue_shop(shop).settings(arrival_dates="As Agreed")
    shop.run()
    assert gear_lines(shop) == []
    (policy,) = shop.rows("Safety Stock Policy", item_code="Gear")
    assert policy["position_qty"] == 5010.0


def test_one_item_between_two_runs_counts_as_the_last_run_expected(shop: EmbeddedShop) -> None:
    overdue_shop(shop).run()
    drafted = sum(line["stock_qty"] for line in gear_lines(shop))
    forecast_item(shop.site, "Gear", lambda _company, _warehouse: True)
    (policy,) = shop.rows("Safety Stock Policy", item_code="Gear")
    assert policy["position_qty"] == pytest.approx(10.0 + drafted)
