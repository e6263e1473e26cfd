"""The last price of a supplier against what he usually asks."""

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from erp_forecast_addon.planning.errors import Fault
from erp_forecast_addon.planning.messages import Day, _
from erp_forecast_addon.planning.tables import PAID
from erp_forecast_addon.planning.wording import readable

# Share of a price's usual deviation from the median that one standard deviation is (normal prices).
_MAD_TO_STD = 1.4826

RISE = _(
    "{item_code} from {supplier} costs {rate} {currency} per {stock_uom} by the {kind} of {day}, {percent}% more than "
    "the usual {usual}: {money} {currency} more a year at {annual} {stock_uom}. Talk to {supplier}, or compare others."
)
FALL = _(
    "{item_code} from {supplier} costs {rate} {currency} per {stock_uom} by the {kind} of {day}, {percent}% less than "
    "the usual {usual}. Check that the price and its unit are right before more is ordered at it."
)


@dataclass(frozen=True)
class Jump:
    """A price is told when it lies above the usual one by more than rise_share, or below it by more than fall_share,
    and by more than `deviations` of its usual spread; usual: the median of at least least_orders orders before it, of
    window_days."""

    rise_share: float = 0.10
    fall_share: float = 0.50
    deviations: float = 3.0
    least_orders: int = 3
    window_days: int = 365


def price_jumps(paid: pd.DataFrame, as_of: date, rule: Jump | None = None) -> pd.DataFrame:
    """item_code, supplier, day, kind, base_rate, usual_rate, share: the last prices that have jumped. paid: table PAID.

    The spread is the median distance from the median, which one odd price of the past does not move (Hampel 1974, The
    Influence Curve and its Role in Robust Estimation, JASA 69). What jumped longer than window_days ago is past.
    """
    rule = rule or Jump()
    rows = PAID.check(paid)
    rows = rows[(rows["base_rate"] > 0.0) & (rows["day"] > pd.Timestamp(as_of) - pd.Timedelta(days=rule.window_days))]
    key = ["item_code", "supplier"]
    rows = rows.sort_values([*key, "day"], kind="stable").reset_index(drop=True)
    last = ~rows.duplicated(key, keep="last")
    before = rows[~last & rows["kind"].eq("order")]
    usual = before.groupby(key)["base_rate"].agg(usual_rate="median", orders="size")
    apart = (before["base_rate"] - before.set_index(key).index.map(usual["usual_rate"]).to_numpy(dtype=float)).abs()
    usual["spread"] = apart.groupby([before["item_code"], before["supplier"]]).median() * _MAD_TO_STD
    found = rows[last].merge(usual.reset_index(), on=key)
    share = found["base_rate"] / found["usual_rate"] - 1.0
    beyond = (found["base_rate"] - found["usual_rate"]).abs() > rule.deviations * found["spread"]
    jumped = beyond & (found["orders"] >= rule.least_orders)
    jumped &= (share > rule.rise_share) | (share < -rule.fall_share)
    return found.assign(share=share)[jumped][[*key, "day", "kind", "base_rate", "usual_rate", "share"]].reset_index(
        drop=True
    )


def jump_faults(jumps: pd.DataFrame, annual_qty: pd.Series, stock_uom: pd.Series, currency: str) -> list[Fault]:
    """One fault per jump. annual_qty, stock_uom: by item. Money: what the difference comes to in a year."""
    if jumps.empty:
        return []
    annual = jumps["item_code"].map(annual_qty).astype(float).fillna(0.0).to_numpy(dtype=float)
    money = (jumps["base_rate"] - jumps["usual_rate"]).abs().to_numpy(dtype=float) * annual
    columns = zip(
        readable(jumps["base_rate"].to_numpy(), 4), readable(jumps["usual_rate"].to_numpy(), 4),
        readable(100.0 * np.abs(jumps["share"].to_numpy()), 1), readable(money), readable(annual, 0), strict=True,
    )  # fmt: skip
    return [  # a sentence per jump
        Fault(
            "Price Jump",
            RISE if row["share"] > 0.0 else FALL,
            {
                "item_code": row["item_code"], "supplier": row["supplier"], "rate": rate, "usual": usual,
                "percent": percent,
                "kind": row["kind"], "day": Day(row["day"].date().isoformat()), "money": yearly, "annual": year,
                "currency": currency, "stock_uom": stock_uom.get(row["item_code"], ""),
            },
            item_code=row["item_code"],
            supplier=row["supplier"],
            money_at_risk=float(yearly),
        )
        for row, (rate, usual, percent, yearly, year) in zip(jumps.to_dict("records"), columns, strict=True)
    ]  # fmt: skip
