"""Events, holidays and prices as drivers of a panel: what the records say, day by day, laid over its periods."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from erp_forecast_addon.planning import periods
from erp_forecast_addon.planning.drivers import Driver
from erp_forecast_addon.planning.errors import Fault
from erp_forecast_addon.planning.messages import _
from erp_forecast_addon.planning.scopes import Scopes, SeriesScopes
from erp_forecast_addon.planning.settings import Period
from erp_forecast_addon.planning.tables import EVENTS, HOLIDAYS, PRICES

HOLIDAY = "Holiday"
PRICE = "Price"
_SCOPE = ["item_code", "item_group", "brand", "warehouse"]


@dataclass(frozen=True)
class Days:
    """The days of a panel's periods and of those ahead. first: day number; edges: (T + 1,) first days, as offsets."""

    first: int
    edges: np.ndarray

    @classmethod
    def over(cls, starts: np.ndarray, period: Period, horizon: int) -> "Days":
        index = periods.index_of(starts, period)
        wanted = np.arange(index[0], index[-1] + horizon + 2)
        edges = periods.start_of(wanted, period).astype(np.int64)
        return cls(int(edges[0]), edges - edges[0])

    @property
    def count(self) -> int:
        return int(self.edges[-1])

    @property
    def last_day(self) -> np.datetime64:
        return np.datetime64(self.first + self.count - 1, "D")

    def at(self, days: pd.Series) -> np.ndarray:
        """Offsets of days from the first one; may lie outside."""
        return np.asarray(days.to_numpy().astype("datetime64[D]").astype(np.int64) - self.first)

    def cells(self, from_day: pd.Series, to_day: pd.Series) -> tuple[np.ndarray, np.ndarray]:
        """(row, day offset) of every day of every span that lies within, row by row."""
        start = np.maximum(self.at(from_day), 0)
        length = np.maximum(np.minimum(self.at(to_day), self.count - 1) - start + 1, 0)
        row = np.repeat(np.arange(len(start)), length)
        return row, np.arange(length.sum()) - np.repeat(np.cumsum(length) - length, length) + start[row]

    def mean(self, by_day: np.ndarray) -> np.ndarray:
        """Mean over the known days of each period; NaN where none is known. (…, days) -> (…, T) float32"""
        known = ~np.isnan(by_day)
        total = np.add.reduceat(np.where(known, by_day, 0.0), self.edges[:-1], axis=-1)
        count = np.add.reduceat(known.astype(float), self.edges[:-1], axis=-1)
        return np.where(count > 0, total / np.maximum(count, 1), np.nan).astype(np.float32)


def drivers_from(
    events: pd.DataFrame,
    holidays: pd.DataFrame,
    prices: pd.DataFrame,
    keys: pd.DataFrame,
    scopes: Scopes,
    starts: np.ndarray,
    period: Period,
    horizon: int,
) -> tuple[dict[str, Driver], list[Fault]]:
    """Drivers of the series `keys` over the periods `starts` and the `horizon` periods after them, by title.

    events, holidays, prices: tables EVENTS, HOLIDAYS, PRICES. Events of one title on several dates are one driver; of
    a week or month the driver is the share of its days with the event (times its intensity), or a signal's mean.
    Faults Demand Event, the rest untouched: a scope that names what does not exist or belongs to another company; a
    signal that ends before the horizon (of no influence after its end); prices that do (the last one is held).
    """
    if events.empty and holidays.empty and prices.empty:
        return {}, []
    days = Days.over(starts, period, horizon)
    rows, faults = _in_scope(EVENTS.check(events), scopes)
    rows = pd.concat([_as_events(HOLIDAYS.check(holidays)), rows], ignore_index=True)
    rows = rows[(days.at(rows["from_day"]) < days.count) & (days.at(rows["to_day"]) >= 0)].reset_index(drop=True)
    faults += _ended(rows, days)
    series = SeriesScopes.of(keys, scopes)
    drivers: dict[str, Driver] = {}
    told = rows["title"].str.strip().str.casefold()
    for _title, own in rows.groupby([told, "is_signal"], sort=True):  # over titles, which are few
        name = _free_name(str(own["title"].iloc[0]).strip(), bool(own["is_signal"].iloc[0]), drivers)
        driver = _driver(own.reset_index(drop=True), series, days)
        if driver is not None:
            drivers[name] = driver
    price, price_faults = _price_driver(PRICES.check(prices), keys, days)
    if price is not None:
        drivers[PRICE] = price
    return drivers, faults + price_faults


def _as_events(holidays: pd.DataFrame) -> pd.DataFrame:
    return EVENTS.check(
        pd.DataFrame({
            "event": "", "title": holidays["title"], "event_type": HOLIDAY, "from_day": holidays["day"],
            "to_day": holidays["day"],
        })
    )  # fmt: skip


def _free_name(title: str, is_signal: bool, taken: dict[str, Driver]) -> str:
    """A signal may carry the title of an event, and an event that of the price: they stay two drivers."""
    if title not in taken and title != PRICE:
        return title
    return f"{title} (signal)" if is_signal else f"{title} (event)"


# ---- scopes ------------------------------------
def _in_scope(rows: pd.DataFrame, scopes: Scopes) -> tuple[pd.DataFrame, list[Fault]]:
    """The rows of this company whose scope exists, and a fault for each event whose scope does not."""
    rows = rows[rows["company"].isin(["", scopes.company])].reset_index(drop=True)
    faults: list[Fault] = []
    unusable: set[str] = set()
    for row in rows.drop_duplicates(["event", *_SCOPE]).to_dict("records"):  # over events: a sentence each
        problem = _problem(row, scopes)
        if problem is not None:
            unusable.add(row["event"])
            faults += [problem] if problem.template else []
    return rows[~rows["event"].isin(unusable)].reset_index(drop=True), faults


def _problem(row: dict[str, str], scopes: Scopes) -> Fault | None:
    """What is wrong with an event's scope; a fault without a sentence: it concerns another company only."""
    values = {"title": row["title"], "event": row["event"]}
    if row["warehouse"] and not scopes.knows_warehouse(row["warehouse"]):
        if not row["company"]:
            return Fault("Demand Event", "")
        template = _(
            "The Demand Event {title} ({event}) is for the warehouse {warehouse}, which is not one of {company}. The "
            "event is left out; all else is planned as before."
        )
        return Fault("Demand Event", template, {**values, "warehouse": row["warehouse"], "company": scopes.company})
    unknown = [
        (label, row[column])
        for column, label, known in (
            ("item_code", _("item"), scopes.knows_item), ("item_group", _("item group"), scopes.knows_item_group),
            ("brand", _("brand"), scopes.knows_brand),
        )
        if row[column] and not known(row[column])
    ]  # fmt: skip
    if not unknown:
        return None
    template = _(
        "The Demand Event {title} ({event}) names the {what} {name}, which does not exist or has no stock item. The "
        "event is left out; all else is planned as before."
    )
    return Fault("Demand Event", template, {**values, "what": unknown[0][0], "name": unknown[0][1]})


# ---- events and signals ------------------------------------
def _driver(rows: pd.DataFrame, series: SeriesScopes, days: Days) -> Driver | None:
    """One title's rows as a driver; None where no series lies in its scope."""
    records = rows.drop_duplicates(["event", *_SCOPE])[["event", *_SCOPE]].reset_index(drop=True)
    of_record = rows.merge(records.assign(at=records.index), on=["event", *_SCOPE], how="left")["at"].to_numpy()
    # Over the records of one title, which are few: each is a scope.
    inside = np.stack([series.within(*scope) for scope in records[_SCOPE].itertuples(index=False, name=None)])
    if not inside.any():
        return None
    is_signal = bool(rows["is_signal"].iloc[0])
    family = next((name for name in rows["event_type"] if name), "")
    row_of, first = _combinations(inside)
    # Over the scopes that meet in one series.
    values = np.stack([days.mean(_painted(rows[inside[of_record, at]], days, is_signal)) for at in first])
    kind = "signal" if is_signal else "event"
    if len(values) == 1 and inside.any(axis=0).all():
        return Driver(kind, values[0], family=family)  # type: ignore[arg-type]  # one of two literals
    row_of = np.where(inside.any(axis=0), row_of, -1)
    return Driver(kind, values, row_of, family)  # type: ignore[arg-type]


def _combinations(inside: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The distinct columns of (k, n) flags: the number of each column (n,), and where each first stands."""
    number = np.zeros(inside.shape[1], dtype=np.int64)
    for flags in inside:  # over records; the numbers stay small, whatever their count
        number = pd.factorize(number * 2 + flags)[0].astype(np.int64)
    return number, np.unique(number, return_index=True)[1]


def _painted(rows: pd.DataFrame, days: Days, is_signal: bool) -> np.ndarray:
    """The value of each day. Where events meet the larger counts; where signals do, the last row. (days,)"""
    by_day = np.full(days.count, np.nan if is_signal else 0.0)
    row, day = days.cells(rows["from_day"], rows["to_day"])
    value = rows["value"].to_numpy()[row]
    if is_signal:
        by_day[day] = value
    else:
        np.maximum.at(by_day, day, value)
    return by_day


def _ended(rows: pd.DataFrame, days: Days) -> list[Fault]:
    """One fault per signal whose last value lies before the end of the horizon."""
    last = rows[rows["is_signal"]].groupby("event", sort=True).agg(title=("title", "first"), last=("to_day", "max"))
    ended = last[last["last"].to_numpy().astype("datetime64[D]") < days.last_day] if len(last) else last
    template = _(
        "The values of the Demand Event {title} ({event}) end on {last}, before the forecast does on {end}. After that "
        "day it is taken to have no influence; add the later values."
    )
    return [
        Fault(
            "Demand Event", template,
            {"title": row.title, "event": row.Index, "last": row.last.date(), "end": days.last_day.item()},
        )
        for row in ended.itertuples()  # a sentence per event
    ]  # fmt: skip


# ---- prices ------------------------------------
def _price_driver(prices: pd.DataFrame, keys: pd.DataFrame, days: Days) -> tuple[Driver | None, list[Fault]]:
    """Selling prices of the items whose price changes within the days; a constant price moves nothing."""
    rows = prices[prices["item_code"].isin(keys["item_code"]) & (prices["rate"] > 0)]
    start = rows["from_day"].fillna(pd.Timestamp(np.datetime64(days.first, "D")))
    end = rows["to_day"].fillna(pd.Timestamp(days.last_day))
    rows = rows.assign(start=start, end=end, order=rows["from_day"])
    rows = rows[(days.at(rows["start"]) < days.count) & (days.at(rows["end"]) >= 0) & (rows["start"] <= rows["end"])]
    rows = rows[rows.groupby("item_code")["rate"].transform("nunique") > 1]
    if rows.empty:
        return None, []
    rows = rows.sort_values(["order", "end"], ascending=[True, False], kind="stable", na_position="first")
    code, items = pd.factorize(rows["item_code"], sort=True)
    by_day = np.full((len(items), days.count), np.nan, dtype=np.float32)
    row, day = days.cells(rows["start"], rows["end"])
    by_day[code[row], day] = rows["rate"].to_numpy()[row]  # of repeated cells the last assignment stays
    faults = _price_faults(by_day, items, days)
    row_of = pd.Index(items).get_indexer(pd.Index(keys["item_code"]))
    return Driver("price", days.mean(_held(by_day)), row_of, family=PRICE), faults


def _held(by_day: np.ndarray) -> np.ndarray:
    """A price holds until the next one; before the first it is unknown."""
    known = ~np.isnan(by_day)
    last = np.maximum.accumulate(np.where(known, np.arange(by_day.shape[1]), -1), axis=1)
    return np.where(last >= 0, np.take_along_axis(by_day, np.maximum(last, 0), axis=1), np.nan)


def _price_faults(by_day: np.ndarray, items: pd.Index, days: Days) -> list[Fault]:
    """One sentence for all items whose prices end before the horizon."""
    ended = np.flatnonzero(np.isnan(by_day[:, -1]))
    if not len(ended):
        return []
    last = by_day.shape[1] - 1 - int(np.argmax(~np.isnan(by_day[ended[0], ::-1])))
    template = _(
        "The selling prices of {count} items end before the forecast does on {end}, those of {item_code} on {last}. "
        "The last price is taken to stay; give Item Price a later validity if it does not."
    )
    values = {
        "count": len(ended), "end": days.last_day.item(), "item_code": items[ended[0]],
        "last": np.datetime64(days.first + last, "D").item(),
    }  # fmt: skip
    return [Fault("Demand Event", template, values)]
