"""When a draft says what is needed, and when it does not."""

from typing import Any

import pandas as pd

from erp_forecast_addon.services.open_drafts import same_need

FRESH = {"item_code": "Bolt", "warehouse": "Stores", "uom": "Nos", "conversion_factor": 1.0, "rate": 5.0,
         "stock_qty": 30.0, "schedule_date": pd.Timestamp("2026-11-25"), "alternative_supplier": ""}  # fmt: skip


def lines(*changed: dict[str, Any]) -> pd.DataFrame:
    return pd.DataFrame([FRESH | values for values in changed])


def same(asked: pd.DataFrame, fresh: pd.DataFrame | None = None) -> bool:
    return same_need(asked, lines({}) if fresh is None else fresh, qty_share=0.05, days=2)


def test_two_lines_of_one_pair_say_what_one_line_says() -> None:
    """Merging two items leaves two lines of one pair."""
    assert same(lines({"stock_qty": 10.0}, {"stock_qty": 20.0}))
    assert same(lines({"stock_qty": 10.0}, {"stock_qty": 20.0, "schedule_date": pd.Timestamp("2026-12-24")}))
    assert not same(lines({"stock_qty": 10.0}, {"stock_qty": 30.0}))


def test_two_lines_of_one_pair_in_different_units_or_rates_are_written_again() -> None:
    assert not same(lines({"stock_qty": 10.0}, {"stock_qty": 20.0, "rate": 6.0}))
    assert not same(lines({"stock_qty": 10.0}, {"stock_qty": 20.0, "uom": "Box"}))


def test_another_pair_is_another_need() -> None:
    assert not same(lines({}, {"item_code": "Nut"}))
    assert not same(lines({"warehouse": "Outlet"}))
    assert not same(lines({}).iloc[:0])


def test_another_supplier_worth_naming_is_news() -> None:
    assert same(lines({"alternative_supplier": None}))
    assert not same(lines({"alternative_supplier": "Cheap Supplies"}))
    assert same(lines({"alternative_supplier": "Cheap Supplies"}), lines({"alternative_supplier": "Cheap Supplies"}))
