"""Between two runs, on the embedded site."""

import pytest
from embedded_shop import EmbeddedShop

from erp_forecast_addon.tests.between_scenarios import BetweenRunsScenarios


class TestBetweenRuns(BetweenRunsScenarios):
    @pytest.fixture(autouse=True)
    def _shop(self, shop: EmbeddedShop) -> None:
        self.shop = shop
