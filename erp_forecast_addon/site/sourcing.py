"""Who could supply an item: suppliers, prices, purchase units, lead times and what blocks them."""

from collections.abc import Sequence
from datetime import date
from typing import Final

import numpy as np
import pandas as pd

from erp_forecast_addon.planning.inventory.lead_time_distribution import LeadTimeDistributions, mean, std
from erp_forecast_addon.planning.messages import Day, _
from erp_forecast_addon.planning.tables import SOURCING
from erp_forecast_addon.site import approval_reads, queries
from erp_forecast_addon.site.lead_times import item_lead_time_days, known_lead_times, quoted_days
from erp_forecast_addon.site.port import Site
from erp_forecast_addon.site.pricing import company_currency, conversion_factors, exchange_rates, per_stock_uom
from erp_forecast_addon.site.quotations import quoted_prices
from erp_forecast_addon.site.supplier_queries import on_time_shares

WARNED = _("His scorecard warns of new Purchase Orders.")

# Hold types under which ERPNext refuses a Purchase Order (accounts_controller.ensure_supplier_is_not_blocked).
_HOLDS: Final = ("", "All", "Invoices")


def sourcing(
    site: Site,
    company: str,
    item_codes: Sequence[str],
    known: LeadTimeDistributions | None = None,
    on_time: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Table SOURCING for these items: their default supplier and the suppliers of Item Supplier.

    known: the learned lead times that lead_time_row points into; None: as the last run learned them.

    Default: Item Default of the company → its Item Group's → its Brand's. Price: valid today, the supplier's own
    before general ones, from the supplier's price list, the item's, Buying Settings'; else his latest Supplier
    Quotation's smallest quantity; else Item.last_purchase_rate. Lead time: see _with_lead_time. on_time: supplier,
    item_code ("": as a whole), on_time_pct; None: as the last run learned them.
    """
    today = site.now().date()
    found = site.fetch(queries.items(site.qb))
    found = found[found["item_code"].isin(list(item_codes))].fillna(
        {"item_group": "", "brand": "", "stock_uom": "", "purchase_uom": "", "variant_of": ""}
    )
    rows = _supplied_by(site, company, found).merge(_suppliers(site, today), on="supplier", how="left")
    rows["blocked_reason"] = rows["blocked_reason"].fillna(
        rows["supplier"].map(
            lambda name: site.translate(_("Supplier {supplier} does not exist.")).format(supplier=name)
        )
    )
    rows["blocked_reason"] = _with_rejected(site, company, rows)
    rows["uom"] = rows["purchase_uom"].where(rows["purchase_uom"] != "", rows["stock_uom"])
    rows["conversion_factor"] = conversion_factors(site, rows)
    rows["uom_whole"] = rows["uom"].isin(site.fetch(queries.whole_uoms(site.qb))["name"])
    rows = _with_price(site, company, rows, found, today)
    if on_time is None:
        on_time = site.fetch(on_time_shares(site.qb, company))
    rows["on_time_pct"] = _on_time_pct(rows, on_time)
    if known is None:
        known = known_lead_times(site, company, sorted(set(rows["supplier"])), list(item_codes))
    return SOURCING.check(_with_lead_time(site, company, rows, known, today))


# ---- who ------------------------------------
def _supplied_by(site: Site, company: str, found: pd.DataFrame) -> pd.DataFrame:
    defaults = site.fetch(queries.item_defaults(site.qb, company))
    chain = (("Item", "item_code"), ("Item Group", "item_group"), ("Brand", "brand"))
    default = _through(chain, defaults, "default_supplier", found)
    own_list = _through(chain, defaults, "default_price_list", found)
    described = found.assign(item_price_list=own_list)
    preferred = described.assign(supplier=default, is_default=True).dropna(subset=["supplier"])
    others = described.merge(site.fetch(queries.item_suppliers(site.qb)), on="item_code").assign(is_default=False)
    both = pd.concat([preferred, others[preferred.columns]], ignore_index=True)
    return both.drop_duplicates(["item_code", "supplier"], keep="first").reset_index(drop=True)


def _through(chain: Sequence[tuple[str, str]], defaults: pd.DataFrame, field: str, found: pd.DataFrame) -> pd.Series:
    """The field of the first parent in the chain that sets it; NaN where none does."""
    value = pd.Series(np.nan, index=found.index, dtype=object)
    for parenttype, column in chain:
        set_here = defaults[(defaults["parenttype"] == parenttype) & defaults[field].fillna("").ne("")]
        value = value.fillna(found[column].map(set_here.drop_duplicates("parent").set_index("parent")[field]))
    return value


def _suppliers(site: Site, today: date) -> pd.DataFrame:
    """supplier, supplier_currency, supplier_price_list, blocked_reason ("" where nothing blocks)."""
    known = site.fetch(queries.suppliers(site.qb))
    on_hold = known["on_hold"].eq(1) & known["hold_type"].fillna("").isin(_HOLDS)
    held = on_hold & (known["release_date"].isna() | (known["release_date"] >= pd.Timestamp(today)))
    until = held & known["release_date"].notna()
    reasons = [
        (known["disabled"].eq(1), _("Supplier {supplier} is disabled.")),
        (until, _("Supplier {supplier} is on hold until {release_date}.")),
        (held, _("Supplier {supplier} is on hold.")),
        (known["is_frozen"].eq(1), _("Supplier {supplier} is frozen.")),
        (
            known["prevent_pos"].eq(1),
            _("Supplier {supplier} may get no Purchase Orders (its scorecard prevents them)."),
        ),
    ]
    template = np.select([case for case, _sentence in reasons], [sentence for _case, sentence in reasons], "")
    blocked = pd.Series("", index=known.index, dtype=object)
    for at in np.flatnonzero(template != "").tolist():  # a sentence per blocked supplier; they are few
        release = known["release_date"].iloc[at]
        blocked.iloc[at] = site.translate(str(template[at])).format(
            supplier=known["supplier"].iloc[at], release_date=None if pd.isna(release) else release.date()
        )
    return pd.DataFrame(
        {
            "supplier": known["supplier"],
            "supplier_currency": known["default_currency"],
            "supplier_price_list": known["default_price_list"],
            "blocked_reason": blocked,
            "warning": np.where(known["warn_pos"].eq(1) & (blocked == ""), site.translate(WARNED), ""),
        }
    )


def _on_time_pct(rows: pd.DataFrame, on_time: pd.DataFrame) -> np.ndarray:
    """Of the item from this supplier, else of everything from him; NaN where nothing of his was due yet."""
    shares = on_time.assign(item_code=on_time["item_code"].fillna("")).drop_duplicates(["supplier", "item_code"])
    by_key = shares.set_index(["supplier", "item_code"])["on_time_pct"]
    own = by_key.reindex(pd.MultiIndex.from_frame(rows[["supplier", "item_code"]])).to_numpy(dtype=float)
    whole = by_key.reindex(pd.MultiIndex.from_arrays([rows["supplier"], [""] * len(rows)])).to_numpy(dtype=float)
    return np.where(np.isnan(own), whole, own)


def supplier_block(site: Site, supplier: str, today: date) -> str:
    """Why nothing may be ordered from this supplier today; "" where nothing keeps one from it."""
    known = _suppliers(site, today)
    found = known.loc[known["supplier"] == supplier, "blocked_reason"]
    if found.empty:
        return site.translate(_("Supplier {supplier} does not exist.")).format(supplier=supplier)
    return str(found.iloc[0])


def _with_rejected(site: Site, company: str, rows: pd.DataFrame) -> pd.Series:
    """blocked_reason, and that of suppliers whom a person rejected as the wrong ones for an item, until its day."""
    rejected = approval_reads.barred_suppliers(site, company)
    if rejected.empty:
        return rows["blocked_reason"]
    keys = ["item_code", "supplier"]
    until = rejected.set_index(keys)["until"].reindex(pd.MultiIndex.from_frame(rows[keys])).dt.strftime("%Y-%m-%d")
    template = site.translate(_("{supplier} was rejected as the wrong supplier until {until}."))
    sentences = [
        "" if day != day else template.format(supplier=supplier, until=Day(day))  # a sentence per row rejected; few
        for supplier, day in zip(rows["supplier"], until, strict=True)
    ]
    return rows["blocked_reason"].where(rows["blocked_reason"] != "", pd.Series(sentences, index=rows.index))


# ---- prices ------------------------------------
def _with_price(site: Site, company: str, rows: pd.DataFrame, found: pd.DataFrame, today: date) -> pd.DataFrame:
    """Add rate, currency, exchange_rate, order_multiple_qty and price_lead_days."""
    own_currency = company_currency(site, company)
    prices = per_stock_uom(site, site.fetch(queries.item_prices(site.qb, "buying", today)), found, own_currency, today)
    rows = rows.merge(_chosen_prices(site, rows, prices), on=["item_code", "supplier"], how="left")
    quoted = quoted_prices(site, company, today).drop_duplicates(["item_code", "supplier"])
    quoted = quoted.rename(columns={"rate": "quoted_rate", "currency": "quoted_currency"})
    rows = rows.merge(quoted.drop(columns=["min_qty", "base_rate"]), on=["item_code", "supplier"], how="left")
    rates = exchange_rates(site, own_currency, today)
    priced = rows["price_list_rate"].notna()
    offered = ~priced & rows["quoted_rate"].notna()
    fallback = rows["supplier_currency"].fillna("").replace("", own_currency)
    rows["currency"] = rows["price_currency"].where(priced, rows["quoted_currency"].where(offered, fallback))
    rows["exchange_rate"] = rows["currency"].map(rates).astype(float)
    listed = rows["price_list_rate"] / rows["price_factor"] * rows["conversion_factor"]
    paid = rows["last_purchase_rate"].where(rows["last_purchase_rate"] > 0)  # company currency per stock UOM
    last = paid * rows["conversion_factor"] / rows["exchange_rate"]
    rows["rate"] = listed.where(priced, (rows["quoted_rate"] * rows["conversion_factor"]).where(offered, last))
    rows["order_multiple_qty"] = (rows["packing_unit"] * rows["price_factor"]).fillna(0.0)
    return rows


def _chosen_prices(site: Site, rows: pd.DataFrame, prices: pd.DataFrame) -> pd.DataFrame:
    """One price per (item_code, supplier)."""
    settings = site.fetch(queries.singles(site.qb, ["Buying Settings"])).set_index("field")["value"]
    general_list = str(settings.get("buying_price_list") or "")
    named = prices[
        [
            "item_code", "supplier", "price_list", "uom", "price_list_rate", "currency", "valid_from", "packing_unit",
            "lead_time_days", "of_template", "price_factor",
        ]
    ].rename(
        columns={
            "supplier": "price_supplier", "uom": "price_uom", "currency": "price_currency",
            "lead_time_days": "price_lead_days",
        }
    )  # fmt: skip
    offered = rows[
        ["item_code", "supplier", "uom", "stock_uom", "supplier_price_list", "item_price_list"]
    ].merge(named, on="item_code")  # fmt: skip
    offered["of_supplier"] = offered["price_supplier"] == offered["supplier"]
    general = offered["price_supplier"].fillna("").eq("")
    offered["list_rank"] = np.select(
        [
            offered["price_list"] == offered["supplier_price_list"],
            offered["price_list"] == offered["item_price_list"],
            offered["price_list"] == general_list,
        ],
        [0, 1, 2],
        3,
    )
    offered["uom_rank"] = np.select(
        [offered["price_uom"] == offered["uom"], offered["price_uom"] == offered["stock_uom"]], [0, 1], 2
    )
    # A general price of a list that nobody names is not this company's; without any list named, each may serve.
    fits = offered["of_supplier"] | (general & ((offered["list_rank"] < 3) | (general_list == "")))
    ordered = offered[fits].sort_values(
        ["of_supplier", "of_template", "list_rank", "uom_rank", "valid_from"],
        ascending=[False, True, True, True, False], kind="stable", na_position="last",
    )  # fmt: skip
    best = ordered.drop_duplicates(["item_code", "supplier"])
    return best[
        [
            "item_code",
            "supplier",
            "price_list_rate",
            "price_currency",
            "price_factor",
            "packing_unit",
            "price_lead_days",
        ]
    ]


# ---- lead times ------------------------------------
def _with_lead_time(
    site: Site, company: str, rows: pd.DataFrame, known: LeadTimeDistributions, today: date
) -> pd.DataFrame:
    """Add lead_time_days, _std_days, _source and _row.

    Learned from the supplier's receipts of the item → his Item Price → his recent Supplier Quotation → learned from his
    other receipts → Item Lead Time (v16) → Item. A time that a supplier names for this very item tells more of it than
    what he took for others.
    """
    supplier, item_code = rows["supplier"].to_numpy(dtype=object), rows["item_code"].to_numpy(dtype=object)
    own, row = known.has(supplier, item_code), known.rows_of(supplier, item_code)
    of_supplier = known.has(supplier, np.full(len(rows), "", dtype=object))
    centre, spread = mean(known.probability), std(known.probability)
    learned = np.where(row >= 0, np.append(centre, np.nan)[row], np.nan)
    price, quotation, item_lead_time, item = (
        np.where(days > 0.0, days, np.nan)
        for days in (
            rows["price_lead_days"].to_numpy(dtype=float),
            quoted_days(site, company, rows, today),
            item_lead_time_days(site, rows),
            rows["lead_time_days"].to_numpy(dtype=float),
        )
    )
    order = [own, ~np.isnan(price), ~np.isnan(quotation), of_supplier, ~np.isnan(item_lead_time), ~np.isnan(item)]
    of_receipts = np.select(order, [True, False, False, True, False, False], False)
    return rows.assign(
        lead_time_days=np.select(order, [learned, price, quotation, learned, item_lead_time, item], np.nan),
        lead_time_std_days=np.where(of_receipts, np.append(spread, np.nan)[row], np.nan),
        lead_time_source=np.select(
            order, ["receipts", "item price", "quotation", "receipts", "item lead time", "item"], ""
        ),
        lead_time_row=np.where(of_receipts, row, -1).astype(float),
    )
