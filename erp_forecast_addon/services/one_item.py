"""Forecasting one item at once, between two runs: its buckets, its forecasts, its levels. Orders are left to a run.

It takes no company lock: it writes only the rows of the item's own pairs, and a run that is going on writes the same
rows from the same buckets. What only a run can know, how much money an item moves beside all others, is kept: the item
keeps the class that the last run gave it.
"""

from collections.abc import Callable
from dataclasses import replace

import pandas as pd

from erp_forecast_addon.planning.messages import _
from erp_forecast_addon.planning.periods import MEAN_DAYS
from erp_forecast_addon.planning.plan import Plan
from erp_forecast_addon.planning.purchasing.network import Network
from erp_forecast_addon.planning.replenishment import DemandOutlook, Supply, replenish, standing
from erp_forecast_addon.services import arrivals, publish
from erp_forecast_addon.services.approval_times import learned_approval_time
from erp_forecast_addon.services.item_forecast import ItemForecast, item_forecast
from erp_forecast_addon.services.light_text import light_text
from erp_forecast_addon.services.open_drafts import leave_out, read_open_drafts
from erp_forecast_addon.services.open_requests import leave_out_untouched, read_open_requests
from erp_forecast_addon.services.refresh import mark_changed, refresh_demand
from erp_forecast_addon.site import doctypes, item_queries, reads
from erp_forecast_addon.site.order_terms import order_terms
from erp_forecast_addon.site.policy_reads import policy_terms
from erp_forecast_addon.site.port import Site
from erp_forecast_addon.site.settings import CompanySettings

# A person waits; a refresh that takes longer is somebody's full rebuild.
WAIT_SECONDS = 20.0
_PAIR = ["item_code", "warehouse"]
_CLASS_OF_NEW_PAIRS = "C"

NOT_ENABLED = _("{company} is not planned: enable it in Forecast Settings first.")


def forecast_item(site: Site, item_code: str, may_plan: Callable[[str, str], bool]) -> list[str]:
    """Read the item's ledger again, then forecast it and set its levels, warehouse by warehouse. Commits.

    may_plan: (company, warehouse) -> whether this pair is to be planned. Returns what a person should know: sentences,
    one per fault of the item. Raises Refused if the demand buckets are being rebuilt, BadInput for bad settings.
    """
    with light_text():
        chosen = chosen_pairs(site, item_code, may_plan)
        mark_changed(site, chosen[_PAIR])
        site.commit()
        refresh_demand(site, wait_seconds=WAIT_SECONDS)
        sentences: list[str] = []
        for company, pairs in chosen.groupby("company", sort=True):  # the companies of one item
            sentences += _forecast_in_company(site, item_code, str(company), set(pairs["warehouse"]))
        return sentences


def chosen_pairs(site: Site, item_code: str, may_plan: Callable[[str, str], bool]) -> pd.DataFrame:
    """item_code, warehouse, company of the pairs to plan. may_plan: see forecast_item."""
    held = site.fetch(item_queries.shelves_of_item(site.qb, item_code))
    homes = site.fetch(item_queries.companies_of_warehouses(site.qb)).set_index("name")["company"]
    pairs = pd.DataFrame({"item_code": item_code, "warehouse": held["warehouse"]})
    pairs["company"] = pairs["warehouse"].map(homes)
    pairs = pairs.dropna(subset=["company"])
    outside = {house for company in pairs["company"].unique() for house in reads.left_out(site, company)}
    pairs = pairs[~pairs["warehouse"].isin(outside)]
    allowed = [may_plan(company, house) for company, house in zip(pairs["company"], pairs["warehouse"], strict=True)]
    return pairs[pd.Series(allowed, index=pairs.index, dtype=bool)].sort_values("warehouse", ignore_index=True)


def _forecast_in_company(site: Site, item_code: str, company: str, warehouses: set[str]) -> list[str]:
    settings = reads.company_settings(site, company)
    if not settings.enabled:
        return [site.translate(NOT_ENABLED).format(company=company)]
    found = item_forecast(site, settings, item_code, warehouses)
    forecasts, faults = found.forecasts, found.faults
    positions, everything, supply = what_stands(site, settings, found, item_code, warehouses)
    dated, items = supply.dated, supply.items
    outlook = outlook_of(site, found, item_code)
    levels = replenish(outlook, positions, supply, settings.plan, site.as_of())
    policies = _of(levels.policies, item_code, warehouses)
    if len(dated) < len(everything):
        # As in a run: what is wrong is told as if nothing was drafted, the position has the drafts.
        with_drafts = replace(supply, dated=everything)
        now = standing(outlook, positions, with_drafts, settings.plan, site.as_of(), levels.levels)
        policies = _of(now, item_code, warehouses)
    made = Plan(forecasts, policies, levels.proposals, levels.faults, outlook, levels.levels, ready=levels.ready)
    _publish(site, settings, made, items, positions)
    faults += levels.faults
    site.commit()
    return [fault.sentence(site.translate) for fault in faults if fault.item_code == item_code]


def what_stands(
    site: Site, settings: CompanySettings, found: ItemForecast, item_code: str, warehouses: set[str]
) -> tuple[pd.DataFrame, pd.DataFrame, Supply]:
    """The item's positions (table POSITIONS), all that is open of it (DATED), and what may supply it: without our
    undecided drafts, as in a run."""
    company = settings.company
    items = found.items[found.items["item_code"] == item_code].reset_index(drop=True)
    positions = _of(reads.positions(found.site, company), item_code, warehouses)
    open_now = _of(reads.dated(found.site, company), item_code, warehouses)
    everything = arrivals.counted(open_now, arrivals.last(found.site, company), settings)
    dated = leave_out_untouched(
        leave_out(everything, read_open_drafts(site, company)), read_open_requests(site, company)
    )
    return positions, everything, supply_of(site, found.site, settings, [item_code], items, dated)


def outlook_of(site: Site, found: ItemForecast, item_code: str) -> DemandOutlook:
    return _outlook(found, _last_classes(site, item_code))


def supply_of(
    site: Site, narrowed: Site, settings: CompanySettings, item_codes: list[str], items: pd.DataFrame,
    dated: pd.DataFrame,
) -> Supply:  # fmt: skip
    """What the items' levels are made of besides their forecast, as in a run. narrowed: to what these items need."""
    sourcing = reads.sourcing(narrowed, settings.company, item_codes)
    # As the last run learned them: learning again takes every receipt of the company.
    known = reads.known_lead_times(narrowed, settings.company, sorted(set(sourcing["supplier"])), item_codes)
    approval = learned_approval_time(site, settings, site.as_of())
    terms = policy_terms(narrowed, settings.company)
    asked = order_terms(site, settings.company).terms
    network = reads.network(narrowed, settings.company) if settings.draft_requests else Network()
    return Supply(
        dated, items, sourcing, known, approval, terms.rules, terms.former, terms.price_breaks, asked, network=network
    )


def _outlook(found: ItemForecast, last: pd.DataFrame) -> DemandOutlook:
    """last: abc_class and demand_variation by warehouse, of the last run. Alone, an item would be all the money there
    is and always of class A; a new pair moves little yet."""
    forecasts = found.forecasts
    known = last.reindex(forecasts.keys["warehouse"])
    return DemandOutlook(
        keys=forecasts.keys,
        demand_class=forecasts.demand_class,
        daily_mean=forecasts.daily_mean,
        daily_std=forecasts.daily_std,
        last_year_qty=found.last_year_qty,
        totals=forecasts.totals,
        paths=forecasts.paths,
        long_run_daily=forecasts.long_run_daily,
        period_days=MEAN_DAYS[forecasts.period],
        asked=found.asked,
        prior=found.prior,
        variation=known["demand_variation"].to_numpy(dtype=float),
        abc_class=known["abc_class"].fillna(_CLASS_OF_NEW_PAIRS).to_numpy(dtype=object),
    )


def _last_classes(site: Site, item_code: str) -> pd.DataFrame:
    stored = site.fetch(item_queries.classes_of_item(site.qb, item_code))
    return stored.assign(abc_class=stored["abc_class"].replace("", None)).set_index("warehouse")


def _publish(site: Site, settings: CompanySettings, made: Plan, items: pd.DataFrame, positions: pd.DataFrame) -> None:
    """Write the rows; the run that they stand under stays, so that a run going on does not take them for leftovers."""
    for rows in publish.forecast_rows(made.forecasts, "", settings, items, site.translate):
        _upsert(site, publish.FORECAST, rows)
    for rows in publish.policy_rows(made, "", settings, items, positions, site.translate):
        _upsert(site, publish.POLICY, rows)


def _upsert(site: Site, doctype: str, rows: pd.DataFrame) -> None:
    site.upsert_rows(doctype, rows.drop(columns="forecast_run"), doctypes.UNIQUE_KEYS[doctype])


def _of(rows: pd.DataFrame, item_code: str, warehouses: set[str]) -> pd.DataFrame:
    return rows[(rows["item_code"] == item_code) & rows["warehouse"].isin(warehouses)].reset_index(drop=True)
