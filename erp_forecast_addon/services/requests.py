"""Needs that are not bought as Auto Material Requests with their native drafts, one per type and pair of warehouses.

The same promises as for purchase orders (services.drafting): the need is planned as if our untouched drafts did not
stand and then held against them. A draft that says it already is not written at all; one that nobody edited is brought
in line or withdrawn; one that a person edited is his, counts as it stands, and no other request or order is made for
its items. A draft that a person deleted is a refusal. Record and native draft are made in one savepoint, a few in one
transaction, so that a killed run leaves whole requests or none.

Who may submit a Material Request decides on it: ERPNext's own rights and workflow. Our record follows.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import pandas as pd

from erp_forecast_addon.planning.errors import Fault
from erp_forecast_addon.planning.messages import _
from erp_forecast_addon.planning.plan import Plan
from erp_forecast_addon.planning.tables import DATED, MANUFACTURE, TRANSFER
from erp_forecast_addon.services.open_requests import (
    OpenRequests,
    as_flows,
    fingerprints,
    read_open_requests,
)
from erp_forecast_addon.site import order_reads, reads, request_reads
from erp_forecast_addon.site.port import Site
from erp_forecast_addon.site.settings import CompanySettings

DOCTYPE, NATIVE = "Auto Material Request", "Material Request"
QTY_DRIFT = 0.05
DAYS_DRIFT = 2
COMMIT_EVERY = 5
_PAIR = ["item_code", "warehouse"]
_KEY = ["request_type", "from_warehouse", "warehouse"]
_EVIDENCE_FIELDS = ("on_hand_qty", "position_qty", "order_up_to_qty")

TRANSFER_TITLE = _("{from_warehouse} → {warehouse} · {needed_on}")
MADE_TITLE = _("Make in {warehouse} · {needed_on}")
SUMMARY_OF_ONE = _("One line, needed on {needed_on}. Start by {order_by}: {money_at_risk} {currency} of sales are at "
                   "risk without it: {most_urgent}.")  # fmt: skip
SUMMARY = _("{lines} lines, the first needed on {needed_on}. Start by {order_by}: {money_at_risk} {currency} of sales "
            "are at risk without it. Most urgent: {most_urgent}.")  # fmt: skip
REQUEST_FAILED = _(
    "No request to {request_type} could be drafted for {warehouse}, which concerns {lines} items: {reason}"
)
UPDATE_FAILED = _("The draft request {material_request} for {warehouse} could not be brought up to date: {reason}")
MORE_NEEDED = _(
    "{item_code} in {warehouse}: the draft request {material_request}, edited by a person, asks for {draft} "
    "{stock_uom}; {need} more are needed by {needed_on}."
)
DELETED_BY_HAND = _("The draft was deleted by {user}.")
FOUND_DELETED = _("The draft was deleted by hand.")


@dataclass(frozen=True)
class RequestsResult:
    """Counts of requests; lines: proposed; flows: table DATED, what our untouched drafts hold; decided: pairs that a
    person's request speaks for, so that nothing else is ordered for them."""

    created: int = 0
    updated: int = 0
    withdrawn: int = 0
    unchanged: int = 0
    edited: int = 0
    lines: int = 0
    faults: list[Fault] = field(default_factory=list)
    flows: pd.DataFrame = field(default_factory=DATED.empty)
    decided: pd.MultiIndex = field(default_factory=lambda: pd.MultiIndex.from_arrays([[], []], names=_PAIR))


def draft_requests(
    site: Site, run: str, plan: Plan, settings: CompanySettings, left_out: OpenRequests | None = None
) -> RequestsResult:
    """Bring the company's open requests in line with the plan; commits after every COMMIT_EVERY of them.

    left_out: the drafts that the plan did not see (default: those open now). Failures of single requests are faults.
    """
    site.commit()  # see what others have committed since the plan was read
    return _Requesting(site, run, plan, settings, left_out).carry_out()


class _Requesting:
    """One reconciliation of requests with what the plan asks for; counts what it did."""

    def __init__(
        self, site: Site, run: str, plan: Plan, settings: CompanySettings, left_out: OpenRequests | None
    ) -> None:
        self.site, self.run, self.settings = site, run, settings
        self.company = settings.company
        self.as_of: date = plan.forecasts.as_of
        self.drafts = read_open_requests(site, self.company)
        self.decided = self._decided(left_out)
        self.proposals = plan.proposals
        lines = plan.requests
        if not settings.draft_requests:
            lines = lines.iloc[:0]
        self.lines = lines[~pd.MultiIndex.from_frame(lines[_PAIR]).isin(self.decided)]
        self.wanted_all = lines
        self.counts = dict.fromkeys(("created", "updated", "withdrawn", "unchanged"), 0)
        self.faults: list[Fault] = []
        codes = sorted(set(self.lines["item_code"]))
        found = site.fetch(order_reads.item_names(site.qb, codes)) if codes else None
        self.item_names = {} if found is None else dict(zip(found.iloc[:, 0], found.iloc[:, 1], strict=True))
        makes = (self.lines["request_type"] == MANUFACTURE).any()
        self.boms = reads.default_bom_names(site, self.company) if makes else {}

    def carry_out(self) -> RequestsResult:
        for record in self.drafts.records[self.drafts.records["newly_edited"]].to_dict("records"):
            self.site.set_fields(DOCTYPE, record["name"], {"edited_by_person": 1})
        self.faults += self._differences()
        for done, work in enumerate(self._works(), 1):
            work()
            if done % COMMIT_EVERY == 0:
                self.site.commit()
        self.site.commit()
        return RequestsResult(
            **self.counts, edited=len(self.drafts.edited), lines=len(self.lines), faults=self.faults,
            flows=as_flows(read_open_requests(self.site, self.company)), decided=self.decided,
        )  # fmt: skip

    # ---- what is to be done --------------------------------------------------------------
    def _decided(self, left_out: OpenRequests | None) -> pd.MultiIndex:
        """Pairs of drafts that a person edited, or decided on since the plan was read."""
        his = self.drafts.pairs(self.drafts.edited["name"])
        if left_out is None:
            return his
        names = left_out.records["name"]
        return his.union(left_out.pairs(names[~names.isin(self.drafts.records["name"])]))

    def _works(self) -> Iterator[Callable[[], None]]:
        """Withdrawals first, so that nothing is promised twice even for a moment."""
        wanted = dict(iter(self.lines.groupby(_KEY, sort=False)))
        keep: dict[tuple[str, ...], dict[str, Any]] = {}
        for record in self.drafts.untouched.to_dict("records"):
            key = tuple(record[name] for name in _KEY)
            if key in wanted and key not in keep:
                keep[key] = record
            else:
                yield lambda record=record: self._withdraw(record)
        urgent = self.lines.groupby(_KEY, sort=False)["money_at_risk"].sum().sort_values(ascending=False, kind="stable")
        ranked = list(urgent.index)
        for key in (key for key in ranked if key in keep):
            yield lambda key=key: self._bring_in_line(keep[key], wanted[key])
        for key in (key for key in ranked if key not in keep):
            yield lambda key=key: self._create(key, wanted[key])

    def _differences(self) -> list[Fault]:
        """What the plan still wants of pairs whose request a person edited, bought or asked for."""
        edited = self.drafts.edited
        if edited.empty:
            return []
        his = self.drafts.pairs(edited["name"])
        more = pd.concat([
            self.wanted_all[[*_PAIR, "qty", "need_on", "order_by", "money_at_risk", "stock_uom"]],
            self.proposals[[*_PAIR, "stock_qty", "need_on", "order_by", "money_at_risk", "evidence"]]
            .rename(columns={"stock_qty": "qty"})
            .assign(stock_uom=lambda rows: [each["stock_uom"] for each in rows["evidence"]])
            .drop(columns="evidence"),
        ])  # fmt: skip
        more = more[pd.MultiIndex.from_frame(more[_PAIR]).isin(his)]
        native = self.drafts.native[self.drafts.native["name"].isin(edited["name"])]
        held = native.groupby(_PAIR).agg(draft=("stock_qty", "sum"), name=("name", "first"))
        stood = self.drafts.asked.groupby(_PAIR)["name"].first()
        heads = edited.set_index("name")
        return [self._difference(row, held, stood, heads) for row in more.to_dict("records")]

    def _difference(self, row: dict[str, Any], held: pd.DataFrame, stood: pd.Series, heads: pd.DataFrame) -> Fault:
        pair = (row["item_code"], row["warehouse"])
        draft, name = (held.loc[pair, "draft"], held.loc[pair, "name"]) if pair in held.index else (0.0, stood[pair])
        values = {
            "item_code": pair[0], "warehouse": pair[1], "material_request": heads.loc[name, "material_request"],
            "draft": _plain(draft), "need": _plain(row["qty"]), "stock_uom": row["stock_uom"],
            "needed_on": row["need_on"].date(),
        }  # fmt: skip
        return Fault(
            "Edited Draft Differs", MORE_NEEDED, values, item_code=pair[0], warehouse=pair[1],
            money_at_risk=float(row["money_at_risk"]), due_on=row["order_by"].date(),
        )  # fmt: skip

    # ---- one request at a time -----------------------------------------------------------
    @contextmanager
    def _each(self, template: str, counted: str, warehouse: str, **values: Any) -> Iterator[None]:
        """One request in one savepoint; what fails is a fault with ERPNext's own sentence, and the rest goes on."""
        try:
            with self.site.savepoint():
                yield
        except Exception as error:  # whatever a site's own rules raise must not stop the other requests
            if self.site.must_stop(error):
                raise
            lines = self.lines[self.lines["warehouse"] == warehouse]
            said = {"warehouse": warehouse, "lines": len(lines), "reason": str(error) or type(error).__name__}
            self.faults.append(Fault(
                "Order Failed", template, {**values, **said}, warehouse=warehouse,
                money_at_risk=float(lines["money_at_risk"].sum()),
            ))  # fmt: skip
        else:
            self.counts[counted] += 1

    def _create(self, key: tuple[str, ...], lines: pd.DataFrame) -> None:
        request_type, from_warehouse, warehouse = key
        lines = lines[~pd.MultiIndex.from_frame(lines[_PAIR]).isin(self.decided)]
        if lines.empty:
            return
        named = self.site.translate(request_type)
        with self._each(REQUEST_FAILED, "created", warehouse, request_type=named):
            record = self.site.insert_document(DOCTYPE, {
                "status": "Proposed", "company": self.company, "request_type": request_type,
                "from_warehouse": from_warehouse or None, "warehouse": warehouse,
                "company_currency": self.settings.plan.currency or None,
                **self._header(key, lines), "items": self._record_lines(lines),
            })  # fmt: skip
            native = self.site.insert_document(NATIVE, {
                "company": self.company, "material_request_type": request_type, "auto_material_request": record,
                "set_warehouse": warehouse, "set_from_warehouse": from_warehouse or None,
                **self._native_values(lines),
            })  # fmt: skip
            self.site.set_fields(
                DOCTYPE, record, {"material_request": native, "fingerprint": self._fingerprint(native)}
            )

    def _bring_in_line(self, record: dict[str, Any], lines: pd.DataFrame) -> None:
        asked = self.drafts.asked[self.drafts.asked["name"] == record["name"]]
        if _same_need(asked, lines):
            self.counts["unchanged"] += 1
            return
        updated = self.counts["updated"]
        if self._still_untouched(record):
            native = record["material_request"]
            key = tuple(record[name] for name in _KEY)
            with self._each(UPDATE_FAILED, "updated", record["warehouse"], material_request=native):
                self.site.update_document(NATIVE, native, self._native_values(lines))
                self.site.update_document(DOCTYPE, record["name"], {
                    **self._header(key, lines), "items": self._record_lines(lines),
                    "fingerprint": self._fingerprint(native),
                })  # fmt: skip
        if self.counts["updated"] == updated:
            self._leave(record)

    def _withdraw(self, record: dict[str, Any]) -> None:
        withdrawn = self.counts["withdrawn"]
        if self._still_untouched(record):
            native = record["material_request"]
            with self._each(UPDATE_FAILED, "withdrawn", record["warehouse"], material_request=native):
                self.site.update_document(DOCTYPE, record["name"], {"status": "Withdrawn", "material_request": None})
                self.site.delete_document(NATIVE, native)
        if self.counts["withdrawn"] == withdrawn:
            self._leave(record)

    def _leave(self, record: dict[str, Any]) -> None:
        """The draft stands as it is, so nothing else is asked for or ordered for what it holds."""
        self.decided = self.decided.union(self.drafts.pairs(pd.Series([record["name"]])))

    def _still_untouched(self, record: dict[str, Any]) -> bool:
        """Look again, with what others have committed: a person may have saved the draft since the run began. What is
        found untouched stays so until the next commit."""
        self.site.commit()
        if not (self.site.hold(NATIVE, record["material_request"]) and self.site.hold(DOCTYPE, record["name"])):
            return False
        return self._fingerprint(record["material_request"]) == record["fingerprint"]

    def _fingerprint(self, native: str) -> str:
        """Of the draft as ERPNext has it; "" where it is none any more."""
        header = request_reads.read_headers(self.site, self.company, native)
        draft = header[header["docstatus"] == 0]
        lines = request_reads.read_native_lines(self.site, self.company, native)
        return str(fingerprints(draft, lines).iloc[0]) if len(draft) else ""

    # ---- fields --------------------------------------------------------------------------
    def _header(self, key: tuple[str, ...], lines: pd.DataFrame) -> dict[str, Any]:
        needed_on, order_by = lines["need_on"].min().date(), lines["order_by"].min().date()
        at_risk = round(float(lines["money_at_risk"].sum()), 2)
        most = lines.sort_values("money_at_risk", ascending=False, kind="stable")["item_code"].iloc[0]
        title = TRANSFER_TITLE if key[0] == TRANSFER else MADE_TITLE
        names = {"from_warehouse": key[1], "warehouse": key[2], "needed_on": needed_on}
        summary = self.site.translate(SUMMARY if len(lines) > 1 else SUMMARY_OF_ONE).format(
            lines=len(lines), needed_on=needed_on, order_by=order_by, money_at_risk=at_risk,
            currency=self.settings.plan.currency, most_urgent=most,
        )  # fmt: skip
        return {
            "title": self.site.translate(title).format(**names)[:140], "forecast_run": self.run, "as_of": self.as_of,
            "order_by": order_by, "required_by": lines["schedule_date"].min().date(), "money_at_risk": at_risk,
            "summary": summary,
        }  # fmt: skip

    def _record_lines(self, lines: pd.DataFrame) -> list[dict[str, Any]]:
        return [self._record_line(row) for row in lines.to_dict("records")]  # documents: one dict per line

    def _record_line(self, row: dict[str, Any]) -> dict[str, Any]:
        evidence: dict[str, Any] = row["evidence"]
        told = [self.site.translate(each) for each in row["reason_template"].split("\n")]
        spare = evidence["spare_qty"]
        return {
            "item_code": row["item_code"], "warehouse": row["warehouse"],
            "from_warehouse": row["from_warehouse"] or None,
            "item_name": self.item_names.get(row["item_code"], row["item_code"]),
            "qty": row["qty"], "stock_uom": row["stock_uom"], "money_at_risk": row["money_at_risk"],
            **{name: row[name].date() for name in ("schedule_date", "need_on", "order_by", "order_on")},
            "days_late": int(row["days_late"]), "days_lost": int(row["days_lost"]),
            **{name: evidence[name] for name in _EVIDENCE_FIELDS},
            "available_qty": 0.0 if spare is None else spare - evidence["given_before_qty"],
            "reason": " ".join(sentence.format(**row["reason_values"]) for sentence in told),
            "components": _component_lines(evidence["components"]),
            "evidence": json.dumps(evidence, ensure_ascii=False, sort_keys=True),
        }  # fmt: skip

    def _native_values(self, lines: pd.DataFrame) -> dict[str, Any]:
        return {
            "transaction_date": self.as_of + timedelta(days=1),
            "schedule_date": lines["schedule_date"].min().date(),
            "items": [self._native_line(row) for row in lines.to_dict("records")],
        }

    def _native_line(self, row: dict[str, Any]) -> dict[str, Any]:
        made = row["request_type"] == MANUFACTURE
        return {
            "item_code": row["item_code"], "item_name": self.item_names.get(row["item_code"], row["item_code"]),
            "qty": row["qty"], "stock_qty": row["qty"], "uom": row["stock_uom"], "stock_uom": row["stock_uom"],
            "conversion_factor": 1.0, "warehouse": row["warehouse"], "from_warehouse": row["from_warehouse"] or None,
            "schedule_date": row["schedule_date"].date(),
            **({"bom_no": self.boms.get(row["item_code"])} if made else {}),
        }  # fmt: skip


def _same_need(asked: pd.DataFrame, fresh: pd.DataFrame) -> bool:
    """Whether the fresh need is what was asked for, but for small drift: the same items, quantities within QTY_DRIFT,
    dates within DAYS_DRIFT."""
    before = asked.groupby(_PAIR, as_index=False).agg(qty=("qty", "sum"), schedule_date=("schedule_date", "min"))
    both = before.merge(fresh[[*_PAIR, "qty", "schedule_date"]], on=_PAIR, suffixes=("", "_fresh"))
    if not len(both) == len(before) == len(fresh):
        return False
    moved = (both["schedule_date_fresh"] - both["schedule_date"]).dt.days.abs()
    drift = (both["qty_fresh"] - both["qty"]).abs()
    return bool(((drift <= both["qty"] * QTY_DRIFT + 1e-6) & (moved <= DAYS_DRIFT)).all())


def _component_lines(components: Mapping[str, Mapping[str, float]]) -> str:
    """A line of text per warehouse: "Stores: 20 Wheel, 10 Frame"."""
    return "\n".join(
        f"{house}: " + ", ".join(f"{_plain(qty)} {code}" for code, qty in sorted(parts.items()))
        for house, parts in sorted(components.items())
    )


def _plain(qty: float) -> int | float:
    return int(qty) if float(qty).is_integer() else round(float(qty), 3)


# ---- what people do with the native request ---------------------------------------------------
def follow_request(site: Site, material_request: str, event: str) -> str | None:
    """Move our record to where its Material Request went; returns its name, None if the request is not ours.

    event: submit, cancel, delete, amend (material_request: the new document). What comes twice changes nothing.
    """
    if event == "amend":
        document = site.get_document(NATIVE, material_request) or {}
        name = document.get("auto_material_request")
    else:
        found = site.fetch(request_reads.record_of_request(site.qb, material_request))
        name = str(found["name"].iloc[0]) if len(found) else None
    record = site.get_document(DOCTYPE, name) if name else None
    if record is None:
        return None
    values = _followed(site, record, material_request, event)
    if values:
        site.update_document(DOCTYPE, record["name"], values)
    return str(record["name"])


def _followed(site: Site, record: Mapping[str, Any], material_request: str, event: str) -> dict[str, Any]:
    status = record["status"]
    if event == "amend":
        moved = record["material_request"] != material_request
        return {"status": "Proposed", "material_request": material_request, "edited_by_person": 1} if moved else {}
    if event == "submit" and status == "Proposed":
        return {"status": "Approved", **_by(site)}
    if event == "cancel" and status in ("Proposed", "Approved"):
        return {"status": "Cancelled", **_by(site)}
    if event == "delete":
        refused = _refusal(site, record, site.translate(DELETED_BY_HAND).format(user=site.user))
        return {"material_request": None, **(refused if status == "Proposed" else {})}
    return {}


def catch_up(site: Site, company: str) -> list[str]:
    """Follow what happened to native requests without an event (imports, SQL, a killed request); names moved."""
    records = request_reads.read_records(site, company)
    headers = request_reads.read_headers(site, company).set_index("material_request")
    docstatus = records["material_request"].map(headers["docstatus"])
    moved = records[docstatus.isna() | (docstatus > 0)]
    for name, state in zip(moved["name"], docstatus[moved.index], strict=True):  # touched outside, few
        record = site.get_document(DOCTYPE, name) or {}
        if state != state:  # NaN: no such request
            values = {"material_request": None, **_refusal(site, record, site.translate(FOUND_DELETED))}
        else:
            values = {"status": "Approved" if state == 1 else "Cancelled"}
        site.update_document(DOCTYPE, name, values)
    return moved["name"].tolist()


def _refusal(site: Site, record: Mapping[str, Any], reason: str) -> dict[str, Any]:
    days = reads.company_settings(site, record["company"]).rejected_for_days
    until = site.now().date() + timedelta(days=days)
    return {"status": "Rejected", "rejection_reason": reason, "rejected_until": until, **_by(site)}


def _by(site: Site) -> dict[str, Any]:
    return {"decided_by": site.user, "decided_at": site.now()}
