"""One run: its record, its lock, and what is left when it is refused, breaks or is killed."""

import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from embedded_shop import EmbeddedShop

from erp_forecast_addon.planning.errors import BadInput, Refused
from erp_forecast_addon.services import run as run_service
from erp_forecast_addon.services.run import interrupted_runs, lock_name, run_company
from erp_forecast_addon.site.embedded import EmbeddedSite

PROCESS = Path(__file__).parent / "planning_process.py"
STEPS = ["Check settings", "Refresh demand", "Read", "Forecast and plan", "Publish forecasts",
         "Keep forecasts", "Measure accuracy", "Draft requests", "Draft orders",
         "Publish policies", "Publish lead times", "Watch orders and prices", "Publish exceptions"]  # fmt: skip


def started(shop: EmbeddedShop, dies_at: str = "-") -> "subprocess.Popen[str]":
    """A process that has loaded everything and waits for `go`."""
    process = subprocess.Popen(
        [sys.executable, str(PROCESS), str(shop.path), dies_at, shop.site.now().isoformat()],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def go(process: "subprocess.Popen[str]") -> None:
    assert process.stdin is not None
    process.stdin.write("go\n")
    process.stdin.flush()


def said(process: "subprocess.Popen[str]") -> str:
    return process.communicate(timeout=60)[0].strip()


def twelve_suppliers(shop: EmbeddedShop) -> None:
    for number in range(12):
        shop.stocked_item(f"Item {number:02d}", f"Supplier {number:02d}", days=30)


def what_stands(shop: EmbeddedShop) -> dict[str, Any]:
    """The outcome of planning, without names and moments."""
    return {
        "orders": sorted((o["supplier"], o["status"], o["items"][0]["item_code"], o["items"][0]["qty"])
                         for o in shop.orders()),
        "drafts": sorted((d["supplier"], d["items"][0]["item_code"], d["items"][0]["qty"]) for d in shop.drafts()),
        "forecasts": sorted((f["item_code"], f["horizon_qty"]) for f in shop.rows("Demand Forecast")),
        "policies": len(shop.rows("Safety Stock Policy")),
        "cases": sorted((c["exception_type"], c["item_code"], c["status"]) for c in shop.cases()),
    }  # fmt: skip


# ---- the record of a run -------------------------------------------------------------
def test_a_run_records_its_steps_counts_and_timings(shop: EmbeddedShop) -> None:
    shop.stocked_item("Bolt")
    shop.stocked_item("Gear", "Slow Supplies", on_hand=900)
    run = shop.run()
    assert (run["status"], run["triggered_by"], run["run_by"]) == ("Completed", "Command", "demo")
    assert run["as_of"] == shop.today - timedelta(days=1)
    assert [step["step"] for step in run["steps"]] == STEPS
    assert {step["status"] for step in run["steps"]} == {"Done"}
    assert all(step["seconds"] > 0 and step["started_at"] is not None for step in run["steps"])
    rows = {step["step"]: step["rows"] for step in run["steps"]}
    assert (rows["Refresh demand"], rows["Publish forecasts"], rows["Draft orders"]) == (2, 2, 1)
    assert (run["pairs"], run["forecasts"], run["policies"], run["proposal_lines"]) == (2, 2, 2, 1)
    assert run["proposed_amount"] == shop.orders()[0]["base_total_amount"]
    assert run["exceptions"] == len(shop.cases(status="Open")) > 0
    assert (run["progress_pct"], run["currency"]) == (100, "EUR")
    assert run["duration_seconds"] >= sum(step["seconds"] for step in run["steps"]) * 0.5


def test_the_accuracy_of_the_run_is_that_of_its_forecasts(shop: EmbeddedShop) -> None:
    shop.stocked_item("Bolt")
    rng = np.random.default_rng(7)
    sold = rng.poisson(8, 120)
    days = pd.date_range(end=shop.today - timedelta(days=1), periods=120)
    shop.item("Noisy")
    shop.source("Noisy", shop.supplier("Fast Supplies"), 2.0)
    shop.ledger(pd.DataFrame({
        "item_code": "Noisy", "warehouse": shop.warehouse, "posting_date": [days[0], *days],
        "actual_qty": [2000.0, *(-sold)], "qty_after_transaction": np.cumsum([2000.0, *(-sold)]),
        "voucher_type": ["Purchase Receipt"] + ["Delivery Note"] * 120,
    }))  # fmt: skip
    run = shop.run()
    noisy, steady = (shop.rows("Demand Forecast", item_code=code)[0]["wape_pct"] for code in ("Noisy", "Bolt"))
    assert steady < run["wape_pct"] < noisy
    assert 10 < noisy < 100


def test_a_queued_run_is_taken_and_only_once(shop: EmbeddedShop) -> None:
    shop.stocked_item("Bolt")
    queued = shop.site.insert_document("Forecast Run", {"company": shop.company, "status": "Queued"})
    assert run_company(shop.site, shop.company, triggered_by="Button", run=queued) == queued
    with pytest.raises(Refused, match="cannot be started: it is Completed"):
        run_company(shop.site, shop.company, triggered_by="Button", run=queued)


def test_an_earlier_as_of_is_planned_from_and_a_later_one_refused(shop: EmbeddedShop) -> None:
    shop.stocked_item("Bolt")
    earlier = shop.today - timedelta(days=5)
    assert shop.run(as_of=earlier)["as_of"] == earlier
    with pytest.raises(Refused, match="the last complete day is 2026-11-20"):
        shop.run(as_of=date(2026, 11, 21))


def test_one_failing_item_does_not_stop_the_others(shop: EmbeddedShop) -> None:
    shop.stocked_item("Bolt")
    shop.stocked_item("Orphan")
    shop.site.update_document("Item", "Orphan", {"item_defaults": []})
    run = shop.run()
    assert run["status"] == "Completed"
    assert [line["item_code"] for line in shop.orders()[0]["items"]] == ["Bolt"]
    assert {f["item_code"] for f in shop.rows("Demand Forecast")} == {"Bolt", "Orphan"}


# ---- a run that breaks ---------------------------------------------------------------
def test_a_run_that_breaks_is_failed_with_its_text_and_frees_the_lock(
    shop: EmbeddedShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.stocked_item("Bolt")

    def broken(*_args: Any, **_given: Any) -> None:
        raise ZeroDivisionError("a bug in the planner")

    with monkeypatch.context() as patched:
        patched.setattr(run_service, "draft_orders", broken)
        with pytest.raises(ZeroDivisionError):
            shop.run()
    (run,) = shop.rows("Forecast Run")
    assert run["status"] == "Failed"
    assert "a bug in the planner" in run["error"]
    assert run["steps"][-1]["status"] == "Failed"
    assert len(shop.rows("Demand Forecast")) == 1, "what earlier steps did stays"
    assert shop.orders() == []
    assert shop.run()["status"] == "Completed"


# ---- who may run ---------------------------------------------------------------------
def test_a_second_start_is_refused_and_says_who_runs_since_when(shop: EmbeddedShop) -> None:
    shop.stocked_item("Bolt")
    shop.site.insert_document("Forecast Run", {
        "company": shop.company, "status": "Running", "run_by": "ada@example.com", "started_at": "2026-11-21 07:15:00",
    })  # fmt: skip
    queued = shop.site.insert_document("Forecast Run", {"company": shop.company, "status": "Queued"})
    shop.site.commit()
    with EmbeddedSite(shop.path) as other, other.lock(lock_name(shop.company)) as got:
        assert got
        with pytest.raises(Refused, match=r"started by ada@example\.com at 2026-11-21 07:15:00"):
            shop.run(run=queued)
    refused = shop.site.get_document("Forecast Run", queued) or {}
    assert refused["status"] == "Failed"
    assert "ada@example.com" in refused["error"]
    assert shop.orders() == []


def test_a_company_that_is_not_planned_or_unknown_is_refused(shop: EmbeddedShop) -> None:
    shop.settings(enabled=0)
    with pytest.raises(Refused, match="Shop Ltd is not planned: enable it in Forecast Settings"):
        shop.run()
    with pytest.raises(Refused, match="There is no company Nowhere Ltd"):
        run_company(shop.site, "Nowhere Ltd", triggered_by="Command")
    assert shop.rows("Forecast Run") == []


def test_button_scheduler_and_command_at_once_one_runs_the_others_are_refused(shop: EmbeddedShop) -> None:
    twelve_suppliers(shop)
    processes = [started(shop) for _each in range(3)]
    for process in processes:
        go(process)
    answers = sorted(said(process) for process in processes)
    assert [answer.split()[0] for answer in answers] == ["completed", "refused", "refused"]
    assert all("Shop Ltd is being planned already" in answer for answer in answers[1:])
    assert [run["status"] for run in shop.rows("Forecast Run")] == ["Completed"]
    assert len(shop.orders()) == len(shop.drafts()) == 12


@pytest.mark.parametrize("dies_at", ["step:Read", "step:Publish policies", "step:Draft orders", "order:1", "order:8",
                                     "step:Publish exceptions"])  # fmt: skip
def test_a_killed_run_is_interrupted_and_the_next_one_completes_it(
    shop: EmbeddedShop, tmp_path: Path, dies_at: str
) -> None:
    twelve_suppliers(shop)
    process = started(shop, dies_at)
    go(process)
    process.wait(timeout=60)
    assert process.returncode == -9
    halves = [o for o in shop.orders() if not o["purchase_order"] or not o["fingerprint"]]
    assert halves == [], "an order stands whole or not at all"
    assert {o["purchase_order"] for o in shop.orders()} == {d["name"] for d in shop.drafts()}
    shop.run()
    assert sorted(run["status"] for run in shop.rows("Forecast Run")) == ["Completed", "Interrupted"]
    untouched = EmbeddedShop(tmp_path / "untouched.db")
    twelve_suppliers(untouched)
    untouched.run()
    assert what_stands(shop) == what_stands(untouched)


def test_runs_of_dead_processes_are_found_without_a_new_run(shop: EmbeddedShop) -> None:
    twelve_suppliers(shop)
    process = started(shop, "step:Draft orders")
    go(process)
    process.wait(timeout=60)
    (name,) = interrupted_runs(shop.site)
    assert (shop.site.get_document("Forecast Run", name) or {})["status"] == "Interrupted"
    assert interrupted_runs(shop.site) == []


def test_settings_that_cannot_be_planned_with_fail_the_run_with_their_sentence(shop: EmbeddedShop) -> None:
    shop.stocked_item("Bolt")
    shop.settings(service_level_a_pct=100)
    with pytest.raises(BadInput, match="service level of class A is 100"):
        shop.run()
    (run,) = shop.rows("Forecast Run")
    assert run["status"] == "Failed"
    assert "no finite stock can promise 100%" in run["error"]
    assert "Traceback" not in run["error"]
