"""One item as the Item form shows it, and forecast at once between two runs."""

import json
import subprocess
import sys
from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from embedded_shop import EmbeddedShop

from erp_forecast_addon.planning.errors import BadInput
from erp_forecast_addon.services import item_forecast
from erp_forecast_addon.services.item_view import item_view, planned_warehouses
from erp_forecast_addon.services.one_item import forecast_item
from erp_forecast_addon.site import queries
from erp_forecast_addon.site.narrowed import of_items

SECOND = "Outlet - S"
FOREIGN = "Stores - F"
LEVELS = ("abc_class", "safety_stock_qty", "reorder_point_qty", "order_up_to_qty", "daily_demand_std", "position_qty")
CURVE = ("model", "daily_mean_qty", "curve", "wape_pct")


def always(company: str, warehouse: str) -> bool:
    return True


@pytest.fixture
def varied(shop: EmbeddedShop) -> EmbeddedShop:
    """Six items whose demand differs in size and shape, planned once."""
    rng = np.random.default_rng(5)
    shop.supplier("Fast Supplies")
    for number in range(6):
        code = f"Item {number}"
        shop.item(code)
        shop.source(code, "Fast Supplies", 5.0 * 4**number)
        _sell(shop, code, rng.poisson(3 + number, 120).astype(float), shop.warehouse)
    shop.run()
    return shop


def _sell(shop: EmbeddedShop, item_code: str, sold: np.ndarray, warehouse: str) -> None:
    """A receipt, then these sales up to yesterday; 12 are left."""
    moved = np.concatenate([[sold.sum() + 12.0], -sold])
    last = shop.today - timedelta(days=1)
    days = [last - timedelta(days=len(sold) - at) for at in range(len(moved))]
    shop.ledger(pd.DataFrame({
        "item_code": item_code, "warehouse": warehouse, "posting_date": pd.to_datetime(days), "actual_qty": moved,
        "qty_after_transaction": moved.cumsum(),
        "voucher_type": ["Purchase Receipt"] + ["Delivery Note"] * len(sold),
    }))  # fmt: skip


def planned(shop: EmbeddedShop, item_code: str, **pair: Any) -> dict[str, Any]:
    (policy,) = shop.rows("Safety Stock Policy", item_code=item_code, **pair)
    (forecast,) = shop.rows("Demand Forecast", item_code=item_code, **pair)
    return {name: policy[name] for name in LEVELS} | {name: forecast[name] for name in CURVE}


# ---- the view -------------------------------------------------------------------------------------------------------
def test_the_view_is_json_and_shows_history_forecast_policy_and_proposal(varied: EmbeddedShop) -> None:
    view = item_view(varied.site, "Item 5")
    json.dumps(view, allow_nan=False)
    (pair,) = view["pairs"]
    assert (pair["warehouse"], pair["company"], pair["currency"]) == (varied.warehouse, varied.company, "EUR")
    assert len(pair["history"]["demand"]) == len(pair["history"]["out_of_stock"]) == 121
    assert pair["as_of"] == varied.site.as_of().isoformat()
    curve = pair["forecast"]["curve"]
    assert len(curve["mean"]) == len(curve["starts"]) == len(curve["quantiles"][0])
    assert pair["policy"]["on_hand_qty"] == 12.0
    (line,) = view["proposals"]
    assert line["purchase_order"] == varied.orders()[0]["purchase_order"]


def test_days_with_an_empty_shelf_are_marked(shop: EmbeddedShop) -> None:
    shop.item("Gone")
    sold = np.full(30, 2.0)
    sold[10:17] = 0.0
    moved = np.concatenate([[20.0], -sold[:10], np.zeros(7), -sold[17:]])
    moved[17] = 40.0
    days = pd.date_range(end=shop.today - timedelta(days=1), periods=31, freq="D")
    kept = moved != 0
    shop.ledger(pd.DataFrame({
        "item_code": "Gone", "warehouse": shop.warehouse, "posting_date": days[kept], "actual_qty": moved[kept],
        "qty_after_transaction": moved[kept].cumsum(),
        "voucher_type": np.where(moved[kept] > 0, "Purchase Receipt", "Delivery Note"),
    }))  # fmt: skip
    shop.run()
    (pair,) = item_view(shop.site, "Gone")["pairs"]
    out = np.array(pair["history"]["out_of_stock"])
    assert out[11:17].all()
    assert not out[:10].any()
    assert not out[18:].any()


def test_only_the_warehouses_asked_for(shop: EmbeddedShop) -> None:
    _second_warehouse(shop)
    assert planned_warehouses(shop.site, "Two") == [(shop.company, SECOND), (shop.company, shop.warehouse)]
    view = item_view(shop.site, "Two", [SECOND])
    assert [pair["warehouse"] for pair in view["pairs"]] == [SECOND]
    assert {line["warehouse"] for line in view["proposals"]} <= {SECOND}
    assert item_view(shop.site, "Two", []) | {"item_name": "Two"} == {
        "item_code": "Two", "item_name": "Two", "stock_uom": "Nos", "pairs": [], "proposals": [], "exceptions": [],
        "overrides": [],
    }  # fmt: skip


def _second_warehouse(shop: EmbeddedShop) -> None:
    shop.site.insert_document("Warehouse", {"name": SECOND, "warehouse_name": SECOND, "company": shop.company})
    shop.stocked_item("Two", days=40)
    shop.history("Two", days=40, warehouse=SECOND)
    shop.run()


def test_an_unknown_item_has_nothing(shop: EmbeddedShop) -> None:
    view = item_view(shop.site, "Nowhere")
    assert (view["pairs"], view["proposals"], view["exceptions"]) == ([], [], [])


# ---- forecasting at once --------------------------------------------------------------------------------------------
def test_without_news_it_gives_what_the_run_gave(varied: EmbeddedShop) -> None:
    before = {code: planned(varied, code) for code in ("Item 0", "Item 5")}
    assert before["Item 0"]["abc_class"] != before["Item 5"]["abc_class"]
    for code in before:
        forecast_item(varied.site, code, always)
    assert {code: planned(varied, code) for code in before} == before


def test_it_follows_the_ledger_and_leaves_other_items_alone(varied: EmbeddedShop) -> None:
    mine, other = planned(varied, "Item 5"), planned(varied, "Item 4")
    varied.move("Item 5", -10.0, 2.0)
    forecast_item(varied.site, "Item 5", always)
    assert planned(varied, "Item 5")["position_qty"] == mine["position_qty"] - 10.0
    assert planned(varied, "Item 4") == other


def test_it_orders_nothing_and_keeps_the_run_of_its_rows(varied: EmbeddedShop) -> None:
    orders, run = varied.orders(), varied.rows("Forecast Run")[0]["name"]
    varied.move("Item 5", -12.0, 0.0)
    forecast_item(varied.site, "Item 5", always)
    assert varied.orders() == orders
    assert varied.rows("Safety Stock Policy", item_code="Item 5")[0]["forecast_run"] == run


def test_a_new_item_is_forecast_before_any_run(shop: EmbeddedShop) -> None:
    shop.stocked_item("New", days=40, on_hand=500.0)
    assert forecast_item(shop.site, "New", always) == []
    made = planned(shop, "New")
    assert (made["abc_class"], made["daily_mean_qty"]) == ("C", pytest.approx(10.0, rel=0.1))


def test_only_pairs_that_may_be_planned(shop: EmbeddedShop) -> None:
    _second_warehouse(shop)
    before = planned(shop, "Two", warehouse=SECOND)
    shop.move("Two", -20.0, 0.0)
    shop.history("Two", days=40, warehouse=SECOND, on_hand=500.0)
    forecast_item(shop.site, "Two", lambda company, warehouse: warehouse == shop.warehouse)
    assert planned(shop, "Two", warehouse=SECOND) == before
    drafted = sum(line["stock_qty"] for line in shop.drafts()[0]["items"] if line["warehouse"] == shop.warehouse)
    assert drafted > 0
    assert planned(shop, "Two", warehouse=shop.warehouse)["position_qty"] == drafted, "our own draft counts"


def test_of_a_larger_company_a_sample_stands_beside_it(varied: EmbeddedShop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(item_forecast, "MOST_PAIRS", 2)
    before = planned(varied, "Item 5")
    forecast_item(varied.site, "Item 5", always)
    after = planned(varied, "Item 5")
    assert after["abc_class"] == before["abc_class"]
    assert after["daily_mean_qty"] == pytest.approx(before["daily_mean_qty"], rel=0.2)


def test_what_is_wrong_with_the_item_is_said(shop: EmbeddedShop) -> None:
    shop.stocked_item("Alone", rate=None, lead_time_days=None, days=40)
    notes = forecast_item(shop.site, "Alone", always)
    assert any("no lead time is known" in note for note in notes)


def test_a_company_that_is_not_planned_says_so(shop: EmbeddedShop) -> None:
    shop.stocked_item("Idle", days=40)
    shop.settings(enabled=0)
    notes = forecast_item(shop.site, "Idle", always)
    assert notes == [f"{shop.company} is not planned: enable it in Forecast Settings first."]
    assert shop.rows("Demand Forecast") == []


def test_settings_that_cannot_be_planned_with_are_refused(shop: EmbeddedShop) -> None:
    shop.stocked_item("Never", days=40)
    shop.settings(service_level_a_pct=100)
    with pytest.raises(BadInput, match="above 0 and below"):
        forecast_item(shop.site, "Never", always)


def test_a_narrowed_site_reads_once_and_nobody_changes_what_it_remembers(varied: EmbeddedShop) -> None:
    few = of_items(varied.site, ["Item 1"])
    first = few.fetch(queries.items(varied.site.qb))
    assert first["item_code"].tolist() == ["Item 1"]
    first["item_code"] = "Changed"
    varied.site.set_fields("Item", "Item 1", {"item_group": "Moved"})
    again = few.fetch(queries.items(varied.site.qb))
    assert again["item_code"].tolist() == ["Item 1"]
    assert again["item_group"].tolist() == ["Goods"], "read once"
    assert of_items(varied.site, ["Item 1"]).fetch(queries.items(varied.site.qb))["item_group"].tolist() == ["Moved"]


def test_forecasting_an_item_imports_nothing_that_only_learning_needs() -> None:
    slow = ("sklearn", "scipy.stats", "scipy.optimize", "statsmodels", "holidays")
    asked = f"import sys, erp_forecast_addon.services.one_item; print([m for m in {slow!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
