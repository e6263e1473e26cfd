"""The exception queue: what a run finds in open orders and prices, which cases are raised, whose and by when."""

from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from embedded_shop import EmbeddedShop

from erp_forecast_addon.planning.errors import FAULT_KINDS, Fault
from erp_forecast_addon.planning.purchasing.faults import SUPPLY_TOO_LATE
from erp_forecast_addon.services import exception_rules, watch
from erp_forecast_addon.services.exception_rules import DEFAULT_RULES, Rule, clock, due_at, rules_of

FRIDAY = datetime(2026, 11, 20, 15, 0)
WEEKEND = {date(2026, 11, 21), date(2026, 11, 22)}


def order(shop: EmbeddedShop, item: str, qty: float, due_in: int, *, placed: int = 3, rate: float = 5.0) -> str:
    """A submitted Purchase Order of one line; its name."""
    day = shop.today
    name = shop.site.insert_document("Purchase Order", {
        "supplier": "Fast Supplies", "company": shop.company, "docstatus": 1, "status": "To Receive",
        "transaction_date": day - timedelta(days=placed), "currency": "EUR",
        "items": [{
            "item_code": item, "warehouse": shop.warehouse, "qty": qty, "uom": "Nos", "stock_uom": "Nos",
            "conversion_factor": 1, "stock_qty": qty, "rate": rate, "base_rate": rate,
            "schedule_date": day + timedelta(days=due_in),
        }],
    })  # fmt: skip
    shop.site.commit()
    return name


def rule(shop: EmbeddedShop, kind: str, **values: Any) -> None:
    held = (shop.site.get_document("Forecast Settings", "Forecast Settings") or {}).get("exception_rules", [])
    row = {"exception_type": kind, "raised": 1, "severity": "Medium", "make_todo": 1, **values}
    shop.site.update_document("Forecast Settings", "Forecast Settings", {"exception_rules": [*held, row]})
    shop.site.commit()


def case(shop: EmbeddedShop, kind: str) -> dict[str, Any]:
    (found,) = shop.cases(exception_type=kind)
    return found


# ---- open orders ------------------------------------
def test_an_order_for_demand_that_went_away_is_to_be_cancelled_and_one_too_late_expedited(shop: EmbeddedShop) -> None:
    shop.stocked_item("Bolt", daily=10, on_hand=200, lead_time_days=5)
    shop.stocked_item("Idle", daily=1, on_hand=900, lead_time_days=5)
    late, idle = order(shop, "Bolt", 400, 40), order(shop, "Idle", 50, 10)
    shop.run()
    bolt, nut = case(shop, "Expedite Order"), case(shop, "Cancel Order")
    assert (bolt["purchase_order"], bolt["item_code"], bolt["severity"]) == (late, "Bolt", "High")
    assert bolt["money_at_risk"] > 0
    assert bolt["message"].startswith(
        f"{late}: 400 Nos of Bolt for Stores - S are agreed for 2026-12-31, but wanted by"
    )
    assert (nut["purchase_order"], nut["money_at_risk"]) == (idle, 250)
    assert not shop.cases(exception_type="Defer Order")


def test_an_order_that_comes_long_before_it_is_wanted_is_to_be_put_off(shop: EmbeddedShop) -> None:
    shop.stocked_item("Bolt", daily=10, on_hand=600, lead_time_days=5)
    order(shop, "Bolt", 400, 5)
    shop.run()
    assert "days later" in case(shop, "Defer Order")["message"]
    shop.settings(reschedule_late_days=60)
    shop.run()
    closed = case(shop, "Defer Order")
    assert (closed["status"], bool(closed["closed_at"])) == ("Resolved", True)
    assert closed["note"] == "Closed by the run of 2026-11-21: it does not hold any more."


def test_an_order_that_is_right_raises_nothing(shop: EmbeddedShop) -> None:
    shop.stocked_item("Bolt", daily=10, on_hand=200, lead_time_days=5)
    order(shop, "Bolt", 300, 17)
    shop.run()
    kinds = {c["exception_type"] for c in shop.cases()}
    assert not kinds & {"Expedite Order", "Defer Order", "Cancel Order", "Late Supply"}


def test_an_overdue_order_is_told_once_with_its_line_and_not_again_for_its_pair(shop: EmbeddedShop) -> None:
    shop.stocked_item("Bolt", daily=10, on_hand=20, lead_time_days=5)
    first, second = order(shop, "Bolt", 60, -4, placed=20), order(shop, "Bolt", 60, -2, placed=20)
    shop.run()
    cases = shop.cases(exception_type="Late Supply")
    assert {c["purchase_order"] for c in cases} == {first, second}, "each line is a case of its own"
    assert all("Ask Fast Supplies for a new date" in c["message"] for c in cases)
    shop.run()
    assert len(shop.cases(exception_type="Late Supply")) == 2


def test_a_pair_whose_line_is_told_is_not_told_again() -> None:
    pair = {"item_code": "A", "warehouse": "W"}
    enough_too_late = Fault("Unavoidable Shortage", SUPPLY_TOO_LATE, {}, **pair)
    other = Fault("Unavoidable Shortage", SUPPLY_TOO_LATE, {}, item_code="B", warehouse="W")
    line = Fault("Expedite Order", "x", {}, **pair, order_line="L")
    assert watch.without_doubles([enough_too_late, other], [line]) == [other, line]
    today, ahead = (Fault("No Price", words, {}, item_code="A", supplier="S") for words in ("now", "later"))
    assert watch.without_doubles([today], [ahead]) == [today]


def test_missing_master_data_is_told_before_an_order_is_due_ranked_by_money(shop: EmbeddedShop) -> None:
    shop.stocked_item("Priceless", daily=2, on_hand=60, rate=None, standard_rate=8)
    shop.stocked_item("Boxed", daily=10, on_hand=300, purchase_uom="Box", standard_rate=8)
    shop.item("Orphan", lead_time_days=5, standard_rate=8)
    shop.history("Orphan", daily=4, on_hand=100)
    shop.item("Made", default_material_request_type="Manufacture", standard_rate=8, lead_time_days=5)
    shop.history("Made", daily=4, on_hand=100)
    shop.item("Plenty", standard_rate=8)
    shop.history("Plenty", daily=1, on_hand=900)
    shop.run()
    kinds = ("No Supplier", "No Price", "No UOM Conversion")
    found = [c for c in shop.cases() if c["exception_type"] in kinds]
    found.sort(key=lambda c: -c["money_at_risk"])
    assert [(c["item_code"], c["exception_type"]) for c in found] == [
        ("Boxed", "No UOM Conversion"), ("Orphan", "No Supplier"), ("Priceless", "No Price"),
    ]  # fmt: skip
    assert [c["money_at_risk"] for c in found] == pytest.approx([560, 224, 112], rel=0.01), "a week's sales"
    assert found[1]["due_on"] == shop.today + timedelta(days=20), "100 last 25 days, and it takes 5 to arrive"
    assert "It has to be ordered by 2026-12-11" in found[1]["message"]
    lead_time = case(shop, "No Lead Time")
    assert lead_time["item_code"] == "Plenty"
    assert lead_time["money_at_risk"] == pytest.approx(0.5 * 14 * 1 * 8, rel=0.01)


def test_a_price_that_jumped_is_told_with_its_money_a_year(shop: EmbeddedShop) -> None:
    shop.stocked_item("Bolt", daily=10, on_hand=900, rate=None)
    for placed, rate in ((200, 5.0), (150, 5.0), (100, 5.0), (2, 8.0)):
        name = order(shop, "Bolt", 10, 5, placed=placed, rate=rate)
        if placed > 2:
            shop.site.set_fields("Purchase Order", name, {"status": "Closed"})
    shop.site.commit()
    shop.run()
    found = case(shop, "Price Jump")
    assert found["money_at_risk"] == pytest.approx(3 * 10 * 365, rel=0.02)
    assert found["supplier"] == "Fast Supplies"
    shop.settings(price_jump_pct=70)
    shop.run()
    assert case(shop, "Price Jump")["status"] == "Resolved"


def test_a_supplier_that_slips_is_told(shop: EmbeddedShop) -> None:
    shop.stocked_item("Bolt", daily=10, on_hand=900)
    for number, back in enumerate(np.linspace(400, 20, 20)):
        delay = 0 if back > 100 else 9
        ordered, agreed = int(back) + 15, int(back) + delay
        name = order(shop, "Bolt", 10, -agreed, placed=ordered)
        (line,) = (shop.site.get_document("Purchase Order", name) or {})["items"]
        shop.site.insert_document("Purchase Receipt", {
            "supplier": "Fast Supplies", "company": shop.company, "docstatus": 1,
            "posting_date": shop.today - timedelta(days=int(back)),
            "items": [{
                "item_code": "Bolt", "warehouse": shop.warehouse, "qty": 10, "stock_qty": 10, "conversion_factor": 1,
                "purchase_order": name, "purchase_order_item": line["name"],
            }],
        })  # fmt: skip
        shop.site.set_fields("Purchase Order Item", line["name"], {"received_qty": 10})
        assert number < 20
    shop.site.commit()
    shop.run()
    found = case(shop, "Supplier Going Late")
    assert "9 days after the agreed date in the last 90 days" in found["message"]
    assert found["money_at_risk"] > 0


# ---- the rule table ------------------------------------
def test_every_kind_has_a_rule() -> None:
    assert set(DEFAULT_RULES) == set(FAULT_KINDS)
    assert {rule.severity for rule in DEFAULT_RULES.values()} <= set(exception_rules.SEVERITIES)


def test_the_rule_table_decides_what_is_raised(shop: EmbeddedShop) -> None:
    shop.stocked_item("Idle", daily=1, on_hand=900, lead_time_days=5)
    order(shop, "Idle", 50, 10)
    shop.run()
    assert case(shop, "Cancel Order")["status"] == "Open"
    rule(shop, "Cancel Order", money_from=251)
    shop.run()
    assert case(shop, "Cancel Order")["status"] == "Resolved", "250 are less than the rule asks for"
    rule(shop, "Cancel Order", company=shop.company, money_from=250, severity="Critical", hours=4)
    shop.run()
    back = case(shop, "Cancel Order")
    assert (back["status"], back["severity"], back["reopened"]) == ("Open", "Critical", 1)
    assert back["note"] == "Opened again by the run of 2026-11-21: it is back."
    rule(shop, "Cancel Order", company="Another", raised=0)
    shop.run()
    assert case(shop, "Cancel Order")["status"] == "Open", "another company's rule is none of ours"
    rule(shop, "Cancel Order", company=shop.company, raised=0)
    shop.run()
    assert case(shop, "Cancel Order")["status"] == "Resolved"
    assert rules_of(shop.site, "Another")["Cancel Order"].raised is False


# ---- the clock ------------------------------------
def test_the_clock_stands_still_on_days_off() -> None:
    assert clock(FRIDAY, 8, ()) == datetime(2026, 11, 20, 23, 0)
    assert clock(FRIDAY, 24, WEEKEND) == datetime(2026, 11, 23, 15, 0)
    assert clock(FRIDAY, 9, WEEKEND) == datetime(2026, 11, 21, 0, 0), "the end of Friday"
    assert clock(FRIDAY, 10, WEEKEND) == datetime(2026, 11, 23, 1, 0)
    assert clock(datetime(2026, 11, 21, 12, 0), 1, WEEKEND) == datetime(2026, 11, 23, 1, 0)
    assert clock(FRIDAY, 0, WEEKEND) == FRIDAY
    every_day = {FRIDAY.date() + timedelta(days=number) for number in range(900)}
    assert clock(FRIDAY, 5, every_day) == FRIDAY + timedelta(hours=5), "a list of nothing but holidays is a mistake"


def test_a_case_is_due_by_its_clock_and_no_later_than_acting_helps() -> None:
    hours = {"Critical": 8, "High": 24, "Medium": 72, "Low": 168}
    medium = Rule(severity="Medium")
    assert due_at(FRIDAY, medium, hours, None, set()) == FRIDAY + timedelta(hours=72)
    assert due_at(FRIDAY, Rule(severity="Low", hours=1), hours, None, set()) == FRIDAY + timedelta(hours=1)
    assert due_at(FRIDAY, medium, hours, date(2026, 11, 21), set()) == datetime(2026, 11, 21, 23, 59)
    assert due_at(FRIDAY, medium, hours, date(2026, 11, 1), set()) == FRIDAY + timedelta(hours=72), "too late already"


def test_the_clock_of_a_case_runs_from_when_it_was_opened_and_anew_when_it_comes_back(shop: EmbeddedShop) -> None:
    shop.stocked_item("Idle", daily=1, on_hand=900, lead_time_days=5)
    order(shop, "Idle", 50, 30)
    shop.run()
    first = case(shop, "Cancel Order")
    assert first["due_at"] - first["opened_at"] == timedelta(hours=72)
    shop.run()
    assert case(shop, "Cancel Order")["due_at"] == first["due_at"], "seen again, still as long open"
    shop.site.update_document(
        "Planning Exception", first["name"], {"status": "Resolved", "note": "The supplier said yes."}
    )
    shop.site.commit()
    shop.run()
    again = case(shop, "Cancel Order")
    assert again["opened_at"] > first["opened_at"]
    assert again["due_at"] > first["due_at"]
    assert (again["status"], again["reopened"]) == ("Open", 1)
    assert again["note"] == "Opened again by the run of 2026-11-21: it was resolved, but still holds."


def test_a_snooze_is_respected_until_its_day_and_a_snoozed_case_that_is_over_closes(shop: EmbeddedShop) -> None:
    for item in ("Idle", "Over"):
        shop.stocked_item(item, daily=1, on_hand=900, lead_time_days=5)
    order(shop, "Idle", 50, 30)
    gone = order(shop, "Over", 50, 30)
    shop.run()
    for each in shop.cases(exception_type="Cancel Order"):
        shop.site.update_document(
            "Planning Exception", each["name"], {"status": "Snoozed", "snoozed_until": shop.today + timedelta(days=2)}
        )
    shop.site.set_fields("Purchase Order", gone, {"status": "Closed"})
    shop.site.commit()

    def states() -> dict[str, str]:
        return {c["item_code"]: c["status"] for c in shop.cases(exception_type="Cancel Order")}

    shop.run()
    assert states() == {"Idle": "Snoozed", "Over": "Resolved"}
    shop.site.set_now(shop.site.now() + timedelta(days=1))
    shop.run()
    assert states()["Idle"] == "Snoozed"
    shop.site.set_now(shop.site.now() + timedelta(days=1))
    shop.run()
    (idle,) = [c for c in shop.cases(exception_type="Cancel Order") if c["item_code"] == "Idle"]
    assert (idle["status"], idle["snoozed_until"], idle["reopened"]) == ("Open", None, 0)
    assert idle["note"] == "Opened again by the run of 2026-11-23: the snooze is over, and it still holds."


# ---- owners ------------------------------------
def frame(*cases: tuple[str, str, str]) -> pd.DataFrame:
    return pd.DataFrame(cases, columns=["exception_type", "item_code", "supplier"])


def test_a_case_goes_to_whoever_looks_after_its_item_or_supplier(shop: EmbeddedShop) -> None:
    shop.site.insert_document("Item Group", {"item_group_name": "All", "is_group": 1, "forecast_planner": "all@x"})
    shop.site.insert_document("Item Group", {"item_group_name": "Goods", "parent_item_group": "All"})
    shop.stocked_item("Bolt", "Ada & Co", days=5)
    shop.stocked_item("Nut", "Bob & Co", days=5, forecast_planner="nut@x")
    shop.supplier("Ada & Co", forecast_buyer="ada@x")
    rules = dict(DEFAULT_RULES) | {
        "Outlier": Rule(owner_by="User", responsible="one@x"), "Bad Data": Rule(owner_by="Role", role="Nobody's"),
    }  # fmt: skip
    cases = frame(
        ("Negative Stock", "Bolt", ""), ("Negative Stock", "Nut", ""), ("Late Supply", "Bolt", ""),
        ("Late Supply", "Nut", "Ada & Co"), ("Late Supply", "Nut", "Bob & Co"), ("Outlier", "Nut", ""),
        ("Bad Data", "Nut", ""), ("Supplier Going Late", "", "Bob & Co"),
    )  # fmt: skip
    found = exception_rules.owners(shop.site, shop.company, cases, rules, "boss@x", pd.Series(dtype=int))
    assert found.tolist() == ["all@x", "nut@x", "ada@x", "ada@x", "nut@x", "one@x", "boss@x", "boss@x"]


def test_a_role_shares_its_cases_by_load(shop: EmbeddedShop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(shop.site), "users_with_role", lambda self, role, company: ["a@x", "b@x"])
    cases = frame(*[("Outlier", "Bolt", "")] * 4)
    rules = dict(DEFAULT_RULES) | {"Outlier": Rule(owner_by="Role", role="Buyers")}
    found = exception_rules.owners(shop.site, shop.company, cases, rules, None, pd.Series({"a@x": 2}))
    assert sorted(found) == ["a@x", "b@x", "b@x", "b@x"]
