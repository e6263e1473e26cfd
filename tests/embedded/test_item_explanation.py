"""One item alone comes out as it did among all, and its forecast is explained to the last piece."""

import json
from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from embedded_shop import EmbeddedShop

from erp_forecast_addon.planning.errors import Refused
from erp_forecast_addon.planning.forecasting.explanation import PARTS
from erp_forecast_addon.services import item_forecast, learned_state, learning
from erp_forecast_addon.services.item_explanation import explain_item
from erp_forecast_addon.services.item_view import item_view
from erp_forecast_addon.site import item_queries, reads
from erp_forecast_addon.site.narrowed import of_items

WEEK = np.array([0.5, 0.8, 1.0, 1.0, 1.2, 1.5, 1.0])


@pytest.fixture
def planned(shop: EmbeddedShop) -> EmbeddedShop:
    """Eight items with a weekly season, planned once."""
    rng = np.random.default_rng(5)
    shop.supplier("Fast Supplies")
    last = shop.today - timedelta(days=1)
    for number in range(8):
        code = f"Item {number}"
        shop.item(code)
        shop.source(code, "Fast Supplies", 5.0)
        sold = rng.poisson(np.resize(WEEK, 160) * (4 + 3 * number)).astype(float)
        moved = np.concatenate([[sold.sum() + 50.0], -sold])
        days = [last - timedelta(days=160 - at) for at in range(len(moved))]
        shop.ledger(pd.DataFrame({
            "item_code": code, "warehouse": shop.warehouse, "posting_date": pd.to_datetime(days), "actual_qty": moved,
            "qty_after_transaction": moved.cumsum(), "voucher_type": ["Purchase Receipt"] + ["Delivery Note"] * 160,
        }))  # fmt: skip
    shop.run()
    learned_state._held.clear()
    return shop


def forecast(shop: EmbeddedShop, item_code: str) -> item_forecast.ItemForecast:
    settings = reads.company_settings(shop.site, shop.company)
    return item_forecast.item_forecast(shop.site, settings, item_code, {shop.warehouse})


def stored(shop: EmbeddedShop, item_code: str) -> dict[str, Any]:
    (row,) = shop.rows("Demand Forecast", item_code=item_code)
    return row


# ---- alone -----------------------------------------------------------------------------------------------------------
def test_alone_it_comes_out_as_in_the_run(planned: EmbeddedShop) -> None:
    found = forecast(planned, "Item 3")
    assert found.alone
    curve = json.loads(stored(planned, "Item 3")["curve"])
    np.testing.assert_allclose(found.forecasts.mean[0], curve["mean"], rtol=6e-3)
    columns = [int(np.abs(found.forecasts.quantile_levels - level).argmin()) for level in curve["levels"]]
    np.testing.assert_allclose(
        found.forecasts.quantiles[0][:, columns].T, curve["quantiles"], rtol=6e-3, atol=0.5
    )  # fmt: skip


def test_alone_only_the_items_own_buckets_are_read(planned: EmbeddedShop, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[str]] = []
    query = item_queries.buckets_of_items
    monkeypatch.setattr(
        item_queries, "buckets_of_items", lambda qb, codes, since: asked.append(codes) or query(qb, codes, since)
    )
    forecast(planned, "Item 3")
    assert asked == [["Item 3"]]


@pytest.mark.parametrize("broken", ["no state", "another version", "another period"])
def test_without_a_fitting_state_it_is_learned_again(
    planned: EmbeddedShop, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    if broken == "no state":
        learned_state.forget(planned.site, planned.company)
    elif broken == "another version":
        monkeypatch.setattr(learning, "VERSION", "0/0")
    else:
        planned.settings(period="Week")
    found = forecast(planned, "Item 3")
    assert not found.alone
    assert found.forecasts.n == 1
    assert found.forecasts.mean.sum() > 0


def test_a_new_item_is_forecast_with_like_items_beside_it(planned: EmbeddedShop) -> None:
    planned.stocked_item("New", days=20, on_hand=100.0)
    planned.run()
    assert not forecast(planned, "New").alone
    assert forecast(planned, "Item 3").alone


def test_a_later_day_is_forecast_with_what_was_learned_before(planned: EmbeddedShop) -> None:
    planned.site.set_now(planned.site.now() + timedelta(days=3))
    found = forecast(planned, "Item 3")
    assert found.alone
    assert found.forecasts.as_of == planned.site.as_of()


def test_reads_of_a_narrowed_site_are_the_rows_of_the_whole_one(planned: EmbeddedShop) -> None:
    few = of_items(planned.site, ["Item 3"])
    for read in (reads.items, reads.positions, reads.dated):
        whole = read(planned.site, planned.company)
        mine = whole[whole["item_code"] == "Item 3"].reset_index(drop=True)
        pd.testing.assert_frame_equal(read(few, planned.company), mine)
    pd.testing.assert_frame_equal(
        reads.sourcing(few, planned.company, ["Item 3"]), reads.sourcing(planned.site, planned.company, ["Item 3"])
    )


# ---- explained -------------------------------------------------------------------------------------------------------
def test_the_parts_of_every_period_add_up_to_the_forecast(planned: EmbeddedShop) -> None:
    found = explain_item(planned.site, "Item 3", planned.company, planned.warehouse)
    json.dumps(found, allow_nan=False)
    np.testing.assert_allclose(np.sum(list(found["parts"].values()), axis=0), found["mean"], rtol=1e-6, atol=1e-5)
    assert len(found["starts"]) == len(found["mean"])
    assert {"level", "season"} <= set(found["parts"]) <= set(PARTS)
    assert found["reason"]


def test_the_parts_of_the_total_stand_in_the_record_and_on_the_form(planned: EmbeddedShop) -> None:
    row = stored(planned, "Item 3")
    parts = json.loads(row["explanation_parts"])
    total = parts.pop("total")
    assert sum(parts.values()) == pytest.approx(total, abs=1e-3)
    assert total == pytest.approx(row["horizon_qty"], rel=6e-3), "to the digits of the field"
    (pair,) = item_view(planned.site, "Item 3")["pairs"]
    shown = pair["forecast"]["explanation"]
    assert shown["parts"]["total"] == total
    assert "recent level" in shown["sentence"]
    assert list(shown["labels"]) == list(PARTS)


def test_an_override_is_a_part_of_its_own(planned: EmbeddedShop) -> None:
    begins = planned.site.now().date()
    planned.site.insert_document("Forecast Override", {
        "company": planned.company, "item_code": "Item 3", "warehouse": planned.warehouse, "status": "Approved",
        "from_date": begins, "to_date": begins + timedelta(days=9), "kind": "Percent", "value": 50.0, "reason": "fair",
    })  # fmt: skip
    planned.site.commit()
    found = explain_item(planned.site, "Item 3", planned.company, planned.warehouse)
    override, mean = np.array(found["parts"]["override"]), np.array(found["mean"])
    np.testing.assert_allclose(override[:10], mean[:10] / 3, rtol=1e-4)
    assert not override[10:].any()


def test_what_was_never_sold_has_nothing_to_explain(planned: EmbeddedShop) -> None:
    planned.item("Idle")
    with pytest.raises(Refused, match="Idle has no demand in Stores"):
        explain_item(planned.site, "Idle", planned.company, planned.warehouse)
