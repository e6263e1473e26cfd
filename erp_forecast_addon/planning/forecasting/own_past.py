"""What a series was asked for itself: sums over stretches of its own past, as a part of what a lead time may ask for.

A forecast follows its series, is pulled to its class and is right on average; over a long lead time the plain memory of
one item tells things that it has smoothed away: how large its lumps were, how its sales bunched, and a level that will
come back. Mixing both distributions (a linear opinion pool: Stone 1961, Annals of Mathematical Statistics 32) beat
either on every backtest that chose the shares (docs/uncertainty.md).

Stretches are drawn from the past in blocks: whole weeks of days in their order, weeks and months one by one (Künsch
1989, Annals of Statistics 17; for spare parts Willemain, Smart & Schwarz 2004, International Journal of Forecasting
20).
"""

from dataclasses import dataclass, replace

import numpy as np

from erp_forecast_addon.planning.forecasting.mixtures import WEIGHTS, quantiles_of_mixture
from erp_forecast_addon.planning.forecasting.recency import RARE
from erp_forecast_addon.planning.panel import Panel
from erp_forecast_addon.planning.periods import MEAN_DAYS
from erp_forecast_addon.planning.settings import Period

# Periods that are drawn together.
_BLOCK: dict[Period, int] = {"day": 7, "week": 1, "month": 1}
# Weight of the own past in the distribution of a long sum, and how many days more than a period a sum needs for half of
# it: of the next days the forecast knows more than of the next months.
_SHARE, _HALF_AFTER_DAYS = 0.5, 14.0
# The fewest observed periods that are a past.
_FEWEST: dict[Period, int] = {"day": 28, "week": 26, "month": 12}
_DRAWS = 200
_SEED = 17


@dataclass(frozen=True)
class OwnPast:
    """Of n series. demand: (n, t) without what drivers did, the last `known` (n,) periods of a row were observed and
    follow each other; share: (n,) weight in the distribution of a long sum, 0 where the past says nothing; lift: (n,
    h) what drivers, ends and overrides do to the periods ahead; block: periods drawn together; half_after: so
    many periods more than one and a sum has half of the share.
    """

    demand: np.ndarray
    known: np.ndarray
    share: np.ndarray
    lift: np.ndarray
    block: int
    half_after: float

    def select(self, rows: np.ndarray | slice) -> "OwnPast":
        parts = {name: getattr(self, name)[rows] for name in ("demand", "known", "share", "lift")}
        return replace(self, **parts)

    def share_of(self, periods: np.ndarray | float) -> np.ndarray:
        """(n,) weight in a sum over so many periods: none in that of a single one, which was forecast as such."""
        more = np.maximum(np.asarray(periods, dtype=float) - 1.0, 0.0)
        return np.asarray(self.share * more / (more + self.half_after))

    def rate(self) -> np.ndarray:
        """(n,) mean of a period of the past, as the periods ahead are."""
        ours = np.arange(self.demand.shape[1]) >= self.demand.shape[1] - self.known[:, None]
        mean = np.where(ours, self.demand, 0.0).sum(axis=1) / self.known
        return np.asarray(mean * self.lift.mean(axis=1))

    def sums(self, periods: np.ndarray, lift: np.ndarray, whole: np.ndarray) -> np.ndarray:
        """(n, draws) equally likely sums over `periods` (n,), parts of a period allowed, times lift (n,).

        A part of a period brings all that one was asked for with the chance of its length: rare demand comes in lumps.
        The draws are the same for every series, so one series alone has what it has among all.
        """
        through = np.pad(np.cumsum(self.demand, axis=1, dtype=float), ((0, 0), (1, 0)))
        wanted = np.floor(periods + 1e-9).astype(np.int64)
        part, blocks = periods - wanted, wanted // self.block
        total = np.zeros((len(periods), _DRAWS))
        for number in range(int(blocks.max(initial=0))):  # over the blocks of the longest stretch
            total += self._drawn(through, np.where(number < blocks, self.block, 0), number)
        total += self._drawn(through, wanted - blocks * self.block, -1)
        happens = _ranks(-2)[None, :] < part[:, None]
        total += np.where(happens, self._drawn(through, np.ones_like(wanted), -3), 0.0)
        return _finished(total * lift[:, None], whole[:, None], _ranks(-4))

    def courses(self, paths: int, lift: np.ndarray, whole: np.ndarray) -> np.ndarray:
        """(n, paths, h) equally likely courses over the next h periods, times lift (n, h)."""
        h = lift.shape[1]
        n, t = self.demand.shape
        result = np.empty((n, paths, h), dtype=np.float32)
        rows = np.arange(n)[:, None]
        for begin in range(0, h, self.block):  # over blocks of a course
            length = min(self.block, h - begin)
            start = self._starts(np.full(n, self.block), _ranks(begin, paths))
            for step in range(length):  # over the days of a week, at most
                result[:, :, begin + step] = self.demand[rows, np.minimum(start + step, t - 1)]
        return _finished(
            result * lift[:, None, :], whole[:, None, None], _ranks(-4, paths)[:, None]
        ).astype(np.float32)  # fmt: skip

    def _drawn(self, through: np.ndarray, length: np.ndarray, number: int) -> np.ndarray:
        """(n, draws) sums over stretches of `length` (n,) periods, none for 0. through: (n, t + 1)"""
        start = self._starts(length, _ranks(number))
        rows = np.arange(len(length))[:, None]
        return np.asarray(through[rows, start + length[:, None]] - through[rows, start])

    def _starts(self, length: np.ndarray, rank: np.ndarray) -> np.ndarray:
        """(n, draws) where stretches of `length` (n,) begin, by ranks (draws,) in [0, 1)."""
        room = np.maximum(self.known - length + 1, 1)[:, None]
        begin = self.demand.shape[1] - np.maximum(self.known, length)[:, None]
        return np.asarray(begin + np.floor(rank[None, :] * room).astype(np.int64))


def learn_own_past(plain: Panel, demand_class: np.ndarray, modelled: np.ndarray, lift: np.ndarray) -> OwnPast:
    """plain: the panel without what drivers did; modelled: (n, h) mean that the models forecast; lift: (n, h), see
    OwnPast. A series that nothing is forecast for, or whose past is short, has no share."""
    period = plain.period
    known = plain.observed.sum(axis=1)
    # The others' trends and seasons are their own, and in the forecast; a past without them would blur it.
    told = np.isin(demand_class.astype(str), RARE)
    told &= (known >= _FEWEST[period]) & (modelled.mean(axis=1) > 0)
    return OwnPast(
        demand=_glued(plain),
        known=np.where(told, known, 1).astype(np.int64),
        share=np.where(told, _SHARE, 0.0),
        lift=lift.astype(np.float32),
        block=_BLOCK[period],
        half_after=_HALF_AFTER_DAYS / MEAN_DAYS[period],
    )


def pooled(
    own: OwnPast, forecast: np.ndarray, periods: np.ndarray, lift: np.ndarray, whole: np.ndarray, levels: np.ndarray
) -> np.ndarray:
    """(n, q) quantiles of the mixture of what was forecast and the own past. forecast: (n, k) quantiles at
    mixtures.LEVELS of the sum over `periods` (n,); lift: (n,) of these periods."""
    share = own.share_of(periods)[:, None]
    sums = own.sums(periods, lift, whole)
    points = np.concatenate([forecast.astype(float), sums], axis=1)
    chances = np.concatenate([(1.0 - share) * WEIGHTS, np.broadcast_to(share / sums.shape[1], sums.shape)], axis=1)
    return quantiles_of_mixture(points, chances, levels)


def _glued(panel: Panel) -> np.ndarray:
    """(n, t) the observed periods of each series moved together at the end of its row."""
    observed = panel.observed
    gaps = np.flatnonzero(observed.sum(axis=1) < panel.t - np.argmax(observed, axis=1))
    if not len(gaps):
        return panel.demand
    glued = panel.demand.astype(np.float32)
    order = np.argsort(observed[gaps], axis=1, kind="stable")
    glued[gaps] = np.take_along_axis(glued[gaps], order, axis=1)
    return glued


def _ranks(number: int, draws: int = _DRAWS) -> np.ndarray:
    """(draws,) in (0, 1), each part of it once: Latin hypercube sampling, whose means vary least (see paths.py)."""
    random = np.random.default_rng([_SEED, number % 2**32])
    return np.asarray((random.permutation(draws) + 0.5) / draws)


def _finished(values: np.ndarray, whole: np.ndarray, rank: np.ndarray) -> np.ndarray:
    """Whole for counts: rounded up with the chance of the part, so that the mean is kept."""
    noise = 1e-6
    return np.where(whole, np.floor(values + noise + rank * (1.0 - 2.0 * noise)), values)
