"""Demand of items asked for now and then: rates, sizes, what is needed, and levels by the price of a shortage."""

import numpy as np
import pandas as pd
import pytest

from erp_forecast_addon.planning.inventory.demand_distribution import LeadTimeNodes, lead_time_nodes
from erp_forecast_addon.planning.inventory.methods import PolicyInputs, levels_for
from erp_forecast_addon.planning.inventory.occasional import Occasions, learn_occasions
from erp_forecast_addon.planning.panel import Panel


def monthly(demand: np.ndarray) -> Panel:
    n, t = demand.shape
    return Panel(
        keys=pd.DataFrame({"item_code": [f"I{row:04d}" for row in range(n)], "warehouse": "W"}),
        period="month",
        starts=(np.datetime64("2020-01", "M") + np.arange(t)).astype("datetime64[ns]"),
        demand=demand.astype(float),
        in_stock=np.ones(demand.shape, dtype=bool),
        first=np.zeros(n, dtype=np.int64),
    )


def certain(days: int, n: int) -> LeadTimeNodes:
    probability = np.zeros((n, days + 1))
    probability[:, days] = 1.0
    return lead_time_nodes(probability)


def group(n: int) -> np.ndarray:
    return np.full(n, "", dtype=object)


def made(n: int = 400, t: int = 40, seed: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Demand by month of items whose rates are gamma distributed, and the rates. Always two pieces at a time."""
    random = np.random.default_rng(seed)
    rate = random.gamma(1.5, 0.06, n)
    return 2.0 * (random.random((n, t)) < rate[:, None]), rate


def test_rates_are_drawn_together_and_nobody_asked_for_is_expected_too() -> None:
    demand, rate = made()
    found = learn_occasions(monthly(demand), group(len(rate))).rate_per_day * 365.25 / 12
    own = (demand > 0).mean(axis=1)
    assert found.sum() == pytest.approx(rate.sum(), rel=0.1)
    assert np.square(found - rate).sum() < 0.8 * np.square(own - rate).sum()
    silent = own == 0.0
    assert silent.any()
    assert (found[silent] > 0.0).all()
    assert found[silent].mean() == pytest.approx(rate[silent].mean(), rel=0.35)


def test_nothing_ever_asked_for_promises_nothing() -> None:
    occasions = learn_occasions(monthly(np.zeros((5, 24))), group(5))
    assert (occasions.rate_per_day == 0.0).all()
    assert (occasions.over(certain(30, 5)).mean == 0.0).all()
    assert (occasions.mean_size() == 0.0).all()


def test_sizes_of_others_are_told_over_what_somebody_knows() -> None:
    """Everybody takes all that is kept, 1 or 8 pieces; an item never asked for will be asked for its own maximum."""
    demand = np.zeros((81, 30))
    known = np.where(np.arange(81) % 2 == 0, 1.0, 8.0)
    demand[np.arange(80), np.arange(80) % 30] = known[:80]
    known[80] = 5.0
    occasions = learn_occasions(monthly(demand), group(81), known)
    assert occasions.mean_size()[80] == 5.0
    assert occasions.needed(certain(0, 81)).points[80] == pytest.approx(5.0)
    assert learn_occasions(monthly(demand), group(81)).mean_size()[80] == pytest.approx(4.5, abs=0.1)


def test_own_sizes_count_the_more_the_more_there_are() -> None:
    demand = np.zeros((60, 40))
    demand[:, 0] = 1.0
    demand[0, :20] = 10.0
    occasions = learn_occasions(monthly(demand), group(60))
    assert occasions.own_share[0] == pytest.approx(20 / 22)
    assert occasions.own_share[1] == pytest.approx(1 / 3)
    assert occasions.mean_size()[0] > 9.0
    assert occasions.mean_size()[1] < 3.0


def test_lead_time_demand_is_a_number_of_occasions() -> None:
    """Half an occasion a month of exactly two pieces, three months of lead time: Poisson(1.5) times two."""
    occasions = Occasions(
        rate_per_day=np.array([0.5 / 30.0]), own_share=np.ones(1), own=np.array([[0.0, 2.0]]),
        count=np.array([1]), known_qty=np.ones(1), ratios=np.ones((1, 1000)), group=np.zeros(1, dtype=np.int64),
    )  # fmt: skip
    over, needed = occasions.over(certain(90, 1)), occasions.needed(certain(90, 1))
    assert over.mean[0] == pytest.approx(3.0, rel=0.02)
    assert over.served(np.zeros(1))[0] == pytest.approx(np.exp(-1.5), abs=0.01)
    assert needed.mean[0] == pytest.approx(5.0, rel=0.02)
    assert needed.served(np.array([2.0]))[0] == pytest.approx(np.exp(-1.5), abs=0.01)


def test_a_rate_that_is_not_certain_makes_many_occasions_likelier() -> None:
    """A gamma rate of shape 2 and mean 1.5 in the lead time: negative binomial with p = 2 / 3.5."""
    occasions = Occasions(
        rate_per_day=np.array([0.5 / 30.0]), own_share=np.ones(1), own=np.array([[0.0, 1.0]]),
        count=np.array([1]), known_qty=np.ones(1), ratios=np.ones((1, 1000)), group=np.zeros(1, dtype=np.int64),
        shape=np.array([2.0]),
    )  # fmt: skip
    over = occasions.over(certain(90, 1))
    p = 2.0 / 3.5
    assert over.mean[0] == pytest.approx(1.5, rel=0.03)
    assert over.served(np.zeros(1))[0] == pytest.approx(p**2, abs=0.015)
    assert over.served(np.array([3.0]))[0] == pytest.approx(
        p**2 * sum((k + 1) * (1.0 - p) ** k for k in range(4)), abs=0.015
    )


def test_a_price_of_a_shortage_stocks_what_serves_in_full() -> None:
    """Sizes 1 or 4: two or three pieces serve no more demands in full than one does, so nobody keeps them."""
    demand = np.zeros((40, 40))
    demand[:, 5], demand[:, 25] = 1.0, 4.0
    occasions = learn_occasions(monthly(demand), group(40))
    nodes = certain(10, 40)
    rate = occasions.rate_per_day

    def kept(price_of_shortage: float) -> float:
        inputs = PolicyInputs(
            lead_time_demand=occasions.over(nodes), protection_demand=occasions.needed(nodes),
            review_days=1.0 / rate, daily_mean=rate * occasions.mean_size(), held_at_end=0.0,
            unit_cost=100.0, holding_rate_per_year=0.25, occasion_cost=price_of_shortage,
        )  # fmt: skip
        levels = levels_for(inputs, "Least Cost")
        assert (levels.order_up_to_qty == levels.reorder_point_qty).all()
        return float(levels.order_up_to_qty[0])

    # A piece costs 25 a year; 0.6 occasions a year, each size half of them.
    assert [kept(price) for price in (20.0, 120.0, 1000.0)] == [0.0, 1.0, 4.0]
