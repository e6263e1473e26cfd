"""Planning Scenarios on the embedded site: what is kept, that nothing else is touched, what is refused."""

import hashlib
import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from embedded_shop import EmbeddedShop

from erp_forecast_addon.commands import embedded
from erp_forecast_addon.planning.errors import BadInput, Busy, Refused
from erp_forecast_addon.services.scenarios import DOCTYPE, MOST_ROWS, create, queue, run_scenario
from erp_forecast_addon.site.embedded import EmbeddedSite


@pytest.fixture
def stocked(shop: EmbeddedShop) -> EmbeddedShop:
    shop.stocked_item("Bolt", "Acme", on_hand=120)
    shop.stocked_item("Gear", "Slow Supplies", on_hand=90)
    shop.supplier("Brisk")
    shop.item("Gear", supplier_items=[{"supplier": "Brisk"}])
    shop.price("Gear", "Brisk", 7.0)
    shop.run()
    return shop


def fingerprints(site: EmbeddedSite) -> dict[str, str]:
    """A hash of every table but the scenarios' own."""
    tables = [row[0] for row in site.read("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
    return {
        table: hashlib.blake2b(repr(site.read(f'SELECT * FROM "{table}" ORDER BY rowid')).encode()).hexdigest()
        for table in tables
        if table != f"tab{DOCTYPE}"
    }


def made(shop: EmbeddedShop, **values: Any) -> dict[str, Any]:
    asked = {"company": shop.company, "title": "What if", "use_other_suppliers": 1, **values}
    name = run_scenario(shop.site, create(shop.site, asked))
    document = shop.site.get_document(DOCTYPE, name)
    assert document is not None
    return {**document, "results": json.loads(document["results_json"])}


def moved_prices(shop: EmbeddedShop) -> None:
    """A third item whose price goes up by 30% for three weeks of every six, and whose sales then halve."""
    shop.item("Nail")
    shop.source("Nail", "Acme", 5.0)
    shop.site.insert_document("Price List", {
        "price_list_name": "Standard Selling", "enabled": 1, "selling": 1, "currency": "EUR",
    })  # fmt: skip
    first = shop.today - timedelta(days=120)
    rows = [(first - timedelta(days=1), 3000.0)]
    for week in range(17):  # a price for each week, and its sales
        begins, dear = first + timedelta(days=7 * week), week % 6 >= 3
        shop.site.insert_document("Item Price", {
            "item_code": "Nail", "price_list": "Standard Selling", "selling": 1, "currency": "EUR", "uom": "Nos",
            "price_list_rate": 13.0 if dear else 10.0, "valid_from": begins,
            "valid_upto": begins + timedelta(days=6) if week < 16 else None,
        })  # fmt: skip
        rows += [(begins + timedelta(days=day), -10.0 if dear else -20.0) for day in range(7)]
    moves = pd.DataFrame(rows, columns=["posting_date", "actual_qty"])
    moves = moves[moves["posting_date"] < shop.today]
    ledger = moves.assign(
        item_code="Nail", warehouse=shop.warehouse, posting_date=pd.to_datetime(moves["posting_date"]),
        qty_after_transaction=moves["actual_qty"].cumsum(),
        voucher_type=np.where(moves["actual_qty"] > 0, "Purchase Receipt", "Delivery Note"),
    )  # fmt: skip
    shop.ledger(ledger)


def ordered(shop: EmbeddedShop, item_code: str, qty: float, day: date) -> None:
    """A submitted order of the item's default supplier."""
    (supplier,) = [
        row["default_supplier"] for row in (shop.site.get_document("Item", item_code) or {})["item_defaults"]
    ]
    shop.site.insert_document("Purchase Order", {
        "name": "PO-OPEN", "supplier": supplier, "company": shop.company, "docstatus": 1, "status": "To Receive",
        "transaction_date": shop.today, "schedule_date": day, "currency": "EUR",
        "items": [{
            "item_code": item_code, "warehouse": shop.warehouse, "qty": qty, "stock_qty": qty, "conversion_factor": 1,
            "uom": "Nos", "stock_uom": "Nos", "schedule_date": day, "rate": 5.0, "received_qty": 0,
        }],
    })  # fmt: skip
    shop.site.commit()


def test_a_scenario_keeps_both_plans_and_touches_nothing_else(stocked: EmbeddedShop) -> None:
    before = fingerprints(stocked.site)
    kept = made(stocked, demand_pct=40)
    assert fingerprints(stocked.site) == before
    assert (kept["status"], kept["progress_pct"], kept["pairs"]) == ("Done", 100, 2)
    assert str(kept["as_of"]) == str(stocked.today - timedelta(days=1))
    assert kept["scenario_ordered_value"] > kept["base_ordered_value"] > 0
    assert {row["item_code"] for row in kept["results"]["pairs"]} == {"Bolt", "Gear"}
    assert sum(row["base_ordered_value"] for row in kept["results"]["months"]) == pytest.approx(
        kept["base_ordered_value"], abs=0.01
    )
    assert len(kept["results"]["pairs"]) <= MOST_ROWS


def test_the_base_plan_is_the_plan_of_the_run(stocked: EmbeddedShop) -> None:
    kept = made(stocked, demand_pct=10, item_codes="Bolt\n\nBolt")
    (row,) = kept["results"]["pairs"]
    (policy,) = stocked.rows("Safety Stock Policy", item_code="Bolt")
    for field in ("reorder_point_qty", "order_up_to_qty", "safety_stock_qty"):
        assert row[f"base_{field}"] == pytest.approx(policy[field], abs=0.001)
    assert row["abc_class"] == policy["abc_class"]


def test_a_scenario_that_changes_nothing_equals_the_base(stocked: EmbeddedShop) -> None:
    kept = made(stocked)
    assert all(base == scenario for base, scenario in kept["results"]["totals"].values())
    assert kept["results"]["alternatives"] == []


def test_a_filter_of_few_items_forecasts_no_others_and_writes_nothing(stocked: EmbeddedShop) -> None:
    before = fingerprints(stocked.site)
    kept = made(stocked, demand_pct=40, item_codes="Gear")
    assert fingerprints(stocked.site) == before
    assert (kept["pairs"], kept["forecast_pairs"]) == (1, 1)
    assert kept["results"]["assumptions"][0].startswith("Of the company only the items that the filters leave were")
    whole = made(stocked, demand_pct=40)
    assert (whole["pairs"], whole["forecast_pairs"]) == (2, 2)
    (alone,), (among,) = (
        [row for row in record["results"]["pairs"] if row["item_code"] == "Gear"] for record in (kept, whole)
    )
    for figure in ("reorder_point_qty", "order_up_to_qty", "demand_qty", "service_level_pct"):
        assert alone[f"scenario_{figure}"] == pytest.approx(among[f"scenario_{figure}"], rel=1e-6)


@pytest.mark.parametrize(
    "chosen", [{"supplier": "Acme"}, {"abc_class": "B"}, {"brand": "Steel"}, {"item_group": "Fasteners"}]
)
def test_every_filter_that_leaves_few_items_reads_these_alone(stocked: EmbeddedShop, chosen: dict[str, Any]) -> None:
    for group in ("All", "Fasteners"):
        stocked.site.insert_document("Item Group", {"item_group_name": group, "parent_item_group": ""})
    stocked.item("Bolt", brand="Steel", item_group="Fasteners")
    (bolt,) = stocked.rows("Safety Stock Policy", item_code="Bolt")
    (gear,) = stocked.rows("Safety Stock Policy", item_code="Gear")
    stocked.site.set_fields("Safety Stock Policy", bolt["name"], {"abc_class": "B"})
    stocked.site.set_fields("Safety Stock Policy", gear["name"], {"abc_class": "A"})
    stocked.site.commit()
    kept = made(stocked, demand_pct=40, **chosen)
    assert kept["forecast_pairs"] == 1
    assert [row["item_code"] for row in kept["results"]["pairs"]] == ["Bolt"]
    # The class is the stored one, not what a look at one item would find.
    assert kept["results"]["pairs"][0]["abc_class"] == "B"


def test_an_item_too_new_to_be_forecast_alone_takes_the_whole_company(stocked: EmbeddedShop) -> None:
    stocked.stocked_item("Washer", "Acme", on_hand=20, days=20)
    stocked.run()
    kept = made(stocked, demand_pct=40, item_codes="Washer")
    assert (kept["pairs"], kept["forecast_pairs"]) == (1, 3)


def test_without_a_run_before_the_company_is_forecast(stocked: EmbeddedShop) -> None:
    stocked.site.delete_rows("Forecast State", [row["name"] for row in stocked.rows("Forecast State")])
    stocked.site.commit()
    assert made(stocked, demand_pct=40, item_codes="Gear")["forecast_pairs"] == 2


def test_a_selling_price_moves_margin_and_demand(stocked: EmbeddedShop) -> None:
    dearer = made(stocked, selling_price_pct=10)
    assert dearer["scenario_margin_value"] > dearer["base_margin_value"] > 0
    assert dearer["scenario_ordered_value"] == dearer["base_ordered_value"]
    answered = made(stocked, selling_price_pct=10, price_elasticity=-3)
    assert answered["scenario_ordered_value"] < answered["base_ordered_value"]
    assert answered["results"]["assumptions"] == [
        "Items of which the price history tells no effect of the price: 2. The elasticity given counts for them: -3, "
        "demand times 0.751."
    ]
    assert {row["elasticity"] for row in answered["results"]["pairs"]} == {-3.0}


def test_a_price_history_says_how_demand_answers(stocked: EmbeddedShop) -> None:
    """Nails halved their sales whenever they cost 30% more; nothing is typed, and their demand falls all the same."""
    moved_prices(stocked)
    stocked.run()
    kept = made(stocked, selling_price_pct=20, item_codes="Nail")
    (row,) = kept["results"]["pairs"]
    assert -4.0 <= row["elasticity"] < -1.0
    assert any("as the price history of their item groups taught" in told for told in kept["results"]["assumptions"])
    assert row["scenario_demand_qty"] == pytest.approx(row["base_demand_qty"] * 1.2 ** row["elasticity"], rel=0.01)
    ignored = made(stocked, selling_price_pct=20, item_codes="Nail", use_learned_elasticity=0)
    assert ignored["results"]["pairs"][0]["elasticity"] == 0.0


def test_open_orders_move_with_the_lead_time_unless_they_stay(stocked: EmbeddedShop) -> None:
    ordered(stocked, "Gear", 300, stocked.today + timedelta(days=5))
    later = made(stocked, lead_time_days=30, item_codes="Gear")
    assert any("arrive 30 days later than promised" in told for told in later["results"]["assumptions"])
    stay = made(stocked, lead_time_days=30, item_codes="Gear", move_open_orders=0)
    assert later["scenario_shortage_value"] > stay["scenario_shortage_value"]
    assert later["base_shortage_value"] == stay["base_shortage_value"]


def test_ways_out_have_their_price_and_their_effect(stocked: EmbeddedShop) -> None:
    kept = made(stocked, supplier_out="Slow Supplies", supplier_out_weeks=8, use_other_suppliers=0)
    (brisk,) = [row for row in kept["results"]["alternatives"] if row["kind"] == "Other Supplier"]
    assert brisk["order_value"] == pytest.approx(7.0 * brisk["qty"])
    assert brisk["saved_value"] > 0
    assert brisk["fill_rate_gain_pct"] > 0
    assert brisk["cash_value"] <= brisk["order_value"]


def test_a_supplier_out_delays_its_open_orders_and_names_ways_out(stocked: EmbeddedShop) -> None:
    kept = made(stocked, supplier_out="Slow Supplies", supplier_out_weeks=8, use_other_suppliers=0)
    assert kept["scenario_shortage_value"] > kept["base_shortage_value"]
    assert kept["scenario_fill_rate_pct"] < kept["base_fill_rate_pct"]
    kinds = {row["kind"] for row in kept["results"]["alternatives"]}
    assert "Other Supplier" in kinds
    assert any("Brisk" in row["sentence"] for row in kept["results"]["alternatives"])
    elsewhere = made(stocked, supplier_out="Slow Supplies", supplier_out_weeks=8)
    assert elsewhere["scenario_shortage_value"] < kept["scenario_shortage_value"]
    (gear,) = [row for row in elsewhere["results"]["pairs"] if row["item_code"] == "Gear"]
    assert (gear["base_supplier"], gear["scenario_supplier"]) == ("Slow Supplies", "Brisk")


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"supplier": "Nobody"}, "Nobody supplies none of the planned items. The suppliers are: Acme, Brisk, Slow"),
        ({"supplier_out": "Nobody", "supplier_out_weeks": 3}, "Nobody supplies none of the planned items."),
        ({"item_codes": "Bolt\nNail"}, "These items are not planned: Nail."),
        ({"item_group": "Nothing"}, "There is no item group Nothing."),
        ({"warehouse": "Elsewhere - S"}, "There is no warehouse Elsewhere - S among those that are planned."),
        ({"brand": "None"}, "No planned item is of the brand None."),
        ({"supplier": "Acme", "item_codes": "Gear"}, "No planned item fits all of the filters together."),
    ],
)  # fmt: skip
def test_what_cannot_be_planned_is_said_in_the_record(
    stocked: EmbeddedShop, values: dict[str, Any], sentence: str
) -> None:
    name = create(stocked.site, {"company": stocked.company, "title": "Wrong", "demand_pct": 5, **values})
    with pytest.raises(BadInput):
        run_scenario(stocked.site, name)
    kept = stocked.site.get_document(DOCTYPE, name)
    assert kept is not None
    assert kept["status"] == "Failed"
    assert str(kept["error"]).startswith(sentence)
    # Put right, the same record is worked out.
    stocked.site.update_document(DOCTYPE, name, dict.fromkeys(values))
    run_scenario(stocked.site, name)
    again = stocked.site.get_document(DOCTYPE, name)
    assert again is not None
    assert (again["status"], again["error"]) == ("Done", None)


def test_a_change_that_makes_no_sense_is_not_kept(stocked: EmbeddedShop) -> None:
    with pytest.raises(BadInput, match="A demand of -100% leaves nothing to plan"):
        create(stocked.site, {"company": stocked.company, "title": "None", "demand_pct": -100})
    with pytest.raises(Refused, match="There is no company Nobody"):
        create(stocked.site, {"company": "Nobody", "title": "None"})
    assert not stocked.rows(DOCTYPE)


def test_a_company_that_is_not_planned_is_refused(stocked: EmbeddedShop) -> None:
    name = create(stocked.site, {"company": stocked.company, "title": "Off"})
    stocked.settings(enabled=0)
    with pytest.raises(Refused, match="is not planned"):
        run_scenario(stocked.site, name)


def test_the_same_scenario_is_not_worked_out_twice_at_once(stocked: EmbeddedShop) -> None:
    name = create(stocked.site, {"company": stocked.company, "title": "Twice"})
    queue(stocked.site, name)
    stocked.site.commit()
    other = EmbeddedSite(stocked.path, now=stocked.site.now())
    with other.lock(f"planning scenario {name}") as got:
        assert got
        with pytest.raises(Busy):
            run_scenario(stocked.site, name)
    other.close()
    kept = stocked.site.get_document(DOCTYPE, name)
    assert kept is not None
    assert kept["status"] == "Queued"


def test_only_warehouses_that_may_be_seen_are_read(stocked: EmbeddedShop) -> None:
    name = create(stocked.site, {"company": stocked.company, "title": "Elsewhere"})
    with pytest.raises(BadInput, match="None of the planned warehouses"):
        run_scenario(stocked.site, name, warehouses=["Other - S"])


def test_the_command_prints_both_plans(stocked: EmbeddedShop, tmp_path: Path) -> None:
    stocked.site.commit()
    arguments = ["--db", str(stocked.path), "scenario", "--supplier-out", "Acme", "--weeks", "6", "--title", "Acme out"]
    done = CliRunner().invoke(embedded, arguments)
    assert done.exit_code == 0, done.output
    assert "base plan" in done.output
    assert "lost sales" in done.output
    (kept,) = stocked.rows(DOCTYPE)
    assert (kept["title"], kept["status"], kept["supplier_out_weeks"]) == ("Acme out", "Done", 6)
    refused = CliRunner().invoke(embedded, ["--db", str(stocked.path), "scenario", "--demand", "-100"])
    assert refused.exit_code == 2
