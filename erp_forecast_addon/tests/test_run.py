"""Runs on a live site: the lock in MariaDB, a killed worker, and a company that ERPNext itself is not ready for."""

import subprocess
import sys
from pathlib import Path
from unittest.mock import patch

import frappe

from erp_forecast_addon.services import decisions, drafting, pace, publish
from erp_forecast_addon.services.run import run_company
from erp_forecast_addon.site.frappe_site import FrappeSite
from erp_forecast_addon.tests.factories import BenchShop, ShopTestCase, clear
from erp_forecast_addon.tests.order_scenarios import refused

IGNORE_TEST_RECORD_DEPENDENCIES = ["Company", "Item", "Supplier", "Purchase Order"]
test_ignore = IGNORE_TEST_RECORD_DEPENDENCIES


# Who has to approve an open order and until when, looked up at the end of each run, which the killed one did not reach.
LOOKED_UP_ANEW = {"approval_level", "approval_reason", "approve_by", "waiting_cost", "waiting_costs", "modified"}


class TestRun(ShopTestCase):
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
        for name, before in made.items():  # nothing but what every run looks up anew about an open order
            changed = {field for field, value in before.items() if orders[name][field] != value}
            assert changed <= LOOKED_UP_ANEW, (name, changed)

    def test_a_run_records_its_steps(self) -> None:
        self.shop.stocked_item("Bolt")
        run = self.shop.run()
        assert run["status"] == "Completed"
        assert [step["status"] for step in run["steps"]] == ["Done"] * 13
        assert all(step["seconds"] >= 0 for step in run["steps"])
        assert (run["forecasts"], run["policies"], run["orders_created"]) == (1, 1, 1)

    def test_a_step_at_work_says_how_far_it_is_where_it_has_committed(self) -> None:
        self.suppliers(3)
        company = self.shop.company
        told: list[tuple[float, str]] = []

        class Listening(FrappeSite):
            def report_progress(self, run: str, percent: float, step: str) -> None:
                if ": " in step:
                    assert frappe.db.transaction_writes == 0, f"{step}: something half done would become visible"
                super().report_progress(run, percent, step)

            def commit(self) -> None:
                super().commit()
                running = {"company": company, "status": "Running"}
                told.extend(frappe.get_all("Forecast Run", running, ["progress_pct", "current_step"], as_list=True))

        with (
            patch.object(pace, "QUIET_SECONDS", -1.0), patch.object(pace, "SECONDS_BETWEEN", -1.0),
            patch.object(publish, "ROWS_AT_ONCE", 1), patch.object(drafting, "COMMIT_EVERY", 1),
        ):  # fmt: skip
            run_company(Listening(), company, triggered_by="Command")
        seen = list(dict.fromkeys(told))
        percents = [percent for percent, _step in seen]
        assert percents == sorted(percents), seen
        steps = {step for _percent, step in seen}
        for expected in (
            "Refresh demand: demand of each day", "Forecast and plan: judging methods on the past",
            "Publish forecasts: 1 of 3", "Draft orders: 2 of 3 orders", "Publish policies: 2 of 3",
        ):  # fmt: skip
            assert expected in steps, (expected, sorted(steps))

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
        # What clear() finds by the item's group; the next Ghost must not meet it.
        frappe.db.delete("Item Price", {"item_code": "Ghost"})
        for child in ("UOM Conversion Detail", "Item Default"):
            frappe.db.delete(child, {"parent": "Ghost"})
        frappe.db.commit()
        run = self.shop.run()
        assert run["status"] == "Completed"
        assert [line["item_code"] for order in self.shop.orders() for line in order["items"]] == ["Bolt"]
        (case,) = self.shop.cases(exception_type="Bad Data")
        assert "Ghost" in case["message"]
        assert not case["item_code"]

    def test_a_company_without_a_fiscal_year_is_planned_and_another_goes_on(self) -> None:
        """ERPNext asks for the year only where a Budget exists: then it refuses to submit, and says so."""
        other = BenchShop("Forecast Second Shop", "FSS")
        other.stocked_item("Other Bolt")
        self.shop.stocked_item("Bolt", "Fast Supplies")
        self.shop.stocked_item("Gear", "Slow Supplies")
        try:
            self.leave_years_to(other.company)
            run = self.shop.run()
            assert (run["status"], run["orders_created"]) == ("Completed", 2)
            first, second = (order["name"] for order in self.shop.orders())
            assert not frappe.get_all("Budget")
            decisions.approve(self.shop.site, first)
            assert self.state_of(first) == ("Approved", 1)
            frappe.get_doc({"doctype": "Budget", "company": other.company, "budget_against": "Cost Center"}).db_insert()
            with refused("is not in any active Fiscal Year for Forecast Shop"):
                decisions.approve(self.shop.site, second)
            assert self.state_of(second) == ("Proposed", 0)
            frappe.db.delete("Budget")
            assert other.run()["status"] == "Completed"
            (order,) = other.orders()
            decisions.approve(other.site, order["name"])
            assert self.state_of(order["name"]) == ("Approved", 1)
        finally:
            frappe.db.rollback()
            frappe.db.delete("Budget", {"company": other.company})
            frappe.db.delete("Fiscal Year Company", {"company": other.company})
            frappe.db.commit()
            frappe.clear_cache()
            clear(other.company)

    def leave_years_to(self, company: str) -> None:
        """Every fiscal year is this company's alone; ERPNext takes a year without companies for everybody's."""
        for name in frappe.get_all("Fiscal Year", pluck="name"):
            year = frappe.get_doc("Fiscal Year", name)
            year.append("companies", {"company": company})
            year.save()
        frappe.db.commit()
        frappe.clear_cache()

    def state_of(self, name: str) -> tuple[str, int]:
        record = frappe.get_doc("Auto Purchase Order", name)
        return record.status, frappe.db.get_value("Purchase Order", record.purchase_order, "docstatus")
