"""Quantiles of demand over a lead time: the sum over the next days, as many for each series as it needs."""

from datetime import date

import numpy as np

from erp_forecast_addon.planning.errors import BadInput
from erp_forecast_addon.planning.forecasting import quantiles
from erp_forecast_addon.planning.forecasting.day_shares import steps_and_lengths
from erp_forecast_addon.planning.forecasting.mixtures import LEVELS
from erp_forecast_addon.planning.forecasting.own_past import OwnPast, pooled
from erp_forecast_addon.planning.forecasting.rows import in_blocks
from erp_forecast_addon.planning.messages import _
from erp_forecast_addon.planning.settings import Period

# Rows whose days are laid out at once: bounds the memory.
_ROWS = 1024


def total_quantiles(
    spread: quantiles.Spread,
    mean: np.ndarray,
    whole: np.ndarray,
    starts: np.ndarray,
    period: Period,
    as_of: date,
    days: np.ndarray | float,
    levels: np.ndarray,
    *,
    own_past: OwnPast | None = None,
    workers: int = 1,
) -> np.ndarray:
    """Quantiles of the demand of the `days` days after as_of, ≥ 0, rising with the level, whole for counts.

    mean: (n, h) per period from `starts` (h,) on; days: one number or (n,), ≥ 0, parts of a day allowed; levels: (q,)
    in (0, 1), rising. Returns (n, q). A period's mean and variance lie evenly over its days, as in
    `ForecastSet.daily_mean`; days beyond the last period repeat the last season. The window of exactly one period has
    that period's quantiles. own_past: of the same rows, what is mixed into longer sums; None: nothing.
    Raises BadInput for a negative or infinite number of days.
    """
    wanted = np.broadcast_to(np.asarray(days, dtype=float), (len(mean),))
    if not (np.isfinite(wanted) & (wanted >= 0)).all():
        raise BadInput(_("A sum of demand needs a finite number of days, 0 or more."))
    n_days = int(np.ceil(wanted.max(initial=0.0)))
    step, length = steps_and_lengths(starts, period, as_of, n_days)
    result = np.zeros((len(mean), len(levels)), dtype=np.float32)

    def fill(rows: slice) -> None:
        own = spread.select(rows)
        total = _over(mean[rows][:, step] / length, wanted[rows])
        variance = _over(own.variance(mean[rows])[:, step] / length, wanted[rows])
        window = _over(np.broadcast_to(1.0 / length, (1, n_days)).repeat(len(total), axis=0), wanted[rows])

        def forecast(some: np.ndarray, at: np.ndarray) -> np.ndarray:
            return quantiles.of_totals(
                own.select(some), total[some], variance[some], window[some], at, whole[rows][some]
            )  # fmt: skip

        past = None if own_past is None else own_past.select(rows)
        mixes = np.zeros(len(total), dtype=bool) if past is None else past.share_of(window) > 0.0
        found = np.empty((len(total), len(levels)), dtype=np.float32)
        found[~mixes] = forecast(np.flatnonzero(~mixes), levels)
        if past is not None and mixes.any():
            some = np.flatnonzero(mixes)
            lift = _over(past.lift[some][:, step] / length, wanted[rows][some]) / window[some]
            found[some] = pooled(
                past.select(some), forecast(some, LEVELS), window[some], lift, whole[rows][some], levels
            )  # fmt: skip
        result[rows] = found

    in_blocks(fill, len(mean), workers, _ROWS)
    return result


def _over(daily: np.ndarray, days: np.ndarray) -> np.ndarray:
    """Sum over the first `days` (n,) days, the last of them in part. daily: (n, d); (n,)"""
    total = np.pad(np.cumsum(daily, axis=1), ((0, 0), (1, 0)))
    at = np.minimum(days.astype(int), max(daily.shape[1] - 1, 0))
    rows = np.arange(len(daily))
    if not daily.shape[1]:
        return np.zeros(len(daily))
    return np.asarray(total[rows, at] + (days - at) * daily[rows, at])
