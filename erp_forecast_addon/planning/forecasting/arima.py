"""ARIMA for the few series whose value earns it: fitted one by one, in processes of their own, within a time budget.

Seasonal ARIMA with errors by maximum likelihood (Box & Jenkins 1970; Hyndman & Athanasopoulos, FPP3, ch. 9) from
statsmodels' SARIMAX, which skips missing values. The order comes from a small set by the corrected information
criterion AICc (Hurvich & Tsai 1989), differenced alike so that their likelihoods can be compared. There is no panel
form: each series is its own optimisation, hence the processes, and with them the only clock and files in planning.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from erp_forecast_addon.planning.forecasting import seasonality
from erp_forecast_addon.planning.forecasting.backtest import origins_and_steps
from erp_forecast_addon.planning.messages import _
from erp_forecast_addon.planning.panel import Panel

# (p, q) that are tried at the differencing found; with a season the best of them also with one seasonal term.
ORDERS = ((0, 1), (1, 0), (1, 1), (2, 1), (0, 2))
SEASONAL_ORDERS = ((1, 0), (0, 1))
# A year of weeks as a state space takes seconds per fit; the year is divided out instead.
LONGEST_STATE_SEASON = 12
# Below so many observed periods there is nothing to estimate an order from.
MIN_OBSERVED = 24
# The most recent periods are enough to fit with, and keep a fit short.
MAX_PERIODS = 400
# A series is differenced if that takes away so much of its standard deviation (seasonal strength, FPP3 4.3, likewise).
_DIFFERENCE_BELOW = 0.9
# What a series may take at most, as a share of the whole budget and in seconds.
_SERIES_SHARE = 0.25
_SERIES_SECONDS = 20.0
# Forecasts beyond so many times the largest demand seen are those of a model that ran away.
_RUNAWAY = 3.0
_LEAST_INDEX = 0.05
_MOST_STEPS = 40
# How often the series that are done are counted.
_LOOK_SECONDS = 1.0
NAME = "ARIMA"


@dataclass(frozen=True)
class ArimaResult:
    """rows: (d,) positions in the panel that were fitted in time; forecasts: (d, horizon) float32, ≥ 0;
    backtests: (k, d, s) float32, forecasts from the origins of backtest.origins_and_steps, NaN where one was not made;
    reasons: row -> (template, values), for every row that was asked for, also those that were not done.
    """

    rows: np.ndarray
    forecasts: np.ndarray
    backtests: np.ndarray
    reasons: dict[int, tuple[str, dict[str, Any]]]


def fit_arima(
    panel: Panel,
    rows: np.ndarray,
    horizon: int,
    seconds: float,
    workers: int,
    progress: Callable[[int], None] = lambda done: None,
) -> ArimaResult:
    """Fit the rows of a cleaned panel, the first ones first, until `seconds` are over. Never raises for a series.

    rows: positions, most valuable first; workers: processes. Each is a fresh interpreter that imports planning only, so
    that this also works inside a worker of a job queue, whose daemonic processes may not have children of
    multiprocessing, and carries over no connection. A series that fails, takes too long or comes too late is not among
    the result's rows and its reason says why; the forecast of the panel models stays. Order and parameters of the
    backtests come from before their first origin; the forecast's parameters are fitted on everything. Which series
    are done depends on the speed of the machine; what is forecast for one does not. progress: told how many are done.
    """
    rows = np.asarray(rows, dtype=np.int64)
    origins, steps = origins_and_steps(panel.t, horizon, panel.period)
    shape = (len(origins), 0, steps)
    if not len(rows) or seconds <= 0:
        return ArimaResult(rows[:0], np.zeros((0, horizon), np.float32), np.zeros(shape, np.float32), _late(rows))
    with tempfile.TemporaryDirectory(prefix="arima-") as folder:
        answers = _run(Path(folder), panel, rows, origins, steps, horizon, seconds, workers, progress)
    done = [row for row in rows.tolist() if "forecast" in answers.get(row, {})]
    forecasts = np.array([answers[row]["forecast"] for row in done], dtype=np.float32).reshape(len(done), horizon)
    backtests = np.array([answers[row]["backtests"] for row in done], dtype=np.float32)
    backtests = backtests.reshape(len(done), len(origins), steps).transpose(1, 0, 2)
    reasons = {row: _reason(answers.get(row)) for row in rows.tolist()}
    return ArimaResult(np.array(done, dtype=np.int64), forecasts, backtests, reasons)


def better_rows(result: ArimaResult, actual: np.ndarray, scored: np.ndarray, past: np.ndarray) -> np.ndarray:
    """Which of result.rows ARIMA forecast better in the backtest than what they have. (d,) bool

    actual, past: (k, n, s) demand and the present forecasts at the same origins; scored: (k, n, s) bool. Squared errors
    over all origins; where one was not made, or nothing was scored, the present forecast stays.
    """
    at = result.rows
    made = scored[:, at]
    complete = (np.isfinite(result.backtests) | ~made).all(axis=(0, 2))
    theirs = np.where(made, actual[:, at] - np.nan_to_num(result.backtests), 0).astype(float)
    present = np.where(made, actual[:, at] - past[:, at], 0).astype(float)
    less = (theirs**2).sum(axis=(0, 2)) < (present**2).sum(axis=(0, 2))
    return np.asarray(complete & made.any(axis=(0, 2)) & less)


def _late(rows: np.ndarray) -> dict[int, tuple[str, dict[str, Any]]]:
    return {row: _reason(None) for row in rows.tolist()}


def _reason(answer: dict[str, Any] | None) -> tuple[str, dict[str, Any]]:
    if answer is None:
        return _("ARIMA was not tried: the time set for it was over."), {}
    if "forecast" in answer:
        return _("ARIMA {order}, the order of least AICc ({aicc})."), {
            "order": answer["order"], "aicc": answer["aicc"]
        }  # fmt: skip
    if answer["failed"] == "short":
        return _("ARIMA was not fitted: fewer than {least} periods with known demand."), {"least": MIN_OBSERVED}
    if answer["failed"] == "time":
        return _("ARIMA was given up after {seconds} seconds."), {"seconds": answer["seconds"]}
    return _("ARIMA could not be fitted: {error}."), {"error": answer["error"]}


# ---- processes ----


def _run(
    folder: Path,
    panel: Panel,
    rows: np.ndarray,
    origins: tuple[int, ...],
    steps: int,
    horizon: int,
    seconds: float,
    workers: int,
    progress: Callable[[int], None],
) -> dict[int, dict[str, Any]]:
    """Answers by row. Process w takes every `workers`-th row and writes one line per series as soon as it is done."""
    values = np.where(panel.observed[rows], panel.demand[rows], np.nan)
    np.savez(folder / "task.npz", values=values, origins=np.array(origins, dtype=np.int64))
    each = min(_SERIES_SECONDS, max(seconds * _SERIES_SHARE, 0.5))
    began = time.monotonic()
    count = min(max(workers, 1), len(rows))
    running = []
    for worker in range(count):  # over processes
        task = {
            "folder": str(folder), "first": worker, "step": count, "steps": steps, "horizon": horizon,
            "season": panel.season_length, "seconds": seconds, "each": each,
        }  # fmt: skip
        running.append(_start(task, folder / f"errors-{worker}.txt"))
    files = [folder / f"answers-{worker}.jsonl" for worker in range(count)]
    for process in running:
        _end(process, began + seconds, lambda: progress(_lines_in(files)))
    answers: dict[int, dict[str, Any]] = {}
    for worker in range(count):
        if running[worker].returncode > 0:
            said = (folder / f"errors-{worker}.txt").read_text(errors="replace").strip().splitlines()
            broken = {"failed": "error", "error": said[-1][:200] if said else str(running[worker].returncode)}
            answers.update({int(row): broken for row in rows[worker::count]})
        lines = files[worker].read_text().splitlines(keepends=True) if files[worker].exists() else []
        for line in lines:
            if line.endswith("\n"):  # the last one may be cut off by the end of the time
                answer = json.loads(line)
                answers[int(rows[answer["at"]])] = answer
    return answers


def _end(process: "subprocess.Popen[bytes]", until: float, meanwhile: Callable[[], None]) -> None:
    """Wait for it, until then at the latest; `meanwhile` is called now and then."""
    until = max(until, time.monotonic() + 0.1)
    while True:
        left = until - time.monotonic()
        try:
            process.wait(min(max(left, 0.0), _LOOK_SECONDS))
            return
        except subprocess.TimeoutExpired:
            if left <= _LOOK_SECONDS:
                process.kill()
                process.wait()
                return
            meanwhile()


def _lines_in(files: list[Path]) -> int:
    return sum(path.read_bytes().count(b"\n") for path in files if path.exists())


def _start(task: dict[str, Any], errors: Path) -> "subprocess.Popen[bytes]":
    root = str(Path(__file__).resolve().parents[3])
    path = os.pathsep.join([root, *filter(None, [os.environ.get("PYTHONPATH")])])
    # One thread each: the processes are what runs side by side.
    threads = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    with errors.open("wb") as stderr:
        return subprocess.Popen(
            [sys.executable, "-m", __name__, json.dumps(task)],
            env={**os.environ, **threads, "PYTHONPATH": path},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=stderr,
        )


def _work(task: dict[str, Any]) -> None:
    """What one process does."""
    began = time.monotonic()
    folder = Path(task["folder"])
    with np.load(folder / "task.npz") as stored:
        values, origins = stored["values"], stored["origins"].tolist()
    with (folder / f"answers-{task['first']}.jsonl").open("a") as out:
        for at in range(task["first"], len(values), task["step"]):  # a fit per series has no array form
            left = task["seconds"] - (time.monotonic() - began)
            if left <= 0:
                return
            answer = _answer(values[at], origins, task, min(left, task["each"]))
            out.write(json.dumps({"at": at, **answer}) + "\n")
            out.flush()


def _answer(values: np.ndarray, origins: list[int], task: dict[str, Any], seconds: float) -> dict[str, Any]:
    if np.isfinite(values[: origins[0] if origins else len(values)]).sum() < MIN_OBSERVED:
        return {"failed": "short"}
    clock = _Clock(time.monotonic() + seconds)
    try:
        return _forecasts(values, origins, task["steps"], task["horizon"], task["season"], clock)
    except _OutOfTimeError:
        return {"failed": "time", "seconds": round(seconds, 1)}
    except Exception as error:  # whatever one series does to the optimiser, the others are fitted; the reason is kept
        return {"failed": "error", "error": f"{type(error).__name__}: {error}"[:200]}


# ---- one series ----


class _OutOfTimeError(Exception):
    """The series has used up its time."""


@dataclass(frozen=True)
class _Clock:
    end: float

    def check(self, *_anything: Any) -> None:
        """Called back by the optimiser after each step, so that a slow fit ends too."""
        if time.monotonic() > self.end:
            raise _OutOfTimeError


@dataclass(frozen=True)
class _Order:
    order: tuple[int, int, int]
    seasonal: tuple[int, int, int, int]
    constant: bool

    def __str__(self) -> str:
        season = f"({','.join(map(str, self.seasonal[:3]))})[{self.seasonal[3]}]" if any(self.seasonal[:3]) else ""
        return f"({','.join(map(str, self.order))}){season}"


@dataclass(frozen=True)
class _Scaled:
    """A series as it is fitted: the last MAX_PERIODS before `origin`, deseasonalised, in units of its deviation.

    index: (season,) seasonal indices by phase from `origin` on.
    """

    values: np.ndarray
    origin: int
    index: np.ndarray
    unit: float

    def later(self, series: np.ndarray) -> np.ndarray:
        """More of the same series, scaled alike."""
        return (series / self._season(np.arange(len(series))) / self.unit)[-MAX_PERIODS:]

    def back(self, scaled: np.ndarray, first: int) -> np.ndarray:
        """Forecasts of the periods from `first` on as demand, never negative."""
        season = self._season(np.arange(first, first + len(scaled)))
        return np.asarray(np.maximum(scaled * self.unit * season, 0))

    def _season(self, periods: np.ndarray) -> np.ndarray:
        return np.asarray(np.maximum(self.index[(periods - self.origin) % len(self.index)], _LEAST_INDEX))


def _forecasts(
    values: np.ndarray, origins: list[int], steps: int, horizon: int, season: int, clock: _Clock
) -> dict[str, Any]:
    """Order and parameters from before the first origin make the backtests; fitted once more, the forecast."""
    before = _scaled(values[: origins[0] if origins else len(values)], season)
    order, found = _best_order(before, season, clock)
    past = [
        _checked(
            before.back(found.apply(before.later(values[:origin])).forecast(steps), origin), values[:origin], order
        )
        for origin in origins  # at most three
    ]
    clock.check()
    whole = _scaled(values, season)
    ahead = whole.back(_fitted(whole.values, order, clock).forecast(horizon), len(values))
    return {
        "forecast": _checked(ahead, values, order).tolist(), "backtests": [part.tolist() for part in past],
        "order": str(order), "aicc": round(float(found.aicc), 1),
    }  # fmt: skip


def _best_order(scaled: _Scaled, season: int, clock: _Clock) -> tuple[_Order, Any]:
    """Least AICc: first over (p, q), then over seasonal terms beside the best of them, all differenced alike."""
    values = scaled.values
    seasonal = 2 <= season <= LONGEST_STATE_SEASON and np.isfinite(values).sum() >= 3 * season
    d = int(_std(np.diff(values)) < _DIFFERENCE_BELOW * _std(values))
    lagged = values[season:] - values[:-season] if seasonal else values
    big_d = int(seasonal and not d and _std(lagged) < _DIFFERENCE_BELOW * _std(values))
    constant = not d and not big_d
    plain = (0, big_d, 0, season) if big_d else (0, 0, 0, 0)
    best = _least([_Order((p, d, q), plain, constant) for p, q in ORDERS], values, clock)
    if seasonal:
        beside = [_Order(best[0].order, (p, big_d, q, season), constant) for p, q in SEASONAL_ORDERS]
        best = min(best, _least(beside, values, clock), key=lambda found: float(found[1].aicc))
    return best


def _least(orders: list[_Order], values: np.ndarray, clock: _Clock) -> tuple[_Order, Any]:
    tried = []
    for order in orders:  # at most five
        clock.check()
        tried.append((order, _fitted(values, order, clock)))
    finite = [found for found in tried if np.isfinite(found[1].aicc)]
    if not finite:
        raise ValueError("no order has a finite AICc")
    return min(finite, key=lambda found: float(found[1].aicc))


def _scaled(values: np.ndarray, season: int) -> _Scaled:
    """A cycle that is too long for the state space is divided out; a short one is left to the seasonal terms."""
    index = np.ones(season)
    if season > LONGEST_STATE_SEASON:
        index = seasonality.profile(np.nan_to_num(values)[None], np.isfinite(values)[None], season)[0]
    plain = _Scaled(values, len(values), index, 1.0)
    unit = _std(plain.later(values))
    if unit <= 0:
        raise ValueError("the demand never changed")
    return _Scaled(plain.later(values) / unit, len(values), index, unit)


def _checked(made: np.ndarray, values: np.ndarray, order: _Order) -> np.ndarray:
    most = float(np.nanmax(values))
    if not np.isfinite(made).all() or made.max() > _RUNAWAY * most:
        raise ValueError(f"{order} runs away: {made.max():.3g} after at most {most:.3g}")
    return made


def _std(values: np.ndarray) -> float:
    known = values[np.isfinite(values)]
    return float(known.std()) if len(known) else 0.0


def _fitted(values: np.ndarray, order: _Order, clock: _Clock) -> Any:
    from statsmodels.tsa.statespace.sarimax import SARIMAX  # takes a second to import, and only these processes need it

    trend = "c" if order.constant else None
    model = SARIMAX(values, order=order.order, seasonal_order=order.seasonal, trend=trend, concentrate_scale=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of starting values and convergence; the backtest judges the result
        return model.fit(disp=False, maxiter=_MOST_STEPS, callback=clock.check, cov_type="none")


if __name__ == "__main__":
    _work(json.loads(sys.argv[1]))
