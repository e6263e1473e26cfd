"""What could be done about the shortages of a scenario: other suppliers, stock elsewhere, an earlier order."""

import math
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from erp_forecast_addon.planning.messages import Day, _
from erp_forecast_addon.planning.purchasing.lots import lot_sizes, whole_days_up
from erp_forecast_addon.planning.scenarios import Changed, PlanInputs, choice, rated
from erp_forecast_addon.planning.wording import dict_column

_PAIR = ["item_code", "warehouse"]
KINDS = ("Other Supplier", "Transfer", "Earlier Order")
# Pairs whose shortages are answered, the dearest first.
MOST_PAIRS = 100
# Of a pair's alternatives of one kind.
MOST_OF_A_KIND = 3
COLUMNS = (
    "item_code", "warehouse", "kind", "supplier", "from_warehouse", "qty", "lead_time_days", "base_rate", "act_by",
    "arrives_on", "effective_on", "own_supplier", "shortage_on", "shortage_value", "template", "values",
)  # fmt: skip

OTHER_SUPPLIER = _("{supplier} delivers in {days} days at {rate}; ordered now it arrives on {arrives_on}.")
OTHER_SUPPLIER_NO_PRICE = _(
    "{supplier} delivers in {days} days, its price is not known; ordered now it arrives on {arrives_on}."
)
TRANSFER = _(
    "{qty} can be spared in {from_warehouse}: so much lies above its reorder point; sent now it is there on "
    "{arrives_on}."
)
EARLIER = _("Order by {act_by}: {days} days later it arrives before the shelf is empty on {shortage_on}.")
TOO_LATE = _(
    "An order would have had to leave by {act_by} to arrive before the shelf is empty on {shortage_on}; ordered "
    "now it arrives on {arrives_on}."
)


def alternatives(
    company: PlanInputs,
    changed: Changed,
    policies: pd.DataFrame,
    pairs: pd.DataFrame,
    as_of: date,
    approval_days: int,
    out_days: int = 0,
) -> pd.DataFrame:
    """One row per alternative of a pair that the scenario leaves shorter than the base plan, the dearest first.

    company: the inputs of all pairs; changed: the scenario's; policies: its POLICIES and those of other warehouses;
    pairs: both sides (see Comparison); out_days: how long a supplier is out. Columns COLUMNS; sentence: template and
    values; effective_on: the day on which the goods help; own_supplier: bought from whom the scenario orders from. An
    empty frame where nothing runs short.
    """
    more = pairs["scenario_shortage_value"] - pairs["base_shortage_value"]
    sooner = pairs["scenario_shortage_on"].notna() & ~(pairs["base_shortage_on"] <= pairs["scenario_shortage_on"])
    worse = (more > np.maximum(0.01 * pairs["base_shortage_value"], 0.005)) | sooner
    short = pairs[worse].assign(more=more).sort_values("more", ascending=False, kind="stable").head(MOST_PAIRS)
    short = short.reset_index(drop=True)
    if short.empty:
        return pd.DataFrame(columns=list(COLUMNS))
    tomorrow = pd.Timestamp(as_of) + pd.Timedelta(days=1)
    found = [
        _other_suppliers(changed.inputs, short, tomorrow + pd.Timedelta(days=approval_days)),
        _transfers(company, policies, short, tomorrow + pd.Timedelta(days=math.ceil(company.settings.transfer_days))),
        _earlier_orders(
            _in_lots(changed.inputs, short), tomorrow, approval_days,
            short["item_code"].isin(list(changed.waiting_items)), out_days,
        ),
    ]  # fmt: skip
    found = [part for part in found if len(part)]
    if not found:
        return pd.DataFrame(columns=list(COLUMNS))
    table = pd.concat(found, ignore_index=True)
    order = short.reset_index().set_index(_PAIR)["index"].reindex(pd.MultiIndex.from_frame(table[_PAIR])).to_numpy()
    kind = table["kind"].map({name: at for at, name in enumerate(KINDS)}).to_numpy()
    table = table.iloc[np.lexsort((kind, order))].reset_index(drop=True)
    return table.reindex(columns=list(COLUMNS))


def _other_suppliers(after: PlanInputs, short: pd.DataFrame, leaves_on: pd.Timestamp) -> pd.DataFrame:
    sources = rated(after)
    sources = sources[(sources["blocked_reason"] == "") & (sources["supplier"] != "") & sources["factor_known"]]
    taken = choice(after)["supplier"].reindex(sources["item_code"]).fillna("").to_numpy(dtype=object)
    sources = sources[sources["supplier"].to_numpy(dtype=object) != taken]
    both = short.merge(sources[["item_code", "supplier", "base_rate", "lead_time_days"]], on="item_code")
    both = both.assign(qty=_lots(after, both["item_code"], both["supplier"], both["scenario_short_qty"]))
    days = both["lead_time_days"].fillna(after.settings.default_lead_time_days).to_numpy(dtype=float)
    sooner = (days < both["scenario_lead_time_days"].to_numpy(dtype=float)) | (both["scenario_supplier"] == "")
    both, days = both[sooner], days[sooner]  # who is slower than the one that is asked is no way out
    whole = whole_days_up(days)
    arrives_on = leaves_on + pd.to_timedelta(whole, unit="D")
    both = both.assign(
        kind=KINDS[0], lead_time_days=days, arrives_on=arrives_on, effective_on=arrives_on, own_supplier=False
    )
    both = both.sort_values([*_PAIR, "lead_time_days", "base_rate", "supplier"], kind="stable")
    both = both.groupby(_PAIR, sort=False).head(MOST_OF_A_KIND)
    known = both["base_rate"].notna()
    values = [
        {
            "supplier": supplier,
            "days": _short(number),
            "rate": _short(rate, 2),
            "arrives_on": Day(arrives.date().isoformat()),
        }
        for supplier, number, rate, arrives in zip(
            both["supplier"], both["lead_time_days"], both["base_rate"].fillna(0.0), both["arrives_on"], strict=True
        )
    ]  # a loop over at most a few hundred lines, as sentences have values by name
    return _told(both, np.where(known, OTHER_SUPPLIER, OTHER_SUPPLIER_NO_PRICE), values)


def _lots(inputs: PlanInputs, items: pd.Series, suppliers: pd.Series, wanted: pd.Series) -> NDArray[np.float64]:
    """What these suppliers sell to meet these needs: minimum, multiple and whole units as in a proposal. (m,)"""
    keys = ["item_code", "supplier"]
    terms = rated(inputs).drop_duplicates(keys).set_index(keys).reindex(pd.MultiIndex.from_arrays([items, suppliers]))
    known = inputs.supply.items.drop_duplicates("item_code").set_index("item_code").reindex(items)

    def of(table: pd.DataFrame, name: str, default: float = 0.0) -> NDArray[np.float64]:
        if name not in table:
            return np.full(len(items), default)
        return pd.to_numeric(table[name]).fillna(default).to_numpy(dtype=float)

    factor = of(terms, "conversion_factor", 1.0)
    least = np.maximum(of(terms, "min_order_qty"), of(known, "min_order_qty"))
    need = wanted.to_numpy(dtype=float)
    whole = of(known, "stock_uom_whole") > 0.0
    lots = lot_sizes(need, least, of(terms, "order_multiple_qty"), factor, of(terms, "uom_whole") > 0.0, whole)
    return np.where(lots.possible, lots.stock_qty, need)


def _in_lots(after: PlanInputs, short: pd.DataFrame) -> pd.DataFrame:
    return short.assign(qty=_lots(after, short["item_code"], short["scenario_supplier"], short["scenario_short_qty"]))


def _transfers(
    company: PlanInputs, policies: pd.DataFrame, short: pd.DataFrame, arrives_on: pd.Timestamp
) -> pd.DataFrame:
    """Stock of the same item in another warehouse beyond what that needs itself before an order could come."""
    stock = company.positions[["item_code", "warehouse", "on_hand_qty"]].rename(columns={"warehouse": "from_warehouse"})
    stock = stock[stock["item_code"].isin(short["item_code"])]
    needed = policies[[*_PAIR, "reorder_point_qty"]].rename(columns={"warehouse": "from_warehouse"})
    stock = stock.merge(needed, on=["item_code", "from_warehouse"], how="left")
    stock = stock.assign(spare=stock["on_hand_qty"] - stock["reorder_point_qty"].fillna(0.0))
    both = short.merge(stock[stock["spare"] > 0.0], on="item_code")
    both = both[both["from_warehouse"] != both["warehouse"]]
    both = both.assign(
        kind=KINDS[1], qty=np.minimum(both["spare"], np.ceil(both["scenario_short_qty"])), arrives_on=arrives_on,
        effective_on=arrives_on, own_supplier=False,
    )  # fmt: skip
    both = both[both["qty"] > 0.0].sort_values([*_PAIR, "spare"], ascending=[True, True, False], kind="stable")
    both = both.groupby(_PAIR, sort=False).head(MOST_OF_A_KIND)
    values = [
        {"qty": _short(qty, 2), "from_warehouse": house, "arrives_on": Day(arrives_on.date().isoformat())}
        for qty, house in zip(both["qty"], both["from_warehouse"], strict=True)
    ]  # as above
    return _told(both, np.full(len(both), TRANSFER, dtype=object), values)


def _earlier_orders(
    short: pd.DataFrame, tomorrow: pd.Timestamp, approval_days: int, waits: pd.Series, out_days: int
) -> pd.DataFrame:
    """The last day on which an order to the supplier of the scenario still prevents the shortage.

    waits: who is ordered from the supplier that is out: it would have had to leave before, without the waiting.
    """
    told = short["scenario_shortage_on"].notna() & (short["scenario_supplier"] != "")
    known, waiting = short[told], waits[told].to_numpy(dtype=bool)
    days = whole_days_up(known["scenario_lead_time_days"].to_numpy(dtype=float)) + approval_days
    takes = pd.to_timedelta(days, unit="D")
    act_by = known["scenario_shortage_on"] - pd.to_timedelta(np.where(waiting, days - out_days, days), unit="D")
    act_by = act_by.where(~waiting | (act_by < tomorrow), tomorrow - pd.Timedelta(days=1))
    known = known.assign(
        kind=KINDS[2], supplier=known["scenario_supplier"],
        lead_time_days=known["scenario_lead_time_days"], act_by=act_by,
        arrives_on=tomorrow + takes, own_supplier=True,
    )  # fmt: skip
    late = known["act_by"] < tomorrow
    # In time it arrives when the shelf would be empty; too late, as soon as an order of tomorrow can.
    known["effective_on"] = known["arrives_on"].where(late, known["scenario_shortage_on"])
    values = [
        {"act_by": Day(by.date().isoformat()), "days": int(number), "shortage_on": Day(empty.date().isoformat()),
         "arrives_on": Day(arrives.date().isoformat())}
        for by, number, empty, arrives in zip(
            known["act_by"], days, known["scenario_shortage_on"], known["arrives_on"], strict=True
        )
    ]  # fmt: skip
    return _told(known, np.where(late, TOO_LATE, EARLIER), values)


def _told(rows: pd.DataFrame, templates: np.ndarray, values: list[dict[str, object]]) -> pd.DataFrame:
    told = rows.assign(
        shortage_on=rows["scenario_shortage_on"], shortage_value=rows["scenario_shortage_value"],
        template=templates, values=dict_column(values),
    )  # fmt: skip
    return told[[name for name in COLUMNS if name in told]]


def _short(number: float, decimals: int = 1) -> float | int:
    rounded = round(float(number), decimals)
    return int(rounded) if rounded.is_integer() else rounded
