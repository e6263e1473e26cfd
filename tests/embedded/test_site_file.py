"""What only the embedded site has: its file, its locks across processes, its clock."""

import os
import signal
import sqlite3
import subprocess
import sys
from datetime import date, datetime
from pathlib import Path

import pytest

from erp_forecast_addon.planning.errors import BadInput, Refused
from erp_forecast_addon.site.embedded import EmbeddedSite
from erp_forecast_addon.site.port import OrderLine

MOMENT = datetime(2026, 11, 21, 9)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    EmbeddedSite.create(tmp_path / "site.db").close()
    return tmp_path / "site.db"


@pytest.fixture
def site(path):
    opened = EmbeddedSite(path, now=MOMENT)
    yield opened
    opened.close()


# ---- the file ------------------------------------
def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(Refused, match=r"There is no embedded site at .*none\.db"):
        EmbeddedSite(tmp_path / "none.db")


def test_an_existing_file_is_not_overwritten(path):
    with pytest.raises(Refused, match="exists already"):
        EmbeddedSite.create(path)


def test_a_file_of_another_program_is_refused(tmp_path):
    other = sqlite3.connect(tmp_path / "other.db")
    other.execute("CREATE TABLE notes (text)")
    other.close()
    with pytest.raises(Refused, match="SQLite file of another program"):
        EmbeddedSite(tmp_path / "other.db")


def test_a_file_of_other_tables_is_refused(path):
    older = sqlite3.connect(path)
    older.execute("PRAGMA user_version = 7")
    older.close()
    with pytest.raises(Refused, match="made by another version of this app"):
        EmbeddedSite(path)


def test_what_is_no_database_is_refused(tmp_path):
    (tmp_path / "text.db").write_text("this is no database, though it is long enough to be read as a header " * 20)
    with pytest.raises(Refused, match="no SQLite file or is damaged"):
        EmbeddedSite(tmp_path / "text.db")


def test_a_damaged_file_is_refused(path):
    content = bytearray(path.read_bytes())
    content[8192:] = os.urandom(len(content) - 8192)
    path.write_bytes(content)
    with pytest.raises(Refused, match="damaged"):
        EmbeddedSite(path)


def test_what_was_not_committed_is_gone_and_the_rest_is_there(path):
    site = EmbeddedSite(path)
    site.insert_document("Supplier", {"supplier_name": "Kept"})
    site.commit()
    site.insert_document("Supplier", {"supplier_name": "Lost"})
    site.close()
    again = EmbeddedSite(path)
    assert again.get_document("Supplier", "Kept") is not None
    assert again.get_document("Supplier", "Lost") is None


def test_a_rollback_undoes_everything_since_the_commit(site):
    site.insert_document("Supplier", {"supplier_name": "Lost"})
    site.rollback()
    assert site.get_document("Supplier", "Lost") is None


# ---- time --------------------------------------
def test_a_kept_time_is_the_time_of_the_file(path):
    site = EmbeddedSite(path)
    site.set_now(datetime(2011, 12, 10, 8), keep=True)
    site.commit()
    site.close()
    assert EmbeddedSite(path).now() == datetime(2011, 12, 10, 8)
    assert EmbeddedSite(path).as_of() == date(2011, 12, 9)
    assert EmbeddedSite(path, now=MOMENT).now() == MOMENT


# ---- locks -------------------------------------
HOLDER = """
import sys
from erp_forecast_addon.site.embedded import EmbeddedSite
with EmbeddedSite(sys.argv[1]).lock("run:Acme") as got:
    print(got, flush=True)
    sys.stdin.readline()
"""


def test_a_lock_of_another_process_is_seen_and_freed_when_it_is_killed(path, site):
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert holder.stdout.readline().strip() == "True"
        with site.lock("run:Acme") as got, site.lock("run:Other") as other:
            assert not got
            assert other
    finally:
        holder.send_signal(signal.SIGKILL)
        holder.communicate()
    with site.lock("run:Acme") as got:
        assert got


def test_a_lock_outlives_commits(site):
    with site.lock("run:Acme"):
        site.insert_document("Supplier", {"supplier_name": "Kept"})
        site.commit()
        with site.lock("run:Acme") as again:
            assert not again


# ---- documents ---------------------------------
def test_a_name_is_given_once(site):
    site.insert_document("Supplier", {"supplier_name": "S"})
    with pytest.raises(Refused, match="Supplier S exists already"):
        site.insert_document("Supplier", {"supplier_name": "S"})


def test_an_unknown_field_is_refused(site):
    with pytest.raises(BadInput, match="Supplier has no field colour"):
        site.insert_document("Supplier", {"supplier_name": "S", "colour": "red"})


def test_an_order_in_another_currency_needs_a_rate(site):
    site.insert_document("Company", {"company_name": "Acme", "default_currency": "EUR"})
    line = OrderLine("A", "Shop", 2.0, "Nos", 1.0, 10.0, date(2026, 12, 1))
    with pytest.raises(Refused, match="no Currency Exchange from USD"):
        site.insert_order("Acme", "S", "USD", MOMENT.date(), [line], "")
    rate = {"from_currency": "USD", "to_currency": "EUR", "date": date(2026, 1, 1), "exchange_rate": 0.5}
    site.insert_document("Currency Exchange", rate)
    order = site.insert_order("Acme", "S", "USD", MOMENT.date(), [line], "")
    assert (order.name, order.total, order.base_total) == ("PUR-ORD-2026-00001", 20.0, 10.0)


def test_an_order_without_lines_is_refused(site):
    site.insert_document("Company", {"company_name": "Acme", "default_currency": "EUR"})
    with pytest.raises(Refused, match="at least one line"):
        site.insert_order("Acme", "S", "EUR", MOMENT.date(), [], "")
