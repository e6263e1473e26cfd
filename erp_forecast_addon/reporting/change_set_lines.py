"""Level Change Sets for a terminal."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from erp_forecast_addon.reporting import wording
from erp_forecast_addon.reporting.terminal import aligned, wrapped

NO_SETS = "No change sets."


def set_lines(sets: pd.DataFrame) -> list[str]:
    """One row per set: name, company, state, changes, cash effect, what was left."""
    if sets.empty:
        return [NO_SETS]
    rows = [["name", "company", "state", "as of", "changes", "cash effect", "left"]]
    # A loop over sets: each is a line of text.
    rows += [
        [row["name"], row["company"], row["status"], wording.day(row["as_of"]), f"{row['changes']:,.0f}",
         wording.money(row["cash_effect"], row["currency"] or ""), f"{row['left_alone'] + row['kept']:,.0f}"]
        for row in sets.to_dict("records")
    ]  # fmt: skip
    return aligned(rows, right=(4, 5, 6))


def detail_lines(record: Mapping[str, Any], changes: pd.DataFrame) -> list[str]:
    """The set's figures and its changes, with why and what became of them."""
    currency = str(record["currency"] or "")
    out = [
        f"{record['title']}, {record['company']}: {record['status']}",
        f"  {record['changes']:,} changes of {record['items']:,} items: {record['raised']:,} raised, "
        f"{record['lowered']:,} lowered, {record['added']:,} new; {record['excluded']:,} excluded, "
        f"{record['held']:,} held",
        f"  cash effect {wording.money(record['cash_effect'], currency)} "
        f"(ties up {wording.money(record['cash_up'], currency)}, "
        f"sets free {wording.money(record['cash_down'], currency)})",
        "",
    ]  # fmt: skip
    for line in changes.to_dict("records"):
        where = line["warehouse"] or "safety stock of the Item"
        out.append(
            f"  {line['item_code']}  {where}  {_values(line, 'old')} -> {_values(line, 'new')}  "
            f"{wording.money(line['cash_effect'], currency)}  {line['status']}  [{line['name']}]"
        )
        out += wrapped(str(line["note"] or line["reason"] or ""), 6)
    left = record["changes"] + record["excluded"] + record["held"] - len(changes)
    return [*out, f"  and {left:,} more"] if left > 0 else out


def _values(line: Mapping[str, Any], side: str) -> str:
    if side == "old" and line["is_new_row"]:
        return "no row"
    level = wording.quantity(line[f"{side}_level"])
    return level if line["kind"] == "Safety Stock" else f"{level}/{wording.quantity(line[f'{side}_qty'])}"
