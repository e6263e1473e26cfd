"""Planning Scenarios on the embedded site: what is kept, that nothing else is touched, what is refused."""

import hashlib
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

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
