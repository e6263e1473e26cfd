"""Requests for transfer and manufacture, the same on both sites: update in place, withdraw, leave what a person edited,
take a deleted draft as refused, count on both sides, and never ask twice.

Mixed into a test case that sets `self.shop` and `self.hands` (what people do to native requests).
"""

import json
from abc import ABC, abstractmethod
from typing import Any

from erp_forecast_addon.planning.purchasing.requests import recompute_request
from erp_forecast_addon.services import requests
from erp_forecast_addon.services.order_evidence import order_cards
from erp_forecast_addon.site import reads
from erp_forecast_addon.tests.shop import Shop


class Hands(ABC):
    """What people set up and do, each site in its own way."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop

    @abstractmethod
    def house(self, name: str, **values: Any) -> str:
        """A warehouse of the shop's company with these fields; its full name."""

    @abstractmethod
    def bom(self, item_code: str, parts: dict[str, float]) -> str:
        """The item's default bill of materials for one piece; its name."""

    @abstractmethod
    def edit(self, material_request: str, item_code: str, qty: float) -> None:
        """A person changes a line of the draft."""

    @abstractmethod
    def delete(self, material_request: str) -> None:
        """A person deletes the draft."""

    @abstractmethod
    def submit(self, material_request: str) -> None:
        """A person submits the draft."""


class RequestScenarios:
    shop: Shop
    hands: Hands

    # ---- what stands -----------------------------------------------------------------------------------------------
    def branch(self, item_code: str = "Bolt", *, on_hand: float = 5.0, at_stores: float = 500.0) -> str:
        """A branch that sells ten a day and is supplied by the stores."""
        branch = self.hands.house("Branch", supplying_warehouse=self.shop.warehouse)
        self.shop.stocked_item(item_code, daily=1.0, on_hand=at_stores)
        self.shop.history(item_code, daily=10.0, on_hand=on_hand, warehouse=branch)
        return branch

    def records(self, **equal: Any) -> list[dict[str, Any]]:
        return self.shop.rows("Auto Material Request", company=self.shop.company, **equal)

    def record(self) -> dict[str, Any]:
        (record,) = self.records(status="Proposed")
        return record

    def drafts(self) -> list[dict[str, Any]]:
        return self.shop.rows("Material Request", company=self.shop.company, docstatus=0)

    def draft(self) -> dict[str, Any]:
        (draft,) = self.drafts()
        return draft

    def quantities(self, document: dict[str, Any]) -> dict[str, float]:
        return {line["item_code"]: line["qty"] for line in document["items"]}

    def policy(self, item_code: str, warehouse: str) -> dict[str, Any]:
        (row,) = self.shop.rows("Safety Stock Policy", item_code=item_code, warehouse=warehouse)
        return row

    # ---- scenarios -------------------------------------------------------------------------------------------------
    def test_a_branch_asks_the_stores_by_a_draft_transfer_and_is_not_bought_for(self) -> None:
        branch = self.branch()
        self.shop.run()
        record, draft = self.record(), self.draft()
        assert record["material_request"] == draft["name"]
        assert draft["auto_material_request"] == record["name"]
        assert (record["from_warehouse"], record["warehouse"]) == (self.shop.warehouse, branch)
        assert (draft["material_request_type"], draft["docstatus"]) == ("Material Transfer", 0)
        (line,), (ours,) = draft["items"], record["items"]
        assert (line["warehouse"], line["from_warehouse"]) == (branch, self.shop.warehouse)
        assert line["qty"] == ours["qty"] == recompute_request(json.loads(ours["evidence"]))
        assert "which supplies" in ours["reason"]
        assert branch not in {each["warehouse"] for order in self.shop.orders() for each in order["items"]}
        assert self.policy("Bolt", branch)["lead_time_source"] == "transfer"

    def test_every_line_of_a_request_is_computed_again_to_the_same_number(self) -> None:
        self.branch(at_stores=60.0)
        self.shop.run()
        record = self.record()
        for name in (record["name"], record["material_request"]):
            found, cards = order_cards(self.shop.site, name)
            assert found["name"] == record["name"]
            assert len(cards) == len(record["items"]) > 0
            assert all(card.equal and card.computed_qty == card.qty for card in cards), cards
        (card,) = cards
        steps = {step.label: step for step in card.steps}
        assert steps["= To ask for"].value == card.qty
        assert f"{self.shop.warehouse} can spare" in steps

    def test_a_second_run_with_nothing_new_changes_nothing(self) -> None:
        self.branch()
        self.shop.run()
        before = self.records(), self.drafts()
        self.shop.run()
        assert (self.records(), self.drafts()) == before

    def test_our_draft_counts_on_both_sides(self) -> None:
        branch = self.branch()
        self.shop.run()
        qty = self.quantities(self.draft())["Bolt"]
        rows = reads.dated(self.shop.site, self.shop.company)
        mine = rows[rows["voucher_no"] == self.draft()["name"]].set_index("warehouse")["qty"]
        assert mine.to_dict() == {branch: qty, self.shop.warehouse: -qty}
        assert self.policy("Bolt", branch)["position_qty"] >= 5.0 + qty - 1e-6

    def test_news_updates_an_untouched_draft_in_place(self) -> None:
        branch = self.branch(on_hand=20.0)
        self.shop.run()
        before, draft = self.record(), self.draft()
        self.stock(branch, 0.0)
        self.shop.run()
        after = self.record()
        assert (after["name"], self.draft()["name"]) == (before["name"], draft["name"])
        assert self.quantities(after)["Bolt"] > self.quantities(before)["Bolt"]
        assert self.quantities(self.draft()) == self.quantities(after)

    def test_a_request_that_is_no_longer_needed_is_deleted_and_its_record_withdrawn(self) -> None:
        branch = self.branch()
        self.shop.run()
        name = self.record()["name"]
        self.stock(branch, 5000.0)
        self.shop.run()
        assert self.drafts() == []
        assert self.shop.site.get_document("Auto Material Request", name)["status"] == "Withdrawn"

    def stock(self, warehouse: str, on_hand: float, item_code: str = "Bolt") -> None:
        self.shop.history(item_code, daily=0.0, on_hand=on_hand, warehouse=warehouse, days=1)

    def test_an_edited_draft_is_never_altered_and_nothing_else_is_made_for_its_items(self) -> None:
        self.branch()
        self.shop.run()
        self.hands.edit(self.draft()["name"], "Bolt", 7)
        edited = self.draft()
        self.shop.run()
        assert self.draft() == edited
        assert self.record()["edited_by_person"] == 1
        assert [case["warehouse"] for case in self.shop.cases(exception_type="Edited Draft Differs")] == [
            self.record()["warehouse"]
        ]
        self.shop.run()
        assert self.draft() == edited
        assert len(self.records()) == 1

    def test_a_deleted_draft_is_refused_until_its_date(self) -> None:
        branch = self.branch()
        self.shop.run()
        name = self.record()["name"]
        self.hands.delete(self.draft()["name"])
        self.shop.run()
        assert self.drafts() == []
        record = self.shop.site.get_document("Auto Material Request", name) or {}
        assert record["status"] == "Rejected"
        assert record["rejected_until"] is not None
        assert branch not in {each["warehouse"] for order in self.shop.orders() for each in order["items"]}

    def test_a_submitted_request_is_supply_and_is_not_asked_again(self) -> None:
        self.branch()
        self.shop.run()
        name = self.record()["name"]
        self.hands.submit(self.draft()["name"])
        self.shop.run()
        assert self.drafts() == []
        assert self.shop.site.get_document("Auto Material Request", name)["status"] == "Approved"

    def test_what_the_stores_lack_is_ordered_for_the_branch(self) -> None:
        self.branch(at_stores=3.0)
        self.shop.run()
        (order,) = self.shop.orders(status="Proposed")
        (line,) = order["items"]
        assert line["warehouse"] == self.shop.warehouse
        assert line["qty"] > 10.0 * 10.0, "ten a day for the branch, over the supplier's five days and the review"

    def test_excess_of_a_group_covers_need_before_buying(self) -> None:
        west = self.hands.house("West", planning_group="Coast")
        east = self.hands.house("East", planning_group=" Coast ")
        self.shop.stocked_item("Bolt", on_hand=5000.0)
        self.shop.history("Bolt", daily=10.0, on_hand=0.0, warehouse=east)
        self.shop.history("Bolt", daily=10.0, on_hand=900.0, warehouse=west)
        self.shop.run()
        (line,) = self.draft()["items"]
        assert (line["from_warehouse"], line["warehouse"]) == (west, east)
        assert self.shop.orders() == []

    def test_a_made_item_becomes_a_request_to_manufacture_and_its_components_are_bought(self) -> None:
        self.shop.stocked_item("Wheel", daily=0.0, on_hand=0.0, days=30)
        self.shop.item("Bike", default_material_request_type="Manufacture", lead_time_days=3)
        bom = self.hands.bom("Bike", {"Wheel": 2.0})
        self.shop.history("Bike", daily=4.0, on_hand=0.0)
        self.shop.run()
        draft = self.draft()
        (line,) = draft["items"]
        assert (draft["material_request_type"], line["bom_no"]) == ("Manufacture", bom)
        assert f"{2 * line['qty']:g} Wheel" in self.record()["items"][0]["components"]
        (order,) = self.shop.orders(status="Proposed")
        assert [each["item_code"] for each in order["items"]] == ["Wheel"]
        assert order["items"][0]["qty"] >= 2 * line["qty"]

    def test_a_warehouse_left_out_is_neither_planned_nor_counted(self) -> None:
        quarantine = self.hands.house("Quarantine")
        self.shop.stocked_item("Bolt")
        self.shop.history("Bolt", daily=10.0, on_hand=0.0, warehouse=quarantine)
        self.shop.run()
        assert self.policy("Bolt", quarantine)
        self.hands.house("Quarantine", exclude_from_planning=1)
        self.shop.run()
        assert self.shop.rows("Safety Stock Policy", item_code="Bolt", warehouse=quarantine) == []
        lines = [each for order in self.shop.orders(status="Proposed") for each in order["items"]]
        assert {each["warehouse"] for each in lines} == {self.shop.warehouse}

    def test_switched_off_everything_is_bought(self) -> None:
        branch = self.branch()
        self.shop.settings(draft_requests=0)
        self.shop.run()
        assert self.drafts() == []
        assert branch in {each["warehouse"] for order in self.shop.orders() for each in order["items"]}

    def test_what_happened_without_an_event_is_found(self) -> None:
        self.branch()
        self.shop.run()
        record = self.record()
        table = self.shop.site.qb.DocType("Material Request")
        self.shop.site.execute(
            self.shop.site.qb.update(table).set(table.docstatus, 1).where(table.name == record["material_request"])
        )
        self.shop.site.commit()
        assert requests.catch_up(self.shop.site, self.shop.company) == [record["name"]]
        self.shop.site.commit()
        assert self.records()[0]["status"] == "Approved"
        assert requests.follow_request(self.shop.site, "no such request", "submit") is None
