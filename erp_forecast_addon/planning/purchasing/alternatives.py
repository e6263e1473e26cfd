"""Other suppliers of a pair: what they would cost in all, how much sooner they would deliver, and whether to take one.

Two moments. Before levels are set (`cheaper_suppliers`) a supplier may take the usual one's place for a pair for good:
lead time, lots and levels are then his. Once a line is due (`offers`) the others are named on it with the difference in
money and days; a faster one may take over a line that is late (`sooner_suppliers`), whose levels stay the usual one's.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from erp_forecast_addon.planning.purchasing.lots import lot_sizes
from erp_forecast_addon.planning.purchasing.supplier_cost import cost_per_unit, lost_by_waiting, yearly_supply_cost
from erp_forecast_addon.planning.settings import PlanSettings

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# Differences in lead time below this are the same day.
_SAME_DAY = 0.5
# What a line or pair takes over from the sourcing row of another supplier.
TAKEN_OVER = (
    "supplier", "rate", "currency", "exchange_rate", "uom", "conversion_factor", "uom_whole", "order_multiple_qty",
    "base_rate", "factor_known", "price_known", "exchange_known", "on_time_pct", "warning",
)  # fmt: skip
LEAD_TIME = ("lead_time_days", "lead_time_std_days", "lead_time_source", "lead_time_row")


@dataclass(frozen=True)
class Trade:
    """What buying (n,) pairs is about. order_qty: what an order brings; factor: safety factor z; margin: of a unit;
    default_lead_days: where a supplier's is not known."""

    daily_mean: Floats
    daily_std: Floats
    order_qty: Floats
    factor: Floats
    margin: Floats
    item_min_order_qty: Floats
    stock_uom_whole: NDArray[np.bool_]
    item_lead_days: Floats
    default_lead_days: float


def options(pairs: pd.DataFrame, rated: pd.DataFrame, trade: Trade, settings: PlanSettings) -> pd.DataFrame:
    """Everyone who may be asked for each pair, one row per pair and supplier with a comparable price.

    pairs: item_code, supplier (the usual one), (n,); rated: from `rate_sourcing`. Columns of `rated`, and row (of the
    pair), is_usual, lead_days, lead_std_days, lot_qty (what an order of his brings), unit_total (total cost per stock
    unit, company currency).
    """
    may = rated[(rated["blocked_reason"] == "") & rated["factor_known"] & rated["base_rate"].notna()]
    wanted = pd.DataFrame({"item_code": pairs["item_code"], "usual": pairs["supplier"], "row": np.arange(len(pairs))})
    wanted = wanted[(wanted["usual"] != "").to_numpy()]
    found = wanted.merge(may, on="item_code", how="inner").sort_values(["row", "supplier"], kind="stable")
    found = found.reset_index(drop=True)
    row = found["row"].to_numpy(dtype=np.int64)
    lead = found["lead_time_days"].to_numpy(dtype=float)
    lead = np.where(np.isnan(lead), trade.item_lead_days[row], lead)
    lead = np.where(np.isnan(lead), trade.default_lead_days, lead)
    std = np.nan_to_num(found["lead_time_std_days"].to_numpy(dtype=float))
    least = np.maximum(found["min_order_qty"].to_numpy(dtype=float), trade.item_min_order_qty[row])
    lots = lot_sizes(
        np.maximum(trade.order_qty[row], least), least, found["order_multiple_qty"].to_numpy(dtype=float),
        found["conversion_factor"].to_numpy(dtype=float), found["uom_whole"].to_numpy(dtype=bool),
        trade.stock_uom_whole[row],
    )  # fmt: skip
    holding, cost = np.full(len(row), settings.holding_rate_per_year), found["base_rate"].to_numpy(dtype=float)
    yearly = yearly_supply_cost(
        trade.daily_mean[row], trade.daily_std[row], cost, lots.stock_qty, lead, std, trade.factor[row], holding
    )
    total = cost_per_unit(yearly, trade.daily_mean[row], cost, holding, lead)
    return found.assign(
        is_usual=found["supplier"] == found["usual"], lead_days=lead, lead_std_days=std, lot_qty=lots.stock_qty,
        unit_total=total,
    )[lots.possible].reset_index(drop=True)  # fmt: skip


def cheaper_suppliers(found: pd.DataFrame, n: int, settings: PlanSettings) -> tuple[Ints, Floats]:
    """For (n,) pairs the row of `options` that is to be bought from instead of the usual supplier, -1 for none, and
    what that saves as a share of the total cost.

    It costs least of those punctual enough, and saves at least settings.alternative_saving; nothing unless the setting
    is Take.
    """
    place, saved = np.full(n, -1, dtype=np.int64), np.zeros(n)
    if settings.alternative_suppliers != "Take" or found.empty:
        return place, saved
    usual = found[found["is_usual"]].set_index("row")["unit_total"]
    other = found[~found["is_usual"] & punctual(found, settings)]
    own = other["row"].map(usual).to_numpy(dtype=float)
    share = 1.0 - other["unit_total"].to_numpy(dtype=float) / own
    good = other.assign(share=share)[share >= max(settings.alternative_saving, 1e-9)]
    best = good.sort_values(["row", "unit_total", "supplier"], kind="stable").drop_duplicates("row")
    rows = best["row"].to_numpy(dtype=np.int64)
    place[rows], saved[rows] = best.index.to_numpy(), best["share"].to_numpy()
    return place, saved


def punctual(found: pd.DataFrame, settings: PlanSettings) -> pd.Series:
    """Whether the supplier may be taken without a person: his on-time share is known and high enough."""
    if settings.alternative_on_time <= 0.0:
        return pd.Series(True, index=found.index)
    return found["on_time_pct"] >= 100.0 * settings.alternative_on_time


def line_options(
    lines: pd.DataFrame, rated: pd.DataFrame, trade: Trade, arrival_of: Callable[[pd.DataFrame], Ints],
    settings: PlanSettings,
) -> pd.DataFrame:  # fmt: skip
    """`options` for lines to order, with what they would cost this line.

    lines: need_qty, supplier, arrival_day, shortage_day, (n,); arrival_of: the arrival day of each row of the options.
    Adds line_cost (company currency: quantity x total cost per unit + margin lost by waiting), saving (against the
    usual supplier, NaN where he has no price) and sooner_days.
    """
    found = options(lines, rated, trade, settings)
    row = found["row"].to_numpy(dtype=np.int64)
    qty, shortage = lines["need_qty"].to_numpy(dtype=float), lines["shortage_day"].to_numpy(dtype=np.int64)
    arrival = arrival_of(found)
    lost = lost_by_waiting(trade.daily_mean[row], arrival, shortage[row], trade.margin[row], qty[row])
    cost = qty[row] * found["unit_total"].to_numpy(dtype=float) + lost
    usual = pd.Series(cost, index=row)[found["is_usual"].to_numpy()].reindex(row).to_numpy()
    own_arrival = lines["arrival_day"].to_numpy(dtype=np.int64)
    return found.assign(
        arrival_day=arrival, lost_margin=lost, line_cost=cost, saving=usual - cost,
        sooner_days=(own_arrival[row] - arrival).astype(float),
    )  # fmt: skip


def sooner_suppliers(found: pd.DataFrame, late: NDArray[np.bool_], settings: PlanSettings) -> Ints:
    """For (n,) lines the row of `line_options` that takes a late line over, -1 for none: he delivers sooner, and the
    sales saved are worth his price."""
    place = np.full(len(late), -1, dtype=np.int64)
    if settings.alternative_suppliers != "Take" or found.empty:
        return place
    row = found["row"].to_numpy(dtype=np.int64)
    least = settings.alternative_saving * found["line_cost"].abs()
    good = found[
        ~found["is_usual"] & punctual(found, settings) & late[row] & (found["sooner_days"] >= 1.0)
        & (found["saving"] > np.maximum(least, 1e-9))
    ]  # fmt: skip
    best = good.sort_values(["row", "line_cost", "supplier"], kind="stable").drop_duplicates("row")
    place[best["row"].to_numpy(dtype=np.int64)] = best.index.to_numpy()
    return place


def offers(found: pd.DataFrame, supplier: NDArray[np.object_], settings: PlanSettings) -> pd.DataFrame:
    """For (n,) lines the one alternative worth naming: alternative_supplier ("" for none), alternative_saving,
    alternative_days.

    The one that saves most of the line's total cost, if he saves at least settings.alternative_saving of it; else the
    fastest, if he is at least a day faster. supplier: (n,) whom the line is ordered from.
    """
    row = found["row"].to_numpy(dtype=np.int64)
    mine = found["supplier"].to_numpy(dtype=object) == supplier[row]
    own = found[mine].drop_duplicates("row").set_index("row")
    against = found.assign(
        gain=found["row"].map(own["line_cost"]).to_numpy(dtype=float) - found["line_cost"],
        days=found["row"].map(own["arrival_day"]).to_numpy(dtype=float) - found["arrival_day"],
        own_cost=found["row"].map(own["line_cost"]).to_numpy(dtype=float),
    )[~mine]
    saves = against["gain"] >= np.maximum(settings.alternative_saving * against["own_cost"], 0.01)
    faster = against["days"] >= 1.0 - _SAME_DAY
    named = against[saves | faster].assign(saves=saves)
    named = named.assign(key=np.where(named["saves"], named["gain"], named["days"]))
    best = named.sort_values(["row", "saves", "key", "supplier"], ascending=[True, False, False, True], kind="stable")
    best = best.drop_duplicates("row").set_index("row").reindex(np.arange(len(supplier)))
    return pd.DataFrame({
        "alternative_supplier": best["supplier"].astype(object).where(best["supplier"].notna(), ""),
        "alternative_saving": best["gain"].astype(float), "alternative_days": best["days"].astype(float),
    }).reset_index(drop=True)  # fmt: skip


def considered(found: pd.DataFrame, rated: pd.DataFrame, lines: pd.DataFrame) -> list[list[dict[str, Any]]]:
    """For the evidence of (n,) lines: every supplier of the item, blocked ones too, cheapest price first.

    JSON-serialisable: supplier, is_default, blocked_reason, base_rate; of those who may be asked also lead_time_days,
    on_time_pct, total_cost (of this line), saving and sooner_days against the usual supplier.
    """
    keys = ("lead_days", "on_time_pct", "line_cost", "saving", "sooner_days")
    wanted = pd.DataFrame({"item_code": lines["item_code"].to_numpy(dtype=object), "row": np.arange(len(lines))})
    every = wanted.merge(rated, on="item_code", how="inner")[
        ["row", "item_code", "supplier", "is_default", "blocked_reason", "base_rate", "on_time_pct"]
    ]
    told = found[["row", "supplier", "lead_days", "line_cost", "saving", "sooner_days"]]
    every = every.merge(told, on=["row", "supplier"], how="left")
    every = every.sort_values(["row", "base_rate", "supplier"], kind="stable")
    columns = [every[name].astype(object).where(every[name].notna(), None).tolist() for name in ("base_rate", *keys)]
    lists: list[list[dict[str, Any]]] = [[] for _line in range(len(lines))]
    # A loop over the suppliers of proposed lines only: the evidence is a list of dicts by contract.
    for row, supplier, default, blocked, base_rate, *rest in zip(
        every["row"].tolist(), every["supplier"], every["is_default"].tolist(), every["blocked_reason"], *columns,
        strict=True,
    ):  # fmt: skip
        lists[row].append({
            "supplier": supplier, "is_default": default, "blocked_reason": blocked, "base_rate": base_rate,
            **{name: value for name, value in zip(_TOLD, rest, strict=True) if value is not None},
        })  # fmt: skip
    return lists


_TOLD = ("lead_time_days", "on_time_pct", "total_cost", "saving", "sooner_days")
