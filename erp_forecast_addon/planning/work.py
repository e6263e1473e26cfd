"""The stages of a plan in a planner's words, and how long each takes beside the others."""

from erp_forecast_addon.planning.messages import _
from erp_forecast_addon.planning.settings import PlanSettings

CLEANING = _("cleaning the past")
SEASONS = _("seasons, events and prices")
JUDGING = _("judging methods on the past")
WEIGHING = _("weighing the methods")
ARIMA = _("trying ARIMA on the items of most value ({done} of {count})")
TRAINING = _("training the model of all items ({done} of {count})")
FORECASTING = _("forecasting")
TREES = _("forecasting with the model of all items")
ALIGNING = _("bringing items and groups in line")
MISSES = _("how far forecasts miss")
LEAD_TIMES = _("demand over lead times")
SIMULATING = _("simulating levels")
ORDERS = _("levels and proposals")
# Of forecast_panel and replenish, which have their own words.
FORECAST, LEVELS = "forecast", "levels"

# Seconds of `plan` for 30,490 daily series of 391 days (M5 up to day 1885), 56 days ahead, suppliers, costs and lots as
# in benchmarks.policies, Fill Rate, alone on two cores: measured stage by stage on a machine in use and brought down to
# what forecast and levels take alone (docs/benchmarks.md). Parts of the forecast grow with the panel, what comes after
# it with its rows. FIT: one of TRAINING's; its sample is bounded, so it takes that from a few hundred series on; two at
# a time, each half of what both take.
# SIMULATING: ten times what a tenth of the series took.
FIT = "fit"
_SERIES, _PERIODS = 30_490, 30_490 * 391
_SECONDS = {
    CLEANING: 0.4, SEASONS: 4.3, JUDGING: 9.2, WEIGHING: 2.0, FIT: 13.0, FORECASTING: 3.5, TREES: 13.6, ALIGNING: 2.7,
    MISSES: 6.2, LEAD_TIMES: 16.0, SIMULATING: 28.0, ORDERS: 6.0,
}  # fmt: skip
_PERIODS_OF_A_FULL_SAMPLE = 75_000
_ARIMA_SECONDS_PER_ITEM = 1.0
# What is over of a stage of several parts: of MISSES what is learned; of LEAD_TIMES each of three looks; of ORDERS the
# levels.
OF_LEARNING = 0.45
OF_LOOKS = (0.0, 0.45, 0.9, 1.0)
OF_LEVELS = 0.4


def of_forecast(n: int, t: int, settings: PlanSettings, *, fits: int, tries_arima: bool) -> dict[str, float]:
    """Seconds of forecast_panel by stage, of n series over t periods. fits: of a boosting model, 0: none is trained."""
    size = max(1, n * t) / _PERIODS
    seconds = {name: _SECONDS[name] * size for name in (SEASONS, JUDGING, WEIGHING)}
    seconds[ARIMA] = min(settings.arima_seconds, settings.arima_items * _ARIMA_SECONDS_PER_ITEM) if tries_arima else 0.0
    seconds[TRAINING] = fits * _SECONDS[FIT] * min(1.0, n * t / _PERIODS_OF_A_FULL_SAMPLE)
    seconds |= {name: _SECONDS[name] * size for name in (FORECASTING, TREES, ALIGNING, MISSES)}
    return seconds if settings.tier == "full" else seconds | {TREES: 0.0}


def of_levels(n: int, settings: PlanSettings) -> dict[str, float]:
    """Seconds of replenish by stage, of n pairs."""
    simulates = settings.policy_method.startswith("Simulated")
    seconds = {LEAD_TIMES: _SECONDS[LEAD_TIMES], SIMULATING: _SECONDS[SIMULATING] if simulates else 0.0}
    return {name: one * max(1, n) / _SERIES for name, one in (seconds | {ORDERS: _SECONDS[ORDERS]}).items()}


def of_plan(n: int, t: int, settings: PlanSettings, forecast: dict[str, float]) -> dict[str, float]:
    """Seconds of plan by part. forecast: of its forecast_panel."""
    cleaning = _SECONDS[CLEANING] * n * t / _PERIODS
    return {CLEANING: cleaning, FORECAST: sum(forecast.values()), LEVELS: sum(of_levels(n, settings).values())}
