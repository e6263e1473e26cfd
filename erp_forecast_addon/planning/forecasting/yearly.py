"""The time of the year: what a week or month of it does to demand, as groups of series show it together.

The models' own season is the week for days, and for weeks and months the year once a series has two of them, by itself
and among its noise. What comes back every year in a whole group — Christmas in a day panel, last winter in a history of
fifteen months — is learned here, from series that existed all the time, and divided out before the models look, as an
event is; they find what a series has of its own on top.

With one year and a part of a second nobody can tell a season from a course of things that happened once. So growth is
measured between the same weeks of both years, and the season is believed as far as the weeks that were seen twice
agree (a regression of one year's indices on the other's, with a prior), not further.
"""

from dataclasses import dataclass

import numpy as np

from erp_forecast_addon.planning import periods
from erp_forecast_addon.planning.forecasting.groups import Grouping, filled, groupings
from erp_forecast_addon.planning.panel import Panel
from erp_forecast_addon.planning.settings import Period

LEVELS = ((), ("item_group_parent",), ("item_group",))
# Periods that share an index, indices of a year, and how many of them have to be seen twice.
_LAYOUT: dict[Period, tuple[int, int, int]] = {"day": (7, 52, 4), "week": (1, 52, 4), "month": (1, 12, 2)}
_MOST_YEARS = 4
# How much of a season comes back the next year, before anything is known: share and deviation.
_LASTING, _LASTING_STD = 0.6, 0.2
_LEAST_NOISE = 0.02
_GROWTH_RANGE = (0.5, 2.0)
# A group's growth is pulled towards that of the level above as by so many typical series.
_PULL_SERIES = 10.0
# Not below what counts as a closed day (effects.CLOSED_BELOW).
_FACTOR_RANGE = (0.35, 5.0)
# Neighbouring weeks share their season more than their noise, and a feast moves by a few days.
_SMOOTHING = np.array([0.25, 0.5, 0.25])


@dataclass(frozen=True)
class Yearly:
    """period: of the panel; anchor: number of the last period that was seen, whose week or month of the year is the
    last one; levels: of (columns, labels (g,), factors (g, weeks or months of the year)), the widest first.
    """

    period: Period
    anchor: int
    levels: tuple[tuple[tuple[str, ...], np.ndarray, np.ndarray], ...]

    def of(self, panel: Panel, horizon: int) -> tuple[np.ndarray, np.ndarray]:
        """Factors (u, t + horizon) float32 of groups, and the row of each series' narrowest known group (n,)."""
        per, length, _twice = _LAYOUT[self.period]
        first = int(periods.index_of(panel.starts[:1], panel.period)[0])
        number = np.arange(first, first + panel.t + horizon) - self.anchor - 1
        phase = (number // per) % length
        rows, base, tables = np.zeros(panel.n, dtype=int), 0, []
        for columns, labels, factors in self.levels:  # over levels
            tables.append(factors)
            group = groupings(panel, (columns,))
            if group:
                at = group[0].at(labels)[group[0].code]
                rows = np.where(at >= 0, base + at, rows)
            base += len(labels)
        return np.concatenate(tables)[:, phase].astype(np.float32), rows


def learn_yearly(panel: Panel) -> Yearly | None:
    """From a panel whose other drivers are divided out; None where less than a year and some weeks were seen."""
    per, length, twice = _LAYOUT[panel.period]
    count = min(panel.t // per, _MOST_YEARS * length)
    if count < length + twice:
        return None
    old = np.flatnonzero(panel.observed[:, : panel.t - (length + twice) * per + 1].any(axis=1))
    if not len(old):
        return None
    seasoned = panel.select(old)
    existed = np.arange(panel.t) >= seasoned.first[:, None]
    demand = filled(seasoned.demand, seasoned.observed, existed)[:, panel.t - count * per :]
    totals = np.maximum(demand, 0).reshape(len(old), count, per).sum(axis=2)
    # Weighed with the root of its demand: neither do the fast sellers decide alone nor does the noise of the slow ones.
    mean = totals.mean(axis=1)
    weight = np.where(mean > 0, 1 / np.sqrt(np.where(mean > 0, mean, 1)), 0)[:, None]
    made: list[tuple[tuple[str, ...], np.ndarray, np.ndarray]] = []
    above, growth, lasting = np.ones((len(old), length)), np.ones(len(old)), 0.0
    for level in groupings(seasoned, LEVELS):  # over levels
        years, seen = _years(level.totals(totals * weight), length)
        pull = _PULL_SERIES / np.bincount(level.code, minlength=level.size)
        grown = _growth(years, seen, pull, _of_groups(level, growth))
        steady = years / _trend(grown, years.shape[1], length)
        index = _smooth(_indices(steady, seen))
        if not made:
            lasting = _lasting(steady, seen)
        parent = _of_groups(level, above)
        difference = 1 + lasting * (index - 1) - parent
        real = _real_share(difference, _noise(level, totals, mean, weight) / len(seen))
        profile = parent + real[:, None] * difference
        made.append((level.columns, level.labels, np.clip(profile, *_FACTOR_RANGE)))
        above, growth = profile[level.code], grown[level.code]
    if lasting <= 0:
        return None
    anchor = int(periods.index_of(panel.starts[-1:], panel.period)[0])
    return Yearly(panel.period, anchor, tuple(made))


def _of_groups(level: Grouping, values: np.ndarray) -> np.ndarray:
    """What the series of each group share, (n, …) -> (g, …)."""
    found = np.zeros((level.size, *values.shape[1:]))
    found[level.code] = values
    return found


def _years(totals: np.ndarray, length: int) -> tuple[np.ndarray, np.ndarray]:
    """(g, w) as whole years that end now, (g, years, length), and which cells were seen (years, length)."""
    missing = -totals.shape[1] % length
    padded = np.pad(totals, ((0, 0), (missing, 0)))
    seen = np.arange(padded.shape[1]) >= missing
    return padded.reshape(len(totals), -1, length), seen.reshape(-1, length)


def _growth(years: np.ndarray, seen: np.ndarray, pull: np.ndarray, above: np.ndarray) -> np.ndarray:
    """Demand of a year over that of the year before, in the weeks that were seen in both. (g,)"""
    both = seen[:-1] & seen[1:]
    before, after = (years[:, :-1] * both).sum(axis=(1, 2)), (years[:, 1:] * both).sum(axis=(1, 2))
    weight = pull * (before + after) / 2
    bottom = before + weight
    grown = np.where(bottom > 0, (after + weight * above) / np.where(bottom > 0, bottom, 1), above)
    return np.clip(grown, *_GROWTH_RANGE)


def _trend(growth: np.ndarray, years: int, length: int) -> np.ndarray:
    """Steady growth, 1 at the end. (g, years, length)"""
    ago = np.arange(years * length)[::-1] / length
    return np.asarray(growth[:, None] ** -ago).reshape(len(growth), years, length)


def _ratios(years: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Each whole year over its mean; the part of a year over what the whole ones make of the same weeks."""
    whole = seen.all(axis=1)
    level = years.mean(axis=2, keepdims=True)
    ratio = np.where(level > 0, years / np.where(level > 0, level, 1), 1.0)
    if not whole.all():  # only the first year can be a part
        usual = ratio[:, whole].mean(axis=1)
        part = (years[:, 0] * seen[0]).sum(axis=1)
        expected = (usual * seen[0]).sum(axis=1)
        scale = np.where(part > 0, expected / np.where(part > 0, part, 1), 0.0)
        ratio[:, 0] = years[:, 0] * scale[:, None]
    return np.asarray(ratio)


def _indices(years: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Mean over the years of each week's ratio, with mean 1. (g, length)"""
    ratio = _ratios(years, seen)
    index = (ratio * seen).sum(axis=1) / seen.sum(axis=0)
    return np.asarray(index / np.maximum(index.mean(axis=1, keepdims=True), 1e-9))


def _noise(level: Grouping, totals: np.ndarray, mean: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Variance of a group's index of one week, from how its series move, each by itself. (g,)

    Σ_i w_i²·(x_it − μ_i)² / (Σ_i w_i·μ_i)², the mean over weeks t. The season that they share is counted in, 1 / n of
    it for n like series, so that one item's great orders are never taken for the season of all.
    """
    squares = np.bincount(
        level.code, weights=((weight * (totals - mean[:, None])) ** 2).mean(axis=1), minlength=level.size
    )
    usual = np.bincount(level.code, weights=weight[:, 0] * mean, minlength=level.size)
    return np.where(usual > 0, squares / np.where(usual > 0, usual, 1) ** 2, np.inf)


def _real_share(difference: np.ndarray, noise: np.ndarray) -> np.ndarray:
    """How much of the weeks' differences is more than noise, 0 to 1 (positive-part James-Stein). (g,)"""
    seen = (difference**2).mean(axis=1)
    return np.where(seen > 0, np.clip(1 - noise / np.where(seen > 0, seen, 1), 0, 1), 0)


def _lasting(years: np.ndarray, seen: np.ndarray) -> float:
    """How much of a year's differences came back in the next one, 0 to 1: slope of the regression of the ratios of
    one year on those of the years before or after, over the weeks seen in both, pulled to what is usual.
    """
    ratio = _ratios(years, seen)[0]
    x, y = [], []
    for year in range(1, len(ratio)):  # over at most _MOST_YEARS
        both = seen[year] & seen[year - 1]
        one, other = ratio[year, both], ratio[year - 1, both]
        x.append(one - one.mean())
        y.append(other - other.mean())
    one, other = np.concatenate(x), np.concatenate(y)
    slope = _LASTING
    for _step in range(2):  # the noise and the slope depend on each other
        noise = max(float(((other - slope * one) ** 2).mean()), _LEAST_NOISE**2)
        precision = float((one**2).sum()) / noise
        slope = (float((one * other).sum()) / noise + _LASTING / _LASTING_STD**2) / (precision + 1 / _LASTING_STD**2)
    return float(np.clip(slope, 0.0, 1.0))


def _smooth(index: np.ndarray) -> np.ndarray:
    """Over neighbouring weeks, around the turn of the year."""
    if index.shape[1] <= 12:
        return index
    around = np.concatenate([index[:, -1:], index, index[:, :1]], axis=1)
    return np.asarray(sum(weight * around[:, at : at + index.shape[1]] for at, weight in enumerate(_SMOOTHING)))
