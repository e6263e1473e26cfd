"""Lead times learned from receipts and open lines: per supplier and item, pooled towards supplier and company.

Two distributions, because an order asked for later than usual only shows that the supplier met a date:
- the lead time: how long a supplier takes when he is not told to wait. An order asked for clearly later than usual says
  that he could have delivered on that day or sooner, and no more;
- the delay: how far from the agreed date he delivers, told apart by whether the date left him the usual time.
"""

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from erp_forecast_addon.planning.errors import Fault
from erp_forecast_addon.planning.inventory import lead_time_pooling as pooling
from erp_forecast_addon.planning.inventory.lead_time_delay import Delays, learn_delays
from erp_forecast_addon.planning.inventory.lead_time_distribution import (
    LONGEST_LEAD_TIME_DAYS,
    STEPS,
    LeadTimeDistributions,
    from_moments,
    in_steps,
    quantiles,
)
from erp_forecast_addon.planning.inventory.lead_time_observations import Observations, observe
from erp_forecast_addon.planning.inventory.lead_time_pooling import Floats, Whole

# Chosen on purchase orders of 2006 to 2011 (benchmarks/lead_times.py measures on later ones); flat around these values.
HALF_LIFE_DAYS = 365.0  # an order a year older counts half
COMPANY_STRENGTH = 1.0  # orders that the settings' default counts for, towards the company
SUPPLIER_STRENGTH = 5.0  # orders that the company's shape counts for, towards a supplier
ITEM_STRENGTH = 10.0  # orders that the supplier's shape counts for, towards one of his items
# An agreed date binds when it lies more than this beyond the usual lead time.
LATER_THAN_USUAL = 1.25
_ROWS_AT_ONCE = 4096
RECEIPTS = "receipts"


@dataclass(frozen=True)
class Learned:
    """lead_times: what suppliers need; delivered: what it took, dates asked for included; delays: against the agreed
    date; observations: what they were learned from; asked_late: (n,) which of them were asked for later than usual;
    faults: what was left out of them; usual: as given to learn_lead_times.
    """

    lead_times: LeadTimeDistributions
    delivered: LeadTimeDistributions
    delays: Delays
    observations: Observations
    asked_late: NDArray[np.bool_]
    faults: list[Fault]
    usual: pd.DataFrame | None = None


def learn_lead_times(
    receipts: pd.DataFrame, open_lines: pd.DataFrame, as_of: date, default_days: float,
    usual: pd.DataFrame | None = None,
) -> Learned:  # fmt: skip
    """Distributions for every supplier and item with a receipt or an open line, for every such supplier as a whole
    (item_code ""), and for the company (supplier ""; only if anything was ever ordered).

    receipts: table RECEIPTS; open_lines: table OPEN_LINES; as_of: the last complete day; default_days: the settings'
    lead time, which the company starts from. usual: supplier, item_code, days, where a lead time is agreed or typed;
    elsewhere the usual one is the median of what deliveries took.
    """
    seen, faults = observe(receipts, open_lines, as_of)
    nothing = np.zeros(len(seen.days), dtype=bool)
    if not len(seen.days):
        return Learned(LeadTimeDistributions.none(), LeadTimeDistributions.none(), Delays.none(), seen, nothing, faults)
    delivered = _pooled(seen, nothing, ~nothing, default_days)
    waits = asked_late(seen, delivered, usual)
    # A line that is open because it was asked for later tells nothing about what the supplier needs.
    lead_times = _pooled(seen, waits, ~(waits & seen.open), default_days) if waits.any() else delivered
    # What the supplier has named himself does not hold him back: it counts for the delay, not for the lead time.
    ample = later_than_usual(seen.agreed_days, usual_days(seen.supplier, seen.item_code, delivered, usual))
    return Learned(lead_times, delivered, learn_delays(seen, ample), seen, waits, faults, usual)


def asked_late(seen: Observations, delivered: LeadTimeDistributions, usual: pd.DataFrame | None) -> NDArray[np.bool_]:
    """(n,) whether the day asked for lies clearly beyond the usual lead time, so that it binds and not the supplier."""
    return later_than_usual(seen.asked_days, usual_days(seen.supplier, seen.item_code, delivered, usual))


def usual_days(
    supplier: NDArray[np.object_], item_code: NDArray[np.object_], delivered: LeadTimeDistributions,
    usual: pd.DataFrame | None,
) -> Floats:  # fmt: skip
    """(n,) the lead time that is agreed or typed, else the median of what deliveries took; NaN where nothing is known.

    usual: see learn_lead_times.
    """
    row = delivered.rows_of(supplier, item_code)
    days = np.append(quantiles(delivered.probability, (0.5,))[:, 0].astype(float), np.nan)[row]
    if usual is None or usual.empty:
        return np.asarray(days)
    stated = usual.drop_duplicates(["supplier", "item_code"]).set_index(["supplier", "item_code"])["days"]
    typed = stated.reindex(pd.MultiIndex.from_arrays([supplier, item_code])).to_numpy(dtype=float)
    return np.asarray(np.where(typed > 0.0, typed, days))


def later_than_usual(asked_days: Floats, usual_days: Floats) -> NDArray[np.bool_]:
    """(n,) False too where no date was agreed (NaN)."""
    return np.asarray(asked_days > usual_days * LATER_THAN_USUAL + 1.0)


@dataclass(frozen=True)
class _Parts:
    """Parts of orders that count, all (n,). weight: aged, for an item; order_weight: aged, for a supplier."""

    days: Whole
    after: NDArray[np.bool_]
    by: NDArray[np.bool_]
    weight: Floats
    order_weight: Floats
    supplier: Whole
    item: Whole


def _pooled(
    seen: Observations, at_most: NDArray[np.bool_], used: NDArray[np.bool_], default_days: float
) -> LeadTimeDistributions:
    """The company, its suppliers and their items, each learned from its own observations and the row above it.

    at_most: (n,) the true lead time is `days` or less; used: (n,) the observation counts.
    """
    of_supplier, suppliers = pd.factorize(seen.supplier, sort=True)
    item_number, item_codes = pd.factorize(seen.item_code, sort=True)
    pairs, of_item = np.unique(of_supplier * len(item_codes) + item_number, return_inverse=True)
    parent, item = np.divmod(pairs, len(item_codes))
    recent = np.where(used, 0.5 ** (seen.order_age_days / HALF_LIFE_DAYS), 0.0)
    parts = _Parts(
        seen.days.astype(np.int64), seen.open, at_most & ~seen.open, seen.weight * recent, seen.order_weight * recent,
        of_supplier, of_item,
    )  # fmt: skip
    prior = _start(int(parts.days.max()), default_days)
    one = np.zeros(len(parts.days), dtype=np.int64)
    company = pooling.pooled(_evidence(parts, one, parts.order_weight, 1, prior.shape[1]), prior, COMPANY_STRENGTH)
    by_supplier = _below(parts, of_supplier, parts.order_weight, company, np.zeros(len(suppliers), np.int64),
                         SUPPLIER_STRENGTH)  # fmt: skip
    by_item = _below(parts, of_item, parts.weight, by_supplier, parent, ITEM_STRENGTH)
    received = np.where(used & ~seen.open, 1.0, 0.0)
    names = np.asarray(suppliers, dtype=object)
    whole = np.full(1 + len(suppliers), "", dtype=object)
    return LeadTimeDistributions(
        supplier=np.concatenate([whole[:1], names, names[parent]]),
        item_code=np.concatenate([whole, np.asarray(item_codes, dtype=object)[item]]),
        probability=in_steps(np.concatenate([company, by_supplier, by_item])) / STEPS,
        observations=np.concatenate(
            [
                [np.sum(seen.order_weight * received)],
                np.bincount(of_supplier, seen.order_weight * received, len(suppliers)),
                np.bincount(of_item, seen.weight * received, len(pairs)),
            ]
        ).round(6),
        source=np.full(len(whole) + len(pairs), RECEIPTS, dtype=object),
    )


def _start(longest: int, default_days: float) -> Floats:
    """(1, w) what a company is taken for before its first receipt: the settings' days, as uncertain as they are long.
    Wide enough for a lead time half as long again as anything seen."""
    width = min(int(max(1.5 * longest, 4.0 * default_days)) + 30, LONGEST_LEAD_TIME_DAYS)
    made = from_moments(np.array([min(default_days, float(width))]), np.array([default_days]))[:, : width + 1]
    share = np.pad(made, ((0, 0), (0, width + 1 - made.shape[1])))
    return np.asarray(share / share.sum())


def _evidence(parts: _Parts, group: Whole, weight: Floats, groups: int, width: int) -> pooling.Evidence:
    return pooling.evidence(group, parts.days, weight, parts.after, parts.by, groups, width)


def _below(parts: _Parts, group: Whole, weight: Floats, above: Floats, parent: Whole, strength: float) -> Floats:
    """(g, w) the groups' distributions. above: (p, w) the wider groups; parent: (g,) the row of each group in it.

    The row above lends its shape, moved (stretched) to where the group lies; how far the group may lie from it is
    learned from how far the groups do.
    """
    groups = len(parent)
    found = np.empty((groups, above.shape[1]))
    factor = _factors(parts, group, weight, above, parent, strength)
    order = np.argsort(group, kind="stable")
    sorted_group = group[order]
    # In blocks of rows: 30,000 items by two years of days, several times over, would not fit.
    for first in range(0, groups, _ROWS_AT_ONCE):
        last = min(first + _ROWS_AT_ONCE, groups)
        inside = order[np.searchsorted(sorted_group, first) : np.searchsorted(sorted_group, last)]
        block = _evidence(_only(parts, inside), group[inside] - first, weight[inside], last - first, above.shape[1])
        shape = pooling.stretched(above[parent[first:last]], factor[first:last])
        found[first:last] = pooling.pooled(block, shape, strength)
    return found


def _only(parts: _Parts, rows: Whole) -> _Parts:
    return _Parts(*(getattr(parts, name)[rows] for name in _Parts.__dataclass_fields__))


def _factors(parts: _Parts, group: Whole, weight: Floats, above: Floats, parent: Whole, most: float) -> Floats:
    """(g,) how many times as long as the row above a group takes, shrunk towards 1.

    The mean of log(days + 1) of the group, mixed with the row's own, which counts for as many observations as
    pooling.location_strength finds. A censored part counts at its limit where that lies on the far side of the row's
    median; on the near side it says nothing about where the group lies.
    """
    groups = len(parent)
    log_day = np.log1p(np.arange(above.shape[1], dtype=float))
    middle = quantiles(above, (0.5,))[:, 0]
    of_above = (above @ log_day)[parent]
    expected = middle[parent][group]
    silent = (parts.after & (parts.days < expected)) | (parts.by & (parts.days > expected))
    told = np.where(silent, 0.0, weight)
    logged = np.log1p(parts.days.astype(float))
    total = np.asarray(np.bincount(group, told, groups), dtype=float)
    known = np.maximum(total, 1e-12)
    centre = np.bincount(group, told * logged, groups) / known
    spread = np.bincount(group, told * np.square(logged - centre[group]), groups) / known
    pull = pooling.location_strength(centre, of_above, spread, total, most)
    return np.asarray(np.exp(total / (total + pull) * (centre - of_above)))
