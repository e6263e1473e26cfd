"""Demand buckets: the stock ledger of a pair in, one row per day on which something moved out.

A bucket is computed from the ledger, never incremented, so recomputing a pair always gives the same rows.
"""

import numpy as np
import pandas as pd

from erp_forecast_addon.planning.tables import BUCKETS, LEDGER

# Quantities enter the checksum in steps of a millionth, so that the order of additions does not show in it.
_CHECKSUM_STEPS_PER_UNIT = 1_000_000
_NANOSECONDS_PER_DAY = 86_400_000_000_000


def daily_buckets(ledger: pd.DataFrame, carried: pd.DataFrame | None = None) -> pd.DataFrame:
    """Demand and stock per pair and day, only days on which the ledger moved or a return was netted.

    ledger:  table LEDGER, any order; rows with the same non-empty name count once.
    carried: optional (item_code, warehouse, closing_qty): stock of a pair before its first row in `ledger`, for a
             ledger that was cut at a day. Pairs that do not stand there start from 0.
    Returns table BUCKETS sorted by item, warehouse and day:
      demand_qty  = Σ −actual_qty of the demand rows whose demand_day is that day; below 0 when returns outweigh sales;
      closing_qty = qty_after_transaction of the day's last row by (posted_at, creation, name); on a day that only a
                    return was netted on, the stock that was there already;
      opening_qty = closing_qty of the pair's row before it. (Not "closing − Σ actual_qty": a Stock Reconciliation
                    moves the stock with actual_qty 0.)
    A pair's buckets depend on that pair's rows alone. Raises BadInput (table LEDGER).
    """
    rows = _once_per_name(LEDGER.check(ledger))
    if rows.empty:
        return BUCKETS.empty()
    items, item_names = pd.factorize(rows["item_code"], sort=True)
    houses, house_names = pd.factorize(rows["warehouse"], sort=True)
    pairs = items.astype(np.int64) * len(house_names) + houses
    posted = _day_numbers(rows["posting_day"])
    sold = _day_numbers(rows["demand_day"].fillna(rows["posting_day"]))
    origin = min(posted.min(), sold.min())
    span = int(max(posted.max(), sold.max()) - origin) + 1
    moved = pairs * span + (posted - origin)
    wanted = pairs * span + (sold - origin)
    demanded = rows["is_demand"].to_numpy()

    order = _in_time(rows, moved)
    days_moved = moved[order][_changes(moved[order])]
    # Nearly every demand row counts on the day it was posted; only the others can need a slot of their own.
    slots = np.union1d(days_moved, wanted[demanded & (wanted != moved)])
    of_wanted = np.searchsorted(slots, wanted[demanded])
    outgoing = -rows["actual_qty"].to_numpy()[demanded]
    demand_qty = np.bincount(of_wanted, weights=outgoing, minlength=len(slots))
    closing_qty = np.full(len(slots), np.nan)
    last = _last_of_each(rows, moved, order)
    closing_qty[np.searchsorted(slots, moved[last])] = rows["qty_after_transaction"].to_numpy()[last]
    slot_pair = slots // span
    starts_pair = _changes(slot_pair)
    item_code = np.asarray(item_names, dtype=object)[slot_pair // len(house_names)]
    warehouse = np.asarray(house_names, dtype=object)[slot_pair % len(house_names)]
    before = _carried_qty(carried, item_code, warehouse, starts_pair)
    closing_qty, opening_qty = _carry_stock(closing_qty, starts_pair, before)
    return pd.DataFrame(
        {
            "item_code": pd.Series(item_code, dtype=object),
            "warehouse": pd.Series(warehouse, dtype=object),
            "day": ((slots % span + origin) * _NANOSECONDS_PER_DAY).astype("datetime64[ns]"),
            "demand_qty": demand_qty + 0.0,  # -0.0 becomes 0.0
            "closing_qty": closing_qty,
            "opening_qty": opening_qty,
        }
    )


def pair_checksums(buckets: pd.DataFrame) -> pd.DataFrame:
    """One checksum per pair: item_code, warehouse, checksum (16 hexadecimal digits), sorted by pair.

    buckets: table BUCKETS, any order. The checksum depends on the days and quantities of the pair's rows, not on
    their order nor on other pairs, and is the same on every machine; quantities count in millionths of a unit.
    """
    rows = BUCKETS.check(buckets)
    mixed = _mix(_day_numbers(rows["day"]).astype(np.uint64))
    for column in ("demand_qty", "closing_qty", "opening_qty"):
        mixed = _mix(mixed ^ _quantity_bits(rows[column].to_numpy()))
    # A sum (modulo 2**64) over the rows does not depend on their order.
    sums = rows[["item_code", "warehouse"]].assign(checksum=mixed).groupby(["item_code", "warehouse"], sort=True).sum()
    result = sums.reset_index()
    digits = result["checksum"].to_numpy(dtype=np.uint64).astype(">u8").tobytes().hex()
    result["checksum"] = pd.Series([digits[at : at + 16] for at in range(0, len(digits), 16)], dtype=object)
    return result


def _once_per_name(rows: pd.DataFrame) -> pd.DataFrame:
    twice = rows["name"].duplicated(keep="last") & (rows["name"] != "")
    return rows[~twice] if twice.any() else rows


def _day_numbers(days: pd.Series) -> np.ndarray:
    return days.to_numpy().astype("datetime64[D]").astype(np.int64)


def _changes(ordered: np.ndarray) -> np.ndarray:
    """True where a value differs from the one before it; True at the start."""
    return np.concatenate([[True], ordered[1:] != ordered[:-1]])


def _in_time(rows: pd.DataFrame, moved: np.ndarray) -> np.ndarray:
    """Positions of the rows by pair and day, then by posting and creation."""
    posted_at = rows["posted_at"].to_numpy().astype(np.int64)
    creation = rows["creation"].to_numpy().astype(np.int64)  # NaT is the smallest number: older than anything
    return np.lexsort((creation, posted_at, moved))


def _last_of_each(rows: pd.DataFrame, moved: np.ndarray, order: np.ndarray) -> np.ndarray:
    """Position of the last ledger row of each pair and day, by posting, creation and name."""
    ordered = moved[order]
    begins = np.flatnonzero(_changes(ordered))
    ends = np.append(begins[1:], len(ordered)) - 1
    last = order[ends]
    # Names decide only between rows of one moment; sorting all of them as text would cost more than all the rest.
    moment = [rows[column].to_numpy()[order].astype(np.int64) for column in ("posted_at", "creation")]
    before = np.maximum(ends - 1, begins)
    rivals = (ends > begins) & (moment[0][before] == moment[0][ends]) & (moment[1][before] == moment[1][ends])
    if rivals.any():
        group = np.repeat(np.arange(len(begins)), ends - begins + 1)
        end = ends[group]
        tied = np.flatnonzero(rivals[group] & (moment[0] == moment[0][end]) & (moment[1] == moment[1][end]))
        names = pd.factorize(rows["name"].to_numpy()[order[tied]], sort=True)[0]
        by_name = tied[np.lexsort((names, group[tied]))]
        final = np.append(np.flatnonzero(_changes(group[by_name]))[1:], len(by_name)) - 1
        last[group[by_name[final]]] = order[by_name[final]]
    return last


def _carried_qty(
    carried: pd.DataFrame | None, item_code: np.ndarray, warehouse: np.ndarray, starts_pair: np.ndarray
) -> np.ndarray:
    """Stock before the first row of each pair that starts, in order. (pairs,)"""
    if carried is None:
        return np.zeros(int(starts_pair.sum()))
    known = carried.set_index(["item_code", "warehouse"])["closing_qty"]
    wanted = pd.MultiIndex.from_arrays([item_code[starts_pair], warehouse[starts_pair]])
    return known.reindex(wanted).fillna(0.0).to_numpy(dtype=float)


def _carry_stock(closing: np.ndarray, starts_pair: np.ndarray, before: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Closing carried over slots without a ledger row, and opening = closing of the slot before, within each pair."""
    first_slot = np.flatnonzero(starts_pair)
    pair = np.cumsum(starts_pair) - 1
    at = np.where(np.isnan(closing), -1, np.arange(len(closing)))
    latest = np.maximum.accumulate(at)
    known = latest >= first_slot[pair]
    closing = np.where(known, closing[np.maximum(latest, 0)], before[pair])
    opening = np.empty_like(closing)
    opening[1:] = closing[:-1]
    opening[first_slot] = before
    return closing, opening


def _quantity_bits(qty: np.ndarray) -> np.ndarray:
    missing = np.isnan(qty)
    steps = np.rint(np.where(missing, 0.0, qty) * _CHECKSUM_STEPS_PER_UNIT).astype(np.int64)
    return np.where(missing, np.iinfo(np.int64).min, steps).view(np.uint64)


def _mix(values: np.ndarray) -> np.ndarray:
    """The finaliser of SplitMix64 (Steele, Lea, Flood 2014): every input bit reaches every output bit."""
    mixed = values + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(mixed ^ (mixed >> np.uint64(31)))
