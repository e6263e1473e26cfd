"""From a demand outlook and what stands on the shelves to levels, proposals and faults: everything after the forecast.

Kept apart from plan.py so that it runs on any demand outlook: a forecast, an override, a simulation, a test's numbers.
"""

from dataclasses import dataclass, field
from datetime import date

import numpy as np
import pandas as pd

from erp_forecast_addon.planning import work
from erp_forecast_addon.planning.errors import Fault
from erp_forecast_addon.planning.inventory.pair_levels import frozen
from erp_forecast_addon.planning.inventory.policies import PairClasses, Standing, policy_table
from erp_forecast_addon.planning.inventory.policy_faults import policy_faults
from erp_forecast_addon.planning.progress import Progress, Stages, silent
from erp_forecast_addon.planning.purchasing.budget import limits_of
from erp_forecast_addon.planning.purchasing.order_lines import Offered, calendar_faults, order_lines
from erp_forecast_addon.planning.purchasing.proposals import day_dates
from erp_forecast_addon.planning.purchasing.requests import request_within
from erp_forecast_addon.planning.purchasing.suppliers import choose_suppliers, rate_sourcing
from erp_forecast_addon.planning.replenishment.case_faults import (
    line_faults,
    no_lot_faults,
    orderable_cases,
    shortage_faults,
    standing_faults,
)
from erp_forecast_addon.planning.replenishment.cases import due_soon, order_cases
from erp_forecast_addon.planning.replenishment.outlook import DemandOutlook
from erp_forecast_addon.planning.replenishment.pairs import floats, objects
from erp_forecast_addon.planning.replenishment.ready import ReadyPairs, ready_pairs
from erp_forecast_addon.planning.replenishment.reckoning import LevelsOf, Reckoned, reckon
from erp_forecast_addon.planning.replenishment.supply import Supply, at_the_door
from erp_forecast_addon.planning.settings import PlanSettings
from erp_forecast_addon.planning.tables import PRICE_BREAKS, REFUSED_REQUESTS, REQUESTS
from erp_forecast_addon.planning.wording import dict_column

_PAIR = ["item_code", "warehouse"]


@dataclass(frozen=True)
class Replenishment:
    """policies: POLICIES; proposals: PROPOSALS; faults: in a fixed order; levels: what `standing` need not do again;
    requests: REQUESTS, what is asked for within the company instead of being bought; ready: pairs that can be looked at
    again by these levels, whatever happens to their stock."""

    policies: pd.DataFrame
    proposals: pd.DataFrame
    faults: list[Fault]
    levels: "LevelsOf"
    ready: ReadyPairs
    requests: pd.DataFrame = field(default_factory=REQUESTS.empty)


def replenish(
    outlook: DemandOutlook,
    positions: pd.DataFrame,
    supply: Supply,
    settings: PlanSettings,
    as_of: date,
    made: "LevelsOf | None" = None,
    progress: Progress = silent,
) -> Replenishment:
    """Levels and proposals for every pair of `outlook` and `positions`; see plan.plan for what is planned.

    made: levels that are ready, of the same pairs: they are taken over and only orders are reckoned. Raises BadInput
    where a table as a whole is unusable; single bad rows are set aside, and pairs and items that depend on them are not
    ordered. progress: told the share of the time that is over.
    """
    told = Stages(progress, work.of_levels(len(outlook.keys), settings))
    told.say(work.LEAD_TIMES)
    door = at_the_door(positions, supply)
    rated = rate_sourcing(door.sourcing.rows, door.items.rows, settings.currency)
    chosen = choose_suppliers(rated)
    reckoned = reckon(outlook, door, chosen, supply, settings, as_of, made, rated, told)
    told.say(work.ORDERS, work.OF_LEVELS)
    cases = order_cases(reckoned, settings, as_of)
    requested = request_within(
        cases, reckoned.found, reckoned.edges, REFUSED_REQUESTS.check(supply.network.refused), settings, as_of,
        reckoned.buying_costs,
    )  # fmt: skip
    orderable, order_faults = orderable_cases(requested.to_buy, rated, chosen)
    given = Offered(
        rated,
        PRICE_BREAKS.check(supply.price_breaks),
        supply.terms,
        limits_of(settings, supply.committed),
        settings,
        as_of,
    )
    soon = due_soon(requested.to_buy, supply.terms, settings)
    proposed = order_lines(_with_frozen(orderable, reckoned), _with_frozen(soon, reckoned), given)
    faults = [
        *door.faults,
        *reckoned.rule_faults,
        *reckoned.sources.faults,
        *requested.faults,
        *standing_faults(cases, reckoned.unusable),
        *policy_faults(cases, reckoned.levels),
        *order_faults,
        *no_lot_faults(proposed.no_lot),
        *line_faults(proposed.lines),
        *proposed.faults,
        *calendar_faults(given),
        *shortage_faults(cases, proposed.table, requested.table),
    ]
    levels = LevelsOf(pd.MultiIndex.from_frame(reckoned.pairs[_PAIR]), reckoned.levels)
    ready = ready_pairs(reckoned, cases, rated, chosen, given.breaks, settings, outlook.paths is not None)
    told.say(work.ORDERS, 1.0)
    return Replenishment(_policies(reckoned, settings, as_of), proposed.table, faults, levels, ready, requested.table)


def standing(
    outlook: DemandOutlook,
    positions: pd.DataFrame,
    supply: Supply,
    settings: PlanSettings,
    as_of: date,
    made: LevelsOf | None = None,
) -> pd.DataFrame:
    """The table POLICIES of `replenish` alone: where every pair stands with this supply. Raises as `replenish` does.

    made: the levels of a `replenish` of the same outlook, which are taken over where the pairs are the same.
    """
    door = at_the_door(positions, supply)
    rated = rate_sourcing(door.sourcing.rows, door.items.rows, settings.currency)
    chosen = choose_suppliers(rated)
    told = Stages(silent, work.of_levels(len(outlook.keys), settings))
    return _policies(reckon(outlook, door, chosen, supply, settings, as_of, made, rated, told), settings, as_of)


def _with_frozen(lines: pd.DataFrame, reckoned: Reckoned) -> pd.DataFrame:
    """What each line's order-up-to level was made of, where the textbook's formula alone does not say it."""
    formula = ~reckoned.levels.by_position & (reckoned.levels.chosen.clamp == "") & ~reckoned.levels.kept
    rows = lines["level_row"].to_numpy(dtype=np.int64)
    policies = dict_column([{} for _row in rows])
    policies[~formula[rows]] = dict_column(frozen(reckoned.levels, rows[~formula[rows]]))
    judged = reckoned.on_paths
    at = np.full(len(formula), -1)
    at[judged.rows] = np.arange(len(judged.rows))
    chosen = np.flatnonzero(at[rows] >= 0)
    # A loop over the lines judged on paths, of which each carries its own evidence.
    policies[chosen] = dict_column([
        {**judged.orders.told(at[row]), "position_qty": float(reckoned.position_qty[row])} for row in rows[chosen]
    ])  # fmt: skip
    return lines.assign(policy=policies)


def _policies(reckoned: Reckoned, settings: PlanSettings, as_of: date) -> pd.DataFrame:
    pairs = reckoned.pairs
    standing = Standing(
        floats(pairs, "on_hand_qty"),
        reckoned.found.plain.position_qty,
        day_dates(reckoned.found.plain.sight.shortage_day, as_of),
        floats(pairs, "valuation_rate"),
    )
    return policy_table(
        pairs,
        PairClasses(
            reckoned.abc_class, reckoned.xyz_class, reckoned.variation, objects(pairs, "demand_class"),
            objects(pairs, "stock_uom"),
        ),
        reckoned.lead_times,
        reckoned.observations,
        reckoned.levels,
        standing,
        settings,
    )  # fmt: skip
