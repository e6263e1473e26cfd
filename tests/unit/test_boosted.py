"""The boosting model's part in a forecast: its share, its use again, and what a series is told."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from erp_forecast_addon.planning.drivers import Driver
from erp_forecast_addon.planning.forecasting.backtest import driven, factors, undriven
from erp_forecast_addon.planning.forecasting.forecast import forecast_panel
from erp_forecast_addon.planning.panel import Panel
from erp_forecast_addon.planning.settings import PlanSettings

FULL = PlanSettings("Co", tier="full")


@pytest.fixture(scope="module")
def panel():
    """Demand that alternates by item and depends on a rare event: what smoothing cannot see."""
    rng = np.random.default_rng(3)
    n, t, h = 80, 220, 14
    rate = rng.uniform(2, 6, n)[:, None] * np.ones((n, t + h))
    days = (np.arange(t + h) % 11 == 0).astype(float)
    rate[: n // 2] *= 1 + 1.5 * days
    return Panel(
        keys=pd.DataFrame({"item_code": [f"I{at:03d}" for at in range(n)], "warehouse": "W"}, dtype=object),
        period="day",
        starts=(np.datetime64("2025-01-06") + np.arange(t)).astype("datetime64[ns]"),
        demand=rng.poisson(rate[:, :t]).astype(float),
        in_stock=np.ones((n, t), bool),
        first=np.zeros(n, int),
        drivers={"Market": Driver("event", days)},
    )


@pytest.fixture(scope="module")
def made(panel):
    return forecast_panel(panel, 14, FULL, workers=1)


def test_the_full_tier_joins_the_model_and_says_so(panel, made):
    boosted = made.learned.boosted
    assert boosted is not None
    share = boosted.share(made.demand_class)
    assert ((share >= 0) & (share <= 1)).all()
    moved = factors(panel, made.learned.grounds[-1], 14)
    assert moved is not None  # the model is fed what is left without drivers, and they are put in again
    trees = boosted.model.forecast(undriven(panel, moved), 14) * driven(panel, moved, 14)
    expected = (1 - share) * made.stages["drivers"] + share * trees
    assert made.stages["boosted"] == pytest.approx(expected, rel=1e-4)
    texts = [t.format(**v) for t, v in zip(made.reason_template, made.reason_values, strict=True)]
    assert all(("gradient-boosting" in text) == (part > 0) for text, part in zip(texts, share[:, 0], strict=True))


def test_a_trained_model_is_used_again_until_it_is_old(panel, made):
    again = forecast_panel(panel, 14, FULL, workers=1, trained=made.learned.boosted)
    assert again.learned.boosted.model is made.learned.boosted.model
    assert again.stages["boosted"] == pytest.approx(made.stages["boosted"], rel=1e-4)
    model = replace(made.learned.boosted.model, trained_until=panel.last_day.replace(year=2024))
    old = replace(made.learned.boosted, model=model)
    trained = forecast_panel(panel, 14, FULL, workers=1, trained=old)
    assert trained.learned.boosted.model.trained_until == panel.last_day


def test_a_few_rows_alone_are_forecast_as_among_all(panel, made):
    some = np.array([1, 50])
    alone = forecast_panel(panel.select(some), 14, FULL, learned=made.learned)
    assert alone.mean == pytest.approx(made.mean[some], rel=1e-4)


def test_a_history_too_short_to_train_on_leaves_the_panel_models(panel):
    made = forecast_panel(panel.before(20), 14, FULL, workers=1)
    assert made.learned.boosted is None
    assert np.isfinite(made.mean).all()
