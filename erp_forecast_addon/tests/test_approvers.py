"""People who approve: limits, two of them, deputies, the site's own rules, and the form's answers about it."""

from typing import Any

import frappe
from frappe.model.document import Document
from frappe.model.workflow import apply_workflow
from frappe.utils import add_days, getdate, today

from erp_forecast_addon.api.v1 import orders as api
from erp_forecast_addon.approval import approvers_of, state_of
from erp_forecast_addon.tests import site_records as made

PURCHASE = ("Purchase User", "Purchase Manager")
IGNORE_TEST_RECORD_DEPENDENCIES = ["Company", "Item", "Supplier", "Purchase Order", "User", "Role"]
test_ignore = IGNORE_TEST_RECORD_DEPENDENCIES


def approvers(*rows: dict[str, Any], of: str | None = None) -> None:
    settings = frappe.get_doc("Forecast Settings")
    settings.set("order_approvers", [])
    for row in rows:
        settings.append("order_approvers", {"company": of or made.company(), **row})
    settings.save()


class ApproversTestCase(made.SiteTestCase):
    @classmethod
    def make_records(cls) -> None:
        cls.company = made.company()
        cls.house = made.warehouse("Forecast Approval")
        made.settings_row(
            on_approval="Submit Purchase Order", rejected_for_days=14, second_approver_above=0, auto_approve_limit=0,
            approval_change_pct=0, approval_error_pct=0, approval_coverage_pct=0, approval_exceptions="",
            edit_reason_required=0, remind_approvers=1,
        )  # fmt: skip
        approvers()
        cls.clerk, cls.chief = made.user("clerk-approver", made.APPROVER), made.user("chief", made.APPROVER)
        cls.deputy = made.user("deputy", made.PLANNER)
        cls.buyer = made.user("buyer", *PURCHASE)
        cls.record = made.proposal(("FC-A", cls.house, 5), ("FC-B", cls.house, 3))  # 80 in company currency

    def doc(self) -> Document:
        return frappe.get_doc("Auto Purchase Order", self.record.name)

    def limits(self, clerk: float = 50, chief: float = 1000) -> None:
        approvers(
            {"user": self.clerk, "approval_limit": clerk}, {"user": self.chief, "approval_limit": chief},
        )  # fmt: skip

    def approve_as(self, email: str) -> dict[str, Any]:
        with made.acting_as(email):
            return api.approve(self.record.name)

    def refused(self, email: str, sentence: str) -> None:
        with self.assertRaisesRegex((frappe.ValidationError, frappe.PermissionError), sentence):
            self.approve_as(email)
        assert made.docstatus_of(self.record.purchase_order) == 0
        assert made.status_of(self.record) == "Proposed"


class TestLimits(ApproversTestCase):
    def test_an_approver_over_his_limit_is_told_it_and_who_may(self) -> None:
        self.limits()
        self.refused(self.clerk, f"costs 80.00 .* may approve up to 50.00 .*more than that: {self.chief}")
        assert self.approve_as(self.chief)["status"] == "Approved"

    def test_the_workflow_button_asks_for_the_limit_too(self) -> None:
        self.limits()
        with made.acting_as(self.clerk), self.assertRaisesRegex(frappe.ValidationError, "may approve up to 50.00"):
            apply_workflow(self.doc(), "Approve")
        assert made.status_of(self.record) == "Proposed"

    def test_submitting_the_draft_by_hand_is_no_way_around_a_limit(self) -> None:
        self.limits()
        both = made.user("both", made.APPROVER, *PURCHASE)
        approvers({"user": both, "approval_limit": 50})
        with made.acting_as(both), self.assertRaisesRegex(frappe.ValidationError, "may approve up to 50.00"):
            frappe.get_doc("Purchase Order", self.record.purchase_order).submit()
        frappe.db.rollback(save_point="before_test")

    def test_an_approver_whom_no_row_names_may_not(self) -> None:
        approvers({"user": self.chief, "approval_limit": 0})
        self.refused(self.clerk, f"may not approve orders of {self.company}; {self.chief} may")

    def test_a_role_may_have_a_limit(self) -> None:
        approvers({"role": made.APPROVER, "approval_limit": 80})
        assert self.approve_as(self.clerk)["status"] == "Approved"

    def test_an_edited_draft_is_judged_by_what_it_costs_now(self) -> None:
        self.limits(clerk=100)
        order = frappe.get_doc("Purchase Order", self.record.purchase_order)
        order.items[0].qty = 50
        order.save()
        self.refused(self.clerk, "costs 530.00")

    def test_rejecting_knows_no_limit(self) -> None:
        self.limits()
        with made.acting_as(self.clerk):
            assert api.reject(self.record.name, "No season", None, "Wrong Quantity")["status"] == "Rejected"
        assert self.doc().rejection_class == "Wrong Quantity"

    def test_limits_that_make_no_sense_are_refused(self) -> None:
        for row, sentence in (
            ({"approval_limit": 5}, "neither a role nor a user"),
            ({"user": self.chief, "role": made.APPROVER}, "a role and a user"),
            ({"user": self.chief, "approval_limit": -1}, "must be at least 0|negative"),
        ):
            with self.subTest(sentence), self.assertRaisesRegex(frappe.ValidationError, sentence):
                approvers(row)
        with self.assertRaisesRegex(frappe.ValidationError, "named twice"):
            approvers({"user": self.chief}, {"user": self.chief})


class TestTwoApprovers(ApproversTestCase):
    def setUp(self) -> None:
        super().setUp()
        made.settings_row(second_approver_above=60)

    def test_the_second_one_decides(self) -> None:
        assert self.approve_as(self.clerk)["status"] == "Proposed"
        doc = self.doc()
        assert (doc.first_approved_by, doc.decided_by) == (self.clerk, None)
        assert made.docstatus_of(self.record.purchase_order) == 0
        assert self.approve_as(self.chief)["status"] == "Approved"
        doc = self.doc()
        assert (doc.first_approved_by, doc.decided_by) == (self.clerk, self.chief)
        assert made.docstatus_of(self.record.purchase_order) == 1

    def test_nobody_is_both(self) -> None:
        self.approve_as(self.clerk)
        self.refused(self.clerk, "is the first of them")

    def test_one_of_the_two_may_the_amount(self) -> None:
        self.limits(clerk=50, chief=70)
        self.approve_as(self.clerk)
        self.refused(self.chief, "costs 80.00 .* up to 70.00")
        self.limits(clerk=50, chief=80)
        assert self.approve_as(self.chief)["status"] == "Approved"

    def test_the_workflow_tells_a_first_approval_as_what_it_is(self) -> None:
        with made.acting_as(self.clerk):
            apply_workflow(self.doc(), "Approve")
        comment = frappe.get_all(
            "Comment", filters={"reference_name": self.record.name, "comment_type": "Workflow"}, pluck="content"
        )
        assert comment == ["first of two approvals"]

    def test_a_draft_changed_since_needs_both_again(self) -> None:
        self.approve_as(self.clerk)
        order = frappe.get_doc("Purchase Order", self.record.purchase_order)
        order.items[0].qty = 50
        order.save()
        assert self.approve_as(self.chief)["status"] == "Proposed"
        assert self.doc().first_approved_by == self.chief

    def test_submitting_by_hand_needs_the_first_one_too(self) -> None:
        both = made.user("both", made.APPROVER, *PURCHASE)
        with made.acting_as(both), self.assertRaisesRegex(frappe.ValidationError, "nobody has approved it yet"):
            frappe.get_doc("Purchase Order", self.record.purchase_order).submit()
        frappe.db.rollback(save_point="before_test")

    def test_with_the_workflow_switched_off_two_are_two(self) -> None:
        frappe.db.set_value("Workflow", "Auto Purchase Order Approval", "is_active", 0)
        frappe.cache.delete_value("workflow")
        assert self.approve_as(self.clerk)["status"] == "Proposed"
        assert self.approve_as(self.chief)["status"] == "Approved"


class TestDelegation(ApproversTestCase):
    def lend(self, by: str | None = None, **values: Any) -> Document:
        given = {
            "doctype": "Approval Delegation", "from_user": self.chief, "to_user": self.deputy, "company": self.company,
            "from_date": today(), "to_date": add_days(today(), 3), **values,
        }  # fmt: skip
        with made.acting_as(by or self.chief):
            return frappe.get_doc(given).insert()

    def test_a_deputy_without_any_right_of_his_own_approves_for_the_one_who_is_away(self) -> None:
        self.refused(self.deputy, "Only a Forecast Approver")
        self.lend()
        assert self.approve_as(self.deputy)["status"] == "Approved"
        doc = self.doc()
        assert (doc.decided_by, doc.decided_for) == (self.deputy, self.chief)
        assert frappe.db.get_value("Purchase Order", self.record.purchase_order, "modified_by") == self.deputy

    def test_he_rejects_too(self) -> None:
        self.lend()
        with made.acting_as(self.deputy):
            assert api.reject(self.record.name, "Not now")["status"] == "Rejected"
        assert self.doc().decided_for == self.chief

    def test_it_gives_no_more_than_the_delegator_has(self) -> None:
        self.limits(chief=70)
        self.lend()
        self.refused(self.deputy, rf"may approve up to 70.00 \w+ \(for {self.chief}\)")

    def test_nor_more_than_he_lent(self) -> None:
        self.lend(approval_limit=70)
        self.refused(self.deputy, "may approve up to 70.00")

    def test_a_delegator_who_lost_his_right_gives_nothing(self) -> None:
        self.lend()
        made.user("chief", made.PLANNER)
        self.refused(self.deputy, "Only a Forecast Approver")
        made.user("chief", made.APPROVER)

    def test_a_disabled_delegator_gives_nothing(self) -> None:
        self.lend()
        frappe.db.set_value("User", self.chief, "enabled", 0)
        self.refused(self.deputy, "Only a Forecast Approver")

    def test_it_begins_and_ends_by_itself(self) -> None:
        for first, last in ((1, 3), (-3, -1)):
            lent = self.lend(from_date=add_days(today(), first), to_date=add_days(today(), last))
            self.refused(self.deputy, "Only a Forecast Approver")
            lent.delete()

    def test_there_are_no_chains(self) -> None:
        self.lend()
        third = made.user("third", made.PLANNER)
        with self.assertRaisesRegex(frappe.ValidationError, "may not approve orders of .* himself"):
            self.lend(by="Administrator", from_user=self.deputy, to_user=third)

    def test_nobody_lends_what_is_not_his(self) -> None:
        with self.assertRaisesRegex(frappe.PermissionError, f"Only {self.chief} may lend"):
            self.lend(by=self.clerk)
        self.limits(chief=70)
        with self.assertRaisesRegex(frappe.ValidationError, "may approve up to 70.00 .* and cannot lend more"):
            self.lend(approval_limit=71)
        with self.assertRaisesRegex(frappe.ValidationError, "cannot be his own deputy"):
            self.lend(to_user=self.chief)
        with self.assertRaisesRegex(frappe.ValidationError, "before it begins"):
            self.lend(to_date=add_days(today(), -1))
        with self.assertRaisesRegex(frappe.ValidationError, "may not see proposed orders"):
            self.lend(to_user=made.user("outsider", "Sales User"))

    def test_it_opens_no_other_warehouse(self) -> None:
        self.lend()
        made.limit(self.chief, Warehouse=made.warehouse("Forecast Elsewhere"))
        self.refused(self.deputy, "Only a Forecast Approver")

    def test_a_deputy_and_his_delegator_are_one_of_two(self) -> None:
        made.settings_row(second_approver_above=60)
        self.lend()
        self.approve_as(self.deputy)
        assert self.doc().first_approved_for == self.chief
        self.refused(self.chief, "is the first of them")
        assert self.approve_as(self.clerk)["status"] == "Approved"

    def test_the_form_says_for_whom_he_decides(self) -> None:
        self.lend()
        with made.acting_as(self.deputy):
            state = api.decision_state(self.record.name)
        assert state["may_decide"]
        assert state["as_deputy_of"] == frappe.utils.get_fullname(self.chief)
        assert [self.chief, self.deputy] in approvers_of(self.doc())


class TestTheSitesRules(ApproversTestCase):
    def authorization_rule(self, user: str, value: float, approving: str) -> None:
        frappe.get_doc({
            "doctype": "Authorization Rule", "transaction": "Purchase Order", "based_on": "Grand Total",
            "company": self.company, "system_user": user, "approving_user": approving, "value": value,
        }).insert()  # fmt: skip

    def test_an_authorization_rule_is_a_limit_where_drafts_are_only_released_too(self) -> None:
        made.settings_row(on_approval="Release Draft")
        self.authorization_rule(self.clerk, 70, self.chief)
        self.refused(self.clerk, f"(?i)can be approved by {self.chief}")
        assert self.approve_as(self.chief)["status"] == "Approved"

    def test_whom_an_authorization_rule_stops_is_not_asked(self) -> None:
        assert [self.clerk] in approvers_of(self.doc())
        self.authorization_rule(self.clerk, 70, self.chief)
        assert [self.clerk] not in approvers_of(self.doc())
        assert [self.chief] in approvers_of(self.doc())
        assert frappe.session.user == "Administrator"

    def condition(self, condition: str) -> None:
        workflow = frappe.get_doc("Workflow", "Auto Purchase Order Approval")
        for transition in workflow.transitions:
            if transition.action == "Approve":
                transition.condition = condition
        workflow.save()
        frappe.cache.delete_value("workflow")
        self.addCleanup(frappe.clear_document_cache, "Workflow", workflow.name)

    def test_a_condition_of_our_transition_is_respected_by_everyone(self) -> None:
        self.condition("doc.base_total_amount < 50")
        self.refused(self.clerk, "Not a valid Workflow Action")
        assert approvers_of(self.doc()) == []
        frappe.get_doc({
            "doctype": "Approval Delegation", "from_user": self.chief, "to_user": self.deputy, "company": self.company,
            "from_date": today(), "to_date": today(),
        }).insert()  # fmt: skip
        self.refused(self.deputy, "does not let")

    def test_a_condition_keeps_an_order_from_approving_itself(self) -> None:
        from erp_forecast_addon.site.frappe_site import FrappeSite

        site = FrappeSite()
        assert site.may_move_to("Auto Purchase Order", self.record.name, "Approved")
        self.condition("doc.base_total_amount < 50")
        assert not site.may_move_to("Auto Purchase Order", self.record.name, "Approved")

    def test_the_form_of_who_may_not_decide_says_who_is_asked(self) -> None:
        self.limits(clerk=100)
        with made.acting_as(self.buyer):
            state = state_of(self.doc())
        assert not state["may_decide"]
        assert state["waits_for"] == [frappe.utils.get_fullname(self.clerk)]


class TestCompanies(ApproversTestCase):
    """A buyer of company A opens nothing of company B."""

    def test_orders_edits_snoozes_and_delegations_of_another_company_are_closed(self) -> None:
        other = made.second_company()
        limited = made.user("of-b", made.APPROVER, made.PLANNER, "Purchase Manager")
        made.limit(limited, Company=other)
        snooze = frappe.get_doc({
            "doctype": "Planning Snooze", "item_code": "FC-A", "company": self.company, "until": today(),
        }).insert()  # fmt: skip
        lent = frappe.get_doc({
            "doctype": "Approval Delegation", "from_user": self.chief, "to_user": self.deputy, "company": self.company,
            "from_date": today(), "to_date": today(),
        }).insert()  # fmt: skip
        order = frappe.get_doc("Purchase Order", self.record.purchase_order)
        order.items[0].qty = 9
        order.save()
        edit = frappe.get_doc("Order Edit", {"purchase_order": order.name})
        with made.acting_as(limited):
            for doc in (self.doc(), snooze, lent, edit):
                with self.subTest(doc.doctype):
                    assert not frappe.has_permission(doc.doctype, "read", doc=doc)
                    assert doc.name not in frappe.get_list(doc.doctype, pluck="name", limit=0)
            for call in (lambda: api.approve(self.record.name), lambda: api.decision_state(self.record.name)):
                with self.assertRaisesRegex(frappe.PermissionError, "There is no Auto Purchase Order"):
                    call()
            with self.assertRaises(frappe.PermissionError):
                frappe.get_doc({
                    "doctype": "Planning Snooze", "item_code": "FC-B", "company": self.company, "until": today(),
                }).insert()  # fmt: skip

    def test_who_sees_one_warehouse_puts_no_whole_item_to_rest(self) -> None:
        keeper = made.user("keeper", made.PLANNER)
        made.limit(keeper, Warehouse=self.house)
        made.limit(keeper, Warehouse=made.warehouse("Forecast Elsewhere"))  # of one alone Frappe makes a default
        new = {"doctype": "Planning Snooze", "item_code": "FC-A", "company": self.company, "until": today()}
        with made.acting_as(keeper):
            with self.assertRaises(frappe.PermissionError):
                frappe.get_doc(new).insert()
            assert frappe.get_doc({**new, "warehouse": self.house}).insert().snoozed_by == keeper


class TestEditsByHand(ApproversTestCase):
    def change(self, reason: str | None = None, qty: float = 9) -> None:
        order = frappe.get_doc("Purchase Order", self.record.purchase_order)
        order.items[0].qty = qty
        order.items[1].schedule_date = getdate(add_days(today(), 20))
        if reason:
            order.forecast_edit_reason = reason
        with made.acting_as(self.buyer):
            order.save()

    def edits(self) -> list[frappe._dict]:
        fields = ["item_code", "kind", "from_text", "to_text", "reason", "changed_by", "from_rate"]
        where = {"purchase_order": self.record.purchase_order}
        return frappe.get_all("Order Edit", filters=where, fields=fields, order_by="item_code asc")

    def test_every_line_is_kept_with_who_when_and_why(self) -> None:
        self.change("The supplier called.")
        quantity, day = self.edits()
        assert (quantity.item_code, quantity.kind, quantity.from_text, quantity.to_text) == (
            "FC-A", "Quantity", "5", "9",
        )  # fmt: skip
        assert (day.item_code, day.kind, day.to_text) == ("FC-B", "Date", add_days(today(), 20))
        assert {row.reason for row in (quantity, day)} == {"The supplier called."}
        assert {row.changed_by for row in (quantity, day)} == {self.buyer}

    def test_a_save_that_changes_nothing_is_no_edit(self) -> None:
        frappe.get_doc("Purchase Order", self.record.purchase_order).save()
        assert self.edits() == []

    def test_another_supplier_is_kept(self) -> None:
        order = frappe.get_doc("Purchase Order", self.record.purchase_order)
        order.supplier = made.supplier("Forecast Other Supplier")
        order.save()
        assert [(row.kind, row.to_text) for row in self.edits()] == [("Supplier", "Forecast Other Supplier")] * 2

    def test_where_a_reason_is_required_a_draft_without_one_is_not_saved(self) -> None:
        made.settings_row(edit_reason_required=1)
        with self.assertRaisesRegex(frappe.ValidationError, r"Say why .* is changed \(FC-A: 5 → 9"):
            self.change()
        frappe.db.rollback(save_point="before_test")  # as the request does
        made.settings_row(edit_reason_required=1)
        assert self.edits() == []
        self.change("Because.")
        assert len(self.edits()) == 2

    def test_only_the_reason_can_be_written_afterwards(self) -> None:
        self.change()
        edit = frappe.get_doc("Order Edit", {"purchase_order": self.record.purchase_order, "kind": "Quantity"})
        with made.acting_as(self.buyer):
            edit.reason = "I remember now."
            edit.save()
            edit.to_qty = 1
            with self.assertRaisesRegex(frappe.ValidationError, "Quantity After tells what was done"):
                edit.save()

    def test_orders_of_others_are_not_looked_at(self) -> None:
        other = frappe.copy_doc(frappe.get_doc("Purchase Order", self.record.purchase_order))
        other.insert()
        other.items[0].qty = 99
        other.save()
        assert not frappe.db.exists("Order Edit", {"purchase_order": other.name})

    def test_a_draft_edited_while_it_is_submitted_is_kept_too(self) -> None:
        both = made.user("both", made.APPROVER, *PURCHASE)
        order = frappe.get_doc("Purchase Order", self.record.purchase_order)
        order.items[0].qty = 6
        with made.acting_as(both):
            order.submit()
        assert [(row.kind, row.to_text) for row in self.edits()] == [("Quantity", "6")]
