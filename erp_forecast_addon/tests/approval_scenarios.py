"""What approval and buyers' changes promise, told as scenarios that run on the embedded site and on a bench.

A test class inherits a group of scenarios and sets `self.shop` to an empty shop before each.
"""

from datetime import date, datetime, timedelta
from typing import Any

import pandas as pd

from erp_forecast_addon.services import decisions
from erp_forecast_addon.services.edit_values import price_edits
from erp_forecast_addon.services.snooze import snooze
from erp_forecast_addon.site import reads
from erp_forecast_addon.tests.order_scenarios import Scenarios, refused

SMALL = {"daily": 2, "on_hand": 14, "lead_time_days": 5}  # an order of some hundred, in time


class LevelScenarios(Scenarios):
    def proposed(self, **values: Any) -> dict[str, Any]:
        self.shop.stocked_item("Bolt", **(values or SMALL))
        self.shop.run()
        return self.order()

    def former_order(self, qty: float) -> None:
        """An order of the item that was placed and is over; it counts for what is usual and not as supply."""
        site, ordered_on = self.shop.site, self.shop.today - timedelta(days=60)
        from erp_forecast_addon.site.port import OrderLine

        line = OrderLine("Bolt", self.shop.warehouse, qty, "Nos", 1.0, 5.0, ordered_on + timedelta(days=5))
        currency = reads.company_currency(site, self.shop.company)
        order = site.insert_order(self.shop.company, "Fast Supplies", currency, ordered_on, [line], "")
        self.shop.submit_without_event(order.name)
        site.set_fields("Purchase Order", order.name, {"status": "Closed"})
        site.commit()

    def test_every_proposal_says_who_decides_and_why(self) -> None:
        order = self.proposed()
        assert order["approval_level"] == "One Approver"
        assert order["approval_reason"] == "One approver decides."

    def test_an_order_above_the_second_limit_waits_for_two(self) -> None:
        self.shop.settings(second_approver_above=50, auto_approve_limit=10_000)
        order = self.proposed()
        assert (order["status"], order["approval_level"]) == ("Proposed", "Two Approvers")
        assert "is above 50.00" in order["approval_reason"]
        assert decisions.approve(self.shop.site, order["name"]) == "Proposed"
        (after,) = self.shop.orders()
        assert (after["status"], after["first_approved_by"]) == ("Proposed", self.shop.site.user)
        with refused("is the first of them. Somebody else"):
            decisions.approve(self.shop.site, order["name"])

    def test_a_first_approval_is_for_the_draft_that_it_saw(self) -> None:
        self.shop.settings(second_approver_above=50)
        order = self.proposed()
        decisions.approve(self.shop.site, order["name"])
        self.shop.site.commit()
        self.shop.edit_draft(order["purchase_order"], "Bolt", 77)
        assert decisions.approve(self.shop.site, order["name"]) == "Proposed", "a first approval again, of 77"
        assert self.order()["base_total_amount"] == 77 * 5

    def test_an_unusual_order_does_not_approve_itself(self) -> None:
        self.shop.settings(auto_approve_limit=400, approval_change_pct=100)
        self.shop.stocked_item("Bolt", **SMALL)
        for _month in range(3):
            self.former_order(3)
        self.shop.run()
        order = self.order()
        assert order["status"] == "Proposed"
        assert "more than usual" in order["approval_reason"]
        assert "Bolt is" in order["approval_reason"]

    def test_an_order_as_usual_approves_itself(self) -> None:
        self.shop.settings(auto_approve_limit=400, approval_change_pct=100)
        self.shop.stocked_item("Bolt", **SMALL)
        for _month in range(3):
            self.former_order(20)
        self.shop.run()
        (order,) = self.shop.orders()
        assert (order["status"], order["approval_level"]) == ("Approved", "Automatic")
        assert "may approve itself" in order["approval_reason"]

    def test_a_forecast_that_nobody_has_judged_does_not_approve_itself(self) -> None:
        self.shop.settings(auto_approve_limit=400, approval_error_pct=50)
        assert "no forecast has been judged yet" in self.proposed()["approval_reason"]

    def test_an_open_exception_of_the_class_keeps_an_order_for_a_person(self) -> None:
        self.shop.settings(auto_approve_limit=400, approval_exceptions="Negative Stock\nSupplier Blocked")
        self.shop.stocked_item("Bolt", **SMALL)
        self.shop.site.insert_document("Planning Exception", {
            "exception_type": "Supplier Blocked", "status": "Open", "company": self.shop.company,
            "supplier": "Fast Supplies", "message": "Of a test.", "identity": "approval-scenario",
        })  # fmt: skip
        self.shop.site.commit()
        self.shop.run()
        assert "An exception is open: Supplier Blocked (Fast Supplies)." in self.order()["approval_reason"]

    def test_an_edited_draft_does_not_approve_itself_however_small(self) -> None:
        order = self.proposed()
        self.shop.edit_draft(order["purchase_order"], "Bolt", 3)
        self.shop.settings(auto_approve_limit=400)
        self.shop.run()
        assert self.order()["approval_reason"].startswith("A person has edited the draft.")
        with refused("does not approve itself"):
            decisions.approve(self.shop.site, order["name"], automatic=True)

    def test_switched_off_nothing_approves_itself(self) -> None:
        assert self.proposed()["status"] == "Proposed"


class DeadlineScenarios(Scenarios):
    def test_a_proposal_says_until_when_and_what_waiting_costs(self) -> None:
        self.shop.settings(approval_cut_off="14:00:00")
        self.shop.stocked_item("Bolt", on_hand=70)
        self.shop.run()
        order = self.order()
        assert isinstance(order["approve_by"], datetime)
        assert order["approve_by"].hour == 14
        assert order["approve_by"].date() >= self.shop.today
        # Ten pieces a day that bring at least what they cost: a day of waiting loses about a day's sales.
        assert 0 < order["waiting_cost"] <= 10 * 20

    def test_what_is_late_already_costs_from_the_next_chance_on(self) -> None:
        self.shop.stocked_item("Bolt", on_hand=0, lead_time_days=9)
        self.shop.run()
        assert self.order()["approve_by"].date() <= self.shop.today + timedelta(days=1)

    def test_a_tolerant_company_is_told_later(self) -> None:
        self.shop.stocked_item("Bolt", on_hand=70)
        self.shop.run()
        before = self.order()["approve_by"]
        self.shop.settings(tolerated_loss_pct=90)
        self.shop.run()
        after = self.order()["approve_by"]
        assert after is None or after > before


class BlockedScenarios(Scenarios):
    """What becomes impossible between draft and approval."""

    def released(self, item_code: str = "Bolt") -> dict[str, Any]:
        """On a company that only releases drafts nobody but us would look."""
        self.shop.settings(on_approval="Release Draft")
        self.shop.stocked_item(item_code)
        self.shop.run()
        return self.order()

    def still_proposed(self, order: dict[str, Any]) -> None:
        assert self.order()["status"] == "Proposed"
        assert (self.shop.site.get_order(order["purchase_order"]) or order).docstatus == 0

    def test_a_supplier_blocked_since_is_named(self) -> None:
        order = self.released()
        self.shop.supplier("Fast Supplies", on_hold=1, hold_type="All")
        with refused("cannot be ordered: Supplier Fast Supplies is on hold. Reject it, or change the supplier"):
            decisions.approve(self.shop.site, order["name"])
        self.still_proposed(order)
        self.shop.supplier("Fast Supplies", on_hold=0, hold_type="")
        assert decisions.approve(self.shop.site, order["name"]) == "Approved"

    def test_an_item_disabled_since_is_named(self) -> None:
        order = self.released()
        self.shop.item("Bolt", disabled=1)
        with refused("cannot be ordered: Bolt has been disabled. Take the item out"):
            decisions.approve(self.shop.site, order["name"])
        self.still_proposed(order)
        self.shop.item("Bolt", disabled=0)

    def test_an_item_disabled_since_loses_its_line_at_the_next_run(self) -> None:
        self.shop.stocked_item("Nut")
        order = self.released()
        self.shop.item("Bolt", disabled=1)
        self.shop.run()
        assert set(self.quantities(self.order())) == {"Nut"}
        assert self.order()["name"] == order["name"], "the rest of the draft stands"
        self.shop.item("Bolt", disabled=0)
        self.shop.run()
        assert set(self.quantities(self.order())) == {"Nut", "Bolt"}, "nothing is lost: it comes back"

    def test_a_unit_that_does_not_convert_is_never_one(self) -> None:
        self.shop.stocked_item("Bolt")
        self.shop.stocked_item("Boxed", purchase_uom=self.shop.unit("Forecast Crate"))
        self.shop.run()
        (case,) = self.shop.cases(exception_type="No UOM Conversion")
        assert "how many Nos make one Forecast Crate is not known. Nothing was ordered" in case["message"]
        assert (case["item_code"], case["status"]) == ("Boxed", "Open")
        assert set(self.quantities(self.order())) == {"Bolt"}

    def test_a_price_list_in_a_currency_without_a_rate_is_said(self) -> None:
        self.shop.stocked_item("Bolt", "Fast Supplies")
        self.shop.stocked_item("Gear", "Far Away Trading", rate=None)
        self.shop.price("Gear", "Far Away Trading", 5.0, currency="XAF")
        self.shop.run()
        assert [order["supplier"] for order in self.shop.orders()] == ["Fast Supplies"], "the others are ordered"
        (case,) = self.shop.cases(exception_type="Order Failed")
        assert "XAF" in case["message"] or "exchange" in case["message"].lower()


class RestScenarios(Scenarios):
    def rejected(self, reason_class: str, days: int = 10) -> dict[str, Any]:
        self.shop.stocked_item("Bolt", on_hand=60)
        self.shop.run()
        order = self.order()
        until = self.shop.today + timedelta(days=days)
        decisions.reject(self.shop.site, order["name"], "As the class says.", until, reason_class)
        self.shop.site.commit()
        (after,) = self.shop.orders(status="Rejected")
        assert after["rejection_class"] == reason_class
        self.shop.run()
        return order

    def over(self, order: dict[str, Any]) -> None:
        yesterday = self.shop.today - timedelta(days=1)
        self.shop.site.set_fields("Auto Purchase Order", order["name"], {"rejected_until": yesterday})
        self.shop.site.commit()

    def test_not_needed_is_not_proposed_until_its_day(self) -> None:
        order = self.rejected("Not Needed")
        assert self.shop.drafts() == []
        self.over(order)
        self.shop.run()
        assert len(self.shop.drafts()) == 1

    def test_a_wrong_quantity_returns_when_another_is_needed(self) -> None:
        order = self.rejected("Wrong Quantity")
        assert self.shop.drafts() == []
        self.shop.move("Bolt", -60, 0)
        self.shop.run()
        assert self.quantities(self.draft())["Bolt"] > self.quantities(order)["Bolt"] * 1.2

    def test_a_wrong_supplier_is_not_asked_again_but_another_is(self) -> None:
        order = self.rejected("Wrong Supplier")
        assert self.shop.drafts() == []
        assert (
            "was rejected as the wrong supplier until"
            in self.shop.cases(exception_type="Supplier Blocked")[0]["message"]
        )
        self.shop.supplier("Slow Supplies")
        self.shop.source("Bolt", "Slow Supplies", 6.0)
        self.shop.run()
        assert self.draft()["supplier"] == "Slow Supplies"
        self.over(order)

    def test_what_was_too_expensive_returns_when_it_is_cheaper(self) -> None:
        self.rejected("Too Expensive")
        assert self.shop.drafts() == []
        self.shop.supplier("Cheap Supplies")
        self.shop.source("Bolt", "Cheap Supplies", 4.5)
        self.shop.run()
        assert self.draft()["supplier"] == "Cheap Supplies"

    def test_an_unknown_reason_is_refused(self) -> None:
        self.shop.stocked_item("Bolt")
        self.shop.run()
        with refused("There is no reason Whim"):
            decisions.reject(self.shop.site, self.order()["name"], "no", None, "Whim")
        assert self.order()["status"] == "Proposed"


class SnoozeScenarios(Scenarios):
    def until(self, days: int = 5) -> date:
        return self.shop.today + timedelta(days=days)

    def test_a_line_put_to_rest_leaves_its_draft_at_once_and_is_not_proposed(self) -> None:
        self.shop.stocked_item("Bolt")
        self.shop.stocked_item("Nut")
        self.shop.run()
        order = self.order()
        snooze(self.shop.site, self.shop.company, "Nut", self.until(), "The customer waits.", self.shop.warehouse)
        self.shop.site.commit()
        assert set(self.quantities(self.draft())) == {"Bolt"} == set(self.quantities(self.order()))
        assert self.order()["total_amount"] == self.draft()["total"] < order["total_amount"]
        self.shop.run()
        assert set(self.quantities(self.draft())) == {"Bolt"}
        assert self.order()["edited_by_person"] == 0, "a snooze is no edit"

    def test_an_item_put_to_rest_takes_its_only_draft_along(self) -> None:
        self.shop.stocked_item("Bolt")
        self.shop.run()
        snooze(self.shop.site, self.shop.company, "Bolt", self.until())
        self.shop.site.commit()
        assert self.shop.drafts() == []
        assert [order["status"] for order in self.shop.orders()] == ["Withdrawn"]
        self.shop.run()
        assert self.shop.drafts() == []

    def test_it_ends_by_itself(self) -> None:
        self.shop.stocked_item("Bolt")
        snooze(self.shop.site, self.shop.company, "Bolt", self.until(0))
        self.shop.site.commit()
        self.shop.run()
        assert self.shop.drafts() == [], "until today, included"
        (record,) = self.shop.rows("Planning Snooze", company=self.shop.company)
        yesterday = self.shop.today - timedelta(days=1)
        self.shop.site.set_fields("Planning Snooze", record["name"], {"until": yesterday})
        self.shop.site.commit()
        self.shop.run()
        assert set(self.quantities(self.draft())) == {"Bolt"}

    def test_a_day_that_is_over_is_refused(self) -> None:
        self.shop.stocked_item("Bolt")
        with refused("that day is over"):
            snooze(self.shop.site, self.shop.company, "Bolt", self.until(-1))

    def test_the_other_lines_of_an_edited_draft_stay_as_the_person_left_them(self) -> None:
        self.shop.stocked_item("Bolt")
        self.shop.stocked_item("Nut")
        self.shop.run()
        self.shop.edit_draft(self.draft()["name"], "Bolt", 7)
        snooze(self.shop.site, self.shop.company, "Nut", self.until())
        self.shop.site.commit()
        self.shop.run()
        assert self.quantities(self.draft()) == {"Bolt": 7}
        assert self.order()["edited_by_person"] == 1


class EditScenarios(Scenarios):
    def edits(self, **equal: Any) -> list[dict[str, Any]]:
        return self.shop.rows("Order Edit", company=self.shop.company, **equal)

    def edited(self, qty: float = 7) -> dict[str, Any]:
        self.shop.stocked_item("Bolt")
        self.shop.run()
        order = self.order()
        self.shop.edit_draft(order["purchase_order"], "Bolt", qty)
        self.shop.run()
        return order

    def test_a_change_is_kept_with_what_was_proposed_and_survives_the_next_run(self) -> None:
        order = self.edited()
        (edit,) = self.edits()
        line = order["items"][0]
        assert (edit["kind"], edit["to_text"], edit["status"]) == ("Quantity", "7", "Standing")
        assert (edit["from_qty"], edit["to_qty"], edit["proposed_qty"]) == (line["qty"], 7, line["qty"])
        assert edit["auto_purchase_order"] == order["name"]
        assert edit["daily_demand_mean"] > 0
        assert edit["changed_by"]
        self.shop.run()
        assert self.quantities(self.draft())["Bolt"] == 7
        assert self.edits() == [edit], "a run that finds it again keeps it once"

    def test_a_later_change_of_the_same_line_supersedes_the_first(self) -> None:
        order = self.edited()
        self.shop.edit_draft(order["purchase_order"], "Bolt", 9)
        self.shop.run()
        assert {edit["to_text"]: edit["status"] for edit in self.edits()} == {"7": "Superseded", "9": "Standing"}

    def test_a_line_taken_out_is_kept(self) -> None:
        self.shop.stocked_item("Bolt")
        self.shop.stocked_item("Nut")
        self.shop.run()
        self.shop.edit_draft(self.draft()["name"], "Nut", 0)
        self.shop.run()
        (edit,) = self.edits()
        assert (edit["kind"], edit["item_code"], edit["to_qty"]) == ("Removed", "Nut", 0)

    def test_what_was_never_ordered_has_no_value(self) -> None:
        order = self.edited()
        decisions.reject(self.shop.site, order["name"], "no")
        self.shop.site.commit()
        self.shop.run()
        assert [edit["status"] for edit in self.edits()] == ["Void"]

    def test_a_change_is_priced_once_its_days_are_over(self) -> None:
        """The buyer orders seven instead of what was proposed; nothing comes in but those, and the shelf runs empty."""
        order = self.edited()
        site, today = self.shop.site, self.shop.today
        decisions.approve(site, order["name"])
        site.commit()
        settings = reads.company_settings(site, self.shop.company)
        assert price_edits(site, settings, today) == 0, "nothing has happened yet"
        self._receive(order["purchase_order"], today + timedelta(days=5), 7.0)
        self._sell_what_there_is(today, opening=20.0, arrives=today + timedelta(days=5), qty=7.0, days=130)
        assert price_edits(site, settings, today + timedelta(days=129)) == 1
        site.commit()
        (edit,) = self.edits()
        assert edit["status"] == "Priced"
        assert edit["lost_qty_changed"] > edit["lost_qty_proposed"]
        assert edit["sales_value"] < 0 < edit["holding_value"]
        assert abs(edit["value"] - edit["sales_value"] - edit["holding_value"] - edit["price_value"]) < 0.02
        lost = edit["lost_qty_changed"] - edit["lost_qty_proposed"]
        assert abs(lost * edit["margin"] + edit["sales_value"]) < 0.02
        assert price_edits(site, settings, today + timedelta(days=129)) == 0, "once"

    def _receive(self, purchase_order: str, day: date, qty: float) -> None:
        line = self.shop.site.get_order(purchase_order).lines[0]
        site = self.shop.site
        site.insert_rows("Purchase Receipt", pd.DataFrame({
            "name": ["APPROVAL-RECEIPT"], "supplier": "Fast Supplies", "company": self.shop.company,
            "posting_date": [pd.Timestamp(day)], "is_return": 0, "docstatus": 1,
        }))  # fmt: skip
        site.insert_rows("Purchase Receipt Item", pd.DataFrame({
            "parent": ["APPROVAL-RECEIPT"], "parenttype": "Purchase Receipt", "parentfield": "items",
            "item_code": "Bolt", "warehouse": self.shop.warehouse, "qty": qty, "stock_qty": qty, "docstatus": 1,
            "purchase_order": purchase_order, "purchase_order_item": line.row,
        }))  # fmt: skip
        site.commit()

    def _sell_what_there_is(self, first: date, *, opening: float, arrives: date, qty: float, days: int) -> None:
        """Demand buckets of ten asked for a day, served from what is there."""
        stock, rows = opening, []
        for day in (first + timedelta(days=ahead) for ahead in range(days)):
            stock += qty if day == arrives else 0.0
            sold = min(stock, 10.0)
            rows.append(
                {"day": pd.Timestamp(day), "demand_qty": sold, "opening_qty": stock, "closing_qty": stock - sold}
            )
            stock -= sold
        frame = pd.DataFrame(rows).assign(item_code="Bolt", warehouse=self.shop.warehouse)
        self.shop.site.upsert_rows("Demand Bucket", frame, ("item_code", "warehouse", "day"))
        self.shop.site.commit()
