"""The exception queue on a live site: rules at install, owners with their ToDos, bulk actions, rights, counts."""

from typing import Any

import frappe
from frappe.utils import add_days, add_to_date, now_datetime, today

from erp_forecast_addon.api.v1 import exception
from erp_forecast_addon.planning.errors import FAULT_KINDS, Fault
from erp_forecast_addon.planning.messages import Day
from erp_forecast_addon.services import exception_rules
from erp_forecast_addon.services.exceptions import publish_faults
from erp_forecast_addon.setup.exception_rules import ROW, ensure_exception_rules
from erp_forecast_addon.site import reads
from erp_forecast_addon.tests import site_records as made

IGNORE_TEST_RECORD_DEPENDENCIES = ["Company", "Item"]
test_ignore = IGNORE_TEST_RECORD_DEPENDENCIES

_CASE = "Planning Exception"


def todos(name: str) -> list[tuple[str, str]]:
    about = {"reference_type": _CASE, "reference_name": name}
    rows = frappe.get_all("ToDo", filters=about, fields=["allocated_to", "status"], order_by="creation asc, name asc")
    return [(row.allocated_to, row.status) for row in rows]


class TestRules(made.SiteTestCase):
    def test_every_kind_has_its_row_once_and_what_a_manager_set_stays(self) -> None:
        ensure_exception_rules()
        rows = {"parent": "Forecast Settings", "company": ("is", "not set")}
        kinds = frappe.get_all(ROW, filters=rows, pluck="exception_type")
        assert sorted(kinds) == sorted(FAULT_KINDS)
        frappe.db.set_value(ROW, {**rows, "exception_type": "Price Jump"}, {"severity": "Low", "money_from": 70})
        frappe.db.delete(ROW, {**rows, "exception_type": "Late Supply"})
        ensure_exception_rules()
        assert frappe.db.count(ROW, rows) == len(FAULT_KINDS)
        rules = exception_rules.rules_of(made.UncommittedSite(), made.company())
        assert (rules["Price Jump"].severity, rules["Price Jump"].money_from) == ("Low", 70)
        assert rules["Late Supply"] == exception_rules.DEFAULT_RULES["Late Supply"]

    def test_the_settings_can_be_saved_with_their_rules_and_a_companys_own(self) -> None:
        ensure_exception_rules()
        settings = frappe.get_doc("Forecast Settings")
        settings.append("exception_rules", {
            "company": made.company(), "exception_type": "Outlier", "raised": 0, "severity": "Low",
        })  # fmt: skip
        settings.save()
        site = made.UncommittedSite()
        assert not exception_rules.rules_of(site, made.company())["Outlier"].raised
        assert exception_rules.rules_of(site, made.second_company())["Outlier"].raised

    def test_the_same_rule_twice_is_refused(self) -> None:
        ensure_exception_rules()
        settings = frappe.get_doc("Forecast Settings")
        for _twice in range(2):
            settings.append("exception_rules", {
                "company": made.company(), "exception_type": "Outlier", "severity": "Low",
            })  # fmt: skip
        with self.assertRaisesRegex(frappe.ValidationError, "more than one rule for Outlier exceptions"):
            settings.save()
        settings.reload()
        settings.append("exception_rules", {
            "company": made.company(), "exception_type": "Outlier", "severity": "Low", "owner_by": "User",
        })  # fmt: skip
        with self.assertRaisesRegex(frappe.ValidationError, "does not name the user"):
            settings.save()


class TestPublished(made.SiteTestCase):
    def publish(self, *faults: Fault) -> Any:
        site = made.UncommittedSite()
        settings = reads.company_settings(site, made.company())
        return publish_faults(site, None, made.company(), settings, faults, site.as_of())

    def the_case(self) -> Any:
        (name,) = frappe.get_all(_CASE, filters={"item_code": "FC-Queue", "company": made.company()}, pluck="name")
        return frappe.get_doc(_CASE, name)

    def test_a_case_stays_the_same_when_its_days_are_written_otherwise(self) -> None:
        fault = Fault("Negative Stock", "Since {day}.", {"day": Day("2026-11-20")}, item_code=made.item("FC-Queue"))
        names = []
        for date_format, shown in (("dd.mm.yyyy", "20.11.2026"), ("yyyy-mm-dd", "2026-11-20")):
            frappe.db.set_default("date_format", date_format)
            frappe.local.user_date_format = None  # kept for a request
            self.publish(fault)
            case = self.the_case()
            assert case.message == f"Since {shown}."
            names.append((case.name, case.identity, case.status))
        assert names[0] == names[1]

    def test_a_case_is_given_to_the_items_planner_with_a_todo_until_it_is_over(self) -> None:
        planner = made.user("queue-planner", made.PLANNER)
        item = made.item("FC-Queue")
        frappe.db.set_value("Item", item, "forecast_planner", planner)
        fault = Fault("Negative Stock", "It is {x}.", {"x": 1}, item_code=item, money_at_risk=50.0)
        self.publish(fault)
        case = self.the_case()
        assert (case.responsible, case.status, case.severity) == (planner, "Open", "Medium")
        assert case.due_at > now_datetime()
        assert todos(case.name) == [(planner, "Open")]
        self.publish()
        case = self.the_case()
        assert (case.status, bool(case.closed_at)) == ("Resolved", True)
        assert case.note.startswith("Closed by the run of")
        assert todos(case.name) == [(planner, "Closed")]
        self.publish(fault)
        case = self.the_case()
        assert (case.status, case.reopened, case.closed_at) == ("Open", 1, None)
        assert sorted(todos(case.name)) == [(planner, "Closed"), (planner, "Open")]

    def test_a_case_of_nobody_is_given_to_whom_somebody_names_later(self) -> None:
        item = made.item("FC-Queue")
        fault = Fault("Negative Stock", "It is {x}.", {"x": 1}, item_code=item, money_at_risk=50.0)
        self.publish(fault)
        assert not self.the_case().responsible
        planner = made.user("queue-planner", made.PLANNER)
        frappe.db.set_value("Item", item, "forecast_planner", planner)
        self.publish(fault)
        case = self.the_case()
        assert (case.responsible, todos(case.name)) == (planner, [(planner, "Open")])

    def test_a_role_shares_cases_among_those_who_may_see_the_company(self) -> None:
        here = made.user("queue-here", made.PLANNER, "Forecast Queue")
        elsewhere = made.user("queue-elsewhere", made.PLANNER, "Forecast Queue")
        made.limit(elsewhere, Company=made.second_company())
        site = made.UncommittedSite()
        assert site.users_with_role("Forecast Queue", made.company()) == [here]
        assert site.users_with_role("Forecast Queue", made.second_company()) == [elsewhere, here]
        frappe.db.set_value("User", here, "enabled", 0)
        assert site.users_with_role("Forecast Queue", made.company()) == []

    @classmethod
    def make_records(cls) -> None:
        if not frappe.db.exists("Role", "Forecast Queue"):
            frappe.get_doc({"doctype": "Role", "role_name": "Forecast Queue"}).insert()


class TestBulkActions(made.SiteTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.planner = made.user("queue-planner", made.PLANNER)
        self.names = [made.case(item_code=made.item(f"FC-Bulk-{n}")).name for n in range(2)]

    def fields(self, *wanted: str) -> list[tuple[Any, ...]]:
        return [frappe.db.get_value(_CASE, name, wanted) for name in self.names]

    def test_many_are_given_to_one_who_may_see_them(self) -> None:
        with made.acting_as(self.planner):
            assert exception.assign(self.names, self.planner) == 2
        assert [todos(name) for name in self.names] == [[(self.planner, "Open")]] * 2
        other = made.user("queue-other", made.PLANNER)
        exception.assign(self.names[:1], other)
        assert sorted(todos(self.names[0])) == sorted([(self.planner, "Cancelled"), (other, "Open")])
        stranger = made.user("queue-stranger", "Employee")
        with self.assertRaisesRegex(frappe.ValidationError, "may not see the exceptions"):
            exception.assign(self.names, stranger)
        with self.assertRaisesRegex(frappe.ValidationError, "is not an enabled user"):
            exception.assign(self.names, "nobody@forecast.test")

    def test_a_snooze_closes_the_todo_and_the_notes_stay(self) -> None:
        exception.assign(self.names, self.planner)
        exception.update(self.names, "Snoozed", add_days(today(), 5), "Asked the supplier.")
        assert self.fields("status", "note") == [("Snoozed", "Asked the supplier.")] * 2
        assert [todos(name) for name in self.names] == [[(self.planner, "Closed")]] * 2
        exception.update(self.names, "Open")
        assert self.fields("status", "snoozed_until", "note") == [("Open", None, "Asked the supplier.")] * 2
        assert all((self.planner, "Open") in todos(name) for name in self.names)
        exception.update(self.names, "Resolved", None, "Done.")
        held = self.fields("status", "closed_at", "note")
        assert all(status == "Resolved" and at and note == "Done." for status, at, note in held)

    def test_without_the_right_nothing_is_changed(self) -> None:
        reader = made.user("queue-reader", "Employee")
        for act in (lambda: exception.assign(self.names, reader), lambda: exception.update(self.names, "Open"),
                    exception.waiting):  # fmt: skip
            with made.acting_as(reader), self.assertRaises(frappe.PermissionError):
                act()
        limited = made.user("queue-limited", made.PLANNER)
        made.limit(limited, Company=made.second_company())
        with made.acting_as(limited), self.assertRaises(frappe.PermissionError):
            exception.assign(self.names, limited)
        assert [status for status, _owner in self.fields("status", "responsible")] == ["Open", "Open"]
        assert not any(owner for _status, owner in self.fields("status", "responsible"))

    def test_a_snooze_on_the_form_needs_its_day(self) -> None:
        case = frappe.get_doc(_CASE, self.names[0])
        case.status = "Snoozed"
        with self.assertRaisesRegex(frappe.ValidationError, "say which"):
            case.save()

    def test_counts_are_of_what_the_user_may_see(self) -> None:
        theirs = made.case("Outlier", of=made.second_company()).name
        frappe.db.set_value(_CASE, self.names[0], {
            "due_at": add_to_date(now_datetime(), hours=-1), "severity": "Critical", "responsible": self.planner,
            "money_at_risk": 12,
        })  # fmt: skip
        frappe.db.set_value(_CASE, self.names[1], {"status": "Snoozed", "snoozed_until": add_days(today(), 2)})
        limited = made.user("queue-limited", made.PLANNER)
        made.limit(limited, Company=made.second_company())
        with made.acting_as(limited):
            seen = exception.waiting()
            assert theirs and (seen["overdue"], seen["snoozed"]) == (0, 0)
            assert {kind["type"] for kind in seen["by_type"]} >= {"Outlier"}
        with made.acting_as(self.planner):
            seen = exception.waiting({"company": made.company()})
            assert seen["overdue"] >= 1 and seen["snoozed"] >= 1 and seen["mine"] == 1
            assert seen["by_severity"]["Critical"] >= 1
            assert exception.overdue_card({"company": made.company()})["value"] == seen["overdue"]
