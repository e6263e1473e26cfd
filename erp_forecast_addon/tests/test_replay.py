"""Policy Replays on a live site: who may start and see them, the job, the report."""

import json
from typing import Any

import frappe
from frappe.desk.query_report import run as run_report

from erp_forecast_addon.api.v1 import replay
from erp_forecast_addon.tests import site_records as made

REPLAY = "Policy Replay"


def kept(company: str) -> str:
    """A completed replay with a row and two weeks."""
    course = [
        {"policy": policy, "week": week, "stock_value": 10.0, "lost_value": 1.0, "order_lines": 2}
        for policy in ("Our Policy", "ERPNext's Levels", "As Really Ordered")
        for week in ("2026-11-02", "2026-11-09")
    ]
    row = {"policy": "Our Policy", "abc_class": "All", "pairs": 3, "fill_rate_pct": 97.5, "total_cost": 12.0}
    values: dict[str, Any] = {
        "doctype": REPLAY, "company": company, "status": "Completed", "weeks": 2, "from_date": "2026-11-02",
        "to_date": "2026-11-15", "ended_at": frappe.utils.now_datetime(), "results": [row],
        "weeks_json": json.dumps(course),
    }  # fmt: skip
    return frappe.get_doc(values).insert(ignore_permissions=True).name


class TestPolicyReplay(made.SiteTestCase):
    """A planner of one company, and replays of two."""

    @classmethod
    def make_records(cls) -> None:
        cls.company, cls.other_company = made.company(), made.second_company()
        cls.own, cls.foreign = kept(cls.company), kept(cls.other_company)
        cls.email = made.user("replays", made.PLANNER)
        made.limit(cls.email, Company=cls.company)

    def test_a_limited_user_sees_the_replays_of_his_company(self) -> None:
        with made.acting_as(self.email):
            assert self.own in frappe.get_list(REPLAY, pluck="name")
            assert self.foreign not in frappe.get_list(REPLAY, pluck="name")
            assert len(replay.course(self.own)) == 6
            with self.assertRaises(frappe.PermissionError):
                replay.course(self.foreign)

    def test_the_report_shows_what_the_user_may_see(self) -> None:
        with made.acting_as(self.email):
            shown = run_report("Policy Replay Comparison", filters={"replay": self.own})
            assert [row["fill_rate_pct"] for row in shown["result"]] == [97.5]
            assert len(shown["chart"]["data"]["datasets"]) == 3
            with self.assertRaises(frappe.PermissionError):
                run_report("Policy Replay Comparison", filters={"replay": self.foreign})

    def test_starting_needs_a_planner_of_the_company(self) -> None:
        with made.acting_as(made.user("clerk", "Sales User")), self.assertRaises(frappe.PermissionError):
            replay.start_replay(self.company, 4)
        with made.acting_as(self.email), self.assertRaises(frappe.PermissionError):
            replay.start_replay(self.other_company, 4)

    def test_a_length_that_makes_no_sense_is_refused_with_a_sentence(self) -> None:
        with self.assertRaisesRegex(frappe.ValidationError, "4 to 104 weeks"):
            replay.start_replay(self.company, 3)
