"""The full tier on the embedded site."""

import pytest
from embedded_shop import EmbeddedShop

from erp_forecast_addon.tests.full_tier_scenarios import FullTierScenarios


class TestFullTier(FullTierScenarios):
    @pytest.fixture(autouse=True)
    def _shop(self, shop: EmbeddedShop) -> None:
        self.shop = shop
