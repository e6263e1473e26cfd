"""The table PROPOSALS: what to order, from whom, until when, and why.

The rule is a time-phased order-up-to system with a review period: order when the projected stock falls below the
safety stock before an order of the next review could arrive, and order up to the order-up-to level.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from erp_forecast_addon.planning.messages import _
from erp_forecast_addon.planning.purchasing.evidence import evidence_dicts
from erp_forecast_addon.planning.purchasing.lots import lot_sizes
from erp_forecast_addon.planning.tables import PROPOSALS
from erp_forecast_addon.planning.wording import dict_column, iso_days, pieces, readable

Days = NDArray[np.datetime64]
# What is wanted or missing is named in whole pieces where the item has no others.
_WANTED = ("safety_stock_qty", "order_up_to_qty", "need_qty")

_IN_TIME = _(
    "Stock falls below the safety stock of {safety_stock} {stock_uom} on {need_on}. {position} {stock_uom} are on hand "
    "or on order, firm demand beyond the forecast taken off; {order_up_to} {stock_uom} are wanted for the next "
    "{protection_days} days (lead time and review period): {need} {stock_uom} are missing, ordered as {qty} {uom}."
)
_LATE = _(
    "Stock falls below the safety stock of {safety_stock} {stock_uom} on {need_on}, {days_late} days before an order "
    "placed now can arrive on {schedule_date}. {position} {stock_uom} are on hand or on order, firm demand "
    "beyond the forecast taken off; {order_up_to} {stock_uom} are wanted for the next {protection_days} days (lead "
    "time and review period): {need} {stock_uom} are missing, ordered as {qty} {uom}."
)
_LATE_BY_A_DAY = _(
    "Stock falls below the safety stock of {safety_stock} {stock_uom} on {need_on}, one day before an order placed now "
    "can arrive on {schedule_date}. {position} {stock_uom} are on hand or on order, firm demand beyond the forecast "
    "taken off; {order_up_to} {stock_uom} are wanted for the next {protection_days} days (lead time and review "
    "period): {need} {stock_uom} are missing, ordered as {qty} {uom}."
)


@dataclass(frozen=True)
class Proposed:
    """table: PROPOSALS; no_lot: the needs that no quantity of their purchase UOM can meet, rows of the input."""

    table: pd.DataFrame
    no_lot: pd.DataFrame


def propose(needs: pd.DataFrame, considered: Sequence[list[dict[str, Any]]], as_of: date) -> Proposed:
    """Turn needs into lines. needs: one row per pair with a need, a supplier and a conversion factor; columns are
    those of the evidence (without stock_qty) plus warehouse, below_safety_day, arrival_day, delivery_day, order_by_day,
    money_at_risk and what PROPOSALS takes over; considered: for each, the suppliers considered (see alternatives).
    """
    lots = lot_sizes(
        needs["need_qty"].to_numpy(),
        needs["min_order_qty"].to_numpy(),
        needs["order_multiple_qty"].to_numpy(),
        needs["conversion_factor"].to_numpy(),
        needs["uom_whole"].to_numpy(),
        needs["stock_uom_whole"].to_numpy(),
        needs["most_order_qty"].to_numpy(),
    )
    # No limit is None in the evidence: JSON knows no infinity.
    most = needs["most_order_qty"].where(np.isfinite(needs["most_order_qty"]))
    lines = needs.assign(qty=lots.qty, stock_qty=lots.stock_qty, as_of=as_of.isoformat(), most_order_qty=most)
    considered = [considered[at] for at in np.flatnonzero(lots.possible).tolist()]
    lines = _with_days(lines[lots.possible].reset_index(drop=True), as_of)
    if lines.empty:
        return Proposed(PROPOSALS.empty(), needs[~lots.possible])
    rate = lines["rate"].where(lines["price_known"], 0.0)
    lines["amount"] = lines["qty"] * rate
    table = lines.assign(
        rate=rate,
        # Without an exchange rate there is no amount in company currency; the fault of the line says so.
        base_amount=(lines["amount"] * lines["exchange_rate"]).fillna(0.0),
        reason_template=_reason_templates(lines["days_late"].to_numpy()),
        reason_values=dict_column(_reason_values(lines)),
        evidence=dict_column(evidence_dicts(lines, considered)),
    )
    return Proposed(PROPOSALS.check(table), needs[~lots.possible])


def _with_days(lines: pd.DataFrame, as_of: date) -> pd.DataFrame:
    """Add need_on, schedule_date, order_by, days_late, order_on, days_lost. Day 0, as_of + 1: the earliest to order."""
    need_day, arrival_day = lines["below_safety_day"].to_numpy(), lines["arrival_day"].to_numpy()
    # Back from the need: the lead time, and before it the time that an approval takes.
    start = need_day - arrival_day - lines["approval_wait_days"].to_numpy(dtype=np.int64)
    first = np.datetime64(as_of, "D") + 1
    return lines.assign(
        order_on=(first + start.astype("timedelta64[D]")).astype("datetime64[ns]"),
        days_lost=np.maximum(-start, 0).astype(float),
        need_on=day_dates(need_day, as_of),
        schedule_date=day_dates(lines["delivery_day"].to_numpy(), as_of),
        order_by=day_dates(lines["order_by_day"].to_numpy(), as_of),
        days_late=np.maximum(arrival_day - need_day, 0).astype(float),
    )


def day_dates(day: NDArray[np.int64], as_of: date) -> Days:
    """Indices from day 0 (as_of + 1) to datetime64[ns]; a negative index is no day."""
    first = np.datetime64(as_of, "D") + 1
    dates = first + day.astype("timedelta64[D]")
    return np.where(day < 0, np.datetime64("NaT"), dates).astype("datetime64[ns]")


def _reason_templates(days_late: NDArray[np.float64]) -> NDArray[np.object_]:
    by_lateness = np.array([_IN_TIME, _LATE_BY_A_DAY, _LATE], dtype=object)
    return np.asarray(by_lateness[np.clip(days_late, 0.0, 2.0).astype(np.int64)], dtype=object)


def _reason_values(lines: pd.DataFrame) -> list[dict[str, Any]]:
    numbers = {
        "safety_stock_qty": "safety_stock",
        "position_qty": "position",
        "order_up_to_qty": "order_up_to",
        "protection_days": "protection_days",
        "need_qty": "need",
        "qty": "qty",
        "days_late": "days_late",
    }
    whole = lines["stock_uom_whole"].to_numpy(dtype=bool)
    # What is ordered ahead is told apart, in the notes: beside the level, only what is missing to it is its need.
    lines = lines.assign(need_qty=np.maximum(lines["need_qty"] - np.maximum(lines["ahead_qty"], 0.0), 0.0))
    columns = [
        pieces(lines[column].to_numpy(), whole) if column in _WANTED else readable(lines[column].to_numpy())
        for column in numbers
    ]
    days = [iso_days(lines[column].to_numpy()) for column in ("need_on", "schedule_date")]
    keys = (*numbers.values(), "need_on", "schedule_date", "uom", "stock_uom")
    # A loop over the proposed lines, by columns: the contract wants one dict of values per line.
    return [
        dict(zip(keys, row, strict=True)) for row in zip(*columns, *days, lines["uom"], lines["stock_uom"], strict=True)
    ]
