"""What services read from a site, as the tables of planning.tables: stock UOM, company currency, site time."""

from collections.abc import Iterable
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from erp_forecast_addon.planning.settings import PlanSettings
from erp_forecast_addon.planning.tables import BUCKETS, DATED, ITEMS, LEDGER, POSITIONS
from erp_forecast_addon.site import doctypes, queries
from erp_forecast_addon.site.lead_times import known_lead_times, learned_lead_times, open_lines, receipts
from erp_forecast_addon.site.port import Site
from erp_forecast_addon.site.pricing import company_currency, first_price_per_item, per_stock_uom
from erp_forecast_addon.site.settings import CompanySettings
from erp_forecast_addon.site.sourcing import sourcing
from erp_forecast_addon.site.vouchers import with_demand

__all__ = [
    "buckets", "companies", "company_currency", "company_settings", "dated", "items", "known_lead_times",
    "learned_lead_times", "ledger_rows", "open_lines", "positions", "receipts", "single", "sourcing",
    "warehouse_tree", "warehouses",
]  # fmt: skip

_ITEMS_PER_QUERY = 1000


# ---- settings and masters ------------------------------------
def companies(site: Site) -> list[str]:
    """All companies, planned or not: company_settings(...).enabled tells."""
    return list(site.fetch(queries.companies(site.qb))["name"])


def single(site: Site, doctype: str) -> dict[str, str]:
    """Values of a Single as text, as they stand in the database; fields never set fall back to our defaults."""
    held = site.fetch(queries.singles(site.qb, [doctype]))
    stored = dict(zip(held["field"], held["value"], strict=True))
    return {**doctypes.doctype(doctype).defaults, **stored}


def company_settings(site: Site, company: str) -> CompanySettings:
    """The company's row of Forecast Settings. A company without a row has our defaults and is not enabled.

    Raises BadInput when a value cannot be planned with (a service level of 0 or 100% …).
    """
    rows = site.fetch(queries.company_settings(site.qb, company))
    currency = company_currency(site, company)
    if rows.empty:
        return CompanySettings(company, PlanSettings(company, currency), enabled=False)
    row: dict[str, Any] = {str(name): value for name, value in rows.iloc[0].items()}
    switched_on = single(site, "Forecast Settings").get("enabled", "1") not in ("0", "", None)
    return CompanySettings(
        company=company,
        plan=plan_settings(row, company, currency),
        enabled=switched_on and bool(row["enabled"]),
        run_hour=int(row["run_hour"]),
        demand_manufacture=bool(row["demand_manufacture"]),
        demand_subcontract=bool(row["demand_subcontract"]),
        demand_material_issue=bool(row["demand_material_issue"]),
        we_order=row["who_orders"] == "Forecast Addon",
        draft_orders=bool(row["draft_orders"]),
        submit_on_approval=row["on_approval"] != "Release Draft",
        auto_approve_limit=float(row["auto_approve_limit"]),
        rejected_for_days=int(row["rejected_for_days"]),
        write_back_levels=bool(row["write_back_levels"]),
        write_back_safety_stock=bool(row["write_back_safety_stock"]),
        by_change_set=row["write_back_by"] != "Directly",
        change_tolerance=float(row["change_tolerance_pct"]) / 100.0,
        max_exceptions=int(row["max_exceptions"]),
        exception_owner=row["exception_owner"] or None,
        retrain_on_drift=bool(row["retrain_on_drift"]),
        use_holidays=bool(row["use_holidays"]),
        holiday_country=row["holiday_country"] or "",
        holiday_subdivision=row["holiday_subdivision"] or "",
    )


def plan_settings(row: dict[str, Any], company: str, currency: str) -> PlanSettings:
    """A row of Forecast Settings as the planner's settings; raises BadInput where it cannot be planned with."""
    return PlanSettings(
        company=company,
        currency=currency,
        period=str(row["period"] or "Day").lower(),  # type: ignore[arg-type]  # PlanSettings checks it
        horizon_days=int(row["horizon_days"]),
        history_days=int(row["history_days"]),
        tier="full" if row["forecast_tier"] == "Full" else "fast",
        arima_items=int(row["arima_items"] or 0),
        arima_seconds=float(row["arima_seconds"] or 0),
        review_period_days=int(row["review_period_days"]),
        approval_days=int(row["approval_days"]),
        default_lead_time_days=float(row["default_lead_time_days"]),
        service_level_by_class={name: float(row[f"service_level_{name.lower()}_pct"]) / 100.0 for name in "ABC"},
        abc_thresholds=(float(row["abc_a_pct"]) / 100.0, float(row["abc_b_pct"]) / 100.0),
        xyz_thresholds=(float(row["xyz_y_from"]), float(row["xyz_z_from"])),
        margin_pct=float(row["margin_pct"]),
        policy_method=str(row["policy_method"] or "Textbook"),
        review=str(row["review_mode"] or "Continuous"),  # type: ignore[arg-type]  # PlanSettings checks it
        unmet_demand=str(row["unmet_demand"] or "Waits"),  # type: ignore[arg-type]  # PlanSettings checks it
        holding_rate_per_year=float(row["holding_cost_pct"]) / 100.0,
        order_cost=float(row["order_cost"]),
        level_band=float(row["level_band_pct"]) / 100.0,
    )


def warehouse_tree(site: Site, company: str) -> pd.DataFrame:
    """name, parent_warehouse, is_group, disabled, is_rejected_warehouse of all warehouses of the company."""
    return site.fetch(queries.warehouses(site.qb, company))


def warehouses(site: Site, company: str) -> list[str]:
    """The company's warehouses that can hold stock: no groups, none disabled."""
    tree = warehouse_tree(site, company)
    return list(tree.loc[(tree["is_group"] == 0) & (tree["disabled"] == 0), "name"])


def items(site: Site, company: str) -> pd.DataFrame:
    """Table ITEMS: every stock item that is no template, and those that only a Bin of the company still knows."""
    found = site.fetch(queries.items(site.qb))
    whole = site.fetch(queries.whole_uoms(site.qb))["name"]
    ghosts = pd.Index(site.fetch(queries.bins(site.qb, company))["item_code"].unique()).difference(found["item_code"])
    found = found.assign(
        exists=True,
        stock_uom_whole=found["stock_uom"].isin(whole),
        lead_time_days=found["lead_time_days"].where(found["lead_time_days"] > 0),
        shelf_life_days=found["shelf_life_in_days"].where(found["shelf_life_in_days"] > 0),
        selling_rate=_selling_rates(site, company, found),
    )
    missing = pd.DataFrame({"item_code": ghosts.to_numpy(dtype=object), "exists": False})
    return ITEMS.check(found if missing.empty else pd.concat([found, missing], ignore_index=True))


def _selling_rates(site: Site, company: str, found: pd.DataFrame) -> pd.Series:
    """Company currency per stock UOM: the selling price list's price, else Item.standard_rate; NaN where neither is."""
    today = site.now().date()
    listed = single(site, "Selling Settings").get("selling_price_list") or ""
    prices = site.fetch(queries.item_prices(site.qb, "selling", today))
    prices = prices[(prices["price_list"] == listed) | (listed == "")]
    rates = per_stock_uom(site, prices, found, company_currency(site, company), today)
    priced = found["item_code"].map(first_price_per_item(rates))
    return priced.fillna(found["standard_rate"].where(found["standard_rate"] > 0)).astype(float)


# ---- ledger and buckets ------------------------------------
def ledger_rows(
    site: Site, settings: CompanySettings, pairs: pd.DataFrame | None = None, since_day: date | None = None
) -> pd.DataFrame:
    """Table LEDGER of the company, is_demand and demand_day set by the company's settings.

    pairs: (item_code, warehouse) to read, None: all. since_day: rows posted on that day or later. A return posted
    since then may carry a demand_day before it: whoever recomputes buckets from a day on looks at demand_day first.
    """
    if pairs is None:
        rows = site.fetch(queries.ledger(site.qb, settings.company, since_day))
    else:
        rows = _ledger_of_pairs(site, settings.company, pairs, since_day)
    rows["posted_at"] = rows["posted_at"].fillna(rows["posting_day"])
    return LEDGER.check(with_demand(site, settings, rows))


def _ledger_of_pairs(site: Site, company: str, pairs: pd.DataFrame, since_day: date | None) -> pd.DataFrame:
    wanted = pairs[["item_code", "warehouse"]].drop_duplicates()
    parts = [
        site.fetch(queries.ledger_of_items(site.qb, company, str(warehouse), item_codes, since_day))
        for warehouse, group in wanted.groupby("warehouse", sort=True)  # a query per warehouse uses ERPNext's index
        for item_codes in _pieces(list(group["item_code"]), _ITEMS_PER_QUERY)
    ]
    return pd.concat(parts, ignore_index=True) if parts else LEDGER.empty().assign(voucher_no="")


def buckets(site: Site, company: str, since_day: date) -> pd.DataFrame:
    """Table BUCKETS of the company's warehouses that can hold stock."""
    return BUCKETS.check(site.fetch(queries.buckets(site.qb, company, since_day)))


# ---- positions ------------------------------------
def positions(site: Site, company: str) -> pd.DataFrame:
    """Table POSITIONS, one row per Bin of the company's warehouses that can hold stock."""
    rows = site.fetch(queries.bins(site.qb, company))
    pairs = pd.MultiIndex.from_frame(rows[["item_code", "warehouse"]])
    return POSITIONS.check(
        rows.assign(
            on_hand_qty=rows["actual_qty"],
            # Whoever orders for the company: switching over parks these rows, and one that is there all the same (a
            # person has added it since) makes ERPNext order the pair, so that we must not.
            we_order=~pairs.isin(_ordered_by_erpnext(site, company)),
            order_suppressed_until=_suppressed_until(site, company).reindex(pairs).to_numpy(),
        )
    )


def _ordered_by_erpnext(site: Site, company: str) -> pd.MultiIndex:
    """Pairs that ERPNext's own reorder looks after: an Item Reorder row of the item, or of its template where it has
    none, for that warehouse or for a group above it (core compares the level with the whole group's stock).
    """
    rows = site.fetch(queries.reorder_rows(site.qb))
    variants = site.fetch(queries.variants(site.qb))
    heirs = variants[~variants["item_code"].isin(rows["item_code"])]
    inherited = rows.rename(columns={"item_code": "variant_of"}).merge(heirs, on="variant_of")
    rows = pd.concat([rows, inherited[rows.columns]], ignore_index=True)
    group = rows["warehouse_group"].fillna("").replace("", np.nan)
    leaves = _leaves_under(warehouse_tree(site, company))
    below = rows.assign(group=group).dropna(subset=["group"]).merge(leaves, on="group")
    covered = pd.concat([rows[["item_code", "warehouse"]], below[["item_code", "leaf"]].set_axis(
        ["item_code", "warehouse"], axis=1)])  # fmt: skip
    return pd.MultiIndex.from_frame(covered)


def _leaves_under(tree: pd.DataFrame) -> pd.DataFrame:
    """(group, leaf) for every group above every leaf. One merge per level of the tree, not per warehouse."""
    parent = tree[["name", "parent_warehouse"]].dropna()
    level = tree.loc[tree["is_group"] == 0, ["name", "parent_warehouse"]].set_axis(["leaf", "group"], axis=1).dropna()
    levels: list[pd.DataFrame] = []
    while not level.empty and len(levels) < len(tree):
        levels.append(level)
        above = level.merge(parent, left_on="group", right_on="name")[["leaf", "parent_warehouse"]]
        level = above.set_axis(["leaf", "group"], axis=1)
    return pd.concat(levels, ignore_index=True) if levels else pd.DataFrame({"leaf": [], "group": []}, dtype=object)


def _suppressed_until(site: Site, company: str) -> pd.Series:
    rows = site.fetch(queries.rejected_needs(site.qb, company, site.now().date()))
    return rows.drop_duplicates(["item_code", "warehouse"], keep="last").set_index(["item_code", "warehouse"])[
        "rejected_until"
    ]


def dated(site: Site, company: str) -> pd.DataFrame:
    """Table DATED: everything open, by date. What has no date of its own stands on today."""
    today = pd.Timestamp(site.now().date())
    qb = site.qb
    parts = [
        *_ordered(site, company),
        _flows("material_request", site.fetch(queries.open_requests_in(qb, company)), 1.0),
        _flows("material_issue", site.fetch(queries.open_requests_out(qb, company)), -1.0),
        _flows("transfer_out", site.fetch(queries.open_transfers_out(qb, company)), -1.0),
        _planned_production(site, company),
        *_sales(site, company),
        *_reserved(site.fetch(queries.bins(qb, company))),
        _till(site.fetch(queries.unconsolidated_till_lines(qb, company))),
        _till(site.fetch(queries.unconsolidated_till_parts(qb, company))),
    ]
    rows = pd.concat([part for part in parts if len(part)] or [DATED.empty()], ignore_index=True)
    rows["day"] = rows["day"].fillna(today)
    return DATED.check(rows[rows["qty"] != 0.0])


def _ordered(site: Site, company: str) -> list[pd.DataFrame]:
    qb = site.qb
    return [
        _flows("purchase_order", site.fetch(queries.open_purchase_orders(qb, company)), 1.0),
        _flows("purchase_order", site.fetch(queries.open_subcontracting_orders(qb, company)), 1.0),
        _flows("our_draft", site.fetch(queries.our_drafts(qb, company)), 1.0),
    ]


def _flows(kind: str, rows: pd.DataFrame, sign: float) -> pd.DataFrame:
    """(qty - done_qty) x conversion_factor, where those columns are there."""
    if rows.empty:
        return DATED.empty()
    open_qty = rows["qty"] - rows["done_qty"] if "done_qty" in rows else rows["qty"]
    if "conversion_factor" in rows:
        open_qty = open_qty * rows["conversion_factor"]
    flows = rows[["item_code", "warehouse", "voucher_no"]].assign(qty=sign * open_qty, kind=kind)
    return flows.assign(day=rows.get("day", pd.NaT))


def _planned_production(site: Site, company: str) -> pd.DataFrame:
    rows = site.fetch(queries.open_work_orders(site.qb, company))
    day = rows["planned_end_date"].fillna(rows["expected_delivery_date"]).fillna(rows["planned_start_date"])
    return _flows("planned_production", rows.assign(day=day.dt.normalize()), 1.0)


def _sales(site: Site, company: str) -> list[pd.DataFrame]:
    lines = site.fetch(queries.open_sales_orders(site.qb, company))
    parts = site.fetch(queries.open_packed_items(site.qb, company))
    # ERPNext reserves a part as packed qty x open share of its line.
    parts["qty"], parts["done_qty"] = (
        parts["packed_qty"] * (parts["qty"] - parts["done_qty"]) / parts["qty"],
        0.0,
    )
    return [
        _flows("sales_order", rows.assign(day=rows["delivery_date"].fillna(rows["order_delivery_date"])), -1.0)
        for rows in (lines, parts)
    ]


def _reserved(bins: pd.DataFrame) -> list[pd.DataFrame]:
    """What Bin holds back for production and subcontracting; Bin knows no dates."""
    columns = {
        "production": "reserved_qty_for_production",
        "subcontract": "reserved_qty_for_sub_contract",
        "production_plan": "reserved_qty_for_production_plan",
    }
    return [
        _flows(kind, bins.loc[bins[column] > 0].assign(qty=bins[column], voucher_no=""), -1.0)
        for kind, column in columns.items()
    ]


def _till(rows: pd.DataFrame) -> pd.DataFrame:
    return _flows("pos_invoice", rows.rename(columns={"stock_qty": "qty"}), -1.0)


def _pieces(values: list[str], size: int) -> Iterable[list[str]]:
    return (values[at : at + size] for at in range(0, len(values), size))
