"""The planned pairs: one row each, with position, item and who supplies it."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from erp_forecast_addon.planning.purchasing.network import Sources, with_asked_pairs
from erp_forecast_addon.planning.purchasing.suppliers import align_choice
from erp_forecast_addon.planning.replenishment.outlook import DemandOutlook
from erp_forecast_addon.planning.replenishment.supply import Door
from erp_forecast_addon.planning.settings import PlanSettings

Floats = NDArray[np.float64]
_PAIR = ["item_code", "warehouse"]


def planned_pairs(
    outlook: DemandOutlook, door: Door, chosen: pd.DataFrame, sources: Sources, settings: PlanSettings
) -> pd.DataFrame:
    """Every planned pair with its position, item and chosen supplier, sorted; one row per pair. Beside what has stock,
    demand or documents: what these ask of other warehouses, and their components.

    forecast_row: its row in the outlook, -1 for none. held: a row that it depends on was set aside at the door, so
    nothing is ordered for it. A pair whose position was set aside is left out.
    """
    index = pd.MultiIndex.from_frame(outlook.keys[_PAIR])
    positions = door.positions.rows.set_index(_PAIR)
    with_documents = pd.MultiIndex.from_frame(door.dated.rows[_PAIR]).unique()
    stocked = positions.index[(positions["on_hand_qty"] != 0.0) | positions.index.isin(with_documents)]
    every = index.union(stocked).sort_values()
    made_items = items_made_here(door.items.rows, sources)
    every = with_asked_pairs(every, sources, made_items)
    every = every[~every.isin(_named_pairs(door.positions.set_aside))]
    pairs = every.to_frame(index=False)
    at = positions.reindex(every)
    pairs["on_hand_qty"] = at["on_hand_qty"].fillna(0.0).to_numpy(dtype=float)
    pairs["valuation_rate"] = at["valuation_rate"].fillna(0.0).to_numpy(dtype=float)
    pairs["we_order"] = at["we_order"].ne(False).to_numpy()
    pairs["order_suppressed_until"] = at["order_suppressed_until"].to_numpy()
    pairs["reserved_stock_qty"] = at["reserved_stock_qty"].fillna(0.0).to_numpy(dtype=float)
    pairs["forecast_row"] = index.get_indexer(every)
    held = every.isin(_named_pairs(door.dated.set_aside)) | pairs["item_code"].isin(_named_items(door.items.set_aside))
    pairs["held"] = np.asarray(held, dtype=bool)
    # Row -1, no forecast, falls on the value appended.
    pairs["demand_class"] = np.append(np.asarray(outlook.demand_class, dtype=object), ["No Demand"])[
        pairs["forecast_row"]
    ]
    pairs["last_year_qty"] = np.append(np.asarray(outlook.last_year_qty, dtype=float), [0.0])[pairs["forecast_row"]]
    return _without_supplier(_with_items_and_suppliers(pairs, door.items.rows, chosen), sources, made_items, settings)


def _without_supplier(
    pairs: pd.DataFrame, sources: Sources, made_items: pd.Index, settings: PlanSettings
) -> pd.DataFrame:
    """Pairs that are supplied by another warehouse or make the item have neither a supplier nor his terms: goods are
    there after the transfer, or after the item's own lead time."""
    supplied_by = pairs["warehouse"].map(sources.supplied_by).where(pairs["we_order"])
    supplied = supplied_by.notna().to_numpy()
    made = ~supplied & (pairs["we_order"] & pairs["item_code"].isin(made_items)).to_numpy(dtype=bool)
    days = pairs["warehouse"].map(sources.transfer_days).fillna(settings.transfer_days)
    pairs = pairs.assign(
        supplied_by=supplied_by.astype(object).where(supplied, ""), is_made=made,
        transfer_days=np.where(supplied, days, settings.transfer_days),
    )  # fmt: skip
    own = supplied | made
    if not own.any():
        return pairs
    pairs.loc[own, ["supplier", "lead_time_source", "replaces", "replaces_reason"]] = ""
    pairs.loc[own, ["lead_time_days", "lead_time_std_days"]] = np.nan
    pairs.loc[own, ["order_multiple_qty", "supplier_min_order_qty"]] = 0.0
    pairs.loc[own, "min_order_qty"] = np.where(made, pairs["item_min_order_qty"], 0.0)[own]
    pairs.loc[own, "uom"] = pairs.loc[own, "stock_uom"]
    pairs.loc[own, "conversion_factor"], pairs.loc[own, "factor_known"] = 1.0, True
    pairs.loc[own, "uom_whole"] = pairs.loc[own, "stock_uom_whole"]
    pairs.loc[supplied, "lead_time_days"] = pairs.loc[supplied, "transfer_days"]
    pairs.loc[supplied, "lead_time_source"] = "transfer"
    return pairs


def _with_items_and_suppliers(pairs: pd.DataFrame, items: pd.DataFrame, chosen: pd.DataFrame) -> pd.DataFrame:
    of_item = items.set_index("item_code").reindex(pd.Index(pairs["item_code"])).reset_index(drop=True)
    pairs["stock_uom"] = of_item["stock_uom"].astype(object).where(of_item["stock_uom"].notna(), "")
    for flag in ("stock_uom_whole", "disabled", "is_purchase_item", "exists"):
        pairs[flag] = of_item[flag].eq(True)
    for number in ("weight_per_unit", "volume_per_unit"):
        pairs[number] = of_item[number].astype(float)
    pairs["item_min_order_qty"] = of_item["min_order_qty"].fillna(0.0).astype(float)
    pairs["item_lead_time_days"] = of_item["lead_time_days"].astype(float)
    pairs["selling_rate"] = of_item["selling_rate"].astype(float)
    pairs["shelf_life_days"] = of_item["shelf_life_days"].where(of_item["shelf_life_days"] > 0.0).astype(float)
    pairs["item_group"] = of_item["item_group"].astype(object).where(of_item["item_group"].notna(), "")
    pairs["end_of_life"] = of_item["end_of_life"]
    choice = align_choice(chosen, pairs["item_code"])
    choice = choice.rename(columns={"min_order_qty": "supplier_min_order_qty"})
    joined = pd.concat([pairs, choice.drop(columns=["is_default", "blocked_reason"])], axis=1)
    largest = np.fmax(joined["item_min_order_qty"], joined["supplier_min_order_qty"]).fillna(0.0)
    return joined.assign(
        min_order_qty=largest, order_multiple_qty=joined["order_multiple_qty"].fillna(0.0),
        usual_supplier=joined["supplier"], saved_share=0.0,
    )  # fmt: skip


def _named_pairs(rows: pd.DataFrame) -> pd.MultiIndex:
    return pd.MultiIndex.from_frame(rows[_PAIR].astype(object).where(rows[_PAIR].notna(), ""))


def _named_items(rows: pd.DataFrame) -> list[str]:
    return rows["item_code"].dropna().tolist()


def items_made_here(items: pd.DataFrame, sources: Sources) -> pd.Index:
    """Items that production is asked for: marked so, and with a bill of materials."""
    made = items.loc[items["is_made_here"], "item_code"]
    return pd.Index(made[made.isin(sources.boms["item_code"])])


def unit_cost(pairs: pd.DataFrame) -> pd.Series:
    cost = pairs["base_rate"].where(pairs["base_rate"] > 0.0)
    return cost.fillna(pairs["valuation_rate"].where(pairs["valuation_rate"] > 0.0)).fillna(0.0)


def selling_rate(pairs: pd.DataFrame, margin_pct: float) -> pd.Series:
    """What a unit short would have brought: selling rate, else cost and margin, else nothing. Company currency."""
    cost = pairs["valuation_rate"].where(pairs["valuation_rate"] > 0.0).fillna(pairs["base_rate"])
    rate = pairs["selling_rate"].where(pairs["selling_rate"] > 0.0)
    return rate.fillna(cost * (1.0 + margin_pct / 100.0)).fillna(0.0)


def floats(frame: pd.DataFrame, column: str) -> Floats:
    return frame[column].to_numpy(dtype=float)


def objects(frame: pd.DataFrame, column: str) -> NDArray[np.object_]:
    return frame[column].to_numpy(dtype=object)
