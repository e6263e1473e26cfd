"""ARIMA in processes of its own: what it forecasts, what it gives up, and that it never stops a run."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from erp_forecast_addon.planning import periods
from erp_forecast_addon.planning.forecasting.arima import better_rows, fit_arima
from erp_forecast_addon.planning.forecasting.backtest import origins_and_steps
from erp_forecast_addon.planning.panel import Panel

HORIZON = 3


def panel_of(demand, mask=None):
    n, t = demand.shape
    last = int(periods.index_of(np.array("2026-03-01", dtype="datetime64[D]"), "month"))
    return Panel(
        keys=pd.DataFrame({"item_code": [f"I{at}" for at in range(n)], "warehouse": "W"}, dtype=object),
        period="month",
        starts=periods.start_of(np.arange(last - t + 1, last + 1), "month").astype("datetime64[ns]"),
        demand=demand,
        in_stock=np.ones((n, t), bool) if mask is None else mask,
        first=np.zeros(n, dtype=np.int64),
    )


@pytest.fixture(scope="module", name="fitted")
def _fitted():
    """Row 0 follows an AR(1) closely; 1 never changes; 2 has little history; 3 has a gap; 4 is as 0 but unasked."""
    rng = np.random.default_rng(7)
    demand = np.full((5, 60), 50.0)
    for now in range(1, 60):
        demand[:, now] = 50 + 0.9 * (demand[:, now - 1] - 50) + rng.normal(0, 5, 5)
    demand = np.maximum(demand, 0)
    demand[1] = 7.0
    mask = np.ones(demand.shape, bool)
    mask[2, :45] = False
    mask[3, 20:26] = False
    panel = panel_of(demand, mask)
    before = panel.demand.copy()
    result = fit_arima(panel, np.array([3, 0, 1, 2]), HORIZON, 60.0, 2)
    assert np.array_equal(panel.demand, before)
    return panel, result


def test_series_that_can_be_fitted_are_and_the_others_say_why_not(fitted):
    _panel, result = fitted
    assert result.rows.tolist() == [3, 0]
    texts = {row: template.format(**values) for row, (template, values) in result.reasons.items()}
    assert set(texts) == {0, 1, 2, 3}
    assert "AICc" in texts[0]
    assert "never changed" in texts[1]
    assert "fewer than 24 periods" in texts[2]


def test_forecasts_are_finite_never_negative_and_return_to_the_mean(fitted):
    panel, result = fitted
    origins, steps = origins_and_steps(panel.t, HORIZON, "month")
    assert result.forecasts.shape == (2, HORIZON)
    assert result.backtests.shape == (len(origins), 2, steps)
    for values in (result.forecasts, result.backtests):
        assert np.isfinite(values).all()
        assert (values >= 0).all()
    last, ahead = panel.demand[0, -1], result.forecasts[1]
    assert abs(ahead[0] - last) < abs(ahead[0] - 50) + 15


def test_only_better_backtests_replace(fitted):
    panel, result = fitted
    origins, steps = origins_and_steps(panel.t, HORIZON, "month")
    actual = np.stack([panel.demand[:, origin : origin + steps] for origin in origins])
    scored = np.ones(actual.shape, bool)
    assert better_rows(result, actual, scored, actual + 100).tolist() == [True, True]
    assert better_rows(result, actual, scored, actual).tolist() == [False, False]
    assert better_rows(result, actual, ~scored, actual + 100).tolist() == [False, False]


def test_no_time_no_rows_and_every_row_is_told():
    panel = panel_of(np.random.default_rng(1).poisson(9, (3, 60)).astype(float))
    for seconds in (0.0, 0.2):
        result = fit_arima(panel, np.array([2, 0]), HORIZON, seconds, 2)
        assert result.rows.tolist() == []
        assert result.forecasts.shape == (0, HORIZON)
        assert {template for template, _ in result.reasons.values()} == {
            "ARIMA was not tried: the time set for it was over."
        }
        assert set(result.reasons) == {0, 2}


def test_the_processes_import_planning_only():
    code = (
        "import sys, erp_forecast_addon.planning.forecasting.arima; "
        "print([name for name in sys.modules if name.startswith(('frappe', 'erp_forecast_addon.s', 'statsmodels'))])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_works_inside_a_daemonic_process():
    """A daemonic process may not have children of multiprocessing; workers of a job queue can be such."""
    code = """
import multiprocessing, sys
import numpy as np
sys.path.insert(0, {folder!r})
from test_arima import HORIZON, panel_of
from erp_forecast_addon.planning.forecasting.arima import fit_arima

def work(queue):
    demand = np.random.default_rng(1).normal(50, 9, (1, 60))
    queue.put(fit_arima(panel_of(demand), np.array([0]), HORIZON, 60.0, 2).rows.tolist())

if __name__ == "__main__":
    queue = multiprocessing.Queue()
    multiprocessing.Process(target=work, args=(queue,), daemon=True).start()
    print(queue.get(timeout=90))
"""
    folder = str(__import__("pathlib").Path(__file__).parent)
    run = subprocess.run([sys.executable, "-c", code.format(folder=folder)], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[0]"
