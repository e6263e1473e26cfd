"""Queries about who may approve, what is usual, what rests and what buyers changed; PyPika builders for both sites."""

from datetime import date
from typing import Any

RECORD, RECORD_LINE = "Auto Purchase Order", "Auto Purchase Order Item"
EDIT = "Order Edit"


# ---- who may approve ------------------------------------
def approvers(qb: Any, company: str) -> Any:
    row = qb.DocType("Order Approver")
    query = qb.from_(row).select(row.role, row.user, row.approval_limit)
    return query.where((row.parent == "Forecast Settings") & (row.company == company)).orderby(row.idx)


def delegations(qb: Any, company: str, day: date) -> Any:
    """Those of the company that hold on this day, oldest first."""
    row = qb.DocType("Approval Delegation")
    return (
        qb.from_(row)
        .select(row.name, row.from_user, row.to_user, row.from_date, row.to_date, row.approval_limit)
        .where((row.company == company) & (row.from_date <= day) & (row.to_date >= day))
        .orderby(row.creation)
        .orderby(row.name)
    )


# ---- what is usual ------------------------------------
def former_orders(qb: Any, company: str, suppliers: list[str], since: date) -> Any:
    """Submitted orders of these suppliers placed since that day, in company currency."""
    order = qb.DocType("Purchase Order")
    return (
        qb.from_(order)
        .select(order.supplier, order.base_total.as_("base_amount"))
        .where((order.company == company) & (order.docstatus == 1) & (order.transaction_date >= since))
        .where(order.supplier.isin(suppliers or [""]))
    )


def former_lines(qb: Any, company: str, item_codes: list[str], since: date) -> Any:
    order, line = qb.DocType("Purchase Order"), qb.DocType("Purchase Order Item")
    return (
        qb.from_(line)
        .join(order)
        .on(order.name == line.parent)
        .select(order.name.as_("purchase_order"), line.item_code, line.stock_qty)
        .where((order.company == company) & (order.docstatus == 1) & (order.transaction_date >= since))
        .where(line.item_code.isin(item_codes or [""]))
    )


def judged_pairs(qb: Any, company: str, item_codes: list[str]) -> Any:
    """How well the pairs of these items were forecast, percent; only those that were judged."""
    row = qb.DocType("Forecast Accuracy")
    return (
        qb.from_(row)
        .select(row.item_code, row.warehouse, row.wape_pct, row.coverage_80_pct)
        .where((row.company == company) & (row.weeks > 0) & row.item_code.isin(item_codes or [""]))
    )


def open_cases(qb: Any, company: str, kinds: list[str]) -> Any:
    case = qb.DocType("Planning Exception")
    return (
        qb.from_(case)
        .select(case.exception_type.as_("kind"), case.item_code, case.warehouse, case.supplier)
        .where((case.company == company) & case.status.isin(["Open", "In Progress"]))
        .where(case.exception_type.isin(kinds or [""]))
    )


def days_off(qb: Any, company: str, first: date) -> Any:
    """Days of the company's Holiday List from `first` on, weekly days off among them."""
    owner, row = qb.DocType("Company"), qb.DocType("Holiday")
    query = qb.from_(row).join(owner).on(row.parent == owner.default_holiday_list).select(row.holiday_date.as_("day"))
    return query.where((owner.name == company) & (row.holiday_date >= first))


def ended_items(qb: Any, item_codes: list[str]) -> Any:
    """disabled and end_of_life of these items."""
    item = qb.DocType("Item")
    return (
        qb.from_(item)
        .select(item.name.as_("item_code"), item.disabled, item.end_of_life)
        .where(item.name.isin(item_codes or [""]))
        .orderby(item.name)
    )


# ---- what rests ------------------------------------
def rejected_lines(qb: Any, company: str, today: date, reason_classes: list[str]) -> Any:
    """Lines of orders rejected for one of these reasons, whose rest is not over."""
    order, line = qb.DocType(RECORD), qb.DocType(RECORD_LINE)
    return (
        qb.from_(line)
        .join(order)
        .on(line.parent == order.name)
        .select(
            line.item_code, line.warehouse, order.supplier, order.rejection_class.as_("reason_class"), line.stock_qty,
            line.base_amount, order.rejected_until,
        )
        .where((order.status == "Rejected") & (order.company == company) & (order.rejected_until >= today))
        .where(order.rejection_class.isin(reason_classes))
        .orderby(order.decided_at, order.creation)
    )  # fmt: skip


def snoozes(qb: Any, company: str, today: date) -> Any:
    """Items, or single warehouses of them, that are put to rest; warehouse empty: all of the company."""
    row = qb.DocType("Planning Snooze")
    return (
        qb.from_(row)
        .select(row.item_code, row.warehouse, row.until)
        .where((row.company == company) & (row.until >= today))
    )


# ---- what buyers changed ------------------------------------
EDIT_COLUMNS = (
    "name", "auto_purchase_order", "purchase_order", "item_code", "warehouse", "kind", "to_text", "from_qty", "to_qty",
    "from_on", "to_on", "from_rate", "to_rate", "changed_at", "status", "proposed_qty", "proposed_on", "proposed_rate",
    "margin", "unit_cost", "holding_cost_pct", "daily_demand_mean",
)  # fmt: skip


def edits(qb: Any, company: str, status: str) -> Any:
    """Changes in this state, oldest first."""
    row = qb.DocType(EDIT)
    query = qb.from_(row).select(*(row[name] for name in EDIT_COLUMNS))
    return query.where((row.company == company) & (row.status == status)).orderby(row.changed_at).orderby(row.name)


def edits_of_order(qb: Any, record: str) -> Any:
    row = qb.DocType(EDIT)
    query = qb.from_(row).select(row.name, row.item_code, row.warehouse, row.kind, row.to_text, row.status)
    return query.where(row.auto_purchase_order == record).orderby(row.changed_at).orderby(row.name)


def states_of_orders(qb: Any, records: list[str]) -> Any:
    """Where our records and their native orders stand."""
    record, order = qb.DocType(RECORD), qb.DocType("Purchase Order")
    return (
        qb.from_(record)
        .left_join(order)
        .on(record.purchase_order == order.name)
        .select(
            record.name, record.status, record.purchase_order, order.docstatus, order.transaction_date,
            order.conversion_rate,
        )
        .where(record.name.isin(records or [""]))
    )  # fmt: skip


def ordered_lines(qb: Any, purchase_orders: list[str]) -> Any:
    line = qb.DocType("Purchase Order Item")
    return (
        qb.from_(line)
        .select(
            line.parent.as_("purchase_order"), line.name.as_("row"), line.item_code, line.warehouse, line.stock_qty,
            line.schedule_date, line.base_amount,
        )
        .where(line.parent.isin(purchase_orders or [""]))
    )  # fmt: skip


def received_lines(qb: Any, rows: list[str]) -> Any:
    """Receipts of these lines of Purchase Orders, returns left out."""
    receipt, line = qb.DocType("Purchase Receipt"), qb.DocType("Purchase Receipt Item")
    return (
        qb.from_(line)
        .join(receipt)
        .on(receipt.name == line.parent)
        .select(line.purchase_order_item.as_("row"), receipt.posting_date.as_("day"), line.stock_qty)
        .where((receipt.docstatus == 1) & (receipt.is_return == 0) & line.purchase_order_item.isin(rows or [""]))
    )


def buckets_of_pairs(qb: Any, item_codes: list[str], warehouses: list[str], since: date, until: date) -> Any:
    bucket = qb.DocType("Demand Bucket")
    return (
        qb.from_(bucket)
        .select(
            bucket.item_code, bucket.warehouse, bucket.day, bucket.demand_qty, bucket.closing_qty, bucket.opening_qty
        )
        .where(bucket.item_code.isin(item_codes or [""]) & bucket.warehouse.isin(warehouses or [""]))
        .where((bucket.day >= since) & (bucket.day <= until))
        .orderby(bucket.day)
    )
