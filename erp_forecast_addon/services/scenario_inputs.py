"""What a Planning Scenario is worked out from: the company as a run of today would plan it, or as much as is needed.

Where the filters leave few items, only these are read and forecast, with what the last run learned of all series; what
only a look at all items tells, the ABC class, is then the one of their last policies. All else needs the whole company:
filters that leave most of it, a company that was never run, items so new that they are forecast from like ones.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from erp_forecast_addon.planning.errors import BadInput
from erp_forecast_addon.planning.forecasting.forecast import Learned
from erp_forecast_addon.planning.messages import Day, _
from erp_forecast_addon.planning.periods import MEAN_DAYS
from erp_forecast_addon.planning.plan import Plan
from erp_forecast_addon.planning.progress import Progress, silent
from erp_forecast_addon.planning.replenishment import DemandOutlook
from erp_forecast_addon.planning.scenario_prices import Assumption
from erp_forecast_addon.planning.scenarios import Chosen, PlanInputs
from erp_forecast_addon.planning.scopes import below
from erp_forecast_addon.planning.tables import TREE
from erp_forecast_addon.services import arrivals, learning
from erp_forecast_addon.services import run as runs
from erp_forecast_addon.services.item_forecast import ItemForecast, forecast_alone
from erp_forecast_addon.services.one_item import supply_of
from erp_forecast_addon.services.open_drafts import leave_out, read_open_drafts
from erp_forecast_addon.site import item_queries, queries, reads, scenario_queries, signal_queries
from erp_forecast_addon.site.port import Site
from erp_forecast_addon.site.settings import CompanySettings

# Of more than this share of its items a company is read as a whole, which is then as fast and tells classes of today.
LARGEST_SHARE = 0.5
_PAIR = ["item_code", "warehouse"]
_CLASS_OF_NEW_PAIRS = "C"

NOTHING_PLANNED = _(
    "{company} has no demand in its stock ledger up to {as_of} and no stock, so there is no plan to compare with."
)
FEW_FORECAST = _(
    "Of the company only the items that the filters leave were forecast ({count} of them), with what the run up to "
    "{as_of} learned of all; their ABC classes are those of their last policies."
)


@dataclass(frozen=True)
class Read:
    """inputs: of the whole company or, as `assumptions` then says, of the items that may be chosen; forecast: how many
    item-warehouse pairs were forecast."""

    inputs: PlanInputs
    forecast: int
    assumptions: tuple[Assumption, ...] = ()


def read_for(site: Site, settings: CompanySettings, chosen: Chosen, progress: Progress = silent) -> Read:
    """What a run of today would plan with, of every item that `chosen` may mean, and the classes that it would find.

    Commits once it has read. progress: told while the whole company is planned. Raises BadInput where nothing at all is
    planned.
    """
    codes = _few_items(site, settings, chosen)
    known = learning.last(site, settings) if codes else None
    found = None
    if codes and known is not None:
        homes = set(reads.warehouses(site, settings.company))
        found = forecast_alone(site, settings, codes, homes, site.as_of(), known)
    if found is None or known is None:
        return _whole(site, settings, progress)
    said = Assumption(FEW_FORECAST, {"count": len(codes), "as_of": Day(known.as_of.isoformat())})
    return Read(_of_few(site, settings, codes, found, known.learned), len(found.last_year_qty), (said,))


# ---- which items ----
def _few_items(site: Site, settings: CompanySettings, chosen: Chosen) -> list[str]:
    """Items that the filters may leave; [] where that is most of the company, or none, which the whole plan refuses
    with a sentence. Each filter by itself is exact or too wide; planning.scenarios.choose looks at pairs."""
    if chosen == Chosen():
        return []
    held = _pairs(site, settings.company)
    items = site.fetch(queries.items(site.qb)).drop_duplicates("item_code").fillna({"item_group": "", "brand": ""})
    items = items[items["item_code"].isin(held["item_code"])]
    fits = pd.Series(True, index=items.index)
    if chosen.item_codes:
        fits &= items["item_code"].isin(chosen.item_codes)
    if chosen.item_group:
        groups = site.fetch(signal_queries.item_groups(site.qb))
        fits &= items["item_group"].isin(below(groups, chosen.item_group))
    if chosen.brand:
        fits &= items["brand"] == chosen.brand
    if chosen.warehouse:
        tree = _tree(site, settings.company)
        here = held["warehouse"].isin(below(tree, chosen.warehouse))
        fits &= items["item_code"].isin(held.loc[here, "item_code"])
    if chosen.abc_class:
        fits &= _may_be_of_class(site, settings.company, items["item_code"], chosen.abc_class)
    left = items.loc[fits, "item_code"].tolist()
    if chosen.supplier and left:
        sold = reads.sourcing(site, settings.company, left)
        left = sorted(set(sold.loc[sold["supplier"] == chosen.supplier, "item_code"]))
    return left if len(left) <= LARGEST_SHARE * len(items) else []


def _pairs(site: Site, company: str) -> pd.DataFrame:
    """item_code, warehouse of all that the company holds or was ever asked for."""
    pairs = (site.fetch(item_queries.pairs_of_company(site.qb, company)), site.fetch(queries.bins(site.qb, company)))
    return pd.concat([table[_PAIR] for table in pairs if len(table)] or [pairs[0][_PAIR]], ignore_index=True)


def _may_be_of_class(site: Site, company: str, codes: pd.Series, abc_class: str) -> pd.Series:
    """Items with a policy of the class; those without a policy are of class C."""
    held = site.fetch(scenario_queries.policy_classes(site.qb, company))
    fits = codes.isin(held.loc[held["abc_class"] == abc_class, "item_code"])
    return fits | ~codes.isin(held["item_code"]) if abc_class == _CLASS_OF_NEW_PAIRS else fits


# ---- some items ----
def _of_few(
    site: Site, settings: CompanySettings, codes: list[str], found: ItemForecast, learned: Learned
) -> PlanInputs:
    few, company, plan = found.site, settings.company, settings.plan
    items = found.items[found.items["item_code"].isin(codes)].reset_index(drop=True)
    positions = reads.positions(few, company)
    dated = leave_out(reads.dated(few, company), read_open_drafts(site, company))
    dated = dated[dated["item_code"].isin(codes)].reset_index(drop=True)
    dated = arrivals.counted(dated, arrivals.last(site, company), settings)
    supply = supply_of(site, few, settings, codes, items, dated)
    forecasts = found.forecasts
    classes = site.fetch(scenario_queries.policy_classes(site.qb, company)).drop_duplicates(_PAIR).set_index(_PAIR)
    pairs = pd.MultiIndex.from_frame(forecasts.keys[_PAIR])
    abc = classes["abc_class"].replace("", np.nan).reindex(pairs).fillna(_CLASS_OF_NEW_PAIRS).to_numpy(dtype=object)
    outlook = DemandOutlook(
        keys=forecasts.keys,
        demand_class=forecasts.demand_class,
        daily_mean=forecasts.daily_mean,
        daily_std=forecasts.daily_std,
        last_year_qty=found.last_year_qty,
        totals=forecasts.totals,
        variation=found.variation,
        abc_class=abc,
        paths=forecasts.paths,
        long_run_daily=forecasts.long_run_daily,
        period_days=MEAN_DAYS[plan.period],
        asked=found.asked,
        prior=found.prior,
    )
    inputs = PlanInputs(
        outlook=outlook,
        positions=positions[positions["item_code"].isin(codes)].reset_index(drop=True),
        supply=supply,
        settings=plan,
        abc_class=abc,
        warehouse_tree=_tree(site, company),
        order_suppliers=_order_suppliers(site, company),
        elasticity=_elasticity(learned),
    )
    site.commit()
    return inputs


# ---- the whole company ----
def _whole(site: Site, settings: CompanySettings, progress: Progress) -> Read:
    as_of, company = site.as_of(), settings.company
    read = runs.read_inputs(site, settings, as_of)
    orders, tree = _order_suppliers(site, company), _tree(site, company)
    trained, _unread = runs.trained_model(site, settings, as_of)
    site.commit()  # nothing is held while the machine reckons
    made, _faults, _panel = runs.plan_inputs(read, settings, as_of, trained, progress)
    if made.policies.empty:
        raise BadInput(NOTHING_PLANNED, company=company, as_of=as_of)
    inputs = PlanInputs(
        outlook=made.outlook,
        positions=read.positions,
        supply=runs.supply_of(read, read.dated),
        settings=settings.plan,
        abc_class=_classes(made),
        warehouse_tree=tree,
        order_suppliers=orders,
        elasticity=_elasticity(made.forecasts.learned),
    )
    return Read(inputs, len(made.outlook.keys))


def _classes(made: Plan) -> Any:
    of_pair = made.policies.set_index(_PAIR)["abc_class"]
    return of_pair.reindex(pd.MultiIndex.from_frame(made.outlook.keys[_PAIR])).fillna("C").to_numpy(dtype=object)


# ---- what both need ----
def _elasticity(learned: Learned) -> Mapping[str, float]:
    """What prices did to demand, by item group; {} where they never moved, or moved nothing."""
    effects = learned.grounds[-1].effects if learned.grounds else None
    return {} if effects is None else effects.elasticity


def _order_suppliers(site: Site, company: str) -> dict[str, str]:
    orders = site.fetch(scenario_queries.order_suppliers(site.qb, company))
    return dict(zip(orders["name"], orders["supplier"], strict=True)) if len(orders) else {}


def _tree(site: Site, company: str) -> pd.DataFrame:
    tree = reads.warehouse_tree(site, company)[["name", "parent_warehouse"]]
    return TREE.check(tree.rename(columns={"parent_warehouse": "parent"}))
