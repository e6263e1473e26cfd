"""Runs on a live site: the lock in MariaDB, a killed worker, and a company that ERPNext itself is not ready for."""

import subprocess
import sys
from pathlib import Path

import frappe
from frappe.tests.utils import FrappeTestCase

from erp_forecast_addon.services import decisions
from erp_forecast_addon.tests.factories import BenchShop, clear

IGNORE_TEST_RECORD_DEPENDENCIES = ["Company", "Item", "Supplier", "Purchase Order"]
test_ignore = IGNORE_TEST_RECORD_DEPENDENCIES


class TestRun(FrappeTestCase):
    def setUp(self) -> None:
        self.shop = BenchShop()

    def tearDown(self) -> None:
        frappe.db.rollback()
        clear()

    def suppliers(self, count: int) -> None:
        for number in range(count):
            self.shop.stocked_item(f"Item {number:02d}", f"Supplier {number:02d}", days=30)

    def process(self, trigger: str, dies_at: str = "-") -> "subprocess.Popen[str]":
        bench = Path(frappe.utils.get_bench_path())
        process = subprocess.Popen(
            [sys.executable, "-m", "erp_forecast_addon.tests.planning_process", str(bench), frappe.local.site, trigger,
             dies_at],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        return process

    def go(self, process: "subprocess.Popen[str]") -> None:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()

    def states(self) -> list[str]:
        frappe.db.commit()
        return sorted(run["status"] for run in self.shop.rows("Forecast Run", company=self.shop.company))

    def test_button_scheduler_and_command_at_once_one_runs_the_others_are_refused(self) -> None:
        self.suppliers(4)
        processes = [self.process(trigger) for trigger in ("Button", "Scheduler", "Command")]
        for process in processes:
            self.go(process)
        answers = sorted(process.communicate(timeout=240)[0].strip() for process in processes)
        assert [answer.split()[0] for answer in answers] == ["completed", "refused", "refused"], answers
        assert all("Forecast Shop is being planned already" in answer for answer in answers[1:])
        assert self.states() == ["Completed"]
        assert len(self.shop.orders()) == len(self.shop.drafts()) == 4

    def test_a_killed_worker_leaves_no_half_and_the_next_run_does_the_rest(self) -> None:
        self.suppliers(7)
        process = self.process("Scheduler", "order:7")
        self.go(process)
        process.wait(timeout=240)
        assert process.returncode == -9
        assert self.states() == ["Running"]
        made = {order["name"]: order for order in self.shop.orders()}
        assert len(made) == 5, "the first group was committed, the second was not"
        assert {order["purchase_order"] for order in made.values()} == {draft["name"] for draft in self.shop.drafts()}
        self.shop.run()
        assert self.states() == ["Completed", "Interrupted"]
        orders = {order["name"]: order for order in self.shop.orders()}
        assert len(orders) == len(self.shop.drafts()) == 7
        assert {name: orders[name] for name in made} == made, "what stood already was not touched"

    def test_a_run_records_its_steps(self) -> None:
        self.shop.stocked_item("Bolt")
        run = self.shop.run()
        assert run["status"] == "Completed"
        assert [step["status"] for step in run["steps"]] == ["Done"] * 8
        assert all(step["seconds"] >= 0 for step in run["steps"])
        assert (run["forecasts"], run["policies"], run["orders_created"]) == (1, 1, 1)

    def test_exceptions_are_inserted_as_documents_and_go_to_their_owner(self) -> None:
        self.shop.settings(exception_owner="Administrator")
        self.shop.item("Orphan", lead_time_days=5)
        self.shop.history("Orphan", on_hand=0)
        self.shop.run()
        (case,) = self.shop.cases(exception_type="No Supplier")
        assert case["responsible"] == "Administrator"
        assert "the item has no supplier" in case["message"]
        self.shop.settings(exception_owner=None)

    def test_a_deleted_item_that_the_ledger_still_knows_stops_nothing(self) -> None:
        self.shop.stocked_item("Bolt")
        self.shop.stocked_item("Ghost")
        frappe.db.delete("Item", {"name": "Ghost"})
        frappe.db.commit()
        run = self.shop.run()
        assert run["status"] == "Completed"
        assert [line["item_code"] for order in self.shop.orders() for line in order["items"]] == ["Bolt"]
        (case,) = self.shop.cases(exception_type="Bad Data")
        assert "Ghost" in case["message"]
        assert not case["item_code"]

    def test_a_company_without_a_fiscal_year_is_planned_and_says_so_at_approval(self) -> None:
        self.shop.stocked_item("Bolt")
        disabled = frappe.get_all("Fiscal Year", filters={"disabled": 0}, pluck="name")
        try:
            for name in disabled:
                frappe.db.set_value("Fiscal Year", name, "disabled", 1)
            frappe.db.commit()
            frappe.clear_cache()
            run = self.shop.run()
            assert (run["status"], run["orders_created"]) == ("Completed", 1)
            (order,) = self.shop.orders()
            self.approval = ""
            try:
                decisions.approve(self.shop.site, order["name"])
            except Exception as error:
                self.approval = str(error)
            assert self.approval == "" or "Fiscal Year" in self.approval, self.approval
        finally:
            frappe.db.rollback()
            for name in disabled:
                frappe.db.set_value("Fiscal Year", name, "disabled", 0)
            frappe.db.commit()
            frappe.clear_cache()
