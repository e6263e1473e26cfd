"""Profiles do not fit noise."""

import numpy as np
import pytest

from erp_forecast_addon.planning.forecasting import priors, seasonality
from tests.unit.test_arima import panel_of

YEAR = 1 + 0.6 * np.sin(np.arange(12) * np.pi / 6)


def steady(demand):
    sold, exposure = seasonality.cycle_sums(demand, np.ones(demand.shape, bool), 12)
    return seasonality.steady_share(sold.sum(axis=0), exposure.sum(axis=0))


def test_a_season_that_comes_back_is_kept_and_noise_is_not():
    rng = np.random.default_rng(1)
    real = rng.poisson(20 * np.tile(YEAR, 4), (50, 48)).astype(float)
    assert steady(real) > 0.97
    noise = [steady(rng.poisson(0.1, (20, 24)) * rng.gamma(0.3, 30, (20, 24))) for _ in range(30)]
    assert np.mean(noise) < 0.35


def test_a_lasting_season_with_one_cycle_known_is_not_believed():
    demand = np.tile(YEAR, 2)[None, 12:] * 9
    assert steady(demand) == 0


def profiles(panel):
    return priors.learn(panel).of(panel)


def test_rare_noisy_demand_gets_a_flat_profile_and_a_clear_season_its_own():
    rng = np.random.default_rng(4)
    clear = profiles(panel_of(rng.poisson(20 * np.tile(YEAR, 4), (60, 48)).astype(float)))
    assert np.corrcoef(clear[0], YEAR)[0, 1] > 0.97
    assert np.ptp(clear[0]) == pytest.approx(np.ptp(YEAR), rel=0.2)
    rare = rng.poisson(0.05, (60, 48)) * rng.gamma(0.3, 50, (60, 48))
    assert np.ptp(profiles(panel_of(rare))[0]) < 0.6 * np.ptp(
        rare.reshape(60, 4, 12).sum(axis=(0, 1)) / rare.reshape(60, 4, 12).sum(axis=(0, 1)).mean()
    )


def test_what_was_learned_from_no_series_says_nothing_of_a_new_one():
    """A company whose first run found no history, and an item that is forecast alone the next day."""
    known = priors.learn(panel_of(np.zeros((0, 48))))
    assert any(len(labels) == 0 for _columns, labels, _indices in known.levels), "there is a level without a group"
    assert (known.of(panel_of(np.ones((2, 48)))) == 1.0).all()
