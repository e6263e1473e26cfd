"""A company's own past, played again: by our policy, by ERPNext's recommended levels, and as it really went.

All three meet the same demand, from the same stock on the first morning. Demand is what was sold and, on days with an
empty shelf, what would have been sold (`estimated_demand`). A policy knows on each day of re-planning what was sold up
to then in its own course, and which deliveries had arrived by then.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from erp_forecast_addon.planning import periods, shelf
from erp_forecast_addon.planning.cleaning import filled
from erp_forecast_addon.planning.errors import BadInput
from erp_forecast_addon.planning.inventory import lead_time_distribution
from erp_forecast_addon.planning.inventory.lead_time import choose_lead_times, probability_of
from erp_forecast_addon.planning.messages import _
from erp_forecast_addon.planning.panel import Panel, build_panel
from erp_forecast_addon.planning.plan import Supply, plan
from erp_forecast_addon.planning.progress import Done, Progress, silent, unseen
from erp_forecast_addon.planning.purchasing.lots import order_steps
from erp_forecast_addon.planning.purchasing.suppliers import align_choice, choose_suppliers, rate_sourcing
from erp_forecast_addon.planning.replay import ErpnextLevels, in_periods, seen_by
from erp_forecast_addon.planning.settings import PlanSettings
from erp_forecast_addon.planning.simulation import Costs, Known, Limits, Outcome, Rule, Start, simulate
from erp_forecast_addon.planning.tables import BUCKETS, DATED, OPEN_LINES, RECEIPTS

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

OURS, ERPNEXT, AS_ORDERED = "Our Policy", "ERPNext's Levels", "As Really Ordered"
POLICIES = (OURS, ERPNEXT, AS_ORDERED)
# How often each side sets its levels anew: ours every four weeks, ERPNext's as often as people look at its report.
OURS_RENEWED_EVERY_DAYS, ERPNEXT_RENEWED_EVERY_DAYS = 28, 91
LEAST_HISTORY_DAYS = 56
_PAIR = ["item_code", "warehouse"]
_WEEK = 7
_BELOW = 1e-6


@dataclass(frozen=True)
class Inputs:
    """Tables of planning.tables: buckets of the whole history, items, positions (for the cost of a unit), receipts and
    open_lines as they stand today. supply_known: (receipts, open_lines, day) -> the Supply of a plan made on that day.
    """

    buckets: pd.DataFrame
    items: pd.DataFrame
    positions: pd.DataFrame
    receipts: pd.DataFrame
    open_lines: pd.DataFrame
    supply_known: Callable[[pd.DataFrame, pd.DataFrame, date], Supply]


@dataclass(frozen=True)
class Past:
    """n pairs over the t days of the replay. history: daily panel up to the eve; sales_qty, masked (empty shelf),
    on_hand_qty (evenings), received_qty: (n, t), as the ledger has them; start_qty: (n,) on the eve."""

    history: Panel
    first_day: date
    sales_qty: Floats
    masked: NDArray[np.bool_]
    demand_qty: Floats
    on_hand_qty: Floats
    received_qty: Floats
    start_qty: Floats

    @property
    def days(self) -> int:
        return int(self.sales_qty.shape[1])


@dataclass(frozen=True)
class Replayed:
    """keys: (n,) item_code, warehouse; abc_class (n,); outcomes: by policy, with daily quantities; costs; first_day."""

    keys: pd.DataFrame
    abc_class: NDArray[np.object_]
    outcomes: dict[str, Outcome]
    costs: Costs
    first_day: date


def replay_ledger(
    inputs: Inputs,
    settings: PlanSettings,
    as_of: date,
    days: int,
    progress: Progress = silent,
) -> Replayed:
    """Play the `days` days up to as_of again. Deterministic (settings.seed). progress: share done and the step.

    Raises BadInput where the ledger is too short for so many days and LEAST_HISTORY_DAYS of history before them.
    """
    past = read_past(inputs, settings, as_of, days)
    progress(0.05, _("Reading the past"))
    terms = _terms(inputs, past, settings, as_of)
    first_plan = _OurLevels(inputs, past, settings, terms.valuation_rate)
    review = 1 if settings.review == "Continuous" else max(settings.review_period_days, 1)
    lead = _drawn_lead_times(terms, past, settings.seed)
    in_transit = _in_transit(inputs.receipts, past)
    first_plan.done = lambda share: progress(0.1 + 0.7 * share, _("Our policy"))
    play = _Play(past, lead, Start(past.start_qty, in_transit), terms.limits, review)
    ours = play.by(first_plan, OURS_RENEWED_EVERY_DAYS)
    progress(0.85, _("ERPNext's levels"))
    typed = ErpnextLevels(past.history, terms.typed_days, 0.0, 1, terms.safety_qty)
    erpnext = play.by(typed, ERPNEXT_RENEWED_EVERY_DAYS)
    progress(0.95, _("Adding up"))
    outcomes = {OURS: ours, ERPNEXT: erpnext, AS_ORDERED: really(past)}
    return Replayed(past.history.keys, first_plan.abc_class, outcomes, terms.costs, past.first_day)


# ---- what happened ----


def read_past(inputs: Inputs, settings: PlanSettings, as_of: date, days: int) -> Past:
    """Demand, stock and receipts by day. Pairs without any movement before the first day are left out: nobody could
    have planned them."""
    reach = max(settings.history_days, days + LEAST_HISTORY_DAYS)
    panel, _faults = build_panel(inputs.buckets, "day", as_of, items=inputs.items, history_days=reach)
    begin = panel.t - days
    if not panel.n or begin < LEAST_HISTORY_DAYS:
        raise BadInput(
            _(
                "{company}: the stock ledger reaches {have} days back; a replay of {days} days needs {least} days of "
                "history before them. Choose fewer weeks."
            ),
            company=settings.company, have=panel.t, days=days, least=LEAST_HISTORY_DAYS,
        )  # fmt: skip
    there = panel.first < begin
    panel = panel.select(there)
    if not panel.n:
        raise BadInput(
            _("{company}: no item moved before the replayed days, so nothing could have been planned."),
            company=settings.company,
        )
    grid = _stock_by_day(inputs.buckets, panel, begin)
    masked = ~panel.in_stock[:, begin:]
    closing = _forward(np.column_stack([grid.opening_qty[:, :1], grid.closing_qty]))
    on_hand = np.maximum(closing[:, 1:], 0.0)
    moved_in = grid.closing_qty - grid.opening_qty + grid.demand_qty
    return Past(
        history=replace(panel.before(begin), drivers={}),
        first_day=periods.to_days(panel.starts)[begin].item(),
        sales_qty=np.maximum(panel.demand[:, begin:], 0.0),
        masked=masked,
        demand_qty=estimated_demand(panel, begin, settings.seed),
        on_hand_qty=on_hand,
        received_qty=np.maximum(np.nan_to_num(moved_in), 0.0),
        start_qty=np.maximum(closing[:, 0], 0.0),
    )


def estimated_demand(panel: Panel, begin: int, seed: int) -> Floats:
    """(n, t - begin) what was asked for: sales, and on days with an empty shelf what the days around them sold.

    The level around (cleaning.filled) is a mean; a shelf is emptied by pieces, so that for series of whole numbers a
    Poisson number with that mean is drawn. It is never less than what was sold on that day.
    """
    expected = filled(panel)[:, begin:]
    sales = np.maximum(panel.demand[:, begin:], 0.0)
    masked = ~panel.in_stock[:, begin:]
    whole = (panel.demand == np.rint(panel.demand)).all(axis=1)
    drawn = np.random.default_rng(seed).poisson(np.where(masked, expected, 0.0)).astype(float)
    missing = np.where(whole[:, None], drawn, expected)
    return np.where(masked, np.maximum(missing, sales), sales)


def really(past: Past) -> Outcome:
    """What really happened, in the simulation's terms. order_lines: days on which stock came in."""
    short = np.maximum(past.demand_qty - past.sales_qty, 0.0)
    received = past.received_qty
    return Outcome(
        days=past.days,
        total_demand_qty=past.demand_qty.sum(axis=1),
        total_short_qty=short.sum(axis=1),
        total_ordered_qty=received.sum(axis=1),
        total_received_qty=received.sum(axis=1),
        order_lines=(received > 0).sum(axis=1),
        stock_out_days=(past.on_hand_qty <= 0).sum(axis=1),
        mean_on_hand_qty=past.on_hand_qty.mean(axis=1),
        start_qty=past.start_qty,
        end_net_qty=past.on_hand_qty[:, -1],
        end_in_transit_qty=np.zeros(len(short)),
        on_hand_qty=past.on_hand_qty.astype(np.float32),
        demand_qty=past.demand_qty.astype(np.float32),
        short_qty=short.astype(np.float32),
        ordered_qty=received.astype(np.float32),
        received_qty=received.astype(np.float32),
    )


def _stock_by_day(buckets: pd.DataFrame, panel: Panel, begin: int) -> shelf.DayGrid:
    rows = BUCKETS.check(buckets)
    pair = pd.MultiIndex.from_frame(panel.keys[_PAIR]).get_indexer(pd.MultiIndex.from_frame(rows[_PAIR]))
    day = rows["day"].to_numpy().astype("datetime64[D]").astype(np.int64)
    first = int(periods.to_days(panel.starts)[begin].astype(np.int64))
    stop = first + panel.t - begin
    used = np.flatnonzero((pair >= 0) & (day < stop))
    order = used[np.lexsort((day[used], pair[used]))]
    columns = [rows[name].to_numpy(dtype=float)[order] for name in ("demand_qty", "opening_qty", "closing_qty")]
    return shelf.lay_out(shelf.Movements(pair[order], day[order], *columns), 0, panel.n, first, stop)


def _forward(values: Floats) -> Floats:
    """The last known value of each row carried on; 0 before the first one. (n, t)"""
    known = np.isfinite(values)
    at = np.maximum.accumulate(np.where(known, np.arange(values.shape[1]), 0), axis=1)
    return np.nan_to_num(np.take_along_axis(values, at, axis=1))


# ---- what policies are played with ----


@dataclass(frozen=True)
class _Terms:
    """(n,) each but probability (n, d + 1): of the lead times as they really were, approval included."""

    probability: Floats
    typed_days: Floats
    safety_qty: Floats
    valuation_rate: Floats
    costs: Costs
    limits: Limits


def _terms(inputs: Inputs, past: Past, settings: PlanSettings, as_of: date) -> _Terms:
    supply = inputs.supply_known(RECEIPTS.check(inputs.receipts), OPEN_LINES.check(inputs.open_lines), as_of)
    keys = past.history.keys
    items = supply.items.drop_duplicates("item_code").set_index("item_code").reindex(keys["item_code"])
    chosen = choose_suppliers(rate_sourcing(supply.sourcing, supply.items, settings.currency))
    choice = align_choice(chosen, keys["item_code"])
    item_days = items["lead_time_days"].to_numpy(dtype=float)
    lead_times = choose_lead_times(
        choice["lead_time_days"].to_numpy(dtype=float), choice["lead_time_std_days"].to_numpy(dtype=float),
        choice["lead_time_source"].to_numpy(dtype=object), item_days, settings.default_lead_time_days,
    )  # fmt: skip
    codes = keys["item_code"].to_numpy(dtype=object)
    probability = probability_of(supply.lead_times, choice["supplier"].to_numpy(dtype=object), codes, lead_times)
    if supply.approval is not None:
        probability = lead_time_distribution.convolved(probability, supply.approval.probability)
    # A lead time that nobody typed into the Item is what people would type: what deliveries take.
    typed = np.where(item_days > 0.0, item_days, lead_times.days)
    valuation = _valuation(inputs.positions, keys)
    cost = _first_positive(choice["base_rate"].to_numpy(dtype=float), valuation)
    selling = items["selling_rate"].to_numpy(dtype=float)
    margin = np.where(selling > cost, selling - cost, cost * settings.margin_pct / 100.0)
    least = np.fmax(items["min_order_qty"].to_numpy(dtype=float), choice["min_order_qty"].to_numpy(dtype=float))
    steps = order_steps(
        np.nan_to_num(choice["order_multiple_qty"].to_numpy(dtype=float)),
        np.nan_to_num(choice["conversion_factor"].to_numpy(dtype=float), nan=1.0),
        choice["uom_whole"].to_numpy(dtype=bool) & choice["factor_known"].to_numpy(dtype=bool),
        items["stock_uom_whole"].eq(True).to_numpy(),
    )
    return _Terms(
        probability=probability,
        typed_days=typed,
        safety_qty=np.nan_to_num(items["safety_stock"].to_numpy(dtype=float)),
        valuation_rate=valuation,
        costs=Costs(cost, settings.holding_rate_per_year, settings.order_cost, np.nan_to_num(margin)),
        limits=Limits(np.asarray(steps, dtype=float), np.nan_to_num(least), np.full(len(keys), np.inf)),
    )


def _valuation(positions: pd.DataFrame, keys: pd.DataFrame) -> Floats:
    rates = positions.drop_duplicates(_PAIR).set_index(_PAIR)["valuation_rate"]
    found = rates.reindex(pd.MultiIndex.from_frame(keys[_PAIR])).to_numpy(dtype=float)
    return np.nan_to_num(found)


def _first_positive(price: Floats, valuation: Floats) -> Floats:
    return np.where(np.nan_to_num(price) > 0.0, np.nan_to_num(price), np.maximum(valuation, 0.0))


def _drawn_lead_times(terms: _Terms, past: Past, seed: int) -> Whole:
    """(n, t) days that an order of each day would have taken: drawn from what deliveries really took."""
    n = past.history.n
    uniform = np.random.default_rng([seed, 1]).random((n, past.days))
    return lead_time_distribution.drawn(terms.probability, np.arange(n), uniform)


def _in_transit(receipts: pd.DataFrame, past: Past) -> Floats:
    """(n, t) what arrived in the replayed days though it was ordered before them: everybody has that coming.

    A receipt names no warehouse; what came in at an item's pairs on its day of receipt counts by the share of that
    day's receipts that had been ordered before.
    """
    rows = RECEIPTS.check(receipts)
    first = pd.Timestamp(past.first_day)
    day = (rows["received_on"] - first).dt.days
    rows = rows.assign(day=day, old=rows["stock_qty"].where(rows["ordered_on"] < first, 0.0))
    inside = rows[(day >= 0) & (day < past.days)]
    if inside.empty:
        return np.zeros((past.history.n, past.days))
    summed = inside.groupby(["item_code", "day"])[["old", "stock_qty"]].sum()
    share = (summed["old"] / summed["stock_qty"]).clip(0.0, 1.0).unstack("day").fillna(0.0)
    share = share.reindex(index=past.history.keys["item_code"], columns=range(past.days), fill_value=0.0)
    return np.asarray(share.to_numpy(dtype=float) * past.received_qty)


@dataclass(frozen=True)
class _Play:
    past: Past
    lead_time_days: Whole
    start: Start
    limits: Limits
    review_days: int

    def by(self, rule: Callable[[Known], Rule], renewed_every_days: int) -> Outcome:
        return simulate(
            self.past.demand_qty, self.lead_time_days, rule, self.start, limits=self.limits,
            decide_on=range(0, self.past.days, renewed_every_days), review_days=self.review_days,
        )  # fmt: skip


class _OurLevels:
    """Levels as the company's own run would have made them on that morning: the whole of plan.py."""

    def __init__(self, inputs: Inputs, past: Past, settings: PlanSettings, valuation_rate: Floats) -> None:
        self.inputs, self.past, self.settings, self.valuation_rate = inputs, past, settings, valuation_rate
        self.abc_class = np.full(past.history.n, "C", dtype=object)
        self.done: Done = unseen

    def __call__(self, known: Known) -> Rule:
        as_of = self.past.first_day + timedelta(days=known.day - 1)
        panel = in_periods(seen_by(self.past.history, known), self.settings.period)
        receipts, open_lines = known_then(self.inputs.receipts, self.inputs.open_lines, as_of)
        supply = replace(self.inputs.supply_known(receipts, open_lines, as_of), dated=DATED.empty())
        keys = self.past.history.keys
        positions = keys[_PAIR].assign(on_hand_qty=known.on_hand_qty, valuation_rate=self.valuation_rate)
        reached, days = known.day, self.past.days

        def told(share: float, step: str, /, **values: Any) -> None:
            self.done(min(1.0, (reached + OURS_RENEWED_EVERY_DAYS * share) / days))

        policies = plan(panel, positions, supply, self.settings, as_of, progress=told).policies.set_index(_PAIR)
        mine = policies.reindex(pd.MultiIndex.from_frame(keys[_PAIR]))
        if known.day == 0:
            self.abc_class = mine["abc_class"].fillna("C").to_numpy(dtype=object)
        point = mine["reorder_point_qty"].to_numpy(dtype=float)
        up_to = mine["order_up_to_qty"].to_numpy(dtype=float)
        return Rule(point - _BELOW, np.nan_to_num(up_to), np.zeros(len(mine)))


def known_then(receipts: pd.DataFrame, open_lines: pd.DataFrame, as_of: date) -> tuple[pd.DataFrame, pd.DataFrame]:
    """RECEIPTS and OPEN_LINES as they stood on the evening of as_of: what arrived later was open then."""
    day = pd.Timestamp(as_of)
    rows, still_open = RECEIPTS.check(receipts), OPEN_LINES.check(open_lines)
    come = rows["received_on"] <= day
    waiting = rows[~come & (rows["ordered_on"] <= day)].rename(columns={"stock_qty": "open_qty"})
    both = pd.concat([waiting[list(OPEN_LINES.columns)], still_open[still_open["ordered_on"] <= day]])
    return rows[come].reset_index(drop=True), OPEN_LINES.check(both.reset_index(drop=True))


# ---- sums ----


def by_class(replayed: Replayed) -> pd.DataFrame:
    """One row per policy and class, and per policy for all ("All"): see the columns below. Money: company currency."""
    classes = replayed.abc_class
    parts = [
        _summed(policy, name, seen.select(np.flatnonzero(rows)), _costs_of(replayed.costs, rows))
        for policy, seen in replayed.outcomes.items()
        for name, rows in (("All", np.ones(len(classes), dtype=bool)), *((c, classes == c) for c in ("A", "B", "C")))
        if rows.any()
    ]  # over policies and classes, which are few
    return pd.DataFrame(parts)


def _summed(policy: str, name: str, seen: Outcome, costs: Costs) -> dict[str, object]:
    money = seen.cost_table(costs).sum()
    pair_days = max(len(seen.order_lines) * seen.days, 1)
    return {
        "policy": policy,
        "abc_class": name,
        "pairs": len(seen.order_lines),
        "stock_out_days": int(seen.stock_out_days.sum()),
        "stock_out_pct": 100.0 * float(seen.stock_out_days.sum()) / pair_days,
        "demand_qty": float(seen.total_demand_qty.sum()),
        "fill_rate_pct": 100.0 * float(np.nan_to_num(seen.fill_rate())),
        "fill_rate_value_pct": 100.0 * float(np.nan_to_num(seen.fill_rate(costs.unit_cost))),
        "lost_qty": float(seen.total_short_qty.sum()),
        "lost_value": float((seen.total_short_qty * costs.unit_cost).sum()),
        "average_stock_value": float(seen.mean_stock_value(costs.unit_cost).sum()),
        "order_lines": int(seen.order_lines.sum()),
        "holding_cost": float(money["holding_cost"]),
        "order_cost": float(money["order_cost"]),
        "shortage_cost": float(money["shortage_cost"]),
        "total_cost": float(money["total_cost"]),
    }


def _costs_of(costs: Costs, rows: NDArray[np.bool_]) -> Costs:
    return Costs(*(value[rows] if isinstance(value, np.ndarray) else value for value in vars(costs).values()))


def by_week(replayed: Replayed) -> pd.DataFrame:
    """policy, week (first day), stock_value (mean of its evenings), lost_value, order_lines; whole weeks only."""
    tables = []
    for policy, seen in replayed.outcomes.items():  # three policies
        cost = np.broadcast_to(np.asarray(replayed.costs.unit_cost, dtype=float), seen.order_lines.shape)
        assert seen.on_hand_qty is not None
        assert seen.short_qty is not None
        assert seen.ordered_qty is not None
        weeks = seen.days // _WEEK
        daily = [cost @ seen.on_hand_qty, cost @ seen.short_qty, (seen.ordered_qty > 0).sum(axis=0)]
        stock, lost, lines = (np.asarray(row, dtype=float)[: weeks * _WEEK].reshape(weeks, _WEEK) for row in daily)
        begins = pd.Timestamp(replayed.first_day) + pd.to_timedelta(_WEEK * np.arange(weeks), unit="D")
        tables.append(
            pd.DataFrame(
                {
                    "policy": policy,
                    "week": begins,
                    "stock_value": stock.mean(axis=1),
                    "lost_value": lost.sum(axis=1),
                    "order_lines": lines.sum(axis=1),
                }
            )
        )
    return pd.concat(tables, ignore_index=True)
