"""The frozen inputs of a proposed line, and the same number again from them."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from erp_forecast_addon.planning.inventory.levels import covered_days
from erp_forecast_addon.planning.inventory.pair_levels import order_up_to_again
from erp_forecast_addon.planning.inventory.safety_stock import (
    order_up_to,
    protection_std,
    safety_factor,
    safety_stock,
)
from erp_forecast_addon.planning.purchasing.lots import lot_sizes
from erp_forecast_addon.planning.purchasing.need import net_position, order_need

# What `recompute` reads. Everything else in an evidence is there for the reader.
RECOMPUTED_FROM = (
    "on_hand_qty",
    "open_supply_qty",
    "draft_qty",
    "above_forecast_qty",
    "protection_demand_qty",
    "protection_days",
    "lead_time_days",
    "daily_demand_std",
    "lead_time_std_days",
    "service_level",
    "min_order_qty",
    "order_multiple_qty",
    "conversion_factor",
    "uom_whole",
    "stock_uom_whole",
)
# Read as well, and taken as this where evidence of an earlier version does not say it. ahead_qty: wanted beyond the
# order-up-to level until the supplier's next order day, or to fill his minimum; most_order_qty: shelf life and maximum
# stock, None for none.
RECOMPUTED_WITH: Mapping[str, Any] = {"ahead_qty": 0.0, "most_order_qty": None}
EVIDENCE_COLUMNS = (
    *RECOMPUTED_FROM,
    *RECOMPUTED_WITH,
    "policy",
    "method",
    "as_of",
    "put_off_qty",  # on order and agreed for a day in time, but expected too late to count
    "firm_demand_qty",
    "overdue_and_other_demand_qty",
    "daily_demand_mean",
    "lead_time_source",
    "lead_time_demand_qty",
    "review_period_days",
    "approval_days",
    "abc_class",
    "safety_factor",
    "safety_stock_qty",
    "reorder_point_qty",
    "order_up_to_qty",
    "position_qty",
    "need_qty",
    "stock_qty",
    "stock_uom",
    "uom",
    "supplier",
    "rate",
    "currency",
    "exchange_rate",
    "price_known",
    "annual_demand_qty",
    "selling_rate",
    "supplier_minimum_qty",
    "price_break_qty",  # quantity of the price break that was worth taking, 0: none
    "base_rate",
    "usual_supplier",
    "supplier_lead_days",  # of the supplier that the line is ordered from
    "on_time_pct",
    "filled_days",  # ordered so many days ahead to fill the order
    "pulled_forward_days",
    "margin_protected",
    "margin_per_money",
    "budget_rank",
    "budget_lines",
    "budget_last_rank",  # the last rank above the week's cut
    "budget_left",
)


def evidence_dicts(lines: pd.DataFrame, suppliers_considered: Sequence[list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """One JSON-serialisable dict per proposed line: EVIDENCE_COLUMNS of `lines` plus the suppliers considered."""
    columns = [_plain(lines[name]) for name in EVIDENCE_COLUMNS]
    # A loop over the proposed lines, by columns: the contract wants one dict per line.
    return [
        {**dict(zip(EVIDENCE_COLUMNS, row, strict=True)), "suppliers": suppliers}
        for suppliers, row in zip(suppliers_considered, zip(*columns, strict=True), strict=True)
    ]


def _plain(column: pd.Series) -> list[Any]:
    """Python values; NaN, which JSON does not know, becomes None."""
    return column.astype(object).where(column.notna(), None).tolist()


def recompute(evidence: Mapping[str, Any]) -> float:
    """stock_qty of the line from its frozen inputs alone, by the same formulas as the plan. Stock units.

    Raises KeyError where an input of RECOMPUTED_FROM is missing.
    """
    value = {name: evidence[name] for name in RECOMPUTED_FROM}
    value |= {name: evidence.get(name, otherwise) for name, otherwise in RECOMPUTED_WITH.items()}
    wanted = wanted_qty(evidence)
    position = net_position(
        value["on_hand_qty"], value["open_supply_qty"], value["draft_qty"], value["above_forecast_qty"]
    )
    lots = lot_sizes(
        np.atleast_1d(order_need(wanted + value["ahead_qty"], position)),
        np.array([value["min_order_qty"]]),
        np.array([value["order_multiple_qty"]]),
        np.array([value["conversion_factor"]]),
        np.array([value["uom_whole"]]),
        np.array([value["stock_uom_whole"]]),
        np.array([np.inf if value["most_order_qty"] is None else value["most_order_qty"]]),
    )
    return float(lots.stock_qty[0])


def wanted_qty(evidence: Mapping[str, Any]) -> float:
    """The order-up-to level again, or position and order of a line that was judged on paths. Stock units."""
    # Lines of earlier versions were made by the formula alone and say nothing of a policy.
    policy = evidence.get("policy") or {}
    return order_up_to_again(policy) if policy else _by_formula(evidence)


def _by_formula(value: Mapping[str, Any]) -> float:
    """The textbook's order-up-to level."""
    mean = value["protection_demand_qty"] / value["protection_days"]
    covered = covered_days(value["lead_time_days"])
    std = protection_std(covered, mean, value["daily_demand_std"], value["lead_time_std_days"])
    stock = safety_stock(safety_factor(value["service_level"]), std)
    return float(order_up_to(value["protection_demand_qty"], stock))
