"""What a supplier is told about an order: one JSON document, the same bytes at every attempt.

Pure. The schema is documented in docs/dispatch.md; a field may be added, none is renamed or taken away within a schema
number. Quantities, rates and amounts are decimal texts, so that no reader rounds them.
"""

import hashlib
import html
import json
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

SCHEMA: Final = "erp-forecast-addon/purchase-order/1"
ORDER, CANCELLATION = "Order", "Cancellation"
EVENTS: Final = {ORDER: "purchase_order.placed", CANCELLATION: "purchase_order.cancelled"}
# An ERP computes in floats; six decimals are more than it shows and less than it errs by.
_DECIMALS: Final = 6
_LINE_BREAK: Final = re.compile(r"<br\s*/?>|</p>|</div>|\n", re.IGNORECASE)
_TAG: Final = re.compile(r"<[^>]+>")


def order_content(order: Mapping[str, Any]) -> dict[str, Any]:
    """What an order says to its supplier, from the fields of a Purchase Order and its lines (`items`).

    Two contents are equal exactly if the supplier would read the same order; what happens to an order afterwards
    (receipts, billing, status) is not in it.
    """
    return {
        "number": _text(order.get("name")),
        "replaces": _text(order.get("amended_from")),
        "date": _day(order.get("transaction_date")),
        "required_by": _day(order.get("schedule_date")),
        "company": {"name": _text(order.get("company")), "tax_id": _text(order.get("company_tax_id"))},
        "supplier": {"name": _text(order.get("supplier")), "title": _text(order.get("supplier_name"))},
        "ship_to": plain_text(order.get("shipping_address_display")),
        "bill_to": plain_text(order.get("billing_address_display")),
        "payment_terms": _text(order.get("payment_terms_template")),
        "incoterm": _text(order.get("incoterm")),
        "currency": _text(order.get("currency")),
        "net_total": decimal_text(order.get("net_total")),
        "taxes_total": decimal_text(order.get("total_taxes_and_charges")),
        "grand_total": decimal_text(order.get("grand_total")),
        "lines": [_line(row, at) for at, row in enumerate(order.get("items") or (), 1)],
    }


def _line(row: Mapping[str, Any], number: int) -> dict[str, Any]:
    return {
        "line": number,
        "item_code": _text(row.get("item_code")),
        "item_name": _text(row.get("item_name")),
        "supplier_part_no": _text(row.get("supplier_part_no")),
        "quantity": decimal_text(row.get("qty")),
        "unit": _text(row.get("uom")),
        "rate": decimal_text(row.get("rate")),
        "amount": decimal_text(row.get("amount")),
        "required_by": _day(row.get("schedule_date")),
        "warehouse": _text(row.get("warehouse")),
    }


def payload(content: Mapping[str, Any], event: str, version: int, key: str) -> str:
    """The message as text; its UTF-8 bytes are what is sent and signed. event: Order or Cancellation."""
    message = {
        "schema": SCHEMA, "event": EVENTS[event], "idempotency_key": key, "version": version, "order": content,
    }  # fmt: skip
    return json.dumps(message, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def content_of(sent: str) -> dict[str, Any]:
    """The content of a payload of ours."""
    order: dict[str, Any] = json.loads(sent)["order"]
    return order


def payload_hash(sent: str) -> str:
    """SHA-256 of the message, hexadecimal."""
    return hashlib.sha256(sent.encode()).hexdigest()


def decimal_text(value: Any) -> str:
    """A number in plain notation, without an exponent or trailing zeros: 12, 9.8, 0.000001."""
    number = round(Decimal(str(value or 0)), _DECIMALS).normalize()
    return format(number if number else Decimal(0), "f")


def plain_text(markup: Any) -> str:
    """An address as ERPNext displays it (HTML) in lines of text."""
    pieces: Sequence[str] = _LINE_BREAK.split(_text(markup))
    lines = (" ".join(html.unescape(_TAG.sub("", piece)).split()) for piece in pieces)
    return "\n".join(line for line in lines if line)


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _day(value: Any) -> str:
    """YYYY-MM-DD; a form sends dates as text, the database as dates."""
    return _text(value)[:10]
