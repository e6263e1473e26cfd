"""The approval workflow: created once, at install. What a site changes in it afterwards is the site's."""

from typing import Any

import frappe

from erp_forecast_addon.setup.names import APPROVER, AUTO_PURCHASE_ORDER, WORKFLOW

_STATE_STYLES = {
    "Proposed": "Warning",
    "Approved": "Success",
    "Rejected": "Danger",
    "Withdrawn": "",
    "Cancelled": "Danger",
    "Closed": "Inverse",
}
_TRANSITIONS = (("Proposed", "Approve", "Approved"), ("Proposed", "Reject", "Rejected"))
_ACTIONS = tuple(action for _from, action, _to in _TRANSITIONS)
_OURS = "erp_forecast_addon_created"


def create_workflow() -> None:
    """Create the workflow with its states and actions, unless it stands already."""
    if frappe.db.exists("Workflow", WORKFLOW):
        return
    _create_missing("Workflow State", [{"workflow_state_name": s, "style": st} for s, st in _STATE_STYLES.items()])
    _create_missing("Workflow Action Master", [{"workflow_action_name": action} for action in _ACTIONS])
    frappe.get_doc(_definition()).insert(ignore_permissions=True)


def remove_workflow() -> None:
    """Delete the workflows of our DocType, and the states and actions that we created and no other workflow uses."""
    for name in frappe.get_all("Workflow", filters={"document_type": AUTO_PURCHASE_ORDER}, pluck="name"):
        frappe.delete_doc("Workflow", name, ignore_permissions=True, force=True)
    _remove_waiting_actions()
    _remove_unused("Workflow State", _states_in_use())
    _remove_unused("Workflow Action Master", _actions_in_use())
    frappe.db.delete("DefaultValue", {"defkey": ("like", f"{_OURS}:%")})
    frappe.cache.delete_value("workflow")


def _remove_waiting_actions() -> None:
    """What the workflow asked of people, with the roles that each action names in rows of its own."""
    actions = frappe.get_all("Workflow Action", filters={"reference_doctype": AUTO_PURCHASE_ORDER}, pluck="name")
    if actions:
        frappe.db.delete("Workflow Action Permitted Role", {"parent": ("in", actions)})
        frappe.db.delete("Workflow Action", {"name": ("in", actions)})


def _definition() -> dict[str, Any]:
    return {
        "doctype": "Workflow",
        "workflow_name": WORKFLOW,
        "document_type": AUTO_PURCHASE_ORDER,
        "workflow_state_field": "status",
        "is_active": 1,
        "send_email_alert": 0,
        "override_status": 1,
        "states": [{"state": state, "doc_status": "0", "allow_edit": APPROVER} for state in _STATE_STYLES],
        "transitions": [
            {"state": state, "action": action, "next_state": to, "allowed": APPROVER, "allow_self_approval": 1}
            for state, action, to in _TRANSITIONS
        ],
    }


def _create_missing(doctype: str, records: list[dict[str, str]]) -> None:
    for record in records:
        name = next(iter(record.values()))
        if not frappe.db.exists(doctype, name):
            frappe.get_doc({"doctype": doctype, **record}).insert(ignore_permissions=True)
            frappe.db.set_global(_mark(doctype, name), "1")


def _remove_unused(doctype: str, in_use: set[str]) -> None:
    for name in (*_STATE_STYLES, *_ACTIONS):
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
