"""The demo company in an embedded site: rows as ERPNext would have left them, every one marked with its owner."""

from datetime import timedelta

import numpy as np
import pandas as pd

from erp_forecast_addon.planning.errors import Refused
from erp_forecast_addon.planning.messages import _
from erp_forecast_addon.setup import demo_catalog as catalog
from erp_forecast_addon.setup.demo_data import DemoData
from erp_forecast_addon.site import doctypes
from erp_forecast_addon.site.embedded import EmbeddedSite

OWNER = "Forecast Demo"
CURRENCY = "USD"
BUYING, SELLING = "Forecast Demo Buying", "Forecast Demo Selling"
_OPENING, _RECEIVED, _SOLD = (timedelta(hours=h) for h in (7, 8, 16))

TAKEN = _("{doctype} {name} exists already and is not the demo's; rename it or use another site.")

# Our records that name the company, and those that only name a warehouse.
_OF_COMPANY = (
    "Forecast Run", "Demand Forecast", "Safety Stock Policy", "Auto Purchase Order", "Planning Exception",
    "Demand Pair", "Reorder Level Backup", "Purchase Order", "Forecast Snapshot", "Forecast Accuracy",
    "Forecast Accuracy Week", "Forecast State", "Driver Uplift", "Supplier Lead Time", "Order Approval Time",
    "Policy Replay", "Planning Scenario",
)  # fmt: skip
_OF_WAREHOUSE = ("Demand Bucket", "Demand Mark")


def exists(site: EmbeddedSite) -> bool:
    return bool(site.read('SELECT 1 FROM "tabCompany" WHERE name = ?', (catalog.COMPANY,)))


def write(site: EmbeddedSite, data: DemoData) -> None:
    """All or nothing: one transaction."""
    tables = {**_masters(site, data), **_stock(data), **_buying(data), **_selling(data)}
    try:
        for doctype, rows in tables.items():
            _refuse_taken(site, doctype, rows)
            site.insert_rows(doctype, rows.assign(owner=OWNER, modified_by=OWNER))
        site.commit()
    except BaseException:
        site.rollback()
        raise


def remove(site: EmbeddedSite) -> int:
    """Delete the demo's rows, what was planned from them, and nothing else; -> rows deleted."""
    site.begin()
    try:
        deleted = sum(_delete_plans(site)) + sum(_delete_marked(site))
        site.commit()
    except BaseException:
        site.rollback()
        raise
    return deleted


def _delete_plans(site: EmbeddedSite) -> list[int]:
    houses = 'SELECT name FROM "tabWarehouse" WHERE company = ?'
    counts = [
        site.write(f'DELETE FROM "tab{doctype}" WHERE warehouse IN ({houses})', (catalog.COMPANY,)).rowcount
        for doctype in _OF_WAREHOUSE
    ]
    for doctype in _OF_COMPANY:
        for child in doctypes.doctype(doctype).children.values():
            parents = f'SELECT name FROM "tab{doctype}" WHERE company = ?'
            counts.append(
                site.write(f'DELETE FROM "tab{child}" WHERE parent IN ({parents})', (catalog.COMPANY,)).rowcount
            )
        counts.append(site.write(f'DELETE FROM "tab{doctype}" WHERE company = ?', (catalog.COMPANY,)).rowcount)
    return counts


def _delete_marked(site: EmbeddedSite) -> list[int]:
    """UOMs are kept where another Item has come to use them."""
    used = (
        'SELECT stock_uom FROM "tabItem" WHERE owner <> ? UNION '
        'SELECT coalesce(purchase_uom, stock_uom) FROM "tabItem" WHERE owner <> ?'
    )
    site.write(f'UPDATE "tabUOM" SET owner = ? WHERE owner = ? AND name IN ({used})', (site.user, OWNER, OWNER, OWNER))
    return [
        site.write(f'DELETE FROM "tab{each.name}" WHERE owner = ?', (OWNER,)).rowcount
        for each in doctypes.all_doctypes().values()
        if not each.is_single
    ]


def _refuse_taken(site: EmbeddedSite, doctype: str, rows: pd.DataFrame) -> None:
    if "name" not in rows:
        return
    names = set(rows["name"].astype(str))
    taken = sorted(names & {str(name) for (name,) in site.read(f'SELECT name FROM "tab{doctype}"')})
    if taken:
        raise Refused(site.translate(TAKEN).format(doctype=doctype, name=taken[0]))


# ---- masters --------------------------------------------------------------------------------------------------------
def _masters(site: EmbeddedSite, data: DemoData) -> dict[str, pd.DataFrame]:
    items, company = data.items, catalog.COMPANY
    houses = [catalog.MAIN_WAREHOUSE, catalog.SECOND_WAREHOUSE]
    root = f"All Warehouses - {catalog.ABBR}"
    default = {"parenttype": "Item", "parentfield": "item_defaults", "idx": 1, "company": company}
    boxed = items[items["pack_qty"] > 1]
    return {
        "Company": pd.DataFrame([{
            "name": company, "company_name": company, "abbr": catalog.ABBR, "default_currency": CURRENCY,
        }]),
        "Forecast Company Settings": pd.DataFrame([_settings_row()]),
        "UOM": _missing_uoms(site),
        "Item Group": pd.DataFrame({"name": catalog.ITEM_GROUPS, "item_group_name": catalog.ITEM_GROUPS}),
        "Warehouse": pd.DataFrame({
            "name": [root, *houses], "warehouse_name": [name.rpartition(" - ")[0] for name in (root, *houses)],
            "company": company, "is_group": [1, 0, 0], "parent_warehouse": [None, root, root],
            "lft": [1, 2, 4], "rgt": [6, 3, 5],
        }),
        "Price List": pd.DataFrame({
            "name": [BUYING, SELLING], "price_list_name": [BUYING, SELLING], "enabled": 1, "buying": [1, 0],
            "selling": [0, 1], "currency": CURRENCY,
        }),
        "Supplier": pd.DataFrame({
            "name": [s.name for s in catalog.SUPPLIERS], "supplier_name": [s.name for s in catalog.SUPPLIERS],
            "supplier_group": catalog.SUPPLIER_GROUP, "default_currency": CURRENCY, "default_price_list": BUYING,
            "on_hold": [int(s.on_hold) for s in catalog.SUPPLIERS],
            "hold_type": ["All" if s.on_hold else "" for s in catalog.SUPPLIERS],
        }),
        "Item": pd.DataFrame({
            "name": items["item_code"], "item_code": items["item_code"], "item_name": items["item_name"],
            "item_group": items["item_group"], "stock_uom": catalog.STOCK_UOM, "purchase_uom": items["purchase_uom"],
            "is_stock_item": 1, "is_purchase_item": 1, "is_sales_item": 1, "min_order_qty": items["min_order_qty"],
            "lead_time_days": items["lead_time_days"], "valuation_rate": items["cost"],
            "standard_rate": items["price"], "default_material_request_type": "Purchase",
        }),
        "Item Default": pd.DataFrame({
            "parent": items["item_code"], "default_warehouse": catalog.MAIN_WAREHOUSE,
            "default_supplier": items["supplier"], "default_price_list": BUYING,
        }).assign(**default),
        "UOM Conversion Detail": pd.DataFrame({
            "parent": boxed["item_code"], "uom": boxed["purchase_uom"], "conversion_factor": boxed["pack_qty"],
        }).assign(parenttype="Item", parentfield="uoms", idx=1),
        "Item Price": pd.concat([_buying_prices(items), _selling_prices(items)], ignore_index=True),
    }  # fmt: skip


def _settings_row() -> dict[str, object]:
    """A demo of ordering: ours orders, drafts are made."""
    made = doctypes.doctype("Forecast Company Settings")
    return {
        **made.defaults, "parent": "Forecast Settings", "parenttype": "Forecast Settings", "parentfield": "companies",
        "idx": 1, "company": catalog.COMPANY, "currency": CURRENCY, "who_orders": "Forecast Addon", "draft_orders": 1,
    }  # fmt: skip


def _missing_uoms(site: EmbeddedSite) -> pd.DataFrame:
    known = {name for (name,) in site.read('SELECT name FROM "tabUOM"')}
    missing = [uom for uom in (catalog.STOCK_UOM, catalog.PACK_UOM) if uom not in known]
    return pd.DataFrame({"name": missing, "uom_name": missing, "enabled": 1, "must_be_whole_number": 1})


def _buying_prices(items: pd.DataFrame) -> pd.DataFrame:
    sold_by = items[items["supplier"] != ""]
    return pd.DataFrame({
        "item_code": sold_by["item_code"], "uom": sold_by["purchase_uom"], "price_list": BUYING, "buying": 1,
        "selling": 0, "supplier": sold_by["supplier"], "currency": CURRENCY,
        "price_list_rate": (sold_by["cost"] * sold_by["pack_qty"]).round(2),
    })  # fmt: skip


def _selling_prices(items: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame({
        "item_code": items["item_code"], "uom": catalog.STOCK_UOM, "price_list": SELLING, "buying": 0, "selling": 1,
        "currency": CURRENCY, "price_list_rate": items["price"],
    })  # fmt: skip


# ---- stock ----------------------------------------------------------------------------------------------------------
def _stock(data: DemoData) -> dict[str, pd.DataFrame]:
    ledger = _ledger(data)
    last = ledger.groupby(["item_code", "warehouse"], sort=True).tail(1)
    ordered = data.purchases[data.purchases["received_on"].isna()]
    open_qty = (ordered["qty"] * ordered["conversion_factor"]).groupby([ordered["item_code"], ordered["warehouse"]])
    reserved = data.sales_orders.groupby(["item_code", "warehouse"])["qty"].sum()
    pairs = pd.MultiIndex.from_frame(last[["item_code", "warehouse"]])
    bins = pd.DataFrame({
        "item_code": last["item_code"].to_numpy(), "warehouse": last["warehouse"].to_numpy(),
        "stock_uom": catalog.STOCK_UOM, "actual_qty": last["qty_after_transaction"].to_numpy(),
        "ordered_qty": open_qty.sum().reindex(pairs).fillna(0.0).to_numpy(),
        "reserved_qty": reserved.reindex(pairs).fillna(0.0).to_numpy(),
        "valuation_rate": last["valuation_rate"].to_numpy(),
    })  # fmt: skip
    bins["projected_qty"] = bins["actual_qty"] + bins["ordered_qty"] - bins["reserved_qty"]
    bins["stock_value"] = bins["actual_qty"] * bins["valuation_rate"]
    return {"Stock Ledger Entry": ledger, "Bin": bins}


def _ledger(data: DemoData) -> pd.DataFrame:
    received = data.purchases[data.purchases["received_on"].notna()]
    columns = ["item_code", "warehouse", "posting_datetime", "voucher_type", "voucher_no", "actual_qty"]
    opening = data.pairs.assign(
        posting_datetime=pd.Timestamp(data.first_day) + _OPENING, voucher_type="Stock Entry",
        voucher_no=_number("STE", 0), actual_qty=data.pairs["opening_qty"],
    )  # fmt: skip
    receipts = received.assign(
        posting_datetime=received["received_on"] + _RECEIVED, voucher_type="Purchase Receipt",
        voucher_no=received["order"].map(lambda at: _number("PR", at)),
        actual_qty=received["qty"] * received["conversion_factor"],
    )  # fmt: skip
    sales = data.sales.assign(
        posting_datetime=data.sales["day"] + _SOLD, voucher_type="Delivery Note",
        voucher_no=data.sales["note"].map(lambda at: _number("DN", at)), actual_qty=-data.sales["qty"],
    )  # fmt: skip
    rows = pd.concat([frame[columns] for frame in (opening, receipts, sales)], ignore_index=True)
    rows = rows.sort_values(["item_code", "warehouse", "posting_datetime"], kind="stable", ignore_index=True)
    rows["qty_after_transaction"] = rows.groupby(["item_code", "warehouse"])["actual_qty"].cumsum()
    cost = rows["item_code"].map(data.items.set_index("item_code")["cost"])
    return rows.assign(
        posting_date=rows["posting_datetime"].dt.normalize(),
        posting_time=rows["posting_datetime"].dt.strftime("%H:%M:%S"), creation=rows["posting_datetime"],
        valuation_rate=cost, incoming_rate=np.where(rows["actual_qty"] > 0, cost, 0.0),
        stock_uom=catalog.STOCK_UOM, company=catalog.COMPANY,
    )  # fmt: skip


# ---- buying and selling ---------------------------------------------------------------------------------------------
def _buying(data: DemoData) -> dict[str, pd.DataFrame]:
    lines = data.purchases.reset_index(drop=True)
    lines["parent"] = lines["order"].map(lambda at: _number("PO", at))
    lines["name"] = [f"{parent}-{at}" for at, parent in enumerate(lines["parent"])]
    lines["amount"] = lines["qty"] * lines["rate"]
    done = lines["received_on"].notna()
    order_lines = pd.DataFrame({
        "name": lines["name"], "parent": lines["parent"], "parenttype": "Purchase Order", "parentfield": "items",
        "docstatus": 1, "idx": lines.groupby("parent").cumcount() + 1, "item_code": lines["item_code"],
        "warehouse": lines["warehouse"], "qty": lines["qty"], "uom": lines["uom"], "stock_uom": catalog.STOCK_UOM,
        "conversion_factor": lines["conversion_factor"], "stock_qty": lines["qty"] * lines["conversion_factor"],
        "rate": lines["rate"], "base_rate": lines["rate"], "amount": lines["amount"], "base_amount": lines["amount"],
        "net_rate": lines["rate"], "net_amount": lines["amount"], "schedule_date": lines["schedule_date"],
        "received_qty": np.where(done, lines["qty"], 0.0),
    })  # fmt: skip
    received = lines[done]
    return {
        "Purchase Order": _orders(lines, done),
        "Purchase Order Item": order_lines,
        "Purchase Receipt": _receipts(received),
        "Purchase Receipt Item": pd.DataFrame({
            "parent": received["order"].map(lambda at: _number("PR", at)), "parenttype": "Purchase Receipt",
            "parentfield": "items", "docstatus": 1, "item_code": received["item_code"],
            "warehouse": received["warehouse"], "qty": received["qty"], "uom": received["uom"],
            "conversion_factor": received["conversion_factor"],
            "stock_qty": received["qty"] * received["conversion_factor"], "rate": received["rate"],
            "purchase_order": received["parent"], "purchase_order_item": received["name"],
        }),
    }  # fmt: skip


def _orders(lines: pd.DataFrame, done: pd.Series) -> pd.DataFrame:
    by_order = lines.assign(done=done).groupby("parent", sort=True)
    heads = by_order.agg(
        supplier=("supplier", "first"), transaction_date=("ordered_on", "first"),
        schedule_date=("schedule_date", "min"), total=("amount", "sum"), total_qty=("qty", "sum"),
        done=("done", "all"),
    ).reset_index(names="name")  # fmt: skip
    amounts = dict.fromkeys(
        ("base_total", "net_total", "base_net_total", "grand_total", "base_grand_total"), heads["total"]
    )
    return heads.drop(columns="done").assign(
        supplier_name=heads["supplier"], company=catalog.COMPANY, currency=CURRENCY, conversion_rate=1.0, docstatus=1,
        status=np.where(heads["done"], "To Bill", "To Receive and Bill"),
        per_received=np.where(heads["done"], 100.0, 0.0), **amounts,
    )  # fmt: skip


def _receipts(received: pd.DataFrame) -> pd.DataFrame:
    heads = received.groupby("order", sort=True).agg(
        supplier=("supplier", "first"), posting_date=("received_on", "first")
    )
    return pd.DataFrame({
        "name": [_number("PR", at) for at in heads.index], "supplier": heads["supplier"].to_numpy(),
        "posting_date": heads["posting_date"].to_numpy(), "company": catalog.COMPANY, "docstatus": 1,
        "status": "To Bill",
    })  # fmt: skip


def _selling(data: DemoData) -> dict[str, pd.DataFrame]:
    notes = data.sales.groupby("note", sort=True)["day"].first()
    orders = data.sales_orders
    names = orders["order"].map(lambda at: _number("SO", at))
    return {
        "Delivery Note": pd.DataFrame({
            "name": [_number("DN", at) for at in notes.index], "company": catalog.COMPANY,
            "posting_date": notes.to_numpy(), "docstatus": 1, "status": "To Bill",
        }),
        "Stock Entry": pd.DataFrame([{
            "name": _number("STE", 0), "company": catalog.COMPANY, "purpose": "Material Receipt",
            "posting_date": pd.Timestamp(data.first_day), "docstatus": 1,
        }]),
        "Sales Order": pd.DataFrame({
            "name": names, "company": catalog.COMPANY, "transaction_date": orders["ordered_on"],
            "delivery_date": orders["delivery_date"], "docstatus": 1, "status": "To Deliver and Bill",
        }),
        "Sales Order Item": pd.DataFrame({
            "parent": names, "parenttype": "Sales Order", "parentfield": "items", "idx": 1, "docstatus": 1,
            "item_code": orders["item_code"], "warehouse": orders["warehouse"], "qty": orders["qty"],
            "uom": catalog.STOCK_UOM, "conversion_factor": 1.0, "stock_qty": orders["qty"],
            "delivery_date": orders["delivery_date"],
        }),
    }  # fmt: skip


def _number(series: str, at: int) -> str:
    return f"{catalog.SERIES}{series}-{at + 1:05d}"
