"""The M5 sales as a panel with its drivers: calendar events, SNAP days by state, weekly prices."""

from pathlib import Path

import numpy as np
import pandas as pd

from erp_forecast_addon.planning.drivers import Driver
from erp_forecast_addon.planning.panel import Panel

FIRST_DAY_OF_M5 = np.datetime64("2011-01-29")


def read_sales(data: Path) -> pd.DataFrame:
    if not (data / "sales_daily.parquet").exists():
        raise SystemExit(f"no sales_daily.parquet in {data}: give the M5 folder with --data")
    return pd.read_parquet(data / "sales_daily.parquet")


def m5_panel(data: Path, sales: pd.DataFrame, origin: int, horizon: int) -> Panel:
    """Item-store series up to d_`origin`, with drivers for `horizon` days more. A series begins with its first sale."""
    days = sorted(int(column[2:]) for column in sales.columns if column.startswith("d_"))
    days = [day for day in days if day <= origin]
    if not days or days[-1] != origin:
        raise SystemExit(f"there are no sales of d_{origin}: choose another --origin")
    demand = sales[[f"d_{day}" for day in days]].to_numpy(dtype=float)
    sold = demand > 0
    first = np.where(sold.any(axis=1), np.argmax(sold, axis=1), len(days) - 1)
    keys = pd.DataFrame({"item_code": sales["item_id"].astype(object), "warehouse": sales["store_id"].astype(object)})
    starts = FIRST_DAY_OF_M5 + np.array(days) - 1
    return Panel(
        keys=keys,
        period="day",
        starts=starts.astype("datetime64[ns]"),
        demand=demand,
        in_stock=np.ones(demand.shape, dtype=bool),
        first=first,
        drivers=_drivers(data, sales, np.arange(days[0], origin + horizon + 1)),
        hierarchy=pd.DataFrame({
            "item_group": sales["dept_id"].astype(object), "item_group_parent": sales["cat_id"].astype(object),
            "brand": "", "warehouse": keys["warehouse"], "warehouse_group": sales["state_id"].astype(object),
            "company": "",
        }),
    )  # fmt: skip


def _drivers(data: Path, sales: pd.DataFrame, days: np.ndarray) -> dict[str, Driver]:
    calendar = pd.read_parquet(data / "calendar.parquet").set_index("d").loc[[f"d_{day}" for day in days]]
    return {**_events(calendar), "SNAP": _snap(calendar, sales), "Price": _prices(data, calendar, sales)}


def _events(calendar: pd.DataFrame) -> dict[str, Driver]:
    pairs = [calendar[[f"event_name_{k}", f"event_type_{k}"]].set_axis(["name", "family"], axis=1) for k in (1, 2)]
    named = pd.concat(pairs).dropna().drop_duplicates().sort_values("name")
    return {
        row.name: Driver(
            "event",
            (calendar[["event_name_1", "event_name_2"]] == row.name).any(axis=1).to_numpy(dtype=np.float32),
            family=row.family,
        )
        for row in named.itertuples(index=False)
    }


def _snap(calendar: pd.DataFrame, sales: pd.DataFrame) -> Driver:
    states, rows = np.unique(sales["state_id"].to_numpy(dtype=str), return_inverse=True)
    values = calendar[[f"snap_{state}" for state in states]].to_numpy(dtype=np.float32).T
    return Driver("event", values, rows, family="SNAP")


def _prices(data: Path, calendar: pd.DataFrame, sales: pd.DataFrame) -> Driver:
    weeks = calendar["wm_yr_wk"].unique()
    prices = pd.read_parquet(data / "sell_prices.parquet", filters=[("wm_yr_wk", ">=", int(weeks.min()))])
    table = prices.pivot_table(index=["item_id", "store_id"], columns="wm_yr_wk", values="sell_price")
    table = table.reindex(index=pd.MultiIndex.from_frame(sales[["item_id", "store_id"]]), columns=weeks)
    by_day = np.searchsorted(weeks, calendar["wm_yr_wk"].to_numpy())
    return Driver("price", table.to_numpy(dtype=np.float32)[:, by_day])
