"""Level Change Sets: what the form shows, a person's review of single changes, and the decisions."""

from typing import Any

import frappe
from frappe import _
from frappe.utils.background_jobs import is_job_enqueued

from erp_forecast_addon.api import decisions
from erp_forecast_addon.api.chosen import chosen_names
from erp_forecast_addon.approval import check_may_decide
from erp_forecast_addon.events.change_sets import enqueue_work, job_id_of
from erp_forecast_addon.permissions import check_record
from erp_forecast_addon.refusals import refusals_shown
from erp_forecast_addon.setup.names import APPROVER, PLANNER

_SET, _LINE = "Level Change Set", "Level Change"
_MAY_REVIEW = (PLANNER, APPROVER, "System Manager")
MOST_AT_ONCE = 500
_PAGE_LENGTHS = (20, 100, 500)
_SHOWN = (
    "name", "company", "status", "progress_pct", "current_step", "error", "changes", "items", "applied", "left_alone",
    "rolled_back", "kept", "apply_seconds_per_1000", "roll_back_seconds_per_1000",
)  # fmt: skip
_LINE_FIELDS = (
    "name", "item_code", "item_name", "warehouse", "abc_class", "stock_uom", "status", "kind", "is_new_row",
    "old_level", "new_level", "proposed_level", "old_qty", "new_qty", "proposed_qty", "unit_cost", "cash_effect",
    "reason", "review", "review_reason", "reviewed_by", "note",
)  # fmt: skip
# What a reviewer looks for, as filters.
_VIEWS: dict[str, list[list[Any]]] = {
    "all": [],
    "raised": [["moves", "=", "Up"]],
    "lowered": [["moves", "=", "Down"]],
    "new": [["moves", "=", "New"]],
    "excluded": [["status", "=", "Excluded"]],
    "held": [["status", "=", "Held"]],
    "left": [["status", "in", ["Left", "Kept"]]],
    "edited": [["review", "=", "Edited"]],
}


@frappe.whitelist(methods=["POST"])
def approve(name: str) -> dict[str, Any]:
    """Approve a proposed set; a job then writes its values to the Items."""
    return decisions.state(decisions.approve(_SET, name))


@frappe.whitelist(methods=["POST"])
def reject(name: str, reason: str, until: str | None = None) -> dict[str, Any]:
    """Reject a proposed set with a reason. until: no other is proposed before that day is over."""
    return decisions.state(decisions.reject(_SET, name, reason, until))


@frappe.whitelist(methods=["POST"])
def roll_back(name: str) -> dict[str, Any]:
    """Give every value that the set wrote and nobody changed since back its former value; by a job."""
    from erp_forecast_addon.services import change_sets
    from erp_forecast_addon.site.frappe_site import FrappeSite

    doc = check_record(_SET, name)
    check_may_decide(doc)
    with refusals_shown():
        change_sets.start_roll_back(FrappeSite(), name)
    return status(name)


@frappe.whitelist(methods=["POST"])
def resume(name: str) -> bool:
    """Go on with a set that stopped half-way; False if its job waits or runs already."""
    doc = check_record(_SET, name)
    check_may_decide(doc)
    if doc.status not in ("Approved", "Applying", "Rolling Back"):
        frappe.throw(_("{0} is {1}; there is nothing to go on with.").format(name, _(doc.status)))
    return enqueue_work(name, doc.company)


@frappe.whitelist(methods=["GET", "POST"])
def status(name: str) -> dict[str, Any]:
    """State, progress, counts and times of a set; queued: whether a job waits or runs."""
    doc = check_record(_SET, name)
    return {**{field: doc.get(field) for field in _SHOWN}, "queued": bool(is_job_enqueued(job_id_of(doc.company)))}


@frappe.whitelist(methods=["GET", "POST"])
def overview(name: str) -> dict[str, Any]:
    """What the changes come to: by class (changes, cash up, cash down, net), by item group, and per view the number."""
    from erp_forecast_addon.services import change_set_views
    from erp_forecast_addon.site.frappe_site import FrappeSite

    check_record(_SET, name)
    return change_set_views.overview(FrappeSite(), name)


@frappe.whitelist(methods=["GET", "POST"])
def lines(name: str, view: str = "all", search: str = "", start: int = 0, page_length: int = 20) -> dict[str, Any]:
    """A page of a set's changes, the largest cash effect first. view: all, raised, lowered, new, excluded, held, left,
    edited; search: part of an item's code or name."""
    check_record(_SET, name)
    frappe.has_permission(_LINE, "read", throw=True)
    if view not in _VIEWS:
        frappe.throw(_("{0} is none of the views {1}.").format(view, ", ".join(_VIEWS)))
    length = min((each for each in _PAGE_LENGTHS if each >= int(page_length)), default=_PAGE_LENGTHS[-1])
    filters: list[list[Any]] = [[_LINE, "change_set", "=", name], *_of_view(view)]
    both = [["item_code", "like", f"%{search}%"], ["item_name", "like", f"%{search}%"]] if search else []
    found = frappe.get_list(
        _LINE, filters=filters, or_filters=both or None, fields=list(_LINE_FIELDS), start=max(0, int(start)),
        page_length=length + 1, order_by="cash_size desc, item_code asc, warehouse asc, kind asc",
    )  # fmt: skip
    return {"lines": found[:length], "more": len(found) > length}


@frappe.whitelist(methods=["POST"])
def review(
    names: list[str] | str, action: str, reason: str = "", level: float | None = None, qty: float | None = None
) -> str:
    """Exclude, include or edit changes of one proposed set; its name. Either all are reviewed or none."""
    from erp_forecast_addon.services import change_sets
    from erp_forecast_addon.site.frappe_site import FrappeSite

    if frappe.session.user != "Administrator" and not set(_MAY_REVIEW) & set(frappe.get_roles()):
        roles = " / ".join(_(role) for role in _MAY_REVIEW)
        frappe.throw(_("Changes are reviewed by a {0}.").format(roles), frappe.PermissionError)
    wanted = chosen_names(names, _("changes"), MOST_AT_ONCE)
    for line in wanted:
        check_record(_LINE, line)
    with refusals_shown():
        return change_sets.review(
            FrappeSite(), wanted, action, reason or "", _number(level, _("Level")), _number(qty, _("Quantity"))
        )


def _of_view(view: str) -> list[list[Any]]:
    return [[_LINE, *condition] for condition in _VIEWS[view]]


def _number(given: float | str | None, label: str) -> float | None:
    if given is None or given == "":
        return None
    try:
        return float(given)
    except ValueError:
        frappe.throw(_("{0}: {1} is not a number.").format(label, given))
