"""What buyers' changes saved or cost, computed once enough has happened since (planning.purchasing.edit_value)."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import numpy as np
import pandas as pd

from erp_forecast_addon.planning.purchasing.edit_value import EDIT_CASES, History, edit_values
from erp_forecast_addon.planning.purchasing.edits import ADDED, DATE, PRICE, QUANTITY, REMOVED, SUPPLIER
from erp_forecast_addon.site import approval_queries
from erp_forecast_addon.site.port import Site
from erp_forecast_addon.site.settings import CompanySettings

DOCTYPE: Final = "Order Edit"
_PAIR = ["item_code", "warehouse"]
_LINE = ["auto_purchase_order", *_PAIR]
# Which change of a line carries the value of all of them.
_LEADS: Final = {kind: rank for rank, kind in enumerate((REMOVED, ADDED, QUANTITY, SUPPLIER, DATE, PRICE))}
_NEVER_PLACED: Final = ("Rejected", "Withdrawn", "Cancelled")
# A change is looked at for as long as the larger quantity was to last, within these bounds.
LEAST_DAYS, MOST_DAYS, DAYS_WITHOUT_DEMAND = 14, 120, 30
# What has not come so long after its date is not coming.
WAIT_FOR_GOODS_DAYS: Final = 90
_STOCK_KNOWN_SINCE_DAYS: Final = 400


@dataclass(frozen=True)
class _Case:
    """lines: a row per changed line that is ready; receipts: row (of `lines`), day, stock_qty."""

    lines: pd.DataFrame
    receipts: pd.DataFrame


def price_edits(site: Site, settings: CompanySettings, as_of: date) -> int:
    """Price the company's standing changes of which enough is known by `as_of`; -> lines priced. The caller commits."""
    standing = site.fetch(approval_queries.edits(site.qb, settings.company, "Standing"))
    if standing.empty:
        return 0
    orders = site.fetch(
        approval_queries.states_of_orders(site.qb, sorted(set(standing["auto_purchase_order"])))
    ).rename(columns={"name": "auto_purchase_order", "status": "record_status"})
    known = standing.drop(columns="purchase_order").merge(orders, on="auto_purchase_order", how="left")
    never = known["record_status"].isna() | known["record_status"].isin(_NEVER_PLACED) | (known["docstatus"] == 2)
    for name in known.loc[never, "name"]:  # changes of orders that were decided since the last run: few
        site.set_fields(DOCTYPE, name, {"status": "Void"})
    placed = known[~never & (known["docstatus"] == 1)]
    case = _ready(site, placed, as_of)
    if case.lines.empty:
        return 0
    values = edit_values(_cases(case.lines), _history(site, case))
    _write(site, placed, case.lines, values, as_of)
    return len(values)


def _ready(site: Site, placed: pd.DataFrame, as_of: date) -> _Case:
    """Changed lines whose goods have come and whose days are over. One row per line, its proposal and its order."""
    lines = placed.drop_duplicates(_LINE).drop(columns=["from_qty", "to_qty", "from_on", "to_on"])
    receipts = pd.DataFrame({"row": [], "day": [], "stock_qty": []})
    if lines.empty:
        return _Case(lines, receipts)
    ordered = site.fetch(approval_queries.ordered_lines(site.qb, sorted(set(lines["purchase_order"]))))
    received = site.fetch(approval_queries.received_lines(site.qb, ordered["row"].tolist()))
    received = received.merge(ordered[["row", "purchase_order", *_PAIR]], on="row")
    now = _per_line(ordered).join(_arrivals(received))
    lines = lines.merge(now.reset_index(), on=["purchase_order", *_PAIR], how="left").reset_index(drop=True)
    lines["changed_qty"] = lines["changed_qty"].fillna(0.0)
    lines["start"] = lines["transaction_date"]
    lines["changed_on"] = lines["changed_on"].fillna(lines["proposed_on"]).fillna(lines["start"])
    lines["proposed_on"] = lines["proposed_on"].fillna(lines["changed_on"])
    late = (lines["arrived_on"] - lines["changed_on"]).fillna(pd.Timedelta(0))
    last = pd.concat([lines["proposed_on"] + late, lines["arrived_on"].fillna(lines["changed_on"])], axis=1).max(axis=1)
    lines["until"] = last + pd.to_timedelta(_days_to_look(lines), unit="D")
    today = pd.Timestamp(as_of)
    missing = (lines["changed_qty"] > 0.0) & lines["arrived_on"].isna()
    given_up = missing & (lines["changed_on"] + pd.Timedelta(days=WAIT_FOR_GOODS_DAYS) < today)
    ready = lines[(lines["until"] <= today) & (~missing | given_up)].reset_index(drop=True)
    came = received.merge(ready[["purchase_order", *_PAIR]].assign(at=ready.index), on=["purchase_order", *_PAIR])
    return _Case(ready, came[["at", "day", "stock_qty"]])


def _per_line(ordered: pd.DataFrame) -> pd.DataFrame:
    """changed_qty, changed_on, changed_rate of the native lines; index purchase_order and pair."""
    grouped = ordered.groupby(["purchase_order", *_PAIR]).agg(
        changed_qty=("stock_qty", "sum"), changed_on=("schedule_date", "min"), money=("base_amount", "sum")
    )
    rate = grouped["money"] / grouped["changed_qty"].where(grouped["changed_qty"] > 0.0)
    return grouped.drop(columns="money").assign(changed_rate=rate)


def _arrivals(received: pd.DataFrame) -> pd.DataFrame:
    """arrived_on: the mean day of the receipts, weighted by quantity; index purchase_order and pair."""
    first = pd.Timestamp(2000, 1, 1)
    weighted = received.assign(days=(received["day"] - first).dt.days * received["stock_qty"])
    sums = weighted.groupby(["purchase_order", *_PAIR])[["days", "stock_qty"]].sum()
    mean = sums["days"] / sums["stock_qty"].where(sums["stock_qty"] > 0.0)
    return pd.DataFrame({"arrived_on": first + pd.to_timedelta(mean.round(), unit="D")}, index=sums.index)


def _days_to_look(lines: pd.DataFrame) -> pd.Series:
    larger = lines[["proposed_qty", "changed_qty"]].max(axis=1)
    days = larger / lines["daily_demand_mean"].where(lines["daily_demand_mean"] > 0.0)
    return days.fillna(DAYS_WITHOUT_DEMAND).clip(LEAST_DAYS, MOST_DAYS).round()


def _cases(lines: pd.DataFrame) -> pd.DataFrame:
    def day(column: str) -> pd.Series:
        return (lines[column] - lines["start"]).dt.days.astype(float)

    return EDIT_CASES.check(
        pd.DataFrame(
            {
                "name": lines["name"],
                "proposed_qty": lines["proposed_qty"],
                "changed_qty": lines["changed_qty"],
                "proposed_day": day("proposed_on"),
                "changed_day": day("changed_on"),
                "arrived_day": day("arrived_on"),
                "proposed_rate": lines["proposed_rate"].where(lines["proposed_rate"] > 0.0),
                "changed_rate": lines["changed_rate"],
                "margin": lines["margin"],
                "unit_cost": lines["unit_cost"],
                "holding_rate_per_year": lines["holding_cost_pct"] / 100.0,
                "daily_demand_mean": lines["daily_demand_mean"],
            }
        )
    )


def _history(site: Site, case: _Case) -> History:
    """From the demand buckets: a day without a bucket moved nothing, and its stock is that of the day before."""
    lines = case.lines
    first, last = lines["start"].min(), lines["until"].max()
    buckets = site.fetch(
        approval_queries.buckets_of_pairs(
            site.qb, sorted(set(lines["item_code"])), sorted(set(lines["warehouse"])),
            (first - timedelta(days=_STOCK_KNOWN_SINCE_DAYS)).date(), last.date(),
        )
    )  # fmt: skip
    keyed = buckets.merge(lines[[*_PAIR, "start"]].assign(at=lines.index), on=_PAIR)
    keyed["day_index"] = (keyed["day"] - keyed["start"]).dt.days
    width = int((lines["until"] - lines["start"]).dt.days.max()) + 1
    inside = keyed[(keyed["day_index"] >= 0) & (keyed["day_index"] < width)]
    at = (inside["at"].to_numpy(), inside["day_index"].to_numpy())
    sold, closing = np.zeros((len(lines), width)), np.full((len(lines), width), np.nan)
    sold[at] = inside["demand_qty"].to_numpy()
    closing[at] = inside["closing_qty"].to_numpy()
    opening = _opening(keyed, len(lines))
    with_opening = pd.DataFrame(np.column_stack([opening, closing])).ffill(axis=1).to_numpy()
    stock = with_opening[:, 1:]
    ours = np.zeros((len(lines), width))
    came = (case.receipts["day"] - lines["start"].reindex(case.receipts["at"]).to_numpy()).dt.days.to_numpy()
    within = (came >= 0) & (came < width)
    np.add.at(
        ours, (case.receipts["at"].to_numpy()[within].astype(int), came[within].astype(int)),
        case.receipts["stock_qty"].to_numpy()[within],
    )  # fmt: skip
    days = (lines["until"] - lines["start"]).dt.days.to_numpy() + 1
    return History(opening, np.maximum(sold, 0.0), np.diff(with_opening, axis=1) + sold, ours, stock <= 0.0, days)


def _opening(keyed: pd.DataFrame, n: int) -> np.ndarray:
    """(n,) stock on the evening before the first day: the last bucket before it, else the first one's opening."""
    opening = np.zeros(n)
    after = keyed[keyed["day_index"] >= 0].drop_duplicates("at", keep="first")
    opening[after["at"].to_numpy()] = after["opening_qty"].fillna(0.0).to_numpy()
    before = keyed[keyed["day_index"] < 0].drop_duplicates("at", keep="last")
    opening[before["at"].to_numpy()] = before["closing_qty"].fillna(0.0).to_numpy()
    return opening


def _write(site: Site, placed: pd.DataFrame, lines: pd.DataFrame, values: pd.DataFrame, as_of: date) -> None:
    """The value stands on the change that leads; the others of the line say that they are part of it."""
    of_line = lines[[*_LINE, "until"]].reset_index(drop=True).join(values.drop(columns="name"))
    rows = placed[["name", "kind", *_LINE]].merge(of_line, on=_LINE)
    rows = rows.assign(rank=rows["kind"].map(_LEADS)).sort_values([*_LINE, "rank"], kind="stable")
    rows["leads"] = ~rows.duplicated(_LINE)
    money = ["sales_value", "holding_value", "price_value", "value", "lost_qty_proposed", "lost_qty_changed"]
    for row in rows.to_dict("records"):  # changes that became due since the last run: few
        counted = {name: round(float(row[name]), 2) for name in money} if row["leads"] else {}
        site.set_fields(DOCTYPE, row["name"], {
            "status": "Priced" if row["leads"] else "Counted With Another", "priced_on": as_of,
            "judged_until": row["until"].date(), **counted,
        })  # fmt: skip
