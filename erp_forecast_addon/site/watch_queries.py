"""What exceptions are found in beside the plan: open order lines, prices paid, and who looks after what."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from erp_forecast_addon.site.queries import CLOSED_PURCHASE_ORDER

Query = Any


def open_orders(qb: Any, company: str) -> Query:
    """Lines of submitted orders to suppliers outside the group that are still to come to a warehouse of the company."""
    order, line, house = qb.DocType("Purchase Order"), qb.DocType("Purchase Order Item"), qb.DocType("Warehouse")
    return (
        qb.from_(order)
        .join(line)
        .on(line.parent == order.name)
        .join(house)
        .on(line.warehouse == house.name)
        .select(
            order.name.as_("purchase_order"), order.supplier, order.transaction_date.as_("ordered_on"),
            order.schedule_date.as_("order_due_on"), line.name.as_("order_line"), line.item_code, line.warehouse,
            line.schedule_date.as_("line_due_on"), line.expected_delivery_date.as_("promised_on"), line.qty,
            line.received_qty, line.conversion_factor, line.base_rate,
        )
        .where((order.docstatus == 1) & order.status.notin(CLOSED_PURCHASE_ORDER) & (order.company == company))
        .where((order.is_internal_supplier == 0) & (line.qty > line.received_qty))
        .where(line.delivered_by_supplier.isnull() | (line.delivered_by_supplier == 0))
        .where((house.company == company) & (house.is_group == 0) & (house.disabled == 0))
    )  # fmt: skip


def order_prices(qb: Any, company: str, since: date) -> Query:
    """Prices of submitted order lines placed since that day."""
    order, line = qb.DocType("Purchase Order"), qb.DocType("Purchase Order Item")
    return (
        qb.from_(order)
        .join(line)
        .on(line.parent == order.name)
        .select(
            order.supplier, order.transaction_date.as_("day"), line.item_code, line.base_rate, line.conversion_factor
        )
        .where((order.docstatus == 1) & (order.company == company) & (order.transaction_date >= since))
        .where((order.is_internal_supplier == 0) & (line.base_rate > 0) & (line.conversion_factor > 0))
    )


def quoted_prices(qb: Any, company: str, since: date) -> Query:
    """Prices of submitted Supplier Quotations made since that day."""
    quotation, line = qb.DocType("Supplier Quotation"), qb.DocType("Supplier Quotation Item")
    return (
        qb.from_(quotation)
        .join(line)
        .on(line.parent == quotation.name)
        .select(
            quotation.supplier, quotation.transaction_date.as_("day"), line.item_code, line.base_rate,
            line.conversion_factor,
        )
        .where((quotation.docstatus == 1) & (quotation.company == company) & (quotation.transaction_date >= since))
        .where((line.base_rate > 0) & (line.conversion_factor > 0))
    )  # fmt: skip


def bought_items(qb: Any) -> Query:
    """Stock items that somebody orders from a supplier: not made, not the customer's own, not past their end."""
    item = qb.DocType("Item")
    return (
        qb.from_(item)
        .select(item.name, item.end_of_life, item.default_material_request_type)
        .where((item.is_stock_item == 1) & (item.is_purchase_item == 1) & (item.disabled == 0))
        .where((item.has_variants == 0) & (item.is_customer_provided_item == 0))
    )


def planners_of_items(qb: Any, item_codes: Sequence[str]) -> Query:
    item = qb.DocType("Item")
    return (
        qb.from_(item).select(item.name, item.item_group, item.forecast_planner).where(item.name.isin(list(item_codes)))
    )


def planners_of_groups(qb: Any) -> Query:
    group = qb.DocType("Item Group")
    return qb.from_(group).select(group.name, group.parent_item_group, group.forecast_planner)


def buyers(qb: Any) -> Query:
    supplier = qb.DocType("Supplier")
    return qb.from_(supplier).select(supplier.name, supplier.forecast_buyer).where(supplier.forecast_buyer != "")


def default_suppliers(qb: Any, company: str, item_codes: Sequence[str]) -> Query:
    row = qb.DocType("Item Default")
    return (
        qb.from_(row)
        .select(row.parent, row.default_supplier)
        .where((row.parenttype == "Item") & (row.company == company) & row.parent.isin(list(item_codes)))
    )


def days_off(qb: Any, company: str) -> Query:
    """The days of the company's own Holiday List, weekly ones included."""
    owner, day = qb.DocType("Company"), qb.DocType("Holiday")
    return (
        qb.from_(day)
        .join(owner)
        .on(day.parent == owner.default_holiday_list)
        .select(day.holiday_date)
        .where(owner.name == company)
    )


def exception_rules(qb: Any) -> Query:
    row = qb.DocType("Planning Exception Rule")
    return (
        qb.from_(row)
        .select(
            row.company, row.exception_type, row.raised, row.money_from, row.severity, row.hours, row.owner_by,
            row.role, row.responsible, row.make_todo,
        )
        .where((row.parent == "Forecast Settings") & (row.parentfield == "exception_rules"))
        .orderby(row.idx)
    )  # fmt: skip


def clock_hours(qb: Any, company: str) -> Query:
    row = qb.DocType("Forecast Company Settings")
    return (
        qb.from_(row)
        .select(
            row.hours_critical, row.hours_high, row.hours_medium, row.hours_low, row.reschedule_early_days,
            row.reschedule_late_days, row.late_grace_days, row.price_jump_pct,
        )
        .where((row.parent == "Forecast Settings") & (row.company == company))
    )  # fmt: skip
