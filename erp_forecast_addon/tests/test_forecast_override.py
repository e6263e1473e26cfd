"""Forecast Overrides: who may make, approve and see which, and that only approved ones count."""

from typing import Any

import frappe
from frappe.model.document import Document
from frappe.utils import add_days, getdate, today

from erp_forecast_addon.api.v1 import item as item_api
from erp_forecast_addon.api.v1 import override as api
from erp_forecast_addon.site import signal_reads
from erp_forecast_addon.site.frappe_site import FrappeSite
from erp_forecast_addon.tests import site_records as made

ITEM = "FC-OVERRIDDEN"


def values(**given: Any) -> dict[str, Any]:
    days = {"from_date": add_days(today(), 1), "to_date": add_days(today(), 7)}
    return {"item_code": ITEM, **days, "kind": "Percent", "value": 20, "reason": "A fair in town.", **given}


class OverrideTestCase(made.SiteTestCase):
    @classmethod
    def make_records(cls) -> None:
        cls.a, cls.b = made.company(), made.second_company()
        cls.mine, cls.theirs = made.warehouse("Forecast Overrides"), made.warehouse("Forecast Overrides Too")
        cls.foreign = made.warehouse("Forecast Overrides Abroad", of=cls.b)
        made.item(ITEM)
        # ERPNext itself hides an Item whose default warehouse the user may not see.
        frappe.db.delete("Item Default", {"parent": ITEM})
        cls.planner = made.user("overrides_planner", made.PLANNER, "Stock User")
        cls.approver = made.user("overrides_approver", made.APPROVER, "Stock User")
        for email in (cls.planner, cls.approver):
            made.limit(email, Company=cls.a, Warehouse=cls.mine)

    def insert(self, **given: Any) -> Document:
        return frappe.get_doc({"doctype": "Forecast Override", "company": self.a, **values(**given)}).insert()

    def counting(self) -> set[str]:
        rows = signal_reads.overrides(FrappeSite(), self.a, getdate(today()))
        return set(rows.loc[rows["item_code"] == ITEM, "name"])


class TestForecastOverride(OverrideTestCase):
    def test_what_cannot_be_is_refused_with_a_sentence(self) -> None:
        for given, said in (
            ({"to_date": today()}, "before it begins"),
            ({"from_date": add_days(today(), -9), "to_date": add_days(today(), -2)}, "in the past"),
            ({"value": -101}, "more than 100%"),
            ({"value": 0}, "changes nothing"),
            ({"kind": "Quantity", "value": -1}, "below 0"),
            ({"reason": " "}, "why|Reason"),
            ({"warehouse": self.foreign}, self.b),
            ({"kind": "Doubled"}, "Doubled"),
        ):
            with self.subTest(said), self.assertRaisesRegex(frappe.ValidationError, said):
                self.insert(**given)

    def test_only_an_approved_one_counts(self) -> None:
        one = self.insert()
        assert one.status == "Draft"
        assert one.name not in self.counting()
        assert api.approve(one.name) == "Approved"
        assert self.counting() == {one.name}
        one.reload()
        assert one.approved_by == "Administrator"
        assert one.approved_at
        assert api.withdraw(one.name) == "Draft"
        assert self.counting() == set()
        assert one.reload().approved_by is None

    def test_a_planners_is_a_draft_until_an_approver_approves(self) -> None:
        with made.acting_as(self.planner):
            told = api.create(company=self.a, warehouse=self.mine, **values())
            assert told["status"] == "Draft"
            assert not api.may_approve(told["name"])
            with self.assertRaises(frappe.PermissionError):
                api.approve(told["name"])
            mine = frappe.get_doc("Forecast Override", told["name"])
            mine.status = "Approved"
            with self.assertRaises(frappe.PermissionError):
                mine.save()
        with made.acting_as(self.approver):
            assert api.may_approve(told["name"])
            assert api.approve(told["name"]) == "Approved"
        assert frappe.db.get_value("Forecast Override", told["name"], "approved_by") == self.approver

    def test_by_setting_a_planner_approves_his_own(self) -> None:
        made.settings_row(planner_approves_overrides=1)
        with made.acting_as(self.planner):
            assert api.create(company=self.a, warehouse=self.mine, **values())["status"] == "Approved"

    def test_an_approvers_own_counts_at_once(self) -> None:
        with made.acting_as(self.approver):
            told = api.create(company=self.a, warehouse=self.mine, **values())
        assert told["status"] == "Approved"
        assert told["name"] in self.counting()

    def test_what_was_approved_and_changed_waits_again(self) -> None:
        with made.acting_as(self.approver):
            told = api.create(company=self.a, warehouse=self.mine, **values())
        with made.acting_as(self.planner):
            mine = frappe.get_doc("Forecast Override", told["name"])
            mine.reason = "The same fair, spelt better."
            mine.save()
            assert mine.status == "Approved"
            mine.value = 400
            mine.save()
            assert mine.status == "Draft"
        assert told["name"] not in self.counting()

    def test_what_runs_wrote_is_not_typed(self) -> None:
        one = self.insert(value_added=99, forecast_before=7)
        assert not one.value_added
        assert not one.forecast_before
        frappe.db.set_value("Forecast Override", one.name, "value_added", 1.5)
        again = frappe.get_doc("Forecast Override", one.name)
        again.value_added = 50
        again.save()
        assert again.reload().value_added == 1.5

    def test_one_that_is_over_is_not_approved(self) -> None:
        one = self.insert()
        frappe.db.set_value("Forecast Override", one.name, {"status": "Expired", "to_date": add_days(today(), -1)})
        with self.assertRaisesRegex(frappe.ValidationError, "is over"):
            api.approve(one.name)

    def test_they_go_with_their_item(self) -> None:
        one = self.insert()
        frappe.delete_doc("Item", ITEM)
        assert not frappe.db.exists("Forecast Override", one.name)


class TestWhoSeesOverrides(OverrideTestCase):
    @classmethod
    def make_records(cls) -> None:
        super().make_records()
        insert = OverrideTestCase.insert
        cls.at_mine, cls.everywhere = insert(cls, warehouse=cls.mine), insert(cls)
        cls.at_theirs = insert(cls, warehouse=cls.theirs)
        cls.of_b = insert(cls, company=cls.b)

    def test_lists_and_single_records_agree(self) -> None:
        with made.acting_as(self.planner):
            listed = set(frappe.get_list("Forecast Override", pluck="name", limit=0, order_by="name"))
            for each, seen, changed in (
                (self.at_mine, True, True), (self.everywhere, True, False), (self.at_theirs, False, False),
                (self.of_b, False, False),
            ):  # fmt: skip
                assert (each.name in listed) is seen
                assert bool(each.has_permission("read")) is seen
                assert bool(each.has_permission("write")) is changed

    def test_nothing_is_made_outside_ones_own_part(self) -> None:
        with made.acting_as(self.planner):
            for place in ({"company": self.a}, {"company": self.a, "warehouse": self.theirs}, {"company": self.b}):
                with self.subTest(place), self.assertRaises(frappe.PermissionError):
                    api.create(**place, **values())
            for name in (self.at_theirs.name, self.of_b.name, "no-such"):
                with self.subTest(name), self.assertRaises(frappe.PermissionError):
                    api.may_approve(name)

    def test_strangers_make_and_see_none(self) -> None:
        with made.acting_as(made.user("overrides_clerk", "Sales User", "Stock User")):
            with self.assertRaises(frappe.PermissionError):
                api.create(company=self.a, warehouse=self.mine, **values())
            with self.assertRaises(frappe.PermissionError):
                frappe.get_list("Forecast Override", limit=1)

    def test_the_item_form_lists_what_the_user_may_see(self) -> None:
        made.planned(ITEM, self.mine)
        made.planned(ITEM, self.theirs)
        with made.acting_as(self.planner):
            view = item_api.view(ITEM)
        assert {row["name"] for row in view["overrides"]} == {self.at_mine.name, self.everywhere.name}
        assert view["may_override"]
        with made.acting_as(made.user("overrides_reader", "Stock Manager")):
            assert not item_api.view(ITEM)["may_override"]
