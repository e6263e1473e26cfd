"""How long drafts of Purchase Orders wait for approval: kept from install on, read once from before it.

One row per Purchase Order, whoever drafted it: what people need for an order of their own tells as much as what they
need for one of ours.
"""

from datetime import date, datetime, timedelta

import pandas as pd

from erp_forecast_addon.planning.inventory.approval_time import ApprovalTime, approval_time
from erp_forecast_addon.site import doctypes, lead_time_queries
from erp_forecast_addon.site.port import Site
from erp_forecast_addon.site.settings import CompanySettings

DOCTYPE = "Order Approval Time"
LEARNED_FROM_DAYS = 730
_SECONDS_PER_DAY = 86400.0


def record_approval(site: Site, purchase_order: str, company: str, drafted_at: datetime, approved_at: datetime) -> None:
    """Keep when a draft was made and when it was submitted; the same order again replaces what was kept."""
    rows = pd.DataFrame(
        {
            "purchase_order": [purchase_order], "company": [company], "drafted_at": [pd.Timestamp(drafted_at)],
            "approved_at": [pd.Timestamp(approved_at)], "origin": ["Event"],
        }
    )  # fmt: skip
    record_approvals(site, rows)


def record_approvals(site: Site, rows: pd.DataFrame) -> int:
    """rows: purchase_order, company, drafted_at, approved_at, origin (Event or Version). -> rows written."""
    waited = (rows["approved_at"] - rows["drafted_at"]).dt.total_seconds() / _SECONDS_PER_DAY
    return site.upsert_rows(DOCTYPE, rows.assign(days=waited.round(4)), doctypes.UNIQUE_KEYS[DOCTYPE])


def learned_approval_time(site: Site, settings: CompanySettings, as_of: date) -> ApprovalTime:
    """From the orders that were approved in the last two years; without any, the days of the settings."""
    since = as_of - timedelta(days=LEARNED_FROM_DAYS)
    kept = site.fetch(lead_time_queries.approval_times(site.qb, settings.company, since))
    return approval_time(kept["days"].to_numpy(dtype=float), float(settings.plan.approval_days))
