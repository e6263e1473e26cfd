"""Our undecided drafts as they stand: which of them a person edited, and what they hold."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from erp_forecast_addon.services.fingerprint import fingerprints
from erp_forecast_addon.site import order_reads
from erp_forecast_addon.site.port import Site

_PAIR = ["item_code", "warehouse"]


@dataclass(frozen=True)
class OpenDrafts:
    """records: name, supplier, currency, purchase_order, total, base_total, fingerprint_now (of the draft as it
    stands), newly_edited, edited, oldest first;
    native: lines of the native drafts (see order_reads), with the record's name in `name`;
    asked: lines as the plan last asked for them, with the record's `name`.

    A draft is edited once its lines, supplier, currency or total differ from what we wrote, and stays so: what a person
    edited is his.
    """

    records: pd.DataFrame
    native: pd.DataFrame
    asked: pd.DataFrame

    @property
    def untouched(self) -> pd.DataFrame:
        return self.records[~self.records["edited"]]

    @property
    def edited(self) -> pd.DataFrame:
        return self.records[self.records["edited"]]

    def pairs(self, names: pd.Series) -> pd.MultiIndex:
        """Every pair that stands, or once stood, in the named records: what a person took out is decided too."""
        stand = self.native.loc[self.native["name"].isin(names), _PAIR]
        stood = self.asked.loc[self.asked["name"].isin(names), _PAIR]
        return pd.MultiIndex.from_frame(pd.concat([stand, stood])).unique()


def read_open_drafts(site: Site, company: str) -> OpenDrafts:
    """The company's records in the state Proposed whose native order is a draft."""
    records = order_reads.read_records(site, company)
    headers = order_reads.read_headers(site, company)
    headers = headers[headers["docstatus"] == 0]
    lines = order_reads.read_native_lines(site, company)
    records = records.drop(columns=["supplier", "currency"]).merge(
        headers.drop(columns=["docstatus", "native_status"]), on="purchase_order", how="inner"
    )
    found = records["purchase_order"].map(fingerprints(headers, lines)) if len(records) else records["purchase_order"]
    newly = (found != records["fingerprint"].fillna("")) & (records["edited_by_person"] == 0)
    edited = newly | (records["edited_by_person"] != 0)
    records = records.assign(fingerprint_now=found, newly_edited=newly, edited=edited)
    of_order = records.set_index("purchase_order")["name"]
    native = lines.assign(name=lines["purchase_order"].map(of_order)).dropna(subset=["name"])
    asked = order_reads.read_record_lines(site, company)
    return OpenDrafts(records, native, asked[asked["name"].isin(records["name"])])


def leave_out(dated: pd.DataFrame, drafts: OpenDrafts) -> pd.DataFrame:
    """Open supply without the lines of our undecided drafts, so that the need is computed as if nothing was proposed.

    dated: table DATED, `voucher_no` the native order of an our_draft row. Drafts that were approved but only released
    stay: they are decided.
    """
    ours = (dated["kind"] == "our_draft") & dated["voucher_no"].isin(drafts.records["purchase_order"])
    return dated[~ours.to_numpy(dtype=bool)].reset_index(drop=True)


def as_supply(drafts: OpenDrafts) -> pd.DataFrame:
    """What the native drafts hold, as rows of the table DATED."""
    lines = drafts.native.dropna(subset=[*_PAIR, "schedule_date"])
    return pd.DataFrame({
        "item_code": lines["item_code"], "warehouse": lines["warehouse"], "day": lines["schedule_date"],
        "qty": lines["stock_qty"], "kind": "our_draft", "voucher_no": lines["purchase_order"],
    }).reset_index(drop=True)  # fmt: skip


def untouched_names(site: Site) -> list[str]:
    """Every company's undecided records whose draft no person has edited, as they stand now."""
    companies = sorted(set(site.fetch(order_reads.companies_with_open_records(site.qb))["company"]))
    return [name for company in companies for name in read_open_drafts(site, company).untouched["name"]]


def renew_fingerprints(site: Site, names: Sequence[str]) -> None:
    """Take the drafts of these records, as they stand, for what we wrote: what changed in them was no person's edit of
    the draft but the new name of something that it names.
    """
    wanted = set(names)
    for company in sorted(set(site.fetch(order_reads.companies_with_open_records(site.qb))["company"])):
        records = read_open_drafts(site, company).records
        renewed = records[records["name"].isin(wanted) & records["newly_edited"]]
        for name, now in zip(renewed["name"], renewed["fingerprint_now"], strict=True):
            site.set_fields("Auto Purchase Order", name, {"fingerprint": now})


def same_need(asked: pd.DataFrame, fresh: pd.DataFrame, qty_share: float, days: int) -> bool:
    """Whether the fresh need is what was asked for, but for small drift: the same pairs, supplier units and rates,
    quantities within `qty_share` of what was asked, dates within `days` days, and the same other supplier offered: a
    buyer should hear of a new one.
    """
    asked = _per_pair(asked)
    if asked is None or len(asked) != len(fresh):
        return False
    both = asked.merge(fresh, on=_PAIR, how="inner", suffixes=("", "_fresh"))
    if len(both) != len(fresh):
        return False
    moved = (both["schedule_date_fresh"] - both["schedule_date"]).dt.days.abs()
    drift = (both["stock_qty_fresh"] - both["stock_qty"]).abs()
    close = np.isclose(both["rate_fresh"], both["rate"], rtol=1e-6, atol=1e-6)
    close &= np.isclose(both["conversion_factor_fresh"], both["conversion_factor"], rtol=1e-6)
    close &= (both["uom_fresh"] == both["uom"]).to_numpy()
    close &= _offered(both["alternative_supplier_fresh"]) == _offered(both["alternative_supplier"])
    close &= (drift <= both["stock_qty"] * qty_share + 1e-6).to_numpy() & (moved <= days).to_numpy()
    return bool(close.all())


def _offered(supplier: pd.Series) -> np.ndarray:
    return supplier.astype(object).where(supplier.notna(), "").to_numpy(dtype=object)


def _per_pair(asked: pd.DataFrame) -> pd.DataFrame | None:
    """One line per pair: merging two items or two warehouses leaves two. None where those differ in unit or rate: such
    a draft does not say what one line would.
    """
    grouped = asked.groupby(_PAIR, sort=False)
    alike = grouped[["uom", "rate", "conversion_factor"]].nunique().le(1)
    if not alike.to_numpy().all():
        return None
    return grouped.agg(
        stock_qty=("stock_qty", "sum"), schedule_date=("schedule_date", "min"), uom=("uom", "first"),
        rate=("rate", "first"), conversion_factor=("conversion_factor", "first"),
        alternative_supplier=("alternative_supplier", "first"),
    ).reset_index()  # fmt: skip
