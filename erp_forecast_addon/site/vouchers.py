"""Which ledger rows are demand, and on which day: decided by the kind of voucher behind a row.

The ledger itself tells most of it. Only the exceptional vouchers (returns, internal customers, Stock Entries) are
looked up: joining millions of ledger rows with their vouchers costs far more.
"""

from typing import Final

import numpy as np
import pandas as pd

from erp_forecast_addon.site import queries
from erp_forecast_addon.site.port import Site
from erp_forecast_addon.site.settings import CompanySettings

SALES: Final = ("Delivery Note", "Sales Invoice", "POS Invoice")
MANUFACTURE: Final = ("Manufacture", "Material Consumption for Manufacture")
# Up to so many vouchers are looked up by name; beyond it, reading all exceptional ones is cheaper.
_BY_NAME_AT_MOST: Final = 5000
_NAMES_PER_QUERY: Final = 1000


def with_demand(site: Site, settings: CompanySettings, rows: pd.DataFrame) -> pd.DataFrame:
    """Add is_demand and demand_day (NaT: the day of posting) to ledger rows that have voucher_type and voucher_no.

    Sales count as they go out. A customer's return counts against the day of the sale it returns (return_against), or
    its own day; sales to internal customers are transfers. Of Stock Entries those purposes count, going out, that the
    company's settings name. Everything else (receipts, reconciliations, transfers, purchase returns) is not demand.
    """
    is_demand = np.zeros(len(rows), dtype=bool)
    demand_day = pd.Series(pd.NaT, index=rows.index, dtype="datetime64[ns]")
    outgoing = (rows["actual_qty"] < 0).to_numpy()
    for doctype in SALES:
        of_type = (rows["voucher_type"] == doctype).to_numpy()
        if of_type.any():
            special = _special_sales(site, doctype, rows.loc[of_type, "voucher_no"])
            voucher = rows.loc[of_type, "voucher_no"]
            returned = voucher.isin(special.index[special["is_return"] == 1]).to_numpy()
            internal = voucher.isin(special.index[special["is_internal_customer"] == 1]).to_numpy()
            is_demand[of_type] = (outgoing[of_type] | returned) & ~internal
            demand_day[of_type] = special["sale_day"].reindex(voucher).to_numpy()
    of_type = (rows["voucher_type"] == "Stock Entry").to_numpy()
    if of_type.any() and (purposes := demand_purposes(settings)):
        counted = _stock_entries(site, purposes, rows.loc[of_type, "voucher_no"])
        is_demand[of_type] = outgoing[of_type] & rows.loc[of_type, "voucher_no"].isin(counted).to_numpy()
    return rows.assign(is_demand=is_demand, demand_day=demand_day)


def demand_purposes(settings: CompanySettings) -> list[str]:
    """The purposes of Stock Entry whose outgoing rows are demand."""
    issued = ["Material Issue"] if settings.demand_material_issue else []
    made = list(MANUFACTURE) if settings.demand_manufacture else []
    sent = ["Send to Subcontractor"] if settings.demand_subcontract else []
    return issued + made + sent


def _special_sales(site: Site, doctype: str, vouchers: pd.Series) -> pd.DataFrame:
    """is_return, is_internal_customer, sale_day of the exceptional ones, by name."""
    parts = [
        site.fetch(queries.special_sales(site.qb, doctype, names)).set_index("name") for names in _lookups(vouchers)
    ]
    found = pd.concat(parts)
    return found if "is_internal_customer" in found else found.assign(is_internal_customer=0)


def _stock_entries(site: Site, purposes: list[str], vouchers: pd.Series) -> pd.Series:
    parts = [site.fetch(queries.stock_entries(site.qb, purposes, names))["name"] for names in _lookups(vouchers)]
    return pd.concat(parts)


def _lookups(vouchers: pd.Series) -> list[list[str] | None]:
    names = list(vouchers.unique())
    if len(names) > _BY_NAME_AT_MOST:
        return [None]
    return [names[at : at + _NAMES_PER_QUERY] for at in range(0, len(names), _NAMES_PER_QUERY)]
