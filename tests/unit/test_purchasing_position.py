"""The net position in time."""

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from replenishment_case import AS_OF, WAREHOUSE, dated

from erp_forecast_addon.planning.purchasing.position import (
    DatedFlows,
    Netting,
    demand_through_day,
    forecast_that_counts,
    lay_out,
    project,
    projected_stock,
    put_off_qty,
)
from erp_forecast_addon.planning.tables import DATED

PAIRS = pd.MultiIndex.from_tuples([("A", WAREHOUSE), ("B", WAREHOUSE)])
matrices = arrays(float, (2, 20), elements=st.floats(0.0, 100.0))


def flows(*rows: dict, days: int = 10) -> DatedFlows:
    return lay_out(DATED.check(pd.DataFrame(list(rows))) if rows else DATED.empty(), PAIRS, AS_OF, days)


def test_days_count_from_the_day_after_as_of_and_the_past_counts_at_once() -> None:
    open_ = flows(
        dated("A", 1, 5.0, "purchase_order"),
        dated("A", 0, 7.0, "material_request"),
        dated("A", -30, 1.0, "planned_production"),
        dated("B", 3, 2.0, "purchase_order"),
    )
    assert open_.supply[0, 0] == 13.0
    assert open_.supply[1, 2] == 2.0
    assert open_.supply.sum() == 15.0


def test_overdue_orders_and_kinds_that_no_forecast_contains_come_on_top() -> None:
    open_ = flows(
        dated("A", -2, -4.0, "sales_order"),
        dated("A", 2, -6.0, "sales_order"),
        dated("A", 2, -3.0, "transfer_out"),
        dated("A", 0, -1.0, "pos_invoice"),
    )
    assert open_.on_top[0, :3].tolist() == [5.0, 3.0, 0.0]
    assert open_.firm[0, :3].tolist() == [0.0, 6.0, 0.0]


def test_unplanned_pairs_and_days_beyond_the_horizon_are_no_supply_but_drafts_always_count() -> None:
    open_ = flows(
        dated("X", 1, 5.0, "purchase_order"), dated("A", 11, 5.0, "purchase_order"), dated("A", 11, 8.0, "our_draft")
    )
    assert open_.supply.sum() == 0.0
    assert open_.all_drafts.tolist() == [8.0, 0.0]


def test_supply_that_is_expected_after_the_window_it_was_agreed_for_is_told() -> None:
    day = pd.Timestamp(AS_OF)
    rows = pd.DataFrame([
        dated("A", 20, 5.0, "purchase_order") | {"agreed_on": day - pd.Timedelta(days=3)},  # overdue
        dated("A", 6, 7.0, "purchase_order") | {"agreed_on": day + pd.Timedelta(days=2)},  # later, but in time
        dated("B", 20, 3.0, "purchase_order") | {"agreed_on": day + pd.Timedelta(days=15)},  # not agreed in time either
        dated("B", 20, 9.0, "purchase_order"),
    ])  # fmt: skip
    found = DATED.check(rows)
    assert put_off_qty(found, PAIRS, AS_OF, np.array([8, 8])).tolist() == [5.0, 0.0]
    assert lay_out(found, PAIRS, AS_OF, 30).supply[0, [0, 5, 19]].tolist() == [0.0, 7.0, 5.0]


def test_a_firm_order_uses_up_the_forecast_of_its_week_and_not_of_the_next() -> None:
    forecast, firm = np.full((1, 14), 10.0), np.zeros((1, 14))
    firm[0, 2] = 100.0
    through = demand_through_day(forecast, firm)[0]
    assert through[:7].tolist() == [10.0, 20.0, 100.0, 100.0, 100.0, 100.0, 100.0]
    assert through[7:].tolist() == [110.0, 120.0, 130.0, 140.0, 150.0, 160.0, 170.0]


def test_firm_orders_within_the_forecast_change_nothing_by_the_end_of_the_week() -> None:
    forecast, firm = np.full((1, 7), 10.0), np.zeros((1, 7))
    firm[0, 1] = 50.0
    assert demand_through_day(forecast, firm)[0].tolist() == [10.0, 50.0, 50.0, 50.0, 50.0, 60.0, 70.0]


@given(matrices, matrices)
def test_demand_is_at_least_either_and_at_most_both_and_never_falls(forecast: np.ndarray, firm: np.ndarray) -> None:
    through = demand_through_day(forecast, firm)
    slack = 1e-9 * (1.0 + through)
    ends = [6, 13, 19]
    assert (through + slack >= np.maximum(np.cumsum(forecast, 1), np.cumsum(firm, 1)))[:, ends].all()
    assert (through <= np.cumsum(forecast + firm, 1) + slack).all()
    assert (np.diff(through, axis=1) >= -1e-9 * (1.0 + through[:, 1:])).all()


# ---- consumption window, demand time fence, production horizon ----
def week(*days: float) -> np.ndarray:
    return np.array([days], dtype=float)


def test_an_order_beyond_its_week_uses_up_forecast_left_over_before_it_and_then_after_it() -> None:
    """Backward and forward consumption: 70 a week is forecast, an order of 120 is due in the second."""
    forecast, firm = np.full((1, 21), 10.0), np.zeros((1, 21))
    firm[0, 8] = 120.0
    total = [demand_through_day(forecast, firm, Netting(*days))[0, -1] for days in ((0, 0), (2, 0), (0, 9), (60, 60))]
    assert total[0] == 70.0 + 120.0 + 70.0, "its own week alone: 50 are more than was forecast"
    assert total[1] == total[0] - 10.0, "two days back from the ninth: the seventh, the last of the first week"
    assert total[2] == total[0] - 40.0, "nine days ahead of the ninth: the fifteenth to the eighteenth"
    assert total[3] == total[0] - 50.0, "all that it is more"


def test_the_nearest_forecast_goes_first_and_none_goes_twice() -> None:
    forecast, firm = np.full((1, 21), 10.0), np.zeros((1, 21))
    firm[0, 8], firm[0, 15] = 120.0, 120.0
    through = demand_through_day(forecast, firm, Netting(60, 0))[0]
    # Both are 50 more; the first week has 70 to give and the second nothing, so 30 of 100 stay.
    assert through[-1] == 70.0 + 120.0 + 120.0 - 70.0
    assert through[6] == 0.0


@given(matrices, matrices, st.integers(0, 25), st.integers(0, 25))
def test_a_window_takes_forecast_only_and_firm_orders_stay(
    forecast: np.ndarray, firm: np.ndarray, back: int, ahead: int
) -> None:
    alone = demand_through_day(forecast, firm)
    netted = demand_through_day(forecast, firm, Netting(back, ahead))
    slack = 1e-6
    assert (netted <= alone + slack).all()
    assert (netted >= np.cumsum(firm, axis=1) - slack).all()
    assert (netted[:, -1] >= np.maximum(forecast.sum(axis=1), firm.sum(axis=1)) - slack).all()
    assert (np.diff(netted, axis=1) >= -slack).all()
    wider = demand_through_day(forecast, firm, Netting(back + 3, ahead + 3))
    assert (wider[:, -1] <= netted[:, -1] + slack).all()


@given(matrices, matrices, st.integers(0, 25), st.integers(0, 25))
def test_demand_of_a_pair_does_not_depend_on_what_others_have_ordered(
    forecast: np.ndarray, firm: np.ndarray, back: int, ahead: int
) -> None:
    firm[1] = 0.0
    kept = forecast.copy(), firm.copy()
    together = demand_through_day(forecast, firm, Netting(back, ahead))
    for row in (0, 1):
        alone = demand_through_day(forecast[[row]], firm[[row]], Netting(back, ahead))
        assert np.allclose(together[row], alone[0], atol=1e-9)
    assert np.allclose(together[1], np.cumsum(forecast[1])), "nothing firm: the forecast alone"
    assert (forecast == kept[0]).all(), "nothing is written into what was given"
    assert (firm == kept[1]).all()


def test_inside_the_demand_time_fence_only_firm_demand_counts() -> None:
    forecast, firm = np.full((2, 14), 10.0), np.zeros((2, 14))
    firm[0, 1] = 25.0
    counted = forecast_that_counts(forecast, Netting(fence_days=7), np.zeros(2, dtype=bool), 0)
    through = demand_through_day(counted, firm)
    assert through[:, 6].tolist() == [25.0, 0.0]
    assert through[:, 13].tolist() == [95.0, 70.0]


def test_exploded_demand_takes_the_place_of_the_forecast_up_to_the_production_horizon_and_no_further() -> None:
    forecast, exploded = np.full((2, 21), 10.0), np.zeros((2, 21))
    exploded[0, 3], exploded[0, 17] = 40.0, 100.0
    counted = forecast_that_counts(forecast, Netting(), np.array([True, False]), 14)
    through = demand_through_day(counted, exploded)
    assert through[0, 13] == 40.0, "the forecast of these two weeks is not in it"
    assert through[0, 20] == 40.0 + 100.0, "in the third the larger of 70 and 100, never 170"
    assert through[1, 20] == 210.0, "who is no component keeps its forecast"


def test_what_lies_above_the_forecast_is_reckoned_against_the_forecast_that_levels_are_made_of() -> None:
    forecast = np.full((1, 10), 10.0)
    counted = forecast_that_counts(forecast, Netting(fence_days=3), np.zeros(1, dtype=bool), 0)
    none = flows()
    one = DatedFlows(*(getattr(none, name)[:1] for name in ("supply", "drafts", "all_drafts", "firm", "on_top")))
    sight = project(np.zeros(1), forecast, one, np.zeros(1), np.array([3]), np.array([5]), counted, Netting())
    assert sight.above_forecast_qty.tolist() == [-30.0]


def test_kinds_that_the_history_leaves_out_come_on_top_of_the_forecast() -> None:
    table = DATED.check(pd.DataFrame([dated("A", 2, -6.0, "sales_order"), dated("A", 2, -4.0, "production")]))
    sold_only = lay_out(table, PAIRS, AS_OF, 10, ("sales_order",))
    assert (sold_only.firm[0, 1], sold_only.on_top[0, 1]) == (6.0, 4.0)
    both = lay_out(table, PAIRS, AS_OF, 10)
    assert (both.firm[0, 1], both.on_top[0, 1]) == (10.0, 0.0)


def test_the_outlook_names_the_first_days_and_the_depth() -> None:
    open_ = flows(dated("A", 6, 100.0, "purchase_order"))
    forecast = np.array([[10.0] * 10, [0.0] * 10])
    sight = project(np.array([35.0, 1.0]), forecast, open_, np.array([15.0, 0.0]), np.array([3, 3]), np.array([5, 5]))
    assert projected_stock(np.array([35.0, 1.0]), forecast, open_)[0, :6].tolist() == [25, 15, 5, -5, -15, 75]
    assert sight.below_safety_day.tolist() == [2, -1]
    assert sight.shortage_day.tolist() == [3, -1]
    assert sight.short_before_arrival_qty.tolist() == [0.0, 0.0]
    assert (sight.short_later_qty[0], sight.short_later_day[0]) == (15.0, 3)
    assert sight.end_qty.tolist() == [-15.0, 1.0]
    assert sight.supply_qty.tolist() == [100.0, 0.0], "an arrival on the day after the window is on its way"


def test_projection_does_not_depend_on_the_size_of_its_blocks(monkeypatch) -> None:
    rng = np.random.default_rng(5)
    n = 23
    on_hand, forecast = rng.normal(50, 40, n), rng.random((n, 12)) * 10
    open_ = DatedFlows(*(rng.random(s) * 5 for s in ((n, 12), (n, 12), (n,), (n, 12), (n, 12))))
    arguments = (on_hand, forecast, open_, rng.random(n) * 20, rng.integers(0, 5, n), rng.integers(5, 11, n))
    whole = project(*arguments)
    monkeypatch.setattr("erp_forecast_addon.planning.purchasing.position._BLOCK_ROWS", 4)
    for name, value in vars(project(*arguments)).items():
        assert value.tolist() == getattr(whole, name).tolist(), name


def test_no_pairs_have_no_outlook() -> None:
    none = np.zeros(0)
    empty = np.zeros((0, 5))
    sight = project(none, empty, DatedFlows(empty, empty, none, empty, empty), none, none.astype(int), none.astype(int))
    assert sight.end_qty.tolist() == []
