"""Every registered model keeps the same promises; a new one is tested by standing in the catalog."""

import numpy as np
import pytest

from erp_forecast_addon.planning.forecasting.catalog import CATALOG, DEFAULT_MODEL

SEASONS = (7, 12, 52)
HORIZON = 20


@pytest.fixture(params=sorted(CATALOG), name="model")
def _model(request):
    return CATALOG[request.param]


@pytest.fixture(params=SEASONS, name="season")
def _season(request):
    return request.param


def demand_and_mask(n=12, t=150):
    rng = np.random.default_rng(5)
    rate = np.geomspace(0.05, 30, n)[:, None] * (1 + 0.5 * np.sin(np.arange(t) * 2 * np.pi / 7))
    mask = rng.random((n, t)) > 0.15
    mask[0, :100] = False  # a young series
    return rng.poisson(rate).astype(float), mask


def test_default_model_is_registered_and_names_match():
    assert DEFAULT_MODEL in CATALOG
    assert all(model.name == name for name, model in CATALOG.items())


def test_shape_finite_never_negative_input_unchanged(model, season):
    demand, mask = demand_and_mask()
    before = demand.copy(), mask.copy()
    forecast = model.forecast(demand, mask, HORIZON, season)
    assert forecast.shape == (len(demand), HORIZON)
    assert np.isfinite(forecast).all()
    assert (forecast >= 0).all()
    assert np.array_equal(demand, before[0])
    assert np.array_equal(mask, before[1])


def test_falling_series_never_goes_below_zero(model):
    demand = np.maximum(60.0 - np.arange(60.0), 0)[None]
    assert (model.forecast(demand, demand >= 0, 100, 7) >= 0).all()


def test_single_precision_stays_single(model):
    demand, mask = demand_and_mask()
    assert model.forecast(demand.astype(np.float32), mask, 3, 7).dtype == np.float32


def test_one_series_equals_its_row_in_the_panel(model, season):
    demand, mask = demand_and_mask()
    whole = model.forecast(demand, mask, HORIZON, season)
    for row in range(len(demand)):
        alone = model.forecast(demand[row : row + 1], mask[row : row + 1], HORIZON, season)
        assert np.allclose(alone[0], whole[row], rtol=1e-9)


def test_order_of_rows_does_not_matter(model, season):
    demand, mask = demand_and_mask()
    order = np.random.default_rng(1).permutation(len(demand))
    whole = model.forecast(demand, mask, HORIZON, season)
    assert np.allclose(model.forecast(demand[order], mask[order], HORIZON, season), whole[order], rtol=1e-9)


def test_masked_values_have_no_influence(model, season):
    demand, mask = demand_and_mask()
    changed = np.where(mask, demand, 1e6)
    assert np.array_equal(model.forecast(demand, mask, HORIZON, season), model.forecast(changed, mask, HORIZON, season))


def test_periods_before_the_first_observed_one_do_not_matter(model, season):
    demand, mask = demand_and_mask()
    mask = mask.copy()
    mask[:, :3] = False
    longer = model.forecast(demand, mask, HORIZON, season)
    assert np.allclose(model.forecast(demand[:, 3:], mask[:, 3:], HORIZON, season), longer, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("factor", [0.25, 1024.0])
def test_another_unit_gives_the_same_forecast_in_that_unit(model, season, factor):
    demand, mask = demand_and_mask()
    scaled = model.forecast(demand * factor, mask, HORIZON, season)
    assert np.allclose(scaled, factor * model.forecast(demand, mask, HORIZON, season), rtol=1e-6)


def test_a_longer_horizon_begins_with_the_shorter_one(model, season):
    demand, mask = demand_and_mask()
    long, short = (model.forecast(demand, mask, horizon, season) for horizon in (80, 9))
    assert np.array_equal(long[:, :9], short)


@pytest.mark.parametrize("t", [1, 5, 30, 200])
def test_constant_series_is_forecast_constant(model, season, t):
    demand = np.full((2, t), 8.0)
    forecast = model.forecast(demand, np.ones((2, t), bool), HORIZON, season)
    assert np.ptp(forecast) == pytest.approx(0, abs=1e-9)
    assert forecast[0, 0] <= 8.0 + 1e-9
    assert forecast[0, 0] >= 8.0 * (1 - model.constant_bias) - 1e-9


def test_no_demand_is_forecast_zero(model, season):
    demand = np.zeros((3, 150))
    assert not model.forecast(demand, np.ones(demand.shape, bool), HORIZON, season).any()


def test_nothing_observed_is_forecast_zero(model, season):
    demand, _ = demand_and_mask()
    assert not model.forecast(demand, np.zeros(demand.shape, bool), HORIZON, season).any()


def test_one_observation_is_enough(model, season):
    demand, mask = np.zeros((1, 150)), np.zeros((1, 150), bool)
    demand[0, 120], mask[0, 120] = 5.0, True
    forecast = model.forecast(demand, mask, HORIZON, season)
    assert np.allclose(forecast, forecast[0, 0])
    assert 5.0 * (1 - model.constant_bias) <= forecast[0, 0] <= 5.0 + 1e-9


def test_no_series_at_all(model, season):
    assert model.forecast(np.zeros((0, 30)), np.zeros((0, 30), bool), HORIZON, season).shape == (0, HORIZON)


def test_a_strong_weekly_season_is_found(model):
    week = np.array([1.0, 2, 3, 4, 5, 6, 21])
    demand = np.tile(week, 30)[None]
    forecast = model.forecast(demand, demand > 0, 14, 7)[0]
    assert np.argmax(forecast[:7]) == 6
    assert np.allclose(forecast[:7], forecast[7:], rtol=0.05)
    assert forecast[6] > 2.5 * forecast[:6].mean()


def test_a_history_below_two_cycles_has_no_season(model):
    demand = np.arange(1.0, 14)[None]
    forecast = model.forecast(demand, demand > 0, 10, 7)[0]
    assert (np.diff(forecast) >= -1e-9).all()  # flat, or a trend; no week


# ---- bad input ----

BAD = {
    "constant": lambda t: (np.full(t, 4.0), np.ones(t, bool)),
    "all zeros": lambda t: (np.zeros(t), np.ones(t, bool)),
    "one observation": lambda t: (np.full(t, 3.0), np.arange(t) == t - 20),
    "a year missing": lambda t: (np.full(t, 6.0), (np.arange(t) < t // 4) | (np.arange(t) >= t // 4 + 3 * t // 5)),
    "nothing since long ago": lambda t: (np.where(np.arange(t) < 10, 50.0, 0.0), np.ones(t, bool)),
    "huge spike": lambda t: (np.where(np.arange(t) == t - 5, 1e9, 2.0), np.ones(t, bool)),
    "huge spike in front": lambda t: (np.where(np.arange(t) == 0, 1e9, 0.01), np.ones(t, bool)),
    "tiny quantities": lambda t: (np.full(t, 1e-9) * (np.arange(t) % 3), np.ones(t, bool)),
    "huge quantities": lambda t: (1e12 * (1 + np.arange(t) % 5), np.ones(t, bool)),
    "returns above sales": lambda t: (np.where(np.arange(t) % 4 == 0, -9.0, 2.0), np.ones(t, bool)),
}


@pytest.mark.parametrize("bad", sorted(BAD))
def test_a_bad_series_is_forecast_and_the_others_are_not_touched(model, season, bad):
    demand, mask = demand_and_mask()
    demand = demand.astype(np.float32)
    alone = model.forecast(demand, mask, HORIZON, season)
    row, known = BAD[bad](demand.shape[1])
    with_bad = np.vstack([demand[:5], row.astype(np.float32), demand[5:]])
    forecast = model.forecast(with_bad, np.vstack([mask[:5], known, mask[5:]]), HORIZON, season)
    assert np.isfinite(forecast).all()
    assert (forecast >= 0).all()
    assert forecast[5].max() <= 3 * max(row[known].max(), 0) + 1e-9
    assert np.allclose(np.delete(forecast, 5, axis=0), alone, rtol=1e-5, atol=1e-7)
