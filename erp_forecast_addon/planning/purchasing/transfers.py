"""Goods of the company's other warehouses before goods are bought.

Two ways, both limited to what the giving warehouse can spare:
- a warehouse that another supplies asks that one and nobody else;
- warehouses of one planning group help each other out with what lies above the order-up-to level (lateral
  transshipment with complete pooling of the excess: Paterson, Kiesmueller, Teunter & Glazebrook, "Inventory models with
  lateral transshipments: a review", EJOR 210, 2011), where it costs less than buying and comes in time.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from erp_forecast_addon.planning.purchasing.lots import QTY_DECIMALS

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

_NOISE = 1e-6
_YEAR_DAYS = 365.0


@dataclass(frozen=True)
class Moves:
    """(k,) each: rows of the giving and the taking pairs, and the quantity, stock units. No row gives more than it can
    spare, no row takes more than it needs, and no two moves join the same rows."""

    giver: Ints
    taker: Ints
    qty: Floats

    @staticmethod
    def none() -> "Moves":
        rows = np.zeros(0, dtype=np.int64)
        return Moves(rows, rows, np.zeros(0))

    def select(self, chosen: Flags) -> "Moves":
        return Moves(self.giver[chosen], self.taker[chosen], self.qty[chosen])

    def and_also(self, more: "Moves") -> "Moves":
        return Moves(*(np.concatenate(both) for both in zip(vars(self).values(), vars(more).values(), strict=True)))

    def given(self, n: int) -> Floats:
        return np.bincount(self.giver, self.qty, minlength=n).astype(float)

    def taken(self, n: int) -> Floats:
        return np.bincount(self.taker, self.qty, minlength=n).astype(float)


def can_spare(
    stock: Floats,
    floor: Floats,
    window_days: Ints,
    on_hand: Floats,
    reserved: Floats,
    promised_later: Floats,
    whole: Flags,
) -> Floats:
    """(n,) what a pair can give today and still meet its own demand: on no day of its window does the projected stock
    fall below its floor, and what is promised to others stays on the shelf. Rounded down to what may be moved.

    stock: (n, days) projected with nothing new; floor: (n,) the stock below which an order is due; window_days: (n,)
    until an order of the next look has arrived; on_hand, reserved: (n,) on the shelf, and of it promised;
    promised_later: (n,) of what is promised that which the window does not ask for yet.
    """
    inside = np.arange(stock.shape[1]) < window_days[:, None]
    lowest = np.min(stock, axis=1, where=inside, initial=np.inf)
    keep = np.maximum(floor, 0.0)
    free = np.minimum(lowest - keep - promised_later, on_hand - reserved - keep)
    return rounded_down(np.maximum(free, 0.0), whole)


def excess(spare: Floats, position: Floats, order_up_to: Floats, whole: Flags) -> Floats:
    """(n,) of what can be spared that which lies above the order-up-to level: no order would replace it."""
    return rounded_down(np.maximum(np.minimum(spare, position - order_up_to), 0.0), whole)


def rounded_down(qty: Floats, whole: Flags) -> Floats:
    """Whole pieces where there are no others, else as many decimals as a document holds."""
    unit = np.where(whole, 1.0, 10.0**-QTY_DECIMALS)
    return np.floor(qty / unit + _NOISE) * unit


def rounded_up(qty: Floats, whole: Flags) -> Floats:
    unit = np.where(whole, 1.0, 10.0**-QTY_DECIMALS)
    return np.ceil(qty / unit - _NOISE) * unit


def match(taker_group: Ints, need: Floats, giver_group: Ints, spare: Floats) -> Moves:
    """Cover needs from what can be spared within each group, in the order given: the first taker from the first giver
    until one of both is done (the north-west corner of a transport table). Rows are positions in the arrays.

    A loop over steps, in each of which every group makes one move: as many as the largest group has rows.
    """
    takers, givers = _by_group(taker_group, need), _by_group(giver_group, spare)
    groups = np.intersect1d(taker_group[takers], giver_group[givers])
    if not len(groups):
        return Moves.none()
    at_taker, end_taker = _spans(taker_group[takers], groups)
    at_giver, end_giver = _spans(giver_group[givers], groups)
    wanted, there = need[takers].astype(float), spare[givers].astype(float)
    moved: list[Moves] = []
    while len(at_taker):
        qty = np.minimum(wanted[at_taker], there[at_giver])
        moved.append(Moves(givers[at_giver], takers[at_taker], qty))
        wanted[at_taker] -= qty
        there[at_giver] -= qty
        served, empty = wanted[at_taker] <= _NOISE, there[at_giver] <= _NOISE
        at_taker, at_giver = at_taker + served, at_giver + empty
        go_on = (at_taker < end_taker) & (at_giver < end_giver)
        at_taker, end_taker = at_taker[go_on], end_taker[go_on]
        at_giver, end_giver = at_giver[go_on], end_giver[go_on]
    every = moved[0]
    for more in moved[1:]:  # steps, few
        every = every.and_also(more)
    return every.select(every.qty > _NOISE)


def _by_group(group: Ints, qty: Floats) -> Ints:
    """Rows with a quantity and a group, by group, the given order kept within."""
    rows = np.flatnonzero((qty > _NOISE) & (group >= 0))
    return rows[np.argsort(group[rows], kind="stable")]


def _spans(sorted_groups: Ints, groups: Ints) -> tuple[Ints, Ints]:
    return np.searchsorted(sorted_groups, groups, "left"), np.searchsorted(sorted_groups, groups, "right")


def buying_cost(
    qty: Floats, unit_cost: Floats, giver_daily_demand: Floats, order_cost: float, holding_rate_per_year: float
) -> Floats:
    """(k,) what buying costs more than moving: the order line, and holding what then goes on lying where it is.

    The giver would use up the quantity in qty / daily demand days, a year at most; on average half of it lies there
    that long. Company currency. Both ways take the same units, so their price does not decide.
    """
    lasts = np.full(len(qty), _YEAR_DAYS)
    np.divide(qty, giver_daily_demand, out=lasts, where=giver_daily_demand > 0.0)
    years = np.minimum(lasts, _YEAR_DAYS) / _YEAR_DAYS
    # Without demand nothing of it goes; with demand it goes evenly.
    share = np.where(giver_daily_demand > 0.0, 0.5, 1.0)
    return np.asarray(order_cost + qty * unit_cost * holding_rate_per_year * years * share)
