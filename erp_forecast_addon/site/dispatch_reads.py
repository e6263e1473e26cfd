"""What stands in Order Dispatch, Supplier Channel and the settings about sending orders: queries and reads."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import pandas as pd

from erp_forecast_addon.site.port import Site

DISPATCH: Final = "Order Dispatch"
CHANNEL: Final = "Supplier Channel"
_ROW = "Forecast Company Settings"


@dataclass(frozen=True)
class Channel:
    """How a supplier gets the orders of a company now. kind: Email, Webhook or None; name: of the Supplier Channel.

    sending: the company sends at all; private_hosts: as the settings list them.
    """

    name: str
    kind: str
    every_order: bool = False
    url: str = ""
    secret: str = ""
    sending: bool = False
    max_attempts: int = 12
    private_hosts: str = ""


def versions(qb: Any, purchase_order: str) -> Any:
    """Everything that was to be said about an order, the latest first."""
    row = qb.DocType(DISPATCH)
    return (
        qb.from_(row)
        .select(row.name, row.version, row.event, row.channel, row.status, row.may_have_arrived, row.payload)
        .where(row.purchase_order == purchase_order)
        .orderby(row.version, order=qb.desc)
    )


def due(qb: Any, now: datetime, begun_before: datetime, limit: int) -> Any:
    """Rows whose time has come, and such as a worker began and did not end; the longest waiting first.

    Only of companies that send.
    """
    row, settings = qb.DocType(DISPATCH), qb.DocType(_ROW)
    waiting = (row.status == "Waiting") & (row.next_attempt_at <= now)
    left = (row.status == "Sending") & (row.last_attempt_at <= begun_before)
    return (
        qb.from_(row)
        .join(settings)
        .on((settings.company == row.company) & (settings.parent == "Forecast Settings"))
        .select(row.name, row.supplier)
        .where((settings.dispatch_orders == 1) & (waiting | left))
        .orderby(row.next_attempt_at)
        .orderby(row.version)
        .limit(limit)
    )


def channels(qb: Any, supplier: str) -> Any:
    row = qb.DocType(CHANNEL)
    return qb.from_(row).select(row.name, row.company, row.channel, row.every_order, row.url).where(
        row.supplier == supplier
    )  # fmt: skip


def settings(qb: Any, company: str) -> Any:
    row = qb.DocType(_ROW)
    return (
        qb.from_(row)
        .select(row.dispatch_orders, row.dispatch_max_attempts, row.dispatch_private_hosts)
        .where((row.parent == "Forecast Settings") & (row.company == company))
    )


def order_state(qb: Any, purchase_order: str) -> Any:
    order = qb.DocType("Purchase Order")
    return qb.from_(order).select(order.docstatus, order.status).where(order.name == purchase_order)


def below(qb: Any, purchase_order: str, version: int) -> Any:
    """The condition: what was to be said about an order before this version."""
    row = qb.DocType(DISPATCH)
    return (row.purchase_order == purchase_order) & (row.version < version)


def move(
    qb: Any, which: Any, states: Sequence[str], to: str, why: str, now: datetime, may_have_arrived: bool = False
) -> Any:
    """Rows that are in one of the states, in one statement: what another process settles at the same moment is not
    overwritten. may_have_arrived: only such."""
    row = qb.DocType(DISPATCH)
    query = touch(qb, which, states, now).set(row.status, to).set(row.last_answer, why)
    return query.where(row.may_have_arrived == 1) if may_have_arrived else query


def touch(qb: Any, which: Any, states: Sequence[str], now: datetime) -> Any:
    """Changes nothing but `modified`: the number of rows touched tells how many are in these states now."""
    row = qb.DocType(DISPATCH)
    return qb.update(row).set(row.modified, now).where(which & row.status.isin(list(states)))


def change(qb: Any, name: str, states: Sequence[str], values: dict[str, Any], now: datetime) -> Any:
    """Set fields of a row if it is still in one of the states."""
    row = qb.DocType(DISPATCH)
    query = qb.update(row).set(row.modified, now).where((row.name == name) & row.status.isin(list(states)))
    for fieldname, value in values.items():
        query = query.set(row[fieldname], value)
    return query


def read_versions(site: Site, purchase_order: str) -> pd.DataFrame:
    return site.fetch(versions(site.qb, purchase_order))


def read_channel(site: Site, supplier: str, company: str, with_secret: bool = False) -> Channel | None:
    """The supplier's channel for the company: its own row, else the one for every company; None without either.

    with_secret: only for who sends.
    """
    rows = site.fetch(channels(site.qb, supplier))
    rows = rows.assign(company=rows["company"].fillna(""))
    for wanted in (company, ""):  # two looks at a handful of rows
        found = rows[rows["company"] == wanted]
        if len(found):
            return _channel(site, found.iloc[0], company, with_secret)
    return None


def _channel(site: Site, row: pd.Series, company: str, with_secret: bool) -> Channel:
    said = site.fetch(settings(site.qb, company))
    kind = str(row["channel"] or "None")
    channel = Channel(
        name=str(row["name"]),
        kind=kind,
        every_order=bool(row["every_order"]),
        url=str(row["url"] or ""),
        secret=site.password(CHANNEL, str(row["name"]), "secret") if with_secret and kind == "Webhook" else "",
    )
    if said.empty:
        return channel
    of = said.iloc[0]
    return Channel(
        **{
            **channel.__dict__, "sending": bool(of["dispatch_orders"]),
            "max_attempts": int(of["dispatch_max_attempts"] or channel.max_attempts),
            "private_hosts": str(of["dispatch_private_hosts"] or ""),
        }
    )  # fmt: skip
