"""Queries of Planning Scenarios."""

from typing import Any


def order_suppliers(qb: Any, company: str) -> Any:
    """name and supplier of the company's Purchase Orders that are not closed and not complete."""
    order = qb.DocType("Purchase Order")
    return (
        qb.from_(order)
        .select(order.name, order.supplier)
        .where((order.company == company) & (order.docstatus == 1))
        .where(order.status.notin(["Closed", "Completed", "Delivered"]))
    )


def policy_classes(qb: Any, company: str) -> Any:
    """The ABC class that the last run gave every planned pair."""
    policy = qb.DocType("Safety Stock Policy")
    query = qb.from_(policy).select(policy.item_code, policy.warehouse, policy.abc_class)
    return query.where(policy.company == company).orderby(policy.item_code).orderby(policy.warehouse)
