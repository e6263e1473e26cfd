"""Spare parts of a refinery, ordered month by month: the product's levels against the firm's own.

A part is asked for a few times in years or not at all, so its demand is told by occasions (inventory/occasional.py) and
Least Cost weighs holding against what a demand costs that is not served in full. Nobody knows that cost: for each
class the least one is taken at which ours served no fewer of the demands than the firm, as far as one could know.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.replay_curves import change, draw
from benchmarks.replay_spares import daily_panel, read
from benchmarks.replay_world import Point, World, known_of, point
from erp_forecast_addon.planning.cleaning import clean
from erp_forecast_addon.planning.inventory.demand_distribution import lead_time_nodes
from erp_forecast_addon.planning.inventory.methods import PolicyInputs, levels_for
from erp_forecast_addon.planning.inventory.occasional import demand_told, learn_occasions
from erp_forecast_addon.planning.replay import in_periods, rule_of, seen_by
from erp_forecast_addon.planning.settings import PlanSettings
from erp_forecast_addon.planning.simulation import Costs, Limits, Outcome, Rule, Start

MONTHS_SCORED, MONTHS_TO_CHOOSE_ON = 24, 12
RENEWED_EVERY_MONTHS = 3
_LEFT_OUT = "1997-11"
_CRITICALITY = ("H", "M", "L")
# What a demand that is not served in full is taken to cost, whatever the part's price or the size of the demand. Steps
# of the E12 series, so that nobody has picked them.
_OCCASION_COSTS = (560.0, 820.0, 1e3, 1.2e3, 1.5e3, 1.8e3, 2.2e3, 2.7e3, 3.3e3, 3.9e3, 4.7e3, 5.6e3, 6.8e3)
_HOLDING_RATE = 0.25
# Below this price the firm's maximum is no cap: a piece more costs nothing that anybody would notice.
_CHEAP = 300.0
_SIZE_EDGES = (1.5, 2.5, 4.5, 10.5, 30.5)
# How many deviations the difference from the firm must be above 0: one-sided 95%. The others show what hangs on it.
_ONE_SIDED_95 = 1.645
_OTHER_DEVIATIONS = (0.0, 1.0, 2.13)
_ALWAYS = 1e-6


@dataclass(frozen=True)
class Oil:
    """items: the table's rows that are played; world: their months after the origin; class_of: (n,) H where there is
    any H, else M where there is any M, else L."""

    items: pd.DataFrame
    world: World
    class_of: np.ndarray

    def of(self, name: str) -> np.ndarray:
        return np.asarray(self.class_of == name)


def run(data: Path, chart: Path) -> None:
    items, months = oil_months(data)
    begin = len(months) - MONTHS_SCORED
    print(f"{len(items):,} items with the firm's own levels, price 1 left out; {months[begin]} to {months[-1]}")
    before = _played(oil_world(items, months[:begin], begin - MONTHS_TO_CHOOSE_ON))
    print(f"\nthe {MONTHS_TO_CHOOSE_ON} months before")
    _print_curve(before)
    scored = _played(oil_world(items, months, begin))
    print(f"\nthe last {MONTHS_SCORED} months")
    _print_curve(scored)
    print("\nchosen on earlier months alone, at 95%")
    chosen = _by_quarter(before, scored, _ONE_SIDED_95)
    print("by quarter, H/M/L: " + ", ".join("/".join(f"{cost:g}" for cost in prices.values()) for prices in chosen))
    _print_chosen("once, before the first month", scored, chosen[:1] * len(chosen))
    _print_chosen("anew each quarter", scored, chosen)
    print("\nanew each quarter, with other deviations in place of 1.645")
    for deviations in _OTHER_DEVIATIONS:
        _print_chosen(f"{deviations:g}", scored, _by_quarter(before, scored, deviations))
    draw(
        chart, "oil, last 24 months",
        {"the firm": [scored.firm.point], "ours": [found.point for found in scored.swept.values()]},
    )  # fmt: skip


def _by_quarter(before: "Played", scored: "Played", deviations: float) -> list[dict[str, float]]:
    quarters = range(0, MONTHS_SCORED, RENEWED_EVERY_MONTHS)
    return [no_worse_than_the_firm((before, scored), MONTHS_TO_CHOOSE_ON + month, deviations) for month in quarters]


def oil_months(data: Path) -> tuple[pd.DataFrame, np.ndarray]:
    """Items with the firm's own levels, price 1 left out, and the names of the columns of their months."""
    table = read(data, "oil")
    known = table["min_reorder_point"].notna() & table["max_level"].notna()
    items = table[known & (table["price"] != 1.0)].reset_index(drop=True)
    return items, np.array([c for c in items.columns if str(c)[:2] in ("19", "20") and c != _LEFT_OUT])


def oil_world(items: pd.DataFrame, months: np.ndarray, origin: int) -> Oil:
    """The months after the first `origin` ones. Returns (negative) and empty years are no demand."""
    demand = np.maximum(np.nan_to_num(items[list(months)].to_numpy(dtype=float)), 0.0)
    day = np.array([f"{month}-15" for month in months], dtype="datetime64[D]")
    first_day = np.datetime64(f"{months[0]}-01", "D")
    end = (np.datetime64(months[-1], "M") + 1).astype("datetime64[D]")
    panel = daily_panel(items["material"].to_numpy(), demand, day, first_day, int((end - first_day).astype(int)))
    eve = int((np.datetime64(f"{months[origin]}-01", "D") - first_day).astype(int))
    history = panel.before(eve)
    left_out = history.starts.astype("datetime64[M]") == np.datetime64(_LEFT_OUT)
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
        costs=Costs(items["price"].to_numpy(dtype=float), _HOLDING_RATE, 0.0, 0.0),
        limits=Limits.none(n),
        review_days=1,
        backorders=True,
    )
    marks = items[list(_CRITICALITY)].to_numpy(dtype=float) > 0
    class_of = np.select([marks[:, 0], marks[:, 1]], ["H", "M"], "L").astype(object)
    return Oil(items, world, class_of)


@dataclass(frozen=True)
class OilPoint:
    """asked, in_full: (n, t) whether an item was asked for in a month, and served in full; stock_value: (n,) average.
    on_hand_qty: (n,) when the first day began."""

    asked: np.ndarray
    in_full: np.ndarray
    stock_value: np.ndarray
    on_hand_qty: np.ndarray
    point: Point

    def served(self, rows: np.ndarray) -> float:
        return float(self.in_full[rows].sum() / max(self.asked[rows].sum(), 1))


@dataclass(frozen=True)
class Played:
    """The firm's levels and ours by price of a demand not served in full, each from its own full shelves: the maximum,
    or the order-up-to level. rules: by price, one for each morning of re-planning."""

    oil: Oil
    firm: OilPoint
    swept: dict[float, OilPoint]
    mornings: list[int]
    rules: dict[float, list[Rule]]

    def by_prices(self, prices: Sequence[dict[str, float]]) -> OilPoint:
        """What comes of prices by class, for each morning in turn."""
        rules = []
        for number, of_class in enumerate(prices):  # over mornings
            own = [(self.oil.of(name), self.rules[cost][number]) for name, cost in of_class.items()]
            parts = [sum(np.where(rows, part(rule), 0.0) for rows, rule in own) for part in _PARTS_OF_A_RULE]
            rules.append(Rule(*parts))
        return _play(self.oil, rules, self.mornings)


_PARTS_OF_A_RULE = (
    lambda rule: rule.reorder_point_qty, lambda rule: rule.order_up_to_qty, lambda rule: rule.least_order_qty,
)  # fmt: skip


def _played(oil: Oil) -> Played:
    items = oil.items
    most = items["max_level"].to_numpy(dtype=float)
    firm = Rule(items["min_reorder_point"].to_numpy(dtype=float) - _ALWAYS, most, np.zeros(len(items)))
    full = replace(oil.world, start=Start.with_stock(most))
    seen_firm = _served(oil, full.play(firm, (0,), daily=True), "firm", 0.0, most)
    mornings = _mornings(oil.world)
    rules = _rules(oil, mornings)
    swept = {cost: _play(oil, own, mornings, cost) for cost, own in rules.items()}
    return Played(oil, seen_firm, swept, mornings, rules)


def _mornings(world: World) -> list[int]:
    starts = world.history.starts[-1].astype("datetime64[D]") + 1 + np.arange(world.demand_qty.shape[1])
    first_of_month = np.flatnonzero(starts == starts.astype("datetime64[M]").astype("datetime64[D]"))
    return first_of_month[::RENEWED_EVERY_MONTHS].tolist()  # type: ignore[no-any-return]


def _rules(oil: Oil, mornings: list[int]) -> dict[float, list[Rule]]:
    """By price of a demand not served in full, one rule for each morning, from what is known then. Unmet demand waits,
    so what is known does not depend on the shelf."""
    world, items = oil.world, oil.items
    nodes = lead_time_nodes(world.lead_time_probability)
    least, most = lead_time_demand(world), items["max_level"].to_numpy(dtype=float)
    cheap = (items["price"] < _CHEAP).to_numpy()
    terms = {
        "unit_cost": world.costs.unit_cost, "holding_rate_per_year": _HOLDING_RATE,
        "lead_time_days": world.typed_lead_time_days,
        "floor_qty": np.where(oil.of("H"), least, 0.0),
        # The firm knows how many pieces a machine takes: its maximum is a planner's cap for what is dear.
        "cap_qty": np.where(cheap, np.inf, np.maximum(most, np.ceil(least))),
    }  # fmt: skip
    group = size_group(most)
    rules: dict[float, list[Rule]] = {cost: [] for cost in _OCCASION_COSTS}
    for morning in mornings:
        months = in_periods(seen_by(world.history, known_of(world, morning), lost=False), "month")
        cleaned, _faults = clean(months, PlanSettings("oil").outlier_limit)
        told = demand_told(learn_occasions(cleaned, group, most), nodes)
        for cost, own in rules.items():
            inputs = PolicyInputs(**told, **terms, occasion_cost=cost)
            own.append(rule_of(levels_for(inputs, "Least Cost", workers=2)))
    return rules


def size_group(most_qty: np.ndarray) -> np.ndarray:
    """(n,) what the firm keeps of a part tells how it is asked for: one at a time, a set, by the dozen."""
    return np.asarray(np.digitize(most_qty, _SIZE_EDGES).astype(str).astype(object))


def lead_time_demand(world: World) -> np.ndarray:
    """(n,) mean demand of the lead time by the history: what an item with H > 0 must not fall below."""
    observed = world.history.observed.sum(axis=1)
    return world.history.demand.sum(axis=1) / np.maximum(observed, 1) * world.typed_lead_time_days


def _play(oil: Oil, rules: list[Rule], mornings: list[int], setting: float = np.nan) -> OilPoint:
    full = np.maximum(rules[0].order_up_to_qty, 0.0)
    world = replace(oil.world, start=Start.with_stock(full))
    by_day = dict(zip(mornings, rules, strict=True))
    seen = world.play(lambda known: by_day[known.day], mornings, daily=True)
    return _served(oil, seen, "ours", setting, full)


def _served(oil: Oil, seen: Outcome, policy: str, setting: float, on_hand_qty: np.ndarray) -> OilPoint:
    assert seen.demand_qty is not None
    assert seen.short_qty is not None
    days = oil.world.history.starts[-1].astype("datetime64[D]") + 1 + np.arange(seen.days)
    first_of_month = np.flatnonzero(np.diff(days.astype("datetime64[M]").astype(int), prepend=-1))
    asked = seen.demand_qty > 0
    in_full = asked & (seen.short_qty <= _ALWAYS)
    return OilPoint(
        asked=np.logical_or.reduceat(asked, first_of_month, axis=1),
        in_full=np.logical_or.reduceat(in_full, first_of_month, axis=1),
        stock_value=seen.mean_stock_value(oil.world.costs.unit_cost),
        on_hand_qty=on_hand_qty,
        point=point(policy, setting, seen, oil.world.costs),
    )


def no_worse_than_the_firm(played: Sequence[Played], month: int, deviations: float) -> dict[str, float]:
    """For each class the least price of which the months show that it serves no fewer demands in full than the firm.

    A one-sided test (1.645 deviations: at 95%) of the difference of both shares, over the same demand months (paired),
    parts taken as independent and the months of a part not: the sandwich estimate of the deviation of a ratio,
    clustered by part (Cochran, Sampling Techniques, 3rd ed., section 6.4). played: the months to choose on and, after
    them, those that are scored; judged are the last MONTHS_TO_CHOOSE_ON before `month`, counted from the first of all.
    """
    judged = slice(month - MONTHS_TO_CHOOSE_ON, month)

    def months_of(points: Sequence[OilPoint], part: str, rows: np.ndarray) -> np.ndarray:
        return np.asarray(np.concatenate([getattr(each, part)[rows] for each in points], axis=1)[:, judged].sum(axis=1))

    chosen = {}
    for name in _CRITICALITY:
        rows = played[0].oil.of(name)
        firm = [each.firm for each in played]
        asked, theirs = (months_of(firm, part, rows) for part in ("asked", "in_full"))
        served = {cost: months_of([each.swept[cost] for each in played], "in_full", rows) for cost in _OCCASION_COSTS}
        enough = (cost for cost, ours in served.items() if least_difference(ours, theirs, asked, deviations) >= 0.0)
        chosen[name] = next(enough, _OCCASION_COSTS[-1])
    return chosen


def least_difference(ours: np.ndarray, theirs: np.ndarray, asked: np.ndarray, deviations: float) -> float:
    """So many deviations below the difference of two shares of `asked`. All (n,), one per part."""
    more, count = ours - theirs, max(float(asked.sum()), 1.0)
    difference = float(more.sum()) / count
    error = float(np.sqrt(np.square(more - difference * asked).sum())) / count
    return difference - deviations * error


def _print_curve(played: Played) -> None:
    print("by class: demand months served in full, average stock value")
    print(" " * 42 + "".join(f"{name:>18}" for name in _CRITICALITY) + "           all")
    print(_line("the firm's reorder point and maximum", played.oil, played.firm))
    for cost, found in played.swept.items():
        print(_line(f"ours, {cost:g} for a demand not served", played.oil, found))


def _line(label: str, oil: Oil, found: OilPoint) -> str:
    rows = [oil.of(name) for name in _CRITICALITY]
    parts = "".join(f"{found.served(own):>7.3f}{found.stock_value[own].sum():>11,.0f}" for own in rows)
    return f"  {label:<40}{parts} {found.point.stock_value:>13,.0f}"


def _print_chosen(label: str, played: Played, prices: Sequence[dict[str, float]]) -> None:
    found, firm, oil = played.by_prices(prices), played.firm, played.oil
    print(_line(label, oil, found))
    lower = [name for name in _CRITICALITY if found.served(oil.of(name)) < firm.served(oil.of(name))]
    below = oil.of("H") & (found.on_hand_qty < lead_time_demand(oil.world) - _ALWAYS)
    print(
        f"    stock value against the firm: {change(found.point.stock_value, firm.point.stock_value)}; served in full "
        f"less often: {', '.join(lower) or 'no class'}; H parts that begin below their lead-time demand: {below.sum()}"
    )
