"""The demo company on a live site: real masters and documents, through ERPNext's own checks.

Everything carries a name of demo_catalog or the company itself, and documents are numbered in series of their own, so
that removing the demo leaves neither rows nor gaps in the numbers of others. The masters are made in one transaction,
documents in the order of their days and committed in pieces: a demo that was cut off is removed like a whole one.
"""

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import frappe
import pandas as pd
from erpnext.accounts.utils import FiscalYearError, get_fiscal_year
from erpnext.buying.doctype.purchase_order.purchase_order import make_purchase_receipt
from frappe.model.naming import revert_series_if_last
from frappe.utils.nestedset import get_root_of

from erp_forecast_addon.planning.errors import Refused
from erp_forecast_addon.planning.messages import _
from erp_forecast_addon.setup import demo_catalog as catalog
from erp_forecast_addon.setup.company_rows import ensure_company_row, remove_company_row, touch_settings
from erp_forecast_addon.setup.demo_data import DemoData

BUYING, SELLING = "Forecast Demo Buying", "Forecast Demo Selling"
COMMIT_EVERY = 10
_ROW = "Forecast Company Settings"
_SERIES = {
    "Stock Entry": "STE", "Purchase Order": "PO", "Purchase Receipt": "PR", "Delivery Note": "DN", "Sales Order": "SO",
}  # fmt: skip
# Deleted in this order; Item deletes its prices, Company its accounts and warehouses.
_MASTERS = (
    ("Item", tuple(item.code for item in catalog.ITEMS)),
    ("Supplier", tuple(supplier.name for supplier in catalog.SUPPLIERS)),
    ("Customer", catalog.CUSTOMERS),
    ("Price List", (BUYING, SELLING)),
    ("Item Group", catalog.ITEM_GROUPS),
    ("Supplier Group", (catalog.SUPPLIER_GROUP,)),
    ("Customer Group", (catalog.CUSTOMER_GROUP,)),
)
TAKEN = _("{doctype} {name} exists already and is not the demo's; rename it first.")
NO_COMPANY = _("The site has no company. Finish ERPNext's setup first; the demo takes country and currency from it.")
NO_UOM = _("The UOM {uom} is missing; the demo's items are counted in it.")
DELETION_FAILED = _("ERPNext could not delete the demo's documents: {reason}")

Progress = Callable[[int, int, str], None]


def exists() -> bool:
    return bool(frappe.db.exists("Company", catalog.COMPANY))


# ---- making ---------------------------------------------------------------------------------------------------------
def write(data: DemoData, progress: Progress) -> None:
    _refuse_taken()
    muted, frappe.flags.mute_emails = frappe.flags.mute_emails, True
    try:
        progress(0, 1, "Company, items, suppliers")
        currency = _make_masters(data)
        frappe.db.commit()
        works = list(_documents(data, currency))
        for done, (label, work) in enumerate(works, 1):
            work()
            if done % COMMIT_EVERY == 0:
                frappe.db.commit()
            progress(done, len(works), label)
        _hold_suppliers()
        frappe.db.commit()
    except BaseException:
        frappe.db.rollback()
        raise
    finally:
        frappe.flags.mute_emails = muted


def _refuse_taken() -> None:
    for doctype, names in _MASTERS:
        taken = frappe.get_all(doctype, filters={"name": ("in", names)}, pluck="name", limit=1)
        if taken:
            raise Refused(frappe._(TAKEN).format(doctype=doctype, name=taken[0]))
    for uom in (catalog.STOCK_UOM, catalog.PACK_UOM):
        if not frappe.db.exists("UOM", uom):
            raise Refused(frappe._(NO_UOM).format(uom=uom))


def _make_masters(data: DemoData) -> str:
    """-> the company's currency."""
    currency = _make_company()
    _make_fiscal_years(data.first_day, data.as_of)
    for group in catalog.ITEM_GROUPS:
        _insert("Item Group", group, item_group_name=group, parent_item_group=get_root_of("Item Group"))
    for doctype, name in (("Supplier Group", catalog.SUPPLIER_GROUP), ("Customer Group", catalog.CUSTOMER_GROUP)):
        field = frappe.scrub(doctype)
        _insert(doctype, name, **{f"{field}_name": name, f"parent_{field}": get_root_of(doctype)})
    _insert("Price List", BUYING, price_list_name=BUYING, buying=1, enabled=1, currency=currency)
    _insert("Price List", SELLING, price_list_name=SELLING, selling=1, enabled=1, currency=currency)
    for supplier in catalog.SUPPLIERS:
        _insert("Supplier", supplier.name, supplier_name=supplier.name, supplier_group=catalog.SUPPLIER_GROUP,
                default_currency=currency, default_price_list=BUYING)  # fmt: skip
    for customer in catalog.CUSTOMERS:  # sells from the shelf, so no Sales Order is asked for
        _insert("Customer", customer, customer_name=customer, customer_group=catalog.CUSTOMER_GROUP, so_required=1,
                dn_required=1, territory=get_root_of("Territory"), default_price_list=SELLING)  # fmt: skip
    for row in data.items.to_dict("records"):
        _make_item(row, currency)
    return currency


def _make_company() -> str:
    like = frappe.get_all(
        "Company", fields=["default_currency", "country", "chart_of_accounts"], order_by="creation asc", limit=1
    )
    if not like:
        raise Refused(frappe._(NO_COMPANY))
    company = frappe.new_doc("Company")
    company.update({
        "company_name": catalog.COMPANY, "abbr": catalog.ABBR, "default_currency": like[0].default_currency,
        "country": like[0].country, "create_chart_of_accounts_based_on": "Standard Template",
        "chart_of_accounts": like[0].chart_of_accounts or "Standard",
        # Stock movements of the demo make no accounting entries: half the time, and nothing to explain to a ledger.
        "enable_perpetual_inventory": 0,
    })  # fmt: skip
    company.insert(ignore_permissions=True)
    frappe.db.set_value("Company", catalog.COMPANY, "enable_perpetual_inventory", 0)
    ensure_company_row(catalog.COMPANY)
    row = frappe.db.get_value(_ROW, {"parent": "Forecast Settings", "company": catalog.COMPANY})
    frappe.db.set_value(_ROW, row, {"enabled": 1, "who_orders": "Forecast Addon", "draft_orders": 1})
    touch_settings()
    return str(like[0].default_currency)


def _make_fiscal_years(first_day: date, last_day: date) -> None:
    """A new site has the current fiscal year only; the missing ones are made for the demo company alone."""
    for day in pd.date_range(first_day, last_day, freq="D"):
        if not _has_fiscal_year(day.date()):
            year = frappe.new_doc("Fiscal Year")
            year.update({
                "year": f"{day.year} Forecast Demo", "year_start_date": date(day.year, 1, 1),
                "year_end_date": date(day.year, 12, 31), "companies": [{"company": catalog.COMPANY}],
            })  # fmt: skip
            year.insert(ignore_permissions=True)
            frappe.cache.delete_key("fiscal_years")


def _has_fiscal_year(day: date) -> bool:
    try:
        get_fiscal_year(day, company=catalog.COMPANY)
    except FiscalYearError:
        return False
    return True


def _make_item(row: dict[str, Any], currency: str) -> None:
    boxed = row["pack_qty"] > 1
    _insert(
        "Item", row["item_code"], item_code=row["item_code"], item_name=row["item_name"],
        item_group=row["item_group"], stock_uom=catalog.STOCK_UOM, purchase_uom=row["purchase_uom"], is_stock_item=1,
        is_purchase_item=1, is_sales_item=1, min_order_qty=row["min_order_qty"],
        lead_time_days=row["lead_time_days"], include_item_in_manufacturing=0,
        uoms=[{"uom": catalog.PACK_UOM, "conversion_factor": row["pack_qty"]}] if boxed else [],
        item_defaults=[{
            "company": catalog.COMPANY, "default_warehouse": catalog.MAIN_WAREHOUSE,
            "default_supplier": row["supplier"] or None, "default_price_list": BUYING,
        }],
    )  # fmt: skip
    _insert("Item Price", None, item_code=row["item_code"], uom=catalog.STOCK_UOM, price_list=SELLING, selling=1,
            price_list_rate=row["price"], currency=currency)  # fmt: skip
    if row["supplier"]:
        _insert("Item Price", None, item_code=row["item_code"], uom=row["purchase_uom"], price_list=BUYING, buying=1,
                supplier=row["supplier"], price_list_rate=round(row["cost"] * row["pack_qty"], 2),
                currency=currency)  # fmt: skip


def _insert(doctype: str, name: str | None, **values: Any) -> Any:
    """name: whatever naming the site has set for this DocType, the demo's records have the names of the catalog."""
    document = frappe.new_doc(doctype)
    document.update(values)
    return document.insert(ignore_permissions=True, set_name=name)


def _hold_suppliers() -> None:
    for supplier in catalog.SUPPLIERS:
        if supplier.on_hold:
            document = frappe.get_doc("Supplier", supplier.name)
            document.update({"on_hold": 1, "hold_type": "All"})
            document.save(ignore_permissions=True)


# ---- documents, in the order of their days: what is posted late makes ERPNext post everything after it again --------
def _documents(data: DemoData, currency: str) -> Iterator[tuple[str, Callable[[], None]]]:
    made: dict[int, str] = {}
    buying = "Purchase orders and receipts"
    works: list[tuple[pd.Timestamp, int, str, Callable[[], None]]] = [
        (pd.Timestamp(data.first_day), 0, "Opening stock", lambda: _post_opening(data))
    ]
    for order, lines in data.purchases.groupby("order", sort=True):
        day = lines["ordered_on"].iloc[0]
        received = lines["received_on"].iloc[0]
        works.append((day, 1, buying, _bound(_post_order, made, int(order), lines, currency)))
        if pd.notna(received):
            works.append((received, 0, buying, _bound(_post_receipt, made, int(order), received)))
    for _note, lines in data.sales.groupby("note", sort=True):
        works.append((lines["day"].iloc[0], 2, "Delivery notes", _bound(_post_note, lines, currency)))
    for _order, lines in data.sales_orders.groupby("order", sort=True):
        works.append((lines["ordered_on"].iloc[0], 3, "Sales orders", _bound(_post_sales_order, lines, currency)))
    for _day, _rank, label, work in sorted(works, key=lambda each: each[:2]):
        yield label, work


def _bound(work: Callable[..., None], *values: Any) -> Callable[[], None]:
    return lambda: work(*values)


def _new(doctype: str, **values: Any) -> Any:
    document = frappe.new_doc(doctype)
    document.update({
        "company": catalog.COMPANY, "naming_series": f"{catalog.SERIES}{_SERIES[doctype]}-.#####", **values,
    })  # fmt: skip
    return document


def _submit(document: Any) -> str:
    """Insert as submitted: ERPNext's checks run once instead of twice, which is a third of the time."""
    document.flags.ignore_permissions = True
    document.docstatus = 1
    document.insert()
    return str(document.name)


def _in_currency(currency: str, price_list_field: str, price_list: str) -> dict[str, Any]:
    return {
        "currency": currency, "conversion_rate": 1, "price_list_currency": currency, "plc_conversion_rate": 1,
        price_list_field: price_list, "ignore_pricing_rule": 1,
    }  # fmt: skip


def _post_opening(data: DemoData) -> None:
    entry = _new(
        "Stock Entry", stock_entry_type="Material Receipt", purpose="Material Receipt", set_posting_time=1,
        posting_date=data.first_day, posting_time="07:00:00",
    )  # fmt: skip
    for row in data.pairs.to_dict("records"):
        entry.append("items", {
            "item_code": row["item_code"], "t_warehouse": row["warehouse"], "qty": row["opening_qty"],
            "uom": catalog.STOCK_UOM, "stock_uom": catalog.STOCK_UOM, "conversion_factor": 1,
            "basic_rate": row["cost"],
        })  # fmt: skip
    _submit(entry)


def _post_order(made: dict[int, str], order: int, lines: pd.DataFrame, currency: str) -> None:
    first = lines.iloc[0]
    document = _new(
        "Purchase Order", supplier=first["supplier"], transaction_date=first["ordered_on"].date(),
        schedule_date=first["schedule_date"].date(), **_in_currency(currency, "buying_price_list", BUYING),
    )  # fmt: skip
    for row in lines.to_dict("records"):
        document.append("items", {
            "item_code": row["item_code"], "warehouse": row["warehouse"], "qty": row["qty"], "uom": row["uom"],
            "conversion_factor": row["conversion_factor"], "rate": row["rate"],
            "schedule_date": row["schedule_date"].date(),
        })  # fmt: skip
    made[order] = _submit(document)


def _post_receipt(made: dict[int, str], order: int, day: pd.Timestamp) -> None:
    document = make_purchase_receipt(made[order])
    document.update({
        "naming_series": f"{catalog.SERIES}PR-.#####", "set_posting_time": 1, "posting_date": day.date(),
        "posting_time": "08:00:00",
    })  # fmt: skip
    _submit(document)


def _post_note(lines: pd.DataFrame, currency: str) -> None:
    document = _new(
        "Delivery Note", customer=lines["customer"].iloc[0], set_posting_time=1,
        posting_date=lines["day"].iloc[0].date(), posting_time="16:00:00",
        **_in_currency(currency, "selling_price_list", SELLING),
    )  # fmt: skip
    _append_sales(document, lines)
    _submit(document)


def _post_sales_order(lines: pd.DataFrame, currency: str) -> None:
    first = lines.iloc[0]
    document = _new(
        "Sales Order", customer=first["customer"], transaction_date=first["ordered_on"].date(),
        delivery_date=first["delivery_date"].date(), **_in_currency(currency, "selling_price_list", SELLING),
    )  # fmt: skip
    _append_sales(document, lines)
    _submit(document)


def _append_sales(document: Any, lines: pd.DataFrame) -> None:
    for row in lines.to_dict("records"):
        line = {name: row[name] for name in ("item_code", "warehouse", "qty", "rate")}
        document.append("items", {**line, "uom": catalog.STOCK_UOM, "conversion_factor": 1})


# ---- removing -------------------------------------------------------------------------------------------------------
def remove(progress: Progress) -> int:
    """-> documents and masters deleted. Each step can be done again; the company, which marks the demo, goes last."""
    progress(0, 4, "What was planned")
    _delete_plans()
    progress(1, 4, "Documents")
    deleted = _delete_documents()
    progress(2, 4, "Items, suppliers, customers")
    deleted += sum(_delete_master(doctype, name) for doctype, names in _MASTERS for name in names)
    progress(3, 4, "Company")
    _delete_company()
    frappe.db.commit()
    progress(4, 4, "Done")
    return deleted + 1


def _delete_plans() -> None:
    """Our rows that name a warehouse but no company; those that name the company go with its documents."""
    houses = frappe.get_all("Warehouse", filters={"company": catalog.COMPANY}, pluck="name")
    for doctype in ("Demand Bucket", "Demand Mark"):
        frappe.db.delete(doctype, {"warehouse": ("in", houses or [""])})
    orders = frappe.get_all("Auto Purchase Order", filters={"company": catalog.COMPANY}, pluck="name")
    actions = {"reference_doctype": "Auto Purchase Order", "reference_name": ("in", orders or [""])}
    for name in frappe.get_all("Workflow Action", filters=actions, pluck="name"):
        frappe.delete_doc("Workflow Action", name, force=True, ignore_permissions=True, delete_permanently=True)
    remove_company_row(catalog.COMPANY)
    frappe.db.commit()


def _delete_documents() -> int:
    """Everything that names the company, by ERPNext's own Transaction Deletion Record; -> documents."""
    _give_back_numbers()
    record = frappe.new_doc("Transaction Deletion Record")
    record.company = catalog.COMPANY
    record.process_in_single_transaction = 1
    record.insert(ignore_permissions=True, set_name=f"{catalog.SERIES}DELETION")
    record.submit()
    record.start_deletion_tasks()
    record.reload()
    if record.status != "Completed":
        reason = frappe.utils.strip_html(record.error_log or record.status)
        raise Refused(frappe._(DELETION_FAILED).format(reason=reason))
    deleted = sum(int(row.no_of_docs or 0) for row in record.doctypes)
    for table in record.meta.get_table_fields():
        frappe.db.delete(table.options, {"parent": record.name})
    frappe.db.delete("Transaction Deletion Record", {"name": record.name})
    _forget(record.doctype, record.name)
    frappe.db.delete("Series", {"name": ("like", f"{catalog.SERIES}%")})
    frappe.db.commit()
    return deleted


def _delete_master(doctype: str, name: str) -> int:
    if not frappe.db.exists(doctype, name):
        return 0
    frappe.delete_doc(doctype, name, ignore_permissions=True, delete_permanently=True)
    _forget(doctype, name)
    return 1


def _give_back_numbers() -> None:
    """Orders that the planner drafted are numbered like any other; the last numbers of the series are free again."""
    orders = frappe.get_all(
        "Purchase Order", filters={"company": catalog.COMPANY}, fields=["name", "naming_series"], order_by="name desc"
    )
    for order in orders:
        if not order.name.startswith(catalog.SERIES):
            revert_series_if_last(order.naming_series, order.name)


def _forget(doctype: str, name: str) -> None:
    """The traces that Frappe keeps of a deleted record: its versions and the note that it was deleted."""
    frappe.db.delete("Version", {"ref_doctype": doctype, "docname": name})
    frappe.db.delete(
        "Comment",
        {"comment_type": "Deleted", "reference_doctype": doctype, "subject": f"{frappe._(doctype)} {name}"},
    )


def _delete_company() -> None:
    for year in frappe.get_all("Fiscal Year", filters={"name": ("like", "% Forecast Demo")}, pluck="name"):
        _delete_master("Fiscal Year", year)
    children = _children_of_templates()
    _delete_master("Company", catalog.COMPANY)
    for doctype, parents in children:
        frappe.db.delete(doctype, {"parent": ("in", parents)})


def _children_of_templates() -> list[tuple[str, list[str]]]:
    """Company.on_trash deletes its tax templates by SQL and leaves their rows behind."""
    found = []
    for doctype in ("Sales Taxes and Charges Template", "Purchase Taxes and Charges Template", "Item Tax Template"):
        parents = frappe.get_all(doctype, filters={"company": catalog.COMPANY}, pluck="name")
        if parents:
            found += [(table.options, parents) for table in frappe.get_meta(doctype).get_table_fields()]
    return found
