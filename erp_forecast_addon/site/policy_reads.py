"""What policies are made of besides demand and supply, as the tables of planning.tables."""

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from erp_forecast_addon.planning.inventory.rules import Rules
from erp_forecast_addon.planning.tables import FORMER_LEVELS, PLANNING_RULES, PRICE_BREAKS, TREE
from erp_forecast_addon.site import policy_queries, queries, signal_queries
from erp_forecast_addon.site.port import Site
from erp_forecast_addon.site.pricing import company_currency, conversion_factors, exchange_rates
from erp_forecast_addon.site.quotations import quoted_prices

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
        occasion_cost=_said(found, "occasion_cost"),
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
    """Table PRICE_BREAKS: buying Pricing Rules by item code, item group (with all below it) or brand, from a quantity
    on, and the quantities of the latest Supplier Quotations.

    A rule in a unit without a conversion factor, or in a currency without a rate, cannot be compared and is left out.
    """
    today = site.now().date()
    quoted = quoted_prices(site, company, today)
    parts = [quoted[quoted["min_qty"] > 0.0], _ruled(site, company, today)]
    parts = [part for part in parts if len(part)]
    return PRICE_BREAKS.check(pd.concat(parts, ignore_index=True)) if parts else PRICE_BREAKS.empty()


def _ruled(site: Site, company: str, today: date) -> pd.DataFrame:
    """Pricing Rules as rows of PRICE_BREAKS."""
    found = _rules_of_items(site, company, today)
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
    return rows[known & rows["min_qty"].notna() & np.isfinite(rows["min_qty"])]


def _rules_of_items(site: Site, company: str, today: date) -> pd.DataFrame:
    """One row per rule and item that it names: by code, by group or by brand."""
    by_code = site.fetch(policy_queries.buying_price_rules(site.qb, company, today))
    by_group = site.fetch(policy_queries.buying_price_rules(site.qb, company, today, "Item Group"))
    by_brand = site.fetch(policy_queries.buying_price_rules(site.qb, company, today, "Brand"))
    if by_group.empty and by_brand.empty:
        return by_code
    items = site.fetch(queries.items(site.qb))[["item_code", "item_group", "brand"]]
    groups = _groups_above(site.fetch(signal_queries.item_groups(site.qb)))
    of_groups = items.merge(groups, left_on="item_group", right_on="group").drop(columns=["item_group", "brand"])
    found = [
        by_code,
        by_group.merge(of_groups, left_on="item_group", right_on="above")[by_code.columns],
        by_brand.merge(items[["item_code", "brand"]], on="brand")[by_code.columns],
    ]
    return pd.concat([part for part in found if len(part)], ignore_index=True) if any(map(len, found)) else by_code


def _groups_above(tree: pd.DataFrame) -> pd.DataFrame:
    """(group, above) for every group and each group above it, itself included; one merge per level of the tree."""
    level = pd.DataFrame({"group": tree["name"], "above": tree["name"]})
    parents = tree[["name", "parent"]].fillna("")
    levels: list[pd.DataFrame] = []
    while not level.empty and len(levels) <= len(tree):
        levels.append(level)
        up = level.merge(parents, left_on="above", right_on="name")
        level = up.loc[up["parent"] != "", ["group", "parent"]].set_axis(["group", "above"], axis=1)
    return pd.concat(levels, ignore_index=True)


def _factors(site: Site, found: pd.DataFrame) -> pd.Series:
    """Stock units per unit of the rule, as ERPNext converts (see pricing.conversion_factors); NaN: nobody knows."""
    items = site.fetch(queries.items(site.qb)).set_index("item_code")[["stock_uom", "variant_of"]]
    wanted = found[["item_code"]].join(items, on="item_code").fillna({"stock_uom": "", "variant_of": ""})
    uom = found["uom"].fillna("")
    return conversion_factors(site, wanted.assign(uom=uom.where(uom != "", wanted["stock_uom"])))
