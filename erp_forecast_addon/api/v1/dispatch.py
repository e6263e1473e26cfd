"""Dead letters and everything else on its way to a supplier: what a person decides about it, one or many at once."""

from collections.abc import Callable
from typing import Any

import frappe
from frappe import _

from erp_forecast_addon.api.chosen import chosen_names
from erp_forecast_addon.events.dispatch import enqueue_send, mail
from erp_forecast_addon.permissions import check_record
from erp_forecast_addon.refusals import refusals_shown
from erp_forecast_addon.services import dispatch
from erp_forecast_addon.setup.names import ORDER_DISPATCH
from erp_forecast_addon.site.frappe_site import FrappeSite

MOST_AT_ONCE = 200


@frappe.whitelist(methods=["POST"])
def send_again(names: list[str] | str) -> int:
    """Send rows again with their own keys, at once; how many. Write permission on each is needed; all or none."""
    sent = _each(names, lambda name: dispatch.send_again(FrappeSite(), name, mail()))
    for name in sent:
        frappe.db.after_commit.add(lambda name=name: enqueue_send(name))
    return len(sent)


@frappe.whitelist(methods=["POST"])
def confirm(names: list[str] | str) -> int:
    """The supplier has them, as a person knows: Sent. All or none."""
    return len(_each(names, lambda name: dispatch.confirm(FrappeSite(), name)))


@frappe.whitelist(methods=["POST"])
def drop(names: list[str] | str) -> int:
    """They need not be sent, as a person says: Cancelled. All or none."""
    return len(_each(names, lambda name: dispatch.drop(FrappeSite(), name, mail())))


@frappe.whitelist(methods=["GET", "POST"])
def of_order(purchase_order: str) -> list[dict[str, Any]]:
    """What a supplier was told about an order, the latest first; only rows that the user may see."""
    return frappe.get_list(
        ORDER_DISPATCH,
        filters={"purchase_order": purchase_order},
        fields=["name", "version", "event", "channel", "status", "sent_at", "next_attempt_at", "last_answer"],
        order_by="version desc",
        limit=20,
    )


def _each(given: list[str] | str, act: Callable[[str], None]) -> list[str]:
    """Every right is checked before anything is done."""
    frappe.has_permission(ORDER_DISPATCH, "write", throw=True)
    names = chosen_names(given, _("dispatches"), MOST_AT_ONCE)
    for name in names:
        check_record(ORDER_DISPATCH, name, "write")
    with refusals_shown():
        for name in names:  # rows that people chose in a list
            act(name)
    return names
