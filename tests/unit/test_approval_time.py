"""How long drafts wait for approval."""

import numpy as np
import pytest

from erp_forecast_addon.planning.inventory.approval_time import LONGEST_APPROVAL_DAYS, approval_time


def test_without_history_it_is_the_setting_and_says_so() -> None:
    found = approval_time(np.empty(0), 2.0)
    assert found.probability.tolist() == [0.0, 0.0, 1.0]
    assert (found.source, found.observations, found.mean_days) == ("settings", 0, 2.0)


def test_many_approvals_outweigh_the_setting() -> None:
    found = approval_time(np.full(495, 0.4), 2.0)
    assert found.probability[0] == pytest.approx(0.99)
    assert (found.source, found.observations) == ("learned", 495)


def test_an_approval_before_its_draft_and_a_missing_one_are_left_out() -> None:
    found = approval_time(np.array([-1.0, np.nan, 3.2]), 2.0)
    assert found.observations == 1
    assert found.probability[3] == pytest.approx(1 / 6)


def test_a_forgotten_draft_counts_as_the_longest() -> None:
    found = approval_time(np.array([4000.0]), 0.0)
    assert len(found.probability) == LONGEST_APPROVAL_DAYS + 1
    assert found.probability.sum() == pytest.approx(1.0)
