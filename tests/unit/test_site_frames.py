"""How values of a database become columns of a frame, few of them and many."""

from datetime import date, datetime

import numpy as np
import pandas as pd
import pytest

from erp_forecast_addon.site import frames

MANY = 200


@pytest.mark.parametrize("repeated", [1, MANY])
@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-01-02", "2026-01-02"),
        ("2026-01-02 03:04:05.123456", "2026-01-02 03:04:05.123456"),
        ("2026-01-02T03:04:05", "2026-01-02 03:04:05"),
        ("2026-1-2", "2026-01-02"),
        (datetime(2026, 1, 2, 3), "2026-01-02 03:00"),
        (date(2026, 1, 2), "2026-01-02"),
        (None, None),
        ("", None),
        ("2026-02-30", None),
        ("0000-00-00", None),
        # A numpy datetime of nanoseconds would wrap around to another century.
        ("0001-01-01 00:00:00", None),
        ("9999-12-31", None),
        (date(9999, 12, 31), None),
    ],
)
def test_moments_of_few_and_of_many_are_the_same(value: object, expected: str | None, repeated: int) -> None:
    read = frames.moments([value] * repeated)
    assert read.dtype == "datetime64[ns]"
    assert len(read) == repeated
    wanted = pd.Timestamp(expected) if expected else pd.NaT
    assert ((read == wanted) | (read.isna() & pd.isna(wanted))).all(), read.iloc[0]


def test_a_frame_of_rows_and_of_none_has_the_same_columns() -> None:
    kinds = {"item": "text", "qty": "number", "count": "integer", "day": "day"}
    read = frames.frame([("Bolt", 1.5, 2, "2026-01-02"), (None, None, 3, None)], kinds)
    assert read.index.tolist() == [0, 1]
    assert read["item"].tolist() == ["Bolt", None]
    assert read.dtypes.astype(str).tolist() == ["object", "float64", "int64", "datetime64[ns]"]
    assert np.isnan(read["qty"].iloc[1])
    empty = frames.frame([], kinds)
    assert empty.empty
    assert [str(kind) for kind in empty.dtypes.drop("count")] == ["object", "float64", "datetime64[ns]"]


def test_what_is_stored_is_plain() -> None:
    rows = pd.DataFrame({"summary": ["a", None, {"b": [1]}, np.nan]})
    stored = frames.storable(rows, "Auto Purchase Order")
    assert [value for (value,) in stored] == ["a", None, '{"b": [1]}', None]
