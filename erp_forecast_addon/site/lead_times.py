"""What suppliers delivered, what they still owe, and the lead times that they or others named."""

import json
from datetime import date, timedelta
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from erp_forecast_addon.planning.inventory.lead_time_distribution import STEPS, LeadTimeDistributions, in_steps
from erp_forecast_addon.planning.inventory.lead_time_learning import Learned, learn_lead_times
from erp_forecast_addon.planning.settings import PlanSettings
from erp_forecast_addon.planning.tables import OPEN_LINES, RECEIPTS
from erp_forecast_addon.site import lead_time_queries, queries
from erp_forecast_addon.site.port import Site

# Lead times are learned from the receipts of two years.
LEARNED_FROM_DAYS: Final = 730
# A quotation that names no last day of validity counts for a year.
QUOTATION_DAYS: Final = 365


def receipts(site: Site, company: str, since: date | None = None) -> pd.DataFrame:
    """Table RECEIPTS: what arrived on submitted orders, posted since that day (None: ever)."""
    made = (queries.receipts, queries.invoiced_receipts)
    parts = [site.fetch(query(site.qb, company, since)) for query in made]
    return RECEIPTS.check(pd.concat([part for part in parts if len(part)] or [RECEIPTS.empty()], ignore_index=True))


def open_lines(site: Site, company: str) -> pd.DataFrame:
    """Table OPEN_LINES: what is still to come on submitted orders that are not closed."""
    lines = site.fetch(queries.open_order_lines(site.qb, company))
    return OPEN_LINES.check(lines.assign(open_qty=(lines["qty"] - lines["done_qty"]) * lines["conversion_factor"]))


def learned_lead_times(site: Site, company: str, default_days: float | None = None) -> Learned:
    """Lead times and delays of the company's suppliers, learned from the receipts of LEARNED_FROM_DAYS and open lines.

    default_days: the settings' lead time, which a company without receipts starts from; None: the product's default.
    Everything is as it stands today, which open lines cannot be told otherwise; for a day in the past use
    planning.inventory.lead_time_learning on tables of then.
    """
    today = site.now().date()
    since = today - timedelta(days=LEARNED_FROM_DAYS)
    start = PlanSettings(company).default_lead_time_days if default_days is None else default_days
    return learn_lead_times(receipts(site, company, since), open_lines(site, company), today, start, _agreed(site))


def known_lead_times(site: Site, company: str, suppliers: list[str], item_codes: list[str]) -> LeadTimeDistributions:
    """What the last run learned of these suppliers, as a whole and for these items; learned anew where no run has
    written anything yet."""
    if site.fetch(lead_time_queries.any_record(site.qb, company)).empty:
        return learned_lead_times(site, company).lead_times
    rows = site.fetch(lead_time_queries.stored_distributions(site.qb, company, suppliers, item_codes))
    if rows.empty:
        return LeadTimeDistributions.none()
    return LeadTimeDistributions(
        supplier=rows["supplier"].to_numpy(dtype=object),
        item_code=rows["item_code"].fillna("").to_numpy(dtype=object),
        probability=from_text(rows["distribution"].tolist()),
        observations=rows["observations"].to_numpy(dtype=float),
        source=np.full(len(rows), "receipts", dtype=object),
    )


def as_text(probability: NDArray[np.float64], row: NDArray[np.int64]) -> list[str]:
    """(n,) texts {"from": first day, "shares": whole steps, see in_steps}; "" for row -1.

    A loop over rows: each is a text of its own.
    """
    whole = in_steps(probability)
    texts = []
    for at in row.tolist():
        days = np.flatnonzero(whole[at]) if at >= 0 else np.empty(0, dtype=np.int64)
        if not len(days):
            texts.append("")
            continue
        shares = whole[at, days[0] : days[-1] + 1].tolist()
        texts.append(json.dumps({"from": int(days[0]), "shares": shares}, separators=(",", ":")))
    return texts


def from_text(texts: list[str]) -> NDArray[np.float64]:
    """(n, D + 1) the distributions that as_text wrote. A loop over rows: there is no parser of columns."""
    parsed = [json.loads(text) for text in texts]
    last = max((each["from"] + len(each["shares"]) for each in parsed), default=1)
    out = np.zeros((len(parsed), last))
    for at, each in enumerate(parsed):
        out[at, each["from"] : each["from"] + len(each["shares"])] = each["shares"]
    return out / STEPS


def _agreed(site: Site) -> pd.DataFrame:
    """supplier, item_code, days: what suppliers' own price lists name as their usual lead time."""
    named = site.fetch(queries.agreed_lead_times(site.qb))
    return named.drop_duplicates(["supplier", "item_code"], keep="last").reset_index(drop=True)


def quoted_days(site: Site, company: str, rows: pd.DataFrame, today: date) -> NDArray[np.float64]:
    """(n,) days that the supplier named for the item in his latest Supplier Quotation that still holds; NaN: none.

    rows: item_code, supplier.
    """
    found = site.fetch(queries.quoted_lead_times(site.qb, company, today - timedelta(days=QUOTATION_DAYS)))
    holds = found["valid_till"].isna() | (found["valid_till"] >= pd.Timestamp(today))
    latest = (
        found[holds].sort_values("quoted_on", kind="stable").drop_duplicates(["item_code", "supplier"], keep="last")
    )
    return _looked_up(latest.set_index(["item_code", "supplier"])["lead_time_days"],
                      pd.MultiIndex.from_frame(rows[["item_code", "supplier"]]))  # fmt: skip


def item_lead_time_days(site: Site, rows: pd.DataFrame) -> NDArray[np.float64]:
    """(n,) purchase time of Item Lead Time, which ERPNext has from v16 on; NaN: none. rows: item_code."""
    if not site.has_doctype("Item Lead Time"):
        return np.full(len(rows), np.nan)
    found = site.fetch(queries.item_lead_times(site.qb)).drop_duplicates("item_code", keep="last")
    return _looked_up(found.set_index("item_code")["purchase_time"], pd.Index(rows["item_code"]))


def _looked_up(values: pd.Series, wanted: Any) -> NDArray[np.float64]:
    return np.asarray(values.reindex(wanted).to_numpy(dtype=float))
