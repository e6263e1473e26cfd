"""A user of company A with one warehouse sees that warehouse's planning and nothing else, in lists and one by one."""

import frappe
from frappe.desk.reportview import get_list as report_view_list
from frappe.utils import fmt_money

from erp_forecast_addon.api.v1 import cards
from erp_forecast_addon.api.v1 import item as item_api
from erp_forecast_addon.erp_forecast_addon.dashboard_chart_source.proposed_amount_by_supplier import (
    proposed_amount_by_supplier,
)
from erp_forecast_addon.setup.names import MODULE
from erp_forecast_addon.tests import site_records as made

PLANNING = ("Demand Forecast", "Safety Stock Policy", "Auto Purchase Order", "Planning Exception", "Forecast Run")


class LimitedUserTestCase(made.SiteTestCase):
    """Records in two warehouses of company A and one of company B."""

    @classmethod
    def make_records(cls) -> None:
        cls.a, cls.b = made.company(), made.second_company()
        cls.group = made.warehouse("Forecast Mine", is_group=1)
        cls.mine = made.warehouse("Forecast Mine One", parent=cls.group)
        cls.mine_too = made.warehouse("Forecast Mine Two", parent=cls.group)
        cls.theirs = made.warehouse("Forecast Theirs")
        cls.foreign = made.warehouse("Forecast Abroad", of=cls.b)
        cls.visible: dict[str, set[str]] = {doctype: set() for doctype in PLANNING}
        cls.hidden: dict[str, set[str]] = {doctype: set() for doctype in PLANNING}
        for house, owner, seen in ((cls.mine, cls.a, True), (cls.theirs, cls.a, False), (cls.foreign, cls.b, False)):
            cls.note(made.case(of=owner, warehouse=house, item_code=made.item("FC-SEEN")), seen)
            made.planned("FC-SEEN", house, owner)
            for doctype in ("Demand Forecast", "Safety Stock Policy"):
                cls.note(frappe.get_doc(doctype, {"warehouse": house, "item_code": "FC-SEEN"}), seen)
        cls.note(made.case("Excess Stock", of=cls.a), True)
        cls.note(made.case("Excess Stock", of=cls.b), False)
        for owner, seen in ((cls.a, True), (cls.b, False)):
            run = {"doctype": "Forecast Run", "company": owner, "status": "Completed", "triggered_by": "Command"}
            run["steps"] = [{"step": f"Step of {owner}", "status": "Done"}]
            cls.note(frappe.get_doc(run).insert(ignore_permissions=True), seen)
        cls.own_order = made.proposal(("FC-SEEN", cls.mine, 5))
        cls.mixed_order = made.proposal(("FC-SEEN", cls.mine, 5), ("FC-SEEN", cls.theirs, 5))
        cls.foreign_order = made.proposal(("FC-SEEN", cls.foreign, 5), of=cls.b)
        cls.note(cls.own_order, True)
        cls.note(cls.mixed_order, False)
        cls.note(cls.foreign_order, False)
        roles = (made.PLANNER, made.APPROVER, "Stock Manager", "Stock User", "Purchase Manager")
        cls.email = made.user("limited", *roles)
        made.limit(cls.email, Company=cls.a, Warehouse=cls.mine)

    @classmethod
    def note(cls, doc: frappe.model.document.Document, seen: bool) -> None:
        (cls.visible if seen else cls.hidden)[doc.doctype].add(doc.name)

    def listed(self, doctype: str) -> set[str]:
        return set(frappe.get_list(doctype, pluck="name", limit=0, order_by="name"))


class TestLists(LimitedUserTestCase):
    def test_lists_show_what_is_his_and_nothing_else(self) -> None:
        with made.acting_as(self.email):
            for doctype in PLANNING:
                with self.subTest(doctype):
                    listed = self.listed(doctype)
                    assert self.visible[doctype] <= listed
                    assert not self.hidden[doctype] & listed

    def test_single_documents_too(self) -> None:
        with made.acting_as(self.email):
            for doctype in PLANNING:
                for name in self.visible[doctype]:
                    assert frappe.has_permission(doctype, "read", doc=name), (doctype, name)
                for name in self.hidden[doctype]:
                    assert not frappe.has_permission(doctype, "read", doc=name), (doctype, name)

    def test_warehouse_alone_is_enough_to_hide_the_other_company(self) -> None:
        with made.acting_as(self.warehouse_only()):
            for doctype in PLANNING:
                with self.subTest(doctype):
                    assert self.visible[doctype] <= self.listed(doctype)
                    assert not self.hidden[doctype] & self.listed(doctype)
                    assert not any(frappe.has_permission(doctype, "read", doc=n) for n in self.hidden[doctype])

    def test_a_group_stands_for_the_warehouses_under_it(self) -> None:
        email = made.user("group_only", made.APPROVER)
        made.limit(email, Warehouse=self.group)
        both = made.proposal(("FC-SEEN", self.mine, 1), ("FC-SEEN", self.mine_too, 1))
        with made.acting_as(email):
            listed = self.listed("Auto Purchase Order")
            assert {both.name, self.own_order.name} <= listed
            assert not {self.mixed_order.name, self.foreign_order.name} & listed
            assert frappe.has_permission("Auto Purchase Order", "read", doc=both.name)

    def test_a_permission_for_another_doctype_limits_nothing_here(self) -> None:
        email = made.user("applicable", made.PLANNER)
        frappe.get_doc(
            {
                "doctype": "User Permission",
                "user": email,
                "allow": "Warehouse",
                "for_value": self.mine,
                "apply_to_all_doctypes": 0,
                "applicable_for": "Stock Entry",
            }
        ).insert()
        with made.acting_as(email):
            assert self.mixed_order.name in self.listed("Auto Purchase Order")

    def test_without_user_permissions_everything_is_seen(self) -> None:
        with made.acting_as(made.user("unlimited", made.PLANNER)):
            for doctype in PLANNING:
                assert self.visible[doctype] | self.hidden[doctype] <= self.listed(doctype), doctype

    def test_lines_of_orders_are_not_a_side_door(self) -> None:
        fields = ["parent", "warehouse"]
        with made.acting_as(self.email):
            rows = frappe.get_list(
                "Auto Purchase Order Item",
                fields=fields,
                parent_doctype="Auto Purchase Order",
                limit=0,
                order_by="name",
            )
            joined = frappe.get_list(
                "Auto Purchase Order", fields=["name", "items.warehouse as warehouse"], limit=0, order_by="name"
            )
        assert {row.warehouse for row in rows} == {self.mine}
        assert {row.warehouse for row in joined} == {self.mine}

    def test_rows_of_runs_and_settings_are_not_a_side_door_either(self) -> None:
        for email in (self.email, self.warehouse_only()):
            with made.acting_as(email):
                steps = self.rows_of("Forecast Run Step", "Forecast Run", "step")
                assert f"Step of {self.a}" in steps
                assert f"Step of {self.b}" not in steps
                assert self.rows_of("Forecast Company Settings", "Forecast Settings", "company") == {self.a}

    def test_every_child_table_of_ours_has_its_condition(self) -> None:
        tables = frappe.get_all("DocType", filters={"module": MODULE, "istable": 1}, pluck="name")
        assert len(tables) >= 3
        assert set(tables) <= set(frappe.get_hooks("permission_query_conditions"))

    def warehouse_only(self) -> str:
        email = made.user("warehouse_only", made.PLANNER, made.APPROVER)
        made.limit(email, Warehouse=self.mine)
        return email

    def rows_of(self, child: str, parent: str, field: str) -> set[str]:
        return set(frappe.get_list(child, pluck=field, parent_doctype=parent, limit=0, order_by="name"))

    def test_the_report_view_is_not_a_side_door(self) -> None:
        with made.acting_as(self.email):
            frappe.local.form_dict = frappe._dict(
                doctype="Safety Stock Policy", fields='["name", "warehouse"]', limit_page_length=0
            )
            rows = report_view_list()
        assert {row.warehouse for row in rows} == {self.mine}

    def test_a_user_permission_on_himself_hides_no_planning(self) -> None:
        """Sites that tie people to their own User record would hide every run that someone else has started."""
        email = made.user("tied", made.PLANNER)
        made.limit(email, User=email)
        (run,) = self.visible["Forecast Run"]
        frappe.db.set_value("Forecast Run", run, "run_by", "Administrator")
        with made.acting_as(email):
            assert run in self.listed("Forecast Run")

    def test_machinery_is_not_readable(self) -> None:
        with made.acting_as(self.email):
            for doctype in ("Demand Bucket", "Demand Pair", "Demand Mark", "Reorder Level Backup"):
                with self.subTest(doctype), self.assertRaises(frappe.PermissionError):
                    frappe.get_list(doctype, limit=1)

    def test_a_user_without_a_role_of_planning_sees_nothing(self) -> None:
        with made.acting_as(made.user("clerk", "Sales User")):
            for doctype in PLANNING:
                with self.subTest(doctype), self.assertRaises(frappe.PermissionError):
                    frappe.get_list(doctype, limit=1)


class TestReportsChartsAndCards(LimitedUserTestCase):
    """Everything that adds up planning records, as the limited user; without a company in its filters too."""

    def run_report(self, name: str, **filters: str) -> set[str]:
        found = frappe.get_doc("Report", name).execute_script_report(frappe._dict(filters))
        return {row["warehouse"] for row in found[1]}

    def test_reports(self) -> None:
        for name in ("Stock Position against Policy", "Forecast Accuracy"):
            for filters in ({}, {"company": self.a}):
                with self.subTest(name), made.acting_as(self.email):
                    assert self.run_report(name, **filters) == {self.mine}
            for filters in ({"company": self.b}, {"warehouse": self.theirs}):
                with self.subTest(name), made.acting_as(self.email):
                    assert self.run_report(name, **filters) == set()

    def test_chart_of_proposals(self) -> None:
        seen = self.own_order.base_total_amount
        with made.acting_as(self.email):
            for filters in ({}, {"company": self.a}):
                told = proposed_amount_by_supplier.get(filters=filters)
                assert sum(told["datasets"][0]["values"]) == seen
            assert not proposed_amount_by_supplier.get(filters={"company": self.b})

    def test_amounts_are_of_one_company_in_its_currency(self) -> None:
        """An unlimited user, whose two companies keep their books in two currencies."""
        email = made.user("unlimited", made.PLANNER)
        ours = [order.name for order in (self.own_order, self.mixed_order, self.foreign_order)]
        # What the browser test has left on the site.
        frappe.db.set_value("Auto Purchase Order", {"name": ("not in", ours)}, "status", "Withdrawn")
        of_a = self.own_order.base_total_amount + self.mixed_order.base_total_amount
        amounts = {self.a: of_a, self.b: self.foreign_order.base_total_amount}
        currencies = {name: frappe.get_cached_value("Company", name, "default_currency") for name in amounts}
        assert len(set(currencies.values())) == 2
        for default in amounts:
            frappe.defaults.set_user_default("company", default, email)
            with made.acting_as(email):
                for filters, shown in (({}, default), ({"company": self.a}, self.a), ({"company": self.b}, self.b)):
                    with self.subTest(default=default, filters=filters):
                        told = proposed_amount_by_supplier.get(filters=filters)["datasets"][0]
                        assert sum(told["values"]) == amounts[shown]
                        assert currencies[shown] in told["name"]
                        wanted = fmt_money(amounts[shown], precision=0, currency=currencies[shown])
                        assert cards.amount_waiting(frappe.as_json(filters)) == wanted

    def test_a_company_that_the_user_may_not_see_has_no_amount(self) -> None:
        with made.acting_as(self.email):
            nothing = fmt_money(0, precision=0, currency=frappe.db.get_default("currency"))
            assert cards.amount_waiting({"company": self.b}) == nothing
        with made.acting_as(made.user("clerk", "Sales User")):
            for card in (cards.amount_waiting, cards.below_reorder_point):
                with self.assertRaises(frappe.PermissionError):
                    card()

    def test_cards(self) -> None:
        houses = (self.mine, self.theirs, self.foreign)
        for house in houses:
            pair = {"warehouse": house, "item_code": "FC-SEEN"}
            frappe.db.set_value("Safety Stock Policy", pair, {"position_qty": 1, "reorder_point_qty": 9})
        with made.acting_as(self.email):
            assert cards.below_reorder_point()["value"] == 1
            assert cards.below_reorder_point({"company": self.b})["value"] == 0
            waiting = cards.amount_waiting()
        with made.acting_as("Administrator"):
            everything = cards.amount_waiting()
            assert cards.below_reorder_point()["value"] >= len(houses)
            before = cards.below_reorder_point({"company": self.b})["value"]
            frappe.db.set_value("Safety Stock Policy", {"warehouse": self.foreign}, "position_qty", 9)
            assert cards.below_reorder_point({"company": self.b})["value"] == before - 1
        assert waiting != everything

    def test_the_item_form(self) -> None:
        # ERPNext itself hides an Item whose default warehouse the user may not see.
        frappe.db.delete("Item Default", {"parent": "FC-SEEN"})
        with made.acting_as(self.email):
            told = frappe.as_json(item_api.view("FC-SEEN"))
        assert self.mine in told
        for hidden in (self.theirs, self.foreign, self.b):
            assert hidden not in told
        with made.acting_as(made.user("clerk", "Sales User", "Stock User")), self.assertRaises(frappe.PermissionError):
            item_api.view("FC-SEEN")
