"""Both plans of a scenario side by side: levels, money, service and shortages by pair, by month and in total."""

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from erp_forecast_addon.planning.door import check_rows
from erp_forecast_addon.planning.progress import Done, between, unseen
from erp_forecast_addon.planning.purchasing.position import lay_out
from erp_forecast_addon.planning.purchasing.proposals import day_dates
from erp_forecast_addon.planning.replenishment import Replenishment, replenish
from erp_forecast_addon.planning.scenario_alternatives import alternatives
from erp_forecast_addon.planning.scenario_course import Course, Demand, Outage, Trade, course, months
from erp_forecast_addon.planning.scenario_effects import Stage, with_effects
from erp_forecast_addon.planning.scenario_prices import Assumption
from erp_forecast_addon.planning.scenarios import Changed, PlanInputs, Scenario, change, choice, choose, narrowed
from erp_forecast_addon.planning.settings import PlanSettings
from erp_forecast_addon.planning.tables import DATED

Floats = NDArray[np.float64]

_PAIR = ["item_code", "warehouse"]
# What is compared of every pair, as base_… and scenario_….
FIGURES = (
    "supplier", "lead_time_days", "service_level_pct", "safety_stock_qty", "reorder_point_qty", "order_up_to_qty",
    "expected_fill_rate_pct", "demand_qty", "short_qty", "shortage_value", "fill_rate_pct", "stock_value",
    "ordered_value", "order_lines", "sales_value", "margin_value", "shortage_on", "proposed_qty", "proposed_value",
)  # fmt: skip
# Money and quantities that add up over pairs.
SUMMED = (
    "shortage_value", "stock_value", "ordered_value", "order_lines", "sales_value", "margin_value", "proposed_value",
    "safety_stock_value",
)  # fmt: skip
_LOW, _HIGH, _BETWEEN_STD = 0.165, 0.835, 1.9482  # of a normal distribution, the deviations between the two quantiles


@dataclass(frozen=True)
class Comparison:
    """pairs: a row per chosen pair, the most affected first: item_code, warehouse, item_name, abc_class, and FIGURES as
    base_… and scenario_…, elasticity (NaN: selling prices stay). totals: figure -> (base, scenario). monthly: month
    (YYYY-MM), base_ordered_value, scenario_ordered_value. alternatives: see scenario_alternatives.py and
    scenario_effects.py. assumptions: what the scenario takes for granted. base, scenario: both plans whole.
    """

    pairs: pd.DataFrame
    totals: dict[str, tuple[float, float]]
    monthly: pd.DataFrame
    alternatives: pd.DataFrame
    base: Replenishment
    scenario: Replenishment
    assumptions: tuple[Assumption, ...] = ()


@dataclass(frozen=True)
class _Side:
    made: Replenishment
    stage: Stage
    run: Course
    table: pd.DataFrame


def compare(inputs: PlanInputs, scenario: Scenario, as_of: date, told: Done = unseen) -> Comparison:
    """Plan the chosen pairs as they stand and with the scenario's changes, and let both run over the horizon.

    inputs: of the whole company; told: called with the share that is done. Deterministic (settings.seed). Raises
    BadInput as `choose` and `change` do.
    """
    before = choose(inputs, scenario.chosen)
    changed = change(before, scenario, as_of)
    base_plan = _replenished(before, as_of, between(told, 0.0, 0.2))
    told(0.2)
    base = _side(before, base_plan, None, as_of, before, 1.0)
    told(0.45)
    nothing = scenario.changes_nothing
    after_plan = base_plan if nothing else _replenished(changed.inputs, as_of, between(told, 0.45, 0.65))
    told(0.65)
    after = (
        base
        if nothing
        else _side(
            changed.inputs, after_plan, _outage(changed, scenario, after_plan, as_of), as_of, before,
            changed.selling_factor,
        )
    )  # fmt: skip
    pairs = _side_by_side(before, base.table, after.table)
    pairs["elasticity"] = changed.elasticity.reindex(pairs["item_code"]).to_numpy(dtype=float)
    order = np.argsort(-affected(pairs), kind="stable")
    ways = _ways_out(inputs, before, changed, after, pairs, as_of, scenario.out_days)
    told(0.95)
    return Comparison(
        pairs=pairs.iloc[order].reset_index(drop=True),
        totals={
            **{name: (_total(base.table, name), _total(after.table, name)) for name in (*SUMMED, *_SHARES)},
            "orders": (base.run.orders, after.run.orders),
        },
        monthly=pd.DataFrame({
            "month": months(as_of, inputs.settings.horizon_days),
            "base_ordered_value": base.run.ordered_value.sum(axis=0),
            "scenario_ordered_value": after.run.ordered_value.sum(axis=0),
        }),
        alternatives=ways,
        base=base_plan,
        scenario=after_plan,
        assumptions=changed.assumptions,
    )  # fmt: skip


_SHARES = {"fill_rate_pct": "demand_value", "expected_fill_rate_pct": "demand_value"}


def _replenished(inputs: PlanInputs, as_of: date, done: Done = unseen) -> Replenishment:
    return replenish(
        inputs.outlook, inputs.positions, inputs.supply, inputs.settings, as_of,
        progress=lambda share, step, /, **values: done(share),
    )  # fmt: skip


def _ways_out(
    inputs: PlanInputs, before: PlanInputs, changed: Changed, after: _Side, pairs: pd.DataFrame, as_of: date,
    out_days: int,
) -> pd.DataFrame:  # fmt: skip
    """What could be done about what runs shorter than in the base plan, and what that would do."""
    elsewhere = _elsewhere(inputs, after.made.policies)
    policies, stage = after.made.policies, None
    if elsewhere is not None:
        made = _replenished(elsewhere, as_of)
        policies = pd.concat([policies, made.policies], ignore_index=True)
        stage = _stage(elsewhere, made, None, as_of, elsewhere, 1.0)
    found = alternatives(inputs, changed, policies, pairs, as_of, _approval_days(before), out_days)
    settings = before.settings
    return with_effects(found, after.stage, stage, as_of, _review_days(settings), settings.seed)


def _elsewhere(inputs: PlanInputs, policies: pd.DataFrame) -> PlanInputs | None:
    """The same items, as they stand, in warehouses that were not chosen."""
    every = pd.MultiIndex.from_frame(
        pd.concat([inputs.outlook.keys[_PAIR], inputs.positions[_PAIR]]).drop_duplicates(ignore_index=True)
    )
    same_items = every[every.get_level_values(0).isin(policies["item_code"])]
    rest = same_items.difference(pd.MultiIndex.from_frame(policies[_PAIR]))
    return narrowed(inputs, rest) if len(rest) else None


def _outage(changed: Changed, scenario: Scenario, after: Replenishment, as_of: date) -> Outage | None:
    if changed.settled is None:
        return None
    settled = _replenished(changed.settled, as_of)
    codes = after.levels.keys.get_level_values(0)
    waits = np.asarray(codes.isin(list(changed.waiting_items)), dtype=bool)
    moved = np.asarray(codes.isin(list(changed.moved_items)), dtype=bool)
    return Outage(scenario.out_days, waits | moved, waits, _trade(changed.settled, settled))


def _side(
    inputs: PlanInputs, made: Replenishment, outage: Outage | None, as_of: date, before: PlanInputs,
    selling_factor: float,
) -> _Side:  # fmt: skip
    """One plan and its course. before: whose stock values count on both sides; selling_factor: on selling prices."""
    stage = _stage(inputs, made, outage, as_of, before, selling_factor)
    run = course(
        stage.demand, stage.on_hand_qty, stage.trade, as_of, outage=outage, seed=inputs.settings.seed,
        review_days=_review_days(inputs.settings),
    )  # fmt: skip
    return _Side(made, stage, run, _table(inputs, made, stage, run, as_of, before))


def _review_days(settings: PlanSettings) -> int:
    return max(settings.review_period_days, 1) if settings.review == "Periodic" else 1


def _stage(
    inputs: PlanInputs, made: Replenishment, outage: Outage | None, as_of: date, before: PlanInputs,
    selling_factor: float,
) -> Stage:  # fmt: skip
    demand, on_hand = _demand(inputs, made, as_of)
    sells_at = _worth(before, made.levels.keys)[0] * selling_factor
    return Stage(made.levels.keys, demand, on_hand, _trade(inputs, made), sells_at, outage)


def _trade(inputs: PlanInputs, made: Replenishment) -> Trade:
    levels, codes = made.levels.levels, made.levels.keys.get_level_values(0)
    n = len(codes)
    items = inputs.supply.items.drop_duplicates("item_code").set_index("item_code").reindex(codes)
    supplier = choice(inputs)["supplier"].reindex(codes)
    bought = supplier.notna().to_numpy().copy()
    # Flags that a table leaves out have the defaults of ITEMS.
    for name, default in (("disabled", False), ("is_purchase_item", True), ("exists", True)):
        flag = items[name].fillna(default).astype(bool).to_numpy() if name in items else np.full(n, default)
        bought &= ~flag if name == "disabled" else flag

    def of(values: object) -> Floats:
        return np.broadcast_to(np.asarray(values, dtype=float), (n,)).copy()

    least = np.maximum(of(levels.inputs.min_order_qty), of(levels.chosen.least_order_qty))
    most = np.minimum(of(levels.inputs.cap_qty), of(levels.inputs.max_stock_qty))
    breaks = levels.inputs.price_breaks
    return Trade(
        reorder_point_qty=of(levels.chosen.reorder_point_qty),
        order_up_to_qty=of(levels.chosen.order_up_to_qty),
        least_order_qty=least,
        multiple_qty=of(levels.inputs.order_multiple_qty),
        lead_time_days=made.policies["lead_time_days"].to_numpy(dtype=float),
        lead_time_std_days=made.policies["lead_time_std_days"].to_numpy(dtype=float),
        # The textbook's formula knows no approval: its drafts are made so much earlier.
        approval_days=np.where(levels.by_position, float(_approval_days(inputs)), 0.0),
        unit_cost=of(levels.inputs.unit_cost),
        orderable=bought,
        # A proposal orders the supplier's minimum though it be more than may be stocked, once nothing is left.
        maximum_qty=np.where(least <= most, most, np.inf),
        break_qty=np.zeros((n, 0)) if breaks is None else breaks.min_qty,
        break_cost=np.zeros((n, 0)) if breaks is None else breaks.unit_cost,
        supplier=np.asarray(_suppliers(inputs).get_indexer(pd.Index(supplier.fillna(""))), dtype=np.int64),
    )


def _suppliers(inputs: PlanInputs) -> pd.Index:
    """Everybody who sells something, in an order that a scenario does not change."""
    return pd.Index(sorted(set(inputs.supply.sourcing["supplier"]) - {""}), dtype=object)


def _demand(inputs: PlanInputs, made: Replenishment, as_of: date) -> tuple[Demand, Floats]:
    """What the pairs of the plan are asked for in the horizon, and what they have. Pairs without forecast: nothing."""
    keys, outlook, days = made.levels.keys, inputs.outlook, inputs.settings.horizon_days
    row = pd.MultiIndex.from_frame(outlook.keys[_PAIR]).get_indexer(keys)
    known = row >= 0
    mean, std, total = np.zeros((len(keys), days)), np.zeros(len(keys)), np.zeros(len(keys))
    if known.any():
        mean[known], std[known] = outlook.daily_mean(as_of, days)[row[known]], outlook.daily_std()[row[known]]
    usable = np.isfinite(mean).all(axis=1) & np.isfinite(std)
    mean, std = np.maximum(np.where(usable[:, None], mean, 0.0), 0.0), np.maximum(np.where(usable, std, 0.0), 0.0)
    total[:] = std * np.sqrt(days)
    asked = np.flatnonzero(known & usable)
    if outlook.totals is not None and len(asked):
        spans = np.full(len(asked), float(days))
        ends = outlook.totals(as_of, row[asked], spans, np.array([_LOW, _HIGH]))
        total[asked] = np.maximum((ends[:, 1] - ends[:, 0]) / _BETWEEN_STD, 0.0)
    flows = lay_out(check_rows(DATED, inputs.supply.dated).rows, keys, as_of, days)
    on_hand = made.policies["on_hand_qty"].to_numpy(dtype=float)
    return Demand(mean, std, total, flows), on_hand


def _table(
    inputs: PlanInputs, made: Replenishment, stage: Stage, run: Course, as_of: date, before: PlanInputs
) -> pd.DataFrame:
    """FIGURES of one side, and what the totals are weighed by."""
    keys = made.levels.keys
    codes = keys.get_level_values(0)
    sells_at, worth = stage.sells_at, _worth(before, keys)[1]
    sold = np.maximum(run.demand_qty - run.short_qty, 0.0)
    # What is sold has to be bought again: at what the course's own orders cost, price breaks and all.
    ordered = run.ordered_value.sum(axis=1)
    paid = np.divide(ordered, run.ordered_qty, out=stage.trade.unit_cost.copy(), where=run.ordered_qty > 0.0)
    proposed = made.proposals.groupby(_PAIR)[["stock_qty", "base_amount"]].sum().reindex(keys).fillna(0.0)
    served = np.divide(run.short_qty, run.demand_qty, out=np.zeros(len(keys)), where=run.demand_qty > 0.0)
    policies = made.policies
    return pd.DataFrame({
        "supplier": choice(inputs)["supplier"].reindex(codes).fillna("").to_numpy(dtype=object),
        **{name: policies[name].to_numpy(dtype=float) for name in (
            "lead_time_days", "service_level_pct", "safety_stock_qty", "reorder_point_qty", "order_up_to_qty",
            "expected_fill_rate_pct")},
        "demand_qty": run.demand_qty,
        "short_qty": run.short_qty,
        "shortage_value": run.short_qty * sells_at,
        "fill_rate_pct": np.where(run.demand_qty > 0.0, 100.0 * (1.0 - served), np.nan),
        "stock_value": run.on_hand_qty * worth,
        "safety_stock_value": policies["safety_stock_qty"].to_numpy(dtype=float) * worth,
        "ordered_value": ordered,
        "order_lines": run.order_lines,
        "sales_value": sold * sells_at,
        "margin_value": sold * (sells_at - paid),
        "shortage_on": day_dates(run.short_day, as_of),
        "proposed_qty": proposed["stock_qty"].to_numpy(dtype=float),
        "proposed_value": proposed["base_amount"].to_numpy(dtype=float),
        "demand_value": run.demand_qty * sells_at,
    }, index=keys)  # fmt: skip


def _worth(before: PlanInputs, keys: pd.MultiIndex) -> tuple[Floats, Floats]:
    """(n,) what a unit sells for and what it is worth on the shelf, company currency, as they are in the base plan."""
    codes = keys.get_level_values(0)
    price = choice(before)["base_rate"].reindex(codes).fillna(0.0).to_numpy(dtype=float)
    positions = before.positions.drop_duplicates(_PAIR).set_index(_PAIR)
    valued = positions["valuation_rate"] if "valuation_rate" in positions else pd.Series(0.0, index=positions.index)
    valuation = pd.to_numeric(valued.reindex(keys)).fillna(0.0).to_numpy(dtype=float)
    worth = np.where(valuation > 0.0, valuation, price)
    items = before.supply.items.drop_duplicates("item_code").set_index("item_code")
    sold = pd.Series(np.nan, index=codes)
    if "selling_rate" in items:
        sold = pd.to_numeric(items["selling_rate"].reindex(codes))
    rate = np.nan_to_num(sold.to_numpy(dtype=float))
    return np.where(rate > 0.0, rate, worth * (1.0 + before.settings.margin_pct / 100.0)), worth


def _side_by_side(before: PlanInputs, base: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    items = before.supply.items.drop_duplicates("item_code").set_index("item_code")
    row = pd.MultiIndex.from_frame(before.outlook.keys[_PAIR]).get_indexer(base.index)
    pairs = base.index.to_frame(index=False)
    pairs.columns = pd.Index(_PAIR)
    named = items["item_name"] if "item_name" in items else pd.Series("", index=items.index)
    pairs["item_name"] = named.reindex(pairs["item_code"]).fillna("").to_numpy(dtype=object)
    pairs["abc_class"] = np.append(before.abc_class.astype(object), ["C"])[row]
    for name in FIGURES:
        pairs[f"base_{name}"], pairs[f"scenario_{name}"] = base[name].to_numpy(), after[name].to_numpy()
    return pairs


def affected(pairs: pd.DataFrame) -> Floats:
    """(n,) of Comparison.pairs, company currency: how much money moves, whichever way."""
    moved = [
        (pairs[f"scenario_{name}"] - pairs[f"base_{name}"]).abs().to_numpy(dtype=float)
        for name in ("shortage_value", "stock_value", "ordered_value", "margin_value")
    ]
    return np.asarray(sum(moved))


def _total(table: pd.DataFrame, name: str) -> float:
    if name in SUMMED:
        return float(table[name].sum())
    weight = table[_SHARES[name]].where(table[name].notna(), 0.0)
    return float((table[name].fillna(0.0) * weight).sum() / weight.sum()) if weight.sum() > 0.0 else float("nan")


def _approval_days(inputs: PlanInputs) -> int:
    approval = inputs.supply.approval
    return int(np.ceil((inputs.settings.approval_days if approval is None else approval.mean_days) - 1e-9))
