"""The two roles of this app."""

import frappe

from erp_forecast_addon.setup.names import ROLES

# Every record in which a role can stand besides our own DocTypes; the rows mean nothing without the role.
_ROLE_ROWS = (
    ("Has Role", "role"),
    ("Custom DocPerm", "role"),
    ("DocPerm", "role"),
    ("Workflow Action Permitted Role", "role"),
)


def ensure_roles() -> None:
    """Create the roles that are missing; a role that stands is left as the site has it."""
    for role in ROLES:
        if not frappe.db.exists("Role", role):
            frappe.get_doc({"doctype": "Role", "role_name": role, "desk_access": 1}).insert(ignore_permissions=True)


def remove_roles() -> None:
    """Delete the roles, what users were given of them and permissions that were granted to them."""
    for doctype, field in _ROLE_ROWS:
        frappe.db.delete(doctype, {field: ("in", ROLES)})
    for role in ROLES:
        frappe.delete_doc("Role", role, ignore_permissions=True, force=True, ignore_missing=True)
