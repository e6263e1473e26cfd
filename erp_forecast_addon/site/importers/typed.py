"""From the columns of an export file to typed frames of a DocType and its child rows, or a refusal that says where."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from erp_forecast_addon.planning.errors import BadInput
from erp_forecast_addon.planning.messages import _
from erp_forecast_addon.site import doctypes, schema
from erp_forecast_addon.site.importers.files import ExportFile, Header
from erp_forecast_addon.site.importers.labels import LABELS

_TRUE: Final = {"yes": "1", "true": "1", "no": "0", "false": "0"}
# Date formats of Frappe's System Settings.
_FORMATS: Final = {
    "yyyy-mm-dd": "%Y-%m-%d", "dd-mm-yyyy": "%d-%m-%Y", "dd/mm/yyyy": "%d/%m/%Y", "dd.mm.yyyy": "%d.%m.%Y",
    "mm/dd/yyyy": "%m/%d/%Y", "mm-dd-yyyy": "%m-%d-%Y",
}  # fmt: skip
_ROW = "_row"


@dataclass(frozen=True)
class Documents:
    """parents: one row per document; children: table field -> rows with `parent`. `_row` is the row in the file."""

    parents: pd.DataFrame
    children: Mapping[str, pd.DataFrame]


class Reading:
    """One file read as one DocType; every complaint names file, line and column."""

    def __init__(self, source: ExportFile, doctype: str, date_form: str = "") -> None:
        self.source = source
        self.made = doctypes.doctype(doctype)
        self.date_form = _FORMATS.get(source.date_form or date_form, "")
        self._at = self._resolve()

    # ---- headers ------------------------------------
    def _resolve(self) -> dict[tuple[str, str], int]:
        """(table field or "", fieldname) -> column of the file. Headers that we do not use are left out."""
        found: dict[tuple[str, str], int] = {}
        for at, header in enumerate(self.source.headers):
            place = None if header is None else self._place(header)
            if place is None:
                continue
            if place in found:
                first = self.source.headers[found[place]]
                raise BadInput(
                    _("{path}, column {column}: the same field stands in column {first} already."),
                    path=self.source.path.name, column=header.text if header else "", first=first.text if first else "",
                )  # fmt: skip
            found[place] = at
        return found

    def _place(self, header: Header) -> tuple[str, str] | None:
        children = {
            table_field: child
            for table_field, child in self.made.children.items()
            if not header.table or _key(header.table) in (_key(table_field), _key(child))
        }
        tables = children if header.table else {"": self.made.name, **children}
        for table_field, doctype in tables.items():
            field = _fieldname(doctype, header.field)
            if field is not None:
                return table_field, field
        return None

    def has(self, field: str, table: str = "") -> bool:
        return (table, field) in self._at

    def require(self, *fields: str, table: str = "") -> None:
        for field in fields:
            if not self.has(field, table):
                raise BadInput(
                    _("{path}: column {column} is missing; a {doctype} file needs it."),
                    path=self.source.path.name, column=field, doctype=self.made.name,
                )  # fmt: skip

    # ---- values ------------------------------------
    def flat(self) -> pd.DataFrame:
        """Every used column of the DocType itself, typed, with _row."""
        return self._frame("", self.made)

    def documents(self) -> Documents:
        """Parents and child rows. A row without a name belongs to the document above it, as ERPNext exports them."""
        parents = self._frame("", self.made)
        name = parents["name"].replace("", None).ffill()
        if len(name) and pd.isna(name.iloc[0]):
            self.refuse(0, "name", _("the first row names no document"))
        children = {}
        for table_field, child in self.made.children.items():
            if any(table == table_field for table, _field in self._at):
                rows = self._frame(table_field, doctypes.doctype(child)).assign(parent=name)
                filled = rows["item_code"].ne("") if "item_code" in rows else pd.Series(True, index=rows.index)
                children[table_field] = rows[filled]
        return Documents(parents.assign(name=name).drop_duplicates("name"), children)

    def _frame(self, table: str, made: doctypes.DocType) -> pd.DataFrame:
        columns = {
            field: self._typed(at, made.columns[field]) for (place, field), at in self._at.items() if place == table
        }
        return pd.DataFrame({**columns, _ROW: np.arange(self.source.rows)})

    def _typed(self, at: int, kind: str) -> Any:
        values = self.source.columns[at]
        if kind in ("number", "integer"):
            return self._numbers(values, at)
        if kind in ("day", "moment"):
            return self._moments(values, at, kind)
        return _texts(values)

    def _numbers(self, values: pa.ChunkedArray, at: int) -> np.ndarray:
        """Blank counts as 0, as in ERPNext; anything else that is no finite number is refused."""
        if pa.types.is_string(values.type) or pa.types.is_large_string(values.type):
            values = _plain_numbers(values)
        try:
            numbers = np.asarray(pc.cast(values, pa.float64()).to_numpy(zero_copy_only=False), dtype=float)
        except pa.ArrowInvalid:
            texts = pd.Series(_texts(values))
            numbers = pd.to_numeric(texts.where(texts != "", "0"), errors="coerce").to_numpy(dtype=float)
            self._refuse_first(np.isnan(numbers), at, _("{value} is no number"))
        missing = np.asarray(pc.is_null(values, nan_is_null=False).to_numpy(zero_copy_only=False), dtype=bool)
        self._refuse_first(~np.isfinite(numbers) & ~missing, at, _("{value} is no finite number"))
        return np.where(missing, 0.0, numbers)

    def _moments(self, values: pa.ChunkedArray, at: int, kind: str) -> pd.Series:
        if pa.types.is_string(values.type) or pa.types.is_large_string(values.type):
            codes, distinct = pd.factorize(_texts(values))  # days repeat: each is parsed once
            texts = pd.Series(distinct, dtype=object)
            parsed = pd.to_datetime(texts, format="ISO8601", errors="coerce").astype("datetime64[ns]")
            if self.date_form and parsed.isna().any():
                form = self.date_form if kind == "day" else f"{self.date_form} %H:%M:%S"
                parsed = parsed.fillna(pd.to_datetime(texts, format=form, errors="coerce").astype("datetime64[ns]"))
            self._refuse_first((parsed.isna() & (texts != "")).to_numpy()[codes], at, _(
                "{value} is no date of the form YYYY-MM-DD; give the date format of the export if it has another"
            ))  # fmt: skip
            return parsed.iloc[codes].reset_index(drop=True)
        return pd.to_datetime(pd.Series(values.to_pandas()), errors="coerce").astype("datetime64[ns]")

    # ---- complaints ------------------------------------
    def refuse_empty(self, frame: pd.DataFrame, *fields: str, table: str = "") -> None:
        for field in fields:
            if field in frame:
                empty = (frame[field].isna() | frame[field].eq("")).to_numpy(dtype=bool)
                if empty.any():
                    row = int(frame[_ROW].to_numpy()[np.flatnonzero(empty)[0]])
                    self.refuse(row, field, _("there is no value; every row needs one"), table)

    def refuse_repeated(self, frame: pd.DataFrame, *key: str, table: str = "") -> None:
        twice = frame.duplicated(list(key)).to_numpy(dtype=bool)
        if twice.any():
            at = int(np.flatnonzero(twice)[0])
            told = " / ".join(str(frame[field].iloc[at]) for field in key)
            reason = _("{key} stands in an earlier row already")
            self.refuse(int(frame[_ROW].iloc[at]), key[0], reason, table, key=told)

    def refuse(self, row: int, field: str, reason: str, table: str = "", **values: Any) -> None:
        at = self._at.get((table, field))
        header = None if at is None else self.source.headers[at]
        raise BadInput(
            _("{path}, line {line}, column {column}: {reason}."),
            path=self.source.path.name, line=self.source.line(row), column=header.text if header else field,
            reason=reason.format(**values),
        )  # fmt: skip

    def _refuse_first(self, bad: np.ndarray, at: int, reason: str) -> None:
        if not bad.any():
            return
        row, header = int(np.flatnonzero(bad)[0]), self.source.headers[at]
        raise BadInput(
            _("{path}, line {line}, column {column}: {reason}."),
            path=self.source.path.name, line=self.source.line(row), column=header.text if header else "",
            reason=reason.format(value=self.source.columns[at][row].as_py()),
        )  # fmt: skip


def stored(frame: pd.DataFrame, **values: Any) -> pd.DataFrame:
    """The frame as insert_rows takes it, with these columns where the file has none."""
    given = frame.drop(columns=_ROW)
    return given.assign(**{name: value for name, value in values.items() if name not in given})


def _texts(values: pa.ChunkedArray) -> np.ndarray:
    held = values if pa.types.is_string(values.type) else pc.cast(values, pa.string())
    coded = pc.dictionary_encode(pc.utf8_trim_whitespace(pc.fill_null(held, ""))).combine_chunks()
    distinct = np.array([*coded.dictionary.to_pylist(), None], dtype=object)[:-1]
    distinct = np.array([*(_unquoted(text) for text in distinct), None], dtype=object)[:-1]
    return np.asarray(distinct[coded.indices.to_numpy(zero_copy_only=False)])


def _unquoted(text: str) -> str:
    """Data Export puts names in quotes of their own, so that spreadsheets leave them alone."""
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] == '"' else text


def _plain_numbers(values: pa.ChunkedArray) -> pa.ChunkedArray:
    trimmed = pc.utf8_trim_whitespace(values)
    trimmed = pc.if_else(pc.equal(trimmed, ""), "0", trimmed)
    if pc.any(pc.match_substring_regex(trimmed, "^[A-Za-z]")).as_py():
        lower = pc.utf8_lower(trimmed)
        for word, digit in _TRUE.items():
            trimmed = pc.if_else(pc.equal(lower, word), digit, trimmed)
    return trimmed


def _key(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")


def _fieldname(doctype: str, text: str) -> str | None:
    """The field that a header names: its fieldname, its label, or ID; None where we have no use for it."""
    key = _key(text)
    key = "name" if key == "id" else LABELS.get(doctype, {}).get(key, key)
    known = doctypes.doctype(doctype).columns
    return key if key in known and key not in ("parent", "parentfield", "parenttype") else None


def file_doctypes(stems: Sequence[str]) -> dict[str, str]:
    """File name without suffix -> DocType, for the files that we read: `Stock Ledger Entry`, `stock_ledger_entry` …"""
    read = {_key(name): name for name in schema.READ if name not in schema.SINGLES and name not in schema.CHILDREN}
    return {stem: read[_key(stem)] for stem in stems if _key(stem) in read}
