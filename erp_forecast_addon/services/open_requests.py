"""Our undecided requests for transfer and manufacture as they stand: which a person edited, and what they hold."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from erp_forecast_addon.planning.tables import DATED, MANUFACTURE, TRANSFER
from erp_forecast_addon.site import request_reads
from erp_forecast_addon.site.port import Site

_PAIR = ["item_code", "warehouse"]
_LINE_FIELDS = ("item_code", "warehouse", "from_warehouse", "uom")
_LINE_NUMBERS = ("qty", "conversion_factor")


@dataclass(frozen=True)
class OpenRequests:
    """records: name, request_type, from_warehouse, warehouse, material_request, fingerprint_now, newly_edited, edited,
    oldest first; native: lines of the native drafts with the record's `name`; asked: lines as the plan last asked for
    them. A draft is edited once its type or lines differ from what we wrote, and stays so: it is the person's then.
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


def read_open_requests(site: Site, company: str) -> OpenRequests:
    """The company's records in the state Proposed whose native request is a draft."""
    records = request_reads.read_records(site, company)
    headers = request_reads.read_headers(site, company)
    headers = headers[headers["docstatus"] == 0]
    lines = request_reads.read_native_lines(site, company)
    records = records.merge(headers[["material_request"]], on="material_request", how="inner")
    now = records["material_request"].map(fingerprints(headers, lines)) if len(records) else records["fingerprint"]
    newly = (now != records["fingerprint"].fillna("")) & (records["edited_by_person"] == 0)
    records = records.assign(
        from_warehouse=records["from_warehouse"].fillna(""), fingerprint_now=now, newly_edited=newly,
        edited=newly | (records["edited_by_person"] != 0),
    )  # fmt: skip
    name_of = records.set_index("material_request")["name"]
    native = lines.assign(name=lines["material_request"].map(name_of)).dropna(subset=["name"])
    asked = request_reads.read_record_lines(site, company)
    return OpenRequests(records, native, asked[asked["name"].isin(records["name"])])


def fingerprints(headers: pd.DataFrame, lines: pd.DataFrame) -> pd.Series:
    """One hex digest per native request, of its type and its lines; neither the order of lines nor `modified` is in it.
    Index: material_request. A loop over the lines of our own open drafts: each is a text."""
    texts: dict[str, list[str]] = {}
    for row in lines.to_dict("records"):
        words = [str(row[name] or "") for name in _LINE_FIELDS] + [f"{row[name]:.6f}" for name in _LINE_NUMBERS]
        day = row["schedule_date"]
        words.append(day.strftime("%Y-%m-%d") if day == day and day is not None else "")
        texts.setdefault(row["material_request"], []).append("|".join(words))
    digests = {
        name: hashlib.sha256("\n".join([kind, *sorted(texts.get(name, ()))]).encode()).hexdigest()[:40]
        for name, kind in zip(headers["material_request"], headers["material_request_type"], strict=True)
    }
    return pd.Series(digests, dtype=object)


def leave_out_untouched(dated: pd.DataFrame, requests: OpenRequests) -> pd.DataFrame:
    """Open supply and demand without our drafts that no person has edited, so that the need is planned as if they did
    not stand. What a person edited is his decision: it counts on both sides."""
    ours = dated["voucher_no"].isin(requests.untouched["material_request"])
    return dated[~ours.to_numpy(dtype=bool)].reset_index(drop=True)


def as_flows(requests: OpenRequests) -> pd.DataFrame:
    """What our untouched drafts hold, as rows of the table DATED: supply where the goods are needed, demand where they
    are taken from."""
    mine = requests.native[requests.native["name"].isin(requests.untouched["name"])]
    types = mine["name"].map(requests.records.set_index("name")["request_type"])
    comes = _rows(mine, "warehouse", 1.0)
    comes["kind"] = types.map({TRANSFER: "our_draft", MANUFACTURE: "manufacture_request"}).to_numpy()
    goes = _rows(mine[(types == TRANSFER).to_numpy()], "from_warehouse", -1.0).assign(kind="transfer_out")
    rows = pd.concat([comes, goes], ignore_index=True)
    return DATED.check(rows[rows["warehouse"].fillna("") != ""].dropna(subset=["day"]))


def _rows(lines: pd.DataFrame, warehouse: str, sign: float) -> pd.DataFrame:
    return pd.DataFrame({
        "item_code": lines["item_code"], "warehouse": lines[warehouse], "day": lines["schedule_date"],
        "qty": sign * lines["stock_qty"].astype(float), "voucher_no": lines["material_request"],
    })  # fmt: skip


def untouched_request_names(site: Site) -> list[str]:
    """Every company's undecided records whose draft no person has edited."""
    companies = sorted(set(site.fetch(request_reads.companies_with_open_records(site.qb))["company"]))
    return [name for company in companies for name in read_open_requests(site, company).untouched["name"]]


def renew_request_fingerprints(site: Site, names: Sequence[str]) -> None:
    """Take these drafts, as they stand, for what we wrote: something that they name was renamed."""
    wanted = set(names)
    for company in sorted(set(site.fetch(request_reads.companies_with_open_records(site.qb))["company"])):
        records = read_open_requests(site, company).records
        renewed = records[records["name"].isin(wanted) & records["newly_edited"]]
        for name, now in zip(renewed["name"], renewed["fingerprint_now"], strict=True):
            site.set_fields("Auto Material Request", name, {"fingerprint": now})
