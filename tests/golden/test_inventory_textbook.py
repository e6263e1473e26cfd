"""The formulas give the numbers that the textbooks print; the cases are data with their source."""

import json
from pathlib import Path
from typing import Any

import pytest

from erp_forecast_addon.planning.inventory import safety_stock as formulas

CASES = json.loads((Path(__file__).parent / "inventory_textbook.json").read_text())


def named(case: dict[str, Any]) -> str:
    return str(case["source"])


@pytest.mark.parametrize("case", CASES["safety_stock"], ids=named)
def test_safety_stock_and_levels_match_the_textbook(case: dict[str, Any]) -> None:
    std = formulas.protection_std(case["protection"], case["mean"], case["std"], case["lead_time_std"])
    stock = formulas.safety_stock(formulas.safety_factor(case["service_level"]), std)
    demand = case["protection"] * case["mean"]
    found = {
        "std_over_protection": std,
        "safety_stock": stock,
        "reorder_point": formulas.reorder_point(demand, stock),
        "order_up_to": formulas.order_up_to(demand, stock),
    }
    assert {name: float(found[name]) for name in case["expected"]} == pytest.approx(
        case["expected"], abs=case["tolerance"]
    )


@pytest.mark.parametrize("case", CASES["expected_units_short"], ids=named)
def test_expected_shortage_matches_the_textbook(case: dict[str, Any]) -> None:
    found = float(formulas.expected_units_short(case["mean_left"], case["std"]))
    assert found == pytest.approx(case["expected"], abs=case["tolerance"])


@pytest.mark.parametrize("case", CASES["safety_factor"], ids=lambda c: str(c["service_level"]))
def test_safety_factor_matches_the_table(case: dict[str, Any]) -> None:
    assert float(formulas.safety_factor(case["service_level"])) == pytest.approx(
        case["expected"], abs=case["tolerance"]
    )
