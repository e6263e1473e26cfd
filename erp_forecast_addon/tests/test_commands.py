"""The commands and the demo on a live site: real processes, real documents, and no trace afterwards."""

import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import frappe
from frappe.tests.utils import FrappeTestCase

from erp_forecast_addon.setup import demo_catalog as catalog
from erp_forecast_addon.setup import demo_live
from erp_forecast_addon.setup.demo import remove_demo
from erp_forecast_addon.setup.demo_data import demo_data
from erp_forecast_addon.site.frappe_site import FrappeSite

test_ignore = ["Company", "Item"]
IGNORE_TEST_RECORD_DEPENDENCIES = ["Company", "Item"]

# A full year takes minutes; the commands do not mind a shorter one.
DAYS = 35
REFUSED = 2
# What ERPNext and Frappe write of their own accord whenever any company or document is made or any command runs.
_NOT_OURS = frozenset(
    {"tabProperty Setter", "tabSingles", "tabSeries", "tabError Log", "tabScheduled Job Log", "tabRoute History"}
)
# Frappe's own note that a document was deleted is no trace of the demo.
_COUNTED = {"tabComment": "comment_type != 'Deleted'"}


def command(*words: str) -> subprocess.CompletedProcess[str]:
    """`bench --site SITE forecast …`, in a process of its own as a user starts it."""
    return subprocess.run(
        [sys.executable, "-m", "frappe.utils.bench_helper", "frappe", "--site", frappe.local.site, "forecast", *words],
        cwd=Path(frappe.local.sites_path).resolve(),
        capture_output=True,
        text=True,
        timeout=600,
    )


def row_counts() -> dict[str, int]:
    frappe.db.commit()
    tables = frappe.db.get_tables(cached=False)
    return {
        name: frappe.db.sql(f"select count(*) from `{name}` where {_COUNTED.get(name, '1 = 1')}")[0][0]
        for name in tables
        if name not in _NOT_OURS
    }


class TestCommandsWithDemo(FrappeTestCase):
    """One demo for all of them: made in setUpClass, removed and compared in tearDownClass."""

    before: dict[str, int]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        if demo_live.exists():
            remove_demo(FrappeSite())
        cls.before = row_counts()
        as_of = FrappeSite().as_of()
        demo_live.write(demo_data(as_of, small=True, day_count=DAYS), lambda done, of_all, what: None)

    @classmethod
    def tearDownClass(cls) -> None:
        frappe.db.commit()
        if demo_live.exists():
            remove_demo(FrappeSite())
        super().tearDownClass()

    def setUp(self) -> None:
        frappe.db.commit()  # see what the commands' processes have committed

    def test_1_the_documents_went_through_erpnext(self) -> None:
        for doctype in ("Delivery Note", "Purchase Order", "Purchase Receipt", "Stock Entry"):
            count = frappe.db.count(doctype, {"company": catalog.COMPANY, "docstatus": 1})
            self.assertGreater(count, 0, doctype)
        self.assertEqual(frappe.db.count("Stock Ledger Entry", {"company": catalog.COMPANY, "actual_qty": 0}), 0)
        stock = frappe.db.sql(
            "select min(actual_qty) from tabBin where warehouse in (select name from tabWarehouse where company=%s)",
            catalog.COMPANY,
        )
        self.assertGreaterEqual(stock[0][0], 0)

    def test_2_a_run_drafts_orders_and_says_so(self) -> None:
        result = command("run", "--company", catalog.COMPANY)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("Drafted orders", result.stdout)
        self.assertIn("100%", result.stderr)
        frappe.db.commit()
        orders = frappe.get_all("Auto Purchase Order", filters={"company": catalog.COMPANY}, pluck="purchase_order")
        self.assertGreaterEqual(len(orders), 1)
        self.assertEqual(frappe.db.count("Purchase Order", {"name": ("in", orders), "docstatus": 0}), len(orders))

    def test_3_status_orders_show_and_report(self) -> None:
        self.assertIn("Completed", command("status").stdout)
        name = frappe.get_all("Auto Purchase Order", filters={"company": catalog.COMPANY}, pluck="name")[0]
        self.assertIn(name, command("orders", "--company", catalog.COMPANY).stdout)
        self.assertIn("safety stock", command("show", "FDEMO-ESP-1KG").stdout)
        page = Path(frappe.get_site_path("private", "files", "forecast-report.html"))
        try:
            result = command("report", "--company", catalog.COMPANY, "--html", str(page.resolve()), "--items", "2")
            self.assertEqual(result.stdout.strip(), str(page.resolve()), result.stderr)
            self.assertEqual(page.read_text(encoding="utf-8").count("<article"), 2)
        finally:
            page.unlink(missing_ok=True)

    def test_4_an_order_is_rejected_and_another_approved(self) -> None:
        names = frappe.get_all(
            "Auto Purchase Order", filters={"company": catalog.COMPANY, "status": "Proposed"}, pluck="name"
        )
        approved = command("approve", names[0])
        self.assertIn("is approved", approved.stdout, approved.stderr)
        frappe.db.commit()
        order = frappe.db.get_value("Auto Purchase Order", names[0], "purchase_order")
        self.assertEqual(frappe.db.get_value("Purchase Order", order, "docstatus"), 1)
        again = command("reject", names[0], "--reason", "Too late")
        self.assertEqual(again.returncode, REFUSED)
        self.assertIn("Only a proposed order", again.stderr)

    def test_5_bad_input_gets_a_sentence(self) -> None:
        tomorrow = str(FrappeSite().as_of() + timedelta(days=2))
        for words, expected in (
            (("run", "--company", "Nobody"), "There is no company Nobody"),
            (("run", "--company", catalog.COMPANY, "--as-of", tomorrow), "cannot be planned from"),
            (("show", "NOPE"), "There is no item NOPE"),
            (("demo", "create"), "is there already"),
        ):
            result = command(*words)
            self.assertEqual(result.returncode, REFUSED, words)
            self.assertIn(expected, result.stderr)
            self.assertNotIn("Traceback", result.stderr)

    def test_6_a_second_run_is_refused_while_one_is_under_way(self) -> None:
        from erp_forecast_addon.services.run import lock_name

        with FrappeSite().lock(lock_name(catalog.COMPANY)) as got:
            self.assertTrue(got)
            result = command("run", "--company", catalog.COMPANY)
        self.assertEqual(result.returncode, REFUSED)
        self.assertIn("being planned already", result.stderr)

    def test_7_removing_leaves_the_site_as_it_was(self) -> None:
        result = command("demo", "remove")
        self.assertEqual(result.returncode, 0, result.stderr)
        after = row_counts()
        changed = {name: (count, after.get(name)) for name, count in self.before.items() if after.get(name) != count}
        self.assertEqual(changed, {})
        gone = command("demo", "remove")
        self.assertEqual(gone.returncode, REFUSED)
        self.assertIn("no demo company", gone.stderr)
