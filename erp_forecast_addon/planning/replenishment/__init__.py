"""Everything after the forecast: levels, needs, orders and requests of a company's pairs, and what is wrong."""

from erp_forecast_addon.planning.replenishment.outlook import DemandOutlook
from erp_forecast_addon.planning.replenishment.reckoning import LevelsOf
from erp_forecast_addon.planning.replenishment.replenish import Replenishment, replenish, standing
from erp_forecast_addon.planning.replenishment.supply import Supply

__all__ = ["DemandOutlook", "LevelsOf", "Replenishment", "Supply", "replenish", "standing"]
