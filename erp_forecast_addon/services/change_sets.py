"""Level Change Sets: a run's new levels as one record that a person reviews and a manager decides on.

A company has at most one set that waits or is being worked on. The next run replaces a proposed one, unless it says the
same; what a reviewer excluded or edited holds for the new one too. Callers have checked the permission. Every change of
state goes through TRANSITIONS. What approval sets off stands in change_set_work.py.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd

from erp_forecast_addon.planning.errors import Fault, Refused
from erp_forecast_addon.planning.messages import _
from erp_forecast_addon.services import change_set_lines
from erp_forecast_addon.services.change_set_lines import LEVEL_KIND, SAID
from erp_forecast_addon.site import change_queries, reads
from erp_forecast_addon.site.change_queries import LINE, SET
from erp_forecast_addon.site.port import Site
from erp_forecast_addon.site.settings import CompanySettings

# action -> state before -> state after.
TRANSITIONS: Mapping[str, Mapping[str, str]] = {
    "approve": {"Proposed": "Approved"},
    "reject": {"Proposed": "Rejected"},
    "supersede": {"Proposed": "Superseded", "Approved": "Superseded"},
    "apply": {"Approved": "Applying", "Applying": "Applying"},
    "finish": {"Applying": "Applied", "Rolling Back": "Rolled Back"},
    "finish in part": {"Applying": "Partly Applied"},
    "roll back": {"Applied": "Rolling Back", "Partly Applied": "Rolling Back", "Rolling Back": "Rolling Back"},
    "give back": {"Applied": "Rolled Back", "Partly Applied": "Rolled Back"},
}
AT_WORK = ("Approved", "Applying", "Rolling Back")
_ROWS_AT_ONCE = 5000

_REFUSALS = {
    "approve": _("{set} cannot be approved: it is {status}. Only a proposed change set can be approved."),
    "reject": _("{set} cannot be rejected: it is {status}. Only a proposed change set can be rejected."),
    "apply": _("{set} cannot be applied: it is {status}. Only an approved change set can be applied."),
    "roll back": _("{set} cannot be rolled back: it is {status}. Only an applied change set can be rolled back."),
}
_OUT_OF_STEP = _("{set} is {status}; {action} is not possible now.")
NO_SET = _("There is no Level Change Set {set}.")
NO_LINE = _("There is no Level Change {line}.")
NOTHING_TO_APPLY = _("{set} has nothing to apply: every change is excluded. Include one, or reject the set.")
WE_ORDER = _(
    "{company} is ordered for by Forecast Addon, so no levels are written. Switch Who Orders back to ERPNext first."
)
REASON_MISSING = _("Say why {set} is rejected: the reason stands in the record.")
UNTIL_IN_PAST = _("{set} cannot be rejected until {until}: that day is over.")
NOT_OPEN = _("{set} is {status}: its changes can be reviewed only while it is proposed.")
REVIEW_REASON_MISSING = _("Say why: the reason stands beside the change and holds for the next runs too.")
SEVERAL_SETS = _("Choose changes of one change set.")
NOTHING_CHOSEN = _("Choose at least one change.")
UNKNOWN_ACTION = _("{action} is no review: exclude, include or edit.")
BAD_LEVEL = _("{item_code}: a level of {level} cannot be written; it must be 0 or more.")
BAD_QTY = _("{item_code}: ERPNext refuses a reorder level without a quantity; the quantity must be more than 0.")
TITLE = _("New levels of {day}")
AT_WORK_NOW = _("{set} is {status}; new levels are proposed once it is through.")
REJECTED_UNTIL = _("{set} was rejected until {until}.")
DECIDED_MEANWHILE = _("{set} was decided while this run was computing; the next run proposes what is left.")
UNCHANGED = _("{set} says the same.")
REPLACES = _("{set} replaces {old}.")
NOTHING_NEW = _("No level differs by more than the tolerance.")
STOPPED = _("{set} stopped while it was {status}: {error} Open it and continue.")


@dataclass(frozen=True)
class Proposal:
    """name: the set that waits for a decision now, None if there is none; lines: its changes; detail: a sentence."""

    name: str | None = None
    lines: int = 0
    detail: str = ""


# ---- a run proposes ------------------------------------------------------------------------------------------------
def propose(site: Site, run: str, settings: CompanySettings, as_of: date) -> Proposal:
    """Bring the company's proposed set in line with the levels that `run` published. Commits.

    A set that is being worked on, or one that was rejected until a later day, keeps a new one from being made. A set
    whose every line is excluded or held is none. Killed at any point, the old set or the new one stands whole.
    """
    if settings.we_order:
        withdraw(site, settings.company)
        return Proposal()
    busy = site.fetch(change_queries.sets(site.qb, settings.company, AT_WORK))
    if len(busy):
        first = busy.iloc[0]
        return Proposal(detail=_say(site, AT_WORK_NOW, set=first["name"], status=site.translate(first["status"])))
    rejected = site.fetch(change_queries.sets(site.qb, settings.company, ["Rejected"]))
    rejected = rejected[rejected["rejected_until"] >= pd.Timestamp(site.now().date())]
    if len(rejected):
        last = rejected.iloc[-1]
        until = pd.Timestamp(last["rejected_until"]).date()
        return Proposal(detail=_say(site, REJECTED_UNTIL, set=last["name"], until=until))
    lines = change_set_lines.proposed_lines(site, run, settings)
    return _bring_in_line(site, run, settings, as_of, lines)


def _bring_in_line(site: Site, run: str, settings: CompanySettings, as_of: date, lines: pd.DataFrame) -> Proposal:
    open_sets = site.fetch(change_queries.sets(site.qb, settings.company, ["Proposed"]))
    if lines.empty or not (lines["status"] == "Proposed").any():
        withdraw(site, settings.company)
        return Proposal(detail=site.translate(NOTHING_NEW))
    changes = int((lines["status"] == "Proposed").sum())
    if len(open_sets) == 1:
        old = str(open_sets["name"].iloc[0])
        if _says_the_same(site.fetch(change_queries.lines(site.qb, old)), lines):
            return Proposal(old, changes, _say(site, UNCHANGED, set=old))
    decided = _supersede_proposed(site, settings.company)
    if decided:
        site.rollback()
        return Proposal(detail=_say(site, DECIDED_MEANWHILE, set=decided[0]))
    name = _insert(site, run, settings, as_of, lines)
    site.commit()
    detail = _say(site, REPLACES, set=name, old=", ".join(open_sets["name"])) if len(open_sets) else ""
    return Proposal(name, changes, detail)


def _says_the_same(old: pd.DataFrame, new: pd.DataFrame) -> bool:
    if len(old) != len(new):
        return False
    both = [
        rows[SAID].assign(warehouse=rows["warehouse"].fillna("")).sort_values(SAID[:3]).reset_index(drop=True).round(6)
        for rows in (old, new)
    ]
    return bool(both[0].astype(object).equals(both[1].astype(object)))


def _insert(site: Site, run: str, settings: CompanySettings, as_of: date, lines: pd.DataFrame) -> str:
    sums = change_set_lines.totals(lines)
    name = site.insert_document(SET, {
        "title": _say(site, TITLE, day=as_of), "company": settings.company, "status": "Proposed",
        "forecast_run": run, "as_of": as_of, "currency": settings.plan.currency or None, **sums,
    })  # fmt: skip
    rows = lines.assign(change_set=name)
    for at in range(0, len(rows), _ROWS_AT_ONCE):
        site.insert_rows(LINE, rows.iloc[at : at + _ROWS_AT_ONCE])
    return name


def _supersede_proposed(site: Site, company: str) -> list[str]:
    """Undecided sets give way: with their lines, but for what a reviewer said, which the next runs take over.

    The state is asked for in the write itself: a set that was decided a moment ago stays. Returns those.
    """
    decided = []
    for name in site.fetch(change_queries.sets(site.qb, company, ["Proposed"]))["name"].tolist():
        made, line = site.qb.DocType(SET), site.qb.DocType(LINE)
        query = site.qb.update(made).set(made.status, "Superseded")
        if not site.execute(query.where((made.name == name) & (made.status == "Proposed"))):
            decided.append(str(name))
            continue
        site.touch_documents(SET, [name])
        unreviewed = line.review.isnull() | (line.review == "")
        site.execute(site.qb.from_(line).delete().where((line.change_set == name) & unreviewed))
    return decided


def withdraw(site: Site, company: str) -> None:
    """Nothing is proposed for the company any more. Commits."""
    _supersede_proposed(site, company)
    site.commit()


def close_open_sets(site: Site, company: str) -> None:
    """Who orders was switched: what waits is superseded, and what was applied has been given back. Does not commit."""
    _supersede_proposed(site, company)
    for status in ("Approved", "Applied", "Partly Applied"):
        action = "supersede" if status == "Approved" else "give back"
        for name in site.fetch(change_queries.sets(site.qb, company, [status]))["name"].tolist():
            site.set_fields(SET, name, {"status": TRANSITIONS[action][status]})
            site.touch_documents(SET, [name])


# ---- a person reviews ----------------------------------------------------------------------------------------------
def review(
    site: Site, names: Sequence[str], action: str, reason: str = "", level: float | None = None,
    qty: float | None = None,
) -> str:  # fmt: skip
    """Exclude, include or edit lines of one proposed set; -> the set's name. Does not commit.

    exclude, edit: with a reason. edit: new level and quantity for every line named. include: takes back either, and
    lets a value be written that a person had changed. Raises Refused: unknown line, set decided, no reason, values that
    ERPNext refuses.
    """
    if action not in ("exclude", "include", "edit"):
        raise Refused(_say(site, UNKNOWN_ACTION, action=action))
    lines = _lines_named(site, names)
    change_set = str(lines["change_set"].iloc[0])
    _hold_proposed(site, change_set)
    if action != "include" and not reason.strip():
        raise Refused(site.translate(REVIEW_REASON_MISSING))
    said = {"review_reason": reason.strip() or None, "reviewed_by": site.user, "reviewed_at": site.now()}
    if action == "exclude":
        rows = _valued(lines, lines["proposed_level"], lines["proposed_qty"]).assign(
            status="Excluded", review="Excluded"
        )
    elif action == "include":
        rows = _valued(lines, lines["proposed_level"], lines["proposed_qty"]).assign(
            status="Proposed", review="Included"
        )
    else:
        rows = _edited(site, lines, level, qty)
    values = ["name", "status", "review", "new_level", "new_qty", "cash_effect", "cash_size", "moves"]
    site.upsert_rows(LINE, rows[values].assign(**said), ["name"])
    sums = change_set_lines.totals(site.fetch(change_queries.lines(site.qb, change_set)))
    site.set_fields(SET, change_set, sums)
    site.touch_documents(SET, [change_set])
    return change_set


def _edited(site: Site, lines: pd.DataFrame, level: float | None, qty: float | None) -> pd.DataFrame:
    levels = lines["new_level"] if level is None else pd.Series(float(level), index=lines.index)
    quantities = lines["new_qty"] if qty is None else pd.Series(float(qty), index=lines.index)
    of_levels = lines["kind"] == LEVEL_KIND
    quantities = quantities.where(of_levels, 0.0)
    bad = lines[~((levels >= 0) & np.isfinite(levels))]
    if len(bad):
        raise Refused(_say(site, BAD_LEVEL, item_code=bad["item_code"].iloc[0], level=level))
    bad = lines[of_levels & ~(((quantities > 0) | (levels == 0)) & np.isfinite(quantities))]
    if len(bad):
        raise Refused(_say(site, BAD_QTY, item_code=bad["item_code"].iloc[0]))
    return _valued(lines, levels, quantities).assign(status="Proposed", review="Edited")


def _valued(lines: pd.DataFrame, level: pd.Series, qty: pd.Series) -> pd.DataFrame:
    """The lines with these new values; the cash moves with them."""
    more = (level - lines["new_level"]) + (qty - lines["new_qty"]) / 2.0
    cash = (lines["cash_effect"] + (more * lines["unit_cost"]).where(lines["kind"] == LEVEL_KIND, 0.0)).round(2)
    valued = lines.assign(new_level=level, new_qty=qty, cash_effect=cash, cash_size=cash.abs())
    return valued.assign(moves=change_set_lines.moves(valued))


def _lines_named(site: Site, names: Sequence[str]) -> pd.DataFrame:
    if not names:
        raise Refused(site.translate(NOTHING_CHOSEN))
    lines = site.fetch(change_queries.lines_named(site.qb, names))
    missing = sorted(set(names) - set(lines["name"]))
    if missing:
        raise Refused(_say(site, NO_LINE, line=missing[0]))
    if lines["change_set"].nunique() > 1:
        raise Refused(site.translate(SEVERAL_SETS))
    return lines


def _hold_proposed(site: Site, name: str) -> None:
    """Hold the set's row until the transaction ends, so that it is not decided while its lines change."""
    made = site.qb.DocType(SET)
    site.execute(site.qb.update(made).set(made.modified, site.now()).where(made.name == name))
    status = _status(site, name)
    if status != "Proposed":
        raise Refused(_say(site, NOT_OPEN, set=name, status=site.translate(status)))


# ---- a manager decides ---------------------------------------------------------------------------------------------
def approve(site: Site, name: str) -> None:
    """Approve a proposed set. Applying it is change_set_work.work. Raises Refused. Does not commit."""
    record = record_of(site, name)
    site.update_document(SET, name, approval_values(site, record))


def reject(site: Site, name: str, reason: str, until: date | None = None) -> None:
    """Reject a proposed set; no other is proposed until that day is over (default: as for orders). Does not commit."""
    record = record_of(site, name)
    site.update_document(SET, name, rejection_values(site, record, reason, until))


def start_roll_back(site: Site, name: str) -> None:
    """Say that an applied set is to be rolled back; change_set_work.work does it. Raises Refused. Does not commit."""
    record = record_of(site, name)
    values = {"status": next_status(site, "roll back", record), "error": None, "progress_pct": 0, "current_step": ""}
    if record["status"] != "Rolling Back":
        values["rolled_back_by"] = site.user
    site.update_document(SET, name, values)


def approval_values(site: Site, record: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of a set that is approved now, for callers that save the record themselves."""
    status = next_status(site, "approve", record)
    if reads.company_settings(site, record["company"]).we_order:
        raise Refused(_say(site, WE_ORDER, company=record["company"]))
    if not record["changes"]:
        raise Refused(_say(site, NOTHING_TO_APPLY, set=record["name"]))
    return {"status": status, **_decided(site)}


def rejection_values(
    site: Site, record: Mapping[str, Any], reason: str | None, until: date | None = None
) -> dict[str, Any]:
    """Fields of a set that is rejected now."""
    status = next_status(site, "reject", record)
    if not (reason or "").strip():
        raise Refused(_say(site, REASON_MISSING, set=record["name"]))
    if until is not None and until < site.now().date():
        raise Refused(_say(site, UNTIL_IN_PAST, set=record["name"], until=until))
    days = reads.company_settings(site, record["company"]).rejected_for_days
    return {
        "status": status, "rejection_reason": str(reason).strip(),
        "rejected_until": until or site.now().date() + timedelta(days=days), **_decided(site),
    }  # fmt: skip


def next_status(site: Site, action: str, record: Mapping[str, Any]) -> str:
    """The state after `action`. Raises Refused with a sentence where the table does not list it."""
    before = str(record["status"])
    after = TRANSITIONS[action].get(before)
    if after is None:
        template = _REFUSALS.get(action, _OUT_OF_STEP)
        raise Refused(_say(site, template, set=record["name"], status=site.translate(before), action=action))
    return after


# ---- for others ----------------------------------------------------------------------------------------------------
def record_of(site: Site, name: str) -> dict[str, Any]:
    record = site.get_document(SET, name)
    if record is None:
        raise Refused(_say(site, NO_SET, set=name))
    return record


def faults(site: Site, company: str) -> list[Fault]:
    """Sets of the company that stopped half-way with an error."""
    found = site.fetch(change_queries.sets(site.qb, company, AT_WORK))
    stopped = found[found["error"].fillna("") != ""]
    return [stopped_fault(site, row) for row in stopped.to_dict("records")]  # one at most


def stopped_fault(site: Site, record: Mapping[str, Any]) -> Fault:
    """error: its last line, which of a traceback is what went wrong."""
    said = str(record["error"]).strip().splitlines()[-1]
    values = {"set": record["name"], "status": site.translate(record["status"]), "error": said}
    return Fault("Levels Not Written", STOPPED, values)


def _decided(site: Site) -> dict[str, Any]:
    return {"decided_by": site.user, "decided_at": site.now()}


def _status(site: Site, name: str) -> str:
    return str(record_of(site, name)["status"])


def _say(site: Site, template: str, **values: Any) -> str:
    translate: Callable[[str], str] = site.translate
    return translate(template).format(**values)
