"""Every read of ERPNext and of our own tables, once, as PyPika builders that take `qb`.

Only select, join, where, group and sum: that is what both MariaDB and SQLite, and both PyPikas that Frappe ships,
answer alike (and `table[name]`: Frappe shadows `table.field`). What a rule needs beyond it is done on the frames in
reads.py. Warehouses that are groups or disabled are never read: stock cannot be booked there.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any

from pypika import JoinType

from erp_forecast_addon.planning.purchasing.rests import PROPOSED_OTHERWISE

Query = Any

# Statuses in which ERPNext itself no longer counts a document as open (erpnext.stock.stock_balance).
CLOSED_PURCHASE_ORDER = ("Closed", "Delivered")
CLOSED_SUBCONTRACTING_ORDER = ("Closed", "Completed")
NOT_RESERVING_SALES_ORDER = ("On Hold", "Closed")
CLOSED_PRODUCTION_PLAN = ("Completed", "Closed")
CLOSED_WORK_ORDER = ("Stopped", "Completed", "Closed")
INWARD_REQUESTS = ("Purchase", "Manufacture", "Customer Provided", "Material Transfer", "Subcontracting")


# ---- settings and masters ------------------------------------
def singles(qb: Any, doctypes: Sequence[str]) -> Query:
    values = qb.DocType("Singles")
    return (
        qb.from_(values)
        .select(values.doctype, values["field"], values.value)
        .where(values.doctype.isin(list(doctypes)))
    )


def companies(qb: Any) -> Query:
    company = qb.DocType("Company")
    return qb.from_(company).select(company.name, company.default_currency).orderby(company.name)


def company_settings(qb: Any, company: str | None = None) -> Query:
    row = qb.DocType("Forecast Company Settings")
    fields = (
        "name", "company", "enabled", "currency", "run_hour", "period", "horizon_days", "history_days",
        "forecast_tier", "arima_items", "arima_seconds",
        "demand_manufacture", "demand_subcontract", "demand_material_issue", "service_level_a_pct",
        "service_level_b_pct", "service_level_c_pct", "abc_a_pct", "abc_b_pct", "margin_pct",
        "policy_method", "unmet_demand", "arrival_dates",
        "review_mode", "level_band_pct", "xyz_y_from", "xyz_z_from", "holding_cost_pct", "order_cost",
        "occasion_cost",
        "default_lead_time_days", "review_period_days", "approval_days", "who_orders", "draft_orders",
        "run_when_due", "on_approval",
        "alternative_suppliers", "alternative_saving_pct", "alternative_on_time_pct", "ship_to", "pull_forward_days",
        "take_price_breaks", "weekly_budget", "weekly_cash_limit",
        "auto_approve_limit", "rejected_for_days", "write_back_levels", "write_back_safety_stock", "write_back_by",
        "change_tolerance_pct", "max_exceptions",
        "exception_owner", "retrain_on_drift", "use_holidays", "holiday_country", "holiday_subdivision",
        "consume_back_days", "consume_forward_days", "demand_fence_days", "production_horizon_days",
        "leave_out_rejected", "excluded_warehouse_type", "draft_requests", "transfer_days", "transfer_cost",
        "second_approver_above", "approval_threshold_asks", "edit_reason_required", "approval_change_pct",
        "approval_error_pct", "approval_coverage_pct", "approval_exceptions", "remind_approvers", "approval_cut_off",
        "remind_hours_before", "tolerated_loss_pct", "escalate_after_hours",
    )  # fmt: skip
    query = (
        qb.from_(row)
        .select(*(row[name] for name in fields))
        .where((row.parent == "Forecast Settings") & (row.parentfield == "companies"))
        .orderby(row.idx)
    )
    return query if company is None else query.where(row.company == company)


def warehouses(qb: Any, company: str) -> Query:
    """All warehouses of the company, groups and disabled ones too: the tree is read as a whole."""
    house = qb.DocType("Warehouse")
    return (
        qb.from_(house)
        .select(
            house.name, house.parent_warehouse, house.is_group, house.disabled, house.is_rejected_warehouse,
            house.warehouse_type, house.exclude_from_planning, house.supplying_warehouse, house.planning_group,
            house.transfer_days,
        )
        .where(house.company == company)
        .orderby(house.name)
    )  # fmt: skip


def left_out(qb: Any, company: str) -> Query:
    """What the company's settings say about warehouses that are not planned."""
    row = qb.DocType("Forecast Company Settings")
    return (
        qb.from_(row)
        .select(row.leave_out_rejected, row.excluded_warehouse_type)
        .where((row.parent == "Forecast Settings") & (row.parentfield == "companies") & (row.company == company))
    )


def default_boms(qb: Any, company: str) -> Query:
    """One level of every bill of materials that ERPNext would make an item by."""
    bom, line = qb.DocType("BOM"), qb.DocType("BOM Item")
    return (
        qb.from_(bom)
        .join(line)
        .on(line.parent == bom.name)
        .select(
            bom.item.as_("made_item"), bom.name.as_("bom_no"), bom.quantity, line.item_code.as_("component"),
            line.stock_qty, line.source_warehouse,
        )
        .where((bom.docstatus == 1) & (bom.is_active == 1) & (bom.is_default == 1) & (bom.company == company))
        .where((bom.quantity > 0) & (line.stock_qty > 0) & (line.parenttype == "BOM"))
    )  # fmt: skip


def default_warehouses(qb: Any, company: str) -> Query:
    row = qb.DocType("Item Default")
    return (
        qb.from_(row)
        .select(row.parent.as_("item_code"), row.default_warehouse)
        .where((row.company == company) & (row.parenttype == "Item") & (row.default_warehouse != ""))
    )


def refused_requests(qb: Any, company: str, today: date) -> Query:
    """Lines of requests that a person refused and whose rest is not over."""
    request, line = qb.DocType("Auto Material Request"), qb.DocType("Auto Material Request Item")
    return (
        qb.from_(line)
        .join(request)
        .on(line.parent == request.name)
        .select(line.item_code, request.warehouse, request.request_type, request.from_warehouse)
        .where((request.status == "Rejected") & (request.company == company) & (request.rejected_until >= today))
    )


def items(qb: Any) -> Query:
    item = qb.DocType("Item")
    fields = (
        "item_name", "item_group", "brand", "stock_uom", "purchase_uom", "min_order_qty", "safety_stock",
        "shelf_life_in_days", "lead_time_days", "standard_rate", "last_purchase_rate", "disabled", "end_of_life",
        "is_purchase_item", "variant_of", "delivered_by_supplier", "is_customer_provided_item",
        "default_material_request_type", "weight_per_unit", "weight_uom", "volume_per_unit",
    )  # fmt: skip
    return (
        qb.from_(item)
        .select(item.name.as_("item_code"), *(item[name] for name in fields))
        .where((item.is_stock_item == 1) & (item.has_variants == 0))
    )


def whole_uoms(qb: Any) -> Query:
    uom = qb.DocType("UOM")
    return qb.from_(uom).select(uom.name).where(uom.must_be_whole_number == 1)


def item_uoms(qb: Any) -> Query:
    detail = qb.DocType("UOM Conversion Detail")
    return (
        qb.from_(detail)
        .select(detail.parent.as_("item_code"), detail.uom, detail.conversion_factor)
        .where((detail.parenttype == "Item") & (detail.conversion_factor > 0))
    )


def uom_factors(qb: Any) -> Query:
    factor = qb.DocType("UOM Conversion Factor")
    return qb.from_(factor).select(factor.from_uom, factor.to_uom, factor.value).where(factor.value > 0)


def item_defaults(qb: Any, company: str) -> Query:
    """Rows of Items, Item Groups and Brands alike; parenttype tells which."""
    row = qb.DocType("Item Default")
    return (
        qb.from_(row)
        .select(row.parent, row.parenttype, row.default_supplier, row.default_price_list)
        .where(row.company == company)
        .orderby(row.idx)
    )


def item_suppliers(qb: Any) -> Query:
    row = qb.DocType("Item Supplier")
    return (
        qb.from_(row)
        .select(row.parent.as_("item_code"), row.supplier)
        .where(row.parenttype == "Item")
        .orderby(row.parent, row.idx)
    )


def suppliers(qb: Any) -> Query:
    supplier = qb.DocType("Supplier")
    fields = (
        "supplier_name", "disabled", "on_hold", "hold_type", "release_date", "prevent_pos", "warn_pos", "is_frozen",
        "default_currency", "default_price_list",
    )  # fmt: skip
    return qb.from_(supplier).select(supplier.name.as_("supplier"), *(supplier[name] for name in fields))


def item_prices(qb: Any, side: str, today: date) -> Query:
    """side: buying | selling. Prices valid today, of enabled price lists, neither of a batch nor of one customer."""
    price, listed = qb.DocType("Item Price"), qb.DocType("Price List")
    return (
        qb.from_(price)
        .join(listed)
        .on(price.price_list == listed.name)
        .select(
            price.item_code, price.supplier, price.price_list, price.uom, price.price_list_rate, price.currency,
            price.valid_from, price.packing_unit, price.lead_time_days,
        )
        .where((listed.enabled == 1) & (price[side] == 1) & (price.price_list_rate > 0))
        .where(price.valid_from.isnull() | (price.valid_from <= today))
        .where(price.valid_upto.isnull() | (price.valid_upto >= today))
        .where(price.batch_no.isnull() | (price.batch_no == ""))
        .where(price.customer.isnull() | (price.customer == ""))
    )  # fmt: skip


def exchange_rates(qb: Any, to_currency: str, today: date) -> Query:
    """Rates of the past, oldest first."""
    rate = qb.DocType("Currency Exchange")
    return (
        qb.from_(rate)
        .select(rate.from_currency, rate["date"], rate.exchange_rate)
        .where((rate.to_currency == to_currency) & (rate["date"] <= today) & (rate.exchange_rate > 0))
        .where(rate.for_buying == 1)
        .orderby(rate["date"])
    )


# ---- ledger and buckets ------------------------------------
def ledger(qb: Any, company: str, since_day: date | None = None) -> Query:
    entry = qb.DocType("Stock Ledger Entry")
    query = (
        qb.from_(entry)
        .select(
            entry.item_code, entry.warehouse, entry.name, entry.posting_date.as_("posting_day"),
            entry.posting_datetime.as_("posted_at"), entry.creation, entry.actual_qty, entry.qty_after_transaction,
            entry.voucher_type, entry.voucher_no,
        )
        .where((entry.is_cancelled == 0) & (entry.company == company))
    )  # fmt: skip
    return query if since_day is None else query.where(entry.posting_date >= since_day)


def ledger_of_items(
    qb: Any, company: str, warehouse: str, item_codes: Sequence[str], since_day: date | None = None
) -> Query:
    entry = qb.DocType("Stock Ledger Entry")
    return ledger(qb, company, since_day).where((entry.warehouse == warehouse) & entry.item_code.isin(list(item_codes)))


def special_sales(qb: Any, doctype: str, names: Sequence[str] | None = None) -> Query:
    """Returns, with the day of the sale they return, and sales to internal customers. names: of these only."""
    sale, against = qb.DocType(doctype), qb.DocType(doctype).as_("against")
    query = (
        qb.from_(sale)
        .join(against, JoinType.left)
        .on(sale.return_against == against.name)
        .select(sale.name, sale.is_return, against.posting_date.as_("sale_day"))
    )
    special = sale.is_return == 1
    if doctype != "POS Invoice":  # the only one without the field
        query = query.select(sale.is_internal_customer)
        special = special | (sale.is_internal_customer == 1)
    query = query.where(special)
    return query if names is None else query.where(sale.name.isin(list(names)))


def stock_entries(qb: Any, purposes: Sequence[str], names: Sequence[str] | None = None) -> Query:
    entry = qb.DocType("Stock Entry")
    query = qb.from_(entry).select(entry.name).where(entry.purpose.isin(list(purposes)) & (entry.docstatus == 1))
    return query if names is None else query.where(entry.name.isin(list(names)))


def buckets(qb: Any, company: str, since_day: date) -> Query:
    bucket, house = qb.DocType("Demand Bucket"), qb.DocType("Warehouse")
    return (
        qb.from_(bucket)
        .join(house)
        .on(bucket.warehouse == house.name)
        .select(
            bucket.item_code, bucket.warehouse, bucket.day, bucket.demand_qty, bucket.closing_qty, bucket.opening_qty
        )
        .where(_leaf(house, company) & (bucket.day >= since_day))
    )


# ---- positions ------------------------------------
def bins(qb: Any, company: str) -> Query:
    stock, house = qb.DocType("Bin"), qb.DocType("Warehouse")
    return (
        qb.from_(stock)
        .join(house)
        .on(stock.warehouse == house.name)
        .select(
            stock.item_code, stock.warehouse, stock.actual_qty, stock.valuation_rate,
            stock.reserved_qty_for_production, stock.reserved_qty_for_sub_contract,
            stock.reserved_qty_for_production_plan, stock.reserved_stock,
        )
        .where(_leaf(house, company))
    )  # fmt: skip


def reorder_rows(qb: Any) -> Query:
    row = qb.DocType("Item Reorder")
    return (
        qb.from_(row)
        .select(row.parent.as_("item_code"), row.warehouse, row.warehouse_group)
        .where(row.parenttype == "Item")
    )


def variants(qb: Any) -> Query:
    item = qb.DocType("Item")
    return qb.from_(item).select(item.name.as_("item_code"), item.variant_of).where(item.variant_of != "")


def rejected_needs(qb: Any, company: str, today: date) -> Query:
    """Lines of rejected orders whose rest is not over, oldest decision first; only reasons that put the need itself to
    rest (see purchasing.rests)."""
    order, line = qb.DocType("Auto Purchase Order"), qb.DocType("Auto Purchase Order Item")
    return (
        qb.from_(line)
        .join(order)
        .on(line.parent == order.name)
        .select(line.item_code, line.warehouse, order.rejected_until)
        .where((order.status == "Rejected") & (order.company == company) & (order.rejected_until >= today))
        .where(order.rejection_class.isnull() | order.rejection_class.notin(PROPOSED_OTHERWISE))
        .orderby(order.decided_at, order.creation)
    )


# ---- open supply and demand by date: what the quantity is made of is computed in reads.py --------------------
def open_purchase_orders(qb: Any, company: str) -> Query:
    order, line, house = qb.DocType("Purchase Order"), qb.DocType("Purchase Order Item"), qb.DocType("Warehouse")
    return (
        _lines(qb, order, line, house, line.warehouse, company)
        .select(line.schedule_date.as_("day"), line.qty, line.received_qty.as_("done_qty"), line.conversion_factor)
        .select(line.expected_delivery_date.as_("promised_on"), line.name.as_("order_line"))
        .where((order.docstatus == 1) & order.status.notin(CLOSED_PURCHASE_ORDER))
        .where((line.qty > line.received_qty) & _not_drop_shipped(line))
    )


def our_drafts(qb: Any, company: str) -> Query:
    order, line, house = qb.DocType("Purchase Order"), qb.DocType("Purchase Order Item"), qb.DocType("Warehouse")
    return (
        _lines(qb, order, line, house, line.warehouse, company)
        .select(line.schedule_date.as_("day"), line.qty, line.conversion_factor)
        .where((order.docstatus == 0) & (order.auto_purchase_order != "") & _not_drop_shipped(line))
    )


def open_subcontracting_orders(qb: Any, company: str) -> Query:
    order, line = qb.DocType("Subcontracting Order"), qb.DocType("Subcontracting Order Item")
    house = qb.DocType("Warehouse")
    return (
        _lines(qb, order, line, house, line.warehouse, company)
        .select(line.schedule_date.as_("day"), line.qty, line.received_qty.as_("done_qty"), line.conversion_factor)
        .where((order.docstatus == 1) & order.status.notin(CLOSED_SUBCONTRACTING_ORDER))
        .where(line.qty > line.received_qty)
    )


def open_requests_in(qb: Any, company: str) -> Query:
    request, line = qb.DocType("Material Request"), qb.DocType("Material Request Item")
    return (
        _open_requests(qb, company, line.warehouse)
        .select(request.material_request_type, line.name.as_("line"))
        .where(request.material_request_type.isin(INWARD_REQUESTS))
    )


def our_requests_in(qb: Any, company: str) -> Query:
    """Drafts of ours, at the warehouse that asks; ERPNext's own position knows submitted ones only."""
    request, line = qb.DocType("Material Request"), qb.DocType("Material Request Item")
    return _our_requests(qb, company, line.warehouse).select(request.material_request_type)


def our_transfers_out(qb: Any, company: str) -> Query:
    """The same at the warehouse that gives."""
    request, line = qb.DocType("Material Request"), qb.DocType("Material Request Item")
    return _our_requests(qb, company, line.from_warehouse).where(request.material_request_type == "Material Transfer")


def open_requests_out(qb: Any, company: str) -> Query:
    """Material Issue requests, at the warehouse that issues."""
    request, line = qb.DocType("Material Request"), qb.DocType("Material Request Item")
    return _open_requests(qb, company, line.warehouse).where(request.material_request_type == "Material Issue")


def open_transfers_out(qb: Any, company: str) -> Query:
    """Material Transfer requests, at the warehouse that gives; ERPNext's own position leaves them out."""
    request, line = qb.DocType("Material Request"), qb.DocType("Material Request Item")
    return _open_requests(qb, company, line.from_warehouse).where(request.material_request_type == "Material Transfer")


def open_work_orders(qb: Any, company: str) -> Query:
    order, house = qb.DocType("Work Order"), qb.DocType("Warehouse")
    return (
        qb.from_(order)
        .join(house)
        .on(order.fg_warehouse == house.name)
        .select(
            order.production_item.as_("item_code"), order.fg_warehouse.as_("warehouse"),
            order.name.as_("voucher_no"), order.planned_end_date, order.expected_delivery_date,
            order.planned_start_date, order.qty, order.produced_qty.as_("done_qty"),
        )
        .where((order.docstatus == 1) & order.status.notin(CLOSED_WORK_ORDER) & (order.qty > order.produced_qty))
        .where(_leaf(house, company))
    )  # fmt: skip


def open_work_order_items(qb: Any, company: str) -> Query:
    """What work orders still take, at the warehouse that they take it from (Bin's reserved_qty_for_production)."""
    order, line, house = qb.DocType("Work Order"), qb.DocType("Work Order Item"), qb.DocType("Warehouse")
    return (
        _lines(qb, order, line, house, line.source_warehouse, company)
        .select(
            order.planned_start_date, order.expected_delivery_date, order.skip_transfer, line.required_qty,
            line.transferred_qty, line.consumed_qty,
        )
        .where((order.docstatus == 1) & order.status.notin(CLOSED_WORK_ORDER))
    )  # fmt: skip


def open_plan_needs(qb: Any, company: str) -> Query:
    """What production plans have worked out that is needed, by date; Bin says how much of it work orders have not taken
    over."""
    plan, line, house = qb.DocType("Production Plan"), qb.DocType("Material Request Plan Item"), qb.DocType("Warehouse")
    return (
        _lines(qb, plan, line, house, line.warehouse, company)
        .select(line.schedule_date.as_("day"), line.quantity.as_("qty"), line.conversion_factor)
        .where((plan.docstatus == 1) & plan.status.notin(CLOSED_PRODUCTION_PLAN))
    )


def planned_requests(qb: Any, company: str) -> Query:
    """Lines of requests to manufacture that a production plan has taken up: it asks for their components now."""
    plan, line = qb.DocType("Production Plan"), qb.DocType("Production Plan Item")
    return (
        qb.from_(line)
        .join(plan)
        .on(line.parent == plan.name)
        .select(line.material_request_item.as_("line"), line.planned_qty, line.ordered_qty)
        .where((plan.docstatus == 1) & plan.status.notin(CLOSED_PRODUCTION_PLAN) & (plan.company == company))
        .where((line.material_request_item != "") & (line.planned_qty > line.ordered_qty))
    )


def open_supplied_items(qb: Any, company: str) -> Query:
    """What subcontractors are still to be given, by the day on which the order is due."""
    order, line = qb.DocType("Subcontracting Order"), qb.DocType("Subcontracting Order Supplied Item")
    house = qb.DocType("Warehouse")
    return (
        qb.from_(line)
        .join(order)
        .on(line.parent == order.name)
        .join(house)
        .on(line.reserve_warehouse == house.name)
        .select(
            line.rm_item_code.as_("item_code"), line.reserve_warehouse.as_("warehouse"),
            order.name.as_("voucher_no"), order.schedule_date.as_("day"), line.required_qty.as_("qty"),
            line.supplied_qty.as_("done_qty"),
        )
        .where(_leaf(house, company) & (order.docstatus == 1) & order.status.notin(CLOSED_SUBCONTRACTING_ORDER))
        .where(line.required_qty > line.supplied_qty)
    )  # fmt: skip


def sales_reservations(qb: Any, company: str) -> Query:
    """Stock that ERPNext holds back for lines of Sales Orders, at the warehouse where it lies."""
    held = qb.DocType("Stock Reservation Entry")
    return (
        qb.from_(held)
        .select(held.item_code, held.warehouse, held.voucher_detail_no.as_("line"), held.reserved_qty,
                held.delivered_qty)
        .where((held.docstatus == 1) & (held.voucher_type == "Sales Order") & (held.company == company))
        .where(held.status.notin(["Delivered", "Cancelled"]) & (held.reserved_qty > held.delivered_qty))
    )  # fmt: skip


def open_sales_orders(qb: Any, company: str) -> Query:
    """Stock items on the lines themselves; a bundle is no stock item, its parts are in open_packed_items."""
    order, line, house = qb.DocType("Sales Order"), qb.DocType("Sales Order Item"), qb.DocType("Warehouse")
    item = qb.DocType("Item")
    return (
        _lines(qb, order, line, house, line.warehouse, company)
        .join(item)
        .on(line.item_code == item.name)
        .select(
            line.delivery_date, order.delivery_date.as_("order_delivery_date"), line.qty, line.name.as_("line"),
            line.delivered_qty.as_("done_qty"), line.conversion_factor, order.is_internal_customer,
        )
        .where((item.is_stock_item == 1) & _reserving(order) & (line.qty > line.delivered_qty))
        .where(_not_drop_shipped(line))
    )  # fmt: skip


def open_packed_items(qb: Any, company: str) -> Query:
    """Parts of bundles on open Sales Orders; packed_qty is of the whole line, in the part's stock UOM."""
    order, line, house = qb.DocType("Sales Order"), qb.DocType("Sales Order Item"), qb.DocType("Warehouse")
    part = qb.DocType("Packed Item")
    return (
        qb.from_(part)
        .join(line)
        .on(part.parent_detail_docname == line.name)
        .join(order)
        .on(part.parent == order.name)
        .join(house)
        .on(part.warehouse == house.name)
        .select(
            part.item_code, part.warehouse, order.name.as_("voucher_no"), line.delivery_date, part.name.as_("line"),
            order.is_internal_customer,
            order.delivery_date.as_("order_delivery_date"), part.qty.as_("packed_qty"), line.qty,
            line.delivered_qty.as_("done_qty"),
        )
        .where((part.parenttype == "Sales Order") & (part.item_code != part.parent_item))
        .where(_leaf(house, company) & _reserving(order) & (line.qty > line.delivered_qty))
        .where(_not_drop_shipped(line))
    )  # fmt: skip


def unconsolidated_till_lines(qb: Any, company: str) -> Query:
    """POS Invoices that stand in neither ledger nor Bin yet; returns have a negative quantity."""
    till, line, house = qb.DocType("POS Invoice"), qb.DocType("POS Invoice Item"), qb.DocType("Warehouse")
    item = qb.DocType("Item")
    return (
        _lines(qb, till, line, house, line.warehouse, company)
        .join(item)
        .on(line.item_code == item.name)
        .select(line.stock_qty)
        .where((item.is_stock_item == 1) & _unconsolidated(till))
    )


def unconsolidated_till_parts(qb: Any, company: str) -> Query:
    """Parts of bundles sold at the till; the sign of packed_qty is the line's."""
    till, part, house = qb.DocType("POS Invoice"), qb.DocType("Packed Item"), qb.DocType("Warehouse")
    return (
        _lines(qb, till, part, house, part.warehouse, company)
        .select(part.qty.as_("stock_qty"))
        .where((part.parenttype == "POS Invoice") & _unconsolidated(till))
    )


# ---- receipts ------------------------------------
def receipts(qb: Any, company: str, since: date | None = None) -> Query:
    receipt, line = qb.DocType("Purchase Receipt"), qb.DocType("Purchase Receipt Item")
    return _receipts(qb, receipt, line, line.purchase_order_item, company, since)


def invoiced_receipts(qb: Any, company: str, since: date | None = None) -> Query:
    """Purchase Invoices that update stock are receipts too."""
    invoice, line = qb.DocType("Purchase Invoice"), qb.DocType("Purchase Invoice Item")
    return _receipts(qb, invoice, line, line.po_detail, company, since).where(invoice.update_stock == 1)


def _receipts(qb: Any, receipt: Any, line: Any, order_line_name: Any, company: str, since: date | None) -> Query:
    order, order_line = qb.DocType("Purchase Order"), qb.DocType("Purchase Order Item")
    query = (
        qb.from_(line)
        .join(receipt)
        .on(line.parent == receipt.name)
        .join(order_line)
        .on(order_line_name == order_line.name)
        .join(order)
        .on(order_line.parent == order.name)
        .select(
            receipt.supplier, line.item_code, order.transaction_date.as_("ordered_on"),
            receipt.posting_date.as_("received_on"), line.stock_qty, order_line.schedule_date.as_("schedule_on"),
            order_line.expected_delivery_date.as_("promised_on"), order_line.name.as_("order_line"),
            order.name.as_("purchase_order"),
        )
        .where((receipt.docstatus == 1) & (receipt.is_return == 0) & (receipt.is_internal_supplier == 0))
        .where((receipt.company == company) & _not_drop_shipped(order_line))
    )  # fmt: skip
    return query if since is None else query.where(receipt.posting_date >= since)


def open_order_lines(qb: Any, company: str) -> Query:
    """What is still to come on submitted orders to suppliers outside the group."""
    order, line = qb.DocType("Purchase Order"), qb.DocType("Purchase Order Item")
    return (
        qb.from_(order)
        .join(line)
        .on(line.parent == order.name)
        .select(
            order.supplier, line.item_code, order.transaction_date.as_("ordered_on"),
            line.schedule_date.as_("schedule_on"), line.qty, line.received_qty.as_("done_qty"), line.conversion_factor,
            line.expected_delivery_date.as_("promised_on"), line.name.as_("order_line"),
            order.name.as_("purchase_order"),
        )
        .where((order.docstatus == 1) & order.status.notin(CLOSED_PURCHASE_ORDER) & (order.company == company))
        .where((order.is_internal_supplier == 0) & (line.qty > line.received_qty) & _not_drop_shipped(line))
    )  # fmt: skip


def agreed_lead_times(qb: Any) -> Query:
    """Lead times in the suppliers' own buying prices, the earliest prices first."""
    prices, price = qb.DocType("Price List"), qb.DocType("Item Price")
    return (
        qb.from_(prices)
        .join(price)
        .on(price.price_list == prices.name)
        .select(price.supplier, price.item_code, price.lead_time_days.as_("days"))
        .where((prices.enabled == 1) & (prices.buying == 1) & (price.supplier != "") & (price.lead_time_days > 0))
        .orderby(price.valid_from)
        .orderby(price.name)
    )


def quoted_lead_times(qb: Any, company: str, since: date) -> Query:
    """Lead times of submitted Supplier Quotations made since that day."""
    quotation, line = qb.DocType("Supplier Quotation"), qb.DocType("Supplier Quotation Item")
    return (
        qb.from_(line)
        .join(quotation)
        .on(line.parent == quotation.name)
        .select(
            quotation.supplier, line.item_code, quotation.transaction_date.as_("quoted_on"), quotation.valid_till,
            line.lead_time_days,
        )
        .where((quotation.docstatus == 1) & (quotation.company == company) & (line.lead_time_days > 0))
        .where(quotation.transaction_date >= since)
    )  # fmt: skip


def item_lead_times(qb: Any) -> Query:
    """ERPNext v16 only: days to buy an item, whoever supplies it."""
    made = qb.DocType("Item Lead Time")
    return qb.from_(made).select(made.item_code, made.purchase_time).where(made.purchase_time > 0)


# ---- parts of conditions ------------------------------------
def _lines(qb: Any, document: Any, line: Any, house: Any, warehouse: Any, company: str) -> Query:
    return (
        qb.from_(line)
        .join(document)
        .on(line.parent == document.name)
        .join(house)
        .on(warehouse == house.name)
        .select(line.item_code, warehouse.as_("warehouse"), document.name.as_("voucher_no"))
        .where(_leaf(house, company))
    )


def _open_requests(qb: Any, company: str, warehouse: Any) -> Query:
    request, line = qb.DocType("Material Request"), qb.DocType("Material Request Item")
    return (
        _lines(qb, request, line, qb.DocType("Warehouse"), warehouse, company)
        .select(line.schedule_date.as_("day"), line.stock_qty.as_("qty"), line.ordered_qty.as_("done_qty"))
        .where((request.docstatus == 1) & (request.status != "Stopped") & (line.stock_qty > line.ordered_qty))
    )


def _our_requests(qb: Any, company: str, warehouse: Any) -> Query:
    request, line = qb.DocType("Material Request"), qb.DocType("Material Request Item")
    return (
        _lines(qb, request, line, qb.DocType("Warehouse"), warehouse, company)
        .select(line.schedule_date.as_("day"), line.stock_qty.as_("qty"))
        .where((request.docstatus == 0) & (request.auto_material_request != "") & (line.stock_qty > 0))
    )


def _leaf(house: Any, company: str) -> Any:
    return (house.company == company) & (house.is_group == 0) & (house.disabled == 0)


def _not_drop_shipped(line: Any) -> Any:
    return line.delivered_by_supplier.isnull() | (line.delivered_by_supplier == 0)


def _reserving(order: Any) -> Any:
    return (order.docstatus == 1) & order.status.notin(NOT_RESERVING_SALES_ORDER)


def _unconsolidated(till: Any) -> Any:
    return (till.docstatus == 1) & (till.consolidated_invoice.isnull() | (till.consolidated_invoice == ""))
