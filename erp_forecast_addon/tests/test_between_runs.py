"""Between two runs, on a live site: what stock asks for, the look of every hour, and what a user may see of it."""

import frappe
from frappe.tests.utils import FrappeTestCase
from frappe.utils.background_jobs import get_job

from erp_forecast_addon.api.v1 import item as item_api
from erp_forecast_addon.events import schedule
from erp_forecast_addon.tests import site_records as made
from erp_forecast_addon.tests.between_scenarios import BetweenRunsScenarios
from erp_forecast_addon.tests.factories import BenchShop, clear

IGNORE_TEST_RECORD_DEPENDENCIES = ["Company", "Item", "Supplier", "Purchase Order"]
test_ignore = IGNORE_TEST_RECORD_DEPENDENCIES


class TestBetweenRuns(BetweenRunsScenarios, FrappeTestCase):
    def setUp(self) -> None:
        self.shop = BenchShop()

    def tearDown(self) -> None:
        frappe.db.rollback()
        frappe.set_user("Administrator")
        for job_id in (schedule.job_id_of(self.shop.company), schedule.look_id_of(self.shop.company)):
            job = get_job(job_id)
            if job is not None:
                job.delete()
        clear()

    def test_the_hourly_look_runs_the_company_when_an_item_falls_due(self) -> None:
        company = self.shop.company
        self.enough_is_there()
        assert not schedule.run_if_due_job(company, "Administrator"), "nothing has moved"
        self.shop.move("Bolt", -385, 15, self.shop.today)
        assert schedule.run_if_due_job(company, "Administrator")
        frappe.db.commit()
        job = get_job(schedule.job_id_of(company))
        assert job is not None
        assert job.kwargs["kwargs"]["triggered_by"] == "Stock Change"
        schedule.run_company_job(**job.kwargs["kwargs"])
        job.delete()
        assert self.quantities(self.draft())["Bolt"] > 0
        assert frappe.db.exists("Forecast Run", {"company": company, "triggered_by": "Stock Change"})
        assert not schedule.run_if_due_job(company, "Administrator"), "the draft covers it"

    def test_only_companies_that_want_it_are_looked_at(self) -> None:
        company = self.shop.company
        self.shop.settings(run_hour=(frappe.utils.now_datetime().hour + 1) % 24)
        self.enough_is_there()
        schedule.hourly()
        frappe.db.commit()
        assert get_job(schedule.look_id_of(company)) is None
        self.shop.settings(run_when_due=1)
        schedule.hourly()
        frappe.db.commit()
        look = get_job(schedule.look_id_of(company))
        assert frappe.get_attr(look.kwargs["method"]) is schedule.run_if_due_job
        assert look.kwargs["kwargs"] == {"company": company, "user": "Administrator"}

    def test_a_user_sees_it_with_the_right_to_read_proposals(self) -> None:
        self.enough_is_there()
        self.shop.move("Bolt", -385, 15, self.shop.today)
        planner, seller = made.user("looks-at-stock", made.PLANNER, "Stock User"), made.user("only-sells", "Sales User")
        with made.acting_as(planner):
            (line,) = item_api.due_now("Bolt")
        assert (line["warehouse"], line["supplier"]) == (self.shop.warehouse, "Fast Supplies")
        with made.acting_as(seller), self.assertRaises(frappe.PermissionError):
            item_api.due_now("Bolt")
