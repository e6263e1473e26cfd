"""API methods as a user of company A with one warehouse, as a stranger, and as it should be."""

import inspect
from importlib import import_module
from pkgutil import iter_modules

import frappe

from erp_forecast_addon.api import v1
from erp_forecast_addon.api.v1 import exception, orders, run, settings
from erp_forecast_addon.events import schedule
from erp_forecast_addon.tests import site_records as made
from erp_forecast_addon.tests.test_permissions import LimitedUserTestCase

READS_ONLY = {
    "run.status",
    "settings.company_settings",
    "item.view",
    "cards.below_reorder_point",
    "cards.amount_waiting",
}


class TestEveryMethod(made.SiteTestCase):
    def test_is_annotated_and_writes_by_post_only(self) -> None:
        found = 0
        for module in iter_modules(v1.__path__):
            loaded = import_module(f"{v1.__name__}.{module.name}")
            for name, method in inspect.getmembers(loaded, inspect.isfunction):
                if method not in frappe.whitelisted or method.__module__ != loaded.__name__:
                    continue
                found += 1
                signature = inspect.signature(method)
                missing = [p for p in signature.parameters.values() if p.annotation is inspect.Parameter.empty]
                assert not missing, f"{module.name}.{name}"
                assert signature.return_annotation is not inspect.Signature.empty, f"{module.name}.{name}"
                assert method not in frappe.guest_methods
                if f"{module.name}.{name}" not in READS_ONLY:
                    assert frappe.allowed_http_methods_for_whitelisted_func[method] == ["POST"], f"{module.name}.{name}"
        assert found >= 6


class TestOrders(LimitedUserTestCase):
    def test_an_approver_decides_on_what_he_sees(self) -> None:
        with made.acting_as(self.email):
            told = orders.approve(self.own_order.name)
        assert told == {
            "name": self.own_order.name,
            "status": "Approved",
            "purchase_order": self.own_order.purchase_order,
        }
        assert made.docstatus_of(self.own_order.purchase_order) == 1

    def test_and_on_nothing_else(self) -> None:
        for record in (self.mixed_order, self.foreign_order):
            for act in (orders.approve, lambda name: orders.reject(name, "No")):
                with made.acting_as(self.email), self.assertRaises(frappe.PermissionError):
                    act(record.name)
            assert made.status_of(record) == "Proposed"
            assert made.docstatus_of(record.purchase_order) == 0

    def test_a_planner_does_not_decide(self) -> None:
        with made.acting_as(made.user("only_planner", made.PLANNER)), self.assertRaises(frappe.PermissionError):
            orders.approve(self.own_order.name)

    def test_rejecting_takes_a_reason_and_a_day(self) -> None:
        until = frappe.utils.add_days(frappe.utils.today(), 30)
        with made.acting_as(self.email), self.assertRaisesRegex(frappe.ValidationError, "Say why"):
            orders.reject(self.own_order.name, "  ")
        with made.acting_as(self.email):
            assert orders.reject(self.own_order.name, "Too early", until)["status"] == "Rejected"
        assert str(frappe.db.get_value("Auto Purchase Order", self.own_order.name, "rejected_until")) == until
        with made.acting_as(self.email), self.assertRaisesRegex(frappe.ValidationError, "Rejected already"):
            orders.approve(self.own_order.name)

    def test_with_the_workflow_switched_off_too(self) -> None:
        frappe.db.set_value("Workflow", "Auto Purchase Order Approval", "is_active", 0)
        frappe.cache.delete_value("workflow")
        with made.acting_as(self.email):
            assert orders.approve(self.own_order.name)["status"] == "Approved"


class TestExceptions(LimitedUserTestCase):
    def test_many_at_once_or_none(self) -> None:
        mine = sorted(self.visible["Planning Exception"])
        theirs = sorted(self.hidden["Planning Exception"])
        with made.acting_as(self.email):
            assert exception.update(mine, "In Progress") == len(mine)
            with self.assertRaises(frappe.PermissionError):
                exception.update(theirs[:1], "Resolved")
        assert {frappe.db.get_value("Planning Exception", name, "status") for name in mine} == {"In Progress"}
        assert frappe.db.get_value("Planning Exception", theirs[0], "status") == "Open"


class TestRuns(LimitedUserTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.addCleanup(frappe.db.after_commit.reset)

    def test_a_planner_starts_a_run_of_his_company(self) -> None:
        with made.acting_as(self.email):
            name = run.start_run(self.a)
            told = run.status(name)
        assert (told["status"], told["company"], told["run_by"]) == ("Queued", self.a, self.email)
        assert told["triggered_by"] == "Button"

    def test_and_of_no_other(self) -> None:
        (foreign,) = self.hidden["Forecast Run"]
        with made.acting_as(self.email):
            for call in (lambda: run.start_run(self.b), lambda: run.start_run("Nowhere"), lambda: run.status(foreign)):
                with self.assertRaises(frappe.PermissionError):
                    call()

    def test_a_stranger_starts_nothing(self) -> None:
        with made.acting_as(made.user("clerk", "Sales User")), self.assertRaises(frappe.PermissionError):
            run.start_run(self.a)


class TestSettings(LimitedUserTestCase):
    def test_a_limited_user_reads_his_companys_row(self) -> None:
        with made.acting_as(self.email):
            told = settings.company_settings(self.a)
            assert told["company"] == self.a
            assert "service_level_a_pct" in told
            with self.assertRaises(frappe.PermissionError):
                settings.company_settings(self.b)

    def test_and_no_other_by_any_other_way(self) -> None:
        with made.acting_as(self.email):
            assert not frappe.has_permission("Forecast Settings", "read", doc="Forecast Settings")
            rows = frappe.get_list(
                "Forecast Company Settings",
                pluck="company",
                parent_doctype="Forecast Settings",
                order_by="idx",
                limit=0,
            )
        assert set(rows) == {self.a}

    def test_values_that_cannot_be_planned_with_are_refused_with_a_sentence(self) -> None:
        for values, sentence in (
            ({"service_level_a_pct": 100}, "100.0?%. It must lie above 0 and below"),
            ({"service_level_c_pct": 0}, "class C is 0.0?%"),
            ({"run_hour": 24}, "not an hour from 0 to 23"),
            ({"run_hour": -1}, "not an hour from 0 to 23"),
            ({"horizon_days": 0}, "must be at least 1"),
            ({"history_days": -5}, "must be at least 1"),
            ({"default_lead_time_days": -1}, "must be at least 0"),
            ({"max_exceptions": 0}, "must be at least 1"),
            ({"abc_a_pct": 95, "abc_b_pct": 80}, "they must rise"),
        ):
            with self.subTest(values), self.assertRaisesRegex(frappe.ValidationError, sentence):
                made.settings_row(**values)

    def test_a_company_stands_there_once(self) -> None:
        doc = frappe.get_doc("Forecast Settings")
        doc.append("companies", {"company": self.a})
        with self.assertRaisesRegex(frappe.ValidationError, "more than one row"):
            doc.save()

    def test_a_new_company_is_planned_but_writes_nothing(self) -> None:
        row = settings.company_settings(self.b)
        assert (row["enabled"], row["who_orders"], row["draft_orders"]) == (1, "ERPNext", 0)
        assert (row["write_back_levels"], row["write_back_safety_stock"], row["auto_approve_limit"]) == (0, 0, 0)


class TestSchedule(LimitedUserTestCase):
    """Which companies are due at an hour of the day, in site time."""

    def due(self, hour: int) -> set[str]:
        now = frappe.utils.now_datetime().replace(hour=hour, minute=7)
        return set(schedule.companies_due(now)) & {self.a, self.b}

    def test_each_at_its_hour_and_late_rather_than_never(self) -> None:
        made.settings_row(self.a, run_hour=2)
        made.settings_row(self.b, run_hour=22)
        assert [self.due(hour) for hour in (1, 2, 9, 22)] == [set(), {self.a}, {self.a}, {self.a, self.b}]

    def test_not_if_switched_off(self) -> None:
        made.settings_row(self.a, run_hour=2, enabled=0)
        made.settings_row(self.b, run_hour=2)
        assert self.due(5) == {self.b}

    def test_once_a_day_unless_interrupted(self) -> None:
        made.settings_row(self.a, run_hour=0)
        made.settings_row(self.b, run_hour=0)
        self.scheduled(self.a, "Completed")
        self.scheduled(self.b, "Interrupted")
        assert self.due(frappe.utils.now_datetime().hour) == {self.b}

    def test_a_killed_run_and_a_lost_one_are_started_again_the_same_day(self) -> None:
        made.settings_row(self.a, run_hour=0)
        made.settings_row(self.b, run_hour=0)
        killed, lost = self.scheduled(self.a, "Running"), self.scheduled(self.b, "Queued")
        hours_ago = frappe.utils.add_to_date(frappe.utils.now_datetime(), hours=-2)
        frappe.db.set_value("Forecast Run", lost, "creation", hours_ago, update_modified=False)
        schedule.close_lost_runs(made.UncommittedSite())
        for name in (killed, lost):
            status, error = frappe.db.get_value("Forecast Run", name, ["status", "error"])
            assert status == "Interrupted"
            assert "next run" in error
        assert self.due(23) == {self.a, self.b}

    def scheduled(self, owner: str, status: str) -> str:
        doc = {"doctype": "Forecast Run", "company": owner, "status": status, "triggered_by": "Scheduler"}
        return frappe.get_doc(doc).insert(ignore_permissions=True).name
