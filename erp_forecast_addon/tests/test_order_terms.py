"""Order terms on a live site, with ERPNext's own Suppliers, Holiday Lists, Supplier Quotations and Purchase Orders."""

import frappe
from frappe.utils import add_days

from erp_forecast_addon.site import reads
from erp_forecast_addon.site.policy_reads import price_breaks
from erp_forecast_addon.tests.factories import ShopTestCase
from erp_forecast_addon.tests.order_terms_scenarios import CLOSED, OrderTermsScenarios

IGNORE_TEST_RECORD_DEPENDENCIES = ["Company", "Item", "Supplier", "Purchase Order", "Supplier Quotation"]
test_ignore = IGNORE_TEST_RECORD_DEPENDENCIES


class TestOrderTerms(OrderTermsScenarios, ShopTestCase):
    def setUp(self) -> None:
        super().setUp()
        if frappe.db.exists("Holiday List", CLOSED):
            frappe.delete_doc("Holiday List", CLOSED, force=True)
            frappe.db.commit()

    def test_a_submitted_quotation_gives_a_price_and_its_quantities(self) -> None:
        self.shop.stocked_item("Bolt", rate=None, on_hand=60)
        quotation = frappe.get_doc({
            "doctype": "Supplier Quotation", "supplier": "Fast Supplies", "company": self.shop.company,
            "currency": frappe.get_cached_value("Company", self.shop.company, "default_currency"),
            "transaction_date": self.shop.today, "valid_till": add_days(self.shop.today, 30),
            "items": [
                {"item_code": "Bolt", "qty": qty, "rate": rate, "warehouse": self.shop.warehouse, "uom": "Nos"}
                for qty, rate in ((1, 6.0), (100, 5.0))
            ],
        })  # fmt: skip
        try:
            quotation.insert().submit()
            row = reads.sourcing(self.shop.site, self.shop.company, ["Bolt"]).iloc[0]
            assert row["rate"] == 6.0
            breaks = price_breaks(self.shop.site, self.shop.company)
            assert breaks.loc[breaks["item_code"] == "Bolt", "min_qty"].tolist() == [1.0, 100.0]
        finally:
            quotation.reload().cancel()
            quotation.delete()
            frappe.db.commit()
