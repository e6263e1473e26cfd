"""Alignment: forecasts of single series are scaled towards forecasts made of their sums.

What happens to a whole shop (a turn of the season, a new competitor) is plain in its total and drowned in the noise of
its items. At every level of the hierarchy the sums are forecast by themselves; where backtests say that this is more
accurate, the items are scaled towards it. Only items carry forecasts afterwards, so sums agree at every level.
"""

from dataclasses import dataclass

import numpy as np

from erp_forecast_addon.planning.forecasting.backtest import Backtest
from erp_forecast_addon.planning.forecasting.groups import Grouping, filled, groupings
from erp_forecast_addon.planning.forecasting.smoothing import DampedTrend, SimpleSmoothing
from erp_forecast_addon.planning.panel import Panel

LEVELS = (
    (), ("warehouse_group",), ("warehouse",), ("item_group_parent",), ("item_group",),
    ("item_group_parent", "warehouse"), ("item_group", "warehouse"),
)  # fmt: skip
# A level is worth a forecast of its own if its groups hold so many series on average.
LEAST_SERIES = 5
_LARGEST_FACTOR = 3.0
# Sums are smooth: the mean of slow, usual and fast smoothing and a damped trend beats any choice among them.
_SUM_MODELS = (
    SimpleSmoothing("multiplicative", alphas=(0.05,)),
    SimpleSmoothing("multiplicative", alphas=(0.1,)),
    SimpleSmoothing("multiplicative", alphas=(0.2,)),
    DampedTrend(alphas=(0.1,), betas=(0.1,), damping=0.95),
)
# A level's error counts like the pooled one of all levels, and that like "no alignment", once it was judged on so many
# sums.
_PRIOR_NODES = 5.0


Levels = tuple[tuple[tuple[str, ...], np.ndarray, np.ndarray], ...]


@dataclass(frozen=True)
class Alignment:
    """levels: of (columns, labels (g,), factors (g, h)); a series' factor is the product over its groups.

    past: the same at each backtest origin, so that what the whole forecast missed there can be known.
    """

    levels: Levels
    past: tuple[Levels, ...] = ()

    def factor(self, panel: Panel, horizon: int) -> np.ndarray:
        """(n, horizon) float32; a group that was never seen has 1, steps beyond the learned ones repeat the last."""
        return _factor(self.levels, panel, horizon)

    def past_factor(self, panel: Panel, origins: int, steps: int) -> np.ndarray:
        """What the forecasts of each backtest origin are multiplied by. (origins, n, steps) float32"""
        known = self.past if len(self.past) == origins else ((),) * origins
        made = [_factor(levels, panel, steps) for levels in known]
        return np.stack(made) if made else np.ones((0, panel.n, steps), dtype=np.float32)


def _factor(levels: Levels, panel: Panel, horizon: int) -> np.ndarray:
    log = np.zeros((panel.n, horizon), dtype=np.float32)
    for columns, labels, factors in levels:
        for group in groupings(panel, (columns,)):  # one, or none
            at = group.at(labels)
            steps = np.minimum(np.arange(horizon), factors.shape[1] - 1)
            own = np.where((at >= 0)[:, None], np.log(factors[at][:, steps]), 0).astype(np.float32)
            log += own[group.code]
    return np.exp(log)


def learn_alignment(
    panel: Panel, undriven: Panel, mean: np.ndarray, factor: np.ndarray, tested: Backtest, past: np.ndarray
) -> Alignment:
    """panel: as observed; undriven: the same without the effects of drivers; mean: (n, h) forecast of the series with
    drivers; factor: (n, h) of the drivers ahead; past: (k, n, s) the series' forecasts in the backtest, with drivers.

    At each level the sums b of the series' forecasts meet the forecast d of the sums. Weight of d: λ = MSE_b / (MSE_b +
    MSE_d) over the backtests (inverse-variance combination, Bates & Granger 1969), each sum on its own scale; the
    factor is (d/b)^(λ / levels), so that the levels share what they have to say. Cf. Hyndman et al. (2011), Optimal
    combination forecasts for hierarchical time series, whose linear form lets small items go below 0.
    """
    levels = [level for level in groupings(panel, LEVELS) if level.size * LEAST_SERIES <= max(panel.n, 1)]
    if not levels or panel.t < 2:
        return Alignment(())
    existed = np.arange(panel.t) >= panel.first[:, None]
    demand = filled(undriven.demand, undriven.observed, existed)
    weights, ratios = _weights(levels, panel, demand, tested, past)
    made = []
    for level, weight in zip(levels, weights, strict=True):
        direct = _sums_ahead(level.totals(demand), mean.shape[1], panel)
        ratio = _ratio(direct, level, mean, factor)
        made.append((level.columns, level.labels, ratio ** (weight / len(levels))))
    before = tuple(
        tuple(
            (level.columns, level.labels, ratio ** (weight / len(levels)))
            for level, ratio, weight in zip(levels, at_origin, weights, strict=True)
        )
        for at_origin in ratios
    )
    return Alignment(tuple(made), before)


def _sums_ahead(total: np.ndarray, horizon: int, panel: Panel) -> np.ndarray:
    """The mean of _SUM_MODELS' forecasts of the sums. (g, horizon)"""
    mask = np.ones(total.shape, dtype=bool)
    values = total.astype(np.float32)
    made = [model.forecast(values, mask, horizon, panel.season_length) for model in _SUM_MODELS]
    return np.asarray(np.mean(made, axis=0, dtype=float))


def _ratio(direct: np.ndarray, level: Grouping, mean: np.ndarray, factor: np.ndarray) -> np.ndarray:
    """d/b of the groups: the direct forecast with the drivers' mean effect over the sum of the series. (g, h)"""
    bottom = level.totals(mean)
    plain = level.totals(mean / factor)
    ahead = direct * np.where(plain > 0, bottom / np.where(plain > 0, plain, 1), 1)
    ratio = np.where((bottom > 0) & (ahead > 0), ahead / np.where(bottom > 0, bottom, 1), 1)
    return np.clip(ratio, 1 / _LARGEST_FACTOR, _LARGEST_FACTOR)


def _weights(
    levels: list[Grouping], panel: Panel, demand: np.ndarray, tested: Backtest, past: np.ndarray
) -> tuple[np.ndarray, list[list[np.ndarray]]]:
    """λ of each level, (levels,), and d/b of each level's groups (g, s) at each backtest origin."""
    if not tested.origins:
        return np.full(len(levels), 0.5), []
    ratios: list[list[np.ndarray]] = [[] for _origin in tested.origins]
    errors = np.zeros((len(levels), 2))
    nodes = np.zeros(len(levels))
    for at, origin in enumerate(tested.origins):  # over origins
        known = np.where(tested.scored[at], tested.actual[at], past[at])
        for number, level in enumerate(levels):
            actual, bottom = level.totals(known), level.totals(past[at])
            direct = _sums_ahead(level.totals(demand[:, :origin]), tested.steps, panel)
            plain = level.totals(past[at] / tested.factor[at])
            ahead = direct * np.where(plain > 0, bottom / np.where(plain > 0, plain, 1), 1)
            scale = np.maximum(actual.mean(axis=1), 1e-9)
            errors[number] += [
                (((ahead_or_sum - actual).mean(axis=1) / scale) ** 2 * np.sqrt(scale)).sum()
                for ahead_or_sum in (bottom, ahead)
            ]
            nodes[number] += level.size
            ratios[at].append(_ratio(direct, level, past[at], tested.factor[at]))
    share = errors / np.maximum(errors.sum(axis=1, keepdims=True), 1e-12)
    # A company with hardly a hierarchy has a handful of sums in all: too few to say whose forecast is the better one.
    pooled = share.mean(axis=0) * nodes.sum() / (nodes.sum() + _PRIOR_NODES)
    pulled = (nodes[:, None] * share + _PRIOR_NODES * pooled) / (nodes[:, None] + _PRIOR_NODES)
    return np.asarray(pulled[:, 0]), ratios
