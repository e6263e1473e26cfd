"""Replay: what a policy may know, ERPNext's levels, first demands, and a past read from buckets."""

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest

from erp_forecast_addon.planning import replay_ledger
from erp_forecast_addon.planning.errors import BadInput
from erp_forecast_addon.planning.panel import Panel
from erp_forecast_addon.planning.replay import ErpnextLevels, Planned, Planner, Terms, in_periods, seen_by
from erp_forecast_addon.planning.settings import PlanSettings
from erp_forecast_addon.planning.simulation import Costs, Known, Limits, Outcome, Rule, Start, simulate
from erp_forecast_addon.planning.tables import OPEN_LINES, RECEIPTS

MONDAY = np.datetime64("2026-01-05")
N, HISTORY, DAYS = 12, 140, 56


def daily(demand: np.ndarray, first_day: np.datetime64 = MONDAY) -> Panel:
    n, t = demand.shape
    return Panel(
        keys=pd.DataFrame({"item_code": [f"I{row:02d}" for row in range(n)], "warehouse": "W"}),
        period="day",
        starts=(first_day + np.arange(t)).astype("datetime64[ns]"),
        demand=demand.astype(float),
        in_stock=np.ones(demand.shape, dtype=bool),
        first=np.zeros(n, dtype=np.int64),
    )


def made_demand(seed: int = 0) -> np.ndarray:
    made = np.random.default_rng(seed)
    return made.poisson(np.linspace(0.05, 4.0, N)[:, None], (N, HISTORY + DAYS)).astype(float)


def played(demand: np.ndarray, method: str, target: float) -> Outcome:
    history = daily(demand[:, :HISTORY])
    lead = np.zeros((N, 15))
    lead[:, [5, 7, 14]] = (0.2, 0.6, 0.2)
    terms = Terms(lead, Costs(2.0, 0.25, 1.0, 0.6), Limits.none(N), 7)
    settings = replace(PlanSettings("C"), period="week", quantile_levels=(0.5,))
    planner = Planner(history, settings, terms, frozenset({0, 28}), horizon_periods=4, workers=1)
    days = np.random.default_rng(1).choice([5, 7, 14], (N, DAYS))
    return simulate(
        demand[:, HISTORY:], days, Planned(planner, method, target), Start.with_stock(np.full(N, 6.0)),
        decide_on=range(0, DAYS, 7), review_days=7,
    )  # fmt: skip


@pytest.mark.parametrize(("method", "target"), [("Fill Rate", 0.95), ("Least Cost", np.nan)])
def test_no_order_knows_what_comes_after_it(method: str, target: float) -> None:
    """Demand from day 30 on is another one: nothing that was ordered until then may change."""
    demand = made_demand()
    other = demand.copy()
    other[:, HISTORY + 30 :] = made_demand(9)[:, HISTORY + 30 :] * 3
    one, two = played(demand, method, target), played(other, method, target)
    assert one.ordered_qty is not None
    assert two.ordered_qty is not None
    assert one.ordered_qty[:, :31].sum() > 0
    np.testing.assert_array_equal(one.ordered_qty[:, :31], two.ordered_qty[:, :31])
    assert (one.ordered_qty[:, 31:] != two.ordered_qty[:, 31:]).any()


def test_a_higher_fill_rate_serves_more_and_holds_more() -> None:
    low, high = played(made_demand(), "Fill Rate", 0.7), played(made_demand(), "Fill Rate", 0.99)
    assert high.fill_rate() > low.fill_rate()
    assert high.mean_on_hand_qty.sum() > low.mean_on_hand_qty.sum()


def test_lost_sales_are_not_seen_and_empty_days_are_masked() -> None:
    seen: dict[int, Known] = {}

    def never(known: Known) -> Rule:
        seen[known.day] = known
        return Rule(np.full(1, np.nan), np.zeros(1), np.zeros(1))

    history = daily(np.full((1, 28), 2.0))
    simulate(np.full((1, 7), 2.0), np.ones((1, 7), dtype=int), never, Start.with_stock([5.0]), decide_on=(0, 6))
    panel = seen_by(history, seen[6])
    assert panel.demand[0, 28:].tolist() == [2, 2, 1, 0, 0, 0]
    # Cut short on the third day (1 is below the usual 2), empty since: unknown rather than 0.
    assert panel.in_stock[0, 28:].tolist() == [True, True, False, False, False, False]
    assert panel.starts[-1] == np.datetime64(MONDAY + 33, "ns")


def test_a_daily_panel_by_week_keeps_complete_weeks() -> None:
    demand = np.ones((1, 20))
    panel = daily(demand, MONDAY + 2)  # begins on a Wednesday, ends on a Monday
    weeks = in_periods(replace(panel, in_stock=np.arange(20)[None] < 8), "week")
    assert weeks.demand.tolist() == [[7.0, 7.0]]
    assert weeks.starts.tolist() == (MONDAY + np.array([7, 14])).astype("datetime64[ns]").tolist()
    assert weeks.in_stock.tolist() == [[False, False]]
    assert weeks.last_day == date(2026, 1, 26)
    with pytest.raises(BadInput, match="no complete week"):
        in_periods(daily(np.ones((1, 5)), MONDAY + 1), "week")


def test_erpnexts_recommended_level() -> None:
    """90 units in 30 days, 7 days of lead time, 4 pieces of safety stock: 3·7 + 4 = 25; of 2 days' demand: 3·(7+2)."""
    nothing = np.zeros((1, 0), dtype=np.float32)
    known = Known(0, nothing, nothing, nothing, np.zeros(1), np.zeros(1), nothing, np.zeros((0, 1), dtype=np.int64))
    history = daily(np.full((1, 30), 3.0))
    pieces = ErpnextLevels(history, 7.0, 0.0, 7, safety_qty=4.0)(known)
    assert (pieces.reorder_point_qty[0], pieces.order_up_to_qty[0], pieces.least_order_qty[0]) == (25.0, 25.0, 21.0)
    assert ErpnextLevels(history, 7.0, 2.0, 7)(known).reorder_point_qty[0] == 27.0


def test_what_waits_is_known_whatever_the_shelf() -> None:
    """Demand that waits is told to a rule as asked for, demand that is lost only as far as it was sold."""
    demand = np.full((1, 10), 3.0)
    seen: dict[bool, np.ndarray] = {}

    def rule(known: Known) -> Rule:
        seen[waits] = np.array(known.sales_qty)
        return Rule(np.array([np.nan]), np.zeros(1), np.zeros(1))

    for waits in (False, True):
        simulate(demand, np.ones((1, 10), dtype=int), rule, Start.with_stock([4.0]), decide_on=(0, 9), backorders=waits)
    assert seen[True].sum() == 27.0
    assert seen[False].sum() == 4.0
    history = daily(np.full((1, HISTORY), 3.0))
    nothing = np.zeros((1, 9), dtype=np.float32)
    known = Known(9, nothing, nothing, nothing, np.zeros(1), np.zeros(1), nothing.T, nothing.T.astype(np.int64))
    assert not seen_by(history, known).in_stock[:, -9:].any()
    assert seen_by(history, known, lost=False).in_stock.all()


# ---- the past of a ledger ----


def bucket_rows(qty: list[tuple[int, float, float, float]]) -> pd.DataFrame:
    """(day, demand, opening, closing) of one pair."""
    days = [MONDAY + day for day, *_rest in qty]
    columns = {
        "demand_qty": [q[1] for q in qty],
        "opening_qty": [q[2] for q in qty],
        "closing_qty": [q[3] for q in qty],
    }
    return pd.DataFrame({"item_code": "A", "warehouse": "W", "day": pd.to_datetime(days), **columns})


def inputs_of(buckets: pd.DataFrame) -> replay_ledger.Inputs:
    def no_supply(receipts: pd.DataFrame, open_lines: pd.DataFrame, day: date) -> replay_ledger.Supply:
        raise AssertionError("the past is read without a plan")

    items = pd.DataFrame({"item_code": ["A"], "stock_uom": ["Nos"]})
    empty = pd.DataFrame({"item_code": [], "warehouse": [], "on_hand_qty": [], "valuation_rate": []})
    return replay_ledger.Inputs(buckets, items, empty, RECEIPTS.empty(), OPEN_LINES.empty(), no_supply)


def test_the_past_is_read_with_stock_receipts_and_estimated_demand() -> None:
    """Two a day from 200 on; empty from the end of day 61, until 40 come in on day 66. The last 10 of 70 days."""
    rows = [(day, 2.0, 200.0 - 2 * day, 198.0 - 2 * day) for day in range(61)]
    rows += [(61, 2.0, 78.0, 0.0), (66, 2.0, 0.0, 38.0)]  # 76 were written off on day 61
    rows += [(day, 2.0, 38.0 - 2 * (day - 67), 36.0 - 2 * (day - 67)) for day in (67, 68, 69)]
    last = (MONDAY + 69).item()
    past = replay_ledger.read_past(inputs_of(bucket_rows(rows)), PlanSettings("C"), last, 10)
    assert past.first_day == (MONDAY + 60).item()
    assert past.start_qty.tolist() == [80.0]
    assert past.sales_qty[0].tolist() == [2, 2, 0, 0, 0, 0, 2, 2, 2, 2]
    assert past.on_hand_qty[0].tolist() == [78, 0, 0, 0, 0, 0, 38, 36, 34, 32]
    assert past.received_qty[0].tolist() == [0, 0, 0, 0, 0, 0, 40, 0, 0, 0]
    assert past.masked[0].tolist() == [False] * 2 + [True] * 4 + [False] * 4
    assert (past.demand_qty >= past.sales_qty).all()
    assert past.demand_qty[0, 2:6].sum() > 0
    np.testing.assert_array_equal(past.demand_qty[0, ~past.masked[0]], past.sales_qty[0, ~past.masked[0]])
    really = replay_ledger.really(past)
    assert really.order_lines.tolist() == [1]
    assert really.stock_out_days.tolist() == [5]
    assert really.total_short_qty[0] == past.demand_qty[0].sum() - 12


def test_receipts_as_they_were_known() -> None:
    day = pd.Timestamp("2026-03-10")
    receipts = RECEIPTS.check(pd.DataFrame({
        "supplier": "S", "item_code": ["early", "late", "later"],
        "ordered_on": [day - pd.Timedelta(days=9), day - pd.Timedelta(days=3), day + pd.Timedelta(days=1)],
        "received_on": [day, day + pd.Timedelta(days=5), day + pd.Timedelta(days=6)], "stock_qty": [1.0, 2.0, 3.0],
    }))  # fmt: skip
    come, waiting = replay_ledger.known_then(receipts, OPEN_LINES.empty(), day.date())
    assert come["item_code"].tolist() == ["early"]
    assert waiting[["item_code", "open_qty"]].to_numpy().tolist() == [["late", 2.0]]


def test_parts_of_an_outcome_add_up() -> None:
    whole = played(made_demand(), "Fill Rate", 0.9)
    parts = [whole.between(0, 20), whole.between(20, DAYS)]
    for name in ("total_short_qty", "total_ordered_qty", "total_received_qty", "order_lines", "stock_out_days"):
        np.testing.assert_allclose(sum(getattr(part, name) for part in parts), getattr(whole, name), rtol=1e-5)
    np.testing.assert_allclose(parts[0].start_qty, whole.start_qty, atol=1e-4)
    np.testing.assert_allclose(parts[1].start_qty, parts[0].end_net_qty + parts[0].end_in_transit_qty, atol=1e-4)
    held = (parts[0].mean_on_hand_qty * 20 + parts[1].mean_on_hand_qty * (DAYS - 20)) / DAYS
    np.testing.assert_allclose(held, whole.mean_on_hand_qty, rtol=1e-5)
