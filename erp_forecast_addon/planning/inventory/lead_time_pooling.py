"""Distributions over days learned from weighted, partly censored observations, pooled towards a wider group.

A group with many observations has their distribution, one without any has its parent's, and all between are mixed: the
parent counts as `strength` observations (the posterior mean of a Dirichlet prior; Gelman et al., Bayesian Data
Analysis, 3rd ed., section 3.4). Censored observations are spread over the days they leave possible, in proportion to
the estimate, until the estimate reproduces itself (Efron 1967; Turnbull 1976). Without a prior and with observations
censored on the right only that is the weighted Kaplan-Meier estimate; with one, an order open for longer than any was
before still moves the distribution up.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

_MOST_ROUNDS = 200
_SETTLED = 1e-4  # of the whole distribution, in one round
# A chance smaller than this is nought: an observation there is impossible under the estimate and moves nothing.
_LEAST_CHANCE = 1e-12


@dataclass(frozen=True)
class Evidence:
    """Weights of observations by group and day, all (g, w): on exactly that day, after it, on or before it."""

    on: Floats
    after: Floats
    by: Floats

    @property
    def weight(self) -> Floats:
        """(g,) observations of each group."""
        return np.asarray((self.on + self.after + self.by).sum(axis=1))


def evidence(group: Whole, day: Whole, weight: Floats, after: NDArray[np.bool_], by: NDArray[np.bool_],
             groups: int, width: int) -> Evidence:  # fmt: skip
    """Observations counted into groups and days. group, day: (n,) in [0, groups) and [0, width); after: the true day
    is later than `day`; by: it is `day` or earlier; else it is `day`."""
    cell = group * width + day

    def count(which: NDArray[np.bool_]) -> Floats:
        counted = np.bincount(cell[which], weight[which], groups * width)
        return np.asarray(counted, dtype=float).reshape(groups, width)

    return Evidence(count(~after & ~by), count(after), count(by))


def pooled(seen: Evidence, prior: Floats, strength: Floats | float) -> Floats:
    """(g, w) the distribution of each group. prior: (g, w) or (1, w), rows that sum to 1; strength: (g,) or one
    number > 0, how many observations the prior counts for.

    Solves P = (on + after spread over later days + by spread over earlier days + strength·prior) / (weight + strength)
    by substitution; each round is one pass over all groups.
    """
    known = np.broadcast_to(np.asarray(strength, dtype=float), (len(seen.on),))[:, None] * prior
    share = _scaled(seen.on + known)
    moving = np.flatnonzero(seen.after.any(axis=1) | seen.by.any(axis=1))
    for _round in range(_MOST_ROUNDS):
        if not len(moving):
            break
        part = Evidence(seen.on[moving], seen.after[moving], seen.by[moving])
        renewed = _scaled(part.on + known[moving] + _spread(part, share[moving]))
        moved = np.abs(renewed - share[moving]).sum(axis=1)
        share[moving] = renewed
        moving = moving[moved > _SETTLED]
    return share


def _spread(seen: Evidence, share: Floats) -> Floats:
    """(g, w) the censored observations where they are expected to fall."""
    through = np.cumsum(share, axis=1)
    later = through[:, -1:] - through
    per_later = np.divide(seen.after, later, out=np.zeros_like(share), where=later > _LEAST_CHANCE)
    before_each = np.cumsum(per_later, axis=1) - per_later
    per_earlier = np.divide(seen.by, through, out=np.zeros_like(share), where=through > _LEAST_CHANCE)
    from_each = np.cumsum(per_earlier[:, ::-1], axis=1)[:, ::-1]
    spread = share * (before_each + from_each)
    # Where the estimate leaves nothing possible, the nearest day that the observation allows takes it.
    beyond = np.where(later > _LEAST_CHANCE, 0.0, seen.after)
    spread[:, 1:] += beyond[:, :-1]
    spread[:, -1] += beyond[:, -1]
    return np.asarray(spread + np.where(through > _LEAST_CHANCE, 0.0, seen.by))


def _scaled(weight: Floats) -> Floats:
    return np.asarray(weight / weight.sum(axis=1, keepdims=True))


def stretched(share: Floats, factor: Floats) -> Floats:
    """(g, w) distributions over days with every time multiplied by `factor` (g,) > 0. What falls beyond the last day
    stays on it. share: (g, w) or (1, w). A day d stands for the interval (d - 1/2, d + 1/2], day 0 for its half."""
    width = share.shape[1]
    through = np.pad(np.cumsum(share, axis=1), ((0, 0), (1, 0)))
    # Cumulated share at the edge between day d - 1 and day d, read where that edge lay before stretching.
    edge = np.maximum(np.arange(1, width + 1) - 0.5, 0.0)[None, :] / factor[:, None]
    at = np.clip(edge + 0.5, 0.0, float(width))
    left = np.minimum(at.astype(np.int64), width - 1)
    # Day 0 is half as wide as the others: its share lies between the edges 0 and 1/2.
    part = np.where(left == 0, np.clip((at - 0.5) * 2.0, 0.0, 1.0), at - left)
    rows = np.broadcast_to(through, (len(factor), width + 1))
    low = np.take_along_axis(rows, left, axis=1)
    cumulated = low + part * (np.take_along_axis(rows, left + 1, axis=1) - low)
    cumulated[:, -1] = 1.0
    return np.diff(np.maximum.accumulate(cumulated, axis=1), axis=1, prepend=0.0)


def location_strength(location: Floats, parent: Floats, variance: Floats, weight: Floats, most: float) -> float:
    """How many observations the parent's location counts for: variance within the groups / variance between them.

    location, parent, variance, weight: (g,): mean of log days of the group and of its parent, variance around the
    group's own mean, observations. Between the groups by moments around their parents (DerSimonian & Laird 1986, with
    the pooled variance within); at least 0.1 and at most `most` observations: a company whose suppliers differ as
    continents do pools little, one whose suppliers are alike pools much.
    """
    several = weight > 1.0
    if several.sum() < 2:
        return most
    n, apart = weight[several], location[several] - parent[several]
    within = float(np.sum(n * variance[several]) / np.sum(n - 1.0))
    excess = float(np.sum(n * np.square(apart))) - within * len(n)
    between = excess / float(n.sum())
    if between <= 0.0:
        return most
    return float(np.clip(within / between, 0.1, most))
