"""Who could supply an item: suppliers, prices, purchase units, lead times and what blocks them."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Final

import numpy as np
import pandas as pd

from erp_forecast_addon.planning.inventory.lead_time import lead_time_statistics
from erp_forecast_addon.planning.messages import _
from erp_forecast_addon.planning.tables import RECEIPTS, SOURCING
from erp_forecast_addon.site import queries
from erp_forecast_addon.site.port import Site
from erp_forecast_addon.site.pricing import company_currency, conversion_factors, exchange_rates, per_stock_uom

# Lead times are learned from the receipts of two years.
LEARNED_FROM_DAYS: Final = 730
# Hold types under which ERPNext refuses a Purchase Order (accounts_controller.ensure_supplier_is_not_blocked).
_HOLDS: Final = ("", "All", "Invoices")


def sourcing(site: Site, company: str, item_codes: Sequence[str]) -> pd.DataFrame:
    """Table SOURCING for these items: their default supplier and the suppliers of Item Supplier.

    Default: Item Default of the company → its Item Group's → its Brand's. Price: valid today, the supplier's own
    before general ones, from the supplier's price list, the item's, Buying Settings'; else Item.last_purchase_rate.
    Lead time: learned from the item's receipts → Item Price → learned from the supplier's receipts → Item.
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
    rows["uom"] = rows["purchase_uom"].where(rows["purchase_uom"] != "", rows["stock_uom"])
    rows["conversion_factor"] = conversion_factors(site, rows)
    rows["uom_whole"] = rows["uom"].isin(site.fetch(queries.whole_uoms(site.qb))["name"])
    rows = _with_price(site, company, rows, found, today)
    return SOURCING.check(_with_lead_time(site, company, rows, today))


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
        }
    )


# ---- prices ------------------------------------
def _with_price(site: Site, company: str, rows: pd.DataFrame, found: pd.DataFrame, today: date) -> pd.DataFrame:
    """Add rate, currency, exchange_rate, order_multiple_qty and price_lead_days."""
    own_currency = company_currency(site, company)
    prices = per_stock_uom(site, site.fetch(queries.item_prices(site.qb, "buying", today)), found, own_currency, today)
    rows = rows.merge(_chosen_prices(site, rows, prices), on=["item_code", "supplier"], how="left")
    rates = exchange_rates(site, own_currency, today)
    priced = rows["price_list_rate"].notna()
    fallback = rows["supplier_currency"].fillna("").replace("", own_currency)
    rows["currency"] = rows["price_currency"].where(priced, fallback)
    rows["exchange_rate"] = rows["currency"].map(rates).astype(float)
    listed = rows["price_list_rate"] / rows["price_factor"] * rows["conversion_factor"]
    paid = rows["last_purchase_rate"].where(rows["last_purchase_rate"] > 0)  # company currency per stock UOM
    rows["rate"] = listed.where(priced, paid * rows["conversion_factor"] / rows["exchange_rate"])
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
def _with_lead_time(site: Site, company: str, rows: pd.DataFrame, today: date) -> pd.DataFrame:
    learned, _faults = lead_time_statistics(receipts(site, company, today - timedelta(days=LEARNED_FROM_DAYS)), today)
    columns = ["lead_time_days", "lead_time_std_days"]
    of_item = learned[learned["item_code"] != ""].set_index(["item_code", "supplier"])[columns]
    of_supplier = learned[learned["item_code"] == ""].set_index("supplier")[columns]
    by_item = of_item.reindex(pd.MultiIndex.from_frame(rows[["item_code", "supplier"]])).to_numpy()
    by_supplier = of_supplier.reindex(rows["supplier"]).to_numpy()
    priced = rows["price_lead_days"].where(rows["price_lead_days"] > 0).to_numpy(dtype=float)
    typed = rows["lead_time_days"].where(rows["lead_time_days"] > 0).to_numpy(dtype=float)
    order = [~np.isnan(by_item[:, 0]), ~np.isnan(priced), ~np.isnan(by_supplier[:, 0]), ~np.isnan(typed)]
    return rows.assign(
        lead_time_days=np.select(order, [by_item[:, 0], priced, by_supplier[:, 0], typed], np.nan),
        lead_time_std_days=np.select(
            [order[0], order[1], order[2]], [by_item[:, 1], np.nan, by_supplier[:, 1]], np.nan
        ),
        lead_time_source=np.select(order, ["receipts", "item price", "receipts", "item"], ""),
    )


def receipts(site: Site, company: str, since: date | None = None) -> pd.DataFrame:
    """Table RECEIPTS: what arrived on submitted orders, posted since that day (None: ever)."""
    made = (queries.receipts, queries.invoiced_receipts)
    parts = [site.fetch(query(site.qb, company, since)) for query in made]
    return RECEIPTS.check(pd.concat([part for part in parts if len(part)] or [RECEIPTS.empty()], ignore_index=True))
