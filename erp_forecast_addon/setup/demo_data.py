"""A year in the demo company as plain tables: the same numbers whichever site they are written to.

Pure and seeded: no site, no clock. Demand is drawn per item from its pattern; supply is a buyer who orders once a week
from each supplier and stopped some weeks ago, so that the planner has something to do.
"""

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from erp_forecast_addon.setup import demo_catalog as catalog
from erp_forecast_addon.setup.demo_catalog import Item

DAYS = 365
SEED = 20240601
# Open from Monday to Saturday.
_SUNDAY = 6
_ORDER_WEEKDAY = 1
# The buyer's own rule: cover the lead time and a week, order three weeks' demand on top.
_COVER_DAYS, _BATCH_DAYS = 9, 21
_SLOWEST_DAYS = 120
_OPEN_SALES = 6


@dataclass(frozen=True)
class DemoData:
    """items: one row per item; pairs: item_code, warehouse, opening_qty, cost; sales: day, note, customer, item_code,
    warehouse, qty, rate; purchases: order, supplier, ordered_on, schedule_date, received_on (NaT: still open),
    item_code, warehouse, qty (purchase UOM), uom, conversion_factor, rate (per purchase UOM); sales_orders: order,
    customer, ordered_on, delivery_date, item_code, warehouse, qty, rate. Quantities in stock UOM unless said otherwise.
    first_day: the day of the opening stock, before any sale.
    """

    first_day: date
    as_of: date
    items: pd.DataFrame
    pairs: pd.DataFrame
    sales: pd.DataFrame
    purchases: pd.DataFrame
    sales_orders: pd.DataFrame


def demo_data(as_of: date, small: bool = False, seed: int = SEED, day_count: int = DAYS) -> DemoData:
    """The demo company's year (or `day_count` days) up to and with `as_of`; small: half of the items, for a live site.

    Both sizes are drawn together, so an item has the same year in either.
    """
    days = pd.date_range(end=pd.Timestamp(as_of), periods=day_count, freq="D")
    rng = np.random.default_rng(seed)
    pairs = _pairs(list(catalog.ITEMS))
    items = [catalog.ITEMS[i] for i in pairs["item"]]
    simulated = _simulate(items, _demand(items, pairs["share"].to_numpy(), days, rng), days, rng)
    kept = np.array([item.small or not small for item in items])
    return DemoData(
        first_day=(days[0] - pd.Timedelta(days=1)).date(),
        as_of=as_of,
        items=_item_table([item for item in catalog.ITEMS if item.small or not small]),
        pairs=pd.DataFrame({
            "item_code": [item.code for item in items], "warehouse": pairs["warehouse"],
            "opening_qty": simulated.opening_qty, "cost": [item.cost for item in items],
        })[kept].reset_index(drop=True),
        sales=_sales(items, pairs["warehouse"], np.where(kept[:, None], simulated.sold, 0.0), days),
        purchases=_purchases(items, pairs["warehouse"], simulated.orders, days, as_of, kept),
        sales_orders=_sales_orders(items, pairs["warehouse"], np.where(kept[:, None], simulated.sold, 0.0), as_of, rng),
    )  # fmt: skip


def _item_table(items: list[Item]) -> pd.DataFrame:
    table = pd.DataFrame({
        "item_code": [i.code for i in items], "item_name": [i.name for i in items],
        "item_group": [i.group for i in items], "supplier": [i.supplier.name if i.supplier else "" for i in items],
        "lead_time_days": [i.supplier.lead_time_days if i.supplier else 0 for i in items],
        "cost": [i.cost for i in items], "price": [i.price for i in items],
        "min_order_qty": [float(i.min_order_qty) for i in items], "pack_qty": [float(i.pack_qty) for i in items],
    })  # fmt: skip
    table["purchase_uom"] = np.where(table["pack_qty"] > 1, catalog.PACK_UOM, catalog.STOCK_UOM)
    return table


def _pairs(items: list[Item]) -> pd.DataFrame:
    """item (position), warehouse, share of the item's demand."""
    rows = [(at, catalog.MAIN_WAREHOUSE, 1.0 - item.second_warehouse) for at, item in enumerate(items)]
    rows += [
        (at, catalog.SECOND_WAREHOUSE, item.second_warehouse) for at, item in enumerate(items) if item.second_warehouse
    ]
    return pd.DataFrame(rows, columns=["item", "warehouse", "share"])


def _column(items: list[Item], name: str) -> np.ndarray:
    return np.array([getattr(item, name) for item in items], dtype=float)[:, None]


def _demand(items: list[Item], share: np.ndarray, days: pd.DatetimeIndex, rng: np.random.Generator) -> np.ndarray:
    """(n, days) whole units wanted, none on Sundays: a gamma-Poisson size on the days on which anything sells."""
    ago = (days[-1] - days).days.to_numpy()[None, :]
    year_wave = np.cos(2 * np.pi * (days.day_of_year.to_numpy()[None, :] - _column(items, "season_peak_day")) / 365.25)
    week_wave = np.sin(2 * np.pi * (days.day_of_week.to_numpy()[None, :] - 1) / _SUNDAY)
    mean = (
        _column(items, "daily_qty") * share[:, None]
        * (1 + _column(items, "season") * year_wave)
        * (1 + _column(items, "weekday") * week_wave)
        * _column(items, "trend") ** (1 - ago / len(days))
    )  # fmt: skip
    born, dead = _column(items, "born_days_ago"), _column(items, "dead_days_ago")
    alive = ((born == 0) | (ago <= born)) & (ago >= dead) & (days.day_of_week.to_numpy() < _SUNDAY)[None, :]
    occurrence = _column(items, "occurrence")
    size = np.maximum(np.where(alive, mean / occurrence, 0.0), 0.0)
    excess = np.maximum(_column(items, "spread") - 1.0, 1e-3)
    rate = rng.gamma(np.maximum(size / excess, 1e-9), excess)
    happens = rng.random(size.shape) < occurrence
    # A day on which an item of rare demand sells, sells one at least.
    floor = np.where((occurrence < 1.0) & alive, 1.0, 0.0)
    return np.where(happens & alive, np.maximum(rng.poisson(rate), floor), 0.0)


@dataclass(frozen=True)
class _Simulated:
    opening_qty: np.ndarray
    sold: np.ndarray
    orders: pd.DataFrame


def _simulate(items: list[Item], demand: np.ndarray, days: pd.DatetimeIndex, rng: np.random.Generator) -> _Simulated:
    """Sell what is there, order weekly, receive after the supplier's lead time. orders: pair, day, arrives, boxes."""
    n, t = demand.shape
    lead = np.array([item.supplier.lead_time_days if item.supplier else 0 for item in items])
    pace = demand.sum(axis=1) / np.maximum((demand > 0).any(axis=0).sum(), 1) * _SUNDAY / 7
    opening = np.ceil(np.where(lead > 0, pace * (lead + _COVER_DAYS + _BATCH_DAYS), demand.sum(axis=1) * 1.06) + 3)
    born = np.array([item.born_days_ago for item in items])
    opening = np.where(born > 0, np.ceil(demand[:, -30:].sum(axis=1) / 30 * (lead + 25)), opening)
    pack = np.array([item.pack_qty for item in items], dtype=float)
    opening = np.ceil(opening / pack) * pack
    last_order = _last_order_day(items, t)
    on_hand, arriving = opening.copy(), np.zeros((n, t + _SLOWEST_DAYS))
    sold, orders = np.zeros((n, t)), []
    # A loop over days: tomorrow's stock depends on today's order. The items of a day go through at once.
    for day in range(t):
        on_hand += arriving[:, day]
        sold[:, day] = np.minimum(demand[:, day], on_hand)
        on_hand -= sold[:, day]
        if days[day].day_of_week != _ORDER_WEEKDAY:
            continue
        recent = demand[:, max(0, day - 27) : day + 1].mean(axis=1)
        on_order = arriving[:, day + 1 :].sum(axis=1)
        due = (on_hand + on_order < recent * (lead + _COVER_DAYS)) & (day <= last_order) & (recent > 0)
        wanted = np.maximum(recent * (lead + _COVER_DAYS + _BATCH_DAYS) - on_hand - on_order, 0)
        minimum = np.array([item.min_order_qty for item in items])
        boxes = np.ceil(np.maximum(wanted, minimum) / pack)
        for supplier in catalog.SUPPLIERS:  # six of them: one truck each
            lines = np.flatnonzero(due & (boxes > 0) & np.array([item.supplier == supplier for item in items]))
            took = max(1, round(rng.normal(supplier.lead_time_days, supplier.lead_time_std_days)))
            arriving[lines, day + took] += boxes[lines] * pack[lines]
            orders.append(pd.DataFrame({"pair": lines, "day": day, "arrives": day + took, "boxes": boxes[lines]}))
    orders.append(_on_the_way(items, demand, t))
    return _Simulated(opening, sold, pd.concat(orders, ignore_index=True))


def _on_the_way(items: list[Item], demand: np.ndarray, t: int) -> pd.DataFrame:
    """Orders that are open today; one of them should have been here some days ago."""
    ago = np.array([item.on_the_way_days for item in items])
    pack = np.array([item.pack_qty for item in items], dtype=float)
    lines = np.flatnonzero((ago > 0) & (ago < t))
    boxes = np.ceil(demand[lines, -28:].mean(axis=1) * _BATCH_DAYS / pack[lines])
    return pd.DataFrame(
        {"pair": lines, "day": t - 1 - ago[lines], "arrives": t + _SLOWEST_DAYS, "boxes": np.maximum(boxes, 1)}
    )


def _last_order_day(items: list[Item], t: int) -> np.ndarray:
    """The last day on which each item was ordered; a neglected one has been forgotten for the longer time."""
    ago = [
        (item.supplier.last_order_days_ago + (60 if item.neglected else 0)) if item.supplier else t for item in items
    ]
    return t - 1 - np.array(ago)


def _sales(items: list[Item], warehouses: pd.Series, sold: np.ndarray, days: pd.DatetimeIndex) -> pd.DataFrame:
    """One delivery note a working day, to the customers in turn."""
    day, pair = np.nonzero(sold.T)
    note = pd.factorize(day)[0]
    return pd.DataFrame({
        "day": days[day], "note": note, "customer": _objects(list(catalog.CUSTOMERS))[day % len(catalog.CUSTOMERS)],
        "item_code": _objects([item.code for item in items])[pair], "warehouse": warehouses.to_numpy()[pair],
        "qty": sold[pair, day], "rate": np.array([item.price for item in items])[pair],
    })  # fmt: skip


def _purchases(
    items: list[Item],
    warehouses: pd.Series,
    orders: pd.DataFrame,
    days: pd.DatetimeIndex,
    as_of: date,
    kept: np.ndarray,
) -> pd.DataFrame:
    orders = orders[kept[orders["pair"].to_numpy(dtype=int)]].reset_index(drop=True)
    pair = orders["pair"].to_numpy(dtype=int)
    ordered_on = pd.Series(days[orders["day"].to_numpy(dtype=int)])
    supplier = pd.Series([items[i].supplier for i in pair], dtype=object)
    arrives = days[0] + pd.to_timedelta(orders["arrives"].to_numpy(dtype=int), unit="D")
    pack = np.array([item.pack_qty for item in items], dtype=float)[pair]
    table = pd.DataFrame({
        "supplier": [s.name for s in supplier], "ordered_on": ordered_on,
        "schedule_date": ordered_on + pd.to_timedelta([s.lead_time_days for s in supplier], unit="D"),
        "received_on": pd.Series(arrives).where(arrives <= pd.Timestamp(as_of)),
        "item_code": _objects([item.code for item in items])[pair], "warehouse": warehouses.to_numpy()[pair],
        "qty": orders["boxes"].to_numpy(dtype=float),
        "uom": np.where(pack > 1, catalog.PACK_UOM, catalog.STOCK_UOM), "conversion_factor": pack,
        "rate": np.round(np.array([item.cost for item in items])[pair] * pack, 2),
    })  # fmt: skip
    table.insert(0, "order", table.groupby(["ordered_on", "supplier"], sort=True).ngroup())
    return table.sort_values(["order", "item_code", "warehouse"], ignore_index=True)


def _sales_orders(
    items: list[Item], warehouses: pd.Series, sold: np.ndarray, as_of: date, rng: np.random.Generator
) -> pd.DataFrame:
    """A few open orders of the steady sellers, due within the next three weeks."""
    weekly = sold[:, -28:].sum(axis=1) / 4
    pair = np.argsort(-weekly * np.array([item.price for item in items]), kind="stable")[:_OPEN_SALES]
    due = pd.Timestamp(as_of) + pd.to_timedelta(rng.integers(4, 21, len(pair)), unit="D")
    return pd.DataFrame({
        "order": np.arange(len(pair)), "customer": np.resize(np.array(catalog.CUSTOMERS, dtype=object), len(pair)),
        "ordered_on": pd.Timestamp(as_of) - pd.Timedelta(days=2), "delivery_date": due,
        "item_code": _objects([item.code for item in items])[pair], "warehouse": warehouses.to_numpy()[pair],
        "qty": np.maximum(np.round(weekly[pair] * 0.6), 1.0), "rate": np.array([item.price for item in items])[pair],
    })  # fmt: skip


def _objects(values: list[str]) -> np.ndarray:
    return np.array(values, dtype=object)
