"""Distributions over days: what is asked of them, and how two add up."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from erp_forecast_addon.planning.inventory import lead_time_distribution as days
from erp_forecast_addon.planning.inventory.lead_time_distribution import LeadTimeDistributions

TWO = np.array([[0.0, 0.5, 0.0, 0.5], [1.0, 0.0, 0.0, 0.0]])
shares = st.lists(st.floats(0.0, 1.0), min_size=1, max_size=12).filter(lambda w: sum(w) > 0.01)


def distribution(weights: list[float]) -> np.ndarray:
    return days.normalised(np.array([weights]))


def test_quantiles_are_the_first_day_by_which_the_share_is_here() -> None:
    assert days.quantiles(TWO, (0.0, 0.5, 0.51, 1.0)).tolist() == [[0, 1, 3, 3], [0, 0, 0, 0]]


def test_moments_of_two_days() -> None:
    assert days.mean(TWO).tolist() == [2.0, 0.0]
    assert days.std(TWO).tolist() == [1.0, 0.0]


def test_the_finest_row_known_is_taken() -> None:
    def text(*values: str) -> np.ndarray:
        return np.array(values, dtype=object)

    known = LeadTimeDistributions(text("", "S", "S"), text("", "", "A"), np.eye(3), np.ones(3), text("r", "r", "r"))
    assert known.rows_of(text("S", "S", "Other"), text("A", "B", "A")).tolist() == [2, 1, 0]
    assert known.has(text("S", "S"), text("A", "B")).tolist() == [True, False]
    assert LeadTimeDistributions.none().rows_of(text("S"), text("A")).tolist() == [-1]


@given(shares, shares)
@settings(deadline=None)
def test_means_and_variances_add_up_when_times_do(first: list[float], second: list[float]) -> None:
    one, two = distribution(first), distribution(second)
    both = days.convolved(one, two[0])
    assert both.shape[1] == one.shape[1] + two.shape[1] - 1
    assert both.sum() == pytest.approx(1.0)
    assert days.mean(both)[0] == pytest.approx(days.mean(one)[0] + days.mean(two)[0], abs=1e-6)
    assert days.std(both)[0] ** 2 == pytest.approx(days.std(one)[0] ** 2 + days.std(two)[0] ** 2, abs=1e-5)
    assert both[0] == pytest.approx(np.convolve(one[0], two[0]), abs=1e-9)


@given(st.floats(0.0, 90.0), st.floats(0.0, 1.0))
@settings(deadline=None)
def test_a_distribution_has_the_moments_it_was_made_of(mean: float, spread: float) -> None:
    made = days.from_moments(np.array([mean]), np.array([mean * spread]))
    assert made.sum() == pytest.approx(1.0)
    # Days are whole: half a day of rounding, and what lies beyond two years or is cut at nought.
    assert days.mean(made)[0] == pytest.approx(mean, abs=0.5, rel=0.02)


def test_no_deviation_keeps_the_mean_between_two_days() -> None:
    assert days.from_moments([2.25], [0.0]).tolist()[0][:4] == [0.0, 0.0, 0.75, 0.25]
    assert days.from_moments([0.0], [3.0])[0, 0] == 1.0
    assert days.mean(days.from_moments([730.0], [0.0]))[0] == 730.0


def test_a_lead_time_that_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="between 0 and 730"):
        days.from_moments([-1.0], [0.0])
    with pytest.raises(ValueError, match="between 0 and 730"):
        days.from_moments([float("nan")], [0.0])


def test_shifting_moves_every_delivery() -> None:
    moved = days.shifted(TWO, [2, 0])
    assert days.mean(moved).tolist() == [4.0, 0.0]
    with pytest.raises(ValueError, match="before its order"):
        days.shifted(TWO, -1)


def test_widening_loses_nothing() -> None:
    assert days.widened(TWO, 5).shape == (2, 6)
    assert days.widened(days.widened(TWO, 5), 3).tolist() == TWO.tolist()
    with pytest.raises(ValueError, match="would be lost"):
        days.widened(TWO, 2)


def test_draws_follow_the_distribution() -> None:
    uniform = np.array([[0.0, 0.25, 0.49, 0.5, 0.75, 0.999]])
    assert days.drawn(TWO, np.array([0]), uniform).tolist() == [[1, 1, 1, 3, 3, 3]]
    assert days.drawn(TWO, np.array([1]), uniform).tolist() == [[0] * 6]
    many = days.drawn(TWO, np.array([1, 0]), np.random.default_rng(0).random((2, 20000)))
    assert many[1].mean() == pytest.approx(2.0, abs=0.05)
