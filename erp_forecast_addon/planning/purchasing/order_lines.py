"""From needs to the lines that are ordered: supplier, quantity, budget, joint order, in that order.

Needs are rows of the cases of replenishment.py. What each step decides is written into the columns that `propose` turns
into a line and its evidence, so that the quantity can be computed again from them alone: need_qty and ahead_qty (what
is wanted beyond the order-up-to level), min_order_qty (minimum, price break), most_order_qty (shelf life, maximum
stock).
"""

from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from erp_forecast_addon.planning.errors import Fault
from erp_forecast_addon.planning.inventory.methods import PriceBreaks
from erp_forecast_addon.planning.messages import _
from erp_forecast_addon.planning.purchasing import alternatives as others
from erp_forecast_addon.planning.purchasing import joint_orders
from erp_forecast_addon.planning.purchasing.budget import Cut, Limits, cut_lines
from erp_forecast_addon.planning.purchasing.line_notes import notes
from erp_forecast_addon.planning.purchasing.lots import Lots, lot_sizes, whole_days_up
from erp_forecast_addon.planning.purchasing.need import order_need
from erp_forecast_addon.planning.purchasing.order_days import CALENDAR_DAYS, OrderTerms, order_days, unusable_calendars
from erp_forecast_addon.planning.purchasing.price_breaks import break_worth_taking, pair_breaks, price_at, rates_at
from erp_forecast_addon.planning.purchasing.proposals import day_dates, propose
from erp_forecast_addon.planning.settings import PlanSettings
from erp_forecast_addon.planning.wording import iso_days, readable

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

OVER_BUDGET = _(
    "{item_code} in {warehouse}: {qty} {uom} from {supplier} for {amount} {currency} are needed by {needed_on} but "
    "were not drafted. Of the {limit} {currency} that may be ordered in the week of {week}, {left} were left for lines "
    "that protect more margin per money (rank {rank} of {lines}; the cut is after rank {last_rank})."
)
OVER_CASH = _(
    "{item_code} in {warehouse}: {qty} {uom} from {supplier} for {amount} {currency} are needed by {needed_on} but "
    "were not drafted. Of the {limit} {currency} that may be paid in the week of {week}, {left} were left for lines "
    "that protect more margin per money (rank {rank} of {lines}; the cut is after rank {last_rank})."
)
NO_ORDER_DAY = _(
    "{supplier}: his weekdays and holidays leave no day to order or deliver on, so they were not used. Correct them in "
    "the supplier's order terms."
)


@dataclass(frozen=True)
class Offered:
    """What lines are made of besides the needs. breaks: table PRICE_BREAKS; limits: of the week's money."""

    rated: pd.DataFrame
    breaks: pd.DataFrame
    terms: OrderTerms
    limits: Limits
    settings: PlanSettings
    as_of: date


@dataclass(frozen=True)
class OrderLines:
    """table: PROPOSALS; lines: the needs that were ordered; no_lot: needs that no quantity can meet; deferred: lines
    below the week's cut, not drafted; faults: of budget and orders."""

    table: pd.DataFrame
    lines: pd.DataFrame
    no_lot: pd.DataFrame
    deferred: pd.DataFrame
    faults: list[Fault]


def order_lines(due: pd.DataFrame, soon: pd.DataFrame, given: Offered) -> OrderLines:
    """due: needs to order now; soon: those that become due within the pull-forward window (due_in_days > 0), same
    columns. Both: one row per pair that may be ordered, with a supplier and a conversion factor."""
    # One block of memory per type: what follows adds columns to a frame that has a hundred.
    needs = pd.concat([due.assign(due_in_days=0.0), soon], ignore_index=True).copy()
    needs["taken_sooner_days"] = 0.0
    needs, found = _with_alternatives(needs, given)
    needs = _with_terms(needs, given)
    lots = _lots(needs)
    no_lot = needs[~lots.possible & (needs["due_in_days"] == 0.0)]
    state = _State(needs, found, _Prices.of(needs, given)).select(np.flatnonzero(lots.possible))
    state = replace(state, needs=_with_breaks(state.needs, state.prices, given.settings))
    state, cut = _cut(state, given)
    state, faults = _filled(state, cut.money_left, given)
    needs = _priced(state.needs, state.prices)
    named = others.offers(state.found, needs["supplier"].to_numpy(dtype=object), given.settings)
    needs = pd.concat([needs, named], axis=1)
    needs["notes"] = notes(needs, given.settings.currency)
    made = propose(needs, others.considered(state.found, given.rated, needs), given.as_of)
    return OrderLines(made.table, needs, no_lot, cut.deferred, [*faults, *cut.faults])


@dataclass(frozen=True)
class _State:
    """needs: (n,) lines as they stand; found: the options of each (see alternatives.line_options); prices: of each."""

    needs: pd.DataFrame
    found: pd.DataFrame
    prices: "_Prices"

    def select(self, keep: Ints) -> "_State":
        """Only these lines, numbered anew."""
        if len(keep) == len(self.needs):
            return self
        at = np.full(len(self.needs), -1)
        at[keep] = np.arange(len(keep))
        rows = at[self.found["row"].to_numpy(dtype=np.int64)]
        found = self.found.assign(row=rows)[rows >= 0].reset_index(drop=True)
        return _State(self.needs.iloc[keep].reset_index(drop=True), found, self.prices.select(keep))


@dataclass(frozen=True)
class _AfterCut:
    """deferred: lines below the cut; money_left: company currency that the week has left after the lines above it."""

    deferred: pd.DataFrame
    faults: list[Fault]
    money_left: float


# ---- suppliers ------------------------------------
def _with_alternatives(needs: pd.DataFrame, given: Offered) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The needs with a faster supplier on late lines (where the settings let him), and the options of each."""
    horizon = int(needs["arrival_day"].max()) + 1 if len(needs) else 1

    def arrival_of(found: pd.DataFrame) -> Ints:
        days = order_days(given.terms, found["supplier"].to_numpy(dtype=object), given.as_of, horizon + CALENDAR_DAYS)
        return days.arrival(whole_days_up(found["lead_days"].to_numpy(dtype=float)))

    found = others.line_options(needs, given.rated, trade_of(needs, given.settings), arrival_of, given.settings)
    late = (needs["arrival_day"] > needs["below_safety_day"]).to_numpy() & (needs["due_in_days"] == 0.0).to_numpy()
    place = others.sooner_suppliers(found, late, given.settings)
    at = np.flatnonzero(place >= 0)
    if not len(at):
        return needs, found
    taken = found.iloc[place[at]]
    needs = needs.copy()
    least = np.maximum(needs["item_min_order_qty"].to_numpy()[at], taken["min_order_qty"].to_numpy())
    for name in others.TAKEN_OVER:
        needs.loc[needs.index[at], name] = taken[name].to_numpy()
    rows = needs.index[at]
    needs.loc[rows, "min_order_qty"] = least
    needs.loc[rows, "supplier_minimum_qty"] = least
    needs.loc[rows, "supplier_lead_days"] = taken["lead_days"].to_numpy()
    needs.loc[rows, "taken_sooner_days"] = taken["sooner_days"].to_numpy()
    return needs, found


def trade_of(needs: pd.DataFrame, settings: PlanSettings) -> others.Trade:
    """What buying these pairs is about, from the columns of the cases."""
    cycle = np.maximum(needs["daily_demand_mean"].to_numpy() * max(settings.review_period_days, 1), 0.0)
    return others.Trade(
        daily_mean=needs["daily_demand_mean"].to_numpy(dtype=float),
        daily_std=needs["daily_demand_std"].to_numpy(dtype=float),
        order_qty=np.maximum(cycle, 1e-3),
        factor=needs["safety_factor"].to_numpy(dtype=float),
        margin=(needs["selling_rate"] - needs["base_rate"].fillna(needs["valuation_rate"])).to_numpy(dtype=float),
        item_min_order_qty=needs["item_min_order_qty"].to_numpy(dtype=float),
        stock_uom_whole=needs["stock_uom_whole"].to_numpy(dtype=bool),
        item_lead_days=needs["item_lead_time_days"].to_numpy(dtype=float),
        default_lead_days=settings.default_lead_time_days,
    )


# ---- days and ship-to ------------------------------------
def _with_terms(needs: pd.DataFrame, given: Offered) -> pd.DataFrame:
    """Add order_day, delivery_day, order_by_day (indices), ordered_on and ship_to, by the supplier's calendar."""
    supplier = needs["supplier"].to_numpy(dtype=object)
    lead = whole_days_up(needs["supplier_lead_days"].to_numpy(dtype=float))
    horizon = int(needs[["arrival_day", "below_safety_day"]].max(axis=None)) if len(needs) else 0
    days = order_days(given.terms, supplier, given.as_of, horizon + CALENDAR_DAYS)
    arrival, below = days.arrival(lead), needs["below_safety_day"].to_numpy(dtype=np.int64)
    delivery = days.delivery_by(below, arrival)
    terms = given.terms.of(supplier)
    return needs.assign(
        arrival_day=arrival, order_day=days.first, delivery_day=delivery, order_by_day=days.order_by(delivery, lead),
        ordered_on=day_dates(days.first, given.as_of),
        ship_to=joint_orders.ship_to(
            supplier, needs["warehouse"].to_numpy(dtype=object), terms, given.settings.ship_to
        ),
        payment_days=terms["payment_days"].to_numpy(dtype=float),
    )  # fmt: skip


def calendar_faults(given: Offered) -> list[Fault]:
    """One fault per supplier whose calendar leaves no day to order or deliver on."""
    return [
        Fault("Bad Data", NO_ORDER_DAY, {"supplier": name}, supplier=name)
        for name in unusable_calendars(given.terms, given.as_of, CALENDAR_DAYS)
    ]


# ---- quantities and prices ------------------------------------
def _lots(needs: pd.DataFrame, need_qty: Floats | None = None) -> Lots:
    return lot_sizes(
        needs["need_qty"].to_numpy(dtype=float) if need_qty is None else need_qty,
        needs["min_order_qty"].to_numpy(dtype=float),
        needs["order_multiple_qty"].to_numpy(dtype=float),
        needs["conversion_factor"].to_numpy(dtype=float),
        needs["uom_whole"].to_numpy(dtype=bool),
        needs["stock_uom_whole"].to_numpy(dtype=bool),
        needs["most_order_qty"].to_numpy(dtype=float),
    )


@dataclass(frozen=True)
class _Prices:
    """unit: (n,) the usual price, company currency per stock unit, 0 where it is not known; breaks: or None."""

    unit: Floats
    breaks: PriceBreaks | None

    @classmethod
    def of(cls, needs: pd.DataFrame, given: Offered) -> "_Prices":
        unit = needs["base_rate"].fillna(0.0).to_numpy(dtype=float)
        return cls(unit, pair_breaks(needs, unit, given.breaks) if len(needs) else None)

    def at(self, stock_qty: Floats) -> Floats:
        return self.unit if self.breaks is None else price_at(self.breaks, stock_qty)

    def select(self, rows: Ints) -> "_Prices":
        breaks = self.breaks
        kept = None if breaks is None else PriceBreaks(breaks.min_qty[rows], breaks.unit_cost[rows])
        return _Prices(self.unit[rows], kept)


def _with_breaks(needs: pd.DataFrame, prices: _Prices, settings: PlanSettings) -> pd.DataFrame:
    """min_order_qty raised to a price break that is worth it, as price_break_qty."""
    taken = np.zeros(len(needs))
    if prices.breaks is not None and settings.take_price_breaks:
        taken = break_worth_taking(
            prices.breaks,
            _lots(needs).stock_qty,
            needs["position_qty"].to_numpy(dtype=float),
            needs["daily_demand_mean"].to_numpy(dtype=float),
            needs["supplier_lead_days"].to_numpy(dtype=float),
            np.full(len(needs), settings.holding_rate_per_year),
            np.full(len(needs), settings.order_cost),
            needs["most_order_qty"].to_numpy(dtype=float),
        )
    least = np.maximum(needs["min_order_qty"].to_numpy(dtype=float), taken)
    return needs.assign(price_break_qty=taken, min_order_qty=least)


def _priced(needs: pd.DataFrame, prices: _Prices) -> pd.DataFrame:
    """The rate of the quantity that is ordered, in the order's currency per purchase unit."""
    if prices.breaks is None:
        return needs
    names = ("rate", "base_rate", "conversion_factor", "exchange_rate")
    rate, base_rate = rates_at(
        prices.breaks, _lots(needs).stock_qty, *(needs[name].to_numpy(dtype=float) for name in names)
    )
    return needs.assign(rate=rate, base_rate=base_rate)


# ---- the week's money ------------------------------------
def _cut(state: _State, given: Offered) -> tuple[_State, _AfterCut]:
    """The lines above the cut, and those not due yet; what is due but below it is deferred."""
    needs = state.needs
    is_due = (needs["due_in_days"] == 0.0).to_numpy()
    rows = np.flatnonzero(is_due)
    lots = _lots(needs)
    amount = lots.stock_qty * state.prices.at(lots.stock_qty)
    delivery = day_dates(needs["delivery_day"].to_numpy(dtype=np.int64), given.as_of).astype("datetime64[D]")
    cut = cut_lines(
        amount[rows],
        needs["margin_protected"].to_numpy(dtype=float)[rows],
        needs["ordered_on"].to_numpy().astype("datetime64[D]")[rows],
        (delivery + needs["payment_days"].to_numpy().astype("timedelta64[D]"))[rows],
        given.limits,
    )
    needs = needs.assign(
        margin_per_money=_placed(cut.margin_per_money, rows, len(needs)),
        budget_rank=_placed(cut.rank, rows, len(needs), 0.0),
        budget_lines=_placed(np.where(cut.rank > 0.0, float(len(rows)), 0.0), rows, len(needs), 0.0),
        budget_last_rank=_placed(cut.last_rank, rows, len(needs)),
        budget_left=_placed(np.where(np.isfinite(cut.left), cut.left, np.nan), rows, len(needs)),
    )
    below = rows[cut.deferred]
    deferred = needs.iloc[below].assign(qty=lots.qty[below], base_amount=amount[below])
    kept = replace(state, needs=needs).select(np.setdiff1d(np.arange(len(needs)), below))
    faults = _cut_faults(deferred, cut, np.flatnonzero(cut.deferred), given)
    return kept, _AfterCut(deferred, faults, _money_left(cut, amount[rows]))


def _placed(values: Floats, rows: Ints, n: int, elsewhere: float = np.nan) -> Floats:
    out = np.full(n, elsewhere)
    out[rows] = values
    return out


def _money_left(cut: Cut, amount: Floats) -> float:
    """Of the tightest week, after the lines above the cut; nothing where a line was deferred. inf: no limit."""
    if cut.deferred.any():
        return 0.0
    spent = pd.Series(amount).groupby(cut.week).transform("sum").to_numpy(dtype=float)
    left = cut.left - spent
    known = left[~np.isnan(left)]
    return float(known.min()) if len(known) else float("inf")


def _cut_faults(deferred: pd.DataFrame, cut: Cut, below: Ints, given: Offered) -> list[Fault]:
    if deferred.empty:
        return []
    week, needed = iso_days(cut.week[below]), iso_days(day_dates(deferred["below_safety_day"].to_numpy(), given.as_of))
    order_by = pd.DatetimeIndex(day_dates(deferred["order_by_day"].to_numpy(), given.as_of)).date
    numbers = [
        readable(np.nan_to_num(values))
        for values in (
            deferred["qty"].to_numpy(), deferred["base_amount"].to_numpy(), np.maximum(cut.left[below], 0.0),
            cut.rank[below], np.nan_to_num(cut.last_rank[below]),
        )
    ]  # fmt: skip
    kinds = [
        (OVER_CASH, given.limits.cash) if cash else (OVER_BUDGET, given.limits.budget) for cash in cut.by_cash[below]
    ]
    texts = (deferred[name] for name in ("item_code", "warehouse", "supplier", "uom", "money_at_risk"))
    faults = []
    # A loop over the lines below the cut: each becomes a sentence.
    for item, house, supplier, uom, risk, (
        template,
        limit,
    ), monday, need, last_day, qty, amount, left, rank, last in zip(
        *texts, kinds, week, needed, order_by, *numbers, strict=True
    ):
        values = {
            "item_code": item, "warehouse": house, "supplier": supplier, "uom": uom, "qty": qty, "amount": amount,
            "currency": given.settings.currency, "needed_on": need, "limit": readable(np.array([limit]))[0],
            "week": monday, "left": left, "rank": rank, "lines": int(deferred["budget_lines"].iloc[0]),
            "last_rank": last,
        }  # fmt: skip
        faults.append(
            Fault("Over Budget", template, values, item_code=item, warehouse=house, supplier=supplier,
                  money_at_risk=float(risk), due_on=last_day)
        )  # fmt: skip
    return faults


# ---- joint orders ------------------------------------
class _SizesAhead(joint_orders.SizesAt):
    """Sizes of all lines if every one is ordered as it would be some days later."""

    def __init__(self, needs: pd.DataFrame, prices: _Prices) -> None:
        self._needs, self._prices = needs, prices
        self._weight = needs["weight_per_unit"].fillna(0.0).to_numpy(dtype=float)
        self._volume = needs["volume_per_unit"].fillna(0.0).to_numpy(dtype=float)

    def __call__(self, window_days: float) -> joint_orders.Sizes:
        qty = _lots(self._needs, need_ahead(self._needs, np.full(len(self._needs), window_days))).stock_qty
        return joint_orders.Sizes(qty * self._prices.at(qty), qty * self._weight, qty * self._volume, qty)


def need_ahead(needs: pd.DataFrame, window_days: Floats) -> Floats:
    """(n,) what is missing if a line is ordered now as it would be window_days later. Stock units."""
    ahead = needs["ahead_qty"].to_numpy(dtype=float) + window_days * needs["daily_demand_mean"].to_numpy(dtype=float)
    return order_need(needs["wanted_qty"].to_numpy(dtype=float) + ahead, needs["position_qty"].to_numpy(dtype=float))


def _filled(state: _State, money_left: float, given: Offered) -> tuple[_State, list[Fault]]:
    """Lines with the window that their order takes; items that are not due and not pulled forward are gone."""
    needs = state.needs
    sizes = _SizesAhead(needs, state.prices)
    filled = joint_orders.fill_orders(needs, sizes, given.terms, given.settings, money_left)
    window = filled.window_days
    ahead = np.nan_to_num(window)
    pulled = np.where(np.isnan(window), 0.0, needs["due_in_days"].to_numpy(dtype=float))
    needs = needs.assign(
        need_qty=need_ahead(needs, ahead),
        ahead_qty=needs["ahead_qty"] + ahead * needs["daily_demand_mean"],
        filled_days=ahead,
        pulled_forward_days=pulled,
    )
    keep = np.flatnonzero(~np.isnan(window) & (needs["need_qty"] > 0.0).to_numpy())
    return replace(state, needs=needs).select(keep), filled.faults
