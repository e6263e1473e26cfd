"""Numbers from textbooks, or from their equations worked by hand where the source prints none."""

import numpy as np
import pytest
from statsmodels.tsa.api import ExponentialSmoothing
from statsmodels.tsa.forecasting.theta import ThetaModel

from erp_forecast_addon.planning.forecasting.aggregation import aggregated_rate, bucket_length
from erp_forecast_addon.planning.forecasting.holt_winters import seasonal_states
from erp_forecast_addon.planning.forecasting.intermittent import croston_rate, tsb_rate
from erp_forecast_addon.planning.forecasting.smoothing import damped_states, grid_shares, smoothed_level
from erp_forecast_addon.planning.forecasting.theta import theta_states
from erp_forecast_addon.planning.forecasting.window import window_level

# Hyndman & Athanasopoulos, Forecasting: Principles and Practice, 3rd ed., table 8.1 (Algerian exports, α 0.84).
EXPORTS = [39.04, 46.24, 19.79, 24.68, 25.08, 22.60]
EXPORT_LEVELS = [39.12, 45.10, 23.84, 24.55, 25.00, 22.99]
# The same, 2nd ed., 12.2: monthly packets of a pharmaceutical; Croston with α 0.1 forecasts 2.750 / 2.793 = 0.985.
PACKETS = [0, 2, 0, 1, 0, 11, 0, 0, 0, 0, 2, 0, 6, 3, 0, 0, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 3, 1, 0, 0, 1, 0, 1, 0, 0]


def arrays(values):
    demand = np.array([values], dtype=float)
    return demand, np.ones(demand.shape, bool), np.ones(demand.shape)


@pytest.mark.parametrize("periods", range(1, 7))
def test_simple_exponential_smoothing_levels(periods):
    demand, mask, flat = arrays(EXPORTS[:periods])
    level = smoothed_level(demand, mask, flat, np.array([0.84]), initial=39.54)
    assert level[0] == pytest.approx(EXPORT_LEVELS[periods - 1], abs=0.011)


def test_croston():
    rate = croston_rate(*arrays(PACKETS), np.array([0.1]), deflated=False, warm_up=False)
    assert rate[0] == pytest.approx(2.750 / 2.793, abs=5e-4)


def test_syntetos_boylan_is_croston_times_one_minus_half_alpha():
    rate = croston_rate(*arrays(PACKETS), np.array([0.1]), deflated=True, warm_up=False)
    assert rate[0] == pytest.approx(0.95 * 2.750 / 2.793, abs=5e-4)


def test_teunter_syntetos_babai_by_hand():
    # p0 = 0.5, β = 0.2, α = 0.5. Period by period (equations 5 and 6 of the paper):
    # 0: p 0.4 | 4: p 0.52, z 4 | 0: p 0.416 | 6: p 0.5328, z 5 | 0: p 0.42624 -> 0.42624 · 5
    rate = tsb_rate(*arrays([0, 4, 0, 6, 0]), np.array([0.5]), np.array([0.2]), initial_probability=0.5)
    assert rate[0] == pytest.approx(0.42624 * 5)


def test_damped_trend_by_hand():
    # φ 0.9, α 0.5, β 0.5, first value as level, second step 1/2 = α:
    # 10: ℓ 10, b 0 | 14: e 4, ℓ 12, b 1 | 15: ℓ+φb 12.9, e 2.1, ℓ 13.95, b 0.9 + 0.25 · 2.1 = 1.425
    level, trend = damped_states(*arrays([10, 14, 15]), np.array([0.5]), np.array([0.5]), 0.9)
    assert level[0] == pytest.approx(13.95)
    assert trend[0] == pytest.approx(1.425)


# ---- the same numbers as statsmodels, with its parameters given ----

RISING = [12.0, 15, 11, 18, 16, 21, 19, 24, 20, 27, 25, 30]
QUARTERS = [30.0, 21, 29, 31, 35, 24, 33, 36, 39, 26, 37, 40, 43, 30, 41, 45]  # as in FPP3, 8.3: trend and season of 4


def fitted(values, alpha, beta, level, trend, **more):
    model = ExponentialSmoothing(
        np.asarray(values), trend="add", initialization_method="known", initial_level=level, initial_trend=trend, **more
    )
    fixed = {"smoothing_level": alpha, "smoothing_trend": beta, "optimized": False}
    return model, fixed


def steps_of(states, damping, horizon):
    return states.level[0] + states.trend[0] * np.cumsum(damping ** np.arange(1, horizon + 1))


@pytest.mark.parametrize("damping", [1.0, 0.9])
def test_holt_and_damped_holt_as_in_statsmodels(damping):
    more = {"damped_trend": True} if damping < 1 else {}
    model, fixed = fitted(RISING, 0.4, 0.2, 11.0, 1.5, **more)
    theirs = model.fit(**fixed, **({"damping_trend": damping} if more else {})).forecast(6)
    demand, mask, _ = arrays(RISING)
    grid = np.array([[0.4], [0.2], [0.0]])
    states = seasonal_states(demand, mask, np.ones((1, 1)), grid, damping, "multiplicative", initial=(11.0, 1.5))
    assert steps_of(states, damping, 6) == pytest.approx(theirs)


@pytest.mark.parametrize("kind", ["multiplicative", "additive"])
@pytest.mark.parametrize("damping", [1.0, 0.95])
def test_holt_winters_as_in_statsmodels(kind, damping):
    times = kind == "multiplicative"
    first = np.array([1.1, 0.8, 1.0, 1.1]) if times else np.array([3.0, -6, 0, 3])
    more = {"seasonal": kind[:3], "seasonal_periods": 4, "initial_seasonal": first, "damped_trend": damping < 1}
    model, fixed = fitted(QUARTERS, 0.3, 0.1, 28.0, 1.0, **more)
    seasonal = {"smoothing_seasonal": 0.2, **({"damping_trend": damping} if damping < 1 else {})}
    theirs = model.fit(**fixed, **seasonal).forecast(6)
    demand, mask, _ = arrays(QUARTERS)
    grid = np.array([[0.3], [0.1], [0.2]])
    states = seasonal_states(demand, mask, first[None], grid, damping, kind, initial=(28.0, 1.0))
    line, season = steps_of(states, damping, 6), np.tile(states.season[0], 2)[:6]
    ours = line * season if times else line + season
    # The fourth step is left out: statsmodels forecasts it with the season as it was before its last update.
    assert np.delete(ours, 3) == pytest.approx(np.delete(theirs, 3))


def test_theta_as_in_statsmodels():
    # In the long run the start of the smoothing no longer matters, and both are smoothing with half the slope as drift.
    rng = np.random.default_rng(3)
    values = 40 + 0.3 * np.arange(400) + rng.normal(0, 2, 400)
    result = ThetaModel(values, deseasonalize=False).fit(use_mle=False)
    demand, mask, flat = arrays(values)
    level, drift = theta_states(demand, mask, flat, np.array([result.params["alpha"]]), np.array([2.0]))
    ours = level[0] + drift[0] * np.arange(1, 9)
    assert drift[0] == pytest.approx(result.params["b0"] / 2)
    assert ours == pytest.approx(result.forecast(8, theta=2).to_numpy(), rel=1e-6)


def test_theta_by_hand():
    # α 0.5, θ 2, values 1 … 6: weights 1, ½, ¼ … of 6, 5, 4 …: mean age Σ k·2^-k / Σ 2^-k over k = 0 … 5.
    weight = 0.5 ** np.arange(6)
    age = (weight * np.arange(6)).sum() / weight.sum()
    level, drift = theta_states(*arrays([1, 2, 3, 4, 5, 6]), np.array([0.5]), np.array([2.0]))
    assert drift[0] == pytest.approx(0.5)
    assert level[0] == pytest.approx(6 - age + 0.5 * age)


def test_adida_and_imapa_by_hand():
    # Demands 6, 3, 3 in 12 periods, the last one in the last: mean interval 4, buckets 6 | 3 | 3, α 0.5 with normalised
    # weights: (3 + 3/2 + 6/4) / (1 + 1/2 + 1/4) / 4 = 6/7.
    demand, mask, flat = arrays([0, 6, 0, 0, 0, 3, 0, 0, 0, 0, 0, 3])
    assert bucket_length(demand, mask).tolist() == [4]
    alpha = np.array([0.5])
    by_four = 6 / 7
    assert aggregated_rate(demand, mask, flat, alpha, all_levels=False)[0] == pytest.approx(by_four)
    # buckets of three: 6 | 3 | 0 | 3: (3 + 0/2 + 3/4 + 6/8) / (1 + 1/2 + 1/4 + 1/8) / 3 = 4.5 / 1.875 / 3
    by_three = 4.5 / 1.875 / 3
    by_two = (3 + 0 / 2 + 0 / 4 + 3 / 8 + 0 / 16 + 6 / 32) / (2 - 1 / 32) / 2
    weight = 0.5 ** np.arange(12)
    by_one = (demand[0, ::-1] * weight).sum() / weight.sum()
    together = aggregated_rate(demand, mask, flat, alpha, all_levels=True)[0]
    assert together == pytest.approx((by_one + by_two + by_three + by_four) / 4)


def test_silence_is_no_interval_and_a_single_demand_makes_one_bucket():
    demand, mask, _flat = arrays([0, 4, 0, 4] + [0] * 8)
    assert bucket_length(demand, mask).tolist() == [2]  # two demands in the 4 periods up to the last
    demand, mask, flat = arrays([0] * 9 + [4])
    assert bucket_length(demand, mask).tolist() == [10]  # all of them: the level is the plain mean
    assert aggregated_rate(demand, mask, flat, np.array([0.5]), all_levels=False)[0] == pytest.approx(0.4)


def test_moving_average_by_hand():
    demand, mask, flat = arrays([9, 1, 2, 3, 4])
    assert window_level(demand, mask, flat, (3,))[0] == pytest.approx(3)
    mask[0, 3] = False
    assert window_level(demand, mask, flat, (3,))[0] == pytest.approx(3)  # of 2 and 4


def test_grid_shares_are_akaike_weights():
    errors = np.array([[100.0], [110.0]])
    shares = grid_shares(errors, np.ones((1, 20), bool))
    assert shares[1, 0] / shares[0, 0] == pytest.approx((100 / 110) ** 10)
    assert shares.sum() == pytest.approx(1)
