"""New, dying, ended and replaced items."""

from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest

from erp_forecast_addon.planning.forecasting.launch import YOUNG_BELOW
from erp_forecast_addon.planning.forecasting.lifecycle import (
    after_models,
    lifecycle_of,
    phase_out_share,
    probability_alive,
)
from erp_forecast_addon.planning.panel import Panel, hierarchy_of
from erp_forecast_addon.planning.succession import hand_over, successors
from erp_forecast_addon.planning.tables import ITEMS, REPLACEMENTS

AS_OF = date(2026, 11, 20)
T = 280
HORIZON = 28


def items_of(*codes: str, **columns: Any) -> pd.DataFrame:
    return ITEMS.check(pd.DataFrame({"item_code": list(codes), "item_group": "Drinks", **columns}))


def panel_of(rows: dict[tuple[str, str], np.ndarray], first: dict[tuple[str, str], int] | None = None) -> Panel:
    """Days up to AS_OF; a row's demand is aligned to the end."""
    keys = sorted(rows)
    demand = np.zeros((len(keys), T))
    for at, key in enumerate(keys):
        demand[at, T - len(rows[key]) :] = rows[key]
    begins = np.array([(first or {}).get(key, T - len(rows[key])) for key in keys])
    frame = pd.DataFrame(keys, columns=["item_code", "warehouse"])
    starts = np.datetime64(AS_OF, "D") - T + 1 + np.arange(T)
    in_stock = np.ones(demand.shape, dtype=bool)
    return Panel(frame, "day", starts.astype("datetime64[ns]"), demand, in_stock, begins, as_of=AS_OF)


def replaced(*rows: tuple[str, str] | tuple[str, str, bool]) -> pd.DataFrame:
    full = [(*row, True) if len(row) == 2 else row for row in rows]
    return REPLACEMENTS.check(pd.DataFrame(full, columns=["item_code", "successor", "is_choice"]))


def resolve(rows: pd.DataFrame, items: pd.DataFrame):
    return successors(rows, items, items["item_code"], AS_OF)


def stage(panel: Panel, mean: np.ndarray, items: pd.DataFrame, final: pd.Series | None = None):
    final = pd.Series(dtype=object) if final is None else final
    return after_models(mean, panel, lifecycle_of(panel.keys, items, final, AS_OF))


def sentence(made: Any, row: int) -> str:
    return made.template[row].format(**made.values[row])


# ---- succession ------------------------------------
def test_a_chain_leads_to_its_last_item() -> None:
    final, faults = resolve(replaced(("A", "B"), ("B", "C"), ("C", "D")), items_of("A", "B", "C", "D"))
    assert final.to_dict() == {"A": "D", "B": "D", "C": "D"}
    assert faults == []


@pytest.mark.parametrize("length", [1, 2, 3, 5, 8])
def test_a_circle_is_told_and_hands_nothing_over(length: int) -> None:
    ring = [f"R{at}" for at in range(length)]
    rows = [(one, ring[(at + 1) % length]) for at, one in enumerate(ring)]
    final, faults = resolve(replaced(*rows, ("IN", "R0"), ("A", "B")), items_of(*ring, "IN", "A", "B"))
    assert final.to_dict() == {"A": "B"}
    assert sorted(fault.item_code for fault in faults) == sorted([*ring, "IN"])
    assert all("comes back" in fault.sentence() for fault in faults)


def test_a_successor_that_does_not_exist_is_told() -> None:
    final, (fault,) = resolve(replaced(("A", "GONE")), items_of("A"))
    assert final.empty
    assert "GONE" in fault.sentence()
    assert fault.item_code == "A"


def test_an_alternative_takes_over_only_from_an_item_that_has_ended() -> None:
    rows = replaced(("A", "B", False), ("LIVE", "B", False))
    final, faults = resolve(rows, items_of("A", "B", "LIVE", disabled=[True, False, False]))
    assert final.to_dict() == {"A": "B"}
    assert faults == []


def test_an_alternative_that_has_ended_too_takes_over_nothing() -> None:
    ended = pd.to_datetime(["2026-01-01", "2026-11-20", None])
    final, faults = resolve(replaced(("A", "B", False), ("B", "A", False)), items_of("A", "B", "C", end_of_life=ended))
    assert final.empty
    assert faults == []


def test_several_alternatives_are_told_unless_a_person_named_one() -> None:
    items = items_of("A", "B", "C", disabled=[True, False, False])
    both = (("A", "B", False), ("A", "C", False))
    final, (fault,) = resolve(replaced(*both), items)
    assert final.empty
    assert "B, C" in fault.sentence()
    assert "Replaced By" in fault.sentence()
    final, faults = resolve(replaced(both[0], ("A", "C", True)), items)
    assert final.to_dict() == {"A": "C"}
    assert faults == []


# ---- handing over ------------------------------------
def test_history_moves_to_the_successor_and_totals_stay() -> None:
    panel = panel_of(
        {("OLD", "East"): np.full(200, 3.0), ("NEW", "East"): np.full(30, 2.0), ("SOAP", "East"): np.ones(T)}
    )
    made = hand_over(panel, pd.Series({"OLD": "NEW"}))
    new, old, soap = 0, 1, 2
    np.testing.assert_array_equal(made.demand[new], panel.demand[0] + panel.demand[1])
    assert made.first[new] == T - 200
    assert made.observed[new, T - 200 :].all()
    assert not made.observed[old].any()
    assert made.demand.sum() == panel.demand.sum()
    np.testing.assert_array_equal(made.demand[soap], panel.demand[soap])
    np.testing.assert_array_equal(made.in_stock[soap], panel.in_stock[soap])


def test_a_successor_that_has_not_moved_yet_gets_a_row_in_order() -> None:
    panel = panel_of(
        {("OLD", "East"): np.full(100, 3.0), ("OLD", "West"): np.full(50, 1.0), ("NEW", "West"): np.ones(5)}
    )
    made = hand_over(panel, pd.Series({"OLD": "NEW"}))
    assert made.keys.to_numpy().tolist() == [["NEW", "East"], ["NEW", "West"], ["OLD", "East"], ["OLD", "West"]]
    np.testing.assert_array_equal(made.demand[0, T - 100 :], np.full(100, 3.0))
    assert made.first.tolist()[:2] == [T - 100, T - 50]
    assert made.demand.sum() == panel.demand.sum()


def test_several_predecessors_add_up() -> None:
    panel = panel_of({("A", "E"): np.full(100, 3.0), ("B", "E"): np.full(60, 1.0)})
    made = hand_over(panel, pd.Series({"A": "C", "B": "C"}))
    np.testing.assert_array_equal(made.demand[2, T - 60 :], np.full(60, 4.0))
    assert made.keys["item_code"].tolist() == ["A", "B", "C"]


def test_an_empty_shelf_of_the_predecessor_stays_unknown_to_the_successor() -> None:
    panel = panel_of({("OLD", "E"): np.full(100, 3.0), ("NEW", "E"): np.full(10, 3.0)})
    panel.in_stock[1, T - 50 : T - 20] = False
    made = hand_over(panel, pd.Series({"OLD": "NEW"}))
    assert not made.observed[0, T - 50 : T - 20].any()
    assert made.observed[0, T - 20 :].all()


def test_no_replacement_leaves_the_panel_itself() -> None:
    panel = panel_of({("A", "E"): np.ones(100)})
    assert hand_over(panel, pd.Series(dtype=object)) is panel
    assert hand_over(panel, pd.Series({"OTHER": "NEW"})) is panel


def test_the_replaced_item_is_forecast_zero_and_both_say_so() -> None:
    panel = panel_of({("OLD", "E"): np.full(200, 3.0), ("NEW", "E"): np.full(30, 2.0)})
    final = pd.Series({"OLD": "NEW"})
    made = stage(hand_over(panel, final), np.full((2, HORIZON), 3.0), items_of("NEW", "OLD"), final)
    assert made.mean[1].sum() == 0
    assert made.mean[0].sum() == 3.0 * HORIZON
    assert "NEW, which has taken over" in sentence(made, 1)
    assert "takes the place of OLD" in sentence(made, 0)


# ---- the end ------------------------------------
def test_after_the_end_of_life_nothing_is_forecast() -> None:
    panel = panel_of({("A", "E"): np.ones(T), ("B", "E"): np.ones(T), ("C", "E"): np.ones(T)})
    ends = pd.to_datetime(["2026-12-01", None, "2099-12-31"])
    mean = np.ones((3, HORIZON))
    made = stage(panel, mean, items_of("A", "B", "C", end_of_life=ends, disabled=[False, True, False]))
    np.testing.assert_array_equal(made.mean[0], (np.arange(HORIZON) < 10).astype(float))  # 21 to 30 November
    assert made.mean[1].sum() == 0
    np.testing.assert_array_equal(made.mean[2], mean[2])
    assert "2026-12-01" in sentence(made, 0)
    assert "disabled" in sentence(made, 1)
    assert made.changed.tolist() == [True, True, False]
    assert mean.sum() == 3 * HORIZON


def test_a_period_in_which_the_end_falls_counts_in_part() -> None:
    weeks = np.array(["2026-11-23", "2026-11-30", "2026-12-07"], dtype="datetime64[ns]")
    ends = np.array(["2026-12-02", "NaT", "2026-01-01"], dtype="datetime64[D]")
    np.testing.assert_allclose(phase_out_share(ends, weeks, "week"), [[1, 2 / 7, 0], [1, 1, 1], [0, 0, 0]])


# ---- silence ------------------------------------
def test_an_item_that_fell_silent_fades_and_one_that_is_often_silent_does_not() -> None:
    steady = np.zeros(T)
    steady[0:150:5] = 2.0  # every five days, and then not for 130
    slow = np.zeros(T)
    slow[[0, 120, 160, 170]] = 2.0  # has been silent for 120 before
    rare = np.zeros(T)
    rare[[10, 12]] = 5.0
    alive = probability_alive(np.stack([steady, slow, rare]), np.ones((3, T), dtype=bool), 1 / 1825)
    assert alive[0] < 0.01
    assert alive[1:].tolist() == [1.0, 1.0]


def test_days_without_stock_are_no_silence() -> None:
    demand = np.zeros((1, T))
    demand[0, 0:150:5] = 2.0
    observed = np.ones((1, T), dtype=bool)
    observed[0, 152:] = False
    assert probability_alive(demand, observed, 1 / 1825)[0] == 1.0


def test_the_longer_the_silence_the_less_is_left() -> None:
    demand = np.zeros((60, T))
    for row in range(60):
        demand[row, 0 : 200 - row : 5] = 2.0
        demand[row, 200 - row :] = 0.0
    alive = probability_alive(demand, np.ones(demand.shape, dtype=bool), 1 / 1825)
    assert (np.diff(alive) <= 1e-12).all()


def test_a_dying_series_says_since_when() -> None:
    fallen = np.zeros(T)
    fallen[0:150:5] = 2.0
    panel = panel_of({("A", "E"): fallen, ("B", "E"): np.ones(T)})
    made = stage(panel, np.ones((2, HORIZON)), items_of("A", "B"))
    assert made.mean[0].sum() < 0.1 * HORIZON
    np.testing.assert_array_equal(made.mean[1], 1.0)
    assert str(panel.starts[145])[:10] in sentence(made, 0)


# ---- launches ------------------------------------
def launch_panel(own: np.ndarray, rate: float = 4.0, likes: int = 30) -> tuple[Panel, pd.DataFrame, np.ndarray]:
    """`likes` mature items of one group around a rate, and a young one, ZNEW, with `own` demand so far."""
    rng = np.random.default_rng(5)
    rows = {(f"L{at:02}", "E"): rng.poisson(rate * rng.gamma(8, 1 / 8), T).astype(float) for at in range(likes)}
    panel = panel_of({**rows, ("ZNEW", "E"): own})
    items = items_of(*panel.keys["item_code"])
    mean = np.repeat(panel.demand[:, -56:].sum(axis=1, keepdims=True) / 56, HORIZON, axis=1)
    mean[-1] = own.mean() if len(own) else 0.0
    return panel, items, mean


def test_a_new_item_lies_between_its_own_sales_and_those_of_like_items() -> None:
    panel, items, mean = launch_panel(np.array([12.0, 12.0, 12.0]))
    made = stage(panel, mean, items)
    daily = made.mean[-1].mean()
    assert 4.0 < daily < 12.0
    np.testing.assert_array_equal(made.mean[:-1], mean[:-1])
    words = sentence(made, panel.n - 1)
    for part in ("30 like items", "same item group and warehouse", "3 days"):
        assert part in words


def test_its_own_sales_count_the_more_the_longer_they_are() -> None:
    daily = []
    for days in (2, 7, 20):
        panel, items, mean = launch_panel(np.full(days, 12.0))
        daily.append(stage(panel, mean, items).mean[-1].mean())
    assert daily[0] < daily[1] < daily[2] <= 12.0


def test_a_new_item_that_does_not_sell_falls_towards_nothing() -> None:
    made = []
    for days in (2, 27):
        panel, items, mean = launch_panel(np.zeros(days))
        made.append(stage(panel, mean, items).mean[-1].mean())
    few, many = made
    assert 0 < many < few < 4.0
    assert many < 0.6


def test_an_item_that_is_no_longer_young_keeps_its_models_forecast() -> None:
    panel, items, mean = launch_panel(np.full(YOUNG_BELOW["day"], 12.0))
    made = stage(panel, mean, items)
    np.testing.assert_array_equal(made.mean, mean)
    assert not made.changed.any()


def test_siblings_and_like_prices_count_more() -> None:
    cheap = {(f"C{at}", "E"): np.full(T, 20.0) for at in range(5)}
    dear = {(f"D{at}", "E"): np.full(T, 1.0) for at in range(5)}
    panel = panel_of({**cheap, **dear, ("NEW", "E"): np.array([5.0])})
    codes = panel.keys["item_code"].tolist()
    mean = panel.demand[:, -HORIZON:].copy()
    mean[-1] = 5.0
    rates = [{"C": 1.0, "D": 50.0}.get(code[0], 45.0) for code in codes]
    near_dear = stage(panel, mean, items_of(*codes, selling_rate=rates)).mean[-1].mean()
    siblings = ["SHIRT" if code[0] in "CN" else "" for code in codes]
    near_cheap = stage(panel, mean, items_of(*codes, variant_of=siblings)).mean[-1].mean()
    plain = stage(panel, mean, items_of(*codes)).mean[-1].mean()
    assert near_dear < plain < near_cheap


def test_where_launches_decline_the_new_one_is_forecast_to_decline() -> None:
    rng = np.random.default_rng(3)
    fading = 10.0 * np.where(np.arange(200) < 56, 2.0, 0.7)
    rows = {(f"L{at:02}", "E"): rng.poisson(fading[: 120 + 2 * at]).astype(float) for at in range(40)}
    rows |= {(f"M{at:02}", "E"): rng.poisson(7.0, T).astype(float) for at in range(20)}
    panel = panel_of({**rows, ("ZNEW", "E"): np.full(10, 20.0)})
    mean = np.repeat(panel.demand[:, -28:].mean(axis=1, keepdims=True), 90, axis=1)
    mean[-1] = 20.0
    made = stage(panel, mean, items_of(*panel.keys["item_code"])).mean[-1]
    assert made[:20].mean() > 15
    assert made[-20:].mean() < 0.6 * made[:20].mean()


def test_without_like_items_the_models_forecast_stays() -> None:
    panel = panel_of({("ONLY", "E"): np.full(10, 3.0)})
    mean = np.full((1, HORIZON), 3.0)
    made = stage(panel, mean, items_of("ONLY"))
    np.testing.assert_array_equal(made.mean, mean)


def test_an_empty_panel_passes() -> None:
    panel = Panel(
        pd.DataFrame({"item_code": [], "warehouse": []}, dtype=object), "day",
        np.array(["2026-11-20"], dtype="datetime64[ns]"), np.zeros((0, 1)), np.zeros((0, 1), dtype=bool),
        np.zeros(0, dtype=int),
    )  # fmt: skip
    assert stage(panel, np.zeros((0, 7)), items_of("A")).mean.shape == (0, 7)
    assert len(hierarchy_of(panel.keys, None, "")) == 0
