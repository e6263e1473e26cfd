"""Reminders of orders whose approval is about to cost a sale: whom, how often, and through ERPNext's own means."""

import json
from datetime import datetime, timedelta

import frappe
from frappe.model.document import Document
from frappe.utils import now_datetime

from erp_forecast_addon.api.v1 import orders as api
from erp_forecast_addon.events import approval_reminders as jobs
from erp_forecast_addon.tests import site_records as made
from erp_forecast_addon.tests.test_approvers import ApproversTestCase

NOW = now_datetime().replace(microsecond=0)
IGNORE_TEST_RECORD_DEPENDENCIES = ["Company", "Item", "Supplier", "Purchase Order", "User", "Role"]
test_ignore = IGNORE_TEST_RECORD_DEPENDENCIES


class RemindersTestCase(ApproversTestCase):
    def setUp(self) -> None:
        super().setUp()
        made.settings_row(remind_approvers=1, remind_hours_before=24, escalate_after_hours=3, tolerated_loss_pct=1)
        self.limits(clerk=100)
        self.course((6, 1240.0), (30, 2000.0))

    def course(self, *chances: tuple[float, float]) -> None:
        """Chances so many hours from now, and what passing each costs."""
        found = [[(NOW + timedelta(hours=hours)).isoformat(), cost] for hours, cost in chances]
        frappe.db.set_value("Auto Purchase Order", self.record.name, "waiting_costs", json.dumps(found))

    def remind(self, hours: float = 0) -> bool:
        return jobs.remind_of(self.record.name, NOW + timedelta(hours=hours))

    def todos(self, name: str | None = None) -> dict[str, str]:
        rows = frappe.get_all(
            "ToDo", filters={"reference_name": name or self.record.name}, fields=["allocated_to", "status"]
        )
        return {row.allocated_to: row.status for row in rows}

    def notices(self, user: str) -> list[str]:
        where = {"document_name": self.record.name, "for_user": user}
        return frappe.get_all("Notification Log", filters=where, pluck="subject", order_by="creation asc")


class TestReminders(RemindersTestCase):
    def test_the_first_reminder_is_a_task_with_until_when_and_how_much(self) -> None:
        assert self.remind()
        assert self.todos() == {self.clerk: "Open"}
        (text,) = frappe.get_all("ToDo", filters={"reference_name": self.record.name}, pluck="description")
        until = NOW + timedelta(hours=6)
        assert until.strftime("%H:%M") in text
        assert until.strftime("%A")[:3] in text
        assert "1,240" in text
        assert "expected" in text
        doc = self.doc()
        assert (doc.asked_user, doc.reminded_at, doc.approve_by) == (self.clerk, NOW, until)

    def test_not_twice_an_hour_and_again_after_one(self) -> None:
        assert [self.remind(hours) for hours in (0, 0, 0.5, 1, 1.2, 2)] == [True, False, False, True, False, True]
        assert self.todos() == {self.clerk: "Open"}, "one task, however often he is reminded"
        assert len(self.notices(self.clerk)) == 3

    def test_unanswered_it_goes_to_the_next_approver_too(self) -> None:
        for hours in (0, 1, 2):
            self.remind(hours)
        assert self.notices(self.chief) == []
        assert self.remind(3)
        assert self.todos() == {self.clerk: "Open", self.chief: "Open"}
        assert self.doc().asked_user == self.chief

    def test_a_deputy_is_asked_with_his_approver(self) -> None:
        today = frappe.utils.today()
        frappe.get_doc({
            "doctype": "Approval Delegation", "from_user": self.clerk, "to_user": self.deputy, "company": self.company,
            "from_date": today, "to_date": today,
        }).insert()  # fmt: skip
        self.remind()
        assert set(self.todos()) == {self.clerk, self.deputy}

    def test_a_deadline_that_passed_gives_way_to_the_next(self) -> None:
        assert self.remind(7)
        assert self.doc().approve_by == NOW + timedelta(hours=30)
        assert self.doc().waiting_cost == 2000

    def test_what_waiting_hardly_costs_reminds_nobody(self) -> None:
        self.course((6, 0.5), (30, 0.7))
        assert not self.remind()
        assert self.doc().approve_by is None
        assert self.todos() == {}

    def test_long_before_nobody_is_asked(self) -> None:
        self.course((30, 100.0))
        assert not self.remind()
        assert self.doc().approve_by == NOW + timedelta(hours=30)

    def test_a_decision_closes_the_tasks(self) -> None:
        self.remind()
        with made.acting_as(self.chief):
            api.approve(self.record.name)
        assert self.todos() == {self.clerk: "Closed"}
        assert not self.remind(5)

    def test_a_reminder_does_not_stand_in_the_way_of_an_open_form(self) -> None:
        opened = self.doc().modified
        self.remind()
        assert self.doc().modified == opened

    def test_after_the_first_of_two_the_others_are_asked(self) -> None:
        made.settings_row(second_approver_above=60)
        frappe.db.set_value("Auto Purchase Order", self.record.name, "approval_level", "Two Approvers")
        with made.acting_as(self.clerk):
            api.approve(self.record.name)
        self.remind()
        assert set(self.todos()) == {self.chief}

    def test_the_hourly_job_finds_what_waits_and_can_be_switched_off(self) -> None:
        def commit() -> None:
            """The test's transaction stays open."""

        before, frappe.db.commit = frappe.db.commit, commit
        try:
            soon = [[(now_datetime() + timedelta(hours=2)).isoformat(), 50.0]]
            frappe.db.set_value("Auto Purchase Order", self.record.name, "waiting_costs", json.dumps(soon))
            made.settings_row(remind_approvers=0)
            assert self.record.name not in jobs.remind()
            made.settings_row(remind_approvers=1)
            assert self.record.name in jobs.remind()
            assert self.record.name not in jobs.remind()
        finally:
            frappe.db.commit = before

    def test_it_is_on_the_hourly_schedule(self) -> None:
        assert "erp_forecast_addon.events.approval_reminders.remind" in frappe.get_hooks("scheduler_events")["hourly"]


class TestTheSentence(ApproversTestCase):
    def test_it_names_the_day_the_hour_and_the_money(self) -> None:
        doc: Document = self.doc()
        doc.update({"approve_by": datetime(2026, 11, 26, 14), "waiting_cost": 1240.4})
        said = frappe.utils.strip_html(jobs.sentence(doc))
        assert "by Thursday 26 Nov 14:00 or lose" in said
        assert "1,240" in said
        assert said.endswith("expected.")
