"""Groups of series: the levels of the hierarchy, by name, and sums over them."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse

from erp_forecast_addon.planning.panel import Panel

# How far the reference of an unobserved period reaches to both sides, in periods.
_FILL_REACH = 28


@dataclass(frozen=True)
class Grouping:
    """One level: columns of the hierarchy that make it; code (n,) of each series; labels (g,) by code."""

    columns: tuple[str, ...]
    code: np.ndarray
    labels: np.ndarray

    @property
    def size(self) -> int:
        return len(self.labels)

    def totals(self, values: np.ndarray) -> np.ndarray:
        """Sums of the rows of each group. (n, …) -> (g, …) float64"""
        n = len(self.code)
        adding = sparse.csr_matrix((np.ones(n, dtype=np.float32), (self.code, np.arange(n))), shape=(self.size, n))
        flat = values.reshape(n, int(np.prod(values.shape[1:])))
        return np.asarray(adding @ flat, dtype=float).reshape(self.size, *values.shape[1:])

    def at(self, labels: np.ndarray) -> np.ndarray:
        """Where each group of this grouping stands among `labels`; −1: nowhere. (g,)"""
        return np.asarray(pd.Index(labels).get_indexer(pd.Index(self.labels)))


def groupings(panel: Panel, levels: tuple[tuple[str, ...], ...]) -> list[Grouping]:
    """The levels that the panel's hierarchy has, in the order given; a level that parts the series like one
    before it is left out. () is the whole company."""
    found: list[Grouping] = []
    for columns in levels:
        if not set(columns) <= _columns(panel):
            continue
        made = _grouping(panel, columns)
        if not any(_alike(each, made) for each in found):
            found.append(made)
    return found


def _alike(one: Grouping, other: Grouping) -> bool:
    """Do both part the series alike, whatever the numbers of their groups?"""
    return one.size == other.size and np.array_equal(pd.factorize(one.code)[0], pd.factorize(other.code)[0])


def _grouping(panel: Panel, columns: tuple[str, ...]) -> Grouping:
    if not columns:
        return Grouping((), np.zeros(panel.n, dtype=np.int64), np.array(["All"], dtype=object))
    parts = [pd.factorize(_column(panel, column).astype(object), sort=True) for column in columns]
    code = np.zeros(panel.n, dtype=np.int64)
    for numbers, _names in parts:
        code = code * (int(numbers.max(initial=0)) + 1) + numbers
    _used, first, code = np.unique(code, return_index=True, return_inverse=True)
    names = [names[numbers[first]].astype(str) for numbers, names in parts]
    labels = np.array([" | ".join(label) for label in zip(*names, strict=True)], dtype=object)  # over groups
    return Grouping(columns, code.reshape(-1), labels)


def _columns(panel: Panel) -> set[str]:
    return {*panel.keys.columns, *([] if panel.hierarchy is None else panel.hierarchy.columns)}


def _column(panel: Panel, column: str) -> "pd.Series[str]":
    found: pd.Series[str] = panel.keys[column] if column in panel.keys else panel.hierarchy[column]  # type: ignore[index]
    return found


def filled(demand: np.ndarray, observed: np.ndarray, existed: np.ndarray) -> np.ndarray:
    """Demand with what an empty shelf hid replaced by the series' own mean around it, for sums over series. (n, t)

    demand: (n, t); observed: (n, t) bool; existed: (n, t) bool: from a series' first period on; before it, 0.
    """
    values = np.where(observed, demand, 0).astype(np.float32)
    hidden = existed & ~observed
    rows = np.flatnonzero(hidden.any(axis=1))
    if not len(rows):
        return values
    t = demand.shape[1]
    low = np.maximum(np.arange(t) - _FILL_REACH, 0)
    high = np.minimum(np.arange(t) + _FILL_REACH + 1, t)
    sold = np.cumsum(np.pad(values[rows].astype(float), ((0, 0), (1, 0))), axis=1)
    seen = np.cumsum(np.pad(observed[rows].astype(float), ((0, 0), (1, 0))), axis=1)
    count = seen[:, high] - seen[:, low]
    everything = sold[:, -1:] / np.maximum(seen[:, -1:], 1)
    around = np.where(count > 0, (sold[:, high] - sold[:, low]) / np.maximum(count, 1), everything)
    values[rows] = np.where(hidden[rows], around, values[rows])
    return values
