"""Quantiles per period and of sums over lead times: what they promise, and that they keep it."""

import pickle
from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest
from scipy.stats import nbinom

from erp_forecast_addon.planning.errors import BadInput
from erp_forecast_addon.planning.forecasting import distribution, lead_time_sums, quantiles, recalibration, spread
from erp_forecast_addon.planning.forecasting.demand_class import demand_class
from erp_forecast_addon.planning.panel import Panel

LEVELS = np.arange(1, 100) / 100
TAUS = (0.5, 0.8, 0.9, 0.95, 0.98)
ORIGINS, STEPS = 3, 28


class World:
    """Negative binomial demand of known mean and dispersion, its backtest with exact means, and what is learned."""

    def __init__(self, n=600, seed=1, dispersion=(1.2, 5.0), level_noise=0.0, learned_with=None):
        rng = np.random.default_rng(seed)
        self.n = n
        self.level = rng.gamma(1.0, 3.0, n) + 0.05
        self.dispersion = rng.uniform(*dispersion, n)
        week = np.array([0.6, 0.7, 0.8, 0.9, 1.2, 1.6, 1.2])
        shape = np.tile(week, STEPS // 7)
        # A level that is off by an unknown share all through a window makes sums wider than independent days do.
        self.off = rng.gamma(1 / max(level_noise, 1e-9), max(level_noise, 1e-9), (ORIGINS + 1, n)) if level_noise else 1
        truth = np.broadcast_to(self.level[:, None] * shape, (ORIGINS + 1, n, STEPS))
        drawn = truth * np.reshape(self.off, (ORIGINS + 1, n, 1)) if level_noise else truth
        r = drawn / (self.dispersion[None, :, None] - 1)
        self.demand = rng.negative_binomial(r, 1 / self.dispersion[None, :, None]).astype(np.float32)
        self.forecast = truth[:-1].astype(np.float32)
        self.mean = truth[-1].copy()
        self.classes = np.where(self.level > 2, "Smooth", "Intermittent").astype(object)
        self.scored = np.ones(self.forecast.shape, dtype=bool)
        self.whole = np.ones(n, dtype=bool)
        self.history = self.past(np.concatenate(list(self.demand[:-1]), axis=1))
        self.learned = learned_with or quantiles.learn(*self.came, self.classes, history=self.history, season_length=7)

    @property
    def came(self):
        return self.demand[:-1], self.forecast, self.scored

    def past(self, demand):
        """As `spread.history` makes it of a panel."""
        ends = tuple(STEPS * (at + 1) for at in range(ORIGINS + 1))
        doubled = np.concatenate([demand[:, :STEPS], demand], axis=1)
        before = spread.demand_dispersion(doubled, np.ones(doubled.shape, bool), ends, 7, 56)
        return spread.History(np.ones(self.n), before, np.tile(self.classes, (ORIGINS, 1)))

    def spread(self, rows=slice(None)):
        actual, forecast, scored = (part[:, rows] for part in self.came)
        own = spread.History(self.history.unit[rows], self.history.before[:, rows], self.history.classes[:, rows])
        return self.learned.spread(actual, forecast, scored, self.mean[rows].mean(axis=1), self.classes[rows], own)

    def per_period(self, levels=LEVELS, mean=None):
        return quantiles.per_period(self.spread(), self.mean if mean is None else mean, levels, self.whole)

    def total(self, periods, levels=LEVELS):
        own = self.spread()
        variance = own.variance(self.mean)[:, :periods].sum(axis=1)
        window = np.full(self.n, float(periods))
        return quantiles.of_totals(own, self.mean[:, :periods].sum(axis=1), variance, window, levels, self.whole)


@pytest.fixture(scope="module")
def world():
    return World()


def calibration(q, came, seed=0):
    """Share of randomised transforms at or below each tau (Czado, Gneiting & Held 2009)."""
    edges = np.concatenate([[0.0], LEVELS, [1.0]])
    flat, actual = q.reshape(-1, len(LEVELS)), np.asarray(came).reshape(-1, 1)
    low = edges[(flat < actual).sum(axis=1)]
    high = edges[len(LEVELS) + 1 - (flat > actual).sum(axis=1)]
    drawn = np.random.default_rng(seed).uniform(low, high)
    return np.array([(drawn <= tau).mean() for tau in TAUS])


# ---- the table ----


def test_the_table_holds_the_negative_binomial():
    rng = np.random.default_rng(3)
    mean, dispersion = np.exp(rng.uniform(-4, 6, 5000)), 1 + np.exp(rng.uniform(-3, 3.5, 5000))
    r = mean / (dispersion - 1)
    drawn = nbinom.rvs(r, 1 / dispersion, random_state=4)
    ours = distribution.cdf(distribution.place(mean, dispersion * mean), drawn + 1.0)
    error = np.abs(ours - nbinom.cdf(drawn, r, 1 / dispersion))
    assert error.max() < 0.04
    assert np.quantile(error, 0.9) < 0.02


def test_quantile_and_distribution_function_are_inverse():
    place = distribution.place(np.geomspace(0.01, 5000, 400), np.geomspace(0.01, 5000, 400) * np.linspace(0.1, 30, 400))
    x = distribution.look_up(place, distribution.at_probabilities(np.array([0.2, 0.9, 0.995])))
    for column, probability in enumerate((0.2, 0.9, 0.995)):
        assert distribution.cdf(place, x[:, column])[x[:, column] > 0] == pytest.approx(probability, abs=1e-4)
    same = distribution.look_up_each(place, np.tile([0.2, 0.9, 0.995], (400, 1)))
    assert np.allclose(same, x, rtol=1e-4, atol=1e-4)


def test_a_recalibration_is_the_mean_of_uniform_transforms():
    rng = np.random.default_rng(0)
    low = rng.random(500) * 0.9
    high = low + rng.random(500) * (1 - low)
    low[:100], high[100:120] = 0.0, low[100:120]
    ramps = np.clip((recalibration.NODES[:, None] - low) / np.maximum(high - low, 1e-12), 0, 1).sum(axis=1)
    summed = recalibration.summed(low, high, np.ones(500), np.zeros(500, dtype=int), 1)
    assert summed[0] == pytest.approx(ramps, abs=1e-5)


def test_perfect_transforms_change_nothing_and_none_leave_the_level_above():
    even = np.linspace(0, 1, 2001)[:-1]
    own = recalibration.summed(even, even + 1 / 2000, np.ones(2000), np.zeros(2000, dtype=int), 1)
    curve = recalibration.pulled(own, np.array([2000.0]), recalibration.NODES[None], 100.0)
    assert recalibration.inverse(curve, LEVELS)[0] == pytest.approx(LEVELS, abs=1e-3)
    above = recalibration.NODES[None] ** 2
    nothing = recalibration.pulled(np.zeros((1, len(above[0]))), np.zeros(1), above, 100.0)
    assert nothing == pytest.approx(above)


# ---- what every quantile promises ----


def test_quantiles_rise_with_the_level_and_are_whole_numbers(world):
    for levels in (LEVELS, np.array([0.0001, 0.005, 0.5, 0.50001, 0.995, 0.9999])):
        q = world.per_period(levels)
        assert q.dtype == np.float32
        assert (q >= 0).all()
        assert (np.diff(q, axis=2) >= 0).all()
        assert np.array_equal(q, np.rint(q))
        total = world.total(28, levels)
        assert (np.diff(total, axis=1) >= 0).all()
        assert np.array_equal(total, np.rint(total))


def test_the_mean_of_the_distribution_is_the_mean(world):
    even = (np.arange(400) + 0.5) / 400
    q = world.per_period(even)
    assert q.mean() == pytest.approx(world.mean.mean(), rel=0.03)
    large = world.level > 3
    assert np.abs(q[large].mean(axis=(1, 2)) / world.mean[large].mean(axis=1) - 1).max() < 0.15


def test_another_mean_recentres_the_quantiles(world):
    even = (np.arange(200) + 0.5) / 200
    tripled = world.per_period(even, world.mean * 3)
    assert tripled.mean() == pytest.approx(3 * world.mean.mean(), rel=0.04)
    width = [np.diff(q[:, :, [20, 180]], axis=2).mean() for q in (world.per_period(even), tripled)]
    assert np.sqrt(3) * width[0] * 0.95 < width[1] < 3 * width[0]


def test_a_mean_of_zero_has_zero_quantiles(world):
    mean = world.mean.copy()
    mean[4], mean[9, 5] = 0.0, 0.0
    q = world.per_period(mean=mean)
    assert not q[4].any()
    assert not q[9, 5].any()
    assert q[9, 6].any()


def test_one_row_alone_gets_what_it_had_among_all(world):
    levels = np.array([0.05, 0.5, 0.9, 0.995])
    among = world.per_period(levels)
    stored = pickle.loads(pickle.dumps(world.learned))
    for row in (0, 17, 599):
        alone = replace(world.spread(slice(row, row + 1)), learned=stored)
        q = quantiles.per_period(alone, world.mean[row : row + 1], levels, world.whole[:1])
        assert np.array_equal(q[0], among[row])


def test_the_result_does_not_depend_on_the_number_of_threads(world):
    own = world.spread()
    one, two = (quantiles.per_period(own, world.mean, LEVELS, world.whole, workers=workers) for workers in (1, 2))
    assert np.array_equal(one, two)
    again = quantiles.learn(*world.came, world.classes, history=world.history, season_length=7, workers=2)
    assert np.array_equal(again.step_maps, world.learned.step_maps)
    assert np.array_equal(again.window_maps, world.learned.window_maps)


def test_what_is_learned_is_small(world):
    assert len(pickle.dumps(world.learned)) < 1_000_000
    assert world.learned.groups[""] == 0


# ---- calibration ----


def test_periods_are_calibrated_on_demand_that_was_not_seen(world):
    found = calibration(world.per_period(), world.demand[-1])
    assert found == pytest.approx(TAUS, abs=0.015)


@pytest.mark.parametrize("periods", [1, 7, 14, 28])
def test_sums_are_calibrated_on_demand_that_was_not_seen(periods):
    world = World(n=1500, seed=5)
    found = calibration(world.total(periods), world.demand[-1][:, :periods].sum(axis=1))
    assert found == pytest.approx(TAUS, abs=0.035)


def test_sums_know_that_the_level_itself_is_uncertain():
    """Independent days would give four weeks the spread of √28 days; a level that is off adds to every one of them."""
    world = World(n=1500, seed=6, level_noise=0.15)
    total = calibration(world.total(28), world.demand[-1].sum(axis=1))
    assert total == pytest.approx(TAUS, abs=0.035)
    fast = int(np.argmax(world.level))
    growth = quantiles.sum_growth(world.spread(), np.full(world.n, 28.0))
    assert growth[fast] > 2
    assert growth[fast] > quantiles.sum_growth(world.spread(), np.full(world.n, 7.0))[fast] > 1


def test_a_biased_forecast_is_set_right_by_the_recalibration():
    """Means a third too high in every backtest: the quantiles come down, though the mean that is given does not."""
    world = World(n=1500, seed=7)
    world.forecast = world.forecast * np.float32(1.33)
    world.mean = world.mean * 1.33
    world.learned = quantiles.learn(*world.came, world.classes, history=world.history, season_length=7)
    assert calibration(world.per_period(), world.demand[-1]) == pytest.approx(TAUS, abs=0.02)


def test_dispersion_differs_between_series_as_their_demand_does():
    world = World(n=1000, seed=8, dispersion=(1.1, 12.0))
    fast = world.level > 2
    own = world.spread().dispersion[fast]
    assert np.corrcoef(np.log(own), np.log(world.dispersion[fast]))[0, 1] > 0.8
    assert np.median(own / world.dispersion[fast]) == pytest.approx(1, abs=0.15)


# ---- what the demand itself says ----


def odd_demand():
    rng = np.random.default_rng(9)
    demand = rng.poisson(rng.gamma(0.5, 2.0, 200)[:, None] * np.tile([1, 1, 1, 1, 2, 3, 1], 12), (200, 84)).astype(
        float
    )
    first = rng.integers(0, 70, 200)
    observed = (rng.random((200, 84)) > 0.1) & (np.arange(84) >= first[:, None])
    return np.where(np.arange(84) >= first[:, None], demand, 0), observed, first


def test_dispersion_of_demand_is_the_variance_within_weekdays_over_the_mean():
    demand, observed, _first = odd_demand()
    found = spread.demand_dispersion(demand, observed, (50, 84), 7, 20)
    for row in range(0, 200, 17):
        for at, (begin, end) in enumerate([(0, 50), (30, 50), (0, 84), (64, 84)]):
            phases = 7 if end - begin >= 28 else 1
            place = np.arange(begin, end)
            parts = [demand[row, place[(place % phases == p) & observed[row, place]]] for p in range(phases)]
            squares, free = sum(len(x) * x.var() for x in parts if len(x)), sum(max(len(x) - 1, 0) for x in parts)
            total = np.concatenate(parts)
            # Of a single known period its demand stands for what comes now and then.
            expected = (squares / free / total.mean() if free else total.mean()) if total.any() else 0.0
            assert found[at // 2, row, at % 2] == pytest.approx(expected, rel=1e-3, abs=1e-4)


def test_classes_at_past_origins_are_those_of_the_panel_then():
    demand, observed, first = odd_demand()
    panel = Panel(
        keys=pd.DataFrame({"item_code": [f"{at:03d}" for at in range(200)], "warehouse": "W"}, dtype=object),
        period="day",
        starts=(np.datetime64("2026-01-05") + np.arange(84)).astype("datetime64[ns]"),
        demand=demand,
        in_stock=observed | (np.arange(84) < first[:, None]),
        first=first,
    )
    then = spread.history(panel, np.ones(200, dtype=bool), (28, 56)).classes
    assert np.array_equal(then, np.stack([demand_class(panel.before(origin)) for origin in (28, 56)]))
    assert {"New", "Intermittent", "Lumpy"} <= set(then.ravel())


# ---- thin and odd input ----


def nothing_learned(n=3):
    none = np.zeros((0, n, 1), dtype=np.float32)
    classes = np.array(["Smooth"] * n, dtype=object)
    learned = quantiles.learn(none, none, none.astype(bool), classes)
    return learned.spread(none, none, none.astype(bool), np.full(n, 4.0), classes)


def test_a_new_series_without_residuals_has_the_quantiles_of_poisson_demand():
    q = quantiles.per_period(nothing_learned(), np.full((3, 2), 4.0), np.array([0.05, 0.5, 0.95]), np.ones(3, bool))
    assert np.array_equal(q[0], [[1, 4, 8], [1, 4, 8]])
    assert nothing_learned().one_step_std(np.full(3, 4.0)) == pytest.approx(2.0)


def test_a_class_never_seen_is_treated_like_all(world):
    actual, forecast, scored = (part[:, :1] for part in world.came)
    own = world.learned.spread(actual, forecast, scored, np.array([4.0]), np.array(["New"], dtype=object))
    assert own.group.tolist() == [world.learned.groups[""]]


def test_demand_that_never_varied_keeps_narrow_quantiles(world):
    n = 40
    constant = np.full((ORIGINS, n, STEPS), 6.0, dtype=np.float32)
    came = [
        np.concatenate([part, extra], axis=1)
        for part, extra in zip(world.came, (constant, constant, constant > 0), strict=True)
    ]
    classes = np.append(world.classes, ["Smooth"] * n).astype(object)
    before = np.concatenate([world.history.before, np.zeros((ORIGINS + 1, n, 2))], axis=1)
    before[:, world.n :] = 1e-6
    history = spread.History(np.ones(world.n + n), before, np.tile(classes, (ORIGINS, 1)))
    learned = quantiles.learn(*came, classes, history=history, season_length=7)
    own = learned.spread(*came, np.append(world.level, np.full(n, 6.0)), classes, history)
    q = quantiles.per_period(
        own.select(slice(world.n, None)), np.full((n, 7), 6.0), np.array([0.1, 0.9]), np.ones(n, bool)
    )
    assert (q >= 5).all()
    assert (q <= 8).all()


def test_an_item_that_seems_dead_may_come_back():
    """Next to nothing was forecast and every tenth series sold again: the quantiles know it; a mean of 0 promises 0."""
    rng = np.random.default_rng(2)
    n = 2000
    back = (rng.random((ORIGINS, n, 1)) < 0.1) * np.ones((1, 1, STEPS))
    actual = rng.poisson(2.0 * back).astype(np.float32)
    forecast, scored = np.full(actual.shape, 1e-6, dtype=np.float32), np.ones(actual.shape, dtype=bool)
    classes = np.full(n, "Intermittent", dtype=object)
    learned = quantiles.learn(actual, forecast, scored, classes, season_length=7)
    own = learned.spread(actual, forecast, scored, np.full(n, 1e-6), classes)
    q = quantiles.per_period(own, np.full((n, STEPS), 1e-6), LEVELS, np.ones(n, dtype=bool))
    unseen = rng.poisson(2.0 * (rng.random((n, 1)) < 0.1) * np.ones(STEPS))
    assert calibration(q, unseen) == pytest.approx(TAUS, abs=0.02)
    assert not quantiles.per_period(own, np.zeros((n, STEPS)), LEVELS, np.ones(n, dtype=bool)).any()


def test_surprises_where_nothing_was_forecast_do_not_blow_up_the_spread(world):
    actual, forecast, scored = (part[:, :1].copy() for part in world.came)
    forecast[:], actual[1, 0, 3:9] = 1e-7, 50.0
    own = world.learned.spread(actual, forecast, scored, np.array([8.0]), np.array(["Smooth"], dtype=object))
    q = quantiles.per_period(own, np.full((1, 1), 8.0), np.array([0.99]), np.ones(1, bool))
    assert 10 < q[0, 0, 0] < 120


def test_continuous_demand_keeps_its_fractions_and_its_scale(world):
    """Measured in another unit, the same demand has the same quantiles."""
    kilograms = 0.25
    came = (world.came[0] * kilograms, world.came[1] * kilograms, world.came[2])
    history = replace(world.history, unit=np.full(world.n, kilograms / 4))
    learned = quantiles.learn(*came, world.classes, history=history, season_length=7)
    own = learned.spread(*came, world.mean.mean(axis=1) * kilograms, world.classes, history)
    parts = np.zeros(world.n, dtype=bool)
    q = quantiles.per_period(own, world.mean * kilograms, LEVELS, parts)
    assert (np.diff(q, axis=2) >= 0).all()
    assert not np.array_equal(q, np.rint(q))
    fast = world.level > 4
    whole = world.per_period()[fast] * kilograms
    assert q[fast][:, :, 49].mean() == pytest.approx(whole[:, :, 49].mean(), rel=0.05)
    assert q[fast][:, :, 94].mean() == pytest.approx(whole[:, :, 94].mean(), rel=0.05)


# ---- lead times in days ----


def of_days(world, days, period="day", levels=LEVELS, mean=None, starts=None):
    mean = world.mean if mean is None else mean
    if starts is None:
        starts = np.datetime64("2026-04-06") + np.arange(mean.shape[1]) * (7 if period == "week" else 1)
    return lead_time_sums.total_quantiles(
        world.spread(), mean, world.whole, starts.astype("datetime64[ns]"), period, date(2026, 4, 5), days, levels
    )


def test_one_period_as_a_sum_is_that_period(world):
    first = world.per_period()[:, 0]
    assert np.array_equal(of_days(world, 1), first)
    assert np.array_equal(of_days(world, 7, "week"), first)


def test_every_series_may_have_its_own_lead_time(world):
    days = np.tile([1.0, 3.0, 10.5, 28.0, 60.0, 0.0], world.n // 6)
    mixed = of_days(world, days)
    for value in np.unique(days):
        assert np.array_equal(mixed[days == value], of_days(world, value)[days == value])
    assert not mixed[days == 0].any()


def test_parts_of_days_and_of_weeks_lie_between_their_neighbours(world):
    for period in ("day", "week"):
        shorter, between, longer = (of_days(world, days, period).mean(axis=0) for days in (10, 10.5, 11))
        assert (shorter < between).all()
        assert (between < longer).all()
    even = (np.arange(200) + 0.5) / 200
    third = of_days(world, 3, "week", even).mean(axis=1)
    fast = world.level > 4
    assert third[fast].sum() == pytest.approx(world.mean[fast, 0].sum() * 3 / 7, rel=0.05)


def test_days_beyond_the_horizon_repeat_the_last_week(world):
    even = (np.arange(100) + 0.5) / 100
    total = of_days(world, 56, levels=even).mean(axis=1)
    assert total.sum() == pytest.approx(2 * world.mean.sum(), rel=0.04)


@pytest.mark.parametrize("days", [-1.0, np.nan, np.inf])
def test_an_impossible_lead_time_is_refused(world, days):
    with pytest.raises(BadInput, match="finite number of days"):
        of_days(world, days)


def medians_of_sums(common, level):
    """Mean median of the sum over 28 days, where all series sold `common` times the forecast at each of the origins."""
    rng, n = np.random.default_rng(5), len(level)
    forecast = np.tile(level[:, None].astype(np.float32), (3, 1, 28))
    actual = rng.poisson(forecast * np.asarray(common)[:, None, None]).astype(np.float32)
    classes, scored = np.full(n, "Smooth", dtype=object), np.ones(actual.shape, dtype=bool)
    learned = quantiles.learn(actual, forecast, scored, classes)
    made = learned.spread(actual, forecast, scored, level, classes)
    variance = made.variance(np.repeat(level[:, None], 28, axis=1)).sum(axis=1)
    window, whole = np.full(n, 28.0), np.ones(n, dtype=bool)
    return float(quantiles.of_totals(made, 28 * level, variance, window, np.array([0.5]), whole).mean())


def test_what_backtest_origins_disagree_on_does_not_move_the_median_of_sums():
    """A good window for all series is one observation, however many series there are."""
    level = np.linspace(0.1, 0.4, 2000)
    usual = medians_of_sums([1.0, 1.0, 1.0], level)
    up = medians_of_sums([1.25, 0.9, 1.0], level)
    down = medians_of_sums([1 / 1.25, 1 / 0.9, 1.0], level)  # as uncertain, and lower on average
    assert up == pytest.approx(down, abs=0.03 * usual)
    assert medians_of_sums([1.2, 1.21, 1.19], level) > 1.15 * usual  # what all agree on is learned


def test_shocks_wider_than_the_series_own_noise_are_not_made_worse():
    level = np.full(800, 5.0)
    up, down = (medians_of_sums(common, level) for common in ([1.35, 0.9, 1.0], [1 / 1.35, 1 / 0.9, 1.0]))
    assert up == pytest.approx(down, rel=0.05)
