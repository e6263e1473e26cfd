"""What events, signals and prices do to demand, and that nothing else is touched by it."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from erp_forecast_addon.planning.drivers import Driver
from erp_forecast_addon.planning.forecasting.effects import learn_effects
from erp_forecast_addon.planning.forecasting.forecast import forecast_panel
from erp_forecast_addon.planning.panel import Panel
from erp_forecast_addon.planning.settings import PlanSettings

T, H = 280, 28
SETTINGS = PlanSettings("Co")


def shop(n=60, rate=8.0, seed=1, factor=None):
    """n series in two groups over T + H days; factor: (n, T + H) on the rate."""
    rng = np.random.default_rng(seed)
    mean = rng.uniform(0.5, 1.5, n)[:, None] * rate * (np.ones((n, T + H)) if factor is None else factor)
    demand = rng.poisson(mean).astype(float)
    keys = pd.DataFrame({"item_code": [f"I{at:03d}" for at in range(n)], "warehouse": "W"}, dtype=object)
    groups = np.where(np.arange(n) < n // 2, "Nuts", "Bolts").astype(object)
    hierarchy = pd.DataFrame({"item_group": groups, "brand": "", "warehouse": "W", "company": "Co"}, dtype=object)
    panel = Panel(
        keys=keys,
        period="day",
        starts=(np.datetime64("2025-01-06") + np.arange(T)).astype("datetime64[ns]"),
        demand=demand[:, :T],
        in_stock=np.ones((n, T), bool),
        first=np.zeros(n, int),
        hierarchy=hierarchy,
    )
    return panel, demand[:, T:], mean


def promotion():
    days = np.zeros(T + H)
    days[20 : T + H : 19] = 1
    return days


def test_an_event_is_found_per_group_and_reaches_the_forecast():
    days = promotion()
    groups = np.where(np.arange(60) < 30, 0.5, 0.0)[:, None]
    panel, _actual, mean = shop(factor=1 + groups * days)
    panel = replace(panel, drivers={"Sale": Driver("event", days, family="Promotion")})
    table = learn_effects(panel).table().set_index("group")
    assert table.loc["Nuts", "uplift_pct"] == pytest.approx(50, abs=8)
    assert table.loc["Bolts", "uplift_pct"] == pytest.approx(0, abs=8)
    assert (table["occurrences"] == 14).all()
    made = forecast_panel(panel, H, SETTINGS, workers=1)
    without = forecast_panel(replace(panel, drivers={}), H, SETTINGS, workers=1)
    error, error_without = (((each.mean - mean[:, T:]) ** 2).mean() for each in (made, without))
    assert error < 0.7 * error_without
    assert np.array_equal(made.mean > 0, without.mean > 0)


def test_one_occurrence_is_believed_only_in_part():
    days = np.zeros(T + H)
    days[100] = 1
    noise = 1 + 2.0 * days
    panel, _actual, _mean = shop(n=4, rate=0.5, factor=np.tile(noise, (4, 1)))
    effects = learn_effects(replace(panel, drivers={"Once": Driver("event", days)}))
    assert np.abs(effects.table()["uplift_pct"]).max() < 60


def test_a_signal_in_any_unit_gives_the_same_factors():
    rng = np.random.default_rng(3)
    weather = np.convolve(rng.normal(0, 1, T + H + 6), np.ones(7) / 7, "valid")
    panel, _actual, _mean = shop(factor=np.tile(1 + 0.4 * weather, (60, 1)))
    plain, scaled = (
        learn_effects(replace(panel, drivers={"Weather": Driver("signal", values)})).factors(
            replace(panel, drivers={"Weather": Driver("signal", values)}), H
        )
        for values in (weather, 1000 + 50 * weather)
    )
    assert plain.values == pytest.approx(scaled.values, rel=1e-3)
    assert np.corrcoef(plain.of(np.array([0]), slice(0, T))[0], weather[:T])[0, 1] > 0.9


def test_scopes_are_kept_apart():
    days = promotion()
    rows = np.where(np.arange(60) % 2 == 0, 0, -1)
    factor = np.where((rows == 0)[:, None], 1 + 0.6 * days, 1.0)
    panel, _actual, _mean = shop(factor=factor)
    panel = replace(panel, drivers={"Local": Driver("event", days[None], rows)})
    made = learn_effects(panel).factors(panel, H).of(slice(None), slice(T, T + H))
    there = days[T:] > 0
    assert made[0][there].mean() > 1.3 * made[0][~there].mean()
    assert made[1][there].mean() == pytest.approx(made[1][~there].mean(), rel=0.1)


def test_a_dearer_item_sells_less():
    rng = np.random.default_rng(4)
    price = np.where(rng.random((60, 22)) < 0.3, 0.8, 1.0).repeat(14, axis=1)[:, : T + H]
    panel, _actual, _mean = shop(n=60, rate=20, factor=price**-2.0)
    panel = replace(panel, drivers={"Price": Driver("price", price)})
    effects = learn_effects(panel)
    assert -2.6 < effects.elasticity[""] < -1.2
    factor = effects.factors(panel, H, ("price",)).of(slice(None), slice(T, T + H))
    assert factor[price[:, T:] < 0.9].mean() > factor[price[:, T:] > 0.9].mean()


def test_a_driver_that_ends_before_the_horizon_is_left_out_and_the_rest_stays():
    days = promotion()
    panel, _actual, _mean = shop(factor=np.tile(1 + 0.5 * days, (60, 1)))
    short = replace(panel, drivers={"Short": Driver("event", days[: T + 3])})
    none = forecast_panel(panel, H, SETTINGS, workers=1)
    made = forecast_panel(short, H, SETTINGS, workers=1)
    assert np.isfinite(made.mean).all()
    assert made.mean.mean() == pytest.approx(none.mean.mean(), rel=0.1)


def test_closed_days_say_nothing_about_the_level():
    days = np.zeros(T + H)
    days[6 : T + H : 30] = 1
    panel, _actual, mean = shop(factor=np.tile(1 - days, (60, 1)))
    panel = replace(panel, drivers={"Closed": Driver("event", days, family="Holiday")})
    made = forecast_panel(panel, H, SETTINGS, workers=1)
    closed = days[T:] > 0
    assert made.mean[:, closed].mean() < 0.35 * made.mean[:, ~closed].mean()
    assert made.mean[:, ~closed].mean() == pytest.approx(mean[:, T:][:, ~closed].mean(), rel=0.06)


def test_nothing_to_learn_from():
    panel, _actual, _mean = shop(n=3)
    assert learn_effects(panel.before(20)) is None
    nothing = replace(panel, demand=np.zeros((3, T)), drivers={"Sale": Driver("event", promotion())})
    assert np.isfinite(forecast_panel(nothing, H, SETTINGS).mean).all()
    assert (forecast_panel(nothing, H, SETTINGS).mean == 0).all()


def test_what_one_day_of_the_month_does_is_told_by_all_series_together():
    """The last two days of a month sell less, which no wave over the month can follow."""
    days = np.datetime64("2025-01-06") + np.arange(T + H)
    month = days.astype("datetime64[M]")
    left = (month + 1).astype("datetime64[D]") - days - 1
    factor = np.where(left.astype(int) < 2, 0.85, 1.0)
    panel, _actual, _mean = shop(n=400, rate=20.0, factor=np.tile(factor, (400, 1)))
    effects = learn_effects(panel)
    found = effects.factors(panel, H).of(slice(None), slice(T, T + H)).mean(axis=0)
    ends = factor[T:] < 1
    assert ends.sum() == 2
    assert found[ends].mean() == pytest.approx(found[~ends].mean() * 0.85, rel=0.06)
    alone = [at for at, name in enumerate(effects.names) if name.startswith("Day of Month Day")]
    assert np.allclose(effects.coefficients[:, alone], effects.company[alone])
    assert effects.table().empty
