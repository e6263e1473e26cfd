"""Lead times: which one a pair uses and where it comes from."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from erp_forecast_addon.planning.inventory.lead_time_distribution import (
    LONGEST_LEAD_TIME_DAYS,
    LeadTimeDistributions,
    from_moments,
    widened,
)

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

# Where a lead time may come from, the most trusted first. The text is what a policy shows.
SOURCES = ("receipts", "item price", "quotation", "item lead time", "item", "settings", "transfer")


@dataclass(frozen=True)
class LeadTimes:
    """days, std_days: (n,) float; source: (n,) one of SOURCES; unbelievable: (n,) bool."""

    days: Floats
    std_days: Floats
    source: NDArray[np.object_]
    unbelievable: NDArray[np.bool_]


def choose_lead_times(
    sourcing_days: Floats,
    sourcing_std_days: Floats,
    sourcing_source: NDArray[np.object_],
    item_days: Floats,
    default_days: float,
) -> LeadTimes:
    """The lead time of each row: the chosen sourcing row's, else the item's, else the default of the settings.

    All arrays (n,); NaN is "not known", and 0 in item_days is "not set". A negative lead time or one above
    LONGEST_LEAD_TIME_DAYS is not believed: the next source is taken and the row is marked. A deviation that is not
    known counts as 0; nothing is invented.
    """
    of_sourcing = _believable(sourcing_days)
    of_item = _believable(item_days) & (item_days > 0.0)
    days = np.where(of_sourcing, sourcing_days, np.where(of_item, item_days, default_days))
    std = np.where(of_sourcing & np.isfinite(sourcing_std_days), np.maximum(sourcing_std_days, 0.0), 0.0)
    named = np.where(sourcing_source == "", "item price", sourcing_source)
    source = np.where(of_sourcing, named, np.where(of_item, "item", "settings")).astype(object)
    unbelievable = (~np.isnan(sourcing_days) & ~of_sourcing) | (~np.isnan(item_days) & ~_believable(item_days))
    return LeadTimes(days, std, source, unbelievable)


def probability_of(
    learned: LeadTimeDistributions, supplier: NDArray[np.object_], item_code: NDArray[np.object_], chosen: LeadTimes
) -> Floats:
    """(n, D + 1) the distribution of each row: the learned one where the lead time comes from receipts, else made of
    the days and the deviation that its source names. supplier, item_code: (n,) of the chosen sourcing row, "" for none.
    """
    row = learned.rows_of(supplier, item_code)
    of_receipts = (chosen.source == "receipts") & (row >= 0)
    made = from_moments(chosen.days[~of_receipts], chosen.std_days[~of_receipts])
    used = learned.probability[row[of_receipts]]
    # No row needs more days than the last on which anything arrives.
    last = int(np.flatnonzero(used.any(axis=0)).max(initial=0))
    days = max(last, made.shape[1] - 1)
    out = np.zeros((len(row), days + 1))
    out[of_receipts] = widened(used, days)
    out[~of_receipts] = widened(made, days)
    return out


def _believable(days: Floats) -> NDArray[np.bool_]:
    return np.asarray((days >= 0.0) & (days <= LONGEST_LEAD_TIME_DAYS))
