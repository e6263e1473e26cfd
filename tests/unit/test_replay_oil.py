"""The test by which the oil replay chooses what a demand costs that is not served in full."""

import numpy as np
import pytest

from benchmarks.replay_oil import least_difference


def test_the_difference_of_two_shares_less_so_many_errors() -> None:
    """Four parts asked for once each: one is served by ours alone. Difference 1/4, error √(3·0.25² + 0.75²)/4."""
    ours, theirs, asked = np.array([1.0, 1.0, 1.0, 0.0]), np.array([0.0, 1.0, 1.0, 0.0]), np.ones(4)
    assert least_difference(ours, theirs, asked, 0.0) == pytest.approx(0.25)
    error = np.sqrt(3 * 0.25**2 + 0.75**2) / 4.0
    assert least_difference(ours, theirs, asked, 1.645) == pytest.approx(0.25 - 1.645 * error)


def test_more_months_of_the_same_parts_are_no_more_evidence() -> None:
    """Every month ten times over: what a part does it does again, so nothing is known that was not known before."""
    random = np.random.default_rng(4)
    asked = random.integers(1, 5, 200).astype(float)
    ours, theirs = random.binomial(asked.astype(int), 0.9), random.binomial(asked.astype(int), 0.85)
    once = least_difference(ours, theirs, asked, 1.645)
    assert least_difference(10.0 * ours, 10.0 * theirs, 10.0 * asked, 1.645) == pytest.approx(once)


def test_what_both_serve_alike_leaves_no_doubt() -> None:
    served = np.array([2.0, 0.0, 3.0])
    assert least_difference(served, served, np.array([2.0, 4.0, 3.0]), 1.645) == 0.0
