"""Planning rules, classes, hysteresis, and what a plan makes of them."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from replenishment_case import AS_OF, WAREHOUSE, Case, item, sentences, source, stock

from erp_forecast_addon.planning.errors import BadInput
from erp_forecast_addon.planning.inventory.classes import demand_variation, xyz_classes
from erp_forecast_addon.planning.inventory.rules import Rules, apply_rules, check_rules
from erp_forecast_addon.planning.purchasing.evidence import recompute
from erp_forecast_addon.planning.replenishment import Replenishment, replenish
from erp_forecast_addon.planning.settings import PlanSettings
from erp_forecast_addon.planning.tables import PLANNING_RULES, PRICE_BREAKS

PLAN = PlanSettings(company="T", currency="EUR")
TREE = pd.DataFrame({"name": ["All", "Food", "Dairy", "Tools"], "parent": ["", "All", "Food", "All"]})


def rules(*rows: dict[str, Any]) -> Rules:
    return Rules(PLANNING_RULES.check(pd.DataFrame([{"name": f"R{at}"} | row for at, row in enumerate(rows)])), TREE)


def said(given: Rules) -> Any:
    codes = np.array(["Milk", "Cheese", "Bread", "Saw"], dtype=object)
    groups = np.array(["Dairy", "Dairy", "Food", "Tools"], dtype=object)
    houses = np.array(["North", "South", "North", "North"], dtype=object)
    abc, xyz = (np.array(list(letters), dtype=object) for letters in ("ABCA", "XXZY"))
    return apply_rules(given, codes, houses, groups, abc, xyz)


def run(case: Case, plan: PlanSettings = PLAN, **supply: Any) -> Replenishment:
    more = replace(case.supply(), **supply)
    return replenish(case.outlook(), pd.DataFrame(case.positions), more, plan, AS_OF)


def policy(result: Replenishment) -> pd.Series:
    return result.policies.iloc[0]


def explanation(row: pd.Series) -> str:
    return str(row["explanation_template"]).format(**row["explanation_values"])


# ---- rules ----


def test_the_narrower_rule_wins_column_by_column() -> None:
    found = said(rules(
        {"method": "Fill Rate"},
        {"abc_class": "A", "service_target": 0.99},
        {"item_group": "Food", "method": "Least Cost", "order_cost": 4.0},
        {"item_group": "Dairy", "order_cost": 9.0},
        {"item_code": "Milk", "method": "Fixed", "min_qty": 5.0, "max_qty": 20.0},
        {"item_code": "Milk", "warehouse": "South", "min_qty": 1.0},
    ))  # fmt: skip
    assert found.method.tolist() == ["Fixed", "Least Cost", "Least Cost", "Fill Rate"]
    np.testing.assert_array_equal(found.order_cost, [9.0, 9.0, 4.0, np.nan])
    np.testing.assert_array_equal(found.service_target, [0.99, np.nan, np.nan, 0.99])
    np.testing.assert_array_equal(found.min_qty, [5.0, np.nan, np.nan, np.nan])
    assert found.rule.tolist() == ["R4", "R2", "R2", "R1"]


def test_a_rule_for_both_classes_beats_one_class() -> None:
    found = said(rules({"abc_class": "A", "xyz_class": "X", "service_target": 0.99},
                       {"abc_class": "A", "service_target": 0.9}))  # fmt: skip
    np.testing.assert_array_equal(found.service_target, [0.99, np.nan, np.nan, 0.9])


def test_unusable_rules_are_left_out_and_told() -> None:
    usable, faults = check_rules(rules(
        {"method": "Guess"},
        {"service_target": 1.0},
        {"item_code": "Milk", "min_qty": 9.0, "max_qty": 3.0},
        {"order_cost": -1.0},
        {"method": "Fill Rate"},
    ).rules)  # fmt: skip
    assert usable["name"].tolist() == ["R4"]
    told = " | ".join(fault.sentence() for fault in faults)
    for part in ("no method Guess", "target of 100.0% cannot be planned", "minimum of 9.0 is above the maximum of 3.0",
                 "order_cost is -1.0, which is below 0"):  # fmt: skip
        assert part in told
    assert faults[2].item_code == "Milk"


# ---- classes ----


def test_xyz_classes_by_variation() -> None:
    found = xyz_classes(np.array([0.1, 0.5, 0.99, 1.0, np.nan]), (0.5, 1.0))
    assert found.tolist() == ["X", "Y", "Y", "Z", ""]


def test_what_all_items_do_every_year_varies_none_of_them() -> None:
    season = np.tile(1.0 + 0.8 * np.sin(np.arange(12) / 12 * 2 * np.pi), 2)
    demand = np.stack([season * level for level in (10.0, 200.0, 40.0)])
    seen = np.ones(demand.shape, dtype=bool)
    assert demand_variation(demand, seen, 1, 12) == pytest.approx(np.zeros(3), abs=1e-9)
    lumpy = np.vstack([demand, np.eye(24)[5] * 30.0])
    assert demand_variation(lumpy, np.ones(lumpy.shape, dtype=bool), 1, 12)[3] > 1.0


# ---- a plan ----


def test_every_method_plans_and_its_lines_can_be_computed_again() -> None:
    case = Case(sourcing=[source(min_order_qty=4.0, order_multiple_qty=4.0)])
    for method in ("Textbook", "Cycle Service Level", "Fill Rate", "Least Cost", "Buffers"):
        result = run(case, replace(PLAN, policy_method=method, order_cost=5.0))
        line = result.proposals.iloc[0]
        assert recompute(json.loads(json.dumps(line["evidence"]))) == line["stock_qty"], method
        row = policy(result)
        assert (row["method"], line["evidence"]["method"]) == (method, method)
        assert row["reorder_point_qty"] <= row["order_up_to_qty"]
        assert str(row["order_up_to_qty"])[:3] in explanation(row)


def test_an_explanation_names_source_target_and_textbook() -> None:
    told = explanation(policy(run(Case())))
    for part in ("learned from receipts", "98% of the demand of class A", "The textbook formula would say: reorder",
                 "Expected: "):  # fmt: skip
        assert part in told


def test_an_order_is_due_when_the_position_is_below_the_reorder_point() -> None:
    plan = replace(PLAN, policy_method="Cycle Service Level")
    point = policy(run(Case(), plan))["reorder_point_qty"]
    for on_hand, ordered in ((point, 0), (point - 1.0, 1)):
        assert len(run(Case(positions=[stock(on_hand_qty=on_hand)]), plan).proposals) == ordered


def test_a_fixed_rule_pins_the_levels() -> None:
    fixed = rules({"item_code": "A", "method": "Fixed", "min_qty": 12.0, "max_qty": 48.0})
    result = run(Case(positions=[stock(on_hand_qty=11.0)]), rules=fixed)
    row = policy(result)
    assert (row["reorder_point_qty"], row["order_up_to_qty"], row["planning_rule"]) == (12.0, 48.0, "R0")
    assert result.proposals["stock_qty"].tolist() == [37.0]
    assert recompute(result.proposals["evidence"][0]) == 37.0
    assert "A planner has fixed the levels" in explanation(row)


def test_floor_above_cap_of_two_rules_is_told() -> None:
    given = rules({"item_group": "", "min_qty": 500.0}, {"item_code": "A", "max_qty": 30.0})
    result = run(Case(), rules=given)
    assert policy(result)["clamp"] == "floor above cap"
    assert sentences(result, "Bad Data") == [
        f"A in {WAREHOUSE}: the planning rules set a minimum of 500 Nos above their maximum of 30 Nos. The maximum "
        "counts; correct one of them."
    ]


def test_a_shelf_life_below_the_lead_time_is_told_and_cuts_the_levels() -> None:
    case = Case(items=[item(shelf_life_days=3.0)])
    result = run(case)
    assert "it keeps 3 days and takes 7 days to arrive" in sentences(result, "Bad Data")[0]
    assert policy(result)["order_up_to_qty"] < policy(run(Case()))["order_up_to_qty"]
    assert "expected to sell before it expires, 3 days after it arrives" in explanation(policy(result))


def test_least_cost_without_a_price_is_told() -> None:
    case = Case(
        positions=[stock(valuation_rate=0.0)], sourcing=[source(rate=np.nan)], items=[item(selling_rate=np.nan)]
    )
    result = run(case, replace(PLAN, policy_method="Least Cost"))
    assert policy(result)["clamp"] == "no price"
    assert any("levels of least cost need a price" in told for told in sentences(result, "No Price"))


def test_a_price_break_makes_orders_as_large_as_it_asks() -> None:
    breaks = PRICE_BREAKS.check(pd.DataFrame([{"item_code": "A", "min_qty": 400.0, "base_rate": 6.0}]))
    plan = replace(PLAN, policy_method="Least Cost", order_cost=5.0)
    plain, cheap = run(Case(), plan), run(Case(), plan, price_breaks=breaks)
    assert plain.proposals["stock_qty"][0] < 400.0 <= cheap.proposals["stock_qty"][0]
    assert recompute(json.loads(json.dumps(cheap.proposals["evidence"][0]))) == cheap.proposals["stock_qty"][0]


def test_periodic_review_holds_more_than_continuous() -> None:
    point = {
        review: policy(run(Case(), replace(PLAN, review=review, review_period_days=14)))["reorder_point_qty"]
        for review in ("Continuous", "Periodic")
    }
    assert point["Periodic"] > point["Continuous"] + 100.0


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"policy_method": "Fixed"}, "there is no policy method Fixed"),
        ({"review": "Yearly"}, "the review is Continuous or Periodic, not Yearly"),
        ({"order_cost": -1.0}, "order_cost must be at least 0, not -1.0"),
        ({"xyz_thresholds": (1.0, 0.5)}, "class Y begins at 1.0 and class Z at 0.5"),
    ],
)
def test_settings_that_cannot_be_planned_with_are_refused(values: dict[str, Any], words: str) -> None:
    with pytest.raises(BadInput, match=words):
        replace(PLAN, **values)


# ---- hysteresis ----


def former(result: Replenishment, **values: Any) -> pd.DataFrame:
    columns = ["item_code", "warehouse", "method", "service_level_pct", "clamp", "planning_rule", "safety_stock_qty",
               "reorder_point_qty", "order_up_to_qty"]  # fmt: skip
    return result.policies[columns].assign(**values)


def test_levels_stay_until_a_move_is_worth_it() -> None:
    plan = replace(PLAN, level_band=0.05)
    before = run(Case(), plan)
    little, much = (run(Case(daily={"A": daily}), plan, former=former(before)) for daily in (10.3, 12.0))
    assert policy(little)["levels_kept"]
    assert policy(little)["order_up_to_qty"] == policy(before)["order_up_to_qty"]
    assert "these stay" in explanation(policy(little))
    assert recompute(json.loads(json.dumps(little.proposals["evidence"][0]))) == little.proposals["stock_qty"][0]
    assert not policy(much)["levels_kept"]
    assert policy(much)["order_up_to_qty"] > policy(before)["order_up_to_qty"]


def test_small_moves_add_up() -> None:
    plan = replace(PLAN, level_band=0.05)
    result = run(Case(), plan)
    start = policy(result)["order_up_to_qty"]
    for step in range(1, 12):
        result = run(Case(daily={"A": 10.0 * 1.01**step}), plan, former=former(result))
    assert policy(result)["order_up_to_qty"] > start * 1.05


def test_another_target_moves_levels_at_once() -> None:
    plan = replace(PLAN, level_band=0.5)
    before = run(Case(), plan)
    strict = replace(plan, service_level_by_class={"A": 0.995, "B": 0.95, "C": 0.9})
    assert policy(run(Case(), strict, former=former(before)))["order_up_to_qty"] > policy(before)["order_up_to_qty"]
    assert not policy(run(Case(), plan, former=former(before, method="Textbook")))["levels_kept"]


def test_what_the_textbook_serves_counts_that_it_orders_ahead() -> None:
    """Its orders are drafted so many days early as approval takes; without that it would seem to fail."""
    row = policy(run(Case(), replace(PLAN, policy_method="Textbook")))
    assert row["expected_fill_rate_pct"] > 97.0
    assert row["expected_on_hand_qty"] > 0.0
