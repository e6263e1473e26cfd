"""Forecast errors. Every function takes (n, t) arrays, skips what the mask leaves out, and answers per series (n,).

NaN: it cannot be measured (no observed period, or nothing to divide by).
"""

import numpy as np


def wape(actual: np.ndarray, forecast: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Σ|y − ŷ| / Σ|y|: the weighted absolute percentage error, as a share (Kolassa & Schütz 2007)."""
    return _ratio(_sum(np.abs(actual - forecast), mask), _sum(np.abs(actual), mask))


def bias(actual: np.ndarray, forecast: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Σ(ŷ − y) / Σ|y|: above 0 the forecast was too high."""
    return _ratio(_sum(forecast - actual, mask), _sum(np.abs(actual), mask))


def mase(actual: np.ndarray, forecast: np.ndarray, mask: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Mean |y − ŷ| over `scale` = naive_absolute_error of the history (Hyndman & Koehler 2006)."""
    return _ratio(_mean(np.abs(actual - forecast), mask), scale)


def rmsse(actual: np.ndarray, forecast: np.ndarray, mask: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """√(mean (y − ŷ)² / scale), scale = naive_squared_error of the history (M5, Makridakis et al. 2022)."""
    return np.asarray(np.sqrt(_ratio(_mean((actual - forecast) ** 2, mask), scale)))


def pinball(actual: np.ndarray, quantiles: np.ndarray, levels: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Mean over periods and levels of max(τ(y − q), (τ − 1)(y − q)). quantiles: (n, t, levels)"""
    gap = actual[:, :, None] - quantiles
    return _mean(np.maximum(levels * gap, (levels - 1) * gap).mean(axis=2), mask)


def coverage(actual: np.ndarray, low: np.ndarray, high: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Share of periods with low ≤ y ≤ high."""
    return _mean(((actual >= low) & (actual <= high)).astype(float), mask)


def naive_absolute_error(history: np.ndarray, mask: np.ndarray, lag: int = 1) -> np.ndarray:
    """Mean |y_t − y_{t−lag}| over the pairs of observed periods: the scale of MASE."""
    gap, both = _lagged(history, mask, lag)
    return _mean(np.abs(gap), both)


def naive_squared_error(history: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Mean (y_t − y_{t−1})² over the pairs of observed periods: the scale of RMSSE."""
    gap, both = _lagged(history, mask, 1)
    return _mean(gap**2, both)


def _lagged(history: np.ndarray, mask: np.ndarray, lag: int) -> tuple[np.ndarray, np.ndarray]:
    return history[:, lag:] - history[:, :-lag], mask[:, lag:] & mask[:, :-lag]


def _sum(values: np.ndarray, mask: np.ndarray) -> np.ndarray:
    return np.asarray(np.where(mask, values, 0).sum(axis=1, dtype=float))


def _mean(values: np.ndarray, mask: np.ndarray) -> np.ndarray:
    return _ratio(_sum(values, mask), mask.sum(axis=1).astype(float))


def _ratio(upper: np.ndarray, lower: np.ndarray) -> np.ndarray:
    valid = lower > 0  # NaN compares False
    return np.where(valid, upper / np.where(valid, lower, 1.0), np.nan)
