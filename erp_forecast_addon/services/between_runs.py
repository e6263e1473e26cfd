"""Between two runs: what stock and documents ask to be ordered now, by the levels of the last run. Writes nothing.

A run learns, forecasts and sets levels; after an event only the position has moved. Every pair that stands alone keeps
with its policy what its next order depends on (planning.replenishment.ready), so that one item is looked at in
milliseconds and a whole company in seconds.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import numpy as np
import pandas as pd

from erp_forecast_addon.planning.replenishment import Line, Standing, look, unpacked
from erp_forecast_addon.services import arrivals
from erp_forecast_addon.services.light_text import light_text
from erp_forecast_addon.services.open_drafts import leave_out, read_open_drafts
from erp_forecast_addon.services.open_requests import leave_out_untouched, read_open_requests
from erp_forecast_addon.site import item_queries, reads
from erp_forecast_addon.site.narrowed import of_items
from erp_forecast_addon.site.order_terms import order_terms
from erp_forecast_addon.site.port import Site
from erp_forecast_addon.site.settings import CompanySettings

_PAIR = ["item_code", "warehouse"]


def due_of_item(site: Site, company: str, item_code: str, *, with_our_drafts: bool = True) -> list[Line]:
    """What one item asks for. with_our_drafts: our undecided drafts count as supply; else what a run would propose.

    Raises BadInput for settings that cannot be planned with and terms that cannot be read.
    """
    with light_text():
        return _due(site, reads.company_settings(site, company), [item_code], with_our_drafts)


def due_of_item_by_warehouse(site: Site, item_code: str, pairs: Sequence[tuple[str, str]]) -> list[dict[str, Any]]:
    """What no draft covers, as plain JSON values: lines of these (company, warehouse) pairs, quantities in their uom,
    base_amount in `company_currency`."""
    wanted, told = set(pairs), []
    for company in sorted({company for company, _warehouse in pairs}):  # the companies of one item
        currency = reads.company_currency(site, company)
        for line in due_of_item(site, company, item_code):
            if (company, line.warehouse) in wanted:
                values = {
                    name: value.isoformat() if isinstance(value, date) else value
                    for name, value in line._asdict().items()
                }
                told.append({"company": company, "company_currency": currency, **values})
    return told


def due_of_company(site: Site, company: str, changed_since: datetime | None = None) -> list[Line]:
    """What all items ask for that no draft covers. changed_since: only pairs whose stock has moved since then."""
    settings = reads.company_settings(site, company)
    if changed_since is None:
        return _due(site, settings, None, with_our_drafts=True)
    moved = site.fetch(item_queries.bins_changed_since(site.qb, company, changed_since))
    if moved.empty:  # as in most hours of a night: nothing else is read
        return []
    pairs = set(zip(moved["item_code"], moved["warehouse"], strict=True))
    lines = _due(site, settings, None, with_our_drafts=True)
    return [line for line in lines if (line.item_code, line.warehouse) in pairs]


def _due(site: Site, settings: CompanySettings, item_codes: Sequence[str] | None, with_our_drafts: bool) -> list[Line]:
    company = settings.company
    kept = site.fetch(item_queries.next_order_terms(site.qb, company, item_codes))
    if kept.empty:
        return []
    few = site if item_codes is None else of_items(site, [*item_codes, *kept["variant_of"].dropna().unique()])
    dated = arrivals.counted(reads.dated(few, company), arrivals.last(few, company), settings)
    if not with_our_drafts and (dated["kind"] == "our_draft").any():
        undecided = leave_out(dated, read_open_drafts(site, company))
        dated = leave_out_untouched(undecided, read_open_requests(site, company))
    ready = unpacked(kept["item_code"].tolist(), kept["warehouse"].tolist(), kept["next_order_terms"].tolist())
    pairs = pd.MultiIndex.from_arrays([ready.item_code, ready.warehouse], names=_PAIR)
    return look(
        ready, kept["as_of"].to_numpy(), _standing(site, few, settings, pairs, dated),
        order_terms(site, company).terms, settings.plan, site.as_of(),
    ).lines  # fmt: skip


def _standing(site: Site, few: Site, settings: CompanySettings, pairs: pd.MultiIndex, dated: pd.DataFrame) -> Standing:
    """What has no Bin row has no stock; who orders it is then ours to say, as in a plan."""
    held = reads.positions(few, settings.company)
    row = pd.MultiIndex.from_frame(held[_PAIR]).get_indexer(pairs)
    rests = held["order_suppressed_until"].to_numpy() > np.datetime64(site.as_of(), "ns")
    may = held["we_order"].to_numpy(dtype=bool) & ~rests
    # Row -1, no Bin, falls on the value appended.
    return Standing(np.append(held["on_hand_qty"].to_numpy(dtype=float), 0.0)[row], np.append(may, True)[row], dated)
