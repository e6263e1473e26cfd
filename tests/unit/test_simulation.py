"""The inventory simulation: a case reckoned by hand, and what must hold for any rule and any demand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from erp_forecast_addon.planning.errors import BadInput
from erp_forecast_addon.planning.simulation import (
    Costs,
    Known,
    Limits,
    Outcome,
    Rule,
    Start,
    order_quantities,
    paths_as_rows,
    simulate,
)


def rule_of(reorder_point: list[float], order_up_to: list[float], least: list[float] | None = None) -> Rule:
    least = [0.0] * len(reorder_point) if least is None else least
    return Rule(*(np.array(part, dtype=float) for part in (reorder_point, order_up_to, least)))


DEMAND = np.array([[4.0, 3.0, 5.0, 0.0, 6.0, 2.0]])
LEAD = np.full((1, 6), 2)


def test_lost_sales_reckoned_by_hand() -> None:
    """s = 5, S = 12, lead time 2 days, 10 on hand.

    day  morning  position  order  demand  short  evening
    0    10       10        -      4       0      6
    1    6        6         -      3       0      3
    2    3        3         9      5       2      0
    3    0        0+9       -      0       0      0
    4    9        9         -      6       0      3
    5    3        3         9      2       0      1
    """
    seen = simulate(DEMAND, LEAD, rule_of([5], [12]), Start.with_stock([10.0]))
    assert seen.on_hand_qty is not None
    assert seen.on_hand_qty.tolist() == [[6, 3, 0, 0, 3, 1]]
    assert seen.short_qty is not None
    assert seen.short_qty.tolist() == [[0, 0, 2, 0, 0, 0]]
    assert seen.ordered_qty is not None
    assert seen.ordered_qty.tolist() == [[0, 0, 9, 0, 0, 9]]
    assert seen.received_qty is not None
    assert seen.received_qty.tolist() == [[0, 0, 0, 0, 9, 0]]
    assert seen.order_lines.tolist() == [2]
    assert seen.stock_out_days.tolist() == [2]
    assert seen.end_in_transit_qty.tolist() == [9]
    assert seen.fill_rate() == pytest.approx(18 / 20)
    money = seen.cost_table(Costs(unit_cost=7.3, holding_rate_per_year=0.5, order_cost=5.0, shortage_cost=2.0)).iloc[0]
    assert money["holding_cost"] == pytest.approx(13 / 6 * 7.3 * 0.5 * 6 / 365)
    assert (money["order_cost"], money["shortage_cost"]) == (10.0, 4.0)
    assert money["total_cost"] == pytest.approx(money["holding_cost"] + 14.0)


def test_backorders_wait_and_are_served_first() -> None:
    """As above, but the 2 short on day 2 wait: the position counts them, so 12 - (3 - 0) = 9 comes and leaves 7."""
    seen = simulate(DEMAND, LEAD, rule_of([5], [12]), Start.with_stock([10.0]), backorders=True)
    assert seen.on_hand_qty is not None
    assert seen.on_hand_qty.tolist() == [[6, 3, 0, 0, 1, 0]]
    assert seen.short_qty is not None
    assert seen.short_qty.tolist() == [[0, 0, 2, 0, 0, 1]]
    assert seen.end_net_qty.tolist() == [-1]


def test_erpnext_orders_its_quantity_or_up_to_its_level() -> None:
    """Level 10, reorder quantity 4: at 8 it orders 4, at 3 it orders 7 (qty = max(reorder qty, level - projected))."""
    rule = rule_of([10, 10, 10], [10, 10, 10], [4, 4, 4])
    assert order_quantities(rule, np.array([8.0, 3.0, 11.0]), None).tolist() == [4, 7, 0]


def test_limits() -> None:
    limits = Limits(np.array([6.0, 6, 6, 6, 0]), np.array([0.0, 13, 0, 13, 0]), np.array([np.inf, np.inf, 17, 17, 7.5]))
    rule = rule_of([10] * 5, [17] * 5)
    # Up to multiples of 6; at least 13, so 18; no more than 17 - 3 = 14, so 12; 12 is below the minimum, so none.
    assert order_quantities(rule, np.array([3.0, 10, 3, 3, 3]), limits).tolist() == [18, 18, 12, 0, 4.5]


def test_review_days_and_phase() -> None:
    demand = np.ones((2, 10))
    seen = simulate(
        demand, np.zeros((2, 10), dtype=int), rule_of([99, 99], [20, 20]), Start.with_stock([20.0, 20.0]),
        review_days=7, review_phase=np.array([1, 5]),
    )  # fmt: skip
    assert seen.ordered_qty is not None
    assert np.nonzero(seen.ordered_qty)[1].tolist() == [1, 8, 5]
    assert seen.ordered_qty.sum(axis=1).tolist() == [8, 5]


def test_a_decision_sees_only_the_past_and_no_lost_sales() -> None:
    known_on: dict[int, Known] = {}

    def decide(known: Known) -> Rule:
        known_on[known.day] = known
        return rule_of([-1.0 if known.day == 0 else 5], [12])

    simulate(DEMAND, LEAD, decide, Start.with_stock([10.0]), decide_on=(0, 3, 5))
    assert known_on[0].sales_qty.shape == (1, 0)
    assert known_on[3].sales_qty.tolist() == [[4, 3, 3]]
    assert known_on[3].opening_qty.tolist() == [[10, 6, 3]]
    assert known_on[3].closing_qty.tolist() == [[6, 3, 0]]
    assert known_on[3].receipts().empty
    last = known_on[5].receipts()
    assert last[["row", "ordered_day", "received_day", "qty"]].to_numpy().tolist() == [[0, 3, 5, 12]]


def test_what_is_in_transit_at_the_start_arrives() -> None:
    start = Start(np.array([0.0]), np.array([[0.0, 6.0, 0, 0, 0, 0, 5.0]]))
    seen = simulate(DEMAND, LEAD, rule_of([-1], [0]), start)
    assert seen.received_qty is not None
    assert seen.received_qty.tolist() == [[0, 6, 0, 0, 0, 0]]
    assert seen.end_in_transit_qty.tolist() == [5]
    assert seen.total_short_qty.tolist() == [14 - 0]


def test_paths_are_rows() -> None:
    paths = np.arange(12, dtype=float).reshape(2, 3, 2)
    rows, rule = paths_as_rows(paths, rule_of([1, 2], [3, 4]))
    assert rows[4].tolist() == paths[1, 1].tolist()
    assert rule.reorder_point_qty.tolist() == [1, 1, 1, 2, 2, 2]


@st.composite
def cases(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, Rule, Start, Limits, int]:
    n, t = draw(st.integers(1, 5)), draw(st.integers(1, 25))
    made = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    scale = draw(st.sampled_from([1.0, 0.25, 7.0]))
    demand = np.floor(made.gamma(0.5, 4.0, (n, t))) * scale
    lead = made.integers(0, draw(st.integers(1, 12)), (n, t))
    point = np.floor(made.uniform(-1, 20, n)) * scale
    rule = Rule(point, point + np.floor(made.uniform(0, 20, n)), np.floor(made.uniform(0, 9, n)))
    start = Start(np.floor(made.uniform(0, 15, n)), np.floor(made.uniform(0, 3, (n, draw(st.integers(0, 9))))))
    limits = Limits(made.choice([0.0, 1, 6], n), made.choice([0.0, 2, 13], n), made.choice([np.inf, 30.0], n))
    return demand, lead, rule, start, limits, draw(st.integers(1, 8))


@settings(max_examples=150, deadline=None)
@given(cases(), st.booleans())
def test_units_are_conserved(case: tuple[np.ndarray, np.ndarray, Rule, Start, Limits, int], backorders: bool) -> None:
    demand, lead, rule, start, limits, review_days = case
    seen = simulate(demand, lead, rule, start, review_days=review_days, limits=limits, backorders=backorders)
    left = seen.total_demand_qty if backorders else seen.total_served_qty
    gone_in = seen.start_qty + seen.total_ordered_qty
    np.testing.assert_allclose(gone_in, left + seen.end_net_qty + seen.end_in_transit_qty, atol=1e-6)
    daily_short, daily_received = seen.short_qty, seen.received_qty
    assert daily_short is not None
    assert daily_received is not None
    np.testing.assert_allclose(daily_short.sum(axis=1), seen.total_short_qty, rtol=1e-5)
    np.testing.assert_allclose(daily_received.sum(axis=1), seen.total_received_qty, rtol=1e-5)
    on_hand = seen.on_hand_qty
    assert on_hand is not None
    assert (on_hand >= 0).all()
    assert (daily_short <= demand + 1e-4).all()
    # The evening's stock follows from the day's movements, day by day.
    if not backorders:
        moved = start.on_hand_qty[:, None] + np.cumsum(daily_received - demand + daily_short, axis=1)
        np.testing.assert_allclose(on_hand, moved, atol=1e-3)
        assert (seen.end_net_qty >= 0).all()


@settings(max_examples=60, deadline=None)
@given(cases())
def test_orders_respect_the_limits(case: tuple[np.ndarray, np.ndarray, Rule, Start, Limits, int]) -> None:
    demand, lead, rule, start, limits, review_days = case
    seen = simulate(demand, lead, rule, start, review_days=review_days, limits=limits)
    ordered = seen.ordered_qty
    assert ordered is not None
    placed = ordered > 0
    assert (np.where(placed, ordered - limits.min_order_qty[:, None], 0) >= -1e-4).all()
    multiple = np.where(limits.multiple_qty > 0, limits.multiple_qty, np.nan)[:, None]
    off = np.abs(ordered / multiple - np.rint(ordered / multiple))
    assert (np.nan_to_num(off) < 1e-4).all()
    assert (np.nonzero(placed)[1] % review_days == 0).all()
    assert (placed.sum(axis=1) == seen.order_lines).all()


@settings(max_examples=40, deadline=None)
@given(cases())
def test_a_row_does_not_depend_on_the_others(case: tuple[np.ndarray, np.ndarray, Rule, Start, Limits, int]) -> None:
    demand, lead, rule, start, limits, review_days = case
    every = simulate(demand, lead, rule, start, review_days=review_days, limits=limits)
    last = slice(len(demand) - 1, None)
    parts = [Rule(*(part[last] for part in vars(rule).values())), Start(*(p[last] for p in vars(start).values()))]
    own_limits = Limits(*(part[last] for part in vars(limits).values()))
    alone = simulate(demand[last], lead[last], *parts, review_days=review_days, limits=own_limits)
    assert sums(alone) == sums(every, -1)


def sums(seen: Outcome, row: int = 0) -> list[float]:
    parts = (seen.total_short_qty, seen.total_ordered_qty, seen.order_lines, seen.stock_out_days, seen.end_net_qty)
    return [float(part[row]) for part in parts]


def test_bad_input_is_refused() -> None:
    rule, start = rule_of([1], [2]), Start.with_stock([1.0])
    with pytest.raises(BadInput, match="one shape"):
        simulate(DEMAND, LEAD[:, :2], rule, start)
    with pytest.raises(BadInput, match="0 or more"):
        simulate(-DEMAND, LEAD, rule, start)
    with pytest.raises(BadInput, match="at least 1"):
        simulate(DEMAND, LEAD, rule, start, review_days=0)
    with pytest.raises(BadInput, match="first day"):
        simulate(DEMAND, LEAD, lambda known: rule, start, decide_on=(3,))
