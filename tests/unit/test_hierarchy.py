"""Forecasts of series aligned with forecasts of their sums."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from erp_forecast_addon.planning.forecasting.forecast import forecast_panel
from erp_forecast_addon.planning.forecasting.groups import filled, groupings
from erp_forecast_addon.planning.panel import Panel
from erp_forecast_addon.planning.settings import PlanSettings

SETTINGS = PlanSettings("Co")


def company(n=400, t=240, seed=2, jump_at=None):
    """Slow sellers in two warehouses; from jump_at on one warehouse sells twice as much."""
    rng = np.random.default_rng(seed)
    rate = np.repeat(rng.gamma(1, 0.3, n)[:, None], t, axis=1)
    house = np.where(np.arange(n) % 2 == 0, "North", "South").astype(object)
    if jump_at is not None:
        rate[house == "North", jump_at:] *= 2
    keys = pd.DataFrame({"item_code": [f"I{at:04d}" for at in range(n)], "warehouse": house}, dtype=object)
    hierarchy = pd.DataFrame(
        {"item_group": np.where(np.arange(n) < n // 2, "A", "B"), "brand": "", "warehouse": house, "company": "Co"},
        dtype=object,
    )
    return Panel(
        keys=keys,
        period="day",
        starts=(np.datetime64("2025-01-06") + np.arange(t)).astype("datetime64[ns]"),
        demand=rng.poisson(rate).astype(float),
        in_stock=np.ones((n, t), bool),
        first=np.zeros(n, int),
        hierarchy=hierarchy,
    ), rate


def test_groupings_name_their_groups_and_leave_out_repeated_levels():
    panel, _rate = company(n=8)
    levels = groupings(
        panel, ((), ("item_group_parent",), ("warehouse",), ("item_group", "warehouse"), ("warehouse", "item_group"))
    )
    assert [level.columns for level in levels] == [(), ("warehouse",), ("item_group", "warehouse")]
    assert levels[1].labels.tolist() == ["North", "South"]
    assert levels[2].labels.tolist() == ["A | North", "A | South", "B | North", "B | South"]
    assert levels[1].totals(np.ones((8, 3))).tolist() == [[4.0] * 3] * 2


def test_alignment_follows_a_jump_that_single_items_hide():
    panel, rate = company(jump_at=205)
    made = forecast_panel(panel, 28, SETTINGS, workers=1)
    north = (panel.keys["warehouse"] == "North").to_numpy()
    true = rate[north, -1].sum()
    before, after = (abs(made.stages[name][north].sum(axis=0).mean() - true) for name in ("drivers", "aligned"))
    assert after <= before
    assert made.mean[north].sum(axis=0).mean() == pytest.approx(true, rel=0.15)


def test_alignment_changes_groups_as_a_whole_and_sums_agree():
    panel, _rate = company(jump_at=205)
    made = forecast_panel(panel, 28, SETTINGS, workers=1)
    ratio = made.stages["aligned"] / np.where(made.stages["drivers"] > 0, made.stages["drivers"], 1)
    cell = panel.hierarchy["item_group"] + panel.hierarchy["warehouse"]
    for rows in cell.groupby(cell).groups.values():
        selling = made.stages["drivers"][rows].min(axis=1) > 0
        assert np.ptp(ratio[rows][selling], axis=0).max() < 1e-4
    by_house = pd.DataFrame(made.mean).groupby(panel.hierarchy["warehouse"]).sum().sum().to_numpy()
    assert by_house == pytest.approx(made.mean.sum(axis=0))


def test_what_an_empty_shelf_hid_is_filled_only_for_the_sums():
    demand = np.array([[4.0] * 60, [0.0] * 60])
    observed = np.ones((2, 60), bool)
    observed[0, 50:] = False
    existed = np.ones((2, 60), bool)
    existed[1, :30] = False
    whole = filled(np.where(observed, demand, 0), observed, existed)
    assert whole[0] == pytest.approx(np.full(60, 4.0))
    assert (whole[1] == 0).all()


def test_a_single_series_is_aligned_with_nothing():
    panel, _rate = company(n=1)
    made = forecast_panel(replace(panel, hierarchy=None), 28, SETTINGS)
    assert np.array_equal(made.stages["aligned"], made.stages["drivers"])
