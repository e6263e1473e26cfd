"""Export files as they come: CSV or Parquet, with fieldnames, labels, or the header rows of ERPNext's Data Export."""

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.csv as arrow_csv
import pyarrow.parquet as arrow_parquet

from erp_forecast_addon.planning.errors import BadInput
from erp_forecast_addon.planning.messages import _

SUFFIXES: Final = (".csv", ".parquet")
# ERPNext's Data Export (frappe/core/doctype/data_export/exporter.py) names its header rows in the first column.
_DOCTYPES, _LABELS, _FIELDS, _INFO = "DocType:", "Column Labels:", "Column Name:", "Info:"
_DATA_BELOW: Final = "Start entering data below this line"
_LONGEST_HEAD: Final = 40


@dataclass(frozen=True)
class Header:
    """A column as the file calls it. table: the child table (fieldname or label) where the file names one."""

    text: str
    field: str
    table: str = ""


@dataclass(frozen=True)
class ExportFile:
    """columns: text for CSV, as typed for Parquet; None where the file has a column without a header.

    date_form: how Data Export says it writes dates (dd-mm-yyyy …), "" for ISO.
    """

    path: Path
    headers: list[Header | None]
    columns: list[pa.ChunkedArray]
    head_records: int
    date_form: str = ""

    @property
    def rows(self) -> int:
        return len(self.columns[0]) if self.columns else 0

    def line(self, row: int) -> int:
        """The line of the file on which data row `row` (from 0) begins; for Parquet the row, from 1."""
        if self.path.suffix == ".parquet":
            return row + 1
        wanted = self.head_records + row
        begins, seen = 1, 0
        with self.path.open(newline="", encoding="utf-8-sig") as source:
            reader = csv.reader(source)
            for record in reader:
                if record:
                    if seen == wanted:
                        return begins
                    seen += 1
                begins = reader.line_num + 1
        return begins


def read_export(path: Path) -> ExportFile:
    """Raises BadInput with the file, and the line where there is one, when it cannot be read."""
    return _read_parquet(path) if path.suffix == ".parquet" else _read_csv(path)


def _read_parquet(path: Path) -> ExportFile:
    try:
        table = arrow_parquet.read_table(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise BadInput(_("{path}: this is no Parquet file ({error})."), path=path.name, error=error) from error
    return ExportFile(path, [_header(name) for name in table.column_names], table.columns, 0)


def _read_csv(path: Path) -> ExportFile:
    head = _first_records(path)
    if not head:
        raise BadInput(_("{path}: the file is empty."), path=path.name)
    first_cells = [record[0].strip() for record in head]
    data_export = _FIELDS in first_cells or _LABELS in first_cells
    headers, used, date_form = _data_export_headers(head, first_cells) if data_export else _plain_headers(head)
    columns = _csv_columns(path, len(headers), used)
    return ExportFile(path, headers, columns, used, date_form)


def _first_records(path: Path) -> list[list[str]]:
    """The first records that are not blank lines."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as source:
            found = []
            for record in csv.reader(source):
                if record:
                    found.append(record)
                if len(found) == _LONGEST_HEAD:
                    break
            return found
    except UnicodeDecodeError as error:
        raise BadInput(_("{path}: this is no UTF-8 text ({error})."), path=path.name, error=error) from error
    except (csv.Error, OSError) as error:
        raise BadInput(_("{path}: this is no readable CSV file ({error})."), path=path.name, error=error) from error


def _plain_headers(head: list[list[str]]) -> tuple[list[Header | None], int, str]:
    return [_header(text) for text in head[0]], 1, ""


def _header(text: str) -> Header | None:
    """`item_code`, `Item Code`, `items.item_code`, or `Item Code (Items)` as the Data Import tool exports it."""
    told = text.strip()
    if not told:
        return None
    if told.endswith(")") and " (" in told:
        field, _open, table = told[:-1].rpartition(" (")
        return Header(told, field.strip(), table.strip())
    table, _dot, field = told.rpartition(".")
    return Header(told, field, table)


def _data_export_headers(head: list[list[str]], cells: list[str]) -> tuple[list[Header | None], int, str]:
    """Blocks of columns per DocType, "~" between them; the first column is blank in data rows."""
    named = head[cells.index(_FIELDS)] if _FIELDS in cells else head[cells.index(_LABELS)]
    doctypes = head[cells.index(_DOCTYPES)] if _DOCTYPES in cells else []
    headers: list[Header | None] = [None]
    table, main = "", True
    for at, text in enumerate(named[1:], start=1):
        told = doctypes[at].strip() if at < len(doctypes) else ""
        if told and told != "~":
            parentfield = doctypes[at + 1].strip() if at + 1 < len(doctypes) else ""
            table, main = ("" if main else parentfield or told), False
        headers.append(Header(text.strip(), text.strip(), table) if text.strip() not in ("", "~") else None)
    marks = (_DATA_BELOW, _INFO, "Type:", "Mandatory:", _FIELDS, _LABELS)
    last = max(cells.index(mark) for mark in marks if mark in cells)
    return headers, last + 1, _date_form(head, cells)


def _date_form(head: list[list[str]], cells: list[str]) -> str:
    """The Info row tells the site's date format under every date."""
    if "Type:" not in cells or _INFO not in cells:
        return ""
    kinds, infos = head[cells.index("Type:")], head[cells.index(_INFO)]
    return next((info for kind, info in zip(kinds, infos, strict=False) if kind in ("Date", "Datetime")), "")


def _csv_columns(path: Path, width: int, head_records: int) -> list[pa.ChunkedArray]:
    names = [f"c{at}" for at in range(width)]
    skipped = head_records
    try:
        return list(
            arrow_csv.read_csv(
                path,
                read_options=arrow_csv.ReadOptions(column_names=names, skip_rows_after_names=skipped),
                parse_options=arrow_csv.ParseOptions(newlines_in_values=True),
                convert_options=arrow_csv.ConvertOptions(
                    column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
                ),
            ).columns
        )
    except pa.ArrowInvalid as error:
        raise _ragged(path, width, error) from error


def _ragged(path: Path, width: int, error: Exception) -> BadInput:
    """Arrow does not tell the line; the file is read again to find it. A loop, on the way out."""
    with path.open(newline="", encoding="utf-8-sig", errors="replace") as source:
        reader = csv.reader(source)
        for record in reader:
            if record and len(record) != width:
                return BadInput(
                    _("{path}, line {line}: {found} values where the header has {expected}."),
                    path=path.name, line=reader.line_num, found=len(record), expected=width,
                )  # fmt: skip
    return BadInput(_("{path}: this is no readable CSV file ({error})."), path=path.name, error=error)
