"""What to order now, by what would come of it: an order of the periodic review that is judged on paths of demand.

A level says what to have on average. The order of today can know more: what is on the shelf and on its way, in which
week it comes, that demand which finds nothing is lost and so does not pile up, and that a season is about to end and
what is left of it will lie for long. All of that is in the course of the stock along paths of demand.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

# Chances of not running out among which the order is looked for; 0 is no order at all.
_CHANCES = (0.0, 0.2, 0.35, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.835, 0.87, 0.9, 0.93, 0.96, 0.98, 0.995)
# How far the next forecasts follow a surprise, as a share of it: what a smoothing of 0.1 makes of three weeks.
_FOLLOWED = 0.25
_ROWS = 256


@dataclass(frozen=True)
class PathOrders:
    """qty: (n,) to order now; tried_qty: (n, c) candidates; lost_qty, left_qty: (n, c) expected units lost, and units
    left at the end of a period summed over periods; holding_cost, shortage_cost: (n,) of one such unit."""

    qty: Floats
    tried_qty: Floats
    lost_qty: Floats
    left_qty: Floats
    holding_cost: Floats
    shortage_cost: Floats

    def told(self, row: int) -> dict[str, Any]:
        """What the choice was made of, JSON-serialisable: `cheapest` gives the same quantity."""
        return {
            "tried_qty": self.tried_qty[row].tolist(),
            "lost_qty": self.lost_qty[row].tolist(),
            "left_qty": self.left_qty[row].tolist(),
            "holding_cost": float(self.holding_cost[row]),
            "shortage_cost": float(self.shortage_cost[row]),
        }


def critical_ratio(shortage_cost: ArrayLike, holding_cost: ArrayLike) -> Floats:
    """Chance of not running out that costs least: a unit short over that and a unit left over, per interval. Source:
    Silver, Pyke & Thomas (2017), section 9.2 (newsvendor)."""
    short, kept = np.asarray(shortage_cost, dtype=float), np.asarray(holding_cost, dtype=float)
    return np.asarray(short / np.maximum(short + kept, 1e-12))


def cheapest(told: Mapping[str, Any]) -> float:
    """The quantity again from what `PathOrders.told` has told."""
    tried, lost, left = (np.array([told[name]]) for name in ("tried_qty", "lost_qty", "left_qty"))
    costs = np.array([told["holding_cost"]]), np.array([told["shortage_cost"]])
    return float(_cheapest(tried, lost, left, *costs)[0])


def order_on_paths(
    paths: NDArray[np.float32],
    on_hand_qty: Floats,
    arriving_qty: Floats,
    arrival: int,
    review: int,
    holding_cost: Floats,
    shortage_cost: Floats,
    min_order_qty: Floats | float = 0.0,
    order_multiple_qty: Floats | float = 1.0,
) -> PathOrders:
    """What to order now, ≥ 0, of every pair: the quantity whose expected cost is least. Stock units

    paths: (n, p, h) possible demand of the next h periods, see forecasting/paths.py; arriving_qty: (n, h) what is on
    its way, at the beginning of each period; arrival: the period at whose beginning an order of now arrives, in
    [0, h - review]; review: periods until the next order arrives. holding_cost: (n,) per unit and period, of what is
    left at its end; shortage_cost: (n,) per unit of demand that finds nothing and is lost. min_order_qty,
    order_multiple_qty: lots; a multiple of 0 allows any quantity.

    Along each path the stock runs to the arrival, then through the review interval that this order has to serve. There
    every unit short and every unit left is paid for. What is left serves the next interval instead of the next order,
    so it costs nothing further, but for what exceeds the level then wanted: that is paid for until it is sold.
    The level wanted is the newsvendor's quantile of the interval's demand, moved by _FOLLOWED of what the path brought
    beyond expectation, as the forecast will be. Candidates are quantiles of what is missing, brought to lots.
    Source: the myopic order of periodic review with lost sales, Zipkin, Foundations of Inventory Management (2000),
    section 9.6; its cost beyond the interval is what myopic rules leave out where demand falls (Morton & Pentico 1995).
    """
    n, _paths, h = paths.shape
    if not 0 <= arrival <= h - review or review < 1:
        raise ValueError(f"an order that arrives in period {arrival} and lasts {review} does not fit {h} periods")
    holding, shortage = (np.broadcast_to(np.asarray(cost, dtype=float), (n,)) for cost in (holding_cost, shortage_cost))
    least, multiple = (
        np.broadcast_to(np.asarray(lot, dtype=float), (n,)) for lot in (min_order_qty, order_multiple_qty)
    )
    parts = []
    for start in range(0, n, _ROWS):  # over blocks of rows: bounds the memory
        rows = slice(start, start + _ROWS)
        parts.append(_block(
            paths[rows], on_hand_qty[rows], arriving_qty[rows], arrival, review,
            holding[rows], shortage[rows], least[rows], multiple[rows],
        ))  # fmt: skip
    tried, lost, left = (
        np.concatenate([part[at] for part in parts]) if parts else np.zeros((0, len(_CHANCES))) for at in range(3)
    )
    qty = _cheapest(tried, lost, left, holding, shortage)
    return PathOrders(qty, tried, lost, left, np.array(holding), np.array(shortage))


def _cheapest(tried: Floats, lost: Floats, left: Floats, holding: Floats, shortage: Floats) -> Floats:
    cost = shortage[:, None] * lost + holding[:, None] * left
    # Of equal costs the smaller order.
    return np.asarray(tried[np.arange(len(tried)), np.argmin(np.round(cost, 9), axis=1)], dtype=float)


def _block(
    paths: NDArray[np.float32],
    on_hand: Floats,
    arriving: Floats,
    arrival: int,
    review: int,
    holding: Floats,
    shortage: Floats,
    least: Floats,
    multiple: Floats,
) -> tuple[Floats, Floats, Floats]:
    """Candidates, units lost and units left of each. (n, c) each"""
    _n, p, h = paths.shape
    stock = np.repeat(on_hand.astype(np.float32)[:, None], p, axis=1)
    for period in range(arrival):  # stock follows from stock
        stock = np.maximum(stock + arriving[:, period, None] - paths[:, :, period], 0)
    end = arrival + review
    due = arriving[:, arrival:end].astype(np.float32)
    asked = paths[:, :, arrival:end]
    missing = (np.cumsum(asked, axis=2) - np.cumsum(due, axis=1)[:, None, :]).max(axis=2) - stock
    tried = _lots(_quantiles(missing, np.asarray(_CHANCES)), least, multiple).astype(np.float32)
    wanted = _wanted(paths, end, review, holding, shortage)
    left = stock[:, None, :] + tried[:, :, None]  # (n, candidates, p)
    lost, kept = np.zeros(tried.shape), np.zeros(tried.shape)
    for period in range(arrival, end):
        left += due[:, period - arrival, None, None]
        gap = left - paths[:, None, :, period]
        lost += np.maximum(-gap, 0).mean(axis=2)
        left = np.maximum(gap, 0)
        kept += left.mean(axis=2)
    for period in range(end, h):
        excess = left - wanted[:, None, :, period - end]
        kept += np.maximum(excess, 0).mean(axis=2)
        left = np.maximum(left - paths[:, None, :, period], 0)
    return tried.astype(float), lost, kept


def _quantiles(values: NDArray[np.float32], chances: Floats) -> NDArray[np.float32]:
    """Least quantity with at least that chance of being enough. (n, p) -> (n, chances), 0 for chance 0"""
    ordered = np.sort(values, axis=1)
    at = np.clip(np.ceil(chances * values.shape[1]).astype(int) - 1, 0, values.shape[1] - 1)
    found = np.maximum(ordered[:, at], 0)
    found[:, chances <= 0] = 0
    return found


def _lots(qty: NDArray[np.float32], least: Floats, multiple: Floats) -> Floats:
    """Orders above 0 brought up to the minimum and to whole multiples."""
    size = np.where(multiple > 0, multiple, 1.0)[:, None]
    at_least = np.where(qty > 0, np.maximum(qty, least[:, None]), 0.0)
    return np.where((multiple > 0)[:, None], np.ceil(np.round(at_least / size, 6)) * size, at_least)


def _wanted(
    paths: NDArray[np.float32], end: int, review: int, holding: Floats, shortage: Floats
) -> NDArray[np.float32]:
    """The level wanted at the beginning of each period from `end` on, on each path. (n, p, h - end)

    Towards the end of the paths the interval is cut short; what remains of it is taken for the whole by its length.
    """
    n, p, h = paths.shape
    ratio = critical_ratio(shortage, holding * review)
    at = np.clip(np.ceil(ratio * p).astype(int) - 1, 0, p - 1)
    wanted = np.zeros((n, p, h - end), dtype=np.float32)
    seen, expected = paths[:, :, :end].sum(axis=2), paths[:, :, :end].sum(axis=2).mean(axis=1)
    told = np.divide(seen, expected[:, None], out=np.ones_like(seen), where=expected[:, None] > 0)
    moved = 1 + _FOLLOWED * (told - 1)
    for period in range(end, h):
        last = min(period + review, h)
        asked = np.sort(paths[:, :, period:last].sum(axis=2), axis=1) * (review / (last - period))
        wanted[:, :, period - end] = asked[np.arange(n), at][:, None] * moved
    return wanted
