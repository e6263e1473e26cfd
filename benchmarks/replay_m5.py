"""The M5 as a shop that orders: 30,490 item-store pairs, day by day, weekly review, unmet demand lost."""

import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.m5_data import m5_panel, read_sales
from benchmarks.replay_curves import change, cheapest, draw, print_curve, print_equal_service, print_equal_stock
from benchmarks.replay_world import Point, World, delivery_ratios, point, whole_days
from erp_forecast_addon.planning.replay import ErpnextLevels, Planned, Planner, Terms
from erp_forecast_addon.planning.settings import PlanSettings
from erp_forecast_addon.planning.simulation import Costs, Limits, Start

TYPED_LEAD_TIMES_DAYS = (7, 14)
ORDER_COST, HOLDING_RATE_PER_YEAR, MARGIN = 5.0, 0.25, 0.30
REVIEW_DAYS = 7
# Everybody starts with the same stock: what was sold in the lead time and a review period, of late, and a unit.
_RECENT_DAYS = 28
_SEEDS = {"suppliers": 1, "lead times": 2, "past deliveries": 3}
# Deliveries of each supplier that lie before the first day: what its lead time is learned from.
_PAST_DELIVERIES = 400


def last_sunday(sales: pd.DataFrame, weeks_before_the_end: int) -> int:
    """The day d_… on whose evening so many weeks are still to come."""
    last = max(int(column[2:]) for column in sales.columns if column.startswith("d_"))
    return last - 7 * weeks_before_the_end


def m5_world(data: Path, sales: pd.DataFrame, origin: int, days: int) -> World:
    """The world of the `days` days after d_`origin`. data: the M5 folder; lead times from ../purchase_orders."""
    # By week no drivers are used: what a day's event moves is evened out within the week.
    history = replace(m5_panel(data, sales, origin, days), drivers={})
    demand = sales[[f"d_{day}" for day in range(origin + 1, origin + days + 1)]].to_numpy(dtype=float)
    typed = _typed_lead_times(sales)
    ratios = delivery_ratios(data.parent)
    drawn = np.random.default_rng([_SEEDS["lead times"], origin]).choice(ratios, demand.shape)
    recent = history.demand[:, -_RECENT_DAYS:].mean(axis=1)
    start = Start.with_stock(np.ceil(recent * (typed + REVIEW_DAYS)) + 1.0)
    price = prices(data, sales, origin)
    n = history.n
    return World(
        history=history,
        demand_qty=demand,
        lead_time_days=whole_days(typed, drawn),
        typed_lead_time_days=typed,
        lead_time_probability=_learned(typed, ratios, origin),
        start=start,
        costs=Costs(price, HOLDING_RATE_PER_YEAR, ORDER_COST, MARGIN * price),
        limits=Limits(np.ones(n), np.zeros(n), np.full(n, np.inf)),
        review_days=REVIEW_DAYS,
    )


def prices(data: Path, sales: pd.DataFrame, origin: int) -> np.ndarray:
    """(n,) the price in the week of the eve; of what had none yet, the first one that it will have."""
    calendar = pd.read_parquet(data / "calendar.parquet", columns=["d", "wm_yr_wk"]).set_index("d")["wm_yr_wk"]
    week = int(calendar[f"d_{origin}"])
    table = pd.read_parquet(data / "sell_prices.parquet").sort_values("wm_yr_wk")
    pair = ["item_id", "store_id"]
    until = table[table["wm_yr_wk"] <= week].groupby(pair)["sell_price"].last()
    price = until.combine_first(table[table["wm_yr_wk"] > week].groupby(pair)["sell_price"].first())
    return price.reindex(pd.MultiIndex.from_frame(sales[pair])).to_numpy(dtype=float)


def _typed_lead_times(sales: pd.DataFrame) -> np.ndarray:
    """7 or 14 days by item: an item comes from one supplier, whatever the store."""
    items, code = np.unique(sales["item_id"].to_numpy(dtype=str), return_inverse=True)
    drawn = np.random.default_rng(_SEEDS["suppliers"]).choice(TYPED_LEAD_TIMES_DAYS, len(items))
    return drawn[code].astype(float)


def _learned(typed: np.ndarray, ratios: np.ndarray, origin: int) -> np.ndarray:
    """Shares of past deliveries by day, of each of both suppliers, laid out for every row. (n, d + 1)"""
    draw = np.random.default_rng([_SEEDS["past deliveries"], origin])
    past = {
        days: whole_days(np.array([days]), draw.choice(ratios, (1, _PAST_DELIVERIES)))[0] for days in np.unique(typed)
    }
    longest = max(int(days.max()) for days in past.values())
    shares = {days: np.bincount(seen, minlength=longest + 1) / len(seen) for days, seen in past.items()}
    names = np.array(list(shares))
    return np.stack(list(shares.values()))[np.searchsorted(names, typed)]


# ---- the comparison ----

WEEKS_TO_CHOOSE_ON = 13
RENEWED_EVERY_DAYS = 91
SAFETY_DAYS = (0, 7, 14, 21, 28, 35, 42, 56, 70, 91, 126, 182, 273, 364)
TARGETS = (0.85, 0.92, 0.95, 0.97, 0.98, 0.99, 0.995)
# Order sizes where stock is to be held down; chosen on the weeks before the scored ones (docs/replay.md).
CAPITAL_FACTOR = 20.0
METHOD = "Fill Rate"
_FULL_EVERY_DAYS = 56


@dataclass(frozen=True)
class Curves:
    baseline: list[Point]
    ours: list[Point]
    held_down: list[Point]


def run(data: Path, weeks: int, chart: Path, *, rows: int | None, own_forecasts: bool) -> None:
    sales = read_sales(data)
    origin = last_sunday(sales, weeks)
    before = play(world_of(data, sales, origin - 7 * WEEKS_TO_CHOOSE_ON, WEEKS_TO_CHOOSE_ON, rows), own_forecasts)
    scored = play(world_of(data, sales, origin, weeks, rows), own_forecasts)
    print_curve(f"ERPNext's recommended level, {weeks} weeks", scored.baseline, "safety days")
    print_curve("ours, order sizes of least cost", scored.ours, "fill rate")
    print_curve(f"ours, stock held down (money in stock counts {CAPITAL_FACTOR:g}-fold)", scored.held_down, "fill rate")
    for name, curve in (("order sizes of least cost", scored.ours), ("stock held down", scored.held_down)):
        print(f"\n{name}")
        print_equal_service(scored.baseline, curve, (0.95, 0.98))
        print_equal_stock(scored.baseline, curve)
    print("\ntotal cost, each at the setting that was cheapest in the weeks before")
    chosen = [_same_setting(cheapest(old), new) for old, new in _pairs(before, scored)]
    for known in chosen:
        print(f"  {known.policy} at {known.setting:g}: {known.total_cost:,.0f}")
    print(f"  ours against the baseline: {change(chosen[1].total_cost, chosen[0].total_cost)}")
    named = {"ERPNext": scored.baseline, "ours": scored.ours, "ours, stock held down": scored.held_down}
    draw(chart, f"M5, {weeks} weeks, {len(sales):,} series", named)


def _pairs(before: Curves, scored: Curves) -> list[tuple[list[Point], list[Point]]]:
    return [(before.baseline, scored.baseline), (before.ours, scored.ours)]


def _same_setting(chosen: Point, curve: list[Point]) -> Point:
    return next(point for point in curve if point.setting == chosen.setting)


def world_of(data: Path, sales: pd.DataFrame, origin: int, weeks: int, rows: int | None) -> World:
    world = m5_world(data, sales, origin, 7 * weeks)
    if rows is None:
        return world
    return world.select(np.sort(np.random.default_rng(0).choice(len(sales), rows, replace=False)))


def play(world: World, own_forecasts: bool) -> Curves:
    """All settings of the baseline and of ours in one world."""
    days = range(world.demand_qty.shape[1])
    renewed = days[::RENEWED_EVERY_DAYS]
    begin = time.perf_counter()
    baseline = [
        point("baseline", safety, world.play(_erpnext(world, safety), renewed), world.costs) for safety in SAFETY_DAYS
    ]
    print(f"baseline {time.perf_counter() - begin:.0f} s", flush=True)
    planner = None if own_forecasts else _planner(world)
    settings = [(target, factor) for factor in (1.0, CAPITAL_FACTOR) for target in TARGETS]
    first = [] if planner is None else [_played(world, planner, *settings[0], workers=2)]
    print(f"forecasts {time.perf_counter() - begin:.0f} s", flush=True)
    # A process for each core: settings do not touch each other, and a fork shares the world and the planner's work.
    _SHARED.update(world=world, planner=planner)
    with ProcessPoolExecutor(2, mp_context=get_context("fork")) as pool:
        played = first + list(pool.map(_play_setting, settings[len(first) :]))
    _SHARED.clear()
    print(f"{len(settings)} settings of ours {time.perf_counter() - begin:.0f} s", flush=True)
    return Curves(baseline, played[: len(TARGETS)], played[len(TARGETS) :])


_SHARED: dict[str, Any] = {}


def _play_setting(setting: tuple[float, float]) -> Point:
    world = _SHARED["world"]
    return _played(world, _SHARED["planner"] or _planner(world, workers=1), *setting, workers=1)


def _played(world: World, planner: Planner, target: float, factor: float, workers: int) -> Point:
    rule = Planned(planner, METHOD, target, factor, workers=workers)
    reviews = range(0, world.demand_qty.shape[1], REVIEW_DAYS)
    return point("ours" if factor == 1.0 else "held down", target, world.play(rule, reviews), world.costs)


def _planner(world: World, workers: int = 2) -> Planner:
    settings = replace(PlanSettings("M5"), period="week", horizon_days=56, quantile_levels=(0.5,))
    full_on = frozenset(range(0, world.demand_qty.shape[1], _FULL_EVERY_DAYS))
    terms = Terms(world.lead_time_probability, world.costs, world.limits, REVIEW_DAYS)
    return Planner(world.history, settings, terms, full_on, workers=workers)


def _erpnext(world: World, safety_days: float) -> ErpnextLevels:
    return ErpnextLevels(world.history, world.typed_lead_time_days, safety_days, REVIEW_DAYS)
