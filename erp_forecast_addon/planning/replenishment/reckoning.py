"""Levels, position in time and need of every pair, on which orders are decided."""

from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from erp_forecast_addon.planning.errors import Fault
from erp_forecast_addon.planning.inventory.classes import xyz_classes
from erp_forecast_addon.planning.inventory.judged_orders import JudgedOrders, judge_on_paths
from erp_forecast_addon.planning.inventory.lead_time import LeadTimes
from erp_forecast_addon.planning.inventory.levels import service_levels
from erp_forecast_addon.planning.inventory.occasional import Prior
from erp_forecast_addon.planning.inventory.pair_levels import (
    PairLevels,
    Path,
    Terms,
    days_needed,
    order_nodes,
    set_pair_levels,
)
from erp_forecast_addon.planning.inventory.rules import Rules, apply_rules, check_rules
from erp_forecast_addon.planning.inventory.safety_stock import safety_factor
from erp_forecast_addon.planning.progress import Stages
from erp_forecast_addon.planning.purchasing import alternatives
from erp_forecast_addon.planning.purchasing.lots import SMALLEST_QTY, order_steps, whole_days_up
from erp_forecast_addon.planning.purchasing.network import Edges, Sources, edges_of, sources_of
from erp_forecast_addon.planning.purchasing.position import Netting, Outlook, forecast_that_counts, lay_out, put_off_qty
from erp_forecast_addon.planning.purchasing.price_breaks import pair_breaks
from erp_forecast_addon.planning.purchasing.requirements import Lending, Requirements, Shelves, requirements
from erp_forecast_addon.planning.purchasing.transfers import buying_cost
from erp_forecast_addon.planning.replenishment.occasions import occasional_pairs
from erp_forecast_addon.planning.replenishment.outlook import (
    DemandOutlook,
    abc_of,
    expected_demand,
    long_run_daily,
    pair_paths,
    pair_totals,
    variation_of,
)
from erp_forecast_addon.planning.replenishment.pairs import floats, items_made_here, objects, planned_pairs, unit_cost
from erp_forecast_addon.planning.replenishment.supply import Door, Supply
from erp_forecast_addon.planning.replenishment.timing import Timing, pair_timing
from erp_forecast_addon.planning.settings import PlanSettings
from erp_forecast_addon.planning.tables import FORMER_LEVELS, PRICE_BREAKS, REFUSED_REQUESTS, TRANSFER

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
_PAIR = ["item_code", "warehouse"]
_PRODUCTION_KINDS = ("production", "production_plan")


@dataclass(frozen=True)
class Reckoned:
    """Everything that is computed for every pair, (n,) in the order of `pairs`.

    unusable: the forecast is not finite; arrival_day: index of the day on which an order of today arrives; found: where
    every pair stands and what it needs; buying_costs: (k,) what its moves save; put_off_qty: on order and agreed for a
    day in time, but expected later.
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
    found: Requirements
    edges: Edges
    sources: Sources
    buying_costs: Floats
    rule_faults: list[Fault]
    on_paths: JudgedOrders
    timing: Timing
    put_off_qty: Floats

    @property
    def sight(self) -> Outlook:
        return self.found.look.sight

    @property
    def position_qty(self) -> Floats:
        return self.found.look.position_qty

    @property
    def due(self) -> Flags:
        return self.found.look.due

    @property
    def below_day(self) -> NDArray[np.int64]:
        return self.found.look.below_day


@dataclass(frozen=True)
class LevelsOf:
    """The levels of some pairs. keys: (n,) item_code, warehouse; xyz_class, lead_times as they were made of."""

    keys: pd.MultiIndex
    levels: PairLevels

    @property
    def prior(self) -> Prior | None:
        """What the pairs told of items asked for now and then; None where no levels are made of it."""
        return None if self.levels.occasional is None else self.levels.occasional.prior


def reckon(
    outlook: DemandOutlook,
    door: Door,
    chosen: pd.DataFrame,
    supply: Supply,
    settings: PlanSettings,
    as_of: date,
    made: LevelsOf | None,
    rated: pd.DataFrame,
    told: Stages,
) -> Reckoned:
    sources = sources_of(supply.network)
    pairs = planned_pairs(outlook, door, chosen, sources, settings)
    abc = abc_of(outlook, pairs, settings)
    pairs = _with_cheaper_suppliers(pairs, rated, outlook, abc, settings, as_of)
    on_hand = floats(pairs, "on_hand_qty")
    timing = pair_timing(pairs, supply, settings, as_of)
    nodes = order_nodes(timing.probability, timing.approval.probability)
    ahead = int(np.ceil(timing.approval.mean_days)) + 1
    cycle = settings.review_period_days + (ahead if settings.review == "Periodic" else 0)
    window_days = timing.arrival_day + max(cycle, settings.approval_days + 1, ahead) + timing.missed_days
    days = max(int(window_days.max(initial=0)) + 1, settings.horizon_days, days_needed(nodes, settings))
    daily_mean, daily_std, unusable = expected_demand(outlook, pairs, as_of, days)
    variation = variation_of(outlook, pairs, daily_mean, daily_std)
    xyz = xyz_classes(variation, settings.xyz_thresholds)
    rules, rule_faults = check_rules(supply.rules.rules)
    if made is not None and made.keys.equals(pd.MultiIndex.from_frame(pairs[_PAIR])):
        levels = made.levels
    else:
        said = apply_rules(
            Rules(rules, supply.rules.item_groups),
            objects(pairs, "item_code"),
            objects(pairs, "warehouse"),
            objects(pairs, "item_group"),
            abc,
            xyz,
        )
        levels = set_pair_levels(
            Path(
                daily_mean,
                daily_std,
                pair_totals(outlook, pairs, daily_mean, daily_std, unusable, as_of),
                pair_paths(outlook, pairs),
                outlook.period_days,
                long_run_daily(outlook, pairs, unusable, as_of),
            ),
            nodes,
            timing.lead_times,
            timing.lead_days,
            timing.approval.mean_days,
            _terms(pairs, supply, settings),
            said,
            service_levels(abc, settings.service_level_by_class, settings.company),
            _former(pairs, supply),
            settings,
            occasional_pairs(outlook, pairs, unusable, rules, said, settings),
            told,
        )
    shelves = _shelves(pairs, door, levels, daily_mean, timing, window_days, settings, as_of)
    edges = edges_of(pairs, sources, items_made_here(door.items.rows, sources))
    lending = _lending(pairs, supply, sources, settings, levels)
    found = _require(pairs, door, shelves, edges, lending, settings, as_of)
    look = found.look
    judged = judge_on_paths(
        outlook.paths,
        outlook.period_days,
        np.flatnonzero(look.due & (pairs["forecast_row"].to_numpy() >= 0) & ~unusable),
        pairs["forecast_row"].to_numpy(),
        on_hand - look.sight.above_forecast_qty,
        found.shelves.flows.supply + found.shelves.flows.drafts,
        timing.arrival_day + ahead - 1,
        levels,
        settings,
    )
    held = pairs.assign(held=pairs["held"] | unusable)
    return Reckoned(
        held, unusable, abc, xyz, variation, timing.lead_times, timing.observations, levels, timing.arrival_day, found,
        edges, sources, _moves_cost(found, pairs, levels, settings), rule_faults, judged, timing,
        put_off_qty(door.dated.rows, pd.MultiIndex.from_frame(pairs[_PAIR]), as_of, window_days),
    )  # fmt: skip


def _shelves(
    pairs: pd.DataFrame,
    door: Door,
    levels: PairLevels,
    daily_mean: Floats,
    timing: Timing,
    window_days: NDArray[np.int64],
    settings: PlanSettings,
    as_of: date,
) -> Shelves:
    whole = pairs["stock_uom_whole"].to_numpy(dtype=bool)
    flows = lay_out(
        door.dated.rows, pd.MultiIndex.from_frame(pairs[_PAIR]), as_of, daily_mean.shape[1], settings.forecast_kinds
    )
    return Shelves(
        on_hand=floats(pairs, "on_hand_qty"),
        reserved=floats(pairs, "reserved_stock_qty"),
        forecast=daily_mean,
        counted=daily_mean,
        flows=flows,
        trigger_qty=levels.trigger_qty,
        order_up_to_qty=levels.chosen.order_up_to_qty,
        reorder_point_qty=levels.chosen.reorder_point_qty,
        # Where a supplier takes orders on some days only, what would be due before the chance after the next one is due
        # on the next.
        due_days=levels.due_days + timing.missed_days,
        falls_qty=levels.textbook.daily_mean * (timing.shift_days + timing.missed_days),
        may_order=timing.may_order(settings),
        by_position=levels.by_position,
        arrival_day=timing.arrival_day,
        window_days=window_days,
        step_qty=np.where(whole, 1.0, 0.0),
        whole=whole,
    )


def netting_of(settings: PlanSettings) -> Netting:
    return Netting(settings.consume_back_days, settings.consume_forward_days, settings.demand_fence_days)


def taken_by_production(dated: pd.DataFrame, index: pd.MultiIndex, settings: PlanSettings) -> Flags:
    """(n,) pairs of `index` that work in progress takes from, where the forecast contains such demand. dated: DATED."""
    if "production" not in settings.forecast_kinds:
        return np.zeros(len(index), dtype=bool)
    in_work = dated[dated["kind"].isin(_PRODUCTION_KINDS)]
    return np.asarray(index.isin(pd.MultiIndex.from_frame(in_work[_PAIR])), dtype=bool)


def _require(
    pairs: pd.DataFrame,
    door: Door,
    shelves: Shelves,
    edges: Edges,
    lending: Lending | None,
    settings: PlanSettings,
    as_of: date,
) -> Requirements:
    """What every pair needs with everything that others ask of it, the forecast netted as the settings say."""
    netting = netting_of(settings)
    contained = "production" in settings.forecast_kinds
    index = pd.MultiIndex.from_frame(pairs[_PAIR])
    replaced = taken_by_production(door.dated.rows, index, settings)
    if contained:
        replaced[edges.asked[edges.is_bom]] = True
    counted = forecast_that_counts(shelves.forecast, netting, replaced, settings.production_horizon_days)
    asked = door.dated.rows[door.dated.rows["kind"] == "manufacture_request"]
    in_production = lay_out(asked, index, as_of, shelves.days).supply if len(asked) and len(edges.asking) else None
    return requirements(replace(shelves, counted=counted), edges, in_production, netting, not contained, lending)


def _lending(
    pairs: pd.DataFrame, supply: Supply, sources: Sources, settings: PlanSettings, levels: PairLevels
) -> Lending | None:
    """Who may help whom out; None where no two warehouses of a planning group hold the same item."""
    group = pairs["warehouse"].map(sources.group)
    grouped = pairs["item_code"].where(group.notna())
    codes = pd.factorize(pd.MultiIndex.from_arrays([grouped, group]))[0] if group.notna().any() else np.zeros(0)
    if not len(codes):
        return None
    numbered: NDArray[np.int64] = np.where(group.notna(), codes, -1).astype(np.int64)
    refused = REFUSED_REQUESTS.check(supply.network.refused)
    refused = refused[refused["request_type"] == TRANSFER]
    may = pairs["we_order"] & ~pairs["held"] & pairs["exists"] & ~pairs["disabled"]
    may_take = may & pairs["order_suppressed_until"].isna()
    may_take &= ~pd.MultiIndex.from_frame(pairs[_PAIR]).isin(pd.MultiIndex.from_frame(refused[_PAIR]))

    def pays(giver: NDArray[np.int64], taker: NDArray[np.int64], qty: Floats) -> Flags:
        return _saved(giver, taker, qty, pairs, levels, settings) >= settings.transfer_cost

    return Lending(numbered, may_take.to_numpy(bool), (~pairs["held"]).to_numpy(bool), _move_days(settings), pays)


def _move_days(settings: PlanSettings) -> int:
    return int(whole_days_up(np.array([settings.transfer_days]))[0])


def _saved(
    giver: NDArray[np.int64],
    taker: NDArray[np.int64],
    qty: Floats,
    pairs: pd.DataFrame,
    levels: PairLevels,
    settings: PlanSettings,
) -> Floats:
    cost = unit_cost(pairs).to_numpy(dtype=float)
    daily = levels.textbook.daily_mean
    return buying_cost(qty, cost[taker], daily[giver], settings.order_cost, settings.holding_rate_per_year)


def _moves_cost(found: Requirements, pairs: pd.DataFrame, levels: PairLevels, settings: PlanSettings) -> Floats:
    moves = found.moves
    if not len(moves.qty):
        return np.zeros(0)
    return _saved(moves.giver, moves.taker, moves.qty, pairs, levels, settings)


def _with_cheaper_suppliers(
    pairs: pd.DataFrame,
    rated: pd.DataFrame,
    outlook: DemandOutlook,
    abc: NDArray[np.object_],
    settings: PlanSettings,
    as_of: date,
) -> pd.DataFrame:
    """Where the settings say so, the supplier of least total cost in the usual one's place: lead time, lots and levels
    of the pair are then his."""
    if settings.alternative_suppliers != "Take":
        return pairs
    days = max(settings.horizon_days, 1)
    mean, std, _unusable = expected_demand(outlook, pairs, as_of, days)
    daily = mean.mean(axis=1)
    trade = alternatives.Trade(
        daily_mean=daily,
        daily_std=std,
        order_qty=np.maximum(daily * max(settings.review_period_days, 1), SMALLEST_QTY),
        factor=safety_factor(service_levels(abc, settings.service_level_by_class, settings.company)),
        margin=np.zeros(len(pairs)),
        item_min_order_qty=floats(pairs, "item_min_order_qty"),
        stock_uom_whole=pairs["stock_uom_whole"].to_numpy(dtype=bool),
        item_lead_days=floats(pairs, "item_lead_time_days"),
        default_lead_days=settings.default_lead_time_days,
    )
    found = alternatives.options(pairs, rated, trade, settings)
    place, saved = alternatives.cheaper_suppliers(found, len(pairs), settings)
    own = (pairs["supplied_by"] != "") | pairs["is_made"]  # what is not bought has no cheaper supplier
    at = np.flatnonzero((place >= 0) & ~own)
    if not len(at):
        return pairs
    taken, pairs = found.iloc[place[at]], pairs.copy()
    pairs.loc[at, "saved_share"] = saved[at]
    for name in (*alternatives.TAKEN_OVER, *alternatives.LEAD_TIME):
        pairs.loc[at, name] = taken[name].to_numpy()
    pairs.loc[at, "min_order_qty"] = np.maximum(
        floats(pairs, "item_min_order_qty")[at], taken["min_order_qty"].to_numpy(dtype=float)
    )
    return pairs


def _terms(pairs: pd.DataFrame, supply: Supply, settings: PlanSettings) -> Terms:
    cost = unit_cost(pairs)
    factor = pairs["conversion_factor"].where(pairs["factor_known"], 1.0).fillna(1.0)
    steps = order_steps(
        floats(pairs, "order_multiple_qty"),
        factor.to_numpy(dtype=float),
        (pairs["uom_whole"] & pairs["factor_known"]).to_numpy(dtype=bool),
        pairs["stock_uom_whole"].to_numpy(dtype=bool),
    )
    return Terms(
        unit_cost=cost.to_numpy(dtype=float),
        selling_rate=floats(pairs.assign(selling_rate=pairs["selling_rate"].fillna(0.0)), "selling_rate"),
        min_order_qty=floats(pairs, "min_order_qty"),
        order_step_qty=steps,
        shelf_life_days=floats(pairs, "shelf_life_days"),
        price_breaks=pair_breaks(pairs, cost.to_numpy(dtype=float), PRICE_BREAKS.check(supply.price_breaks)),
    )


def _former(pairs: pd.DataFrame, supply: Supply) -> pd.DataFrame | None:
    if supply.former.empty:
        return None
    index = pd.MultiIndex.from_frame(pairs[_PAIR])
    return FORMER_LEVELS.check(supply.former).set_index(_PAIR).reindex(index).reset_index(drop=True)
