"""What a run finds beside its plan: open orders at the wrong time, late supply, suppliers going late, price jumps.

Everything is judged by pure functions of planning/ on the tables that the run has read already; only the open order
lines and the prices paid are read here.
"""

from datetime import date

import numpy as np
import pandas as pd

from erp_forecast_addon.planning.errors import Fault
from erp_forecast_addon.planning.inventory.arrivals import expected_arrivals
from erp_forecast_addon.planning.inventory.going_late import going_late, going_late_faults
from erp_forecast_addon.planning.inventory.lead_time_learning import Learned
from erp_forecast_addon.planning.plan import Plan
from erp_forecast_addon.planning.purchasing.faults import SUPPLY_TOO_LATE
from erp_forecast_addon.planning.purchasing.late_supply import late_faults, late_lines
from erp_forecast_addon.planning.purchasing.missing_data import (
    NO_FACTOR,
    NO_PRICE,
    NO_SUPPLIER,
    missing_data,
    missing_faults,
)
from erp_forecast_addon.planning.purchasing.position import lay_out, projected_stock
from erp_forecast_addon.planning.purchasing.price_jumps import Jump, jump_faults, price_jumps
from erp_forecast_addon.planning.purchasing.reschedule import Course, Damping, reschedule, reschedule_faults
from erp_forecast_addon.planning.purchasing.suppliers import rate_sourcing
from erp_forecast_addon.planning.replenishment import DemandOutlook
from erp_forecast_addon.site import watch_reads
from erp_forecast_addon.site.port import Site
from erp_forecast_addon.site.settings import CompanySettings
from erp_forecast_addon.site.watch_reads import Watch

_PAIR = ["item_code", "warehouse"]
_YEAR_DAYS = 365.0
AHEAD_OF_NEED = (NO_SUPPLIER, NO_PRICE, NO_FACTOR)
# Supply that nobody has promised yet serves a need after the orders that stand.
_NOT_FIRM = ("our_draft", "material_request")


def watch_faults(
    site: Site,
    settings: CompanySettings,
    made: Plan,
    dated: pd.DataFrame,
    positions: pd.DataFrame,
    items: pd.DataFrame,
    sourcing: pd.DataFrame,
    learned: Learned,
    as_of: date,
) -> list[Fault]:
    """dated … sourcing: tables DATED, POSITIONS, ITEMS and SOURCING that the plan was made of; learned: its lead
    times."""
    watch = watch_reads.watch_settings(site, settings.company)
    facts = _facts(made, items, settings)
    lines = watch_reads.open_orders(site, settings.company)
    paid = watch_reads.prices_paid(site, settings.company, as_of)
    jumps = _jumps(paid, sourcing, Jump(rise_share=watch.price_jump_share), as_of)
    annual = facts.groupby("item_code")["annual_qty"].sum()
    uom = items.drop_duplicates("item_code").set_index("item_code")["stock_uom"]
    missing = missing_data(
        facts, rate_sourcing(sourcing, items, settings.plan.currency), watch_reads.bought_items(site), as_of,
        settings.plan.horizon_days,
    )  # fmt: skip
    return [
        *missing_faults(missing, settings.plan.currency),
        *_order_faults(lines, facts, made, dated, positions, learned, settings, watch, as_of),
        *going_late_faults(going_late(learned.observations), _daily_sales(facts, paid, lines)),
        *jump_faults(jumps, annual, uom, settings.plan.currency),
    ]


def without_doubles(faults: list[Fault], found: list[Fault]) -> list[Fault]:
    """What the plan told and what was found beside it, each thing once.

    Where an order line is told as late or wanted sooner, its pair need not be told that enough comes too late; what an
    order misses today need not be told as something that one will miss.
    """
    told = {(f.item_code, f.warehouse) for f in found if f.kind in ("Late Supply", "Expedite Order")}
    missed = {(f.kind, f.item_code) for f in faults}
    kept = [f for f in faults if f.template != SUPPLY_TOO_LATE or (f.item_code, f.warehouse) not in told]
    return [*kept, *(f for f in found if f.kind not in AHEAD_OF_NEED or (f.kind, f.item_code) not in missed)]


def _facts(made: Plan, items: pd.DataFrame, settings: CompanySettings) -> pd.DataFrame:
    """Of every planned pair what money and quantities are reckoned with."""
    item = items.drop_duplicates("item_code").set_index("item_code").reindex(made.policies["item_code"])
    policies = made.policies.reset_index(drop=True)
    on_hand = policies["on_hand_qty"]
    cost = (policies["safety_stock_value"] / policies["safety_stock_qty"]).where(policies["safety_stock_qty"] > 0.0)
    selling = item["selling_rate"].reset_index(drop=True).astype(float)
    margin = 1.0 + settings.plan.margin_pct / 100.0
    return policies[_PAIR].assign(
        on_hand_qty=on_hand,
        safety_stock_qty=policies["safety_stock_qty"],
        daily_demand_mean=policies["daily_demand_mean"],
        daily_demand_std=policies["daily_demand_std"],
        position_qty=policies["position_qty"],
        lead_time_days=policies["lead_time_days"],
        annual_qty=policies["daily_demand_mean"] * _YEAR_DAYS,
        selling_rate=selling.where(selling > 0.0).fillna(cost * margin).fillna(0.0),
        stock_uom=item["stock_uom"].fillna("").to_numpy(dtype=object),
        stock_uom_whole=item["stock_uom_whole"].eq(True).to_numpy(),
    )


def _jumps(paid: pd.DataFrame, sourcing: pd.DataFrame, rule: Jump, as_of: date) -> pd.DataFrame:
    """Of every item and supplier the last price paid or quoted, or else the price that an order would take today."""
    listed = sourcing[["item_code", "supplier"]].assign(
        base_rate=sourcing["rate"] * sourcing["exchange_rate"] / sourcing["conversion_factor"],
        day=pd.Timestamp(as_of),
        kind="price list",
    )
    orders = paid[paid["kind"] == "order"]
    today = pd.concat([orders[orders["day"] <= pd.Timestamp(as_of)], listed.dropna(subset=["base_rate"])])
    found = pd.concat([price_jumps(paid, as_of, rule), price_jumps(today, as_of, rule)], ignore_index=True)
    return found.drop_duplicates(["item_code", "supplier"]).reset_index(drop=True)


# ---- open orders ------------------------------------
def _order_faults(
    lines: pd.DataFrame, facts: pd.DataFrame, made: Plan, dated: pd.DataFrame, positions: pd.DataFrame,
    learned: Learned, settings: CompanySettings, watch: Watch, as_of: date,
) -> list[Fault]:  # fmt: skip
    planned = pd.MultiIndex.from_frame(facts[_PAIR])
    lines = lines[pd.MultiIndex.from_frame(lines[_PAIR]).isin(planned)].reset_index(drop=True)
    if lines.empty:
        return []
    pairs = pd.MultiIndex.from_frame(lines[_PAIR]).unique().sort_values()
    known = facts.set_index(_PAIR).reindex(pairs).reset_index()
    days = settings.plan.horizon_days
    course = _course(made.outlook, known, pairs, _without_lines(dated, lines), positions, as_of, days)
    row = np.asarray(pairs.get_indexer(pd.MultiIndex.from_frame(lines[_PAIR])), dtype=np.int64)
    patience = Damping(watch.early_days, watch.late_days + settings.plan.review_period_days)
    judged = reschedule(lines, row, course, as_of, patience).assign(
        stock_uom=known["stock_uom"].to_numpy()[row], stock_uom_whole=known["stock_uom_whole"].to_numpy()[row]
    )
    selling = known["selling_rate"].to_numpy(dtype=float)[row]
    selling = np.where(selling > 0.0, selling, judged["unit_cost"] * (1.0 + settings.plan.margin_pct / 100.0))
    seen = _with_arrivals(judged, learned, as_of)
    late = late_lines(seen, row, course, as_of, watch.grace_days)
    rate = pd.Series(selling, index=judged["item_code"]).groupby(level=0).first()
    return [
        *reschedule_faults(judged, as_of, days, selling, settings.plan.holding_rate_per_year),
        *late_faults(late, rate),
    ]


def _without_lines(dated: pd.DataFrame, lines: pd.DataFrame) -> pd.DataFrame:
    """DATED without the orders that are judged and without what is not firm."""
    ours = dated["kind"].eq("purchase_order") & dated["voucher_no"].isin(lines["purchase_order"])
    return dated[~ours & ~dated["kind"].isin(_NOT_FIRM)]


def _course(
    outlook: DemandOutlook, known: pd.DataFrame, pairs: pd.MultiIndex, dated: pd.DataFrame, positions: pd.DataFrame,
    as_of: date, days: int,
) -> Course:  # fmt: skip
    """Projected stock of the pairs that have open orders, by the same rules as the plan's own position."""
    index = pd.MultiIndex.from_frame(outlook.keys[_PAIR])
    row = index.get_indexer(pairs)
    mean = np.zeros((len(pairs), days))
    if (row >= 0).any():
        mean[row >= 0] = np.maximum(np.nan_to_num(outlook.daily_mean(as_of, days)[row[row >= 0]]), 0.0)
    on_hand = positions.set_index(_PAIR)["on_hand_qty"].reindex(pairs).fillna(0.0).to_numpy(dtype=float)
    stock = projected_stock(on_hand, mean, lay_out(dated, pairs, as_of, days))
    return Course(
        stock,
        known["safety_stock_qty"].fillna(0.0).to_numpy(dtype=float),
        known["daily_demand_std"].fillna(0.0).to_numpy(dtype=float),
    )


def _with_arrivals(judged: pd.DataFrame, learned: Learned, as_of: date) -> pd.DataFrame:
    """With expected_on and late_pct, as the suppliers have shown; NaT and NaN where nothing is known."""
    found = expected_arrivals(judged.rename(columns={"due_on": "schedule_on"}), learned, as_of)
    return judged.assign(expected_on=found["expected_on"].to_numpy(), late_pct=found["late_pct"].to_numpy())


# ---- suppliers ------------------------------------
def _daily_sales(facts: pd.DataFrame, paid: pd.DataFrame, lines: pd.DataFrame) -> pd.Series:
    """By supplier: what the items that were last bought from him sell a day, company currency."""
    bought = [paid.loc[paid["kind"] == "order", ["item_code", "supplier", "day"]]]
    bought.append(lines[["item_code", "supplier"]].assign(day=lines["ordered_on"]))
    last = (
        pd.concat(bought, ignore_index=True).sort_values("day", kind="stable").drop_duplicates("item_code", keep="last")
    )
    sold = (facts["daily_demand_mean"] * facts["selling_rate"]).groupby(facts["item_code"]).sum()
    return last.assign(money=last["item_code"].map(sold).astype(float).fillna(0.0)).groupby("supplier")["money"].sum()
