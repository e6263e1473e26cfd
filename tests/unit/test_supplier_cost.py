"""What a supplier costs in all, against a textbook's two suppliers."""

import json
from pathlib import Path

import numpy as np
import pytest

from erp_forecast_addon.planning.purchasing.supplier_cost import cost_per_unit, lost_by_waiting, yearly_supply_cost

CASE = json.loads((Path(__file__).parents[1] / "golden" / "supplier_cost_textbook.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("supplier", CASE["suppliers"], ids=lambda each: each["name"])
def test_two_suppliers_of_different_price_lot_and_lead_time(supplier: dict) -> None:
    cost = yearly_supply_cost(
        daily_mean=CASE["demand_mean"] / CASE["days_per_period"],
        daily_std=CASE["demand_std"] / np.sqrt(CASE["days_per_period"]),
        unit_cost=supplier["unit_cost"],
        order_qty=supplier["lot"],
        lead_time_days=supplier["lead_time"] * CASE["days_per_period"],
        lead_time_std_days=supplier["lead_time_std"] * CASE["days_per_period"],
        factor=CASE["safety_factor"],
        holding_rate_per_year=CASE["holding_rate_per_year"],
        own_on_its_way=False,
    )
    # The book counts 52 weeks of 7 days a year, which is 364.
    assert cost.material * 364.0 / 365.0 == pytest.approx(supplier["material"], rel=1e-9)
    assert cost.cycle_stock == pytest.approx(supplier["cycle_stock"])
    assert cost.safety_stock == pytest.approx(supplier["safety_stock"], abs=1.0)


def test_goods_on_their_way_bind_money_for_the_lead_time() -> None:
    with_way, without = (
        yearly_supply_cost(10.0, 0.0, 2.0, 0.0, 30.0, 0.0, 1.0, 0.25, own_on_its_way=own) for own in (True, False)
    )
    assert with_way.total - without.total == pytest.approx(0.25 * 2.0 * 10.0 * 30.0)


def test_without_demand_a_unit_costs_its_price_and_its_way() -> None:
    cost = yearly_supply_cost(np.zeros(1), np.zeros(1), np.array([2.0]), 1.0, np.array([73.0]), 0.0, 1.0, 0.25)
    one = cost_per_unit(cost, np.zeros(1), np.array([2.0]), np.array([0.25]), np.array([73.0]))
    assert one == pytest.approx([2.0 * 1.05])


def test_waiting_loses_the_margin_from_the_first_day_of_shortage() -> None:
    lost = lost_by_waiting(
        np.full(4, 10.0), np.array([8, 8, 2, 8]), np.array([3, -1, 3, 3]), np.array([5.0, 5.0, 5.0, -1.0]),
        np.array([100.0, 100.0, 100.0, 100.0]),
    )  # fmt: skip
    assert lost.tolist() == [250.0, 0.0, 0.0, 0.0]
    assert lost_by_waiting(np.array([10.0]), np.array([30]), np.array([0]), np.array([1.0]), np.array([40.0])) == 40.0
