"""Drafts: update in place, shrink, withdraw, leave what a person edited, and never order twice."""

from collections.abc import Callable

import pandas as pd
import pytest
from embedded_shop import EmbeddedShop

from erp_forecast_addon.services import decisions
from erp_forecast_addon.services.fingerprint import fingerprints
from erp_forecast_addon.services.open_drafts import same_need
from erp_forecast_addon.site.embedded import EmbeddedSite
from erp_forecast_addon.tests.order_scenarios import DraftingScenarios


class TestDrafting(DraftingScenarios):
    @pytest.fixture(autouse=True)
    def _shop(self, shop: EmbeddedShop) -> None:
        self.shop = shop

    def test_an_order_approved_while_the_run_plans_is_not_made_again(self) -> None:
        self.shop.stocked_item("Bolt")
        self.shop.run()
        order = self.order()["name"]
        while_drafting(self.shop, lambda site: decisions.approve(site, order))
        self.shop.move("Bolt", -15, 5)
        self.shop.run()
        assert [each["status"] for each in self.shop.orders()] == ["Approved"]
        assert self.shop.drafts() == []

    def test_a_draft_edited_while_the_run_plans_is_left_alone(self) -> None:
        self.shop.stocked_item("Bolt")
        self.shop.run()
        name = self.draft()["name"]
        while_drafting(self.shop, lambda site: self.shop.edit_draft(name, "Bolt", 7))
        self.shop.move("Bolt", -15, 5)
        self.shop.run()
        assert self.quantities(self.draft()) == {"Bolt": 7}


def while_drafting(shop: EmbeddedShop, act: Callable[[EmbeddedSite], None]) -> None:
    """Let somebody act between planning and drafting of the next run."""
    site = shop.site

    class Interfering(type(site)):  # type: ignore[misc]
        acted = False

        def report_progress(self, run: str, percent: float, step: str) -> None:
            super().report_progress(run, percent, step)
            if step == "Draft orders" and not self.acted:
                self.acted = True
                act(self)
                self.commit()

    site.__class__ = Interfering


ASKED = pd.DataFrame({
    "item_code": ["A", "B"], "warehouse": "W", "uom": "Nos", "schedule_date": pd.to_datetime(["2026-12-01"] * 2),
    "qty": [100.0, 10.0], "conversion_factor": 1.0, "stock_qty": [100.0, 10.0], "rate": 5.0, "alternative_supplier": "",
})  # fmt: skip


@pytest.mark.parametrize(("column", "value", "same"), [
    ("stock_qty", 105.0, True), ("stock_qty", 95.0, True), ("stock_qty", 106.0, False), ("stock_qty", 94.0, False),
    ("schedule_date", pd.Timestamp("2026-12-03"), True), ("schedule_date", pd.Timestamp("2026-11-28"), False),
    ("rate", 5.01, False), ("uom", "Box", False), ("conversion_factor", 12.0, False), ("warehouse", "V", False),
])  # fmt: skip
def test_what_counts_as_the_same_need(column: str, value: object, same: bool) -> None:
    fresh = ASKED.copy()
    fresh.loc[0, column] = value
    assert same_need(ASKED, fresh, 0.05, 2) is same
    assert same_need(ASKED, fresh.iloc[1:], 0.05, 2) is False


def test_a_fingerprint_tells_what_a_person_would_call_another_order() -> None:
    headers = pd.DataFrame({"purchase_order": ["P"], "supplier": "S", "currency": "EUR", "base_grand_total": 550.0})
    lines = ASKED.assign(purchase_order="P")
    (before,) = fingerprints(headers, lines)
    assert fingerprints(headers, lines.iloc[::-1].assign(row="x")).tolist() == [before], "order and names do not count"
    changes = {"qty": 9.0, "rate": 4.0, "uom": "Box", "warehouse": "V", "item_code": "C", "conversion_factor": 2.0,
               "schedule_date": pd.Timestamp("2026-12-24")}  # fmt: skip
    for column, value in changes.items():
        changed = lines.copy()
        changed.loc[0, column] = value
        assert fingerprints(headers, changed).tolist() != [before], column
    for column, value in {"supplier": "T", "currency": "USD", "base_grand_total": 495.0}.items():
        assert fingerprints(headers.assign(**{column: value}), lines).tolist() != [before], column
    assert fingerprints(headers, lines.iloc[1:]).tolist() != [before]
    assert fingerprints(headers.iloc[:0], lines.iloc[:0]).empty
