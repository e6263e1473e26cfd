"""Open orders judged against the need: which way to move them, and when to say nothing."""

from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest

from erp_forecast_addon.planning.purchasing import late_supply
from erp_forecast_addon.planning.purchasing.reschedule import (
    CANCEL,
    DEFER,
    EXPEDITE,
    Course,
    Damping,
    reschedule,
    reschedule_faults,
)

AS_OF = date(2026, 3, 1)
EXACT = Damping(early_days=0, late_days=0, kept_share=1.0)


def line(name: str, due: int, qty: float, **values: Any) -> dict[str, Any]:
    return {
        "item_code": "A", "warehouse": "W", "supplier": "Best", "purchase_order": "PO-1", "order_line": name,
        "ordered_on": pd.Timestamp(AS_OF) - pd.Timedelta(days=10),
        "due_on": pd.Timestamp(AS_OF) + pd.Timedelta(days=due), "open_qty": qty, "unit_cost": 2.0,
    } | values  # fmt: skip


def course(on_hand: float, demand: list[float] | np.ndarray, safety_stock: float = 0.0, std: float = 0.0) -> Course:
    stock = on_hand - np.cumsum(np.asarray(demand, dtype=float))[None, :]
    return Course(stock, np.array([safety_stock]), np.array([std]))


def judged(lines: list[dict[str, Any]], on: Course, damping: Damping | None = None) -> pd.DataFrame:
    return reschedule(pd.DataFrame(lines), np.zeros(len(lines), dtype=np.int64), on, AS_OF, damping)


def test_the_record_of_the_textbook() -> None:
    """A material requirements record as in Orlicky and Vollmann: 20 on hand, requirements of 10, 15, 0, 25, 0, 10 in
    the days ahead, scheduled receipts of 10 in day 4 and 25 in day 5. The first is wanted on day 2, where the stock of
    -5 shows it; with it 5 are left, and the second is wanted on day 4. Both are to be pulled in, by two days and one.
    """
    found = judged([line("first", 4, 10), line("second", 5, 25)], course(20, [10, 15, 0, 25, 0, 10]), EXACT)
    assert found["action"].tolist() == [EXPEDITE, EXPEDITE]
    assert found["needed_day"].tolist() == [1, 3]
    assert (found["due_day"] - found["needed_day"]).tolist() == [2, 1]


def test_a_requirement_that_moved_out_puts_its_order_off_and_one_that_went_cancels_it() -> None:
    found = judged([line("first", 2, 10), line("second", 3, 10)], course(20, [5, 5, 5, 5, 5, 0, 0]), EXACT)
    assert found["action"].tolist() == [DEFER, CANCEL]
    assert found["needed_day"].tolist() == [4, -1]


def test_an_order_on_its_day_of_need_is_left_alone() -> None:
    assert judged([line("only", 5, 30)], course(40, [10] * 7), EXACT)["action"].tolist() == [""]


def test_small_changes_say_nothing() -> None:
    """Demand that is a few percent more or less than when the order was placed: no message; much more: one."""
    lines = [line("only", 20, 100)]
    for factor in (0.9, 1.0, 1.1):
        found = judged(lines, course(230, [10.0 * factor] * 120, safety_stock=30))
        assert found["action"].tolist() == [""], factor
    assert judged(lines, course(230, [14.0] * 120, safety_stock=30))["action"].tolist() == [EXPEDITE]
    assert judged(lines, course(230, [5.0] * 120, safety_stock=30))["action"].tolist() == [DEFER]
    assert judged(lines, course(230, [0.5] * 120, safety_stock=30))["action"].tolist() == [CANCEL]


@pytest.mark.parametrize("demand", np.linspace(0.0, 30.0, 13))
def test_what_says_expedite_never_says_defer_and_more_demand_never_puts_off(demand: float) -> None:
    order = {"": 1, DEFER: 2, CANCEL: 3, EXPEDITE: 0}
    lines = [line("only", 20, 100)]
    less = judged(lines, course(230, [demand] * 90, safety_stock=30))["action"].iloc[0]
    more = judged(lines, course(230, [demand + 2.5] * 90, safety_stock=30))["action"].iloc[0]
    assert order[more] <= order[less]


def test_lines_serve_the_need_in_the_order_of_their_days_whatever_the_order_of_rows() -> None:
    lines = [line("b", 6, 10), line("a", 2, 10), line("c", 6, 10)]
    one = judged(lines, course(5, [5] * 20), EXACT).set_index("order_line")
    other = judged(lines[::-1], course(5, [5] * 20), EXACT).set_index("order_line")
    assert one.loc["a", "needed_day"] == 1
    assert one.loc["b", "needed_day"] == 3
    assert one.loc["c", "needed_day"] == 5
    pd.testing.assert_frame_equal(one.sort_index(), other.sort_index())


def test_pairs_do_not_share_orders() -> None:
    lines = [line("a", 4, 10), line("b", 4, 10, item_code="B")]
    on = Course(np.array([[-5.0] * 6, [50.0] * 6]), np.zeros(2), np.zeros(2))
    found = reschedule(pd.DataFrame(lines), np.array([0, 1]), on, AS_OF, EXACT)
    assert found["action"].tolist() == [EXPEDITE, CANCEL]


def test_an_overdue_line_is_not_asked_for_sooner_and_one_beyond_sight_not_cancelled() -> None:
    found = judged([line("over", -3, 5), line("far", 300, 5)], course(-1, [1] * 30), EXACT)
    assert found.set_index("order_line").loc["over", "action"] == ""
    assert judged([line("far", 300, 5)], course(100, [1] * 30), EXACT)["action"].tolist() == [""]


def test_money_and_sentences() -> None:
    lines = [line("first", 10, 10), line("second", 40, 10), line("third", 50, 10)]
    on = course(5, [1.0] * 24 + [0.0] * 66)
    found = judged(lines, on).assign(stock_uom="Nos", stock_uom_whole=True)
    assert found["action"].tolist() == [EXPEDITE, EXPEDITE, CANCEL]
    faults = reschedule_faults(found, AS_OF, 90, np.full(3, 7.0), 0.25)
    assert [fault.kind for fault in faults] == [EXPEDITE, EXPEDITE, CANCEL]
    assert faults[0].money_at_risk == pytest.approx(7 * 4), "four are missing on the day before it comes"
    assert faults[1].money_at_risk == pytest.approx(7 * 9), "what the first line leaves missing"
    assert faults[2].money_at_risk == pytest.approx(20)
    assert "Ask Best to deliver sooner" in faults[0].sentence()
    assert faults[0].due_on == date(2026, 3, 7)
    deferred = judged([line("only", 5, 100)], course(100, [1.0] * 120)).assign(stock_uom="Nos", stock_uom_whole=True)
    (fault,) = reschedule_faults(deferred, AS_OF, 120, np.full(1, 7.0), 0.365)
    assert fault.money_at_risk == pytest.approx(200 * 0.001 * 96), "holding cost until it is wanted"


def test_late_lines() -> None:
    lines = [line("over", -3, 20), line("soon", 5, 50), line("idle", -2, 500, item_code="B")]
    on = Course(np.vstack([10.0 - 3.0 * np.arange(1, 31), np.full(30, 900.0)]), np.zeros(2), np.zeros(2))
    row = np.array([0, 0, 1])
    found = reschedule(pd.DataFrame(lines), row, on, AS_OF)
    assert found["action"].tolist() == ["", "", CANCEL]
    expected = pd.to_datetime(["2026-03-16", "2026-03-10", None])
    seen = found.assign(expected_on=expected, late_pct=[np.nan, 80.0, np.nan], stock_uom="Nos", stock_uom_whole=True)
    late = late_supply.late_lines(seen, row, on, AS_OF)
    assert late["order_line"].tolist() == ["over"], "the other is not missed, and what is not wanted cannot be late"
    (fault,) = late_supply.late_faults(late, pd.Series({"A": 3.0}))
    assert fault.money_at_risk == pytest.approx(3 * 20), "all that the line brings would be missing"
    assert "4 days ago" in fault.sentence()
    assert "20 Nos may be missing till then" in fault.sentence()
    (enough,) = late_supply.late_faults(late.assign(short_qty=0.0), pd.Series({"A": 3.0}))
    assert "stock is expected to last till then" in enough.sentence()
    hungry = Course(on.stock - 20, on.safety_stock, on.daily_std)
    again = seen.assign(action="")
    assert late_supply.late_lines(again, row, hungry, AS_OF)["lateness"].tolist() == ["late", "expected late", "late"]
