"""Who may decide on an Auto Purchase Order or a Forecast Override, and whether this site lets us decide at all."""

import frappe
from frappe import _
from frappe.model.document import Document

from erp_forecast_addon.setup.names import APPROVER, PLANNER
from erp_forecast_addon.site.frappe_site import FrappeSite


def native_workflow() -> str | None:
    """The site's own active workflow on Purchase Order; it decides then, and ours steps aside."""
    return FrappeSite().own_order_workflow()


def may_decide(doc: Document) -> bool:
    """Role and User Permissions on company and warehouses, whatever a workflow says."""
    has_role = frappe.session.user == "Administrator" or APPROVER in frappe.get_roles()
    return has_role and bool(frappe.has_permission(doc.doctype, "write", doc=doc))


def check_may_decide(doc: Document) -> None:
    """Refuse (frappe.PermissionError) with who may."""
    if not may_decide(doc):
        frappe.throw(
            _("Only a {0} of {1} and its warehouses may decide on {2}.").format(_(APPROVER), doc.company, doc.name),
            frappe.PermissionError,
        )


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
