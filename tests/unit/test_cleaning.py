"""Returns netted, outliers capped, gaps filled."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from erp_forecast_addon.planning import periods
from erp_forecast_addon.planning.cleaning import clean, filled, net_returns
from erp_forecast_addon.planning.panel import Panel


def panel_of(demand, period="day", in_stock=None):
    demand = np.atleast_2d(np.asarray(demand, dtype=float))
    n, t = demand.shape
    return Panel(
        keys=pd.DataFrame({"item_code": [f"I{at}" for at in range(n)], "warehouse": "W"}, dtype=object),
        period=period,
        starts=periods.start_of(np.arange(600, 600 + t), period).astype("datetime64[ns]"),
        demand=demand,
        in_stock=np.ones((n, t), bool) if in_stock is None else np.atleast_2d(in_stock),
        first=np.zeros(n, dtype=np.int64),
    )


def steady(t=120, seed=2):
    return np.random.default_rng(seed).poisson(10, t).astype(float)


def test_returns_are_taken_from_the_nearest_earlier_sales():
    demand, unmatched = net_returns(np.array([[5.0, 4, 0, -6, 8]]))
    assert demand.tolist() == [[3, 0, 0, 0, 8]]
    assert unmatched.tolist() == [0]


def test_returns_without_a_sale_are_dropped_and_reported():
    panel, faults = clean(panel_of([2.0, -5, 8]), 6.0)
    assert panel.demand.tolist() == [[0, 0, 8]]
    assert [fault.kind for fault in faults] == ["Bad Data"]
    assert faults[0].sentence().startswith("3.0 more were returned than had been sold")


@settings(deadline=None)
@given(arrays(np.int64, (3, 12), elements=st.integers(-9, 9)))
def test_netting_keeps_totals_and_never_adds(demand):
    netted, unmatched = net_returns(demand.astype(float))
    assert (netted >= 0).all()
    assert (netted <= np.maximum(demand, 0)).all()
    assert np.allclose(netted.sum(axis=1) - unmatched, demand.sum(axis=1))


def test_an_outlier_is_capped_and_reported_once_with_the_largest():
    values = steady()
    values[[30, 70]] = 500, 900
    panel, faults = clean(panel_of([values, steady()]), 6.0)
    assert panel.demand[0, [30, 70]].max() < 60
    assert np.delete(panel.demand[0], [30, 70]).tolist() == np.delete(values, [30, 70]).tolist()
    assert np.array_equal(panel.demand[1], steady())
    (fault,) = faults
    assert (fault.kind, fault.item_code, fault.values["count"], fault.values["qty"]) == ("Outlier", "I0", 2, 900)
    assert "900" in fault.sentence()


def test_regular_peaks_and_ordinary_intermittent_demand_are_no_outliers():
    weekend = np.tile([2.0, 2, 3, 2, 2, 9, 20], 20)
    intermittent = np.random.default_rng(1).poisson(0.4, 140).astype(float)
    assert not clean(panel_of([weekend, intermittent]), 6.0)[1]


def test_a_peak_that_comes_back_every_year_is_a_season():
    values = np.tile([10.0] * 11 + [300.0], 3)
    assert not clean(panel_of(values, "month"), 6.0)[1]
    once = np.full(36, 10.0)
    once[20] = 300
    assert clean(panel_of(once, "month"), 6.0)[1]


def test_a_few_demands_are_not_judged():
    values = np.zeros(200)
    values[[3, 50, 90]] = 1, 2, 400
    assert not clean(panel_of(values), 6.0)[1]


def test_a_higher_limit_caps_less():
    values = steady()
    values[[30, 70]] = 60, 900
    sums = [clean(panel_of(values), limit)[0].demand.sum() for limit in (3.0, 6.0, 20.0)]
    assert sums == sorted(sums)


def test_masked_periods_neither_count_nor_change():
    values, in_stock = steady(), np.ones(120, bool)
    values[40:60], in_stock[40:60] = 10_000, False
    panel, faults = clean(panel_of(values, in_stock=in_stock), 6.0)
    assert not faults
    assert np.array_equal(panel.demand[0], values)


def test_input_is_not_changed():
    panel = panel_of([[5.0, -2, 3] * 20])
    before = panel.demand.copy()
    clean(panel, 6.0)
    assert np.array_equal(panel.demand, before)


@pytest.mark.parametrize("factor", [0.25, 64.0])
def test_another_unit_caps_the_same_periods(factor):
    values = steady()
    values[[30, 70]] = 500, 900
    scaled = clean(panel_of(values * factor), 6.0)[0].demand
    assert np.allclose(scaled, factor * clean(panel_of(values), 6.0)[0].demand)


def test_masked_periods_are_filled_with_the_level_and_season_around_them():
    week = np.array([10.0, 10, 10, 10, 10, 20, 35])
    values = np.tile(week, 20)
    in_stock = np.ones(140, bool)
    in_stock[68:72] = False
    full = filled(panel_of(np.where(in_stock, values, 0), in_stock=in_stock))
    assert np.allclose(full[0, 68:72], values[68:72], rtol=0.15)
    assert np.array_equal(full[0, in_stock], values[in_stock])


def test_nothing_is_filled_in_before_a_series_began_or_without_an_observation():
    panel = panel_of([[0.0, 0, 4, 4], [0, 0, 0, 0]], in_stock=[[True] * 4, [False] * 4])
    full = filled(replace(panel, first=np.array([2, 0])))
    assert full.tolist() == [[0, 0, 4, 4], [0, 0, 0, 0]]
