"""What approving needs to know of a site: who may, what is usual, what rests, until when an order leaves."""

from collections.abc import Collection, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any, Final

import numpy as np
import pandas as pd

from erp_forecast_addon.planning.errors import FAULT_KINDS, BadInput
from erp_forecast_addon.planning.messages import _
from erp_forecast_addon.planning.purchasing.approval_level import (
    FORMER_LINES,
    FORMER_ORDERS,
    JUDGED_PAIRS,
    OPEN_CASES,
    ApprovalRules,
    Evidence,
)
from erp_forecast_addon.planning.purchasing.authority import ApproverRow, Delegation
from erp_forecast_addon.planning.purchasing.reminders import ReminderRules
from erp_forecast_addon.planning.purchasing.rests import PROPOSED_OTHERWISE, RESTS
from erp_forecast_addon.site import approval_queries as queries
from erp_forecast_addon.site.port import Site
from erp_forecast_addon.site.settings import ApprovalSettings

# How far back former orders say what is usual.
USUAL_OF_DAYS: Final = 730
_PAIR = ["item_code", "warehouse"]

UNKNOWN_KIND = _("{company}: there is no exception type {kind}; there are {kinds}.")
BAD_CUT_OFF = _("{company}: {value} is no time of the day until which orders leave.")


# ---- settings ------------------------------------
def approval_settings(row: dict[str, Any]) -> ApprovalSettings:
    """Of a row of Forecast Settings; raises BadInput for an exception type or a time that does not exist."""
    company = str(row["company"])
    kinds = tuple(kind.strip() for kind in str(row["approval_exceptions"] or "").splitlines() if kind.strip())
    unknown = next((kind for kind in kinds if kind not in FAULT_KINDS), None)
    if unknown is not None:
        raise BadInput(UNKNOWN_KIND, company=company, kind=unknown, kinds=", ".join(FAULT_KINDS))
    return ApprovalSettings(
        rules=ApprovalRules(
            automatic_limit=float(row["auto_approve_limit"] or 0.0),
            second_above=float(row["second_approver_above"] or 0.0),
            change_share=float(row["approval_change_pct"] or 0.0) / 100.0,
            error_share=float(row["approval_error_pct"] or 0.0) / 100.0,
            coverage_share=float(row["approval_coverage_pct"] or 0.0) / 100.0,
            kinds=kinds,
            threshold_level="Two Approvers" if row["approval_threshold_asks"] == "Two Approvers" else "One Approver",
        ),
        reminders=ReminderRules(float(row["remind_hours_before"] or 0.0), float(row["escalate_after_hours"] or 0.0)),
        remind=bool(row["remind_approvers"]),
        cut_off=_time_of_day(row["approval_cut_off"], company),
        tolerated_loss_share=float(row["tolerated_loss_pct"] or 0.0) / 100.0,
        edit_reason_required=bool(row["edit_reason_required"]),
    )


def _time_of_day(value: Any, company: str) -> time:
    """MariaDB gives a time of the day as the distance from midnight, SQLite as text; unset is the default."""
    if value is None or value == "":
        return ApprovalSettings().cut_off
    try:
        at = value if isinstance(value, timedelta) else pd.Timedelta(str(value)).to_pytimedelta()
        return (datetime.min + at).time() if timedelta() <= at < timedelta(days=1) else _no_time(value, company)
    except ValueError:
        return _no_time(value, company)


def _no_time(value: Any, company: str) -> time:
    raise BadInput(BAD_CUT_OFF, company=company, value=value)


# ---- who may approve ------------------------------------
def approver_rows(site: Site, company: str) -> list[ApproverRow]:
    rows = site.fetch(queries.approvers(site.qb, company)).fillna({"role": "", "user": ""})
    return [ApproverRow(row["role"], row["user"], float(row["approval_limit"])) for row in rows.to_dict("records")]


def delegations(site: Site, company: str, day: date) -> list[Delegation]:
    rows = site.fetch(queries.delegations(site.qb, company, day))
    return [
        Delegation(
            row["name"], row["from_user"], row["to_user"], row["from_date"].date(), row["to_date"].date(),
            float(row["approval_limit"]),
        )
        for row in rows.to_dict("records")
    ]  # fmt: skip


# ---- what an order is held against ------------------------------------
def evidence(
    site: Site, company: str, rules: ApprovalRules, suppliers: Collection[str], item_codes: Collection[str]
) -> Evidence:
    """Only what the rules ask for is read."""
    since = site.now().date() - timedelta(days=USUAL_OF_DAYS)
    items, qb = sorted(item_codes), site.qb
    orders, lines = FORMER_ORDERS.empty(), FORMER_LINES.empty()
    if rules.change_share > 0.0:
        orders = FORMER_ORDERS.check(site.fetch(queries.former_orders(qb, company, sorted(suppliers), since)))
        lines = _per_order(site.fetch(queries.former_lines(qb, company, items, since)))
    judged = _judged(site, company, items) if rules.confidence else JUDGED_PAIRS.empty()
    cases = OPEN_CASES.empty()
    if rules.kinds:
        found = site.fetch(queries.open_cases(qb, company, list(rules.kinds)))
        cases = OPEN_CASES.check(found.fillna({"item_code": "", "warehouse": "", "supplier": ""}))
    return Evidence(orders, lines, judged, cases)


def _per_order(lines: pd.DataFrame) -> pd.DataFrame:
    """An item's quantity in an order is one, however many lines it stands in."""
    summed = lines.groupby(["purchase_order", "item_code"])["stock_qty"].sum().reset_index()
    return FORMER_LINES.check(summed)


def _judged(site: Site, company: str, item_codes: list[str]) -> pd.DataFrame:
    rows = site.fetch(queries.judged_pairs(site.qb, company, item_codes))
    shares = rows.assign(wape=rows["wape_pct"] / 100.0, coverage=rows["coverage_80_pct"] / 100.0)
    return JUDGED_PAIRS.check(shares)


# ---- until when ------------------------------------
def days_off(site: Site, company: str, first: date) -> set[date]:
    return set(site.fetch(queries.days_off(site.qb, company, first))["day"].dt.date)


# ---- what rests ------------------------------------
def rests(site: Site, company: str) -> pd.DataFrame:
    """Table RESTS: rejected lines whose need may be proposed otherwise. Columns of RESTS and `until`."""
    rows = site.fetch(queries.rejected_lines(site.qb, company, site.now().date(), list(PROPOSED_OTHERWISE)))
    rate = rows["base_amount"] / rows["stock_qty"].where(rows["stock_qty"] > 0.0)
    rows = rows.assign(base_rate=rate.where(rate > 0.0))
    return RESTS.check(rows).assign(until=rows["rejected_until"].to_numpy())


def barred_suppliers(site: Site, company: str) -> pd.DataFrame:
    """item_code, supplier, until: pairs that a person rejected as the wrong supplier; the latest day of each."""
    rows = rests(site, company)
    rows = rows[rows["reason_class"] == "Wrong Supplier"]
    return rows.groupby(["item_code", "supplier"], as_index=False)["until"].max()


def snoozed_until(site: Site, company: str, pairs: pd.MultiIndex) -> pd.Series:
    """The last day of rest of each (item_code, warehouse) that a person put to rest; NaT for the others."""
    rows = site.fetch(queries.snoozes(site.qb, company, site.now().date()))
    if rows.empty:
        return pd.Series(pd.NaT, index=pairs, dtype="datetime64[ns]")
    whole = rows["warehouse"].fillna("").eq("")
    rests_of = pairs.to_frame(index=False).set_axis(_PAIR, axis=1)
    of_items = rows[whole].groupby("item_code", as_index=False)["until"].max()
    of_pairs = rows[~whole].groupby(_PAIR, as_index=False)["until"].max()
    by_item = rests_of.merge(of_items, on="item_code", how="left")["until"].to_numpy(dtype="datetime64[ns]")
    by_pair = rests_of.merge(of_pairs, on=_PAIR, how="left")["until"].to_numpy(dtype="datetime64[ns]")
    return pd.Series(np.fmax(by_item, by_pair), index=pairs)


# ---- what may not be ordered any more ------------------------------------
def ended_items(site: Site, item_codes: Sequence[str], ordered_on: date) -> list[tuple[str, date | None]]:
    """Items that are disabled (None) or whose life has ended by the day of the order (its last day)."""
    rows = site.fetch(queries.ended_items(site.qb, sorted(set(item_codes))))
    ended = rows["end_of_life"] <= pd.Timestamp(ordered_on)
    rows = rows[rows["disabled"].eq(1) | ended]
    return [
        (row["item_code"], None if row["disabled"] else row["end_of_life"].date()) for row in rows.to_dict("records")
    ]
