"""Putting an item, or one warehouse's line of it, to rest until a day: nothing is proposed, and it ends by itself."""

from collections.abc import Sequence
from datetime import date
from typing import Final

import pandas as pd

from erp_forecast_addon.planning.errors import Refused
from erp_forecast_addon.planning.messages import _
from erp_forecast_addon.services import decisions
from erp_forecast_addon.services.approvals import state_of_draft
from erp_forecast_addon.services.open_drafts import OpenDrafts, read_open_drafts
from erp_forecast_addon.site.port import OrderLine, Site

DOCTYPE: Final = "Planning Snooze"
RECORD: Final = "Auto Purchase Order"

UNTIL_IN_PAST = _("{item_code} cannot be put to rest until {until}: that day is over.")


def snooze(
    site: Site, company: str, item_code: str, until: date, reason: str = "", warehouse: str | None = None
) -> str:
    """Put the item to rest until that day, included, in one warehouse or in all of the company; the record's name.

    Its lines leave the undecided drafts at once. Raises Refused for a day that is over. The caller commits.
    """
    if until < site.now().date():
        raise Refused(site.translate(UNTIL_IN_PAST).format(item_code=item_code, until=until))
    with site.savepoint():
        name = site.insert_document(DOCTYPE, {
            "company": company, "item_code": item_code, "warehouse": warehouse or None, "until": until,
            "reason": reason.strip() or None, "snoozed_by": site.user,
        })  # fmt: skip
        take_out(site, company, item_code, warehouse)
    return name


def take_out(site: Site, company: str, item_code: str, warehouse: str | None = None) -> list[str]:
    """Take the item's lines out of the company's undecided drafts; -> the records that were changed.

    A draft that has no other line is withdrawn with its record.
    """
    drafts = read_open_drafts(site, company)
    lines = drafts.native
    hit = (lines["item_code"] == item_code) & ((lines["warehouse"] == warehouse) if warehouse else True)
    names = list(dict.fromkeys(lines.loc[hit, "name"]))
    for name in names:  # drafts that hold one item: a few
        _without(site, drafts, company, name, lines[hit & (lines["name"] == name)])
    return names


def _without(site: Site, drafts: OpenDrafts, company: str, name: str, gone: pd.DataFrame) -> None:
    head = drafts.records.set_index("name").loc[name]
    order = site.get_order(str(head["purchase_order"]))
    record = site.get_document(RECORD, name)
    if order is None or record is None:
        return
    rows = set(gone["row"])
    left = [line for line in order.lines if line.row not in rows]
    if not left:
        decisions.withdraw(site, name)
        return
    changed = site.replace_order_lines(order.name, _ordered_on(site, order.name, left), left)
    pairs = set(zip(gone["item_code"], gone["warehouse"], strict=True))
    items = [line for line in record["items"] if (line["item_code"], line["warehouse"]) not in pairs]
    site.update_document(RECORD, name, {
        "items": items, "total_amount": changed.total, "base_total_amount": changed.base_total,
        "money_at_risk": round(sum(float(line["money_at_risk"] or 0.0) for line in items), 2),
        "edited_by_person": int(bool(head["edited"])), "fingerprint": state_of_draft(site, company, order.name),
    })  # fmt: skip


def _ordered_on(site: Site, purchase_order: str, lines: Sequence[OrderLine]) -> date:
    """The day that the draft carries; never after its first delivery."""
    held = (site.get_document("Purchase Order", purchase_order) or {}).get("transaction_date") or site.now().date()
    return min([held, *(line.schedule_date for line in lines)])
