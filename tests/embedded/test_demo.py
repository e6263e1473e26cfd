"""The demo: the same data whichever site, a convincing outcome, and no trace when it is removed."""

from datetime import date, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from erp_forecast_addon.planning.errors import Refused
from erp_forecast_addon.services.run import run_company
from erp_forecast_addon.setup import demo_catalog as catalog
from erp_forecast_addon.setup.demo import create_demo, remove_demo
from erp_forecast_addon.setup.demo_data import DAYS, DemoData, demo_data
from erp_forecast_addon.site import reads
from erp_forecast_addon.site.embedded import EmbeddedSite

NOW = datetime(2026, 11, 21, 6, 0)
AS_OF = date(2026, 11, 20)
PAIR = ["item_code", "warehouse"]


@pytest.fixture(scope="module")
def data() -> DemoData:
    return demo_data(AS_OF)


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> EmbeddedSite:
    site = EmbeddedSite.create(tmp_path_factory.mktemp("demo") / "demo.sqlite", now=NOW)
    create_demo(site)
    run_company(site, catalog.COMPANY, triggered_by="Command")
    return site


def contents(site: EmbeddedSite) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table but the Singles."""
    tables = [name for (name,) in site.read("SELECT name FROM sqlite_master WHERE type = 'table'")]
    return {name: site.read(f'SELECT * FROM "{name}" ORDER BY name') for name in tables if name != "tabSingles"}


# ---- the data -------------------------------------------------------------------------------------------------------
def test_the_same_day_gives_the_same_data(data: DemoData) -> None:
    again = demo_data(AS_OF)
    for table in ("items", "pairs", "sales", "purchases", "sales_orders"):
        pd.testing.assert_frame_equal(getattr(data, table), getattr(again, table))


def test_an_item_has_the_same_year_in_the_small_demo(data: DemoData) -> None:
    small = demo_data(AS_OF, small=True)
    codes = set(small.items["item_code"])
    assert 10 <= len(codes) <= 12
    for table in ("sales", "purchases"):
        wanted = getattr(data, table).query("item_code in @codes")[["item_code", "warehouse", "qty"]]
        columns = getattr(small, table)[["item_code", "warehouse", "qty"]]
        assert sorted(map(tuple, wanted.to_numpy())) == sorted(map(tuple, columns.to_numpy()))


def test_stock_never_goes_below_zero(data: DemoData) -> None:
    received = data.purchases.dropna(subset=["received_on"])
    moves = pd.concat([
        data.pairs.assign(day=pd.Timestamp(data.first_day), qty=data.pairs["opening_qty"])[[*PAIR, "day", "qty"]],
        received.assign(day=received["received_on"], qty=received["qty"] * received["conversion_factor"])[
            [*PAIR, "day", "qty"]
        ],
        data.sales.assign(qty=-data.sales["qty"])[[*PAIR, "day", "qty"]],
    ])  # fmt: skip
    assert (moves.sort_values("day", kind="stable").groupby(PAIR)["qty"].cumsum() >= 0).all()


def test_it_is_a_year_of_working_days_up_to_the_last_complete_one(data: DemoData) -> None:
    days = data.sales["day"]
    assert days.max() == pd.Timestamp(AS_OF)
    assert (days.max() - days.min()).days == DAYS - 1
    assert not (days.dt.day_of_week == 6).any()
    assert (data.sales["qty"] > 0).all()
    assert (data.sales["qty"] == np.round(data.sales["qty"])).all()


def test_lead_times_differ_and_some_orders_are_open(data: DemoData) -> None:
    took = (data.purchases["received_on"] - data.purchases["ordered_on"]).dt.days
    means = took.groupby(data.purchases["supplier"]).mean()
    assert means.max() - means.min() > 20
    assert data.purchases["received_on"].isna().sum() >= 3
    assert (took.dropna() >= 1).all()


# ---- on an embedded site --------------------------------------------------------------------------------------------
def test_the_ledger_ends_where_the_bins_stand(planned: EmbeddedSite) -> None:
    ledger = planned.read('SELECT item_code, warehouse, sum(actual_qty) FROM "tabStock Ledger Entry" GROUP BY 1, 2')
    sums = {(item, house): qty for item, house, qty in ledger}
    bins = {(i, w): q for i, w, q in planned.read('SELECT item_code, warehouse, actual_qty FROM "tabBin"')}
    assert bins == pytest.approx(sums)
    assert len(bins) == 28


def test_a_run_comes_to_orders_by_several_suppliers_and_cases_for_a_person(planned: EmbeddedSite) -> None:
    suppliers = {name for (name,) in planned.read('SELECT supplier FROM "tabAuto Purchase Order"')}
    kinds = {kind for (kind,) in planned.read('SELECT exception_type FROM "tabPlanning Exception"')}
    classes = {kind for (kind,) in planned.read('SELECT demand_class FROM "tabDemand Forecast"')}
    assert len(suppliers) >= 4
    assert catalog.CERAMICS.name not in suppliers  # on hold
    assert {"No Supplier", "Unavoidable Shortage", "Supplier Blocked"} <= kinds
    assert {"Smooth", "Intermittent", "Erratic", "Lumpy"} <= classes


def test_the_forgotten_item_cannot_be_there_in_time(planned: EmbeddedSite) -> None:
    (message,) = planned.read(
        'SELECT message FROM "tabPlanning Exception" WHERE item_code = ? AND exception_type = ?',
        ("FDEMO-STEAM", "Unavoidable Shortage"),
    )[0]
    assert catalog.PARTS.name in message


def test_lead_times_are_learned_from_the_receipts(planned: EmbeddedSite) -> None:
    rows = dict(planned.read('SELECT item_code, lead_time_days FROM "tabSafety Stock Policy"'))
    sources = dict(planned.read('SELECT item_code, lead_time_source FROM "tabSafety Stock Policy"'))
    assert sources["FDEMO-GASKET"] == "receipts"
    assert rows["FDEMO-GASKET"] > rows["FDEMO-CUP-08"] > rows["FDEMO-OAT-1L"]


def test_the_company_is_planned_and_ours_orders(planned: EmbeddedSite) -> None:
    settings = reads.company_settings(planned, catalog.COMPANY)
    assert settings.enabled
    assert settings.we_order
    assert settings.draft_orders


def site_of_someone(path: Path) -> EmbeddedSite:
    site = EmbeddedSite.create(path, now=NOW)
    site.insert_rows("Company", pd.DataFrame([{"name": "Mine", "company_name": "Mine", "default_currency": "EUR"}]))
    site.insert_rows("Item", pd.DataFrame([{"name": "MINE-1", "item_code": "MINE-1", "stock_uom": "Box"}]))
    site.commit()
    return site


def test_removing_leaves_the_site_as_it_was(tmp_path: Path) -> None:
    site = site_of_someone(tmp_path / "mine.sqlite")
    before = contents(site)
    create_demo(site)
    run_company(site, catalog.COMPANY, triggered_by="Command")
    assert contents(site) != before
    deleted = remove_demo(site)
    after = contents(site)
    assert deleted > 5000
    # The UOM that an item of the site uses too is no longer the demo's alone.
    assert [row[0] for row in after.pop("tabUOM")] == ["Box"]
    before.pop("tabUOM")
    assert after == before


def test_it_can_be_made_again_after_removing(tmp_path: Path) -> None:
    site = EmbeddedSite.create(tmp_path / "again.sqlite", now=NOW)
    create_demo(site)
    remove_demo(site)
    assert create_demo(site).items == 25


def test_a_second_demo_is_refused(planned: EmbeddedSite) -> None:
    with pytest.raises(Refused, match="there already"):
        create_demo(planned)


def test_removing_what_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="no demo company"):
        remove_demo(EmbeddedSite.create(tmp_path / "empty.sqlite", now=NOW))


def test_a_name_that_is_taken_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    site = site_of_someone(tmp_path / "mine.sqlite")
    site.insert_rows("Item", pd.DataFrame([{"name": "FDEMO-STEAM", "item_code": "FDEMO-STEAM"}]))
    site.commit()
    before = contents(site)
    with pytest.raises(Refused, match="Item FDEMO-STEAM exists already"):
        create_demo(site)
    assert contents(site) == before
