"""Events, holidays, prices over time, overrides and replacements, as the tables of planning.tables."""

import html
import re
from datetime import date, timedelta

import pandas as pd

from erp_forecast_addon.planning.errors import Fault
from erp_forecast_addon.planning.national_holidays import holidays_of
from erp_forecast_addon.planning.scopes import Scopes
from erp_forecast_addon.planning.tables import EVENTS, HOLIDAYS, OVERRIDES, PRICES, REPLACEMENTS, TREE
from erp_forecast_addon.site import reads, signal_queries
from erp_forecast_addon.site.port import Site
from erp_forecast_addon.site.pricing import company_currency, per_stock_uom
from erp_forecast_addon.site.settings import CompanySettings

# Types of events whose values by date are a number of their own rather than how strong the event is.
SIGNAL_TYPES = ("Weather", "External Signal")
_TAG = re.compile(r"<[^>]*>")


def scopes(site: Site, company: str, items: pd.DataFrame) -> Scopes:
    """What the scope of an event can name. items: table ITEMS."""
    houses = reads.warehouse_tree(site, company).rename(columns={"parent_warehouse": "parent"})
    return Scopes(
        company=company,
        items=items,
        item_groups=TREE.check(site.fetch(signal_queries.item_groups(site.qb))),
        warehouses=TREE.check(houses[["name", "parent"]]),
    )


def events(site: Site, since: date) -> pd.DataFrame:
    """Table EVENTS of every company (planning takes what concerns the one it plans), on days after `since`.

    An event with values by date has a row per value; where its type is one of SIGNAL_TYPES they are a signal.
    """
    found = site.fetch(signal_queries.events(site.qb))
    series = site.fetch(signal_queries.event_values(site.qb, since))
    by_date = series.merge(found.drop(columns=["from_day", "to_day", "value"]), on="event")
    by_date = by_date.assign(to_day=by_date["from_day"], is_signal=by_date["event_type"].isin(SIGNAL_TYPES))
    spans = found[~found["event"].isin(series["event"]) & found["from_day"].notna()]
    spans = spans.assign(to_day=spans["to_day"].fillna(spans["from_day"]), is_signal=False)
    return EVENTS.check(pd.concat([spans, by_date[spans.columns]], ignore_index=True))


def holidays(site: Site, settings: CompanySettings, first: date, last: date) -> tuple[pd.DataFrame, list[Fault]]:
    """Table HOLIDAYS of a company: its default Holiday List and, by setting, the public holidays of its country.

    A day that both know has the public name, which is the same every year; weekly days off are left out.
    """
    own = site.fetch(signal_queries.holidays_of_company(site.qb, settings.company))
    own = own.assign(title=own["description"].fillna("").map(_plain_text))
    own = own[(own["title"] != "") & own["day"].between(pd.Timestamp(first), pd.Timestamp(last))]
    public, faults = HOLIDAYS.empty(), list[Fault]()
    if settings.use_holidays:
        country = settings.holiday_country or _country(site, settings.company)
        public, faults = holidays_of(country, settings.holiday_subdivision, first, last)
    own = own.loc[~own["day"].isin(public["day"]), ["title", "day"]].drop_duplicates()
    return HOLIDAYS.check(pd.concat([public, own], ignore_index=True) if len(own) else public), faults


def _country(site: Site, company: str) -> str:
    return str(next(iter(site.fetch(signal_queries.country_of_company(site.qb, company))["country"].dropna()), ""))


def _plain_text(rich: str) -> str:
    return " ".join(html.unescape(_TAG.sub(" ", rich)).split())


def prices(site: Site, company: str, items: pd.DataFrame, since: date) -> pd.DataFrame:
    """Table PRICES: what items cost on the selling price list of the settings (any, if none is set).

    items: table ITEMS. An item without prices of its own has its template's. Rates in company currency at today's
    exchange rate, so that a currency's moves do not look like changes of price.
    """
    listed = reads.single(site, "Selling Settings").get("selling_price_list") or ""
    found = site.fetch(signal_queries.selling_prices_over_time(site.qb, since))
    found = found[(found["price_list"] == listed) | (listed == "")]
    rates = per_stock_uom(site, found, items, company_currency(site, company), site.now().date())
    rates = rates[rates["base_rate"].notna()]
    has_own = rates.loc[~rates["of_template"], "item_code"]
    rates = rates[~rates["of_template"] | ~rates["item_code"].isin(has_own)]
    columns = {"valid_from": "from_day", "valid_upto": "to_day", "base_rate": "rate"}
    return PRICES.check(rates.rename(columns=columns)[["item_code", *columns.values()]])


def overrides(site: Site, company: str, as_of: date) -> pd.DataFrame:
    """Table OVERRIDES: approved and not over on the day after as_of."""
    return OVERRIDES.check(site.fetch(signal_queries.approved_overrides(site.qb, company, as_of + timedelta(days=1))))


def replacements(site: Site) -> pd.DataFrame:
    """Table REPLACEMENTS: Item.replaced_by, and Item Alternative in the directions that it holds for."""
    chosen = site.fetch(signal_queries.item_successors(site.qb)).assign(is_choice=True)
    other = site.fetch(signal_queries.item_alternatives(site.qb)).assign(is_choice=False)
    back = other[other["two_way"] == 1].rename(columns={"item_code": "successor", "successor": "item_code"})
    rows = pd.concat([chosen, other[chosen.columns], back[chosen.columns]], ignore_index=True)
    return REPLACEMENTS.check(rows.drop_duplicates(["item_code", "successor"]))
