"""Replaying a company's past on the embedded site: what is kept, what is left alone, what is refused."""

from pathlib import Path

import pandas as pd
import pytest
from embedded_shop import EmbeddedShop

from erp_forecast_addon.planning.errors import BadInput, Refused
from erp_forecast_addon.planning.replay_ledger import AS_ORDERED, ERPNEXT, OURS
from erp_forecast_addon.services.replay import DOCTYPE, last_replay, queue, replay_company
from erp_forecast_addon.services.report import write_html
from erp_forecast_addon.services.run import run_company
from erp_forecast_addon.setup.demo import create_demo
from erp_forecast_addon.setup.demo_catalog import COMPANY
from erp_forecast_addon.site.embedded import EmbeddedSite

WEEKS = 8


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> EmbeddedSite:
    site = EmbeddedSite.create(tmp_path_factory.mktemp("replay") / "demo.db")
    create_demo(site)
    return site


def rows_of(site: EmbeddedSite, doctype: str) -> int:
    return int(site.read(f'SELECT COUNT(*) FROM "tab{doctype}"')[0][0])


def test_a_replay_keeps_three_policies_by_class_and_writes_nothing_else(demo: EmbeddedSite) -> None:
    watched = ("Demand Forecast", "Safety Stock Policy", "Auto Purchase Order", "Purchase Order", "Item Reorder",
               "Forecast Run", "Planning Exception", "Level Change Set")  # fmt: skip
    before = {doctype: rows_of(demo, doctype) for doctype in watched}
    name = replay_company(demo, COMPANY, weeks=WEEKS)
    assert {doctype: rows_of(demo, doctype) for doctype in watched} == before
    kept = last_replay(demo, COMPANY)
    assert kept is not None
    assert (kept["name"], kept["status"], kept["weeks"], kept["progress_pct"]) == (name, "Completed", WEEKS, 100)
    results = pd.DataFrame(kept["results"])
    assert set(results["policy"]) == {OURS, ERPNEXT, AS_ORDERED}
    every = results[results["abc_class"] == "All"].set_index("policy")
    # All meet one demand, and the classes add up to all of it.
    assert every["demand_qty"].nunique() == 1
    parts = results[results["abc_class"] != "All"].groupby("policy")
    for column in ("pairs", "stock_out_days", "lost_value", "average_stock_value", "order_lines", "total_cost"):
        pd.testing.assert_series_equal(
            parts[column].sum().astype(float), every[column].astype(float).sort_index(), check_names=False
        )
    assert (every["total_cost"] > 0).all()
    assert every["fill_rate_pct"].between(0, 100).all()
    course = pd.DataFrame(kept["course"])
    assert course.groupby("policy").size().to_dict() == {OURS: WEEKS, ERPNEXT: WEEKS, AS_ORDERED: WEEKS}


def test_a_replay_is_the_same_each_time(demo: EmbeddedSite) -> None:
    first, second = (demo.get_document(DOCTYPE, replay_company(demo, COMPANY, weeks=WEEKS)) for _time in range(2))
    assert first is not None
    assert second is not None
    assert first["name"] != second["name"]
    assert first["weeks_json"] == second["weeks_json"]


def test_the_report_shows_the_latest_replay(demo: EmbeddedSite, tmp_path: Path) -> None:
    run_company(demo, COMPANY, triggered_by="Command")
    replay_company(demo, COMPANY, weeks=WEEKS)
    page = write_html(demo, COMPANY, tmp_path / "report.html", 0).read_text(encoding="utf-8")
    section = page.split('id="replay"')[1].split("</section>")[0]
    for words in ("Our Policy", "ERPNext&#x27;s Levels", "As Really Ordered", "Stock value by week", "Lost sales"):
        assert words in section
    assert section.count("<svg") == 2


def test_a_queued_replay_is_taken_once(demo: EmbeddedSite) -> None:
    name = queue(demo, COMPANY, WEEKS)
    demo.commit()
    assert replay_company(demo, COMPANY, weeks=WEEKS, replay=name) == name
    with pytest.raises(Refused, match="it is Completed"):
        replay_company(demo, COMPANY, weeks=WEEKS, replay=name)
    kept = demo.get_document(DOCTYPE, name)
    assert kept is not None
    assert kept["status"] == "Completed"


def test_a_replay_whose_process_died_is_closed_by_the_next(demo: EmbeddedSite) -> None:
    lost = demo.insert_document(DOCTYPE, {"company": COMPANY, "status": "Running", "weeks": WEEKS})
    demo.commit()
    replay_company(demo, COMPANY, weeks=WEEKS)
    closed = demo.get_document(DOCTYPE, lost)
    assert closed is not None
    assert (closed["status"], closed["error"]) == (
        "Failed",
        "The process ended before the replay did. Start another one.",
    )


def test_too_short_a_past_is_told_in_the_record(demo: EmbeddedSite) -> None:
    with pytest.raises(BadInput, match="Choose fewer weeks"):
        replay_company(demo, COMPANY, weeks=104)
    failed = demo.read(f'SELECT status, error FROM "tab{DOCTYPE}" WHERE weeks = 104')[0]
    assert failed[0] == "Failed"
    assert "needs 56 days of history" in failed[1]


def test_lengths_and_companies_that_make_no_sense(shop: EmbeddedShop) -> None:
    with pytest.raises(BadInput, match="4 to 104 weeks"):
        queue(shop.site, shop.company, 3)
    with pytest.raises(Refused, match="no company Nowhere"):
        replay_company(shop.site, "Nowhere")
    with pytest.raises(BadInput, match="reaches"):
        replay_company(shop.site, shop.company)
