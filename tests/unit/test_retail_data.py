"""The wholesaler of the browser test: what it draws can be posted as real documents."""

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from erp_forecast_addon.tests.retail_data import DAYS, EMPTY_SHELF, ITEMS, SUPPLIERS, RetailData, retail_data

AS_OF = date(2026, 11, 19)


@pytest.fixture(params=["the real file", "drawn"])
def data(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> RetailData:
    if request.param == "drawn":
        monkeypatch.setenv("FORECAST_DATA", str(tmp_path))
    made = retail_data(AS_OF)
    if request.param != "drawn" and not made.real:
        pytest.skip("FORECAST_DATA names no folder with online_retail")
    return made


def stock_by_day(data: RetailData) -> pd.DataFrame:
    """Stock of each item at the end of each day; deliveries of a day come before its sales."""
    days = pd.date_range(data.first_day, AS_OF)
    received = data.purchases.pivot_table(index="received_on", columns="item_code", values="qty", aggfunc="sum")
    sold = data.sales.pivot_table(index="day", columns="item_code", values="qty", aggfunc="sum")
    opening = data.items.set_index("item_code")["opening_qty"]
    moved = received.reindex(days).reindex(columns=opening.index).fillna(0.0)
    moved -= sold.reindex(days).reindex(columns=opening.index).fillna(0.0)
    return moved.cumsum() + opening


def test_it_is_large_enough(data: RetailData) -> None:
    assert len(data.items) == ITEMS >= 20
    assert (data.sales["day"].max().date(), (AS_OF - data.first_day).days) == (AS_OF, DAYS)
    assert data.sales["day"].nunique() > 40
    assert set(data.items["supplier"]) == {supplier.name for supplier in SUPPLIERS}


def test_nothing_is_sold_that_is_not_there(data: RetailData) -> None:
    assert stock_by_day(data).to_numpy().min() >= 0.0


def test_one_shelf_is_empty_for_a_week(data: RetailData) -> None:
    stock = stock_by_day(data)[data.items["item_code"].iloc[EMPTY_SHELF]]
    assert (stock == 0.0).sum() >= 7


def test_orders_keep_minimum_and_pack(data: RetailData) -> None:
    lines = data.purchases.merge(data.items, on="item_code", suffixes=("", "_of_item"))
    assert (lines["qty"] >= lines["min_order_qty"]).all()
    assert (lines["qty"] % lines["pack_qty"] == 0).all()
    assert (lines["received_on"] > lines["ordered_on"]).all()
    assert (lines["supplier"] == lines["supplier_of_item"]).all()


def test_lead_times_differ_between_suppliers(data: RetailData) -> None:
    days = (data.purchases["received_on"] - data.purchases["ordered_on"]).dt.days
    usual = days.groupby(data.purchases["supplier"]).median()
    assert np.ptp(usual) >= 10


def test_twice_the_same(data: RetailData) -> None:
    again = retail_data(AS_OF)
    for name in ("items", "sales", "purchases"):
        pd.testing.assert_frame_equal(getattr(again, name), getattr(data, name))
