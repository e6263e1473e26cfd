"""What comparable series say about one: the seasonal profile of its group."""

import numpy as np
import pandas as pd

from erp_forecast_addon.planning.forecasting import seasonality
from erp_forecast_addon.planning.forecasting.rows import ROWS_PER_BLOCK
from erp_forecast_addon.planning.panel import Panel

# A group's profile is pulled towards that of the level above as if so many typical series had agreed with it.
_PULL_SERIES = 10.0


def seasonal(panel: Panel) -> np.ndarray:
    """Seasonal indices by phase of each series' group: all → warehouse → item group in warehouse. (n, season) float32

    Each level's profile is pulled towards the one above it. Within a group a series weighs with the root of its
    demand: neither do the fast sellers decide alone nor does the noise of the slow ones.
    """
    m = panel.season_length
    sums, exposure = np.zeros((panel.n, m)), np.zeros((panel.n, m))
    mask = panel.observed
    young = ~seasonality.has_season(mask, m)
    for at in range(0, panel.n, ROWS_PER_BLOCK):
        block = slice(at, at + ROWS_PER_BLOCK)
        sums[block], exposure[block], _pull = seasonality.phase_sums(panel.demand[block], mask[block], m)
    mean = exposure.mean(axis=1, keepdims=True)
    weight = np.where((mean > 0) & ~young[:, None], 1 / np.sqrt(np.where(mean > 0, mean, 1.0)), 0.0)
    sums, exposure = sums * weight, exposure * weight
    profile = np.ones((panel.n, m))
    for codes in _levels(panel):
        profile = _pulled(sums, exposure, codes, profile)
    return profile.astype(np.float32)


def _levels(panel: Panel) -> list[np.ndarray]:
    """Group numbers of the series, from the widest level to the narrowest."""
    everything = np.zeros(panel.n, dtype=np.int64)
    warehouse = pd.factorize(panel.keys["warehouse"])[0].astype(np.int64)
    if panel.hierarchy is None or not panel.n:
        return [everything, warehouse]
    group = pd.factorize(panel.hierarchy["item_group"])[0]
    return [everything, warehouse, warehouse * (group.max() + 1) + group]


def _pulled(sums: np.ndarray, exposure: np.ndarray, codes: np.ndarray, above: np.ndarray) -> np.ndarray:
    used, code = np.unique(codes, return_inverse=True)
    total, base = np.zeros((len(used), sums.shape[1])), np.zeros((len(used), sums.shape[1]))
    np.add.at(total, code, sums)
    np.add.at(base, code, exposure)
    series = np.bincount(code, weights=exposure.any(axis=1), minlength=len(used))[:, None]
    pull = _PULL_SERIES * base / np.maximum(series, 1)
    bottom = (base + pull)[code]
    known = bottom > 0
    profile = np.where(known, (total[code] + pull[code] * above) / np.where(known, bottom, 1.0), above)
    return np.asarray(profile / profile.mean(axis=1, keepdims=True))
