"""Approvals from before the app was installed, read once from what Frappe keeps of changed documents (Version).

A Version of a Purchase Order that changes docstatus from 0 to 1 was made when its draft was submitted. Orders that were
saved and submitted in one go have none and are left out; a site that does not track changes has no history at all.
"""

import json
from collections.abc import Iterator
from typing import Any

import frappe
import pandas as pd
from frappe.utils import add_days, now_datetime

from erp_forecast_addon.services.approval_times import LEARNED_FROM_DAYS, record_approvals
from erp_forecast_addon.site import lead_time_queries
from erp_forecast_addon.site.frappe_site import FrappeSite

_ROWS_AT_ONCE = 2000


def read_approval_history() -> int:
    """Rows of Order Approval Time for orders that have none yet; -> how many. Running it again reads nothing twice."""
    site = FrappeSite()
    known = set(site.fetch(lead_time_queries.recorded_orders(site.qb))["purchase_order"])
    made = 0
    for versions in _versions():
        submitted = {each.docname: each.creation for each in versions if _submits(each.data)}
        wanted = [name for name in submitted if name not in known]
        if not wanted:
            continue
        orders = frappe.get_all(
            "Purchase Order", filters={"name": ("in", wanted)}, fields=["name", "company", "creation"], order_by="name"
        )
        rows = pd.DataFrame([
            {"purchase_order": each.name, "company": each.company, "drafted_at": pd.Timestamp(each.creation),
             "approved_at": pd.Timestamp(submitted[each.name]), "origin": "Version"}
            for each in orders if each.company
        ])  # fmt: skip
        if len(rows):
            made += record_approvals(site, rows)
            known |= set(rows["purchase_order"])
    return made


def _versions() -> Iterator[list[Any]]:
    """In pieces, by name, so that a long history is never all in memory."""
    after, since = "", add_days(now_datetime(), -LEARNED_FROM_DAYS)
    version = frappe.qb.DocType("Version")
    while True:
        found = (
            frappe.qb.from_(version)
            .select(version.name, version.docname, version.creation, version.data)
            .where((version.ref_doctype == "Purchase Order") & (version.creation >= since) & (version.name > after))
            .where(version.data.like("%docstatus%"))
            .orderby(version.name)
            .limit(_ROWS_AT_ONCE)
        ).run(as_dict=True)
        if not found:
            return
        yield found
        after = found[-1].name


def _submits(data: str) -> bool:
    changed = (json.loads(data or "{}") or {}).get("changed") or []
    return any(change[0] == "docstatus" and change[1] == 0 and change[2] == 1 for change in changed)
