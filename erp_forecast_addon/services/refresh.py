"""The demand buckets follow the stock ledger: what changed is found generously and made again, never incremented.

docs/demand-buckets.md says how changes are found and why nothing is missed.
"""

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import numpy as np
import pandas as pd

from erp_forecast_addon.planning.errors import BadInput, Busy, Fault
from erp_forecast_addon.planning.messages import _
from erp_forecast_addon.planning.progress import Done, Progress, Stages, silent
from erp_forecast_addon.services.bucket_rows import Written, pieces, recompute
from erp_forecast_addon.services.changes import (
    forget_pairs,
    mark_changed,
    mark_companies,
    mark_ledger_changes,
    mark_pairs,
    mark_shelves_that_differ,
)
from erp_forecast_addon.site import demand_queries, reads
from erp_forecast_addon.site.port import Site
from erp_forecast_addon.site.settings import CompanySettings

__all__ = [
    "CheckResult",
    "RefreshResult",
    "check_pairs",
    "forget_pairs",
    "mark_changed",
    "mark_pairs",
    "refresh_demand",
]

LOCK: Final = "demand refresh"
WATERMARK: Final = "Demand Watermark"
# Raised when a bucket would come out differently from the same ledger: every company is then rebuilt.
_FORMULA_VERSION: Final = 1
# Another refresh mostly leaves nothing to do; whoever needs fresh buckets waits for it rather than fail.
WAIT_SECONDS: Final = 600.0
_ASK_AGAIN_SECONDS: Final = 0.5
_PAIR: Final = ["item_code", "warehouse"]
WAITING: Final = _("waiting for another job that does it")
LOOKING: Final = _("looking for changes of the stock ledger")
MAKING: Final = _("demand of each day")
COMPARING: Final = _("comparing with the stock on hand")
# A full rebuild from 2,000,000 ledger rows, see docs/benchmarks.md; pieces of a day's change say little beside it.
_SECONDS: Final = {LOOKING: 3.0, MAKING: 75.0, COMPARING: 2.0}
_TOTALS: Final = ["ledger_rows", "ledger_qty", "ledger_stock_qty"]


@dataclass(frozen=True)
class RefreshResult:
    """pairs: made again; ledger_rows: read for it; buckets: written and removed; rebuilt: companies made from scratch.

    faults: Bad Data, ledger rows and company settings that could not be used.
    """

    pairs: int
    ledger_rows: int
    buckets_written: int
    buckets_removed: int
    rebuilt: tuple[str, ...]
    seconds: float
    faults: tuple[Fault, ...] = ()


@dataclass(frozen=True)
class CheckResult:
    """pairs: compared; differing: (item_code, warehouse) whose buckets did not match the ledger and were made again."""

    pairs: int
    differing: pd.DataFrame
    refresh: RefreshResult = field(repr=False)


def refresh_demand(
    site: Site, *, full: bool = False, progress: Progress = silent, wait_seconds: float = WAIT_SECONDS
) -> RefreshResult:
    """Bring the buckets of every planned company up to date with the ledger.

    full: make every pair again. A company whose demand rules changed, or that was not planned before, is made again
    anyway. It commits as it goes, which is when progress is told, and may be killed at any point: what was found stands
    in Demand Mark, and the next call goes on. Never two at once: waits for the other one, then Busy.
    """
    with _alone(site, wait_seconds, progress):
        return _refresh(site, full, progress)


def check_pairs(site: Site, *, wait_seconds: float = WAIT_SECONDS) -> CheckResult:
    """Hold the buckets of every pair against the ledger, in totals, and make those that differ again. Nightly.

    Finds what left no trace: ledger rows deleted or rewritten by SQL without `modified`. Compared are the number of
    rows, Σ actual_qty and Σ qty_after_transaction, added up by the database on both sides in one snapshot.
    """
    with _alone(site, wait_seconds, silent):
        before = _refresh(site, False, silent)
        compared = [_compare(site, company) for company in _planned(site)[0]]
        found = [frame.loc[frame["differs"], _PAIR] for frame in compared]
        differing = pd.concat(found, ignore_index=True) if found else pd.DataFrame(columns=_PAIR)
        mark_changed(site, differing)
        _remember(site, {"checked_at": site.now()})
        site.commit()
        after = _refresh(site, False, silent) if len(differing) else before
    return CheckResult(sum(map(len, compared)), differing, after)


def _refresh(site: Site, full: bool, report: Progress) -> RefreshResult:
    began = time.monotonic()
    site.commit()  # what is read from here on is read in a snapshot of its own
    planned, faults = _planned(site)
    stages = Stages(report, _SECONDS)
    stages.say(LOOKING)
    rebuilt = _take_in_ledger(site, planned, full)
    written = _work_off(site, planned, stages.done(MAKING))
    stages.say(COMPARING)
    if _take_in_bins(site):
        written += _work_off(site, planned, stages.done(COMPARING))
    if full:
        _remember(site, {"full_rebuild_at": site.now()})
        site.commit()
    return RefreshResult(
        written.pairs, written.ledger_rows, written.buckets_written, written.buckets_removed, rebuilt,
        time.monotonic() - began, faults + written.faults,
    )  # fmt: skip


def _take_in_ledger(site: Site, planned: Mapping[str, CompanySettings], full: bool) -> tuple[str, ...]:
    """Turn everything that changed into marks; the watermark moves in the same transaction."""
    state = reads.single(site, WATERMARK)
    began = site.now()
    rules = {company: _demand_rules(settings) for company, settings in planned.items()}
    known = json.loads(state.get("demand_rules") or "{}")
    rebuilt = tuple(sorted(company for company, told in rules.items() if full or known.get(company) != told))
    mark_companies(site, rebuilt)
    mark_ledger_changes(site, _as_moment(state.get("ledger_modified_until")))
    _remember(site, {"ledger_modified_until": began, "demand_rules": json.dumps(rules, sort_keys=True)})
    site.commit()
    return rebuilt


def _take_in_bins(site: Site) -> int:
    began = site.now()
    marked = mark_shelves_that_differ(site, _as_moment(reads.single(site, WATERMARK).get("bin_modified_until")))
    _remember(site, {"bin_modified_until": began})
    site.commit()
    return marked


def _work_off(site: Site, planned: Mapping[str, CompanySettings], report: Done) -> Written:
    done, written = 0.0, Written()
    report(done)
    for piece in pieces(site):  # each piece is a transaction of its own
        written += recompute(site, piece.items, planned)
        done += piece.share
        report(done)
    return written


def _compare(site: Site, company: str) -> pd.DataFrame:
    """item_code, warehouse, differs: every pair of the company."""
    of_ledger = site.fetch(demand_queries.ledger_totals(site.qb, company))
    of_buckets = site.fetch(demand_queries.bucket_totals(site.qb, company))
    if of_ledger.empty and of_buckets.empty:
        return pd.DataFrame({"item_code": [], "warehouse": [], "differs": np.zeros(0, dtype=bool)})
    columns = [*_PAIR, *_TOTALS]
    both = of_ledger.reindex(columns=columns).merge(
        of_buckets.reindex(columns=columns), on=_PAIR, how="outer", suffixes=("", "_taken_in")
    )
    ledger, taken_in = both[_TOTALS].astype(float), both[[f"{name}_taken_in" for name in _TOTALS]].astype(float)
    # A pair that stands on one side only compares a number with NaN, and differs.
    same = np.isclose(ledger.to_numpy(), taken_in.to_numpy(), rtol=1e-9, atol=1e-6).all(axis=1)
    return both[_PAIR].assign(differs=~same)


def _planned(site: Site) -> tuple[dict[str, CompanySettings], tuple[Fault, ...]]:
    """The companies that are planned; one with unusable settings is left out, with a fault, and made again later."""
    planned, faults = {}, []
    for company in reads.companies(site):
        settings = _settings(site, company)
        if isinstance(settings, Fault):
            faults.append(settings)
        elif settings.enabled:
            planned[company] = settings
    return planned, tuple(faults)


def _settings(site: Site, company: str) -> CompanySettings | Fault:
    try:
        return reads.company_settings(site, company)
    except BadInput as error:
        return Fault("Bad Data", error.template, error.values)


def _demand_rules(settings: CompanySettings) -> str:
    """Everything besides the ledger that decides what a bucket holds."""
    told = (settings.demand_manufacture, settings.demand_subcontract, settings.demand_material_issue)
    return f"v{_FORMULA_VERSION} manufacture={told[0]:d} subcontract={told[1]:d} material_issue={told[2]:d}"


def _remember(site: Site, values: Mapping[str, Any]) -> None:
    """Straight into Singles: nobody edits the watermark, and the document API costs more than a small refresh."""
    site.execute(demand_queries.forget_single_values(site.qb, WATERMARK, list(values)))
    site.execute(
        demand_queries.store_single_values(site.qb, WATERMARK, {name: str(each) for name, each in values.items()})
    )


def _as_moment(value: str | None) -> datetime | None:
    return pd.Timestamp(value).to_pydatetime() if value else None


@contextmanager
def _alone(site: Site, wait_seconds: float, report: Progress) -> Iterator[None]:
    until = time.monotonic() + wait_seconds
    while True:
        with site.lock(LOCK) as got:
            if got:
                try:
                    yield
                except BaseException:
                    site.rollback()
                    raise
                return
        if time.monotonic() >= until:
            raise Busy(
                site.translate(
                    _("The demand buckets are being brought up to date by another job. Try again when it has ended.")
                )
            )
        report(0.0, WAITING)
        time.sleep(_ASK_AGAIN_SECONDS)
