"""Faults of a run as Planning Exceptions: one row per case, however often it is seen.

A case is told by its kind, company, item, warehouse and supplier, and by the order line that it is about. The rule
table says which kinds are raised, from which money on, how urgent and whose they are (exception_rules.py). New cases
are inserted as documents, so that Assignment Rules and Notifications work; cases seen before are updated in place;
cases that are gone close themselves, and open again when they come back, each with a note. What a person set stays: In
Progress and Ignored stay, Snoozed stays until its day, the owner stays.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

import pandas as pd

from erp_forecast_addon.planning.errors import Fault
from erp_forecast_addon.planning.messages import _
from erp_forecast_addon.services import exception_rules
from erp_forecast_addon.services.exception_rules import Rule
from erp_forecast_addon.site import order_reads, watch_reads
from erp_forecast_addon.site.port import Site
from erp_forecast_addon.site.settings import CompanySettings

DOCTYPE = "Planning Exception"
GROUP_MARK = "grouped"
_COMMIT_EVERY = 50
_NAMED_IN_GROUP = 5
# Faults of one case that say different things (two events with an unknown scope) are told in one row.
_SENTENCES_PER_CASE = 10
_OPEN = ("Open", "In Progress")
# What closes by itself once it is over; what was ignored stays so.
_ALIVE = (*_OPEN, "Snoozed")
_LINKS = {"item_code": "Item", "warehouse": "Warehouse", "supplier": "Supplier", "purchase_order": "Purchase Order"}
_KNOWN = ["identity", "name", "status", "snoozed_until", "responsible", "opened_at", "reopened", "creation"]

GROUPED = _("{count} more cases of this kind, with less money at risk: {first}.")
CLOSED_NOTE = _("Closed by the run of {day}: it does not hold any more.")
BACK_NOTE = _("Opened again by the run of {day}: it is back.")
STILL_NOTE = _("Opened again by the run of {day}: it was resolved, but still holds.")
SNOOZE_NOTE = _("Opened again by the run of {day}: the snooze is over, and it still holds.")
GROUPED_AND_MORE = _("{count} more cases of this kind, with less money at risk: {first} and {rest} others.")


@dataclass(frozen=True)
class PublishedFaults:
    """open_cases: rows that stand open after the run; the rest: what this run did. failed: sentences."""

    open_cases: int = 0
    inserted: int = 0
    updated: int = 0
    reopened: int = 0
    resolved: int = 0
    failed: list[str] = field(default_factory=list)


def identity(kind: str, company: str, *parts: str | None) -> str:
    """What tells one case from another; parts: item, warehouse, supplier and, if any, order line; or a group's mark."""
    text = "\x1f".join((kind, company, *(part or "" for part in parts)))
    return hashlib.sha256(text.encode()).hexdigest()[:40]


def publish_faults(
    site: Site, run: str, company: str, settings: CompanySettings, faults: Sequence[Fault], as_of: date | None = None
) -> PublishedFaults:
    """Bring the company's Planning Exceptions in line with the faults of this run; commits in small groups.

    At most settings.max_exceptions cases have rows of their own, ranked by money at risk; what lies beyond is one row
    per kind with the number of cases, and cases that have a row already keep it. A second call with the same faults
    inserts nothing. as_of: the day on which the cases were seen; default the site's.
    """
    seen_on = as_of or site.as_of()
    rules = exception_rules.rules_of(site, company)
    cases = _raised(_as_cases(company, faults, site.translate, settings.plan.currency), rules)
    known = site.fetch(order_reads.cases(site.qb, company))
    wanted = _ranked(cases, known, company, settings.max_exceptions, site.translate)
    return _Publication(site, run, settings, seen_on, rules).carry_out(wanted, known)


def publish_one(site: Site, company: str, settings: CompanySettings, fault: Fault) -> None:
    """A case that is seen outside a run: inserted, or opened again; other cases are left as they are. Commits."""
    rules = exception_rules.rules_of(site, company)
    cases = _raised(_as_cases(company, [fault], site.translate, settings.plan.currency), rules)
    known = site.fetch(order_reads.cases(site.qb, company))
    known = known[known["identity"].isin(cases["identity"])]
    _Publication(site, None, settings, site.as_of(), rules).carry_out(cases, known)


def resolve_one(site: Site, company: str, kind: str) -> None:
    """Open cases of this kind without an item, warehouse or supplier are over. Does not commit."""
    known = site.fetch(order_reads.cases(site.qb, company))
    gone = known[(known["identity"] == identity(kind, company, None, None, None)) & known["status"].isin(_ALIVE)]
    note = site.translate(CLOSED_NOTE).format(day=site.now().date())
    for name in gone["name"]:  # one at most
        site.update_document(DOCTYPE, name, {"status": "Resolved", "note": note, "closed_at": site.now()})


def _identity(company: str, fault: Fault) -> str:
    parts = (fault.item_code, fault.warehouse, fault.supplier)
    return identity(fault.kind, company, *parts, *([fault.order_line] if fault.order_line else []))


def _raised(cases: pd.DataFrame, rules: Mapping[str, Rule]) -> pd.DataFrame:
    """The cases that the rule table wants, still the most money first."""
    if cases.empty:
        return cases
    kinds = cases["exception_type"]
    wanted = kinds.map(lambda kind: rules[kind].raised) & (
        cases["money_at_risk"] >= kinds.map(lambda kind: rules[kind].money_from)
    )
    return cases[wanted].reset_index(drop=True)


def _as_cases(company: str, faults: Sequence[Fault], translate: Callable[[str], str], currency: str) -> pd.DataFrame:
    """One row per identity, the most money first; the same case twice counts once, with its occurrences."""
    # A loop over the faults: each is a sentence.
    rows = [
        {
            "exception_type": fault.kind, "company": company, "item_code": fault.item_code or "",
            "warehouse": fault.warehouse or "", "supplier": fault.supplier or "",
            "money_at_risk": round(float(fault.money_at_risk), 2), "due_on": fault.due_on,
            "message": fault.sentence(translate), "currency": currency,
            "auto_purchase_order": fault.values.get("auto_purchase_order"),
            "purchase_order": fault.purchase_order or "", "order_line": fault.order_line or "",
            "identity": _identity(company, fault),
        }
        for fault in faults
    ]  # fmt: skip
    if not rows:
        return pd.DataFrame(columns=["identity", "exception_type", "money_at_risk", "message"])
    frame = pd.DataFrame(rows).sort_values(["money_at_risk", "identity"], ascending=[False, True], kind="stable")
    counts = frame.groupby("identity").size()
    told = frame.drop_duplicates(["identity", "message"]).groupby("identity")["message"].agg(_told_together)
    frame = frame.drop_duplicates("identity")
    return frame.assign(occurrences=frame["identity"].map(counts), message=frame["identity"].map(told)).reset_index(
        drop=True
    )


def _told_together(messages: pd.Series) -> str:
    """Several sentences of one case, a line each; of very many the first."""
    return "\n".join(messages.head(_SENTENCES_PER_CASE))


def _ranked(
    cases: pd.DataFrame, known: pd.DataFrame, company: str, most: int, translate: Callable[[str], str]
) -> pd.DataFrame:
    """The cases with rows of their own, and a row per kind for the rest."""
    if cases.empty:
        return cases
    has_row = cases["identity"].isin(known["identity"]) if len(known) else pd.Series(False, index=cases.index)
    own = (cases.index < max(0, most)) | has_row
    groups = [_group(kind, rest, company, translate) for kind, rest in cases[~own].groupby("exception_type")]
    return pd.concat([cases[own], pd.DataFrame(groups)], ignore_index=True) if groups else cases[own]


def _group(kind: str, rest: pd.DataFrame, company: str, translate: Callable[[str], str]) -> dict[str, Any]:
    parts = rest.head(_NAMED_IN_GROUP)[["item_code", "warehouse", "supplier"]].to_numpy().tolist()
    first = "; ".join(" / ".join(part for part in case if part) for case in parts)
    template = GROUPED_AND_MORE if len(rest) > _NAMED_IN_GROUP else GROUPED
    due = rest["due_on"].dropna()
    return {
        "exception_type": kind, "company": company, "item_code": "", "warehouse": "", "supplier": "",
        "money_at_risk": round(float(rest["money_at_risk"].sum()), 2), "due_on": min(due) if len(due) else None,
        "message": translate(template).format(count=len(rest), first=first, rest=len(rest) - _NAMED_IN_GROUP),
        "currency": rest["currency"].iloc[0], "auto_purchase_order": None, "occurrences": len(rest),
        "purchase_order": "", "order_line": "",
        "identity": identity(kind, company, GROUP_MARK),
    }  # fmt: skip


class _Publication:
    """Writes the wanted cases; counts what it did."""

    def __init__(
        self, site: Site, run: str | None, settings: CompanySettings, seen_on: date, rules: Mapping[str, Rule]
    ) -> None:
        self.site, self.run, self.settings, self.seen_on, self.rules = site, run, settings, seen_on, rules
        self.now = site.now()
        self.hours = watch_reads.watch_settings(site, settings.company).hours
        self.days_off = watch_reads.days_off(site, settings.company)

    def carry_out(self, wanted: pd.DataFrame, known: pd.DataFrame) -> PublishedFaults:
        known = known if len(known) else pd.DataFrame(columns=_KNOWN)
        at_hand = wanted.merge(known[_KNOWN].drop_duplicates("identity"), on="identity", how="left")
        new, seen = at_hand[at_hand["name"].isna()], at_hand[at_hand["name"].notna()]
        snooze_over = self._snooze_is_over(seen)
        back = seen[(seen["status"] == "Resolved") | snooze_over]
        updated = self._update(seen, back.index)
        self._reopen(back, snooze_over)
        self._find_owners(seen[seen["status"].isin(_OPEN) | seen.index.isin(back.index)], self._load(known))
        gone = known[~known["identity"].isin(wanted["identity"]) & known["status"].isin(_ALIVE)]
        self._close(gone["name"].tolist())
        self.site.commit()
        failed = self._insert(new, self._load(known))
        still_open = int(seen["status"].isin(_OPEN).sum()) + len(back) + len(new) - len(failed)
        return PublishedFaults(still_open, len(new) - len(failed), updated, len(back), len(gone), failed)

    def _snooze_is_over(self, seen: pd.DataFrame) -> pd.Series:
        """On the day itself: who snoozes until Monday finds the case on Monday morning."""
        until = pd.to_datetime(seen["snoozed_until"], errors="coerce")
        snoozed = seen["status"].isin(("Snoozed", "Ignored")) & until.notna()
        return snoozed & (until <= pd.Timestamp(self.seen_on) + pd.Timedelta(days=1))

    @staticmethod
    def _load(known: pd.DataFrame) -> pd.Series:
        """Open cases by user."""
        return known.loc[known["status"].isin(_OPEN), "responsible"].value_counts()

    def _update(self, seen: pd.DataFrame, back: pd.Index) -> int:
        """What the run knows about the case; never what a person sets. The clock of what came back starts anew."""
        columns = ["message", "money_at_risk", "due_on", "occurrences"]
        for at, row in zip(seen.index, seen.to_dict("records"), strict=True):
            # at most some hundred cases, each a row that a person may have open
            opened = self.now if at in back or pd.isna(row["opened_at"]) else pd.Timestamp(row["opened_at"])
            values = {name: row[name] for name in columns} | self._clock(row, pd.Timestamp(opened).to_pydatetime())
            run = {} if self.run is None else {"forecast_run": self.run}
            self.site.set_fields(DOCTYPE, row["name"], {**values, **run, "last_seen_on": self.seen_on})
        return len(seen)

    def _clock(self, row: Mapping[str, Any], opened: datetime) -> dict[str, Any]:
        rule, due_on = self.rules[row["exception_type"]], row["due_on"]
        due_on = None if pd.isna(due_on) else pd.Timestamp(due_on).date()
        due = exception_rules.due_at(opened, rule, self.hours, due_on, self.days_off)
        return {"severity": rule.severity, "opened_at": opened, "due_at": due, "due_on": due_on}

    def _reopen(self, back: pd.DataFrame, snooze_over: pd.Series) -> None:
        """Through the document, so that Notifications on the status work."""
        day = self.seen_on + timedelta(days=1)
        for at, row in zip(back.index, back.to_dict("records"), strict=True):
            template = SNOOZE_NOTE if snooze_over[at] else (STILL_NOTE if self._by_person(row) else BACK_NOTE)
            values = {"status": "Open", "snoozed_until": None, "closed_at": None,
                      "note": self.site.translate(template).format(day=day)}  # fmt: skip
            if not snooze_over[at]:
                values["reopened"] = int(row["reopened"] or 0) + 1
            self.site.update_document(DOCTYPE, row["name"], values)

    def _find_owners(self, seen: pd.DataFrame, load: pd.Series) -> None:
        """Of open cases that nobody owns: since they were raised a planner, buyer or owner may have been named."""
        nobodys = seen[seen["responsible"].isna() | (seen["responsible"] == "")]
        if nobodys.empty:
            return
        owner = exception_rules.owners(
            self.site, self.settings.company, nobodys, self.rules, self.settings.exception_owner, load
        )
        for at, row in zip(nobodys.index, nobodys.to_dict("records"), strict=True):
            if owner[at]:  # through the document, which keeps the owner's ToDo
                make_todo = int(self.rules[row["exception_type"]].make_todo)
                values = {"responsible": str(owner[at]), "make_todo": make_todo}
                self.site.update_document(DOCTYPE, row["name"], values)

    def _by_person(self, row: Mapping[str, Any]) -> bool:
        """A run closes with a note of its own; whoever closed it otherwise was a person."""
        held = self.site.get_document(DOCTYPE, row["name"]) or {}
        return not str(held.get("note") or "").startswith(self.site.translate(CLOSED_NOTE).split("{")[0])

    def _close(self, names: list[str]) -> None:
        note = self.site.translate(CLOSED_NOTE).format(day=self.seen_on + timedelta(days=1))
        for name in names:  # through the document, so that Notifications on the status work
            values = {"status": "Resolved", "note": note, "closed_at": self.now, "snoozed_until": None}
            self.site.update_document(DOCTYPE, name, values)

    def _insert(self, new: pd.DataFrame, load: pd.Series) -> list[str]:
        existing = {column: self._existing(new, column, doctype) for column, doctype in _LINKS.items()}
        owner = exception_rules.owners(
            self.site, self.settings.company, new, self.rules, self.settings.exception_owner, load
        )
        failed: list[str] = []
        for count, (at, row) in enumerate(zip(new.index, new.to_dict("records"), strict=True), 1):
            try:
                with self.site.savepoint():
                    self.site.insert_document(DOCTYPE, self._document(row, existing, str(owner[at])))
            except Exception as error:  # one case that the site refuses must not hide the others
                if self.site.must_stop(error):
                    raise
                failed.append(f"{row['exception_type']} {row['item_code']}: {str(error) or type(error).__name__}")
            if count % _COMMIT_EVERY == 0:
                self.site.commit()
        self.site.commit()
        return failed

    def _existing(self, new: pd.DataFrame, column: str, doctype: str) -> set[str]:
        wanted = sorted({name for name in new[column] if name}) if column in new else []
        return set(self.site.fetch(order_reads.names(self.site.qb, doctype, wanted))["name"]) if wanted else set()

    def _document(self, row: dict[str, Any], existing: dict[str, set[str]], owner: str) -> dict[str, Any]:
        """A link to a record that is gone stays empty; the sentence and the identity still name it."""
        links = {column: row[column] if row[column] in names else None for column, names in existing.items()}
        return {
            "exception_type": row["exception_type"], "status": "Open", "company": row["company"], **links,
            "money_at_risk": row["money_at_risk"], **self._clock(row, self.now),
            "message": row["message"], "occurrences": int(row["occurrences"]), "currency": row["currency"] or None,
            "auto_purchase_order": row["auto_purchase_order"] or None, "identity": row["identity"],
            "order_line": row["order_line"] or None, "responsible": owner or None,
            "make_todo": int(self.rules[row["exception_type"]].make_todo), "forecast_run": self.run,
            "first_seen_on": self.seen_on, "last_seen_on": self.seen_on,
        }  # fmt: skip
