"""Open orders, prices paid and the rules of exceptions, as tables and records."""

from dataclasses import dataclass
from datetime import date, timedelta

import pandas as pd

from erp_forecast_addon.planning.tables import OPEN_ORDERS, PAID
from erp_forecast_addon.site import watch_queries
from erp_forecast_addon.site.port import Site

# What is usual is read from the prices of so many days.
PRICES_FROM_DAYS = 730


@dataclass(frozen=True)
class Watch:
    """hours: by severity, until a case is overdue; the rest: how small a change is left alone."""

    hours: dict[str, int]
    early_days: int = 3
    late_days: int = 14
    grace_days: int = 3
    price_jump_share: float = 0.1


def open_orders(site: Site, company: str) -> pd.DataFrame:
    """Table OPEN_ORDERS of the company. The agreed date: what the supplier has named, else
    the line's own, else the order's, else the day it was placed.

    Lines without a conversion factor are left out: how much they bring is not known, which the plan tells of itself.
    """
    lines = site.fetch(watch_queries.open_orders(site.qb, company))
    if lines.empty:
        return OPEN_ORDERS.empty()
    lines = lines[lines["conversion_factor"] > 0]
    due = lines["promised_on"].fillna(lines["line_due_on"]).fillna(lines["order_due_on"]).fillna(lines["ordered_on"])
    return OPEN_ORDERS.check(
        lines.assign(
            due_on=due,
            open_qty=(lines["qty"] - lines["received_qty"]) * lines["conversion_factor"],
            unit_cost=lines["base_rate"] / lines["conversion_factor"],
        )
    )


def prices_paid(site: Site, company: str, as_of: date) -> pd.DataFrame:
    """Table PAID of the company: what was ordered and quoted in the last PRICES_FROM_DAYS days, up to as_of + 1."""
    since = as_of - timedelta(days=PRICES_FROM_DAYS)
    made = {"order": watch_queries.order_prices, "quotation": watch_queries.quoted_prices}
    parts = [site.fetch(query(site.qb, company, since)).assign(kind=kind) for kind, query in made.items()]
    parts = [part for part in parts if len(part)]
    if not parts:
        return PAID.empty()
    rows = pd.concat(parts, ignore_index=True)
    rows = rows[rows["day"] <= pd.Timestamp(as_of) + pd.Timedelta(days=1)]
    return PAID.check(rows.assign(base_rate=rows["base_rate"] / rows["conversion_factor"]))


def bought_items(site: Site) -> list[str]:
    """Stock items that are ordered from suppliers and not past their end of life."""
    found = site.fetch(watch_queries.bought_items(site.qb))
    kind = texts(found["default_material_request_type"])
    alive = found["end_of_life"].isna() | (found["end_of_life"] > pd.Timestamp(site.now().date()))
    return list(found.loc[kind.isin(("", "Purchase")) & alive, "name"])


def watch_settings(site: Site, company: str) -> Watch:
    """The company's row of Forecast Settings, as far as exceptions ask it; without a row our defaults."""
    rows = site.fetch(watch_queries.clock_hours(site.qb, company))
    if rows.empty:
        return Watch({"Critical": 8, "High": 24, "Medium": 72, "Low": 168})
    row = rows.iloc[0]
    return Watch(
        {name: int(row[f"hours_{name.lower()}"]) for name in ("Critical", "High", "Medium", "Low")},
        early_days=int(row["reschedule_early_days"]),
        late_days=int(row["reschedule_late_days"]),
        grace_days=int(row["late_grace_days"]),
        price_jump_share=float(row["price_jump_pct"]) / 100.0,
    )


def days_off(site: Site, company: str) -> set[date]:
    found = site.fetch(watch_queries.days_off(site.qb, company))
    return {day.date() for day in pd.to_datetime(found["holiday_date"]).dropna()} if len(found) else set()


# ---- who looks after a case ------------------------------------
def item_planners(site: Site, item_codes: list[str]) -> pd.Series:
    """The planner of each item: its own, else that of the nearest item group above it; index item_code, only where
    there is one."""
    items = site.fetch(watch_queries.planners_of_items(site.qb, item_codes)) if item_codes else pd.DataFrame()
    if items.empty:
        return pd.Series(dtype=object)
    groups = site.fetch(watch_queries.planners_of_groups(site.qb))
    groups = groups.apply(texts)
    parent = dict(zip(groups["name"], groups["parent_item_group"], strict=True))
    planner = dict(zip(groups["name"], groups["forecast_planner"], strict=True))
    items = items.set_index("name")
    found, group = texts(items["forecast_planner"]), texts(items["item_group"])
    for _level in range(len(parent) + 1):  # up the tree, a step for all items at once
        found = found.where(found != "", texts(group.map(planner)))
        group = texts(group.map(parent))
        if not ((found == "") & (group != "")).any():
            break
    return found[found != ""]


def texts(values: pd.Series) -> pd.Series:
    """As text, "" where there is nothing."""
    values = values.astype(object)
    return values.where(values.notna(), "")


def supplier_buyers(site: Site) -> pd.Series:
    """forecast_buyer by supplier, only where there is one."""
    found = site.fetch(watch_queries.buyers(site.qb))
    found = found[found["forecast_buyer"].fillna("") != ""]
    return found.drop_duplicates("name").set_index("name")["forecast_buyer"].astype(object)


def item_suppliers(site: Site, company: str, item_codes: list[str]) -> pd.Series:
    """The default supplier on the items themselves, by item_code."""
    if not item_codes:
        return pd.Series(dtype=object)
    found = site.fetch(watch_queries.default_suppliers(site.qb, company, item_codes))
    found = found[found["default_supplier"].fillna("") != ""]
    return found.drop_duplicates("parent").set_index("parent")["default_supplier"].astype(object)
