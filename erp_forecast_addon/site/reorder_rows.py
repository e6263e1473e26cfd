"""ERPNext's own reorder rows and item-wide safety stock, and what we keep of them: queries and bulk writes."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd
from pypika import Case

from erp_forecast_addon.site.port import Site

ROW = "Item Reorder"
BACKUP = "Reorder Level Backup"
# Fields of a reorder row that make it what it is; warehouse and item stand in the backup's own columns, as links that
# follow a renaming.
ROW_FIELDS = ("idx", "warehouse_group", "warehouse_reorder_level", "warehouse_reorder_qty", "material_request_type")
_NAMES_PER_STATEMENT = 500
# A CASE is searched from its beginning for every row: many short statements are faster than few long ones.
_VALUES_PER_STATEMENT = 100


def reorder_rows(qb: Any, company: str) -> Any:
    """Reorder rows of the company's warehouses, with what decides whether the item is ours to buy."""
    row, house, item = qb.DocType(ROW), qb.DocType("Warehouse"), qb.DocType("Item")
    return (
        qb.from_(row)
        .join(house)
        .on(row.warehouse == house.name)
        .join(item)
        .on(row.parent == item.name)
        .select(
            row.name, row.parent.as_("item_code"), row.warehouse, *(row[name] for name in ROW_FIELDS),
            item.is_purchase_item,
        )
        .where((row.parenttype == "Item") & (house.company == company))
        .orderby(row.parent)
        .orderby(row.idx)
    )  # fmt: skip


def open_backups(
    qb: Any, kinds: Sequence[str], company: str | None = None, item_codes: Sequence[str] | None = None
) -> Any:
    """What was not given back yet. company None: of all companies; item_codes None: of all items."""
    backup = qb.DocType(BACKUP)
    query = (
        qb.from_(backup)
        .select(
            backup.name, backup.item_code, backup.company, backup.warehouse, backup.kind, backup.former, backup.written
        )
        .where((backup.restored == 0) & backup.kind.isin(list(kinds)))
        .orderby(backup.creation)
        .orderby(backup.name)
    )
    query = query if company is None else query.where(backup.company == company)
    return query if item_codes is None else query.where(backup.item_code.isin(list(item_codes)))


def policies(qb: Any, company: str, run: str) -> Any:
    """Levels that this run has published."""
    policy = qb.DocType("Safety Stock Policy")
    return (
        qb.from_(policy)
        .select(
            policy.name, policy.item_code, policy.warehouse, policy.safety_stock_qty, policy.reorder_point_qty,
            policy.order_up_to_qty,
        )
        .where((policy.company == company) & (policy.forecast_run == run))
        .orderby(policy.item_code)
        .orderby(policy.warehouse)
    )  # fmt: skip


def policies_of(qb: Any, companies: Sequence[str]) -> Any:
    """Safety stock of every planned pair of these companies."""
    policy = qb.DocType("Safety Stock Policy")
    return (
        qb.from_(policy)
        .select(policy.item_code, policy.warehouse, policy.safety_stock_qty)
        .where(policy.company.isin(list(companies)))
    )


def items(qb: Any) -> Any:
    item = qb.DocType("Item")
    return qb.from_(item).select(
        item.name.as_("item_code"), item.safety_stock, item.min_order_qty, item.stock_uom, item.is_purchase_item,
        item.default_material_request_type, item.variant_of,
    )  # fmt: skip


def item_names(qb: Any) -> Any:
    item = qb.DocType("Item")
    return qb.from_(item).select(item.name.as_("item_code"))


def warehouse_names(qb: Any) -> Any:
    house = qb.DocType("Warehouse")
    return qb.from_(house).select(house.name.as_("warehouse"))


# ---- frames --------------------------------------------------------------------------------------------------------
def read_backups(
    site: Site, kinds: Sequence[str], company: str | None = None, item_codes: Sequence[str] | None = None
) -> pd.DataFrame:
    """Open backups, `former` and `written` unpacked to columns former_… and written_…."""
    found: pd.DataFrame = site.fetch(open_backups(site.qb, kinds, company, item_codes)).reset_index(drop=True)
    for side in ("former", "written"):
        # A loop over JSON texts: there is no parser of columns.
        values = pd.DataFrame([json.loads(text) if text else {} for text in found[side]], index=found.index)
        found = found.drop(columns=side).join(values.add_prefix(f"{side}_"))
    return found


def as_json(rows: pd.DataFrame, fields: Mapping[str, str]) -> list[str]:
    """One JSON object per row; fields: key -> column."""
    chosen = rows[list(fields.values())].astype(object)
    chosen = chosen.where(chosen.notna(), None).set_axis(list(fields), axis=1)
    return [json.dumps(record, default=float) for record in chosen.to_dict("records")]


def pieces(rows: pd.DataFrame, items_per_piece: int) -> Iterator[pd.DataFrame]:
    """The rows in pieces of whole items: each is one transaction's work."""
    codes = pd.Index(rows["item_code"].unique())
    for start in range(0, len(codes), items_per_piece):
        yield rows[rows["item_code"].isin(codes[start : start + items_per_piece])]


# ---- bulk writes ---------------------------------------------------------------------------------------------------
def insert_reorder_rows(site: Site, rows: pd.DataFrame) -> None:
    """rows: item_code, warehouse and ROW_FIELDS."""
    made = rows[["item_code", "warehouse", *ROW_FIELDS]].rename(columns={"item_code": "parent"})
    site.insert_rows(ROW, made.assign(parenttype="Item", parentfield="reorder_levels"))


def update_rows(site: Site, doctype: str, rows: pd.DataFrame, fields: Sequence[str]) -> None:
    """Set `fields` of the rows with these names, each to its own value, a hundred a statement."""
    table = site.qb.DocType(doctype)
    for start in range(0, len(rows), _VALUES_PER_STATEMENT):
        piece = rows.iloc[start : start + _VALUES_PER_STATEMENT]
        query = site.qb.update(table).set(table.modified, site.now())
        for field in fields:
            query = query.set(table[field], _by_name(table, piece["name"].tolist(), piece[field].tolist()))
        site.execute(query.where(table.name.isin(piece["name"].tolist())))


def mark_restored(site: Site, names: Sequence[str]) -> None:
    backup = site.qb.DocType(BACKUP)
    for start in range(0, len(names), _NAMES_PER_STATEMENT):
        piece = list(names[start : start + _NAMES_PER_STATEMENT])
        query = site.qb.update(backup).set(backup.restored, 1).set(backup.modified, site.now())
        site.execute(query.where(backup.name.isin(piece)))


def forget_restored(site: Site, company: str, kinds: Sequence[str]) -> None:
    """What was given back before is of no use once something new is kept."""
    backup = site.qb.DocType(BACKUP)
    site.execute(
        site.qb.from_(backup)
        .delete()
        .where((backup.company == company) & (backup.restored == 1) & backup.kind.isin(list(kinds)))
    )


def _by_name(table: Any, names: Sequence[str], values: Sequence[float]) -> Any:
    chosen = Case()
    for name, value in zip(names, values, strict=True):  # the terms of one statement
        chosen = chosen.when(table.name == name, float(value))
    return chosen
