"""What is known ahead and moves demand: events, external signals, prices."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

DriverKind = Literal["event", "signal", "price", "calendar"]


@dataclass(frozen=True)
class Driver:
    """One external series beside the panel's demand; column j belongs to the panel's period j, also beyond its end.

    kind:   event (0 where it is not, 1 or an intensity where it is), signal (any number), price (per stock unit, > 0);
            calendar is made by the engine itself.
    values: (t + h,) for all series alike, or (g, t + h) for g scopes. NaN: not known, of no influence.
    rows:   (n,) the row of `values` that each series sees, −1: none; None: all see `values`, or series i its row i.
    family: events of one family share what their own history is too short to tell (an event type: Religious, …).
    """

    kind: DriverKind
    values: np.ndarray
    rows: np.ndarray | None = None
    family: str = ""

    @property
    def width(self) -> int:
        return int(self.values.shape[-1])

    def of(self, series: np.ndarray | slice, n: int) -> np.ndarray:
        """What the chosen of n series see. (len(series), t + h) float; NaN where a series is out of scope."""
        if self.values.ndim == 1:
            return np.broadcast_to(self.values, (len(np.arange(n)[series]), self.width))
        rows = (np.arange(n) if self.rows is None else self.rows)[series]
        found = self.values[rows].astype(np.float32)
        found[rows < 0] = np.nan
        return found

    def reaching_back(self, periods: int) -> "Driver":
        """The driver with so many periods before its first one, of which nothing is known."""
        before = [(0, 0)] * (self.values.ndim - 1) + [(periods, 0)]
        return replace(self, values=np.pad(self.values, before, constant_values=np.nan))

    def select(self, at: np.ndarray) -> "Driver":
        """The driver of some series, by position."""
        if self.values.ndim == 1:
            return self
        if self.rows is None:
            return replace(self, values=self.values[at])
        return replace(self, rows=self.rows[at])
