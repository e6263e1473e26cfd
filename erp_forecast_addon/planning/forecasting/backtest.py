"""Rolling-origin backtest: every model forecasts the recent past from origins before it (Tashman 2000).

All origins, and all that a model sees at one, lie before the real forecast origin.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from erp_forecast_addon.planning.forecasting import priors
from erp_forecast_addon.planning.forecasting.effects import CLOSED_BELOW, Effects, Factors, learn_effects
from erp_forecast_addon.planning.forecasting.model import Model
from erp_forecast_addon.planning.forecasting.rows import ROWS_PER_BLOCK, in_blocks
from erp_forecast_addon.planning.forecasting.yearly import Yearly, learn_yearly
from erp_forecast_addon.planning.panel import Panel
from erp_forecast_addon.planning.progress import Done, between, unseen
from erp_forecast_addon.planning.settings import Period

MAX_ORIGINS = 3
# Steps judged per origin: four weeks, a quarter, half a year; a longer horizon is judged by its beginning.
MAX_STEPS: dict[Period, int] = {"day": 28, "week": 13, "month": 6}
# A series is judged at an origin only if it had been observed for so many periods.
MIN_OBSERVED = 4
# Up to so many series at all origins together the models take the time of their steps, not of their rows.
_FEW_ROWS = 64


@dataclass(frozen=True)
class Backtest:
    """models: m names. forecasts (m, k, n, s), actual (k, n, s), scored (k, n, s) bool; origins (k,) ascending.

    k origins, s steps from each; known: the demand of that period is known and the series existed at the origin;
    scored: it had a history too, long enough to judge models by. factor (k, n, s): what the drivers known ahead
    multiply a forecast with, already in `forecasts`.
    """

    models: tuple[str, ...]
    origins: tuple[int, ...]
    forecasts: np.ndarray
    actual: np.ndarray
    known: np.ndarray
    scored: np.ndarray
    factor: np.ndarray

    @property
    def steps(self) -> int:
        return int(self.actual.shape[2])

    def squared_errors(self) -> np.ndarray:
        """Σ(y − ŷ)² over the scored periods. (n, m)"""
        sums = [np.where(self.scored, self.actual - forecast, 0).astype(np.float32) ** 2 for forecast in self.forecasts]
        # One axis after the other: summed over both at once, a series alone is rounded otherwise than among others.
        return np.stack([part.sum(axis=2, dtype=float).sum(axis=0) for part in sums], axis=1)

    def counts(self) -> np.ndarray:
        """Scored periods. (n,)"""
        return np.asarray(self.scored.sum(axis=(0, 2)))


def origins_and_steps(t: int, horizon: int, period: Period) -> tuple[tuple[int, ...], int]:
    """Up to MAX_ORIGINS origins whose windows of `steps` periods do not overlap and end at t at the latest."""
    steps = max(1, min(horizon, MAX_STEPS[period], t // (MAX_ORIGINS + 2)))
    origins = [t - steps * back for back in range(MAX_ORIGINS, 0, -1)]
    return tuple(origin for origin in origins if origin >= max(MIN_OBSERVED, steps)), steps


@dataclass(frozen=True)
class Ground:
    """What the models stand on at an origin, learned from nothing after it: driver effects and seasonal profiles."""

    effects: Effects | None
    yearly: Yearly | None
    priors: priors.Profiles


def grounds(panel: Panel, origins: tuple[int, ...], done: Done = unseen) -> tuple[Ground, ...]:
    """One per origin. Learned, so that a few rows can be forecast later as they were among all."""
    found = []
    for number, origin in enumerate(origins, 1):  # over at most MAX_ORIGINS
        found.append(ground(panel.before(origin)))
        done(number / len(origins))
    return tuple(found)


def ground(panel: Panel) -> Ground:
    effects = learn_effects(panel)
    by_drivers = None if effects is None else effects.factors(panel, 0)
    yearly = learn_yearly(undriven(panel, by_drivers))
    return Ground(effects, yearly, priors.learn(undriven(panel, _with_year(by_drivers, panel, yearly, 0))))


def factors(panel: Panel, known: Ground, horizon: int) -> Factors | None:
    """What drivers and the time of the year do to each series in its history and the next `horizon` periods; None:
    nothing."""
    by_drivers = None if known.effects is None else known.effects.factors(panel, horizon)
    return _with_year(by_drivers, panel, known.yearly, horizon)


def _with_year(by_drivers: Factors | None, panel: Panel, yearly: Yearly | None, horizon: int) -> Factors | None:
    if yearly is None:
        return by_drivers
    year = Factors(*yearly.of(panel, horizon))
    return year if by_drivers is None else replace(by_drivers, year=year)


def undriven(panel: Panel, known: Factors | None) -> Panel:
    """The panel as if no event, signal or price had moved demand; closed days are unknown."""
    if known is None:
        return panel
    demand, in_stock = np.empty(panel.demand.shape, dtype=np.float32), panel.in_stock.copy()
    for at in range(0, panel.n, ROWS_PER_BLOCK):
        block = slice(at, at + ROWS_PER_BLOCK)
        factor = known.of(block, slice(0, panel.t))
        demand[block] = panel.demand[block] / np.maximum(factor, CLOSED_BELOW)
        in_stock[block] &= factor >= CLOSED_BELOW
    return replace(panel, demand=demand, in_stock=in_stock)


def driven(panel: Panel, known: Factors | None, horizon: int) -> np.ndarray:
    """The factor of what is known ahead on each of the next `horizon` periods. (n, horizon) float32"""
    if known is None:
        return np.ones((panel.n, horizon), dtype=np.float32)
    return known.of(slice(None), slice(panel.t, panel.t + horizon))


def backtest(
    panel: Panel,
    horizon: int,
    models: dict[str, Model],
    workers: int,
    known: tuple[Ground, ...] | None = None,
    done: Done = unseen,
) -> Backtest:
    """Forecasts of all models from every origin; with too short a history there are no origins (k = 0).

    known: one Ground per origin; None: learned from the panel. done: told the share that is done.
    """
    origins, steps = origins_and_steps(panel.t, horizon, panel.period)
    known = grounds(panel, origins) if known is None else known
    shape = (len(models), len(origins), panel.n, steps)
    forecasts = np.zeros(shape, dtype=np.float32)
    factor = np.ones(shape[1:], dtype=np.float32)
    demand, mask = panel.demand, panel.observed
    few = panel.n * len(origins) <= _FEW_ROWS
    plain: list[Panel] = []
    for at, origin in enumerate(origins):  # over at most MAX_ORIGINS
        past = panel.before(origin)
        moved = factors(past, known[at], steps)
        factor[at] = driven(past, moved, steps)
        if few:
            plain.append(undriven(past, moved))
        else:
            own = between(done, at / len(origins), (at + 1) / len(origins))
            forecasts[:, at] = forecast_all(undriven(past, moved), steps, models, known[at], workers, own)
    if plain:
        forecasts = _forecast_few(plain, steps, models, known)
    forecasts *= factor
    windows = [slice(origin, origin + steps) for origin in origins]
    empty = np.zeros((0, panel.n, steps))
    actual = np.stack([demand[:, window] for window in windows]) if origins else empty
    seen = np.stack([mask[:, window] for window in windows]) if origins else empty.astype(bool)
    count = np.array([mask[:, :origin].sum(axis=1) for origin in origins]).reshape(len(origins), panel.n, 1)
    known_then, judged = seen & (count > 0), seen & (count >= MIN_OBSERVED)
    return Backtest(tuple(models), origins, forecasts, actual.astype(np.float32), known_then, judged, factor)


def forecast_all(
    panel: Panel, horizon: int, models: dict[str, Model], known: Ground, workers: int, done: Done = unseen
) -> np.ndarray:
    """Every model's forecast of every series of an undriven panel. (m, n, horizon) float32"""
    made = np.zeros((len(models), panel.n, horizon), dtype=np.float32)
    prior, mask = known.priors.of(panel), panel.observed

    def fill(block: slice) -> None:
        demand = panel.demand[block].astype(np.float32)
        for number, model in enumerate(models.values()):
            made[number, block] = model.forecast(demand, mask[block], horizon, panel.season_length, prior[block])

    in_blocks(fill, panel.n, workers, done=done)
    return made


def _forecast_few(
    panels: Sequence[Panel], horizon: int, models: dict[str, Model], known: Sequence[Ground]
) -> np.ndarray:
    """forecast_all of the same few series at k origins. (m, k, n, horizon) float32

    All origins are rows of one panel, the shorter histories begun by periods that nobody observed, which no model
    takes notice of: with few rows the steps through time cost the same for one origin as for all.
    """
    k, n, t = len(panels), panels[0].n, max(panel.t for panel in panels)
    demand, mask = (
        np.concatenate([np.pad(values, ((0, 0), (t - values.shape[1], 0))) for values in each])
        for each in ([panel.demand.astype(np.float32) for panel in panels], [panel.observed for panel in panels])
    )
    prior = np.concatenate([ground.priors.of(panel) for ground, panel in zip(known, panels, strict=False)])
    made = np.stack([
        model.forecast(demand, mask, horizon, panels[0].season_length, prior) for model in models.values()
    ]).astype(np.float32, copy=False)  # fmt: skip
    return made.reshape(len(models), k, n, horizon)
