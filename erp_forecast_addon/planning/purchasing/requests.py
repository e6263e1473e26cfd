"""The table REQUESTS: what is asked for within the company instead of being bought, and why.

Three kinds of lines: a need of a supplied warehouse, asked of the warehouse that supplies it; a need that another
warehouse of the planning group covers from what it has too much of; and a need of a made item, asked of production.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from erp_forecast_addon.planning.errors import Fault
from erp_forecast_addon.planning.messages import _
from erp_forecast_addon.planning.purchasing.faults import pair_faults
from erp_forecast_addon.planning.purchasing.network import Edges
from erp_forecast_addon.planning.purchasing.proposals import day_dates
from erp_forecast_addon.planning.purchasing.requirements import Requirements
from erp_forecast_addon.planning.purchasing.transfers import Moves, match, rounded_up
from erp_forecast_addon.planning.settings import PlanSettings
from erp_forecast_addon.planning.tables import MANUFACTURE, REQUESTS, TRANSFER
from erp_forecast_addon.planning.wording import dict_column, iso_days, pieces, readable

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
_PAIR = ["item_code", "warehouse"]

_SUPPLIED = _(
    "Stock falls below the safety stock of {safety_stock} {stock_uom} on {need_on}. {need} {stock_uom} are missing and "
    "asked of {from_warehouse}, which supplies {warehouse} and can spare {available} {stock_uom} today: {qty} "
    "{stock_uom}."
)
_LENT = _(
    "Stock falls below the safety stock of {safety_stock} {stock_uom} on {need_on}. {need} {stock_uom} are missing; "
    "{from_warehouse} has {available} {stock_uom} more than it needs. Moving {qty} {stock_uom} costs {transfer_cost} "
    "{currency}, buying them {buying_cost} {currency} in ordering and in holding what would go on lying there."
)
_MADE = _(
    "Stock falls below the safety stock of {safety_stock} {stock_uom} on {need_on}. {need} {stock_uom} are missing and "
    "asked of production as {qty}; it takes {lead_time_days} days and {components} components."
)
_LATE = _("It is {days_late} days too late for {need_on}: {schedule_date} is the earliest day possible.")
_LATE_BY_A_DAY = _("It is one day too late for {need_on}: {schedule_date} is the earliest day possible.")

SOURCE_SHORT = _(
    "{item_code} in {warehouse}: {need_qty} {stock_uom} are wanted from {supplied_by} by {need_on}, which can spare "
    "{granted_qty} today. The rest is planned there."
)


@dataclass(frozen=True)
class Requested:
    """table: REQUESTS; to_buy: the cases with what is left to buy in need_qty; faults."""

    table: pd.DataFrame
    to_buy: pd.DataFrame
    faults: list[Fault]


def request_within(
    cases: pd.DataFrame,
    found: Requirements,
    edges: Edges,
    refused: pd.DataFrame,
    settings: PlanSettings,
    as_of: date,
    buying_costs: Floats,
) -> Requested:
    """Lines for everything that is not bought. cases: one row per pair in the order of `found`, with the columns that a
    proposal has and supplied_by, is_made, transfer_days, approval_wait_days; refused: table REFUSED_REQUESTS;
    buying_costs: (k,) of found.moves, company currency.
    """
    if not (len(found.moves.qty) or (cases["supplied_by"] != "").any() or cases["is_made"].any()):
        return Requested(REQUESTS.empty(), cases, [])
    may = cases["we_order"] & ~cases["suppressed"] & ~cases["held"] & cases["exists"] & ~cases["retired"]
    wanted = np.where(may, cases["need_qty"], 0.0)
    supplied, made = (cases["supplied_by"] != "").to_numpy(), cases["is_made"].to_numpy(dtype=bool)
    granted = _granted(cases, np.where(supplied & ~_refused(cases, refused, TRANSFER), wanted, 0.0), found)
    lent = _lent_lines(cases, found, buying_costs, settings)
    given = _supplied_lines(cases, found, granted, settings)
    making = _made_lines(cases, np.where(made & ~_refused(cases, refused, MANUFACTURE), wanted, 0.0), edges)
    lines = pd.concat([part for part in (lent, given, making) if len(part)] or [lent], ignore_index=True)
    table = _table(lines, as_of) if len(lines) else REQUESTS.empty()
    taken = granted.taken(len(cases))
    to_buy = cases.assign(need_qty=np.where(supplied | made, 0.0, cases["need_qty"]))
    return Requested(table, to_buy, _short_sources(cases, np.where(supplied, wanted, 0.0), taken, as_of))


def _refused(cases: pd.DataFrame, refused: pd.DataFrame, request_type: str) -> Flags:
    of_type = refused[refused["request_type"] == request_type]
    return np.asarray(pd.MultiIndex.from_frame(cases[_PAIR]).isin(pd.MultiIndex.from_frame(of_type[_PAIR])))


def _granted(cases: pd.DataFrame, wanted: Floats, found: Requirements) -> Moves:
    """What supplying warehouses give: the most urgent first, none below its own need."""
    row_of = pd.MultiIndex.from_frame(cases[_PAIR])
    asked = pd.MultiIndex.from_arrays([cases["item_code"], cases["supplied_by"]])
    giver = row_of.get_indexer(asked)
    need = rounded_up(wanted, cases["stock_uom_whole"].to_numpy(dtype=bool))
    urgent = cases["below_safety_day"].to_numpy()
    order = np.lexsort((-cases["money_at_risk"].to_numpy(), np.where(urgent < 0, np.iinfo(np.int64).max, urgent)))
    n = len(cases)
    moves = match(giver[order], need[order], np.arange(n), np.where(found.supplied_any, found.spare_qty, 0.0))
    return Moves(moves.giver, order[moves.taker], moves.qty)


def _lines_of(cases: pd.DataFrame, moves: Moves, spare: Floats) -> pd.DataFrame:
    """What all transfer lines share. taken_before, given_before: by earlier lines of the same pair."""
    frame = pd.DataFrame({"giver": moves.giver, "taker": moves.taker, "qty": moves.qty})
    lines = cases.iloc[moves.taker].reset_index(drop=True)
    return lines.assign(
        request_type=TRANSFER,
        from_warehouse=cases["warehouse"].to_numpy(dtype=object)[moves.giver],
        qty=moves.qty,
        spare_qty=spare[moves.giver],
        given_before_qty=(frame.groupby("giver")["qty"].cumsum() - frame["qty"]).to_numpy(),
        taken_before_qty=(frame.groupby("taker")["qty"].cumsum() - frame["qty"]).to_numpy(),
        components=dict_column([{} for _row in moves.qty]),
        transfer_cost=0.0,
        buying_cost=0.0,
    )


def _lent_lines(cases: pd.DataFrame, found: Requirements, buying_costs: Floats, settings: PlanSettings) -> pd.DataFrame:
    moves, asked = found.moves, found.asked_at
    lines = _lines_of(cases, moves, found.excess_qty)
    return lines.assign(
        below_safety_day=asked.below_day[moves.taker],
        need_qty=asked.need_qty[moves.taker],
        position_qty=asked.position_qty[moves.taker],
        lead_days=int(np.ceil(settings.transfer_days - 1e-9)),
        transfer_cost=settings.transfer_cost,
        buying_cost=buying_costs,
        currency_of=settings.currency,
        template=_LENT,
    )


def _supplied_lines(cases: pd.DataFrame, found: Requirements, granted: Moves, settings: PlanSettings) -> pd.DataFrame:
    lines = _lines_of(cases, granted, found.spare_qty)
    return lines.assign(lead_days=lines["arrival_day"], currency_of=settings.currency, template=_SUPPLIED)


def _made_lines(cases: pd.DataFrame, wanted: Floats, edges: Edges) -> pd.DataFrame:
    rows = np.flatnonzero(wanted > 0.0)
    lines = cases.iloc[rows].reset_index(drop=True)
    least = np.maximum(lines["need_qty"], lines["item_min_order_qty"]).to_numpy(dtype=float)
    qty = rounded_up(least, lines["stock_uom_whole"].to_numpy(dtype=bool))
    return lines.assign(
        request_type=MANUFACTURE, from_warehouse="", qty=qty, lead_days=lines["arrival_day"],
        spare_qty=np.nan, given_before_qty=0.0, taken_before_qty=0.0, transfer_cost=0.0, buying_cost=0.0,
        currency_of="", components=dict_column(_components(cases, rows, qty, edges)), template=_MADE,
    )  # fmt: skip


def _components(cases: pd.DataFrame, rows: NDArray[np.int64], qty: Floats, edges: Edges) -> list[dict[str, Any]]:
    """Exploded demand of each line: warehouse -> component -> quantity. A loop over the components of what is made."""
    at = {int(row): place for place, row in enumerate(rows)}
    found: list[dict[str, Any]] = [{} for _row in rows]
    codes, houses = cases["item_code"].to_numpy(dtype=object), cases["warehouse"].to_numpy(dtype=object)
    parts = edges.select(edges.is_bom & np.isin(edges.asking, rows))
    for asking, asked, per in zip(parts.asking.tolist(), parts.asked.tolist(), parts.qty_per.tolist(), strict=True):
        of_house = found[at[asking]].setdefault(houses[asked], {})
        of_house[codes[asked]] = round(of_house.get(codes[asked], 0.0) + per * float(qty[at[asking]]), 6)
    return found


def _table(lines: pd.DataFrame, as_of: date) -> pd.DataFrame:
    need_day = np.maximum(lines["below_safety_day"].to_numpy(dtype=np.int64), 0)
    lead = lines["lead_days"].to_numpy(dtype=np.int64)
    start = need_day - lead - lines["approval_wait_days"].to_numpy(dtype=np.int64)
    first = np.datetime64(as_of, "D") + 1
    lines = lines.assign(
        need_on=day_dates(need_day, as_of),
        schedule_date=day_dates(np.maximum(need_day, lead), as_of),
        order_by=day_dates(np.maximum(need_day - lead, 0), as_of),
        order_on=(first + start.astype("timedelta64[D]")).astype("datetime64[ns]"),
        days_late=np.maximum(lead - need_day, 0).astype(float),
        days_lost=np.maximum(-start, 0).astype(float),
    )
    late = lines["days_late"].to_numpy()
    suffix = np.array(["", "\n" + _LATE_BY_A_DAY, "\n" + _LATE], dtype=object)[np.clip(late, 0, 2).astype(int)]
    return REQUESTS.check(
        lines.assign(
            # Of a need that several lines cover, each has its share of the money.
            money_at_risk=lines["money_at_risk"] * np.minimum(lines["qty"] / np.maximum(lines["need_qty"], 1e-9), 1.0),
            reason_template=lines["template"] + suffix,
            reason_values=dict_column(_values(lines)),
            evidence=dict_column(_evidence(lines, as_of)),
        )
    )


def _values(lines: pd.DataFrame) -> list[dict[str, Any]]:
    whole = lines["stock_uom_whole"].to_numpy(dtype=bool)
    numbers = {
        "safety_stock": pieces(lines["safety_stock_qty"].to_numpy(), whole),
        "need": pieces(lines["need_qty"].to_numpy(), whole),
        "qty": readable(lines["qty"].to_numpy()),
        "available": readable(np.nan_to_num((lines["spare_qty"] - lines["given_before_qty"]).to_numpy())),
        "transfer_cost": readable(lines["transfer_cost"].to_numpy()),
        "buying_cost": readable(lines["buying_cost"].to_numpy()),
        "lead_time_days": readable(lines["lead_days"].to_numpy(dtype=float)),
        "days_late": readable(lines["days_late"].to_numpy()),
        "need_on": iso_days(lines["need_on"].to_numpy()),
        "schedule_date": iso_days(lines["schedule_date"].to_numpy()),
        "components": [sum(map(len, each.values())) for each in lines["components"]],
    }
    texts = {
        "stock_uom": lines["stock_uom"], "warehouse": lines["warehouse"], "from_warehouse": lines["from_warehouse"],
        "currency": lines["currency_of"],
    }  # fmt: skip
    columns = {**numbers, **texts}
    # A loop over the lines, by columns: the contract wants one dict of values per line.
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


_EVIDENCE = (
    "on_hand_qty", "open_supply_qty", "position_qty", "safety_stock_qty", "reorder_point_qty", "order_up_to_qty",
    "need_qty", "spare_qty", "given_before_qty", "taken_before_qty", "item_min_order_qty", "stock_uom_whole",
    "stock_uom", "transfer_cost", "buying_cost", "daily_demand_mean", "lead_days", "approval_wait_days", "method",
    "components",
)  # fmt: skip


def _evidence(lines: pd.DataFrame, as_of: date) -> list[dict[str, Any]]:
    columns = [lines[name].astype(object).where(lines[name].notna(), None).tolist() for name in _EVIDENCE]
    kinds = zip(lines["request_type"], lines["from_warehouse"], strict=True)
    return [
        {"request_type": kind, "from_warehouse": house, "as_of": as_of.isoformat(),
         **dict(zip(_EVIDENCE, row, strict=True))}
        for (kind, house), row in zip(kinds, zip(*columns, strict=True), strict=True)
    ]  # fmt: skip


def recompute_request(evidence: Mapping[str, Any]) -> float:
    """The quantity of a line from its frozen inputs alone. Stock units; KeyError where one is missing."""
    whole = np.array([bool(evidence["stock_uom_whole"])])
    if evidence["request_type"] == MANUFACTURE:
        return float(rounded_up(np.array([max(evidence["need_qty"], evidence["item_min_order_qty"])]), whole)[0])
    missing = float(rounded_up(np.array([evidence["need_qty"]]), whole)[0]) - evidence["taken_before_qty"]
    return float(max(0.0, min(missing, evidence["spare_qty"] - evidence["given_before_qty"])))


def _short_sources(cases: pd.DataFrame, wanted: Floats, granted: Floats, as_of: date) -> list[Fault]:
    """Supplied pairs that run out because their supplying warehouse has too little."""
    runs_out = (cases["short_before_qty"] > 0.5) | (cases["short_later_qty"] > 0.5)
    short = cases[(wanted - granted > 1e-6) & runs_out]
    rows = short.index.to_numpy()
    short = short.assign(
        need_on=iso_days(day_dates(short["below_safety_day"].to_numpy(dtype=np.int64), as_of)),
        granted_qty=readable(granted[rows]),
        money_at_risk=np.maximum(short["short_before_qty"], short["short_later_qty"]) * short["selling_rate"],
    )
    return pair_faults(
        "Unavoidable Shortage", SOURCE_SHORT, short, ("need_qty", "stock_uom", "supplied_by", "need_on", "granted_qty")
    )
