"""What an edit saved or cost, on courses that can be done by hand."""

import numpy as np
import pandas as pd
import pytest

from erp_forecast_addon.planning.purchasing.edit_value import History, edit_values

DAYS = 10


def case(**values: float) -> pd.DataFrame:
    """40 proposed for day 2; margin 3, cost 5, a quarter of it a year to hold, 10 expected a day."""
    return pd.DataFrame([{
        "name": "E", "proposed_qty": 40.0, "changed_qty": 40.0, "proposed_day": 2.0, "changed_day": 2.0,
        "arrived_day": np.nan, "proposed_rate": 5.0, "changed_rate": 5.0, "margin": 3.0,
        "unit_cost": 5.0, "holding_rate_per_year": 0.365, "daily_demand_mean": 10.0, **values,
    }])  # fmt: skip


def history(arrived: dict[int, float], opening: float = 20.0, daily: float = 10.0, days: int = DAYS) -> History:
    """`daily` are asked for every day; what is in stock is sold."""
    net_in = np.zeros((1, DAYS))
    for day, qty in arrived.items():
        net_in[0, day] = qty
    sold, empty, stock = np.zeros((1, DAYS)), np.zeros((1, DAYS), dtype=bool), opening
    for day in range(DAYS):
        stock += net_in[0, day]
        sold[0, day] = min(stock, daily)
        stock -= sold[0, day]
        empty[0, day] = stock <= 0.0
    return History(np.array([opening]), sold, net_in, net_in.copy(), empty, np.array([days]))


def value(cases: pd.DataFrame, seen: History) -> pd.Series:
    return edit_values(cases, seen).iloc[0]


def test_an_edit_that_changed_nothing_is_worth_nothing():
    assert value(case(), history({2: 40.0}))["value"] == 0.0


def test_more_than_proposed_saves_the_sales_that_the_proposal_would_have_lost():
    # 20 + 80 serve all ten days; with 40 the last four days stay empty: 40 units at 3.
    found = value(case(changed_qty=80.0), history({2: 80.0}))
    assert (found["lost_qty_proposed"], found["lost_qty_changed"]) == (40.0, 0.0)
    assert found["sales_value"] == 120.0
    # 40 more on days 2 to 5, then 30, 20, 10, 0: 220 unit-days at 0.5% of a cent a day.
    assert found["holding_value"] == pytest.approx(-220 * 5.0 * 0.001)
    assert found["value"] == pytest.approx(120.0 - 1.1)


def test_less_than_proposed_costs_the_sales_that_were_lost():
    found = value(case(changed_qty=10.0), history({2: 10.0}))
    assert (found["lost_qty_proposed"], found["lost_qty_changed"]) == (40.0, 70.0)
    assert found["sales_value"] == -90.0


def test_less_than_proposed_was_right_where_nothing_was_sold():
    found = value(case(changed_qty=0.0, daily_demand_mean=0.0), history({}, daily=0.0))
    assert found["sales_value"] == 0.0
    assert found["holding_value"] == pytest.approx(40 * 8 * 5.0 * 0.001), "forty units from day 2 on, eight evenings"


def test_a_later_date_costs_the_days_without_goods():
    # Until day 5: asked for day 5 instead of 2, days 2, 3 and 4 stay empty.
    found = value(case(changed_day=5.0), history({5: 40.0}, days=6))
    assert (found["lost_qty_proposed"], found["lost_qty_changed"]) == (0.0, 30.0)
    assert found["sales_value"] == -90.0


def test_the_proposal_would_have_been_as_late_as_the_order_was():
    # Both asked for day 2, came on day 4: the quantities are the same, so nothing is gained or lost.
    found = value(case(arrived_day=4.0), history({4: 40.0}))
    assert found["value"] == 0.0


def test_a_cheaper_supplier_saves_the_difference():
    found = value(case(changed_rate=4.5), history({2: 40.0}))
    assert found["price_value"] == found["value"] == pytest.approx(20.0)


def test_a_line_taken_out_has_no_price():
    assert value(case(changed_qty=0.0, changed_rate=0.0), history({}))["price_value"] == 0.0


def test_only_the_days_that_count_are_played():
    whole, short = history({2: 80.0}), history({2: 80.0}, days=6)
    assert value(case(changed_qty=80.0), short)["sales_value"] == 0.0
    assert value(case(changed_qty=80.0), whole)["sales_value"] > 0.0


def test_a_stock_that_is_negative_at_first_is_an_empty_shelf():
    found = value(case(), history({2: 40.0}, opening=0.0))
    negative = value(case(), History(np.array([-5.0]), *_rest(history({2: 40.0}, opening=0.0))))
    assert found["value"] == negative["value"] == 0.0


def _rest(seen: History) -> tuple[np.ndarray, ...]:
    return seen.sold, seen.net_in, seen.ours, seen.empty, seen.days


def test_many_edits_are_priced_like_one_each():
    parts = [(case(changed_qty=qty), history({2: qty})) for qty in (10.0, 40.0, 80.0)]
    together = History(*(np.concatenate([getattr(seen, name) for _c, seen in parts]) for name in
                         ("opening", "sold", "net_in", "ours", "empty", "days")))  # fmt: skip
    cases = pd.concat([each for each, _seen in parts]).assign(name=["a", "b", "c"])
    assert edit_values(cases, together)["value"].tolist() == [value(*part)["value"] for part in parts]
    assert edit_values(cases.iloc[:0], together).empty
