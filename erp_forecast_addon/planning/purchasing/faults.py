"""What stands in the way of an order, as faults: one sentence per item or pair, with what to do about it.

Every function takes a frame of cases and loops over its rows, by columns: each becomes a sentence, and only pairs with
something wrong are in it.
"""

from typing import Any

import pandas as pd

from erp_forecast_addon.planning.errors import Fault
from erp_forecast_addon.planning.messages import Day, _
from erp_forecast_addon.planning.wording import pieces

# What is wanted or missing is named in whole pieces where the item has no others.
_WANTED = ("units_short", "need_qty", "annual_demand_qty")

# What every case frame holds: item_code, warehouse, money_at_risk, order_by (datetime64[ns]) and the template's values.


def item_faults(kind: str, template: str, cases: pd.DataFrame, values: tuple[str, ...] = ()) -> list[Fault]:
    """One fault per item: what is wrong is the item's or its supplier's, so its warehouses are added up.

    cases: item_code, money_at_risk, order_by, need_qty, stock_uom, stock_uom_whole and `values`;
    {item_code}, {need}, {stock_uom} and {warehouses} (how many) may stand in the template beside them.
    """
    if cases.empty:
        return []
    per_item = (
        cases.groupby("item_code", sort=True)
        .agg(
            money_at_risk=("money_at_risk", "sum"),
            order_by=("order_by", "min"),
            need=("need_qty", "sum"),
            warehouses=("item_code", "size"),
            stock_uom=("stock_uom", "first"),
            stock_uom_whole=("stock_uom_whole", "first"),
            **{v: (v, "first") for v in values},
        )
        .reset_index()
    )
    per_item["need"] = pieces(per_item["need"].to_numpy(), per_item["stock_uom_whole"].to_numpy())
    names = ("item_code", "need", "stock_uom", "warehouses", *values)
    return _faults(kind, template, per_item, names, supplier="supplier" in values)


def pair_faults(kind: str, template: str, cases: pd.DataFrame, values: tuple[str, ...]) -> list[Fault]:
    """One fault per pair; {item_code}, {warehouse} and `values` may stand in the template.

    cases: beside these stock_uom_whole, if a quantity of _WANTED is among the values.
    """
    if cases.empty:
        return []
    wanted = [name for name in values if name in _WANTED]
    cases = cases.assign(
        **{name: pieces(cases[name].to_numpy(), cases["stock_uom_whole"].to_numpy()) for name in wanted}
    )
    return _faults(kind, template, cases, ("item_code", "warehouse", *values), supplier="supplier" in values)


def _faults(kind: str, template: str, cases: pd.DataFrame, names: tuple[str, ...], supplier: bool) -> list[Fault]:
    if cases.empty:
        return []
    faults = []
    for row in cases.to_dict("records"):
        due = row.get("order_by")
        faults.append(
            Fault(
                kind,
                template,
                {name: _plain(row[name]) for name in names},
                item_code=row["item_code"],
                warehouse=row.get("warehouse"),
                supplier=(row["supplier"] or None) if supplier else None,
                money_at_risk=float(row.get("money_at_risk", 0.0)),
                due_on=None if due is None or pd.isna(due) else due.date(),
            )
        )
    return faults


def _plain(value: Any) -> Any:
    """Numbers as people read them: no trailing .0, two decimals; days as ISO."""
    if isinstance(value, pd.Timestamp):
        return Day(value.date().isoformat())
    if isinstance(value, float):
        rounded = round(value, 2)
        return int(rounded) if rounded.is_integer() else rounded
    return value


NO_SUPPLIER = _(
    "{item_code}: {need} {stock_uom} are needed, but the item has no supplier. Set a default supplier on the item; "
    "until then nothing can be ordered."
)
ALL_BLOCKED = _(
    "{item_code}: {need} {stock_uom} are needed, but nothing may be ordered from {supplier} ({reason}) and the item "
    "has no other supplier. Release the supplier or add another."
)
REPLACED = _(
    "{item_code}: nothing may be ordered from the default supplier {replaces} ({replaces_reason}); {supplier} takes "
    "its place in this order."
)
NO_PRICE = _(
    "{item_code}: {supplier} has no price for it. The order is proposed at a rate of 0, so that stock does not run "
    "out; enter a price before it is approved."
)
NO_EXCHANGE_RATE = _(
    "{item_code}: {supplier} sells in {currency}, and there is no exchange rate. The order is proposed without an "
    "amount in company currency; enter the rate before it is approved."
)
NO_FACTOR = _(
    "{item_code}: {supplier} sells it in {uom}, and how many {stock_uom} make one {uom} is not known. Nothing was "
    "ordered; add the conversion to the item."
)
NO_LOT = _(
    "{item_code}: no quantity in {uom} (1 {uom} = {conversion_factor} {stock_uom}) keeps whole units and the pack of "
    "{order_multiple_qty} {stock_uom} together. Nothing was ordered; correct the conversion or the pack."
)
NO_LEAD_TIME = _(
    "{item_code}: no lead time is known from receipts, prices or the item. The {lead_time_days} days of the settings "
    "are used; enter one on the item."
)
BAD_LEAD_TIME = _(
    "{item_code}: a lead time is negative or longer than two years and was not used. {lead_time_days} days are used "
    "instead; correct it."
)
ITEM_DISABLED = _(
    "{item_code}: {need} {stock_uom} are needed, but the item is disabled or past its end of life. Nothing was "
    "ordered; release the item or close what still asks for it."
)
NOT_PURCHASED = _(
    "{item_code}: {need} {stock_uom} are needed, but the item is not a purchase item. Nothing was ordered; make it, "
    "move it, or allow its purchase."
)
ITEM_MISSING = _("{item_code}: {need} are needed, but there is no such item any more. Nothing was ordered.")
NEGATIVE_STOCK = _(
    "{item_code} in {warehouse}: the stock is {on_hand_qty}. It was planned as a backlog to be filled; count the shelf "
    "and correct the ledger."
)
SHORTAGE = _(
    "{item_code} in {warehouse} runs out on {short_on}, {days_lost} days before an order placed now arrives on "
    "{arrival_on}. {units_short} {stock_uom} are missing by then. Ask {supplier} to deliver sooner or bring stock from "
    "elsewhere."
)
SHORTAGE_OF_A_DAY = _(
    "{item_code} in {warehouse} runs out on {short_on}, one day before an order placed now arrives on {arrival_on}. "
    "{units_short} {stock_uom} are missing by then. Ask {supplier} to deliver sooner or bring stock from elsewhere."
)
SHORTAGE_WITHIN = _(
    "{item_code} in {warehouse} runs out on {short_on}, {days_lost} days before what is asked for now can be there on "
    "{arrival_on}. {units_short} {stock_uom} are missing by then. Bring stock from elsewhere."
)
SUPPLY_TOO_LATE = _(
    "{item_code} in {warehouse} runs out on {short_on}; {units_short} {stock_uom} are missing until open supply "
    "arrives. Enough is on order, only too late: ask for it sooner."
)
MOQ_ABOVE_NEED = _(
    "{item_code} in {warehouse}: the minimum order of {min_order_qty} {stock_uom} is more than a year's demand of "
    "{annual_demand_qty}; {need_qty} are needed. The order is proposed; check whether {supplier} sells less."
)
BAD_FORECAST = _(
    "{item_code} in {warehouse}: the forecast is not a finite number and was taken as no demand. Nothing was ordered."
)
