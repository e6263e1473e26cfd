"""Reorder levels and safety stock written to ERPNext's Items by a run itself, without a change set to approve.

Only where ERPNext orders, and only where switched on. What stood there before is kept and given back on switching over
or uninstalling. A value that differs from what we wrote last was changed by a person: it is his from then on. Which
rows are written stands in item_levels.py.
"""

import pandas as pd

from erp_forecast_addon.services import item_levels
from erp_forecast_addon.site import reorder_rows
from erp_forecast_addon.site.port import Site
from erp_forecast_addon.site.settings import CompanySettings

_ITEMS_PER_PIECE = 500


def write_back(site: Site, run: str, settings: CompanySettings) -> int:
    """Write what changed of the levels that `run` published; the number of rows and items written.

    Commits after every piece: killed at any point, the next call writes the rest.
    """
    if settings.we_order:
        return 0
    written = 0
    if settings.write_back_levels:
        written += _write_levels(site, run, settings)
    if settings.write_back_safety_stock:
        written += _write_safety_stock(site, settings.company)
    return written


def give_back(site: Site, company: str) -> int:
    """Undo what was written for the company, directly or by change sets, except what a person changed since; the
    number of values given back."""
    return item_levels.give_back_levels(site, company) + item_levels.give_back_stock(site, company)


def give_back_all(site: Site) -> int:
    """Undo everything that was written, of every company that we have kept something of."""
    kept = reorder_rows.read_backups(site, [*item_levels.LEVEL_KINDS, item_levels.SAFETY_STOCK])
    return sum(give_back(site, str(company)) for company in kept["company"].dropna().unique())


def _write_levels(site: Site, run: str, settings: CompanySettings) -> int:
    company = settings.company
    wanted = item_levels.wanted_levels(site, run, company)
    kept = item_levels.kept_levels(site, company)
    overwrite = item_levels.rows_to_change(wanted, item_levels.standing_levels(site, company), kept)
    overwrite = overwrite[overwrite["ours"]]
    present = item_levels.pairs_of_any_row(site)
    add = wanted.iloc[0:0] if settings.draft_orders else item_levels.rows_to_add(wanted, present, kept)
    if len(overwrite) or len(add):
        reorder_rows.forget_restored(site, company, item_levels.LEVEL_KINDS)
    for piece in reorder_rows.pieces(overwrite, _ITEMS_PER_PIECE):
        item_levels.overwrite(site, piece, company)
        _finish_piece(site, piece)
    for piece in reorder_rows.pieces(add, _ITEMS_PER_PIECE):
        item_levels.add(site, piece, company, present)
        _finish_piece(site, piece)
    return len(overwrite) + len(add)


def _finish_piece(site: Site, rows: pd.DataFrame) -> None:
    item_levels.mark_policies(site, rows["policy"].tolist(), True)
    site.touch_documents("Item", rows["item_code"].unique().tolist())
    site.commit()


def _write_safety_stock(site: Site, company: str) -> int:
    items = site.fetch(reorder_rows.items(site.qb))
    rows = item_levels.stock_to_change(items, item_levels.wanted_stock(site), item_levels.kept_stock(site))
    rows = rows[rows["ours"]]
    for piece in reorder_rows.pieces(rows, _ITEMS_PER_PIECE):
        item_levels.write_stock(site, piece, company)
        site.touch_documents("Item", piece["item_code"].tolist())
        site.commit()
    return len(rows)
