"""What a forecast is made of: parts in units that add up to it, period by period.

The pipeline keeps the mean after each of its stages; a part is what a stage changed, and the main model's own path is
taken apart into level, trend and season. So the parts add up by construction, whatever models and drivers there are:

    forecast = level + trend + season + events + price + combination + learning + alignment + lifecycle + override
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from erp_forecast_addon.planning.forecasting.backtest import Ground
from erp_forecast_addon.planning.forecasting.effects import Factors
from erp_forecast_addon.planning.messages import _
from erp_forecast_addon.planning.panel import Panel
from erp_forecast_addon.planning.wording import readable

# What a user is told each part is, in the order of the sum.
PARTS: dict[str, str] = {
    "level": _("Level"),
    "trend": _("Trend"),
    "season": _("Season"),
    "combination": _("Combination with other models"),
    "events": _("Effect of events"),
    "price": _("Effect of the price"),
    "learning": _("Learning from all items"),
    "alignment": _("Alignment with group totals"),
    "lifecycle": _("Launch or phase-out"),
    "override": _("Override"),
}
# The stages in their order and the part that each one's change is; the drivers' change is shared among several.
STAGES: dict[str, str] = {
    "model": "level", "combined": "combination", "drivers": "events", "boosted": "learning", "aligned": "alignment",
    "lifecycle": "lifecycle", "override": "override",
}  # fmt: skip
# The kinds of drivers (drivers.py) behind the parts that they have; the day of the month is a season too.
KINDS_OF_DRIVERS: dict[str, tuple[str, ...]] = {
    "events": ("event", "signal"), "price": ("price",), "season": ("calendar",),
}  # fmt: skip
# A path shorter than a season is a trend if its slope changes by no more than this share of its range in all.
_STRAIGHT = 0.25
_SMALLEST_FACTOR = 1e-6
# What changes less than this share of the total is not worth a word.
_WORTH_A_WORD = 0.01

LEVEL_ALONE = _("The forecast of {total} is the recent level; nothing else changes it by more than 1%.")
ONE_CHANGE = _("Of the forecast of {total}, {level} is the recent level; {first} changes it by {first_qty}.")
TWO_CHANGES = _(
    "Of the forecast of {total}, {level} is the recent level; {first} changes it by {first_qty}, {second} by "
    "{second_qty}."
)
NO_DEMAND = _("Nothing is forecast.")


def explain(
    stages: Mapping[str, np.ndarray], factors: Mapping[str, np.ndarray], season_length: int
) -> dict[str, np.ndarray]:
    """Parts (n, h) float64 by the names of PARTS; their sum is the last stage, exactly but for floating point.

    stages: (n, h) means after each stage, "model" and any of the others of STAGES; factors: (n, h) multiplicative
    effects on demand by the part they belong to (of KINDS_OF_DRIVERS), which made "drivers" of "combined";
    season_length: periods of the season. Parts that nothing was done for are zeros.
    """
    path = np.asarray(stages["model"], dtype=float)
    parts = {name: np.zeros_like(path) for name in PARTS}
    parts["level"], parts["trend"], parts["season"] = decompose(path, season_length)
    before = path
    for stage, part in STAGES.items():
        if stage == "model" or stage not in stages:
            continue
        after = np.asarray(stages[stage], dtype=float)
        changes = {part: after - before} if stage != "drivers" else _by_driver(before, after, factors)
        for name, change in changes.items():
            parts[name] = parts[name] + change
        before = after
    return parts


def driver_factors(known: Ground, panel: Panel, horizon: int) -> dict[str, np.ndarray]:
    """What drivers multiply demand with in each of the `horizon` periods, by the part that it belongs to. (n, horizon)

    The time of the year belongs to the season. Kinds of drivers that have no influence on any series are left out.
    """
    ahead, effects = slice(panel.t, panel.t + horizon), known.effects
    found = {
        part: effects.factors(panel, horizon, kinds).of(slice(None), ahead) for part, kinds in KINDS_OF_DRIVERS.items()
    } if effects is not None else {}  # fmt: skip
    if known.yearly is not None:
        year = Factors(*known.yearly.of(panel, horizon)).of(slice(None), ahead)
        found["season"] = year * found["season"] if "season" in found else year
    return {part: factor for part, factor in found.items() if (factor != 1.0).any()}


def before_override(stages: Mapping[str, np.ndarray]) -> np.ndarray | None:
    """The means (n, h) as they were before overrides; None where there are none."""
    before = [name for name in STAGES if name in stages and name != "override"]
    return stages[before[-1]] if "override" in stages else None


def decompose(path: np.ndarray, season_length: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Level, trend and season of forecast paths (n, h), each (n, h).

    Level: the mean of the first cycle. Trend: the change of the cycles' means since then, on straight lines between the
    cycles' middles. Season: the rest. Of less than a whole cycle nobody can tell trend and season apart: a path that
    runs straight is level and trend, any other level and season.
    """
    h = path.shape[1]
    if h < season_length or season_length < 2:
        return _of_part_of_a_cycle(path)
    cycles = h // season_length
    means = path[:, : cycles * season_length].reshape(len(path), cycles, season_length).mean(axis=2)
    level = np.repeat(means[:, :1], h, axis=1)
    if cycles == 1:
        return level, np.zeros_like(path), path - level
    middle = (np.arange(cycles) + 0.5) * season_length - 0.5
    left = np.clip(np.searchsorted(middle, np.arange(h)) - 1, 0, cycles - 2)
    share = (np.arange(h) - middle[left]) / season_length
    trend = means[:, left] * (1 - share) + means[:, left + 1] * share - level
    return level, trend, path - level - trend


def _of_part_of_a_cycle(path: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    bends = np.abs(np.diff(path, n=2, axis=1)).sum(axis=1)
    straight = (bends <= _STRAIGHT * np.ptp(path, axis=1))[:, None]
    level = np.where(straight, path[:, :1], path.mean(axis=1, keepdims=True)) * np.ones_like(path)
    rest = path - level
    return level, np.where(straight, rest, 0.0), np.where(straight, 0.0, rest)


def _by_driver(before: np.ndarray, after: np.ndarray, factors: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The change shared among the drivers by the logarithms of their factors (logarithmic mean Divisia index, Ang 2005,
    The LMDI approach to decomposition analysis): the same whichever is taken first, and nothing is left over.
    """
    known = {part: np.asarray(factor, dtype=float) for part, factor in factors.items() if part in KINDS_OF_DRIVERS}
    change = after - before
    if len(known) < 2:
        return {next(iter(known), "events"): change}
    logs = {part: np.log(np.maximum(factor, _SMALLEST_FACTOR)) for part, factor in known.items()}
    size = _logarithmic_mean(before, after)
    parts = {part: size * log for part, log in logs.items()}
    # What clipping and rounding of the factors left goes where most happened.
    rest = change - np.sum(list(parts.values()), axis=0)
    largest = np.argmax(np.abs(np.stack(list(logs.values()))), axis=0)
    return {part: value + np.where(largest == at, rest, 0.0) for at, (part, value) in enumerate(parts.items())}


def _logarithmic_mean(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(b − a) / ln(b / a); a where they are equal, 0 where one is not above 0."""
    positive = (a > 0) & (b > 0)
    x, y = np.where(positive, a, 1.0), np.where(positive, b, 1.0)
    log = np.log(y / x)
    same = np.abs(log) < 1e-9
    return np.where(positive, np.where(same, x, (y - x) / np.where(same, 1.0, log)), 0.0)


def totals(parts: Mapping[str, np.ndarray], weights: np.ndarray, decimals: int = 4) -> list[dict[str, float]]:
    """Per series the parts of a total, without those that are 0, and the "total" that they add up to as written.

    weights: (h,) how much of each period belongs to the total (day_shares summed over the days). A dict per series is
    what the records hold; it is built once per run.
    """
    names = list(parts)
    sums = np.round(np.stack([part @ weights for part in parts.values()], axis=1), decimals) + 0.0
    written = []
    for row, total in zip(sums.tolist(), np.round(sums.sum(axis=1), decimals).tolist(), strict=True):
        written.append({**{name: value for name, value in zip(names, row, strict=True) if value}, "total": total})
    return written


def sentence(parts: Mapping[str, float], translate: Callable[[str], str] = str) -> str:
    """One sentence on the parts of a total, as `totals` gives them: the level, and what changes it most."""
    total = parts.get("total", 0.0)
    level = parts.get("level", 0.0)
    if not total and not level:
        return translate(NO_DEMAND)
    changes = [
        (name, qty) for name, qty in parts.items()
        if name in PARTS and name != "level" and abs(qty) > _WORTH_A_WORD * max(abs(total), abs(level))
    ]  # fmt: skip
    changes.sort(key=lambda change: -abs(change[1]))
    values: dict[str, Any] = {"total": _plain(total), "level": _plain(level)}
    for place, (name, qty) in zip(("first", "second"), changes, strict=False):
        values |= {place: translate(PARTS[name]), f"{place}_qty": f"{'+' if qty > 0 else ''}{_plain(qty)}"}
    template = (LEVEL_ALONE, ONE_CHANGE, TWO_CHANGES)[min(len(changes), 2)]
    return translate(template).format(**values)


def _plain(qty: float) -> int | float:
    return readable(np.array([qty]), 2 if abs(qty) < 10 else 0)[0]
