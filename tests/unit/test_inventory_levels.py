"""Safety stock, order levels, demand over lead time and classes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from erp_forecast_addon.planning.errors import BadInput
from erp_forecast_addon.planning.inventory.classes import abc_classes
from erp_forecast_addon.planning.inventory.lead_time_demand import demand_through
from erp_forecast_addon.planning.inventory.levels import service_levels, set_levels
from erp_forecast_addon.planning.inventory.safety_stock import (
    expected_units_short,
    protection_std,
    safety_factor,
    safety_stock,
)

quantities = st.floats(0.0, 1e6)
days = st.floats(0.0, 365.0)


@given(st.floats(0.001, 0.999), st.floats(0.001, 0.999), days, quantities, quantities, days)
def test_a_higher_service_level_never_lowers_safety_stock(
    a: float, b: float, protection: float, mean: float, std: float, lead_time_std: float
) -> None:
    low, high = sorted((a, b))
    spread = protection_std(protection, mean, std, lead_time_std)
    assert safety_stock(safety_factor(low), spread) <= safety_stock(safety_factor(high), spread)


@given(days, st.floats(0.0, 100.0), quantities, quantities, days)
def test_more_uncertainty_or_a_longer_wait_never_lowers_the_deviation(
    protection: float, more: float, mean: float, std: float, lead_time_std: float
) -> None:
    base = protection_std(protection, mean, std, lead_time_std)
    assert protection_std(protection + more, mean, std, lead_time_std) >= base
    assert protection_std(protection, mean, std + more, lead_time_std) >= base
    assert protection_std(protection, mean, std, lead_time_std + more) >= base


@pytest.mark.parametrize("level", [0.0, 1.0, -0.1, 1.5, float("nan")])
def test_a_service_level_that_no_stock_can_promise_is_refused(level: float) -> None:
    with pytest.raises(BadInput, match=r"cannot be planned: it must lie above 0% and below 100%"):
        safety_factor([0.95, level])


def test_a_service_level_under_a_half_holds_no_negative_stock() -> None:
    assert safety_stock(safety_factor(0.3), 50.0) == 0.0


@given(st.floats(-1e5, 1e5), st.floats(0.0, 1e4))
def test_expected_shortage_is_at_least_the_certain_one_and_finite(left: float, std: float) -> None:
    short = float(expected_units_short(left, std))
    assert np.isfinite(short)
    assert short >= max(0.0, -left) - 1e-6 * max(1.0, abs(left))


def test_expected_shortage_without_deviation_is_what_is_missing() -> None:
    assert expected_units_short([5.0, -3.0], [0.0, 0.0]).tolist() == [0.0, 3.0]


def test_demand_over_a_lead_time_follows_the_forecast_path() -> None:
    path = np.array([[1.0, 2.0, 4.0, 8.0]])
    assert demand_through(path, np.array([2.0])).tolist() == [3.0]
    assert demand_through(path, np.array([2.5])).tolist() == [5.0]
    assert demand_through(path, np.array([0.0])).tolist() == [0.0]
    assert demand_through(path, np.array([4.0])).tolist() == [15.0]


def test_demand_beyond_the_path_is_an_error_and_not_a_guess() -> None:
    with pytest.raises(ValueError, match=r"covers 4 days, 5\.0 were asked for"):
        demand_through(np.ones((1, 4)), np.array([5.0]))


@given(st.lists(st.floats(0.0, 50.0), min_size=30, max_size=30), days.filter(lambda d: d <= 30), st.floats(0.0, 1.0))
def test_demand_over_a_longer_time_is_never_less(path: list[float], at: float, share: float) -> None:
    daily = np.array([path])
    assert demand_through(daily, np.array([at * share]))[0] <= demand_through(daily, np.array([at]))[0] + 1e-9


def test_levels_come_from_the_protection_interval_of_a_falling_path() -> None:
    """A flat mean of the horizon would expect 5.5 a day; the next three days bring 10 each."""
    path = np.array([[10.0] * 3 + [1.0] * 27])
    levels = set_levels(path, np.array([0.0]), np.array([2.0]), np.array([0.0]), 1, np.array([0.95]))
    assert levels.lead_time_demand_qty[0] == 20.0
    assert levels.order_up_to_qty[0] == 30.0
    assert levels.daily_mean[0] == 10.0


def test_safety_stock_is_the_textbook_formula_over_the_lead_time_whatever_the_review_period() -> None:
    """z·sqrt(L·σ_d² + d̄²·σ_L²) with L = 4, σ_d = 3, d̄ = 5, σ_L = 2: sqrt(36 + 100) = 11.66."""
    path, z = np.full((1, 30), 5.0), 1.6448536270
    for review in (0, 7, 14):
        levels = set_levels(path, np.array([3.0]), np.array([4.0]), np.array([2.0]), review, np.array([0.95]))
        assert levels.safety_stock_qty[0] == pytest.approx(z * 136.0**0.5)
        assert levels.reorder_point_qty[0] == pytest.approx(20.0 + z * 136.0**0.5)
        assert levels.order_up_to_qty[0] == pytest.approx(20.0 + 5.0 * review + z * 136.0**0.5)


def test_safety_stock_covers_at_least_the_day_until_the_next_look() -> None:
    levels = set_levels(np.full((1, 5), 4.0), np.array([2.0]), np.array([0.0]), np.array([0.0]), 0, np.array([0.9]))
    assert levels.protection_days[0] == 1.0
    assert levels.order_up_to_qty[0] == pytest.approx(4.0 + 1.2815515655 * 2.0)


def test_abc_follows_the_money_and_the_row_that_crosses_the_line_completes_its_class() -> None:
    money = np.array([50.0, 800.0, 0.0, 100.0, 50.0])
    assert abc_classes(money, (0.80, 0.95)).tolist() == ["B", "A", "C", "B", "C"]


def test_abc_ties_follow_the_order_given() -> None:
    assert abc_classes(np.full(4, 10.0), (0.5, 0.75)).tolist() == ["A", "A", "B", "C"]


def test_abc_without_any_money_is_c_throughout() -> None:
    assert abc_classes(np.array([0.0, np.nan, -5.0]), (0.8, 0.95)).tolist() == ["C", "C", "C"]
    assert abc_classes(np.zeros(0), (0.8, 0.95)).tolist() == []


@given(st.lists(st.floats(0.0, 1e6), min_size=1, max_size=40))
def test_abc_never_puts_less_money_in_a_better_class(money: list[float]) -> None:
    classes = abc_classes(np.array(money), (0.8, 0.95))
    ranked = classes[np.argsort(-np.array(money), kind="stable")].tolist()
    assert ranked == sorted(ranked)


def test_a_class_without_a_service_level_is_refused_by_name() -> None:
    with pytest.raises(BadInput, match="Toys: no service level is set for class C"):
        service_levels(np.array(["A", "C"], dtype=object), {"A": 0.98, "B": 0.95}, "Toys")
