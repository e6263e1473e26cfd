"""What is planned, for which company: checked before it is saved, carried out once it is."""

import frappe
from frappe import _
from frappe.model.document import Document

from erp_forecast_addon.refusals import refusals_shown

_RETENTION = {"Forecast Run": "keep_runs_days", "Planning Exception": "keep_exceptions_days"}
_AT_LEAST = {
    "auto_approve_limit": 0,
    "second_approver_above": 0,
    "approval_change_pct": 0,
    "approval_error_pct": 0,
    "approval_coverage_pct": 0,
    "remind_hours_before": 0,
    "tolerated_loss_pct": 0,
    "escalate_after_hours": 0,
    "rejected_for_days": 0,
    "max_exceptions": 1,
    "default_lead_time_days": 0,
    "margin_pct": 0,
    "holding_cost_pct": 0,
    "hours_critical": 1,
    "hours_high": 1,
    "hours_medium": 1,
    "hours_low": 1,
    "reschedule_early_days": 0,
    "reschedule_late_days": 0,
    "late_grace_days": 0,
    "price_jump_pct": 0,
}


class ForecastSettings(Document):
    def validate(self) -> None:
        self._refuse_companies_twice()
        self._date_new_rows()
        for row in self.companies:
            _check_hour(row)
            _check_numbers(row)
            _check_classes(row)
            _check_plan(row)
            _check_private_hosts(row)
            _check_approval(row)
        self._check_approvers()
        _check_exception_rules(self.exception_rules)
        for field in _RETENTION.values():
            _check_at_least(self, field, 1, _("Forecast Settings"))

    def on_update(self) -> None:
        self._keep_as_long_as_said()
        for company, we_order in self._switched().items():
            _switch(company, we_order)

    def _refuse_companies_twice(self) -> None:
        names = [row.company for row in self.companies]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            frappe.throw(_("{0} has more than one row; each company may stand there once.").format(", ".join(twice)))

    def _date_new_rows(self) -> None:
        """Frappe dates a new row like the whole record; the scheduler needs to know since when a company is planned."""
        for row in self.companies:
            if row.is_new():
                row.creation = frappe.utils.now()

    def _check_approvers(self) -> None:
        """Each names a role or a user, once per company, and no limit below nought."""
        seen: set[tuple[str, str]] = set()
        for row in self.order_approvers:
            who = row.user or row.role
            if not who:
                frappe.throw(_("Row {0} of the approvers names neither a role nor a user.").format(row.idx))
            if row.user and row.role:
                frappe.throw(_("Row {0} of the approvers names a role and a user; give each a row.").format(row.idx))
            if (row.company, who) in seen:
                frappe.throw(_("{0} is named twice as an approver of {1}.").format(who, row.company))
            seen.add((row.company, who))
            _check_at_least(row, "approval_limit", 0, who)

    def _switched(self) -> dict[str, bool]:
        """company -> whether we order from now on, for the companies where that changed."""
        before = self.get_doc_before_save()
        earlier = {row.company: row.who_orders for row in before.companies} if before else {}
        now = {row.company: row.who_orders for row in self.companies}
        companies = sorted({*earlier, *now})
        ours = {c: (_ours(earlier.get(c)), _ours(now.get(c))) for c in companies}
        return {company: after for company, (was, after) in ours.items() if was != after}

    def _keep_as_long_as_said(self) -> None:
        """Log Settings does the clearing; it learns the days from here."""
        changed = [d for d, field in _RETENTION.items() if self.has_value_changed(field)]
        if not changed:
            return
        logs = frappe.get_doc("Log Settings")
        for doctype in changed:
            logs.register_doctype(doctype, self.get(_RETENTION[doctype]))
        logs.save(ignore_permissions=True)


def _ours(who_orders: str | None) -> bool:
    return who_orders == "Forecast Addon"


def _switch(company: str, we_order: bool) -> None:
    from erp_forecast_addon.services import who_orders
    from erp_forecast_addon.site.frappe_site import FrappeSite

    site = FrappeSite()
    rows = who_orders.park(site, company) if we_order else who_orders.give_back(site, company)
    if rows:
        text = _("{0}: {1} reorder rows were parked.") if we_order else _("{0}: {1} reorder rows were given back.")
        frappe.msgprint(text.format(company, rows), alert=True)


def _check_hour(row: Document) -> None:
    if not 0 <= int(row.run_hour or 0) <= 23:
        frappe.throw(
            _("{0}: the nightly run starts at hour {1}, which is not an hour from 0 to 23.").format(
                row.company, row.run_hour
            )
        )


def _check_numbers(row: Document) -> None:
    for field, low in _AT_LEAST.items():
        _check_at_least(row, field, low, row.company)


def _check_at_least(doc: Document, field: str, low: float, where: str) -> None:
    if float(doc.get(field) or 0) < low:
        frappe.throw(
            _("{0}: {1} must be at least {2}, not {3}.").format(
                where, _(doc.meta.get_label(field)), low, doc.get(field) or 0
            )
        )


def _check_classes(row: Document) -> None:
    if not 0 < float(row.abc_a_pct or 0) < float(row.abc_b_pct or 0) <= 100:
        frappe.throw(
            _("{0}: class A ends at {1}% and class B at {2}%; they must rise and lie between 0 and 100%.").format(
                row.company, row.abc_a_pct or 0, row.abc_b_pct or 0
            )
        )


def _check_plan(row: Document) -> None:
    """The planner's own checks, on the row as it will be read."""
    from erp_forecast_addon.site.reads import plan_settings

    values = {**row.as_dict(), **{field: row.get(field) or 0 for field in _numbers(row)}}
    with refusals_shown():
        plan_settings(values, row.company, row.currency or "")


def _check_exception_rules(rules: list[Document]) -> None:
    """One rule per company and type, and an owner that says who."""
    seen = set()
    for rule in rules:
        place = (rule.company or "", rule.exception_type)
        if place in seen:
            where = rule.company or _("all companies")
            frappe.throw(_("{0} has more than one rule for {1} exceptions.").format(where, _(rule.exception_type)))
        seen.add(place)
        if (rule.owner_by == "User" and not rule.responsible) or (rule.owner_by == "Role" and not rule.role):
            frappe.throw(
                _("The rule for {0} exceptions does not name the user or role.").format(_(rule.exception_type))
            )
        if float(rule.money_from or 0) < 0 or int(rule.hours or 0) < 0:
            frappe.throw(_("The rule for {0} exceptions has a negative number.").format(_(rule.exception_type)))


def _check_private_hosts(row: Document) -> None:
    from erp_forecast_addon.services.dispatch_address import allowed_hosts

    with refusals_shown():
        allowed_hosts(row.get("dispatch_private_hosts"))


def _check_approval(row: Document) -> None:
    """Reading the row as approving reads it."""
    from erp_forecast_addon.site.approval_reads import approval_settings

    with refusals_shown():
        approval_settings(row.as_dict())


def _numbers(row: Document) -> list[str]:
    return [field.fieldname for field in row.meta.fields if field.fieldtype in ("Int", "Float", "Percent", "Currency")]
