"""Ninety days of a small wholesaler as plain tables: part of Online Retail if that file is at hand, else drawn.

The file knows sales only; suppliers, lead times, purchases and stock are made up here.
"""

import os
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

ITEMS = 20
DAYS = 90
SEED = 20111209
_REAL_FILE = "online_retail/online_retail.parquet"
# Part of the file, so that the documents load in a minute: its largest markets abroad.
_MARKETS = ("France", "Germany")
# Most lines of a wholesaler's day are small; what is larger is one big customer and would hide the rest.
_LARGEST_DAY_QUANTILE = 0.98
_COST_SHARE = 0.55
# Share of days on which a drawn item sells, as in the file.
_SELLING_DAYS = 0.27
_BATCHES = 3
# Position of the item that could not be sold for a week because its shelf was empty.
EMPTY_SHELF = 0
# Days of stock left at the end, item by item: some have to be ordered at once, some not for long.
_COVER_DAYS = (2, 4, 7, 12, 25, 60)


@dataclass(frozen=True)
class Supplier:
    name: str
    lead_time_days: int
    spread_days: int


SUPPLIERS = (
    Supplier("Brightwell Crafts", 6, 1),
    Supplier("Hollis Glass & Tin", 12, 2),
    Supplier("Meridian Imports", 24, 4),
    Supplier("Quayside Paper", 9, 2),
)


@dataclass(frozen=True)
class RetailData:
    """items: item_code, item_name, supplier, price, cost, min_order_qty, pack_qty, opening_qty; sales: day, item_code,
    qty; purchases: supplier, ordered_on, received_on, item_code, qty. Quantities in stock UOM, days datetime64.
    real: sales come from Online Retail. first_day: of the opening stock, a day before the first sale.
    """

    items: pd.DataFrame
    sales: pd.DataFrame
    purchases: pd.DataFrame
    first_day: date
    real: bool


def retail_data(as_of: date, items: int = ITEMS, days: int = DAYS) -> RetailData:
    """`days` days up to and with as_of. FORECAST_DATA names the folder with the real file."""
    rng = np.random.default_rng(SEED)
    path = Path(os.environ.get("FORECAST_DATA", "../shared/data")) / _REAL_FILE
    if path.is_file() and _can_read_parquet():
        catalog, sold = _real(path, items, days)
    else:
        catalog, sold = _drawn(items, days, rng)
    calendar = pd.date_range(end=pd.Timestamp(as_of), periods=days, freq="D")
    sold = _empty_shelf(sold)
    catalog = _with_supply(catalog)
    batches, received = _batches(catalog, sold, rng)
    short = (np.cumsum(sold, axis=1) - np.cumsum(received, axis=1)).max(axis=1)
    cover = np.resize(_COVER_DAYS, len(catalog)) * sold.mean(axis=1)
    cover[EMPTY_SHELF] = 0.0
    catalog["opening_qty"] = np.ceil(np.maximum(short, 0.0) + cover)
    rows, columns = np.nonzero(sold > 0)
    sales = pd.DataFrame({"day": calendar[columns], "item_code": catalog["item_code"].to_numpy()[rows],
                          "qty": sold[rows, columns]})  # fmt: skip
    purchases = batches.assign(ordered_on=calendar[batches["ordered"]], received_on=calendar[batches["arrived"]])[
        ["supplier", "ordered_on", "received_on", "item_code", "qty"]
    ]
    return RetailData(
        catalog,
        sales.sort_values(["day", "item_code"], ignore_index=True),
        purchases.sort_values(["ordered_on", "supplier", "item_code"], ignore_index=True),
        (calendar[0] - pd.Timedelta(days=1)).date(),
        path.is_file() and _can_read_parquet(),
    )


def _can_read_parquet() -> bool:
    try:
        import pyarrow  # noqa: F401
    except ImportError:
        return False
    return True


def _real(path: Path, items: int, days: int) -> tuple[pd.DataFrame, np.ndarray]:
    """The goods that sold on most days of the file's last `days` days. -> catalog, (items, days) quantities."""
    columns = ["StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice", "Country"]
    lines = pd.read_parquet(path, columns=columns)
    goods = lines["StockCode"].astype(str).str.match(r"^\d{5}") & lines["Country"].isin(_MARKETS)
    lines = lines[goods & (lines["Quantity"] > 0) & (lines["UnitPrice"] > 0)].copy()
    lines["day"] = pd.to_datetime(lines["InvoiceDate"]).dt.normalize()
    lines = lines[lines["day"] > lines["day"].max() - pd.Timedelta(days=days)]
    by_item = lines.groupby("StockCode").agg(
        days=("day", "nunique"), item_name=("Description", "first"), price=("UnitPrice", "median")
    )
    chosen = by_item.sort_values(["days", "price"], ascending=False).head(items).sort_index()
    lines = lines[lines["StockCode"].isin(chosen.index)]
    calendar = pd.date_range(end=lines["day"].max(), periods=days, freq="D")
    table = lines.pivot_table(index="StockCode", columns="day", values="Quantity", aggfunc="sum", fill_value=0)
    sold = table.reindex(index=chosen.index, columns=calendar, fill_value=0).to_numpy(dtype=float)
    most = np.quantile(sold, _LARGEST_DAY_QUANTILE, axis=1, keepdims=True)
    catalog = chosen.reset_index().rename(columns={"StockCode": "item_code"})
    catalog["item_name"] = catalog["item_name"].str.strip().str.title()
    return catalog[["item_code", "item_name", "price"]].astype({"item_code": str}), np.floor(np.minimum(sold, most))


def _drawn(items: int, days: int, rng: np.random.Generator) -> tuple[pd.DataFrame, np.ndarray]:
    level = rng.uniform(4.0, 40.0, items)
    week = 1.0 + 0.35 * np.sin(2.0 * np.pi * (np.arange(days) % 7) / 7.0)
    sold = rng.poisson(level[:, None] * week[None, :]).astype(float)
    sold *= rng.random((items, days)) < _SELLING_DAYS
    number = np.arange(1, items + 1)
    catalog = pd.DataFrame({
        "item_code": [f"SHOP-{n:03d}" for n in number], "item_name": [f"Shop Article {n}" for n in number],
        "price": rng.uniform(1.0, 12.0, items).round(2),
    })  # fmt: skip
    return catalog, sold


def _gap(sold: np.ndarray) -> slice:
    """The week in which one shelf was empty; its deliveries came after it."""
    middle = sold.shape[1] // 2
    return slice(middle, middle + 7)


def _empty_shelf(sold: np.ndarray) -> np.ndarray:
    out = sold.copy()
    out[EMPTY_SHELF, _gap(sold)] = 0.0
    return out


def _with_supply(catalog: pd.DataFrame) -> pd.DataFrame:
    number = np.arange(len(catalog))
    return catalog.assign(
        price=catalog["price"].round(2),
        cost=(catalog["price"] * _COST_SHARE).round(2).clip(lower=0.05),
        supplier=[SUPPLIERS[n % len(SUPPLIERS)].name for n in number],
        min_order_qty=np.where(number % 5 == 0, 24.0, 0.0),
        pack_qty=np.where(number % 3 == 1, 12.0, 1.0),
    )


def _batches(catalog: pd.DataFrame, sold: np.ndarray, rng: np.random.Generator) -> tuple[pd.DataFrame, np.ndarray]:
    """Each supplier delivered a quarter of the demand three times. -> orders by line, (items, days) received."""
    received = np.zeros_like(sold)
    quarter = np.maximum(sold.sum(axis=1) / (_BATCHES + 1), catalog["min_order_qty"])
    quarter = np.ceil(quarter / catalog["pack_qty"]) * catalog["pack_qty"]
    rows = []
    for supplier in SUPPLIERS:
        own = np.flatnonzero(catalog["supplier"] == supplier.name)
        for batch in range(_BATCHES):
            ordered = 2 + batch * (sold.shape[1] - 32) // _BATCHES
            late = int(rng.integers(-supplier.spread_days, supplier.spread_days + 1))
            arrived = max(ordered + 1, min(ordered + supplier.lead_time_days + late, sold.shape[1] - 1))
            on = np.where(own == EMPTY_SHELF, np.maximum(arrived, _gap(sold).stop), arrived)
            received[own, on] += quarter.to_numpy()[own]
            rows.append(pd.DataFrame({
                "supplier": supplier.name, "ordered": ordered, "arrived": on,
                "item_code": catalog["item_code"].to_numpy()[own], "qty": quarter.to_numpy()[own],
            }))  # fmt: skip
    return pd.concat(rows, ignore_index=True), received
