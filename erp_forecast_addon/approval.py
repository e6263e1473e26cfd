"""Who may decide on an Auto Purchase Order, and whether this site lets us decide at all."""

import frappe
from frappe import _
from frappe.model.document import Document

from erp_forecast_addon.setup.names import APPROVER
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


def check_ours_to_approve(doc: Document) -> None:
    """Refuse where the site's own workflow on Purchase Order decides."""
    workflow = native_workflow()
    if workflow:
        frappe.throw(
            _(
                "Purchase Orders of this site are decided by the workflow {0}. Approve {1} there; {2} follows it."
            ).format(workflow, doc.purchase_order, doc.name)
        )
