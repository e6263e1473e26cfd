"""What is known ahead and said by people, as PyPika builders that run on both sites."""

from datetime import date
from typing import Any

_SCOPE = ("company", "item_code", "item_group", "brand", "warehouse")


def events(qb: Any) -> Any:
    """Enabled Demand Events of every company, without their values by date."""
    event = qb.DocType("Demand Event")
    query = qb.from_(event).select(
        event.name.as_("event"), event.title, event.event_type, event.from_date.as_("from_day"),
        event.to_date.as_("to_day"), event.value, *(event[name] for name in _SCOPE),
    )  # fmt: skip
    return query.where(event.enabled == 1).orderby(event.creation).orderby(event.name)


def event_values(qb: Any, since: date) -> Any:
    """The numeric series of enabled Demand Events."""
    row, event = qb.DocType("Demand Event Value"), qb.DocType("Demand Event")
    query = qb.from_(row).join(event).on(row.parent == event.name)
    query = query.select(row.parent.as_("event"), row["date"].as_("from_day"), row.value)
    return query.where((event.enabled == 1) & (row["date"] >= since)).orderby(row.parent).orderby(row["date"])


def event_titles(qb: Any, company: str) -> Any:
    """name, title of the events that concern a company."""
    event = qb.DocType("Demand Event")
    mine = event.company.isnull() | event.company.isin(["", company])
    return qb.from_(event).select(event.name, event.title).where((event.enabled == 1) & mine).orderby(event.name)


def uplifts_of(qb: Any, names: list[str]) -> Any:
    row = qb.DocType("Demand Event Uplift")
    return qb.from_(row).select(row.name).where(row.parent.isin(names))


def holidays_of_company(qb: Any, company: str) -> Any:
    """Days of the company's default Holiday List, weekly days off left out."""
    owner, row = qb.DocType("Company"), qb.DocType("Holiday")
    query = qb.from_(row).join(owner).on(row.parent == owner.default_holiday_list)
    query = query.select(row.holiday_date.as_("day"), row.description)
    return query.where((owner.name == company) & (row.weekly_off == 0)).orderby(row.holiday_date)


def country_of_company(qb: Any, company: str) -> Any:
    owner = qb.DocType("Company")
    return qb.from_(owner).select(owner.country).where(owner.name == company)


def selling_prices_over_time(qb: Any, since: date) -> Any:
    """Selling prices that hold on some day after `since`, of enabled price lists, of no batch and no one customer."""
    price, listed = qb.DocType("Item Price"), qb.DocType("Price List")
    query = qb.from_(price).join(listed).on(price.price_list == listed.name)
    query = query.select(
        price.item_code, price.price_list, price.uom, price.price_list_rate, price.currency, price.valid_from,
        price.valid_upto,
    )  # fmt: skip
    return (
        query.where((listed.enabled == 1) & (price.selling == 1) & (price.price_list_rate > 0))
        .where(price.valid_upto.isnull() | (price.valid_upto >= since))
        .where(price.batch_no.isnull() | (price.batch_no == ""))
        .where(price.customer.isnull() | (price.customer == ""))
        .orderby(price.valid_from)
        .orderby(price.name)
    )


def approved_overrides(qb: Any, company: str, from_day: date) -> Any:
    """Approved Forecast Overrides that are not over."""
    override = qb.DocType("Forecast Override")
    query = qb.from_(override).select(
        override.name, override.item_code, override.warehouse, override.from_date.as_("from_day"),
        override.to_date.as_("to_day"), override.kind, override.value, override.approved_at,
    )  # fmt: skip
    wanted = (override.company == company) & (override.status == "Approved") & (override.to_date >= from_day)
    return query.where(wanted).orderby(override.approved_at).orderby(override.name)


def overrides_that_are_over(qb: Any, company: str, today: date) -> Any:
    override = qb.DocType("Forecast Override")
    over = (override.company == company) & (override.to_date < today) & (override.status != "Expired")
    return qb.from_(override).select(override.name).where(over)


def overrides_of_item(qb: Any, item_code: str, since: date) -> Any:
    """What the Item form lists: the latest first."""
    override = qb.DocType("Forecast Override")
    fields = (
        "name", "company", "warehouse", "from_date", "to_date", "kind", "value", "reason", "status", "approved_by",
        "forecast_before", "forecast_after", "value_added",
    )  # fmt: skip
    query = qb.from_(override).select(*(override[name] for name in fields))
    wanted = (override.item_code == item_code) & (override.to_date >= since)
    return query.where(wanted).orderby(override.from_date).orderby(override.name)


def item_successors(qb: Any) -> Any:
    """Items that name who takes their place."""
    item = qb.DocType("Item")
    query = qb.from_(item).select(item.name.as_("item_code"), item.replaced_by.as_("successor"))
    return query.where(item.replaced_by.isnotnull() & (item.replaced_by != ""))


def item_alternatives(qb: Any) -> Any:
    row = qb.DocType("Item Alternative")
    return qb.from_(row).select(row.item_code, row.alternative_item_code.as_("successor"), row.two_way)


def item_groups(qb: Any) -> Any:
    group = qb.DocType("Item Group")
    return qb.from_(group).select(group.name, group.parent_item_group.as_("parent")).orderby(group.name)
