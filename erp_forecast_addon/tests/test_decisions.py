"""The decision scenarios on a live site, where people act on the Purchase Order itself and our record follows."""

import frappe

from erp_forecast_addon.events.purchase_order import on_discard
from erp_forecast_addon.services import decisions
from erp_forecast_addon.tests.factories import ShopTestCase
from erp_forecast_addon.tests.order_scenarios import DecisionScenarios

IGNORE_TEST_RECORD_DEPENDENCIES = ["Company", "Item", "Supplier", "Purchase Order"]
test_ignore = IGNORE_TEST_RECORD_DEPENDENCIES


class TestDecisions(DecisionScenarios, ShopTestCase):
    def state(self, name: str) -> str:
        return str(frappe.db.get_value("Auto Purchase Order", name, "status"))

    def test_closing_reopening_and_cancelling_by_hand_moves_ours(self) -> None:
        order = self.proposed()
        decisions.approve(self.shop.site, order["name"])
        native = frappe.get_doc("Purchase Order", order["purchase_order"])
        native.update_status("Closed")
        assert self.state(order["name"]) == "Closed"
        native.reload()
        native.update_status("Submitted")
        assert self.state(order["name"]) == "Approved"
        native.reload()
        native.cancel()
        assert self.state(order["name"]) == "Cancelled"
        amended = frappe.copy_doc(native)
        amended.update({"amended_from": native.name, "docstatus": 0})
        amended.items[0].qty += 10
        amended.insert()
        after = self.record(order["name"])
        assert (after["status"], after["purchase_order"], after["edited_by_person"]) == ("Proposed", amended.name, 1)
        assert after["total_amount"] == amended.total > order["total_amount"]

    def test_a_discarded_draft_is_a_deleted_one(self) -> None:
        """v16 alone calls the event; there the draft stays as a cancelled document."""
        order = self.proposed()
        on_discard(frappe.get_doc("Purchase Order", order["purchase_order"]))
        after = self.record(order["name"])
        assert (after["status"], after["purchase_order"]) == ("Rejected", None)
        assert after["rejection_reason"] == "The draft was deleted by Administrator."

    def test_a_record_is_not_made_by_hand(self) -> None:
        made = self.proposed()
        by_hand = frappe.copy_doc(frappe.get_doc("Auto Purchase Order", made["name"]))
        with self.assertRaisesRegex(frappe.ValidationError, "made by a planning run, not by hand"):
            by_hand.insert()
        assert len(self.shop.orders()) == 1

    def test_deleting_the_draft_by_hand_rejects_ours_with_the_name_of_who_did_it(self) -> None:
        order = self.proposed()
        frappe.delete_doc("Purchase Order", order["purchase_order"])
        after = self.record(order["name"])
        assert after["status"] == "Rejected"
        assert after["rejection_reason"] == "The draft was deleted by Administrator."
        assert not after["purchase_order"]

    def test_a_refused_submission_leaves_everything_as_it_was(self) -> None:
        order = self.proposed()
        frappe.db.set_value("Supplier", order["supplier"], {"is_frozen": 1})
        frappe.db.set_value("Item", "Bolt", {"disabled": 1})
        try:
            with self.assertRaises(Exception):  # noqa: B017 — ERPNext's own error, whatever its class
                decisions.approve(self.shop.site, order["name"])
            assert self.state(order["name"]) == "Proposed"
            assert frappe.db.get_value("Purchase Order", order["purchase_order"], "docstatus") == 0
        finally:
            frappe.db.set_value("Supplier", order["supplier"], {"is_frozen": 0})
            frappe.db.set_value("Item", "Bolt", {"disabled": 0})
            frappe.db.commit()
