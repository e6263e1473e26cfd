"""What if: the same plan again with one thing changed, beside the plan as it stands.

A scenario changes what a plan is made of (demand, lead times, a supplier's absence, prices, the service target) for
some pairs, and everything behind it is what a run does: `replenish` twice, and both sets of levels on the same possible
courses of demand. Nothing here writes anything.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from erp_forecast_addon.planning.door import check_rows
from erp_forecast_addon.planning.errors import BadInput
from erp_forecast_addon.planning.inventory.lead_time import choose_lead_times
from erp_forecast_addon.planning.inventory.lead_time_distribution import (
    LONGEST_LEAD_TIME_DAYS,
    LeadTimeDistributions,
    widened,
)
from erp_forecast_addon.planning.inventory.rules import Rules
from erp_forecast_addon.planning.messages import _
from erp_forecast_addon.planning.purchasing.suppliers import choose_suppliers, rate_sourcing
from erp_forecast_addon.planning.replenishment import DemandOutlook, Supply
from erp_forecast_addon.planning.scenario_prices import STEEPEST_ELASTICITY, Assumption, elasticities, sold_at, told
from erp_forecast_addon.planning.scopes import below
from erp_forecast_addon.planning.settings import PlanSettings
from erp_forecast_addon.planning.tables import ITEMS, SOURCING, TREE

Flags = NDArray[np.bool_]
Floats = NDArray[np.float64]

_PAIR = ["item_code", "warehouse"]
_CLASSES = ("A", "B", "C")
MOST_WEEKS = 52
MOST_DAYS = 365
LARGEST_RISE_PCT = 1000.0
_SHORTEST_LEAD_TIME_DAYS = 0.01

NOT_A_NUMBER = _("{label} is {value}, which is no number.")
DEMAND_GONE = _(
    "A demand of {percent}% leaves nothing to plan. Give a change above -100% and at most {most}%; to take items out "
    "of the planning, disable them."
)
PRICE_GONE = _("A price change of {percent}% leaves no price. Give a change above -100% and at most {most}%.")
SELLING_PRICE_GONE = _(
    "A selling price change of {percent}% leaves no price. Give a change above -100% and at most {most}%."
)
ELASTICITY_WRONG = _(
    "An elasticity of {value} cannot be: demand falls when the price rises. Give a number from {steepest} to 0; -1.5 "
    "means that a price 1% higher takes 1.5% of the demand."
)
DAYS_TOO_FAR = _("The lead time can change by -{most} to {most} days, not by {days}.")
WEEKS_TOO_FAR = _("A supplier can be out for 0 to {most} weeks, not for {weeks}.")
WEEKS_OF_WHOM = _("Name the supplier that is out for {weeks} weeks.")
OUT_HOW_LONG = _("Say for how many weeks {supplier} is out.")
TARGET_IMPOSSIBLE = _("A service target of {percent}% cannot be planned: it must lie above 0% and below 100%.")
UNKNOWN_SUPPLIER = _("{supplier} supplies none of the planned items. The suppliers are: {known}.")
UNKNOWN_GROUP = _("There is no item group {name}.")
UNKNOWN_WAREHOUSE = _("There is no warehouse {name} among those that are planned.")
UNKNOWN_BRAND = _("No planned item is of the brand {name}.")
UNKNOWN_CLASS = _("There is no class {name}; there are A, B and C.")
UNKNOWN_ITEMS = _("These items are not planned: {names}.")
NOTHING_FITS = _("No planned item fits all of the filters together. Take one of them away.")

BLOCKED = _("Out for {weeks} weeks in this scenario.")

ORDERS_LATER = _("Open purchase orders that are not overdue arrive {days} days later than promised ({count} of them).")
ORDERS_EARLIER = _(
    "Open purchase orders that are not overdue arrive {days} days earlier than promised, none before tomorrow ({count} "
    "of them)."
)
OVERDUE_STAY = _("Overdue purchase orders are expected tomorrow, as in the base plan ({count} of them).")
ORDERS_STAY = _("Open purchase orders arrive as promised: only new orders take a different time.")
_MOST_NAMED = 5


@dataclass(frozen=True)
class Chosen:
    """Which pairs are changed: those that fit everything that is said. item_group: with the groups below it; warehouse:
    with those below it; supplier: the one that the plan would order from; item_codes: () for all."""

    item_group: str = ""
    brand: str = ""
    warehouse: str = ""
    supplier: str = ""
    abc_class: str = ""
    item_codes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Scenario:
    """What is changed, validated when it is made (BadInput).

    demand_pct, price_pct (what suppliers ask), selling_price_pct (what customers pay): changes in percent;
    price_elasticity: how demand answers to the selling price where the price history does not tell
    (use_learned_elasticity) or is not asked; lead_time_days: added to every lead time of the
    chosen items, with Chosen.supplier to that supplier's only, and with move_open_orders to what is on order and not
    due yet; supplier_out: cannot deliver for supplier_out_weeks from
    now on, what it has open comes so much later; use_other_suppliers: items that somebody else sells are bought there
    meanwhile; service_target: share in (0, 1) for all, None: as it is.
    """

    chosen: Chosen = field(default_factory=Chosen)
    demand_pct: float = 0.0
    lead_time_days: int = 0
    supplier_out: str = ""
    supplier_out_weeks: int = 0
    use_other_suppliers: bool = True
    price_pct: float = 0.0
    service_target: float | None = None
    selling_price_pct: float = 0.0
    price_elasticity: float = 0.0
    use_learned_elasticity: bool = True
    move_open_orders: bool = True

    def __post_init__(self) -> None:
        for label in ("demand_pct", "price_pct", "selling_price_pct", "price_elasticity"):
            if not np.isfinite(getattr(self, label)):
                raise BadInput(NOT_A_NUMBER, label=label, value=getattr(self, label))
        if not -100.0 < self.demand_pct <= LARGEST_RISE_PCT:
            raise BadInput(DEMAND_GONE, percent=_plain(self.demand_pct), most=int(LARGEST_RISE_PCT))
        if not -100.0 < self.price_pct <= LARGEST_RISE_PCT:
            raise BadInput(PRICE_GONE, percent=_plain(self.price_pct), most=int(LARGEST_RISE_PCT))
        if not -100.0 < self.selling_price_pct <= LARGEST_RISE_PCT:
            raise BadInput(SELLING_PRICE_GONE, percent=_plain(self.selling_price_pct), most=int(LARGEST_RISE_PCT))
        if not STEEPEST_ELASTICITY <= self.price_elasticity <= 0.0:
            raise BadInput(ELASTICITY_WRONG, value=_plain(self.price_elasticity), steepest=_plain(STEEPEST_ELASTICITY))
        if not -MOST_DAYS <= self.lead_time_days <= MOST_DAYS:
            raise BadInput(DAYS_TOO_FAR, most=MOST_DAYS, days=self.lead_time_days)
        if not 0 <= self.supplier_out_weeks <= MOST_WEEKS:
            raise BadInput(WEEKS_TOO_FAR, most=MOST_WEEKS, weeks=self.supplier_out_weeks)
        if self.supplier_out_weeks and not self.supplier_out:
            raise BadInput(WEEKS_OF_WHOM, weeks=self.supplier_out_weeks)
        if self.supplier_out and not self.supplier_out_weeks:
            raise BadInput(OUT_HOW_LONG, supplier=self.supplier_out)
        if self.service_target is not None and not 0.0 < self.service_target < 1.0:
            raise BadInput(TARGET_IMPOSSIBLE, percent=_plain(self.service_target * 100.0))

    @property
    def changes_nothing(self) -> bool:
        """What only says how something is changed changes nothing."""
        how = ("use_other_suppliers", "price_elasticity", "use_learned_elasticity", "move_open_orders")
        return self == Scenario(self.chosen, **{name: getattr(self, name) for name in how})

    @property
    def out_days(self) -> int:
        return 7 * self.supplier_out_weeks


@dataclass(frozen=True)
class PlanInputs:
    """What a company's plan was made of, and the classes that came out. outlook, positions, supply, settings: as for
    `replenish`; abc_class: (n,) of the outlook's rows; warehouse_tree: table TREE; order_suppliers: name of an open
    Purchase Order -> its supplier; elasticity: of demand to the selling price by item group, "" the company's, as
    forecasting.effects learned it, {} where prices never moved or moved nothing."""

    outlook: DemandOutlook
    positions: pd.DataFrame
    supply: Supply
    settings: PlanSettings
    abc_class: NDArray[np.object_]
    warehouse_tree: pd.DataFrame = field(default_factory=TREE.empty)
    order_suppliers: Mapping[str, str] = field(default_factory=dict)
    elasticity: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Changed:
    """The inputs of the scenario's plan. settled: what holds once the supplier delivers again, None without an outage;
    waiting_items: those that are ordered from the missing supplier all the same; moved_items: those that are ordered
    elsewhere meanwhile; selling_factor: on every selling price; elasticity: by item code, NaN where selling prices
    stay; assumptions: what was taken for granted."""

    inputs: PlanInputs
    settled: PlanInputs | None = None
    waiting_items: frozenset[str] = frozenset()
    moved_items: frozenset[str] = frozenset()
    selling_factor: float = 1.0
    elasticity: pd.Series = field(default_factory=lambda: pd.Series(dtype=float))
    assumptions: tuple[Assumption, ...] = ()


# ---- which pairs ----
def choose(inputs: PlanInputs, chosen: Chosen) -> PlanInputs:
    """The inputs of the chosen pairs alone, with the classes that they have among all of the company.

    Raises BadInput for a name that nothing planned bears, and where no pair fits.
    """
    pairs = _planned_pairs(inputs)
    items = inputs.supply.items.drop_duplicates("item_code").set_index("item_code")
    fits = np.ones(len(pairs), dtype=bool)
    if chosen.item_group:
        groups = _column(items, "item_group", "").reindex(pairs["item_code"])
        inside = below(inputs.supply.rules.item_groups, chosen.item_group) | {chosen.item_group}
        known = chosen.item_group in set(inputs.supply.rules.item_groups["name"]) | set(groups)
        _refuse_unless(known, UNKNOWN_GROUP, name=chosen.item_group)
        fits &= groups.isin(list(inside)).to_numpy()
    if chosen.brand:
        brands = _column(items, "brand", "").reindex(pairs["item_code"]).eq(chosen.brand).to_numpy()
        _refuse_unless(bool(brands.any()), UNKNOWN_BRAND, name=chosen.brand)
        fits &= brands
    if chosen.warehouse:
        houses = below(inputs.warehouse_tree, chosen.warehouse) | {chosen.warehouse}
        here = pairs["warehouse"].isin(list(houses)).to_numpy()
        _refuse_unless(bool(here.any()), UNKNOWN_WAREHOUSE, name=chosen.warehouse)
        fits &= here
    if chosen.supplier:
        fits &= _bought_from(inputs, chosen.supplier, pairs)
    if chosen.abc_class:
        _refuse_unless(chosen.abc_class in _CLASSES, UNKNOWN_CLASS, name=chosen.abc_class)
        fits &= (pairs["abc_class"] == chosen.abc_class).to_numpy()
    if chosen.item_codes:
        missing = sorted(set(chosen.item_codes) - set(pairs["item_code"]))
        _refuse_unless(not missing, UNKNOWN_ITEMS, names=_named(missing))
        fits &= pairs["item_code"].isin(chosen.item_codes).to_numpy()
    _refuse_unless(bool(fits.any()), NOTHING_FITS)
    return narrowed(inputs, pd.MultiIndex.from_frame(pairs.loc[fits, _PAIR]))


def narrowed(inputs: PlanInputs, pairs: pd.MultiIndex) -> PlanInputs:
    """The inputs of these pairs alone; the outlook's classes are kept."""
    rows = np.flatnonzero(pd.MultiIndex.from_frame(inputs.outlook.keys[_PAIR]).isin(pairs))
    codes = pairs.get_level_values(0).unique()
    supply, abc = inputs.supply, inputs.abc_class[rows]
    return replace(
        inputs,
        outlook=replace(_rows(inputs.outlook, rows), abc_class=abc),
        positions=_of_pairs(inputs.positions, pairs),
        supply=replace(
            supply,
            dated=_of_pairs(supply.dated, pairs),
            items=_of_items(supply.items, codes),
            sourcing=_of_items(supply.sourcing, codes),
            former=_of_pairs(supply.former, pairs),
            price_breaks=_of_items(supply.price_breaks, codes),
        ),
        abc_class=abc,
    )


def _planned_pairs(inputs: PlanInputs) -> pd.DataFrame:
    """item_code, warehouse, abc_class of every pair with a forecast or stock; a class of money is C without demand."""
    keys = inputs.outlook.keys[_PAIR].assign(abc_class=inputs.abc_class)
    stocked = inputs.positions.loc[inputs.positions["on_hand_qty"] != 0.0, _PAIR]
    pairs = pd.concat([keys, stocked.assign(abc_class="C")], ignore_index=True)
    return pairs.drop_duplicates(_PAIR, ignore_index=True)


def _bought_from(inputs: PlanInputs, supplier: str, pairs: pd.DataFrame) -> Flags:
    own = inputs.supply.sourcing.loc[inputs.supply.sourcing["supplier"] == supplier, "item_code"]
    if own.empty:
        raise _unknown_supplier(inputs, supplier)
    chosen = choice(inputs)
    return np.asarray(chosen["supplier"].reindex(pairs["item_code"]).eq(supplier), dtype=bool)


def choice(inputs: PlanInputs) -> pd.DataFrame:
    """The supplier that a plan orders each item from: see suppliers.choose_suppliers."""
    return choose_suppliers(rated(inputs))


def rated(inputs: PlanInputs) -> pd.DataFrame:
    """The sourcing rows with comparable prices: see suppliers.rate_sourcing."""
    sourcing, items = check_rows(SOURCING, inputs.supply.sourcing), check_rows(ITEMS, inputs.supply.items)
    return rate_sourcing(sourcing.rows, items.rows, inputs.settings.currency)


# ---- what changes ----
def change(inputs: PlanInputs, scenario: Scenario, as_of: date) -> Changed:
    """The inputs of the scenario. inputs: of the chosen pairs, see `choose`. Raises BadInput for a missing supplier
    that supplies none of the chosen items, and for a selling price at which nobody knows what is asked for."""
    after, assumptions = inputs, list[Assumption]()
    elasticity = pd.Series(dtype=float)
    if scenario.demand_pct:
        after = replace(after, outlook=scaled(after.outlook, 1.0 + scenario.demand_pct / 100.0))
    if scenario.selling_price_pct:
        after, elasticity, assumptions = _sold_at_other_prices(after, scenario)
    if scenario.price_pct:
        after = _priced(after, 1.0 + scenario.price_pct / 100.0, scenario.chosen.supplier)
    if scenario.lead_time_days:
        after = _later(after, _rows_of_supplier(after, scenario.chosen.supplier), scenario.lead_time_days)
        after, moved = _open_orders(after, scenario, as_of)
        assumptions += moved
    if scenario.service_target is not None:
        after = _served(after, scenario.service_target)
    made = _without_supplier(after, scenario, as_of) if scenario.supplier_out else Changed(after)
    return replace(
        made, selling_factor=1.0 + scenario.selling_price_pct / 100.0, elasticity=elasticity,
        assumptions=tuple(assumptions),
    )  # fmt: skip


def scaled(outlook: DemandOutlook, factor: float | Floats) -> DemandOutlook:
    """The same demand times a factor, its uncertainty with it. factor: one for all, or (n,)"""
    mean, std, totals, paths = outlook.daily_mean, outlook.daily_std, outlook.totals, outlook.paths
    long_run = outlook.long_run_daily
    by = np.broadcast_to(np.asarray(factor, dtype=float), (len(outlook.keys),))
    return replace(
        outlook,
        daily_mean=lambda as_of, days: mean(as_of, days) * by[:, None],
        daily_std=lambda: std() * by,
        paths=None if paths is None else lambda rows, *asked: paths(rows, *asked) * by[rows][:, None, None],
        long_run_daily=None if long_run is None else lambda as_of: long_run(as_of) * by,
        asked=None if outlook.asked is None else outlook.asked.scaled(by),
        totals=None
        if totals is None
        else lambda as_of, rows, days, levels: totals(as_of, rows, days, levels) * by[rows][:, None],
    )


def _sold_at_other_prices(inputs: PlanInputs, scenario: Scenario) -> tuple[PlanInputs, pd.Series, list[Assumption]]:
    """The inputs at the new selling prices, the elasticity of each item, and what was assumed about it."""
    percent, items = scenario.selling_price_pct, inputs.supply.items
    keys = inputs.outlook.keys["item_code"]
    codes = pd.Index(keys.unique())
    groups = _column(items.drop_duplicates("item_code").set_index("item_code"), "item_group", "").reindex(codes)
    learned = inputs.elasticity if scenario.use_learned_elasticity else {}
    answer = elasticities(groups.fillna(""), learned, scenario.price_elasticity)
    factor = answer.factor(percent)[codes.get_indexer(keys)]
    dearer = sold_at(items, choice(inputs)["base_rate"], inputs.settings.margin_pct, 1.0 + percent / 100.0)
    after = replace(
        inputs, outlook=scaled(inputs.outlook, factor), supply=replace(inputs.supply, items=dearer)
    )  # fmt: skip
    said = told(answer, percent, scenario.price_elasticity, scenario.use_learned_elasticity) if len(codes) else []
    return after, pd.Series(answer.value, index=codes), said


def _priced(inputs: PlanInputs, factor: float, supplier: str) -> PlanInputs:
    supply = inputs.supply
    own = _rows_of_supplier(inputs, supplier)
    sourcing = supply.sourcing.assign(rate=np.where(own, supply.sourcing["rate"] * factor, supply.sourcing["rate"]))
    breaks = supply.price_breaks
    if len(breaks):
        ours = np.ones(len(breaks), dtype=bool) if not supplier else breaks["supplier"].isin(["", supplier]).to_numpy()
        dearer = {
            name: np.where(ours, breaks[name] * factor, breaks[name]) for name in ("base_rate", "discount_amount")
        }
        breaks = breaks.assign(**dearer)
    return replace(inputs, supply=replace(supply, sourcing=sourcing, price_breaks=breaks))


def _served(inputs: PlanInputs, target: float) -> PlanInputs:
    """One target for every class, and none of a planning rule beside it."""
    settings = replace(inputs.settings, service_level_by_class=dict.fromkeys(_CLASSES, target))
    rules = inputs.supply.rules
    silent = Rules(rules.rules.assign(service_target=np.nan), rules.item_groups)
    return replace(inputs, settings=settings, supply=replace(inputs.supply, rules=silent))


def _rows_of_supplier(inputs: PlanInputs, supplier: str) -> Flags:
    sourcing = inputs.supply.sourcing
    if not supplier:
        return np.ones(len(sourcing), dtype=bool)
    return np.asarray(sourcing["supplier"].eq(supplier), dtype=bool)


def _later(inputs: PlanInputs, rows: Flags, days: int) -> PlanInputs:
    """These sourcing rows deliver `days` later (earlier where it is negative, at the earliest on the day itself)."""
    supply, sourcing = inputs.supply, inputs.supply.sourcing
    items = supply.items.drop_duplicates("item_code").set_index("item_code")
    known = choose_lead_times(
        pd.to_numeric(sourcing["lead_time_days"]).to_numpy(dtype=float),
        pd.to_numeric(_column(sourcing, "lead_time_std_days")).to_numpy(dtype=float),
        _column(sourcing, "lead_time_source", "").to_numpy(dtype=object),
        pd.to_numeric(_column(items, "lead_time_days").reindex(sourcing["item_code"])).to_numpy(dtype=float),
        inputs.settings.default_lead_time_days,
    )
    moved = np.clip(known.days + days, _SHORTEST_LEAD_TIME_DAYS, LONGEST_LEAD_TIME_DAYS)
    changed = sourcing.assign(
        lead_time_days=np.where(rows, moved, sourcing["lead_time_days"]),
        lead_time_source=np.where(rows, known.source, _column(sourcing, "lead_time_source", "")),
    )
    learned = _learned_later(supply.lead_times, sourcing[rows], days)
    return replace(inputs, supply=replace(supply, sourcing=changed, lead_times=learned))


def _learned_later(learned: LeadTimeDistributions, rows: pd.DataFrame, days: int) -> LeadTimeDistributions:
    """A row of its own for every supplier and item, moved by `days`: what it fell back to may hold for others too."""
    suppliers, items = rows["supplier"].to_numpy(dtype=object), rows["item_code"].to_numpy(dtype=object)
    row = learned.rows_of(suppliers, items)
    found = row >= 0
    if not found.any():
        return learned
    suppliers, items, row = suppliers[found], items[found], row[found]
    moved = _moved(learned.probability[row], days)
    own = pd.MultiIndex.from_arrays([suppliers, items])
    stays = ~pd.MultiIndex.from_arrays([learned.supplier, learned.item_code]).isin(own)
    width = max(moved.shape[1], learned.probability.shape[1]) - 1
    return LeadTimeDistributions(
        np.concatenate([learned.supplier[stays], suppliers]),
        np.concatenate([learned.item_code[stays], items]),
        np.concatenate([widened(learned.probability[stays], width), widened(moved, width)]),
        np.concatenate([learned.observations[stays], learned.observations[row]]),
        np.concatenate([learned.source[stays], learned.source[row]]),
    )


def _moved(probability: Floats, days: int) -> Floats:
    """Every delivery `days` later; before the order none comes."""
    if days >= 0:
        return np.pad(probability, ((0, 0), (days, 0)))
    cut = min(-days, probability.shape[1] - 1)
    rest = probability[:, cut:].copy()
    rest[:, 0] += probability[:, :cut].sum(axis=1)
    return rest


def _open_orders(inputs: PlanInputs, scenario: Scenario, as_of: date) -> tuple[PlanInputs, list[Assumption]]:
    """What is on order and not due yet arrives with the new lead time; what is overdue stays expected tomorrow."""
    if not scenario.move_open_orders:
        return inputs, [Assumption(ORDERS_STAY, {})]
    dated, days = inputs.supply.dated, scenario.lead_time_days
    if dated.empty:
        return inputs, []
    tomorrow = pd.Timestamp(as_of) + pd.Timedelta(days=1)
    theirs = dated["kind"].eq("purchase_order") & (dated["qty"] > 0.0)
    orders = _column(dated, "voucher_no", "")
    if scenario.chosen.supplier:
        theirs &= orders.map(dict(inputs.order_suppliers)).eq(scenario.chosen.supplier)
    # Without a day, or with one that is over, nobody knows when it comes.
    due = theirs & (dated["day"] >= tomorrow)
    moved = (dated["day"] + pd.Timedelta(days=days)).clip(lower=tomorrow)
    later = dated.assign(day=dated["day"].where(~due, moved))
    said = []
    if due.any():
        template = ORDERS_LATER if days > 0 else ORDERS_EARLIER
        said.append(Assumption(template, {"count": int(orders[due].nunique()), "days": abs(days)}))
    overdue = theirs & ~due
    if overdue.any():
        said.append(Assumption(OVERDUE_STAY, {"count": int(orders[overdue].nunique())}))
    return replace(inputs, supply=replace(inputs.supply, dated=later)), said


# ---- a supplier out ----
def _without_supplier(inputs: PlanInputs, scenario: Scenario, as_of: date) -> Changed:
    supplier, days = scenario.supplier_out, scenario.out_days
    sourcing = inputs.supply.sourcing
    own = _rows_of_supplier(inputs, supplier)
    if not own.any():
        raise _unknown_supplier(inputs, supplier)
    free = rated(inputs)
    free = free[(free["blocked_reason"] == "") & (free["supplier"] != supplier) & free["factor_known"]]
    elsewhere = sourcing["item_code"].isin(free["item_code"]).to_numpy() & scenario.use_other_suppliers
    before = choice(inputs)["supplier"]
    bought = set(before.index[before == supplier])
    reason = np.where(own & elsewhere, BLOCKED.format(weeks=scenario.supplier_out_weeks), "")
    said = _column(sourcing, "blocked_reason", "")
    blocked = sourcing.assign(blocked_reason=np.where(said.eq("") & (reason != ""), reason, said))
    dated = _delayed(inputs, supplier, days, as_of)
    settled = replace(inputs, supply=replace(inputs.supply, dated=dated))
    now = replace(settled, supply=replace(settled.supply, sourcing=blocked))
    now = _later(now, own & ~elsewhere, days)
    waiting = set(sourcing.loc[own & ~elsewhere, "item_code"]) & bought
    return Changed(now, settled, frozenset(waiting), frozenset(bought - waiting))


def _delayed(inputs: PlanInputs, supplier: str, days: int, as_of: date) -> pd.DataFrame:
    """What the supplier has open arrives so much later, what is overdue counted from today."""
    dated = inputs.supply.dated
    if dated.empty or "voucher_no" not in dated:
        return dated
    theirs = dated["kind"].eq("purchase_order") & dated["voucher_no"].map(dict(inputs.order_suppliers)).eq(supplier)
    tomorrow = pd.Timestamp(as_of) + pd.Timedelta(days=1)
    due = dated["day"].where(~(dated["day"] < tomorrow), tomorrow)
    return dated.assign(day=dated["day"].where(~theirs, due + pd.Timedelta(days=days)))


def _unknown_supplier(inputs: PlanInputs, supplier: str) -> BadInput:
    known = sorted(set(inputs.supply.sourcing["supplier"]) - {""})
    return BadInput(UNKNOWN_SUPPLIER, supplier=supplier, known=_named(known))


# ---- small parts ----
def _rows(outlook: DemandOutlook, rows: NDArray[np.int64]) -> DemandOutlook:
    mean, std, totals, paths = outlook.daily_mean, outlook.daily_std, outlook.totals, outlook.paths
    long_run = outlook.long_run_daily
    return replace(
        outlook,
        keys=outlook.keys.iloc[rows].reset_index(drop=True),
        daily_mean=lambda as_of, days: mean(as_of, days)[rows],
        daily_std=lambda: std()[rows],
        totals=None if totals is None else lambda as_of, at, days, levels: totals(as_of, rows[at], days, levels),
        paths=None if paths is None else lambda at, *asked: paths(rows[at], *asked),
        long_run_daily=None if long_run is None else lambda as_of: long_run(as_of)[rows],
        asked=None if outlook.asked is None else outlook.asked.select(rows),
        demand_class=outlook.demand_class[rows],
        last_year_qty=outlook.last_year_qty[rows],
        variation=None if outlook.variation is None else outlook.variation[rows],
        abc_class=None if outlook.abc_class is None else outlook.abc_class[rows],
    )


def _of_pairs(frame: pd.DataFrame, pairs: pd.MultiIndex) -> pd.DataFrame:
    if frame.empty:
        return frame
    return frame[pd.MultiIndex.from_frame(frame[_PAIR]).isin(pairs)].reset_index(drop=True)


def _of_items(frame: pd.DataFrame, item_codes: Collection[str]) -> pd.DataFrame:
    return frame if frame.empty else frame[frame["item_code"].isin(item_codes)].reset_index(drop=True)


def _column(frame: pd.DataFrame, name: str, default: object = np.nan) -> pd.Series:
    """A column that may be absent."""
    if name not in frame:
        return pd.Series([default] * len(frame), index=frame.index)
    return frame[name].where(frame[name].notna(), default)


def _refuse_unless(holds: bool, template: str, **values: object) -> None:
    if not holds:
        raise BadInput(template, **values)


def _named(names: list[str]) -> str:
    more = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" … (+{more})" if more > 0 else "")


def _plain(number: float) -> float | int:
    return int(number) if float(number).is_integer() else round(float(number), 4)
