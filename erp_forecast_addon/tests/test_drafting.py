"""The drafting scenarios on a live site, with ERPNext's own Purchase Orders."""

import frappe
from frappe.tests.utils import FrappeTestCase

from erp_forecast_addon.tests.factories import BenchShop, clear
from erp_forecast_addon.tests.order_scenarios import DraftingScenarios

IGNORE_TEST_RECORD_DEPENDENCIES = ["Company", "Item", "Supplier", "Purchase Order"]
test_ignore = IGNORE_TEST_RECORD_DEPENDENCIES


class TestDrafting(DraftingScenarios, FrappeTestCase):
    def setUp(self) -> None:
        self.shop = BenchShop()

    def tearDown(self) -> None:
        frappe.db.rollback()
        clear()

    def test_a_header_changed_by_a_person_makes_the_draft_his(self) -> None:
        self.shop.stocked_item("Bolt")
        self.shop.run()
        order = frappe.get_doc("Purchase Order", self.draft()["name"])
        order.update({"apply_discount_on": "Grand Total", "additional_discount_percentage": 10})
        order.save()
        frappe.db.commit()
        edited = self.draft()
        self.shop.move("Bolt", -15, 5)
        self.shop.run()
        assert self.draft() == edited
        assert self.order()["edited_by_person"] == 1
