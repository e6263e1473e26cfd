"""What drafts and decisions promise, told as scenarios that run on the embedded site and on a bench.

A test class inherits a group of scenarios and sets `self.shop` to an empty shop before each.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from erp_forecast_addon.planning.errors import Refused
from erp_forecast_addon.services import decisions
from erp_forecast_addon.tests.shop import Shop


@contextmanager
def refused(sentence: str) -> Iterator[None]:
    """The block is refused with this sentence (a part of it). A bench has no pytest."""
    said = None
    try:
        yield
    except Refused as error:
        said = str(error)
    assert said is not None, f"not refused; expected “{sentence}”"
    assert sentence in said


class Scenarios:
    shop: Shop

    def order(self) -> dict[str, Any]:
        """The only open order."""
        (found,) = self.shop.orders(status="Proposed")
        return found

    def draft(self) -> dict[str, Any]:
        (found,) = self.shop.drafts()
        return found

    def quantities(self, document: dict[str, Any]) -> dict[str, float]:
        return {line["item_code"]: line["qty"] for line in document["items"]}


class DraftingScenarios(Scenarios):
    def test_a_need_becomes_one_order_per_supplier_with_its_native_draft(self) -> None:
        self.shop.stocked_item("Bolt", "Fast Supplies")
        self.shop.stocked_item("Nut", "Fast Supplies", on_hand=0)
        self.shop.stocked_item("Gear", "Slow Supplies", daily=3, lead_time_days=20)
        self.shop.stocked_item("Plenty", "Slow Supplies", on_hand=5000)
        run = self.shop.run()
        orders = {order["supplier"]: order for order in self.shop.orders()}
        drafts = {draft["name"]: draft for draft in self.shop.drafts()}
        assert {name: set(self.quantities(order)) for name, order in orders.items()} == {
            "Fast Supplies": {"Bolt", "Nut"}, "Slow Supplies": {"Gear"},
        }  # fmt: skip
        for order in orders.values():
            draft = drafts[order["purchase_order"]]
            assert order["status"] == "Proposed"
            assert draft["auto_purchase_order"] == order["name"]
            assert self.quantities(draft) == self.quantities(order)
            assert order["total_amount"] == draft["total"] > 0
            assert abs(order["money_at_risk"] - sum(line["money_at_risk"] for line in order["items"])) < 0.05
            assert order["order_by"] == min(line["order_by"] for line in order["items"])
            assert all(line["reason"] and line["evidence"] for line in order["items"])
            assert order["supplier_name"]
            assert order["title"].startswith(f"{order['supplier_name']} · ")
        assert (run["orders_created"], run["orders_updated"], run["orders_withdrawn"]) == (2, 0, 0)

    def test_a_second_run_with_nothing_new_changes_nothing(self) -> None:
        self.shop.stocked_item("Bolt")
        self.shop.stocked_item("Gear", "Slow Supplies")
        self.shop.run()
        before = (self.shop.orders(), self.shop.drafts())
        run = self.shop.run()
        assert (self.shop.orders(), self.shop.drafts()) == before
        assert (run["orders_created"], run["orders_updated"], run["orders_withdrawn"]) == (0, 0, 0)

    def test_another_supplier_worth_naming_is_told_on_an_untouched_draft(self) -> None:
        self.shop.supplier("Cheap Supplies")
        self.shop.stocked_item("Bolt", supplier_items=[{"supplier": "Cheap Supplies"}])
        self.shop.run()
        (before,) = self.shop.orders()
        assert not before["items"][0]["alternative_supplier"]
        self.shop.price("Bolt", "Cheap Supplies", 2.0)
        self.shop.run()
        (after,) = self.shop.orders()
        assert after["name"] == before["name"]
        assert after["items"][0]["alternative_supplier"] == "Cheap Supplies"

    def test_what_was_sold_today_is_no_bad_data(self) -> None:
        self.shop.stocked_item("Bolt")
        self.shop.move("Bolt", -3.0, 17.0, self.shop.today)
        self.shop.run()
        assert not self.shop.cases(exception_type="Bad Data")

    def test_our_own_draft_counts_in_the_position_of_its_policy(self) -> None:
        self.shop.stocked_item("Bolt", on_hand=75)
        self.shop.run()
        (line,) = self.order()["items"]
        numbers = self.numbers("Bolt")
        assert numbers["position_qty"] == line["position_qty"] + line["stock_qty"] > line["position_qty"]
        assert abs(numbers["days_of_cover"] - numbers["position_qty"] / numbers["daily_demand_mean"]) < 0.01
        assert numbers["shortage_on"] > self.shop.today + timedelta(days=8), "the draft arrives before that"
        self.shop.run()
        assert self.numbers("Bolt") == numbers, "nothing new"
        self.shop.edit_draft(self.draft()["name"], "Bolt", 7)
        self.shop.run()
        assert self.numbers("Bolt")["position_qty"] == line["position_qty"] + 7, "his draft, as he left it"

    def test_an_order_that_approved_itself_counts_in_the_position_too(self) -> None:
        self.shop.settings(auto_approve_limit=400)
        self.shop.stocked_item("Bolt", daily=2, on_hand=14, lead_time_days=5)
        self.shop.run()
        (order,) = self.shop.orders(status="Approved")
        (line,) = order["items"]
        assert self.numbers("Bolt")["position_qty"] == line["position_qty"] + line["stock_qty"]

    def numbers(self, item_code: str) -> dict[str, Any]:
        """The item's policy, without what says when it was written."""
        (policy,) = self.shop.rows("Safety Stock Policy", company=self.shop.company, item_code=item_code)
        return {field: value for field, value in policy.items() if field not in ("forecast_run", "modified")}

    def test_news_updates_an_untouched_draft_in_place(self) -> None:
        self.shop.stocked_item("Bolt", on_hand=60)
        self.shop.run()
        before, draft = self.order(), self.draft()
        self.shop.move("Bolt", -50, 10)
        run = self.shop.run()
        after = self.order()
        assert (after["name"], after["purchase_order"]) == (before["name"], draft["name"])
        assert self.quantities(after)["Bolt"] > self.quantities(before)["Bolt"]
        assert self.quantities(self.draft()) == self.quantities(after)
        assert after["fingerprint"] != before["fingerprint"]
        assert (run["orders_created"], run["orders_updated"]) == (0, 1)
        settled = (self.shop.orders(), self.shop.drafts())
        self.shop.run()
        assert (self.shop.orders(), self.shop.drafts()) == settled, "an updated draft is not taken for an edited one"

    def test_small_drift_leaves_a_draft_alone_until_it_adds_up(self) -> None:
        self.shop.stocked_item("Bolt", on_hand=20)
        self.shop.run()
        before = (self.shop.orders(), self.shop.drafts())
        self.shop.move("Bolt", -2, 18)
        self.shop.run()
        assert (self.shop.orders(), self.shop.drafts()) == before
        self.shop.move("Bolt", -8, 10)
        run = self.shop.run()
        assert run["orders_updated"] == 1
        assert self.quantities(self.draft())["Bolt"] >= self.quantities(before[1][0])["Bolt"] + 10

    def test_a_draft_shrinks_when_an_item_is_no_longer_needed(self) -> None:
        self.shop.stocked_item("Bolt")
        self.shop.stocked_item("Nut")
        self.shop.run()
        kept = self.order()["purchase_order"]
        self.shop.move("Nut", 1000, 1020)
        self.shop.run()
        assert self.order()["purchase_order"] == kept
        assert set(self.quantities(self.draft())) == {"Bolt"} == set(self.quantities(self.order()))

    def test_a_draft_that_is_no_longer_needed_is_deleted_and_its_record_withdrawn(self) -> None:
        self.shop.stocked_item("Bolt")
        self.shop.run()
        self.shop.move("Bolt", 1000, 1020)
        run = self.shop.run()
        (record,) = self.shop.orders()
        assert record["status"] == "Withdrawn"
        assert not record["purchase_order"]
        assert self.shop.drafts() == []
        assert run["orders_withdrawn"] == 1

    def test_a_line_moves_to_another_supplier_and_is_never_ordered_from_both(self) -> None:
        self.shop.stocked_item("Bolt")
        self.shop.stocked_item("Nut")
        self.shop.run()
        self.shop.supplier("Slow Supplies")
        self.shop.source("Nut", "Slow Supplies", 4.0)
        self.shop.run()
        orders = {order["supplier"]: set(self.quantities(order)) for order in self.shop.orders(status="Proposed")}
        assert orders == {"Fast Supplies": {"Bolt"}, "Slow Supplies": {"Nut"}}
        assert sorted(set(self.quantities(draft)) for draft in self.shop.drafts()) == [{"Bolt"}, {"Nut"}]

    def test_an_edited_draft_is_never_altered_and_the_difference_is_proposed(self) -> None:
        self.shop.stocked_item("Bolt")
        self.shop.run()
        wanted = self.quantities(self.order())["Bolt"]
        self.shop.edit_draft(self.draft()["name"], "Bolt", 7)
        edited = self.draft()
        for _again in range(2):
            self.shop.run()
            assert self.draft() == edited
        (case,) = self.shop.cases(exception_type="Edited Draft Differs")
        assert f"orders 7 Nos; {wanted:.0f} are needed" in case["message"]
        assert f"{wanted - 7:.0f} more" in case["message"]
        assert case["auto_purchase_order"] == self.order()["name"]
        assert self.order()["edited_by_person"] == 1
        assert self.order()["total_amount"] == edited["total"]

    def test_an_edited_draft_that_says_what_is_needed_is_no_case(self) -> None:
        self.shop.stocked_item("Bolt", on_hand=60)
        self.shop.run()
        self.shop.edit_draft(self.draft()["name"], "Bolt", 7)
        self.shop.run()
        assert self.shop.cases(exception_type="Edited Draft Differs", status="Open")
        self.shop.edit_draft(self.draft()["name"], "Bolt", self.quantities(self.order())["Bolt"])
        self.shop.run()
        assert not self.shop.cases(exception_type="Edited Draft Differs", status="Open")

    def test_an_item_that_a_person_took_out_of_a_draft_is_not_ordered_elsewhere(self) -> None:
        self.shop.stocked_item("Bolt")
        self.shop.stocked_item("Nut")
        self.shop.run()
        self.shop.edit_draft(self.draft()["name"], "Nut", 0)
        self.shop.run()
        assert set(self.quantities(self.draft())) == {"Bolt"}
        (case,) = self.shop.cases(exception_type="Edited Draft Differs")
        assert case["item_code"] == "Nut"
        assert "orders 0 Nos" in case["message"]

    def test_a_deleted_draft_is_not_proposed_until_its_date_and_then_again(self) -> None:
        self.shop.settings(rejected_for_days=10)
        self.shop.stocked_item("Bolt")
        self.shop.run()
        self.shop.delete_draft(self.draft()["name"])
        self.shop.run()
        (record,) = self.shop.orders()
        assert record["status"] == "Rejected"
        assert record["rejection_reason"].startswith("The draft was deleted by")
        assert record["rejected_until"] == self.shop.today + timedelta(days=10)
        assert self.shop.drafts() == []
        self._end_of_rest(record)
        self.shop.run()
        assert set(self.quantities(self.draft())) == {"Bolt"}
        assert sorted(order["status"] for order in self.shop.orders()) == ["Proposed", "Rejected"]

    def test_a_need_that_cannot_be_met_in_time_says_the_earliest_arrival_and_the_days_lost(self) -> None:
        self.shop.stocked_item("Bolt", on_hand=20, lead_time_days=9)
        self.shop.run()
        (line,) = self.order()["items"]
        ordered_on = self.shop.site.as_of() + timedelta(days=1)
        arrival = ordered_on + timedelta(days=9)
        assert line["schedule_date"] == arrival
        assert line["days_late"] == (arrival - line["need_on"]).days > 0
        (case,) = self.shop.cases(exception_type="Unavoidable Shortage")
        # 20 in stock, 10 a day: gone after two days, short from the third on, until day nine.
        assert "7 days before an order placed now arrives" in case["message"]
        assert self.shop.site.show_day(arrival) in case["message"]

    def test_an_order_that_erpnext_refuses_stops_no_other(self) -> None:
        self.shop.stocked_item("Bolt", "Fast Supplies")
        self.shop.stocked_item("Gear", "Far Away Trading", rate=None)
        self.shop.price("Gear", "Far Away Trading", 5.0, currency="XAF")  # no exchange rate is known
        run = self.shop.run()
        assert run["status"] == "Completed"
        assert [order["supplier"] for order in self.shop.orders()] == ["Fast Supplies"]
        assert [draft["supplier"] for draft in self.shop.drafts()] == ["Fast Supplies"]
        (case,) = self.shop.cases(exception_type="Order Failed")
        assert case["supplier"] == "Far Away Trading"
        assert "XAF" in case["message"] or "exchange" in case["message"].lower()

    def test_an_approved_order_is_supply_and_is_not_ordered_again(self) -> None:
        self.shop.stocked_item("Bolt")
        self.shop.run()
        decisions.approve(self.shop.site, self.order()["name"])
        self.shop.site.commit()
        self.shop.run()
        assert [order["status"] for order in self.shop.orders()] == ["Approved"]
        assert self.shop.drafts() == []

    def test_a_released_draft_is_supply_and_is_left_alone(self) -> None:
        self.shop.settings(on_approval="Release Draft")
        self.shop.stocked_item("Bolt")
        self.shop.run()
        decisions.approve(self.shop.site, self.order()["name"])
        self.shop.site.commit()
        released = self.draft()
        self.shop.run()
        assert self.draft() == released
        assert [order["status"] for order in self.shop.orders()] == ["Approved"]

    def test_small_orders_without_a_complaint_approve_themselves_below_the_limit(self) -> None:
        self.shop.settings(auto_approve_limit=400)
        self.shop.stocked_item("Bolt", "Fast Supplies", daily=2, on_hand=14, lead_time_days=5)
        self.shop.stocked_item("Gear", "Slow Supplies", daily=30, on_hand=200, lead_time_days=5)
        self.shop.stocked_item("Late", "Late Supplies", daily=1, on_hand=0, lead_time_days=5)
        self.shop.run()
        states = {order["supplier"]: order["status"] for order in self.shop.orders()}
        amounts = {order["supplier"]: order["base_total_amount"] for order in self.shop.orders()}
        assert amounts["Fast Supplies"] <= 400 < amounts["Slow Supplies"]
        assert states == {"Fast Supplies": "Approved", "Slow Supplies": "Proposed", "Late Supplies": "Proposed"}
        (approved,) = self.shop.orders(status="Approved")
        assert approved["decided_by"] == self.shop.site.user

    def test_drafting_switched_off_makes_no_order(self) -> None:
        self.shop.settings(draft_orders=0)
        self.shop.stocked_item("Bolt")
        run = self.shop.run()
        assert self.shop.orders() == self.shop.drafts() == []
        (step,) = [step for step in run["steps"] if step["step"] == "Draft orders"]
        assert step["status"] == "Skipped"

    def _end_of_rest(self, record: dict[str, Any]) -> None:
        yesterday = self.shop.today - timedelta(days=1)
        self.shop.site.set_fields("Auto Purchase Order", record["name"], {"rejected_until": yesterday})
        self.shop.site.commit()


class DecisionScenarios(Scenarios):
    def proposed(self, *item_codes: str) -> dict[str, Any]:
        for item_code in item_codes or ("Bolt",):
            self.shop.stocked_item(item_code)
        self.shop.run()
        return self.order()

    def record(self, name: str) -> dict[str, Any]:
        return self.shop.site.get_document("Auto Purchase Order", name) or {}

    def native(self, record: dict[str, Any]) -> dict[str, Any]:
        return self.shop.site.get_document("Purchase Order", record["purchase_order"]) or {}

    def test_approving_submits_and_says_who_and_when(self) -> None:
        order = self.proposed()
        decisions.approve(self.shop.site, order["name"])
        after = self.record(order["name"])
        assert (after["status"], self.native(after)["docstatus"]) == ("Approved", 1)
        assert after["decided_by"] == self.shop.site.user
        assert after["decided_at"] is not None

    def test_approving_only_releases_where_the_settings_say_so(self) -> None:
        order = self.proposed()
        self.shop.settings(on_approval="Release Draft")
        decisions.approve(self.shop.site, order["name"])
        after = self.record(order["name"])
        assert (after["status"], self.native(after)["docstatus"]) == ("Approved", 0)

    def test_amounts_are_those_of_the_purchase_order_at_that_moment(self) -> None:
        order = self.proposed()
        self.shop.edit_draft(order["purchase_order"], "Bolt", 7)
        decisions.approve(self.shop.site, order["name"])
        after = self.record(order["name"])
        assert after["total_amount"] == self.native(after)["total"] != order["total_amount"]

    def test_only_a_proposed_order_is_decided(self) -> None:
        order = self.proposed()
        decisions.approve(self.shop.site, order["name"])
        with refused("cannot be approved: it is Approved"):
            decisions.approve(self.shop.site, order["name"])
        with refused("cannot be rejected: it is Approved"):
            decisions.reject(self.shop.site, order["name"], "too late")
        with refused("There is no Auto Purchase Order nowhere"):
            decisions.approve(self.shop.site, "nowhere")

    def test_rejecting_needs_a_reason_and_a_day_that_is_not_over(self) -> None:
        order = self.proposed()
        with refused("Say why"):
            decisions.reject(self.shop.site, order["name"], "  ")
        with refused("that day is over"):
            decisions.reject(self.shop.site, order["name"], "no", self.shop.today - timedelta(days=1))
        assert self.record(order["name"])["status"] == "Proposed"
        assert self.native(order)["docstatus"] == 0

    def test_rejecting_deletes_the_draft_and_keeps_the_reason(self) -> None:
        order = self.proposed()
        until = self.shop.today + timedelta(days=3)
        decisions.reject(self.shop.site, order["name"], "We make it ourselves.", until)
        self.shop.site.commit()
        after = self.record(order["name"])
        assert (after["status"], after["rejection_reason"]) == ("Rejected", "We make it ourselves.")
        assert after["rejected_until"] == until
        assert self.shop.drafts() == []
        self.shop.run()
        assert self.shop.drafts() == []

    def test_an_order_without_its_draft_cannot_be_approved(self) -> None:
        order = self.proposed()
        self.shop.site.set_fields("Auto Purchase Order", order["name"], {"purchase_order": None})
        with refused("has no draft Purchase Order any more"):
            decisions.approve(self.shop.site, order["name"])

    def test_a_draft_submitted_by_hand_approves_ours(self) -> None:
        order = self.proposed()
        self.shop.submit_draft(order["purchase_order"])
        decisions.follow_order(self.shop.site, order["purchase_order"], "submit")
        assert self.record(order["name"])["status"] == "Approved"

    def test_ours_follows_close_reopen_and_cancel(self) -> None:
        order = self.proposed()
        decisions.approve(self.shop.site, order["name"])
        for event, state in (("close", "Closed"), ("reopen", "Approved"), ("reopen", "Approved"), ("close", "Closed"),
                             ("cancel", "Cancelled"), ("cancel", "Cancelled")):  # fmt: skip
            assert decisions.follow_order(self.shop.site, order["purchase_order"], event) == order["name"]
            assert self.record(order["name"])["status"] == state

    def test_a_reopened_order_tells_its_amounts_again(self) -> None:
        order = self.proposed()
        decisions.approve(self.shop.site, order["name"])
        decisions.follow_order(self.shop.site, order["purchase_order"], "close")
        self.shop.site.set_fields("Purchase Order", order["purchase_order"], {"total": 77, "base_total": 78})
        decisions.follow_order(self.shop.site, order["purchase_order"], "reopen")
        after = self.record(order["name"])
        assert (after["total_amount"], after["base_total_amount"]) == (77, 78)

    def test_an_event_that_does_not_fit_the_state_is_refused(self) -> None:
        order = self.proposed()
        with refused("is Proposed and cannot follow “close”"):
            decisions.follow_order(self.shop.site, order["purchase_order"], "close")

    def test_an_order_that_is_not_ours_is_nobodys_record(self) -> None:
        assert decisions.follow_order(self.shop.site, "PUR-ORD-OTHER", "submit") is None

    def test_a_run_finds_what_happened_without_an_event(self) -> None:
        order = self.proposed()
        self.shop.submit_without_event(order["purchase_order"])
        self.shop.run()
        assert self.record(order["name"])["status"] == "Approved"
