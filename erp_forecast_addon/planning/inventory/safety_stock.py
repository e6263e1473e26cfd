"""Safety stock and order levels, one function per formula.

Symbols, all in days and stock units unless said otherwise:
    d̄    mean demand per day                σ_d   standard deviation of demand per day
    L    lead time, days                    σ_L   standard deviation of the lead time, days
    R    review period, days                P     protection interval, L + R
    z    safety factor                      α     cycle service level, in (0, 1)

Every function takes numbers or arrays that broadcast against each other and returns an array (a scalar as a 0-d array
or numpy float).

Sources:
    SPT    Silver, Pyke & Thomas, Inventory and Production Management in Supply Chains, 4th ed. (2017)
    C&M    Chopra & Meindl, Supply Chain Management: Strategy, Planning, and Operation, 6th ed. (2016), chapter 12
    King   King, "Crack the Code: Understanding safety stock and mastering its equations", APICS magazine,
           July/August 2011, pp. 33-36
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr, ndtri

from erp_forecast_addon.planning.errors import BadInput
from erp_forecast_addon.planning.messages import _

Floats = NDArray[np.float64]


def safety_factor(service_level: ArrayLike) -> Floats:
    """z with Φ(z) = α. service_level: α in (0, 1), a fraction.

    Raises BadInput at or beyond 0 and 1, where z is infinite. Source: King, p. 34; SPT, section 6.7.
    """
    level = np.asarray(service_level, dtype=float)
    outside = ~((level > 0.0) & (level < 1.0))
    if outside.any():
        raise BadInput(
            _("A service level of {percent}% cannot be planned: it must lie above 0% and below 100%."),
            percent=float(np.round(level[outside].flat[0] * 100, 4)),
        )
    return np.asarray(ndtri(level), dtype=float)


def protection_std(
    protection_days: ArrayLike,
    daily_demand_mean: ArrayLike,
    daily_demand_std: ArrayLike,
    lead_time_std_days: ArrayLike,
) -> Floats:
    """Standard deviation of demand over the protection interval: sqrt(P·σ_d² + d̄²·σ_L²), stock units.

    With P = L (continuous review) it is the deviation over the lead time. Demand of different days and the lead time
    are taken as independent.
    Source: C&M, "Impact of supply uncertainty on safety inventory"; King, p. 35; SPT, section 6.10.
    """
    days, mean = np.asarray(protection_days, dtype=float), np.asarray(daily_demand_mean, dtype=float)
    demand_part = days * np.square(np.asarray(daily_demand_std, dtype=float))
    lead_time_part = np.square(mean) * np.square(np.asarray(lead_time_std_days, dtype=float))
    return np.asarray(np.sqrt(demand_part + lead_time_part), dtype=float)


def safety_stock(factor: ArrayLike, std_over_protection: ArrayLike) -> Floats:
    """z·σ_P, stock units, never below zero.

    A service level under 50% has a negative z; a shelf holds no negative stock, so it gets none.
    Source: C&M, "Evaluating required safety inventory given desired cycle service level" and "Periodic review
    policies"; King, p. 34.
    """
    return np.maximum(0.0, np.asarray(factor, dtype=float) * np.asarray(std_over_protection, dtype=float))


def reorder_point(lead_time_demand: ArrayLike, safety_stock_qty: ArrayLike) -> Floats:
    """Mean demand over the lead time + safety stock, stock units. Source: C&M, "Continuous review
    policies"; SPT, section 6.7."""
    return np.asarray(lead_time_demand, dtype=float) + np.asarray(safety_stock_qty, dtype=float)


def order_up_to(protection_demand: ArrayLike, safety_stock_qty: ArrayLike) -> Floats:
    """Mean demand over lead time + review period, plus safety stock, stock units: the level S of an (R, S) system.

    Source: C&M, "Periodic review policies" (order-up-to level, OUL); SPT, section 6.9.
    """
    return np.asarray(protection_demand, dtype=float) + np.asarray(safety_stock_qty, dtype=float)


def expected_units_short(mean_left: ArrayLike, std: ArrayLike) -> Floats:
    """Expected shortage E[(D - A)⁺] = σ·G(k), with k = (A - E[D]) / σ and G(k) = φ(k) - k·(1 - Φ(k)); stock units.

    mean_left: A - E[D], the stock that is left on average (negative: missing); std: σ of demand over that time.
    Without deviation it is max(0, -mean_left). Source: SPT, section 6.7 and appendix II;
    C&M, "Evaluating fill rate given a replenishment policy" (ESC).
    """
    left, deviation = np.broadcast_arrays(np.asarray(mean_left, dtype=float), np.asarray(std, dtype=float))
    certain = deviation <= 0.0
    with np.errstate(over="ignore"):
        k = np.divide(left, deviation, out=np.zeros(left.shape), where=~certain)
    # Far out φ and the tail are exactly 0 or the shortage is exactly -left: cut before exp() underflows.
    k = np.clip(k, -37.0, 37.0)
    density = np.exp(-0.5 * np.square(k)) / np.sqrt(2.0 * np.pi)
    loss = deviation * (density - k * ndtr(-k))
    return np.asarray(np.where(certain | (k <= -37.0), np.maximum(0.0, -left), np.maximum(0.0, loss)), dtype=float)
