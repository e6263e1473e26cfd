"""Lots: enough, never below the minimum, whole packs, whole units; thirds are thirds."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from erp_forecast_addon.planning.purchasing.lots import Lots, as_fraction, lot_sizes, smallest_step


def lots(
    need: float,
    minimum: float = 0.0,
    multiple: float = 0.0,
    factor: float = 1.0,
    uom_whole: bool = False,
    stock_whole: bool = False,
) -> Lots:
    return lot_sizes(
        np.array([need]),
        np.array([minimum]),
        np.array([multiple]),
        np.array([factor]),
        np.array([uom_whole]),
        np.array([stock_whole]),
    )


def is_whole(value: float) -> bool:
    return abs(value - round(value)) <= 1e-9 * max(1.0, abs(value))


factors = st.sampled_from(
    [1.0, 6.0, 12.0, 24.0, 144.0, 1000.0, 0.5, 0.25, 1 / 3, 0.333333, 0.333333333, 2 / 3, 0.1, 2.5]
)
packs = st.sampled_from([0.0, 1.0, 5.0, 6.0, 10.0, 12.0, 25.0])


@given(st.floats(0.001, 1e6), st.floats(0.0, 1e4), packs, factors, st.booleans(), st.booleans())
def test_an_order_is_enough_at_least_the_minimum_and_keeps_packs_and_whole_units(
    need: float, minimum: float, multiple: float, factor: float, uom_whole: bool, stock_whole: bool
) -> None:
    lot = lots(need, minimum, multiple, factor, uom_whole, stock_whole)
    assert lot.possible[0]
    stock_qty, qty = lot.stock_qty[0], lot.qty[0]
    largest_step = float(smallest_step(multiple, factor, uom_whole, stock_whole) or 0)
    slack = 1e-6 * largest_step
    assert stock_qty >= need - slack
    assert stock_qty >= minimum - slack
    assert stock_qty < max(need, minimum) + largest_step + slack, "one step too many"
    assert stock_qty == pytest.approx(qty * float(as_fraction(factor)), rel=1e-9)
    if multiple:
        assert is_whole(stock_qty / multiple)
    if uom_whole:
        assert is_whole(qty)
    if stock_whole:
        assert is_whole(stock_qty)


@given(st.floats(0.0, 1e5), st.floats(0.0, 1e5), st.floats(0.0, 100.0), packs, factors, st.booleans(), st.booleans())
def test_a_larger_need_never_orders_less(
    a: float, b: float, minimum: float, multiple: float, factor: float, uom_whole: bool, stock_whole: bool
) -> None:
    low, high = sorted((a, b))
    smaller = lots(low, minimum, multiple, factor, uom_whole, stock_whole).stock_qty[0]
    assert smaller <= lots(high, minimum, multiple, factor, uom_whole, stock_whole).stock_qty[0]


@pytest.mark.parametrize("need", [0.0, -5.0])
def test_no_need_orders_nothing_whatever_the_minimum(need: float) -> None:
    lot = lots(need, minimum=100.0, multiple=12.0)
    assert (lot.qty[0], lot.stock_qty[0]) == (0.0, 0.0)


@pytest.mark.parametrize("typed", [1 / 3, 0.333333333, 0.333333])
def test_ten_from_thirds_are_thirty_and_not_thirty_one(typed: float) -> None:
    lot = lots(10.0, factor=typed, uom_whole=True, stock_whole=True)
    assert (lot.qty[0], lot.stock_qty[0]) == (30.0, 10.0)


def test_a_need_above_a_third_is_filled_to_the_next_whole_unit() -> None:
    lot = lots(10.1, factor=1 / 3, uom_whole=True, stock_whole=True)
    assert (lot.qty[0], lot.stock_qty[0]) == (33.0, 11.0)


def test_float_noise_does_not_buy_another_box() -> None:
    assert lots(0.1 + 0.2, multiple=0.1).stock_qty[0] == pytest.approx(0.3)
    assert lots(12.0000000001, multiple=12.0).stock_qty[0] == 12.0


def test_the_minimum_is_rounded_up_to_whole_boxes() -> None:
    lot = lots(5.0, minimum=50.0, factor=12.0, uom_whole=True, stock_whole=True)
    assert (lot.qty[0], lot.stock_qty[0]) == (5.0, 60.0)


def test_pack_and_box_are_kept_together() -> None:
    assert lots(1.0, multiple=10.0, factor=4.0, uom_whole=True, stock_whole=True).stock_qty[0] == 20.0


def test_a_split_box_still_holds_whole_pieces() -> None:
    """3.333 boxes of 3 would be 9.999 pieces, which ERPNext refuses for a whole unit."""
    lot = lots(10.0, factor=3.0, stock_whole=True)
    assert (lot.qty[0], lot.stock_qty[0]) == (4.0, 12.0)


def test_without_rules_the_quantity_is_rounded_up_to_what_a_document_holds() -> None:
    assert lots(1.23456).qty[0] == pytest.approx(1.235)


def test_units_that_never_meet_are_impossible_rather_than_absurd() -> None:
    lot = lots(10.0, factor=2.20462, uom_whole=True, stock_whole=True)
    assert not lot.possible[0]
    assert lot.stock_qty[0] == 0.0


def test_no_needs_are_no_lots() -> None:
    none = np.zeros(0)
    assert lot_sizes(none, none, none, none, none.astype(bool), none.astype(bool)).qty.tolist() == []
