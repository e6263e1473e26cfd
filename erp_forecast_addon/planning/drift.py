"""Whether forecasts have begun to miss: errors beyond what the backtests promised, or a level that has moved.

Both are cumulative sums (Page 1954, Continuous inspection schemes, Biometrika 41) over weeks, a step a week for all
series at once. What goes in is where demand lay in its own forecast distribution, so that only a distribution that was
wrong adds up, however widely the demand of an item varies:

- higher, lower: S ← max(0, S ± score − SLACK), score = √12·(place − ½): mean 0 and variance 1 where the forecast is
  right, and bounded, so that a single spike is no drift;
- wide: S ← max(0, S + log-likelihood ratio) of missing the 95% interval with a probability of 25% against 5%
  (Reynolds & Stoumbos 1999, a CUSUM chart for a proportion, Journal of Quality Technology 31).

A right forecast raises either alarm about once in 7,000 weeks (simulated; docs/accuracy.md).
"""

import numpy as np

SLACK, LIMIT = 0.75, 4.0
_MISS_PROMISED, _MISS_FEARED = 0.05, 0.25
WIDE_LIMIT = 6.5
_MISSED = np.log(_MISS_FEARED / _MISS_PROMISED)
_MET = np.log((1 - _MISS_FEARED) / (1 - _MISS_PROMISED))
# A sum goes no higher: forecasts that are right again come back within weeks, not months.
_MOST = 1.25
# Fewer judged weeks say nothing.
LEAST_WEEKS = 4

SCORES = ("higher", "lower", "wide")
HIGHER, LOWER, WIDER = "Demand Higher", "Demand Lower", "Errors Larger"


def advance(sums: np.ndarray, score: np.ndarray, outside: np.ndarray) -> np.ndarray:
    """The three sums (n, 3) after one more week. score: (n,) √12·(place − ½); outside: (n,), 95% interval missed."""
    higher = np.maximum(0.0, sums[:, 0] + score - SLACK)
    lower = np.maximum(0.0, sums[:, 1] - score - SLACK)
    wide = np.maximum(0.0, sums[:, 2] + np.where(outside, _MISSED, _MET))
    limits = np.array([LIMIT, LIMIT, WIDE_LIMIT])
    return np.asarray(np.minimum(np.stack([higher, lower, wide], axis=1), _MOST * limits))


def verdict(sums: np.ndarray, weeks: np.ndarray) -> np.ndarray:
    """(n,) object: "", HIGHER, LOWER or WIDER. A moved level goes before wide errors, which it brings along."""
    told = np.full(len(sums), "", dtype=object)
    told[sums[:, 2] >= WIDE_LIMIT] = WIDER
    told[sums[:, 1] >= LIMIT] = LOWER
    told[(sums[:, 0] >= LIMIT) & (sums[:, 0] >= sums[:, 1])] = HIGHER
    told[weeks < LEAST_WEEKS] = ""
    return told
