"""The drafting scenarios on a live site, with ERPNext's own Purchase Orders."""

import frappe

from erp_forecast_addon.events.schedule import run_company_job
from erp_forecast_addon.site.frappe_site import _as_refusal
from erp_forecast_addon.tests import site_records as made
from erp_forecast_addon.tests.factories import ShopTestCase
from erp_forecast_addon.tests.order_scenarios import DraftingScenarios, refused

IGNORE_TEST_RECORD_DEPENDENCIES = ["Company", "Item", "Supplier", "Purchase Order"]
test_ignore = IGNORE_TEST_RECORD_DEPENDENCIES


class TestDrafting(DraftingScenarios, ShopTestCase):
    def test_a_run_drafts_whoever_may_start_it(self) -> None:
        planner = made.user("only-planner", made.PLANNER)
        assert not frappe.has_permission("Supplier", "read", user=planner)
        self.shop.stocked_item("Bolt", on_hand=60)
        try:
            run_company_job(self.shop.company, "Button", planner)
            before = self.order()
            assert self.draft()["owner"] == planner
            self.shop.move("Bolt", -50, 10)
            run_company_job(self.shop.company, "Button", planner)
        finally:
            frappe.set_user("Administrator")
        after = self.order()
        assert (after["name"], after["purchase_order"]) == (before["name"], before["purchase_order"])
        assert self.quantities(self.draft()) == self.quantities(after)
        assert self.quantities(after)["Bolt"] > self.quantities(before)["Bolt"]
        assert self.shop.cases(exception_type="Order Failed") == []

    def test_what_is_not_permitted_is_refused_with_a_sentence(self) -> None:
        with refused("is not permitted to do this"), _as_refusal():
            raise frappe.PermissionError

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
