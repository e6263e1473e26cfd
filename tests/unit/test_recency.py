"""Silence: learned from many series, applied to each, and only where the backtests agree."""

import numpy as np
import pytest

from erp_forecast_addon.planning.forecasting.backtest import backtest
from erp_forecast_addon.planning.forecasting.catalog import CATALOG
from erp_forecast_addon.planning.forecasting.recency import EVERY, Recency, learn_recency
from tests.unit.test_arima import panel_of

HORIZON = 3


def dying_panel(n=400, t=60, seed=3):
    """Half of the series end at some point and sell nothing after it; the others go on at random."""
    rng = np.random.default_rng(seed)
    demand = rng.poisson(3, (n, t)) * (rng.random((n, t)) < 0.35).astype(float)
    end = np.where(np.arange(n) < n // 2, rng.integers(12, t, n), t)
    return panel_of(np.where(np.arange(t) < end[:, None], demand, 0.0)), end


def judged(panel, name="Exponential Smoothing"):
    tested = backtest(panel, HORIZON, {name: CATALOG[name]}, 1)
    return tested, tested.forecasts[0]


def test_long_silence_takes_more_off_than_a_short_one():
    panel, end = dying_panel()
    tested, past = judged(panel)
    factor = learn_recency(panel, tested, past).of(panel)[:, 0]
    assert ((factor >= 0) & (factor <= 1)).all()
    long_dead, alive = end < 40, end == 60
    assert factor[long_dead].mean() < 0.7
    assert factor[alive].mean() > factor[long_dead].mean() + 0.1


def test_it_makes_the_forecast_better_on_what_was_not_seen():
    whole, _ = dying_panel(t=63)
    panel = whole.before(60)
    tested, past = judged(panel)
    plain = CATALOG["Exponential Smoothing"].forecast(panel.demand, panel.observed, HORIZON, 12)
    factor = learn_recency(panel, tested, past).of(panel)
    actual = whole.demand[:, 60:]
    assert ((factor * plain - actual) ** 2).mean() < 0.97 * ((plain - actual) ** 2).mean()


def test_where_forecasts_come_true_nothing_is_taken_off():
    demand = np.random.default_rng(2).poisson(5, (300, 60)).astype(float)
    panel = panel_of(demand)
    factor = learn_recency(panel, *judged(panel)).of(panel)
    assert factor.min() == 1


def test_what_backtests_disagree_on_is_not_believed():
    """One bad window for all series at once is one observation, however many series there are."""
    rng = np.random.default_rng(2)
    demand = rng.poisson(9, (300, 60)) * (rng.random((300, 60)) < 0.5).astype(float)
    demand[:, 54:57] *= 0.5
    panel = panel_of(demand)
    taken_off = 1 - learn_recency(panel, *judged(panel)).of(panel)
    assert taken_off.mean() < 0.1  # on average over the three windows a sixth was missing


def test_groups_never_seen_and_no_backtest_leave_the_forecast():
    panel, _ = dying_panel(n=6)
    assert Recency({}).of(panel).tolist() == [[1.0]] * 6
    assert set(Recency({EVERY: 0.5}).of(panel).ravel().tolist()) <= {0.5, 1.0}
    assert 0.5 in Recency({EVERY: 0.5}).of(panel)
    assert Recency({}).before(panel, ()).shape == (0, 6, 1)
    short = panel_of(np.ones((2, 3)))
    tested = backtest(short, HORIZON, {"Croston": CATALOG["Croston"]}, 1)
    assert learn_recency(short, tested, tested.forecasts[0]).factors == {}


def test_a_few_rows_get_what_they_have_among_all():
    panel, _ = dying_panel()
    tested, past = judged(panel)
    learned = learn_recency(panel, tested, past)
    some = np.array([5, 300, 7])
    assert learned.of(panel.select(some)).tolist() == learned.of(panel)[some].tolist()
    assert learned.before(panel.select(some), tested.origins)[1] == pytest.approx(
        learned.before(panel, tested.origins)[1, some]
    )


def test_one_early_demand_is_an_end_and_one_late_demand_is_not():
    """Both have a single demand and so no interval; when it came tells them apart."""
    rng = np.random.default_rng(4)
    n, t = 600, 60
    demand = np.zeros((n, t))
    early = np.arange(n) < n // 2
    demand[early, rng.integers(5, 12, n // 2)] = 2.0
    begin = rng.integers(40, 60, n)
    # Those that began late go on being asked for now and then.
    demand += np.where((np.arange(t) >= begin[:, None]) & ~early[:, None], 2.0 * (rng.random((n, t)) < 0.25), 0.0)
    panel = panel_of(demand)
    factor = learn_recency(panel, *judged(panel)).of(panel)[:, 0]
    single_late = ~early & ((demand > 0).sum(axis=1) == 1)
    assert single_late.sum() > 30
    assert factor[early].max() < 0.3
    assert factor[single_late].mean() > factor[early].mean() + 0.3
