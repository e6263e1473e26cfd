"""What is read of snapshots and accuracy, as PyPika builders that run on both sites."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from pypika import functions


def kept_as_of(qb: Any, company: str, week_start: date) -> Any:
    """item_code, warehouse, as_of of the snapshots of one origin week."""
    kept = qb.DocType("Forecast Snapshot")
    query = qb.from_(kept).select(kept.item_code, kept.warehouse, kept.as_of)
    return query.where((kept.company == company) & (kept.week_start == week_start))


def snapshots(qb: Any, company: str, week_start: date) -> Any:
    kept = qb.DocType("Forecast Snapshot")
    query = qb.from_(kept).select(kept.item_code, kept.warehouse, kept.as_of, kept.figures)
    return query.where((kept.company == company) & (kept.week_start == week_start))


def snapshots_of_items(qb: Any, company: str, item_codes: Sequence[str], since: date) -> Any:
    kept = qb.DocType("Forecast Snapshot")
    query = qb.from_(kept).select(kept.item_code, kept.warehouse, kept.week_start, kept.figures)
    return query.where((kept.company == company) & kept.item_code.isin(list(item_codes)) & (kept.week_start >= since))


def first_snapshot(qb: Any, company: str) -> Any:
    kept = qb.DocType("Forecast Snapshot")
    return qb.from_(kept).select(functions.Min(kept.week_start).as_("week_start")).where(kept.company == company)


def last_judged_week(qb: Any, company: str) -> Any:
    week = qb.DocType("Forecast Accuracy Week")
    return qb.from_(week).select(functions.Max(week.week_start).as_("week_start")).where(week.company == company)


def states(qb: Any, company: str) -> Any:
    row = qb.DocType("Forecast Accuracy")
    query = qb.from_(row).select(
        row.item_code, row.warehouse, row.measured_until, row.drift, row.drift_since, row.state
    )
    return query.where(row.company == company)


def drifting(qb: Any, company: str) -> Any:
    """Pairs whose forecasts drift."""
    row = qb.DocType("Forecast Accuracy")
    query = qb.from_(row).select(
        row.item_code, row.warehouse, row.drift, row.drift_since, row.weeks, row.mean_demand_qty,
        row.mean_forecast_qty, row.mae_qty, row.measured_until, row.stock_uom,
    )  # fmt: skip
    return query.where((row.company == company) & (row.drift != ""))


def judged_demand(qb: Any, company: str, since: date) -> Any:
    """Mean weekly demand and drift of every pair judged since that day."""
    row = qb.DocType("Forecast Accuracy")
    query = qb.from_(row).select(row.item_code, row.warehouse, row.mean_demand_qty, row.drift, row.drift_since)
    return query.where((row.company == company) & (row.measured_until >= since))


def classes(qb: Any, company: str) -> Any:
    """What the accuracy rows repeat of a pair's forecast."""
    row = qb.DocType("Demand Forecast")
    fields = ("item_code", "warehouse", "item_name", "item_group", "stock_uom", "demand_class")
    return qb.from_(row).select(*(row[name] for name in fields)).where(row.company == company)


def overrides(qb: Any, company: str, since: date) -> Any:
    """Approved overrides, running or over, that reached that day."""
    row = qb.DocType("Forecast Override")
    query = qb.from_(row).select(row.name, row.item_code, row.warehouse, row.from_date, row.to_date)
    return query.where((row.company == company) & row.status.isin(["Approved", "Expired"]) & (row.to_date >= since))
