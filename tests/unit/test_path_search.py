"""Levels searched on paths: no worse than their start, no worse than evolution, and right about lost sales."""

import numpy as np
import pytest

from erp_forecast_addon.planning.inventory.path_search import (
    Courses,
    Terms,
    evolved_levels,
    search_levels,
    yearly_costs,
)
from erp_forecast_addon.planning.simulation import Costs, Limits

COSTS = Costs(unit_cost=10.0, holding_rate_per_year=0.25, order_cost=8.0, shortage_cost=4.0)


def courses(*daily: float, paths: int = 6, days: int = 500) -> Courses:
    random = np.random.default_rng(5)
    demand = random.poisson(np.array(daily)[:, None, None], (len(daily), paths, days)).astype(float)
    lead = random.integers(6, 15, demand.shape)
    return Courses(demand, lead, np.array(daily) * 20.0)


def terms(n: int, **changed: object) -> Terms:
    given = {"costs": COSTS, "limits": None, "review_days": 1, "backorders": False, "whole": np.ones(n, dtype=bool)}
    return Terms(**(given | changed))  # type: ignore[arg-type]


@pytest.mark.parametrize("backorders", [True, False])
def test_the_search_never_costs_more_than_its_start_and_finds_what_evolution_finds(backorders: bool) -> None:
    seen, own = courses(0.4, 3.0), terms(2, backorders=backorders)
    point, up_to = np.array([2.0, 60.0]), np.array([4.0, 70.0])
    found = search_levels(seen, point, up_to, own, first_step_qty=np.array([4.0, 16.0]), rounds=20)
    assert (found.yearly_cost <= found.start_cost).all()
    assert found.yearly_cost == pytest.approx(
        yearly_costs(seen, found.reorder_point_qty, found.order_up_to_qty, own)
    )  # fmt: skip
    evolved = evolved_levels(seen, np.array([25.0, 120.0]), own)
    assert (found.yearly_cost <= evolved.yearly_cost * 1.03).all()


def test_whole_pieces_stay_whole_and_a_maximum_is_kept() -> None:
    seen = courses(2.0)
    limits = Limits(np.array([6.0]), np.array([12.0]), np.array([40.0]))
    found = search_levels(
        seen, np.array([15.0]), np.array([40.0]), terms(1, limits=limits), first_step_qty=np.array([8.0])
    )
    assert found.reorder_point_qty[0] == round(found.reorder_point_qty[0])
    assert found.order_up_to_qty[0] == round(found.order_up_to_qty[0])


def test_dearer_shortages_never_lower_what_is_kept() -> None:
    seen = courses(1.5)
    levels = [
        search_levels(
            seen, np.array([18.0]), np.array([40.0]), terms(1, costs=Costs(10.0, 0.25, 8.0, short)),
            first_step_qty=np.array([8.0]), rounds=20,
        )
        for short in (1.0, 20.0)
    ]  # fmt: skip
    assert levels[0].reorder_point_qty[0] < levels[1].reorder_point_qty[0]
