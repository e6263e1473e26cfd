"""What stands in our Auto Purchase Orders and their native drafts: queries and reads.

Everything here is about one company; an order that is open has the status Proposed and a native draft.
"""

from typing import Any

import pandas as pd

from erp_forecast_addon.site.port import Site

_RECORD_COLUMNS = (
    "name", "supplier", "currency", "status", "purchase_order", "fingerprint", "edited_by_person",
    "total_amount", "base_total_amount", "ship_to_warehouse", "approval_level", "approval_reason", "approve_by",
    "waiting_cost", "waiting_costs",
)  # fmt: skip


def proposed_records(qb: Any, company: str) -> Any:
    """Our records that nobody has decided on yet."""
    record = qb.DocType("Auto Purchase Order")
    return (
        qb.from_(record)
        .select(*(record[name] for name in _RECORD_COLUMNS))
        .where((record.company == company) & (record.status == "Proposed"))
        .orderby(record.creation)
        .orderby(record.name)
    )


def companies_with_open_records(qb: Any) -> Any:
    """The companies that have records nobody has decided on yet, once per record."""
    record = qb.DocType("Auto Purchase Order")
    return qb.from_(record).select(record.company).where(record.status == "Proposed")


def headers(qb: Any, company: str, purchase_order: str | None = None) -> Any:
    """Native orders of the company's undecided records, or the one named."""
    order = qb.DocType("Purchase Order")
    query = qb.from_(order).select(
        order.name.as_("purchase_order"), order.docstatus, order.status.as_("native_status"), order.supplier,
        order.currency, order.total, order.base_total, order.base_grand_total,
    )  # fmt: skip
    return _of_records(qb, query, order.name, company, purchase_order)


def native_lines(qb: Any, company: str, purchase_order: str | None = None) -> Any:
    """Lines of the same native orders."""
    line = qb.DocType("Purchase Order Item")
    query = qb.from_(line).select(
        line.parent.as_("purchase_order"), line.name.as_("row"), line.item_code, line.warehouse, line.uom,
        line.schedule_date, line.qty, line.conversion_factor, line.stock_qty, line.rate, line.amount, line.base_amount,
    )  # fmt: skip
    return _of_records(qb, query, line.parent, company, purchase_order)


def _of_records(qb: Any, query: Any, order_name: Any, company: str, purchase_order: str | None) -> Any:
    if purchase_order is not None:
        return query.where(order_name == purchase_order)
    record = qb.DocType("Auto Purchase Order")
    return (
        query.join(record)
        .on(record.purchase_order == order_name)
        .where((record.company == company) & (record.status == "Proposed"))
    )


def record_lines(qb: Any, company: str) -> Any:
    """Lines of the company's undecided records: what the plan asked for, with its rate."""
    record, line = qb.DocType("Auto Purchase Order"), qb.DocType("Auto Purchase Order Item")
    return (
        qb.from_(line)
        .join(record)
        .on(record.name == line.parent)
        .select(
            record.name.as_("name"), record.supplier, line.item_code, line.warehouse, line.uom, line.schedule_date,
            line.qty, line.conversion_factor, line.stock_qty, line.rate, line.alternative_supplier,
        )
        .where((record.company == company) & (record.status == "Proposed"))
    )  # fmt: skip


def record_of_order(qb: Any, purchase_order: str) -> Any:
    """The record that names this native order."""
    record = qb.DocType("Auto Purchase Order")
    return qb.from_(record).select(record.name).where(record.purchase_order == purchase_order)


def status_of_record(qb: Any, name: str) -> Any:
    record = qb.DocType("Auto Purchase Order")
    return qb.from_(record).select(record.status).where(record.name == name)


def link_of_order(qb: Any, purchase_order: str) -> Any:
    """The record that this native order names, and the order that it amends."""
    order = qb.DocType("Purchase Order")
    return qb.from_(order).select(order.auto_purchase_order).where(order.name == purchase_order)


def runs(qb: Any, company: str | None, status: str) -> Any:
    """Forecast Runs of a status, oldest first."""
    run = qb.DocType("Forecast Run")
    query = qb.from_(run).select(run.name, run.company, run.run_by, run.started_at).where(run.status == status)
    query = query if company is None else query.where(run.company == company)
    return query.orderby(run.started_at).orderby(run.name)


def cases(qb: Any, company: str) -> Any:
    """Every Planning Exception of the company."""
    case = qb.DocType("Planning Exception")
    return qb.from_(case).select(
        case.name, case.identity, case.exception_type, case.status, case.snoozed_until, case.message,
        case.money_at_risk, case.due_on, case.occurrences, case.last_seen_on, case.forecast_run,
        case.responsible, case.opened_at, case.reopened, case.creation, case.item_code, case.supplier,
    ).where(case.company == company)  # fmt: skip


def rows_of_other_runs(qb: Any, doctype: str, company: str, run: str) -> Any:
    """Names of the rows of a planning record that this run did not write."""
    row = qb.DocType(doctype)
    return (
        qb.from_(row)
        .select(row.name)
        .where((row.company == company) & ((row.forecast_run != run) | row.forecast_run.isnull()))
    )


def names(qb: Any, doctype: str, wanted: list[str]) -> Any:
    """Those of the wanted names that exist."""
    table = qb.DocType(doctype)
    return qb.from_(table).select(table.name).where(table.name.isin(wanted))


def item_names(qb: Any, wanted: list[str]) -> Any:
    item = qb.DocType("Item")
    return qb.from_(item).select(item.name, item.item_name).where(item.name.isin(wanted))


def supplier_names(qb: Any, wanted: list[str]) -> Any:
    supplier = qb.DocType("Supplier")
    return qb.from_(supplier).select(supplier.name, supplier.supplier_name).where(supplier.name.isin(wanted))


def read_records(site: Site, company: str) -> pd.DataFrame:
    return site.fetch(proposed_records(site.qb, company))


def read_headers(site: Site, company: str, purchase_order: str | None = None) -> pd.DataFrame:
    return site.fetch(headers(site.qb, company, purchase_order))


def read_native_lines(site: Site, company: str, purchase_order: str | None = None) -> pd.DataFrame:
    return site.fetch(native_lines(site.qb, company, purchase_order))


def read_record_lines(site: Site, company: str) -> pd.DataFrame:
    return site.fetch(record_lines(site.qb, company))
