"""Decisions on Auto Purchase Orders, and what follows from what people do to the native order by hand.

Callers have checked the permission. Every change of state goes through TRANSITIONS; nothing else sets `status`.
"""

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any

from erp_forecast_addon.planning.errors import Refused
from erp_forecast_addon.planning.messages import _
from erp_forecast_addon.planning.purchasing.rests import NOT_NEEDED, REASON_CLASSES
from erp_forecast_addon.services import approvals
from erp_forecast_addon.services.approval_times import record_approval
from erp_forecast_addon.site import order_reads, reads
from erp_forecast_addon.site.port import NativeOrder, Site

DOCTYPE = "Auto Purchase Order"

# action -> state before -> state after. An action that is not listed for a state is refused; one that leads to the
# state itself is a thing that happened already (an event that comes twice, or that our own service caused).
TRANSITIONS: Mapping[str, Mapping[str, str]] = {
    "approve": {"Proposed": "Approved"},
    "reject": {"Proposed": "Rejected"},
    "withdraw": {"Proposed": "Withdrawn"},
    "submit": {"Proposed": "Approved", "Approved": "Approved"},
    "cancel": {"Proposed": "Cancelled", "Approved": "Cancelled", "Closed": "Cancelled", "Cancelled": "Cancelled"},
    "close": {"Approved": "Closed", "Closed": "Closed"},
    "reopen": {"Closed": "Approved", "Approved": "Approved"},
    "delete": {
        "Proposed": "Rejected", "Approved": "Rejected", "Rejected": "Rejected", "Withdrawn": "Withdrawn",
        "Cancelled": "Cancelled", "Closed": "Closed",
    },
    "amend": {"Cancelled": "Proposed", "Proposed": "Proposed"},
}  # fmt: skip
NATIVE_EVENTS = ("submit", "cancel", "close", "reopen", "delete", "amend")
# What may come with other lines than the record has seen.
_CHANGES_AMOUNTS = ("submit", "amend", "reopen")

_REFUSALS = {
    "approve": _("{order} cannot be approved: it is {status}. Only a proposed order can be approved."),
    "reject": _("{order} cannot be rejected: it is {status}. Only a proposed order can be rejected."),
    "withdraw": _("{order} cannot be withdrawn: it is {status}. Only a proposed order can be withdrawn."),
}
_OUT_OF_STEP = _("{order} is {status} and cannot follow “{action}” of its Purchase Order.")
CHANGED = _("{order} was changed by somebody else a moment ago. Look at it again before you decide.")
NO_RECORD = _("There is no Auto Purchase Order {order}.")
NO_ORDER = _("{order} has no draft Purchase Order any more; it cannot be approved. Reject it, or run the plan again.")
NOT_A_DRAFT = _("{purchase_order} is no longer a draft, so {order} cannot be rejected. Cancel the Purchase Order.")
REASON_MISSING = _(
    "Say why {order} is rejected: the reason stands in the record and keeps it from being proposed again."
)
UNKNOWN_REASON = _("There is no reason {reason_class}; there are {known}.")
UNTIL_IN_PAST = _("{order} cannot be rejected until {until}: that day is over.")
DELETED_BY_HAND = _("The draft was deleted by {user}.")
FOUND_DELETED = _("The draft was deleted by hand.")


def next_status(action: str, record: Mapping[str, Any], translate: Callable[[str], str] = str) -> str:
    """The state after `action`. Raises Refused with a sentence where the table does not list it."""
    before = str(record["status"])
    after = TRANSITIONS[action].get(before)
    if after is None:
        template = _REFUSALS.get(action, _OUT_OF_STEP)
        raise Refused(translate(template).format(order=record["name"], status=translate(before), action=action))
    return after


def approve(site: Site, name: str, *, automatic: bool = False) -> str:
    """Approve a proposed order: submit its Purchase Order, or only release it, as the company's settings say.

    An order that needs two approvers stays Proposed after the first; returns the state. automatic: by no person, for
    orders whose level says so. The amounts are those of the Purchase Order at this moment. Either all of it happens or
    nothing (one savepoint). Raises Refused (wrong state, no draft, over his limit, what may not be ordered any more) or
    what ERPNext raises when it refuses the submission.
    """
    with site.savepoint():
        record = _held(site, name)
        values = decision_values(site, record, "approve", automatic=automatic)
        site.update_document(DOCTYPE, name, values)
        submit_if_asked(site, {**record, **values})
    return str(values.get("status", record["status"]))


def reject(site: Site, name: str, reason: str, until: date | None = None, reason_class: str | None = None) -> None:
    """Reject a proposed order: its draft is deleted, the record stays with the reason.

    until: the last day on which the same need is not proposed again; default today + rejected_for_days. reason_class:
    one of purchasing.rests.REASON_CLASSES, which says what may be proposed otherwise until then.
    Raises Refused: wrong state, no reason, a day that is over, a Purchase Order that is no longer a draft.
    """
    with site.savepoint():
        record = _held(site, name)
        order = _native(site, record)
        values = rejection_values(site, record, reason, until, reason_class)
        if order is not None and order.docstatus != 0:
            raise Refused(site.translate(NOT_A_DRAFT).format(purchase_order=order.name, order=name))
        site.update_document(DOCTYPE, name, values)
        if order is not None:
            site.delete_order(order.name)


def reject_native(site: Site, name: str, reason: str) -> None:
    """The site's own workflow rejected the order: ours is rejected with it, the native draft is left to the site."""
    record = _record(site, name)
    site.update_document(DOCTYPE, name, rejection_values(site, record, reason))


def decision_values(site: Site, record: Mapping[str, Any], action: str, *, automatic: bool = False) -> dict[str, Any]:
    """Fields of a record that is approved now: state, who, when, and the amounts of its Purchase Order; those of a
    first approval, without a state, where a second one is needed.

    For callers that save the record themselves; nothing is written here.
    """
    status = next_status(action, record, site.translate)
    _hold_order(site, record)
    order = _native(site, record)
    if order is None or order.docstatus == 2:
        raise Refused(site.translate(NO_ORDER).format(order=record["name"]))
    return approvals.approval_values(site, record, order, status, automatic=automatic)


def submit_if_asked(site: Site, record: Mapping[str, Any]) -> None:
    """Submit the Purchase Order of an approved record where the company's settings say so; else it is released."""
    if record["status"] != "Approved":
        return
    order = _native(site, record)
    if order is not None and order.docstatus == 0 and _settings(site, record).submit_on_approval:
        site.submit_order(order.name)
        drafted_at = (site.get_document("Purchase Order", order.name) or {}).get("creation")
        if drafted_at is not None:
            record_approval(site, order.name, order.company, drafted_at, site.now())


def rejection_values(
    site: Site,
    record: Mapping[str, Any],
    reason: str | None,
    until: date | None = None,
    reason_class: str | None = None,
) -> dict[str, Any]:
    """Fields of a record that is rejected now. Nothing is written here; the caller deletes the draft."""
    status = next_status("reject", record, site.translate)
    _hold_order(site, record)
    if reason_class and reason_class not in REASON_CLASSES:
        known = ", ".join(site.translate(each) for each in REASON_CLASSES)
        raise Refused(site.translate(UNKNOWN_REASON).format(reason_class=reason_class, known=known))
    if not (reason or "").strip():
        raise Refused(site.translate(REASON_MISSING).format(order=record["name"]))
    if until is not None and until < site.now().date():
        raise Refused(site.translate(UNTIL_IN_PAST).format(order=record["name"], until=until))
    return {
        "status": status, "purchase_order": None, "rejection_reason": str(reason).strip(),
        "rejected_until": until or _rejected_until(site, record), "rejection_class": reason_class or NOT_NEEDED,
        **approvals.decided(site, record),
    }  # fmt: skip


def withdraw(site: Site, name: str) -> None:
    """The need is gone: delete the draft, keep the record as Withdrawn."""
    record = _record(site, name)
    order = _native(site, record)
    site.update_document(
        DOCTYPE, name, {"status": next_status("withdraw", record, site.translate), "purchase_order": None}
    )
    if order is not None and order.docstatus == 0:
        site.delete_order(order.name)


def follow_order(site: Site, purchase_order: str, event: str) -> str | None:
    """Move our record to where its Purchase Order went by hand; returns its name, None if the order is not ours.

    event: submit, cancel, close, reopen, delete (before or after the row is gone), amend (purchase_order: the new
    document). An event that comes twice, or that our own service caused, changes nothing.
    """
    name = _record_of(site, purchase_order)
    if name is None:
        return None
    record = _record(site, name)
    if event != "amend" and record["purchase_order"] != purchase_order:
        return name  # an order that was amended, withdrawn or rejected long ago: the record has moved on
    after = next_status(event, record, site.translate)
    moved = after != record["status"] or (event == "amend" and record["purchase_order"] != purchase_order)
    if moved or event == "delete":
        site.update_document(DOCTYPE, name, _followed(site, record, purchase_order, event, after))
    return name


def _followed(site: Site, record: Mapping[str, Any], purchase_order: str, event: str, after: str) -> dict[str, Any]:
    values: dict[str, Any] = {"status": after}
    if event == "delete":
        values["purchase_order"] = None
        if after == "Rejected" and record["status"] != "Rejected":
            values |= _deleted(site, record, site.translate(DELETED_BY_HAND).format(user=site.user))
    elif event == "amend":
        values |= {"purchase_order": purchase_order, "edited_by_person": 1, **approvals.UNDECIDED}
    elif event == "submit":
        values |= _decided(site)
    order = site.get_order(purchase_order) if event in _CHANGES_AMOUNTS else None
    return values | (_amounts(order) if order is not None else {})


def catch_up(site: Site, company: str) -> list[str]:
    """Follow what happened to native orders without an event (imports, SQL, a killed request); names moved.

    A draft that is gone counts as rejected, one that is submitted as approved, one that is cancelled as cancelled.
    """
    records = order_reads.read_records(site, company)
    headers = order_reads.read_headers(site, company).set_index("purchase_order")
    docstatus = records["purchase_order"].map(headers["docstatus"])
    moved = records[docstatus.isna() | (docstatus > 0)]
    for name, state in zip(moved["name"], docstatus[moved.index], strict=True):  # orders touched outside, few
        record = _record(site, name)
        if state != state:  # NaN: no such order
            values = {"status": next_status("delete", record), "purchase_order": None}
            values |= _deleted(site, record, site.translate(FOUND_DELETED))
        elif state == 1:
            order = _native(site, record)
            values = {"status": next_status("submit", record)} | (_amounts(order) if order else {})
        else:
            values = {"status": "Cancelled"}
        site.update_document(DOCTYPE, name, values)
    return moved["name"].tolist()


def _deleted(site: Site, record: Mapping[str, Any], reason: str) -> dict[str, Any]:
    return {"rejection_reason": reason, "rejected_until": _rejected_until(site, record), **_decided(site)}


def _record_of(site: Site, purchase_order: str) -> str | None:
    """By our link to the order, else (an amended order) by the order's link to us."""
    ours = site.fetch(order_reads.record_of_order(site.qb, purchase_order))
    if len(ours):
        return str(ours["name"].iloc[0])
    theirs = site.fetch(order_reads.link_of_order(site.qb, purchase_order))
    linked = theirs["auto_purchase_order"].iloc[0] if len(theirs) else None
    return linked if linked and site.get_document(DOCTYPE, linked) is not None else None


def _record(site: Site, name: str) -> dict[str, Any]:
    record = site.get_document(DOCTYPE, name)
    if record is None:
        raise Refused(site.translate(NO_RECORD).format(order=name))
    return record


def _held(site: Site, name: str) -> dict[str, Any]:
    """The record, which nobody else writes from now on, nor its draft."""
    record = _record(site, name)
    _hold_order(site, record)
    if not site.hold(DOCTYPE, name):
        raise Refused(site.translate(CHANGED).format(order=name))
    return _record(site, name)


def _hold_order(site: Site, record: Mapping[str, Any]) -> None:
    """Nobody decides on what he has not seen: limits, levels and amounts are those of the draft that was read."""
    order = record.get("purchase_order")
    if order and not site.hold("Purchase Order", order) and site.get_order(order) is not None:
        raise Refused(site.translate(CHANGED).format(order=record["name"]))


def _native(site: Site, record: Mapping[str, Any]) -> NativeOrder | None:
    return site.get_order(record["purchase_order"]) if record.get("purchase_order") else None


def _settings(site: Site, record: Mapping[str, Any]) -> Any:
    return reads.company_settings(site, record["company"])


def _amounts(order: NativeOrder) -> dict[str, Any]:
    return {"total_amount": order.total, "base_total_amount": order.base_total}


def _decided(site: Site) -> dict[str, Any]:
    return {"decided_by": site.user, "decided_at": site.now()}


def _rejected_until(site: Site, record: Mapping[str, Any]) -> date:
    days: int = _settings(site, record).rejected_for_days
    return site.now().date() + timedelta(days=days)
