"""Level Change Sets and their lines, and what a proposal reads besides the levels: queries."""

from collections.abc import Sequence
from typing import Any

from pypika import functions

SET, LINE = "Level Change Set", "Level Change"
LINE_COLUMNS = (
    "name", "kind", "status", "item_code", "warehouse", "is_new_row", "old_level", "old_qty", "new_level", "new_qty",
    "proposed_level", "proposed_qty", "unit_cost", "cash_effect", "review", "review_reason", "reviewed_by",
    "reviewed_at",
)  # fmt: skip


def of_parents(qb: Any, query: Any, item_codes: Sequence[str]) -> Any:
    """A query over Item Reorder, of these items only."""
    return query.where(qb.DocType("Item Reorder").parent.isin(list(item_codes)))


def sets(qb: Any, company: str | None, statuses: Sequence[str]) -> Any:
    """Change sets in one of these states, oldest first."""
    made = qb.DocType(SET)
    query = (
        qb.from_(made)
        .select(made.name, made.company, made.status, made.error, made.modified, made.rejected_until)
        .where(made.status.isin(list(statuses)))
    )
    query = query if company is None else query.where(made.company == company)
    return query.orderby(made.creation).orderby(made.name)


def sets_to_show(qb: Any, companies: Sequence[str]) -> Any:
    """Every set of these companies, oldest first."""
    made = qb.DocType(SET)
    columns = ("name", "company", "status", "as_of", "changes", "cash_effect", "currency", "left_alone", "kept")
    return (
        qb.from_(made)
        .select(*(made[name] for name in columns))
        .where(made.company.isin(list(companies)))
        .orderby(made.creation)
        .orderby(made.name)
    )


def largest_lines(qb: Any, change_set: str, most: int) -> Any:
    """The lines with the largest cash effect, with why and what became of them."""
    line = qb.DocType(LINE)
    columns = (*LINE_COLUMNS, "reason", "note")
    return (
        qb.from_(line)
        .select(*(line[name] for name in columns))
        .where(line.change_set == change_set)
        .orderby(line.cash_size, order=qb.desc)
        .orderby(line.item_code)
        .orderby(line.warehouse)
        .limit(most)
    )


def lines(qb: Any, change_set: str, statuses: Sequence[str] | None = None) -> Any:
    """Lines of a set, whole items together."""
    line = qb.DocType(LINE)
    query = qb.from_(line).select(*(line[name] for name in LINE_COLUMNS)).where(line.change_set == change_set)
    query = query if statuses is None else query.where(line.status.isin(list(statuses)))
    return query.orderby(line.item_code).orderby(line.kind).orderby(line.warehouse)


def lines_in_words(qb: Any, change_set: str) -> Any:
    """What sums and counts of a set are made of."""
    line = qb.DocType(LINE)
    columns = ("status", "kind", "moves", "review", "abc_class", "item_group", "unit_cost", "cash_effect")
    return qb.from_(line).select(*(line[name] for name in columns)).where(line.change_set == change_set)


def lines_named(qb: Any, names: Sequence[str]) -> Any:
    line = qb.DocType(LINE)
    columns = (*LINE_COLUMNS, "change_set", "company")
    return qb.from_(line).select(*(line[name] for name in columns)).where(line.name.isin(list(names)))


def reviewed(qb: Any, company: str) -> Any:
    """Lines of the company that a reviewer excluded, edited or included, the latest review last."""
    line = qb.DocType(LINE)
    return (
        qb.from_(line)
        .select(*(line[name] for name in LINE_COLUMNS))
        .where((line.company == company) & line.review.isin(["Excluded", "Edited", "Included"]))
        .orderby(line.reviewed_at)
        .orderby(line.creation)
    )


def counts(qb: Any, change_set: str) -> Any:
    """status, number of lines."""
    line = qb.DocType(LINE)
    return (
        qb.from_(line)
        .select(line.status, functions.Count(line.name).as_("lines"))
        .where(line.change_set == change_set)
        .groupby(line.status)
    )


def policy_texts(qb: Any, company: str, run: str) -> Any:
    """What a reviewer sees of the policy that a level comes from."""
    policy = qb.DocType("Safety Stock Policy")
    return qb.from_(policy).select(
        policy.item_code, policy.warehouse, policy.abc_class, policy.explanation, policy.lead_time_demand_qty,
        policy.safety_stock_qty,
    ).where((policy.company == company) & (policy.forecast_run == run))  # fmt: skip


def policy_names(qb: Any, company: str, item_codes: Sequence[str]) -> Any:
    policy = qb.DocType("Safety Stock Policy")
    return (
        qb.from_(policy)
        .select(policy.name, policy.item_code, policy.warehouse)
        .where((policy.company == company) & policy.item_code.isin(list(item_codes)))
    )


def bin_costs(qb: Any, company: str) -> Any:
    """What a stock unit is worth in each of the company's warehouses, where that is known."""
    stock, house = qb.DocType("Bin"), qb.DocType("Warehouse")
    return (
        qb.from_(stock)
        .join(house)
        .on(stock.warehouse == house.name)
        .select(stock.item_code, stock.warehouse, stock.valuation_rate)
        .where((house.company == company) & (stock.valuation_rate > 0))
    )


def item_texts(qb: Any) -> Any:
    item = qb.DocType("Item")
    return qb.from_(item).select(item.name.as_("item_code"), item.item_name, item.item_group, item.stock_uom)


def item_costs(qb: Any) -> Any:
    item = qb.DocType("Item")
    return qb.from_(item).select(item.name.as_("item_code"), item.valuation_rate, item.last_purchase_rate)


def items(qb: Any, item_codes: Sequence[str]) -> Any:
    """What decides about writing to these items."""
    item = qb.DocType("Item")
    return (
        qb.from_(item)
        .select(item.name.as_("item_code"), item.safety_stock, item.variant_of)
        .where(item.name.isin(list(item_codes)))
    )


def hold_items(qb: Any, item_codes: Sequence[str]) -> Any:
    """A write that changes nothing but holds the items until the transaction ends: no form is saved in between."""
    item = qb.DocType("Item")
    return qb.update(item).set(item.modified, item.modified).where(item.name.isin(list(item_codes)))
