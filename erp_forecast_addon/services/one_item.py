"""Forecasting one item at once, between two runs: its buckets, its forecasts, its levels. Orders are left to a run.

It takes no company lock: it writes only the rows of the item's own pairs, and a run that is going on writes the same
rows from the same buckets. What only a run can know, how much money an item moves beside all others, is kept: the item
keeps the class that the last run gave it.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pandas as pd

from erp_forecast_addon.planning.errors import Fault
from erp_forecast_addon.planning.messages import _
from erp_forecast_addon.planning.panel import build_panel
from erp_forecast_addon.planning.plan import Plan, Supply, plan
from erp_forecast_addon.services import publish
from erp_forecast_addon.services.open_drafts import leave_out, read_open_drafts
from erp_forecast_addon.services.refresh import mark_changed, refresh_demand
from erp_forecast_addon.site import doctypes, item_queries, reads
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
    chosen = _chosen_pairs(site, item_code, may_plan)
    mark_changed(site, chosen[_PAIR])
    site.commit()
    refresh_demand(site, wait_seconds=WAIT_SECONDS)
    sentences: list[str] = []
    for company, pairs in chosen.groupby("company", sort=True):  # the companies of one item
        sentences += _forecast_in_company(site, item_code, str(company), set(pairs["warehouse"]))
    return sentences


def _chosen_pairs(site: Site, item_code: str, may_plan: Callable[[str, str], bool]) -> pd.DataFrame:
    """item_code, warehouse, company of the pairs to plan."""
    held = site.fetch(item_queries.shelves_of_item(site.qb, item_code))
    homes = site.fetch(item_queries.companies_of_warehouses(site.qb)).set_index("name")["company"]
    pairs = pd.DataFrame({"item_code": item_code, "warehouse": held["warehouse"]})
    pairs["company"] = pairs["warehouse"].map(homes)
    pairs = pairs.dropna(subset=["company"])
    allowed = [may_plan(company, house) for company, house in zip(pairs["company"], pairs["warehouse"], strict=True)]
    return pairs[pd.Series(allowed, index=pairs.index, dtype=bool)].sort_values("warehouse", ignore_index=True)


def _forecast_in_company(site: Site, item_code: str, company: str, warehouses: set[str]) -> list[str]:
    settings = reads.company_settings(site, company)
    if not settings.enabled:
        return [site.translate(NOT_ENABLED).format(company=company)]
    items = reads.items(site, company)
    items = items[items["item_code"] == item_code]
    positions = _of(reads.positions(site, company, settings), item_code, warehouses)
    dated = _of(leave_out(reads.dated(site, company), read_open_drafts(site, company)), item_code, warehouses)
    supply = Supply(dated, items, reads.sourcing(site, company, [item_code]))
    faults: list[Fault] = []
    for abc_class, own in _by_class(site, item_code, warehouses).items():  # at most three
        made, found = _plan(site, settings, abc_class, item_code, own, positions, supply)
        _publish(site, settings, made, items, positions)
        faults += found
    site.commit()
    return [fault.sentence(site.translate) for fault in faults]


def _by_class(site: Site, item_code: str, warehouses: set[str]) -> dict[str, set[str]]:
    """The warehouses by the ABC class that the last run gave the item there; a new pair moves little money yet."""
    stored = site.fetch(item_queries.policies_of_item(site.qb, item_code))
    known = dict(zip(stored["warehouse"], stored["abc_class"], strict=True)) if len(stored) else {}
    classes: dict[str, set[str]] = {}
    for warehouse in sorted(warehouses):
        classes.setdefault(known.get(warehouse) or _CLASS_OF_NEW_PAIRS, set()).add(warehouse)
    return classes


def _plan(
    site: Site,
    settings: CompanySettings,
    abc_class: str,
    item_code: str,
    warehouses: set[str],
    positions: pd.DataFrame,
    supply: Supply,
) -> tuple[Plan, list[Fault]]:
    """Plan pairs that share a class: alone, an item would be all the money there is and always of class A."""
    as_of = site.as_of()
    level = settings.plan.service_level_by_class[abc_class]
    told = replace(settings.plan, service_level_by_class=dict.fromkeys(settings.plan.service_level_by_class, level))
    since = as_of - timedelta(days=told.history_days)
    buckets = _of(site.fetch(item_queries.buckets_of_item(site.qb, item_code, since)), item_code, warehouses)
    panel, faults = build_panel(
        buckets, told.period, as_of, items=supply.items, company=settings.company, history_days=told.history_days
    )
    own = Supply(_of(supply.dated, item_code, warehouses), supply.items, supply.sourcing)
    made = plan(panel, _of(positions, item_code, warehouses), own, told, as_of)
    return replace(made, policies=made.policies.assign(abc_class=abc_class)), [*faults, *made.faults]


def _publish(
    site: Site, settings: CompanySettings, made: Plan, items: pd.DataFrame, positions: pd.DataFrame
) -> None:
    """Write the rows; the run that they stand under stays, so that a run going on does not take them for leftovers."""
    for rows in publish.forecast_rows(made.forecasts, "", settings, items, site.translate):
        _upsert(site, publish.FORECAST, rows)
    for rows in publish.policy_rows(made, "", settings, items, positions, site.translate):
        _upsert(site, publish.POLICY, rows)


def _upsert(site: Site, doctype: str, rows: pd.DataFrame) -> None:
    site.upsert_rows(doctype, rows.drop(columns="forecast_run"), doctypes.UNIQUE_KEYS[doctype])


def _of(rows: pd.DataFrame, item_code: str, warehouses: set[str]) -> pd.DataFrame:
    return rows[(rows["item_code"] == item_code) & rows["warehouse"].isin(warehouses)].reset_index(drop=True)
