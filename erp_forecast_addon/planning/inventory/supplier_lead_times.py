"""What is shown of each supplier: the learned lead time, punctuality, trend, and a sentence on what they lie on."""

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from erp_forecast_addon.planning.inventory.lead_time import SOURCES
from erp_forecast_addon.planning.inventory.lead_time_distribution import LeadTimeDistributions, mean, quantiles, std
from erp_forecast_addon.planning.inventory.lead_time_learning import Learned
from erp_forecast_addon.planning.messages import _
from erp_forecast_addon.planning.tables import SUPPLIER_LEAD_TIMES
from erp_forecast_addon.planning.wording import dict_column, readable

Floats = NDArray[np.float64]

SHOWN_LEVELS = (0.05, 0.1, 0.25, 0.5, 0.75, 0.8, 0.9, 0.95, 0.98)
# A trend is told of at least so many orders, spread over so much time.
_TREND_ORDERS = 6.0
_TREND_SPREAD_DAYS = 60.0
_YEAR_DAYS = 365.0

LEARNED = _(
    "Learned from {observations} orders: half of a delivery is here within {median_days} days, nine tenths within "
    "{p90_days}."
)
ONE_ORDER = _(
    "Only one order has been received so far. How much the lead time varies is taken from the other suppliers and "
    "items until there are more; half of a delivery is expected within {median_days} days, nine tenths within "
    "{p90_days}."
)
ONLY_OPEN = _(
    "Nothing has been received yet, {open_lines} lines are open. The lead time is taken from the other suppliers and "
    "items, and from how long these lines have been open: half is expected within {median_days} days, nine tenths "
    "within {p90_days}."
)
AT_ONCE = _(
    "All {observations} orders were received on the day they were placed, so hardly any time is planned for delivery. "
    "If orders are entered only when the goods arrive, this is not the lead time: enter them when they are sent."
)
# Whole sentences, one per source, so that each can be translated as a whole.
NEVER_RECEIVED = {
    "item price": _(
        "Nothing was ever received from {supplier}. The lead time of {lead_time_days} days comes from his price list."
    ),
    "quotation": _(
        "Nothing was ever received from {supplier}. The lead time of {lead_time_days} days comes from his quotation."
    ),
    "item lead time": _(
        "Nothing was ever received from {supplier}. The lead time of {lead_time_days} days comes from the Item Lead "
        "Time of what he supplies."
    ),
    "item": _(
        "Nothing was ever received from {supplier}. The lead time of {lead_time_days} days comes from the items that "
        "he supplies."
    ),
    "settings": _(
        "Nothing was ever received from {supplier}, and nobody named a lead time. The {lead_time_days} days of the "
        "settings are used; enter a lead time in his prices or in the items."
    ),
}


def supplier_lead_times(learned: Learned, as_of: date) -> pd.DataFrame:
    """Table SUPPLIER_LEAD_TIMES: a row for every supplier and for every item of his with a receipt or an open line.

    lead_time_days … p90_days are of the learned distribution. on_time_pct and mean_delay_days lie on what was due by
    as_of: received parts with an agreed date, and open parts past theirs, which count as late by the days so far.
    trend_days_per_year: slope of the least-squares line of lead time on the day of the order, over orders old enough
    that nine tenths of their kind have arrived (younger ones would show only the quick), without those that were asked
    for later than usual; open ones count with the days so far.
    """
    known = learned.lead_times
    if not len(known.supplier):
        return SUPPLIER_LEAD_TIMES.check(SUPPLIER_LEAD_TIMES.empty())
    days = quantiles(known.probability, (0.5, 0.9))
    facts = _facts(learned, as_of, days[:, 1].astype(float))
    table = pd.DataFrame({
        "supplier": known.supplier, "item_code": known.item_code, "lead_time_days": mean(known.probability),
        "lead_time_std_days": std(known.probability), "median_days": days[:, 0], "p90_days": days[:, 1],
        "observations": known.observations, "source": known.source, **facts,
    })  # fmt: skip
    table = table[table["supplier"] != ""].reset_index(drop=True)
    at_once = (table["observations"] > 0.0) & (table.pop("longest_days") <= 0.0)
    cases = [table["observations"] <= 0.0, at_once, table["observations"] < 2.0]
    table["explanation_template"] = np.select(cases, [ONLY_OPEN, AT_ONCE, ONE_ORDER], LEARNED)
    table["explanation_values"] = dict_column(_values(table))
    return SUPPLIER_LEAD_TIMES.check(table)


def never_received(sourcing: pd.DataFrame, known: LeadTimeDistributions, default_days: float) -> pd.DataFrame:
    """Table SUPPLIER_LEAD_TIMES: a row for each supplier of SOURCING of whom nothing is known, with the mean of the
    lead times that stand for his items, from the most trusted source that any of them has.
    """
    names = sourcing["supplier"].to_numpy(dtype=object)
    unknown = sourcing[~known.has(names, np.full(len(names), "", dtype=object)) & (names != "")]
    if unknown.empty:
        return SUPPLIER_LEAD_TIMES.check(SUPPLIER_LEAD_TIMES.empty())
    source = unknown["lead_time_source"].where(unknown["lead_time_days"].notna(), "settings")
    ranked = unknown.assign(
        rank=source.map({name: at for at, name in enumerate(SOURCES)}),
        days=unknown["lead_time_days"].fillna(default_days),
    )
    best = ranked[ranked["rank"] == ranked.groupby("supplier")["rank"].transform("min")]
    found = best.groupby("supplier", sort=True).agg(days=("days", "mean"), rank=("rank", "first")).reset_index()
    named = np.array(SOURCES, dtype=object)[found["rank"].astype(int)]
    days = readable(found["days"].to_numpy(dtype=float))
    nought = np.zeros(len(found))
    table = pd.DataFrame({
        "supplier": found["supplier"], "item_code": "", "lead_time_days": found["days"], "lead_time_std_days": nought,
        "median_days": np.rint(found["days"]), "p90_days": np.ceil(found["days"]), "observations": nought,
        "open_lines": nought, "open_overdue_lines": nought, "due_orders": nought, "trend_orders": nought,
        "source": named, "explanation_template": [NEVER_RECEIVED[name] for name in named],
    })  # fmt: skip
    table["explanation_values"] = dict_column(
        [{"supplier": name, "lead_time_days": day} for name, day in zip(found["supplier"], days, strict=True)]
    )
    return SUPPLIER_LEAD_TIMES.check(table)


@dataclass(frozen=True)
class _Grouped:
    """Parts of orders by row of the distributions: each part once for its item, once for its supplier."""

    row: NDArray[np.int64]
    part: NDArray[np.int64]
    weight: Floats
    rows: int

    def total(self, of_part: Floats) -> Floats:
        return np.asarray(np.bincount(self.row, self.weight * of_part[self.part], self.rows), dtype=float)

    def count(self, of_part: NDArray[np.bool_]) -> Floats:
        return np.bincount(self.row[of_part[self.part]], minlength=self.rows).astype(float)


def _facts(learned: Learned, as_of: date, p90_days: Floats) -> dict[str, Any]:
    seen, known = learned.observations, learned.lead_times
    nothing = np.full(len(seen.days), "", dtype=object)
    part = np.arange(len(seen.days))
    grouped = _Grouped(
        np.concatenate([known.rows_of(seen.supplier, seen.item_code), known.rows_of(seen.supplier, nothing)]),
        np.concatenate([part, part]),
        np.concatenate([seen.weight, seen.order_weight]),
        len(known.supplier),
    )
    delay = np.nan_to_num(seen.delay_days)
    overdue = seen.open & np.isfinite(seen.delay_days) & (delay > 0.0)
    due = np.isfinite(seen.delay_days) & (~seen.open | overdue)
    due_orders = grouped.total(due.astype(float))
    received_age = np.where(seen.open, np.inf, seen.order_age_days - seen.days)
    youngest = np.full(grouped.rows, np.inf)
    np.minimum.at(youngest, grouped.row, received_age[grouped.part])
    longest = np.zeros(grouped.rows)
    np.maximum.at(longest, grouped.row, seen.days[grouped.part])
    slope, trend_orders = _trend(learned, grouped, p90_days)
    last = pd.Timestamp(as_of) - pd.to_timedelta(pd.Series(youngest).where(np.isfinite(youngest)), unit="D")
    return {
        "open_lines": grouped.count(seen.open), "open_overdue_lines": grouped.count(overdue), "due_orders": due_orders,
        "on_time_pct": 100.0 * _ratio(grouped.total((due & ~overdue & (delay <= 0.0)).astype(float)), due_orders),
        "mean_delay_days": _ratio(grouped.total(np.where(due, delay, 0.0)), due_orders),
        "trend_days_per_year": slope, "trend_orders": trend_orders,
        "last_receipt_on": last.to_numpy(), "longest_days": longest,
    }  # fmt: skip


def _trend(learned: Learned, grouped: _Grouped, p90_days: Floats) -> tuple[Floats, Floats]:
    """(rows,) slope by weighted least squares, days a year, and the orders it lies on; NaN and 0 where too little is
    known."""
    seen = learned.observations
    old_enough = seen.order_age_days[grouped.part] >= p90_days[grouped.row]
    weight = np.where(old_enough & ~learned.asked_late[grouped.part], grouped.weight, 0.0)
    years, days = -seen.order_age_days[grouped.part] / _YEAR_DAYS, seen.days[grouped.part]

    def total(values: Floats) -> Floats:
        return np.asarray(np.bincount(grouped.row, weight * values, grouped.rows), dtype=float)

    orders = total(np.ones(len(weight)))
    at = _ratio(total(years), orders)[grouped.row]
    from_mean = years - at
    spread = total(np.nan_to_num(from_mean) ** 2)
    slope = _ratio(total(np.nan_to_num(from_mean) * days), spread)
    enough = (orders >= _TREND_ORDERS) & (np.sqrt(np.nan_to_num(_ratio(spread, orders))) * _YEAR_DAYS
                                          >= _TREND_SPREAD_DAYS)  # fmt: skip
    return np.where(enough, slope, np.nan), np.where(enough, orders, 0.0)


def _ratio(over: Floats, under: Floats) -> Floats:
    return np.divide(over, under, out=np.full(len(under), np.nan), where=under > 0.0)


def _values(table: pd.DataFrame) -> list[dict[str, Any]]:
    """A loop over rows, by columns: the contract wants one dict of values per row."""
    names = ("observations", "median_days", "p90_days", "open_lines")
    columns = [readable(table[name].to_numpy(dtype=float)) for name in names]
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]
