"""Lines that leave together: minimums, trucks, what is pulled forward, the week's money, and another supplier."""

import json
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from replenishment_case import AS_OF, WAREHOUSE, Case, day, item, sentences, source, stock

from erp_forecast_addon.planning.purchasing.budget import Limits, cut_lines, week_of
from erp_forecast_addon.planning.purchasing.evidence import recompute
from erp_forecast_addon.planning.purchasing.grouping import group_orders
from erp_forecast_addon.planning.purchasing.order_days import OrderTerms
from erp_forecast_addon.planning.replenishment import Replenishment, Supply
from erp_forecast_addon.planning.settings import PlanSettings
from erp_forecast_addon.planning.tables import COMMITTED, DAYS_OFF, ORDER_TERMS, PRICE_BREAKS

SETTINGS = PlanSettings(company="T", currency="EUR", policy_method="Textbook")


def made(case: Case, *terms: dict[str, Any], committed: list[dict[str, Any]] | None = None, **supplied: Any) -> Case:
    """The case with order terms and whatever else of Supply."""
    off = pd.DataFrame({"holiday_list": "H", "day": [day(2), day(9)]})
    given_ = OrderTerms(ORDER_TERMS.check(pd.DataFrame(list(terms))) if terms else ORDER_TERMS.empty(),
                        DAYS_OFF.check(off))  # fmt: skip

    class Made(Case):
        def supply(self) -> Supply:
            bound = COMMITTED.check(pd.DataFrame(committed)) if committed else COMMITTED.empty()
            return replace(super().supply(), terms=given_, committed=bound, **supplied)

    return Made(**{name: getattr(case, name) for name in case.__dataclass_fields__})


def calm(on_hand: dict[str, float], **values: Any) -> Case:
    """10 a day of each, lead time 7, no deviation: due below 90, then up to 140; sold at 15."""
    return Case(**({
        "daily": dict.fromkeys(on_hand, 10.0), "std": dict.fromkeys(on_hand, 0.0),
        "positions": [stock(code, qty) for code, qty in on_hand.items()], "items": [item(code) for code in on_hand],
        "sourcing": [source(code, lead_time_std_days=0.0) for code in on_hand],
    } | values))  # fmt: skip


def qty(result: Replenishment) -> dict[str, float]:
    return dict(zip(result.proposals["item_code"], result.proposals["stock_qty"], strict=True))


def told(result: Replenishment, code: str) -> list[str]:
    line = result.proposals.set_index("item_code").loc[code]
    return [template.format(**values) for template, values in line["notes"]]


# ---- minimums and trucks ------------------------------------
def test_what_is_due_soon_is_ordered_with_the_rest_where_that_reaches_the_minimum() -> None:
    """A is due with 60 pieces (600 EUR); B becomes due in two days with 30, then A takes 80: 1,100."""
    result = made(calm({"A": 80.0, "B": 110.0}), {"supplier": "Best", "min_order_amount": 1100.0}).run()
    assert qty(result) == {"A": 80.0, "B": 50.0}
    lines = result.proposals.set_index("item_code")
    assert lines["pulled_forward_days"].to_dict() == {"A": 0.0, "B": 2.0}
    assert lines.loc["B", "need_on"] > day(9)
    assert told(result, "B") == [
        "Ordered with the rest, which so reaches the minimum of Best; days until it would be due: 2."
    ]
    assert told(result, "A") == [
        "Ordered ahead, so that the order reaches the minimum of Best; days of demand more: 2."
    ]
    for line in result.proposals.itertuples():
        assert recompute(json.loads(json.dumps(line.evidence))) == line.stock_qty


def test_nothing_is_pulled_forward_where_nothing_is_due_or_the_minimum_is_reached() -> None:
    assert qty(made(calm({"A": 80.0, "B": 110.0}), {"supplier": "Best", "min_order_amount": 600.0}).run()) == {
        "A": 60.0
    }
    assert qty(made(calm({"A": 100.0, "B": 110.0}), {"supplier": "Best", "min_order_amount": 1e6}).run()) == {}


def test_a_minimum_out_of_reach_leaves_the_order_as_it_is_and_says_so() -> None:
    result = made(calm({"A": 80.0, "B": 110.0}), {"supplier": "Best", "min_order_amount": 9000.0}).run()
    assert qty(result) == {"A": 60.0}
    assert sentences(result, "Order Below Minimum") == [
        "The order to Best is worth 600 EUR; he delivers from 9000 EUR on. Nothing due within 7 days fills it. Add to "
        "it, ask him, or let it wait."
    ]


def test_the_window_of_the_settings_bounds_what_is_pulled_forward() -> None:
    case = calm({"A": 80.0, "B": 110.0}, settings=replace(SETTINGS, pull_forward_days=1))
    assert qty(made(case, {"supplier": "Best", "min_order_amount": 1100.0}).run()) == {"A": 60.0}


def test_what_a_person_refused_is_not_pulled_forward() -> None:
    case = calm({"A": 80.0, "B": 110.0})
    case.positions[1] |= {"order_suppressed_until": day(5)}
    assert qty(made(case, {"supplier": "Best", "min_order_amount": 650.0}).run()) == {"A": 70.0}


def test_a_truck_is_filled_by_what_fills_it_first() -> None:
    """A truck takes 1,000 kg; 60 pieces of 10 kg are 600. At 80% it may leave: two days more of A and B's 50."""
    case = calm({"A": 80.0, "B": 110.0}, items=[item("A", weight_per_unit=10.0), item("B", weight_per_unit=1.0)])
    truck = {"supplier": "Best", "truck_weight": 1000.0, "truck_fill_share": 0.8, "truck_qty": 500.0}
    result = made(case, truck).run()
    assert qty(result) == {"A": 80.0, "B": 50.0}
    assert sentences(result, "Order Below Minimum") == []
    full = made(case, truck | {"truck_weight": 300.0}).run()
    assert qty(full) == {"A": 60.0}, "two full trucks leave as they are"


def test_items_without_a_weight_are_named_where_the_truck_counts_it() -> None:
    result = made(calm({"A": 80.0}), {"supplier": "Best", "truck_weight": 1000.0, "truck_fill_share": 0.9}).run()
    assert (
        "Best ships by truck or container, but of 1 items of the order weight or volume is not known, such as A. "
        in (sentences(result, "Order Below Minimum")[-1])
    )


# ---- ship-to ------------------------------------
def test_ship_to_is_the_suppliers_rule_and_else_the_companys() -> None:
    case = calm({"A": 80.0, "B": 80.0}, sourcing=[source("A", lead_time_std_days=0.0), source("B", supplier="Own")])
    joined = made(case, {"supplier": "Own", "ship_to": "Per Warehouse"}).run().proposals.set_index("item_code")
    assert joined["ship_to"].to_dict() == {"A": "", "B": WAREHOUSE}
    case = replace(case, settings=replace(SETTINGS, ship_to="Per Warehouse"))
    apart = made(case, {"supplier": "Own", "ship_to": "Joined"}).run().proposals.set_index("item_code")
    assert apart["ship_to"].to_dict() == {"A": WAREHOUSE, "B": ""}


# ---- quantities ------------------------------------
def test_a_price_break_that_pays_is_ordered_at_its_price() -> None:
    breaks = PRICE_BREAKS.check(
        pd.DataFrame([{"item_code": "A", "supplier": "Best", "min_qty": 80.0, "base_rate": 9.0}])
    )
    result = made(calm({"A": 80.0}), price_breaks=breaks).run()
    line = result.proposals.iloc[0]
    assert (line["stock_qty"], line["rate"], line["amount"]) == (80.0, 9.0, 720.0)
    assert line["evidence"]["price_break_qty"] == 80.0
    assert told(result, "A") == ["From 80 Nos on Best is cheaper; the saving is more than holding the rest costs."]
    assert recompute(json.loads(json.dumps(line["evidence"]))) == 80.0
    off = made(calm({"A": 80.0}, settings=replace(SETTINGS, take_price_breaks=False)), price_breaks=breaks).run()
    assert (off.proposals["stock_qty"].tolist(), off.proposals["rate"].tolist()) == ([60.0], [10.0])


def test_a_break_that_costs_more_to_hold_than_it_saves_is_left() -> None:
    breaks = PRICE_BREAKS.check(pd.DataFrame([{"item_code": "A", "min_qty": 9000.0, "base_rate": 9.99}]))
    assert qty(made(calm({"A": 80.0}), price_breaks=breaks).run()) == {"A": 60.0}


def test_what_expires_is_not_ordered_beyond_what_sells() -> None:
    """Two days of approval, 7 on the way and 8 of shelf life: 170 sell in time, room for 90 beside 80 on hand."""
    breaks = PRICE_BREAKS.check(pd.DataFrame([{"item_code": "A", "min_qty": 95.0, "base_rate": 5.0}]))
    case = calm({"A": 80.0}, items=[item("A", shelf_life_days=8.0)])
    assert qty(made(case, price_breaks=breaks).run()) == {"A": 60.0}
    lasting = calm({"A": 80.0}, items=[item("A", shelf_life_days=60.0)])
    assert qty(made(lasting, price_breaks=breaks).run()) == {"A": 95.0}


# ---- the week's money ------------------------------------
def test_lines_are_ranked_by_margin_per_money_and_cut_where_the_budget_ends() -> None:
    case = calm(
        {"A": 60.0, "B": 60.0, "C": 60.0},
        items=[item("A", selling_rate=11.0), item("B", selling_rate=30.0), item("C", selling_rate=20.0)],
        settings=replace(SETTINGS, weekly_budget=1700.0),
    )
    result = made(case).run()
    assert qty(result) == {"B": 80.0, "C": 80.0}
    assert result.proposals.set_index("item_code")["budget_rank"].to_dict() == {"B": 1.0, "C": 2.0}
    assert told(result, "C") == ["Rank 2 of 3 by margin protected per money spent; the week's cut is after rank 2."]
    (fault,) = [each for each in result.faults if each.kind == "Over Budget"]
    assert fault.sentence() == (
        f"A in {WAREHOUSE}: 80 Nos from Best for 800 EUR are needed by 2026-03-08 but were not drafted. Of the 1700 "
        "EUR that may be ordered in the week of 2026-03-02, 1700 were left for lines that protect more margin per "
        "money (rank 3 of 3; the cut is after rank 2)."
    )
    assert fault.money_at_risk > 0.0
    evidence = result.proposals["evidence"].iloc[0]
    assert (evidence["budget_lines"], evidence["budget_last_rank"], evidence["budget_left"]) == (3.0, 2.0, 1700.0)


def test_what_left_this_week_already_is_off_the_budget() -> None:
    case = calm({"A": 60.0}, settings=replace(SETTINGS, weekly_budget=1000.0))
    spent = [{"kind": "ordered", "day": day(1), "amount": 150.0}]
    earlier = [{"kind": "ordered", "day": day(0), "amount": 900.0}, {"kind": "due", "day": day(1), "amount": 900.0}]
    assert qty(made(case, committed=spent).run()) == {"A": 80.0}
    assert qty(made(case, committed=earlier).run()) == {"A": 80.0}, "last week's, and what is not ordered"
    assert qty(made(case, committed=[spent[0] | {"amount": 250.0}]).run()) == {}


def test_payments_of_a_week_are_limited_by_the_day_they_fall_due() -> None:
    """Ordered on Monday the 2nd, here on the 9th, paid 20 days later: Sunday the 29th, in the week of the 23rd."""
    case = calm({"A": 60.0}, settings=replace(SETTINGS, weekly_cash_limit=1000.0))
    due = {"supplier": "Best", "payment_days": 20.0}
    busy = [{"kind": "due", "day": pd.Timestamp(date(2026, 3, 23)), "amount": 300.0}]
    result = made(case, due, committed=busy).run()
    assert qty(result) == {}
    assert "that may be paid in the week of 2026-03-23, 700 were left" in sentences(result, "Over Budget")[0]
    assert qty(made(case, due | {"payment_days": 30.0}, committed=busy).run()) == {"A": 80.0}


def test_pulling_forward_spends_no_more_than_the_week_has_left() -> None:
    case = calm({"A": 80.0, "B": 110.0}, settings=replace(SETTINGS, weekly_budget=1000.0))
    assert qty(made(case, {"supplier": "Best", "min_order_amount": 1100.0}).run()) == {"A": 60.0}
    case = replace(case, settings=replace(SETTINGS, weekly_budget=1300.0))
    assert qty(made(case, {"supplier": "Best", "min_order_amount": 1100.0}).run()) == {"A": 80.0, "B": 50.0}


def test_weeks_begin_on_monday() -> None:
    days = np.array(["2026-03-01", "2026-03-02", "2026-03-08", "2026-03-09"], dtype="datetime64[D]")
    assert week_of(days).astype(str).tolist() == ["2026-02-23", "2026-03-02", "2026-03-02", "2026-03-09"]


@given(st.lists(st.tuples(st.floats(0.0, 500.0), st.floats(0.0, 500.0), st.integers(0, 20)), min_size=1, max_size=20),
       st.floats(1.0, 3000.0), st.floats(0.0, 2000.0))  # fmt: skip
@settings(max_examples=80, deadline=None)
def test_no_week_spends_more_than_its_budget_and_the_cut_is_a_line(
    lines: list[tuple[float, float, int]], budget: float, bound: float
) -> None:
    amount, margin, offset = (np.array(part) for part in zip(*lines, strict=True))
    on = np.datetime64(AS_OF, "D") + offset.astype("timedelta64[D]")
    committed = COMMITTED.check(pd.DataFrame([{"kind": "ordered", "day": AS_OF, "amount": bound}]))
    cut = cut_lines(amount, margin, on, on, Limits(budget, 0.0, committed))
    for week in np.unique(cut.week):
        of_week = cut.week == week
        left = budget - (bound if week == week_of(np.array([AS_OF], dtype="datetime64[D]"))[0] else 0.0)
        spent = amount[of_week & ~cut.deferred].sum()
        assert spent <= max(left, 0.0) + 0.01 or (amount[of_week & ~cut.deferred] == 0.0).all()
        costs = of_week & (amount > 0.01)
        if (costs & cut.deferred).any() and (costs & ~cut.deferred).any():
            assert cut.rank[costs & ~cut.deferred].max() < cut.rank[costs & cut.deferred].min()
    assert sorted(cut.rank.tolist()) == list(range(1, len(lines) + 1))


# ---- another supplier ------------------------------------
def two(**other: Any) -> list[dict[str, Any]]:
    return [
        source("A", lead_time_std_days=0.0),
        source(
            "A", **({"supplier": "Other", "is_default": False, "lead_time_std_days": 0.0, "on_time_pct": 95.0} | other)
        ),
    ]


def test_a_cheaper_supplier_is_named_with_what_he_saves_and_the_days() -> None:
    result = calm({"A": 80.0}, sourcing=two(rate=9.0, lead_time_days=8.0)).run()
    line = result.proposals.iloc[0]
    assert (line["supplier"], line["alternative_supplier"]) == ("Best", "Other")
    # A year: price 10 against 9, half a week's stock, and a day more on the way; this line is 60 of 3,650.
    here, there = (
        (price * 3650 + 0.25 * price * (70 / 2 + 10 * days)) * 60 / 3650 for price, days in ((10.0, 7), (9.0, 8))
    )
    assert line["alternative_saving"] == pytest.approx(here - there)
    assert line["alternative_days"] == -1.0
    money = round(here - there, 2)
    assert told(result, "A") == [f"Other would save {money} EUR in all; days until delivery: 8 instead of 7."]
    (own, other) = sorted(line["evidence"]["suppliers"], key=lambda each: -each["base_rate"])
    assert (own["saving"], other["sooner_days"], other["on_time_pct"]) == (0.0, -1.0, 95.0)


def test_a_faster_supplier_is_named_with_what_he_costs_more() -> None:
    result = calm({"A": 80.0}, sourcing=two(rate=11.0, lead_time_days=3.0)).run()
    line = result.proposals.iloc[0]
    assert (line["alternative_supplier"], line["alternative_days"]) == ("Other", 4.0)
    assert line["alternative_saving"] < 0.0
    assert told(result, "A")[0].startswith("Other would deliver sooner, for ")


@pytest.mark.parametrize("other", [
    {"rate": 9.99}, {"rate": 5.0, "blocked_reason": "on hold"}, {"rate": 5.0, "uom": "Box"}, {"rate": None},
])  # fmt: skip
def test_one_who_saves_next_to_nothing_is_blocked_or_cannot_be_compared_is_not_named(other: dict[str, Any]) -> None:
    assert calm({"A": 80.0}, sourcing=two(**other)).run().proposals["alternative_supplier"].tolist() == [""]


TAKE = replace(SETTINGS, alternative_suppliers="Take")


def test_by_setting_the_supplier_of_least_total_cost_is_taken_with_his_lead_time() -> None:
    result = calm({"A": 80.0}, sourcing=two(rate=9.0, lead_time_days=9.0), settings=TAKE).run()
    line = result.proposals.iloc[0]
    assert (line["supplier"], line["rate"], line["stock_qty"]) == ("Other", 9.0, 80.0)
    assert result.policies["lead_time_days"].tolist() == [9.0]
    assert told(result, "A")[0] == "Ordered from Other instead of Best: 9.88% cheaper in all."
    assert recompute(json.loads(json.dumps(line["evidence"]))) == 80.0


@pytest.mark.parametrize("other", [
    {"rate": 9.9}, {"rate": 5.0, "on_time_pct": 79.0}, {"rate": 5.0, "on_time_pct": None},
    {"rate": 9.0, "lead_time_days": 180.0},
])  # fmt: skip
def test_he_is_not_taken_where_he_saves_too_little_is_late_or_unknown_or_binds_more_money(
    other: dict[str, Any],
) -> None:
    line = calm({"A": 80.0}, sourcing=two(**other), settings=TAKE).run().proposals.iloc[0]
    assert line["supplier"] == "Best"


def test_a_late_line_is_taken_over_by_who_is_sooner_where_the_sales_are_worth_it() -> None:
    case = calm({"A": 20.0}, sourcing=two(rate=11.0, lead_time_days=3.0), settings=TAKE)
    result = case.run()
    line = result.proposals.iloc[0]
    assert (line["supplier"], line["schedule_date"], line["rate"]) == ("Other", day(4), 11.0)
    assert told(result, "A")[0] == "Late: ordered from Other instead of Best, which gains 4 days."
    assert line["evidence"]["lead_time_days"] == 7.0, "the level stays the usual supplier's"
    assert recompute(json.loads(json.dumps(line["evidence"]))) == line["stock_qty"]
    dear = replace(case, sourcing=two(rate=16.0, lead_time_days=3.0)).run().proposals.iloc[0]
    assert dear["supplier"] == "Best"


# ---- properties ------------------------------------
@st.composite
def companies(draw: st.DrawFn) -> Case:
    codes = ["A", "B", "C", "D"]
    suppliers = st.sampled_from(["Best", "Other"])
    terms = [
        {
            "supplier": name, "min_order_amount": draw(st.sampled_from([0.0, 500.0, 3000.0])),
            "truck_weight": draw(st.sampled_from([0.0, 400.0])), "truck_fill_share": draw(st.sampled_from([0.0, 0.9])),
            "weekdays": draw(st.sampled_from(["", "03", "1"])), "holiday_list": draw(st.sampled_from(["", "H"])),
            "ship_to": draw(st.sampled_from(["", "Per Warehouse"])),
        }
        for name in ("Best", "Other")
    ]  # fmt: skip
    sourcing = []
    for code in codes:
        usual = draw(suppliers)
        sourcing += [
            source(
                code, supplier=name, is_default=name == usual, rate=draw(st.floats(5.0, 15.0)), uom="Box",
                uom_whole=True,
                conversion_factor=draw(st.sampled_from([1.0, 6.0, 0.5])), lead_time_days=draw(st.floats(0.0, 20.0)),
                min_order_qty=draw(st.sampled_from([0.0, 30.0])), order_multiple_qty=draw(st.sampled_from([0.0, 4.0])),
                on_time_pct=90.0,
            )
            for name in ("Best", "Other")
        ]  # fmt: skip
    breaks = PRICE_BREAKS.check(pd.DataFrame([
        {"item_code": code, "min_qty": draw(st.floats(20.0, 400.0)), "discount_share": draw(st.floats(0.0, 0.4))}
        for code in codes
    ]))  # fmt: skip
    plan = replace(
        SETTINGS, policy_method=draw(st.sampled_from(["Textbook", "Fill Rate", "Least Cost"])),
        alternative_suppliers=draw(st.sampled_from(["Offer", "Take"])), approval_days=draw(st.integers(0, 7)),
        weekly_budget=draw(st.sampled_from([0.0, 2500.0])), pull_forward_days=draw(st.sampled_from([0, 10])),
    )  # fmt: skip
    case = Case(
        daily={code: draw(st.sampled_from([0.0, 0.07, 1.5, 12.0])) for code in codes},
        std={code: draw(st.floats(0.0, 10.0)) for code in codes},
        positions=[stock(code, draw(st.floats(-20.0, 300.0))) for code in codes],
        items=[
            item(code, weight_per_unit=2.0, shelf_life_days=draw(st.sampled_from([None, 30.0])),
                 min_order_qty=draw(st.sampled_from([0.0, 25.0])))
            for code in codes
        ],
        sourcing=sourcing, settings=plan,
    )  # fmt: skip
    return made(case, *terms, price_breaks=breaks)


@settings(max_examples=12, deadline=None, phases=(Phase.explicit, Phase.generate))
@given(companies(), st.sampled_from(["our_draft", "purchase_order"]))
def test_whatever_is_joined_nothing_is_ordered_twice_below_a_minimum_or_lost_in_a_total(case: Case, kind: str) -> None:
    result = case.run()
    lines = result.proposals
    offers = {(each["item_code"], each["supplier"]): each for each in case.sourcing}
    least = {each["item_code"]: each["min_order_qty"] for each in case.items}
    for line in lines.itertuples():
        offer = offers[line.item_code, line.supplier]
        assert line.stock_qty >= max(offer["min_order_qty"], least[line.item_code]) - 1e-6
        assert line.qty == pytest.approx(round(line.qty), abs=1e-9)
        assert line.stock_qty == pytest.approx(line.qty * line.conversion_factor)
        assert line.amount == pytest.approx(line.qty * line.rate)
        assert recompute(json.loads(json.dumps(line.evidence))) == line.stock_qty
        assert line.schedule_date >= line.ordered_on >= day(1)
        assert line.order_by >= line.ordered_on
    orders, grouped = group_orders(lines)
    assert orders["lines"].sum() == len(grouped) == len(lines)
    for column in ("base_amount", "money_at_risk", "amount"):
        assert orders[column].sum() == pytest.approx(lines[column].sum())
    if case.settings.weekly_budget:
        spent = lines.groupby(week_of(lines["ordered_on"].to_numpy()))["base_amount"].sum()
        assert (spent <= case.settings.weekly_budget + 0.01).all()
    came = [
        {"item_code": line.item_code, "warehouse": line.warehouse, "day": line.schedule_date, "qty": line.stock_qty,
         "kind": kind}
        for line in lines.itertuples()
    ]  # fmt: skip
    if not case.settings.weekly_budget:
        assert replace(case, dated=came).run().proposals.empty
