"""The own past in sums over lead times: what is drawn, how it is mixed, and where it stays out."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from erp_forecast_addon.planning.forecasting.forecast import ForecastSet, forecast_panel
from erp_forecast_addon.planning.forecasting.mixtures import LEVELS, WEIGHTS, quantiles_of_mixture
from erp_forecast_addon.planning.forecasting.own_past import OwnPast, learn_own_past, pooled
from erp_forecast_addon.planning.panel import Panel
from erp_forecast_addon.planning.settings import Period, PlanSettings

MIDDLE = np.array([0.1, 0.5, 0.9])


def panel_of(demand: np.ndarray, period: Period = "week", in_stock: np.ndarray | None = None) -> Panel:
    n, t = demand.shape
    step = {"day": 1, "week": 7}[period]
    return Panel(
        keys=pd.DataFrame({"item_code": [f"I{row}" for row in range(n)], "warehouse": "Stores"}, dtype=object),
        period=period,
        starts=(np.datetime64("2023-01-02") + step * np.arange(t)).astype("datetime64[ns]"),
        demand=demand.astype(float),
        in_stock=np.ones(demand.shape, dtype=bool) if in_stock is None else in_stock,
        first=np.zeros(n, dtype=np.int64),
    )


def rare(n: int = 6, t: int = 104, seed: int = 1) -> np.ndarray:
    random = np.random.default_rng(seed)
    return np.where(random.random((n, t)) < 0.2, random.integers(1, 30, (n, t)), 0).astype(float)


def past_of(panel: Panel, lift: float = 1.0, demand_class: str = "Lumpy") -> OwnPast:
    ahead = np.ones((panel.n, 13))
    return learn_own_past(panel, np.full(panel.n, demand_class, dtype=object), ahead, lift * ahead)


def sums_of(past: OwnPast, periods: float, lift: float = 1.0) -> np.ndarray:
    n = len(past.known)
    return past.sums(np.full(n, periods), np.full(n, lift), np.ones(n, dtype=bool))


# ---- what is drawn ----
def test_the_mean_of_sums_is_the_past_s_mean_times_the_periods() -> None:
    demand = rare(40)
    drawn = sums_of(past_of(panel_of(demand)), 8.0).mean(axis=1)
    assert drawn.sum() == pytest.approx(8.0 * demand.mean(axis=1).sum(), rel=0.03)


def test_parts_of_a_period_bring_all_of_it_now_and_then() -> None:
    past = past_of(panel_of(np.tile([0.0, 10.0], (1, 52))))
    drawn = sums_of(past, 0.5)
    assert set(np.unique(drawn)) == {0.0, 10.0}
    assert drawn.mean() == pytest.approx(2.5, abs=0.8)


def test_days_are_drawn_in_whole_weeks() -> None:
    week = np.array([0.0, 0.0, 0.0, 0.0, 0.0, 3.0, 4.0])
    past = past_of(panel_of(np.tile(week, 20)[None], "day"))
    assert np.unique(sums_of(past, 14.0)).tolist() == [14.0], "every seven days in a row hold one week"
    courses = past.courses(50, np.ones((1, 14)), np.ones(1, dtype=bool))
    assert np.unique(courses[:, :, :7].sum(axis=2)).tolist() == [7.0]


def test_periods_without_stock_are_never_drawn() -> None:
    demand, in_stock = rare(3), np.ones((3, 104), dtype=bool)
    demand[:, 40:50], in_stock[:, 40:50] = 1e6, False
    past = past_of(panel_of(demand, in_stock=in_stock))
    assert past.known.tolist() == [94, 94, 94]
    assert sums_of(past, 17.0).max() < 1e6
    assert past.courses(60, np.ones((3, 17)), np.ones(3, dtype=bool)).max() < 1e6


def test_drivers_and_ends_ahead_lift_and_end_it() -> None:
    past = past_of(panel_of(rare()))
    doubled, ended = sums_of(past, 8.0, 2.0), sums_of(past, 8.0, 0.0)
    assert doubled == pytest.approx(2.0 * sums_of(past, 8.0))
    assert not ended.any()


def test_a_part_of_a_unit_becomes_one_as_often_as_it_is_large() -> None:
    past = past_of(panel_of(np.ones((1, 60))))
    drawn = sums_of(past, 1.0, 0.3)
    assert set(np.unique(drawn)) == {0.0, 1.0}
    assert drawn.mean() == pytest.approx(0.3, abs=0.01)


def test_one_series_alone_has_what_it_has_among_all() -> None:
    past = past_of(panel_of(rare()))
    assert (sums_of(past, 9.5)[[4]] == sums_of(past.select(np.array([4])), 9.5)).all()


# ---- who has a share ----
@pytest.mark.parametrize(
    ("demand_class", "share"), [("Lumpy", 0.5), ("Intermittent", 0.5), ("Smooth", 0.0), ("New", 0.0)]
)
def test_only_rare_demand_has_a_share(demand_class: str, share: float) -> None:
    assert past_of(panel_of(rare()), demand_class=demand_class).share.tolist() == [share] * 6


def test_a_short_past_has_none() -> None:
    assert not past_of(panel_of(rare(t=25))).share.any()


def test_the_share_grows_with_the_length_from_nothing_for_one_period() -> None:
    past = past_of(panel_of(rare(1)))
    shares = [float(past.share_of(np.array([periods]))[0]) for periods in (0.5, 1.0, 3.0, 9.0, 200.0)]
    assert shares[:3] == [0.0, 0.0, 0.25]
    assert shares == sorted(shares)
    assert 0.49 < shares[-1] < 0.5


# ---- the mixture ----
def test_a_mixture_without_the_other_part_is_the_first() -> None:
    points = np.sort(np.random.default_rng(2).random((3, len(LEVELS))), axis=1)
    assert quantiles_of_mixture(points, WEIGHTS, LEVELS) == pytest.approx(points)


def test_a_mixture_lies_between_its_parts() -> None:
    past = past_of(panel_of(np.full((1, 60), 10.0)))
    low = np.zeros((1, len(LEVELS)))
    mixed = pooled(past, low, np.array([3.0]), np.ones(1), np.ones(1, dtype=bool), np.array([0.5, 0.74, 0.76, 0.99]))
    assert mixed.tolist() == [[0.0, 0.0, 30.0, 30.0]], "a quarter of a sum of three weeks is the past's thirty"


# ---- in a forecast ----
def forecast_of(demand: np.ndarray) -> ForecastSet:
    settings = replace(PlanSettings("Co"), period="week", horizon_days=91, quantile_levels=(0.5,))
    return forecast_panel(panel_of(demand), 13, settings, workers=1)


def test_sums_of_more_than_a_period_know_the_past_and_one_period_does_not() -> None:
    made = forecast_of(rare(60))
    without = replace(made, own_past=None)
    assert made.own_past is not None
    assert (made.own_past.share > 0).mean() > 0.9
    assert (made.total_quantiles(7.0, MIDDLE) == without.total_quantiles(7.0, MIDDLE)).all()
    assert (made.total_quantiles(56.0, MIDDLE) != without.total_quantiles(56.0, MIDDLE)).any()


def test_quantiles_rise_and_are_whole() -> None:
    made = forecast_of(rare(60))
    found = made.total_quantiles(np.linspace(3.0, 150.0, 60), np.linspace(0.01, 0.99, 50))
    assert (np.diff(found, axis=1) >= 0).all()
    assert (found == np.rint(found)).all()


def test_rows_asked_for_alone_get_the_same() -> None:
    made = forecast_of(rare(60))
    rows = np.array([3, 17])
    alone = made.totals(made.as_of, rows, np.full(2, 100.0), MIDDLE)
    assert (alone == made.total_quantiles(100.0, MIDDLE)[rows]).all()


def test_levels_are_searched_on_paths_with_the_past_and_orders_on_those_without() -> None:
    made = forecast_of(rare(20))
    rows = np.arange(20)
    plain, mixed = made.paths(rows, 10), made.paths(rows, 10, with_past=True)
    assert (plain == replace(made, own_past=None).paths(rows, 10, with_past=True)).all()
    changed = (plain != mixed).any(axis=(0, 2)).mean()
    assert 0.2 < changed < 0.5, "about as many courses as the past has weight"


def test_a_long_run_s_mean_lies_between_forecast_and_past() -> None:
    made = forecast_of(rare(60))
    assert made.own_past is not None
    ahead, past = made.daily_mean(made.as_of, 91).mean(axis=1), made.own_past.rate() / 7.0
    some = made.own_past.share > 0
    assert made.long_run_daily(made.as_of)[some] == pytest.approx(((ahead + past) / 2.0)[some], rel=1e-6)
    assert made.long_run_daily(made.as_of)[~some] == pytest.approx(ahead[~some])
