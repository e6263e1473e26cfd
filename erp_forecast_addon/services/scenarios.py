"""What-if plans of a company, kept as Planning Scenarios.

A scenario reads what a run reads and plans twice. The one thing it writes is its own record (and the demand buckets,
which are the ledger in another form): no forecast, level, draft or document of ERPNext is touched.
"""

import json
import traceback
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

import pandas as pd

from erp_forecast_addon.planning.errors import BadInput, Busy, PlanningError, Refused
from erp_forecast_addon.planning.messages import _
from erp_forecast_addon.planning.progress import Done, Progress
from erp_forecast_addon.planning.scenario_prices import Assumption
from erp_forecast_addon.planning.scenario_results import FIGURES, Comparison, affected, compare
from erp_forecast_addon.planning.scenarios import Chosen, PlanInputs, Scenario, narrowed
from erp_forecast_addon.services.pace import AT_WORK, Pace
from erp_forecast_addon.services.refresh import refresh_demand
from erp_forecast_addon.services.scenario_inputs import read_for
from erp_forecast_addon.site import reads
from erp_forecast_addon.site.port import Site
from erp_forecast_addon.site.settings import CompanySettings

DOCTYPE = "Planning Scenario"
# What a person says; a change of one of them makes the results old.
ASKED = (
    "company", "demand_pct", "lead_time_days", "move_open_orders", "price_pct", "selling_price_pct", "price_elasticity",
    "use_learned_elasticity", "service_level_pct", "supplier_out", "supplier_out_weeks", "use_other_suppliers",
    "item_group", "brand", "warehouse", "supplier", "abc_class", "item_codes",
)  # fmt: skip
TOTALS = ("ordered_value", "stock_value", "fill_rate_pct", "shortage_value", "margin_value", "proposed_value")
# Checks that are set unless somebody says otherwise, as their defaults in the DocType say.
_SET_UNLESS_SAID = ("use_learned_elasticity", "move_open_orders")
RESULTS = (
    "as_of", "run_by", "started_at", "ended_at", "duration_seconds", "pairs", "forecast_pairs", "horizon_days",
    "results_json", "error",
    *(f"{side}_{name}" for side in ("base", "scenario") for name in TOTALS),
)  # fmt: skip
MOST_ROWS = 200
_A_CENT = 0.01
MOVING = ("Queued", "Running")

REFRESH, FORECAST, PLAN_TWICE = _("Refresh demand"), _("Read and forecast"), _("Plan twice")

NO_SCENARIO = _("There is no Planning Scenario {name}.")
NO_COMPANY = _("There is no company {company}.")
NOT_ENABLED = _("{company} is not planned: enable it in Forecast Settings first.")
UNDER_WAY = _("This scenario is being worked out already. Wait until it ends.")
NO_WAREHOUSE = _("None of the planned warehouses is one that you may see.")


def scenario_of(asked: Mapping[str, Any]) -> Scenario:
    """The scenario that a record's fields say. Raises BadInput with a sentence."""
    supplier_out = asked.get("supplier_out") or ""
    level = float(asked.get("service_level_pct") or 0.0)
    return Scenario(
        chosen=Chosen(
            item_group=asked.get("item_group") or "",
            brand=asked.get("brand") or "",
            warehouse=asked.get("warehouse") or "",
            supplier=asked.get("supplier") or "",
            abc_class=asked.get("abc_class") or "",
            item_codes=_codes(asked.get("item_codes")),
        ),
        demand_pct=float(asked.get("demand_pct") or 0.0),
        lead_time_days=int(asked.get("lead_time_days") or 0),
        supplier_out=supplier_out,
        supplier_out_weeks=int(asked.get("supplier_out_weeks") or 0),
        use_other_suppliers=bool(int(asked.get("use_other_suppliers") or 0)),
        price_pct=float(asked.get("price_pct") or 0.0),
        service_target=level / 100.0 if level else None,
        selling_price_pct=float(asked.get("selling_price_pct") or 0.0),
        price_elasticity=float(asked.get("price_elasticity") or 0.0),
        **{name: _is_set(asked, name) for name in _SET_UNLESS_SAID},
    )


def _is_set(asked: Mapping[str, Any], name: str) -> bool:
    """A check that a record of an earlier version, or who makes one without it, says nothing about is set."""
    value = asked.get(name)
    return True if value in (None, "") else bool(int(value))


def create(site: Site, values: Mapping[str, Any]) -> str:
    """Keep a scenario as Draft. Raises BadInput as scenario_of, Refused for a company that does not exist."""
    if values.get("company") not in reads.companies(site):
        raise Refused(site.translate(NO_COMPANY).format(company=values.get("company")))
    scenario_of(values)
    return site.insert_document(DOCTYPE, {"status": "Draft", **values})


def queue(site: Site, name: str) -> None:
    """Mark it as waiting for a job. Raises Refused where it does not exist, BadInput where it makes no sense."""
    scenario_of(_document(site, name))
    site.update_document(DOCTYPE, name, {"status": "Queued", "progress_pct": 0, "current_step": "", "error": None})


def run_scenario(site: Site, name: str, warehouses: Collection[str] | None = None) -> str:
    """Work the scenario out; -> its name, Done. Commits.

    warehouses: those that the person who asks may see, None: all; no other is read into the results. Raises Refused
    (no such record, company not planned), Busy (under way), BadInput for what cannot be planned; the record then says
    Failed and why, as it does for anything else that breaks.
    """
    site.commit()
    with site.lock(f"planning scenario {name}") as got:
        site.commit()
        if not got:
            raise Busy(site.translate(UNDER_WAY))
        try:
            _carry_out(site, name, _document(site, name), warehouses)
        except Exception as error:
            _fail(site, name, error)
            raise
        return name


def _document(site: Site, name: str) -> dict[str, Any]:
    document = site.get_document(DOCTYPE, name)
    if document is None:
        raise Refused(site.translate(NO_SCENARIO).format(name=name))
    return document


# ---- the work ----
def _carry_out(site: Site, name: str, document: dict[str, Any], warehouses: Collection[str] | None) -> None:
    began = perf_counter()
    scenario = scenario_of(document)
    company = str(document["company"])
    settings = _settings(site, company)
    as_of = site.as_of()
    site.update_document(DOCTYPE, name, {
        "status": "Running", "run_by": site.user, "started_at": site.now(), "ended_at": None, "error": None,
        "as_of": as_of, "currency": settings.plan.currency or None, "results_json": None,
    })  # fmt: skip
    shown = _Shown(site, name)
    shown.at(1, REFRESH)
    refresh_demand(site, progress=shown.within(1, 10, REFRESH))
    shown.at(10, FORECAST)
    read = read_for(site, settings, scenario.chosen, shown.within(10, 60, FORECAST))
    inputs = read.inputs
    if warehouses is not None:
        inputs = _seen(inputs, warehouses)
    shown.at(60, PLAN_TWICE)
    made = compare(inputs, scenario, as_of, shown.done(60, 95, PLAN_TWICE))
    site.update_document(DOCTYPE, name, {
        "status": "Done", "ended_at": site.now(), "duration_seconds": round(perf_counter() - began, 3),
        "progress_pct": 100, "current_step": "", "pairs": len(made.pairs), "forecast_pairs": read.forecast,
        "horizon_days": settings.plan.horizon_days,
        "results_json": json.dumps(results(site, made, read.assumptions)), **_totals(made),
    })  # fmt: skip
    site.commit()


def _settings(site: Site, company: str) -> CompanySettings:
    if company not in reads.companies(site):
        raise Refused(site.translate(NO_COMPANY).format(company=company))
    settings = reads.company_settings(site, company)
    if not settings.enabled:
        raise Refused(site.translate(NOT_ENABLED).format(company=company))
    return settings


def _seen(inputs: PlanInputs, warehouses: Collection[str]) -> PlanInputs:
    pair = ["item_code", "warehouse"]
    every = pd.concat([inputs.outlook.keys[pair], inputs.positions[pair]]).drop_duplicates(ignore_index=True)
    seen = every[every["warehouse"].isin(list(warehouses))]
    if seen.empty:
        raise BadInput(NO_WAREHOUSE)
    return narrowed(inputs, pd.MultiIndex.from_frame(seen))


# ---- the record ----
def results(site: Site, made: Comparison, read: Collection[Assumption] = ()) -> dict[str, Any]:
    """JSON values for the form: totals {figure: [base, scenario]}, months (list of rows), pairs (those that change, the
    most affected MOST_ROWS), left_out: how many more change; alternatives (rows with a sentence in the site's
    language); assumptions: sentences, those about what was read among them."""
    moved = made.pairs[affected(made.pairs) >= _A_CENT]
    pairs = moved.head(MOST_ROWS)
    names = ["item_code", "item_name", "warehouse", "abc_class"]
    names += ["elasticity"] + [f"{side}_{name}" for name in FIGURES for side in ("base", "scenario")]
    told = [
        {**_plain_row(row), "sentence": site.translate(row["template"]).format(**row["values"])}
        for row in made.alternatives.to_dict("records")
    ]  # at most a few hundred rows, each with its sentence
    return {
        "totals": {name: [_plain(value) for value in both] for name, both in made.totals.items()},
        "months": [_plain_row(row) for row in made.monthly.to_dict("records")],
        "pairs": [_plain_row(row) for row in pairs[names].to_dict("records")],
        "left_out": len(moved) - len(pairs),
        "alternatives": told,
        "assumptions": [site.translate(each.template).format(**each.values) for each in (*read, *made.assumptions)],
    }


def _totals(made: Comparison) -> dict[str, Any]:
    sides = {"base": 0, "scenario": 1}
    return {f"{side}_{name}": _plain(made.totals[name][at]) for side, at in sides.items() for name in TOTALS}


def _plain_row(row: Mapping[Any, Any]) -> dict[str, Any]:
    return {str(name): _plain(value) for name, value in row.items() if name not in ("template", "values")}


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return value
    if value is None or pd.isna(value):
        return None
    return value.date().isoformat() if isinstance(value, pd.Timestamp) else round(float(value), 4)


def _codes(text: Any) -> tuple[str, ...]:
    """Item codes, one in a line, each once."""
    lines = [line.strip() for line in str(text or "").splitlines()]
    return tuple(dict.fromkeys(line for line in lines if line))


@dataclass
class _Shown:
    """How far the scenario is, on its record; commits."""

    site: Site
    name: str
    pace: Pace = field(default_factory=Pace)

    def at(self, percent: float, step: str) -> None:
        """The step begins."""
        self._show(percent, self.site.translate(step))
        self.pace.spoke()

    def done(self, begin: float, end: float, step: str) -> Done:
        """For a step that reaches from `begin` to `end` percent."""

        def told(share: float) -> None:
            if self.pace.due():
                self._show(begin + (end - begin) * share, self.site.translate(step))

        return told

    def within(self, begin: float, end: float, step: str) -> Progress:
        """For one that also says what it is doing."""

        def told(share: float, doing: str, /, **values: Any) -> None:
            if self.pace.due():
                translate = self.site.translate
                text = translate(AT_WORK).format(step=translate(step), doing=translate(doing).format(**values))
                self._show(begin + (end - begin) * share, text)

        return told

    def _show(self, percent: float, text: str) -> None:
        self.site.show_progress(DOCTYPE, self.name, round(percent, 1), text)
        self.site.commit()


def _fail(site: Site, name: str, error: Exception) -> None:
    """A sentence for what we refuse, the whole traceback for what nobody foresaw."""
    site.rollback()
    if site.get_document(DOCTYPE, name) is None:
        return
    text = traceback.format_exc()
    if isinstance(error, PlanningError):
        text = error.sentence(site.translate) if isinstance(error, BadInput) else str(error)
    site.set_fields(DOCTYPE, name, {"status": "Failed", "error": text, "ended_at": site.now(), "current_step": ""})
    site.commit()
