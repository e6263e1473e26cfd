"""When a supplier takes orders and delivers: his weekdays and his holidays, laid out by day for all pairs at once.

Day 0 is the day after as_of, as everywhere in purchasing. A supplier without weekdays and holidays takes orders and
delivers on every day.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from erp_forecast_addon.planning.tables import DAYS_OFF, ORDER_TERMS

Ints = NDArray[np.int64]

# How far beyond the longest lead time calendars are laid out.
CALENDAR_DAYS = 370
_LAID_OUT_BY = 512
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@dataclass(frozen=True)
class OrderTerms:
    """terms: table ORDER_TERMS; days_off: table DAYS_OFF of the lists that the terms name."""

    terms: pd.DataFrame = field(default_factory=ORDER_TERMS.empty)
    days_off: pd.DataFrame = field(default_factory=DAYS_OFF.empty)
    _laid_out: dict[tuple[date, int], "_Calendars"] = field(default_factory=dict, init=False, repr=False, compare=False)

    def calendars(self, as_of: date, days: int) -> "_Calendars":
        """The calendars of all suppliers over at least so many days; laid out once, as a plan asks several times."""
        key = (as_of, -(-days // _LAID_OUT_BY) * _LAID_OUT_BY)
        if key not in self._laid_out:
            self._laid_out[key] = _lay_out(self, *key)
        return self._laid_out[key]

    def of(self, supplier: NDArray[np.object_]) -> pd.DataFrame:
        """The terms of (n,) suppliers, in their order; who has none asks for nothing."""
        if self.terms.empty:
            asks_nothing = {
                name: 0.0 if column.kind == "number" else "" for name, column in ORDER_TERMS.columns.items()
            }
            return pd.DataFrame(asks_nothing | {"supplier": supplier}, index=range(len(supplier)))
        rows = self.terms.set_index("supplier").reindex(pd.Index(supplier)).reset_index(drop=True)
        numbers = [name for name, column in ORDER_TERMS.columns.items() if column.kind == "number"]
        texts = [name for name, column in ORDER_TERMS.columns.items() if column.kind == "text" and name != "supplier"]
        rows[numbers] = rows[numbers].fillna(0.0).astype(float)
        rows[texts] = rows[texts].astype(object).where(rows[texts].notna(), "")
        return rows


@dataclass(frozen=True)
class OrderDays:
    """The calendars of n rows. row: (n,) of the tables, each (calendars, days): the next or last day, that day itself
    included, on which orders leave or goods arrive. Row 0 of the tables is the calendar without a day off.
    """

    row: Ints
    next_order: Ints
    last_order: Ints
    next_delivery: Ints
    last_delivery: Ints

    @property
    def first(self) -> Ints:
        """(n,) the first day on which an order may leave."""
        return self.next_order[self.row, 0]

    @property
    def gap(self) -> Ints:
        """(n,) days from that day to the next on which an order may leave, at least 1."""
        return self._at(self.next_order, self.first + 1) - self.first

    def arrival(self, lead_days: Ints) -> Ints:
        """(n,) the day on which an order that leaves on the first possible day arrives."""
        return self._at(self.next_delivery, self.first + lead_days)

    def delivery_by(self, day: Ints, earliest: Ints) -> Ints:
        """(n,) the last delivery day up to `day`, or `earliest`, the arrival of the first order, if that is later."""
        return np.maximum(self._at(self.last_delivery, day), earliest)

    def order_by(self, delivery: Ints, lead_days: Ints) -> Ints:
        """(n,) the last day to order for a delivery on that day, not before the first."""
        return np.maximum(self._at(self.last_order, np.maximum(delivery - lead_days, 0)), self.first)

    def leaves(self, days: Ints) -> Ints:
        """(n, k) the day on which an order approved on each of (k,) days leaves."""
        last = self.next_order.shape[1] - 1
        return np.where(days > last, days, self.next_order[self.row][:, np.clip(days, 0, last)])

    def select(self, rows: NDArray[np.int64]) -> "OrderDays":
        return OrderDays(self.row[rows], self.next_order, self.last_order, self.next_delivery, self.last_delivery)

    def _at(self, table: Ints, day: Ints) -> Ints:
        """Beyond the days that are laid out every day counts."""
        last = table.shape[1] - 1
        return np.where(day > last, day, table[self.row, np.clip(day, 0, last)])


@dataclass(frozen=True)
class _Calendars:
    """tables: as OrderDays has them; row: of the suppliers who have one; unusable: who would have no day left."""

    row: pd.Series
    unusable: list[str]
    next_order: Ints
    last_order: Ints
    next_delivery: Ints
    last_delivery: Ints


def order_days(given: OrderTerms, supplier: NDArray[np.object_], as_of: date, days: int) -> OrderDays:
    """supplier: (n,) names; days: how far calendars are laid out, from day 0. A calendar that leaves no day to order or
    deliver in that time is taken for none (see `unusable_calendars`)."""
    made = given.calendars(as_of, days)
    row = made.row.reindex(pd.Index(supplier)).fillna(0).to_numpy(dtype=np.int64) if len(made.row) else np.zeros(
        len(supplier), dtype=np.int64
    )  # fmt: skip
    return OrderDays(row, made.next_order, made.last_order, made.next_delivery, made.last_delivery)


def unusable_calendars(given: OrderTerms, as_of: date, days: int) -> list[str]:
    """Suppliers who by weekdays and holidays would take no order, or deliver nothing, in all these days."""
    return given.calendars(as_of, days).unusable


def _lay_out(given: OrderTerms, as_of: date, days: int) -> _Calendars:
    ruled = given.terms[(given.terms["weekdays"] != "") | (given.terms["holiday_list"] != "")]
    if ruled.empty:  # most companies; every day counts
        every_day = np.arange(days, dtype=np.int64)[None, :]
        return _Calendars(pd.Series([], dtype=np.int64), [], every_day, every_day, every_day, every_day)
    distinct = ruled[["weekdays", "holiday_list"]].drop_duplicates().reset_index(drop=True)
    delivers, takes = _open_days(given, distinct, as_of, days)
    usable = delivers.any(axis=1) & takes.any(axis=1)
    every = np.ones((1, days), dtype=bool)
    takes, delivers = np.concatenate([every, takes]), np.concatenate([every, delivers])
    kind = ruled.merge(distinct.assign(row=np.where(usable, np.arange(1, len(distinct) + 1), 0)))
    return _Calendars(
        kind[kind["row"] > 0].set_index("supplier")["row"], kind.loc[kind["row"] == 0, "supplier"].tolist(),
        _next(takes), _last(takes), _next(delivers), _last(delivers),
    )  # fmt: skip


def weekday_digits(typed: str) -> tuple[str, list[str]]:
    """What a person typed ("Monday, Thu") as digits ("03"), and the words that are no weekday."""
    words = [word for word in typed.replace(",", " ").replace(";", " ").split() if word]
    found = {word: [at for at, day in enumerate(WEEKDAYS) if len(word) >= 3 and day.startswith(word.lower())]
             for word in words}  # fmt: skip
    digits = sorted({at for days in found.values() for at in days})
    return "".join(map(str, digits)), [word for word in words if not found[word]]


def _open_days(
    given: OrderTerms, calendars: pd.DataFrame, as_of: date, days: int
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """(calendars, days) on which goods arrive, and on which orders leave."""
    first = np.datetime64(as_of, "D") + 1
    works = np.ones((len(calendars), days), dtype=bool)
    off = given.days_off.merge(
        calendars[["holiday_list"]].assign(row=np.arange(len(calendars))), on="holiday_list", how="inner"
    )
    day = (off["day"].to_numpy().astype("datetime64[D]") - first).astype(np.int64)
    inside = (day >= 0) & (day < days)
    works[off["row"].to_numpy(dtype=np.int64)[inside], day[inside]] = False
    # 1970-01-01 was a Thursday, weekday 3.
    weekday = (first.astype(np.int64) + np.arange(days) + 3) % 7
    return works, works & _on_weekdays(calendars["weekdays"].tolist())[:, weekday]


def _on_weekdays(digits: Sequence[str]) -> NDArray[np.bool_]:
    """(calendars, 7); a loop over distinct calendars, of which there are few."""
    allowed = [[not typed or str(day) in typed for day in range(7)] for typed in digits]
    return np.array(allowed, dtype=bool).reshape(-1, 7)


def _next(is_open: NDArray[np.bool_]) -> Ints:
    """For every day the next open one, itself included; beyond the last open day the first one not laid out."""
    days = is_open.shape[1]
    at = np.where(is_open, np.arange(days), days)
    return np.minimum.accumulate(at[:, ::-1], axis=1)[:, ::-1].astype(np.int64)


def _last(is_open: NDArray[np.bool_]) -> Ints:
    """For every day the last open one, itself included; 0 before the first."""
    at = np.where(is_open, np.arange(is_open.shape[1]), 0)
    return np.maximum.accumulate(at, axis=1).astype(np.int64)
