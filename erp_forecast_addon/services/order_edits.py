"""What buyers change in proposed orders, kept line by line with its reason and the figures that price it later.

A change is kept when the draft is saved. What was changed past every event (an import, a script) is found by the next
run, without a reason.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import pandas as pd

from erp_forecast_addon.planning.errors import Refused
from erp_forecast_addon.planning.messages import Day, _
from erp_forecast_addon.planning.purchasing.edits import DATE, DRAFT_LINES, draft_edits
from erp_forecast_addon.services.open_drafts import OpenDrafts
from erp_forecast_addon.site import approval_queries, item_queries
from erp_forecast_addon.site.port import Site
from erp_forecast_addon.site.settings import CompanySettings

DOCTYPE: Final = "Order Edit"
RECORD: Final = "Auto Purchase Order"
_PAIR = ["item_code", "warehouse"]
_DAYS = ("from_on", "to_on", "proposed_on")

CHANGE = _("{item_code}: {before} → {after}")
REASON_NEEDED = _("Say why {purchase_order} is changed ({changes}): the reason is kept with the change.")


@dataclass(frozen=True)
class Draft:
    """A draft as it stood or stands. lines: table DRAFT_LINES; exchange_rate: company currency per unit of its own."""

    supplier: str
    exchange_rate: float
    lines: pd.DataFrame


@dataclass(frozen=True)
class Saved:
    """Who saved a change, when and why."""

    by: str
    at: datetime
    reason: str = ""


def keep(
    site: Site, settings: CompanySettings, record: Mapping[str, Any], before: Draft, after: Draft, saved: Saved
) -> int:
    """Keep what a person changed between two states of the record's draft; -> changes. Raises Refused where the
    settings ask for a reason and there is none."""
    found = draft_edits(before.lines, after.lines, before.supplier, after.supplier)
    if found.empty:
        return 0
    if settings.approval.edit_reason_required and not saved.reason.strip():
        changes = ", ".join(_change_in_words(site, row) for row in found.to_dict("records"))
        raise Refused(site.translate(REASON_NEEDED).format(purchase_order=record["purchase_order"], changes=changes))
    return _write(site, settings, record, found, before, after, saved)


def _change_in_words(site: Site, row: Mapping[str, Any]) -> str:
    values = (row["from_text"], row["to_text"])
    before, after = (Day(value) for value in values) if row["kind"] == DATE else values
    return site.translate(CHANGE).format(item_code=row["item_code"], before=before, after=after)


def keep_found(site: Site, settings: CompanySettings, drafts: OpenDrafts) -> int:
    """Keep what stands otherwise in edited drafts than was proposed and no kept change says; -> changes."""
    count = 0
    for head in drafts.edited.to_dict("records"):  # drafts that people have in hand: few
        record = site.get_document(RECORD, head["name"]) or {}
        before = proposed_draft(record)
        now = drafts.native[drafts.native["name"] == head["name"]]
        rate = head["base_total"] / head["total"] if head["total"] else before.exchange_rate
        after = Draft(head["supplier"], rate, _native_lines(now))
        found = draft_edits(before.lines, after.lines, before.supplier, after.supplier)
        known = site.fetch(approval_queries.edits_of_order(site.qb, head["name"]))
        last = known.drop_duplicates([*_PAIR, "kind"], keep="last")[[*_PAIR, "kind", "to_text"]]
        told = found.merge(last, on=[*_PAIR, "kind", "to_text"], how="left", indicator="known")["known"] == "both"
        new = found[~told.to_numpy()].reset_index(drop=True)
        if len(new):
            native = site.get_document("Purchase Order", head["purchase_order"]) or {}
            saved = Saved(str(native.get("modified_by") or site.user), native.get("modified") or site.now())
            count += _write(site, settings, record, new, before, after, saved)
    return count


def proposed_draft(record: Mapping[str, Any]) -> Draft:
    """The draft as the planner last proposed it, from the record's lines."""
    rows = pd.DataFrame([dict(line) for line in record.get("items") or []])
    if rows.empty:
        return Draft(str(record.get("supplier")), 1.0, DRAFT_LINES.empty())
    amount, base = float(rows["amount"].sum()), float(rows["base_amount"].sum())
    lines = rows[[*_PAIR, "stock_qty"]].assign(
        schedule_date=pd.to_datetime(rows["schedule_date"]),
        rate=rows["rate"].astype(float) / rows["conversion_factor"].astype(float).replace(0.0, 1.0),
    )
    return Draft(str(record["supplier"]), base / amount if amount else 1.0, DRAFT_LINES.check(lines))


def _native_lines(lines: pd.DataFrame) -> pd.DataFrame:
    rate = lines["rate"] / lines["conversion_factor"].replace(0.0, 1.0)
    return DRAFT_LINES.check(lines[[*_PAIR, "stock_qty", "schedule_date"]].assign(rate=rate).dropna(subset=_PAIR))


def _write(
    site: Site,
    settings: CompanySettings,
    record: Mapping[str, Any],
    found: pd.DataFrame,
    before: Draft,
    after: Draft,
    saved: Saved,
) -> int:
    _supersede(site, record, found)
    figures = _figures(site, settings, record, found)
    rows = found.merge(figures, on=_PAIR, how="left").assign(
        from_rate=found["from_rate"].to_numpy() * before.exchange_rate,
        to_rate=found["to_rate"].to_numpy() * after.exchange_rate,
        auto_purchase_order=record["name"], purchase_order=record["purchase_order"], company=settings.company,
        currency=settings.plan.currency, supplier=after.supplier, changed_by=saved.by,
        changed_at=pd.Timestamp(saved.at), reason=saved.reason.strip() or None, status="Standing",
        holding_cost_pct=settings.plan.holding_rate_per_year * 100.0,
    )  # fmt: skip
    rows["unit_cost"] = rows["unit_cost"].fillna(rows["to_rate"]).fillna(rows["from_rate"]).fillna(0.0)
    rows["margin"] = rows["margin"].fillna(rows["unit_cost"] * settings.plan.margin_pct / 100.0)
    numbers = ["from_rate", "to_rate", "proposed_qty", "proposed_rate", "daily_demand_mean"]
    rows[numbers] = rows[numbers].astype(float).fillna(0.0)
    return site.insert_rows(DOCTYPE, rows)


def _supersede(site: Site, record: Mapping[str, Any], found: pd.DataFrame) -> None:
    """An earlier change of the same line and kind is history: this one stands for it."""
    known = site.fetch(approval_queries.edits_of_order(site.qb, str(record["name"])))
    standing = known[known["status"] == "Standing"]
    for name in standing.merge(found[[*_PAIR, "kind"]], on=[*_PAIR, "kind"])["name"]:  # changes of one order
        site.set_fields(DOCTYPE, name, {"status": "Superseded"})


def _figures(site: Site, settings: CompanySettings, record: Mapping[str, Any], found: pd.DataFrame) -> pd.DataFrame:
    """What each pair was proposed with, and what prices its change: item_name, stock_uom, proposed_*, margin,
    unit_cost, daily_demand_mean. NaN for a line that the planner did not propose, but for the demand that its
    policy expects."""
    pairs = found[_PAIR].drop_duplicates().reset_index(drop=True)
    lines = pd.DataFrame([_figures_of_line(line) for line in record.get("items") or []])
    if lines.empty:
        lines = pd.DataFrame(columns=[*_PAIR, *_FIGURES])
    known = lines.drop_duplicates(_PAIR)
    rows = pairs.merge(known, on=_PAIR, how="left")
    missing = rows[rows["daily_demand_mean"].isna()]
    expected = [
        _expected_demand(site, row.item_code, row.warehouse) for row in missing.itertuples()
    ]  # added lines: few
    rows.loc[missing.index, "daily_demand_mean"] = expected
    return rows


_FIGURES: Final = (
    "item_name", "stock_uom", "proposed_qty", "proposed_on", "proposed_rate", "margin", "unit_cost",
    "daily_demand_mean",
)  # fmt: skip


def _figures_of_line(line: Mapping[str, Any]) -> dict[str, Any]:
    stored = line.get("evidence")
    evidence = json.loads(stored) if isinstance(stored, str) and stored else (stored or {})
    qty = float(line["stock_qty"] or 0.0)
    rate = float(line["base_amount"] or 0.0) / qty if qty else 0.0
    sells_at = float(evidence.get("selling_rate") or 0.0)
    return {
        "item_code": line["item_code"], "warehouse": line["warehouse"], "item_name": line.get("item_name"),
        "stock_uom": line.get("stock_uom"), "proposed_qty": qty, "proposed_on": pd.Timestamp(line["schedule_date"]),
        "proposed_rate": rate, "unit_cost": rate, "margin": max(sells_at - rate, 0.0) if sells_at else None,
        "daily_demand_mean": float(evidence.get("daily_demand_mean") or 0.0),
    }  # fmt: skip


def _expected_demand(site: Site, item_code: str, warehouse: str) -> float:
    policies = site.fetch(item_queries.policies_of_item(site.qb, item_code))
    mine = policies.loc[policies["warehouse"] == warehouse, "daily_demand_mean"]
    return float(mine.iloc[0]) if len(mine) else 0.0
