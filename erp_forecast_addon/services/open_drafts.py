"""Our undecided drafts as they stand: which of them a person edited, and what they hold."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from erp_forecast_addon.services.fingerprint import fingerprints
from erp_forecast_addon.site import order_reads
from erp_forecast_addon.site.port import Site

_PAIR = ["item_code", "warehouse"]


@dataclass(frozen=True)
class OpenDrafts:
    """records: name, supplier, currency, purchase_order, total, base_total, newly_edited, edited, oldest first;
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
    records = records.assign(newly_edited=newly, edited=newly | (records["edited_by_person"] != 0))
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


def same_need(asked: pd.DataFrame, fresh: pd.DataFrame, qty_share: float, days: int) -> bool:
    """Whether the fresh need is what was asked for, but for small drift: the same pairs, supplier units and rates,
    quantities within `qty_share` of what was asked, dates within `days` days.
    """
    if len(asked) != len(fresh):
        return False
    both = asked.merge(fresh, on=_PAIR, how="inner", suffixes=("", "_fresh"))
    if len(both) != len(fresh):
        return False
    moved = (both["schedule_date_fresh"] - both["schedule_date"]).dt.days.abs()
    drift = (both["stock_qty_fresh"] - both["stock_qty"]).abs()
    close = np.isclose(both["rate_fresh"], both["rate"], rtol=1e-6, atol=1e-6)
    close &= np.isclose(both["conversion_factor_fresh"], both["conversion_factor"], rtol=1e-6)
    close &= (both["uom_fresh"] == both["uom"]).to_numpy()
    close &= (drift <= both["stock_qty"] * qty_share + 1e-6).to_numpy() & (moved <= days).to_numpy()
    return bool(close.all())
