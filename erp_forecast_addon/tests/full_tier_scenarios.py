"""The full tier over several runs, told as scenarios that run on the embedded site and on a bench."""

from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd

from erp_forecast_addon.services import learned_state, learning
from erp_forecast_addon.services.one_item import forecast_item
from erp_forecast_addon.tests.order_scenarios import Scenarios

# The fewest days and series that a model is trained on, without a backtest before it: training is what takes the time.
_ITEMS, _DAYS = 14, 100


class FullTierScenarios(Scenarios):
    def full_company(self) -> None:
        """Items whose sales differ in size, and of which all sell more on some days of the week."""
        rng = np.random.default_rng(8)
        self.shop.supplier("Fast Supplies")
        self.shop.settings(forecast_tier="Full", draft_orders=0)
        week = np.array([1.0, 0.8, 0.8, 1.0, 1.4, 1.8, 0.2])
        for number in range(_ITEMS):
            code = f"Item {number}"
            self.shop.item(code)
            self.shop.source(code, "Fast Supplies", 5.0)
            self.sell(code, rng.poisson((4 + 3 * number) * np.resize(week, _DAYS)).astype(float))

    def sell(self, item_code: str, sold: np.ndarray) -> None:
        """A receipt, then these sales up to yesterday; 12 are left."""
        moved = np.concatenate([[sold.sum() + 12.0], -sold])
        last = self.shop.today - timedelta(days=1)
        days = [last - timedelta(days=len(sold) - at) for at in range(len(moved))]
        self.shop.ledger(pd.DataFrame({
            "item_code": item_code, "warehouse": self.shop.warehouse, "posting_date": pd.to_datetime(days),
            "actual_qty": moved, "qty_after_transaction": moved.cumsum(),
            "voucher_type": ["Purchase Receipt"] + ["Delivery Note"] * len(sold),
        }))  # fmt: skip

    def forecast(self, item_code: str) -> dict[str, Any]:
        (found,) = self.shop.rows("Demand Forecast", company=self.shop.company, item_code=item_code)
        return found

    def forecasting(self, run: dict[str, Any]) -> dict[str, Any]:
        return next(step for step in run["steps"] if step["step"] == "Forecast and plan")

    def next_process(self) -> None:
        """What a process holds of learned states is gone with it; they are read from the site again."""
        learned_state._held.clear()

    def test_the_model_is_kept_and_used_by_the_next_run_and_for_one_item_and_trained_anew_if_it_cannot_be_read(
        self,
    ) -> None:
        self.full_company()
        first = self.shop.run()
        assert first["status"] == "Completed"
        told = self.forecast("Item 5")
        assert "gradient-boosting model" in told["reason"]
        self.next_process()
        forecast_item(self.shop.site, "Item 5", lambda company, warehouse: company == self.shop.company)
        alone = self.forecast("Item 5")
        assert (alone["curve"], alone["reason"]) == (told["curve"], told["reason"])
        self.next_process()
        second = self.shop.run()
        assert (second["status"], self.forecasting(second)["detail"] or "") == ("Completed", "")
        assert self.forecast("Item 5")["reason"] == told["reason"]
        unreadable = {"learned": print}  # a function may not stand in a learned state
        learned_state.save(self.shop.site, self.shop.company, learning.KIND, unreadable, version=learning.VERSION)
        self.next_process()
        third = self.shop.run()
        assert third["status"] == "Completed"
        assert "learned anew" in self.forecasting(third)["detail"]
        self.next_process()
        assert self.forecasting(self.shop.run())["detail"] in (None, "")
