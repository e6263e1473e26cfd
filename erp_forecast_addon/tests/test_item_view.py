"""What a user sees of the plan: the Item form, reports, charts, cards and exceptions, within his User Permissions."""

import json
from typing import Any

import frappe
from frappe.desk.query_report import run as run_report
from frappe.tests.utils import FrappeTestCase
from frappe.utils import add_days, getdate, today

from erp_forecast_addon.api.v1 import cards, exception
from erp_forecast_addon.api.v1 import item as item_api
from erp_forecast_addon.erp_forecast_addon.dashboard_chart_source.proposed_amount_by_supplier import (
    proposed_amount_by_supplier,
)
from erp_forecast_addon.services.changes import forget_pairs, mark_pairs
from erp_forecast_addon.services.item_view import item_view
from erp_forecast_addon.site.frappe_site import FrappeSite
from erp_forecast_addon.tests import site_records as made

ITEM = "FC-SEEN"
READERS = (made.PLANNER, "Stock User")
CURVE = {
    "starts": ["2026-01-01", "2026-01-02"],
    "levels": [0.1, 0.5, 0.9],
    "mean": [3.0, 4.0],
    "quantiles": [[1.0, 1.5], [3.0, 4.0], [6.0, 8.0]],
}


class SeenTestCase(FrappeTestCase):
    """One item in two warehouses of company A and one of company B; `limited` may see A's first one only."""

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.a, cls.b = made.company(), made.second_company()
        cls.first, cls.second = made.warehouse("Forecast First"), made.warehouse("Forecast Second")
        cls.other = made.warehouse("Forecast Other", of=cls.b)
        # ERPNext hides an Item from a user whose User Permissions leave out its default warehouse.
        made.item(ITEM, item_defaults=[{"company": cls.a, "default_warehouse": cls.first}])
        for house, owner in ((cls.first, cls.a), (cls.second, cls.a), (cls.other, cls.b)):
            made.planned(ITEM, house, of=owner, position_qty=2, reorder_point_qty=5, order_up_to_qty=9)
            made.case("Excess Stock", of=owner, item_code=ITEM, warehouse=house)
        forecast = {"item_code": ITEM, "warehouse": cls.first}
        planned = {"curve": json.dumps(CURVE), "period": "Day", "as_of": "2025-12-31", "demand_class": "Smooth"}
        frappe.db.set_value("Demand Forecast", forecast, planned)
        cls.orders = [
            made.proposal((ITEM, cls.first, 5), by="Forecast Supplier One"),
            made.proposal((ITEM, cls.second, 5), by="Forecast Supplier Two"),
            made.proposal((ITEM, cls.other, 5), of=cls.b, by="Forecast Supplier Three"),
        ]
        cls.limited = made.user("limited", *READERS)
        made.limit(cls.limited, Company=cls.a, Warehouse=cls.first)

    @classmethod
    def tearDownClass(cls) -> None:
        frappe.set_user("Administrator")
        frappe.db.rollback()
        frappe.clear_cache(user=cls.limited)
        super().tearDownClass()

    def setUp(self) -> None:
        frappe.db.savepoint("each_test")

    def tearDown(self) -> None:
        frappe.set_user("Administrator")
        frappe.db.rollback(save_point="each_test")

    def view_as(self, email: str) -> dict[str, Any]:
        with made.acting_as(email):
            return item_api.view(ITEM)


class TestTab(SeenTestCase):
    def test_without_restrictions_every_warehouse_is_shown(self) -> None:
        view = self.view_as("Administrator")
        assert [pair["warehouse"] for pair in view["pairs"]] == sorted([self.first, self.second, self.other])
        assert not view["restricted"]
        assert {row["name"] for row in view["proposals"]} == {order.name for order in self.orders}
        assert len(view["exceptions"]) == 3

    def test_a_user_of_one_warehouse_sees_it_alone(self) -> None:
        view = self.view_as(self.limited)
        assert [(pair["company"], pair["warehouse"]) for pair in view["pairs"]] == [(self.a, self.first)]
        assert view["restricted"]
        assert [row["name"] for row in view["proposals"]] == [self.orders[0].name]
        assert [row["warehouse"] for row in view["exceptions"]] == [self.first]

    def test_the_service_shows_what_it_is_told(self) -> None:
        assert item_view(FrappeSite(), ITEM, [])["pairs"] == []
        assert [pair["warehouse"] for pair in item_view(FrappeSite(), ITEM, [self.second])["pairs"]] == [self.second]

    def test_the_curve_and_the_policy_are_plain_values(self) -> None:
        (pair,) = self.view_as(self.limited)["pairs"]
        assert pair["forecast"]["curve"] == CURVE
        assert pair["as_of"] == "2025-12-31"
        assert (pair["policy"]["position_qty"], pair["policy"]["reorder_point_qty"]) == (2.0, 5.0)
        json.dumps(pair, allow_nan=False)

    def test_a_forecast_without_a_curve_is_none(self) -> None:
        view = item_view(FrappeSite(), ITEM, [self.second])
        assert view["pairs"][0]["forecast"] is None
        assert view["pairs"][0]["policy"] is not None

    def test_read_on_demand_forecast_is_needed(self) -> None:
        seller = made.user("seller", "Sales User")
        with self.assertRaises(frappe.PermissionError):
            self.view_as(seller)

    def test_read_on_the_item_is_needed(self) -> None:
        planner = made.user("only-planner", made.PLANNER)
        with self.assertRaises(frappe.PermissionError):
            self.view_as(planner)

    def test_a_user_without_read_on_orders_is_shown_none(self) -> None:
        frappe.get_doc({"doctype": "Role", "role_name": "Forecast Reader", "desk_access": 1}).insert()
        grant = {"doctype": "Custom DocPerm", "parent": "Demand Forecast", "role": "Forecast Reader", "read": 1}
        frappe.get_doc(grant).insert()
        self.addCleanup(frappe.clear_cache, doctype="Demand Forecast")
        frappe.clear_cache(doctype="Demand Forecast")
        view = self.view_as(made.user("reader", "Forecast Reader", "Stock User"))
        assert view["pairs"]
        assert (view["proposals"], view["exceptions"], view["shows_proposals"]) == ([], [], False)
        assert all(pair["policy"] is None for pair in view["pairs"])

    def test_only_a_planner_forecasts_at_once(self) -> None:
        manager = made.user("manager", "Stock Manager", "Stock User")
        assert not self.view_as(manager)["may_forecast"]
        with made.acting_as(manager), self.assertRaisesRegex(frappe.PermissionError, "Forecast Planner"):
            item_api.forecast_now(ITEM)


class TestLists(SeenTestCase):
    def rows_of(self, report: str) -> set[str]:
        answer = run_report(report, filters={})
        return {row["warehouse"] for row in answer["result"] if isinstance(row, dict) and row["item_code"] == ITEM}

    def test_reports_show_the_users_warehouses(self) -> None:
        for report in ("Stock Position against Policy", "Forecast Accuracy"):
            assert self.rows_of(report) == {self.first, self.second, self.other}, report
            with made.acting_as(self.limited):
                assert self.rows_of(report) == {self.first}, report

    def test_a_planner_without_stock_rights_reads_reports(self) -> None:
        """Frappe refuses a whole report to a user with User Permissions over one column that he may not follow."""
        planner = made.user("only-planner", made.PLANNER)
        made.limit(planner, Warehouse=self.first)
        with made.acting_as(planner):
            assert self.rows_of("Stock Position against Policy") == {self.first}
            assert self.rows_of("Forecast Accuracy") == {self.first}

    def test_a_report_needs_a_role(self) -> None:
        with made.acting_as(made.user("seller", "Sales User")), self.assertRaises(frappe.PermissionError):
            run_report("Forecast Accuracy", filters={})

    def test_the_chart_adds_up_what_the_user_sees(self) -> None:
        of_a, of_b = ("Forecast Supplier One", "Forecast Supplier Two"), ("Forecast Supplier Three",)
        for owner, shown, hidden in ((self.a, of_a, of_b), (self.b, of_b, of_a)):
            everyone = dict(self.bars(owner))
            assert {name: everyone[name] for name in shown} == dict.fromkeys(shown, 50.0)
            assert not set(hidden) & set(everyone)
        with made.acting_as(self.limited):
            assert self.bars() == [("Forecast Supplier One", 50.0)]

    def bars(self, company: str | None = None) -> list[tuple[str, float]]:
        chart = proposed_amount_by_supplier.get(filters={"company": company} if company else {})
        return list(zip(chart["labels"], chart["datasets"][0]["values"], strict=True))

    def test_the_chart_forgets_who_looked_before(self) -> None:
        self.bars()
        nobody = made.user("elsewhere", made.PLANNER)
        made.limit(nobody, Warehouse=made.warehouse("Forecast Empty"))
        with made.acting_as(nobody):
            assert proposed_amount_by_supplier.get(filters={}) == []

    def test_cards_count_what_the_user_sees(self) -> None:
        with made.acting_as(self.limited):
            assert cards.below_reorder_point()["value"] == 1
            assert cards.amount_waiting(json.dumps({"company": self.a})).endswith("50")
            assert cards.below_reorder_point({"company": self.b})["value"] == 0


class TestExceptions(SeenTestCase):
    def open_case(self, house: str) -> str:
        return frappe.db.get_value("Planning Exception", {"item_code": ITEM, "warehouse": house})

    def test_a_planner_decides_on_many_at_once(self) -> None:
        names = [self.open_case(self.first), self.open_case(self.second)]
        until = add_days(today(), 3)
        with made.acting_as(made.user("planner", made.PLANNER)):
            assert exception.update(json.dumps(names), "Snoozed", until) == 2
        held = [frappe.get_doc("Planning Exception", name) for name in names]
        assert [(case.status, case.snoozed_until) for case in held] == [("Snoozed", getdate(until))] * 2

    def test_one_case_out_of_sight_refuses_all(self) -> None:
        mine, foreign = self.open_case(self.first), self.open_case(self.other)
        frappe.db.savepoint("before_update")
        with made.acting_as(self.limited), self.assertRaises(frappe.PermissionError):
            exception.update([mine, foreign], "Resolved")
        frappe.db.rollback(save_point="before_update")
        assert frappe.db.get_value("Planning Exception", mine, "status") == "Open"

    def test_what_makes_no_sense_is_refused(self) -> None:
        mine = self.open_case(self.first)
        for status, until, words in (
            ("Done", None, "not a status"),
            ("Resolved", add_days(today(), 3), "snoozed with the status Snoozed"),
            ("Ignored", add_days(today(), 3), "snoozed with the status Snoozed"),
            ("Snoozed", today(), "until a day in the future"),
            ("Snoozed", None, "until a day in the future"),
        ):
            with self.assertRaisesRegex(frappe.ValidationError, words):
                exception.update([mine], status, until)
        with self.assertRaisesRegex(frappe.ValidationError, "Choose between"):
            exception.update([], "Resolved")


class TestForecastNow(FrappeTestCase):
    """Real ledger rows, posted once for all tests; they commit, so what they made is taken away."""

    DAYS = 21

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        frappe.set_user("Administrator")
        cls.houses = [made.warehouse("Forecast First"), made.warehouse("Forecast Second")]
        defaults = {"company": made.company(), "default_warehouse": cls.houses[0]}
        cls.item = made.item(f"FC-NOW-{frappe.generate_hash(length=6)}", item_defaults=[defaults])
        cls.planner = made.user("one-warehouse-planner", *READERS)
        cls.forget_permissions()  # of a run of the tests that was killed
        made.limit(cls.planner, Warehouse=cls.houses[0])
        cls.entries = [cls.entry("Material Receipt", "t_warehouse", cls.DAYS + 1, 200)]
        cls.entries += [cls.entry("Material Issue", "s_warehouse", back, 4) for back in range(cls.DAYS, 0, -1)]
        frappe.db.commit()

    @classmethod
    def tearDownClass(cls) -> None:
        for entry in reversed(cls.entries):
            entry.reload()
            entry.cancel()
        forget_pairs(FrappeSite(), item_code=cls.item)
        cls.forget_permissions()
        frappe.db.commit()
        super().tearDownClass()

    def setUp(self) -> None:
        made.settings_row(enabled=1)
        frappe.db.commit()

    def tearDown(self) -> None:
        """The next test finds the ledger as it was posted: nothing read of it, nothing forecast from it."""
        frappe.set_user("Administrator")
        frappe.db.rollback()
        forget_pairs(FrappeSite(), item_code=self.item)
        mark_pairs(FrappeSite(), item_code=self.item)
        for doctype in ("Demand Forecast", "Safety Stock Policy"):
            frappe.db.delete(doctype, {"item_code": self.item})
        frappe.db.commit()

    @classmethod
    def forget_permissions(cls) -> None:
        for name in frappe.get_all("User Permission", filters={"user": cls.planner}, pluck="name"):
            frappe.delete_doc("User Permission", name)

    @classmethod
    def entry(cls, kind: str, side: str, days_ago: int, qty: float) -> Any:
        lines = [{"item_code": cls.item, "qty": qty, "basic_rate": 2, side: house} for house in cls.houses]
        document = frappe.get_doc({
            "doctype": "Stock Entry", "stock_entry_type": kind, "company": made.company(), "set_posting_time": 1,
            "posting_date": add_days(today(), -days_ago), "items": lines,
        })  # fmt: skip
        document.insert()
        document.submit()
        return document

    def test_it_forecasts_the_users_warehouse_from_the_ledger(self) -> None:
        with made.acting_as(self.planner):
            view = item_api.forecast_now(self.item)
        (pair,) = view["pairs"]
        assert pair["warehouse"] == self.houses[0]
        assert pair["history"]["demand"][-self.DAYS :] == [4.0] * self.DAYS
        assert abs(pair["forecast"]["daily_mean_qty"] - 4.0) < 0.5
        assert pair["policy"]["on_hand_qty"] == 200 - 4 * self.DAYS
        written = frappe.get_all("Demand Forecast", filters={"item_code": self.item}, pluck="warehouse")
        assert written == [self.houses[0]], "the other warehouse was not his to plan"

    def test_again_it_updates_the_same_rows_and_keeps_class_and_run(self) -> None:
        item_api.forecast_now(self.item)
        policy = frappe.get_doc("Safety Stock Policy", {"item_code": self.item, "warehouse": self.houses[0]})
        frappe.db.set_value("Safety Stock Policy", policy.name, "abc_class", "B")
        frappe.db.commit()
        item_api.forecast_now(self.item)
        again = frappe.get_doc("Safety Stock Policy", {"item_code": self.item, "warehouse": self.houses[0]})
        assert (again.name, again.abc_class) == (policy.name, "B")
        assert again.forecast_run == policy.forecast_run
        assert again.service_level_pct == made.settings_row().service_level_b_pct
        assert frappe.db.count("Demand Forecast", {"item_code": self.item}) == 2

    def test_it_orders_nothing(self) -> None:
        before = frappe.db.count("Auto Purchase Order")
        item_api.forecast_now(self.item)
        assert frappe.db.count("Auto Purchase Order") == before

    def test_a_company_that_is_not_planned_says_so(self) -> None:
        made.settings_row(enabled=0)
        frappe.db.commit()
        try:
            assert item_api.forecast_now(self.item)["notes"] == [
                f"{made.company()} is not planned: enable it in Forecast Settings first."
            ]
        finally:
            made.settings_row(enabled=1)
            frappe.db.commit()
