"""Quantiles of demand per period and over any window: a count distribution per series, recalibrated on the backtest.

`learn` sums the backtest up in an Uncertainty, a small value by group names; its `spread` of some series, with what
their own backtests missed, turns any mean into quantiles. Formulas and sources: docs/uncertainty.md.
"""

from dataclasses import dataclass, replace

import numpy as np

from erp_forecast_addon.planning.forecasting import distribution, recalibration
from erp_forecast_addon.planning.forecasting import spread as spreads
from erp_forecast_addon.planning.forecasting.rows import in_blocks
from erp_forecast_addon.planning.forecasting.spread import History

# A group's recalibration weighs as much as that of the level above once it holds so many windows.
_MAP_HALF_WEIGHT = 50.0
# Windows, in periods, for which sums are judged; between them maps and growth are interpolated.
_WINDOWS = (1, 2, 3, 4, 5, 7, 10, 14, 21, 28, 42, 56, 84)
# Steps that share one map begin here; step 1 stands alone, as it is also the window of one period.
_STEP_EDGES = (0, 1, 4, 7, 14, 21)
# Series of a group whose transforms are looked at; more would change nothing but the time.
_SERIES_PER_GROUP = 1500
_USUAL_HALF_WEIGHT = 50.0
# Cells that are worked on at once: bounds the memory.
_CELLS = 400_000
_SIZES = (-7, 12)
# Demand is rare where less than an eighth of a unit is forecast per period; its floor is pulled by so many cells.
_RARE_SIZE, _FLOOR_HALF_WEIGHT = -4, 500.0
# Cells with next to no forecast say nothing about growth, however surprising; one cell counts no more than this.
_SMALLEST_JUDGED, _LARGEST_RATIO = 0.01, 400.0


@dataclass(frozen=True)
class Uncertainty:
    """What the backtests of a panel say, by group. Small, and free of the panel's rows.

    groups: name -> row; "" is everything, "Smooth" a class, "Smooth 3" its series of 8 to 16 units a period.
    coefficients: of the dispersion that a series' demand suggests; dispersion: (g,) what has to be multiplied to that;
    half_weight: (g,); see spread.py. growth: (a, b) of the variance by step. floor: (g,) least mean that a distribution
    is made with, above 0 for the rarest demand only.
    step_maps: (g, b, nodes) recalibration by group and block of steps; windows: (w,) periods, rising from 1;
    window_growth: (g, w) variance of a sum over that of independent periods; window_maps: (g, w, nodes).
    season_length: cycle by which forecasts go on beyond their end.
    """

    groups: dict[str, int]
    coefficients: np.ndarray
    dispersion: np.ndarray
    half_weight: np.ndarray
    growth: tuple[float, float]
    floor: np.ndarray
    step_maps: np.ndarray
    windows: np.ndarray
    window_growth: np.ndarray
    window_maps: np.ndarray

    def rows_of(self, demand_class: np.ndarray, level: np.ndarray) -> np.ndarray:
        """The finest known group of each series. (n,)"""
        names, code = np.unique(_names(demand_class, level), return_inverse=True)
        known = [
            self.groups.get(name, self.groups.get(name.rsplit(" ", 1)[0], 0)) for name in names.tolist()
        ]  # over group names
        return np.asarray(known, dtype=int)[code.reshape(-1)] if len(names) else np.zeros(0, dtype=int)

    def spread(
        self,
        actual: np.ndarray,
        forecast: np.ndarray,
        scored: np.ndarray,
        level: np.ndarray,
        demand_class: np.ndarray,
        history: History | None = None,
    ) -> "Spread":
        """The spread of some series from their own backtest. actual, forecast, scored: (k, n, s); level: (n,)

        level: mean of the forecast that the models made, which names the group; another mean may be given later. Each
        series' spread depends on its own row alone, so one item can be done later and gets the same.
        """
        unit = np.ones(len(level)) if history is None else history.unit
        actual, forecast, level = actual / unit[:, None], forecast / unit[:, None], level / unit
        group = self.rows_of(demand_class, level)
        level = np.maximum(level, self.floor[group])
        own = spreads.residuals(actual, forecast, scored).total()
        now = None if history is None else history.before[-1]
        expected = _expected(self.coefficients, now, level) * self.dispersion[group]
        dispersion = spreads.own_dispersion(own, expected, self.half_weight[group])
        return Spread(dispersion, np.asarray(level, dtype=float), unit, group, self)


@dataclass(frozen=True)
class Spread:
    """Of n series: dispersion (n,), variance per unit of mean at `level` (n,), both in `unit` (n,); group (n,) into
    `learned`. A mean of 0 promises 0; any other is taken as the group's floor at least.
    """

    dispersion: np.ndarray
    level: np.ndarray
    unit: np.ndarray
    group: np.ndarray
    learned: Uncertainty

    def select(self, rows: np.ndarray | slice) -> "Spread":
        parts = {name: getattr(self, name)[rows] for name in ("dispersion", "level", "unit", "group")}
        return replace(self, **parts)

    def variance(self, mean: np.ndarray) -> np.ndarray:
        """Of each period's error. mean: (n, h) in stock units; (n, h) in their square"""
        start, slope = self.learned.growth
        growth = start + slope * np.arange(mean.shape[1])
        unit = self.unit[:, None]
        return np.asarray(spreads.variance(self.dispersion, self.level, self.lifted(mean) / unit) * growth * unit**2)

    def lifted(self, mean: np.ndarray, periods: np.ndarray | float = 1.0) -> np.ndarray:
        """The mean that the distribution is made with, of so many periods (n, 1). mean: (n, h); (n, h)"""
        floor = (self.learned.floor[self.group] * self.unit)[:, None] * periods
        return np.asarray(np.where(mean > 0, np.maximum(mean, floor), 0.0))

    def one_step_std(self, level: np.ndarray) -> np.ndarray:
        """Standard deviation of the error one period ahead, of a mean of `level` (n,). (n,)"""
        return np.asarray(np.sqrt(self.variance(level[:, None])[:, 0]))


def learn(
    actual: np.ndarray,
    forecast: np.ndarray,
    scored: np.ndarray,
    demand_class: np.ndarray,
    *,
    history: History | None = None,
    season_length: int = 1,
    workers: int = 1,
) -> Uncertainty:
    """actual, forecast, scored: (k, n, s), windows that follow each other, of the forecast whose errors are learned.
    history: what the demand itself says of its dispersion; without it the groups' residuals have to do.

    Each origin's series are judged with the dispersion that the other origins say: by their own they could never be
    surprising. Cells whose mean is 0 teach nothing. With no residuals at all the distribution is Poisson, unchanged.
    """
    if history is not None:
        unit = history.unit.astype(np.float32)[:, None]
        actual, forecast = actual / unit, forecast / unit
    names, chain = _hierarchy(demand_class if history is None else history.classes, forecast)
    sizes = [len(part) for part in names]
    floor = _floors(names[2], chain[2], actual, forecast, scored)
    forecast = np.where(forecast > 0, np.maximum(forecast, floor[chain[2]][..., None].astype(np.float32)), 0)
    sums = spreads.residuals(actual, forecast, scored)
    level = np.where(sums.counts > 0, sums.means / np.maximum(sums.counts, 1), 0.0)
    before = None if history is None else history.before[:-1]
    coefficients = np.zeros(4) if before is None else spreads.fit_dispersion(sums, before)
    suggested = _expected(coefficients, before, level)
    dispersion = spreads.group_dispersion(sums, suggested, chain, sizes)
    suggested *= dispersion[2][chain[2]]
    half_weight = spreads.half_weights(sums, suggested, chain[2], sizes[2])
    judged = spreads.own_dispersion(sums.without_each(), suggested, half_weight[chain[2]])
    expected = spreads.variance(judged, level, forecast)
    used = scored & (forecast > 0)
    judgeable = used & (forecast > _SMALLEST_JUDGED)
    ratio = (actual - forecast) ** 2 / np.where(judgeable, expected, 1.0)
    growth = spreads.step_growth(np.minimum(ratio, _LARGEST_RATIO), judgeable)
    expected *= growth[0] + growth[1] * np.arange(forecast.shape[2])
    pool = _Pool(chain, sizes, _thinned(chain[2], sizes[2]), workers)
    step_maps = _step_maps(pool, actual, forecast, expected, used)
    windows, window_growth, window_maps = _windows(pool, actual, forecast, expected, scored, season_length)
    window_maps[:, 0] = step_maps[:, 0]
    known = [name for part in names for name in part]
    # For classes and all: what a series of a group that was never seen is given.
    usual = half_weight.mean() if sizes[2] else _USUAL_HALF_WEIGHT
    return Uncertainty(
        groups={name: at for at, name in enumerate(known)},
        coefficients=coefficients,
        dispersion=np.concatenate(dispersion),
        half_weight=np.concatenate([np.full(1 + sizes[1], usual), half_weight]),
        growth=growth,
        floor=np.concatenate([np.zeros(1 + sizes[1]), floor]),
        step_maps=step_maps.astype(np.float32),
        windows=windows,
        window_growth=window_growth,
        window_maps=window_maps.astype(np.float32),
    )


def per_period(
    spread: Spread, mean: np.ndarray, levels: np.ndarray, whole: np.ndarray, *, workers: int = 1
) -> np.ndarray:
    """Quantiles of demand per period, ≥ 0, rising with the level. (n, h, q) float32

    mean: (n, h); levels: (q,) in (0, 1), rising; whole: (n,) bool, series of whole numbers, whose quantiles are whole.
    """
    n, h = mean.shape
    levels = np.asarray(levels, dtype=float)
    result = np.zeros((n, h, len(levels)), dtype=np.float32)
    block = _step_blocks(h)
    learned = spread.learned
    order = np.argsort(spread.group, kind="stable")
    bounds = np.flatnonzero(np.diff(spread.group[order])) + 1
    at_most = max(1, _CELLS // max(1, h * len(levels)))
    pieces = [
        part[start : start + at_most]
        for part in np.split(order, bounds)
        for start in range(0, len(part), at_most)
    ]  # fmt: skip

    def fill(which: slice) -> None:
        for rows in pieces[which]:
            some = mean[rows]
            unit, own = spread.unit[rows, None], spread.select(rows)
            at = distribution.place(own.lifted(some) / unit, own.variance(some) / unit**2)
            maps = learned.step_maps[spread.group[rows[0]]]
            for number in np.unique(block):  # over blocks of steps
                steps = block == number
                nodes = distribution.at_probabilities(recalibration.inverse(maps[number][None], levels)[0])
                cells = distribution.look_up(at[:, steps].ravel(), nodes)
                result[np.ix_(rows, steps)] = cells.reshape(len(rows), -1, len(levels))
            result[rows] = _finished(result[rows], some, whole[rows], spread.unit[rows])

    in_blocks(fill, len(pieces), workers, 1)
    return result


def of_totals(
    spread: Spread,
    total: np.ndarray,
    variance: np.ndarray,
    window: np.ndarray,
    levels: np.ndarray,
    whole: np.ndarray,
) -> np.ndarray:
    """Quantiles of sums, ≥ 0, rising with the level. (n, q) float32

    total: (n,) mean of the sum; variance: (n,) sum of its periods' variances; window: (n,) its length in periods.
    """
    levels = np.asarray(levels, dtype=float)
    learned = spread.learned
    low, share = _between(learned.windows, window)
    lifted = spread.lifted(np.asarray(total)[:, None], window[:, None])[:, 0]
    at = distribution.place(lifted / spread.unit, variance * sum_growth(spread, window) / spread.unit**2)
    group, high = spread.group, np.minimum(low + 1, len(learned.windows) - 1)
    flat = learned.window_maps.reshape(-1, learned.window_maps.shape[-1])
    used, code = np.unique(
        np.stack([group * len(learned.windows) + low, group * len(learned.windows) + high]), return_inverse=True
    )
    inverse = recalibration.inverse(flat[used], levels)
    lower, upper = inverse[code.reshape(2, -1)]
    result = np.empty((len(total), len(levels)), dtype=np.float32)
    for start in range(0, len(total), 8192):  # over blocks of rows: bounds the memory
        rows = slice(start, start + 8192)
        wanted = lower[rows] * (1 - share[rows, None]) + upper[rows] * share[rows, None]
        result[rows] = distribution.look_up_each(at[rows], wanted)
    return _finished(result[:, None], np.asarray(total)[:, None], whole, spread.unit)[:, 0]


def sum_growth(spread: Spread, window: np.ndarray) -> np.ndarray:
    """Variance of a sum over `window` (n,) periods over that of independent ones; linear beyond what was seen. (n,)"""
    known, growth = spread.learned.windows, spread.learned.window_growth[spread.group]
    low, share = _between(known, window)
    rows = np.arange(len(low))
    inside = growth[rows, low] * (1 - share) + growth[rows, np.minimum(low + 1, len(known) - 1)] * share
    longest = float(known[-1])
    if longest <= 1:
        return np.asarray(inside)
    steeper = np.maximum(growth[:, -1] - 1.0, 0.0) / (longest - 1.0) * np.maximum(window - longest, 0.0)
    return np.asarray(inside + steeper)


# ---- learning ----


@dataclass(frozen=True)
class _Pool:
    """Groups of the (k, n) windows at three levels, how many, the series looked at, and the threads to use."""

    chain: list[np.ndarray]
    sizes: list[int]
    rows: np.ndarray
    workers: int

    def curves(self, low: np.ndarray, high: np.ndarray, weight: np.ndarray, windows: np.ndarray) -> np.ndarray:
        """g of every group from transforms of cells; windows: flat (k, looked at) number of each cell. (g, nodes)"""
        fine = self.chain[2][:, self.rows].ravel()
        fine_sum = recalibration.summed(low, high, weight, fine[windows], self.sizes[2])
        fine_weight = np.bincount(fine[windows], weight, self.sizes[2])
        above, result = recalibration.NODES[None, :], []
        for level in range(3):  # everything, classes, sizes of a class
            parts = self._to_level(level)
            summed, total = np.zeros((self.sizes[level], fine_sum.shape[1])), np.zeros(self.sizes[level])
            np.add.at(summed, parts, fine_sum)
            np.add.at(total, parts, fine_weight)
            parent = np.zeros(self.sizes[level], dtype=int)
            if level == 2:
                parent = self._to_level(1)
            above = recalibration.pulled(summed, total, above[parent], _MAP_HALF_WEIGHT)
            result.append(above)
        return np.concatenate(result)

    def _to_level(self, level: int) -> np.ndarray:
        """The group at a level of each finest group."""
        coarse = np.zeros(self.sizes[2], dtype=int)
        coarse[self.chain[2]] = self.chain[level]
        return coarse


def _names(demand_class: np.ndarray, level: np.ndarray) -> np.ndarray:
    """Names of the finest groups, of the shape of level. demand_class: (n,)"""
    size = np.clip(np.floor(np.log2(np.maximum(level, 1e-9))), *_SIZES).astype(int)
    classes = np.broadcast_to(np.asarray(demand_class, dtype=str), size.shape)
    return np.char.add(np.char.add(classes, " "), size.astype(str))


def _hierarchy(demand_class: np.ndarray, forecast: np.ndarray) -> tuple[list[list[str]], list[np.ndarray]]:
    """Names and numbers (k, n) of the groups, coarse first; sized by what was forecast at each origin."""
    k, n = forecast.shape[:2]
    level = forecast.mean(axis=2) if forecast.shape[2] else np.zeros((k, n))
    size = np.clip(np.floor(np.log2(np.maximum(level, 1e-9))), *_SIZES).astype(int) - _SIZES[0]
    classes, code = np.unique(np.asarray(demand_class, dtype=str), return_inverse=True)
    coarse = np.broadcast_to(code.reshape(np.shape(demand_class)), (k, n))
    width = _SIZES[1] - _SIZES[0] + 1
    joint, fine = np.unique(coarse * width + size, return_inverse=True)
    fine = fine.reshape(k, n)
    fine_names = [f"{classes[number // width]} {number % width + _SIZES[0]}" for number in joint.tolist()]
    return [[""], classes.tolist(), fine_names], [np.zeros((k, n), dtype=int), coarse, fine]


def _floors(
    names: list[str], group: np.ndarray, actual: np.ndarray, forecast: np.ndarray, scored: np.ndarray
) -> np.ndarray:
    """What groups of rare demand sold per period when so little was forecast, pulled to the forecast. (groups,)

    An item that seems dead comes back now and then. A mean near 0 with no chance of more would hide that, and no
    recalibration could bring it out of a distribution that knows 0 only. Where means are larger the floor is 0.
    """
    rare = np.array([int(name.rsplit(" ", 1)[1]) <= _RARE_SIZE for name in names], dtype=bool)
    used = scored & (forecast > 0)
    cells = group[..., None] * np.ones(actual.shape[2], dtype=int)
    count = np.bincount(cells[used], minlength=len(names))
    came, told = (np.bincount(cells[used], part[used], len(names)) for part in (actual, forecast))
    usual = told / np.maximum(count, 1)
    pulled = (came + _FLOOR_HALF_WEIGHT * usual) / np.maximum(count + _FLOOR_HALF_WEIGHT, 1)
    return np.asarray(np.where(rare & (pulled > usual), pulled, 0.0))


def _thinned(group: np.ndarray, size: int) -> np.ndarray:
    """Positions of the series to look at: at most so many of a group at the last origin, evenly."""
    if not len(group):
        return np.zeros(0, dtype=int)
    last = group[-1]
    order = np.argsort(last, kind="stable")
    count = np.bincount(last, minlength=size)
    place = np.arange(len(last)) - np.repeat(np.cumsum(count) - count, count)
    stride = -(-count // _SERIES_PER_GROUP)
    return np.sort(order[place % np.repeat(stride, count) == 0])


def _step_blocks(steps: int) -> np.ndarray:
    return np.searchsorted(_STEP_EDGES, np.arange(steps), side="right") - 1


def _step_maps(
    pool: _Pool, actual: np.ndarray, forecast: np.ndarray, expected: np.ndarray, used: np.ndarray
) -> np.ndarray:
    """g by group and block of steps; of blocks beyond the backtest the last one seen. (g, b, nodes)"""
    block = _step_blocks(actual.shape[2])
    maps: list[np.ndarray] = []
    for number in range(len(_STEP_EDGES)):
        steps = np.flatnonzero(block == number)
        if len(steps) or not maps:
            some = np.ix_(np.arange(len(actual)), pool.rows, steps)
            # The steps of a block are one window: they share its surprises.
            maps.append(_map(pool, actual[some], forecast[some], expected[some], used[some], 1.0 / max(len(steps), 1)))
        else:
            maps.append(maps[-1])
    return np.stack(maps, axis=1)


def _map(
    pool: _Pool, actual: np.ndarray, mean: np.ndarray, variance: np.ndarray, used: np.ndarray, weight: float
) -> np.ndarray:
    """g of every group from cells (k, looked at, s). (g, nodes)"""
    at = np.flatnonzero(used.ravel())
    actual, mean, variance = (part.ravel()[at] for part in (actual, mean, variance))
    low, high = np.zeros(len(at)), np.zeros(len(at))

    def fill(block: slice) -> None:
        low[block], high[block] = _transform(actual[block], mean[block], variance[block])

    in_blocks(fill, len(at), pool.workers, 32768)
    return pool.curves(low, high, np.full(len(at), weight), at // max(used.shape[2], 1))


def _transform(actual: np.ndarray, mean: np.ndarray, variance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The distribution function just below and at what came. Between whole numbers it is the continuous one."""
    place = distribution.place(mean, variance)
    whole = np.rint(np.maximum(actual, 0))
    below, upto = distribution.cdf(place, whole), distribution.cdf(place, whole + 1.0)
    share = np.clip(actual + 0.5 - whole, 0, 1)
    exact = below + (upto - below) * share
    counts = actual == whole
    return np.where(counts, below, exact), np.where(counts, upto, exact)


def _windows(
    pool: _Pool,
    actual: np.ndarray,
    forecast: np.ndarray,
    expected: np.ndarray,
    scored: np.ndarray,
    season_length: int,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Lengths (w,), growth of the variance (g, w) and maps (g, w, nodes) of sums from an origin on.

    A sum longer than a window goes on through the next ones: what came there is known, and the forecast repeats its
    last season, as it does beyond a horizon.
    """
    k, _n, s = actual.shape
    lengths = np.array(sorted({1, *(length for length in (*_WINDOWS, s) if length <= k * s)}))
    growth, maps = [], []
    for length in lengths.tolist():  # over lengths
        totals = _sums(actual, forecast, expected, scored, length, season_length)
        part = _ratio_growth(pool, *totals)
        growth.append(part)
        some = [values[:, pool.rows, None] for values in totals]
        group = pool.chain[2][: len(some[0])]
        scale = part[1 + pool.sizes[1] :][group[:, pool.rows]][..., None] if length > 1 else 1.0
        short = replace(pool, chain=[part[: len(some[0])] for part in pool.chain])
        some[1] = some[1] * _chance_shift(*totals)
        maps.append(_map(short, some[0], some[1], some[2] * scale, some[3], 1.0))
    found = np.stack(growth, axis=1)
    found[:, 0] = 1.0
    return lengths.astype(float), found, np.stack(maps, axis=1)


def _chance_shift(came: np.ndarray, mean: np.ndarray, variance: np.ndarray, used: np.ndarray) -> float:
    """What the means of all origins are multiplied with, so that the maps learn only what the origins agree on.

    All (k, n). Series move together: a good quarter for all is one observation, not thousands. r_o = Σ(m/v)y / Σ(m/v)m
    is what came true of an origin's forecasts (weighted least squares of a common factor). Of the mean of log r over
    the origins as much is believed as it stands out from their disagreement (positive-part James-Stein); the rest is
    chance that will not come again. What the origins differ by stays in the transforms: it is part of the spread.
    Where that is wider than what single series stray by, the transforms' middle is that of the middle origin already.
    """
    weight = np.where(used, mean / np.where(variance > 0, variance, 1.0), 0.0)
    told = (weight * mean).sum(axis=1)
    sold = (weight * np.where(used, came, 0.0)).sum(axis=1)
    seen = (told > 0) & (sold > 0)
    if not seen.any():
        return 1.0
    found = np.log(sold[seen] / told[seen])
    average = float(found.mean())
    if len(found) < 2 or average == 0:
        return float(np.exp(average))
    between = float(found.var(ddof=1))
    certainty = max(0.0, 1.0 - between / len(found) / average**2)
    single = float(np.median((variance / np.where(mean > 0, mean, 1.0) ** 2)[used]))
    return float(np.exp((1.0 - certainty) * average * single / (single + between)))


def _sums(
    actual: np.ndarray, forecast: np.ndarray, expected: np.ndarray, scored: np.ndarray, length: int, season_length: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """What came, its mean and variance over the first `length` periods from each origin that reaches so far. (k', n)"""
    k, n, s = actual.shape
    spans = -(-length // s) if s else 0
    origins = k - spans + 1 if spans else 0
    if origins <= 0:
        nothing = np.zeros((0, n))
        return nothing, nothing, nothing, nothing.astype(bool)

    def chained(values: np.ndarray, at: int) -> np.ndarray:
        return np.concatenate(list(values[at : at + spans]), axis=1)[:, :length]

    cycle = min(max(season_length, 1), s)
    column = np.arange(length)
    column = np.where(column < s, column, s - cycle + (column - s) % cycle)
    came = np.stack([chained(actual, at).sum(axis=1, dtype=float) for at in range(origins)])
    seen = np.stack([chained(scored, at).all(axis=1) for at in range(origins)])
    mean = forecast[:origins][:, :, column].sum(axis=2, dtype=float)
    return came, mean, expected[:origins][:, :, column].sum(axis=2, dtype=float), seen & (mean > _SMALLEST_JUDGED)


def _ratio_growth(
    pool: _Pool, came: np.ndarray, mean: np.ndarray, variance: np.ndarray, used: np.ndarray
) -> np.ndarray:
    """E[(sum − mean)²] over what independent periods have, by group, pulled to the level above, that to 1. (g,)"""
    ratio = np.minimum((came - mean)[used] ** 2 / variance[used], _LARGEST_RATIO)
    above, result = np.ones(1), []
    for level in range(3):  # everything, classes, sizes of a class
        group = pool.chain[level][: len(came)][used]
        count, top = np.bincount(group, minlength=pool.sizes[level]), np.bincount(group, ratio, pool.sizes[level])
        parent = np.zeros(pool.sizes[level], dtype=int)
        if level == 2:
            parent = pool._to_level(1)
        pull = spreads.GROUP_HALF_WEIGHT
        above = (top + pull * above[parent]) / (count + pull)
        result.append(above)
    return np.concatenate(result)


def _expected(coefficients: np.ndarray, before: np.ndarray | None, level: np.ndarray) -> np.ndarray:
    return np.ones(level.shape) if before is None else spreads.expected_dispersion(coefficients, before, level)


# ---- applying ----


def _between(known: np.ndarray, wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The known length below each wanted one and how far it is to the next, as a share on the log scale."""
    if len(known) < 2:
        return np.zeros(len(wanted), dtype=int), np.zeros(len(wanted))
    low = np.clip(np.searchsorted(known, wanted, side="right") - 1, 0, len(known) - 2)
    share = np.log(np.maximum(wanted, 1e-9) / known[low]) / np.log(known[low + 1] / known[low])
    return low, np.clip(share, 0.0, 1.0)


def _finished(x: np.ndarray, mean: np.ndarray, whole: np.ndarray, unit: np.ndarray) -> np.ndarray:
    """Demand from the table's continuous x: whole numbers, or what lies between them and, in the first unit, nothing.

    x: (n, h, q), overwritten; mean: (n, h); whole, unit: (n,). float32
    """
    parts = whole.astype(bool)
    if not parts.all():
        other = ~parts
        between = np.where(x[other] < 1, 0, x[other] - np.float32(0.5))
        x[other] = between * unit[other, None, None].astype(np.float32)
    np.floor(x, out=x, where=parts[:, None, None])
    np.maximum(x, 0, out=x)
    x[mean <= 0] = 0
    return x
