"""Replay before trust: a company's own past played again by our policy and by ERPNext's levels, kept as a record.

It runs in shadow mode: the one thing it writes is its own Policy Replay (and the demand buckets, which are the ledger
in another form). No level, draft, forecast or document of ERPNext is touched.
"""

import json
import traceback
from datetime import date, timedelta
from time import perf_counter
from typing import Any

import pandas as pd

from erp_forecast_addon.planning import replay_ledger
from erp_forecast_addon.planning.errors import BadInput, PlanningError, Refused
from erp_forecast_addon.planning.inventory.lead_time_learning import learn_lead_times
from erp_forecast_addon.planning.messages import _
from erp_forecast_addon.planning.plan import Supply
from erp_forecast_addon.planning.progress import Progress
from erp_forecast_addon.planning.tables import DATED
from erp_forecast_addon.services.approval_times import learned_approval_time
from erp_forecast_addon.services.pace import Pace
from erp_forecast_addon.services.refresh import refresh_demand
from erp_forecast_addon.site import policy_reads, reads, replay_queries
from erp_forecast_addon.site.port import Site
from erp_forecast_addon.site.settings import CompanySettings

DOCTYPE = "Policy Replay"
USUAL_WEEKS = 26
FEWEST_WEEKS, MOST_WEEKS = 4, 104

NOT_A_LENGTH = _("A replay covers {fewest} to {most} weeks, not {weeks}.")
NO_COMPANY = _("There is no company {company}.")
ALREADY = _("The past of {company} is being replayed already. Wait until it ends.")
LOST = _("The process ended before the replay did. Start another one.")
NOT_QUEUED = _("{replay} cannot be started: it is {status}. Only a queued replay can be started.")


def replay_company(site: Site, company: str, *, weeks: int = USUAL_WEEKS, replay: str | None = None) -> str:
    """Replay the last `weeks` weeks of a company; -> name of its Policy Replay, Completed.

    replay: a Policy Replay in the state Queued that was made for this job. Raises Refused (unknown company, another
    replay of it under way), BadInput for settings or a past that cannot be replayed; the record then says Failed and
    why, as it does for anything else that breaks.
    """
    site.commit()
    with site.lock(f"policy replay {company}") as got:
        site.commit()
        try:
            if not got:
                raise Refused(site.translate(ALREADY).format(company=company))
            _close_lost(site, company)
            check(site, company, weeks)
            name = _start(site, company, weeks, replay)
        except PlanningError as error:
            if replay is not None and (site.get_document(DOCTYPE, replay) or {}).get("status") == "Queued":
                _fail(site, replay, error)
            raise
        try:
            _carry_out(site, company, name, weeks)
        except Exception as error:
            _fail(site, name, error)
            raise
        return name


def queue(site: Site, company: str, weeks: int) -> str:
    """The record of a replay that a job will do. Raises as `check` does."""
    check(site, company, weeks)
    return site.insert_document(DOCTYPE, {
        "company": company, "status": "Queued", "weeks": weeks, "run_by": site.user,
        "currency": reads.company_settings(site, company).plan.currency or None,
    })  # fmt: skip


def check(site: Site, company: str, weeks: int) -> None:
    """Raises Refused for a company that does not exist and BadInput for a length that makes no sense."""
    if company not in reads.companies(site):
        raise Refused(site.translate(NO_COMPANY).format(company=company))
    if not FEWEST_WEEKS <= weeks <= MOST_WEEKS:
        raise BadInput(NOT_A_LENGTH, fewest=FEWEST_WEEKS, most=MOST_WEEKS, weeks=weeks)


def last_replay(site: Site, company: str) -> dict[str, Any] | None:
    """The company's latest completed replay: its fields, `results` (list of dicts) and `course` (list of dicts)."""
    found = site.fetch(replay_queries.last_completed(site.qb, company))
    if found.empty:
        return None
    document = site.get_document(DOCTYPE, str(found["name"].iloc[0]))
    return None if document is None else {**document, "course": json.loads(document["weeks_json"] or "[]")}


# ---- the work ----
def _start(site: Site, company: str, weeks: int, replay: str | None) -> str:
    settings = reads.company_settings(site, company)
    last = site.as_of()
    values = {
        "status": "Running", "weeks": weeks, "run_by": site.user, "started_at": site.now(), "progress_pct": 0,
        "current_step": "", "error": None, "to_date": last, "from_date": last - timedelta(days=7 * weeks - 1),
        "policy_method": settings.plan.policy_method, "currency": settings.plan.currency or None,
    }  # fmt: skip
    if replay is None:
        name = site.insert_document(DOCTYPE, {"company": company, **values})
    else:
        held = site.get_document(DOCTYPE, replay)
        if held is None or held["status"] != "Queued":
            status = "missing" if held is None else str(held["status"])
            raise Refused(site.translate(NOT_QUEUED).format(replay=replay, status=site.translate(status)))
        name = replay
        site.update_document(DOCTYPE, name, values)
    site.commit()
    return name


def _carry_out(site: Site, company: str, name: str, weeks: int) -> None:
    began = perf_counter()
    settings = reads.company_settings(site, company)
    as_of = site.as_of()
    told = _progress(site, name)
    told(0.0, _("Reading the past"))
    refresh_demand(site)  # the ledger's changes since the last run, in buckets of our own
    inputs = read_inputs(site, settings, as_of, 7 * weeks)
    site.commit()  # nothing is held while the machine reckons
    replayed = replay_ledger.replay_ledger(inputs, settings.plan, as_of, 7 * weeks, told)
    currency = settings.plan.currency or None
    results = [{**row, "currency": currency} for row in replay_ledger.by_class(replayed).to_dict("records")]
    site.update_document(DOCTYPE, name, {
        "status": "Completed", "ended_at": site.now(), "duration_seconds": round(perf_counter() - began, 3),
        "progress_pct": 100, "current_step": "", "results": results,
        "weeks_json": json.dumps(course_of(replay_ledger.by_week(replayed))),
    })  # fmt: skip
    site.commit()


def read_inputs(site: Site, settings: CompanySettings, as_of: date, days: int) -> replay_ledger.Inputs:
    """Everything a replay needs, read once: masters and prices as they stand today, receipts since ever."""
    company, plan = settings.company, settings.plan
    reach = max(plan.history_days, days + replay_ledger.LEAST_HISTORY_DAYS)
    items = reads.items(site, company)
    terms = policy_reads.policy_terms(site, company)
    approval = learned_approval_time(site, settings, as_of)
    codes = items["item_code"].tolist()

    def supply_known(receipts: pd.DataFrame, open_lines: pd.DataFrame, day: date) -> Supply:
        learned = learn_lead_times(receipts, open_lines, day, plan.default_lead_time_days)
        sourcing = reads.sourcing(site, company, codes, learned.lead_times)
        # The levels that stand today were made of what is known today: they are no former levels of then.
        return Supply(
            DATED.empty(), items, sourcing, learned.lead_times, approval, terms.rules, price_breaks=terms.price_breaks
        )

    return replay_ledger.Inputs(
        buckets=reads.buckets(site, company, as_of - timedelta(days=reach)),
        items=items,
        positions=reads.positions(site, company),
        receipts=reads.receipts(site, company),
        open_lines=reads.open_lines(site, company),
        supply_known=supply_known,
    )


def course_of(weeks: pd.DataFrame) -> list[dict[str, Any]]:
    """JSON-serialisable rows of replay_ledger.by_week, rounded to cents."""
    rounded = weeks.round({"stock_value": 2, "lost_value": 2, "order_lines": 0})
    return rounded.assign(week=rounded["week"].dt.strftime("%Y-%m-%d")).to_dict("records")


def _progress(site: Site, name: str) -> Progress:
    """Shows each step as it begins, and now and then how far it is."""
    pace, shown = Pace(), ""

    def told(share: float, step: str, /, **values: Any) -> None:
        nonlocal shown
        if step == shown and not pace.due():
            return
        pace.spoke()
        shown = step
        site.show_progress(DOCTYPE, name, round(100.0 * share, 1), site.translate(step).format(**values))
        site.commit()

    return told


def _close_lost(site: Site, company: str) -> None:
    """Under the company's lock: a replay that still says Running has lost its process."""
    for name in site.fetch(replay_queries.running(site.qb, company))["name"].tolist():
        values = {"status": "Failed", "error": site.translate(LOST), "ended_at": site.now()}
        site.set_fields(DOCTYPE, name, values)
    site.commit()


def _fail(site: Site, name: str, error: Exception) -> None:
    """A sentence for what we refuse, the whole traceback for what nobody foresaw."""
    site.rollback()
    text = traceback.format_exc()
    if isinstance(error, PlanningError):
        text = error.sentence(site.translate) if isinstance(error, BadInput) else str(error)
    site.set_fields(DOCTYPE, name, {"status": "Failed", "error": text, "ended_at": site.now()})
    site.commit()
