"""The full tier on a live site."""

from erp_forecast_addon.tests.factories import ShopTestCase
from erp_forecast_addon.tests.full_tier_scenarios import FullTierScenarios

IGNORE_TEST_RECORD_DEPENDENCIES = ["Company", "Item", "Item Group", "Supplier", "Warehouse"]
test_ignore = IGNORE_TEST_RECORD_DEPENDENCIES


class TestFullTier(FullTierScenarios, ShopTestCase):
    pass
