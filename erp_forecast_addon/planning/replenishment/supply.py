"""What may supply the pairs of a plan, and what stands in the tables at its door."""

from dataclasses import dataclass, field

import pandas as pd

from erp_forecast_addon.planning.door import Checked, check_rows
from erp_forecast_addon.planning.errors import Fault
from erp_forecast_addon.planning.inventory.approval_time import ApprovalTime
from erp_forecast_addon.planning.inventory.lead_time_distribution import LeadTimeDistributions
from erp_forecast_addon.planning.inventory.rules import Rules
from erp_forecast_addon.planning.purchasing.network import Network
from erp_forecast_addon.planning.purchasing.order_days import OrderTerms
from erp_forecast_addon.planning.tables import COMMITTED, DATED, FORMER_LEVELS, ITEMS, POSITIONS, PRICE_BREAKS, SOURCING


@dataclass(frozen=True)
class Supply:
    """dated: table DATED; items: table ITEMS; sourcing: table SOURCING, whose lead_time_row points into lead_times;
    approval: how long drafts wait, None: as the settings say; rules: what planners have said about policies; former:
    table FORMER_LEVELS, the levels that stand; price_breaks: table PRICE_BREAKS; terms: what suppliers ask of whole
    orders; committed: table COMMITTED; network: who supplies whom within the company, and what is made of what.
    """

    dated: pd.DataFrame
    items: pd.DataFrame
    sourcing: pd.DataFrame
    lead_times: LeadTimeDistributions = field(default_factory=LeadTimeDistributions.none)
    approval: ApprovalTime | None = None
    rules: Rules = field(default_factory=Rules)
    former: pd.DataFrame = field(default_factory=FORMER_LEVELS.empty)
    price_breaks: pd.DataFrame = field(default_factory=PRICE_BREAKS.empty)
    terms: OrderTerms = field(default_factory=OrderTerms)
    committed: pd.DataFrame = field(default_factory=COMMITTED.empty)
    network: Network = field(default_factory=Network)


@dataclass(frozen=True)
class Door:
    positions: Checked
    dated: Checked
    items: Checked
    sourcing: Checked

    @property
    def faults(self) -> list[Fault]:
        return [*self.items.faults, *self.sourcing.faults, *self.positions.faults, *self.dated.faults]


def at_the_door(positions: pd.DataFrame, supply: Supply) -> Door:
    return Door(
        check_rows(POSITIONS, positions),
        check_rows(DATED, supply.dated),
        check_rows(ITEMS, supply.items),
        check_rows(SOURCING, supply.sourcing),
    )
