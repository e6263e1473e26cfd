"""Spare parts as worlds to order in: man (a distributor, weekly) and oil (a refinery, monthly).

Both are laid out by day, since stock is looked at and lead times are told in days: all of a week's demand comes on its
Monday, all of a month's on its 15th. What a period ends with is what the data say; no fraction of a unit is made up.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.replay_bounds import bounds
from benchmarks.replay_curves import change, cheapest, draw, print_curve
from benchmarks.replay_world import Point, World, point
from erp_forecast_addon.planning.panel import Panel
from erp_forecast_addon.planning.replay import ErpnextLevels, Planned, Planner, Terms
from erp_forecast_addon.planning.settings import PlanSettings
from erp_forecast_addon.planning.simulation import Costs, Known, Limits, Outcome, Rule, Start

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


def run_man(data: Path, chart: Path) -> None:
    items = read(data, "man")
    weeks = items[[column for column in items if column.startswith("w_")]].to_numpy(dtype=float)
    scored_from = weeks.shape[1] - MAN_WEEKS_SCORED
    begin = scored_from - MAN_WEEKS_TO_CHOOSE_ON
    # One play over both parts: what stands on the shelf when the scored weeks begin is each policy's own doing.
    world = man_world(items, weeks, begin)
    chosen_on, seen = play_man(world, 7 * MAN_WEEKS_TO_CHOOSE_ON)
    above = items["min_order_qty"].to_numpy() > weeks[:, :scored_from].mean(axis=1) * 52.0
    knowing = bounds(world, weeks, begin, scored_from)
    for title, rows in (
        ("all items", np.ones(len(items), dtype=bool)),
        ("items whose minimum order is at most a year's demand", ~above),
        ("items whose minimum order exceeds a year's demand", above),
    ):
        _print_man(title, chosen_on, seen, rows, items, chart if rows.all() else None)
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


def play_man(world: World, scored_from: int) -> tuple[Played, Played]:
    """The days before `scored_from`, to choose on, and those from it on."""
    begun, days = time.perf_counter(), world.demand_qty.shape[1]
    renewed, planned = range(0, days, RENEWED_EVERY_DAYS), range(0, days, _MAN_PLANNED_EVERY_DAYS)
    looks = range(0, days, MAN_REVIEW_DAYS)
    settings = replace(PlanSettings("man"), period="week", horizon_days=182, quantile_levels=(0.5,))
    terms = Terms(world.lead_time_probability, world.costs, world.limits, MAN_REVIEW_DAYS)
    typed = world.typed_lead_time_days
    played = {
        ("baseline", safety): world.play(
            ErpnextLevels(world.history, typed, safety, MAN_REVIEW_DAYS), renewed, daily=True
        )
        for safety in _MAN_SAFETY_DAYS
    }
    for factor in _MAN_SHORTAGE_FACTORS:
        # A planner each: every setting forecasts from what it sold itself.
        planner = Planner(world.history, settings, terms, frozenset(planned), horizon_periods=13)
        rule = Planned(planner, _MAN_METHOD, np.nan, shortage_factor=factor)
        played["ours", factor] = world.play(rule, looks, daily=True)
        print(f"ours at {factor:g} of the margin played, {time.perf_counter() - begun:.0f} s", flush=True)
    parts = [
        {key: seen.between(first, stop) for key, seen in played.items()}
        for first, stop in ((0, scored_from), (scored_from, days))
    ]
    before, scored = (
        Played(
            *({s: seen for (p, s), seen in part.items() if p == policy} for policy in ("baseline", "ours")), world.costs
        )
        for part in parts
    )
    return before, scored


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


# ---- oil ----

_OIL_MONTHS_SCORED, _OIL_MONTHS_TO_CHOOSE_ON = 24, 12
_OIL_LEFT_OUT = "1997-11"
_CRITICALITY = ("H", "M", "L")
_OIL_RENEWED_EVERY_MONTHS = 3
# What a demand that is not served in full is taken to cost, whatever the part's price or the size of the demand.
# Swept; each class is given its own.
_OIL_SHORTAGE_COSTS = (300.0, 600.0, 1e3, 1.5e3, 2.2e3, 3.2e3, 4.5e3, 6.5e3, 1e4, 2e4)
_OIL_HOLDING_RATE = 0.25
_OIL_CHEAP, _OIL_CHEAP_TIMES = 300.0, 2.0
_OIL_SIZE_EDGES = (1.5, 2.5, 4.5, 10.5, 30.5)
_ALWAYS = 1e-6


@dataclass(frozen=True)
class Oil:
    """items: the table's rows that are played; world: their months after the origin; class_of: (n,) H where there is
    any H, else M where there is any M, else L."""

    items: pd.DataFrame
    world: World
    class_of: np.ndarray


def run_oil(data: Path, chart: Path) -> None:
    table = read(data, "oil")
    known = table["min_reorder_point"].notna() & table["max_level"].notna()
    items = table[known & (table["price"] != 1.0)].reset_index(drop=True)
    months = np.array([c for c in items.columns if str(c)[:2] in ("19", "20") and c != _OIL_LEFT_OUT])
    begin = len(months) - _OIL_MONTHS_SCORED
    print(f"{len(items):,} items with the firm's own levels, price 1 left out; {months[begin]} to {months[-1]}")
    before = _oil_points(oil_world(items, months[:begin], begin - _OIL_MONTHS_TO_CHOOSE_ON))
    print(f"\nthe {_OIL_MONTHS_TO_CHOOSE_ON} months before")
    _print_oil(before.firm, before.swept)
    oil = oil_world(items, months, begin)
    scored = _oil_points(oil)
    quarters = range(0, _OIL_MONTHS_SCORED, _OIL_RENEWED_EVERY_MONTHS)
    chosen = [_cheapest_that_serves((before, scored), _OIL_MONTHS_TO_CHOOSE_ON + month) for month in quarters]
    print("\nprices chosen on the twelve months before each quarter, H M L: "
          + ", ".join("/".join(f"{cost:g}" for cost in prices.values()) for prices in chosen))  # fmt: skip
    print(f"\nthe last {_OIL_MONTHS_SCORED} months")
    _print_oil(scored.firm, scored.swept)
    print("\nchosen on earlier months alone")
    for label, prices in (("once, before the first month", chosen[:1]), ("anew before each quarter", chosen)):
        found, below = _chosen(oil, prices)
        _print_chosen(label, found, scored.firm, below)
    draw(
        chart, "oil, last 24 months",
        {"the firm": [scored.firm.point], "ours": [found.point for found in scored.swept.values()]},
    )  # fmt: skip


def oil_world(items: pd.DataFrame, months: np.ndarray, origin: int) -> Oil:
    """The months after the first `origin` ones. Returns (negative) and empty years are no demand."""
    demand = np.maximum(np.nan_to_num(items[list(months)].to_numpy(dtype=float)), 0.0)
    day = np.array([f"{month}-15" for month in months], dtype="datetime64[D]")
    first_day = np.datetime64(f"{months[0]}-01", "D")
    end = (np.datetime64(months[-1], "M") + 1).astype("datetime64[D]")
    panel = daily_panel(items["material"].to_numpy(), demand, day, first_day, int((end - first_day).astype(int)))
    eve = int((np.datetime64(f"{months[origin]}-01", "D") - first_day).astype(int))
    history = panel.before(eve)
    left_out = history.starts.astype("datetime64[M]") == np.datetime64(_OIL_LEFT_OUT)
    lead = items["delivery_days"].to_numpy(dtype=np.int64)
    n, days = len(items), panel.t - eve
    probability = np.zeros((n, int(lead.max()) + 1))
    probability[np.arange(n), lead] = 1.0
    world = World(
        history=replace(history, in_stock=history.in_stock & ~left_out, first=np.zeros(n, dtype=np.int64)),
        demand_qty=panel.demand[:, eve:],
        lead_time_days=np.repeat(lead[:, None], days, axis=1),
        typed_lead_time_days=lead.astype(float),
        lead_time_probability=probability,
        start=Start.with_stock(np.zeros(n)),
        costs=Costs(items["price"].to_numpy(dtype=float), _OIL_HOLDING_RATE, 0.0, 0.0),
        limits=Limits.none(n),
        review_days=1,
        backorders=True,
    )
    marks = items[list(_CRITICALITY)].to_numpy(dtype=float) > 0
    class_of = np.select([marks[:, 0], marks[:, 1]], ["H", "M"], "L").astype(object)
    return Oil(items, world, class_of)


@dataclass(frozen=True)
class OilPoint:
    """By class: share of demand months served in full, average stock value, (t,) items with a demand in each month and
    those of them served in full; and the point of all items."""

    served: dict[str, float]
    stock_value: dict[str, float]
    asked: dict[str, np.ndarray]
    in_full: dict[str, np.ndarray]
    point: Point


@dataclass(frozen=True)
class OilPoints:
    """swept: by price of a demand not served in full."""

    firm: OilPoint
    swept: dict[float, OilPoint]


def _oil_points(oil: Oil) -> OilPoints:
    """The firm's levels and ours, each from its own full shelves: order-up-to level or maximum."""
    items = oil.items
    firm_rule = Rule(
        items["min_reorder_point"].to_numpy(dtype=float) - _ALWAYS, items["max_level"].to_numpy(dtype=float),
        np.zeros(len(items)),
    )  # fmt: skip
    full = replace(oil.world, start=Start.with_stock(items["max_level"].to_numpy(dtype=float)))
    firm = _served(oil, full.play(firm_rule, (0,), daily=True), "firm", 0.0)
    planner, alike = _oil_planner(oil), np.ones(len(items))
    swept = {
        cost: _served(oil, _ours(oil.world, planner, [alike * cost]), "ours", cost) for cost in _OIL_SHORTAGE_COSTS
    }
    return OilPoints(firm, swept)


def _oil_planner(oil: Oil) -> Planner:
    world, items = oil.world, oil.items
    starts = world.history.starts[-1].astype("datetime64[D]") + 1 + np.arange(world.demand_qty.shape[1])
    first_of_month = np.flatnonzero(starts == starts.astype("datetime64[M]").astype("datetime64[D]"))
    renewed = frozenset(first_of_month[::_OIL_RENEWED_EVERY_MONTHS].tolist())
    settings = replace(PlanSettings("oil"), period="month", horizon_days=182, quantile_levels=(0.5,))
    floor = _lead_time_demand(world)
    terms = Terms(
        world.lead_time_probability, world.costs, world.limits, 0,
        floor_qty=np.where(oil.class_of == "H", floor, 0.0), cap_qty=_cap(items, floor),
        occasional=_size_class(items["max_level"]),
        known_size_qty=items["max_level"].to_numpy(dtype=float),
        lost=False,
    )  # fmt: skip
    return Planner(world.history, settings, terms, renewed, horizon_periods=6)


def _chosen(oil: Oil, prices: Sequence[dict[str, float]]) -> tuple[OilPoint, int]:
    """Prices by class, one for each quarter or one for all; and the items with H > 0 whose shelves begin below their
    lead-time demand."""
    by_row = [np.array([each[name] for name in oil.class_of]) for each in prices]
    seen = _ours(oil.world, _oil_planner(oil), by_row)
    assert seen.on_hand_qty is not None
    assert seen.demand_qty is not None
    floor = _lead_time_demand(oil.world)
    below = (oil.class_of == "H") & (seen.on_hand_qty[:, 0] + seen.demand_qty[:, 0] < floor - _ALWAYS)
    return _served(oil, seen, "ours", np.nan), int(below.sum())


def _cap(items: pd.DataFrame, floor_qty: np.ndarray) -> np.ndarray:
    """(n,) the firm's maximum is a planner's cap, as it knows how many pieces a machine takes; cheap parts may go
    beyond it, and nothing is capped below its lead-time demand."""
    most = items["max_level"].to_numpy(dtype=float)
    cheap = (items["price"] < _OIL_CHEAP).to_numpy()
    return np.maximum(np.where(cheap, most * _OIL_CHEAP_TIMES, most), np.ceil(floor_qty))


def _size_class(max_level: pd.Series) -> np.ndarray:
    """(n,) what the firm keeps of a part tells how it is asked for: one at a time, a set, by the dozen."""
    return np.digitize(max_level.to_numpy(dtype=float), _OIL_SIZE_EDGES).astype(str).astype(object)


def _lead_time_demand(world: World) -> np.ndarray:
    """(n,) mean demand of the lead time by the history: what an item with H > 0 must not fall below."""
    observed = world.history.observed.sum(axis=1)
    return world.history.demand.sum(axis=1) / np.maximum(observed, 1) * world.typed_lead_time_days


@dataclass
class _Priced:
    """Least Cost with a price of each row for a demand that is not served in full; occasion_costs: for each plan in
    turn, the last one for all that follow."""

    rule: Planned
    occasion_costs: list[np.ndarray]

    def __call__(self, known: Known) -> Rule:
        outlook = self.rule.planner.outlook(known)
        number = sorted(self.rule.planner.full_on).index(known.day)
        prices = self.occasion_costs[min(number, len(self.occasion_costs) - 1)]
        return self.rule.with_inputs(outlook, replace(outlook.inputs, occasion_cost=prices[outlook.rows]))


def _ours(world: World, planner: Planner, occasion_costs: list[np.ndarray]) -> Outcome:
    rule = _Priced(Planned(planner, "Least Cost", np.nan), occasion_costs)
    nothing = np.zeros((world.history.n, 0), dtype=np.float32)
    none = np.zeros(world.history.n)
    opening = rule(Known(0, nothing, nothing, nothing, none, none, nothing.T, nothing.T.astype(np.int64)))
    start = Start.with_stock(np.maximum(opening.order_up_to_qty, 0.0))
    return replace(world, start=start).play(rule, sorted(planner.full_on), daily=True)


def _served(oil: Oil, seen: Outcome, policy: str, setting: float) -> OilPoint:
    assert seen.demand_qty is not None
    assert seen.short_qty is not None
    days = oil.world.history.starts[-1].astype("datetime64[D]") + 1 + np.arange(seen.days)
    first_of_month = np.flatnonzero(np.diff(days.astype("datetime64[M]").astype(int), prepend=-1))
    asked = seen.demand_qty > 0
    in_full = asked & (seen.short_qty <= _ALWAYS)
    value = seen.mean_stock_value(oil.world.costs.unit_cost)
    rows = {name: oil.class_of == name for name in _CRITICALITY}
    months = [
        {name: np.add.reduceat(flags[own].sum(axis=0), first_of_month) for name, own in rows.items()}
        for flags in (asked, in_full)
    ]
    return OilPoint(
        served={name: float(months[1][name].sum() / max(months[0][name].sum(), 1)) for name in rows},
        stock_value={name: float(value[own].sum()) for name, own in rows.items()},
        asked=months[0],
        in_full=months[1],
        point=point(policy, setting, seen, oil.world.costs),
    )


def _cheapest_that_serves(played: Sequence[OilPoints], month: int) -> dict[str, float]:
    """For each class the least price at which the firm's share of demand months was served in full, and a standard
    error of that share more: what was enough by luck in so many months may not be next time.

    played: the months to choose on and, after them, those that are scored; judged are the last _OIL_MONTHS_TO_CHOOSE_ON
    before `month`, counted from the first of all.
    """
    judged = slice(month - _OIL_MONTHS_TO_CHOOSE_ON, month)

    def share(points: Sequence[OilPoint], name: str) -> tuple[float, int]:
        asked, in_full = (
            np.concatenate([getattr(p, part)[name] for p in points])[judged].sum() for part in ("asked", "in_full")
        )
        return float(in_full / max(asked, 1)), int(asked)

    chosen = {}
    for name in _CRITICALITY:
        firm, count = share([each.firm for each in played], name)
        enough = firm + (firm * (1.0 - firm) / max(count, 1)) ** 0.5
        reach = (cost for cost in _OIL_SHORTAGE_COSTS if share([p.swept[cost] for p in played], name)[0] >= enough)
        chosen[name] = next(reach, _OIL_SHORTAGE_COSTS[-1])
    return chosen


def _print_oil(firm: OilPoint, swept: dict[float, OilPoint]) -> None:
    print("by class: demand months served in full, average stock value")
    print(" " * 42 + "".join(f"{name:>18}" for name in _CRITICALITY) + "           all")
    print(_oil_line("the firm's reorder point and maximum", firm))
    for cost, found in swept.items():
        print(_oil_line(f"ours, {cost:g} for a demand not served", found))


def _oil_line(label: str, found: OilPoint) -> str:
    parts = "".join(f"{found.served[name]:>7.3f}{found.stock_value[name]:>11,.0f}" for name in _CRITICALITY)
    return f"  {label:<40}{parts} {found.point.stock_value:>13,.0f}"


def _print_chosen(label: str, found: OilPoint, firm: OilPoint, below: int) -> None:
    print(_oil_line(label, found))
    lower = [name for name in _CRITICALITY if found.served[name] < firm.served[name]]
    print(
        f"    stock value against the firm: {change(found.point.stock_value, firm.point.stock_value)}; served in full "
        f"less often: {', '.join(lower) or 'no class'}; H parts that begin below their lead-time demand: {below}"
    )
