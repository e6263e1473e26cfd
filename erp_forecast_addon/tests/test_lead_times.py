"""Lead times and approvals on a live site: what events keep, what is read of the past, what users see."""

import json
from typing import Any

import frappe
import pandas as pd
from frappe.utils import add_days, get_datetime, today

from erp_forecast_addon.erp_forecast_addon.report.expected_arrivals.expected_arrivals import (
    execute as expected_arrivals,
)
from erp_forecast_addon.erp_forecast_addon.report.supplier_lead_times.supplier_lead_times import execute
from erp_forecast_addon.planning.settings import PlanSettings
from erp_forecast_addon.services import lead_times
from erp_forecast_addon.services.approval_times import learned_approval_time
from erp_forecast_addon.setup import dashboards
from erp_forecast_addon.setup.approval_history import read_approval_history
from erp_forecast_addon.site import reads
from erp_forecast_addon.site.settings import CompanySettings
from erp_forecast_addon.tests import site_records as made

RECORD, APPROVAL = "Supplier Lead Time", "Order Approval Time"
SUPPLIER, ITEM = "Forecast Lead Supplier", "FC-LEAD"


class LeadTimeTestCase(made.SiteTestCase):
    @classmethod
    def make_records(cls) -> None:
        cls.company, cls.house = made.company(), made.warehouse("Forecast Lead House")
        made.supplier(SUPPLIER)
        made.item(ITEM)
        cls.settings = CompanySettings(cls.company, PlanSettings(cls.company, approval_days=9))

    def draft(self, days_ago: int = 0) -> Any:
        order = frappe.new_doc("Purchase Order")
        order.update({"supplier": SUPPLIER, "company": self.company, "transaction_date": add_days(today(), -days_ago)})
        line = {"item_code": ITEM, "qty": 5, "rate": 10, "warehouse": self.house}
        order.append("items", line | {"schedule_date": add_days(today(), 10 - days_ago)})
        return order.insert()

    def receive(self, order: Any, qty: float) -> None:
        from erpnext.buying.doctype.purchase_order.purchase_order import make_purchase_receipt

        receipt = make_purchase_receipt(order.name)
        receipt.items[0].qty = receipt.items[0].received_qty = qty
        receipt.insert().submit()

    def published(self) -> None:
        site = made.UncommittedSite()
        items = reads.items(site, self.company)
        learned = reads.learned_lead_times(site, self.company)
        sourcing = reads.sourcing(site, self.company, [ITEM], learned.lead_times)
        run = frappe.get_doc({
            "doctype": "Forecast Run", "company": self.company, "status": "Completed", "triggered_by": "Command",
        }).insert(ignore_permissions=True)  # fmt: skip
        lead_times.publish_lead_times(site, run.name, self.settings, learned, sourcing, items)

    def row(self, item_code: str = "") -> Any:
        (name,) = frappe.get_all(RECORD, filters={"supplier": SUPPLIER, "item_code": item_code}, pluck="name")
        return frappe.get_doc(RECORD, name)


class TestApprovals(LeadTimeTestCase):
    def test_submitting_an_order_keeps_how_long_its_draft_waited(self) -> None:
        order = self.draft()
        frappe.db.set_value("Purchase Order", order.name, "creation", add_days(get_datetime(), -3))
        order.reload()
        order.submit()
        (kept,) = frappe.get_all(APPROVAL, filters={"purchase_order": order.name}, fields=["company", "days", "origin"])
        self.assertEqual((kept.company, kept.origin), (self.company, "Event"))
        self.assertAlmostEqual(kept.days, 3.0, places=1)

    def test_a_purchase_user_without_rights_on_our_records_may_submit(self) -> None:
        order = self.draft()
        with made.acting_as(made.user("lead-buyer", "Purchase User", "Purchase Manager", "Accounts User")):
            frappe.get_doc("Purchase Order", order.name).submit()
        self.assertEqual(frappe.db.count(APPROVAL, {"purchase_order": order.name}), 1)

    def test_an_order_that_is_deleted_is_not_held_by_our_row(self) -> None:
        order = self.draft()
        order.submit()
        order.cancel()
        frappe.delete_doc("Purchase Order", order.name)
        self.assertFalse(frappe.db.exists("Purchase Order", order.name))

    def version(self, order: str, changed: list[Any], days_ago: int) -> None:
        version = frappe.get_doc({
            "doctype": "Version", "ref_doctype": "Purchase Order", "docname": order,
            "data": json.dumps({"changed": changed}),
        }).insert(ignore_permissions=True)  # fmt: skip
        frappe.db.set_value("Version", version.name, "creation", add_days(get_datetime(), -days_ago))

    def test_the_past_is_read_once_from_versions(self) -> None:
        order, other = self.draft(), self.draft()
        frappe.db.set_value("Purchase Order", order.name, "creation", add_days(get_datetime(), -20))
        self.version(order.name, [["docstatus", 0, 1], ["status", "Draft", "To Receive and Bill"]], days_ago=13)
        self.version(other.name, [["docstatus", 1, 2]], days_ago=5)
        self.version(other.name, [["remarks", "docstatus", "docstatus 0 1"]], days_ago=5)
        read_approval_history()
        (kept,) = frappe.get_all(APPROVAL, filters={"purchase_order": order.name}, fields=["days", "origin"])
        self.assertEqual(kept.origin, "Version")
        self.assertAlmostEqual(kept.days, 7.0, places=1)
        self.assertEqual(frappe.db.count(APPROVAL, {"purchase_order": other.name}), 0)
        before = frappe.db.count(APPROVAL)
        self.assertEqual(read_approval_history(), 0)
        self.assertEqual(frappe.db.count(APPROVAL), before)

    def test_what_is_kept_is_learned_from(self) -> None:
        site, day = made.UncommittedSite(), frappe.utils.getdate()
        frappe.db.delete(APPROVAL, {"company": self.company})
        found = learned_approval_time(site, self.settings, day)
        self.assertEqual((found.source, found.mean_days), ("settings", 9.0))
        order = self.draft()
        order.submit()
        found = learned_approval_time(site, self.settings, day)
        self.assertEqual((found.source, found.observations), ("learned", 1))


class TestRecords(LeadTimeTestCase):
    def test_receipts_become_rows_and_rows_are_updated(self) -> None:
        order = self.draft(days_ago=12)
        order.submit()
        self.receive(order, 2)
        self.published()
        whole, of_item = self.row(), self.row(ITEM)
        self.assertEqual((whole.company, whole.supplier_name, of_item.item_name), (self.company, SUPPLIER, ITEM))
        self.assertEqual((of_item.source, of_item.open_lines, of_item.open_overdue_lines), ("receipts", 1, 1))
        self.assertAlmostEqual(of_item.observations, 0.4, places=3)
        self.assertEqual(of_item.last_receipt_on, frappe.utils.getdate())
        self.receive(order, 3)
        self.published()
        self.assertEqual(self.row(ITEM).name, of_item.name)
        self.assertEqual((self.row(ITEM).observations, self.row(ITEM).open_lines), (1.0, 0))

    def test_the_report_shows_suppliers_and_one_suppliers_histogram(self) -> None:
        order = self.draft(days_ago=12)
        order.submit()
        self.receive(order, 5)
        self.published()
        _columns, rows, _message, _chart = execute({"company": self.company})
        self.assertEqual({row["item_code"] or "" for row in rows}, {""})
        columns, rows, _message, chart = execute({"supplier": SUPPLIER})
        (row,) = rows
        self.assertEqual((row["supplier"], row["source"], row["trend_days_per_year"]), (SUPPLIER, "receipts", None))
        self.assertEqual(row["on_time_pct"], 0.0)
        self.assertNotIn("distribution", row)
        self.assertAlmostEqual(sum(chart["data"]["datasets"][0]["values"]), 99.7, delta=1.0)
        self.assertTrue({column["fieldname"] for column in columns} <= {*row, "source"})
        _columns, rows, _message, _chart = execute({"supplier": SUPPLIER, "by_item": 1})
        self.assertEqual([row["item_code"] for row in rows], [ITEM])
        _columns, rows, _message, _chart = execute({"supplier": SUPPLIER, "overdue": 1})
        self.assertEqual(rows, [])

    def test_open_orders_are_expected_by_what_the_supplier_has_shown(self) -> None:
        done, waiting = self.draft(days_ago=12), self.draft(days_ago=15)
        done.submit()
        self.receive(done, 5)
        waiting.submit()
        columns, rows = expected_arrivals({"company": self.company, "supplier": SUPPLIER})
        (row,) = rows
        self.assertEqual({column["fieldname"] for column in columns}, set(row))
        self.assertEqual((row["purchase_order"], row["open_qty"]), (waiting.name, 5.0))
        self.assertGreaterEqual(row["expected_on"], frappe.utils.getdate())
        self.assertEqual(row["late_pct"], 100.0)
        with made.acting_as(made.user("lead-nobody", made.PLANNER)), self.assertRaises(frappe.PermissionError):
            expected_arrivals({"company": self.company})

    def test_a_merge_of_suppliers_meets_no_row_twice(self) -> None:
        other = made.supplier("Forecast Lead Other")
        values = {"company": self.company, "source": "receipts"}
        for name in (SUPPLIER, other):
            for item_code in ("", ITEM):
                frappe.get_doc({"doctype": RECORD, "supplier": name, "item_code": item_code, **values}).insert()
        made.rename("Supplier", SUPPLIER, other, merge=True)
        self.assertEqual(frappe.db.count(RECORD, {"supplier": other}), 2)
        frappe.delete_doc("Supplier", other)
        self.assertEqual(frappe.db.count(RECORD, {"supplier": other}), 0)

    def test_who_may_see_one_company_sees_its_suppliers_alone(self) -> None:
        for company in (self.company, made.second_company()):
            values = {"supplier": SUPPLIER, "company": company, "source": "receipts"}
            frappe.get_doc({"doctype": RECORD, "item_code": "", **values}).insert()
        email = made.user("lead-limited", made.PLANNER)
        made.limit(email, Warehouse=self.house)
        with made.acting_as(email):
            seen = frappe.get_list(RECORD, filters={"supplier": SUPPLIER}, pluck="company", limit=0)
            self.assertEqual(seen, [self.company])
            self.assertFalse(frappe.has_permission(RECORD, "write"))

    def test_the_supplier_form_links_to_it(self) -> None:
        groups = dashboards.supplier({})["transactions"]
        self.assertIn(RECORD, [name for group in groups for name in group["items"]])


class TestQuotations(LeadTimeTestCase):
    def test_a_quotation_names_a_lead_time(self) -> None:
        quotation = frappe.new_doc("Supplier Quotation")
        quotation.update({"supplier": SUPPLIER, "company": self.company})
        line = {"item_code": ITEM, "qty": 1, "rate": 1, "warehouse": self.house, "lead_time_days": 17}
        quotation.append("items", line)
        quotation.insert().submit()
        frappe.db.set_value("Item", ITEM, "lead_time_days", 5)
        frappe.get_doc("Item", ITEM).append("supplier_items", {"supplier": SUPPLIER}).db_insert()
        site = made.UncommittedSite()
        rows = reads.sourcing(site, self.company, [ITEM]).set_index("supplier")
        self.assertEqual(tuple(rows.loc[SUPPLIER, ["lead_time_source", "lead_time_days"]]), ("quotation", 17.0))
        self.assertTrue(pd.isna(rows.loc[SUPPLIER, "lead_time_std_days"]))
