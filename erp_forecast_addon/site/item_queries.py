"""What the Item form reads about one item, as PyPika builders that run on both sites."""

from collections.abc import Sequence
from typing import Any

from erp_forecast_addon.planning.replenishment.ready import OPENING as READY_OPENING

OPEN_ORDER_STATES = ("Proposed", "Approved")
OPEN_EXCEPTION_STATES = ("Open", "In Progress")

FORECAST_FIELDS = (
    "company", "warehouse", "stock_uom", "as_of", "period", "demand_class", "model", "daily_mean_qty",
    "next_7_days_qty", "next_30_days_qty", "next_90_days_qty", "wape_pct", "bias_pct", "mase", "reason", "curve",
    "explanation_parts", "horizon_days",
)  # fmt: skip
POLICY_FIELDS = (
    "company", "warehouse", "stock_uom", "currency", "as_of", "abc_class", "who_orders", "safety_stock_qty",
    "reorder_point_qty", "order_up_to_qty", "on_hand_qty", "position_qty", "days_of_cover", "shortage_on",
    "safety_stock_value", "method", "service_level_pct", "expected_fill_rate_pct", "clamp", "lead_time_days",
    "lead_time_std_days", "lead_time_source", "review_period_days", "protection_days", "protection_demand_qty",
    "explanation",
)  # fmt: skip


def _rows_of_item(qb: Any, doctype: str, item_code: str, fields: tuple[str, ...]) -> Any:
    table = qb.DocType(doctype)
    return qb.from_(table).select(*(table[name] for name in fields)).where(table.item_code == item_code)


def forecasts_of_item(qb: Any, item_code: str) -> Any:
    return _rows_of_item(qb, "Demand Forecast", item_code, FORECAST_FIELDS)


def classes_of_item(qb: Any, item_code: str) -> Any:
    """What the last run made of the item in each warehouse."""
    policy = qb.DocType("Safety Stock Policy")
    query = qb.from_(policy).select(policy.warehouse, policy.abc_class, policy.demand_variation)
    return query.where(policy.item_code == item_code).orderby(policy.warehouse)


def policies_of_item(qb: Any, item_code: str) -> Any:
    return _rows_of_item(qb, "Safety Stock Policy", item_code, POLICY_FIELDS)


def next_order_terms(qb: Any, company: str, item_codes: Sequence[str] | None) -> Any:
    """What the next order of each pair depends on, as its last plan kept it; what an older version kept is left out
    until the next run. item_codes: None for all."""
    policy, item = qb.DocType("Safety Stock Policy"), qb.DocType("Item")
    query = qb.from_(policy).join(item).on(item.name == policy.item_code)
    query = query.select(
        policy.item_code, policy.warehouse, policy.as_of, policy.next_order_terms, item.variant_of
    ).where((policy.company == company) & policy.next_order_terms.like(f"{READY_OPENING}%"))  # fmt: skip
    return query if item_codes is None else query.where(policy.item_code.isin(list(item_codes)))


def bins_changed_since(qb: Any, company: str, moment: Any) -> Any:
    """item_code, warehouse of the company's stock that has moved since then, or is asked for or ordered otherwise."""
    held, house = qb.DocType("Bin"), qb.DocType("Warehouse")
    query = qb.from_(held).join(house).on(house.name == held.warehouse)
    return query.select(held.item_code, held.warehouse).where((house.company == company) & (held.modified >= moment))


def pairs_of_item(qb: Any, item_code: str) -> Any:
    return _rows_of_item(qb, "Demand Pair", item_code, ("company", "warehouse"))


def buckets_of_item(qb: Any, item_code: str, since_day: Any) -> Any:
    return buckets_of_items(qb, [item_code], since_day)


def buckets_of_items(qb: Any, item_codes: list[str], since_day: Any) -> Any:
    bucket = qb.DocType("Demand Bucket")
    fields = ("item_code", "warehouse", "day", "demand_qty", "opening_qty", "closing_qty")
    query = qb.from_(bucket).select(*(bucket[name] for name in fields))
    return query.where(bucket.item_code.isin(item_codes) & (bucket.day >= since_day))


def pairs_of_company(qb: Any, company: str) -> Any:
    """Every pair with demand buckets, in a fixed order."""
    pair = qb.DocType("Demand Pair")
    query = qb.from_(pair).select(pair.item_code, pair.warehouse).where(pair.company == company)
    return query.orderby(pair.item_code).orderby(pair.warehouse)


def item_facts(qb: Any, item_code: str) -> Any:
    item = qb.DocType("Item")
    return qb.from_(item).select(item.item_name, item.stock_uom).where(item.name == item_code)


def companies_of_warehouses(qb: Any) -> Any:
    """name, company, currency of the company: for pairs that no forecast or policy tells it for."""
    warehouse, company = qb.DocType("Warehouse"), qb.DocType("Company")
    query = qb.from_(warehouse).join(company).on(warehouse.company == company.name)
    return query.select(warehouse.name, warehouse.company, company.default_currency)


def open_lines_of_item(qb: Any, item_code: str) -> Any:
    """Lines of proposals that are undecided, approved or failed; the most urgent first."""
    line, order = qb.DocType("Auto Purchase Order Item"), qb.DocType("Auto Purchase Order")
    query = qb.from_(line).join(order).on(line.parent == order.name)
    query = query.select(
        order.name, order.supplier, order.supplier_name, order.status, order.purchase_order, order.currency,
        line.warehouse, line.qty, line.uom, line.amount, line.order_by, line.schedule_date, line.reason,
    )  # fmt: skip
    query = query.where((line.item_code == item_code) & order.status.isin(OPEN_ORDER_STATES))
    return query.orderby(line.order_by).orderby(order.name)


def open_exceptions_of_item(qb: Any, item_code: str) -> Any:
    case = qb.DocType("Planning Exception")
    query = qb.from_(case).select(
        case.name, case.exception_type, case.status, case.company, case.warehouse, case.message, case.money_at_risk,
        case.currency, case.due_on,
    )  # fmt: skip
    query = query.where((case.item_code == item_code) & case.status.isin(OPEN_EXCEPTION_STATES))
    return query.orderby(case.money_at_risk).orderby(case.name)


def shelves_of_item(qb: Any, item_code: str) -> Any:
    """Every warehouse that has held the item, planned or not."""
    shelf = qb.DocType("Bin")
    return qb.from_(shelf).select(shelf.warehouse).where(shelf.item_code == item_code)
