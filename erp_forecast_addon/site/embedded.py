"""EmbeddedSite: one SQLite file with ERPNext-shaped tables. It stores documents and answers the port, no more."""

import hashlib
import secrets
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import date, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Final

import pandas as pd
from pypika import Order, Table
from pypika.dialects import SQLLiteQuery

from erp_forecast_addon.planning.errors import BadInput, Refused
from erp_forecast_addon.planning.messages import Template, _
from erp_forecast_addon.site import doctypes, embedded_orders, frames, schema
from erp_forecast_addon.site.embedded_sql import literal_moments_as_stored, stored_value
from erp_forecast_addon.site.port import NativeOrder, OrderLine, Site

# "erpf" as a number in the file's header tells our files from other SQLite files.
APPLICATION_ID: Final = 0x65727066
# A ledger's indexes are kept in memory while it is written: SQLite's default of 2 MB makes that ten times as slow.
_CACHE_KIB: Final = 256 * 1024
# Where a file keeps the site time of data of the past.
_CLOCK: Final = "Embedded Site"


class EmbeddedQuery:
    """What frappe.qb offers of PyPika, for SQLite."""

    desc = Order.desc
    asc = Order.asc

    @staticmethod
    def DocType(name: str, *args: Any, **kwargs: Any) -> Table:
        return Table(f"tab{name}", *args, **kwargs)

    @classmethod
    def from_(cls, table: Any) -> Any:
        return SQLLiteQuery.from_(cls._table(table))

    @classmethod
    def into(cls, table: Any) -> Any:
        return SQLLiteQuery.into(cls._table(table))

    @classmethod
    def update(cls, table: Any) -> Any:
        return SQLLiteQuery.update(cls._table(table))

    @classmethod
    def _table(cls, table: Any) -> Any:
        return cls.DocType(table) if isinstance(table, str) else table


class EmbeddedSite(Site):
    """One connection to one file. Text is compared letter by letter (MariaDB ignores case).

    now: site time that stands still, for tests and replays; None: the time kept in the file (data of the past brings
    one), else the machine's clock.
    """

    qb = EmbeddedQuery

    def __init__(self, path: str | Path, now: datetime | None = None, user: str = "demo") -> None:
        """Open an existing file; raises Refused with a sentence when it is missing, foreign, older or damaged."""
        self.path = Path(path)
        self._user = user
        if not self.path.is_file():
            raise Refused(f"There is no embedded site at {self.path}. Create one first: `erp-forecast demo create`.")
        self._connection = sqlite3.connect(self.path, isolation_level=None, timeout=30.0)
        self._savepoints = 0
        self._streaming = False
        try:
            _refuse_unknown_file(self._connection, self.path)
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = NORMAL")
            self._connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
            self._now = now if now is not None else self._kept_now()
        except BaseException:
            self._connection.close()
            raise

    @classmethod
    def create(cls, path: str | Path, now: datetime | None = None, user: str = "demo") -> "EmbeddedSite":
        """Make a new file with empty tables and open it; refuses to touch an existing file."""
        where = Path(path)
        if where.exists():
            raise Refused(f"{where} exists already; choose another name or delete it first.")
        where.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(where, isolation_level=None)
        try:
            connection.execute("BEGIN")
            for statement in doctypes.sqlite_ddl():
                connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {_fingerprint()}")
            connection.execute("COMMIT")
        finally:
            connection.close()
        return cls(where, now, user)

    def close(self) -> None:
        """Close the connection; what was not committed is undone."""
        self._connection.close()

    def __enter__(self) -> "EmbeddedSite":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    # ---- running queries ------------------------------------
    def fetch(self, query: Any) -> pd.DataFrame:
        self._refuse_while_streaming()
        kinds = frames.column_kinds(query)
        return frames.frame(self._connection.execute(_sql(query)).fetchall(), kinds)

    def stream(self, query: Any, rows: int) -> Iterator[pd.DataFrame]:
        """No other query may run on this site until the stream has ended; SQLite could, MariaDB cannot."""
        self._refuse_while_streaming()
        kinds = frames.column_kinds(query)
        self._streaming = True
        try:
            cursor = self._connection.execute(_sql(query))
            while piece := cursor.fetchmany(rows):
                yield frames.frame(piece, kinds)
        finally:
            self._streaming = False

    def execute(self, query: Any) -> int:
        return self.write(_sql(query)).rowcount

    def write(self, sql: str, values: Sequence[Any] = ()) -> sqlite3.Cursor:
        """A statement that writes; opens the transaction that commit() or rollback() ends."""
        self.begin()
        return self._connection.execute(sql, tuple(values))

    def read(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        return self._connection.execute(sql, tuple(values)).fetchall()

    def begin(self) -> None:
        self._refuse_while_streaming()
        if not self._connection.in_transaction:
            self._connection.execute("BEGIN IMMEDIATE")

    def _refuse_while_streaming(self) -> None:
        if self._streaming:
            raise RuntimeError("A stream is open on this connection; read it to its end before the next query.")

    # ---- bulk rows ------------------------------------
    def insert_rows(self, doctype: str, rows: pd.DataFrame) -> int:
        return self._insert(doctype, rows, "")

    def upsert_rows(self, doctype: str, rows: pd.DataFrame, key: Sequence[str]) -> int:
        given = [str(column) for column in rows if column not in (*key, "name", "creation", "owner")]
        changed = [*given, *(column for column in ("modified", "modified_by") if column not in given)]
        updates = ", ".join(f'"{column}" = excluded."{column}"' for column in changed)
        keyed = ", ".join(f'"{column}"' for column in key)
        return self._insert(doctype, rows, f" ON CONFLICT ({keyed}) DO UPDATE SET {updates}")

    def _insert(self, doctype: str, rows: pd.DataFrame, on_conflict: str) -> int:
        if rows.empty:
            return 0
        full = frames.with_standard_columns(rows, doctype, self.now(), self.user)
        values = frames.storable(full, doctype)
        columns = ", ".join(f'"{column}"' for column in full)
        marks = ", ".join("?" * full.shape[1])
        self.begin()
        self._connection.executemany(f'INSERT INTO "tab{doctype}" ({columns}) VALUES ({marks}){on_conflict}', values)
        return len(rows)

    @contextmanager
    def without_indexes(self, doctype: str) -> Iterator[None]:
        """Fill a table without its indexes, made again at the end: faster for an import, in the same transaction."""
        known = self.read(
            "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = ? AND sql IS NOT NULL",
            (f"tab{doctype}",),
        )
        for name, _ddl in known:
            self.write(f'DROP INDEX "{name}"')
        yield
        for _name, ddl in known:
            self.write(ddl)

    def delete_rows(self, doctype: str, names: Sequence[Any]) -> int:
        known = doctypes.doctype(doctype).name
        self.begin()
        deleted = self._connection.executemany(
            f'DELETE FROM "tab{known}" WHERE name = ?', [(frames.plain_value(name),) for name in names]
        )
        return deleted.rowcount

    # ---- documents ------------------------------------
    def insert_document(self, doctype: str, values: Mapping[str, Any]) -> str:
        made = doctypes.doctype(doctype)
        name = str(values.get("name") or values.get(schema.NAMED_BY.get(doctype, ""), "") or secrets.token_hex(5))
        if self.read(f'SELECT 1 FROM "tab{doctype}" WHERE name = ?', (name,)):
            raise Refused(self.translate(_("{doctype} {name} exists already.")).format(doctype=doctype, name=name))
        self._insert_row(made, {**values, "name": name})
        self._insert_children(made, name, values)
        return name

    def get_document(self, doctype: str, name: str) -> dict[str, Any] | None:
        made = doctypes.doctype(doctype)
        found = [self._get_single(made)] if made.is_single else self._rows_of(made, "name = ?", (name,))
        for document in found:  # one at most
            for table_field, child in made.children.items():
                document[table_field] = self._rows_of(
                    doctypes.doctype(child), "parent = ? AND parentfield = ? ORDER BY idx", (name, table_field)
                )
        return found[0] if found else None

    def update_document(self, doctype: str, name: str, values: Mapping[str, Any]) -> None:
        made = doctypes.doctype(doctype)
        own = {field: value for field, value in values.items() if field not in made.children}
        if made.is_single:
            self._set_single(made, own)
        else:
            self._update_row(made, name, own)
        for table_field in made.children.keys() & values.keys():
            self.write(
                f'DELETE FROM "tab{made.children[table_field]}" WHERE parent = ? AND parentfield = ?',
                (name, table_field),
            )
        self._insert_children(made, name, values)

    def delete_document(self, doctype: str, name: str) -> None:
        made = doctypes.doctype(doctype)
        for table_field, child in made.children.items():
            self.write(f'DELETE FROM "tab{child}" WHERE parent = ? AND parentfield = ?', (name, table_field))
        self.write(f'DELETE FROM "tab{doctype}" WHERE name = ?', (name,))

    def hold(self, doctype: str, name: str) -> bool:
        self.begin()  # holds the whole file, and what is read from then on is what stands
        return bool(self.read(f'SELECT 1 FROM "tab{doctype}" WHERE name = ?', (name,)))

    def _insert_row(self, made: doctypes.DocType, values: Mapping[str, Any]) -> None:
        moment = self.now()
        standard = {"creation": moment, "modified": moment, "owner": self.user, "modified_by": self.user}
        stored = {**standard, **{field: value for field, value in values.items() if field not in made.children}}
        self._refuse_unknown(made, stored)
        columns = ", ".join(f'"{column}"' for column in stored)
        self.write(
            f'INSERT INTO "tab{made.name}" ({columns}) VALUES ({", ".join("?" * len(stored))})',
            [stored_value(value, made.columns[column]) for column, value in stored.items()],
        )

    def _insert_children(self, made: doctypes.DocType, name: str, values: Mapping[str, Any]) -> None:
        for table_field, child in made.children.items():
            for idx, row in enumerate(values.get(table_field) or (), start=1):  # a document's own rows: few
                placed = {"parent": name, "parentfield": table_field, "parenttype": made.name, "idx": idx}
                kept = {"name": secrets.token_hex(5), **{k: v for k, v in row.items() if k != "name" or v}}
                self._insert_row(doctypes.doctype(child), {**kept, **placed})

    def _update_row(self, made: doctypes.DocType, name: str, values: Mapping[str, Any]) -> None:
        stored = {**values, "modified": self.now(), "modified_by": self.user}
        self._refuse_unknown(made, stored)
        settings = ", ".join(f'"{column}" = ?' for column in stored)
        changed = self.write(
            f'UPDATE "tab{made.name}" SET {settings} WHERE name = ?',
            [*(stored_value(value, made.columns[column]) for column, value in stored.items()), name],
        )
        if not changed.rowcount:
            raise Refused(self.translate(_("{doctype} {name} does not exist.")).format(doctype=made.name, name=name))

    def _refuse_unknown(self, made: doctypes.DocType, values: Mapping[str, Any]) -> None:
        unknown = next((column for column in values if column not in made.columns), None)
        if unknown is not None:
            raise BadInput(_("{doctype} has no field {field}."), doctype=made.name, field=unknown)

    def _rows_of(self, made: doctypes.DocType, where: str, values: Sequence[Any]) -> list[dict[str, Any]]:
        columns = list(made.columns)
        listed = ", ".join(f'"{column}"' for column in columns)
        found = self.read(f'SELECT {listed} FROM "tab{made.name}" WHERE {where}', values)
        return [
            {
                column: frames.python_value(value, made.columns[column])
                for column, value in zip(columns, row, strict=True)
            }
            for row in found
        ]

    def _get_single(self, made: doctypes.DocType) -> dict[str, Any]:
        stored = dict(self.read('SELECT field, value FROM "tabSingles" WHERE doctype = ?', (made.name,)))
        held = {**made.defaults, **stored}
        return {
            "name": made.name,
            **{
                column: frames.python_value(held.get(column), kind)
                for column, kind in made.columns.items()
                if column != "name"
            },
        }

    def _set_single(self, made: doctypes.DocType, values: Mapping[str, Any]) -> None:
        self._refuse_unknown(made, values)
        rows = {**values, "modified": self.now(), "modified_by": self.user}
        for column, value in rows.items():
            self.write(
                'INSERT INTO "tabSingles" (doctype, field, value) VALUES (?, ?, ?) '
                "ON CONFLICT (doctype, field) DO UPDATE SET value = excluded.value",
                (made.name, column, stored_value(value, "text")),
            )

    # ---- native purchase orders ------------------------------------
    def insert_order(
        self, company: str, supplier: str, currency: str, transaction_date: date,
        lines: Sequence[OrderLine], auto_purchase_order: str, ship_to: str = "",
    ) -> NativeOrder:  # fmt: skip
        return embedded_orders.insert(
            self, company, supplier, currency, transaction_date, lines, auto_purchase_order, ship_to
        )

    def replace_order_lines(self, name: str, transaction_date: date, lines: Sequence[OrderLine]) -> NativeOrder:
        return embedded_orders.replace_lines(self, name, transaction_date, lines)

    def get_order(self, name: str) -> NativeOrder | None:
        return embedded_orders.get(self, name)

    def submit_order(self, name: str) -> NativeOrder:
        return embedded_orders.submit(self, name)

    def delete_order(self, name: str) -> None:
        embedded_orders.delete(self, name)

    # ---- transaction, time, jobs ------------------------------------
    def savepoint(self) -> AbstractContextManager[None]:
        return self._savepoint()

    @contextmanager
    def _savepoint(self) -> Iterator[None]:
        self.begin()  # else releasing the outermost savepoint would commit
        self._savepoints += 1
        name = f"forecast_{self._savepoints}"
        self._connection.execute(f"SAVEPOINT {name}")
        try:
            yield
        except BaseException:
            with suppress(sqlite3.OperationalError):  # a rollback() inside the block took the savepoint with it
                self._connection.execute(f"ROLLBACK TO {name}")
                self._connection.execute(f"RELEASE {name}")
            raise
        with suppress(sqlite3.OperationalError):  # so did a commit() inside it
            self._connection.execute(f"RELEASE {name}")

    def commit(self) -> None:
        if self._connection.in_transaction:
            self._connection.execute("COMMIT")

    def rollback(self) -> None:
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")

    def now(self) -> datetime:
        return self._now if self._now is not None else datetime.now().replace(microsecond=0)

    def set_now(self, now: datetime, keep: bool = False) -> None:
        """Let another time be site time, for replays and old data; keep: also whenever the file is opened again."""
        self._now = now
        if keep:
            self.write(
                "INSERT OR REPLACE INTO \"tabSingles\" (doctype, field, value) VALUES (?, 'now', ?)",
                (_CLOCK, now.isoformat()),
            )

    def _kept_now(self) -> datetime | None:
        kept = self.read("SELECT value FROM \"tabSingles\" WHERE doctype = ? AND field = 'now'", (_CLOCK,))
        return datetime.fromisoformat(kept[0][0]) if kept else None

    @property
    def user(self) -> str:
        return self._user

    def lock(self, name: str) -> AbstractContextManager[bool]:
        return self._lock(name)

    @contextmanager
    def _lock(self, name: str) -> Iterator[bool]:
        """An exclusive transaction on a side file: the operating system frees it when the process dies.

        The side file stays: deleting it would let a third process lock a new file while a second holds the old one.
        """
        digest = hashlib.sha256(name.encode()).hexdigest()[:12]
        holder = sqlite3.connect(f"{self.path}.lock-{digest}", isolation_level=None, timeout=0.0)
        try:
            yield _try_exclusive(holder)
        finally:
            holder.close()

    def report_progress(self, run: str, percent: float, step: str) -> None:
        self.write(
            'UPDATE "tabForecast Run" SET progress_pct = ?, current_step = ? WHERE name = ?', (percent, step, run)
        )

    def translate(self, template: str) -> Template:
        return Template(template)

    def show_day(self, day: date) -> str:
        return day.isoformat()


def _sql(query: Any) -> str:
    return literal_moments_as_stored(query.get_sql())


def _try_exclusive(connection: sqlite3.Connection) -> bool:
    try:
        connection.execute("BEGIN EXCLUSIVE")
    except sqlite3.OperationalError as error:
        if "locked" in str(error):
            return False
        raise
    return True


def _fingerprint() -> int:
    """A number that changes with the tables, kept in the file's header: 31 bits of a digest of the DDL."""
    digest = hashlib.sha256("\n".join(doctypes.sqlite_ddl()).encode()).hexdigest()
    return int(digest[:8], 16) & 0x7FFFFFFF


def _refuse_unknown_file(connection: sqlite3.Connection, path: Path) -> None:
    try:
        application = connection.execute("PRAGMA application_id").fetchone()[0]
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        damaged = connection.execute("PRAGMA quick_check(1)").fetchone()[0] if application == APPLICATION_ID else "ok"
    except sqlite3.DatabaseError as error:
        raise Refused(f"{path} is no SQLite file or is damaged ({error}). Restore it or create a new site.") from error
    if application != APPLICATION_ID:
        raise Refused(f"{path} is a SQLite file of another program. Choose the file of an embedded site.")
    if version != _fingerprint():
        raise Refused(
            f"{path} was made by another version of this app; its tables differ. Create a new site and import again."
        )
    if damaged != "ok":
        raise Refused(f"{path} is damaged ({damaged}). Restore it or create a new site.")
