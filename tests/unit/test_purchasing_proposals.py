"""What is proposed, for when, and that nothing is ordered twice."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from replenishment_case import AS_OF, WAREHOUSE, Case, dated, day, item, sentences, source, stock

from erp_forecast_addon.planning.purchasing.evidence import RECOMPUTED_FROM, recompute
from erp_forecast_addon.planning.purchasing.grouping import group_orders
from erp_forecast_addon.planning.replenishment import replenish
from erp_forecast_addon.planning.settings import PlanSettings
from erp_forecast_addon.planning.tables import PROPOSALS

SETTINGS = PlanSettings(company="T", currency="EUR", policy_method="Textbook")
CODES = ["A", "B", "C", "D"]


def examples(count: int) -> settings:
    """A whole replenishment per example: shrinking a failure would take minutes and the case prints well as it is."""
    return settings(max_examples=count, deadline=None, phases=(Phase.explicit, Phase.generate))


def with_days(review: int, approval: int) -> PlanSettings:
    return replace(SETTINGS, review_period_days=review, approval_days=approval)


@st.composite
def companies(draw: st.DrawFn) -> Case:
    """Four items with any stock, lots, open documents and lead times, sold by up to two suppliers."""
    factor = st.sampled_from([1.0, 12.0, 1 / 3, 0.5])
    some_days = st.integers(-5, 40)
    qty = st.floats(0.5, 300.0)
    out = st.sampled_from(["sales_order", "production", "transfer_out", "pos_invoice"])
    come = st.sampled_from(["purchase_order", "material_request", "our_draft"])
    documents = [
        *draw(st.lists(st.builds(dated, st.sampled_from(CODES), some_days, qty.map(lambda q: -q), out), max_size=6)),
        *draw(st.lists(st.builds(dated, st.sampled_from(CODES), some_days, qty, come), max_size=6)),
    ]
    whole = st.booleans()
    return Case(
        daily={c: draw(st.lists(st.floats(0.0, 30.0), min_size=7, max_size=7)) for c in CODES},
        std={c: draw(st.floats(0.0, 20.0)) for c in CODES},
        positions=[stock(c, draw(st.floats(-50.0, 600.0))) for c in CODES],
        items=[item(c, stock_uom_whole=draw(whole), min_order_qty=draw(st.floats(0.0, 80.0))) for c in CODES],
        sourcing=[
            source(
                c,
                supplier=draw(st.sampled_from(["Best", "Other"])),
                uom="Box",
                uom_whole=draw(whole),
                conversion_factor=draw(factor),
                order_multiple_qty=draw(st.sampled_from([0.0, 4.0, 10.0])),
                min_order_qty=draw(st.floats(0.0, 80.0)),
                lead_time_days=draw(st.floats(0.0, 30.0)),
                currency=draw(st.sampled_from(["EUR", "USD"])),
                exchange_rate=0.9,
            )
            for c in CODES
        ],
        dated=documents,
        settings=with_days(draw(st.integers(0, 14)), draw(st.integers(0, 5))),
    )


def as_drafts(proposals: pd.DataFrame) -> list[dict[str, Any]]:
    return [
        {
            "item_code": line.item_code,
            "warehouse": line.warehouse,
            "day": line.schedule_date,
            "qty": line.stock_qty,
            "kind": "our_draft",
        }
        for line in proposals.itertuples()
    ]


def ordered(case: Case) -> dict[str, float]:
    proposals = case.run().proposals
    return dict(zip(proposals["item_code"], proposals["stock_qty"], strict=True))


@examples(15)
@given(companies(), st.sampled_from(["our_draft", "purchase_order"]))
def test_nothing_is_ordered_twice(case: Case, kind: str) -> None:
    """Also once our drafts have become purchase orders."""
    first = case.run().proposals
    drafts = [draft | {"kind": kind} for draft in as_drafts(first)]
    again = replace(case, dated=[*case.dated, *drafts]).run()
    assert again.proposals.empty


@examples(12)
@given(companies(), st.sampled_from(["Cycle Service Level", "Fill Rate", "Least Cost", "Buffers"]))
def test_nothing_is_ordered_twice_by_any_method_and_every_line_can_be_computed_again(case: Case, method: str) -> None:
    case = replace(case, settings=replace(case.settings, policy_method=method, order_cost=5.0))
    first = case.run().proposals
    for line in first.itertuples():
        assert recompute(json.loads(json.dumps(line.evidence))) == line.stock_qty
    assert replace(case, dated=[*case.dated, *as_drafts(first)]).run().proposals.empty


@examples(15)
@given(companies(), st.floats(0.0, 500.0))
def test_more_on_the_shelf_never_orders_more(case: Case, more: float) -> None:
    richer = replace(case, positions=[p | {"on_hand_qty": p["on_hand_qty"] + more} for p in case.positions])
    less = ordered(richer)
    now = ordered(case)
    assert all(less.get(code, 0.0) <= now.get(code, 0.0) + 1e-9 for code in CODES)


@examples(15)
@given(companies())
def test_every_line_is_enough_keeps_the_rules_and_can_be_computed_again(case: Case) -> None:
    result = case.run()
    policies = result.policies.set_index("item_code")
    rules = {i["item_code"]: i for i in case.items}
    offers = {s["item_code"]: s for s in case.sourcing}
    for line in result.proposals.itertuples():
        need = policies.loc[line.item_code, "order_up_to_qty"] - policies.loc[line.item_code, "position_qty"]
        offer, rule = offers[line.item_code], rules[line.item_code]
        slack = 1e-5 * max(1.0, line.stock_qty)
        assert line.stock_qty >= max(need, offer["min_order_qty"], rule["min_order_qty"]) - slack
        if offer["order_multiple_qty"]:
            packs = line.stock_qty / offer["order_multiple_qty"]
            assert packs == pytest.approx(round(packs), abs=1e-9)
        if offer["uom_whole"]:
            assert line.qty == pytest.approx(round(line.qty), abs=1e-9)
        if rule["stock_uom_whole"]:
            assert line.stock_qty == pytest.approx(round(line.stock_qty), abs=1e-9)
        assert line.amount == pytest.approx(line.qty * line.rate)
        assert recompute(json.loads(json.dumps(line.evidence))) == line.stock_qty
        assert line.need_on <= line.schedule_date
        assert line.order_by >= day(1)


@examples(8)
@given(companies())
def test_grouping_keeps_every_line_and_every_total(case: Case) -> None:
    proposals = case.run().proposals
    orders, lines = group_orders(proposals)
    assert sorted(lines["item_code"]) == sorted(proposals["item_code"])
    for column in ("base_amount", "money_at_risk", "amount"):
        assert orders[column].sum() == pytest.approx(proposals[column].sum())
        per_order = lines.groupby(["supplier", "currency"])[column].sum()
        assert per_order.sort_index().tolist() == pytest.approx(
            orders.set_index(["supplier", "currency"])[column].sort_index().tolist()
        )
    assert orders["lines"].sum() == len(proposals)
    assert not orders.duplicated(["supplier", "currency"]).any()
    assert orders["money_at_risk"].is_monotonic_decreasing
    assert orders["order_rank"].tolist() == list(range(1, len(orders) + 1))
    for _rank, of_order in lines.groupby("order_rank"):
        assert of_order["money_at_risk"].is_monotonic_decreasing
        assert of_order["line_rank"].tolist() == list(range(1, len(of_order) + 1))


def test_no_proposals_make_no_orders() -> None:
    orders, lines = group_orders(PROPOSALS.empty())
    assert orders.empty
    assert lines.empty


@examples(6)
@given(companies(), st.floats(0.5, 0.99), st.floats(0.5, 0.99))
def test_a_higher_service_level_never_lowers_safety_stock_or_levels(case: Case, a: float, b: float) -> None:
    low, high = (
        replace(case, settings=replace(case.settings, service_level_by_class=levels)).run().policies
        for levels in (dict.fromkeys("ABC", level) for level in sorted((a, b)))
    )
    for column in ("safety_stock_qty", "reorder_point_qty", "order_up_to_qty"):
        assert (low[column] <= high[column] + 1e-9).all()


@examples(5)
@given(companies())
def test_the_same_input_in_another_order_gives_the_same_result(case: Case) -> None:
    one = case.run()
    turned = replace(case, positions=case.positions[::-1], items=case.items[::-1], sourcing=case.sourcing[::-1]).run()
    pd.testing.assert_frame_equal(one.policies, turned.policies)
    pd.testing.assert_frame_equal(one.proposals, turned.proposals)
    assert one.faults == turned.faults


def test_an_order_is_drafted_as_late_as_the_lead_time_and_its_approval_allow() -> None:
    """10 a day, lead time 7, approval 2, no deviation: 100 last through day 10, an order of day 3 arrives on day 10."""
    calm: dict[str, Any] = {"std": {"A": 0.0}, "sourcing": [source(lead_time_std_days=0.0)]}
    assert Case(positions=[stock("A", 100.0)], **calm).run().proposals.empty
    line = Case(positions=[stock("A", 95.0)], **calm).run().proposals.iloc[0]
    assert line["stock_qty"] == 45.0, "up to 14 days of demand: lead time and review period"
    assert line["need_on"] == day(10)
    assert line["schedule_date"] == day(10)
    assert line["order_by"] == day(3)
    assert line["days_late"] == 0.0


def test_without_time_for_approval_it_is_the_reorder_point() -> None:
    calm: dict[str, Any] = {
        "std": {"A": 0.0},
        "sourcing": [source(lead_time_std_days=0.0)],
        "settings": with_days(7, 0),
    }
    assert Case(positions=[stock("A", 80.0)], **calm).run().proposals.empty
    assert Case(positions=[stock("A", 79.0)], **calm).run().proposals["order_by"].tolist() == [day(1)]


def test_orders_approved_every_day_still_last_a_review_period() -> None:
    """Nightly plans whose drafts are approved at once: about one order per review period, not one a day."""
    calm: dict[str, Any] = {"std": {"A": 1.0}, "sourcing": [source(lead_time_std_days=0.0)]}
    on_hand, arrivals, orders = 140.0, dict[int, float](), 0
    for night in range(60):
        on_hand += arrivals.pop(night, 0.0)
        supply = [dated("A", due - night, qty, "purchase_order") for due, qty in arrivals.items()]
        for qty in Case(positions=[stock("A", on_hand)], dated=supply, **calm).run().proposals["stock_qty"]:
            arrivals[night + 8] = qty
            orders += 1
        on_hand -= 10.0
        assert on_hand >= 0.0
    assert 60 / 7 - 2 <= orders <= 60 / 5


def test_a_need_before_an_order_can_arrive_is_due_at_the_earliest_arrival() -> None:
    result = Case(positions=[stock("A", 25.0)], std={"A": 0.0}, sourcing=[source(lead_time_std_days=0.0)]).run()
    line = result.proposals.iloc[0]
    assert line["need_on"] == day(3)
    assert line["schedule_date"] == day(8), "ordered tomorrow, seven days on the way"
    assert line["order_by"] == day(1)
    assert line["days_late"] == 5.0
    assert sentences(result, "Unavoidable Shortage") == [
        f"A in {WAREHOUSE} runs out on 2026-03-04, 5 days before an order placed now arrives on 2026-03-09. 45 Nos are "
        "missing by then. Ask Best to deliver sooner or bring stock from elsewhere."
    ]
    fault = next(f for f in result.faults if f.kind == "Unavoidable Shortage")
    assert fault.money_at_risk == 45.0 * 15.0


def test_one_day_is_no_days_and_half_a_piece_is_a_whole_one() -> None:
    result = Case(positions=[stock("A", 65.5)], std={"A": 0.0}, sourcing=[source(lead_time_std_days=0.0)]).run()
    assert sentences(result, "Unavoidable Shortage") == [
        f"A in {WAREHOUSE} runs out on 2026-03-08, one day before an order placed now arrives on 2026-03-09. 5 Nos are "
        "missing by then. Ask Best to deliver sooner or bring stock from elsewhere."
    ]
    line = result.proposals.iloc[0]
    assert line["days_late"] == 1.0
    reason = line["reason_template"].format(**line["reason_values"])
    assert "one day before an order placed now can arrive" in reason
    assert line["evidence"]["need_qty"] == 74.5, "numbers stay what they are"
    assert "75 Nos are missing" in reason
    assert next(f for f in result.faults if f.kind == "Unavoidable Shortage").money_at_risk == 4.5 * 15.0


def test_falling_into_the_safety_stock_is_late_but_no_shortage() -> None:
    result = Case(positions=[stock("A", 85.0)], std={"A": 10.0}).run()
    assert result.proposals["days_late"].iloc[0] > 0
    assert sentences(result, "Unavoidable Shortage") == []


def test_supply_that_comes_too_late_is_named_and_nothing_more_is_ordered() -> None:
    result = Case(positions=[stock("A", 25.0)], dated=[dated("A", 10, 500.0, "purchase_order")]).run()
    assert result.proposals.empty
    assert sentences(result, "Unavoidable Shortage") == [
        f"A in {WAREHOUSE} runs out on 2026-03-04; 65 Nos are missing until open supply arrives. Enough is on order, "
        "only too late: ask for it sooner."
    ]


def test_what_is_not_worth_stocking_is_not_said_to_be_on_order() -> None:
    settings = PlanSettings("T", "EUR", policy_method="Least Cost", order_cost=1e6)
    result = Case(daily={"A": 0.5}, positions=[stock("A", 3.0)], settings=settings).run()
    assert result.proposals.empty
    assert sentences(result, "Unavoidable Shortage") == []


def test_a_slow_item_without_stock_is_no_shortage_that_anybody_could_see() -> None:
    result = Case(daily={"A": 0.05}, std={"A": 0.2}, positions=[stock("A", 0.0)]).run()
    assert len(result.proposals) == 1
    assert sentences(result, "Unavoidable Shortage") == []


def test_firm_orders_beyond_the_forecast_are_ordered_on_top_and_those_within_are_not() -> None:
    calm = Case(positions=[stock("A", 500.0)])
    need = calm.run().policies["position_qty"].iloc[0]
    within = replace(calm, dated=[dated("A", 3, -30.0, "sales_order")]).run().policies["position_qty"].iloc[0]
    beyond = replace(calm, dated=[dated("A", 3, -100.0, "sales_order")]).run().policies["position_qty"].iloc[0]
    assert (need, within, beyond) == (500.0, 500.0, 470.0)


def test_a_negative_stock_is_a_backlog_that_is_filled_and_reported() -> None:
    result = Case(positions=[stock("A", -40.0)], std={"A": 0.0}, sourcing=[source(lead_time_std_days=0.0)]).run()
    assert result.proposals["stock_qty"].iloc[0] == 180.0
    assert sentences(result, "Negative Stock") == [
        f"A in {WAREHOUSE}: the stock is -40. It was planned as a backlog to be filled; count the shelf and correct "
        "the ledger."
    ]


def test_a_sales_order_for_an_item_without_forecast_is_bought() -> None:
    case = Case(
        daily={"A": 10.0},
        positions=[stock("A", 500.0), stock("New", 0.0)],
        items=[item("A"), item("New")],
        sourcing=[source("A"), source("New")],
        dated=[dated("New", 5, -12.0, "sales_order")],
    )
    line = case.run().proposals.iloc[0]
    assert (line["item_code"], line["stock_qty"], line["need_on"]) == ("New", 12.0, day(5))


def test_stock_without_history_gets_a_policy_and_a_bare_position_none() -> None:
    case = Case(
        positions=[stock("A", 500.0), stock("Old", 3.0), stock("Nothing", 0.0)],
        items=[item("A"), item("Old"), item("Nothing")],
    )
    policies = case.run().policies
    assert policies["item_code"].tolist() == ["A", "Old"]
    assert policies["order_up_to_qty"].tolist()[1] == 0.0
    sentence = policies["explanation_template"][1].format(**policies["explanation_values"][1])
    assert sentence.startswith("No demand is expected in the next 21 days")


def test_a_pair_with_history_and_no_position_has_nothing_on_hand() -> None:
    result = Case(positions=[stock("B", 1.0)], items=[item("A"), item("B")]).run()
    assert result.policies.set_index("item_code").loc["A", "on_hand_qty"] == 0.0
    assert result.proposals["item_code"].tolist() == ["A"]


@pytest.mark.parametrize("values", [{"we_order": False}, {"order_suppressed_until": day(1)}])
def test_what_another_orders_or_a_person_refused_is_left_alone(values: dict[str, Any]) -> None:
    result = Case(positions=[stock("A", 0.0, **values)]).run()
    assert result.proposals.empty
    assert len(result.policies) == 1


def test_a_refusal_ends_on_its_day() -> None:
    assert len(Case(positions=[stock("A", 0.0, order_suppressed_until=day(0))]).run().proposals) == 1


def test_money_at_risk_uses_the_selling_rate_or_cost_and_margin() -> None:
    calm: dict[str, Any] = {"std": {"A": 0.0}, "sourcing": [source(lead_time_std_days=0.0)]}
    sold = Case(**calm).run().proposals["money_at_risk"].iloc[0]
    unpriced = Case(items=[item(selling_rate=None)], **calm).run().proposals["money_at_risk"].iloc[0]
    assert (sold, unpriced) == (140.0 * 15.0, pytest.approx(140.0 * 10.0 * 1.3))


def test_demand_that_is_only_float_noise_has_no_days_of_cover() -> None:
    result = Case(daily={"A": 1e-308}, std={"A": 0.0}, positions=[stock("A", 5.0)]).run()
    assert result.policies["days_of_cover"].isna().all()


def test_both_sentences_read_as_a_buyer_would_say_them() -> None:
    result = Case(positions=[stock("A", 95.0)], std={"A": 0.0}, sourcing=[source(lead_time_std_days=0.0)]).run()
    line, policy = result.proposals.iloc[0], result.policies.iloc[0]
    assert line["reason_template"].format(**line["reason_values"]) == (
        "Stock falls below the safety stock of 0 Nos on 2026-03-11. 95 Nos are on hand or on order, firm demand "
        "beyond the forecast taken off; 140 Nos are wanted for the next 14 days (lead time and review period): 45 Nos "
        "are missing, ordered as 45 Nos."
    )
    assert policy["explanation_template"].format(**policy["explanation_values"]) == (
        "The lead time of 7 days, give or take 0, is learned from receipts. In it 70 Nos are expected to go out, give "
        "or take 0 a day. Class A is to be in stock in 98% of order cycles (z = 2.05), which takes a safety stock of 0 "
        "Nos. Reorder point 70 Nos; order up to 140 Nos, enough for 14 days."
    )


def test_evidence_names_its_inputs_and_a_missing_one_is_an_error() -> None:
    evidence = Case().run().proposals["evidence"].iloc[0]
    (told,) = evidence["suppliers"]
    named = {"supplier": "Best", "is_default": True, "blocked_reason": "", "base_rate": 10.0}
    assert {key: told[key] for key in named} == named
    assert told["lead_time_days"] == 7.0
    for name in RECOMPUTED_FROM:
        with pytest.raises(KeyError, match=name):
            recompute({key: value for key, value in evidence.items() if key != name})


def test_evidence_follows_its_inputs() -> None:
    evidence = Case(positions=[stock("A", 20.0)]).run().proposals["evidence"].iloc[0]
    assert recompute(evidence | {"on_hand_qty": 0.0}) == recompute(evidence) + 20.0


def test_thirty_pairs_of_one_item_are_planned_apart() -> None:
    """The lead time is the item's, the position each warehouse's."""
    case = Case()
    outlook = case.outlook()
    houses = [f"W{i:02d}" for i in range(30)]
    keys = pd.DataFrame({"item_code": "A", "warehouse": houses})
    many = replace(
        outlook,
        keys=keys,
        demand_class=np.full(30, "Smooth", dtype=object),
        last_year_qty=np.full(30, 3650.0),
        daily_mean=lambda as_of, days: np.full((30, days), 10.0),
        daily_std=lambda: np.full(30, 1.0),
    )
    positions = keys.assign(on_hand_qty=np.arange(30) * 10.0, valuation_rate=10.0)
    lines = replenish(many, positions, case.supply(), case.settings, AS_OF).proposals
    assert lines["warehouse"].tolist() == houses[:13]
    assert (np.diff(lines["stock_qty"]) <= -9.0).all()
