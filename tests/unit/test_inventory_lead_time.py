"""Which lead time a pair uses, and the distribution that stands for it."""

import numpy as np
import pytest

from erp_forecast_addon.planning.inventory.lead_time import SOURCES, choose_lead_times, probability_of
from erp_forecast_addon.planning.inventory.lead_time_distribution import LeadTimeDistributions, mean

NAN = float("nan")


def test_the_supplier_comes_before_the_item_and_the_item_before_the_settings() -> None:
    chosen = choose_lead_times(
        np.array([5.0, NAN, NAN, NAN, 0.0]),
        np.array([1.5, NAN, NAN, NAN, NAN]),
        np.array(["receipts", "", "", "", ""], dtype=object),
        np.array([9.0, 9.0, 0.0, NAN, NAN]),
        14.0,
    )
    assert chosen.days.tolist() == [5.0, 9.0, 14.0, 14.0, 0.0]
    assert chosen.source.tolist() == ["receipts", "item", "settings", "settings", "item price"]
    assert chosen.std_days.tolist() == [1.5, 0.0, 0.0, 0.0, 0.0]
    assert not chosen.unbelievable.any()


def test_a_lead_time_that_cannot_be_is_not_used_and_marked() -> None:
    chosen = choose_lead_times(
        np.array([-3.0, 20000.0]), np.array([NAN, NAN]), np.array(["", ""], dtype=object), np.array([8.0, NAN]), 14.0
    )
    assert chosen.days.tolist() == [8.0, 14.0]
    assert chosen.source.tolist() == ["item", "settings"]
    assert chosen.unbelievable.all()


def test_learned_rows_have_their_distribution_and_others_one_of_their_days() -> None:
    learned = LeadTimeDistributions(
        np.array(["S"], dtype=object), np.array([""], dtype=object), np.array([[0.0, 0.5, 0.0, 0.5]]), np.array([4.0]),
        np.array(["receipts"], dtype=object),
    )  # fmt: skip
    chosen = choose_lead_times(
        np.array([2.0, 6.0, NAN]), np.array([1.0, NAN, NAN]), np.array(["receipts", "item price", ""], dtype=object),
        np.array([NAN, NAN, NAN]), 9.0,
    )  # fmt: skip
    names = np.array(["S", "S", ""], dtype=object)
    found = probability_of(learned, names, np.array(["A", "B", "C"], dtype=object), chosen)
    assert found[0, :4].tolist() == [0.0, 0.5, 0.0, 0.5]
    assert mean(found).tolist() == pytest.approx([2.0, 6.0, 9.0])
    assert set(chosen.source) <= set(SOURCES)
