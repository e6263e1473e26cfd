"""A wide table of ids and period columns, as item histories are usually exported."""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from erp_forecast_addon.planning import periods
from erp_forecast_addon.planning.settings import Period

# Names of period columns: w_001, d_12 and m_3 are numbered; 1997-01 is a month; 2024-03-18 what the spacing says.
_NUMBERED = re.compile(r"^([dwm])_?(\d+)$", re.IGNORECASE)
_MONTH = re.compile(r"^\d{4}-\d{2}$")
_DATE = re.compile(r"^\d{4}-\d{2}-\d{2}$")
_BY_LETTER: dict[str, Period] = {"d": "day", "w": "week", "m": "month"}
# Numbered periods have no date; any regular one will do, as only the order matters.
_NUMBERED_END = np.datetime64("2020-01-06", "D")
# A period with so many times the usual total is a stock take or a first load, not demand.
_UNREAL_TOTAL = 10.0


@dataclass(frozen=True)
class WideTable:
    """ids (n,); demand (n, t) with NaN as 0, returns negative; known (t,) bool: False where the period is left out;
    starts (t,) datetime64[D], regular; left_out: names of the columns that are.
    """

    ids: np.ndarray
    period: Period
    starts: np.ndarray
    demand: np.ndarray
    known: np.ndarray
    left_out: tuple[str, ...]


def read_wide_table(path: Path, period: Period | None) -> WideTable:
    """The first column that is no period is the id; the other such columns are attributes and not read."""
    if not path.exists():
        raise SystemExit(f"there is no file {path}: give it with --data")
    table = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)
    names = [str(column) for column in table.columns]
    inferred, columns, days = period_columns(names)
    period = period or inferred
    ids = [name for name in names if name not in set(columns)]
    index = periods.index_of(days, period)
    order = np.argsort(index, kind="stable")
    if len(index) != int(index.max() - index.min()) + 1 or len(set(index.tolist())) != len(index):
        raise SystemExit(f"the {len(index)} period columns are not one per {period} without a gap")
    table.columns = pd.Index(names)
    values = table[[columns[at] for at in order]].to_numpy(dtype=float)
    total = np.nansum(np.maximum(values, 0), axis=0)
    known = np.isfinite(values).any(axis=0) & (total <= _UNREAL_TOTAL * np.median(total))
    return WideTable(
        ids=(table[ids[0]].astype(str) if ids else pd.Series(range(len(table)), dtype=str)).to_numpy(dtype=object),
        period=period,
        starts=periods.start_of(index[order], period),
        demand=np.nan_to_num(values),
        known=known,
        left_out=tuple(columns[at] for at in order[~known]),
    )


def period_columns(names: list[str]) -> tuple[Period, list[str], np.ndarray]:
    """The period, its columns and their first days, recognised by name."""
    numbered = [
        (match.group(1).lower(), int(match.group(2)), name) for name in names if (match := _NUMBERED.match(name))
    ]
    if numbered:
        letters = {letter for letter, _number, _name in numbered}
        if len(letters) > 1:
            raise SystemExit(f"period columns of different kinds: {sorted(letters)}")
        period = _BY_LETTER[letters.pop()]
        numbers = np.array([number for _letter, number, _name in numbered])
        last = int(periods.index_of(np.asarray(_NUMBERED_END), period))
        days = periods.start_of(last - numbers.max() + numbers, period)
        return period, [name for _letter, _number, name in numbered], days
    months = [name for name in names if _MONTH.match(name)]
    if months:
        return "month", months, np.array([f"{name}-01" for name in months], dtype="datetime64[D]")
    dates = [name for name in names if _DATE.match(name)]
    if len(dates) < 2:
        raise SystemExit("no period columns: they are named like w_001, 1997-01 or 2024-03-18")
    days = np.array(dates, dtype="datetime64[D]")
    step = int(np.median(np.diff(np.sort(days)).astype(int)))
    return ("day" if step == 1 else "week" if step == 7 else "month"), dates, days
