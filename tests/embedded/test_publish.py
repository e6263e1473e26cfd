"""Forecasts and policies as rows: written once, updated after that, deleted when a pair is no longer planned."""

import json
from datetime import timedelta

import numpy as np
import pytest
from embedded_shop import EmbeddedShop

from benchmarks.publish import synthetic_plan
from erp_forecast_addon.planning.settings import PlanSettings
from erp_forecast_addon.services import publish as publishing
from erp_forecast_addon.services.publish import forecast_rows, policy_rows, publish
from erp_forecast_addon.site.settings import CompanySettings

SETTINGS = CompanySettings("Shop Ltd", PlanSettings("Shop Ltd", "EUR", horizon_days=60))


def test_rows_are_updated_and_keep_their_names(shop: EmbeddedShop) -> None:
    shop.stocked_item("Bolt")
    first = shop.run()
    forecast, policy = shop.rows("Demand Forecast")[0], shop.rows("Safety Stock Policy")[0]
    assert (forecast["item_code"], forecast["item_name"], forecast["item_group"]) == ("Bolt", "Bolt", "Goods")
    assert (forecast["company"], forecast["warehouse"], forecast["stock_uom"]) == (shop.company, shop.warehouse, "Nos")
    assert forecast["forecast_run"] == policy["forecast_run"] == first["name"]
    assert forecast["next_7_days_qty"] == pytest.approx(70, rel=0.1)
    assert forecast["next_30_days_qty"] == pytest.approx(300, rel=0.1)
    assert forecast["reason"]
    assert (policy["on_hand_qty"], policy["lead_time_days"], policy["currency"]) == (20, 5, "EUR")
    assert policy["order_up_to_qty"] >= policy["reorder_point_qty"] >= policy["safety_stock_qty"] >= 0
    assert policy["who_orders"] == "Forecast Addon"
    assert "{" not in policy["explanation"] != ""
    second = shop.run()
    (again,) = shop.rows("Demand Forecast")
    assert again["name"] == forecast["name"]
    assert again["forecast_run"] == second["name"]


def test_rows_of_pairs_that_are_no_longer_planned_are_deleted(shop: EmbeddedShop) -> None:
    shop.stocked_item("Bolt")
    shop.stocked_item("Gone")
    shop.run()
    shop.site.update_document("Warehouse", shop.warehouse, {"company": shop.company})
    for doctype in ("Stock Ledger Entry", "Bin", "Demand Bucket"):
        names = [row["name"] for row in shop.rows(doctype, item_code="Gone")]
        shop.site.delete_rows(doctype, names)
    shop.site.commit()
    run = shop.run()
    assert [row["item_code"] for row in shop.rows("Demand Forecast")] == ["Bolt"]
    assert [row["item_code"] for row in shop.rows("Safety Stock Policy")] == ["Bolt"]
    (step,) = [step for step in run["steps"] if step["step"] == "Publish forecasts"]
    assert step["detail"] == "1 no longer planned, deleted"


def test_rows_of_another_company_are_left_alone(shop: EmbeddedShop) -> None:
    shop.add_company("Other Ltd", "Stores - O")
    shop.stocked_item("Bolt")
    shop.run()
    other = EmbeddedShop.__new__(EmbeddedShop)
    other.__dict__ = {**shop.__dict__, "company": "Other Ltd", "warehouse": "Stores - O"}
    other.item("Foreign")
    other.source("Foreign", "Fast Supplies", 2.0)
    other.history("Foreign")
    other.run()
    shop.run()
    assert {row["company"] for row in shop.rows("Demand Forecast")} == {"Shop Ltd", "Other Ltd"}


def test_a_curve_is_compact_json_with_ordered_quantiles() -> None:
    plan, items, _positions = synthetic_plan(3)
    (rows,) = forecast_rows(plan.forecasts, "run", SETTINGS, items, str)
    curve = json.loads(rows["curve"][0])
    assert set(curve) == {"starts", "mean", "levels", "quantiles"}
    assert curve["starts"][0] == (plan.forecasts.as_of + timedelta(days=1)).isoformat()
    assert len(curve["starts"]) == len(curve["mean"]) == 90
    assert curve["levels"] == [0.025, 0.1, 0.9, 0.975]
    quantiles = np.array(curve["quantiles"])
    assert quantiles.shape == (4, 90)
    assert (np.diff(quantiles, axis=0) >= 0).all()
    assert np.allclose(curve["mean"], plan.forecasts.mean[0], rtol=5e-3)
    assert " " not in rows["curve"][0]


def test_totals_are_those_of_the_forecast() -> None:
    plan, items, _positions = synthetic_plan(5)
    (rows,) = forecast_rows(plan.forecasts, "run", SETTINGS, items, str)
    for days, column in (
        (7, "next_7_days_qty"),
        (30, "next_30_days_qty"),
        (60, "horizon_qty"),
        (90, "next_90_days_qty"),
    ):
        assert np.allclose(rows[column], plan.forecasts.mean[:, :days].sum(axis=1), rtol=5e-3)
    assert np.allclose(rows["daily_mean_qty"] * 60, rows["horizon_qty"], rtol=1e-2)


def test_many_rows_are_written_in_pieces_and_none_is_lost(shop: EmbeddedShop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publishing, "ROWS_AT_ONCE", 7)
    plan, items, positions = synthetic_plan(30)
    done = publish(shop.site, "run", plan, SETTINGS, items, positions)
    assert (done.forecasts, done.policies, done.deleted) == (30, 30, 0)
    assert len(shop.rows("Demand Forecast")) == len(shop.rows("Safety Stock Policy")) == 30
    fewer, items, positions = synthetic_plan(20)
    assert publish(shop.site, "next run", fewer, SETTINGS, items, positions).deleted == 20


def test_pairs_that_erpnext_orders_say_so() -> None:
    plan, items, positions = synthetic_plan(4)
    positions["we_order"] = [True, False, True, False]
    (rows,) = policy_rows(plan, "run", SETTINGS, items, positions, str)
    assert rows["who_orders"].tolist() == ["Forecast Addon", "ERPNext", "Forecast Addon", "ERPNext"]


def test_rounding_keeps_three_digits_of_any_size() -> None:
    values = np.array([0.0, 1e-7 / 3, 0.12345, 12.345, 98765.4, -0.012345])
    assert publishing._rounded(values).tolist() == [0.0, 3.33e-08, 0.123, 12.3, 98800.0, -0.0123]
