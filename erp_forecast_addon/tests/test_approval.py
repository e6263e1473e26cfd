"""Approval levels, deadlines, rests, snoozes and buyers' edits on a live site."""

import frappe
from frappe.tests.utils import FrappeTestCase

from erp_forecast_addon.tests import approval_scenarios as told
from erp_forecast_addon.tests.factories import BenchShop, clear

IGNORE_TEST_RECORD_DEPENDENCIES = ["Company", "Item", "Supplier", "Purchase Order", "User", "Role"]
test_ignore = IGNORE_TEST_RECORD_DEPENDENCIES


class _OnBench(FrappeTestCase):
    def setUp(self) -> None:
        self.shop = BenchShop()

    def tearDown(self) -> None:
        frappe.db.rollback()
        for supplier in ("Fast Supplies", "Slow Supplies", "Cheap Supplies"):
            if frappe.db.exists("Supplier", supplier):
                frappe.db.set_value("Supplier", supplier, {"on_hold": 0, "hold_type": ""})
        frappe.db.set_value("Item", {"item_code": ("in", ("Bolt", "Nut"))}, "disabled", 0)
        clear()


class TestLevels(told.LevelScenarios, _OnBench): ...


class TestDeadlines(told.DeadlineScenarios, _OnBench): ...


class TestBlocked(told.BlockedScenarios, _OnBench): ...


class TestRests(told.RestScenarios, _OnBench): ...


class TestSnoozes(told.SnoozeScenarios, _OnBench): ...


class TestEdits(told.EditScenarios, _OnBench): ...


del _OnBench  # a base of tests, no test
