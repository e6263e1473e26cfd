"""The scenarios of requests on a live site, with ERPNext's own Material Requests."""

from typing import Any

import frappe

from erp_forecast_addon.erp_forecast_addon.report.request_evidence import request_evidence
from erp_forecast_addon.tests import factories
from erp_forecast_addon.tests import site_records as made
from erp_forecast_addon.tests.factories import ShopTestCase
from erp_forecast_addon.tests.request_scenarios import Hands, RequestScenarios

IGNORE_TEST_RECORD_DEPENDENCIES = ["Company", "Item", "Supplier", "Purchase Order", "Material Request", "Warehouse"]
test_ignore = IGNORE_TEST_RECORD_DEPENDENCIES


class BenchHands(Hands):
    def house(self, name: str, **values: Any) -> str:
        full = factories.warehouse(self.shop.company, name)
        frappe.db.set_value("Warehouse", full, factories.NETWORK | values)
        frappe.db.commit()
        return full

    def bom(self, item_code: str, parts: dict[str, float]) -> str:
        bom = frappe.get_doc({
            "doctype": "BOM", "item": item_code, "company": self.shop.company, "quantity": 1, "is_active": 1,
            "is_default": 1, "rm_cost_as_per": "Valuation Rate",
            "items": [{"item_code": part, "qty": qty, "uom": "Nos", "rate": 1} for part, qty in parts.items()],
        })  # fmt: skip
        bom.insert().submit()
        frappe.db.commit()
        return str(bom.name)

    def edit(self, material_request: str, item_code: str, qty: float) -> None:
        request = frappe.get_doc("Material Request", material_request)
        for line in request.items:
            if line.item_code == item_code:
                line.qty = qty
        request.save()
        frappe.db.commit()

    def delete(self, material_request: str) -> None:
        frappe.delete_doc("Material Request", material_request)
        frappe.db.commit()

    def submit(self, material_request: str) -> None:
        frappe.get_doc("Material Request", material_request).submit()
        frappe.db.commit()


class TestRequests(RequestScenarios, ShopTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.hands = BenchHands(self.shop)
        self.shop.settings(draft_requests=1)

    def test_our_record_follows_the_native_request(self) -> None:
        self.branch()
        self.shop.run()
        record = self.record()
        request = frappe.get_doc("Material Request", record["material_request"])
        request.submit()
        assert frappe.db.get_value("Auto Material Request", record["name"], "status") == "Approved"
        request.cancel()
        assert frappe.db.get_value("Auto Material Request", record["name"], "status") == "Cancelled"

    def test_a_deleted_draft_says_who_deleted_it(self) -> None:
        self.branch()
        self.shop.run()
        record = self.record()
        self.hands.delete(record["material_request"])
        after = frappe.get_doc("Auto Material Request", record["name"])
        assert (after.status, after.material_request) == ("Rejected", None)
        assert after.rejection_reason == "The draft was deleted by Administrator."

    def test_a_copy_of_a_request_is_nobodys_proposal(self) -> None:
        self.branch()
        self.shop.run()
        copy = frappe.copy_doc(frappe.get_doc("Material Request", self.draft()["name"]))
        copy.insert()
        assert not copy.auto_material_request

    def test_nobody_writes_the_record_by_hand(self) -> None:
        self.branch()
        self.shop.run()
        record = frappe.get_doc("Auto Material Request", self.record()["name"])
        record.status = "Approved"
        with self.assertRaisesRegex(frappe.ValidationError, "planner's evidence"):
            record.save()

    def test_a_renamed_item_leaves_its_draft_untouched(self) -> None:
        factories.take_away("Item", "Bolt of now")
        self.branch("Bolt of before")
        self.shop.run()
        made.rename("Item", "Bolt of before", "Bolt of now")
        frappe.db.commit()
        try:
            self.shop.run()
            assert self.record()["edited_by_person"] == 0
            assert list(self.quantities(self.draft())) == ["Bolt of now"]
        finally:
            made.rename("Item", "Bolt of now", "Bolt of before")
            frappe.db.commit()

    def test_the_print_shows_the_cards_of_its_lines(self) -> None:
        self.branch()
        self.shop.run()
        record = frappe.get_doc("Auto Material Request", self.record()["name"])
        assert record.meta.default_print_format == "Request Evidence"
        printed = frappe.get_print("Auto Material Request", record.name, print_format="Request Evidence")
        (line,) = record.items
        for words in (
            "Bolt",
            line.reason,
            record.title,
            "= To ask for",
            "Computed again from the frozen inputs: equal.",
        ):
            assert frappe.utils.escape_html(words) in printed, words

    def test_the_report_shows_each_line_computed_again_and_finds_what_differs(self) -> None:
        self.branch()
        self.shop.run()
        filters = {"company": self.shop.company, "status": "Proposed"}
        columns, (row,), _cut = request_evidence.execute(filters)
        (line,) = frappe.get_doc("Auto Material Request", self.record()["name"]).items
        assert (row["item_code"], row["qty"], row["computed_qty"], row["equal"]) == ("Bolt", line.qty, line.qty, "Yes")
        assert row["available_qty"] == line.available_qty > 0
        assert row["rule"] and row["request_type"] == "Material Transfer"
        assert {column["fieldname"] for column in columns} <= set(row)
        assert request_evidence.execute({**filters, "only_different": 1})[1] == []
        frappe.db.set_value("Auto Material Request Item", line.name, "qty", line.qty + 1)
        (row,) = request_evidence.execute({**filters, "only_different": 1})[1]
        assert (row["equal"], row["computed_qty"]) == ("No", line.qty)
        assert request_evidence.execute({**filters, "request_type": "Manufacture"})[1] == []

    def test_the_report_is_refused_for_a_company_that_the_user_may_not_see(self) -> None:
        buyer = made.user("request-evidence", made.PLANNER)
        made.limit(buyer, Company=made.second_company())
        with made.acting_as(buyer), self.assertRaises(frappe.PermissionError):
            request_evidence.execute({"company": self.shop.company})
