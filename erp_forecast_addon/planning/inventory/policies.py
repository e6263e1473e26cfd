"""The table POLICIES: levels, where they come from, and a sentence that explains them."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from erp_forecast_addon.planning.inventory.lead_time import LeadTimes
from erp_forecast_addon.planning.inventory.levels import Levels
from erp_forecast_addon.planning.messages import _
from erp_forecast_addon.planning.tables import POLICIES
from erp_forecast_addon.planning.wording import dict_column, readable

Floats = NDArray[np.float64]

# Below this a day's demand is float noise, and days of cover would overflow.
_LEAST_DAILY_DEMAND = 1e-9

_NO_DEMAND = _(
    "No demand is expected in the next {protection_days} days, so no safety stock is held and nothing is ordered "
    "for stock."
)
# Whole sentences, one per source, so that each can be translated as a whole.
_EXPLANATIONS = {
    "receipts": _(
        "The lead time of {lead_time_days} days, give or take {lead_time_std_days}, is learned from receipts. In it "
        "{lead_time_demand} {uom} are expected to go out, give or take {daily_std} a day. Class {abc_class} is to be "
        "in stock in {service_level_pct}% of order cycles (z = {safety_factor}), which takes a safety stock of "
        "{safety_stock} {uom}. Reorder point {reorder_point} {uom}; order up to {order_up_to} {uom}, enough for "
        "{protection_days} days."
    ),
    "item price": _(
        "The lead time of {lead_time_days} days comes from the supplier's price list. In it {lead_time_demand} {uom} "
        "are expected to go out, give or take {daily_std} a day. Class {abc_class} is to be in stock in "
        "{service_level_pct}% of order cycles (z = {safety_factor}), which takes a safety stock of {safety_stock} "
        "{uom}. Reorder point {reorder_point} {uom}; order up to {order_up_to} {uom}, enough for {protection_days} "
        "days."
    ),
    "item": _(
        "The lead time of {lead_time_days} days comes from the item. In it {lead_time_demand} {uom} are expected to "
        "go out, give or take {daily_std} a day. Class {abc_class} is to be in stock in {service_level_pct}% of order"
        " cycles (z = {safety_factor}), which takes a safety stock of {safety_stock} {uom}. Reorder point "
        "{reorder_point} {uom}; order up to {order_up_to} {uom}, enough for {protection_days} days."
    ),
    "settings": _(
        "No lead time is known, so the {lead_time_days} days of the settings are used. In them {lead_time_demand} "
        "{uom} are expected to go out, give or take {daily_std} a day. Class {abc_class} is to be in stock in "
        "{service_level_pct}% of order cycles (z = {safety_factor}), which takes a safety stock of {safety_stock} "
        "{uom}. Reorder point {reorder_point} {uom}; order up to {order_up_to} {uom}, enough for {protection_days} "
        "days."
    ),
}


@dataclass(frozen=True)
class Standing:
    """Where each pair stands. All (n,); shortage_on: datetime64[ns], NaT for none in sight."""

    on_hand_qty: Floats
    position_qty: Floats
    shortage_on: NDArray[np.datetime64]
    valuation_rate: Floats


def policy_table(
    pairs: pd.DataFrame,
    abc_class: NDArray[np.object_],
    demand_class: NDArray[np.object_],
    stock_uom: NDArray[np.object_],
    lead_times: LeadTimes,
    levels: Levels,
    standing: Standing,
    review_period_days: float,
) -> pd.DataFrame:
    """The table POLICIES for the (n,) pairs (item_code, warehouse); every array (n,) in the same order."""
    mean = levels.daily_mean
    sells = mean > _LEAST_DAILY_DEMAND
    cover = np.divide(standing.position_qty, mean, out=np.full(len(mean), np.nan), where=sells)
    table = pd.DataFrame(
        {
            "item_code": pairs["item_code"].to_numpy(),
            "warehouse": pairs["warehouse"].to_numpy(),
            "abc_class": abc_class,
            "demand_class": demand_class,
            "method": "Textbook",
            "service_level_pct": levels.service_level * 100.0,
            "safety_factor": levels.safety_factor,
            "daily_demand_mean": mean,
            "daily_demand_std": levels.daily_std,
            "lead_time_days": lead_times.days,
            "lead_time_std_days": lead_times.std_days,
            "lead_time_source": lead_times.source,
            "review_period_days": float(review_period_days),
            "lead_time_demand_qty": levels.lead_time_demand_qty,
            "protection_days": levels.protection_days,
            "protection_demand_qty": levels.protection_demand_qty,
            "safety_stock_qty": levels.safety_stock_qty,
            "reorder_point_qty": levels.reorder_point_qty,
            "order_up_to_qty": levels.order_up_to_qty,
            "on_hand_qty": standing.on_hand_qty,
            "position_qty": standing.position_qty,
            "days_of_cover": cover,
            "shortage_on": standing.shortage_on,
            "safety_stock_value": levels.safety_stock_qty * standing.valuation_rate,
        }
    )
    idle = (levels.protection_demand_qty <= 0.0) & (levels.safety_stock_qty <= 0.0)
    sentence = pd.Series(lead_times.source).map(_EXPLANATIONS).fillna(_EXPLANATIONS["item price"])
    table["explanation_template"] = sentence.mask(idle, _NO_DEMAND).to_numpy()
    table["explanation_values"] = dict_column(_explanation_values(table, stock_uom))
    return POLICIES.check(table)


def _explanation_values(table: pd.DataFrame, stock_uom: NDArray[np.object_]) -> list[dict[str, Any]]:
    names = {
        "lead_time_days": "lead_time_days",
        "lead_time_std_days": "lead_time_std_days",
        "lead_time_demand_qty": "lead_time_demand",
        "daily_demand_std": "daily_std",
        "service_level_pct": "service_level_pct",
        "safety_factor": "safety_factor",
        "protection_days": "protection_days",
        "safety_stock_qty": "safety_stock",
        "reorder_point_qty": "reorder_point",
        "order_up_to_qty": "order_up_to",
    }
    columns = [readable(table[column].to_numpy()) for column in names]
    keys = (*names.values(), "abc_class", "uom")
    # A loop over rows, by columns: the contract wants one dict of values per row.
    return [dict(zip(keys, row, strict=True)) for row in zip(*columns, table["abc_class"], stock_uom, strict=True)]
