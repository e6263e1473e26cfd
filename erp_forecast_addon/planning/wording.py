"""Numbers and days as values of sentences and of evidence: plain Python types, readable and JSON-serialisable."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from erp_forecast_addon.planning.messages import Day

_FLOAT_NOISE = 1e-6


def readable(values: NDArray[np.float64], decimals: int = 2) -> list[int | float]:
    """(n,) -> list: rounded, whole numbers without a decimal point."""
    rounded = np.round(np.asarray(values, dtype=float), decimals)
    return [int(value) if value.is_integer() else value for value in rounded.tolist()]


def pieces(values: NDArray[np.float64], whole: NDArray[np.bool_]) -> list[int | float]:
    """(n,) -> list: rounded up where only whole pieces exist, else as `readable`. Float noise is no further piece."""
    exact = np.asarray(values, dtype=float)
    return readable(np.where(np.asarray(whole, dtype=bool), np.ceil(exact - _FLOAT_NOISE), exact))


def iso_days(days: NDArray[np.datetime64]) -> list[Day]:
    """(n,) days -> list of "2026-11-20", which a site shows in its own way; "" for no day."""
    named: list[str] = np.datetime_as_string(np.asarray(days, dtype="datetime64[D]"), unit="D").tolist()
    return [Day("" if name == "NaT" else name) for name in named]


def dict_column(dicts: list[dict[str, Any]]) -> NDArray[np.object_]:
    """(n,) dicts as a column of a table; a bare list of dicts would be taken for a frame by some readers."""
    column = np.empty(len(dicts), dtype=object)
    column[:] = dicts
    return column
