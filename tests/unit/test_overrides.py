"""Forecast Overrides: what each kind does to which days, who wins where they meet, and what is wrong with them."""

from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from erp_forecast_addon.planning import overrides
from erp_forecast_addon.planning.tables import OVERRIDES

AS_OF = date(2026, 11, 20)  # a Friday
DAYS = np.arange(np.datetime64("2026-11-21"), np.datetime64("2026-12-01")).astype("datetime64[ns]")
KEYS = pd.DataFrame({"item_code": ["A", "A", "B"], "warehouse": ["East", "West", "East"]})
MEAN = np.array([[1.0] * 10, [3.0] * 10, [0.0] * 10])


def override(
    kind: str, value: float, first: str = "2026-11-21", last: str = "2026-11-30", **more: Any
) -> dict[str, Any]:
    names = {"name": "OV-1", "item_code": "A", "warehouse": "East", "approved_at": "2026-11-01"}
    return {**names, "from_day": first, "to_day": last, "kind": kind, "value": value, **more}


def apply(*rows: dict[str, Any], mean: np.ndarray = MEAN, starts: np.ndarray = DAYS, period: str = "day"):
    table = pd.DataFrame(rows) if rows else OVERRIDES.empty()
    return overrides.apply(mean, KEYS, starts, period, AS_OF, table)


def test_without_overrides_nothing_changes() -> None:
    changed, faults = apply()
    np.testing.assert_array_equal(changed, MEAN)
    assert faults == []
    assert changed is not MEAN


def test_percent_changes_its_days_of_its_series_only() -> None:
    before = MEAN.copy()
    changed, faults = apply(override("Percent", 50, "2026-11-22", "2026-11-23"))
    assert faults == []
    np.testing.assert_array_equal(changed[0], [1, 1.5, 1.5, 1, 1, 1, 1, 1, 1, 1])
    np.testing.assert_array_equal(changed[1:], MEAN[1:])
    np.testing.assert_array_equal(MEAN, before)


def test_a_quantity_is_the_total_over_days_and_warehouses_spread_like_the_forecast() -> None:
    changed, _faults = apply(override("Quantity", 100, "2026-11-21", "2026-11-25", warehouse=""))
    np.testing.assert_allclose(changed[:2, :5], [[5.0] * 5, [15.0] * 5])
    assert changed[:2, :5].sum() == pytest.approx(100)


def test_a_quantity_where_nothing_is_forecast_is_spread_evenly() -> None:
    changed, _faults = apply(override("Quantity", 20, item_code="B"))
    np.testing.assert_allclose(changed[2], [2.0] * 10)


def test_of_a_quantity_whose_days_are_partly_over_the_rest_counts() -> None:
    changed, _faults = apply(override("Quantity", 100, "2026-11-16", "2026-11-25"))  # 5 of 10 days are over
    assert changed[0, :5].sum() == pytest.approx(50)


def test_replace_per_day_is_shared_among_warehouses() -> None:
    changed, _faults = apply(override("Replace per Day", 8, warehouse=""))
    np.testing.assert_allclose(changed[:2], [[2.0] * 10, [6.0] * 10])


def test_a_week_that_is_partly_covered_changes_in_part() -> None:
    weeks = np.array(["2026-11-16", "2026-11-23", "2026-11-30"], dtype="datetime64[ns]")
    mean = np.array([[7.0] * 3, [14.0] * 3, [0.0] * 3])
    changed, _faults = apply(
        override("Replace per Day", 5, "2026-11-01", "2026-11-24"), mean=mean, starts=weeks, period="week"
    )
    # Of the running week only the two days after the 20th; of the next one Monday and Tuesday.
    np.testing.assert_allclose(changed[0], [5 + 10, 10 + 5, 7])
    np.testing.assert_array_equal(changed[1:], mean[1:])


def test_where_two_meet_the_one_approved_last_counts() -> None:
    early = override("Percent", 100, name="EARLY", approved_at="2026-11-01")
    late = override("Percent", 50, "2026-11-25", name="LATE", approved_at="2026-11-02")
    for rows in ((early, late), (late, early)):
        changed, faults = apply(*rows)
        np.testing.assert_allclose(changed[0], [2.0] * 4 + [1.5] * 6)
        assert faults == []  # both raise it


def test_overrides_that_contradict_each_other_are_told() -> None:
    changed, (fault,) = apply(
        override("Percent", 20, name="UP", approved_at="2026-11-01", warehouse=""),
        override("Percent", -50, "2026-11-25", name="DOWN", approved_at="2026-11-02"),
    )
    np.testing.assert_allclose(changed[0], [1.2] * 4 + [0.5] * 6)
    assert (fault.kind, fault.item_code) == ("Forecast Override", "A")
    for part in ("UP", "DOWN", "contradict", "DOWN, approved last"):
        assert part in fault.sentence()


def test_overrides_on_different_days_do_not_contradict() -> None:
    _changed, faults = apply(
        override("Percent", 20, last="2026-11-24", name="UP"), override("Percent", -50, "2026-11-25", name="DOWN")
    )
    assert faults == []


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (override("Percent", -120), "more than 100 percent"),
        (override("Quantity", -5), "less than 0"),
        (override("Percent", 5, "2026-11-30", "2026-11-21"), "before it begins"),
        (override("Percent", 5, item_code="NEW", warehouse=""), "NEW, which has no demand yet"),
        (override("Percent", 5, item_code="B", warehouse="West"), "B in West"),
    ],
)
def test_an_unusable_override_is_told_and_the_rest_counts(row: dict[str, Any], said: str) -> None:
    good = override("Percent", 100, name="GOOD")
    alone, _none = apply(good)
    changed, (fault,) = apply(good, {**row, "name": "BAD"})
    np.testing.assert_array_equal(changed, alone)
    assert said in fault.sentence()
    assert "BAD" in fault.sentence()


def test_an_override_that_is_over_changes_nothing_and_is_no_fault() -> None:
    changed, faults = apply(
        override("Percent", 50, "2026-11-01", "2026-11-20"),
        override("Percent", 9, "2026-10-01", "2026-10-02", name="X", item_code="GONE"),
    )
    np.testing.assert_array_equal(changed, MEAN)
    assert faults == []


def test_effects_say_what_each_override_did() -> None:
    rows = pd.DataFrame([
        override("Percent", 100, last="2026-11-25", name="UP"),
        override("Replace per Day", 1, item_code="B", name="B-UP"),
    ])  # fmt: skip
    told = overrides.effects(MEAN, KEYS, DAYS, "day", AS_OF, rows).set_index("name")
    assert told.loc["UP"].tolist() == [5.0, 10.0]
    assert told.loc["B-UP"].tolist() == [0.0, 10.0]


@given(
    value=st.floats(-100, 500), first=st.integers(-5, 12), length=st.integers(0, 15),
    kind=st.sampled_from(["Percent", "Quantity", "Replace per Day"]),
)  # fmt: skip
def test_a_forecast_never_falls_below_zero_and_other_series_stay(
    value: float, first: int, length: int, kind: str
) -> None:
    start = np.datetime64("2026-11-21") + first
    row = override(kind, abs(value) if kind != "Percent" else value, str(start), str(start + length))
    changed, _faults = apply(row)
    assert (changed >= 0).all()
    assert np.isfinite(changed).all()
    np.testing.assert_array_equal(changed[1:], MEAN[1:])
