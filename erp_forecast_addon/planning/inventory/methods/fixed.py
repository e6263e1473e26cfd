"""Levels that a person has set: minimum and maximum."""

import numpy as np

from erp_forecast_addon.planning.inventory.methods.inputs import OrderLevels, PolicyInputs, stated
from erp_forecast_addon.planning.inventory.safety_stock import Floats


def fixed(inputs: PolicyInputs, target: Floats) -> OrderLevels:
    """Order when the position is below the minimum, up to the maximum; a maximum not given is the minimum.

    Source: (s, S) with given levels, Silver, Pyke & Thomas (2017), section 6.5. The target is of no use here.
    """
    point = np.nan_to_num(np.asarray(inputs.fixed_min_qty, dtype=float))
    up_to = np.where(np.isnan(inputs.fixed_max_qty), point, inputs.fixed_max_qty)
    return stated(inputs, "Fixed", np.full(inputs.n, np.nan), point, up_to)
