"""Mixtures of distributions that are known by points: their quantiles."""

import numpy as np

# Cells of probability: an eightieth up to 90%, then each a seventh narrower than the one before, to a ten-thousandth.
_EDGES = np.concatenate([np.linspace(0.0, 0.9, 73), 1.0 - 0.1 * 0.86 ** np.arange(1, 47), [1.0]])
LEVELS: np.ndarray = (_EDGES[1:] + _EDGES[:-1]) / 2.0
WEIGHTS: np.ndarray = np.diff(_EDGES)
_FLOAT_NOISE = 1e-10


def quantiles_of_mixture(points: np.ndarray, weights: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """(m, q) the least point of its row that is not exceeded with the chance `levels` (q,) in (0, 1), rising.

    points: (m, k) in any order; weights: their chances, (k,) for all rows or (m, k); a row's need not add up to 1.
    """
    order = np.argsort(points, axis=1, kind="stable")
    ordered = np.take_along_axis(points, order, axis=1)
    through = np.cumsum(weights[order] if weights.ndim == 1 else np.take_along_axis(weights, order, axis=1), axis=1)
    through /= through[:, -1:]
    # Every row's chances moved up by its number make one sorted line, searched at once.
    number = np.arange(len(points))[:, None]
    line = (through + number).ravel()
    at = np.searchsorted(line, (levels + number).ravel() - _FLOAT_NOISE).reshape(len(points), -1)
    within = np.clip(at - number * points.shape[1], 0, points.shape[1] - 1)
    return np.asarray(np.take_along_axis(ordered, within, axis=1), dtype=float)
