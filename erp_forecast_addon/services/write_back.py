"""Reorder levels and safety stock written to ERPNext's Items: only where ERPNext orders, and only where switched on.

What stood there before is kept in Reorder Level Backup and given back on switching over or uninstalling. A value that
differs from what we wrote last was changed by a person: it is his from then on.

Which rows are written: those of type Purchase for a single warehouse. Rows of another type and rows whose level counts
for a whole warehouse group mean something else than our level of one warehouse. A missing row is added only where we
draft no orders (else the pair is ours, and a row would make ERPNext order it too), and never to a variant that lives
from its template's rows (its first own row would cut it off from them).
"""

import numpy as np
import pandas as pd

from erp_forecast_addon.site import queries, reads, reorder_rows
from erp_forecast_addon.site.port import Site
from erp_forecast_addon.site.settings import CompanySettings

OVERWRITTEN = "Overwritten Row"
ADDED = "Added Row"
SAFETY_STOCK = "Safety Stock"
_LEVEL_KINDS = (OVERWRITTEN, ADDED)

_ITEMS_PER_PIECE = 500
_DECIMALS = 3
_SAME = 1e-6
_PAIR = ["item_code", "warehouse"]
_LEVEL, _QTY = "warehouse_reorder_level", "warehouse_reorder_qty"


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
    """Undo what was written for the company, except what a person changed since; the number of values given back."""
    return _give_back_levels(site, company) + _give_back_safety_stock(site, company)


def give_back_all(site: Site) -> int:
    """Undo everything that was written, of every company that we have kept something of."""
    kept = reorder_rows.read_backups(site, [*_LEVEL_KINDS, SAFETY_STOCK])
    return sum(give_back(site, str(company)) for company in kept["company"].dropna().unique())


# ---- levels --------------------------------------------------------------------------------------------------------
def _write_levels(site: Site, run: str, settings: CompanySettings) -> int:
    wanted = _wanted_levels(site, run, settings.company)
    rows = _single_warehouse_rows(site, settings.company)
    kept = _kept(site, _LEVEL_KINDS, settings.company)
    overwrite = _to_overwrite(wanted, rows, kept)
    add = wanted.iloc[0:0] if settings.draft_orders else _to_add(site, wanted, kept, settings.company)
    if len(overwrite) or len(add):
        reorder_rows.forget_restored(site, settings.company, _LEVEL_KINDS)
    for piece in reorder_rows.pieces(overwrite, _ITEMS_PER_PIECE):
        _overwrite(site, piece, settings.company)
        _finish_piece(site, piece)
    for piece in reorder_rows.pieces(add, _ITEMS_PER_PIECE):
        _add(site, piece, settings.company)
        _finish_piece(site, piece)
    return len(overwrite) + len(add)


def _wanted_levels(site: Site, run: str, company: str) -> pd.DataFrame:
    """policy, item_code, warehouse, level, qty, and what the item says; whole units rounded up."""
    policies = site.fetch(reorder_rows.policies(site.qb, company, run)).rename(columns={"name": "policy"})
    wanted = policies.merge(site.fetch(reorder_rows.items(site.qb)), on="item_code")
    whole = wanted["stock_uom"].isin(site.fetch(queries.whole_uoms(site.qb))["name"]).to_numpy()
    level = wanted["reorder_point_qty"].clip(lower=0.0).to_numpy(float)
    lot = np.maximum(wanted["order_up_to_qty"].to_numpy(float) - level, wanted["min_order_qty"].to_numpy(float))
    return wanted.assign(level=_rounded_up(level, whole), qty=_rounded_up(np.maximum(lot, 0.0), whole))


def _rounded_up(values: np.ndarray, whole: np.ndarray) -> np.ndarray:
    near = np.round(values, _DECIMALS)
    return np.where(whole, np.ceil(near - _SAME), near)


def _single_warehouse_rows(site: Site, company: str) -> pd.DataFrame:
    rows = site.fetch(reorder_rows.reorder_rows(site.qb, company))
    group = rows["warehouse_group"].fillna("")
    own = (group == "") | (group == rows["warehouse"])
    return rows[own & (rows["material_request_type"] == "Purchase")].drop_duplicates(_PAIR)


def _kept(site: Site, kinds: tuple[str, ...], company: str) -> pd.DataFrame:
    """What we hold of each pair: backup, kind, former_… and written_…; one row per pair, the newest."""
    kept = reorder_rows.read_backups(site, kinds, company).rename(columns={"name": "backup"})
    return _with_columns(kept, ("former_level", "former_qty", "written_level", "written_qty")).drop_duplicates(
        _PAIR, keep="last"
    )


def _to_overwrite(wanted: pd.DataFrame, rows: pd.DataFrame, kept: pd.DataFrame) -> pd.DataFrame:
    both = wanted.merge(rows[["name", *_PAIR, _LEVEL, _QTY]], on=_PAIR).merge(
        kept[[*_PAIR, "backup", "kind", "former_level", "former_qty", "written_level", "written_qty"]],
        on=_PAIR,
        how="left",
    )
    both["qty"] = both["qty"].where(both["qty"] > 0, both[_QTY])  # ERPNext refuses a level without a quantity
    ours = both["backup"].isna() | _equal(both, (_LEVEL, _QTY), ("written_level", "written_qty"))
    changed = ~_equal(both, (_LEVEL, _QTY), ("level", "qty"))
    valid = (both["qty"] > 0) | (both["level"] == 0)
    return both[ours & changed & valid]


def _to_add(site: Site, wanted: pd.DataFrame, kept: pd.DataFrame, company: str) -> pd.DataFrame:
    """Pairs without any row. One whose added row is gone was deleted by a person and is left alone."""
    present = site.fetch(queries.reorder_rows(site.qb))
    has_rows = set(present["item_code"])
    pairs = pd.MultiIndex.from_frame(wanted[_PAIR])
    taken = pairs.isin(pd.MultiIndex.from_frame(present[_PAIR])) | pairs.isin(pd.MultiIndex.from_frame(kept[_PAIR]))
    inherits = wanted["variant_of"].isin(has_rows) & ~wanted["item_code"].isin(has_rows)
    bought = (wanted["is_purchase_item"] == 1) & wanted["default_material_request_type"].fillna("").isin(
        ("", "Purchase")
    )
    return wanted[~taken & ~inherits & bought & (wanted["level"] > 0) & (wanted["qty"] > 0)]


def _overwrite(site: Site, rows: pd.DataFrame, company: str) -> None:
    """The first value that we found is the one to give back; later ones are ours."""
    first = rows["backup"].isna()
    kept = rows.assign(
        kind=rows["kind"].where(~first, OVERWRITTEN),
        former_level=rows["former_level"].where(~first, rows[_LEVEL]),
        former_qty=rows["former_qty"].where(~first, rows[_QTY]),
    )
    site.delete_rows(reorder_rows.BACKUP, rows.loc[~first, "backup"].tolist())
    _keep_levels(site, kept, company)
    values = rows[["name", "level", "qty"]].rename(columns={"level": _LEVEL, "qty": _QTY})
    reorder_rows.update_rows(site, reorder_rows.ROW, values, [_LEVEL, _QTY])


def _add(site: Site, rows: pd.DataFrame, company: str) -> None:
    _keep_levels(site, rows.assign(kind=ADDED, former_level=np.nan, former_qty=np.nan), company)
    made = rows.assign(
        idx=rows.groupby("item_code").cumcount() + 1,
        warehouse_group=rows["warehouse"],
        material_request_type="Purchase",
        **{_LEVEL: rows["level"], _QTY: rows["qty"]},
    )
    reorder_rows.insert_reorder_rows(site, made)


def _keep_levels(site: Site, rows: pd.DataFrame, company: str) -> None:
    former = reorder_rows.as_json(rows, {"level": "former_level", "qty": "former_qty"})
    written = reorder_rows.as_json(rows, {"level": "level", "qty": "qty"})
    site.insert_rows(
        reorder_rows.BACKUP,
        rows[[*_PAIR, "kind"]].assign(company=company, former=former, written=written, restored=0),
    )


def _finish_piece(site: Site, rows: pd.DataFrame) -> None:
    policy = site.qb.DocType("Safety Stock Policy")
    query = site.qb.update(policy).set(policy.written_back, 1).set(policy.written_back_on, site.now())
    site.execute(query.where(policy.name.isin(rows["policy"].tolist())))
    site.touch_documents("Item", rows["item_code"].unique().tolist())
    site.commit()


def _give_back_levels(site: Site, company: str) -> int:
    kept = _kept(site, _LEVEL_KINDS, company)
    rows = _single_warehouse_rows(site, company)
    both = kept.merge(rows[["name", *_PAIR, _LEVEL, _QTY]], on=_PAIR)
    both = both[_equal(both, (_LEVEL, _QTY), ("written_level", "written_qty"))]
    added = both[both["kind"] == ADDED]
    former = both[both["kind"] == OVERWRITTEN].assign(
        **{_LEVEL: lambda frame: frame["former_level"], _QTY: lambda frame: frame["former_qty"]}
    )
    site.delete_rows(reorder_rows.ROW, added["name"].tolist())
    reorder_rows.update_rows(site, reorder_rows.ROW, former, [_LEVEL, _QTY])
    site.touch_documents("Item", both["item_code"].unique().tolist())
    reorder_rows.mark_restored(site, kept["backup"].tolist())
    return len(both)


# ---- safety stock of the item --------------------------------------------------------------------------------------
def _write_safety_stock(site: Site, company: str) -> int:
    """Item.safety_stock is one number for the whole site: the sum over the planned warehouses that are written back."""
    found = site.fetch(reorder_rows.policies_of(site.qb, _companies_that_write(site)))
    sums = found.groupby("item_code")["safety_stock_qty"].sum().round(_DECIMALS).rename("wanted").reset_index()
    rows = _with_kept_stock(site, site.fetch(reorder_rows.items(site.qb)).merge(sums, on="item_code"))
    ours = rows["backup"].isna() | _equal(rows, ("safety_stock",), ("written_safety_stock",))
    rows = rows[ours & ~_equal(rows, ("safety_stock",), ("wanted",))]
    for piece in reorder_rows.pieces(rows, _ITEMS_PER_PIECE):
        _keep_stock(site, piece, company)
        values = piece[["item_code", "wanted"]].set_axis(["name", "safety_stock"], axis=1)
        reorder_rows.update_rows(site, "Item", values, ["safety_stock"])
        site.touch_documents("Item", piece["item_code"].tolist())
        site.commit()
    return len(rows)


def _companies_that_write(site: Site) -> list[str]:
    settings = [reads.company_settings(site, company) for company in reads.companies(site)]
    return [each.company for each in settings if each.write_back_safety_stock and not each.we_order]


def _with_kept_stock(site: Site, items: pd.DataFrame) -> pd.DataFrame:
    kept = reorder_rows.read_backups(site, [SAFETY_STOCK]).rename(columns={"name": "backup", "company": "kept_for"})
    kept = _with_columns(kept, ("former_safety_stock", "written_safety_stock")).drop_duplicates(
        "item_code", keep="last"
    )
    columns = ["item_code", "backup", "kept_for", "former_safety_stock", "written_safety_stock"]
    return items.merge(kept[columns], on="item_code", how="left")


def _keep_stock(site: Site, rows: pd.DataFrame, company: str) -> None:
    first = rows["backup"].isna()
    kept = rows.assign(former_safety_stock=rows["former_safety_stock"].where(~first, rows["safety_stock"]))
    site.delete_rows(reorder_rows.BACKUP, rows.loc[~first, "backup"].tolist())
    site.insert_rows(
        reorder_rows.BACKUP,
        kept[["item_code"]].assign(
            company=kept["kept_for"].fillna(company),
            kind=SAFETY_STOCK,
            former=reorder_rows.as_json(kept, {"safety_stock": "former_safety_stock"}),
            written=reorder_rows.as_json(kept, {"safety_stock": "wanted"}),
            restored=0,
        ),
    )


def _give_back_safety_stock(site: Site, company: str) -> int:
    rows = _with_kept_stock(site, site.fetch(reorder_rows.items(site.qb)))
    rows = rows[rows["backup"].notna() & (rows["kept_for"] == company)]
    back = rows[_equal(rows, ("safety_stock",), ("written_safety_stock",))]
    values = back[["item_code", "former_safety_stock"]].set_axis(["name", "safety_stock"], axis=1)
    reorder_rows.update_rows(site, "Item", values, ["safety_stock"])
    site.touch_documents("Item", back["item_code"].tolist())
    reorder_rows.mark_restored(site, rows["backup"].tolist())
    return len(back)


def _equal(rows: pd.DataFrame, left: tuple[str, ...], right: tuple[str, ...]) -> pd.Series:
    """Row by row, whether all of `left` stand as in `right`; a missing value equals nothing."""
    same = np.isclose(rows[list(left)].to_numpy(float), rows[list(right)].to_numpy(float), rtol=0.0, atol=_SAME)
    return pd.Series(same.all(axis=1), index=rows.index)


def _with_columns(frame: pd.DataFrame, columns: tuple[str, ...]) -> pd.DataFrame:
    """JSON columns of which no row had a value do not come by themselves."""
    return frame.assign(**{column: np.nan for column in columns if column not in frame})
