"""FrappeSite: a live ERPNext site. Needs a connected frappe; nothing else in site/ imports it.

Differences between Frappe v15 and v16 that reach the port are handled here.
"""

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import date, datetime
from itertools import islice
from typing import Any, Final

import frappe
import pandas as pd
from frappe import _
from frappe.model.workflow import get_workflow_name
from frappe.utils import flt, getdate, now_datetime, strip_html
from frappe.utils.password import get_decrypted_password
from rq.timeouts import BaseTimeoutException

from erp_forecast_addon.planning.errors import Refused
from erp_forecast_addon.planning.messages import Template
from erp_forecast_addon.site import doctypes, frames, frappe_words, frappe_workflow, sql_text
from erp_forecast_addon.site.port import NativeOrder, OrderLine, Site

_NAMES_PER_DELETE: Final = 1000
_LOCK_NAME_LENGTH: Final = 64
_CLEARED_ONE_BY_ONE: Final = 50
# MySQL protocol numbers of DATE, DATETIME, NEWDATE and TIMESTAMP.
_DATE_TYPES: Final = frozenset({7, 10, 12, 14})
_NO_SUCH_SAVEPOINT: Final = 1305


class FrappeSite(Site):
    """The site that frappe is connected to, as the user of the session."""

    def __init__(self) -> None:
        self.qb = frappe.qb
        self._streaming = False

    # ---- running queries ------------------------------------
    def fetch(self, query: Any) -> pd.DataFrame:
        self._refuse_while_streaming()
        kinds = frames.column_kinds(query)
        sql, values = query.walk()
        with _dates_as_text():
            rows = frappe.db.sql(sql, values)
        return frames.frame(rows, kinds)

    def stream(self, query: Any, rows: int) -> Iterator[pd.DataFrame]:
        """No other query may run on this site until the stream has ended: the connection is busy with it."""
        self._refuse_while_streaming()
        kinds = frames.column_kinds(query)
        sql, values = query.walk()
        self._streaming = True
        try:
            with frappe.db.unbuffered_cursor():
                with _dates_as_text():
                    found = frappe.db.sql(sql, values, as_list=True, as_iterator=True)
                    first = list(islice(found, rows))  # the types are read with the first row
                while first:
                    yield frames.frame(first, kinds)
                    first = list(islice(found, rows))
        finally:
            self._streaming = False

    def execute(self, query: Any) -> int:
        self._refuse_while_streaming()
        sql, values = query.walk()
        frappe.db.sql(sql, values)
        return int(frappe.db._cursor.rowcount)

    def _refuse_while_streaming(self) -> None:
        if self._streaming:
            raise RuntimeError("A stream is open on this connection; read it to its end before the next query.")

    # ---- bulk rows ------------------------------------
    def insert_rows(self, doctype: str, rows: pd.DataFrame) -> int:
        return self._insert(doctype, rows, "")

    def upsert_rows(self, doctype: str, rows: pd.DataFrame, key: Sequence[str]) -> int:
        given = [str(column) for column in rows if column not in (*key, "name", "creation", "owner")]
        changed = [*given, *(column for column in ("modified", "modified_by") if column not in given)]
        updates = ", ".join(f"`{column}` = VALUES(`{column}`)" for column in changed)
        return self._insert(doctype, rows, f" ON DUPLICATE KEY UPDATE {updates}")

    def _insert(self, doctype: str, rows: pd.DataFrame, on_duplicate: str) -> int:
        self._refuse_while_streaming()
        if rows.empty:
            return 0
        full = frames.with_standard_columns(rows, doctype, self.now(), self.user)
        if doctypes.doctype(doctype).counted and "name" not in full:
            first = _reserve_integers(doctype, len(full))
            full["name"] = range(first, first + len(full))
        columns = ", ".join(f"`{column}`" for column in full)
        head = f"INSERT INTO `tab{doctype}` ({columns}) VALUES "
        if not frappe.db._conn:  # the first statement of a process may be this one
            frappe.db.connect()
        for values in sql_text.value_lists(frames.storable(full, doctype), _escaped):
            # Not frappe.db.sql: it looks for "ifnull(" in the whole text, values too, and writes them otherwise.
            frappe.db._cursor.execute(head + values + on_duplicate)
        # One sweep over the cached documents of the DocType, now and after the commit, instead of a call per row.
        frappe.clear_document_cache(doctype)
        return len(rows)

    def delete_rows(self, doctype: str, names: Sequence[Any]) -> int:
        self._refuse_while_streaming()
        table = frappe.qb.DocType(doctype)
        plain = [frames.plain_value(name) for name in names]
        deleted = 0
        for at in range(0, len(plain), _NAMES_PER_DELETE):
            deleted += self.execute(
                frappe.qb.from_(table).delete().where(table.name.isin(plain[at : at + _NAMES_PER_DELETE]))
            )
        frappe.clear_document_cache(doctype)
        return deleted

    def touch_documents(self, doctype: str, names: Sequence[str]) -> None:
        super().touch_documents(doctype, names)
        if len(names) > _CLEARED_ONE_BY_ONE:  # one sweep over what is cached of the DocType
            frappe.clear_document_cache(doctype)
            return
        for name in names:
            frappe.clear_document_cache(doctype, name)

    # ---- documents ------------------------------------
    def insert_document(self, doctype: str, values: Mapping[str, Any]) -> str:
        document = frappe.get_doc({"doctype": doctype, **_plain_document(values)})
        # What we link to was read from the site's own tables a moment ago; to look up every link of every line again
        # costs a third of the insert.
        document.flags.ignore_links = True
        with _as_refusal():
            _ours(document).insert()
        return str(document.name)

    def get_document(self, doctype: str, name: str) -> dict[str, Any] | None:
        if not doctypes.doctype(doctype).is_single and not frappe.db.exists(doctype, name):
            return None
        return dict(frappe.get_doc(doctype, name).as_dict())

    def update_document(self, doctype: str, name: str, values: Mapping[str, Any]) -> None:
        document = self._locked(doctype, name)
        tables = doctypes.doctype(doctype).children
        plain = _plain_document(values)
        document.update({field: value for field, value in plain.items() if field not in tables})
        for table_field in tables.keys() & plain.keys():
            document.set(table_field, plain[table_field])
        with _as_refusal():
            _ours(document).save()

    def set_fields(self, doctype: str, name: str, values: Mapping[str, Any]) -> None:
        frappe.db.set_value(doctype, name, {field: frames.plain_value(value) for field, value in values.items()})

    def password(self, doctype: str, name: str, fieldname: str) -> str:
        try:
            return get_decrypted_password(doctype, name, fieldname, raise_exception=False) or ""
        except frappe.ValidationError:  # encrypted with another key, as after a restore without site_config.json
            frappe.clear_last_message()
            frappe.log_error(title=f"The {fieldname} of {doctype} {name} cannot be decrypted")
            return ""

    def has_doctype(self, doctype: str) -> bool:
        return bool(frappe.db.table_exists(doctype))

    def users_with_role(self, role: str, company: str) -> list[str]:
        holders = frappe.get_all(
            "Has Role", filters={"role": role, "parenttype": "User"}, pluck="parent", distinct=True
        )
        enabled = frappe.get_all(
            "User", filters={"name": ("in", holders or [""]), "enabled": 1}, pluck="name", order_by="name asc"
        )
        return [user for user in enabled if _may_see_company(user, company)]

    def own_order_workflow(self) -> str | None:
        return get_workflow_name("Purchase Order") or None

    def may_move_to(self, doctype: str, name: str, state: str) -> bool:
        return frappe_workflow.may_move_to(frappe.get_doc(doctype, name), state)

    def roles_of(self, user: str) -> Collection[str]:
        return frozenset(frappe.get_roles(user)) if frappe.db.get_value("User", user, "enabled") else frozenset()

    def may_write(self, user: str, doctype: str, name: str) -> bool:
        return bool(frappe.has_permission(doctype, "write", doc=frappe.get_doc(doctype, name), user=user))

    def order_limit_refusal(self, purchase_order: str, user: str) -> str:
        return frappe_workflow.limit_refusal(frappe.get_doc("Purchase Order", purchase_order), user)

    def must_stop(self, error: Exception) -> bool:
        """A job whose time is up, and a transaction that MariaDB undid as a whole: no savepoint stands any more."""
        return isinstance(error, (BaseTimeoutException, frappe.QueryDeadlockError, frappe.QueryTimeoutError))

    def delete_document(self, doctype: str, name: str) -> None:
        with _as_refusal():
            frappe.delete_doc(doctype, name, ignore_permissions=True, flags=frappe._dict(by_forecast_addon=True))

    def hold(self, doctype: str, name: str) -> bool:
        # A plain read tells what the transaction's snapshot has, a locking one what is committed.
        seen = frappe.db.get_value(doctype, name, "modified")
        stands = frappe.db.get_value(doctype, name, "modified", for_update=True)
        return stands is not None and bool(seen == stands)

    def _locked(self, doctype: str, name: str) -> Any:
        """The document, its row held until the transaction ends; raises Refused when it is gone."""
        if doctypes.doctype(doctype).is_single:
            return frappe.get_doc(doctype)
        try:
            return frappe.get_doc(doctype, name, for_update=True)
        except frappe.DoesNotExistError as error:
            frappe.clear_last_message()
            raise Refused(_("{0} {1} does not exist any more.").format(_(doctype), name)) from error

    # ---- native purchase orders ------------------------------------
    def insert_order(
        self, company: str, supplier: str, currency: str, transaction_date: date,
        lines: Sequence[OrderLine], auto_purchase_order: str, ship_to: str = "",
    ) -> NativeOrder:  # fmt: skip
        # Ours from the start: ERPNext fills in a supplier's details only for who may read him, and a run drafts for
        # whoever may start it.
        order = _ours(frappe.new_doc("Purchase Order"))
        order.update(
            {
                "company": company,
                "supplier": supplier,
                "currency": currency,
                "transaction_date": transaction_date,
                "schedule_date": min((line.schedule_date for line in lines), default=transaction_date),
                "auto_purchase_order": auto_purchase_order,
                **({"set_warehouse": ship_to} if ship_to else {}),
                # The rate of a line is the price that the planner decided with; a Pricing Rule would replace it.
                "ignore_pricing_rule": 1,
            }
        )
        with _as_refusal():
            # insert() itself looks up all that is missing, but adds no taxes where a rule names their template. Before
            # the lines are there: what they need is a third of the whole cost, and once is enough.
            if frappe.db.exists("Tax Rule", {"tax_type": "Purchase"}):
                order.set_missing_values()
            for line in lines:
                order.append("items", _order_row(line) | _settled_rate(line))
            order.insert()
        return _native_order(order)

    def replace_order_lines(self, name: str, transaction_date: date, lines: Sequence[OrderLine]) -> NativeOrder:
        order = _ours(self._draft(name))
        known = {row.name: row for row in order.items}
        order.transaction_date = transaction_date
        order.schedule_date = min((line.schedule_date for line in lines), default=transaction_date)
        order.set("items", [])
        for line in lines:
            kept = known.get(line.row)
            values = _order_row(line)
            if kept is not None:
                kept.update(values)
            # A kept row brings its old number along, and two rows of one number have no order.
            order.append("items", kept if kept is not None else values).idx = len(order.items)
        with _as_refusal():
            order.set_missing_values()
            _keep_rates(order, lines)
            order.save()
        return _native_order(order)

    def get_order(self, name: str) -> NativeOrder | None:
        if not frappe.db.exists("Purchase Order", name):
            return None
        return _native_order(frappe.get_doc("Purchase Order", name))

    def submit_order(self, name: str) -> NativeOrder:
        """As the user of the session: ignoring the right to submit leaves every other check of ERPNext's, the
        Authorization Rule among them, which looks at that user.
        """
        order = self._draft(name)
        with _as_refusal():
            _ours(order).submit()
        return _native_order(order)

    def delete_order(self, name: str) -> None:
        self._draft(name)
        self.delete_document("Purchase Order", name)

    def _draft(self, name: str) -> Any:
        order = self._locked("Purchase Order", name)
        if order.docstatus != 0:
            raise Refused(_("Purchase Order {0} is no draft any more.").format(name))
        return order

    # ---- transaction, time, jobs ------------------------------------
    def savepoint(self) -> AbstractContextManager[None]:
        return _savepoint()

    def commit(self) -> None:
        frappe.db.commit()

    def rollback(self) -> None:
        frappe.db.rollback()

    def now(self) -> datetime:
        moment: datetime = now_datetime()
        return moment

    @property
    def user(self) -> str:
        return str(frappe.session.user)

    def lock(self, name: str) -> AbstractContextManager[bool]:
        return _lock(name)

    def report_progress(self, run: str, percent: float, step: str) -> None:
        """Whoever has the run open sees it at once by the realtime message; lists see it at the run's next commit.

        It does not commit: the run decides what of its work may become visible, and a step's rows must not be split
        by a progress bar. A socket that is down costs the message, not the run (Frappe drops it).
        """
        frappe.db.set_value("Forecast Run", run, {"progress_pct": percent, "current_step": step}, update_modified=False)
        frappe.publish_progress(percent, title=_("Forecast"), doctype="Forecast Run", docname=run, description=step)

    def show_progress(self, doctype: str, name: str, percent: float, step: str) -> None:
        frappe.db.set_value(doctype, name, {"progress_pct": percent, "current_step": step}, update_modified=False)
        frappe.publish_progress(percent, title=_(doctype), doctype=doctype, docname=name, description=step)

    def translate(self, template: str) -> Template:
        return frappe_words.translate(template)

    def show_day(self, day: date) -> str:
        return frappe_words.show_day(day)


# ---- indexes, for install and migrate ------------------------------------
def ensure_indexes() -> None:
    """Make our unique keys, and the plain indexes that the site does not have already. Can run any number of times.

    MariaDB commits before each ALTER TABLE.
    """
    for doctype, columns in doctypes.UNIQUE_KEYS.items():
        if not _has_index(doctype, columns, unique=True):
            frappe.db.commit()
            frappe.db.sql_ddl(f"ALTER TABLE `tab{doctype}` ADD UNIQUE `{_index_name(columns)}` ({_quoted(columns)})")
    for doctype, indexes in doctypes.INDEXES.items():
        for columns in indexes:
            if not _has_index(doctype, columns, unique=False):
                frappe.db.commit()
                frappe.db.sql_ddl(f"ALTER TABLE `tab{doctype}` ADD INDEX `{_index_name(columns)}` ({_quoted(columns)})")


def drop_indexes() -> None:
    """Remove the plain indexes that we added to ERPNext's tables; those that ERPNext made itself stay."""
    for doctype, indexes in doctypes.INDEXES.items():
        for columns in indexes:
            frappe.db.commit()
            frappe.db.sql_ddl(f"ALTER TABLE `tab{doctype}` DROP INDEX IF EXISTS `{_index_name(columns)}`")


def _index_name(columns: Sequence[str]) -> str:
    return f"forecast_addon_{'_'.join(columns)}"


def _quoted(columns: Sequence[str]) -> str:
    return ", ".join(f"`{column}`" for column in columns)


def _has_index(doctype: str, columns: Sequence[str], unique: bool) -> bool:
    """unique: an index on exactly these columns; else: one that begins with them."""
    rows = frappe.db.sql(f"SHOW INDEX FROM `tab{doctype}`", as_dict=True)
    found: dict[str, list[str]] = {}
    for row in sorted(rows, key=lambda each: each.Seq_in_index):
        if not (unique and row.Non_unique):
            found.setdefault(row.Key_name, []).append(row.Column_name)
    wanted = list(columns)
    return any(held == wanted if unique else held[: len(wanted)] == wanted for held in found.values())


# ---- SQL ------------------------------------
def _may_see_company(user: str, company: str) -> bool:
    granted = frappe.permissions.get_user_permissions(user).get("Company") or []
    return user not in ("Administrator", "Guest") and (not granted or company in {each["doc"] for each in granted})


@contextmanager
def _dates_as_text() -> Iterator[None]:
    """Let PyMySQL hand dates over as text while a query starts: pandas parses a million of them in the time that
    Frappe's converter needs for ten thousand. v16's driver converts in C and has no `decoders`; there nothing changes.
    """
    if not frappe.db._conn:
        frappe.db.connect()
    connection = frappe.db._conn
    decoders = getattr(connection, "decoders", None)
    if decoders is None:
        yield
        return
    connection.decoders = {number: decode for number, decode in decoders.items() if number not in _DATE_TYPES}
    try:
        yield
    finally:
        connection.decoders = decoders


def _escaped(text: str) -> str:
    return str(frappe.db.escape(text, percent=False))


def _reserve_integers(doctype: str, count: int) -> int:
    """The first of `count` integers in a row of the DocType's sequence. Frappe gives them out one query at a time."""
    sequence = f"{frappe.scrub(doctype)}_id_seq"
    with _named_lock(f"{frappe.conf.db_name}:{sequence}", timeout_seconds=30) as got:
        if not got:
            raise Refused(_("The numbers of {0} are being given out elsewhere; try again.").format(_(doctype)))
        first = int(frappe.db.sql(f"SELECT NEXT VALUE FOR `{sequence}`")[0][0])
        if count > 1:
            frappe.db.sql(f"SELECT SETVAL(`{sequence}`, {first + count - 1})")
    return first


@contextmanager
def _savepoint() -> Iterator[None]:
    name = f"forecast_{frappe.generate_hash(length=10)}"
    frappe.db.savepoint(name)
    try:
        yield
    except BaseException:
        _to_savepoint("rollback to savepoint", name)
        frappe.db.value_cache.clear()
        raise
    _to_savepoint("release savepoint", name)


def _to_savepoint(command: str, name: str) -> None:
    """A commit or rollback inside the block has ended the savepoint: then there is nothing left to undo or release."""
    try:
        frappe.db.sql(f"{command} {name}")
    except Exception as error:
        if not error.args or error.args[0] != _NO_SUCH_SAVEPOINT:
            raise


def _lock(name: str) -> AbstractContextManager[bool]:
    return _named_lock(_lock_name(name), timeout_seconds=0)


def _lock_name(name: str) -> str:
    """MariaDB's locks are the server's, not the site's, and their names are short."""
    full = f"{frappe.conf.db_name}:{name}"
    if len(full) <= _LOCK_NAME_LENGTH and full.isascii():
        return full
    digest = hashlib.sha256(full.encode()).hexdigest()
    return f"{frappe.conf.db_name[:16]}:{digest[:40]}"


@contextmanager
def _named_lock(name: str, timeout_seconds: int) -> Iterator[bool]:
    """MariaDB frees the lock when the connection ends, however it ends; commit and rollback leave it.

    The same connection could take it twice; here it may not, so that a job started within a job is refused too.
    """
    mine = frappe.db.sql("SELECT IS_USED_LOCK(%s) = CONNECTION_ID()", (name,))[0][0]
    got = not mine and frappe.db.sql("SELECT GET_LOCK(%s, %s)", (name, timeout_seconds))[0][0] == 1
    try:
        yield bool(got)
    except BaseException:
        if got:
            _release_quietly(name)
        raise
    if got:
        _release(name)


def _release(name: str) -> None:
    """RuntimeError if the lock was lost on the way, with its connection: others may have worked beside us."""
    if frappe.db.sql("SELECT RELEASE_LOCK(%s)", (name,))[0][0] != 1:
        raise RuntimeError(f"The database lock {name} was lost before it was released")


def _release_quietly(name: str) -> None:
    """What broke the block is what must be seen; a connection that is gone has freed the lock anyway."""
    try:
        _release(name)
    except Exception:
        frappe.logger("erp_forecast_addon").exception("a lock was not released")


# ---- documents ------------------------------------
def _ours(document: Any) -> Any:
    """Written by the app: rights were checked before, and our own event handlers must recognise our own writes."""
    document.flags.ignore_permissions = True
    document.flags.by_forecast_addon = True
    return document


def _plain_document(values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        field: [_plain_document(row) for row in value]
        if isinstance(value, (list, tuple)) and value and isinstance(value[0], Mapping)
        else frames.as_json(frames.plain_value(value)) if not _empty_table(value) else value
        for field, value in values.items()
    }  # fmt: skip


def _empty_table(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and not value


@contextmanager
def _as_refusal() -> Iterator[None]:
    """What ERPNext refuses becomes a Refused with its sentence, so that services need not know Frappe's errors."""
    frappe.flags.pop("error_message", None)  # what an earlier refusal left there
    try:
        yield
    except frappe.ValidationError as error:
        frappe.clear_last_message()
        raise Refused(strip_html(str(error)) or type(error).__name__) from error
    except frappe.PermissionError as error:  # Frappe says who may not do what in a message, if at all
        raise Refused(_what_is_not_permitted(error)) from error


def _what_is_not_permitted(error: Exception) -> str:
    said = strip_html(str(error)) or strip_html(str(frappe.flags.error_message or ""))
    frappe.clear_last_message()
    return said or _("{0} is not permitted to do this.").format(frappe.session.user)


def _order_row(line: OrderLine) -> dict[str, Any]:
    return {
        "item_code": line.item_code,
        "warehouse": line.warehouse,
        "qty": line.qty,
        "uom": line.uom,
        "conversion_factor": line.conversion_factor,
        "rate": line.rate,
        "schedule_date": line.schedule_date,
    }


def _settled_rate(line: OrderLine) -> dict[str, Any]:
    """ERPNext keeps a price that is there; a line without one gets what ERPNext finds."""
    if not line.rate:
        return {}
    return {"price_list_rate": line.rate, "discount_percentage": 0, "discount_amount": 0, "margin_rate_or_amount": 0}


def _keep_rates(order: Any, lines: Sequence[OrderLine]) -> None:
    """ERPNext fills in a line's details by the item's price; what the planner decided with stays."""
    for row, line in zip(order.items, lines, strict=True):
        row.uom, row.conversion_factor = line.uom, line.conversion_factor
        if line.rate:
            row.rate = line.rate
            row.price_list_rate = line.rate
            row.discount_percentage = row.discount_amount = row.margin_rate_or_amount = 0
    order.calculate_taxes_and_totals()


def _native_order(order: Any) -> NativeOrder:
    return NativeOrder(
        name=order.name,
        docstatus=int(order.docstatus),
        status=order.status or "",
        supplier=order.supplier,
        company=order.company,
        currency=order.currency,
        total=flt(order.total),
        base_total=flt(order.base_total),
        lines=tuple(
            OrderLine(
                item_code=row.item_code,
                warehouse=row.warehouse or "",
                qty=flt(row.qty),
                uom=row.uom,
                conversion_factor=flt(row.conversion_factor),
                rate=flt(row.rate),
                schedule_date=getdate(row.schedule_date),
                row=row.name,
            )
            for row in order.items
        ),
    )
