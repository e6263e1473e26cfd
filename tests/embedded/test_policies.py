"""Policies on the embedded site: methods, planning rules, what is told."""

import pytest
from embedded_shop import EmbeddedShop

from erp_forecast_addon.site.policy_reads import policy_terms
from erp_forecast_addon.tests.policy_scenarios import PolicyScenarios


class TestPolicies(PolicyScenarios):
    @pytest.fixture(autouse=True)
    def _shop(self, shop: EmbeddedShop) -> None:
        self.shop = shop

    def test_a_buying_price_rule_makes_orders_larger(self) -> None:
        self.shop.settings(policy_method="Least Cost", order_cost=5)
        self.shop.stocked_item("Bolt", on_hand=30, rate=5.0)
        self.shop.run()
        before = self.policy("Bolt")["order_qty"]
        self.shop.site.insert_document("Pricing Rule", {
            "title": "Many bolts", "apply_on": "Item Code", "price_or_product_discount": "Price", "buying": 1,
            "min_qty": 300, "rate_or_discount": "Discount Percentage", "discount_percentage": 20, "currency": "EUR",
            "items": [{"item_code": "Bolt"}],
        })  # fmt: skip
        self.shop.site.commit()
        breaks = policy_terms(self.shop.site, self.shop.company).price_breaks
        assert breaks[["item_code", "min_qty", "discount_share"]].to_numpy().tolist() == [["Bolt", 300.0, 0.2]]
        self.shop.run()
        assert self.policy("Bolt")["order_qty"] >= 300.0 > before
        (line,) = self.order()["items"]
        assert line["qty"] >= 300
