"""What a run says while a step is at work, to whoever looks from outside."""

import sqlite3
from collections.abc import Iterator
from typing import Any

import pytest
from embedded_shop import EmbeddedShop

from erp_forecast_addon.services import bucket_rows, drafting, pace, publish
from erp_forecast_addon.services.pace import Pace
from erp_forecast_addon.services.run import _STEPS, _percent_after
from erp_forecast_addon.services.scenarios import DOCTYPE as SCENARIO
from erp_forecast_addon.services.scenarios import create, run_scenario
from erp_forecast_addon.site.embedded import EmbeddedSite

AT_WORK = ("Refresh demand", "Forecast and plan", "Publish forecasts", "Draft orders", "Publish policies")


class WatchedSite(EmbeddedSite):
    """Looks at the record after each word, as another connection sees it."""

    seen: list[tuple[float, str]]

    def report_progress(self, run: str, percent: float, step: str) -> None:
        if ": " in step:
            assert not self._connection.in_transaction, f"{step}: something half done would become visible"
        super().report_progress(run, percent, step)

    def show_progress(self, doctype: str, name: str, percent: float, step: str) -> None:
        super().show_progress(doctype, name, percent, step)

    def commit(self) -> None:
        super().commit()
        with sqlite3.connect(self.path) as other:
            rows = other.execute(
                'SELECT progress_pct, current_step FROM "tabForecast Run" UNION ALL '
                f'SELECT progress_pct, current_step FROM "tab{SCENARIO}"'
            ).fetchall()
        other.close()
        self.seen += [row for row in rows if row[1] and row not in self.seen]


@pytest.fixture
def watched(shop: EmbeddedShop) -> Iterator[WatchedSite]:
    for number in range(3):
        shop.stocked_item(f"Item {number}", f"Supplier {number}")
    shop.site.__class__ = WatchedSite
    site: Any = shop.site
    site.seen = []
    yield site
    shop.site.__class__ = EmbeddedSite


@pytest.fixture
def talkative(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if all took long, and each piece of work were one row."""
    monkeypatch.setattr(pace, "QUIET_SECONDS", -1.0)
    monkeypatch.setattr(pace, "SECONDS_BETWEEN", -1.0)
    for module, name in ((bucket_rows, "ROWS_PER_PIECE"), (drafting, "COMMIT_EVERY"), (publish, "ROWS_AT_ONCE")):
        monkeypatch.setattr(module, name, 1)


def test_every_long_step_says_how_far_it_is(shop: EmbeddedShop, watched: WatchedSite, talkative: None) -> None:
    run = shop.run()
    assert (run["status"], run["progress_pct"], run["current_step"]) == ("Completed", 100, "")
    percents = [percent for percent, _text in watched.seen]
    assert percents == sorted(percents)
    told = [(percent, *text.split(": ")) for percent, text in watched.seen if ": " in text]
    assert {step for _percent, step, _doing in told} == set(AT_WORK)
    for percent, step, doing in told:
        assert _STEPS[step] <= percent <= _percent_after(step), (percent, step, doing)
        assert doing, step
        assert "{" not in doing
    doing = {step: [each for _percent, mine, each in told if mine == step] for step in AT_WORK}
    assert "looking for changes of the stock ledger" in doing["Refresh demand"]
    assert {"judging methods on the past", "levels and proposals"} <= set(doing["Forecast and plan"])
    assert doing["Publish forecasts"] == doing["Publish policies"] == ["1 of 3", "2 of 3"]
    assert doing["Draft orders"] == ["1 of 3 orders", "2 of 3 orders", "3 of 3 orders"]


def test_a_short_run_says_no_more_than_its_steps(
    shop: EmbeddedShop, watched: WatchedSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each word is a write; a run that is over before anybody waits for it must not become slower."""
    assert pace.QUIET_SECONDS == 2.0
    monkeypatch.setattr(pace, "QUIET_SECONDS", 600.0)  # whatever the machine is doing, this run is short
    shop.run()
    assert [text for _percent, text in watched.seen if ": " in text] == []


def test_a_scenario_of_the_whole_company_says_what_it_forecasts(
    shop: EmbeddedShop, watched: WatchedSite, talkative: None
) -> None:
    name = run_scenario(shop.site, create(shop.site, {"company": shop.company, "title": "More", "demand_pct": 20}))
    assert (shop.site.get_document(SCENARIO, name) or {})["status"] == "Done"
    percents = [percent for percent, _text in watched.seen]
    assert percents == sorted(percents)
    forecast = [percent for percent, text in watched.seen if text == "Read and forecast: judging methods on the past"]
    assert forecast
    assert 10 < forecast[0] < 60
    assert [text for _percent, text in watched.seen if text == "Plan twice"]


def test_a_word_a_second_at_most_and_none_in_the_first_two(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(pace, "perf_counter", lambda: now)
    kept, said = Pace(now, now), []
    for tenth in range(60):
        now = 100.0 + tenth / 10
        if kept.due():
            said.append(tenth / 10)
        if tenth == 34:
            kept.spoke()  # a step has begun, which is said anyway
    assert said == [2.0, 3.0, 4.4, 5.4]
    assert kept.seconds == pytest.approx(5.9)
