"""What the report and the command line read of our own records, as PyPika builders that run on both sites."""

from collections.abc import Sequence
from typing import Any

RUN_FIELDS = (
    "name", "company", "status", "triggered_by", "run_by", "as_of", "started_at", "ended_at", "duration_seconds",
    "progress_pct", "current_step", "pairs", "forecasts", "policies", "proposal_lines", "orders_created",
    "orders_updated", "orders_withdrawn", "proposed_amount", "currency", "exceptions", "wape_pct", "bias_pct", "mase",
    "error",
)  # fmt: skip
STEP_FIELDS = ("step", "status", "rows", "seconds", "detail")
ORDER_FIELDS = (
    "name", "supplier", "supplier_name", "currency", "status", "purchase_order", "order_by", "required_by",
    "total_amount", "base_total_amount", "money_at_risk", "summary",
)  # fmt: skip
LINE_FIELDS = (
    "parent", "item_code", "item_name", "warehouse", "qty", "uom", "rate", "amount", "schedule_date", "need_on",
    "days_late", "money_at_risk", "reason",
)  # fmt: skip
EXCEPTION_FIELDS = (
    "name", "exception_type", "status", "item_code", "warehouse", "supplier", "money_at_risk", "due_on", "message",
    "occurrences",
)  # fmt: skip
POLICY_FIELDS = (
    "item_code", "item_name", "warehouse", "stock_uom", "abc_class", "demand_class", "service_level_pct",
    "daily_demand_mean", "protection_days", "lead_time_days", "lead_time_source", "safety_stock_qty",
    "reorder_point_qty", "order_up_to_qty", "on_hand_qty", "position_qty", "days_of_cover", "shortage_on",
    "safety_stock_value",
)  # fmt: skip
FORECAST_FIELDS = (
    "item_code", "item_name", "warehouse", "demand_class", "model", "horizon_qty", "wape_pct", "bias_pct", "mase",
)  # fmt: skip
OPEN_EXCEPTIONS = ("Open", "In Progress")


def last_runs(qb: Any, company: str | None, most: int) -> Any:
    """The latest first."""
    run = qb.DocType("Forecast Run")
    query = qb.from_(run).select(*(run[name] for name in RUN_FIELDS))
    query = query if company is None else query.where(run.company == company)
    return query.orderby(run.started_at, order=qb.desc).orderby(run.creation, order=qb.desc).limit(most)


def steps(qb: Any, run: str) -> Any:
    row = qb.DocType("Forecast Run Step")
    return qb.from_(row).select(*(row[name] for name in STEP_FIELDS)).where(row.parent == run).orderby(row.idx)


def orders(qb: Any, company: str | None, states: Sequence[str]) -> Any:
    """Most money at risk first."""
    order = qb.DocType("Auto Purchase Order")
    query = qb.from_(order).select(*(order[name] for name in ORDER_FIELDS)).where(order.status.isin(list(states)))
    query = query if company is None else query.where(order.company == company)
    return query.orderby(order.money_at_risk, order=qb.desc).orderby(order.name)


def lines(qb: Any, company: str, states: Sequence[str]) -> Any:
    line, order = qb.DocType("Auto Purchase Order Item"), qb.DocType("Auto Purchase Order")
    return (
        qb.from_(line)
        .join(order)
        .on(line.parent == order.name)
        .select(*(line[name] for name in LINE_FIELDS))
        .where((order.company == company) & order.status.isin(list(states)))
        .orderby(line.money_at_risk, order=qb.desc)
        .orderby(line.item_code)
    )


def request_lines(qb: Any, company: str, states: Sequence[str]) -> Any:
    """Lines of requests for transfer and manufacture."""
    line, request = qb.DocType("Auto Material Request Item"), qb.DocType("Auto Material Request")
    return (
        qb.from_(line)
        .join(request)
        .on(line.parent == request.name)
        .select(
            request.request_type, line.item_code, line.item_name, line.warehouse, line.from_warehouse, line.qty,
            line.stock_uom, line.schedule_date, line.days_late, line.reason, line.money_at_risk,
        )
        .where((request.company == company) & request.status.isin(list(states)))
        .orderby(line.money_at_risk, order=qb.desc)
        .orderby(line.item_code)
    )  # fmt: skip


def exceptions(qb: Any, company: str) -> Any:
    """Those that wait for a person, most money first."""
    case = qb.DocType("Planning Exception")
    return (
        qb.from_(case)
        .select(*(case[name] for name in EXCEPTION_FIELDS))
        .where((case.company == company) & case.status.isin(OPEN_EXCEPTIONS))
        .orderby(case.money_at_risk, order=qb.desc)
        .orderby(case.exception_type)
        .orderby(case.name)
    )


def policies(qb: Any, company: str) -> Any:
    policy = qb.DocType("Safety Stock Policy")
    return _planned(qb, policy, POLICY_FIELDS, company)


def forecasts(qb: Any, company: str) -> Any:
    """Without the curves: of a large site they are most of the table."""
    forecast = qb.DocType("Demand Forecast")
    return _planned(qb, forecast, FORECAST_FIELDS, company)


def _planned(qb: Any, table: Any, fields: Sequence[str], company: str) -> Any:
    return (
        qb.from_(table)
        .select(*(table[name] for name in fields))
        .where(table.company == company)
        .orderby(table.item_code)
        .orderby(table.warehouse)
    )
