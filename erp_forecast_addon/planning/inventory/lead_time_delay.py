"""Delay against the agreed date, and from both when an open order arrives.

How late a supplier is depends on the time that he was left: an agreed date that lies beyond the usual lead time asks
only for punctuality, an earlier one for more than he usually does. The two are learned apart, each pooled towards the
company.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from erp_forecast_addon.planning.inventory import lead_time_pooling as pooling
from erp_forecast_addon.planning.inventory.lead_time_distribution import LONGEST_LEAD_TIME_DAYS, normalised
from erp_forecast_addon.planning.inventory.lead_time_observations import Observations
from erp_forecast_addon.planning.inventory.lead_time_pooling import Floats, Whole

HALF_LIFE_DAYS = 730.0
COMPANY_STRENGTH = 1.0  # orders that "on the day" counts for, towards the company
SUPPLIER_STRENGTH = 10.0
# Orders with a date sooner than usual that the lead time alone counts for, when their arrival is told.
LEAD_TIME_STRENGTH = 5.0
# More than a year early or late is a wrong date, of the agreement or of the receipt; it counts as a year.
_MOST_DAYS = 365


@dataclass(frozen=True)
class Delays:
    """One row per supplier; supplier "" is the company.

    usual, short: (m, w) share of deliveries exactly column - earliest days after the agreed date, where that date left
    the usual lead time, and where it did not. usual_orders, short_orders: (m,) what each was learned from, the
    company's own included as far as it counts.
    """

    supplier: NDArray[np.object_]
    usual: Floats
    short: Floats
    usual_orders: Floats
    short_orders: Floats
    earliest_days: int = -_MOST_DAYS

    def rows_of(self, supplier: NDArray[np.object_]) -> Whole:
        """(n,) the supplier's row, else the company's, else -1."""
        known = pd.Index(self.supplier)
        own = known.get_indexer(pd.Index(supplier))
        return np.asarray(np.where(own >= 0, own, known.get_indexer(pd.Index([""]))[0]), dtype=np.int64)

    @staticmethod
    def none() -> "Delays":
        nothing = np.empty(0)
        return Delays(np.empty(0, dtype=object), np.zeros((0, 1)), np.zeros((0, 1)), nothing, nothing)


def learn_delays(seen: Observations, ample: NDArray[np.bool_]) -> Delays:
    """ample: (n,) the agreed date left more than the usual lead time. Open parts count as later than they are now;
    those not yet due say nothing."""
    told = np.isfinite(seen.agreed_days) & ~(seen.open & (seen.delay_days < 0.0))
    of_supplier, suppliers = pd.factorize(seen.supplier, sort=True)
    day = np.clip(np.nan_to_num(seen.delay_days), -_MOST_DAYS, _MOST_DAYS).astype(np.int64) + _MOST_DAYS
    recent = seen.order_weight * 0.5 ** (seen.order_age_days / HALF_LIFE_DAYS)
    punctual = _punctual()
    learned = []
    for which in (told & ample, told & ~ample):  # the two questions
        group, days, weight, still_open = of_supplier[which], day[which], recent[which], seen.open[which]
        exact = np.zeros(len(days), dtype=bool)
        width = punctual.shape[1]
        whole = pooling.evidence(np.zeros(len(days), np.int64), days, weight, still_open, exact, 1, width)
        company = pooling.pooled(whole, punctual, COMPANY_STRENGTH)
        own = pooling.evidence(group, days, weight, still_open, exact, len(suppliers), width)
        rows = np.concatenate([company, pooling.pooled(own, company, SUPPLIER_STRENGTH)])
        learned.append((rows, np.concatenate([whole.weight, np.full(len(suppliers), whole.weight[0])])))
    names = np.concatenate([np.array([""], dtype=object), np.asarray(suppliers, dtype=object)])
    return Delays(names, learned[0][0], learned[1][0], learned[0][1], learned[1][1])


def _punctual() -> Floats:
    """(1, w) what a company is taken for before its first delivery: nine of ten on the day, the rest about two weeks
    late or one early. The tails leave room for what comes."""
    apart = np.abs(np.arange(-_MOST_DAYS, _MOST_DAYS + 1))
    late, early = np.exp(-apart / 14.0), np.exp(-apart / 7.0)
    late[: _MOST_DAYS + 1], early[_MOST_DAYS:] = 0.0, 0.0
    share = 0.07 * late / late.sum() + 0.03 * early / early.sum()
    share[_MOST_DAYS] = 0.9
    return np.asarray(share[None, :])


def arrival(
    lead_time: Floats, delays: Delays, supplier: NDArray[np.object_], asked_days: Floats, ample: NDArray[np.bool_],
    age_days: Whole | None = None,
) -> Floats:  # fmt: skip
    """(n, w) share of deliveries exactly d days after the order, for orders with an agreed date.

    lead_time: (n, D + 1) each order's lead-time distribution; asked_days: (n,) days from the order to the agreed date,
    NaN where there is none: the lead time alone tells then; ample: (n,) the date leaves more than the usual lead time.
    age_days: (n,) open for so many days and not received: what lies before is ruled out.

    With an ample date the order comes that date plus the supplier's delay. With a sooner one that is learned too, from
    as many orders as there are; beside them max(lead time, agreed date) counts for LEAD_TIME_STRENGTH orders.
    """
    n, width = len(lead_time), LONGEST_LEAD_TIME_DAYS + 1
    alone = np.pad(lead_time, ((0, 0), (0, max(width - lead_time.shape[1], 0))))[:, :width]
    row = delays.rows_of(supplier)
    dated = np.isfinite(asked_days) & (asked_days >= 0.0) & (row >= 0)
    asked = np.clip(np.nan_to_num(asked_days), 0, LONGEST_LEAD_TIME_DAYS).astype(np.int64)
    out = alone.copy()
    if dated.any():
        at, when, left_time = row[dated], asked[dated], ample[dated]
        delay = np.where(left_time[:, None], delays.usual[at], delays.short[at])
        by_date = _placed(delay, when + delays.earliest_days, width)
        learned = np.where(left_time, 1.0, delays.short_orders[at] / (delays.short_orders[at] + LEAD_TIME_STRENGTH))
        out[dated] = learned[:, None] * by_date + (1.0 - learned)[:, None] * _not_before(alone[dated], when)
    return out if age_days is None else _still_open(out, np.broadcast_to(age_days, (n,)))


def _placed(share: Floats, first_day: Whole, width: int) -> Floats:
    """(n, width) each row of `share` with its first column on first_day; what lies outside stays on the edge."""
    n, columns = share.shape
    day = np.clip(first_day[:, None] + np.arange(columns)[None, :], 0, width - 1)
    cell = (np.arange(n)[:, None] * width + day).ravel()
    return np.asarray(np.bincount(cell, share.ravel(), n * width), dtype=float).reshape(n, width)


def _not_before(share: Floats, day: Whole) -> Floats:
    """max(lead time, day): what comes sooner comes on that day."""
    columns = np.arange(share.shape[1])[None, :]
    sooner = np.where(columns < day[:, None], share, 0.0).sum(axis=1)
    out = np.where(columns < day[:, None], 0.0, share)
    out[np.arange(len(share)), day] += sooner
    return out


def _still_open(share: Floats, age_days: Whole) -> Floats:
    """Given that nothing came by that age. Where the distribution has nothing left, the next day is as good as any."""
    later = np.where(np.arange(share.shape[1])[None, :] > age_days[:, None], share, 0.0)
    none = later.sum(axis=1) <= 1e-9
    later[none, np.minimum(age_days[none] + 1, share.shape[1] - 1)] = 1.0
    return normalised(later)
