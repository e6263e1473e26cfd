"""The formula of the textbooks: normal demand, a safety factor times its deviation."""

import numpy as np

from erp_forecast_addon.planning.inventory import safety_stock as formulas
from erp_forecast_addon.planning.inventory.methods.inputs import OrderLevels, PolicyInputs, stated
from erp_forecast_addon.planning.inventory.safety_stock import Floats


def textbook(inputs: PolicyInputs, target: Floats) -> OrderLevels:
    """Mean + z·σ, and an order cycle's demand above it. Sources: inventory/safety_stock.py."""
    stock = formulas.safety_stock(formulas.safety_factor(target), inputs.textbook_std_qty)
    point = formulas.reorder_point(inputs.textbook_mean_qty, stock)
    return stated(inputs, "Textbook", target, point, point + np.asarray(inputs.cover_qty), safety_stock_qty=stock)
