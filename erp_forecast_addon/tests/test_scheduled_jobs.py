"""What the scheduler and the button start, on a live site: the job in the queue, locks that others hold, the nightly
comparison. These tests commit, as jobs do, and take away what they made.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from unittest.mock import patch

import frappe
import pandas as pd
from frappe.utils import format_datetime, now_datetime
from frappe.utils.background_jobs import get_job, get_queue

from erp_forecast_addon.api.v1 import run as run_api
from erp_forecast_addon.events import schedule
from erp_forecast_addon.events.stock import compare_nightly
from erp_forecast_addon.planning.errors import Busy
from erp_forecast_addon.services import run as runs
from erp_forecast_addon.services.changes import OVERLAP
from erp_forecast_addon.services.refresh import LOCK, refresh_demand
from erp_forecast_addon.services.run import lock_name
from erp_forecast_addon.site.frappe_site import FrappeSite
from erp_forecast_addon.tests import factories
from erp_forecast_addon.tests import site_records as made

IGNORE_TEST_RECORD_DEPENDENCIES = ["Company", "Item", "Supplier", "Purchase Order"]
test_ignore = IGNORE_TEST_RECORD_DEPENDENCIES


class ShopTestCase(factories.ShopTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.company = self.shop.company
        self.take_out_of_queue()

    def tearDown(self) -> None:
        super().tearDown()
        self.take_out_of_queue()

    def take_out_of_queue(self) -> None:
        for job_id in (schedule.job_id_of(self.company), schedule.look_id_of(self.company)):
            job = get_job(job_id)
            if job is not None:
                job.delete()

    @contextmanager
    def held_elsewhere(self, lock: str) -> Iterator[None]:
        """Another connection holds the lock."""
        held, done = threading.Event(), threading.Event()

        def hold(site_name: str) -> None:
            frappe.init(site_name)
            frappe.connect()
            try:
                with FrappeSite().lock(lock):
                    held.set()
                    done.wait(60)
            finally:
                frappe.destroy()

        other = threading.Thread(target=hold, args=(frappe.local.site,))
        other.start()
        try:
            assert held.wait(20)
            yield
        finally:
            done.set()
            other.join(20)

    def run_record(self, **values: object) -> str:
        doc = {"doctype": "Forecast Run", "company": self.company, "triggered_by": "Command", **values}
        name = frappe.get_doc(doc).insert(ignore_permissions=True).name
        frappe.db.commit()
        return name


class TestQueue(ShopTestCase):
    def test_the_hourly_check_queues_a_long_job_with_its_own_timeout(self) -> None:
        self.shop.settings(enabled=1, run_hour=now_datetime().hour)
        long_ago = {"creation": "2020-01-01"}
        frappe.db.set_value("Forecast Company Settings", {"company": self.company}, long_ago, update_modified=False)
        frappe.db.commit()
        with self.alone_due():
            schedule.hourly()
        assert get_job(schedule.job_id_of(self.company)) is None, "nothing is queued before the commit"
        frappe.db.commit()
        job = get_job(schedule.job_id_of(self.company))
        assert job is not None
        assert job.id in get_queue("long").job_ids
        assert job.timeout == schedule.TIMEOUT_SECONDS
        assert job.kwargs["site"] == frappe.local.site
        assert frappe.get_attr(job.kwargs["method"]) is schedule.run_company_job
        wanted = {"company": self.company, "triggered_by": "Scheduler", "user": "Administrator", "run": None}
        assert job.kwargs["kwargs"] == wanted

    def test_companies_that_want_it_are_looked_at_every_hour(self) -> None:
        self.shop.settings(enabled=1, run_hour=(now_datetime().hour + 1) % 24)
        for wanted in (0, 1):
            self.shop.settings(run_when_due=wanted)
            with self.alone_due():
                schedule.hourly()
            frappe.db.commit()
            look = get_job(schedule.look_id_of(self.company))
            assert (look is not None) == bool(wanted)
        assert frappe.get_attr(look.kwargs["method"]) is schedule.run_if_due_job
        assert look.kwargs["kwargs"] == {"company": self.company, "user": "Administrator"}

    @contextmanager
    def alone_due(self) -> Iterator[None]:
        """No other company is due meanwhile, so that no job of theirs is left in the queue."""
        others = [name for name in schedule.companies_due(now_datetime()) if name != self.company]
        rows = {"company": ("in", others)}
        frappe.db.set_value("Forecast Company Settings", rows, "enabled", 0, update_modified=False)
        try:
            yield
        finally:
            frappe.db.set_value("Forecast Company Settings", rows, "enabled", 1, update_modified=False)

    def test_a_second_press_is_refused_with_who_and_since_when(self) -> None:
        first = run_api.start_run(self.company)
        frappe.db.commit()
        since = format_datetime(frappe.db.get_value("Forecast Run", first, "creation"))
        with self.assertRaises(frappe.ValidationError) as caught:
            run_api.start_run(self.company)
        for part in (self.company, first, "Queued", "started by Administrator", since):
            assert part in str(caught.exception)

    def test_a_run_of_the_command_line_is_seen_at_the_press(self) -> None:
        email = made.user("at_the_console", made.PLANNER)
        started_at = now_datetime()
        running = self.run_record(status="Running", run_by=email, started_at=started_at)
        with self.held_elsewhere(lock_name(self.company)):
            with self.assertRaises(frappe.ValidationError) as caught:
                run_api.start_run(self.company)
            for part in (running, "Running", f"started by {email}", format_datetime(started_at)):
                assert part in str(caught.exception)
            assert get_job(schedule.job_id_of(self.company)) is None
        assert frappe.db.count("Forecast Run", {"company": self.company}) == 1
        assert run_api.start_run(self.company), "a record of a killed run without its lock keeps nobody waiting"

    def test_a_run_that_only_holds_its_lock_yet_is_seen_too(self) -> None:
        with (
            self.held_elsewhere(lock_name(self.company)),
            self.assertRaisesRegex(frappe.ValidationError, "starting or waiting"),
        ):
            run_api.start_run(self.company)


class TestHeldUp(ShopTestCase):
    """A scheduled run that meets another job is tried again; one that breaks is not."""

    def setUp(self) -> None:
        super().setUp()
        self.shop.stocked_item("Bolt")
        self.shop.settings(run_hour=0)
        long_ago = {"creation": "2020-01-01"}
        frappe.db.set_value("Forecast Company Settings", {"company": self.company}, long_ago, update_modified=False)
        frappe.db.commit()

    def is_due(self) -> bool:
        frappe.db.commit()
        return self.company in schedule.companies_due(now_datetime())

    def scheduled(self) -> str:
        return schedule.run_company_job(self.company, "Scheduler", "Administrator")

    def test_by_a_refresh_of_the_buckets(self) -> None:
        at_once = partial(refresh_demand, wait_seconds=0.0)
        with self.held_elsewhere(LOCK), patch.object(runs, "refresh_demand", at_once), self.assertRaises(Busy):
            self.scheduled()
        (run,) = self.shop.rows("Forecast Run", company=self.company)
        assert run["status"] == "Interrupted"
        assert "brought up to date by another job" in run["error"]
        assert self.is_due()
        self.scheduled()
        assert not self.is_due()

    def test_by_another_run_of_the_company(self) -> None:
        with self.held_elsewhere(lock_name(self.company)), self.assertRaisesRegex(Exception, "planned already"):
            self.scheduled()
        assert self.is_due()

    def test_but_not_by_what_is_wrong_with_its_settings(self) -> None:
        frappe.db.set_value("Forecast Company Settings", {"company": self.company}, "service_level_a_pct", 100)
        frappe.db.commit()
        with self.assertRaisesRegex(Exception, "100"):
            self.scheduled()
        assert not self.is_due()


class TestComparison(ShopTestCase):
    def test_ledger_rows_deleted_by_sql_are_found_at_night(self) -> None:
        self.shop.stocked_item("Bolt")
        refresh_demand(self.shop.site)
        before = self.demand()
        (sold,) = frappe.get_all(
            "Stock Ledger Entry",
            filters={"item_code": "Bolt", "warehouse": self.shop.warehouse, "actual_qty": ("<", 0)},
            fields=["name", "actual_qty"],
            order_by="posting_date desc",
            limit=1,
        )
        frappe.db.delete("Stock Ledger Entry", {"name": sold.name})
        self.past_the_overlap()
        refresh_demand(self.shop.site)
        assert self.demand() == before, "no refresh sees a row that is gone"
        self.past_the_overlap()
        compare_nightly()
        frappe.db.commit()
        assert self.demand() == before + sold.actual_qty

    def past_the_overlap(self) -> None:
        """As if the last changes had been taken in long ago."""
        ahead = now_datetime() + OVERLAP + timedelta(minutes=1)
        for field in ("ledger_modified_until", "bin_modified_until"):
            frappe.db.set_single_value("Demand Watermark", field, ahead)
        frappe.db.commit()

    def demand(self) -> float:
        bucket = self.shop.site.qb.DocType("Demand Bucket")
        query = self.shop.site.qb.from_(bucket).select(bucket.demand_qty)
        rows: pd.DataFrame = self.shop.site.fetch(query.where(bucket.item_code == "Bolt"))
        return float(rows["demand_qty"].sum())
