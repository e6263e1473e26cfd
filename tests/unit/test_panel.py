"""Buckets laid out as a panel, and which periods count as out of stock."""

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from erp_forecast_addon.planning.drivers import Driver
from erp_forecast_addon.planning.errors import BadInput
from erp_forecast_addon.planning.panel import build_panel, hierarchy_of
from erp_forecast_addon.planning.shelf import LONGEST_STOCK_OUT_DAYS

MONDAY = date(2026, 3, 2)


def bucket(offset, demand, opening, closing, item="A", warehouse="W", since=MONDAY):
    day = pd.Timestamp(since + timedelta(days=offset))
    return {"item_code": item, "warehouse": warehouse, "day": day, "demand_qty": demand, "opening_qty": opening,
            "closing_qty": closing}  # fmt: skip


def panel_of(*buckets, period="day", as_of=MONDAY + timedelta(days=13), **more):
    return build_panel(pd.DataFrame(list(buckets)), period, as_of, **more)


def stocked(item="A", demand=2.0, days=14, warehouse="W"):
    return [bucket(at, demand, 100, 100, item, warehouse) for at in range(days)]


def test_days_without_a_bucket_are_zero_demand_in_stock():
    panel, faults = panel_of(bucket(0, 0, 0, 50), bucket(3, 5, 50, 45), bucket(9, 2, 45, 43))
    assert panel.t == 14
    assert panel.demand[0].tolist() == [0, 0, 0, 5, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0]
    assert panel.in_stock.all()
    assert panel.starts[0] == np.datetime64("2026-03-02")
    assert not faults


def test_rows_are_sorted_and_unique_whatever_the_order_of_the_buckets():
    frame = pd.DataFrame([*stocked("B"), *stocked("A", warehouse="X"), *stocked("A")]).sample(frac=1, random_state=1)
    panel, _ = build_panel(frame, "day", MONDAY + timedelta(days=13))
    assert panel.keys.to_numpy().tolist() == [["A", "W"], ["A", "X"], ["B", "W"]]


def test_first_is_the_first_movement_and_nothing_is_observed_before_it():
    panel, _ = panel_of(*stocked("A"), bucket(5, 0, 0, 9, "B"), bucket(7, 2, 9, 7, "B"))
    assert panel.first.tolist() == [0, 5]
    assert panel.observed[1].tolist() == [False] * 5 + [True] * 9


def test_empty_shelf_all_day_is_out_of_stock_until_the_next_delivery():
    regular = [bucket(at, 2, 20 - 2 * at, 18 - 2 * at) for at in range(9)]
    sold_out = bucket(9, 2, 2, 0)
    panel, _ = panel_of(*regular, sold_out, bucket(12, 3, 0, 30))
    # Day 9 sold what was left, as much as usual: it stays. Days 10 and 11 were empty; on day 12 goods came in.
    assert panel.in_stock[0].tolist() == [True] * 10 + [False, False, True, True]


def test_a_day_cut_short_below_the_usual_level_is_masked():
    regular = [bucket(at, 10, 100, 100) for at in range(9)]
    panel, _ = panel_of(*regular, bucket(9, 3, 3, 0), bucket(10, 0, 0, 90))
    assert panel.in_stock[0].tolist() == [True] * 9 + [False] + [True] * 4


def test_unknown_stock_counts_as_stocked():
    panel, _ = panel_of(bucket(0, 4, np.nan, np.nan), bucket(9, 4, np.nan, np.nan))
    assert panel.in_stock.all()


def test_a_pair_sold_to_order_is_never_out_of_stock():
    panel, _ = panel_of(*(bucket(at, 3, 0, 0) for at in (0, 4, 8)))
    assert panel.in_stock.all()
    negative, _ = panel_of(bucket(0, 3, 0, -3), bucket(5, 3, -3, -6))
    assert negative.in_stock.all()


def test_a_shelf_empty_for_too_long_means_no_demand():
    days = 300
    sold = [bucket(at, 1, 10 - at, 9 - at) for at in range(10)]
    panel, _ = panel_of(*sold, as_of=MONDAY + timedelta(days=days - 1))
    in_stock = panel.in_stock[0]
    assert in_stock[:10].all()
    assert not in_stock[10 : 10 + LONGEST_STOCK_OUT_DAYS].any()
    assert in_stock[10 + LONGEST_STOCK_OUT_DAYS :].all()


def test_a_week_is_masked_when_more_than_half_of_its_days_are():
    for days_out, masked in ((3, False), (4, True)):
        week = [bucket(at, 2, 50, 50) for at in range(7)] + [bucket(7 + at, 2, 50, 50) for at in range(7 - days_out)]
        week[-1] |= {"closing_qty": 0.0}
        panel, _ = panel_of(*week, period="week")
        assert panel.in_stock[0].tolist() == [True, not masked]


def test_a_week_emptied_by_a_large_demand_is_news_and_stays():
    quiet = [bucket(7 * week, 5, 50, 45) for week in range(3)]
    large, small = bucket(21, 45, 45, 0), bucket(21, 4, 4, 0)
    until = MONDAY + timedelta(days=27)
    assert panel_of(*quiet, large, period="week", as_of=until)[0].in_stock[0].tolist() == [True] * 4
    masked = panel_of(*quiet, bucket(15, 0, 45, 4), small, period="week", as_of=until)[0]
    assert masked.in_stock[0].tolist() == [True] * 3 + [False]
    assert masked.demand[0].tolist() == [5, 5, 5, 4]


def test_stock_from_before_the_window_is_known_in_it():
    old = bucket(-100, 5, 30, 0)
    panel, _ = panel_of(old, bucket(-90, 0, 0, 40), bucket(-80, 1, 40, 39), bucket(3, 9, 39, 30), history_days=14)
    assert panel.t == 14
    assert panel.in_stock.all()
    assert panel.first.tolist() == [0]
    empty, _ = panel_of(bucket(-50, 6, 30, 24), bucket(-40, 0, 24, 0), bucket(9, 0, 0, 5), history_days=14)
    assert empty.in_stock[0].tolist() == [False] * 9 + [True] * 5


@pytest.mark.parametrize(
    ("period", "as_of", "starts"),
    [
        ("week", date(2026, 3, 15), ["2026-03-02", "2026-03-09"]),
        ("week", date(2026, 3, 18), ["2026-03-02", "2026-03-09"]),
        ("month", date(2026, 4, 30), ["2026-03-01", "2026-04-01"]),
        ("month", date(2026, 5, 30), ["2026-03-01", "2026-04-01"]),
        ("day", date(2026, 3, 3), ["2026-03-02", "2026-03-03"]),
    ],
)
def test_unfinished_periods_are_left_out(period, as_of, starts):
    panel, _ = panel_of(*stocked(days=90), period=period, as_of=as_of)
    assert panel.starts.astype("datetime64[D]").astype(str).tolist() == starts


def test_totals_of_weeks_and_months_are_those_of_their_days():
    frame = [bucket(at, at + 1, 999, 999, since=date(2026, 2, 26)) for at in range(40)]
    weeks, _ = panel_of(*frame, period="week", as_of=date(2026, 3, 29))
    assert weeks.demand[0].tolist() == [1 + 2 + 3 + 4, sum(range(5, 12)), *(sum(range(s, s + 7)) for s in (12, 19, 26))]
    months, _ = panel_of(*frame, period="month", as_of=date(2026, 3, 31))
    assert months.demand[0].tolist() == [6, sum(range(4, 35))]


def test_days_in_the_future_are_left_out_and_named():
    panel, faults = panel_of(*stocked(days=14), bucket(20, 7, 9, 2), bucket(30, 7, 9, 2), bucket(31, 1, 5, 4, "B"))
    assert panel.keys["item_code"].tolist() == ["A"]
    assert panel.demand.sum() == 28
    assert [(fault.kind, fault.item_code) for fault in faults] == [("Bad Data", "A"), ("Bad Data", "B")]
    assert faults[0].sentence().startswith("2 days after 2026-03-15 were left out; the latest is 2026-04-01.")


def test_single_day_no_demand_and_nothing_complete_are_faults():
    frame = [bucket(13, 5, 10, 5, "single"), bucket(0, 0, 0, 10, "none"), bucket(2, 0, 10, 9, "none"), *stocked("fine")]
    _, faults = panel_of(*frame)
    assert [(fault.item_code, fault.kind) for fault in faults] == [
        ("none", "Too Little History"), ("single", "Too Little History"),
    ]  # fmt: skip
    assert "Nothing was sold or issued in 14 days" in faults[0].sentence()
    assert "a single day of history" in faults[1].sentence()
    week, faults = panel_of(bucket(1, 5, 10, 5), period="week", as_of=MONDAY + timedelta(days=4))
    assert (week.n, week.t, week.observed.any()) == (1, 1, False)
    assert "No complete week" in faults[0].sentence()


def test_empty_buckets_give_an_empty_panel():
    from erp_forecast_addon.planning.tables import BUCKETS

    panel, faults = build_panel(BUCKETS.empty(), "day", MONDAY)
    assert (panel.n, panel.t, faults) == (0, 1, [])


def test_bad_tables_and_drivers_are_refused():
    with pytest.raises(BadInput, match="column demand_qty is missing"):
        build_panel(pd.DataFrame({"item_code": ["A"], "warehouse": ["W"], "day": [MONDAY]}), "day", MONDAY)
    with pytest.raises(BadInput, match="Driver price"):
        panel_of(*stocked(), drivers={"price": Driver("price", np.ones(5))})
    with pytest.raises(BadInput, match="Driver price holds infinite"):
        panel_of(*stocked(), drivers={"price": Driver("price", np.full(20, np.inf))})


def test_hierarchy_comes_from_the_items():
    items = pd.DataFrame({"item_code": ["B", "A"], "item_group": ["Bolts", "Nuts"], "brand": ["", "Acme"]})
    panel, _ = panel_of(*stocked("A"), *stocked("B"), *stocked("C"), items=items, company="Co")
    assert panel.hierarchy is not None
    told = panel.hierarchy[["item_group", "brand", "warehouse", "company"]].to_numpy().tolist()
    assert told == [["Nuts", "Acme", "W", "Co"], ["Bolts", "", "W", "Co"], ["", "", "W", "Co"]]
    assert (panel.hierarchy[["item_group_parent", "warehouse_group"]] == "").all(axis=None)


def test_parents_in_the_hierarchy_come_from_the_trees():
    keys = pd.DataFrame({"item_code": ["A", "X"], "warehouse": ["W", "V"]})
    items = pd.DataFrame({"item_code": ["A"], "item_group": ["Nuts"]})
    groups = pd.DataFrame({"name": ["Metal", "Nuts"], "parent": ["", "Metal"]})
    houses = pd.DataFrame({"name": ["All", "W"], "parent": ["", "All"]})
    made = hierarchy_of(keys, items, "Co", groups, houses)
    assert made["item_group_parent"].tolist() == ["Metal", ""]
    assert made["warehouse_group"].tolist() == ["All", ""]


def test_select_and_before():
    panel, _ = panel_of(
        *stocked("A"),
        bucket(9, 3, 5, 2, "B"),
        bucket(11, 1, 2, 1, "B"),
        drivers={"price": Driver("price", np.ones((2, 20)))},
    )
    one = panel.select(np.array([False, True]))
    assert one.keys["item_code"].tolist() == ["B"]
    assert one.drivers["price"].values.shape == (1, 20)
    past = panel.before(5)
    assert (past.n, past.t, past.last_day) == (2, 5, MONDAY + timedelta(days=4))
    assert past.observed.any(axis=1).tolist() == [True, False]
    with pytest.raises(BadInput):
        panel.before(15)


@pytest.mark.parametrize(
    ("period", "as_of", "days", "wanted"),
    [
        ("day", date(2026, 3, 15), 30, 30),
        ("week", date(2026, 3, 15), 14, 2),
        ("week", date(2026, 3, 18), 14, 3),
        ("month", date(2026, 3, 31), 30, 1),
        ("month", date(2026, 4, 15), 60, 3),
    ],
)
def test_the_horizon_reaches_over_the_days_after_as_of(period, as_of, days, wanted):
    panel, _ = panel_of(*stocked(days=60), period=period, as_of=as_of)
    assert panel.horizon_periods(days) == wanted
    end = panel.future_starts(wanted + 1)[-1].astype("datetime64[D]").item()
    assert end > as_of + timedelta(days=days)


def test_a_pair_alone_equals_its_row():
    rng = np.random.default_rng(3)
    frame = pd.DataFrame(
        [bucket(int(at), float(rng.integers(0, 5)), float(rng.integers(-1, 6)), float(rng.integers(-1, 6)), item)
         for item in "ABC" for at in rng.choice(60, 25, replace=False)]
    )  # fmt: skip
    as_of = MONDAY + timedelta(days=59)
    for period in ("day", "week"):
        whole, _ = build_panel(frame, period, as_of)
        alone, _ = build_panel(frame[frame["item_code"] == "B"], period, as_of)
        assert np.array_equal(whole.demand[1, -alone.t :], alone.demand[0])
        assert np.array_equal(whole.observed[1, -alone.t :], alone.observed[0])
