"""A folder of ERPNext's exports becomes an embedded site; a bad file leaves it as it was and says what is wrong."""

import re
from datetime import date, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from erp_forecast_addon.planning.errors import BadInput
from erp_forecast_addon.site import reads
from erp_forecast_addon.site.embedded import EmbeddedSite
from erp_forecast_addon.site.importers.erpnext_export import import_folder
from tests.embedded.exports import BIN, ITEM, LEDGER, ORDER, RECEIPT, SUPPLIER, write_exports


@pytest.fixture
def site(tmp_path: Path):
    made = EmbeddedSite.create(tmp_path / "site.db", now=datetime(2026, 1, 20, 9))
    yield made
    made.close()


def dump(site: EmbeddedSite) -> list[str]:
    return list(site._connection.iterdump())


@pytest.fixture
def imported(site, tmp_path):
    report = import_folder(site, write_exports(tmp_path / "files"), currency="EUR")
    return site, report


def test_all_files_are_read_and_counted(imported):
    _site, report = imported
    assert report.company == "Acme"
    assert report.rows_read["Stock Ledger Entry.csv"] == 6
    assert report.rows_written["Purchase Order Item"] == 3
    assert (report.first_day, report.last_day) == (date(2026, 1, 5), date(2026, 1, 9))


def test_the_ledger_is_running_and_its_vouchers_are_told_apart(imported):
    site, report = imported
    rows = reads.ledger_rows(site, reads.company_settings(site, "Acme"))
    shop = rows[rows["warehouse"] == "Shop"].sort_values("posted_at")
    assert list(shop["qty_after_transaction"]) == [100, 96, 93, 73, 74]
    assert list(shop["is_demand"]) == [False, True, True, False, True]  # receipt, sale, issue, transfer, return
    assert any("purpose of 3 stock entries" in line for line in report.made_up)
    assert any("1 returns of Delivery Note" in line for line in report.made_up)


def test_orders_with_inline_rows_are_open_supply(imported):
    site, _report = imported
    rows = reads.dated(site, "Acme").set_index("item_code")
    assert (rows.loc["A", "qty"], rows.loc["A", "day"]) == (6.0, pd.Timestamp("2026-01-12"))
    assert (rows.loc["B", "qty"], rows.loc["B", "voucher_no"]) == (5.0, "PO-1")


def test_a_data_export_file_is_read_by_its_header_rows(imported):
    site, report = imported
    rows = reads.receipts(site, "Acme")
    assert len(rows) == 1
    assert tuple(rows.loc[0, ["ordered_on", "received_on"]]) == (pd.Timestamp("2026-01-02"), pd.Timestamp("2026-01-09"))
    assert any("links of receipt lines" in line for line in report.made_up)


def test_the_company_is_planned_and_ordered_by_us(imported):
    site, report = imported
    settings = reads.company_settings(site, "Acme")
    assert settings.enabled
    assert settings.we_order
    assert settings.plan.currency == "EUR"
    assert any("no Company file" in line for line in report.made_up)


def test_parquet_files_do_as_well(site, tmp_path):
    folder = write_exports(tmp_path / "files", **{"Stock Ledger Entry": "", "Bin": ""})
    ledger = pd.read_csv((tmp_path / "ledger.csv").write_text(LEDGER) and tmp_path / "ledger.csv")
    ledger["posting_date"] = pd.to_datetime(ledger["posting_date"])
    ledger.to_parquet(folder / "stock_ledger_entry.parquet")
    report = import_folder(site, folder)
    positions = reads.positions(site, "Acme")
    assert dict(zip(positions["warehouse"], positions["on_hand_qty"], strict=True)) == {"Shop": 74.0, "Store": 20.0}
    assert any("there is no Bin file" in line for line in report.made_up)


def test_dates_in_the_sites_own_form(site, tmp_path):
    ledger = re.sub(r"2026-01-(\d\d)", r"\1/01/2026", LEDGER)
    import_folder(site, write_exports(tmp_path / "files", **{"Stock Ledger Entry": ledger}), date_form="dd/mm/yyyy")
    assert reads.ledger_rows(site, reads.company_settings(site, "Acme"))["posting_day"].min() == pd.Timestamp(
        "2026-01-05"
    )


def test_oddities_are_taken_and_noted(site, tmp_path):
    ledger = LEDGER + "GHOST,Shop,2027-01-09,10:00:00,-1,Delivery Note,DN-3,Acme\n"
    folder = write_exports(tmp_path / "files", **{"Stock Ledger Entry": ledger, "Bin": "", "holidays": "a,b\n1,2\n"})
    notes = " ".join(import_folder(site, folder).notes)
    assert "1 rows have a posting_date after 2026-01-20" in notes
    assert "1 items of the ledger are not in the Item file" in notes
    assert "1 item-warehouse pairs have negative stock" in notes
    assert "holidays.csv was not read" in notes


# name -> (files, what the sentence must say)
BAD = {
    "an unparseable number": (
        {"Bin": BIN.replace("74", "seventy")}, "Bin.csv, line 2, column actual_qty: seventy is no number"),
    "not a number": ({"Bin": BIN.replace("74", "NaN")}, "Bin.csv, line 2, column actual_qty: NaN is no"),
    "infinity": (
        {"Stock Ledger Entry": LEDGER.replace("-4", "-inf")}, "line 3, column actual_qty: -inf is no finite number"),
    "a number with separators": ({"Bin": BIN.replace("74", '"1,074"')}, "column actual_qty: 1,074 is no number"),
    "an unparseable date": (
        {"Stock Ledger Entry": LEDGER.replace("2026-01-07", "2026-13-07")},
        "line 4, column posting_date: 2026-13-07 is no date of the form YYYY-MM-DD"),
    "another form of date": (
        {"Stock Ledger Entry": LEDGER.replace("2026-01-06", "06.01.2026")}, "give the date format of the export"),
    "a missing item code": (
        {"Stock Ledger Entry": LEDGER.replace("A,Store", ",Store")}, "line 6, column item_code: there is no value"),
    "a missing date": (
        {"Stock Ledger Entry": LEDGER.replace("2026-01-05", "")}, "line 2, column posting_date: there is no value"),
    "a missing column": (
        {"Stock Ledger Entry": LEDGER.replace("voucher_type", "kind")},
        "Stock Ledger Entry.csv: column voucher_type is missing"),
    "a missing column of the rows": (
        {"Purchase Order": ORDER.replace("Quantity (Items)", "Amount (Items)")}, "column qty is missing"),
    "a repeated item": ({"item": ITEM + "A,Again,Nos,1,1\n"}, "item.csv, line 4, column item_code: A stands in an"),
    "a repeated bin": ({"Bin": BIN + "A,Shop,1,1\n"}, "Bin.csv, line 4, column item_code: A / Shop stands in an"),
    "a repeated row of an order": (
        {"Purchase Order": ORDER.replace("poi-3", "poi-1")}, "column ID (Items): poi-1 stands in an earlier row"),
    "a column twice": (
        {"Bin": BIN.replace("valuation_rate", "Actual Qty")},
        "column Actual Qty: the same field stands in column actual_qty"),
    "a short line": ({"supplier": SUPPLIER + "only one\n"}, "supplier.csv, line 3: 1 values where the header has 3"),
    "an order without a name": ({"Purchase Order": ORDER.replace("PO-1,", ",", 1)}, "the first row names no document"),
    "a data export with a bad date": (
        {"purchase_receipt": RECEIPT.replace("09-01-2026", "09.01.26")}, "receipt.csv, line 9, column posting_date"),
    "no ledger": ({"Stock Ledger Entry": ""}, "there is no Stock Ledger Entry file"),
    "an empty file": ({"Bin": "\n"}, "Bin.csv: the file is empty"),
    "two files of one DocType": ({"stock_ledger_entry": LEDGER}, "both hold Stock Ledger Entry"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_a_bad_file_is_refused_and_the_site_is_as_before(site, tmp_path, case):
    files, sentence = BAD[case]
    before = dump(site)
    with pytest.raises(BadInput, match=re.escape(sentence)):
        import_folder(site, write_exports(tmp_path / "files", **files))
    assert dump(site) == before


def test_a_line_is_counted_over_line_breaks_in_quotes(site, tmp_path):
    item = 'item_code,item_name,lead_time_days\nA,"two\nlines",1\nB,b,x\n'
    with pytest.raises(BadInput, match=r"item\.csv, line 4, column lead_time_days: x is no number"):
        import_folder(site, write_exports(tmp_path / "files", item=item))


def test_what_is_no_text_or_no_parquet_is_refused(site, tmp_path):
    folder = write_exports(tmp_path / "files")
    (folder / "Bin.csv").write_bytes(b"item_code\xff\xfe,warehouse\n")
    with pytest.raises(BadInput, match=r"Bin\.csv: this is no UTF-8 text"):
        import_folder(site, folder)
    (folder / "Bin.csv").unlink()
    (folder / "Bin.parquet").write_text("no parquet")
    with pytest.raises(BadInput, match=r"Bin\.parquet: this is no Parquet file"):
        import_folder(site, folder)


def test_a_site_with_data_is_not_imported_into(imported, tmp_path):
    site, _report = imported
    before = dump(site)
    with pytest.raises(BadInput, match="holds data already"):
        import_folder(site, tmp_path / "files")
    assert dump(site) == before


def test_a_repeated_ledger_name_is_refused(site, tmp_path):
    ledger = LEDGER.replace("item_code,", "name,item_code,", 1).replace("\nA,", "\nSLE-1,A,")
    with pytest.raises(BadInput, match="SLE-1 stands in an earlier row"):
        import_folder(site, write_exports(tmp_path / "files", **{"Stock Ledger Entry": ledger}))


def test_a_failure_while_writing_leaves_the_site_as_it_was(site, tmp_path, monkeypatch):
    before, insert, written = dump(site), site.insert_rows, []

    def full_disk(doctype, rows):
        if len(written) == 4:
            raise OSError("No space left on device")
        written.append(doctype)
        return insert(doctype, rows)

    monkeypatch.setattr(site, "insert_rows", full_disk)
    with pytest.raises(OSError, match="No space left"):
        import_folder(site, write_exports(tmp_path / "files"))
    assert len(written) == 4
    assert dump(site) == before


def test_a_large_ledger_takes_seconds(site, tmp_path):
    """A fifth of a million rows; the figure for a million stands in docs/embedded.md."""
    rng = np.random.default_rng(0)
    n = 200_000
    days = pd.date_range("2025-01-01", periods=365).strftime("%Y-%m-%d").to_numpy()
    rows = pd.DataFrame({
        "item_code": rng.choice([f"ITEM-{at:04d}" for at in range(2000)], n), "warehouse": "Shop",
        "posting_date": np.sort(rng.choice(days, n)), "actual_qty": rng.integers(-9, 10, n),
        "voucher_type": "Delivery Note", "voucher_no": "DN-1", "company": "Acme",
    })  # fmt: skip
    items = "item_code\n" + "\n".join(f"ITEM-{at:04d}" for at in range(2000)) + "\n"
    folder = write_exports(tmp_path / "files", item=items, Bin="", **{"Purchase Order": "", "purchase_receipt": ""})
    rows.to_csv(folder / "Stock Ledger Entry.csv", index=False)
    report = import_folder(site, folder)
    assert report.rows_written["Stock Ledger Entry"] == n
    assert report.seconds < 30
