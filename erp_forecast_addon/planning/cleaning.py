"""Cleaning a panel before it is forecast: returns netted, outliers capped, gaps named (docs/demand.md)."""

from dataclasses import dataclass, replace

import numpy as np

from erp_forecast_addon.planning import periods
from erp_forecast_addon.planning.errors import Fault
from erp_forecast_addon.planning.forecasting import seasonality
from erp_forecast_addon.planning.messages import _
from erp_forecast_addon.planning.panel import Panel
from erp_forecast_addon.planning.settings import Period

# Below so many periods with demand nobody can say what is usual, so nothing is capped.
MIN_DEMANDS = 8
# What the largest tenth of a series' demands reach is usual for it: weekend and month-end peaks lie below.
USUAL_QUANTILE = 0.9
# The spread counts at least as half the median: many series sell the same quantity nearly every time.
MIN_SPREAD_SHARE = 0.5
_MAD_TO_STD = 1.4826
# A peak that came back about a year before or after, at least half as high, is a season: (lag, tolerance) in periods.
_YEAR: dict[Period, tuple[int, int]] = {"day": (364, 7), "week": (52, 1), "month": (12, 0)}
# Weight that an observed period loses with each period of distance from the one to be filled.
_FADE = 0.9
_ROWS_AT_ONCE = 2048


def clean(panel: Panel, outlier_limit: float) -> tuple[Panel, list[Fault]]:
    """Return a panel without negative demand and with outliers capped, and what was done, one fault per series.

    Days without a movement are already zero demand; out-of-stock periods stay masked and untouched.
    Returns: a period whose returns outweigh its sales is set to 0 and the rest taken from the nearest earlier sales of
    the series; what finds none is dropped and reported (Bad Data).
    Outliers: observed demand above  Q90 + outlier_limit · max(1.4826·MAD, median/2)  of the series' own observed
    non-zero demand is capped there and reported (Outlier), unless the peak recurs a year apart or the series has had
    demand fewer than MIN_DEMANDS times. outlier_limit: in robust standard deviations; larger caps less.
    """
    demand, unmatched = net_returns(panel.demand)
    netted = replace(panel, demand=demand)
    limit = outlier_limits(netted, outlier_limit)
    outlying = netted.observed & (demand > limit[:, None])
    rows = np.flatnonzero(outlying.any(axis=1))
    outlying[rows] &= ~_recurring(demand[rows], limit[rows], panel.period)
    capped = np.where(outlying, limit[:, None], demand)
    faults = _return_faults(panel, unmatched) + _outlier_faults(netted, outlying, limit)
    return replace(panel, demand=capped), faults


def net_returns(demand: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Demand without negative periods (n, t), and the returned quantity that found no earlier sale (n,).

    The total of a series is kept but for that quantity.
    """
    netted = demand.copy()
    owed = np.zeros(len(demand))
    rows = np.flatnonzero((demand < 0).any(axis=1))
    if len(rows):
        by_time = np.ascontiguousarray(demand[rows].T)
        open_qty = np.zeros(len(rows))
        for now in range(len(by_time) - 1, -1, -1):  # over periods, backwards: what is left goes to the one before
            balance = by_time[now] - open_qty
            by_time[now] = np.maximum(balance, 0)
            open_qty = np.maximum(-balance, 0)
        netted[rows] = by_time.T
        owed[rows] = open_qty
    return netted, owed


def outlier_limits(panel: Panel, outlier_limit: float) -> np.ndarray:
    """Demand per period above which a series' period is an outlier; inf where too little is known. (n,)"""
    limit = np.full(panel.n, np.inf)
    for at in range(0, panel.n, _ROWS_AT_ONCE):
        block = slice(at, at + _ROWS_AT_ONCE)
        there = panel.observed[block] & (panel.demand[block] > 0)
        limit[block] = _limits(np.where(there, panel.demand[block], np.nan), outlier_limit)
    return limit


def filled(panel: Panel) -> np.ndarray:
    """Demand with masked periods replaced by the level around them times the season, for models that need values.

    The level is the mean of the observed periods on both sides, each deseasonalised and weighted 0.9^distance; the
    season that of `seasonality.profile`. Periods before a series' first stay as they are; without an observed period
    0 is filled in. (n, t)
    """
    mask = panel.observed
    index = seasonality.profile(panel.demand, mask, panel.season_length)
    season = index[:, seasonality.phases(panel.t, panel.season_length)]
    around = _around(np.where(mask, panel.demand, 0.0), np.where(mask, season, 0.0))
    missing = ~mask & (np.arange(panel.t) >= panel.first[:, None])
    return np.asarray(np.where(missing, around * season, panel.demand))


def _limits(sizes: np.ndarray, outlier_limit: float) -> np.ndarray:
    """sizes: (rows, t), NaN where there was no demand."""
    limit = np.full(len(sizes), np.inf)
    count = np.isfinite(sizes).sum(axis=1)
    ordered = np.sort(sizes, axis=1)  # NaN goes last
    median, usual = _quantile(ordered, count, 0.5), _quantile(ordered, count, USUAL_QUANTILE)
    top = _quantile(ordered, count, 1.0)
    least = usual + outlier_limit * MIN_SPREAD_SHARE * median
    # The spread is worked out only where it can matter: no limit lies below the least one.
    rows = np.flatnonzero((count >= MIN_DEMANDS) & (top > least))
    if len(rows):
        deviation = np.sort(np.abs(sizes[rows] - median[rows, None]), axis=1)
        mad = _MAD_TO_STD * _quantile(deviation, count[rows], 0.5)
        limit[rows] = usual[rows] + outlier_limit * np.maximum(mad, MIN_SPREAD_SHARE * median[rows])
    return limit


def _quantile(ordered: np.ndarray, count: np.ndarray, level: float) -> np.ndarray:
    """Quantile (linear between ranks) of the first `count` values of each sorted row; NaN for none. (rows,)"""
    place = level * np.maximum(count - 1, 0)
    low = place.astype(int)
    high = np.minimum(low + 1, np.maximum(count - 1, 0))
    rows = np.arange(len(ordered))
    share = place - low
    return np.asarray(ordered[rows, low] * (1 - share) + ordered[rows, high] * share)


def _recurring(demand: np.ndarray, limit: np.ndarray, period: Period) -> np.ndarray:
    """Periods about a year from which demand was at least half the limit, too. (rows, t) bool"""
    lag, tolerance = _YEAR[period]
    high = demand >= limit[:, None] / 2
    recurs = np.zeros_like(high)
    t = demand.shape[1]
    for shift in range(lag - tolerance, lag + tolerance + 1):  # at most fifteen shifts of the whole panel
        if shift < t:
            recurs[:, shift:] |= high[:, : t - shift]
            recurs[:, : t - shift] |= high[:, shift:]
    return recurs


def _around(sold: np.ndarray, exposure: np.ndarray) -> np.ndarray:
    """Level around each period: Σ fade^|distance|·sold / Σ fade^|distance|·exposure. (n, t)"""
    totals = [_faded(values) for values in (sold, exposure)]
    known = totals[1] > 0
    return np.asarray(np.where(known, totals[0] / np.where(known, totals[1], 1.0), 0.0))


def _faded(values: np.ndarray) -> np.ndarray:
    """Σ over all periods of fade^|distance| times the value. (n, t)"""
    by_time = np.ascontiguousarray(values.T)
    before, after = by_time.copy(), by_time.copy()
    for now in range(1, len(by_time)):  # over periods: each sum continues the one beside it
        before[now] += _FADE * before[now - 1]
        after[-1 - now] += _FADE * after[-now]
    return np.asarray((before + after - by_time).T)


@dataclass(frozen=True)
class _Largest:
    """The largest capped period of each row: its column and quantity."""

    column: np.ndarray
    qty: np.ndarray


def _largest(demand: np.ndarray, outlying: np.ndarray) -> _Largest:
    column = np.argmax(np.where(outlying, demand, -np.inf), axis=1)
    return _Largest(column, demand[np.arange(len(demand)), column])


def _return_faults(panel: Panel, unmatched: np.ndarray) -> list[Fault]:
    rows = np.flatnonzero(unmatched > 0)
    keys = panel.keys.iloc[rows]
    return [
        Fault(
            "Bad Data",
            _("{qty} more were returned than had been sold up to then; that quantity was left out of the demand."),
            {"qty": round(qty, 6)},
            item_code=item,
            warehouse=warehouse,
        )
        for item, warehouse, qty in zip(keys["item_code"], keys["warehouse"], unmatched[rows].tolist(), strict=True)
    ]


def _outlier_faults(panel: Panel, outlying: np.ndarray, limit: np.ndarray) -> list[Fault]:
    rows = np.flatnonzero(outlying.any(axis=1))
    if not len(rows):
        return []
    largest = _largest(panel.demand[rows], outlying[rows])
    days = periods.to_days(panel.starts)[largest.column]
    keys = panel.keys.iloc[rows]
    template = _(
        "Unusually high demand was capped at {limit} (times: {count}); the largest was {qty} in the {period} from "
        "{start}. If that was real and will come again, enter it as an override."
    )
    columns = zip(
        keys["item_code"], keys["warehouse"], outlying[rows].sum(axis=1).tolist(), limit[rows].round(3).tolist(),
        largest.qty.tolist(), days.tolist(), strict=True,
    )  # fmt: skip
    return [
        Fault(
            "Outlier",
            template,
            {"count": count, "period": panel.period, "limit": cap, "qty": qty, "start": start},
            item_code=item,
            warehouse=warehouse,
        )
        for item, warehouse, count, cap, qty, start in columns  # a sentence per faulty series
    ]
