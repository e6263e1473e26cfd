"""What planners have said about the policy of a class, an item group, an item or an item in a warehouse.

Every column of a rule stands for itself: an item's rule may say the target and leave the method to its group's. The
narrower rule wins: item in a warehouse, item, item group (the deeper first), both classes, one class; of two alike the
one whose name comes last.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from erp_forecast_addon.planning.errors import Fault
from erp_forecast_addon.planning.inventory.methods import METHODS
from erp_forecast_addon.planning.inventory.safety_stock import Floats
from erp_forecast_addon.planning.inventory.simulated_levels import SIMULATED
from erp_forecast_addon.planning.messages import _
from erp_forecast_addon.planning.scopes import below
from erp_forecast_addon.planning.tables import PLANNING_RULES, TREE

_NUMBERS = (
    "service_target", "min_qty", "max_qty", "holding_rate_per_year", "order_cost", "shortage_cost", "occasion_cost",
)  # fmt: skip

UNKNOWN_METHOD = _("Planning rule {rule}: there is no method {method}. The rule was left out; correct it.")
IMPOSSIBLE_TARGET = _(
    "Planning rule {rule}: a service target of {percent}% cannot be planned, it must lie above 0% and below 100%. The "
    "rule was left out; correct it."
)
FLOOR_ABOVE_CAP = _(
    "Planning rule {rule}: the minimum of {min_qty} is above the maximum of {max_qty}. The rule was left out; correct "
    "one of them."
)
NEGATIVE = _("Planning rule {rule}: {column} is {value}, which is below 0. The rule was left out; correct it.")


@dataclass(frozen=True)
class Rules:
    """rules: table PLANNING_RULES; item_groups: table TREE."""

    rules: pd.DataFrame = field(default_factory=PLANNING_RULES.empty)
    item_groups: pd.DataFrame = field(default_factory=TREE.empty)


@dataclass(frozen=True)
class RuledPairs:
    """What the rules say of (n,) pairs: NaN and "" where they are silent. rule: name of the one that chose the method
    or, where none did, the target."""

    method: NDArray[np.object_]
    service_target: Floats
    min_qty: Floats
    max_qty: Floats
    holding_rate_per_year: Floats
    order_cost: Floats
    shortage_cost: Floats
    occasion_cost: Floats
    rule: NDArray[np.object_]


def check_rules(rules: pd.DataFrame) -> tuple[pd.DataFrame, list[Fault]]:
    """The rules that can be used, and a fault for each of the others."""
    checked = PLANNING_RULES.check(rules)
    faults: list[Fault] = []
    usable = np.ones(len(checked), dtype=bool)
    # A loop over the few rules that are wrong: each becomes a sentence.
    for at in np.flatnonzero(_wrong(checked)).tolist():
        usable[at] = False
        faults.append(_fault(checked.iloc[at]))
    return checked[usable].reset_index(drop=True), faults


def _wrong(rules: pd.DataFrame) -> NDArray[np.bool_]:
    target = rules["service_target"]
    wrong = ~rules["method"].isin(["", *METHODS, *SIMULATED]) | (target <= 0.0) | (target >= 1.0)
    wrong |= rules["min_qty"] > rules["max_qty"]
    return np.asarray(wrong | (rules[list(_NUMBERS)] < 0.0).any(axis=1), dtype=bool)


def _fault(rule: pd.Series) -> Fault:
    values = {"rule": rule["name"], "method": rule["method"], "min_qty": rule["min_qty"], "max_qty": rule["max_qty"]}
    item = rule["item_code"] or None
    if rule["method"] not in ("", *METHODS):
        return Fault("Bad Data", UNKNOWN_METHOD, values, item_code=item)
    target = rule["service_target"]
    if target <= 0.0 or target >= 1.0:
        return Fault("Bad Data", IMPOSSIBLE_TARGET, values | {"percent": round(target * 100.0, 4)}, item_code=item)
    negative = [name for name in _NUMBERS if rule[name] < 0.0]
    if negative:
        told = values | {"column": negative[0], "value": rule[negative[0]]}
        return Fault("Bad Data", NEGATIVE, told, item_code=item)
    return Fault("Bad Data", FLOOR_ABOVE_CAP, values, item_code=item)


def apply_rules(
    given: Rules,
    item_code: NDArray[np.object_],
    warehouse: NDArray[np.object_],
    item_group: NDArray[np.object_],
    abc_class: NDArray[np.object_],
    xyz_class: NDArray[np.object_],
) -> RuledPairs:
    """Everything (n,). given: rules that `check_rules` has passed."""
    n = len(item_code)
    said = {name: np.full(n, np.nan) for name in _NUMBERS}
    said |= {"method": np.full(n, "", dtype=object), "rule": np.full(n, "", dtype=object)}
    rules = given.rules.sort_values("name", kind="stable")
    of_item = rules[rules["item_code"] != ""]
    wide = rules[rules["item_code"] == ""]
    depth = wide["item_group"].map(_depths(given.item_groups)).fillna(0)
    classes = (wide["abc_class"] != "").astype(int) + (wide["xyz_class"] != "")
    order = pd.DataFrame({"group": (wide["item_group"] != "") * (1 + depth), "classes": classes})
    order["warehouse"] = wide["warehouse"] != ""
    # A loop over the rules of classes and groups: a company has a handful.
    for at in order.sort_values(["warehouse", "group", "classes"], kind="stable").index:
        rule = wide.loc[at]
        rows = _of(rule["abc_class"], abc_class) & _of(rule["xyz_class"], xyz_class) & _of(rule["warehouse"], warehouse)
        if rule["item_group"]:
            rows &= pd.Index(item_group).isin(list(below(given.item_groups, rule["item_group"])))
        _say(said, rows, {name: rule[name] for name in (*_NUMBERS, "method", "name")})
    _say_items(said, of_item, item_code, warehouse)
    return RuledPairs(**said)


def typed_maximum(
    rules: pd.DataFrame, item_code: NDArray[np.object_], warehouse: NDArray[np.object_]
) -> NDArray[np.float64]:
    """(n,) the maximum that somebody typed for the very item, or for it in the warehouse; NaN where nobody did. rules:
    that `check_rules` has passed. What is said of a class or a group tells nothing of an item's own sizes."""
    said = {name: np.full(len(item_code), np.nan) for name in _NUMBERS}
    said |= {name: np.full(len(item_code), "", dtype=object) for name in ("method", "rule")}
    of_item = rules[rules["item_code"] != ""].sort_values("name", kind="stable")
    _say_items(said, of_item, item_code, warehouse)
    return np.asarray(said["max_qty"], dtype=float)


def _of(name: str, values: NDArray[np.object_]) -> NDArray[np.bool_]:
    return np.ones(len(values), dtype=bool) if not name else np.asarray(values == name, dtype=bool)


def _say(said: dict[str, NDArray[np.object_]], rows: NDArray[np.bool_], rule: dict[str, Any]) -> None:
    """One rule's columns over what wider rules said."""
    for name in _NUMBERS:
        if not pd.isna(rule[name]):
            said[name][rows] = rule[name]
    if rule["method"]:
        said["method"][rows] = rule["method"]
    if rule["method"] or not pd.isna(rule["service_target"]):
        said["rule"][rows] = rule["name"]


def _say_items(
    said: dict[str, NDArray[np.object_]], of_item: pd.DataFrame, item_code: NDArray[np.object_],
    warehouse: NDArray[np.object_],
) -> None:  # fmt: skip
    """Rules of items over what wider rules said, those of an item in a warehouse last."""
    anywhere = of_item[of_item["warehouse"] == ""].drop_duplicates("item_code", keep="last").set_index("item_code")
    _say_each(said, anywhere, pd.Index(item_code))
    here = of_item[of_item["warehouse"] != ""].drop_duplicates(["item_code", "warehouse"], keep="last")
    _say_each(said, here.set_index(["item_code", "warehouse"]), pd.MultiIndex.from_arrays([item_code, warehouse]))


def _say_each(said: dict[str, NDArray[np.object_]], rules: pd.DataFrame, keys: pd.Index) -> None:
    """Many rules' columns, each for its own rows."""
    at = rules.index.get_indexer(keys)
    found = at >= 0
    if not found.any():
        return
    own = rules.iloc[at[found]]
    for name in _NUMBERS:
        given = own[name].to_numpy(dtype=float)
        said[name][found] = np.where(np.isnan(given), said[name][found], given)
    method = own["method"].to_numpy(dtype=object)
    said["method"][found] = np.where(method == "", said["method"][found], method)
    speaks = (method != "") | ~np.isnan(own["service_target"].to_numpy(dtype=float))
    said["rule"][found] = np.where(speaks, own["name"].to_numpy(dtype=object), said["rule"][found])


def _depths(tree: pd.DataFrame) -> dict[str, int]:
    """How far below the root each group stands."""
    parent = dict(zip(tree["name"], tree["parent"], strict=True))
    depths: dict[str, int] = {}
    for name in parent:  # over item groups
        seen, at = set(), name
        while at in parent and parent[at] and at not in seen:
            seen.add(at)
            at = parent[at]
        depths[name] = len(seen)
    return depths
