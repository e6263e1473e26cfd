"""Until when an order has to be approved, and what waiting costs."""

from datetime import date, datetime, time, timedelta

import numpy as np
import pandas as pd
import pytest

from erp_forecast_addon.planning.purchasing.approve_by import approve_by, chances, lost_sales, waiting_costs

AS_OF = date(2026, 11, 20)  # a Friday
WEEKEND = {AS_OF + timedelta(days=back) for back in (1, 2, 8, 9, 15, 16)}


def need(**values: float) -> pd.DataFrame:
    """10 a day without deviation, 50 on hand, 20 safety stock, three days of lead time, 8 money a unit."""
    return pd.DataFrame([{
        "name": "A", "need_day": 3.0, "safety_stock_qty": 20.0, "on_hand_qty": 50.0, "position_qty": 50.0,
        "daily_demand_mean": 10.0, "daily_demand_std": 0.0, "lead_time_days": 3.0, "lead_time_std_days": 0.0,
        "selling_rate": 8.0, **values,
    }])  # fmt: skip


def test_chances_are_working_days_at_the_cut_off():
    found = chances(AS_OF + timedelta(days=1), time(14, 0), WEEKEND, 3)
    assert found == [datetime(2026, 11, 23, 14), datetime(2026, 11, 24, 14), datetime(2026, 11, 25, 14)]


def test_a_calendar_without_working_days_has_no_chance():
    year = {AS_OF + timedelta(days=ahead) for ahead in range(800)}
    assert chances(AS_OF, time(14, 0), year) == []


def test_without_deviation_lost_sales_can_be_done_by_hand():
    # 50 last for five days: an order of day 2 arrives on day 5 with nothing lost, each day later loses ten at 8.
    assert lost_sales(need(), np.arange(5.0)).tolist() == [[0.0, 0.0, 0.0, 80.0, 160.0]]


def test_a_projection_that_falls_earlier_than_the_position_says_counts():
    # The position holds supply that comes too late: below 20 on day 1 already, empty on day 3.
    assert lost_sales(need(need_day=1.0, position_qty=500.0), np.array([0.0, 1.0])).tolist() == [[0.0, 80.0]]


def test_deviation_costs_before_the_mean_does():
    uncertain = lost_sales(need(daily_demand_std=5.0), np.arange(5.0))[0]
    assert (uncertain > lost_sales(need(), np.arange(5.0))[0]).all()
    assert (np.diff(uncertain) > 0).all()


def test_costs_of_a_chance_are_summed_over_the_lines_of_an_order_and_skip_holidays():
    both = pd.concat([need(), need(), need(name="B", selling_rate=0.0)])
    moments = chances(AS_OF + timedelta(days=1), time(14, 0), WEEKEND, 4)
    found = waiting_costs(both, AS_OF, moments)
    # Monday is day 2, Tuesday 3: passing Monday loses 2 x 80, Tuesday as much.
    assert found.costs["A"].tolist() == [160.0, 160.0, 160.0]
    assert found.costs["B"].tolist() == [0.0, 0.0, 0.0]
    assert found.moments.tolist() == moments[:3]


@pytest.mark.parametrize(("now", "tolerated", "expected"), [
    (datetime(2026, 11, 23, 9), 0.0, 0),
    (datetime(2026, 11, 23, 14), 0.0, 1),
    (datetime(2026, 11, 23, 9), 100.0, 2),
    (datetime(2026, 11, 23, 9), 1e6, -1),
    (datetime(2026, 12, 23, 9), 0.0, -1),
])  # fmt: skip
def test_approve_by_the_first_chance_to_come_whose_passing_costs_too_much(now, tolerated, expected):
    moments = np.array([datetime(2026, 11, day, 14) for day in (23, 24, 25)], dtype="datetime64[s]")
    assert approve_by(moments, np.array([5.0, 20.0, 1240.0]), tolerated, now) == expected


def test_nothing_to_order_costs_nothing():
    empty = need().iloc[:0]
    assert waiting_costs(empty, AS_OF, chances(AS_OF, time(14), (), 3)).costs == {}


def test_a_supplier_who_takes_orders_on_mondays_costs_nothing_until_monday() -> None:
    """Approved on Saturday or on Monday, the order leaves on Monday."""
    monday = np.array([[2, 2, 2, 9]])
    moments = chances(AS_OF + timedelta(days=1), time(14), (), 4)
    costs = waiting_costs(need(), AS_OF, moments, monday).costs["A"]
    assert costs[:2].tolist() == [0.0, 0.0]
    assert costs[2] > 0.0
