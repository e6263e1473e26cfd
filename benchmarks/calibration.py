"""Are the quantiles right? Calibration per period and of sums over lead times, and the pinball loss of the M5.

    python -m benchmarks.calibration --data ../shared/data --set m5|man [--origins 1745,1773,…] [--every K]
        [--tier fast|full]

DIR holds m5/ and spare_parts/man.parquet. From each origin the panel is forecast with what was known then; the sums
come from `ForecastSet.total_quantiles`. Calibration is judged by
eval/quantiles.py beside the data (randomised probability integral transform of 99 quantiles), where that exists; shown
is the share of transforms ≤ τ minus τ, in percentage points: 0 is right, above 0 they are too high; at the median also
origin by origin. Pinball loss:
mean over the nine M5 levels, days and series, scaled by the series' mean absolute daily change up to the origin, beside
empirical quantiles by weekday of the last 8 weeks and of all days of the last 26 weeks. Series whose demand never
changed before the origin have no scale and are left out of it.
"""

import argparse
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd

from benchmarks.m5_data import m5_panel, read_sales
from benchmarks.scripts import load_script
from benchmarks.wide_table import read_wide_table
from erp_forecast_addon.planning.forecasting.forecast import ForecastSet, forecast_panel
from erp_forecast_addon.planning.panel import Panel
from erp_forecast_addon.planning.settings import PlanSettings, Tier

M5_LEVELS = np.array([0.005, 0.025, 0.165, 0.25, 0.5, 0.75, 0.835, 0.975, 0.995])
PERCENTS = np.arange(1, 100) / 100
ALL_LEVELS = np.unique(np.round(np.concatenate([M5_LEVELS, PERCENTS]), 4))
TAUS = (0.5, 0.8, 0.9, 0.95, 0.98)
SUM_WEEKS = (1, 2, 4, 8)
M5_ORIGINS = (1745, 1773, 1801, 1829, 1857, 1885)
FIRST_M5_DAY = 1495
# The longest lead time lies within the horizon, as in a run; days are judged as in the competition.
M5_HORIZON, M5_JUDGED = 56, 28
DAYS_PER_PERIOD = {"day": 1, "week": 7}
# Rows judged at once: the judge works in double precision.
_ROWS = 200_000


@dataclass
class Case:
    """One origin: the panel known then, what came (n, periods) as far as it is known, the periods to forecast, and how
    many of them are judged one by one.
    """

    name: str
    panel: Panel
    future: np.ndarray
    horizon: int
    judged: int


@dataclass
class Transforms:
    """Transforms of many observations with their class and the mean forecast of their series, origin by origin."""

    value: list[np.ndarray] = field(default_factory=list)
    mean: list[np.ndarray] = field(default_factory=list)
    demand_class: list[np.ndarray] = field(default_factory=list)

    def add(self, judge: ModuleType, quantiles: np.ndarray, came: np.ndarray, of: ForecastSet) -> None:
        """quantiles: (n, h, 99); came: (n, h)."""
        flat, actual = quantiles.reshape(-1, len(PERCENTS)), came.ravel()
        blocks = range(0, len(actual), _ROWS)
        seed = 1000 * len(self.value)
        self.value.append(
            np.concatenate([
                judge.pit(PERCENTS, flat[at : at + _ROWS], actual[at : at + _ROWS], seed=seed + number)
                for number, at in enumerate(blocks)
            ])
        )  # fmt: skip
        steps = came.shape[1]
        self.mean.append(np.repeat(of.mean.mean(axis=1), steps))
        self.demand_class.append(np.repeat(of.demand_class.astype(str), steps))

    def show(self, title: str) -> None:
        value, mean, classes = (np.concatenate(part) for part in (self.value, self.mean, self.demand_class))
        origin = np.repeat(np.arange(len(self.value)), [len(part) for part in self.value])
        print(f"\n{title}: share of transforms <= tau minus tau, points; by origin at the median")
        _line("all", value, origin)
        thirds = np.digitize(mean, np.quantile(mean, [1 / 3, 2 / 3]))
        for number, name in enumerate(("low third", "middle third", "high third")):
            _line(name, value[thirds == number], origin[thirds == number])
        for name in np.unique(classes):
            _line(str(name), value[classes == name], origin[classes == name])


def _line(name: str, value: np.ndarray, origin: np.ndarray) -> None:
    """Deviations over all origins and, at the median, of each: series move together, so that a handful of origins is a
    handful of observations, however many series there are."""
    if len(value):
        shares = "".join(f"{100 * (float((value <= tau).mean()) - tau):+8.1f}" for tau in TAUS)
        each = " ".join(
            f"{100 * float((value[origin == at] <= 0.5).mean() - 0.5):+.1f}" for at in np.unique(origin).tolist()
        )
        print(f"  {name:14s}{shares}   n {len(value):<7d} | {each}")


# ---- the data ----


def m5_cases(data: Path, origins: list[int], every: int) -> list[Case]:
    sales = read_sales(data / "m5").iloc[::every].reset_index(drop=True)
    demand = sales[[name for name in sales.columns if name.startswith("d_")]].to_numpy(dtype=float)
    return [
        Case(
            f"d_{origin}",
            m5_panel(data / "m5", sales, origin, M5_HORIZON),
            demand[:, origin - FIRST_M5_DAY + 1 :],
            M5_HORIZON,
            M5_JUDGED,
        )
        for origin in origins or M5_ORIGINS
    ]


def man_cases(data: Path, origins: list[int], every: int) -> list[Case]:
    table = read_wide_table(data / "spare_parts" / "man.parquet", None)
    demand = np.maximum(table.demand[::every], 0.0)
    n, t = demand.shape
    sold = demand > 0
    panel = Panel(
        keys=pd.DataFrame({"item_code": [f"{at:07d}" for at in range(n)], "warehouse": "All"}, dtype=object),
        period="week",
        starts=table.starts.astype("datetime64[ns]"),
        demand=demand,
        in_stock=np.ones(demand.shape, dtype=bool),
        first=np.where(sold.any(axis=1), np.argmax(sold, axis=1), t - 1),
    )
    horizon = max(SUM_WEEKS)
    return [
        Case(f"week {origin}", panel.before(origin), demand[:, origin:], horizon, horizon)
        for origin in origins or [t - horizon * back for back in range(6, 0, -1)]
    ]


# ---- pinball ----


def scaled_pinball(case: Case, of: ForecastSet) -> np.ndarray:
    """Of our quantiles, of those by weekday and of those of all days. (3,)"""
    history, came = case.panel.demand, case.future[:, : case.judged]
    changes = np.abs(np.diff(history, axis=1))
    existed = np.arange(1, history.shape[1]) > case.panel.first[:, None]
    scale = np.where(existed, changes, 0.0).sum(axis=1) / np.maximum(existed.sum(axis=1), 1)
    weeks = history[:, -56:].reshape(len(history), -1, 7)
    by_weekday = np.quantile(weeks, M5_LEVELS, axis=1).transpose(1, 2, 0)
    all_days = np.quantile(history[:, -182:], M5_LEVELS, axis=1).T[:, None]
    ours = of.quantiles[:, : case.judged, np.searchsorted(ALL_LEVELS, M5_LEVELS)]
    used = scale > 0
    candidates = (ours, np.tile(by_weekday, (1, case.judged // 7, 1)), all_days)
    return np.array([(_pinball(part, came)[used] / scale[used]).mean() for part in candidates])


def _pinball(quantiles: np.ndarray, came: np.ndarray) -> np.ndarray:
    """Mean over steps and the nine levels. quantiles: (n, h or 1, 9); came: (n, h); (n,)"""
    losses = np.zeros(len(came))
    for number, level in enumerate(M5_LEVELS):  # over levels: bounds the memory
        gap = came - quantiles[:, :, number]
        losses += np.maximum(level * gap, (level - 1.0) * gap).mean(axis=1)
    return losses / len(M5_LEVELS)


# ---- the whole ----


def main() -> None:
    cli = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    cli.add_argument("--data", type=Path, default=Path("../shared/data"))
    cli.add_argument("--set", choices=("m5", "man"), required=True, dest="which")
    cli.add_argument("--origins", default="", help="comma-separated: days of the M5, weeks of man; default: six")
    cli.add_argument("--every", type=int, default=1, help="only every K-th series")
    cli.add_argument("--tier", choices=("fast", "full"), default="fast")
    args = cli.parse_args()
    origins = [int(part) for part in args.origins.split(",") if part]
    judge = load_script(args.data.resolve().parent / "eval" / "quantiles.py")
    if judge is None:
        print(f"calibration is not judged: there is no eval/quantiles.py beside {args.data}")
    cases = (m5_cases if args.which == "m5" else man_cases)(args.data, origins, args.every)
    measure(cases, judge, args.tier)


def measure(cases: list[Case], judge: ModuleType | None, tier: Tier) -> None:
    by_period, sums = Transforms(), {weeks: Transforms() for weeks in SUM_WEEKS}
    losses: list[np.ndarray] = []
    for case in cases:  # over origins
        settings = replace(
            PlanSettings("Benchmark"), period=case.panel.period, tier=tier, quantile_levels=tuple(ALL_LEVELS)
        )
        begin = time.perf_counter()
        made = forecast_panel(case.panel, case.horizon, settings)
        print(f"{case.name}: {case.panel.n} series forecast in {time.perf_counter() - begin:.1f} s", end="", flush=True)
        if case.panel.period == "day":
            losses.append(scaled_pinball(case, made))
            ours, weekday, all_days = losses[-1]
            best = min(weekday, all_days)
            print(
                f"; pinball {ours:.4f}, by weekday {weekday:.4f}, all days {all_days:.4f}, ratio {ours / best:.3f}",
                end="",
            )
        print()
        if judge is not None:
            came = case.future[:, : case.judged]
            columns = np.searchsorted(ALL_LEVELS, PERCENTS)
            by_period.add(judge, made.quantiles[:, : case.judged, columns], came, made)
            _add_sums(sums, judge, case, made)
    if losses:
        ours, weekday, all_days = np.mean(losses, axis=0)
        below = 100 * (1 - ours / min(weekday, all_days))
        print(f"pinball over all origins: {ours:.4f}, {below:.1f}% below the better reference")
    if judge is not None:
        by_period.show("per period")
        for weeks, transforms in sums.items():
            if transforms.value:
                transforms.show(f"sums over {weeks} weeks")


def _add_sums(sums: dict[int, Transforms], judge: ModuleType, case: Case, made: ForecastSet) -> None:
    days_per_period = DAYS_PER_PERIOD[case.panel.period]
    for weeks, transforms in sums.items():  # over lead times
        periods = 7 * weeks // days_per_period
        if periods <= case.future.shape[1]:
            quantiles = made.total_quantiles(7 * weeks, PERCENTS)[:, None]
            transforms.add(judge, quantiles, case.future[:, :periods].sum(axis=1, keepdims=True), made)


if __name__ == "__main__":
    main()
