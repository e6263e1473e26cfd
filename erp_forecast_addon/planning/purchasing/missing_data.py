"""Master data that an order will miss, told before the order is due and ranked by what it would cost."""

from collections.abc import Iterable
from datetime import date

import numpy as np
import pandas as pd

from erp_forecast_addon.planning.errors import Fault
from erp_forecast_addon.planning.messages import _
from erp_forecast_addon.planning.wording import iso_days, readable

NO_SUPPLIER, NO_PRICE, NO_FACTOR = "No Supplier", "No Price", "No UOM Conversion"
_WEEK_DAYS = 7.0

_SENTENCES = {
    NO_SUPPLIER: _(
        "{item_code} has no supplier. It has to be ordered by {order_by}; a week without it is {money} {currency} of "
        "sales. Set a default supplier on the item."
    ),
    NO_PRICE: _(
        "{item_code}: {supplier} has no price for it. It has to be ordered by {order_by}; a week without it is {money} "
        "{currency} of sales. Enter a price."
    ),
    NO_FACTOR: _(
        "{item_code}: {supplier} sells it in {uom}, and how many {stock_uom} make one {uom} is not known. It has to be "
        "ordered by {order_by}; a week without it is {money} {currency} of sales. Add the conversion to the item."
    ),
}


def missing_data(
    pairs: pd.DataFrame, sourcing: pd.DataFrame, bought: Iterable[str], as_of: date, within_days: int
) -> pd.DataFrame:
    """item_code, kind, supplier, uom, stock_uom, order_by, money: what is missing for items that sell, by money.

    pairs: item_code, position_qty, daily_demand_mean, lead_time_days, selling_rate, stock_uom of every planned pair;
    sourcing: from `rate_sourcing`; bought: items that are purchased. An item is told when the stock of all its
    warehouses together lasts no longer than its lead time and within_days; money: a week's sales.
    """
    selling = pairs[pairs["item_code"].isin(set(bought)) & (pairs["daily_demand_mean"] > 0.0)]
    items = (
        selling.assign(money=selling["daily_demand_mean"] * selling["selling_rate"] * _WEEK_DAYS)
        .groupby("item_code", sort=True)
        .agg(
            position=("position_qty", "sum"), daily=("daily_demand_mean", "sum"), lead=("lead_time_days", "max"),
            money=("money", "sum"), stock_uom=("stock_uom", "first"),
        )
        .reset_index()
    )  # fmt: skip
    left_days = np.floor((items["position"] / items["daily"] - items["lead"]).clip(lower=0.0))
    items = items.assign(order_by=pd.Timestamp(as_of) + pd.to_timedelta(np.minimum(left_days, 9999) + 1, unit="D"))
    items = items[(left_days <= within_days).to_numpy()]
    usual = _usual(sourcing)
    found = items.merge(usual, on="item_code", how="left")
    kind = np.select(
        [found["supplier"].isna(), ~found["factor_known"].eq(True), ~found["price_known"].eq(True)],
        [NO_SUPPLIER, NO_FACTOR, NO_PRICE],
        "",
    )
    found = found.assign(kind=kind)[kind != ""].fillna({"supplier": "", "uom": ""})
    columns = ["item_code", "kind", "supplier", "uom", "stock_uom", "order_by", "money"]
    return found[columns].sort_values(["money", "item_code"], ascending=[False, True]).reset_index(drop=True)


def _usual(sourcing: pd.DataFrame) -> pd.DataFrame:
    """The supplier that each item is bought from: the default one first, then one that may be asked, with a price."""
    ranked = sourcing.assign(barred=sourcing["blocked_reason"] != "", later=~sourcing["is_default"])
    ranked = ranked.sort_values(["item_code", "barred", "later", "price_known", "supplier"],
                                ascending=[True, True, True, False, True], kind="stable")  # fmt: skip
    return ranked.drop_duplicates("item_code")[["item_code", "supplier", "uom", "factor_known", "price_known"]]


def missing_faults(missing: pd.DataFrame, currency: str) -> list[Fault]:
    """One fault per item of `missing_data`."""
    if missing.empty:
        return []
    days, money = iso_days(missing["order_by"].to_numpy()), readable(missing["money"].to_numpy(), 0)
    return [  # a sentence per item
        Fault(
            row["kind"],
            _SENTENCES[row["kind"]],
            {
                "item_code": row["item_code"], "supplier": row["supplier"], "uom": row["uom"],
                "stock_uom": row["stock_uom"], "order_by": order_by, "money": sales, "currency": currency,
            },
            item_code=row["item_code"],
            supplier=row["supplier"] or None,
            money_at_risk=float(row["money"]),
            due_on=row["order_by"].date(),
        )
        for row, order_by, sales in zip(missing.to_dict("records"), days, money, strict=True)
    ]  # fmt: skip
