"""From a demand outlook and what stands on the shelves to levels, proposals and faults: everything after the forecast.

Kept apart from plan.py so that it runs on any demand outlook: a forecast, an override, a simulation, a test's numbers.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
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
from erp_forecast_addon.planning.inventory.safety_stock import expected_units_short, safety_factor
from erp_forecast_addon.planning.purchasing import alternatives
from erp_forecast_addon.planning.purchasing import faults as sentences
from erp_forecast_addon.planning.purchasing.budget import limits_of
from erp_forecast_addon.planning.purchasing.faults import item_faults, pair_faults
from erp_forecast_addon.planning.purchasing.joint_orders import needs_filling
from erp_forecast_addon.planning.purchasing.lots import SMALLEST_QTY, order_steps, whole_days_up
from erp_forecast_addon.planning.purchasing.need import order_need
from erp_forecast_addon.planning.purchasing.network import (
    Edges,
    Network,
    Sources,
    edges_of,
    sources_of,
    with_asked_pairs,
)
from erp_forecast_addon.planning.purchasing.order_days import CALENDAR_DAYS, OrderDays, OrderTerms, order_days
from erp_forecast_addon.planning.purchasing.order_lines import Offered, calendar_faults, order_lines
from erp_forecast_addon.planning.purchasing.position import Netting, Outlook, forecast_that_counts, lay_out
from erp_forecast_addon.planning.purchasing.price_breaks import pair_breaks
from erp_forecast_addon.planning.purchasing.proposals import day_dates
from erp_forecast_addon.planning.purchasing.requests import request_within
from erp_forecast_addon.planning.purchasing.requirements import Lending, Requirements, Shelves, requirements
from erp_forecast_addon.planning.purchasing.suppliers import (
    align_choice,
    blocked_items,
    choose_suppliers,
    rate_sourcing,
)
from erp_forecast_addon.planning.purchasing.transfers import buying_cost
from erp_forecast_addon.planning.settings import PlanSettings
from erp_forecast_addon.planning.tables import (
    COMMITTED,
    DATED,
    FORMER_LEVELS,
    ITEMS,
    POSITIONS,
    PRICE_BREAKS,
    REFUSED_REQUESTS,
    REQUESTS,
    SOURCING,
    TRANSFER,
)
from erp_forecast_addon.planning.wording import dict_column

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

_PAIR = ["item_code", "warehouse"]
_VISIBLE_SHARE_OF_A_PIECE = 0.5
_MONTH_DAYS = 28
_PRODUCTION_KINDS = ("production", "production_plan")


@dataclass(frozen=True)
class Supply:
    """dated: table DATED; items: table ITEMS; sourcing: table SOURCING, whose lead_time_row points into lead_times;
    approval: how long drafts wait, None: as the settings say; rules: what planners have said about policies; former:
    table FORMER_LEVELS, the levels that stand; price_breaks: table PRICE_BREAKS; terms: what suppliers ask of whole
    orders; committed: table COMMITTED; network: who supplies whom within the company, and what is made of what.
    """

    dated: pd.DataFrame
    items: pd.DataFrame
    sourcing: pd.DataFrame
    lead_times: LeadTimeDistributions = field(default_factory=LeadTimeDistributions.none)
    approval: ApprovalTime | None = None
    rules: Rules = field(default_factory=Rules)
    former: pd.DataFrame = field(default_factory=FORMER_LEVELS.empty)
    price_breaks: pd.DataFrame = field(default_factory=PRICE_BREAKS.empty)
    terms: OrderTerms = field(default_factory=OrderTerms)
    committed: pd.DataFrame = field(default_factory=COMMITTED.empty)
    network: Network = field(default_factory=Network)


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
    """policies: POLICIES; proposals: PROPOSALS; faults: in a fixed order; levels: what `standing` need not do again;
    requests: REQUESTS, what is asked for within the company instead of being bought."""

    policies: pd.DataFrame
    proposals: pd.DataFrame
    faults: list[Fault]
    levels: "LevelsOf"
    requests: pd.DataFrame = field(default_factory=REQUESTS.empty)


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
    outlook: DemandOutlook,
    positions: pd.DataFrame,
    supply: Supply,
    settings: PlanSettings,
    as_of: date,
    made: "LevelsOf | None" = None,
) -> Replenishment:
    """Levels and proposals for every pair of `outlook` and `positions`; see plan.plan for what is planned.

    made: levels that are ready, of the same pairs: they are taken over and only orders are reckoned. Raises BadInput
    where a table as a whole is unusable; single bad rows are set aside, and pairs and items that depend on them are not
    ordered.
    """
    door = _at_the_door(positions, supply)
    rated = rate_sourcing(door.sourcing.rows, door.items.rows, settings.currency)
    chosen = choose_suppliers(rated)
    reckoned = _reckon(outlook, door, chosen, supply, settings, as_of, made, rated)
    cases = _cases(reckoned, settings, as_of)
    requested = request_within(
        cases, reckoned.found, reckoned.edges, REFUSED_REQUESTS.check(supply.network.refused), settings, as_of,
        reckoned.buying_costs,
    )  # fmt: skip
    orderable, order_faults = _orderable(requested.to_buy, rated, chosen)
    given = Offered(
        rated,
        PRICE_BREAKS.check(supply.price_breaks),
        supply.terms,
        limits_of(settings, supply.committed),
        settings,
        as_of,
    )
    soon = _due_soon(requested.to_buy, supply.terms, settings)
    proposed = order_lines(_with_frozen(orderable, reckoned), _with_frozen(soon, reckoned), given)
    faults = [
        *door.faults,
        *reckoned.rule_faults,
        *reckoned.sources.faults,
        *requested.faults,
        *_standing_faults(cases, reckoned.unusable),
        *policy_faults(cases, reckoned.levels),
        *order_faults,
        *_no_lot_faults(proposed.no_lot),
        *_line_faults(proposed.lines),
        *proposed.faults,
        *calendar_faults(given),
        *_shortage_faults(cases, proposed.table, requested.table),
    ]
    levels = LevelsOf(pd.MultiIndex.from_frame(reckoned.pairs[_PAIR]), reckoned.levels)
    return Replenishment(_policies(reckoned, settings, as_of), proposed.table, faults, levels, requested.table)


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
    rated = rate_sourcing(door.sourcing.rows, door.items.rows, settings.currency)
    chosen = choose_suppliers(rated)
    return _policies(_reckon(outlook, door, chosen, supply, settings, as_of, made, rated), settings, as_of)


@dataclass(frozen=True)
class _Reckoned:
    """Everything that is computed for every pair, (n,) in the order of `pairs`.

    unusable: the forecast is not finite; arrival_day: index of the day on which an order of today arrives; found: where
    every pair stands and what it needs; buying_costs: (k,) what its moves save.
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
    timing: "_Timing"

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
class _Timing:
    """When goods arrive: of every pair the lead time, its distribution, and whole days until an order of today.

    days: the supplier's calendar; lead_days: whole days of the lead time; arrival_day: when an order arrives that
    leaves on his next order day."""

    lead_times: LeadTimes
    probability: Floats
    observations: Floats
    days: OrderDays
    lead_days: NDArray[np.int64]
    arrival_day: NDArray[np.int64]
    approval: ApprovalTime

    @property
    def shift_days(self) -> NDArray[np.int64]:
        """Days that his calendar adds to the lead time of an order."""
        return self.arrival_day - self.lead_days

    @property
    def missed_days(self) -> NDArray[np.int64]:
        """Days until the chance after the next one to order, less the day that every plan looks ahead anyway."""
        return self.days.gap - 1


def _reckon(
    outlook: DemandOutlook,
    door: _Door,
    chosen: pd.DataFrame,
    supply: Supply,
    settings: PlanSettings,
    as_of: date,
    made: LevelsOf | None = None,
    rated: pd.DataFrame | None = None,
) -> _Reckoned:
    sources = sources_of(supply.network)
    pairs = _join_pairs(outlook, door, chosen, sources, settings)
    abc = _abc(outlook, pairs, settings)
    if rated is not None:
        pairs = _with_cheaper_suppliers(pairs, rated, outlook, abc, settings, as_of)
    on_hand = _floats(pairs, "on_hand_qty")
    timing = _timing(pairs, supply, settings, as_of)
    nodes = order_nodes(timing.probability, timing.approval.probability)
    ahead = int(np.ceil(timing.approval.mean_days)) + 1
    cycle = settings.review_period_days + (ahead if settings.review == "Periodic" else 0)
    window_days = timing.arrival_day + max(cycle, settings.approval_days + 1, ahead) + timing.missed_days
    days = max(int(window_days.max(initial=0)) + 1, settings.horizon_days, days_needed(nodes, settings))
    daily_mean, daily_std, unusable = _expected_demand(outlook, pairs, as_of, days)
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
                daily_mean,
                daily_std,
                _totals(outlook, pairs, daily_mean, daily_std, unusable, as_of),
                _paths(outlook, pairs),
                outlook.period_days,
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
        )
    shelves = _shelves(pairs, door, levels, daily_mean, timing, window_days, settings, as_of)
    edges = edges_of(pairs, sources, _made_items(door.items.rows, sources))
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
    return _Reckoned(
        held, unusable, abc, xyz, variation, timing.lead_times, timing.observations, levels, timing.arrival_day, found,
        edges, sources, _moves_cost(found, pairs, levels, settings), rule_faults, judged, timing,
    )  # fmt: skip


def _shelves(
    pairs: pd.DataFrame,
    door: _Door,
    levels: PairLevels,
    daily_mean: Floats,
    timing: _Timing,
    window_days: NDArray[np.int64],
    settings: PlanSettings,
    as_of: date,
) -> Shelves:
    whole = pairs["stock_uom_whole"].to_numpy(dtype=bool)
    flows = lay_out(
        door.dated.rows, pd.MultiIndex.from_frame(pairs[_PAIR]), as_of, daily_mean.shape[1], settings.forecast_kinds
    )
    return Shelves(
        on_hand=_floats(pairs, "on_hand_qty"),
        reserved=_floats(pairs, "reserved_stock_qty"),
        forecast=daily_mean,
        counted=daily_mean,
        flows=flows,
        trigger_qty=levels.trigger_qty,
        order_up_to_qty=levels.chosen.order_up_to_qty,
        reorder_point_qty=levels.chosen.reorder_point_qty,
        # Where a supplier takes orders on some days only, what would be due before the chance after the next one is due
        # on the next; a draft for an order day further away than drafts are made ahead is left to a later plan.
        due_days=levels.due_days + timing.missed_days,
        falls_qty=levels.textbook.daily_mean * (timing.shift_days + timing.missed_days),
        may_order=(timing.days.first <= settings.approval_days) | (timing.days.row == 0),
        by_position=levels.by_position,
        arrival_day=timing.arrival_day,
        window_days=window_days,
        step_qty=np.where(whole, 1.0, 0.0),
        whole=whole,
    )


def _require(
    pairs: pd.DataFrame,
    door: _Door,
    shelves: Shelves,
    edges: Edges,
    lending: Lending | None,
    settings: PlanSettings,
    as_of: date,
) -> Requirements:
    """What every pair needs with everything that others ask of it, the forecast netted as the settings say."""
    netting = Netting(settings.consume_back_days, settings.consume_forward_days, settings.demand_fence_days)
    contained = "production" in settings.forecast_kinds
    index = pd.MultiIndex.from_frame(pairs[_PAIR])
    replaced = np.zeros(len(pairs), dtype=bool)
    if contained:
        replaced[edges.asked[edges.is_bom]] = True
        in_work = door.dated.rows[door.dated.rows["kind"].isin(_PRODUCTION_KINDS)]
        replaced |= index.isin(pd.MultiIndex.from_frame(in_work[_PAIR]))
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
    cost = _unit_cost(pairs).to_numpy(dtype=float)
    daily = levels.textbook.daily_mean
    return buying_cost(qty, cost[taker], daily[giver], settings.order_cost, settings.holding_rate_per_year)


def _moves_cost(found: Requirements, pairs: pd.DataFrame, levels: PairLevels, settings: PlanSettings) -> Floats:
    moves = found.moves
    if not len(moves.qty):
        return np.zeros(0)
    return _saved(moves.giver, moves.taker, moves.qty, pairs, levels, settings)


def _made_items(items: pd.DataFrame, sources: Sources) -> pd.Index:
    """Items that production is asked for: marked so, and with a bill of materials."""
    made = items.loc[items["is_made_here"], "item_code"]
    return pd.Index(made[made.isin(sources.boms["item_code"])])


def _timing(pairs: pd.DataFrame, supply: Supply, settings: PlanSettings, as_of: date) -> _Timing:
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
    lead_days = whole_days_up(lead_times.days)
    days = order_days(supply.terms, keys[0], as_of, int(lead_days.max(initial=0)) + CALENDAR_DAYS)
    return _Timing(lead_times, probability, seen, days, lead_days, days.arrival(lead_days), approval)


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
    mean, std, _unusable = _expected_demand(outlook, pairs, as_of, days)
    daily = mean.mean(axis=1)
    trade = alternatives.Trade(
        daily_mean=daily,
        daily_std=std,
        order_qty=np.maximum(daily * max(settings.review_period_days, 1), SMALLEST_QTY),
        factor=safety_factor(service_levels(abc, settings.service_level_by_class, settings.company)),
        margin=np.zeros(len(pairs)),
        item_min_order_qty=_floats(pairs, "item_min_order_qty"),
        stock_uom_whole=pairs["stock_uom_whole"].to_numpy(dtype=bool),
        item_lead_days=_floats(pairs, "item_lead_time_days"),
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
        _floats(pairs, "item_min_order_qty")[at], taken["min_order_qty"].to_numpy(dtype=float)
    )
    return pairs


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
    cost = _unit_cost(pairs)
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
        price_breaks=pair_breaks(pairs, cost.to_numpy(dtype=float), PRICE_BREAKS.check(supply.price_breaks)),
    )


def _former(pairs: pd.DataFrame, supply: Supply) -> pd.DataFrame | None:
    if supply.former.empty:
        return None
    index = pd.MultiIndex.from_frame(pairs[_PAIR])
    return FORMER_LEVELS.check(supply.former).set_index(_PAIR).reindex(index).reset_index(drop=True)


def _due_in_days(reckoned: _Reckoned, wanted: Floats, position: Floats) -> Floats:
    """(n,) days until an order is due if demand comes as expected: 0 now, inf where stock does not fall."""
    levels, timing = reckoned.levels, reckoned.timing
    daily = levels.textbook.daily_mean
    covered = timing.lead_days + levels.due_days
    acts_at = np.where(
        levels.by_position, levels.chosen.reorder_point_qty, levels.chosen.safety_stock_qty + daily * covered
    )
    fallen = position - daily * (timing.shift_days + timing.missed_days)
    falls = daily > SMALLEST_QTY
    days = np.divide(fallen - acts_at, daily, out=np.full(len(daily), np.inf), where=falls)
    return np.where(reckoned.due, 0.0, np.maximum(np.ceil(days), 1.0))


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
        reckoned.found.plain.position_qty,
        day_dates(reckoned.found.plain.sight.shortage_day, as_of),
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


def _join_pairs(
    outlook: DemandOutlook, door: _Door, chosen: pd.DataFrame, sources: Sources, settings: PlanSettings
) -> pd.DataFrame:
    """Every planned pair with its position, item and chosen supplier, sorted; one row per pair. Beside what has stock,
    demand or documents: what these ask of other warehouses, and their components.

    forecast_row: its row in the outlook, -1 for none. held: a row that it depends on was set aside at the door, so
    nothing is ordered for it. A pair whose position was set aside is left out.
    """
    index = pd.MultiIndex.from_frame(outlook.keys[_PAIR])
    positions = door.positions.rows.set_index(_PAIR)
    with_documents = pd.MultiIndex.from_frame(door.dated.rows[_PAIR]).unique()
    stocked = positions.index[(positions["on_hand_qty"] != 0.0) | positions.index.isin(with_documents)]
    every = index.union(stocked).sort_values()
    made_items = _made_items(door.items.rows, sources)
    every = with_asked_pairs(every, sources, made_items)
    every = every[~every.isin(_named_pairs(door.positions.set_aside))]
    pairs = every.to_frame(index=False)
    at = positions.reindex(every)
    pairs["on_hand_qty"] = at["on_hand_qty"].fillna(0.0).to_numpy(dtype=float)
    pairs["valuation_rate"] = at["valuation_rate"].fillna(0.0).to_numpy(dtype=float)
    pairs["we_order"] = at["we_order"].ne(False).to_numpy()
    pairs["order_suppressed_until"] = at["order_suppressed_until"].to_numpy()
    pairs["reserved_stock_qty"] = at["reserved_stock_qty"].fillna(0.0).to_numpy(dtype=float)
    pairs["forecast_row"] = index.get_indexer(every)
    held = every.isin(_named_pairs(door.dated.set_aside)) | pairs["item_code"].isin(_named_items(door.items.set_aside))
    pairs["held"] = np.asarray(held, dtype=bool)
    # Row -1, no forecast, falls on the value appended.
    pairs["demand_class"] = np.append(np.asarray(outlook.demand_class, dtype=object), ["No Demand"])[
        pairs["forecast_row"]
    ]
    pairs["last_year_qty"] = np.append(np.asarray(outlook.last_year_qty, dtype=float), [0.0])[pairs["forecast_row"]]
    return _without_supplier(_with_items_and_suppliers(pairs, door.items.rows, chosen), sources, made_items, settings)


def _without_supplier(
    pairs: pd.DataFrame, sources: Sources, made_items: pd.Index, settings: PlanSettings
) -> pd.DataFrame:
    """Pairs that are supplied by another warehouse or make the item have neither a supplier nor his terms: goods are
    there after the transfer, or after the item's own lead time."""
    supplied_by = pairs["warehouse"].map(sources.supplied_by).where(pairs["we_order"])
    supplied = supplied_by.notna().to_numpy()
    made = ~supplied & (pairs["we_order"] & pairs["item_code"].isin(made_items)).to_numpy(dtype=bool)
    days = pairs["warehouse"].map(sources.transfer_days).fillna(settings.transfer_days)
    pairs = pairs.assign(
        supplied_by=supplied_by.astype(object).where(supplied, ""), is_made=made,
        transfer_days=np.where(supplied, days, settings.transfer_days),
    )  # fmt: skip
    own = supplied | made
    if not own.any():
        return pairs
    pairs.loc[own, ["supplier", "lead_time_source", "replaces", "replaces_reason"]] = ""
    pairs.loc[own, ["lead_time_days", "lead_time_std_days"]] = np.nan
    pairs.loc[own, ["order_multiple_qty", "supplier_min_order_qty"]] = 0.0
    pairs.loc[own, "min_order_qty"] = np.where(made, pairs["item_min_order_qty"], 0.0)[own]
    pairs.loc[own, "uom"] = pairs.loc[own, "stock_uom"]
    pairs.loc[own, "conversion_factor"], pairs.loc[own, "factor_known"] = 1.0, True
    pairs.loc[own, "uom_whole"] = pairs.loc[own, "stock_uom_whole"]
    pairs.loc[supplied, "lead_time_days"] = pairs.loc[supplied, "transfer_days"]
    pairs.loc[supplied, "lead_time_source"] = "transfer"
    return pairs


def _with_items_and_suppliers(pairs: pd.DataFrame, items: pd.DataFrame, chosen: pd.DataFrame) -> pd.DataFrame:
    of_item = items.set_index("item_code").reindex(pd.Index(pairs["item_code"])).reset_index(drop=True)
    pairs["stock_uom"] = of_item["stock_uom"].astype(object).where(of_item["stock_uom"].notna(), "")
    for flag in ("stock_uom_whole", "disabled", "is_purchase_item", "exists"):
        pairs[flag] = of_item[flag].eq(True)
    for number in ("weight_per_unit", "volume_per_unit"):
        pairs[number] = of_item[number].astype(float)
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
    return joined.assign(
        min_order_qty=largest, order_multiple_qty=joined["order_multiple_qty"].fillna(0.0),
        usual_supplier=joined["supplier"], saved_share=0.0,
    )  # fmt: skip


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
    timing, on_paths = reckoned.timing, reckoned.on_paths
    wanted, ahead = chosen.order_up_to_qty.copy(), timing.shift_days.astype(float)
    ahead += np.maximum(timing.days.gap - max(settings.review_period_days, 1), 0)
    # The paths begin where the order arrives.
    wanted[on_paths.rows], ahead[on_paths.rows] = reckoned.position_qty[on_paths.rows] + on_paths.orders.qty, 0.0
    ahead_qty = ahead * book.daily_mean
    need_qty = np.where(reckoned.due, order_need(wanted + ahead_qty, reckoned.position_qty), 0.0)
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
        approval_wait_days=whole_days_up(np.full(len(pairs), levels.approval_days)),
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
        wanted_qty=wanted,
        ahead_qty=ahead_qty,
        most_order_qty=_most_order_qty(levels, reckoned.position_qty),
        due_in_days=_due_in_days(reckoned, wanted, reckoned.position_qty),
        supplier_lead_days=lead_times.days,
        position_qty=reckoned.position_qty,
        margin_protected=until_next * np.maximum(sells_at - _unit_cost(pairs), 0.0),
        window_risk=until_next * sells_at,
        money_at_risk=np.where(need_qty > 0.0, until_next * sells_at, 0.0),
        suppressed=pairs["order_suppressed_until"] > pd.Timestamp(as_of),
        # ERPNext refuses an item on the day its life ends; orders are placed on as_of + 1.
        retired=pairs["disabled"] | (pairs["end_of_life"] <= pd.Timestamp(as_of) + pd.Timedelta(days=1)),
    )
    cases = _with_outlook(with_levels, sight, reckoned.below_day, reckoned.arrival_day, as_of)
    return cases.copy()  # column by column it has fallen into a hundred pieces


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
        shortage_day=sight.shortage_day,
    )


def _most_order_qty(levels: PairLevels, position: Floats) -> Floats:
    """(n,) what an order may bring before stock passes the most that may be held, or sells before it expires; inf where
    nothing limits it. Packs that cannot stay below it and above the reorder point at once are not held to it."""
    inputs = levels.inputs
    most = np.minimum(inputs.cap_qty, inputs.max_stock_qty)
    if inputs.sellable is not None:
        most = np.where(inputs.expires, np.minimum(most, inputs.sellable.mean), most)
    room = most - position
    acts_at = levels.chosen.reorder_point_qty + levels.textbook.daily_mean * (levels.due_days + 1.0)
    step = np.asarray(inputs.order_multiple_qty)
    return np.where(np.isfinite(most) & (room - step >= acts_at - position), np.maximum(room, 0.0), np.inf)


def _unit_cost(pairs: pd.DataFrame) -> pd.Series:
    cost = pairs["base_rate"].where(pairs["base_rate"] > 0.0)
    return cost.fillna(pairs["valuation_rate"].where(pairs["valuation_rate"] > 0.0)).fillna(0.0)


def _due_soon(cases: pd.DataFrame, terms: OrderTerms, settings: PlanSettings) -> pd.DataFrame:
    """What becomes due within the pull-forward window, of suppliers with a minimum or a truck to fill; no line of it
    may be ordered alone."""
    if settings.pull_forward_days <= 0 or terms.terms.empty:
        return cases.iloc[:0]
    fills = needs_filling(terms.of(cases["supplier"].to_numpy(dtype=object)))
    free = cases["exists"] & ~cases["retired"] & cases["is_purchase_item"] & cases["factor_known"]
    free &= cases["we_order"] & ~cases["suppressed"] & ~cases["held"] & (cases["supplier"] != "")
    free &= (cases["supplied_by"] == "") & ~cases["is_made"]
    near = (cases["due_in_days"] > 0.0) & (cases["due_in_days"] <= settings.pull_forward_days)
    soon = cases[fills & free & near & (cases["need_qty"] <= 0.0)]
    needed = soon["arrival_day"] + soon["due_in_days"].astype(np.int64)
    return soon.assign(below_safety_day=needed, money_at_risk=soon["window_risk"])


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
            plain.assign(money_at_risk=_money_of_lead_time(cases))[active & (plain["lead_time_source"] == "settings")],
            ("lead_time_days",),
        ),
        *item_faults(
            "Bad Data", sentences.BAD_LEAD_TIME, plain[active & plain["lead_time_unbelievable"]], ("lead_time_days",)
        ),
    ]


def _money_of_lead_time(cases: pd.DataFrame) -> pd.Series:
    """Sales lost if the lead time is half as long again as taken: what a lead time that nobody knows may cost."""
    return 0.5 * cases["lead_time_days"] * cases["daily_demand_mean"] * cases["selling_rate"]


def _shortage_faults(cases: pd.DataFrame, proposals: pd.DataFrame, requests: pd.DataFrame) -> list[Fault]:
    """Stock that really runs out before anything ordered now can arrive, or before open supply does."""
    lines = pd.concat([proposals[_PAIR], requests[_PAIR]])
    proposed = pd.MultiIndex.from_frame(cases[_PAIR]).isin(pd.MultiIndex.from_frame(lines))
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
    # Of supplied warehouses and made items, nobody outside the company can be asked to hurry.
    within = too_late["supplier"] == ""
    own, too_late = too_late[within], too_late[~within]
    by_a_day = too_late["days_lost"] == 1.0
    values = ("short_on", "days_lost", "arrival_on", "units_short", "stock_uom", "supplier")
    return [
        *pair_faults("Unavoidable Shortage", sentences.SHORTAGE, too_late[~by_a_day], values),
        *pair_faults("Unavoidable Shortage", sentences.SHORTAGE_OF_A_DAY, too_late[by_a_day], values),
        *pair_faults("Unavoidable Shortage", sentences.SHORTAGE_WITHIN, own, values[:-1]),
        *pair_faults(
            "Unavoidable Shortage", sentences.SUPPLY_TOO_LATE, covered, ("short_on", "units_short", "stock_uom")
        ),
    ]


def _floats(frame: pd.DataFrame, column: str) -> Floats:
    return frame[column].to_numpy(dtype=float)


def _objects(frame: pd.DataFrame, column: str) -> NDArray[np.object_]:
    return frame[column].to_numpy(dtype=object)
