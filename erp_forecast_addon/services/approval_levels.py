"""How many people have to approve an order, until when, and why: computed by every run, and again on deciding."""

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

import numpy as np
import pandas as pd

from erp_forecast_addon.planning.purchasing.approval_level import WAITING, WAITING_LINES, Verdict, judge_orders
from erp_forecast_addon.planning.purchasing.approve_by import (
    CHANCES_AHEAD,
    WAITING_NEEDS,
    WaitingCosts,
    approve_by,
    chance_days,
    chances,
    waiting_costs,
)
from erp_forecast_addon.planning.purchasing.order_days import CALENDAR_DAYS, order_days
from erp_forecast_addon.site import approval_reads
from erp_forecast_addon.site.order_terms import order_terms
from erp_forecast_addon.site.port import NativeOrder, Site
from erp_forecast_addon.site.settings import CompanySettings

_PAIR = ["item_code", "warehouse"]
_FROM_EVIDENCE: Final = tuple(name for name in WAITING_NEEDS.columns if name not in ("name", "need_day"))
_CENTS: Final = 2
_SAID: Final = ("approval_level", "approval_reason", "approve_by")
COST_DRIFT: Final = 0.1


@dataclass(frozen=True)
class Deadline:
    """moment: the last one before waiting costs sales, None: none in sight; cost: of passing it, company currency."""

    moment: datetime | None = None
    cost: float = 0.0


# ---- how many people ------------------------------------
def verdicts(site: Site, settings: CompanySettings, orders: pd.DataFrame, lines: pd.DataFrame) -> dict[str, Verdict]:
    """Order -> verdict. orders: table WAITING; lines: table WAITING_LINES of the same orders."""
    rules = settings.approval.rules
    evidence = approval_reads.evidence(site, settings.company, rules, set(orders["supplier"]), set(lines["item_code"]))
    return judge_orders(orders, lines, evidence, rules, settings.plan.currency)


def verdict_of(
    site: Site, settings: CompanySettings, record: Mapping[str, Any], order: NativeOrder, *, edited: bool
) -> Verdict:
    """Of one order as its draft stands at this moment."""
    name = str(record["name"])
    orders = pd.DataFrame([{
        "name": name, "supplier": order.supplier, "base_amount": order.base_total, "edited": edited,
    }])  # fmt: skip
    rate = order.base_total / order.total if order.total else 0.0
    lines = pd.DataFrame([
        {
            "name": name, "item_code": line.item_code, "warehouse": line.warehouse,
            "stock_qty": line.qty * line.conversion_factor, "base_amount": line.qty * line.rate * rate,
        }
        for line in order.lines
    ])  # fmt: skip
    return verdicts(site, settings, orders, lines if len(lines) else WAITING_LINES.empty())[name]


def waiting_orders(records: pd.DataFrame, lines: pd.DataFrame, doubtful: Collection[str]) -> pd.DataFrame:
    """Table WAITING of open drafts (open_drafts.OpenDrafts); doubtful: items and suppliers the plan complains about."""
    doubted = lines[lines["item_code"].isin(list(doubtful))].drop_duplicates("name").set_index("name")["item_code"]
    of_item = records["name"].map(doubted)
    doubt = of_item.where(of_item.notna(), records["supplier"].where(records["supplier"].isin(list(doubtful)), ""))
    return WAITING.check(
        pd.DataFrame(
            {
                "name": records["name"],
                "supplier": records["supplier"],
                "base_amount": records["base_total"],
                "edited": records["edited"].astype(bool),
                "doubt": doubt.fillna("").astype(object),
            }
        )
    )


# ---- until when ------------------------------------
def costs_of_waiting(
    site: Site, settings: CompanySettings, lines: pd.DataFrame, proposals: pd.DataFrame, as_of: date
) -> WaitingCosts:
    """What letting each working day pass costs the orders in sales, by the days on which their suppliers take orders.
    lines: of native drafts, with the record's `name`;
    proposals: what the plan wants now, for the same pairs: what it does not want is not missed."""
    first = as_of + timedelta(days=1)
    off = approval_reads.days_off(site, settings.company, first)
    moments = chances(first, settings.approval.cut_off, off, CHANCES_AHEAD + 1)
    wanted = proposals[[*_PAIR, "supplier", "need_on", "evidence"]].reset_index(drop=True)
    frozen = pd.DataFrame(wanted["evidence"].tolist(), index=wanted.index).reindex(columns=list(_FROM_EVIDENCE))
    needs = wanted.drop(columns="evidence").join(frozen.astype(float).fillna(0.0))
    needs["need_day"] = (needs["need_on"] - pd.Timestamp(first)).dt.days.astype(float)
    held = lines[["name", *_PAIR]].drop_duplicates()
    rows = held.merge(needs, on=_PAIR).reset_index(drop=True)
    days = chance_days(moments, as_of)
    calendars = order_days(
        order_terms(site, settings.company).terms, rows["supplier"].to_numpy(dtype=object), as_of,
        int(days.max(initial=0)) + CALENDAR_DAYS,
    )  # fmt: skip
    return waiting_costs(rows.drop(columns="supplier"), as_of, moments, calendars.leaves(days))


def stored_costs(costs: WaitingCosts, name: str) -> str | None:
    """The course of one order as its record keeps it; None where waiting costs nothing."""
    found = np.round(costs.costs.get(name, np.zeros(0)), _CENTS)
    if not found.any():
        return None
    return json.dumps([
        [str(moment), cost] for moment, cost in zip(costs.moments.tolist(), found.tolist(), strict=True)
    ])  # fmt: skip


def deadline(stored: Any, amount: float, tolerated_share: float, now: datetime) -> Deadline:
    """From the kept course: the first moment still to come whose passing costs more than is tolerated."""
    course = _course(stored)
    if not course:
        return Deadline()
    moments = np.array([datetime.fromisoformat(moment) for moment, _cost in course], dtype="datetime64[s]")
    costs = np.array([cost for _moment, cost in course], dtype=float)
    at = approve_by(moments, costs, amount * tolerated_share, now)
    return Deadline() if at < 0 else Deadline(moments[at].item(), float(costs[at]))


def changed_fields(
    site: Site,
    settings: CompanySettings,
    records: pd.DataFrame,
    found: Mapping[str, Verdict],
    costs: WaitingCosts,
) -> Iterator[tuple[str, dict[str, Any]]]:
    """(record, fields) for the records of which something is not as it stands. records: of OpenDrafts."""
    for row in records.to_dict("records"):  # open drafts, some hundreds, each with its own sentences
        name, verdict, kept = str(row["name"]), found[str(row["name"])], stored_costs(costs, str(row["name"]))
        until = deadline(kept, float(row["base_total"]), settings.approval.tolerated_loss_share, site.now())
        fields = {
            "approval_level": verdict.level, "approval_reason": verdict.text(site.translate),
            "approve_by": until.moment, "waiting_cost": until.cost, "waiting_costs": kept,
        }  # fmt: skip
        if any(_differs(row[field], fields[field]) for field in _SAID) or _moved(row["waiting_costs"], kept):
            yield name, fields


def _differs(stood: Any, now: Any) -> bool:
    if stood is None or stood == "" or (not isinstance(stood, str) and pd.isna(stood)):
        return not (now is None or now == "")
    return bool(pd.Timestamp(stood) != now if isinstance(now, datetime) else stood != now)


def _moved(stood: Any, now: str | None) -> bool:
    """Whether the course of costs is another one: more than COST_DRIFT of its largest cost away anywhere. Stocks move
    a little every day, and a record that says the same is not written again."""
    before, after = _course(stood), _course(now)
    if [moment for moment, _cost in before] != [moment for moment, _cost in after]:
        return True
    gap = [abs(was - cost) for (_m, was), (_n, cost) in zip(before, after, strict=True)]
    return max(gap, default=0.0) > COST_DRIFT * max((cost for _moment, cost in after), default=0.0)


def _course(stored: Any) -> list[tuple[str, float]]:
    course = json.loads(stored) if isinstance(stored, str) and stored else (stored or [])
    return [(str(moment), float(cost)) for moment, cost in course]
