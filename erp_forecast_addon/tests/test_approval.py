"""Approval levels, deadlines, rests, snoozes and buyers' edits on a live site."""

from erp_forecast_addon.tests import approval_scenarios as told
from erp_forecast_addon.tests.factories import ShopTestCase

IGNORE_TEST_RECORD_DEPENDENCIES = ["Company", "Item", "Supplier", "Purchase Order", "User", "Role"]
test_ignore = IGNORE_TEST_RECORD_DEPENDENCIES


class TestLevels(told.LevelScenarios, ShopTestCase): ...


class TestDeadlines(told.DeadlineScenarios, ShopTestCase): ...


class TestBlocked(told.BlockedScenarios, ShopTestCase): ...


class TestRests(told.RestScenarios, ShopTestCase): ...


class TestSnoozes(told.SnoozeScenarios, ShopTestCase): ...


class TestEdits(told.EditScenarios, ShopTestCase): ...
