"""Stock, suppliers, costs and purchases for sales that came without them: seeded, and named as made up.

The stock of every item is laid over its sales so that it never falls below zero: a receipt arrives on the morning of
the day on which cumulative demand would eat up what has been received so far. All items at once.
"""

from dataclasses import dataclass, field
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# A lot covers between so many days of an item's mean demand; suppliers deliver after so many days on average.
_LOT_DAYS: Final = (25.0, 75.0)
_LEAD_DAYS: Final = (5.0, 40.0)
_COST_SHARE: Final = (0.45, 0.65)  # of the median selling price
_PACKS: Final = np.array([1, 1, 6, 12, 12, 24])
_OPEN_ORDER_SHARE: Final = 0.08  # of the items
_RECEIPT_HOUR: Final = pd.Timedelta(hours=5)


@dataclass(frozen=True)
class Supply:
    """items: item_code, supplier, cost, price, pack_qty, min_order_qty; suppliers: supplier_name, lead_days (mean);
    receipts: item_code, supplier, ordered_on, received_on, qty, order, receipt, cost; open_orders: the same without
    a receipt, with schedule_date; ledger: rows by item and time; bins: item_code, actual_qty, ordered_qty, cost;
    told: sentences that say what was made up.
    """

    items: pd.DataFrame
    suppliers: pd.DataFrame
    receipts: pd.DataFrame
    open_orders: pd.DataFrame
    ledger: pd.DataFrame
    bins: pd.DataFrame
    told: list[str] = field(default_factory=list)

    def purchase_documents(self, company: str, currency: str, uom: str) -> dict[str, pd.DataFrame]:
        """Frames for Purchase Order, its lines, Purchase Receipt and its lines."""
        done = self.receipts.assign(schedule_date=self.receipts["received_on"], received_qty=self.receipts["qty"])
        still = self.open_orders.assign(received_qty=0.0)
        lines = pd.concat([done, still], ignore_index=True)
        lines["line"] = pd.Series(np.arange(1, len(lines) + 1), dtype=str).str.zfill(7).radd("POL-")
        lines["amount"] = lines["qty"] * lines["cost"]
        received = lines[lines["receipt"].notna()]
        return {
            "Purchase Order": _orders(lines, company, currency),
            "Purchase Order Item": _order_lines(lines, uom),
            "Purchase Receipt": _receipts(received, company),
            "Purchase Receipt Item": _receipt_lines(received, uom),
        }


def make_up_supply(sales: pd.DataFrame, warehouse: str, seed: int, suppliers: int) -> Supply:
    """sales: item_code, qty (< 0: returned), moment, rate, voucher_no, in the order of time.

    The same sales and seed give the same supply. Source of nothing: every figure is invented.
    """
    rng = np.random.default_rng(seed)
    made = _suppliers(rng, suppliers)
    items = _items(sales, made, rng)
    events = _events(sales, items)
    receipts = _arrivals(events, items, made, rng).assign(warehouse=warehouse)
    open_orders = _open_orders(items, made, sales["moment"].max(), rng).assign(warehouse=warehouse)
    ledger = _ledger(events, receipts, items, sales["moment"].min())
    last = ledger.drop_duplicates("item_code", keep="last").set_index("item_code")["qty_after_transaction"]
    ordered = open_orders.groupby("item_code")["qty"].sum()
    bins = pd.DataFrame({
        "item_code": items["item_code"],
        "actual_qty": items["item_code"].map(last).astype(float),
        "ordered_qty": items["item_code"].map(ordered).fillna(0.0).astype(float),
        "cost": items["cost"],
    })  # fmt: skip
    return Supply(items, made, receipts, open_orders, ledger, bins, _told(made, receipts, open_orders, seed))


def _suppliers(rng: np.random.Generator, count: int) -> pd.DataFrame:
    names = pd.Series(np.arange(1, count + 1), dtype=str).str.zfill(2).radd("Made-up Supplier ")
    return pd.DataFrame({"supplier_name": names, "default_currency": "GBP"}).assign(
        supplier_group="Made-up", lead_days=rng.uniform(*_LEAD_DAYS, count).round()
    )[["supplier_name", "supplier_group", "default_currency", "lead_days"]]


def _items(sales: pd.DataFrame, suppliers: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    by_item = sales.groupby("item_code", sort=True)
    price = by_item["rate"].median()
    n = len(price)
    days = (sales["moment"].max().normalize() - by_item["moment"].min().dt.normalize()).dt.days + 1
    daily = (by_item["qty"].sum().clip(lower=0.0) / days).to_numpy()
    pack = rng.choice(_PACKS, n)
    lot = np.maximum(np.ceil(daily * rng.uniform(*_LOT_DAYS, n) / pack), 1.0) * pack
    return pd.DataFrame({
        "item_code": price.index.to_numpy(dtype=object),
        "supplier_at": rng.integers(0, len(suppliers), n),
        "cost": np.maximum((price.to_numpy() * rng.uniform(*_COST_SHARE, n)).round(2), 0.01),
        "price": price.to_numpy(),
        "pack_qty": pack,
        "min_order_qty": np.where(rng.random(n) < 0.3, 2.0 * pack, 0.0),
        "lot_qty": lot,
        "opening_qty": np.ceil(lot * rng.uniform(0.6, 1.4, n)),
    }).assign(supplier=lambda made: suppliers["supplier_name"].to_numpy()[made["supplier_at"]])  # fmt: skip


def _events(sales: pd.DataFrame, items: pd.DataFrame) -> pd.DataFrame:
    """Sales by item and time, with the item's row and the demand so far."""
    at = pd.Index(items["item_code"]).get_indexer(pd.Index(sales["item_code"]))
    order = np.argsort(at, kind="stable")  # sales come in the order of time
    events = sales.iloc[order][["item_code", "qty", "moment", "voucher_no"]].assign(at=at[order])
    return events.assign(demanded=events.groupby("at")["qty"].cumsum()).reset_index(drop=True)


def _arrivals(
    events: pd.DataFrame, items: pd.DataFrame, suppliers: pd.DataFrame, rng: np.random.Generator
) -> pd.DataFrame:
    """Lots that must have arrived before each sale: ceil((highest demand so far - opening) / lot)."""
    lot, opening = items["lot_qty"].to_numpy()[events["at"]], items["opening_qty"].to_numpy()[events["at"]]
    highest = events.groupby("at")["demanded"].cummax().to_numpy()
    lots = np.ceil(np.maximum(highest - opening, 0.0) / lot)
    before = np.where(np.concatenate([[True], np.diff(events["at"]) != 0]), 0.0, np.concatenate([[0.0], lots[:-1]]))
    arriving = lots > before
    arrived = pd.DataFrame({
        "at": events["at"][arriving],
        "received_on": events["moment"][arriving].dt.normalize(),
        "qty": (lots - before)[arriving] * lot[arriving],
    })  # fmt: skip
    rows = arrived.groupby(["at", "received_on"])["qty"].sum().reset_index()
    return _with_documents(rows, items, suppliers, rng)


def _with_documents(
    rows: pd.DataFrame, items: pd.DataFrame, suppliers: pd.DataFrame, rng: np.random.Generator
) -> pd.DataFrame:
    """One order and one receipt per supplier and day of arrival, ordered a drawn lead time before."""
    described = items.iloc[rows["at"].to_numpy()][["item_code", "supplier", "supplier_at", "cost"]].reset_index(
        drop=True
    )
    rows = pd.concat([rows.reset_index(drop=True), described], axis=1)
    number = rows.groupby(["received_on", "supplier_at"], sort=True).ngroup().to_numpy()
    count = int(number.max()) + 1 if len(number) else 0
    mean = np.zeros(count)
    mean[number] = suppliers["lead_days"].to_numpy()[rows["supplier_at"]]
    days = np.maximum(np.rint(rng.gamma(16.0, 1.0 / 16.0, count) * mean), 1.0)  # coefficient of variation 1/4
    rows["ordered_on"] = rows["received_on"] - pd.to_timedelta(days[number], unit="D")
    digits = pd.Series(number + 1, dtype=str).str.zfill(6)
    return rows.assign(order=digits.radd("MADE-UP-PO-"), receipt=digits.radd("MADE-UP-PR-"))


def _open_orders(
    items: pd.DataFrame, suppliers: pd.DataFrame, last: pd.Timestamp, rng: np.random.Generator
) -> pd.DataFrame:
    """What is still under way at the end: some items, some of it overdue by a few days."""
    at = np.flatnonzero(rng.random(len(items)) < _OPEN_ORDER_SHARE)
    rows = items.iloc[at][["item_code", "supplier", "supplier_at", "cost", "lot_qty"]].reset_index(drop=True)
    lead = suppliers["lead_days"].to_numpy()
    due_in = np.rint(rng.uniform(-4.0, 1.0, len(suppliers)) + lead * rng.uniform(0.0, 0.8, len(suppliers)))
    due_on = last.normalize() + pd.to_timedelta(due_in, unit="D").to_numpy()[rows["supplier_at"]]
    return rows.rename(columns={"lot_qty": "qty"}).assign(
        schedule_date=due_on,
        ordered_on=due_on - pd.to_timedelta(lead, unit="D").to_numpy()[rows["supplier_at"]],
        order=pd.Series(rows["supplier_at"] + 1, dtype=str).str.zfill(3).radd("MADE-UP-PO-OPEN-"),
        receipt=None,
    )


def _ledger(events: pd.DataFrame, receipts: pd.DataFrame, items: pd.DataFrame, first: pd.Timestamp) -> pd.DataFrame:
    """Opening stock, receipts and sales by item and time, with the running stock and the item's cost."""
    opening = pd.DataFrame({
        "at": np.arange(len(items)), "moment": first.normalize(), "actual_qty": items["opening_qty"],
        "voucher_type": "Stock Reconciliation", "voucher_no": "MADE-UP-OPENING-STOCK",
    })  # fmt: skip
    arrived = pd.DataFrame({
        "at": receipts["at"], "moment": receipts["received_on"] + _RECEIPT_HOUR, "actual_qty": receipts["qty"],
        "voucher_type": "Purchase Receipt", "voucher_no": receipts["receipt"],
    })  # fmt: skip
    sold = pd.DataFrame({
        "at": events["at"], "moment": events["moment"], "actual_qty": -events["qty"],
        "voucher_type": "Delivery Note", "voucher_no": events["voucher_no"],
    })  # fmt: skip
    rows = pd.concat([opening, arrived, sold], ignore_index=True)
    order = np.lexsort((rows["moment"].to_numpy(), rows["at"].to_numpy()))
    rows = rows.iloc[order].reset_index(drop=True)
    rows["qty_after_transaction"] = rows.groupby("at")["actual_qty"].cumsum()
    at = rows["at"].to_numpy()
    return rows.assign(item_code=items["item_code"].to_numpy()[at], cost=items["cost"].to_numpy()[at])


def _told(suppliers: pd.DataFrame, receipts: pd.DataFrame, open_orders: pd.DataFrame, seed: int) -> list[str]:
    return [
        f"{len(suppliers)} suppliers with lead times of {suppliers['lead_days'].min():.0f} to "
        f"{suppliers['lead_days'].max():.0f} days on average (seed {seed})",
        "opening stock, cost, pack size and minimum order quantity of every item",
        f"{receipts['order'].nunique():,} received purchase orders with {len(receipts):,} lines, so that stock never "
        "falls below zero",
        f"{open_orders['order'].nunique():,} open purchase orders with {len(open_orders):,} lines",
    ]


# ---- documents ------------------------------------
def _orders(lines: pd.DataFrame, company: str, currency: str) -> pd.DataFrame:
    by_order = lines.groupby("order", sort=True)
    first = by_order[["supplier", "ordered_on", "schedule_date", "receipt"]].first()
    total = by_order["amount"].sum()
    closed = first["receipt"].notna()
    return pd.DataFrame({
        "name": first.index, "supplier": first["supplier"], "supplier_name": first["supplier"], "company": company,
        "currency": currency, "conversion_rate": 1.0, "docstatus": 1, "transaction_date": first["ordered_on"],
        "schedule_date": first["schedule_date"], "status": np.where(closed, "Completed", "To Receive and Bill"),
        "per_received": np.where(closed, 100.0, 0.0), "total_qty": by_order["qty"].sum(), "total": total,
        "base_total": total, "net_total": total, "base_net_total": total, "grand_total": total,
        "base_grand_total": total,
    }).reset_index(drop=True)  # fmt: skip


def _order_lines(lines: pd.DataFrame, uom: str) -> pd.DataFrame:
    return pd.DataFrame({
        **_line(lines, "Purchase Order", lines["order"], uom), "name": lines["line"],
        "schedule_date": lines["schedule_date"], "received_qty": lines["received_qty"], "stock_uom": uom,
        "amount": lines["amount"], "base_rate": lines["cost"], "base_amount": lines["amount"],
    })  # fmt: skip


def _receipts(received: pd.DataFrame, company: str) -> pd.DataFrame:
    first = received.groupby("receipt", sort=True)[["supplier", "received_on"]].first()
    return pd.DataFrame({
        "name": first.index, "supplier": first["supplier"], "company": company, "docstatus": 1,
        "posting_date": first["received_on"], "status": "Completed",
    }).reset_index(drop=True)  # fmt: skip


def _receipt_lines(received: pd.DataFrame, uom: str) -> pd.DataFrame:
    return pd.DataFrame({
        **_line(received, "Purchase Receipt", received["receipt"], uom), "purchase_order": received["order"],
        "purchase_order_item": received["line"],
    })  # fmt: skip


def _line(lines: pd.DataFrame, parenttype: str, parent: pd.Series, uom: str) -> dict[str, object]:
    return {
        "parent": parent, "parenttype": parenttype, "parentfield": "items", "docstatus": 1,
        "idx": lines.groupby(parent).cumcount() + 1, "item_code": lines["item_code"], "qty": lines["qty"],
        "warehouse": lines["warehouse"], "uom": uom, "conversion_factor": 1.0, "stock_qty": lines["qty"],
        "rate": lines["cost"],
    }  # fmt: skip
