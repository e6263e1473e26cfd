"""The approval workflows: created once, at install. What a site changes in them afterwards is the site's."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import frappe

from erp_forecast_addon.setup.names import APPROVER, AUTO_PURCHASE_ORDER, LEVEL_CHANGE_SET, LEVELS_WORKFLOW, WORKFLOW

_OURS = "erp_forecast_addon_created"


@dataclass(frozen=True)
class Approval:
    """A workflow whose states are those of the field `status`. styles: state -> style; transitions: state, action,
    next state, by the approver."""

    name: str
    doctype: str
    styles: Mapping[str, str]
    transitions: tuple[tuple[str, str, str], ...]


ORDERS = Approval(
    WORKFLOW,
    AUTO_PURCHASE_ORDER,
    {
        "Proposed": "Warning",
        "Approved": "Success",
        "Rejected": "Danger",
        "Withdrawn": "",
        "Cancelled": "Danger",
        "Closed": "Inverse",
    },
    (("Proposed", "Approve", "Approved"), ("Proposed", "Reject", "Rejected")),
)
LEVELS = Approval(
    LEVELS_WORKFLOW,
    LEVEL_CHANGE_SET,
    {
        "Proposed": "Warning",
        "Approved": "Success",
        "Applying": "Primary",
        "Applied": "Success",
        "Partly Applied": "Warning",
        "Rolling Back": "Primary",
        "Rolled Back": "Inverse",
        "Rejected": "Danger",
        "Superseded": "",
    },
    (("Proposed", "Approve", "Approved"), ("Proposed", "Reject", "Rejected")),
)
APPROVALS = (ORDERS, LEVELS)


def create_workflow(approvals: Iterable[Approval] = APPROVALS) -> None:
    """Create the workflows with their states and actions, unless they stand already."""
    for approval in approvals:
        if not frappe.db.exists("Workflow", approval.name):
            states = [{"workflow_state_name": state, "style": style} for state, style in approval.styles.items()]
            _create_missing("Workflow State", states)
            actions = sorted({action for _from, action, _to in approval.transitions})
            _create_missing("Workflow Action Master", [{"workflow_action_name": action} for action in actions])
            frappe.get_doc(_definition(approval)).insert(ignore_permissions=True)


def remove_workflow() -> None:
    """Delete the workflows of our DocTypes, and the states and actions that we created and no other workflow uses."""
    ours = [approval.doctype for approval in APPROVALS]
    for name in frappe.get_all("Workflow", filters={"document_type": ("in", ours)}, pluck="name"):
        frappe.delete_doc("Workflow", name, ignore_permissions=True, force=True)
    _remove_waiting_actions(ours)
    _remove_unused("Workflow State", _states_in_use())
    _remove_unused("Workflow Action Master", _actions_in_use())
    frappe.db.delete("DefaultValue", {"defkey": ("like", f"{_OURS}:%")})
    frappe.cache.delete_value("workflow")


def _remove_waiting_actions(ours: list[str]) -> None:
    """What the workflows asked of people, with the roles that each action names in rows of its own."""
    actions = frappe.get_all("Workflow Action", filters={"reference_doctype": ("in", ours)}, pluck="name")
    if actions:
        frappe.db.delete("Workflow Action Permitted Role", {"parent": ("in", actions)})
        frappe.db.delete("Workflow Action", {"name": ("in", actions)})


def _definition(approval: Approval) -> dict[str, Any]:
    return {
        "doctype": "Workflow",
        "workflow_name": approval.name,
        "document_type": approval.doctype,
        "workflow_state_field": "status",
        "is_active": 1,
        "send_email_alert": 0,
        "override_status": 1,
        "states": [{"state": state, "doc_status": "0", "allow_edit": APPROVER} for state in approval.styles],
        "transitions": [
            {"state": state, "action": action, "next_state": to, "allowed": APPROVER, "allow_self_approval": 1}
            for state, action, to in approval.transitions
        ],
    }


def _create_missing(doctype: str, records: list[dict[str, str]]) -> None:
    for record in records:
        name = next(iter(record.values()))
        if not frappe.db.exists(doctype, name):
            frappe.get_doc({"doctype": doctype, **record}).insert(ignore_permissions=True)
            frappe.db.set_global(_mark(doctype, name), "1")


def _remove_unused(doctype: str, in_use: set[str]) -> None:
    names = {name for approval in APPROVALS for name in approval.styles}
    names |= {action for approval in APPROVALS for _from, action, _to in approval.transitions}
    for name in sorted(names):
        if name not in in_use and frappe.db.get_global(_mark(doctype, name)):
            frappe.delete_doc(doctype, name, ignore_permissions=True, ignore_missing=True, force=True)


def _mark(doctype: str, name: str) -> str:
    """Where we note that a state or action is of our making: ERPNext and other apps ship some of the same names."""
    return f"{_OURS}:{doctype}:{name}"


def _states_in_use() -> set[str]:
    rows = frappe.get_all("Workflow Transition", fields=["state", "next_state"])
    listed = frappe.get_all("Workflow Document State", pluck="state")
    return {row.state for row in rows} | {row.next_state for row in rows} | set(listed)


def _actions_in_use() -> set[str]:
    return set(frappe.get_all("Workflow Transition", pluck="action"))
