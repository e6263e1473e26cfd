"""Events, signals and prices as the trees see them. All is known ahead, so periods beyond the origin may be read."""

from dataclasses import dataclass

import numpy as np

from erp_forecast_addon.planning.drivers import Driver
from erp_forecast_addon.planning.forecasting.boosting.context import Context
from erp_forecast_addon.planning.forecasting.boosting.rhythm import RHYTHM
from erp_forecast_addon.planning.panel import Panel

# An event with so many separate occurrences in the history is told apart by itself, not only by its family.
FREQUENT_OCCURRENCES = 6
FREQUENT_SHARE = 0.7
MAX_FREQUENT = 4
MAX_FAMILIES = 10
MAX_SIGNALS = 20
# Distance to an event beyond which it does not matter any more, in periods.
FAR = 8
# Weight of "no effect" in a group's mean demand on an event's periods, in known periods.
_PULL_PERIODS = 20.0


@dataclass(frozen=True)
class DriverPlan:
    """Which drivers become which features; fixed when a model is trained.

    families: event families, those most often seen first; named: events that the history holds (a number each);
    frequent: events whose effect on the groups is told; signals, price: drivers told as they are.
    """

    families: tuple[str, ...]
    named: tuple[str, ...]
    frequent: tuple[str, ...]
    signals: tuple[str, ...]
    price: str | None


def plan_drivers(panel: Panel) -> DriverPlan:
    """Deterministic: drivers in order of their names."""
    names = sorted(panel.drivers)
    events = [name for name in names if panel.drivers[name].kind == "event"]
    seen = {name: _occurrences(panel.drivers[name], panel.t) for name in events}
    families = dict.fromkeys((_family(panel, name) for name in events), 0)
    for name in events:
        families[_family(panel, name)] += seen[name][0]
    occurring = [family for family in families if families[family]]
    by_size = sorted(occurring, key=lambda family: (-families[family], family))
    frequent = [name for name in events if seen[name][0] >= FREQUENT_OCCURRENCES and seen[name][1] <= FREQUENT_SHARE]
    frequent.sort(key=lambda name: -seen[name][0])
    prices = [name for name in names if panel.drivers[name].kind == "price"]
    return DriverPlan(
        families=tuple(by_size[:MAX_FAMILIES]),
        named=tuple(name for name in events if seen[name][0] > 0 and name not in frequent)[:200],
        frequent=tuple(sorted(frequent[:MAX_FREQUENT])),
        signals=tuple(name for name in names if panel.drivers[name].kind == "signal")[:MAX_SIGNALS],
        price=prices[0] if prices else None,
    )


def event_features(
    plan: DriverPlan,
    panel: Panel,
    context: Context,
    row: np.ndarray,
    end: np.ndarray,
    target: np.ndarray,
) -> dict[str, np.ndarray]:
    """Per family: strength on the target period, periods since the last and until the next one; effects on groups."""
    found: dict[str, np.ndarray] = {}
    events = sorted(name for name in panel.drivers if panel.drivers[name].kind == "event")
    for family in plan.families:  # over event families, which are few
        names = tuple(name for name in events if _family(panel, name) == family)
        strength = _strength(panel, names)
        at_row = row if len(strength) > 1 else np.zeros_like(row)
        found[f"event: {family}"] = _at(strength, at_row, target, 0.0)
        if any(name not in plan.frequent for name in names):
            since, until = _distances(strength)
            found[f"since event: {family}"] = _at(since, at_row, target, FAR)
            found[f"until event: {family}"] = _at(until, at_row, target, FAR)
    if plan.named:
        found["event name"] = _event_number(plan, panel, row, target)
    for name in plan.frequent:  # over frequent events, which are few
        for level in ("department", "item"):
            if (level, name) in context.on_event:
                found[f"{level} effect: {name}"] = _effect(name, level, panel, context, row, end, target)
    for name in plan.signals:
        if name in panel.drivers:
            found[f"signal: {name}"] = _at(panel.drivers[name].of(slice(None), panel.n), row, target, np.nan)
    return found


def price_features(
    plan: DriverPlan, panel: Panel, context: Context, row: np.ndarray, end: np.ndarray, target: np.ndarray
) -> dict[str, np.ndarray]:
    """Price on the target period against its own past, against the last cycle's and against its group's mean."""
    if plan.price is None or plan.price not in panel.drivers:
        return {}
    driver = panel.drivers[plan.price]
    rhythm = RHYTHM[panel.period]
    price = np.array(driver.of(slice(None), panel.n), dtype=np.float64)
    price[~(price > 0)] = np.nan
    now = _at(price, row, target, np.nan)
    mean = _RunningMean(price)
    group = context.price
    to_group = np.full(len(row), np.nan)
    if group is not None:
        code = context.codes["department"][row]
        to_group = np.where(code >= 0, now / _at(group, np.maximum(code, 0), target, np.nan), np.nan)
    return {
        "price": np.log(now),
        "price to past": now / mean(row, end, rhythm.base),
        "price to long past": now / mean(row, end, 4 * rhythm.base),
        "price change": now / _at(price, row, target - max(rhythm.cycle, 1), np.nan),
        "price to group": to_group,
    }


class _RunningMean:
    """Mean of the known values of a window before `end`."""

    def __init__(self, values: np.ndarray) -> None:
        known = np.isfinite(values)
        zero = np.zeros((len(values), 1))
        self._sum = np.concatenate([zero, np.cumsum(np.where(known, values, 0), axis=1)], axis=1)
        self._count = np.concatenate([zero, np.cumsum(known, axis=1)], axis=1)

    def __call__(self, row: np.ndarray, end: np.ndarray, window: int) -> np.ndarray:
        stop = np.minimum(end, self._sum.shape[1] - 1)
        start = np.maximum(stop - window, 0)
        count = self._count[row, stop] - self._count[row, start]
        total = self._sum[row, stop] - self._sum[row, start]
        return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _family(panel: Panel, name: str) -> str:
    return panel.drivers[name].family or name


def _occurrences(driver: Driver, t: int) -> tuple[int, float]:
    """How often the event began within the first t periods and the share of them it took, in the busiest scope."""
    there = np.nan_to_num(np.atleast_2d(driver.values)[:, :t]) > 0
    begins = there & ~np.concatenate([np.zeros((len(there), 1), dtype=bool), there[:, :-1]], axis=1)
    return int(begins.sum(axis=1).max(initial=0)), float(there.mean(axis=1).max(initial=0.0))


def _strength(panel: Panel, names: tuple[str, ...]) -> np.ndarray:
    """The greatest of some events' values per period; (1, w) if all of them are for all series alike, else (n, w)."""
    parts = [panel.drivers[name] for name in names]
    width = max((part.width for part in parts), default=panel.t)
    alike = all(part.values.ndim == 1 for part in parts)
    strength = np.zeros((1 if alike else panel.n, width), dtype=np.float32)
    for part in parts:  # over the events of a family
        values = part.values[None, :] if part.values.ndim == 1 else part.of(slice(None), panel.n)
        np.maximum(strength[:, : part.width], np.nan_to_num(values), out=strength[:, : part.width])
    return strength


def _distances(strength: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Periods since the last and until the next event, at least 1 as the period itself is told apart; at most FAR."""
    there = strength > 0
    w = there.shape[1]
    position = np.arange(w)
    last = np.maximum.accumulate(np.where(there, position, -FAR - w), axis=1)
    following = np.minimum.accumulate(np.where(there, position, 2 * w + FAR)[:, ::-1], axis=1)[:, ::-1]
    before = np.concatenate([np.full((len(there), 1), -FAR - w), last[:, :-1]], axis=1)
    after = np.concatenate([following[:, 1:], np.full((len(there), 1), 2 * w + FAR)], axis=1)
    return np.minimum(position - before, FAR), np.minimum(after - position, FAR)


def distance_to_event(plan: DriverPlan, panel: Panel, row: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Periods between each row's target and the nearest event that is not frequent, before or after; at most FAR."""
    names = tuple(name for name in plan.named if name in panel.drivers)
    strength = _strength(panel, names)
    at_row = row if len(strength) > 1 else np.zeros_like(row)
    since, until = _distances(strength)
    nearest = np.where(strength > 0, 0, np.minimum(since, until))
    return np.asarray(_at(nearest, at_row, target, FAR))


def _event_number(plan: DriverPlan, panel: Panel, row: np.ndarray, target: np.ndarray) -> np.ndarray:
    """1 + the number of the named event on the target period, 0: none. The first by name, if there are several."""
    number = np.zeros(len(row))
    for at, name in reversed(list(enumerate(plan.named))):  # over events
        if name in panel.drivers:
            strength = _strength(panel, (name,))
            there = _at(strength, row if len(strength) > 1 else np.zeros_like(row), target, 0.0) > 0
            number = np.where(there, at + 1, number)
    return number


def _effect(
    name: str, level: str, panel: Panel, context: Context, row: np.ndarray, end: np.ndarray, target: np.ndarray
) -> np.ndarray:
    """Mean demand of the group on the event's past periods over that of all periods, where the event is on; else 1."""
    code = context.codes[level][row]
    here, everywhere = context.on_event[level, name], context.pasts[level]
    total, count = here.sum_count(code, end, end)
    mean = everywhere.mean(code, end, end)
    usable = (code >= 0) & (mean > 0)
    mean = np.where(usable, mean, 1.0)
    effect = (total + _PULL_PERIODS * mean) / ((count + _PULL_PERIODS) * mean)
    if name not in panel.drivers:
        return np.ones(len(row))
    on = _at(panel.drivers[name].of(slice(None), panel.n), row, target, 0.0)
    return np.where(usable & (on > 0), effect, 1.0)


def _at(values: np.ndarray, row: np.ndarray, column: np.ndarray, beyond: float) -> np.ndarray:
    """values[row, column]; `beyond` where the column is outside."""
    inside = (column >= 0) & (column < values.shape[1])
    return np.where(inside, values[row, np.where(inside, column, 0)], beyond)
