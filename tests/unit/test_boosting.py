"""The global gradient-boosting model: what it may know, what moves it, what is kept."""

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from erp_forecast_addon.planning import periods
from erp_forecast_addon.planning.drivers import Driver
from erp_forecast_addon.planning.errors import BadInput
from erp_forecast_addon.planning.forecasting import boosting
from erp_forecast_addon.planning.forecasting.boosting import BoostedModel, Recipe, context, features, sampling, training
from erp_forecast_addon.planning.forecasting.boosting.chance import without_chance
from erp_forecast_addon.planning.forecasting.boosting.features import Rows, plan_features
from erp_forecast_addon.planning.forecasting.boosting.past import Fading, Past, since_last
from erp_forecast_addon.planning.panel import Panel

SMALL = Recipe(rows=5000, trees=25, leaves=31, min_leaf=20, learning_rate=0.15)
WEEK = np.array([0.6, 0.7, 0.8, 0.9, 1.2, 1.6, 1.2])
H = 14


def panel_of(demand, period="day", drivers=None, in_stock=None, first=None):
    demand = np.asarray(demand, dtype=float)
    n, t = demand.shape
    last = int(periods.index_of(np.array("2026-03-31", dtype="datetime64[D]"), period))
    houses = np.where(np.arange(n) % 2, "Stores", "Depot").astype(object)
    items = np.array([f"I{at // 2:04d}" for at in range(n)], dtype=object)
    return Panel(
        keys=pd.DataFrame({"item_code": items, "warehouse": houses}),
        period=period,
        starts=periods.start_of(np.arange(last - t + 1, last + 1), period).astype("datetime64[ns]"),
        demand=demand,
        in_stock=np.ones((n, t), bool) if in_stock is None else in_stock,
        first=np.zeros(n, dtype=np.int64) if first is None else np.asarray(first),
        drivers=drivers or {},
        hierarchy=pd.DataFrame({"item_group": np.where(np.arange(n) % 4 < 2, "Food", "Tools").astype(object)}),
    )


def shop(n=60, t=180, seed=3, h=H, base=8.0):
    """Poisson demand with a week, an event that doubles it every ninth day, and a price cut that lifts it by half."""
    rng = np.random.default_rng(seed)
    event = (np.arange(t + h) % 9 == 0).astype(np.float32)
    cut = (np.arange(t + h)[None, :] + 5 * np.arange(n)[:, None]) % 40 < 10
    rate = rng.gamma(4.0, base / 4, n)[:, None] * WEEK[np.arange(t + h) % 7] * (1 + event) * np.where(cut, 1.5, 1.0)
    drivers = {
        "Market Day": Driver("event", event, family="Market"),
        "Price": Driver("price", np.where(cut, 8.0, 10.0).astype(np.float32)),
    }
    return panel_of(rng.poisson(rate[:, :t]), drivers=drivers), rate[:, t:]


@pytest.fixture(scope="module")
def trained():
    panel, ahead = shop()
    return panel, ahead, boosting.train(panel, H, recipe=SMALL)


# ---- running sums ----


def test_running_sums_are_those_of_a_loop():
    rng = np.random.default_rng(1)
    seen = rng.random((3, 25)) > 0.2
    sold = np.where(seen, rng.integers(0, 9, (3, 25)), 0).astype(float)
    past = Past(sold, seen.astype(float), 7)
    fading = Fading(sold, seen.astype(float), 7, 0.5)
    for row in range(3):
        for end in range(26):
            at = np.array([row]), np.array([end])
            window = slice(max(0, end - 10), end)
            assert past.sum_count(*at, 10) == (sold[row, window].sum(), seen[row, window].sum())
            cycles = [slice(max(0, end - 7 * k - 7), max(0, end - 7 * k)) for k in range(4)]
            assert fading.sum_count(*at)[0] == sum(0.5**k * sold[row, part].sum() for k, part in enumerate(cycles))
            for target in range(end, end + 15):
                equal = [day for day in range(end - 1, -1, -1) if (target - day) % 7 == 0][:2]
                found = past.phase_sum_count(*at, np.array([target]), 2)
                assert found == (sum(sold[row, equal]), sum(seen[row, equal])), (end, target)


def test_since_last_sale():
    found = since_last(np.array([[False, True, False, False], [False] * 4]))
    assert found.tolist() == [[5, 5, 0, 1, 2], [5] * 5]


# ---- what may be known ----


def matrix(panel, plan, rows):
    found = context.group(panel, plan.drivers.frequent, plan.drivers.price).context(panel)
    return features.feature_matrix(plan, panel, found, rows)


def test_nothing_after_the_origin_is_known():
    panel, _ = shop()
    plan = features.plan_features(panel)
    series = np.repeat(np.arange(panel.n), 5)
    end = np.tile([60, 80, 100, 119, 120], panel.n)
    rows = Rows(series, end, end + np.tile([0, 3, 8, 13, 6], panel.n))
    changed = panel.demand.copy()
    changed[:, 120:] = changed[:, 120:] * 7 + 3
    (was, expected), (now, expected_now) = (
        matrix(source, plan, rows) for source in (panel, replace(panel, demand=changed))
    )
    pd.testing.assert_frame_equal(was, now)
    assert np.array_equal(expected, expected_now)
    earlier = panel.demand.copy()
    earlier[:, 50:60] += 5
    assert not np.array_equal(was, matrix(replace(panel, demand=earlier), plan, rows)[0])


def test_one_wild_week_hardly_bends_the_seasonal_index():
    demand = np.tile(100 * WEEK, (40, 40))
    demand[:, -14] *= 8
    panel = panel_of(demand)
    told = context.group(panel, (), None).context(panel)
    ahead = np.arange(7)
    index = told.seasonal_index(np.zeros(7, dtype=int), np.full(7, panel.t), panel.t + ahead)
    assert index == pytest.approx(WEEK / WEEK.mean(), rel=0.2)


def test_backtest_sees_nothing_after_its_origin():
    panel, _ = shop(n=30)
    changed = panel.demand.copy()
    changed[:, 160:] = 99.0
    first, second = (boosting.backtest(part, 160, H, recipe=SMALL) for part in (panel, replace(panel, demand=changed)))
    assert first.shape == (30, H)
    assert np.array_equal(first, second)


def test_periods_without_stock_are_neither_learned_nor_counted():
    panel, _ = shop(n=30)
    in_stock = np.random.default_rng(5).random(panel.demand.shape) > 0.2
    masked = replace(panel, in_stock=in_stock)
    other = replace(masked, demand=np.where(in_stock, panel.demand, 1000.0))
    first, second = (boosting.train(part, H, recipe=SMALL).forecast(part) for part in (masked, other))
    assert np.array_equal(first, second)
    sample = sampling.draw(masked, (1, H), 5000, 90.0, np.random.default_rng(0))
    assert in_stock[sample.rows.series, sample.rows.target].all()
    assert (sample.rows.end <= sample.rows.target).all()
    assert (sample.rows.target < sample.rows.end + H).all()


# ---- how well ----


def test_beats_the_window_average_where_drivers_matter(trained):
    panel, ahead, model = trained
    found = model.forecast(panel)
    assert found.shape == (panel.n, H)
    assert found.dtype == np.float32
    assert (found >= 0).all()
    window = np.tile(panel.demand[:, -56:].reshape(panel.n, 8, 7).mean(axis=1), 2)
    error, naive = (np.sqrt(((part - ahead) ** 2).mean()) for part in (found, window))
    assert error < 0.5 * naive
    assert found.sum() == pytest.approx(ahead.sum(), rel=0.04)


def test_scale_free():
    panel, _ = shop(n=40)
    factor = np.where(np.arange(40) % 3 == 0, 1000.0, 1.0)[:, None]
    found = boosting.train(replace(panel, demand=panel.demand * factor), H, recipe=SMALL).forecast(
        replace(panel, demand=panel.demand * factor)
    )
    ratio = found.sum(axis=1) / (panel.demand[:, -56:].mean(axis=1) * factor[:, 0] * H)
    assert ratio.min() > 0.7
    assert ratio.max() < 1.4


def test_without_events_and_without_price_change(trained):
    panel, _, model = trained
    normal = model.forecast(panel)
    on = panel.drivers["Market Day"].values[panel.t :] > 0
    quiet = model.without(panel, "event")
    assert normal[:, on].sum() / quiet[:, on].sum() == pytest.approx(2.0, rel=0.15)
    assert normal[:, ~on].sum() / quiet[:, ~on].sum() == pytest.approx(1.0, rel=0.05)
    cut = panel.drivers["Price"].values[:, panel.t :] < 9
    usual = model.without(panel, "price")
    assert normal[cut].sum() / usual[cut].sum() > 1.15
    assert np.array_equal(panel.drivers["Market Day"].values[panel.t :] > 0, on), "the panel was changed"


def test_a_signal_is_learned():
    rng = np.random.default_rng(2)
    heat = rng.random(200 + H).astype(np.float32)
    rate = 5 * (1 + 3 * heat)
    panel = panel_of(rng.poisson(np.tile(rate[:200], (40, 1))), drivers={"Heat": Driver("signal", heat)})
    found = boosting.train(panel, H, recipe=SMALL).forecast(panel).mean(axis=0)
    assert np.corrcoef(found, rate[200:])[0, 1] > 0.9


# ---- some rows alone ----


def test_a_few_series_with_the_groups_of_all_are_forecast_alike(trained):
    panel, _, model = trained
    few = np.array([7, 20, 21])
    groups = model.groups(panel)
    assert np.array_equal(model.forecast(panel.select(few), groups=groups), model.forecast(panel)[few])
    assert model.forecast(panel.select(few), 5, groups=groups).shape == (3, 5)
    with pytest.raises(BadInput, match="forecast anew"):
        model.forecast(panel.before(170), groups=groups)


def test_what_all_series_did_on_a_day_is_chance_unless_an_event_is_near():
    """All sell by half more on one day in ten, for no reason, and on the days around a holiday."""
    rng = np.random.default_rng(5)
    n, t = 400, 120
    holiday = np.zeros(t + H, dtype=np.float32)
    holiday[60] = 1
    near = np.abs(np.arange(t) - 60) <= 2
    shock = np.where(near | (np.arange(t) % 10 == 3), 1.5, 1.0)
    panel = panel_of(rng.poisson(20 * np.tile(shock, (n, 1))), drivers={"Feast": Driver("event", holiday, family="F")})
    target = np.repeat(np.arange(30, t), 300)
    series = rng.integers(0, n, len(target))
    rows = Rows(series, target - 5, target)
    plan = plan_features(panel).drivers
    actual, expected = panel.demand[series, target], np.full(len(target), 20.0)
    left = without_chance(plan, panel, rows, expected, actual, np.ones(len(target)))
    by_day = np.bincount(target, weights=left)[30:] / np.bincount(target)[30:]
    assert by_day[near[30:]] == pytest.approx(30.0, rel=0.05)
    assert by_day[~near[30:]] == pytest.approx(20.0, rel=0.08)
    # What a series does by itself stays.
    own = np.where(np.arange(n) % 8 < 4, 0.5, 2.0)[series]
    lifted = without_chance(plan, panel, rows, expected, actual * own, np.ones(len(target)))
    calm = ~near[target]
    assert lifted[calm & (own > 1)].mean() / lifted[calm & (own < 1)].mean() == pytest.approx(4, rel=0.05)
    signal = replace(panel, drivers={**panel.drivers, "Heat": Driver("signal", np.arange(t + H, dtype=np.float32))})
    kept = without_chance(plan_features(signal).drivers, signal, rows, expected, actual, np.ones(len(target)))
    assert np.array_equal(kept, actual)


def test_a_new_item_and_a_driver_that_is_gone_are_forecast(trained):
    panel, _, model = trained
    keys = panel.keys.copy()
    keys.loc[0, ["item_code", "warehouse"]] = ["New", "Elsewhere"]
    strange = replace(panel, keys=keys, drivers={})
    found = model.forecast(strange.select(np.arange(3)), groups=model.groups(panel))
    assert np.isfinite(found).all()
    assert (found.sum(axis=1) > 0).all()


def test_beyond_the_learned_horizon(trained):
    panel, _, model = trained
    found = model.forecast(panel, 60)
    assert found.shape == (panel.n, 60)
    assert np.array_equal(found[:, :H], model.forecast(panel))
    assert np.isfinite(found).all()


# ---- same again, stored ----


def test_deterministic_whatever_the_threads(trained):
    panel, _, model = trained
    again = boosting.train(panel, H, recipe=SMALL, workers=1)
    assert np.array_equal(again.forecast(panel, workers=1), model.forecast(panel))
    assert again.data_hash == model.data_hash


def test_stored_and_loaded(trained):
    panel, _, model = trained
    loaded = BoostedModel.load(model.save())
    assert np.array_equal(loaded.forecast(panel), model.forecast(panel))
    assert (loaded.data_hash, loaded.trained_until, loaded.feature_names) == (
        model.data_hash, model.trained_until, model.feature_names,
    )  # fmt: skip


def test_damaged_or_older_bytes_are_refused_with_a_sentence(trained):
    stored = trained[2].save()
    with pytest.raises(BadInput, match="damaged"):
        BoostedModel.load(stored[:-1] + bytes([stored[-1] ^ 1]))
    with pytest.raises(BadInput, match="version 0/old"):
        BoostedModel.load(stored.replace(trained[2].version.encode(), b"0/old", 1))
    with pytest.raises(BadInput, match="not a forecasting model"):
        BoostedModel.load(b"{}")


def test_when_it_is_trained_anew(trained):
    panel, _, model = trained
    today = panel.last_day

    def reason(stored=model, seen=panel, horizon=H, drifted=False, after=0):
        found = boosting.needs_training(stored, seen, horizon, drifted=drifted, today=today + timedelta(days=after))
        return None if found is None else found[0].format(**found[1])

    later = replace(panel, demand=panel.demand + 1)
    assert reason() is None
    assert reason(seen=later, after=3) is None
    assert "No model" in reason(stored=None)
    assert "0/old" in reason(stored=replace(model, version="0/old"))
    assert "28 periods" in reason(horizon=28)
    assert "week" in reason(seen=replace(panel, period="week"))
    assert "moved away" in reason(seen=later, drifted=True)
    assert "last 7 days" in reason(seen=later, after=7)
    assert reason(after=7, drifted=True) is None, "the data are those that it was trained on"


# ---- weeks, months, poor input ----


@pytest.mark.parametrize(("period", "t", "horizon"), [("week", 130, 13), ("month", 48, 6), ("week", 40, 6)])
def test_weeks_and_months(period, t, horizon):
    rng = np.random.default_rng(8)
    year = {"week": 52, "month": 12}[period]
    season = 1 + 0.8 * np.sin(2 * np.pi * np.arange(t + horizon) / year)
    rate = rng.gamma(4.0, 5.0, 80)[:, None] * season
    panel = panel_of(rng.poisson(rate[:, :t]), period)
    model = boosting.train(panel, horizon, recipe=SMALL)
    found = model.forecast(panel)
    assert found.shape == (80, horizon)
    assert np.isfinite(found).all()
    if t >= 2 * year:
        flat = panel.demand[:, -year // 4 :].mean(axis=1, keepdims=True)
        assert np.abs(found - rate[:, t:]).mean() < 0.6 * np.abs(flat - rate[:, t:]).mean()
    else:
        assert "week of year" not in model.feature_names


def test_constant_and_zero_series_and_one_that_never_was():
    panel, _ = shop(n=40)
    demand = panel.demand.copy()
    demand[0], demand[1], demand[2] = 6.0, 0.0, 0.0
    in_stock = panel.in_stock.copy()
    in_stock[2] = False
    poor = replace(panel, demand=demand, in_stock=in_stock, drivers={})
    found = boosting.train(poor, H, recipe=SMALL).forecast(poor)
    assert np.isfinite(found).all()
    assert found[0].mean() == pytest.approx(6.0, rel=0.25)
    assert not found[1].any()
    assert not found[2].any()


def test_all_zeros():
    panel = panel_of(np.zeros((20, 150)))
    assert not boosting.can_train(panel, H)
    with pytest.raises(BadInput, match="too little"):
        boosting.train(panel, H, recipe=SMALL)


def test_too_short_a_history_is_refused_with_a_sentence():
    panel, _ = shop(n=10, t=40)
    assert not boosting.can_train(panel, H)
    with pytest.raises(BadInput, match="40 periods of 10 series"):
        boosting.train(panel, H)
    assert boosting.backtest(panel, 30, 10) is None


def test_negative_demand_and_returns_count_as_nothing():
    panel, _ = shop(n=30)
    demand = panel.demand.copy()
    demand[:, ::11] = -4
    zero = np.maximum(demand, 0)
    first, second = (
        boosting.train(replace(panel, demand=part), H, recipe=SMALL).forecast(replace(panel, demand=part))
        for part in (demand, zero)
    )
    assert np.array_equal(first, second)


def test_horizon_blocks_cover_the_horizon_once():
    panel, _ = shop(n=4, t=400)
    for horizon in (1, 7, 10, 28, 90, 200):
        blocks = training.horizon_blocks(panel, horizon)
        assert blocks[0][0] == 1
        assert all(before[1] + 1 == after[0] for before, after in pairwise(blocks))
        assert blocks[-1][1] <= horizon
