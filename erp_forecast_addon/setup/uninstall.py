"""What a site gives back when the app is uninstalled.

Frappe drops our DocTypes and what carries our module. Everything else of ours is removed here, ERPNext's own values
that we parked or overwrote are put back, and open drafts are named and left: they are Purchase Orders of the site.
"""

import click
import frappe

from erp_forecast_addon.services import who_orders, write_back
from erp_forecast_addon.setup.custom_fields import remove_custom_fields
from erp_forecast_addon.setup.leftovers import remove_leftovers
from erp_forecast_addon.setup.names import AUTO_PURCHASE_ORDER, ORDER_DISPATCH
from erp_forecast_addon.setup.roles import remove_roles
from erp_forecast_addon.setup.workflow import remove_workflow
from erp_forecast_addon.site.frappe_site import FrappeSite, drop_indexes

_COUNTED = ("Demand Bucket", "Forecast Snapshot")


def before_uninstall() -> None:
    """The values first, in one transaction; each step after it can be repeated if the uninstallation breaks off."""
    give_values_back()
    say_open_drafts()
    say_unsent()
    frappe.db.commit()
    remove_workflow()
    remove_leftovers()
    remove_roles()
    frappe.db.commit()
    remove_custom_fields()
    drop_indexes()


def after_uninstall() -> None:
    """What Frappe leaves of a table whose names are counted."""
    for doctype in _COUNTED:
        frappe.db.sql_ddl(f"DROP SEQUENCE IF EXISTS `{frappe.scrub(doctype)}_id_seq`")


def give_values_back() -> None:
    """Parked and overwritten reorder rows and safety stock as they were; what people changed since is left."""
    site = FrappeSite()
    who_orders.give_back_all(site)
    write_back.give_back_all(site)


def say_open_drafts() -> None:
    drafts = open_drafts()
    if not drafts:
        return
    click.secho(f"{len(drafts)} draft Purchase Orders of this app are left as they are:", fg="yellow")
    for draft in drafts:
        click.echo(f"  {draft.purchase_order}  {draft.supplier}  {draft.company}")


def say_unsent() -> None:
    unsent = frappe.get_all(
        ORDER_DISPATCH,
        filters={"status": ("in", ("Waiting", "Sending", "Failed", "Unclear"))},
        fields=["purchase_order", "supplier", "status"],
        order_by="creation asc",
    )
    if unsent:
        click.secho(f"{len(unsent)} messages to suppliers did not get through and will not be sent:", fg="yellow")
    for row in unsent:
        click.echo(f"  {row.purchase_order}  {row.supplier}  {row.status}")


def open_drafts() -> list[frappe._dict]:
    """Undecided orders whose native draft stands."""
    return frappe.get_all(
        AUTO_PURCHASE_ORDER,
        filters={"status": "Proposed", "purchase_order": ("is", "set")},
        fields=["purchase_order", "supplier", "company"],
        order_by="creation asc",
    )
