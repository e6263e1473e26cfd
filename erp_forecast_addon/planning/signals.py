"""What is known beside the ledger: brought into a panel before it is forecast, and into its forecast after the models.

panel ── prepare ──▶ panel with history handed over, hierarchy and drivers ── models ──▶ mean ── finish ──▶ mean
"""

from dataclasses import dataclass, field, replace
from datetime import date

import numpy as np
import pandas as pd

from erp_forecast_addon.planning import overrides as override_rules
from erp_forecast_addon.planning.errors import Fault
from erp_forecast_addon.planning.events import drivers_from
from erp_forecast_addon.planning.forecasting.lifecycle import Lifecycle, after_models, lifecycle_of
from erp_forecast_addon.planning.panel import Panel, hierarchy_of
from erp_forecast_addon.planning.scopes import Scopes
from erp_forecast_addon.planning.succession import hand_over, successors
from erp_forecast_addon.planning.tables import EVENTS, HOLIDAYS, OVERRIDES, PRICES, REPLACEMENTS


@dataclass(frozen=True)
class Signals:
    """Tables of planning.tables, as a site reads them; scopes: the items and trees that events name."""

    scopes: Scopes = field(default_factory=Scopes)
    events: pd.DataFrame = field(default_factory=EVENTS.empty)
    holidays: pd.DataFrame = field(default_factory=HOLIDAYS.empty)
    prices: pd.DataFrame = field(default_factory=PRICES.empty)
    overrides: pd.DataFrame = field(default_factory=OVERRIDES.empty)
    replacements: pd.DataFrame = field(default_factory=REPLACEMENTS.empty)

    @property
    def rows(self) -> int:
        return sum(map(len, (self.events, self.holidays, self.prices, self.overrides, self.replacements)))


@dataclass(frozen=True)
class Future:
    """What is applied after the models. lifecycle: of the panel's rows; overrides: table OVERRIDES."""

    lifecycle: Lifecycle
    overrides: pd.DataFrame = field(default_factory=OVERRIDES.empty)

    def select(self, at: np.ndarray) -> "Future":
        """For some rows of the panel: positions or a boolean mask."""
        return replace(self, lifecycle=self.lifecycle.select(at))


@dataclass(frozen=True)
class Finished:
    """stages: "lifecycle" and "override", the mean (n, h) after each; template, values: (n,) object, a sentence to add
    to a series' reason, "" none; override_effects: name, forecast_before, forecast_after; faults of the overrides."""

    stages: dict[str, np.ndarray]
    template: np.ndarray
    values: np.ndarray
    override_effects: pd.DataFrame
    faults: list[Fault]

    @property
    def mean(self) -> np.ndarray:
        return self.stages["override"]

    def select(self, at: np.ndarray) -> "Finished":
        """For some rows of the panel: positions or a boolean mask."""
        stages = {name: stage[at] for name, stage in self.stages.items()}
        return replace(self, stages=stages, template=self.template[at], values=self.values[at])


def prepare(panel: Panel, signals: Signals, horizon_days: int, as_of: date) -> tuple[Panel, Future, list[Fault]]:
    """A panel as it is to be cleaned and forecast, and what is to be applied to its forecast.

    panel: as laid out from the buckets. Rows may be added (successors that have not moved yet); totals stay.
    Faults: Demand Event, Item Replacement; each leaves the rest untouched.
    """
    scopes = signals.scopes
    final, faults = successors(signals.replacements, scopes.items, panel.keys["item_code"], as_of)
    moved = hand_over(panel, final)
    drivers, driver_faults = drivers_from(
        signals.events, signals.holidays, signals.prices, moved.keys, scopes, moved.starts, moved.period,
        moved.horizon_periods(horizon_days),
    )  # fmt: skip
    hierarchy = hierarchy_of(moved.keys, scopes.items, scopes.company, scopes.item_groups, scopes.warehouses)
    ready = replace(moved, hierarchy=hierarchy).with_drivers(drivers)
    lifecycle = lifecycle_of(ready.keys, scopes.items, final, as_of)
    return ready, Future(lifecycle, signals.overrides), faults + driver_faults


def finish(mean: np.ndarray, panel: Panel, future: Future) -> Finished:
    """Launch, silence, end of life, then the overrides. mean: (n, h) of the models for the periods after the panel's.

    The input is not changed.
    """
    lived = after_models(mean, panel, future.lifecycle)
    laid = (panel.keys, panel.future_starts(mean.shape[1]), panel.period, panel.last_day, future.overrides)
    changed, faults = override_rules.apply(lived.mean, *laid)
    return Finished(
        {"lifecycle": lived.mean, "override": changed},
        lived.template,
        lived.values,
        override_rules.effects(lived.mean, *laid),
        faults,
    )
