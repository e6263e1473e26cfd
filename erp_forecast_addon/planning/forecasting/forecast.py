"""From a panel to its forecasts: backtest, choice, mean, quantiles."""

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from erp_forecast_addon.planning import periods
from erp_forecast_addon.planning.errors import BadInput
from erp_forecast_addon.planning.forecasting import metrics, priors, quantiles, selection
from erp_forecast_addon.planning.forecasting.backtest import Backtest, backtest
from erp_forecast_addon.planning.forecasting.catalog import CATALOG
from erp_forecast_addon.planning.forecasting.demand_class import demand_class
from erp_forecast_addon.planning.forecasting.model import Model
from erp_forecast_addon.planning.forecasting.rows import ROWS_PER_BLOCK, in_blocks
from erp_forecast_addon.planning.messages import _
from erp_forecast_addon.planning.panel import Panel
from erp_forecast_addon.planning.settings import Period, PlanSettings


@dataclass(frozen=True)
class ForecastSet:
    """Forecasts of n series over h periods; units per period in stock UOM.

    keys: (n,) item_code, warehouse; starts: (h,) datetime64[ns], first days; mean: (n, h) float64;
    quantile_levels: (q,) rising; quantiles: (n, h, q) float32, ≥ 0, never crossing;
    model, reason_template, reason_values, demand_class: (n,) object; reason_values holds dicts;
    accuracy: (n,) wape, mase, rmsse, bias, pinball of the backtest, NaN where it cannot be measured;
    error_std: (n,) standard deviation of the error one period ahead; as_of: the last day that the data covered.
    """

    keys: pd.DataFrame
    period: Period
    starts: np.ndarray
    mean: np.ndarray
    quantile_levels: np.ndarray
    quantiles: np.ndarray
    model: np.ndarray
    reason_template: np.ndarray
    reason_values: np.ndarray
    demand_class: np.ndarray
    accuracy: pd.DataFrame
    error_std: np.ndarray
    as_of: date

    @property
    def n(self) -> int:
        return len(self.mean)

    def daily_mean(self, as_of: date, days: int) -> np.ndarray:
        """Mean demand of each of the `days` days after as_of: a period's total evenly over its days. (n, days)

        Days before the first forecast period hold its daily rate, days after the last one repeat the last season's
        cycle (or all forecast periods, if fewer). Of a period that began before as_of only the days after it count.
        """
        index = periods.index_of(self.starts, self.period)
        wanted = np.datetime64(as_of, "D") + np.arange(1, days + 1)
        number = periods.index_of(wanted, self.period)
        step = np.maximum(number - index[0], 0)
        cycle = min(periods.SEASON_LENGTH[self.period], len(index))
        beyond = step >= len(index)
        step = np.where(beyond, len(index) - cycle + (step - len(index)) % cycle, step)
        length = (periods.start_of(index + 1, self.period) - periods.start_of(index, self.period)).astype(float)
        return np.asarray((self.mean / length)[:, step])

    def daily_std(self) -> np.ndarray:
        """Standard deviation of a day's error, taking days as independent: error_std / √(days per period). (n,)"""
        return np.asarray(self.error_std / np.sqrt(periods.MEAN_DAYS[self.period]))

    def horizon_total(self, days: int, as_of: date | None = None) -> np.ndarray:
        """Mean demand over the `days` days after as_of (None: the set's own). (n,)"""
        return np.asarray(self.daily_mean(as_of or self.as_of, days).sum(axis=1))


def forecast_panel(
    panel: Panel,
    horizon_periods: int,
    settings: PlanSettings,
    *,
    models: dict[str, Model] | None = None,
    workers: int = 2,
) -> ForecastSet:
    """Forecast every series of a cleaned panel over the next `horizon_periods` periods. Deterministic.

    models: the catalog to choose from (None: CATALOG); workers: threads, without influence on the result.
    Raises BadInput for a horizon below 1.
    """
    if horizon_periods < 1:
        raise BadInput(_("The horizon must be at least one period, not {horizon}."), horizon=horizon_periods)
    catalog = models or CATALOG
    classes = demand_class(panel)
    tested = backtest(panel, horizon_periods, catalog, workers)
    choice = selection.choose(tested, classes)
    mean = _means(panel, horizon_periods, choice.number, list(catalog.values()), workers)
    mean[classes == "No Demand"] = 0.0
    past = _chosen(tested, choice.number)
    level = mean.mean(axis=1)
    spread = quantiles.learn(tested.actual, past, tested.scored, level, classes, choice.number)
    levels = np.sort(np.asarray(settings.quantile_levels, dtype=float))
    whole = _whole(panel)
    banded = np.empty((panel.n, horizon_periods, len(levels)), dtype=np.float32)

    def fill(block: slice) -> None:
        banded[block] = quantiles.of(spread, mean[block], levels, block, whole[block])

    in_blocks(fill, panel.n, workers)
    return ForecastSet(
        keys=panel.keys,
        period=panel.period,
        starts=panel.future_starts(horizon_periods),
        mean=mean,
        quantile_levels=levels,
        quantiles=banded,
        model=np.asarray(list(catalog), dtype=object)[choice.number],
        reason_template=choice.reason_template,
        reason_values=choice.reason_values,
        demand_class=classes,
        accuracy=_accuracy(panel, tested, past, spread, levels, whole, workers),
        error_std=spread.one_step_std(),
        as_of=panel.last_day,
    )


def _means(panel: Panel, horizon: int, number: np.ndarray, models: list[Model], workers: int) -> np.ndarray:
    """The chosen model's forecast of each series. (n, horizon) float64"""
    mean = np.zeros((panel.n, horizon))
    known, mask = priors.seasonal(panel), panel.observed
    for at, model in enumerate(models):
        rows = np.flatnonzero(number == at)

        def fill(block: slice, rows: np.ndarray = rows, model: Model = model) -> None:
            some = rows[block]
            mean[some] = model.forecast(
                panel.demand[some].astype(np.float32), mask[some], horizon, panel.season_length, known[some]
            )

        in_blocks(fill, len(rows), workers)
    return mean


def _whole(panel: Panel) -> np.ndarray:
    """Series that were only ever asked for in whole numbers. (n,) bool"""
    whole = np.ones(panel.n, dtype=bool)
    for at in range(0, panel.n, ROWS_PER_BLOCK):
        some = panel.demand[at : at + ROWS_PER_BLOCK]
        whole[at : at + ROWS_PER_BLOCK] = (some == np.rint(some)).all(axis=1)
    return whole


def _chosen(tested: Backtest, number: np.ndarray) -> np.ndarray:
    """What each series' chosen model forecast in the backtest. (k, n, s)"""
    return np.asarray(tested.forecasts[number, :, np.arange(len(number))].transpose(1, 0, 2))


def _accuracy(
    panel: Panel,
    tested: Backtest,
    past: np.ndarray,
    spread: quantiles.Spread,
    levels: np.ndarray,
    whole: np.ndarray,
    workers: int,
) -> pd.DataFrame:
    """Errors of the chosen models over all origins; scales from the history before the first one."""
    columns = ("wape", "mase", "rmsse", "bias", "pinball")
    result = {name: np.full(panel.n, np.nan) for name in columns}
    if not tested.origins:
        return pd.DataFrame(result)
    history, seen = panel.demand[:, : tested.origins[0]], panel.observed[:, : tested.origins[0]]

    def fill(block: slice) -> None:
        actual, forecast, mask = (
            np.concatenate(list(part[:, block]), axis=1) for part in (tested.actual, past, tested.scored)
        )
        result["wape"][block] = metrics.wape(actual, forecast, mask)
        result["bias"][block] = metrics.bias(actual, forecast, mask)
        result["mase"][block] = metrics.mase(
            actual, forecast, mask, metrics.naive_absolute_error(history[block], seen[block])
        )
        result["rmsse"][block] = metrics.rmsse(
            actual, forecast, mask, metrics.naive_squared_error(history[block], seen[block])
        )
        bands = np.concatenate(
            [quantiles.of(spread, origin[block], levels, block, whole[block]) for origin in past], axis=1
        )
        result["pinball"][block] = metrics.pinball(actual, bands, levels, mask)

    in_blocks(fill, panel.n, workers)
    return pd.DataFrame(result)
