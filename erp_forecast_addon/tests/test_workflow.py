"""Approval: who may decide, what a decision does, and that the native order is no back door."""

import frappe
from frappe.model.workflow import WorkflowPermissionError, WorkflowTransitionError, apply_workflow
from frappe.utils import add_days, getdate, today

from erp_forecast_addon.approval import approvers_of
from erp_forecast_addon.events.approval_reminders import remind_of
from erp_forecast_addon.planning.errors import Refused
from erp_forecast_addon.services import decisions
from erp_forecast_addon.site.frappe_site import FrappeSite
from erp_forecast_addon.tests import site_records as made

PURCHASE = ("Purchase User", "Purchase Manager")


class ApprovalTestCase(made.SiteTestCase):
    @classmethod
    def make_records(cls) -> None:
        cls.company = made.company()
        cls.house = made.warehouse("Forecast Approval")
        made.settings_row(on_approval="Submit Purchase Order", rejected_for_days=14)
        cls.approver = made.user("approver", made.APPROVER)
        cls.buyer = made.user("buyer", *PURCHASE)
        cls.record = made.proposal(("FC-A", cls.house, 5), ("FC-B", cls.house, 3))
        cls.order = cls.record.purchase_order

    def native(self) -> frappe.model.document.Document:
        return frappe.get_doc("Purchase Order", self.order)

    def reloaded(self) -> frappe.model.document.Document:
        return frappe.get_doc("Auto Purchase Order", self.record.name)

    def act(self, action: str, email: str, **values: object) -> None:
        with made.acting_as(email):
            doc = frappe.get_doc("Auto Purchase Order", self.record.name)
            if values:
                doc.update(values)
                doc.save()
            apply_workflow(doc, action)


class TestDecision(ApprovalTestCase):
    def test_approving_submits_the_purchase_order_without_any_right_on_purchase_orders(self) -> None:
        assert not frappe.has_permission("Purchase Order", "submit", user=self.approver)
        self.act("Approve", self.approver)
        record, order = self.reloaded(), self.native()
        assert (record.status, order.docstatus) == ("Approved", 1)
        assert record.decided_by == self.approver
        assert order.modified_by == self.approver

    def test_amounts_are_those_of_the_purchase_order_at_the_moment_of_approval(self) -> None:
        order = self.native()
        order.items[0].qty = 50
        order.save()
        self.act("Approve", self.approver)
        assert self.reloaded().total_amount == self.native().total
        assert self.reloaded().total_amount != self.record.total_amount

    def test_a_setting_only_releases_the_draft(self) -> None:
        made.settings_row(on_approval="Release Draft")
        self.act("Approve", self.approver)
        assert (made.status_of(self.record), made.docstatus_of(self.order)) == ("Approved", 0)

    def test_rejecting_needs_a_reason_and_deletes_the_draft(self) -> None:
        with self.assertRaisesRegex(frappe.ValidationError, "Say why"):
            self.act("Reject", self.approver)
        assert made.status_of(self.record) == "Proposed"
        self.act("Reject", self.approver, rejection_reason="Season is over")
        record = self.reloaded()
        assert (record.status, record.rejection_reason) == ("Rejected", "Season is over")
        assert record.rejected_until == getdate(add_days(today(), 14))
        assert made.docstatus_of(self.order) is None
        assert not record.purchase_order

    def test_a_day_that_is_over_is_no_end_of_a_rejection(self) -> None:
        with self.assertRaisesRegex(frappe.ValidationError, "that day is over"):
            self.act("Reject", self.approver, rejection_reason="No", rejected_until=add_days(today(), -3))
        assert made.docstatus_of(self.order) == 0

    def test_what_erpnext_refuses_leaves_all_as_it_was(self) -> None:
        frappe.db.set_value("Item", "FC-A", "min_order_qty", 1000)
        with self.assertRaisesRegex(frappe.ValidationError, "minimum order qty"):
            self.act("Approve", self.approver)
        assert (made.status_of(self.record), made.docstatus_of(self.order)) == ("Proposed", 0)

    def test_an_authorization_rule_still_limits_the_approver(self) -> None:
        frappe.get_doc(
            {
                "doctype": "Authorization Rule",
                "transaction": "Purchase Order",
                "based_on": "Grand Total",
                "company": self.company,
                "system_user": self.approver,
                "approving_user": "Administrator",
                "value": 1,
            }
        ).insert()
        with self.assertRaisesRegex(frappe.ValidationError, r"(?i)not authori[sz]ed|can be approved"):
            self.act("Approve", self.approver)
        assert (made.status_of(self.record), made.docstatus_of(self.order)) == ("Proposed", 0)

    def test_a_decided_order_is_not_decided_again(self) -> None:
        self.act("Approve", self.approver)
        with self.assertRaises(WorkflowTransitionError):
            self.act("Approve", self.approver)
        with self.assertRaises(WorkflowTransitionError):
            self.act("Reject", self.approver)


class TestWhoDecides(ApprovalTestCase):
    def test_without_the_role_nobody_decides(self) -> None:
        outsiders = [("planner", made.PLANNER), ("manager", *PURCHASE, "Stock Manager"), ("sysman", "System Manager")]
        for name, *roles in outsiders:
            with self.subTest(name), self.assertRaises((frappe.PermissionError, WorkflowTransitionError)):
                self.act("Approve", made.user(name, *roles))
        assert made.docstatus_of(self.order) == 0

    def test_writing_the_status_is_refused_even_with_the_workflow_switched_off(self) -> None:
        frappe.db.set_value("Workflow", "Auto Purchase Order Approval", "is_active", 0)
        frappe.cache.delete_value("workflow")
        manager = made.user("sysman", "System Manager")
        with made.acting_as(manager), self.assertRaisesRegex(frappe.PermissionError, "Only a Forecast Approver"):
            doc = self.reloaded()
            doc.status = "Approved"
            doc.save()
        assert (made.status_of(self.record), made.docstatus_of(self.order)) == ("Proposed", 0)

    def test_an_approver_decides_with_the_workflow_switched_off_too(self) -> None:
        frappe.db.set_value("Workflow", "Auto Purchase Order Approval", "is_active", 0)
        frappe.cache.delete_value("workflow")
        with made.acting_as(self.approver):
            doc = self.reloaded()
            doc.status = "Approved"
            doc.save()
        assert (made.status_of(self.record), made.docstatus_of(self.order)) == ("Approved", 1)

    def test_no_person_leads_to_a_state_that_only_events_lead_to(self) -> None:
        for status in ("Withdrawn", "Cancelled", "Closed"):
            with self.subTest(status), made.acting_as(self.approver):
                doc = self.reloaded()
                doc.status = status
                with self.assertRaises((frappe.ValidationError, WorkflowPermissionError)):
                    doc.save()

    def test_an_approver_of_another_warehouse_does_not_decide(self) -> None:
        made.limit(self.approver, Warehouse=made.warehouse("Forecast Elsewhere"))
        with self.assertRaises(frappe.PermissionError):
            self.act("Approve", self.approver)
        assert made.docstatus_of(self.order) == 0

    def test_evidence_cannot_be_changed_by_hand(self) -> None:
        for change in (
            lambda doc: doc.update({"total_amount": 1}),
            lambda doc: doc.update({"purchase_order": None}),
            lambda doc: doc.items[0].update({"qty": 1}),
            lambda doc: doc.set("items", doc.items[:1]),
        ):
            with made.acting_as(self.approver), self.assertRaisesRegex(frappe.ValidationError, "evidence"):
                doc = self.reloaded()
                change(doc)
                doc.save()

    def test_what_a_form_sends_back_unchanged_is_no_change(self) -> None:
        with made.acting_as(self.approver):
            sent = frappe.get_doc(frappe.parse_json(self.reloaded().as_json()))
            sent.rejection_reason = "Thinking about it"
            sent.save()
        assert self.reloaded().rejection_reason == "Thinking about it"


class TestBackDoor(ApprovalTestCase):
    def submit_by_hand(self, email: str) -> None:
        with made.acting_as(email):
            self.native().submit()

    def test_a_buyer_cannot_submit_an_undecided_draft(self) -> None:
        with self.assertRaisesRegex(frappe.PermissionError, "not decided yet"):
            self.submit_by_hand(self.buyer)
        assert made.status_of(self.record) == "Proposed"

    def test_emptying_the_link_opens_no_door(self) -> None:
        frappe.db.set_value("Purchase Order", self.order, "auto_purchase_order", None)
        with self.assertRaisesRegex(frappe.PermissionError, "not decided yet"):
            self.submit_by_hand(self.buyer)

    def test_an_approver_who_may_buy_submits_by_hand_and_ours_follows(self) -> None:
        both = made.user("both", made.APPROVER, *PURCHASE)
        with made.acting_as(both):
            order = self.native()
            order.items[0].qty = 20
            order.submit()
        record = self.reloaded()
        assert (record.status, record.decided_by) == ("Approved", both)
        assert record.total_amount == self.native().total

    def test_a_released_draft_is_submitted_by_a_buyer(self) -> None:
        made.settings_row(on_approval="Release Draft")
        self.act("Approve", self.approver)
        self.submit_by_hand(self.buyer)
        assert (made.status_of(self.record), made.docstatus_of(self.order)) == ("Approved", 1)

    def test_deleting_the_draft_rejects_ours_until_a_date(self) -> None:
        with made.acting_as(self.buyer):
            frappe.delete_doc("Purchase Order", self.order)
        record = self.reloaded()
        assert record.status == "Rejected"
        assert record.rejected_until == getdate(add_days(today(), 14))
        assert self.buyer in record.rejection_reason

    def test_cancelling_and_amending_move_ours(self) -> None:
        self.act("Approve", self.approver)
        with made.acting_as(self.buyer):
            self.native().cancel()
        assert made.status_of(self.record) == "Cancelled"
        with made.acting_as(self.buyer):
            amended = frappe.copy_doc(self.native())
            amended.amended_from = self.order
            amended.docstatus = 0
            amended.insert()
        record = self.reloaded()
        assert (record.status, record.purchase_order) == ("Proposed", amended.name)
        assert frappe.db.get_value("Purchase Order", amended.name, "auto_purchase_order") == record.name
        with made.acting_as(self.buyer), self.assertRaisesRegex(frappe.PermissionError, "not decided yet"):
            frappe.get_doc("Purchase Order", amended.name).submit()
        with made.acting_as(self.approver):
            apply_workflow(self.reloaded(), "Approve")
        assert made.docstatus_of(amended.name) == 1

    def test_closing_and_reopening_move_ours(self) -> None:
        self.act("Approve", self.approver)
        with made.acting_as(self.buyer):
            self.native().update_status("Closed")
        assert made.status_of(self.record) == "Closed"
        with made.acting_as(self.buyer):
            self.native().update_status("Draft")
        assert made.status_of(self.record) == "Approved"

    def test_a_copy_of_the_order_is_not_ours(self) -> None:
        copied = frappe.copy_doc(self.native())
        copied.insert()
        assert not copied.auto_purchase_order
        with made.acting_as(self.buyer):
            frappe.get_doc("Purchase Order", copied.name).submit()
        assert made.status_of(self.record) == "Proposed"

    def test_orders_that_are_not_ours_are_left_alone(self) -> None:
        other = frappe.copy_doc(self.native())
        other.insert()
        with made.acting_as(self.buyer):
            order = frappe.get_doc("Purchase Order", other.name)
            order.submit()
            order.cancel()
            frappe.delete_doc("Purchase Order", other.name)
        assert made.status_of(self.record) == "Proposed"


class TestTheSitesOwnWorkflow(ApprovalTestCase):
    @classmethod
    def make_records(cls) -> None:
        super().make_records()
        for state in ("Pending", "Approved", "Rejected"):
            if not frappe.db.exists("Workflow State", state):
                frappe.get_doc({"doctype": "Workflow State", "workflow_state_name": state}).insert()
        frappe.get_doc(
            {
                "doctype": "Workflow",
                "workflow_name": "Site Purchase Order",
                "document_type": "Purchase Order",
                "workflow_state_field": "workflow_state",
                "is_active": 1,
                "states": [
                    {"state": "Pending", "doc_status": "0", "allow_edit": "Purchase User"},
                    {"state": "Approved", "doc_status": "1", "allow_edit": "Purchase Manager"},
                    {"state": "Rejected", "doc_status": "0", "allow_edit": "Purchase Manager"},
                ],
                "transitions": [
                    {
                        "state": "Pending",
                        "action": "Approve",
                        "next_state": "Approved",
                        "allowed": "Purchase Manager",
                        "allow_self_approval": 1,
                        "condition": "doc.base_grand_total < 1000000",
                    },
                    {
                        "state": "Pending",
                        "action": "Reject",
                        "next_state": "Rejected",
                        "allowed": "Purchase Manager",
                        "allow_self_approval": 1,
                    },
                ],
            }
        ).insert()
        frappe.cache.delete_value("workflow")
        frappe.clear_cache(doctype="Purchase Order")

    @classmethod
    def tearDownClass(cls) -> None:
        """Inserting the workflow added a column, which committed it and what stood before it."""
        frappe.db.rollback()
        frappe.delete_doc("Workflow", "Site Purchase Order", force=True, ignore_missing=True)
        frappe.delete_doc("Custom Field", "Purchase Order-workflow_state", force=True, ignore_missing=True)
        frappe.db.sql_ddl("ALTER TABLE `tabPurchase Order` DROP COLUMN IF EXISTS workflow_state")
        frappe.clear_cache(doctype="Purchase Order")
        frappe.delete_doc("Purchase Order", cls.order, force=True, ignore_missing=True)
        frappe.delete_doc("Auto Purchase Order", cls.record.name, force=True, ignore_missing=True)
        frappe.db.commit()
        made.forget_caches()
        super().tearDownClass()

    def test_it_decides_and_ours_steps_aside(self) -> None:
        with self.assertRaisesRegex(frappe.ValidationError, "decided by the workflow Site Purchase Order"):
            self.act("Approve", self.approver)
        with self.assertRaisesRegex(Refused, "decided by the workflow"):
            decisions.approve(FrappeSite(), self.record.name)
        assert (made.status_of(self.record), made.docstatus_of(self.order)) == ("Proposed", 0)
        with made.acting_as(self.buyer):
            apply_workflow(self.native(), "Approve")
        assert (made.status_of(self.record), made.docstatus_of(self.order)) == ("Approved", 1)

    def test_who_may_move_the_native_order_on_is_reminded_there(self) -> None:
        soon = frappe.utils.add_to_date(frappe.utils.now_datetime(), hours=2, as_datetime=True)
        frappe.db.set_value(
            "Auto Purchase Order", self.record.name, "waiting_costs", f'[["{soon.isoformat()}", 500.0]]'
        )
        assert approvers_of(self.reloaded())[0].count(self.buyer) == 1
        assert self.approver not in approvers_of(self.reloaded())[0]
        assert remind_of(self.record.name)
        todo = {"reference_type": "Purchase Order", "reference_name": self.order, "allocated_to": self.buyer}
        assert frappe.db.get_value("ToDo", todo, "status") == "Open"
        with made.acting_as(self.buyer):
            apply_workflow(self.native(), "Approve")
        assert frappe.db.get_value("ToDo", todo, "status") == "Closed"

    def test_nobody_is_asked_where_no_condition_of_the_sites_workflow_holds(self) -> None:
        frappe.db.set_value("Purchase Order", self.order, "base_grand_total", 2_000_000)
        assert approvers_of(self.reloaded()) == []

    def test_what_it_rejects_is_rejected_here_too_and_left_to_the_site(self) -> None:
        with made.acting_as(self.buyer):
            apply_workflow(self.native(), "Reject")
        record = self.reloaded()
        assert record.status == "Rejected"
        assert record.rejection_reason == f"Rejected in the workflow Site Purchase Order, by {self.buyer}."
        assert record.rejected_until == getdate(add_days(today(), 14))
        assert (made.docstatus_of(self.order), self.native().auto_purchase_order) == (0, None)

    def test_nothing_approves_itself_past_it(self) -> None:
        assert FrappeSite().own_order_workflow() == "Site Purchase Order"
        with self.assertRaisesRegex(Refused, "does not approve itself|decided by the workflow"):
            decisions.approve(FrappeSite(), self.record.name, automatic=True)
