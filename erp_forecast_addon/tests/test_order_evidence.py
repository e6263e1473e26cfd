"""The evidence of orders on a live site: computed again, on the form, in the report, in print."""

import frappe
from frappe.tests.utils import FrappeTestCase

from erp_forecast_addon.tests.evidence_scenarios import EvidenceScenarios
from erp_forecast_addon.tests.factories import BenchShop, clear

IGNORE_TEST_RECORD_DEPENDENCIES = ["Company", "Item", "Item Group", "Supplier", "Warehouse"]
test_ignore = IGNORE_TEST_RECORD_DEPENDENCIES


class TestEvidence(EvidenceScenarios, FrappeTestCase):
    def setUp(self) -> None:
        self.shop = BenchShop()

    def tearDown(self) -> None:
        frappe.set_user("Administrator")
        frappe.db.rollback()
        frappe.db.delete("Planning Rule", {"company": self.shop.company})
        for name in frappe.get_all("Pricing Rule", filters={"company": self.shop.company}, pluck="name"):
            frappe.delete_doc("Pricing Rule", name, force=True)
        self.shop.settings(policy_method="Textbook", level_band_pct=0, order_cost=0, review_mode="Continuous",
                           margin_pct=30, service_level_a_pct=98)  # fmt: skip
        clear()
