"""Policies on a live site, and what a Planning Rule is refused for."""

from typing import Any

import frappe

from erp_forecast_addon.tests import site_records as made
from erp_forecast_addon.tests.factories import ShopTestCase
from erp_forecast_addon.tests.policy_scenarios import PolicyScenarios

IGNORE_TEST_RECORD_DEPENDENCIES = ["Company", "Item", "Item Group", "Supplier", "Warehouse"]
test_ignore = IGNORE_TEST_RECORD_DEPENDENCIES


class TestPolicies(PolicyScenarios, ShopTestCase):
    def test_a_rule_that_says_nothing_or_the_impossible_is_refused(self) -> None:
        self.shop.item("Bolt")
        for values, words in (
            ({}, "The rule says nothing"),
            ({"service_target_pct": 100}, "target of 100(.0)?% cannot be planned"),
            ({"item_code": "Bolt", "min_qty": 9, "max_qty": 3}, "minimum of 9(.0)? is above the maximum of 3"),
            ({"method": "Fixed", "min_qty": 5}, "Fixed levels belong to an item"),
            ({"item_code": "Bolt", "method": "Fixed"}, "Fixed levels need the reorder point"),
        ):
            with self.assertRaisesRegex(frappe.ValidationError, words):
                self._insert(**values)

    def test_two_rules_for_the_same_are_refused_and_a_switched_off_one_is_not(self) -> None:
        self.shop.item("Bolt")
        first = self._insert(item_code="Bolt", service_target_pct=90)
        with self.assertRaisesRegex(frappe.ValidationError, f"{first.name} says something for exactly the same"):
            self._insert(item_code="Bolt", min_qty=4)
        self._insert(item_code="Bolt", min_qty=4, enabled=0)
        self._insert(item_code="Bolt", warehouse=self.shop.warehouse, min_qty=4)

    def test_a_planner_may_write_rules_and_a_stock_manager_may_read_them(self) -> None:
        rule = self._insert(abc_class="C", service_target_pct=85)
        planner = made.user("rule-planner", made.PLANNER)
        assert frappe.has_permission("Planning Rule", "write", doc=rule, user=planner)
        reader = made.user("rule-reader", "Stock Manager")
        assert frappe.has_permission("Planning Rule", "read", doc=rule, user=reader)
        assert not frappe.has_permission("Planning Rule", "write", doc=rule, user=reader)

    def test_settings_that_cannot_be_planned_with_are_refused(self) -> None:
        for field, value, words in (
            ("xyz_y_from", 2.0, "class Y begins at 2.0 and class Z at 1.0"),
            ("policy_method", "Guess", "there is no policy method Guess"),
        ):
            document = frappe.get_doc("Forecast Settings")
            row = next(row for row in document.companies if row.company == self.shop.company)
            row.set(field, value)
            with self.assertRaisesRegex(frappe.ValidationError, words):
                document.save()

    def _insert(self, **values: Any) -> Any:
        return frappe.get_doc(
            {"doctype": "Planning Rule", "company": self.shop.company, "enabled": 1, **values}
        ).insert()
