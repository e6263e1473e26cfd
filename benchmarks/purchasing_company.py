"""A made-up company as purchasing meets it: warehouses, suppliers and their terms, components, open documents."""

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from erp_forecast_addon.planning.purchasing.network import Network
from erp_forecast_addon.planning.purchasing.order_days import OrderTerms
from erp_forecast_addon.planning.replenishment import DemandOutlook, Supply
from erp_forecast_addon.planning.settings import PlanSettings
from erp_forecast_addon.planning.tables import BOMS, COMMITTED, DATED, DAYS_OFF, NETWORK, ORDER_TERMS, PRICE_BREAKS

AS_OF = date(2026, 3, 1)
# supplied_by, planning_group
WAREHOUSES = {
    "Central - B": ("", ""), "North - B": ("Central - B", ""), "South - B": ("Central - B", ""),
    "Shop East - B": ("", "Shops"), "Shop West - B": ("", "Shops"),
}  # fmt: skip
MADE_EVERY, COMPONENTS = 10, 4
SEED = 11


@dataclass(frozen=True)
class Company:
    """mean, std: (n,) of a day's demand, in the order of `keys`."""

    keys: pd.DataFrame
    mean: np.ndarray
    std: np.ndarray
    positions: pd.DataFrame
    supply: Supply
    settings: PlanSettings

    def outlook(self) -> DemandOutlook:
        mean, std = self.mean, self.std
        return DemandOutlook(
            self.keys,
            np.full(len(self.keys), "Smooth", dtype=object),
            lambda as_of, days: np.repeat(mean[:, None], days, axis=1),
            lambda: std,
            mean * 365.0,
            abc_class=np.full(len(self.keys), "B", dtype=object),
        )


def make(pairs: int, suppliers: int) -> Company:
    random = np.random.default_rng(SEED)
    houses = list(WAREHOUSES)
    items = np.array([f"ITEM-{k:05d}" for k in range(pairs // len(houses))], dtype=object)
    keys = pd.DataFrame({"item_code": np.repeat(items, len(houses)), "warehouse": houses * len(items)})
    mean = random.gamma(0.6, 4.0, len(keys))
    cost = random.uniform(2.0, 200.0, len(items))
    positions = keys.assign(
        on_hand_qty=np.round(mean * random.uniform(0.0, 90.0, len(keys))),
        valuation_rate=np.repeat(cost, len(houses)),
    )
    settings = PlanSettings(
        "B", "EUR", order_cost=5.0, weekly_budget=len(keys) * 2000.0, weekly_cash_limit=len(keys) * 1600.0,
        alternative_suppliers="Take", consume_back_days=7, consume_forward_days=7, production_horizon_days=14,
        transfer_cost=2.0,
    )  # fmt: skip
    made = np.arange(len(items)) % MADE_EVERY == 0
    supply = Supply(
        _open_documents(random, keys, mean),
        pd.DataFrame({
            "item_code": items, "stock_uom": "Nos", "stock_uom_whole": True, "selling_rate": cost * 1.4,
            "weight_per_unit": random.uniform(0.1, 20.0, len(items)), "volume_per_unit": 0.01,
            "lead_time_days": 5.0, "is_made_here": made, "min_order_qty": random.choice([0.0, 0.0, 5.0], len(items)),
            "shelf_life_days": random.choice([np.nan, np.nan, 365.0], len(items)),
        }),
        _sourcing(random, items, cost, suppliers),
        price_breaks=_breaks(random, items),
        terms=_terms(random, suppliers),
        committed=_committed(),
        network=_network(random, items, made),
    )  # fmt: skip
    return Company(keys, mean, mean * random.uniform(0.3, 1.5, len(keys)), positions, supply, settings)


def _names(numbers: np.ndarray) -> np.ndarray:
    return np.array([f"SUP-{k:03d}" for k in numbers], dtype=object)


def _sourcing(random: np.random.Generator, items: np.ndarray, cost: np.ndarray, suppliers: int) -> pd.DataFrame:
    """A usual supplier for every item, a second for two thirds, a third for a third of them."""
    usual = random.integers(0, suppliers, len(items))
    parts = []
    for place, share in enumerate((1.0, 2 / 3, 1 / 3)):
        some = np.flatnonzero(np.arange(len(items)) % 3 < round(3 * share))
        boxes = random.random(len(some)) < 0.3
        dollars = random.random(len(some)) < 0.2
        parts.append(
            pd.DataFrame({
                "item_code": items[some], "supplier": _names((usual[some] + place * (suppliers // 3)) % suppliers),
                "is_default": place == 0,
                "rate": cost[some] * random.uniform(0.9, 1.1, len(some)) * np.where(boxes, 12.0, 1.0),
                "currency": np.where(dollars, "USD", "EUR").astype(object),
                "exchange_rate": np.where(dollars, 0.9, 1.0),
                "uom": np.where(boxes, "Box", "Nos").astype(object), "uom_whole": True,
                "conversion_factor": np.where(boxes, 12.0, 1.0),
                "lead_time_days": np.round(random.uniform(2.0, 40.0, len(some))), "lead_time_std_days": 2.0,
                "lead_time_source": "receipts", "min_order_qty": random.choice([0.0, 6.0, 24.0], len(some)),
                "order_multiple_qty": random.choice([0.0, 0.0, 6.0], len(some)),
                "on_time_pct": random.uniform(60.0, 100.0, len(some)),
                "blocked_reason": np.where(random.random(len(some)) < 0.02, "On hold.", "").astype(object),
            })
        )  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def _open_documents(random: np.random.Generator, keys: pd.DataFrame, mean: np.ndarray) -> pd.DataFrame:
    """Orders due within a month, some overdue, for a third of the pairs; sales orders for more; fewer of the rest."""

    def some(share: float, kind: str, weeks: float, sign: float) -> pd.DataFrame:
        chosen = random.random(len(keys)) < share
        ahead = random.integers(-4, 30, int(chosen.sum()))
        return keys[chosen].assign(
            day=pd.Timestamp(AS_OF) + pd.to_timedelta(ahead, unit="D"),
            qty=sign * (np.round(mean[chosen] * 7.0 * weeks) + 1.0),
            kind=kind,
        )

    rows = [
        some(1 / 3, "purchase_order", 1.0, 1.0), some(1 / 3, "sales_order", 1.2, -1.0),
        some(0.1, "sales_order", 3.0, -1.0), some(0.05, "our_draft", 1.0, 1.0), some(0.05, "transfer_out", 0.3, -1.0),
        some(0.05, "production", 0.5, -1.0), some(0.03, "material_request", 1.0, 1.0),
    ]  # fmt: skip
    return DATED.check(pd.concat(rows, ignore_index=True))


def _network(random: np.random.Generator, items: np.ndarray, made: np.ndarray) -> Network:
    houses = pd.DataFrame([
        {"warehouse": house, "supplied_by": by, "planning_group": group} for house, (by, group) in WAREHOUSES.items()
    ])  # fmt: skip
    finished, parts = items[made], items[~made]
    boms = pd.DataFrame({
        "item_code": np.repeat(finished, COMPONENTS), "component": random.choice(parts, len(finished) * COMPONENTS),
        "qty_per": random.integers(1, 5, len(finished) * COMPONENTS).astype(float),
    })  # fmt: skip
    return Network(NETWORK.check(houses), BOMS.check(boms))


def _breaks(random: np.random.Generator, items: np.ndarray) -> pd.DataFrame:
    some = items[random.random(len(items)) < 0.3]
    parts = [
        pd.DataFrame({"item_code": some, "min_qty": float(qty), "discount_share": share})
        for qty, share in ((100, 0.03), (500, 0.06))
    ]
    return PRICE_BREAKS.check(pd.concat(parts, ignore_index=True))


def _terms(random: np.random.Generator, suppliers: int) -> OrderTerms:
    lists = random.choice(["", "Holidays A", "Holidays B"], suppliers)
    off = pd.concat([
        pd.DataFrame({"holiday_list": name, "day": pd.date_range(AS_OF, periods=12, freq=f"{every}D")})
        for name, every in (("Holidays A", 9), ("Holidays B", 13))
    ])  # fmt: skip
    terms = pd.DataFrame({
        "supplier": _names(np.arange(suppliers)), "min_order_amount": random.choice([0.0, 2000.0, 50000.0], suppliers),
        "truck_weight": random.choice([0.0, 12000.0], suppliers),
        "truck_volume": random.choice([0.0, 60.0], suppliers), "truck_fill_share": 0.85,
        "weekdays": random.choice(["", "0", "03", "01234"], suppliers), "holiday_list": lists,
        "ship_to": random.choice(["", "Per Warehouse"], suppliers),
        "payment_days": random.choice([0.0, 14.0, 30.0], suppliers),
    })  # fmt: skip
    return OrderTerms(ORDER_TERMS.check(terms), DAYS_OFF.check(off.reset_index(drop=True)))


def _committed() -> pd.DataFrame:
    days = pd.date_range(pd.Timestamp(AS_OF) + pd.Timedelta(days=1), periods=60)
    rows = [pd.DataFrame({"kind": kind, "day": days, "amount": 20_000.0}) for kind in ("ordered", "due")]
    return COMMITTED.check(pd.concat(rows, ignore_index=True))
