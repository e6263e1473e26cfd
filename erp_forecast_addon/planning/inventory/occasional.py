"""Items that are asked for now and then, or not yet at all, and are stocked all the same: spare parts, insurance.

Such an item has too little history to tell its demand by itself. What there is of it is joined with what the others
have shown:

- how often it is asked for: occasions of each item come by chance at a rate of its own, and rates differ from item to
  item as a gamma distribution does. An item seen n times in T days is expected (n + a) / (T + b) times a day, a and b
  by moments of its group: empirical Bayes of a gamma-Poisson mixture (Silver, Pyke & Thomas (2017), section 9.5, very
  slow movers; Carlin & Louis, Bayesian Methods for Data Analysis, section 5.2);
- how much at a time: its own sizes and, weighing as PRIOR_OCCASIONS of them, those of its group, each taken over what
  somebody knows of the item (a maximum typed by those who know how many pieces a machine takes).

What has to be on the shelf when somebody asks is what was asked for while the last orders were on their way, and the
demand itself (`needed`): as Porras & Dekker, An inventory control system for spare parts at a refinery, European
Journal of Operational Research 184 (2008), take it from the past, for items with enough of it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from erp_forecast_addon.planning import periods
from erp_forecast_addon.planning.inventory.demand_distribution import Demand, LeadTimeNodes, from_samples
from erp_forecast_addon.planning.inventory.safety_stock import Floats
from erp_forecast_addon.planning.panel import Panel

# Sizes of the group weigh as much as so many of an item's own.
PRIOR_OCCASIONS = 2.0
# Rates within a group differ at least so much: variance over mean of the number of occasions.
_LEAST_DISPERSION = 1.05
# A group's own rates count half once it holds so many items, the rest is that of all.
_HALF_WEIGHT_ITEMS = 30.0
# Draws of a lead time's demand, the same for every row; more occasions in a lead time are taken for so many.
_DRAWS, _MOST_OCCASIONS = 1024, 60
_RATIOS = 1000
_SEED = 21
_ROWS = 1024


@dataclass(frozen=True)
class Occasions:
    """n items. rate_per_day: (n,) of occasions; own_share: (n,) weight of an item's own sizes; own: (n, t) its sizes,
    rising, after zeros; count: (n,) how many; known_qty: (n,) what sizes of others are told over; ratios, (g, _RATIOS):
    rising, of each group; group: (n,) the row of `ratios`."""

    rate_per_day: Floats
    own_share: Floats
    own: Floats
    count: NDArray[np.int64]
    known_qty: Floats
    ratios: Floats
    group: NDArray[np.int64]

    @property
    def n(self) -> int:
        return len(self.rate_per_day)

    def mean_size(self) -> Floats:
        """(n,) units of an occasion."""
        own = self.own.sum(axis=1) / np.maximum(self.count, 1)
        return np.asarray(self.own_share * own + (1.0 - self.own_share) * self._of_others().mean(axis=1))

    def over(self, nodes: LeadTimeNodes) -> Demand:
        """Demand of the lead time: a number of occasions, each of its own size."""
        return self._drawn(nodes, 0)

    def needed(self, nodes: LeadTimeNodes) -> Demand:
        """Demand of the lead time and one occasion more: what must be in stock and on order for it to be served."""
        return self._drawn(nodes, 1)

    def _drawn(self, nodes: LeadTimeNodes, more: int) -> Demand:
        parts = [self._block(nodes, slice(at, at + _ROWS), more) for at in range(0, self.n, _ROWS)]
        return Demand(np.concatenate([part.points for part in parts]), parts[0].weights)

    def _block(self, nodes: LeadTimeNodes, rows: slice, more: int) -> Demand:
        random = np.random.default_rng(_SEED)
        uniform = (np.arange(_DRAWS) + 0.5) / _DRAWS
        node = np.searchsorted(np.cumsum(nodes.shares) - 1e-9, random.permutation(uniform))
        expected = self.rate_per_day[rows, None] * nodes.days[rows][:, node]
        count = _poisson(expected, random.permutation(uniform)) + more
        total = np.zeros(count.shape)
        for number in range(int(count.max(initial=0))):  # over the occasions of one lead time: few
            total += np.where(number < count, self._sizes(rows, random.permutation(uniform)), 0.0)
        return from_samples(total)

    def _sizes(self, rows: slice, uniform: Floats) -> Floats:
        """(m, draws) the size with that chance of being no larger; of an item's own or of the others'."""
        share = self.own_share[rows, None]
        own_at = np.divide(uniform[None, :], share, out=np.zeros((len(share), len(uniform))), where=share > 0.0)
        count, t = self.count[rows, None], self.own.shape[1]
        place = np.clip(t - count + np.floor(own_at * count).astype(np.int64), 0, t - 1)
        own = np.take_along_axis(self.own[rows], place, axis=1)
        rest = np.clip((uniform[None, :] - share) / np.maximum(1.0 - share, 1e-12), 0.0, 1.0 - 1e-9)
        ratio = self.ratios[self.group[rows, None], np.floor(rest * _RATIOS).astype(np.int64)]
        return np.where(uniform[None, :] < share, own, _pieces(ratio * self.known_qty[rows, None]))

    def _of_others(self) -> Floats:
        return _pieces(self.ratios[self.group][:, :: _RATIOS // 50] * self.known_qty[:, None])


def learn_occasions(panel: Panel, group: NDArray[np.object_], known_qty: Floats | None = None) -> Occasions:
    """From all the panel's periods with demand; a period's demand is one occasion.

    group: (n,) names within which rates and sizes are alike; known_qty: (n,) > 0, what somebody knows of an item's
    sizes, None: nothing, and sizes of others count as they are.
    """
    known = np.ones(panel.n) if known_qty is None else np.maximum(known_qty, 1e-9)
    sold = panel.observed & (panel.demand > 0)
    own = np.sort(np.where(sold, panel.demand, 0.0), axis=1)
    count = sold.sum(axis=1)
    names, code = np.unique(np.asarray(group, dtype=str), return_inverse=True)
    rate = _rates(count.astype(float), panel.observed.sum(axis=1).astype(float), code, len(names))
    with_sizes = PRIOR_OCCASIONS if sold.any() else 0.0
    return Occasions(
        rate_per_day=rate / periods.MEAN_DAYS[panel.period],
        own_share=np.asarray(count / np.maximum(count + with_sizes, 1.0)),
        own=own,
        count=np.asarray(count),
        known_qty=known,
        ratios=_ratios(np.where(sold, panel.demand, 0.0) / known[:, None], sold, code, len(names)),
        group=code,
    )


def _rates(count: Floats, seen: Floats, code: NDArray[np.int64], groups: int) -> Floats:
    """(n,) occasions per period by empirical Bayes, from `count` occasions in `seen` periods."""
    whole = _moments(count, np.zeros(len(count), dtype=np.int64), 1)
    own = _moments(count, code, groups)
    weight = own[2] / (own[2] + _HALF_WEIGHT_ITEMS)
    mean, variance = (weight * part + (1.0 - weight) * all_ for part, all_ in zip(own[:2], whole[:2], strict=True))
    shape = mean**2 / np.maximum(variance - mean, (_LEAST_DISPERSION - 1.0) * np.maximum(mean, 1e-12))
    periods_seen = np.bincount(code, seen, groups) / np.maximum(own[2], 1.0)
    behind = shape / np.maximum(mean, 1e-12) * periods_seen
    return np.asarray(np.where(mean[code] > 0.0, (count + shape[code]) / np.maximum(seen + behind[code], 1e-12), 0.0))


def _moments(count: Floats, code: NDArray[np.int64], groups: int) -> tuple[Floats, Floats, Floats]:
    """Mean, variance and number of items of each group. (g,) each"""
    number = np.bincount(code, minlength=groups).astype(float)
    mean = np.bincount(code, count, groups) / np.maximum(number, 1.0)
    square = np.bincount(code, count**2, groups) / np.maximum(number, 1.0)
    return mean, square - mean**2, number


def _ratios(ratio: Floats, sold: NDArray[np.bool_], code: NDArray[np.int64], groups: int) -> Floats:
    """(g, _RATIOS) quantiles of the sizes seen in each group; of all where a group has seen too few."""
    at = (np.arange(_RATIOS) + 0.5) / _RATIOS
    every = ratio[sold]
    overall = np.quantile(every, at, method="inverted_cdf") if len(every) else np.zeros(_RATIOS)
    found = np.tile(overall, (groups, 1))
    for number in range(groups):  # over a few groups, each with its own sorted list
        own = ratio[code == number][sold[code == number]]
        if len(own) >= _HALF_WEIGHT_ITEMS:
            found[number] = np.quantile(own, at, method="inverted_cdf")
    return found


def _pieces(qty: Floats) -> Floats:
    """Whole pieces: nobody asks for a part of a spare part."""
    return np.asarray(np.ceil(qty - 1e-9))


def _poisson(mean: Floats, uniform: Floats) -> NDArray[np.int64]:
    """(m, draws) numbers of occasions by inversion. mean: (m, draws); uniform: (draws,)"""
    chance = np.exp(-np.minimum(mean, 700.0))
    through = chance.copy()
    count = np.zeros(mean.shape, dtype=np.int64)
    for number in range(1, _MOST_OCCASIONS + 1):  # the terms of the series, until every draw has found its own
        short = through < uniform[None, :]
        if not short.any():
            break
        count[short] = number
        chance = chance * mean / number
        through += chance
    return count
