"""Lead times as distributions over whole days: what may be asked of one, and how two of them add up.

A distribution is a row of shares: probability[i, d] is the share of deliveries that arrive exactly d days after the
order, d = 0 … D, and a row sums to 1. How rows are learned stands in lead_time.py.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import gammainc

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

# Beyond two years a lead time is a typing error (a date difference against 1970, days for weeks …).
LONGEST_LEAD_TIME_DAYS = 730
# Learned shares are kept in so many steps: a hundred thousandth is more than any history can tell, and what is written
# to a record is then what was planned with.
STEPS = 100_000
# A day with less than this is rounding of sums of floats, not a chance of anything.
_LEAST_SHARE = 1e-12
_SMALLEST_MEAN_DAYS = 0.01


@dataclass(frozen=True)
class LeadTimeDistributions:
    """One row per supplier and item known; item_code "" is the supplier as a whole, supplier "" the company.

    supplier, item_code, source: (m,) text; probability: (m, D + 1); observations: (m,) orders, an order that came in
    parts counts once. source is where the row comes from: receipts (learned), item price, quotation, item lead time,
    item, settings.
    """

    supplier: NDArray[np.object_]
    item_code: NDArray[np.object_]
    probability: Floats
    observations: Floats
    source: NDArray[np.object_]

    def rows_of(self, supplier: NDArray[np.object_], item_code: NDArray[np.object_]) -> Whole:
        """(n,) the finest row known: of supplier and item, else of the supplier, else of the company, else -1."""
        known = pd.MultiIndex.from_arrays([self.supplier, self.item_code])
        own = known.get_indexer(pd.MultiIndex.from_arrays([supplier, item_code]))
        nothing = np.full(len(own), "", dtype=object)
        of_supplier = known.get_indexer(pd.MultiIndex.from_arrays([supplier, nothing]))
        of_company = known.get_indexer(pd.MultiIndex.from_arrays([nothing, nothing]))
        return np.asarray(np.select([own >= 0, of_supplier >= 0], [own, of_supplier], of_company), dtype=np.int64)

    def has(self, supplier: NDArray[np.object_], item_code: NDArray[np.object_]) -> NDArray[np.bool_]:
        """(n,) whether these very keys have a row of their own that rests on an order that arrived.

        What is open only says that it has not come yet: no reason to leave what the supplier or the item names.
        """
        known = pd.MultiIndex.from_arrays([self.supplier, self.item_code])
        row = known.get_indexer(pd.MultiIndex.from_arrays([supplier, item_code]))
        return np.asarray(np.append(self.observations, 0.0)[row] > 0.0)

    @staticmethod
    def none() -> "LeadTimeDistributions":
        """No distribution at all."""
        text = np.empty(0, dtype=object)
        return LeadTimeDistributions(text, text, np.zeros((0, 1)), np.empty(0), text)


def quantiles(probability: Floats, levels: Sequence[float]) -> Whole:
    """(m, k) whole days: the smallest d with at least that share delivered by day d. levels: k shares in [0, 1]."""
    through = np.cumsum(probability, axis=1)
    # A loop over the few levels; sums of floats may miss 1 by their rounding.
    days = [(through < level - _LEAST_SHARE).sum(axis=1) for level in levels]
    return np.minimum(np.stack(days, axis=1), probability.shape[1] - 1) if days else np.empty((len(through), 0), int)


def mean(probability: Floats) -> Floats:
    """(m,) mean lead time in days."""
    return np.asarray(probability @ np.arange(probability.shape[1], dtype=float))


def std(probability: Floats) -> Floats:
    """(m,) standard deviation in days."""
    day = np.arange(probability.shape[1], dtype=float)
    return np.asarray(np.sqrt(np.maximum(probability @ np.square(day) - np.square(probability @ day), 0.0)))


def widened(probability: Floats, days: int) -> Floats:
    """(m, days + 1) the same distributions with room up to that day. Raises ValueError where a share would be lost."""
    have = probability.shape[1]
    if have > days + 1:
        if probability[:, days + 1 :].sum() > _LEAST_SHARE * max(len(probability), 1):
            raise ValueError(f"shares beyond day {days} would be lost")
        return probability[:, : days + 1]
    return np.pad(probability, ((0, 0), (0, days + 1 - have)))


def shifted(probability: Floats, days: ArrayLike) -> Floats:
    """(m, D + max(days) + 1) every delivery `days` later. days: whole days >= 0, (m,) or one for all."""
    later = np.broadcast_to(np.asarray(days, dtype=np.int64), (len(probability),))
    if len(later) and later.min() < 0:
        raise ValueError("a lead time cannot be shifted before its order")
    width = probability.shape[1] + int(later.max(initial=0))
    source = np.arange(width)[None, :] - later[:, None]
    inside = (source >= 0) & (source < probability.shape[1])
    return np.where(inside, np.take_along_axis(probability, np.where(inside, source, 0), axis=1), 0.0)


def convolved(probability: Floats, approval_probability: Floats) -> Floats:
    """(m, D + A + 1) distribution of lead time plus the days until the draft is approved, independent of each other.

    approval_probability: (A + 1,) for all rows, or (m, A + 1). Source: the sum of independent variables has the
    convolution of their probabilities; made by the product of their Fourier transforms.
    """
    approval = np.atleast_2d(approval_probability)
    width = probability.shape[1] + approval.shape[1] - 1
    both = np.fft.irfft(np.fft.rfft(probability, width) * np.fft.rfft(approval, width), width)
    return normalised(np.where(both > _LEAST_SHARE, both, 0.0))


def from_moments(mean_days: ArrayLike, std_days: ArrayLike) -> Floats:
    """(n, D + 1) distributions with this mean and deviation, for sources that say no more. Both (n,) days.

    A deviation of 0 or NaN puts everything on the mean; a mean between two days is shared by both, so that it is kept.
    Else gamma with shape (μ/σ)² and scale σ²/μ, cut into days at the halves (Burgin, The gamma distribution and
    inventory control, 1975: never negative, skewed to the late side). Raises ValueError for a mean that is not in
    [0, LONGEST_LEAD_TIME_DAYS].
    """
    centre = np.atleast_1d(np.asarray(mean_days, dtype=float))
    spread = np.broadcast_to(np.nan_to_num(np.asarray(std_days, dtype=float)), centre.shape)
    if not bool(((centre >= 0.0) & (centre <= LONGEST_LEAD_TIME_DAYS)).all()):
        raise ValueError(f"a lead time must lie between 0 and {LONGEST_LEAD_TIME_DAYS} days")
    # A mean of a hundredth of a day is none, and a gamma distribution about it has no shape that floats can hold.
    spread = np.where(centre > _SMALLEST_MEAN_DAYS, np.maximum(spread, 0.0), 0.0)
    furthest = float(np.max(centre + 8.0 * spread, initial=0.0))
    days = min(int(np.ceil(furthest)) + 1, LONGEST_LEAD_TIME_DAYS)
    sharp = _between_two_days(centre, days)
    wide = spread > centre * 1e-4
    if wide.any():
        sharp[wide] = _gamma_days(centre[wide], spread[wide], days)
    return sharp


def normalised(weight: Floats) -> Floats:
    """Rows scaled to sum to 1. Raises ValueError for a row without any weight."""
    total = weight.sum(axis=1, keepdims=True)
    if not bool((total > 0.0).all()):
        raise ValueError("a row without weight is no distribution")
    return np.asarray(weight / total)


def in_steps(probability: Floats) -> Whole:
    """(m, D + 1) the shares as whole STEPS, each row summing to STEPS exactly; the most likely day takes the rest."""
    whole = np.rint(probability * STEPS).astype(np.int64)
    if whole.size:
        whole[np.arange(len(whole)), np.argmax(probability, axis=1)] += STEPS - whole.sum(axis=1)
    return np.asarray(whole, dtype=np.int64)


def drawn(probability: Floats, row: Whole, uniform: Floats) -> Whole:
    """Lead times in whole days for draws from [0, 1), by the inverse of the distribution.

    row: (n,) which distribution; uniform: (n, t) -> (n, t).
    """
    through = np.cumsum(probability, axis=1)
    through[:, -1] = 1.0
    # Every row's cumulated shares moved up by its number make one sorted line, searched at once.
    line = (through + np.arange(len(through))[:, None]).ravel()
    at = np.searchsorted(line, uniform + row[:, None], side="right")
    return np.asarray(np.minimum(at - row[:, None] * probability.shape[1], probability.shape[1] - 1), dtype=np.int64)


def _between_two_days(centre: Floats, days: int) -> Floats:
    below = np.minimum(np.floor(centre).astype(np.int64), days)
    share = centre - below
    out = np.zeros((len(centre), days + 1))
    rows = np.arange(len(centre))
    out[rows, below] = 1.0 - share
    out[rows, np.minimum(below + 1, days)] += share
    return out


def _gamma_days(centre: Floats, spread: Floats, days: int) -> Floats:
    shape, scale = np.square(centre / spread), np.square(spread) / centre
    edges = np.arange(days + 1) + 0.5
    through = gammainc(shape[:, None], edges[None, :] / scale[:, None])
    return normalised(np.diff(through, axis=1, prepend=0.0))
