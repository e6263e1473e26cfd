"""Mean demand over a number of days that may have a fraction, along the forecast path rather than a flat mean."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def demand_through(daily_mean: Floats, days: Floats) -> Floats:
    """Mean demand of the first `days` days. daily_mean: (n, t), stock units a day; days: (n,), each in [0, t] -> (n,).

    A fraction of a day takes that fraction of the day's demand: with C(k) the sum of the first k days it is
    C(⌊x⌋) + (x - ⌊x⌋)·d(⌊x⌋ + 1). Source: the discrete form of ∫d(t)dt over the lead time, SPT section 6.7.

    Raises ValueError where `days` is longer than the path.
    """
    n, t = daily_mean.shape
    if n and float(np.max(days)) > t:
        raise ValueError(f"the forecast path covers {t} days, {float(np.max(days))} were asked for")
    through = np.zeros((n, t + 1))
    np.cumsum(daily_mean, axis=1, out=through[:, 1:])
    whole = np.floor(days).astype(np.int64)
    rows = np.arange(n)
    at_next = through[rows, np.minimum(whole + 1, t)]
    return through[rows, whole] + (days - whole) * (at_next - through[rows, whole])
