"""Everything after the forecast: levels, needs, orders and requests of a company's pairs, and what is wrong."""

from erp_forecast_addon.planning.replenishment.look import Line, Looked, Standing, look
from erp_forecast_addon.planning.replenishment.outlook import DemandOutlook
from erp_forecast_addon.planning.replenishment.ready import ReadyPairs, packed, unpacked
from erp_forecast_addon.planning.replenishment.reckoning import LevelsOf
from erp_forecast_addon.planning.replenishment.replenish import Replenishment, replenish, standing
from erp_forecast_addon.planning.replenishment.supply import Supply

__all__ = [
    "DemandOutlook", "LevelsOf", "Line", "Looked", "ReadyPairs", "Replenishment", "Standing", "Supply", "look",
    "packed", "replenish", "standing", "unpacked",
]  # fmt: skip
