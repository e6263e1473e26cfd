"""What one approval does to an order: whether this person may, whether he is the first of two, and what is kept of it.

Callers have checked that the order is proposed and has its native draft, and that the person may see it.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from erp_forecast_addon.planning.errors import Refused
from erp_forecast_addon.planning.messages import _
from erp_forecast_addon.planning.purchasing.authority import Authority
from erp_forecast_addon.services import approval_authority, approval_levels
from erp_forecast_addon.services.fingerprint import fingerprints
from erp_forecast_addon.site import approval_reads, order_reads, reads
from erp_forecast_addon.site.port import APPROVER_ROLE, NativeOrder, Site
from erp_forecast_addon.site.sourcing import supplier_block

# What a decision that is taken back leaves empty.
UNDECIDED: Final[Mapping[str, Any]] = {
    "decided_by": None, "decided_at": None, "decided_for": None, "first_approved_by": None, "first_approved_at": None,
    "first_approved_for": None, "first_approved_state": None,
}  # fmt: skip

NO_RIGHT = _("{user} may not approve orders of {company}; {who} may.")
OVER_LIMIT = _("{order} costs {amount}. {user} may approve up to {limit}{behalf}; more than that: {who}.")
NOBODY = _("nobody; raise a limit in Forecast Settings")
ON_BEHALF = _(" (for {delegator})")
SAME_PERSON = _("{order} needs two approvers, and {user} is the first of them. Somebody else has to approve it now.")
FIRST_MISSING = _("{order} needs two approvers, and nobody has approved it yet. Approve it on its form first.")
NOT_AUTOMATIC = _("{order} does not approve itself: {reason}")
BLOCKED = _("{order} cannot be ordered: {reason} Reject it, or change the supplier of the Purchase Order.")
ITEM_DISABLED = _("{item_code} has been disabled.")
ITEM_ENDED = _("The life of {item_code} has ended on {day}.")
TAKE_OUT = _("{order} cannot be ordered: {reason} Take the item out of the Purchase Order, or reject it.")


def approval_values(
    site: Site, record: Mapping[str, Any], order: NativeOrder, status: str, *, automatic: bool = False
) -> dict[str, Any]:
    """Fields of the record after this approval; without `status` where it was the first of two. Raises Refused."""
    check_orderable(site, record, order)
    settings = reads.company_settings(site, str(record["company"]))
    state = state_of_draft(site, str(record["company"]), order.name)
    edited = bool(record.get("edited_by_person")) or state != (record.get("fingerprint") or state)
    verdict = approval_levels.verdict_of(site, settings, record, order, edited=edited)
    values = {"approval_level": verdict.level, "approval_reason": verdict.text(site.translate), **_amounts(order)}
    if automatic:
        if verdict.level != "Automatic":
            raise Refused(site.translate(NOT_AUTOMATIC).format(order=record["name"], reason=values["approval_reason"]))
        return values | {"status": status, **_by(site, "")}
    held = approval_authority.authority_of(site, str(record["company"]), site.user, str(record["name"]))
    if held.limit <= 0.0:
        raise Refused(_no_right(site, record, order))
    if verdict.level == "Two Approvers" and not first_stands(record, state):
        return values | {
            "first_approved_by": site.user, "first_approved_at": site.now(),
            "first_approved_for": held.on_behalf_of or None, "first_approved_state": state,
        }  # fmt: skip
    _check_limit(site, record, order, held, two=verdict.level == "Two Approvers")
    return values | {"status": status, **_by(site, held.on_behalf_of)}


def check_submission(site: Site, record: Mapping[str, Any], order: NativeOrder) -> None:
    """The person of the session submits the native draft by hand: the same rules as by our form. Raises Refused."""
    if "status" not in approval_values(site, record, order, "Approved"):
        raise Refused(site.translate(FIRST_MISSING).format(order=record["name"]))


def first_stands(record: Mapping[str, Any], state: str) -> bool:
    """A first approval counts for the draft that it saw; one that was changed since needs both again."""
    return bool(record.get("first_approved_by")) and record.get("first_approved_state") == state


def decided(site: Site, record: Mapping[str, Any]) -> dict[str, Any]:
    """Who decides now, and on whose behalf if not by his own right."""
    company = str(record["company"])
    if APPROVER_ROLE in site.roles_of(site.user):
        return _by(site, "")
    return _by(site, approval_authority.authority_of(site, company, site.user, str(record["name"])).on_behalf_of)


def state_of_draft(site: Site, company: str, purchase_order: str) -> str:
    header = order_reads.read_headers(site, company, purchase_order)
    lines = order_reads.read_native_lines(site, company, purchase_order)
    return str(fingerprints(header, lines).iloc[0]) if len(header) else ""


def check_orderable(site: Site, record: Mapping[str, Any], order: NativeOrder) -> None:
    """What became impossible between draft and approval: a blocked supplier, a disabled item. Raises Refused."""
    today = site.now().date()
    name = record["name"]
    block = supplier_block(site, order.supplier, today)
    if block:
        raise Refused(site.translate(BLOCKED).format(order=name, reason=block))
    ended = approval_reads.ended_items(site, [line.item_code for line in order.lines], today)
    if ended:
        reasons = " ".join(_ended(site, item_code, day) for item_code, day in ended)
        raise Refused(site.translate(TAKE_OUT).format(order=name, reason=reasons))


def _ended(site: Site, item_code: str, day: date | None) -> str:
    return site.translate(ITEM_DISABLED if day is None else ITEM_ENDED).format(item_code=item_code, day=day)


def _check_limit(site: Site, record: Mapping[str, Any], order: NativeOrder, held: Authority, *, two: bool) -> None:
    """One who decides alone may decide on the whole amount; of two, one of them may, and they are two people."""
    company = str(record["company"])
    limits = [held.limit]
    if two:
        persons = {site.user, held.on_behalf_of} - {""}
        if persons & {record.get("first_approved_by"), record.get("first_approved_for")}:
            raise Refused(site.translate(SAME_PERSON).format(order=record["name"], user=site.user))
        first = approval_authority.authority_of(site, company, str(record["first_approved_by"]))
        limits.append(first.limit)
    if order.base_total > max(limits):
        raise Refused(_over_limit(site, record, order, held))
    refusal = site.order_limit_refusal(order.name, site.user)
    if refusal:
        raise Refused(refusal)


def _no_right(site: Site, record: Mapping[str, Any], order: NativeOrder) -> str:
    company = str(record["company"])
    who = approval_authority.who_may(site, company, order.base_total) or site.translate(NOBODY)
    return site.translate(NO_RIGHT).format(user=site.user, company=company, who=who)


def _over_limit(site: Site, record: Mapping[str, Any], order: NativeOrder, held: Authority) -> str:
    company = str(record["company"])
    behalf = site.translate(ON_BEHALF).format(delegator=held.on_behalf_of) if held.on_behalf_of else ""
    return site.translate(OVER_LIMIT).format(
        order=record["name"], user=site.user, behalf=behalf,
        amount=approval_authority.limit_in_words(site, company, order.base_total),
        limit=approval_authority.limit_in_words(site, company, held.limit),
        who=approval_authority.who_may(site, company, order.base_total) or site.translate(NOBODY),
    )  # fmt: skip


def _amounts(order: NativeOrder) -> dict[str, Any]:
    return {"total_amount": order.total, "base_total_amount": order.base_total}


def _by(site: Site, on_behalf_of: str) -> dict[str, Any]:
    return {"decided_by": site.user, "decided_at": site.now(), "decided_for": on_behalf_of or None}
