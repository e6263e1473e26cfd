"""Prices that suppliers quoted: the latest submitted Supplier Quotation of each item that still holds."""

from datetime import date, timedelta

import pandas as pd

from erp_forecast_addon.site import supplier_queries
from erp_forecast_addon.site.lead_times import QUOTATION_DAYS
from erp_forecast_addon.site.port import Site
from erp_forecast_addon.site.pricing import company_currency, exchange_rates


def quoted_prices(site: Site, company: str, today: date) -> pd.DataFrame:
    """supplier, item_code, min_qty (stock UOM), rate (per stock UOM, in `currency`), currency, base_rate (company
    currency per stock UOM; NaN without an exchange rate); several rows where a quotation gives prices by quantity,
    smallest quantity first.

    A quotation that names no last day counts for a year. ERPNext refuses a submitted line without a factor.
    """
    found = site.fetch(supplier_queries.quoted_prices(site.qb, company, today - timedelta(days=QUOTATION_DAYS)))
    found = found[found["valid_till"].isna() | (found["valid_till"] >= pd.Timestamp(today))]
    latest = found.drop_duplicates(["supplier", "item_code"], keep="last")
    found = found.merge(latest[["supplier", "item_code", "quotation"]], on=["supplier", "item_code", "quotation"])
    factor = found["conversion_factor"].where(found["conversion_factor"] > 0.0, 1.0)
    own = company_currency(site, company)
    currency = found["currency"].fillna("").replace("", own)
    rate = found["net_rate"] / factor
    rows = pd.DataFrame({
        "supplier": found["supplier"], "item_code": found["item_code"], "min_qty": found["qty"] * factor,
        "rate": rate, "currency": currency,
        "base_rate": rate * currency.map(exchange_rates(site, own, today)).astype(float),
    })  # fmt: skip
    return rows.sort_values(["supplier", "item_code", "min_qty"], kind="stable").reset_index(drop=True)
