"""What change sets promise, told as scenarios that run on the embedded site and on a bench."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pandas as pd

from erp_forecast_addon.services import change_set_work, change_sets, who_orders, write_back
from erp_forecast_addon.site import reads
from erp_forecast_addon.tests.order_scenarios import Scenarios, refused

_SET, _LINE = "Level Change Set", "Level Change"


class ChangeSetScenarios(Scenarios):
    """ERPNext orders, levels are written back by change set; Bolt and Nut have a row, Gear has none."""

    def prepare(self) -> None:
        self.shop.settings(
            who_orders="ERPNext", draft_orders=0, write_back_levels=1, write_back_safety_stock=0,
            write_back_by="Change Set", change_tolerance_pct=5, rejected_for_days=14,
        )  # fmt: skip
        for item_code in ("Bolt", "Nut", "Gear"):
            self.shop.item(item_code, safety_stock=0)
            self.person_sets(item_code)
        self.person_sets("Bolt", (10, 20))
        self.person_sets("Nut", (5, 5))
        self.publish({"Bolt": (12.4, 30), "Nut": (4, 9), "Gear": (7, 9)})
        self.shop.site.commit()

    # ---- what happens around -----------------------------------------------------------------------------------
    def publish(self, levels: dict[str, tuple[float, float]], safety_stock: float = 2.0) -> None:
        """A run publishes reorder point and order-up-to level of these items, and nothing of others."""
        site = self.shop.site
        old = [row["name"] for row in self.shop.rows("Safety Stock Policy", company=self.shop.company)]
        site.delete_rows("Safety Stock Policy", old)
        self.run_name = site.insert_document(
            "Forecast Run", {"company": self.shop.company, "status": "Running", "triggered_by": "Command"}
        )
        site.insert_rows("Safety Stock Policy", pd.DataFrame([
            {"item_code": item_code, "warehouse": self.shop.warehouse, "company": self.shop.company, "abc_class": "A",
             "forecast_run": self.run_name, "reorder_point_qty": point, "order_up_to_qty": up_to,
             "safety_stock_qty": safety_stock, "lead_time_demand_qty": 1.0, "explanation": f"Why {item_code}."}
            for item_code, (point, up_to) in levels.items()
        ]))  # fmt: skip
        for item_code in levels:
            self.worth(item_code, 4.0)
        site.commit()

    def worth(self, item_code: str, rate: float) -> None:
        pair = {"item_code": item_code, "warehouse": self.shop.warehouse}
        found = self.shop.rows("Bin", **pair)
        if found:
            self.shop.site.set_fields("Bin", found[0]["name"], {"valuation_rate": rate})
        else:
            self.shop.site.insert_rows("Bin", pd.DataFrame([{**pair, "valuation_rate": rate, "stock_uom": "Nos"}]))

    def person_sets(self, item_code: str, *values: tuple[float, float]) -> None:
        """A person types level and quantity on the Item; no values: deletes its rows."""
        rows = [
            {"warehouse": self.shop.warehouse, "warehouse_reorder_level": level, "warehouse_reorder_qty": qty,
             "material_request_type": "Purchase"}
            for level, qty in values
        ]  # fmt: skip
        self.shop.site.update_document("Item", item_code, {"reorder_levels": rows})
        self.shop.site.commit()

    def levels(self, item_code: str) -> tuple[float, float] | None:
        rows = (self.shop.site.get_document("Item", item_code) or {})["reorder_levels"]
        assert len(rows) <= 1
        return (rows[0]["warehouse_reorder_level"], rows[0]["warehouse_reorder_qty"]) if rows else None

    def propose(self) -> change_sets.Proposal:
        settings = reads.company_settings(self.shop.site, self.shop.company)
        return change_sets.propose(self.shop.site, self.run_name, settings, self.shop.site.as_of())

    def proposed(self) -> str:
        name = self.propose().name
        assert name is not None
        return name

    def apply(self, name: str) -> change_set_work.Outcome:
        change_sets.approve(self.shop.site, name)
        return change_set_work.work(self.shop.site, name)

    def applied(self) -> str:
        name = self.proposed()
        self.apply(name)
        return name

    def roll_back(self, name: str) -> change_set_work.Outcome:
        change_sets.start_roll_back(self.shop.site, name)
        return change_set_work.work(self.shop.site, name)

    def record(self, name: str) -> dict[str, Any]:
        return self.shop.site.get_document(_SET, name) or {}

    def lines(self, name: str) -> dict[str, dict[str, Any]]:
        return {line["item_code"]: line for line in self.shop.rows(_LINE, change_set=name)}

    def statuses(self, name: str) -> dict[str, str]:
        return {item_code: line["status"] for item_code, line in self.lines(name).items()}

    def backups(self) -> list[dict[str, Any]]:
        return self.shop.rows("Reorder Level Backup", company=self.shop.company, restored=0)

    @contextmanager
    def killed_at_commit(self, number: int) -> Iterator[None]:
        """The process dies instead of the n-th commit; a piece is one item."""
        site, left, pieces = self.shop.site, number, change_set_work.ITEMS_PER_PIECE
        commit = site.commit

        def dies() -> None:
            nonlocal left
            left -= 1
            if not left:
                site.rollback()
                raise KeyboardInterrupt
            commit()

        site.commit, change_set_work.ITEMS_PER_PIECE = dies, 1  # type: ignore[method-assign]
        died = False
        try:
            yield
        except KeyboardInterrupt:
            died = True
        finally:
            del site.commit  # type: ignore[attr-defined]
            change_set_work.ITEMS_PER_PIECE = pieces
        assert died, "it ended before the commit that was to kill it"


class ProposingScenarios(ChangeSetScenarios):
    def test_new_levels_wait_in_one_record_with_old_new_why_and_cash(self) -> None:
        name = self.proposed()
        record, lines = self.record(name), self.lines(name)
        assert (record["status"], record["changes"], record["items"]) == ("Proposed", 3, 3)
        assert (record["raised"], record["lowered"], record["added"]) == (1, 1, 1)
        values = ("old_level", "old_qty", "new_level", "new_qty", "is_new_row", "reason", "cash_effect")
        assert {code: tuple(line[field] for field in values) for code, line in lines.items()} == {
            "Bolt": (10, 20, 13, 18, 0, "Why Bolt.", 4 * (3 - 1)),
            "Nut": (5, 5, 4, 5, 0, "Why Nut.", -4),
            "Gear": (0, 0, 7, 2, 1, "Why Gear.", 4 * (7 - 1 + 1)),
        }
        assert (record["cash_effect"], record["cash_up"], record["cash_down"]) == (32, 36, 4)
        assert (self.levels("Bolt"), self.levels("Gear")) == ((10, 20), None)

    def test_a_run_proposes_and_writes_nothing(self) -> None:
        self.shop.stocked_item("Bolt")
        self.person_sets("Bolt", (10, 20))
        run = self.shop.run()
        (made,) = self.shop.rows(_SET, company=self.shop.company)
        (step,) = [each for each in run["steps"] if each["step"] == "Propose level changes"]
        assert (made["status"], made["forecast_run"], step["rows"]) == ("Proposed", run["name"], made["changes"])
        assert "Write back levels" not in [each["step"] for each in run["steps"]]
        assert self.levels("Bolt") == (10, 20)
        again = self.shop.run()
        (same,) = self.shop.rows(_SET, company=self.shop.company)
        assert (same["name"], same["modified"]) == (made["name"], made["modified"])
        (step,) = [each for each in again["steps"] if each["step"] == "Propose level changes"]
        assert "says the same" in step["detail"]

    def test_directly_written_levels_need_no_set(self) -> None:
        self.shop.stocked_item("Bolt")
        self.person_sets("Bolt", (10, 20))
        self.shop.run()
        self.shop.settings(write_back_by="Directly")
        self.shop.run()
        assert [each["status"] for each in self.shop.rows(_SET, company=self.shop.company)] == ["Superseded"]
        assert self.levels("Bolt") != (10, 20)

    def test_small_changes_are_not_proposed_until_they_add_up(self) -> None:
        self.person_sets("Bolt", (100, 100))
        self.publish({"Bolt": (104, 204)})
        assert self.propose().name is None
        self.publish({"Bolt": (106, 206)})
        assert self.lines(self.proposed())["Bolt"]["new_level"] == 106

    def test_an_open_set_is_superseded_and_what_a_reviewer_said_survives(self) -> None:
        first = self.proposed()
        lines = self.lines(first)
        change_sets.review(self.shop.site, [lines["Nut"]["name"]], "exclude", "Runs out")
        change_sets.review(self.shop.site, [lines["Bolt"]["name"]], "edit", "Fair in May", 40, 25)
        self.shop.site.commit()
        assert (self.record(first)["changes"], self.record(first)["excluded"]) == (2, 1)
        assert self.lines(first)["Bolt"]["cash_effect"] == 4 * (30 + 2.5)
        self.publish({"Bolt": (17, 30), "Nut": (2, 9), "Gear": (9, 12)})
        second = self.proposed()
        assert self.record(first)["status"] == "Superseded"
        assert set(self.lines(first)) == {"Bolt", "Nut"}
        found = self.lines(second)
        bolt = found["Bolt"]
        assert (bolt["new_level"], bolt["new_qty"], bolt["proposed_level"]) == (40, 25, 17)
        assert (bolt["review"], bolt["review_reason"]) == ("Edited", "Fair in May")
        assert (found["Nut"]["status"], found["Nut"]["review_reason"]) == ("Excluded", "Runs out")
        assert found["Gear"]["new_level"] == 9
        assert self.record(second)["changes"] == 2
        change_sets.review(self.shop.site, [found["Nut"]["name"]], "include")
        self.publish({"Nut": (1, 9)})
        assert self.statuses(self.proposed()) == {"Nut": "Proposed"}

    def test_an_edit_that_was_applied_is_not_proposed_against_while_the_plan_says_the_same(self) -> None:
        name = self.proposed()
        change_sets.review(self.shop.site, [self.lines(name)["Bolt"]["name"]], "edit", "Fair in May", 40, 25)
        self.apply(name)
        assert self.levels("Bolt") == (40, 25)
        self.publish({"Bolt": (12.4, 30), "Nut": (4, 9), "Gear": (7, 9)})
        assert self.propose().name is None
        self.publish({"Bolt": (20, 40)})
        line = self.lines(self.proposed())["Bolt"]
        assert (line["old_level"], line["new_level"], line["review"] or "") == (40, 20, "")

    def test_what_was_rejected_is_not_proposed_again_until_the_day(self) -> None:
        name = self.proposed()
        with refused("Say why"):
            change_sets.reject(self.shop.site, name, " ")
        with refused("that day is over"):
            change_sets.reject(self.shop.site, name, "No", self.shop.today - timedelta(days=1))
        change_sets.reject(self.shop.site, name, "Stock take first", self.shop.today + timedelta(days=3))
        self.shop.site.commit()
        again = self.propose()
        assert again.name is None
        assert "was rejected until" in again.detail
        self.shop.site.set_fields(_SET, name, {"rejected_until": self.shop.today - timedelta(days=1)})
        assert self.propose().name

    def test_a_value_that_a_person_changed_is_held_and_written_only_if_included(self) -> None:
        first = self.applied()
        self.person_sets("Bolt", (77, 7))
        self.publish({"Bolt": (30, 60), "Gear": (20, 30)})
        name = self.proposed()
        line = self.lines(name)["Bolt"]
        assert line["status"] == "Held"
        assert "from level 13, quantity 18 to level 77, quantity 7" in line["note"]
        assert self.record(name)["changes"] == 1
        change_sets.review(self.shop.site, [line["name"]], "include")
        assert self.record(name)["changes"] == 2
        self.apply(name)
        assert self.levels("Bolt") == (30, 30)
        assert self.record(first)["status"] == "Applied"
        write_back.give_back(self.shop.site, self.shop.company)
        assert self.levels("Bolt") == (77, 7)

    def test_reviews_are_refused_with_a_sentence(self) -> None:
        name = self.proposed()
        bolt = self.lines(name)["Bolt"]["name"]
        site = self.shop.site
        for args, sentence in (
            (([bolt], "exclude", " "), "Say why"),
            (([], "exclude", "x"), "at least one"),
            ((["nothing"], "exclude", "x"), "no Level Change nothing"),
            (([bolt], "approve", "x"), "no review"),
            (([bolt], "edit", "x", -1, 2), "0 or more"),
            (([bolt], "edit", "x", float("nan"), 2), "0 or more"),
            (([bolt], "edit", "x", 4, 0), "quantity must be more than 0"),
        ):
            with refused(sentence):
                change_sets.review(site, *args)  # type: ignore[arg-type]
        self.apply(name)
        with refused("only while it is proposed"):
            change_sets.review(site, [bolt], "exclude", "x")

    def test_a_set_without_a_change_cannot_be_approved(self) -> None:
        name = self.proposed()
        names = [line["name"] for line in self.lines(name).values()]
        change_sets.review(self.shop.site, names, "exclude", "Not now")
        with refused("nothing to apply"):
            change_sets.approve(self.shop.site, name)


class ApplyingScenarios(ChangeSetScenarios):
    def test_approval_writes_and_one_call_rolls_back(self) -> None:
        name = self.proposed()
        outcome = self.apply(name)
        record = self.record(name)
        assert (outcome.status, outcome.done, outcome.left, outcome.items) == ("Applied", 3, 0, 3)
        assert [self.levels(code) for code in ("Bolt", "Nut", "Gear")] == [(13, 18), (4, 5), (7, 2)]
        assert (record["status"], record["applied"], record["left_alone"]) == ("Applied", 3, 0)
        assert record["apply_seconds_per_1000"] > 0
        assert record["decided_by"] == self.shop.site.user
        (policy,) = self.shop.rows("Safety Stock Policy", item_code="Bolt", company=self.shop.company)
        assert policy["written_back"] == 1
        outcome = self.roll_back(name)
        record = self.record(name)
        assert (outcome.status, outcome.done) == ("Rolled Back", 3)
        assert [self.levels(code) for code in ("Bolt", "Nut", "Gear")] == [(10, 20), (5, 5), None]
        assert (record["status"], record["applied"], record["rolled_back"]) == ("Rolled Back", 0, 3)
        assert record["roll_back_seconds_per_1000"] > 0
        assert self.backups() == []

    def test_what_changed_meanwhile_is_listed_and_left_both_ways(self) -> None:
        self.person_sets("Gear", (3, 3))
        self.publish({"Bolt": (12.4, 30), "Nut": (4, 9), "Gear": (7, 9)})
        name = self.proposed()
        self.person_sets("Nut", (6, 6))
        outcome = self.apply(name)
        assert (outcome.status, outcome.done, outcome.left) == ("Partly Applied", 2, 1)
        assert self.levels("Nut") == (6, 6)
        line = self.lines(name)["Nut"]
        assert (line["status"], line["found_level"], line["found_qty"]) == ("Left", 6, 6)
        assert line["note"] == "Changed by a person from level 5, quantity 5 to level 6, quantity 6; left as it is."
        self.person_sets("Bolt", (99, 9))
        outcome = self.roll_back(name)
        assert (outcome.done, outcome.left) == (1, 1)
        assert [self.levels(code) for code in ("Bolt", "Nut", "Gear")] == [(99, 9), (6, 6), (3, 3)]
        assert self.statuses(name) == {"Bolt": "Kept", "Nut": "Left", "Gear": "Rolled Back"}
        assert "from level 13, quantity 18 to level 99, quantity 9" in self.lines(name)["Bolt"]["note"]
        record = self.record(name)
        assert (record["rolled_back"], record["kept"], record["left_alone"]) == (1, 1, 1)

    def test_rows_deleted_or_made_meanwhile_are_left(self) -> None:
        name = self.proposed()
        self.person_sets("Bolt")
        self.person_sets("Gear", (1, 1))
        assert self.apply(name).left == 2
        lines = self.lines(name)
        assert "was deleted" in lines["Bolt"]["note"]
        assert "level 1, quantity 1" in lines["Gear"]["note"]
        assert (self.levels("Bolt"), self.levels("Gear")) == (None, (1, 1))

    def test_excluded_lines_are_not_written(self) -> None:
        name = self.proposed()
        change_sets.review(self.shop.site, [self.lines(name)["Bolt"]["name"]], "exclude", "Later")
        outcome = self.apply(name)
        assert (outcome.status, self.levels("Bolt"), self.levels("Nut")) == ("Applied", (10, 20), (4, 5))

    def test_killed_at_any_commit_the_next_call_does_the_rest(self) -> None:
        for number in (3, 5, 6, 8):
            name = self.proposed()
            change_sets.approve(self.shop.site, name)
            self.shop.site.commit()
            with self.killed_at_commit(number):
                change_set_work.work(self.shop.site, name)
            assert self.record(name)["status"] in ("Approved", "Applying")
            change_set_work.work(self.shop.site, name)
            record = self.record(name)
            assert [self.levels(code) for code in ("Bolt", "Nut", "Gear")] == [(13, 18), (4, 5), (7, 2)]
            assert (record["status"], record["applied"], record["items_applied"]) == ("Applied", 3, 3)
            assert set(self.statuses(name).values()) == {"Applied"}
            change_sets.start_roll_back(self.shop.site, name)
            self.shop.site.commit()
            with self.killed_at_commit(number):
                change_set_work.work(self.shop.site, name)
            assert self.record(name)["status"] == "Rolling Back"
            change_set_work.work(self.shop.site, name)
            assert [self.levels(code) for code in ("Bolt", "Nut", "Gear")] == [(10, 20), (5, 5), None]
            assert (self.record(name)["rolled_back"], self.backups()) == (3, [])

    def test_a_later_sets_values_are_left_when_an_earlier_one_is_rolled_back(self) -> None:
        first = self.applied()
        self.publish({"Bolt": (30, 60), "Nut": (4, 9), "Gear": (7, 9)})
        second = self.applied()
        assert self.levels("Bolt") == (30, 30)
        assert self.roll_back(first).left == 1
        assert self.levels("Bolt") == (30, 30)
        assert self.lines(first)["Bolt"]["note"].startswith("Another change set or run wrote level 30, quantity 30")
        self.roll_back(second)
        assert self.levels("Bolt") == (13, 18)
        write_back.give_back(self.shop.site, self.shop.company)
        assert self.levels("Bolt") == (10, 20)

    def test_both_rolled_back_in_order_leave_nothing(self) -> None:
        first = self.applied()
        self.publish({"Bolt": (30, 60), "Gear": (17, 29)})
        second = self.applied()
        assert self.levels("Gear") == (17, 12)
        self.roll_back(second)
        assert (self.levels("Bolt"), self.levels("Gear")) == ((13, 18), (7, 2))
        assert self.roll_back(first).left == 0
        assert [self.levels(code) for code in ("Bolt", "Nut", "Gear")] == [(10, 20), (5, 5), None]
        assert self.backups() == []

    def test_safety_stock_goes_to_the_item_and_back(self) -> None:
        self.shop.settings(write_back_levels=0, write_back_safety_stock=1)
        self.publish({"Bolt": (12, 30), "Nut": (4, 9)}, safety_stock=6.5)
        name = self.proposed()
        lines = self.lines(name)
        assert (lines["Bolt"]["kind"], lines["Bolt"]["new_level"], lines["Bolt"]["cash_effect"]) == (
            "Safety Stock", 6.5, 0,
        )  # fmt: skip
        assert lines["Bolt"]["reason"] == (f"The sum over the planned warehouses: 6.5 in {self.shop.warehouse}.")
        self.shop.site.update_document("Item", "Nut", {"safety_stock": 50})
        assert self.apply(name).status == "Partly Applied"
        assert [self.safety_stock(code) for code in ("Bolt", "Nut")] == [6.5, 50]
        assert self.lines(name)["Nut"]["note"] == "Changed by a person from 0 to 50; left as it is."
        self.roll_back(name)
        assert [self.safety_stock(code) for code in ("Bolt", "Nut")] == [0, 50]
        assert self.backups() == []

    def safety_stock(self, item_code: str) -> float:
        return (self.shop.site.get_document("Item", item_code) or {})["safety_stock"]

    def test_a_set_at_work_keeps_new_ones_from_being_proposed(self) -> None:
        name = self.proposed()
        change_sets.approve(self.shop.site, name)
        self.shop.site.commit()
        self.publish({"Bolt": (50, 90)})
        proposal = self.propose()
        assert proposal.name is None
        assert "once it is through" in proposal.detail
        assert self.record(name)["status"] == "Approved"

    def test_only_what_was_approved_is_applied_and_only_once(self) -> None:
        name = self.proposed()
        with refused("Only an approved change set"):
            change_set_work.work(self.shop.site, name)
        self.apply(name)
        with refused("Only an approved change set"):
            change_set_work.work(self.shop.site, name)
        with refused("Only a proposed change set"):
            change_sets.approve(self.shop.site, name)
        self.roll_back(name)
        with refused("Only an applied change set"):
            change_sets.start_roll_back(self.shop.site, name)
        with refused("no Level Change Set"):
            change_set_work.work(self.shop.site, "nothing")

    def test_what_breaks_stands_in_the_record_and_as_an_exception_until_it_is_through(self) -> None:
        name = self.proposed()
        change_sets.approve(self.shop.site, name)
        site = self.shop.site
        execute = site.upsert_rows

        def breaks(doctype: str, *args: Any) -> int:
            if doctype == _LINE:
                raise RuntimeError("The disk is full")
            return execute(doctype, *args)

        site.upsert_rows = breaks  # type: ignore[method-assign]
        try:
            change_set_work.work(site, name)
        except RuntimeError:
            pass
        else:
            raise AssertionError("it did not break")
        finally:
            del site.upsert_rows  # type: ignore[attr-defined]
        record = self.record(name)
        assert (record["status"], self.levels("Bolt")) == ("Applying", (10, 20))
        assert "The disk is full" in record["error"]
        (case,) = self.shop.cases(exception_type="Levels Not Written", status="Open")
        assert "The disk is full" in case["message"]
        assert [fault.kind for fault in change_sets.faults(site, self.shop.company)] == ["Levels Not Written"]
        change_set_work.work(site, name)
        assert (self.record(name)["error"] or "", self.levels("Bolt")) == ("", (13, 18))
        assert self.shop.cases(exception_type="Levels Not Written", status="Open") == []

    def test_switching_who_orders_gives_back_and_closes_the_sets(self) -> None:
        applied = self.applied()
        self.publish({"Bolt": (30, 60)})
        waiting = self.proposed()
        self.shop.settings(who_orders="Forecast Addon")
        who_orders.park(self.shop.site, self.shop.company)  # what saving the settings does on a live site
        self.shop.site.commit()
        assert self.levels("Bolt") is None
        assert [self.record(name)["status"] for name in (applied, waiting)] == ["Rolled Back", "Superseded"]
        self.shop.settings(who_orders="ERPNext")
        who_orders.give_back(self.shop.site, self.shop.company)
        self.shop.site.commit()
        assert [self.levels(code) for code in ("Bolt", "Nut", "Gear")] == [(10, 20), (5, 5), None]
