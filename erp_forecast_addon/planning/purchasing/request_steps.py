"""The evidence of a request's line as a person reads it: position, levels, what is missing, what another warehouse can
spare or making it takes, and the quantity again from the frozen inputs."""

from collections.abc import Mapping
from typing import Any

from erp_forecast_addon.planning.messages import _
from erp_forecast_addon.planning.purchasing.evidence_steps import (
    LEVELS,
    POSITION,
    QUANTITY,
    Sentence,
    Step,
    readable_number,
    same_qty,
)
from erp_forecast_addon.planning.purchasing.requests import recompute_request
from erp_forecast_addon.planning.tables import MANUFACTURE

DEMAND, COST, COMPONENTS = _("Demand"), _("Moving or buying"), _("Components")

ASKED = _("{need} {stock_uom} are missing; that is asked for.")
MADE_WHOLE = _("{need} {stock_uom} are missing; asked for in whole {stock_uom}.")
LEAST = _("Raised to the least that is made, {least} {stock_uom}.")
REST = _("Other warehouses give {taken} {stock_uom} of the {need} that are missing; this is of the rest.")
CUT = _("Cut to the {spare} {stock_uom} that {from_warehouse} can spare.")


def request_steps(evidence: Mapping[str, Any], qty: float) -> list[Step]:
    """The calculation of a line. qty: as it was asked for, stock units. Raises KeyError as `recompute_request` does."""
    unit = evidence["stock_uom"]
    return [
        *_position(evidence, unit), *_demand(evidence, unit), *_levels(evidence, unit), *_quantity(evidence, unit, qty),
        *_cost(evidence), *_components(evidence),
    ]  # fmt: skip


def request_rule(evidence: Mapping[str, Any]) -> list[Sentence]:
    """What made the quantity what it is: each rule is told only where the quantity without it would be another."""
    asked = recompute_request(evidence)
    made = evidence["request_type"] == MANUFACTURE
    values = {
        "need": readable_number(evidence["need_qty"]), "stock_uom": evidence["stock_uom"],
        "least": readable_number(evidence["item_min_order_qty"] or 0.0),
        "taken": readable_number(evidence["taken_before_qty"]), "from_warehouse": evidence["from_warehouse"],
        "spare": readable_number(_spare(evidence)),
    }  # fmt: skip
    whole = not same_qty(recompute_request({**evidence, "stock_uom_whole": False}), asked)
    found = [MADE_WHOLE if whole else ASKED]
    if made and not same_qty(recompute_request({**evidence, "item_min_order_qty": 0.0}), asked):
        found.append(LEAST)
    if not made and evidence["taken_before_qty"]:
        found.append(REST)
    if not made and not same_qty(recompute_request({**evidence, "spare_qty": float("inf")}), asked):
        found.append(CUT)
    return [Sentence(template, values) for template in found]


def _spare(told: Mapping[str, Any]) -> float:
    return float((told["spare_qty"] or 0.0) - told["given_before_qty"])


def _position(told: Mapping[str, Any], unit: str) -> list[Step]:
    found = [Step(POSITION, _("On hand"), told["on_hand_qty"], unit)]
    if told["open_supply_qty"]:
        found.append(Step(POSITION, _("+ on order, due in time"), told["open_supply_qty"], unit))
    return [*found, Step(POSITION, _("Net position"), told["position_qty"], unit, total=True)]


def _demand(told: Mapping[str, Any], unit: str) -> list[Step]:
    takes = _("Making it takes (days)") if told["request_type"] == MANUFACTURE else _("Moving it takes (days)")
    return [
        Step(DEMAND, _("Demand per day"), told["daily_demand_mean"], unit),
        Step(DEMAND, takes, told["lead_days"]),
    ]


def _levels(told: Mapping[str, Any], unit: str) -> list[Step]:
    named = {"method": told.get("method") or "Textbook"}
    return [
        Step(LEVELS, _("Safety stock"), told["safety_stock_qty"], unit),
        Step(LEVELS, _("Reorder point"), told["reorder_point_qty"], unit),
        Step(LEVELS, _("Order-up-to level ({method})"), told["order_up_to_qty"], unit, named, total=True),
    ]


def _quantity(told: Mapping[str, Any], unit: str, qty: float) -> list[Step]:
    found = [Step(QUANTITY, _("Missing"), told["need_qty"], unit)]
    if told["request_type"] == MANUFACTURE:
        if told["item_min_order_qty"]:
            found.append(Step(QUANTITY, _("Least that is made"), told["item_min_order_qty"], unit))
    else:
        if told["taken_before_qty"]:
            found.append(Step(QUANTITY, _("− given by other warehouses"), told["taken_before_qty"], unit))
        house = {"from_warehouse": told["from_warehouse"]}
        found.append(Step(QUANTITY, _("{from_warehouse} can spare"), _spare(told), unit, house))
    return [*found, Step(QUANTITY, _("= To ask for"), recompute_request(told), unit, {}, qty, total=True)]


def _cost(told: Mapping[str, Any]) -> list[Step]:
    """Of a warehouse that helps another out; who is supplied by another is not bought for at all."""
    if not told["buying_cost"]:
        return []
    return [
        Step(COST, _("Moving it costs"), told["transfer_cost"]),
        Step(COST, _("Buying it, and holding what would go on lying there"), told["buying_cost"]),
    ]


def _components(told: Mapping[str, Any]) -> list[Step]:
    return [
        Step(COMPONENTS, _("{item_code} from {warehouse}"), qty, "", {"item_code": item_code, "warehouse": house})
        for house, parts in (told["components"] or {}).items()
        for item_code, qty in parts.items()
    ]
