"""A global gradient-boosting model: one model for all series of a company (docs/boosting.md)."""

from erp_forecast_addon.planning.forecasting.boosting.context import Groups
from erp_forecast_addon.planning.forecasting.boosting.model import BoostedModel, data_hash, needs_training, neutral
from erp_forecast_addon.planning.forecasting.boosting.training import (
    Recipe,
    Training,
    backtest,
    begin,
    begin_backtest,
    can_train,
    train,
)

__all__ = [
    "BoostedModel",
    "Groups",
    "Recipe",
    "Training",
    "backtest",
    "begin",
    "begin_backtest",
    "can_train",
    "data_hash",
    "needs_training",
    "neutral",
    "train",
]
