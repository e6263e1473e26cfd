"""API methods as a user of company A with one warehouse, as a stranger, and as it should be."""

import inspect
from collections.abc import Callable
from datetime import datetime, timedelta
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType

import frappe

from erp_forecast_addon.api import v1
from erp_forecast_addon.api.v1 import exception, orders, run, settings
from erp_forecast_addon.erp_forecast_addon import dashboard_chart_source
from erp_forecast_addon.events import schedule
from erp_forecast_addon.tests import site_records as made
from erp_forecast_addon.tests.test_permissions import LimitedUserTestCase

READS_ONLY = {
    "change_sets.lines",
    "change_sets.overview",
    "change_sets.status",
    "dispatch.of_order",
    "replay.course",
    "run.status",
    "settings.company_settings",
    "item.view",
    "item.due_now",
    "evidence.lines",
    "evidence.request_lines",
    "exception.overdue_card",
    "exception.waiting",
    "orders.decision_state",
    "item.explain",
    "override.may_approve",
    "cards.below_reorder_point",
    "cards.amount_waiting",
    "proposed_amount_by_supplier.get",
}


class TestEveryMethod(made.SiteTestCase):
    def test_is_annotated_and_writes_by_post_only(self) -> None:
        found = 0
        for loaded in self.modules():
            module = loaded.__name__.rpartition(".")[2]
            for name, method in inspect.getmembers(loaded, inspect.isfunction):
                if method not in frappe.whitelisted or method.__module__ != loaded.__name__:
                    continue
                found += 1
                signature = inspect.signature(method)
                missing = [p for p in signature.parameters.values() if p.annotation is inspect.Parameter.empty]
                assert not missing, f"{module}.{name}"
                assert signature.return_annotation is not inspect.Signature.empty, f"{module}.{name}"
                assert method not in frappe.guest_methods
                if f"{module}.{name}" not in READS_ONLY:
                    assert frappe.allowed_http_methods_for_whitelisted_func[method] == ["POST"], f"{module}.{name}"
        assert found >= 10

    def modules(self) -> list[ModuleType]:
        """Everything that may be called from outside: the versioned API, and the sources of our charts."""
        named = [f"{v1.__name__}.{module.name}" for module in iter_modules(v1.__path__)]
        sources = [module.name for module in iter_modules(dashboard_chart_source.__path__)]
        assert sources
        named += [f"{dashboard_chart_source.__name__}.{name}.{name}" for name in sources]
        return [import_module(name) for name in named]


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

    def test_the_right_is_asked_for_before_anything_else(self) -> None:
        with made.acting_as(made.user("clerk", "Sales User")), self.assertRaises(frappe.PermissionError):
            exception.update("no list", "No Status")

    def test_what_is_no_list_of_names_is_refused_with_a_sentence(self) -> None:
        with made.acting_as(self.email):
            for given in ('"abc"', "abc", "7", '{"name": 1}', "[1, 2]"):
                with self.subTest(given), self.assertRaisesRegex(frappe.ValidationError, "as a list of names"):
                    exception.update(given, "Open")
            (first, *_others) = self.visible["Planning Exception"]
            assert exception.update(frappe.as_json([first, first]), "In Progress") == 1


class TestNamesThatAreNotTheirs(LimitedUserTestCase):
    """A name that does not exist and one that the user may not see are told apart by nobody without the right."""

    def refusal(self, call: Callable[[str], object], name: str) -> str:
        frappe.clear_messages()
        with self.assertRaises(frappe.PermissionError) as caught:
            call(name)
        return str(caught.exception).replace(name, "NAME")

    def test_hidden_and_missing_sound_the_same(self) -> None:
        (hidden_run,) = self.hidden["Forecast Run"]
        hidden_case = sorted(self.hidden["Planning Exception"])[0]
        calls: tuple[tuple[Callable[[str], object], str], ...] = (
            (run.status, hidden_run),
            (orders.approve, self.foreign_order.name),
            (lambda name: orders.reject(name, "No"), self.foreign_order.name),
            (lambda name: exception.update([name], "Resolved"), hidden_case),
        )
        for email in (self.email, made.user("clerk", "Sales User")):
            with made.acting_as(email):
                for call, hidden in calls:
                    assert self.refusal(call, hidden) == self.refusal(call, "no-such-name")


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

    TODAY = datetime(2030, 3, 14)  # far from every run of the site

    def setUp(self) -> None:
        super().setUp()
        for owner in (self.a, self.b):
            made.settings_row(owner, enabled=1)
            self.row_is_of(owner, datetime(2029, 1, 1))

    def row_is_of(self, owner: str, moment: datetime) -> None:
        frappe.db.set_value("Forecast Company Settings", {"company": owner}, "creation", moment, update_modified=False)

    def at(self, hour: int, days: int = 0) -> datetime:
        return self.TODAY + timedelta(days=days, hours=hour, minutes=7)

    def due(self, hour: int, days: int = 0) -> set[str]:
        return set(schedule.companies_due(self.at(hour, days))) & {self.a, self.b}

    def test_each_at_its_hour_and_late_rather_than_never(self) -> None:
        made.settings_row(self.a, run_hour=2)
        made.settings_row(self.b, run_hour=22)
        self.scheduled(self.a, "Completed", self.at(2, days=-1))
        self.scheduled(self.b, "Completed", self.at(22, days=-1))
        assert [self.due(hour) for hour in (1, 2, 9, 22)] == [set(), {self.a}, {self.a}, {self.a, self.b}]

    def test_a_missed_hour_is_caught_up_after_midnight(self) -> None:
        made.settings_row(self.a, run_hour=23)
        self.scheduled(self.a, "Completed", self.at(23, days=-2))
        made.settings_row(self.b, run_hour=23)
        self.scheduled(self.b, "Completed", self.at(23, days=-1))
        assert [self.due(hour) for hour in (0, 5, 22)] == [{self.a}] * 3
        self.scheduled(self.a, "Completed", self.at(0))
        assert [self.due(hour) for hour in (1, 22, 23)] == [set(), set(), {self.a, self.b}]

    def test_a_company_of_this_morning_waits_for_its_hour_and_is_planned_once(self) -> None:
        for owner, hour in ((self.a, 2), (self.b, 22)):
            made.settings_row(owner, run_hour=hour)
            self.row_is_of(owner, self.at(10))
        assert [self.due(hour) for hour in (11, 21, 22)] == [set(), set(), {self.b}]
        self.scheduled(self.b, "Completed", self.at(22))
        assert [self.due(23), self.due(1, days=1), self.due(2, days=1)] == [set(), set(), {self.a}]

    def test_a_row_is_dated_when_it_is_added_and_keeps_its_date(self) -> None:
        frappe.db.delete("Forecast Company Settings", {"company": self.b})
        frappe.clear_document_cache("Forecast Settings", "Forecast Settings")
        began = frappe.utils.now_datetime()
        made.settings_row(self.b, run_hour=3)
        added = self.date_of(self.b)
        assert began <= added <= frappe.utils.now_datetime()
        made.settings_row(self.b, run_hour=4)
        assert self.date_of(self.b) == added
        assert self.date_of(self.a) == datetime(2029, 1, 1)

    def date_of(self, owner: str) -> datetime:
        return frappe.db.get_value("Forecast Company Settings", {"company": owner}, "creation")

    def test_the_longest_due_comes_first(self) -> None:
        made.settings_row(self.a, run_hour=4)
        made.settings_row(self.b, run_hour=23)
        ours = [name for name in schedule.companies_due(self.at(5)) if name in (self.a, self.b)]
        assert ours == [self.b, self.a]

    def test_not_if_switched_off(self) -> None:
        made.settings_row(self.a, run_hour=2, enabled=0)
        made.settings_row(self.b, run_hour=2)
        assert self.due(5) == {self.b}

    def test_once_a_day_unless_interrupted(self) -> None:
        made.settings_row(self.a, run_hour=0)
        made.settings_row(self.b, run_hour=0)
        for status in ("Completed", "Failed", "Running"):
            made_run = self.scheduled(self.a, status, self.at(0))
            self.scheduled(self.b, "Interrupted", self.at(0))
            assert [self.due(1), self.due(23)] == [{self.b}] * 2
            frappe.delete_doc("Forecast Run", made_run, force=True)

    def test_a_run_that_another_job_held_up_is_tried_again_and_one_that_broke_is_not(self) -> None:
        made.settings_row(self.a, run_hour=0)
        made.settings_row(self.b, run_hour=0)
        for owner, error in ((self.a, "held up"), (self.b, "broken")):
            name = self.scheduled(owner, "Failed", self.at(0))
            frappe.db.set_value("Forecast Run", name, "error", error)
            schedule.leave_to_next_check(owner, "held up")
        assert self.due(1) == {self.a}

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

    def scheduled(self, owner: str, status: str, created: datetime | None = None) -> str:
        doc = {"doctype": "Forecast Run", "company": owner, "status": status, "triggered_by": "Scheduler"}
        name = frappe.get_doc(doc).insert(ignore_permissions=True).name
        if created:
            frappe.db.set_value("Forecast Run", name, "creation", created, update_modified=False)
        return name
