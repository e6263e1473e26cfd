"""Numbers from textbooks, or from their equations worked by hand where the source prints none."""

import numpy as np
import pytest

from erp_forecast_addon.planning.forecasting.intermittent import croston_rate, tsb_rate
from erp_forecast_addon.planning.forecasting.smoothing import damped_states, smoothed_level

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
