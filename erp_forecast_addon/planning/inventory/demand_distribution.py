"""Demand over a time that is itself uncertain, as a distribution: what levels of stock are read from.

The forecast says how much is asked for in any number of days (forecasting/lead_time_sums.py); the lead time says how
many days there will be. Both together are a mixture: the distribution of a sum of D days, weighed by the chance of D.
It is kept as points of equal standing for every row: `points[i, k]` is asked for with the chance `weights[k]`.

Sources: mixture over the lead time, Silver, Pyke & Thomas (2017), section 6.10; Axsäter, Inventory Control, 3rd ed.
(2015), section 5.1.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import gammaincinv

from erp_forecast_addon.planning.forecasting.mixtures import LEVELS, WEIGHTS, quantiles_of_mixture
from erp_forecast_addon.planning.forecasting.rows import in_blocks
from erp_forecast_addon.planning.inventory.safety_stock import Floats
from erp_forecast_addon.planning.progress import Done, unseen

Whole = NDArray[np.int64]
Rows = NDArray[np.int64]

# (rows (m,), days (m,), levels (q,) rising in (0, 1)) -> (m, q): quantiles of the demand of the next `days` days.
Totals = Callable[[Rows, Floats, Floats], Floats]

# Shares of deliveries that stand for one lead time each: fine where deliveries are late, which is what stock is for.
_LEAD_TIME_EDGES = np.array([0.0, 0.3, 0.6, 0.8, 0.92, 0.98, 1.0])
LEAD_TIME_SHARES: Floats = np.diff(_LEAD_TIME_EDGES)
# Mixtures in work at once: bounds the memory.
_ROWS = 2048
_FLOAT_NOISE = 1e-9
_POINT_DECIMALS = 4
# Gamma distributions are looked up between shapes from 1/1000 to a million, 2.5% apart.
_SMALLEST_MEAN = 1e-9
_SMALLEST_SHAPE, _LARGEST_SHAPE, _SHAPE_STEP = 1e-3, 1e6, 0.025
_SHAPE_NODES = int(np.ceil(np.log(_LARGEST_SHAPE / _SMALLEST_SHAPE) / _SHAPE_STEP)) + 1


@dataclass(frozen=True)
class Demand:
    """points: (n, k) stock units, ≥ 0, rising along each row; weights: (k,) their chances, adding up to 1."""

    points: Floats
    weights: Floats

    @property
    def n(self) -> int:
        return len(self.points)

    def select(self, rows: Rows | slice) -> "Demand":
        return Demand(self.points[rows], self.weights)

    @cached_property
    def mean(self) -> Floats:
        return np.asarray((self.points * self.weights).sum(axis=1))

    @cached_property
    def std(self) -> Floats:
        away = self.points - self.mean[:, None]
        return np.asarray(np.sqrt((away * away * self.weights).sum(axis=1)))

    @cached_property
    def whole(self) -> NDArray[np.bool_]:
        """(n,) rows that only know whole numbers."""
        return np.asarray((self.points == np.floor(self.points)).all(axis=1))

    def quantile(self, level: ArrayLike) -> Floats:
        """(n,) the least quantity that is enough with the chance `level` ((n,) or one number in (0, 1)).

        Whole numbers where demand is whole; between two points else.
        """
        wanted = np.broadcast_to(np.asarray(level, dtype=float), (self.n,))
        rows, last = np.arange(self.n), len(self.weights) - 1
        upper = np.cumsum(self.weights)
        step = np.minimum(np.searchsorted(upper, wanted - _FLOAT_NOISE), last)
        middle = upper - self.weights / 2.0
        right = np.clip(np.searchsorted(middle, wanted), 1, last)
        share = np.clip((wanted - middle[right - 1]) / (middle[right] - middle[right - 1]), 0.0, 1.0)
        low, high = self.points[rows, right - 1], self.points[rows, right]
        return np.where(self.whole, self.points[rows, step], low + share * (high - low))

    def served(self, qty: Floats) -> Floats:
        """P(D ≤ qty), of qty's shape: (n,) or (n, m)."""
        return np.asarray(1.0 - self.losses(qty)[0])

    def shortage(self, qty: Floats) -> Floats:
        """Expected shortage E[(D − qty)⁺], of qty's shape: (n,) or (n, m). Source: SPT, section 6.7."""
        return np.asarray(self.losses(qty)[1])

    def left_over(self, qty: Floats) -> Floats:
        """Expected units that are left, E[(qty − D)⁺], of qty's shape."""
        mean = self.mean if np.ndim(qty) == 1 else self.mean[:, None]
        return np.asarray(np.maximum(qty - mean + self.shortage(qty), 0.0))

    def shortage_integral(self, qty: Floats) -> Floats:
        """∫ E[(D − y)⁺] dy from qty to infinity, that is E[((D − qty)⁺)²] / 2: the second-order loss function.

        Its difference between two quantities, over their distance, is the mean shortage between them. Source: Hadley &
        Whitin, Analysis of Inventory Systems (1963), section 4-9 (the function β(v)).
        """
        return np.asarray(self.losses(qty)[2])

    def losses(self, qty: Floats) -> tuple[Floats, Floats, Floats]:
        """P(D > qty), `shortage` and `shortage_integral` at once, each of qty's shape: (n,) or (n, m)."""
        above, first, second = self._tails(qty)
        return (
            above,
            np.maximum(first - qty * above, 0.0),
            np.maximum(second - 2.0 * qty * first + qty * qty * above, 0.0) / 2.0,
        )

    @cached_property
    def _sums_above(self) -> tuple[Floats, Floats, Floats]:
        """Σ weight (k + 1,), Σ weight · point (n, k + 1), Σ weight · point² (n, k + 1) of the points from each on."""

        def from_the_end(values: Floats) -> Floats:
            summed = np.zeros((*values.shape[:-1], values.shape[-1] + 1))
            summed[..., :-1] = np.cumsum(values[..., ::-1], axis=-1)[..., ::-1]
            return summed

        weighted = self.points * self.weights
        return from_the_end(self.weights), from_the_end(weighted), from_the_end(weighted * self.points)

    def _tails(self, qty: Floats) -> tuple[Floats, Floats, Floats]:
        """P(D > qty), E[D; D > qty], E[D²; D > qty]."""
        flat = qty[:, None] if qty.ndim == 1 else qty
        count = self._points_up_to(flat)
        rows = np.arange(self.n)[:, None]
        weight, first, second = self._sums_above
        found = weight[count], first[rows, count], second[rows, count]
        return tuple(part[:, 0] if qty.ndim == 1 else part for part in found)  # type: ignore[return-value]

    def _points_up_to(self, qty: Floats) -> Whole:
        """How many points of its row are ≤ qty. (n, m) -> (n, m), by bisection of all at once."""
        flat, k = self.points.ravel(), len(self.weights)
        base = (np.arange(self.n) * k)[:, None]
        low = np.zeros(qty.shape, dtype=np.int64)
        high = np.full(qty.shape, k, dtype=np.int64)
        for _step in range(int(np.ceil(np.log2(k + 1)))):
            middle = (low + high) // 2
            inside = low < high
            under = inside & (flat[base + np.minimum(middle, k - 1)] <= qty)
            low, high = np.where(under, middle + 1, low), np.where(inside & ~under, middle, high)
        return low


@dataclass(frozen=True)
class LeadTimeNodes:
    """A few lead times that stand for a distribution. days: (m, j), rising; shares: (j,), adding up to 1."""

    days: Floats
    shares: Floats

    def select(self, rows: Rows) -> "LeadTimeNodes":
        return LeadTimeNodes(self.days[rows], self.shares)


def lead_time_nodes(probability: Floats) -> LeadTimeNodes:
    """probability: (m, d + 1) as in lead_time_distribution.py -> the mean of the earliest 30% of deliveries, of the
    next 30% and so on, so that the mean is kept and the late ones are told apart.
    """
    day = np.arange(probability.shape[1], dtype=float)
    through = np.cumsum(probability, axis=1)
    before = through - probability
    # A loop over the few edges: the days' shares below each.
    summed = np.stack([(np.clip(edge - before, 0.0, probability) * day).sum(axis=1) for edge in _LEAD_TIME_EDGES])
    # Sums of shares miss 1 by their rounding, and the last node is the one that would pay for it.
    summed[-1] = (probability * day).sum(axis=1)
    days = np.diff(summed, axis=0).T / LEAD_TIME_SHARES
    return LeadTimeNodes(np.maximum.accumulate(np.round(days, 9), axis=1), LEAD_TIME_SHARES)


def over_days(totals: Totals, days: Floats, *, workers: int = 1) -> Demand:
    """Demand of the next `days` (n,) days, parts of a day allowed."""
    points = np.zeros((len(days), len(LEVELS)))

    def fill(block: slice) -> None:
        rows = np.arange(block.start, block.stop)
        points[block] = totals(rows, days[block], LEVELS)

    in_blocks(fill, len(days), workers, _ROWS)
    return Demand(_rising(points), WEIGHTS)


def over_lead_time(
    totals: Totals, nodes: LeadTimeNodes, later_days: ArrayLike = 0.0, *, workers: int = 1, done: Done = unseen
) -> Demand:
    """Demand of the lead time and `later_days` ((n,) or one number) after it. nodes: of each row, (n, j) days.

    Rows whose lead time is certain are not mixed, and cost a single look at the forecast. done: told the share that is
    done.
    """
    days = nodes.days + np.broadcast_to(np.asarray(later_days, dtype=float), (len(nodes.days),))[:, None]
    points = np.zeros((len(days), len(LEVELS)))

    def fill(block: slice) -> None:
        rows, own = np.arange(block.start, block.stop), days[block]
        certain = own[:, -1] - own[:, 0] <= _FLOAT_NOISE
        if certain.any():
            points[rows[certain]] = totals(rows[certain], own[certain, 0], LEVELS)
        if not certain.all():
            points[rows[~certain]] = _mixed(totals, rows[~certain], own[~certain], nodes.shares)

    in_blocks(fill, len(days), workers, _ROWS, done)
    return Demand(_rising(points), WEIGHTS)


def _mixed(totals: Totals, rows: Rows, days: Floats, shares: Floats) -> Floats:
    """Points of the mixture over the columns of `days` (m, j). (m, levels)"""
    parts = np.concatenate([totals(rows, days[:, j], LEVELS) for j in range(days.shape[1])], axis=1)
    weight = np.concatenate([share * WEIGHTS for share in shares])
    return quantiles_of_mixture(parts, weight, LEVELS)


def _rising(points: Floats) -> Floats:
    """Rounded to what evidence can hold and tell again: a tenth of what a document can."""
    rising: Floats = np.maximum.accumulate(np.maximum(points, 0.0), axis=1)
    return np.round(rising, _POINT_DECIMALS)


def at_least(demand: Demand, other: Demand) -> Demand:
    """`demand`, nowhere below `other`: more days never ask for less."""
    return Demand(np.maximum(demand.points, other.points), demand.weights)


def gamma_totals(daily_mean: Floats, daily_std: Floats) -> Totals:
    """Totals of a demand that says only its mean and deviation: gamma distributions, days independent of each other.

    daily_mean: (n, t) path, t at least the days asked for; daily_std: (n,). Source: Burgin, The gamma distribution and
    inventory control (1975): never below zero, skewed to the right.
    """
    through = np.pad(np.cumsum(daily_mean, axis=1), ((0, 0), (1, 0)))

    def totals(rows: Rows, days: Floats, levels: Floats) -> Floats:
        whole = np.minimum(np.floor(days).astype(np.int64), daily_mean.shape[1])
        next_day = np.minimum(whole + 1, daily_mean.shape[1])
        low = through[rows, whole]
        mean = low + (days - whole) * (through[rows, next_day] - low)
        return gamma_quantiles(mean, daily_std[rows] * np.sqrt(days), levels)

    return totals


def gamma_quantiles(mean: Floats, std: Floats, levels: Floats) -> Floats:
    """(n, q) quantiles of gamma distributions of this mean and deviation (n,); without deviation the mean itself.

    Interpolated between the shapes of a table: the inverse of the incomplete gamma function, solved anew
    for every cell of a panel, would take minutes.
    """
    flat = (mean <= _SMALLEST_MEAN) | (std <= mean / np.sqrt(_LARGEST_SHAPE))
    relative = np.where(flat, 1.0, mean) / np.where(flat, 1.0, std)
    shape = np.maximum(np.square(relative), _SMALLEST_SHAPE)
    at = np.clip(np.log(shape / _SMALLEST_SHAPE) / _SHAPE_STEP, 0.0, _SHAPE_NODES - 1.000001)
    low = at.astype(np.int64)
    share = (at - low)[:, None]
    table = _gamma_table(tuple(levels.tolist()))
    curves = (table[low] * (1.0 - share) + table[low + 1] * share) * np.where(flat, 1.0, mean)[:, None]
    return np.where(flat[:, None], np.maximum(mean, 0.0)[:, None], curves)


@lru_cache(maxsize=8)
def _gamma_table(levels: tuple[float, ...]) -> Floats:
    """Quantiles over the mean, by shape. (nodes, q)"""
    shapes = _SMALLEST_SHAPE * np.exp(_SHAPE_STEP * np.arange(_SHAPE_NODES))[:, None]
    return np.asarray(gammaincinv(shapes, np.asarray(levels)[None, :]) / shapes)


def from_samples(samples: Floats) -> Demand:
    """What was drawn, or seen, as a distribution. samples: (n, m)"""
    return Demand(_rising(np.quantile(samples, LEVELS, axis=1, method="inverted_cdf").T), WEIGHTS)
