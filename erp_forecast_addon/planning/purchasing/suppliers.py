"""Which supplier an item is bought from: the default one unless it is blocked, else the cheapest of the others."""

import pandas as pd

from erp_forecast_addon.planning.tables import SOURCING

# What `choose_suppliers` adds to the chosen sourcing row.
CHOICE_COLUMNS = {
    "base_rate": float,  # company currency per stock UOM; NaN: no price, no exchange rate or no factor
    "factor_known": bool,
    "price_known": bool,
    "exchange_known": bool,
    "replaces": object,  # the blocked default supplier that this one stands in for, or ""
    "replaces_reason": object,  # why that one is blocked
}


def rate_sourcing(sourcing: pd.DataFrame, items: pd.DataFrame, company_currency: str) -> pd.DataFrame:
    """SOURCING with factors, exchange rates and prices made comparable; one row per input row, same order.

    sourcing: table SOURCING; items: table ITEMS (for the stock UOM). Adds factor_known, exchange_known, price_known and
    base_rate = rate · exchange_rate / conversion_factor. A purchase UOM that is empty or the stock UOM has factor 1;
    any other factor that is missing stays NaN, it is never taken as 1. The company's own currency has exchange rate 1.
    """
    stock_uom = sourcing["item_code"].map(items.set_index("item_code")["stock_uom"]).astype(object)
    stock_uom = stock_uom.where(stock_uom.notna(), "")
    in_stock_uom = (sourcing["uom"] == "") | (sourcing["uom"] == stock_uom)
    uom = sourcing["uom"].where(sourcing["uom"] != "", stock_uom)
    factor = sourcing["conversion_factor"].where(sourcing["conversion_factor"] > 0.0).mask(in_stock_uom, 1.0)
    currency = sourcing["currency"].where(sourcing["currency"] != "", company_currency)
    exchange = sourcing["exchange_rate"].where(sourcing["exchange_rate"] > 0.0).mask(currency == company_currency, 1.0)
    rate = sourcing["rate"].where(sourcing["rate"] > 0.0)
    return sourcing.assign(
        uom=uom,
        conversion_factor=factor,
        currency=currency,
        exchange_rate=exchange,
        factor_known=factor.notna(),
        exchange_known=exchange.notna(),
        price_known=rate.notna(),
        base_rate=rate * exchange / factor,
    )


def choose_suppliers(rated: pd.DataFrame) -> pd.DataFrame:
    """One row per item that somebody may be asked for. -> SOURCING columns + CHOICE_COLUMNS, index item_code.

    rated: from `rate_sourcing`. Order of choice: not blocked, default, with a comparable price, cheapest, name. A
    default supplier without a price stays the choice (a price can be asked for); a blocked one never is. Items whose
    suppliers are all blocked are absent.
    """
    ranked = rated.assign(
        blocked=rated["blocked_reason"] != "",
        no_default=~rated["is_default"],
        no_price=rated["base_rate"].isna(),
    ).sort_values(
        ["item_code", "blocked", "no_default", "no_price", "base_rate", "supplier"],
        kind="stable",
        na_position="last",
    )
    first = ranked.drop_duplicates("item_code").set_index("item_code")
    chosen = first[~first["blocked"]]
    barred = rated[rated["is_default"] & (rated["blocked_reason"] != "")].drop_duplicates("item_code")
    barred = barred.set_index("item_code")
    stands_in = ~chosen["is_default"]
    replaced = barred[["supplier", "blocked_reason"]].reindex(chosen.index).astype(object)
    replaced = replaced.where(replaced.notna() & stands_in.to_numpy()[:, None], "")
    return chosen.assign(
        replaces=replaced["supplier"],
        replaces_reason=replaced["blocked_reason"],
    )[[*(c for c in SOURCING.columns if c != "item_code"), *CHOICE_COLUMNS]]


def blocked_items(rated: pd.DataFrame, chosen: pd.DataFrame) -> pd.DataFrame:
    """Items whose suppliers are all blocked: index item_code, columns supplier and blocked_reason of the first."""
    rest = rated[~rated["item_code"].isin(chosen.index)]
    rest = rest.assign(no_default=~rest["is_default"]).sort_values(["item_code", "no_default", "supplier"])
    return rest.drop_duplicates("item_code").set_index("item_code")[["supplier", "blocked_reason"]]


def align_choice(chosen: pd.DataFrame, item_codes: pd.Series) -> pd.DataFrame:
    """The choice for each of the (n,) items, in their order; items without one get empty text, NaN and False."""
    aligned = chosen.reindex(pd.Index(item_codes)).reset_index(drop=True)
    for name in aligned.columns:
        kind = SOURCING.columns[name].kind if name in SOURCING.columns else ""
        if kind == "flag" or CHOICE_COLUMNS.get(name) is bool:
            aligned[name] = aligned[name].eq(True)
        elif kind == "text" or CHOICE_COLUMNS.get(name) is object:
            aligned[name] = aligned[name].where(aligned[name].notna(), "").astype(object)
        else:
            aligned[name] = aligned[name].astype(float)
    return aligned
