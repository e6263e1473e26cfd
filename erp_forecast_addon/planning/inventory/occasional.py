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

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaincinv

from erp_forecast_addon.planning import periods
from erp_forecast_addon.planning.inventory.demand_distribution import Demand, LeadTimeNodes, from_samples
from erp_forecast_addon.planning.inventory.methods.inputs import DAYS_PER_YEAR, Flags, PolicyInputs, Rows
from erp_forecast_addon.planning.inventory.safety_stock import Floats
from erp_forecast_addon.planning.panel import Panel

# Asked for more often than this, an item's own past tells its demand, and its season and trend matter.
MOST_PER_YEAR = 12.0
# Sizes of the group weigh as much as so many of an item's own.
PRIOR_OCCASIONS = 2.0
# Rates within a group differ at least so much: variance over mean of the number of occasions.
_LEAST_DISPERSION = 1.05
# A group's own rates count half once it holds so many items, the rest is that of all.
_HALF_WEIGHT_ITEMS = 30.0
# Draws of a lead time's demand, the same for every row; more occasions in a lead time are taken for so many.
_DRAWS, _MOST_OCCASIONS = 1024, 60
_RATIOS = 1000
# A rate that is not certain is one of so many, equally likely.
_RATE_STEPS = 64
_SMALLEST_SHAPE = 0.02
_SEED = 21
_ROWS = 1024
_SMALLEST_RATE = 1e-9
_SMALLEST_QTY = 1e-9
# Sizes over what somebody knows of an item and plain sizes are kept apart.
_PLAIN, _OVER_KNOWN = 0, 1


@dataclass(frozen=True)
class Asked:
    """What n series were asked for, and for how long one has looked. sizes: (n, k) of their occasions, rising, after
    zeros; count: (n,) how many; seen_periods: (n,) observed; period_days: of one; factor: (n,) by how much more often
    than so far each will be asked for, 1 unless somebody supposes it; spoken_for: (n,) of which more is known than the
    past tells (an override, a successor, an end of life, a launch): their forecast says it."""

    sizes: Floats
    count: NDArray[np.int64]
    seen_periods: Floats
    period_days: float
    factor: Floats
    spoken_for: Flags

    @property
    def n(self) -> int:
        return len(self.count)

    @property
    def per_year(self) -> Floats:
        """(n,) occasions a year, as counted."""
        return np.asarray(self.count / np.maximum(self.seen_periods * self.period_days, 1.0) * DAYS_PER_YEAR)

    def select(self, rows: NDArray[np.int64]) -> "Asked":
        return replace(self, **{name: getattr(self, name)[rows] for name in _BY_ROW})

    def scaled(self, factor: Floats) -> "Asked":
        """Asked for so many times more often. factor: (n,)"""
        return replace(self, factor=self.factor * factor)


_BY_ROW = ("sizes", "count", "seen_periods", "factor", "spoken_for")


def asked_for(panel: Panel, spoken_for: Flags | None = None) -> Asked:
    """From all the panel's periods with demand; a period's demand is one occasion. Of series that are asked for more
    often than MOST_PER_YEAR only the number is kept, not the sizes: they are no concern of this file."""
    sold = panel.observed & (panel.demand > 0)
    count, seen = sold.sum(axis=1), panel.observed.sum(axis=1).astype(float)
    few = _rare(count, seen, periods.MEAN_DAYS[panel.period])
    width = int(count[few].max(initial=0))
    sizes = np.zeros((panel.n, width))
    own = np.where(sold[few], panel.demand[few], 0.0)
    sizes[few] = np.sort(own, axis=1)[:, own.shape[1] - width :] if width else 0.0
    return Asked(
        sizes, count, seen, periods.MEAN_DAYS[panel.period], np.ones(panel.n),
        np.zeros(panel.n, dtype=bool) if spoken_for is None else spoken_for,
    )  # fmt: skip


@dataclass(frozen=True)
class Occasions:
    """n items. rate_per_day: (n,) of occasions; own_share: (n,) weight of an item's own sizes; own: (n, t) its sizes,
    rising, after zeros; count: (n,) how many; known_qty: (n,) what sizes of others are told over; ratios, (g, _RATIOS):
    rising, of each group; group: (n,) the row of `ratios`; shape: (n,) how well the rate is known, that of its gamma
    distribution: the number of occasions in a lead time is then negative binomial; None: the rate is certain."""

    rate_per_day: Floats
    own_share: Floats
    own: Floats
    count: NDArray[np.int64]
    known_qty: Floats
    ratios: Floats
    group: NDArray[np.int64]
    shape: Floats | None = None

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
        expected *= self._possible_rates(rows, random.permutation(uniform))
        count = _poisson(expected, random.permutation(uniform)) + more
        total = np.zeros(count.shape)
        for number in range(int(count.max(initial=0))):  # over the occasions of one lead time: few
            total += np.where(number < count, self._sizes(rows, random.permutation(uniform)), 0.0)
        return from_samples(total)

    def _possible_rates(self, rows: slice, uniform: Floats) -> Floats:
        """(m, draws) over the expected rate; (1, 1) where it is certain."""
        if self.shape is None:
            return np.ones((1, 1))
        # Items of a group that were asked for as often share a shape: few differ.
        shapes, own = np.unique(np.maximum(self.shape[rows], _SMALLEST_SHAPE), return_inverse=True)
        steps = (np.arange(_RATE_STEPS) + 0.5) / _RATE_STEPS
        rates = gammaincinv(shapes[:, None], steps)
        rates = rates / np.maximum(rates.mean(axis=1, keepdims=True), 1e-12)
        return np.asarray(rates[own.reshape(-1)][:, np.floor(uniform * _RATE_STEPS).astype(np.int64)])

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


@dataclass(frozen=True)
class Prior:
    """What all items together tell of one of them. groups: (g,) names, rising; shape, behind: (g + 1,) occasions and
    periods that an item is taken to have behind it before it is looked at, of each group and, last, of any other;
    ratios: (2, g + 1, _RATIOS) sizes rising, plain and over what is known of an item; sizes_seen: (2,) whether there
    were any."""

    groups: NDArray[np.str_]
    shape: Floats
    behind: Floats
    ratios: Floats
    sizes_seen: Flags

    def of(self, asked: Asked, group: NDArray[np.object_], known_qty: Floats | None = None) -> Occasions:
        """The occasions of the items. group: (n,) names; known_qty: as for `learn_prior`."""
        code, kind = self._code(group), _kind(known_qty, asked.n)
        shape, looked = self.shape[code], np.maximum(asked.seen_periods + self.behind[code], 1e-12)
        rate = np.where(shape > 0.0, (asked.count + shape) / looked, 0.0)
        with_sizes = np.where(self.sizes_seen[kind], PRIOR_OCCASIONS, 0.0)
        return Occasions(
            rate_per_day=rate / asked.period_days * asked.factor,
            own_share=np.asarray(asked.count / np.maximum(asked.count + with_sizes, 1.0)),
            own=asked.sizes if asked.sizes.shape[1] else np.zeros((asked.n, 1)),
            count=asked.count,
            known_qty=np.where(kind == _OVER_KNOWN, _known(known_qty, asked.n), 1.0),
            ratios=self.ratios.reshape(-1, _RATIOS),
            group=kind * self.ratios.shape[1] + code,
            shape=asked.count + shape,
        )

    def _code(self, group: NDArray[np.object_]) -> NDArray[np.int64]:
        names = np.asarray(group, dtype=str)
        others = len(self.groups)
        if not others:
            return np.zeros(len(names), dtype=np.int64)
        at = np.minimum(np.searchsorted(self.groups, names), others - 1)
        return np.where(self.groups[at] == names, at, others)


def learn_prior(asked: Asked, group: NDArray[np.object_], known_qty: Floats | None = None) -> Prior:
    """From all items that are asked for now and then or not yet.

    group: (n,) names within which rates and sizes are alike; known_qty: (n,) > 0, what somebody knows of an item's
    sizes, NaN or None where nobody does: then sizes of others count as they are.
    """
    rows = np.flatnonzero(rare(asked))
    some, names = asked.select(rows), np.asarray(group, dtype=str)[rows]
    groups, code = np.unique(names, return_inverse=True)
    shape, behind = _rates(some.count.astype(float), some.seen_periods, code, len(groups))
    kind = _kind(known_qty, asked.n)[rows]
    known = np.where(kind == _OVER_KNOWN, _known(known_qty, asked.n)[rows], 1.0)
    ratio = some.sizes / known[:, None]
    sold = some.sizes > 0.0
    of_kind = [sold & (kind == each)[:, None] for each in (_PLAIN, _OVER_KNOWN)]
    return Prior(
        groups=groups,
        shape=shape,
        behind=behind,
        ratios=np.stack([_ratios(ratio, own, code, len(groups)) for own in of_kind]),
        sizes_seen=np.array([own.any() for own in of_kind]),
    )


def learn_occasions(panel: Panel, group: NDArray[np.object_], known_qty: Floats | None = None) -> Occasions:
    """`learn_prior` of a panel's own series, and what it says of each of them."""
    asked = asked_for(panel)
    return learn_prior(asked, group, known_qty).of(asked, group, known_qty)


def rare(asked: Asked) -> Flags:
    """(n,) asked for now and then or not yet, and nothing more is known of them than that."""
    return _rare(asked.count, asked.seen_periods, asked.period_days) & ~asked.spoken_for


def _rare(count: NDArray[np.int64], seen_periods: Floats, period_days: float) -> Flags:
    years = np.maximum(seen_periods * period_days, period_days) / DAYS_PER_YEAR
    return np.asarray(count <= MOST_PER_YEAR * np.maximum(years, 1.0))


@dataclass(frozen=True)
class Occasional:
    """Pairs whose levels are made of their occasions. rows: (m,) of n pairs; asked, occasions, occasion_cost: of these;
    prior: what they were told with."""

    n: int
    rows: Rows
    asked: Asked
    occasions: Occasions
    occasion_cost: Floats
    prior: Prior

    @property
    def flags(self) -> Flags:
        """(n,)"""
        found = np.zeros(self.n, dtype=bool)
        found[self.rows] = True
        return found

    def spread(self, values: Floats) -> Floats:
        """(m,) as (n,), NaN for the others."""
        return _put(np.full(self.n, np.nan), self.rows, values)


def on_occasions(
    inputs: PolicyInputs, rows: Rows, occasions: Occasions, nodes: LeadTimeNodes, occasion_cost: Floats,
    wait_days: float = 0.0,
) -> PolicyInputs:  # fmt: skip
    """`inputs` with the demand of some rows (m,) told by their occasions, and a price of each demand that is not served
    in full in place of one of a unit short.

    occasions, nodes: of these rows; occasion_cost: (m,); wait_days: until an order is placed, on average, once
    somebody has asked. Between two demands nothing changes, so each demand is a look.
    """
    told = demand_told(occasions, nodes, wait_days)
    needed = told["protection_demand"]
    pack = np.asarray(inputs.order_multiple_qty)[rows]
    columns: dict[str, Any] = told | {
        "daily_std": np.nan,  # of one demand, from the two distributions
        "shortage_cost": 0.0,
        "occasion_cost": occasion_cost,
        # Whole demands are ordered again as they come: what an order brings on average need not be whole.
        "order_multiple_qty": np.where(needed.whole & (pack == 1.0), 0.0, pack),
    }
    return replace(inputs, **{name: _put(getattr(inputs, name), rows, values) for name, values in columns.items()})


def demand_told(occasions: Occasions, nodes: LeadTimeNodes, wait_days: float = 0.0) -> dict[str, Any]:
    """The columns of PolicyInputs that tell the demand of items by their occasions, (m,) each."""
    until = LeadTimeNodes(nodes.days + wait_days, nodes.shares)
    return {
        "lead_time_demand": occasions.over(until),
        "protection_demand": occasions.needed(until),
        "daily_mean": occasions.rate_per_day * occasions.mean_size(),
        "review_days": 1.0 / np.maximum(occasions.rate_per_day, _SMALLEST_RATE),
        "held_at_end": 0.0,
    }


def _put(column: Any, rows: Rows, values: Any) -> Any:
    """A column of PolicyInputs with other values in some rows."""
    if isinstance(column, Demand):
        return Demand(_put(column.points, rows, values.points), column.weights)
    changed = np.array(column, dtype=float)
    changed[rows] = values
    return changed


def _kind(known_qty: Floats | None, n: int) -> NDArray[np.int64]:
    return np.where(np.isnan(_known(known_qty, n)), _PLAIN, _OVER_KNOWN)


def _known(known_qty: Floats | None, n: int) -> Floats:
    if known_qty is None:
        return np.full(n, np.nan)
    return np.where(known_qty > 0.0, np.maximum(known_qty, _SMALLEST_QTY), np.nan)


def _rates(count: Floats, seen: Floats, code: NDArray[np.int64], groups: int) -> tuple[Floats, Floats]:
    """Occasions and periods that an item of each group, or of none of them (last), has behind it: gamma rates by
    moments. count: (n,) occasions in `seen` periods. (g + 1,) each"""
    whole = _moments(count, np.zeros(len(count), dtype=np.int64), 1)
    own = _moments(count, code, groups)
    weight = np.append(own[2] / (own[2] + _HALF_WEIGHT_ITEMS), 0.0)
    mean, variance = (
        weight * np.append(part, 0.0) + (1.0 - weight) * all_ for part, all_ in zip(own[:2], whole[:2], strict=True)
    )
    shape = mean**2 / np.maximum(variance - mean, (_LEAST_DISPERSION - 1.0) * np.maximum(mean, 1e-12))
    seen_by_group = np.append(np.bincount(code, seen, groups), seen.sum())
    looked = seen_by_group / np.maximum(np.append(own[2], len(seen)), 1.0)
    return shape, shape / np.maximum(mean, 1e-12) * looked


def _moments(count: Floats, code: NDArray[np.int64], groups: int) -> tuple[Floats, Floats, Floats]:
    """Mean, variance and number of items of each group. (g,) each"""
    number = np.bincount(code, minlength=groups).astype(float)
    mean = np.bincount(code, count, groups) / np.maximum(number, 1.0)
    square = np.bincount(code, count**2, groups) / np.maximum(number, 1.0)
    return mean, square - mean**2, number


def _ratios(ratio: Floats, sold: Flags, code: NDArray[np.int64], groups: int) -> Floats:
    """(g + 1, _RATIOS) quantiles of the sizes seen in each group; of all where a group has seen too few, and last."""
    at = (np.arange(_RATIOS) + 0.5) / _RATIOS
    every = ratio[sold]
    overall = np.quantile(every, at, method="inverted_cdf") if len(every) else np.zeros(_RATIOS)
    found = np.tile(overall, (groups + 1, 1))
    for number in range(groups):  # over item groups, each with its own sorted list
        mine = code == number
        own = ratio[mine][sold[mine]]
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
