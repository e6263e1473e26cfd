"""A line's evidence as a person reads it: position, demand, levels, quantity, supplier, and the rule that set it.

Every number that the plan computed is computed again here, from the frozen inputs, and stands beside the frozen one:
`differences` names what is not the same. The card on the form, the report, the print format and the command all show
these steps, so that they say the same.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from erp_forecast_addon.planning.messages import _
from erp_forecast_addon.planning.purchasing.evidence import recompute, wanted_qty
from erp_forecast_addon.planning.purchasing.lots import SMALLEST_QTY
from erp_forecast_addon.planning.purchasing.need import net_position, order_need

POSITION, DEMAND, LEVELS, QUANTITY, SUPPLIER, MONEY = (
    _("Position"),
    _("Demand over the protection interval"),
    _("Levels"),
    _("Quantity"),
    _("Supplier and price"),
    _("The week's money"),
)
# Numbers that travel as JSON and through a database come back to so many digits.
_SAME_SHARE = 1e-9
_WHOLE = 100.0

# One sentence per rule that may have set the quantity.
BY_LEVELS = _(
    "The position of {position} is {need} {stock_uom} short of the order-up-to level of {wanted} ({method}); that is "
    "ordered."
)
BY_TEXTBOOK = _(
    "{need} {stock_uom} are missing between the position of {position} and the textbook's order-up-to level of "
    "{wanted}: {demand} expected over {days} days, and a safety stock of {safety}; that is ordered."
)
BY_FIXED = _(
    "A planner has fixed the level to {wanted} {stock_uom}; {need} are missing to it from the position of {position}."
)
BY_KEPT = _(
    "The former order-up-to level of {wanted} {stock_uom} was kept, as the new one is no different enough; {need} are "
    "missing to it from the position of {position}."
)
BY_AHEAD = _(
    "The position of {position} is not below the order-up-to level of {wanted} {stock_uom} ({method}): nothing is "
    "missing yet."
)
BY_PATHS = _(
    "Of {tried} quantities tried on possible courses of demand, {need} {stock_uom} costs least: {lost} units lost and "
    "{left} unit-periods left over in expectation."
)
UP_TO_MINIMUM = _("Raised to the minimum order of {minimum} {stock_uom}.")
UP_TO_BREAK = _("Raised to {minimum} {stock_uom}, from which a lower price holds that is worth it.")
TO_PACKS = _("Rounded up to packs of {multiple} {stock_uom}.")
TO_UNITS = _("Rounded up to whole units of 1 {uom} = {factor} {stock_uom}.")
TO_PIECES = _("Rounded up to whole {stock_uom}.")
CUT_TO_MOST = _("Cut to {most} {stock_uom}, which shelf life and maximum stock allow.")
AHEAD_TO_FILL = _(
    "{ahead} {stock_uom} more are wanted ahead, so that the order reaches the supplier's minimum or fills it."
)
AHEAD_TO_NEXT = _("{ahead} {stock_uom} more are wanted ahead, as the supplier takes orders again only later.")


@dataclass(frozen=True)
class Step:
    """One line of the calculation. label: a template with values; value: a number in `unit`, or text; frozen: what the
    plan had, where the value was computed again and may be held against it; total: a sum of the lines above."""

    section: str
    label: str
    value: float | str
    unit: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    frozen: float | None = None
    total: bool = False

    @property
    def differs(self) -> bool:
        return self.frozen is not None and not same_qty(float(self.value), self.frozen)


@dataclass(frozen=True)
class Sentence:
    """A template with its values."""

    template: str
    values: Mapping[str, Any]


def same_qty(one: float, other: float) -> bool:
    """Whether two quantities are the same to as many digits as a document holds."""
    return abs(one - other) <= max(SMALLEST_QTY / 2, _SAME_SHARE * max(abs(one), abs(other)))


def steps(evidence: Mapping[str, Any]) -> list[Step]:
    """The calculation of a line, in the order in which one does it on paper. Raises KeyError as `recompute` does."""
    return [
        *_position(evidence), *_demand(evidence), *_levels(evidence), *_quantity(evidence), *_supplier(evidence),
        *_money(evidence),
    ]  # fmt: skip


def differences(evidence: Mapping[str, Any]) -> list[Step]:
    """The steps that do not give the frozen number again."""
    return [step for step in steps(evidence) if step.differs]


def _position(told: Mapping[str, Any]) -> list[Step]:
    unit = told["stock_uom"]
    found = [Step(POSITION, _("On hand"), told["on_hand_qty"], unit)]
    for name, label in (
        ("open_supply_qty", _("+ on order, due in time")),
        ("draft_qty", _("+ in other drafts of the planner")),
        ("above_forecast_qty", _("− firm demand beyond the forecast")),
    ):
        if told[name]:
            found.append(Step(POSITION, label, told[name], unit))
    return [*found, Step(POSITION, _("= Net position"), _position_of(told), unit, {}, told["position_qty"], total=True)]


def _position_of(told: Mapping[str, Any]) -> float:
    return float(
        net_position(told["on_hand_qty"], told["open_supply_qty"], told["draft_qty"], told["above_forecast_qty"])
    )


def _demand(told: Mapping[str, Any]) -> list[Step]:
    unit = told["stock_uom"]
    per_day = f"{readable_number(told['daily_demand_mean'])} ± {readable_number(told['daily_demand_std'])}"
    return [
        Step(DEMAND, _("Demand per day"), per_day, unit),
        Step(
            DEMAND, _("Lead time in days, from {source}"),
            f"{readable_number(told['lead_time_days'])} ± {readable_number(told['lead_time_std_days'])}", "",
            {"source": told["lead_time_source"]},
        ),
        Step(DEMAND, _("Demand over the lead time"), told["lead_time_demand_qty"], unit),
        Step(
            DEMAND, _("Demand over the next {days} days (lead time and review period)"), told["protection_demand_qty"],
            unit, {"days": readable_number(told["protection_days"])}, total=True,
        ),
    ]  # fmt: skip


def _levels(told: Mapping[str, Any]) -> list[Step]:
    unit, target = told["stock_uom"], told["service_level"]
    named = {
        "percent": readable_number(target * _WHOLE),
        "abc_class": told["abc_class"],
        "method": told.get("method") or "",
    }
    found = [
        Step(LEVELS, _("Service target, class {abc_class}"), f"{named['percent']}%", "", named),
        Step(LEVELS, _("Safety stock"), told["safety_stock_qty"], unit),
        Step(LEVELS, _("Reorder point"), told["reorder_point_qty"], unit),
    ]
    if _is_judged(told):
        # What the order brings the position to; the level itself only said when.
        found.append(Step(LEVELS, _("Order-up-to level ({method})"), told["order_up_to_qty"], unit, named))
        return [*found, Step(LEVELS, _("Position after the cheapest order"), wanted_qty(told), unit, {}, total=True)]
    wanted = wanted_qty(told)
    return [
        *found,
        Step(LEVELS, _("= Order-up-to level ({method})"), wanted, unit, named, told["order_up_to_qty"], True),
    ]


def _is_judged(told: Mapping[str, Any]) -> bool:
    return "tried_qty" in (told.get("policy") or {})


def _need(told: Mapping[str, Any]) -> float:
    return float(order_need(wanted_qty(told) + (told.get("ahead_qty") or 0.0), _position_of(told)))


def _quantity(told: Mapping[str, Any]) -> list[Step]:
    unit, stock_qty = told["stock_uom"], recompute(told)
    ahead = told.get("ahead_qty")
    found = [Step(QUANTITY, _ahead_label(told), ahead, unit)] if ahead else []
    missing = _("Missing, with what is wanted ahead") if ahead else _("Missing")
    found.append(Step(QUANTITY, missing, _need(told), unit, {}, told["need_qty"]))
    if told["min_order_qty"]:
        by_break = bool(told.get("price_break_qty"))
        label = _("Least for the lower price") if by_break else _("Least order")
        found.append(Step(QUANTITY, label, told["min_order_qty"], unit))
    if told["order_multiple_qty"]:
        found.append(Step(QUANTITY, _("Packs of"), told["order_multiple_qty"], unit))
    if told.get("most_order_qty") is not None:
        found.append(Step(QUANTITY, _("Most, by shelf life and maximum stock"), told["most_order_qty"], unit))
    found.append(Step(QUANTITY, _("= To order"), stock_qty, unit, {}, told["stock_qty"], total=True))
    if told["conversion_factor"] != 1.0:
        in_uom = stock_qty / told["conversion_factor"]
        factor = {"uom": told["uom"], "factor": readable_number(told["conversion_factor"]), "stock_uom": unit}
        found.append(Step(QUANTITY, _("at 1 {uom} = {factor} {stock_uom}"), in_uom, told["uom"], factor))
    return found


def _ahead_label(told: Mapping[str, Any]) -> str:
    return (
        _("Wanted ahead, to fill the order") if _fills_an_order(told) else _("Wanted ahead, until the next order day")
    )


def _fills_an_order(told: Mapping[str, Any]) -> bool:
    return (told.get("filled_days") or 0.0) > 0.0 or (told.get("pulled_forward_days") or 0.0) > 0.0


# What another supplier would change, by whether he costs less in all and whether he delivers sooner.
_OTHER_SUPPLIER = {
    (True, 1): _("Considered: {supplier}, {money} cheaper in all, {days} days sooner"),
    (True, 0): _("Considered: {supplier}, {money} cheaper in all, on the same day"),
    (True, -1): _("Considered: {supplier}, {money} cheaper in all, {days} days later"),
    (False, 1): _("Considered: {supplier}, {money} dearer in all, {days} days sooner"),
    (False, 0): _("Considered: {supplier}, {money} dearer in all, on the same day"),
    (False, -1): _("Considered: {supplier}, {money} dearer in all, {days} days later"),
}


def _supplier(told: Mapping[str, Any]) -> list[Step]:
    price = _("no price known") if not told["price_known"] else told["rate"]
    unit = f"{told['currency']} / {told['uom']}" if told["price_known"] else ""
    found = [Step(SUPPLIER, _("Ordered from {supplier}"), price, unit, {"supplier": told["supplier"]}, total=True)]
    suppliers = told.get("suppliers") or []
    own: Mapping[str, Any] = next((each for each in suppliers if each["supplier"] == told["supplier"]), {})
    return [*found, *(_other(each, own, told) for each in suppliers if each["supplier"] != told["supplier"])]


def _other(each: Mapping[str, Any], own: Mapping[str, Any], told: Mapping[str, Any]) -> Step:
    """A supplier who was considered: his price in company currency, and what he would change in money and days."""
    rate = each.get("base_rate")
    # The evidence names the order's currency alone, which is the company's where one is worth one.
    currency = f"{told['currency']} " if told.get("exchange_rate") == 1.0 else ""
    value, unit = (_("no price known"), "") if rate is None else (rate, f"{currency}/ {told['stock_uom']}")
    if each.get("blocked_reason"):
        values = {"supplier": each["supplier"], "blocked": each["blocked_reason"].rstrip(".")}
        return Step(SUPPLIER, _("Considered: {supplier}, {blocked}"), value, unit, values)
    if each.get("total_cost") is None or own.get("total_cost") is None:
        return Step(SUPPLIER, _("Considered: {supplier}"), value, unit, {"supplier": each["supplier"]})
    saving = own["total_cost"] - each["total_cost"]
    days = round((each.get("sooner_days") or 0.0) - (own.get("sooner_days") or 0.0))
    template = _OTHER_SUPPLIER[saving >= 0.0, (days > 0) - (days < 0)]
    values = {"supplier": each["supplier"], "money": readable_number(abs(saving)), "days": abs(days)}
    return Step(SUPPLIER, template, value, unit, values)


def _money(told: Mapping[str, Any]) -> list[Step]:
    """Where a budget or a limit of payments ranks the lines: what this one protects, and where the cut lies."""
    if not told.get("budget_rank"):
        return []
    found = []
    if told.get("margin_per_money") is not None:
        found.append(Step(MONEY, _("Margin protected per money spent"), told["margin_per_money"]))
    ranks = {
        "lines": readable_number(told["budget_lines"]),
        "last_rank": readable_number(told.get("budget_last_rank") or 0.0),
    }
    label = _("Rank of {lines} lines; the cut is after rank {last_rank}")
    return [*found, Step(MONEY, label, told["budget_rank"], "", ranks, total=True)]


# ---- the rule that set the quantity ------------------------------------
def quantity_rule(evidence: Mapping[str, Any]) -> list[Sentence]:
    """Which rule said how much is wanted, and which lot rules made it what is ordered."""
    values = {
        "position": readable_number(_position_of(evidence)), "wanted": readable_number(wanted_qty(evidence)),
        "need": readable_number(float(order_need(wanted_qty(evidence), _position_of(evidence)))),
        "stock_uom": evidence["stock_uom"], "uom": evidence["uom"],
        "method": evidence.get("method") or "Textbook", "demand": readable_number(evidence["protection_demand_qty"]),
        "days": readable_number(evidence["protection_days"]), "safety": readable_number(evidence["safety_stock_qty"]),
        "minimum": readable_number(evidence["min_order_qty"]),
        "multiple": readable_number(evidence["order_multiple_qty"]),
        "factor": readable_number(evidence["conversion_factor"]),
        "most": readable_number(evidence.get("most_order_qty") or 0.0),
        "ahead": readable_number(evidence.get("ahead_qty") or 0.0), **_paths(evidence.get("policy") or {}),
    }  # fmt: skip
    return [Sentence(template, values) for template in (_source(evidence), *_lot_rules(evidence))]


def _source(told: Mapping[str, Any]) -> str:
    policy = told.get("policy") or {}
    if not order_need(wanted_qty(told), _position_of(told)) > SMALLEST_QTY / 2:
        return BY_AHEAD
    if "tried_qty" in policy:
        return BY_PATHS
    if "kept_order_up_to_qty" in policy:
        return BY_KEPT
    if told.get("method") == "Fixed":
        return BY_FIXED
    return BY_LEVELS if policy else BY_TEXTBOOK


def _paths(policy: Mapping[str, Any]) -> dict[str, Any]:
    """Of a line that was judged on paths: what was expected of the quantity chosen."""
    if "tried_qty" not in policy:
        return {}
    cost = [
        policy["shortage_cost"] * lost + policy["holding_cost"] * left
        for lost, left in zip(policy["lost_qty"], policy["left_qty"], strict=True)
    ]
    at = cost.index(min(cost))
    return {
        "tried": len(set(policy["tried_qty"])), "lost": readable_number(policy["lost_qty"][at]),
        "left": readable_number(policy["left_qty"][at]),
    }  # fmt: skip


def _lot_rules(told: Mapping[str, Any]) -> list[str]:
    """The lot rules that moved the quantity: each is told only where the quantity without it would be another."""
    found = [AHEAD_TO_FILL if _fills_an_order(told) else AHEAD_TO_NEXT] if told.get("ahead_qty") else []
    ordered = recompute(told)
    by_break = bool(told.get("price_break_qty"))
    for without, sentence in (
        ({"min_order_qty": 0.0}, UP_TO_BREAK if by_break else UP_TO_MINIMUM),
        ({"order_multiple_qty": 0.0}, TO_PACKS),
        ({"uom_whole": False, "stock_uom_whole": False}, TO_PIECES if told["conversion_factor"] == 1.0 else TO_UNITS),
        ({"most_order_qty": None}, CUT_TO_MOST),
    ):
        relevant = any(told.get(name) for name in without)
        if relevant and not same_qty(recompute({**told, **without}), ordered):
            found.append(sentence)
    return found


def readable_number(value: float) -> int | float:
    """To the hundredth, and without a point where there is nothing behind it."""
    rounded = round(float(value), 2)
    return int(rounded) if rounded.is_integer() else rounded
