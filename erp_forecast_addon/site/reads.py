"""What services read from a site, as the tables of planning.tables: stock UOM, company currency, site time."""

from collections.abc import Iterable
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from erp_forecast_addon.planning.purchasing.network import Network
from erp_forecast_addon.planning.settings import AS_DELIVERED, PlanSettings
from erp_forecast_addon.planning.tables import (
    BOMS,
    BUCKETS,
    DATED,
    ITEMS,
    LEDGER,
    MANUFACTURE,
    NETWORK,
    POSITIONS,
    REFUSED_REQUESTS,
)
from erp_forecast_addon.site import doctypes, queries
from erp_forecast_addon.site.approval_reads import approval_settings, snoozed_until
from erp_forecast_addon.site.lead_times import known_lead_times, learned_lead_times, open_lines, receipts
from erp_forecast_addon.site.order_terms import item_weights
from erp_forecast_addon.site.port import Site
from erp_forecast_addon.site.pricing import company_currency, first_price_per_item, per_stock_uom
from erp_forecast_addon.site.settings import CompanySettings
from erp_forecast_addon.site.sourcing import sourcing
from erp_forecast_addon.site.vouchers import with_demand

__all__ = [
    "buckets", "companies", "company_currency", "company_settings", "dated", "items", "known_lead_times",
    "learned_lead_times", "ledger_rows", "left_out", "network", "open_lines", "positions", "receipts", "single",
    "sourcing", "warehouse_tree", "warehouses",
]  # fmt: skip

_ITEMS_PER_QUERY = 1000
_NOTHING = 1e-6


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
        run_when_due=bool(row["run_when_due"]) and bool(row["draft_orders"]),
        submit_on_approval=row["on_approval"] != "Release Draft",
        auto_approve_limit=float(row["auto_approve_limit"]),
        rejected_for_days=int(row["rejected_for_days"]),
        approval=approval_settings(row),
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
        draft_requests=bool(row["draft_requests"]),
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
        arrival_dates=str(row["arrival_dates"] or AS_DELIVERED),
        holding_rate_per_year=float(row["holding_cost_pct"]) / 100.0,
        order_cost=float(row["order_cost"]),
        occasion_cost=float(row["occasion_cost"] or 0),
        level_band=float(row["level_band_pct"]) / 100.0,
        alternative_suppliers=str(row["alternative_suppliers"] or "Offer"),
        alternative_saving=float(row["alternative_saving_pct"]) / 100.0,
        alternative_on_time=float(row["alternative_on_time_pct"]) / 100.0,
        ship_to=str(row["ship_to"] or "Joined"),
        pull_forward_days=int(row["pull_forward_days"]),
        take_price_breaks=bool(row["take_price_breaks"]),
        weekly_budget=float(row["weekly_budget"]),
        weekly_cash_limit=float(row["weekly_cash_limit"]),
        consume_back_days=int(row["consume_back_days"] or 0),
        consume_forward_days=int(row["consume_forward_days"] or 0),
        demand_fence_days=int(row["demand_fence_days"] or 0),
        production_horizon_days=int(row["production_horizon_days"] or 0),
        forecast_kinds=forecast_kinds(row),
        transfer_days=float(row["transfer_days"] or 0.0),
        transfer_cost=float(row["transfer_cost"] or 0.0),
    )


def forecast_kinds(row: dict[str, Any]) -> tuple[str, ...]:
    """The kinds of firm demand that the company's demand history contains, so that the forecast does too."""
    counted = ["sales_order"]
    counted += ["production", "production_plan"] if row["demand_manufacture"] else []
    counted += ["subcontract"] if row["demand_subcontract"] else []
    counted += ["material_issue"] if row["demand_material_issue"] else []
    return tuple(counted)


def warehouse_tree(site: Site, company: str) -> pd.DataFrame:
    """All warehouses of the company as `queries.warehouses` selects them, groups and disabled ones too."""
    return site.fetch(queries.warehouses(site.qb, company))


def warehouses(site: Site, company: str) -> list[str]:
    """The company's warehouses that are planned: no groups, none disabled, none left out."""
    tree = warehouse_tree(site, company)
    leaves = tree.loc[(tree["is_group"] == 0) & (tree["disabled"] == 0), "name"]
    return list(leaves[~leaves.isin(_left_out(site, company, tree))])


def left_out(site: Site, company: str) -> list[str]:
    """Warehouses of the company that are not planned and whose stock counts nowhere: excluded themselves or by a group
    above them, rejected, or of the type that the company leaves out (quarantine, transit)."""
    return _left_out(site, company, warehouse_tree(site, company))


def _left_out(site: Site, company: str, tree: pd.DataFrame) -> list[str]:
    said = site.fetch(queries.left_out(site.qb, company))
    rejected = bool(said["leave_out_rejected"].iloc[0]) if len(said) else True
    of_type = (said["excluded_warehouse_type"].iloc[0] or "") if len(said) else ""
    excluded = tree["exclude_from_planning"] == 1
    excluded |= (tree["is_rejected_warehouse"] == 1) & rejected
    excluded |= (tree["warehouse_type"] == of_type) & (of_type != "")
    if not excluded.any():
        return []
    below = _leaves_under(tree)
    names = tree.loc[excluded, "name"]
    return sorted({*names, *below.loc[below["group"].isin(names), "leaf"]})


def _planned(site: Site, company: str, rows: pd.DataFrame) -> pd.DataFrame:
    """Without the warehouses that are left out."""
    outside = left_out(site, company)
    return rows[~rows["warehouse"].isin(outside)].reset_index(drop=True) if outside else rows


# ---- who supplies whom ------------------------------------
def network(site: Site, company: str) -> Network:
    """What is asked for within the company: tables NETWORK, BOMS and REFUSED_REQUESTS."""
    tree = warehouse_tree(site, company)
    outside = _left_out(site, company, tree)
    houses = tree[(tree["is_group"] == 0) & (tree["disabled"] == 0) & ~tree["name"].isin(outside)]
    planned = pd.DataFrame({
        "warehouse": houses["name"],
        "supplied_by": houses["supplying_warehouse"].fillna(""),
        "planning_group": houses["planning_group"].fillna("").str.strip(),
        "transfer_days": houses["transfer_days"].where(houses["transfer_days"] > 0),
    })  # fmt: skip
    refused = site.fetch(queries.refused_requests(site.qb, company, site.now().date()))
    return Network(
        NETWORK.check(planned), _boms(site, company, list(planned["warehouse"])), REFUSED_REQUESTS.check(refused)
    )


def _boms(site: Site, company: str, planned: list[str]) -> pd.DataFrame:
    """Table BOMS. A component is taken from the warehouse that the bill names, else from its own default warehouse, as
    a work order does; where that is not planned, from where the item is made. A variant without a bill of its own is
    made by its template's.
    """
    rows = site.fetch(queries.default_boms(site.qb, company))
    if rows.empty:
        return BOMS.empty()
    variants = site.fetch(queries.variants(site.qb))
    heirs = variants[~variants["item_code"].isin(rows["made_item"])]
    inherited = rows.merge(heirs, left_on="made_item", right_on="variant_of").assign(made_item=lambda r: r["item_code"])
    rows = pd.concat([rows, inherited[rows.columns]], ignore_index=True)
    stocked = site.fetch(queries.items(site.qb))["item_code"]
    usual = site.fetch(queries.default_warehouses(site.qb, company)).drop_duplicates("item_code")
    named = rows["source_warehouse"].replace("", np.nan)
    taken_from = named.fillna(rows["component"].map(usual.set_index("item_code")["default_warehouse"]))
    return BOMS.check(pd.DataFrame({
        "item_code": rows["made_item"],
        "component": rows["component"],
        "qty_per": rows["stock_qty"] / rows["quantity"],
        "warehouse": taken_from.where(taken_from.isin(planned), ""),
        "is_stocked": rows["component"].isin(stocked),
    }))  # fmt: skip


def default_bom_names(site: Site, company: str) -> dict[str, str]:
    """item -> the bill of materials that a request to manufacture names; variants may have their template's."""
    rows = site.fetch(queries.default_boms(site.qb, company)).drop_duplicates("made_item")
    own = dict(zip(rows["made_item"], rows["bom_no"], strict=True))
    variants = site.fetch(queries.variants(site.qb))
    heirs = variants[variants["variant_of"].isin(rows["made_item"]) & ~variants["item_code"].isin(rows["made_item"])]
    return own | {item: own[template] for item, template in zip(heirs["item_code"], heirs["variant_of"], strict=True)}


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
        weight_per_unit=item_weights(site, found),
        volume_per_unit=found["volume_per_unit"].where(found["volume_per_unit"] > 0.0),
        # ERPNext's own switch; what is not bought at all can only be made.
        is_made_here=(found["default_material_request_type"] == MANUFACTURE) | (found["is_purchase_item"] == 0),
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
    """Table BUCKETS of the company's warehouses that are planned."""
    return BUCKETS.check(_planned(site, company, site.fetch(queries.buckets(site.qb, company, since_day))))


# ---- positions ------------------------------------
def positions(site: Site, company: str) -> pd.DataFrame:
    """Table POSITIONS, one row per Bin of the company's warehouses that are planned."""
    rows = _planned(site, company, site.fetch(queries.bins(site.qb, company)))
    pairs = pd.MultiIndex.from_frame(rows[["item_code", "warehouse"]])
    return POSITIONS.check(
        rows.assign(
            on_hand_qty=rows["actual_qty"],
            reserved_stock_qty=rows["reserved_stock"].clip(lower=0.0),
            # Whoever orders for the company: switching over parks these rows, and one that is there all the same (a
            # person has added it since) makes ERPNext order the pair, so that we must not.
            we_order=~pairs.isin(_ordered_by_erpnext(site, company)),
            order_suppressed_until=_suppressed_until(site, company, pairs),
        )
    )


def _ordered_by_erpnext(site: Site, company: str) -> pd.MultiIndex:
    """Pairs that ERPNext's own reorder looks after: an Item Reorder row of the item, or of its template where it has
    none, for that warehouse or for a group above it (core compares the level with the whole group's stock).
    """
    rows = site.fetch(queries.reorder_rows(site.qb))
    if rows.empty:
        return pd.MultiIndex.from_arrays([[], []], names=["item_code", "warehouse"])
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


def _suppressed_until(site: Site, company: str, pairs: pd.MultiIndex) -> Any:
    """(n,) the last day on which nothing is proposed for each pair: rejected, or put to rest by a person."""
    rows = site.fetch(queries.rejected_needs(site.qb, company, site.now().date()))
    if rows.empty:
        return snoozed_until(site, company, pairs).to_numpy()
    last = rows.drop_duplicates(["item_code", "warehouse"], keep="last").set_index(["item_code", "warehouse"])
    rejected = last["rejected_until"].reindex(pairs).to_numpy(dtype="datetime64[ns]")
    return np.fmax(rejected, snoozed_until(site, company, pairs).to_numpy())


def dated(site: Site, company: str) -> pd.DataFrame:
    """Table DATED: everything open, by date. What has no date of its own stands on today."""
    today = pd.Timestamp(site.now().date())
    qb = site.qb
    parts = [
        *_ordered(site, company),
        *_asked_for(site, company),
        _flows("material_issue", site.fetch(queries.open_requests_out(qb, company)), -1.0),
        _flows("transfer_out", site.fetch(queries.open_transfers_out(qb, company)), -1.0),
        _planned_production(site, company),
        *_sales(site, company),
        *_reserved(site, company),
        _till(site.fetch(queries.unconsolidated_till_lines(qb, company))),
        _till(site.fetch(queries.unconsolidated_till_parts(qb, company))),
    ]
    parts = [part for part in parts if len(part)]
    if not parts:
        return DATED.empty()
    rows = pd.concat(parts, ignore_index=True)
    rows["day"] = rows["day"].fillna(today)
    return DATED.check(_planned(site, company, rows[rows["qty"] != 0.0]))


def _asked_for(site: Site, company: str) -> list[pd.DataFrame]:
    """Open Material Requests and our drafts of them. What is asked of production is kept apart: its components are
    asked for by nobody yet, unless a production plan has taken it up."""
    qb = site.qb
    rows = site.fetch(queries.open_requests_in(qb, company))
    drafts = site.fetch(queries.our_requests_in(qb, company))
    to_make, drafts_to_make = (each["material_request_type"] == MANUFACTURE for each in (rows, drafts))
    return [
        _flows("transfer_out", site.fetch(queries.our_transfers_out(qb, company)), -1.0),
        _flows("material_request", rows[~to_make], 1.0),
        _flows("our_draft", drafts[~drafts_to_make], 1.0),
        _flows("manufacture_request", drafts[drafts_to_make], 1.0),
        *_asked_of_production(site, company, rows[to_make]),
    ]


def _asked_of_production(site: Site, company: str, rows: pd.DataFrame) -> list[pd.DataFrame]:
    """Requests to manufacture, less what a production plan has taken up; that is supply of the item all the same."""
    if rows.empty:
        return []
    taken_up = site.fetch(queries.planned_requests(site.qb, company))
    planned = (taken_up["planned_qty"] - taken_up["ordered_qty"]).groupby(taken_up["line"]).sum()
    rows = rows.assign(qty=rows["qty"] - rows["done_qty"], done_qty=0.0)
    in_plan = np.minimum(rows["line"].map(planned).astype(float).fillna(0.0), rows["qty"])
    return [
        _flows("manufacture_request", rows.assign(qty=rows["qty"] - in_plan), 1.0),
        _flows("material_request", rows.assign(qty=in_plan), 1.0),
    ]


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
    day = rows.get("day", pd.Series(pd.NaT, index=rows.index))
    flows = rows[["item_code", "warehouse", "voucher_no"]].assign(qty=sign * open_qty, kind=kind, day=day)
    if kind == "purchase_order" and "order_line" in rows:
        # A day that the supplier has named stands for the one that he was asked for.
        flows = flows.assign(day=rows["promised_on"].fillna(rows["day"]), order_line=rows["order_line"])
    return flows


def _planned_production(site: Site, company: str) -> pd.DataFrame:
    rows = site.fetch(queries.open_work_orders(site.qb, company))
    if rows.empty:
        return DATED.empty()
    day = rows["planned_end_date"].fillna(rows["expected_delivery_date"]).fillna(rows["planned_start_date"])
    return _flows("planned_production", rows.assign(day=day.dt.normalize()), 1.0)


def _sales(site: Site, company: str) -> list[pd.DataFrame]:
    lines = site.fetch(queries.open_sales_orders(site.qb, company))
    parts = site.fetch(queries.open_packed_items(site.qb, company))
    if lines.empty and parts.empty:
        return []
    # ERPNext reserves a part as packed qty x open share of its line.
    parts["qty"], parts["done_qty"] = (
        parts["packed_qty"] * (parts["qty"] - parts["done_qty"]) / parts["qty"],
        0.0,
    )
    lines["open_qty"] = (lines["qty"] - lines["done_qty"]) * lines["conversion_factor"]
    parts["open_qty"] = parts["qty"]
    columns = ["item_code", "warehouse", "voucher_no", "line", "open_qty", "is_internal_customer"]
    rows = pd.concat([
        each[columns].assign(day=each["delivery_date"].fillna(each["order_delivery_date"])) for each in (lines, parts)
    ])  # fmt: skip
    if rows.empty:
        return []
    rows = _where_it_is_reserved(rows, site.fetch(queries.sales_reservations(site.qb, company)))
    rows = rows.assign(qty=rows["open_qty"])
    # What goes to a company of the group is a transfer: no forecast contains it, as its deliveries are no demand.
    internal = rows["is_internal_customer"] == 1
    return [_flows("sales_order", rows[~internal], -1.0), _flows("transfer_out", rows[internal], -1.0)]


def _where_it_is_reserved(rows: pd.DataFrame, held: pd.DataFrame) -> pd.DataFrame:
    """Sales order lines, of which the part that is reserved in another warehouse asks that one. Totals stay."""
    if held.empty:
        return rows
    held = held.assign(held_qty=held["reserved_qty"] - held["delivered_qty"])
    elsewhere = rows.merge(held[["line", "item_code", "warehouse", "held_qty"]], on=["line", "item_code"],
                           suffixes=("", "_held"))  # fmt: skip
    elsewhere = elsewhere[elsewhere["warehouse"] != elsewhere["warehouse_held"]]
    if elsewhere.empty:
        return rows
    total = elsewhere.groupby("line")["held_qty"].transform("sum")
    share = np.minimum(1.0, elsewhere["open_qty"] / total)
    moved = elsewhere.assign(warehouse=elsewhere["warehouse_held"], open_qty=elsewhere["held_qty"] * share)
    gone = moved.groupby("line")["open_qty"].sum()
    stays = rows.assign(open_qty=rows["open_qty"] - rows["line"].map(gone).astype(float).fillna(0.0))
    return pd.concat([stays, moved[rows.columns]], ignore_index=True)


def _reserved(site: Site, company: str) -> list[pd.DataFrame]:
    """What is held back for production and subcontracting, on the days that the documents say. Work orders say it in
    full; of production plans and subcontracting orders Bin knows how much is still to come. What it holds beyond its
    documents has no date."""
    bins = site.fetch(queries.bins(site.qb, company))
    bins = bins.assign(voucher_no="")
    work = _work_order_needs(site, company)
    parts = [_flows("production", work, -1.0), _beyond("production", bins, "reserved_qty_for_production", work)]
    for kind, column, query in (
        ("subcontract", "reserved_qty_for_sub_contract", queries.open_supplied_items),
        ("production_plan", "reserved_qty_for_production_plan", queries.open_plan_needs),
    ):
        held = bins[bins[column] > 0.0]
        if held.empty:
            continue
        rows = _flows(kind, site.fetch(query(site.qb, company)), 1.0)
        total = rows.groupby(["item_code", "warehouse"])["qty"].sum()
        known = held.set_index(["item_code", "warehouse"])[column]
        share = (known / total.where(total > 0.0)).clip(upper=1.0)
        pairs = pd.MultiIndex.from_frame(rows[["item_code", "warehouse"]])
        rows = rows.assign(qty=rows["qty"] * share.reindex(pairs).fillna(0.0).to_numpy(dtype=float))
        parts += [rows.assign(qty=-rows["qty"]), _beyond(kind, bins, column, rows)]
    return [part for part in parts if len(part)]


def _beyond(kind: str, bins: pd.DataFrame, column: str, rows: pd.DataFrame) -> pd.DataFrame:
    """What Bin holds back beyond the documents."""
    if not (bins[column] > _NOTHING).any():
        return DATED.empty()
    known = rows.groupby(["item_code", "warehouse"])["qty"].sum()
    pairs = pd.MultiIndex.from_frame(bins[["item_code", "warehouse"]])
    left = bins[column] - known.reindex(pairs).fillna(0.0).to_numpy(dtype=float)
    return _flows(kind, bins.assign(qty=left)[left > _NOTHING], -1.0)


def _work_order_needs(site: Site, company: str) -> pd.DataFrame:
    """What open work orders still take, on the day on which they begin. As ERPNext reserves it: what has been moved to
    the work in progress is no longer on the shelf; without that step, what was consumed."""
    rows = site.fetch(queries.open_work_order_items(site.qb, company))
    if rows.empty:
        return DATED.empty()
    done = rows["transferred_qty"].where(rows["skip_transfer"] == 0, rows["consumed_qty"])
    begins = rows["planned_start_date"].fillna(rows["expected_delivery_date"])
    rows = rows.assign(qty=(rows["required_qty"] - done).clip(lower=0.0), day=begins.dt.normalize())
    return rows[rows["qty"] > 0.0]


def _till(rows: pd.DataFrame) -> pd.DataFrame:
    return _flows("pos_invoice", rows.rename(columns={"stock_qty": "qty"}), -1.0) if len(rows) else rows


def _pieces(values: list[str], size: int) -> Iterable[list[str]]:
    return (values[at : at + size] for at in range(0, len(values), size))
