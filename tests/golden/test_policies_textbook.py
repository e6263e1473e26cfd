"""The policy methods against worked examples of textbooks; each test names its source."""

import numpy as np
import pytest
from scipy import stats

from erp_forecast_addon.planning.inventory.demand_distribution import Demand
from erp_forecast_addon.planning.inventory.methods import OrderLevels, PolicyInputs, PriceBreaks, levels_for
from erp_forecast_addon.planning.inventory.methods.order_quantity import cheapest, economic_quantity
from erp_forecast_addon.planning.inventory.path_order import critical_ratio, order_on_paths

POINTS = (np.arange(40_000) + 0.5) / 40_000


def spread_evenly(curve: np.ndarray) -> Demand:
    return Demand(np.maximum(curve, 0.0)[None, :], np.full(len(POINTS), 1.0 / len(POINTS)))


def normal(mean: float, std: float) -> Demand:
    return spread_evenly(stats.norm.ppf(POINTS, mean, std))


def watched(demand: Demand, yearly: float, **terms: float) -> PolicyInputs:
    """Stock that is watched without a break."""
    return PolicyInputs(demand, demand, 0.0, np.array([yearly / 365.0]), **terms)


def only(levels: OrderLevels, name: str) -> float:
    return float(getattr(levels, name)[0])


class TestHarveysMustard:
    """Nahmias & Olsen, Production and Operations Analysis, 7th ed. (2015), examples 5.4 to 5.7: 200 jars a year, lead
    time demand normal with mean 100 and deviation 25, $10 a jar, 20% a year, $50 an order, $25 a jar short."""

    terms = {"unit_cost": 10.0, "holding_rate_per_year": 0.2, "order_cost": 50.0, "shortage_cost": 25.0}

    def inputs(self) -> PolicyInputs:
        return watched(normal(100.0, 25.0), 200.0, **self.terms)

    def test_economic_quantity_is_100(self) -> None:
        assert economic_quantity(self.inputs(), np.array([10.0]))[0] == pytest.approx(100.0)

    def test_least_cost_orders_111_at_140(self) -> None:
        levels = levels_for(self.inputs(), "Least Cost")
        assert only(levels, "reorder_point_qty") == pytest.approx(140.0, abs=2.0)
        assert only(levels, "order_up_to_qty") - only(levels, "reorder_point_qty") == pytest.approx(111.0, rel=0.12)

    def test_98_percent_of_cycles_need_a_reorder_point_of_151(self) -> None:
        levels = levels_for(self.inputs(), "Cycle Service Level", 0.98)
        assert only(levels, "reorder_point_qty") == pytest.approx(151.0, abs=0.5)

    def test_98_percent_of_demand_need_a_reorder_point_of_126(self) -> None:
        levels = levels_for(self.inputs(), "Fill Rate", 0.98)
        assert only(levels, "reorder_point_qty") == pytest.approx(126.0, abs=1.0)
        assert only(levels, "order_up_to_qty") - only(levels, "reorder_point_qty") == pytest.approx(100.0)


def test_fill_rate_of_975_with_large_orders_takes_67_palms_of_safety_stock() -> None:
    """Chopra & Meindl, 6th ed. (2016), example 12-5: lead time demand 5,000 with deviation 707, orders of 10,000."""
    levels = levels_for(watched(normal(5000.0, 707.107), 130_000.0, cover_qty=10_000.0), "Fill Rate", 0.975)
    assert only(levels, "reorder_point_qty") - 5000.0 == pytest.approx(67.0, abs=1.0)


def test_the_newsvendor_orders_up_to_56_point_6() -> None:
    """Snyder & Shen, Fundamentals of Supply Chain Theory, 2nd ed. (2019), example 4.3: holding 0.18, shortage 0.70,
    demand normal with mean 50 and deviation 8."""
    ratio = critical_ratio(0.70, 0.18)
    assert ratio == pytest.approx(0.795, abs=0.001)
    assert normal(50.0, 8.0).quantile(ratio)[0] == pytest.approx(56.6, abs=0.05)
    paths = np.quantile(normal(50.0, 8.0).points[0], (np.arange(400) + 0.5) / 400)[None, :, None].astype(np.float32)
    costs = np.array([0.18]), np.array([0.70])
    order = order_on_paths(paths, np.zeros(1), np.zeros((1, 1)), 0, 1, *costs, order_multiple_qty=0.0)
    assert order.qty[0] == pytest.approx(56.6, abs=1.0)  # of the candidates the nearest chance


def test_the_largest_price_break_is_worth_its_stock() -> None:
    """Snyder & Shen (2019), examples 3.1 and 3.2: 1,300 bars a year, $8 an order, 30% a year; $0.75, from 400 $0.72,
    from 800 $0.68: 800 are ordered. Without breaks, holding 0.225 a bar and year: 304.05."""
    terms = {"unit_cost": 0.75, "holding_rate_per_year": 0.3, "order_cost": 8.0, "shortage_cost": 1.0}
    plain = watched(spread_evenly(np.zeros(len(POINTS))), 1300.0, **terms)
    assert cheapest(plain).qty[0, 0] == pytest.approx(304.05, abs=0.01)
    breaks = PriceBreaks(np.array([[0.0, 400.0, 800.0]]), np.array([[0.75, 0.72, 0.68]]))
    best = cheapest(PolicyInputs(plain.lead_time_demand, plain.protection_demand, 0.0, plain.daily_mean,
                                 price_breaks=breaks, **terms))  # fmt: skip
    assert (best.qty[0, 0], best.unit_cost[0, 0], best.least_qty[0, 0]) == (800.0, 0.68, 800.0)


def test_fill_rate_of_poisson_demand_at_periodic_review() -> None:
    """Silver, Pyke & Thomas (2017), section 6.9, with their formula for expected shortage: of what a review interval
    asks for, E[(D_P − S)⁺] − E[(D_L − S)⁺] is short. Least S from which 95% of 3 units a week are served, lead time 2
    weeks: tabled Poisson losses of means 6 and 9 give 10 (94.4%) and 11 (97.2%)."""
    lead, until = (spread_evenly(stats.poisson.ppf(POINTS, mean)) for mean in (6.0, 9.0))
    inputs = PolicyInputs(lead, until, 7.0, np.array([3.0 / 7.0]), cover_qty=0.0)
    counts = np.arange(60)

    def short(mean: float, stock: int) -> float:
        return float((stats.poisson.pmf(counts, mean) * np.maximum(counts - stock, 0)).sum())

    served = {s: 1.0 - (short(9.0, s) - short(6.0, s)) / 3.0 for s in range(5, 20)}
    least = min(s for s, share in served.items() if share >= 0.95)
    levels = levels_for(inputs, "Fill Rate", 0.95)
    assert only(levels, "reorder_point_qty") == least
    assert only(levels, "order_up_to_qty") == least


def test_demand_driven_zones() -> None:
    """Ptak & Smith, Demand Driven Material Requirements Planning, 3rd ed. (2019), chapter 8: yellow = ADU·DLT, green
    the largest of minimum order, ADU·order cycle and ADU·DLT·lead time factor, red = ADU·DLT·factor·(1 + variability).
    ADU 10, DLT 12 days, order cycle 7 days, minimum 50, both factors a half."""
    demand = normal(120.0, 30.0)
    inputs = PolicyInputs(
        demand, demand, 1.0, np.array([10.0]), lead_time_days=12.0, cover_qty=70.0, min_order_qty=50.0,
        lead_time_factor=0.5, variability_factor=0.5,
    )  # fmt: skip
    levels = levels_for(inputs, "Buffers")
    assert (only(levels, "red_qty"), only(levels, "yellow_qty"), only(levels, "green_qty")) == (90.0, 120.0, 70.0)
    assert (only(levels, "reorder_point_qty"), only(levels, "order_up_to_qty")) == (210.0, 280.0)


def test_buffer_factors_follow_lead_time_and_variability() -> None:
    """The same, chapter 7: long lead times get a small factor (20-40%), short ones a large one (61-100%)."""
    demand = Demand(np.repeat(normal(120.0, 12.0).points, 3, axis=0), np.full(len(POINTS), 1.0 / len(POINTS)))
    inputs = PolicyInputs(demand, demand, 1.0, np.full(3, 10.0), lead_time_days=np.array([5.0, 20.0, 90.0]))
    red = levels_for(inputs, "Buffers").red_qty / np.array([50.0, 200.0, 900.0]) / 1.2
    assert red == pytest.approx([0.8, 0.5, 0.3])
