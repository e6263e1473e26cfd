"""What a series is told of the others: its groups, their past demand and their prices."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy import sparse

from erp_forecast_addon.planning.errors import BadInput
from erp_forecast_addon.planning.forecasting.boosting.past import Past
from erp_forecast_addon.planning.forecasting.boosting.rhythm import RHYTHM, Rhythm
from erp_forecast_addon.planning.messages import _
from erp_forecast_addon.planning.panel import Panel
from erp_forecast_addon.planning.settings import Period

# Levels of groups, widest first: the columns whose equal values make a group.
LEVELS: dict[str, tuple[str, ...]] = {
    "warehouse": ("warehouse",),
    "department": ("item_group", "warehouse"),
    "item": ("item_code",),
}
# If items have fewer series than this on average, the items say no more than the series themselves.
_MIN_SERIES_PER_ITEM = 1.5
# Attributes whose values are told to the trees as they are.
ATTRIBUTES = ("item_group", "item_group_parent", "brand", "warehouse", "warehouse_group")
# How many series-periods of the level above a group's seasonal index is pulled with.
_PULL_PERIODS = 30.0


@dataclass(frozen=True)
class GroupTotals:
    """Known demand of g groups: what was sold and how many known values it sums, both (g, t) float32."""

    total: np.ndarray
    count: np.ndarray

    def past(self, at: np.ndarray, shift: int, cycle: int) -> Past:
        """The past of some groups without their first `shift` periods; −shift unknown ones in front, if negative."""
        return Past(_shifted(self.total[at], shift, 0.0), _shifted(self.count[at], shift, 0.0), cycle)


@dataclass(frozen=True)
class Groups:
    """The groups of a whole company up to the panel's end: small enough to be stored and used for a few rows later.

    starts: (t,) first days of the periods; names: level -> the groups' names (g,), str objects; totals: level -> their
    demand; on_event: (level, event) -> their demand on the event's periods alone; price: (departments, w) float32 mean
    price per period, NaN where unknown.
    """

    period: Period
    starts: np.ndarray
    names: dict[str, np.ndarray]
    totals: dict[str, GroupTotals]
    on_event: dict[tuple[str, str], GroupTotals]
    price: np.ndarray | None

    def context(self, panel: Panel) -> "Context":
        """What the series of `panel`, all or some of the company's, are told.

        The panel must end where the groups do; its history may be shorter or longer. Raises BadInput if it does not.
        """
        if panel.starts[-1] != self.starts[-1]:
            raise BadInput(
                _("The series end at {panel_end}, what is known of the whole company at {groups_end}: forecast anew."),
                panel_end=str(panel.starts[-1])[:10], groups_end=str(self.starts[-1])[:10],
            )  # fmt: skip
        shift = len(self.starts) - panel.t
        table, rhythm = attributes(panel), RHYTHM[self.period]
        codes: dict[str, np.ndarray] = {}
        used: dict[str, np.ndarray] = {}
        for level, names in self.names.items():
            found = pd.Index(names).get_indexer(pd.Index(_joined(table, LEVELS[level])))
            used[level] = np.unique(found[found >= 0])
            codes[level] = np.where(found >= 0, np.searchsorted(used[level], found), -1)
            if not len(used[level]):
                used[level] = np.zeros(1, dtype=np.int64)  # never read: all codes are −1
        return Context(
            rhythm=rhythm,
            codes=codes,
            pasts={level: self.totals[level].past(at, shift, rhythm.cycle) for level, at in used.items()},
            on_event={key: self.on_event[key].past(used[key[0]], shift, 1) for key in self.on_event},
            price=None if self.price is None else _shifted(self.price[used["department"]], shift, np.nan),
        )


@dataclass(frozen=True)
class Context:
    """The groups of some series. codes: level -> (n,) row of each series' group in its past, −1: unknown."""

    rhythm: Rhythm
    codes: dict[str, np.ndarray]
    pasts: dict[str, Past]
    on_event: dict[tuple[str, str], Past]
    price: np.ndarray | None

    def rows(self, block: slice) -> "Context":
        """The context of a block of the series."""
        return replace(self, codes={level: code[block] for level, code in self.codes.items()})

    def seasonal_index(self, series: np.ndarray, end: np.ndarray, target: np.ndarray) -> np.ndarray:
        """Expected demand of the target's phase of the cycle over the mean, of each row's groups. (rows,)

        A group is pulled towards the level above it; an unknown group takes the index of that level.
        """
        cycles, cycle = self.rhythm.index_cycles, self.rhythm.cycle
        index = np.ones(len(end))
        if cycle == 1:
            return index
        for level in ("warehouse", "department"):
            past, code = self.pasts[level], self.codes[level][series]
            total, count = past.phase_sum_count(code, end, target, cycles)
            mean = past.mean(code, end, cycles * cycle)
            usable = (code >= 0) & (mean > 0)
            mean = np.where(usable, mean, 1.0)
            index = np.where(usable, (total + _PULL_PERIODS * mean * index) / ((count + _PULL_PERIODS) * mean), index)
        return np.asarray(np.clip(index, 0.1, 10.0))


def attributes(panel: Panel) -> pd.DataFrame:
    """Item, warehouse and the hierarchy's columns as strings, "" where unknown. (n,) frame"""
    table = panel.keys[["item_code", "warehouse"]].copy()
    hierarchy = pd.DataFrame(index=table.index) if panel.hierarchy is None else panel.hierarchy
    for column in ATTRIBUTES:
        if column not in table:
            table[column] = hierarchy[column].to_numpy() if column in hierarchy else ""
    known: pd.DataFrame = table.fillna("").astype(str)
    return known


def known_demand(panel: Panel) -> tuple[np.ndarray, np.ndarray]:
    """Demand, 0 where it is unknown or negative, and where it is known (1 or 0); both (n, t) float32."""
    seen = panel.observed
    return np.where(seen, np.maximum(panel.demand, 0), 0).astype(np.float32), seen.astype(np.float32)


def group(panel: Panel, events: tuple[str, ...], price: str | None) -> Groups:
    """The groups of a panel; events: drivers whose periods' demand is kept apart; price: the driver of prices."""
    table = attributes(panel)
    sold, seen = known_demand(panel)
    names: dict[str, np.ndarray] = {}
    members: dict[str, sparse.csr_matrix] = {}
    for level, columns in LEVELS.items():
        code, found = pd.factorize(_joined(table, columns))
        if level == "item" and panel.n < _MIN_SERIES_PER_ITEM * len(found):
            continue
        names[level] = np.asarray(found, dtype=object)
        ones = np.ones(panel.n, dtype=np.float32)
        members[level] = sparse.csr_matrix((ones, (code, np.arange(panel.n))), shape=(len(found), panel.n))
    totals = {level: GroupTotals(member @ sold, member @ seen) for level, member in members.items()}
    on_event = {}
    for name, there in _event_periods(panel, events):
        parts = sold * there, seen * there
        for level in ("department", "item"):
            if level in members:
                on_event[level, name] = GroupTotals(*(members[level] @ part for part in parts))
    return Groups(panel.period, panel.starts, names, totals, on_event, _mean_price(panel, members["department"], price))


def _mean_price(panel: Panel, member: sparse.csr_matrix, price: str | None) -> np.ndarray | None:
    if price is None or price not in panel.drivers:
        return None
    values = panel.drivers[price].of(slice(None), panel.n)
    known = values > 0
    count = member @ known.astype(np.float32)
    total = member @ np.where(known, values, 0).astype(np.float32)
    return np.asarray(np.where(count > 0, total / np.maximum(count, 1), np.nan), dtype=np.float32)


def _event_periods(panel: Panel, events: tuple[str, ...]) -> Iterator[tuple[str, np.ndarray]]:
    for name in events:  # over the few frequent events
        if name in panel.drivers:
            yield name, (panel.drivers[name].of(slice(None), panel.n)[:, : panel.t] > 0).astype(np.float32)


def _shifted(values: np.ndarray, shift: int, fill: float) -> np.ndarray:
    if shift >= 0:
        return values[:, shift:]
    return np.concatenate([np.full((len(values), -shift), fill, dtype=values.dtype), values], axis=1)


def _joined(table: pd.DataFrame, columns: tuple[str, ...]) -> np.ndarray:
    joined = table[columns[0]]
    for column in columns[1:]:
        joined = joined + "\x1f" + table[column]
    return joined.to_numpy(dtype=object)
