"""What every policy method keeps: targets, limits, lots; what it does with terms that make no sense."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from erp_forecast_addon.planning.errors import BadInput
from erp_forecast_addon.planning.forecasting.mixtures import LEVELS, WEIGHTS
from erp_forecast_addon.planning.inventory import lead_time_distribution as lead_times
from erp_forecast_addon.planning.inventory.demand_distribution import (
    Demand,
    at_least,
    from_samples,
    gamma_quantiles,
    gamma_totals,
    lead_time_nodes,
    over_days,
    over_lead_time,
)
from erp_forecast_addon.planning.inventory.methods import METHODS, TARGETED, OrderLevels, PolicyInputs, levels_for
from erp_forecast_addon.planning.inventory.methods.performance import unserved_share
from erp_forecast_addon.planning.simulation import Rule, Start, simulate

FEW = settings(max_examples=25, deadline=None)


def poisson(*means: float) -> Demand:
    return Demand(stats.poisson.ppf(LEVELS[None, :], np.array(means)[:, None]), WEIGHTS)


def pair(daily: float = 2.0, lead: float = 10.0, review: float = 7.0, **terms: float) -> PolicyInputs:
    """One item with Poisson demand."""
    given = {"unit_cost": 10.0, "shortage_cost": 3.0, "holding_rate_per_year": 0.25, "order_cost": 5.0} | terms
    return PolicyInputs(
        poisson(daily * lead), poisson(daily * (lead + review)), review, np.array([daily]),
        daily_std=np.sqrt(daily), lead_time_days=lead, **given,
    )  # fmt: skip


def only(levels: OrderLevels, name: str = "reorder_point_qty") -> float:
    return float(getattr(levels, name)[0])


# ---- the distribution ----


def test_a_certain_lead_time_is_the_sum_of_its_days() -> None:
    totals = gamma_totals(np.full((1, 40), 5.0), np.array([2.0]))
    nodes = lead_time_nodes(lead_times.from_moments([9.0], [0.0]))
    mixed, plain = over_lead_time(totals, nodes), over_days(totals, np.array([9.0]))
    assert mixed.points == pytest.approx(plain.points)
    assert mixed.mean[0] == pytest.approx(45.0, rel=0.005)


def test_an_uncertain_lead_time_widens_the_distribution_and_keeps_its_mean() -> None:
    totals = gamma_totals(np.full((2, 80), 5.0), np.full(2, 2.0))
    nodes = lead_time_nodes(lead_times.from_moments([12.0, 12.0], [0.0, 4.0]))
    demand = over_lead_time(totals, nodes)
    assert demand.mean[1] == pytest.approx(60.0, rel=0.01)
    # Var = E[L]·σ² + μ²·Var[L] (SPT, section 6.10), of which six nodes keep all but what lies within them.
    assert demand.std[0] == pytest.approx(np.sqrt(12 * 4.0), rel=0.03)
    assert demand.std[1] == pytest.approx(np.sqrt(12 * 4.0 + 25 * 16.0), rel=0.08)


def test_lead_time_nodes_keep_the_mean() -> None:
    probability = lead_times.from_moments([3.3, 14.0, 60.0], [2.0, 5.0, 25.0])
    nodes = lead_time_nodes(probability)
    assert nodes.days @ nodes.shares == pytest.approx(lead_times.mean(probability))
    assert (np.diff(nodes.days, axis=1) >= 0.0).all()


@FEW
@given(st.floats(0.05, 60.0), st.floats(0.0, 90.0))
def test_losses_are_those_of_the_distribution(mean: float, stock: float) -> None:
    demand = poisson(mean)
    counts = np.arange(400)
    exact = float((stats.poisson.pmf(counts, mean) * np.maximum(counts - stock, 0.0)).sum())
    assert demand.shortage(np.array([stock]))[0] == pytest.approx(exact, rel=0.03, abs=0.01 * np.sqrt(mean) + 0.005)
    left = demand.left_over(np.array([stock]))[0] - demand.shortage(np.array([stock]))[0]
    assert left == pytest.approx(stock - demand.mean[0])


def test_a_quantile_of_counts_is_a_count_and_enough() -> None:
    demand = poisson(0.3, 4.0, 35.0)
    for level in (0.5, 0.8, 0.9, 0.95, 0.99):
        assert demand.quantile(level) == pytest.approx(stats.poisson.ppf(level, [0.3, 4.0, 35.0]), abs=1.0)
        assert (demand.served(demand.quantile(level)) >= level - 1e-9).all()


def test_gamma_quantiles_are_scipys() -> None:
    mean, std = np.array([3.0, 40.0, 0.2]), np.array([2.0, 5.0, 0.9])
    exact = stats.gamma.ppf(LEVELS[None, :], ((mean / std) ** 2)[:, None], scale=(std**2 / mean)[:, None])
    assert gamma_quantiles(mean, std, LEVELS) == pytest.approx(exact, rel=0.01, abs=1e-3)


def test_samples_make_a_distribution() -> None:
    demand = from_samples(np.arange(1, 101, dtype=float)[None, :])
    assert demand.mean[0] == pytest.approx(50.5, abs=1.0)
    assert demand.quantile(0.95)[0] == pytest.approx(95.0, abs=1.0)


# ---- targets ----


@FEW
@given(
    st.sampled_from(["Cycle Service Level", "Fill Rate", "Textbook"]),
    st.floats(0.02, 20.0), st.floats(0.0, 40.0), st.sampled_from([0.0, 1.0, 7.0]),
    st.floats(0.05, 0.995), st.floats(0.05, 0.995),
)  # fmt: skip
def test_levels_rise_with_the_target(
    method: str, daily: float, lead: float, review: float, one: float, other: float
) -> None:
    inputs = pair(daily, lead, review)
    low, high = (levels_for(inputs, method, target) for target in sorted((one, other)))
    for name in ("reorder_point_qty", "order_up_to_qty", "safety_stock_qty"):
        assert only(low, name) <= only(high, name) + 1e-6


@pytest.mark.parametrize("target", [0.8, 0.9, 0.95, 0.98])
@pytest.mark.parametrize(("review", "order_cost", "daily"), [(7, 0.0, 1.5), (7, 40.0, 1.5), (1, 40.0, 0.15)])
def test_the_fill_rate_is_reached_in_simulation(target: float, review: int, order_cost: float, daily: float) -> None:
    """The same demand, day by day: unmet demand waits, as the formula has it."""
    inputs = pair(daily, 10.0, float(review), order_cost=order_cost)
    levels = levels_for(inputs, "Fill Rate", target)
    random = np.random.default_rng(7)
    demand = random.poisson(daily, (60, 3000)).astype(float)
    rows = np.ones(60)
    # A row of the simulation orders at or below its level, ours below it.
    rule = Rule(rows * only(levels) - 0.5, rows * only(levels, "order_up_to_qty"), rows * 0.0)
    seen = simulate(
        demand, np.full(demand.shape, 10), rule, Start.with_stock(rows * only(levels, "order_up_to_qty")),
        review_days=review, backorders=True, keep_daily=False,
    )  # fmt: skip
    expected = 1.0 - float(unserved_share(inputs, levels.reorder_point_qty, levels.order_up_to_qty)[0])
    assert seen.fill_rate() >= target - 0.012
    assert seen.fill_rate() == pytest.approx(expected, abs=0.03)


def test_what_is_expected_of_least_cost_is_least_in_simulation() -> None:
    """No level near the best one costs less over ten years of days, within what chance moves."""
    inputs = pair(0.6, 12.0, 1.0, order_cost=8.0, shortage_cost=6.0)
    best = levels_for(inputs, "Least Cost")
    random = np.random.default_rng(3)
    demand = random.poisson(0.6, (40, 3650)).astype(float)

    def cost(point: float, up_to: float) -> float:
        rows = np.ones(len(demand))
        seen = simulate(
            demand, np.full(demand.shape, 12), Rule(rows * point - 0.5, rows * up_to, rows * 0.0),
            Start.with_stock(rows * up_to), backorders=True, keep_daily=False,
        )  # fmt: skip
        held = float(seen.mean_on_hand_qty.mean()) * 10.0 * 0.25 * 10.0
        lines, short = float(seen.order_lines.mean()), float(seen.total_short_qty.mean())
        return held + lines * 8.0 + short * 6.0

    point, up_to = only(best), only(best, "order_up_to_qty")
    least = cost(point, up_to)
    for move, width in ((-4, 0), (4, 0), (0, 15), (0, -12)):
        assert cost(point + move, up_to + move + width) >= least * 0.985


# ---- limits and lots ----


@FEW
@given(
    st.sampled_from(sorted(METHODS)),
    st.floats(0.02, 20.0), st.floats(0.0, 60.0), st.floats(0.0, 60.0), st.floats(0.5, 0.99),
    st.sampled_from([0.0, 6.0, 24.0]), st.sampled_from([0.0, 1.0, 12.0]),
)  # fmt: skip
def test_never_below_the_floor_nor_above_the_cap(
    method: str, daily: float, floor: float, room: float, target: float, least: float, multiple: float
) -> None:
    inputs = pair(
        daily, 10.0, 7.0, floor_qty=floor, cap_qty=floor + room, min_order_qty=least, order_multiple_qty=multiple,
        fixed_min_qty=3.0, fixed_max_qty=9.0,
    )  # fmt: skip
    levels = levels_for(inputs, method, target if method in TARGETED else np.nan)
    assert 0.0 <= only(levels) <= only(levels, "order_up_to_qty") <= floor + room + 1e-6
    assert only(levels) >= floor - 1e-6 or levels.clamp[0] == "cap"
    assert only(levels, "safety_stock_qty") >= 0.0


@FEW
@given(st.floats(0.02, 20.0), st.sampled_from([0.0, 6.0, 50.0]), st.sampled_from([0.0, 5.0, 12.0]),
       st.sampled_from(["Cycle Service Level", "Fill Rate", "Least Cost"]))  # fmt: skip
def test_what_an_order_brings_keeps_minimum_and_multiple(
    daily: float, least: float, multiple: float, method: str
) -> None:
    inputs = pair(daily, 10.0, 7.0, min_order_qty=least, order_multiple_qty=multiple)
    levels = levels_for(inputs, method, 0.95 if method in TARGETED else np.nan)
    assert only(levels, "order_qty") >= least - 1e-6
    if multiple:
        packs = only(levels, "order_qty") / multiple
        assert packs == pytest.approx(round(packs))


def test_large_lots_need_less_safety_stock_for_the_same_fill_rate() -> None:
    small, large = (levels_for(pair(order_cost=0.0, min_order_qty=least), "Fill Rate", 0.95) for least in (0.0, 200.0))
    assert only(large) < only(small)
    assert only(large, "order_up_to_qty") - only(large) > 150.0


def test_a_maximum_stock_leaves_room_for_an_order() -> None:
    levels = levels_for(pair(max_stock_qty=40.0, min_order_qty=15.0), "Cycle Service Level", 0.99)
    assert levels.clamp[0] == "maximum stock"
    assert only(levels, "order_up_to_qty") == 40.0
    assert only(levels) + 15.0 <= 40.0


def test_what_expires_is_stocked_no_longer_than_it_sells() -> None:
    inputs = pair(2.0, 5.0, 7.0, order_cost=200.0, expires=True)
    inputs = replace(inputs, sellable=poisson(2.0 * 25.0))
    for method, target in (("Fill Rate", 0.99), ("Least Cost", np.nan)):
        kept = levels_for(inputs, method, target)
        free = levels_for(replace(inputs, expires=False, sellable=None), method, target)
        assert only(kept, "order_up_to_qty") < only(free, "order_up_to_qty")
    assert levels_for(inputs, "Fill Rate", 0.99).clamp[0] == "shelf life"


def test_one_row_comes_out_as_it_does_among_others() -> None:
    daily = np.array([0.05, 0.5, 3.0, 12.0])
    many = PolicyInputs(
        poisson(*(daily * 10.0)), poisson(*(daily * 17.0)), 7.0, daily, daily_std=np.sqrt(daily), unit_cost=10.0,
        shortage_cost=3.0, order_cost=5.0,
    )  # fmt: skip
    for method in ("Cycle Service Level", "Fill Rate", "Least Cost"):
        target = 0.9 if method in TARGETED else np.nan
        every = levels_for(many, method, target, workers=2)
        for row in range(4):
            alone = levels_for(many.select(np.array([row])), method, target)
            assert only(alone, "order_up_to_qty") == every.order_up_to_qty[row]


# ---- terms that make no sense ----


@pytest.mark.parametrize("target", [0.0, 1.0, -0.1, 1.2])
@pytest.mark.parametrize("method", ["Cycle Service Level", "Fill Rate", "Textbook", "Least Cost"])
def test_a_target_that_no_stock_can_promise_is_refused(method: str, target: float) -> None:
    with pytest.raises(BadInput, match="it must lie above 0% and below 100%"):
        levels_for(pair(), method, target)


def test_an_unknown_method_is_refused_by_name() -> None:
    with pytest.raises(BadInput, match="no policy method Guess; there are Textbook, "):
        levels_for(pair(), "Guess", 0.9)


def test_a_floor_above_the_cap_is_told_and_the_cap_counts() -> None:
    levels = levels_for(pair(floor_qty=80.0, cap_qty=30.0), "Fill Rate", 0.95)
    assert (levels.clamp[0], only(levels, "order_up_to_qty")) == ("floor above cap", 30.0)


def test_without_a_price_least_cost_keeps_the_service_target() -> None:
    levels = levels_for(pair(unit_cost=0.0), "Least Cost", fallback_target=0.98)
    by_service = levels_for(pair(unit_cost=0.0), "Cycle Service Level", 0.98)
    assert (levels.method[0], levels.clamp[0]) == ("Cycle Service Level", "no price")
    assert only(levels) == only(by_service)


def test_a_minimum_order_above_a_years_demand_may_not_be_worth_stocking() -> None:
    levels = levels_for(pair(0.01, 10.0, 1.0, min_order_qty=50.0, order_cost=20.0, shortage_cost=1.0), "Least Cost")
    assert levels.clamp[0] == "not worth stocking"
    assert only(levels, "order_up_to_qty") == 0.0
    wanted = levels_for(pair(0.01, 10.0, 1.0, min_order_qty=50.0, floor_qty=2.0), "Least Cost")
    assert only(wanted) >= 2.0


def test_goods_that_arrive_at_once_need_stock_until_the_next_look_only() -> None:
    levels = levels_for(pair(2.0, 0.0, 1.0), "Cycle Service Level", 0.95)
    assert only(levels) == stats.poisson.ppf(0.95, 2.0)


def test_no_demand_needs_no_stock() -> None:
    inputs = pair(0.0, 10.0, 7.0)
    for method in METHODS:
        levels = levels_for(inputs, method, 0.95 if method in TARGETED else np.nan)
        assert (only(levels), only(levels, "safety_stock_qty")) == (0.0, 0.0)


# ---- orders of one period ----


def test_more_days_never_ask_for_less() -> None:
    more = at_least(poisson(3.0), poisson(5.0))
    assert (more.points >= poisson(5.0).points).all()
