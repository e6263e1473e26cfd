"""How a supplier gets its orders. What cannot work is refused when it is saved, not when an order waits for it."""

import frappe
from frappe import _
from frappe.model.document import Document
from frappe.utils import split_emails, validate_email_address

from erp_forecast_addon.refusals import refusals_shown


class SupplierChannel(Document):
    def validate(self) -> None:
        self._refuse_second()
        if self.channel == "Webhook":
            self._check_secret()
            self._check_url()
        for address in split_emails(self.email_to or ""):
            validate_email_address(address, throw=True)

    def _refuse_second(self) -> None:
        same = {"supplier": self.supplier, "company": self.company or ("is", "not set"), "name": ("!=", self.name)}
        if frappe.db.exists("Supplier Channel", same):
            whose = self.company or _("every company")
            frappe.throw(_("{0} has a channel for {1} already.").format(self.supplier, whose))

    def _check_secret(self) -> None:
        from erp_forecast_addon.services.dispatch_signature import SHORTEST_SECRET

        given = self.secret or ""
        if given and not self.is_dummy_password(given) and len(given) < SHORTEST_SECRET:
            frappe.throw(_("The secret must have at least {0} characters.").format(SHORTEST_SECRET))

    def _check_url(self) -> None:
        """All that can be checked without a look-up; the addresses behind a name are checked at every attempt."""
        from erp_forecast_addon.services.dispatch_address import allowed_hosts, target

        self.url = (self.url or "").strip()
        filters = {"parent": "Forecast Settings"}
        if self.company:
            filters["company"] = self.company
        listed = frappe.get_all("Forecast Company Settings", filters=filters, pluck="dispatch_private_hosts")
        with refusals_shown():
            target(self.url, allowed_hosts("\n".join(text for text in listed if text)))
