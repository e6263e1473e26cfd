"""Transfer before buying: supplied warehouses, planning groups, made items."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import Phase, example, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from network_case import Chain, bought, requests, settings
from replenishment_case import AS_OF, day, sentences

from erp_forecast_addon.planning.purchasing.explosion import planned_receipts, released, through_phantoms
from erp_forecast_addon.planning.purchasing.network import depths
from erp_forecast_addon.planning.purchasing.requests import recompute_request
from erp_forecast_addon.planning.purchasing.transfers import match
from erp_forecast_addon.planning.tables import BOMS

HUB = {"Hub": ("", ""), "North": ("Hub", ""), "South": ("Hub", "")}
GROUP = {"East": ("", "g"), "West": ("", "g")}


# ---- a warehouse that supplies others ----
def test_a_supplied_warehouse_asks_its_supplier_and_buys_nothing() -> None:
    result = Chain({("A", "North"): 10.0}, {("A", "North"): 0.0, ("A", "Hub"): 500.0}, HUB).run()
    asked = requests(result)
    assert list(asked) == [("A", "North", "Hub")]
    # Transfer of a day, the look of tomorrow and seven days of review.
    assert (
        asked["A", "North", "Hub"]
        == result.policies.set_index(["item_code", "warehouse"]).loc[("A", "North"), "order_up_to_qty"]
    )
    assert ("A", "North") not in bought(result)


def test_the_supplying_warehouse_buys_for_its_own_demand_and_for_its_dependants() -> None:
    alone = Chain({("A", "Hub"): 10.0}, {}, HUB).run()
    both = Chain({("A", "Hub"): 10.0, ("A", "North"): 4.0, ("A", "South"): 6.0}, {}, HUB).run()
    window = 7.0 + 7.0  # lead time and review
    assert bought(alone)["A", "Hub"] == 10.0 * window
    more = bought(both)["A", "Hub"] - bought(alone)["A", "Hub"]
    # What they use in the window, and the days by which they are ahead of it: their transfer and their own review.
    assert 10.0 * window <= more <= 10.0 * (window + 1.0 + 7.0)
    assert set(bought(both)) == {("A", "Hub")}


def test_what_a_dependant_has_is_not_planned_again() -> None:
    full = Chain({("A", "North"): 10.0}, {("A", "North"): 10_000.0}, HUB).run()
    assert bought(full) == {}
    assert requests(full) == {}


def test_three_levels_pass_the_need_up() -> None:
    houses = {"Port": ("", ""), "Hub": ("Port", ""), "North": ("Hub", "")}
    result = Chain({("A", "North"): 10.0}, {}, houses).run()
    assert set(bought(result)) == {("A", "Port")}
    assert requests(result) == {}, "nobody has anything to give yet"


def test_the_most_urgent_dependant_is_served_first_and_the_hub_keeps_its_own_need() -> None:
    daily = {("A", "Hub"): 1.0, ("A", "North"): 10.0, ("A", "South"): 10.0}
    on_hand = {("A", "Hub"): 60.0, ("A", "North"): 0.0, ("A", "South"): 5.0}
    asked = requests(Chain(daily, on_hand, HUB).run())
    given_away = sum(asked.values())
    assert given_away <= 60.0 - 14.0, "the hub sells one a day until its next order arrives"
    assert asked["A", "North", "Hub"] >= asked.get(("A", "South", "Hub"), 0.0)


def test_reserved_stock_is_not_given_away() -> None:
    chain = Chain({("A", "North"): 10.0}, {("A", "Hub"): 50.0}, HUB)
    chain.positions = {("A", "Hub"): {"reserved_stock_qty": 45.0}}
    assert requests(chain.run()) == {("A", "North", "Hub"): 5.0}


def test_an_open_transfer_counts_on_both_sides() -> None:
    plain = Chain({("A", "North"): 10.0}, {("A", "Hub"): 1000.0}, HUB)
    wanted = requests(plain.run())["A", "North", "Hub"]
    under_way = [("A", "North", 1, 5.0, "material_request"), ("A", "Hub", 1, -5.0, "transfer_out")]
    plain.dated = under_way
    assert requests(plain.run())["A", "North", "Hub"] == wanted - 5.0
    scarce = Chain({("A", "North"): 10.0}, {("A", "Hub"): 60.0}, HUB, dated=under_way)
    assert requests(scarce.run())["A", "North", "Hub"] == 55.0, "five of the sixty are promised"


def test_warehouses_in_a_circle_buy_and_it_is_said() -> None:
    houses = {"Hub": ("North", ""), "North": ("Hub", ""), "South": ("Hub", "")}
    result = Chain({("A", "North"): 10.0, ("A", "South"): 1.0}, {}, houses).run()
    assert ("A", "North") in bought(result)
    assert len([s for s in sentences(result, "Bad Data") if "in the end by itself" in s]) == 2


def test_a_supplying_warehouse_that_is_not_planned_is_said_and_bought_for() -> None:
    result = Chain({("A", "North"): 10.0}, {}, {"North": ("Elsewhere", "")}).run()
    assert ("A", "North") in bought(result)
    assert "not planned in this company" in sentences(result, "Bad Data")[0]


def test_a_supplier_that_has_too_little_is_said_where_stock_runs_out() -> None:
    result = Chain({("A", "North"): 10.0}, {("A", "Hub"): 3.0}, HUB).run()
    assert requests(result) == {("A", "North", "Hub"): 3.0}
    assert any("can spare 3 today" in s for s in sentences(result, "Unavoidable Shortage"))


# ---- warehouses that help each other out ----
def test_excess_covers_need_before_anything_is_bought() -> None:
    daily = {("A", "East"): 10.0, ("A", "West"): 10.0}
    result = Chain(daily, {("A", "East"): 0.0, ("A", "West"): 1000.0}, GROUP).run()
    assert list(requests(result)) == [("A", "East", "West")]
    assert bought(result) == {}


def test_only_the_rest_is_bought() -> None:
    daily = {("A", "East"): 10.0, ("A", "West"): 10.0}
    plain = Chain(daily, {("A", "West"): 140.0}, {"East": ("", ""), "West": ("", "")}).run()
    helped = Chain(daily, {("A", "West"): 160.0}, GROUP).run()
    moved = requests(helped)["A", "East", "West"]
    assert moved == 20.0, "what lies above the order-up-to level of 140"
    assert bought(helped)["A", "East"] == bought(plain)["A", "East"] - moved


def test_warehouses_of_other_groups_do_not_help() -> None:
    daily = {("A", "East"): 10.0}
    houses = {"East": ("", "g"), "West": ("", "h"), "South": ("", "")}
    result = Chain(daily, {("A", "West"): 1000.0, ("A", "South"): 1000.0}, houses).run()
    assert requests(result) == {}
    assert ("A", "East") in bought(result)


def test_a_move_that_costs_more_than_buying_is_not_made() -> None:
    chain = Chain({("A", "East"): 1.0, ("A", "West"): 10.0}, {("A", "West"): 1000.0}, GROUP)
    chain.settings = settings(transfer_cost=10_000.0)
    result = chain.run()
    assert requests(result) == {}
    assert ("A", "East") in bought(result)


def test_a_move_that_comes_later_than_the_supplier_is_not_made() -> None:
    chain = Chain({("A", "East"): 1.0, ("A", "West"): 10.0}, {("A", "West"): 1000.0}, GROUP)
    chain.settings = settings(transfer_days=30.0)
    assert requests(chain.run()) == {}


def test_a_refused_move_is_bought_instead() -> None:
    chain = Chain({("A", "East"): 1.0, ("A", "West"): 10.0}, {("A", "West"): 1000.0}, GROUP)
    chain.refused = [("A", "East", "Material Transfer")]
    result = chain.run()
    assert requests(result) == {}
    assert ("A", "East") in bought(result)


quantities = st.integers(0, 4000).map(lambda tenths: tenths / 10.0)


@examples(max_examples=25, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@example([14.1, 145.7, 17.4, 364.4, 113.1], [3.0, 13.0, 11.0, 9.0, 2.0], True, 42)
@given(
    st.lists(quantities, min_size=5, max_size=5),
    st.lists(st.integers(0, 20).map(float), min_size=5, max_size=5),
    st.booleans(),
    st.integers(0, 60),
)
def test_stock_is_conserved_nobody_gives_what_it_needs_and_nothing_moves_twice(
    on_hand: list[float], daily: list[float], hub_in_group: bool, open_order: int
) -> None:
    names = ["Hub", "North", "South", "East", "West"]
    group = "g" if hub_in_group else ""
    houses = {"Hub": ("", group), "North": ("Hub", "g"), "South": ("Hub", ""), "East": ("", "g"), "West": ("", "g")}
    chain = Chain(
        {("A", name): rate for name, rate in zip(names, daily, strict=True)},
        {("A", name): qty for name, qty in zip(names, on_hand, strict=True)},
        houses,
    )
    chain.dated = [("A", "East", 20, -float(open_order), "sales_order")] if open_order else []
    result = chain.run()
    table = result.requests
    lines = table.groupby(["item_code", "from_warehouse", "warehouse"]).size()
    assert (lines == 1).all()
    stock, demand = dict(zip(names, on_hand, strict=True)), dict(zip(names, daily, strict=True))
    given_away, taken = table.groupby("from_warehouse")["qty"].sum(), table.groupby("warehouse")["qty"].sum()
    assert given_away.sum() == pytest.approx(taken.sum())
    assert (table["qty"] > 0.0).all()
    for name, qty in given_away.items():
        own = demand[name] * 7.0  # until an order of today arrives
        borrowed = taken.get(name, 0.0)  # what the Hub is lent it may pass on
        assert qty <= stock[name] + 1e-6, f"{name} gave what is not there yet"
        assert qty <= stock[name] + borrowed - own + 1e-6, f"{name} gave what it needs itself"
        if name != "Hub":
            assert name not in taken.index
            assert ("A", name) not in bought(result), "who gives does not buy it back"
    for evidence, qty in zip(table["evidence"], table["qty"], strict=True):
        assert recompute_request(evidence) == pytest.approx(qty)


@given(st.data())
def test_a_match_keeps_totals_and_limits(data: st.DataObject) -> None:
    def column(size: int) -> tuple[np.ndarray, np.ndarray]:
        groups = data.draw(st.lists(st.integers(-1, 3), min_size=size, max_size=size))
        qty = data.draw(st.lists(st.integers(0, 50), min_size=size, max_size=size))
        return np.array(groups, dtype=np.int64), np.array(qty, dtype=float)

    taker_group, need = column(data.draw(st.integers(0, 8)))
    giver_group, spare = column(data.draw(st.integers(0, 8)))
    moves = match(taker_group, need, giver_group, spare)
    assert (moves.taken(len(need)) <= need + 1e-9).all()
    assert (moves.given(len(spare)) <= spare + 1e-9).all()
    assert (taker_group[moves.taker] == giver_group[moves.giver]).all()
    for group in range(4):
        wanted, there = need[taker_group == group].sum(), spare[giver_group == group].sum()
        assert moves.qty[taker_group[moves.taker] == group].sum() == pytest.approx(min(wanted, there))
    assert len(set(zip(moves.giver.tolist(), moves.taker.tolist(), strict=True))) == len(moves.qty)


# ---- what is made ----
BIKE = [("Bike", "Wheel", 2.0), ("Bike", "Frame", 1.0), ("Wheel", "Spoke", 32.0)]


def test_a_made_item_is_asked_of_production_and_its_components_are_bought() -> None:
    result = Chain({("Bike", "Plant"): 1.0}, {}, {"Plant": ("", "")}, boms=BIKE, made=("Bike", "Wheel")).run()
    asked, ordered = requests(result), bought(result)
    bikes = asked["Bike", "Plant", "made"]
    assert bikes == 3.0 + 7.0, "three days to make one and a week of review, one a day"
    assert set(asked) == {("Bike", "Plant", "made"), ("Wheel", "Plant", "made")}
    assert set(ordered) == {("Frame", "Plant"), ("Spoke", "Plant")}
    (line,) = result.requests[result.requests["item_code"] == "Bike"]["evidence"]
    assert line["components"] == {"Plant": {"Wheel": 2.0 * bikes, "Frame": bikes}}
    # Frames: for the bikes that are begun until an order of next week arrives.
    assert ordered["Frame", "Plant"] == pytest.approx(1.0 * (7.0 + 7.0 + 3.0), abs=1.0)


def test_stock_of_a_component_is_netted_level_by_level() -> None:
    chain = Chain({("Bike", "Plant"): 1.0}, {("Wheel", "Plant"): 1000.0}, {"Plant": ("", "")}, boms=BIKE)
    chain.made = ("Bike", "Wheel")
    result = chain.run()
    assert ("Spoke", "Plant") not in bought(result), "there are wheels for a year"


def test_what_production_is_asked_for_already_is_exploded_once() -> None:
    chain = Chain({("Bike", "Plant"): 1.0}, {}, {"Plant": ("", "")}, boms=BIKE, made=("Bike", "Wheel"))
    plain = bought(chain.run())["Frame", "Plant"]
    chain.dated = [("Bike", "Plant", 4, 10.0, "manufacture_request")]
    asked = chain.run()
    assert ("Bike", "Plant", "made") not in requests(asked)
    assert bought(asked)["Frame", "Plant"] == pytest.approx(plain, abs=1.0)


def test_components_are_taken_from_the_warehouse_that_the_bill_names() -> None:
    boms = [("Bike", "Frame", 1.0, "Store")]
    houses = {"Plant": ("", ""), "Store": ("", "")}
    result = Chain({("Bike", "Plant"): 1.0}, {}, houses, boms=boms, made=("Bike",)).run()
    assert set(bought(result)) == {("Frame", "Store")}


def test_a_made_item_without_a_bill_of_materials_is_bought() -> None:
    result = Chain({("Bike", "Plant"): 1.0}, {}, {"Plant": ("", "")}, made=("Bike",)).run()
    assert set(bought(result)) == {("Bike", "Plant")}


def test_a_bill_that_leads_back_to_its_item_is_said() -> None:
    boms = [("Bike", "Frame", 1.0), ("Frame", "Bike", 1.0)]
    result = Chain({("Bike", "Plant"): 1.0}, {}, {"Plant": ("", "")}, boms=boms, made=("Bike", "Frame")).run()
    assert any("leads back" in s for s in sentences(result, "Bad Data"))


def test_phantoms_give_way_to_their_components() -> None:
    rows = [
        {"item_code": "Bike", "component": "Kit", "qty_per": 2.0, "is_stocked": False},
        {"item_code": "Kit", "component": "Bolt", "qty_per": 4.0, "is_stocked": True},
        {"item_code": "Kit", "component": "Labour", "qty_per": 1.0, "is_stocked": False},
        {"item_code": "Bike", "component": "Bolt", "qty_per": 1.0, "is_stocked": True},
    ]
    flat = through_phantoms(BOMS.check(pd.DataFrame(rows)))
    assert {(r.item_code, r.component): r.qty_per for r in flat.itertuples()} == {
        ("Bike", "Bolt"): 9.0, ("Kit", "Bolt"): 4.0,
    }  # fmt: skip


# ---- exploded demand and forecast ----
def frames(**rules: object) -> float:
    """Frames bought for a plant that makes one bike a day and whose frames are forecast with three a day."""
    chain = Chain({("Bike", "Plant"): 1.0, ("Frame", "Plant"): 3.0}, {}, {"Plant": ("", "")})
    chain.boms, chain.made, chain.settings = [("Bike", "Frame", 1.0)], ("Bike",), settings(**rules)
    return bought(chain.run())["Frame", "Plant"]


def test_exploded_demand_replaces_the_forecast_up_to_the_production_horizon() -> None:
    with_forecast, replaced = frames(), frames(production_horizon_days=60)
    assert replaced < with_forecast
    assert replaced == pytest.approx(1.0 * (7.0 + 7.0 + 3.0), abs=1.0), "bikes alone ask for frames"
    half = frames(production_horizon_days=7)
    assert replaced < half < with_forecast, "after the horizon the forecast counts again"


def test_forecast_and_exploded_demand_are_never_added_up_where_one_contains_the_other() -> None:
    assert frames() <= 3.0 * 14.0 + 10.0, "the larger of both, week by week, and not their sum of 59"


def test_where_the_forecast_holds_no_production_exploded_demand_comes_on_top_and_nothing_is_lost() -> None:
    sold_only = tuple(k for k in settings().forecast_kinds if k not in ("production", "production_plan"))
    assert frames(forecast_kinds=sold_only) == pytest.approx(3.0 * 14.0 + 1.0 * 17.0, abs=1.0)
    assert frames(forecast_kinds=sold_only, production_horizon_days=60) == frames(forecast_kinds=sold_only)


# ---- the arithmetic ----
def test_planned_receipts_are_the_largest_gap_so_far() -> None:
    """Time-phased record of Vollmann et al., lot for lot: gross requirements 10 a day, 25 on hand, no safety stock."""
    stock = 25.0 - 10.0 * np.arange(1, 7)[None, :]
    one = np.zeros(1)
    receipts = planned_receipts(stock, one, np.array([-1]), one, one)
    assert receipts[0].tolist() == [0, 0, 5, 10, 10, 10]
    assert released(receipts, np.array([2]))[0].tolist() == [5, 10, 10, 10, 0, 0]
    in_dozens = planned_receipts(stock, one, np.array([-1]), one, np.array([12.0]))
    assert in_dozens[0].tolist() == [0, 0, 12, 12, 12, 0]


@given(st.lists(st.floats(-50, 50), min_size=1, max_size=20), st.floats(0, 30))
def test_with_its_planned_receipts_stock_never_falls_below_its_floor(stock: list[float], floor: float) -> None:
    course = np.array([stock])
    receipts = planned_receipts(course, np.array([floor]), np.array([-1]), np.zeros(1), np.zeros(1))
    assert (course + np.cumsum(receipts, axis=1) >= floor - 1e-9).all()
    assert (receipts >= 0.0).all()
    moved = released(receipts, np.array([3]))
    assert moved.sum() == pytest.approx(receipts.sum())


def test_depths_are_low_level_codes_and_circles_are_found() -> None:
    depth, circular = depths(np.array([0, 1, 0, 3, 4]), np.array([1, 2, 2, 4, 3]), 6)
    assert depth[:3].tolist() == [0, 1, 2]
    assert circular.tolist() == [False, False, False, True, True, False]


def test_order_dates_go_back_from_the_need_and_forward_only_when_it_is_too_late() -> None:
    """Required (date of need) less lead time less approval; the days that are lost are named."""
    chain = Chain({("A", "X"): 10.0}, {("A", "X"): 95.0}, {"X": ("", "")}, settings=settings(approval_days=2))
    (line,) = chain.run().proposals.to_dict("records")
    assert line["need_on"] == day(10)
    assert line["order_on"] == day(10 - 7 - 2)
    assert (line["order_by"], line["schedule_date"]) == (day(3), day(10))
    assert (line["days_lost"], line["days_late"]) == (0.0, 0.0)
    late = Chain({("A", "X"): 10.0}, {("A", "X"): 45.0}, {"X": ("", "")}, settings=settings(approval_days=2))
    (line,) = late.run().proposals.to_dict("records")
    assert line["need_on"] == day(5)
    assert line["order_on"] == day(5 - 7 - 2), "the day on which it should have been ordered"
    assert line["days_lost"] == (pd.Timestamp(AS_OF) + pd.Timedelta(days=1) - line["order_on"]).days == 5
    assert line["schedule_date"] == day(1 + 7), "counted forward from tomorrow"
    assert line["days_late"] == 3.0
