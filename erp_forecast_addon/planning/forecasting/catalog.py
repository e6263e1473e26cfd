"""Every model that a run may choose. A new model is one class and one line here; the contract suite takes it up."""

from erp_forecast_addon.planning.forecasting.aggregation import Adida, Imapa
from erp_forecast_addon.planning.forecasting.holt_winters import HoltTrend, HoltWinters
from erp_forecast_addon.planning.forecasting.intermittent import Croston, SyntetosBoylan, TeunterSyntetosBabai
from erp_forecast_addon.planning.forecasting.model import Model
from erp_forecast_addon.planning.forecasting.naive import SeasonalNaive
from erp_forecast_addon.planning.forecasting.smoothing import DampedTrend, SimpleSmoothing
from erp_forecast_addon.planning.forecasting.theta import Theta
from erp_forecast_addon.planning.forecasting.window import SeasonalWindowAverage, WindowAverage
from erp_forecast_addon.planning.settings import Period

_ALL: tuple[Period, ...] = ("day", "week", "month")
_LONG: tuple[Period, ...] = ("week", "month")
# Each model with the periods it is tried for. Days are many: only models that differ and combine well are worth their
# time there (docs/models.md). Weeks and months are few: everything may be tried.
_MODELS: tuple[tuple[Model, tuple[Period, ...]], ...] = (
    (SimpleSmoothing("multiplicative"), _ALL),
    (SimpleSmoothing("additive"), _ALL),
    (DampedTrend(), _LONG),
    (HoltTrend(), _LONG),
    (HoltWinters("multiplicative"), _LONG),
    (HoltWinters("additive"), _LONG),
    (Theta(), _ALL),
    (WindowAverage(), _ALL),
    (SeasonalWindowAverage(), _ALL),
    (SeasonalNaive(), _LONG),
    (Croston(), _LONG),
    (SyntetosBoylan(), _LONG),
    (TeunterSyntetosBabai(), _ALL),
    (Adida(), _LONG),
    (Imapa(), _LONG),
)
CATALOG: dict[str, Model] = {model.name: model for model, _periods in _MODELS}
# What a series is forecast with when there is nothing to judge by, neither its own backtest nor anyone else's.
DEFAULT_MODEL = "Exponential Smoothing"


def candidates(period: Period) -> dict[str, Model]:
    """The models that a run of this period tries, by name, in the order of the catalog; DEFAULT_MODEL is among them."""
    return {model.name: model for model, tried_for in _MODELS if period in tried_for}
