"""Joint orders: which lines leave together, and whether their order reaches the supplier's minimum and fills his truck.

An order that falls short is filled by ordering now what would be ordered anyway within the pull-forward window: with
window w every line is as large as if it were ordered w days later, and items that become due within w days come along.
The smallest w that fills the order is taken, so all its lines cover equally many days more and nothing is bought that
is not needed soon. Source: joint replenishment with equal run-out times, Silver, Pyke & Thomas (2017), section 10.4
("coordinated control"); service-point rules for truckloads, Cachon, "Managing a retailer's shelf space, inventory, and
transportation", M&SOM 3 (2001).
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from erp_forecast_addon.planning.errors import Fault
from erp_forecast_addon.planning.messages import _
from erp_forecast_addon.planning.purchasing.order_days import OrderTerms
from erp_forecast_addon.planning.settings import PlanSettings
from erp_forecast_addon.planning.wording import readable

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

ORDER_KEY = ["supplier", "currency", "ship_to"]
_TRUCK_TOLERANCE = 1e-6
_CENT = 0.005

BELOW_AMOUNT = _(
    "The order to {supplier} is worth {amount} {currency}; he delivers from {minimum} {currency} on. Nothing due "
    "within {window} days fills it. Add to it, ask him, or let it wait."
)
BELOW_FILL = _(
    "The order to {supplier} fills {trucks} trucks or containers; the last one is to be filled to {fill}%. Nothing due "
    "within {window} days does. Add to it, or let it leave as it is."
)
NO_WEIGHT = _(
    "{supplier} ships by truck or container, but of {items} items of the order weight or volume is not known, such as "
    "{item_code}. They count as nothing; enter them on the items."
)


def ship_to(
    supplier: NDArray[np.object_], warehouse: NDArray[np.object_], terms: pd.DataFrame, rule: str
) -> np.ndarray:
    """(n,) the warehouse that a line's order goes to alone, "" where it is joined with the supplier's other lines.

    terms: of the (n,) suppliers (OrderTerms.of); rule: the company's, where the supplier has none.
    """
    own = terms["ship_to"].to_numpy(dtype=object)
    return np.where(np.where(own == "", rule, own) == "Per Warehouse", warehouse, "").astype(object)


@dataclass(frozen=True)
class Sizes:
    """What n lines come to at some quantity: amount in company currency, trucks that their load takes of each kind."""

    amount: Floats
    weight: Floats
    volume: Floats
    stock_qty: Floats


@dataclass(frozen=True)
class Filled:
    """window_days: (n,) of the lines, how far ahead they are ordered, NaN: a line that is not due and stays out;
    faults: orders that stay short."""

    window_days: Floats
    faults: list[Fault]


def needs_filling(terms: pd.DataFrame) -> NDArray[np.bool_]:
    """(n,) whether an order to the supplier has a minimum or a truck to fill."""
    capacity = terms[["truck_weight", "truck_volume", "truck_qty"]].max(axis=1) > 0.0
    return np.asarray((terms["min_order_amount"] > 0.0) | (capacity & (terms["truck_fill_share"] > 0.0)))


def fill_orders(
    lines: pd.DataFrame, sizes_at: "SizesAt", terms: OrderTerms, settings: PlanSettings, money_left: float
) -> Filled:
    """Choose the window of every order.

    lines: ORDER_KEY, item_code, due_in_days (0: due now, else the days until it is), money_at_risk, (n,); sizes_at:
    sizes of all lines if ordered so many days ahead; money_left: company currency that pulling forward may spend in
    all; orders with the most money at risk come first.
    """
    if terms.terms.empty:
        return Filled(np.where(lines["due_in_days"].to_numpy(dtype=float) == 0.0, 0.0, np.nan), [])
    of_order = lines.groupby(ORDER_KEY, sort=True).ngroup().to_numpy()
    head = lines.drop_duplicates(ORDER_KEY).sort_values(ORDER_KEY).reset_index(drop=True)
    head_terms = terms.of(head["supplier"].to_numpy(dtype=object))
    due_in = lines["due_in_days"].to_numpy(dtype=float)
    starts = np.bincount(of_order, weights=due_in == 0.0, minlength=len(head)) > 0
    asks = needs_filling(head_terms) & starts
    chosen = np.where(starts, 0.0, np.nan)
    open_orders, base = asks.copy(), np.zeros(len(head))
    extra = np.zeros(len(head))
    for window in range(settings.pull_forward_days + 1):  # over days, a few dozen at most; all orders at once
        if not open_orders.any():
            break
        load = _load(sizes_at(float(window)), due_in <= window, of_order, len(head))
        base = load.amount if window == 0 else base
        enough = open_orders & _is_filled(load, head_terms)
        chosen[enough], extra[enough] = window, (load.amount - base)[enough]
        open_orders &= ~enough
    chosen = _within_money(chosen, extra, lines, of_order, money_left)
    faults = _faults(lines, sizes_at(0.0), due_in, of_order, head, head_terms, asks & (chosen == 0.0), settings)
    window_of = chosen[of_order]
    return Filled(np.where(due_in <= window_of, window_of, np.nan), faults)


class SizesAt:
    """Sizes of n lines if ordered some days ahead; a base for callables that know lots and prices."""

    def __call__(self, window_days: float) -> Sizes:
        raise NotImplementedError


def _load(sizes: Sizes, active: NDArray[np.bool_], of_order: Ints, orders: int) -> Sizes:
    def total(part: Floats) -> Floats:
        return np.bincount(of_order, weights=np.where(active, part, 0.0), minlength=orders).astype(float)

    return Sizes(total(sizes.amount), total(sizes.weight), total(sizes.volume), total(sizes.stock_qty))


def trucks(load: Sizes, terms: pd.DataFrame) -> Floats:
    """(n,) trucks or containers that an order takes: of weight, volume and quantity what fills them first; 0 where the
    supplier names no capacity."""
    shares = [
        np.divide(part, capacity, out=np.zeros(len(terms)), where=capacity > 0.0)
        for part, capacity in (
            (load.weight, terms["truck_weight"].to_numpy(dtype=float)),
            (load.volume, terms["truck_volume"].to_numpy(dtype=float)),
            (load.stock_qty, terms["truck_qty"].to_numpy(dtype=float)),
        )
    ]
    return np.asarray(np.max(shares, axis=0))


def _is_filled(load: Sizes, terms: pd.DataFrame) -> NDArray[np.bool_]:
    taken = trucks(load, terms)
    last = taken - np.floor(taken + _TRUCK_TOLERANCE)
    full = (last <= _TRUCK_TOLERANCE) | (last >= terms["truck_fill_share"].to_numpy(dtype=float) - _TRUCK_TOLERANCE)
    return np.asarray((load.amount >= terms["min_order_amount"].to_numpy(dtype=float) - _CENT) & full)


def _within_money(chosen: Floats, extra: Floats, lines: pd.DataFrame, of_order: Ints, money_left: float) -> Floats:
    """Windows of 0 where pulling forward would spend more than is left of the week's money."""
    if not np.isfinite(money_left):
        return chosen
    risk = np.bincount(of_order, weights=lines["money_at_risk"].to_numpy(dtype=float), minlength=len(chosen))
    order = np.argsort(-risk, kind="stable")
    fits = np.zeros(len(chosen), dtype=bool)
    fits[order] = np.cumsum(extra[order]) <= max(money_left, 0.0) + _CENT
    return np.where(fits | (extra <= 0.0), chosen, np.where(np.isnan(chosen), np.nan, 0.0))


def _faults(
    lines: pd.DataFrame, now: Sizes, due_in: Floats, of_order: Ints, head: pd.DataFrame, terms: pd.DataFrame,
    unfilled: NDArray[np.bool_], settings: PlanSettings,
) -> list[Fault]:  # fmt: skip
    """One fault per supplier and order that stays short, and one where weights are missing."""
    due = due_in == 0.0
    load = _load(now, due, of_order, len(head))
    short = unfilled & ~_is_filled(load, terms)
    by_amount = short & (load.amount < terms["min_order_amount"].to_numpy(dtype=float) - _CENT)
    taken = trucks(load, terms)
    risk = np.bincount(of_order, weights=np.where(due, lines["money_at_risk"], 0.0), minlength=len(head))
    amount, minimum = readable(load.amount), readable(terms["min_order_amount"].to_numpy())
    trucks_taken, fill = readable(taken), readable(100.0 * terms["truck_fill_share"].to_numpy())
    faults = []
    for at in np.flatnonzero(short).tolist():  # a sentence per order
        supplier = head["supplier"].iloc[at]
        values = {
            "supplier": supplier, "window": settings.pull_forward_days, "amount": amount[at],
            "currency": settings.currency, "minimum": minimum[at], "trucks": trucks_taken[at], "fill": fill[at],
        }  # fmt: skip
        template = BELOW_AMOUNT if by_amount[at] else BELOW_FILL
        faults.append(
            Fault(
                "Order Below Minimum", template, values, supplier=supplier, money_at_risk=float(risk[at]),
                warehouse=head["ship_to"].iloc[at] or None,
            )
        )  # fmt: skip
    return [*faults, *_without_weight(lines, due, of_order, head, terms)]


def _without_weight(
    lines: pd.DataFrame, due: NDArray[np.bool_], of_order: Ints, head: pd.DataFrame, terms: pd.DataFrame
) -> list[Fault]:
    fills = terms["truck_fill_share"].to_numpy(dtype=float) > 0.0
    weight = (fills & (terms["truck_weight"].to_numpy() > 0.0))[of_order] & lines["weight_per_unit"].isna().to_numpy()
    volume = (fills & (terms["truck_volume"].to_numpy() > 0.0))[of_order] & lines["volume_per_unit"].isna().to_numpy()
    missing = lines[due & (weight | volume)]
    return [
        Fault(
            "Order Below Minimum", NO_WEIGHT,
            {"supplier": supplier, "items": int(rows.nunique()), "item_code": rows.iloc[0]}, supplier=supplier,
        )
        for supplier, rows in missing.groupby("supplier", sort=True)["item_code"]
    ]  # fmt: skip
