"""Lead times: which one a pair uses and where it comes from, and what receipts say about a supplier."""

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from erp_forecast_addon.planning.errors import Fault
from erp_forecast_addon.planning.messages import _
from erp_forecast_addon.planning.tables import LEAD_TIMES, RECEIPTS

Floats = NDArray[np.float64]

# With fewer orders than this an item's own lead time is mixed with its supplier's.
FULL_TRUST_ORDERS = 3
# Beyond two years a lead time is a typing error (a date difference against 1970, days for weeks …).
LONGEST_LEAD_TIME_DAYS = 730.0


@dataclass(frozen=True)
class LeadTimes:
    """days, std_days: (n,) float; source: (n,) receipts | item price | item | settings; unbelievable: (n,) bool."""

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


def _believable(days: Floats) -> NDArray[np.bool_]:
    return np.asarray((days >= 0.0) & (days <= LONGEST_LEAD_TIME_DAYS))


def lead_time_statistics(receipts: pd.DataFrame, as_of: date | None = None) -> tuple[pd.DataFrame, list[Fault]]:
    """Mean and standard deviation of the lead time per supplier and item, and per supplier. -> (LEAD_TIMES, faults)

    receipts: table RECEIPTS, one row per receipt line; as_of: receipts after that day are set aside as bad.
    Rows received before they were ordered, without quantity, or in the future are left out and reported.

    The partial receipts of one order (supplier, item, day of order) are one observation, each weighing as the share of
    the order that it brought; orders weigh alike, so one large order does not drown ten small ones. With weights w
    that sum to the number of orders N: mean = Σw·x / N, variance = Σw·(x - mean)² / (N - 1).

    With N < FULL_TRUST_ORDERS orders an item's mean and variance are mixed with its supplier's, own share N / 3.
    The row with item_code "" is the supplier's own, for items never received. A deviation nobody can know (one order
    in all) is NaN. Source: weighted moments, Silver, Pyke & Thomas (2017), section 6.10.2.
    """
    checked = RECEIPTS.check(receipts)
    bad = _bad_receipts(checked, as_of)
    good = checked[~bad]
    observed = good.assign(
        lead_days=(good["received_on"] - good["ordered_on"]).dt.days.astype(float),
        weight=good["stock_qty"] / good.groupby(["supplier", "item_code", "ordered_on"])["stock_qty"].transform("sum"),
    )
    per_item = _moments(observed, ["supplier", "item_code"])
    per_supplier = _moments(observed, ["supplier"]).assign(item_code="")
    shrunk = _shrink(per_item, per_supplier)
    both = pd.concat([per_supplier, shrunk], ignore_index=True) if len(shrunk) else LEAD_TIMES.empty()
    both["lead_time_std_days"] = np.sqrt(both["lead_time_variance"]) if len(shrunk) else both["lead_time_std_days"]
    both = both.sort_values(["supplier", "item_code"], kind="stable")
    return LEAD_TIMES.check(both), _receipt_faults(checked[bad], as_of)


def _bad_receipts(receipts: pd.DataFrame, as_of: date | None) -> pd.Series:
    bad = (receipts["received_on"] < receipts["ordered_on"]) | (receipts["stock_qty"] <= 0.0)
    if as_of is not None:
        bad |= receipts["received_on"] > pd.Timestamp(as_of)
    return bad


def _moments(observed: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    weighted = observed.assign(wx=observed["weight"] * observed["lead_days"])
    sums = weighted.groupby(by, sort=True)[["weight", "wx"]].sum()
    mean = sums["wx"] / sums["weight"]
    of_row = weighted[by].merge(mean.rename("mean").reset_index(), on=by, how="left")["mean"].to_numpy()
    spread = weighted.assign(wd=weighted["weight"] * np.square(weighted["lead_days"] - of_row))
    squares = spread.groupby(by, sort=True)["wd"].sum()
    orders = sums["weight"].round()
    return pd.DataFrame(
        {
            "observations": orders,
            "lead_time_days": mean,
            "lead_time_variance": (squares / (orders - 1.0).where(orders > 1.0)),
        }
    ).reset_index()


def _shrink(per_item: pd.DataFrame, per_supplier: pd.DataFrame) -> pd.DataFrame:
    """Mix an item's moments with its supplier's, own share min(1, N / FULL_TRUST_ORDERS)."""
    joined = per_item.merge(per_supplier.drop(columns="item_code"), on="supplier", suffixes=("", "_supplier"))
    own = np.minimum(joined["observations"] / FULL_TRUST_ORDERS, 1.0)
    mean = own * joined["lead_time_days"] + (1.0 - own) * joined["lead_time_days_supplier"]
    own_variance = joined["lead_time_variance"].fillna(joined["lead_time_variance_supplier"])
    supplier_variance = joined["lead_time_variance_supplier"].fillna(own_variance)
    variance = own * own_variance + (1.0 - own) * supplier_variance
    return joined[["supplier", "item_code", "observations"]].assign(lead_time_days=mean, lead_time_variance=variance)


def _receipt_faults(bad: pd.DataFrame, as_of: date | None) -> list[Fault]:
    early = _(
        "{supplier}, {item_code}: a receipt of {received_on} lies before its order of {ordered_on}. It was left "
        "out of the lead times; correct the date of the receipt or of the order."
    )
    empty = _(
        "{supplier}, {item_code}: a receipt of {received_on} brought {stock_qty}, which is no quantity. It was "
        "left out of the lead times."
    )
    future = _(
        "{supplier}, {item_code}: a receipt is dated {received_on}, after {as_of}. It was left out of the lead "
        "times; correct the date of the receipt."
    )
    template = np.select([bad["received_on"] < bad["ordered_on"], bad["stock_qty"] <= 0.0], [early, empty], future)
    # A loop over the few bad rows: each becomes a sentence.
    return [
        Fault(
            "Bad Data",
            str(sentence),
            {
                "supplier": supplier,
                "item_code": item,
                "received_on": received.date().isoformat(),
                "ordered_on": ordered.date().isoformat(),
                "stock_qty": qty,
                "as_of": str(as_of),
            },
            item_code=item,
            supplier=supplier,
        )
        for sentence, supplier, item, ordered, received, qty in zip(
            template,
            bad["supplier"],
            bad["item_code"],
            bad["ordered_on"],
            bad["received_on"],
            bad["stock_qty"],
            strict=True,
        )
    ]
