"""On which days a supplier takes orders and delivers. AS_OF is Sunday, 1 March 2026; day 0 is Monday, the 2nd."""

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from replenishment_case import AS_OF, Case, day, sentences, source, stock

from erp_forecast_addon.planning.purchasing.order_days import OrderTerms, order_days, weekday_digits
from erp_forecast_addon.planning.replenishment import Supply
from erp_forecast_addon.planning.tables import DAYS_OFF, ORDER_TERMS


def terms(weekdays: str = "", off: tuple[int, ...] = (), supplier: str = "Best", **more: object) -> OrderTerms:
    """off: days after AS_OF on which the supplier is closed."""
    row = {"supplier": supplier, "weekdays": weekdays, "holiday_list": "H" if off else ""} | more
    days = pd.DataFrame({"holiday_list": "H", "day": [day(offset) for offset in off]}) if off else DAYS_OFF.empty()
    return OrderTerms(ORDER_TERMS.check(pd.DataFrame([row])), DAYS_OFF.check(days))


def days_of(given_: OrderTerms, horizon: int = 60):
    return order_days(given_, np.array(["Best", "Nobody"], dtype=object), AS_OF, horizon)


def test_without_terms_every_day_counts() -> None:
    days = order_days(OrderTerms(), np.array(["Best"], dtype=object), AS_OF, 30)
    assert (days.first[0], days.gap[0]) == (0, 1)
    assert days.arrival(np.array([7])).tolist() == [7]
    assert days.order_by(np.array([20]), np.array([7])).tolist() == [13]
    assert days.delivery_by(np.array([20]), np.array([7])).tolist() == [20]


def test_orders_leave_on_his_weekdays_and_the_gap_is_to_the_next() -> None:
    days = days_of(terms("03"))  # Monday and Thursday
    assert (days.first.tolist(), days.gap.tolist()) == ([0, 0], [3, 1])
    days = days_of(terms("2"))  # Wednesday
    assert (days.first.tolist(), days.gap.tolist()) == ([2, 0], [7, 1])
    assert days.arrival(np.array([7, 7])).tolist() == [9, 7]
    assert days.order_by(np.array([14, 14]), np.array([7, 7])).tolist() == [2, 7], "Wednesday before Monday the 9th"


def test_holidays_move_orders_and_deliveries() -> None:
    days = days_of(terms(off=(1, 2, 9)))  # Monday and Tuesday, and Tuesday a week later
    assert days.first.tolist() == [2, 0]
    assert days.arrival(np.array([6, 6])).tolist() == [9, 6], "day 8 is closed, and he comes the day after"
    assert days.delivery_by(np.array([8, 8]), np.array([4, 4])).tolist() == [7, 8], "in time is the day before"
    assert days.order_by(np.array([7, 7]), np.array([6, 6])).tolist() == [2, 1]


def test_a_holiday_on_his_only_weekday_moves_the_order_a_week() -> None:
    days = days_of(terms("0", off=(1,)))
    assert days.first.tolist() == [7, 0]


def test_typed_weekdays_are_read_and_other_words_told() -> None:
    assert weekday_digits("Monday, thu; FRIDAY") == ("034", [])
    assert weekday_digits("Mon Montag") == ("0", ["Montag"])
    assert weekday_digits("") == ("", [])
    assert weekday_digits("T") == ("", ["T"])


@given(st.sets(st.integers(0, 6)), st.sets(st.integers(1, 40)), st.integers(0, 20), st.integers(0, 30))
@settings(max_examples=80, deadline=None)
def test_nothing_leaves_or_arrives_on_a_closed_day(weekdays: set[int], off: set[int], lead: int, need: int) -> None:
    given_ = terms("".join(map(str, sorted(weekdays))), tuple(sorted(off)))
    days = days_of(given_, 200)
    first, arrival = days.first[0], days.arrival(np.array([lead, lead]))[0]
    delivery = days.delivery_by(np.array([need, need]), np.array([arrival, arrival]))[0]
    by = days.order_by(np.array([delivery, delivery]), np.array([lead, lead]))[0]
    monday = (AS_OF.weekday() + 1) % 7
    for order in (first, by, first + days.gap[0]):
        assert order + 1 not in off
        assert not weekdays or (order + monday) % 7 in weekdays
    assert arrival + 1 not in off
    assert delivery + 1 not in off
    assert arrival >= first + lead
    assert delivery == arrival or arrival <= delivery <= need
    assert first <= by <= max(delivery - lead, first)


def with_terms(case: Case, given_: OrderTerms) -> Case:
    class WithTerms(Case):
        def supply(self) -> Supply:
            return replace(super().supply(), terms=given_)

    return WithTerms(**{name: getattr(case, name) for name in case.__dataclass_fields__})


CALM = {"std": {"A": 0.0}, "sourcing": [source(lead_time_std_days=0.0)]}


def test_a_weekly_order_day_orders_earlier_and_enough() -> None:
    """10 a day, lead time 7, 115 on hand: day 11. Any day: nothing due yet. Wednesdays only: today's chance is the 4th,
    the next one the 11th would arrive on the 18th, too late."""
    assert Case(positions=[stock("A", 115.0)], **CALM).run().proposals.empty
    line = with_terms(Case(positions=[stock("A", 115.0)], **CALM), terms("2")).run().proposals.iloc[0]
    assert line["ordered_on"] == pd.Timestamp(date(2026, 3, 4))
    assert line["order_by"] == pd.Timestamp(date(2026, 3, 4))
    assert line["schedule_date"] == line["need_on"]
    assert line["stock_qty"] == 140.0 + 20.0 - 115.0, "two days' demand more until the order leaves"


def test_a_draft_for_a_far_order_day_waits_until_drafts_are_made() -> None:
    """Saturdays only: the 7th is five days away, drafts are made two days ahead."""
    assert with_terms(Case(positions=[stock("A", 60.0)], **CALM), terms("5")).run().proposals.empty
    near = replace(Case().settings, approval_days=5)
    assert len(with_terms(Case(positions=[stock("A", 60.0)], settings=near, **CALM), terms("5")).run().proposals) == 1


def test_what_is_ordered_by_calendar_is_not_ordered_again() -> None:
    case = with_terms(Case(positions=[stock("A", 30.0)], **CALM), terms("1", off=(2, 9)))
    line = case.run().proposals
    assert len(line) == 0, "the 10th is eight days away"
    case = with_terms(Case(positions=[stock("A", 30.0)], **CALM), terms("02", off=(8, 10)))
    line = case.run().proposals.iloc[0]
    assert line["schedule_date"] == day(9) or line["schedule_date"] > day(8)
    draft = {"item_code": "A", "warehouse": line["warehouse"], "day": line["schedule_date"], "qty": line["stock_qty"]}
    for kind in ("our_draft", "purchase_order"):
        assert replace(case, dated=[draft | {"kind": kind}]).run().proposals.empty


def test_a_calendar_that_leaves_no_day_is_told_and_not_used() -> None:
    case = with_terms(Case(positions=[stock("A", 0.0)], **CALM), terms(off=tuple(range(1, 800))))
    result = case.run()
    assert result.proposals["ordered_on"].tolist() == [day(1)]
    assert sentences(result, "Bad Data") == [
        "Best: his weekdays and holidays leave no day to order or deliver on, so they were not used. Correct them in "
        "the supplier's order terms."
    ]


@pytest.mark.parametrize("offset", [0, 3])
def test_the_calendar_without_a_rule_changes_nothing(offset: int) -> None:
    case = Case(positions=[stock("A", 20.0 + offset)])
    plain, other = case.run().proposals, with_terms(case, terms("2", supplier="Somebody")).run().proposals
    pd.testing.assert_frame_equal(plain, other)
