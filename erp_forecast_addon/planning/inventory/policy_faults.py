"""What is wrong with the terms of a policy: one sentence per pair, with what to do about it."""

import numpy as np
import pandas as pd

from erp_forecast_addon.planning.errors import Fault
from erp_forecast_addon.planning.inventory.pair_levels import PairLevels
from erp_forecast_addon.planning.messages import _
from erp_forecast_addon.planning.purchasing.faults import pair_faults

FLOOR_ABOVE_CAP = _(
    "{item_code} in {warehouse}: the planning rules set a minimum of {floor_qty} {stock_uom} above their maximum of "
    "{cap_qty} {stock_uom}. The maximum counts; correct one of them."
)
EXPIRES_TOO_SOON = _(
    "{item_code} in {warehouse}: it keeps {shelf_life_days} days and takes {lead_time_days} days to arrive. Its levels "
    "were cut to what sells before it expires; shorten the lead time, or order it for customers only."
)
NO_COSTS = _(
    "{item_code} in {warehouse}: levels of least cost need a price and what a lost unit costs, and neither may be 0. "
    "Its service target was used instead; enter a price and a selling rate."
)


def policy_faults(cases: pd.DataFrame, levels: PairLevels) -> list[Fault]:
    """cases: one row per pair in the order of `levels`, as for purchasing.faults, with shelf_life_days, exists and
    retired."""
    active = (cases["daily_demand_mean"] > 0.0) & cases["exists"] & ~cases["retired"]
    plain = cases.assign(
        money_at_risk=0.0,
        order_by=pd.Series(pd.NaT, index=cases.index, dtype="datetime64[ns]"),
        floor_qty=np.asarray(levels.inputs.floor_qty),
        cap_qty=np.asarray(levels.inputs.cap_qty),
    )
    clamp = levels.chosen.clamp
    too_soon = plain["shelf_life_days"] < plain["lead_time_days"]
    return [
        *pair_faults(
            "Bad Data", FLOOR_ABOVE_CAP, plain[active & (clamp == "floor above cap")],
            ("floor_qty", "cap_qty", "stock_uom"),
        ),
        *pair_faults("Bad Data", EXPIRES_TOO_SOON, plain[active & too_soon], ("shelf_life_days", "lead_time_days")),
        *pair_faults("No Price", NO_COSTS, plain[active & (clamp == "no price")], ()),
    ]  # fmt: skip
