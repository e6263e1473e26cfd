"""The whole pipeline, and what it says about bad input while everything else goes on."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from replenishment_case import AS_OF, WAREHOUSE, Case, dated, day, item, sentences, source, stock

from erp_forecast_addon.planning.door import check_rows
from erp_forecast_addon.planning.errors import FAULT_KINDS, BadInput
from erp_forecast_addon.planning.panel import build_panel
from erp_forecast_addon.planning.plan import Plan, last_year_demand, plan
from erp_forecast_addon.planning.purchasing.evidence import recompute
from erp_forecast_addon.planning.replenishment import Replenishment
from erp_forecast_addon.planning.settings import PlanSettings
from erp_forecast_addon.planning.tables import BUCKETS, POLICIES, PROPOSALS, SOURCING

NAN, INF = float("nan"), float("inf")


def sales(code: str, days: int, mean: float = 10.0) -> pd.DataFrame:
    qty = np.random.default_rng(7).poisson(mean, days).astype(float)
    return pd.DataFrame(
        {
            "item_code": code,
            "warehouse": WAREHOUSE,
            "day": pd.date_range(end=day(0), periods=days),
            "demand_qty": qty,
        }
    )


def run(buckets: pd.DataFrame, period: str = "day", **tables: Any) -> Plan:
    case = Case(**tables)
    panel, _faults = build_panel(buckets, period, AS_OF)  # type: ignore[arg-type]
    return plan(panel, pd.DataFrame(case.positions), case.supply(), replace(case.settings, period=period), AS_OF)


def bad_and_good(**bad: Any) -> Replenishment:
    """Item A with what is bad, item B beside it sound and in need."""
    tables = {"positions": [stock("A")], "items": [item("A")], "sourcing": [source("A")]} | bad
    return Case(
        daily={"A": 10.0, "B": 10.0},
        positions=[*tables["positions"], stock("B")],
        items=[*tables["items"], item("B")],
        sourcing=[*tables["sourcing"], source("B")],
        dated=tables.get("dated", []),
    ).run()


def ordered(result: Replenishment) -> list[str]:
    return result.proposals["item_code"].tolist()


@pytest.mark.parametrize("period", ["day", "week", "month"])
def test_a_plan_forecasts_sets_levels_and_proposes(period: str) -> None:
    made = run(
        pd.concat([sales("A", 400), sales("B", 400, mean=2.0)]),
        period,
        positions=[stock("A", 20.0), stock("B", 400.0)],
        items=[item("A"), item("B")],
        sourcing=[source("A"), source("B")],
    )
    assert made.forecasts.keys["item_code"].tolist() == ["A", "B"]
    assert made.policies["item_code"].tolist() == ["A", "B"]
    assert made.proposals["item_code"].tolist() == ["A"]
    assert made.policies["daily_demand_mean"].to_numpy() == pytest.approx([10.0, 2.0], rel=0.2)
    assert made.policies["abc_class"].tolist() == ["A", "B"]
    POLICIES.check(made.policies)
    PROPOSALS.check(made.proposals)
    assert {fault.kind for fault in made.faults} <= set(FAULT_KINDS)


def test_a_plan_made_twice_is_the_same() -> None:
    one, two = (run(sales("A", 300), positions=[stock("A", 5.0)]) for _ in range(2))
    pd.testing.assert_frame_equal(one.policies, two.policies)
    pd.testing.assert_frame_equal(one.proposals, two.proposals)
    assert one.faults == two.faults
    assert np.array_equal(one.forecasts.mean, two.forecasts.mean)


def test_a_plan_leaves_its_input_as_it_was() -> None:
    case = Case()
    positions, supply = pd.DataFrame(case.positions), case.supply()
    before = [frame.copy() for frame in (positions, supply.dated, supply.items, supply.sourcing)]
    panel, _faults = build_panel(sales("A", 100), "day", AS_OF)
    demand = panel.demand.copy()
    plan(panel, positions, supply, case.settings, AS_OF)
    for frame, copy in zip((positions, supply.dated, supply.items, supply.sourcing), before, strict=True):
        pd.testing.assert_frame_equal(frame, copy)
    assert np.array_equal(panel.demand, demand)


def test_an_empty_panel_still_plans_what_is_on_order() -> None:
    made = run(BUCKETS.empty(), dated=[dated("A", 3, -5.0, "sales_order")])
    assert made.forecasts.n == 0
    assert made.policies["demand_class"].tolist() == ["No Demand"]
    assert made.proposals["stock_qty"].tolist() == [5.0]


def test_an_empty_panel_without_anything_is_an_empty_plan() -> None:
    made = run(BUCKETS.empty())
    assert made.policies.empty
    assert made.proposals.empty
    assert made.faults == []


def test_a_single_day_of_history_gets_a_policy() -> None:
    made = run(sales("A", 1))
    assert len(made.policies) == 1
    assert np.isfinite(made.policies["order_up_to_qty"].iloc[0])
    assert len(made.proposals) == 1


def test_last_year_leaves_older_demand_out() -> None:
    panel, _faults = build_panel(sales("A", 500, mean=1.0).assign(demand_qty=1.0), "day", AS_OF)
    assert last_year_demand(panel, AS_OF).tolist() == [365.0]


def test_an_item_without_supplier_is_named_and_the_rest_ordered() -> None:
    result = bad_and_good(sourcing=[])
    assert ordered(result) == ["B"]
    assert sentences(result, "No Supplier") == [
        "A: 218 Nos are needed, but the item has no supplier. Set a default supplier on the item; until then "
        "nothing can be ordered."
    ]
    fault = next(f for f in result.faults if f.kind == "No Supplier")
    assert fault.money_at_risk > 0
    assert fault.due_on == day(1).date()


def test_an_item_without_lead_time_uses_the_settings_and_says_so() -> None:
    result = bad_and_good(sourcing=[source("A", lead_time_days=NAN)])
    assert ordered(result) == ["A", "B"]
    assert result.policies["lead_time_source"].tolist() == ["settings", "receipts"]
    assert sentences(result, "No Lead Time") == [
        "A: no lead time is known from receipts, prices or the item. The 14 days of the settings are used; enter one "
        "on the item."
    ]


def test_a_lead_time_that_cannot_be_is_not_used() -> None:
    result = bad_and_good(sourcing=[source("A", lead_time_days=-3.0)], items=[item("A", lead_time_days=9.0)])
    assert result.policies["lead_time_days"].tolist() == [9.0, 7.0]
    assert sentences(result, "Bad Data") == [
        "A: a lead time is negative or longer than two years and was not used. 9 days are used instead; correct it."
    ]


def test_an_item_without_price_is_proposed_at_nothing_and_flagged() -> None:
    result = bad_and_good(sourcing=[source("A", rate=NAN)])
    assert ordered(result) == ["A", "B"]
    line = result.proposals.iloc[0]
    assert (line["rate"], line["amount"], line["base_amount"]) == (0.0, 0.0, 0.0)
    assert line["evidence"]["price_known"] is False
    assert sentences(result, "No Price") == [
        "A: Best has no price for it. The order is proposed at a rate of 0, so that stock does not run out; enter a "
        "price before it is approved."
    ]


def test_a_currency_without_exchange_rate_is_proposed_without_a_company_amount() -> None:
    result = bad_and_good(sourcing=[source("A", currency="USD")])
    line = result.proposals.iloc[0]
    assert (line["currency"], line["amount"] > 0, line["base_amount"]) == ("USD", True, 0.0)
    assert sentences(result, "No Price") == [
        "A: Best sells in USD, and there is no exchange rate. The order is proposed without an amount in company "
        "currency; enter the rate before it is approved."
    ]


def test_a_missing_uom_factor_is_never_taken_as_one() -> None:
    result = bad_and_good(sourcing=[source("A", uom="Box")])
    assert ordered(result) == ["B"]
    assert sentences(result, "No UOM Conversion") == [
        "A: Best sells it in Box, and how many Nos make one Box is not known. Nothing was ordered; add the conversion "
        "to the item."
    ]


def test_units_that_never_meet_are_named() -> None:
    result = bad_and_good(sourcing=[source("A", uom="Lb", conversion_factor=2.20462, uom_whole=True)])
    assert ordered(result) == ["B"]
    assert sentences(result, "No UOM Conversion")[0].startswith(
        "A: no quantity in Lb (1 Lb = 2.2 Nos) keeps whole units"
    )


def test_a_negative_stock_is_reported_and_planned() -> None:
    result = bad_and_good(positions=[stock("A", -7.0)])
    assert ordered(result) == ["A", "B"]
    assert sentences(result, "Negative Stock")[0].startswith(f"A in {WAREHOUSE}: the stock is -7.")


def test_float_noise_below_zero_is_no_negative_stock() -> None:
    assert sentences(bad_and_good(positions=[stock("A", -1e-9)]), "Negative Stock") == []


def test_a_blocked_supplier_is_replaced_or_named() -> None:
    blocked = source("A", blocked_reason="on hold until 2026-05-01")
    alone = bad_and_good(sourcing=[blocked])
    assert ordered(alone) == ["B"]
    assert sentences(alone, "Supplier Blocked")[0].endswith(
        "but nothing may be ordered from Best (on hold until 2026-05-01) and the item has no other supplier. Release "
        "the supplier or add another."
    )
    with_other = bad_and_good(sourcing=[blocked, source("A", supplier="Other", is_default=False)])
    assert with_other.proposals["supplier"].tolist() == ["Other", "Best"]
    assert sentences(with_other, "Supplier Blocked") == [
        "A: nothing may be ordered from the default supplier Best (on hold until 2026-05-01); Other takes its place in "
        "this order."
    ]


@pytest.mark.parametrize("values", [{"disabled": True}, {"end_of_life": day(0)}, {"end_of_life": day(1)}])
def test_a_disabled_item_is_named_when_it_is_needed(values: dict[str, Any]) -> None:
    result = bad_and_good(items=[item("A", **values)])
    assert ordered(result) == ["B"]
    assert sentences(result, "Item Disabled")[0].startswith(
        "A: 162 Nos are needed, but the item is disabled or past its end of life."
    )
    enough = bad_and_good(items=[item("A", **values)], positions=[stock("A", 999.0)])
    assert sentences(enough, "Item Disabled") == []


def test_an_item_that_is_not_bought_is_named() -> None:
    result = bad_and_good(items=[item("A", is_purchase_item=False)])
    assert ordered(result) == ["B"]
    assert "is not a purchase item" in sentences(result, "Not Planned")[0]


@pytest.mark.parametrize("items", [[], [item("A", exists=False)]])
def test_a_deleted_item_is_named(items: list[dict[str, Any]]) -> None:
    result = bad_and_good(items=items)
    assert ordered(result) == ["B"]
    assert "there is no such item any more" in sentences(result, "Bad Data")[0]


def test_a_minimum_above_a_years_demand_is_proposed_and_flagged() -> None:
    result = bad_and_good(sourcing=[source("A", min_order_qty=10_000.0)])
    assert result.proposals["stock_qty"].iloc[0] == 10_000.0
    assert sentences(result, "MOQ Above Need") == [
        f"A in {WAREHOUSE}: the minimum order of 10000 Nos is more than a year's demand of 3650; 162 are needed. "
        "The order is proposed; check whether Best sells less."
    ]


@pytest.mark.parametrize("value", [NAN, INF, -INF, "many"])
def test_a_bad_stock_figure_leaves_its_pair_out(value: Any) -> None:
    result = bad_and_good(positions=[stock("A", value)])
    assert result.policies["item_code"].tolist() == ["B"]
    assert ordered(result) == ["B"]
    assert sentences(result, "Bad Data") == [
        f"Positions: A / {WAREHOUSE} has on_hand_qty = {value}, which cannot be used. The row was left out and nothing "
        "that depends on it is ordered; correct the value and run again."
    ]


@pytest.mark.parametrize(
    "row",
    [
        dated("A", 3, INF, "purchase_order"),
        dated("A", 3, NAN, "sales_order"),
        dated("A", 3, 5.0, "purchase_order") | {"day": "31.02.2026"},
    ],
)
def test_a_bad_open_document_stops_the_orders_of_its_pair_only(row: dict[str, Any]) -> None:
    result = bad_and_good(dated=[row])
    assert ordered(result) == ["B"]
    assert result.policies["item_code"].tolist() == ["A", "B"]
    assert sentences(result, "Bad Data")[0].startswith(f"Open supply and demand: A / {WAREHOUSE} has ")


def test_a_bad_item_row_stops_the_orders_of_its_item_only() -> None:
    result = bad_and_good(items=[item("A", min_order_qty=INF)])
    assert ordered(result) == ["B"]
    assert sentences(result, "Bad Data") == [
        "Items: A has min_order_qty = inf, which cannot be used. The row was left out and nothing that depends on it "
        "is ordered; correct the value and run again."
    ]


@pytest.mark.parametrize("column", ["rate", "lead_time_days", "conversion_factor", "exchange_rate"])
def test_a_bad_supplier_row_leaves_that_supplier_out(column: str) -> None:
    result = bad_and_good(sourcing=[source("A", **{column: INF}), source("A", supplier="Other", is_default=False)])
    assert result.proposals["supplier"].tolist() == ["Other", "Best"]
    assert sentences(result, "Bad Data")[0].startswith(f"Sourcing: A / Best has {column} = inf")


def test_a_forecast_that_is_not_finite_orders_nothing_and_is_named() -> None:
    result = Case(
        daily={"A": NAN, "B": 10.0},
        positions=[stock("A"), stock("B")],
        items=[item("A"), item("B")],
        sourcing=[source("A"), source("B")],
    ).run()
    assert ordered(result) == ["B"]
    assert "forecast is not a finite number" in sentences(result, "Bad Data")[0]
    assert np.isfinite(result.policies["order_up_to_qty"]).all()


@pytest.mark.parametrize("level", [0.0, 1.0])
def test_a_service_level_of_nothing_or_everything_is_refused(level: float) -> None:
    with pytest.raises(BadInput, match=r"the service level of class A is (0|100)\.0%"):
        PlanSettings(company="T", service_level_by_class={"A": level, "B": 0.9, "C": 0.9})


def test_a_table_that_is_unusable_as_a_whole_is_refused() -> None:
    with pytest.raises(BadInput, match="Positions: column on_hand_qty is missing"):
        Case(positions=[{"item_code": "A", "warehouse": WAREHOUSE}]).run()
    with pytest.raises(BadInput, match="Positions: row 1 repeats the key A / Stores - T"):
        Case(positions=[stock(), stock()]).run()


def test_the_door_keeps_sound_rows_and_names_the_first_bad_column() -> None:
    frame = pd.DataFrame([source("A"), source("", supplier="Nobody"), source("B", rate=INF, min_order_qty=INF)])
    checked = check_rows(SOURCING, frame)
    assert checked.rows["item_code"].tolist() == ["A"]
    assert len(checked.set_aside) == 2
    assert [fault.values["column"] for fault in checked.faults] == ["item_code", "rate"]
    assert checked.faults[1].supplier == "Best"


def test_a_missing_cell_means_what_a_missing_column_means() -> None:
    result = bad_and_good(items=[item("A", min_order_qty=NAN, disabled=None, exists=None, is_purchase_item=None)])
    assert ordered(result) == ["A", "B"]
    assert sentences(result, "Bad Data") == []


@pytest.mark.parametrize("period", ["day", "week"])
def test_least_cost_under_periodic_review_judges_orders_on_paths(period: str) -> None:
    """The order that arrives in 10 days lasts a week: about 17 days of 10 less what is there, and it says how."""
    made = run(
        pd.concat([sales("A", 400), sales("B", 400)]),
        period,
        positions=[stock("A", 20.0, valuation_rate=10.0), stock("B", 900.0, valuation_rate=10.0)],
        items=[item("A", selling_rate=15.0), item("B", selling_rate=15.0)],
        sourcing=[source("A", lead_time_days=10.0), source("B", lead_time_days=10.0)],
        settings=PlanSettings("Co", policy_method="Least Cost", review="Periodic", review_period_days=7),
    )
    assert made.proposals["item_code"].tolist() == ["A"]
    line = made.proposals.iloc[0]
    told = json.loads(json.dumps(line["evidence"]))
    assert len(told["policy"]["tried_qty"]) == len(told["policy"]["lost_qty"]) > 5
    assert recompute(told) == line["stock_qty"]
    # 20 on hand are gone before it arrives, and what finds nothing is lost: a week or little more is asked for.
    assert 60 <= line["stock_qty"] <= 160
