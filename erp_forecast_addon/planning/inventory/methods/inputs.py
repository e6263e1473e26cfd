"""What a policy method is told of every pair, and what it says."""

from collections.abc import Iterable
from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from erp_forecast_addon.planning.inventory.demand_distribution import Demand
from erp_forecast_addon.planning.inventory.safety_stock import Floats

DAYS_PER_YEAR = 365.0

Numbers = Floats | float  # (n,), or one for all rows
Flags = NDArray[np.bool_]
Texts = NDArray[np.object_]
Rows = NDArray[np.int64]


@dataclass(frozen=True)
class PriceBreaks:
    """Unit prices from quantities on. min_qty: (n, b) stock units, rising, inf where there is no further break;
    unit_cost: (n, b) company currency per stock unit for all units of an order of at least min_qty.
    """

    min_qty: Floats
    unit_cost: Floats


@dataclass(frozen=True)
class PolicyInputs:
    """n pairs. Everything (n,) unless said otherwise; a single number stands for all of them. Stock units, company
    currency, calendar days.

    lead_time_demand: asked for until an order that is placed now arrives (approval included);
    protection_demand: asked for until an order of the next look at the stock arrives, review_days later. With
    review_days 0 the stock is watched without a break and both are the same.
    daily_mean, daily_std: of a day; protection_mean_qty: along the forecast path, what safety stock is counted from
    (NaN: the distribution's own mean); textbook_mean_qty, textbook_std_qty: mean and deviation for the textbook
    formula (NaN: those of the protection interval).
    cover_qty: what an order is meant to bring beyond the reorder point, at least: the demand of an order cycle.
    unit_cost: what a unit costs, 0 if not known; shortage_cost: of a unit that cannot be served;
    occasion_cost: of a look at which anything was short, however much it was.
    order_cost: of an order line; holding_rate_per_year: share of the unit cost.
    min_order_qty, order_multiple_qty: 0 for none; price_breaks: None for none.
    sellable: demand from the order until what it brings expires (lead time and shelf life), None: nothing expires;
    expires: rows for which that holds. max_stock_qty: inf for none.
    floor_qty: the reorder point is not lower; cap_qty: the order-up-to level is not higher (inf: none).
    fixed_min_qty, fixed_max_qty: of the method "Fixed". lead_time_days: for the buffers' lead time factor;
    held_at_end: which stock of a review interval is paid for: 0 what it begins with, 1 what is left of it, 0.5 the
    average.
    lead_time_factor, variability_factor: of the buffers, NaN: by lead time and variability.
    """

    lead_time_demand: Demand
    protection_demand: Demand
    review_days: Numbers
    daily_mean: Floats
    daily_std: Numbers = np.nan
    lead_time_days: Numbers = 0.0
    protection_mean_qty: Numbers = np.nan
    textbook_mean_qty: Numbers = np.nan
    textbook_std_qty: Numbers = np.nan
    cover_qty: Numbers = 0.0
    unit_cost: Numbers = 0.0
    shortage_cost: Numbers = 0.0
    occasion_cost: Numbers = 0.0
    holding_rate_per_year: Numbers = 0.25
    order_cost: Numbers = 0.0
    min_order_qty: Numbers = 0.0
    order_multiple_qty: Numbers = 0.0
    max_stock_qty: Numbers = np.inf
    floor_qty: Numbers = 0.0
    cap_qty: Numbers = np.inf
    fixed_min_qty: Numbers = np.nan
    fixed_max_qty: Numbers = np.nan
    lead_time_factor: Numbers = np.nan
    variability_factor: Numbers = np.nan
    expires: Flags | bool = False
    held_at_end: Numbers = 0.5
    price_breaks: PriceBreaks | None = None
    sellable: Demand | None = None
    whole: NDArray[np.bool_] = field(init=False)

    def __post_init__(self) -> None:
        n = self.lead_time_demand.n
        for part in fields(self):  # over columns: single numbers become rows
            given = getattr(self, part.name) if part.name != "whole" else None
            if part.name not in _NOT_COLUMNS:
                kind = bool if part.name == "expires" else float
                object.__setattr__(self, part.name, np.broadcast_to(np.asarray(given, dtype=kind), (n,)))
        for name, fallback in (
            ("protection_mean_qty", lambda: self.protection_demand.mean),
            ("textbook_mean_qty", lambda: self.protection_demand.mean),
            ("textbook_std_qty", lambda: self.protection_demand.std),
            ("daily_std", lambda: _daily_std(self)),
        ):
            given = getattr(self, name)
            unknown = np.isnan(given)
            if unknown.any():
                object.__setattr__(self, name, np.where(unknown, fallback(), given))
        object.__setattr__(self, "whole", self.lead_time_demand.whole & self.protection_demand.whole)

    @property
    def n(self) -> int:
        return self.lead_time_demand.n

    def select(self, rows: Rows | slice) -> "PolicyInputs":
        breaks = self.price_breaks
        own = {part.name: getattr(self, part.name)[rows] for part in fields(self) if part.name not in _NOT_COLUMNS}
        return replace(
            self,
            **own,
            lead_time_demand=self.lead_time_demand.select(rows),
            protection_demand=self.protection_demand.select(rows),
            sellable=None if self.sellable is None else self.sellable.select(rows),
            price_breaks=None if breaks is None else PriceBreaks(breaks.min_qty[rows], breaks.unit_cost[rows]),
        )


_NOT_COLUMNS = ("lead_time_demand", "protection_demand", "sellable", "price_breaks", "whole")


def _daily_std(inputs: PolicyInputs) -> Floats:
    """Deviation of a day where nobody says: of independent days, what a review interval adds to the variance."""
    added = np.square(inputs.protection_demand.std) - np.square(inputs.lead_time_demand.std)
    days = np.where(np.asarray(inputs.review_days) > 0.0, inputs.review_days, 1.0)
    return np.asarray(np.sqrt(np.maximum(added, 0.0) / days))


@dataclass(frozen=True)
class OrderLevels:
    """(n,) each; stock units. An order is due when the position (on hand and on order) is below reorder_point_qty; it
    fills the position up to order_up_to_qty and is no smaller than least_order_qty (minimum order, chosen price break).

    safety_stock_qty: what is on hand on average when an order arrives, ≥ 0. method, target: those used, the target NaN
    where the method has none. order_qty: what an order brings on average. clamp: "" or what stopped the method, one of
    CLAMPS. red, yellow, green: zones of the buffers, NaN else.
    """

    method: Texts
    target: Floats
    reorder_point_qty: Floats
    order_up_to_qty: Floats
    safety_stock_qty: Floats
    order_qty: Floats
    least_order_qty: Floats
    clamp: Texts
    red_qty: Floats
    yellow_qty: Floats
    green_qty: Floats


CLAMPS = ("", "floor", "cap", "floor above cap", "maximum stock", "shelf life", "not worth stocking", "no price")


def stated(inputs: PolicyInputs, method: str, target: Floats, point: Floats, up_to: Floats, **more: Any) -> OrderLevels:
    """OrderLevels of a method before limits. point, up_to: (n,)"""
    n = inputs.n
    nothing = np.full(n, np.nan)
    given: dict[str, Any] = {
        "order_qty": np.maximum(up_to - point, np.asarray(inputs.daily_mean) * inputs.review_days),
        "least_order_qty": np.asarray(inputs.min_order_qty, dtype=float),
        "clamp": np.full(n, "", dtype=object),
        "red_qty": nothing,
        "yellow_qty": nothing,
        "green_qty": nothing,
        "safety_stock_qty": np.maximum(point - inputs.protection_mean_qty, 0.0),
    } | more
    return OrderLevels(
        method=np.full(n, method, dtype=object),
        target=np.broadcast_to(np.asarray(target, dtype=float), (n,)),
        reorder_point_qty=point,
        order_up_to_qty=np.maximum(up_to, point),
        **given,
    )


def joined(parts: Iterable[tuple[Rows, OrderLevels]], n: int) -> OrderLevels:
    """Levels of groups of rows, put back into their places."""
    columns: dict[str, Any] = {}
    for part in fields(OrderLevels):
        is_text = part.name in ("method", "clamp")
        columns[part.name] = np.full(n, "", dtype=object) if is_text else np.full(n, np.nan)
    for rows, levels in parts:
        for name, column in columns.items():
            column[rows] = getattr(levels, name)
    return OrderLevels(**columns)
