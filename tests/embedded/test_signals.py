"""Events, overrides and the life of items, from the records of a site to its forecasts and back."""

import json
from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from embedded_shop import EmbeddedShop

from erp_forecast_addon.services.item_view import item_view
from erp_forecast_addon.services.one_item import forecast_item

SALE_DAYS_AGO = (110, 96, 82, 68, 54, 40, 26, 12)


def always(company: str, warehouse: str) -> bool:
    return True


def sell(shop: EmbeddedShop, item_code: str, sold: np.ndarray, until_days_ago: int = 1) -> None:
    """A receipt, then these sales; 50 are left."""
    moved = np.concatenate([[sold.sum() + 50.0], -sold])
    last = shop.today - timedelta(days=until_days_ago)
    days = [last - timedelta(days=len(sold) - at) for at in range(len(moved))]
    shop.ledger(pd.DataFrame({
        "item_code": item_code, "warehouse": shop.warehouse, "posting_date": pd.to_datetime(days),
        "actual_qty": moved, "qty_after_transaction": moved.cumsum(),
        "voucher_type": ["Purchase Receipt"] + ["Delivery Note"] * len(sold),
    }))  # fmt: skip


def item(shop: EmbeddedShop, code: str, sold: np.ndarray, until_days_ago: int = 1, **values: Any) -> str:
    shop.item(code, **values)
    sell(shop, code, sold, until_days_ago)
    return code


def level(size: float, days: int = 120, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).poisson(size, days).astype(float)


def curve(shop: EmbeddedShop, item_code: str) -> np.ndarray:
    (row,) = shop.rows("Demand Forecast", item_code=item_code)
    return np.array(json.loads(row["curve"])["mean"])


def reason(shop: EmbeddedShop, item_code: str) -> str:
    return str(shop.rows("Demand Forecast", item_code=item_code)[0]["reason"])


def messages(shop: EmbeddedShop, kind: str) -> str:
    return "\n".join(row["message"] for row in shop.rows("Planning Exception", exception_type=kind, status="Open"))


def override(shop: EmbeddedShop, item_code: str, kind: str, value: float, days: int = 10, **more: Any) -> str:
    name = shop.site.insert_document("Forecast Override", {
        "company": shop.company, "item_code": item_code, "from_date": shop.today, "kind": kind, "value": value,
        "to_date": shop.today + timedelta(days=days - 1), "reason": "A fair in town.", "status": "Approved",
        "approved_at": shop.site.now(), **more,
    })  # fmt: skip
    shop.site.commit()
    return name


def event(shop: EmbeddedShop, title: str, **values: Any) -> str:
    name = shop.site.insert_document("Demand Event", {"title": title, "event_type": "Promotion", **values})
    shop.site.commit()
    return name


# ---- events ------------------------------------
@pytest.fixture
def promoted(shop: EmbeddedShop) -> EmbeddedShop:
    """Eight items that sell three times as much on the days of a sale, and a sale ahead."""
    for number in range(8):
        sold = level(12, seed=number)
        sold[[120 - ago for ago in SALE_DAYS_AGO]] *= 3
        item(shop, f"Item {number}", sold)
    days = [{"date": shop.today - timedelta(days=ago), "value": 1} for ago in SALE_DAYS_AGO]
    event(shop, "Sale", series=[*days, {"date": shop.today + timedelta(days=5), "value": 1}])
    return shop


def test_a_promotion_raises_the_forecast_of_its_day_and_shows_what_it_did(promoted: EmbeddedShop) -> None:
    promoted.run()
    mean = curve(promoted, "Item 0")
    usual = np.delete(mean[:14], 5).mean()
    assert mean[5] > 1.4 * usual
    rows = promoted.rows("Demand Event Uplift", parentfield="uplifts")
    assert rows
    assert all(row["uplift_pct"] > 40 for row in rows)
    assert {row["occurrences"] for row in rows} == {len(SALE_DAYS_AGO)}
    (again,) = promoted.rows("Demand Event", title="Sale")
    assert again["modified"] >= promoted.site.now()


def test_a_second_run_replaces_the_uplifts(promoted: EmbeddedShop) -> None:
    promoted.run()
    first = promoted.rows("Demand Event Uplift", parentfield="uplifts")
    promoted.run()
    second = promoted.rows("Demand Event Uplift", parentfield="uplifts")
    assert len(second) == len(first)
    assert not {row["name"] for row in first} & {row["name"] for row in second}


def test_what_each_event_and_holiday_did_stands_in_rows_of_its_own(promoted: EmbeddedShop) -> None:
    promoted.settings(holiday_country="US", use_holidays=1)
    promoted.run()
    rows = promoted.rows("Driver Uplift", company=promoted.company)
    of_sale = {row["group_name"]: row["uplift_pct"] for row in rows if row["driver"] == "Sale"}
    assert of_sale[promoted.company] > 40
    holidays = {row["driver"] for row in rows} - {"Sale"}
    assert "Labor Day" in holidays
    assert all(row["occurrences"] > 0 for row in rows)
    promoted.run()
    again = promoted.rows("Driver Uplift", company=promoted.company)
    assert [(row["driver"], row["group_name"]) for row in again] == [(row["driver"], row["group_name"]) for row in rows]
    assert {row["name"] for row in again} == {row["name"] for row in rows}, "rows are updated, not piled up"


def test_an_unknown_scope_is_told_and_the_run_goes_on(promoted: EmbeddedShop) -> None:
    event(promoted, "Odd", from_date=promoted.today, to_date=promoted.today, item_group="No Such Group")
    event(promoted, "Odder", from_date=promoted.today, to_date=promoted.today, brand="Nobody")
    run = promoted.run()
    assert run["status"] == "Completed"
    told = messages(promoted, "Demand Event")
    for part in ("Odd (", "No Such Group", "Odder (", "Nobody"):
        assert part in told
    assert curve(promoted, "Item 0")[5] > 1.3 * np.delete(curve(promoted, "Item 0")[:14], 5).mean()


def test_a_signal_that_ends_is_told(promoted: EmbeddedShop) -> None:
    rows = [{"date": promoted.today - timedelta(days=ago), "value": 20 + ago % 7} for ago in range(1, 100)]
    event(promoted, "Degrees", event_type="Weather", series=rows)
    promoted.run()
    assert "Degrees" in messages(promoted, "Demand Event")
    assert "no influence" in messages(promoted, "Demand Event")


# ---- overrides ------------------------------------
def test_an_override_counts_survives_the_next_run_and_ends_by_its_date(shop: EmbeddedShop) -> None:
    item(shop, "Cola", level(12))
    shop.run()
    plain = curve(shop, "Cola")
    name = override(shop, "Cola", "Percent", 100)
    for _again in range(2):
        shop.run()
        mean = curve(shop, "Cola")
        np.testing.assert_allclose(mean[:10], 2 * plain[:10], atol=0.11)  # a curve is stored rounded
        np.testing.assert_allclose(mean[10:], plain[10:], rtol=1e-3)
    told = shop.site.get_document("Forecast Override", name)
    assert told is not None
    assert told["forecast_after"] == pytest.approx(2 * told["forecast_before"], rel=1e-3)
    assert told["forecast_before"] == pytest.approx(plain[:10].sum(), rel=0.01)
    shop.site.set_fields("Forecast Override", name, {"to_date": shop.today - timedelta(days=1)})
    shop.run()
    np.testing.assert_allclose(curve(shop, "Cola"), plain, rtol=1e-3)
    over = shop.site.get_document("Forecast Override", name)
    assert over is not None
    assert over["status"] == "Expired"


def test_a_draft_changes_nothing(shop: EmbeddedShop) -> None:
    item(shop, "Cola", level(12))
    shop.run()
    plain = curve(shop, "Cola")
    override(shop, "Cola", "Percent", 100, status="Draft")
    shop.run()
    np.testing.assert_allclose(curve(shop, "Cola"), plain, rtol=1e-6)


def test_an_item_forecast_at_once_has_its_override_too(shop: EmbeddedShop) -> None:
    item(shop, "Cola", level(12))
    item(shop, "Soap", level(5, seed=2))
    shop.run()
    name = override(shop, "Cola", "Replace per Day", 40)
    override(shop, "Soap", "Percent", 50)
    forecast_item(shop.site, "Cola", always)
    np.testing.assert_allclose(curve(shop, "Cola")[:10], 40, rtol=1e-3)
    (shown,) = item_view(shop.site, "Cola")["overrides"]
    assert (shown["name"], shown["kind"], shown["value"], shown["status"]) == (name, "Replace per Day", 40, "Approved")


def test_overrides_that_contradict_are_told(shop: EmbeddedShop) -> None:
    item(shop, "Cola", level(12))
    override(shop, "Cola", "Percent", 50)
    override(shop, "Cola", "Percent", -50, approved_at=shop.site.now() + timedelta(minutes=1))
    shop.run()
    assert "contradict" in messages(shop, "Forecast Override")


# ---- the life of items ------------------------------------
def test_a_replaced_item_hands_its_history_to_its_successor(shop: EmbeddedShop) -> None:
    item(shop, "Old Cola", level(20), replaced_by="New Cola")
    item(shop, "New Cola", level(5, days=10))
    item(shop, "Soap", level(5, seed=3))
    shop.run()
    assert curve(shop, "Old Cola").sum() == 0
    assert curve(shop, "New Cola").mean() == pytest.approx(20, rel=0.35)
    assert "replaced by New Cola" in reason(shop, "Old Cola")
    assert "place of Old Cola" in reason(shop, "New Cola")
    before = curve(shop, "New Cola")
    forecast_item(shop.site, "New Cola", always)
    np.testing.assert_allclose(curve(shop, "New Cola"), before, rtol=0.02)


def test_a_successor_that_never_moved_is_forecast(shop: EmbeddedShop) -> None:
    shop.item("New Cola")
    item(shop, "Old Cola", level(20), replaced_by="New Cola")
    shop.run()
    assert curve(shop, "New Cola").mean() == pytest.approx(20, rel=0.25)


def test_an_item_past_its_end_is_forecast_zero_from_that_day(shop: EmbeddedShop) -> None:
    item(shop, "Cola", level(20), end_of_life=shop.today + timedelta(days=10))
    item(shop, "Soap", level(5, seed=3), end_of_life=shop.today - timedelta(days=10))
    shop.run()
    mean = curve(shop, "Cola")
    assert (mean[:10] > 0).all()
    assert mean[10:].sum() == 0
    assert curve(shop, "Soap").sum() == 0
    assert "life ends on" in reason(shop, "Cola")


def test_a_circle_of_replacements_is_told(shop: EmbeddedShop) -> None:
    item(shop, "A", level(20), replaced_by="B")
    item(shop, "B", level(5), replaced_by="A")
    shop.run()
    assert "comes back" in messages(shop, "Item Replacement")
    assert curve(shop, "A").sum() > 0


def test_a_new_item_is_forecast_from_like_ones(shop: EmbeddedShop) -> None:
    for number in range(6):
        item(shop, f"Item {number}", level(10, seed=number))
    item(shop, "New", np.array([60.0, 40.0]))
    shop.run()
    assert 10 < curve(shop, "New").mean() < 45
    assert "like items" in reason(shop, "New")
