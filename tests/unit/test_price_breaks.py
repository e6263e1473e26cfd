"""Which price a quantity gets, and which larger quantity is worth ordering."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from erp_forecast_addon.planning.inventory.methods import PriceBreaks
from erp_forecast_addon.planning.purchasing.price_breaks import break_worth_taking, pair_breaks, price_at
from erp_forecast_addon.planning.tables import PRICE_BREAKS

ONE = PriceBreaks(np.array([[0.0, 500.0, np.inf]]), np.array([[10.0, 9.5, 10.0]]))


def taken(breaks: PriceBreaks = ONE, **values: float) -> float:
    given_ = {"order_qty": 300.0, "position_qty": 100.0, "daily_mean": 10.0, "lead_days": 10.0,
              "holding_rate_per_year": 0.25, "order_cost": 0.0, "most_qty": np.inf} | values  # fmt: skip
    return float(break_worth_taking(breaks, *(np.array([value]) for value in given_.values()))[0])


def test_the_price_is_that_of_the_largest_quantity_reached() -> None:
    assert price_at(ONE, np.array([499.999])).tolist() == [10.0]
    assert price_at(ONE, np.array([500.0])).tolist() == [9.5]


def test_a_break_is_taken_where_its_saving_beats_holding() -> None:
    """500 save 250; 200 more lie (100 + 300) / 3650 - 10 / 365 years untouched and 200 / 7300 more on average."""
    years = 400 / 3650 - 10 / 365 + 200 / 7300
    assert 0.25 * 9.5 * 200 * years < 250.0
    assert taken() == 500.0
    dear = 250.0 / (9.5 * 200 * years)
    assert taken(holding_rate_per_year=dear * 0.99) == 500.0
    assert taken(holding_rate_per_year=dear * 1.01) == 0.0


def test_saved_order_lines_count() -> None:
    assert taken(holding_rate_per_year=2.0) == 0.0
    assert taken(holding_rate_per_year=2.0, order_cost=1000.0) == 500.0


@pytest.mark.parametrize("values", [{"most_qty": 499.0}, {"daily_mean": 0.0}, {"order_qty": 600.0}])
def test_a_break_beyond_the_most_without_demand_or_reached_already_is_not_taken(values: dict[str, float]) -> None:
    assert taken(**values) == 0.0


def test_of_several_breaks_the_one_that_saves_most_is_taken() -> None:
    three = PriceBreaks(np.array([[0.0, 400.0, 500.0, 5000.0]]), np.array([[10.0, 9.9, 9.5, 9.4]]))
    assert taken(three) == 500.0
    assert taken(three, holding_rate_per_year=0.01) == 5000.0


@given(st.floats(0.01, 2.0), st.floats(0.01, 2.0), st.floats(1.0, 500.0), st.floats(0.1, 50.0))
@settings(max_examples=60, deadline=None)
def test_dearer_holding_never_takes_more(low: float, high: float, order: float, daily: float) -> None:
    low, high = sorted((low, high))
    cheap = taken(holding_rate_per_year=low, order_qty=order, daily_mean=daily)
    assert taken(holding_rate_per_year=high, order_qty=order, daily_mean=daily) <= cheap


def test_breaks_of_the_supplier_and_of_everyone_are_laid_out_with_discounts_resolved() -> None:
    pairs = pd.DataFrame({"item_code": ["A", "B"], "supplier": ["S", "S"]})
    breaks = PRICE_BREAKS.check(pd.DataFrame([
        {"item_code": "A", "supplier": "S", "min_qty": 10.0, "base_rate": 8.0},
        {"item_code": "A", "supplier": "", "min_qty": 20.0, "discount_share": 0.5},
        {"item_code": "A", "supplier": "Other", "min_qty": 5.0, "base_rate": 1.0},
        {"item_code": "A", "supplier": "S", "min_qty": 30.0, "base_rate": 12.0},
    ]))  # fmt: skip
    made = pair_breaks(pairs, np.array([10.0, 4.0]), breaks)
    assert made is not None
    assert price_at(made, np.array([9.0, 99.0])).tolist() == [10.0, 4.0]
    assert price_at(made, np.array([10.0, 99.0])).tolist() == [8.0, 4.0]
    assert price_at(made, np.array([30.0, 99.0])).tolist() == [5.0, 4.0]
