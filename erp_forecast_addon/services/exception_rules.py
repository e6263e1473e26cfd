"""Which cases are raised, how urgent they are, by when somebody should have seen to them, and whose they are."""

import heapq
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

import pandas as pd

from erp_forecast_addon.planning.errors import FAULT_KINDS
from erp_forecast_addon.site import watch_queries, watch_reads
from erp_forecast_addon.site.port import Site
from erp_forecast_addon.site.watch_reads import texts

SEVERITIES = ("Critical", "High", "Medium", "Low")
PLANNER, BUYER, ROLE, USER = "Item Planner", "Supplier Buyer", "Role", "User"
_A_DAY = timedelta(days=1)
# A calendar without a working day in a year is a mistake; the clock then runs through.
_MOST_DAYS_OFF = 366


@dataclass(frozen=True)
class Rule:
    """One row of the rule table. hours 0: those of the severity; role, responsible: for the owners ROLE and USER."""

    raised: bool = True
    money_from: float = 0.0
    severity: str = "Medium"
    hours: int = 0
    owner_by: str = PLANNER
    role: str = ""
    responsible: str = ""
    make_todo: bool = True


# What a site starts with; the rule table is filled from here at install and whenever a new kind comes.
DEFAULT_RULES: Mapping[str, Rule] = {
    **{kind: Rule() for kind in FAULT_KINDS},
    "Unavoidable Shortage": Rule(severity="Critical"),
    "Order Failed": Rule(severity="Critical", owner_by=BUYER),
    "Levels Not Written": Rule(severity="Critical"),
    "Late Supply": Rule(severity="High", owner_by=BUYER),
    "Expedite Order": Rule(severity="High", owner_by=BUYER),
    "No Supplier": Rule(severity="High"),
    "Supplier Blocked": Rule(severity="High", owner_by=BUYER),
    "No Price": Rule(severity="High", owner_by=BUYER),
    "No UOM Conversion": Rule(severity="High"),
    "Item Disabled": Rule(severity="High"),
    "Cancel Order": Rule(severity="Medium", owner_by=BUYER),
    "Defer Order": Rule(severity="Medium", owner_by=BUYER),
    "Supplier Going Late": Rule(severity="Medium", owner_by=BUYER),
    "Price Jump": Rule(severity="Medium", owner_by=BUYER),
    "Over Budget": Rule(severity="High", owner_by=BUYER),
    "Order Below Minimum": Rule(severity="Medium", owner_by=BUYER),
    "MOQ Above Need": Rule(severity="Medium", owner_by=BUYER),
    "Edited Draft Differs": Rule(severity="Medium", owner_by=BUYER),
    "Too Little History": Rule(severity="Low"),
    "Outlier": Rule(severity="Low"),
    "Demand Event": Rule(severity="Low"),
    "Forecast Override": Rule(severity="Low"),
    "Item Replacement": Rule(severity="Low"),
}


def rules_of(site: Site, company: str) -> dict[str, Rule]:
    """The rule of every kind: the company's own row, else the row for all companies, else the default."""
    rows = site.fetch(watch_queries.exception_rules(site.qb))
    found = dict(DEFAULT_RULES)
    if rows.empty:
        return found
    rows = rows.assign(company=rows["company"].fillna(""))
    general, own = rows[rows["company"] == ""], rows[rows["company"] == company]
    for row in [*general.to_dict("records"), *own.to_dict("records")]:  # a few dozen; the company's own come last
        found[row["exception_type"]] = Rule(
            bool(row["raised"]), float(row["money_from"] or 0.0), row["severity"] or "Medium", int(row["hours"] or 0),
            row["owner_by"] or PLANNER, row["role"] or "", row["responsible"] or "", bool(row["make_todo"]),
        )  # fmt: skip
    return found


# ---- the service-level clock ------------------------------------
def clock(start: datetime, hours: float, days_off: Iterable[date]) -> datetime:
    """The moment when so many hours have passed since `start`, days off left out; a working day has 24 hours."""
    off, left, now = set(days_off), timedelta(hours=hours), start
    for _day in range(_MOST_DAYS_OFF + int(hours // 24) + 2):
        midnight = datetime.combine(now.date() + _A_DAY, time())
        if now.date() not in off:
            if left <= midnight - now:
                return now + left
            left -= midnight - now
        now = midnight
    return start + timedelta(hours=hours)


def due_at(
    opened: datetime, rule: Rule, hours: Mapping[str, int], due_on: date | None, days_off: set[date]
) -> datetime:
    """By when somebody should have seen to a case that was opened then: the clock of its rule, and no later than the
    day on which acting still helps, unless that was over before the case was seen."""
    by_clock = clock(opened, rule.hours or hours[rule.severity], days_off)
    if due_on is None:
        return by_clock
    helps_until = datetime.combine(due_on, time(23, 59))
    return min(by_clock, helps_until) if helps_until > opened else by_clock


# ---- owners ------------------------------------
def owners(
    site: Site, company: str, cases: pd.DataFrame, rules: Mapping[str, Rule], fallback: str | None, load: pd.Series
) -> pd.Series:
    """The user that each case is given to, "" for nobody; same index as cases.

    cases: exception_type, item_code, supplier (both may be ""); fallback: who gets what no rule gives to anybody;
    load: open cases by user, for the owners by role: each case goes to whoever has the fewest then.
    """
    if cases.empty:
        return pd.Series(dtype=object)
    by = cases["exception_type"].map(lambda kind: rules[kind].owner_by)
    named = cases["exception_type"].map(lambda kind: rules[kind].responsible)
    codes = sorted({code for code in cases["item_code"] if code})
    planner = texts(cases["item_code"].map(watch_reads.item_planners(site, codes)))
    of_item = texts(cases["item_code"].map(watch_reads.item_suppliers(site, company, codes)))
    supplier = cases["supplier"].where(cases["supplier"] != "", of_item)
    buyer = texts(supplier.map(watch_reads.supplier_buyers(site)))
    # Who looks after one side of a case is asked where nobody looks after the other.
    first, second = planner.where(by == PLANNER, buyer), buyer.where(by == PLANNER, planner)
    found = first.where(first != "", second).where(by.isin((PLANNER, BUYER)), named.where(by == USER, ""))
    for role in sorted({rules[kind].role for kind in cases.loc[by == ROLE, "exception_type"].unique()}):
        theirs = (by == ROLE) & cases["exception_type"].map(lambda kind, role=role: rules[kind].role == role)
        found[theirs] = _shared_out(site.users_with_role(role, company), int(theirs.sum()), load)
    return found.where(found != "", fallback or "")


def _shared_out(users: list[str], cases: int, load: pd.Series) -> list[str]:
    """A user for each case, always the one with the fewest open ones; nobody where nobody has the role."""
    if not users:
        return [""] * cases
    queue = [(int(load.get(user, 0)), user) for user in sorted(users)]
    heapq.heapify(queue)
    given = []
    for _case in range(cases):
        open_cases, user = queue[0]
        heapq.heapreplace(queue, (open_cases + 1, user))
        given.append(user)
    return given
