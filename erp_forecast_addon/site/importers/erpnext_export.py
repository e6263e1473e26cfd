"""A folder of files exported from ERPNext, as an embedded site: what a consultant tries the planner on."""

import time
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from erp_forecast_addon.planning.errors import BadInput
from erp_forecast_addon.planning.messages import _
from erp_forecast_addon.site.embedded import EmbeddedSite
from erp_forecast_addon.site.importers.files import SUFFIXES, read_export
from erp_forecast_addon.site.importers.gaps import fill_gaps
from erp_forecast_addon.site.importers.report import ImportReport
from erp_forecast_addon.site.importers.typed import Reading, file_doctypes, stored
from erp_forecast_addon.site.schema import NAMED_BY

# What a file must have, besides the name of its DocType: fields of the documents, and of their rows.
_REQUIRED: Final[dict[str, tuple[str, ...]]] = {
    "Bin": ("item_code", "warehouse", "actual_qty"),
    "Stock Ledger Entry": ("item_code", "warehouse", "posting_date", "actual_qty", "voucher_type", "voucher_no"),
    "Item Price": ("item_code", "price_list", "price_list_rate"),
    "Purchase Order": ("name", "supplier", "transaction_date"),
    "Purchase Receipt": ("name", "supplier", "posting_date"),
    "Sales Order": ("name",),
    "Material Request": ("name", "material_request_type"),
}
_REQUIRED_ROWS: Final[dict[str, tuple[str, ...]]] = {
    "Purchase Order": ("item_code", "qty", "warehouse"),
    "Purchase Receipt": ("item_code", "qty"),
    "Sales Order": ("item_code", "qty", "warehouse"),
    "Material Request": ("item_code", "qty", "warehouse"),
}
_NEVER_EMPTY: Final[dict[str, tuple[str, ...]]] = {
    "Bin": ("item_code", "warehouse"),
    "Stock Ledger Entry": ("item_code", "warehouse", "posting_date", "voucher_type", "voucher_no"),
}
_NEEDED_FILES: Final = ("Item", "Stock Ledger Entry")
_KEYS: Final[dict[str, tuple[str, ...]]] = {"Bin": ("item_code", "warehouse")}
_DATES: Final = ("posting_date", "transaction_date")


def import_folder(
    site: EmbeddedSite, folder: str | Path, *, company: str = "", currency: str = "", date_form: str = "",
    today: date | None = None,
) -> ImportReport:  # fmt: skip
    """Fill an empty site with every known file of the folder: `Item.csv`, `stock_ledger_entry.parquet` …

    company: of ledger rows that name none, and what the company is called where there is no Company file; currency:
    of that company. date_form: as in ERPNext's System Settings (dd-mm-yyyy …) where the files do not write ISO dates.
    today: what counts as the future, for the notes; None: site time.
    Raises BadInput with file, line, column and reason; the site is as it was.
    """
    started = time.perf_counter()
    report = ImportReport(Path(folder).name)
    frames = _read(_files(Path(folder), report), date_form, report)
    if site.read('SELECT 1 FROM "tabCompany" LIMIT 1'):
        raise BadInput(_("{path}: this site holds data already; import into a new one."), path=site.path)
    fill_gaps(frames, report, company=company, currency=currency)
    _note_oddities(frames, report, pd.Timestamp(today or site.now().date()))
    try:
        with site.savepoint():
            _write(site, frames, report)
            _plan_companies(site, frames)
    except BaseException:
        site.rollback()
        raise
    site.commit()
    days = frames["Stock Ledger Entry"]["posting_date"]
    report.first_day, report.last_day = days.min().date(), days.max().date()
    report.seconds = time.perf_counter() - started
    return report


def _files(folder: Path, report: ImportReport) -> dict[str, Path]:
    """DocType -> file."""
    if not folder.is_dir():
        raise BadInput(_("{path}: there is no such folder."), path=folder)
    present = [path for path in sorted(folder.iterdir()) if path.suffix.lower() in SUFFIXES]
    known = file_doctypes([path.stem for path in present])
    found: dict[str, Path] = {}
    for path in present:
        doctype = known.get(path.stem)
        if doctype is None:
            report.notes.append(f"{path.name} was not read: its name is no DocType that the planner uses")
        elif doctype in found:
            raise BadInput(
                _("{path} and {other} both hold {doctype}; leave one in the folder."),
                path=path.name, other=found[doctype].name, doctype=doctype,
            )  # fmt: skip
        else:
            found[doctype] = path
    for doctype in _NEEDED_FILES:
        if doctype not in found:
            raise BadInput(
                _("{path}: there is no {doctype} file (.csv or .parquet); the planner cannot do without it."),
                path=folder.name, doctype=doctype,
            )  # fmt: skip
    return found


# ---- reading ------------------------------------
def _read(files: Mapping[str, Path], date_form: str, report: ImportReport) -> dict[str, pd.DataFrame]:
    frames: dict[str, pd.DataFrame] = {}
    for doctype, path in files.items():
        reading = Reading(read_export(path), doctype, date_form)
        report.rows_read[path.name] = reading.source.rows
        reading.require(*_REQUIRED.get(doctype, ()))
        frames.update(_with_rows(reading) if reading.made.children and reading.has("name") else _alone(reading))
    return frames


def _alone(reading: Reading) -> dict[str, pd.DataFrame]:
    doctype = reading.made.name
    rows = reading.flat()
    rows = _named(reading, rows)
    reading.refuse_empty(rows, *_NEVER_EMPTY.get(doctype, ()))
    if doctype in _KEYS:
        reading.refuse_repeated(rows, *_KEYS[doctype])
    return {doctype: stored(rows)}


def _with_rows(reading: Reading) -> dict[str, pd.DataFrame]:
    doctype = reading.made.name
    found = reading.documents()
    frames = {doctype: stored(_named(reading, found.parents))}
    for table_field, rows in found.children.items():
        if table_field == "items":
            reading.require(*_REQUIRED_ROWS.get(doctype, ()), table=table_field)
        if "name" in rows:
            unnamed = rows["name"].eq("")
            reading.refuse_repeated(rows[~unnamed], "name", table=table_field)
            rows = rows.drop(columns="name") if unnamed.any() else rows
        frames[reading.made.children[table_field]] = stored(
            rows, parenttype=doctype, parentfield=table_field, idx=rows.groupby("parent").cumcount() + 1
        )
    if doctype in _REQUIRED_ROWS and not found.children:
        reading.require(*_REQUIRED_ROWS[doctype], table="items")
    return frames


def _named(reading: Reading, rows: pd.DataFrame) -> pd.DataFrame:
    """With the name that ERPNext gives: the field it is taken from, or the file's own names."""
    source = NAMED_BY.get(reading.made.name)
    if source is not None:
        if source not in rows and "name" not in rows:
            reading.require(source)
        key = source if source in rows else "name"
        reading.refuse_empty(rows, key)
        rows = rows.assign(name=rows[key]) if "name" not in rows or key == source else rows
        rows = rows.assign(**{source: rows[key]})
        reading.refuse_repeated(rows, key)
        return rows
    if "name" in rows and reading.made.name not in ("Purchase Order", "Purchase Receipt"):
        blank = rows["name"].eq("")
        reading.refuse_repeated(rows[~blank], "name")
        return rows.drop(columns="name") if blank.any() else rows
    return rows


# ---- writing ------------------------------------
def _write(site: EmbeddedSite, frames: Mapping[str, pd.DataFrame], report: ImportReport) -> None:
    for doctype, rows in frames.items():
        with site.without_indexes(doctype):
            site.insert_rows(doctype, rows)
        report.rows_written[doctype] = len(rows)


def _plan_companies(site: EmbeddedSite, frames: Mapping[str, pd.DataFrame]) -> None:
    rows = [{"company": name, "who_orders": "Forecast Addon"} for name in frames["Company"]["name"]]
    site.update_document("Forecast Settings", "Forecast Settings", {"companies": rows})


def _note_oddities(frames: Mapping[str, pd.DataFrame], report: ImportReport, today: pd.Timestamp) -> None:
    for doctype, rows in frames.items():
        for field in _DATES:
            if field in rows:
                late = int((rows[field] > today).sum())
                if late:
                    report.notes.append(f"{doctype}: {late:,} rows have a {field} after {today.date()}")
    ledger = frames["Stock Ledger Entry"]
    unknown = ~np.isin(ledger["item_code"].unique(), frames["Item"]["name"])
    if unknown.any():
        report.notes.append(
            f"{int(unknown.sum()):,} items of the ledger are not in the Item file; they are not planned"
        )
    below = int((frames["Bin"]["actual_qty"] < 0).sum())
    if below:
        report.notes.append(f"{below:,} item-warehouse pairs have negative stock")
