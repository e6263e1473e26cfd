"""How the boosting model joins the panel models: by a share per demand class that a backtest gave it.

Like them it is fed demand without what drivers did, and its forecast is multiplied by what they will do: effects that
are regressed on sums are steadier than what trees make of a year of single days, and the trees still see the drivers,
so they add what the effects miss.
"""

from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace

import numpy as np

from erp_forecast_addon.planning.forecasting import boosting
from erp_forecast_addon.planning.forecasting.backtest import Backtest, Ground, factors, origins_and_steps, undriven
from erp_forecast_addon.planning.forecasting.boosting.training import horizon_blocks
from erp_forecast_addon.planning.forecasting.combination import MAIN_SHARE, least_squares_shares
from erp_forecast_addon.planning.forecasting.groups import groupings
from erp_forecast_addon.planning.forecasting.hierarchy import LEAST_SERIES, LEVELS
from erp_forecast_addon.planning.messages import _
from erp_forecast_addon.planning.panel import Panel

NAME = "Gradient Boosting"
_TOLD = _("The gradient-boosting model of all items, trained up to {trained_until}, makes up {boosted_pct}%.")
# A class speaks for itself as much as all together once it holds so many judged series.
_CLASS_HALF_WEIGHT_SERIES = 50.0
# Before a backtest could be made: as good as the other models together.
_UNTESTED_SHARE = 0.5
# What whole panels of daily sales gave the model. The few windows of one panel say little beside it, the less as they
# judge one member of the model alone.
_USUAL_SHARE, _USUAL_WEIGHT = 0.8, 0.75


@dataclass(frozen=True)
class Boosted:
    """model: trained on all series up to the end; groups: what forecasts of single items need of the others; shares:
    class -> weight of the boosting model in [0, 1]; everyone: that of classes never judged.
    """

    model: boosting.BoostedModel
    groups: boosting.Groups
    shares: dict[str, float]
    everyone: float

    def share(self, demand_class: np.ndarray) -> np.ndarray:
        """(n, 1) float32"""
        found = [self.shares.get(name, self.everyone) for name in demand_class.tolist()]
        return np.asarray(found, dtype=np.float32)[:, None]

    def fits(self, panel: Panel, horizon: int) -> bool:
        """Whether the model may be used for this panel as it is, without training it anew."""
        today = panel.last_day
        return boosting.needs_training(self.model, panel, horizon, drifted=False, today=today) is None

    def on(self, panel: Panel) -> "Boosted":
        """The same model with what a later panel says about its groups."""
        return replace(self, groups=self.model.groups(panel))

    def tell(self, demand_class: np.ndarray, names: np.ndarray, template: np.ndarray, values: np.ndarray) -> None:
        """Say in the reasons what part the model has; its name where that is the main one."""
        share = self.share(demand_class)[:, 0]
        has = (share > 0) & (demand_class != "No Demand")
        names[has & (share >= MAIN_SHARE)] = NAME
        template[has] = template[has] + " " + _TOLD
        for row in np.flatnonzero(has).tolist():  # a dict per series is what the records hold
            values[row] = {
                **values[row], "boosted_pct": round(100 * float(share[row])), "trained_until": self.model.trained_until,
            }  # fmt: skip

    def joined(self, combined: np.ndarray, boosted: np.ndarray, demand_class: np.ndarray) -> np.ndarray:
        share = self.share(demand_class)
        return np.asarray((1 - share) * combined + share * boosted)


def learn(
    panel: Panel,
    plain: Panel,
    horizon: int,
    tested: Backtest,
    known: tuple[Ground, ...],
    past: np.ndarray,
    demand_class: np.ndarray,
    workers: int,
    progress: Callable[[int, int], None] = lambda done, count: None,
) -> tuple[Boosted, dict[int, np.ndarray]] | None:
    """Train on the panel; and once for every backtest window without it, which tells what the model is worth.

    plain: the panel without what drivers did; known: what the models stand on at each backtest origin; progress: told
    how many fits are done, and of how many.
    -> the trained model with its shares, and its forecasts of the windows by their number, (n, s) each (those whose
    history is too short are left out); None where the panel's is too short to train.
    """
    if not boosting.can_train(plain, horizon):
        return None
    with ThreadPoolExecutor(max(1, workers)) as pool:
        windows = _begin_windows(panel, tested, known, pool)
        training = boosting.begin(plain, horizon, pool, undriven=True)
        fits = [fit for _before, judged in windows.values() for fit in judged.members] + training.members
        progress(0, len(fits))
        for done, _fit in enumerate(as_completed(fits), 1):
            progress(done, len(fits))
        model = training.result()
    made = {
        window: judged.result().forecast(before, tested.steps, workers=workers) * tested.factor[window]
        for window, (before, judged) in windows.items()
    }
    shares = _shares(panel, tested, past, made, demand_class) if made else ({}, _UNTESTED_SHARE)
    return Boosted(model, model.groups(plain), *shares), made


def count_fits(panel: Panel, horizon: int) -> int:
    """Of `learn`: one a backtest window, which is a single block of steps, then each member of each block."""
    windows, _steps = origins_and_steps(panel.t, horizon, panel.period)
    return len(windows) + len(boosting.Recipe().half_life_years) * len(horizon_blocks(panel, horizon))


def _begin_windows(
    panel: Panel, tested: Backtest, known: tuple[Ground, ...], pool: Executor
) -> dict[int, tuple[Panel, boosting.Training]]:
    """By backtest window the panel before it, without what drivers did, and the model trained on that."""
    found = {}
    for window, origin in enumerate(tested.origins):
        before = panel.before(origin)
        before = undriven(before, factors(before, known[window], tested.steps))
        training = boosting.begin_backtest(before, origin, tested.steps, pool, undriven=True)
        if training is not None:
            found[window] = before, training
    return found


def _shares(
    panel: Panel, tested: Backtest, past: np.ndarray, made: dict[int, np.ndarray], demand_class: np.ndarray
) -> tuple[dict[str, float], float]:
    """Per class the share w of least Σ_i (w·e_boosted + (1 − w)·e_combined)² / s_i, of the series and of their sums.

    Of single series both know little more than their noise, which says next to nothing about w; what they get right of
    the days and the level shows in sums. So the groups of every level of the hierarchy count, all together as much as
    the class' series do.
    """
    windows = sorted(made)
    actual, scored = (np.concatenate(list(part[windows]), axis=1) for part in (tested.actual, tested.scored))
    both = np.concatenate(list(past[windows]), axis=1), np.concatenate([made[window] for window in windows], axis=1)
    error = np.stack([np.where(scored, actual - each, 0) for each in both])
    # Also those of which nothing was sold: without them the model that forecasts too much would win.
    relative, judged = _relative(error, np.asarray(scored.any(axis=1)))
    everyone = relative.sum(axis=0) / max(1, judged.sum())
    levels = [level for level in groupings(panel, LEVELS) if level.size * LEAST_SERIES <= panel.n]
    of_sums = [
        _relative(np.stack([level.totals(each) for each in error]), np.ones(level.size, bool)) for level in levels
    ]
    together = sum((part.sum(axis=0) / max(1, groups.sum()) for part, groups in of_sums), np.zeros((2, 2)))
    together = together / max(1, len(levels))
    shares = {}
    for name in sorted(set(demand_class.tolist())):  # over classes
        rows = demand_class == name
        total = relative[rows].sum(axis=0) + _CLASS_HALF_WEIGHT_SERIES * everyone
        own = total / (judged[rows].sum() + _CLASS_HALF_WEIGHT_SERIES)
        shares[name] = _pulled(least_squares_shares(own + together))
    return shares, _pulled(least_squares_shares(everyone + together))


def _pulled(shares: np.ndarray) -> float:
    return float((1 - _USUAL_WEIGHT) * shares[1] + _USUAL_WEIGHT * _USUAL_SHARE)


def _relative(error: np.ndarray, judged: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Products of both errors over their mean square, 0 where there is none or it is not judged. error: (2, n, s);
    (n, 2, 2), and which rows count (n,)"""
    gram = np.einsum("ans,bns->nab", error, error, dtype=float)
    scale = np.einsum("naa->n", gram) / 2
    counts = judged & (scale > 0)
    return gram * np.where(counts, 1 / np.where(scale > 0, scale, 1), 0)[:, None, None], counts
