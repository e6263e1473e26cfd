"""Approval levels, deadlines, rests, snoozes and buyers' edits on the embedded site."""

import pytest
from embedded_shop import EmbeddedShop

from erp_forecast_addon.tests import approval_scenarios as told


class _OnEmbedded:
    @pytest.fixture(autouse=True)
    def _shop(self, shop: EmbeddedShop) -> None:
        self.shop = shop


class TestLevels(_OnEmbedded, told.LevelScenarios): ...


class TestDeadlines(_OnEmbedded, told.DeadlineScenarios): ...


class TestBlocked(_OnEmbedded, told.BlockedScenarios): ...


class TestRests(_OnEmbedded, told.RestScenarios): ...


class TestSnoozes(_OnEmbedded, told.SnoozeScenarios): ...


class TestEdits(_OnEmbedded, told.EditScenarios): ...
