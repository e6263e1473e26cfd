"""Planning Scenarios on a live site: who may see and start them, the job, and that nothing else is written."""

import json
from typing import Any

import frappe
from frappe.utils.background_jobs import get_job

from erp_forecast_addon.api.v1 import scenario as api
from erp_forecast_addon.events.scenario import job_id_of, scenario_job
from erp_forecast_addon.planning.errors import BadInput
from erp_forecast_addon.tests import site_records as made
from erp_forecast_addon.tests.factories import ShopTestCase

IGNORE_TEST_RECORD_DEPENDENCIES = ["Company", "Item", "Supplier", "Purchase Order"]
test_ignore = IGNORE_TEST_RECORD_DEPENDENCIES

SCENARIO = "Planning Scenario"
# What a run or a person writes.
WATCHED = ("Item", "Item Default", "Item Reorder", "Bin", "Purchase Order", "Material Request", "Demand Forecast",
           "Safety Stock Policy", "Auto Purchase Order", "Forecast Run", "Planning Exception", "Level Change Set",
           "Forecast Snapshot", "Supplier Lead Time")  # fmt: skip


def kept(company: str, **values: Any) -> str:
    document = {"doctype": SCENARIO, "company": company, "title": "What if", "demand_pct": 10, **values}
    return frappe.get_doc(document).insert().name


def fingerprints() -> dict[str, str]:
    return {
        doctype: frappe.as_json(frappe.db.sql(f"select * from `tab{doctype}` order by `name`")) for doctype in WATCHED
    }


class TestRights(made.SiteTestCase):
    """A planner of one company, one of a warehouse, and scenarios of two companies."""

    @classmethod
    def make_records(cls) -> None:
        cls.company, cls.other_company = made.company(), made.second_company()
        cls.own, cls.foreign = kept(cls.company), kept(cls.other_company)
        cls.email = made.user("scenarios", made.PLANNER)
        made.limit(cls.email, Company=cls.company)

    def test_a_limited_user_sees_and_starts_those_of_his_company(self) -> None:
        with made.acting_as(self.email):
            assert self.own in frappe.get_list(SCENARIO, pluck="name")
            assert self.foreign not in frappe.get_list(SCENARIO, pluck="name")
            with self.assertRaises(frappe.PermissionError):
                frappe.get_doc(SCENARIO, self.foreign).check_permission("read")
            with self.assertRaises(frappe.PermissionError):
                api.run_scenario(self.foreign)
            with self.assertRaises(frappe.PermissionError):
                kept(self.other_company)

    def test_who_may_not_see_all_warehouses_sees_his_own_only(self) -> None:
        keeper = made.user("keeper", made.PLANNER)
        made.limit(keeper, Warehouse=made.warehouse("Scenario Stores"))
        with made.acting_as(keeper):
            his = kept(self.company)
            assert frappe.get_list(SCENARIO, pluck="name") == [his]
            assert frappe.get_doc(SCENARIO, his).has_permission("write")
            with self.assertRaises(frappe.PermissionError):
                api.run_scenario(self.own)

    def test_who_only_reads_starts_none(self) -> None:
        with made.acting_as(made.user("buyer", "Purchase Manager")):
            assert frappe.get_doc(SCENARIO, self.own).has_permission("read")
            with self.assertRaises(frappe.PermissionError):
                api.run_scenario(self.own)
        with made.acting_as(made.user("clerk", "Sales User")), self.assertRaises(frappe.PermissionError):
            api.run_scenario(self.own)

    def test_a_change_that_makes_no_sense_is_not_saved(self) -> None:
        for values, sentence in (
            ({"demand_pct": -100}, "leaves nothing to plan"),
            ({"supplier_out_weeks": 3}, "Name the supplier"),
            ({"service_level_pct": 100}, "must lie above 0% and below 100%"),
            ({"selling_price_pct": 5, "price_elasticity": 2}, "demand falls when the price rises"),
        ):
            with self.assertRaisesRegex(frappe.ValidationError, sentence):
                kept(self.company, **values)

    def test_another_question_forgets_the_answer(self) -> None:
        doc = frappe.get_doc(SCENARIO, self.own)
        doc.update({"status": "Done", "results_json": "{}", "pairs": 3}).save()
        doc.update({"title": "Another title"}).save()
        assert (doc.status, doc.pairs) == ("Done", 3)
        doc.update({"demand_pct": 20}).save()
        assert (doc.status, doc.pairs, doc.results_json) == ("Draft", None, None)
        doc.update({"status": "Running"}).save()
        doc.demand_pct = 30
        with self.assertRaisesRegex(frappe.ValidationError, "is being worked out"):
            doc.save()


class TestJob(ShopTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.forget_scenarios()
        self.shop.stocked_item("Bolt", "Acme", on_hand=120)
        self.shop.run()

    def tearDown(self) -> None:
        super().tearDown()
        self.forget_scenarios()

    def forget_scenarios(self) -> None:
        for name in frappe.get_all(SCENARIO, filters={"company": self.shop.company}, pluck="name"):
            forget_job(name)
            frappe.delete_doc(SCENARIO, name)
        frappe.db.commit()

    def test_it_is_queued_once_and_the_job_keeps_both_plans_and_writes_nothing_else(self) -> None:
        name = kept(self.shop.company, demand_pct=50)
        frappe.db.commit()
        assert api.run_scenario(name) == name
        frappe.db.commit()
        assert frappe.db.get_value(SCENARIO, name, "status") == "Queued"
        assert get_job(job_id_of(name)) is not None
        with self.assertRaisesRegex(frappe.ValidationError, "worked out already"):
            api.run_scenario(name)
        frappe.db.rollback()
        before = fingerprints()
        scenario_job(name, "Administrator")
        assert fingerprints() == before
        doc = frappe.get_doc(SCENARIO, name)
        assert (doc.status, doc.pairs, doc.progress_pct) == ("Done", 1, 100)
        assert doc.scenario_ordered_value > doc.base_ordered_value > 0
        (row,) = json.loads(doc.results_json)["pairs"]
        assert row["item_code"] == "Bolt"

    def test_some_items_are_forecast_alone_and_a_selling_price_moves_the_margin(self) -> None:
        self.shop.stocked_item("Gear", "Acme", on_hand=120)
        self.shop.run()
        name = kept(self.shop.company, demand_pct=0, item_codes="Bolt", selling_price_pct=10, price_elasticity=-3)
        frappe.db.commit()
        before = fingerprints()
        scenario_job(name, "Administrator")
        assert fingerprints() == before
        doc = frappe.get_doc(SCENARIO, name)
        assert (doc.status, doc.pairs, doc.forecast_pairs) == ("Done", 1, 1)
        assert (doc.use_learned_elasticity, doc.move_open_orders) == (1, 1)
        assert doc.base_margin_value > 0
        assert doc.scenario_margin_value != doc.base_margin_value
        results = json.loads(doc.results_json)
        assert results["pairs"][0]["elasticity"] == -3.0
        assert len(results["assumptions"]) == 2

    def test_a_job_that_cannot_plan_says_why_in_the_record(self) -> None:
        name = kept(self.shop.company, item_codes="Nail")
        frappe.db.commit()
        with self.assertRaises(BadInput):
            scenario_job(name, "Administrator")
        doc = frappe.get_doc(SCENARIO, name)
        assert (doc.status, doc.error) == ("Failed", "These items are not planned: Nail.")


def forget_job(name: str) -> None:
    """No worker runs beside the tests: what they queued would be found by a later one."""
    job = get_job(job_id_of(name))
    if job:
        job.delete()
