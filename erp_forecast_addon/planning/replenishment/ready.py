"""What the next order of a pair depends on besides stock and open documents: kept by a plan, as text on its policy.

With it `look.py` says after an event whether a pair has to order, how much and from whom, without planning again.
Only pairs that stand alone are kept: who supplies or is supplied by another warehouse, is made or goes into something
made, lends or borrows, or has its orders judged on paths of demand, is left to the next plan.
"""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from erp_forecast_addon.planning.errors import BadInput
from erp_forecast_addon.planning.inventory.judged_orders import judged
from erp_forecast_addon.planning.inventory.methods import PriceBreaks
from erp_forecast_addon.planning.messages import _
from erp_forecast_addon.planning.purchasing.position import BUCKET_DAYS
from erp_forecast_addon.planning.purchasing.price_breaks import pair_breaks
from erp_forecast_addon.planning.purchasing.suppliers import blocked_items
from erp_forecast_addon.planning.replenishment.cases import acts_at_qty, most_held_qty
from erp_forecast_addon.planning.replenishment.pairs import floats, objects
from erp_forecast_addon.planning.replenishment.reckoning import Reckoned
from erp_forecast_addon.planning.settings import PlanSettings

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Texts = NDArray[np.object_]
Ints = NDArray[np.int64]

# So many days after its plan a pair can still be looked at.
LASTS_DAYS = 8
_FORMAT = 1
OPENING = f"[{_FORMAT},"  # of every text of this format


@dataclass(frozen=True)
class ReadyPairs:
    """(n,) each, stock units and company currency. supplier … rate: of the next line, rate in `currency` per purchase
    unit; base_rate: per stock unit, NaN where it is not known; min_order_qty: a chosen price break included; lead_days:
    of the supplier; order_up_to_qty … by_position: of the levels (see PairLevels); cover_days: an order covers so many
    days beyond its arrival; daily_mean_qty: the demand that levels are made of; most_qty: that may be held (inf: any),
    unless packs of step_qty cannot stay below it and above acts_at_qty. forecast_days: (n,) kept days of `forecast`,
    (n, days) from the day after the plan's last complete day. breaks: the usual price and lower ones for larger orders.
    """

    item_code: Texts
    warehouse: Texts
    supplier: Texts
    uom: Texts
    currency: Texts
    conversion_factor: Floats
    uom_whole: Flags
    stock_uom_whole: Flags
    min_order_qty: Floats
    order_multiple_qty: Floats
    rate: Floats
    base_rate: Floats
    exchange_rate: Floats
    lead_days: Floats
    order_up_to_qty: Floats
    trigger_qty: Floats
    reorder_point_qty: Floats
    due_days: Floats
    by_position: Flags
    cover_days: Floats
    daily_mean_qty: Floats
    most_qty: Floats
    acts_at_qty: Floats
    step_qty: Floats
    forecast_days: Ints
    forecast: Floats
    breaks: PriceBreaks | None = None

    def __len__(self) -> int:
        return len(self.item_code)

    def select(self, rows: Ints | Flags) -> "ReadyPairs":
        own = {f.name: getattr(self, f.name)[rows] for f in fields(self) if f.name != "breaks"}
        breaks = None if self.breaks is None else PriceBreaks(self.breaks.min_qty[rows], self.breaks.unit_cost[rows])
        return ReadyPairs(**own, breaks=breaks)


_TEXTS = ("supplier", "uom", "currency")
_FLAGS = ("uom_whole", "stock_uom_whole", "by_position")
_NUMBERS = tuple(
    f.name for f in fields(ReadyPairs)
    if f.name not in (*_TEXTS, *_FLAGS, "item_code", "warehouse", "forecast_days", "forecast", "breaks")
)  # fmt: skip

OTHER_FORMAT = _("What the next order of {item_code} in {warehouse} depends on cannot be read. Run the plan again.")


def ready_pairs(
    reckoned: Reckoned,
    cases: pd.DataFrame,
    rated: pd.DataFrame,
    chosen: pd.DataFrame,
    breaks: pd.DataFrame,
    settings: PlanSettings,
    judged_on_paths: bool,
) -> ReadyPairs:
    """Those of the plan's pairs that may be ordered and stand alone. cases: from `order_cases`; rated, chosen: what
    the suppliers were chosen from, and who; breaks: table PRICE_BREAKS; judged_on_paths: the outlook has paths."""
    rows = np.flatnonzero(_alone(reckoned, settings, judged_on_paths) & _may_be_bought(cases, rated, chosen))
    lines, levels = cases.iloc[rows], reckoned.levels
    unit = floats(lines, "base_rate")
    forecast = reckoned.found.shelves.forecast
    kept = _kept_days(reckoned, settings)[rows]
    return ReadyPairs(
        item_code=objects(lines, "item_code"),
        warehouse=objects(lines, "warehouse"),
        supplier=objects(lines, "supplier"),
        uom=objects(lines, "uom"),
        currency=objects(lines, "currency"),
        conversion_factor=floats(lines, "conversion_factor"),
        uom_whole=lines["uom_whole"].to_numpy(dtype=bool),
        stock_uom_whole=lines["stock_uom_whole"].to_numpy(dtype=bool),
        min_order_qty=floats(lines, "min_order_qty"),
        order_multiple_qty=floats(lines, "order_multiple_qty"),
        rate=lines["rate"].where(lines["price_known"]).to_numpy(dtype=float),
        base_rate=unit,
        exchange_rate=floats(lines, "exchange_rate"),
        lead_days=floats(lines, "supplier_lead_days"),
        order_up_to_qty=levels.chosen.order_up_to_qty[rows],
        trigger_qty=levels.trigger_qty[rows],
        reorder_point_qty=levels.chosen.reorder_point_qty[rows],
        due_days=levels.due_days[rows],
        by_position=levels.by_position[rows],
        cover_days=_cover_days(reckoned)[rows],
        daily_mean_qty=floats(lines, "daily_demand_mean"),
        most_qty=most_held_qty(levels)[rows],
        acts_at_qty=acts_at_qty(levels)[rows],
        step_qty=np.broadcast_to(np.asarray(levels.inputs.order_multiple_qty, dtype=float), (len(cases),))[rows],
        forecast_days=np.minimum(kept, forecast.shape[1]),
        forecast=forecast[rows],
        breaks=pair_breaks(lines.reset_index(drop=True), np.nan_to_num(unit), breaks) if len(rows) else None,
    )


def _cover_days(reckoned: Reckoned) -> Floats:
    return (reckoned.found.shelves.window_days - reckoned.arrival_day - reckoned.timing.missed_days).astype(float)


def _alone(reckoned: Reckoned, settings: PlanSettings, judged_on_paths: bool) -> Flags:
    pairs, edges = reckoned.pairs, reckoned.edges
    alone = ~pairs["warehouse"].isin(reckoned.sources.group.index).to_numpy(dtype=bool)
    alone[edges.asking], alone[edges.asked] = False, False
    if judged_on_paths:
        alone &= ~judged(reckoned.levels, settings)
    return alone & (pairs["supplied_by"] == "").to_numpy(dtype=bool) & ~pairs["is_made"].to_numpy(dtype=bool)


def _may_be_bought(cases: pd.DataFrame, rated: pd.DataFrame, chosen: pd.DataFrame) -> Flags:
    may = cases["exists"] & ~cases["retired"] & cases["is_purchase_item"] & ~cases["held"]
    may &= (cases["supplier"] != "") & cases["factor_known"]
    return np.asarray(may & ~cases["item_code"].isin(blocked_items(rated, chosen).index), dtype=bool)


def _kept_days(reckoned: Reckoned, settings: PlanSettings) -> Ints:
    """(n,) days of forecast that can move what a look sees in its window, for as long as it may be taken."""
    moved = settings.consume_back_days + settings.consume_forward_days
    return np.asarray(reckoned.found.shelves.window_days + LASTS_DAYS + moved + 2 * BUCKET_DAYS, dtype=np.int64)


# ---- as text ------------------------------------
def packed(ready: ReadyPairs) -> list[str]:
    """(n,) one compact text per pair. A loop over pairs, as each is a record of its own; numbers by columns."""
    texts = zip(*(getattr(ready, name).tolist() for name in _TEXTS), strict=True)
    flags = zip(*(getattr(ready, name).astype(int).tolist() for name in _FLAGS), strict=True)
    numbers = np.column_stack([getattr(ready, name) for name in _NUMBERS]).astype(float)
    written = numbers.astype(object)
    written[~np.isfinite(numbers)] = None
    told = written.tolist()
    days = ready.forecast_days.tolist()
    courses = [_course(row[:count]) for row, count in zip(ready.forecast, days, strict=True)]
    return [
        json.dumps([_FORMAT, *text, *flag, number, steps, count, course], separators=(",", ":"), ensure_ascii=False)
        for text, flag, number, steps, count, course in zip(
            texts, flags, told, _break_lists(ready.breaks, len(ready)), days, courses, strict=True
        )
    ]


def _course(daily: Floats) -> str:
    return base64.b64encode(daily.astype("<f8").tobytes()).decode() if daily.any() else ""


def _break_lists(breaks: PriceBreaks | None, n: int) -> list[list[list[float]]]:
    """Per pair the quantities and prices of its breaks, without the usual price. A loop over pairs that have any."""
    lists: list[list[list[float]]] = [[] for _pair in range(n)]
    if breaks is not None:
        there = np.isfinite(breaks.min_qty)
        there[:, 0] = False
        for row in np.flatnonzero(there.any(axis=1)).tolist():
            lists[row] = [breaks.min_qty[row][there[row]].tolist(), breaks.unit_cost[row][there[row]].tolist()]
    return lists


def unpacked(item_code: Sequence[str], warehouse: Sequence[str], texts: Sequence[str]) -> ReadyPairs:
    """What `packed` wrote, for the same pairs. A loop over pairs, each a text of its own. Raises BadInput."""
    records = [_record(*row) for row in zip(item_code, warehouse, texts, strict=True)]
    n, at = len(records), 1 + len(_TEXTS) + len(_FLAGS)
    heads = np.array([record[1:at] for record in records], dtype=object).reshape(n, at - 1)
    numbers = np.array([record[at] for record in records], dtype=float).reshape(n, len(_NUMBERS))
    column = dict(zip(_NUMBERS, numbers.T, strict=True))
    column["most_qty"] = np.where(np.isnan(column["most_qty"]), np.inf, column["most_qty"])
    days = np.array([record[at + 2] for record in records], dtype=np.int64)
    return ReadyPairs(
        item_code=np.array(item_code, dtype=object),
        warehouse=np.array(warehouse, dtype=object),
        **dict(zip(_TEXTS, heads.T, strict=False)),
        **{name: heads[:, len(_TEXTS) + place].astype(bool) for place, name in enumerate(_FLAGS)},
        **column,
        forecast_days=days,
        forecast=_courses([record[at + 3] for record in records], days),
        breaks=_breaks([record[at + 1] for record in records], column["base_rate"]),
    )


def _record(item_code: str, warehouse: str, text: str) -> list[Any]:
    try:
        record = json.loads(text)
    except ValueError as error:
        raise BadInput(OTHER_FORMAT, item_code=item_code, warehouse=warehouse) from error
    if not isinstance(record, list) or len(record) != 5 + len(_TEXTS) + len(_FLAGS) or record[0] != _FORMAT:
        raise BadInput(OTHER_FORMAT, item_code=item_code, warehouse=warehouse)
    return record


def _courses(encoded: Sequence[str], days: Ints) -> Floats:
    """(n, longest); nothing beyond what is kept of a pair."""
    matrix = np.zeros((len(days), int(days.max(initial=0))))
    for row, text in enumerate(encoded):
        if text:
            matrix[row, : days[row]] = np.frombuffer(base64.b64decode(text), dtype="<f8")
    return matrix


def _breaks(steps: Sequence[list[list[float]]], usual: Floats) -> PriceBreaks | None:
    most = max((len(step[0]) for step in steps if step), default=0)
    if not most:
        return None
    qty = np.full((len(steps), most + 1), np.inf)
    cost = np.repeat(np.nan_to_num(usual)[:, None], most + 1, axis=1)
    qty[:, 0] = 0.0
    for row, step in enumerate(steps):
        if step:
            count = len(step[0])
            qty[row, 1 : count + 1], cost[row, 1 : count + 1] = step
    return PriceBreaks(qty, cost)
