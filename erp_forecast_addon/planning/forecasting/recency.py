"""How much of a forecast comes true, by how often a series was asked for and how long it has been silent.

A series without demand for several of its usual intervals has often come to its end, and every smoothing model notices
late (on obsolescence: Teunter, Syntetos & Babai 2011, EJOR 214, 606-615). One series alone cannot say how often
silence means the end; the backtests of all comparable ones can: a factor per number of demands and share of silence.
Being of least squared error it also takes off what a noisy forecast exaggerates.
"""

from dataclasses import dataclass

import numpy as np

from erp_forecast_addon.planning.forecasting import metrics
from erp_forecast_addon.planning.forecasting.backtest import Backtest
from erp_forecast_addon.planning.forecasting.demand_class import demand_class
from erp_forecast_addon.planning.panel import Panel
from erp_forecast_addon.planning.settings import Period

# Classes in which demand is rare enough for silence to be usual, and so to be weighed.
RARE = ("Intermittent", "Lumpy")
# Of a single day even a regular seller's demand is mostly chance, which least squares would take for silence: M5's sums
# over items came out too low. Days are summed over anyway, so for them the combination stays as it is.
PERIODS: tuple[Period, ...] = ("week", "month")
# Edges of the number of demands, and of the silence since the last one as a share of all that was observed: of the
# past of a Poisson process that may have ended nothing else matters (Schmittlein, Morrison & Colombo 1987, Management
# Science 33, 1-24). A single early demand is an ended item, a single late one a new item.
DEMAND_EDGES = (1.5, 2.5, 4.5, 8.5, 16.5)
SILENCE_EDGES = (0.05, 0.1, 0.25, 0.5, 0.75)
# The key of all rare series together.
EVERY = (-1, -1)
# A group's factor counts as much as that of the group around it, at so many series x origins.
_HALF_WEIGHT = 30.0
# Silence can only take demand away; that a class sold more than forecast is for the trend and the alignment to say.
_FACTOR_RANGE = (0.0, 1.0)


@dataclass(frozen=True)
class Recency:
    """factors: (demands bin, silence bin) -> factor of groups seen; silence −1: of all with so many demands; EVERY: of
    all rare series. 1 for the others."""

    factors: dict[tuple[int, int], float]

    def of(self, panel: Panel) -> np.ndarray:
        """The factor of each series as it stands at the end of the panel. (n, 1) float32"""
        return self._at(*_state(panel))

    def before(self, panel: Panel, origins: tuple[int, ...]) -> np.ndarray:
        """The factor of each series as it stood at each backtest origin. (k, n, 1) float32"""
        found = [self.of(panel.before(origin)) for origin in origins]
        return np.stack(found) if found else np.ones((0, panel.n, 1), dtype=np.float32)

    def _at(self, rare: np.ndarray, demands: np.ndarray, silence: np.ndarray) -> np.ndarray:
        every = self.factors.get(EVERY, 1.0)
        table = np.full((len(DEMAND_EDGES) + 1, len(SILENCE_EDGES) + 1), every)
        for row in range(len(table)):  # over bins
            table[row] = self.factors.get((row, -1), every)
        for (row, column), factor in self.factors.items():
            if min(row, column) >= 0:
                table[row, column] = factor
        return np.asarray(np.where(rare, table[demands, silence], 1.0), dtype=np.float32)[:, None]


def learn_recency(panel: Panel, tested: Backtest, past: np.ndarray) -> Recency:
    """past: (k, n, s), the forecasts to be corrected, from the backtest's origins.

    Of each group the f in [0, 1] with the least Σ (y − f·ŷ)² / s_i over its series, origins and steps, s_i the series'
    mean squared change before the first origin; that of all rare series is pulled to 1, that of a number of demands to
    theirs and that of a silence to its number's (see _certainty).
    Whether a window is counted depends on nothing that happened in it: counting only those with demand would hide the
    very silence that is looked for.
    """
    if not tested.origins or panel.period not in PERIODS:
        return Recency({})
    first = panel.before(tested.origins[0])
    scale = np.nan_to_num(metrics.naive_squared_error(first.demand, first.observed))
    states = [_state(panel.before(origin)) for origin in tested.origins]
    rare, demands, silence = (np.stack(parts) for parts in zip(*states, strict=True))
    count = tested.scored.sum(axis=2)
    per = np.where(count > 0, count, 1) * np.where(scale > 0, scale, 1)
    actual, forecast = (np.where(tested.scored, values, 0).astype(float) for values in (tested.actual, past))
    sums = np.stack([part.sum(axis=2) / per for part in (actual * forecast, forecast**2)])  # (2, k, n)
    used = rare & (count > 0) & (scale > 0) & (sums[1] > 0)
    if not used.any():
        return Recency({})
    factors = {EVERY: _factor(sums, used, 1.0)}
    for row in np.unique(demands[used]).tolist():  # over bins
        alike = used & (demands == row)
        factors[row, -1] = _factor(sums, alike, factors[EVERY])
        for column in np.unique(silence[alike]).tolist():
            factors[row, column] = _factor(sums, alike & (silence == column), factors[row, -1])
    return Recency(factors)


def _factor(sums: np.ndarray, rows: np.ndarray, towards: float) -> float:
    """Σ yŷ / Σ ŷ², pulled to `towards`. sums: (2, k, n) of yŷ and ŷ²; rows: (k, n) bool."""
    joint, forecasts = np.where(rows, sums, 0)
    factor = float(np.clip(joint.sum() / forecasts.sum(), *_FACTOR_RANGE))
    return towards + _certainty(joint, forecasts, factor, towards) * (factor - towards)


def _certainty(joint: np.ndarray, forecasts: np.ndarray, factor: float, towards: float) -> float:
    """How far the origins agree on a factor other than `towards`, 0 to 1 (positive-part James-Stein).

    Series move together: a good quarter for all is one observation, not thousands. So the noise of a factor is taken
    from how it differs between origins, and from the number of series.
    """
    per_origin, base = joint.sum(axis=1), forecasts.sum(axis=1)
    seen = base > 0
    series = float((forecasts > 0).sum())
    if seen.sum() < 2 or factor == towards:
        return 0.0
    share = base[seen] / base[seen].sum()
    found = per_origin[seen] / base[seen]
    noise = float((share * (found - factor) ** 2).sum()) / float(seen.sum() - 1)
    return max(0.0, 1 - noise / (factor - towards) ** 2) * series / (series + _HALF_WEIGHT)


def _state(panel: Panel) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Is a series rare, and its bins of demands and of silence, at the end of the panel. (n,) bool, (n,), (n,) int"""
    observed = panel.observed
    there = observed & (panel.demand > 0)
    count = there.sum(axis=1)
    last = np.where(count > 0, panel.t - 1 - np.argmax(there[:, ::-1], axis=1), -1)
    silent = (observed & (np.arange(panel.t) > last[:, None])).sum(axis=1) / np.maximum(observed.sum(axis=1), 1)
    rare = np.isin(demand_class(panel).astype(str), RARE)
    return rare, np.digitize(count, DEMAND_EDGES), np.digitize(silent, SILENCE_EDGES)
