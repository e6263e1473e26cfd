"""What comparable series say about one: the seasonal profile of its group."""

from dataclasses import dataclass

import numpy as np

from erp_forecast_addon.planning.forecasting import seasonality
from erp_forecast_addon.planning.forecasting.groups import Grouping, groupings
from erp_forecast_addon.planning.forecasting.rows import ROWS_PER_BLOCK
from erp_forecast_addon.planning.panel import Panel

LEVELS = ((), ("warehouse",), ("item_group", "warehouse"))
# A group's profile is pulled towards that of the level above as if so many typical series had agreed with it.
_PULL_SERIES = 10.0


@dataclass(frozen=True)
class Profiles:
    """Seasonal indices by phase, with mean 1, of the groups of each level, the widest first.

    levels: of (columns, labels (g,), indices (g, season_length)).
    """

    levels: tuple[tuple[tuple[str, ...], np.ndarray, np.ndarray], ...]

    def of(self, panel: Panel) -> np.ndarray:
        """The profile of each series' narrowest group that is known. (n, season_length) float32"""
        found = np.ones((panel.n, panel.season_length), dtype=np.float32)
        for columns, labels, indices in self.levels:
            group = groupings(panel, (columns,))
            if not group or not len(labels):  # learned before there was a series of this kind
                continue
            at = group[0].at(labels)[group[0].code]
            found = np.where((at >= 0)[:, None], indices[at], found)
        return found.astype(np.float32)


def learn(panel: Panel) -> Profiles:
    """Profiles of all → warehouse → item group in warehouse.

    Each level's profile is pulled towards the one above it, that of all series towards flat by what does not come back
    every cycle. Within a group a series weighs with the root of its
    demand: neither do the fast sellers decide alone nor does the noise of the slow ones.
    """
    m = panel.season_length
    sums, exposure = np.zeros((panel.n, m)), np.zeros((panel.n, m))
    mask = panel.observed
    young = ~seasonality.has_season(mask, m)
    cycles: np.ndarray | None = None  # (2, cycles, m): sold and exposure of all series together
    for at in range(0, panel.n, ROWS_PER_BLOCK):
        block = slice(at, at + ROWS_PER_BLOCK)
        parts = seasonality.cycle_sums(panel.demand[block], mask[block], m)
        mean = parts[1].sum(axis=1).mean(axis=1)
        weight = np.where((mean > 0) & ~young[block], 1 / np.sqrt(np.where(mean > 0, mean, 1.0)), 0.0)
        sums[block], exposure[block] = (part.sum(axis=1) * weight[:, None] for part in parts)
        together = np.stack([np.einsum("ncm,n->cm", part, weight) for part in parts])
        cycles = together if cycles is None else cycles + together
    steady = 0.0 if cycles is None else seasonality.steady_share(cycles[0], cycles[1])
    above = np.ones((panel.n, m))
    made: list[tuple[tuple[str, ...], np.ndarray, np.ndarray]] = []
    for level in groupings(panel, LEVELS):
        indices = _pulled(sums, exposure, level, above)
        if not made:
            indices = 1 + steady * (indices - 1)
        made.append((level.columns, level.labels, indices))
        above = indices[level.code]
    return Profiles(tuple(made))


def _pulled(sums: np.ndarray, exposure: np.ndarray, level: Grouping, above: np.ndarray) -> np.ndarray:
    total, base = level.totals(sums), level.totals(exposure)
    series = np.bincount(level.code, weights=exposure.any(axis=1), minlength=level.size)[:, None]
    pull = _PULL_SERIES * base / np.maximum(series, 1)
    towards = np.ones_like(total)
    towards[level.code] = above
    bottom = base + pull
    known = bottom > 0
    profile = np.where(known, (total + pull * towards) / np.where(known, bottom, 1.0), towards)
    return np.asarray(profile / profile.mean(axis=1, keepdims=True))
