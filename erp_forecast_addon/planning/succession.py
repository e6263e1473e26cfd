"""Replaced items: who takes whose place, and the history that goes with it."""

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd

from erp_forecast_addon.planning.errors import Fault
from erp_forecast_addon.planning.messages import _
from erp_forecast_addon.planning.panel import Panel
from erp_forecast_addon.planning.tables import ITEMS, REPLACEMENTS

_PAIR = ["item_code", "warehouse"]


def successors(
    replacements: pd.DataFrame, items: pd.DataFrame, item_codes: pd.Series, as_of: date
) -> tuple[pd.Series, list[Fault]]:
    """Who takes the place of each replaced item in the end, by item code.

    replacements: table REPLACEMENTS; items: table ITEMS; item_codes: those of the panel, the only ones faults speak of.
    A successor that a person named counts at once. An Item Alternative counts only where its item has ended (disabled
    or past its end of life), the alternative has not, and it is the only one left. Chains lead to their last item.
    Faults Item Replacement: a successor that does not exist, several alternatives, a circle.
    """
    if replacements.empty:
        return pd.Series(dtype=object, index=pd.Index([], dtype=object, name="item_code")), []
    about = ITEMS.check(items).set_index("item_code")
    ended = about["disabled"] | (about["end_of_life"] <= pd.Timestamp(as_of))
    rows = REPLACEMENTS.check(replacements)
    rows = rows[rows["item_code"].isin(about.index)].reset_index(drop=True)
    choices = rows[rows["is_choice"]].drop_duplicates("item_code")
    others = rows[~rows["is_choice"] & ~rows["item_code"].isin(choices["item_code"])]
    others = others[
        others["item_code"].map(ended).astype(bool) & ~others["successor"].map(ended).fillna(True).astype(bool)
    ]
    faults = _ambiguous(others[others["item_code"].isin(item_codes)])
    only = others[~others["item_code"].duplicated(keep=False)]
    chosen = pd.concat([choices, only], ignore_index=True)
    known = chosen["successor"].isin(about.index)
    faults += _unknown(chosen[~known & chosen["item_code"].isin(item_codes)])
    direct = chosen[known].set_index("item_code")["successor"]
    final, circular = _ends_of_chains(direct)
    return final, faults + _circles(circular[circular.isin(item_codes)], direct)


def hand_over(panel: Panel, final: pd.Series) -> Panel:
    """The panel with the history of replaced items moved to their successors, warehouse by warehouse.

    final: successor by item code, as of `successors`. A successor without a row gets one, in the order of the keys.
    Its demand is its own plus that of those it replaces; its shelf was empty only where theirs and its own were (from
    its launch on, a predecessor's shelf counts only in periods in which it still sold). A replaced item keeps its row,
    without an observed period. Nothing is counted twice, so totals of the panel stay. No replacement: the panel itself.
    """
    old = np.flatnonzero(panel.keys["item_code"].isin(final.index).to_numpy())
    if not len(old):
        return panel
    taker = panel.keys.iloc[old].assign(item_code=panel.keys["item_code"].iloc[old].map(final), source=old)
    known = pd.MultiIndex.from_frame(panel.keys)
    missing = taker[~pd.MultiIndex.from_frame(taker[_PAIR]).isin(known)].drop_duplicates(_PAIR)
    keys = pd.concat([panel.keys.assign(source=np.arange(panel.n)), missing], ignore_index=True)
    keys = keys.assign(is_new=np.arange(len(keys)) >= panel.n).sort_values(_PAIR, kind="stable", ignore_index=True)
    source, is_new = keys["source"].to_numpy(dtype=np.int64), keys["is_new"].to_numpy(dtype=bool)
    wider = replace(panel.select(source), keys=keys[_PAIR])
    target = pd.MultiIndex.from_frame(keys[_PAIR]).get_indexer(pd.MultiIndex.from_frame(taker[_PAIR]))
    return _moved(panel, wider, old, target, np.where(is_new, -1, source))


def _moved(panel: Panel, wider: Panel, old: np.ndarray, target: np.ndarray, source: np.ndarray) -> Panel:
    """source: (rows of wider,) the row of `panel` whose history a row has of its own, −1: none."""
    emptied = (source < 0) | np.isin(source, old)
    demand = np.where(emptied[:, None], 0.0, wider.demand)
    observed = np.where(emptied[:, None], False, wider.observed)
    launched = np.where(emptied, panel.t, wider.first)
    first = launched.copy()
    np.add.at(demand, target, panel.demand[old])
    before = np.arange(panel.t) < launched[target][:, None]
    np.logical_or.at(observed, target, panel.observed[old] & (before | (panel.demand[old] > 0)))
    np.minimum.at(first, target, panel.first[old])
    return replace(wider, demand=demand, in_stock=observed, first=np.minimum(first, panel.t - 1))


def _ends_of_chains(direct: pd.Series) -> tuple[pd.Series, pd.Index]:
    """The last item of each chain; items whose chain never ends. Each pass doubles the steps taken."""
    final = direct
    for _pass in range(max(1, len(direct)).bit_length() + 1):
        further = final.map(direct if _pass == 0 else final)
        final = further.where(further.notna(), final)
    endless = final.isin(direct.index)
    return final[~endless], pd.Index(final.index[endless])


def _ambiguous(rows: pd.DataFrame) -> list[Fault]:
    several = rows[rows["item_code"].duplicated(keep=False)].groupby("item_code", sort=True)["successor"].agg(list)
    template = _(
        "{item_code} has ended and has several Item Alternatives ({alternatives}), so none takes over its demand. Name "
        "one in the field Replaced By of the item."
    )
    return [
        Fault(
            "Item Replacement",
            template,
            {"item_code": item, "alternatives": ", ".join(sorted(found))},
            item_code=item,
        )
        for item, found in several.items()  # a sentence per item
    ]


def _unknown(rows: pd.DataFrame) -> list[Fault]:
    template = _(
        "{item_code} is replaced by {successor}, which is no stock item; its demand is not handed over and is forecast "
        "as before."
    )
    return [
        Fault("Item Replacement", template, row, item_code=row["item_code"])
        for row in rows[["item_code", "successor"]].to_dict("records")
    ]


def _circles(circular: pd.Index, direct: pd.Series) -> list[Fault]:
    template = _(
        "{item_code} is replaced by {successor}, which is replaced in turn until the chain comes back to an item of "
        "its own; nothing is handed over. Clear Replaced By of one of them."
    )
    return [
        Fault("Item Replacement", template, {"item_code": item, "successor": direct[item]}, item_code=item)
        for item in circular
    ]
