"""Lower prices for larger orders: which price a quantity gets, and which larger quantity is worth ordering."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from erp_forecast_addon.planning.inventory.methods import PriceBreaks
from erp_forecast_addon.planning.purchasing.supplier_cost import DAYS_PER_YEAR

Floats = NDArray[np.float64]

_NO_BREAK = 0.0


def pair_breaks(pairs: pd.DataFrame, cost: Floats, breaks: pd.DataFrame) -> PriceBreaks | None:
    """The usual price and the lower ones for larger orders, as columns. None where nobody gives any.

    pairs: item_code, supplier, (n,); cost: (n,) the usual price; breaks: table PRICE_BREAKS.
    """
    usable = breaks[breaks["min_qty"] > 0.0]
    own = pairs[["item_code", "supplier"]].assign(row=np.arange(len(pairs)))
    named = own[own["supplier"] != ""].merge(usable, on=["item_code", "supplier"])
    general = own.merge(usable[usable["supplier"] == ""].drop(columns="supplier"), on="item_code")
    found = pd.concat([named, general], ignore_index=True)
    usual = cost[found["row"].to_numpy(dtype=int)]
    rate = found["base_rate"].fillna(usual * (1.0 - found["discount_share"])).fillna(usual - found["discount_amount"])
    found = found.assign(base_rate=rate)[(rate > 0.0) & (rate < usual)]
    found = found.sort_values(["row", "min_qty", "base_rate"], kind="stable")
    found = found.drop_duplicates(["row", "min_qty"])
    if found.empty:
        return None
    place = found.groupby("row").cumcount().to_numpy() + 1
    columns = int(place.max()) + 1
    starts, prices = np.full((len(pairs), columns), np.inf), np.repeat(cost[:, None], columns, axis=1)
    starts[:, 0] = 0.0
    starts[found["row"], place], prices[found["row"], place] = found["min_qty"], found["base_rate"]
    return PriceBreaks(starts, prices)


def price_at(breaks: PriceBreaks, qty: Floats) -> Floats:
    """(n,) the lowest price whose quantity is reached. qty: (n,) stock units."""
    reached = breaks.min_qty <= qty[:, None] * (1.0 + 1e-9)
    return np.asarray(np.where(reached, breaks.unit_cost, np.inf).min(axis=1))


def rates_at(
    breaks: PriceBreaks, qty: Floats, rate: Floats, base_rate: Floats, conversion_factor: Floats, exchange_rate: Floats
) -> tuple[Floats, Floats]:
    """rate and base_rate of (n,) lines of qty stock units, lower where a break is reached. rate: per purchase unit in
    the order's currency; base_rate: per stock unit in the company's, NaN: not known."""
    usual, unit = np.nan_to_num(base_rate), price_at(breaks, qty)
    lower = (unit < usual * (1.0 - 1e-9)) & (usual > 0.0)
    reached = np.round(unit * conversion_factor / exchange_rate, 9)
    return np.where(lower, reached, rate), np.where(lower, unit, base_rate)


def break_worth_taking(
    breaks: PriceBreaks,
    order_qty: Floats,
    position_qty: Floats,
    daily_mean: Floats,
    lead_days: Floats,
    holding_rate_per_year: Floats,
    order_cost: Floats,
    most_qty: Floats,
) -> Floats:
    """(n,) the quantity of the price break that saves most over ordering order_qty now, 0 where none pays.

    With Q the order, c its price, Q_b > Q and c_b of the break, e = Q_b - Q the units more, P the position before the
    order, D yearly demand, L the lead time in years, K the cost of an order line, h the holding rate:

        saves   (c - c_b)·Q_b + K·e/Q        the lower price of all units, and the lines that e will not need
        costs   h·c_b·e·(w + e / 2D)         e lies untouched for w = max(0, (P + Q)/D - L), then sells off evenly

    A break beyond most_qty (shelf life, maximum stock) is not taken, and without demand none is.
    Source: all-units discount, Silver, Pyke & Thomas (2017), section 4.5; a single larger order as in their
    section 4.9 on a special opportunity to procure, where the units more are held until the usual order is sold.
    """
    yearly = (daily_mean * DAYS_PER_YEAR)[:, None]
    now = price_at(breaks, order_qty)[:, None]
    start, lower = breaks.min_qty, breaks.unit_cost
    tried = np.isfinite(start) & (start > order_qty[:, None]) & (lower < now) & (start <= most_qty[:, None])
    tried &= (yearly > 0.0) & (order_qty[:, None] > 0.0)
    qty = np.where(tried, start, 0.0)
    more = np.where(tried, qty - order_qty[:, None], 0.0)
    per_day = np.where(yearly > 0.0, yearly, 1.0)
    untouched = np.maximum((position_qty + order_qty)[:, None] / per_day - lead_days[:, None] / DAYS_PER_YEAR, 0.0)
    usual = np.where(order_qty > 0.0, order_qty, 1.0)[:, None]
    saves = (now - lower) * qty + order_cost[:, None] * more / usual
    costs = holding_rate_per_year[:, None] * lower * more * (untouched + more / (2.0 * per_day))
    gain = np.where(tried, saves - costs, _NO_BREAK)
    best = gain.argmax(axis=1)
    rows = np.arange(len(order_qty))
    return np.where(gain[rows, best] > 0.0, start[rows, best], 0.0)
