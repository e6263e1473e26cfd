"""Conformal recalibration: what share of past demand really fell below each stated probability, group by group.

For an observation whose distribution function just below and at it is (low, high), the randomised probability integral
transform is uniform between the two (Czado, Gneiting & Held 2009). g(u), the expected share of transforms ≤ u, is the
mean of their distribution functions; it is summed exactly at the nodes, without drawing. A quantile of the recalibrated
forecast is F⁻¹(g⁻¹(τ)) (Kuleshov, Fenner & Ermon 2018; conformal predictive systems, Vovk et al. 2019).
"""

import numpy as np
from scipy.special import ndtr

# Nodes of g, dense in the tails, where order levels are read.
NODES = np.concatenate([[0.0], ndtr(np.arange(-66, 67) * 0.05), [1.0]])


def summed(low: np.ndarray, high: np.ndarray, weight: np.ndarray, group: np.ndarray, n_groups: int) -> np.ndarray:
    """Σ weight · P(transform ≤ node) per group. (n_groups, nodes)

    low, high, weight: (c,), 0 ≤ low ≤ high ≤ 1; group: (c,) in [0, n_groups). The distribution function of a uniform
    variable is a ramp, the second sum of two opposite impulses; an impulse between two nodes is shared by them.
    """
    width = np.maximum(high - low, 1e-7)
    low, high = np.minimum(low, 1.0 - width), np.minimum(low, 1.0 - width) + width
    impulses = np.zeros(n_groups * len(NODES))
    for edge, sign in ((low, 1.0), (high, -1.0)):
        left = np.clip(np.searchsorted(NODES, edge, side="right") - 1, 0, len(NODES) - 2)
        share = (edge - NODES[left]) / (NODES[left + 1] - NODES[left])
        size = sign * weight / width
        at = group * len(NODES) + left
        impulses += np.bincount(at, size * (1.0 - share), len(impulses))
        impulses += np.bincount(at + 1, size * share, len(impulses))
    slope = np.cumsum(impulses.reshape(n_groups, len(NODES)), axis=1)[:, :-1]
    ramps = np.cumsum(slope * np.diff(NODES), axis=1)
    return np.pad(ramps, ((0, 0), (1, 0)))


def pulled(own: np.ndarray, weight: np.ndarray, above: np.ndarray, half_weight: float) -> np.ndarray:
    """g of groups: their summed transforms and those of the level above, as so much weight. (groups, nodes)

    own: (groups, nodes) as from `summed`, with its total weight (groups,); above: (groups, nodes) a finished g.
    Rises with u from 0 to 1.
    """
    curve = (own + half_weight * above) / (weight + half_weight)[:, None]
    curve = np.maximum.accumulate(np.clip(curve, 0.0, 1.0), axis=1)
    curve[:, 0], curve[:, -1] = 0.0, 1.0
    return np.asarray(curve)


def inverse(curve: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """g⁻¹ at levels in (0, 1). curve: (groups, nodes); (groups, levels), rising with the level"""
    # A strictly rising copy: where g is flat no transform fell, and any u there would do.
    rising = curve + NODES * 1e-9
    rising /= rising[:, -1:]
    return np.stack([np.interp(levels, row, NODES) for row in rising]) if len(rising) else np.zeros((0, len(levels)))
