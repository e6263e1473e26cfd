"""What the changes of a Level Change Set come to, for its form and for the command line."""

from typing import Any

import pandas as pd

from erp_forecast_addon.site import change_queries
from erp_forecast_addon.site.port import Site

_MOST_GROUPS = 12
_UNDONE = ("Excluded", "Held")


def overview(site: Site, name: str) -> dict[str, Any]:
    """by_class, by_group: {label, changes, cash_up, cash_down, cash_effect} of what is or was to be written, the ABC
    classes in order, the groups with the largest effect first; views: number of changes per view; without_cost: changes
    whose item has no known cost, so that their cash effect is 0."""
    lines = site.fetch(change_queries.lines_in_words(site.qb, name))
    written = lines[~lines["status"].isin(_UNDONE)]
    of_levels = written["kind"] == "Reorder Level"
    by_group = _sums(written, "item_group")
    return {
        "by_class": _records(_sums(written, "abc_class").sort_index()),
        "by_group": _records(by_group.sort_values("size", ascending=False, kind="stable").head(_MOST_GROUPS)),
        "views": {
            "all": len(lines),
            **{view: int((lines["moves"] == way).sum()) for view, way in _WAYS.items()},
            "excluded": int((lines["status"] == "Excluded").sum()),
            "held": int((lines["status"] == "Held").sum()),
            "edited": int((lines["review"] == "Edited").sum()),
            "left": int(lines["status"].isin(["Left", "Kept"]).sum()),
        },
        "without_cost": int((of_levels & (written["unit_cost"] <= 0)).sum()),
    }


_WAYS = {"raised": "Up", "lowered": "Down", "new": "New"}


def _sums(lines: pd.DataFrame, by: str) -> pd.DataFrame:
    cash = lines["cash_effect"]
    columns = pd.DataFrame({
        "changes": 1, "cash_up": cash.clip(lower=0.0), "cash_down": -cash.clip(upper=0.0), "cash_effect": cash,
        "size": cash.abs(),
    })  # fmt: skip
    return columns.groupby(lines[by].fillna("")).sum().round(2)


def _records(sums: pd.DataFrame) -> list[dict[str, Any]]:
    rows = sums.drop(columns="size").rename_axis("label").reset_index()
    return [{str(key): value for key, value in record.items()} for record in rows.to_dict("records")]
