"""A line's evidence as a person reads it: what is ordered ahead, what bounds it, who else was considered."""

from typing import Any

from erp_forecast_addon.planning.purchasing.evidence_steps import differences, quantity_rule, steps

# A planner's fixed level of 100 against a position of 40.
LINE: dict[str, Any] = {
    "on_hand_qty": 30.0, "open_supply_qty": 10.0, "draft_qty": 0.0, "above_forecast_qty": 0.0, "position_qty": 40.0,
    "daily_demand_mean": 5.0, "daily_demand_std": 0.0, "lead_time_days": 7.0, "lead_time_std_days": 0.0,
    "lead_time_source": "receipts", "lead_time_demand_qty": 35.0, "protection_demand_qty": 100.0,
    "protection_days": 20.0, "service_level": 0.5, "abc_class": "A", "safety_stock_qty": 0.0, "reorder_point_qty": 35.0,
    "order_up_to_qty": 100.0, "need_qty": 60.0, "min_order_qty": 0.0, "order_multiple_qty": 0.0,
    "conversion_factor": 1.0, "uom_whole": True, "stock_uom_whole": True, "stock_qty": 60.0, "stock_uom": "Nos",
    "uom": "Nos", "supplier": "Own", "rate": 2.0, "currency": "EUR", "price_known": True,
    "suppliers": [{"supplier": "Own", "is_default": True, "blocked_reason": "", "base_rate": 2.0, "total_cost": 130.0,
                   "saving": 0.0, "sooner_days": 0.0}],
}  # fmt: skip


def read(**values: Any) -> tuple[dict[str, Any], str]:
    """The steps by label, filled in, and the rule in words."""
    told = LINE | values
    assert not differences(told), differences(told)
    found = {step.label.format(**step.values): step.value for step in steps(told)}
    return found, " ".join(each.template.format(**each.values) for each in quantity_rule(told))


def test_what_is_wanted_ahead_is_told_apart_from_what_is_missing() -> None:
    shown, rule = read(ahead_qty=15.0, filled_days=3.0, need_qty=75.0, stock_qty=75.0)
    assert shown["Wanted ahead, to fill the order"] == 15.0
    assert shown["Missing, with what is wanted ahead"] == 75.0
    assert rule.startswith("60 Nos are missing between the position of 40")
    assert "15 Nos more are wanted ahead, so that the order reaches the supplier's minimum" in rule
    shown, rule = read(ahead_qty=15.0, need_qty=75.0, stock_qty=75.0)
    assert shown["Wanted ahead, until the next order day"] == 15.0
    assert "takes orders again only later" in rule


def test_a_line_pulled_forward_misses_nothing_yet() -> None:
    _shown, rule = read(
        on_hand_qty=95.0, position_qty=105.0, ahead_qty=15.0, pulled_forward_days=3.0, need_qty=10.0, stock_qty=10.0
    )
    assert "is not below the order-up-to level of 100" in rule
    assert "missing between" not in rule


def test_the_most_is_shown_and_named_where_it_cut() -> None:
    shown, rule = read(most_order_qty=50.0, stock_qty=50.0)
    assert shown["Most, by shelf life and maximum stock"] == 50.0
    assert "Cut to 50 Nos" in rule
    shown, rule = read(most_order_qty=500.0)
    assert shown["Most, by shelf life and maximum stock"] == 500.0
    assert "Cut to" not in rule


def test_other_suppliers_are_shown_with_the_difference_in_money_and_days() -> None:
    others = [
        {"supplier": "Fast", "blocked_reason": "", "base_rate": 3.0, "total_cost": 190.0, "sooner_days": 4.0},
        {"supplier": "Slow", "blocked_reason": "", "base_rate": 1.0, "total_cost": 100.0, "sooner_days": -9.0},
        {"supplier": "Held", "blocked_reason": "Held is on hold.", "base_rate": None},
    ]
    shown, _rule = read(suppliers=[*LINE["suppliers"], *others])
    assert shown["Considered: Fast, 60 dearer in all, 4 days sooner"] == 3.0
    assert shown["Considered: Slow, 30 cheaper in all, 9 days later"] == 1.0
    assert shown["Considered: Held, Held is on hold"] == "no price known"


def test_the_weeks_money_is_shown_where_there_is_a_limit() -> None:
    assert not [label for label in read()[0] if "cut is after" in label]
    shown, _rule = read(budget_rank=2.0, budget_lines=5.0, budget_last_rank=3.0, margin_per_money=0.4)
    assert shown["Rank of 5 lines; the cut is after rank 3"] == 2.0
    assert shown["Margin protected per money spent"] == 0.4
