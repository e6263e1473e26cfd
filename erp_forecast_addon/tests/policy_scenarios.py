"""What policies promise, told as scenarios that run on the embedded site and on a bench."""

from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd

from erp_forecast_addon.services.one_item import forecast_item
from erp_forecast_addon.tests.order_scenarios import Scenarios

_LEVELS = ("method", "planning_rule", "safety_stock_qty", "reorder_point_qty", "order_up_to_qty", "clamp")


class PolicyScenarios(Scenarios):
    def policy(self, item_code: str) -> dict[str, Any]:
        (found,) = self.shop.rows("Safety Stock Policy", company=self.shop.company, item_code=item_code)
        return found

    def rule(self, **values: Any) -> str:
        given = {"company": self.shop.company, "enabled": 1, **values}
        name = self.shop.site.insert_document("Planning Rule", given)
        self.shop.site.commit()
        return str(name)

    def test_the_settings_choose_the_method(self) -> None:
        self.shop.stocked_item("Bolt", on_hand=60)
        for method in ("Fill Rate", "Cycle Service Level", "Least Cost", "Buffers", "Textbook"):
            self.shop.settings(policy_method=method, order_cost=5)
            self.shop.run()
            found = self.policy("Bolt")
            assert found["method"] == method
            assert 0 < found["reorder_point_qty"] <= found["order_up_to_qty"]
            assert found["explanation"]
            assert found["textbook_reorder_point_qty"] > 0
            assert 0 <= found["expected_fill_rate_pct"] <= 100

    def test_where_sales_are_lost_simulated_levels_hold_no_more_and_the_button_finds_the_same(self) -> None:
        self.shop.stocked_item("Bolt", on_hand=60)
        self.shop.stocked_item("Nut", on_hand=60)
        self.rule(item_code="Bolt", method="Simulated Fill Rate", service_target_pct=85)
        found = {}
        for unmet in ("Waits", "Is Lost"):
            self.shop.settings(policy_method="Fill Rate", level_band_pct=0, unmet_demand=unmet)
            self.shop.run()
            found[unmet] = self.policy("Bolt")
            assert found[unmet]["method"] == "Simulated Fill Rate"
            assert found[unmet]["expected_fill_rate_pct"] >= 85
            assert "tried day by day" in found[unmet]["explanation"]
            assert self.policy("Nut")["method"] == "Fill Rate"
        assert found["Is Lost"]["reorder_point_qty"] <= found["Waits"]["reorder_point_qty"]
        assert "taken to be lost" in found["Is Lost"]["explanation"]
        forecast_item(self.shop.site, "Bolt", lambda company, warehouse: company == self.shop.company)
        assert [self.policy("Bolt")[name] for name in _LEVELS] == [found["Is Lost"][name] for name in _LEVELS]

    def spare_part(self, item_code: str, demands: list[tuple[int, float]], on_hand: float) -> None:
        """Bought two years ago for the shelf; demands: (days ago, pieces)."""
        self.shop.supplier("Fast Supplies")
        self.shop.item(item_code)
        self.shop.source(item_code, "Fast Supplies", 40.0, 20)
        days = [730, *(ago for ago, _pieces in demands)]
        moves = [on_hand + sum(pieces for _ago, pieces in demands), *(-pieces for _ago, pieces in demands)]
        self.shop.ledger(pd.DataFrame({
            "item_code": item_code, "warehouse": self.shop.warehouse,
            "posting_date": pd.to_datetime([self.shop.today - timedelta(days=ago) for ago in days]),
            "actual_qty": moves, "qty_after_transaction": np.cumsum(moves),
            "voucher_type": ["Purchase Receipt"] + ["Delivery Note"] * len(demands),
        }))  # fmt: skip

    def test_a_part_asked_for_now_and_then_is_kept_for_what_a_missed_demand_costs(self) -> None:
        for name, demands in (("Pump", [(500, 2.0), (120, 2.0)]), ("Seal", [(300, 2.0)]), ("Shaft", [])):
            self.spare_part(name, demands, on_hand=0.0 if name == "Pump" else 3.0)
        self.shop.settings(policy_method="Least Cost", occasion_cost=3000, level_band_pct=0)
        self.shop.run()
        found = {name: self.policy(name) for name in ("Pump", "Seal", "Shaft")}
        assert found["Pump"]["order_up_to_qty"] >= 2.0
        assert found["Shaft"]["order_up_to_qty"] >= 1.0
        assert "It was asked for 2 times" in found["Pump"]["explanation"]
        assert "not served in full at 3000" in found["Pump"]["explanation"]
        lines = {line["item_code"]: line["qty"] for line in self.order()["items"]}
        assert lines["Pump"] == found["Pump"]["order_up_to_qty"]
        # The button, which reads one item alone, has what the run learned of all.
        forecast_item(self.shop.site, "Shaft", lambda company, warehouse: company == self.shop.company)
        assert [self.policy("Shaft")[name] for name in _LEVELS] == [found["Shaft"][name] for name in _LEVELS]
        self.rule(item_code="Shaft", occasion_cost=1)
        self.shop.run()
        assert self.policy("Shaft")["order_up_to_qty"] == 0.0
        assert self.policy("Pump")["order_up_to_qty"] == found["Pump"]["order_up_to_qty"]

    def test_a_planning_rule_pins_an_item_and_leaves_the_others(self) -> None:
        self.shop.settings(policy_method="Fill Rate")
        self.shop.stocked_item("Bolt", on_hand=30)
        self.shop.stocked_item("Nut", on_hand=30)
        pinned = self.rule(item_code="Bolt", method="Fixed", min_qty=40, max_qty=90)
        run = self.shop.run()
        bolt, nut = self.policy("Bolt"), self.policy("Nut")
        assert [bolt[name] for name in _LEVELS] == ["Fixed", pinned, bolt["safety_stock_qty"], 40, 90, ""]
        assert (nut["method"], nut["planning_rule"] or "") == ("Fill Rate", "")
        lines = {line["item_code"]: line for line in self.order()["items"]}
        assert lines["Bolt"]["qty"] == 60
        assert run["status"] == "Completed"

    def test_a_rule_for_a_class_sets_the_target(self) -> None:
        self.shop.settings(policy_method="Cycle Service Level")
        self.shop.stocked_item("Bolt", on_hand=30)
        self.rule(abc_class="A", service_target_pct=80)
        self.shop.run()
        assert abs(self.policy("Bolt")["service_level_pct"] - 80) < 0.01

    def test_a_cap_stops_the_levels_and_says_so(self) -> None:
        self.shop.settings(policy_method="Fill Rate")
        self.shop.stocked_item("Bolt", on_hand=30)
        self.rule(item_code="Bolt", max_qty=50)
        self.shop.run()
        found = self.policy("Bolt")
        assert (found["clamp"], found["order_up_to_qty"]) == ("cap", 50)
        assert "planner's maximum of 50" in found["explanation"]

    def test_a_contradiction_of_two_rules_becomes_a_planning_exception(self) -> None:
        self.shop.settings(policy_method="Fill Rate")
        self.shop.stocked_item("Bolt", on_hand=30)
        self.rule(abc_class="A", min_qty=500)
        self.rule(item_code="Bolt", max_qty=50)
        self.shop.run()
        told = [case["message"] for case in self.shop.cases(exception_type="Bad Data", item_code="Bolt")]
        assert any("a minimum of 500 Nos above their maximum of 50 Nos" in message for message in told), told

    def test_what_expires_before_it_arrives_is_told(self) -> None:
        self.shop.settings(policy_method="Fill Rate")
        self.shop.stocked_item("Milk", on_hand=30, lead_time_days=9, shelf_life_in_days=4)
        self.shop.run()
        told = [case["message"] for case in self.shop.cases(exception_type="Bad Data", item_code="Milk")]
        assert any("it keeps 4 days and takes 9 days to arrive" in message for message in told), told
        assert self.policy("Milk")["clamp"] == "shelf life"

    def test_a_second_run_keeps_levels_and_drafts(self) -> None:
        self.shop.settings(policy_method="Fill Rate", level_band_pct=5)
        self.shop.stocked_item("Bolt", on_hand=30)
        self.shop.run()
        before, drafts = self.policy("Bolt"), self.shop.drafts()
        self.shop.run()
        assert [self.policy("Bolt")[name] for name in _LEVELS] == [before[name] for name in _LEVELS]
        assert self.shop.drafts() == drafts

    def test_an_item_forecast_alone_gets_the_levels_of_the_run(self) -> None:
        self.shop.settings(policy_method="Fill Rate")
        self.shop.stocked_item("Bolt", on_hand=30)
        self.shop.stocked_item("Nut", daily=2, on_hand=30)
        self.rule(abc_class="A", method="Cycle Service Level")
        self.shop.run()
        before = {code: self.policy(code) for code in ("Bolt", "Nut")}
        for code, stored in before.items():
            forecast_item(self.shop.site, code, lambda company, warehouse: company == self.shop.company)
            assert [self.policy(code)[name] for name in _LEVELS] == [stored[name] for name in _LEVELS], code
