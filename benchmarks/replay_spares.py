"""Spare parts of a distributor, man, as a world to order in, and how replay_oil.py lays out its own.

Both are laid out by day, since stock is looked at and lead times are told in days: all of a week's demand comes on its
Monday, all of a month's on its 15th. What a period ends with is what the data say; no fraction of a unit is made up.
"""

import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.replay_bounds import bounds
from benchmarks.replay_curves import change, cheapest, draw, print_curve
from benchmarks.replay_world import Point, World, known_of, point
from erp_forecast_addon.planning.panel import Panel
from erp_forecast_addon.planning.replay import ErpnextLevels, Planned, Planner, Terms
from erp_forecast_addon.planning.settings import PlanSettings
from erp_forecast_addon.planning.simulation import Costs, Decide, Limits, Outcome, Start

_PARTS = ("spare_parts", "man.parquet", "oil.parquet")


def read(data: Path, name: str) -> pd.DataFrame:
    """data: the folder or the file, with or without its ending."""
    for path in (data, data.with_suffix(".parquet"), data / f"{name}.parquet"):
        if path.is_file():
            return pd.read_parquet(path)
    raise SystemExit(f"no {name}.parquet at {data}")


def daily_panel(keys: np.ndarray, demand: np.ndarray, day: np.ndarray, first_day: np.datetime64, days: int) -> Panel:
    """demand: (n, p) of periods that all fall on the days `day` (p,); days: how many the panel has from first_day."""
    n = len(demand)
    laid_out = np.zeros((n, days))
    at = (day - first_day).astype(int)
    inside = (at >= 0) & (at < days)
    laid_out[:, at[inside]] = demand[:, inside]
    return Panel(
        keys=pd.DataFrame({"item_code": keys.astype(str).astype(object), "warehouse": "Stores"}),
        period="day",
        starts=(first_day + np.arange(days)).astype("datetime64[ns]"),
        demand=laid_out,
        in_stock=np.ones(laid_out.shape, dtype=bool),
        # Spare parts are offered from the first day on, asked for or not.
        first=np.zeros(n, dtype=np.int64),
    )


# ---- man ----

MAN_MARGIN, MAN_REVIEW_DAYS, MAN_WEEKS_SCORED, MAN_WEEKS_TO_CHOOSE_ON = 0.30, 7, 52, 46
_MONDAY = np.datetime64("2018-01-01")
_MAN_SAFETY_DAYS = (0, 7, 14, 28, 42, 56, 84, 112, 168, 252, 364, 546)
# Simulated Least Cost, as unmet demand is lost here, with a unit short at so many times the margin.
_MAN_METHOD = "Simulated Least Cost"
_MAN_SHORTAGE_FACTORS = (0.5, 0.7, 1.0)
_MAN_PLANNED_EVERY_DAYS = 28
RENEWED_EVERY_DAYS = 91


def run_man(data: Path, chart: Path, *, history_known: bool = False) -> None:
    """history_known: the weeks to choose on and the scored ones are plays of their own, each with all demand before it
    known and each policy's own full shelves; else one play, in which lost demand is never seen."""
    items = read(data, "man")
    weeks = items[[column for column in items if column.startswith("w_")]].to_numpy(dtype=float)
    scored_from = weeks.shape[1] - MAN_WEEKS_SCORED
    begin = scored_from - MAN_WEEKS_TO_CHOOSE_ON
    world = man_world(items, weeks, begin)
    if history_known:
        parts = man_world(items, weeks[:, :scored_from], begin), man_world(items, weeks, scored_from)
        chosen_on, seen = (play_man(part, own_shelves=True) for part in parts)
    else:
        # One play over both parts: what stands on the shelf when the scored weeks begin is each policy's own doing.
        played = play_man(world)
        chosen_on, seen = played.between(0, 7 * MAN_WEEKS_TO_CHOOSE_ON), played.between(7 * MAN_WEEKS_TO_CHOOSE_ON)
    above = items["min_order_qty"].to_numpy() > weeks[:, :scored_from].mean(axis=1) * 52.0
    knowing = {} if history_known else bounds(world, weeks, begin, scored_from)
    for title, rows in (
        ("all items", np.ones(len(items), dtype=bool)),
        ("items whose minimum order is at most a year's demand", ~above),
        ("items whose minimum order exceeds a year's demand", above),
    ):
        _print_man(title, chosen_on, seen, rows, items, chart if rows.all() else None)
        if knowing:
            print("\ntotal cost of fixed levels, for who knows more than can be known")
        for name, cost in knowing.items():
            print(f"  {name}: {cost[rows].sum():,.0f}")


def man_world(items: pd.DataFrame, weeks: np.ndarray, origin: int) -> World:
    """The weeks after the first `origin` ones, day by day."""
    n, t = weeks.shape
    monday = _MONDAY + 7 * np.arange(t)
    panel = daily_panel(items["sku"].to_numpy(), weeks, monday, _MONDAY, 7 * t)
    lead = items["lead_time_weeks"].to_numpy(dtype=np.int64) * 7
    days = 7 * (t - origin)
    history = panel.before(7 * origin)
    cost = items["cost_price_eur"].to_numpy(dtype=float)
    rate = items["holding_cost_eur_per_unit_year"].to_numpy(dtype=float) / cost
    probability = np.zeros((n, int(lead.max()) + 1))
    probability[np.arange(n), lead] = 1.0
    daily = history.demand.mean(axis=1)
    return World(
        history=replace(history, first=np.zeros(n, dtype=np.int64)),
        demand_qty=panel.demand[:, 7 * origin :],
        lead_time_days=np.repeat(lead[:, None], days, axis=1),
        typed_lead_time_days=lead.astype(float),
        lead_time_probability=probability,
        start=Start.with_stock(np.ceil(daily * (lead + MAN_REVIEW_DAYS))),
        costs=Costs(cost, rate, items["fixed_order_cost_eur"].to_numpy(dtype=float), MAN_MARGIN * cost),
        limits=Limits(np.ones(n), items["min_order_qty"].to_numpy(dtype=float), np.full(n, np.inf)),
        review_days=MAN_REVIEW_DAYS,
    )


@dataclass(frozen=True)
class Played:
    """(policy, setting) -> what happened; baseline and ours in the order they were played."""

    baseline: dict[float, Outcome]
    ours: dict[float, Outcome]
    costs: Costs

    def between(self, first: int, stop: int | None = None) -> "Played":
        def part(played: dict[float, Outcome]) -> dict[float, Outcome]:
            return {setting: seen.between(first, stop or seen.days) for setting, seen in played.items()}

        return Played(part(self.baseline), part(self.ours), self.costs)


def play_man(world: World, *, own_shelves: bool = False) -> Played:
    """own_shelves: each policy begins with its own order-up-to level on the shelf, else all with the world's start."""
    begun, days = time.perf_counter(), world.demand_qty.shape[1]
    renewed, planned = range(0, days, RENEWED_EVERY_DAYS), range(0, days, _MAN_PLANNED_EVERY_DAYS)
    looks = range(0, days, MAN_REVIEW_DAYS)
    settings = replace(PlanSettings("man"), period="week", horizon_days=182, quantile_levels=(0.5,))
    terms = Terms(world.lead_time_probability, world.costs, world.limits, MAN_REVIEW_DAYS)
    typed = world.typed_lead_time_days

    def played(rule: Decide, decide_on: range) -> Outcome:
        begins = replace(world, start=_full_shelves(world, rule)) if own_shelves else world
        return begins.play(rule, decide_on, daily=True)

    baseline = {
        safety: played(ErpnextLevels(world.history, typed, safety, MAN_REVIEW_DAYS), renewed)
        for safety in _MAN_SAFETY_DAYS
    }
    ours = {}
    for factor in _MAN_SHORTAGE_FACTORS:
        # A planner each: every setting forecasts from what it sold itself.
        planner = Planner(world.history, settings, terms, frozenset(planned), horizon_periods=13)
        ours[factor] = played(Planned(planner, _MAN_METHOD, np.nan, shortage_factor=factor), looks)
        print(f"ours at {factor:g} of the margin played, {time.perf_counter() - begun:.0f} s", flush=True)
    return Played(baseline, ours, world.costs)


def _full_shelves(world: World, rule: Decide) -> Start:
    """Each item at the order-up-to level that the rule sets on the first morning."""
    return Start.with_stock(np.ceil(np.maximum(np.nan_to_num(rule(known_of(world, 0)).order_up_to_qty), 0.0)))


def _print_man(
    title: str, before: Played, scored: Played, rows: np.ndarray, items: pd.DataFrame, chart: Path | None
) -> None:
    print(f"\n=== {title}: {rows.sum():,} of {len(items):,}")
    old, new = (
        (_curve("baseline", p.baseline, p.costs, rows), _curve("ours", p.ours, p.costs, rows)) for p in (before, scored)
    )
    print_curve("ERPNext's recommended level", new[0], "safety days")
    print_curve("ours, simulated at least cost", new[1], "times margin")
    picked = [
        next(p for p in curve if p.setting == cheapest(then).setting) for then, curve in zip(old, new, strict=True)
    ]
    print("\ntotal cost, each at the setting that was cheapest in the weeks before")
    for known in picked:
        print(f"  {known.policy} at {known.setting:g}: {known.total_cost:,.0f}")
    print(f"  ours against the baseline: {change(picked[1].total_cost, picked[0].total_cost)}")
    best = [cheapest(curve).total_cost for curve in new]
    less = change(best[1], best[0])
    print(f"  each at the setting that turned out cheapest: {best[1]:,.0f} against {best[0]:,.0f}: {less}")
    if chart is not None:
        draw(chart, f"man, {title}", {"ERPNext": new[0], "ours": new[1]})


def _curve(policy: str, played: dict[float, Outcome], costs: Costs, rows: np.ndarray) -> list[Point]:
    own = Costs(*(value[rows] if isinstance(value, np.ndarray) else value for value in vars(costs).values()))
    return [point(policy, setting, seen.select(np.flatnonzero(rows)), own) for setting, seen in played.items()]
