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
    texts = pd.DataFrame({name: _text(lines[name], name) for name in LINE_FIELDS}, index=lines.index)
    joined = texts.agg("|".join, axis=1) if len(texts) else pd.Series(dtype=object)
    sorted_lines = joined.sort_values().groupby(lines["purchase_order"]).agg("\n".join)
    heads = headers.set_index("purchase_order")
    tops = pd.DataFrame({name: _text(heads[name], name) for name in HEADER_FIELDS}).agg("|".join, axis=1)
    if not len(heads):
        return pd.Series(dtype=object)
    whole = tops + "\n" + sorted_lines.reindex(heads.index).fillna("")
    return whole.map(lambda text: hashlib.sha256(text.encode()).hexdigest()[:40])


def _text(values: pd.Series, name: str) -> pd.Series:
    if name in _NUMBERS:
        return values.astype(float).round(6).map("{:.6f}".format)
    if name == "schedule_date":
        return pd.to_datetime(values).dt.strftime("%Y-%m-%d").fillna("")
    return values.fillna("").astype(str)
