"""The net position of every pair, laid out in days.

Day 0 is as_of + 1, the first day that is not yet over. What was sold of an unfinished week or month has already left
on_hand_qty, and the forecast path begins on day 0, so nothing is counted twice.

Forecast and firm orders are not added up: a sales order is, as a rule, part of the demand that was forecast. Demand is
taken in buckets of BUCKET_DAYS days counted from day 0; inside a bucket demand up to a day is the larger of the
forecast and the firm orders due so far. A firm order therefore uses up the forecast of its own bucket, never that of a
later one: a large single order does not hide the regular demand of the following weeks. (Forecast consumption within a
window: Vollmann, Berry, Whybark & Jacobs, Manufacturing Planning and Control, 5th ed., on master scheduling.)
Overdue orders, and kinds that no forecast contains (transfers out, till receipts not yet in the ledger), come on top.

Two settings change it. Within a consumption window a firm order that is more than the forecast of its own bucket uses
up forecast that is left over in other buckets so many days back, the nearest first, then so many days forward
(backward and forward consumption, the same chapter). Inside the demand time fence only firm demand counts.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

BUCKET_DAYS = 7
# Firm demand that the forecast already contains; every other kind comes on top.
FORECAST_KINDS = ("sales_order", "production", "subcontract", "production_plan", "material_issue")
_BLOCK_ROWS = 4096
_NEVER = -1


@dataclass(frozen=True)
class Netting:
    """How forecast and firm demand are netted. back_days, forward_days: how far an order reaches for forecast beyond
    its own bucket; fence_days: so many days from day 0 the forecast does not count.
    """

    back_days: int = 0
    forward_days: int = 0
    fence_days: int = 0


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


def lay_out(
    dated: pd.DataFrame,
    pair_index: pd.MultiIndex,
    as_of: date,
    days: int,
    forecast_kinds: Sequence[str] = FORECAST_KINDS,
) -> DatedFlows:
    """Sum the table DATED into day columns. Rows of pairs outside `pair_index` are ignored.

    The sign decides: qty > 0 comes in, qty < 0 goes out. A day at or before as_of is overdue and counts on day 0.
    forecast_kinds: the kinds of firm demand that the forecast contains; what its history leaves out comes on top.
    """
    row = pair_index.get_indexer(pd.MultiIndex.from_frame(dated[["item_code", "warehouse"]]))
    column = (dated["day"] - pd.Timestamp(as_of)).dt.days.to_numpy(dtype=np.int64) - 1
    qty, kind = dated["qty"].to_numpy(dtype=float), dated["kind"]
    known, overdue, inside = row >= 0, column < 0, column < days
    column = np.maximum(column, 0)
    comes, goes = known & (qty > 0.0), known & (qty < 0.0)
    forecast_kind, draft = kind.isin(list(forecast_kinds)).to_numpy(), kind.eq("our_draft").to_numpy()
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


def put_off_qty(dated: pd.DataFrame, pair_index: pd.MultiIndex, as_of: date, window_days: Ints) -> Floats:
    """(n,) supply of the table DATED that was agreed for a pair's window and is expected after it. window_days: as in
    `project`, which counts supply through the day after the window."""
    moved = dated[dated["agreed_on"].notna() & (dated["qty"] > 0.0)]
    row = pair_index.get_indexer(pd.MultiIndex.from_frame(moved[["item_code", "warehouse"]]))
    moved, row = moved[row >= 0], row[row >= 0]
    agreed, expected = ((moved[day] - pd.Timestamp(as_of)).dt.days.to_numpy() - 1 for day in ("agreed_on", "day"))
    missed = (agreed <= window_days[row]) & (expected > window_days[row])
    return np.bincount(row, np.where(missed, moved["qty"].to_numpy(dtype=float), 0.0), len(pair_index)).astype(float)


def forecast_that_counts(forecast: Floats, netting: Netting, replaced: Flags, production_days: int) -> Floats:
    """(n, days) the forecast that is netted with firm demand: none inside the demand time fence, and none up to the
    production horizon in the rows `replaced`, (n,), whose exploded demand takes its place there.
    """
    if netting.fence_days <= 0 and (production_days <= 0 or not replaced.any()):
        return forecast
    day = np.arange(forecast.shape[1])
    silent = (day < netting.fence_days) | (replaced[:, None] & (day < production_days))
    return np.where(silent, 0.0, forecast)


def demand_through_day(forecast: Floats, firm: Floats, netting: Netting | None = None) -> Floats:
    """Demand from day 0 through each day, forecast and firm orders netted. (n, days) each -> (n, days).

    forecast: what of it counts (`forecast_that_counts`).
    """
    through = _through_by_bucket(forecast, firm)
    if netting is None or netting.back_days + netting.forward_days <= 0:
        return through
    # Who has no firm order has none that asks for more than its bucket: most pairs, and all of their days.
    rows = np.flatnonzero((firm != 0.0).any(axis=1))
    if len(rows):
        used = _consumed_elsewhere(through[rows], forecast[rows], firm[rows], netting)
        through[rows] -= np.cumsum(used, axis=1)
    return through


def _through_by_bucket(forecast: Floats, firm: Floats) -> Floats:
    n, days = forecast.shape
    buckets = -(-days // BUCKET_DAYS)
    padding = ((0, 0), (0, buckets * BUCKET_DAYS - days))
    shape = (n, buckets, BUCKET_DAYS)
    inside = np.maximum(
        np.cumsum(np.pad(forecast, padding).reshape(shape), axis=2),
        np.cumsum(np.pad(firm, padding).reshape(shape), axis=2),
    )
    before = np.cumsum(inside[:, :, -1], axis=1) - inside[:, :, -1]
    return np.asarray((inside + before[:, :, None]).reshape(n, -1)[:, :days])  # new memory, the caller's


def _consumed_elsewhere(through: Floats, forecast: Floats, firm: Floats, netting: Netting) -> Floats:
    """(n, days) forecast that orders of other buckets use up, on the days on which it had counted.

    In every bucket the lasting rise of `through` over the firm orders is forecast left over, and its lasting rise over
    the forecast is what orders ask for beyond it. Both grow on the days on which they are there for good, so that
    taking some of the first away leaves demand that never falls and never lies below the firm orders.
    """
    used = np.zeros_like(through)
    left = _lasting_rise(through, firm)
    beyond = _lasting_rise(through, forecast)
    rows = np.flatnonzero((left > 0.0).any(axis=1) & (beyond > 0.0).any(axis=1))
    if not len(rows):
        return used
    left, beyond, taken = left[rows], beyond[rows], np.zeros((len(rows), through.shape[1]))
    days = through.shape[1]
    steps = [-k for k in range(1, netting.back_days + 1)] + list(range(1, netting.forward_days + 1))
    # A loop over the days of the window, not over orders: the nearest forecast goes first.
    for step in (step for step in steps if abs(step) < days):
        order, stock = (slice(-step, None), slice(None, step)) if step < 0 else (slice(None, -step), slice(step, None))
        moved = np.minimum(beyond[:, order], left[:, stock])
        beyond[:, order] -= moved
        left[:, stock] -= moved
        taken[:, stock] += moved
    used[rows] = taken
    return used


def _lasting_rise(through: Floats, part: Floats) -> Floats:
    """(n, days) what each bucket's demand ends above `part`, on the days from which it never falls back."""
    n, days = through.shape
    buckets = -(-days // BUCKET_DAYS)
    pad = buckets * BUCKET_DAYS - days
    above = through - np.cumsum(part, axis=1)
    above = np.pad(above, ((0, 0), (0, pad)), mode="edge").reshape(n, buckets, BUCKET_DAYS)
    before = np.concatenate([np.zeros((n, 1)), above[:, :-1, -1]], axis=1)
    inside = above - before[:, :, None]
    lasting = np.minimum.accumulate(inside[:, :, ::-1], axis=2)[:, :, ::-1]
    rise = np.diff(lasting, axis=2, prepend=0.0)
    return np.asarray(np.maximum(rise, 0.0).reshape(n, -1)[:, :days])


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
    on_hand: Floats,
    forecast: Floats,
    flows: DatedFlows,
    safety_stock: Floats,
    arrival_day: Ints,
    window_days: Ints,
    counted: Floats | None = None,
    netting: Netting | None = None,
) -> Outlook:
    """Project every pair's stock day by day and read off what a buyer has to know.

    on_hand, safety_stock: (n,); forecast: (n, days); arrival_day: (n,) index of the day on which an order placed on
    day 0 arrives; window_days: (n,) days that an order placed now has to cover, arrival_day + review period, at
    least 1. days must be more than every window_days. counted: the forecast that is netted with firm demand, where it
    is not the forecast itself; what lies above the forecast is reckoned against `forecast`, which levels are made of.
    Works in blocks of rows so that the matrices of 30,000 pairs
    do not stand in memory at once.
    """
    if not len(on_hand):
        return Outlook(*(np.zeros(0, dtype=np.int64 if f.name.endswith("_day") else float) for f in fields(Outlook)))
    used = forecast if counted is None else counted
    blocks = [slice(start, start + _BLOCK_ROWS) for start in range(0, len(on_hand), _BLOCK_ROWS)]
    parts = [
        _project_block(
            on_hand[b], forecast[b], used[b], flows.rows(b), safety_stock[b], arrival_day[b], window_days[b], netting
        )
        for b in blocks
    ]
    return Outlook(*(np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(Outlook)))


def projected_stock(on_hand: Floats, forecast: Floats, flows: DatedFlows, netting: Netting | None = None) -> Floats:
    """Stock at the end of each day, nothing new ordered; below zero is a backlog. -> (n, days), stock units."""
    demand = demand_through_day(forecast, flows.firm, netting) + np.cumsum(flows.on_top, axis=1)
    return np.asarray(on_hand[:, None] + np.cumsum(flows.supply + flows.drafts, axis=1) - demand)


def _project_block(
    on_hand: Floats,
    forecast: Floats,
    counted: Floats,
    flows: DatedFlows,
    safety_stock: Floats,
    arrival_day: Ints,
    window_days: Ints,
    netting: Netting | None,
) -> Outlook:
    through = demand_through_day(counted, flows.firm, netting)
    on_top_through = np.cumsum(flows.on_top, axis=1)
    stock = on_hand[:, None] + np.cumsum(flows.supply + flows.drafts, axis=1) - (through + on_top_through)
    day, rows = np.arange(forecast.shape[1]), np.arange(len(on_hand))
    in_window, early = day < window_days[:, None], day < arrival_day[:, None]
    last = window_days - 1
    on_top = on_top_through[rows, last]
    # Sums over the window, not running sums: matrices of this size cost what is read and written.
    inside = in_window.astype(float)
    later_drafts = flows.all_drafts - (flows.drafts * inside).sum(axis=1)
    demand = through[rows, last]
    missing = np.maximum(0.0, -stock)
    return Outlook(
        # Through the day after the window: there an order of today arrives when no review period is set.
        supply_qty=(flows.supply * inside).sum(axis=1) + flows.supply[rows, window_days],
        # Whenever due: a draft is our answer to this very need, also where a person moved its date.
        draft_qty=flows.all_drafts,
        firm_qty=(flows.firm * inside).sum(axis=1),
        on_top_qty=on_top,
        above_forecast_qty=demand - (forecast * inside).sum(axis=1) + on_top,
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
