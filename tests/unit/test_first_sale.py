"""A series that is known since its first demand: how often it will sell is what others did after theirs."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from erp_forecast_addon.planning import periods
from erp_forecast_addon.planning.forecasting.backtest import MIN_OBSERVED, backtest
from erp_forecast_addon.planning.forecasting.catalog import CATALOG
from erp_forecast_addon.planning.forecasting.demand_class import NEW_BELOW
from erp_forecast_addon.planning.forecasting.first_sale import FirstSale, learn_first_sale
from erp_forecast_addon.planning.forecasting.forecast import forecast_panel
from erp_forecast_addon.planning.panel import Panel
from erp_forecast_addon.planning.settings import PlanSettings

WEEKS, AHEAD = 104, 8


def weekly(demand, first, period="week"):
    n, t = demand.shape
    last = int(periods.index_of(np.array("2026-03-02", dtype="datetime64[D]"), period))
    return Panel(
        keys=pd.DataFrame({"item_code": [f"I{at}" for at in range(n)], "warehouse": "W"}, dtype=object),
        period=period,
        starts=periods.start_of(np.arange(last - t + 1, last + 1), period).astype("datetime64[ns]"),
        demand=demand,
        in_stock=np.ones((n, t), bool),
        first=first,
    )


def launched(alpha, beta, n=3000, seed=5):
    """Series that begin with a sale at any time and then sell in a share of weeks of their own. One panel of WEEKS, and
    what comes in the AHEAD weeks after it; those that begin later are left out."""
    rng = np.random.default_rng(seed)
    first = rng.integers(0, WEEKS, n)
    share = rng.beta(alpha, beta, n)
    week = np.arange(WEEKS + AHEAD)
    sells = (rng.random((n, len(week))) < share[:, None]) & (week > first[:, None])
    sells[np.arange(n), first] = True
    demand = np.where(sells, rng.integers(1, 9, n)[:, None], 0).astype(float)
    return weekly(demand[:, :WEEKS], first), demand[:, WEEKS:]


@pytest.fixture(scope="module", name="rare")
def _rare():
    return launched(0.6, 9.0)


def record(panel):
    """The share of periods with demand that the record shows, the first one included. (n,)"""
    return (panel.demand > 0).sum(axis=1) / (panel.t - panel.first)


def test_the_share_after_the_first_sale_is_learned(rare):
    learned = learn_first_sale(rare[0])
    assert learned.alpha / (learned.alpha + learned.beta) == pytest.approx(0.6 / 9.6, rel=0.15)
    assert learned.certainty > 0.98


@pytest.mark.parametrize(("youngest", "oldest"), [(1, 2), (3, 4), (5, 7), (8, 20)])
def test_corrected_the_record_says_what_comes(youngest, oldest):
    panel, came = launched(0.6, 9.0, n=12_000)
    age = panel.t - panel.first
    rows = (age >= youngest) & (age <= oldest)
    told = record(panel)[rows]
    corrected = told * learn_first_sale(panel).of(panel)[rows, 0]
    truth = (came[rows] > 0).mean()
    assert told.mean() > 1.4 * truth
    assert corrected.mean() == pytest.approx(truth, rel=0.2)


def test_what_sells_nearly_every_week_keeps_its_forecast():
    panel, _ = launched(30.0, 1.5)
    factor = learn_first_sale(panel).of(panel)
    assert factor.mean() > 0.98
    assert factor.min() > 0.85


def test_only_series_that_began_with_a_sale_within_the_year_are_corrected(rare):
    panel, _ = rare
    learned = learn_first_sale(panel)
    age = panel.t - panel.first
    factor = learned.of(panel)[:, 0]
    assert (factor[age >= 52] == 1).all()
    assert factor[age < NEW_BELOW["week"]].max() < 1
    received = replace(panel, first=np.maximum(panel.first - 1, 0))
    assert (learned.of(received) == 1).all()
    # Whatever sells as the panel begins may have sold before.
    short = weekly(panel.demand[:, -20:], np.maximum(panel.first - (WEEKS - 20), 0))
    assert (learned.of(short)[short.first < NEW_BELOW["week"]] == 1).all()


def test_without_series_that_began_nothing_is_taken_off():
    old = weekly(np.ones((5, 60)), np.zeros(5, dtype=np.int64))
    assert learn_first_sale(old) == FirstSale()
    assert learn_first_sale(old).of(old).tolist() == [[1.0]] * 5
    assert FirstSale().before(old, ()).shape == (0, 5, 1)


def test_few_series_are_believed_little():
    panel, _ = launched(0.6, 9.0, n=5)
    assert learn_first_sale(panel).certainty <= 5 / 15


def test_days_are_left_as_they_are(rare):
    daily = weekly(rare[0].demand, rare[0].first, "day")
    assert (learn_first_sale(daily).of(daily) == 1).all()


def test_a_few_rows_get_what_they_have_among_all(rare):
    panel, _ = rare
    learned, some = learn_first_sale(panel), np.array([5, 300, 7])
    assert learned.of(panel.select(some)).tolist() == learned.of(panel)[some].tolist()
    assert learned.before(panel.select(some), (80, 96)).tolist() == learned.before(panel, (80, 96))[:, some].tolist()


def test_new_series_are_forecast_what_comes_and_their_sums_are_calibrated(rare):
    panel, came = rare
    made = forecast_panel(panel, AHEAD, replace(PlanSettings("Test"), period="week", quantile_levels=(0.5,)))
    new = made.demand_class == "New"
    levels = np.arange(1, 100) / 100
    sums = made.total_quantiles(7 * AHEAD, levels)[new]
    total = came[new].sum(axis=1, keepdims=True)
    assert made.mean[new].sum(axis=1).mean() == pytest.approx(total.mean(), rel=0.3)
    padded = np.concatenate([[0.0], levels, [1.0]])
    low, high = padded[(sums < total).sum(axis=1)], padded[100 - (sums > total).sum(axis=1)]
    # The expected share of transforms, uniform between the two, that lie at or below the level.
    for level in (0.5, 0.8, 0.9):
        share = np.clip((level - low) / np.maximum(high - low, 1e-9), 0, 1).mean()
        assert share == pytest.approx(level, abs=0.07)
    assert new.sum() > 150


def test_the_youngest_are_known_but_judge_no_model(rare):
    panel, _ = rare
    tested = backtest(panel, AHEAD, {"Croston": CATALOG["Croston"]}, 1)
    for at, origin in enumerate(tested.origins):
        age = origin - panel.first
        assert not tested.known[at, age <= 0].any()
        assert tested.known[at, age > 0].all()
        assert not tested.scored[at, age < MIN_OBSERVED].any()
        assert tested.scored[at, age >= MIN_OBSERVED].all()
