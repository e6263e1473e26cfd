"""The VN2 inventory planning game, played by this project's forecast and order.

    python -m benchmarks.vn2 --data ../shared/data/vn2 [--start 101 … | --start none]

Every week the forecast of all 599 pairs is made from what was sold and seen in stock until then, and orders are placed
by order_on_paths with the game's costs. Without --start seven games inside the history are compared with the
organiser's reference policy; `--start none` plays from the published initial state, for which DATA must hold eight more
weeks of sales, and prints the cost as its last number. The rules are those of eval/vn2.py beside the data.
"""

import argparse
import time
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd

from benchmarks.scripts import load_script
from erp_forecast_addon.planning.forecasting.forecast import ForecastSet, forecast_panel
from erp_forecast_addon.planning.inventory.path_order import order_on_paths
from erp_forecast_addon.planning.panel import Panel
from erp_forecast_addon.planning.settings import PlanSettings

# An order arrives at the beginning of the third week, counted from the one that begins now; the next a week later.
ARRIVAL, REVIEW = 2, 1
# How many weeks after now a surplus is followed.
HORIZON_WEEKS = 8
SETTINGS = PlanSettings("VN2", period="week", review_period_days=7)


def game_rules(data: Path) -> ModuleType:
    path = data.resolve().parent.parent / "eval" / "vn2.py"
    rules = load_script(path)
    if rules is None:
        raise SystemExit(f"there are no rules at {path}: the game's script belongs into eval/ beside the data")
    return rules


def panel_of(sales: pd.DataFrame, in_stock: pd.DataFrame, master: pd.DataFrame) -> Panel:
    """Store x product series by week. A series begins with its first sale."""
    demand = sales.to_numpy(dtype=float)
    sold = demand > 0
    stores, products = (sales.index.get_level_values(name).astype(str) for name in ("Store", "Product"))
    keys = pd.DataFrame({"item_code": products, "warehouse": stores}, dtype=object)
    of = master.reindex(sales.index)
    return Panel(
        keys=keys,
        period="week",
        starts=sales.columns.to_numpy().astype("datetime64[ns]"),
        demand=demand,
        in_stock=in_stock.to_numpy(dtype=bool),
        first=np.where(sold.any(axis=1), np.argmax(sold, axis=1), demand.shape[1] - 1),
        hierarchy=pd.DataFrame({
            "item_group": of["Department"].astype(str).to_numpy(dtype=object),
            "item_group_parent": of["DepartmentGroup"].astype(str).to_numpy(dtype=object),
            "brand": "", "warehouse": keys["warehouse"],
            "warehouse_group": of["Format"].astype(str).to_numpy(dtype=object), "company": "",
        }),
    )  # fmt: skip


class Adapter:
    """A policy as the game asks for it. Forecasts are kept by week: games over the same weeks share them."""

    def __init__(self, master: pd.DataFrame, holding: float, shortage: float) -> None:
        self.master, self.holding, self.shortage = master, holding, shortage
        self.known: dict[int, ForecastSet] = {}

    def __call__(
        self,
        sales: pd.DataFrame,
        in_stock: pd.DataFrame,
        on_hand: np.ndarray,
        arriving_next: np.ndarray,
        arriving_after: np.ndarray,
    ) -> np.ndarray:
        week = sales.shape[1]
        if week not in self.known:
            self.known[week] = forecast_panel(panel_of(sales, in_stock, self.master), HORIZON_WEEKS, SETTINGS)
        made = self.known[week]
        paths = made.paths(np.arange(made.n), HORIZON_WEEKS)
        arriving = np.zeros((made.n, HORIZON_WEEKS))
        arriving[:, 0], arriving[:, 1] = arriving_next, arriving_after
        costs = np.full(made.n, self.holding), np.full(made.n, self.shortage)
        return order_on_paths(paths, on_hand, arriving, ARRIVAL, REVIEW, *costs).qty


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--start", nargs="*", default=None, help="first weeks of the games, or none")
    given = parser.parse_args()
    if not (given.data / "sales_weekly.parquet").exists():
        raise SystemExit(f"no sales_weekly.parquet in {given.data}: give the VN2 folder with --data")
    rules = game_rules(given.data)
    game = rules.load(given.data)
    master = pd.read_parquet(given.data / "master.parquet").set_index(["Store", "Product"])
    policy = Adapter(master, rules.HOLDING, rules.SHORTAGE)
    begin = time.perf_counter()
    if given.start == ["none"]:
        if game.sales.shape[1] < game.in_stock.shape[1] + rules.WEEKS:
            raise SystemExit(f"the sales end before the game does: {rules.WEEKS} more weeks are needed in {given.data}")
        cost = rules.play(game, policy, None)
        print(f"{time.perf_counter() - begin:.0f} s")
        print(f"cost from the published initial state: {cost:.1f}")
        return
    starts = tuple(int(week) for week in given.start) if given.start else None
    rules.compare(game, policy, *([] if starts is None else [starts]))
    print(f"{time.perf_counter() - begin:.0f} s")


if __name__ == "__main__":
    main()
