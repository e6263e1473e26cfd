"""Paths of demand agree with the quantiles they are made of."""

import numpy as np
import pytest

from erp_forecast_addon.planning.forecasting import quantiles
from erp_forecast_addon.planning.forecasting.forecast import forecast_panel
from erp_forecast_addon.planning.forecasting.paths import demand_paths
from erp_forecast_addon.planning.settings import PlanSettings
from tests.unit.test_yearly import panel_of

PATHS = 200


@pytest.fixture(scope="module")
def made():
    rng = np.random.default_rng(1)
    demand = rng.poisson(rng.gamma(2.0, 2.0, (60, 1)) * rng.gamma(4.0, 0.25, (60, 90)))
    return forecast_panel(panel_of(demand, "week", "2024-12-30"), 6, PlanSettings("Test", period="week"))


def test_every_period_has_the_quantiles_of_the_forecast(made):
    paths = demand_paths(made.spread, made.mean, made.whole, paths=PATHS)
    levels = (np.arange(PATHS) + 0.5) / PATHS
    expected = quantiles.per_period(made.spread, made.mean, levels, made.whole)
    assert paths.shape == (60, PATHS, 6)
    assert np.array_equal(np.sort(paths, axis=1), expected.transpose(0, 2, 1))


def test_one_series_alone_has_the_paths_that_it_has_among_all(made):
    every = demand_paths(made.spread, made.mean, made.whole, paths=PATHS, seed=3)
    alone = demand_paths(made.spread.select(np.array([7])), made.mean[[7]], made.whole[[7]], paths=PATHS, seed=3)
    assert np.array_equal(every[[7]], alone)


def test_the_variance_of_the_sum_grows_as_the_backtest_says(made):
    paths = demand_paths(made.spread, made.mean, made.whole, paths=2000)
    growth = quantiles.sum_growth(made.spread, np.full(60, 6.0))
    seen = paths.sum(axis=2).var(axis=1) / paths.var(axis=1).sum(axis=1)
    assert seen.mean() == pytest.approx(growth.mean(), rel=0.15)
