"""Classes, metrics, backtest, choice, quantiles and the whole forecast of a panel."""

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest

from erp_forecast_addon.planning import periods
from erp_forecast_addon.planning.errors import BadInput
from erp_forecast_addon.planning.forecasting import metrics, priors, quantiles, seasonality
from erp_forecast_addon.planning.forecasting.backtest import backtest, grounds, origins_and_steps
from erp_forecast_addon.planning.forecasting.catalog import CATALOG, candidates
from erp_forecast_addon.planning.forecasting.combination import learn_weights, names, reasons
from erp_forecast_addon.planning.forecasting.demand_class import demand_class, interval_and_variation
from erp_forecast_addon.planning.forecasting.forecast import forecast_panel
from erp_forecast_addon.planning.panel import Panel
from erp_forecast_addon.planning.settings import PlanSettings

SETTINGS = PlanSettings("Co")


def panel_of(demand, period="day", in_stock=None, first=None, last_start="2026-03-31"):
    demand = np.asarray(demand, dtype=float)
    n, t = demand.shape
    last = int(periods.index_of(np.array(last_start, dtype="datetime64[D]"), period))
    return Panel(
        keys=pd.DataFrame({"item_code": [f"I{at:04d}" for at in range(n)], "warehouse": "W"}, dtype=object),
        period=period,
        starts=periods.start_of(np.arange(last - t + 1, last + 1), period).astype("datetime64[ns]"),
        demand=demand,
        in_stock=np.ones((n, t), bool) if in_stock is None else in_stock,
        first=np.zeros(n, dtype=np.int64) if first is None else np.asarray(first),
    )


def poisson_panel(n=300, t=200, seed=4, period="day"):
    rng = np.random.default_rng(seed)
    week = np.array([0.6, 0.7, 0.8, 0.9, 1.2, 1.6, 1.2])
    rate = rng.gamma(1.0, 4.0, n)[:, None] * week[np.arange(t) % 7]
    return panel_of(rng.poisson(rate), period), rate


# ---- classes ----


def test_demand_classes_by_syntetos_boylan():
    rows = np.zeros((6, 100))
    rows[0] = 10.0
    rows[1] = np.where(np.arange(100) % 5 == 0, 50.0, 2.0)
    rows[2, ::4] = 3.0
    rows[3, ::4] = np.where(np.arange(25) % 5 == 0, 40.0, 1.0)
    rows[4, 90:] = 5.0
    panel = panel_of(rows, first=[0, 0, 0, 0, 90, 0])
    assert demand_class(panel).tolist() == ["Smooth", "Erratic", "Intermittent", "Lumpy", "New", "No Demand"]


def test_interval_and_variation_leave_out_unobserved_periods():
    demand = np.array([[0, 4.0, 0, 99, 8, 0]])
    mask = np.array([[True, True, True, False, True, True]])
    adi, cv2 = interval_and_variation(demand, mask)
    assert adi.tolist() == [5 / 2]
    assert cv2[0] == pytest.approx((2 / 6) ** 2)


# ---- metrics ----

ACTUAL, FORECAST = np.array([[2.0, 4, 0, 50]]), np.array([[3.0, 2, 0, 0]])
MASK = np.array([[True, True, True, False]])


def test_metrics_by_hand():
    assert metrics.wape(ACTUAL, FORECAST, MASK)[0] == pytest.approx(3 / 6)
    assert metrics.bias(ACTUAL, FORECAST, MASK)[0] == pytest.approx(-1 / 6)
    assert metrics.mase(ACTUAL, FORECAST, MASK, np.array([2.0]))[0] == pytest.approx(0.5)
    assert metrics.rmsse(ACTUAL, FORECAST, MASK, np.array([3.0]))[0] == pytest.approx(np.sqrt(5 / 3 / 3))
    bands = np.array([[[1.0, 3], [1, 3], [1, 3], [1, 3]]])
    # level 0.1: 0.1·1, 0.1·3, 0.9·1; level 0.9: 0.1·1, 0.9·1, 0.1·3
    expected = (0.1 + 0.3 + 0.9 + 0.1 + 0.9 + 0.3) / 2 / 3
    assert metrics.pinball(ACTUAL, bands, np.array([0.1, 0.9]), MASK)[0] == pytest.approx(expected)
    assert metrics.coverage(ACTUAL, bands[:, :, 0], bands[:, :, 1], MASK)[0] == pytest.approx(1 / 3)


def test_scales_use_only_pairs_of_observed_periods():
    history = np.array([[1.0, 3, 0, 7, 8]])
    mask = np.array([[True, True, False, True, True]])
    assert metrics.naive_absolute_error(history, mask)[0] == pytest.approx((2 + 1) / 2)
    assert metrics.naive_squared_error(history, mask)[0] == pytest.approx((4 + 1) / 2)


def test_what_cannot_be_measured_is_nan():
    zero, none = np.zeros((1, 4)), np.zeros((1, 4), bool)
    assert np.isnan(metrics.wape(zero, FORECAST, MASK)[0])
    assert np.isnan(metrics.mase(ACTUAL, FORECAST, none, np.array([1.0]))[0])
    assert np.isnan(metrics.rmsse(ACTUAL, FORECAST, MASK, np.array([0.0]))[0])


# ---- season ----


def test_profile_has_mean_one_and_finds_the_week():
    week = np.array([1.0, 1, 1, 1, 1, 1, 8])
    demand = np.tile(week, 20)[None]
    found = seasonality.profile(demand, demand > 0, 7)
    assert found.mean() == pytest.approx(1)
    assert np.argmax(found[0]) == 6


def test_sparse_series_take_the_profile_of_their_group():
    panel, _ = poisson_panel()
    known = priors.learn(panel).of(panel)
    sparse = np.zeros((1, 200))
    sparse[0, [20, 90, 150]] = 1
    mask = np.ones((1, 200), bool)
    alone = seasonality.profile(sparse, mask, 7)
    helped = seasonality.profile(sparse, mask, 7, known[:1])
    assert np.allclose(helped, known[:1], atol=0.15)
    assert np.allclose(alone, 1, atol=0.15)
    regular = np.tile([1.0, 1, 1, 1, 1, 1, 8], 20)[None]
    assert seasonality.profile(regular, regular > 0, 7, known[:1])[0, -1] == pytest.approx(4, rel=0.05)


# ---- backtest and choice ----


@pytest.mark.parametrize(
    ("t", "horizon", "period"), [(400, 90, "day"), (60, 28, "day"), (104, 20, "week"), (24, 6, "month")]
)
def test_every_origin_lies_before_the_forecast_origin(t, horizon, period):
    origins, steps = origins_and_steps(t, horizon, period)
    assert len(origins) == 3
    assert all(origin + steps <= t for origin in origins)
    assert 1 <= steps <= horizon


@pytest.mark.parametrize("t", [1, 2, 3, 4])
def test_too_short_a_history_has_no_backtest(t):
    assert origins_and_steps(t, 5, "day")[0] == ()


def test_the_backtest_sees_nothing_after_its_origin():
    panel, _ = poisson_panel(n=20)
    tested = backtest(panel, 28, CATALOG, 1)
    changed = panel.demand.copy()
    changed[:, tested.origins[1] :] = 777.0
    again = backtest(replace(panel, demand=changed), 28, CATALOG, 1)
    assert np.array_equal(tested.forecasts[:, :2], again.forecasts[:, :2])
    assert not np.array_equal(tested.forecasts[:, 2], again.forecasts[:, 2])


def test_unobserved_periods_are_not_scored():
    panel, _ = poisson_panel(n=5)
    in_stock = panel.in_stock.copy()
    in_stock[2, -10:] = False
    tested = backtest(replace(panel, in_stock=in_stock), 28, CATALOG, 1)
    assert tested.counts().tolist() == [84, 84, 74, 84, 84]


def combined(panel, models=CATALOG, steps=28):
    tested = backtest(panel, steps, models, 1)
    classes = demand_class(panel)
    first = panel.before(tested.origins[0])
    scale = np.nan_to_num(metrics.naive_squared_error(first.demand, first.observed))
    return tested, classes, learn_weights(tested, classes, scale).of(tested, classes)


def test_a_class_that_clearly_prefers_a_model_gets_it_and_says_so():
    rng = np.random.default_rng(8)
    panel = panel_of(20 + np.arange(200) * rng.uniform(1, 3, (40, 1)) + rng.normal(0, 0.5, (40, 200)))
    trends = {name: CATALOG[name] for name in ("Seasonal Naive", "Seasonal Window Average", "Holt Trend")}
    tested, classes, shares = combined(panel, trends)
    assert (names(shares, tested.models) == "Holt Trend").all()
    template, values = reasons(shares, tested, classes)
    text = template[0].format(**values[0])
    assert text.startswith("Holt Trend ")
    assert "3 backtests of 28 periods" in text


def test_shares_are_convex_and_the_noise_of_one_series_moves_them_little():
    panel, _ = poisson_panel(n=400)
    tested, classes, shares = combined(panel)
    assert shares.min() >= 0
    assert shares.sum(axis=1) == pytest.approx(1)
    own = tested.squared_errors()
    alone = np.eye(own.shape[1])[np.argmin(own, axis=1)]
    for name in np.unique(classes):
        rows = classes == name
        spread, spread_alone = (part[rows].std(axis=0).max() for part in (shares, alone))
        assert spread <= spread_alone
    assert shares.std(axis=0).max() < 0.5 * alone.std(axis=0).max()


def test_the_combination_beats_the_mean_model_on_later_data():
    panel, rate = poisson_panel(n=400, t=228)
    made = forecast_panel(panel.before(200), 28, SETTINGS, workers=1)
    tested = backtest(panel.before(200), 28, candidates("day"), 1)
    plain = [
        model.forecast(panel.demand[:, :200], panel.observed[:, :200], 28, 7) for model in candidates("day").values()
    ]
    errors = [((each - rate[:, 200:]) ** 2).mean() for each in plain]
    assert ((made.mean - rate[:, 200:]) ** 2).mean() < np.mean(errors)
    assert set(tested.models) == set(candidates("day"))


def test_few_sales_follow_the_class():
    panel, _ = poisson_panel(n=100)
    demand = np.vstack([panel.demand, np.zeros((1, 200))])
    demand[-1, 5] = 1.0
    tested, classes, shares = combined(panel_of(demand))
    template, _values = reasons(shares, tested, classes)
    assert "comparable items" in template[-1]


def test_a_few_rows_alone_are_forecast_as_among_all():
    panel, _ = poisson_panel(n=200)
    everything = forecast_panel(panel, 28, SETTINGS, workers=1)
    some = np.array([3, 77, 150])
    alone = forecast_panel(panel.select(some), 28, SETTINGS, learned=everything.learned)
    assert alone.mean == pytest.approx(everything.mean[some], rel=1e-5)
    assert np.array_equal(alone.quantiles, everything.quantiles[some])
    assert alone.error_std == pytest.approx(everything.error_std[some], rel=1e-5)
    assert alone.model.tolist() == everything.model[some].tolist()


@pytest.mark.parametrize("period", ["day", "week", "month"])
def test_a_few_series_at_all_origins_together_are_as_origin_by_origin(period):
    panel, _ = poisson_panel(n=100, t=150, period=period)
    panel.in_stock[3, 40:60] = False
    young = replace(panel, first=np.where(np.arange(100) == 7, 120, 0))
    many = backtest(young, 12, candidates(period), workers=1)
    some = np.array([3, 7, 50])
    known = grounds(young, many.origins)
    few = backtest(young.select(some), 12, candidates(period), workers=1, known=known)
    assert few.forecasts == pytest.approx(many.forecasts[:, :, some], rel=1e-5, abs=1e-6)
    assert np.array_equal(few.scored, many.scored[:, some])


def test_what_was_learned_for_another_period_is_refused():
    panel, _ = poisson_panel(n=20)
    learned = forecast_panel(panel, 28, SETTINGS).learned
    weeks, _ = poisson_panel(n=20, period="week")
    with pytest.raises(BadInput, match="does not fit these settings"):
        forecast_panel(weeks, 4, SETTINGS, learned=learned)


# ---- quantiles ----


def test_quantiles_are_ordered_never_negative_for_any_levels():
    panel, _ = poisson_panel(n=80)
    levels = (0.0001, 0.003, 0.2, 0.5, 0.50001, 0.8, 0.9999)
    forecast = forecast_panel(panel, 30, replace(SETTINGS, quantile_levels=levels), workers=1)
    assert forecast.quantiles.shape == (80, 30, 7)
    assert forecast.quantiles.dtype == np.float32
    assert (forecast.quantiles >= 0).all()
    assert (np.diff(forecast.quantiles, axis=2) >= 0).all()


def test_series_of_whole_numbers_have_whole_quantiles():
    panel, _ = poisson_panel(n=50)
    halves = np.vstack([panel.demand, panel.demand[:1] + 0.5])
    quantile = forecast_panel(panel_of(halves), 14, SETTINGS).quantiles
    assert np.array_equal(quantile[:-1], np.rint(quantile[:-1]))
    assert not np.array_equal(quantile[-1], np.rint(quantile[-1]))


def test_quantiles_hold_on_data_that_was_not_seen():
    panel, rate = poisson_panel(n=1500, t=228)
    past = panel.before(200)
    forecast = forecast_panel(past, 28, replace(SETTINGS, quantile_levels=(0.05, 0.5, 0.9, 0.95)), workers=1)
    future = panel.demand[:, 200:]
    regular = rate.mean(axis=1) > 4  # of rare demand most quantiles are ties at 0
    for at, level in enumerate(forecast.quantile_levels):
        below = (future < forecast.quantiles[:, :, at])[regular].mean()
        upto = (future <= forecast.quantiles[:, :, at])[regular].mean()
        assert below - 0.02 <= level <= upto + 0.02
    assert forecast.mean.mean() == pytest.approx(future.mean(), rel=0.03)


def test_the_spread_grows_with_the_horizon_when_the_past_did():
    walks = 200 + np.cumsum(np.random.default_rng(5).normal(0, 3, (300, 200)), axis=1)
    forecast = forecast_panel(panel_of(np.maximum(walks, 0)), 28, SETTINGS, workers=1)
    width = (forecast.quantiles[:, :, -2] - forecast.quantiles[:, :, 1]).mean(axis=0)
    assert width[-1] > 1.5 * width[0]


def test_error_std_of_poisson_demand_is_near_the_root_of_its_mean():
    rng = np.random.default_rng(2)
    forecast = forecast_panel(panel_of(rng.poisson(9.0, (400, 200))), 28, SETTINGS, workers=1)
    assert np.median(forecast.error_std) == pytest.approx(3.0, rel=0.1)


def test_a_single_period_gets_the_spread_of_poisson_demand():
    forecast = forecast_panel(panel_of([[4.0]]), 5, SETTINGS)
    assert forecast.mean.tolist() == [[4.0] * 5]
    assert forecast.error_std[0] == pytest.approx(2.0, rel=0.01)
    assert np.isnan(forecast.accuracy.to_numpy()).all()


# ---- the whole ----


@pytest.mark.parametrize("period", ["day", "week", "month"])
@pytest.mark.parametrize("t", [1, 2, 3, 5, 9, 26, 60, 130])
def test_any_length_of_history_gives_a_whole_forecast(period, t):
    rng = np.random.default_rng(1)
    demand = rng.poisson(2, (7, t)).astype(float)
    demand[0] = 0
    panel = panel_of(demand, period, rng.random((7, t)) > 0.2, np.minimum([0, 0, 0, t - 1, t // 2, 0, 0], t - 1))
    forecast = forecast_panel(panel, 5, SETTINGS)
    for values in (forecast.mean, forecast.quantiles, forecast.error_std, forecast.daily_std()):
        assert np.isfinite(values).all()
        assert (values >= 0).all()
    assert (forecast.error_std[forecast.mean.sum(axis=1) > 0] > 0).all()
    assert all(
        template.format(**values)
        for template, values in zip(forecast.reason_template, forecast.reason_values, strict=True)
    )
    assert np.isfinite(forecast.daily_mean(panel.last_day, 400)).all()


def test_same_input_same_output_whatever_the_number_of_threads():
    panel, _ = poisson_panel(n=4200, t=60)
    one, two = (forecast_panel(panel, 10, SETTINGS, workers=workers) for workers in (1, 2))
    assert np.array_equal(one.mean, two.mean)
    assert np.array_equal(one.quantiles, two.quantiles)
    assert one.model.tolist() == two.model.tolist()


def test_a_panel_without_series_and_a_horizon_of_zero():
    panel, _ = poisson_panel(n=3)
    empty = forecast_panel(panel.select(np.array([], dtype=int)), 5, SETTINGS)
    assert (empty.mean.shape, len(empty.accuracy)) == ((0, 5), 0)
    with pytest.raises(BadInput, match="at least one period"):
        forecast_panel(panel, 0, SETTINGS)


def test_no_demand_is_forecast_zero_and_says_so():
    demand = np.zeros((2, 60))
    demand[1] = 3
    forecast = forecast_panel(panel_of(demand), 4, SETTINGS)
    assert not forecast.mean[0].any()
    assert not forecast.quantiles[0].any()
    assert "Nothing was sold" in forecast.reason_template[0]


def test_censored_weeks_do_not_lower_the_forecast():
    rng = np.random.default_rng(6)
    demand = rng.poisson(20, (50, 150)).astype(float)
    in_stock = np.ones(demand.shape, bool)
    in_stock[:, 100:130] = False
    sold = np.where(in_stock, demand, 0)
    known = forecast_panel(panel_of(sold, in_stock=in_stock), 14, SETTINGS, workers=1)
    assert known.mean.mean() == pytest.approx(20, rel=0.05)


# ---- days ----


def constant(period, value, last_start):
    return forecast_panel(panel_of(np.full((1, 30), value), period, last_start=last_start), 4, SETTINGS)


def test_daily_mean_spreads_periods_over_their_days():
    weeks = constant("week", 70.0, "2026-03-02")
    assert np.allclose(weeks.daily_mean(date(2026, 3, 8), 28), 10)
    assert weeks.horizon_total(14)[0] == pytest.approx(140)
    months = constant("month", 62.0, "2026-03-01")  # 62 in April's 30 days, in May's 31
    daily = months.daily_mean(date(2026, 3, 31), 61)[0]
    assert daily[[0, 29]].tolist() == pytest.approx([62 / 30, 62 / 30])
    assert daily[[30, 60]].tolist() == pytest.approx([2, 2])
    assert months.horizon_total(61)[0] == pytest.approx(124)


def test_an_unfinished_period_counts_only_with_its_days_after_as_of():
    weeks = constant("week", 70.0, "2026-03-02")
    # The first forecast week runs from 9 to 15 March; on the 12th three of its days are left.
    daily = replace(weeks, mean=weeks.mean * [1, 2, 3, 4]).daily_mean(date(2026, 3, 12), 10)[0]
    assert daily.tolist() == pytest.approx([10] * 3 + [20] * 7)


def test_days_beyond_the_horizon_repeat_the_last_cycle():
    panel = panel_of(np.tile([1.0, 2, 3, 4, 5, 6, 7], 20)[None])
    forecast = forecast_panel(panel, 14, SETTINGS)
    daily = forecast.daily_mean(panel.last_day, 35)[0]
    assert daily[:14].tolist() == forecast.mean[0].tolist()
    assert daily[14:21].tolist() == daily[21:28].tolist() == daily[7:14].tolist()


def test_daily_std_shares_the_variance_of_a_period():
    weeks = constant("week", 70.0, "2026-03-02")
    assert weeks.daily_std()[0] == pytest.approx(weeks.error_std[0] / np.sqrt(7))


def test_intervals_widen_only_where_the_backtests_show_it() -> None:
    """The errors of a walk grow with the step; those of noise do not, whatever a single surprise says."""
    rng = np.random.default_rng(5)
    shape = (3, 40, 20)
    steps = rng.normal(0.0, 1.0, shape)
    everywhere, flat = np.ones(shape, dtype=bool), np.full(shape, 10.0)

    def growth(errors: np.ndarray, n: int) -> float:
        part = errors[:, :n]
        spread = quantiles.learn(flat[:, :n] + part, flat[:, :n], everywhere[:, :n], np.full(n, "Smooth"))
        return spread.growth[1]

    assert growth(np.cumsum(steps, axis=2), 40) > 0.05
    assert growth(steps, 40) < 0.01
    late_surprise = steps[:, :2].copy()
    late_surprise[0, 0, -1] += 12.0
    assert growth(late_surprise, 2) < 0.01


def test_arima_is_tried_for_what_moves_most_money_and_kept_only_where_it_is_better():
    rng = np.random.default_rng(11)
    walk = 50 + np.cumsum(rng.normal(0, 3, (1, 90)), axis=1)
    noise = rng.poisson(5.0, (30, 90))
    panel = panel_of(np.maximum(np.vstack([noise, walk]), 0), "week")
    settings = replace(SETTINGS, period="week", arima_items=2, arima_seconds=60)
    value = np.ones(31)
    made = forecast_panel(panel, 8, settings, unit_value=value)
    plain = forecast_panel(panel, 8, replace(settings, arima_items=0), unit_value=value)
    texts = [t.format(**v) for t, v in zip(made.reason_template, made.reason_values, strict=True)]
    tried = [at for at, text in enumerate(texts) if "ARIMA" in text]
    assert len(tried) == 2
    assert 30 in tried
    kept = [at for at in tried if made.model[at] == "ARIMA"]
    others = np.setdiff1d(np.arange(31), kept)
    assert np.array_equal(made.stages["combined"][others], plain.stages["combined"][others])
    rmsse = made.accuracy["rmsse"].to_numpy()
    assert all(rmsse[at] <= plain.accuracy["rmsse"].to_numpy()[at] * 1.05 for at in kept)


def test_without_time_for_arima_the_panel_models_stay():
    panel, _ = poisson_panel(n=12, t=90, period="week")
    settings = replace(SETTINGS, period="week", arima_items=3, arima_seconds=0)
    made = forecast_panel(panel, 8, settings, unit_value=np.ones(12))
    plain = forecast_panel(panel, 8, replace(settings, arima_items=0))
    assert np.array_equal(made.mean, plain.mean)
