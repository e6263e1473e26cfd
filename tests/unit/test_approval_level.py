"""How many people have to approve an order, and the sentence that says why."""

from dataclasses import replace
from typing import Any

import pandas as pd
import pytest

from erp_forecast_addon.planning.purchasing.approval_level import (
    ApprovalRules,
    Evidence,
    Verdict,
    judge_orders,
)

OFF = ApprovalRules()


def verdict(rules: ApprovalRules, evidence: Evidence | None = None, *, amount: float = 100.0, **order: Any) -> Verdict:
    orders = pd.DataFrame([{"name": "A", "supplier": "S", "base_amount": amount, **order}])
    lines = pd.DataFrame([
        {"name": "A", "item_code": "Bolt", "warehouse": "W", "stock_qty": 10.0, "base_amount": amount * 0.9},
        {"name": "A", "item_code": "Nut", "warehouse": "W", "stock_qty": 5.0, "base_amount": amount * 0.1},
    ])  # fmt: skip
    return judge_orders(orders, lines, evidence or Evidence(), rules, "EUR")["A"]


def former(*amounts: float, supplier: str = "S") -> pd.DataFrame:
    return pd.DataFrame({"supplier": supplier, "base_amount": list(amounts)})


def test_without_rules_one_approver_decides():
    assert verdict(OFF, amount=1e9) == Verdict("One Approver", (("One approver decides.", {}),))


def test_up_to_its_limit_an_order_approves_itself_and_above_it_does_not():
    rules = replace(OFF, automatic_limit=100.0)
    assert verdict(rules, amount=100.0).level == "Automatic"
    above = verdict(rules, amount=100.01)
    assert above.level == "One Approver"
    assert "100.01 EUR is above the 100.00 EUR that may approve themselves" in above.text()


@pytest.mark.parametrize(("order", "sentence"), [
    ({"edited": True}, "A person has edited the draft."),
    ({"doubt": "Bolt"}, "The plan has something to say about Bolt."),
])  # fmt: skip
def test_what_a_person_or_the_plan_has_touched_does_not_approve_itself(order, sentence):
    found = verdict(replace(OFF, automatic_limit=1000.0), **order)
    assert found.level == "One Approver"
    assert sentence in found.text()


def test_above_the_second_limit_two_decide_even_below_the_automatic_one():
    rules = replace(OFF, automatic_limit=10_000.0, second_above=500.0)
    assert verdict(rules, amount=500.0).level == "Automatic"
    assert verdict(rules, amount=500.01).level == "Two Approvers"


def test_an_order_far_from_the_suppliers_usual_one_is_named_with_its_distance():
    rules = replace(OFF, automatic_limit=1000.0, change_share=0.5)
    usual = Evidence(orders=former(80, 100, 120))
    assert verdict(rules, usual, amount=150.0).level == "Automatic"
    found = verdict(rules, usual, amount=250.0)
    assert found.level == "One Approver"
    assert (
        "The order is 150% more than usual: 250.00 EUR, where the last 3 orders from S were about 100.00"
        in found.text()
    )
    assert "80% less than usual" in verdict(rules, usual, amount=20.0).text()


def test_two_former_orders_say_nothing_of_what_is_usual():
    rules = replace(OFF, automatic_limit=1000.0, change_share=0.5)
    assert verdict(rules, Evidence(orders=former(10, 10)), amount=500.0).level == "Automatic"
    assert verdict(rules, Evidence(orders=former(10, 10, 10, supplier="Other")), amount=500.0).level == "Automatic"


def test_a_line_far_from_its_items_usual_quantity_is_named_the_furthest_first():
    rules = replace(OFF, automatic_limit=1000.0, change_share=1.0)
    lines = pd.DataFrame({"item_code": ["Bolt"] * 3 + ["Nut"] * 3, "stock_qty": [4.0] * 3 + [1.0] * 3})
    found = verdict(rules, Evidence(lines=lines))
    assert "Nut is 400% more than usual: 5, where its last 3 orders were about 1." in found.text()


def test_confidence_is_weighted_with_the_money_of_the_lines():
    judged = pd.DataFrame({
        "item_code": ["Bolt", "Nut"], "warehouse": "W", "wape": [0.2, 1.2], "coverage": [0.8, 0.3],
    })  # fmt: skip
    rules = replace(OFF, automatic_limit=1000.0, error_share=0.31, coverage_share=0.7)
    assert verdict(rules, Evidence(judged=judged)).level == "Automatic", "0.9·0.2 + 0.1·1.2 = 0.3; coverage 0.75"
    found = verdict(replace(rules, error_share=0.29, coverage_share=0.76), Evidence(judged=judged))
    assert "an error of 30%, more than 29%" in found.text()
    assert "Only 75% of what came lay inside the 80% interval" in found.text()


def test_a_forecast_that_nobody_has_judged_is_not_certain():
    rules = replace(OFF, automatic_limit=1000.0, error_share=0.5)
    nut_only = pd.DataFrame({"item_code": ["Nut"], "warehouse": ["W"], "wape": [0.1], "coverage": [0.9]})
    assert "For 90% of its money no forecast has been judged yet." in verdict(rules, Evidence(judged=nut_only)).text()


def test_only_exceptions_of_the_classes_asked_for_count_and_only_where_they_belong():
    cases = pd.DataFrame([
        {"kind": "No Price", "item_code": "Bolt"},
        {"kind": "Outlier", "item_code": "Nut", "warehouse": "Elsewhere"},
        {"kind": "Supplier Blocked", "supplier": "S"},
        {"kind": "Outlier", "supplier": "Someone else"},
    ])  # fmt: skip
    rules = replace(OFF, automatic_limit=1000.0)
    evidence = Evidence(cases=cases)
    assert verdict(replace(rules, kinds=("Outlier",)), evidence).level == "Automatic"
    assert "No Price (Bolt)" in verdict(replace(rules, kinds=("No Price",)), evidence).text()
    assert "Supplier Blocked (S)" in verdict(replace(rules, kinds=("Supplier Blocked",)), evidence).text()


def test_a_threshold_may_ask_for_two():
    rules = replace(OFF, change_share=0.5, threshold_level="Two Approvers")
    found = verdict(rules, Evidence(orders=former(10, 10, 10)))
    assert found.level == "Two Approvers"
    assert found.text().endswith("So two approvers decide.")


def test_sentences_are_translated_before_they_are_filled():
    assert verdict(OFF).text(lambda template: template.upper()) == "ONE APPROVER DECIDES."
