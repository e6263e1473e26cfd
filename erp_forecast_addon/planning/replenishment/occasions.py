"""Which pairs are told by their occasions, and with what: items asked for now and then, planned at least cost, where
somebody has said what a demand costs that is not served in full."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from erp_forecast_addon.planning.inventory.occasional import Asked, Occasional, asked_for, learn_prior, rare
from erp_forecast_addon.planning.inventory.pair_levels import formula_of, methods_in_force
from erp_forecast_addon.planning.inventory.rules import RuledPairs, typed_maximum
from erp_forecast_addon.planning.panel import Panel
from erp_forecast_addon.planning.replenishment.outlook import DemandOutlook
from erp_forecast_addon.planning.replenishment.pairs import objects
from erp_forecast_addon.planning.settings import PlanSettings
from erp_forecast_addon.planning.signals import Finished, Future
from erp_forecast_addon.planning.tables import PLANNING_RULES

Flags = NDArray[np.bool_]


def panel_asked(
    panel: Panel, demand_class: NDArray[np.object_], future: Future | None, finished: Finished | None
) -> Asked:
    """What a panel's series were asked for. Of those that are new, replaced, ending within the forecast or overridden
    by a planner more is known than their past tells."""
    more_known = demand_class == "New"
    if future is not None:
        more_known = more_known | (future.lifecycle.successor != "")
    if future is not None and finished is not None:
        last = panel.future_starts(finished.mean.shape[1])[-1].astype("datetime64[D]")
        more_known |= future.lifecycle.ends_on <= last
        more_known |= (finished.stages["override"] != finished.stages["lifecycle"]).any(axis=1)
    return asked_for(panel, np.asarray(more_known, dtype=bool))


def priced(rules: pd.DataFrame, settings: PlanSettings) -> bool:
    """Whether anybody has said what a demand costs that is not served in full. rules: table PLANNING_RULES"""
    said = PLANNING_RULES.check(rules)["occasion_cost"]
    return settings.occasion_cost > 0.0 or bool((said > 0.0).any())


def occasional_pairs(
    outlook: DemandOutlook,
    pairs: pd.DataFrame,
    unusable: Flags,
    rules: pd.DataFrame,
    said: RuledPairs,
    settings: PlanSettings,
) -> Occasional | None:
    """None where there is no such pair. unusable: (n,) pairs without a usable forecast; rules: table PLANNING_RULES,
    checked.

    Groups within which rates and sizes are alike are the item groups; what is known of an item's sizes is the maximum
    that a planner has typed for it.
    """
    asked, cost = outlook.asked, np.where(np.isnan(said.occasion_cost), settings.occasion_cost, said.occasion_cost)
    if asked is None or not (cost > 0.0).any():
        return None
    forecast_row = pairs["forecast_row"].to_numpy()
    known = (forecast_row >= 0) & ~unusable
    wanted = known & (cost > 0.0) & (formula_of(methods_in_force(said, settings)) == "Least Cost")
    rows = np.flatnonzero(wanted)
    rows = rows[rare(asked)[forecast_row[rows]]]
    if not len(rows):
        return None
    group, typed = objects(pairs, "item_group"), typed_maximum(
        rules, objects(pairs, "item_code"), objects(pairs, "warehouse")
    )  # fmt: skip
    prior = outlook.prior
    if prior is None:
        at = np.flatnonzero(known)
        prior = learn_prior(asked.select(forecast_row[at]), group[at], typed[at])
    own = asked.select(forecast_row[rows])
    return Occasional(len(pairs), rows, own, prior.of(own, group[rows], typed[rows]), cost[rows], prior)
