"""Native Purchase Orders of an embedded site: what ERPNext does with a draft, as far as the planner sees it."""

import secrets
from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from erp_forecast_addon.planning.errors import Refused
from erp_forecast_addon.planning.messages import _
from erp_forecast_addon.site.port import NativeOrder, OrderLine
from erp_forecast_addon.site.pricing import company_currency, exchange_rates

if TYPE_CHECKING:
    from erp_forecast_addon.site.embedded import EmbeddedSite

_ORDER, _LINE = "Purchase Order", "Purchase Order Item"


def insert(
    site: "EmbeddedSite", company: str, supplier: str, currency: str, transaction_date: date,
    lines: Sequence[OrderLine], auto_purchase_order: str, ship_to: str = "",
) -> NativeOrder:  # fmt: skip
    values = {
        "name": _next_name(site),
        "supplier": supplier,
        "supplier_name": supplier,
        "company": company,
        "currency": currency,
        "conversion_rate": _conversion_rate(site, company, currency),
        "status": "Draft",
        "auto_purchase_order": auto_purchase_order,
        "set_warehouse": ship_to,
        **_with_lines(site, company, currency, transaction_date, lines),
    }
    return _reread(site, site.insert_document(_ORDER, values))


def replace_lines(site: "EmbeddedSite", name: str, transaction_date: date, lines: Sequence[OrderLine]) -> NativeOrder:
    order = _draft(site, name)
    values = _with_lines(site, order["company"], order["currency"], transaction_date, lines)
    site.update_document(_ORDER, name, values)
    return _reread(site, name)


def get(site: "EmbeddedSite", name: str) -> NativeOrder | None:
    order = site.get_document(_ORDER, name)
    if order is None:
        return None
    return NativeOrder(
        name=order["name"],
        docstatus=order["docstatus"],
        status=order["status"] or "",
        supplier=order["supplier"],
        company=order["company"],
        currency=order["currency"],
        total=order["total"],
        base_total=order["base_total"],
        lines=tuple(_line(row) for row in order["items"]),
    )


def submit(site: "EmbeddedSite", name: str) -> NativeOrder:
    order = _draft(site, name)
    site.update_document(_ORDER, name, {"docstatus": 1, "status": "To Receive and Bill"})
    site.write(f'UPDATE "tab{_LINE}" SET docstatus = 1 WHERE parent = ?', (name,))
    for row in order["items"]:  # a document's own rows: few
        _add_ordered_qty(site, row)
    return _reread(site, name)


def delete(site: "EmbeddedSite", name: str) -> None:
    _draft(site, name)
    site.delete_document(_ORDER, name)


def _draft(site: "EmbeddedSite", name: str) -> dict[str, Any]:
    order = site.get_document(_ORDER, name)
    if order is None:
        raise Refused(site.translate(_("Purchase Order {name} does not exist any more.")).format(name=name))
    if order["docstatus"] != 0:
        raise Refused(site.translate(_("Purchase Order {name} is no draft any more.")).format(name=name))
    return order


def _reread(site: "EmbeddedSite", name: str) -> NativeOrder:
    order = get(site, name)
    if order is None:
        raise Refused(site.translate(_("Purchase Order {name} does not exist any more.")).format(name=name))
    return order


def _next_name(site: "EmbeddedSite") -> str:
    prefix = f"PUR-ORD-{site.now().year}-"
    found = site.read(
        f'SELECT MAX(CAST(SUBSTR(name, ?) AS INTEGER)) FROM "tab{_ORDER}" WHERE name LIKE ?',
        (len(prefix) + 1, f"{prefix}%"),
    )
    return f"{prefix}{(found[0][0] or 0) + 1:05d}"


def _conversion_rate(site: "EmbeddedSite", company: str, currency: str) -> float:
    rates = exchange_rates(site, company_currency(site, company), site.now().date())
    if currency not in rates.index:
        raise Refused(
            site.translate(
                _("There is no Currency Exchange from {currency} to the currency of {company}; enter one first.")
            ).format(currency=currency, company=company)
        )
    return float(rates[currency])


def _with_lines(
    site: "EmbeddedSite", company: str, currency: str, transaction_date: date, lines: Sequence[OrderLine]
) -> dict[str, Any]:
    if not lines:
        raise Refused(site.translate(_("A Purchase Order needs at least one line.")))
    early = next((line for line in lines if line.schedule_date < transaction_date), None)
    if early is not None:
        raise Refused(
            site.translate(_("{item_code}: required by {day} lies before the order date {transaction_date}.")).format(
                item_code=early.item_code, day=early.schedule_date, transaction_date=transaction_date
            )
        )
    rate = _conversion_rate(site, company, currency)
    total = round(sum(round(line.qty * line.rate, 2) for line in lines), 2)
    base_total = round(total * rate, 2)
    return {
        "transaction_date": transaction_date,
        "schedule_date": min(line.schedule_date for line in lines),
        "total_qty": sum(line.qty for line in lines),
        "total": total, "net_total": total, "grand_total": total,
        "base_total": base_total, "base_net_total": base_total, "base_grand_total": base_total,
        "items": [_stored_line(line, rate) for line in lines],
    }  # fmt: skip


def _stored_line(line: OrderLine, conversion_rate: float) -> dict[str, Any]:
    amount = round(line.qty * line.rate, 2)
    return {
        "name": line.row or secrets.token_hex(5),
        "item_code": line.item_code,
        "warehouse": line.warehouse,
        "qty": line.qty,
        "uom": line.uom,
        "conversion_factor": line.conversion_factor,
        "stock_qty": line.qty * line.conversion_factor,
        "rate": line.rate,
        "net_rate": line.rate,
        "amount": amount,
        "net_amount": amount,
        "base_rate": line.rate * conversion_rate,
        "base_amount": round(amount * conversion_rate, 2),
        "schedule_date": line.schedule_date,
    }


def _line(row: dict[str, Any]) -> OrderLine:
    return OrderLine(
        item_code=row["item_code"],
        warehouse=row["warehouse"],
        qty=row["qty"],
        uom=row["uom"],
        conversion_factor=row["conversion_factor"],
        rate=row["rate"],
        schedule_date=row["schedule_date"],
        row=row["name"],
    )


def _add_ordered_qty(site: "EmbeddedSite", row: dict[str, Any]) -> None:
    pair = (row["item_code"], row["warehouse"])
    open_qty = (row["qty"] - row["received_qty"]) * row["conversion_factor"]
    if not site.read('SELECT 1 FROM "tabBin" WHERE item_code = ? AND warehouse = ?', pair):
        site.insert_document("Bin", {"item_code": pair[0], "warehouse": pair[1]})
    site.write(
        'UPDATE "tabBin" SET ordered_qty = ordered_qty + ?, projected_qty = projected_qty + ?, modified = ? '
        "WHERE item_code = ? AND warehouse = ?",
        (open_qty, open_qty, site.now().isoformat(sep=" ", timespec="microseconds"), *pair),
    )
