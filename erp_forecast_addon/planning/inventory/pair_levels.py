"""The levels of every planned pair: its demand as a distribution, its terms, its method, and what comes of them."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from erp_forecast_addon.planning import work
from erp_forecast_addon.planning.forecasting.mixtures import WEIGHTS
from erp_forecast_addon.planning.inventory.demand_distribution import (
    Demand,
    LeadTimeNodes,
    Totals,
    at_least,
    lead_time_nodes,
    over_lead_time,
)
from erp_forecast_addon.planning.inventory.hysteresis import kept
from erp_forecast_addon.planning.inventory.lead_time import LeadTimes
from erp_forecast_addon.planning.inventory.lead_time_demand import demand_through
from erp_forecast_addon.planning.inventory.lead_time_distribution import convolved
from erp_forecast_addon.planning.inventory.level_courses import Paths, paths_from_totals
from erp_forecast_addon.planning.inventory.levels import Levels, set_levels
from erp_forecast_addon.planning.inventory.methods import (
    DISTRIBUTED,
    TARGETED,
    OrderLevels,
    PolicyInputs,
    PriceBreaks,
    levels_for,
)
from erp_forecast_addon.planning.inventory.methods.inputs import DAYS_PER_YEAR, Flags, Texts
from erp_forecast_addon.planning.inventory.methods.performance import (
    average_on_hand,
    cycle_service,
    losses,
    unserved_share,
    yearly_cost,
)
from erp_forecast_addon.planning.inventory.occasional import Occasional, on_occasions
from erp_forecast_addon.planning.inventory.path_order import cheapest
from erp_forecast_addon.planning.inventory.rules import RuledPairs
from erp_forecast_addon.planning.inventory.safety_stock import Floats
from erp_forecast_addon.planning.inventory.simulated_levels import SIMULATED, Ask, Simulated, order_up_to_of, search
from erp_forecast_addon.planning.progress import Done, Stages, between
from erp_forecast_addon.planning.settings import PlanSettings

# A plan is made every night: so long a position may go on falling before the next one sees it.
_NIGHTLY = 1.0
# Nobody plans stock for longer; and a longer shelf life is none.
_LONGEST_SHELF_LIFE_DAYS = 730.0
_WORKERS = 2


@dataclass(frozen=True)
class Terms:
    """What trading a pair takes, (n,) each. unit_cost: company currency per stock unit, 0 if not known; selling_rate
    likewise; order_step_qty: 0 for none; shelf_life_days: NaN for none. Quantities in stock units."""

    unit_cost: Floats
    selling_rate: Floats
    min_order_qty: Floats
    order_step_qty: Floats
    shelf_life_days: Floats
    price_breaks: PriceBreaks | None = None


@dataclass(frozen=True)
class Path:
    """The forecast of n pairs: daily_mean (n, t), daily_std (n,), totals: quantiles of the demand of any days; paths:
    courses of demand in periods of period_days, None: made of the totals where they are needed; long_run_daily: (n,)
    mean of a day by which methods that use the distribution size their orders, None: that of daily_mean."""

    daily_mean: Floats
    daily_std: Floats
    totals: Totals
    paths: Paths | None = None
    period_days: float = 1.0
    long_run_daily: Floats | None = None


@dataclass(frozen=True)
class PairLevels:
    """(n,) each. textbook: what the textbook formula says; chosen: the levels in force; target: the service that was
    asked for, also of methods that do not use it. trigger_qty: projected stock below which an order is due, within
    due_days after an order of today would arrive; by_position: whether the position decides that instead.
    served_share, cycle_share, on_hand_qty, running_cost: what the levels are expected to do. simulated: where a method
    asks for simulation; occasional: where levels are made of occasions.
    """

    inputs: PolicyInputs
    textbook: Levels
    chosen: OrderLevels
    target: Floats
    rule: Texts
    kept: Flags
    approval_days: float
    protection_days: Floats
    protection_demand_qty: Floats
    trigger_qty: Floats
    due_days: Floats
    by_position: Flags
    served_share: Floats
    cycle_share: Floats
    on_hand_qty: Floats
    running_cost: Floats
    demand_quantile_qty: Floats
    simulated: Simulated | None = None
    occasional: Occasional | None = None

    @property
    def searched(self) -> Flags:
        """(n,) whose levels a simulation has chosen and which are in force."""
        return np.zeros(self.inputs.n, dtype=bool) if self.simulated is None else self.simulated.searched & ~self.kept

    @property
    def on_occasions(self) -> Flags:
        """(n,) whose demand is told by their occasions."""
        return np.zeros(self.inputs.n, dtype=bool) if self.occasional is None else self.occasional.flags


def order_nodes(probability: Floats, approval: Floats) -> LeadTimeNodes:
    """From the decision to order until the goods are there: lead time and approval. probability: (n, d + 1);
    approval: (a + 1,) shares of drafts approved after so many days."""
    distinct, row = np.unique(probability, axis=0, return_inverse=True)
    both = distinct if len(approval) == 1 else convolved(distinct, approval)
    return lead_time_nodes(both).select(row.reshape(-1))


def days_needed(nodes: LeadTimeNodes, settings: PlanSettings) -> int:
    """How far the forecast path is asked for."""
    longest = float(nodes.days.max(initial=0.0))
    return int(np.ceil(longest)) + max(settings.review_period_days, 1) + 1


def set_pair_levels(
    path: Path,
    nodes: LeadTimeNodes,
    lead_times: LeadTimes,
    arrival_day: np.ndarray,
    approval_days: float,
    terms: Terms,
    said: RuledPairs,
    class_target: Floats,
    former: pd.DataFrame | None,
    settings: PlanSettings,
    occasional: Occasional | None,
    told: Stages,
) -> PairLevels:
    """Everything (n,). nodes: from `order_nodes`; arrival_day: index of the day on which an order of today arrives;
    approval_days: mean time until a draft is approved; class_target: (n,) of the settings; former: see hysteresis.py;
    occasional: rows of Least Cost that are told by their occasions; told: with the stages of work.of_levels.
    """
    method = methods_in_force(said, settings)
    target = np.where(np.isnan(said.service_target), class_target, said.service_target)
    textbook = set_levels(
        path.daily_mean,
        path.daily_std,
        lead_times.days,
        lead_times.std_days,
        settings.review_period_days,
        target,
    )
    waiting = np.ceil(approval_days - 1e-9)
    look = float(settings.review_period_days) if settings.review == "Periodic" else _NIGHTLY
    look = max(look, _NIGHTLY)
    # At least cost a target is a promise only where a planner has made it for these very pairs.
    formula = formula_of(method)
    inputs = _inputs(
        path, nodes, lead_times, arrival_day + waiting + look, look, textbook, terms, said, settings,
        np.isin(formula, DISTRIBUTED), told.done(work.LEAD_TIMES),
    )  # fmt: skip
    simulates = formula != method
    if occasional is not None:
        rows = occasional.rows
        inputs = on_occasions(
            inputs, rows, occasional.occasions, nodes.select(rows), occasional.occasion_cost, look / 2.0
        )  # fmt: skip
        simulates &= ~occasional.flags
    asked = np.where(np.isin(formula, TARGETED), target, np.where(formula == "Least Cost", said.service_target, np.nan))
    levels = levels_for(inputs, formula, asked, fallback_target=target, workers=_WORKERS)
    levels = _as_the_textbook_says(levels, textbook, settings)
    simulated = None
    if simulates.any():
        paths = paths_from_totals(path.totals) if path.paths is None else path.paths
        ask = Ask(nodes, paths, path.period_days, terms.shelf_life_days, settings.unmet_demand == "Is Lost")
        simulated = search(inputs, levels, simulates, ask, workers=_WORKERS, done=told.done(work.SIMULATING))
        levels = simulated.levels
    stays = np.zeros(inputs.n, dtype=bool)
    told.say(work.ORDERS)
    if former is not None:
        levels, stays = kept(inputs, levels, said.rule, former, settings.level_band)
    made = _told(path, inputs, levels, stays, textbook, target, said.rule, look, waiting, approval_days, settings)
    made = replace(made, occasional=occasional)
    return made if simulated is None else _as_simulated(made, simulated)


def formula_of(method: Texts) -> Texts:
    """(n,) the formula that each method is or starts from."""
    return np.array([SIMULATED.get(name, name) for name in method], dtype=object)


def methods_in_force(said: RuledPairs, settings: PlanSettings) -> Texts:
    """(n,) what the rules say, else the settings."""
    return np.where(said.method == "", settings.policy_method, said.method).astype(object)


def _inputs(
    path: Path,
    nodes: LeadTimeNodes,
    lead_times: LeadTimes,
    looked_at_days: Floats,
    look: float,
    textbook: Levels,
    terms: Terms,
    said: RuledPairs,
    settings: PlanSettings,
    distributed: Flags,
    done: Done,
) -> PolicyInputs:
    """distributed: (n,) rows whose method uses the distribution; done: told the share that is done."""
    periodic = settings.review == "Periodic"
    first, second, last = (between(done, *ends) for ends in pairwise(work.OF_LOOKS))
    before = over_lead_time(path.totals, nodes, 0.0, workers=_WORKERS, done=first)
    until = at_least(over_lead_time(path.totals, nodes, look, workers=_WORKERS, done=second), before)
    holding = np.where(np.isnan(said.holding_rate_per_year), settings.holding_rate_per_year, said.holding_rate_per_year)
    margin = np.where(
        terms.selling_rate > terms.unit_cost,
        terms.selling_rate - terms.unit_cost,
        terms.unit_cost * settings.margin_pct / 100.0,
    )
    cycle = np.maximum(textbook.protection_demand_qty - textbook.lead_time_demand_qty, 0.0)
    expires = terms.shelf_life_days > 0.0
    return PolicyInputs(
        lead_time_demand=before,
        protection_demand=until,
        review_days=look,
        daily_mean=textbook.daily_mean
        if path.long_run_daily is None
        else np.where(distributed, path.long_run_daily, textbook.daily_mean),
        daily_std=path.daily_std,
        lead_time_days=lead_times.days,
        protection_mean_qty=demand_through(path.daily_mean, looked_at_days),
        textbook_mean_qty=textbook.protection_demand_qty if periodic else textbook.lead_time_demand_qty,
        textbook_std_qty=textbook.protection_std_qty if periodic else textbook.lead_time_std_qty,
        cover_qty=0.0 if periodic else cycle,
        unit_cost=terms.unit_cost,
        shortage_cost=np.where(np.isnan(said.shortage_cost), margin, said.shortage_cost),
        holding_rate_per_year=holding,
        order_cost=np.where(np.isnan(said.order_cost), settings.order_cost, said.order_cost),
        min_order_qty=terms.min_order_qty,
        order_multiple_qty=terms.order_step_qty,
        floor_qty=np.where(said.method == "Fixed", 0.0, np.nan_to_num(said.min_qty)),
        cap_qty=np.where((said.method == "Fixed") | np.isnan(said.max_qty), np.inf, said.max_qty),
        fixed_min_qty=said.min_qty,
        fixed_max_qty=said.max_qty,
        expires=expires,
        price_breaks=terms.price_breaks,
        sellable=_sellable(path.totals, nodes, terms.shelf_life_days, expires, last),
    )


def _sellable(
    totals: Totals, nodes: LeadTimeNodes, shelf_life_days: Floats, expires: Flags, done: Done
) -> Demand | None:
    """Demand from an order until what it brings expires; only the rows that expire are worked out."""
    if not expires.any():
        return None
    rows = np.flatnonzero(expires)
    days = np.minimum(shelf_life_days[rows], _LONGEST_SHELF_LIFE_DAYS)
    some = over_lead_time(
        lambda at, *rest: totals(rows[at], *rest), nodes.select(rows), days, workers=_WORKERS, done=done
    )
    points = np.zeros((len(expires), some.points.shape[1]))
    points[rows] = some.points
    return Demand(points, some.weights)


def _as_the_textbook_says(levels: OrderLevels, textbook: Levels, settings: PlanSettings) -> OrderLevels:
    """The formula's own numbers, unrounded, where nothing stopped them: evidence recomputes them from the formula."""
    plain = (levels.method == "Textbook") & (levels.clamp == "") & (settings.review == "Continuous")
    return replace(
        levels,
        safety_stock_qty=np.where(plain, textbook.safety_stock_qty, levels.safety_stock_qty),
        reorder_point_qty=np.where(plain, textbook.reorder_point_qty, levels.reorder_point_qty),
        order_up_to_qty=np.where(plain, textbook.order_up_to_qty, levels.order_up_to_qty),
    )


def _told(
    path: Path,
    inputs: PolicyInputs,
    levels: OrderLevels,
    stays: Flags,
    textbook: Levels,
    target: Floats,
    rule: Texts,
    look: float,
    waiting: float,
    approval_days: float,
    settings: PlanSettings,
) -> PairLevels:
    point, up_to = levels.reorder_point_qty, levels.order_up_to_qty
    # The formula protects the lead time and is laid out in time by its safety stock; the others by the position.
    formula = (levels.method == "Textbook") & (settings.review == "Continuous")
    beyond = np.maximum(textbook.protection_days, 0.0) + np.where(formula, 0.0, approval_days)
    # Laid out in time and drafted ahead, the formula orders as early as a position so much higher would.
    acts_at = np.where(formula, levels.safety_stock_qty + inputs.protection_mean_qty, point)
    fills_to = np.maximum(up_to, acts_at)
    costs = yearly_cost(
        inputs, losses(inputs, acts_at), losses(inputs, fills_to), levels.order_qty, np.asarray(inputs.unit_cost)
    )
    bought = np.asarray(inputs.daily_mean) * DAYS_PER_YEAR * inputs.unit_cost
    return PairLevels(
        inputs=inputs,
        textbook=textbook,
        chosen=levels,
        target=target,
        rule=rule,
        kept=stays,
        approval_days=approval_days,
        protection_days=beyond,
        protection_demand_qty=demand_through(path.daily_mean, beyond),
        trigger_qty=np.where(formula, levels.safety_stock_qty, point - inputs.protection_mean_qty),
        due_days=np.where(formula, float(settings.approval_days), waiting + look - 1.0),
        by_position=~formula,
        served_share=1.0 - unserved_share(inputs, acts_at, fills_to),
        cycle_share=cycle_service(inputs, acts_at),
        on_hand_qty=average_on_hand(inputs, acts_at, fills_to),
        running_cost=np.where(np.asarray(inputs.unit_cost) > 0.0, costs - bought, np.nan),
        demand_quantile_qty=inputs.protection_demand.quantile(target),
    )


def _as_simulated(made: PairLevels, simulated: Simulated) -> PairLevels:
    """What the levels are expected to do as the simulation has seen it, where it has chosen them."""
    seen = replace(made, simulated=simulated)
    own, priced = seen.searched, np.asarray(made.inputs.unit_cost) > 0.0
    figures: dict[str, Any] = {
        name: np.where(own, simulated.take(name, getattr(made, name)), getattr(made, name))
        for name in ("served_share", "cycle_share", "on_hand_qty", "running_cost")
    }
    figures["running_cost"] = np.where(priced, figures["running_cost"], np.nan)
    return replace(seen, **figures)


def frozen(levels: PairLevels, rows: NDArray[np.int64]) -> list[dict[str, Any]]:
    """What the levels of these rows were made of, JSON-serialisable: `order_up_to_again` gives the same number."""
    some = levels.inputs.select(rows)
    columns: dict[str, list[Any]] = {}
    for part in fields(PolicyInputs):  # over columns
        value = getattr(some, part.name)
        if isinstance(value, Demand):
            # The chances belong to the grid, which is the same for all.
            columns[part.name] = value.points.tolist()
        elif isinstance(value, PriceBreaks):
            pairs = zip(_finite(value.min_qty), _finite(value.unit_cost), strict=True)
            columns[part.name] = [list(pair) for pair in pairs]
        elif part.name != "whole" and value is not None:
            columns[part.name] = _finite(np.asarray(value))
    asked = levels.chosen.target[rows]
    columns["method"] = [SIMULATED.get(name, name) for name in levels.chosen.method[rows]]
    columns["target"] = [None if np.isnan(share) else share for share in asked.tolist()]
    kept_at = zip(levels.kept[rows].tolist(), levels.chosen.order_up_to_qty[rows].tolist(), strict=True)
    # A loop over the proposed lines, by columns: each carries its own evidence.
    told = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    tried = {} if levels.simulated is None else levels.simulated.told
    told = [{"simulated": tried[row]} if row in tried else one for row, one in zip(rows.tolist(), told, strict=True)]
    return [
        {"kept_order_up_to_qty": up_to} if stays else one for one, (stays, up_to) in zip(told, kept_at, strict=True)
    ]


def _finite(values: np.ndarray) -> list[Any]:
    """Python values; what JSON does not know is told as a word."""
    if values.dtype == bool or np.isfinite(values).all():
        return list(values.tolist())
    told = values.astype(object)
    odd = ~np.isfinite(values)
    told[odd] = values[odd].astype(str)
    return list(told.tolist())


def order_up_to_again(told: Mapping[str, Any]) -> float:
    """The order-up-to level again from what `frozen` or `PathOrders.told` told, by the same functions as the plan."""
    if "kept_order_up_to_qty" in told:
        return float(told["kept_order_up_to_qty"])
    if "simulated" in told:
        return order_up_to_of(told["simulated"])
    if "tried_qty" in told:
        return float(told["position_qty"]) + cheapest(told)
    given: dict[str, Any] = {}
    for part in fields(PolicyInputs):  # over columns
        if part.name not in told:
            continue
        value = told[part.name]
        if part.name in ("lead_time_demand", "protection_demand", "sellable"):
            given[part.name] = Demand(np.array([value], dtype=float), WEIGHTS)
        elif part.name == "price_breaks":
            given[part.name] = PriceBreaks(*(np.array([line], dtype=float) for line in value))
        else:
            given[part.name] = np.array([value], dtype=bool if part.name == "expires" else float)
    target = np.nan if told["target"] is None else told["target"]
    return float(levels_for(PolicyInputs(**given), told["method"], target).order_up_to_qty[0])
