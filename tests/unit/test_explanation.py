"""The parts of a forecast add up to it and say what a person would say of a path that he knows."""

import json

import numpy as np
import pytest

from erp_forecast_addon.planning.forecasting import explanation
from erp_forecast_addon.planning.forecasting.day_shares import day_shares
from erp_forecast_addon.planning.forecasting.explanation import PARTS, STAGES, decompose, explain, sentence, totals

WEEK = np.array([0.5, 0.8, 1.0, 1.0, 1.2, 1.5, 1.0])


def made_up(seed: int, n: int = 40, h: int = 30) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Any pipeline's stages: some left out, factors that were clipped, series of zeros, and all as float32."""
    rng = np.random.default_rng(seed)
    size = rng.choice([0.0, 0.01, 3.0, 1e5], (n, 1))
    factors = {"events": rng.uniform(0.02, 8, (n, h)), "price": rng.uniform(0.3, 3, (n, h))}
    stages = {"model": size * rng.gamma(2.0, 1.0, (n, h))}
    stages["combined"] = stages["model"] * rng.uniform(0.5, 1.5, (n, h))
    stages["drivers"] = stages["combined"] * np.clip(factors["events"] * factors["price"], 0, 6)
    for name in ("boosted", "aligned", "lifecycle", "override"):
        if rng.random() < 0.7:
            before = list(stages.values())[-1]
            stages[name] = before * rng.choice([0.0, 1.0, 1.3], (n, 1))
    return {name: stage.astype(np.float32) for name, stage in stages.items()}, factors


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("season_length", [1, 7, 12, 52])
def test_the_parts_add_up_to_the_last_stage(seed: int, season_length: int) -> None:
    stages, factors = made_up(seed)
    parts = explain(stages, factors, season_length)
    final = list(stages.values())[-1].astype(float)
    assert set(parts) == set(PARTS)
    np.testing.assert_allclose(np.sum(list(parts.values()), axis=0), final, rtol=1e-6, atol=1e-9 * final.max())
    assert all(np.isfinite(part).all() for part in parts.values())


@pytest.mark.parametrize("left_out", [name for name in STAGES if name != "model"])
def test_a_stage_that_was_not_made_has_no_part(left_out: str) -> None:
    stages, factors = made_up(1)
    del stages["drivers"]
    stages = {name: stages[name] for name in STAGES if name in stages and name != left_out}
    parts = explain(stages, factors, 7)
    assert not parts[STAGES[left_out]].any()
    np.testing.assert_allclose(np.sum(list(parts.values()), axis=0), list(stages.values())[-1], rtol=1e-6, atol=1e-6)


def test_a_flat_path_is_level_alone() -> None:
    level, trend, season = decompose(np.full((2, 30), 4.0), 7)
    np.testing.assert_allclose(level, 4.0)
    np.testing.assert_allclose([trend, season], 0.0, atol=1e-12)


def test_a_weekly_pattern_is_level_and_season() -> None:
    path = np.tile(10 * WEEK, 4)[None, :]
    level, trend, season = decompose(path, 7)
    np.testing.assert_allclose(level, 10.0)
    np.testing.assert_allclose(trend, 0.0, atol=1e-12)
    np.testing.assert_allclose(season[0, :7], 10 * (WEEK - 1), atol=1e-12)


def test_a_line_is_level_and_trend_also_before_and_after_the_cycles_middles() -> None:
    path = 20.0 + 0.5 * np.arange(30.0)[None, :]
    level, trend, season = decompose(path, 7)
    np.testing.assert_allclose(level, path[:, :7].mean())
    np.testing.assert_allclose(level + trend, path)
    np.testing.assert_allclose(season, 0.0, atol=1e-9)


def test_of_part_of_a_year_a_straight_path_is_trend_and_a_bent_one_season() -> None:
    straight, bent = 20.0 + 0.5 * np.arange(13.0), 20 + 5 * np.sin(np.arange(13.0))
    level, trend, season = decompose(np.stack([straight, bent]), 52)
    assert trend[0, -1] == pytest.approx(6.0)
    assert not season[0].any()
    assert not trend[1].any()
    assert season[1].sum() == pytest.approx(0.0, abs=1e-9)
    np.testing.assert_allclose(level[1], bent.mean())


def test_events_and_prices_share_by_their_factors_whichever_comes_first() -> None:
    path = np.full((1, 7), 10.0)
    factors = {"events": np.full((1, 7), 2.0), "price": np.full((1, 7), 0.5)}
    stages = {"model": path, "combined": path, "drivers": path}
    parts = explain(stages, factors, 7)
    np.testing.assert_allclose(parts["events"], -parts["price"])
    np.testing.assert_allclose(parts["events"], 10.0 * np.log(2.0))
    again = explain(stages, dict(reversed(factors.items())), 7)
    np.testing.assert_allclose(again["events"], parts["events"])


def test_a_day_on_which_the_shop_is_closed_is_the_events_doing() -> None:
    path, closed = np.full((1, 7), 10.0), np.array([[1.0, 1, 1, 0, 1, 1, 1]])
    factors = {"events": closed, "price": np.ones((1, 7))}
    parts = explain({"model": path, "combined": path, "drivers": path * closed}, factors, 7)
    assert parts["events"][0, 3] == -10.0
    assert not parts["price"].any()


def test_written_totals_add_up_as_written() -> None:
    stages, factors = made_up(3)
    parts = explain(stages, factors, 7)
    starts = np.datetime64("2026-11-02", "D") + 7 * np.arange(30)
    weights = day_shares(starts, "week", np.datetime64("2026-11-05").item(), 90).sum(axis=1)
    for row, written in enumerate(totals(parts, weights)):
        known = dict(json.loads(json.dumps(written)))
        total = known.pop("total")
        assert sum(known.values()) == pytest.approx(total, abs=1e-3)
        assert total == pytest.approx(float(list(stages.values())[-1][row] @ weights), rel=1e-5, abs=1e-3)
        assert set(known) <= set(PARTS)


def test_the_sentence_names_what_changes_the_level_most() -> None:
    told = sentence({"level": 100.0, "trend": 2.0, "events": -30.0, "season": 0.4, "total": 72.4})
    assert told == "Of the forecast of 72, 100 is the recent level; Effect of events changes it by -30, Trend by +2."
    assert sentence({"level": 9.0, "season": 0.01, "total": 9.01}).startswith("The forecast of 9.01 is the recent")
    assert sentence({"total": 0.0}) == explanation.NO_DEMAND
    assert "Override changes it by +5" in sentence({"override": 5.0, "total": 5.0})


def test_a_sentence_is_translated_before_it_is_filled_in() -> None:
    german = {"Trend": "Trend", "Override": "Übersteuerung", explanation.ONE_CHANGE: "{total}: {first} {first_qty}"}
    assert sentence({"override": 5.0, "total": 5.0}, lambda text: german.get(text, text)) == "5: Übersteuerung +5"


def test_an_input_is_not_changed() -> None:
    stages, factors = made_up(4)
    before = {name: stage.copy() for name, stage in stages.items()}
    explain(stages, factors, 7)
    for name in stages:
        np.testing.assert_array_equal(stages[name], before[name])
