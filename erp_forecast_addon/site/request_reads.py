"""What stands in our Auto Material Requests and their native drafts: queries and reads, of one company."""

from typing import Any

import pandas as pd

from erp_forecast_addon.site.port import Site

_RECORD_COLUMNS = (
    "name", "request_type", "from_warehouse", "warehouse", "material_request", "fingerprint", "edited_by_person",
)  # fmt: skip


def proposed_records(qb: Any, company: str) -> Any:
    """Our records that nobody has decided on yet."""
    record = qb.DocType("Auto Material Request")
    return (
        qb.from_(record)
        .select(*(record[name] for name in _RECORD_COLUMNS))
        .where((record.company == company) & (record.status == "Proposed"))
        .orderby(record.creation)
        .orderby(record.name)
    )


def companies_with_open_records(qb: Any) -> Any:
    record = qb.DocType("Auto Material Request")
    return qb.from_(record).select(record.company).where(record.status == "Proposed")


def headers(qb: Any, company: str, material_request: str | None = None) -> Any:
    """Native requests of the company's undecided records, or the one named."""
    request = qb.DocType("Material Request")
    query = qb.from_(request).select(
        request.name.as_("material_request"), request.docstatus, request.material_request_type, request.status
    )
    return _of_records(qb, query, request.name, company, material_request)


def native_lines(qb: Any, company: str, material_request: str | None = None) -> Any:
    """Lines of the same native requests."""
    line = qb.DocType("Material Request Item")
    query = qb.from_(line).select(
        line.parent.as_("material_request"), line.item_code, line.warehouse, line.from_warehouse, line.uom,
        line.schedule_date, line.qty, line.conversion_factor, line.stock_qty,
    )  # fmt: skip
    return _of_records(qb, query, line.parent, company, material_request)


def _of_records(qb: Any, query: Any, request_name: Any, company: str, material_request: str | None) -> Any:
    if material_request is not None:
        return query.where(request_name == material_request)
    record = qb.DocType("Auto Material Request")
    return (
        query.join(record)
        .on(record.material_request == request_name)
        .where((record.company == company) & (record.status == "Proposed"))
    )


def record_lines(qb: Any, company: str) -> Any:
    """Lines of the company's undecided records: what the plan asked for."""
    record, line = qb.DocType("Auto Material Request"), qb.DocType("Auto Material Request Item")
    return (
        qb.from_(line)
        .join(record)
        .on(record.name == line.parent)
        .select(record.name.as_("name"), line.item_code, line.warehouse, line.schedule_date, line.qty)
        .where((record.company == company) & (record.status == "Proposed"))
    )


def record_of_request(qb: Any, material_request: str) -> Any:
    record = qb.DocType("Auto Material Request")
    return qb.from_(record).select(record.name).where(record.material_request == material_request)


def read_records(site: Site, company: str) -> pd.DataFrame:
    return site.fetch(proposed_records(site.qb, company))


def read_headers(site: Site, company: str, material_request: str | None = None) -> pd.DataFrame:
    return site.fetch(headers(site.qb, company, material_request))


def read_native_lines(site: Site, company: str, material_request: str | None = None) -> pd.DataFrame:
    return site.fetch(native_lines(site.qb, company, material_request))


def read_record_lines(site: Site, company: str) -> pd.DataFrame:
    return site.fetch(record_lines(site.qb, company))
