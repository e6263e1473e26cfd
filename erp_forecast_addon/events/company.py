"""A new company is planned from the start."""

from frappe.model.document import Document

from erp_forecast_addon.setup.company_rows import ensure_company_row


def after_insert(doc: Document, method: str | None = None) -> None:
    ensure_company_row(doc.name)
