"""What levels will do: the share of demand they serve, the stock they hold, what they cost a year.

After a look at the stock the position lies between the reorder point and the order-up-to level, about evenly; what is
short and what is on hand one lead time later follows from the demand until then. Exact for continuous review, the usual
approximation for the others. Sources: Hadley & Whitin (1963), sections 4-7 and 5-4; Axsäter (2015), sections 5.3, 5.9;
Silver, Pyke & Thomas (2017), sections 6.9 and 7.2; Zheng (1992), On properties of stochastic inventory systems.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from erp_forecast_addon.planning.inventory.methods.inputs import DAYS_PER_YEAR, PolicyInputs
from erp_forecast_addon.planning.inventory.methods.order_quantity import ordering_cost
from erp_forecast_addon.planning.inventory.safety_stock import Floats

_SMALLEST_WIDTH = 1e-9


@dataclass(frozen=True)
class Losses:
    """E[(D − y)⁺] and its integral from y on, at positions y of any number per row: (n,) or (n, m) each; before: of the
    demand until an order of now arrives; until: until one of the next look does; beyond: P(D > y) of the first,
    until_beyond: of the second.
    """

    position: Floats
    before: Floats
    before_integral: Floats
    until: Floats
    until_integral: Floats
    beyond: Floats
    until_beyond: Floats


def losses(inputs: PolicyInputs, position: Floats) -> Losses:
    before, until = inputs.lead_time_demand.losses(position), inputs.protection_demand.losses(position)
    return Losses(position, before[1], before[2], until[1], until[2], before[0], until[0])


def unserved_share(inputs: PolicyInputs, point: Floats, up_to: Floats) -> Floats:
    """Share of demand that finds no stock, in [0, 1]. point, up_to: (n,) or (n, m) -> the same shape.

    Of a review interval E[(D_P − y)⁺] − E[(D_L − y)⁺] is short from the position y on (SPT, section 6.9); without a
    break between looks it is P(D_L > y) (Hadley & Whitin, section 4-7).
    """
    return _unserved(inputs, losses(inputs, point), losses(inputs, up_to))


def cycle_service(inputs: PolicyInputs, point: Floats) -> Floats:
    """Chance that an order arrives before the shelf is empty. (n,)"""
    return inputs.protection_demand.served(point)


def average_on_hand(inputs: PolicyInputs, point: Floats, up_to: Floats) -> Floats:
    """Average units on hand. point, up_to: (n,) or (n, m) -> the same shape."""
    return _on_hand(inputs, losses(inputs, point), losses(inputs, up_to))


def expired_per_order(inputs: PolicyInputs, up_to: Floats, order_qty: Floats) -> Floats:
    """Expected units of an order that expire unsold, 0 where nothing expires. Both (n,) or (n, m).

    What has been ordered up to the level is sold first come, first served: the last unit expires if less than the level
    is asked for by then. Source: Nandakumar & Morton (1993), Near myopic heuristics for the fixed-life perishability
    problem (the outdating bound).
    """
    if inputs.sellable is None:
        return np.zeros(np.shape(up_to))
    left = np.minimum(inputs.sellable.left_over(up_to), order_qty)
    return np.where(_like(up_to, np.asarray(inputs.expires)), left, 0.0)


def yearly_cost(inputs: PolicyInputs, point: Losses, up_to: Losses, order_qty: Floats, unit_cost: Floats) -> Floats:
    """Buying, ordering, holding, units short and units expired, a year. All (n,) or (n, m); company currency.

    point, up_to: from `losses`, so that many order-up-to levels can be tried over the same reorder points.
    """
    like = point.position
    yearly = _like(like, np.asarray(inputs.daily_mean) * DAYS_PER_YEAR)
    orders = np.divide(yearly, order_qty, out=np.zeros(np.shape(like)), where=order_qty > 0.0)
    return np.asarray(
        yearly * unit_cost
        + ordering_cost(yearly, order_qty, _like(like, np.asarray(inputs.order_cost)))
        + _like(like, np.asarray(inputs.holding_rate_per_year)) * unit_cost * _on_hand(inputs, point, up_to)
        + _like(like, np.asarray(inputs.shortage_cost)) * yearly * _unserved(inputs, point, up_to)
        + occasions_cost(inputs, like) * _short_looks(point, up_to)
        + unit_cost * orders * expired_per_order(inputs, up_to.position, order_qty)
    )


def occasions_cost(inputs: PolicyInputs, like: Floats) -> Floats:
    """What it costs a year if something is short at every look; 0 where stock is watched without a break. Of the shape
    of `like`."""
    review = np.asarray(inputs.review_days)
    looks = np.divide(DAYS_PER_YEAR, review, out=np.zeros(inputs.n), where=review > 0.0)
    return _like(like, np.asarray(inputs.occasion_cost) * looks)


def _short_looks(low: Losses, high: Losses) -> Floats:
    """Share of looks until the next of which something is short: P(D_P > y). SPT, section 6.5, measure B1."""
    return np.clip(_over(low.until - high.until, high.position - low.position, low.until_beyond), 0.0, 1.0)


def _unserved(inputs: PolicyInputs, low: Losses, high: Losses) -> Floats:
    watched = _like(low.position, np.asarray(inputs.review_days) == 0.0)
    asked = _like(low.position, inputs.protection_demand.mean - inputs.lead_time_demand.mean)
    width = high.position - low.position
    fall = (low.until_integral - high.until_integral) - (low.before_integral - high.before_integral)
    share = _over(fall, width, low.until - low.before)
    share = np.divide(share, asked, out=np.zeros(np.shape(share)), where=asked > _SMALLEST_WIDTH)
    if watched.any():
        share = np.where(watched, _over(low.before - high.before, width, low.beyond), share)
    return np.clip(share, 0.0, 1.0)


def _on_hand(inputs: PolicyInputs, low: Losses, high: Losses) -> Floats:
    width, end = high.position - low.position, _like(low.position, np.asarray(inputs.held_at_end))
    mean = (1.0 - end) * _like(low.position, inputs.lead_time_demand.mean)
    mean = mean + end * _like(low.position, inputs.protection_demand.mean)
    short = (1.0 - end) * _over(low.before_integral - high.before_integral, width, low.before)
    short += end * _over(low.until_integral - high.until_integral, width, low.until)
    return np.maximum((low.position + high.position) / 2.0 - mean + short, 0.0)


def _over(fall: Floats, width: Floats, where_none: Floats) -> Floats:
    """Mean over an interval from the difference of the integrals; at its beginning where it has no width."""
    return np.divide(fall, width, out=np.array(where_none, dtype=float), where=width > _SMALLEST_WIDTH)


def _like(shape: Floats, values: NDArray[Any]) -> NDArray[Any]:
    """(n,) values for the columns of an (n, m) array."""
    return values[:, None] if np.ndim(shape) == 2 else values
