"""Change sets on a live site: the scenarios with ERPNext's own Items, who may do what, and what ERPNext makes of it."""

from typing import Any

import frappe
from frappe.database import get_db
from frappe.model.workflow import WorkflowTransitionError, apply_workflow
from frappe.utils import add_days, today
from frappe.utils.background_jobs import get_job

from erp_forecast_addon.api.v1 import change_sets as api
from erp_forecast_addon.events import change_sets as jobs
from erp_forecast_addon.services import change_set_work, change_sets
from erp_forecast_addon.setup.names import LEVELS_WORKFLOW
from erp_forecast_addon.setup.patches import level_change_set_approval
from erp_forecast_addon.setup.uninstall import give_values_back
from erp_forecast_addon.tests import factories
from erp_forecast_addon.tests import site_records as made
from erp_forecast_addon.tests.change_set_scenarios import ApplyingScenarios, ChangeSetScenarios, ProposingScenarios

IGNORE_TEST_RECORD_DEPENDENCIES = ["Company", "Item", "Supplier", "Purchase Order"]
test_ignore = IGNORE_TEST_RECORD_DEPENDENCIES

SET, LINE = "Level Change Set", "Level Change"


class ShopTestCase(factories.ShopTestCase):
    def setUp(self) -> None:
        super().setUp()
        forget_job(self.shop.company)
        self.prepare()

    def tearDown(self) -> None:
        super().tearDown()
        forget_job(self.shop.company)


def waits_on_another_connection(statement: str) -> bool:
    """Run it as another process would, with a second's patience for locks; whether it was still waiting then."""
    conf = frappe.conf
    other = get_db(
        host=conf.db_host or "127.0.0.1", user=conf.db_name, password=conf.db_password, port=conf.db_port,
        cur_db_name=conf.db_name,
    )  # fmt: skip
    try:
        other.sql("set innodb_lock_wait_timeout = 1")
        other.sql(statement)
        other.commit()
    except frappe.QueryTimeoutError:
        return True
    finally:
        other.close()
    return False


def forget_job(company: str) -> None:
    """No worker runs beside the tests: what they queued would be found by a later one."""
    job = get_job(jobs.job_id_of(company))
    if job:
        job.delete()


class TestProposing(ProposingScenarios, ShopTestCase):
    pass


class TestApplying(ApplyingScenarios, ShopTestCase):
    def test_a_form_that_was_opened_before_is_not_saved_over_what_was_written(self) -> None:
        form = frappe.get_doc("Item", "Bolt")
        self.applied()
        with self.assertRaises(frappe.TimestampMismatchError):
            form.save()

    def test_an_item_with_written_levels_is_saved_as_before(self) -> None:
        self.applied()
        for item_code in ("Bolt", "Gear"):
            frappe.get_doc("Item", item_code).save()
        assert (self.levels("Bolt"), self.levels("Gear")) == ((13, 18), (7, 2))
        assert [row.idx for row in frappe.get_doc("Item", "Gear").reorder_levels] == [1]

    def test_erpnexts_own_job_orders_by_the_written_levels(self) -> None:
        from erpnext.stock.reorder_item import _reorder_item

        bin_of_bolt = {"item_code": "Bolt", "warehouse": self.shop.warehouse}
        frappe.db.set_value("Bin", bin_of_bolt, "projected_qty", 12)
        _reorder_item()
        assert frappe.get_all("Material Request Item", filters=bin_of_bolt) == []
        frappe.db.rollback()  # what it ordered of other items must not be committed with the levels
        self.applied()
        frappe.db.set_value("Bin", bin_of_bolt, "projected_qty", 12)
        _reorder_item()
        assert frappe.get_all("Material Request Item", filters=bin_of_bolt, pluck="qty") == [18]

    def test_an_item_cannot_be_saved_between_the_look_and_the_write(self) -> None:
        name = self.proposed()
        change_sets.approve(self.shop.site, name)
        write, waited = self.shop.site.upsert_rows, []

        def tries_to_save(doctype: str, *args: Any) -> int:
            waited.append(waits_on_another_connection("update `tabItem` set modified = now() where name = 'Bolt'"))
            return write(doctype, *args)

        self.shop.site.upsert_rows = tries_to_save
        try:
            change_set_work.work(self.shop.site, name)
        finally:
            del self.shop.site.upsert_rows
        assert waited == [True]
        assert waits_on_another_connection("update `tabItem` set modified = now() where name = 'Bolt'") is False

    def test_uninstalling_gives_back_what_sets_wrote(self) -> None:
        self.shop.settings(write_back_safety_stock=1)
        self.applied()
        self.publish({"Bolt": (30, 60), "Nut": (9, 12), "Gear": (17, 29)}, safety_stock=8)
        self.applied()
        self.person_sets("Nut", (66, 6))
        give_values_back()
        assert [self.levels(code) for code in ("Bolt", "Nut", "Gear")] == [(10, 20), (66, 6), None]
        assert [frappe.db.get_value("Item", code, "safety_stock") for code in ("Bolt", "Nut", "Gear")] == [0, 0, 0]

    def test_the_patch_for_older_sites_can_run_twice(self) -> None:
        frappe.delete_doc("Workflow", LEVELS_WORKFLOW)
        for _twice in range(2):
            level_change_set_approval.execute()
        assert frappe.get_doc("Workflow", LEVELS_WORKFLOW).is_active

    def test_renamed_and_deleted_items(self) -> None:
        factories.take_away("Item", "Bolt M8")  # of a run of the tests that was killed
        name = self.proposed()
        made.rename("Item", "Bolt", "Bolt M8")
        frappe.db.delete("Bin", {"item_code": "Nut"})
        frappe.delete_doc("Item", "Nut")
        try:
            assert set(self.lines(name)) == {"Bolt M8", "Gear"}
            assert self.apply(name).status == "Applied"
            assert self.levels("Bolt M8") == (13, 18)
        finally:
            made.rename("Item", "Bolt M8", "Bolt")
            frappe.db.commit()


class TestDecisions(ChangeSetScenarios, ShopTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.approver = made.user("approver", made.APPROVER)
        self.planner = made.user("planner", made.PLANNER)
        self.name = self.proposed()
        frappe.db.commit()

    def doc(self) -> frappe.model.document.Document:
        return frappe.get_doc(SET, self.name)

    def status(self) -> str:
        return frappe.db.get_value(SET, self.name, "status")

    def line(self, item_code: str) -> str:
        return self.lines(self.name)[item_code]["name"]

    def test_an_approver_approves_by_the_workflow_and_a_job_is_queued_for_it(self) -> None:
        assert frappe.db.get_value("Workflow", LEVELS_WORKFLOW, "is_active") == 1
        with made.acting_as(self.approver):
            apply_workflow(self.doc(), "Approve")
        record = self.record(self.name)
        assert (record["status"], record["decided_by"]) == ("Approved", self.approver)
        assert [jobs.work_job(self.name, self.approver) for _twice in range(2)] == ["Applied", "Applied"]
        assert self.levels("Bolt") == (13, 18)
        frappe.set_user("Administrator")

    def test_a_planner_may_not_decide_by_no_door(self) -> None:
        with made.acting_as(self.planner):
            with self.assertRaises((WorkflowTransitionError, frappe.PermissionError)):
                apply_workflow(self.doc(), "Approve")
            for decide in (
                lambda: api.approve(self.name), lambda: api.reject(self.name, "No"),
                lambda: api.roll_back(self.name), lambda: api.resume(self.name),
            ):  # fmt: skip
                with self.assertRaises(frappe.PermissionError):
                    decide()
            doc = self.doc()
            doc.status = "Approved"
            with self.assertRaises(frappe.PermissionError):
                doc.save()
        assert self.status() == "Proposed"

    def test_without_the_workflow_the_rights_are_the_same(self) -> None:
        frappe.db.set_value("Workflow", LEVELS_WORKFLOW, "is_active", 0)
        frappe.cache.delete_value("workflow")
        try:
            with made.acting_as(self.planner), self.assertRaises(frappe.PermissionError):
                api.approve(self.name)
            with made.acting_as(self.approver):
                assert api.approve(self.name)["status"] == "Approved"
        finally:
            frappe.db.set_value("Workflow", LEVELS_WORKFLOW, "is_active", 1)
            frappe.cache.delete_value("workflow")

    def test_nobody_moves_the_state_or_the_figures_by_hand(self) -> None:
        frappe.db.set_value("Workflow", LEVELS_WORKFLOW, "is_active", 0)
        frappe.cache.delete_value("workflow")
        try:
            with made.acting_as(self.approver):
                for values in ({"status": "Applied"}, {"cash_effect": 1}, {"company": made.company()}):
                    doc = self.doc()
                    doc.update(values)
                    with self.assertRaises(frappe.ValidationError):
                        doc.save()
                line = frappe.get_doc(LINE, self.line("Bolt"))
                line.new_level = 1
                with self.assertRaises(frappe.PermissionError):
                    line.save()
        finally:
            frappe.db.set_value("Workflow", LEVELS_WORKFLOW, "is_active", 1)
            frappe.cache.delete_value("workflow")
        with self.assertRaises(frappe.ValidationError):
            frappe.get_doc(LINE, self.line("Bolt")).save()
        with self.assertRaises(frappe.ValidationError):
            frappe.get_doc({"doctype": SET, "company": self.shop.company}).insert()

    def test_a_planner_reviews_and_an_approver_approves_what_is_left(self) -> None:
        with made.acting_as(self.planner):
            api.review([self.line("Nut")], "exclude", "Runs out")
            api.review(frappe.as_json([self.line("Bolt")]), "edit", "Fair in May", "40", "25")
        assert self.lines(self.name)["Bolt"]["reviewed_by"] == self.planner
        with made.acting_as(self.approver):
            api.approve(self.name)
        change_set_work.work(self.shop.site, self.name)
        assert [self.levels(code) for code in ("Bolt", "Nut")] == [(40, 25), (5, 5)]

    def test_who_is_neither_planner_nor_approver_reviews_nothing(self) -> None:
        buyer = made.user("buyer", "Purchase Manager")
        with made.acting_as(buyer):
            assert api.lines(self.name)["lines"]
            with self.assertRaises(frappe.PermissionError):
                api.review([self.line("Nut")], "exclude", "x")

    def test_another_companys_user_sees_and_decides_nothing(self) -> None:
        made.user("elsewhere", made.APPROVER, made.PLANNER)
        elsewhere = made.user("elsewhere", made.APPROVER, made.PLANNER)
        made.limit(elsewhere, Company=made.company())
        line = self.line("Bolt")
        with made.acting_as(elsewhere):
            assert frappe.get_list(SET, filters={"name": self.name}) == []
            assert frappe.get_list(LINE, filters={"change_set": self.name}) == []
            for forbidden in (
                lambda: api.approve(self.name), lambda: api.roll_back(self.name), lambda: api.status(self.name),
                lambda: api.overview(self.name), lambda: api.lines(self.name),
                lambda: api.review([line], "exclude", "x"),
            ):  # fmt: skip
                with self.assertRaises(frappe.PermissionError):
                    forbidden()

    def test_a_set_with_lines_of_other_warehouses_is_hidden_as_a_whole(self) -> None:
        other = frappe.get_all("Warehouse", filters={"company": self.shop.company, "is_group": 0,
                                                     "name": ("!=", self.shop.warehouse)}, pluck="name")[0]  # fmt: skip
        keeper = made.user("keeper", made.APPROVER, made.PLANNER)
        made.limit(keeper, Warehouse=other)
        with made.acting_as(keeper):
            assert frappe.get_list(SET, filters={"name": self.name}) == []
            assert frappe.get_list(LINE, filters={"change_set": self.name}) == []
            with self.assertRaises(frappe.PermissionError):
                api.approve(self.name)
        owner = made.user("owner", made.APPROVER)
        made.limit(owner, Warehouse=self.shop.warehouse)
        with made.acting_as(owner):
            assert frappe.get_list(SET, filters={"name": self.name}, pluck="name") == [self.name]
            assert api.approve(self.name)["status"] == "Approved"

    def test_pages_views_and_search(self) -> None:
        page = api.lines(self.name)
        assert [line.item_code for line in page["lines"]] == ["Gear", "Bolt", "Nut"]
        assert [line.item_code for line in api.lines(self.name, view="lowered")["lines"]] == ["Nut"]
        assert [line.item_code for line in api.lines(self.name, search="olt")["lines"]] == ["Bolt"]
        assert api.lines(self.name, start=2)["more"] is False
        with self.assertRaises(frappe.ValidationError):
            api.lines(self.name, view="x")
        sums = api.overview(self.name)
        assert sums["views"]["all"] == 3
        assert sums["by_class"] == [
            {"label": "A", "changes": 3, "cash_up": 36.0, "cash_down": 4.0, "cash_effect": 32.0}
        ]
        assert api.status(self.name)["status"] == "Proposed"

    def test_rejecting_takes_a_reason(self) -> None:
        with made.acting_as(self.approver):
            with self.assertRaises(frappe.ValidationError):
                api.reject(self.name, "")
            api.reject(self.name, "Stock take first", add_days(today(), 5))
        assert (self.status(), self.doc().rejection_reason) == ("Rejected", "Stock take first")

    def test_one_click_rolls_back_by_a_job(self) -> None:
        self.apply(self.name)
        with made.acting_as(self.approver):
            assert api.roll_back(self.name)["status"] == "Rolling Back"
            with self.assertRaises(frappe.ValidationError):
                api.approve(self.name)
        assert jobs.work_job(self.name, self.approver) == "Rolled Back"
        frappe.set_user("Administrator")
        assert self.levels("Bolt") == (10, 20)
        assert self.record(self.name)["rolled_back_by"] == self.approver

    def test_a_set_whose_worker_was_lost_is_found_and_one_that_failed_waits_for_a_person(self) -> None:
        assert self.name not in [each.name for each in jobs.lost_sets()]
        change_sets.approve(self.shop.site, self.name)
        forget_job(self.shop.company)
        assert self.name in [each.name for each in jobs.lost_sets()]
        frappe.db.set_value(SET, self.name, "error", "The disk is full")
        assert self.name not in [each.name for each in jobs.lost_sets()]
        with made.acting_as(self.approver):
            assert api.resume(self.name) is True

    def test_at_work_it_cannot_be_deleted_and_old_sets_are_cleared_with_their_lines(self) -> None:
        change_sets.approve(self.shop.site, self.name)
        with self.assertRaises(frappe.ValidationError):
            frappe.delete_doc(SET, self.name)
        change_set_work.work(self.shop.site, self.name)
        frappe.db.set_value(SET, self.name, "creation", "2020-01-01", update_modified=False)
        frappe.get_doc(SET, self.name).clear_old_logs(365)
        assert not frappe.db.exists(SET, self.name)
        assert not frappe.db.count(LINE, {"change_set": self.name})
        assert len(self.backups()) == 3
