"""What the evidence of lines promises, told as scenarios that run on the embedded site and on a bench."""

import json
from datetime import timedelta
from typing import Any

from erp_forecast_addon.planning.purchasing.evidence import recompute
from erp_forecast_addon.services.order_evidence import Card, order_cards
from erp_forecast_addon.site.pricing import company_currency
from erp_forecast_addon.tests.order_scenarios import Scenarios

METHODS = ("Textbook", "Cycle Service Level", "Fill Rate", "Least Cost", "Buffers")


class EvidenceScenarios(Scenarios):
    def planning_rule(self, **values: Any) -> None:
        self.shop.site.insert_document("Planning Rule", {"company": self.shop.company, "enabled": 1, **values})
        self.shop.site.commit()

    def price_break(self, item_code: str, min_qty: float, percent: float) -> str:
        name = self.shop.site.insert_document("Pricing Rule", {
            "title": f"Many of {item_code}", "apply_on": "Item Code", "price_or_product_discount": "Price", "buying": 1,
            "min_qty": min_qty, "rate_or_discount": "Discount Percentage",
            "discount_percentage": percent, "company": self.shop.company,
            "currency": company_currency(self.shop.site, self.shop.company), "items": [{"item_code": item_code}],
        })  # fmt: skip
        self.shop.site.commit()
        return str(name)

    def every_kind_of_line(self) -> None:
        """A shop whose next run orders by every method, with lots, a price break and a fixed level."""
        self.shop.settings(policy_method="Fill Rate", order_cost=5)
        for method in METHODS:
            self.shop.stocked_item(f"By {method}", on_hand=20)
            self.planning_rule(item_code=f"By {method}", method=method)
        self.shop.stocked_item("Fixed", on_hand=10)
        self.planning_rule(item_code="Fixed", method="Fixed", min_qty=40, max_qty=93)
        self.shop.stocked_item("Minimum", daily=1, on_hand=3, min_order_qty=500)
        self.planning_rule(item_code="Minimum", method="Textbook")
        self.shop.stocked_item("Cheaper", on_hand=20)
        self.planning_rule(item_code="Cheaper", method="Least Cost")
        self.price_break("Cheaper", 300, 20)

    def all_cards(self) -> dict[str, Card]:
        """Every line of every proposal of the company, by item."""
        found = {}
        for order in self.shop.orders():
            for card in order_cards(self.shop.site, order["name"])[1]:
                found[card.item_code] = card
        return found

    def test_every_line_of_a_run_is_computed_again_to_the_same_number(self) -> None:
        self.every_kind_of_line()
        run = self.shop.run()
        cards = self.all_cards()
        assert len(cards) == run["proposal_lines"] == len(METHODS) + 3
        for item, card in cards.items():
            assert card.equal, (item, card.differences, card.problem)
            assert card.computed_qty == card.stock_qty, item
        assert "A planner has fixed the level to 93" in cards["Fixed"].rule
        assert "Raised to the minimum order of 500" in cards["Minimum"].rule
        assert cards["Cheaper"].stock_qty >= 300
        assert "the textbook's order-up-to level" in cards["By Textbook"].rule
        assert "(Buffers)" in cards["By Buffers"].rule
        # Frozen: whatever the world does afterwards.
        self.shop.settings(policy_method="Textbook", service_level_a_pct=60, margin_pct=5)
        self.shop.move("Fixed", -5.0, 400.0)
        assert self.all_cards() == cards

    def test_lines_judged_on_paths_are_computed_again_too(self) -> None:
        self.shop.settings(policy_method="Least Cost", review_mode="Periodic")
        self.shop.stocked_item("Bolt", on_hand=20)
        self.shop.run()
        card = self.all_cards()["Bolt"]
        assert card.equal, card.differences
        assert "quantities tried on possible courses of demand" in card.rule

    def test_levels_that_were_kept_are_computed_again_too(self) -> None:
        self.shop.settings(policy_method="Fill Rate", level_band_pct=60)
        self.shop.stocked_item("Bolt", on_hand=400)
        self.shop.run()
        self.shop.history("Bolt", daily=11, days=1, on_hand=15, until=self.shop.today - timedelta(days=1))
        self.shop.move("Bolt", 0.0, 15.0)
        self.shop.run()
        card = self.all_cards()["Bolt"]
        assert card.equal, card.differences
        assert "The former order-up-to level" in card.rule

    def test_what_was_changed_afterwards_is_told(self) -> None:
        self.shop.stocked_item("Bolt", on_hand=20)
        self.shop.run()
        (order,) = self.shop.orders()
        (line,) = order["items"]
        told = json.loads(line["evidence"]) if isinstance(line["evidence"], str) else line["evidence"]
        changed = json.dumps({**told, "on_hand_qty": told["on_hand_qty"] - 30})
        self.shop.site.set_fields("Auto Purchase Order Item", line["name"], {"evidence": changed})
        self.shop.site.commit()
        ((card,),) = [order_cards(self.shop.site, order["name"])[1]]
        assert not card.equal
        assert card.computed_qty == recompute(json.loads(changed)) == card.stock_qty + 30
        assert [step.label for step in card.differences] == ["= Net position", "Missing", "= To order"]

    def test_a_purchase_order_leads_to_the_evidence_of_its_proposal(self) -> None:
        self.shop.stocked_item("Bolt", on_hand=20)
        self.shop.run()
        (order,) = self.shop.orders()
        record, cards = order_cards(self.shop.site, order["purchase_order"], "Bolt")
        assert (record["name"], len(cards)) == (order["name"], 1)
        steps = {step.label: step for step in cards[0].steps}
        sections = list(dict.fromkeys(step.section for step in cards[0].steps))
        assert sections == ["Position", "Demand over the protection interval", "Levels", "Quantity",
                            "Supplier and price"]  # fmt: skip
        assert steps["= Net position"].value == 20
        assert steps["Ordered from Fast Supplies"].value == 5
