"""An approver's right lent to a deputy for some days. It is checked when it is saved, and again whenever it is used."""

import frappe
from frappe import _
from frappe.model.document import Document
from frappe.utils import flt, getdate

from erp_forecast_addon.erp_forecast_addon import retention
from erp_forecast_addon.setup.names import AUTO_PURCHASE_ORDER


class ApprovalDelegation(Document):
    def validate(self) -> None:
        self._check_who_lends()
        if self.from_user == self.to_user:
            frappe.throw(_("{0} cannot be his own deputy.").format(self.from_user))
        if getdate(self.to_date) < getdate(self.from_date):
            ends = frappe.format(self.to_date, "Date")
            frappe.throw(_("The delegation ends on {0}, before it begins.").format(ends))
        self._check_right()
        self._check_deputy()

    def on_trash(self) -> None:
        self._check_who_lends()

    @staticmethod
    def clear_old_logs(days: int = 730) -> None:
        """Log Settings: an order keeps who decided for whom; the delegation itself is over."""
        gone = retention.ended_before("Approval Delegation", "to_date", days)
        retention.delete_records("Approval Delegation", gone)

    def _check_who_lends(self) -> None:
        """Nobody lends somebody else's right, nor takes it back; a System Manager puts in order what people forgot."""
        before = self.get_doc_before_save()
        lenders = {self.from_user, before.from_user if before else self.from_user}
        is_manager = "System Manager" in frappe.get_roles()
        if not is_manager and lenders != {frappe.session.user}:
            frappe.throw(_("Only {0} may lend or take back this right.").format(self.from_user), frappe.PermissionError)

    def _check_right(self) -> None:
        """What he holds by delegation himself is not his to lend."""
        from erp_forecast_addon.services.approval_authority import limit_in_words, own_limit_of
        from erp_forecast_addon.site.frappe_site import FrappeSite

        site = FrappeSite()
        own = own_limit_of(site, self.company, self.from_user)
        if own <= 0:
            frappe.throw(
                _("{0} may not approve orders of {1} himself, so there is nothing to lend.").format(
                    self.from_user, self.company
                )
            )
        if flt(self.approval_limit) > own:
            words = limit_in_words(site, self.company, own)
            frappe.throw(_("{0} may approve up to {1} and cannot lend more.").format(self.from_user, words))

    def _check_deputy(self) -> None:
        if not frappe.db.get_value("User", self.to_user, "enabled"):
            frappe.throw(_("{0} is disabled and cannot be a deputy.").format(self.to_user))
        if not frappe.has_permission(AUTO_PURCHASE_ORDER, "read", user=self.to_user):
            frappe.throw(
                _("{0} may not see proposed orders. Give the deputy a role of planning or buying first.").format(
                    self.to_user
                )
            )
