"""New items: the level of like items, corrected by what the item itself has sold so far.

The level of a new series relative to like items, ρ, has a prior of mean 1 and variance v (how like items differ among
each other); with sales Y over a time in which like items would have sold E, and a variance-to-mean ratio φ of demand,
the posterior mean is ρ = (1/v + Y/φ) / (1/v + E/φ): the gamma-Poisson estimate of empirical Bayes (Efron & Morris 1973;
Silver, Pyke & Thomas, Inventory and Production Management, 4th ed., 4.9), with φ instead of 1 for demand in lumps.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse

from erp_forecast_addon.planning.forecasting.demand_class import NEW_BELOW
from erp_forecast_addon.planning.messages import _
from erp_forecast_addon.planning.panel import Panel
from erp_forecast_addon.planning.settings import Period

# A series is forecast from like ones for so many periods: as long as its demand class is New.
YOUNG_BELOW: dict[Period, int] = dict(NEW_BELOW)
# Weights of likeness: a variant of the same template, the same brand; prices fade with their ratio.
_VARIANT, _BRAND, _PRICE_SCALE = 8.0, 2.0, 0.7
# So many like items per group are enough; more change nothing but the time it takes.
_MOST_LIKES = 200
_MOST_LAUNCHES = 2000
# The curve of a launch is pulled towards "like the others" as if so many launches had shown that.
_PULL_LAUNCHES = 10.0
# Its own periods count against like items' in how lumpy its demand is as if those were so many.
_PULL_PERIODS = 7.0
_LEAST_VARIANCE, _LARGEST_VARIANCE = 0.05, 4.0
_TINY = 1e-12


@dataclass(frozen=True)
class Launches:
    """The m new series: rows (m,) of the panel; mean (m, h); own_weight (m,) of their own sales in their level; count
    (m,) of like items; likeness (m,) object, what they have in common; age (m,) periods."""

    rows: np.ndarray
    mean: np.ndarray
    own_weight: np.ndarray
    count: np.ndarray
    likeness: np.ndarray
    age: np.ndarray


@dataclass(frozen=True)
class _Traits:
    warehouse: np.ndarray
    item_group: np.ndarray
    variant_of: np.ndarray
    brand: np.ndarray
    price: np.ndarray


def launches(
    mean: np.ndarray,
    panel: Panel,
    variant_of: np.ndarray,
    brand: np.ndarray,
    item_group: np.ndarray,
    price: np.ndarray,
    *,
    out: np.ndarray,
) -> Launches:
    """Forecasts of the series younger than YOUNG_BELOW periods; between that age and half of it the models' own
    forecast fades in. mean: (n, h) of the models; out: (n,) bool, series that neither are new nor like anything.

    A new series without any like one keeps the models' forecast and is in no row.
    """
    age = panel.t - panel.first
    limit = YOUNG_BELOW[panel.period]
    new = np.flatnonzero((age < limit) & ~out & panel.observed.any(axis=1))
    traits = _Traits(panel.keys["warehouse"].to_numpy(dtype=object), item_group, variant_of, brand, price)
    mature = np.flatnonzero((age >= 2 * limit) & ~out)
    weights, likeness = _weights(new, mature, traits, panel.n)
    found = np.asarray(weights.sum(axis=1)).ravel() > 0
    new, weights, likeness = new[found], weights[found], likeness[found]
    if not len(new):
        return Launches(new, mean[:0], *(np.zeros(0) for _each in range(2)), likeness, np.zeros(0))  # type: ignore[call-arg]
    rate, ratio = _rates(panel, limit)
    level, variance, lumps = _like(weights, rate, ratio)
    lumps = _blended(lumps, ratio[new], panel.observed[new].sum(axis=1))
    curve = _curve(panel, mature, traits, rate, limit)
    ages = age[new]
    sold, due = _own(panel, new, level, curve, limit)
    certainty = 1 / variance
    rho = (certainty + sold / lumps) / (certainty + due / lumps)
    ahead = curve[np.minimum((ages[:, None] + np.arange(mean.shape[1])) // limit, len(curve) - 1)]
    profile = np.asarray(weights @ mean)
    profile = profile / np.maximum(profile.mean(axis=1, keepdims=True), _TINY)
    own = np.clip((limit - ages) / (limit / 2), 0.0, 1.0)[:, None]
    made = own * (rho * level)[:, None] * ahead * profile + (1 - own) * mean[new]
    own_weight = (due / lumps) / (certainty + due / lumps)
    return Launches(new, made, own_weight, np.diff(weights.indptr), likeness, ages)


# ---- likeness ------------------------------------
def _weights(new: np.ndarray, mature: np.ndarray, traits: _Traits, n: int) -> tuple[sparse.csr_array, np.ndarray]:
    """How much each mature series counts for each new one, rows summing to 1 or 0; what they have in common.

    The same item group in the same warehouse; where there is none, the same warehouse. Other warehouses sell on another
    scale, and say nothing.
    """
    warehouse = pd.factorize(traits.warehouse)[0].astype(np.int64)
    group = pd.factorize(traits.item_group)[0].astype(np.int64)
    levels = (
        (_("same item group and warehouse"), warehouse * (group.max(initial=0) + 1) + group),
        (_("same warehouse"), warehouse),
    )
    likeness = np.full(len(new), "", dtype=object)
    parts = []
    for words, code in levels:
        open_rows = np.flatnonzero(likeness == "")
        pairs = _pairs(new[open_rows], mature, code)
        pairs["at"] = open_rows[pairs["at"].to_numpy(dtype=np.int64)]
        likeness[pairs["at"].unique()] = words
        parts.append(pairs)
    pairs = pd.concat(parts, ignore_index=True)
    at, other = pairs["at"].to_numpy(dtype=np.int64), pairs["other"].to_numpy(dtype=np.int64)
    weight = _closeness(new[at], other, traits)
    total = np.bincount(at, weights=weight, minlength=len(new))
    found = sparse.csr_array((weight / total[at], (at, other)), shape=(len(new), n))
    return found, likeness


def _pairs(new: np.ndarray, mature: np.ndarray, code: np.ndarray) -> pd.DataFrame:
    """at: number into `new`; other: a mature series of the same code, another one, at most _MOST_LIKES each."""
    likes = pd.DataFrame({"code": code[mature], "other": mature})
    size, number = likes.groupby("code")["other"].transform("size"), likes.groupby("code").cumcount()
    step = np.maximum(1, -(-size // _MOST_LIKES))
    likes = likes[number % step == 0]
    wanted = pd.DataFrame({"code": code[new], "row": new, "at": np.arange(len(new))})
    pairs = wanted.merge(likes, on="code")
    return pairs.loc[pairs["row"] != pairs["other"], ["at", "other"]]


def _closeness(one: np.ndarray, other: np.ndarray, traits: _Traits) -> np.ndarray:
    variant = (traits.variant_of[one] == traits.variant_of[other]) & (traits.variant_of[one] != "")
    brand = (traits.brand[one] == traits.brand[other]) & (traits.brand[one] != "")
    priced = np.where(traits.price > 0, traits.price, np.nan)
    apart = np.abs(np.log(priced[one]) - np.log(priced[other]))
    near = np.exp(-np.where(np.isnan(apart), _PRICE_SCALE, apart) / _PRICE_SCALE)
    return np.asarray(near * np.where(variant, _VARIANT, 1.0) * np.where(brand, _BRAND, 1.0))


# ---- levels ------------------------------------
def _rates(panel: Panel, limit: int) -> tuple[np.ndarray, np.ndarray]:
    """Mean demand per period of late, and the variance-to-mean ratio of demand. (n,), (n,)"""
    recent = slice(max(0, panel.t - 3 * limit), panel.t)
    seen = panel.observed[:, recent]
    sold = np.where(seen, np.maximum(panel.demand[:, recent], 0), 0.0)
    count = np.maximum(seen.sum(axis=1), 1)
    rate = sold.sum(axis=1) / count
    variance = np.where(seen, (sold - rate[:, None]) ** 2, 0.0).sum(axis=1) / np.maximum(count - 1, 1)
    return rate, np.where(rate > 0, variance / np.where(rate > 0, rate, 1.0), 0.0)


def _like(weights: sparse.csr_array, rate: np.ndarray, ratio: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Level of the like items, how far they differ relative to it (a variance), their variance-to-mean ratio. (m,)"""
    level = np.maximum(weights @ rate, _TINY)
    spread = weights @ rate**2 - level**2
    variance = np.clip(spread / level**2, _LEAST_VARIANCE, _LARGEST_VARIANCE)
    return level, variance, np.maximum(weights @ ratio, _TINY)


def _blended(lumps: np.ndarray, own: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """The variance-to-mean ratio of a new series: that of like items and its own, by the periods seen of it. (m,)"""
    return np.maximum((_PULL_PERIODS * lumps + seen * own) / (_PULL_PERIODS + seen), _TINY)


def _own(
    panel: Panel, new: np.ndarray, level: np.ndarray, curve: np.ndarray, limit: int
) -> tuple[np.ndarray, np.ndarray]:
    """What each new series has sold, and what it would have sold like the others. (m,), (m,)"""
    seen = panel.observed[new]
    age = np.arange(panel.t) - panel.first[new][:, None]
    expected = curve[np.clip(age // limit, 0, len(curve) - 1)]
    sold = np.where(seen, np.maximum(panel.demand[new], 0), 0.0).sum(axis=1)
    return sold, level * np.where(seen, expected, 0.0).sum(axis=1)


def _curve(panel: Panel, mature: np.ndarray, traits: _Traits, rate: np.ndarray, limit: int) -> np.ndarray:
    """Demand by age, in steps of `limit` periods, relative to like items: how launches of the past went. (ages,)

    The last age stands for all beyond. Without launches in the panel's time it is 1 throughout.
    """
    seen_launch = mature[panel.first[mature] >= limit]
    seen_launch = seen_launch[:: max(1, -(-len(seen_launch) // _MOST_LAUNCHES))]
    weights, _likeness = _weights(seen_launch, mature, traits, panel.n)
    level = np.asarray(weights @ rate)
    kept = level > 0
    rows, level = seen_launch[kept], level[kept]
    if not len(rows):
        return np.ones(1)
    age = np.arange(panel.t) - panel.first[rows][:, None]
    seen = panel.observed[rows]
    step = np.where(seen, age // limit, 0)
    ages = 1 + int(step.max())
    # Weighed by the root of the level: neither the fast sellers decide alone nor the noise of the slow ones.
    sold = np.where(seen, np.maximum(panel.demand[rows], 0), 0.0) / np.sqrt(level)[:, None]
    due = np.where(seen, np.sqrt(level)[:, None], 0.0)
    shown = np.bincount(step[seen], minlength=ages) / limit
    total = np.bincount(step.ravel(), weights=sold.ravel(), minlength=ages)
    base = np.bincount(step.ravel(), weights=due.ravel(), minlength=ages)
    relative = total / np.maximum(base, _TINY)
    return np.asarray((shown * relative + _PULL_LAUNCHES) / (shown + _PULL_LAUNCHES))
