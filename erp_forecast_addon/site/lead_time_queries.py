"""Queries about our own records of lead times and approvals, as PyPika builders that run on both sites."""

from typing import Any

RECORD, APPROVAL = "Supplier Lead Time", "Order Approval Time"


def stored_distributions(qb: Any, company: str, suppliers: list[str], item_codes: list[str]) -> Any:
    """The learned rows of these suppliers, as a whole and for these items."""
    row = qb.DocType(RECORD)
    return (
        qb.from_(row)
        .select(row.supplier, row.item_code, row.observations, row.distribution)
        .where((row.company == company) & row.supplier.isin(suppliers or [""]) & (row.distribution != ""))
        .where(row.item_code.isin(["", *item_codes]) | row.item_code.isnull())
    )


def any_record(qb: Any, company: str) -> Any:
    row = qb.DocType(RECORD)
    return qb.from_(row).select(row.name).where(row.company == company).limit(1)


def approval_times(qb: Any, company: str, since: Any) -> Any:
    """Days from draft to approval of the company's orders approved since that day."""
    row = qb.DocType(APPROVAL)
    return qb.from_(row).select(row.days).where((row.company == company) & (row.approved_at >= since))


def recorded_orders(qb: Any) -> Any:
    row = qb.DocType(APPROVAL)
    return qb.from_(row).select(row.purchase_order)
