"""Queries about what suppliers ask of whole orders, what they quoted, and the money that is bound already."""

from datetime import date
from functools import reduce
from operator import or_
from typing import Any

from erp_forecast_addon.site.schema import CUSTOM_FIELDS

_ASKED_NUMBERS = ("min_order_amount", "truck_weight", "truck_volume", "truck_qty", "payment_days")
_ASKED_TEXTS = ("ship_to_rule", "order_weekdays", "supplier_holiday_list")


def order_terms(qb: Any) -> Any:
    """Of the suppliers that ask for anything."""
    supplier = qb.DocType("Supplier")
    fields = (*CUSTOM_FIELDS["Supplier"], "default_currency")
    asked = [supplier[name] > 0 for name in _ASKED_NUMBERS] + [supplier[name] != "" for name in _ASKED_TEXTS]
    query = qb.from_(supplier).select(supplier.name.as_("supplier"), *(supplier[name] for name in fields))
    return query.where(reduce(or_, asked))


def days_off(qb: Any, lists: list[str]) -> Any:
    """Weekly days off included: ERPNext writes them into the list as days."""
    day = qb.DocType("Holiday")
    query = qb.from_(day).select(day.parent.as_("holiday_list"), day.holiday_date.as_("day"))
    return query.where((day.parenttype == "Holiday List") & day.parent.isin(lists or [""]))


def on_time_shares(qb: Any, company: str) -> Any:
    """What the last run learned of the company's suppliers; item_code "": the supplier as a whole."""
    row = qb.DocType("Supplier Lead Time")
    query = qb.from_(row).select(row.supplier, row.item_code, row.on_time_pct, row.due_orders)
    return query.where((row.company == company) & (row.due_orders > 0))


def quoted_prices(qb: Any, company: str, since: date) -> Any:
    """Lines of submitted Supplier Quotations made since that day, the latest last."""
    quotation, line = qb.DocType("Supplier Quotation"), qb.DocType("Supplier Quotation Item")
    return (
        qb.from_(line)
        .join(quotation)
        .on(line.parent == quotation.name)
        .select(
            quotation.supplier, line.item_code, quotation.name.as_("quotation"),
            quotation.transaction_date.as_("quoted_on"), quotation.valid_till, quotation.currency, line.qty, line.uom,
            line.net_rate, line.conversion_factor,
        )
        .where((quotation.docstatus == 1) & (quotation.company == company) & (line.net_rate > 0))
        .where(quotation.transaction_date >= since)
        .orderby(quotation.transaction_date)
        .orderby(quotation.name)
    )  # fmt: skip


def ordered_money(qb: Any, company: str, since: date) -> Any:
    """Submitted Purchase Orders that left since that day."""
    order = qb.DocType("Purchase Order")
    query = qb.from_(order).select(order.transaction_date.as_("day"), order.base_net_total.as_("amount"))
    query = query.where((order.docstatus == 1) & (order.company == company) & (order.status != "Closed"))
    return query.where(order.transaction_date >= since)


def open_order_money(qb: Any, company: str, closed: tuple[str, ...]) -> Any:
    """What is still to be delivered on submitted orders, and with it to be paid."""
    order, line = qb.DocType("Purchase Order"), qb.DocType("Purchase Order Item")
    return (
        qb.from_(line)
        .join(order)
        .on(line.parent == order.name)
        .select(order.supplier, line.schedule_date.as_("day"), line.qty, line.received_qty, line.base_amount)
        .where((order.docstatus == 1) & (order.company == company) & order.status.notin(closed))
        .where((line.qty > line.received_qty) & (line.qty > 0))
    )


def unpaid_invoices(qb: Any, company: str) -> Any:
    """Outstanding amounts stand in the currency of the party's account."""
    invoice = qb.DocType("Purchase Invoice")
    fields = (invoice.due_date.as_("day"), invoice.outstanding_amount, invoice.party_account_currency)
    query = qb.from_(invoice).select(*fields, invoice.conversion_rate)
    return query.where(
        (invoice.docstatus == 1) & (invoice.company == company) & (invoice.is_return == 0)
        & (invoice.outstanding_amount > 0)
    )  # fmt: skip
