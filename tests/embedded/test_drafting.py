"""Drafts: update in place, shrink, withdraw, leave what a person edited, and never order twice."""

import pytest
from embedded_shop import EmbeddedShop

from erp_forecast_addon.tests.order_scenarios import DraftingScenarios


class TestDrafting(DraftingScenarios):
    @pytest.fixture(autouse=True)
    def _shop(self, shop: EmbeddedShop) -> None:
        self.shop = shop
