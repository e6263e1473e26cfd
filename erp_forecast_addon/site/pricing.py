"""UOM factors, exchange rates and prices in comparable units."""

from datetime import date

import numpy as np
import pandas as pd

from erp_forecast_addon.site import queries
from erp_forecast_addon.site.port import Site


def company_currency(site: Site, company: str) -> str:
    """The company's own currency; "" when the company does not exist."""
    found = site.fetch(queries.companies(site.qb))
    return str(next(iter(found.loc[found["name"] == company, "default_currency"].dropna()), ""))


def conversion_factors(site: Site, wanted: pd.DataFrame) -> pd.Series:
    """Stock UOM per unit of `uom`, for rows of (item_code, stock_uom, variant_of, uom); NaN where nobody knows.

    The stock UOM itself counts 1; then the item's UOM Conversion Detail, its template's, UOM Conversion Factor, its
    inverse, and two factors over a common UOM (erpnext get_uom_conv_factor). ERPNext itself takes 1 for a missing
    factor; here it stays missing.
    """
    same = (wanted["uom"] == wanted["stock_uom"]).to_numpy()
    if same.all():
        return pd.Series(1.0, index=wanted.index, dtype=float)
    details = site.fetch(queries.item_uoms(site.qb)).drop_duplicates(["item_code", "uom"])
    of_item = details.set_index(["item_code", "uom"])["conversion_factor"]
    own = of_item.reindex(pd.MultiIndex.from_frame(wanted[["item_code", "uom"]])).to_numpy()
    template = of_item.reindex(pd.MultiIndex.from_frame(wanted[["variant_of", "uom"]])).to_numpy()
    general = _general_factors(site).reindex(pd.MultiIndex.from_frame(wanted[["uom", "stock_uom"]])).to_numpy()
    factor = np.select([same, ~np.isnan(own), ~np.isnan(template)], [1.0, own, template], general)
    return pd.Series(factor, index=wanted.index, dtype=float)


def uom_factor(site: Site, uoms: pd.Series, to_uom: str) -> list[float]:
    """Of each unit in to_uom by UOM Conversion Factor, both directions; NaN where nobody knows, 1 for to_uom itself."""
    known = _general_factors(site)
    wanted = pd.MultiIndex.from_arrays([uoms, [to_uom] * len(uoms)])
    factors = known.reindex(wanted).to_numpy(dtype=float)
    return list(np.where((uoms == to_uom).to_numpy(), 1.0, factors))


def _general_factors(site: Site) -> pd.Series:
    direct = site.fetch(queries.uom_factors(site.qb))
    inverse = pd.DataFrame({"from_uom": direct["to_uom"], "to_uom": direct["from_uom"], "value": 1.0 / direct["value"]})
    # kg -> mg = (g -> mg) / (g -> kg)
    over = direct.merge(direct, on="from_uom", suffixes=("", "_from"))
    over = pd.DataFrame(
        {"from_uom": over["to_uom_from"], "to_uom": over["to_uom"], "value": over["value"] / over["value_from"]}
    )
    known = pd.concat([direct, inverse, over], ignore_index=True).drop_duplicates(["from_uom", "to_uom"])
    return known.set_index(["from_uom", "to_uom"])["value"]


def exchange_rates(site: Site, own_currency: str, today: date) -> pd.Series:
    """Company currency per unit of each currency that has a Currency Exchange of today or before; own currency 1."""
    rates = site.fetch(queries.exchange_rates(site.qb, own_currency, today))
    latest = rates.drop_duplicates("from_currency", keep="last").set_index("from_currency")["exchange_rate"]
    return pd.concat([latest.drop(own_currency, errors="ignore"), pd.Series({own_currency: 1.0})])


def per_stock_uom(
    site: Site, prices: pd.DataFrame, items: pd.DataFrame, own_currency: str, today: date
) -> pd.DataFrame:
    """Prices of `items` with `base_rate` (company currency per stock UOM) and `price_factor` (stock UOM per price UOM).

    prices: rows of queries.item_prices; a template's prices are its variants' too, marked by of_template. Rows whose
    UOM nobody can convert are left out.
    """
    known = items[["item_code", "stock_uom", "variant_of"]]
    own = prices.merge(known, on="item_code").assign(of_template=False)
    of_template = (
        prices.rename(columns={"item_code": "variant_of"}).merge(known, on="variant_of").assign(of_template=True)
    )
    both = pd.concat([own, of_template[own.columns]], ignore_index=True) if len(of_template) else own
    if both.empty:
        return both.assign(price_factor=0.0, exchange_rate=0.0, base_rate=0.0)
    both["uom"] = both["uom"].fillna("").where(both["uom"].fillna("") != "", both["stock_uom"])
    both["currency"] = both["currency"].fillna(own_currency)
    both["price_factor"] = conversion_factors(site, both)
    both["exchange_rate"] = both["currency"].map(exchange_rates(site, own_currency, today)).astype(float)
    both["base_rate"] = both["price_list_rate"] / both["price_factor"] * both["exchange_rate"]
    return both[both["price_factor"].notna()]


def first_price_per_item(prices: pd.DataFrame) -> pd.Series:
    """base_rate by item: the item's own before its template's, the latest first."""
    ordered = prices.dropna(subset=["base_rate"]).sort_values(
        ["of_template", "valid_from"], ascending=[True, False], kind="stable", na_position="last"
    )
    return ordered.drop_duplicates("item_code").set_index("item_code")["base_rate"]
