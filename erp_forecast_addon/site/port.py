"""The site port: all that services may ask of the place where data comes from and goes to.

Reads are concrete: they build a query of `queries.py` with `self.qb`, run it by `fetch` and check the result against a
table of planning.tables. Adapters bring the rest. Every read and write is in stock UOM, company currency, site time.
"""

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

import pandas as pd

from erp_forecast_addon.planning.messages import Template

# Who may decide on orders at all.
APPROVER_ROLE: Final = "Forecast Approver"


@dataclass(frozen=True)
class RunningJob:
    """Who holds a company's lock: for the sentence that refuses a second start."""

    run: str
    run_by: str
    started_at: datetime


@dataclass(frozen=True)
class OrderLine:
    """A line of a native draft Purchase Order. qty, rate in the purchase UOM; row: its name once it exists."""

    item_code: str
    warehouse: str
    qty: float
    uom: str
    conversion_factor: float
    rate: float
    schedule_date: date
    row: str = ""


@dataclass(frozen=True)
class NativeOrder:
    """A native Purchase Order as it stands. docstatus: 0 draft, 1 submitted, 2 cancelled."""

    name: str
    docstatus: int
    status: str
    supplier: str
    company: str
    currency: str
    total: float
    base_total: float
    lines: tuple[OrderLine, ...]


class Site(ABC):
    """One ERPNext site, live or embedded."""

    qb: Any

    # ---- running queries ------------------------------------
    @abstractmethod
    def fetch(self, query: Any) -> pd.DataFrame:
        """Run a PyPika query; one column per selected term, named by its alias. No row: an empty frame."""

    @abstractmethod
    def stream(self, query: Any, rows: int) -> Iterator[pd.DataFrame]:
        """Like fetch, in frames of at most `rows` rows, without holding the whole result.

        No other query may run on this site until the stream has ended or was closed (RuntimeError).
        """

    @abstractmethod
    def execute(self, query: Any) -> int:
        """Run a PyPika update, delete or insert; return the number of rows touched."""

    # ---- bulk rows that no one edits: multi-row SQL, `modified` set, document caches cleared ---
    @abstractmethod
    def insert_rows(self, doctype: str, rows: pd.DataFrame) -> int:
        """Insert one row per frame row; names (hashes, or the next integers where the DocType counts) are given."""

    @abstractmethod
    def upsert_rows(self, doctype: str, rows: pd.DataFrame, key: Sequence[str]) -> int:
        """Insert, or update the row with the same `key` (a unique index of ours); names of existing rows stay.

        Only columns that are in `rows` are written. Returns the number of rows given.
        """

    @abstractmethod
    def delete_rows(self, doctype: str, names: Sequence[Any]) -> int:
        """Delete rows by name, without document events."""

    # ---- documents that people act on ------------------------------------
    @abstractmethod
    def insert_document(self, doctype: str, values: Mapping[str, Any]) -> str:
        """Insert through the document API (validations, events, assignment rules); child tables as lists of dicts.

        Permissions were checked by the caller's caller; this writes as the app.
        """

    @abstractmethod
    def get_document(self, doctype: str, name: str) -> dict[str, Any] | None:
        """The document with its child tables, or None."""

    @abstractmethod
    def update_document(self, doctype: str, name: str, values: Mapping[str, Any]) -> None:
        """Set fields (and replace child tables that are given) and save through the document API."""

    @abstractmethod
    def delete_document(self, doctype: str, name: str) -> None:
        """Delete through the document API."""

    @abstractmethod
    def hold(self, doctype: str, name: str) -> bool:
        """Keep others from writing this document until the transaction ends; waits for who is writing it now.

        False: it is gone, or somebody has written it since this transaction began to read, so what is read of it here
        is not what stands. Who needs an order and its record holds the order first, as a person's save of it does.
        """

    def set_fields(self, doctype: str, name: str, values: Mapping[str, Any]) -> None:
        """Set fields of one row without document events; `modified` is set. For what no one but this app writes."""
        table = self.qb.DocType(doctype)
        query = self.qb.update(table).where(table.name == name).set(table.modified, self.now())
        for field, value in values.items():
            query = query.set(table[field], value)
        self.execute(query)

    def touch_documents(self, doctype: str, names: Sequence[str]) -> None:
        """Rows or children of these documents were changed in bulk: set `modified`, so that an open form notices, and
        clear what is cached of them."""
        table = self.qb.DocType(doctype)
        if names:
            self.execute(self.qb.update(table).set(table.modified, self.now()).where(table.name.isin(list(names))))

    def must_stop(self, error: Exception) -> bool:
        """True for errors that no single record is to blame for (a job's time is up): they must end the run."""
        return False

    def password(self, doctype: str, name: str, fieldname: str) -> str:
        """A Password field in clear; "" if it is empty or cannot be decrypted, and on sites that keep no secrets."""
        return ""

    def has_doctype(self, doctype: str) -> bool:
        """Whether the site has this DocType of ERPNext, which only newer versions bring."""
        return True

    def users_with_role(self, role: str, company: str) -> list[str]:
        """Enabled users who have the role and may see the company's records; nobody on sites without users."""
        return []

    # ---- native purchase orders ------------------------------------
    def own_order_workflow(self) -> str | None:
        """The site's own active workflow on Purchase Order, if any: it decides then, and ours steps aside."""
        return None

    def may_move_to(self, doctype: str, name: str, state: str) -> bool:
        """Whether the site's workflow on our DocType has a transition to this state whose condition holds for the
        document; True without a workflow."""
        return True

    def roles_of(self, user: str) -> Collection[str]:
        """Roles of an enabled user; none of one who is disabled or does not exist."""
        return (APPROVER_ROLE,)

    def may_write(self, user: str, doctype: str, name: str) -> bool:
        """Whether the user's roles and permissions let him decide on this record of ours."""
        return True

    def order_limit_refusal(self, purchase_order: str, user: str) -> str:
        """What the site's own limits on orders (ERPNext's Authorization Rules) have against this user submitting it;
        "" for nothing."""
        return ""

    @abstractmethod
    def insert_order(
        self,
        company: str,
        supplier: str,
        currency: str,
        transaction_date: date,
        lines: Sequence[OrderLine],
        auto_purchase_order: str,
        ship_to: str = "",
    ) -> NativeOrder:
        """Insert a native draft with ERPNext's own defaults (taxes, price list, addresses …), linked to our record.

        ship_to: the one warehouse that all lines go to, "" where they go to several."""

    @abstractmethod
    def replace_order_lines(self, name: str, transaction_date: date, lines: Sequence[OrderLine]) -> NativeOrder:
        """Replace the lines of a draft; refuses (Refused) unless it is still a draft."""

    @abstractmethod
    def get_order(self, name: str) -> NativeOrder | None: ...

    @abstractmethod
    def submit_order(self, name: str) -> NativeOrder:
        """Submit as the current user without asking for a further right; ERPNext's checks all apply."""

    @abstractmethod
    def delete_order(self, name: str) -> None:
        """Delete a draft; refuses (Refused) unless it is still a draft."""

    # ---- transaction, time, jobs ------------------------------------
    @abstractmethod
    def savepoint(self) -> AbstractContextManager[None]:
        """What happens inside is undone if it raises; what stood before stays."""

    @abstractmethod
    def commit(self) -> None: ...

    @abstractmethod
    def rollback(self) -> None: ...

    @abstractmethod
    def now(self) -> datetime:
        """Site time."""

    def as_of(self) -> date:
        """The last complete day in site time."""
        return (pd.Timestamp(self.now()).normalize() - pd.Timedelta(days=1)).date()

    @property
    @abstractmethod
    def user(self) -> str: ...

    @abstractmethod
    def lock(self, name: str) -> AbstractContextManager[bool]:
        """Try to take a lock that this connection holds until the block ends or the process dies; False: not got."""

    @abstractmethod
    def report_progress(self, run: str, percent: float, step: str) -> None:
        """Show progress to whoever looks; never fails a run."""

    def show_progress(self, doctype: str, name: str, percent: float, step: str) -> None:
        """Like report_progress, for another record that has the fields progress_pct and current_step."""
        self.set_fields(doctype, name, {"progress_pct": percent, "current_step": step})

    @abstractmethod
    def translate(self, template: str) -> Template:
        """The template in the user's language; filled in, it shows days as `show_day` does."""

    @abstractmethod
    def show_day(self, day: date) -> str:
        """A day as this site writes it in sentences."""
