"""The table POLICIES: levels, where they come from, and sentences that explain them."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from erp_forecast_addon.planning.inventory.lead_time import LeadTimes
from erp_forecast_addon.planning.inventory.pair_levels import PairLevels
from erp_forecast_addon.planning.inventory.simulated_levels import SIMULATED
from erp_forecast_addon.planning.messages import _
from erp_forecast_addon.planning.settings import PlanSettings
from erp_forecast_addon.planning.tables import POLICIES
from erp_forecast_addon.planning.wording import dict_column, readable

Floats = NDArray[np.float64]
Texts = NDArray[np.object_]

# Below this a day's demand is float noise, and days of cover would overflow.
_LEAST_DAILY_DEMAND = 1e-9

_NO_DEMAND = _(
    "No demand is expected in the next {protection_days} days, so no safety stock is held and nothing is ordered "
    "for stock."
)
# Whole sentences, so that each can be translated as a whole; an explanation is one or several of them, a line each.
_TEXTBOOK = {
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
    "quotation": _(
        "The lead time of {lead_time_days} days comes from the supplier's quotation. In it {lead_time_demand} {uom} "
        "are expected to go out, give or take {daily_std} a day. Class {abc_class} is to be in stock in "
        "{service_level_pct}% of order cycles (z = {safety_factor}), which takes a safety stock of {safety_stock} "
        "{uom}. Reorder point {reorder_point} {uom}; order up to {order_up_to} {uom}, enough for {protection_days} "
        "days."
    ),
    "item lead time": _(
        "The lead time of {lead_time_days} days comes from the item's lead time record. In it {lead_time_demand} {uom} "
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
_LEAD_TIME = {
    "receipts": _(
        "The lead time of {lead_time_days} days, give or take {lead_time_std_days}, is learned from receipts "
        "({observations} orders)."
    ),
    "item price": _("The lead time of {lead_time_days} days comes from the supplier's price list."),
    "quotation": _("The lead time of {lead_time_days} days comes from the supplier's quotation."),
    "item lead time": _("The lead time of {lead_time_days} days comes from the item's lead time record."),
    "item": _("The lead time of {lead_time_days} days comes from the item."),
    "settings": _("No lead time is known, so the {lead_time_days} days of the settings are used."),
}
_OCCASIONS = _(
    "It was asked for {occasions} times in {seen_days} days. With what items of its group show, one demand in "
    "{interval_days} days is expected, of about {occasion_size} {uom}. {demand_quantile} {uom} are enough for it, and "
    "for what is asked for until an order is approved ({approval_days} days) and has arrived, in {service_level_pct}% "
    "of cases."
)
_AT_LEAST_COST_OF_OCCASIONS = _(
    "Holding a unit at {holding_pct}% of {unit_cost} a year, an order line at {order_cost} and a demand that is not "
    "served in full at {occasion_cost} cost least together with orders of about {order_qty} {uom}: reorder point "
    "{reorder_point} {uom}, {safety_stock} of it safety stock; order up to {order_up_to} {uom}."
)
_AT_ONCE = _("Goods arrive on the day they are ordered: stock has to last until the next look at it only.")
_DEMAND = _(
    "Until an order is approved ({approval_days} days), has arrived and the stock is looked at again, {demand_mean} "
    "{uom} are expected to go out; {demand_quantile} {uom} are enough in {service_level_pct}% of cases."
)
_METHODS = {
    "Textbook": _(
        "Class {abc_class} is to be in stock in {service_level_pct}% of order cycles (z = {safety_factor}), which "
        "takes a safety stock of {safety_stock} {uom}: reorder point {reorder_point} {uom}, order up to {order_up_to} "
        "{uom}."
    ),
    "Cycle Service Level": _(
        "Class {abc_class} is to be in stock in {service_level_pct}% of order cycles: reorder point {reorder_point} "
        "{uom}, {safety_stock} of it safety stock; order up to {order_up_to} {uom}."
    ),
    "Fill Rate": _(
        "{service_level_pct}% of the demand of class {abc_class} is to be served from the shelf, with orders of about "
        "{order_qty} {uom}: reorder point {reorder_point} {uom}, {safety_stock} of it safety stock; order up to "
        "{order_up_to} {uom}."
    ),
    "Least Cost": _(
        "Holding a unit at {holding_pct}% of {unit_cost} a year, an order line at {order_cost} and a unit short at "
        "{shortage_cost} cost least together with orders of about {order_qty} {uom}: reorder point {reorder_point} "
        "{uom}, {safety_stock} of it safety stock; order up to {order_up_to} {uom}."
    ),
    "Simulated Cycle Service Level": _(
        "Class {abc_class} is to be in stock in {service_level_pct}% of order cycles. Levels were tried day by day on "
        "possible courses of demand and lead times: reorder point {reorder_point} {uom}, {safety_stock} of it safety "
        "stock; order up to {order_up_to} {uom}, where the formula alone says {formula_order_up_to}."
    ),
    "Simulated Fill Rate": _(
        "{service_level_pct}% of the demand of class {abc_class} is to be served from the shelf. Levels were tried day "
        "by day on possible courses of demand and lead times: reorder point {reorder_point} {uom}, {safety_stock} of "
        "it safety stock; order up to {order_up_to} {uom}, where the formula alone says {formula_order_up_to}."
    ),
    "Simulated Least Cost": _(
        "Holding a unit at {holding_pct}% of {unit_cost} a year, an order line at {order_cost} and a unit short at "
        "{shortage_cost}: of the levels tried day by day on possible courses of demand and lead times those of least "
        "cost are a reorder point of {reorder_point} {uom}, {safety_stock} of it safety stock, and orders up to "
        "{order_up_to} {uom}, where the formula alone says {formula_order_up_to}."
    ),
    "Buffers": _(
        "The buffer has {red} {uom} red, {yellow} {uom} yellow and {green} {uom} green: order below {reorder_point} "
        "{uom}, up to {order_up_to} {uom}."
    ),
    "Fixed": _("A planner has fixed the levels: order below {reorder_point} {uom}, up to {order_up_to} {uom}."),
}
_CLAMPS = {
    "floor": _("The reorder point was raised to the planner's minimum."),
    "cap": _("The levels were cut to the planner's maximum of {cap} {uom}."),
    "floor above cap": _(
        "The planner's minimum of {floor} {uom} is above the maximum of {cap} {uom}: the maximum counts."
    ),
    "maximum stock": _("The levels were cut to the most that may be stocked."),
    "shelf life": _(
        "The levels were cut to what is expected to sell before it expires, {shelf_life_days} days after it arrives."
    ),
    "not worth stocking": _(
        "Keeping stock would cost more than the sales it saves, at the smallest order the supplier takes: nothing is "
        "ordered for stock, only what customers have ordered."
    ),
    "no price": _("Least cost needs a price and what a lost unit costs; without them the service target counts."),
}
_EXPECTED = _(
    "Expected: {fill_rate_pct}% of demand served from the shelf, {on_hand_expected} {uom} in stock on average."
)
_BY_FORMULA = _(
    "The textbook formula would say: reorder point {textbook_reorder_point} {uom}, order up to {textbook_order_up_to} "
    "{uom}."
)
_UNMET = {
    "Waits": _("What is short was taken to wait."),
    "Is Lost": _("What is short was taken to be lost."),
}
_KEPT = _("What is computed now differs too little from the levels in force, so these stay.")


@dataclass(frozen=True)
class Standing:
    """Where each pair stands. All (n,); shortage_on: datetime64[ns], NaT for none in sight."""

    on_hand_qty: Floats
    position_qty: Floats
    shortage_on: NDArray[np.datetime64]
    valuation_rate: Floats


@dataclass(frozen=True)
class PairClasses:
    """What kind of pair it is, (n,) each. demand_variation: NaN where it is not known."""

    abc_class: Texts
    xyz_class: Texts
    demand_variation: Floats
    demand_class: Texts
    stock_uom: Texts


def policy_table(
    pairs: pd.DataFrame,
    classes: PairClasses,
    lead_times: LeadTimes,
    observations: Floats,
    levels: PairLevels,
    standing: Standing,
    settings: PlanSettings,
) -> pd.DataFrame:
    """The table POLICIES for the (n,) pairs (item_code, warehouse); every array (n,) in the same order.

    observations: orders that a learned lead time rests on, NaN for the others.
    """
    book, chosen = levels.textbook, levels.chosen
    mean = book.daily_mean
    sells = mean > _LEAST_DAILY_DEMAND
    cover = np.divide(standing.position_qty, mean, out=np.full(len(mean), np.nan), where=sells)
    price = np.asarray(levels.inputs.unit_cost, dtype=float)
    value = np.where(standing.valuation_rate > 0.0, standing.valuation_rate, price)
    table = pd.DataFrame(
        {
            "item_code": pairs["item_code"].to_numpy(),
            "warehouse": pairs["warehouse"].to_numpy(),
            "abc_class": classes.abc_class,
            "demand_class": classes.demand_class,
            "xyz_class": classes.xyz_class,
            "demand_variation": classes.demand_variation,
            "method": chosen.method,
            "planning_rule": levels.rule,
            "service_level_pct": np.where(np.isnan(chosen.target), np.nan, chosen.target * 100.0),
            "safety_factor": book.safety_factor,
            "daily_demand_mean": mean,
            "daily_demand_std": book.daily_std,
            "lead_time_days": lead_times.days,
            "lead_time_std_days": lead_times.std_days,
            "lead_time_source": lead_times.source,
            "lead_time_observations": observations,
            "approval_days": levels.approval_days,
            "review_period_days": float(settings.review_period_days),
            "lead_time_demand_qty": book.lead_time_demand_qty,
            "protection_days": levels.protection_days,
            "protection_demand_qty": levels.protection_demand_qty,
            "safety_stock_qty": chosen.safety_stock_qty,
            "reorder_point_qty": chosen.reorder_point_qty,
            "order_up_to_qty": chosen.order_up_to_qty,
            "order_qty": chosen.order_qty,
            "demand_quantile_qty": levels.demand_quantile_qty,
            "expected_fill_rate_pct": levels.served_share * 100.0,
            "expected_cycle_service_pct": levels.cycle_share * 100.0,
            "expected_on_hand_qty": levels.on_hand_qty,
            "expected_stock_value": levels.on_hand_qty * value,
            "yearly_cost": levels.running_cost,
            "clamp": chosen.clamp,
            "levels_kept": levels.kept,
            "textbook_reorder_point_qty": book.reorder_point_qty,
            "textbook_order_up_to_qty": book.order_up_to_qty,
            "red_qty": chosen.red_qty,
            "yellow_qty": chosen.yellow_qty,
            "green_qty": chosen.green_qty,
            "on_hand_qty": standing.on_hand_qty,
            "position_qty": standing.position_qty,
            "days_of_cover": cover,
            "shortage_on": standing.shortage_on,
            "safety_stock_value": chosen.safety_stock_qty * standing.valuation_rate,
        }
    )
    idle = (levels.protection_demand_qty <= 0.0) & (chosen.safety_stock_qty <= 0.0) & (chosen.order_up_to_qty <= 0.0)
    idle &= ~levels.on_occasions
    table["explanation_template"] = _templates(table, idle, levels, settings)
    table["explanation_values"] = dict_column(_explanation_values(table, levels, pairs, classes.stock_uom))
    return POLICIES.check(table)


def _templates(table: pd.DataFrame, idle: NDArray[np.bool_], levels: PairLevels, settings: PlanSettings) -> Texts:
    """(n,) sentences, a line each. Few combinations of source, method and clamp occur: each is put together once."""
    at_once = table["lead_time_days"] <= 0.0
    kinds = pd.DataFrame(
        {
            "source": table["lead_time_source"],
            "method": table["method"],
            "clamp": table["clamp"],
            "kept": table["levels_kept"],
            "at_once": at_once,
            "idle": idle,
            "searched": levels.searched,
            "occasional": levels.on_occasions,
        }
    )
    joined = kinds.groupby(list(kinds.columns), sort=False).ngroup().to_numpy()
    first = kinds.assign(group=joined).drop_duplicates("group").set_index("group").sort_index()
    told = [_joined(kind, settings) for kind in first.to_dict("records")]
    return np.array(told, dtype=object)[joined] if len(told) else np.zeros(0, dtype=object)


def _joined(kind: dict[Any, Any], settings: PlanSettings) -> str:
    if kind["idle"]:
        return _NO_DEMAND
    ends = [_CLAMPS[kind["clamp"]]] if kind["clamp"] else []
    ends += [_KEPT] if kind["kept"] else []
    if kind["method"] == "Textbook" and settings.review == "Continuous":
        return "\n".join([_TEXTBOOK.get(kind["source"], _TEXTBOOK["item price"]), *ends])
    lead = [_LEAD_TIME.get(kind["source"], _LEAD_TIME["item price"]), *([_AT_ONCE] if kind["at_once"] else [])]
    demand = [] if kind["method"] in ("Fixed", "Buffers") else [_OCCASIONS if kind["occasional"] else _DEMAND]
    rest = [_EXPECTED, *([] if kind["method"] == "Textbook" else [_BY_FORMULA])]
    # Where nothing was searched, such as what is not worth stocking, the formula has spoken.
    method = kind["method"] if kind["searched"] else SIMULATED.get(kind["method"], kind["method"])
    ends = [*([_UNMET[settings.unmet_demand]] if kind["searched"] else []), *ends]
    said = _AT_LEAST_COST_OF_OCCASIONS if kind["occasional"] else _METHODS[method]
    return "\n".join([*lead, *demand, said, *ends, *rest])


def _of_occasions(levels: PairLevels) -> dict[str, Floats]:
    """(n,) each, NaN for pairs that are not told by their occasions."""
    told = levels.occasional
    if told is None:
        nothing = np.full(levels.inputs.n, np.nan)
        return dict.fromkeys(("occasions", "seen_days", "interval_days", "occasion_size"), nothing)
    rate = np.maximum(told.occasions.rate_per_day, _LEAST_DAILY_DEMAND)
    return {
        "occasions": told.spread(told.asked.count.astype(float)),
        "seen_days": told.spread(np.rint(told.asked.seen_periods * told.asked.period_days)),
        "interval_days": told.spread(np.rint(1.0 / rate)),
        "occasion_size": told.spread(told.occasions.mean_size()),
    }


def _explanation_values(
    table: pd.DataFrame, levels: PairLevels, pairs: pd.DataFrame, stock_uom: Texts
) -> list[dict[str, Any]]:
    names = {
        "lead_time_days": "lead_time_days",
        "lead_time_std_days": "lead_time_std_days",
        "lead_time_demand_qty": "lead_time_demand",
        "daily_demand_std": "daily_std",
        "safety_factor": "safety_factor",
        "protection_days": "protection_days",
        "safety_stock_qty": "safety_stock",
        "reorder_point_qty": "reorder_point",
        "order_up_to_qty": "order_up_to",
        "order_qty": "order_qty",
        "demand_quantile_qty": "demand_quantile",
        "textbook_reorder_point_qty": "textbook_reorder_point",
        "textbook_order_up_to_qty": "textbook_order_up_to",
        "approval_days": "approval_days",
        "expected_on_hand_qty": "on_hand_expected",
        "red_qty": "red",
        "yellow_qty": "yellow",
        "green_qty": "green",
    }
    inputs = levels.inputs
    others = {
        "service_level_pct": levels.target * 100.0,
        "observations": table["lead_time_observations"].to_numpy(dtype=float),
        "demand_mean": inputs.protection_mean_qty,
        "holding_pct": inputs.holding_rate_per_year * 100.0,
        "unit_cost": inputs.unit_cost,
        "order_cost": inputs.order_cost,
        "shortage_cost": inputs.shortage_cost,
        "occasion_cost": inputs.occasion_cost,
        **_of_occasions(levels),
        "cap": inputs.cap_qty,
        "floor": inputs.floor_qty,
        "shelf_life_days": pairs["shelf_life_days"].to_numpy(dtype=float),
        "fill_rate_pct": table["expected_fill_rate_pct"].to_numpy(dtype=float),
        "formula_order_up_to": (
            table["order_up_to_qty"].to_numpy(dtype=float)
            if levels.simulated is None
            else levels.simulated.start_up_to_qty
        ),
    }
    columns = [readable(table[column].to_numpy(dtype=float)) for column in names]
    columns += [readable(np.asarray(values, dtype=float)) for values in others.values()]
    keys = (*names.values(), *others, "abc_class", "uom")
    # A loop over rows, by columns: the contract wants one dict of values per row.
    return [dict(zip(keys, row, strict=True)) for row in zip(*columns, table["abc_class"], stock_uom, strict=True)]
