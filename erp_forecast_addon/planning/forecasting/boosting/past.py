"""Running sums of the past: a feature of any window is two reads, whatever the row and the origin."""

import numpy as np


class Past:
    """Running sums of r rows x t periods; `end` counts the known periods, so only periods before it are read.

    total: (r, t) float, what was sold, 0 where unknown; count: (r, t) float, how many known values it sums.
    cycle: periods of the short cycle (7 days), 1: none.
    """

    def __init__(self, total: np.ndarray, count: np.ndarray, cycle: int) -> None:
        self.cycle = cycle
        self.t = total.shape[1]
        self._sum, self._count = _running(total), _running(count)
        self._phase_sum, self._phase_count = (_running_by_phase(part, cycle) for part in (total, count))

    def sum_count(self, row: np.ndarray, end: np.ndarray, window: int | np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Σ demand and number of known values in the `window` periods before `end`, which may lie beyond the data."""
        stop = np.clip(end, 0, self.t)
        start = np.clip(end - window, 0, self.t)
        return (
            self._sum[row, stop] - self._sum[row, start],
            self._count[row, stop] - self._count[row, start],
        )

    def mean(self, row: np.ndarray, end: np.ndarray, window: int | np.ndarray) -> np.ndarray:
        """Mean of the known values in the window; NaN without one."""
        return _ratio(*self.sum_count(row, end, window))

    def phase_sum_count(
        self, row: np.ndarray, end: np.ndarray, target: np.ndarray, cycles: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """The same over the last `cycles` periods before `end` that lie whole cycles before `target` >= end."""
        last = target - self.cycle * -((end - 1 - target) // self.cycle)
        stop = np.maximum(last + self.cycle, last % self.cycle)
        start = np.maximum(stop - cycles * self.cycle, last % self.cycle)
        return (
            self._phase_sum[row, stop] - self._phase_sum[row, start],
            self._phase_count[row, stop] - self._phase_count[row, start],
        )

    def phase_mean(self, row: np.ndarray, end: np.ndarray, target: np.ndarray, cycles: int) -> np.ndarray:
        return _ratio(*self.phase_sum_count(row, end, target, cycles))


class Fading:
    """Exponentially fading sums in steps of whole cycles, so that each sum holds every phase equally often."""

    def __init__(self, total: np.ndarray, count: np.ndarray, cycle: int, fade: float) -> None:
        self._sum, self._count = (_fading(part, cycle, fade) for part in (total, count))

    def sum_count(self, row: np.ndarray, end: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return self._sum[row, end], self._count[row, end]


def since_last(there: np.ndarray) -> np.ndarray:
    """Periods between each `end` and the last True before it, 0 right after one; t + 1 if there was none. (r, t + 1)"""
    r, t = there.shape
    at = np.where(there, np.arange(1, t + 1, dtype=np.int32), np.int32(-1))
    last = np.concatenate([np.full((r, 1), -1, dtype=np.int32), np.maximum.accumulate(at, axis=1)], axis=1)
    return np.where(last >= 0, np.arange(t + 1, dtype=np.int32) - last, np.int32(t + 1))


def _running(values: np.ndarray) -> np.ndarray:
    """(r, t + 1) float64: exact for whole numbers, as differences of float32 sums would not be."""
    sums = np.zeros((values.shape[0], values.shape[1] + 1))
    np.cumsum(values, axis=1, out=sums[:, 1:])
    return sums


def _running_by_phase(values: np.ndarray, cycle: int) -> np.ndarray:
    """Column j + cycle holds the sum of the columns j, j − cycle, j − 2·cycle, … (r, whole cycles + 1)"""
    r, t = values.shape
    cycles = -(-t // cycle)
    sums = np.zeros((r, cycles + 1, cycle))
    sums[:, 1:].reshape(r, -1)[:, :t] = values
    np.cumsum(sums, axis=1, out=sums)
    return sums.reshape(r, -1)


def _fading(values: np.ndarray, cycle: int, fade: float) -> np.ndarray:
    """Column e: Σ_k fade^k · (sum of the k-th cycle before e). (r, t + 1)"""
    t = values.shape[1]
    sums = _running(values)
    start = np.maximum(np.arange(t + 1) - cycle, 0)
    faded: np.ndarray = sums - sums[:, start]
    for at in range(cycle, t + 1, cycle):  # over cycles: the recursion needs the cycle before
        now = slice(at, min(at + cycle, t + 1))
        faded[:, now] += fade * faded[:, now.start - cycle : now.stop - cycle]
    return faded


def _ratio(total: np.ndarray, count: np.ndarray) -> np.ndarray:
    return np.asarray(np.where(count > 0.5, total / np.maximum(count, 1), np.nan))
