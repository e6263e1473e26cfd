"""The Panel: demand as a matrix, with what is known beside it."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date

import numpy as np
import pandas as pd

from erp_forecast_addon.planning import periods, shelf
from erp_forecast_addon.planning.door import sound_pairs
from erp_forecast_addon.planning.drivers import Driver
from erp_forecast_addon.planning.errors import BadInput, Fault
from erp_forecast_addon.planning.messages import _
from erp_forecast_addon.planning.scopes import parents
from erp_forecast_addon.planning.settings import Period
from erp_forecast_addon.planning.tables import BUCKETS, ITEMS, TREE

# Rows of the day grid that are laid out at once while a panel is built: bounds the memory, not the result.
_ROWS_AT_ONCE = 2048
_PAIR = ["item_code", "warehouse"]


@dataclass(frozen=True)
class Panel:
    """n series (item, warehouse) x t complete periods, oldest first.

    keys:      (n,) frame with item_code and warehouse, unique, sorted.
    period:    day | week (ISO, Monday) | month.
    starts:    (t,) datetime64[ns], first day of each period; regular.
    demand:    (n, t) float, stock UOM, finite; what was sold, also where the mask is False.
    in_stock:  (n, t) bool; False: the shelf was empty, demand there is unknown rather than `demand`.
    first:     (n,) int, the first period of each series (its first movement); periods before it did not exist.
    drivers:   name -> Driver, known ahead (see drivers.py).
    hierarchy: (n,) frame: item_group, item_group_parent, brand, warehouse, warehouse_group, company ("" where unknown).
    as_of:     the last day that the data covers; on or after the last day of the last period. None: that last day.
    """

    keys: pd.DataFrame
    period: Period
    starts: np.ndarray
    demand: np.ndarray
    in_stock: np.ndarray
    first: np.ndarray
    drivers: dict[str, Driver] = field(default_factory=dict)
    hierarchy: pd.DataFrame | None = None
    as_of: date | None = None

    @property
    def n(self) -> int:
        return int(self.demand.shape[0])

    @property
    def t(self) -> int:
        return int(self.demand.shape[1])

    @property
    def season_length(self) -> int:
        return periods.SEASON_LENGTH[self.period]

    @property
    def observed(self) -> np.ndarray:
        """(n, t) bool: the series existed and its shelf was not empty, so its demand is known."""
        return np.asarray(self.in_stock & (np.arange(self.t) >= self.first[:, None]))

    def select(self, rows: np.ndarray) -> "Panel":
        """The panel of some rows: positions or a boolean mask, in that order."""
        rows = np.asarray(rows)
        at = np.flatnonzero(rows) if rows.dtype == bool else rows
        return replace(
            self,
            keys=self.keys.iloc[at].reset_index(drop=True),
            demand=self.demand[at],
            in_stock=self.in_stock[at],
            first=self.first[at],
            drivers={name: driver.select(at) for name, driver in self.drivers.items()},
            hierarchy=None if self.hierarchy is None else self.hierarchy.iloc[at].reset_index(drop=True),
        )

    def with_drivers(self, drivers: dict[str, Driver]) -> "Panel":
        """The panel with these drivers; raises BadInput for one of a shape that does not fit."""
        return replace(self, drivers=_checked_drivers(drivers, self.n, self.t))

    def before(self, t: int) -> "Panel":
        """The first t periods, as they were known then. A series that did not exist yet has no observed period."""
        if not 1 <= t <= self.t:
            raise BadInput(_("A panel of {t} periods has no first {wanted}."), t=self.t, wanted=t)
        return replace(
            self,
            starts=self.starts[:t],
            demand=self.demand[:, :t],
            in_stock=self.in_stock[:, :t] & (self.first < t)[:, None],
            first=np.minimum(self.first, t - 1),
            as_of=None,
        )

    def reaching_back(self, t: int) -> "Panel":
        """The panel with at least t periods: those before its first one, in which no series existed yet."""
        missing = t - self.t
        if missing <= 0:
            return self
        last = periods.index_of(self.starts[-1:], self.period)[0]
        before = ((0, 0), (missing, 0))
        return replace(
            self,
            starts=periods.start_of(np.arange(last - t + 1, last + 1), self.period).astype("datetime64[ns]"),
            demand=np.pad(self.demand, before),
            in_stock=np.pad(self.in_stock, before, constant_values=True),
            first=self.first + missing,
            drivers={name: driver.reaching_back(missing) for name, driver in self.drivers.items()},
        )

    def future_starts(self, horizon: int) -> np.ndarray:
        """First days of the `horizon` periods after the last one. (horizon,) datetime64[ns]"""
        last = periods.index_of(self.starts[-1:], self.period)
        return periods.start_of(last + np.arange(1, horizon + 1), self.period).astype("datetime64[ns]")

    @property
    def last_day(self) -> date:
        """as_of, or the last day of the last period."""
        if self.as_of is not None:
            return self.as_of
        end: date = (periods.to_days(self.future_starts(1))[0] - 1).item()
        return end

    def horizon_periods(self, horizon_days: int) -> int:
        """How many periods after the last one reach over the `horizon_days` days after as_of; at least 1.

        As the first of them may have begun before as_of, a week or month more may be needed than the days suggest.
        """
        final = np.datetime64(self.last_day, "D") + max(1, horizon_days)
        return int(
            periods.index_of(np.asarray(final), self.period) - periods.index_of(self.starts[-1:], self.period)[0]
        )


def build_panel(
    buckets: pd.DataFrame,
    period: Period,
    as_of: date,
    *,
    items: pd.DataFrame | None = None,
    company: str = "",
    drivers: dict[str, Driver] | None = None,
    history_days: int = 730,
) -> tuple[Panel, list[Fault]]:
    """Lay buckets out as a panel that ends with the last period complete on `as_of`.

    buckets: table BUCKETS, any order; days without a row had no movement. items: table ITEMS, for the hierarchy.
    drivers: see Panel; history_days: how far the panel reaches back at most.
    A pair without a bucket on or before as_of is in no row. A pair that has moved only since the last complete
    period began is a row without an observed period. The stock-out rule is in `shelf.py` and docs/demand.md.
    Faults: Bad Data (days after as_of, left out; a pair with an unusable or repeated row, left out whole), Too Little
    History (fewer than two days; no demand at all).
    Raises BadInput when a table lacks a column or a driver has the wrong shape.
    """
    rows, bad_rows = sound_pairs(BUCKETS, buckets)
    past = (rows["day"] <= pd.Timestamp(as_of)).to_numpy()
    faults = bad_rows + _future_faults(rows[~past], as_of)
    rows = rows[past]
    keys, code = _pairs(rows)
    day = rows["day"].to_numpy().astype("datetime64[D]").astype(np.int64)
    order = np.lexsort((day, code))
    sparse = shelf.Movements(
        pair=code[order],
        day=day[order],
        demand_qty=rows["demand_qty"].to_numpy()[order],
        opening_qty=rows["opening_qty"].to_numpy()[order],
        closing_qty=rows["closing_qty"].to_numpy()[order],
    )
    index = _period_numbers(sparse, period, as_of, history_days)
    demand, in_stock, first = _lay_out(sparse, len(keys), index, period)
    panel = Panel(
        keys=keys,
        period=period,
        starts=periods.start_of(index, period).astype("datetime64[ns]"),
        demand=demand,
        in_stock=in_stock,
        first=first,
        drivers=_checked_drivers(drivers or {}, len(keys), len(index)),
        hierarchy=hierarchy_of(keys, items, company),
        as_of=as_of,
    )
    return panel, faults + _history_faults(panel, sparse)


def _pairs(rows: pd.DataFrame) -> tuple[pd.DataFrame, np.ndarray]:
    """The pairs of the rows, sorted, and the number of each row's pair."""
    items, item_names = pd.factorize(rows["item_code"], sort=True)
    houses, house_names = pd.factorize(rows["warehouse"], sort=True)
    width = max(1, len(house_names))
    found, code = np.unique(items.astype(np.int64) * width + houses, return_inverse=True)
    keys = pd.DataFrame(
        {
            "item_code": pd.Series(np.asarray(item_names, dtype=object)[found // width], dtype=object),
            "warehouse": pd.Series(np.asarray(house_names, dtype=object)[found % width], dtype=object),
        }
    )
    return keys, code


def _period_numbers(sparse: shelf.Movements, period: Period, as_of: date, history_days: int) -> np.ndarray:
    last = periods.last_complete(as_of, period)
    earliest = last if not len(sparse.day) else int(periods.index_of(sparse.day.min().astype("datetime64[D]"), period))
    oldest = last - periods.count_in(history_days, period) + 1
    return np.arange(min(max(earliest, oldest), last), last + 1)


def _lay_out(
    sparse: shelf.Movements, n: int, index: np.ndarray, period: Period
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """demand (n, t), in_stock (n, t), first (n,), a block of rows at a time."""
    edges = periods.start_of(np.append(index, index[-1] + 1), period).astype(np.int64)
    demand = np.zeros((n, len(index)))
    in_stock = np.ones((n, len(index)), dtype=bool)
    first_day = sparse.first_day(n)
    for at in range(0, n, _ROWS_AT_ONCE):
        block = slice(at, min(at + _ROWS_AT_ONCE, n))
        grid = shelf.lay_out(sparse, block.start, block.stop, int(edges[0]), int(edges[-1]))
        out = shelf.out_of_stock(grid)
        columns = edges[:-1] - edges[0]
        demand[block] = np.add.reduceat(grid.demand_qty, columns, axis=1)
        in_stock[block] = ~shelf.out_of_stock_periods(out, grid.exists, columns, demand[block])
    numbers = periods.index_of(first_day.astype("datetime64[D]"), period) - index[0]
    first = np.clip(numbers, 0, len(index) - 1).astype(np.int64)
    in_stock &= (numbers < len(index))[:, None]
    return demand, in_stock, first


def hierarchy_of(
    keys: pd.DataFrame,
    items: pd.DataFrame | None,
    company: str,
    item_groups: pd.DataFrame | None = None,
    warehouses: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Panel.hierarchy of (n,) keys. items: table ITEMS; item_groups, warehouses: table TREE, for the parents."""
    known = (ITEMS.empty() if items is None else ITEMS.check(items)).set_index("item_code")
    of_item = known[["item_group", "brand"]].reindex(keys["item_code"]).fillna("").set_axis(keys.index)
    groups, houses = (TREE.empty() if tree is None else tree for tree in (item_groups, warehouses))
    return pd.DataFrame({
        "item_group": of_item["item_group"],
        "item_group_parent": parents(groups, of_item["item_group"]),
        "brand": of_item["brand"],
        "warehouse": keys["warehouse"],
        "warehouse_group": parents(houses, keys["warehouse"]),
        "company": pd.Series(company, keys.index, dtype=object),
    })  # fmt: skip


def _checked_drivers(drivers: dict[str, Driver], n: int, t: int) -> dict[str, Driver]:
    checked = {}
    for name, driver in drivers.items():  # over drivers, which are few
        values = np.asarray(driver.values, dtype=np.float32)
        scopes = len(values) if values.ndim == 2 else 1
        fits = values.ndim in (1, 2) and values.shape[-1] >= t
        if driver.rows is None:
            fits = fits and (values.ndim == 1 or scopes == n)
        else:
            rows = np.asarray(driver.rows)
            fits = fits and rows.shape == (n,) and bool(((rows >= -1) & (rows < scopes)).all())
        if not fits:
            raise BadInput(
                _("Driver {name} has the shape {shape}; it needs {t} periods or more, for all series or for {n}."),
                name=name, shape=values.shape, t=t, n=n,
            )  # fmt: skip
        if np.isinf(values).any():
            raise BadInput(_("Driver {name} holds infinite values."), name=name)
        checked[name] = replace(driver, values=values)
    return checked


def _future_faults(rows: pd.DataFrame, as_of: date) -> list[Fault]:
    latest = rows.groupby(_PAIR, sort=True)["day"].agg(["size", "max"]).reset_index()
    return [
        Fault(
            "Bad Data",
            _("{count} days after {as_of} were left out; the latest is {latest}. Demand cannot lie in the future."),
            {"count": int(row.size), "as_of": as_of, "latest": row.max.date()},
            item_code=row.item_code,
            warehouse=row.warehouse,
        )
        for row in latest.itertuples(index=False)  # a sentence per faulty pair; faults are few
    ]


def _history_faults(panel: Panel, sparse: shelf.Movements) -> list[Fault]:
    """One fault per series that has no demand in the panel or has moved on a single day only."""
    days = np.bincount(sparse.pair, minlength=panel.n)
    unobserved = np.asarray(~panel.observed.any(axis=1))
    none = np.asarray(~(panel.demand > 0).any(axis=1) & ~unobserved)
    reasons: list[tuple[np.ndarray, str, Callable[[int], dict[str, object]]]] = [
        (
            unobserved,
            _("No complete {period} with stock on the shelf has been seen yet, so nothing is forecast."),
            lambda row: {"period": panel.period},
        ),
        (
            none,
            _("Nothing was sold or issued in {count} {period}s up to {as_of}; the forecast is 0."),
            lambda row: {
                "count": panel.t - int(panel.first[row]), "period": panel.period, "as_of": panel.last_day,
            },
        ),
        (
            np.asarray((days == 1) & ~none & ~unobserved),
            _("There is a single day of history; the forecast rests on it alone and may be far off."),
            lambda row: {},
        ),
    ]  # fmt: skip
    return [
        Fault(
            "Too Little History",
            template,
            values(int(row)),
            item_code=panel.keys["item_code"].iloc[row],
            warehouse=panel.keys["warehouse"].iloc[row],
        )
        for rows, template, values in reasons
        for row in np.flatnonzero(rows)  # a sentence per faulty pair
    ]
