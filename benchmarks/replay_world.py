"""What the replay benchmarks share: real lead times, the world that policies are played in, money."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from erp_forecast_addon.planning.panel import Panel
from erp_forecast_addon.planning.simulation import Costs, Decide, Known, Limits, Outcome, Rule, Start, simulate


@dataclass(frozen=True)
class World:
    """n items over t days that nobody in it knows in advance. history: a daily panel that ends on the eve.

    demand_qty, lead_time_days: (n, t); typed_lead_time_days: (n,), as it stands in the Item; lead_time_probability:
    (n, d + 1), learned from deliveries before the first day; review_phase: the first review day.
    """

    history: Panel
    demand_qty: np.ndarray
    lead_time_days: np.ndarray
    typed_lead_time_days: np.ndarray
    lead_time_probability: np.ndarray
    start: Start
    costs: Costs
    limits: Limits
    review_days: int
    backorders: bool = False

    def select(self, rows: np.ndarray) -> "World":
        return replace(
            self,
            history=self.history.select(rows),
            start=Start(self.start.on_hand_qty[rows], self.start.in_transit_qty[rows]),
            costs=Costs(**{name: _rows(value, rows) for name, value in vars(self.costs).items()}),
            limits=Limits(*(part[rows] for part in vars(self.limits).values())),
            **{name: getattr(self, name)[rows] for name in _BY_ROW},
        )

    def play(self, rule: Rule | Decide, decide_on: Collection[int], *, daily: bool = False) -> Outcome:
        return simulate(
            self.demand_qty, self.lead_time_days, rule, self.start,
            decide_on=decide_on, review_days=self.review_days, limits=self.limits, keep_daily=daily,
            backorders=self.backorders,
        )  # fmt: skip


_BY_ROW = ("demand_qty", "lead_time_days", "typed_lead_time_days", "lead_time_probability")


def _rows(value: float | np.ndarray, rows: np.ndarray) -> float | np.ndarray:
    return value[rows] if isinstance(value, np.ndarray) else value


def known_of(world: World, day: int) -> Known:
    """What a rule is told on the morning of `day` where all demand so far is known, whatever the shelf."""
    seen = world.demand_qty[:, :day].astype(np.float32)
    nothing, none = np.zeros((0, world.history.n), dtype=np.float32), np.zeros(world.history.n)
    return Known(day, seen, seen, seen, none, none, nothing, nothing.astype(np.int64))


def delivery_ratios(data: Path) -> np.ndarray:
    """Each real delivery's days from order to delivery over its vendor's mean. Bad rows (received before they were
    ordered) are left out. data: the folder that holds purchase_orders."""
    path = data / "purchase_orders" / "scms_delivery.parquet"
    if not path.exists():
        raise SystemExit(f"no {path}: the real lead times are needed")
    lines = pd.read_parquet(path)
    sent, came = lines["PO Sent to Vendor Date (date)"], lines["Delivered to Client Date (date)"]
    days = (came - sent).dt.days
    good = days >= 0
    mean = days[good].groupby(lines["Vendor"][good]).transform("mean")
    ratio = days[good][mean > 0] / mean[mean > 0]
    return ratio.to_numpy(dtype=float)


def whole_days(typed_days: np.ndarray, ratios: np.ndarray) -> np.ndarray:
    """(n, t) lead times: typed_days (n,) times ratios (n, t), to the nearest day."""
    return np.rint(typed_days[:, None] * ratios).astype(np.int64)


@dataclass(frozen=True)
class Point:
    """One setting of one policy: where it lands on both axes and what it costs, in all."""

    policy: str
    setting: float
    fill_rate_units: float
    fill_rate_value: float
    stock_value: float
    lost_value: float
    lost_qty: float
    holding_cost: float
    order_cost: float
    shortage_cost: float
    order_lines: int
    stock_out_days: int

    @property
    def running_cost(self) -> float:
        return self.holding_cost + self.order_cost

    @property
    def total_cost(self) -> float:
        return self.running_cost + self.shortage_cost


def point(policy: str, setting: float, seen: Outcome, costs: Costs) -> Point:
    money = seen.cost_table(costs).sum()
    price = costs.unit_cost
    return Point(
        policy,
        setting,
        fill_rate_units=seen.fill_rate(),
        fill_rate_value=seen.fill_rate(price),
        stock_value=float(seen.mean_stock_value(price).sum()),
        lost_value=float((seen.total_short_qty * price).sum()),
        lost_qty=float(seen.total_short_qty.sum()),
        holding_cost=float(money["holding_cost"]),
        order_cost=float(money["order_cost"]),
        shortage_cost=float(money["shortage_cost"]),
        order_lines=int(seen.order_lines.sum()),
        stock_out_days=int(seen.stock_out_days.sum()),
    )
