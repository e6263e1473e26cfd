"""Every model that a run may choose. A new model is one class and one line here; the contract suite takes it up."""

from erp_forecast_addon.planning.forecasting.intermittent import Croston, SyntetosBoylan, TeunterSyntetosBabai
from erp_forecast_addon.planning.forecasting.model import Model
from erp_forecast_addon.planning.forecasting.naive import SeasonalNaive
from erp_forecast_addon.planning.forecasting.smoothing import DampedTrend, SimpleSmoothing
from erp_forecast_addon.planning.forecasting.window import SeasonalWindowAverage

_MODELS: tuple[Model, ...] = (
    SimpleSmoothing("multiplicative"),
    SimpleSmoothing("additive"),
    DampedTrend(),
    SeasonalWindowAverage(),
    SeasonalNaive(),
    Croston(),
    SyntetosBoylan(),
    TeunterSyntetosBabai(),
)
CATALOG: dict[str, Model] = {model.name: model for model in _MODELS}
# What a series is forecast with when there is nothing to judge by, neither its own backtest nor anyone else's.
DEFAULT_MODEL = "Exponential Smoothing"
