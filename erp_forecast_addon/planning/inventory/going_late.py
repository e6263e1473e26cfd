"""Suppliers whose deliveries have begun to come later than they used to."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from erp_forecast_addon.planning.errors import Fault
from erp_forecast_addon.planning.inventory.lead_time_observations import Observations
from erp_forecast_addon.planning.messages import _
from erp_forecast_addon.planning.wording import readable

Floats = NDArray[np.float64]

GOING_LATE = _(
    "{supplier} delivers later than before: {recent} days after the agreed date in the last {window} days ({orders} "
    "orders), {usual} days in the year before. Ask why, plan with longer lead times, or look for another source."
)


@dataclass(frozen=True)
class Lateness:
    """What counts as going late: the last window_days against the year before it, least_orders in both, by least_days
    and by more than `deviations` standard errors of the difference."""

    window_days: float = 90.0
    before_days: float = 365.0
    least_orders: float = 4.0
    least_days: float = 2.0
    deviations: float = 2.0


def going_late(seen: Observations, rule: Lateness | None = None) -> pd.DataFrame:
    """supplier, recent_days, usual_days, extra_days, recent_orders: the suppliers that are going late, worst first.

    Delay is against the agreed date; a line that is open and past it counts with the days so far, which are too few.
    The difference of both means is held against its standard error, as in Welch's test for two samples of unequal
    variance (Welch 1947, Biometrika 34): a supplier that always varies widely has to be later by more. Deliveries that
    never vary still count as if they varied by a day.
    """
    rule = rule or Lateness()
    delay = seen.delay_days
    told = np.isfinite(delay) & (~seen.open | (delay > 0.0))
    # How long ago the part came; what is open is of today.
    ago = np.where(seen.open, 0.0, seen.order_age_days - seen.days)
    frame = pd.DataFrame(
        {"supplier": seen.supplier, "delay": delay, "weight": seen.order_weight, "ago": ago, "told": told}
    )
    frame = frame[frame["told"] & (frame["weight"] > 0.0)]
    recent = _spread(frame[frame["ago"] < rule.window_days])
    usual = _spread(frame[(frame["ago"] >= rule.window_days) & (frame["ago"] < rule.window_days + rule.before_days)])
    both = recent.add_suffix("_recent").join(usual.add_suffix("_usual"), how="inner")
    error = np.sqrt(both["variance_recent"] / both["orders_recent"] + both["variance_usual"] / both["orders_usual"])
    extra = both["mean_recent"] - both["mean_usual"]
    late = (
        (both["orders_recent"] >= rule.least_orders - 1e-9)
        & (both["orders_usual"] >= rule.least_orders - 1e-9)
        & (extra >= rule.least_days)
        & (both["mean_recent"] > 0.0)
        & (extra > rule.deviations * error)
    )
    found = pd.DataFrame(
        {
            "supplier": both.index.to_numpy(dtype=object),
            "recent_days": both["mean_recent"].to_numpy(dtype=float),
            "usual_days": both["mean_usual"].to_numpy(dtype=float),
            "extra_days": extra.to_numpy(dtype=float),
            "recent_orders": both["orders_recent"].to_numpy(dtype=float),
        }
    )[late.to_numpy()]
    return found.sort_values(["extra_days", "supplier"], ascending=[False, True]).reset_index(drop=True)


def _spread(frame: pd.DataFrame) -> pd.DataFrame:
    """Per supplier: orders (sum of weights), weighted mean and variance of the delay, at least a day's."""
    weighted = frame.assign(first=frame["weight"] * frame["delay"], second=frame["weight"] * frame["delay"] ** 2)
    sums = weighted.groupby("supplier")[["weight", "first", "second"]].sum()
    mean = sums["first"] / sums["weight"]
    variance = (sums["second"] / sums["weight"] - mean**2).clip(lower=1.0)
    return pd.DataFrame({"orders": sums["weight"], "mean": mean, "variance": variance})


def going_late_faults(late: pd.DataFrame, daily_sales: pd.Series, rule: Lateness | None = None) -> list[Fault]:
    """One fault per supplier. daily_sales: by supplier, what the items bought from him sell a day, company currency.

    Money: the sales of the days by which his deliveries come later.
    """
    window = (rule or Lateness()).window_days
    told = zip(
        *(readable(late[name].to_numpy(), 1) for name in ("recent_days", "usual_days", "recent_orders")), strict=True
    )
    money = late["extra_days"] * late["supplier"].map(daily_sales).astype(float).fillna(0.0)
    return [  # a sentence per supplier
        Fault(
            "Supplier Going Late",
            GOING_LATE,
            {
                "supplier": supplier, "recent": recent, "usual": usual, "orders": orders, "window": round(window),
            },
            supplier=supplier,
            money_at_risk=float(at_risk),
        )
        for supplier, (recent, usual, orders), at_risk in zip(late["supplier"], told, money, strict=True)
    ]  # fmt: skip
