"""Who may approve how much in a company: by the approvers of Forecast Settings, or by a delegation of one of them."""

from erp_forecast_addon.planning.messages import _
from erp_forecast_addon.planning.purchasing.authority import NO_LIMIT, ApproverRow, Authority, authority, own_limit
from erp_forecast_addon.site import approval_reads, reads
from erp_forecast_addon.site.port import APPROVER_ROLE, Site

RECORD = "Auto Purchase Order"
_ANYBODY = _("whoever has the role {role}")


def own_limit_of(site: Site, company: str, user: str) -> float:
    """Up to how much he may approve by his own right; infinity without limit, 0 for not at all. Company currency."""
    return own_limit(user, site.roles_of(user), approval_reads.approver_rows(site, company), APPROVER_ROLE)


def authority_of(site: Site, company: str, user: str, record: str | None = None) -> Authority:
    """The most he may approve today, and on whose behalf. record: an Auto Purchase Order; nobody lends a right that he
    does not have on it."""
    today = site.now().date()
    rows = approval_reads.approver_rows(site, company)
    lent = approval_reads.delegations(site, company, today)

    def limit_of(name: str) -> float:
        if name != user and record is not None and not site.may_write(name, RECORD, record):
            return 0.0
        return own_limit(name, site.roles_of(name), rows, APPROVER_ROLE)

    return authority(user, today, lent, limit_of)


def who_may(site: Site, company: str, amount: float) -> str:
    """The users and roles that may approve this amount, the smallest limit first: for a sentence."""
    rows = sorted(approval_reads.approver_rows(site, company), key=lambda row: row.limit or NO_LIMIT)
    if not rows:
        return site.translate(_ANYBODY).format(role=site.translate(APPROVER_ROLE))
    return ", ".join(dict.fromkeys(_named(site, row) for row in rows if (row.limit or NO_LIMIT) >= amount))


def _named(site: Site, row: ApproverRow) -> str:
    return row.user or site.translate(row.role)


def limit_in_words(site: Site, company: str, limit: float) -> str:
    return f"{limit:,.2f} {reads.company_currency(site, company)}"
