"""ARIMA for the few series whose value earns it: fitted one by one, in processes of their own, within a time budget.

Seasonal ARIMA with errors by maximum likelihood (Box & Jenkins 1970; Hyndman & Athanasopoulos, FPP3, ch. 9) from
statsmodels' SARIMAX, which skips missing values. The order comes from a small set by the corrected information criterion
AICc (Hurvich & Tsai 1989), differenced alike so that their likelihoods can be compared. A panel model has no such form:
each series is its own optimisation, hence the processes.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from erp_forecast_addon.planning.forecasting import seasonality
from erp_forecast_addon.planning.forecasting.backtest import origins_and_steps
from erp_forecast_addon.planning.messages import _
from erp_forecast_addon.planning.panel import Panel

# (p, q) that are tried at the differencing found; with a season each also with one seasonal term.
ORDERS = ((0, 1), (1, 0), (1, 1), (2, 1), (0, 2))
SEASONAL_ORDERS = ((0, 0), (1, 0), (0, 1))
# A year of weeks as a state space takes seconds per fit; the year is divided out instead (see _season_of).
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


def fit_arima(panel: Panel, rows: np.ndarray, horizon: int, seconds: float, workers: int) -> ArimaResult:
    """Fit the rows of a cleaned panel, the first ones first, until `seconds` are over. Never raises for a series.

    rows: positions, most valuable first; workers: processes. Each is a fresh interpreter that imports planning only, so
    that this also works inside a worker of a job queue, whose daemonic processes may not have children of
    multiprocessing, and carries over no connection. A series that fails, takes too long or comes too late is not among
    the result's rows and its reason says why; the forecast of the panel models stays. The order is chosen before the
    first backtest origin and kept, so that the backtest has not seen what it forecasts. Which series are done depends
    on the speed of the machine; what is forecast for one does not.
    """
    rows = np.asarray(rows, dtype=np.int64)
    origins, steps = origins_and_steps(panel.t, horizon, panel.period)
    shape = (len(origins), 0, steps)
    if not len(rows) or seconds <= 0:
        return ArimaResult(rows[:0], np.zeros((0, horizon), np.float32), np.zeros(shape, np.float32), _late(rows))
    with tempfile.TemporaryDirectory(prefix="arima-") as folder:
        answers = _run(Path(folder), panel, rows, origins, steps, horizon, seconds, workers)
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
        running.append(_start(task))
    for process in running:
        try:
            process.wait(max(0.1, began + seconds - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    answers = {}
    for worker in range(count):
        path = folder / f"answers-{worker}.jsonl"
        lines = path.read_text().splitlines(keepends=True) if path.exists() else []
        for line in lines:
            if line.endswith("\n"):  # the last one may be cut off by the end of the time
                answer = json.loads(line)
                answers[int(rows[answer["at"]])] = answer
    return answers


def _start(task: dict[str, Any]) -> "subprocess.Popen[bytes]":
    root = str(Path(__file__).resolve().parents[3])
    path = os.pathsep.join([root, *filter(None, [os.environ.get("PYTHONPATH")])])
    # One thread each: the processes are what runs side by side.
    threads = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, "-m", __name__, json.dumps(task)],
        env={**os.environ, **threads, "PYTHONPATH": path},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
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


def _forecasts(
    values: np.ndarray, origins: list[int], steps: int, horizon: int, season: int, clock: _Clock
) -> dict[str, Any]:
    order, aicc = _best_order(values[: origins[0] if origins else len(values)], season, clock)
    past = [_ahead(values[:origin], order, steps, season, clock).tolist() for origin in origins]
    forecast = _ahead(values, order, horizon, season, clock)
    return {"forecast": forecast.tolist(), "backtests": past, "order": str(order), "aicc": round(aicc, 1)}


def _best_order(values: np.ndarray, season: int, clock: _Clock) -> tuple[_Order, float]:
    scaled, _index, _unit = _prepared(values, season)
    best: tuple[_Order, float] | None = None
    for order in _candidates(scaled, season):
        clock.check()
        aicc = float(_fitted(scaled, order, clock).aicc)
        if np.isfinite(aicc) and (best is None or aicc < best[1]):
            best = order, aicc
    if best is None:
        raise ValueError("no order has a finite AICc")
    return best


def _candidates(scaled: np.ndarray, season: int) -> list[_Order]:
    """All at the same differencing."""
    d = int(_std(np.diff(scaled)) < _DIFFERENCE_BELOW * _std(scaled))
    seasonal = 2 <= season <= LONGEST_STATE_SEASON and np.isfinite(scaled).sum() >= 3 * season
    lagged = scaled[season:] - scaled[:-season] if seasonal else scaled
    big_d = int(seasonal and not d and _std(lagged) < _DIFFERENCE_BELOW * _std(scaled))
    pairs = SEASONAL_ORDERS if seasonal else SEASONAL_ORDERS[:1]
    return [
        _Order((p, d, q), (sp, big_d, sq, season) if sp or sq or big_d else (0, 0, 0, 0), not d and not big_d)
        for p, q in ORDERS
        for sp, sq in pairs
    ]


def _ahead(values: np.ndarray, order: _Order, steps: int, season: int, clock: _Clock) -> np.ndarray:
    """Mean demand of the next `steps` periods, never negative. (steps,)"""
    scaled, index, unit = _prepared(values, season)
    clock.check()
    line = np.asarray(_fitted(scaled, order, clock).forecast(steps), dtype=float) * unit
    made = np.maximum(line * seasonality.ahead(index, steps)[0], 0)
    if not np.isfinite(made).all() or made.max() > _RUNAWAY * np.nanmax(values) + unit:
        raise ValueError(f"{order} runs away: {made.max():.3g} after at most {np.nanmax(values):.3g}")
    return np.asarray(made)


def _prepared(values: np.ndarray, season: int) -> tuple[np.ndarray, np.ndarray, float]:
    """The last MAX_PERIODS in units of their standard deviation, the season divided out (1, season), the unit."""
    index = _season_of(values, season)
    level = values / np.maximum(index[0, seasonality.phases(len(values), season)], 0.05)
    recent = level[-MAX_PERIODS:]
    unit = _std(recent)
    if unit <= 0:
        raise ValueError("the demand never changed")
    return recent / unit, index, unit


def _season_of(values: np.ndarray, season: int) -> np.ndarray:
    """A cycle that is too long for the state space is divided out; a short one is left to the seasonal terms."""
    if season <= LONGEST_STATE_SEASON:
        return np.ones((1, season))
    mask = np.isfinite(values)[None]
    return seasonality.profile(np.nan_to_num(values)[None], mask, season)


def _std(values: np.ndarray) -> float:
    known = values[np.isfinite(values)]
    return float(known.std()) if len(known) else 0.0


def _fitted(scaled: np.ndarray, order: _Order, clock: _Clock) -> Any:
    from statsmodels.tsa.statespace.sarimax import SARIMAX  # takes a second to import, and only these processes need it

    model = SARIMAX(
        scaled,
        order=order.order,
        seasonal_order=order.seasonal,
        trend="c" if order.constant else None,
        concentrate_scale=True,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of starting values and convergence; the backtest judges the result
        return model.fit(disp=False, maxiter=50, callback=clock.check, cov_type="none")


if __name__ == "__main__":
    _work(json.loads(sys.argv[1]))
