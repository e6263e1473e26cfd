"""The time of the year: found where it comes back, not invented where it does not."""

import numpy as np
import pandas as pd
import pytest

from erp_forecast_addon.planning.forecasting.forecast import forecast_panel
from erp_forecast_addon.planning.forecasting.yearly import learn_yearly
from erp_forecast_addon.planning.panel import Panel
from erp_forecast_addon.planning.settings import PlanSettings

WEEKS = np.arange(1, 53)


def panel_of(demand, period, last):
    n, t = demand.shape
    step = {"day": "D", "week": "W-MON", "month": "MS"}[period]
    starts = pd.date_range(end=last, periods=t, freq=step).to_numpy().astype("datetime64[ns]")
    keys = pd.DataFrame({"item_code": [f"{at:04d}" for at in range(n)], "warehouse": "Main"}, dtype=object)
    return Panel(keys, period, starts, demand.astype(float), np.ones((n, t), bool), np.zeros(n, dtype=int))


def seasonal_weeks(rng, weeks, growth=1.0, season=0.6, n=40, level=20.0):
    """Demand of n items whose year peaks in week 0 of the cycle that ends now."""
    ago = np.arange(weeks)[::-1]
    year = 1 + season * np.cos(2 * np.pi * (ago + 13) / 52)
    return rng.poisson(level * year * growth ** (-ago / 52), (n, weeks)), year


@pytest.mark.parametrize("weeks", [60, 80, 100, 150])
def test_a_season_confirmed_since_is_found(weeks):
    demand, _year = seasonal_weeks(np.random.default_rng(1), weeks)
    found = learn_yearly(panel_of(demand, "week", "2024-12-30"))
    values, rows = found.of(panel_of(demand, "week", "2024-12-30"), 52)
    ahead = 1 + 0.6 * np.cos(2 * np.pi * (13 - np.arange(1, 53)) / 52)
    told = values[rows[0], -52:]
    assert np.corrcoef(told, ahead)[0, 1] > 0.95
    assert np.ptp(told) > 0.5 * np.ptp(ahead)


def test_growth_is_not_taken_for_a_season():
    demand, _year = seasonal_weeks(np.random.default_rng(2), 90, growth=1.5, season=0.0)
    found = learn_yearly(panel_of(demand, "week", "2024-12-30"))
    values = np.ones((1, 2)) if found is None else found.levels[0][2]
    assert np.ptp(values) < 0.1


def test_what_happened_once_is_not_believed_when_the_next_year_denies_it():
    """Eight weeks of last year at triple demand, +2, which this year's same weeks do not repeat."""
    demand = np.random.default_rng(3).poisson(20, (40, 80)).astype(float)
    demand[:, 2:10] *= 3
    found = learn_yearly(panel_of(demand, "week", "2024-12-30"))
    values = np.ones((1, 2)) if found is None else found.levels[0][2]
    assert np.ptp(values) < 0.25 * 2


def test_one_year_alone_says_nothing():
    rng = np.random.default_rng(4)
    assert learn_yearly(panel_of(seasonal_weeks(rng, 54)[0], "week", "2024-12-30")) is None
    assert learn_yearly(panel_of(rng.poisson(5, (5, 13)), "month", "2024-12-01")) is None


def test_one_item_with_huge_orders_is_no_season_of_all():
    demand = np.random.default_rng(8).poisson(2, (40, 90)).astype(float)
    demand[0, [5, 6, 57, 58]] = 5000
    values = learn_yearly(panel_of(demand, "week", "2024-12-30")).levels[0][2]
    assert np.ptp(values) < 0.35


def test_items_that_came_later_do_not_make_a_season():
    """A shelf that fills up over the year is neither season nor growth of what stood there all the time."""
    rng = np.random.default_rng(5)
    demand = rng.poisson(20, (40, 80)).astype(float)
    panel = panel_of(demand, "week", "2024-12-30")
    first = np.where(np.arange(40) < 20, 0, 40 + np.arange(40) % 30)
    demand[np.arange(80)[None, :] < first[:, None]] = 0
    late = Panel(panel.keys, "week", panel.starts, demand, panel.in_stock, first)
    found = learn_yearly(late)
    values = np.ones((1, 2)) if found is None else found.levels[0][2]
    assert np.ptp(values) < 0.12


def test_the_december_of_a_day_panel_is_forecast():
    rng = np.random.default_rng(6)
    days = pd.date_range(end="2024-11-25", periods=700, freq="D")
    week = np.array([1.2, 1, 1, 1, 1.3, 1.5, 0.5])[days.day_of_week]
    december = np.where(days.month == 12, 2.0, 1.0)
    panel = panel_of(rng.poisson(12 * week * december, (30, 700)), "day", "2024-11-25")
    made = forecast_panel(panel, 42, PlanSettings("Test"))
    before = panel.demand[:, -28:].mean()
    assert made.mean[:, 10:35].mean() == pytest.approx(2 * before, rel=0.25)
    flat = panel_of(rng.poisson(12 * week, (30, 700)), "day", "2024-11-25")
    assert forecast_panel(flat, 42, PlanSettings("Test")).mean.mean() == pytest.approx(12 * week.mean(), rel=0.05)


def test_the_explanation_puts_it_into_the_season():
    demand, _year = seasonal_weeks(np.random.default_rng(7), 90)
    made = forecast_panel(panel_of(demand, "week", "2024-12-30"), 13, PlanSettings("Test", period="week"))
    assert "season" in made.factors
    assert made.factors["season"].shape == made.mean.shape
    assert np.ptp(made.factors["season"][0]) > 0.1
