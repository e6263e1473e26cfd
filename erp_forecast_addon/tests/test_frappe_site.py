"""The contract of the Site port on a live site, and what only a live site has: indexes, locks, users."""

import threading
from collections.abc import Callable
from datetime import date

import frappe
from frappe.tests.utils import FrappeTestCase

from erp_forecast_addon.planning.errors import Refused
from erp_forecast_addon.site import doctypes
from erp_forecast_addon.site.frappe_site import FrappeSite, ensure_indexes
from erp_forecast_addon.site.port import Site
from erp_forecast_addon.tests import site_contract
from erp_forecast_addon.tests.erpnext_world import ERPNextWorld
from erp_forecast_addon.tests.site_contract import SUPPLIER

IGNORE_TEST_RECORD_DEPENDENCIES = ["Company", "Item"]
test_ignore = ["Company", "Item"]


class TestFrappeSite(site_contract.SiteContract, FrappeTestCase):
    """FrappeTestCase rolls the class back at its end; nothing here commits."""

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        frappe.set_user("Administrator")
        cls.site = FrappeSite()
        cls.site_name = frappe.local.site
        cls.world = ERPNextWorld()
        cls.business = site_contract.make_business(cls.world, cls.site.now().date())

    def test_days_in_sentences_follow_the_system_settings_at_once(self) -> None:
        settings = frappe.get_doc("System Settings")
        for date_format, shown in (("dd.mm.yyyy", "20.11.2026"), ("mm/dd/yyyy", "11/20/2026")):
            settings.date_format = date_format
            settings.save()
            frappe.local.user_date_format = None  # kept for a request
            self.assertEqual(self.site.translate("By {day}.").format(day=date(2026, 11, 20)), f"By {shown}.")

    def test_our_unique_keys_are_in_the_database(self) -> None:
        for doctype, columns in doctypes.UNIQUE_KEYS.items():
            rows = frappe.db.sql(f"SHOW INDEX FROM `tab{doctype}` WHERE Non_unique = 0", as_dict=True)
            by_name: dict[str, list[str]] = {}
            for row in sorted(rows, key=lambda each: each.Seq_in_index):
                by_name.setdefault(row.Key_name, []).append(row.Column_name)
            self.assertIn(list(columns), list(by_name.values()), doctype)

    def test_a_lock_of_another_connection_is_seen_and_freed_with_it(self) -> None:
        held, done, told = threading.Event(), threading.Event(), {}

        def hold(site: Site) -> list[bool]:
            with self.assertRaisesRegex(RuntimeError, "was lost before it was released"), site.lock("contract") as got:
                told["got"] = got
                held.set()
                done.wait(20)
                frappe.db._conn.close()  # as if the process had died: no release
                frappe.db._conn = None
            return [True]

        other = threading.Thread(target=lambda: told.update(ended=self.on_another_connection(hold)))
        other.start()
        held.wait(20)
        with self.site.lock("contract") as meanwhile:
            self.assertFalse(meanwhile)
        done.set()
        other.join(20)
        self.assertTrue(told["got"])
        self.assertEqual(told["ended"], [True])
        with self.site.lock("contract") as afterwards:
            self.assertTrue(afterwards)

    def test_a_lock_that_is_lost_does_not_hide_what_went_wrong(self) -> None:
        def lose(site: Site) -> list[bool]:
            with self.assertRaises(ZeroDivisionError), site.lock("contract lost"):
                frappe.db.sql("SELECT RELEASE_ALL_LOCKS()")
                raise ZeroDivisionError
            return [True]

        self.assertEqual(self.on_another_connection(lose), [True])

    def on_another_connection(self, check: Callable[[Site], list[bool]]) -> list[bool]:
        told: list[bool] = []

        def carry_out(site_name: str) -> None:
            frappe.init(site_name)
            frappe.connect()
            try:
                told.extend(check(FrappeSite()))
            finally:
                frappe.destroy()

        thread = threading.Thread(target=carry_out, args=(self.site_name,))
        thread.start()
        thread.join(60)
        return told

    def test_bulk_writes_reach_cached_documents(self) -> None:
        run = self.insert_run()
        frappe.get_cached_doc("Forecast Run", run)
        table = frappe.qb.DocType("Forecast Run")
        row = self.site.fetch(frappe.qb.from_(table).select(table.name, table.company).where(table.name == run))
        self.site.upsert_rows("Forecast Run", row.assign(pairs=77), ("name",))
        self.assertEqual(frappe.get_cached_doc("Forecast Run", run).pairs, 77)

    def test_a_user_without_the_right_submits_through_us_but_not_past_the_authorization_rule(self) -> None:
        user = frappe.get_doc(
            {"doctype": "User", "email": "fc-approver@example.com", "first_name": "FC", "send_welcome_email": 0}
        ).insert(ignore_permissions=True)
        frappe.get_doc(
            {
                "doctype": "Authorization Rule", "transaction": "Purchase Order", "based_on": "Grand Total",
                "value": 1000, "company": self.world.company, "approving_role": "System Manager",
            }
        ).insert(ignore_permissions=True)  # fmt: skip
        small, large = self.insert_order(self.line(2)), self.insert_order(self.line(20))
        frappe.set_user(user.name)
        self.addCleanup(frappe.set_user, "Administrator")
        self.assertEqual(self.site.submit_order(small).docstatus, 1)
        with self.assertRaisesRegex(Refused, "Can be approved by System Manager"):
            self.site.submit_order(large)

    def test_a_draft_bears_the_taxes_that_a_rule_names(self) -> None:
        company = self.world.company
        account = frappe.db.get_value("Account", {"company": company, "root_type": "Expense", "is_group": 0})
        cost_center = frappe.db.get_value("Cost Center", {"company": company, "is_group": 0})
        row = {"charge_type": "On Net Total", "account_head": account, "rate": 7, "description": "Duty"}
        template = frappe.get_doc(
            {
                "doctype": "Purchase Taxes and Charges Template", "title": "FC Duty", "company": company,
                "taxes": [{**row, "category": "Total", "add_deduct_tax": "Add", "cost_center": cost_center}],
            }
        ).insert()  # fmt: skip
        frappe.get_doc(
            {
                "doctype": "Tax Rule", "tax_type": "Purchase", "supplier": SUPPLIER, "company": company,
                "purchase_tax_template": template.name,
            }
        ).insert()  # fmt: skip
        order = frappe.get_doc("Purchase Order", self.insert_order(self.line(2)))
        self.assertEqual((order.total, order.grand_total), (111.0, 118.77))

    def test_what_erpnext_refuses_leaves_no_message_behind(self) -> None:
        frappe.clear_messages()
        with self.assertRaises(Refused):
            self.insert_order(self.line(ahead=-3))
        self.assertEqual(frappe.get_message_log(), [])

    def test_a_supplier_that_is_gone_is_refused_with_a_sentence(self) -> None:
        with self.assertRaisesRegex(Refused, "No Such Supplier"):
            self.site.insert_order(
                self.world.company, "No Such Supplier", self.world.currency, self.today, [self.line()], ""
            )
        self.assertTrue(frappe.db.exists("Supplier", SUPPLIER))


class TestIndexes(FrappeTestCase):
    def test_they_can_be_made_any_number_of_times(self) -> None:
        before = frappe.db.sql("SHOW INDEX FROM `tabDemand Bucket`")
        ensure_indexes()
        self.assertEqual(frappe.db.sql("SHOW INDEX FROM `tabDemand Bucket`"), before)
