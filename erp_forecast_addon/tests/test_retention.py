"""What Log Settings clears: decided and ended records, never what waits or what something still needs."""

from typing import Any

import frappe
from frappe.model.base_document import get_controller
from frappe.utils import add_days, now_datetime, today

from erp_forecast_addon.services import decisions
from erp_forecast_addon.setup.names import AUTO_PURCHASE_ORDER
from erp_forecast_addon.tests import site_records as made

IGNORE_TEST_RECORD_DEPENDENCIES = ["Company", "Item"]
test_ignore = IGNORE_TEST_RECORD_DEPENDENCIES

_REQUEST = "Auto Material Request"
_DAYS = 730


def aged(doctype: str, name: str, days: int = _DAYS + 1, **values: Any) -> str:
    then = add_days(now_datetime(), -days)
    frappe.db.set_value(doctype, name, {"creation": then, "modified": then, **values}, update_modified=False)
    return name


def clear(doctype: str) -> None:
    get_controller(doctype).clear_old_logs(days=_DAYS)


def proposed_order() -> Any:
    return made.proposal((made.item("FC-Kept"), made.warehouse("Kept"), 5.0))


class TestOrders(made.SiteTestCase):
    def rejected(self, days: int = _DAYS + 1, **values: Any) -> str:
        record = proposed_order()
        decisions.reject(made.UncommittedSite(), record.name, "Not wanted")
        values = {"rejected_until": add_days(today(), -days), **values}
        return aged(AUTO_PURCHASE_ORDER, record.name, days, **values)

    def left(self, *names: str) -> list[str]:
        clear(AUTO_PURCHASE_ORDER)
        return [name for name in names if frappe.db.exists(AUTO_PURCHASE_ORDER, name)]

    def test_decided_ones_go_after_their_days_with_what_stands_beside_them(self) -> None:
        old, young = self.rejected(), self.rejected(_DAYS - 1)
        frappe.get_doc(AUTO_PURCHASE_ORDER, old).add_comment("Comment", "Not again")
        aged(AUTO_PURCHASE_ORDER, old)
        case = made.case()
        frappe.db.set_value("Planning Exception", case.name, "auto_purchase_order", old)
        assert self.left(old, young) == [young]
        assert not frappe.db.count("Auto Purchase Order Item", {"parent": old})
        assert not frappe.db.count("Comment", {"reference_name": old})
        assert not frappe.db.count("Version", {"docname": old})
        assert frappe.db.get_value("Planning Exception", case.name, "auto_purchase_order") is None

    def test_what_is_undecided_or_still_respected_stays_however_old(self) -> None:
        proposed = aged(AUTO_PURCHASE_ORDER, proposed_order().name)
        refused = self.rejected(rejected_until=add_days(today(), 3))
        assert self.left(proposed, refused) == [proposed, refused]

    def test_an_approved_one_stays_until_its_order_is_done_and_then_lets_it_be_saved(self) -> None:
        record = proposed_order()
        decisions.approve(made.UncommittedSite(), record.name)
        order = record.purchase_order
        if made.docstatus_of(order) == 0:  # the settings of the site may only release it
            frappe.get_doc("Purchase Order", order).submit()
        aged(AUTO_PURCHASE_ORDER, record.name)
        assert self.left(record.name) == [record.name]
        frappe.get_doc("Purchase Order", order).update_status("Closed")
        aged(AUTO_PURCHASE_ORDER, record.name)
        assert self.left(record.name) == []
        native = frappe.get_doc("Purchase Order", order)
        assert native.auto_purchase_order is None
        native.update_status("Submitted")
        native.reload()
        native.cancel()  # its links are checked

    def test_one_that_an_edit_is_about_or_that_waits_to_be_sent_stays(self) -> None:
        edited, waiting, sent = self.rejected(), self.rejected(), self.rejected()
        self.row("Order Edit", auto_purchase_order=edited, company=made.company(), status="Priced", kind="Quantity")
        self.dispatch(waiting, "Failed")
        dispatched = self.dispatch(sent, "Sent")
        assert self.left(edited, waiting, sent) == [edited, waiting]
        assert frappe.db.get_value("Order Dispatch", dispatched, "auto_purchase_order") is None

    def dispatch(self, record: str, status: str) -> str:
        return self.row(
            "Order Dispatch", auto_purchase_order=record, status=status, company=made.company(), purchase_order="PO",
            supplier="S", idempotency_key=frappe.generate_hash(),
        )  # fmt: skip

    def row(self, doctype: str, **values: Any) -> str:
        doc = frappe.get_doc({"doctype": doctype, "name": frappe.generate_hash(), **values})
        doc.db_insert()
        return str(doc.name)


class TestRequests(made.SiteTestCase):
    def test_decided_ones_go_and_undecided_ones_stay(self) -> None:
        names = {
            status: self.request(status) for status in ("Proposed", "Approved", "Rejected", "Withdrawn", "Cancelled")
        }
        young = self.request("Withdrawn", _DAYS - 1)
        clear(_REQUEST)
        left = [name for name in (*names.values(), young) if frappe.db.exists(_REQUEST, name)]
        assert left == [names["Proposed"], young]
        assert not frappe.db.count("Auto Material Request Item", {"parent": names["Rejected"]})

    def request(self, status: str, days: int = _DAYS + 1) -> str:
        doc = frappe.get_doc({
            "doctype": _REQUEST, "request_type": "Material Transfer", "status": status, "company": made.company(),
            "from_warehouse": made.warehouse("Giving"), "warehouse": made.warehouse("Taking"),
            "items": [{"item_code": made.item("FC-Moved"), "warehouse": made.warehouse("Taking"), "qty": 1}],
        })  # fmt: skip
        doc.flags.by_forecast_addon = True
        return aged(_REQUEST, doc.insert(ignore_permissions=True).name, days)


class TestEnded(made.SiteTestCase):
    def test_rests_and_delegations_go_some_time_after_their_last_day(self) -> None:
        approver, deputy = made.user("keep-approver", made.APPROVER), made.user("keep-deputy", made.PLANNER)
        rests = {days: self.rest(days) for days in (_DAYS + 1, _DAYS - 1, -1)}
        lent = {days: self.delegation(approver, deputy, days) for days in (_DAYS + 1, _DAYS - 1, -1)}
        clear("Planning Snooze")
        clear("Approval Delegation")
        assert [days for days, name in rests.items() if frappe.db.exists("Planning Snooze", name)] == [_DAYS - 1, -1]
        assert [days for days, name in lent.items() if frappe.db.exists("Approval Delegation", name)] == [_DAYS - 1, -1]

    def rest(self, ended_days_ago: int) -> str:
        doc = frappe.get_doc({
            "doctype": "Planning Snooze", "item_code": made.item("FC-Rest"), "company": made.company(),
            "until": today(),
        }).insert()  # fmt: skip
        frappe.db.set_value("Planning Snooze", doc.name, "until", add_days(today(), -ended_days_ago))
        return str(doc.name)

    def delegation(self, approver: str, deputy: str, ended_days_ago: int) -> str:
        ends = add_days(today(), -ended_days_ago)
        doc = frappe.get_doc({
            "doctype": "Approval Delegation", "company": made.company(), "from_user": approver, "to_user": deputy,
            "from_date": add_days(ends, -7), "to_date": ends,
        }).insert()  # fmt: skip
        return str(doc.name)


class TestLogSettings(made.SiteTestCase):
    def test_frappe_finds_them_and_their_days(self) -> None:
        logs = frappe.get_doc("Log Settings")
        logs.add_default_logtypes()
        kept = {row.ref_doctype: row.days for row in logs.logs_to_clear}
        ours = (AUTO_PURCHASE_ORDER, _REQUEST, "Planning Snooze", "Approval Delegation")
        assert {name: kept.get(name) for name in ours} == dict.fromkeys(ours, _DAYS)
