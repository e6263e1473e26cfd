"""The time of the year in day panels, through the whole forecast: believed where it lasted, else left alone."""

import numpy as np
import pandas as pd
import pytest

from erp_forecast_addon.planning.forecasting.forecast import ForecastSet, forecast_panel
from erp_forecast_addon.planning.panel import Panel
from erp_forecast_addon.planning.settings import PlanSettings

HORIZON, N = 31, 40
LAST_DAY = "2025-11-30"  # all of December is forecast
SETTINGS = PlanSettings("T", horizon_days=HORIZON)
LEVEL = 20.0


def panel_of(days: int, december: float, seed: int = 2) -> Panel:
    """Poisson sales around LEVEL with a week; in December `december` times as many, in its neighbours half of that."""
    rng = np.random.default_rng(seed)
    starts = pd.date_range(end=LAST_DAY, periods=days)
    week = np.array([0.8, 0.9, 0.9, 1.0, 1.2, 1.4, 0.8])[starts.day_of_week]
    year = np.select([starts.month == 12, starts.month.isin([11, 1])], [december, 1 + (december - 1) / 2], 1.0)
    rate = rng.uniform(0.5, 1.5, (N, 1)) * LEVEL * (week * year)[None, :]
    keys = pd.DataFrame({"item_code": [f"I{at:03d}" for at in range(N)], "warehouse": "W"}, dtype=object)
    return Panel(
        keys=keys, period="day", starts=starts.to_numpy().astype("datetime64[ns]"),
        demand=rng.poisson(rate).astype(float),
        in_stock=np.ones((N, days), dtype=bool), first=np.zeros(N, dtype=np.int64),
    )  # fmt: skip


def made(days: int, december: float, seed: int = 2) -> tuple[Panel, ForecastSet]:
    panel = panel_of(days, december, seed)
    return panel, forecast_panel(panel, HORIZON, SETTINGS, workers=1)


def autumn(panel: Panel) -> float:
    """Mean a day of September and October, which have no season."""
    days = pd.DatetimeIndex(panel.starts)
    recent = (days.year == 2025) & days.month.isin([9, 10])
    return float(panel.demand[:, recent].mean())


@pytest.mark.parametrize("december", [2.0, 0.5])
def test_a_december_that_came_twice_is_forecast(december: float) -> None:
    panel, forecast = made(730, december)
    assert forecast.mean.mean() / autumn(panel) == pytest.approx(december, rel=0.25)


def test_a_panel_without_a_year_is_left_alone() -> None:
    panel, forecast = made(730, 1.0)
    assert forecast.mean.mean() / autumn(panel) == pytest.approx(1.0, abs=0.03)
    weeks = forecast.mean.sum(axis=0)[:28].reshape(4, 7).sum(axis=1)
    assert weeks.max() / weeks.min() < 1.04


def test_one_year_does_not_invent_a_season() -> None:
    """A high December a year ago, seen once: the forecast is that of a history that does not reach back to it."""
    panel, forecast = made(365, 2.0)
    recent = panel.demand[:, -28:].mean()
    assert forecast.mean.mean() == pytest.approx(recent, rel=0.1)
    assert all(ground.yearly is None for ground in forecast.learned.grounds)


def test_a_peak_that_came_once_in_two_years_is_believed_in_part_at_most() -> None:
    panel = panel_of(730, 1.0)
    days = pd.DatetimeIndex(panel.starts)
    panel.demand[:, (days.year == 2024) & (days.month == 12)] *= 2
    forecast = forecast_panel(panel, HORIZON, SETTINGS, workers=1)
    assert forecast.mean.mean() / autumn(panel) < 1.5
