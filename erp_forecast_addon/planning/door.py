"""Single bad rows are set aside before a table is checked: each becomes a fault, and everything else goes on.

A missing column or a key that stands twice makes the whole table unusable; that stays a BadInput of Table.check.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from erp_forecast_addon.planning.errors import Fault
from erp_forecast_addon.planning.messages import _
from erp_forecast_addon.planning.tables import Column, Table, is_sound


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
    if not bad.any():
        return Checked(table.check(frame), frame[:0], [])
    rows = table.check(frame[~bad])
    return Checked(rows, frame[bad], _faults(table, frame[bad], column_of[bad]))


def sound_pairs(table: Table, frame: pd.DataFrame) -> tuple[pd.DataFrame, list[Fault]]:
    """The rows of the (item_code, warehouse) pairs of which every row is sound, and a fault for each other pair.

    Half a history is worse than none, and which of two rows with one key is right nobody knows: such a pair is left
    out whole. Raises BadInput for a missing column.
    """
    if any(name not in frame and not column.may_be_absent for name, column in table.columns.items()):
        return table.check(frame), []  # says which
    column_of = _first_bad_column(table, frame)
    bad = column_of != ""
    twice = frame.duplicated(list(table.key), keep=False).to_numpy() & ~bad
    if not (bad | twice).any():
        return table.check(frame), []
    pair = ["item_code", "warehouse"]
    of_pair = pd.MultiIndex.from_frame(frame[pair])
    at = np.flatnonzero(bad)
    first = at[~frame[pair].iloc[at].duplicated().to_numpy()]
    repeated = frame[twice & ~of_pair.isin(of_pair[bad])].drop_duplicates(pair)
    faults = _faults(table, frame.iloc[first], column_of[first]) + _repeated(table, repeated)
    return table.check(frame[~of_pair.isin(of_pair[bad | twice])]), faults


def _repeated(table: Table, rows: pd.DataFrame) -> list[Fault]:
    template = _(
        "{table}: {item_code} in {warehouse} has more than one row for {key}. Nobody can say which is right, so its "
        "history was left out and nothing is forecast for it; correct the rows and run again."
    )
    rest = [name for name in table.key if name not in ("item_code", "warehouse")]
    return [
        Fault(
            "Bad Data", template,
            {
                "table": table.name, "item_code": row["item_code"], "warehouse": row["warehouse"],
                "key": " / ".join(str(row[name])[:10] for name in rest),
            },
            item_code=row["item_code"], warehouse=row["warehouse"],
        )
        for row in rows.to_dict("records")  # a sentence per pair
    ]  # fmt: skip


def _first_bad_column(table: Table, frame: pd.DataFrame) -> NDArray[np.object_]:
    """(rows,) the name of the first column with a bad value, "" for a sound row."""
    found = np.full(len(frame), "", dtype=object)
    if frame.empty:
        return found
    for name, column in reversed(table.columns.items()):
        if name in frame:
            found[_bad_values(name, column, frame[name])] = name
    return found


def _bad_values(name: str, column: Column, values: pd.Series) -> NDArray[np.bool_]:
    if is_sound(values, column) and name != "item_code":
        return np.zeros(len(values), dtype=bool)
    may_be_missing = column.nullable or column.default is not None
    if column.kind in ("day", "moment"):
        days = values if values.dtype == "datetime64[ns]" else pd.to_datetime(values, errors="coerce")
        return np.asarray(days.isna() & (values.notna() if may_be_missing else True), dtype=bool)
    if column.kind == "number":
        numbers = values if values.dtype == float else pd.to_numeric(values, errors="coerce").astype(float)
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
