"""People and runs at the same draft at the same time: processes of their own on MariaDB, put into each other stage by
stage. No edit is lost without a word, and nothing is ordered twice."""

import json
import subprocess
import sys
import time
from pathlib import Path
from select import select
from typing import Any, ClassVar

import frappe
from frappe.tests.utils import FrappeTestCase

from erp_forecast_addon.tests import site_records as made
from erp_forecast_addon.tests.factories import BenchShop, clear

IGNORE_TEST_RECORD_DEPENDENCIES = ["Company", "Item", "Supplier", "Purchase Order", "User", "Role"]
test_ignore = IGNORE_TEST_RECORD_DEPENDENCIES

# No statement of these tests takes so long by itself.
BLOCKED_MS = 400
PATIENCE_SECONDS = 60
CHANGED = "was changed by somebody else a moment ago"


class Actor:
    """A process of acting_process.py and what it is told to do. Each call brings it to its next stage."""

    # Processes that have ended what they were told and wait for more; starting one takes longer than most acts.
    idle: ClassVar[list["subprocess.Popen[str]"]] = []

    def __init__(self, user: str, act: str, *words: str) -> None:
        self.process = self.idle.pop() if self.idle else self._started()
        self.act, self.ended = act, False
        self._write(json.dumps([user, act, *words]))

    @staticmethod
    def _started() -> "subprocess.Popen[str]":
        bench = frappe.utils.get_bench_path()
        command = [sys.executable, "-m", "erp_forecast_addon.tests.acting_process", bench, frappe.local.site]
        return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=Path(bench))

    def comes_to(self, stage: str) -> "Actor":
        said = self.answer()
        assert said == stage, f"{self.act} came to “{said}”, not to “{stage}”"
        return self

    def answer(self) -> str:
        assert self.process.stdout is not None
        said = self.process.stdout.readline().strip()
        if said.split()[:1] in (["done"], ["refused"]):
            self.ended = True
            self.idle.append(self.process)
        return said

    def go(self) -> "Actor":
        self._write("go")
        return self

    def _write(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()

    def go_and_block(self) -> "Actor":
        """On, until it has run into the lock of another process, or has something to say after all."""
        self.go()
        until = time.monotonic() + PATIENCE_SECONDS
        while not self._waits_for_a_lock() and not select([self.process.stdout], [], [], 0.02)[0]:
            assert time.monotonic() < until, f"{self.act} neither waits for a lock nor comes to a stage"
        return self

    @staticmethod
    def _waits_for_a_lock() -> bool:
        """A statement of another connection of this site has been running for so long that only a lock explains it."""
        rows = frappe.db.sql(
            """select count(*) from information_schema.processlist
            where db = database() and id != connection_id() and command = 'Query' and time_ms > %s""",
            BLOCKED_MS,
        )
        return bool(rows[0][0])

    def end(self) -> str:
        """The last word: through the stages that are left."""
        while True:
            said = self.answer()
            if not said or self.ended:
                return said
            self.go()

    def stop(self) -> None:
        """What a test that failed has left at a stage."""
        if not self.ended:
            self.close(self.process)

    @staticmethod
    def close(process: "subprocess.Popen[str]") -> None:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()


def tearDownModule() -> None:
    while Actor.idle:
        Actor.close(Actor.idle.pop())


class ConcurrencyTestCase(FrappeTestCase):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        frappe.set_user("Administrator")
        cls.buyer = made.user("concurrent-buyer", "Purchase User", "Purchase Manager", "Forecast Planner")
        cls.approver = made.user("concurrent-approver", made.APPROVER, "Purchase Manager")
        cls.second = made.user("concurrent-second", made.APPROVER, "Purchase Manager")

    @classmethod
    def tearDownClass(cls) -> None:
        BenchShop()  # nobody's limits, as at first
        super().tearDownClass()

    def setUp(self) -> None:
        self.actors: list[Actor] = []
        self.shop = BenchShop(approvers=self.up_to(1e9))

    def tearDown(self) -> None:
        for actor in self.actors:
            actor.stop()
        frappe.db.rollback()

    def up_to(self, limit: float) -> dict[str, float]:
        """Both approvers may approve so much."""
        return {self.approver: limit, self.second: limit}

    def actor(self, user: str, act: str, *words: Any) -> Actor:
        frappe.db.commit()
        self.actors.append(Actor(user, act, *map(str, words)))
        return self.actors[-1]

    def drafted(self, **values: Any) -> dict[str, Any]:
        """One order of one line, 5 a piece."""
        self.shop.stocked_item("Bolt", "Fast Supplies", days=30, **values)
        self.shop.run()
        (record,) = self.shop.orders()
        return record

    def record(self, name: str) -> dict[str, Any]:
        frappe.db.commit()
        return frappe.get_doc("Auto Purchase Order", name).as_dict()

    def natives(self) -> list[dict[str, Any]]:
        """Every native order of the company that is not cancelled."""
        frappe.db.commit()
        rows = self.shop.rows("Purchase Order", company=self.shop.company)
        return [row for row in rows if row["docstatus"] < 2]

    def ordered(self, item_code: str = "Bolt") -> list[float]:
        """The item's quantity on every native order that stands."""
        return [line["qty"] for order in self.natives() for line in order["items"] if line["item_code"] == item_code]


class TestApprovalAndEdit(ConcurrencyTestCase):
    def test_what_a_buyer_saved_since_the_approver_looked_is_not_approved_unseen(self) -> None:
        record = self.drafted()
        for act in ("approve", "decide"):
            with self.subTest(act):
                approver = self.actor(self.approver, act, record["name"]).comes_to("seen")
                buyer = self.actor(self.buyer, "edit", record["purchase_order"], "Bolt", 7 if act == "approve" else 9)
                assert buyer.comes_to("opened").go().end() == "done"
                assert CHANGED in approver.go().end()
                assert self.record(record["name"])["status"] == "Proposed"
        assert [(order["docstatus"], order["items"][0]["qty"]) for order in self.natives()] == [(0, 9.0)]

    def test_an_edit_that_is_just_being_saved_does_not_slip_past_the_limit(self) -> None:
        record = self.drafted()
        self.shop.settings(approvers=self.up_to(record["base_total_amount"] + 1))
        buyer = self.actor(self.buyer, "edit", record["purchase_order"], "Bolt", 5000).comes_to("opened").go()
        buyer.comes_to("saved")
        approver = self.actor(self.approver, "approve", record["name"]).comes_to("seen").go_and_block()
        assert buyer.go().end() == "done"
        assert CHANGED in approver.end()
        assert self.ordered() == [5000.0]
        assert self.natives()[0]["docstatus"] == 0
        again = self.actor(self.approver, "approve", record["name"]).comes_to("seen").go().end()
        assert "may approve up to" in again, "he has seen it now, and it is more than he may"

    def test_a_buyer_who_saves_what_was_approved_meanwhile_is_told(self) -> None:
        record = self.drafted()
        qty = record["items"][0]["qty"]
        buyer = self.actor(self.buyer, "edit", record["purchase_order"], "Bolt", qty + 50).comes_to("opened")
        approver = self.actor(self.approver, "approve", record["name"]).comes_to("seen").go().comes_to("decided")
        buyer.go_and_block()
        assert approver.go().end() == "done"
        assert buyer.end().split()[:2] == ["refused", "TimestampMismatchError"]
        assert [(order["docstatus"], order["items"][0]["qty"]) for order in self.natives()] == [(1, qty)]
        assert self.record(record["name"])["status"] == "Approved"

    def test_rejecting_does_not_throw_away_what_a_buyer_just_saved(self) -> None:
        record = self.drafted()
        approver = self.actor(self.approver, "reject", record["name"]).comes_to("seen")
        buyer = self.actor(self.buyer, "edit", record["purchase_order"], "Bolt", 7)
        assert buyer.comes_to("opened").go().end() == "done"
        assert CHANGED in approver.go().end()
        assert self.ordered() == [7.0]
        assert self.record(record["name"])["status"] == "Proposed"


class TestTwoDecisions(ConcurrencyTestCase):
    def both(self, first: str, second: str) -> tuple[dict[str, Any], list[str]]:
        """Both have seen the proposed order; the second decides while the first is not committed yet."""
        record = self.drafted()
        one, two = self.actor(self.approver, first, record["name"]), self.actor(self.second, second, record["name"])
        two.comes_to("seen")
        one.comes_to("seen").go().comes_to("decided")
        two.go_and_block()
        return self.record(record["name"]), [one.go().end(), two.end()]

    def test_approved_twice_at_once_it_is_ordered_once(self) -> None:
        for pair in (("approve", "approve"), ("decide", "decide")):
            with self.subTest(pair):
                record, answers = self.both(*pair)
                assert answers[0] == "done"
                assert answers[1].startswith("refused"), answers
                assert [order["docstatus"] for order in self.natives()] == [1]
                now = self.record(record["name"])
                assert (now["status"], now["decided_by"]) == ("Approved", self.approver)
                assert frappe.db.count("Order Approval Time", {"purchase_order": record["purchase_order"]}) == 1
                clear()

    def test_where_drafts_are_only_released_the_first_decision_stands_too(self) -> None:
        self.shop.settings(on_approval="Release Draft")
        for pair in (("approve", "decide"), ("decide", "reject")):
            with self.subTest(pair):
                record, answers = self.both(*pair)
                assert answers[0] == "done"
                assert answers[1].startswith("refused"), answers
                now = self.record(record["name"])
                assert (now["status"], now["decided_by"]) == ("Approved", self.approver)
                assert [order["docstatus"] for order in self.natives()] == [0], "the released draft is there"
                clear()

    def test_rejected_first_it_is_not_approved(self) -> None:
        record, answers = self.both("reject", "approve")
        assert answers[0] == "done"
        assert answers[1].startswith("refused"), answers
        assert self.natives() == []
        assert self.record(record["name"])["status"] == "Rejected"


class TestRunAndPeople(ConcurrencyTestCase):
    def run_at(self, stage: str) -> Actor:
        return self.actor("Administrator", "run", self.shop.company, stage).comes_to(stage)

    def more_needed(self) -> None:
        """The next run has other quantities for the draft."""
        self.shop.move("Bolt", -50, -30)

    def test_a_draft_edited_between_plan_and_drafting_stays_the_buyers(self) -> None:
        record = self.drafted()
        self.more_needed()
        run = self.run_at("planned")
        buyer = self.actor(self.buyer, "edit", record["purchase_order"], "Bolt", 7)
        assert buyer.comes_to("opened").go().end() == "done"
        assert run.go().end() == "done"
        assert self.ordered() == [7.0]
        assert self.record(record["name"])["edited_by_person"] == 1

    def test_a_draft_saved_while_the_run_rewrites_it_is_kept_or_its_buyer_is_told(self) -> None:
        record = self.drafted()
        self.more_needed()
        run = self.run_at("replace_order_lines")
        buyer = self.actor(self.buyer, "edit", record["purchase_order"], "Bolt", 7).comes_to("opened").go_and_block()
        assert run.go().end() == "done"
        said = buyer.end()
        (qty,) = self.ordered()
        if said == "done":
            assert qty == 7.0, "his edit was lost without a word"
        else:
            assert "TimestampMismatchError" in said
            assert qty != 7.0
            assert qty == self.record(record["name"])["items"][0]["qty"]

    def test_a_draft_saved_while_the_run_withdraws_it_is_kept_or_its_buyer_is_told(self) -> None:
        record = self.drafted()
        self.shop.move("Bolt", 5000, 5000)
        run = self.run_at("delete_order")
        buyer = self.actor(self.buyer, "edit", record["purchase_order"], "Bolt", 7).comes_to("opened").go_and_block()
        assert run.go().end() == "done"
        said = buyer.end()
        if said == "done":
            assert self.ordered() == [7.0], "his edit was lost without a word"
        else:
            assert said.startswith("refused")
            assert self.ordered() == []

    def test_an_order_approved_between_plan_and_drafting_is_not_ordered_again(self) -> None:
        record = self.drafted()
        self.more_needed()
        run = self.run_at("planned")
        assert self.actor(self.approver, "approve", record["name"]).comes_to("seen").go().end() == "done"
        assert run.go().end() == "done"
        assert self.ordered() == [record["items"][0]["qty"]]
        assert [order["docstatus"] for order in self.natives()] == [1]

    def test_an_order_approved_while_the_run_rewrites_it_is_what_was_approved(self) -> None:
        for setting in ("Submit Purchase Order", "Release Draft"):
            with self.subTest(setting):
                self.shop.settings(on_approval=setting)
                record = self.drafted()
                self.more_needed()
                approver = self.actor(self.approver, "approve", record["name"]).comes_to("seen")
                run = self.run_at("replace_order_lines")
                approver.go_and_block()
                assert run.go().end() == "done"
                said = approver.end()
                (qty,) = self.ordered()
                now = self.record(record["name"])
                if said == "done":
                    assert (now["status"], qty) == ("Approved", record["items"][0]["qty"])
                else:
                    assert (now["status"], qty) == ("Proposed", now["items"][0]["qty"])
                assert now["total_amount"] == self.natives()[0]["total"]
                clear()

    def test_a_draft_that_a_person_took_while_its_supplier_changed_is_not_ordered_there_too(self) -> None:
        record = self.drafted()
        self.shop.supplier("Slow Supplies")
        self.shop.source("Bolt", "Slow Supplies", 4.0)
        for act in ("edit", "approve"):
            with self.subTest(act):
                run = self.run_at("planned")
                if act == "edit":
                    person = self.actor(self.buyer, "edit", record["purchase_order"], "Bolt", 7).comes_to("opened")
                else:
                    person = self.actor(self.approver, "approve", record["name"]).comes_to("seen")
                assert person.go().end() == "done"
                assert run.go().end() == "done"
                assert self.ordered() == [7.0]

    def test_a_buyer_who_takes_the_draft_from_under_a_withdrawal_keeps_the_item(self) -> None:
        """The drafts are read, the supplier has changed, and only then does he save: nothing is ordered twice."""
        for item_code in ("Bolt", "Nut"):
            self.shop.stocked_item(item_code, f"Old Supplier of {item_code}", days=30)
        self.shop.run()
        self.shop.supplier("Slow Supplies")
        for item_code in ("Bolt", "Nut"):
            self.shop.source(item_code, "Slow Supplies", 4.0)
        # The older draft is withdrawn first; the run stops there, with the other one before it.
        _first, last = sorted(self.shop.orders(), key=lambda each: (each["creation"], each["name"]))
        (item_code,) = (line["item_code"] for line in last["items"])
        run = self.run_at("delete_order")
        buyer = self.actor(self.buyer, "edit", last["purchase_order"], item_code, 7)
        assert buyer.comes_to("opened").go().end() == "done"
        assert run.go().end() == "done"
        assert self.ordered(item_code) == [7.0]
        assert len(self.ordered("Nut" if item_code == "Bolt" else "Bolt")) == 1

    def test_two_runs_at_once_and_a_third_one_draft_everything_once(self) -> None:
        for number in range(3):
            self.shop.stocked_item(f"Item {number}", f"Supplier {number}", days=30)
        first = self.run_at("insert_order")
        second = self.actor("Administrator", "run", self.shop.company, "-")
        assert "is being planned already" in second.end()
        assert first.go().end() == "done"
        assert self.actor("Administrator", "run", self.shop.company, "-").end() == "done"
        assert [len(self.ordered(f"Item {number}")) for number in range(3)] == [1, 1, 1]
