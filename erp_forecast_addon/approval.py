"""Who may decide on an Auto Purchase Order or a Forecast Override, and whether this site lets us decide at all."""

from typing import Any

import frappe
from frappe import _
from frappe.model.document import Document
from frappe.model.workflow import get_workflow_name
from frappe.utils import flt, get_fullname, today
from frappe.utils.user import get_users_with_role

from erp_forecast_addon.setup.names import APPROVER, PLANNER
from erp_forecast_addon.site import frappe_workflow
from erp_forecast_addon.site.frappe_site import FrappeSite

_DELEGATION = "Approval Delegation"
_NOBODY = ("Administrator", "Guest")


def native_workflow() -> str | None:
    """The site's own active workflow on Purchase Order; it decides then, and ours steps aside."""
    return FrappeSite().own_order_workflow()


def may_decide(doc: Document) -> bool:
    """Role and User Permissions on company and warehouses, whatever a workflow says; or those of who lent him his."""
    return bool(decides_as(doc))


def decides_as(doc: Document) -> str | None:
    """Whose right the user of the session decides with: his own name, that of who delegated it to him, None."""
    user = frappe.session.user
    if _has_right(doc, user):
        return user
    if doc.doctype != "Auto Purchase Order" or not frappe.has_permission(doc.doctype, "read", doc=doc):
        return None
    return next((lender for lender in _lenders(doc.company, user) if _has_right(doc, lender)), None)


def _has_right(doc: Document, user: str) -> bool:
    has_role = user == "Administrator" or APPROVER in FrappeSite().roles_of(user)
    return has_role and bool(frappe.has_permission(doc.doctype, "write", doc=doc, user=user))


def _lenders(company: str, user: str) -> list[str]:
    now = {"company": company, "to_user": user, "from_date": ("<=", today()), "to_date": (">=", today())}
    return frappe.get_all(_DELEGATION, filters=now, pluck="from_user", order_by="creation asc")


def deputies_of(company: str, user: str) -> list[str]:
    """Enabled users to whom this approver has lent his right for today."""
    now = {"company": company, "from_user": user, "from_date": ("<=", today()), "to_date": (">=", today())}
    found = frappe.get_all(_DELEGATION, filters=now, pluck="to_user", order_by="creation asc")
    return [each for each in found if frappe.db.get_value("User", each, "enabled")]


def check_may_decide(doc: Document) -> None:
    """Refuse (frappe.PermissionError) with who may."""
    if not may_decide(doc):
        frappe.throw(
            _("Only a {0} of {1} and its warehouses may decide on {2}.").format(_(APPROVER), doc.company, doc.name),
            frappe.PermissionError,
        )


def check_transition(doc: Document, state: str) -> None:
    """Refuse a decision for somebody else past the conditions of our workflow: they hold for his deputy too."""
    lender = decides_as(doc)
    roles = frappe.get_roles(lender) if lender else []
    if get_workflow_name(doc.doctype) and not frappe_workflow.may_move_to(doc, state, roles):
        frappe.throw(
            _("The workflow of {0} does not let {1} become {2}.").format(_(doc.doctype), doc.name, _(state)),
            frappe.PermissionError,
        )


# ---- whom to ask ------------------------------------
def approvers_of(doc: Document) -> list[list[str]]:
    """Whom to ask to approve this order, one step of escalation after the other: who may approve the least that is
    enough first, each with his deputies. On a site with its own workflow: all who may move the native order on."""
    if native_workflow():
        found = _native_approvers(doc)
        return [found] if found else []
    from erp_forecast_addon.services.approval_authority import own_limit_of

    site, had = FrappeSite(), {doc.first_approved_by, doc.first_approved_for}
    wanted = 0.01 if doc.approval_level == "Two Approvers" else flt(doc.base_total_amount)
    limits = {user: own_limit_of(site, doc.company, user) for user in _users(APPROVER) if user not in had}
    able = sorted((limit, user) for user, limit in limits.items() if limit > 0.0 and limit >= wanted)
    steps = [user for _limit, user in able if _has_right(doc, user) and _allowed_by_site(site, doc, user)]
    return [[user, *deputies_of(doc.company, user)] for user in steps]


def _allowed_by_site(site: FrappeSite, doc: Document, user: str) -> bool:
    """By the conditions of our workflow and by ERPNext's Authorization Rules."""
    if not frappe_workflow.may_move_to(doc, "Approved", frappe.get_roles(user)):
        return False
    return not (doc.purchase_order and site.order_limit_refusal(doc.purchase_order, user))


def _native_approvers(doc: Document) -> list[str]:
    order = frappe.get_doc("Purchase Order", doc.purchase_order)
    ahead = frappe_workflow.open_transitions(order)
    roles = {each.allowed for each in ahead if frappe_workflow.leads_to_submission(order.doctype, each.next_state)}
    users = sorted({user for role in roles for user in _users(role)})
    return [user for user in users if frappe.has_permission("Purchase Order", "write", doc=order, user=user)]


def _users(role: str) -> list[str]:
    """Enabled users of a role, no built-in one."""
    return sorted(user for user in get_users_with_role(role) if user not in _NOBODY)


# ---- overrides ------------------------------------
def may_approve_override(doc: Document) -> bool:
    """An approver, or a planner where the company's settings let planners approve; with write permission on it."""
    roles = set(frappe.get_roles())
    if frappe.session.user != "Administrator" and APPROVER not in roles:
        row = {"parent": "Forecast Settings", "company": doc.company}
        lets = frappe.db.get_value("Forecast Company Settings", row, "planner_approves_overrides")
        if PLANNER not in roles or not lets:
            return False
    return bool(frappe.has_permission(doc.doctype, "write", doc=doc))


def check_may_approve_override(doc: Document) -> None:
    """Refuse (frappe.PermissionError) with who may."""
    if not may_approve_override(doc):
        frappe.throw(
            _("Only a {0} of {1} and its warehouses may approve this override.").format(_(APPROVER), doc.company),
            frappe.PermissionError,
        )


def check_ours_to_approve(doc: Document) -> None:
    """Refuse where the site's own workflow on Purchase Order decides."""
    workflow = native_workflow()
    if workflow:
        frappe.throw(
            _(
                "Purchase Orders of this site are decided by the workflow {0}. Approve {1} there; {2} follows it."
            ).format(workflow, doc.purchase_order, doc.name)
        )


def state_of(doc: Document) -> dict[str, Any]:
    """What the form of a proposed order says about deciding on it, for the user of the session.

    may_decide, as_deputy_of (a name, "" for his own right), native_workflow, waits_for (users who are asked first).
    """
    lender = decides_as(doc) or ""
    own = lender in ("", frappe.session.user)
    steps = approvers_of(doc) if doc.status == "Proposed" else []
    return {
        "may_decide": bool(lender),
        "as_deputy_of": "" if own else get_fullname(lender),
        "native_workflow": native_workflow() or "",
        "waits_for": [get_fullname(user) for user in (steps[0] if steps else [])],
    }
