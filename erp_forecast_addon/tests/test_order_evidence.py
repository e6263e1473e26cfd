"""The evidence of orders on a live site: computed again, on the form, in the report, in print."""

import frappe

from erp_forecast_addon.erp_forecast_addon.report.order_evidence import order_evidence
from erp_forecast_addon.tests.evidence_scenarios import EvidenceScenarios
from erp_forecast_addon.tests.factories import ShopTestCase

IGNORE_TEST_RECORD_DEPENDENCIES = ["Company", "Item", "Item Group", "Supplier", "Warehouse"]
test_ignore = IGNORE_TEST_RECORD_DEPENDENCIES


class TestEvidence(EvidenceScenarios, ShopTestCase):
    def test_the_print_and_the_report_show_the_lines_computed_again(self) -> None:
        self.shop.stocked_item("Bolt", on_hand=20)
        self.shop.run()
        (order,) = self.shop.orders()
        record = frappe.get_doc("Auto Purchase Order", order["name"])
        printed = frappe.get_print("Auto Purchase Order", record.name, print_format="Order Evidence")
        (line,) = record.items
        for words in ("Bolt", line.reason, record.title, "= To order", "Computed again from the frozen inputs: equal."):
            assert frappe.utils.escape_html(words) in printed, words
        filters = {"company": self.shop.company, "status": "Proposed"}
        columns, (row,), _cut = order_evidence.execute(filters)
        assert (row["item_code"], row["computed_qty"], row["equal"]) == ("Bolt", line.stock_qty, "Yes")
        assert {column["fieldname"] for column in columns} <= set(row)
        assert order_evidence.execute({**filters, "only_different": 1})[1] == []
