"""Queries about policies: what planners said, the levels that stand, lower prices for larger orders."""

from datetime import date
from typing import Any


def planning_rules(qb: Any, company: str) -> Any:
    rule = qb.DocType("Planning Rule")
    fields = (
        "name", "abc_class", "xyz_class", "item_group", "item_code", "warehouse", "method", "service_target_pct",
        "min_qty", "set_min_qty", "max_qty", "set_max_qty", "holding_cost_pct", "order_cost", "shortage_cost",
        "occasion_cost",
    )  # fmt: skip
    query = qb.from_(rule).select(*(rule[name] for name in fields))
    return query.where((rule.company == company) & (rule.enabled == 1)).orderby(rule.name)


def standing_levels(qb: Any, company: str) -> Any:
    """The levels of the last plan."""
    policy = qb.DocType("Safety Stock Policy")
    fields = (
        "item_code", "warehouse", "method", "service_level_pct", "clamp", "planning_rule", "safety_stock_qty",
        "reorder_point_qty", "order_up_to_qty",
    )  # fmt: skip
    return qb.from_(policy).select(*(policy[name] for name in fields)).where(policy.company == company)


_APPLIED_ON = {"Item Code": "item_code", "Item Group": "item_group", "Brand": "brand"}


def buying_price_rules(qb: Any, company: str, today: date, apply_on: str = "Item Code") -> Any:
    """Pricing Rules that lower a price from a quantity on, by what they apply on; those that only a document can meet
    left out."""
    rule, line = qb.DocType("Pricing Rule"), qb.DocType(f"Pricing Rule {apply_on}")
    named = _APPLIED_ON[apply_on]
    query = (
        qb.from_(rule)
        .join(line)
        .on((line.parent == rule.name) & (line.parenttype == "Pricing Rule"))
        .select(
            line[named], line.uom, rule.supplier, rule.min_qty, rule.rate_or_discount, rule.rate,
            rule.discount_percentage, rule.discount_amount, rule.currency,
        )
        .where((rule.disable == 0) & (rule.buying == 1) & (rule.min_qty > 0))
        .where((rule.apply_on == apply_on) & (rule.price_or_product_discount == "Price"))
        .where(rule.coupon_code_based == 0)
        .where(rule.company.isnull() | (rule.company == "") | (rule.company == company))
        .where(rule.valid_from.isnull() | (rule.valid_from <= today))
        .where(rule.valid_upto.isnull() | (rule.valid_upto >= today))
    )  # fmt: skip
    for field in ("warehouse", "supplier_group", "condition"):
        query = query.where(rule[field].isnull() | (rule[field] == ""))
    return query.orderby(line[named]).orderby(rule.min_qty)
