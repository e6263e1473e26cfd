"""The evidence of orders on a live site: computed again, on the form, in the report, in print."""

from erp_forecast_addon.tests.evidence_scenarios import EvidenceScenarios
from erp_forecast_addon.tests.factories import ShopTestCase

IGNORE_TEST_RECORD_DEPENDENCIES = ["Company", "Item", "Item Group", "Supplier", "Warehouse"]
test_ignore = IGNORE_TEST_RECORD_DEPENDENCIES


class TestEvidence(EvidenceScenarios, ShopTestCase): ...
