"""The net position of every pair, laid out in days.

Day 0 is as_of + 1, the first day that is not yet over. What was sold of an unfinished week or month has already left
on_hand_qty, and the forecast path begins on day 0, so nothing is counted twice.

Forecast and firm orders are not added up: a sales order is, as a rule, part of the demand that was forecast. Demand is
taken in buckets of BUCKET_DAYS days counted from day 0; inside a bucket demand up to a day is the larger of the
forecast and the firm orders due so far. A firm order therefore uses up the forecast of its own bucket, never that of a
later one: a large single order does not hide the regular demand of the following weeks. (Forecast consumption within a
window: Vollmann, Berry, Whybark & Jacobs, Manufacturing Planning and Control, 5th ed., on master scheduling.)
Overdue orders, and kinds that no forecast contains (transfers out, till receipts not yet in the ledger), come on top.
"""

from dataclasses import dataclass, fields
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

BUCKET_DAYS = 7
# Firm demand that the forecast already contains; every other kind comes on top.
FORECAST_KINDS = ("sales_order", "production", "subcontract", "production_plan", "material_issue")
_BLOCK_ROWS = 4096
_NEVER = -1


@dataclass(frozen=True)
class DatedFlows:
    """What is open, by day. Stock units, all quantities >= 0 except where a site reports a reversed one.

    supply: (n, days) by arrival, overdue on day 0, without our drafts; drafts: (n, days) our drafts likewise;
    all_drafts: (n,) our drafts whenever due; firm: (n, days) demand that the forecast contains; on_top: (n, days)
    demand that it does not, overdue demand on day 0.
    """

    supply: Floats
    drafts: Floats
    all_drafts: Floats
    firm: Floats
    on_top: Floats

    def rows(self, block: slice) -> "DatedFlows":
        return DatedFlows(
            self.supply[block], self.drafts[block], self.all_drafts[block], self.firm[block], self.on_top[block]
        )


def lay_out(dated: pd.DataFrame, pair_index: pd.MultiIndex, as_of: date, days: int) -> DatedFlows:
    """Sum the table DATED into day columns. Rows of pairs outside `pair_index` are ignored.

    The sign decides: qty > 0 comes in, qty < 0 goes out. A day at or before as_of is overdue and counts on day 0.
    """
    row = pair_index.get_indexer(pd.MultiIndex.from_frame(dated[["item_code", "warehouse"]]))
    column = (dated["day"] - pd.Timestamp(as_of)).dt.days.to_numpy(dtype=np.int64) - 1
    qty, kind = dated["qty"].to_numpy(dtype=float), dated["kind"]
    known, overdue, inside = row >= 0, column < 0, column < days
    column = np.maximum(column, 0)
    comes, goes = known & (qty > 0.0), known & (qty < 0.0)
    forecast_kind, draft = kind.isin(FORECAST_KINDS).to_numpy(), kind.eq("our_draft").to_numpy()
    n = len(pair_index)

    def by_day(chosen: NDArray[np.bool_]) -> Floats:
        flat = row[chosen] * days + column[chosen]
        return np.bincount(flat, np.abs(qty[chosen]), minlength=n * days).astype(float).reshape(n, days)

    regular = goes & forecast_kind & ~overdue
    return DatedFlows(
        supply=by_day(comes & ~draft & inside),
        drafts=by_day(comes & draft & inside),
        all_drafts=np.bincount(row[comes & draft], qty[comes & draft], minlength=n).astype(float),
        firm=by_day(regular & inside),
        on_top=by_day(goes & ~regular & inside),
    )


def demand_through_day(forecast: Floats, firm: Floats) -> Floats:
    """Demand from day 0 through each day, forecast and firm orders netted by bucket. (n, days) each -> (n, days)."""
    n, days = forecast.shape
    buckets = -(-days // BUCKET_DAYS)
    padding = ((0, 0), (0, buckets * BUCKET_DAYS - days))
    shape = (n, buckets, BUCKET_DAYS)
    inside = np.maximum(
        np.cumsum(np.pad(forecast, padding).reshape(shape), axis=2),
        np.cumsum(np.pad(firm, padding).reshape(shape), axis=2),
    )
    before = np.cumsum(inside[:, :, -1], axis=1) - inside[:, :, -1]
    return np.asarray((inside + before[:, :, None]).reshape(n, -1)[:, :days])


@dataclass(frozen=True)
class Outlook:
    """What the projection says about each pair, nothing new ordered. All (n,), stock units; days are indices from day
    0, -1 for never.

    supply_qty: due by the end of the window, without our drafts; draft_qty: our drafts, whenever due;
    firm_qty: firm demand in the window that the forecast contains; on_top_qty: overdue and other demand on top;
    above_forecast_qty: demand in the window beyond its forecast, on_top_qty included;
    below_safety_day: first day of the window below the safety stock; shortage_day: first day below zero;
    short_before_arrival_qty: deepest shortage before an order placed on day 0 arrives; short_first_day: its first day;
    short_later_qty: deepest shortage from then to the end of the window; short_later_day: its first day;
    end_qty: projected stock at the end of the window.
    """

    supply_qty: Floats
    draft_qty: Floats
    firm_qty: Floats
    on_top_qty: Floats
    above_forecast_qty: Floats
    below_safety_day: Ints
    shortage_day: Ints
    short_before_arrival_qty: Floats
    short_first_day: Ints
    short_later_qty: Floats
    short_later_day: Ints
    end_qty: Floats


def project(
    on_hand: Floats, forecast: Floats, flows: DatedFlows, safety_stock: Floats, arrival_day: Ints, window_days: Ints
) -> Outlook:
    """Project every pair's stock day by day and read off what a buyer has to know.

    on_hand, safety_stock: (n,); forecast: (n, days); arrival_day: (n,) index of the day on which an order placed on
    day 0 arrives; window_days: (n,) days that an order placed now has to cover, arrival_day + review period, at
    least 1. days must be more than every window_days. Works in blocks of rows so that the matrices of 30,000 pairs
    do not stand in memory at once.
    """
    if not len(on_hand):
        return Outlook(*(np.zeros(0, dtype=np.int64 if f.name.endswith("_day") else float) for f in fields(Outlook)))
    blocks = [slice(start, start + _BLOCK_ROWS) for start in range(0, len(on_hand), _BLOCK_ROWS)]
    parts = [
        _project_block(on_hand[b], forecast[b], flows.rows(b), safety_stock[b], arrival_day[b], window_days[b])
        for b in blocks
    ]
    return Outlook(*(np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(Outlook)))


def projected_stock(on_hand: Floats, forecast: Floats, flows: DatedFlows) -> Floats:
    """Stock at the end of each day, nothing new ordered; below zero is a backlog. -> (n, days), stock units."""
    demand = demand_through_day(forecast, flows.firm) + np.cumsum(flows.on_top, axis=1)
    return np.asarray(on_hand[:, None] + np.cumsum(flows.supply + flows.drafts, axis=1) - demand)


def _project_block(
    on_hand: Floats, forecast: Floats, flows: DatedFlows, safety_stock: Floats, arrival_day: Ints, window_days: Ints
) -> Outlook:
    stock = projected_stock(on_hand, forecast, flows)
    day, rows = np.arange(forecast.shape[1]), np.arange(len(on_hand))
    in_window, early = day < window_days[:, None], day < arrival_day[:, None]
    last = window_days - 1
    on_top = np.cumsum(flows.on_top, axis=1)[rows, last]
    later_drafts = flows.all_drafts - np.cumsum(flows.drafts, axis=1)[rows, last]
    demand = demand_through_day(forecast, flows.firm)[rows, last]
    missing = np.maximum(0.0, -stock)
    return Outlook(
        # Through the day after the window: there an order of today arrives when no review period is set.
        supply_qty=np.cumsum(flows.supply, axis=1)[rows, window_days],
        # Whenever due: a draft is our answer to this very need, also where a person moved its date.
        draft_qty=flows.all_drafts,
        firm_qty=np.cumsum(flows.firm, axis=1)[rows, last],
        on_top_qty=on_top,
        above_forecast_qty=demand - np.cumsum(forecast, axis=1)[rows, last] + on_top,
        below_safety_day=_first_day(in_window & (stock < safety_stock[:, None] - 1e-9)),
        shortage_day=_first_day(stock < -1e-9),
        short_before_arrival_qty=np.max(missing, axis=1, where=early, initial=0.0),
        short_first_day=_first_day(early & (missing > 1e-9)),
        short_later_qty=np.max(missing, axis=1, where=in_window & ~early, initial=0.0),
        short_later_day=_first_day(in_window & ~early & (missing > 1e-9)),
        end_qty=stock[rows, last] + later_drafts,
    )


def _first_day(happens: NDArray[np.bool_]) -> Ints:
    return np.where(happens.any(axis=1), happens.argmax(axis=1), _NEVER).astype(np.int64)
