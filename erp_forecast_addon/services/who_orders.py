"""Who orders: where we do, ERPNext's reorder rows are parked in our records; where ERPNext does, they are given back.

Chosen per company, held per pair. `Stock Settings.auto_indent` is never touched: without rows it orders nothing.
Nothing here commits: the rows move in the transaction that saves the choice.
"""

import pandas as pd

from erp_forecast_addon.services import change_sets, write_back
from erp_forecast_addon.site import reorder_rows
from erp_forecast_addon.site.port import Site

PARKED = "Parked Row"
_ITEMS_PER_PIECE = 500
_IDENTITY = ["item_code", "warehouse", "material_request_type"]


def park(site: Site, company: str) -> int:
    """Move the reorder rows of the company's warehouses to Reorder Level Backup; the number of rows.

    Rows of items that cannot be purchased stay: we order nothing for them, ERPNext may make or move them. Levels that
    we wrote go back first, so that what is parked is what a person typed; change sets of the company are closed. A
    second call finds nothing to park.
    """
    write_back.give_back(site, company)
    change_sets.close_open_sets(site, company)
    found = site.fetch(reorder_rows.reorder_rows(site.qb, company))
    rows = found[found["is_purchase_item"] == 1]
    if rows.empty:
        return 0
    reorder_rows.forget_restored(site, company, [PARKED])
    for piece in reorder_rows.pieces(rows, _ITEMS_PER_PIECE):
        site.insert_rows(reorder_rows.BACKUP, _backups(piece, company))
        site.delete_rows(reorder_rows.ROW, piece["name"].tolist())
        _touch(site, piece)
    return len(rows)


def give_back(site: Site, company: str) -> int:
    """Put the parked rows of the company back; the number of rows.

    A row that a person made meanwhile for the same item, warehouse and type stays as he made it, and a row whose item
    or warehouse is gone has no place any more.
    """
    return _give_back(site, reorder_rows.read_backups(site, [PARKED], company))


def give_back_all(site: Site) -> int:
    """Put every parked row back, of companies that are gone from the settings too."""
    return _give_back(site, reorder_rows.read_backups(site, [PARKED]))


def _give_back(site: Site, backups: pd.DataFrame) -> int:
    if backups.empty:
        return 0
    parked = backups.rename(columns={f"former_{field}": field for field in reorder_rows.ROW_FIELDS})
    # The last one parked counts, should a pair have been parked twice.
    wanted = _that_exist(site, parked).drop_duplicates(_IDENTITY, keep="last")
    for company, rows in wanted.groupby("company"):
        present = site.fetch(reorder_rows.reorder_rows(site.qb, str(company)))
        taken = pd.MultiIndex.from_frame(present[_IDENTITY])
        wanted = wanted.drop(rows.index[pd.MultiIndex.from_frame(rows[_IDENTITY]).isin(taken)])
    for piece in reorder_rows.pieces(wanted, _ITEMS_PER_PIECE):
        reorder_rows.insert_reorder_rows(site, piece)
        _touch(site, piece)
    reorder_rows.mark_restored(site, backups["name"].tolist())
    return len(wanted)


def _that_exist(site: Site, rows: pd.DataFrame) -> pd.DataFrame:
    items = site.fetch(reorder_rows.item_names(site.qb))["item_code"]
    warehouses = site.fetch(reorder_rows.warehouse_names(site.qb))["warehouse"]
    return rows[rows["item_code"].isin(items) & rows["warehouse"].isin(warehouses)]


def _backups(rows: pd.DataFrame, company: str) -> pd.DataFrame:
    former = reorder_rows.as_json(rows, {field: field for field in reorder_rows.ROW_FIELDS})
    return rows[["item_code", "warehouse"]].assign(company=company, kind=PARKED, former=former, restored=0)


def _touch(site: Site, rows: pd.DataFrame) -> None:
    site.touch_documents("Item", rows["item_code"].unique().tolist())
