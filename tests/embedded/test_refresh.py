"""The buckets follow the ledger: after any change, incremental and whole rebuild hold the same numbers."""

import shutil
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from erp_forecast_addon.planning.buckets import daily_buckets
from erp_forecast_addon.planning.errors import Refused
from erp_forecast_addon.services import bucket_rows, changes
from erp_forecast_addon.services.refresh import LOCK, MAKING, check_pairs, forget_pairs, mark_pairs, refresh_demand
from erp_forecast_addon.site import reads
from erp_forecast_addon.site.embedded import EmbeddedSite
from tests.embedded.stock_ledger import COMPANY, NOW, WAREHOUSES, StockLedger, demo_site

SHOP, DEPOT = WAREHOUSES
KEY = ["item_code", "warehouse", "day"]
ACTIONS = {"sell": 0.4, "receive": 0.15, "return": 0.1, "cancel": 0.15, "reconcile": 0.05, "refresh": 0.15}
QUANTITIES = ["demand_qty", "opening_qty", "closing_qty"]


@pytest.fixture(scope="module")
def templates(tmp_path_factory: pytest.TempPathFactory) -> dict[bool, Path]:
    """An empty site, and one with two items in two warehouses and a month of sales, taken in; copied for each test."""
    folder = tmp_path_factory.mktemp("templates")
    made = {}
    for with_sales in (False, True):
        made[with_sales] = folder / f"{with_sales}.db"
        with demo_site(made[with_sales]) as site:
            if with_sales:
                _month_of_sales(site)
            site.read("PRAGMA wal_checkpoint(TRUNCATE)")
    return made


@pytest.fixture
def site(request: pytest.FixtureRequest, templates: dict[bool, Path], tmp_path: Path) -> Iterator[EmbeddedSite]:
    with_sales = "ledger" in request.fixturenames
    shutil.copy(templates[with_sales], tmp_path / "site.db")
    with EmbeddedSite(tmp_path / "site.db", now=NOW + timedelta(hours=5) if with_sales else NOW) as opened:
        yield opened


@pytest.fixture
def ledger(site: EmbeddedSite) -> StockLedger:
    """The ledger of the site with sales; what stands there is out of the overlap."""
    return StockLedger(site, first_number=1000)


def _month_of_sales(site: EmbeddedSite) -> None:
    ledger = StockLedger(site)
    for item in ("bolt", "nut"):
        for house in WAREHOUSES:
            ledger.post(item, house, date(2026, 5, 1), 100.0, "Purchase Receipt")
            for day in (3, 4, 9, 20):
                ledger.sell(item, house, date(2026, 5, day), 2.0)
    refresh_demand(site)
    an_hour_later(site)
    refresh_demand(site)


def stored(site: EmbeddedSite) -> pd.DataFrame:
    bucket = site.qb.DocType("Demand Bucket")
    rows = site.fetch(site.qb.from_(bucket).select(*(bucket[name] for name in KEY + QUANTITIES)))
    return rows.sort_values(KEY, ignore_index=True)


def from_whole_ledger(site: EmbeddedSite, company: str = COMPANY) -> pd.DataFrame:
    """What the buckets must be, by the planner alone from the whole ledger."""
    ledger = reads.ledger_rows(site, reads.company_settings(site, company))
    return daily_buckets(ledger)[KEY + QUANTITIES].sort_values(KEY, ignore_index=True)


def assert_follows(site: EmbeddedSite) -> None:
    pd.testing.assert_frame_equal(stored(site), from_whole_ledger(site), check_dtype=False)
    assert marks(site) == 0


def marks(site: EmbeddedSite) -> int:
    return len(site.read('SELECT name FROM "tabDemand Mark"'))


def demand(site: EmbeddedSite, item: str, house: str, day: date) -> float:
    rows = stored(site)
    found = rows[(rows["item_code"] == item) & (rows["warehouse"] == house) & (rows["day"] == pd.Timestamp(day))]
    return float(found["demand_qty"].sum())


def an_hour_later(site: EmbeddedSite, hours: float = 5.0) -> None:
    """Past the overlap, so that only what was written since is looked at again."""
    site.set_now(site.now() + timedelta(hours=hours))


def test_the_first_refresh_takes_in_the_whole_ledger(site: EmbeddedSite, ledger: StockLedger) -> None:
    assert_follows(site)
    assert demand(site, "bolt", SHOP, date(2026, 5, 9)) == 2.0
    assert len(site.read('SELECT name FROM "tabDemand Pair" WHERE company = ?', (COMPANY,))) == 4


def test_nothing_new_reads_nothing_and_writes_nothing(site: EmbeddedSite, ledger: StockLedger) -> None:
    an_hour_later(site)
    refresh_demand(site)
    an_hour_later(site)
    result = refresh_demand(site)
    assert (result.pairs, result.ledger_rows, result.buckets_written, result.buckets_removed) == (0, 0, 0, 0)


def test_only_the_changed_pair_is_made_again_and_only_from_its_changed_day(
    site: EmbeddedSite, ledger: StockLedger
) -> None:
    an_hour_later(site)
    ledger.sell("bolt", SHOP, date(2026, 5, 10), 3.0)
    result = refresh_demand(site)
    assert (result.pairs, result.ledger_rows, result.buckets_written) == (1, 2, 2)  # the 10th, and the 20th's stock
    assert_follows(site)


def test_a_back_dated_sale_changes_the_stock_of_every_later_day(site: EmbeddedSite, ledger: StockLedger) -> None:
    an_hour_later(site)
    ledger.sell("bolt", SHOP, date(2026, 5, 2), 50.0)
    refresh_demand(site)
    assert_follows(site)
    assert stored(site).query("item_code == 'bolt' and warehouse == @SHOP")["closing_qty"].iloc[-1] == 42.0


def test_a_cancelled_sale_takes_its_demand_away(site: EmbeddedSite, ledger: StockLedger) -> None:
    an_hour_later(site)
    voucher = ledger.sell("bolt", SHOP, date(2026, 5, 25), 7.0)
    refresh_demand(site)
    assert demand(site, "bolt", SHOP, date(2026, 5, 25)) == 7.0
    an_hour_later(site)
    ledger.cancel(voucher)
    refresh_demand(site)
    assert_follows(site)
    assert demand(site, "bolt", SHOP, date(2026, 5, 25)) == 0.0


def test_an_amended_sale_counts_once_on_its_new_day(site: EmbeddedSite, ledger: StockLedger) -> None:
    voucher = ledger.sell("bolt", SHOP, date(2026, 5, 25), 7.0)
    refresh_demand(site)
    an_hour_later(site)
    ledger.cancel(voucher)
    ledger.sell("bolt", SHOP, date(2026, 5, 26), 8.0)
    refresh_demand(site)
    assert_follows(site)
    assert [demand(site, "bolt", SHOP, date(2026, 5, day)) for day in (25, 26)] == [0.0, 8.0]


def test_a_reconciliation_moves_stock_without_demand(site: EmbeddedSite, ledger: StockLedger) -> None:
    an_hour_later(site)
    ledger.reconcile("nut", DEPOT, date(2026, 5, 5), 500.0)
    refresh_demand(site)
    assert_follows(site)
    assert demand(site, "nut", DEPOT, date(2026, 5, 5)) == 0.0


def test_a_return_posted_today_changes_the_day_of_its_sale_and_cancelling_it_changes_that_back(
    site: EmbeddedSite, ledger: StockLedger
) -> None:
    sale = ledger.sell("bolt", SHOP, date(2026, 5, 6), 10.0)
    refresh_demand(site)
    an_hour_later(site)
    returned = ledger.give_back("bolt", SHOP, date(2026, 5, 30), 4.0, sale)
    refresh_demand(site)
    assert_follows(site)
    assert demand(site, "bolt", SHOP, date(2026, 5, 6)) == 6.0
    an_hour_later(site)
    ledger.sell("bolt", SHOP, date(2026, 5, 28), 1.0)  # starts after the sale and before its return
    refresh_demand(site)
    assert_follows(site)
    an_hour_later(site)
    ledger.cancel(returned)
    refresh_demand(site)
    assert_follows(site)
    assert demand(site, "bolt", SHOP, date(2026, 5, 6)) == 10.0


def test_deleted_ledger_rows_are_found_by_the_nightly_comparison(site: EmbeddedSite, ledger: StockLedger) -> None:
    voucher = ledger.sell("bolt", SHOP, date(2026, 5, 6), 10.0)
    refresh_demand(site)
    an_hour_later(site)
    ledger.delete_rows_of(voucher)
    refresh_demand(site)
    assert demand(site, "bolt", SHOP, date(2026, 5, 6)) == 10.0  # no trace, so not seen yet
    result = check_pairs(site)
    assert result.differing.to_dict("records") == [{"item_code": "bolt", "warehouse": SHOP}]
    assert_follows(site)
    assert check_pairs(site).differing.empty


def test_a_comparison_is_not_blinded_by_a_later_change_of_the_same_pair(
    site: EmbeddedSite, ledger: StockLedger
) -> None:
    voucher = ledger.sell("bolt", SHOP, date(2026, 5, 6), 10.0)
    refresh_demand(site)
    an_hour_later(site)
    ledger.delete_rows_of(voucher)
    ledger.sell("bolt", SHOP, date(2026, 5, 29), 1.0)
    refresh_demand(site)
    assert len(check_pairs(site).differing) == 1
    assert_follows(site)


def test_a_repost_without_modified_is_found_by_the_nightly_comparison(site: EmbeddedSite, ledger: StockLedger) -> None:
    an_hour_later(site)
    site.write(
        'UPDATE "tabStock Ledger Entry" SET qty_after_transaction = qty_after_transaction + 5 '
        "WHERE item_code = 'nut' AND posting_date >= '2026-05-09'"
    )
    site.commit()
    assert len(check_pairs(site).differing) == 2
    assert_follows(site)


def test_a_missed_posting_is_found_by_its_bin(site: EmbeddedSite, ledger: StockLedger) -> None:
    an_hour_later(site)
    refresh_demand(site)
    ledger.post("bolt", SHOP, date(2026, 5, 30), -9.0, modified=NOW - timedelta(days=3))  # committed far too late
    an_hour_later(site, 0.5)
    assert refresh_demand(site).pairs == 1
    assert_follows(site)


def test_a_new_pair_is_found_by_its_bin(site: EmbeddedSite, ledger: StockLedger) -> None:
    an_hour_later(site)
    refresh_demand(site)
    ledger.post("washer", SHOP, date(2026, 5, 30), 9.0, "Purchase Receipt", modified=NOW - timedelta(days=3))
    refresh_demand(site)
    assert_follows(site)


def test_a_row_that_was_committed_late_falls_into_the_overlap(site: EmbeddedSite, ledger: StockLedger) -> None:
    an_hour_later(site)
    refresh_demand(site)
    ledger.post("bolt", SHOP, date(2026, 5, 30), -9.0, modified=site.now() - timedelta(minutes=30))
    site.write('UPDATE "tabBin" SET modified = ?', (str(NOW - timedelta(days=9)),))  # the Bin tells nothing here
    site.commit()
    refresh_demand(site)
    assert_follows(site)


def test_renaming_an_item_moves_its_buckets(site: EmbeddedSite, ledger: StockLedger) -> None:
    an_hour_later(site)
    ledger.rename_item("bolt", "screw")
    for doctype in ("Demand Bucket", "Demand Pair"):  # Frappe renames the links of all DocTypes itself
        site.write(f'UPDATE "tab{doctype}" SET item_code = ? WHERE item_code = ?', ("screw", "bolt"))
    mark_pairs(site, item_code="screw")
    result = refresh_demand(site)
    assert_follows(site)
    assert (result.pairs, result.buckets_written) == (2, 0)
    assert check_pairs(site).differing.empty


def test_merging_two_items_joins_their_days(site: EmbeddedSite, ledger: StockLedger) -> None:
    an_hour_later(site)
    forget_pairs(site, item_code="bolt")
    ledger.rename_item("bolt", "nut")
    mark_pairs(site, item_code="nut")
    refresh_demand(site)
    assert_follows(site)
    assert demand(site, "nut", SHOP, date(2026, 5, 9)) == 4.0
    assert check_pairs(site).differing.empty


def test_a_pair_that_left_the_ledger_leaves_no_row(site: EmbeddedSite, ledger: StockLedger) -> None:
    site.write('DELETE FROM "tabStock Ledger Entry" WHERE item_code = ?', ("bolt",))
    site.commit()
    check_pairs(site)
    assert_follows(site)
    assert not site.read('SELECT name FROM "tabDemand Pair" WHERE item_code = ?', ("bolt",))


def test_a_full_refresh_writes_only_what_differs(site: EmbeddedSite, ledger: StockLedger) -> None:
    result = refresh_demand(site, full=True)
    assert (result.rebuilt, result.pairs, result.buckets_written) == ((COMPANY,), 4, 0)
    site.write('UPDATE "tabDemand Bucket" SET demand_qty = demand_qty + 1 WHERE item_code = ?', ("nut",))
    site.commit()
    refresh_demand(site, full=True)
    assert_follows(site)


def test_changed_demand_rules_rebuild_the_company(site: EmbeddedSite, ledger: StockLedger) -> None:
    issue = ledger.post("bolt", SHOP, date(2026, 5, 15), -6.0, "Stock Entry")
    site.insert_document("Stock Entry", {"name": issue, "purpose": "Material Issue", "docstatus": 1})
    site.commit()
    refresh_demand(site)
    assert demand(site, "bolt", SHOP, date(2026, 5, 15)) == 6.0
    an_hour_later(site)
    rows = [{"company": COMPANY, "enabled": 1, "demand_material_issue": 0}]
    site.update_document("Forecast Settings", "Forecast Settings", {"companies": rows})
    site.commit()
    assert refresh_demand(site).rebuilt == (COMPANY,)
    assert demand(site, "bolt", SHOP, date(2026, 5, 15)) == 0.0
    assert_follows(site)


def test_a_company_that_is_not_planned_has_no_buckets_until_it_is(tmp_path: Path) -> None:
    with demo_site(tmp_path / "two.db", (COMPANY, "Other")) as site:
        site.update_document(
            "Forecast Settings",
            "Forecast Settings",
            {"companies": [{"company": COMPANY, "enabled": 1}, {"company": "Other", "enabled": 0}]},
        )
        StockLedger(site).post("bolt", SHOP, date(2026, 5, 1), 10.0, "Purchase Receipt")
        StockLedger(site, "Other").post("bolt", f"{SHOP} Other", date(2026, 5, 1), 10.0, "Purchase Receipt")
        refresh_demand(site)
        assert set(stored(site)["warehouse"]) == {SHOP}
        rows = [{"company": each, "enabled": 1} for each in (COMPANY, "Other")]
        site.update_document("Forecast Settings", "Forecast Settings", {"companies": rows})
        site.commit()
        an_hour_later(site)
        assert refresh_demand(site).rebuilt == ("Other",)
        assert set(stored(site)["warehouse"]) == {SHOP, f"{SHOP} Other"}


def test_a_company_with_unusable_settings_is_told_and_the_others_go_on(tmp_path: Path) -> None:
    with demo_site(tmp_path / "two.db", (COMPANY, "Other")) as site:
        rows = [{"company": COMPANY, "enabled": 1}, {"company": "Other", "enabled": 1, "service_level_a_pct": 100}]
        site.update_document("Forecast Settings", "Forecast Settings", {"companies": rows})
        StockLedger(site).post("bolt", SHOP, date(2026, 5, 1), 10.0, "Purchase Receipt")
        result = refresh_demand(site)
        assert ["Other" in fault.sentence() for fault in result.faults] == [True]
        assert_follows(site)


def test_an_empty_ledger_makes_no_bucket(site: EmbeddedSite) -> None:
    result = refresh_demand(site)
    assert (result.pairs, result.buckets_written, result.faults) == (0, 0, ())
    assert check_pairs(site).pairs == 0


def test_killed_between_two_pieces_the_next_refresh_goes_on(
    site: EmbeddedSite, ledger: StockLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bucket_rows, "ROWS_PER_PIECE", 1)  # every item is a piece of its own
    an_hour_later(site)
    for item in ("bolt", "nut"):
        ledger.sell(item, SHOP, date(2026, 5, 12), 1.0)

    class Killed(BaseException):
        pass

    def kill(share: float, step: str, /, **values: object) -> None:
        if step == MAKING and marks(site) == 1:
            raise Killed

    with pytest.raises(Killed):
        refresh_demand(site, progress=kill)
    assert marks(site) == 1
    an_hour_later(site)  # past the overlap: only the mark still knows
    refresh_demand(site)
    assert_follows(site)


def test_killed_inside_a_piece_nothing_of_it_is_seen_and_nothing_is_lost(
    site: EmbeddedSite, ledger: StockLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    an_hour_later(site)
    before = stored(site)
    ledger.sell("bolt", SHOP, date(2026, 5, 12), 1.0)
    with monkeypatch.context() as broken:
        broken.setattr(bucket_rows, "_follow_pairs", lambda *ignored: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            refresh_demand(site)
    pd.testing.assert_frame_equal(stored(site), before)
    an_hour_later(site)
    refresh_demand(site)
    assert_follows(site)


def test_two_never_run_at_once(site: EmbeddedSite, ledger: StockLedger) -> None:
    with EmbeddedSite(site.path, now=NOW) as other, other.lock(LOCK) as got:
        assert got
        with pytest.raises(Refused, match="brought up to date by another job"):
            refresh_demand(site, wait_seconds=0.0)
    refresh_demand(site, wait_seconds=0.0)


def test_the_watermark_is_not_ahead_of_the_marks(
    site: EmbeddedSite, ledger: StockLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    an_hour_later(site)
    ledger.sell("bolt", SHOP, date(2026, 5, 12), 1.0)
    with monkeypatch.context() as broken:
        broken.setattr("erp_forecast_addon.services.refresh._remember", lambda *ignored: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            refresh_demand(site)
    assert marks(site) == 0  # undone together with the watermark
    an_hour_later(site, 24)
    refresh_demand(site)
    assert_follows(site)


def test_pieces_cover_every_marked_item_once(site: EmbeddedSite, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = StockLedger(site)
    for number in range(12):
        ledger.post(f"item {number:02d}", SHOP, date(2026, 5, 1), 1.0, "Purchase Receipt")
    changes.mark_companies(site, [COMPANY])
    monkeypatch.setattr(bucket_rows, "ROWS_PER_PIECE", 33)  # a mark and its row count 11
    cut = list(bucket_rows.pieces(site))
    assert [piece.items for piece in cut] == [
        (f"item {first:02d}", f"item {first + 2:02d}") for first in (0, 3, 6, 9)
    ]  # fmt: skip
    assert sum(piece.share for piece in cut) == pytest.approx(1.0)


@pytest.mark.parametrize("seed", range(3))
def test_any_sequence_of_changes_gives_the_numbers_of_a_rebuild(site: EmbeddedSite, seed: int) -> None:
    """Random postings, returns, cancellations and reconciliations, refreshed at random moments in between."""
    rng = np.random.default_rng(seed)
    ledger = StockLedger(site)
    sales: list[tuple[str, str, str, date]] = []
    vouchers: list[str] = []
    for _step in range(45):
        item, house = str(rng.choice(["bolt", "nut", "cog"])), str(rng.choice(WAREHOUSES))
        day = date(2026, 5, 1) + timedelta(days=int(rng.integers(0, 28)))
        action = rng.choice(list(ACTIONS), p=list(ACTIONS.values()))
        if action == "sell":
            voucher = ledger.sell(item, house, day, float(rng.integers(1, 6)))
            sales.append((voucher, item, house, day))
            vouchers.append(voucher)
        elif action == "receive":
            vouchers.append(ledger.post(item, house, day, float(rng.integers(5, 40)), "Purchase Receipt"))
        elif action == "return" and sales:
            voucher, item, house, sold_on = sales[rng.integers(len(sales))]
            later = sold_on + timedelta(days=int(rng.integers(0, 10)))
            vouchers.append(ledger.give_back(item, house, later, 1.0, voucher))
        elif action == "cancel" and vouchers:
            ledger.cancel(vouchers.pop(int(rng.integers(len(vouchers)))))
        elif action == "reconcile":
            vouchers.append(ledger.reconcile(item, house, day, float(rng.integers(0, 50))))
        elif action == "refresh":
            refresh_demand(site)
            assert_follows(site)
            an_hour_later(site)
    refresh_demand(site)
    assert_follows(site)
    assert check_pairs(site).differing.empty
