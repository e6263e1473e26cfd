"""The Online Retail importer on a small file of its form, and on the whole file where it is there."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from erp_forecast_addon.planning.buckets import daily_buckets
from erp_forecast_addon.planning.errors import BadInput
from erp_forecast_addon.site import reads
from erp_forecast_addon.site.embedded import EmbeddedSite
from erp_forecast_addon.site.importers.online_retail import COMPANY, WAREHOUSE, import_online_retail

DATA = Path(os.environ.get("FORECAST_DATA", Path(__file__).resolve().parents[2] / ".." / "shared" / "data"))
WHOLE = DATA / "online_retail" / "online_retail.parquet"


def lines() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    n = 600
    sold = pd.DataFrame({
        "InvoiceNo": (536000 + np.arange(n) // 4).astype(str),
        "StockCode": rng.choice(["10002", "22423A", "85123a"], n),
        "Description": "THING", "Quantity": rng.integers(1, 12, n).astype("int32"),
        "InvoiceDate": pd.Timestamp("2011-01-03 09:00") + pd.to_timedelta(np.arange(n) // 4 * 9, unit="h"),
        "UnitPrice": 2.5, "CustomerID": 17850, "Country": "United Kingdom",
    })  # fmt: skip
    special = [
        ("536900", "POST", 1, "2011-01-05 09:00", 18.0), ("536901", "M", 1, "2011-01-05 09:00", 5.0),
        ("536902", "10002", -7, "2011-01-05 09:00", 0.0), ("536903", "10002", 3, "2011-01-05 09:00", 0.0),
        ("536904", "22423A", 500, "2011-02-01 10:00", 2.5), ("C536905", "22423A", -500, "2011-02-03 10:00", 2.5),
    ]  # fmt: skip
    extra = pd.DataFrame(special, columns=["InvoiceNo", "StockCode", "Quantity", "InvoiceDate", "UnitPrice"])
    extra = extra.assign(Description="OTHER", CustomerID=12345, Country="France",
                         InvoiceDate=pd.to_datetime(extra["InvoiceDate"]))  # fmt: skip
    return pd.concat([sold, extra], ignore_index=True)


@pytest.fixture
def site(tmp_path):
    made = EmbeddedSite.create(tmp_path / "site.db")
    yield made
    made.close()


def imported(site, folder: Path, frame: pd.DataFrame, **options):
    frame.to_parquet(folder / "retail.parquet")
    return import_online_retail(site, folder / "retail.parquet", **options)


def test_every_line_is_written_or_counted(site, tmp_path):
    report = imported(site, tmp_path, lines())
    assert sum(report.left_out.values()) == 4
    ledger = reads.ledger_rows(site, reads.company_settings(site, COMPANY))
    sold = ledger[ledger["voucher_type"] == "Delivery Note"]
    assert len(sold) == report.rows_read["retail.parquet"] - 4
    assert sold["is_demand"].all()
    assert set(sold["item_code"]) == {"10002", "22423A", "85123A"}


def test_a_cancellation_is_netted_against_its_sale(site, tmp_path):
    imported(site, tmp_path, lines())
    ledger = reads.ledger_rows(site, reads.company_settings(site, COMPANY))
    returned = ledger[ledger["actual_qty"] == 500].iloc[0]
    assert (returned["posting_day"], returned["demand_day"]) == (pd.Timestamp("2011-02-03"), pd.Timestamp("2011-02-01"))
    days = daily_buckets(ledger).set_index(["item_code", "day"])["demand_qty"]
    assert days["22423A", pd.Timestamp("2011-02-01")] < 100


def test_stock_is_consistent_and_never_below_zero(site, tmp_path):
    imported(site, tmp_path, lines())
    settings = reads.company_settings(site, COMPANY)
    ledger = reads.ledger_rows(site, settings).sort_values(["item_code", "posted_at", "name"], kind="stable")
    running = ledger.groupby("item_code")["actual_qty"].cumsum()
    assert (running == ledger["qty_after_transaction"]).all()
    assert ledger["qty_after_transaction"].min() >= 0
    last = ledger.drop_duplicates("item_code", keep="last").set_index("item_code")["qty_after_transaction"]
    bins = reads.positions(site, COMPANY).set_index("item_code")["on_hand_qty"]
    assert bins.to_dict() == last.to_dict()
    assert set(ledger["warehouse"]) == {WAREHOUSE}


def test_what_is_made_up_says_so(site, tmp_path):
    report = imported(site, tmp_path, lines(), suppliers=5)
    sourcing = reads.sourcing(site, COMPANY, ["10002", "22423A"])
    assert sourcing["supplier"].str.startswith("Made-up Supplier ").all()
    assert (sourcing["rate"] > 0).all()
    assert sourcing["is_default"].all()
    assert any(line.startswith("5 suppliers with lead times") for line in report.made_up)


def test_the_same_seed_makes_the_same_site(tmp_path):
    positions = []
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        site = EmbeddedSite.create(tmp_path / f"{name}.db")
        imported(site, tmp_path, lines(), seed=seed)
        positions.append(reads.positions(site, COMPANY))
        site.close()
    pd.testing.assert_frame_equal(positions[0], positions[1])
    assert not positions[0].equals(positions[2])


def test_site_time_is_the_morning_after_the_last_sale(site, tmp_path):
    report = imported(site, tmp_path, lines())
    assert site.as_of() == report.last_day


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda frame: frame.drop(columns="UnitPrice"), "column UnitPrice is missing"),
        (lambda frame: frame.assign(UnitPrice=np.inf), "row 1, column UnitPrice: inf is no usable value"),
        (lambda frame: frame.assign(InvoiceDate=pd.NaT), "row 1, column InvoiceDate"),
    ],
)
def test_a_bad_file_is_refused_and_the_site_is_as_before(site, tmp_path, spoil, sentence):
    before = list(site._connection.iterdump())
    with pytest.raises(BadInput, match=sentence):
        imported(site, tmp_path, spoil(lines()))
    assert list(site._connection.iterdump()) == before


def test_a_missing_file_is_refused(site, tmp_path):
    with pytest.raises(BadInput, match="there is no such file"):
        import_online_retail(site, tmp_path / "none.parquet")


@pytest.mark.skipif(not WHOLE.is_file(), reason=f"{WHOLE} is absent; set FORECAST_DATA to the folder of the data")
def test_the_whole_file_is_accounted_for(site):
    report = import_online_retail(site, WHOLE)
    sold = site.read("SELECT COUNT(*), MIN(qty_after_transaction) FROM \"tabStock Ledger Entry\" "
                     "WHERE voucher_type = 'Delivery Note'")[0]  # fmt: skip
    assert sold[0] + sum(report.left_out.values()) == report.rows_read[WHOLE.name] == 541_909
    assert sold[1] >= 0
