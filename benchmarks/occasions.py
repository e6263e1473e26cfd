"""Which items are better told by their occasions than by their forecast: the demand of a lead time.

    python -m benchmarks.occasions --data ../shared/data

man by week, 8 weeks ahead from three origins; oil by month, 91 days ahead from three; all before what other benchmarks
score. Of each distribution the pinball loss at 50 to 98%, over the item's mean size.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.replay_oil import MONTHS_SCORED, oil_months, size_group
from benchmarks.replay_spares import MAN_WEEKS_SCORED, read
from erp_forecast_addon.planning.cleaning import clean
from erp_forecast_addon.planning.forecasting.forecast import forecast_panel
from erp_forecast_addon.planning.inventory.demand_distribution import Demand, lead_time_nodes, over_lead_time
from erp_forecast_addon.planning.inventory.occasional import MOST_PER_YEAR, asked_for, learn_occasions
from erp_forecast_addon.planning.panel import Panel
from erp_forecast_addon.planning.settings import PlanSettings

_LEVELS = np.array([0.5, 0.75, 0.9, 0.95, 0.98])
_PER_YEAR = (0.0, 1.0, 2.0, 3.0, 4.0, 6.0, 9.0, MOST_PER_YEAR + 1e-6)


def main() -> None:
    cli = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    cli.add_argument("--data", type=Path, default=Path("../shared/data"))
    parts = cli.parse_args().data / "spare_parts"
    table = read(parts, "man")
    weeks = table[[name for name in table if name.startswith("w_")]].to_numpy(dtype=float)[:, :-MAN_WEEKS_SCORED]
    man = _panel(table["sku"], weeks, "week", np.datetime64("2018-01-01") + 7 * np.arange(weeks.shape[1]))
    nothing = np.full(man.n, "", dtype=object)
    origins = [man.t - back for back in (24, 16, 8)]
    _print("man, by week", [_losses(man, origin, 8, 56, 13, nothing, None) for origin in origins])

    items, months = oil_months(parts)
    months = months[:-MONTHS_SCORED]
    demand = np.maximum(np.nan_to_num(items[list(months)].to_numpy(dtype=float)), 0.0)
    first = np.datetime64(months[0], "M")
    oil = _panel(items["material"], demand, "month", (first + np.arange(len(months))).astype("datetime64[D]"))
    most = items["max_level"].to_numpy(dtype=float)
    groups = size_group(most)
    for title, group, known in (("known sizes", groups, most), ("no known sizes", np.full(oil.n, "", object), None)):
        found = [_losses(oil, origin, 3, 91, 6, group, known) for origin in (22, 25, 28)]
        _print(f"oil, by month, {title}", found)


def _panel(codes: pd.Series, demand: np.ndarray, period: str, starts: np.ndarray) -> Panel:
    return Panel(
        keys=pd.DataFrame({"item_code": codes.astype(str).astype(object), "warehouse": "Stores"}),
        period=period,  # type: ignore[arg-type]  # one of Period
        starts=starts.astype("datetime64[ns]"),
        demand=demand,
        in_stock=np.ones(demand.shape, dtype=bool),
        first=np.zeros(len(demand), dtype=np.int64),
    )


def _losses(
    panel: Panel, origin: int, periods: int, days: int, horizon: int, group: np.ndarray, known: np.ndarray | None
) -> pd.DataFrame:
    """Of each item: per_year, and the pinball loss of both distributions of the demand of `days` days, which are
    `periods` periods from `origin` on."""
    history, _faults = clean(panel.before(origin), PlanSettings("").outlier_limit)
    settings = replace(PlanSettings(""), period=panel.period, quantile_levels=(0.5,))
    forecast = forecast_panel(history, horizon, settings)
    certain = np.zeros((panel.n, days + 1))
    certain[:, days] = 1.0
    nodes = lead_time_nodes(certain)
    by_forecast = over_lead_time(lambda rows, span, at: forecast.totals(forecast.as_of, rows, span, at), nodes)
    occasions = learn_occasions(history, group, known)
    came = panel.demand[:, origin : origin + periods].sum(axis=1)
    size = np.maximum(occasions.mean_size(), 1e-9)
    return pd.DataFrame({
        "per_year": asked_for(history).per_year,
        "forecast": _pinball(by_forecast, came) / size,
        "occasions": _pinball(occasions.over(nodes), came) / size,
    })  # fmt: skip


def _pinball(demand: Demand, came: np.ndarray) -> np.ndarray:
    missed = came[:, None] - np.stack([demand.quantile(level) for level in _LEVELS], axis=1)
    return np.asarray(np.maximum(_LEVELS * missed, (_LEVELS - 1.0) * missed).sum(axis=1))


def _print(title: str, parts: list[pd.DataFrame]) -> None:
    table = pd.concat(parts)
    bins = pd.cut(table["per_year"], list(_PER_YEAR), right=False)
    sums = table.groupby(bins, observed=True)[["forecast", "occasions"]].sum()
    sums["cases"] = bins.value_counts().reindex(sums.index)
    print(f"\n{title}: demands a year, pinball loss")
    for each, row in sums.iterrows():  # a handful of bins
        print(
            f"  {each.left:g} to {each.right:.0f}: forecast {row['forecast']:,.1f}, occasions {row['occasions']:,.1f} "
            f"({row['occasions'] / row['forecast'] - 1.0:+.1%}), {row['cases']:,.0f} cases"
        )


if __name__ == "__main__":
    main()
