"""What suppliers ask of whole orders, when they take them, and the money that is bound already."""

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from erp_forecast_addon.planning.errors import Fault
from erp_forecast_addon.planning.messages import _
from erp_forecast_addon.planning.purchasing.budget import week_of
from erp_forecast_addon.planning.purchasing.order_days import OrderTerms, weekday_digits
from erp_forecast_addon.planning.settings import PlanSettings
from erp_forecast_addon.planning.tables import COMMITTED, DAYS_OFF, ORDER_TERMS
from erp_forecast_addon.site import queries, supplier_queries
from erp_forecast_addon.site.port import Site
from erp_forecast_addon.site.pricing import company_currency, exchange_rates, uom_factor

# Items and trucks are compared in this unit of weight, where the site can convert to it.
WEIGHT_UOM = "Kg"

NO_WEEKDAY = _(
    '{supplier}: {words} in "Takes Orders On" is no weekday, so it was not used. Write weekdays in English, such as '
    "Monday, Thursday."
)
NO_MINIMUM_RATE = _(
    "{supplier}: his minimum order is in {currency}, and there is no exchange rate, so it was not used. Enter the rate."
)


@dataclass(frozen=True)
class TermsRead:
    """terms: what the planner is told; faults: what of it could not be used."""

    terms: OrderTerms
    faults: list[Fault]


def order_terms(site: Site, company: str) -> TermsRead:
    """The order terms of every supplier that has any."""
    found = site.fetch(supplier_queries.order_terms(site.qb))
    if found.empty:
        return TermsRead(OrderTerms(), [])
    texts = ("min_order_currency", "default_currency", "ship_to_rule", "truck_weight_uom", "order_weekdays",
             "supplier_holiday_list")  # fmt: skip
    found = found.assign(**{name: found[name].fillna("") for name in texts})
    minimum, rate_faults = _in_company_currency(site, company, found)
    weekdays, word_faults = _weekdays(found)
    lists = sorted(set(found["supplier_holiday_list"]) - {""})
    days = site.fetch(supplier_queries.days_off(site.qb, lists)) if lists else DAYS_OFF.empty()
    terms = found.assign(
        min_order_amount=minimum,
        weekdays=weekdays,
        ship_to=found["ship_to_rule"],
        holiday_list=found["supplier_holiday_list"],
        truck_weight=found["truck_weight"] * _to_weight_uom(site, found["truck_weight_uom"]),
        truck_fill_share=(found["truck_fill_pct"] / 100.0).clip(0.0, 1.0),
    )
    made = OrderTerms(ORDER_TERMS.check(terms), DAYS_OFF.check(days.drop_duplicates(["holiday_list", "day"])))
    return TermsRead(made, [*rate_faults, *word_faults])


def _in_company_currency(site: Site, company: str, found: pd.DataFrame) -> tuple[pd.Series, list[Fault]]:
    own = company_currency(site, company)
    currency = found["min_order_currency"].where(found["min_order_currency"] != "", found["default_currency"])
    currency = currency.where(currency != "", own)
    rate = currency.map(exchange_rates(site, own, site.now().date())).astype(float)
    unknown = rate.isna() & (found["min_order_amount"] > 0.0)
    faults = [
        Fault("No Price", NO_MINIMUM_RATE, {"supplier": supplier, "currency": money}, supplier=supplier)
        for supplier, money in zip(found.loc[unknown, "supplier"], currency[unknown], strict=True)
    ]
    return (found["min_order_amount"] * rate).fillna(0.0), faults


def _weekdays(found: pd.DataFrame) -> tuple[list[str], list[Fault]]:
    """Digits per supplier; a loop over suppliers with terms: each typed a text."""
    read = [weekday_digits(typed) for typed in found["order_weekdays"]]
    faults = [
        Fault("Bad Data", NO_WEEKDAY, {"supplier": supplier, "words": ", ".join(words)}, supplier=supplier)
        for supplier, (_digits, words) in zip(found["supplier"], read, strict=True)
        if words
    ]
    return [digits for digits, _words in read], faults


def _to_weight_uom(site: Site, uoms: pd.Series) -> np.ndarray:
    """Factors to WEIGHT_UOM; 1 for a unit that is empty or cannot be converted, which then is compared as it stands."""
    return np.array([1.0 if np.isnan(factor) else factor for factor in uom_factor(site, uoms, WEIGHT_UOM)])


def item_weights(site: Site, items: pd.DataFrame) -> pd.Series:
    """Weight of a stock unit in WEIGHT_UOM, as _to_weight_uom; NaN where the item tells none."""
    weight = items["weight_per_unit"].where(items["weight_per_unit"] > 0.0)
    if weight.isna().all():
        return weight.astype(float)
    return weight * _to_weight_uom(site, items["weight_uom"].fillna(""))


def committed_money(site: Site, company: str, plan: PlanSettings, terms: OrderTerms) -> pd.DataFrame:
    """Table COMMITTED, as far as the settings set a limit: orders that left since Monday, and what falls due.

    What falls due: unpaid invoices by their due date, open order lines by delivery plus the supplier's days until
    payment. What is overdue falls due today.
    """
    today = site.now().date()
    parts: list[pd.DataFrame] = []
    if plan.weekly_budget > 0.0:
        monday = week_of(np.array([today], dtype="datetime64[D]"))[0].astype(date)
        parts.append(site.fetch(supplier_queries.ordered_money(site.qb, company, monday)).assign(kind="ordered"))
    if plan.weekly_cash_limit > 0.0:
        parts += [_to_deliver(site, company, terms, today), _to_pay(site, company, today)]
    parts = [part for part in parts if len(part)]
    return COMMITTED.check(pd.concat(parts, ignore_index=True)) if parts else COMMITTED.empty()


def _to_deliver(site: Site, company: str, terms: OrderTerms, today: date) -> pd.DataFrame:
    lines = site.fetch(supplier_queries.open_order_money(site.qb, company, queries.CLOSED_PURCHASE_ORDER))
    days = terms.of(lines["supplier"].to_numpy(dtype=object))["payment_days"].to_numpy(dtype=float)
    delivered = _not_before(lines["day"], today)
    return pd.DataFrame({
        "kind": "due", "day": delivered + pd.to_timedelta(days, unit="D"),
        "amount": lines["base_amount"] * (1.0 - lines["received_qty"] / lines["qty"]),
    })  # fmt: skip


def _to_pay(site: Site, company: str, today: date) -> pd.DataFrame:
    found = site.fetch(supplier_queries.unpaid_invoices(site.qb, company))
    own = company_currency(site, company)
    foreign = found["party_account_currency"].fillna("").replace("", own) != own
    rate = found["conversion_rate"].where(found["conversion_rate"] > 0.0, 1.0).where(foreign, 1.0)
    day = _not_before(found["day"], today)
    return pd.DataFrame({"kind": "due", "day": day, "amount": found["outstanding_amount"] * rate})


def _not_before(day: pd.Series, today: date) -> pd.Series:
    """What has no day, or one that is over, counts today."""
    return day.where(day >= pd.Timestamp(today), pd.Timestamp(today))
