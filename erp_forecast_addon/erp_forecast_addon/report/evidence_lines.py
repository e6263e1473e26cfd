"""The lines that the evidence reports show: of the records that the user may see, by the report's filters."""

from collections.abc import Sequence
from typing import Any

import frappe
from frappe import _

from erp_forecast_addon.permissions import check_company

MOST_LINES = 2000
Filters = dict[str, Any]


def evidence_lines(
    doctype: str, shown: Sequence[str], of_line: Sequence[str], given: Filters, record_filters: Sequence[str]
) -> tuple[dict[str, Any], list[Any], str | None]:
    """-> records by name, their lines, and a sentence where lines were cut off. of_line: columns of the lines, with
    parent. Refused without a company, or for one that the user may not see."""
    company = given.get("company")
    if not company:
        frappe.throw(_("Choose a company."))
    check_company(company, doctype)
    wanted = {"company": company, **{name: given[name] for name in record_filters if given.get(name)}}
    records = frappe.get_list(doctype, filters=wanted, fields=list(shown), order_by="creation desc", limit=MOST_LINES)
    of_record = {record.name: record for record in records}
    of_lines: Filters = {"parent": ("in", list(of_record) or [""]), "parenttype": doctype}
    of_lines |= {name: given[name] for name in ("item_code", "warehouse") if given.get(name)}
    lines = frappe.get_all(
        f"{doctype} Item", filters=of_lines, fields=list(of_line), order_by="parent desc, idx asc", limit=MOST_LINES
    )
    cut = _("Only the first {0} lines are shown; choose an item or a warehouse.").format(MOST_LINES)
    return of_record, lines, cut if len(lines) == MOST_LINES else None


def wanted_rows(rows: list[dict[str, Any]], given: Filters) -> list[dict[str, Any]]:
    """Those that differ only, where that is asked for."""
    return [row for row in rows if not (given.get("only_different") and row["equal"] == _("Yes"))]
