"""One planning run of one company, from the ledger's changes to drafted orders.

`run_company` owns its connection's transaction: it commits between steps, and every step can be done again. A lock per
company, held by the running connection, decides that never two run at once; it is gone the moment a killed worker's
connection is, and the next run marks what that worker left as Interrupted and starts over.
"""

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime
from time import perf_counter
from typing import Any

import pandas as pd

from erp_forecast_addon.planning.accuracy import seasonal_naive
from erp_forecast_addon.planning.errors import BadInput, Fault, PlanningError, Refused
from erp_forecast_addon.planning.forecasting.boosted import Boosted
from erp_forecast_addon.planning.forecasting.explanation import before_override
from erp_forecast_addon.planning.inventory.approval_time import ApprovalTime
from erp_forecast_addon.planning.inventory.lead_time_learning import Learned
from erp_forecast_addon.planning.inventory.supplier_lead_times import supplier_lead_times
from erp_forecast_addon.planning.messages import _
from erp_forecast_addon.planning.panel import Panel, build_panel
from erp_forecast_addon.planning.plan import Plan, Supply, plan, policies_with
from erp_forecast_addon.planning.progress import Progress, silent
from erp_forecast_addon.planning.purchasing.network import Network
from erp_forecast_addon.planning.purchasing.order_days import OrderTerms
from erp_forecast_addon.planning.signals import Signals, prepare
from erp_forecast_addon.services import accuracy, arrivals, change_sets, decisions, learning, requests, signals, watch
from erp_forecast_addon.services.approval_times import learned_approval_time
from erp_forecast_addon.services.drafting import DraftingResult, draft_orders
from erp_forecast_addon.services.edit_values import price_edits
from erp_forecast_addon.services.exceptions import publish_faults
from erp_forecast_addon.services.lead_times import publish_lead_times
from erp_forecast_addon.services.light_text import light_text_of_few
from erp_forecast_addon.services.open_drafts import OpenDrafts, as_supply, leave_out, read_open_drafts
from erp_forecast_addon.services.open_requests import (
    OpenRequests,
    as_flows,
    leave_out_untouched,
    read_open_requests,
)
from erp_forecast_addon.services.pace import AT_WORK, QUIET_SECONDS, Pace
from erp_forecast_addon.services.publish import accuracy_summary, publish_forecasts, publish_policies
from erp_forecast_addon.services.refresh import RefreshResult, refresh_demand
from erp_forecast_addon.site import order_reads, reads
from erp_forecast_addon.site.order_terms import committed_money, order_terms
from erp_forecast_addon.site.policy_reads import PolicyTerms, policy_terms
from erp_forecast_addon.site.port import RunningJob, Site
from erp_forecast_addon.site.settings import CompanySettings

DOCTYPE = "Forecast Run"

ALREADY_RUNNING = _("{company} is being planned already: {run}, started by {user} at {started_at}. Wait until it ends.")
JUST_STARTING = _("{company} is being planned already by a run that has just started. Wait until it ends.")
NOT_ENABLED = _("{company} is not planned: enable it in Forecast Settings first.")
NO_COMPANY = _("There is no company {company}.")
NOT_QUEUED = _("{run} cannot be started: it is {status}. Only a queued run can be started.")
OTHER_COMPANY = _("{run} is a run of {other}, not of {company}.")
INTERRUPTED = _("The process ended before the run did. Nothing is half done; the next run does the rest.")
AS_OF_IN_FUTURE = _("{as_of} cannot be planned from: the last complete day is {last}.")
NO_LEDGER = _(
    "{company}: the stock ledger holds no movement up to {as_of}, so there is nothing to forecast. Submit a stock "
    "transaction, or check that the warehouses belong to the company."
)
NOTHING_ORDERED = _("Drafting is switched off in Forecast Settings.")

# Share of a run's time that lies before each step, for the progress bar.
_STEPS = {
    "Check settings": 0, "Refresh demand": 1, "Read": 15, "Forecast and plan": 25, "Publish forecasts": 55,
    "Keep forecasts": 64, "Measure accuracy": 66, "Draft requests": 70, "Draft orders": 72, "Publish policies": 85,
    "Publish lead times": 90, "Write back levels": 92, "Propose level changes": 92, "Watch orders and prices": 94,
    "Publish exceptions": 95,
}  # fmt: skip


@dataclass
class Step:
    """A row of Forecast Run.steps."""

    step: str
    started_at: datetime
    status: str = "Running"
    rows: int = 0
    seconds: float = 0.0
    detail: str = ""


@dataclass(frozen=True)
class Inputs:
    """What one run reads; all tables of planning.tables. drafts: left out of `dated`, and so are the requests that no
    person edited; expected: when open orders arrive, see inventory.arrivals; faults: of what was read."""

    buckets: pd.DataFrame
    positions: pd.DataFrame
    dated: pd.DataFrame
    items: pd.DataFrame
    sourcing: pd.DataFrame
    learned: Learned
    approval: ApprovalTime
    terms: PolicyTerms
    order_terms: OrderTerms
    committed: pd.DataFrame
    drafts: OpenDrafts
    signals: Signals
    faults: list[Fault]
    network: Network
    requests: OpenRequests
    expected: pd.DataFrame

    @property
    def rows(self) -> int:
        tables = (self.buckets, self.positions, self.dated, self.items, self.sourcing)
        return sum(map(len, tables)) + self.signals.rows


def run_company(
    site: Site, company: str, *, triggered_by: str, as_of: date | None = None, run: str | None = None
) -> str:
    """Plan one company; returns the name of its Forecast Run, which is then Completed.

    triggered_by: Scheduler, Button, Command or Stock Change. as_of: default the last complete day in site time. run: a
    Forecast Run in the state Queued that was made for this job. What is wrong with items becomes Planning Exceptions.
    Raises Refused (another run holds the company: who, since when; not enabled) and changes nothing but a queued run,
    which then says why; BadInput for settings or input that cannot be planned, and whatever else broke the run: the
    Forecast Run is Failed with the text, what earlier steps did stays, and the lock is free.
    """
    site.commit()
    with site.lock(lock_name(company)) as got:
        site.commit()  # the lock decides; only a fresh snapshot shows what its last holder has written
        if not got:
            _refuse(site, run, _who_runs(site, company))
        _mark_interrupted(site, company, but=run)
        log = _start(site, company, triggered_by, as_of, run)
        try:
            with light_text_of_few(site, company):
                _carry_out(site, company, log)
        except Exception as error:
            log.fail(error)
            raise
        return log.name


def interrupted_runs(site: Site) -> list[str]:
    """Mark runs that stand as Running though no process holds their company; returns their names. Commits."""
    site.commit()
    running = site.fetch(order_reads.runs(site.qb, None, "Running"))
    marked: list[str] = []
    for company in running["company"].unique().tolist():
        with site.lock(lock_name(company)) as free:
            if free:
                site.commit()
                marked += _mark_interrupted(site, company)
    return marked


def running_job(site: Site, company: str) -> RunningJob | None:
    """Who plans this company now, as the records say."""
    running = site.fetch(order_reads.runs(site.qb, company, "Running"))
    if running.empty:
        return None
    last = running.iloc[-1]
    return RunningJob(str(last["name"]), str(last["run_by"]), pd.Timestamp(last["started_at"]).to_pydatetime())


def lock_name(company: str) -> str:
    return f"forecast run {company}"


# ---- starting ------------------------------------------------------------------------
def _who_runs(site: Site, company: str) -> str:
    job = running_job(site, company)
    if job is None:
        return site.translate(JUST_STARTING).format(company=company)
    started_at = f"{site.show_day(job.started_at.date())} {job.started_at:%H:%M:%S}"
    return site.translate(ALREADY_RUNNING).format(company=company, run=job.run, user=job.run_by, started_at=started_at)


def _refuse(site: Site, run: str | None, sentence: str) -> None:
    if run is not None and _status_of(site, run) == "Queued":
        site.set_fields(DOCTYPE, run, {"status": "Failed", "error": sentence, "ended_at": site.now()})
        site.commit()
    raise Refused(sentence)


def _status_of(site: Site, run: str) -> str:
    document = site.get_document(DOCTYPE, run)
    return "" if document is None else str(document["status"])


def _mark_interrupted(site: Site, company: str, but: str | None = None) -> list[str]:
    """Under the company's lock: a run that still says Running has lost its process."""
    left = site.fetch(order_reads.runs(site.qb, company, "Running"))["name"].tolist()
    for name in (name for name in left if name != but):
        values = {"status": "Interrupted", "ended_at": site.now(), "error": site.translate(INTERRUPTED)}
        site.set_fields(DOCTYPE, name, values)
    site.commit()
    return left


def _start(site: Site, company: str, triggered_by: str, as_of: date | None, run: str | None) -> "RunLog":
    """Refuse what cannot be started, else make or take the Forecast Run and commit it as Running."""
    if company not in reads.companies(site):
        _refuse(site, run, site.translate(NO_COMPANY).format(company=company))
    if not _enabled(site, company):
        _refuse(site, run, site.translate(NOT_ENABLED).format(company=company))
    last = site.as_of()
    if as_of is not None and as_of > last:
        _refuse(site, run, site.translate(AS_OF_IN_FUTURE).format(as_of=as_of, last=last))
    values = {
        "status": "Running", "triggered_by": triggered_by, "run_by": site.user, "as_of": as_of or last,
        "started_at": site.now(), "progress_pct": 0, "current_step": "", "error": None, "steps": [],
    }  # fmt: skip
    if run is None:
        name = site.insert_document(DOCTYPE, {"company": company, **values})
    else:
        name = _take_queued(site, company, run, values)
    site.commit()
    return RunLog(site, name, as_of or last)


def _enabled(site: Site, company: str) -> bool:
    """Settings that cannot be planned with count as enabled: the run is started and fails with the sentence."""
    try:
        return reads.company_settings(site, company).enabled
    except BadInput:
        return True


def _take_queued(site: Site, company: str, run: str, values: dict[str, Any]) -> str:
    document = site.get_document(DOCTYPE, run)
    if document is None or document["status"] != "Queued":
        status = "missing" if document is None else document["status"]
        raise Refused(site.translate(NOT_QUEUED).format(run=run, status=site.translate(status)))
    if document["company"] != company:
        raise Refused(site.translate(OTHER_COMPANY).format(run=run, other=document["company"], company=company))
    site.update_document(DOCTYPE, run, values)
    return run


# ---- the run's own record ------------------------------------------------------------
@dataclass
class RunLog:
    """Writes the run's steps, counts and end; commits with every step, so that what is written is also what is done."""

    site: Site
    name: str
    as_of: date
    steps: list[Step] = field(default_factory=list)
    counts: dict[str, Any] = field(default_factory=dict)
    pace: Pace = field(default_factory=Pace)

    @contextmanager
    def step(self, name: str) -> Iterator[Step]:
        """One step: its time, rows and detail; Failed with the transaction rolled back if it raises."""
        now, began = Step(name, self.site.now()), perf_counter()
        self.steps.append(now)
        self.site.report_progress(self.name, _STEPS[name], self.site.translate(name))
        self._told({"progress_pct": _STEPS[name], "current_step": self.site.translate(name)})
        self.pace.spoke()
        try:
            yield now
        except Exception:
            self.site.rollback()
            now.status, now.seconds = "Failed", round(perf_counter() - began, 3)
            raise
        if now.status == "Running":
            now.status = "Done"
        now.seconds = round(perf_counter() - began, 3)

    def tell(self, share: float, doing: str, /, **values: Any) -> None:
        """A Progress of the step at work, shown between its own percent and that of the next step.

        It commits, so that lists and whoever asks see it: a step that writes calls it where it has just committed.
        """
        if not self.pace.due():
            return
        step = self.steps[-1].step
        begin, end = _STEPS[step], _percent_after(step)
        translate = self.site.translate
        text = translate(AT_WORK).format(step=translate(step), doing=translate(doing).format(**values))
        self.site.report_progress(self.name, round(begin + (end - begin) * share, 1), text)
        self.site.commit()

    def complete(self) -> None:
        self.site.report_progress(self.name, 100, self.site.translate("Completed"))
        self._end("Completed", {"progress_pct": 100, "current_step": "", **self.counts})

    def fail(self, error: Exception) -> None:
        """A sentence for what we refuse, the whole traceback for what we did not expect."""
        self.site.rollback()
        text = _sentence(self.site, error) if isinstance(error, PlanningError) else traceback.format_exc()
        self.site.report_progress(self.name, 100, self.site.translate("Failed"))
        self._end("Failed", {"error": text, **self.counts})

    def _end(self, status: str, values: dict[str, Any]) -> None:
        self._save({
            "status": status, "ended_at": self.site.now(), "duration_seconds": round(self.pace.seconds, 3),
            **values,
        })  # fmt: skip

    def _told(self, values: dict[str, Any]) -> None:
        """Progress; the table of steps only once there is something to wait for: writing it costs as a step does."""
        if self.pace.seconds >= QUIET_SECONDS:
            self._save(values)
            return
        self.site.set_fields(DOCTYPE, self.name, values)
        self.site.commit()

    def _save(self, values: dict[str, Any]) -> None:
        self.site.update_document(DOCTYPE, self.name, {**values, "steps": [asdict(step) for step in self.steps]})
        self.site.commit()


def _percent_after(step: str) -> int:
    """Where the next step begins. Of two that do not both run, both begin at the same percent."""
    return min((percent for percent in _STEPS.values() if percent > _STEPS[step]), default=100)


def _sentence(site: Site, error: PlanningError) -> str:
    return error.sentence(site.translate) if isinstance(error, BadInput) else str(error)


# ---- the steps -----------------------------------------------------------------------
def _carry_out(site: Site, company: str, log: RunLog) -> None:
    with log.step("Check settings"):
        settings = reads.company_settings(site, company)
        log.counts["currency"] = settings.plan.currency or None
    with log.step("Refresh demand") as step:
        refreshed = refresh_demand(site, progress=log.tell)
        step.rows = refreshed.pairs
        step.detail = _unusable(site, refreshed)
    with log.step("Read") as step:
        decisions.catch_up(site, company)
        requests.catch_up(site, company)
        site.commit()
        inputs = read_inputs(site, settings, log.as_of)
        step.rows = inputs.rows
    with log.step("Forecast and plan") as step:
        trained, step.detail = trained_model(site, settings, log.as_of)
        made, faults, panel = plan_inputs(inputs, settings, log.as_of, trained, log.tell)
        ours = set(reads.warehouses(site, company))
        faults += [fault for fault in refreshed.faults if fault.warehouse in ours]
        step.rows = made.forecasts.n
        log.counts |= {
            "pairs": len(made.policies), "proposal_lines": len(made.proposals), **accuracy_summary(made.forecasts),
        }  # fmt: skip
    with log.step("Publish forecasts") as step:
        step.rows, deleted = publish_forecasts(site, log.name, made, settings, inputs.items, log.tell)
        step.detail = _deleted(site, deleted)
        log.counts["forecasts"] = step.rows
        signals.record_overrides(site, company, log.as_of, made.forecasts.finished)
        effects = made.forecasts.learned.grounds[-1].effects
        if effects is not None:
            signals.publish_uplifts(site, company, log.as_of, effects.table())
        signals.publish_driver_uplifts(
            site, log.name, company, log.as_of, signals.NO_UPLIFTS if effects is None else effects.table()
        )
    with log.step("Keep forecasts") as step:
        naive = seasonal_naive(panel, made.forecasts.mean.shape[1])
        step.rows = accuracy.record_forecasts(
            site, company, made.forecasts, naive, before_override(made.forecasts.stages)
        )
        learning.keep(site, company, made.forecasts.learned, panel, made.outlook.prior)
        arrivals.keep(site, company, inputs.expected)
        del panel, naive  # the largest of what a run holds
    with log.step("Measure accuracy") as step:
        step.rows = accuracy.measure(site, company, log.as_of, inputs.buckets).rows
        price_edits(site, settings, log.as_of)
        faults += accuracy.drift_faults(site, company, log.as_of, inputs.positions, inputs.items)
    asked = _request(site, log, made, settings, inputs)
    made = _without_decided(made, asked)
    drafted = _draft(site, log, made, settings, inputs)
    faults += asked.faults + drafted.faults
    with log.step("Publish policies") as step:  # after the orders: our own drafts count in the position
        made = _with_drafts(made, inputs, settings, drafted, asked)
        step.rows, deleted = publish_policies(site, log.name, made, settings, inputs.items, inputs.positions, log.tell)
        step.detail = _deleted(site, deleted)
        log.counts["policies"] = step.rows
    with log.step("Publish lead times") as step:
        step.rows, deleted = publish_lead_times(site, log.name, settings, inputs.learned, inputs.sourcing, inputs.items)
        step.detail = _deleted(site, deleted)
    faults += _write_back(site, log, settings)
    with log.step("Watch orders and prices") as step:
        found = watch.watch_faults(
            site,
            settings,
            made,
            inputs.dated,
            inputs.positions,
            inputs.items,
            inputs.sourcing,
            inputs.learned,
            log.as_of,
        )
        step.rows, faults = len(found), watch.without_doubles(faults, found)
    with log.step("Publish exceptions") as step:
        published = publish_faults(site, log.name, company, settings, faults, log.as_of)
        step.rows, step.detail = len(faults), "\n".join(published.failed)
        log.counts["exceptions"] = published.open_cases
    log.complete()


def _until(as_of: date, today: date, buckets: pd.DataFrame) -> pd.DataFrame:
    """Without the days after as_of up to today, which is under way: they are no demand yet, and no bad data either."""
    day = buckets["day"]
    return buckets[(day <= pd.Timestamp(as_of)) | (day > pd.Timestamp(today))]


def read_inputs(site: Site, settings: CompanySettings, as_of: date) -> Inputs:
    """Everything in one transaction, so that drafts, supply and stock are of the same moment."""
    company = settings.company
    since = (pd.Timestamp(as_of) - pd.Timedelta(days=settings.plan.history_days)).date()
    items = reads.items(site, company)
    drafts, asked = read_open_drafts(site, company), read_open_requests(site, company)
    known_ahead, faults = signals.read_signals(site, settings, items, as_of)
    learned = reads.learned_lead_times(site, company, settings.plan.default_lead_time_days)
    on_time = supplier_lead_times(learned, site.now().date())
    ordering = order_terms(site, company)
    dated = leave_out_untouched(leave_out(reads.dated(site, company), drafts), asked)
    expected = arrivals.expected_by(site, company, learned, as_of)
    return Inputs(
        buckets=_until(as_of, site.now().date(), reads.buckets(site, company, since)),
        positions=reads.positions(site, company),
        dated=arrivals.counted(dated, expected, settings),
        items=items,
        sourcing=reads.sourcing(site, company, items["item_code"].tolist(), learned.lead_times, on_time),
        learned=learned,
        approval=learned_approval_time(site, settings, as_of),
        terms=policy_terms(site, company),
        order_terms=ordering.terms,
        committed=committed_money(site, company, settings.plan, ordering.terms),
        drafts=drafts,
        signals=known_ahead,
        faults=[*faults, *learned.faults, *ordering.faults],
        network=reads.network(site, company) if settings.draft_requests else Network(),
        requests=asked,
        expected=expected,
    )


def trained_model(site: Site, settings: CompanySettings, as_of: date) -> tuple[Boosted | None, str]:
    """The boosting model of an earlier run, unless demand has drifted away from it; and what is wrong with the one that
    is kept. One that cannot be read is no reason not to plan: a new one takes its place."""
    if settings.plan.tier != "full":
        return None, ""
    try:
        known = learning.last(site, settings)
    except BadInput as error:
        return None, error.sentence(site.translate)
    if known is None or known.learned.boosted is None:
        return None, ""
    model = known.learned.boosted
    due = accuracy.retraining_due(site, settings, as_of, model.model.trained_until)
    return None if due else model, ""


def plan_inputs(
    inputs: Inputs, settings: CompanySettings, as_of: date, trained: Boosted | None, progress: Progress = silent
) -> tuple[Plan, list[Fault], Panel]:
    """The plan, what is wrong with the input, and the panel that was forecast. progress: as of planning.plan."""
    panel, faults = build_panel(
        inputs.buckets, settings.plan.period, as_of, items=inputs.items, company=settings.company,
        history_days=settings.plan.history_days,
    )  # fmt: skip
    if not panel.n:
        faults.append(Fault("Too Little History", NO_LEDGER, {"company": settings.company, "as_of": as_of}))
    panel, future, signal_faults = prepare(panel, inputs.signals, settings.plan.horizon_days, as_of)
    faults += inputs.faults + signal_faults
    supply = supply_of(inputs, inputs.dated)
    made = plan(panel, inputs.positions, supply, settings.plan, as_of, future, trained, progress)
    return made, [*faults, *made.faults], panel


def supply_of(inputs: Inputs, dated: pd.DataFrame) -> Supply:
    terms = inputs.terms
    return Supply(
        dated, inputs.items, inputs.sourcing, inputs.learned.lead_times, inputs.approval, terms.rules, terms.former,
        terms.price_breaks, inputs.order_terms, inputs.committed, inputs.network,
    )  # fmt: skip


def _request(site: Site, log: RunLog, made: Plan, settings: CompanySettings, inputs: Inputs) -> requests.RequestsResult:
    """Transfers and manufacture before orders: what they cover is not bought."""
    with log.step("Draft requests") as step:
        if not settings.draft_orders:
            step.status, step.detail = "Skipped", site.translate(NOTHING_ORDERED)
            return requests.RequestsResult(flows=as_flows(read_open_requests(site, settings.company)))
        result = requests.draft_requests(site, log.name, made, settings, inputs.requests)
        step.rows = result.lines
        return result


def _without_decided(made: Plan, asked: requests.RequestsResult) -> Plan:
    """No order for what a person's own request speaks for."""
    decided = pd.MultiIndex.from_frame(made.proposals[["item_code", "warehouse"]]).isin(asked.decided)
    return replace(made, proposals=made.proposals[~decided].reset_index(drop=True)) if decided.any() else made


def _draft(site: Site, log: RunLog, made: Plan, settings: CompanySettings, inputs: Inputs) -> DraftingResult:
    with log.step("Draft orders") as step:
        if not settings.draft_orders:
            step.status, step.detail = "Skipped", site.translate(NOTHING_ORDERED)
            return DraftingResult(supply=as_supply(read_open_drafts(site, settings.company)))
        result = draft_orders(site, log.name, made, settings, inputs.drafts, log.tell)
        step.rows = result.lines
        log.counts |= {
            "orders_created": result.created, "orders_updated": result.updated, "orders_withdrawn": result.withdrawn,
            "proposed_amount": result.base_amount,
        }  # fmt: skip
        return result


def _with_drafts(
    made: Plan, inputs: Inputs, settings: CompanySettings, drafted: DraftingResult, asked: requests.RequestsResult
) -> Plan:
    """The plan as it stands once its orders are drafted: the need was planned without them, the position has them."""
    held = [rows for rows in (drafted.supply, asked.flows) if len(rows)]
    dated = pd.concat([inputs.dated, *held], ignore_index=True) if held else inputs.dated
    supply = supply_of(inputs, dated)
    return replace(made, policies=policies_with(made, inputs.positions, supply, settings.plan))


def _write_back(site: Site, log: RunLog, settings: CompanySettings) -> list[Fault]:
    """By itself, or as a change set that waits for a person; what went wrong with an earlier set."""
    asked_for = settings.write_back_levels or settings.write_back_safety_stock
    if not (asked_for and settings.by_change_set):
        change_sets.withdraw(site, settings.company)
    if not asked_for:
        return []
    if settings.by_change_set:
        with log.step("Propose level changes") as step:
            proposed = change_sets.propose(site, log.name, settings, log.as_of)
            step.rows, step.detail = proposed.lines, proposed.detail
        return change_sets.faults(site, settings.company)
    from erp_forecast_addon.services.write_back import write_back  # only sites that ask for it pay for the import

    with log.step("Write back levels") as step:
        step.rows = int(write_back(site, log.name, settings) or 0)
    return []


def _unusable(site: Site, refreshed: RefreshResult) -> str:
    template = _("{count} ledger rows could not be used")
    return site.translate(template).format(count=len(refreshed.faults)) if refreshed.faults else ""


def _deleted(site: Site, count: int) -> str:
    return site.translate(_("{count} no longer planned, deleted")).format(count=count) if count else ""
