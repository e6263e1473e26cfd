"""The negative binomial family as one table: distribution functions and quantiles of whole panels without a solver.

A count N with mean μ and variance δ·μ is laid out as the continuous x = N + U, U uniform on (0, 1): its distribution
function F is piecewise linear, F(k + 1) = P(N ≤ k), and ⌊F⁻¹(u)⌋ is the u-quantile of N. F⁻¹ is stored at nodes of
(μ, δ, u) and interpolated linearly between them: in log μ, in log of δ − 1 and in the normal score of u. Interpolated
curves rise with u as the stored ones do, so quantiles never cross. What is interpolated here is the definition of the
distribution: `cdf` inverts the same numbers.

Beyond the table the family goes on by scaling about its middle μ + ½: a mean above the largest node as a gamma
distribution would, a variance below the mean (δ < 1) as the Poisson's curve drawn together.

Source: the gamma-Poisson mixture, Johnson, Kemp & Kotz, Univariate Discrete Distributions, 3rd ed., ch. 5: with
r = μ/(δ − 1), P(N ≤ k) = 1 − I_(1−1/δ)(k + 1, r), I the regularised incomplete beta function.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.special import betainc, ndtr, ndtri

_SMALLEST_MEAN, _LARGEST_MEAN, _MEAN_RATIO = 2.0**-9, 128.0, 1.15
_DISPERSION_STEP, _DISPERSION_RATIO, _DISPERSION_NODES = 0.1, 1.3, 45
_SUMMED_COUNT = 512
_LARGEST_DISPERSION = 1e9
_LOWEST_SCORE, _HIGHEST_SCORE, _SCORE_STEP = -4.0, 5.0, 0.05


@dataclass(frozen=True)
class Place:
    """Where cells lie in the table: the node below in (μ, δ) as a flat row, the weights of the four nodes around, and
    the affine map of the table's x to the cell's: x = shift + scale·x_table. Arrays of the cells' shape.
    """

    row: np.ndarray
    mean_weight: np.ndarray
    dispersion_weight: np.ndarray
    scale: np.ndarray
    shift: np.ndarray

    def __getitem__(self, at: object) -> "Place":
        return Place(*(getattr(self, name)[at] for name in self.__dataclass_fields__))

    def ravel(self) -> "Place":
        return Place(*(getattr(self, name).ravel() for name in self.__dataclass_fields__))


@lru_cache(maxsize=1)
def _mean_nodes() -> np.ndarray:
    count = int(np.ceil(np.log(_LARGEST_MEAN / _SMALLEST_MEAN) / np.log(_MEAN_RATIO))) + 1
    return np.asarray(np.geomspace(_SMALLEST_MEAN, _LARGEST_MEAN, count))


@lru_cache(maxsize=1)
def _dispersion_nodes() -> np.ndarray:
    return np.asarray(1.0 + _DISPERSION_STEP * (_DISPERSION_RATIO ** np.arange(_DISPERSION_NODES) - 1.0))


@lru_cache(maxsize=1)
def _scores() -> np.ndarray:
    return np.asarray(
        np.arange(round((_HIGHEST_SCORE - _LOWEST_SCORE) / _SCORE_STEP) + 1) * _SCORE_STEP + _LOWEST_SCORE
    )


@lru_cache(maxsize=1)
def table() -> np.ndarray:
    """x of every node. (means · dispersions, scores) float32, rising along the scores"""
    means, dispersions = (part.ravel() for part in np.meshgrid(_mean_nodes(), _dispersion_nodes(), indexing="ij"))
    counts, below = _distribution_functions(means, dispersions)
    x, probabilities = np.concatenate([[0.0], counts + 1.0]), ndtr(_scores())
    curves = np.maximum.accumulate(np.pad(below, ((0, 0), (1, 0))), axis=1)
    # Over nodes, whose number does not depend on the data.
    return np.stack([_inverse(curve, x, probabilities) for curve in curves]).astype(np.float32)


def _distribution_functions(means: np.ndarray, dispersions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Counts (c,) and P(N ≤ count) of every node (nodes, c).

    Up to _SUMMED_COUNT by p(k+1) = p(k)·(r + k)/(k + 1)·(1 − 1/δ), from there by the beta function where anything is
    left. Every small count, then steps well below the deviation of whatever reaches so far.
    """
    near = np.unique(np.rint(np.concatenate([np.arange(33.0), np.geomspace(33, _SUMMED_COUNT, 80)])))
    far = np.rint(np.geomspace(_SUMMED_COUNT, 2e6, 40))[1:]
    odds = means / dispersions  # r·(1 − 1/δ), finite as δ goes to 1
    turn = 1.0 - 1.0 / dispersions
    r = means / np.maximum(dispersions - 1.0, 1e-300)
    point = np.exp(np.where(turn > 0, -r * np.log(dispersions), -means))
    summed = np.empty((_SUMMED_COUNT + 1, len(means)))
    summed[0] = point
    for k in range(_SUMMED_COUNT):  # a recursion
        point = point * (odds + k * turn) / (k + 1.0)
        summed[k + 1] = summed[k] + point
    below = np.ones((len(means), len(near) + len(far)))
    below[:, : len(near)] = summed[near.astype(int)].T
    wide = np.flatnonzero(summed[-1] < 1.0 - 1e-8)
    below[wide, len(near) :] = 1.0 - betainc(far + 1.0, r[wide, None], turn[wide, None])
    return np.concatenate([near, far]), np.minimum(below, 1.0)


def _inverse(curve: np.ndarray, x: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """x at the probabilities on a curve that may be flat where it has reached 1."""
    right = np.clip(np.searchsorted(curve, probabilities, side="left"), 1, len(curve) - 1)
    low, high = curve[right - 1], curve[right]
    share = np.clip((probabilities - low) / np.maximum(high - low, 1e-300), 0.0, 1.0)
    return np.asarray(x[right - 1] + share * (x[right] - x[right - 1]))


def place(mean: np.ndarray, variance: np.ndarray) -> Place:
    """Cells of any shape; mean > 0 and variance ≥ 0 (a mean below the smallest node is taken as that)."""
    means = np.maximum(mean, _SMALLEST_MEAN).astype(np.float32)
    inside = np.minimum(means, np.float32(_LARGEST_MEAN))
    # Scaling keeps variance / mean², so that the variance per unit of mean falls with the scale.
    large = means / inside
    dispersion = (
        np.clip(variance / np.maximum(mean, _SMALLEST_MEAN), 0.0, _LARGEST_DISPERSION).astype(np.float32) / large
    )
    nodes = len(_mean_nodes())
    step = np.float32((nodes - 1) / np.log(_LARGEST_MEAN / _SMALLEST_MEAN))
    i, _ = _node(np.log(inside / np.float32(_SMALLEST_MEAN)) * step, nodes)
    known = _mean_nodes().astype(np.float32)
    mean_weight = np.clip((inside - known[i]) / (known[i + 1] - known[i]), 0, 1)
    above = np.log1p(np.maximum(dispersion - 1, 0) / np.float32(_DISPERSION_STEP))
    j, dispersion_weight = _node(above / np.float32(np.log(_DISPERSION_RATIO)), _DISPERSION_NODES)
    scale = np.sqrt(np.minimum(dispersion, 1)) * large
    return Place(
        i * _DISPERSION_NODES + j,
        mean_weight,
        dispersion_weight,
        scale,
        means + 0.5 - scale * (inside + np.float32(0.5)),
    )


def _node(coordinate: np.ndarray, nodes: int) -> tuple[np.ndarray, np.ndarray]:
    at = np.clip(coordinate, 0, nodes - 1)
    low = np.minimum(at.astype(np.int32), nodes - 2)
    return low, (at - low).astype(np.float32)


def at_probabilities(probabilities: np.ndarray) -> np.ndarray:
    """The table at any probabilities in [0, 1] instead of its own scores. (nodes, len(probabilities)) float32"""
    column, weight = _score_node(probabilities)
    known = table()
    return np.asarray(known[:, column] * (1 - weight) + known[:, column + 1] * weight)


def _score_node(probabilities: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    scores = ndtri(np.clip(probabilities, 1e-12, 1 - 1e-12))
    return _node((scores - _LOWEST_SCORE) / _SCORE_STEP, len(_scores()))


def look_up(at: Place, nodes: np.ndarray) -> np.ndarray:
    """x of cells (c,) from columns of the table, such as `at_probabilities` gives. (c, columns) float32, rising"""
    upper, right = at.mean_weight[:, None], at.dispersion_weight[:, None]
    low = nodes[at.row] * (1 - right)
    low += nodes[at.row + 1] * right
    high = nodes[at.row + _DISPERSION_NODES] * (1 - right)
    high += nodes[at.row + _DISPERSION_NODES + 1] * right
    high -= low
    high *= upper
    low += high
    low *= at.scale[:, None]
    low += at.shift[:, None]
    return np.asarray(low)


def look_up_each(at: Place, probabilities: np.ndarray) -> np.ndarray:
    """x of cells (c,) at probabilities of their own (c, q). (c, q) float32"""
    column, weight = _score_node(probabilities)
    known, columns = table().ravel(), len(_scores())
    result = np.zeros(probabilities.shape, dtype=np.float32)
    m, d = at.mean_weight, at.dispersion_weight
    for step, share in (
        (0, (1 - m) * (1 - d)),
        (1, (1 - m) * d),
        (_DISPERSION_NODES, m * (1 - d)),
        (_DISPERSION_NODES + 1, m * d),
    ):
        left = (at.row.astype(np.int64) + step)[:, None] * columns + column
        result += share[:, None] * (known[left] * (1 - weight) + known[left + 1] * weight)
    return np.asarray(at.shift[:, None] + at.scale[:, None] * result)


def cdf(at: Place, x: np.ndarray) -> np.ndarray:
    """Share of x's distribution below x; the inverse of `look_up`. Cells (c,), float64

    By bisection over the stored scores, all cells at once. 0 for x ≤ 0.
    """
    known, columns = table().ravel(), len(_scores())
    wanted = ((x - at.shift) / np.maximum(at.scale, np.float32(1e-9))).astype(np.float32)
    base = at.row.astype(np.int64) * columns
    corners = (base, base + columns, base + _DISPERSION_NODES * columns, base + (_DISPERSION_NODES + 1) * columns)
    m, d = at.mean_weight, at.dispersion_weight
    weights = ((1 - m) * (1 - d), (1 - m) * d, m * (1 - d), m * d)

    def curve(column: np.ndarray) -> np.ndarray:
        return np.asarray(sum(known[corner + column] * weight for corner, weight in zip(corners, weights, strict=True)))

    low, high = np.zeros(len(wanted), dtype=np.int64), np.full(len(wanted), columns - 1)
    for _step in range(int(np.ceil(np.log2(columns)))):
        middle = (low + high) // 2
        below = curve(middle) <= wanted
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    left, right = curve(low), curve(high)
    share = np.clip((wanted - left) / np.maximum(right - left, 1e-9), 0, 1)
    score = _LOWEST_SCORE + _SCORE_STEP * (low + share)
    score = np.where(wanted <= known[corners[0]].clip(max=0), -12.0, score)
    return np.asarray(
        np.where(x <= 0, 0.0, np.where(wanted >= curve(np.full_like(low, columns - 1)), 1.0, ndtr(score)))
    )
