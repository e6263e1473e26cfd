"""Scenarios: each change moves the right figure the right way, and what makes no sense is refused in a sentence."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from replenishment_case import AS_OF, WAREHOUSE, Case, dated, item, source, stock

from erp_forecast_addon.planning.errors import BadInput
from erp_forecast_addon.planning.inventory.lead_time_distribution import LeadTimeDistributions, from_moments
from erp_forecast_addon.planning.inventory.rules import Rules
from erp_forecast_addon.planning.replenishment import replenish
from erp_forecast_addon.planning.scenario_prices import Elasticity
from erp_forecast_addon.planning.scenario_results import Comparison, compare
from erp_forecast_addon.planning.scenarios import Chosen, PlanInputs, Scenario, change, choose
from erp_forecast_addon.planning.settings import PlanSettings
from erp_forecast_addon.planning.tables import PLANNING_RULES, PRICE_BREAKS

OTHER = "Depot - T"


def inputs(**changed: Any) -> PlanInputs:
    """Two items: A is sold by Best alone, B by Second too; B lies in the depot as well, where nobody asks for it."""
    case = Case(
        daily={"A": 10.0, "B": 5.0},
        std={"A": 4.0, "B": 3.0},
        positions=[stock("A", 150.0), stock("B", 60.0), stock("B", 400.0, warehouse=OTHER)],
        items=[item("A", item_group="Bolts", brand="X"), item("B", item_group="Gears", brand="Y")],
        sourcing=[source("A"), source("B"), source("B", supplier="Second", is_default=False, rate=12.0)],
        dated=[{**dated("A", 3, 50.0, "purchase_order"), "voucher_no": "PO-1"}],
        settings=PlanSettings(company="T", currency="EUR"),
    )
    groups = pd.DataFrame({"name": ["All", "Bolts", "Gears"], "parent": ["", "All", "All"]})
    supply = replace(case.supply(), rules=Rules(item_groups=groups))
    given: dict[str, Any] = {
        "outlook": case.outlook(),
        "positions": pd.DataFrame(case.positions),
        "supply": supply,
        "settings": case.settings,
        "abc_class": np.array(["A", "B"], dtype=object),
        "warehouse_tree": pd.DataFrame({"name": ["Top", WAREHOUSE, OTHER], "parent": ["", "Top", "Top"]}),
        "order_suppliers": {"PO-1": "Best"},
    }
    return PlanInputs(**(given | changed))


def compared(scenario: Scenario, given: PlanInputs | None = None) -> Comparison:
    return compare(given or inputs(), scenario, AS_OF)


def pair(made: Comparison, item_code: str, warehouse: str = WAREHOUSE) -> pd.Series:
    return made.pairs.set_index(["item_code", "warehouse"]).loc[(item_code, warehouse)]


def sentences(made: Comparison) -> list[str]:
    return [each.template.format(**each.values) for each in made.assumptions]


def way_out(made: Comparison, item_code: str, kind: str) -> pd.Series:
    rows = made.alternatives
    return rows[(rows["item_code"] == item_code) & (rows["kind"] == kind)].iloc[0]


def total(made: Comparison, figure: str) -> tuple[float, float]:
    return made.totals[figure]


# ---- nothing changed ----
@pytest.mark.parametrize(
    "scenario", [Scenario(), Scenario(Chosen(item_codes=("B",))), Scenario(use_other_suppliers=False)]
)
def test_a_scenario_without_a_change_equals_the_base_to_the_number(scenario: Scenario) -> None:
    made = compared(scenario)
    assert all(base == after for base, after in made.totals.values())
    np.testing.assert_array_equal(made.monthly["base_ordered_value"], made.monthly["scenario_ordered_value"])
    assert made.alternatives.empty


def test_a_change_of_zero_worked_through_equals_the_base_too() -> None:
    """Not by the short cut: one service target that every class has already."""
    given = inputs(settings=replace(inputs().settings, service_level_by_class=dict.fromkeys("ABC", 0.9)))
    made = compared(Scenario(service_target=0.9), given)
    assert all(base == after for base, after in made.totals.values())


def test_the_base_is_the_plan_of_all_pairs() -> None:
    given = inputs()
    whole = replenish(
        replace(given.outlook, abc_class=given.abc_class), given.positions, given.supply, given.settings, AS_OF
    )
    made = compared(Scenario(Chosen(item_codes=("B",)), demand_pct=10.0), given)
    expected = whole.policies[whole.policies["item_code"] == "B"].reset_index(drop=True)
    for column in ("reorder_point_qty", "order_up_to_qty", "safety_stock_qty", "position_qty"):
        np.testing.assert_array_equal(made.base.policies[column], expected[column])


def test_the_same_scenario_twice_is_the_same() -> None:
    first, second = (compared(Scenario(demand_pct=15.0)) for _time in range(2))
    pd.testing.assert_frame_equal(first.pairs, second.pairs)


# ---- each change moves its figures ----
def test_more_demand_orders_more_and_raises_levels_in_proportion() -> None:
    made = compared(Scenario(demand_pct=50.0))
    row = pair(made, "A")
    assert row["scenario_demand_qty"] == pytest.approx(1.5 * row["base_demand_qty"])
    assert row["scenario_reorder_point_qty"] == pytest.approx(1.5 * row["base_reorder_point_qty"], rel=0.02)
    assert total(made, "ordered_value")[1] > 1.3 * total(made, "ordered_value")[0]
    fewer = compared(Scenario(demand_pct=-50.0))
    assert total(fewer, "ordered_value")[1] < total(fewer, "ordered_value")[0]


def test_longer_lead_times_raise_levels_and_leave_the_shelf_emptier_at_first() -> None:
    made = compared(Scenario(lead_time_days=14))
    row = pair(made, "A")
    assert row["scenario_lead_time_days"] == row["base_lead_time_days"] + 14.0
    assert row["scenario_reorder_point_qty"] > row["base_reorder_point_qty"]
    assert total(made, "shortage_value")[1] > total(made, "shortage_value")[0]
    assert total(made, "proposed_value")[1] > total(made, "proposed_value")[0]
    # More has to be ordered early.
    assert made.monthly["scenario_ordered_value"].iloc[0] > made.monthly["base_ordered_value"].iloc[0]
    shorter = compared(Scenario(lead_time_days=-3))
    assert pair(shorter, "A")["scenario_reorder_point_qty"] < row["base_reorder_point_qty"]


def test_learned_lead_times_move_by_whole_days_and_only_of_the_supplier_named() -> None:
    learned = LeadTimeDistributions(
        np.array(["Best", ""], dtype=object), np.array(["", ""], dtype=object),
        from_moments([7.0, 9.0], [2.0, 3.0]), np.array([12.0, 30.0]), np.array(["receipts"] * 2, dtype=object),
    )  # fmt: skip
    given = inputs()
    given = replace(given, supply=replace(given.supply, lead_times=learned))
    after = change(choose(given, Chosen()), Scenario(Chosen(supplier="Best"), lead_time_days=5), AS_OF).inputs
    codes = np.array(["A", "B"], dtype=object)
    best = after.supply.lead_times.rows_of(np.array(["Best"] * 2, dtype=object), codes)
    days = after.supply.lead_times.probability[best] @ np.arange(after.supply.lead_times.probability.shape[1])
    before = float(learned.probability[0] @ np.arange(learned.probability.shape[1]))
    np.testing.assert_allclose(days, before + 5.0)
    second = after.supply.lead_times.rows_of(np.array(["Second"], dtype=object), codes[1:])
    assert after.supply.lead_times.probability[second][0] @ np.arange(
        after.supply.lead_times.probability.shape[1]
    ) == pytest.approx(float(learned.probability[1] @ np.arange(learned.probability.shape[1])))
    assert after.supply.sourcing.set_index("supplier").loc["Second", "lead_time_days"] == 7.0


def test_a_supplier_out_delays_open_orders_and_runs_the_shelf_dry() -> None:
    scenario = Scenario(supplier_out="Best", supplier_out_weeks=6, use_other_suppliers=False)
    after = change(choose(inputs(), Chosen()), scenario, AS_OF).inputs
    (late,) = after.supply.dated["day"].tolist()
    assert late == pd.Timestamp(AS_OF) + pd.Timedelta(days=3 + 42)
    made = compared(scenario)
    row = pair(made, "A")
    assert pd.isna(row["base_shortage_on"])
    assert pd.Timestamp(AS_OF) < row["scenario_shortage_on"] <= pd.Timestamp(AS_OF) + pd.Timedelta(days=25)
    assert row["scenario_fill_rate_pct"] < row["base_fill_rate_pct"] - 10.0
    longer = compared(replace(scenario, supplier_out_weeks=10))
    assert total(longer, "shortage_value")[1] > total(made, "shortage_value")[1]


def test_who_else_sells_it_is_asked_meanwhile_unless_the_planner_waits() -> None:
    waits = compared(Scenario(supplier_out="Best", supplier_out_weeks=6, use_other_suppliers=False))
    moves = compared(Scenario(supplier_out="Best", supplier_out_weeks=6))
    assert pair(moves, "B")["scenario_supplier"] == "Second"
    assert pair(waits, "B")["scenario_supplier"] == "Best"
    assert pair(moves, "B")["scenario_shortage_value"] < pair(waits, "B")["scenario_shortage_value"]
    # Nobody else sells A: it waits in both.
    assert pair(moves, "A")["scenario_shortage_value"] == pair(waits, "A")["scenario_shortage_value"]


def test_prices_move_money_and_not_quantities() -> None:
    made = compared(Scenario(price_pct=10.0))
    base, after = total(made, "ordered_value")
    assert after == pytest.approx(1.1 * base)
    assert total(made, "shortage_value")[0] == total(made, "shortage_value")[1]
    one = compared(Scenario(Chosen(supplier="Best"), price_pct=10.0))
    assert total(one, "ordered_value")[1] == pytest.approx(1.1 * total(one, "ordered_value")[0])


# ---- selling prices ----
def test_the_golden_number_of_constant_elasticity() -> None:
    """Talluri & van Ryzin (2004), 7.3.3: at 1.1 times the price and e = -2 demand is 1 / 1.21 of what it was."""
    answer = Elasticity(np.array([-2.0, 0.0, -1.0]), np.array([True, False, False]))
    np.testing.assert_allclose(answer.factor(10.0), [1.0 / 1.21, 1.0, 1.0 / 1.1])


def test_a_dearer_item_sells_less_and_each_unit_brings_more() -> None:
    made = compared(Scenario(selling_price_pct=10.0, price_elasticity=-2.0))
    row = pair(made, "A")
    assert row["elasticity"] == -2.0
    assert row["scenario_demand_qty"] == pytest.approx(row["base_demand_qty"] / 1.21)
    sold = row["scenario_demand_qty"] - row["scenario_short_qty"]
    assert row["scenario_sales_value"] == pytest.approx(sold * 15.0 * 1.1)
    assert row["scenario_margin_value"] == pytest.approx(sold * (15.0 * 1.1 - 10.0))
    assert row["scenario_shortage_value"] == pytest.approx(row["scenario_short_qty"] * 16.5)
    assert row["scenario_reorder_point_qty"] < row["base_reorder_point_qty"]
    # 5 of margin on 15 becomes 6.5 on 16.5: at e = -2 the price pays though a fifth of the demand goes.
    assert total(made, "margin_value")[1] == pytest.approx(total(made, "margin_value")[0] * 6.5 / 5.0 / 1.21, rel=0.05)


def test_without_an_elasticity_the_demand_stays_and_only_the_margin_moves() -> None:
    made = compared(Scenario(selling_price_pct=10.0))
    assert pair(made, "A")["scenario_demand_qty"] == pair(made, "A")["base_demand_qty"]
    assert total(made, "ordered_value")[0] == total(made, "ordered_value")[1]
    assert total(made, "margin_value")[1] > 1.25 * total(made, "margin_value")[0]
    assert total(made, "shortage_value")[1] == pytest.approx(1.1 * total(made, "shortage_value")[0])
    assert sentences(made) == [
        "Items of which the price history tells no effect of the price: 2. No elasticity was given, so their demand "
        "stays."
    ]


def test_a_learned_elasticity_goes_before_the_one_that_is_typed_unless_the_planner_says_otherwise() -> None:
    given = inputs(elasticity={"": -1.0, "Bolts": -3.0})
    made = compared(Scenario(selling_price_pct=10.0, price_elasticity=-0.5), given)
    assert (pair(made, "A")["elasticity"], pair(made, "B")["elasticity"]) == (-3.0, -1.0)  # Gears: the company's
    assert pair(made, "A")["scenario_demand_qty"] == pytest.approx(pair(made, "A")["base_demand_qty"] / 1.1**3)
    assert sentences(made) == [
        "Items that answer to the selling price as the price history of their item groups taught: 2, with elasticities "
        "from -3 to -1; demand times 0.751 to 0.909."
    ]
    typed = compared(Scenario(selling_price_pct=10.0, price_elasticity=-0.5, use_learned_elasticity=False), given)
    assert pair(typed, "A")["elasticity"] == -0.5
    assert sentences(typed) == [
        "The elasticity given counts for all items, whatever was learned: -0.5, demand times 0.953."
    ]


def test_an_elasticity_alone_changes_nothing() -> None:
    assert Scenario(price_elasticity=-2.0, move_open_orders=False, use_learned_elasticity=False).changes_nothing
    assert not Scenario(selling_price_pct=1.0).changes_nothing


def test_the_uncertainty_of_the_demand_scales_with_each_item() -> None:
    given = inputs(elasticity={"": 0.0, "Bolts": -2.0})
    after = change(choose(given, Chosen()), Scenario(selling_price_pct=100.0), AS_OF).inputs.outlook
    np.testing.assert_allclose(after.daily_std(), [4.0 / 4.0, 3.0])
    np.testing.assert_allclose(after.daily_mean(AS_OF, 3), [[10.0 / 4.0] * 3, [5.0] * 3])


def test_a_price_at_which_nobody_knows_the_demand_is_refused() -> None:
    with pytest.raises(BadInput, match="multiplies demand by"):
        compared(Scenario(selling_price_pct=-90.0, price_elasticity=-3.0))


def test_what_has_no_selling_price_sells_at_cost_and_margin_and_so_much_more() -> None:
    given = inputs()
    items = given.supply.items.assign(selling_rate=np.nan)
    given = replace(given, supply=replace(given.supply, items=items))
    after = change(choose(given, Chosen()), Scenario(selling_price_pct=20.0), AS_OF).inputs.supply.items
    np.testing.assert_allclose(after["selling_rate"], [10.0 * 1.3 * 1.2] * 2)


# ---- open orders ----
def test_what_is_on_order_comes_later_with_the_lead_time_unless_it_stays_as_promised() -> None:
    longer = Scenario(lead_time_days=14)
    made = change(choose(inputs(), Chosen()), longer, AS_OF)
    assert made.inputs.supply.dated["day"].tolist() == [pd.Timestamp(AS_OF) + pd.Timedelta(days=3 + 14)]
    assert [each.template.format(**each.values) for each in made.assumptions] == [
        "Open purchase orders that are not overdue arrive 14 days later than promised (1 of them)."
    ]
    stay = change(choose(inputs(), Chosen()), replace(longer, move_open_orders=False), AS_OF)
    assert stay.inputs.supply.dated["day"].tolist() == [pd.Timestamp(AS_OF) + pd.Timedelta(days=3)]
    assert "as promised" in stay.assumptions[0].template
    assert (
        total(compared(longer), "shortage_value")[1]
        > total(compared(replace(longer, move_open_orders=False)), "shortage_value")[1]
    )


def test_an_overdue_order_stays_and_an_early_one_is_not_there_before_tomorrow() -> None:
    given = inputs()
    rows = [
        {**dated("A", -5, 50.0, "purchase_order"), "voucher_no": "PO-0"},
        {**dated("A", 3, 50.0, "purchase_order"), "voucher_no": "PO-1"},
        {**dated("A", 3, -5.0, "sales_order"), "voucher_no": "SO-1"},
    ]
    given = replace(given, supply=replace(given.supply, dated=pd.DataFrame(rows)))
    made = change(choose(given, Chosen()), Scenario(lead_time_days=-10), AS_OF)
    days = (made.inputs.supply.dated["day"] - pd.Timestamp(AS_OF)).dt.days.tolist()
    assert days == [-5, 1, 3]
    assert len(made.assumptions) == 2


def test_only_orders_of_the_supplier_that_is_named_move() -> None:
    chosen = Chosen(supplier="Second")
    given = inputs()
    made = change(given, Scenario(chosen, lead_time_days=10), AS_OF)
    assert made.inputs.supply.dated["day"].tolist() == [pd.Timestamp(AS_OF) + pd.Timedelta(days=3)]


# ---- orders as the proposals have them ----
def test_lines_for_one_supplier_on_one_day_are_one_order() -> None:
    made = compared(Scenario(demand_pct=5.0))
    lines, orders = total(made, "order_lines")[0], total(made, "orders")[0]
    assert 0.0 < orders < lines
    alone = compared(Scenario(Chosen(item_codes=("A",)), demand_pct=5.0))
    assert total(alone, "orders")[0] == pytest.approx(total(alone, "order_lines")[0])


def test_a_large_order_pays_the_price_of_its_quantity() -> None:
    given = inputs()
    row = {"item_code": "A", "supplier": "Best", "min_qty": 1.0, "base_rate": 8.0}
    breaks = PRICE_BREAKS.check(pd.DataFrame([row]))
    cheaper = replace(given, supply=replace(given.supply, price_breaks=breaks))
    usual, less = compared(Scenario(demand_pct=5.0), given), compared(Scenario(demand_pct=5.0), cheaper)
    cheap, other = pair(less, "A"), pair(usual, "A")
    assert cheap["base_ordered_value"] == pytest.approx(0.8 * other["base_ordered_value"])
    assert cheap["base_margin_value"] == pytest.approx(other["base_margin_value"] * 7.0 / 5.0)
    never = breaks.assign(min_qty=1e6)
    unmoved = compared(Scenario(demand_pct=5.0), replace(given, supply=replace(given.supply, price_breaks=never)))
    assert pair(unmoved, "A")["base_ordered_value"] == pytest.approx(other["base_ordered_value"])


def test_no_more_is_stocked_than_a_rule_allows() -> None:
    rule = {"name": "R", "item_code": "A", "max_qty": 60.0}
    given = inputs()
    rules = replace(given.supply.rules, rules=PLANNING_RULES.check(pd.DataFrame([rule])))
    ruled = replace(given, supply=replace(given.supply, rules=rules), positions=given.positions.assign(on_hand_qty=0.0))
    made = compared(Scenario(demand_pct=5.0), ruled)
    assert pair(made, "A")["base_stock_value"] <= 60.0 * 10.0
    assert pair(made, "A")["base_order_up_to_qty"] <= 60.0


def test_a_higher_service_target_holds_more_stock_and_loses_less() -> None:
    made = compared(Scenario(service_target=0.999))
    assert total(made, "stock_value")[1] > total(made, "stock_value")[0]
    assert total(made, "expected_fill_rate_pct")[1] > total(made, "expected_fill_rate_pct")[0]
    assert total(made, "shortage_value")[1] < total(made, "shortage_value")[0]
    rule = {"name": "R", "item_code": "A", "service_target": 0.8}
    ruled = inputs()
    ruled = replace(
        ruled,
        supply=replace(
            ruled.supply, rules=replace(ruled.supply.rules, rules=PLANNING_RULES.check(pd.DataFrame([rule])))
        ),
    )
    row = pair(compared(Scenario(service_target=0.999), ruled), "A")
    assert (row["base_service_level_pct"], row["scenario_service_level_pct"]) == (80.0, 99.9)


# ---- which pairs ----
@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        (Chosen(item_group="Gears"), {("B", WAREHOUSE), ("B", OTHER)}),
        (Chosen(item_group="All"), {("A", WAREHOUSE), ("B", WAREHOUSE), ("B", OTHER)}),
        (Chosen(brand="X"), {("A", WAREHOUSE)}),
        (Chosen(warehouse=OTHER), {("B", OTHER)}),
        (Chosen(warehouse="Top", item_codes=("A",)), {("A", WAREHOUSE)}),
        (Chosen(supplier="Best", abc_class="B"), {("B", WAREHOUSE)}),
    ],
)  # fmt: skip
def test_filters_are_taken_together(chosen: Chosen, expected: set[tuple[str, str]]) -> None:
    made = compared(Scenario(chosen, demand_pct=5.0))
    assert set(made.pairs[["item_code", "warehouse"]].itertuples(index=False, name=None)) == expected


# ---- ways out ----
def test_ways_out_name_other_suppliers_stock_elsewhere_and_the_last_day_to_order() -> None:
    made = compared(Scenario(supplier_out="Best", supplier_out_weeks=6, use_other_suppliers=False))
    rows = made.alternatives
    assert set(rows.loc[rows["item_code"] == "B", "kind"]) == {"Other Supplier", "Transfer", "Earlier Order"}
    (transfer,) = rows[rows["kind"] == "Transfer"].to_dict("records")
    assert transfer["from_warehouse"] == OTHER
    assert 0.0 < transfer["qty"] <= 400.0
    told = [row["template"].format(**row["values"]) for row in rows.to_dict("records")]
    assert any(sentence.startswith("Second delivers in 7 days at 12") for sentence in told)
    assert any(sentence.startswith("An order would have had to leave by 2026-0") for sentence in told)


def test_stock_elsewhere_is_offered_though_only_one_warehouse_was_chosen() -> None:
    made = compared(Scenario(Chosen(warehouse=WAREHOUSE, item_codes=("B",)), lead_time_days=60))
    assert "Transfer" in set(made.alternatives["kind"])


def test_each_way_out_tells_what_it_costs_and_what_it_saves() -> None:
    made = compared(Scenario(supplier_out="Best", supplier_out_weeks=6, use_other_suppliers=False))
    lost = pair(made, "B")["scenario_shortage_value"]
    second = way_out(made, "B", "Other Supplier")
    assert second["order_value"] == pytest.approx(second["qty"] * 12.0)
    assert 0.0 < second["saved_value"] <= 1.05 * lost
    assert 0.0 < second["fill_rate_gain_pct"] <= 100.0
    # What arrives now is not ordered later: less is spent in all than the goods themselves cost.
    assert second["cash_value"] < second["order_value"]
    transfer = way_out(made, "B", "Transfer")
    assert transfer["order_value"] == 0.0
    assert 0.0 < transfer["saved_value"] <= 1.05 * lost
    late = way_out(made, "A", "Earlier Order")
    # Ordered now it comes when the supplier is back: it cannot save what is lost until then.
    assert late["saved_value"] < second["saved_value"] + lost
    assert late["order_value"] == pytest.approx(late["qty"] * 10.0)


def test_a_transfer_from_a_warehouse_that_needs_its_stock_saves_nothing_there() -> None:
    """The depot sells B as fast as the store: what it gives away it lacks itself, and the figures say so."""
    given = inputs()
    case_rows = given.outlook.keys
    keys = pd.concat([case_rows, pd.DataFrame({"item_code": ["B"], "warehouse": [OTHER]})], ignore_index=True)
    mean, std = given.outlook.daily_mean, given.outlook.daily_std
    outlook = replace(
        given.outlook, keys=keys, demand_class=np.append(given.outlook.demand_class, "Smooth"),
        daily_mean=lambda as_of, days: np.vstack([mean(as_of, days), np.full((1, days), 5.0)]),
        daily_std=lambda: np.append(std(), 1.0), last_year_qty=np.append(given.outlook.last_year_qty, 1825.0),
    )  # fmt: skip
    needed = replace(given, outlook=outlook, abc_class=np.append(given.abc_class, "B"))
    asked = Scenario(
        Chosen(warehouse=WAREHOUSE, item_codes=("B",)), supplier_out="Best", supplier_out_weeks=6,
        use_other_suppliers=False,
    )  # fmt: skip
    idle, busy = (way_out(compared(asked, one), "B", "Transfer") for one in (given, needed))
    assert busy["cash_value"] > idle["cash_value"]


# ---- bad input ----
@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"demand_pct": -100.0}, "A demand of -100% leaves nothing to plan."),
        ({"demand_pct": float("nan")}, "demand_pct is nan, which is no number."),
        ({"price_pct": -120.0}, "A price change of -120% leaves no price."),
        ({"selling_price_pct": -100.0}, "A selling price change of -100% leaves no price."),
        ({"price_elasticity": 1.5}, "An elasticity of 1.5 cannot be: demand falls when the price rises."),
        ({"price_elasticity": -11.0}, "An elasticity of -11 cannot be"),
        ({"price_elasticity": float("inf")}, "price_elasticity is inf, which is no number."),
        ({"lead_time_days": 400}, "The lead time can change by -365 to 365 days, not by 400."),
        ({"supplier_out_weeks": 3}, "Name the supplier that is out for 3 weeks."),
        ({"supplier_out": "Best"}, "Say for how many weeks Best is out."),
        ({"supplier_out": "Best", "supplier_out_weeks": 60}, "A supplier can be out for 0 to 52 weeks, not for 60."),
        ({"service_target": 1.0}, "A service target of 100% cannot be planned"),
    ],
)
def test_a_change_that_makes_no_sense_is_refused(values: dict[str, Any], sentence: str) -> None:
    with pytest.raises(BadInput) as refused:
        Scenario(**values)
    assert str(refused.value).startswith(sentence)


@pytest.mark.parametrize(
    ("scenario", "sentence"),
    [
        (Scenario(Chosen(supplier="Nobody")), "Nobody supplies none of the planned items. The suppliers are: Best"),
        (Scenario(supplier_out="Nobody", supplier_out_weeks=2), "Nobody supplies none of the planned items."),
        (Scenario(Chosen(item_group="Nuts")), "There is no item group Nuts."),
        (Scenario(Chosen(brand="Z")), "No planned item is of the brand Z."),
        (Scenario(Chosen(warehouse="Nowhere")), "There is no warehouse Nowhere among those that are planned."),
        (Scenario(Chosen(abc_class="D")), "There is no class D; there are A, B and C."),
        (Scenario(Chosen(item_codes=("A", "Q"))), "These items are not planned: Q."),
        (Scenario(Chosen(brand="X", item_group="Gears")), "No planned item fits all of the filters together."),
    ],
)  # fmt: skip
def test_a_name_that_nothing_bears_is_refused(scenario: Scenario, sentence: str) -> None:
    with pytest.raises(BadInput) as refused:
        compared(scenario)
    assert str(refused.value).startswith(sentence)


def test_what_goes_in_is_left_as_it_was() -> None:
    given = inputs()
    kept = given.supply.sourcing.copy(), given.supply.dated.copy(), given.positions.copy()
    compared(
        Scenario(
            demand_pct=10.0, price_pct=5.0, lead_time_days=3, supplier_out="Best", supplier_out_weeks=2,
            selling_price_pct=-5.0, price_elasticity=-1.0,
        ),
        given,
    )  # fmt: skip
    for before, after in zip(kept, (given.supply.sourcing, given.supply.dated, given.positions), strict=True):
        pd.testing.assert_frame_equal(before, after)


def test_the_last_day_to_order_from_who_is_out_lies_before_he_is() -> None:
    """Ordered on the eve it would have come in the usual time: the wait is none of an order that left before it."""
    made = compared(Scenario(Chosen(item_codes=("A",)), supplier_out="Best", supplier_out_weeks=6))
    (row,) = made.alternatives.to_dict("records")
    usual = pair(made, "A")["base_lead_time_days"] + 2.0  # two days of approval
    expected = min(row["shortage_on"] - pd.Timedelta(days=usual), pd.Timestamp(AS_OF))
    assert row["act_by"] == expected
    assert row["arrives_on"] == pd.Timestamp(AS_OF) + pd.Timedelta(days=1 + 42 + usual)
