"""Policy methods: from the demand over the lead time to a reorder point and an order-up-to level."""

from erp_forecast_addon.planning.inventory.methods.catalog import DISTRIBUTED, METHODS, TARGETED, levels_for
from erp_forecast_addon.planning.inventory.methods.inputs import CLAMPS, OrderLevels, PolicyInputs, PriceBreaks

__all__ = [
    "CLAMPS", "DISTRIBUTED", "METHODS", "TARGETED", "OrderLevels", "PolicyInputs", "PriceBreaks", "levels_for",
]  # fmt: skip
