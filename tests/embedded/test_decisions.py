"""Approve, reject, and follow what happened to the native order."""

import pytest
from embedded_shop import EmbeddedShop

from erp_forecast_addon.services import decisions
from erp_forecast_addon.tests.order_scenarios import DecisionScenarios


class TestDecisions(DecisionScenarios):
    @pytest.fixture(autouse=True)
    def _shop(self, shop: EmbeddedShop) -> None:
        self.shop = shop

    def test_ours_follows_the_amended_order(self) -> None:
        order = self.proposed()
        decisions.approve(self.shop.site, order["name"])
        decisions.follow_order(self.shop.site, order["purchase_order"], "cancel")
        lines = [{**line, "name": ""} for line in self.native(order)["items"]]
        amended = {**self.native(order), "name": f"{order['purchase_order']}-1", "docstatus": 0, "items": lines}
        amended |= {"total": 7.0, "base_total": 8.0}
        self.shop.site.insert_document("Purchase Order", amended)
        decisions.follow_order(self.shop.site, amended["name"], "amend")
        after = self.record(order["name"])
        assert (after["status"], after["purchase_order"]) == ("Proposed", amended["name"])
        assert (after["edited_by_person"], after["decided_by"]) == (1, None)
        assert (after["total_amount"], after["base_total_amount"]) == (7.0, 8.0)
        assert decisions.follow_order(self.shop.site, order["purchase_order"], "delete") == order["name"]
        assert self.record(order["name"])["purchase_order"] == amended["name"], "the old order no longer matters"
        self.shop.site.commit()
        self.shop.run()
        assert {draft["name"] for draft in self.shop.drafts()} == {amended["name"]}, "an amended draft is a person's"

    def test_a_draft_deleted_by_hand_is_rejected_for_the_days_of_the_settings(self) -> None:
        order = self.proposed()
        decisions.follow_order(self.shop.site, order["purchase_order"], "delete")
        after = self.record(order["name"])
        assert (after["status"], after["purchase_order"]) == ("Rejected", None)
        assert after["rejection_reason"] == "The draft was deleted by demo."
        assert (after["rejected_until"] - self.shop.today).days == 14
        assert decisions.follow_order(self.shop.site, order["purchase_order"], "delete") == order["name"], (
            "twice is once"
        )


def test_every_action_leads_to_a_state_that_the_doctype_knows() -> None:
    from erp_forecast_addon.site.doctypes import our_doctypes

    states = {state for moves in decisions.TRANSITIONS.values() for pair in moves.items() for state in pair}
    assert our_doctypes()["Auto Purchase Order"].defaults["status"] in states
    assert states <= {"Proposed", "Approved", "Rejected", "Withdrawn", "Cancelled", "Closed"}
    assert set(decisions.NATIVE_EVENTS) <= set(decisions.TRANSITIONS)
