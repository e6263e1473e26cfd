"""After an event: where pairs stand by the levels of the last plan, and what they have to order now.

Position in time, need, quantity, supplier, price and order of a line come out as `replenish` would make them from the
same stock and documents, by the same formulas. What only a plan of the whole company can decide is left to it: the
week's money, orders filled to a minimum, and a faster supplier in the place of the usual one.
"""

from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from erp_forecast_addon.planning.purchasing.joint_orders import ship_to
from erp_forecast_addon.planning.purchasing.lots import Lots, lot_sizes
from erp_forecast_addon.planning.purchasing.need import order_need
from erp_forecast_addon.planning.purchasing.order_days import CALENDAR_DAYS, OrderTerms, order_days
from erp_forecast_addon.planning.purchasing.position import forecast_that_counts, lay_out
from erp_forecast_addon.planning.purchasing.price_breaks import break_worth_taking, rates_at
from erp_forecast_addon.planning.purchasing.proposals import day_dates
from erp_forecast_addon.planning.purchasing.requirements import Look, Shelves, look_at
from erp_forecast_addon.planning.replenishment.cases import room_for_order
from erp_forecast_addon.planning.replenishment.ready import ReadyPairs
from erp_forecast_addon.planning.replenishment.reckoning import netting_of, taken_by_production
from erp_forecast_addon.planning.replenishment.timing import Arrivals
from erp_forecast_addon.planning.settings import PlanSettings

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Ints = NDArray[np.int64]
_DAY = "datetime64[D]"
_PAIR = ["item_code", "warehouse"]


@dataclass(frozen=True)
class Standing:
    """What stands of (n,) pairs now, in their order. on_hand_qty: stock units; may_order: whether we order them, and
    no person has put them to rest; dated: table DATED, of any pairs."""

    on_hand_qty: Floats
    may_order: Flags
    dated: pd.DataFrame


class Line(NamedTuple):
    """A line that has to be ordered now; columns of PROPOSALS."""

    item_code: str
    warehouse: str
    supplier: str
    currency: str
    ship_to: str
    qty: float
    uom: str
    stock_qty: float
    rate: float
    base_amount: float
    need_on: date
    schedule_date: date
    order_by: date


@dataclass(frozen=True)
class Looked:
    """position_qty: (n,), NaN of pairs whose plan is too old; lines: of the pairs that have to order, by order: one per
    supplier, currency and ship-to."""

    position_qty: Floats
    lines: list[Line]


def look(
    ready: ReadyPairs, planned_on: NDArray[np.datetime64], standing: Standing, terms: OrderTerms,
    settings: PlanSettings, as_of: date,
) -> Looked:  # fmt: skip
    """planned_on: (n,) the last complete day of the plan that each pair was kept by; as_of: the last complete day now.
    A plan made later than as_of, or more than LASTS_DAYS days before, is not looked at."""
    position = np.full(len(ready), np.nan)
    days = order_days(terms, ready.supplier, as_of, int(ready.lead_days.max(initial=0.0)) + 1 + CALENDAR_DAYS)
    arrivals = Arrivals.of(days, ready.lead_days)
    past = (np.datetime64(as_of, "D") - planned_on.astype(_DAY)).astype(np.int64)
    rows = np.flatnonzero((past >= 0) & (past + _window_days(ready, arrivals) < ready.forecast_days))
    if not len(rows):
        return Looked(position, [])
    some, arrivals = ready.select(rows), arrivals.select(rows)
    found = look_at(_shelves(some, arrivals, past[rows], standing, rows, settings, as_of), netting_of(settings))
    position[rows] = found.position_qty
    due = found.due & standing.may_order[rows]
    wanted = some.order_up_to_qty + arrivals.ahead_days(settings) * some.daily_mean_qty
    need = np.where(due, order_need(wanted, found.position_qty), 0.0)
    asks = np.flatnonzero(need > 0.0)
    return Looked(position, _lines(some, need, found, arrivals, asks, terms, settings, as_of) if len(asks) else [])


def _window_days(ready: ReadyPairs, arrivals: Arrivals) -> Ints:
    return arrivals.arrival_day + ready.cover_days.astype(np.int64) + arrivals.missed_days


def _shelves(
    ready: ReadyPairs, arrivals: Arrivals, past: Ints, standing: Standing, rows: Ints,
    settings: PlanSettings, as_of: date,
) -> Shelves:  # fmt: skip
    """As reckoning makes them, of the kept levels."""
    length = ready.forecast.shape[1]
    ahead = np.arange(length)[None, :] + past[:, None]
    # What is kept ends; beyond it nothing reaches into the window.
    forecast = np.where(ahead < length, np.take_along_axis(ready.forecast, np.minimum(ahead, length - 1), axis=1), 0.0)
    index = pd.MultiIndex.from_arrays([ready.item_code, ready.warehouse], names=_PAIR)
    flows = lay_out(standing.dated, index, as_of, length, settings.forecast_kinds)
    replaced = taken_by_production(standing.dated, index, settings)
    whole = ready.stock_uom_whole
    return Shelves(
        on_hand=standing.on_hand_qty[rows],
        reserved=np.zeros(len(ready)),  # of no account where nobody else is supplied
        forecast=forecast,
        counted=forecast_that_counts(forecast, netting_of(settings), replaced, settings.production_horizon_days),
        flows=flows,
        trigger_qty=ready.trigger_qty,
        order_up_to_qty=ready.order_up_to_qty,
        reorder_point_qty=ready.reorder_point_qty,
        due_days=ready.due_days + arrivals.missed_days,
        falls_qty=ready.daily_mean_qty * (arrivals.shift_days + arrivals.missed_days),
        may_order=arrivals.may_order(settings),
        by_position=ready.by_position,
        arrival_day=arrivals.arrival_day,
        window_days=_window_days(ready, arrivals),
        step_qty=np.where(whole, 1.0, 0.0),
        whole=whole,
    )


def _lines(
    ready: ReadyPairs, need: Floats, found: Look, arrivals: Arrivals, asks: Ints, terms: OrderTerms,
    settings: PlanSettings, as_of: date,
) -> list[Line]:  # fmt: skip
    lines, arrivals, position = ready.select(asks), arrivals.select(asks), found.position_qty[asks]
    most = room_for_order(lines.most_qty, lines.acts_at_qty, lines.step_qty, position)
    lots, rate = _lots(lines, need[asks], lines.min_order_qty, most), lines.rate
    if lines.breaks is not None:
        if settings.take_price_breaks:
            same = np.ones(len(lines))
            worth = break_worth_taking(
                lines.breaks, lots.stock_qty, position, lines.daily_mean_qty, lines.lead_days,
                settings.holding_rate_per_year * same, settings.order_cost * same, most,
            )  # fmt: skip
            lots = _lots(lines, need[asks], np.maximum(lines.min_order_qty, worth), most)
        rate, _base_rate = rates_at(
            lines.breaks, lots.stock_qty, rate, lines.base_rate, lines.conversion_factor, lines.exchange_rate
        )
    rate = np.nan_to_num(rate)
    below = found.below_day[asks]
    delivery = arrivals.days.delivery_by(below, arrivals.arrival_day)
    order_by = arrivals.days.order_by(delivery, arrivals.lead_days)
    asked_of = terms.of(lines.supplier)
    columns = [
        lines.item_code, lines.warehouse, lines.supplier, lines.currency,
        ship_to(lines.supplier, lines.warehouse, asked_of, settings.ship_to),
        lots.qty, lines.uom, lots.stock_qty, rate, np.nan_to_num(lots.qty * rate * lines.exchange_rate),
        *(day_dates(day, as_of).astype(_DAY) for day in (below, delivery, order_by)),
    ]  # fmt: skip
    made = [Line(*row) for row in zip(*(column[lots.possible].tolist() for column in columns), strict=True)]
    return sorted(made, key=lambda line: (line.supplier, line.currency, line.ship_to, line.item_code, line.warehouse))


def _lots(lines: ReadyPairs, need: Floats, least: Floats, most: Floats) -> Lots:
    return lot_sizes(
        need, least, lines.order_multiple_qty, lines.conversion_factor, lines.uom_whole, lines.stock_uom_whole, most
    )
