"""From a demand outlook and what stands on the shelves to levels, proposals and faults: everything after the forecast.

Kept apart from plan.py so that it runs on any demand outlook: a forecast, an override, a simulation, a test's numbers.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from erp_forecast_addon.planning.door import Checked, check_rows
from erp_forecast_addon.planning.errors import Fault
from erp_forecast_addon.planning.inventory.approval_time import ApprovalTime, approval_time
from erp_forecast_addon.planning.inventory.classes import abc_classes, xyz_classes
from erp_forecast_addon.planning.inventory.demand_distribution import Totals, gamma_totals
from erp_forecast_addon.planning.inventory.judged_orders import JudgedOrders, judge_on_paths
from erp_forecast_addon.planning.inventory.lead_time import LeadTimes, choose_lead_times, probability_of
from erp_forecast_addon.planning.inventory.lead_time_distribution import LeadTimeDistributions
from erp_forecast_addon.planning.inventory.level_courses import Paths
from erp_forecast_addon.planning.inventory.levels import service_levels
from erp_forecast_addon.planning.inventory.methods import PriceBreaks
from erp_forecast_addon.planning.inventory.pair_levels import (
    PairLevels,
    Path,
    Terms,
    days_needed,
    frozen,
    order_nodes,
    set_pair_levels,
)
from erp_forecast_addon.planning.inventory.policies import PairClasses, Standing, policy_table
from erp_forecast_addon.planning.inventory.policy_faults import policy_faults
from erp_forecast_addon.planning.inventory.rules import Rules, apply_rules, check_rules
from erp_forecast_addon.planning.inventory.safety_stock import expected_units_short
from erp_forecast_addon.planning.purchasing import faults as sentences
from erp_forecast_addon.planning.purchasing.faults import item_faults, pair_faults
from erp_forecast_addon.planning.purchasing.lots import SMALLEST_QTY, order_steps, whole_days_up
from erp_forecast_addon.planning.purchasing.need import due_now, net_position, order_need
from erp_forecast_addon.planning.purchasing.position import Outlook, lay_out, project
from erp_forecast_addon.planning.purchasing.proposals import day_dates, propose
from erp_forecast_addon.planning.purchasing.suppliers import (
    align_choice,
    blocked_items,
    choose_suppliers,
    rate_sourcing,
)
from erp_forecast_addon.planning.settings import PlanSettings
from erp_forecast_addon.planning.tables import DATED, FORMER_LEVELS, ITEMS, POSITIONS, PRICE_BREAKS, SOURCING
from erp_forecast_addon.planning.wording import dict_column

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

_PAIR = ["item_code", "warehouse"]
_VISIBLE_SHARE_OF_A_PIECE = 0.5
_MONTH_DAYS = 28


@dataclass(frozen=True)
class Supply:
    """dated: table DATED; items: table ITEMS; sourcing: table SOURCING, whose lead_time_row points into lead_times;
    approval: how long drafts wait, None: as the settings say; rules: what planners have said about policies; former:
    table FORMER_LEVELS, the levels that stand; price_breaks: table PRICE_BREAKS.
    """

    dated: pd.DataFrame
    items: pd.DataFrame
    sourcing: pd.DataFrame
    lead_times: LeadTimeDistributions = field(default_factory=LeadTimeDistributions.none)
    approval: ApprovalTime | None = None
    rules: Rules = field(default_factory=Rules)
    former: pd.DataFrame = field(default_factory=FORMER_LEVELS.empty)
    price_breaks: pd.DataFrame = field(default_factory=PRICE_BREAKS.empty)


@dataclass(frozen=True)
class DemandOutlook:
    """Expected demand of (n,) pairs. keys: item_code, warehouse, unique; demand_class: (n,) text;
    daily_mean(as_of, days) -> (n, days), stock units a day from as_of + 1; daily_std() -> (n,);
    last_year_qty: (n,) demand of the last 365 days, stock units.
    totals(as_of, rows (m,), days (m,), levels (q,)) -> (m, q): quantiles of what some rows ask for in the days after
    as_of; None: gamma distributions of the mean and deviation. variation: (n,) coefficient of variation of a month's
    demand, None: not known. abc_class: (n,) where it is known already, "" for the others; None: for all by money.
    paths(rows (m,), periods, p=200) -> (m, p, periods): equally likely courses of demand in periods of period_days
    days, None: not known.
    """

    keys: pd.DataFrame
    demand_class: np.ndarray
    daily_mean: Callable[[date, int], np.ndarray]
    daily_std: Callable[[], np.ndarray]
    last_year_qty: np.ndarray
    totals: Callable[[date, np.ndarray, np.ndarray, np.ndarray], np.ndarray] | None = None
    variation: np.ndarray | None = None
    abc_class: np.ndarray | None = None
    paths: Callable[..., np.ndarray] | None = None
    period_days: float = 1.0


@dataclass(frozen=True)
class Replenishment:
    """policies: POLICIES; proposals: PROPOSALS; faults: in a fixed order; levels: what `standing` need not do again."""

    policies: pd.DataFrame
    proposals: pd.DataFrame
    faults: list[Fault]
    levels: "LevelsOf"


@dataclass(frozen=True)
class LevelsOf:
    """The levels of some pairs. keys: (n,) item_code, warehouse; xyz_class, lead_times as they were made of."""

    keys: pd.MultiIndex
    levels: PairLevels


@dataclass(frozen=True)
class _Door:
    positions: Checked
    dated: Checked
    items: Checked
    sourcing: Checked

    @property
    def faults(self) -> list[Fault]:
        return [*self.items.faults, *self.sourcing.faults, *self.positions.faults, *self.dated.faults]


def _at_the_door(positions: pd.DataFrame, supply: Supply) -> _Door:
    return _Door(
        check_rows(POSITIONS, positions),
        check_rows(DATED, supply.dated),
        check_rows(ITEMS, supply.items),
        check_rows(SOURCING, supply.sourcing),
    )


def replenish(
    outlook: DemandOutlook, positions: pd.DataFrame, supply: Supply, settings: PlanSettings, as_of: date
) -> Replenishment:
    """Levels and proposals for every pair of `outlook` and `positions`; see plan.plan for what is planned.

    Raises BadInput where a table as a whole is unusable; single bad rows are set aside, and pairs and items that
    depend on them are not ordered.
    """
    door = _at_the_door(positions, supply)
    rated = rate_sourcing(door.sourcing.rows, door.items.rows, settings.currency)
    chosen = choose_suppliers(rated)
    reckoned = _reckon(outlook, door, chosen, supply, settings, as_of)
    cases = _cases(reckoned, settings, as_of)
    orderable, order_faults = _orderable(cases, rated, chosen)
    proposed = propose(_with_frozen(orderable, reckoned), rated, as_of)
    faults = [
        *door.faults,
        *reckoned.rule_faults,
        *_standing_faults(cases, reckoned.unusable),
        *policy_faults(cases, reckoned.levels),
        *order_faults,
        *_no_lot_faults(proposed.no_lot),
        *_line_faults(orderable.drop(proposed.no_lot.index)),
        *_shortage_faults(cases, proposed.table),
    ]
    made = LevelsOf(pd.MultiIndex.from_frame(reckoned.pairs[_PAIR]), reckoned.levels)
    return Replenishment(_policies(reckoned, settings, as_of), proposed.table, faults, made)


def standing(
    outlook: DemandOutlook,
    positions: pd.DataFrame,
    supply: Supply,
    settings: PlanSettings,
    as_of: date,
    made: LevelsOf | None = None,
) -> pd.DataFrame:
    """The table POLICIES of `replenish` alone: where every pair stands with this supply. Raises as `replenish` does.

    made: the levels of a `replenish` of the same outlook, which are taken over where the pairs are the same.
    """
    door = _at_the_door(positions, supply)
    chosen = choose_suppliers(rate_sourcing(door.sourcing.rows, door.items.rows, settings.currency))
    return _policies(_reckon(outlook, door, chosen, supply, settings, as_of, made), settings, as_of)


@dataclass(frozen=True)
class _Reckoned:
    """Everything that is computed for every pair, (n,) in the order of `pairs`.

    unusable: the forecast is not finite; arrival_day: index of the day on which an order of today arrives; due: an
    order has to be drafted now.
    """

    pairs: pd.DataFrame
    unusable: Flags
    abc_class: NDArray[np.object_]
    xyz_class: NDArray[np.object_]
    variation: Floats
    lead_times: LeadTimes
    observations: Floats
    levels: PairLevels
    arrival_day: NDArray[np.int64]
    sight: Outlook
    position_qty: Floats
    due: Flags
    below_day: NDArray[np.int64]
    rule_faults: list[Fault]
    on_paths: JudgedOrders


@dataclass(frozen=True)
class _Timing:
    """When goods arrive: of every pair the lead time, its distribution, and whole days until an order of today."""

    lead_times: LeadTimes
    probability: Floats
    observations: Floats
    arrival_day: NDArray[np.int64]
    approval: ApprovalTime


def _reckon(
    outlook: DemandOutlook,
    door: _Door,
    chosen: pd.DataFrame,
    supply: Supply,
    settings: PlanSettings,
    as_of: date,
    made: LevelsOf | None = None,
) -> _Reckoned:
    pairs = _join_pairs(outlook, door, chosen)
    on_hand = _floats(pairs, "on_hand_qty")
    timing = _timing(pairs, supply, settings)
    nodes = order_nodes(timing.probability, timing.approval.probability)
    ahead = int(np.ceil(timing.approval.mean_days)) + 1
    cycle = settings.review_period_days + (ahead if settings.review == "Periodic" else 0)
    window_days = timing.arrival_day + max(cycle, settings.approval_days + 1, ahead)
    days = max(int(window_days.max(initial=0)) + 1, settings.horizon_days, days_needed(nodes, settings))
    daily_mean, daily_std, unusable = _expected_demand(outlook, pairs, as_of, days)
    abc = _abc(outlook, pairs, settings)
    variation = _variation(outlook, pairs, daily_mean, daily_std)
    xyz = xyz_classes(variation, settings.xyz_thresholds)
    rules, rule_faults = check_rules(supply.rules.rules)
    if made is not None and made.keys.equals(pd.MultiIndex.from_frame(pairs[_PAIR])):
        levels = made.levels
    else:
        said = apply_rules(
            Rules(rules, supply.rules.item_groups),
            _objects(pairs, "item_code"),
            _objects(pairs, "warehouse"),
            _objects(pairs, "item_group"),
            abc,
            xyz,
        )
        levels = set_pair_levels(
            Path(
                daily_mean, daily_std, _totals(outlook, pairs, daily_mean, daily_std, unusable, as_of),
                _paths(outlook, pairs), outlook.period_days,
            ),
            nodes,
            timing.lead_times,
            timing.arrival_day,
            timing.approval.mean_days,
            _terms(pairs, supply, settings),
            said,
            service_levels(abc, settings.service_level_by_class, settings.company),
            _former(pairs, supply),
            settings,
        )
    flows = lay_out(door.dated.rows, pd.MultiIndex.from_frame(pairs[_PAIR]), as_of, days)
    sight = project(on_hand, daily_mean, flows, levels.trigger_qty, timing.arrival_day, window_days)
    position = net_position(on_hand, sight.supply_qty, sight.draft_qty, sight.above_forecast_qty)
    due, below_day = _due(levels, sight, position, timing.arrival_day)
    judged = judge_on_paths(
        outlook.paths,
        outlook.period_days,
        np.flatnonzero(due & (pairs["forecast_row"].to_numpy() >= 0) & ~unusable),
        pairs["forecast_row"].to_numpy(),
        on_hand - sight.above_forecast_qty,
        flows.supply + flows.drafts,
        timing.arrival_day + ahead - 1,
        levels,
        settings,
    )
    held = pairs.assign(held=pairs["held"] | unusable)
    return _Reckoned(
        held, unusable, abc, xyz, variation, timing.lead_times, timing.observations, levels, timing.arrival_day, sight,
        position, due, below_day, rule_faults, judged,
    )  # fmt: skip


def _timing(pairs: pd.DataFrame, supply: Supply, settings: PlanSettings) -> _Timing:
    lead_times = choose_lead_times(
        _floats(pairs, "lead_time_days"),
        _floats(pairs, "lead_time_std_days"),
        _objects(pairs, "lead_time_source"),
        _floats(pairs, "item_lead_time_days"),
        settings.default_lead_time_days,
    )
    keys = _objects(pairs, "supplier"), _objects(pairs, "item_code")
    row = supply.lead_times.rows_of(*keys)
    learned = (lead_times.source == "receipts") & (row >= 0)
    seen = np.where(learned, np.append(supply.lead_times.observations, np.nan)[row], np.nan)
    approval = supply.approval or approval_time(np.zeros(0), settings.approval_days)
    probability = probability_of(supply.lead_times, *keys, lead_times)
    return _Timing(lead_times, probability, seen, whole_days_up(lead_times.days), approval)


def _abc(outlook: DemandOutlook, pairs: pd.DataFrame, settings: PlanSettings) -> NDArray[np.object_]:
    by_money = abc_classes(_annual_money(pairs), settings.abc_thresholds)
    if outlook.abc_class is None:
        return by_money
    known = np.append(np.asarray(outlook.abc_class, dtype=object), [""])[pairs["forecast_row"]]
    return np.where(known == "", by_money, known).astype(object)


def _variation(outlook: DemandOutlook, pairs: pd.DataFrame, daily_mean: Floats, daily_std: Floats) -> Floats:
    """Coefficient of variation of a month's demand: what the history says, else what the forecast does. (n,)"""
    month = daily_mean[:, :_MONTH_DAYS].mean(axis=1) * _MONTH_DAYS
    expected = np.full(len(pairs), np.nan)
    np.divide(daily_std * np.sqrt(_MONTH_DAYS), month, out=expected, where=month > 0.0)
    if outlook.variation is None:
        return expected
    seen = np.append(np.asarray(outlook.variation, dtype=float), [np.nan])[pairs["forecast_row"]]
    return np.where(np.isnan(seen), expected, seen)


def _totals(
    outlook: DemandOutlook, pairs: pd.DataFrame, daily_mean: Floats, daily_std: Floats, unusable: Flags, as_of: date
) -> Totals:
    """Quantiles of the demand of some days, by rows of `pairs`; nothing where there is no usable forecast."""
    if outlook.totals is None:
        return gamma_totals(daily_mean, daily_std)
    ask, forecast_row = outlook.totals, np.where(unusable, -1, pairs["forecast_row"].to_numpy())

    def totals(rows: NDArray[np.int64], days: Floats, levels: Floats) -> Floats:
        found = np.zeros((len(rows), len(levels)))
        known = forecast_row[rows] >= 0
        if known.any():
            found[known] = ask(as_of, forecast_row[rows[known]], days[known], levels)
        return found

    return totals


def _paths(outlook: DemandOutlook, pairs: pd.DataFrame) -> Paths | None:
    """Courses of demand by rows of `pairs`, only asked of those that have a forecast."""
    if outlook.paths is None:
        return None
    known, forecast_row = outlook.paths, pairs["forecast_row"].to_numpy()
    return lambda rows, periods, count: known(forecast_row[rows], periods, count)


def _terms(pairs: pd.DataFrame, supply: Supply, settings: PlanSettings) -> Terms:
    cost = pairs["base_rate"].where(pairs["base_rate"] > 0.0)
    cost = cost.fillna(pairs["valuation_rate"].where(pairs["valuation_rate"] > 0.0)).fillna(0.0)
    factor = pairs["conversion_factor"].where(pairs["factor_known"], 1.0).fillna(1.0)
    steps = order_steps(
        _floats(pairs, "order_multiple_qty"),
        factor.to_numpy(dtype=float),
        (pairs["uom_whole"] & pairs["factor_known"]).to_numpy(dtype=bool),
        pairs["stock_uom_whole"].to_numpy(dtype=bool),
    )
    return Terms(
        unit_cost=cost.to_numpy(dtype=float),
        selling_rate=_floats(pairs.assign(selling_rate=pairs["selling_rate"].fillna(0.0)), "selling_rate"),
        min_order_qty=_floats(pairs, "min_order_qty"),
        order_step_qty=steps,
        shelf_life_days=_floats(pairs, "shelf_life_days"),
        price_breaks=_breaks(pairs, cost.to_numpy(dtype=float), PRICE_BREAKS.check(supply.price_breaks)),
    )


def _breaks(pairs: pd.DataFrame, cost: Floats, breaks: pd.DataFrame) -> PriceBreaks | None:
    """The usual price and the lower ones for larger orders, as columns. None where nobody gives any."""
    usable = breaks[breaks["min_qty"] > 0.0]
    own = pairs[["item_code", "supplier"]].assign(row=np.arange(len(pairs)))
    named = own[own["supplier"] != ""].merge(usable, on=["item_code", "supplier"])
    general = own.merge(usable[usable["supplier"] == ""].drop(columns="supplier"), on="item_code")
    found = pd.concat([named, general], ignore_index=True)
    usual = cost[found["row"].to_numpy(dtype=int)]
    rate = found["base_rate"].fillna(usual * (1.0 - found["discount_share"])).fillna(usual - found["discount_amount"])
    found = found.assign(base_rate=rate)[(rate > 0.0) & (rate < usual)]
    found = found.sort_values(["row", "min_qty", "base_rate"], kind="stable")
    found = found.drop_duplicates(["row", "min_qty"])
    if found.empty:
        return None
    place = found.groupby("row").cumcount().to_numpy() + 1
    columns = int(place.max()) + 1
    starts, prices = np.full((len(pairs), columns), np.inf), np.repeat(cost[:, None], columns, axis=1)
    starts[:, 0] = 0.0
    starts[found["row"], place], prices[found["row"], place] = found["min_qty"], found["base_rate"]
    return PriceBreaks(starts, prices)


def _former(pairs: pd.DataFrame, supply: Supply) -> pd.DataFrame | None:
    if supply.former.empty:
        return None
    index = pd.MultiIndex.from_frame(pairs[_PAIR])
    return FORMER_LEVELS.check(supply.former).set_index(_PAIR).reindex(index).reset_index(drop=True)


def _due(
    levels: PairLevels, sight: Outlook, position: Floats, arrival_day: NDArray[np.int64]
) -> tuple[Flags, NDArray[np.int64]]:
    """Which pairs need an order now, and the first day on which their stock is too low (-1: none)."""
    laid_out = due_now(sight.below_safety_day, arrival_day, levels.due_days)
    short = position < levels.chosen.reorder_point_qty - SMALLEST_QTY
    due = np.where(levels.by_position, short, laid_out)
    last = arrival_day + levels.due_days.astype(np.int64)
    seen = (sight.below_safety_day >= 0) & (~levels.by_position | (sight.below_safety_day <= last))
    return due, np.where(levels.by_position & due & ~seen, last, sight.below_safety_day)


def _with_frozen(lines: pd.DataFrame, reckoned: _Reckoned) -> pd.DataFrame:
    """What each line's order-up-to level was made of, where the textbook's formula alone does not say it."""
    formula = ~reckoned.levels.by_position & (reckoned.levels.chosen.clamp == "") & ~reckoned.levels.kept
    rows = lines["level_row"].to_numpy(dtype=np.int64)
    policies = dict_column([{} for _row in rows])
    policies[~formula[rows]] = dict_column(frozen(reckoned.levels, rows[~formula[rows]]))
    judged = reckoned.on_paths
    at = np.full(len(formula), -1)
    at[judged.rows] = np.arange(len(judged.rows))
    chosen = np.flatnonzero(at[rows] >= 0)
    # A loop over the lines judged on paths, of which each carries its own evidence.
    policies[chosen] = dict_column([
        {**judged.orders.told(at[row]), "position_qty": float(reckoned.position_qty[row])} for row in rows[chosen]
    ])  # fmt: skip
    return lines.assign(policy=policies)


def _policies(reckoned: _Reckoned, settings: PlanSettings, as_of: date) -> pd.DataFrame:
    pairs = reckoned.pairs
    standing = Standing(
        _floats(pairs, "on_hand_qty"),
        reckoned.position_qty,
        day_dates(reckoned.sight.shortage_day, as_of),
        _floats(pairs, "valuation_rate"),
    )
    return policy_table(
        pairs,
        PairClasses(
            reckoned.abc_class, reckoned.xyz_class, reckoned.variation, _objects(pairs, "demand_class"),
            _objects(pairs, "stock_uom"),
        ),
        reckoned.lead_times,
        reckoned.observations,
        reckoned.levels,
        standing,
        settings,
    )  # fmt: skip


def _join_pairs(outlook: DemandOutlook, door: _Door, chosen: pd.DataFrame) -> pd.DataFrame:
    """Every planned pair with its position, item and chosen supplier, sorted; one row per pair.

    forecast_row: its row in the outlook, -1 for none. held: a row that it depends on was set aside at the door, so
    nothing is ordered for it. A pair whose position was set aside is left out.
    """
    index = pd.MultiIndex.from_frame(outlook.keys[_PAIR])
    positions = door.positions.rows.set_index(_PAIR)
    with_documents = pd.MultiIndex.from_frame(door.dated.rows[_PAIR]).unique()
    stocked = positions.index[(positions["on_hand_qty"] != 0.0) | positions.index.isin(with_documents)]
    every = index.union(stocked).sort_values()
    every = every[~every.isin(_named_pairs(door.positions.set_aside))]
    pairs = every.to_frame(index=False)
    at = positions.reindex(every)
    pairs["on_hand_qty"] = at["on_hand_qty"].fillna(0.0).to_numpy(dtype=float)
    pairs["valuation_rate"] = at["valuation_rate"].fillna(0.0).to_numpy(dtype=float)
    pairs["we_order"] = at["we_order"].ne(False).to_numpy()
    pairs["order_suppressed_until"] = at["order_suppressed_until"].to_numpy()
    pairs["forecast_row"] = index.get_indexer(every)
    held = every.isin(_named_pairs(door.dated.set_aside)) | pairs["item_code"].isin(_named_items(door.items.set_aside))
    pairs["held"] = np.asarray(held, dtype=bool)
    # Row -1, no forecast, falls on the value appended.
    pairs["demand_class"] = np.append(np.asarray(outlook.demand_class, dtype=object), ["No Demand"])[
        pairs["forecast_row"]
    ]
    pairs["last_year_qty"] = np.append(np.asarray(outlook.last_year_qty, dtype=float), [0.0])[pairs["forecast_row"]]
    return _with_items_and_suppliers(pairs, door.items.rows, chosen)


def _with_items_and_suppliers(pairs: pd.DataFrame, items: pd.DataFrame, chosen: pd.DataFrame) -> pd.DataFrame:
    of_item = items.set_index("item_code").reindex(pd.Index(pairs["item_code"])).reset_index(drop=True)
    pairs["stock_uom"] = of_item["stock_uom"].astype(object).where(of_item["stock_uom"].notna(), "")
    for flag in ("stock_uom_whole", "disabled", "is_purchase_item", "exists"):
        pairs[flag] = of_item[flag].eq(True)
    pairs["item_min_order_qty"] = of_item["min_order_qty"].fillna(0.0).astype(float)
    pairs["item_lead_time_days"] = of_item["lead_time_days"].astype(float)
    pairs["selling_rate"] = of_item["selling_rate"].astype(float)
    pairs["shelf_life_days"] = of_item["shelf_life_days"].where(of_item["shelf_life_days"] > 0.0).astype(float)
    pairs["item_group"] = of_item["item_group"].astype(object).where(of_item["item_group"].notna(), "")
    pairs["end_of_life"] = of_item["end_of_life"]
    choice = align_choice(chosen, pairs["item_code"])
    choice = choice.rename(columns={"min_order_qty": "supplier_min_order_qty"})
    joined = pd.concat([pairs, choice.drop(columns=["is_default", "blocked_reason"])], axis=1)
    largest = np.fmax(joined["item_min_order_qty"], joined["supplier_min_order_qty"]).fillna(0.0)
    return joined.assign(min_order_qty=largest, order_multiple_qty=joined["order_multiple_qty"].fillna(0.0))


def _named_pairs(rows: pd.DataFrame) -> pd.MultiIndex:
    return pd.MultiIndex.from_frame(rows[_PAIR].astype(object).where(rows[_PAIR].notna(), ""))


def _named_items(rows: pd.DataFrame) -> list[str]:
    return rows["item_code"].dropna().tolist()


def _expected_demand(
    outlook: DemandOutlook, pairs: pd.DataFrame, as_of: date, days: int
) -> tuple[Floats, Floats, Flags]:
    """Daily mean (n, days) and deviation (n,) of the pairs, and which forecasts are not finite (taken as none)."""
    row = pairs["forecast_row"].to_numpy()
    mean, std = np.zeros((len(pairs), days)), np.zeros(len(pairs))
    known = row >= 0
    if known.any():
        mean[known] = outlook.daily_mean(as_of, days)[row[known]]
        std[known] = outlook.daily_std()[row[known]]
    unusable = ~np.isfinite(mean).all(axis=1) | ~np.isfinite(std)
    mean[unusable], std[unusable] = 0.0, 0.0
    return np.maximum(mean, 0.0), np.maximum(std, 0.0), unusable


def _annual_money(pairs: pd.DataFrame) -> Floats:
    """Last year's demand at cost: valuation, else the supplier's price, else the selling rate. Company currency."""
    cost = pairs["valuation_rate"].where(pairs["valuation_rate"] > 0.0)
    cost = cost.fillna(pairs["base_rate"]).fillna(pairs["selling_rate"]).fillna(0.0)
    return np.asarray(pairs["last_year_qty"] * cost, dtype=float)


def _cases(reckoned: _Reckoned, settings: PlanSettings, as_of: date) -> pd.DataFrame:
    """Everything that a proposal, its evidence or a fault may name, one row per pair."""
    pairs, levels, lead_times, sight = reckoned.pairs, reckoned.levels, reckoned.lead_times, reckoned.sight
    chosen, book = levels.chosen, levels.textbook
    missing = order_need(chosen.order_up_to_qty, reckoned.position_qty)
    missing[reckoned.on_paths.rows] = reckoned.on_paths.orders.qty
    need_qty = np.where(reckoned.due, missing, 0.0)
    sells_at = _selling_rate(pairs, settings.margin_pct)
    until_next = expected_units_short(sight.end_qty, book.protection_std_qty)
    with_levels = pairs.assign(
        abc_class=reckoned.abc_class,
        lead_time_days=lead_times.days,
        lead_time_std_days=lead_times.std_days,
        lead_time_source=lead_times.source,
        lead_time_unbelievable=lead_times.unbelievable,
        review_period_days=settings.review_period_days,
        approval_days=settings.approval_days,
        level_row=np.arange(len(pairs)),
        method=chosen.method,
        service_level=levels.target,
        safety_factor=book.safety_factor,
        daily_demand_mean=book.daily_mean,
        daily_demand_std=book.daily_std,
        lead_time_demand_qty=book.lead_time_demand_qty,
        protection_days=book.protection_days,
        protection_demand_qty=book.protection_demand_qty,
        safety_stock_qty=chosen.safety_stock_qty,
        reorder_point_qty=chosen.reorder_point_qty,
        order_up_to_qty=chosen.order_up_to_qty,
        # What a chosen price break asks for as well; `supplier_minimum_qty` is what the supplier does.
        min_order_qty=np.maximum(pairs["min_order_qty"], chosen.least_order_qty),
        supplier_minimum_qty=pairs["min_order_qty"],
        annual_demand_qty=np.maximum(book.daily_mean * 365.0, pairs["last_year_qty"]),
        selling_rate=sells_at,
        need_qty=need_qty,
        position_qty=reckoned.position_qty,
        money_at_risk=np.where(need_qty > 0.0, until_next * sells_at, 0.0),
        suppressed=pairs["order_suppressed_until"] > pd.Timestamp(as_of),
        # ERPNext refuses an item on the day its life ends; orders are placed on as_of + 1.
        retired=pairs["disabled"] | (pairs["end_of_life"] <= pd.Timestamp(as_of) + pd.Timedelta(days=1)),
    )
    return _with_outlook(with_levels, sight, reckoned.below_day, reckoned.arrival_day, as_of)


def _with_outlook(
    cases: pd.DataFrame, sight: Outlook, below_day: NDArray[np.int64], arrival_day: NDArray[np.int64], as_of: date
) -> pd.DataFrame:
    return cases.assign(
        open_supply_qty=sight.supply_qty,
        draft_qty=sight.draft_qty,
        firm_demand_qty=sight.firm_qty,
        overdue_and_other_demand_qty=sight.on_top_qty,
        above_forecast_qty=sight.above_forecast_qty,
        below_safety_day=below_day,
        arrival_day=arrival_day,
        arrival_on=day_dates(arrival_day, as_of),
        order_by=day_dates(np.maximum(below_day - arrival_day, 0), as_of),
        short_before_qty=sight.short_before_arrival_qty,
        short_first_day=sight.short_first_day,
        short_on=day_dates(sight.short_first_day, as_of),
        short_later_qty=sight.short_later_qty,
        short_later_on=day_dates(sight.short_later_day, as_of),
    )


def _selling_rate(pairs: pd.DataFrame, margin_pct: float) -> pd.Series:
    """What a unit short would have brought: selling rate, else cost and margin, else nothing. Company currency."""
    cost = pairs["valuation_rate"].where(pairs["valuation_rate"] > 0.0).fillna(pairs["base_rate"])
    rate = pairs["selling_rate"].where(pairs["selling_rate"] > 0.0)
    return rate.fillna(cost * (1.0 + margin_pct / 100.0)).fillna(0.0)


def _no_lot_faults(no_lot: pd.DataFrame) -> list[Fault]:
    values = ("uom", "conversion_factor", "order_multiple_qty", "supplier")
    return item_faults("No UOM Conversion", sentences.NO_LOT, no_lot, values)


def _orderable(cases: pd.DataFrame, rated: pd.DataFrame, chosen: pd.DataFrame) -> tuple[pd.DataFrame, list[Fault]]:
    """The needs that may be ordered, and one fault per item for those that may not."""
    needed = cases[(cases["need_qty"] > 0.0) & cases["we_order"] & ~cases["suppressed"] & ~cases["held"]]
    missing = ~needed["exists"]
    retired = ~missing & needed["retired"]
    not_bought = ~missing & ~retired & ~needed["is_purchase_item"]
    wanted = needed[~(missing | retired | not_bought)]
    blocked = blocked_items(rated, chosen)
    barred = wanted[wanted["item_code"].isin(blocked.index)]
    barred = barred.assign(
        supplier=barred["item_code"].map(blocked["supplier"]), reason=barred["item_code"].map(blocked["blocked_reason"])
    )
    without = wanted[(wanted["supplier"] == "") & ~wanted["item_code"].isin(blocked.index)]
    supplied = wanted[wanted["supplier"] != ""]
    faults = [
        *item_faults("Bad Data", sentences.ITEM_MISSING, needed[missing]),
        *item_faults("Item Disabled", sentences.ITEM_DISABLED, needed[retired]),
        *item_faults("Not Planned", sentences.NOT_PURCHASED, needed[not_bought]),
        *item_faults("No Supplier", sentences.NO_SUPPLIER, without),
        *item_faults("Supplier Blocked", sentences.ALL_BLOCKED, barred, ("supplier", "reason")),
        *item_faults(
            "No UOM Conversion", sentences.NO_FACTOR, supplied[~supplied["factor_known"]], ("supplier", "uom")
        ),
    ]
    return supplied[supplied["factor_known"]], faults


def _line_faults(lines: pd.DataFrame) -> list[Fault]:
    """What a buyer has to know about lines that are proposed all the same."""
    above_year = lines["supplier_minimum_qty"] > np.maximum(lines["annual_demand_qty"], lines["need_qty"])
    return [
        *item_faults(
            "Supplier Blocked",
            sentences.REPLACED,
            lines[lines["replaces"] != ""],
            ("replaces", "replaces_reason", "supplier"),
        ),
        *item_faults("No Price", sentences.NO_PRICE, lines[~lines["price_known"]], ("supplier",)),
        *item_faults(
            "No Price",
            sentences.NO_EXCHANGE_RATE,
            lines[lines["price_known"] & ~lines["exchange_known"]],
            ("supplier", "currency"),
        ),
        *pair_faults(
            "MOQ Above Need",
            sentences.MOQ_ABOVE_NEED,
            lines.assign(min_order_qty=lines["supplier_minimum_qty"])[above_year],
            ("min_order_qty", "annual_demand_qty", "need_qty", "stock_uom", "supplier"),
        ),
    ]


def _standing_faults(cases: pd.DataFrame, unusable: Flags) -> list[Fault]:
    """What is wrong with a pair or item whether or not anything is ordered."""
    active = (cases["daily_demand_mean"] > 0.0) | (cases["need_qty"] > 0.0)
    active &= cases["exists"] & ~cases["retired"] & cases["is_purchase_item"]
    plain = cases.assign(money_at_risk=0.0, order_by=pd.Series(pd.NaT, index=cases.index, dtype="datetime64[ns]"))
    return [
        *pair_faults("Bad Data", sentences.BAD_FORECAST, plain[unusable], ()),
        *pair_faults("Negative Stock", sentences.NEGATIVE_STOCK, plain[plain["on_hand_qty"] < 0.0], ("on_hand_qty",)),
        *item_faults(
            "No Lead Time",
            sentences.NO_LEAD_TIME,
            plain[active & (plain["lead_time_source"] == "settings")],
            ("lead_time_days",),
        ),
        *item_faults(
            "Bad Data", sentences.BAD_LEAD_TIME, plain[active & plain["lead_time_unbelievable"]], ("lead_time_days",)
        ),
    ]


def _shortage_faults(cases: pd.DataFrame, proposals: pd.DataFrame) -> list[Fault]:
    """Stock that really runs out before anything ordered now can arrive, or before open supply does."""
    proposed = pd.MultiIndex.from_frame(cases[_PAIR]).isin(pd.MultiIndex.from_frame(proposals[_PAIR]))
    # Half a piece missing on average is no shortage that anybody could see.
    visible = np.where(cases["stock_uom_whole"], _VISIBLE_SHARE_OF_A_PIECE, SMALLEST_QTY)
    short = cases["short_before_qty"] > visible
    too_late = cases[proposed & short].assign(
        days_lost=lambda c: (c["arrival_day"] - c["short_first_day"]).astype(float),
        units_short=lambda c: c["short_before_qty"],
        money_at_risk=lambda c: c["short_before_qty"] * c["selling_rate"],
    )
    dips = short | (cases["short_later_qty"] > visible)
    covered = cases[~proposed & dips & (cases["need_qty"] <= 0.0) & cases["we_order"] & ~cases["held"]]
    covered = covered.assign(
        short_on=covered["short_on"].fillna(covered["short_later_on"]),
        units_short=np.maximum(covered["short_before_qty"], covered["short_later_qty"]),
    )
    covered = covered.assign(
        money_at_risk=covered["units_short"] * covered["selling_rate"], order_by=covered["short_on"]
    )
    by_a_day = too_late["days_lost"] == 1.0
    values = ("short_on", "days_lost", "arrival_on", "units_short", "stock_uom", "supplier")
    return [
        *pair_faults("Unavoidable Shortage", sentences.SHORTAGE, too_late[~by_a_day], values),
        *pair_faults("Unavoidable Shortage", sentences.SHORTAGE_OF_A_DAY, too_late[by_a_day], values),
        *pair_faults(
            "Unavoidable Shortage", sentences.SUPPLY_TOO_LATE, covered, ("short_on", "units_short", "stock_uom")
        ),
    ]


def _floats(frame: pd.DataFrame, column: str) -> Floats:
    return frame[column].to_numpy(dtype=float)


def _objects(frame: pd.DataFrame, column: str) -> NDArray[np.object_]:
    return frame[column].to_numpy(dtype=object)
