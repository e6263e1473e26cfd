"""Bad input, end to end: the sentence a user gets, and that everything else went on.

Every test has a sound item beside the bad one; the sound one must be forecast and ordered.
"""

from datetime import timedelta
from typing import Any

import pytest
from embedded_shop import EmbeddedShop

from erp_forecast_addon.planning.errors import BadInput
from erp_forecast_addon.services import exceptions
from erp_forecast_addon.services.run import run_company


@pytest.fixture
def sound(shop: EmbeddedShop) -> EmbeddedShop:
    shop.stocked_item("Sound", "Fast Supplies")
    return shop


def planned(shop: EmbeddedShop) -> dict[str, Any]:
    """Run; the sound item is forecast, has a policy and is ordered, and the run is Completed."""
    run = shop.run()
    assert run["status"] == "Completed"
    assert shop.rows("Demand Forecast", item_code="Sound")[0]["next_30_days_qty"] == pytest.approx(300, rel=0.2)
    assert shop.rows("Safety Stock Policy", item_code="Sound")
    ordered = [line["item_code"] for order in shop.orders() for line in order["items"]]
    assert ordered.count("Sound") == 1
    return run


def sentence(shop: EmbeddedShop, kind: str, item_code: str | None = None) -> str:
    """The message of the only open exception of a kind (and item)."""
    found = [c for c in shop.cases(exception_type=kind, status="Open") if item_code in (None, c["item_code"])]
    assert len(found) == 1, [(c["exception_type"], c["item_code"], c["message"]) for c in shop.cases()]
    return str(found[0]["message"])


def ordered(shop: EmbeddedShop, item_code: str) -> list[dict[str, Any]]:
    return [line for order in shop.orders() for line in order["items"] if line["item_code"] == item_code]


def test_an_item_without_a_supplier(sound: EmbeddedShop) -> None:
    sound.item("Orphan", lead_time_days=5)
    sound.history("Orphan")
    planned(sound)
    assert "the item has no supplier. Set a default supplier on the item" in sentence(sound, "No Supplier", "Orphan")
    assert not ordered(sound, "Orphan")


def test_an_item_without_a_lead_time_uses_that_of_the_settings(sound: EmbeddedShop) -> None:
    sound.stocked_item("Timeless", lead_time_days=None)
    planned(sound)
    assert "The 14 days of the settings are used; enter one on the item" in sentence(sound, "No Lead Time", "Timeless")
    assert ordered(sound, "Timeless")[0]["lead_time_days"] == 14


def test_an_item_without_a_price_is_proposed_at_zero(sound: EmbeddedShop) -> None:
    sound.stocked_item("Priceless", rate=None)
    planned(sound)
    assert "has no price for it. The order is proposed at a rate of 0" in sentence(sound, "No Price", "Priceless")
    assert ordered(sound, "Priceless")[0]["rate"] == 0


def test_an_item_whose_purchase_uom_has_no_factor(sound: EmbeddedShop) -> None:
    sound.stocked_item("Boxed", purchase_uom="Box")
    planned(sound)
    message = sentence(sound, "No UOM Conversion", "Boxed")
    assert "how many Nos make one Box is not known. Nothing was ordered; add the conversion to the item" in message
    assert not ordered(sound, "Boxed")


def test_negative_stock_is_a_backlog_to_be_filled(sound: EmbeddedShop) -> None:
    sound.stocked_item("Below", on_hand=-30)
    planned(sound)
    assert "Below in Stores - S: the stock is -30." in sentence(sound, "Negative Stock", "Below")
    assert ordered(sound, "Below")[0]["qty"] > ordered(sound, "Sound")[0]["qty"]


def test_an_empty_ledger(shop: EmbeddedShop) -> None:
    run = shop.run()
    assert (run["status"], run["forecasts"], run["orders_created"]) == ("Completed", 0, 0)
    assert "the stock ledger holds no movement up to 2026-11-20" in sentence(shop, "Too Little History")
    shop.stocked_item("Sound")
    planned(shop)
    assert not shop.cases(exception_type="Too Little History", status="Open"), "a case that is gone is resolved"


def test_a_single_day_of_history(sound: EmbeddedShop) -> None:
    sound.item("Newborn")
    sound.source("Newborn", "Fast Supplies", 2.0)
    sound.move("Newborn", -3, 0)
    planned(sound)
    assert "a single day of history" in sentence(sound, "Too Little History", "Newborn")
    assert sound.rows("Demand Forecast", item_code="Newborn")


def test_dates_in_the_future_are_left_out_and_said(sound: EmbeddedShop) -> None:
    sound.stocked_item("Prophet")
    sound.move("Prophet", -4000, 20, day=sound.today + timedelta(days=40))
    planned(sound)
    message = sentence(sound, "Bad Data", "Prophet")
    assert "1 days after 2026-11-20 were left out; the latest is 2026-12-31" in message
    assert sound.rows("Demand Forecast", item_code="Prophet")[0]["next_30_days_qty"] < 400


@pytest.mark.parametrize(("fault", "reason"), [
    ({"disabled": 1}, "disabled"),
    ({"on_hold": 1, "hold_type": "All"}, "hold"),
    ({"prevent_pos": 1}, "Purchase Order"),
])  # fmt: skip
def test_a_blocked_supplier(sound: EmbeddedShop, fault: dict[str, Any], reason: str) -> None:
    sound.stocked_item("Stuck", "Barred Ltd")
    sound.supplier("Barred Ltd", **fault)
    planned(sound)
    message = sentence(sound, "Supplier Blocked", "Stuck")
    assert "nothing may be ordered from Barred Ltd" in message
    assert reason.lower() in message.lower()
    assert not ordered(sound, "Stuck")


def test_a_supplier_blocked_after_his_draft_was_made_loses_the_draft(sound: EmbeddedShop) -> None:
    sound.stocked_item("Stuck", "Barred Ltd")
    planned(sound)
    sound.supplier("Barred Ltd", disabled=1)
    planned(sound)
    assert {draft["supplier"] for draft in sound.drafts()} == {"Fast Supplies"}
    assert [order["status"] for order in sound.orders(supplier="Barred Ltd")] == ["Withdrawn"]


def test_stock_in_a_warehouse_group_is_not_planned(sound: EmbeddedShop) -> None:
    sound.site.insert_document("Warehouse", {"name": "All - S", "company": sound.company, "is_group": 1})
    sound.stocked_item("Grouped")
    sound.history("Grouped", warehouse="All - S", on_hand=9)
    planned(sound)
    assert {row["warehouse"] for row in sound.rows("Demand Forecast")} == {sound.warehouse}
    assert {line["warehouse"] for line in ordered(sound, "Grouped")} == {sound.warehouse}


def test_a_deleted_item_that_the_ledger_still_knows(sound: EmbeddedShop) -> None:
    sound.stocked_item("Ghost")
    sound.site.delete_document("Item", "Ghost")
    sound.site.commit()
    planned(sound)
    message = sentence(sound, "Bad Data")
    assert "Ghost" in message
    assert "there is no such item any more. Nothing was ordered." in message
    (case,) = sound.cases(exception_type="Bad Data")
    assert case["item_code"] is None, "no link to what does not exist"
    assert not ordered(sound, "Ghost")
    planned(sound)
    assert len(sound.cases(exception_type="Bad Data")) == 1


def test_a_disabled_item_that_is_still_needed(sound: EmbeddedShop) -> None:
    sound.stocked_item("Retired", disabled=1)
    sound.site.insert_document("Sales Order", {
        "company": sound.company, "docstatus": 1, "status": "To Deliver", "transaction_date": "2026-11-20",
        "items": [{
            "item_code": "Retired", "warehouse": sound.warehouse, "qty": 500.0, "uom": "Nos", "conversion_factor": 1.0,
            "stock_qty": 500.0, "delivered_qty": 0.0, "delivery_date": "2026-11-28",
        }],
    })  # fmt: skip
    sound.site.commit()
    planned(sound)
    assert "the item is disabled or past its end of life" in sentence(sound, "Item Disabled", "Retired")
    assert not ordered(sound, "Retired")


@pytest.mark.parametrize("percent", [0, 100, -5, 250])
def test_a_service_level_that_no_stock_can_promise(sound: EmbeddedShop, percent: float) -> None:
    sound.add_company("Other Ltd", "Stores - O")
    sound.settings(company="Other Ltd", service_level_b_pct=percent)
    with pytest.raises(BadInput, match=f"Other Ltd: the service level of class B is {percent}"):
        run_company(sound.site, "Other Ltd", triggered_by="Command")
    (run,) = sound.rows("Forecast Run", company="Other Ltd")
    assert run["status"] == "Failed"
    assert "It must lie above 0 and below 100%" in run["error"]
    planned(sound)  # the other company's planning goes on


def test_all_of_it_at_once(sound: EmbeddedShop) -> None:
    sound.item("Orphan")
    sound.history("Orphan")
    sound.stocked_item("Priceless", rate=None)
    sound.stocked_item("Boxed", purchase_uom="Box")
    sound.stocked_item("Below", on_hand=-30)
    sound.stocked_item("Stuck", "Barred Ltd")
    sound.supplier("Barred Ltd", disabled=1)
    planned(sound)
    kinds = {case["exception_type"] for case in sound.cases(status="Open")}
    assert {"No Supplier", "No Price", "No UOM Conversion", "Negative Stock", "Supplier Blocked"} <= kinds
    before = sound.cases()
    sound.run()
    assert len(sound.cases()) == len(before)


# ---- Planning Exceptions themselves --------------------------------------------------
def many_orphans(shop: EmbeddedShop, count: int) -> None:
    for number in range(count):
        shop.item(f"Orphan {number}", lead_time_days=5)
        shop.history(f"Orphan {number}", daily=float(number + 1), days=20, on_hand=0)


def test_beyond_the_most_cases_the_rest_is_one_row_per_kind(shop: EmbeddedShop) -> None:
    many_orphans(shop, 9)
    shop.settings(max_exceptions=3)
    shop.run()
    cases = shop.cases()
    single = [case for case in cases if case["item_code"]]
    grouped = [case for case in cases if not case["item_code"]]
    assert len(single) == 3
    (rest,) = [case for case in grouped if case["exception_type"] == "No Supplier"]
    assert rest["occurrences"] + len([c for c in single if c["exception_type"] == "No Supplier"]) == 9
    assert rest["message"].startswith(f"{rest['occurrences']} more cases of this kind, with less money at risk: ")
    assert min(case["money_at_risk"] for case in single) > 0
    run = shop.run()
    assert sorted(c["name"] for c in shop.cases()) == sorted(c["name"] for c in cases), "a second run adds no row"
    assert run["exceptions"] == len(cases)


def test_what_a_person_set_stays(shop: EmbeddedShop) -> None:
    many_orphans(shop, 3)
    shop.run()
    first, second, third = (c["name"] for c in shop.cases(exception_type="No Supplier"))
    shop.site.update_document("Planning Exception", first, {"status": "In Progress", "responsible": "ada@example.com"})
    shop.site.update_document("Planning Exception", second, {"status": "Ignored"})
    shop.site.update_document(
        "Planning Exception", third, {"status": "Ignored", "snoozed_until": shop.today - timedelta(days=1)}
    )
    shop.site.commit()
    shop.run()
    cases = {c["name"]: c for c in shop.cases(exception_type="No Supplier")}
    assert (cases[first]["status"], cases[first]["responsible"]) == ("In Progress", "ada@example.com")
    assert cases[second]["status"] == "Ignored"
    assert (cases[third]["status"], cases[third]["snoozed_until"]) == ("Open", None), "its snooze is over"


def test_a_case_that_is_gone_is_resolved_and_one_that_comes_back_reopened(shop: EmbeddedShop) -> None:
    many_orphans(shop, 1)
    shop.run()
    (case,) = shop.cases(exception_type="No Supplier")
    shop.source("Orphan 0", shop.supplier("Fast Supplies"), 2.0)
    shop.run()
    assert [c["status"] for c in shop.cases(exception_type="No Supplier")] == ["Resolved"]
    shop.site.update_document("Item", "Orphan 0", {"item_defaults": []})
    for row in shop.rows("Item Price"):
        shop.site.delete_document("Item Price", row["name"])
    shop.run()
    (again,) = shop.cases(exception_type="No Supplier")
    assert (again["name"], again["status"]) == (case["name"], "Open")
    assert again["first_seen_on"] == case["first_seen_on"]


def test_an_identity_tells_kind_item_warehouse_and_supplier_apart() -> None:
    made = {
        exceptions.identity("No Price", "C", "A", "W", None), exceptions.identity("No Price", "C", "A", None, "W"),
        exceptions.identity("No Price", "C", "AW", None, None), exceptions.identity("No Supplier", "C", "A", "W", None),
        exceptions.identity("No Price", "CA", None, "W", None),
        exceptions.identity("No Price", "C", exceptions.GROUP_MARK),
    }  # fmt: skip
    assert len(made) == 6
