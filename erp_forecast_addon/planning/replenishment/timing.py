"""When goods arrive: lead times of the pairs, approval and the suppliers' calendars."""

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from erp_forecast_addon.planning.inventory.approval_time import ApprovalTime, approval_time
from erp_forecast_addon.planning.inventory.lead_time import LeadTimes, choose_lead_times, probability_of
from erp_forecast_addon.planning.purchasing.lots import whole_days_up
from erp_forecast_addon.planning.purchasing.order_days import CALENDAR_DAYS, OrderDays, order_days
from erp_forecast_addon.planning.replenishment.pairs import floats, objects
from erp_forecast_addon.planning.replenishment.supply import Supply
from erp_forecast_addon.planning.settings import PlanSettings

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Arrivals:
    """When an order of today arrives, (n,) whole days. days: the supplier's calendar; lead_days: of the lead time;
    arrival_day: of an order that leaves on his next order day."""

    days: OrderDays
    lead_days: NDArray[np.int64]
    arrival_day: NDArray[np.int64]

    @classmethod
    def of(cls, days: OrderDays, lead_time_days: Floats) -> "Arrivals":
        lead = whole_days_up(lead_time_days)
        return Arrivals(days, lead, days.arrival(lead))

    def select(self, rows: NDArray[np.int64]) -> "Arrivals":
        return Arrivals(self.days.select(rows), self.lead_days[rows], self.arrival_day[rows])

    @property
    def shift_days(self) -> NDArray[np.int64]:
        """Days that his calendar adds to the lead time of an order."""
        return self.arrival_day - self.lead_days

    @property
    def missed_days(self) -> NDArray[np.int64]:
        """Days until the chance after the next one to order, less the day that every plan looks ahead anyway."""
        return self.days.gap - 1

    def may_order(self, settings: PlanSettings) -> NDArray[np.bool_]:
        """A draft for an order day further away than drafts are made ahead is left to a later plan."""
        return (self.days.first <= settings.approval_days) | (self.days.row == 0)

    def ahead_days(self, settings: PlanSettings) -> NDArray[np.int64]:
        """Days for which an order brings more than its level, as the supplier's calendar lets nobody order sooner."""
        return self.shift_days + np.maximum(self.days.gap - max(settings.review_period_days, 1), 0)


@dataclass(frozen=True)
class Timing(Arrivals):
    """Of every pair also the lead time, its distribution and what approving takes."""

    lead_times: LeadTimes
    probability: Floats
    observations: Floats
    approval: ApprovalTime


def pair_timing(pairs: pd.DataFrame, supply: Supply, settings: PlanSettings, as_of: date) -> Timing:
    lead_times = choose_lead_times(
        floats(pairs, "lead_time_days"),
        floats(pairs, "lead_time_std_days"),
        objects(pairs, "lead_time_source"),
        floats(pairs, "item_lead_time_days"),
        settings.default_lead_time_days,
    )
    keys = objects(pairs, "supplier"), objects(pairs, "item_code")
    row = supply.lead_times.rows_of(*keys)
    learned = (lead_times.source == "receipts") & (row >= 0)
    seen = np.where(learned, np.append(supply.lead_times.observations, np.nan)[row], np.nan)
    approval = supply.approval or approval_time(np.zeros(0), settings.approval_days)
    probability = probability_of(supply.lead_times, *keys, lead_times)
    lead_days = whole_days_up(lead_times.days)
    days = order_days(supply.terms, keys[0], as_of, int(lead_days.max(initial=0)) + CALENDAR_DAYS)
    return Timing(days, lead_days, days.arrival(lead_days), lead_times, probability, seen, approval)
