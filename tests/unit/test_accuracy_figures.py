"""Forecasts kept by the week and judged: what the figures say of a forecast that one knows."""

from datetime import date, timedelta
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from erp_forecast_addon.planning import accuracy, drift
from erp_forecast_addon.planning.accuracy import (
    LAGS,
    LEVELS,
    STATE,
    Snapshot,
    WeekOfDemand,
    add_week,
    by_week,
    figures,
    first_whole_week,
    judge,
    last_whole_week,
    place,
    week_of_demand,
)
from erp_forecast_addon.planning.forecasting.day_shares import day_shares
from erp_forecast_addon.planning.panel import build_panel

MONDAY = date(2026, 11, 16)


def keys(n: int) -> pd.DataFrame:
    return pd.DataFrame({"item_code": [f"Item {at}" for at in range(n)], "warehouse": "W"})


def snapshot(mean: np.ndarray, naive: np.ndarray | None = None, half_band: float = 2.0) -> Snapshot:
    """Every lag with the same mean, and quantiles at −2, −1, 0, 1, 2 half bands around it."""
    n = len(mean)
    means = np.repeat(mean[:, None], len(LAGS), axis=1)
    bands = np.maximum(means[:, :, None] + half_band * np.arange(-2, 3), 0.0)
    other = means if naive is None else np.repeat(naive[:, None], len(LAGS), axis=1)
    return Snapshot(keys(n), MONDAY, MONDAY - timedelta(days=1), means, other, means, bands)


def came(demand: np.ndarray, known: np.ndarray | None = None, scale: float = 4.0) -> WeekOfDemand:
    n = len(demand)
    return WeekOfDemand(
        keys(n), demand.astype(float), np.ones(n, dtype=bool) if known is None else known,
        np.full(n, scale), np.full(n, scale**2),
    )  # fmt: skip


# ---- weeks -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("ahead", range(14))
def test_the_first_whole_week_begins_after_the_day_and_the_last_one_is_over(ahead: int) -> None:
    day = MONDAY + timedelta(days=ahead)
    first, last = first_whole_week(day), last_whole_week(day)
    assert first.weekday() == last.weekday() == 0
    assert 1 <= (first - day).days <= 7
    assert last + timedelta(days=6) <= day < last + timedelta(days=13)


def test_the_shares_of_a_period_add_up_to_one_within_the_horizon() -> None:
    starts = np.arange(np.datetime64("2026-12"), np.datetime64("2027-06")).astype("datetime64[D]")
    shares = day_shares(starts, "month", date(2026, 11, 30), 31 + 31 + 28)
    np.testing.assert_allclose(shares.sum(axis=1)[:3], 1.0)
    assert shares.sum(axis=0) == pytest.approx(1 / np.repeat([31, 31, 28], [31, 31, 28]))


def test_a_snapshot_holds_the_totals_of_the_whole_weeks_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    as_of = date(2026, 11, 18)  # a Wednesday
    starts = np.datetime64(as_of, "ns") + np.arange(1, 91) * np.timedelta64(1, "D")
    mean = np.arange(1.0, 91.0)[None, :]
    monkeypatch.setattr(
        accuracy.quantiles, "of_totals", lambda spread, total, *_rest: np.repeat(total[:, None], 5, axis=1)
    )
    forecasts = SimpleNamespace(
        keys=keys(1), starts=starts, period="day", as_of=as_of, mean=mean, n=1, whole=np.ones(1, dtype=bool),
        spread=SimpleNamespace(variance=np.zeros_like),
    )  # fmt: skip
    kept = accuracy.snapshot(forecasts, mean * 2)  # type: ignore[arg-type]  # all that it looks at
    assert kept.week_start == date(2026, 11, 23)
    # The first whole week is days 5 to 11 after as_of.
    assert kept.mean[0, :2].tolist() == [sum(range(5, 12)), sum(range(26, 33))]
    np.testing.assert_allclose(kept.naive, kept.mean * 2)
    np.testing.assert_allclose(kept.without_override, kept.mean)


def test_a_week_of_demand_masks_a_week_without_stock() -> None:
    days = pd.date_range("2026-08-03", "2026-11-22")
    rows = pd.DataFrame({
        "item_code": "Item 0", "warehouse": "W", "day": days, "demand_qty": 2.0, "opening_qty": 50.0,
        "closing_qty": 48.0,
    })  # fmt: skip
    out = (rows["day"] >= "2026-11-09") & (rows["day"] <= "2026-11-15")
    rows.loc[out, ["demand_qty", "opening_qty", "closing_qty"]] = 0.0
    weekly, _faults = build_panel(rows, "week", date(2026, 11, 22), history_days=400)
    week, before = week_of_demand(weekly, MONDAY), week_of_demand(weekly, MONDAY - timedelta(days=7))
    assert week is not None
    assert before is not None
    assert (week.demand[0], week.known[0]) == (14.0, True)
    assert not before.known[0]
    assert week_of_demand(weekly, MONDAY + timedelta(days=7)) is None


# ---- judging ---------------------------------------------------------------------------------------------------------
def test_errors_are_those_of_the_textbook() -> None:
    judged = judge(snapshot(np.array([10.0, 10.0]), naive=np.array([20.0, 10.0])), 1, came(np.array([12.0, 4.0])))
    assert judged["error"].tolist() == [-2.0, 6.0]
    assert judged["naive_abs_error"].tolist() == [8.0, 6.0]
    assert judged["scaled_abs"].tolist() == [0.5, 1.5]
    assert judged["scaled_squared"].tolist() == [4 / 16, 36 / 16]
    assert judged["inside_80"].tolist() == [1.0, 0.0]
    gaps = 12.0 - np.array([6.0, 8.0, 10.0, 12.0, 14.0])
    assert judged["pinball"][0] == pytest.approx(np.maximum(LEVELS * gaps, (LEVELS - 1) * gaps).mean())


def test_a_week_without_stock_is_not_judged_and_changes_nothing() -> None:
    judged = judge(snapshot(np.array([10.0, 10.0])), 1, came(np.array([0.0, 9.0]), known=np.array([False, True])))
    assert judged["judged"].tolist() == [False, True]
    assert not judged.iloc[0, 1:].any()
    before = np.ones((2, len(STATE)))
    after = add_week(before, judged, 1)
    np.testing.assert_array_equal(after[0], before[0])
    assert after[1, 0] == 2.0


def test_an_item_unknown_to_the_panel_sold_nothing() -> None:
    kept = snapshot(np.array([1.0, 1.0]))
    week = came(np.array([3.0]))
    judged = judge(kept, 4, week)
    assert judged["demand"].tolist() == [3.0, 0.0]
    assert judged["judged"].all()
    assert judged["has_scale"].tolist() == [1.0, 0.0]


def test_figures_of_steady_weeks_are_those_of_one_week() -> None:
    judged = judge(snapshot(np.array([10.0]), naive=np.array([16.0])), 1, came(np.array([12.0])))
    state = np.zeros((1, len(STATE)))
    for _week in range(30):
        state = add_week(state, judged, 1)
    (row,) = figures(state).to_dict("records")
    assert row["weeks"] == 30
    assert row["wape_pct"] == pytest.approx(100 * 2 / 12)
    assert row["bias_pct"] == pytest.approx(-100 * 2 / 12)
    assert row["naive_wape_pct"] == pytest.approx(100 * 4 / 12)
    assert row["value_added_pct"] == pytest.approx(50.0)
    assert (row["mase"], row["rmsse"]) == (pytest.approx(0.5), pytest.approx(0.5))
    assert (row["coverage_80_pct"], row["mean_demand_qty"]) == (pytest.approx(100.0), pytest.approx(12.0))


def test_an_old_week_counts_half_after_a_quarter() -> None:
    bad, good = (judge(snapshot(np.array([10.0])), 1, came(np.array([demand]))) for demand in (20.0, 10.0))
    state = add_week(np.zeros((1, len(STATE))), bad, 1)
    state = add_week(state, good, 1)
    for _week in range(accuracy.HALF_LIFE_WEEKS - 1):
        state = add_week(state, good, 1)
    weight = 0.5 ** (np.arange(14) / 13)
    expected = 100 * 10 * weight[-1] / (20 * weight[-1] + 10 * weight[:-1].sum())
    assert figures(state)["wape_pct"][0] == pytest.approx(expected)


def test_nothing_to_divide_by_is_not_a_number() -> None:
    judged = judge(snapshot(np.array([0.0])), 1, came(np.array([0.0]), scale=np.nan))
    row = figures(add_week(np.zeros((1, len(STATE))), judged, 1)).iloc[0]
    assert np.isnan(row[["wape_pct", "bias_pct", "mase", "rmsse", "value_added_pct"]].astype(float)).all()
    assert row["mean_demand_qty"] == 0.0


def test_sums_by_group_are_the_sums_of_their_rows() -> None:
    judged = judge(
        snapshot(np.array([10.0, 4.0, 7.0])), 1, came(np.array([12.0, 4.0, 0.0]), np.array([True, True, False]))
    )
    groups = pd.DataFrame({"warehouse": "W", "demand_class": ["Smooth", "Lumpy", "Lumpy"]})
    sums = by_week(judged, groups).set_index("demand_class")
    assert sums.loc["Smooth", "abs_error_qty"] == 2.0
    assert sums.loc["Lumpy", ["pairs", "pairs_unknown", "demand_qty"]].tolist() == [1, 1, 4.0]
    assert sums["demand_qty"].sum() == judged["demand"].sum()


def test_an_override_is_judged_beside_the_forecast_without_it() -> None:
    kept = snapshot(np.array([10.0]))
    changed = Snapshot(**{**vars(kept), "without_override": kept.mean - 6.0})
    judged = judge(changed, 1, came(np.array([9.0])))
    assert (judged["abs_error"][0], judged["without_abs_error"][0]) == (1.0, 5.0)


# ---- where demand lies in its distribution ---------------------------------------------------------------------------
def test_the_place_of_a_right_forecast_is_0_on_average() -> None:
    rng = np.random.default_rng(0)
    for mean in (0.3, 2.0, 40.0):
        drawn = rng.poisson(mean, 40_000).astype(float)
        bands = np.quantile(drawn, LEVELS, method="inverted_cdf")
        found = place(drawn, np.tile(bands, (len(drawn), 1)))
        assert abs(found.mean()) < 0.06, mean
        assert np.abs(found).max() <= 0.5


def test_the_place_rises_with_demand() -> None:
    bands = np.tile([2.0, 4.0, 7.0, 11.0, 13.0], (30, 1))
    found = place(np.arange(30.0), bands)
    assert (np.diff(found) >= 0).all()
    assert found[0] < -0.45
    assert found[-1] > 0.45
    assert found[7] == pytest.approx(0.0, abs=0.1)


# ---- drift -----------------------------------------------------------------------------------------------------------
def run(scores: np.ndarray, outside: np.ndarray) -> np.ndarray:
    """Verdicts week by week. scores, outside: (n, weeks)"""
    sums, told = np.zeros((len(scores), 3)), []
    for week in range(scores.shape[1]):
        sums = drift.advance(sums, scores[:, week], outside[:, week])
        told.append(drift.verdict(sums, np.full(len(scores), week + 1)))
    return np.stack(told, axis=1)


def test_a_right_forecast_is_hardly_ever_said_to_drift() -> None:
    rng = np.random.default_rng(1)
    places = rng.random((2000, 104))
    told = run(np.sqrt(12) * (places - 0.5), np.abs(places - 0.5) > 0.475)
    assert (told != "").any(axis=1).mean() < 0.06, "two years of 2,000 items"


@pytest.mark.parametrize(("at", "name"), [(0.99, drift.HIGHER), (0.01, drift.LOWER)])
def test_a_level_that_moved_is_noticed_within_two_months(at: float, name: str) -> None:
    scores = np.full((1, 8), np.sqrt(12) * (at - 0.5))
    told = run(scores, np.ones((1, 8), dtype=bool))
    assert name in told[0]
    assert told[0, : drift.LEAST_WEEKS - 1].tolist() == [""] * (drift.LEAST_WEEKS - 1)


def test_errors_on_both_sides_are_wide_and_not_a_moved_level() -> None:
    scores = np.sqrt(12) * 0.49 * np.array([[1, -1] * 4])
    told = run(scores, np.ones((1, 8), dtype=bool))
    assert told[0, -1] == drift.WIDER


def test_a_single_spike_is_no_drift_and_recovery_takes_weeks_not_months() -> None:
    scores = np.zeros((1, 30))
    scores[0, 5] = 1.73
    assert not (run(scores, scores > 1) != "").any()
    scores[0, :12] = 1.7
    told = run(scores, scores > 1)
    assert told[0, 11] == drift.HIGHER
    assert told[0, -8] == ""
