"""What a live site's own rules say about approving: transition conditions, Authorization Rules, its own workflow."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any

import frappe
from frappe.model.workflow import get_workflow, get_workflow_name, is_transition_condition_satisfied
from frappe.utils import flt, strip_html


def open_transitions(doc: Any, roles: Collection[str] | None = None) -> list[Any]:
    """Transitions of the active workflow on the document's DocType that lead on from its state now and whose conditions
    hold; roles: only those that one of them may take. Without a workflow: none."""
    name = get_workflow_name(doc.doctype)
    if not name:
        return []
    workflow = get_workflow(doc.doctype)
    state = doc.get(workflow.workflow_state_field) or workflow.states[0].state
    found = [each for each in workflow.transitions if each.state == state]
    found = [each for each in found if roles is None or each.allowed in roles]
    return [each for each in found if is_transition_condition_satisfied(each, doc)]


def may_move_to(doc: Any, state: str, roles: Collection[str] | None = None) -> bool:
    """Whether such a transition leads to the state; True without a workflow."""
    if not get_workflow_name(doc.doctype):
        return True
    return any(each.next_state == state for each in open_transitions(doc, roles))


def leads_to_submission(doctype: str, state: str) -> bool:
    """Whether the workflow has a way from this state to a submitted document, whatever its conditions."""
    workflow = get_workflow(doctype)
    submitted = {each.state for each in workflow.states if str(each.doc_status) == "1"}
    seen, ahead = set(), {state}
    while ahead:
        if ahead & submitted:
            return True
        seen |= ahead
        ahead = {each.next_state for each in workflow.transitions if each.state in ahead} - seen
    return False


def limit_refusal(order: Any, user: str) -> str:
    """ERPNext's own check of its Authorization Rules, as if `user` submitted the order; "" where it lets him.

    Core asks the session for user and roles; only its name is changed for that moment, as setting the user would end
    the request's session.
    """
    if not frappe.db.count("Authorization Rule", {"transaction": "Purchase Order"}):
        return ""
    control = frappe.get_doc("Authorization Control")
    with _as_session_user(user), _messages_kept():
        try:
            control.validate_approving_authority("Purchase Order", order.company, flt(order.base_grand_total), order)
        except frappe.ValidationError as error:
            return strip_html(str(error)) or type(error).__name__
    return ""


@contextmanager
def _as_session_user(user: str) -> Iterator[None]:
    before = frappe.session.user
    frappe.session.user = user
    try:
        yield
    finally:
        frappe.session.user = before


@contextmanager
def _messages_kept() -> Iterator[None]:
    """What core would say to the user of the session is not said."""
    count = len(frappe.local.message_log)
    try:
        yield
    finally:
        del frappe.local.message_log[count:]
