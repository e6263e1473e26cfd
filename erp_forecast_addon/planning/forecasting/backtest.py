"""Rolling-origin backtest: every model forecasts the recent past from origins before it (Tashman 2000).

All origins, and all that a model sees at one, lie before the real forecast origin.
"""

from dataclasses import dataclass

import numpy as np

from erp_forecast_addon.planning.forecasting import priors
from erp_forecast_addon.planning.forecasting.model import Model
from erp_forecast_addon.planning.forecasting.rows import in_blocks
from erp_forecast_addon.planning.panel import Panel
from erp_forecast_addon.planning.settings import Period

MAX_ORIGINS = 3
# Steps judged per origin: four weeks, a quarter, half a year; a longer horizon is judged by its beginning.
MAX_STEPS: dict[Period, int] = {"day": 28, "week": 13, "month": 6}
# A series is judged at an origin only if it had been observed for so many periods.
MIN_OBSERVED = 4


@dataclass(frozen=True)
class Backtest:
    """models: m names. forecasts (m, k, n, s), actual (k, n, s), scored (k, n, s) bool; origins (k,) ascending.

    k origins, s steps from each; scored: the demand of that period is known and the series had a history.
    """

    models: tuple[str, ...]
    origins: tuple[int, ...]
    forecasts: np.ndarray
    actual: np.ndarray
    scored: np.ndarray

    @property
    def steps(self) -> int:
        return int(self.actual.shape[2])

    def squared_errors(self) -> np.ndarray:
        """Σ(y − ŷ)² over the scored periods. (n, m)"""
        sums = [np.where(self.scored, self.actual - forecast, 0).astype(np.float32) ** 2 for forecast in self.forecasts]
        return np.stack([part.sum(axis=(0, 2), dtype=float) for part in sums], axis=1)

    def counts(self) -> np.ndarray:
        """Scored periods. (n,)"""
        return np.asarray(self.scored.sum(axis=(0, 2)))


def origins_and_steps(t: int, horizon: int, period: Period) -> tuple[tuple[int, ...], int]:
    """Up to MAX_ORIGINS origins whose windows of `steps` periods do not overlap and end at t at the latest."""
    steps = max(1, min(horizon, MAX_STEPS[period], t // (MAX_ORIGINS + 2)))
    origins = [t - steps * back for back in range(MAX_ORIGINS, 0, -1)]
    return tuple(origin for origin in origins if origin >= max(MIN_OBSERVED, steps)), steps


def backtest(panel: Panel, horizon: int, models: dict[str, Model], workers: int) -> Backtest:
    """Forecasts of all models from every origin; with too short a history there are no origins (k = 0)."""
    origins, steps = origins_and_steps(panel.t, horizon, panel.period)
    shape = (len(models), len(origins), panel.n, steps)
    forecasts = np.zeros(shape, dtype=np.float32)
    demand, mask = panel.demand, panel.observed
    known = [priors.seasonal(panel.before(origin)) for origin in origins]

    def fill(block: slice) -> None:
        past, seen = demand[block].astype(np.float32), mask[block]
        for at, origin in enumerate(origins):
            prior = known[at][block]
            for number, model in enumerate(models.values()):
                forecasts[number, at, block] = model.forecast(
                    past[:, :origin], seen[:, :origin], steps, panel.season_length, prior
                )

    in_blocks(fill, panel.n, workers)
    windows = [slice(origin, origin + steps) for origin in origins]
    empty = np.zeros((0, panel.n, steps))
    actual = np.stack([demand[:, window] for window in windows]) if origins else empty
    scored = np.stack([mask[:, window] for window in windows]) if origins else empty.astype(bool)
    enough = np.array([mask[:, :origin].sum(axis=1) >= MIN_OBSERVED for origin in origins], dtype=bool)
    scored &= enough.reshape(len(origins), panel.n, 1)
    return Backtest(tuple(models), origins, forecasts, actual.astype(np.float32), scored)
