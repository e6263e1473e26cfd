"""Which pairs changed: everything that finds one leaves a Demand Mark, and the refresh works the marks off.

A mark is a pair and the day from which its buckets may be wrong. Marks are only ever inserted and deleted, never
changed, so writing one waits for nobody.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Final

import numpy as np
import pandas as pd

from erp_forecast_addon.site import demand_queries
from erp_forecast_addon.site.port import Site

# A changed_from that lies before every ledger row: the whole pair is computed again.
BEGINNING: Final = date(1900, 1, 1)
# Rows become visible when their transaction commits, with a `modified` from before. The longest transactions of a site
# are background jobs: Frappe ends them after 25 minutes (queue "long"), Repost Item Valuation after 30. Two hours leave
# room for a site that allows more, and for the hour that is lived twice when summer time ends.
OVERLAP: Final = timedelta(hours=2)
# A Bin and the last bucket of its pair are the same number, stored twice with nine decimals.
_STOCK_TOLERANCE_QTY: Final = 1e-6
_NAMES_PER_QUERY: Final = 1000
_PAIR: Final = ["item_code", "warehouse"]


def mark_changed(site: Site, pairs: pd.DataFrame) -> int:
    """Leave a mark for each row of `pairs`: item_code, warehouse, changed_from (missing: the pair's beginning).

    Returns the number of marks. The caller commits.
    """
    if pairs.empty:
        return 0
    since = pairs["changed_from"] if "changed_from" in pairs else pd.Series(pd.NaT, index=pairs.index)
    return site.insert_rows(
        "Demand Mark",
        pd.DataFrame(
            {
                "item_code": pairs["item_code"],
                "warehouse": pairs["warehouse"],
                "changed_from": pd.to_datetime(since).fillna(pd.Timestamp(BEGINNING)),
                "marked_at": pd.Timestamp(site.now()),
            }
        ),
    )


def mark_pairs(site: Site, *, item_code: str | None = None, warehouse: str | None = None) -> int:
    """Mark every pair of an item or a warehouse from its beginning, with or without buckets so far.

    For what changes ledger rows without posting any: rename and merge. The caller commits.
    """
    if item_code is None and warehouse is None:
        raise ValueError("Which pairs? Give an item, a warehouse or both.")
    return mark_changed(site, _all_pairs(site, item_code=item_code, warehouse=warehouse))


def forget_pairs(site: Site, *, item_code: str | None = None, warehouse: str | None = None) -> int:
    """Remove buckets, pairs and marks of an item, of a warehouse or of a pair. The caller commits.

    Before a merge (Frappe's own UPDATE of the links would meet rows of the same pair and day) and on deletion.
    Returns the number of buckets removed.
    """
    removed = site.execute(demand_queries.delete_rows_of(site.qb, "Demand Bucket", item_code, warehouse))
    for doctype in ("Demand Pair", "Demand Mark"):
        site.execute(demand_queries.delete_rows_of(site.qb, doctype, item_code, warehouse))
    return removed


def mark_companies(site: Site, companies: Sequence[str]) -> int:
    """Mark every pair of these companies from its beginning."""
    return sum(mark_changed(site, _all_pairs(site, company=company)) for company in companies)


def mark_ledger_changes(site: Site, taken_in_until: datetime | None) -> int:
    """Mark the pairs whose ledger rows were written since `taken_in_until`, less the overlap."""
    if taken_in_until is None:
        return 0
    since = taken_in_until - OVERLAP
    changed = site.fetch(demand_queries.changed_pairs(site.qb, since))
    if changed.empty:
        return 0
    return mark_changed(site, _not_marked_yet(site, _from_the_day_of_the_sale(site, changed, since)))


def mark_shelves_that_differ(site: Site, taken_in_until: datetime | None) -> int:
    """Mark the pairs whose Bin was written since `taken_in_until`, less the overlap, and is not what the buckets say.

    Asked when the marks are worked off: what still differs was missed by all else. Most writes to a Bin change orders
    and reservations only and leave its stock as the buckets have it.
    """
    since = (taken_in_until or datetime.combine(BEGINNING, datetime.min.time())) - OVERLAP
    shelves = site.fetch(demand_queries.bins_and_shelves(site.qb, since))
    if shelves.empty:
        return 0
    in_buckets = pd.to_numeric(shelves["closing_qty"]).fillna(0.0)  # a pair without buckets has no stock
    differs = ~np.isclose(shelves["actual_qty"], in_buckets, rtol=1e-9, atol=_STOCK_TOLERANCE_QTY)
    return mark_changed(site, shelves.loc[differs, _PAIR])


def _from_the_day_of_the_sale(site: Site, changed: pd.DataFrame, since: datetime) -> pd.DataFrame:
    """changed_from no later than the sale that changed returns are netted against; where that is unknown because the
    voucher is gone, the beginning.
    """
    back = site.fetch(demand_queries.goods_back(site.qb, since))
    if back.empty:
        return changed
    known = [
        site.fetch(demand_queries.sale_days(site.qb, str(doctype), names[at : at + _NAMES_PER_QUERY]))
        for doctype, vouchers in back.groupby("voucher_type")["voucher_no"]
        for names in [list(vouchers.unique())]
        for at in range(0, len(names), _NAMES_PER_QUERY)
    ]
    back = back.merge(pd.concat(known), on="voucher_no", how="left", indicator="voucher")
    back["sale_day"] = back["sale_day"].mask(back["voucher"] == "left_only", pd.Timestamp(BEGINNING))
    sold = back.groupby(_PAIR, as_index=False)["sale_day"].min()
    both = changed.merge(sold, on=_PAIR, how="left")
    return changed.assign(changed_from=both[["changed_from", "sale_day"]].min(axis=1).to_numpy())


def _not_marked_yet(site: Site, changed: pd.DataFrame) -> pd.DataFrame:
    """Without the pairs that our handler has marked from that day or before: most of them, on most days."""
    marked = site.fetch(demand_queries.marked_days(site.qb))
    if marked.empty:
        return changed
    marked_from = changed.merge(marked, on=_PAIR, how="left")["marked_from"].to_numpy()
    return changed[~(marked_from <= changed["changed_from"].to_numpy())]


def _all_pairs(
    site: Site, company: str | None = None, item_code: str | None = None, warehouse: str | None = None
) -> pd.DataFrame:
    """Pairs of the ledger, and those that have left it but still have buckets."""
    queries = (
        demand_queries.ledger_pairs(site.qb, company, item_code, warehouse),
        demand_queries.bucket_pairs(site.qb, company, item_code, warehouse),
    )
    found = [frame[_PAIR] for frame in map(site.fetch, queries) if not frame.empty]
    return pd.concat(found).drop_duplicates() if found else pd.DataFrame(columns=_PAIR)
