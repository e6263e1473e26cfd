"""From a panel to its forecasts: backtest, choice, mean, quantiles."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from erp_forecast_addon.planning import periods, work
from erp_forecast_addon.planning.errors import BadInput
from erp_forecast_addon.planning.forecasting import combination, lead_time_sums, metrics, quantiles
from erp_forecast_addon.planning.forecasting import spread as spreads
from erp_forecast_addon.planning.forecasting.arima import NAME as ARIMA
from erp_forecast_addon.planning.forecasting.arima import better_rows, fit_arima
from erp_forecast_addon.planning.forecasting.backtest import (
    Backtest,
    Ground,
    backtest,
    driven,
    factors,
    forecast_all,
    ground,
    grounds,
    origins_and_steps,
    undriven,
)
from erp_forecast_addon.planning.forecasting.boosted import Boosted, count_fits
from erp_forecast_addon.planning.forecasting.boosted import learn as learn_boosted
from erp_forecast_addon.planning.forecasting.catalog import candidates
from erp_forecast_addon.planning.forecasting.combination import Weights, learn_weights
from erp_forecast_addon.planning.forecasting.day_shares import steps_and_lengths
from erp_forecast_addon.planning.forecasting.demand_class import demand_class
from erp_forecast_addon.planning.forecasting.explanation import driver_factors
from erp_forecast_addon.planning.forecasting.first_sale import FirstSale, learn_first_sale
from erp_forecast_addon.planning.forecasting.hierarchy import Alignment, learn_alignment
from erp_forecast_addon.planning.forecasting.model import Model
from erp_forecast_addon.planning.forecasting.own_past import OwnPast, learn_own_past
from erp_forecast_addon.planning.forecasting.paths import demand_paths
from erp_forecast_addon.planning.forecasting.quantiles import Spread, Uncertainty
from erp_forecast_addon.planning.forecasting.recency import Recency, learn_recency
from erp_forecast_addon.planning.forecasting.rows import ROWS_PER_BLOCK, in_blocks
from erp_forecast_addon.planning.messages import _
from erp_forecast_addon.planning.panel import Panel
from erp_forecast_addon.planning.periods import SEASON_LENGTH
from erp_forecast_addon.planning.progress import Done, Progress, Stages, between, silent
from erp_forecast_addon.planning.settings import Period, PlanSettings
from erp_forecast_addon.planning.signals import Finished, Future, finish


@dataclass(frozen=True)
class ForecastSet:
    """Forecasts of n series over h periods; units per period in stock UOM.

    keys: (n,) item_code, warehouse; starts: (h,) datetime64[ns], first days; mean: (n, h) float64;
    quantile_levels: (q,) rising; quantiles: (n, h, q) float32, ≥ 0, never crossing;
    model, reason_template, reason_values, demand_class: (n,) object; reason_values holds dicts;
    accuracy: (n,) wape, mase, rmsse, bias, pinball of the backtest, NaN where it cannot be measured;
    error_std: (n,) standard deviation of the error one period ahead; as_of: the last day that the data covered.
    stages: name -> (n, h), the mean after each stage of STAGES, the last of which is `mean`;
    factors: (n, h) by kind of driver, see explanation.py; finished: what was known
    beside the ledger and what it changed; spread, whole: what quantiles of any mean of these series are made of.
    learned: what the panel taught, to forecast a few of its rows again without the others. own_past: what is mixed
    into sums over longer times, see own_past.py.
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
    stages: dict[str, np.ndarray]
    factors: dict[str, np.ndarray]
    finished: Finished | None
    spread: Spread
    whole: np.ndarray
    learned: "Learned"
    own_past: OwnPast | None = None

    @property
    def n(self) -> int:
        return len(self.mean)

    def daily_mean(self, as_of: date, days: int) -> np.ndarray:
        """Mean demand of each of the `days` days after as_of: a period's total evenly over its days. (n, days)

        Days before the first forecast period hold its daily rate, days after the last one repeat the last season's
        cycle (or all forecast periods, if fewer). Of a period that began before as_of only the days after it count.
        """
        step, length = steps_and_lengths(self.starts, self.period, as_of, days)
        return np.asarray(self.mean[:, step] / length)

    def long_run_daily(self, as_of: date) -> np.ndarray:
        """Mean demand of a day of the next quarter, the own past mixed in as in the sums of a long time. (n,)"""
        ahead = self.daily_mean(as_of, _QUARTER_DAYS).mean(axis=1)
        past = self.own_past
        if past is None:
            return np.asarray(ahead)
        return np.asarray((1.0 - past.share) * ahead + past.share * past.rate() / periods.MEAN_DAYS[self.period])

    def daily_std(self) -> np.ndarray:
        """Standard deviation of a day's error, taking days as independent: error_std / √(days per period). (n,)"""
        return np.asarray(self.error_std / np.sqrt(periods.MEAN_DAYS[self.period]))

    def total_quantiles(
        self, days: np.ndarray | float, levels: Sequence[float] | np.ndarray, as_of: date | None = None
    ) -> np.ndarray:
        """Quantiles of the demand of the `days` days after as_of (None: the set's own), see lead_time_sums.py. (n, q)

        days: one number or (n,), parts of a day allowed; levels: (q,) in (0, 1), rising.
        """
        return lead_time_sums.total_quantiles(
            self.spread, self.mean, self.whole, self.starts, self.period, as_of or self.as_of, days, np.asarray(levels),
            own_past=self.own_past,
        )  # fmt: skip

    def totals(self, as_of: date, rows: np.ndarray, days: np.ndarray, levels: np.ndarray) -> np.ndarray:
        """`total_quantiles` of some rows (m,), each over its own days (m,). (m, q)"""
        return lead_time_sums.total_quantiles(
            self.spread.select(rows), self.mean[rows], self.whole[rows], self.starts, self.period, as_of, days, levels,
            own_past=None if self.own_past is None else self.own_past.select(rows),
        )  # fmt: skip

    def paths(self, rows: np.ndarray, periods: int, count: int = 200, with_past: bool = False) -> np.ndarray:
        """Equally likely courses of demand of some rows (m,) over the first `periods` periods, see paths.py.
        (m, count, periods) float32

        with_past: mixed with courses of the own past, as long sums are; for levels that stand for months. Orders of the
        next weeks gain nothing by it. Periods beyond the horizon repeat the last season, as in `daily_mean`.
        """
        h = self.mean.shape[1]
        cycle = min(SEASON_LENGTH[self.period], h)
        step = np.arange(periods)
        step = np.where(step >= h, h - cycle + (step - h) % cycle, step)
        past = self.own_past.select(rows) if with_past and self.own_past is not None else None
        return demand_paths(
            self.spread.select(rows), self.mean[rows][:, step], self.whole[rows], paths=count,
            own_past=None if past is None else replace(past, lift=past.lift[:, step]),
        )  # fmt: skip

    def horizon_total(self, days: int, as_of: date | None = None) -> np.ndarray:
        """Mean demand over the `days` days after as_of (None: the set's own). (n,)"""
        return np.asarray(self.daily_mean(as_of or self.as_of, days).sum(axis=1))


# The mean after each stage, in their order; those that do not apply are left out.
STAGES = ("model", "combined", "drivers", "boosted", "aligned", "lifecycle", "override")
LEARNED_VERSION = 3
_QUARTER_DAYS = 91


@dataclass(frozen=True)
class Learned:
    """All that a panel teaches about its series together, by names of groups and classes, never by position.

    grounds: driver effects and seasonal profiles at each backtest origin and, last, at the end; weights: of the models;
    first_sale, recency: how much of a forecast comes true; alignment: towards forecasts of sums; uncertainty: what the
    backtests missed; boosted: in the full tier. version, period, models: what it fits.
    """

    version: int
    period: Period
    models: tuple[str, ...]
    grounds: tuple[Ground, ...]
    weights: Weights
    first_sale: FirstSale
    recency: Recency
    alignment: Alignment
    uncertainty: Uncertainty
    boosted: Boosted | None = None

    def fits(self, period: Period, models: dict[str, Model]) -> bool:
        return self.version == LEARNED_VERSION and self.period == period and self.models == tuple(models)


def forecast_panel(
    panel: Panel,
    horizon_periods: int,
    settings: PlanSettings,
    *,
    future: Future | None = None,
    unit_value: np.ndarray | None = None,
    models: dict[str, Model] | None = None,
    workers: int = 2,
    learned: Learned | None = None,
    trained: Boosted | None = None,
    progress: Progress = silent,
) -> ForecastSet:
    """Forecast every series of a cleaned panel over the next `horizon_periods` periods. Deterministic.

    future: what is known beside the ledger (launches, ends, overrides), for the panel's rows. unit_value: (n,) money
    per unit, which decides what ARIMA is tried for (None: nothing). models: what to combine (None: the candidates for
    the period). workers: threads, without influence on the result. learned: of an earlier
    forecast of a panel that held these series; None: learned from this panel.
    trained: the full tier's boosting model of an earlier run, used again unless it is too old or does not fit.
    progress: told the share of the time that is over, 1 at the end, and what is being done (work.py); without
    influence on the result.
    Raises BadInput for a horizon below 1 and for a `learned` of another period, catalog or version.
    """
    if horizon_periods < 1:
        raise BadInput(_("The horizon must be at least one period, not {horizon}."), horizon=horizon_periods)
    catalog = models or candidates(panel.period)
    if learned is not None and not learned.fits(panel.period, catalog):
        raise BadInput(_("What was learned before does not fit these settings; run the company's forecast again."))
    ahead = stages_ahead(
        panel, horizon_periods, settings, valued=unit_value is not None, learned=learned, trained=trained
    )  # fmt: skip
    told = Stages(progress, ahead)
    told.say(work.SEASONS)
    classes = demand_class(panel)
    known = _grounds(panel, horizon_periods, learned, told.done(work.SEASONS))
    told.say(work.JUDGING)
    tested = backtest(panel, horizon_periods, catalog, workers, known[:-1], told.done(work.JUDGING))
    told.say(work.WEIGHING)
    weights = learn_weights(tested, classes, _scale(panel, tested)) if learned is None else learned.weights
    shares = weights.of(tested, classes)
    past = _combined(tested, shares)
    first_sale = learn_first_sale(panel) if learned is None else learned.first_sale
    past *= first_sale.before(panel, tested.origins)
    recency = learn_recency(panel, tested, past) if learned is None else learned.recency
    past *= recency.before(panel, tested.origins)
    moved = factors(panel, known[-1], horizon_periods)
    plain, factor = undriven(panel, moved), driven(panel, moved, horizon_periods)
    core = _Core(panel, plain, factor, horizon_periods, catalog, classes, tested, shares, past, workers)
    arima = None if unit_value is None else _arima(core, settings, unit_value, told)
    core = core if arima is None else replace(core, past=arima.past(core))
    boosted, past = _boosted(core, known, settings, learned, trained, told)
    core = replace(core, past=past)
    told.say(work.FORECASTING)
    true_share = first_sale.of(panel) * recency.of(panel)
    stages, alignment = _means(core, known[-1], true_share, arima, boosted, learned, told)
    told.say(work.MISSES)
    finished = finish(stages["aligned"], panel, future) if future is not None else None
    stages |= {} if finished is None else finished.stages
    mean = list(stages.values())[-1].astype(float)
    season = panel.season_length
    levels, whole = np.sort(np.asarray(settings.quantile_levels, dtype=float)), _whole(panel)
    history = spreads.history(panel, whole, tested.origins)
    past = past * alignment.past_factor(panel, *past.shape[::2])
    came = (tested.actual, past, tested.scored)
    uncertainty = (
        quantiles.learn(
            tested.actual, past, tested.known, classes, history=history, season_length=season, workers=workers
        )
        if learned is None
        else learned.uncertainty
    )
    told.say(work.MISSES, work.OF_LEARNING)
    spread = uncertainty.spread(*came, _usual_level(stages["aligned"], mean), classes, history)
    names = combination.names(shares, tested.models)
    reason_template, reason_values = combination.reasons(shares, tested, classes)
    if boosted is not None:
        boosted.tell(classes, names, reason_template, reason_values)
    if arima is not None:
        arima.tell(names, reason_template, reason_values)
    made = ForecastSet(
        keys=panel.keys,
        period=panel.period,
        starts=panel.future_starts(horizon_periods),
        mean=mean,
        quantile_levels=levels,
        quantiles=quantiles.per_period(spread, mean, levels, whole, workers=workers),
        model=names,
        reason_template=reason_template,
        reason_values=reason_values,
        demand_class=classes,
        accuracy=_accuracy(
            panel, tested, past, spread, levels, whole, workers, between(told.done(work.MISSES), work.OF_LEARNING, 1.0)
        ),
        error_std=spread.one_step_std(mean.mean(axis=1)),
        as_of=panel.last_day,
        stages=stages,
        factors=driver_factors(known[-1], panel, horizon_periods),
        finished=finished,
        spread=spread,
        whole=whole,
        own_past=learn_own_past(plain, classes, stages["aligned"], _lift(factor, stages["aligned"], mean)),
        learned=Learned(
            LEARNED_VERSION,
            panel.period,
            tuple(catalog),
            known,
            weights,
            first_sale,
            recency,
            alignment,
            uncertainty,
            boosted,
        ),
    )
    told.say(work.MISSES, 1.0)
    return made


def stages_ahead(
    panel: Panel,
    horizon: int,
    settings: PlanSettings,
    *,
    valued: bool,
    learned: Learned | None = None,
    trained: Boosted | None = None,
) -> dict[str, float]:
    """Seconds by stage of `forecast_panel` with these arguments, see work.py. valued: unit_value is given."""
    trains = settings.tier == "full" and learned is None and not (trained is not None and trained.fits(panel, horizon))
    fits = count_fits(panel, horizon) if trains else 0
    return work.of_forecast(panel.n, panel.t, settings, fits=fits, tries_arima=valued)


def _usual_level(modelled: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """Mean per period that the models see, which tells a series' kind; of a launch, what it is launched with. (n,)"""
    own = modelled.mean(axis=1)
    return np.asarray(np.where(own > 0, own, mean.mean(axis=1)))


def _lift(factor: np.ndarray, modelled: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """What a past without drivers is multiplied by to be the periods ahead: drivers, and ends and overrides. (n, h)"""
    known = modelled > 0
    return np.asarray(np.where(known, factor * mean / np.where(known, modelled, 1), 0.0))


def _grounds(panel: Panel, horizon: int, learned: Learned | None, done: Done) -> tuple[Ground, ...]:
    """What the models stand on at each backtest origin and at the end of the panel."""
    origins, _steps = origins_and_steps(panel.t, horizon, panel.period)
    if learned is not None and len(learned.grounds) == len(origins) + 1:
        return learned.grounds
    before = between(done, 0.0, len(origins) / (len(origins) + 1))
    return (*grounds(panel, origins, before), ground(panel) if learned is None else learned.grounds[-1])


def _scale(panel: Panel, tested: Backtest) -> np.ndarray:
    """Mean squared change of each series before the first backtest origin, 0 where none is known. (n,)"""
    if not tested.origins:
        return np.zeros(panel.n)
    first = panel.before(tested.origins[0])
    return np.nan_to_num(metrics.naive_squared_error(first.demand, first.observed))


def _combined(tested: Backtest, shares: np.ndarray) -> np.ndarray:
    """What the combination of models forecast in the backtest. (k, n, s)"""
    past = np.zeros(tested.actual.shape, dtype=np.float32)
    for number, forecasts in enumerate(tested.forecasts):  # over models: bounds the memory
        past += forecasts * shares[None, :, number, None].astype(np.float32)
    return past


@dataclass(frozen=True)
class _Core:
    """What the stages are made of. plain: the panel without what drivers did; factor: (n, horizon) what they will do;
    shares: (n, m) of the models; past: (k, n, s) the forecasts in the backtest."""

    panel: Panel
    plain: Panel
    factor: np.ndarray
    horizon: int
    catalog: dict[str, Model]
    classes: np.ndarray
    tested: Backtest
    shares: np.ndarray
    past: np.ndarray
    workers: int


@dataclass(frozen=True)
class _Arima:
    """rows: (d,) of the panel that ARIMA forecasts better than the combination; forecasts: (d, horizon) and backtests:
    (k, d, s), without drivers; reasons: row -> template, values of every row that was tried."""

    rows: np.ndarray
    forecasts: np.ndarray
    backtests: np.ndarray
    reasons: dict[int, tuple[str, dict[str, Any]]]

    def past(self, core: _Core) -> np.ndarray:
        changed = core.past.copy()
        changed[:, self.rows] = self.backtests * core.tested.factor[:, self.rows]
        return changed

    def tell(self, names: np.ndarray, template: np.ndarray, values: np.ndarray) -> None:
        """A loop over the few rows that were tried: each has its own sentence."""
        chosen = set(self.rows.tolist())
        for row, (sentence, given) in self.reasons.items():
            if row in chosen:
                names[row], template[row], values[row] = ARIMA, sentence, given
            else:
                template[row], values[row] = f"{template[row]} {sentence}", {**given, **values[row]}


def _arima(core: _Core, settings: PlanSettings, unit_value: np.ndarray, told: Stages) -> _Arima | None:
    """ARIMA for the series that move most money, kept where its backtest beats the combination's."""
    if not settings.arima_items or not core.tested.origins:
        return None
    money = core.past.mean(axis=(0, 2)) * unit_value
    rows = np.argsort(-money, kind="stable")[: settings.arima_items]
    rows = rows[money[rows] > 0]
    count = len(rows)
    fitted = fit_arima(
        core.plain, rows, core.horizon, settings.arima_seconds, core.workers,
        lambda done: told.say(work.ARIMA, done / max(1, count), done=done, count=count),
    )  # fmt: skip
    driven_past = replace(fitted, backtests=fitted.backtests * core.tested.factor[:, fitted.rows])
    better = better_rows(driven_past, core.tested.actual, core.tested.scored, core.past)
    return _Arima(fitted.rows[better], fitted.forecasts[better], fitted.backtests[:, better], fitted.reasons)


def _boosted(
    core: _Core,
    known: tuple[Ground, ...],
    settings: PlanSettings,
    learned: Learned | None,
    trained: Boosted | None,
    told: Stages,
) -> tuple[Boosted | None, np.ndarray]:
    """The boosting model of the full tier, and the backtest with its part in it if it was trained now."""
    if learned is not None:
        return learned.boosted, core.past
    found = None
    if settings.tier == "full" and trained is not None and trained.fits(core.plain, core.horizon):
        return trained.on(core.plain), core.past
    if settings.tier == "full":
        found = learn_boosted(
            core.panel, core.plain, core.horizon, core.tested, known[:-1], core.past, core.classes, core.workers,
            lambda done, count: told.say(work.TRAINING, done / count, done=min(done + 1, count), count=count),
        )  # fmt: skip
    if found is None:
        return None, core.past
    boosted, made = found
    past = core.past.copy()
    for window, forecast in made.items():  # over backtest windows
        past[window] = boosted.joined(past[window], forecast, core.classes)
    return boosted, past


def _means(
    core: _Core,
    here: Ground,
    true_share: np.ndarray,
    arima: _Arima | None,
    boosted: Boosted | None,
    learned: Learned | None,
    told: Stages,
) -> tuple[dict[str, np.ndarray], Alignment]:
    """The mean after each stage up to "aligned", and the alignment used. true_share: (n, 1) of the combination that
    comes true."""
    panel, horizon, shares = core.panel, core.horizon, core.shares
    plain, factor = core.plain, core.factor
    made = forecast_all(plain, horizon, core.catalog, here, core.workers, told.done(work.FORECASTING))
    stages = {"model": made[np.argmax(shares, axis=1), np.arange(panel.n)].copy()}
    combined = np.zeros_like(stages["model"])
    for number, forecasts in enumerate(made):  # over models
        combined += forecasts * shares[:, number, None].astype(np.float32)
    combined *= true_share
    if arima is not None:
        stages["model"][arima.rows] = combined[arima.rows] = arima.forecasts
    none = core.classes == "No Demand"
    stages["model"][none] = combined[none] = 0.0
    stages |= {"combined": combined, "drivers": combined * factor}
    before = stages["drivers"]
    if boosted is not None:
        told.say(work.TREES)
        trees = boosted.model.forecast(plain, horizon, groups=boosted.groups, workers=core.workers) * factor
        trees[none] = 0.0
        stages["boosted"] = before = boosted.joined(before, trees, core.classes)
    told.say(work.ALIGNING)
    if learned is None:
        alignment = learn_alignment(panel, plain, before, factor, core.tested, core.past)
    else:
        alignment = learned.alignment
    stages["aligned"] = before * alignment.factor(panel, horizon)
    return stages, alignment


def _whole(panel: Panel) -> np.ndarray:
    """Series that were only ever asked for in whole numbers. (n,) bool"""
    whole = np.ones(panel.n, dtype=bool)
    for at in range(0, panel.n, ROWS_PER_BLOCK):
        some = panel.demand[at : at + ROWS_PER_BLOCK]
        whole[at : at + ROWS_PER_BLOCK] = (some == np.rint(some)).all(axis=1)
    return whole


def _accuracy(
    panel: Panel,
    tested: Backtest,
    past: np.ndarray,
    spread: quantiles.Spread,
    levels: np.ndarray,
    whole: np.ndarray,
    workers: int,
    done: Done,
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
        own = spread.select(block)
        bands = np.concatenate(
            [quantiles.per_period(own, origin[block], levels, whole[block]) for origin in past], axis=1
        )
        result["pinball"][block] = metrics.pinball(actual, bands, levels, mask)

    in_blocks(fill, panel.n, workers, done=done)
    return pd.DataFrame(result)
