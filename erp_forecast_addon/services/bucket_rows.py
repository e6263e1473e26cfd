"""The buckets of marked pairs, made again from the ledger: one piece of the marks in one transaction."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

import numpy as np
import pandas as pd

from erp_forecast_addon.planning.buckets import daily_buckets
from erp_forecast_addon.planning.door import check_rows
from erp_forecast_addon.planning.errors import BadInput, Fault
from erp_forecast_addon.planning.tables import LEDGER
from erp_forecast_addon.services.changes import BEGINNING
from erp_forecast_addon.site import demand_queries
from erp_forecast_addon.site.port import Site
from erp_forecast_addon.site.settings import CompanySettings
from erp_forecast_addon.site.vouchers import with_demand

# Ledger rows that one piece reads at most, unless a single item has more: bounds memory (about 1 kB a row) and how long
# a transaction stays open, not the result.
ROWS_PER_PIECE: Final = 400_000
# What a mark from the last weeks is taken to ask for; only older ones are worth a count in the ledger.
_ROWS_PER_MARK: Final = 10
_RECENT: Final = timedelta(days=35)
_LAST_DAYS: Final = timedelta(days=3)
# Nine decimals are stored: what differs by less is the same number.
_STORED_TOLERANCE_QTY: Final = 1e-8
_PAIR: Final = ["item_code", "warehouse"]
_KEY: Final = [*_PAIR, "day"]
_QUANTITIES: Final = ["demand_qty", "opening_qty", "closing_qty", "ledger_rows", "ledger_qty", "ledger_stock_qty"]

Items = tuple[str, str]


@dataclass(frozen=True)
class Piece:
    """items: first and last item_code in the database's order; share: of the whole work, 0 to 1."""

    items: Items
    share: float


@dataclass(frozen=True)
class Written:
    """Counts of one or several pieces; faults: ledger rows that could not be used."""

    pairs: int = 0
    ledger_rows: int = 0
    buckets_written: int = 0
    buckets_removed: int = 0
    faults: tuple[Fault, ...] = field(default=())

    def __add__(self, other: "Written") -> "Written":
        return Written(
            self.pairs + other.pairs,
            self.ledger_rows + other.ledger_rows,
            self.buckets_written + other.buckets_written,
            self.buckets_removed + other.buckets_removed,
            self.faults + other.faults,
        )


def pieces(site: Site) -> Iterator[Piece]:
    """The items that are marked now, cut so that each piece reads about ROWS_PER_PIECE ledger rows."""
    marked = site.fetch(demand_queries.marked_items(site.qb))
    if marked.empty:
        return
    names = marked["item_code"].to_numpy()
    long_ago = (site.now() - _RECENT).date()
    counted = site.fetch(demand_queries.marked_ledger_rows(site.qb, (names[0], names[-1]), long_ago))
    rows = marked["marks"].to_numpy(dtype=np.int64) * _ROWS_PER_MARK
    if not counted.empty:
        found = counted.set_index("item_code")["ledger_rows"]
        rows = rows + found[~found.index.duplicated()].reindex(names).fillna(0).to_numpy(dtype=np.int64)
    total = np.cumsum(rows)
    piece = (total - rows) // ROWS_PER_PIECE  # an item belongs to the piece in which its first row lies
    first = np.flatnonzero(np.concatenate([[True], piece[1:] != piece[:-1]]))
    last = np.concatenate([first[1:] - 1, [len(names) - 1]])
    for begin, end in zip(first, last, strict=True):  # a piece is a transaction of its own
        yield Piece((names[begin], names[end]), float(rows[begin : end + 1].sum() / total[-1]))


def recompute(site: Site, items: Items, planned: Mapping[str, CompanySettings]) -> Written:
    """Make the buckets of the marked pairs of these items again, and take their marks away.

    Reads and writes in one transaction, committed here, so that nobody sees half a pair. The marks go in a second one:
    if the process dies between the two, the pairs are made again, to the same numbers. Marks of companies that are
    not planned are dropped. Only rows that differ are written.
    """
    with site.savepoint():  # SQLite reads in one snapshot only inside a transaction; MariaDB does anyway
        marks = site.fetch(demand_queries.marks(site.qb, items))
        written = _recompute(site, items, _Scope.of(marks, planned), planned)
    site.commit()
    site.delete_rows("Demand Mark", marks["name"].tolist())
    site.commit()
    return written


def _recompute(site: Site, items: Items, scope: "_Scope", planned: Mapping[str, CompanySettings]) -> Written:
    ledger = scope.kept(_ledger(site, items, scope))
    existing = scope.kept(site.fetch(demand_queries.marked_buckets(site.qb, items)))
    carried = scope.kept(_carried(site, items, scope))
    demand, faults = _usable(site, scope, ledger, planned)
    made = _made_again(demand, carried, scope)
    written, removed = _write(site, made, existing)
    _follow_pairs(site, items, scope, made, carried)
    return Written(len(scope.since), len(ledger), written, removed, tuple(faults))


@dataclass(frozen=True)
class _Scope:
    """since: (item_code, warehouse), folded -> first changed day; company_of: by folded warehouse.

    MariaDB takes names that differ in case for the same, so a pair may be spelled in two ways; folding finds both.
    """

    since: pd.Series
    company_of: dict[str, str]
    left_out: frozenset[str]

    @classmethod
    def of(cls, marks: pd.DataFrame, planned: Mapping[str, CompanySettings]) -> "_Scope":
        houses = marks[["warehouse", "company"]].drop_duplicates("warehouse")
        company_of = {
            str(house).casefold(): company
            for house, company in houses.itertuples(index=False)
            if isinstance(company, str)
        }
        left_out = frozenset(house for house, company in company_of.items() if company not in planned)
        pairs = marks[~marks["warehouse"].str.casefold().isin(left_out)]
        since = pairs["changed_from"].groupby([pairs[name].str.casefold() for name in _PAIR]).min()
        return cls(since, company_of, left_out)

    def kept(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Without the warehouses of companies that are not planned."""
        if not self.left_out or rows.empty:
            return rows
        return rows[~rows["warehouse"].str.casefold().isin(self.left_out)].reset_index(drop=True)

    def companies(self, rows: pd.DataFrame) -> pd.Series:
        """The company of each row, missing where its warehouse is gone."""
        codes, houses = pd.factorize(rows["warehouse"])
        names = np.array([self.company_of.get(str(house).casefold()) for house in houses], dtype=object)
        return pd.Series(names[codes], index=rows.index)

    @property
    def from_beginning(self) -> bool:
        return bool((self.since <= pd.Timestamp(BEGINNING)).all())


def _ledger(site: Site, items: Items, scope: _Scope) -> pd.DataFrame:
    """Ledger rows of the marked pairs. Those that changed in the last days, most of them, are found by day."""
    border = (site.now() - _LAST_DAYS).date()
    older = site.fetch(demand_queries.marked_ledger(site.qb, items, border))
    if not (scope.since >= pd.Timestamp(border)).any():
        return older
    recent = site.fetch(demand_queries.recent_marked_ledger(site.qb, items, border))
    return pd.concat([older, recent], ignore_index=True)


def _carried(site: Site, items: Items, scope: _Scope) -> pd.DataFrame:
    """item_code, warehouse, closing_qty before the first changed day; nothing precedes a pair's beginning."""
    if scope.from_beginning:
        return pd.DataFrame({"item_code": [], "warehouse": [], "closing_qty": []})
    stock = site.fetch(demand_queries.carried_stock(site.qb, items))
    return stock.assign(closing_qty=pd.to_numeric(stock["closing_qty"])).dropna(subset="closing_qty")


def _usable(
    site: Site, scope: _Scope, rows: pd.DataFrame, planned: Mapping[str, CompanySettings]
) -> tuple[pd.DataFrame, list[Fault]]:
    """The rows as table LEDGER, demand told by the rules of each row's company; unusable rows as faults."""
    if rows.empty:
        return LEDGER.empty(), []
    company = scope.companies(rows)
    told = [
        with_demand(site, planned[name], rows[(company == name).to_numpy()])
        for name in sorted(company.dropna().unique())
    ]
    if not told:
        return LEDGER.empty(), []
    demand = pd.concat(told, ignore_index=True)
    # ERPNext refuses a return before its sale. Imported data may hold one; a day after its own posting would escape
    # a recomputation that starts between the two.
    demand["demand_day"] = demand["demand_day"].where(~(demand["demand_day"] > demand["posting_day"]))
    try:
        return LEDGER.check(demand), []
    except BadInput:
        checked = check_rows(LEDGER, demand)
        return checked.rows, checked.faults


def _made_again(demand: pd.DataFrame, carried: pd.DataFrame, scope: _Scope) -> pd.DataFrame:
    """The buckets from each pair's first changed day on, with the totals of the ledger rows of each day."""
    made = with_ledger_totals(daily_buckets(demand, carried if len(carried) else None), demand)
    if made.empty or scope.from_beginning:
        return made
    folded = pd.MultiIndex.from_arrays([made[name].str.casefold() for name in _PAIR])
    since = scope.since.reindex(folded).to_numpy()
    # Returns posted since reach back to the day of their sale; that day did not change and only part of it is here.
    return made[made["day"].to_numpy() >= since].reset_index(drop=True)


def with_ledger_totals(buckets: pd.DataFrame, ledger: pd.DataFrame) -> pd.DataFrame:
    """Buckets of exactly this ledger, with ledger_rows, ledger_qty and ledger_stock_qty of the rows posted that day.

    These are what the nightly comparison adds up and holds against the ledger. buckets: sorted, as daily_buckets
    gives them; a day on which only a return was netted has no row of its own.
    """
    if buckets.empty:
        return buckets.assign(ledger_rows=pd.Series(dtype=float), ledger_qty=0.0, ledger_stock_qty=0.0)
    slots = _slots(buckets, "day")
    position = np.searchsorted(slots, _slots(ledger, "posting_day", like=buckets))
    totals = {
        "ledger_rows": np.bincount(position, minlength=len(slots)).astype(float),
        "ledger_qty": np.bincount(position, weights=ledger["actual_qty"], minlength=len(slots)),
        "ledger_stock_qty": np.bincount(
            position, weights=ledger["qty_after_transaction"].fillna(0.0), minlength=len(slots)
        ),
    }
    return buckets.assign(**totals)


def _slots(rows: pd.DataFrame, day: str, like: pd.DataFrame | None = None) -> np.ndarray:
    """One number per row that tells item, warehouse and day, in the order of `like` (default: rows)."""
    order = rows if like is None else like
    items, houses = pd.Index(order["item_code"].unique()), pd.Index(np.sort(order["warehouse"].unique()))
    days = rows[day].to_numpy().astype("datetime64[D]").astype(np.int64)
    pair = items.get_indexer(rows["item_code"]).astype(np.int64) * len(houses) + houses.get_indexer(rows["warehouse"])
    return np.asarray(pair * 1_000_000 + days + 500_000)  # days of the years 601 to 3338


def _write(site: Site, made: pd.DataFrame, existing: pd.DataFrame) -> tuple[int, int]:
    """Insert new days, update days that differ, delete days that are gone. Returns (written, removed)."""
    columns = [*_KEY, *_QUANTITIES]
    if existing.empty:
        return (site.insert_rows("Demand Bucket", made[columns]) if len(made) else 0), 0
    was = existing.assign(day=pd.to_datetime(existing["day"]))
    both = made[columns].merge(was, on=_KEY, how="outer", suffixes=("", "_was"), indicator="found")
    gone = both["found"] == "right_only"
    new = both["found"] == "left_only"
    now_qty = both[_QUANTITIES].to_numpy(dtype=float)
    was_qty = both[[f"{name}_was" for name in _QUANTITIES]].to_numpy(dtype=float)
    same = np.isclose(now_qty, was_qty, rtol=1e-12, atol=_STORED_TOLERANCE_QTY).all(axis=1)
    changed = (both["found"] == "both") & ~same
    if gone.any():
        site.delete_rows("Demand Bucket", both.loc[gone, "name"].astype("int64").tolist())
    if new.any():
        site.insert_rows("Demand Bucket", both.loc[new, columns])
    if changed.any():
        site.upsert_rows("Demand Bucket", both.loc[changed, columns], _KEY)
    return int(new.sum() + changed.sum()), int(gone.sum())


def _follow_pairs(site: Site, items: Items, scope: _Scope, made: pd.DataFrame, carried: pd.DataFrame) -> None:
    """Demand Pair: one row for each pair that has buckets, none for the others."""
    there = pd.concat([made[_PAIR], carried[_PAIR]]).drop_duplicates()
    known = scope.kept(site.fetch(demand_queries.marked_pairs(site.qb, items)))
    wanted = pd.MultiIndex.from_frame(there)
    had = pd.MultiIndex.from_frame(known[_PAIR]) if len(known) else wanted[:0]
    new = there[~wanted.isin(had)]
    if len(new):
        site.insert_rows("Demand Pair", new.assign(company=scope.companies(new)))
    if len(known):
        site.delete_rows("Demand Pair", known.loc[~had.isin(wanted), "name"].tolist())
