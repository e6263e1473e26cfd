"""Orders judged on paths of demand."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from erp_forecast_addon.planning.inventory.path_order import cheapest, order_on_paths


def order(*case, **terms):
    return orders(*case, **terms).qty


def orders(paths, on_hand, arriving=None, arrival=0, review=1, holding=0.2, shortage=1.0, **lots):
    paths = np.asarray(paths, dtype=np.float32)
    n, _p, h = paths.shape
    coming = np.zeros((n, h)) if arriving is None else np.asarray(arriving, dtype=float)
    return order_on_paths(
        paths, np.full(n, float(on_hand)), coming, arrival, review, np.full(n, holding), np.full(n, shortage), **lots
    )


def test_without_lead_time_it_is_the_newsvendor():
    """Demand 1 to 100, each as likely: the critical ratio 0.8 / (0.8 + 0.2) wants 80 (Silver, Pyke & Thomas, 9.2)."""
    paths = np.arange(1, 101, dtype=float).reshape(1, 100, 1)
    assert order(paths, 0, holding=0.2, shortage=0.8)[0] == pytest.approx(80, abs=3)
    assert order(paths, 30, holding=0.2, shortage=0.8)[0] == pytest.approx(50, abs=3)
    assert order(paths, 100, holding=0.2, shortage=0.8)[0] == 0


def test_demand_that_is_lost_before_the_arrival_needs_no_stock():
    """An empty shelf for two periods: backorders would want three periods' demand, lost sales want one."""
    paths = np.full((1, 50, 3), 10.0)
    assert order(paths, 0, arrival=2)[0] == 10
    assert order(paths, 25, arrival=2)[0] == 5
    assert order(paths, 0, arriving=[[10, 10, 0]], arrival=2)[0] == 10
    assert order(paths, 0, arriving=[[10, 10, 4]], arrival=2)[0] == 6


def test_before_the_end_of_a_season_less_is_ordered():
    """The same next period; after it demand goes on in one case and ends in the other."""
    rng = np.random.default_rng(1)
    first = rng.poisson(20, (1, 400, 1))
    goes_on = np.concatenate([first, rng.poisson(20, (1, 400, 5))], axis=2)
    ends = np.concatenate([first, np.zeros((1, 400, 5))], axis=2)
    assert order(ends, 0)[0] < order(goes_on, 0)[0]


def test_lots_are_kept():
    paths = np.random.default_rng(2).poisson(7, (1, 200, 4))
    assert order(paths, 0, order_multiple_qty=12.0)[0] % 12 == 0
    assert order(paths, 8, min_order_qty=30.0)[0] in (0, *range(30, 60))


def test_an_interval_of_several_periods_is_covered_to_its_end():
    paths = np.full((1, 20, 8), 5.0)
    assert order(paths, 0, arrival=2, review=3)[0] == 15


@settings(max_examples=30)
@example(5239, 0.4375, 3, 3)
@given(st.integers(0, 10_000), st.floats(0.05, 1.0), st.integers(0, 3), st.integers(1, 3))
def test_more_on_the_shelf_never_means_a_larger_order(seed, holding, arrival, review):
    paths = np.random.default_rng(seed).negative_binomial(2, 0.3, (1, 100, 8))
    made = [orders(paths, stock, arrival=arrival, review=review, holding=holding) for stock in (0, 5, 20, 80)]
    for earlier, later in pairwise(made):
        # The candidates are a grid of each shelf's own, so a larger shelf may find one that lies a step higher.
        step = max(np.diff(np.unique(each.tried_qty[0])).max(initial=0.0) for each in (earlier, later))
        assert later.qty[0] <= earlier.qty[0] + max(step, 1 + 0.2 * earlier.qty[0])
    assert min(each.qty[0] for each in made) >= 0


def test_a_lead_time_that_the_paths_do_not_reach_is_refused():
    with pytest.raises(ValueError, match="does not fit"):
        order(np.ones((1, 10, 3)), 0, arrival=3)


def test_the_choice_is_made_again_from_what_it_told():
    rng = np.random.default_rng(5)
    paths = rng.negative_binomial(2, 0.2, (6, 100, 8)).astype(np.float32)
    made = order_on_paths(paths, rng.uniform(0, 20, 6), np.zeros((6, 8)), 2, 1, np.full(6, 0.2), np.full(6, 1.0))
    assert [cheapest(made.told(row)) for row in range(6)] == made.qty.tolist()
