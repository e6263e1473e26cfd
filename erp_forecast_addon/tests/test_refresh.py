"""On a live site: the buckets follow ERPNext's own ledger, and our handlers leave a user's document alone."""

from datetime import date, datetime, timedelta
from typing import Any
from unittest.mock import patch

import frappe
import pandas as pd
from frappe.tests.utils import FrappeTestCase
from frappe.utils import add_days, getdate, now_datetime, nowdate

from erp_forecast_addon.events import stock as handlers
from erp_forecast_addon.planning.buckets import daily_buckets
from erp_forecast_addon.services import changes
from erp_forecast_addon.services.refresh import check_pairs, refresh_demand
from erp_forecast_addon.site import reads
from erp_forecast_addon.site.frappe_site import FrappeSite
from erp_forecast_addon.tests import site_records as made

KEY = ["item_code", "warehouse", "day"]
QUANTITIES = ["demand_qty", "opening_qty", "closing_qty"]


class TestRefresh(FrappeTestCase):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        frappe.set_user("Administrator")
        cls.company = frappe.get_all("Company", order_by="creation", limit=1, pluck="name")[0]
        houses = {"company": cls.company, "is_group": 0, "warehouse_type": ("is", "not set")}
        cls.warehouse = frappe.get_all("Warehouse", filters=houses, order_by="name", limit=1, pluck="name")[0]
        cls._plan_company()
        cls.customer = cls._customer()

    def setUp(self) -> None:
        self.site = FrappeSite()
        self.item = self._item()
        self._receive(100, days_ago=40)
        self.note = self._deliver(5, days_ago=20)
        refresh_demand(self.site)

    # ---- the numbers ------------------------------------------------------------------------------------------------
    def test_sales_and_receipts(self) -> None:
        self.assert_follows()
        self.assertEqual(self.demand(20), 5.0)

    def test_a_back_dated_sale(self) -> None:
        self._deliver(7, days_ago=30)
        refresh_demand(self.site)
        self.assert_follows()
        self.assertEqual(self.demand(30), 7.0)
        self.assertEqual(self.stored()["closing_qty"].iloc[-1], 88.0)

    def test_a_cancelled_and_an_amended_sale(self) -> None:
        self.note.cancel()
        frappe.db.commit()
        refresh_demand(self.site)
        self.assert_follows()
        self.assertEqual(self.demand(20), 0.0)
        amended = frappe.copy_doc(self.note)
        amended.amended_from = self.note.name
        amended.docstatus = 0
        amended.items[0].qty = 9
        amended.insert().submit()
        frappe.db.commit()
        refresh_demand(self.site)
        self.assert_follows()
        self.assertEqual(self.stored()["demand_qty"].sum(), 9.0)

    def test_a_reconciliation_and_its_cancellation(self) -> None:
        reconciliation = self._reconcile(50, days_ago=25)
        refresh_demand(self.site)
        self.assert_follows()
        self.assertEqual(self.stored()["demand_qty"].sum(), 5.0)
        reconciliation.cancel()
        frappe.db.commit()
        refresh_demand(self.site)
        self.assert_follows()

    def test_a_return_counts_on_the_day_of_its_sale(self) -> None:
        returned = self._return(3, days_ago=2)
        refresh_demand(self.site)
        self.assert_follows()
        self.assertEqual(self.demand(20), 2.0)
        returned.cancel()
        frappe.db.commit()
        refresh_demand(self.site)
        self.assert_follows()
        self.assertEqual(self.demand(20), 5.0)

    def test_a_material_issue_counts(self) -> None:
        self._entry("Material Issue", 4, days_ago=3)
        refresh_demand(self.site)
        self.assert_follows()
        self.assertEqual(self.demand(3), 4.0)

    def test_renamed_and_merged_items(self) -> None:
        new = f"{self.item} renamed"
        made.rename("Item", self.item, new)
        frappe.db.commit()
        former, self.item = self.item, new
        refresh_demand(self.site)
        self.assert_follows()
        self.assertEqual(self.buckets_of(former), 0)
        target = self._item()
        self._receive(30, days_ago=20, item=target)
        self._deliver(2, days_ago=20, item=target)
        refresh_demand(self.site)
        made.rename("Item", self.item, target, merge=True)
        frappe.db.commit()
        former, self.item = self.item, target
        refresh_demand(self.site)
        self.assert_follows()
        self.assertEqual(self.demand(20), 7.0)
        self.assertEqual(self.buckets_of(former), 0)

    def test_a_repost_of_the_pair(self) -> None:
        self._deliver(3, days_ago=30)
        repost = frappe.get_doc(
            {
                "doctype": "Repost Item Valuation", "based_on": "Item and Warehouse", "item_code": self.item,
                "warehouse": self.warehouse, "posting_date": add_days(nowdate(), -45), "posting_time": "00:00:00",
                "company": self.company, "allow_negative_stock": 1,
            }
        ).submit()  # fmt: skip
        from erpnext.stock.doctype.repost_item_valuation.repost_item_valuation import repost as run

        frappe.flags.in_test, was = False, frappe.flags.in_test
        try:
            run(repost)
        finally:
            frappe.flags.in_test = was
        frappe.db.commit()
        refresh_demand(self.site)
        self.assert_follows()

    def test_deleted_ledger_rows_are_found_by_the_nightly_comparison(self) -> None:
        self._past_the_overlap()
        frappe.db.delete("Stock Ledger Entry", {"voucher_no": self.note.name})
        frappe.db.commit()
        self.assertEqual(self.demand(20), 5.0)
        found = check_pairs(self.site).differing
        self.assertIn(self.item, set(found["item_code"]))
        self.assert_follows()
        self.assertEqual(self.demand(20), 0.0)
        self.assertNotIn(self.item, set(check_pairs(self.site).differing["item_code"]))

    def test_changes_equal_a_rebuild_from_nothing(self) -> None:
        self._deliver(7, days_ago=30)
        self._reconcile(60, days_ago=15)
        refresh_demand(self.site)
        grown = self.stored()
        changes.forget_pairs(self.site, item_code=self.item)
        changes.mark_pairs(self.site, item_code=self.item)
        frappe.db.commit()
        refresh_demand(self.site)
        pd.testing.assert_frame_equal(grown, self.stored())

    # ---- finding changes --------------------------------------------------------------------------------------------
    def test_a_row_that_no_hook_saw_is_found_by_modified(self) -> None:
        with patch.object(handlers, "_write_marks"):
            self._deliver(2, days_ago=1)
        handlers._forget()
        self.assertEqual(self.marks(), [])
        refresh_demand(self.site)
        self.assert_follows()

    def test_a_row_with_an_old_modified_is_found_by_its_bin(self) -> None:
        with patch.object(handlers, "_write_marks"):
            note = self._deliver(2, days_ago=1)
        handlers._forget()
        frappe.db.set_value(
            "Stock Ledger Entry", {"voucher_no": note.name}, "modified", now_datetime() - timedelta(days=3),
            update_modified=False,
        )  # fmt: skip
        frappe.db.commit()
        refresh_demand(self.site)
        self.assert_follows()

    def test_the_index_on_modified_is_used(self) -> None:
        from erp_forecast_addon.site import demand_queries
        from erp_forecast_addon.site.frappe_site import ensure_indexes

        ensure_indexes()
        sql, values = demand_queries.changed_pairs(frappe.qb, now_datetime()).walk()
        plan = frappe.db.sql(f"explain {sql}", values, as_dict=True)
        self.assertNotEqual(plan[0]["type"], "ALL")

    # ---- the handlers -----------------------------------------------------------------------------------------------
    def test_a_commit_leaves_one_mark_per_pair_from_its_earliest_day(self) -> None:
        other = self._item()
        self._receive(10, days_ago=9, item=other)
        self._clear_marks()
        note = self._note([(self.item, 1), (self.item, 2), (other, 1)], days_ago=6)
        note.submit()
        self.assertEqual(self.marks(), [])  # not before the commit
        frappe.db.commit()
        day = getdate(add_days(nowdate(), -6))
        self.assertEqual(self.marks(), [(self.item, day)])
        self.assertEqual(self.marks(other), [(other, day)])

    def test_a_return_marks_the_day_of_its_sale_and_a_cancelled_sale_its_own(self) -> None:
        sold_on = getdate(add_days(nowdate(), -20))
        self._clear_marks()
        returned = self._return(2, days_ago=2)
        self.assertEqual(self.marks(), [(self.item, sold_on)])
        returned.cancel()
        frappe.db.commit()
        self._clear_marks()
        self.note.reload()
        self.note.cancel()
        frappe.db.commit()
        self.assertEqual(self.marks(), [(self.item, sold_on)])

    def test_a_rolled_back_document_leaves_no_mark(self) -> None:
        self._clear_marks()
        self._note([(self.item, 1)], days_ago=1).submit()
        frappe.db.rollback()
        frappe.db.commit()
        self.assertEqual(self.marks(), [])

    def test_a_failing_handler_fails_no_document(self) -> None:
        from frappe.deferred_insert import save_to_db

        save_to_db()
        frappe.db.delete("Error Log", {"method": ("like", "Demand Mark%")})
        with patch.object(handlers, "_changed_from", side_effect=RuntimeError("broken on purpose")):
            first = self._deliver(1, days_ago=1)
        with patch.object(handlers, "_insert", side_effect=RuntimeError("broken on purpose")):
            second = self._deliver(1, days_ago=1)
        for note in (first, second):
            self.assertEqual(frappe.db.get_value("Delivery Note", note.name, "docstatus"), 1)
        save_to_db()  # the log went by way of Redis, outside the user's transaction
        logged = frappe.get_all("Error Log", filters={"method": ("like", "Demand Mark%")}, pluck="error")
        self.assertEqual(["broken on purpose" in error for error in logged], [True, True])
        refresh_demand(self.site)
        self.assert_follows()

    def test_the_constants_of_the_handler_are_those_of_the_services(self) -> None:
        from erp_forecast_addon.site import vouchers

        self.assertEqual(handlers.BEGINNING, changes.BEGINNING)
        self.assertEqual(handlers.SALE_VOUCHERS, vouchers.SALES)

    # ---- what the tests look at -------------------------------------------------------------------------------------
    def assert_follows(self) -> None:
        settings = reads.company_settings(self.site, self.company)
        pairs = pd.DataFrame([{"item_code": self.item, "warehouse": self.warehouse}])
        wanted = daily_buckets(reads.ledger_rows(self.site, settings, pairs))
        wanted = wanted[KEY + QUANTITIES].sort_values(KEY, ignore_index=True)
        pd.testing.assert_frame_equal(self.stored(), wanted, check_dtype=False)

    def stored(self) -> pd.DataFrame:
        bucket = self.site.qb.DocType("Demand Bucket")
        query = self.site.qb.from_(bucket).select(*(bucket[name] for name in KEY + QUANTITIES))
        return self.site.fetch(query.where(bucket.item_code == self.item)).sort_values(KEY, ignore_index=True)

    def demand(self, days_ago: int) -> float:
        rows = self.stored()
        return float(rows.loc[rows["day"] == pd.Timestamp(add_days(nowdate(), -days_ago)), "demand_qty"].sum())

    def marks(self, item: str | None = None) -> list[tuple[str, date]]:
        return [
            (row.item_code, row.changed_from)
            for row in frappe.get_all(
                "Demand Mark", filters={"item_code": item or self.item}, fields=["item_code", "changed_from"],
                order_by="creation",
            )
        ]  # fmt: skip

    def buckets_of(self, item: str) -> int:
        return int(frappe.db.count("Demand Bucket", {"item_code": item}))

    # ---- documents --------------------------------------------------------------------------------------------------
    @classmethod
    def _plan_company(cls) -> None:
        settings = frappe.get_doc("Forecast Settings")
        settings.enabled = 1
        row = next((row for row in settings.companies if row.company == cls.company), None)
        row = row or settings.append("companies", {"company": cls.company})
        row.enabled = row.demand_material_issue = 1
        settings.save()
        frappe.db.commit()

    @classmethod
    def _customer(cls) -> str:
        groups = {field: cls._leaf(field) for field in ("customer_group", "territory")}
        name = f"Refresh {frappe.generate_hash(length=8)}"
        return frappe.get_doc({"doctype": "Customer", "customer_name": name, **groups}).insert().name

    @staticmethod
    def _leaf(field: str) -> str:
        doctype = frappe.unscrub(field)
        return frappe.get_all(doctype, filters={"is_group": 0}, order_by="name", limit=1, pluck="name")[0]

    def _item(self) -> str:
        code = f"refresh-{frappe.generate_hash(length=8)}"
        values = {"item_code": code, "item_group": self._leaf("item_group"), "stock_uom": "Nos"}
        return frappe.get_doc({"doctype": "Item", **values}).insert().name

    def _receive(self, qty: float, days_ago: int, item: str | None = None) -> Any:
        return self._entry("Material Receipt", qty, days_ago, item)

    def _entry(self, purpose: str, qty: float, days_ago: int, item: str | None = None) -> Any:
        side = "t_warehouse" if purpose == "Material Receipt" else "s_warehouse"
        entry = frappe.get_doc(
            {
                "doctype": "Stock Entry", "company": self.company, "stock_entry_type": purpose,
                "set_posting_time": 1, "posting_date": add_days(nowdate(), -days_ago), "posting_time": "08:00:00",
                "items": [{"item_code": item or self.item, "qty": qty, side: self.warehouse, "basic_rate": 5}],
            }
        )  # fmt: skip
        entry.insert().submit()
        frappe.db.commit()
        return entry

    def _deliver(self, qty: float, days_ago: int, item: str | None = None) -> Any:
        note = self._note([(item or self.item, qty)], days_ago)
        note.submit()
        frappe.db.commit()
        return note

    def _note(self, lines: list[tuple[str, float]], days_ago: int) -> Any:
        return frappe.get_doc(
            {
                "doctype": "Delivery Note", "company": self.company, "customer": self.customer,
                "currency": frappe.db.get_value("Company", self.company, "default_currency"),
                "set_posting_time": 1, "posting_date": add_days(nowdate(), -days_ago), "posting_time": "12:00:00",
                "items": [
                    {"item_code": item, "qty": qty, "rate": 10, "warehouse": self.warehouse} for item, qty in lines
                ],
            }
        ).insert()  # fmt: skip

    def _return(self, qty: float, days_ago: int) -> Any:
        from erpnext.stock.doctype.delivery_note.delivery_note import make_sales_return

        returned = make_sales_return(self.note.name)
        returned.set_posting_time = 1
        returned.posting_date = add_days(nowdate(), -days_ago)
        returned.items[0].qty = -qty
        returned.insert().submit()
        frappe.db.commit()
        return returned

    def _reconcile(self, qty: float, days_ago: int) -> Any:
        reconciliation = frappe.get_doc(
            {
                "doctype": "Stock Reconciliation", "company": self.company, "purpose": "Stock Reconciliation",
                "set_posting_time": 1, "posting_date": add_days(nowdate(), -days_ago), "posting_time": "15:00:00",
                "items": [{
                    "item_code": self.item, "warehouse": self.warehouse, "qty": qty, "valuation_rate": 5,
                }],
            }
        )  # fmt: skip
        reconciliation.insert().submit()
        frappe.db.commit()
        return reconciliation

    def _clear_marks(self) -> None:
        frappe.db.delete("Demand Mark")
        frappe.db.commit()

    def _past_the_overlap(self) -> None:
        """As if the last changes had been taken in long ago."""
        ahead: datetime = now_datetime() + changes.OVERLAP + timedelta(minutes=1)
        for field in ("ledger_modified_until", "bin_modified_until"):
            frappe.db.set_single_value("Demand Watermark", field, ahead)
        frappe.db.commit()
