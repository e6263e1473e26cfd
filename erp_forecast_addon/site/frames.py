"""Between SQL and pandas, the same for both sites: the type of a query's columns, and what a frame stores."""

import json
import math
import re
import secrets
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pypika import functions
from pypika.queries import QueryBuilder
from pypika.terms import ArithmeticExpression, Case, Field, Mod, Negative, ValueWrapper

from erp_forecast_addon.planning.errors import BadInput
from erp_forecast_addon.planning.messages import _
from erp_forecast_addon.site import doctypes

_DTYPES = {"number": "float64", "text": object, "day": "datetime64[ns]", "moment": "datetime64[ns]"}
_NUMBERS = (functions.Sum, functions.Avg, functions.Abs)
# So many moments are read faster one by one.
_FEW = 64
_ISO = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}([ T][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?)?\Z")
# What a datetime64[ns] holds, to the day.
_FIRST_MOMENT, _LAST_MOMENT = np.datetime64("1677-09-22", "us"), np.datetime64("2262-04-11", "us")
_OF_FIRST_ARGUMENT = (functions.Coalesce, functions.IfNull, functions.Min, functions.Max, functions.NullIf)
# Below, a frame of more text columns than rows is worth making otherwise.
_MANY_COLUMNS = 12


# ---- reading ------------------------------------
def column_kinds(query: Any) -> dict[str, str]:
    """Name of each selected column -> number | integer | day | moment | text. Raises BadInput for an unnamed term."""
    kinds: dict[str, str] = {}
    for term in query._selects:
        name = term.alias or (term.name if isinstance(term, Field) else None)
        if not name or name == "*":
            raise BadInput(_("Every column of a query must be a field or have an alias: {term}."), term=str(term))
        kinds[name] = _kind(term)
    return kinds


def frame(rows: Sequence[Sequence[Any]], kinds: Mapping[str, str]) -> pd.DataFrame:
    """Rows of a cursor as a frame: numbers as float64 (NULL: NaN), days and moments as datetime64[ns] (NULL: NaT),
    text as str (NULL: None), integers as int64, or float64 where one is NULL.
    """
    if not rows:  # as most reads of a single item are
        return _empty(tuple(kinds.items())).copy(deep=False)
    return _frame(list(zip(*rows, strict=True)), kinds)


def _frame(columns: Sequence[Sequence[Any]], kinds: Mapping[str, str]) -> pd.DataFrame:
    held = dict(zip(kinds, columns, strict=True))
    texts = [name for name, kind in kinds.items() if kind == "text"]
    if len(texts) > _MANY_COLUMNS and len(columns[0]) <= _FEW:
        return _of_few_rows(held, kinds, texts)
    return _of_columns({name: _column(values, kinds[name]) for name, values in held.items()}, len(columns[0]))


def _of_few_rows(held: Mapping[str, Sequence[Any]], kinds: Mapping[str, str], texts: list[str]) -> pd.DataFrame:
    """The same with all text in one block: the settings of a company are a row of a hundred columns, which take longer
    to make than to read."""
    block = np.empty((len(held[texts[0]]), len(texts)), dtype=object)
    for at, name in enumerate(texts):
        block[:, at] = held[name]
    rest = {name: _column(values, kinds[name]) for name, values in held.items() if kinds[name] != "text"}
    both = pd.concat([pd.DataFrame(block, columns=texts, dtype=object), _of_columns(rest, len(block))], axis=1)
    return both[list(kinds)]


def _of_columns(columns: dict[str, Any], rows: int) -> pd.DataFrame:
    """An index that is given need not be made from those of the columns, and columns of few rows need not be copied
    into one block: both take longer than the columns do. Many rows are sorted and copied faster in blocks."""
    return pd.DataFrame(columns, index=pd.RangeIndex(rows), copy=rows > _FEW)


@lru_cache(maxsize=512)
def _empty(kinds: tuple[tuple[str, str], ...]) -> pd.DataFrame:
    return _frame([()] * len(kinds), dict(kinds))


def _kind(term: Any) -> str:
    if isinstance(term, Field):
        return _kind_of_field(term)
    if isinstance(term, functions.Count):
        return "integer"
    if isinstance(term, (ArithmeticExpression, Negative, Mod, *_NUMBERS)):
        return "number"
    if isinstance(term, _OF_FIRST_ARGUMENT):  # pypika.terms.Function is not asked for: frappe puts its own in its place
        return _kind(term.args[0])
    if isinstance(term, Case):
        return _kind(term._cases[0][1])
    if isinstance(term, ValueWrapper):
        return _kind_of_value(term.value)
    return "text"


def _kind_of_field(term: Field) -> str:
    if isinstance(term.table, QueryBuilder):
        return column_kinds(term.table)[term.name]
    name = getattr(term.table, "_table_name", "")
    if not name.startswith("tab") or name == f"tab{doctypes.SINGLES_TABLE}":
        return "text"
    try:
        return doctypes.doctype(name[3:]).columns[term.name]
    except KeyError as error:
        raise BadInput(
            _("{doctype}.{field} is read but stands neither in site/schema.py nor in a DocType of this app."),
            doctype=name[3:], field=term.name,
        ) from error  # fmt: skip


def _kind_of_value(value: Any) -> str:
    if isinstance(value, (bool, int)):
        return "integer"
    if isinstance(value, float):
        return "number"
    return "moment" if isinstance(value, datetime) else "day" if isinstance(value, date) else "text"


def _column(values: Sequence[Any], kind: str) -> pd.Series | np.ndarray:
    """Numbers as arrays, of which a frame is made in half the time; text as a Series, which keeps its type."""
    if kind in ("day", "moment"):
        return moments(values)
    if kind == "number":
        return np.array(values, dtype="float64")  # None becomes NaN, Decimal a float
    if kind == "integer":
        held = np.array(values, dtype="float64")
        return held if np.isnan(held).any() else np.array(values, dtype="int64")
    return pd.Series(np.array([*values, None], dtype=object)[:-1], dtype=object)


def moments(values: Sequence[Any]) -> pd.Series:
    """ISO text, dates or datetimes as datetime64[ns]; None as NaT, and so is what lies outside of its range: Frappe's
    0001-01-01, and the 9999-12-31 that stands for no end.
    """
    if len(values) <= _FEW and (parsed := _few_moments(values)) is not None:
        return parsed
    held = np.array([*values, None], dtype=object)[:-1]
    texts = pd.Series(held, dtype=object)
    if len(texts) and isinstance(texts.iloc[0], (date, datetime)):
        return pd.Series(_nanoseconds(pd.to_datetime(texts, errors="coerce").to_numpy()))
    # Days repeat thousands of times in a ledger: parsing each once is five times as fast.
    codes, distinct = pd.factorize(texts)
    parsed = pd.to_datetime(pd.Series(distinct, dtype=object), format="ISO8601", errors="coerce")
    known = np.append(_nanoseconds(parsed.to_numpy()), np.datetime64("NaT", "ns"))
    return pd.Series(known[codes])


def _few_moments(values: Sequence[Any]) -> pd.Series | None:
    """The same by numpy alone, which pandas needs ten times as long for; None where a value is no plain ISO text."""
    if not all(value is None or (isinstance(value, str) and _ISO.match(value)) for value in values):
        return None
    try:
        return pd.Series(_nanoseconds(np.array([value or "NaT" for value in values], dtype="datetime64[us]")))
    except ValueError:  # no day of the calendar
        return None


def _nanoseconds(parsed: NDArray[np.datetime64]) -> NDArray[np.datetime64]:
    """numpy itself wraps a moment that is out of range around to another century."""
    moments = parsed.astype("datetime64[us]")
    out_of_range = (moments < _FIRST_MOMENT) | (moments > _LAST_MOMENT)
    return np.where(out_of_range, np.datetime64("NaT", "us"), moments).astype("datetime64[ns]")


# ---- writing ------------------------------------
def storable(rows: pd.DataFrame, doctype: str) -> list[tuple[Any, ...]]:
    """The rows as plain values for a multi-row INSERT, columns in the order of the frame.

    A missing number is stored as 0 (Frappe has no missing numbers), any other missing value as NULL; dicts and lists
    as JSON. Raises BadInput for an unknown column and for an infinite number.
    """
    made = doctypes.doctype(doctype)
    unknown = [column for column in rows if column not in made.columns]
    if unknown:
        raise BadInput(_("{doctype} has no field {field}."), doctype=doctype, field=unknown[0])
    columns = [_stored_column(rows[name], made.columns[str(name)], doctype, str(name)) for name in rows]
    return list(zip(*columns, strict=True))


def _stored_column(values: pd.Series, kind: str, doctype: str, column: str) -> list[Any]:
    if kind in ("day", "moment"):
        # Days and moments repeat: writing each once is ten times as fast.
        codes, distinct = pd.factorize(pd.to_datetime(values))
        held = pd.Series(distinct).dt.strftime("%Y-%m-%d" if kind == "day" else "%Y-%m-%d %H:%M:%S.%f")
        return list(np.array([*held, None], dtype=object)[codes])
    if kind in ("number", "integer"):
        numbers = pd.to_numeric(values).to_numpy(dtype="float64", na_value=np.nan)
        if np.isinf(numbers).any():
            row = int(np.flatnonzero(np.isinf(numbers))[0])
            raise BadInput(_("{doctype}: {field} of row {row} is infinite."), doctype=doctype, field=column, row=row)
        numbers = np.where(np.isnan(numbers), 0.0, numbers)
        return list(numbers.tolist() if kind == "number" else numbers.astype("int64").tolist())
    plain = values.to_numpy(dtype=object, copy=True)
    plain[pd.isna(plain)] = None
    # The types of a column's values can be told only one by one.
    if not {dict, list}.isdisjoint(map(type, plain)):
        return [as_json(value) for value in plain]
    return list(plain)


def as_json(value: Any) -> Any:
    return json.dumps(value, default=plain_value, ensure_ascii=False) if isinstance(value, (dict, list)) else value


def plain_value(value: Any) -> Any:
    """A single value of a document as Frappe and SQLite take it: no numpy, no pandas, NaN and NaT as None."""
    if value is None or value is pd.NaT or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, pd.Timestamp):
        return value.to_pydatetime()
    return value.item() if isinstance(value, np.generic) else value


def python_value(value: Any, kind: str) -> Any:
    """A stored value as the document API gives it: dates as date, moments as datetime."""
    if value is None or value == "":
        return value if kind == "text" else 0 if kind in ("number", "integer") else None
    if kind == "day" and isinstance(value, str):
        return date.fromisoformat(value[:10])
    if kind == "moment" and isinstance(value, str):
        return datetime.fromisoformat(value)
    if kind == "integer":
        return int(value)
    return float(value) if kind == "number" else value


def with_standard_columns(rows: pd.DataFrame, doctype: str, now: datetime, user: str) -> pd.DataFrame:
    """Add name (a hash, unless the DocType counts or the frame brings names), creation, modified, owner."""
    made = doctypes.doctype(doctype)
    full = rows.copy()
    if "name" not in full and not made.counted:
        full["name"] = hashes(len(full))
    standard = {"creation": now, "modified": now, "owner": user, "modified_by": user}
    for column, value in standard.items():
        if column not in full:
            full[column] = value
    return full


def hashes(count: int) -> list[str]:
    """Random names of 16 hexadecimal digits."""
    digits = secrets.token_hex(8 * count)
    return [digits[at : at + 16] for at in range(0, 16 * count, 16)]
