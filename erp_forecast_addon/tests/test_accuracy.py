"""Accuracy on a live site: the report, who may see it, what is deleted when, and renames."""

from datetime import timedelta
from typing import Any

import frappe
import numpy as np
import pandas as pd
from frappe.desk.query_report import run as run_report
from frappe.utils import add_days, today

from erp_forecast_addon.planning.accuracy import LAGS, LEVELS, STATE, Snapshot
from erp_forecast_addon.services import accuracy
from erp_forecast_addon.site import doctypes
from erp_forecast_addon.site.frappe_site import FrappeSite
from erp_forecast_addon.tests import site_records as made
from erp_forecast_addon.tests.factories import ShopTestCase
from erp_forecast_addon.tests.site_records import SiteTestCase

IGNORE_TEST_RECORD_DEPENDENCIES = ["Company", "Item", "Supplier", "Warehouse"]
test_ignore = IGNORE_TEST_RECORD_DEPENDENCIES
REPORT = "Forecast Accuracy"


def judged(item_code: str, house: str, of: str, abs_error: float) -> None:
    """Rows of one pair that was judged for ten weeks of ten pieces each, at every lag."""
    sums = np.zeros((1, len(LAGS), len(STATE)))
    for at, name in enumerate(STATE):
        sums[:, :, at] = {"weeks": 10, "weight": 10, "demand": 100, "abs_error": abs_error, "naive_abs_error": 50}.get(
            name, 0
        )
    site = FrappeSite()
    week = pd.Timestamp(add_days(today(), -14))
    pair = {"item_code": item_code, "warehouse": house, "company": of, "demand_class": "Smooth"}
    rows = pd.DataFrame([{**pair, "measured_until": week, "weeks": 10, "state": accuracy._sums_as_text(sums)[0]}])
    site.upsert_rows("Forecast Accuracy", rows, doctypes.UNIQUE_KEYS["Forecast Accuracy"])
    sums_of_week = {"pairs": 1, "demand_qty": 10.0, "abs_error_qty": abs_error / 10, "naive_abs_error_qty": 5.0}
    weekly = {"warehouse": house, "company": of, "demand_class": "Smooth", "lag_weeks": 1, "week_start": week}
    key = doctypes.UNIQUE_KEYS["Forecast Accuracy Week"]
    site.upsert_rows("Forecast Accuracy Week", pd.DataFrame([{**weekly, **sums_of_week}]), key)


class TestReport(SiteTestCase):
    """Two warehouses of one company and one of another, each with a judged item."""

    @classmethod
    def make_records(cls) -> None:
        cls.company, cls.other = made.company(), made.second_company()
        cls.first, cls.second = made.warehouse("Accuracy First"), made.warehouse("Accuracy Second")
        cls.foreign = made.warehouse("Accuracy Foreign", of=cls.other)
        cls.item = made.item("FC-ACCURACY")
        for house, of, error in (
            (cls.first, cls.company, 20.0),
            (cls.second, cls.company, 60.0),
            (cls.foreign, cls.other, 10.0),
        ):
            made.planned(cls.item, house, of=of, wape_pct=0)
            judged(cls.item, house, of, error)

    def rows(self, **filters: Any) -> list[dict[str, Any]]:
        found = run_report(REPORT, filters=filters)["result"]
        return [row for row in found if isinstance(row, dict)]

    def test_the_item_shows_what_was_judged(self) -> None:
        rows = {row["warehouse"]: row for row in self.rows(item_code=self.item, lag_weeks="1")}
        assert (rows[self.first]["wape_pct"], rows[self.second]["wape_pct"]) == (20.0, 60.0)
        assert (rows[self.first]["value_added_pct"], rows[self.second]["value_added_pct"]) == (60.0, -20.0)

    def test_groups_add_up_before_they_divide(self) -> None:
        (row,) = self.rows(group_by="Demand Class", company=self.company, lag_weeks="1")
        assert (row["demand_class"], row["pairs"], row["wape_pct"]) == ("Smooth", 2, 40.0)
        by_house = {row["warehouse"]: row["wape_pct"] for row in self.rows(group_by="Warehouse", company=self.company)}
        assert by_house == {self.first: 20.0, self.second: 60.0}
        (week,) = self.rows(group_by="Week", company=self.company)
        assert week["value_added_pct"] == 20.0

    def test_a_lag_that_nobody_judged_is_empty_and_one_that_is_not_kept_is_refused(self) -> None:
        assert self.rows(group_by="Week", lag_weeks="13", company=self.company) == []
        with self.assertRaisesRegex(frappe.ValidationError, "kept 1, 4, 8, 13 weeks ahead, not 2"):
            self.rows(lag_weeks="2")
        with self.assertRaisesRegex(frappe.ValidationError, "not by Colour"):
            self.rows(group_by="Colour")

    def test_a_user_sees_his_warehouses_only(self) -> None:
        planner = made.user("accuracy-planner", made.PLANNER)
        made.limit(planner, Warehouse=self.first)
        with made.acting_as(planner):
            assert {row["warehouse"] for row in self.rows(item_code=self.item)} == {self.first}
            assert {row["warehouse"] for row in self.rows(group_by="Warehouse")} == {self.first}
            (row,) = self.rows(group_by="Demand Class")
            assert row["wape_pct"] == 20.0
        other = made.user("accuracy-other", made.PLANNER)
        made.limit(other, Company=self.other)
        with made.acting_as(other):
            assert {row["warehouse"] for row in self.rows(group_by="Warehouse")} == {self.foreign}

    def test_who_plans_nothing_sees_nothing(self) -> None:
        with made.acting_as(made.user("accuracy-seller", "Sales User")), self.assertRaises(frappe.PermissionError):
            self.rows()

    def test_nobody_may_read_what_was_learned_or_write_a_figure(self) -> None:
        planner = made.user("accuracy-planner", made.PLANNER)
        assert not frappe.has_permission("Forecast State", "read", user=planner)
        assert not frappe.has_permission("Forecast Snapshot", "read", user=planner)
        assert frappe.has_permission("Forecast Accuracy", "read", user=planner)
        assert not frappe.has_permission("Forecast Accuracy", "write", user=planner)

    def test_a_merge_of_items_keeps_the_rows_of_the_one_that_stays(self) -> None:
        self.snapshot(self.item)
        stays = made.item("FC-ACCURACY-STAYS")
        judged(stays, self.first, self.company, 30.0)
        self.snapshot(stays)
        made.rename("Item", self.item, stays, merge=True)
        assert not frappe.db.count("Forecast Accuracy", {"item_code": self.item})
        assert frappe.db.count("Forecast Accuracy", {"item_code": stays, "warehouse": self.first}) == 1
        assert frappe.db.count("Forecast Snapshot", {"item_code": stays}) == 1

    def snapshot(self, item_code: str) -> None:
        site = FrappeSite()
        keys = pd.DataFrame({"item_code": [item_code], "warehouse": [self.first]})
        flat = np.ones((1, len(LAGS)))
        start = frappe.utils.getdate(add_days(today(), -7))
        kept = Snapshot(keys, start, start - timedelta(days=1), flat, flat, flat, np.ones((1, len(LAGS), len(LEVELS))))
        rows = accuracy._snapshot_rows(kept, np.array([0]), self.company)
        site.upsert_rows("Forecast Snapshot", rows, doctypes.UNIQUE_KEYS["Forecast Snapshot"])

    def test_old_rows_are_cleared_and_young_ones_stay(self) -> None:
        self.snapshot(self.item)
        for doctype, field in (
            ("Forecast Snapshot", "week_start"), ("Forecast Accuracy", "measured_until"),
            ("Forecast Accuracy Week", "week_start"),
        ):  # fmt: skip
            name = frappe.get_all(doctype, filters={"warehouse": self.first}, pluck="name", limit=1)[0]
            cleared = frappe.get_meta(doctype) and frappe.model.base_document.get_controller(doctype)
            cleared.clear_old_logs(days=730)
            assert frappe.db.exists(doctype, name)
            frappe.db.set_value(doctype, name, field, add_days(today(), -800))
            cleared.clear_old_logs(days=730)
            assert not frappe.db.exists(doctype, name), doctype


class TestRun(ShopTestCase):
    def test_a_run_keeps_judges_and_learns_on_a_live_site(self) -> None:
        shop = self.shop
        shop.stocked_item("Bolt", days=120)
        end = shop.site.as_of()
        for back in (21, 14, 7, 0):
            accuracy_day = end - timedelta(days=back)
            run = shop.run(as_of=accuracy_day)
        steps = {step["step"]: step for step in run["steps"]}
        assert steps["Keep forecasts"]["rows"] == 1
        assert all(step["status"] == "Done" for step in run["steps"])
        (row,) = shop.rows("Forecast Accuracy")
        assert row["weeks"] >= 2
        assert row["wape_pct"] < 10, "a steady item"
        assert shop.rows("Forecast State")
        again = accuracy.measure(shop.site, shop.company, end)
        assert again.rows == 0
