"""Was there anything to sell? Which days of a pair count as out of stock (docs/demand.md gives the rule in words)."""

from dataclasses import dataclass

import numpy as np

# An empty shelf says nothing about demand, but one that stays empty longer than this is no longer offered for sale:
# from then on nothing sold means no demand. Longer than most lead times, shorter than a dead item's years.
LONGEST_STOCK_OUT_DAYS = 180
# A pair whose demand falls mostly on days that began or ended with an empty shelf is bought for each order.
SOLD_TO_ORDER_SHARE = 0.5
# A longer period is out of stock when more than this share of its days is.
MASKED_DAYS_SHARE = 0.5


@dataclass(frozen=True)
class Movements:
    """Sparse rows of all pairs, sorted by pair and day: arrays of equal length. day counts from 1970-01-01."""

    pair: np.ndarray
    day: np.ndarray
    demand_qty: np.ndarray
    opening_qty: np.ndarray
    closing_qty: np.ndarray

    def first_day(self, n: int) -> np.ndarray:
        """The day of each pair's first row. (n,) int64"""
        return np.asarray(self.day[np.searchsorted(self.pair, np.arange(n))])


@dataclass(frozen=True)
class DayGrid:
    """Rows x days. NaN stock is unknown. exists: on or after the pair's first movement."""

    demand_qty: np.ndarray
    opening_qty: np.ndarray
    closing_qty: np.ndarray
    exists: np.ndarray


def lay_out(rows: Movements, begin: int, end: int, first_day: int, stop_day: int) -> DayGrid:
    """The days first_day..stop_day-1 of the pairs begin..end-1, stock carried over days without a row."""
    low, high = np.searchsorted(rows.pair, [begin, end])
    pair, day = rows.pair[low:high] - begin, rows.day[low:high]
    n, width = end - begin, stop_day - first_day
    inside = (day >= first_day) & (day < stop_day)
    at, column = pair[inside], day[inside] - first_day
    demand = np.zeros((n, width))
    demand[at, column] = rows.demand_qty[low:high][inside]
    # Position of the latest row up to each day, counted from 1; 0: none yet. Rows before the grid enter at its edge.
    latest = np.zeros((n, width), dtype=np.int32)
    older = np.flatnonzero(day < first_day)
    latest[pair[older], 0] = older + 1
    before = latest[:, :1].copy()
    latest[at, column] = np.flatnonzero(inside) + 1
    np.maximum.accumulate(latest, axis=1, out=latest)
    closings = np.concatenate([[np.nan], rows.closing_qty[low:high]])
    openings = np.concatenate([[np.nan], rows.opening_qty[low:high]])
    closing = closings[latest]
    opening = np.empty_like(closing)
    opening[:, 1:] = closing[:, :-1]
    opening[:, :1] = closings[before]
    opening[at, column] = openings[latest[at, column]]
    return DayGrid(demand, opening, closing, latest > 0)


def out_of_stock(grid: DayGrid) -> np.ndarray:
    """Days on which demand could not show itself. (rows, days) bool"""
    empty = grid.closing_qty <= 0  # NaN is not: unknown stock counts as stocked
    started_empty = grid.opening_qty <= 0
    sold = grid.demand_qty > 0
    nothing_all_day = empty & started_empty & ~sold
    sold_out = empty & ~started_empty & sold
    usual = _mean(grid.demand_qty, grid.exists & ~nothing_all_day & ~sold_out)
    # What was sold before the shelf ran empty is a lower bound. One above the usual level is news and stays.
    cut_short = sold_out & (grid.demand_qty < usual[:, None])
    out = (nothing_all_day & ~_given_up(nothing_all_day)) | cut_short
    return np.asarray(out & grid.exists & ~_sold_to_order(grid, empty | started_empty)[:, None])


def out_of_stock_periods(
    out: np.ndarray, exists: np.ndarray, columns: np.ndarray, demand_qty: np.ndarray
) -> np.ndarray:
    """Periods (starting at `columns` of the day grid) of whose existing days more than half are out of stock.

    demand_qty: (rows, periods). As with days, one that sold more than the other periods do on average is news and
    stays: stock-outs follow large demands, and whoever leaves those out learns from the quiet periods alone.
    """
    days_out = np.add.reduceat(out, columns, axis=1, dtype=np.int32)
    days = np.add.reduceat(exists, columns, axis=1, dtype=np.int32)
    mostly = days_out > MASKED_DAYS_SHARE * days
    others = (days > 0) & ~mostly
    usual = np.where(others.any(axis=1), _mean(demand_qty, others), np.inf)
    return np.asarray(mostly & (demand_qty <= usual[:, None]))


def _mean(values: np.ndarray, where: np.ndarray) -> np.ndarray:
    count = where.sum(axis=1)
    return np.asarray(np.where(where, values, 0.0).sum(axis=1) / np.maximum(count, 1))


def _sold_to_order(grid: DayGrid, at_empty: np.ndarray) -> np.ndarray:
    sold = np.maximum(grid.demand_qty, 0.0)
    return np.asarray(np.where(at_empty, sold, 0.0).sum(axis=1) > SOLD_TO_ORDER_SHARE * sold.sum(axis=1))


def _given_up(empty: np.ndarray) -> np.ndarray:
    """Days on which the shelf has been empty for more than LONGEST_STOCK_OUT_DAYS on end."""
    day = np.arange(empty.shape[1])
    last_stocked = np.maximum.accumulate(np.where(empty, -1, day), axis=1)
    return np.asarray(empty & (day - last_stocked > LONGEST_STOCK_OUT_DAYS))
