"""How much to order at a time: candidates on the supplier's lots, and which of them costs least.

Sources: economic order quantity, Silver, Pyke & Thomas (2017), section 4.1; all-units price breaks, section 4.5; the
undershoot below a reorder point that is looked at now and then, E[X²] / 2E[X], section 7.2 and Axsäter (2015), 5.13.
"""

from dataclasses import dataclass

import numpy as np

from erp_forecast_addon.planning.inventory.methods.inputs import DAYS_PER_YEAR, PolicyInputs
from erp_forecast_addon.planning.inventory.safety_stock import Floats

# Shares of the economic quantity that are tried beside it, the supplier's minimum and the price breaks.
_AROUND = np.array([0.35, 0.5, 0.7, 0.85, 1.0, 1.2, 1.5, 2.0, 3.0])
# Nobody orders for longer than this on purpose.
_LONGEST_COVER_YEARS = 2.0
_STEP_TOLERANCE = 1e-6


@dataclass(frozen=True)
class OrderSizes:
    """(n, m) each. qty: what an order brings; unit_cost: what a unit of it costs; least_qty: the quantity below which
    that price, or the supplier, is lost."""

    qty: Floats
    unit_cost: Floats
    least_qty: Floats


def on_lots(qty: Floats, multiple: Floats) -> Floats:
    """The next quantity that is a multiple of the pack. qty: (n,) or (n, m); multiple: (n,), 0 for none."""
    size = multiple[:, None] if np.ndim(qty) == 2 else multiple
    lots = np.ceil(qty / np.where(size > 0.0, size, 1.0) - _STEP_TOLERANCE)
    return np.where(size > 0.0, lots * size, qty)


def undershoot(inputs: PolicyInputs) -> Floats:
    """(n,) how far the position is below the reorder point when an order is placed, on average."""
    mean = inputs.daily_mean * inputs.review_days
    second = np.square(mean) + np.square(inputs.daily_std) * inputs.review_days
    return np.divide(second, 2.0 * mean, out=np.zeros(inputs.n), where=mean > 0.0)


def usual_order(inputs: PolicyInputs) -> Floats:
    """(n,) what an order brings, about, if one is placed at every look at which anything was sold: E[X | X > 0]."""
    return np.maximum(inputs.daily_mean * inputs.review_days, undershoot(inputs))


def level_widths(inputs: PolicyInputs, qty: Floats) -> Floats:
    """Order-up-to level over reorder point so that an order brings `qty` on average, (n,) or (n, m): less what has been
    asked for since the look before. Whole where demand is."""
    many = np.ndim(qty) == 2
    usual, whole = usual_order(inputs), inputs.whole
    width = np.maximum(qty - (usual[:, None] if many else usual), 0.0)
    return np.where(whole[:, None] if many else whole, np.ceil(width - _STEP_TOLERANCE), width)


def yearly_demand(inputs: PolicyInputs) -> Floats:
    return np.asarray(inputs.daily_mean * DAYS_PER_YEAR)


def economic_quantity(inputs: PolicyInputs, unit_cost: Floats) -> Floats:
    """sqrt(2·K·D / (h·c)), at most two years' demand; 0 where either cost is not known. unit_cost: (n,) or (n, b)"""
    many = np.ndim(unit_cost) == 2
    column = (lambda values: values[:, None]) if many else (lambda values: values)
    yearly = column(yearly_demand(inputs))
    holding = column(np.asarray(inputs.holding_rate_per_year)) * unit_cost
    most = yearly * _LONGEST_COVER_YEARS
    exact = 2.0 * column(np.asarray(inputs.order_cost)) * yearly
    squared = np.divide(exact, holding, out=np.zeros(np.broadcast(exact, holding).shape), where=holding > 0.0)
    return np.where(exact > 0.0, np.minimum(np.sqrt(squared), most), 0.0)


def candidates(inputs: PolicyInputs) -> OrderSizes:
    """Order sizes worth a look: the least the supplier takes, what an order cycle asks for, the economic quantity and
    its neighbourhood, at every price, and the quantities where a price begins; all on lots."""
    breaks = inputs.price_breaks
    prices = np.asarray(inputs.unit_cost)[:, None] if breaks is None else breaks.unit_cost
    starts = np.zeros_like(prices) if breaks is None else breaks.min_qty
    least = np.maximum(inputs.min_order_qty, 0.0)
    usual = np.maximum(usual_order(inputs), least)
    cover = np.maximum(inputs.cover_qty, usual)
    best = economic_quantity(inputs, prices)
    sizes, costs, bound = [], [], []
    for b in range(prices.shape[1]):  # over the few price breaks
        from_qty = np.maximum(np.where(np.isfinite(starts[:, b]), starts[:, b], 0.0), least)
        tried = np.concatenate([usual[:, None], cover[:, None], from_qty[:, None], best[:, b, None] * _AROUND], axis=1)
        tried = np.maximum(tried, np.maximum(from_qty, usual)[:, None])
        sizes.append(on_lots(tried, np.asarray(inputs.order_multiple_qty)))
        costs.append(np.broadcast_to(np.where(np.isfinite(starts[:, b]), prices[:, b], np.inf)[:, None], tried.shape))
        bound.append(np.broadcast_to(from_qty[:, None], tried.shape))
    return OrderSizes(np.concatenate(sizes, axis=1), np.concatenate(costs, axis=1), np.concatenate(bound, axis=1))


def ordering_cost(yearly_qty: Floats, order_qty: Floats, order_cost: Floats) -> Floats:
    """K·D/Q; orders of nothing cost without end, unless they are free or nothing is asked for. Arrays of one shape."""
    orders = np.divide(yearly_qty, order_qty, out=np.full(np.shape(order_qty), np.inf), where=order_qty > 0.0)
    counts = (order_cost > 0.0) & (yearly_qty > 0.0)
    return np.where(counts, order_cost, 0.0) * np.where(counts, orders, 0.0)


def cheapest(inputs: PolicyInputs) -> OrderSizes:
    """The candidate that costs least beside the safety stock, and covers an order cycle. Columns of one.

    Yearly cost: D·c(Q) + K·D/Q + h·c(Q)·Q/2. Source: SPT, section 4.5.
    """
    sizes = candidates(inputs)
    yearly = yearly_demand(inputs)[:, None]
    ordering = ordering_cost(yearly, sizes.qty, np.asarray(inputs.order_cost)[:, None])
    given = np.isfinite(sizes.unit_cost)  # no price: a break that others have and this row has not
    price = np.where(given, sizes.unit_cost, 0.0)
    holding = np.asarray(inputs.holding_rate_per_year)[:, None] * price * sizes.qty / 2.0
    cost = yearly * price + ordering + holding
    too_small = sizes.qty < on_lots(np.asarray(inputs.cover_qty), np.asarray(inputs.order_multiple_qty))[:, None] - 1e-9
    cost = np.where(too_small | ~given, np.inf, cost)
    # Equal costs, as where a price is not known: the smaller order.
    order = np.lexsort((sizes.qty, np.round(cost, 9)), axis=1)[:, :1]
    pick = lambda values: np.take_along_axis(values, order, axis=1)  # noqa: E731
    return OrderSizes(pick(sizes.qty), pick(sizes.unit_cost), pick(sizes.least_qty))
