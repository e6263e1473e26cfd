"""The fingerprint of a draft: two drafts have the same one exactly when a person would call them the same order.

It is taken of what stands in the native Purchase Order, never of what we meant to write, so ERPNext's own changes while
it saves (rounding, defaults) do not look like a person's edit. Neither the order of the lines nor their row names nor
`modified` are in it: a save that changes nothing is no edit.
"""

import hashlib

import pandas as pd

HEADER_FIELDS = ("supplier", "currency", "base_grand_total")
LINE_FIELDS = ("item_code", "warehouse", "uom", "schedule_date", "qty", "conversion_factor", "rate")
_NUMBERS = ("qty", "conversion_factor", "rate", "base_grand_total")


def fingerprints(headers: pd.DataFrame, lines: pd.DataFrame) -> pd.Series:
    """One hex digest per order. Index: purchase_order.

    headers: purchase_order and HEADER_FIELDS; lines: purchase_order and LINE_FIELDS. Both hash the same orders.
    """
    of_order: dict[str, list[str]] = {}
    # Loops over the lines of our own open drafts, by columns: each is a text.
    for order, text in zip(lines["purchase_order"], _joined(lines, LINE_FIELDS), strict=True):
        of_order.setdefault(order, []).append(text)
    digests = {
        order: hashlib.sha256("\n".join([text, *sorted(of_order.get(order, ()))]).encode()).hexdigest()[:40]
        for order, text in zip(headers["purchase_order"], _joined(headers, HEADER_FIELDS), strict=True)
    }
    return pd.Series(digests, dtype=object)


def _joined(frame: pd.DataFrame, names: tuple[str, ...]) -> list[str]:
    return ["|".join(row) for row in zip(*(_texts(frame[name], name) for name in names), strict=True)]


def _texts(values: pd.Series, name: str) -> list[str]:
    if name in _NUMBERS:
        return [f"{value:.6f}" for value in values.tolist()]
    if name == "schedule_date":
        return [value.strftime("%Y-%m-%d") if value == value else "" for value in values.tolist()]
    return ["" if value is None else str(value) for value in values.tolist()]
