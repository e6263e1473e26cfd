"""What an export does not hold but the planner needs, derived from what it does hold, and reported."""

from typing import Final

import numpy as np
import pandas as pd

from erp_forecast_addon.site.importers.report import ImportReport

Frames = dict[str, pd.DataFrame]

_SALES: Final = ("Delivery Note", "Sales Invoice", "POS Invoice")
_LINES: Final = {
    "Purchase Order Item": "Purchase Order",
    "Purchase Receipt Item": "Purchase Receipt",
    "Purchase Invoice Item": "Purchase Invoice",
    "Sales Order Item": "Sales Order",
    "Material Request Item": "Material Request",
}


def fill_gaps(frames: Frames, report: ImportReport, *, company: str, currency: str) -> None:
    """Complete the frames in place: company, warehouses, ledger, bins, vouchers, order lines."""
    _company(frames, report, company, currency)
    _ledger(frames, report)
    _warehouses(frames, report)
    _bins(frames, report)
    _uoms(frames)
    _items(frames)
    _lines(frames)
    _receipt_links(frames, report)
    _stock_entries(frames, report)
    _returns(frames, report)


def _company(frames: Frames, report: ImportReport, company: str, currency: str) -> None:
    ledger = frames["Stock Ledger Entry"]
    named = _given(ledger, "company")
    fallback = company or next(iter(named.dropna()), "Imported Company")
    frames["Stock Ledger Entry"] = ledger.assign(company=named.fillna(fallback))
    for doctype in ("Purchase Order", "Purchase Receipt", "Purchase Invoice", "Sales Order", "Material Request",
                    "Work Order", *_SALES, "Stock Entry"):  # fmt: skip
        if doctype in frames:
            rows = frames[doctype]
            frames[doctype] = rows.assign(company=_given(rows, "company").fillna(fallback))
    if "Company" not in frames:
        names = sorted(frames["Stock Ledger Entry"]["company"].unique())
        told = currency or "USD"
        frames["Company"] = pd.DataFrame({"name": names, "company_name": names, "default_currency": told})
        report.made_up.append(f"company {', '.join(names)} with currency {told}: there is no Company file")
    report.company = str(frames["Company"]["name"].iloc[0])


def _given(rows: pd.DataFrame, field: str) -> pd.Series:
    """The column with NaN for blanks; all NaN where the file has none."""
    held = rows[field] if field in rows else pd.Series("", index=rows.index, dtype=object)
    return held.where(held.ne(""), np.nan)


def _ledger(frames: Frames, report: ImportReport) -> None:
    rows = frames["Stock Ledger Entry"]
    if "posting_datetime" not in rows:
        moment = rows["posting_date"]
        if "posting_time" in rows:
            spent = pd.to_timedelta(rows["posting_time"].replace("", "0:00:00"), errors="coerce")
            moment = moment + spent.fillna(pd.Timedelta(0))
        rows = rows.assign(posting_datetime=moment)
    for column in ("creation", "modified"):
        if column not in rows:
            rows = rows.assign(**{column: rows["posting_datetime"]})
    if "is_cancelled" not in rows:
        rows = rows.assign(is_cancelled=0)
    if "qty_after_transaction" not in rows:
        standing = rows[rows["is_cancelled"] == 0].sort_values("posting_datetime", kind="stable")
        running = standing.groupby(["item_code", "warehouse"])["actual_qty"].cumsum()
        rows = rows.assign(qty_after_transaction=running.reindex(rows.index).fillna(0.0))
        report.made_up.append("qty_after_transaction: summed up from actual_qty, from 0 before the first row")
    if "name" not in rows:
        digits = pd.Series(np.arange(1, len(rows) + 1), index=rows.index, dtype=str).str.zfill(9)
        rows = rows.assign(name=digits.radd("SLE-"))
    frames["Stock Ledger Entry"] = rows.assign(docstatus=1)


def _warehouses(frames: Frames, report: ImportReport) -> None:
    ledger = frames["Stock Ledger Entry"]
    used = ledger.drop_duplicates("warehouse")[["warehouse", "company"]]
    if "Warehouse" in frames:
        rows = frames["Warehouse"]
        given = _given(rows, "company")
        owner = rows["name"].map(used.set_index("warehouse")["company"])
        frames["Warehouse"] = rows.assign(company=given.fillna(owner).fillna(report.company))
        used = used[~used["warehouse"].isin(rows["name"])]
    elsewhere = frames["Bin"]["warehouse"] if "Bin" in frames else pd.Series(dtype=object)
    known = set(used["warehouse"]) | (set(frames["Warehouse"]["name"]) if "Warehouse" in frames else set())
    extra = pd.DataFrame({"warehouse": [name for name in elsewhere.unique() if name not in known]}, dtype=object)
    missing = pd.concat([used, extra.assign(company=report.company)], ignore_index=True)
    if len(missing):
        made = pd.DataFrame({"name": missing["warehouse"], "warehouse_name": missing["warehouse"],
                             "company": missing["company"]})  # fmt: skip
        frames["Warehouse"] = pd.concat([frames.get("Warehouse", made.iloc[:0]), made], ignore_index=True)
        report.made_up.append(f"{len(made):,} warehouses, named by the ledger and bins but in no Warehouse file")


def _bins(frames: Frames, report: ImportReport) -> None:
    if "Bin" in frames:
        return
    standing = frames["Stock Ledger Entry"]
    standing = standing[standing["is_cancelled"] == 0].sort_values(["posting_datetime", "creation"], kind="stable")
    last = standing.drop_duplicates(["item_code", "warehouse"], keep="last")
    rate = last.get("valuation_rate", pd.Series(0.0, index=last.index))
    frames["Bin"] = pd.DataFrame({"item_code": last["item_code"], "warehouse": last["warehouse"],
                                  "actual_qty": last["qty_after_transaction"], "valuation_rate": rate})  # fmt: skip
    report.made_up.append("bins: the last stock of each item and warehouse in the ledger; there is no Bin file")


def _uoms(frames: Frames) -> None:
    if "UOM" not in frames:
        items = frames["Item"]
        used = [items[column] for column in ("stock_uom", "purchase_uom") if column in items]
        names = sorted({name for column in used for name in column.unique() if name})
        if names:
            frames["UOM"] = pd.DataFrame({"name": names, "uom_name": names})


def _items(frames: Frames) -> None:
    items = frames["Item"]
    defaults = {"is_stock_item": 1, "is_purchase_item": 1, "is_sales_item": 1}
    frames["Item"] = items.assign(**{field: value for field, value in defaults.items() if field not in items})


def _lines(frames: Frames) -> None:
    """Documents count as submitted unless the file says otherwise; line dates and factors fall back to the header's."""
    for child, parent in _LINES.items():
        if parent in frames:
            frames[parent] = _submitted(frames[parent])
        if child in frames:
            rows = frames[child]
            factor = rows.get("conversion_factor", pd.Series(1.0, index=rows.index)).replace(0.0, 1.0)
            rows = rows.assign(conversion_factor=factor, docstatus=1)
            if "stock_qty" not in rows:
                rows["stock_qty"] = rows["qty"] * factor
            if "schedule_date" not in rows and "schedule_date" in frames[parent]:
                rows["schedule_date"] = rows["parent"].map(frames[parent].set_index("name")["schedule_date"])
            if "name" not in rows:
                rows["name"] = rows["parent"] + "#" + rows["idx"].astype(str)
            frames[child] = rows


def _submitted(rows: pd.DataFrame) -> pd.DataFrame:
    if "docstatus" in rows:
        return rows
    status = rows.get("status", pd.Series("", index=rows.index))
    return rows.assign(docstatus=np.select([status == "Draft", status == "Cancelled"], [0, 2], 1))


def _receipt_links(frames: Frames, report: ImportReport) -> None:
    """Find the order line of a receipt line by order and item, where the file names only the order."""
    if "Purchase Receipt Item" not in frames or "Purchase Order Item" not in frames:
        return
    rows, orders = frames["Purchase Receipt Item"], frames["Purchase Order Item"]
    if "purchase_order_item" in rows or "purchase_order" not in rows:
        return
    line = orders.drop_duplicates(["parent", "item_code"]).set_index(["parent", "item_code"])["name"]
    wanted = pd.MultiIndex.from_frame(rows[["purchase_order", "item_code"]])
    frames["Purchase Receipt Item"] = rows.assign(purchase_order_item=line.reindex(wanted).to_numpy())
    report.made_up.append("links of receipt lines to order lines: the first line of the same order and item")


def _stock_entries(frames: Frames, report: ImportReport) -> None:
    """The purpose of Stock Entries that no file describes, from what their ledger rows do."""
    ledger = frames["Stock Ledger Entry"]
    known = frames["Stock Entry"]["name"] if "Stock Entry" in frames else pd.Series(dtype=object)
    rows = ledger[(ledger["voucher_type"] == "Stock Entry") & ~ledger["voucher_no"].isin(known)]
    if rows.empty:
        return
    moves = rows.assign(comes=rows["actual_qty"] > 0, goes=rows["actual_qty"] < 0)
    by_item = moves.groupby(["voucher_no", "item_code"])[["comes", "goes"]].any()
    both = (by_item["comes"] & by_item["goes"]).groupby("voucher_no").any()
    any_of = moves.groupby("voucher_no").agg(
        comes=("comes", "any"), goes=("goes", "any"), company=("company", "first"), day=("posting_date", "first")
    )
    purpose = np.select(
        [both.reindex(any_of.index), any_of["comes"] & any_of["goes"], any_of["goes"]],
        ["Material Transfer", "Manufacture", "Material Issue"],
        "Material Receipt",
    )
    made = pd.DataFrame({"name": any_of.index, "company": any_of["company"].to_numpy(), "docstatus": 1,
                         "posting_date": any_of["day"].to_numpy(), "purpose": purpose})  # fmt: skip
    frames["Stock Entry"] = pd.concat([frames.get("Stock Entry", made.iloc[:0]), made], ignore_index=True)
    report.made_up.append(
        f"the purpose of {len(made):,} stock entries: in and out of one item is a transfer, only out an issue"
    )


def _returns(frames: Frames, report: ImportReport) -> None:
    """Sales vouchers that bring stock in are returns; without their document nobody knows the sale they return."""
    ledger = frames["Stock Ledger Entry"]
    for doctype in _SALES:
        known = frames[doctype]["name"] if doctype in frames else pd.Series(dtype=object)
        rows = ledger[(ledger["voucher_type"] == doctype) & (ledger["actual_qty"] > 0)]
        rows = rows[~rows["voucher_no"].isin(known)].drop_duplicates("voucher_no")
        if len(rows):
            made = pd.DataFrame({"name": rows["voucher_no"], "company": rows["company"], "docstatus": 1,
                                 "posting_date": rows["posting_date"], "is_return": 1})  # fmt: skip
            frames[doctype] = pd.concat([frames.get(doctype, made.iloc[:0]), made], ignore_index=True)
            report.made_up.append(f"{len(made):,} returns of {doctype}: netted on their own day")
