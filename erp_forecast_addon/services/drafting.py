"""Proposals as Auto Purchase Orders with their native drafts, one per supplier, currency and ship-to warehouse.

The need is planned as if nothing of ours was undecided (open_drafts.leave_out), then held against the drafts:

- a draft that already says it (see QTY_DRIFT, DAYS_DRIFT) is not touched at all: nothing is written;
- a draft that no person has edited is brought in line: lines replaced in place, or deleted and Withdrawn;
- a draft that a person edited is his: where the need differs, a Planning Exception proposes the difference, and no
  other draft is made for its items;
- what has no draft gets a new one.

Every order is made in one savepoint, record and native draft together, and a few orders in one transaction. A run that
is killed leaves whole orders or none; the next run finds them and makes the rest.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import pandas as pd

from erp_forecast_addon.planning.errors import Fault
from erp_forecast_addon.planning.messages import _
from erp_forecast_addon.planning.plan import Plan
from erp_forecast_addon.planning.progress import Progress, silent
from erp_forecast_addon.planning.purchasing.grouping import group_orders
from erp_forecast_addon.planning.purchasing.joint_orders import ORDER_KEY
from erp_forecast_addon.planning.purchasing.rests import at_rest
from erp_forecast_addon.planning.tables import DATED
from erp_forecast_addon.services import approval_levels, decisions, order_edits
from erp_forecast_addon.services.fingerprint import fingerprints
from erp_forecast_addon.services.open_drafts import OpenDrafts, as_supply, read_open_drafts, same_need
from erp_forecast_addon.site import order_reads
from erp_forecast_addon.site.approval_reads import rests
from erp_forecast_addon.site.port import NativeOrder, OrderLine, Site
from erp_forecast_addon.site.settings import CompanySettings

DOCTYPE = "Auto Purchase Order"
# A forecast moves a little every night. A draft stays as it is while the quantity moves by at most this share and the
# day by at most so many days from what the draft says, so small steps add up until they matter.
QTY_DRIFT = 0.05
DAYS_DRIFT = 2
COMMIT_EVERY = 5
_PAIR = ["item_code", "warehouse"]
_EVIDENCE_FIELDS = (
    "on_hand_qty", "position_qty", "safety_stock_qty", "reorder_point_qty", "order_up_to_qty", "lead_time_days",
    "lead_time_source", "protection_demand_qty", "stock_uom",
)  # fmt: skip

DRAFTED = _("{done} of {count} orders")
SUMMARY_OF_ONE = _("One line, needed on {needed_on}. Order by {order_by}: {money_at_risk} {currency} of sales are at "
                   "risk without it: {most_urgent}.")  # fmt: skip
SUMMARY = _("{lines} lines, the first needed on {needed_on}. Order by {order_by}: {money_at_risk} {currency} of sales "
            "are at risk without it. Most urgent: {most_urgent}.")  # fmt: skip
ORDER_FAILED = _("No purchase order could be drafted for {supplier}, which concerns {lines} items: {reason}")
UPDATE_FAILED = _("The draft {purchase_order} for {supplier} could not be brought up to date: {reason}")
APPROVAL_FAILED = _("{purchase_order} for {supplier} is below the limit but could not be approved by itself: {reason}")
MORE_NEEDED = _("{item_code} in {warehouse}: the draft {purchase_order}, edited by a person, orders {draft} "
                "{stock_uom}; {need} are needed by {needed_on}, {difference} more.")  # fmt: skip
LESS_NEEDED = _("{item_code} in {warehouse}: the draft {purchase_order}, edited by a person, orders {draft} "
                "{stock_uom}; only {need} are needed, {difference} less.")  # fmt: skip


@dataclass(frozen=True)
class DraftingResult:
    """Counts of orders; lines: proposed; base_amount: company currency, of all open drafts made or kept by this run;
    supply: table DATED, what the drafts of this run hold, those that approved themselves included.
    """

    created: int = 0
    updated: int = 0
    withdrawn: int = 0
    unchanged: int = 0
    edited: int = 0
    approved: int = 0
    lines: int = 0
    base_amount: float = 0.0
    faults: list[Fault] = field(default_factory=list)
    supply: pd.DataFrame = field(default_factory=DATED.empty)


def draft_orders(
    site: Site,
    run: str,
    plan: Plan,
    settings: CompanySettings,
    left_out: OpenDrafts | None = None,
    progress: Progress = silent,
) -> DraftingResult:
    """Bring the company's open drafts in line with the plan's proposals; commits after every COMMIT_EVERY orders.

    left_out: the drafts whose supply the plan did not see (default: those open now). What was decided in the meantime
    is respected: its items are not proposed again by this run. Failures of single orders are faults. progress: told
    after these commits.
    """
    site.commit()  # see what others have committed since the plan was read
    return _Drafting(site, run, plan, settings, left_out).carry_out(progress)


class _Drafting:
    """One reconciliation of drafts with proposals; counts what it did."""

    def __init__(
        self, site: Site, run: str, plan: Plan, settings: CompanySettings, left_out: OpenDrafts | None
    ) -> None:
        self.site, self.run, self.settings = site, run, settings
        self.company = settings.company
        self.as_of: date = plan.forecasts.as_of
        self.ordered_on = self.as_of + timedelta(days=1)
        self.drafts = read_open_drafts(site, self.company)
        self.decided = _decided_since(left_out, self.drafts)
        orders, lines = group_orders(plan.proposals)
        self.order_keys = orders[ORDER_KEY]
        self.lines = lines.assign(currency=lines["currency"].replace("", settings.plan.currency))
        self.order_keys = self.order_keys.assign(
            currency=self.order_keys["currency"].replace("", settings.plan.currency)
        ).drop_duplicates()
        self.lines = self.lines[~at_rest(self.lines, rests(site, self.company))].reset_index(drop=True)
        self.plan_faults = plan.faults
        self.item_names = _names(site, order_reads.item_names, self.lines["item_code"])
        self.supplier_names = _names(site, order_reads.supplier_names, self.lines["supplier"])
        self.counts = dict.fromkeys(("created", "updated", "withdrawn", "unchanged", "approved"), 0)
        self.faults: list[Fault] = []

    def carry_out(self, progress: Progress) -> DraftingResult:
        self._mark_edited()
        order_edits.keep_found(self.site, self.settings, self.drafts)
        self.faults += self._differences()
        works = list(self._works())
        for done, work in enumerate(works, 1):
            work()
            if done % COMMIT_EVERY == 0:
                self.site.commit()
                progress(done / len(works), DRAFTED, done=done, count=len(works))
        self.site.commit()
        drafts = read_open_drafts(self.site, self.company)
        self._approve_small_orders(self._say_who_approves(drafts))
        self.site.commit()
        standing = order_reads.read_records(self.site, self.company)
        return DraftingResult(
            **self.counts, edited=len(self.drafts.edited), lines=len(self._free_lines()),
            base_amount=float(standing["base_total_amount"].sum()), faults=self.faults, supply=as_supply(drafts),
        )  # fmt: skip

    # ---- what is to be done --------------------------------------------------------------
    def _free_lines(self) -> pd.DataFrame:
        """Proposed lines that no edited draft and no decision since the plan was read speaks for."""
        pairs = pd.MultiIndex.from_frame(self.lines[_PAIR])
        his = self.drafts.pairs(self.drafts.edited["name"])
        return self.lines[~pairs.isin(his) & ~pairs.isin(self.decided)]

    def _works(self) -> Iterator[Callable[[], None]]:
        """Deletions first: a supplier that changed must not be ordered from twice, even for a moment."""
        lines = self._free_lines()
        wanted = dict(iter(lines.groupby(ORDER_KEY, sort=False)))
        keep: dict[tuple[str, ...], dict[str, Any]] = {}
        for record in self.drafts.untouched.to_dict("records"):
            key = (record["supplier"], record["currency"], record["ship_to_warehouse"] or "")
            if key in wanted and key not in keep:
                keep[key] = record
            else:
                yield lambda record=record: self._withdraw(record)
        # Two passes, most money at risk first within each: what shrinks and changes before what is new.
        ranked = [key for key in self.order_keys.itertuples(index=False, name=None) if key in wanted]
        for key in (key for key in ranked if key in keep):
            yield lambda key=key: self._bring_in_line(keep[key], wanted[key])
        for key in (key for key in ranked if key not in keep):
            yield lambda key=key: self._create(*key, wanted[key])

    def _mark_edited(self) -> None:
        """Edited drafts keep their record's evidence; the record says so once and shows the draft's own amounts."""
        for record in self.drafts.records[self.drafts.records["newly_edited"]].to_dict("records"):
            values = {
                "edited_by_person": 1, "total_amount": record["total"], "base_total_amount": record["base_total"],
            }  # fmt: skip
            self.site.set_fields(DOCTYPE, record["name"], values)

    def _differences(self) -> list[Fault]:
        """What the plan would change in drafts that a person edited, one fault per item and warehouse."""
        edited = self.drafts.edited
        if edited.empty:
            return []
        his = self.drafts.native[self.drafts.native["name"].isin(edited["name"])]
        stood = self.drafts.asked[self.drafts.asked["name"].isin(edited["name"])]
        held = pd.concat([his, stood.assign(stock_qty=0.0)]).groupby(_PAIR, as_index=False).agg(
            draft=("stock_qty", "sum"), name=("name", "first")
        )  # fmt: skip
        need = self.lines[[*_PAIR, "stock_qty", "need_on", "money_at_risk", "order_by", "evidence"]]
        both = held.merge(need, on=_PAIR, how="left")
        both["stock_qty"] = both["stock_qty"].fillna(0.0)
        gap = (both["stock_qty"] - both["draft"]).abs()
        differ = both[gap > both[["stock_qty", "draft"]].max(axis=1) * QTY_DRIFT + 1e-6]
        heads = edited.set_index("name")
        return [self._difference(row, heads.loc[row["name"]]) for row in differ.to_dict("records")]

    def _difference(self, row: dict[str, Any], head: pd.Series) -> Fault:
        more = row["stock_qty"] > row["draft"]
        values = {
            "item_code": row["item_code"], "warehouse": row["warehouse"], "purchase_order": head["purchase_order"],
            "draft": _plain(row["draft"]), "need": _plain(row["stock_qty"]),
            "difference": _plain(abs(row["stock_qty"] - row["draft"])),
            "stock_uom": row["evidence"]["stock_uom"] if isinstance(row["evidence"], dict) else "",
            "needed_on": row["need_on"].date() if more else "",
            "auto_purchase_order": row["name"],
        }  # fmt: skip
        return Fault(
            "Edited Draft Differs", MORE_NEEDED if more else LESS_NEEDED, values, item_code=row["item_code"],
            warehouse=row["warehouse"], supplier=head["supplier"],
            money_at_risk=float(row["money_at_risk"]) if more else 0.0,
            due_on=row["order_by"].date() if more else None,
        )  # fmt: skip

    # ---- one order at a time -------------------------------------------------------------
    @contextmanager
    def _each(self, template: str, counted: str, **values: Any) -> Iterator[None]:
        """One order in one savepoint; what fails is a fault with ERPNext's own sentence, and the rest goes on."""
        try:
            with self.site.savepoint():
                yield
        except Exception as error:  # whatever a site's own rules raise must not stop the other orders
            if self.site.must_stop(error):
                raise
            supplier = values["supplier"]
            lines = self.lines[self.lines["supplier"] == supplier]
            self.faults.append(Fault(
                "Order Failed", template, {**values, "lines": len(lines), "reason": str(error) or type(error).__name__},
                supplier=supplier,
                money_at_risk=float(lines["money_at_risk"].sum()),
            ))  # fmt: skip
        else:
            self.counts[counted] += 1

    def _create(self, supplier: str, currency: str, ship_to: str, lines: pd.DataFrame) -> None:
        lines = self._not_decided(lines)
        if lines.empty:
            return
        with self._each(ORDER_FAILED, "created", supplier=supplier):
            record = self.site.insert_document(DOCTYPE, {
                "status": "Proposed", "company": self.company, "supplier": supplier, "currency": currency,
                "company_currency": self.settings.plan.currency, "ship_to_warehouse": ship_to or None,
                **self._header(supplier, lines),
                "items": self._record_lines(lines),
            })  # fmt: skip
            order = self.site.insert_order(
                self.company, supplier, currency, self._leaves_on(lines), _order_lines(lines), record, ship_to
            )
            self.site.set_fields(DOCTYPE, record, {"purchase_order": order.name, **self._taken_from(order)})

    def _bring_in_line(self, record: dict[str, Any], lines: pd.DataFrame) -> None:
        asked = self.drafts.asked[self.drafts.asked["name"] == record["name"]]
        lines = self._not_decided(lines)
        if same_need(asked, lines, QTY_DRIFT, DAYS_DRIFT):
            self.counts["unchanged"] += 1
            return
        updated = self.counts["updated"]
        if len(lines) and self._still_untouched(record):
            supplier, purchase_order = record["supplier"], record["purchase_order"]
            with self._each(UPDATE_FAILED, "updated", supplier=supplier, purchase_order=purchase_order):
                order = self.site.replace_order_lines(purchase_order, self._leaves_on(lines), _order_lines(lines))
                self.site.update_document(DOCTYPE, record["name"], {
                    **self._header(supplier, lines), **self._taken_from(order), "items": self._record_lines(lines),
                })  # fmt: skip
        if self.counts["updated"] == updated:
            self._leave(record)

    def _leaves_on(self, lines: pd.DataFrame) -> date:
        """The supplier's next day to order; the day after as_of where he takes orders on any."""
        first = lines["ordered_on"].min()
        return self.ordered_on if pd.isna(first) else max(first.date(), self.ordered_on)

    def _withdraw(self, record: dict[str, Any]) -> None:
        withdrawn = self.counts["withdrawn"]
        if self._still_untouched(record):
            names = {"supplier": record["supplier"], "purchase_order": record["purchase_order"]}
            with self._each(UPDATE_FAILED, "withdrawn", **names):
                decisions.withdraw(self.site, record["name"])
        if self.counts["withdrawn"] == withdrawn:
            self._leave(record)

    def _still_untouched(self, record: dict[str, Any]) -> bool:
        """Look again, with what others have committed: a person may have saved the draft since the run began.

        Such a draft is left as it is; the next run finds it edited. What is found untouched stays so until the next
        commit.
        """
        self.site.commit()
        if not self._held(record):
            return False
        header = order_reads.read_headers(self.site, self.company, record["purchase_order"])
        lines = order_reads.read_native_lines(self.site, self.company, record["purchase_order"])
        draft = header[header["docstatus"] == 0]
        return len(draft) == 1 and bool(fingerprints(draft, lines).iloc[0] == record["fingerprint"])

    def _held(self, record: dict[str, Any]) -> bool:
        """Whether the draft and its record are ours alone from now on, and nobody has decided on it."""
        held = self.site.hold("Purchase Order", record["purchase_order"]) and self.site.hold(DOCTYPE, record["name"])
        if not held:
            return False
        return bool(
            self.site.fetch(order_reads.status_of_record(self.site.qb, record["name"])).iloc[0, 0] == "Proposed"
        )

    def _leave(self, record: dict[str, Any]) -> None:
        """The draft stands as it is, so nothing else is ordered for what it holds."""
        self.decided = self.decided.union(self.drafts.pairs(pd.Series([record["name"]])))

    def _not_decided(self, lines: pd.DataFrame) -> pd.DataFrame:
        """The lines that no draft speaks for which this run had to leave as it was."""
        return lines[~pd.MultiIndex.from_frame(lines[_PAIR]).isin(self.decided)]

    def _say_who_approves(self, drafts: OpenDrafts) -> list[dict[str, Any]]:
        """Level and deadline of every open draft, edited ones too; -> the records that may approve themselves."""
        if drafts.records.empty:
            return []
        doubtful = {name for fault in (*self.plan_faults, *self.faults) for name in (fault.item_code, fault.supplier)}
        orders = approval_levels.waiting_orders(drafts.records, drafts.asked, doubtful)
        found = approval_levels.verdicts(self.site, self.settings, orders, drafts.native)
        costs = approval_levels.costs_of_waiting(self.site, self.settings, drafts.native, self.lines, self.as_of)
        changed = approval_levels.changed_fields(self.site, self.settings, drafts.records, found, costs)
        for record, fields in changed:
            self.site.set_fields(DOCTYPE, record, fields)
        small = [name for name, verdict in found.items() if verdict.level == "Automatic"]
        return drafts.records[drafts.records["name"].isin(small)].to_dict("records")

    def _approve_small_orders(self, small: list[dict[str, Any]]) -> None:
        """Not where the site's own workflow decides, nor past the conditions of ours."""
        if not small or self.site.own_order_workflow():
            return
        for record in small:
            if self.site.may_move_to(DOCTYPE, record["name"], "Approved"):
                names = {"supplier": record["supplier"], "purchase_order": record["purchase_order"]}
                with self._each(APPROVAL_FAILED, "approved", **names):
                    decisions.approve(self.site, record["name"], automatic=True)

    # ---- fields --------------------------------------------------------------------------
    def _header(self, supplier: str, lines: pd.DataFrame) -> dict[str, Any]:
        needed_on, order_by = lines["schedule_date"].min().date(), lines["order_by"].min().date()
        at_risk = round(float(lines["money_at_risk"].sum()), 2)
        supplier_name = self.supplier_names.get(supplier) or supplier
        summary = self.site.translate(SUMMARY if len(lines) > 1 else SUMMARY_OF_ONE).format(
            lines=len(lines), needed_on=lines["need_on"].min().date(), order_by=order_by, money_at_risk=at_risk,
            currency=self.settings.plan.currency, most_urgent=lines["item_code"].iloc[0],
        )  # fmt: skip
        return {
            "title": f"{supplier_name} · {self.site.show_day(needed_on)}", "supplier_name": supplier_name,
            "forecast_run": self.run, "as_of": self.as_of,
            "ordered_on": self._leaves_on(lines), "order_by": order_by, "required_by": needed_on,
            "money_at_risk": at_risk, "summary": summary,
            "total_amount": float(lines["amount"].sum()), "base_total_amount": float(lines["base_amount"].sum()),
        }  # fmt: skip

    def _record_lines(self, lines: pd.DataFrame) -> list[dict[str, Any]]:
        return [self._record_line(row) for row in lines.to_dict("records")]  # documents: one dict per line

    def _record_line(self, row: dict[str, Any]) -> dict[str, Any]:
        evidence: dict[str, Any] = row["evidence"]
        return {
            "item_code": row["item_code"], "warehouse": row["warehouse"], "uom": row["uom"],
            "item_name": self.item_names.get(row["item_code"], row["item_code"]),
            **{name: row[name] for name in (
                "qty", "conversion_factor", "stock_qty", "rate", "amount", "base_amount", "money_at_risk",
            )},
            "schedule_date": row["schedule_date"].date(), "need_on": row["need_on"].date(),
            "order_by": row["order_by"].date(), "days_late": int(row["days_late"]),
            "order_on": row["order_on"].date(), "days_lost": int(row["days_lost"]),
            **{name: evidence[name] for name in _EVIDENCE_FIELDS},
            "alternative_supplier": row["alternative_supplier"] or None,
            **{name: _number(row[name]) for name in (
                "alternative_saving", "alternative_days", "margin_per_money",
            )},
            "pulled_forward_days": int(row["pulled_forward_days"]), "budget_rank": int(row["budget_rank"]),
            "reason": self._reason(row),
            "evidence": json.dumps(evidence, ensure_ascii=False, sort_keys=True),
        }  # fmt: skip

    def _reason(self, row: dict[str, Any]) -> str:
        """The rule that set the quantity, and what else a buyer should know of the line, a sentence each."""
        told = [(row["reason_template"], row["reason_values"]), *row["notes"]]
        return " ".join(self.site.translate(template).format(**values) for template, values in told)

    def _taken_from(self, order: NativeOrder) -> dict[str, Any]:
        """Amounts and fingerprint as the native draft has them."""
        header = order_reads.read_headers(self.site, self.company, order.name)
        lines = order_reads.read_native_lines(self.site, self.company, order.name)
        return {
            "total_amount": order.total, "base_total_amount": order.base_total,
            "fingerprint": fingerprints(header, lines).iloc[0],
        }  # fmt: skip


def _order_lines(lines: pd.DataFrame) -> list[OrderLine]:
    return [
        OrderLine(
            item_code=row["item_code"], warehouse=row["warehouse"], qty=row["qty"], uom=row["uom"],
            conversion_factor=row["conversion_factor"], rate=row["rate"], schedule_date=row["schedule_date"].date(),
        )
        for row in lines.to_dict("records")
    ]  # fmt: skip


def _decided_since(left_out: OpenDrafts | None, now: OpenDrafts) -> pd.MultiIndex:
    """Pairs of drafts that were open when the plan was read and are decided now."""
    if left_out is None:
        return pd.MultiIndex.from_arrays([[], []], names=_PAIR)
    names = left_out.records["name"]
    return left_out.pairs(names[~names.isin(now.records["name"])])


def _names(site: Site, query: Callable[[Any, list[str]], Any], codes: pd.Series) -> dict[str, str]:
    """What people call each of the codes; query: one of order_reads, that selects code and name."""
    wanted = sorted(set(codes))
    if not wanted:
        return {}
    found = site.fetch(query(site.qb, wanted))
    return dict(zip(found.iloc[:, 0], found.iloc[:, 1], strict=True))


def _number(value: float) -> float:
    return 0.0 if pd.isna(value) else round(float(value), 6)


def _plain(qty: float) -> int | float:
    return int(qty) if float(qty).is_integer() else round(float(qty), 3)
