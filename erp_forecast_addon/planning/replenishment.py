"""From a demand outlook and what stands on the shelves to levels, proposals and faults: everything after the forecast.

Kept apart from plan.py so that it runs on any demand outlook: a forecast, an override, a simulation, a test's numbers.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from erp_forecast_addon.planning.door import Checked, check_rows
from erp_forecast_addon.planning.errors import Fault
from erp_forecast_addon.planning.inventory.classes import abc_classes
from erp_forecast_addon.planning.inventory.lead_time import LeadTimes, choose_lead_times
from erp_forecast_addon.planning.inventory.levels import Levels, service_levels, set_levels
from erp_forecast_addon.planning.inventory.policies import Standing, policy_table
from erp_forecast_addon.planning.inventory.safety_stock import expected_units_short
from erp_forecast_addon.planning.purchasing import faults as sentences
from erp_forecast_addon.planning.purchasing.faults import item_faults, pair_faults
from erp_forecast_addon.planning.purchasing.lots import SMALLEST_QTY, whole_days_up
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
from erp_forecast_addon.planning.tables import DATED, ITEMS, POSITIONS, SOURCING

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

_PAIR = ["item_code", "warehouse"]
_VISIBLE_SHARE_OF_A_PIECE = 0.5


@dataclass(frozen=True)
class Supply:
    """dated: table DATED; items: table ITEMS; sourcing: table SOURCING."""

    dated: pd.DataFrame
    items: pd.DataFrame
    sourcing: pd.DataFrame


@dataclass(frozen=True)
class DemandOutlook:
    """Expected demand of (n,) pairs. keys: item_code, warehouse, unique; demand_class: (n,) text;
    daily_mean(as_of, days) -> (n, days), stock units a day from as_of + 1; daily_std() -> (n,);
    last_year_qty: (n,) demand of the last 365 days, stock units.
    """

    keys: pd.DataFrame
    demand_class: np.ndarray
    daily_mean: Callable[[date, int], np.ndarray]
    daily_std: Callable[[], np.ndarray]
    last_year_qty: np.ndarray


@dataclass(frozen=True)
class Replenishment:
    """policies: POLICIES; proposals: PROPOSALS; faults: in a fixed order."""

    policies: pd.DataFrame
    proposals: pd.DataFrame
    faults: list[Fault]


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
    reckoned = _reckon(outlook, door, chosen, settings, as_of)
    cases = _cases(reckoned, settings, as_of)
    orderable, order_faults = _orderable(cases, rated, chosen)
    proposed = propose(orderable, rated, as_of)
    faults = [
        *door.faults,
        *_standing_faults(cases, reckoned.unusable),
        *order_faults,
        *_no_lot_faults(proposed.no_lot),
        *_line_faults(orderable.drop(proposed.no_lot.index)),
        *_shortage_faults(cases, proposed.table),
    ]
    return Replenishment(_policies(reckoned, settings, as_of), proposed.table, faults)


def standing(
    outlook: DemandOutlook, positions: pd.DataFrame, supply: Supply, settings: PlanSettings, as_of: date
) -> pd.DataFrame:
    """The table POLICIES of `replenish` alone: where every pair stands with this supply. Raises as `replenish` does."""
    door = _at_the_door(positions, supply)
    chosen = choose_suppliers(rate_sourcing(door.sourcing.rows, door.items.rows, settings.currency))
    return _policies(_reckon(outlook, door, chosen, settings, as_of), settings, as_of)


@dataclass(frozen=True)
class _Reckoned:
    """Everything that is computed for every pair, (n,) in the order of `pairs`.

    unusable: the forecast is not finite; arrival_day: index of the day on which an order of today arrives.
    """

    pairs: pd.DataFrame
    unusable: Flags
    abc_class: NDArray[np.object_]
    lead_times: LeadTimes
    levels: Levels
    arrival_day: NDArray[np.int64]
    sight: Outlook
    position_qty: Floats


def _reckon(
    outlook: DemandOutlook, door: _Door, chosen: pd.DataFrame, settings: PlanSettings, as_of: date
) -> _Reckoned:
    pairs = _join_pairs(outlook, door, chosen)
    on_hand = _floats(pairs, "on_hand_qty")
    lead_times = choose_lead_times(
        _floats(pairs, "lead_time_days"),
        _floats(pairs, "lead_time_std_days"),
        _objects(pairs, "lead_time_source"),
        _floats(pairs, "item_lead_time_days"),
        settings.default_lead_time_days,
    )
    arrival_day = whole_days_up(lead_times.days)
    window_days = arrival_day + max(settings.review_period_days, settings.approval_days + 1)
    days = max(int(window_days.max(initial=0)) + 1, settings.horizon_days)
    daily_mean, daily_std, unusable = _expected_demand(outlook, pairs, as_of, days)
    abc = abc_classes(_annual_money(pairs), settings.abc_thresholds)
    levels = set_levels(
        daily_mean,
        daily_std,
        lead_times.days,
        lead_times.std_days,
        settings.review_period_days,
        service_levels(abc, settings.service_level_by_class, settings.company),
    )
    flows = lay_out(door.dated.rows, pd.MultiIndex.from_frame(pairs[_PAIR]), as_of, days)
    sight = project(on_hand, daily_mean, flows, levels.safety_stock_qty, arrival_day, window_days)
    position = net_position(on_hand, sight.supply_qty, sight.draft_qty, sight.above_forecast_qty)
    held = pairs.assign(held=pairs["held"] | unusable)
    return _Reckoned(held, unusable, abc, lead_times, levels, arrival_day, sight, position)


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
        reckoned.abc_class,
        _objects(pairs, "demand_class"),
        _objects(pairs, "stock_uom"),
        reckoned.lead_times,
        reckoned.levels,
        standing,
        settings.review_period_days,
    )


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
    missing = order_need(levels.order_up_to_qty, reckoned.position_qty)
    need_qty = np.where(due_now(sight.below_safety_day, reckoned.arrival_day, settings.approval_days), missing, 0.0)
    sells_at = _selling_rate(pairs, settings.margin_pct)
    until_next = expected_units_short(sight.end_qty, levels.protection_std_qty)
    with_levels = pairs.assign(
        abc_class=reckoned.abc_class,
        lead_time_days=lead_times.days,
        lead_time_std_days=lead_times.std_days,
        lead_time_source=lead_times.source,
        lead_time_unbelievable=lead_times.unbelievable,
        review_period_days=settings.review_period_days,
        approval_days=settings.approval_days,
        service_level=levels.service_level,
        safety_factor=levels.safety_factor,
        daily_demand_mean=levels.daily_mean,
        daily_demand_std=levels.daily_std,
        lead_time_demand_qty=levels.lead_time_demand_qty,
        protection_days=levels.protection_days,
        protection_demand_qty=levels.protection_demand_qty,
        safety_stock_qty=levels.safety_stock_qty,
        reorder_point_qty=levels.reorder_point_qty,
        order_up_to_qty=levels.order_up_to_qty,
        annual_demand_qty=np.maximum(levels.daily_mean * 365.0, pairs["last_year_qty"]),
        selling_rate=sells_at,
        need_qty=need_qty,
        position_qty=reckoned.position_qty,
        money_at_risk=np.where(need_qty > 0.0, until_next * sells_at, 0.0),
        suppressed=pairs["order_suppressed_until"] > pd.Timestamp(as_of),
        # ERPNext refuses an item on the day its life ends; orders are placed on as_of + 1.
        retired=pairs["disabled"] | (pairs["end_of_life"] <= pd.Timestamp(as_of) + pd.Timedelta(days=1)),
    )
    return _with_outlook(with_levels, sight, reckoned.arrival_day, as_of)


def _with_outlook(cases: pd.DataFrame, sight: Outlook, arrival_day: NDArray[np.int64], as_of: date) -> pd.DataFrame:
    return cases.assign(
        open_supply_qty=sight.supply_qty,
        draft_qty=sight.draft_qty,
        firm_demand_qty=sight.firm_qty,
        overdue_and_other_demand_qty=sight.on_top_qty,
        above_forecast_qty=sight.above_forecast_qty,
        below_safety_day=sight.below_safety_day,
        arrival_day=arrival_day,
        arrival_on=day_dates(arrival_day, as_of),
        order_by=day_dates(np.maximum(sight.below_safety_day - arrival_day, 0), as_of),
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
    above_year = lines["min_order_qty"] > np.maximum(lines["annual_demand_qty"], lines["need_qty"])
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
            lines[above_year],
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
