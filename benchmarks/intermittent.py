"""Intermittent demand: our forecasts beside those of statsforecast, over four origins inside the last year.

    python -m benchmarks.intermittent --data FILE [--period week|month|day] [--horizon N]
        [--models AutoETS,TSB,…] [--every N] [--slow-every N] [--windows N] [--cache DIR]

FILE: any wide table (parquet or csv) of ids and period columns; the period is inferred from their names or given.
Periods without a value, and those with ten times the usual total (first loads, stock takes), are left out: unknown to
us, filled with their neighbours' mean for the others. Returns are netted with earlier sales, separately before and
after the origin. Items with demand before the first origin are scored. RMSSE: root of the mean squared error over the
mean squared change of the item's history; pinball: mean over the levels 0.05 … 0.95, over the mean absolute change;
both are means over items and origins. The others' quantiles come from ConformalIntervals with the same number of
windows for all; no quantile is below 0. Seconds are those of all four origins on both cores. With --slow-every AutoETS
is run on every N-th item only and its seconds are scaled to all; our scores on the same items stand beneath it. Needs
the extra `benchmarks`.
"""

import argparse
import hashlib
import time
import warnings
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.wide_table import WideTable, read_wide_table
from erp_forecast_addon.planning import cleaning
from erp_forecast_addon.planning.forecasting import metrics
from erp_forecast_addon.planning.forecasting.forecast import forecast_panel
from erp_forecast_addon.planning.panel import Panel
from erp_forecast_addon.planning.settings import PlanSettings

LEVELS = tuple(round(0.05 * step, 2) for step in range(1, 20))
ORIGINS = 4
HORIZON = {"day": 28, "week": 8, "month": 3}
YEAR = {"day": 365, "week": 52, "month": 12}
OURS = "this project"
# Peers that may be run on a sample.
SLOW = ("AutoETS",)
PEERS = ("CrostonSBA", "TSB", "IMAPA", "ADIDA", "AutoETS", "DynamicOptimizedTheta")


@dataclass(frozen=True)
class Forecasts:
    """mean (n, h), quantiles (n, h, levels), seconds it took."""

    mean: np.ndarray
    quantiles: np.ndarray
    seconds: float


def origins_of(t: int, horizon: int, period: str) -> list[int]:
    """Four origins whose windows end within the last year, without overlap where four fit."""
    step = min(horizon, max(1, (YEAR[period] - horizon) // (ORIGINS - 1)))
    return [t - horizon - step * back for back in range(ORIGINS - 1, -1, -1)]


def ours(table: WideTable, history: np.ndarray, horizon: int) -> Forecasts:
    n, t = history.shape
    panel = Panel(
        keys=pd.DataFrame({"item_code": [f"{at:07d}" for at in range(n)], "warehouse": "All"}, dtype=object),
        period=table.period,
        starts=table.starts[:t].astype("datetime64[ns]"),
        demand=history,
        in_stock=np.broadcast_to(table.known[:t], history.shape).copy(),
        first=np.zeros(n, dtype=np.int64),
    )
    settings = replace(PlanSettings("Benchmark"), period=table.period, quantile_levels=LEVELS)
    begin = time.perf_counter()
    made = forecast_panel(panel, horizon, settings)
    return Forecasts(made.mean, made.quantiles, time.perf_counter() - begin)


def peers_forecast(name: str, history: np.ndarray, horizon: int, season: int, windows: int) -> Forecasts:
    """statsforecast on both cores, quantiles included."""
    from statsforecast import StatsForecast, models
    from statsforecast.utils import ConformalIntervals

    seasonal = {"season_length": season} if name in ("AutoETS", "DynamicOptimizedTheta") else {}
    smoothed = {"alpha_d": 0.2, "alpha_p": 0.2} if name == "TSB" else {}
    n, t = history.shape
    long = pd.DataFrame({
        "unique_id": np.repeat(np.arange(n), t), "ds": np.tile(np.arange(t), n), "y": history.reshape(-1)
    })  # fmt: skip
    widths = [round(100 * (1 - 2 * level)) for level in LEVELS if level < 0.5]
    begin = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of models that do not converge on some series
        made = StatsForecast(models=[getattr(models, name)(**seasonal, **smoothed)], freq=1, n_jobs=2).forecast(
            df=long, h=horizon, level=widths, prediction_intervals=ConformalIntervals(n_windows=windows, h=horizon)
        )
    seconds = time.perf_counter() - begin
    made = made.sort_values(["unique_id", "ds"])
    mean = made[name].to_numpy().reshape(n, horizon)
    columns = [_quantile_column(name, level) for level in LEVELS]
    quantiles = np.stack([made[column].to_numpy().reshape(n, horizon) for column in columns], axis=2)
    return Forecasts(np.maximum(mean, 0), np.maximum(quantiles, 0), seconds)


def _quantile_column(name: str, level: float) -> str:
    if level == 0.5:
        return name
    width = round(abs(100 - 200 * level))
    return f"{name}-{'lo' if level < 0.5 else 'hi'}-{width}"


def cached_peer(
    name: str, history: np.ndarray, horizon: int, season: int, windows: int, cache: Path | None
) -> Forecasts:
    if cache is None:
        return peers_forecast(name, history, horizon, season, windows)
    key = hashlib.sha256(np.ascontiguousarray(history).tobytes() + f"{horizon} {season} {windows}".encode())
    path = cache / f"{name}-{key.hexdigest()[:16]}.npz"
    if path.exists():
        with np.load(path) as stored:
            return Forecasts(stored["mean"], stored["quantiles"], float(stored["seconds"]))
    made = peers_forecast(name, history, horizon, season, windows)
    cache.mkdir(parents=True, exist_ok=True)
    np.savez(path, mean=made.mean, quantiles=made.quantiles, seconds=made.seconds)
    return made


def with_neighbours(history: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Left-out periods as the mean of the known ones beside them, for methods that need a value everywhere."""
    filled = history.copy()
    at = np.flatnonzero(known)
    for unknown in np.flatnonzero(~known):  # over left-out periods
        beside = [*at[at < unknown][-1:], *at[at > unknown][:1]]
        filled[:, unknown] = history[:, beside].mean(axis=1)
    return filled


def scores(made: Forecasts, actual: np.ndarray, history: np.ndarray, known: np.ndarray) -> dict[str, np.ndarray]:
    """rmsse, pinball (scaled), units (pinball in units) per item; NaN where the history never changed."""
    seen = np.broadcast_to(known, history.shape)
    everywhere = np.ones(actual.shape, dtype=bool)
    squared = metrics.naive_squared_error(history, seen)
    absolute = metrics.naive_absolute_error(history, seen)
    loss = metrics.pinball(actual, made.quantiles, np.asarray(LEVELS), everywhere)
    scaled = np.where(absolute > 0, loss / np.where(absolute > 0, absolute, 1), np.nan)
    return {"rmsse": metrics.rmsse(actual, made.mean, everywhere, squared), "pinball": scaled, "units": loss}


def main() -> None:
    cli = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    cli.add_argument("--data", type=Path, required=True)
    cli.add_argument("--period", choices=("day", "week", "month"))
    cli.add_argument("--horizon", type=int, help="periods; 8 weeks, 3 months or 28 days if not given")
    cli.add_argument("--models", default=",".join(PEERS), help="peers to run, comma separated; empty: none")
    cli.add_argument("--every", type=int, default=1, help="only every N-th item")
    cli.add_argument("--slow-every", type=int, default=1, help=f"only every N-th item for {', '.join(SLOW)}")
    cli.add_argument("--windows", type=int, default=2, help="windows of ConformalIntervals")
    cli.add_argument(
        "--earlier", type=int, default=0, help="end the data so many periods earlier, to choose methods by"
    )
    cli.add_argument("--cache", type=Path, help="keep the others' forecasts here")
    args = cli.parse_args()
    table = read_wide_table(args.data, args.period)
    horizon = args.horizon or HORIZON[table.period]
    t = table.demand.shape[1] - args.earlier
    origins = origins_of(t, horizon, table.period)
    if origins[0] < 2 * horizon:
        raise SystemExit(f"{t} periods are too few for {ORIGINS} origins with a horizon of {horizon}")
    moved = (np.where(table.known, table.demand, 0)[:, : origins[0]] > 0).any(axis=1)
    demand = table.demand[moved][:: args.every]
    print(
        f"{args.data.name}: {len(demand)} items with demand before the first origin, {t} {table.period}s, horizon "
        f"{horizon}, origins {origins}" + (f", left out: {', '.join(table.left_out)}" if table.left_out else "")
    )
    season = {"day": 7, "week": 52, "month": 12}[table.period]
    names = [OURS, *[name for name in args.models.split(",") if name]]
    seconds = dict.fromkeys(names, 0.0)
    results: dict[str, list[dict[str, np.ndarray]]] = {name: [] for name in names}
    for origin in origins:
        history, _ = cleaning.net_returns(demand[:, :origin])
        actual, _ = cleaning.net_returns(demand[:, origin : origin + horizon])
        known = table.known[:origin]
        history = np.where(known, history, 0.0)
        filled = with_neighbours(history, known)
        for name in names:
            some = slice(None, None, args.slow_every if name in SLOW else 1)
            made = (
                ours(table, history, horizon)
                if name == OURS
                else cached_peer(name, filled[some], horizon, season, args.windows, args.cache)
            )
            seconds[name] += made.seconds * len(history) / len(made.mean)
            results[name].append(scores(made, actual[some], history[some], known))
    print(f"{'':24s} {'RMSSE':>8s} {'pinball':>8s} {'in units':>9s} {'seconds':>9s} {'x ours':>7s}")
    for name in names:
        times = seconds[name] / max(seconds[OURS], 1e-9)
        print(f"{name:24s} {_row(results[name])} {seconds[name]:9.1f} {times:7.1f}")
        if name in SLOW and args.slow_every > 1:
            print(f"  on every {args.slow_every}th item, seconds scaled to all; this project on the same items:")
            print(f"{'':24s} {_row(results[OURS], args.slow_every)}")


def _row(results: list[dict[str, np.ndarray]], every: int = 1) -> str:
    """Means over the origins and every so many items."""
    rmsse, pinball, units = (
        float(np.nanmean(np.stack([part[score][::every] for part in results])))
        for score in ("rmsse", "pinball", "units")
    )
    return f"{rmsse:8.4f} {pinball:8.4f} {units:9.3f}"


if __name__ == "__main__":
    main()
