"""ERPNext's reorder rows and safety stock: what stands, what we wrote, what the plan wants, and the writing itself.

Direct write-back and change sets share this. What stood there first is kept in Reorder Level Backup (`former`), beside
what we wrote last (`written`). Nothing here commits.

Which rows are meant: those of type Purchase for a single warehouse. Rows of another type and rows whose level counts
for a whole warehouse group mean something else than our level of one warehouse. A missing row may be added only where
we draft no orders (else the pair is ours, and a row would make ERPNext order it too), and never to a variant that lives
from its template's rows (its first own row would cut it off from them).
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from erp_forecast_addon.site import change_queries, queries, reads, reorder_rows
from erp_forecast_addon.site.port import Site

OVERWRITTEN = "Overwritten Row"
ADDED = "Added Row"
SAFETY_STOCK = "Safety Stock"
LEVEL_KINDS = (OVERWRITTEN, ADDED)

PAIR = ["item_code", "warehouse"]
LEVEL, QTY = "warehouse_reorder_level", "warehouse_reorder_qty"
_DECIMALS = 3
_SAME = 1e-6
_KEPT_LEVELS = ("former_level", "former_qty", "written_level", "written_qty")
_KEPT_STOCK = ("former_safety_stock", "written_safety_stock")


# ---- what the plan wants -------------------------------------------------------------------------------------------
def wanted_levels(site: Site, run: str, company: str) -> pd.DataFrame:
    """policy, item_code, warehouse, level, qty, and what the item says; whole units rounded up."""
    policies = site.fetch(reorder_rows.policies(site.qb, company, run)).rename(columns={"name": "policy"})
    wanted = policies.merge(site.fetch(reorder_rows.items(site.qb)), on="item_code")
    whole = wanted["stock_uom"].isin(site.fetch(queries.whole_uoms(site.qb))["name"]).to_numpy()
    level = wanted["reorder_point_qty"].clip(lower=0.0).to_numpy(float)
    lot = np.maximum(wanted["order_up_to_qty"].to_numpy(float) - level, wanted["min_order_qty"].to_numpy(float))
    return wanted.assign(level=_rounded_up(level, whole), qty=_rounded_up(np.maximum(lot, 0.0), whole))


def wanted_stock(site: Site) -> pd.DataFrame:
    """item_code, wanted: Item.safety_stock is one number for the whole site, the sum over the planned warehouses of
    the companies that write it back."""
    found = site.fetch(reorder_rows.policies_of(site.qb, _companies_that_write(site)))
    return found.groupby("item_code")["safety_stock_qty"].sum().round(_DECIMALS).rename("wanted").reset_index()


def _companies_that_write(site: Site) -> list[str]:
    settings = [reads.company_settings(site, company) for company in reads.companies(site)]
    return [each.company for each in settings if each.write_back_safety_stock and not each.we_order]


def _rounded_up(values: np.ndarray, whole: np.ndarray) -> np.ndarray:
    near = np.round(values, _DECIMALS)
    return np.where(whole, np.ceil(near - _SAME), near)


# ---- what stands, and what we keep of it ---------------------------------------------------------------------------
def standing_levels(site: Site, company: str, item_codes: Sequence[str] | None = None) -> pd.DataFrame:
    """The rows that are meant: name, item_code, warehouse, LEVEL, QTY …; one per pair. item_codes None: of all."""
    query = reorder_rows.reorder_rows(site.qb, company)
    if item_codes is not None:
        query = change_queries.of_parents(site.qb, query, item_codes)
    rows = site.fetch(query)
    group = rows["warehouse_group"].fillna("")
    own = (group == "") | (group == rows["warehouse"])
    return rows[own & (rows["material_request_type"] == "Purchase")].drop_duplicates(PAIR)


def kept_levels(site: Site, company: str, item_codes: Sequence[str] | None = None) -> pd.DataFrame:
    """What we hold of each pair: backup, kind, former_… and written_…; one row per pair, the newest."""
    kept = reorder_rows.read_backups(site, LEVEL_KINDS, company, item_codes).rename(columns={"name": "backup"})
    return _with_columns(kept, _KEPT_LEVELS).drop_duplicates(PAIR, keep="last")


def kept_stock(site: Site, item_codes: Sequence[str] | None = None) -> pd.DataFrame:
    """What we hold of each item's safety stock: item_code, backup, kept_for (company), former_… and written_…."""
    kept = reorder_rows.read_backups(site, [SAFETY_STOCK], None, item_codes)
    kept = kept.rename(columns={"name": "backup", "company": "kept_for"})
    columns = ["item_code", "backup", "kept_for", *_KEPT_STOCK]
    return _with_columns(kept, _KEPT_STOCK).drop_duplicates("item_code", keep="last")[columns]


def pairs_of_any_row(site: Site, item_codes: Sequence[str] | None = None) -> pd.DataFrame:
    """item_code, warehouse of every reorder row, whatever its type, company or group."""
    query = queries.reorder_rows(site.qb)
    return site.fetch(query if item_codes is None else change_queries.of_parents(site.qb, query, item_codes))


# ---- what would be written -----------------------------------------------------------------------------------------
def rows_to_change(wanted: pd.DataFrame, rows: pd.DataFrame, kept: pd.DataFrame) -> pd.DataFrame:
    """wanted held against the rows that stand, where they differ; ours: no person changed it since we wrote it."""
    both = wanted.merge(rows[["name", *PAIR, LEVEL, QTY]], on=PAIR).merge(
        kept[[*PAIR, "backup", "kind", *_KEPT_LEVELS]], on=PAIR, how="left"
    )
    both["qty"] = both["qty"].where(both["qty"] > 0, both[QTY])  # ERPNext refuses a level without a quantity
    both["ours"] = both["backup"].isna() | same(both, (LEVEL, QTY), ("written_level", "written_qty"))
    changed = ~same(both, (LEVEL, QTY), ("level", "qty"))
    valid = (both["qty"] > 0) | (both["level"] == 0)
    return both[changed & valid]


def rows_to_add(wanted: pd.DataFrame, present: pd.DataFrame, kept: pd.DataFrame) -> pd.DataFrame:
    """Pairs without any row. One whose added row is gone was deleted by a person and is left alone."""
    pairs = pd.MultiIndex.from_frame(wanted[PAIR])
    taken = pairs.isin(pd.MultiIndex.from_frame(present[PAIR])) | pairs.isin(pd.MultiIndex.from_frame(kept[PAIR]))
    bought = (wanted["is_purchase_item"] == 1) & wanted["default_material_request_type"].fillna("").isin(
        ("", "Purchase")
    )
    inherits = lives_from_template(wanted, present)
    return wanted[~taken & ~inherits & bought & (wanted["level"] > 0) & (wanted["qty"] > 0)]


def lives_from_template(items: pd.DataFrame, present: pd.DataFrame) -> pd.Series:
    """Whether the item is a variant without rows of its own whose template has some."""
    has_rows = set(present["item_code"])
    return items["variant_of"].isin(has_rows) & ~items["item_code"].isin(has_rows)


def stock_to_change(items: pd.DataFrame, wanted: pd.DataFrame, kept: pd.DataFrame) -> pd.DataFrame:
    """items (item_code, safety_stock …) whose safety stock is not what is wanted; ours as in rows_to_change."""
    rows = items.merge(wanted, on="item_code").merge(kept, on="item_code", how="left")
    rows["ours"] = rows["backup"].isna() | same(rows, ("safety_stock",), ("written_safety_stock",))
    return rows[~same(rows, ("safety_stock",), ("wanted",))]


# ---- writing -------------------------------------------------------------------------------------------------------
def overwrite(site: Site, rows: pd.DataFrame, company: str) -> None:
    """rows: of rows_to_change. The first value that we found is the one to give back; later ones are ours."""
    first = rows["backup"].isna()
    kept = rows.assign(
        kind=rows["kind"].where(~first, OVERWRITTEN),
        former_level=rows["former_level"].where(~first, rows[LEVEL]),
        former_qty=rows["former_qty"].where(~first, rows[QTY]),
    )
    site.delete_rows(reorder_rows.BACKUP, rows.loc[~first, "backup"].tolist())
    _keep_levels(site, kept, company)
    values = rows[["name", "level", "qty"]].rename(columns={"level": LEVEL, "qty": QTY})
    reorder_rows.update_rows(site, reorder_rows.ROW, values, [LEVEL, QTY])


def add(site: Site, rows: pd.DataFrame, company: str, present: pd.DataFrame) -> None:
    """New rows after those that each item has. rows: item_code, warehouse, level, qty; present: pairs_of_any_row."""
    if rows.empty:
        return
    _keep_levels(site, rows.assign(kind=ADDED, former_level=np.nan, former_qty=np.nan), company)
    standing = rows["item_code"].map(present.groupby("item_code").size()).fillna(0).astype(int)
    made = rows.assign(
        idx=standing + rows.groupby("item_code").cumcount() + 1,
        warehouse_group=rows["warehouse"],
        material_request_type="Purchase",
        **{LEVEL: rows["level"], QTY: rows["qty"]},
    )
    reorder_rows.insert_reorder_rows(site, made)


def write_stock(site: Site, rows: pd.DataFrame, company: str) -> None:
    """rows: of stock_to_change."""
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
    values = rows[["item_code", "wanted"]].set_axis(["name", "safety_stock"], axis=1)
    reorder_rows.update_rows(site, "Item", values, ["safety_stock"])


def _keep_levels(site: Site, rows: pd.DataFrame, company: str) -> None:
    former = reorder_rows.as_json(rows, {"level": "former_level", "qty": "former_qty"})
    written = reorder_rows.as_json(rows, {"level": "level", "qty": "qty"})
    site.insert_rows(
        reorder_rows.BACKUP,
        rows[[*PAIR, "kind"]].assign(company=company, former=former, written=written, restored=0),
    )


def mark_policies(site: Site, policies: Sequence[str], written: bool) -> None:
    """Safety Stock Policy says whether its levels stand on the Item."""
    policy = site.qb.DocType("Safety Stock Policy")
    query = site.qb.update(policy).set(policy.written_back, int(written))
    query = query.set(policy.written_back_on, site.now() if written else None)
    if policies:
        site.execute(query.where(policy.name.isin(list(policies))))


# ---- giving back ---------------------------------------------------------------------------------------------------
def give_back_levels(site: Site, company: str) -> int:
    """Levels as they were before we first wrote, except what a person changed since; the number of rows."""
    kept = kept_levels(site, company)
    rows = standing_levels(site, company)
    both = kept.merge(rows[["name", *PAIR, LEVEL, QTY]], on=PAIR)
    both = both[same(both, (LEVEL, QTY), ("written_level", "written_qty"))]
    added = both[both["kind"] == ADDED]
    former = both[both["kind"] == OVERWRITTEN].assign(
        **{LEVEL: lambda frame: frame["former_level"], QTY: lambda frame: frame["former_qty"]}
    )
    site.delete_rows(reorder_rows.ROW, added["name"].tolist())
    reorder_rows.update_rows(site, reorder_rows.ROW, former, [LEVEL, QTY])
    site.touch_documents("Item", both["item_code"].unique().tolist())
    reorder_rows.mark_restored(site, kept["backup"].tolist())
    return len(both)


def give_back_stock(site: Site, company: str) -> int:
    """Safety stock as it was before we first wrote for this company; the number of items."""
    items = site.fetch(reorder_rows.items(site.qb))
    rows = items.merge(kept_stock(site), on="item_code")
    rows = rows[rows["kept_for"] == company]
    back = rows[same(rows, ("safety_stock",), ("written_safety_stock",))]
    values = back[["item_code", "former_safety_stock"]].set_axis(["name", "safety_stock"], axis=1)
    reorder_rows.update_rows(site, "Item", values, ["safety_stock"])
    site.touch_documents("Item", back["item_code"].tolist())
    reorder_rows.mark_restored(site, rows["backup"].tolist())
    return len(back)


def same(rows: pd.DataFrame, left: Sequence[str], right: Sequence[str]) -> pd.Series:
    """Row by row, whether all of `left` stand as in `right`; a missing value equals nothing."""
    close = np.isclose(rows[list(left)].to_numpy(float), rows[list(right)].to_numpy(float), rtol=0.0, atol=_SAME)
    return pd.Series(close.all(axis=1), index=rows.index)


def _with_columns(frame: pd.DataFrame, columns: tuple[str, ...]) -> pd.DataFrame:
    """JSON columns of which no row had a value do not come by themselves."""
    return frame.assign(**{column: np.nan for column in columns if column not in frame})
