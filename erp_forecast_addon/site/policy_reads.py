"""What policies are made of besides demand and supply, as the tables of planning.tables."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from erp_forecast_addon.planning.inventory.rules import Rules
from erp_forecast_addon.planning.tables import FORMER_LEVELS, PLANNING_RULES, PRICE_BREAKS, TREE
from erp_forecast_addon.site import policy_queries, queries, signal_queries
from erp_forecast_addon.site.port import Site
from erp_forecast_addon.site.pricing import company_currency, exchange_rates

_LEVELS = ["safety_stock_qty", "reorder_point_qty", "order_up_to_qty"]


@dataclass(frozen=True)
class PolicyTerms:
    """rules: what planners said; former: table FORMER_LEVELS; price_breaks: table PRICE_BREAKS."""

    rules: Rules
    former: pd.DataFrame
    price_breaks: pd.DataFrame


def policy_terms(site: Site, company: str) -> PolicyTerms:
    return PolicyTerms(planning_rules(site, company), former_levels(site, company), price_breaks(site, company))


def planning_rules(site: Site, company: str) -> Rules:
    """The company's enabled rules. A number of 0 says nothing, unless the rule says that 0 is meant."""
    found = site.fetch(policy_queries.planning_rules(site.qb, company))
    rules = found.assign(
        service_target=_said(found, "service_target_pct") / 100.0,
        min_qty=_said(found, "min_qty", found["set_min_qty"] == 1),
        max_qty=_said(found, "max_qty", found["set_max_qty"] == 1),
        holding_rate_per_year=_said(found, "holding_cost_pct") / 100.0,
        order_cost=_said(found, "order_cost"),
        shortage_cost=_said(found, "shortage_cost"),
    )
    return Rules(PLANNING_RULES.check(rules), TREE.check(site.fetch(signal_queries.item_groups(site.qb))))


def _said(rows: pd.DataFrame, field: str, zero_is_meant: pd.Series | bool = False) -> pd.Series:
    values = rows[field].astype(float).fillna(0.0)
    return values.where((values != 0.0) | zero_is_meant)


def former_levels(site: Site, company: str) -> pd.DataFrame:
    """Table FORMER_LEVELS: the Safety Stock Policies of the last plan."""
    found = site.fetch(policy_queries.standing_levels(site.qb, company))
    return FORMER_LEVELS.check(found[found[_LEVELS].notna().all(axis=1)])


def price_breaks(site: Site, company: str) -> pd.DataFrame:
    """Table PRICE_BREAKS: buying Pricing Rules by item code, from a quantity on.

    A rule in a unit without a conversion factor, or in a currency without a rate, cannot be compared and is left out.
    """
    today = site.now().date()
    found = site.fetch(policy_queries.buying_price_rules(site.qb, company, today))
    if found.empty:
        return PRICE_BREAKS.empty()
    factor = _factors(site, found)
    currency = company_currency(site, company)
    money = found["currency"].fillna("").replace("", currency).map(exchange_rates(site, currency, today)).astype(float)
    kind = found["rate_or_discount"]
    rows = pd.DataFrame(
        {
            "item_code": found["item_code"],
            "supplier": found["supplier"].fillna(""),
            "min_qty": found["min_qty"] * factor,
            "base_rate": (found["rate"] * money / factor).where(kind == "Rate"),
            "discount_share": (found["discount_percentage"] / 100.0).where(kind == "Discount Percentage"),
            "discount_amount": (found["discount_amount"] * money / factor).where(kind == "Discount Amount"),
        }
    )
    known = rows[["base_rate", "discount_share", "discount_amount"]].notna().any(axis=1)
    return PRICE_BREAKS.check(rows[known & rows["min_qty"].notna() & np.isfinite(rows["min_qty"])])


def _factors(site: Site, found: pd.DataFrame) -> pd.Series:
    """Stock units per unit of the rule; NaN where the item does not know the unit."""
    units = site.fetch(queries.item_uoms(site.qb))
    by_unit = units.drop_duplicates(["item_code", "uom"]).set_index(["item_code", "uom"])["conversion_factor"]
    uom = found["uom"].fillna("")
    factor = by_unit.reindex(pd.MultiIndex.from_arrays([found["item_code"], uom])).to_numpy(dtype=float)
    stock_uom = site.fetch(queries.items(site.qb)).set_index("item_code")["stock_uom"]
    plain = (uom == "") | (uom == found["item_code"].map(stock_uom))
    return pd.Series(np.where(plain, 1.0, factor), index=found.index)
