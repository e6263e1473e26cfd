"""How long a draft waits until somebody approves it: learned from the orders of the past, part of what stock covers."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from erp_forecast_addon.planning.inventory.lead_time_distribution import mean

Floats = NDArray[np.float64]

# An order that lay for longer was forgotten, not waiting; it counts as this many days.
LONGEST_APPROVAL_DAYS = 60
# Orders that the settings' days count for beside what was seen.
SETTINGS_STRENGTH = 5.0


@dataclass(frozen=True)
class ApprovalTime:
    """probability: (A + 1,) share of drafts approved exactly d days after they were made; observations: orders it was
    learned from; source: "learned", or "settings" where there is no history."""

    probability: Floats
    observations: int
    source: str

    @property
    def mean_days(self) -> float:
        return float(mean(self.probability[None, :])[0])


def approval_time(days: Floats, setting_days: float) -> ApprovalTime:
    """days: (n,) from draft to approval of past orders, calendar days; setting_days: what the settings say.

    The setting counts as SETTINGS_STRENGTH orders (Dirichlet prior, as for lead times), so that one quick approval does
    not stand for all. An approval before its draft is no time at all and is left out; without any, the setting stands
    alone. A fraction of a day counts as the day that it falls in.
    """
    known = np.asarray(days, dtype=float)
    known = known[np.isfinite(known) & (known >= 0.0)]
    whole = np.minimum(np.floor(known), LONGEST_APPROVAL_DAYS).astype(np.int64)
    setting = int(np.clip(round(setting_days), 0, LONGEST_APPROVAL_DAYS))
    weight = np.zeros(max(int(whole.max(initial=0)), setting) + 1)
    np.add.at(weight, whole, 1.0)
    weight[setting] += SETTINGS_STRENGTH
    return ApprovalTime(weight / weight.sum(), len(whole), "learned" if len(whole) else "settings")
