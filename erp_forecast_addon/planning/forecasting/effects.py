"""What events, signals and prices do to demand: relative effects, learned from groups of series.

A single item sees a holiday once a year among its own noise; its item group sees it clearly. So effects are regressed
on aggregate demand, from the whole company down to the item group in a warehouse, each level pulled towards the one
above (hierarchical Bayesian regression with known variances; Gelman et al., Bayesian Data Analysis, 3rd ed., ch. 15).
Models then see demand as if nothing special had happened, and their forecasts are multiplied by what is known ahead.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from erp_forecast_addon.planning.drivers import Driver
from erp_forecast_addon.planning.forecasting.groups import Grouping, filled, groupings
from erp_forecast_addon.planning.forecasting.rows import in_blocks
from erp_forecast_addon.planning.panel import Panel

LEVELS = ((), ("item_group_parent",), ("item_group",), ("item_group", "warehouse"))
# How large an effect may be expected to be at all, and how far to differ from the level above (deviations).
PRIOR_STD = 0.15
STEP_STD = 0.07
# The day of the month matters to shops whose customers are paid on it, and to few others.
_CALENDAR_STD = 0.06
# Beside the waves each day of the month may differ a little by itself (the last one, that on which wages come), for all
# series alike.
_DAY_OF_MONTH_STD = 0.015
_SEASON_STD = 0.5
# The baseline around a period reaches over so many cycles.
_BASELINE_CYCLES = {7: 5, 52: 1, 12: 1}
_PASSES = 2
# A day on which next to nothing is sold whatever the level (closed) says nothing about the level.
CLOSED_BELOW = 0.3
_FACTOR_RANGE = (0.02, 8.0)
_LEAST_VARIANCE = 1e-4
_DAYS_PER_MONTH_WAVES = 2
# Price elasticity: prior −1 ± 1 (Bijmolt, van Heerde & Pieters 2005 report a mean of −2.6 for consumer goods; most of
# what an ERP sells reacts less), measured against the mean price of the last eight weeks.
_ELASTICITY = (-1.0, 1.0)
# What sells more when it gets dearer is not held against the price; next to no reaction is not worth the time.
_ELASTICITY_RANGE = (-4.0, 0.0)
_LEAST_ELASTICITY = 0.15
_PRICE_MEMORY = {"day": 56, "week": 8, "month": 3}
_PRICE_RANGE = (0.3, 3.0)
CALENDAR = "Day of Month"
_SINGLE_DAY = f"{CALENDAR} Day "
# Two months have to be seen before anything is said about the day of the month.
_MONTHS_FROM = 60


@dataclass(frozen=True)
class Effects:
    """names, kinds: (p,) of the drivers; columns: of the hierarchy that make the groups; labels: (g,) their names;
    coefficients: (g, p) relative effects, 0.12 being 12% more demand at value 1; company: (p,) those of all series
    together, for groups never seen; centre, scale: (p,) of the drivers' values; occurrences: (p,); elasticity: by item
    group name, "" the company's.
    """

    names: tuple[str, ...]
    kinds: tuple[str, ...]
    columns: tuple[str, ...]
    labels: np.ndarray
    coefficients: np.ndarray
    company: np.ndarray
    centre: np.ndarray
    scale: np.ndarray
    occurrences: np.ndarray
    elasticity: dict[str, float]

    def table(self) -> pd.DataFrame:
        """driver, group, uplift_pct, occurrences: what a user is shown of events and signals."""
        told = [at for at, kind in enumerate(self.kinds) if kind != "calendar"]
        g = len(self.labels)
        return pd.DataFrame({
            "driver": np.tile(np.asarray(self.names, dtype=object)[told], g),
            "group": np.repeat(self.labels, len(told)),
            "uplift_pct": (self.coefficients[:, told] * 100).ravel(),
            "occurrences": np.tile(self.occurrences[told], g),
        })  # fmt: skip

    def factors(self, panel: Panel, horizon: int, kinds: tuple[str, ...] | None = None) -> "Factors":
        """The factor on each series' demand in each of t + horizon periods; kinds: of some kinds of drivers only."""
        wanted = np.array([kinds is None or kind in kinds for kind in self.kinds], dtype=bool)
        values, rows = self._relative(panel, horizon, wanted)
        own = None
        if self.elasticity and (kinds is None or "price" in kinds):
            own = _price_factor(panel, horizon, self.elasticity)
        return Factors(values, rows, own)

    def _relative(self, panel: Panel, horizon: int, wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        width = panel.t + horizon
        group = groupings(panel, (self.columns,))[0] if self.columns else groupings(panel, ((),))[0]
        known = group.at(self.labels)
        coefficients = np.where((known >= 0)[:, None], self.coefficients[known], self.company) * wanted
        drivers = _drivers(panel, horizon)
        here = [name for at, name in enumerate(self.names) if name in drivers and wanted[at]]
        scopes = {name: _scope(drivers[name], panel.n) for name in here if drivers[name].values.ndim == 2}
        joint = group.code
        for scope in scopes.values():  # over drivers that not all series see alike
            joint = joint * (int(scope.max(initial=0)) + 2) + scope + 1
        _used, first, rows = np.unique(joint, return_index=True, return_inverse=True)
        relative = np.zeros((len(first), width))
        for name in here:  # over drivers
            at = self.names.index(name)
            own = scopes[name][first] if name in scopes else np.zeros(len(first), dtype=int)
            seen = _standard(_rows_of(drivers[name], own), self.centre[at], self.scale[at])
            relative += coefficients[group.code[first], at][:, None] * seen[:, :width]
        return np.clip(1 + relative, *_FACTOR_RANGE).astype(np.float32), rows.reshape(-1)


@dataclass(frozen=True)
class Factors:
    """values: (u, t + h) factors of drivers in groups; rows: (n,) into values; own: (n, t + h) by price, or None;
    year: the same by the time of the year, or None."""

    values: np.ndarray
    rows: np.ndarray
    own: np.ndarray | None = None
    year: "Factors | None" = None

    def of(self, some: np.ndarray | slice, columns: slice) -> np.ndarray:
        """(len(some), columns) float32"""
        factor = self.values[self.rows[some], columns]
        if self.own is not None:
            factor = factor * self.own[some, columns]
        return np.asarray(factor if self.year is None else factor * self.year.of(some, columns))


def learn_effects(panel: Panel) -> Effects | None:
    """Effects of the panel's drivers and of the day of the month; None where there is nothing to learn from."""
    drivers = _drivers(panel, 0)
    names = [name for name, driver in drivers.items() if driver.kind != "price"]
    if not panel.n or panel.t < 2 * min(panel.season_length, 28) or not (names or _price(panel)):
        return None
    existed = np.arange(panel.t) >= panel.first[:, None]
    demand = filled(panel.demand, panel.observed, existed)
    chosen = [drivers[name] for name in names]
    free = np.array([not _for_all_alike(name) for name in names], dtype=bool)
    moments = [_moments(driver, panel.t) for driver in chosen]
    centre = np.array([moment[0] for moment in moments])
    scale = np.array([moment[1] for moment in moments])
    shares = demand.sum(axis=1, dtype=float)
    coefficients, above, top = np.zeros((1, len(names))), None, np.zeros(len(names))
    top_std = np.array([_prior_std(name, driver) for name, driver in zip(names, chosen, strict=True)])
    levels = groupings(panel, LEVELS)
    alike = np.ones(panel.t)
    for level in levels:
        told = np.ones(len(names), dtype=bool) if above is None else free
        seen = _group_values(level, chosen, told, shares, panel.t, centre, scale)
        parents = np.zeros((level.size, len(names))) if above is None else coefficients[_parents(above, level)]
        spread = top_std if above is None else np.full(int(told.sum()), STEP_STD)
        coefficients = parents.copy()
        coefficients[:, told] = _regress(
            level.totals(demand) / alike, seen, panel.season_length, parents[:, told], spread
        )
        if above is None:
            top = coefficients[0]
            alike = 1 + sum((top[at] * chosen[at].values[: panel.t] for at in np.flatnonzero(~free)), np.zeros(panel.t))
        above = level
    return Effects(
        names=tuple(names),
        kinds=tuple(driver.kind for driver in chosen),
        columns=levels[-1].columns,
        labels=levels[-1].labels,
        coefficients=coefficients,
        company=top,
        centre=centre,
        scale=scale,
        occurrences=np.array([_occurrences(driver, panel.t) for driver in chosen], dtype=int),
        elasticity=_elasticities(panel, demand),
    )


# ---- the regression ------------------------------------------------------------------
def _regress(
    total: np.ndarray, seen: np.ndarray, season_length: int, parents: np.ndarray, spread: np.ndarray
) -> np.ndarray:
    """Relative effects β of each group. total: (g, t); seen: (g, t, p); parents: (g, p) prior means; spread (p,)
    -> (g, p)

    r_t = y_t / b_t − 1 = Σ β_k x_tk + s_phase + ε, b the centred moving average of y over whole cycles, cleared of the
    effects found so far (two passes); β ~ N(parent, spread²), ε ~ N(0, σ²), σ² from the residuals.
    """
    g, t, p = seen.shape
    season = _season_columns(t, season_length)
    both = np.concatenate([seen, np.broadcast_to(season, (g, *season.shape))], axis=2)
    precision = 1 / np.concatenate([spread, np.full(season.shape[1], _SEASON_STD)]) ** 2
    prior = np.concatenate([parents, np.zeros((g, season.shape[1]))], axis=1)
    beta = prior
    factor = np.ones((g, t))
    cycles = _BASELINE_CYCLES.get(season_length, 1)
    gram = np.einsum("gtq,gtr->gqr", both, both)
    for _pass in range(_PASSES):
        base = _centred_mean(total / factor, season_length * cycles)
        ratio = np.where(base > 0, total / np.where(base > 0, base, 1) - 1, 0)
        for _step in range(2):  # the noise and the effects depend on each other
            error = ratio - np.einsum("gtq,gq->gt", both, beta)
            noise = np.maximum((error**2).mean(axis=1), _LEAST_VARIANCE)[:, None]
            inner = gram / noise[:, :, None]
            right = np.einsum("gtq,gt->gq", both, ratio) / noise + prior * precision
            beta = np.linalg.solve(inner + np.diag(precision), right[:, :, None])[:, :, 0]
        factor = np.clip(1 + np.einsum("gtp,gp->gt", seen, beta[:, :p]), *_FACTOR_RANGE)
    return np.asarray(beta[:, :p])


def _season_columns(t: int, season_length: int) -> np.ndarray:
    """A column per phase where two whole cycles were seen, else one constant. (t, season_length or 1)"""
    if t < 2 * season_length:
        return np.ones((t, 1))
    return np.eye(season_length)[np.arange(t) % season_length]


def _centred_mean(values: np.ndarray, width: int) -> np.ndarray:
    """Moving average over `width` periods around each one, over what there is of them at the ends. (g, t)"""
    t = values.shape[1]
    through = np.cumsum(np.pad(values, ((0, 0), (1, 0))), axis=1)
    low = np.maximum(np.arange(t) - width // 2, 0)
    high = np.minimum(np.arange(t) - width // 2 + width, t)
    return np.asarray((through[:, high] - through[:, low]) / (high - low))


def _trailing_mean(values: np.ndarray, memory: int) -> np.ndarray:
    """Mean of the up to `memory` periods before each one; 0 before the second. (n, t)"""
    t = values.shape[1]
    through = np.cumsum(np.pad(values, ((0, 0), (1, 0))), axis=1)
    ends = np.arange(t)
    starts = np.maximum(ends - memory, 0)
    return np.asarray((through[:, ends] - through[:, starts]) / np.maximum(ends - starts, 1))


# ---- what the groups see -------------------------------------------------------------
def _drivers(panel: Panel, horizon: int) -> dict[str, Driver]:
    """The panel's drivers that reach over the horizon, and the day of the month as smooth waves."""
    wide = {name: driver for name, driver in panel.drivers.items() if driver.width >= panel.t + horizon}
    if panel.period != "day" or panel.t < _MONTHS_FROM:
        return wide
    days = panel.starts[0].astype("datetime64[D]") + np.arange(panel.t + max(horizon, _widest(panel) - panel.t))
    month = days.astype("datetime64[M]")
    length = ((month + 1).astype("datetime64[D]") - month.astype("datetime64[D]")).astype(float)
    turn = 2 * np.pi * (days - month.astype("datetime64[D]")).astype(float) / length
    waves = {
        f"{CALENDAR} {kind}{k}": Driver("calendar", wave(k * turn).astype(np.float32), family=CALENDAR)
        for k in range(1, _DAYS_PER_MONTH_WAVES + 1)
        for kind, wave in (("s", np.sin), ("c", np.cos))
    }
    number = days.astype("datetime64[D]") - month.astype("datetime64[D]")
    single = {
        f"{_SINGLE_DAY}{day + 1}": Driver("calendar", (number.astype(int) == day).astype(np.float32), family=CALENDAR)
        for day in range(31)
    }
    return {**wide, **waves, **single}


def _for_all_alike(name: str) -> bool:
    """A single day of the month: seen once a month, and too small to be told apart by groups."""
    return name.startswith(_SINGLE_DAY)


def _prior_std(name: str, driver: Driver) -> float:
    if _for_all_alike(name):
        return _DAY_OF_MONTH_STD
    return _CALENDAR_STD if driver.kind == "calendar" else PRIOR_STD


def _widest(panel: Panel) -> int:
    return max([panel.t, *(driver.width for driver in panel.drivers.values())])


def _moments(driver: Driver, t: int) -> tuple[float, float]:
    """Mean and deviation of a signal's history; an event's values are its own scale."""
    if driver.kind != "signal":
        return 0.0, 1.0
    seen = driver.values[..., :t]
    known = seen[~np.isnan(seen)]
    if not len(known) or known.std() == 0:
        return 0.0, 1.0
    return float(known.mean()), float(known.std())


def _occurrences(driver: Driver, t: int) -> int:
    past = np.nan_to_num(driver.values[..., :t])
    return int((past != 0).sum(axis=-1).max(initial=0))


def _standard(values: np.ndarray, centre: float, scale: float) -> np.ndarray:
    return np.nan_to_num((values - centre) / scale)


def _scope(driver: Driver, n: int) -> np.ndarray:
    """The row of the driver's values that each series sees. (n,)"""
    if driver.values.ndim == 1:
        return np.zeros(n, dtype=int)
    return np.arange(n) if driver.rows is None else np.asarray(driver.rows)


def _rows_of(driver: Driver, rows: np.ndarray) -> np.ndarray:
    if driver.values.ndim == 1:
        return np.broadcast_to(driver.values, (len(rows), driver.width))
    found = driver.values[rows].astype(float)
    found[rows < 0] = np.nan
    return found


def _group_values(
    level: Grouping,
    drivers: list[Driver],
    told: np.ndarray,
    shares: np.ndarray,
    t: int,
    centre: np.ndarray,
    scale: np.ndarray,
) -> np.ndarray:
    """What each group sees of each driver told: the mean over its series, weighted by their demand. (g, t, p)"""
    seen = np.zeros((level.size, t, int(told.sum())))
    weight = np.bincount(level.code, weights=shares, minlength=level.size)
    for column, at in enumerate(np.flatnonzero(told).tolist()):  # over drivers
        driver = drivers[at]
        if driver.values.ndim == 1:
            seen[:, :, column] = _standard(driver.values[:t], centre[at], scale[at])
            continue
        scope = _scope(driver, len(shares))
        inside = scope >= 0
        width = len(driver.values)
        joint = np.bincount(
            level.code[inside] * width + scope[inside], weights=shares[inside], minlength=level.size * width
        ).reshape(level.size, width)
        values = _standard(driver.values[:, :t], centre[at], scale[at])
        seen[:, :, column] = joint @ values / np.maximum(weight, 1e-12)[:, None]
    return seen


def _parents(above: Grouping, level: Grouping) -> np.ndarray:
    """The group above each group of `level`. (g,)"""
    parent = np.zeros(level.size, dtype=int)
    parent[level.code] = above.code
    return parent


# ---- price ---------------------------------------------------------------------------
def _price(panel: Panel) -> Driver | None:
    return next((driver for driver in panel.drivers.values() if driver.kind == "price"), None)


def _relative_price(driver: Driver, panel: Panel, some: slice, width: int) -> np.ndarray:
    """log(price / mean price of the periods before it, as far as they are history); 0 where a price is unknown."""
    price = driver.of(some, panel.n)[:, :width].astype(np.float64)
    known = price > 0
    logs = np.where(known, np.log(np.where(known, price, 1)), 0)
    memory = _PRICE_MEMORY[panel.period]
    ends = np.minimum(np.arange(width), panel.t)
    starts = np.maximum(ends - memory, 0)
    through = np.cumsum(np.pad(logs, ((0, 0), (1, 0))), axis=1)
    count = np.cumsum(np.pad(known, ((0, 0), (1, 0))).astype(float), axis=1)
    seen = count[:, ends] - count[:, starts]
    usual = (through[:, ends] - through[:, starts]) / np.maximum(seen, 1)
    return np.clip(np.where(known & (seen > 0), logs - usual, 0), *np.log(_PRICE_RANGE))


def _elasticities(panel: Panel, demand: np.ndarray) -> dict[str, float]:
    """Price elasticity of each item group, pulled towards the company's, that towards −1. {} without prices.

    Relative demand y/b − 1 regressed on the relative price with weights b; both are relative to the same past, b being
    the mean demand of the periods that the usual price is the mean of.
    """
    driver = _price(panel)
    if driver is None:
        return {}
    level = groupings(panel, (("item_group",), ()))[0]
    sums = np.zeros((3, panel.n))
    memory = _PRICE_MEMORY[panel.period]

    def fill(block: slice) -> None:
        moved = _relative_price(driver, panel, block, panel.t)
        base = _trailing_mean(demand[block].astype(float), memory)
        seen = panel.observed[block] & (base > 0)
        gap = np.where(seen, demand[block] - base, 0)
        base = np.where(seen, base, 0)
        sums[0, block] = (base * moved**2).sum(axis=1)
        sums[1, block] = (gap * moved).sum(axis=1)
        sums[2, block] = (gap**2).sum(axis=1) / np.maximum(base.sum(axis=1), 1e-9)

    in_blocks(fill, panel.n, 1)
    moved_any = sums[0] > 0
    if not moved_any.any():
        return {}
    mean, std = _ELASTICITY
    # Demand of neighbouring days shares its level, so a price step counts like fewer independent days.
    noise = float(np.median(sums[2][moved_any])) * panel.season_length
    inner, right = sums[0].sum() / noise, sums[1].sum() / noise
    company = (right + mean / std**2) / (inner + 1 / std**2)
    inner_by, right_by = (np.bincount(level.code, weights=part, minlength=level.size) / noise for part in sums[:2])
    own = (right_by + company / (std / 2) ** 2) / (inner_by + 1 / (std / 2) ** 2)
    found = {"": company, **dict(zip(level.labels, own.tolist(), strict=True))}
    found = {label: float(np.clip(value, *_ELASTICITY_RANGE)) for label, value in found.items()}
    return found if min(found.values()) < -_LEAST_ELASTICITY else {}


def _price_factor(panel: Panel, horizon: int, elasticity: dict[str, float]) -> np.ndarray | None:
    driver = _price(panel)
    width = panel.t + horizon
    if driver is None or driver.width < width:
        return None
    level = groupings(panel, (("item_group",), ()))[0]
    by_group = np.array([elasticity.get(label, elasticity[""]) for label in level.labels])[level.code]
    factor = np.empty((panel.n, width), dtype=np.float32)

    def fill(block: slice) -> None:
        moved = _relative_price(driver, panel, block, width)
        factor[block] = np.exp(by_group[block, None] * moved)

    in_blocks(fill, panel.n, 2)
    return factor
