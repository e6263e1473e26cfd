"""Single bad rows are set aside before a table is checked: each becomes a fault, and everything else goes on.

A missing column or a key that stands twice makes the whole table unusable; that stays a BadInput of Table.check.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from erp_forecast_addon.planning.errors import Fault
from erp_forecast_addon.planning.messages import _
from erp_forecast_addon.planning.tables import Column, Table


@dataclass(frozen=True)
class Checked:
    """rows: the sound rows as the table wants them; set_aside: the others, unchanged; faults: one for each of these."""

    rows: pd.DataFrame
    set_aside: pd.DataFrame
    faults: list[Fault]


def check_rows(table: Table, frame: pd.DataFrame) -> Checked:
    """Split `frame` into sound rows and rows with a value that the table cannot take (NaN, infinite, no day, no item).

    Raises BadInput for what concerns the whole table: a missing column, a repeated key.
    """
    column_of = _first_bad_column(table, frame)
    bad = column_of != ""
    rows = table.check(frame[~bad])
    return Checked(rows, frame[bad], _faults(table, frame[bad], column_of[bad]))


def _first_bad_column(table: Table, frame: pd.DataFrame) -> NDArray[np.object_]:
    """(rows,) the name of the first column with a bad value, "" for a sound row."""
    found = np.full(len(frame), "", dtype=object)
    for name, column in reversed(table.columns.items()):
        if name in frame:
            found[_bad_values(name, column, frame[name])] = name
    return found


def _bad_values(name: str, column: Column, values: pd.Series) -> NDArray[np.bool_]:
    may_be_missing = column.nullable or column.default is not None
    if column.kind in ("day", "moment"):
        days = pd.to_datetime(values, errors="coerce")
        return np.asarray(days.isna() & (values.notna() if may_be_missing else True), dtype=bool)
    if column.kind == "number":
        numbers = pd.to_numeric(values, errors="coerce").astype(float)
        unreadable = numbers.isna() & (values.notna() if may_be_missing else True)
        return np.asarray(unreadable | np.isinf(numbers), dtype=bool)
    if name == "item_code":
        return np.asarray(values.isna() | (values == ""), dtype=bool)
    return np.zeros(len(values), dtype=bool)


def _faults(table: Table, bad: pd.DataFrame, column_of: NDArray[np.object_]) -> list[Fault]:
    template = _(
        "{table}: {key} has {column} = {value}, which cannot be used. The row was left out and nothing that "
        "depends on it is ordered; correct the value and run again."
    )
    keys = [c for c in ("item_code", "warehouse", "supplier", "voucher_no") if c in bad]
    faults = []
    # A loop over the few bad rows: each becomes a sentence.
    for column, row in zip(column_of.tolist(), bad.to_dict("records"), strict=True):
        named = {key: row[key] for key in keys if isinstance(row[key], str) and row[key]}
        faults.append(
            Fault(
                "Bad Data",
                template,
                {"table": table.name, "key": " / ".join(named.values()), "column": column, "value": str(row[column])},
                item_code=named.get("item_code"),
                warehouse=named.get("warehouse"),
                supplier=named.get("supplier"),
            )
        )
    return faults
