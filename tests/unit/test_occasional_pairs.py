"""Levels of items asked for now and then, by what a demand costs that is not served in full: who is meant, and what is
told."""

from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest
from replenishment_case import AS_OF, WAREHOUSE, Case, item, sentences, source, stock

from erp_forecast_addon.planning.errors import BadInput
from erp_forecast_addon.planning.forecasting.lifecycle import Lifecycle
from erp_forecast_addon.planning.inventory.occasional import Asked, asked_for, learn_prior, rare
from erp_forecast_addon.planning.inventory.pair_levels import order_up_to_again
from erp_forecast_addon.planning.inventory.rules import Rules, check_rules, typed_maximum
from erp_forecast_addon.planning.panel import Panel
from erp_forecast_addon.planning.plan import Plan, plan
from erp_forecast_addon.planning.replenishment import DemandOutlook, Replenishment, replenish
from erp_forecast_addon.planning.replenishment.occasions import panel_asked
from erp_forecast_addon.planning.scenarios import scaled
from erp_forecast_addon.planning.settings import PlanSettings
from erp_forecast_addon.planning.signals import Finished, Future
from erp_forecast_addon.planning.tables import PLANNING_RULES

PLAN = PlanSettings(company="T", currency="EUR", period="month", policy_method="Least Cost")
MONTHS = 36


def parts(count: int = 60) -> dict[str, np.ndarray]:
    """Spare parts: those of even number are asked for twice in three years, one or four at a time; others never."""
    demand = {f"P{number:02d}": np.zeros(MONTHS) for number in range(count)}
    for number, own in enumerate(demand.values()):
        if number % 2 == 0:
            own[number % MONTHS], own[(number + 17) % MONTHS] = 1.0, 4.0
    return demand


def panel(demand: dict[str, np.ndarray], period: str = "month") -> Panel:
    rows = np.array(list(demand.values()))
    last = np.datetime64(AS_OF, "M")
    starts = (last - rows.shape[1] + np.arange(rows.shape[1])).astype("datetime64[ns]")
    return Panel(
        keys=pd.DataFrame({"item_code": list(demand), "warehouse": WAREHOUSE}), period=period, starts=starts,
        demand=rows, in_stock=np.ones(rows.shape, dtype=bool), first=np.zeros(len(rows), dtype=np.int64),
    )  # fmt: skip


def case(demand: dict[str, np.ndarray], price: float = 50.0, **values: Any) -> Case:
    return Case(
        daily={code: float(own.mean()) / 30.4 for code, own in demand.items()},
        positions=[stock(code, 100.0) for code in demand],
        items=[item(code, item_group="Pumps", selling_rate=1.3 * price, **values) for code in demand],
        sourcing=[source(code, rate=price, lead_time_days=30.0) for code in demand],
    )


def replenished(
    demand: dict[str, np.ndarray], settings: PlanSettings, outlook: DemandOutlook | None = None, **supply: Any
) -> Replenishment:
    given = case(demand)
    told = outlook if outlook is not None else replace(given.outlook(), asked=asked_for(panel(demand)))
    return replenish(told, pd.DataFrame(given.positions), replace(given.supply(), **supply), settings, AS_OF)


def levels(result: Replenishment) -> dict[str, float]:
    return dict(zip(result.policies["item_code"], result.policies["order_up_to_qty"], strict=True))


def explanation(result: Replenishment, code: str) -> str:
    row = result.policies.set_index("item_code").loc[code]
    return str(row["explanation_template"]).format(**row["explanation_values"])


def rules(*rows: dict[str, Any]) -> Rules:
    return Rules(PLANNING_RULES.check(pd.DataFrame([{"name": f"R{at}"} | row for at, row in enumerate(rows)])))


def test_the_price_of_a_demand_not_served_decides_what_is_kept() -> None:
    kept = [levels(replenished(parts(), replace(PLAN, occasion_cost=price)))["P00"] for price in (10.0, 100.0, 2000.0)]
    assert kept[0] == 0.0
    # Sizes of 1 and 4: two or three pieces would serve nobody more.
    assert kept[1] == 1.0
    assert kept[2] >= 4.0


def test_a_part_nobody_asked_for_yet_is_kept_where_its_group_says_so() -> None:
    found = levels(replenished(parts(), replace(PLAN, occasion_cost=2000.0)))
    assert 0.0 < found["P01"] <= found["P00"]
    assert levels(replenished(parts(), PLAN))["P01"] == 0.0


def test_it_is_told() -> None:
    found = replenished(parts(), replace(PLAN, occasion_cost=100.0))
    said = explanation(found, "P00")
    assert "It was asked for 2 times in 1096 days." in said
    assert "a demand that is not served in full at 100" in said
    assert "It was asked for 0 times in 1096 days." in explanation(found, "P01")


def test_without_that_cost_nothing_changes() -> None:
    demand = parts()
    with_asked, without = (replenished(demand, PLAN, outlook) for outlook in (None, case(demand).outlook()))
    pd.testing.assert_frame_equal(with_asked.policies, without.policies)


def test_only_least_cost_and_only_what_is_asked_for_now_and_then() -> None:
    demand = parts() | {"Q": np.full(MONTHS, 3.0), "R": np.ones(MONTHS)}
    daily = replace(asked_for(panel(demand)), period_days=1.0)
    assert rare(asked_for(panel(demand))).all()
    # The same counts within 36 days: what is asked for every day is no spare part.
    assert rare(daily).tolist() == [True] * 60 + [False, False]
    priced = replace(PLAN, occasion_cost=100.0)
    for method in ("Fill Rate", "Cycle Service Level", "Textbook"):
        mine, plain = (replenished(parts(), replace(plan, policy_method=method)) for plan in (priced, PLAN))
        pd.testing.assert_frame_equal(mine.policies, plain.policies)


def test_a_simulated_least_cost_leaves_them_to_the_formula() -> None:
    formula, simulated = (
        replenished(parts(8), replace(PLAN, occasion_cost=100.0, policy_method=method))
        for method in ("Least Cost", "Simulated Least Cost")
    )
    assert levels(formula) == levels(simulated)
    assert set(simulated.policies["method"]) == {"Least Cost"}


def test_a_rule_says_it_for_some() -> None:
    said = rules({"item_code": "P00", "occasion_cost": 2000.0})
    found = levels(replenished(parts(), PLAN, rules=said))
    plain = levels(replenished(parts(), PLAN))
    assert found["P00"] >= 4.0
    assert {code: qty for code, qty in found.items() if code != "P00"} == {
        code: qty for code, qty in plain.items() if code != "P00"
    }


def test_a_typed_maximum_tells_the_size_and_is_a_cap() -> None:
    """A part nobody asked for is expected to be asked for as others are asked for over their maximum."""
    demand = parts()
    most = dict.fromkeys(demand, 4.0) | {"P01": 2.0}
    said = rules(*({"item_code": code, "max_qty": qty} for code, qty in most.items()))
    found = replenished(demand, replace(PLAN, occasion_cost=1e5), rules=said)
    assert levels(found)["P01"] == 2.0
    assert levels(found)["P00"] == 4.0
    group = rules({"item_group": "Pumps", "max_qty": 7.0}, {"item_code": "P00", "warehouse": WAREHOUSE, "max_qty": 3.0})
    codes, houses = (np.array(values, dtype=object) for values in (["P00", "P01"], [WAREHOUSE] * 2))
    assert np.array_equal(typed_maximum(group.rules, codes, houses), [3.0, np.nan], equal_nan=True)


def test_a_proposed_line_gives_its_level_again() -> None:
    demand = parts()
    given = case(demand)
    outlook = replace(given.outlook(), asked=asked_for(panel(demand)))
    empty = pd.DataFrame([stock(code, 0.0) for code in demand])
    found = replenish(outlook, empty, given.supply(), replace(PLAN, occasion_cost=2000.0), AS_OF)
    told = found.proposals.set_index("item_code")["evidence"]
    up_to = levels(found)
    assert len(told)
    for code, evidence in told.items():
        assert order_up_to_again(evidence["policy"]) == pytest.approx(up_to[code])


def test_some_of_the_rows_are_told_by_what_all_have_taught() -> None:
    demand, settings = parts(), replace(PLAN, occasion_cost=2000.0)
    everything = panel(demand)
    asked = asked_for(everything)
    prior = learn_prior(asked, np.full(60, "Pumps", dtype=object))
    few = {code: demand[code] for code in ("P00", "P01")}
    alone = replace(case(few).outlook(), asked=asked.select(np.arange(2)), prior=prior)
    together = levels(replenished(demand, settings))
    assert levels(replenished(few, settings, alone)) == {code: together[code] for code in few}


def test_more_demand_in_a_scenario_keeps_more() -> None:
    demand, settings = parts(), replace(PLAN, occasion_cost=150.0)
    base = replace(case(demand).outlook(), asked=asked_for(panel(demand)))
    before, after = (levels(replenished(demand, settings, each)) for each in (base, scaled(base, 4.0)))
    assert sum(after.values()) > sum(before.values())
    assert all(after[code] >= before[code] for code in demand)


def test_a_plan_hands_on_what_it_has_learned() -> None:
    demand = parts(12)
    given = case(demand)
    made: Plan = plan(
        panel(demand),
        pd.DataFrame(given.positions),
        given.supply(),
        replace(PLAN, occasion_cost=500.0),
        date(2026, 2, 28),
    )
    assert made.outlook.asked is not None
    assert made.outlook.prior is not None
    assert made.outlook.prior.groups.tolist() == ["Pumps"]


def test_of_whom_more_is_known_the_forecast_speaks() -> None:
    demand = parts(5)
    history = panel(demand)
    names = np.array(["", "Other", "", "", ""], dtype=object)
    future = Future(
        Lifecycle(
            np.array(["NaT", "NaT", "2026-04-01", "2099-12-31", "NaT"], dtype="datetime64[D]"),
            np.zeros(5, dtype=bool), names, *(np.full(5, "", dtype=object) for _part in range(4)), np.zeros(5),
        )
    )  # fmt: skip
    mean = np.ones((5, 3))
    overridden = np.where(np.arange(5)[:, None] == 4, 2.0, mean)
    finished = Finished({"lifecycle": mean, "override": overridden}, names, names, pd.DataFrame(), [])
    classes = np.array(["New", "Lumpy", "Lumpy", "Lumpy", "Lumpy"], dtype=object)
    asked: Asked = panel_asked(history, classes, future, finished)
    assert asked.spoken_for.tolist() == [True, True, True, False, True]
    assert rare(asked).tolist() == [False, False, False, True, False]
    assert panel_asked(history, classes, None, None).spoken_for.tolist() == [True, False, False, False, False]


def test_bad_costs_have_their_sentence() -> None:
    with pytest.raises(BadInput, match="occasion_cost must be at least 0, not -1"):
        replace(PLAN, occasion_cost=-1.0)
    _usable, (fault,) = check_rules(rules({"abc_class": "A", "occasion_cost": -5.0}).rules)
    assert "occasion_cost is -5.0, which is below 0" in fault.sentence()


def test_without_a_price_the_service_target_counts_and_it_is_said() -> None:
    demand = parts(6)
    given = case(demand, price=0.0)
    outlook = replace(given.outlook(), asked=asked_for(panel(demand)))
    free = pd.DataFrame([stock(code, 100.0, valuation_rate=0.0) for code in demand])
    found = replenish(outlook, free, given.supply(), replace(PLAN, occasion_cost=500.0), AS_OF)
    assert set(found.policies.loc[found.policies["item_code"] == "P00", "clamp"]) == {"no price"}
    assert any("Its service target was used instead" in sentence for sentence in sentences(found, "No Price"))
