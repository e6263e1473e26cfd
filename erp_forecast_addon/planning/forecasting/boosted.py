"""How the boosting model joins the panel models: by a share per demand class that a backtest gave it."""

from dataclasses import dataclass, replace

import numpy as np

from erp_forecast_addon.planning.forecasting import boosting
from erp_forecast_addon.planning.forecasting.backtest import Backtest
from erp_forecast_addon.planning.forecasting.combination import MAIN_SHARE, least_squares_shares
from erp_forecast_addon.planning.messages import _
from erp_forecast_addon.planning.panel import Panel

NAME = "Gradient Boosting"
_TOLD = _("The gradient-boosting model of all items, trained up to {trained_until}, makes up {boosted_pct}%.")
# A class speaks for itself as much as all together once it holds so many judged series.
_CLASS_HALF_WEIGHT_SERIES = 50.0
# Before a backtest could be made: as good as the other models together.
_UNTESTED_SHARE = 0.5


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
    panel: Panel, horizon: int, tested: Backtest, past: np.ndarray, demand_class: np.ndarray, workers: int
) -> tuple[Boosted, np.ndarray | None] | None:
    """Train on the panel; and once without its last backtest window, which tells what the model is worth.

    -> the trained model with its shares, and its forecast (n, s) of that window (None: the history is too short to
    test); None where it is too short to train.
    """
    if not boosting.can_train(panel, horizon):
        return None
    made: np.ndarray | None = None
    shares: tuple[dict[str, float], float] = ({}, _UNTESTED_SHARE)
    if tested.origins:
        made = boosting.backtest(panel, tested.origins[-1], tested.steps, workers=workers)
    if made is not None:
        shares = _shares(tested, past[-1], made, demand_class)
    model = boosting.train(panel, horizon, workers=workers)
    return Boosted(model, model.groups(panel), *shares), made


def _shares(
    tested: Backtest, past: np.ndarray, made: np.ndarray, demand_class: np.ndarray
) -> tuple[dict[str, float], float]:
    """Per class the share w of least Σ_i (w·e_boosted + (1 − w)·e_combined)² / s_i, as in combination.py."""
    actual, scored = tested.actual[-1], tested.scored[-1]
    error = np.stack([np.where(scored, actual - each, 0) for each in (past, made)])
    gram = np.einsum("ans,bns->nab", error, error, dtype=float)
    scale = np.einsum("naa->n", gram) / 2
    # Also those of which nothing was sold: without them the model that forecasts too much would win.
    judged = scored.any(axis=1) & (scale > 0)
    relative = gram * np.where(judged, 1 / np.where(scale > 0, scale, 1), 0)[:, None, None]
    everyone = relative.sum(axis=0) / max(1, judged.sum())
    shares = {}
    for name in sorted(set(demand_class.tolist())):  # over classes
        rows = demand_class == name
        total = relative[rows].sum(axis=0) + _CLASS_HALF_WEIGHT_SERIES * everyone
        shares[name] = float(least_squares_shares(total / (judged[rows].sum() + _CLASS_HALF_WEIGHT_SERIES))[1])
    return shares, float(least_squares_shares(everyone)[1])
