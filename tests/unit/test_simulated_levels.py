"""Levels searched by simulation: played as the simulation plays, no dearer than their start, right about lost sales."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from erp_forecast_addon.planning.errors import BadInput
from erp_forecast_addon.planning.inventory import path_search
from erp_forecast_addon.planning.inventory.demand_distribution import LeadTimeNodes, from_samples, lead_time_nodes
from erp_forecast_addon.planning.inventory.level_courses import (
    COURSES,
    LEAD_TIME_DRAWS,
    LevelCourses,
    courses_of,
    paths_from_totals,
    segment_days,
)
from erp_forecast_addon.planning.inventory.level_play import Lots, play
from erp_forecast_addon.planning.inventory.methods import PolicyInputs, levels_for
from erp_forecast_addon.planning.inventory.pair_levels import order_up_to_again
from erp_forecast_addon.planning.inventory.rules import check_rules
from erp_forecast_addon.planning.inventory.simulated_levels import SIMULATED, Ask, Simulated, search
from erp_forecast_addon.planning.purchasing.evidence import recompute
from erp_forecast_addon.planning.replenishment import replenish
from erp_forecast_addon.planning.settings import PlanSettings
from erp_forecast_addon.planning.simulation import Costs, Limits, Outcome, Rule, Start, simulate
from erp_forecast_addon.planning.tables import PLANNING_RULES
from tests.unit.replenishment_case import AS_OF, Case, item, source, stock

NO_LOTS = Lots(np.zeros(1), np.zeros(1))


def poisson_courses(
    daily: list[float], days: int = 300, lead: tuple[int, int] = (4, 12), warm: int = 40
) -> LevelCourses:
    random = np.random.default_rng(3)
    means = np.repeat(np.array(daily), COURSES)
    demand = random.poisson(means, (days, len(means))).astype(np.float32)
    leads = random.integers(*lead, (len(daily), LEAD_TIME_DRAWS))
    draw = random.integers(0, LEAD_TIME_DRAWS, (days, COURSES))
    return LevelCourses(demand, leads, draw, warm)


def by_simulation(courses: LevelCourses, point: float, up_to: float, lots: Lots, start: float, **given: Any) -> Outcome:
    """The same by planning/simulation.py, the days after the warm-up."""
    t, columns = courses.demand_qty.shape
    row, course = np.repeat(np.arange(courses.m), COURSES), np.tile(np.arange(COURSES), courses.m)
    lead = courses.lead_steps[row[None], courses.draw[:, course]].T
    rule = Rule(np.full(columns, point - 1e-6), np.full(columns, up_to), np.zeros(columns))
    limits = Limits(np.repeat(lots.multiple_qty, COURSES), np.repeat(lots.least_qty, COURSES), np.full(columns, np.inf))
    seen = simulate(
        courses.demand_qty.T.astype(float),
        lead,
        rule,
        Start.with_stock(np.full(columns, start)),
        limits=limits,
        **given,
    )
    return seen.between(courses.warm_steps, t)


@pytest.mark.parametrize("lost", [True, False])
@pytest.mark.parametrize("review_days", [1, 7])
def test_candidates_are_played_as_the_simulation_plays(lost: bool, review_days: int) -> None:
    courses, lots = poisson_courses([0.3, 2.0]), Lots(np.array([4.0, 0.0]), np.array([6.0, 0.0]))
    point, up_to, start = 9.0, 20.0, 15.0
    wanted = by_simulation(courses, point, up_to, lots, start, backorders=not lost, review_days=review_days)
    begin = np.full((1, courses.demand_qty.shape[1]), start, dtype=np.float32)
    seen = play(courses, np.full((2, 1), point), np.full((2, 1), up_to), lots, lost=lost, review_steps=review_days,
                start_qty=begin)  # fmt: skip

    def of(values: np.ndarray) -> np.ndarray:
        return values.reshape(2, COURSES).mean(axis=1)

    np.testing.assert_allclose(seen.short_qty[:, 0], of(wanted.total_short_qty) / wanted.days, atol=1e-9)
    np.testing.assert_allclose(seen.on_hand_qty[:, 0], of(wanted.mean_on_hand_qty), atol=1e-9)
    np.testing.assert_allclose(seen.lines[:, 0], of(wanted.order_lines) / wanted.days, atol=1e-9)
    assert wanted.total_short_qty.sum() > 0


def test_what_lies_longer_than_its_life_is_thrown_away_first_in_first_out() -> None:
    # One a day, 20 on the first morning, life 5 days: 5 are sold, 15 spoil on the sixth morning.
    courses = LevelCourses(np.ones((30, COURSES), dtype=np.float32), np.zeros((1, LEAD_TIME_DRAWS), dtype=np.int64),
                           np.zeros((30, COURSES), dtype=np.int64), 0)  # fmt: skip
    begin = np.full((1, COURSES), 20.0, dtype=np.float32)
    seen = play(courses, np.array([[0.0]]), np.array([[0.0]]), NO_LOTS, shelf_life_steps=5, start_qty=begin)
    assert seen.expired_qty[0, 0] * 30 == pytest.approx(15.0)
    assert seen.short_qty[0, 0] * 30 == pytest.approx(25.0)
    kept = play(courses, np.array([[4.0]]), np.array([[4.0]]), NO_LOTS, shelf_life_steps=5)
    assert kept.expired_qty[0, 0] == 0.0
    assert kept.short_qty[0, 0] == 0.0


def test_cycles_without_a_shortage_are_counted() -> None:
    courses = poisson_courses([2.0], lead=(3, 4))
    seen = play(courses, np.array([[0.5, 6.0, 40.0]]), np.array([[1.0, 20.0, 60.0]]), NO_LOTS, count_cycles=True)
    assert seen.cycle_share[0, 0] < 0.2 < seen.cycle_share[0, 1] < 1.0 == seen.cycle_share[0, 2]


# ---- courses ----


def test_courses_keep_demand_and_lead_times_of_the_forecast() -> None:
    random = np.random.default_rng(0)
    weekly = random.poisson(3.0, (2, 200, 4)).astype(np.float32)
    nodes = np.array([[7.4, 8.0, 9.0, 10.0, 12.0, 20.0]] * 2)
    made = courses_of(lambda rows, periods, count: weekly[rows][:, :, :periods], np.arange(2), 7.0,
                      np.ones(2, dtype=bool), nodes, 28, 1.0)  # fmt: skip
    assert made.demand_qty.shape == (20 * 28, 2 * COURSES)
    per_row = made.demand_qty.reshape(560, 2, COURSES).sum(axis=(0, 2))
    np.testing.assert_allclose(per_row, weekly.sum(axis=(1, 2)))
    assert (made.demand_qty == np.floor(made.demand_qty)).all()
    shares = np.array([0.3, 0.3, 0.2, 0.12, 0.06, 0.02])
    assert made.lead_steps.mean(axis=1) == pytest.approx(nodes @ shares, abs=0.02)
    assert (made.lead_steps[0] == 20).mean() == 0.02
    assert made.warm_steps == 28


def test_weeks_are_played_as_weeks_where_stock_is_looked_at_once_a_week() -> None:
    weekly = np.full((1, 200, 8), 7.0, dtype=np.float32)
    made = courses_of(lambda rows, periods, count: weekly[rows][:, :count, :periods], np.arange(1), 7.0,
                      np.ones(1, dtype=bool), np.full((1, 6), 16.0), 28, 7.0)  # fmt: skip
    assert made.step_days == 7
    assert made.demand_qty.shape == (20 * 4, COURSES)
    assert made.lead_steps.mean() == pytest.approx(16.0 / 7.0, abs=0.02)
    assert made.daily_demand_qty[0] == pytest.approx(1.0)
    seen = play(made, np.array([[40.0]]), np.array([[40.0]]), NO_LOTS)
    assert seen.lines[0, 0] == pytest.approx(1.0 / 7.0, rel=0.01)


def test_paths_made_of_totals_have_the_totals_mean_and_spread() -> None:
    def totals(rows: np.ndarray, days: np.ndarray, levels: np.ndarray) -> np.ndarray:
        from scipy.stats import norm

        # Days share a part of what they do not know: the deviation of the sum grows faster than by its root.
        std = 3.0 * np.sqrt(days * (1.0 + 0.2 * (days - 1.0)))
        return np.maximum(20.0 * days[:, None] + norm.ppf(levels)[None] * std[:, None], 0.0)

    made = paths_from_totals(totals)(np.arange(1), 28, 200)
    assert made.shape == (1, 200, 28)
    assert made.sum(axis=2).mean() == pytest.approx(20.0 * 28, rel=0.01)
    assert made.sum(axis=2).std() == pytest.approx(3.0 * np.sqrt(28 * (1 + 0.2 * 27)), rel=0.1)


def test_paths_last_as_long_as_a_level_has_to_cover() -> None:
    days = segment_days(np.array([[2.0, 3.0], [30.0, 41.5], [400.0, 500.0]]), 1.0)
    assert days.tolist() == [28, 63, 364]


# ---- the search ----


@pytest.fixture(scope="module")
def shop() -> tuple[PolicyInputs, Ask]:
    """Three items from slow to fast, lead times of 10 to 24 days, weekly look."""
    random = np.random.default_rng(1)
    daily = np.array([0.05, 0.8, 6.0])
    paths = random.poisson(daily[:, None, None], (3, 200, 42)).astype(np.float32)
    probability = np.zeros((3, 25))
    probability[:, [10, 14, 24]] = 0.3, 0.5, 0.2
    nodes = lead_time_nodes(probability)

    def over(extra: int) -> np.ndarray:
        lead = np.repeat(np.rint(nodes.days[:, -1] + extra).astype(int), 1)
        picks = random.choice([10, 14, 24], (3, 4000), p=[0.3, 0.5, 0.2]) + extra
        assert (picks <= lead[:, None]).all()
        return random.poisson(daily[:, None] * picks)

    inputs = PolicyInputs(
        from_samples(over(0)), from_samples(over(7)), review_days=7.0, daily_mean=daily, daily_std=np.sqrt(daily),
        unit_cost=10.0, shortage_cost=3.0, holding_rate_per_year=0.25, order_cost=4.0, cover_qty=daily * 7,
    )  # fmt: skip
    ask = Ask(nodes, lambda rows, periods, count: paths[rows][:, :count, :periods], 1.0, np.full(3, np.nan), lost=True)
    return inputs, ask


def found(inputs: PolicyInputs, ask: Ask, method: str, target: float = np.nan) -> tuple[Any, Simulated]:
    start = levels_for(inputs, method, target)
    return start, search(inputs, start, np.ones(inputs.n, dtype=bool), ask)


def test_where_sales_are_lost_less_stock_reaches_the_target(shop: tuple[PolicyInputs, Ask]) -> None:
    inputs, ask = shop
    start, lost = found(inputs, ask, "Fill Rate", 0.9)
    _start, waits = found(inputs, replace(ask, lost=False), "Fill Rate", 0.9)
    assert lost.searched.all()
    assert (lost.served_share >= 0.9).all()
    assert (lost.levels.reorder_point_qty <= waits.levels.reorder_point_qty).all()
    assert lost.levels.reorder_point_qty[2] < start.reorder_point_qty[2]
    # Waiting is what the formula reckons with.
    assert waits.levels.reorder_point_qty[1:] == pytest.approx(start.reorder_point_qty[1:], rel=0.1)
    assert lost.levels.method.tolist() == ["Simulated Fill Rate"] * 3


@pytest.mark.parametrize("method", ["Fill Rate", "Cycle Service Level"])
def test_a_higher_target_never_lowers_the_reorder_point(shop: tuple[PolicyInputs, Ask], method: str) -> None:
    points = [found(*shop, method, target)[1].levels.reorder_point_qty for target in (0.8, 0.9, 0.95, 0.99)]
    assert (np.diff(points, axis=0) >= 0).all()
    assert (points[-1] > points[0]).all()


def test_least_cost_never_costs_more_than_its_start_and_what_evolution_finds(shop: tuple[PolicyInputs, Ask]) -> None:
    inputs, ask = shop
    start, lost = found(inputs, ask, "Least Cost")
    days = segment_days(ask.nodes.days, 7.0)[0]
    courses = courses_of(ask.paths, np.arange(3), 1.0, inputs.whole, ask.nodes.days, int(days), 7.0)

    def cost(point: np.ndarray, up_to: np.ndarray) -> np.ndarray:
        seen = play(courses, point[:, None], up_to[:, None], Lots(np.zeros(3), np.zeros(3)), review_steps=7)
        yearly = 10.0 * 0.25 * seen.on_hand_qty + 365.0 * (4.0 * seen.lines + 3.0 * seen.short_qty)
        return yearly[:, 0]

    own = cost(lost.levels.reorder_point_qty, lost.levels.order_up_to_qty)
    np.testing.assert_allclose(own, lost.running_cost, rtol=1e-6)
    assert (own <= cost(start.reorder_point_qty, start.order_up_to_qty) + 1e-6).all()
    t = len(courses.demand_qty)
    lead = courses.lead_steps[np.repeat(np.arange(3), COURSES)[None], courses.draw[:, np.tile(np.arange(COURSES), 3)]]
    by_path = path_search.Courses(
        courses.demand_qty.T.reshape(3, COURSES, t), lead.T.reshape(3, COURSES, t), start.order_up_to_qty
    )
    terms = path_search.Terms(Costs(10.0, 0.25, 4.0, 3.0), None, 7, False, np.ones(3, dtype=bool))
    evolved = path_search.evolved_levels(by_path, np.array([12.0, 60.0, 260.0]), terms)
    assert (own <= cost(evolved.reorder_point_qty, evolved.order_up_to_qty) * 1.02).all()


def test_lots_and_limits_hold_for_every_candidate(shop: tuple[PolicyInputs, Ask]) -> None:
    inputs, ask = shop
    limited = replace(inputs, min_order_qty=np.full(3, 24.0), order_multiple_qty=np.full(3, 12.0),
                      cap_qty=np.array([np.inf, 30.0, 120.0]), floor_qty=np.array([2.0, 0.0, 0.0]))  # fmt: skip
    for method, target in (("Fill Rate", 0.95), ("Least Cost", np.nan)):
        _start, seen = found(limited, ask, method, target)
        assert (seen.levels.order_up_to_qty <= limited.cap_qty + 1e-9).all()
        assert seen.levels.reorder_point_qty[0] >= 2.0
        assert all(max(told["up_to"]) <= limited.cap_qty[row] + 1e-9 for row, told in seen.told.items())
        assert (seen.levels.order_qty >= 24.0).all()


def test_goods_that_expire_are_stocked_lower(shop: tuple[PolicyInputs, Ask]) -> None:
    inputs, ask = shop
    _start, keeps = found(inputs, ask, "Least Cost")
    expires = replace(inputs, expires=np.ones(3, dtype=bool), sellable=inputs.protection_demand)
    _start, spoils = found(expires, replace(ask, shelf_life_days=np.full(3, 21.0)), "Least Cost")
    assert (spoils.levels.order_up_to_qty <= keeps.levels.order_up_to_qty).all()
    assert spoils.levels.order_up_to_qty[0] < keeps.levels.order_up_to_qty[0]


def test_a_row_depends_on_itself_alone(shop: tuple[PolicyInputs, Ask]) -> None:
    inputs, ask = shop
    row = np.array([1])
    for method, target in (("Fill Rate", 0.93), ("Least Cost", np.nan)):
        _start, together = found(inputs, ask, method, target)
        own = Ask(LeadTimeNodes(ask.nodes.days[row], ask.nodes.shares),
                  lambda rows, periods, count: ask.paths(row[rows], periods, count), 1.0, np.full(1, np.nan),
                  lost=True)  # fmt: skip
        _start, alone = found(inputs.select(row), own, method, target)
        assert alone.levels.order_up_to_qty[0] == together.levels.order_up_to_qty[1]
        assert alone.levels.reorder_point_qty[0] == together.levels.reorder_point_qty[1]


def test_without_demand_the_start_stays(shop: tuple[PolicyInputs, Ask]) -> None:
    _inputs, ask = shop
    nothing = from_samples(np.zeros((1, 5)))
    idle = PolicyInputs(nothing, nothing, review_days=7.0, daily_mean=np.zeros(1))
    own = replace(ask, nodes=LeadTimeNodes(ask.nodes.days[:1], ask.nodes.shares), shelf_life_days=np.full(1, np.nan))
    _start, seen = found(idle, own, "Fill Rate", 0.95)
    assert not seen.searched.any()
    assert seen.levels.method.tolist() == ["Simulated Fill Rate"]
    assert seen.levels.order_up_to_qty[0] == 0.0


# ---- in a plan ----

PLAN = PlanSettings(company="T", currency="EUR", order_cost=5.0, unmet_demand="Is Lost")


def explanation(row: pd.Series) -> str:
    return str(row["explanation_template"]).format(**row["explanation_values"])


@pytest.mark.parametrize("method", SIMULATED)
@pytest.mark.parametrize("unmet", ["Waits", "Is Lost"])
def test_a_plan_asks_for_simulated_levels_and_tells_them_again(method: str, unmet: Any) -> None:
    case = Case(sourcing=[source(min_order_qty=4.0, order_multiple_qty=4.0)])
    plan = replace(PLAN, policy_method=method, unmet_demand=unmet)
    made = replenish(case.outlook(), pd.DataFrame(case.positions), case.supply(), plan, AS_OF)
    row, line = made.policies.iloc[0], made.proposals.iloc[0]
    assert row["method"] == line["evidence"]["method"] == method
    policy = json.loads(json.dumps(line["evidence"]["policy"]))
    assert order_up_to_again(policy) == row["order_up_to_qty"]
    assert recompute(json.loads(json.dumps(line["evidence"]))) == line["stock_qty"]
    told = explanation(row)
    assert "tried day by day" in told
    assert ("taken to be lost" in told) == (unmet == "Is Lost")
    assert 0.0 < row["expected_fill_rate_pct"] <= 100.0
    again = replenish(case.outlook(), pd.DataFrame(case.positions), case.supply(), plan, AS_OF)
    pd.testing.assert_frame_equal(again.policies, made.policies)


def test_a_rule_asks_for_simulation_for_one_item_only() -> None:
    case = Case(daily={"A": 10.0, "B": 10.0}, std={"A": 6.0, "B": 6.0}, positions=[stock("A"), stock("B")],
                items=[item("A"), item("B")], sourcing=[source("A"), source("B")])  # fmt: skip
    rules = PLANNING_RULES.check(
        pd.DataFrame([{"name": "R", "item_code": "B", "method": "Simulated Fill Rate", "service_target": 0.9}])
    )
    supply = case.supply()
    supply = replace(supply, rules=replace(supply.rules, rules=rules))
    made = replenish(case.outlook(), pd.DataFrame(case.positions), supply, PLAN, AS_OF).policies
    assert made["method"].tolist() == ["Fill Rate", "Simulated Fill Rate"]
    assert made["planning_rule"].tolist() == ["", "R"]
    assert made["expected_fill_rate_pct"][1] >= 90.0
    assert not check_rules(rules)[1]


def test_levels_stay_under_simulation_too_until_a_move_is_worth_it() -> None:
    plan = replace(PLAN, policy_method="Simulated Fill Rate", level_band=0.05)
    case = Case()
    before = replenish(case.outlook(), pd.DataFrame(case.positions), case.supply(), plan, AS_OF)
    names = ["item_code", "warehouse", "method", "service_level_pct", "clamp", "planning_rule", "safety_stock_qty",
             "reorder_point_qty", "order_up_to_qty"]  # fmt: skip
    later = Case(daily={"A": 10.3})
    supply = replace(later.supply(), former=before.policies[names])
    after = replenish(later.outlook(), pd.DataFrame(later.positions), supply, plan, AS_OF)
    assert after.policies["levels_kept"][0]
    assert after.policies["order_up_to_qty"][0] == before.policies["order_up_to_qty"][0]
    line = json.loads(json.dumps(after.proposals["evidence"][0]))
    assert recompute(line) == after.proposals["stock_qty"][0]


def test_least_cost_without_a_price_promises_cycles() -> None:
    case = Case(
        positions=[stock(valuation_rate=0.0)], sourcing=[source(rate=np.nan)], items=[item(selling_rate=np.nan)]
    )
    plan = replace(PLAN, policy_method="Simulated Least Cost")
    row = replenish(case.outlook(), pd.DataFrame(case.positions), case.supply(), plan, AS_OF).policies.iloc[0]
    assert (row["method"], row["clamp"]) == ("Simulated Cycle Service Level", "no price")
    assert np.isnan(row["yearly_cost"])


def test_another_word_for_unmet_demand_is_refused() -> None:
    with pytest.raises(BadInput, match="unmet demand Waits or Is Lost, not Perhaps"):
        replace(PLAN, unmet_demand="Perhaps")


def test_paths_of_the_outlook_are_what_is_searched_on() -> None:
    """Demand that comes by the hundred once in three weeks asks for other levels than the same every day."""
    case = Case(daily={"A": 5.0}, std={"A": 20.0})
    plan = replace(PLAN, policy_method="Simulated Least Cost")
    rare = np.zeros((1, 200, 400), dtype=np.float32)
    rare[:, np.arange(200)[:, None], (np.arange(0, 399, 20)[None] + np.arange(200)[:, None]) % 400] = 100.0
    asked: list[int] = []

    def paths(rows: np.ndarray, periods: int, count: int = 200, with_past: bool = False) -> np.ndarray:
        asked.append(periods)
        return rare[rows][:, :, :periods]

    by_paths = replace(case.outlook(), paths=paths)
    seen, plain = (
        replenish(outlook, pd.DataFrame(case.positions), case.supply(), plan, AS_OF).policies.iloc[0]
        for outlook in (by_paths, case.outlook())
    )
    assert asked == [28]
    assert abs(seen["order_up_to_qty"] - plain["order_up_to_qty"]) > 50.0
