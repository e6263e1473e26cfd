"""Everything that a proposal, its evidence or a fault may name, one row per pair."""

from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from erp_forecast_addon.planning.inventory.pair_levels import PairLevels
from erp_forecast_addon.planning.inventory.safety_stock import expected_units_short
from erp_forecast_addon.planning.purchasing.joint_orders import needs_filling
from erp_forecast_addon.planning.purchasing.lots import SMALLEST_QTY, whole_days_up
from erp_forecast_addon.planning.purchasing.need import order_need
from erp_forecast_addon.planning.purchasing.order_days import OrderTerms
from erp_forecast_addon.planning.purchasing.position import Outlook
from erp_forecast_addon.planning.purchasing.proposals import day_dates
from erp_forecast_addon.planning.replenishment.pairs import selling_rate, unit_cost
from erp_forecast_addon.planning.replenishment.reckoning import Reckoned
from erp_forecast_addon.planning.settings import PlanSettings

Floats = NDArray[np.float64]


def order_cases(reckoned: Reckoned, settings: PlanSettings, as_of: date) -> pd.DataFrame:
    """Everything that a proposal, its evidence or a fault may name, one row per pair."""
    pairs, levels, lead_times, sight = reckoned.pairs, reckoned.levels, reckoned.lead_times, reckoned.sight
    chosen, book = levels.chosen, levels.textbook
    timing, on_paths = reckoned.timing, reckoned.on_paths
    wanted, ahead = chosen.order_up_to_qty.copy(), timing.ahead_days(settings).astype(float)
    # The paths begin where the order arrives.
    wanted[on_paths.rows], ahead[on_paths.rows] = reckoned.position_qty[on_paths.rows] + on_paths.orders.qty, 0.0
    ahead_qty = ahead * book.daily_mean
    need_qty = np.where(reckoned.due, order_need(wanted + ahead_qty, reckoned.position_qty), 0.0)
    sells_at = selling_rate(pairs, settings.margin_pct)
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
        most_order_qty=room_for_order(
            most_held_qty(levels),
            acts_at_qty(levels),
            np.asarray(levels.inputs.order_multiple_qty),
            reckoned.position_qty,
        ),
        due_in_days=_due_in_days(reckoned, wanted, reckoned.position_qty),
        supplier_lead_days=lead_times.days,
        position_qty=reckoned.position_qty,
        margin_protected=until_next * np.maximum(sells_at - unit_cost(pairs), 0.0),
        window_risk=until_next * sells_at,
        money_at_risk=np.where(need_qty > 0.0, until_next * sells_at, 0.0),
        put_off_qty=reckoned.put_off_qty,
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


def most_held_qty(levels: PairLevels) -> Floats:
    """(n,) the most that may be held, or that sells before it expires; inf where nothing limits it."""
    inputs = levels.inputs
    most = np.minimum(inputs.cap_qty, inputs.max_stock_qty)
    if inputs.sellable is not None:
        most = np.where(inputs.expires, np.minimum(most, inputs.sellable.mean), most)
    return np.broadcast_to(np.asarray(most, dtype=float), (inputs.n,))


def acts_at_qty(levels: PairLevels) -> Floats:
    """(n,) position at which the next look at the stock orders at the latest."""
    return np.asarray(levels.chosen.reorder_point_qty + levels.textbook.daily_mean * (levels.due_days + 1.0))


def room_for_order(most_held: Floats, acts_at: Floats, step: Floats, position: Floats) -> Floats:
    """(n,) what an order may bring before stock passes `most_held`; inf where nothing limits it. Packs that cannot stay
    below it and above the reorder point at once are not held to it."""
    room = most_held - position
    limited = np.isfinite(most_held) & (room - step >= acts_at - position)
    return np.where(limited, np.maximum(room, 0.0), np.inf)


def _due_in_days(reckoned: Reckoned, wanted: Floats, position: Floats) -> Floats:
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


def due_soon(cases: pd.DataFrame, terms: OrderTerms, settings: PlanSettings) -> pd.DataFrame:
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
