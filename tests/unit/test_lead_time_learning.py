"""What receipts and open lines teach about suppliers."""

from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from erp_forecast_addon.planning.inventory import lead_time_learning as learning
from erp_forecast_addon.planning.inventory import lead_time_pooling as pooling
from erp_forecast_addon.planning.inventory.arrivals import as_delivered, expected_arrivals
from erp_forecast_addon.planning.inventory.lead_time_delay import arrival
from erp_forecast_addon.planning.inventory.lead_time_distribution import mean, quantiles, std
from erp_forecast_addon.planning.inventory.lead_time_learning import Learned, learn_lead_times
from erp_forecast_addon.planning.inventory.supplier_lead_times import never_received, supplier_lead_times
from erp_forecast_addon.planning.tables import DATED, OPEN_LINES, RECEIPTS, SOURCING

AS_OF = date(2026, 11, 20)
TODAY = pd.Timestamp(AS_OF)


def received(*lines: tuple[str, str, int, int], qty: float = 10.0, asked: float | None = None) -> pd.DataFrame:
    """supplier, item, days ago ordered, days taken; every line an order of its own."""
    frame = pd.DataFrame(lines, columns=["supplier", "item_code", "ago", "took"])
    ordered = TODAY - pd.to_timedelta(frame["ago"], unit="D")
    made = frame.assign(
        ordered_on=ordered, received_on=ordered + pd.to_timedelta(frame["took"], unit="D"), stock_qty=qty,
        order_line=[f"L{at}" for at in range(len(frame))], purchase_order=[f"P{at}" for at in range(len(frame))],
    )  # fmt: skip
    if asked is not None:
        made["schedule_on"] = ordered + pd.Timedelta(days=asked)
    return RECEIPTS.check(made)


def still_open(*lines: tuple[str, str, int, int]) -> pd.DataFrame:
    """supplier, item, days ago ordered, days asked for."""
    frame = pd.DataFrame(lines, columns=["supplier", "item_code", "ago", "asked"])
    ordered = TODAY - pd.to_timedelta(frame["ago"], unit="D")
    return OPEN_LINES.check(
        frame.assign(
            ordered_on=ordered,
            schedule_on=ordered + pd.to_timedelta(frame["asked"], unit="D"),
            open_qty=10.0,
            order_line=[f"O{at}" for at in range(len(frame))],
            purchase_order=[f"Q{at}" for at in range(len(frame))],
        )
    )


def learn(receipts: pd.DataFrame, open_lines: pd.DataFrame | None = None, default_days: float = 14.0) -> Learned:
    return learn_lead_times(receipts, OPEN_LINES.empty() if open_lines is None else open_lines, AS_OF, default_days)


def row(learned: Learned, supplier: str, item: str = "") -> int:
    return int(learned.lead_times.rows_of(np.array([supplier], dtype=object), np.array([item], dtype=object))[0])


def mean_days(learned: Learned, supplier: str, item: str = "") -> float:
    return float(mean(learned.lead_times.probability)[row(learned, supplier, item)])


def steady(supplier: str, item: str, took: int, orders: int) -> list[tuple[str, str, int, int]]:
    return [(supplier, item, took + 5 + 7 * at, took) for at in range(orders)]


# ---- pooling ------------------------------------
def test_many_orders_stand_on_their_own() -> None:
    learned = learn(received(*steady("S", "A", 10, 60), *steady("T", "B", 40, 60)))
    assert mean_days(learned, "S", "A") == pytest.approx(10.0, abs=1.0)
    assert mean_days(learned, "T", "B") == pytest.approx(40.0, abs=3.0)
    assert quantiles(learned.lead_times.probability, (0.5,))[row(learned, "T", "B"), 0] == 40


def test_an_item_never_bought_has_its_suppliers_row_and_a_new_supplier_the_companys() -> None:
    learned = learn(received(*steady("S", "A", 10, 20), *steady("T", "B", 40, 20)))
    known = learned.lead_times
    assert row(learned, "S", "New") == row(learned, "S")
    assert (known.supplier[row(learned, "New")], known.item_code[row(learned, "New")]) == ("", "")


def test_one_receipt_is_mixed_with_the_others_and_says_so() -> None:
    learned = learn(received(*steady("S", "A", 10, 30), ("T", "B", 50, 30)))
    assert 12.0 < mean_days(learned, "T") < 30.5, "between the company and the one order"
    assert std(learned.lead_times.probability)[row(learned, "T")] > 0.0, "one order alone would tell no deviation"
    table = supplier_lead_times(learned, AS_OF).set_index(["supplier", "item_code"])
    template, values = table.loc[("T", ""), ["explanation_template", "explanation_values"]]
    assert template.format(**values).startswith("Only one order has been received so far.")


def test_suppliers_unlike_each_other_are_not_drawn_together() -> None:
    """A continent apart: two orders of 60 days among suppliers of 3 days are a supplier of about 60 days."""
    near = [line for at in range(6) for line in steady(f"N{at}", f"A{at}", 3, 20)]
    far = [line for at in range(6) for line in steady(f"F{at}", f"B{at}", 60, 20)]
    learned = learn(received(*near, *far, *steady("New", "C", 60, 2)))
    assert quantiles(learned.lead_times.probability, (0.5,))[row(learned, "New"), 0] >= 45


@given(st.integers(1, 60), st.integers(0, 12))
@settings(deadline=None, max_examples=25)
def test_pooled_lies_between_own_and_parent(day: int, orders: int) -> None:
    """The mean of a group runs from its parent's, without observations, to its own, with many."""
    width = 80
    prior = np.zeros((1, width))
    prior[0, 30] = 1.0
    group, at = np.zeros(orders, dtype=np.int64), np.full(orders, day)
    no = np.zeros(orders, dtype=bool)
    found = pooling.pooled(pooling.evidence(group, at, np.ones(orders), no, no, 1, width), prior, 5.0)
    expected = (orders * day + 5.0 * 30) / (orders + 5.0)
    assert float(found[0] @ np.arange(width)) == pytest.approx(expected)


# ---- quantity ------------------------------------
@given(st.floats(0.1, 100.0), st.floats(0.1, 100.0))
@settings(deadline=None, max_examples=25)
def test_parts_of_a_line_weigh_by_quantity(first: float, second: float) -> None:
    parts = received(("S", "A", 50, 10), ("S", "A", 50, 30)).assign(
        stock_qty=[first, second], order_line="L", purchase_order="P"
    )
    learned = learn(parts)
    seen = learned.observations
    assert seen.weight.tolist() == pytest.approx([first / (first + second), second / (first + second)])
    assert seen.order_weight.sum() == pytest.approx(1.0)
    at = row(learned, "S", "A")
    assert learned.lead_times.observations[at] == pytest.approx(1.0)
    other = mean_days(learn(parts.assign(stock_qty=[second, first])), "S", "A")
    assert (mean_days(learned, "S", "A") < other) == (first > second) or first == pytest.approx(second, rel=1e-3)


def test_a_large_order_weighs_no_more_than_a_small_one() -> None:
    even = learn(received(("S", "A", 60, 10), ("S", "A", 50, 30)))
    odd = learn(received(("S", "A", 60, 10), ("S", "A", 50, 30)).assign(stock_qty=[1.0, 1000.0]))
    assert mean_days(odd, "S", "A") == pytest.approx(mean_days(even, "S", "A"))


def test_the_lines_of_an_order_are_one_order_of_the_supplier() -> None:
    lines = received(*[("S", f"A{at}", 50, 10) for at in range(5)]).assign(purchase_order="P")
    learned = learn(lines)
    assert learned.lead_times.observations[row(learned, "S")] == pytest.approx(1.0)
    assert learned.lead_times.observations[row(learned, "S", "A1")] == pytest.approx(1.0)


def test_without_names_an_order_is_supplier_and_day() -> None:
    lines = received(("S", "A", 50, 10), ("S", "A", 50, 20), ("S", "B", 50, 10))
    learned = learn(lines.assign(order_line="", purchase_order=""))
    assert learned.lead_times.observations[row(learned, "S")] == pytest.approx(1.0)
    assert learned.lead_times.observations[row(learned, "S", "A")] == pytest.approx(1.0)


# ---- what is still open ------------------------------------
def test_a_supplier_who_is_late_now_shows_it() -> None:
    history = received(*steady("S", "A", 10, 12), *steady("T", "B", 10, 12))
    before, after = learn(history), learn(history, still_open(*[("S", "A", 40 + at, 10) for at in range(4)]))
    assert mean_days(after, "S", "A") > mean_days(before, "S", "A") + 5.0
    assert quantiles(after.lead_times.probability, (0.9,))[row(after, "S"), 0] > 40
    table = supplier_lead_times(after, AS_OF).set_index(["supplier", "item_code"])
    late = table.loc[("S", "A")]
    assert (late["open_lines"], late["open_overdue_lines"]) == (4.0, 4.0)
    assert late["on_time_pct"] == 0.0
    assert late["mean_delay_days"] == pytest.approx(31.5), "open lines: 30, 31, 32, 33 days so far"


@given(st.integers(1, 100))
@settings(deadline=None, max_examples=20)
def test_an_open_line_never_shortens_the_lead_time(age: int) -> None:
    history = received(*steady("S", "A", 10, 8))
    before, after = learn(history), learn(history, still_open(("S", "A", age, 10)))
    # A line younger than the usual lead time says nothing; the company's own estimate may still move by a hair.
    assert mean_days(after, "S", "A") >= mean_days(before, "S", "A") - 0.05
    if age > 12:
        assert mean_days(after, "S", "A") > mean_days(before, "S", "A")


def test_without_a_prior_it_is_kaplan_meier() -> None:
    """Textbook case (Kaplan & Meier 1958, their example): deaths 0.8, 3.1, 5.4, 9.2, losses 1.0, 2.7, 7.0, 12.1."""
    times = np.array([8, 10, 27, 31, 54, 70, 92, 121])
    lost = np.array([False, True, True, False, False, True, False, True])
    seen = pooling.evidence(np.zeros(8, np.int64), times, np.ones(8), lost, np.zeros(8, bool), 1, 200)
    flat = np.full((1, 200), 1.0 / 200)
    found = pooling.pooled(seen, flat, 1e-6)
    survival = 1.0 - np.cumsum(found[0])
    assert survival[[8, 31, 54, 92]] == pytest.approx([7 / 8, 7 / 10, 21 / 40, 21 / 80], abs=0.01)


# ---- asked later than usual ------------------------------------
def test_an_order_asked_for_later_only_shows_that_the_date_was_met() -> None:
    soon = received(*steady("S", "A", 10, 10), asked=10)
    later = received(*[("S", "A", 95 + 7 * at, 60) for at in range(6)], asked=60).assign(
        order_line=lambda c: "later " + c["order_line"], purchase_order=lambda c: "later " + c["purchase_order"]
    )
    learned = learn(pd.concat([soon, later], ignore_index=True))
    at = row(learned, "S", "A")
    assert learned.asked_late.sum() == 6
    assert mean(learned.delivered.probability)[at] > 22.0, "what deliveries took"
    assert mean(learned.lead_times.probability)[at] < 14.0, "what the supplier needs"


def test_a_late_line_that_was_asked_for_later_is_a_delay_and_no_lead_time() -> None:
    history = received(*steady("S", "A", 10, 20), asked=10)
    plain, with_open = learn(history), learn(history, still_open(("S", "A", 70, 60)))
    assert mean_days(with_open, "S", "A") == pytest.approx(mean_days(plain, "S", "A"), rel=0.01)
    column = -with_open.delays.earliest_days
    on_the_day = [each.delays.usual[each.delays.rows_of(np.array(["S"], dtype=object))[0], column] for each in
                  (plain, with_open)]  # fmt: skip
    assert on_the_day[1] < on_the_day[0]


def test_a_lead_time_that_was_agreed_is_the_usual_one() -> None:
    lines = received(*steady("S", "A", 30, 10), asked=30)
    agreed = pd.DataFrame({"supplier": ["S"], "item_code": ["A"], "days": [10.0]})
    known = learn_lead_times(lines, OPEN_LINES.empty(), AS_OF, 14.0, agreed)
    assert known.asked_late.all()
    assert not learn(lines).asked_late.any()


def test_an_arrival_keeps_to_the_agreed_date_of_a_punctual_supplier() -> None:
    learned = learn(received(*steady("S", "A", 10, 40), asked=10))
    lead_time = learned.lead_times.probability[[row(learned, "S", "A")] * 3]
    names = np.array(["S"] * 3, dtype=object)
    asked = np.array([10.0, 45.0, np.nan])
    found = arrival(lead_time, learned.delays, names, asked, learning.later_than_usual(asked, np.full(3, 10.0)))
    assert found.sum(axis=1) == pytest.approx([1.0] * 3)
    assert quantiles(found, (0.5,))[:, 0].tolist() == [10, 45, 10]
    waited = arrival(lead_time, learned.delays, names, asked, np.array([False, True, False]), np.array([20, 50, 300]))
    assert waited[0, :21].sum() == waited[1, :51].sum() == 0.0
    assert waited.sum(axis=1) == pytest.approx([1.0] * 3), "an order older than anything seen arrives some day"


# ---- bad input ------------------------------------
def test_receipts_that_cannot_be_are_left_out_and_told() -> None:
    lines = received(("S", "A", 40, -9), ("S", "A", 40, 4), ("S", "A", 4, 30), ("S", "A", 800, 760), ("S", "A", 30, 8))
    learned = learn(lines.assign(stock_qty=[5.0, 0.0, 5.0, 5.0, 5.0]))
    assert learned.lead_times.observations[row(learned, "S", "A")] == pytest.approx(1.0)
    assert [(fault.kind, fault.supplier, fault.item_code) for fault in learned.faults] == [("Bad Data", "S", "A")] * 4
    sentences = [fault.sentence() for fault in learned.faults]
    assert sentences[0] == (
        "S, A: a receipt of 2026-10-02 lies before its order of 2026-10-11. It was left out of the lead times; "
        "correct the date of the receipt or of the order."
    )
    assert "brought 0.0, which is no quantity" in sentences[1]
    assert "is dated 2026-12-16, after 2026-11-20" in sentences[2]
    assert "more than 730 days earlier" in sentences[3]


def test_an_order_forgotten_for_years_and_one_asked_for_before_it_was_placed() -> None:
    history = received(*steady("S", "A", 10, 5))
    learned = learn(history, still_open(("S", "A", 900, 10), ("S", "A", 20, -30)))
    told = [fault.sentence() for fault in learned.faults]
    assert "has been open for more than 730 days" in told[0]
    assert "asks for delivery on 2026-10-01, before it was placed" in told[1]
    assert np.isfinite(learned.lead_times.probability).all()


def test_nothing_but_bad_receipts_teaches_nothing() -> None:
    learned = learn(received(("S", "A", 40, -9)))
    assert len(learned.lead_times.supplier) == 0
    assert len(learned.faults) == 1
    assert supplier_lead_times(learned, AS_OF).empty


def test_no_receipts_and_open_lines_at_all() -> None:
    learned = learn(RECEIPTS.empty())
    assert len(learned.lead_times.supplier) == 0
    assert not learned.faults


def test_a_supplier_without_a_single_receipt_is_told_by_what_is_open() -> None:
    learned = learn(received(*steady("T", "B", 10, 20)), still_open(("S", "A", 35, 10)))
    table = supplier_lead_times(learned, AS_OF).set_index(["supplier", "item_code"])
    first = table.loc[("S", "")]
    assert (first["observations"], first["open_overdue_lines"]) == (0.0, 1.0)
    assert first["lead_time_days"] > table.loc[("T", ""), "lead_time_days"] + 5.0
    sentence = first["explanation_template"].format(**first["explanation_values"])
    assert sentence.startswith("Nothing has been received yet, 1 lines are open.")
    assert pd.isna(first["last_receipt_on"])


def test_a_supplier_of_whom_nothing_is_known_says_where_his_lead_time_comes_from() -> None:
    sourcing = SOURCING.check(pd.DataFrame({
        "item_code": ["A", "B", "C", "D"], "supplier": ["S", "S", "U", "T"],
        "lead_time_days": [30.0, 12.0, np.nan, 5.0], "lead_time_source": ["item price", "item", "", "receipts"],
    }))  # fmt: skip
    learned = learn(received(*steady("T", "D", 5, 3)))
    table = never_received(sourcing, learned.lead_times, 14.0).set_index("supplier")
    assert list(table.index) == ["S", "U"]
    assert table["lead_time_days"].tolist() == [30.0, 14.0]
    assert table["source"].tolist() == ["item price", "settings"]
    told = [row.explanation_template.format(**row.explanation_values) for row in table.itertuples()]
    assert told[0] == "Nothing was ever received from S. The lead time of 30 days comes from his price list."
    assert "nobody named a lead time. The 14 days of the settings are used" in told[1]


def test_a_lead_time_of_nought_is_believed_and_remarked() -> None:
    learned = learn(received(*steady("S", "A", 0, 30)))
    assert learned.lead_times.probability[row(learned, "S", "A"), 0] > 0.7
    table = supplier_lead_times(learned, AS_OF).set_index(["supplier", "item_code"])
    assert table.loc[("S", ""), "explanation_template"].startswith("All {observations} orders were received on the day")
    assert not learned.faults


# ---- what is shown ------------------------------------
def test_a_supplier_who_gets_slower_has_a_trend() -> None:
    slower = [("S", "A", 30 + 30 * at, 40 - 2 * at) for at in range(18)]  # a month ago 40 days, 17 months before 6
    table = supplier_lead_times(learn(received(*slower)), AS_OF).set_index(["supplier", "item_code"])
    assert table.loc[("S", "A"), "trend_days_per_year"] == pytest.approx(2 * 365 / 30, rel=0.1)
    assert table.loc[("S", "A"), "trend_orders"] >= 6.0


def test_few_orders_tell_no_trend() -> None:
    table = supplier_lead_times(learn(received(*steady("S", "A", 10, 4))), AS_OF)
    assert table["trend_days_per_year"].isna().all()
    assert table["trend_orders"].tolist() == [0.0, 0.0]


def test_on_time_and_the_last_receipt() -> None:
    lines = received(("S", "A", 50, 8), ("S", "A", 40, 10), ("S", "A", 30, 16), ("S", "A", 20, 10), asked=10)
    table = supplier_lead_times(learn(lines), AS_OF).set_index(["supplier", "item_code"])
    found = table.loc[("S", "")]
    assert (found["on_time_pct"], found["mean_delay_days"], found["due_orders"]) == (75.0, 1.0, 4.0)
    assert found["last_receipt_on"] == TODAY - pd.Timedelta(days=10)


def test_the_order_of_rows_changes_nothing() -> None:
    lines = received(*steady("S", "A", 10, 9), *steady("T", "B", 30, 4), *steady("T", "A", 20, 3))
    mixed = lines.sample(frac=1.0, random_state=1, ignore_index=True)
    first, second = learn(lines), learn(mixed)
    assert first.lead_times.supplier.tolist() == second.lead_times.supplier.tolist()
    assert first.lead_times.item_code.tolist() == second.lead_times.item_code.tolist()
    np.testing.assert_allclose(first.lead_times.probability, second.lead_times.probability, atol=1e-9)


@given(st.floats(0.2, 4.0))
@settings(deadline=None, max_examples=25)
def test_stretching_moves_the_mean_by_the_factor(factor: float) -> None:
    share = np.zeros((1, 200))
    share[0, 10:31] = 1.0 / 21.0
    found = pooling.stretched(share, np.array([factor]))
    assert found.sum() == pytest.approx(1.0)
    assert (found >= 0.0).all()
    assert float(found[0] @ np.arange(200)) == pytest.approx(20.0 * factor, abs=0.3)


# ---- arrival of what is on order ------------------------------------
def test_open_lines_are_expected_on_their_date_or_when_the_supplier_has_shown() -> None:
    history = received(*steady("S", "A", 10, 40), asked=10)
    lines = still_open(("S", "A", 4, 30), ("S", "A", 25, 10), ("S", "A", 5, 10))
    lines.loc[2, "schedule_on"] = pd.NaT
    found = expected_arrivals(lines, learn(history, lines), AS_OF)
    ordered = lines["ordered_on"]
    assert found["expected_on"][0] == ordered[0] + pd.Timedelta(days=30), "asked for later: the date"
    assert found["expected_on"][1] > TODAY, "overdue: not before tomorrow"
    assert found["expected_on"][2] == ordered[2] + pd.Timedelta(days=10), "no date: the lead time"
    assert (found["latest_on"] >= found["expected_on"]).all()
    assert found["late_pct"][1] == pytest.approx(100.0)
    assert found["late_pct"][0] < 20.0
    assert np.isnan(found["late_pct"][2])


def test_without_any_history_open_lines_have_no_expected_day() -> None:
    found = expected_arrivals(still_open(("S", "A", 4, 30)), learn(RECEIPTS.empty()), AS_OF)
    assert found[["expected_on", "latest_on", "late_pct"]].isna().all(axis=None)
    assert expected_arrivals(OPEN_LINES.empty(), learn(RECEIPTS.empty()), AS_OF).empty


# ---- what a supplier has named ------------------------------------
def named(receipts: pd.DataFrame, days: float) -> pd.DataFrame:
    return receipts.assign(promised_on=receipts["ordered_on"] + pd.Timedelta(days=days))


def test_a_day_that_the_supplier_named_is_what_his_delay_is_told_against() -> None:
    history = received(*steady("S", "A", 30, 20), asked=10.0)
    assert np.nanmean(learn(history).observations.delay_days) == pytest.approx(20.0)
    promised = learn(named(history, 28.0))
    assert np.nanmean(promised.observations.delay_days) == pytest.approx(2.0)
    assert mean_days(promised, "S", "A") == pytest.approx(mean_days(learn(history), "S", "A"))


def test_a_late_day_of_the_suppliers_own_does_not_hold_him_back() -> None:
    """Asked for at once, promised for and delivered after 60 days: that is what he needs."""
    history = pd.concat(
        [received(*steady("S", "A", 10, 30), asked=10.0), named(received(*steady("S", "B", 60, 6)), 60.0)]
    )
    wished = pd.concat(
        [received(*steady("S", "A", 10, 30), asked=10.0), received(*steady("S", "B", 60, 6), asked=60.0)]
    )
    lines = [f"L{at}" for at in range(len(history))]
    own, buyers = (learn(each.assign(order_line=lines, purchase_order=lines)) for each in (history, wished))
    assert mean_days(own, "S", "B") > mean_days(buyers, "S", "B") + 10.0


def test_a_named_day_before_the_order_is_told_and_the_day_asked_for_counts() -> None:
    learned = learn(named(received(("S", "A", 40, 12), asked=10.0), -5.0))
    assert learned.observations.agreed_days.tolist() == [10.0]
    (fault,) = learned.faults
    assert "expected delivery date" in fault.sentence()


def test_open_lines_count_from_their_expected_day_and_never_before_the_agreed_one() -> None:
    history = received(*steady("S", "A", 30, 40), asked=20.0)
    lines = still_open(("S", "A", 25, 20), ("S", "A", 2, 20), ("S", "A", 2, 90))
    expected = expected_arrivals(lines, learn(history, lines), AS_OF)
    dated = DATED.check(pd.DataFrame({
        "item_code": "A", "warehouse": "W", "qty": 5.0, "kind": ["purchase_order"] * 3 + ["material_request"],
        "day": [*lines["schedule_on"], TODAY], "order_line": [*lines["order_line"], ""],
    }))  # fmt: skip
    found = as_delivered(dated, expected)
    # Ten days late as ever where the date is short, so the overdue line no longer counts at once; a far date is kept.
    assert (found["day"] - TODAY).dt.days.tolist() == [5, 28, 88, 0]
    assert found["agreed_on"].tolist()[:2] == lines["schedule_on"].tolist()[:2]
    assert found["agreed_on"].isna().tolist() == [False, False, True, True]
    early = expected.assign(expected_on=TODAY)
    assert as_delivered(dated, early.iloc[1:])["day"].tolist() == dated["day"].tolist()
    assert as_delivered(dated, expected.iloc[:0])["day"].tolist() == dated["day"].tolist()


def test_the_expected_day_is_told_from_the_day_that_the_supplier_named() -> None:
    history = named(received(*steady("S", "A", 30, 40), asked=20.0), 29.0)
    line = still_open(("S", "A", 10, 20))
    renamed = line.assign(promised_on=line["ordered_on"] + pd.Timedelta(days=45))
    (row,) = expected_arrivals(renamed, learn(history, renamed), AS_OF).to_dict("records")
    assert (row["agreed_on"] - TODAY).days == 35
    assert abs((row["expected_on"] - TODAY).days - 36) <= 1
