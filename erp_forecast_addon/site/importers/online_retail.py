"""Online Retail (UCI, CC BY 4.0): every invoice line of a UK wholesaler, 2010-12 to 2011-12, as an embedded site.

The file holds sales only. Stock, suppliers, costs, purchases and order rules are made up from a seed by
made_up_supply.py and say so wherever they can be seen.
"""

import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from erp_forecast_addon.planning.errors import BadInput
from erp_forecast_addon.planning.messages import _
from erp_forecast_addon.site.embedded import EmbeddedSite
from erp_forecast_addon.site.importers.made_up_supply import Supply, make_up_supply
from erp_forecast_addon.site.importers.report import ImportReport

COMPANY: Final = "Online Retail Ltd"
WAREHOUSE: Final = "Warehouse - OR"
ALL_WAREHOUSES: Final = "All Warehouses - OR"
CURRENCY: Final = "GBP"
UOM: Final = "Nos"
ITEM_GROUP: Final = "Gifts"
SELLING_LIST: Final = "Standard Selling"
BUYING_LIST: Final = "Standard Buying"

_COLUMNS: Final = ("InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID")
# Goods have five digits, some a letter more; the gift shop's begin with DCGS. The rest is postage, fees, gift vouchers.
_GOODS: Final = r"^(?:\d{5}[A-Z]{0,3}|DCGS\w+)$"


@dataclass(frozen=True)
class Sales:
    """lines: item_code, item_name, qty (> 0 sold, < 0 returned), moment, rate, voucher_no, customer, is_return, in the
    order of time; returns: voucher_no -> the sale it returns, "" where none fits.
    """

    lines: pd.DataFrame
    returns: pd.Series


def import_online_retail(
    site: EmbeddedSite, parquet_path: str | Path, seed: int = 0, suppliers: int = 40
) -> ImportReport:
    """Fill an empty site; site time becomes the morning after the last sale. Raises BadInput, the site as it was."""
    started = time.perf_counter()
    report = ImportReport(Path(parquet_path).name, company=COMPANY)
    sales = _read(Path(parquet_path), report)
    if site.read('SELECT 1 FROM "tabCompany" LIMIT 1'):
        raise BadInput(_("{path}: this site holds data already; import into a new one."), path=site.path)
    supply = make_up_supply(sales.lines, WAREHOUSE, seed, suppliers)
    try:
        with site.savepoint():
            _write_masters(site, sales, supply, report)
            _write_sales(site, sales, report)
            _write_purchases(site, supply, report)
            _write_stock(site, supply, report)
            site.set_now(_morning_after(sales), keep=True)
    except BaseException:
        site.rollback()
        raise
    site.commit()
    report.made_up = supply.told
    report.seconds = time.perf_counter() - started
    return report


def _morning_after(sales: Sales) -> datetime:
    last: datetime = (sales.lines["moment"].max().normalize() + pd.Timedelta(days=1, hours=8)).to_pydatetime()
    return last


# ---- reading ------------------------------------
def _read(path: Path, report: ImportReport) -> Sales:
    if not path.is_file():
        raise BadInput(_("{path}: there is no such file."), path=path)
    try:
        lines = pd.read_parquet(path)
    except (ValueError, OSError) as error:
        raise BadInput(_("{path}: this is no Parquet file ({error})."), path=path, error=error) from error
    missing = [column for column in _COLUMNS if column not in lines]
    if missing:
        raise BadInput(_("{path}: column {column} is missing."), path=path, column=missing[0])
    _refuse_bad_numbers(lines, path)
    report.rows_read[path.name] = len(lines)
    return _sales(_kept(lines, report), report)


def _refuse_bad_numbers(lines: pd.DataFrame, path: Path) -> None:
    for column in ("Quantity", "UnitPrice"):
        bad = ~np.isfinite(pd.to_numeric(lines[column], errors="coerce").to_numpy(dtype=float, na_value=np.nan))
        _refuse(bad, lines, path, column)
    _refuse(pd.to_datetime(lines["InvoiceDate"], errors="coerce").isna().to_numpy(), lines, path, "InvoiceDate")


def _refuse(bad: np.ndarray, lines: pd.DataFrame, path: Path, column: str) -> None:
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        raise BadInput(
            _("{path}, row {row}, column {column}: {value} is no usable value."),
            path=path, row=row + 1, column=column, value=lines[column].iloc[row],
        )  # fmt: skip


def _kept(lines: pd.DataFrame, report: ImportReport) -> pd.DataFrame:
    code = lines["StockCode"].astype(object).str.strip().str.upper()
    invoice = lines["InvoiceNo"].astype(object).str.strip().str.upper()
    cancelled = invoice.str.startswith("C").to_numpy(dtype=bool)
    qty = lines["Quantity"].to_numpy(dtype=float)
    price = lines["UnitPrice"].to_numpy(dtype=float)
    reasons = [
        ("not goods: postage, fees, vouchers, manual corrections", ~code.str.match(_GOODS).to_numpy(dtype=bool)),
        ("stock corrections: negative quantity without a cancellation", (qty < 0) & ~cancelled),
        ("without a price: samples, finds, corrections", price <= 0),
        ("no quantity", (qty == 0) | ((qty > 0) & cancelled)),
    ]
    out = np.zeros(len(lines), dtype=bool)
    for reason, wrong in reasons:
        report.left_out[reason] = int((wrong & ~out).sum())
        out |= wrong
    kept = pd.DataFrame(
        {
            "item_code": code,
            "item_name": lines["Description"].astype(object).str.strip(),
            "qty": qty,
            "moment": pd.to_datetime(lines["InvoiceDate"]).astype("datetime64[ns]"),
            "rate": price,
            "voucher_no": invoice,
            "customer": pd.to_numeric(lines["CustomerID"], errors="coerce").to_numpy(dtype=float, na_value=0.0),
            "is_return": cancelled,
        }
    )[~out]
    return kept.sort_values(["moment", "voucher_no"], kind="stable").reset_index(drop=True)


def _sales(lines: pd.DataFrame, report: ImportReport) -> Sales:
    report.first_day, report.last_day = lines["moment"].min().date(), lines["moment"].max().date()
    returned = lines[lines["is_return"]]
    against = _sale_of(returned, lines[~lines["is_return"]])
    # ERPNext's return names one sale: a cancellation of lines of several sales becomes several returns.
    split = returned["voucher_no"] + "/" + against.where(against != "", "-")
    lines = lines.copy()
    lines.loc[returned.index, "voucher_no"] = split
    returns = pd.Series(against.to_numpy(), index=pd.Index(split, name="voucher_no"), name="return_against")
    report.notes.append(f"{int((against == '').sum()):,} cancelled lines fit no earlier sale of that customer and item")
    return Sales(lines, returns[~returns.index.duplicated()])


def _sale_of(returned: pd.DataFrame, sold: pd.DataFrame) -> pd.Series:
    """The latest sale of the same item to the same customer up to the moment of the return; "" where there is none."""
    by = ["item_code", "customer"]
    sales = sold[[*by, "moment", "voucher_no"]].rename(columns={"voucher_no": "against"})
    found = pd.merge_asof(returned[[*by, "moment"]].reset_index(), sales, on="moment", by=by, direction="backward")
    return found.set_index("index")["against"].reindex(returned.index).fillna("")


# ---- writing ------------------------------------
def _write(site: EmbeddedSite, doctype: str, rows: pd.DataFrame, report: ImportReport) -> None:
    with site.without_indexes(doctype):
        site.insert_rows(doctype, rows)
    report.rows_written[doctype] = report.rows_written.get(doctype, 0) + len(rows)


def _write_masters(site: EmbeddedSite, sales: Sales, supply: Supply, report: ImportReport) -> None:
    def document(doctype: str, **values: object) -> None:
        site.insert_document(doctype, values)
        report.rows_written[doctype] = report.rows_written.get(doctype, 0) + 1

    document("Company", company_name=COMPANY, abbr="OR", default_currency=CURRENCY, country="United Kingdom")
    document(
        "Warehouse", name=ALL_WAREHOUSES, warehouse_name="All Warehouses", company=COMPANY, is_group=1, lft=1, rgt=4
    )
    document("Warehouse", name=WAREHOUSE, warehouse_name="Warehouse", company=COMPANY, lft=2, rgt=3,
             parent_warehouse=ALL_WAREHOUSES)  # fmt: skip
    document("UOM", uom_name=UOM, must_be_whole_number=1)
    document("Item Group", item_group_name=ITEM_GROUP)
    document("Price List", price_list_name=SELLING_LIST, selling=1, currency=CURRENCY)
    document("Price List", price_list_name=BUYING_LIST, buying=1, currency=CURRENCY)
    site.update_document("Selling Settings", "Selling Settings", {"selling_price_list": SELLING_LIST})
    site.update_document("Buying Settings", "Buying Settings", {"buying_price_list": BUYING_LIST})
    planned = {"company": COMPANY, "currency": CURRENCY, "who_orders": "Forecast Addon"}
    site.update_document("Forecast Settings", "Forecast Settings", {"companies": [planned]})
    suppliers = supply.suppliers.drop(columns="lead_days")
    _write(site, "Supplier", suppliers.assign(name=suppliers["supplier_name"]), report)
    _write_items(site, sales, supply, report)


def _write_items(site: EmbeddedSite, sales: Sales, supply: Supply, report: ImportReport) -> None:
    described = sales.lines.dropna(subset=["item_name"]).drop_duplicates("item_code", keep="last")
    names = described.set_index("item_code")["item_name"]
    items = supply.items
    _write(site, "Item", pd.DataFrame({
        "name": items["item_code"], "item_code": items["item_code"],
        "item_name": items["item_code"].map(names).fillna(items["item_code"]),
        "item_group": ITEM_GROUP, "stock_uom": UOM, "is_stock_item": 1, "is_purchase_item": 1, "is_sales_item": 1,
        "min_order_qty": items["min_order_qty"], "last_purchase_rate": items["cost"], "standard_rate": items["price"],
    }), report)  # fmt: skip
    _write(site, "Item Default", pd.DataFrame({
        "parent": items["item_code"], "parenttype": "Item", "parentfield": "item_defaults", "idx": 1,
        "company": COMPANY, "default_warehouse": WAREHOUSE, "default_supplier": items["supplier"],
    }), report)  # fmt: skip
    listed = {"item_code": items["item_code"], "uom": UOM, "currency": CURRENCY}
    selling = {"price_list": SELLING_LIST, "selling": 1, "buying": 0, "price_list_rate": items["price"]}
    buying = {
        "price_list": BUYING_LIST, "selling": 0, "buying": 1, "price_list_rate": items["cost"],
        "supplier": items["supplier"], "packing_unit": items["pack_qty"],
    }  # fmt: skip
    _write(site, "Item Price", pd.DataFrame({**listed, **selling}), report)
    _write(site, "Item Price", pd.DataFrame({**listed, **buying}), report)


def _write_sales(site: EmbeddedSite, sales: Sales, report: ImportReport) -> None:
    vouchers = sales.lines.drop_duplicates("voucher_no")
    against = vouchers["voucher_no"].map(sales.returns)
    _write(site, "Delivery Note", pd.DataFrame({
        "name": vouchers["voucher_no"], "company": COMPANY, "posting_date": vouchers["moment"], "docstatus": 1,
        "is_return": vouchers["is_return"], "return_against": against.replace("", None),
        "status": np.where(vouchers["is_return"], "Return", "Completed"),
    }), report)  # fmt: skip


def _write_purchases(site: EmbeddedSite, supply: Supply, report: ImportReport) -> None:
    for doctype, rows in supply.purchase_documents(COMPANY, CURRENCY, UOM).items():
        _write(site, doctype, rows, report)


def _write_stock(site: EmbeddedSite, supply: Supply, report: ImportReport) -> None:
    ledger = supply.ledger
    _write(site, "Stock Ledger Entry", pd.DataFrame({
        "name": pd.Series(np.arange(1, len(ledger) + 1), dtype=str).str.zfill(8).radd("SLE-"),
        "item_code": ledger["item_code"], "warehouse": WAREHOUSE, "company": COMPANY, "stock_uom": UOM,
        "posting_date": ledger["moment"], "posting_datetime": ledger["moment"], "creation": ledger["moment"],
        "voucher_type": ledger["voucher_type"], "voucher_no": ledger["voucher_no"], "docstatus": 1,
        "actual_qty": ledger["actual_qty"], "qty_after_transaction": ledger["qty_after_transaction"],
        "valuation_rate": ledger["cost"], "modified": ledger["moment"],
    }), report)  # fmt: skip
    bins = supply.bins
    _write(site, "Bin", pd.DataFrame({
        "item_code": bins["item_code"], "warehouse": WAREHOUSE, "stock_uom": UOM, "actual_qty": bins["actual_qty"],
        "ordered_qty": bins["ordered_qty"], "projected_qty": bins["actual_qty"] + bins["ordered_qty"],
        "valuation_rate": bins["cost"], "stock_value": bins["actual_qty"] * bins["cost"],
    }), report)  # fmt: skip
