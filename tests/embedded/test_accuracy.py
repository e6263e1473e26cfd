"""A site keeps what it forecast and judges it: once, whatever is run again, killed or rewritten."""

import json
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from embedded_shop import EmbeddedShop

from erp_forecast_addon.planning import drift
from erp_forecast_addon.planning.accuracy import LAGS, last_whole_week
from erp_forecast_addon.services import accuracy
from erp_forecast_addon.services.run import run_company
from erp_forecast_addon.site import reads

WEEKS_BACK = 6
FIGURES = ("wape_pct", "bias_pct", "weeks", "value_added_pct", "state", "measured_until")


def sell(shop: EmbeddedShop, item_code: str, sold: np.ndarray) -> None:
    moved = np.concatenate([[sold.sum() + 500.0], -sold])
    last = shop.today - timedelta(days=1)
    days = [last - timedelta(days=len(sold) - at) for at in range(len(moved))]
    shop.ledger(pd.DataFrame({
        "item_code": item_code, "warehouse": shop.warehouse, "posting_date": pd.to_datetime(days), "actual_qty": moved,
        "qty_after_transaction": moved.cumsum(),
        "voucher_type": ["Purchase Receipt"] + ["Delivery Note"] * len(sold),
    }))  # fmt: skip


@pytest.fixture
def selling(shop: EmbeddedShop) -> EmbeddedShop:
    """Two items with two hundred days of demand, nothing planned yet."""
    rng = np.random.default_rng(3)
    shop.supplier("Fast Supplies")
    for number in range(2):
        shop.item(f"Item {number}")
        shop.source(f"Item {number}", "Fast Supplies", 5.0)
        sell(shop, f"Item {number}", rng.poisson(6 + number, 200).astype(float))
    return shop


def plan_as_of(shop: EmbeddedShop, weeks_back: int) -> None:
    run_company(
        shop.site, shop.company, triggered_by="Command", as_of=shop.site.as_of() - timedelta(days=7 * weeks_back)
    )


def figures(shop: EmbeddedShop) -> dict[str, dict[str, Any]]:
    return {row["item_code"]: {name: row[name] for name in FIGURES} for row in shop.rows("Forecast Accuracy")}


def weeks(shop: EmbeddedShop) -> list[tuple[Any, ...]]:
    fields = ("week_start", "lag_weeks", "demand_class", "pairs", "demand_qty", "abs_error_qty")
    return sorted(tuple(row[name] for name in fields) for row in shop.rows("Forecast Accuracy Week"))


# ---- keeping ---------------------------------------------------------------------------------------------------------
def test_a_run_keeps_a_row_per_pair_and_a_second_one_replaces_it(selling: EmbeddedShop) -> None:
    selling.run()
    first = selling.rows("Forecast Snapshot")
    assert sorted(row["item_code"] for row in first) == ["Item 0", "Item 1"]
    assert len(json.loads(first[0]["figures"])) == 7 * len(LAGS)
    selling.run()
    assert [row["name"] for row in selling.rows("Forecast Snapshot")] == [row["name"] for row in first]


def test_what_was_forecast_before_a_week_began_stands(selling: EmbeddedShop) -> None:
    plan_as_of(selling, 2)
    before = {row["item_code"]: row["figures"] for row in selling.rows("Forecast Snapshot")}
    sell(selling, "Item 0", np.full(200, 90.0))
    plan_as_of(selling, 2)
    after = {row["item_code"]: row["figures"] for row in selling.rows("Forecast Snapshot")}
    assert after == before


def test_an_earlier_day_does_not_replace_a_later_one(selling: EmbeddedShop) -> None:
    selling.run()
    kept = {row["item_code"]: row["figures"] for row in selling.rows("Forecast Snapshot")}
    day = selling.site.as_of() - timedelta(days=1)
    assert last_whole_week(day) == last_whole_week(selling.site.as_of())
    run_company(selling.site, selling.company, triggered_by="Command", as_of=day)
    assert {row["item_code"]: row["figures"] for row in selling.rows("Forecast Snapshot")} == kept


def test_an_item_without_demand_is_not_kept(selling: EmbeddedShop) -> None:
    selling.item("Idle")
    sell(selling, "Idle", np.zeros(30))
    selling.run()
    assert "Idle" not in {row["item_code"] for row in selling.rows("Forecast Snapshot")}


# ---- judging ---------------------------------------------------------------------------------------------------------
def test_weeks_are_judged_by_what_came(selling: EmbeddedShop) -> None:
    for back in range(WEEKS_BACK, -1, -1):
        plan_as_of(selling, back)
    held = figures(selling)
    last = last_whole_week(selling.site.as_of() - timedelta(days=accuracy.SETTLING_DAYS))
    assert {row["measured_until"] for row in held.values()} == {last}
    # The snapshots begin in the week after the first run: as many weeks one week ahead as are over since then.
    assert {row["weeks"] for row in held.values()} == {WEEKS_BACK - 1}
    assert all(0 < row["wape_pct"] < 60 for row in held.values())
    demand = reads.buckets(selling.site, selling.company, last)
    sold = demand[demand["day"] <= pd.Timestamp(last) + pd.Timedelta(days=6)]["demand_qty"].sum()
    assert sum(row[4] for row in weeks(selling) if row[0] == last and row[1] == 1) == pytest.approx(sold)


def test_the_error_of_one_week_is_what_a_person_would_add_up(selling: EmbeddedShop) -> None:
    plan_as_of(selling, 2)
    (kept,) = [row for row in selling.rows("Forecast Snapshot") if row["item_code"] == "Item 0"]
    forecast = json.loads(kept["figures"])[0]
    demand = reads.buckets(selling.site, selling.company, kept["week_start"])
    own = demand[
        (demand["item_code"] == "Item 0") & (demand["day"] < pd.Timestamp(kept["week_start"]) + pd.Timedelta(days=7))
    ]
    sold = own["demand_qty"].sum()
    accuracy.measure(selling.site, selling.company, kept["week_start"] + timedelta(days=8))
    assert figures(selling)["Item 0"]["wape_pct"] == pytest.approx(100 * abs(forecast - sold) / sold, abs=0.05)


def test_a_second_measurement_changes_nothing(selling: EmbeddedShop) -> None:
    for back in range(3, -1, -1):
        plan_as_of(selling, back)
    before = (figures(selling), weeks(selling))
    done = accuracy.measure(selling.site, selling.company, selling.site.as_of())
    assert (done.weeks, done.rows) == (0, 0)
    assert (figures(selling), weeks(selling)) == before


def test_a_week_that_has_not_settled_is_left_for_later(selling: EmbeddedShop) -> None:
    plan_as_of(selling, 2)
    (kept,) = {row["week_start"] for row in selling.rows("Forecast Snapshot")}
    sunday = kept + timedelta(days=6)
    assert accuracy.measure(selling.site, selling.company, sunday + timedelta(days=1)).weeks == 0
    assert accuracy.measure(selling.site, selling.company, sunday + timedelta(days=2)).weeks == 1


@pytest.mark.parametrize("commits", [0, 1, 2])
def test_a_killed_measurement_is_completed_by_the_next_and_counts_nothing_twice(
    selling: EmbeddedShop, monkeypatch: pytest.MonkeyPatch, commits: int
) -> None:
    for back in (3, 2):
        plan_as_of(selling, back)
    day = selling.site.as_of()
    accuracy.measure(selling.site, selling.company, day)
    expected = (figures(selling), weeks(selling))
    for doctype in ("Forecast Accuracy", "Forecast Accuracy Week"):
        selling.site.write(f'DELETE FROM "tab{doctype}"')
    selling.site.commit()
    monkeypatch.setattr(accuracy, "ROWS_AT_ONCE", 1)
    left = [commits]
    commit = selling.site.commit

    def killed() -> None:
        if not left[0]:
            selling.site.rollback()
            raise KeyboardInterrupt
        left[0] -= 1
        commit()

    monkeypatch.setattr(selling.site, "commit", killed)
    with pytest.raises(KeyboardInterrupt):
        accuracy.measure(selling.site, selling.company, day)
    monkeypatch.setattr(selling.site, "commit", commit)
    accuracy.measure(selling.site, selling.company, day)
    assert (figures(selling), weeks(selling)) == expected


def test_a_week_out_of_stock_is_not_judged(shop: EmbeddedShop) -> None:
    shop.item("Gone")
    sold = np.full(60, 4.0)
    sold[-21:] = 0.0
    moved = np.concatenate([[sold.sum()], -sold])
    days = [shop.today - timedelta(days=1 + len(sold) - at) for at in range(len(moved))]
    kept = moved != 0
    shop.ledger(pd.DataFrame({
        "item_code": "Gone", "warehouse": shop.warehouse, "posting_date": pd.to_datetime(days)[kept],
        "actual_qty": moved[kept], "qty_after_transaction": moved[kept].cumsum(),
        "voucher_type": np.where(moved[kept] > 0, "Purchase Receipt", "Delivery Note"),
    }))  # fmt: skip
    for back in (4, 3, 2, 1, 0):
        plan_as_of(shop, back)
    unknown = [row for row in shop.rows("Forecast Accuracy Week") if row["pairs_unknown"]]
    assert {row["lag_weeks"] for row in unknown} >= {1}
    assert all(row["pairs"] == 0 and row["demand_qty"] == 0 for row in unknown)
    judged = sum(row["pairs"] for row in shop.rows("Forecast Accuracy Week") if row["lag_weeks"] == 1)
    assert judged == (shop.rows("Forecast Accuracy") or [{"weeks": 0}])[0]["weeks"]


# ---- overrides -------------------------------------------------------------------------------------------------------
def test_an_override_is_told_what_it_was_worth(selling: EmbeddedShop) -> None:
    begins = last_whole_week(selling.site.as_of()) - timedelta(days=7)
    name = selling.site.insert_document("Forecast Override", {
        "company": selling.company, "item_code": "Item 0", "warehouse": selling.warehouse, "status": "Approved",
        "from_date": begins, "to_date": begins + timedelta(days=6), "kind": "Percent", "value": 300.0,
        "reason": "a fair that was called off",
    })  # fmt: skip
    selling.site.commit()
    back = (selling.site.as_of() - begins).days // 7 + 1
    plan_as_of(selling, back)
    day = begins + timedelta(days=6 + accuracy.SETTLING_DAYS)
    accuracy.measure(selling.site, selling.company, day)
    override = selling.site.get_document("Forecast Override", name)
    assert override is not None
    assert override["wape_with"] > 150 > override["wape_without"] > 0
    assert override["value_added"] < -100


# ---- drift -----------------------------------------------------------------------------------------------------------
def drifting(shop: EmbeddedShop, verdict: str = drift.HIGHER, since: date | None = None) -> None:
    """As if the pair's sums had reached the limit."""
    rows = pd.DataFrame([{
        "item_code": "Item 0", "warehouse": shop.warehouse, "company": shop.company, "drift": verdict,
        "drift_since": since or shop.site.as_of() - timedelta(days=10), "weeks": 12, "mean_demand_qty": 60.0,
        "mean_forecast_qty": 40.0, "mae_qty": 25.0, "measured_until": shop.site.as_of() - timedelta(days=9),
        "state": "[]",
    }])  # fmt: skip
    shop.site.upsert_rows("Forecast Accuracy", rows, ("item_code", "warehouse"))
    shop.site.commit()


def faults(shop: EmbeddedShop) -> list[Any]:
    positions, items = reads.positions(shop.site, shop.company), reads.items(shop.site, shop.company)
    return accuracy.drift_faults(shop.site, shop.company, shop.site.as_of(), positions, items)


@pytest.mark.parametrize(
    ("verdict", "words", "money"),
    [
        (drift.HIGHER, "More is asked for than was forecast", 20 * 4 * 5.0),
        (drift.LOWER, "Less is asked for than was forecast", 20 * 4 * 5.0),
        (drift.WIDER, "misses by more than its intervals promised: 25 a week", 25 * 4 * 5.0),
    ],
)
def test_drift_is_a_fault_with_a_sentence_and_money(
    selling: EmbeddedShop, verdict: str, words: str, money: float
) -> None:
    drifting(selling, verdict)
    (fault,) = faults(selling)
    assert (fault.kind, fault.item_code, fault.money_at_risk) == ("Forecast Drift", "Item 0", money)
    assert words in fault.sentence()


def test_drift_that_was_judged_long_ago_is_past(selling: EmbeddedShop) -> None:
    drifting(selling)
    row = selling.site.qb.DocType("Forecast Accuracy")
    old = selling.site.as_of() - timedelta(days=120)
    selling.site.execute(selling.site.qb.update(row).set(row.measured_until, old))
    assert faults(selling) == []


def test_retraining_is_due_once_enough_demand_began_to_drift(selling: EmbeddedShop) -> None:
    settings = reads.company_settings(selling.site, selling.company)
    day = selling.site.as_of()
    assert accuracy.retraining_due(selling.site, settings, day, None)
    assert not accuracy.retraining_due(selling.site, settings, day, day - timedelta(days=30))
    drifting(selling)
    assert accuracy.retraining_due(selling.site, settings, day, day - timedelta(days=30))
    assert not accuracy.retraining_due(selling.site, settings, day, day - timedelta(days=5)), "learned since"
    selling.settings(retrain_on_drift=0)
    settings = reads.company_settings(selling.site, selling.company)
    assert not accuracy.retraining_due(selling.site, settings, day, day - timedelta(days=30))


def test_a_level_that_jumps_for_a_model_that_does_not_follow_becomes_an_exception(selling: EmbeddedShop) -> None:
    """The snapshots of eight weeks say 40 a week and a narrow band; what came is what the shop sold."""
    end = last_whole_week(selling.site.as_of() - timedelta(days=accuracy.SETTLING_DAYS))
    lag = [20.0, 20.0, 16.0, 18.0, 20.0, 22.0, 24.0]
    rows = pd.DataFrame({
        "company": selling.company, "item_code": "Item 0", "warehouse": selling.warehouse,
        "week_start": [pd.Timestamp(end - timedelta(days=7 * back)) for back in range(8)],
        "as_of": [pd.Timestamp(end - timedelta(days=7 * back + 1)) for back in range(8)],
        "figures": json.dumps(lag * len(LAGS)),
    })  # fmt: skip
    selling.site.insert_rows("Forecast Snapshot", rows)
    selling.site.commit()
    selling.run()
    (case,) = selling.cases(exception_type="Forecast Drift")
    assert case["item_code"] == "Item 0"
    assert "More is asked for" in case["message"]
    assert case["money_at_risk"] > 0
