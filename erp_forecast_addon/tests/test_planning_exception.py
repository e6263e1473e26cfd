"""A Planning Exception is a document like any other: rules and notifications of the site see it, logs are cleared."""

import frappe
from frappe.model.base_document import get_controller
from frappe.utils import add_days, today

from erp_forecast_addon.tests import site_records as made

IGNORE_TEST_RECORD_DEPENDENCIES = ["Company", "Item"]
test_ignore = IGNORE_TEST_RECORD_DEPENDENCIES


class TestPlanningException(made.SiteTestCase):
    def test_an_assignment_rule_gives_it_to_someone(self) -> None:
        email = made.user("assigned", made.PLANNER)
        frappe.get_doc(
            {
                "doctype": "Assignment Rule",
                "name": "Forecast Test Rule",
                "document_type": "Planning Exception",
                "description": "Look at {{ message }}",
                "assign_condition": "status == 'Open'",
                "rule": "Round Robin",
                "users": [{"user": email}],
                "assignment_days": [
                    {"day": day}
                    for day in ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
                ],
            }
        ).insert()
        self.addCleanup(frappe.cache_manager.clear_doctype_map, "Assignment Rule", "Planning Exception")
        case = made.case()
        about = {"reference_type": "Planning Exception", "reference_name": case.name, "status": "Open"}
        (todo,) = frappe.get_all("ToDo", filters=about, fields=["allocated_to", "description"])
        assert todo.allocated_to == email
        assert case.message in todo.description

    def test_a_notification_tells_whoever_it_names(self) -> None:
        email = made.user("notified", made.PLANNER)
        frappe.get_doc(
            {
                "doctype": "Notification",
                "name": "Forecast Test Notification",
                "subject": "{{ doc.exception_type }} of {{ doc.company }}",
                "document_type": "Planning Exception",
                "event": "New",
                "channel": "System Notification",
                "message": "{{ doc.message }}",
                "enabled": 1,
                "recipients": [{"receiver_by_document_field": "responsible"}],
            }
        ).insert(set_name="Forecast Test Notification")
        frappe.cache.hdel("notifications", "Planning Exception")
        self.addCleanup(frappe.cache.hdel, "notifications", "Planning Exception")
        frappe.flags.notifications = None
        case = made.case("Excess Stock", responsible=email)
        about = {"document_type": "Planning Exception", "document_name": case.name, "for_user": email}
        (subject,) = frappe.get_all("Notification Log", filters=about, pluck="subject")
        assert "Excess Stock" in subject


class TestKeeping(made.SiteTestCase):
    def test_closed_cases_go_after_their_days_and_open_ones_stay(self) -> None:
        cases = {
            (status, seen): self.seen(status, seen)
            for status in ("Open", "In Progress", "Resolved", "Ignored")
            for seen in (-31, -29)
        }
        get_controller("Planning Exception").clear_old_logs(days=30)
        left = {key for key, name in cases.items() if frappe.db.exists("Planning Exception", name)}
        assert set(cases) - left == {("Resolved", -31), ("Ignored", -31)}

    def test_the_days_of_the_settings_reach_log_settings(self) -> None:
        settings = frappe.get_doc("Forecast Settings")
        settings.keep_runs_days, settings.keep_exceptions_days = 33, 44
        settings.save()
        assert self.days_kept() == {"Forecast Run": 33, "Planning Exception": 44}
        settings.keep_exceptions_days = 55
        settings.save()
        assert self.days_kept() == {"Forecast Run": 33, "Planning Exception": 55}

    def days_kept(self) -> dict[str, int]:
        rows = frappe.get_doc("Log Settings").logs_to_clear
        return {row.ref_doctype: row.days for row in rows if row.ref_doctype in ("Forecast Run", "Planning Exception")}

    def seen(self, status: str, days: int) -> str:
        name = made.case(item_code=made.item(f"FC-{status}-{-days}")).name
        frappe.db.set_value("Planning Exception", name, {"status": status, "last_seen_on": add_days(today(), days)})
        return name
