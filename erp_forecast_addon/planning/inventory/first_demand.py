"""Items that nobody has asked for yet, and that are stocked all the same: spare parts, insurance.

A forecast of nothing promises nothing. How often such items are asked for after all can be seen on the others: at an
earlier day some items had no demand either, and a share of them has had some since. The chance of a first demand is
taken as the same every day (a Poisson process per item: Silver, Pyke & Thomas (2017), section 9.5, very slow movers);
shares of groups are pulled to that of all items as so many observations (a beta prior: Gelman et al., Bayesian Data
Analysis, section 2.4). Its size is drawn from the sizes of the first demands that were seen, of the group where it has
seen enough of them.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from erp_forecast_addon.planning import periods
from erp_forecast_addon.planning.inventory.demand_distribution import LEVELS, WEIGHTS, Demand, LeadTimeNodes
from erp_forecast_addon.planning.inventory.safety_stock import Floats
from erp_forecast_addon.planning.panel import Panel

# A group's own share counts as much as that of all items once it rests on so many of them.
_HALF_WEIGHT_ITEMS = 30.0
# Of the history, the last part in which first demands are looked for.
_WINDOW_SHARE = 0.4


@dataclass(frozen=True)
class FirstDemand:
    """By group, "" standing for those never seen: rate_per_day, the chance of a first demand on a day; sizes, (k,)
    rising, units, of the first demands that came."""

    rate_per_day: dict[str, float]
    sizes: dict[str, Floats]

    def rates(self, group: NDArray[np.object_]) -> Floats:
        """(n,) per day. group: (n,) names."""
        names, code = np.unique(np.asarray(group, dtype=str), return_inverse=True)
        known = np.array([self.rate_per_day.get(str(name), self.rate_per_day[""]) for name in names])
        return np.asarray(known[code], dtype=float)

    def over(self, group: NDArray[np.object_], nodes: LeadTimeNodes, later_days: float = 0.0) -> Demand:
        """Demand of the lead time and `later_days` after it, of items without any so far: none, or one first demand."""
        asked = -np.expm1(-self.rates(group)[:, None] * (nodes.days + later_days)) @ nodes.shares
        inside = (LEVELS[None, :] - (1.0 - asked[:, None])) / np.maximum(asked, 1e-12)[:, None]
        points = np.zeros((len(asked), len(LEVELS)))
        for rows, sizes in self._by_sizes(group):  # over groups
            place = np.clip(np.ceil(inside[rows] * len(sizes)).astype(np.int64) - 1, 0, len(sizes) - 1)
            points[rows] = np.where(inside[rows] > 0.0, sizes[place], 0.0)
        return Demand(points, WEIGHTS)

    def over_known_size(
        self, group: NDArray[np.object_], size_qty: Floats, nodes: LeadTimeNodes, later_days: float = 0.0
    ) -> Demand:
        """As `over`, of items whose size of a demand somebody knows, such as the firm's own maximum. size_qty: (n,)"""
        asked = -np.expm1(-self.rates(group)[:, None] * (nodes.days + later_days)) @ nodes.shares
        return Demand(np.where(LEVELS[None, :] > 1.0 - asked[:, None], size_qty[:, None], 0.0), WEIGHTS)

    def daily_mean(self, group: NDArray[np.object_]) -> Floats:
        """(n,) units a day."""
        mean = np.zeros(len(group))
        for rows, sizes in self._by_sizes(group):  # over groups
            mean[rows] = float(sizes.mean())
        return self.rates(group) * mean

    def _by_sizes(self, group: NDArray[np.object_]) -> list[tuple[NDArray[np.int64], Floats]]:
        """Rows and the sizes that hold for them; without any first demand ever seen, none."""
        names, code = np.unique(np.asarray(group, dtype=str), return_inverse=True)
        found = [
            (np.flatnonzero(code == at), self.sizes.get(str(name), self.sizes[""])) for at, name in enumerate(names)
        ]
        return [(rows, sizes) for rows, sizes in found if len(sizes)]


def learn_first_demand(panel: Panel, group: NDArray[np.object_]) -> FirstDemand:
    """From the panel's own past: what became of the items that had no demand in its first part.

    group: (n,) names, such as a criticality or an item group. With too short a history nothing is expected.
    """
    window = int(panel.t * _WINDOW_SHARE)
    origin = panel.t - window
    days = window * periods.MEAN_DAYS[panel.period]
    sold = panel.demand > 0
    waiting = ~sold[:, :origin].any(axis=1) if window and origin else np.zeros(panel.n, dtype=bool)
    came = waiting & sold[:, origin:].any(axis=1)
    at_first = np.argmax(sold[:, origin:], axis=1) + origin if window else np.zeros(panel.n, dtype=np.int64)
    first_sizes = panel.demand[np.arange(panel.n), at_first]
    overall = came.sum() / max(int(waiting.sum()), 1)
    rates = {"": _per_day(float(overall), days)}
    sizes = {"": np.sort(first_sizes[came]).astype(float)}
    names, code = np.unique(np.asarray(group, dtype=str), return_inverse=True)
    seen, first = np.bincount(code, waiting, len(names)), np.bincount(code, came, len(names))
    shares = (first + _HALF_WEIGHT_ITEMS * overall) / (seen + _HALF_WEIGHT_ITEMS)
    for at, name in enumerate(names):  # over groups
        rates[str(name)] = _per_day(float(shares[at]), days)
        if first[at] >= _HALF_WEIGHT_ITEMS:
            sizes[str(name)] = np.sort(first_sizes[came & (code == at)]).astype(float)
    return FirstDemand(rates, sizes)


def _per_day(share: float, days: float) -> float:
    """The rate at which the share is asked for within `days`."""
    return float(-np.log1p(-min(share, 0.999)) / days) if days > 0 else 0.0
